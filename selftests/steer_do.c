// SPDX-License-Identifier: MIT
/*
 * Steering: what each action does to which operation. Each request ends with
 * exactly one CQE, what a cancel is told is what then happens, and what is let go
 * does what it would have done.
 */
#include "steer.h"

STEER_FIXTURE(steer_do, 0);

/* ---- holds ---------------------------------------------------------------- */

TEST_F(steer_do, held_early_and_released)
{
	struct ring *r = &self->r;

	FOR_SUBJECTS(s) FOR_EARLY(i) {
		__u32 ticket;

		ASSERT_EQ(0, steer_for(r, 7, early[i], 0));
		s->prep(r, &self->f, 7);
		ticket = last_ticket(r);
		prep_nop(r, 8);
		NEED_EQ(2, ring_submit(r), "%s", s->name);
		ONE(8, 0, s->name);
		NO_MORE(s->name);
		CHECK_EQ(early[i], steer_held_at(r, 7), "%s", s->name);
		CHECK_EQ(0, steer_release(r, ticket), "%s", s->name);
		ONE(7, s->res, s->name);
		NO_MORE(s->name);
		EXPECT_EQ(-ENOENT, steer_release(r, ticket));
		EXPECT_EQ(0, steer_held(r, NULL, 0));
		ASSERT_EQ(0, steer_clear(r));
	}
}

TEST_F(steer_do, held_early_and_cancelled)
{
	struct ring *r = &self->r;

	FOR_SUBJECTS(s) FOR_EARLY(i) {
		ASSERT_EQ(0, steer_for(r, 7, early[i], 0));
		s->prep(r, &self->f, 7);
		NEED_EQ(1, ring_submit(r), "%s", s->name);
		CHECK_EQ(early[i], steer_held_at(r, 7), "%s", s->name);
		prep_cancel(r, 7, 0, 9);
		ASSERT_EQ(1, ring_submit(r));
		ONE(7, -ECANCELED, s->name);
		ONE(9, 0, s->name);
		prep_cancel(r, 7, 0, 10);
		ASSERT_EQ(1, ring_submit(r));
		ONE(10, -ENOENT, s->name);
		EXPECT_EQ(0, steer_held(r, NULL, 0));
		ASSERT_EQ(0, steer_clear(r));
	}
	/* Nothing of it has been done. */
	ASSERT_EQ(3, read(self->f.pipe[0], self->f.buf, 8));
}

TEST_F(steer_do, held_done)
{
	struct ring *r = &self->r;

	FOR_SUBJECTS(s) {
		struct aring_held held = { 0 };
		__u32 ticket;

		ASSERT_EQ(0, steer_for(r, 7, ARING_ACT_HOLD_DONE, 0));
		s->prep(r, &self->f, 7);
		ticket = last_ticket(r);
		NEED_EQ(1, ring_submit(r), "%s", s->name);
		NEED_TRUE(steer_wait_held(r, 7, ARING_ACT_HOLD_DONE), "%s",
			  s->name);
		ASSERT_EQ(1, steer_held(r, &held, 1));
		CHECK_EQ(s->res, held.res, "%s", s->name);
		CHECK_EQ(ticket, held.ticket, "%s", s->name);
		prep_cancel(r, 7, 0, 9);
		prep_cancel(r, ticket, ARING_ASYNC_CANCEL_TICKET, 10);
		ASSERT_EQ(2, ring_submit(r));
		ONE(9, -EALREADY, s->name);
		ONE(10, -EALREADY, s->name);
		NO_MORE(s->name);
		EXPECT_EQ(1, steer_release_all(r));
		ONE(7, s->res, s->name);
		NO_MORE(s->name);
		ASSERT_EQ(0, steer_clear(r));
	}
}

/* In which order they come is for who lets them go. */
TEST_F(steer_do, release_in_any_order)
{
	struct ring *r = &self->r;
	__u32 first = r->tail;

	ASSERT_EQ(0, steer_all(r, ARING_ACT_HOLD_DONE, 0));
	for (int i = 0; i < 5; i++)
		prep_nop(r, i);
	ASSERT_EQ(5, ring_submit(r));
	EXPECT_EQ(5, steer_held(r, NULL, 0));
	EXPECT_EQ(0, steer_release(r, first + 3));
	EXPECT_EQ(0, steer_release(r, first + 1));
	EXPECT_EQ(3, steer_release_all(r));
	SEE(r, { 3, 0 }, { 1, 0 }, { 0, 0 }, { 2, 0 }, { 4, 0 });
	EXPECT_EQ(0, steer_release_all(r));
}

/* A time begins to run when the TIMEOUT is let go, not before. */
TEST_F(steer_do, time_of_a_held_timeout)
{
	struct __kernel_timespec ts = to_ts(ms(30));
	struct ring *r = &self->r;
	__u64 start;

	FOR_EARLY(i) {
		ASSERT_EQ(0, steer_for(r, 7, early[i], 0));
		prep_timeout(r, &ts, 0, 0, 7);
		ASSERT_EQ(1, ring_submit(r));
		EXPECT_TRUE(ring_quiet(r, 50));
		start = now_ns();
		ASSERT_EQ(1, steer_release_all(r));
		SEE(r, { 7, -ETIME });
		EXPECT_LE(ms(30), now_ns() - start);
		ASSERT_EQ(0, steer_clear(r));
	}
}

/* One that counts completions, held when it has counted enough. */
TEST_F(steer_do, counting_timeout_held_done)
{
	struct ring *r = &self->r;

	ASSERT_EQ(0, steer_for(r, 7, ARING_ACT_HOLD_DONE, 0));
	prep_timeout(r, &long_time, 1, 0, 7);
	prep_nop(r, 8);
	ASSERT_EQ(2, ring_submit(r));
	SEE(r, { 8, 0 });
	EXPECT_EQ(ARING_ACT_HOLD_DONE, steer_held_at(r, 7));
	prep_cancel(r, 7, 0, 9);
	ASSERT_EQ(1, ring_submit(r));
	SEE(r, { 9, -EALREADY });
	EXPECT_EQ(1, steer_release_all(r));
	SEE(r, { 7, 0 });
}

/* What waits for nothing after it was let go waits as always. */
TEST_F(steer_do, release_then_wait_for_a_peer)
{
	struct ring *r = &self->r;
	int p[2];

	FOR_EARLY(i) {
		ASSERT_EQ(0, pipe(p));
		ASSERT_EQ(0, steer_for(r, 7, early[i], 0));
		prep_read(r, p[0], self->f.buf, 4, -1, 7);
		ASSERT_EQ(1, ring_submit(r));
		ASSERT_EQ(1, steer_release_all(r));
		EXPECT_TRUE(ring_quiet(r, 5));
		ASSERT_EQ(2, write(p[1], "hi", 2));
		SEE(r, { 7, 2 });
		ASSERT_EQ(0, steer_clear(r));
		close(p[0]);
		close(p[1]);
	}
}

/* ---- chains, drains, time limits ------------------------------------------ */

TEST_F(steer_do, member_of_a_chain)
{
	struct ring *r = &self->r;

	/* The second is QUEUED behind the first, and is held so. */
	FOR_EARLY(i) {
		ASSERT_EQ(0, steer_for(r, 2, early[i], 0));
		prep_nop(r, 1)->flags = LINK;
		prep_nop(r, 2)->flags = LINK;
		prep_nop(r, 3);
		ASSERT_EQ(3, ring_submit(r));
		SEE(r, { 1, 0 });
		EXPECT_EQ(early[i], steer_held_at(r, 2));
		EXPECT_EQ(1, steer_release_all(r));
		SEE(r, { 2, 0 }, { 3, 0 });
		ASSERT_EQ(0, steer_clear(r));

		ASSERT_EQ(0, steer_for(r, 2, early[i], 0));
		prep_nop(r, 1)->flags = LINK;
		prep_nop(r, 2)->flags = LINK;
		prep_nop(r, 3);
		ASSERT_EQ(3, ring_submit(r));
		prep_cancel(r, 2, 0, 9);
		ASSERT_EQ(1, ring_submit(r));
		SEE(r, { 1, 0 }, { 2, -ECANCELED }, { 3, -ECANCELED },
		    { 9, 0 });
		ASSERT_EQ(0, steer_clear(r));
	}
}

TEST_F(steer_do, member_whose_turn_has_not_come)
{
	struct ring *r = &self->r;
	int p[2];

	FOR_EARLY(i) {
		ASSERT_EQ(0, pipe(p));
		ASSERT_EQ(0, steer_for(r, 2, early[i], 0));
		prep_read(r, p[0], self->f.buf, 1, -1, 1)->flags = LINK;
		prep_nop(r, 2);
		ASSERT_EQ(2, ring_submit(r));
		EXPECT_EQ(0, steer_held(r, NULL, 0));
		ASSERT_EQ(1, write(p[1], "x", 1));
		SEE(r, { 1, 1 });
		EXPECT_TRUE(steer_wait_held(r, 2, early[i]));
		EXPECT_EQ(1, steer_release_all(r));
		SEE(r, { 2, 0 });
		ASSERT_EQ(0, steer_clear(r));
		close(p[0]);
		close(p[1]);
	}
}

TEST_F(steer_do, head_of_a_chain)
{
	struct ring *r = &self->r;

	FOR_SUBJECTS(s) FOR_HOLDS(a) {
		bool fails = s->res < 0;

		ASSERT_EQ(0, steer_for(r, 1, a, 0));
		s->prep(r, &self->f, 1);
		ring_sqe_at(r, last_ticket(r))->flags |= LINK;
		prep_nop(r, 2);
		NEED_EQ(2, ring_submit(r), "%s", s->name);
		NEED_TRUE(steer_wait_held(r, 1, a), "%s", s->name);
		NO_MORE(s->name);
		EXPECT_EQ(1, steer_release_all(r));
		ONE(1, s->res, s->name);
		ONE(2, fails ? -ECANCELED : 0, s->name);
		NO_MORE(s->name);
		ASSERT_EQ(0, steer_clear(r));
	}
}

TEST_F(steer_do, drain_waits_for_what_is_held)
{
	struct ring *r = &self->r;

	FOR_HOLDS(a) {
		ASSERT_EQ(0, steer_for(r, 1, a, 0));
		prep_nop(r, 1);
		prep_nop(r, 2)->flags = DRAIN;
		ASSERT_EQ(2, ring_submit(r));
		EXPECT_TRUE(ring_quiet(r, 5));
		EXPECT_EQ(1, steer_release_all(r));
		SEE(r, { 1, 0 }, { 2, 0 });
		ASSERT_EQ(0, steer_clear(r));
	}
}

TEST_F(steer_do, drained_request_is_held)
{
	struct ring *r = &self->r;
	int p[2];

	FOR_HOLDS(a) {
		ASSERT_EQ(0, pipe(p));
		ASSERT_EQ(0, steer_for(r, 2, a, 0));
		prep_read(r, p[0], self->f.buf, 1, -1, 1);
		prep_nop(r, 2)->flags = DRAIN;
		prep_nop(r, 3);
		ASSERT_EQ(3, ring_submit(r));
		EXPECT_TRUE(ring_quiet(r, 5));
		EXPECT_EQ(0, steer_held(r, NULL, 0));
		ASSERT_EQ(1, write(p[1], "x", 1));
		/* What stands behind it is let go with it. */
		SEE(r, { 1, 1 }, { 3, 0 });
		EXPECT_TRUE(steer_wait_held(r, 2, a));
		EXPECT_EQ(1, steer_release_all(r));
		SEE(r, { 2, 0 });
		ASSERT_EQ(0, steer_clear(r));
		close(p[0]);
		close(p[1]);
	}
}

/* To be held is an attempt that lasts: the time limit runs. */
TEST_F(steer_do, time_limit_of_what_is_held)
{
	struct ring *r = &self->r;

	FOR_SUBJECTS(s) FOR_EARLY(i) {
		ASSERT_EQ(0, steer_for(r, 1, early[i], 0));
		s->prep(r, &self->f, 1);
		ring_sqe_at(r, last_ticket(r))->flags |= LINK;
		prep(r, ARING_OP_LINK_TIMEOUT, -1, &short_time, 1, 0, 2);
		NEED_EQ(2, ring_submit(r), "%s", s->name);
		ONE(1, -ECANCELED, s->name);
		ONE(2, -ETIME, s->name);
		NO_MORE(s->name);
		EXPECT_EQ(0, steer_held(r, NULL, 0));
		ASSERT_EQ(0, steer_clear(r));
	}
}

TEST_F(steer_do, time_limit_of_what_is_done)
{
	struct ring *r = &self->r;

	FOR_SUBJECTS(s) {
		ASSERT_EQ(0, steer_for(r, 1, ARING_ACT_HOLD_DONE, 0));
		s->prep(r, &self->f, 1);
		ring_sqe_at(r, last_ticket(r))->flags |= LINK;
		prep(r, ARING_OP_LINK_TIMEOUT, -1, &long_time, 1, 0, 2);
		NEED_EQ(2, ring_submit(r), "%s", s->name);
		NEED_TRUE(steer_wait_held(r, 1, ARING_ACT_HOLD_DONE), "%s",
			  s->name);
		/* Now it is to fire. */
		prep(r, ARING_OP_TIMEOUT_REMOVE, -1, (void *)2, 0,
		     (uintptr_t)&short_time, 3)->timeout_flags =
			ARING_LINK_TIMEOUT_UPDATE | ARING_TIMEOUT_UPDATE;
		ASSERT_EQ(1, ring_submit(r));
		ONE(3, 0, s->name);
		ONE(2, -EALREADY, s->name);
		EXPECT_EQ(1, steer_release_all(r));
		ONE(1, s->res, s->name);
		NO_MORE(s->name);
		ASSERT_EQ(0, steer_clear(r));
	}
}

TEST_F(steer_do, time_limit_of_a_held_member)
{
	struct ring *r = &self->r;

	FOR_EARLY(i) {
		ASSERT_EQ(0, steer_for(r, 2, early[i], 0));
		prep_nop(r, 1)->flags = LINK;
		prep_nop(r, 2)->flags = LINK;
		prep(r, ARING_OP_LINK_TIMEOUT, -1, &short_time, 1, 0, 3);
		ASSERT_EQ(3, ring_submit(r));
		SEE(r, { 1, 0 }, { 2, -ECANCELED }, { 3, -ETIME });
		ASSERT_EQ(0, steer_clear(r));
	}
}

RING_TEST_MAIN
