// SPDX-License-Identifier: MIT
/*
 * Random programs of 1,000 operations on a virtual clock, against the reference
 * model: the same CQEs in the same order at the same times, the same results of
 * calls, the same data. What differs is said with the seed, and with the
 * shortest program that was found to differ still.
 *
 * ARING_TEST_SEED=N runs the program of one seed; ARING_TEST_FULL=1 runs 10,000.
 */
#include "ring.h"
#include "model_sim.h"

#include <sys/time.h>

#define SEEDS		500
#define SEEDS_FULL	10000
#define SHRINK_SECONDS	20

/**
 * struct rig - a ring that a program runs on
 * @r: the ring
 * @p: the program
 * @time: when it was asked last
 * @stuck: a call took too long; nothing is asked of the ring any more
 * @broken: what could not be set up, or NULL
 * @buf: for each line the bytes that it reads or writes
 * @ts: for each line the time that it names
 * @ticket: of the SQE of each line
 */
struct rig {
	struct ring		r;
	const struct prog	*p;
	__u64			time;
	bool			stuck;
	const char		*broken;
	unsigned char		(*buf)[PROG_BYTES];
	unsigned char		*medium;
	struct __kernel_timespec ts[PROG_LINES];
	__u32			ticket[PROG_LINES];
};

static struct prog prog;
static struct sim sim;
static struct rig rig;
static struct history expected, seen;

/* ---- the ring as a machine ----------------------------------------------- */

static int rig_clock(struct rig *g, __u32 cmd, __u32 flags, __u64 time)
{
	struct aring_clock c = { .cmd = cmd, .flags = flags, .time = time };

	if (g->stuck)
		return -EINTR;
	if (ioctl(g->r.fd, ARING_IOC_CLOCK, &c)) {
		g->stuck = errno == EINTR;
		return -errno;
	}
	g->time = c.time;
	return 0;
}

static __u64 rig_now(void *m)
{
	return ((struct rig *)m)->time;
}

static bool rig_reap(void *m, struct aring_cqe *cqe)
{
	return ring_reap(&((struct rig *)m)->r, cqe);
}

static int rig_move(void *m, enum line_kind kind, __u64 time)
{
	struct rig *g = m;

	switch (kind) {
	case LINE_NEXT:
		return rig_clock(g, ARING_CLOCK_NEXT, 0, 0);
	case LINE_ADVANCE:
		return rig_clock(g, ARING_CLOCK_ADVANCE, 0, time - g->time);
	default:
		return rig_clock(g, ARING_CLOCK_TO, 0, time);
	}
}

static int rig_enter(void *m, unsigned int submit, unsigned int wait, __u64 limit)
{
	struct rig *g = m;
	struct __kernel_timespec ts = to_ts(limit);
	struct aring_getevents_arg arg = { .ts = (uintptr_t)&ts };
	int ret;

	if (g->stuck)
		return -EINTR;
	ring_flush(&g->r);
	if (wait)
		ret = ring_enter(&g->r, submit, wait, ARING_ENTER_GETEVENTS |
				 ARING_ENTER_EXT_ARG, &arg, sizeof(arg));
	else
		ret = ring_enter(&g->r, submit, 0, 0, NULL, 0);
	if (ret == -EINTR)
		g->stuck = true;
	rig_clock(g, ARING_CLOCK_GET, 0, 0);
	return ret;
}

static void rig_prep_cancel(struct rig *g, struct aring_sqe *sqe, const struct line *l)
{
	sqe->cancel_flags = l->op_flags;
	if (l->op_flags & ARING_ASYNC_CANCEL_TICKET)
		sqe->addr = g->ticket[l->target];
	else if (l->op_flags & ARING_ASYNC_CANCEL_OP)
		sqe->len = l->len;
	else if (!(l->op_flags & ARING_ASYNC_CANCEL_ANY))
		sqe->addr = g->p->line[l->target].user_data;
}

static void rig_sqe(void *m, const struct prog *p, unsigned int line)
{
	struct rig *g = m;
	const struct line *l = &p->line[line];
	struct aring_sqe *sqe;

	if (g->stuck)
		return;
	g->ticket[line] = g->r.tail;
	sqe = prep(&g->r, l->opcode, -1, NULL, 0, 0, l->user_data);
	sqe->flags = l->flags;
	sqe->op_flags = l->op_flags;
	g->ts[line] = to_ts(l->time);
	switch (l->opcode) {
	case ARING_OP_TIMEOUT:
	case ARING_OP_LINK_TIMEOUT:
		sqe->addr = (uintptr_t)&g->ts[line];
		sqe->len = 1;
		sqe->off = l->off;
		break;
	case ARING_OP_TIMEOUT_REMOVE:
		sqe->addr = p->line[l->target].user_data;
		if (l->op_flags & ARING_TIMEOUT_UPDATE)
			sqe->addr2 = (uintptr_t)&g->ts[line];
		break;
	case ARING_OP_ASYNC_CANCEL:
		rig_prep_cancel(g, sqe, l);
		break;
	case ARING_OP_VREAD:
	case ARING_OP_VWRITE:
		sqe->addr = (uintptr_t)g->buf[line];
		sqe->len = l->len;
		sqe->off = l->off;
		if (l->op_flags & ARING_VDEV_TIME)
			sqe->addr3 = l->time;
		for (unsigned int i = 0; i < PROG_BYTES; i++)
			g->buf[line][i] = l->opcode == ARING_OP_VWRITE ?
				prog_byte(line, i) : 0;
		break;
	}
}

static const struct machine RIG = {
	rig_sqe, rig_enter, rig_move, rig_now, rig_reap, NULL
};

static bool rig_init(struct rig *g, const struct prog *p)
{
	struct aring_params params = {
		.flags = p->setup_flags,
		.cq_entries = PROG_CQ,
		.first_index = p->first_index,
	};

	g->p = p;
	g->time = 0;
	g->stuck = false;
	g->broken = NULL;
	/* What is left out, or yet to come, has a ticket that nothing ever had. */
	for (unsigned int i = 0; i < PROG_LINES; i++)
		g->ticket[i] = p->first_index + 10 * PROG_OPS;
	if (ring_init_params(&g->r, DEVICE, PROG_SQ, &params))
		g->broken = "SETUP failed";
	else if (rig_clock(g, ARING_CLOCK_VIRTUAL, p->automatic ? ARING_CLOCK_AUTO : 0, 0))
		g->broken = "the ring gets no virtual clock";
	else if (ioctl(g->r.fd, ARING_IOC_VDEV, &p->vdev))
		g->broken = "the ring gets no device";
	return !g->broken;
}

/* Read the medium as the program's last request. */
static bool rig_read_medium(struct rig *g)
{
	struct aring_cqe cqe;

	if (g->stuck)
		return false;
	memset(g->medium, 0, PROG_MEDIUM);
	prep(&g->r, ARING_OP_VREAD, -1, g->medium, g->p->vdev.size, 0, ~0ULL);
	if (g->p->automatic) {
		rig_enter(g, 1, 1, 100 * PROG_FAR);
	} else {
		rig_enter(g, 1, 0, 0);
		rig_move(g, LINE_ADVANCE, g->time + 100 * PROG_FAR);
	}
	return rig_reap(g, &cqe) && cqe.user_data == ~0ULL &&
	       cqe.res == (int)g->p->vdev.size;
}

/* ---- one program on both ------------------------------------------------- */

enum difference { SAME, HISTORY, MORE, READ, MEDIUM, BROKEN };

/* A line of the history that differs, or the line whose data does. */
static unsigned int where;

static void limit_time(unsigned int ms)
{
	struct itimerval t = {
		.it_value = { ms / 1000, ms % 1000 * 1000 },
	};

	setitimer(ITIMER_REAL, &t, NULL);
}

static bool same(const struct seen *a, const struct seen *b)
{
	return a->kind == b->kind && a->res == b->res && a->time == b->time &&
	       a->user_data == b->user_data && a->line == b->line;
}

static enum difference compare(const struct prog *p)
{
	for (where = 0; where < expected.nr && where < seen.nr; where++)
		if (!same(&expected.seen[where], &seen.seen[where]))
			return HISTORY;
	if (expected.nr != seen.nr)
		return MORE;
	for (where = 0; where < p->nr; where++)
		if (!p->off[where] && p->line[where].opcode == ARING_OP_VREAD &&
		    memcmp(sim.data[where], rig.buf[where], PROG_BYTES))
			return READ;
	return rig_read_medium(&rig) &&
	       !memcmp(sim.medium, rig.medium, p->vdev.size) ? SAME : MEDIUM;
}

static enum difference run_both(struct prog *p, unsigned int ms)
{
	enum difference d = BROKEN;

	sim_init(&sim, p);
	prog_run(p, &SIM, &sim, &expected);
	limit_time(ms);
	if (rig_init(&rig, p)) {
		prog_run(p, &RIG, &rig, &seen);
		d = compare(p);
	}
	limit_time(0);
	ring_exit(&rig.r);
	return d;
}

/* ---- what differs -------------------------------------------------------- */

static void print_seen(const struct prog *p, const char *whose, const struct history *h)
{
	const struct seen *s = &h->seen[where];
	char line[24] = "behind the last line";

	if (where >= h->nr) {
		printf("# %s: nothing more\n", whose);
		return;
	}
	if (s->line < p->nr)
		snprintf(line, sizeof(line), "line %u", s->line);
	if (s->kind == SEEN_CQE)
		printf("# %s: in %s CQE of %llu, result %d, at %llu\n", whose, line,
		       s->user_data, s->res, s->time);
	else
		printf("# %s: in %s %s gives %d, at %llu\n", whose, line,
		       s->kind == SEEN_ENTER ? "ENTER" : "CLOCK", s->res, s->time);
}

static void print_difference(const struct prog *p, enum difference d)
{
	switch (d) {
	case SAME:
		break;
	case HISTORY:
	case MORE:
		print_seen(p, "the model", &expected);
		print_seen(p, "the ring ", &seen);
		break;
	case READ:
		printf("# the data that line %u has read differs\n", where);
		break;
	case MEDIUM:
		printf("# the data on the medium differs, or cannot be read\n");
		break;
	case BROKEN:
		printf("# %s\n", rig.broken);
	}
}

/* Leave lines out as long as it still differs. */
static void shrink(struct prog *p)
{
	unsigned int limit = 1000 * test_slow(), last = p->nr, part;
	static bool before[PROG_LINES];
	__u64 end = now_ns() + ms(1000ULL * SHRINK_SECONDS);
	bool progress = true;

	/* Nothing behind what differs is needed. */
	if (where < seen.nr && seen.seen[where].line < last)
		last = seen.seen[where].line + 1;
	memcpy(before, p->off, sizeof(before));
	memset(p->off + last, true, p->nr - last);
	if (run_both(p, limit) == SAME) {
		memcpy(p->off, before, sizeof(before));
		last = p->nr;
	}
	for (part = last; part && now_ns() < end; part = progress && part == 1 ? 1 : part / 2) {
		progress = false;
		for (unsigned int i = 0; i < last && now_ns() < end; i += part) {
			unsigned int n = i + part < last ? part : last - i;

			memcpy(before, p->off, sizeof(before));
			memset(p->off + i, true, n);
			if (!memcmp(before, p->off, sizeof(before)))
				continue;
			if (run_both(p, limit) == SAME)
				memcpy(p->off, before, sizeof(before));
			else
				progress = true;
		}
	}
}

/* Say all that is known of a program that differs. */
static void report(struct prog *p, enum difference d)
{
	unsigned int limit = 10000 * test_slow();

	printf("# seed %llu differs (ARING_TEST_SEED=%llu repeats it)\n", p->seed, p->seed);
	print_difference(p, d);
	if (d == BROKEN)
		return;
	if (run_both(p, limit) == SAME) {
		printf("# the same program did not differ again: it is not repeatable\n");
		return;
	}
	shrink(p);
	printf("# the shortest program that was found:\n");
	d = run_both(p, limit);
	prog_print(p);
	print_difference(p, d);
}

static void interrupted(int sig)
{
	(void)sig;
}

FIXTURE(model) {
};

FIXTURE_VARIANT(model) {
	unsigned int variant;		/* which of six seeds in a row */
};

FIXTURE_VARIANT_ADD(model, manual_unordered) {
	.variant = 0,
};

FIXTURE_VARIANT_ADD(model, automatic_unordered) {
	.variant = 1,
};

FIXTURE_VARIANT_ADD(model, manual_completion_order) {
	.variant = 2,
};

FIXTURE_VARIANT_ADD(model, automatic_completion_order) {
	.variant = 3,
};

FIXTURE_VARIANT_ADD(model, manual_submission_order) {
	.variant = 4,
};

FIXTURE_VARIANT_ADD(model, automatic_submission_order) {
	.variant = 5,
};

FIXTURE_SETUP(model)
{
	/* A call that hangs is interrupted, and not begun again. */
	struct sigaction sa = { .sa_handler = interrupted };

	ASSERT_EQ(0, sigaction(SIGALRM, &sa, NULL));
	rig.buf = mmap(NULL, PROG_LINES * PROG_BYTES + PROG_MEDIUM,
		       PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, (void *)rig.buf);
	rig.medium = rig.buf[PROG_LINES];
}

FIXTURE_TEARDOWN(model)
{
}

TEST_F_TIMEOUT(model, agrees_with_the_ring, 900)
{
	const char *one = getenv("ARING_TEST_SEED");
	const char *full = getenv("ARING_TEST_FULL");
	unsigned long nr = full && *full ? SEEDS_FULL : test_scale(SEEDS, 12);
	unsigned long seed = variant->variant, done = 0;
	enum difference d = SAME;
	__u64 start = now_ns();

	if (one && *one) {
		seed = strtoul(one, NULL, 0);
		if (seed % PROG_VARIANTS != variant->variant)
			SKIP(return, "the seed is of another variant");
		nr = seed + 1;
	}
	for (; d == SAME && seed < nr; seed += PROG_VARIANTS) {
		prog_make(&prog, seed);
		d = run_both(&prog, 10000 * test_slow());
		done++;
	}
	printf("# %lu programs of %d operations, %.1f ms each\n", done, PROG_OPS,
	       (now_ns() - start) / 1e6 / done);
	if (d != SAME)
		report(&prog, d);
	ASSERT_EQ(SAME, d);
}

RING_TEST_MAIN
