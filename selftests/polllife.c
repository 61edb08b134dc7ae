// SPDX-License-Identifier: MIT
/*
 * Polls and what ends around them: rings, mappings, processes, threads, the
 * file itself; and that no event is slept through.
 */
#include "poll.h"

RING_FIXTURE(life);

/*
 * A pipe whose reading end the polls alone will hold. The writer sees EPIPE
 * when they are gone.
 */
static int arm_pipe(struct ring *r, unsigned int n)
{
	int p[2];

	if (pipe2(p, O_CLOEXEC))
		return -1;
	for (unsigned int i = 0; i < n; i++) {
		prep_poll(r, p[0], POLLPRI, i)->len = i & 1;
		if (i % 32 == 31 || i == n - 1)
			ring_submit(r);
	}
	close(p[0]);
	return p[1];
}

static bool readers_go(int fd)
{
	__u64 end = now_ns() + ms(10000) * test_slow();

	signal(SIGPIPE, SIG_IGN);
	while (write(fd, "x", 1) == 1) {
		if (now_ns() > end)
			return false;
		usleep(2000);
	}
	return errno == EPIPE;
}

TEST_F(life, closing_the_ring_drops_its_polls)
{
	int wr = arm_pipe(&self->r, 100);

	ASSERT_GE(wr, 0);
	EXPECT_EQ(1, write(wr, "x", 1));
	ring_exit(&self->r);
	EXPECT_TRUE(readers_go(wr));
	close(wr);
}

TEST_F(life, taking_them_back_drops_the_file)
{
	int wr = arm_pipe(&self->r, 100);
	struct aring_cqe cqe;

	ASSERT_GE(wr, 0);
	prep_cancel(&self->r, 0, ARING_ASYNC_CANCEL_ANY, 1000);
	ASSERT_EQ(1, ring_submit(&self->r));
	for (int i = 0; i < 101; i++) {
		ASSERT_EQ(0, ring_cqe(&self->r, &cqe));
		EXPECT_EQ(cqe.user_data == 1000 ? 100 : -ECANCELED, cqe.res);
	}
	EXPECT_TRUE(readers_go(wr));
	close(wr);
}

TEST_F(life, killed_with_polls_armed)
{
	int wr, sv[2];
	char b;

	for (int round = 0; round < 5; round++) {
		pid_t pid;

		ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_DGRAM, 0, sv));
		pid = fork();
		if (pid == 0) {
			struct ring r;
			struct msghdr m = { 0 };
			char c[CMSG_SPACE(sizeof(int))] = { 0 };
			struct iovec v = { c, 1 };

			if (ring_init(&r, variant->backend, 256, 0))
				_exit(1);
			wr = arm_pipe(&r, 100);
			m.msg_iov = &v;
			m.msg_iovlen = 1;
			m.msg_control = c;
			m.msg_controllen = sizeof(c);
			CMSG_FIRSTHDR(&m)->cmsg_level = SOL_SOCKET;
			CMSG_FIRSTHDR(&m)->cmsg_type = SCM_RIGHTS;
			CMSG_FIRSTHDR(&m)->cmsg_len = CMSG_LEN(sizeof(int));
			memcpy(CMSG_DATA(CMSG_FIRSTHDR(&m)), &wr, sizeof(int));
			sendmsg(sv[1], &m, 0);
			close(wr);
			for (;;)
				ring_enter(&r, 0, 1, ARING_ENTER_GETEVENTS,
					   NULL, 0);
		}
		{
			char c[CMSG_SPACE(sizeof(int))];
			struct iovec v = { &b, 1 };
			struct msghdr m = {
				.msg_iov = &v, .msg_iovlen = 1,
				.msg_control = c, .msg_controllen = sizeof(c),
			};

			ASSERT_EQ(1, recvmsg(sv[0], &m, 0));
			ASSERT_NE(NULL, CMSG_FIRSTHDR(&m));
			memcpy(&wr, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(int));
		}
		EXPECT_EQ(1, write(wr, "x", 1));
		ASSERT_EQ(0, kill(pid, SIGKILL));
		ASSERT_EQ(pid, waitpid(pid, NULL, 0));
		CHECK_TRUE(readers_go(wr), "round %d", round);
		close(wr);
		close(sv[0]);
		close(sv[1]);
	}
}

/* What a child submitted was not seen here: go on where it stopped. */
static void follow_child(struct ring *r)
{
	r->tail = __atomic_load_n(r->sq_tail, __ATOMIC_ACQUIRE);
}

/*
 * Poll of a child in the ring it inherited: while it lives, and afterwards.
 * 6.1 notices the child's end when the event comes, and says -ECANCELED then;
 * on the device it is over at once.
 */
TEST_F(life, a_child_arms_a_poll_and_ends)
{
	int fd = eventfd(0, 0), left = eventfd(0, 0);
	pid_t pid = fork();

	if (pid == 0) {
		struct aring_cqe cqe;

		prep_poll(&self->r, fd, POLLIN, 1);
		if (ring_submit(&self->r) != 1)
			_exit(1);
		eventfd_add(fd, 1);
		if (ring_cqe(&self->r, &cqe) || cqe.user_data != 1 ||
		    cqe.res != POLLIN)
			_exit(2);
		prep_poll(&self->r, left, POLLIN, 2);
		prep_multi(&self->r, left, POLLIN, 3);
		_exit(ring_submit(&self->r) == 2 ? 0 : 3);
	}
	{
		int status;

		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		ASSERT_EQ(0, status);
	}
	follow_child(&self->r);
	if (variant->backend == IO_URING)
		eventfd_add(left, 1);
	BOTH(&self->r, 2, -ECANCELED, 3, -ECANCELED, "of a dead child");
	eventfd_add(left, 1);
	EXPECT_TRUE(ring_quiet(&self->r, 10));
	close(fd);
	close(left);
}

/* A child's exit is no reason to end what its parent submitted. */
TEST_F(life, a_parents_polls_live_on)
{
	int fd = eventfd(0, 0);
	pid_t pid;

	prep_poll(&self->r, fd, POLLIN, 1);
	prep_multi(&self->r, fd, POLLIN, 2);
	ASSERT_EQ(2, ring_submit(&self->r));
	pid = fork();
	if (pid == 0)
		_exit(0);
	ASSERT_EQ(pid, waitpid(pid, NULL, 0));
	EXPECT_TRUE(ring_quiet(&self->r, 10));
	/* the child fires it */
	pid = fork();
	if (pid == 0) {
		eventfd_add(fd, 1);
		_exit(0);
	}
	ASSERT_EQ(pid, waitpid(pid, NULL, 0));
	ASSERT_EQ(0, ring_wait(&self->r, 2));
	close(fd);
}

/*
 * The queue of a signalfd is its process's, and is freed with it. Whatever is
 * armed there by then is -ECANCELED.
 */
TEST_F(life, a_signalfd_whose_process_is_gone)
{
	sigset_t set;
	int status;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	for (int round = 0; round < 20; round++) {
		int fd;
		pid_t pid;

		fd = signalfd(-1, &set, 0);
		ASSERT_GE(fd, 0);
		pid = fork();
		if (pid == 0) {
			sigprocmask(SIG_BLOCK, &set, NULL);
			prep_poll(&self->r, fd, POLLIN, 1);
			prep_multi(&self->r, fd, POLLIN, 2);
			if (ring_submit(&self->r) != 2)
				_exit(1);
			if (round & 1)
				raise(SIGKILL);
			_exit(0);
		}
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		EXPECT_EQ(round & 1 ? SIGKILL : 0, status);
		follow_child(&self->r);
		BOTH(&self->r, 1, -ECANCELED, 2, -ECANCELED, "round %d", round);
		close(fd);
	}
	EXPECT_TRUE(ring_quiet(&self->r, 10));
}

static void *arm_and_exit(void *arg)
{
	return (void *)(long)ring_submit(arg);
}

/*
 * It stays armed. The event finds that the thread is gone, and io_uring of 6.1
 * has no place to run what it must: -ECANCELED. On the device the poll belongs
 * to the process.
 */
TEST_F(life, a_thread_arms_a_poll_and_exits)
{
	int fd = eventfd(0, 0), want;
	pthread_t t;
	void *ret;

	want = variant->backend == IO_URING ? -ECANCELED : POLLIN;
	for (int i = 0; i < 10; i++) {
		prep_poll(&self->r, fd, POLLIN, 1);
		ASSERT_EQ(0, pthread_create(&t, NULL, arm_and_exit, &self->r));
		pthread_join(t, &ret);
		ASSERT_EQ(1, (long)ret);
		/* the joined thread has some way to go yet */
		EXPECT_TRUE(ring_quiet(&self->r, 50 * test_slow()));
		eventfd_add(fd, 1);
		NEXT(&self->r, 1, want, 0, "round %d", i);
		eventfd_clear(fd);
		EXPECT_TRUE(ring_quiet(&self->r, 5));
	}
	/* and is taken back by another */
	prep_poll(&self->r, fd, POLLIN, 1);
	ASSERT_EQ(0, pthread_create(&t, NULL, arm_and_exit, &self->r));
	pthread_join(t, &ret);
	prep_cancel(&self->r, 1, 0, 2);
	ASSERT_EQ(1, ring_submit(&self->r));
	BOTH(&self->r, 1, -ECANCELED, 2, 0, "taken back");
	close(fd);
}

/* A thread that is busy with a ring of its own. */
struct feeder {
	struct ring *r;
	unsigned int stop;
	unsigned long done;
};

static void *feed(void *arg)
{
	struct feeder *f = arg;
	struct aring_cqe cqe;

	while (!__atomic_load_n(&f->stop, __ATOMIC_RELAXED)) {
		prep_nop(f->r, 2);
		ring_submit(f->r);
		while (ring_reap(f->r, &cqe))
			;
		f->done++;
	}
	return NULL;
}

/* Any thread of the process may wait for it and take it back. */
TEST_F(life, one_thread_arms_and_another_waits)
{
	int fd = eventfd(0, 0);
	struct feeder f = { 0 };
	struct ring own;
	pthread_t t;

	ASSERT_EQ(0, ring_init(&own, variant->backend, 8, 0));
	f.r = &own;
	ASSERT_EQ(0, pthread_create(&t, NULL, feed, &f));
	for (int i = 0; i < 100; i++) {
		prep_poll(&self->r, fd, POLLIN, 1);
		ASSERT_EQ(1, ring_submit(&self->r));
		eventfd_add(fd, 1);
		NEXT(&self->r, 1, POLLIN, 0, "round %d", i);
		eventfd_clear(fd);
	}
	__atomic_store_n(&f.stop, 1, __ATOMIC_RELAXED);
	pthread_join(t, NULL);
	ring_exit(&own);
	close(fd);
}

/* Every event that somebody waits for is seen, as long as there is one. */
struct writer {
	int fd;
	unsigned long n;
};

static void *write_often(void *arg)
{
	struct writer *w = arg;

	for (unsigned long i = 0; i < w->n; i++)
		eventfd_add(w->fd, 1);
	return NULL;
}

TEST_F_TIMEOUT(life, no_event_is_slept_through, 60)
{
	unsigned long n = test_scale(50000, 2000), got, events;

	for (int multi = 0; multi < 2; multi++) {
		struct writer w = { .fd = eventfd(0, EFD_NONBLOCK), .n = n };
		struct aring_cqe cqe;
		pthread_t t;
		__u64 v;

		got = 0;
		events = 0;
		if (multi) {
			prep_multi(&self->r, w.fd, POLLIN, 1);
			ASSERT_EQ(1, ring_submit(&self->r));
		}
		ASSERT_EQ(0, pthread_create(&t, NULL, write_often, &w));
		while (got < n) {
			if (!multi) {
				prep_poll(&self->r, w.fd, POLLIN, 1);
				ASSERT_EQ(1, ring_submit(&self->r));
			}
			NEED_EQ(0, ring_cqe(&self->r, &cqe),
				"%lu of %lu after %lu events, multishot %d",
				got, n, events, multi);
			ASSERT_EQ(POLLIN, cqe.res);
			events++;
			if (read(w.fd, &v, 8) == 8)
				got += v;
			/* a full ring ended it: arm it again */
			if (multi && !(cqe.flags & ARING_CQE_F_MORE)) {
				prep_multi(&self->r, w.fd, POLLIN, 1);
				ASSERT_EQ(1, ring_submit(&self->r));
			}
		}
		pthread_join(t, NULL);
		EXPECT_EQ(n, got);
		prep_cancel(&self->r, 1, ARING_ASYNC_CANCEL_ALL, 2);
		ASSERT_EQ(1, ring_submit(&self->r));
		while (!ring_quiet(&self->r, 20))
			ring_reap(&self->r, &cqe);
		close(w.fd);
	}
}

/* What only the device has. */
DEVICE_FIXTURE(device);

TEST_F(device, the_last_unmapping_drops_its_polls)
{
	int wr = arm_pipe(&self->r, 100);

	ASSERT_GE(wr, 0);
	EXPECT_EQ(1, write(wr, "x", 1));
	ring_unmap(&self->r);
	EXPECT_TRUE(readers_go(wr));
	close(wr);
}

RING_TEST_MAIN
