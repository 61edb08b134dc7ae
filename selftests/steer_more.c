// SPDX-License-Identifier: MIT
/*
 * Steering: other results, lost cancels, a full CQ, and what it does to ENTER.
 */
#include "steer.h"
#include "session.h"
#include <sys/eventfd.h>

STEER_FIXTURE(steer_more, 0);

/* ---- results -------------------------------------------------------------- */

TEST_F(steer_more, fail)
{
	struct ring *r = &self->r;
	unsigned int opcode;

	FOR_SUBJECTS(s) {
		ASSERT_EQ(0, steer_for(r, 7, ARING_ACT_FAIL, EIO));
		s->prep(r, &self->f, 7);
		opcode = ring_sqe_at(r, last_ticket(r))->opcode;
		CHECK_EQ(-EIO, ring_run(r), "%s", s->name);
		NO_MORE(s->name);
		ASSERT_EQ(0, steer_clear(r));

		ASSERT_EQ(0, steer_for(r, 7, ARING_ACT_FAIL, EIO));
		s->prep(r, &self->f, 7);
		ring_sqe_at(r, last_ticket(r))->flags |= LINK;
		prep_nop(r, 8);
		ASSERT_EQ(2, ring_submit(r));
		ONE(7, -EIO, s->name);
		ONE(8, after_failed(opcode), s->name);
		ASSERT_EQ(0, steer_clear(r));
	}
	ASSERT_EQ(3, read(self->f.pipe[0], self->f.buf, 8));
}

TEST_F(steer_more, fail_as_a_member_and_held)
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

TEST_F(steer_more, fail_does_not_change_what_a_cancel_does)
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
TEST_F(steer_more, fail_a_cancel)
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

TEST_F(steer_more, shorten)
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

TEST_F(steer_more, shorten_fixed)
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
TEST_F(steer_more, shorten_a_member)
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

TEST_F(steer_more, shorten_the_device)
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

TEST_F(steer_more, shorten_to_nothing)
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

/* ---- cancels that lose ---------------------------------------------------- */

TEST_F(steer_more, cancel_loses)
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

TEST_F(steer_more, cancel_loses_against_what_waits_for_others)
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

TEST_F(steer_more, cancel_loses_against_what_is_held)
{
	struct ring *r = &self->r;

	FOR_SUBJECTS(s) FOR_HOLDS(a) {
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

TEST_F(steer_more, time_limit_loses)
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

TEST_F(steer_more, TIMEOUT_REMOVE_and_POLL_REMOVE_lose_and_win)
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

TEST_F(steer_more, cq_full)
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

/* Who is asleep until there is news is woken, whatever he sleeps on. */
TEST_F(steer_more, a_cq_that_seems_full_is_news)
{
	struct ring *r = &self->r;
	int event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	struct pollfd on[2] = {
		{ .fd = event, .events = POLLIN },
		{ .fd = r->fd, .events = POLLIN },
	};
	eventfd_t n;

	ASSERT_GE(event, 0);
	ASSERT_EQ(0, ring_register(r, ARING_REGISTER_EVENTFD, &event, 1));
	FOR_SUBJECTS(s) {
		ASSERT_EQ(0, steer_for(r, 7, ARING_ACT_CQ_FULL, 0));
		s->prep(r, &self->f, 7);
		NEED_EQ(1, ring_submit(r), "%s", s->name);
		for (int i = 0; i < 2; i++)
			CHECK_EQ(1, poll(&on[i], 1, 5000 * test_slow()),
				 "%s: %s", s->name, i ? "ring" : "eventfd");
		ONE(7, s->res, s->name);
		NO_MORE(s->name);
		/* its CQE may have been signalled as well */
		eventfd_read(event, &n);
		ASSERT_EQ(0, steer_clear(r));
	}
	close(event);
}

/* What a rule holds stays, also where a session has something to say besides. */
TEST_F(steer_more, rules_are_not_softened)
{
	static const unsigned int acts[] = {
		ARING_ACT_CANCEL_WINS, ARING_ACT_AFTER,
	};
	const struct aring_chaos full = { .cqfull_ppm = MILLION };
	const struct aring_chaos reorder = { .seed = 1, .reorder = 16 };
	struct aring_cqe cqe;
	struct ring r;
	int fd;

	for (int i = 0; i < 2; i++) {
		fd = session_of(&r, &full);
		ASSERT_LE(0, fd);
		ASSERT_EQ(0, steer_for(&r, 7, acts[i],
				       acts[i] == ARING_ACT_AFTER));
		prep_nop(&r, 7);
		ASSERT_EQ(1, ring_submit(&r));
		NEED_TRUE(ring_quiet(&r, 50), "%d", i);
		EXPECT_EQ((int)acts[i], steer_held_at(&r, 7));
		EXPECT_EQ(1, steer_release_all(&r));
		ASSERT_EQ(0, ring_cqe(&r, &cqe));
		EXPECT_EQ(0, cqe.res);
		ring_exit(&r);
		close(fd);
	}
	/* What the session adds is soft: there they are held twice. */
	fd = session_of(&r, &reorder);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, steer_all(&r, ARING_ACT_CANCEL_WINS, 0));
	for (int i = 0; i < 8; i++)
		prep_nop(&r, i);
	ASSERT_EQ(8, ring_submit(&r));
	EXPECT_TRUE(ring_quiet(&r, 50));
	EXPECT_EQ(8, steer_release_all(&r));
	for (int i = 0; i < 8; i++)
		ASSERT_EQ(0, ring_cqe(&r, &cqe));
	ring_exit(&r);
	close(fd);
}

TEST_F(steer_more, enter_eintr)
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

TEST_F(steer_more, enter_takes_fewer)
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
