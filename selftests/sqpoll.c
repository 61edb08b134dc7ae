// SPDX-License-Identifier: MIT
/*
 * SETUP_SQPOLL: a thread of the kernel submits. What it takes while it is awake,
 * without a call. sqpoll_sleep.c has when it sleeps, sqpoll_life.c how it is set
 * up, who it is, and its end.
 */
#include "sqpoll.h"
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/socket.h>

/* Longer than any test takes: once awake, the thread stays so. */
#define BUSY	60000

FIXTURE(sqpoll) {
	struct ring r;
};

RING_VARIANTS(sqpoll);

FIXTURE_SETUP(sqpoll)
{
	struct ring *r = &self->r;

	ASSERT_EQ(0, sq_init(r, variant->backend, 64, 0, BUSY));
	prep_nop(r, 1);
	ASSERT_EQ(0, sq_run(r));
	sq_calls = 0;
}

FIXTURE_TEARDOWN(sqpoll)
{
	ring_exit(&self->r);
}

/* --- what the thread takes, without a call ------------------------------- */

TEST_F_TIMEOUT(sqpoll, a_batch_needs_no_enter, 60)
{
	struct ring *r = &self->r;
	struct aring_cqe cqe;

	for (int i = 0; i < 50; i++) {
		for (int k = 0; k < 64; k++)
			prep_nop(r, i * 64 + k);
		sq_offer(r);
		NEED_TRUE(sq_arrives(r, 64), "batch %d", i);
		/* 6.1 posts the CQEs first, and moves the head then */
		NEED_TRUE(sq_taken(r), "batch %d", i);
		for (int k = 0; k < 64; k++) {
			ASSERT_TRUE(ring_reap(r, &cqe));
			NEED_EQ(i * 64 + k, cqe.user_data, "order");
			EXPECT_EQ(0, cqe.res);
		}
	}
	EXPECT_EQ(0, sq_calls);
	EXPECT_EQ(*r->sq_tail, *r->sq_head);
}

TEST_F(sqpoll, files_need_no_enter)
{
	int fd = open("/tmp", O_TMPFILE | O_RDWR, 0600);
	static char a[65536], b[65536];
	struct iovec v[2] = { { b, 100 }, { b + 100, 200 } };
	struct ring *r = &self->r;

	ASSERT_GE(fd, 0);
	for (int k = 0; k < 2; k++) {
		__u8 flags = k ? ARING_SQE_ASYNC : 0;

		pattern_fill(a, sizeof(a), 0, k);
		memset(b, 0, sizeof(b));
		prep_write(r, fd, a, sizeof(a), 0, 1)->flags = flags;
		CHECK_EQ((int)sizeof(a), sq_run(r), "flags %#x", flags);
		prep(r, ARING_OP_FSYNC, fd, NULL, 0, 0, 2)->flags = flags;
		CHECK_EQ(0, sq_run(r), "flags %#x", flags);
		prep_read(r, fd, b, sizeof(b), 0, 3)->flags = flags;
		CHECK_EQ((int)sizeof(b), sq_run(r), "flags %#x", flags);
		EXPECT_EQ(0, memcmp(a, b, sizeof(a)));
		prep(r, ARING_OP_READV, fd, v, 2, 1000, 4)->flags = flags;
		CHECK_EQ(300, sq_run(r), "flags %#x", flags);
		EXPECT_EQ(-1, pattern_check(b, 300, 1000, k));
		/* the file's own position */
		ASSERT_EQ(8, lseek(fd, 8, SEEK_SET));
		prep_read(r, fd, b, 8, -1, 5)->flags = flags;
		CHECK_EQ(8, sq_run(r), "flags %#x", flags);
		EXPECT_EQ(16, lseek(fd, 0, SEEK_CUR));
	}
	EXPECT_EQ(0, sq_calls);
	close(fd);
}

TEST_F(sqpoll, pipes_need_no_enter)
{
	struct ring *r = &self->r;
	char b[8] = "";
	int p[2];

	ASSERT_EQ(0, pipe(p));
	for (int k = 0; k < 20; k++) {
		__u8 flags = k & 1 ? ARING_SQE_ASYNC : 0;
		struct aring_cqe cqe;

		prep_read(r, p[0], b, 8, 0, 1)->flags = flags;
		sq_offer(r);
		EXPECT_TRUE(sq_taken(r));
		if (k < 4)
			usleep(20000);
		EXPECT_EQ(0, ring_ready(r));
		ASSERT_EQ(3, write(p[1], "abc", 3));
		NEED_TRUE(sq_arrives(r, 1), "round %d", k);
		ring_reap(r, &cqe);
		CHECK_EQ(3, cqe.res, "round %d", k);
		EXPECT_STREQ("abc", b);
		prep_write(r, p[1], "xy", 2, 0, 2)->flags = flags;
		CHECK_EQ(2, sq_run(r), "round %d", k);
		EXPECT_EQ(2, read(p[0], b, 8));
	}
	EXPECT_EQ(0, sq_calls);
}

TEST_F(sqpoll, timeouts_need_no_enter)
{
	struct __kernel_timespec ts = to_ts(ms(30)), never = to_ts(ms(100000));
	struct ring *r = &self->r;
	__u64 start = now_ns();
	struct aring_cqe cqe;

	prep_timeout(r, &ts, 0, 0, 1);
	EXPECT_EQ(-ETIME, sq_run(r));
	EXPECT_GE(now_ns() - start, ms(30));
	prep_timeout(r, &never, 0, 0, 2);
	sq_offer(r);
	ASSERT_TRUE(sq_taken(r));
	prep(r, ARING_OP_TIMEOUT_REMOVE, -1, (void *)2, 0, 0, 3);
	sq_offer(r);
	ASSERT_TRUE(sq_arrives(r, 2));
	for (int i = 0; i < 2; i++) {
		ring_reap(r, &cqe);
		EXPECT_EQ(cqe.user_data == 2 ? -ECANCELED : 0, cqe.res);
	}
	EXPECT_EQ(0, sq_calls);
}

TEST_F(sqpoll, polls_need_no_enter)
{
	struct ring *r = &self->r;
	struct aring_cqe cqe;
	int p[2], ev;

	ASSERT_EQ(0, pipe(p));
	ev = eventfd(0, 0);
	ASSERT_GE(ev, 0);
	prep(r, ARING_OP_POLL_ADD, p[0], NULL, 0, 0, 1)->poll32_events = POLLIN;
	prep(r, ARING_OP_POLL_ADD, ev, NULL, 0, 0, 2)->poll32_events = POLLIN;
	prep(r, ARING_OP_POLL_ADD, p[1], NULL, 0, 0, 3)->poll32_events =
		POLLOUT;
	sq_offer(r);
	/* one of them is ready */
	ASSERT_TRUE(sq_arrives(r, 1));
	ring_reap(r, &cqe);
	EXPECT_EQ(3, cqe.user_data);
	EXPECT_EQ(POLLOUT, cqe.res);
	usleep(20000);
	EXPECT_EQ(0, ring_ready(r));
	EXPECT_EQ(1, write(p[1], "x", 1));
	ASSERT_TRUE(sq_arrives(r, 1));
	ring_reap(r, &cqe);
	EXPECT_EQ(1, cqe.user_data);
	EXPECT_EQ(POLLIN, cqe.res);
	EXPECT_EQ(0, eventfd_write(ev, 1));
	ASSERT_TRUE(sq_arrives(r, 1));
	ring_reap(r, &cqe);
	EXPECT_EQ(2, cqe.user_data);
	EXPECT_EQ(POLLIN, cqe.res);
	EXPECT_EQ(0, sq_calls);
	close(ev);
}

TEST_F(sqpoll, sockets_need_no_enter)
{
	char b[16] = "", c[16] = "";
	struct iovec v = { b, 16 };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1 };
	struct ring *r = &self->r;
	struct aring_cqe cqe;
	int s[2];

	ASSERT_TRUE(tcp_pair(s));
	for (int k = 0; k < 10; k++) {
		prep(r, ARING_OP_RECV, s[0], b, 16, 0, 1);
		sq_offer(r);
		ASSERT_TRUE(sq_taken(r));
		usleep(5000);
		EXPECT_EQ(0, ring_ready(r));
		prep(r, ARING_OP_SEND, s[1], "hello", 5, 0, 2);
		sq_offer(r);
		ASSERT_TRUE(sq_arrives(r, 2));
		for (int i = 0; i < 2; i++) {
			ring_reap(r, &cqe);
			CHECK_EQ(5, cqe.res, "request %llu",
				 (unsigned long long)cqe.user_data);
		}
		EXPECT_STREQ("hello", b);
		memset(b, 0, sizeof(b));
		/* READ, WRITE and the messages of the same sockets */
		prep_write(r, s[1], "abc", 3, 0, 3);
		EXPECT_EQ(3, sq_run(r));
		prep(r, ARING_OP_RECVMSG, s[0], &m, 1, 0, 4);
		EXPECT_EQ(3, sq_run(r));
		EXPECT_STREQ("abc", b);
		v.iov_len = 3;
		prep(r, ARING_OP_SENDMSG, s[1], &m, 1, 0, 5);
		EXPECT_EQ(3, sq_run(r));
		v.iov_len = 16;
		prep_read(r, s[0], c, 16, 0, 6);
		EXPECT_EQ(3, sq_run(r));
		EXPECT_STREQ("abc", c);
		memset(b, 0, sizeof(b));
	}
	EXPECT_EQ(0, sq_calls);
}

TEST_F(sqpoll, chains_and_cancels_need_no_enter)
{
	int fd = open("/tmp", O_TMPFILE | O_RDWR, 0600), p[2];
	struct ring *r = &self->r;
	struct aring_cqe cqe;
	char b[8] = "";

	ASSERT_EQ(0, pipe(p));
	prep_write(r, fd, "123", 3, 0, 0)->flags = ARING_SQE_IO_LINK;
	prep(r, ARING_OP_FSYNC, fd, NULL, 0, 0, 1)->flags = ARING_SQE_IO_LINK;
	prep_read(r, fd, b, 3, 0, 2)->flags = ARING_SQE_IO_LINK;
	prep_read(r, -1, b, 3, 0, 3)->flags = ARING_SQE_IO_LINK;
	prep_nop(r, 4);
	sq_offer(r);
	ASSERT_TRUE(sq_arrives(r, 5));
	for (int i = 0; i < 5; i++) {
		static const int want[] = { 3, 0, 3, -EBADF, -ECANCELED };

		ring_reap(r, &cqe);
		EXPECT_EQ(i, cqe.user_data);
		CHECK_EQ(want[i], cqe.res, "link %d", i);
	}
	EXPECT_STREQ("123", b);
	prep_read(r, p[0], b, 8, 0, 5);
	sq_offer(r);
	ASSERT_TRUE(sq_taken(r));
	usleep(10000);
	prep_cancel(r, 5, 0, 6);
	sq_offer(r);
	ASSERT_TRUE(sq_arrives(r, 2));
	for (int i = 0; i < 2; i++) {
		ring_reap(r, &cqe);
		EXPECT_EQ(cqe.user_data == 5 ? -ECANCELED : 0, cqe.res);
	}
	EXPECT_EQ(0, sq_calls);
	close(fd);
}

TEST_F(sqpoll, a_bad_sqe_does_not_stop_the_thread)
{
	struct ring *r = &self->r;
	struct aring_cqe cqe = { 0 };

	for (int k = 0; k < 20; k++) {
		unsigned int seen = 0;

		for (int i = 0; i < 8; i++) {
			if (i % 3 == 1)
				prep(r, 255, -1, NULL, 0, 0, i);
			else
				prep_nop(r, i);
		}
		sq_offer(r);
		NEED_TRUE(sq_arrives(r, 8), "round %d", k);
		for (int i = 0; i < 8; i++) {
			ring_reap(r, &cqe);
			EXPECT_EQ(cqe.user_data % 3 == 1 ? -EINVAL : 0,
				  cqe.res);
			seen |= 1U << cqe.user_data;
		}
		EXPECT_EQ(0xff, seen);
	}
	EXPECT_EQ(0, sq_calls);
	/* an index out of range is passed over */
	prep_nop(r, 1);
	r->sq_array[(r->tail - 1) & 63] = 64;
	prep_nop(r, 2);
	sq_offer(r);
	ASSERT_TRUE(sq_arrives(r, 1));
	ring_reap(r, &cqe);
	EXPECT_EQ(2, cqe.user_data);
	EXPECT_EQ(1, *r->sq_dropped);
}

/* SQPOLL_NONFIXED: as the owner's table is when the thread takes the SQE. */
TEST_F(sqpoll, descriptors_are_those_of_the_owner)
{
	struct ring *r = &self->r;
	int a, b, fd;
	char c[4];

	EXPECT_TRUE(r->p.features & ARING_FEAT_SQPOLL_NONFIXED);
	a = open("/tmp", O_TMPFILE | O_RDWR, 0600);
	b = open("/tmp", O_TMPFILE | O_RDWR, 0600);
	ASSERT_EQ(4, pwrite(a, "aaaa", 4, 0));
	ASSERT_EQ(4, pwrite(b, "bbbb", 4, 0));
	/* opened after set-up, replaced, closed */
	fd = dup(a);
	prep_read(r, fd, c, 4, 0, 1);
	EXPECT_EQ(4, sq_run(r));
	EXPECT_EQ('a', c[0]);
	ASSERT_EQ(fd, dup2(b, fd));
	prep_read(r, fd, c, 4, 0, 2);
	EXPECT_EQ(4, sq_run(r));
	EXPECT_EQ('b', c[0]);
	close(fd);
	prep_read(r, fd, c, 4, 0, 3);
	EXPECT_EQ(-EBADF, sq_run(r));
	prep_read(r, -1, c, 4, 0, 4);
	EXPECT_EQ(-EBADF, sq_run(r));
	prep_read(r, INT_MAX, c, 4, 0, 5);
	EXPECT_EQ(-EBADF, sq_run(r));
	/* a table that has grown since */
	ASSERT_EQ(3000, dup2(a, 3000));
	prep_read(r, 3000, c, 4, 0, 6);
	EXPECT_EQ(4, sq_run(r));
	EXPECT_EQ('a', c[0]);
	EXPECT_EQ(0, sq_calls);
	close(3000);
	close(a);
	close(b);
}

TEST_F(sqpoll, a_thread_of_the_program_shares_the_ring)
{
	struct pollfd pfd = { .fd = self->r.fd, .events = POLLIN };
	struct __kernel_timespec ts = to_ts(ms(30));
	struct ring *r = &self->r;
	struct aring_cqe cqe = { 0 };
	int ev = eventfd(0, EFD_NONBLOCK);
	eventfd_t n = 0;

	EXPECT_EQ(0, poll(&pfd, 1, 0));
	ASSERT_EQ(0, ring_register(r, ARING_REGISTER_EVENTFD, &ev, 1));
	prep_timeout(r, &ts, 0, 0, 1);
	sq_offer(r);
	/* both say so, and nobody is in ENTER */
	EXPECT_EQ(1, poll(&pfd, 1, 10000 * test_slow()));
	EXPECT_EQ(POLLIN, pfd.revents);
	EXPECT_TRUE(ring_reap(r, &cqe));
	EXPECT_EQ(-ETIME, cqe.res);
	pfd.fd = ev;
	EXPECT_EQ(1, poll(&pfd, 1, 10000 * test_slow()));
	EXPECT_EQ(0, eventfd_read(ev, &n));
	EXPECT_EQ(1, n);
	EXPECT_EQ(0, sq_calls);
}

/* Two CPUs, one program: nothing but shared memory between them. */
TEST_F_TIMEOUT(sqpoll, steady_state_makes_no_call, 120)
{
	unsigned long total = test_scale(100000, 5000), sent = 0, got = 0;
	__u64 end = now_ns() + ms(100000);
	struct ring *r = &self->r;
	struct aring_cqe cqe;

	while (got < total) {
		struct aring_sqe *sqe;

		while (sent < total && (sqe = ring_sqe(r))) {
			sqe->opcode = ARING_OP_NOP;
			sqe->user_data = sent++;
		}
		sq_offer(r);
		while (ring_reap(r, &cqe)) {
			NEED_EQ(got, cqe.user_data, "order");
			ASSERT_EQ(0, cqe.res);
			got++;
		}
		NEED_TRUE(now_ns() < end, "%lu of %lu", got, total);
	}
	EXPECT_EQ(0, sq_calls) {
		TH_LOG("%lu calls of ENTER for %lu requests", sq_calls, total);
	}
}

/* --- what ENTER means ---------------------------------------------------- */

TEST_F(sqpoll, enter_answers_what_it_was_given)
{
	struct ring *r = &self->r;

	/* nothing is there to be submitted; 6.1 does not look */
	EXPECT_EQ(0, ring_enter(r, 0, 0, 0, NULL, 0));
	EXPECT_EQ(5, ring_enter(r, 5, 0, 0, NULL, 0));
	EXPECT_EQ(1000000, ring_enter(r, 1000000, 0, 0, NULL, 0));
	EXPECT_EQ(7, ring_enter(r, 7, 0, ARING_ENTER_SQ_WAKEUP, NULL, 0));
	EXPECT_EQ(8, ring_enter(r, 8, 0, ARING_ENTER_SQ_WAIT, NULL, 0));
	EXPECT_EQ(9, ring_enter(r, 9, 0, ARING_ENTER_SQ_WAIT |
				ARING_ENTER_SQ_WAKEUP | ARING_ENTER_GETEVENTS,
				NULL, 0));
	EXPECT_EQ(-EINVAL, ring_enter(r, 1, 0, 1 << 5, NULL, 0));
	EXPECT_EQ(0, ring_ready(r));
}

TEST_F(sqpoll, getevents_waits)
{
	struct __kernel_timespec ts = to_ts(ms(50)), wait = to_ts(ms(30));
	struct aring_getevents_arg arg = { .ts = (uintptr_t)&wait };
	const unsigned int ext = ARING_ENTER_GETEVENTS | ARING_ENTER_EXT_ARG;
	struct ring *r = &self->r;
	__u64 start = now_ns();

	EXPECT_EQ(-ETIME, ring_enter(r, 0, 1, ext, &arg, sizeof(arg)));
	EXPECT_GE(now_ns() - start, ms(30));
	/* the number given counts for more than the end of the wait */
	start = now_ns();
	EXPECT_EQ(3, ring_enter(r, 3, 1, ext, &arg, sizeof(arg)));
	EXPECT_GE(now_ns() - start, ms(30));
	EXPECT_EQ(3, ring_enter(r, 3, 1, ext, (void *)8, sizeof(arg)));
	start = now_ns();
	prep_timeout(r, &ts, 0, 0, 1);
	prep_nop(r, 2);
	sq_offer(r);
	EXPECT_EQ(2, ring_enter(r, 2, 2, ARING_ENTER_GETEVENTS, NULL, 0));
	EXPECT_EQ(2, ring_ready(r));
	EXPECT_GE(now_ns() - start, ms(50));
}

/* --- what the thread may not run ----------------------------------------- */

/*
 * io_uring's thread is one of the program's own and runs everything. The
 * device's is the kernel's: what depends on who the caller is waits for an
 * ENTER of the program, and says so.
 */
FIXTURE(remainder) {
	struct ring r;
};

FIXTURE_VARIANT(remainder) {
	enum backend backend;
};

FIXTURE_VARIANT_ADD(remainder, device) {
	.backend = DEVICE,
};

FIXTURE_SETUP(remainder)
{
	ASSERT_EQ(0, sq_init(&self->r, DEVICE, 64, 0, 100));
}

FIXTURE_TEARDOWN(remainder)
{
	ring_exit(&self->r);
}

/* What was prepared last waits for an ENTER; one ENTER, and its result. */
static int run_by_enter(struct __test_metadata *_metadata, struct ring *r)
{
	struct pollfd pfd = { .fd = r->fd, .events = POLLIN };
	struct aring_cqe cqe;

	sq_offer(r);
	EXPECT_TRUE(sq_flags_become(r, ARING_SQ_TASKRUN, true));
	EXPECT_EQ(1, poll(&pfd, 1, 10000 * test_slow()));
	EXPECT_EQ(POLLIN, pfd.revents & POLLIN);
	usleep(20000);
	EXPECT_EQ(0, ring_ready(r));
	EXPECT_EQ(0, ring_enter(r, 0, 0, ARING_ENTER_GETEVENTS, NULL, 0));
	EXPECT_EQ(1, ring_ready(r));
	EXPECT_EQ(0, ring_sq_flags(r) & ARING_SQ_TASKRUN);
	if (!ring_reap(r, &cqe))
		return RES_NONE;
	EXPECT_EQ(0, poll(&pfd, 1, 0));
	return cqe.res;
}

TEST_F(remainder, files_of_proc_are_the_callers)
{
	int fd = open("/proc/sys/kernel/hostname", O_RDONLY);
	struct ring *r = &self->r;
	char b[256], want[256];
	int n;

	n = pread(fd, want, sizeof(want), 0);
	ASSERT_GT(n, 0);
	for (int k = 0; k < 4; k++) {
		memset(b, 0, sizeof(b));
		prep_read(r, fd, b, sizeof(b), 0, 1)->flags =
			k & 1 ? ARING_SQE_ASYNC : 0;
		CHECK_EQ(n, run_by_enter(_metadata, r), "round %d", k);
		EXPECT_EQ(0, memcmp(want, b, n));
	}
	close(fd);
}

TEST_F(remainder, sockets_of_af_unix)
{
	struct ring *r = &self->r;
	char b[16] = "";
	int s[2];

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	prep(r, ARING_OP_SEND, s[1], "hello", 5, 0, 1);
	EXPECT_EQ(5, run_by_enter(_metadata, r));
	EXPECT_EQ(5, read(s[0], b, sizeof(b)));
	EXPECT_STREQ("hello", b);
}

TEST_F(remainder, control_data)
{
	union {
		char buf[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} u = { .buf = "" };
	char x = 'x', y = 0;
	struct iovec v = { &x, 1 };
	struct msghdr m = {
		.msg_iov = &v, .msg_iovlen = 1,
		.msg_control = u.buf, .msg_controllen = sizeof(u.buf),
	};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	struct ring *r = &self->r;
	int s[2], ev = eventfd(7, 0), fd;
	eventfd_t n = 0;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &ev, sizeof(int));
	prep(r, ARING_OP_SENDMSG, s[1], &m, 1, 0, 1);
	EXPECT_EQ(1, run_by_enter(_metadata, r));
	/* the descriptor that arrives is the program's */
	memset(u.buf, 0, sizeof(u.buf));
	v.iov_base = &y;
	prep(r, ARING_OP_RECVMSG, s[0], &m, 1, 0, 2);
	EXPECT_EQ(1, run_by_enter(_metadata, r));
	EXPECT_EQ('x', y);
	memcpy(&fd, CMSG_DATA(c), sizeof(int));
	EXPECT_EQ(0, eventfd_read(fd, &n));
	EXPECT_EQ(7, n);
	close(fd);
	close(ev);
}

TEST_F(remainder, signals_are_the_callers)
{
	struct signalfd_siginfo si = { 0 };
	struct ring *r = &self->r;
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	ASSERT_EQ(0, sigprocmask(SIG_BLOCK, &set, NULL));
	fd = signalfd(-1, &set, 0);
	ASSERT_GE(fd, 0);
	kill(getpid(), SIGUSR1);
	prep_read(r, fd, &si, sizeof(si), -1, 1);
	EXPECT_EQ((int)sizeof(si), run_by_enter(_metadata, r));
	EXPECT_EQ(SIGUSR1, si.ssi_signo);
	kill(getpid(), SIGUSR1);
	prep(r, ARING_OP_POLL_ADD, fd, NULL, 0, 0, 2)->poll32_events = POLLIN;
	EXPECT_EQ(POLLIN, run_by_enter(_metadata, r));
	close(fd);
}

TEST_F(remainder, becomes_ready_later)
{
	struct ring *r = &self->r;
	struct aring_cqe cqe = { 0 };
	char b[8] = "";
	int s[2];

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	prep_read(r, s[0], b, 8, 0, 1);
	sq_offer(r);
	ASSERT_TRUE(sq_taken(r));
	/* a program that sleeps in ENTER need not look at the flags */
	EXPECT_EQ(-ETIME, ring_wait_ns(r, 1, ms(30)));
	ASSERT_EQ(3, write(s[1], "abc", 3));
	EXPECT_EQ(0, ring_cqe(r, &cqe));
	EXPECT_EQ(3, cqe.res);
	EXPECT_STREQ("abc", b);
	EXPECT_EQ(0, ring_sq_flags(r) & ARING_SQ_TASKRUN);
}

TEST_F(remainder, keeps_nobody_else_waiting)
{
	int fd = open("/proc/sys/kernel/hostname", O_RDONLY);
	struct ring *r = &self->r;
	struct aring_cqe cqe;
	char b[256];

	prep_read(r, fd, b, sizeof(b), 0, 1);
	for (int i = 0; i < 10; i++)
		prep_nop(r, 2);
	sq_offer(r);
	EXPECT_TRUE(sq_arrives(r, 10));
	EXPECT_TRUE(sq_flags_become(r, ARING_SQ_TASKRUN, true));
	for (int i = 0; i < 10; i++) {
		ASSERT_TRUE(ring_reap(r, &cqe));
		EXPECT_EQ(2, cqe.user_data);
	}
	/* it can be taken back as long as nobody has come for it */
	prep_cancel(r, 1, 0, 3);
	sq_offer(r);
	ASSERT_TRUE(sq_arrives(r, 2));
	for (int i = 0; i < 2; i++) {
		ASSERT_TRUE(ring_reap(r, &cqe));
		EXPECT_EQ(cqe.user_data == 3 ? 0 : -ECANCELED, cqe.res);
	}
	close(fd);
}

RING_TEST_MAIN
