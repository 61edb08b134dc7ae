// SPDX-License-Identifier: MIT
/*
 * Each interleaving of a request's life with what may end it: it is brought to a
 * state and kept there, by the rules of steering and a virtual clock that nobody
 * moves; then a cancel comes, or its LINK_TIMEOUT fires, or what it waits for
 * happens. Nothing here depends on timing.
 *
 * The tests are made from tables: points (a state, and how a request is kept in
 * it) times events times operations. A state that is added to state.h and has no
 * point, or a combination that is neither tested nor impossible for a reason,
 * is a failure.
 */
#include "ring.h"

#include <poll.h>
#include <stdbool.h>
#include <sys/socket.h>

#include "../kmod/state.h"

#define OWN		INT_MAX		/* the result of the operation itself */

/* user_data */
enum { TARGET = 100, BY_TIME, BY_CANCEL, BEFORE, BLOCKER };

/* ns; what is limited to LIMIT is in a state that takes longer, or is over */
#define LIMIT		50
#define TAKES		100
#define BLOCKS		1000
#define LATE_LIMIT	5000

static const char *const STATE[] = {
	[ARING_SUBMITTED] = "submitted",
	[ARING_QUEUED] = "queued",
	[ARING_STARTED] = "started",
	[ARING_DONE] = "done",
	[ARING_CANCELLED] = "cancelled",
};

_Static_assert(ARRAY_SIZE(STATE) == ARING_NR_STATES,
	       "a state of state.h is missing here, and needs points below");

/* ---- where a request is met ---------------------------------------------- */

static const struct point {
	const char *name;
	enum aring_state state;
	enum aring_action keeps;	/* the rule that keeps it there */
	bool over;			/* a result of its own is final there */
} POINT[] = {
	{ "SUBMITTED", ARING_SUBMITTED, ARING_ACT_HOLD_QUEUED, false },
	{ "QUEUED", ARING_QUEUED, ARING_ACT_NONE, false },
	{ "QUEUED_held", ARING_QUEUED, ARING_ACT_HOLD_STARTED, false },
	{ "QUEUED_for_a_cancel", ARING_QUEUED, ARING_ACT_CANCEL_WINS, false },
	{ "STARTED", ARING_STARTED, ARING_ACT_NONE, false },
	{ "STARTED_held", ARING_STARTED, ARING_ACT_HOLD_DONE, true },
	{ "STARTED_as_a_cancel_comes", ARING_STARTED, ARING_ACT_CANCEL_LOSES, false },
	{ "DONE", ARING_DONE, ARING_ACT_NONE, true },
	{ "CANCELLED", ARING_CANCELLED, ARING_ACT_HOLD_STARTED, false },
};

#define POINTS		ARRAY_SIZE(POINT)

/* Does somebody hold it, so that it has to be released? */
static bool is_held(const struct point *p)
{
	return p->keeps != ARING_ACT_NONE && p->keeps != ARING_ACT_CANCEL_LOSES &&
	       p->state != ARING_CANCELLED;
}

/* ---- what happens to it -------------------------------------------------- */

enum event { CANCEL, TIME_LIMIT, COMPLETION, EVENTS };

static const char *const EVENT[] = { "cancel", "timeout", "completion" };

/* What who ended it is told, and what it says itself. */
static const struct outcome {
	int answer, target;
} OUTCOME[EVENTS][ARING_NR_STATES] = {
	[CANCEL] = {
		[ARING_SUBMITTED] = { 0, -ECANCELED },
		[ARING_QUEUED] = { 0, -ECANCELED },
		[ARING_STARTED] = { -EALREADY, OWN },
		[ARING_DONE] = { -ENOENT, OWN },
		[ARING_CANCELLED] = { -ENOENT, -ECANCELED },
	},
	[TIME_LIMIT] = {
		[ARING_SUBMITTED] = { -ETIME, -ECANCELED },
		[ARING_QUEUED] = { -ETIME, -ECANCELED },
		[ARING_STARTED] = { -EALREADY, OWN },
		[ARING_DONE] = { -ECANCELED, OWN },
		[ARING_CANCELLED] = { -ECANCELED, -ECANCELED },
	},
	[COMPLETION] = {
		[ARING_SUBMITTED] = { 0, OWN },
		[ARING_QUEUED] = { 0, OWN },
		[ARING_STARTED] = { 0, OWN },
		[ARING_DONE] = { 0, OWN },
		[ARING_CANCELLED] = { 0, -ECANCELED },
	},
};

/* ---- what is done -------------------------------------------------------- */

/* What it waits for: nothing, the clock, or a byte from a peer. */
enum awaits { NOTHING, CLOCK, PEER };

static const struct operation {
	const char *name;
	__u8 opcode, flags;
	enum awaits awaits;
	int res;
} OP[] = {
	{ "nop", ARING_OP_NOP, 0, NOTHING, 0 },
	{ "vread", ARING_OP_VREAD, 0, CLOCK, 8 },
	{ "file_read", ARING_OP_READ, ARING_SQE_ASYNC, NOTHING, 8 },
	{ "pipe_read", ARING_OP_READ, 0, PEER, 1 },
	{ "recv", ARING_OP_RECV, 0, PEER, 1 },
	{ "timeout", ARING_OP_TIMEOUT, 0, CLOCK, -ETIME },
	{ "poll", ARING_OP_POLL_ADD, 0, PEER, POLLIN },
};

#define OPS		ARRAY_SIZE(OP)

/* ---- one combination ----------------------------------------------------- */

struct combination {
	enum event event;
	const struct point *point;
	const struct operation *op;
};

/* Why it cannot be, or NULL. */
static const char *impossible(const struct combination *c)
{
	const struct point *p = c->point;

	if (p->keeps == ARING_ACT_NONE && p->state == ARING_QUEUED &&
	    c->op->awaits == NOTHING)
		return "it waits for nothing of itself; that it can be held there is tested";
	if (p->keeps == ARING_ACT_NONE && p->state == ARING_STARTED &&
	    c->op->opcode != ARING_OP_VREAD)
		return "only a device is at it for a time; that it can be held there is tested";
	if (p->keeps == ARING_ACT_CANCEL_LOSES && c->event != CANCEL)
		return "the rule is about a cancel";
	if (p->keeps == ARING_ACT_CANCEL_LOSES && c->op->awaits == NOTHING)
		return "it is over before a cancel comes, unless it is held";
	if (c->event == COMPLETION && c->op->awaits == NOTHING &&
	    (p->state == ARING_DONE || p->state == ARING_CANCELLED))
		return "there is nothing that could happen to it once more";
	return NULL;
}

static struct outcome outcome_of(const struct combination *c)
{
	struct outcome o = OUTCOME[c->event][c->point->state];

	/* It was about to look whether there is something, and gives in. */
	if (c->point->keeps == ARING_ACT_CANCEL_LOSES && c->op->awaits == PEER)
		o.target = -ECANCELED;
	if (o.target == OWN)
		o.target = c->op->res;
	return o;
}

/**
 * struct life - one test
 * @r: a ring on a virtual clock that is moved by hand, with a device of one channel
 * @c: what is tested
 * @fd: of the target; for a peer @fd[1] is its end
 * @buf: of the target
 * @ticket: of the target
 * @takes: the time of a TIMEOUT
 * @limit: the time of its LINK_TIMEOUT
 * @now: on the clock
 * @seen: CQEs so far of each user_data
 * @res: their results
 * @order: how many CQEs of all there were before
 * @nr_seen: in all
 * @fed: bytes from the peer
 */
struct life {
	struct ring r;
	const struct combination *c;
	int fd[2];
	char buf[8];
	__u32 ticket;
	struct __kernel_timespec takes, limit;
	__u64 now;
	unsigned int seen[BLOCKER + 1], order[BLOCKER + 1], nr_seen;
	int res[BLOCKER + 1];
	unsigned int fed;
};

static int clock_call(struct life *l, __u32 cmd, __u64 time)
{
	struct aring_clock c = { .cmd = cmd, .time = time };

	if (ioctl(l->r.fd, ARING_IOC_CLOCK, &c))
		return -errno;
	l->now = c.time;
	return 0;
}

static int steer_call(struct life *l, struct aring_steer s)
{
	return ioctl(l->r.fd, ARING_IOC_STEER, &s) ? -errno : (int)s.nr;
}

/* Let the ring do what it can at this instant, and reap. */
static void look(struct __test_metadata *_metadata, struct life *l)
{
	struct aring_cqe cqe;

	ASSERT_EQ(0, ring_enter(&l->r, 0, 0, ARING_ENTER_GETEVENTS, NULL, 0));
	while (ring_reap(&l->r, &cqe)) {
		ASSERT_GE(cqe.user_data, TARGET);
		ASSERT_LE(cqe.user_data, BLOCKER);
		EXPECT_EQ(0, cqe.flags);
		l->seen[cqe.user_data]++;
		l->res[cqe.user_data] = cqe.res;
		l->order[cqe.user_data] = l->nr_seen++;
	}
}

/* Workers and wake-ups take real time: give them what they need, and some. */
static bool look_for(struct __test_metadata *_metadata, struct life *l, int user_data)
{
	__u64 end = now_ns() + ms(10000) * test_slow();

	for (look(_metadata, l); !l->seen[user_data] && now_ns() < end; look(_metadata, l))
		usleep(200);
	return l->seen[user_data];
}

static void look_quietly(struct __test_metadata *_metadata, struct life *l)
{
	for (int i = 0; i < 5; i++) {
		look(_metadata, l);
		usleep(500);
	}
}

/* Is the target held, and where? */
static int held_at(struct life *l)
{
	struct aring_held held = { 0 };
	int nr = steer_call(l, (struct aring_steer) {
		.cmd = ARING_STEER_HELD, .nr = 1, .addr = (uintptr_t)&held });

	return nr == 1 && held.user_data == TARGET && held.ticket == l->ticket ?
	       held.at : nr < 0 ? nr : 0;
}

/* In which state it is, as fdinfo says; nothing if it is over. */
static bool is_in_state(struct life *l, const char *state)
{
	char path[64], text[8192], want[64];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", l->r.fd);
	snprintf(want, sizeof(want), "user_data=%d, state=%s", TARGET, state);
	fd = open(path, O_RDONLY);
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[n > 0 ? n : 0] = 0;
	return strstr(text, want);
}

/* What it waits for happens. */
static void feed(struct __test_metadata *_metadata, struct life *l)
{
	switch (l->c->op->awaits) {
	case NOTHING:
		break;
	case CLOCK:
		/* A transfer that has to wait for the blocker as well. */
		ASSERT_EQ(0, clock_call(l, ARING_CLOCK_ADVANCE, BLOCKS + TAKES));
		break;
	case PEER:
		ASSERT_EQ(1, write(l->fd[1], "x", 1));
		l->fed++;
		break;
	}
}

static struct aring_sqe *prep_vread(struct life *l, void *buf, __u64 takes, __u64 ud)
{
	struct aring_sqe *s = prep(&l->r, ARING_OP_VREAD, -1, buf, 8, 0, ud);

	s->vdev_flags = ARING_VDEV_TIME;
	s->addr3 = takes;
	return s;
}

static void open_files(struct __test_metadata *_metadata, struct life *l)
{
	l->fd[0] = -1;
	switch (l->c->op->opcode) {
	case ARING_OP_READ:
		if (l->c->op->awaits == PEER)
			break;
		l->fd[0] = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
		ASSERT_GE(l->fd[0], 0);
		ASSERT_EQ(8, write(l->fd[0], "contents", 8));
		return;
	case ARING_OP_RECV:
		ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, l->fd));
		return;
	case ARING_OP_POLL_ADD:
		break;
	default:
		return;
	}
	ASSERT_EQ(0, pipe(l->fd));
}

static void submit_target(struct __test_metadata *_metadata, struct life *l)
{
	const struct operation *op = l->c->op;
	struct aring_sqe *s;

	l->ticket = l->r.tail;
	switch (op->opcode) {
	case ARING_OP_VREAD:
		s = prep_vread(l, l->buf, TAKES, TARGET);
		break;
	case ARING_OP_TIMEOUT:
		s = prep_timeout(&l->r, &l->takes, 0, 0, TARGET);
		break;
	default:
		s = prep(&l->r, op->opcode, l->fd[0], l->buf, op->res, 0, TARGET);
		if (op->opcode != ARING_OP_POLL_ADD)
			break;
		s->addr = 0;
		s->len = 0;
		s->poll32_events = POLLIN;
	}
	s->flags = op->flags;
	if (l->c->event == TIME_LIMIT) {
		s->flags |= ARING_SQE_IO_LINK;
		prep(&l->r, ARING_OP_LINK_TIMEOUT, -1, &l->limit, 1, 0, BY_TIME);
	}
	ASSERT_EQ(1 + (l->c->event == TIME_LIMIT), ring_submit(&l->r));
}

static void submit_cancel(struct __test_metadata *_metadata, struct life *l, int ud)
{
	prep_cancel(&l->r, TARGET, 0, ud);
	ASSERT_EQ(1, ring_submit(&l->r));
	ASSERT_TRUE(look_for(_metadata, l, ud));
}

static void set_rule(struct __test_metadata *_metadata, struct life *l)
{
	struct aring_rule rule = {
		.match = ARING_MATCH_USER_DATA,
		.action = l->c->point->keeps,
		.user_data = TARGET,
		.mask = ~0ULL,
		.first = 1,
	};

	if (rule.action == ARING_ACT_NONE)
		return;
	ASSERT_LE(0, steer_call(l, (struct aring_steer) {
		.cmd = ARING_STEER_ADD, .nr = 1, .addr = (uintptr_t)&rule }));
}

static void set_up(struct __test_metadata *_metadata, struct life *l)
{
	const struct aring_vdev device = { .size = 4096, .channels = 1 };
	static char unused[8];

	ASSERT_EQ(0, ring_init(&l->r, DEVICE, 64, 0));
	ASSERT_EQ(0, clock_call(l, ARING_CLOCK_VIRTUAL, 0));
	ASSERT_EQ(0, ioctl(l->r.fd, ARING_IOC_VDEV, &device));
	open_files(_metadata, l);
	l->takes = to_ts(TAKES);
	l->limit = to_ts(l->c->point->over ? LATE_LIMIT : LIMIT);
	set_rule(_metadata, l);
	if (l->c->op->opcode == ARING_OP_VREAD && l->c->point->state == ARING_QUEUED) {
		prep_vread(l, unused, BLOCKS, BLOCKER);
		ASSERT_EQ(1, ring_submit(&l->r));
		/* Finishes the instant: the channel takes it. */
		ASSERT_EQ(0, clock_call(l, ARING_CLOCK_ADVANCE, 0));
	}
}

/* From where it was submitted to where it is to be met. */
static void bring(struct __test_metadata *_metadata, struct life *l)
{
	const struct point *p = l->c->point;
	__u64 end = now_ns() + ms(10000) * test_slow();

	if (p->state == ARING_CANCELLED) {
		submit_cancel(_metadata, l, BEFORE);
		ASSERT_EQ(0, l->res[BEFORE]);
		return;
	}
	if (p->over)
		feed(_metadata, l);
	if (p->state == ARING_DONE) {
		ASSERT_TRUE(look_for(_metadata, l, TARGET));
		return;
	}
	/* The channel takes it. */
	if (p->state == ARING_STARTED && p->keeps == ARING_ACT_NONE)
		ASSERT_EQ(0, clock_call(l, ARING_CLOCK_ADVANCE, LIMIT / 2));
	while (is_held(p) && held_at(l) != (int)p->keeps && now_ns() < end) {
		look(_metadata, l);
		usleep(200);
	}
	if (is_held(p))
		ASSERT_EQ(p->keeps, held_at(l));
	/* Where the cancel makes it STARTED it is not yet. */
	if (p->keeps != ARING_ACT_CANCEL_LOSES)
		EXPECT_TRUE(is_in_state(l, STATE[p->state]));
	look_quietly(_metadata, l);
	EXPECT_EQ(0, l->seen[TARGET]);
}

static void happen(struct __test_metadata *_metadata, struct life *l)
{
	switch (l->c->event) {
	case CANCEL:
		submit_cancel(_metadata, l, BY_CANCEL);
		break;
	case TIME_LIMIT:
		ASSERT_EQ(0, clock_call(l, ARING_CLOCK_TO,
					l->c->point->over ? 2 * LATE_LIMIT : LIMIT));
		break;
	default:
		feed(_metadata, l);
	}
}

/* It is held still, or has been waiting, and its own result is to come. */
static void let_go(struct __test_metadata *_metadata, struct life *l)
{
	const struct point *p = l->c->point;

	if (is_held(p)) {
		look_quietly(_metadata, l);
		EXPECT_EQ(0, l->seen[TARGET]);
		ASSERT_EQ(p->keeps, held_at(l));
		ASSERT_LE(0, steer_call(l, (struct aring_steer) {
			.cmd = ARING_STEER_RELEASE, .ticket = l->ticket }));
		look(_metadata, l);
		/* Its time begins now. */
		if (!p->over && l->c->op->awaits == CLOCK) {
			EXPECT_EQ(0, l->seen[TARGET]);
			feed(_metadata, l);
		}
	} else if (l->c->event != COMPLETION && !l->seen[TARGET]) {
		feed(_metadata, l);
	}
}

/* Exactly one CQE of each, and what is not taken is there still. */
static void judge(struct __test_metadata *_metadata, struct life *l)
{
	struct outcome o = outcome_of(l->c);
	int answer = l->c->event == CANCEL ? BY_CANCEL : BY_TIME;
	bool blocked = l->c->op->opcode == ARING_OP_VREAD &&
		       l->c->point->state == ARING_QUEUED;
	unsigned int left = l->fed;
	char b;

	EXPECT_EQ(1, l->seen[TARGET]);
	EXPECT_EQ(o.target, l->res[TARGET]);
	EXPECT_EQ(l->c->event == CANCEL, l->seen[BY_CANCEL]);
	EXPECT_EQ(l->c->event == TIME_LIMIT, l->seen[BY_TIME]);
	EXPECT_EQ(l->c->point->state == ARING_CANCELLED, l->seen[BEFORE]);
	EXPECT_EQ(blocked, l->seen[BLOCKER]);
	if (l->c->event != COMPLETION)
		EXPECT_EQ(o.answer, l->res[answer]);
	if (l->c->event == CANCEL && o.answer == -ENOENT)
		EXPECT_LT(l->order[TARGET], l->order[BY_CANCEL]);
	if (l->c->op->opcode == ARING_OP_READ && l->c->op->awaits == NOTHING && o.target > 0)
		EXPECT_EQ(0, memcmp(l->buf, "contents", 8));
	if (l->c->op->awaits != PEER)
		return;
	if (o.target == 1 && l->c->op->opcode != ARING_OP_POLL_ADD) {
		EXPECT_EQ('x', l->buf[0]);
		left--;
	}
	ASSERT_EQ(0, fcntl(l->fd[0], F_SETFL, O_NONBLOCK));
	while (read(l->fd[0], &b, 1) == 1)
		left--;
	EXPECT_EQ(0, left);
}

static void live(struct __test_metadata *_metadata, struct life *l)
{
	set_up(_metadata, l);
	submit_target(_metadata, l);
	bring(_metadata, l);
	happen(_metadata, l);
	if (outcome_of(l->c).target != -ECANCELED)
		let_go(_metadata, l);
	EXPECT_TRUE(look_for(_metadata, l, TARGET));
	/* Whatever else there might be has had its time then. */
	ASSERT_EQ(0, clock_call(l, ARING_CLOCK_ADVANCE, 10 * LATE_LIMIT));
	look_quietly(_metadata, l);
	EXPECT_EQ(0, steer_call(l, (struct aring_steer) { .cmd = ARING_STEER_HELD }));
	judge(_metadata, l);
}

/* ---- the list ------------------------------------------------------------ */

static struct test {
	struct combination c;
	struct __test_metadata meta;
} test[EVENTS * POINTS * OPS];

static void run_one(struct __test_metadata *_metadata,
		    struct __fixture_variant_metadata *variant)
{
	struct test *t = (void *)((char *)_metadata - offsetof(struct test, meta));
	struct life l = { .c = &t->c };

	(void)variant;
	_metadata->setup_completed = true;
	if (setjmp(_metadata->env) == 0)
		live(_metadata, &l);
	__test_check_assert(_metadata);
}

/*
 * Every combination that is possible becomes a test of its own, if its name
 * contains @wanted.
 */
static void make_list(const char *wanted)
{
	static struct __fixture_metadata fixture[EVENTS][POINTS];
	static char name[EVENTS][POINTS][64];
	struct test *t = test;

	for (unsigned int e = 0; e < EVENTS; e++) {
		for (unsigned int p = 0; p < POINTS; p++) {
			struct __fixture_metadata *f = &fixture[e][p];

			snprintf(name[e][p], sizeof(name[e][p]), "interleave.%s_vs_%s",
				 EVENT[e], POINT[p].name);
			f->name = name[e][p];
			__register_fixture(f);
			for (unsigned int o = 0; o < OPS; o++, t++) {
				t->c = (struct combination) { e, &POINT[p], &OP[o] };
				if (impossible(&t->c) ||
				    (!strstr(f->name, wanted) && !strstr(OP[o].name, wanted)))
					continue;
				t->meta = (struct __test_metadata) {
					.name = OP[o].name, .fn = run_one, .fixture = f,
					.termsig = -1,
					.timeout = TEST_TIMEOUT_DEFAULT * test_slow(),
				};
				__register_test(&t->meta);
			}
		}
	}
}

/* Each event meets each operation in each state, or there is a reason. */
TEST(has_every_state)
{
	bool met[EVENTS][ARING_NR_STATES][OPS] = { 0 };
	unsigned int tested = 0, left_out = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(test); i++) {
		const struct combination *c = &test[i].c;
		const char *why = impossible(c);

		if (why) {
			printf("# not possible: %s vs %s of %s: %s\n", EVENT[c->event],
			       c->point->name, c->op->name, why);
			left_out++;
			continue;
		}
		met[c->event][c->point->state][c->op - OP] = true;
		tested++;
	}
	printf("# %u interleavings are tested, %u are not possible\n", tested, left_out);
	for (unsigned int s = 0; s < ARING_NR_STATES; s++) {
		unsigned int points = 0;

		for (unsigned int p = 0; p < POINTS; p++)
			points += POINT[p].state == s;
		CHECK_NE(0, points, "no point has the state %s", STATE[s]);
		for (unsigned int e = 0; e < EVENTS; e++)
			for (unsigned int o = 0; o < OPS; o++)
				if (!met[e][s][o])
					CHECK_EQ(NOTHING, OP[o].awaits,
						 "%s vs %s of %s is not tested", EVENT[e],
						 STATE[s], OP[o].name);
	}
}

static void __attribute__((constructor)) __constructor_order_last(void)
{
	if (!__constructor_order)
		__constructor_order = _CONSTRUCTOR_ORDER_BACKWARD;
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	make_list(argc > 1 ? argv[1] : "");
	return test_harness_run(argc, argv);
}
