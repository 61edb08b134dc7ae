// SPDX-License-Identifier: MIT
/*
 * IO_DRAIN: what a drained request waits for, what waits behind it, and what
 * does not. io_uring 6.1 keeps less order than its man page promises: what
 * comes after a drained request is held back as long as that one waits, and
 * then goes with it, not after it.
 */
#include "chain.h"
#include <sys/socket.h>

RING_FIXTURE(drain);

/* A read of a new pipe that waits; answers the end that feeds it. */
static int prep_waiting(struct __test_metadata *_metadata, struct ring *r,
			__u64 ud)
{
	static char b[64];
	int p[2];

	ASSERT_EQ(0, pipe(p));
	prep_read(r, p[0], &b[ud], 1, 0, ud);
	return p[1];
}

TEST_F(drain, with_nothing_in_flight)
{
	struct ring *r = &self->r;

	prep_nop(r, 1)->flags = DRAIN;
	EXPECT_EQ(0, ring_run(r));
	for (int i = 0; i < 8; i++)
		prep_nop(r, i)->flags = DRAIN;
	ASSERT_EQ(8, ring_submit(r));
	SEE(r, { 0, 0 }, { 1, 0 }, { 2, 0 }, { 3, 0 }, { 4, 0 }, { 5, 0 },
	    { 6, 0 }, { 7, 0 });
	prep_nop(r, 1)->flags = DRAIN | ASYNC;
	EXPECT_EQ(0, ring_run(r));
}

TEST_F(drain, waits_for_all_before_it)
{
	struct __kernel_timespec ts = to_ts(ms(20));
	struct ring *r = &self->r;
	int a, b;

	a = prep_waiting(_metadata, r, 1);
	prep_timeout(r, &ts, 0, 0, 2);
	b = prep_waiting(_metadata, r, 3);
	prep_nop(r, 4);
	prep_nop(r, 5)->flags = DRAIN;
	ASSERT_EQ(5, ring_submit(r));
	SEE(r, { 4, 0 }, { 2, -ETIME });
	feed(_metadata, b);
	SEE(r, { 3, 1 });
	feed(_metadata, a);
	SEE(r, { 1, 1 }, { 5, 0 });
}

TEST_F(drain, waits_over_ENTER_calls)
{
	struct ring *r = &self->r;
	int a, b;

	a = prep_waiting(_metadata, r, 1);
	ASSERT_EQ(1, ring_submit(r));
	b = prep_waiting(_metadata, r, 2);
	ASSERT_EQ(1, ring_submit(r));
	prep_nop(r, 3)->flags = DRAIN;
	ASSERT_EQ(1, ring_submit(r));
	EXPECT_TRUE(ring_quiet(r, 5));
	feed(_metadata, b);
	SEE(r, { 2, 1 });
	feed(_metadata, a);
	SEE(r, { 1, 1 }, { 3, 0 });
}

/* Failures are completions like others. */
TEST_F(drain, waits_for_what_fails_and_what_is_cancelled)
{
	struct ring *r = &self->r;

	prep_waiting(_metadata, r, 1);
	prep_ebadf(r, 2);
	ASSERT_EQ(2, ring_submit(r));
	prep_cancel(r, 1, 0, 3);
	prep_nop(r, 4)->flags = DRAIN;
	ASSERT_EQ(2, ring_submit(r));
	ASSERT_EQ(0, ring_wait(r, 4));
	/* the last of four */
	EXPECT_EQ(4, r->cqes[3].user_data);
	SEE_SET(r, { 1, -ECANCELED }, { 2, -EBADF }, { 3, 0 }, { 4, 0 });
}

/* Whether the CQEs before it were reaped, does not matter. */
TEST_F(drain, counts_completions_that_are_not_reaped)
{
	struct ring *r = &self->r;
	int a;

	prep_nop(r, 1);
	prep_nop(r, 2);
	ASSERT_EQ(2, ring_submit(r));
	a = prep_waiting(_metadata, r, 3);
	prep_nop(r, 4)->flags = DRAIN;
	ASSERT_EQ(2, ring_submit(r));
	feed(_metadata, a);
	SEE(r, { 1, 0 }, { 2, 0 }, { 3, 1 }, { 4, 0 });
}

TEST_F(drain, behind_completions_that_overflow)
{
	struct aring_cqe cqe;
	struct ring r;

	ASSERT_EQ(0, ring_init(&r, variant->backend, 4, 0));
	for (int i = 0; i < 20; i += 4) {
		for (int k = 0; k < 4; k++)
			prep_nop(&r, i + k);
		ASSERT_EQ(4, ring_submit(&r));
	}
	prep_nop(&r, 20)->flags = DRAIN;
	ASSERT_EQ(1, ring_submit(&r));
	for (int i = 0; i <= 20; i++) {
		if (!ring_ready(&r))
			ring_enter(&r, 0, 0, ARING_ENTER_GETEVENTS, NULL, 0);
		NEED_EQ(0, ring_cqe(&r, &cqe), "completion %d", i);
		EXPECT_EQ(i, cqe.user_data);
	}
	EXPECT_TRUE(ring_quiet(&r, 5));
	ring_exit(&r);
}

TEST_F(drain, several_wait_for_each_other)
{
	struct ring *r = &self->r;
	int a, b, c;

	a = prep_waiting(_metadata, r, 1);
	b = prep_waiting(_metadata, r, 2);
	r->sqes[(r->tail - 1) & 63].flags = DRAIN;
	c = prep_waiting(_metadata, r, 3);
	r->sqes[(r->tail - 1) & 63].flags = DRAIN;
	prep_nop(r, 4)->flags = DRAIN;
	ASSERT_EQ(4, ring_submit(r));
	/* what is fed early is read when its turn comes */
	feed(_metadata, c);
	EXPECT_TRUE(ring_quiet(r, 10));
	feed(_metadata, a);
	SEE(r, { 1, 1 });
	feed(_metadata, b);
	SEE(r, { 2, 1 }, { 3, 1 }, { 4, 0 });
}

/* --- what comes behind --------------------------------------------------- */

/* While it waits, all that comes later is held back, in any ENTER. */
TEST_F(drain, holds_back_what_follows)
{
	struct ring *r = &self->r;
	int a;

	a = prep_waiting(_metadata, r, 1);
	prep_nop(r, 2)->flags = DRAIN;
	prep_nop(r, 3);
	ASSERT_EQ(3, ring_submit(r));
	prep_nop(r, 4)->flags = LINK;
	prep_nop(r, 5);
	ASSERT_EQ(2, ring_submit(r));
	EXPECT_TRUE(ring_quiet(r, 10));
	feed(_metadata, a);
	ASSERT_EQ(0, ring_wait(r, 5));
	EXPECT_EQ(1, r->cqes[0].user_data);
	SEE_SET(r, { 1, 1 }, { 2, 0 }, { 3, 0 }, { 4, 0 }, { 5, 0 });
	/* and afterwards nothing is */
	prep_nop(r, 6);
	ASSERT_EQ(1, ring_submit(r));
	EXPECT_EQ(1, ring_ready(r));
	SEE(r, { 6, 0 });
}

/*
 * The man page says that new SQEs are not started before the drained one is
 * complete. They are: what has no flag of its own starts when the drained one
 * starts.
 */
TEST_F(drain, does_not_hold_back_once_it_runs)
{
	struct ring *r = &self->r;
	int a, b;

	a = prep_waiting(_metadata, r, 1);
	b = prep_waiting(_metadata, r, 2);
	r->sqes[(r->tail - 1) & 63].flags = DRAIN;
	prep_nop(r, 3);
	ASSERT_EQ(3, ring_submit(r));
	EXPECT_TRUE(ring_quiet(r, 10));
	feed(_metadata, a);
	SEE(r, { 1, 1 }, { 3, 0 });
	prep_nop(r, 4);
	EXPECT_EQ(0, ring_run(r));
	feed(_metadata, b);
	SEE(r, { 2, 1 });
	/* with nothing before it, it runs at once */
	b = prep_waiting(_metadata, r, 2);
	r->sqes[(r->tail - 1) & 63].flags = DRAIN;
	prep_nop(r, 3);
	ASSERT_EQ(2, ring_submit(r));
	SEE(r, { 3, 0 });
	feed(_metadata, b);
	SEE(r, { 2, 1 });
}

/* A request that was held back counts for the next drained one. */
TEST_F(drain, what_was_held_back_is_waited_for)
{
	struct ring *r = &self->r;
	int a, b;

	a = prep_waiting(_metadata, r, 1);
	prep_nop(r, 2)->flags = DRAIN;
	b = prep_waiting(_metadata, r, 3);
	prep_nop(r, 4)->flags = DRAIN;
	prep_nop(r, 5);
	ASSERT_EQ(5, ring_submit(r));
	EXPECT_TRUE(ring_quiet(r, 5));
	feed(_metadata, a);
	SEE(r, { 1, 1 }, { 2, 0 });
	feed(_metadata, b);
	ASSERT_EQ(0, ring_wait(r, 3));
	SEE_SET(r, { 3, 1 }, { 4, 0 }, { 5, 0 });
}

/* --- chains -------------------------------------------------------------- */

TEST_F(drain, at_the_head_of_a_chain)
{
	struct ring *r = &self->r;
	int a, b;

	a = prep_waiting(_metadata, r, 1);
	prep_nop(r, 2)->flags = DRAIN | LINK;
	b = prep_waiting(_metadata, r, 3);
	r->sqes[(r->tail - 1) & 63].flags = LINK;
	prep_nop(r, 4);
	prep_nop(r, 5);
	ASSERT_EQ(5, ring_submit(r));
	EXPECT_TRUE(ring_quiet(r, 10));
	feed(_metadata, a);
	ASSERT_EQ(0, ring_wait(r, 3));
	SEE_SET(r, { 1, 1 }, { 2, 0 }, { 5, 0 });
	feed(_metadata, b);
	SEE(r, { 3, 1 }, { 4, 0 });
}

/*
 * On a later member it makes the head wait, and also what comes next after
 * the chain: as if both had the flag.
 */
TEST_F(drain, in_the_middle_of_a_chain)
{
	struct ring *r = &self->r;

	for (int last = 0; last < 2; last++) {
		struct aring_cqe cqe;
		int a, b;

		a = prep_waiting(_metadata, r, 1);
		prep_nop(r, 2)->flags = LINK;
		b = prep_waiting(_metadata, r, 3);
		r->sqes[(r->tail - 1) & 63].flags = LINK | (last ? 0 : DRAIN);
		prep_nop(r, 4)->flags = last ? DRAIN : 0;
		prep_nop(r, 5)->flags = LINK;
		prep_nop(r, 6);
		prep_nop(r, 7);
		ASSERT_EQ(7, ring_submit(r));
		EXPECT_TRUE(ring_quiet(r, 10));
		feed(_metadata, a);
		SEE(r, { 1, 1 }, { 2, 0 });
		feed(_metadata, b);
		ASSERT_EQ(0, ring_wait(r, 5));
		ASSERT_TRUE(ring_reap(r, &cqe));
		EXPECT_EQ(3, cqe.user_data);
		SEE_SET(r, { 4, 0 }, { 5, 0 }, { 6, 0 }, { 7, 0 });
		CHECK_TRUE(_metadata->passed, "last %d", last);
	}
}

/* Also if what comes next does so in a later ENTER. */
TEST_F(drain, in_a_chain_reaches_over_ENTER)
{
	struct ring *r = &self->r;
	int b;

	prep_nop(r, 1)->flags = LINK;
	b = prep_waiting(_metadata, r, 2);
	r->sqes[(r->tail - 1) & 63].flags = DRAIN;
	ASSERT_EQ(2, ring_submit(r));
	SEE(r, { 1, 0 });
	prep_nop(r, 3);
	prep_nop(r, 4);
	ASSERT_EQ(2, ring_submit(r));
	EXPECT_TRUE(ring_quiet(r, 10));
	feed(_metadata, b);
	ASSERT_EQ(0, ring_wait(r, 3));
	SEE_SET(r, { 2, 1 }, { 3, 0 }, { 4, 0 });
}

TEST_F(drain, a_chain_before_it)
{
	struct ring *r = &self->r;
	int a, b;

	a = prep_waiting(_metadata, r, 1);
	r->sqes[(r->tail - 1) & 63].flags = LINK;
	b = prep_waiting(_metadata, r, 2);
	r->sqes[(r->tail - 1) & 63].flags = LINK;
	prep_nop(r, 3);
	prep_nop(r, 4)->flags = DRAIN;
	ASSERT_EQ(4, ring_submit(r));
	feed(_metadata, a);
	SEE(r, { 1, 1 });
	feed(_metadata, b);
	SEE(r, { 2, 1 }, { 3, 0 }, { 4, 0 });
	/* one that breaks */
	a = prep_waiting(_metadata, r, 1);
	prep_ebadf(r, 2)->flags = LINK;
	prep_nop(r, 3);
	prep_nop(r, 4)->flags = DRAIN;
	ASSERT_EQ(4, ring_submit(r));
	SEE(r, { 2, -EBADF }, { 3, -ECANCELED });
	feed(_metadata, a);
	SEE(r, { 1, 1 }, { 4, 0 });
}

/* Its time begins when its target does, which is after the wait. */
TEST_F(drain, a_linked_timeout_behind_it)
{
	struct __kernel_timespec soon = to_ts(ms(5)), far = to_ts(ms(100000));
	struct ring *r = &self->r;
	char c;
	int a, s[2];

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	for (int fires = 0; fires < 2; fires++) {
		a = prep_waiting(_metadata, r, 1);
		prep_read(r, s[0], &c, 1, 0, 2)->flags = DRAIN | LINK;
		prep_link_timeout(r, fires ? &soon : &far, 0, 3)->flags = LINK;
		prep_nop(r, 4);
		ASSERT_EQ(4, ring_submit(r));
		EXPECT_TRUE(ring_quiet(r, 20));
		feed(_metadata, a);
		if (fires) {
			SEE_SET(r, { 1, 1 }, { 2, -ECANCELED }, { 3, -ETIME },
				{ 4, -ECANCELED });
			continue;
		}
		SEE(r, { 1, 1 });
		feed(_metadata, s[1]);
		SEE_SET(r, { 2, 1 }, { 3, -ECANCELED }, { 4, 0 });
	}
	/* a drained one waits for linked timeouts, too */
	prep_read(r, s[0], &c, 1, 0, 1)->flags = LINK;
	prep_link_timeout(r, &soon, 0, 2);
	prep_nop(r, 3)->flags = DRAIN;
	ASSERT_EQ(3, ring_submit(r));
	SEE(r, { 1, -ECANCELED }, { 2, -ETIME }, { 3, 0 });
}

/* --- refusals ------------------------------------------------------------ */

/* A bad SQE does not wait; and it holds nothing back. */
TEST_F(drain, a_bad_one_fails_at_once)
{
	struct ring *r = &self->r;
	int a;

	a = prep_waiting(_metadata, r, 1);
	prep_nop(r, 2)->flags = DRAIN;
	r->sqes[(r->tail - 1) & 63].ioprio = 1;
	ASSERT_EQ(2, ring_submit(r));
	SEE(r, { 2, -EINVAL });
	prep_nop(r, 3)->flags = DRAIN;
	r->sqes[(r->tail - 1) & 63].opcode = 255;
	ASSERT_EQ(1, ring_submit(r));
	SEE(r, { 3, -EINVAL });
	prep_nop(r, 4);
	EXPECT_EQ(0, ring_run(r));
	feed(_metadata, a);
	SEE(r, { 1, 1 });
}

/*
 * One SQE with CQE_SKIP_SUCCESS, and DRAIN is over for this ring: completions
 * can no longer be counted.
 */
TEST_F(drain, is_refused_after_the_first_SKIP)
{
	struct ring *r = &self->r;

	/* a bad opcode or bad flag does not count */
	prep(r, 255, -1, NULL, 0, 0, 1)->flags = SKIP_OK;
	EXPECT_EQ(-EINVAL, ring_run(r));
	prep_nop(r, 1)->flags = SKIP_OK | 0x80;
	EXPECT_EQ(-EINVAL, ring_run(r));
	prep_nop(r, 1)->flags = DRAIN;
	EXPECT_EQ(0, ring_run(r));
	prep_nop(r, 2)->flags = SKIP_OK;
	prep_nop(r, 3)->flags = DRAIN;
	prep_nop(r, 4);
	ASSERT_EQ(2, ring_submit(r));
	SEE(r, { 3, -EOPNOTSUPP });
	ASSERT_EQ(1, ring_submit(r));
	SEE(r, { 4, 0 });
	for (int i = 0; i < 3; i++) {
		prep_nop(r, 5)->flags = DRAIN;
		EXPECT_EQ(-EOPNOTSUPP, ring_run(r));
	}
	/* in a chain as any bad SQE */
	prep_nop(r, 1)->flags = LINK;
	prep_nop(r, 2)->flags = DRAIN | LINK;
	prep_nop(r, 3);
	ASSERT_EQ(3, ring_submit(r));
	SEE(r, { 1, -ECANCELED }, { 2, -EOPNOTSUPP }, { 3, -ECANCELED });
}

TEST_F(drain, with_SKIP_is_refused)
{
	struct ring *r = &self->r;
	struct ring other;

	prep_nop(r, 1)->flags = DRAIN | SKIP_OK;
	EXPECT_EQ(-EOPNOTSUPP, ring_run(r));
	prep_nop(r, 1)->flags = DRAIN;
	EXPECT_EQ(-EOPNOTSUPP, ring_run(r));
	/* another ring is another matter; and there a bad field does count */
	ASSERT_EQ(0, ring_init(&other, variant->backend, 4, 0));
	prep_nop(&other, 1)->flags = DRAIN;
	EXPECT_EQ(0, ring_run(&other));
	prep_nop(&other, 1)->flags = SKIP_OK;
	other.sqes[(other.tail - 1) & 3].ioprio = 1;
	EXPECT_EQ(-EINVAL, ring_run(&other));
	prep_nop(&other, 1)->flags = DRAIN;
	EXPECT_EQ(-EOPNOTSUPP, ring_run(&other));
	ring_exit(&other);
}

/* --- cancelling, and the end --------------------------------------------- */

/* A cancel comes after the drained request, and so is held back with it. */
TEST_F(drain, a_cancel_behind_it_is_held_back)
{
	struct ring *r = &self->r;
	int a;

	a = prep_waiting(_metadata, r, 1);
	prep_nop(r, 2)->flags = DRAIN;
	ASSERT_EQ(2, ring_submit(r));
	prep_cancel(r, 1, 0, 3);
	ASSERT_EQ(1, ring_submit(r));
	EXPECT_TRUE(ring_quiet(r, 10));
	feed(_metadata, a);
	SEE_SET(r, { 1, 1 }, { 2, 0 }, { 3, -ENOENT });
}

static int sync_cancel(struct ring *r, __u64 user_data)
{
	struct aring_sync_cancel_reg reg = {
		.addr = user_data, .fd = -1, .timeout = { -1, -1 },
	};

	return ring_register(r, ARING_REGISTER_SYNC_CANCEL, &reg, 1);
}

/*
 * SYNC_CANCEL is held back by nothing. io_uring 6.1 does not find what waits
 * for its drain; the device takes it back.
 */
TEST_F(drain, cancelling_one_that_waits)
{
	bool found = variant->backend == DEVICE;
	struct ring *r = &self->r;
	int a, last;

	a = prep_waiting(_metadata, r, 1);
	prep_nop(r, 2)->flags = DRAIN | LINK;
	prep_nop(r, 3);
	prep_nop(r, 4);
	ASSERT_EQ(4, ring_submit(r));
	EXPECT_EQ(found ? 0 : -ENOENT, sync_cancel(r, 2));
	/* Without 2 it waits for nothing, and a worker may be faster than we. */
	last = sync_cancel(r, 4);
	if (!found || last)
		EXPECT_EQ(-ENOENT, last);
	feed(_metadata, a);
	if (found)
		SEE_SET(r, { 2, -ECANCELED }, { 3, -ECANCELED },
			{ 4, last ? 0 : -ECANCELED }, { 1, 1 });
	else
		SEE_SET(r, { 1, 1 }, { 2, 0 }, { 3, 0 }, { 4, 0 });
	/* what it waits for, is found */
	prep_waiting(_metadata, r, 1);
	prep_nop(r, 2)->flags = DRAIN;
	ASSERT_EQ(2, ring_submit(r));
	EXPECT_EQ(0, sync_cancel(r, 1));
	SEE(r, { 1, -ECANCELED }, { 2, 0 });
}

/* Everything is let go, and nothing that waited is done. */
TEST_F(drain, closing_with_drained_requests_waiting)
{
	for (int end = 0; end < 3; end++) {
		int a[2], b[2], ready[2], status;
		static char c;
		struct ring r;
		pid_t pid;

		ASSERT_EQ(0, pipe(a));
		ASSERT_EQ(0, pipe(b));
		ASSERT_EQ(0, pipe(ready));
		pid = end ? fork() : 0;
		if (!pid) {
			ASSERT_EQ(0, ring_init(&r, variant->backend, 8, 0));
			prep_read(&r, a[0], &c, 1, 0, 1);
			prep_write(&r, b[1], "x", 1, 0, 2)->flags = DRAIN;
			prep_write(&r, b[1], "x", 1, 0, 3)->flags = LINK;
			prep_write(&r, b[1], "x", 1, 0, 4);
			ASSERT_EQ(4, ring_submit(&r));
			if (end)
				close(a[1]);
			feed(_metadata, ready[1]);
			if (end == 1)
				_exit(0);
			if (end == 2)
				pause();
			ring_exit(&r);
		}
		close(a[0]);
		close(b[1]);
		if (end) {
			ASSERT_EQ(1, read(ready[0], &c, 1));
			kill(pid, SIGKILL);
			ASSERT_EQ(pid, waitpid(pid, &status, 0));
		}
		CHECK_TRUE(readers_go(a[1]), "end %d", end);
		CHECK_EQ(0, read(b[0], &c, 1), "end %d", end);
	}
}

/* --- many ---------------------------------------------------------------- */

/*
 * NOPs, timeouts and drained ones at random: each drained one completes after
 * all that were submitted before it.
 */
TEST_F_TIMEOUT(drain, at_random, 60)
{
	unsigned long rounds = test_scale(200, 20);
	struct ring *r = &self->r;
	__u64 seed = 99;

	for (unsigned long k = 0; k < rounds; k++) {
		int n = 2 + rnd(&seed) % 31;
		struct __kernel_timespec ts[32];
		bool drained[32], over[32] = { false };
		struct aring_cqe cqe;

		for (int i = 0; i < n; i++) {
			struct aring_sqe *s;

			ts[i] = to_ts(rnd(&seed) % 1000000);
			s = rnd(&seed) % 2 ? prep_nop(r, i) :
			    prep_timeout(r, &ts[i], 0, 0, i);
			drained[i] = rnd(&seed) % 4 == 0;
			s->flags = drained[i] ? DRAIN : 0;
			if (rnd(&seed) % 4 == 0)
				ASSERT_GE(ring_submit(r), 1);
		}
		ring_submit(r);
		for (int i = 0; i < n; i++) {
			NEED_EQ(0, ring_cqe(r, &cqe), "round %lu, %d of %d", k,
				i, n);
			ASSERT_LT(cqe.user_data, n);
			for (int j = 0; drained[cqe.user_data] &&
			     j < (int)cqe.user_data; j++)
				NEED_TRUE(over[j], "round %lu: %d before %d",
					  k, (int)cqe.user_data, j);
			over[cqe.user_data] = true;
		}
		NEED_TRUE(!ring_ready(r), "round %lu", k);
	}
}

RING_TEST_MAIN
