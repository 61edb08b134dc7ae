// SPDX-License-Identifier: MIT
/*
 * The ends of chains: bad SQEs in them, the end of what ENTER takes,
 * cancelling, and rings that go with a chain in flight.
 */
#include "chain.h"

RING_FIXTURE(linkend);

/* --- bad SQEs ------------------------------------------------------------ */

enum { OPCODE, FLAG, FIELD, NEGATIVE_TIME, TIME_ADDRESS, BUFFER_GROUP, BADS };

static const struct {
	const char *name;
	int res;
} BAD[] = {
	[OPCODE] = { "opcode", -EINVAL },
	[FLAG] = { "flag", -EINVAL },
	[FIELD] = { "field", -EINVAL },
	[NEGATIVE_TIME] = { "negative time", -EINVAL },
	[TIME_ADDRESS] = { "address of a time", -EFAULT },
	[BUFFER_GROUP] = { "BUFFER_SELECT", -EOPNOTSUPP },
};

static struct aring_sqe *prep_bad(struct ring *r, int bad, __u64 ud, __u8 flags)
{
	static struct __kernel_timespec negative = { -1, 0 };
	struct aring_sqe *s;

	switch (bad) {
	case NEGATIVE_TIME:
		s = prep_timeout(r, &negative, 0, 0, ud);
		break;
	case TIME_ADDRESS:
		s = prep_timeout(r, (void *)8, 0, 0, ud);
		break;
	default:
		s = prep_nop(r, ud);
	}
	s->flags = flags;
	if (bad == OPCODE)
		s->opcode = 255;
	if (bad == FLAG)
		s->flags |= 0x80;
	if (bad == FIELD)
		s->ioprio = 1;
	if (bad == BUFFER_GROUP)
		s->flags |= 1U << 5;
	return s;
}

/*
 * A bad SQE takes its whole chain with it, also what is before it and also
 * through hard links. Only as the last member does it end the batch, as a bad
 * SQE outside of a chain does.
 */
static void bad_in_chain(struct __test_metadata *_metadata, struct ring *r,
			 int bad, int pos, __u8 link, bool all)
{
	int want = pos == 2 && !all ? 3 : 5, res[3];

	for (int i = 0; i < 3; i++) {
		__u8 flags = i < 2 ? link : 0;

		if (i == pos)
			prep_bad(r, bad, i, flags);
		else
			prep_nop(r, i)->flags = flags;
		res[i] = i == pos ? BAD[bad].res : -ECANCELED;
	}
	prep_nop(r, 3);
	prep_nop(r, 4);
	NEED_EQ(want, ring_submit(r), "%s at %d, link %#x", BAD[bad].name, pos,
		link);
	if (want == 3) {
		SEE(r, { 0, res[0] }, { 1, res[1] }, { 2, res[2] });
		ASSERT_EQ(2, ring_submit(r));
		SEE(r, { 3, 0 }, { 4, 0 });
	} else {
		SEE_SET(r, { 0, res[0] }, { 1, res[1] }, { 2, res[2] },
			{ 3, 0 }, { 4, 0 });
	}
	NEED_TRUE(_metadata->passed, "%s at %d, link %#x", BAD[bad].name, pos,
		  link);
}

TEST_F(linkend, a_bad_sqe_ends_its_whole_chain)
{
	for (int bad = 0; bad < BADS; bad++) {
		for (int pos = 0; pos < 3; pos++) {
			bad_in_chain(_metadata, &self->r, bad, pos, LINK,
				     false);
			bad_in_chain(_metadata, &self->r, bad, pos, HARD,
				     false);
		}
	}
}

TEST_F(linkend, a_bad_sqe_with_SUBMIT_ALL)
{
	struct ring r;

	ASSERT_EQ(0, ring_init(&r, variant->backend, 8,
			       ARING_SETUP_SUBMIT_ALL));
	for (int bad = 0; bad < BADS; bad++) {
		for (int pos = 0; pos < 3; pos++) {
			bad_in_chain(_metadata, &r, bad, pos, LINK, true);
			bad_in_chain(_metadata, &r, bad, pos, HARD, true);
		}
	}
	ring_exit(&r);
}

TEST_F(linkend, several_bad_sqes_keep_their_errors)
{
	struct ring *r = &self->r;

	prep_nop(r, 1)->flags = LINK;
	prep_bad(r, TIME_ADDRESS, 2, HARD);
	prep_nop(r, 3)->flags = LINK;
	prep_bad(r, OPCODE, 4, LINK);
	prep_ebadf(r, 5);
	ASSERT_EQ(5, ring_submit(r));
	SEE(r, { 1, -ECANCELED }, { 2, -EFAULT }, { 3, -ECANCELED },
	    { 4, -EINVAL }, { 5, -ECANCELED });
	prep_bad(r, OPCODE, 1, LINK);
	prep_bad(r, FLAG, 2, LINK);
	ASSERT_EQ(2, ring_submit(r));
	SEE(r, { 1, -EINVAL }, { 2, -EINVAL });
}

TEST_F(linkend, nothing_of_a_chain_with_a_bad_sqe_runs)
{
	struct ring *r = &self->r;
	int p[2];

	ASSERT_EQ(0, pipe(p));
	for (int bad = 0; bad < BADS; bad++) {
		prep_write(r, p[1], "x", 1, 0, 1)->flags = HARD;
		prep_write(r, p[1], "x", 1, 0, 2)->flags = HARD;
		prep_bad(r, bad, 3, HARD);
		prep_write(r, p[1], "x", 1, 0, 4);
		ASSERT_EQ(4, ring_submit(r));
		SEE(r, { 1, -ECANCELED }, { 2, -ECANCELED },
		    { 3, BAD[bad].res }, { 4, -ECANCELED });
		EXPECT_FALSE(readable(p[0]));
	}
}

/*
 * A vector that cannot be copied is found at submission if it is not the
 * head's: then none of the chain runs. The head's is found when it runs.
 */
TEST_F(linkend, a_bad_vector)
{
	struct ring *r = &self->r;
	int p[2];

	ASSERT_EQ(0, pipe(p));
	feed(_metadata, p[1]);
	prep_nop(r, 1)->flags = HARD;
	prep(r, ARING_OP_READV, p[0], (void *)8, 1, 0, 2)->flags = HARD;
	prep_nop(r, 3);
	prep_nop(r, 4);
	ASSERT_EQ(4, ring_submit(r));
	SEE_SET(r, { 1, -ECANCELED }, { 2, -EFAULT }, { 3, -ECANCELED },
		{ 4, 0 });
	/* the last one ends the batch */
	prep_nop(r, 1)->flags = HARD;
	prep(r, ARING_OP_READV, p[0], (void *)8, 1, 0, 2);
	prep_nop(r, 3);
	ASSERT_EQ(2, ring_submit(r));
	SEE(r, { 1, -ECANCELED }, { 2, -EFAULT });
	ASSERT_EQ(1, ring_submit(r));
	SEE(r, { 3, 0 });
	prep(r, ARING_OP_READV, p[0], (void *)8, 1, 0, 1)->flags = HARD;
	prep_nop(r, 2)->flags = LINK;
	prep_nop(r, 3);
	ASSERT_EQ(3, ring_submit(r));
	SEE(r, { 1, -EFAULT }, { 2, 0 }, { 3, 0 });
}

TEST_F(linkend, a_bad_descriptor_fails_when_its_turn_comes)
{
	struct ring *r = &self->r;
	int a[2], b[2];
	char c;

	ASSERT_EQ(0, pipe(a));
	ASSERT_EQ(0, pipe(b));
	for (int hard = 0; hard < 2; hard++) {
		int rest = hard ? 0 : -ECANCELED;

		prep_read(r, a[0], &c, 1, 0, 1)->flags = LINK;
		prep_write(r, b[1], "y", 1, 0, 2)->flags = LINK;
		prep_ebadf(r, 3)->flags = hard ? HARD : LINK;
		prep_nop(r, 4);
		prep_nop(r, 5);
		ASSERT_EQ(5, ring_submit(r));
		SEE(r, { 5, 0 });
		feed(_metadata, a[1]);
		SEE(r, { 1, 1 }, { 2, 1 }, { 3, -EBADF }, { 4, rest });
		ASSERT_EQ(1, read(b[0], &c, 1));
	}
}

/*
 * Of a chain with a bad SQE it is the head's SKIP that counts, as the head is
 * what fails first: the bad SQE's own error may never be seen.
 */
TEST_F(linkend, SKIP_in_a_chain_with_a_bad_sqe)
{
	struct ring *r = &self->r;

	prep_nop(r, 1)->flags = LINK | SKIP_OK;
	prep_bad(r, FIELD, 2, LINK);
	prep_nop(r, 3);
	ASSERT_EQ(3, ring_submit(r));
	SEE(r, { 1, -ECANCELED });
	prep_nop(r, 1)->flags = LINK;
	prep_bad(r, FIELD, 2, LINK | SKIP_OK);
	prep_nop(r, 3)->flags = SKIP_OK;
	ASSERT_EQ(3, ring_submit(r));
	SEE(r, { 1, -ECANCELED }, { 2, -EINVAL }, { 3, -ECANCELED });
	prep_bad(r, FIELD, 1, LINK | SKIP_OK);
	prep_nop(r, 2);
	ASSERT_EQ(2, ring_submit(r));
	SEE(r, { 1, -EINVAL });
}

/* --- what is taken at submission ----------------------------------------- */

TEST_F(linkend, files_vectors_and_times_are_taken_at_submission)
{
	struct __kernel_timespec ts = to_ts(ms(1));
	struct ring *r = &self->r;
	char c = 0, to[3] = "", good[] = "ab";
	struct iovec w[2] = { { good, 1 }, { good + 1, 1 } };
	struct iovec v[2] = { { to + 1, 1 }, { to, 1 } };
	int a[2], b[2], other[2];

	ASSERT_EQ(0, pipe(a));
	ASSERT_EQ(0, pipe(b));
	ASSERT_EQ(0, pipe(other));
	prep_read(r, a[0], &c, 1, 0, 1)->flags = LINK;
	prep(r, ARING_OP_WRITEV, b[1], w, 2, 0, 2)->flags = LINK;
	prep_timeout(r, &ts, 0, ARING_TIMEOUT_ETIME_SUCCESS, 3)->flags = LINK;
	prep(r, ARING_OP_READV, b[0], v, 2, 0, 4)->flags = LINK;
	prep_write(r, b[1], "c", 1, 0, 5);
	ASSERT_EQ(5, ring_submit(r));
	memset(w, 0xff, sizeof(w));
	memset(v, 0xff, sizeof(v));
	ts = to_ts(ms(1000000));
	memset(r->sqes, 0xff, r->sqes_len);
	/* the descriptor of a later member may be closed, and used again */
	ASSERT_EQ(b[1], dup2(other[1], b[1]));
	EXPECT_TRUE(ring_quiet(r, 10));
	feed(_metadata, a[1]);
	SEE(r, { 1, 1 }, { 2, 2 }, { 3, -ETIME }, { 4, 2 }, { 5, 1 });
	EXPECT_STREQ("ba", to);
	EXPECT_EQ(1, read(b[0], &c, 1));
	EXPECT_EQ('c', c);
	EXPECT_FALSE(readable(other[0]));
}

/* --- the end of what ENTER takes ----------------------------------------- */

TEST_F(linkend, a_chain_ends_with_to_submit)
{
	struct ring *r = &self->r;
	char c;
	int a[2];

	ASSERT_EQ(0, pipe(a));
	prep_read(r, a[0], &c, 1, 0, 1)->flags = LINK;
	prep_nop(r, 2)->flags = LINK;
	prep_nop(r, 3)->flags = LINK;
	prep_nop(r, 4);
	ring_flush(r);
	ASSERT_EQ(2, ring_enter(r, 2, 0, 0, NULL, 0));
	EXPECT_TRUE(ring_quiet(r, 5));
	ASSERT_EQ(2, ring_enter(r, 2, 0, 0, NULL, 0));
	SEE(r, { 3, 0 }, { 4, 0 });
	feed(_metadata, a[1]);
	SEE(r, { 1, 1 }, { 2, 0 });
	/* nor does a failure reach over the cut */
	prep_nop(r, 1)->flags = LINK;
	prep_ebadf(r, 2)->flags = LINK;
	prep_nop(r, 3)->flags = LINK;
	prep_nop(r, 4);
	ring_flush(r);
	ASSERT_EQ(2, ring_enter(r, 2, 0, 0, NULL, 0));
	ASSERT_EQ(2, ring_enter(r, 2, 0, 0, NULL, 0));
	SEE_SET(r, { 1, 0 }, { 2, -EBADF }, { 3, 0 }, { 4, 0 });
}

TEST_F(linkend, a_link_on_the_last_sqe)
{
	struct ring *r = &self->r;
	int p[2];
	char c;

	ASSERT_EQ(0, pipe(p));
	for (int hard = 0; hard < 2; hard++) {
		__u8 flag = hard ? HARD : LINK;

		prep_nop(r, 1)->flags = flag;
		ASSERT_EQ(1, ring_submit(r));
		SEE(r, { 1, 0 });
		prep_ebadf(r, 1)->flags = flag;
		ASSERT_EQ(1, ring_submit(r));
		SEE(r, { 1, -EBADF });
		prep_read(r, p[0], &c, 1, 0, 1)->flags = flag;
		ASSERT_EQ(1, ring_submit(r));
		/* what comes later has nothing to do with it */
		prep_nop(r, 2);
		ASSERT_EQ(1, ring_submit(r));
		SEE(r, { 2, 0 });
		feed(_metadata, p[1]);
		SEE(r, { 1, 1 });
	}
}

TEST_F(linkend, a_chain_longer_than_the_queue)
{
	struct aring_cqe cqe;
	struct ring r;
	int seen = 0;

	ASSERT_EQ(0, ring_init(&r, variant->backend, 4, 0));
	for (int piece = 0; piece < 3; piece++) {
		for (int i = 0; i < 4; i++) {
			/* what fails, ends its own piece */
			if (piece == 1 && i == 2)
				prep_ebadf(&r, 4 * piece + i);
			else
				prep_nop(&r, 4 * piece + i);
			r.sqes[(r.tail - 1) & 3].flags = LINK;
		}
		ASSERT_EQ(4, ring_submit(&r));
		for (int i = 0; i < 4; i++) {
			ASSERT_EQ(0, ring_cqe(&r, &cqe));
			EXPECT_EQ(4 * piece + i, cqe.user_data);
			EXPECT_EQ(cqe.user_data == 6 ? -EBADF :
				  cqe.user_data == 7 ? -ECANCELED : 0, cqe.res);
			seen++;
		}
	}
	EXPECT_EQ(12, seen);
	EXPECT_TRUE(ring_quiet(&r, 5));
	ring_exit(&r);
}

/* An array entry out of range ends the batch, and with it the chain. */
TEST_F(linkend, a_chain_ends_at_a_dropped_entry)
{
	struct ring *r = &self->r;

	prep_nop(r, 1)->flags = LINK;
	prep_ebadf(r, 2)->flags = LINK;
	prep_nop(r, 3)->flags = LINK;
	prep_nop(r, 4)->flags = LINK;
	prep_nop(r, 5);
	r->sq_array[(r->tail - 3) & 63] = 64;
	ASSERT_EQ(2, ring_submit(r));
	SEE(r, { 1, 0 }, { 2, -EBADF });
	ASSERT_EQ(2, ring_submit(r));
	SEE(r, { 4, 0 }, { 5, 0 });
}

/* --- cancelling ---------------------------------------------------------- */

/* Cancel what reads @fd as user_data 1; the cancel's own is 9. */
static void cancel_by(struct __test_metadata *_metadata, struct ring *r,
		      int form, int fd)
{
	struct aring_sync_cancel_reg reg = {
		.fd = fd, .flags = ARING_ASYNC_CANCEL_FD,
		.timeout = { -1, -1 },
	};
	struct aring_sqe *s;

	if (form == 2) {
		ASSERT_EQ(0, ring_register(r, ARING_REGISTER_SYNC_CANCEL, &reg,
					   1));
		prep_nop(r, 9);
	} else {
		s = prep_cancel(r, 1, form ? ARING_ASYNC_CANCEL_FD : 0, 9);
		s->fd = form ? fd : -1;
	}
	ASSERT_EQ(1, ring_submit(r));
}

TEST_F(linkend, cancelling_the_head)
{
	struct ring *r = &self->r;
	int p[2], q[2];
	char c;

	ASSERT_EQ(0, pipe(p));
	ASSERT_EQ(0, pipe(q));
	for (int form = 0; form < 6; form++) {
		bool hard = form >= 3;
		int rest = hard ? 0 : -ECANCELED;

		prep_read(r, p[0], &c, 1, 0, 1)->flags = hard ? HARD : LINK;
		prep_nop(r, 2)->flags = LINK;
		prep_read(r, q[0], &c, 1, 0, 3)->flags = LINK;
		prep_nop(r, 4);
		ASSERT_EQ(4, ring_submit(r));
		EXPECT_TRUE(ring_quiet(r, 5));
		/* after a hard link the third one runs */
		feed(_metadata, q[1]);
		cancel_by(_metadata, r, form % 3, p[0]);
		SEE_SET(r, { 9, 0 }, { 1, -ECANCELED }, { 2, rest },
			{ 3, hard ? 1 : rest }, { 4, rest });
		CHECK_TRUE(_metadata->passed, "form %d", form);
		if (!hard)
			ASSERT_EQ(1, read(q[0], &c, 1));
	}
}

TEST_F(linkend, cancelling_a_member_that_runs)
{
	struct ring *r = &self->r;
	int p[2];
	char c;

	ASSERT_EQ(0, pipe(p));
	for (int form = 0; form < 3; form++) {
		prep_nop(r, 0)->flags = HARD;
		prep_read(r, p[0], &c, 1, 0, 1)->flags = LINK;
		prep_nop(r, 2);
		ASSERT_EQ(3, ring_submit(r));
		SEE(r, { 0, 0 });
		cancel_by(_metadata, r, form, p[0]);
		SEE_SET(r, { 9, 0 }, { 1, -ECANCELED }, { 2, -ECANCELED });
	}
}

/*
 * A member that waits for its predecessor: io_uring 6.1 does not find it. The
 * device does: it is taken back like anything else that has not started, and
 * what follows it ends as after a failure.
 */
TEST_F(linkend, cancelling_a_member_that_has_not_started)
{
	bool found = variant->backend == DEVICE;
	struct ring *r = &self->r;
	struct aring_cqe cqe;
	int p[2];
	char c;

	ASSERT_EQ(0, pipe(p));
	for (int hard = 0; hard < 2; hard++) {
		int gone = found ? -ECANCELED : 0;

		prep_read(r, p[0], &c, 1, 0, 1)->flags = hard ? HARD : LINK;
		prep_nop(r, 2)->flags = LINK;
		prep_nop(r, 3)->flags = LINK;
		prep_nop(r, 4);
		ASSERT_EQ(4, ring_submit(r));
		EXPECT_TRUE(ring_quiet(r, 5));
		prep_cancel(r, 3, 0, 9);
		ASSERT_EQ(1, ring_submit(r));
		if (!found)
			SEE(r, { 9, -ENOENT });
		feed(_metadata, p[1]);
		if (!found) {
			SEE(r, { 1, 1 }, { 2, 0 }, { 3, 0 }, { 4, 0 });
			continue;
		}
		SEE_SET(r, { 9, 0 }, { 1, 1 }, { 2, 0 }, { 3, gone },
			{ 4, gone });
		/* once it is taken back, it is not there any more */
		prep_cancel(r, 3, 0, 9);
		ASSERT_EQ(1, ring_submit(r));
		ASSERT_EQ(0, ring_cqe(r, &cqe));
		EXPECT_EQ(-ENOENT, cqe.res);
	}
}

/*
 * ANY ends the whole chain. io_uring counts the head alone; to the device the
 * others are requests that wait, too.
 */
TEST_F(linkend, cancelling_everything)
{
	struct ring *r = &self->r;
	struct aring_cqe cqe;
	bool seen[4] = { false };
	int p[2], count = RES_NONE;
	char c;

	ASSERT_EQ(0, pipe(p));
	prep_read(r, p[0], &c, 1, 0, 1)->flags = LINK;
	prep_nop(r, 2)->flags = LINK;
	prep_nop(r, 3);
	ASSERT_EQ(3, ring_submit(r));
	EXPECT_TRUE(ring_quiet(r, 5));
	prep_cancel(r, 0, ARING_ASYNC_CANCEL_ANY, 9);
	ASSERT_EQ(1, ring_submit(r));
	for (int i = 0; i < 4; i++) {
		ASSERT_EQ(0, ring_cqe(r, &cqe));
		if (cqe.user_data == 9) {
			count = cqe.res;
			continue;
		}
		ASSERT_LT(cqe.user_data, 4);
		EXPECT_FALSE(seen[cqe.user_data]);
		seen[cqe.user_data] = true;
		EXPECT_EQ(-ECANCELED, cqe.res);
	}
	EXPECT_GE(count, 1);
	EXPECT_LE(count, variant->backend == DEVICE ? 3 : 1);
	EXPECT_TRUE(ring_quiet(r, 5));
}

/* A cancel may be a member, and its verdict decides what follows it. */
TEST_F(linkend, a_cancel_in_the_chain)
{
	struct ring *r = &self->r;
	int p[2];
	char c;

	ASSERT_EQ(0, pipe(p));
	prep_read(r, p[0], &c, 1, 0, 1);
	ASSERT_EQ(1, ring_submit(r));
	prep_cancel(r, 1, 0, 2)->flags = LINK;
	prep_nop(r, 3);
	ASSERT_EQ(2, ring_submit(r));
	SEE_SET(r, { 1, -ECANCELED }, { 2, 0 }, { 3, 0 });
	prep_cancel(r, 1, 0, 2)->flags = LINK;
	prep_nop(r, 3);
	ASSERT_EQ(2, ring_submit(r));
	SEE(r, { 2, -ENOENT }, { 3, -ECANCELED });
}

/* --- the end of the ring ------------------------------------------------- */

/* Three pipes: the head and a later member read two, and one is written to. */
struct held {
	int head[2], member[2], out[2];
};

static bool held_pipes(struct held *h)
{
	return !pipe(h->head) && !pipe(h->member) && !pipe(h->out);
}

static bool submit_held(struct ring *r, struct held *h, __u8 flags)
{
	static char b[2];

	prep_read(r, h->head[0], &b[0], 1, 0, 1)->flags = flags;
	prep_write(r, h->out[1], "x", 1, 0, 2)->flags = flags;
	prep_read(r, h->member[0], &b[1], 1, 0, 3)->flags = flags;
	prep_nop(r, 4);
	return ring_submit(r) == 4;
}

/* Close the ends that the chain has. */
static void close_far_ends(struct held *h)
{
	close(h->head[0]);
	close(h->member[0]);
	close(h->out[1]);
}

/* All files are let go, and the write behind the head was not made. */
static void expect_dropped(struct __test_metadata *_metadata, struct held *h)
{
	char c;

	EXPECT_TRUE(readers_go(h->head[1]));
	EXPECT_TRUE(readers_go(h->member[1]));
	EXPECT_EQ(0, read(h->out[0], &c, 1));
	close(h->head[1]);
	close(h->member[1]);
	close(h->out[0]);
}

TEST_F(linkend, closing_with_a_chain_in_flight)
{
	for (int form = 0; form < 2; form++) {
		struct ring r;
		struct held h;

		ASSERT_EQ(0, ring_init(&r, variant->backend, 8, 0));
		ASSERT_TRUE(held_pipes(&h));
		ASSERT_TRUE(submit_held(&r, &h, form ? LINK | ASYNC : LINK));
		close_far_ends(&h);
		EXPECT_TRUE(ring_quiet(&r, 5));
		EXPECT_EQ(0, poll(&(struct pollfd) { .fd = h.member[1] }, 1,
				  0));
		ring_exit(&r);
		expect_dropped(_metadata, &h);
	}
}

enum { EXIT, KILL_WAITING, KILL_ELSEWHERE, ENDS };

/* The process that submits a chain; it says so on @ready. */
static void submitter(enum backend backend, struct held *h, int ready,
		      int end, __u8 flags)
{
	struct ring r;

	close(h->head[1]);
	close(h->member[1]);
	close(h->out[0]);
	if (ring_init(&r, backend, 8, 0) || !submit_held(&r, h, flags) ||
	    write(ready, "x", 1) != 1)
		_exit(1);
	if (end == EXIT)
		_exit(0);
	if (end == KILL_WAITING)
		ring_enter(&r, 0, 1, ARING_ENTER_GETEVENTS, NULL, 0);
	for (;;)
		pause();
}

TEST_F(linkend, the_submitter_dies_with_a_chain_in_flight)
{
	for (int form = 0; form < 3 * ENDS; form++) {
		static const __u8 FLAGS[] = { LINK, HARD, LINK | ASYNC };
		int ready[2], status, end = form % ENDS;
		struct held h;
		pid_t pid;
		char c;

		ASSERT_EQ(0, pipe(ready));
		ASSERT_TRUE(held_pipes(&h));
		pid = fork();
		ASSERT_GE(pid, 0);
		if (!pid)
			submitter(variant->backend, &h, ready[1], end,
				  FLAGS[form / ENDS]);
		close_far_ends(&h);
		ASSERT_EQ(1, read(ready[0], &c, 1));
		usleep(5000);
		if (end != EXIT)
			kill(pid, SIGKILL);
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		EXPECT_EQ(end == EXIT ? 0 : SIGKILL, status);
		/* nothing of a chain runs on its own, hard links or not */
		expect_dropped(_metadata, &h);
		CHECK_TRUE(_metadata->passed, "form %d", form);
	}
}

RING_TEST_MAIN
