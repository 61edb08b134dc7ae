// SPDX-License-Identifier: MIT
/*
 * Steering: what each action does to which operation. Each request ends with
 * exactly one CQE, what a cancel is told is what then happens, and what is let go
 * does what it would have done.
 */
#include "steer.h"
#include <sys/socket.h>

/* What the requests work on, each with something to do at once. */
struct files {
	int file;		/* "0123456789" */
	int pipe[2];		/* "abc" in it */
	int sock[2];		/* "xyz" to be read from [0] */
	char buf[64];
	struct iovec iov[3];
};

FIXTURE(steer_do) {
	struct ring r;
	struct files f;
};

FIXTURE_VARIANT(steer_do) {
	enum backend backend;
};

FIXTURE_VARIANT_ADD(steer_do, device) {
	.backend = DEVICE,
};

FIXTURE_SETUP(steer_do)
{
	struct files *f = &self->f;

	ASSERT_EQ(0, ring_init(&self->r, DEVICE, 64, 0));
	f->file = open("/tmp", O_TMPFILE | O_RDWR, 0600);
	ASSERT_LE(0, f->file);
	ASSERT_EQ(10, write(f->file, "0123456789", 10));
	ASSERT_EQ(0, pipe(f->pipe));
	ASSERT_EQ(3, write(f->pipe[1], "abc", 3));
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, f->sock));
	ASSERT_EQ(3, write(f->sock[1], "xyz", 3));
	for (int i = 0; i < 3; i++)
		f->iov[i] = (struct iovec){ f->buf + 16 * i, 2 };
}

FIXTURE_TEARDOWN(steer_do)
{
	ring_exit(&self->r);
}

static struct __kernel_timespec short_time = { .tv_nsec = 1000000 };
static struct __kernel_timespec long_time = { .tv_sec = 1000 };

/* An operation that ends soon when nothing is done to it. */
struct subject {
	const char *name;
	void (*prep)(struct ring *r, struct files *f, __u64 ud);
	int res;
};

static void sub_nop(struct ring *r, struct files *f, __u64 ud)
{
	(void)f;
	prep_nop(r, ud);
}

static void sub_file(struct ring *r, struct files *f, __u64 ud)
{
	prep_read(r, f->file, f->buf, 8, 0, ud);
}

static void sub_pipe(struct ring *r, struct files *f, __u64 ud)
{
	prep_read(r, f->pipe[0], f->buf, 1, -1, ud);
}

static void sub_recv(struct ring *r, struct files *f, __u64 ud)
{
	prep(r, ARING_OP_RECV, f->sock[0], f->buf, 1, 0, ud)->msg_flags =
		MSG_PEEK;
}

static void sub_timeout(struct ring *r, struct files *f, __u64 ud)
{
	(void)f;
	prep_timeout(r, &short_time, 0, 0, ud);
}

static void sub_poll(struct ring *r, struct files *f, __u64 ud)
{
	prep(r, ARING_OP_POLL_ADD, f->sock[0], NULL, 0, 0, ud)->poll_events =
		POLLIN;
}

static void sub_fsync(struct ring *r, struct files *f, __u64 ud)
{
	prep(r, ARING_OP_FSYNC, f->file, NULL, 0, 0, ud);
}

static void sub_ebadf(struct ring *r, struct files *f, __u64 ud)
{
	(void)f;
	prep_read(r, -1, NULL, 1, 0, ud);
}

static const struct subject subjects[] = {
	{ "nop", sub_nop, 0 },
	{ "file", sub_file, 8 },
	{ "pipe", sub_pipe, 1 },
	{ "recv", sub_recv, 1 },
	{ "timeout", sub_timeout, -ETIME },
	{ "poll", sub_poll, POLLIN },
	{ "fsync", sub_fsync, 0 },
	{ "ebadf", sub_ebadf, -EBADF },
};

#define FOR_SUBJECTS(s) \
	for (const struct subject *s = subjects; \
	     s < subjects + sizeof(subjects) / sizeof(subjects[0]); s++)

static const unsigned int early[] = {
	ARING_ACT_HOLD_QUEUED, ARING_ACT_HOLD_STARTED, ARING_ACT_CANCEL_WINS,
};

#define FOR_EARLY(i) for (unsigned int i = 0; i < 3; i++)

/* The ticket of the SQE prepared last. */
static __u32 last_ticket(const struct ring *r)
{
	return r->tail - 1;
}

/* As SEE, for one, with a name. */
static void see_one(struct __test_metadata *_metadata, struct ring *r,
		    __u64 ud, int res, const char *what, int line)
{
	struct aring_cqe cqe = { 0 };

	NEED_EQ(0, ring_cqe(r, &cqe), "line %d, %s", line, what);
	CHECK_EQ(ud, cqe.user_data, "line %d, %s", line, what);
	CHECK_EQ(res, cqe.res, "line %d, %s", line, what);
}

#define ONE(ud, res, what) see_one(_metadata, r, ud, res, what, __LINE__)
#define NO_MORE(what) \
	CHECK_TRUE(ring_quiet(r, 2), "line %d, %s: one more", __LINE__, what)

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

	FOR_SUBJECTS(s) for (int a = ARING_ACT_HOLD_QUEUED;
			     a <= ARING_ACT_HOLD_DONE; a++) {
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

	for (int a = ARING_ACT_HOLD_QUEUED; a <= ARING_ACT_HOLD_DONE; a++) {
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

	for (int a = ARING_ACT_HOLD_QUEUED; a <= ARING_ACT_HOLD_DONE; a++) {
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
	struct __kernel_timespec ts = to_ts(ms(50) * test_slow());
	struct ring *r = &self->r;

	FOR_SUBJECTS(s) {
		ASSERT_EQ(0, steer_for(r, 1, ARING_ACT_HOLD_DONE, 0));
		s->prep(r, &self->f, 1);
		ring_sqe_at(r, last_ticket(r))->flags |= LINK;
		prep(r, ARING_OP_LINK_TIMEOUT, -1, &ts, 1, 0, 2);
		NEED_EQ(2, ring_submit(r), "%s", s->name);
		CHECK_TRUE(steer_wait_held(r, 1, ARING_ACT_HOLD_DONE), "%s",
			   s->name);
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

/* ---- results -------------------------------------------------------------- */

TEST_F(steer_do, fail)
{
	struct ring *r = &self->r;

	FOR_SUBJECTS(s) {
		ASSERT_EQ(0, steer_for(r, 7, ARING_ACT_FAIL, EIO));
		s->prep(r, &self->f, 7);
		CHECK_EQ(-EIO, ring_run(r), "%s", s->name);
		NO_MORE(s->name);
		ASSERT_EQ(0, steer_clear(r));

		ASSERT_EQ(0, steer_for(r, 7, ARING_ACT_FAIL, EIO));
		s->prep(r, &self->f, 7);
		ring_sqe_at(r, last_ticket(r))->flags |= LINK;
		prep_nop(r, 8);
		ASSERT_EQ(2, ring_submit(r));
		ONE(7, -EIO, s->name);
		ONE(8, -ECANCELED, s->name);
		ASSERT_EQ(0, steer_clear(r));
	}
	ASSERT_EQ(3, read(self->f.pipe[0], self->f.buf, 8));
}

TEST_F(steer_do, fail_as_a_member_and_held)
{
	struct ring *r = &self->r;
	const struct aring_rule rules[] = {
		rule_for(2, ARING_ACT_HOLD_STARTED, 0),
		rule_for(2, ARING_ACT_FAIL, ENOSPC),
	};

	ASSERT_EQ(0, steer_add(r, rules, 2));
	prep_nop(r, 1)->flags = LINK;
	prep_write(r, self->f.pipe[1], "no", 2, -1, 2);
	ASSERT_EQ(2, ring_submit(r));
	SEE(r, { 1, 0 });
	EXPECT_EQ(1, steer_release_all(r));
	SEE(r, { 2, -ENOSPC });
	ASSERT_EQ(3, read(self->f.pipe[0], self->f.buf, 8));
}

TEST_F(steer_do, fail_does_not_change_what_a_cancel_does)
{
	struct ring *r = &self->r;
	const struct aring_rule rules[] = {
		rule_for(2, ARING_ACT_HOLD_QUEUED, 0),
		rule_for(2, ARING_ACT_FAIL, EIO),
	};

	ASSERT_EQ(0, steer_add(r, rules, 2));
	prep_nop(r, 2);
	ASSERT_EQ(1, ring_submit(r));
	prep_cancel(r, 2, 0, 9);
	ASSERT_EQ(1, ring_submit(r));
	SEE(r, { 2, -ECANCELED }, { 9, 0 });
}

/* An ASYNC_CANCEL that fails has not looked for anything. */
TEST_F(steer_do, fail_a_cancel)
{
	struct ring *r = &self->r;

	ASSERT_EQ(0, steer_for(r, 9, ARING_ACT_FAIL, EINVAL));
	prep_timeout(r, &long_time, 0, 0, 7);
	prep_cancel(r, 7, 0, 9);
	ASSERT_EQ(2, ring_submit(r));
	SEE(r, { 9, -EINVAL });
	prep_cancel(r, 7, 0, 10);
	ASSERT_EQ(1, ring_submit(r));
	SEE(r, { 7, -ECANCELED }, { 10, 0 });
}

/* ---- fewer bytes ---------------------------------------------------------- */

TEST_F(steer_do, shorten)
{
	struct ring *r = &self->r;
	struct files *f = &self->f;
	struct iovec *v = f->iov;
	struct iovec all = { f->buf, 8 };
	struct msghdr msg = { .msg_iov = v, .msg_iovlen = 3 };
	char out[8] = { 0 };

	ASSERT_EQ(0, steer_all(r, ARING_ACT_SHORTEN, 3));
	prep_read(r, f->file, f->buf, 8, 2, 7);
	EXPECT_EQ(3, ring_run(r));
	EXPECT_EQ(0, memcmp(f->buf, "234", 4));
	/* What is less anyway stays as it is. */
	prep_read(r, f->file, f->buf, 2, 0, 7);
	EXPECT_EQ(2, ring_run(r));
	prep_read(r, f->file, f->buf, 8, 9, 7);
	EXPECT_EQ(1, ring_run(r));

	memset(f->buf, 0, sizeof(f->buf));
	prep(r, ARING_OP_READV, f->file, v, 3, 0, 7);
	EXPECT_EQ(3, ring_run(r));
	EXPECT_EQ(0, memcmp(v[0].iov_base, "01", 3));
	EXPECT_EQ(0, memcmp(v[1].iov_base, "2", 2));
	prep(r, ARING_OP_READV, f->file, v, 3, 0, 7)->flags = ASYNC;
	EXPECT_EQ(3, ring_run(r));

	prep_write(r, f->file, "abcdef", 6, 0, 7);
	EXPECT_EQ(3, ring_run(r));
	prep(r, ARING_OP_WRITEV, f->file, &all, 1, 5, 7);
	EXPECT_EQ(3, ring_run(r));
	ASSERT_EQ(8, pread(f->file, out, 8, 0));
	EXPECT_EQ(0, memcmp(out, "abc34", 5));
	EXPECT_EQ(0, memcmp(out + 5, all.iov_base, 3));

	ASSERT_EQ(8, write(f->sock[1], "12345678", 8));
	prep(r, ARING_OP_RECV, f->sock[0], f->buf, 8, 0, 7);
	EXPECT_EQ(3, ring_run(r));
	EXPECT_EQ(0, memcmp(f->buf, "xyz", 3));
	prep(r, ARING_OP_RECVMSG, f->sock[0], &msg, 1, 0, 7);
	EXPECT_EQ(3, ring_run(r));
	EXPECT_EQ(0, memcmp(v[0].iov_base, "12", 2));
	EXPECT_EQ('3', *(char *)v[1].iov_base);
	prep(r, ARING_OP_SEND, f->sock[0], "hello", 5, 0, 7);
	EXPECT_EQ(3, ring_run(r));
	prep(r, ARING_OP_SENDMSG, f->sock[0], &msg, 1, 0, 7);
	EXPECT_EQ(3, ring_run(r));
	ASSERT_EQ(6, read(f->sock[1], out, 8));
	EXPECT_EQ(0, memcmp(out, "hel123", 6));
	/* Nothing to shorten. */
	prep_nop(r, 7);
	EXPECT_EQ(0, ring_run(r));
}

TEST_F(steer_do, shorten_fixed)
{
	struct ring *r = &self->r;
	struct files *f = &self->f;
	struct iovec buf = { f->buf, sizeof(f->buf) };
	char out[8] = { 0 };

	ASSERT_EQ(0, ring_register(r, ARING_REGISTER_BUFFERS, &buf, 1));
	ASSERT_EQ(0, ring_register(r, ARING_REGISTER_FILES, &f->file, 1));
	ASSERT_EQ(0, steer_all(r, ARING_ACT_SHORTEN, 4));
	prep(r, ARING_OP_READ_FIXED, 0, f->buf, 8, 1, 7)->flags =
		ARING_SQE_FIXED_FILE;
	EXPECT_EQ(4, ring_run(r));
	EXPECT_EQ(0, memcmp(f->buf, "1234", 5));
	prep(r, ARING_OP_WRITE_FIXED, 0, f->buf, 8, 6, 7)->flags =
		ARING_SQE_FIXED_FILE;
	EXPECT_EQ(4, ring_run(r));
	ASSERT_EQ(4, pread(f->file, out, 8, 6));
	EXPECT_EQ(0, memcmp(out, "1234", 4));
}

/* Less than was asked for breaks a chain where it would have otherwise. */
TEST_F(steer_do, shorten_a_member)
{
	struct ring *r = &self->r;
	struct files *f = &self->f;

	ASSERT_EQ(0, steer_all(r, ARING_ACT_SHORTEN, 2));
	prep_read(r, f->file, f->buf, 4, 0, 1)->flags = LINK;
	prep_nop(r, 2);
	ASSERT_EQ(2, ring_submit(r));
	SEE(r, { 1, 2 }, { 2, -ECANCELED });
	prep_read(r, f->file, f->buf, 2, 0, 1)->flags = LINK;
	prep_nop(r, 2);
	ASSERT_EQ(2, ring_submit(r));
	SEE(r, { 1, 2 }, { 2, 0 });
	prep(r, ARING_OP_READV, f->file, f->iov, 2, 0, 1)->flags = HARD;
	prep_nop(r, 2);
	ASSERT_EQ(2, ring_submit(r));
	SEE(r, { 1, 2 }, { 2, 0 });
	prep(r, ARING_OP_RECV, f->sock[0], f->buf, 3, 0, 1)->flags = LINK;
	prep_nop(r, 2);
	ASSERT_EQ(2, ring_submit(r));
	SEE(r, { 1, 2 }, { 2, 0 });
	ASSERT_EQ(3, write(f->sock[1], "abc", 3));
	prep(r, ARING_OP_RECV, f->sock[0], f->buf, 4, 0, 1)->flags = LINK;
	ring_sqe_at(r, last_ticket(r))->msg_flags = MSG_WAITALL;
	prep_nop(r, 2);
	ASSERT_EQ(2, ring_submit(r));
	SEE(r, { 1, 2 }, { 2, -ECANCELED });
}

TEST_F(steer_do, shorten_the_device)
{
	struct aring_vdev dev = { .size = 64, .channels = 1 };
	struct ring *r = &self->r;
	struct files *f = &self->f;

	ASSERT_EQ(0, ioctl(r->fd, ARING_IOC_VDEV, &dev));
	ASSERT_EQ(0, steer_all(r, ARING_ACT_SHORTEN, 2));
	prep(r, ARING_OP_VWRITE, -1, "abcd", 4, 0, 7);
	EXPECT_EQ(2, ring_run(r));
	ASSERT_EQ(0, steer_clear(r));
	prep(r, ARING_OP_VREAD, -1, f->buf, 4, 0, 7);
	EXPECT_EQ(4, ring_run(r));
	EXPECT_EQ(0, memcmp(f->buf, "ab\0\0", 4));
}

TEST_F(steer_do, shorten_to_nothing)
{
	struct ring *r = &self->r;
	struct files *f = &self->f;

	ASSERT_EQ(0, steer_all(r, ARING_ACT_SHORTEN, 0));
	prep_read(r, f->file, f->buf, 4, 0, 7);
	EXPECT_EQ(0, ring_run(r));
	prep(r, ARING_OP_READV, f->file, f->iov, 3, 0, 7);
	EXPECT_EQ(0, ring_run(r));
	prep_write(r, f->file, "x", 1, 0, 7);
	EXPECT_EQ(0, ring_run(r));
}

/* ---- late ----------------------------------------------------------------- */

TEST_F(steer_do, delay)
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

TEST_F(steer_do, delay_cut_short)
{
	struct ring *r = &self->r;

	ASSERT_EQ(0, steer_for(r, 7, ARING_ACT_DELAY, 1000 * ms(1000)));
	prep_nop(r, 7);
	ASSERT_EQ(1, ring_submit(r));
	EXPECT_EQ(ARING_ACT_DELAY, steer_held_at(r, 7));
	EXPECT_EQ(1, steer_release_all(r));
	SEE(r, { 7, 0 });
}

TEST_F(steer_do, delay_on_a_virtual_clock)
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

TEST_F(steer_do, after)
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
TEST_F(steer_do, after_any_successor)
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
TEST_F(steer_do, after_what_is_dropped_or_silent)
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
TEST_F(steer_do, after_one_another)
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

TEST_F(steer_do, after_released_or_never)
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

TEST_F(steer_do, after_behind_hold_done)
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

/* ---- cancels that lose ---------------------------------------------------- */

TEST_F(steer_do, cancel_loses)
{
	struct ring *r = &self->r;
	struct files *f = &self->f;
	char b;
	int p[2], s[2];

	ASSERT_EQ(0, pipe(p));
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	ASSERT_EQ(0, steer_for(r, 1, ARING_ACT_CANCEL_LOSES, 0));
	ASSERT_EQ(0, steer_for(r, 2, ARING_ACT_CANCEL_LOSES, 0));
	ASSERT_EQ(0, steer_for(r, 3, ARING_ACT_CANCEL_LOSES, 0));
	ASSERT_EQ(0, steer_for(r, 4, ARING_ACT_CANCEL_LOSES, 0));

	/* What waits for a peer: nothing to transfer. */
	prep_read(r, p[0], &b, 1, -1, 1);
	prep(r, ARING_OP_RECV, s[0], &b, 1, 0, 2);
	prep(r, ARING_OP_POLL_ADD, p[0], NULL, 0, 0, 3)->poll_events = POLLIN;
	/* An armed TIMEOUT: it fires. */
	prep_timeout(r, &long_time, 0, 0, 4);
	ASSERT_EQ(4, ring_submit(r));
	EXPECT_TRUE(ring_quiet(r, 5));
	for (int i = 1; i <= 3; i++) {
		prep_cancel(r, i, 0, 9);
		ASSERT_EQ(1, ring_submit(r));
		SEE(r, { i, -ECANCELED }, { 9, -EALREADY });
	}
	prep_cancel(r, 4, 0, 9);
	ASSERT_EQ(1, ring_submit(r));
	SEE(r, { 4, -ETIME }, { 9, -EALREADY });
	prep_cancel(r, 4, 0, 9);
	ASSERT_EQ(1, ring_submit(r));
	SEE(r, { 9, -ENOENT });
	/* The data is still for who comes next. */
	ASSERT_EQ(1, write(p[1], "x", 1));
	ASSERT_EQ(1, read(p[0], f->buf, 2));
}

TEST_F(steer_do, cancel_loses_against_what_waits_for_others)
{
	struct ring *r = &self->r;
	int p[2];
	char b;

	ASSERT_EQ(0, pipe(p));
	ASSERT_EQ(0, steer_for(r, 2, ARING_ACT_CANCEL_LOSES, 0));
	prep_read(r, p[0], &b, 1, -1, 1)->flags = LINK;
	prep_nop(r, 2);
	ASSERT_EQ(2, ring_submit(r));
	/* Its own result follows, however often it is asked back. */
	for (int i = 0; i < 2; i++) {
		prep_cancel(r, 2, 0, 9);
		ASSERT_EQ(1, ring_submit(r));
		SEE(r, { 9, -EALREADY });
	}
	ASSERT_EQ(1, write(p[1], "x", 1));
	SEE(r, { 1, 1 }, { 2, 0 });
}

TEST_F(steer_do, cancel_loses_against_what_is_held)
{
	struct ring *r = &self->r;

	FOR_SUBJECTS(s) for (int a = ARING_ACT_HOLD_QUEUED;
			     a <= ARING_ACT_HOLD_DONE; a++) {
		const struct aring_rule rules[] = {
			rule_for(7, a, 0),
			rule_for(7, ARING_ACT_CANCEL_LOSES, 0),
		};

		ASSERT_EQ(0, steer_add(r, rules, 2));
		s->prep(r, &self->f, 7);
		NEED_EQ(1, ring_submit(r), "%s", s->name);
		NEED_TRUE(steer_wait_held(r, 7, a), "%s", s->name);
		prep_cancel(r, 7, 0, 9);
		ASSERT_EQ(1, ring_submit(r));
		SEE_SET(r, { 7, s->res }, { 9, -EALREADY });
		EXPECT_EQ(0, steer_held(r, NULL, 0));
		ASSERT_EQ(0, steer_clear(r));
	}
}

TEST_F(steer_do, time_limit_loses)
{
	struct ring *r = &self->r;
	int p[2];
	char b;

	ASSERT_EQ(0, pipe(p));
	ASSERT_EQ(0, steer_for(r, 1, ARING_ACT_CANCEL_LOSES, 0));
	prep_read(r, p[0], &b, 1, -1, 1)->flags = LINK;
	prep(r, ARING_OP_LINK_TIMEOUT, -1, &short_time, 1, 0, 2);
	ASSERT_EQ(2, ring_submit(r));
	SEE(r, { 1, -ECANCELED }, { 2, -EALREADY });
	ASSERT_EQ(0, steer_clear(r));

	ASSERT_EQ(0, steer_for(r, 1, ARING_ACT_CANCEL_LOSES, 0));
	prep_timeout(r, &long_time, 0, 0, 1)->flags = LINK;
	prep(r, ARING_OP_LINK_TIMEOUT, -1, &short_time, 1, 0, 2);
	ASSERT_EQ(2, ring_submit(r));
	SEE(r, { 1, -ETIME }, { 2, -EALREADY });
}

TEST_F(steer_do, TIMEOUT_REMOVE_and_POLL_REMOVE_lose_and_win)
{
	struct ring *r = &self->r;

	ASSERT_EQ(0, steer_for(r, 1, ARING_ACT_CANCEL_LOSES, 0));
	prep_timeout(r, &long_time, 0, 0, 1);
	ASSERT_EQ(1, ring_submit(r));
	prep(r, ARING_OP_TIMEOUT_REMOVE, -1, (void *)1, 0, 0, 9);
	ASSERT_EQ(1, ring_submit(r));
	SEE(r, { 1, -ETIME }, { 9, -EALREADY });
	ASSERT_EQ(0, steer_clear(r));

	ASSERT_EQ(0, steer_all(r, ARING_ACT_CANCEL_WINS, 0));
	prep_timeout(r, &short_time, 0, 0, 1);
	sub_poll(r, &self->f, 2);
	ASSERT_EQ(2, ring_submit(r));
	ASSERT_EQ(0, steer_clear(r));
	prep(r, ARING_OP_TIMEOUT_REMOVE, -1, (void *)1, 0, 0, 9);
	prep(r, ARING_OP_POLL_REMOVE, -1, (void *)2, 0, 0, 10);
	ASSERT_EQ(2, ring_submit(r));
	SEE(r, { 1, -ECANCELED }, { 2, -ECANCELED }, { 9, 0 }, { 10, 0 });
}

/* ---- the CQ and ENTER ------------------------------------------------------ */

TEST_F(steer_do, cq_full)
{
	struct ring *r = &self->r;
	struct aring_cqe cqe;

	FOR_SUBJECTS(s) {
		__u64 end = now_ns() + ms(10000);

		ASSERT_EQ(0, steer_for(r, 7, ARING_ACT_CQ_FULL, 0));
		s->prep(r, &self->f, 7);
		NEED_EQ(1, ring_submit(r), "%s", s->name);
		while (!(ring_sq_flags(r) & ARING_SQ_CQ_OVERFLOW) &&
		       now_ns() < end)
			usleep(1000);
		CHECK_EQ(0, ring_ready(r), "%s", s->name);
		/* Whatever comes goes behind it. */
		prep_nop(r, 8);
		ASSERT_EQ(1, ring_submit(r));
		CHECK_EQ(0, ring_ready(r), "%s", s->name);
		ONE(7, s->res, s->name);
		ONE(8, 0, s->name);
		NO_MORE(s->name);
		EXPECT_FALSE(ring_sq_flags(r) & ARING_SQ_CQ_OVERFLOW);
		ASSERT_EQ(0, steer_clear(r));
	}
	/* A multishot poll ends with it. */
	ASSERT_EQ(0, steer_for(r, 7, ARING_ACT_CQ_FULL, 0));
	prep(r, ARING_OP_POLL_ADD, self->f.sock[0], NULL,
	     ARING_POLL_ADD_MULTI, 0, 7)->poll_events = POLLIN;
	ASSERT_EQ(1, ring_submit(r));
	ASSERT_EQ(0, ring_cqe(r, &cqe));
	EXPECT_EQ(POLLIN, cqe.res);
	EXPECT_EQ(0, cqe.flags);
}

TEST_F(steer_do, enter_eintr)
{
	struct aring_rule rule = rule_all(ARING_ACT_ENTER_EINTR, 0);
	struct ring *r = &self->r;

	rule.first = 2;
	rule.count = 2;
	ASSERT_EQ(0, steer_add(r, &rule, 1));
	prep_nop(r, 1);
	EXPECT_EQ(1, ring_submit(r));
	prep_nop(r, 2);
	EXPECT_EQ(-EINTR, ring_submit(r));
	EXPECT_EQ(-EINTR, ring_enter(r, 1, 1, ARING_ENTER_GETEVENTS, NULL, 0));
	EXPECT_EQ(1, ring_ready(r));
	EXPECT_EQ(1, ring_submit(r));
	SEE(r, { 1, 0 }, { 2, 0 });
}

TEST_F(steer_do, enter_takes_fewer)
{
	struct aring_rule rule = rule_all(ARING_ACT_ENTER_TAKE, 2);
	struct ring *r = &self->r;

	rule.count = 2;
	ASSERT_EQ(0, steer_add(r, &rule, 1));
	for (int i = 0; i < 5; i++)
		prep_nop(r, i);
	/* It does not wait for what it did not take. */
	EXPECT_EQ(2, ring_enter(r, ring_flush(r), 5, ARING_ENTER_GETEVENTS,
				NULL, 0));
	EXPECT_EQ(2, ring_ready(r));
	EXPECT_EQ(2, ring_submit(r));
	EXPECT_EQ(1, ring_submit(r));
	SEE(r, { 0, 0 }, { 1, 0 }, { 2, 0 }, { 3, 0 }, { 4, 0 });

	rule.value = 0;
	rule.count = 1;
	ASSERT_EQ(0, steer_add(r, &rule, 1));
	prep_nop(r, 6);
	EXPECT_EQ(0, ring_submit(r));
	EXPECT_EQ(1, ring_submit(r));
	SEE(r, { 6, 0 });
}

RING_TEST_MAIN
