// SPDX-License-Identifier: MIT
/*
 * SETUP_SQPOLL: when the thread sleeps, and how it is woken; waiting for room;
 * overflow.
 */
#include "sqpoll.h"
#include <poll.h>
#include <sys/socket.h>

/* Longer than any test takes: once awake, the thread stays so. */
#define BUSY	60000

FIXTURE(idle) { int unused; };

RING_VARIANTS(idle);

FIXTURE_SETUP(idle) { }
FIXTURE_TEARDOWN(idle) { }

/* How long after its last work the thread falls asleep, in ms; -1: never. */
static long falls_asleep(struct ring *r)
{
	__u64 start;

	prep_nop(r, 1);
	start = now_ns();
	if (sq_run(r) || !sq_flags_become(r, ARING_SQ_NEED_WAKEUP, true))
		return -1;
	return (now_ns() - start) / 1000000;
}

TEST_F(idle, the_thread_sleeps_after_its_time)
{
	static const int idle[] = { 1, 20, 100, 400 };

	for (size_t i = 0; i < ARRAY_SIZE(idle); i++) {
		struct ring r;

		ASSERT_EQ(0, sq_init(&r, variant->backend, 8, 0, idle[i]));
		for (int k = 0; k < 3; k++) {
			long t = falls_asleep(&r);

			/* the kernel counts in ticks of 4 ms */
			CHECK_GE(t, idle[i] - 8, "idle %d", idle[i]);
			CHECK_LE(t, idle[i] + 2000 * test_slow(), "idle %d",
				 idle[i]);
		}
		ring_exit(&r);
	}
}

TEST_F(idle, zero_means_a_second)
{
	struct ring r;
	long t;

	ASSERT_EQ(0, sq_init(&r, variant->backend, 8, 0, 0));
	t = falls_asleep(&r);
	EXPECT_GE(t, 990);
	EXPECT_LE(t, 3000 * test_slow());
	ring_exit(&r);
}

TEST_F(idle, asleep_it_takes_nothing_until_woken)
{
	struct ring r;

	ASSERT_EQ(0, sq_init(&r, variant->backend, 8, 0, 10));
	for (int k = 0; k < 5; k++) {
		ASSERT_TRUE(sq_flags_become(&r, ARING_SQ_NEED_WAKEUP, true));
		usleep(10000);
		prep_nop(&r, k);
		ring_flush(&r);
		usleep(50000);
		/* neither by itself, nor by a call that does not say so */
		EXPECT_EQ(1, ring_enter(&r, 1, 0, 0, NULL, 0));
		EXPECT_EQ(0, ring_enter(&r, 0, 0, ARING_ENTER_GETEVENTS, NULL,
					0));
		usleep(20000);
		CHECK_EQ(0, ring_ready(&r), "round %d", k);
		EXPECT_EQ(k, *r.sq_head);
		EXPECT_EQ(0, ring_enter(&r, 0, 0, ARING_ENTER_SQ_WAKEUP, NULL,
					0));
		NEED_TRUE(sq_arrives(&r, 1), "round %d", k);
		ring_reap(&r, &(struct aring_cqe) { 0 });
	}
	ring_exit(&r);
}

TEST_F(idle, the_flag_goes_when_it_wakes)
{
	struct ring r;

	ASSERT_EQ(0, sq_init(&r, variant->backend, 8, 0, 300));
	ASSERT_TRUE(falls_asleep(&r) >= 0);
	prep_nop(&r, 1);
	EXPECT_EQ(0, sq_run(&r));
	EXPECT_EQ(0, ring_sq_flags(&r) & ARING_SQ_NEED_WAKEUP);
	/* with nothing to do it wakes as well */
	EXPECT_TRUE(sq_flags_become(&r, ARING_SQ_NEED_WAKEUP, true));
	EXPECT_EQ(0, ring_enter(&r, 0, 0, ARING_ENTER_SQ_WAKEUP, NULL, 0));
	EXPECT_TRUE(sq_flags_become(&r, ARING_SQ_NEED_WAKEUP, false));
	EXPECT_TRUE(sq_flags_become(&r, ARING_SQ_NEED_WAKEUP, true));
	ring_exit(&r);
}

/* What was submitted goes on while the thread sleeps. */
TEST_F(idle, asleep_things_complete)
{
	struct __kernel_timespec ts = to_ts(ms(300));
	struct aring_cqe cqe;
	struct ring r;
	char b[8];
	int s[2];

	ASSERT_TRUE(tcp_pair(s));
	ASSERT_EQ(0, sq_init(&r, variant->backend, 8, 0, 10));
	prep_timeout(&r, &ts, 0, 0, 1);
	/* leaves something for the poll */
	prep(&r, ARING_OP_RECV, s[0], b, 1, 0, 2);
	prep(&r, ARING_OP_POLL_ADD, s[0], NULL, 0, 0, 3)->poll32_events =
		POLLIN | POLLRDHUP;
	sq_offer(&r);
	ASSERT_TRUE(sq_taken(&r));
	ASSERT_TRUE(sq_flags_become(&r, ARING_SQ_NEED_WAKEUP, true));
	ASSERT_EQ(3, write(s[1], "abc", 3));
	ASSERT_TRUE(sq_arrives(&r, 3));
	for (int i = 0; i < 3; i++) {
		static const int want[] = { 0, -ETIME, 1, POLLIN };

		ring_reap(&r, &cqe);
		ASSERT_LE(cqe.user_data, 3);
		CHECK_EQ(want[cqe.user_data], cqe.res, "request %llu",
			 (unsigned long long)cqe.user_data);
	}
	ring_exit(&r);
}

/* The flag and the tail are a race that is run many times. */
TEST_F_TIMEOUT(idle, no_wake_up_is_lost, 90)
{
	int n = test_scale(2000, 200);
	unsigned int seed = 1;
	struct ring r;

	ASSERT_EQ(0, sq_init(&r, variant->backend, 8, 0, 1));
	for (int i = 0; i < n; i++) {
		__u64 delay, until;

		prep_nop(&r, i);
		NEED_EQ(0, sq_run(&r), "round %d", i);
		/* the thread sleeps some 4 to 8 ms after that */
		seed = seed * 1103515245 + 12345;
		delay = (seed >> 8) % ms(9);
		until = now_ns() + delay;
		if (i % 8 == 0)
			usleep(delay / 2000);
		while (i % 2 && now_ns() < until)
			;
	}
	EXPECT_GE(sq_calls, 1);
	ring_exit(&r);
}

/* --- ENTER --------------------------------------------------------------- */

struct wait_thread {
	struct ring *r;
	int ret, tid, over;
};

static void *sq_wait(void *arg)
{
	struct wait_thread *w = arg;

	__atomic_store_n(&w->tid, gettid(), __ATOMIC_RELEASE);
	w->ret = ring_enter(w->r, 3, 0, ARING_ENTER_SQ_WAIT, NULL, 0);
	__atomic_store_n(&w->over, 1, __ATOMIC_RELEASE);
	return NULL;
}

static void nothing(int sig)
{
	(void)sig;
}

/* A full SQ and a thread that sleeps: nobody makes room. */
static void fill(struct __test_metadata *_metadata, struct ring *r)
{
	ASSERT_TRUE(sq_flags_become(r, ARING_SQ_NEED_WAKEUP, true));
	for (unsigned int i = 0; i < r->p.sq_entries; i++)
		prep_nop(r, i);
	ring_flush(r);
	ASSERT_EQ(NULL, ring_sqe(r));
}

TEST_F(idle, sq_wait_waits_for_room)
{
	struct sigaction sa = { .sa_handler = nothing };
	struct wait_thread w;
	struct ring r;
	pthread_t t;

	sigaction(SIGUSR1, &sa, NULL);
	ASSERT_EQ(0, sq_init(&r, variant->backend, 4, 0, 1));
	for (int k = 0; k < 3; k++) {
		w = (struct wait_thread) { .r = &r };
		fill(_metadata, &r);
		ASSERT_EQ(0, pthread_create(&t, NULL, sq_wait, &w));
		usleep(100000);
		EXPECT_EQ(0, __atomic_load_n(&w.over, __ATOMIC_ACQUIRE));
		/* either it is given room, or a signal comes: 6.1 answers alike */
		for (int n = 0; k == 1 && n < 1000 && !w.over; n++) {
			pthread_kill(t, SIGUSR1);
			usleep(2000);
		}
		if (k == 1)
			EXPECT_EQ(4, *r.sq_tail - *r.sq_head);
		EXPECT_EQ(0, ring_enter(&r, 0, 0, ARING_ENTER_SQ_WAKEUP, NULL,
					0));
		pthread_join(t, NULL);
		CHECK_EQ(3, w.ret, "round %d", k);
		EXPECT_TRUE(sq_arrives(&r, 4));
		EXPECT_TRUE(sq_taken(&r));
		for (int i = 0; i < 4; i++)
			EXPECT_TRUE(ring_reap(&r, &(struct aring_cqe) { 0 }));
	}
	/* wake and wait, in one call: there is room when it returns */
	fill(_metadata, &r);
	EXPECT_EQ(0, ring_enter(&r, 0, 0, ARING_ENTER_SQ_WAKEUP |
				ARING_ENTER_SQ_WAIT, NULL, 0));
	EXPECT_NE(NULL, ring_sqe(&r));
	ring_exit(&r);
}

/* Without SQPOLL the two flags mean nothing. */
TEST_F(idle, the_flags_of_enter_are_taken_by_any_ring)
{
	struct ring r;

	ASSERT_EQ(0, ring_init(&r, variant->backend, 1, 0));
	prep_nop(&r, 1);
	ring_flush(&r);
	EXPECT_EQ(0, ring_enter(&r, 0, 0, ARING_ENTER_SQ_WAKEUP, NULL, 0));
	EXPECT_EQ(0, ring_enter(&r, 0, 0, ARING_ENTER_SQ_WAIT, NULL, 0));
	EXPECT_EQ(0, ring_ready(&r));
	EXPECT_EQ(1, ring_enter(&r, 1, 1, ARING_ENTER_SQ_WAKEUP |
				ARING_ENTER_SQ_WAIT | ARING_ENTER_GETEVENTS,
				NULL, 0));
	EXPECT_EQ(1, ring_ready(&r));
	ring_exit(&r);
}

TEST_F(idle, overflow_comes_in_by_any_enter)
{
	struct aring_cqe cqe;
	int got = 0;
	struct ring r;

	ASSERT_EQ(0, sq_init(&r, variant->backend, 8, 0, BUSY));
	for (int i = 0; i < 64; i += 8) {
		for (int k = 0; k < 8; k++)
			prep_nop(&r, i + k);
		sq_offer(&r);
		ASSERT_TRUE(sq_taken(&r));
	}
	EXPECT_TRUE(sq_flags_become(&r, ARING_SQ_CQ_OVERFLOW, true));
	EXPECT_EQ(16, ring_ready(&r));
	while (got < 64) {
		if (ring_reap(&r, &cqe)) {
			NEED_EQ(got++, cqe.user_data, "order");
			continue;
		}
		/* with SQPOLL 6.1 does not ask for GETEVENTS */
		EXPECT_EQ(0, ring_enter(&r, 0, 0, 0, NULL, 0));
		NEED_TRUE(ring_ready(&r), "%d of 64", got);
	}
	EXPECT_EQ(0, ring_sq_flags(&r) & ARING_SQ_CQ_OVERFLOW);
	ring_exit(&r);
}

RING_TEST_MAIN
