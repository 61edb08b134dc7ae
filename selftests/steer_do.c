// SPDX-License-Identifier: MIT
/*
 * Steering: what each action does to which operation. Each request ends with
 * exactly one CQE, and what a cancel is told is what then happens.
 */
#include "steer.h"
#include <sys/socket.h>

DEVICE_FIXTURE(steer_do);

/* The ticket of the SQE prepared last. */
static __u32 last_ticket(const struct ring *r)
{
	return r->tail - 1;
}

static const unsigned int early[] = {
	ARING_ACT_HOLD_QUEUED, ARING_ACT_HOLD_STARTED, ARING_ACT_CANCEL_WINS,
};

#define FOR_EARLY(i) for (unsigned int i = 0; i < 3; i++)

TEST_F(steer_do, hold_nop_and_release)
{
	struct ring *r = &self->r;

	FOR_EARLY(i) {
		__u32 ticket;

		ASSERT_EQ(0, steer_for(r, 7, early[i], 0));
		prep_nop(r, 7);
		ticket = last_ticket(r);
		prep_nop(r, 8);
		ASSERT_EQ(2, ring_submit(r));
		SEE(r, { 8, 0 });
		EXPECT_EQ(early[i], steer_held_at(r, 7));
		EXPECT_EQ(0, steer_release(r, ticket));
		EXPECT_EQ(1, ring_ready(r));
		SEE(r, { 7, 0 });
		EXPECT_EQ(-ENOENT, steer_release(r, ticket));
		EXPECT_EQ(0, steer_held(r, NULL, 0));
		ASSERT_EQ(0, steer_clear(r));
	}
}

TEST_F(steer_do, hold_and_cancel)
{
	struct ring *r = &self->r;

	FOR_EARLY(i) {
		ASSERT_EQ(0, steer_for(r, 7, early[i], 0));
		prep_nop(r, 7);
		ASSERT_EQ(1, ring_submit(r));
		EXPECT_EQ(early[i], steer_held_at(r, 7));
		prep_cancel(r, 7, 0, 9);
		ASSERT_EQ(1, ring_submit(r));
		SEE(r, { 7, -ECANCELED }, { 9, 0 });
		EXPECT_EQ(0, steer_held(r, NULL, 0));
		ASSERT_EQ(0, steer_clear(r));
	}
}

TEST_F(steer_do, hold_done)
{
	struct ring *r = &self->r;
	struct aring_held held = { 0 };

	ASSERT_EQ(0, steer_for(r, 7, ARING_ACT_HOLD_DONE, 0));
	prep_nop(r, 7);
	ASSERT_EQ(1, ring_submit(r));
	EXPECT_EQ(1, steer_held(r, &held, 1));
	EXPECT_EQ(7, held.user_data);
	EXPECT_EQ(0, held.ticket);
	EXPECT_EQ(ARING_OP_NOP, held.opcode);
	EXPECT_EQ(ARING_ACT_HOLD_DONE, held.at);
	prep_cancel(r, 7, 0, 9);
	ASSERT_EQ(1, ring_submit(r));
	SEE(r, { 9, -EALREADY });
	EXPECT_EQ(1, steer_release_all(r));
	SEE(r, { 7, 0 });
}

TEST_F(steer_do, fail)
{
	struct ring *r = &self->r;
	char b[4] = "abc";
	int p[2];

	ASSERT_EQ(0, pipe(p));
	ASSERT_EQ(0, steer_for(r, 7, ARING_ACT_FAIL, EIO));
	prep_write(r, p[1], b, 3, 0, 7);
	EXPECT_EQ(-EIO, ring_run(r));
	EXPECT_FALSE(readable(p[0]));
}

RING_TEST_MAIN
