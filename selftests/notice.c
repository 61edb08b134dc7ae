// SPDX-License-Identifier: MIT
/*
 * What programs written for io_uring are known to notice, as far as no other
 * test program asks for it. Which one asks for what:
 *
 *  submitted != to_submit returns without waiting	enter, here
 *  a count wins over a wait error			enter
 *  EINTR and ETIME only if the CQ is empty		enter
 *  EBUSY only if the CQ is empty			here
 *  any TIMEOUT completion ends a wait			enter, here (which do not)
 *  min_complete counts what is present, is clamped	enter
 *  R_DISABLED is EBADFD; the limits of sizes		setup
 *  features						here
 *  what a peek looks at: CQ_OVERFLOW, TASKRUN		ring, here
 *  hints are validated; EEXIST for another issuer	setup, sqpoll_life
 *  REGISTER_RING_FDS is EINVAL				here
 *  O_NONBLOCK descriptors still wait			rw, here (sockets)
 *  -EAGAIN only for RWF_NOWAIT				rw
 *  -EAGAIN only for MSG_DONTWAIT			here
 *  ASYNC on pollable files polls			here
 *  what breaks a link; SKIP and DRAIN			here
 *  a full CQ ends a multishot poll			here
 *  /proc/self/fd/N					setup, here
 *  fork inherits mapping and descriptor		life
 *  daemons						here
 *  GETEVENTS with nothing to wait for			enter, here
 */
#include "ring.h"
#include <poll.h>
#include <sys/socket.h>
#include <sys/sysinfo.h>

RING_FIXTURE(notice);

static const unsigned int EXT = ARING_ENTER_GETEVENTS | ARING_ENTER_EXT_ARG;

/* ENTER for @min CQEs, for at most @ns. */
static int enter_for(struct ring *r, unsigned int submit, unsigned int min,
		     __u64 ns)
{
	struct __kernel_timespec ts = to_ts(ns);
	struct aring_getevents_arg arg = { .ts = (uintptr_t)&ts };

	return ring_enter(r, submit, min, EXT, &arg, sizeof(arg));
}

struct later {
	struct ring *r;
	int (*fn)(struct ring *r);
	int ret;
};

static void *do_later(void *arg)
{
	struct later *l = arg;

	usleep(30000);
	l->ret = l->fn(l->r);
	return NULL;
}

/* --- waiting ------------------------------------------------------------- */

TEST_F(notice, more_asked_for_than_offered_does_not_wait)
{
	static const unsigned int asked[] = { 4, 64, 65, 100000, UINT_MAX };
	struct ring *r = &self->r;
	__u64 start = now_ns();

	for (size_t i = 0; i < ARRAY_SIZE(asked); i++) {
		for (int k = 0; k < 3; k++)
			prep_nop(r, k);
		ring_flush(r);
		CHECK_EQ(3, enter_for(r, asked[i], 100, ms(20000)),
			 "asked for %u", asked[i]);
		/* an empty queue: nothing of what was asked for */
		CHECK_EQ(0, enter_for(r, asked[i], 100, ms(20000)),
			 "asked for %u", asked[i]);
	}
	EXPECT_LE(now_ns() - start, ms(10000));
	EXPECT_EQ(15, ring_ready(r));
}

static int submit_one(struct ring *r)
{
	return ring_submit(r);
}

/* Elsewhere @fn runs, once this wait for 5 has begun; how long it took, in ms */
static __u64 waited(struct __test_metadata *_metadata, struct ring *r,
		    int (*fn)(struct ring *))
{
	struct later l = { .r = r, .fn = fn };
	__u64 start = now_ns();
	pthread_t t;

	EXPECT_EQ(0, pthread_create(&t, NULL, do_later, &l));
	EXPECT_EQ(0, enter_for(r, 0, 5, ms(3000)));
	start = now_ns() - start;
	pthread_join(t, NULL);
	EXPECT_EQ(1, l.ret);
	return start / 1000000;
}

TEST_F(notice, a_timeout_that_counted_ends_a_wait)
{
	struct __kernel_timespec ts = to_ts(ms(100000));
	struct ring *r = &self->r;

	prep_timeout(r, &ts, 1, 0, 1);
	ASSERT_EQ(1, ring_submit(r));
	prep_nop(r, 2);
	EXPECT_LE(waited(_metadata, r, submit_one), 2500);
	EXPECT_EQ(2, ring_ready(r));
}

TEST_F(notice, a_timeout_without_a_cqe_ends_a_wait)
{
	struct __kernel_timespec ts = to_ts(ms(40));
	struct ring *r = &self->r;
	__u64 start;

	prep_nop(r, 1);
	prep_timeout(r, &ts, 0, ARING_TIMEOUT_ETIME_SUCCESS, 2)->flags =
		ARING_SQE_CQE_SKIP_SUCCESS;
	ring_flush(r);
	start = now_ns();
	EXPECT_EQ(2, enter_for(r, 2, 5, ms(3000)));
	EXPECT_LE(now_ns() - start, ms(2500));
	EXPECT_EQ(1, ring_ready(r));
}

TEST_F(notice, a_removed_timeout_does_not_end_a_wait)
{
	struct __kernel_timespec ts = to_ts(ms(100000));
	struct ring *r = &self->r;

	prep_timeout(r, &ts, 0, 0, 1);
	ASSERT_EQ(1, ring_submit(r));
	prep(r, ARING_OP_TIMEOUT_REMOVE, -1, (void *)1, 0, 0, 2);
	EXPECT_GE(waited(_metadata, r, submit_one), 3000);
	EXPECT_EQ(2, ring_ready(r));
}

TEST_F(notice, a_link_timeout_does_not_end_a_wait)
{
	struct __kernel_timespec ts = to_ts(ms(30));
	struct ring *r = &self->r;
	__u64 start;
	char b[8];
	int p[2];

	ASSERT_EQ(0, pipe(p));
	prep_read(r, p[0], b, 8, 0, 1)->flags = ARING_SQE_IO_LINK;
	prep(r, ARING_OP_LINK_TIMEOUT, -1, &ts, 1, 0, 2);
	ring_flush(r);
	start = now_ns();
	EXPECT_EQ(2, enter_for(r, 2, 5, ms(500)));
	EXPECT_GE(now_ns() - start, ms(500));
	EXPECT_EQ(2, ring_ready(r));
}

/* It takes a full CQ to say so, and a full CQ satisfies every wait. */
TEST_F(notice, ebusy_is_never_seen)
{
	struct ring *r = &self->r;
	struct aring_cqe cqe;
	int n;

	for (int i = 0; i < 1024; i++) {
		prep_nop(r, i);
		if (i % 64 == 63)
			ASSERT_EQ(64, ring_submit(r));
	}
	EXPECT_EQ(0, enter_for(r, 0, UINT_MAX, ms(20000)));
	EXPECT_EQ(0, enter_for(r, 0, 128, ms(20000)));
	EXPECT_EQ(0, ring_enter(r, 0, 128, ARING_ENTER_GETEVENTS, NULL, 0));
	/* submitting goes on meanwhile */
	prep_nop(r, 1024);
	EXPECT_EQ(1, ring_submit(r));
	for (n = 0; n < 1025; n++) {
		if (!ring_ready(r))
			EXPECT_EQ(0, enter_for(r, 0, 1, ms(20000)));
		ASSERT_TRUE(ring_reap(r, &cqe));
		NEED_EQ(n, cqe.user_data, "order");
	}
	EXPECT_EQ(-ETIME, enter_for(r, 0, 1, 0));
}

/* --- GETEVENTS with nothing to wait for ---------------------------------- */

TEST_F(notice, overflow_comes_in_by_getevents_alone)
{
	struct pollfd pfd = { .fd = self->r.fd, .events = POLLIN };
	struct ring *r = &self->r;
	struct aring_cqe cqe;

	for (int i = 0; i < 192; i++) {
		prep_nop(r, i);
		if (i % 64 == 63)
			ASSERT_EQ(64, ring_submit(r));
	}
	for (int i = 0; i < 128; i++)
		ASSERT_TRUE(ring_reap(r, &cqe));
	/* the flag is what a peek goes by, and poll says the same */
	EXPECT_EQ(ARING_SQ_CQ_OVERFLOW, ring_sq_flags(r));
	EXPECT_EQ(1, poll(&pfd, 1, 0));
	EXPECT_EQ(0, ring_enter(r, 0, 0, 0, NULL, 0));
	EXPECT_EQ(0, ring_ready(r));
	/* new ones queue up behind it */
	prep_nop(r, 192);
	EXPECT_EQ(1, ring_submit(r));
	EXPECT_EQ(0, ring_ready(r));
	EXPECT_EQ(ARING_SQ_CQ_OVERFLOW, ring_sq_flags(r));
	EXPECT_EQ(0, ring_enter(r, 0, 0, ARING_ENTER_GETEVENTS, NULL, 0));
	EXPECT_EQ(65, ring_ready(r));
	EXPECT_EQ(0, ring_sq_flags(r));
	for (int i = 128; i < 193; i++) {
		ASSERT_TRUE(ring_reap(r, &cqe));
		NEED_EQ(i, cqe.user_data, "order");
	}
	EXPECT_EQ(0, poll(&pfd, 1, 0));
}

TEST_F(notice, arguments_of_a_wait_for_nothing)
{
	struct __kernel_timespec ts = to_ts(ms(20000));
	struct aring_getevents_arg arg = { .ts = (uintptr_t)&ts };
	struct ring *r = &self->r;
	sigset_t mask;

	sigemptyset(&mask);
	EXPECT_EQ(0, ring_enter(r, 0, 0, EXT, &arg, sizeof(arg)));
	EXPECT_EQ(-EINVAL, ring_enter(r, 0, 0, EXT, &arg, sizeof(arg) - 1));
	EXPECT_EQ(-EFAULT, ring_enter(r, 0, 0, EXT, (void *)8, sizeof(arg)));
	/* what it points to is read by who waits only */
	arg.ts = 8;
	EXPECT_EQ(0, ring_enter(r, 0, 0, EXT, &arg, sizeof(arg)));
	arg.sigmask = 8;
	arg.sigmask_sz = 4;
	EXPECT_EQ(0, ring_enter(r, 0, 0, EXT, &arg, sizeof(arg)));
	EXPECT_EQ(0, ring_enter(r, 0, 0, ARING_ENTER_GETEVENTS, &mask, 4));
	EXPECT_EQ(0, ring_enter(r, 0, 0, ARING_ENTER_GETEVENTS, (void *)8, 8));
	/* the same with one that is there already */
	prep_nop(r, 1);
	ASSERT_EQ(1, ring_submit(r));
	EXPECT_EQ(0, ring_enter(r, 0, 1, EXT, &arg, sizeof(arg)));
	EXPECT_EQ(0, ring_enter(r, 0, 1, ARING_ENTER_GETEVENTS, (void *)8, 8));
	EXPECT_EQ(-EFAULT, ring_enter(r, 0, 2, EXT, &arg, sizeof(arg)));
	EXPECT_EQ(1, ring_ready(r));
}

/*
 * What became ready, and needs the program for it, is said in the SQ's flags
 * and by poll, and comes by an ENTER that waits for nothing. io_uring is asked
 * to do it that way; of the device it is the only one.
 */
TEST_F(notice, what_waits_for_the_program_says_so)
{
	struct aring_cqe cqe;
	struct pollfd pfd;
	struct ring r;
	char b[8] = "";
	int s[2];

	ASSERT_EQ(0, ring_init(&r, variant->backend, 8,
			       ARING_SETUP_SINGLE_ISSUER |
			       ARING_SETUP_DEFER_TASKRUN |
			       ARING_SETUP_TASKRUN_FLAG));
	pfd = (struct pollfd) { .fd = r.fd, .events = POLLIN };
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	for (int k = 0; k < 3; k++) {
		prep_read(&r, s[0], b, 8, 0, k);
		ASSERT_EQ(1, ring_submit(&r));
		EXPECT_EQ(0, ring_sq_flags(&r));
		EXPECT_EQ(0, poll(&pfd, 1, 10));
		ASSERT_EQ(3, write(s[1], "abc", 3));
		EXPECT_EQ(1, poll(&pfd, 1, 10000 * test_slow()));
		EXPECT_EQ(ARING_SQ_TASKRUN, ring_sq_flags(&r));
		EXPECT_EQ(0, ring_ready(&r));
		EXPECT_EQ(0, ring_enter(&r, 0, 0, ARING_ENTER_GETEVENTS, NULL,
					0));
		EXPECT_EQ(0, ring_sq_flags(&r));
		ASSERT_TRUE(ring_reap(&r, &cqe));
		EXPECT_EQ(3, cqe.res);
		EXPECT_EQ(0, poll(&pfd, 1, 0));
	}
	ring_exit(&r);
}

/* --- what a ring says of itself ------------------------------------------ */

TEST_F(notice, features_are_exactly_these)
{
	__u32 want = ARING_FEAT_SINGLE_MMAP | ARING_FEAT_NODROP |
		     ARING_FEAT_SUBMIT_STABLE | ARING_FEAT_RW_CUR_POS |
		     ARING_FEAT_CUR_PERSONALITY | ARING_FEAT_FAST_POLL |
		     ARING_FEAT_POLL_32BITS | ARING_FEAT_SQPOLL_NONFIXED |
		     ARING_FEAT_EXT_ARG | ARING_FEAT_RSRC_TAGS |
		     ARING_FEAT_CQE_SKIP;

	/* NATIVE_WORKERS and LINKED_FILE are io_uring's alone */
	if (variant->backend == IO_URING)
		want |= 1U << 9 | 1U << 12;
	EXPECT_EQ(want, self->r.p.features);
}

TEST_F(notice, registered_ring_descriptors)
{
	/* struct io_uring_rsrc_update: offset, resv, data */
	struct {
		__u32 offset, resv;
		__u64 data;
	} u = { .offset = UINT_MAX, .data = self->r.fd };
	struct ring *r = &self->r;
	struct ring by_index = *r;
	int ret = ring_register(r, 20, &u, 1);

	if (variant->backend == DEVICE) {
		/* liburing goes on with the descriptor when it hears this */
		EXPECT_EQ(-EINVAL, ret);
		EXPECT_EQ(-EINVAL, ring_register(r, 21, &u, 1));
		EXPECT_EQ(-EINVAL, ring_enter(r, 0, 0, 1 << 4, NULL, 0));
		return;
	}
	EXPECT_EQ(1, ret);
	by_index.fd = u.offset;
	EXPECT_EQ(0, ring_enter(&by_index, 0, 0, 1 << 4, NULL, 0));
	u.data = 0;
	EXPECT_EQ(1, ring_register(r, 21, &u, 1));
}

TEST_F(notice, a_second_opening_is_not_this_ring)
{
	struct ring other = { .backend = variant->backend };
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", self->r.fd);
	other.fd = open(path, O_RDWR);
	if (variant->backend == IO_URING) {
		EXPECT_EQ(-1, other.fd);
		EXPECT_EQ(ENXIO, errno);
		return;
	}
	ASSERT_GE(other.fd, 0);
	EXPECT_EQ(-EBADFD, ring_enter(&other, 0, 0, 0, NULL, 0));
	close(other.fd);
	prep_nop(&self->r, 1);
	EXPECT_EQ(0, ring_run(&self->r));
}

/* --- operations ---------------------------------------------------------- */

TEST_F(notice, only_msg_dontwait_is_eagain)
{
	static const int type[] = { SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET };
	struct ring *r = &self->r;

	for (size_t i = 0; i < 2 * ARRAY_SIZE(type); i++) {
		char b[8] = "";
		struct iovec v = { b, 8 };
		struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1 };
		int op = i & 1 ? ARING_OP_RECVMSG : ARING_OP_RECV, s[2];
		void *arg = i & 1 ? (void *)&m : (void *)b;
		struct aring_cqe cqe;

		ASSERT_EQ(0, socketpair(AF_UNIX, type[i / 2] | SOCK_NONBLOCK, 0,
					s));
		prep(r, op, s[0], arg, i & 1 ? 1 : 8, 0, 1)->msg_flags =
			MSG_DONTWAIT;
		CHECK_EQ(-EAGAIN, ring_run(r), "case %zu", i);
		/* the descriptor's own flag does not count */
		prep(r, op, s[0], arg, i & 1 ? 1 : 8, 0, 2);
		ASSERT_EQ(1, ring_submit(r));
		EXPECT_TRUE(ring_quiet(r, 10));
		ASSERT_EQ(3, write(s[1], "abc", 3));
		ASSERT_EQ(0, ring_cqe(r, &cqe));
		CHECK_EQ(3, cqe.res, "case %zu", i);
		EXPECT_STREQ("abc", b);
		/* a full buffer: the same on the other side */
		while (write(s[1], b, 8) > 0)
			;
		op = i & 1 ? ARING_OP_SENDMSG : ARING_OP_SEND;
		prep(r, op, s[1], arg, i & 1 ? 1 : 8, 0, 3)->msg_flags =
			MSG_DONTWAIT;
		CHECK_EQ(-EAGAIN, ring_run(r), "case %zu", i);
		prep(r, op, s[1], arg, i & 1 ? 1 : 8, 0, 4);
		ASSERT_EQ(1, ring_submit(r));
		EXPECT_TRUE(ring_quiet(r, 10));
		while (read(s[0], b, 8) > 0)
			;
		ASSERT_EQ(0, ring_cqe(r, &cqe));
		CHECK_EQ(8, cqe.res, "case %zu", i);
		close(s[0]);
		close(s[1]);
	}
}

static int tasks(void)
{
	struct sysinfo s;

	return sysinfo(&s) ? -1 : s.procs;
}

/* ASYNC means not to try first; it does not mean a thread that waits. */
TEST_F_TIMEOUT(notice, async_on_pollable_files_costs_no_thread, 60)
{
	struct ring *r = &self->r;
	static char b[60];
	__u64 end = now_ns() + ms(20000) * test_slow();
	int p[60][2], before = tasks();
	struct aring_cqe cqe;

	for (int i = 0; i < 60; i++) {
		ASSERT_EQ(0, i & 1 ? pipe(p[i]) :
			  socketpair(AF_UNIX, SOCK_STREAM, 0, p[i]));
		prep_read(r, p[i][0], &b[i], 1, 0, i)->flags = ARING_SQE_ASYNC;
	}
	ASSERT_EQ(60, ring_submit(r));
	EXPECT_TRUE(ring_quiet(r, 100));
	/* io_uring's workers look at them, and go when idle for 5 seconds */
	while (tasks() - before > 10 && now_ns() < end)
		usleep(10000);
	EXPECT_LE(tasks() - before, 10);
	EXPECT_EQ(0, ring_ready(r));
	for (int i = 0; i < 60; i++)
		ASSERT_EQ(1, write(p[i][1], "x", 1));
	for (int i = 0; i < 60; i++) {
		NEED_EQ(0, ring_cqe(r, &cqe), "completion %d", i);
		EXPECT_EQ(1, cqe.res);
	}
}

TEST_F(notice, short_transfers_and_chains)
{
	int fd = open("/tmp", O_TMPFILE | O_RDWR, 0600), s[2];
	struct ring *r = &self->r;
	char b[8];

	ASSERT_EQ(4, pwrite(fd, "abcd", 4, 0));
	for (int k = 0; k < 3; k++) {
		struct aring_sqe *sqe;
		struct aring_cqe cqe;

		ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, s));
		ASSERT_EQ(4, write(s[1], "abcd", 4));
		close(s[1]);
		if (k == 0)
			sqe = prep_read(r, fd, b, 8, 0, 0);
		else
			sqe = prep(r, ARING_OP_RECV, s[0], b, 8, 0, 0);
		if (k == 2)
			sqe->msg_flags = MSG_WAITALL;
		sqe->flags = ARING_SQE_IO_LINK;
		prep_nop(r, 1);
		ASSERT_EQ(2, ring_submit(r));
		ASSERT_EQ(0, ring_cqe(r, &cqe));
		EXPECT_EQ(0, cqe.user_data);
		CHECK_EQ(4, cqe.res, "case %d", k);
		ASSERT_EQ(0, ring_cqe(r, &cqe));
		EXPECT_EQ(1, cqe.user_data);
		/* a short RECV breaks a chain only if all was asked for */
		CHECK_EQ(k == 1 ? 0 : -ECANCELED, cqe.res, "case %d", k);
		close(s[0]);
	}
	close(fd);
}

TEST_F(notice, one_skip_disables_drain_for_good)
{
	struct ring *r = &self->r;

	prep_nop(r, 1)->flags = ARING_SQE_IO_DRAIN;
	EXPECT_EQ(0, ring_run(r));
	prep_nop(r, 2)->flags = ARING_SQE_CQE_SKIP_SUCCESS;
	EXPECT_EQ(1, ring_submit(r));
	EXPECT_EQ(0, ring_ready(r));
	for (int i = 0; i < 3; i++) {
		prep_nop(r, 3)->flags = ARING_SQE_IO_DRAIN;
		CHECK_EQ(-EOPNOTSUPP, ring_run(r), "round %d", i);
		prep_nop(r, 4);
		EXPECT_EQ(0, ring_run(r));
	}
}

TEST_F(notice, a_full_cq_ends_a_multishot_poll)
{
	struct aring_cqe cqe = { 0 };
	struct ring r;
	int p[2];

	ASSERT_EQ(0, ring_init(&r, variant->backend, 2, 0));
	ASSERT_EQ(0, pipe(p));
	prep(&r, ARING_OP_POLL_ADD, p[0], NULL, ARING_POLL_ADD_MULTI, 0,
	     7)->poll32_events = POLLIN;
	ASSERT_EQ(1, ring_submit(&r));
	for (int i = 0; i < 4; i++) {
		prep_nop(&r, i);
		ASSERT_EQ(1, ring_submit(&r));
	}
	/* the event itself comes, as the last one */
	ASSERT_EQ(1, write(p[1], "x", 1));
	ring_enter(&r, 0, 0, ARING_ENTER_GETEVENTS, NULL, 0);
	EXPECT_TRUE(ring_sq_flags(&r) & ARING_SQ_CQ_OVERFLOW);
	for (int i = 0; i < 4; i++) {
		ASSERT_TRUE(ring_reap(&r, &cqe));
		EXPECT_EQ(i, cqe.user_data);
	}
	ASSERT_EQ(0, ring_cqe(&r, &cqe));
	EXPECT_EQ(7, cqe.user_data);
	EXPECT_EQ(POLLIN, cqe.res);
	EXPECT_EQ(0, cqe.flags);
	ASSERT_EQ(1, write(p[1], "x", 1));
	EXPECT_TRUE(ring_quiet(&r, 20));
	ring_exit(&r);
}

/* The process that made the ring goes, its child works on with it. */
TEST_F(notice, a_daemon_keeps_its_ring)
{
	int up[2], status, step = -1;
	pid_t pid;

	ASSERT_EQ(0, pipe(up));
	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid) {
		int fd = open("/tmp", O_TMPFILE | O_RDWR, 0600), p[2];
		pid_t maker = getpid();
		static char b[16];
		struct ring r;

		if (ring_init(&r, variant->backend, 8, 0) || pipe(p))
			_exit(1);
		prep_write(&r, fd, "before", 6, 0, 1);
		if (ring_run(&r) != 6)
			_exit(2);
		if (fork())
			_exit(0);
		setsid();
		close(up[0]);
		/* until the one that made it is gone */
		while (getppid() == maker)
			usleep(1000);
		step = 0;
		for (int i = 0; i < 20 && !step; i++) {
			prep_read(&r, fd, b, 16, 0, 2)->flags =
				i & 1 ? ARING_SQE_ASYNC : 0;
			if (ring_run(&r) != 6 || memcmp(b, "before", 6))
				step = 3;
			prep_read(&r, p[0], b, 16, 0, 3);
			if (ring_submit(&r) != 1 || write(p[1], "ab", 2) != 2)
				step = 4;
			if (ring_wait(&r, 1))
				step = 5;
			ring_reap(&r, &(struct aring_cqe) { 0 });
		}
		if (write(up[1], &step, sizeof(step)) < 0)
			_exit(1);
		_exit(0);
	}
	close(up[1]);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(sizeof(step), read(up[0], &step, sizeof(step)));
	EXPECT_EQ(0, step) {
		TH_LOG("step %d", step);
	}
}

RING_TEST_MAIN
