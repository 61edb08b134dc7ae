// SPDX-License-Identifier: MIT
/*
 * The orders of CQEs: unordered, by finishing time, by ticket.
 */
#include "vdev.h"
#include <sys/epoll.h>
#include <sys/eventfd.h>

#define COMPLETION	ARING_SETUP_COMPLETION_ORDER
#define SUBMISSION	ARING_SETUP_SUBMISSION_ORDER
#define MEDIUM		(64 * PAGE)

/* Each test makes its own rings. */
FIXTURE(order) {
	struct ring r;
};

FIXTURE_VARIANT(order) {
	enum backend backend;
};

FIXTURE_VARIANT_ADD(order, device) {
	.backend = DEVICE,
};

FIXTURE_SETUP(order)
{
	self->r.fd = -1;
}

FIXTURE_TEARDOWN(order)
{
	if (self->r.fd >= 0)
		ring_exit(&self->r);
}

/* A ring with a FIFO device; its clock stands at 0. */
static int ring_by(struct ring *r, __u32 flags, enum clock_kind clock,
		   __u32 channels)
{
	int ret = ring_init(r, DEVICE, 64, flags);

	return ret ?: clock_become(r, clock) ?:
	       vdev_fifo(r, MEDIUM, channels, 100);
}

/* The next CQE is there, and is this one. */
static void next_is(struct __test_metadata *_metadata, struct ring *r,
		    __u64 user_data, int res)
{
	struct aring_cqe cqe = { .user_data = ~0ULL };

	NEED_TRUE(ring_reap(r, &cqe), "no CQE, instead of that of %d",
		  (int)user_data);
	CHECK_EQ(user_data, cqe.user_data, "with the result %d", cqe.res);
	CHECK_EQ(res, cqe.res, "of %d", (int)user_data);
}

TEST_F(order, only_one_can_be_asked_for)
{
	struct ring *r = &self->r;

	EXPECT_EQ(-EINVAL, ring_init(r, DEVICE, 8, COMPLETION | SUBMISSION));
	EXPECT_EQ(0, ring_init(r, DEVICE, 8, COMPLETION));
	ring_exit(r);
	EXPECT_EQ(0, ring_init(r, DEVICE, 8, SUBMISSION));
}

/* --- W1 and W2 ----------------------------------------------------------- */

enum arrangement { FREE, LINKED, DRAINED };

/*
 * W1 is submitted at 1 and takes 10, W2 at 2 (in a chain, with it) and takes 1;
 * both write to the same place.
 */
static void two_writes(struct __test_metadata *_metadata, struct ring *r,
		       enum arrangement how, const __u64 at[2],
		       const int order[2], char stays)
{
	struct aring_sqe *s;
	struct aring_cqe cqe;
	char in = 0;
	int nr = 0;

	ASSERT_EQ(0, clock_advance(r, 1));
	s = prep_vwrite(r, "1", 1, 100, 1);
	takes(s, 10);
	if (how == LINKED) {
		s->flags = ARING_SQE_IO_LINK;
	} else {
		ASSERT_EQ(1, ring_submit(r));
		ASSERT_EQ(0, clock_advance(r, 1));
	}
	s = prep_vwrite(r, "2", 1, 100, 2);
	takes(s, 1);
	if (how == DRAINED)
		s->flags = ARING_SQE_IO_DRAIN;
	ASSERT_EQ(how == LINKED ? 2 : 1, ring_submit(r));
	EXPECT_EQ(0, ring_ready(r));
	/* one nanosecond after the other */
	while (nr < 2 && clock_time(r) < 100) {
		while (nr < 2 && ring_reap(r, &cqe)) {
			CHECK_EQ(order[nr], (int)cqe.user_data, "CQE %d", nr);
			CHECK_EQ(at[nr], clock_time(r), "CQE %d", nr);
			EXPECT_EQ(1, cqe.res);
			nr++;
		}
		ASSERT_EQ(0, clock_advance(r, 1));
	}
	EXPECT_EQ(2, nr);
	takes(prep_vread(r, &in, 1, 100, 3), 0);
	ASSERT_EQ(1, ring_submit(r));
	ASSERT_EQ(0, clock_advance(r, 1));
	ASSERT_TRUE(ring_reap(r, &cqe));
	EXPECT_EQ(stays, in);
}

TEST_F(order, w1_and_w2)
{
	static const struct {
		__u32 flags, channels;
		enum arrangement how;
		__u64 at[2];
		int order[2];
		char stays;
	} t[] = {
		{ 0, 2, FREE, { 3, 11 }, { 2, 1 }, '1' },
		{ COMPLETION, 2, FREE, { 3, 11 }, { 2, 1 }, '1' },
		{ SUBMISSION, 2, FREE, { 11, 11 }, { 1, 2 }, '1' },
		{ 0, 2, LINKED, { 11, 12 }, { 1, 2 }, '2' },
		{ 0, 2, DRAINED, { 11, 12 }, { 1, 2 }, '2' },
		{ COMPLETION, 2, LINKED, { 11, 12 }, { 1, 2 }, '2' },
		{ COMPLETION, 2, DRAINED, { 11, 12 }, { 1, 2 }, '2' },
		{ SUBMISSION, 2, LINKED, { 11, 12 }, { 1, 2 }, '2' },
		{ SUBMISSION, 2, DRAINED, { 11, 12 }, { 1, 2 }, '2' },
		{ 0, 1, FREE, { 11, 12 }, { 1, 2 }, '2' },
		{ COMPLETION, 1, FREE, { 11, 12 }, { 1, 2 }, '2' },
		{ SUBMISSION, 1, FREE, { 11, 12 }, { 1, 2 }, '2' },
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++) {
		TH_LOG("row %zu", i);
		ASSERT_EQ(0, ring_by(&self->r, t[i].flags, MANUAL,
				     t[i].channels));
		two_writes(_metadata, &self->r, t[i].how, t[i].at, t[i].order,
			   t[i].stays);
		ring_exit(&self->r);
	}
}

TEST_F(order, of_two_writes_at_once_the_later_ticket_stays)
{
	static const __u32 flags[] = { 0, COMPLETION, SUBMISSION };
	struct ring *r = &self->r;

	for (int k = 0; k < 3; k++) {
		char in = 0;

		ASSERT_EQ(0, ring_by(r, flags[k], MANUAL, 8));
		/* all end at 10, whenever they were begun */
		for (int i = 0; i < 8; i++) {
			takes(prep_vwrite(r, &"abcdefgh"[i], 1, 0, i),
			      10 - i / 2);
			ASSERT_EQ(1, ring_submit(r));
			if (i & 1)
				ASSERT_EQ(0, clock_advance(r, 1));
		}
		ASSERT_EQ(0, clock_advance(r, 20));
		for (int i = 0; i < 8; i++)
			next_is(_metadata, r, i, 1);
		takes(prep_vread(r, &in, 1, 0, 9), 0);
		ASSERT_EQ(1, ring_submit(r));
		ASSERT_EQ(0, clock_advance(r, 1));
		EXPECT_EQ('h', in);
		ring_exit(r);
	}
}

/* --- by finishing time --------------------------------------------------- */

TEST_F(order, what_ends_at_one_instant_is_posted_by_ticket)
{
	static const int want[2][5] = {
		{ 1, 3, 0, 2, 4 },	/* the device before the timers */
		{ 0, 1, 2, 3, 4 },
	};
	struct __kernel_timespec ts = to_ts(50), late = to_ts(51);
	struct ring *r = &self->r;

	for (int k = 0; k < 2; k++) {
		ASSERT_EQ(0, ring_by(r, k ? COMPLETION : 0, MANUAL, 4));
		prep_timeout(r, &ts, 0, 0, 0);
		takes(prep_vread(r, &ts, 0, 0, 1), 50);
		prep_timeout(r, &ts, 0, 0, 2);
		takes(prep_vread(r, &ts, 0, 0, 3), 50);
		prep_timeout(r, &late, 0, 0, 4);
		ASSERT_EQ(5, ring_submit(r));
		ASSERT_EQ(0, clock_advance(r, 49));
		EXPECT_EQ(0, ring_ready(r));
		ASSERT_EQ(0, clock_next(r));
		EXPECT_EQ(50, clock_time(r));
		for (int i = 0; i < 4; i++)
			next_is(_metadata, r, want[k][i],
				want[k][i] & 1 ? 0 : -ETIME);
		EXPECT_EQ(0, ring_ready(r));
		ASSERT_EQ(0, clock_next(r));
		next_is(_metadata, r, 4, -ETIME);
		ring_exit(r);
	}
}

TEST_F(order, what_ends_in_the_call_waits_for_the_end_of_the_instant)
{
	struct ring *r = &self->r;

	ASSERT_EQ(0, ring_by(r, COMPLETION, MANUAL, 4));
	/* the device needs no time, but an instant */
	takes(prep_vread(r, r, 0, 0, 0), 0);
	prep_nop(r, 1);
	takes(prep_vread(r, r, 0, 0, 2), 7);
	prep(r, 255, -1, NULL, 0, 0, 3);
	ASSERT_EQ(4, ring_submit(r));
	prep_cancel(r, 2, 0, 4);
	prep_nop(r, 5)->flags = ARING_SQE_IO_DRAIN;
	ASSERT_EQ(2, ring_submit(r));
	EXPECT_EQ(0, ring_ready(r));
	EXPECT_EQ(0, clock_get(r).next);
	ASSERT_EQ(0, clock_advance(r, 0));
	EXPECT_EQ(0, clock_time(r));
	next_is(_metadata, r, 0, 0);
	next_is(_metadata, r, 1, 0);
	next_is(_metadata, r, 2, -ECANCELED);
	next_is(_metadata, r, 3, -EINVAL);
	next_is(_metadata, r, 4, 0);
	/* it waited for the device, and ends at the same instant */
	next_is(_metadata, r, 5, 0);
	EXPECT_EQ(0, ring_ready(r));
	/* and again at the same instant */
	prep_nop(r, 6);
	ASSERT_EQ(1, ring_submit(r));
	EXPECT_EQ(0, ring_ready(r));
	ASSERT_EQ(0, clock_advance(r, 0));
	next_is(_metadata, r, 6, 0);
}

TEST_F(order, on_the_real_clock_nothing_waits)
{
	struct ring *r = &self->r;

	ASSERT_EQ(0, ring_by(r, COMPLETION, REAL, 4));
	for (int i = 0; i < 4; i++)
		takes(prep_vread(r, r, 0, 0, i), ms(80 - 20 * i) * test_slow());
	prep_nop(r, 4);
	ASSERT_EQ(5, ring_submit(r));
	next_is(_metadata, r, 4, 0);
	ASSERT_EQ(0, ring_wait(r, 4));
	for (int i = 3; i >= 0; i--)
		next_is(_metadata, r, i, 0);
}

/* A thread that waits gets them without anybody moving the clock. */
TEST_F(order, on_an_automatic_clock_who_waits_gets_them)
{
	struct ring *r = &self->r;

	ASSERT_EQ(0, ring_by(r, COMPLETION, AUTOMATIC, 2));
	takes(prep_vread(r, r, 0, 0, 0), 1000);
	takes(prep_vread(r, r, 0, 0, 1), 1000);
	prep_nop(r, 2);
	ASSERT_EQ(3, ring_submit(r));
	ASSERT_EQ(0, ring_wait(r, 1));
	EXPECT_EQ(0, clock_time(r));
	next_is(_metadata, r, 2, 0);
	ASSERT_EQ(0, ring_wait(r, 2));
	EXPECT_EQ(1000, clock_time(r));
	next_is(_metadata, r, 0, 0);
	next_is(_metadata, r, 1, 0);
}

/* --- by ticket ----------------------------------------------------------- */

TEST_F(order, cqes_wait_for_those_of_lower_tickets)
{
	struct ring *r = &self->r;
	struct aring_cqe cqe;

	ASSERT_EQ(0, ring_by(r, SUBMISSION, MANUAL, 64));
	for (int i = 0; i < 20; i++) {
		if (i % 3 == 2)
			prep_nop(r, i);
		else
			takes(prep_vread(r, r, 0, 0, i), i * 7919 % 101);
	}
	ASSERT_EQ(20, ring_submit(r));
	for (int seen = 0; seen < 20;) {
		while (ring_reap(r, &cqe))
			NEED_EQ(seen++, (int)cqe.user_data, "at %llu",
				clock_time(r));
		ASSERT_LE(clock_time(r), 200);
		ASSERT_EQ(0, clock_advance(r, 1));
	}
	/* and where nothing is under way they wait for nothing */
	prep_nop(r, 20);
	ASSERT_EQ(1, ring_submit(r));
	next_is(_metadata, r, 20, 0);
}

/* Whatever becomes of an SQE, those behind it do not wait for ever. */
TEST_F(order, every_ticket_has_its_turn)
{
	struct __kernel_timespec ts = to_ts(500);
	struct ring *r = &self->r;
	__u32 mask;

	ASSERT_EQ(0, ring_by(r, SUBMISSION | ARING_SETUP_SUBMIT_ALL, MANUAL,
			     4));
	mask = r->p.sq_entries - 1;
	takes(prep_vread(r, r, 0, 0, 0), 100);
	/* no CQE where all is well */
	prep_nop(r, 1)->flags = ARING_SQE_CQE_SKIP_SUCCESS;
	prep(r, 255, -1, NULL, 0, 0, 2);
	prep_read(r, -1, &ts, 1, 0, 3)->flags = ARING_SQE_CQE_SKIP_SUCCESS;
	ASSERT_EQ(4, ring_submit(r));
	/* an entry of the array that points nowhere ends the call */
	prep_nop(r, 4);
	prep_nop(r, 5);
	r->sq_array[(r->tail - 2) & mask] = 12345;
	EXPECT_EQ(0, ring_submit(r));
	EXPECT_EQ(1, ring_submit(r));
	EXPECT_EQ(1, *r->sq_dropped);
	/* a chain that breaks, silently and not */
	prep_read(r, -1, &ts, 1, 0, 6)->flags = ARING_SQE_IO_LINK;
	prep_nop(r, 7)->flags = ARING_SQE_IO_LINK;
	prep_nop(r, 8);
	prep_read(r, -1, &ts, 1, 0, 9)->flags =
		ARING_SQE_IO_LINK | ARING_SQE_CQE_SKIP_SUCCESS;
	prep_nop(r, 10);
	/* a time limit that was not needed, and one that is in vain */
	takes(prep_vread(r, r, 0, 0, 11), 30)->flags = ARING_SQE_IO_LINK;
	prep(r, ARING_OP_LINK_TIMEOUT, -1, &ts, 1, 0, 12);
	prep_timeout(r, &ts, 0, 0, 13);
	prep_cancel(r, 13, 0, 14);
	ASSERT_EQ(9, ring_submit(r));
	EXPECT_EQ(0, ring_ready(r));
	ASSERT_EQ(0, clock_advance(r, 99));
	EXPECT_EQ(0, ring_ready(r));
	ASSERT_EQ(0, clock_advance(r, 1));
	next_is(_metadata, r, 0, 0);
	next_is(_metadata, r, 2, -EINVAL);
	next_is(_metadata, r, 3, -EBADF);
	next_is(_metadata, r, 5, 0);
	next_is(_metadata, r, 6, -EBADF);
	next_is(_metadata, r, 7, -ECANCELED);
	next_is(_metadata, r, 8, -ECANCELED);
	next_is(_metadata, r, 9, -EBADF);
	next_is(_metadata, r, 11, 0);
	next_is(_metadata, r, 12, -ECANCELED);
	next_is(_metadata, r, 13, -ECANCELED);
	next_is(_metadata, r, 14, 0);
	EXPECT_EQ(0, ring_ready(r));
}

/* The same where the dropped entry comes when nothing is waited for. */
TEST_F(order, a_dropped_entry_has_its_turn)
{
	struct ring *r = &self->r;

	ASSERT_EQ(0, ring_by(r, SUBMISSION, REAL, 4));
	for (int i = 0; i < 200; i += 3) {
		prep_nop(r, i);
		prep_nop(r, i + 1);
		prep_nop(r, i + 2);
		r->sq_array[(r->tail - 2) & (r->p.sq_entries - 1)] = ~0U;
		ASSERT_EQ(1, ring_submit(r));
		ASSERT_EQ(1, ring_submit(r));
		next_is(_metadata, r, i, 0);
		next_is(_metadata, r, i + 2, 0);
	}
}

TEST_F(order, a_refused_sqe_has_its_turn)
{
	struct ring *r = &self->r;

	ASSERT_EQ(0, ring_by(r, SUBMISSION, MANUAL, 4));
	takes(prep_vread(r, r, 0, 0, 0), 10);
	prep(r, 255, -1, NULL, 0, 0, 1);
	prep_nop(r, 2);
	/* the bad one ends the call */
	ASSERT_EQ(2, ring_submit(r));
	ASSERT_EQ(1, ring_submit(r));
	EXPECT_EQ(0, ring_ready(r));
	ASSERT_EQ(0, clock_advance(r, 10));
	next_is(_metadata, r, 0, 0);
	next_is(_metadata, r, 1, -EINVAL);
	next_is(_metadata, r, 2, 0);
}

TEST_F(order, indices_wrap)
{
	static const __u32 flags[] = { COMPLETION, SUBMISSION };

	for (int k = 0; k < 2; k++) {
		struct aring_params p = {
			.flags = flags[k] | ARING_SETUP_FIRST_INDEX,
			.first_index = -20,
		};
		struct ring *r = &self->r;

		ASSERT_EQ(0, ring_init_params(r, DEVICE, 64, &p));
		ASSERT_EQ(0, clock_virtual(r, 0));
		ASSERT_EQ(0, vdev_fifo(r, MEDIUM, 64, 100));
		for (int i = 0; i < 40; i++)
			takes(prep_vread(r, r, 0, 0, i),
			      k ? (__u64)(40 - i) : 40);
		ASSERT_EQ(40, ring_submit(r));
		ASSERT_EQ(0, clock_advance(r, 39));
		EXPECT_EQ(0, ring_ready(r));
		ASSERT_EQ(0, clock_advance(r, 1));
		/* with COMPLETION_ORDER at the end of the instant */
		ASSERT_EQ(0, clock_advance(r, 0));
		for (int i = 0; i < 40; i++)
			next_is(_metadata, r, i, 0);
		ring_exit(r);
	}
}

/* --- what else is asked of CQEs ------------------------------------------ */

TEST_F(order, what_waits_for_its_turn_is_over_for_others)
{
	static const __u32 flags[] = { COMPLETION, SUBMISSION };
	struct __kernel_timespec ts = to_ts(500);
	struct ring *r = &self->r;

	for (int k = 0; k < 2; k++) {
		ASSERT_EQ(0, ring_by(r, flags[k], MANUAL, 4));
		takes(prep_vread(r, r, 0, 0, 0), 100);
		/* it counts two completions, whose CQEs nobody has seen */
		prep_timeout(r, &ts, 2, 0, 1);
		prep_nop(r, 2);
		prep_nop(r, 3);
		ASSERT_EQ(4, ring_submit(r));
		/* over, they cannot be taken back */
		prep_cancel(r, 2, 0, 4);
		prep_cancel(r, 1, 0, 5);
		ASSERT_EQ(2, ring_submit(r));
		EXPECT_EQ(0, ring_ready(r));
		ASSERT_EQ(0, clock_advance(r, 100));
		if (k)
			next_is(_metadata, r, 0, 0);
		next_is(_metadata, r, 1, 0);
		next_is(_metadata, r, 2, 0);
		next_is(_metadata, r, 3, 0);
		next_is(_metadata, r, 4, -ENOENT);
		next_is(_metadata, r, 5, -ENOENT);
		if (!k)
			next_is(_metadata, r, 0, 0);
		EXPECT_EQ(0, ring_ready(r));
		ring_exit(r);
	}
}

TEST_F(order, a_full_cq_keeps_the_order)
{
	static const __u32 flags[] = { COMPLETION, SUBMISSION };
	struct ring *r = &self->r;

	for (int k = 0; k < 2; k++) {
		struct aring_params p = {
			.flags = flags[k] | ARING_SETUP_CQSIZE,
			.cq_entries = 4,
		};

		ASSERT_EQ(0, ring_init_params(r, DEVICE, 4, &p));
		ASSERT_EQ(0, clock_virtual(r, 0));
		ASSERT_EQ(0, vdev_fifo(r, MEDIUM, 64, 100));
		for (int i = 0; i < 40; i += 4) {
			for (int j = i; j < i + 4; j++)
				takes(prep_vread(r, r, 0, 0, j), 10);
			ASSERT_EQ(4, ring_submit(r));
		}
		ASSERT_EQ(0, clock_advance(r, 10));
		ASSERT_EQ(0, clock_advance(r, 0));
		EXPECT_EQ(4, ring_ready(r));
		EXPECT_TRUE(ring_sq_flags(r) & ARING_SQ_CQ_OVERFLOW);
		for (int i = 0; i < 40; i++) {
			if (!ring_ready(r))
				ASSERT_EQ(0, ring_enter(r, 0, 0,
							ARING_ENTER_GETEVENTS,
							NULL, 0));
			next_is(_metadata, r, i, 0);
		}
		EXPECT_EQ(0, *r->cq_overflow);
		ring_exit(r);
	}
}

TEST_F(order, a_multishot_request_waits_only_with_its_last)
{
	struct ring *r = &self->r;
	int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	struct aring_cqe cqe;
	__u64 one = 1;

	ASSERT_EQ(0, ring_by(r, SUBMISSION, MANUAL, 4));
	takes(prep_vread(r, r, 0, 0, 0), 10);
	prep(r, ARING_OP_POLL_ADD, fd, NULL, ARING_POLL_ADD_MULTI, 0, 1)
		->poll32_events = EPOLLIN;
	ASSERT_EQ(2, ring_submit(r));
	for (int i = 0; i < 3; i++) {
		ASSERT_EQ(8, write(fd, &one, 8));
		ASSERT_EQ(0, ring_cqe(r, &cqe));
		EXPECT_EQ(1, cqe.user_data);
		EXPECT_EQ(ARING_CQE_F_MORE, cqe.flags & ARING_CQE_F_MORE);
		ASSERT_EQ(8, read(fd, &one, 8));
	}
	prep_cancel(r, 1, 0, 2);
	ASSERT_EQ(1, ring_submit(r));
	EXPECT_EQ(0, ring_ready(r));
	ASSERT_EQ(0, clock_advance(r, 10));
	next_is(_metadata, r, 0, 0);
	next_is(_metadata, r, 1, -ECANCELED);
	next_is(_metadata, r, 2, 0);
	close(fd);
}

/* A TIMEOUT ends a wait when there is its CQE to be seen, not before. */
TEST_F(order, a_wait_ends_with_what_is_posted)
{
	struct ring *r = &self->r;
	struct __kernel_timespec ts = to_ts(ms(20));

	ASSERT_EQ(0, ring_by(r, SUBMISSION, REAL, 4));
	takes(prep_vread(r, r, 0, 0, 0), ms(100) * test_slow());
	prep_timeout(r, &ts, 0, 0, 1);
	takes(prep_vread(r, r, 0, 0, 2), ms(2000) * test_slow());
	ASSERT_EQ(3, ring_submit(r));
	ASSERT_EQ(0, ring_enter(r, 0, 3, ARING_ENTER_GETEVENTS, NULL, 0));
	EXPECT_EQ(2, ring_ready(r));
	next_is(_metadata, r, 0, 0);
	next_is(_metadata, r, 1, -ETIME);
}

TEST_F(order, what_waits_for_its_turn_holds_nothing)
{
	struct ring *r = &self->r;
	struct iovec v = { page_alloc(PAGE), PAGE };
	int zero = open("/dev/zero", O_RDONLY | O_CLOEXEC), p[2];
	struct aring_sqe *s;

	ASSERT_EQ(0, pipe2(p, O_CLOEXEC));
	ASSERT_EQ(0, ring_by(r, SUBMISSION, MANUAL, 4));
	ASSERT_EQ(0, ring_register(r, ARING_REGISTER_BUFFERS, &v, 1));
	takes(prep_vread(r, r, 0, 0, 0), 10);
	s = prep(r, ARING_OP_READ_FIXED, zero, v.iov_base, PAGE, 0, 1);
	s->buf_index = 0;
	prep_write(r, p[1], "x", 1, 0, 2);
	ASSERT_EQ(3, ring_submit(r));
	/* for which nobody has to wait */
	EXPECT_EQ(0, ring_register(r, ARING_UNREGISTER_BUFFERS, NULL, 0));
	while (fcntl(p[0], F_GETFL) >= 0 && ring_ready(r) == 0) {
		char c;

		ASSERT_EQ(1, read(p[0], &c, 1));
		close(p[1]);
		/* the pipe is closed for good: its end can be seen */
		EXPECT_EQ(0, ring_enter(r, 0, 0, 0, NULL, 0));
		EXPECT_EQ(0, read(p[0], &c, 1));
		break;
	}
	ASSERT_EQ(0, clock_advance(r, 10));
	next_is(_metadata, r, 0, 0);
	next_is(_metadata, r, 1, PAGE);
	next_is(_metadata, r, 2, 1);
	close(p[0]);
	close(zero);
}

/* Tags are nobody's CQEs. */
TEST_F(order, tags_have_no_turn)
{
	struct ring *r = &self->r;
	struct iovec v = { page_alloc(PAGE), PAGE };
	__u64 tag = 0x7a6;
	struct aring_rsrc_register reg = {
		.nr = 1, .data = (uintptr_t)&v, .tags = (uintptr_t)&tag,
	};
	struct iovec none = { NULL, 0 };
	struct aring_rsrc_update2 up = {
		.data = (uintptr_t)&none, .nr = 1,
	};

	ASSERT_EQ(0, ring_by(r, SUBMISSION, MANUAL, 4));
	ASSERT_EQ(0, ring_register(r, ARING_REGISTER_BUFFERS2, &reg,
				   sizeof(reg)));
	takes(prep_vread(r, r, 0, 0, 0), 10);
	prep_nop(r, 1);
	ASSERT_EQ(2, ring_submit(r));
	ASSERT_EQ(1, ring_register(r, ARING_REGISTER_BUFFERS_UPDATE, &up,
				   sizeof(up)));
	ASSERT_EQ(0, ring_wait(r, 1));
	next_is(_metadata, r, 0x7a6, 0);
	EXPECT_EQ(0, ring_ready(r));
	ASSERT_EQ(0, clock_advance(r, 10));
	next_is(_metadata, r, 0, 0);
	next_is(_metadata, r, 1, 0);
}

TEST_F(order, cqes_of_32_bytes)
{
	static const __u32 flags[] = { COMPLETION, SUBMISSION };
	struct ring *r = &self->r;

	for (int k = 0; k < 2; k++) {
		ASSERT_EQ(0, ring_by(r, flags[k] | ARING_SETUP_CQE32, MANUAL,
				     8));
		for (int i = 0; i < 8; i++)
			takes(prep_vread(r, r, 0, 0, i), k ? 10 - i : 10);
		ASSERT_EQ(8, ring_submit(r));
		ASSERT_EQ(0, clock_advance(r, 10));
		ASSERT_EQ(0, clock_advance(r, 0));
		for (int i = 0; i < 8; i++)
			next_is(_metadata, r, i, 0);
		ring_exit(r);
	}
}

/* --- many ---------------------------------------------------------------- */

static __u32 rnd(__u32 *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 8;
}

/* Whatever ends when, and with SQPOLL: the CQEs come by ticket. */
static void many_by_ticket(struct __test_metadata *_metadata, struct ring *r)
{
	unsigned long n = test_scale(20000, 1000), sent = 0, seen = 0;
	struct __kernel_timespec ts = to_ts(30000);
	static char buf[4096];
	struct aring_cqe cqe;
	__u32 seed = 4711;

	while (seen < n) {
		for (int i = rnd(&seed) % 32; i > 0 && sent < n; i--) {
			struct aring_sqe *s;

			/* SQPOLL's thread may give SQEs back behind CQEs */
			if (sent - seen >= 64 ||
			    r->tail - __atomic_load_n(r->sq_head,
						      __ATOMIC_ACQUIRE) >= 64)
				break;
			switch (rnd(&seed) % 8) {
			case 0:
			case 1:
				prep_nop(r, sent);
				break;
			case 2:
				prep_timeout(r, &ts, 0, 0, sent);
				break;
			case 3:
				prep_timeout(r, &ts, 1 + rnd(&seed) % 4, 0,
					     sent);
				break;
			case 4:
				prep_read(r, -1, buf, 1, 0, sent);
				break;
			case 5:
				prep_cancel(r, sent - rnd(&seed) % 16, 0, sent);
				break;
			default:
				s = prep_vread(r, buf, rnd(&seed) % 4096,
					       rnd(&seed) % MEDIUM, sent);
				takes(s, rnd(&seed) % 100000);
				break;
			}
			sent++;
		}
		if (r->p.flags & ARING_SETUP_SQPOLL) {
			ring_flush(r);
			if (ring_sq_flags(r) & ARING_SQ_NEED_WAKEUP)
				ring_enter(r, 0, 0, ARING_ENTER_SQ_WAKEUP, NULL,
					   0);
		} else {
			ASSERT_GE(ring_submit(r), 0);
		}
		if (sent == n || sent - seen > 32)
			ASSERT_EQ(0, ring_wait(r, 1));
		while (ring_reap(r, &cqe))
			NEED_EQ(seen++, cqe.user_data, "result %d", cqe.res);
	}
}

TEST_F_TIMEOUT(order, many_come_by_ticket, 90)
{
	ASSERT_EQ(0, ring_by(&self->r, SUBMISSION, REAL, 4));
	many_by_ticket(_metadata, &self->r);
}

TEST_F_TIMEOUT(order, many_come_by_ticket_with_sqpoll, 90)
{
	ASSERT_EQ(0, ring_by(&self->r, SUBMISSION | ARING_SETUP_SQPOLL, REAL,
			     4));
	many_by_ticket(_metadata, &self->r);
}

TEST_F_TIMEOUT(order, many_come_by_ticket_on_an_automatic_clock, 90)
{
	ASSERT_EQ(0, ring_by(&self->r, SUBMISSION, AUTOMATIC, 4));
	many_by_ticket(_metadata, &self->r);
}

/* On a virtual clock the times are known, and so is the order. */
TEST_F_TIMEOUT(order, many_come_by_time_and_ticket, 90)
{
	unsigned long n = test_scale(20000, 1000), sent = 0, seen = 0;
	struct ring *r = &self->r;
	__u64 *end = calloc(n, sizeof(*end)), last = 0;
	struct aring_cqe cqe;
	__u32 seed = 1147;

	ASSERT_NE(NULL, end);
	ASSERT_EQ(0, ring_by(r, COMPLETION, AUTOMATIC, 64));
	for (unsigned long last_ud = 0; seen < n;) {
		for (int i = rnd(&seed) % 16; i > 0 && sent < n; i--) {
			__u64 ns = rnd(&seed) % 8;
			struct __kernel_timespec ts = to_ts(ns);

			if (sent - seen >= 32)
				break;
			end[sent] = clock_time(r) + ns;
			switch (rnd(&seed) % 4) {
			case 0:
				prep_nop(r, sent);
				end[sent] -= ns;
				break;
			case 1:
				prep_timeout(r, &ts, 0, 0, sent);
				break;
			default:
				takes(prep_vread(r, r, 0, 0, sent), ns);
				break;
			}
			sent++;
			ASSERT_EQ(1, ring_submit(r));
		}
		if (sent == n || sent - seen > 8)
			ASSERT_EQ(0, ring_wait(r, 1));
		while (ring_reap(r, &cqe)) {
			__u64 at = end[cqe.user_data];

			NEED_TRUE(at >= last, "%llu comes at %llu, after %llu",
				  cqe.user_data, at, last);
			NEED_TRUE(at > last || !seen || cqe.user_data > last_ud,
				  "at %llu %llu comes after %lu", at,
				  cqe.user_data, last_ud);
			NEED_TRUE(at <= clock_time(r), "%llu comes too early",
				  cqe.user_data);
			last = at;
			last_ud = cqe.user_data;
			seen++;
		}
	}
	free(end);
}

RING_TEST_MAIN
