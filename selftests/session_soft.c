// SPDX-License-Identifier: MIT
/*
 * What sessions make late, lost or full: nothing hangs by it, each request has
 * exactly one completion, and cancels are answered as they are to be. And the
 * virtual clock of a process.
 */
#include "session.h"

SESSION_FIXTURE(session_soft);

#define LINES	4096

static struct aring_deviation lines[LINES];

/* Reap @n completions one by one; each user_data below @n comes once. */
static void see_all(struct __test_metadata *_metadata, struct ring *r, int n,
		    int *order)
{
	bool seen[1024] = { false };
	struct aring_cqe cqe;

	for (int i = 0; i < n; i++) {
		NEED_EQ(0, ring_cqe(r, &cqe), "completion %d of %d", i + 1, n);
		NEED_TRUE(cqe.user_data < (__u64)n && !seen[cqe.user_data],
			  "completion %d: %llu", i, cqe.user_data);
		seen[cqe.user_data] = true;
		if (order)
			order[i] = cqe.user_data;
	}
	EXPECT_FALSE(ring_reap(r, &cqe));
}

TEST_F(session_soft, completions_change_places)
{
	const struct aring_chaos chaos = { .seed = 1, .reorder = 16 };
	int order[60], fd, moved = 0, back = 0, nr;
	struct ring r;

	fd = session_of(&r, &chaos);
	ASSERT_GE(fd, 0);
	for (int i = 0; i < 60; i++)
		prep_nop(&r, i);
	ASSERT_EQ(60, ring_submit(&r));
	see_all(_metadata, &r, 60, order);
	for (int i = 0; i < 60; i++) {
		moved += order[i] != i;
		back += i && order[i] < order[i - 1];
	}
	EXPECT_GE(moved, 30);
	EXPECT_GE(back, 10);
	nr = session_log(fd, lines, LINES);
	EXPECT_GE(nr, 40);
	for (int i = 0; i < nr; i++) {
		EXPECT_EQ(ARING_ACT_AFTER, lines[i].action);
		EXPECT_EQ(ARING_DEV_DONE, lines[i].flags);
	}
	ring_exit(&r);
	close(fd);
}

TEST_F(session_soft, nobody_waits_for_a_successor_that_does_not_come)
{
	const struct aring_chaos chaos = { .seed = 2, .reorder = 16 };
	struct ring r;
	int fd = session_of(&r, &chaos);

	ASSERT_GE(fd, 0);
	for (int i = 0; i < 50; i++) {
		prep_nop(&r, i);
		CHECK_EQ(0, ring_run(&r), "no. %d", i);
	}
	ring_exit(&r);
	close(fd);
}

TEST_F(session_soft, delays)
{
	const struct aring_chaos chaos = {
		.seed = 3, .delay_min = ms(30), .delay_max = ms(40),
	};
	struct ring r;
	int fd = session_of(&r, &chaos);
	__u64 start = now_ns();

	ASSERT_GE(fd, 0);
	for (int i = 0; i < 32; i++)
		prep_nop(&r, i);
	ASSERT_EQ(32, ring_submit(&r));
	see_all(_metadata, &r, 32, NULL);
	EXPECT_GE(now_ns() - start, ms(30));
	EXPECT_EQ(32, session_log(fd, lines, LINES));
	for (int i = 0; i < 32; i++)
		EXPECT_TRUE(lines[i].value >= ms(30) &&
			    lines[i].value <= ms(40));
	ring_exit(&r);
	close(fd);
}

/* What is submitted behind a drain is not to overtake it. */
TEST_F(session_soft, drains_are_not_late)
{
	const struct aring_chaos chaos[] = {
		{ .seed = 4, .delay_min = ms(1), .delay_max = ms(2) },
		{ .seed = 5, .reorder = 16 },
	};

	for (int k = 0; k < 2; k++) {
		struct ring r;
		int fd = session_of(&r, &chaos[k]), late;

		ASSERT_GE(fd, 0);
		for (int i = 0; i < 60; i++)
			prep_nop(&r, i)->flags = i % 3 ? 0 : ARING_SQE_IO_DRAIN;
		ASSERT_EQ(60, ring_submit(&r));
		see_all(_metadata, &r, 60, NULL);
		late = session_log(fd, lines, LINES);
		EXPECT_GE(late, 20);
		for (int i = 0; i < late; i++)
			CHECK_TRUE(lines[i].number % 3, "ticket %llu",
				   (unsigned long long)lines[i].number);
		ring_exit(&r);
		close(fd);
	}
}

TEST_F(session_soft, a_cq_that_is_always_full)
{
	const struct aring_chaos chaos = { .cqfull_ppm = MILLION };
	struct ring r;
	int fd = session_of(&r, &chaos);

	ASSERT_GE(fd, 0);
	for (int i = 0; i < 32; i++)
		prep_nop(&r, i);
	ASSERT_EQ(32, ring_submit(&r));
	EXPECT_EQ(0, ring_ready(&r));
	EXPECT_TRUE(ring_sq_flags(&r) & ARING_SQ_CQ_OVERFLOW);
	see_all(_metadata, &r, 32, NULL);
	EXPECT_FALSE(ring_sq_flags(&r) & ARING_SQ_CQ_OVERFLOW);
	ring_exit(&r);
	close(fd);
}

/* What a cancel of 1 by 2 and its target say; RES_NONE for what did not come. */
static void cancel_and_see(struct ring *r, int *verdict, int *res)
{
	struct aring_cqe cqe;

	*verdict = *res = RES_NONE;
	prep_cancel(r, 1, 0, 2);
	ring_submit(r);
	for (int i = 0; i < 2; i++) {
		if (ring_cqe(r, &cqe))
			return;
		*(cqe.user_data == 2 ? verdict : res) = cqe.res;
	}
}

TEST_F(session_soft, cancels_lose)
{
	const struct aring_chaos chaos = {
		.level = ARING_LEVEL_LINUX, .cancel = ARING_CHAOS_CANCEL_LATE,
		.cancel_ppm = MILLION,
	};
	struct __kernel_timespec ts = to_ts(ms(1000000));
	int p[2], verdict, res, fd, nr;
	struct ring r;
	char buf[4];

	ASSERT_EQ(0, pipe(p));
	fd = session_of(&r, &chaos);
	ASSERT_GE(fd, 0);
	prep_read(&r, p[0], buf, 4, 0, 1);
	cancel_and_see(&r, &verdict, &res);
	EXPECT_EQ(-EALREADY, verdict);
	EXPECT_EQ(-ECANCELED, res);
	/* a timer would have to fire before its time */
	prep_timeout(&r, &ts, 0, 0, 1);
	cancel_and_see(&r, &verdict, &res);
	EXPECT_EQ(0, verdict);
	EXPECT_EQ(-ECANCELED, res);
	/* and one that nobody wants back */
	ASSERT_EQ(4, write(p[1], "abcd", 4));
	prep_read(&r, p[0], buf, 4, 0, 1);
	EXPECT_EQ(4, ring_run(&r));
	/* a cancel does not itself lose to another, as on Linux */
	nr = session_log(fd, lines, LINES);
	ASSERT_EQ(2, nr);
	for (int i = 0; i < nr; i++) {
		CHECK_EQ(ARING_ACT_CANCEL_LOSES, lines[i].action, "line %d", i);
		CHECK_EQ(i ? 0 : ARING_DEV_DONE, lines[i].flags, "line %d", i);
	}
	ring_exit(&r);
	close(fd);
}

TEST_F(session_soft, cancels_win)
{
	const struct aring_chaos chaos = {
		.cancel = ARING_CHAOS_CANCEL_EARLY, .cancel_ppm = MILLION,
	};
	int p[2], verdict, res, fd, nr;
	struct ring r;
	char buf[4];

	ASSERT_EQ(0, pipe(p));
	ASSERT_EQ(4, write(p[1], "abcd", 4));
	fd = session_of(&r, &chaos);
	ASSERT_GE(fd, 0);
	prep_nop(&r, 1);
	cancel_and_see(&r, &verdict, &res);
	EXPECT_EQ(0, verdict);
	EXPECT_EQ(-ECANCELED, res);
	/* it could have been read */
	prep_read(&r, p[0], buf, 4, 0, 1);
	cancel_and_see(&r, &verdict, &res);
	EXPECT_EQ(0, verdict);
	EXPECT_EQ(-ECANCELED, res);
	/* who waits for it does not wait for ever */
	prep_read(&r, p[0], buf, 4, 0, 1);
	EXPECT_EQ(4, ring_run(&r));
	nr = session_log(fd, lines, LINES);
	ASSERT_EQ(3, nr);
	for (int i = 0; i < nr; i++) {
		CHECK_EQ(ARING_ACT_CANCEL_WINS, lines[i].action, "line %d", i);
		CHECK_EQ(i < 2 ? ARING_DEV_DONE : 0, lines[i].flags, "line %d",
			 i);
	}
	ring_exit(&r);
	close(fd);
}

/* A ring of a session with these lines for a plan. */
static int plan_of(struct ring *r, const struct aring_deviation *plan, int nr)
{
	__u64 id;
	int fd = session_new(&id);

	if (fd >= 0 && (session_plan(fd, plan, nr) ||
			session_ring(r, id, 64, NULL))) {
		close(fd);
		fd = -1;
	}
	return fd;
}

/* What was held went on without anybody's waiting for it: who waits then sleeps. */
TEST_F(session_soft, nothing_is_left_to_look_at)
{
	const struct aring_deviation after = {
		.ring = 1, .opcode = ARING_OP_NOP, .process = 1,
		.action = ARING_ACT_AFTER, .value = 1,
	}, early = {
		.ring = 1, .opcode = ARING_OP_NOP, .process = 1,
		.action = ARING_ACT_CANCEL_WINS,
	}, delay = {
		.ring = 1, .opcode = ARING_OP_NOP, .process = 1,
		.action = ARING_ACT_DELAY, .value = ms(1),
	};
	int verdict, res, fd;
	struct aring_cqe cqe;
	struct ring r;

	/* the one it was put behind has ended */
	fd = plan_of(&r, &after, 1);
	ASSERT_GE(fd, 0);
	prep_nop(&r, 1);
	prep_nop(&r, 2);
	ASSERT_EQ(2, ring_submit(&r));
	ASSERT_TRUE(ring_reap(&r, &cqe));
	EXPECT_EQ(2, cqe.user_data);
	ASSERT_TRUE(ring_reap(&r, &cqe));
	EXPECT_EQ(1, cqe.user_data);
	EXPECT_TRUE(ring_quiet(&r, 100));
	ring_exit(&r);
	close(fd);

	/* taken back */
	fd = plan_of(&r, &early, 1);
	ASSERT_GE(fd, 0);
	prep_nop(&r, 1);
	cancel_and_see(&r, &verdict, &res);
	EXPECT_EQ(0, verdict);
	EXPECT_EQ(-ECANCELED, res);
	EXPECT_TRUE(ring_quiet(&r, 100));
	ring_exit(&r);
	close(fd);

	/* its time is over */
	fd = plan_of(&r, &delay, 1);
	ASSERT_GE(fd, 0);
	prep_nop(&r, 1);
	ASSERT_EQ(1, ring_submit(&r));
	for (int i = 0; i < 1000 && !ring_ready(&r); i++)
		usleep(1000 * test_slow());
	ASSERT_TRUE(ring_reap(&r, &cqe));
	EXPECT_TRUE(ring_quiet(&r, 100));
	ring_exit(&r);
	close(fd);
}

/* Likewise who waits for time that passes only while nobody can go on. */
TEST_F(session_soft, nothing_is_left_to_look_at_on_a_virtual_clock)
{
	const struct aring_deviation after = {
		.ring = 1, .opcode = ARING_OP_NOP, .process = 1,
		.action = ARING_ACT_AFTER, .value = 1,
	};
	struct __kernel_timespec ts = to_ts(ms(1000000));
	struct aring_cqe cqe;
	struct ring r;

	ASSERT_EQ(0, session_plan(self->fd, &after, 1));
	ASSERT_EQ(0, session_cmd(self->fd, ARING_SESSION_CLOCK, NULL, 0));
	ASSERT_EQ(0, session_ring(&r, self->id, 8, NULL));
	prep_nop(&r, 1);
	prep_nop(&r, 2);
	ASSERT_EQ(2, ring_submit(&r));
	ASSERT_TRUE(ring_reap(&r, &cqe));
	ASSERT_TRUE(ring_reap(&r, &cqe));
	prep_timeout(&r, &ts, 0, 0, 3);
	EXPECT_EQ(-ETIME, ring_run(&r));
	ring_exit(&r);
}

/* A ring on which @n NOPs are held, each behind one that will never come. */
static int many_held(struct ring *r, int n)
{
	const struct aring_chaos chaos = { .seed = 1, .reorder = 65536 };
	struct aring_params p = {
		.flags = ARING_SETUP_CQSIZE, .cq_entries = 65536,
	};
	__u64 id;
	int fd = session_new(&id);

	if (fd < 0 || session_chaos(fd, &chaos) ||
	    session_ring(r, id, 4096, &p))
		return -1;
	for (int i = 0; i < n; i++) {
		prep_nop(r, i);
		if (i % 4096 == 4095 && ring_submit(r) != 4096)
			return -1;
	}
	return ring_submit(r) == n % 4096 ? fd : -1;
}

/* One is let go after the other, but not with a look at all others each time. */
TEST_F(session_soft, many_are_let_go)
{
	int n = test_scale(30000, 3000), fd;
	struct ring r;
	__u64 start;

	fd = many_held(&r, n);
	ASSERT_GE(fd, 0);
	EXPECT_LT(ring_ready(&r), (unsigned int)n);
	start = now_ns();
	EXPECT_EQ(0, ring_wait(&r, n));
	EXPECT_LE(now_ns() - start, ms(10000) * test_slow());
	ring_exit(&r);
	close(fd);
}

/* Who waits for that may be killed. */
TEST_F(session_soft, killed_while_many_are_let_go)
{
	struct __kernel_timespec ts = to_ts(ms(1000000));
	int n = test_scale(40000, 4000), p[2], status;
	__u64 start;
	char c;
	pid_t pid;

	ASSERT_EQ(0, pipe(p));
	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid) {
		struct ring r;

		if (many_held(&r, n) < 0)
			_exit(1);
		/* all have to be looked at */
		prep_timeout(&r, &ts, 0, 0, n);
		if (ring_submit(&r) != 1 || write(p[1], "x", 1) != 1)
			_exit(1);
		ring_wait_ns(&r, n + 1, ms(1000000));
		_exit(0);
	}
	close(p[1]);
	ASSERT_EQ(1, read(p[0], &c, 1));
	usleep(100000);
	start = now_ns();
	ASSERT_EQ(0, kill(pid, SIGKILL));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_TRUE(WIFSIGNALED(status));
	EXPECT_LE(now_ns() - start, ms(3000) * test_slow());
	close(p[0]);
}

/* The last CQE that a TIMEOUT counts comes, and it is held: also for a second only. */
TEST_F(session_soft, a_timeout_that_counts_is_held_for_a_second)
{
	const struct aring_deviation after = {
		.ring = 1, .opcode = ARING_OP_TIMEOUT, .process = 1,
		.action = ARING_ACT_AFTER, .value = 5,
	};
	struct __kernel_timespec ts = to_ts(ms(1000000));
	__u64 end;
	struct ring r;
	int fd;

	fd = plan_of(&r, &after, 1);
	ASSERT_GE(fd, 0);
	prep_timeout(&r, &ts, 1, 0, 1);
	prep_nop(&r, 2);
	ASSERT_EQ(2, ring_submit(&r));
	EXPECT_EQ(1, ring_ready(&r));
	/* nobody waits in ENTER */
	end = now_ns() + ms(5000) * test_slow();
	while (ring_ready(&r) < 2 && now_ns() < end)
		usleep(10000);
	EXPECT_EQ(2, ring_ready(&r));
	ring_exit(&r);
	close(fd);
}

/* Everything at once, with chains, and closed in the middle of it at times. */
static struct aring_chaos everything(__u64 seed)
{
	return (struct aring_chaos) {
		.seed = seed, .level = ARING_LEVEL_ANY,
		.cancel = seed & 1 ? ARING_CHAOS_CANCEL_LATE :
				     ARING_CHAOS_CANCEL_EARLY,
		.cancel_ppm = 300000, .delay_max = 100000, .reorder = 8,
		.short_ppm = 300000, .cqfull_ppm = 200000,
		.take_ppm = 200000, .eintr_ppm = 200000, .nr_errnos = 1,
		.errno_nr = { EIO }, .errno_ppm = { 100000 },
	};
}

static void prep_some(struct ring *r, int file, int pipe, int n, __u64 seed)
{
	static char buf[64];
	struct aring_sqe *sqe;

	for (int i = 0; i < n; i++) {
		switch ((seed + i) % 5) {
		case 0:
			sqe = prep_nop(r, i);
			break;
		case 1:
			sqe = prep_write(r, pipe, buf, 7, -1, i);
			break;
		case 2:
			sqe = prep_cancel(r, i - 1, 0, i);
			break;
		default:
			sqe = prep_read(r, file, buf, 64, 0, i);
		}
		if (i % 7 < 3 && i != n - 1)
			sqe->flags = ARING_SQE_IO_LINK;
		if (i % 11 == 10)
			sqe->flags |= ARING_SQE_IO_DRAIN;
	}
}

/* Submit all, whatever ENTER says. */
static bool submit_all(struct ring *r)
{
	for (int i = 0; i < 1000; i++) {
		unsigned int left = ring_flush(r);
		int ret;

		if (!left)
			return true;
		ret = ring_enter(r, left, 0, 0, NULL, 0);
		if (ret < 0 && ret != -EINTR)
			return false;
	}
	return false;
}

TEST_F(session_soft, everything_at_once)
{
	int p[2], file = open("/tmp", O_TMPFILE | O_RDWR, 0600);

	ASSERT_EQ(0, pipe(p));
	ASSERT_EQ(0, ftruncate(file, 4096));
	for (unsigned long seed = 0; seed < test_scale(60, 10); seed++) {
		struct aring_chaos chaos = everything(seed);
		char drain[4096];
		struct ring r;
		int fd = session_of(&r, &chaos);

		ASSERT_GE(fd, 0);
		prep_some(&r, file, p[1], 50, seed);
		NEED_TRUE(submit_all(&r), "seed %lu", seed);
		if (seed % 4 != 3)
			see_all(_metadata, &r, 50, NULL);
		if (seed % 8 < 4) {
			close(fd);
			ring_exit(&r);
		} else {
			ring_exit(&r);
			close(fd);
		}
		fcntl(p[0], F_SETFL, O_NONBLOCK);
		while (read(p[0], drain, sizeof(drain)) > 0)
			;
	}
}

/* The thread that submits decides as the program itself would. */
TEST_F(session_soft, sqpoll)
{
	const struct aring_chaos chaos = {
		.seed = 9, .short_ppm = 500000, .reorder = 3,
	};
	struct aring_params p = { .flags = ARING_SETUP_SQPOLL };
	int file = open("/tmp", O_TMPFILE | O_RDWR, 0600), nr[2];
	static struct aring_deviation log[2][LINES];
	char buf[64];

	ASSERT_EQ(0, ftruncate(file, 4096));
	for (int k = 0; k < 2; k++) {
		struct aring_cqe cqe;
		struct ring r;
		__u64 id;
		int fd = session_new(&id);

		ASSERT_GE(fd, 0);
		ASSERT_EQ(0, session_chaos(fd, &chaos));
		ASSERT_EQ(0, session_ring(&r, id, 64, k ? &p : NULL));
		for (int i = 0; i < 50; i++)
			prep_read(&r, file, buf, 64, 0, i);
		ring_flush(&r);
		ring_enter(&r, 50, 0, ARING_ENTER_SQ_WAKEUP, NULL, 0);
		for (int i = 0; i < 50; i++)
			ASSERT_EQ(0, ring_cqe(&r, &cqe));
		nr[k] = session_log(fd, log[k], LINES);
		ring_exit(&r);
		close(fd);
	}
	ASSERT_EQ(nr[0], nr[1]);
	EXPECT_GE(nr[0], 30);
	EXPECT_EQ(0, memcmp(log[0], log[1], nr[0] * sizeof(*lines)));
}

static int clock_get(struct ring *r, struct aring_clock *clock)
{
	*clock = (struct aring_clock) { .cmd = ARING_CLOCK_GET };
	return ioctl(r->fd, ARING_IOC_CLOCK, clock) ? -errno : 0;
}

TEST_F(session_soft, a_clock_for_each_process)
{
	struct __kernel_timespec ts = to_ts(ms(1000000));
	__u64 start = now_ns();
	struct aring_clock clock;
	struct ring r, s;
	int status;
	pid_t pid;

	ASSERT_EQ(0, session_cmd(self->fd, ARING_SESSION_CLOCK, NULL, 0));
	ASSERT_EQ(0, session_ring(&r, self->id, 8, NULL));
	ASSERT_EQ(0, clock_get(&r, &clock));
	EXPECT_EQ(ARING_CLOCK_AUTO | ARING_CLOCK_IS_VIRTUAL, clock.flags);
	EXPECT_EQ(0, clock.time);
	prep_timeout(&r, &ts, 0, 0, 1);
	EXPECT_EQ(-ETIME, ring_run(&r));
	EXPECT_LE(now_ns() - start, ms(20000) * test_slow());
	/* two rings of a process have the same */
	ASSERT_EQ(0, session_ring(&s, self->id, 8, NULL));
	ASSERT_EQ(0, clock_get(&s, &clock));
	EXPECT_EQ(ms(1000000), clock.time);
	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid) {
		struct ring t;

		/* what a child makes of its own does not wait for its parent */
		if (session_ring(&t, self->id, 8, NULL) ||
		    clock_get(&t, &clock) || clock.time)
			_exit(1);
		prep_timeout(&t, &ts, 0, 0, 1);
		_exit(ring_run(&t) == -ETIME ? 0 : 2);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	ASSERT_EQ(0, clock_get(&s, &clock));
	EXPECT_EQ(ms(1000000), clock.time);
	ring_exit(&r);
	ring_exit(&s);
}

/* On the virtual clock not only decisions repeat, but times, too. */
TEST_F(session_soft, chaos_on_a_virtual_clock_repeats_in_full)
{
	const struct aring_chaos chaos = {
		.seed = 77, .delay_max = ms(1000), .reorder = 8,
	};
	__u64 seen[2][200], end[2];

	for (int k = 0; k < 2; k++) {
		struct __kernel_timespec ts[40];
		struct aring_clock clock;
		struct aring_cqe cqe;
		struct ring r;
		__u64 id;
		int fd = session_new(&id);

		ASSERT_GE(fd, 0);
		ASSERT_EQ(0, session_chaos(fd, &chaos));
		ASSERT_EQ(0, session_cmd(fd, ARING_SESSION_CLOCK, NULL, 0));
		ASSERT_EQ(0, session_ring(&r, id, 64, NULL));
		for (int i = 0; i < 40; i++) {
			ts[i] = to_ts(ms(1) * (i * 37 % 50));
			prep_timeout(&r, &ts[i], 0, 0, i);
		}
		ASSERT_EQ(40, ring_submit(&r));
		for (int i = 0; i < 40; i++) {
			ASSERT_EQ(0, ring_cqe(&r, &cqe));
			EXPECT_EQ(-ETIME, cqe.res);
			ASSERT_EQ(0, clock_get(&r, &clock));
			seen[k][2 * i] = cqe.user_data;
			seen[k][2 * i + 1] = clock.time;
		}
		end[k] = clock.time;
		ring_exit(&r);
		close(fd);
	}
	EXPECT_EQ(0, memcmp(seen[0], seen[1], 80 * sizeof(__u64)));
	EXPECT_GE(end[0], ms(100));
}

struct submitter {
	struct ring *r;
	pthread_mutex_t *lock;
	int n;
};

static void *submit_thread(void *arg)
{
	struct submitter *s = arg;

	for (int i = 0; i < s->n; i++) {
		pthread_mutex_lock(s->lock);
		if (ring_sqe(s->r)) {
			/* all zero: a NOP */
			ring_flush(s->r);
		}
		pthread_mutex_unlock(s->lock);
		ring_enter(s->r, 1, 0, 0, NULL, 0);
	}
	return NULL;
}

TEST_F(session_soft, several_threads_and_a_reader_of_the_log)
{
	const struct aring_chaos chaos = {
		.seed = 4, .level = ARING_LEVEL_ANY, .nr_errnos = 1,
		.errno_nr = { EIO }, .errno_ppm = { MILLION / 2 },
	};
	pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	int n = test_scale(500, 100), nr = 0;
	struct aring_cqe cqe;
	pthread_t t[4];
	struct ring r;
	int fd = session_of(&r, &chaos);
	struct submitter s = { &r, &lock, n };

	ASSERT_GE(fd, 0);
	for (int i = 0; i < 4; i++)
		ASSERT_EQ(0, pthread_create(&t[i], NULL, submit_thread, &s));
	for (int i = 0; i < 50; i++) {
		nr = session_log(fd, lines, LINES);
		EXPECT_GE(nr, 0);
		for (int k = 0; k < nr; k++)
			NEED_TRUE(lines[k].action == ARING_ACT_FAIL &&
				  lines[k].flags == ARING_DEV_DONE,
				  "line %d of %d", k, nr);
		while (ring_reap(&r, &cqe))
			;
	}
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	ring_exit(&r);
	close(fd);
}

RING_TEST_MAIN
