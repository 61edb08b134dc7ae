// SPDX-License-Identifier: MIT
/*
 * Chaos hangs no program, in whatever way that waits, and whatever it waits for.
 */
#include "poll.h"
#include "chain.h"
#include "session.h"

SESSION_FIXTURE(session_wait);

enum { ROUNDS = 3 };

/* One completion, by a plain ENTER: no time limit for a virtual clock to go to. */
static int plain_cqe(struct ring *r, struct aring_cqe *cqe)
{
	int ret;

	while (!ring_reap(r, cqe)) {
		ret = ring_enter(r, 0, 1, ARING_ENTER_GETEVENTS, NULL, 0);
		if (ret < 0 && ret != -EINTR)
			return ret;
	}
	return 0;
}

/* ---- cancels that are to win ---------------------------------------------- */

static const struct aring_chaos early = {
	.level = ARING_LEVEL_LINUX, .cancel = ARING_CHAOS_CANCEL_EARLY,
	.cancel_ppm = MILLION,
};

TEST_F(session_wait, a_timeout_that_counts)
{
	struct __kernel_timespec ts = to_ts(ms(1000000));
	struct aring_cqe cqe;
	struct ring r;
	int fd = session_of(&r, &early);

	ASSERT_GE(fd, 0);
	for (int i = 0; i < ROUNDS; i++) {
		prep_timeout(&r, &ts, 1, 0, 1);
		prep_nop(&r, 2);
		ASSERT_EQ(2, ring_submit(&r));
		for (int k = 0; k < 2; k++) {
			NEED_EQ(0, ring_cqe(&r, &cqe), "no. %d of round %d", k,
				i);
			EXPECT_EQ(0, cqe.res);
		}
	}
	ring_exit(&r);
	close(fd);
}

/* What is held for a cancel to come is there: it can be changed. */
TEST_F(session_wait, a_change_of_what_is_held)
{
	struct __kernel_timespec hour = to_ts(ms(3600000)), soon = to_ts(ms(5));
	struct aring_sqe *s;
	struct aring_cqe cqe;
	struct ring r;
	int p[2], fd = session_of(&r, &early);

	ASSERT_GE(fd, 0);
	ASSERT_EQ(0, pipe(p));
	ASSERT_EQ(1, write(p[1], "x", 1));
	for (int i = 0; i < 3; i++) {
		/* one that would be over too soon, too */
		prep_timeout(&r, &hour, i == 2, 0, 1);
		ASSERT_EQ(1, ring_submit(&r));
		s = prep_remove(&r, 1, 2);
		s->timeout_flags = ARING_TIMEOUT_UPDATE |
				   (i == 1 ? ARING_TIMEOUT_ABS : 0);
		s->addr2 = (uintptr_t)&soon;
		ASSERT_EQ(1, ring_submit(&r));
		NEED_EQ(0, ring_cqe(&r, &cqe), "round %d", i);
		CHECK_EQ(2, cqe.user_data, "round %d", i);
		CHECK_EQ(0, cqe.res, "round %d", i);
		NEED_EQ(0, ring_cqe(&r, &cqe), "round %d", i);
		CHECK_EQ(1, cqe.user_data, "round %d", i);
		CHECK_EQ(-ETIME, cqe.res, "round %d", i);
	}
	prep_poll(&r, p[0], POLLPRI, 1);
	ASSERT_EQ(1, ring_submit(&r));
	prep_new_name(&r, 1, 5, 2);
	prep_new_events(&r, 5, POLLIN, 3);
	ASSERT_EQ(2, ring_submit(&r));
	for (int k = 0; k < 3; k++) {
		ASSERT_EQ(0, ring_cqe(&r, &cqe));
		if (k == 2)
			EXPECT_EQ(5, cqe.user_data);
		EXPECT_EQ(k == 2 ? POLLIN : 0, cqe.res);
	}
	ring_exit(&r);
	close(fd);
	close(p[0]);
	close(p[1]);
}

/* ---- a virtual clock that stands ------------------------------------------ */

/* A ring on a virtual clock of its process, its completions delayed. */
static int delayed_ring(struct __test_metadata *_metadata, int fd, __u64 id,
			struct ring *r)
{
	const struct aring_chaos chaos = {
		.seed = 1, .delay_min = ms(1), .delay_max = ms(2),
	};

	EXPECT_EQ(0, session_chaos(fd, &chaos));
	EXPECT_EQ(0, session_cmd(fd, ARING_SESSION_CLOCK, NULL, 0));
	return session_ring(r, id, 64, NULL);
}

TEST_F(session_wait, who_waits_in_epoll)
{
	struct epoll_event e = { .events = EPOLLIN };
	int ep = epoll_create1(EPOLL_CLOEXEC);
	__u64 start = now_ns();
	struct aring_cqe cqe;
	struct ring r;

	ASSERT_EQ(0, delayed_ring(_metadata, self->fd, self->id, &r));
	ASSERT_EQ(0, epoll_ctl(ep, EPOLL_CTL_ADD, r.fd, &e));
	for (int i = 0; i < 20; i++) {
		prep_nop(&r, i);
		ASSERT_EQ(1, ring_submit(&r));
		NEED_EQ(1, epoll_wait(ep, &e, 1, 5000 * test_slow()),
			"round %d", i);
		NEED_TRUE(ring_reap(&r, &cqe), "round %d", i);
	}
	/* it is let go at once, not after a while */
	EXPECT_LE(now_ns() - start, ms(5000) * test_slow());
	ring_exit(&r);
	close(ep);
}

TEST_F_TIMEOUT(session_wait, who_looks_again_and_again, 60)
{
	__u64 end = now_ns() + ms(20000) * test_slow();
	struct aring_cqe cqe;
	struct ring r;

	ASSERT_EQ(0, delayed_ring(_metadata, self->fd, self->id, &r));
	prep_nop(&r, 1);
	prep_nop(&r, 2);
	ASSERT_EQ(2, ring_submit(&r));
	for (int i = 0; i < 2; i++) {
		while (!ring_reap(&r, &cqe)) {
			NEED_TRUE(now_ns() < end, "completion %d", i);
			usleep(1000);
		}
	}
	ring_exit(&r);
}

TEST_F_TIMEOUT(session_wait, who_has_two_rings_and_one_thread, 60)
{
	struct aring_cqe cqe;
	struct ring r[2];

	ASSERT_EQ(0, delayed_ring(_metadata, self->fd, self->id, &r[0]));
	ASSERT_EQ(0, session_ring(&r[1], self->id, 64, NULL));
	for (int i = 0; i < ROUNDS; i++) {
		prep_nop(&r[i & 1], 1);
		ASSERT_EQ(1, ring_submit(&r[i & 1]));
		ASSERT_EQ(0, plain_cqe(&r[i & 1], &cqe));
	}
	ring_exit(&r[0]);
	ring_exit(&r[1]);
}

TEST_F_TIMEOUT(session_wait, who_has_a_read_that_nobody_answers, 60)
{
	struct aring_cqe cqe;
	struct ring r;
	int p[2];
	char c;

	ASSERT_EQ(0, pipe(p));
	ASSERT_EQ(0, delayed_ring(_metadata, self->fd, self->id, &r));
	prep_read(&r, p[0], &c, 1, 0, 1);
	ASSERT_EQ(1, ring_submit(&r));
	for (int i = 0; i < ROUNDS; i++) {
		prep_nop(&r, 2);
		ASSERT_EQ(1, ring_submit(&r));
		ASSERT_EQ(0, plain_cqe(&r, &cqe));
		EXPECT_EQ(2, cqe.user_data);
	}
	ring_exit(&r);
	close(p[0]);
	close(p[1]);
}

/* Where the clock moves, a delay lasts: also if that takes long for who looks on. */
TEST_F_TIMEOUT(session_wait, time_that_passes_is_waited_for, 60)
{
	struct __kernel_timespec step = to_ts(100000);
	const struct aring_deviation delay = {
		.ring = 1, .opcode = ARING_OP_NOP, .process = 1,
		.action = ARING_ACT_DELAY, .value = ms(1000),
	};
	__u64 end = now_ns() + ms(6500);
	struct aring_cqe cqe;
	struct ring r;
	int steps = 0;

	ASSERT_EQ(0, session_plan(self->fd, &delay, 1));
	ASSERT_EQ(0, session_cmd(self->fd, ARING_SESSION_CLOCK, NULL, 0));
	ASSERT_EQ(0, session_ring(&r, self->id, 8, NULL));
	prep_nop(&r, 7);
	ASSERT_EQ(1, ring_submit(&r));
	for (; steps < 9000 && now_ns() < end; steps++) {
		prep_timeout(&r, &step, 0, 0, 1);
		ASSERT_EQ(1, ring_submit(&r));
		ASSERT_EQ(0, plain_cqe(&r, &cqe));
		NEED_EQ(1, cqe.user_data, "after %d steps", steps);
		usleep(20000);
	}
	ring_exit(&r);
}

TEST_F_TIMEOUT(session_wait, who_is_interrupted_each_time, 60)
{
	const struct aring_chaos chaos = { .seed = 1, .eintr_ppm = MILLION };
	struct __kernel_timespec ts = to_ts(ms(3));
	static struct aring_deviation lines[64];
	struct aring_cqe cqe;
	struct ring r;

	ASSERT_EQ(0, session_chaos(self->fd, &chaos));
	ASSERT_EQ(0, session_cmd(self->fd, ARING_SESSION_CLOCK, NULL, 0));
	ASSERT_EQ(0, session_ring(&r, self->id, 8, NULL));
	for (int i = 0; i < ROUNDS; i++) {
		prep_timeout(&r, &ts, 0, 0, 1);
		ASSERT_EQ(1, ring_submit(&r));
		ASSERT_EQ(0, plain_cqe(&r, &cqe));
		EXPECT_EQ(-ETIME, cqe.res);
	}
	EXPECT_EQ(ROUNDS, session_log(self->fd, lines, ARRAY_SIZE(lines)));
	ring_exit(&r);
}

/* Where all is permitted also an ENTER that submits; but not for ever. */
TEST_F_TIMEOUT(session_wait, who_is_interrupted_at_any_level, 60)
{
	const struct aring_chaos chaos = {
		.seed = 1, .eintr_ppm = MILLION, .level = ARING_LEVEL_ANY,
	};
	struct __kernel_timespec ts = to_ts(ms(3));
	struct aring_cqe cqe = { .res = RES_NONE };
	int ret, calls = 0;
	struct ring r;

	ASSERT_EQ(0, session_chaos(self->fd, &chaos));
	ASSERT_EQ(0, session_cmd(self->fd, ARING_SESSION_CLOCK, NULL, 0));
	ASSERT_EQ(0, session_ring(&r, self->id, 8, NULL));
	prep_timeout(&r, &ts, 0, 0, 1);
	do {
		ret = ring_enter(&r, ring_flush(&r), 1, ARING_ENTER_GETEVENTS,
				 NULL, 0);
	} while (ret == -EINTR && ++calls < 100);
	EXPECT_EQ(1, ret);
	EXPECT_EQ(1, calls);
	ASSERT_TRUE(ring_reap(&r, &cqe));
	EXPECT_EQ(-ETIME, cqe.res);
	ring_exit(&r);
}

/* ---- files that are not bytes --------------------------------------------- */

TEST_F(session_wait, a_value_is_not_cut)
{
	const struct aring_chaos chaos = {
		.seed = 1, .short_ppm = MILLION, .nr_errnos = 1,
		.errno_nr = { EIO }, .errno_ppm = { MILLION / 2 },
	};
	int comm = open("/proc/self/comm", O_RDWR);
	struct ring r;
	int fd = session_of(&r, &chaos);
	char b[32] = "";

	ASSERT_GE(fd, 0);
	ASSERT_GE(comm, 0);
	for (int i = 0; i < 20; i++) {
		prep_write(&r, comm, "hello", 5, 0, 1);
		CHECK_EQ(5, ring_run(&r), "round %d", i);
		prep_read(&r, comm, b, sizeof(b), 0, 1);
		CHECK_EQ(6, ring_run(&r), "round %d", i);
		EXPECT_STREQ("hello\n", b);
	}
	ring_exit(&r);
	close(comm);
	close(fd);
}

RING_TEST_MAIN
