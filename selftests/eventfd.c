// SPDX-License-Identifier: MIT
/*
 * The eventfd that a ring signals: when it does, when not, and loops that rely
 * on it alone.
 */
#include "resources.h"
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>

FIXTURE(eventfd) {
	struct ring r;
	int fd;
};

RING_VARIANTS(eventfd);

FIXTURE_SETUP(eventfd)
{
	ASSERT_EQ(0, ring_init(&self->r, variant->backend, 64, 0));
	self->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	ASSERT_GE(self->fd, 0);
}

FIXTURE_TEARDOWN(eventfd)
{
	ring_exit(&self->r);
	close(self->fd);
}

static int reg_eventfd(struct ring *r, int fd)
{
	return ring_register(r, ARING_REGISTER_EVENTFD, &fd, 1);
}

static int reg_async(struct ring *r, int fd)
{
	return ring_register(r, ARING_REGISTER_EVENTFD_ASYNC, &fd, 1);
}

static int unreg_eventfd(struct ring *r)
{
	return ring_register(r, ARING_UNREGISTER_EVENTFD, NULL, 0);
}

/* How often it was signalled since it was asked last. */
static int signals(int fd)
{
	__u64 v = 0;

	return read(fd, &v, sizeof(v)) == sizeof(v) ? (int)v : 0;
}

static bool wait_signal(int fd, int n)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, n) == 1;
}

static bool signal_comes(int fd)
{
	return wait_signal(fd, 10000 * test_slow());
}

/*
 * Asleep on the eventfd alone, are there @n CQEs in the end? It may fire once more
 * than there are completions, so one signal need not be one CQE.
 */
static bool cqes_come(struct ring *r, int fd, unsigned int n)
{
	while (ring_ready(r) < n) {
		if (!signal_comes(fd))
			return false;
		signals(fd);
	}
	return ring_ready(r) == n;
}

static void reap_all(struct ring *r)
{
	struct aring_cqe cqe;

	while (ring_reap(r, &cqe))
		;
}

TEST_F(eventfd, registering)
{
	struct ring *r = &self->r;
	int op[2] = { ARING_REGISTER_EVENTFD, ARING_REGISTER_EVENTFD_ASYNC };
	int fd = self->fd, p[2], closed = dup(0);

	ASSERT_EQ(0, pipe2(p, O_CLOEXEC));
	close(closed);
	for (int k = 0; k < 2; k++) {
		EXPECT_EQ(-ENXIO, unreg_eventfd(r));
		EXPECT_EQ(-EINVAL, ring_register(r, op[k], &fd, 0));
		EXPECT_EQ(-EINVAL, ring_register(r, op[k], &fd, 2));
		EXPECT_EQ(-EFAULT, ring_register(r, op[k], NULL, 1));
		EXPECT_EQ(-EFAULT, ring_register(r, op[k], ptr(8), 1));
		EXPECT_EQ(-EBADF, ring_register(r, op[k], &closed, 1));
		EXPECT_EQ(-EBADF, ring_register(r, op[k], &(int) { -1 }, 1));
		EXPECT_EQ(-EINVAL, ring_register(r, op[k], &p[0], 1));
		EXPECT_EQ(-EINVAL, ring_register(r, op[k], &r->fd, 1));
		ASSERT_EQ(0, ring_register(r, op[k], &fd, 1));
		EXPECT_EQ(-EBUSY, ring_register(r, op[0], &fd, 1));
		EXPECT_EQ(-EBUSY, ring_register(r, op[1], &fd, 1));
		EXPECT_EQ(-EBUSY, ring_register(r, op[k], NULL, 1));
		EXPECT_EQ(-EINVAL, ring_register(r, ARING_UNREGISTER_EVENTFD,
						 &fd, 0));
		EXPECT_EQ(-EINVAL, ring_register(r, ARING_UNREGISTER_EVENTFD,
						 NULL, 1));
		EXPECT_EQ(0, unreg_eventfd(r));
	}
	EXPECT_EQ(0, signals(fd));
}

TEST_F(eventfd, completions_signal)
{
	struct __kernel_timespec ts = to_ts(ms(5));
	struct ring *r = &self->r;
	int n, p[2];
	char b[8];

	prep_nop(r, 1);
	ASSERT_EQ(1, ring_submit(r));
	ASSERT_EQ(0, reg_eventfd(r, self->fd));
	/* not those that are there already */
	EXPECT_EQ(0, signals(self->fd));
	ASSERT_EQ(0, ring_submit(r));
	EXPECT_EQ(0, signals(self->fd));
	prep_nop(r, 2);
	ASSERT_EQ(1, ring_submit(r));
	EXPECT_EQ(1, signals(self->fd));
	/* some at once may share a signal */
	for (int i = 0; i < 8; i++)
		prep_nop(r, i);
	ASSERT_EQ(8, ring_submit(r));
	n = signals(self->fd);
	EXPECT_TRUE(n >= 1 && n <= 8);
	reap_all(r);
	/* what waits does so when it is over, and nobody need be in ENTER */
	ASSERT_EQ(0, pipe2(p, O_CLOEXEC));
	prep_read(r, p[0], b, 8, 0, 3);
	ASSERT_EQ(1, ring_submit(r));
	EXPECT_FALSE(wait_signal(self->fd, 20));
	ASSERT_EQ(2, write(p[1], "ab", 2));
	EXPECT_TRUE(cqes_come(r, self->fd, 1));
	prep_timeout(r, &ts, 0, 0, 4);
	ASSERT_EQ(1, ring_submit(r));
	EXPECT_TRUE(cqes_come(r, self->fd, 2));
	ASSERT_EQ(0, unreg_eventfd(r));
	signals(self->fd);
	prep_nop(r, 5);
	ASSERT_EQ(1, ring_submit(r));
	EXPECT_FALSE(wait_signal(self->fd, 20));
}

TEST_F(eventfd, what_is_skipped_does_not_signal)
{
	struct ring *r = &self->r;

	ASSERT_EQ(0, reg_eventfd(r, self->fd));
	prep_nop(r, 1)->flags = ARING_SQE_CQE_SKIP_SUCCESS;
	ASSERT_EQ(1, ring_submit(r));
	EXPECT_FALSE(wait_signal(self->fd, 20));
	prep(r, ARING_OP_FSYNC, -1, NULL, 0, 0, 2)->flags =
		ARING_SQE_CQE_SKIP_SUCCESS;
	ASSERT_EQ(1, ring_submit(r));
	EXPECT_TRUE(signal_comes(self->fd));
	EXPECT_EQ(1, ring_ready(r));
}

TEST_F(eventfd, it_can_be_switched_off)
{
	struct ring *r = &self->r;
	__u32 *flags = (__u32 *)(r->rings + r->p.cq_off.flags);

	ASSERT_EQ(0, reg_eventfd(r, self->fd));
	for (int i = 0; i < 3; i++) {
		__atomic_store_n(flags, ARING_CQ_EVENTFD_DISABLED,
				 __ATOMIC_RELEASE);
		prep_nop(r, i);
		ASSERT_EQ(1, ring_submit(r));
		EXPECT_FALSE(wait_signal(self->fd, 10));
		__atomic_store_n(flags, 0, __ATOMIC_RELEASE);
		/* what came meanwhile is not made up for */
		ASSERT_EQ(0, ring_submit(r));
		EXPECT_FALSE(wait_signal(self->fd, 10));
		prep_nop(r, i);
		ASSERT_EQ(1, ring_submit(r));
		EXPECT_EQ(1, signals(self->fd));
	}
	EXPECT_EQ(6, ring_ready(r));
}

TEST_F(eventfd, a_full_ring)
{
	struct aring_params params = {
		.flags = ARING_SETUP_CQSIZE, .cq_entries = 4,
	};
	struct ring r;

	ASSERT_EQ(0, ring_init_params(&r, variant->backend, 4, &params));
	ASSERT_EQ(0, reg_eventfd(&r, self->fd));
	for (int i = 0; i < 4; i++)
		prep_nop(&r, i);
	ASSERT_EQ(4, ring_submit(&r));
	EXPECT_LE(1, signals(self->fd));
	prep_nop(&r, 4);
	ASSERT_EQ(1, ring_submit(&r));
	EXPECT_EQ(ARING_SQ_CQ_OVERFLOW, *r.sq_flags & ARING_SQ_CQ_OVERFLOW);
	/* io_uring signals what is in the ring only; a device may do more */
	if (variant->backend == IO_URING)
		EXPECT_EQ(0, signals(self->fd));
	signals(self->fd);
	reap_all(&r);
	EXPECT_EQ(0, ring_enter(&r, 0, 0, ARING_ENTER_GETEVENTS, NULL, 0));
	EXPECT_EQ(1, ring_ready(&r));
	EXPECT_LE(1, signals(self->fd));
	ring_exit(&r);
}

TEST_F(eventfd, the_ring_keeps_it)
{
	int copy = dup(self->fd);

	ASSERT_EQ(0, reg_eventfd(&self->r, copy));
	close(copy);
	prep_nop(&self->r, 1);
	ASSERT_EQ(1, ring_submit(&self->r));
	EXPECT_EQ(1, signals(self->fd));
	/* and does not mind that nobody else has it */
	close(self->fd);
	prep_nop(&self->r, 1);
	ASSERT_EQ(1, ring_submit(&self->r));
	EXPECT_EQ(2, ring_ready(&self->r));
}

/* The counter is at its end: write(2) would wait, completing does not. */
TEST_F(eventfd, a_counter_at_its_end)
{
	__u64 v = ULLONG_MAX - 1;
	struct ring *r = &self->r;

	ASSERT_EQ(0, reg_eventfd(r, self->fd));
	ASSERT_EQ(8, write(self->fd, &v, 8));
	for (int i = 0; i < 3; i++) {
		prep_nop(r, i);
		ASSERT_EQ(1, ring_submit(r));
	}
	EXPECT_EQ(3, ring_ready(r));
	ASSERT_EQ(8, read(self->fd, &v, 8));
	EXPECT_EQ(ULLONG_MAX, v);
}

TEST_F(eventfd, one_for_two_rings)
{
	struct ring other;

	ASSERT_EQ(0, ring_init(&other, variant->backend, 8, 0));
	ASSERT_EQ(0, reg_eventfd(&self->r, self->fd));
	ASSERT_EQ(0, reg_eventfd(&other, self->fd));
	prep_nop(&self->r, 1);
	prep_nop(&other, 1);
	ASSERT_EQ(1, ring_submit(&self->r));
	ASSERT_EQ(1, ring_submit(&other));
	EXPECT_EQ(2, signals(self->fd));
	ring_exit(&other);
	prep_nop(&self->r, 1);
	ASSERT_EQ(1, ring_submit(&self->r));
	EXPECT_EQ(1, signals(self->fd));
}

/* --- EVENTFD_ASYNC ------------------------------------------------------- */

TEST_F(eventfd, async_is_silent_about_what_ends_in_enter)
{
	struct ring *r = &self->r;
	int zero = open("/dev/zero", O_RDONLY);
	char b[8];

	ASSERT_EQ(0, reg_async(r, self->fd));
	for (int i = 0; i < 4; i++)
		prep_nop(r, i);
	prep_read(r, zero, b, 8, 0, 4);
	prep_read(r, -1, b, 8, 0, 5);
	prep_cancel(r, 77, 0, 6);
	ASSERT_EQ(7, ring_submit(r));
	EXPECT_FALSE(wait_signal(self->fd, 20));
	EXPECT_EQ(7, ring_ready(r));
}

TEST_F(eventfd, async_tells_of_what_a_worker_did)
{
	int fd = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	struct ring *r = &self->r;
	char b[8];

	ASSERT_EQ(8, write(fd, "abcdefgh", 8));
	ASSERT_EQ(0, reg_async(r, self->fd));
	prep_read(r, fd, b, 8, 0, 1)->flags = ARING_SQE_ASYNC;
	ASSERT_EQ(1, ring_submit(r));
	EXPECT_TRUE(cqes_come(r, self->fd, 1));
}

/* A read of a pipe that waited ends in a worker, with io_uring of 6.1, too. */
TEST_F(eventfd, async_tells_of_pipe_reads_that_waited)
{
	struct ring *r = &self->r;
	char b[8];
	int p[2];

	ASSERT_EQ(0, pipe2(p, O_CLOEXEC));
	ASSERT_EQ(0, reg_async(r, self->fd));
	prep_read(r, p[0], b, 8, 0, 1);
	ASSERT_EQ(1, ring_submit(r));
	EXPECT_FALSE(wait_signal(self->fd, 20));
	ASSERT_EQ(2, write(p[1], "ab", 2));
	EXPECT_TRUE(cqes_come(r, self->fd, 1));
}

/*
 * The manual page promises a signal for all that ends out of line. io_uring of
 * 6.1 gives it for what its workers did alone: not for timeouts, polls and
 * receives that waited, so that a program that relied on it would sleep on. The
 * device keeps the promise.
 */
TEST_F(eventfd, async_and_what_ends_by_itself)
{
	bool device = variant->backend == DEVICE;
	struct __kernel_timespec ts = to_ts(ms(5));
	int s[2], n = 200 * test_slow();
	struct ring *r = &self->r;
	char b[8];

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, s));
	ASSERT_EQ(0, reg_async(r, self->fd));
	prep_timeout(r, &ts, 0, 0, 1);
	ASSERT_EQ(1, ring_submit(r));
	EXPECT_EQ(device, wait_signal(self->fd, n));
	ASSERT_EQ(0, ring_wait(r, 1));
	signals(self->fd);
	prep(r, ARING_OP_RECV, s[0], b, 8, 0, 2);
	ASSERT_EQ(1, ring_submit(r));
	EXPECT_FALSE(wait_signal(self->fd, 20));
	ASSERT_EQ(2, write(s[1], "ab", 2));
	EXPECT_EQ(device, wait_signal(self->fd, n));
	ASSERT_EQ(0, ring_wait(r, 2));
	signals(self->fd);
	prep(r, ARING_OP_POLL_ADD, s[0], NULL, 0, 0, 3)->poll32_events = POLLIN;
	ASSERT_EQ(1, ring_submit(r));
	EXPECT_FALSE(wait_signal(self->fd, 20));
	ASSERT_EQ(2, write(s[1], "ab", 2));
	EXPECT_EQ(device, wait_signal(self->fd, n));
	EXPECT_EQ(0, ring_wait(r, 3));
}

/* --- the ring watches its own eventfd ------------------------------------ */

static void watch_own(struct __test_metadata *_metadata, struct ring *r, int fd,
		      __u32 multi)
{
	struct aring_cqe cqe;
	bool polled = false, more = true;
	int nops = 0;

	prep(r, ARING_OP_POLL_ADD, fd, NULL, multi, 0, 1)->poll32_events =
		POLLIN;
	ASSERT_EQ(1, ring_submit(r));
	EXPECT_TRUE(ring_quiet(r, 20));
	for (int i = 0; i < 5; i++) {
		prep_nop(r, 2);
		ASSERT_EQ(1, ring_submit(r));
	}
	/* that the eventfd fired is a completion that fires it, but not again */
	while (!ring_wait_ns(r, 1, ms(200) * test_slow()) &&
	       ring_reap(r, &cqe)) {
		nops += cqe.user_data == 2;
		if (cqe.user_data != 1)
			continue;
		EXPECT_EQ(POLLIN, cqe.res);
		EXPECT_TRUE(more);
		more = cqe.flags & ARING_CQE_F_MORE;
		polled = true;
	}
	EXPECT_EQ(5, nops);
	EXPECT_TRUE(polled);
	EXPECT_FALSE(more);
}

TEST_F(eventfd, polled_by_its_own_ring)
{
	ASSERT_EQ(0, reg_eventfd(&self->r, self->fd));
	watch_own(_metadata, &self->r, self->fd, 0);
	signals(self->fd);
	/* a multishot poll ends when it would feed itself */
	watch_own(_metadata, &self->r, self->fd, ARING_POLL_ADD_MULTI);
}

TEST_F(eventfd, read_by_its_own_ring)
{
	struct ring *r = &self->r;
	int fd = eventfd(0, EFD_CLOEXEC);
	struct aring_cqe cqe;
	__u64 v = 0;

	ASSERT_EQ(0, reg_eventfd(r, fd));
	prep_read(r, fd, &v, 8, 0, 1);
	ASSERT_EQ(1, ring_submit(r));
	EXPECT_TRUE(ring_quiet(r, 20));
	prep_nop(r, 2);
	ASSERT_EQ(1, ring_submit(r));
	ASSERT_EQ(0, ring_wait(r, 2));
	while (ring_reap(r, &cqe))
		EXPECT_EQ(cqe.user_data == 1 ? 8 : 0, cqe.res);
	EXPECT_LE(1, v);
	close(fd);
}

/* --- loops that sleep on the eventfd alone ------------------------------- */

/*
 * Sleep in epoll_wait() until the eventfd fires, then take what is there, with
 * one ENTER that does not wait where the ring's flags or @always ask for it.
 * The number of CQEs, of which @want are hoped for.
 */
static int event_loop(struct ring *r, int efd, int want, bool always)
{
	struct epoll_event ev = { .events = EPOLLIN };
	int ep = epoll_create1(EPOLL_CLOEXEC), got = 0;
	const __u32 enter = ARING_SQ_TASKRUN | ARING_SQ_CQ_OVERFLOW;
	struct aring_cqe cqe;

	if (epoll_ctl(ep, EPOLL_CTL_ADD, efd, &ev))
		return -errno;
	while (got < want) {
		int n = epoll_wait(ep, &ev, 1, 10000 * test_slow());

		if (n < 0 && errno == EINTR)
			continue;
		if (n != 1)
			break;
		signals(efd);
		if (always || (__atomic_load_n(r->sq_flags, __ATOMIC_RELAXED) &
			       enter))
			ring_enter(r, 0, 0, ARING_ENTER_GETEVENTS, NULL, 0);
		while (ring_reap(r, &cqe))
			got += cqe.res > 0;
	}
	close(ep);
	return got;
}

struct writers {
	int fd[16];
	int n;
};

static void *write_slowly(void *arg)
{
	struct writers *w = arg;

	for (int i = 0; i < w->n; i++) {
		usleep(i % 3 * 3000);
		if (write(w->fd[i], "x", 1) != 1)
			break;
	}
	return NULL;
}

static void loop_over(struct __test_metadata *_metadata, struct ring *r, int efd,
		      bool sockets, bool always)
{
	struct writers w = { .n = 16 };
	int p[16][2];
	pthread_t t;
	char b[16];

	for (int i = 0; i < 16; i++) {
		ASSERT_EQ(0, sockets ? socketpair(AF_UNIX, SOCK_STREAM, 0,
						  p[i]) : pipe(p[i]));
		w.fd[i] = p[i][1];
		prep_read(r, p[i][0], b + i, 1, 0, i);
	}
	ASSERT_EQ(16, ring_submit(r));
	ASSERT_EQ(0, pthread_create(&t, NULL, write_slowly, &w));
	EXPECT_EQ(16, event_loop(r, efd, 16, always));
	pthread_join(t, NULL);
	for (int i = 0; i < 16; i++) {
		close(p[i][0]);
		close(p[i][1]);
	}
}

TEST_F_TIMEOUT(eventfd, an_event_loop, 60)
{
	ASSERT_EQ(0, reg_eventfd(&self->r, self->fd));
	for (int i = 0; i < 3; i++) {
		loop_over(_metadata, &self->r, self->fd, false, false);
		loop_over(_metadata, &self->r, self->fd, true, false);
	}
}

/* io_uring signals here before the CQE is there: ENTER brings it. */
TEST_F_TIMEOUT(eventfd, an_event_loop_with_defer_taskrun, 60)
{
	struct ring r;

	ASSERT_EQ(0, ring_init(&r, variant->backend, 32,
			       ARING_SETUP_SINGLE_ISSUER |
			       ARING_SETUP_DEFER_TASKRUN));
	ASSERT_EQ(0, reg_eventfd(&r, self->fd));
	loop_over(_metadata, &r, self->fd, false, true);
	loop_over(_metadata, &r, self->fd, true, true);
	ring_exit(&r);
}

/* A signalfd looks at who asks: it can be asked by its owner alone. */
TEST_F(eventfd, a_signalfd_in_an_event_loop)
{
	struct ring *r = &self->r;
	struct signalfd_siginfo si;
	sigset_t set;
	int sfd;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	ASSERT_EQ(0, sigprocmask(SIG_BLOCK, &set, NULL));
	sfd = signalfd(-1, &set, SFD_CLOEXEC);
	ASSERT_GE(sfd, 0);
	ASSERT_EQ(0, reg_eventfd(r, self->fd));
	for (int i = 0; i < 3; i++) {
		prep(r, ARING_OP_POLL_ADD, sfd, NULL, 0, 0, 1)->poll32_events =
			POLLIN;
		ASSERT_EQ(1, ring_submit(r));
		EXPECT_FALSE(wait_signal(self->fd, 20));
		ASSERT_EQ(0, kill(getpid(), SIGUSR1));
		EXPECT_EQ(1, event_loop(r, self->fd, 1, false));
		/* the request that waits and its CQE may signal both */
		signals(self->fd);
		ASSERT_EQ(sizeof(si), read(sfd, &si, sizeof(si)));
		prep_read(r, sfd, &si, sizeof(si), 0, 2);
		ASSERT_EQ(1, ring_submit(r));
		EXPECT_FALSE(wait_signal(self->fd, 20));
		si.ssi_signo = 0;
		ASSERT_EQ(0, kill(getpid(), SIGUSR1));
		EXPECT_EQ(1, event_loop(r, self->fd, 1, false));
		/* the request that waits and its CQE may signal both */
		signals(self->fd);
		EXPECT_EQ(SIGUSR1, si.ssi_signo);
	}
}

RING_TEST_MAIN
