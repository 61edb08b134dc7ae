// SPDX-License-Identifier: MIT
/*
 * Steering: completions that come late, by a time or behind another request.
 */
#include "clock.h"
#include "steer.h"

STEER_FIXTURE(steer_late, 0);

/* ---- late ----------------------------------------------------------------- */

TEST_F(steer_late, delay)
{
	struct ring *r = &self->r;

	FOR_SUBJECTS(s) {
		__u64 start = now_ns();

		ASSERT_EQ(0, steer_for(r, 7, ARING_ACT_DELAY, ms(20)));
		s->prep(r, &self->f, 7);
		NEED_EQ(1, ring_submit(r), "%s", s->name);
		NEED_TRUE(steer_wait_held(r, 7, ARING_ACT_DELAY), "%s",
			  s->name);
		prep_cancel(r, 7, 0, 9);
		ASSERT_EQ(1, ring_submit(r));
		ONE(9, -EALREADY, s->name);
		ONE(7, s->res, s->name);
		CHECK_LE(ms(20), now_ns() - start, "%s", s->name);
		NO_MORE(s->name);
		ASSERT_EQ(0, steer_clear(r));
	}
}

TEST_F(steer_late, delay_cut_short)
{
	struct ring *r = &self->r;

	ASSERT_EQ(0, steer_for(r, 7, ARING_ACT_DELAY, 1000 * ms(1000)));
	prep_nop(r, 7);
	ASSERT_EQ(1, ring_submit(r));
	EXPECT_EQ(ARING_ACT_DELAY, steer_held_at(r, 7));
	EXPECT_EQ(1, steer_release_all(r));
	SEE(r, { 7, 0 });
}

TEST_F(steer_late, delay_on_a_virtual_clock)
{
	struct aring_clock clock = { .cmd = ARING_CLOCK_VIRTUAL };
	struct ring *r = &self->r;

	ASSERT_EQ(0, ioctl(r->fd, ARING_IOC_CLOCK, &clock));
	ASSERT_EQ(0, steer_for(r, 7, ARING_ACT_DELAY, 1000));
	prep_nop(r, 7);
	ASSERT_EQ(1, ring_submit(r));
	clock.cmd = ARING_CLOCK_ADVANCE;
	clock.time = 999;
	ASSERT_EQ(0, ioctl(r->fd, ARING_IOC_CLOCK, &clock));
	EXPECT_EQ(0, ring_ready(r));
	clock.time = 1;
	ASSERT_EQ(0, ioctl(r->fd, ARING_IOC_CLOCK, &clock));
	EXPECT_EQ(1, ring_ready(r));
	prep_nop(r, 8);
	ASSERT_EQ(1, ring_submit(r));
	EXPECT_EQ(2, ring_ready(r));
}

/* It ends as a timer does: among those of an instant the lower ticket goes first. */
TEST_F(steer_late, delay_and_a_timeout_at_one_instant)
{
	struct aring_clock clock = { .cmd = ARING_CLOCK_VIRTUAL };
	struct __kernel_timespec ts = to_ts(1000);
	struct ring *r = &self->r;

	ASSERT_EQ(0, ioctl(r->fd, ARING_IOC_CLOCK, &clock));
	ASSERT_EQ(0, steer_for(r, 7, ARING_ACT_DELAY, 1000));
	prep_timeout(r, &ts, 0, 0, 6);
	prep_nop(r, 7);
	prep_timeout(r, &ts, 0, 0, 8);
	ASSERT_EQ(3, ring_submit(r));
	clock.cmd = ARING_CLOCK_NEXT;
	ASSERT_EQ(0, ioctl(r->fd, ARING_IOC_CLOCK, &clock));
	CLOCK_EXPECT_CQE(r, 6, -ETIME);
	CLOCK_EXPECT_CQE(r, 7, 0);
	CLOCK_EXPECT_CQE(r, 8, -ETIME);
}

TEST_F(steer_late, after)
{
	struct ring *r = &self->r;

	FOR_SUBJECTS(s) {
		ASSERT_EQ(0, steer_for(r, 7, ARING_ACT_AFTER, 2));
		s->prep(r, &self->f, 7);
		prep_nop(r, 8);
		NEED_EQ(2, ring_submit(r), "%s", s->name);
		ONE(8, 0, s->name);
		NEED_TRUE(steer_wait_held(r, 7, ARING_ACT_AFTER), "%s",
			  s->name);
		prep_nop(r, 9);
		ASSERT_EQ(1, ring_submit(r));
		ONE(9, 0, s->name);
		ONE(7, s->res, s->name);
		NO_MORE(s->name);
		ASSERT_EQ(0, steer_clear(r));
	}
}

/* The successor may be anything, and end in any way. */
TEST_F(steer_late, after_any_successor)
{
	struct ring *r = &self->r;

	FOR_SUBJECTS(s) {
		ASSERT_EQ(0, steer_for(r, 7, ARING_ACT_AFTER, 1));
		prep_nop(r, 7);
		s->prep(r, &self->f, 8);
		NEED_EQ(2, ring_submit(r), "%s", s->name);
		ONE(8, s->res, s->name);
		ONE(7, 0, s->name);
		ASSERT_EQ(0, steer_clear(r));
	}
	/* Refused, also as a member of a chain; and without an SQE. */
	ASSERT_EQ(0, steer_for(r, 7, ARING_ACT_AFTER, 1));
	prep_nop(r, 7);
	prep(r, 255, -1, NULL, 0, 0, 8);
	ASSERT_EQ(2, ring_submit(r));
	SEE(r, { 8, -EINVAL }, { 7, 0 });
	ASSERT_EQ(0, steer_clear(r));

	ASSERT_EQ(0, steer_for(r, 7, ARING_ACT_AFTER, 2));
	prep_nop(r, 7);
	prep_nop(r, 8)->flags = LINK;
	prep(r, 255, -1, NULL, 0, 0, 9);
	ASSERT_EQ(3, ring_submit(r));
	SEE(r, { 8, -ECANCELED }, { 9, -EINVAL }, { 7, 0 });
	ASSERT_EQ(0, steer_clear(r));

	ASSERT_EQ(0, steer_for(r, 7, ARING_ACT_AFTER, 1));
	prep_nop(r, 7);
	prep_nop(r, 8);
	r->sq_array[last_ticket(r) & (r->p.sq_entries - 1)] = 1000;
	ASSERT_EQ(1, ring_submit(r));
	SEE(r, { 7, 0 });
	r->sq_array[last_ticket(r) & (r->p.sq_entries - 1)] =
		last_ticket(r) & (r->p.sq_entries - 1);
}

/* The time limit, dropped with what it was for; and one without a CQE. */
TEST_F(steer_late, after_what_is_dropped_or_silent)
{
	struct ring *r = &self->r;

	ASSERT_EQ(0, steer_for(r, 7, ARING_ACT_AFTER, 2));
	prep_nop(r, 7);
	prep_nop(r, 8)->flags = LINK;
	prep(r, ARING_OP_LINK_TIMEOUT, -1, &long_time, 1, 0, 9);
	ASSERT_EQ(3, ring_submit(r));
	SEE(r, { 8, 0 }, { 9, -ECANCELED }, { 7, 0 });
	ASSERT_EQ(0, steer_clear(r));

	ASSERT_EQ(0, steer_for(r, 7, ARING_ACT_AFTER, 2));
	prep_nop(r, 7);
	sub_ebadf(r, &self->f, 8);
	ring_sqe_at(r, last_ticket(r))->flags = LINK;
	prep_nop(r, 9);
	ASSERT_EQ(3, ring_submit(r));
	SEE(r, { 8, -EBADF }, { 9, -ECANCELED }, { 7, 0 });
	ASSERT_EQ(0, steer_clear(r));

	ASSERT_EQ(0, steer_for(r, 7, ARING_ACT_AFTER, 1));
	prep_nop(r, 7);
	prep_nop(r, 8)->flags = SKIP_OK;
	ASSERT_EQ(2, ring_submit(r));
	SEE(r, { 7, 0 });
}

/* Each behind the next: they come backwards, however many they are. */
TEST_F(steer_late, after_one_another)
{
	struct aring_rule rule = rule_all(ARING_ACT_AFTER, 1);
	struct ring *r = &self->r;
	struct aring_cqe cqe;

	rule.count = 63;
	ASSERT_EQ(0, steer_add(r, &rule, 1));
	for (int i = 0; i < 64; i++)
		prep_nop(r, i);
	ASSERT_EQ(64, ring_submit(r));
	for (int i = 63; i >= 0; i--) {
		ASSERT_EQ(0, ring_cqe(r, &cqe));
		EXPECT_EQ(i, cqe.user_data);
	}
}

/*
 * The same, but it is a timer's interrupt that ends the last, and they are so many
 * that it matters whether each has to be looked for among all the others.
 */
TEST_F(steer_late, a_long_row_behind_a_timer)
{
	struct aring_params p = {
		.flags = ARING_SETUP_CQSIZE, .cq_entries = 65536,
	};
	struct aring_rule rule = rule_all(ARING_ACT_AFTER, 1);
	int n = test_scale(50000, 5000);
	struct aring_cqe cqe;
	__u64 start;
	struct ring r;

	ASSERT_EQ(0, ring_init_params(&r, DEVICE, 4096, &p));
	rule.count = n;
	ASSERT_EQ(0, steer_add(&r, &rule, 1));
	start = now_ns();
	for (int i = 0; i < n; i++) {
		prep_nop(&r, i);
		if (i % 4096 == 4095)
			ASSERT_EQ(4096, ring_submit(&r));
	}
	prep_timeout(&r, &short_time, 0, 0, n);
	ASSERT_EQ(n % 4096 + 1, ring_submit(&r));
	for (int i = n; i >= 0; i--) {
		NEED_EQ(0, ring_cqe(&r, &cqe), "no. %d", i);
		NEED_EQ((__u64)i, cqe.user_data, "no. %d", i);
	}
	EXPECT_LE(now_ns() - start, ms(10000) * test_slow());
	ring_exit(&r);
}

TEST_F(steer_late, after_released_or_never)
{
	struct ring *r = &self->r;

	ASSERT_EQ(0, steer_for(r, 7, ARING_ACT_AFTER, 5));
	prep_nop(r, 7);
	prep_nop(r, 8);
	ASSERT_EQ(2, ring_submit(r));
	SEE(r, { 8, 0 });
	EXPECT_EQ(1, steer_release_all(r));
	SEE(r, { 7, 0 });
	ASSERT_EQ(0, steer_clear(r));
	/* Left there when the ring is closed. */
	ASSERT_EQ(0, steer_for(r, 7, ARING_ACT_AFTER, 5));
	prep_nop(r, 7);
	ASSERT_EQ(1, ring_submit(r));
}

TEST_F(steer_late, after_behind_hold_done)
{
	const struct aring_rule rules[] = {
		rule_for(7, ARING_ACT_HOLD_DONE, 0),
		rule_for(7, ARING_ACT_AFTER, 1),
	};
	struct ring *r = &self->r;

	ASSERT_EQ(0, steer_add(r, rules, 2));
	prep_nop(r, 7);
	ASSERT_EQ(1, ring_submit(r));
	EXPECT_EQ(ARING_ACT_HOLD_DONE, steer_held_at(r, 7));
	EXPECT_EQ(1, steer_release_all(r));
	EXPECT_EQ(ARING_ACT_AFTER, steer_held_at(r, 7));
	prep_nop(r, 8);
	ASSERT_EQ(1, ring_submit(r));
	SEE(r, { 8, 0 }, { 7, 0 });
}

RING_TEST_MAIN
