// SPDX-License-Identifier: MIT
/*
 * The library's tests: large entries, and rings whose submissions a kernel
 * thread takes.
 */
#include <sched.h>
#include <time.h>
#include <unistd.h>

#include "../core/internal.h"
#include "test.h"

static void walk_and_overflow(void)
{
	struct aring_cqe *cqes[8], *cqe;
	unsigned int head, i, n = 0;

	many_rounds(0);

	CHECK(nop(7) && nop(8) && nop(9));
	CHECK_EQ(aring_submit_and_wait(&ring, 3), 3);
	aring_for_each_cqe(&ring, head, cqe)
		CHECK_EQ(cqe->user_data, 7 + n++);
	CHECK_EQ(n, 3);
	CHECK_EQ(aring_peek_batch_cqe(&ring, cqes, 8), 3);
	for (i = 0; i < 3; i++)
		CHECK_EQ(cqes[i]->user_data, 7 + i);
	aring_cq_advance(&ring, 3);

	for (i = 0; i < 80; i++) {
		CHECK(nop(i));
		CHECK_EQ(aring_submit(&ring), 1);
	}
	for (i = 0; i < 80; i++) {
		CHECK_EQ(aring_peek_cqe(&ring, &cqe), 0);
		if (!cqe)
			break;
		CHECK_EQ(cqe->user_data, i);
		aring_cqe_seen(&ring, cqe);
	}
}

static void test_large_cqes(void)
{
	aring_queue_exit(&ring);
	begin(4, ARING_SETUP_CQE32);
	walk_and_overflow();
}

/* The k-th entry lies 128 bytes behind the one before, with nothing in between. */
static void sqes_lie_apart(void)
{
	char *first = NULL;
	unsigned int i;

	for (i = 0; i < 4; i++) {
		struct aring_sqe *sqe = nop(i);

		if (!first)
			first = (char *)sqe;
		CHECK_EQ((char *)sqe - first, i * 128);
		CHECK_EQ(aring_sqe_ticket(&ring, sqe), i);
		memset(sqe + 1, 0xff, sizeof(*sqe));
	}
	CHECK(!aring_get_sqe(&ring));
	CHECK_EQ(aring_submit(&ring), 4);
	for (i = 0; i < 4; i++)
		CHECK_EQ(take().user_data, i);
}

static void test_large_sqes(void)
{
	aring_queue_exit(&ring);
	begin(4, ARING_SETUP_SQE128);
	sqes_lie_apart();
	many_rounds(0);
}

static void test_large_entries_of_both_kinds(void)
{
	aring_queue_exit(&ring);
	begin(4, ARING_SETUP_SQE128 | ARING_SETUP_CQE32);
	sqes_lie_apart();
	walk_and_overflow();
	CHECK_EQ(aring_ring_dontfork(&ring), 0);
}

/* Counts the ENTER calls, and keeps the flags of the last. */
static const struct aring_ops *counted_ops;
static unsigned int enters, enter_flags;

static int counting_enter(int fd, unsigned int to_submit,
			  unsigned int min_complete, unsigned int flags,
			  const void *arg, size_t argsz)
{
	enters++;
	enter_flags = flags;
	return counted_ops->enter(fd, to_submit, min_complete, flags, arg,
				  argsz);
}

static void begin_sqpoll(unsigned int idle_ms)
{
	static struct aring_ops ops;
	struct aring_params p = {
		.flags = ARING_SETUP_SQPOLL,
		.sq_thread_idle = idle_ms,
	};

	aring_queue_exit(&ring);
	begin_params(4, &p);
	counted_ops = ring.ops;
	ops = *counted_ops;
	ops.enter = counting_enter;
	ring.ops = &ops;
	enters = 0;
}

/* Wait without a call. */
static bool come_without_a_call(unsigned int n)
{
	double end = seconds() + 60;

	while (aring_cq_ready(&ring) < n) {
		if (seconds() > end)
			return false;
		sched_yield();
	}
	return true;
}

static bool fall_asleep(void)
{
	double end = seconds() + 60;

	while (!(aring_load_acquire(ring.sq.kflags) & ARING_SQ_NEED_WAKEUP)) {
		if (seconds() > end)
			return false;
		usleep(1000);
	}
	return true;
}

static void test_sqpoll_makes_no_calls(void)
{
	struct __kernel_timespec limit = { .tv_sec = 60 };
	struct aring_cqe *cqe;
	unsigned int i;
	int n;

	begin_sqpoll(300000);
	/* io_uring's thread may sleep before it has seen its first request. */
	CHECK(nop(0));
	CHECK(aring_submit_and_wait(&ring, 1) >= 0);
	take();
	enters = 0;
	for (i = 0; i < 200 && !failed; i++) {
		CHECK(nop(i) && nop(i));
		/*
		 * Counts say what the thread has not given back, which may
		 * be after the completions: here also the two of before.
		 */
		n = aring_submit(&ring);
		CHECK(n >= 0 && n <= 4);
		CHECK(come_without_a_call(2));
		CHECK_EQ(aring_peek_cqe(&ring, &cqe), 0);
		/* Nothing to wait for: what is wanted is there. */
		n = aring_submit_and_wait(&ring, 2);
		CHECK(n >= 0 && n <= 2);
		n = aring_submit_and_wait_timeout(&ring, &cqe, 2, &limit, NULL);
		CHECK(n >= 0 && n <= 2);
		CHECK(cqe && cqe->user_data == i);
		aring_cq_advance(&ring, 2);
	}
	CHECK_EQ(enters, 0);

	/* One call to wait, none to submit. */
	aring_prep_timeout(aring_get_sqe(&ring),
			   &(struct __kernel_timespec){ .tv_nsec = 20000000 },
			   0, 0);
	CHECK((unsigned int)aring_submit_and_wait(&ring, 1) <= 1);
	CHECK_EQ(enters, 1);
	CHECK_EQ(enter_flags, ARING_ENTER_GETEVENTS);
	CHECK_EQ(take().res, -ETIME);
}

static void test_sqpoll_is_woken(void)
{
	struct __kernel_timespec limit = { .tv_sec = 60 };
	struct aring_cqe *cqe;
	unsigned int i;

	begin_sqpoll(1);
	for (i = 0; i < 5 && !failed; i++) {
		CHECK(fall_asleep());
		CHECK(nop(1) && nop(2));
		enters = 0;
		CHECK_EQ(aring_submit(&ring), 2);
		CHECK_EQ(enters, 1);
		CHECK_EQ(enter_flags, ARING_ENTER_SQ_WAKEUP);
		CHECK_EQ(take().user_data, 1);
		CHECK_EQ(take().user_data, 2);

		CHECK(fall_asleep());
		CHECK(nop(3));
		CHECK_EQ(aring_submit_and_wait(&ring, 1), 1);
		CHECK_EQ(take().user_data, 3);

		CHECK(fall_asleep());
		CHECK(nop(4));
		CHECK_EQ(aring_submit_and_wait_timeout(&ring, &cqe, 1, &limit,
						       NULL), 1);
		CHECK(cqe && cqe->user_data == 4);
		aring_cqe_seen(&ring, cqe);
	}
	/* Nothing to submit, nothing to wait for: it may sleep. */
	CHECK(fall_asleep());
	enters = 0;
	CHECK_EQ(aring_submit(&ring), 0);
	CHECK_EQ(enters, 0);
}

static void test_sqpoll_room_is_waited_for(void)
{
	unsigned int out = 0, in = 0;
	struct aring_cqe *cqe;

	CHECK_EQ(aring_sqring_wait(&ring), 0);

	begin_sqpoll(1);
	CHECK_EQ(aring_sqring_wait(&ring), 0);
	CHECK_EQ(enters, 0);
	while (in < 2000 && !failed) {
		while (out < 2000 && out - in < 8 && nop(out))
			out++;
		CHECK(aring_submit(&ring) >= 0);
		while (!aring_peek_cqe(&ring, &cqe)) {
			CHECK_EQ(cqe->user_data, in++);
			aring_cqe_seen(&ring, cqe);
		}
		CHECK(aring_sqring_wait(&ring) >= 0);
	}

	/* A thread that fell asleep over a full queue is woken. */
	CHECK(fall_asleep());
	CHECK(nop(1) && nop(2) && nop(3) && nop(4));
	aring_store_release(ring.sq.ktail, ring.sq.sqe_tail);
	enters = 0;
	CHECK(aring_sqring_wait(&ring) >= 0);
	CHECK_EQ(enters, 1);
	CHECK(aring_sq_space_left(&ring) > 0);
	for (in = 1; in <= 4; in++)
		CHECK_EQ(take().user_data, in);
}

const struct test shape_tests[] = {
	TEST(large_cqes, .setup = ARING_SETUP_CQE32),
	TEST(large_sqes, .setup = ARING_SETUP_SQE128),
	TEST(large_entries_of_both_kinds,
	     .setup = ARING_SETUP_CQE32 | ARING_SETUP_SQE128),
	TEST(sqpoll_makes_no_calls, .setup = ARING_SETUP_SQPOLL),
	TEST(sqpoll_is_woken, .setup = ARING_SETUP_SQPOLL),
	TEST(sqpoll_room_is_waited_for, .setup = ARING_SETUP_SQPOLL),
	{ }
};
