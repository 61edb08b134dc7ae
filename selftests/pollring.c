// SPDX-License-Identifier: MIT
/*
 * A ring is a file that can be polled: by another ring, by rings in a row or in
 * a circle, and by itself. None of it may deadlock or go on for ever.
 */
#include "poll.h"

RING_FIXTURE(watch);

/* A ring in another's poll, as a completion makes it readable. */
TEST_F(watch, a_ring_is_a_file_like_others)
{
	struct aring_cqe cqe;
	struct ring b;

	ASSERT_EQ(0, ring_init(&b, variant->backend, 8, 0));
	/* there is room for SQEs */
	prep_poll(&self->r, b.fd, POLLOUT, 1);
	EXPECT_EQ(POLLOUT, ring_run(&self->r));
	for (int multi = 0; multi < 2; multi++) {
		/* even a multishot poll of a ring completes once */
		prep_poll(&self->r, b.fd, POLLIN, 1)->len = multi;
		ASSERT_EQ(1, ring_submit(&self->r));
		EXPECT_TRUE(ring_quiet(&self->r, 10));
		prep_nop(&b, 5);
		ASSERT_EQ(1, ring_submit(&b));
		NEXT(&self->r, 1, POLLIN, 0, "multishot %d", multi);
		ASSERT_TRUE(ring_reap(&b, &cqe));
		prep_nop(&b, 5);
		ASSERT_EQ(1, ring_submit(&b));
		EXPECT_TRUE(ring_quiet(&self->r, 10));
		/* readable when it is armed */
		prep_poll(&self->r, b.fd, POLLIN, 1)->len = multi;
		ASSERT_EQ(1, ring_submit(&self->r));
		NEXT(&self->r, 1, POLLIN, 0, "ready, multishot %d", multi);
		ASSERT_TRUE(ring_reap(&b, &cqe));
		/* by what completes on its own */
		prep_poll(&self->r, b.fd, POLLIN, 1)->len = multi;
		ASSERT_EQ(1, ring_submit(&self->r));
		prep_timeout(&b, &(struct __kernel_timespec) { 0, 10000000 },
			     0, 0, 6);
		ASSERT_EQ(1, ring_submit(&b));
		NEXT(&self->r, 1, POLLIN, 0, "timeout, multishot %d", multi);
		ASSERT_TRUE(ring_reap(&b, &cqe));
	}
	/* and taken back */
	prep_poll(&self->r, b.fd, POLLIN, 1);
	prep_poll_remove(&self->r, 1, 2);
	ASSERT_EQ(2, ring_submit(&self->r));
	NEXT(&self->r, 1, -ECANCELED, 0, "the poll");
	NEXT(&self->r, 2, 0, 0, "its remover");
	ring_exit(&b);
}

/* Rings in a row: the event goes through all of them. */
TEST_F(watch, a_row_of_rings)
{
	enum { N = 8 };
	struct ring r[N];

	for (int i = 0; i < N; i++)
		ASSERT_EQ(0, ring_init(&r[i], variant->backend, 8, 0));
	for (int round = 0; round < 20; round++) {
		for (int i = 1; i < N; i++) {
			prep_poll(&r[i], r[i - 1].fd, POLLIN, i);
			ASSERT_EQ(1, ring_submit(&r[i]));
		}
		prep_nop(&r[0], 100);
		ASSERT_EQ(1, ring_submit(&r[0]));
		for (int i = N - 1; i > 0; i--)
			NEXT(&r[i], i, POLLIN, 0, "ring %d, round %d", i,
			     round);
		NEXT(&r[0], 100, 0, 0, "round %d", round);
	}
	for (int i = 0; i < N; i++)
		ring_exit(&r[i]);
}

/* Two that watch each other: each event is one of the other, and it ends. */
TEST_F(watch, two_rings_that_watch_each_other)
{
	unsigned long n = test_scale(500, 50);
	struct aring_cqe cqe;
	struct ring r[2];

	for (int multi = 0; multi < 2; multi++) {
		for (int i = 0; i < 2; i++)
			ASSERT_EQ(0, ring_init(&r[i], variant->backend, 8, 0));
		for (unsigned long i = 0; i < n; i++) {
			for (int k = 0; k < 2; k++) {
				prep_poll(&r[k], r[!k].fd, POLLIN, 1)->len =
					multi;
				NEED_EQ(1, ring_submit(&r[k]), "round %lu", i);
			}
			prep_nop(&r[i & 1], 2);
			NEED_EQ(1, ring_submit(&r[i & 1]), "round %lu", i);
			/* the other's poll first: it completes this one's */
			NEXT(&r[!(i & 1)], 1, POLLIN, 0, "round %lu", i);
			for (int k = 0; k < 2; k++) {
				NEED_EQ(0, ring_cqe(&r[i & 1], &cqe),
					"round %lu", i);
				CHECK_EQ(cqe.user_data == 1 ? POLLIN : 0,
					 cqe.res, "round %lu", i);
				CHECK_EQ(0, cqe.flags, "round %lu", i);
			}
			CHECK_EQ(0, ring_ready(&r[0]) + ring_ready(&r[1]),
				 "round %lu", i);
		}
		for (int i = 0; i < 2; i++)
			ring_exit(&r[i]);
	}
}

struct feeder {
	struct ring *r;
	unsigned int stop;
	unsigned long done;
};

static void *feed(void *arg)
{
	struct feeder *f = arg;
	struct aring_cqe cqe;

	while (!__atomic_load_n(&f->stop, __ATOMIC_RELAXED)) {
		prep_nop(f->r, 2);
		ring_submit(f->r);
		while (ring_reap(f->r, &cqe))
			;
		f->done++;
	}
	return NULL;
}

/* The same from two threads, completing and arming as they like. */
TEST_F(watch, two_rings_and_two_threads)
{
	unsigned long n = test_scale(20000, 500);
	struct feeder f[2];
	struct ring r[2];
	pthread_t t[2];

	for (int i = 0; i < 2; i++) {
		ASSERT_EQ(0, ring_init(&r[i], variant->backend, 64, 0));
		f[i] = (struct feeder) { .r = &r[i] };
	}
	for (int i = 0; i < 2; i++)
		ASSERT_EQ(0, pthread_create(&t[i], NULL, feed, &f[i]));
	/* a third ring of one's own watches both all the time */
	for (unsigned long i = 0; i < n; i++) {
		prep_poll(&self->r, r[i & 1].fd, POLLIN, 1);
		NEED_EQ(POLLIN, ring_run(&self->r), "round %lu", i);
	}
	for (int i = 0; i < 2; i++)
		__atomic_store_n(&f[i].stop, 1, __ATOMIC_RELAXED);
	for (int i = 0; i < 2; i++) {
		pthread_join(t[i], NULL);
		EXPECT_GT(f[i].done, 0);
		ring_exit(&r[i]);
	}
}

static void *arm_each_other(void *arg)
{
	struct ring **r = arg;
	unsigned long n = test_scale(5000, 200);
	struct aring_cqe cqe;

	for (unsigned long i = 0; i < n; i++) {
		prep_poll(r[0], r[1]->fd, POLLIN, 1);
		prep_nop(r[0], 2);
		if (ring_submit(r[0]) != 2)
			return (void *)1;
		/* whether the poll ends now is the other's affair */
		while (ring_ready(r[0]) && ring_reap(r[0], &cqe))
			;
		if (i % 16 == 15) {
			prep_cancel(r[0], 1, ARING_ASYNC_CANCEL_ALL, 3);
			if (ring_submit(r[0]) != 1)
				return (void *)2;
			do {
				if (ring_cqe(r[0], &cqe))
					return (void *)3;
			} while (cqe.user_data != 3);
		}
	}
	return NULL;
}

TEST_F_TIMEOUT(watch, two_threads_whose_rings_watch_each_other, 60)
{
	struct ring r[2], *arg[2][2] = { { &r[0], &r[1] }, { &r[1], &r[0] } };
	pthread_t t[2];
	void *ret;

	for (int i = 0; i < 2; i++)
		ASSERT_EQ(0, ring_init(&r[i], variant->backend, 64, 0));
	for (int i = 0; i < 2; i++)
		ASSERT_EQ(0, pthread_create(&t[i], NULL, arm_each_other,
					    arg[i]));
	for (int i = 0; i < 2; i++) {
		pthread_join(t[i], &ret);
		EXPECT_EQ(NULL, ret);
	}
	for (int i = 0; i < 2; i++)
		ring_exit(&r[i]);
}

TEST_F(watch, a_ring_that_watches_itself)
{
	struct ring r;
	pid_t pid;

	for (int multi = 0; multi < 2; multi++) {
		ASSERT_EQ(0, ring_init(&r, variant->backend, 8, 0));
		prep_poll(&r, r.fd, POLLIN, 1)->len = multi;
		ASSERT_EQ(1, ring_submit(&r));
		EXPECT_TRUE(ring_quiet(&r, 10));
		prep_nop(&r, 2);
		ASSERT_EQ(1, ring_submit(&r));
		NEXT(&r, 2, 0, 0, "the NOP");
		NEXT(&r, 1, POLLIN, 0, "multishot %d", multi);
		EXPECT_TRUE(ring_quiet(&r, 10));
		prep_poll(&r, r.fd, POLLIN, 1)->len = multi;
		ASSERT_EQ(1, ring_submit(&r));
		prep_poll_remove(&r, 1, 2);
		ASSERT_EQ(1, ring_submit(&r));
		/* what completes it first is its own cancel, or is it */
		BOTH(&r, 1, -ECANCELED, 2, 0, "taken back");
		ring_exit(&r);
	}
	/* and one that never comes to an end otherwise */
	pid = fork();
	if (pid == 0) {
		if (ring_init(&r, variant->backend, 8, 0))
			_exit(1);
		prep_poll(&r, r.fd, POLLIN, 1);
		ring_submit(&r);
		ring_exit(&r);
		_exit(0);
	}
	ASSERT_EQ(pid, waitpid(pid, NULL, 0));
}

/* An epoll set that holds the ring, polled by the ring. */
TEST_F(watch, a_ring_that_watches_an_epoll_set_that_holds_it)
{
	struct epoll_event e = { .events = EPOLLIN };
	int ep = epoll_create1(EPOLL_CLOEXEC);

	ASSERT_EQ(0, epoll_ctl(ep, EPOLL_CTL_ADD, self->r.fd, &e));
	for (int i = 0; i < 20; i++) {
		struct aring_cqe cqe;
		int seen = 0;

		prep_poll(&self->r, ep, POLLIN, 1)->len = i & 1;
		ASSERT_EQ(1, ring_submit(&self->r));
		prep_nop(&self->r, 2);
		ASSERT_EQ(1, ring_submit(&self->r));
		ASSERT_EQ(0, ring_wait(&self->r, 2));
		while (ring_reap(&self->r, &cqe)) {
			CHECK_EQ(cqe.user_data == 1 ? POLLIN : 0, cqe.res,
				 "round %d", i);
			/* the multishot one need not end here, if it dares */
			seen |= 1 << cqe.user_data;
			if (cqe.user_data == 1 &&
			    cqe.flags & ARING_CQE_F_MORE)
				seen |= 1;
		}
		CHECK_EQ(6, seen & 6, "round %d", i);
		if (!(seen & 1))
			continue;
		prep_cancel(&self->r, 1, ARING_ASYNC_CANCEL_ALL, 3);
		ASSERT_EQ(1, ring_submit(&self->r));
		do {
			ASSERT_EQ(0, ring_cqe(&self->r, &cqe));
		} while (cqe.user_data != 3);
		while (!ring_quiet(&self->r, 10))
			ring_reap(&self->r, &cqe);
	}
	close(ep);
}

RING_TEST_MAIN
