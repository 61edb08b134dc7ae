// SPDX-License-Identifier: MIT
/*
 * The reference model of selftests/model.c against what must hold of it whatever
 * a program does: one completion of each request, none before its time, in the
 * order that the ring promises; the same program, the same history. So it is of
 * the programs with lines left out, which are what a failing one shrinks to.
 */
#include <stddef.h>
#include <kselftest.h>
#include "../model_sim.h"

#define SEEDS	600

static struct prog prog;
static struct sim sim;
static struct history history, again;
static __u64 taken[PROG_LINES];		/* when the SQE of a line was submitted */
static bool updated[PROG_LINES];	/* a TIMEOUT that may have got another time */
static const char *wrong;
static unsigned int wrong_line;

static bool bad(const char *what, unsigned int line)
{
	wrong = what;
	wrong_line = line;
	return false;
}

/* Each line names itself, so that a CQE tells whose it is. */
static void name_lines(struct prog *p)
{
	memset(updated, 0, sizeof(updated));
	for (unsigned int i = 0; i < p->nr; i++)
		p->line[i].user_data = i;
	for (unsigned int i = 0; i < p->nr; i++)
		if (p->line[i].op_flags & ARING_TIMEOUT_UPDATE &&
		    p->line[i].opcode == ARING_OP_TIMEOUT_REMOVE)
			updated[p->line[i].target] = true;
}

static void note_sqe(void *m, const struct prog *p, unsigned int line)
{
	taken[line] = sim_now(m);
	sim_sqe(m, p, line);
}

static bool in_time(const struct seen *cqe)
{
	const struct line *l = &prog.line[cqe->user_data];
	__u64 least = taken[cqe->user_data];

	if (l->opcode == ARING_OP_TIMEOUT && cqe->res == -ETIME &&
	    !updated[cqe->user_data])
		least = l->op_flags & ARING_TIMEOUT_ABS ? (__u64)l->time : least + l->time;
	else if (sim_is_transfer(l) && cqe->res > 0)
		least += l->op_flags & ARING_VDEV_TIME ? (__u64)l->time : prog.vdev.base;
	return cqe->time >= least;
}

static bool check(void)
{
	static bool seen[PROG_LINES];
	unsigned int i, cqes = 0;
	__u64 time = 0;
	__u32 ticket = 0;

	memset(seen, 0, sizeof(seen));
	for (i = 0; i < history.nr; i++) {
		const struct seen *h = &history.seen[i];
		struct sim_req *req;

		if (h->time < time)
			return bad("time goes backwards", h->line);
		time = h->time;
		if (h->kind != SEEN_CQE)
			continue;
		req = sim.of_line[h->user_data];
		if (!req || seen[h->user_data])
			return bad("a second completion", h->user_data);
		seen[h->user_data] = true;
		cqes++;
		if (!in_time(h))
			return bad("a completion before its time", h->user_data);
		if ((prog.setup_flags & ARING_SETUP_SUBMISSION_ORDER) && req->nr < ticket)
			return bad("a completion ahead of its predecessor's", h->user_data);
		ticket = req->nr;
	}
	for (i = 0; i < sim.nr; i++) {
		const struct sim_req *req = &sim.req[i];
		unsigned int line = req->line - prog.line;

		if (req->state != SIM_OVER)
			return bad("never over", line);
		if (!seen[line] && (!(req->flags & ARING_SQE_CQE_SKIP_SUCCESS) || req->failed))
			return bad("no completion", line);
	}
	return cqes == sim.posted || bad("completions were lost", prog.nr);
}

static bool run(struct history *h)
{
	struct machine on = SIM;

	on.sqe = note_sqe;
	sim_init(&sim, &prog);
	prog_run(&prog, &on, &sim, h);
	return true;
}

static bool try_seed(__u64 seed)
{
	__u64 state = seed;

	prog_make(&prog, seed);
	name_lines(&prog);
	for (unsigned int part = 0; part < 3; part++) {
		run(&history);
		if (!check())
			return false;
		run(&again);
		if (history.nr != again.nr ||
		    memcmp(history.seen, again.seen, history.nr * sizeof(history.seen[0])))
			return bad("not the same history again", prog.nr);
		for (unsigned int i = 0; i < prog.nr; i++) {
			state = state * 6364136223846793005ULL + 1442695040888963407ULL;
			prog.off[i] = state >> 62 == 0;
		}
	}
	return true;
}

int main(void)
{
	const char *one = getenv("ARING_TEST_SEED");
	__u64 first = one ? strtoull(one, NULL, 0) : 0;
	__u64 nr = one ? 1 : SEEDS, seed;

	ksft_print_header();
	ksft_set_plan(1);
	for (seed = first; seed < first + nr; seed++)
		if (!try_seed(seed))
			break;
	if (wrong)
		ksft_print_msg("seed %llu, line %u: %s\n", (unsigned long long)seed,
			       wrong_line, wrong);
	ksft_test_result(!wrong, "model_self: the reference model keeps its promises\n");
	ksft_finished();
}
