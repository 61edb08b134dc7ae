// SPDX-License-Identifier: MIT
/*
 * What has become ready on a virtual clock belongs to the instant at hand: it is
 * begun before time goes on, whoever moves the clock, and by the thread that is there,
 * so that it always is.
 */
#include "poll.h"
#include "vdev.h"
#include "session.h"

FIXTURE(ready) {
	struct ring r;
	int event;
};

FIXTURE_VARIANT(ready) {
	enum backend backend;
};

FIXTURE_VARIANT_ADD(ready, device) {
	.backend = DEVICE,
};

FIXTURE_SETUP(ready)
{
	struct aring_params p = {
		.flags = ARING_SETUP_CQSIZE,
		.cq_entries = 4,
	};

	self->event = eventfd(0, EFD_CLOEXEC);
	ASSERT_GE(self->event, 0);
	ASSERT_EQ(0, ring_init_params(&self->r, DEVICE, 4, &p));
	ASSERT_EQ(0, vdev_fifo(&self->r, PAGE, 1, 7));
	ASSERT_EQ(0, clock_virtual(&self->r, 0));
}

FIXTURE_TEARDOWN(ready)
{
	ring_exit(&self->r);
	close(self->event);
}

enum { CHAINED_TIMEOUT, CHAINED_VREAD, DRAINED_VREAD, SUCCESSORS };

/* A poll, and behind it what takes 7 ns. The event comes while nobody is in ENTER. */
static void poll_and_then(struct __test_metadata *_metadata, struct ring *r,
			  int event, int what)
{
	struct __kernel_timespec ts = to_ts(7);
	static char buf[16];
	struct aring_sqe *s;

	s = prep_poll(r, event, POLLIN, 1);
	if (what != DRAINED_VREAD)
		s->flags = ARING_SQE_IO_LINK;
	if (what == CHAINED_TIMEOUT)
		s = prep_timeout(r, &ts, 0, 0, 2);
	else
		s = prep_vread(r, buf, sizeof(buf), 0, 2);
	if (what == DRAINED_VREAD)
		s->flags = ARING_SQE_IO_DRAIN;
	ASSERT_EQ(2, ring_submit(r));
	ASSERT_EQ(0, eventfd_write(event, 1));
}

static void see_both(struct __test_metadata *_metadata, struct ring *r,
		     int event, int what, int round)
{
	eventfd_t n;

	eventfd_read(event, &n);
	NEED_EQ(2, ring_ready(r), "what %d, round %d", what, round);
	CLOCK_EXPECT_CQE(r, 1, POLLIN);
	CLOCK_EXPECT_CQE(r, 2, what == CHAINED_TIMEOUT ? -ETIME : 16);
}

TEST_F(ready, a_move_begins_it_before)
{
	struct ring *r = &self->r;

	for (int what = 0; what < SUCCESSORS; what++) {
		for (int i = 0; i < 100; i++) {
			poll_and_then(_metadata, r, self->event, what);
			NEED_EQ(0, i & 1 ? clock_to(r, clock_time(r) + 7) :
				clock_advance(r, 7), "round %d", i);
			see_both(_metadata, r, self->event, what, i);
		}
	}
}

TEST_F(ready, the_next_event_is_its)
{
	struct ring *r = &self->r;

	for (int what = 0; what < SUCCESSORS; what++) {
		for (int i = 0; i < 100; i++) {
			__u64 before = clock_time(r);

			poll_and_then(_metadata, r, self->event, what);
			NEED_EQ(0, clock_next(r), "what %d, round %d", what, i);
			CHECK_EQ(before + 7, clock_time(r), "round %d", i);
			see_both(_metadata, r, self->event, what, i);
		}
	}
}

/* What gets room in the CQ counts, and what it counted up to has a successor. */
TEST_F(ready, a_flush_begins_what_it_leads_to)
{
	struct __kernel_timespec ts[2] = { to_ts(1000), to_ts(7) };
	struct ring *r = &self->r;
	struct aring_clock c;
	struct aring_cqe cqe;

	for (int i = 0; i < 100; i++) {
		__u64 before = clock_time(r);

		/* four fill the CQ, so the fifth waits for room */
		for (int k = 0; k < 4; k++)
			prep_nop(r, k);
		ASSERT_EQ(4, ring_submit(r));
		prep_timeout(r, &ts[0], 1, 0, 10)->flags = ARING_SQE_IO_HARDLINK;
		prep_timeout(r, &ts[1], 0, 0, 11);
		prep_nop(r, 12);
		ASSERT_EQ(3, ring_submit(r));
		CHECK_TRUE(ring_sq_flags(r) & ARING_SQ_CQ_OVERFLOW, "round %d",
			   i);
		for (int k = 0; k < 4; k++)
			ASSERT_TRUE(ring_reap(r, &cqe));
		ASSERT_EQ(0, ring_enter(r, 0, 0, ARING_ENTER_GETEVENTS, NULL,
					0));
		c = clock_get(r);
		CHECK_EQ(1, c.nr_events, "round %d", i);
		CHECK_EQ(before + 7, c.next, "round %d", i);
		ASSERT_EQ(0, clock_next(r));
		while (ring_reap(r, &cqe))
			;
	}
}

/*
 * A NOP that is held for a cancel to win is let go by ENTER, and tried there. A
 * worker that was woken for it would come later, take the NOP behind the first of
 * the next chain out of the queue in the middle of its batch, and at times be
 * faster than its cancel.
 */
TEST_F(ready, what_is_let_go_wakes_no_worker)
{
	enum { ROUNDS = 1000, FILL = 200, EACH = FILL + 4 };
	static struct aring_deviation plan[ROUNDS];
	unsigned int other = 0;
	struct aring_cqe cqe;
	__u64 id, until;
	struct ring r;
	int fd;

	for (unsigned int i = 0; i < ROUNDS; i++)
		plan[i] = (struct aring_deviation) {
			.ring = 1, .number = i * EACH, .process = 1,
			.opcode = ARING_OP_NOP, .action = ARING_ACT_CANCEL_WINS,
		};
	fd = session_new(&id);
	ASSERT_GE(fd, 0);
	ASSERT_EQ(0, session_plan(fd, plan, ROUNDS));
	ASSERT_EQ(0, session_cmd(fd, ARING_SESSION_CLOCK, NULL, 0));
	ASSERT_EQ(0, session_ring(&r, id, 256, NULL));
	for (unsigned int i = 0; i < ROUNDS; i++) {
		int verdict = RES_NONE;

		prep_nop(&r, 1);
		ASSERT_EQ(1, ring_submit(&r));
		NEED_EQ(0, ring_ready(&r), "round %u", i);
		ASSERT_EQ(0, ring_enter(&r, 0, 1, ARING_ENTER_GETEVENTS, NULL,
					0));
		/* as long as a worker may take to come */
		for (until = now_ns() + i * 37 % 200 * 400; now_ns() < until;)
			;
		prep_nop(&r, 2)->flags = ARING_SQE_IO_HARDLINK;
		prep_nop(&r, 3);
		for (int k = 0; k < FILL; k++)
			prep_nop(&r, 4);
		prep_cancel(&r, 3, 0, 5);
		ASSERT_EQ(FILL + 3, ring_submit(&r));
		for (int k = 0; k < EACH; k++) {
			NEED_EQ(0, ring_cqe(&r, &cqe), "round %u, CQE %d", i, k);
			if (cqe.user_data == 5)
				verdict = cqe.res;
		}
		other += verdict != 0;
	}
	CHECK_EQ(0, other, "other verdicts in %d rounds", ROUNDS);
	ring_exit(&r);
	close(fd);
}

RING_TEST_MAIN
