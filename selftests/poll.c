// SPDX-License-Identifier: MIT
/*
 * POLL_ADD, one-shot: the files, the masks, and what is refused. Multishot polls
 * and updates are in pollmulti.c, what is taken back by other means or ends with
 * its process in polllife.c, rings that watch rings in pollring.c.
 */
#include "poll.h"
#include <sys/mount.h>

RING_FIXTURE(poll);

TEST_F(poll, every_source_is_waited_for)
{
	for (int kind = 0; kind < SOURCES; kind++) {
		struct source s;

		NEED_TRUE(source_open(&s, kind), "%s", SOURCE[kind]);
		for (int round = 0; round < 3; round++) {
			prep_poll(&self->r, s.fd, POLLIN, 1 + round);
			ASSERT_EQ(1, ring_submit(&self->r));
			CHECK_TRUE(ring_quiet(&self->r, 10), "%s, round %d",
				   SOURCE[kind], round);
			source_fire(&s);
			NEXT(&self->r, 1 + round, POLLIN, 0, "%s, round %d",
			     SOURCE[kind], round);
			/* once only, and the data is still there */
			if (kind != TIMERFD)
				source_fire(&s);
			CHECK_TRUE(ring_quiet(&self->r, 10), "%s, round %d",
				   SOURCE[kind], round);
			source_drain(&s);
		}
		source_close(&s);
	}
}

TEST_F(poll, every_source_may_be_ready_already)
{
	for (int kind = 0; kind < SOURCES; kind++) {
		struct source s;

		NEED_TRUE(source_open(&s, kind), "%s", SOURCE[kind]);
		source_fire(&s);
		if (kind == TIMERFD)
			usleep(30000);
		prep_poll(&self->r, s.fd, POLLIN, 7);
		CHECK_EQ(POLLIN, ring_run(&self->r), "%s", SOURCE[kind]);
		source_close(&s);
	}
}

TEST_F(poll, every_source_is_taken_back)
{
	for (int kind = 0; kind < SOURCES; kind++) {
		struct source s;

		NEED_TRUE(source_open(&s, kind), "%s", SOURCE[kind]);
		prep_poll(&self->r, s.fd, POLLIN, 1);
		ASSERT_EQ(1, ring_submit(&self->r));
		prep_poll_remove(&self->r, 1, 2);
		ASSERT_EQ(1, ring_submit(&self->r));
		/* the poll's CQE is the first */
		NEXT(&self->r, 1, -ECANCELED, 0, "%s", SOURCE[kind]);
		NEXT(&self->r, 2, 0, 0, "%s", SOURCE[kind]);
		source_fire(&s);
		CHECK_TRUE(ring_quiet(&self->r, 15), "%s", SOURCE[kind]);
		source_close(&s);
	}
}

/* The ring's descriptor polls readable, for those who wait with poll(2). */
TEST_F(poll, an_event_makes_the_ring_readable)
{
	struct pollfd pfd = { .fd = self->r.fd, .events = POLLIN };

	for (int kind = 0; kind < SOURCES; kind++) {
		struct source s;
		int n;

		NEED_TRUE(source_open(&s, kind), "%s", SOURCE[kind]);
		prep_poll(&self->r, s.fd, POLLIN, 1);
		ASSERT_EQ(1, ring_submit(&self->r));
		CHECK_EQ(0, poll(&pfd, 1, 5), "%s", SOURCE[kind]);
		source_fire(&s);
		do {
			n = poll(&pfd, 1, 5000 * test_slow());
		} while (n < 0 && errno == EINTR);
		CHECK_EQ(1, n, "%s", SOURCE[kind]);
		NEXT(&self->r, 1, POLLIN, 0, "%s", SOURCE[kind]);
		source_close(&s);
	}
}

/* A program that looks at the CQ alone, and makes no call of the ring's. */
TEST_F(poll, an_event_is_seen_without_enter)
{
	struct aring_cqe cqe;
	int fd = eventfd(0, 0);
	__u64 end;

	prep_poll(&self->r, fd, POLLIN, 1);
	ASSERT_EQ(1, ring_submit(&self->r));
	eventfd_add(fd, 1);
	end = now_ns() + ms(5000);
	while (!ring_ready(&self->r) && now_ns() < end)
		;
	ASSERT_TRUE(ring_reap(&self->r, &cqe));
	EXPECT_EQ(POLLIN, cqe.res);
	close(fd);
}

static const struct {
	const char *what;
	__u32 asked;
	int seen;
} FULL_PIPE[] = {
	{ "nothing", 0, POLLERR },
	{ "in", POLLIN, POLLERR },
	{ "out", POLLOUT, POLLOUT | POLLERR },
	{ "all", 0x3fff, POLLOUT | POLLWRNORM | POLLERR },
};

TEST_F(poll, errors_and_hang_ups_are_always_reported)
{
	for (size_t i = 0; i < ARRAY_SIZE(FULL_PIPE); i++) {
		int p[2];

		/* the reading end, hung up while it was armed, and then again */
		ASSERT_EQ(0, pipe(p));
		prep_poll(&self->r, p[0], i == 1 ? POLLIN : 0, 1);
		ASSERT_EQ(1, ring_submit(&self->r));
		EXPECT_TRUE(ring_quiet(&self->r, 5));
		close(p[1]);
		NEXT(&self->r, 1, POLLHUP, 0, "hung up while armed");
		prep_poll(&self->r, p[0], 0, 1);
		EXPECT_EQ(POLLHUP, ring_run(&self->r));
		close(p[0]);
		/* the writing end */
		ASSERT_EQ(0, pipe(p));
		close(p[0]);
		prep_poll(&self->r, p[1], FULL_PIPE[i].asked, 1);
		CHECK_EQ(FULL_PIPE[i].seen, ring_run(&self->r), "asked for %s",
			 FULL_PIPE[i].what);
		close(p[1]);
	}
}

/*
 * poll(2) reports POLLRDHUP to who asks for it. io_uring of 6.1 adds it to
 * every mask, and the manual does not say so.
 */
TEST_F(poll, rdhup_is_always_reported)
{
	int sv[2];

	for (int tcp = 0; tcp < 2; tcp++) {
		ASSERT_EQ(0, tcp ? tcp_pair(sv) :
			  socketpair(AF_UNIX, SOCK_STREAM, 0, sv));
		prep_poll(&self->r, sv[0], 0, 1);
		ASSERT_EQ(1, ring_submit(&self->r));
		EXPECT_TRUE(ring_quiet(&self->r, 5));
		ASSERT_EQ(0, shutdown(sv[1], SHUT_WR));
		NEXT(&self->r, 1, POLLRDHUP, 0, "tcp %d", tcp);
		prep_poll(&self->r, sv[0], POLLIN, 1);
		CHECK_EQ(POLLIN | POLLRDHUP, ring_run(&self->r), "tcp %d", tcp);
		prep_poll(&self->r, sv[0], POLLIN | POLLRDHUP | POLLOUT, 1);
		CHECK_EQ(POLLIN | POLLRDHUP | POLLOUT, ring_run(&self->r),
			 "tcp %d", tcp);
		close(sv[1]);
		prep_poll(&self->r, sv[0], POLLIN, 1);
		CHECK_EQ(tcp ? POLLIN | POLLRDHUP : POLLIN | POLLRDHUP |
			 POLLHUP, ring_run(&self->r), "tcp %d", tcp);
		close(sv[0]);
	}
}

TEST_F(poll, urgent_data_is_pri)
{
	int sv[2];

	for (int armed = 0; armed < 2; armed++) {
		ASSERT_EQ(0, tcp_pair(sv));
		/*
		 * A poll of 6.1 for POLLPRI alone sleeps through a wake-up that
		 * names its events, as those of sockets do. Nobody can want
		 * that: of the device more is asked.
		 */
		if (armed && variant->backend == DEVICE) {
			prep_poll(&self->r, sv[0], POLLPRI, 1);
			ASSERT_EQ(1, ring_submit(&self->r));
			EXPECT_TRUE(ring_quiet(&self->r, 10));
		}
		ASSERT_EQ(1, send(sv[1], "b", 1, MSG_OOB));
		if (!armed || variant->backend != DEVICE) {
			/* let it arrive */
			usleep(20000);
			prep_poll(&self->r, sv[0], POLLPRI, 1);
			ASSERT_EQ(1, ring_submit(&self->r));
		}
		NEXT(&self->r, 1, POLLPRI, 0, "armed %d", armed);
		close(sv[0]);
		close(sv[1]);
	}
}

TEST_F(poll, only_what_was_asked_for_is_reported)
{
	struct ring *r = &self->r;
	int sv[2];

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, sv));
	prep_poll(r, sv[0], POLLOUT, 1);
	EXPECT_EQ(POLLOUT, ring_run(r));
	prep_poll(r, sv[0], POLLIN | POLLOUT, 1);
	EXPECT_EQ(POLLOUT, ring_run(r));
	prep_poll(r, sv[0], POLLOUT | POLLWRNORM, 1);
	EXPECT_EQ(POLLOUT | POLLWRNORM, ring_run(r));
	ASSERT_EQ(1, write(sv[1], "x", 1));
	prep_poll(r, sv[0], POLLOUT, 1);
	EXPECT_EQ(POLLOUT, ring_run(r));
	prep_poll(r, sv[0], POLLIN | POLLOUT | POLLPRI, 1);
	EXPECT_EQ(POLLIN | POLLOUT, ring_run(r));
	prep_poll(r, sv[0], POLLIN | POLLRDNORM, 1);
	EXPECT_EQ(POLLIN | POLLRDNORM, ring_run(r));
	/* an event of another kind does not complete it */
	prep_poll(r, sv[0], POLLPRI, 1);
	ASSERT_EQ(1, ring_submit(r));
	ASSERT_EQ(1, write(sv[1], "x", 1));
	EXPECT_TRUE(ring_quiet(r, 10));
	close(sv[0]);
	close(sv[1]);
}

TEST_F(poll, a_full_pipe_becomes_writable)
{
	static char big[65536];
	int p[2];

	ASSERT_EQ(0, pipe(p));
	ASSERT_EQ(65536, write(p[1], big, sizeof(big)));
	prep_poll(&self->r, p[1], POLLOUT, 1);
	ASSERT_EQ(1, ring_submit(&self->r));
	EXPECT_TRUE(ring_quiet(&self->r, 10));
	ASSERT_EQ(65536, read(p[0], big, sizeof(big)));
	NEXT(&self->r, 1, POLLOUT, 0, "room in the pipe");
	close(p[0]);
	close(p[1]);
}

TEST_F(poll, exclusive_polls_are_woken_one_by_one)
{
	int fd = eventfd(0, 0), seen = 0;
	struct aring_cqe cqe;

	for (int i = 0; i < 3; i++)
		prep_poll(&self->r, fd, EPOLLIN | EPOLLEXCLUSIVE, 1 + i);
	ASSERT_EQ(3, ring_submit(&self->r));
	for (int i = 0; i < 3; i++) {
		EXPECT_TRUE(ring_quiet(&self->r, 10));
		eventfd_add(fd, 1);
		NEED_EQ(0, ring_cqe(&self->r, &cqe), "event %d", i);
		EXPECT_EQ(POLLIN, cqe.res);
		seen |= 1 << cqe.user_data;
	}
	EXPECT_EQ(0xe, seen);
	/* without it one event is everybody's */
	eventfd_clear(fd);
	for (int i = 0; i < 3; i++)
		prep_poll(&self->r, fd, EPOLLIN, 1 + i);
	ASSERT_EQ(3, ring_submit(&self->r));
	eventfd_add(fd, 1);
	ASSERT_EQ(0, ring_wait(&self->r, 3));
	close(fd);
}

/* Bits without a meaning are no error, nor is one that epoll alone knows. */
TEST_F(poll, all_32_bits_are_taken)
{
	int fd = eventfd(0, 0);

	for (int bit = 0; bit < 32; bit++) {
		prep_poll(&self->r, fd, POLLOUT | 1U << bit, 1);
		CHECK_EQ(POLLOUT, ring_run(&self->r), "bit %d", bit);
	}
	prep_poll(&self->r, fd, UINT_MAX, 1);
	EXPECT_EQ(POLLOUT, ring_run(&self->r));
	eventfd_add(fd, 1);
	prep_poll(&self->r, fd, UINT_MAX, 1);
	EXPECT_EQ(POLLIN | POLLOUT, ring_run(&self->r));
	close(fd);
}

/*
 * A file without a wait queue answers at once with what is ready. If that is
 * nothing there is nothing to wait for: -EINVAL.
 */
TEST_F(poll, files_without_a_queue_answer_at_once)
{
	static const char *const path[] = {
		"/proc/self/exe", "/dev/null", "/tmp", "/proc/version",
	};

	for (size_t i = 0; i < ARRAY_SIZE(path); i++) {
		int fd = open(path[i], O_RDONLY);

		ASSERT_GE(fd, 0);
		prep_poll(&self->r, fd, POLLIN, 1);
		CHECK_EQ(POLLIN, ring_run(&self->r), "%s", path[i]);
		prep_poll(&self->r, fd, POLLIN | POLLOUT | POLLPRI, 1);
		CHECK_EQ(POLLIN | POLLOUT, ring_run(&self->r), "%s", path[i]);
		prep_poll(&self->r, fd, POLLPRI, 1);
		CHECK_EQ(-EINVAL, ring_run(&self->r), "%s", path[i]);
		prep_poll(&self->r, fd, 0, 1);
		CHECK_EQ(-EINVAL, ring_run(&self->r), "%s", path[i]);
		close(fd);
	}
}

/* Asking it is what takes the event: it must not be asked once too often. */
TEST_F(poll, mounts_report_a_change_once)
{
	int fd = open("/proc/self/mounts", O_RDONLY);
	const char *dir = "/tmp/poll-mount";

	mkdir(dir, 0700);
	prep_poll(&self->r, fd, POLLIN, 1);
	EXPECT_EQ(POLLIN, ring_run(&self->r));
	for (int i = 0; i < 3; i++) {
		prep_poll(&self->r, fd, POLLPRI, 2);
		ASSERT_EQ(1, ring_submit(&self->r));
		EXPECT_TRUE(ring_quiet(&self->r, 10));
		ASSERT_EQ(0, i == 1 ? umount(dir) :
			  mount("none", dir, "tmpfs", 0, NULL));
		NEXT(&self->r, 2, POLLPRI | POLLERR, 0, "change %d", i);
	}
	ASSERT_EQ(0, umount(dir));
	prep_poll(&self->r, fd, POLLPRI, 2);
	EXPECT_EQ(POLLPRI | POLLERR, ring_run(&self->r));
	prep_poll(&self->r, fd, POLLPRI, 2);
	ASSERT_EQ(1, ring_submit(&self->r));
	EXPECT_TRUE(ring_quiet(&self->r, 10));
	close(fd);
}

TEST_F(poll, a_signal_is_the_submitters)
{
	struct source s;
	pid_t pid;

	/* that of another process is not seen, though the queue is shared */
	ASSERT_TRUE(source_open(&s, SIGNALFD));
	prep_poll(&self->r, s.fd, POLLIN, 1);
	ASSERT_EQ(1, ring_submit(&self->r));
	pid = fork();
	if (pid == 0) {
		kill(getpid(), SIGUSR2);
		_exit(0);
	}
	ASSERT_EQ(pid, waitpid(pid, NULL, 0));
	EXPECT_TRUE(ring_quiet(&self->r, 20));
	/* nor one that it does not ask for */
	signal(SIGURG, SIG_DFL);
	kill(getpid(), SIGURG);
	EXPECT_TRUE(ring_quiet(&self->r, 10));
	kill(getpid(), SIGUSR2);
	NEXT(&self->r, 1, POLLIN, 0, "its own signal");
	source_close(&s);
}

TEST_F(poll, bad_descriptors)
{
	int p[2];

	prep_poll(&self->r, -1, POLLIN, 1);
	EXPECT_EQ(-EBADF, ring_run(&self->r));
	prep_poll(&self->r, 12345, POLLIN, 1);
	EXPECT_EQ(-EBADF, ring_run(&self->r));
	ASSERT_EQ(0, pipe(p));
	close(p[0]);
	prep_poll(&self->r, p[0], POLLIN, 1);
	EXPECT_EQ(-EBADF, ring_run(&self->r));
	close(p[1]);
	p[0] = open("/tmp", O_PATH);
	prep_poll(&self->r, p[0], POLLIN, 1);
	EXPECT_EQ(-EBADF, ring_run(&self->r));
	close(p[0]);
}

/* It holds the file: closing the descriptor ends nothing. */
TEST_F(poll, a_descriptor_closed_while_armed)
{
	int p[2], fd;

	ASSERT_EQ(0, pipe(p));
	prep_poll(&self->r, p[0], POLLIN, 1);
	ASSERT_EQ(1, ring_submit(&self->r));
	fd = p[0];
	close(fd);
	/* the number is another file's meanwhile */
	ASSERT_EQ(fd, open("/dev/zero", O_RDONLY));
	EXPECT_TRUE(ring_quiet(&self->r, 10));
	ASSERT_EQ(1, write(p[1], "x", 1));
	NEXT(&self->r, 1, POLLIN, 0, "closed while armed");
	/* and now nobody reads it any more */
	signal(SIGPIPE, SIG_IGN);
	for (int i = 0; i < 100 && write(p[1], "x", 1) == 1; i++)
		usleep(10000);
	EXPECT_EQ(-1, write(p[1], "x", 1));
	EXPECT_EQ(EPIPE, errno);
	close(p[1]);
	close(fd);
}

/*
 * splice_fd_in is not looked at: 6.1 checks it for POLL_REMOVE only. addr3 and
 * what follows it have no meaning either.
 */
TEST_F(poll, bad_polls_are_refused)
{
	struct ring *r = &self->r;
	int fd = eventfd(1, 0);
	struct aring_sqe *s;

	prep_poll(r, fd, POLLIN, 1)->buf_index = 1;
	EXPECT_EQ(-EINVAL, ring_run(r));
	prep_poll(r, fd, POLLIN, 1)->off = 1;
	EXPECT_EQ(-EINVAL, ring_run(r));
	prep_poll(r, fd, POLLIN, 1)->addr = 1;
	EXPECT_EQ(-EINVAL, ring_run(r));
	prep_poll(r, fd, POLLIN, 1)->ioprio = 1;
	EXPECT_EQ(-EINVAL, ring_run(r));
	prep_poll(r, fd, POLLIN, 1)->personality = 77;
	EXPECT_EQ(-EINVAL, ring_run(r));
	for (int bit = 1; bit < 32; bit++) {
		prep_poll(r, fd, POLLIN, 1)->len = 1U << bit;
		CHECK_EQ(-EINVAL, ring_run(r), "flag %d", bit);
		prep_multi(r, fd, POLLIN, 1)->len |= 1U << bit;
		CHECK_EQ(-EINVAL, ring_run(r), "multishot and flag %d", bit);
	}
	prep_poll(r, fd, POLLIN, 1)->len = ARING_POLL_ADD_LEVEL;
	EXPECT_EQ(-EINVAL, ring_run(r));
	prep_multi(r, fd, POLLIN, 1)->flags = ARING_SQE_CQE_SKIP_SUCCESS;
	EXPECT_EQ(-EINVAL, ring_run(r));
	prep_poll(r, fd, POLLIN, 1)->splice_fd_in = 1;
	EXPECT_EQ(POLLIN, ring_run(r));
	s = prep_poll(r, fd, POLLIN, 1);
	s->addr3 = 1;
	s->__pad2[0] = 1;
	EXPECT_EQ(POLLIN, ring_run(r));
	EXPECT_TRUE(ring_quiet(r, 5));
	close(fd);
}

TEST_F(poll, skip_success_shows_failures_only)
{
	int fd = eventfd(0, 0);

	prep_poll(&self->r, fd, POLLIN, 1)->flags = ARING_SQE_CQE_SKIP_SUCCESS;
	prep_poll(&self->r, fd, POLLIN, 2);
	prep_poll(&self->r, fd, POLLPRI, 3)->flags = ARING_SQE_CQE_SKIP_SUCCESS;
	ASSERT_EQ(3, ring_submit(&self->r));
	eventfd_add(fd, 1);
	NEXT(&self->r, 2, POLLIN, 0, "beside one that is skipped");
	EXPECT_TRUE(ring_quiet(&self->r, 10));
	prep_poll_remove(&self->r, 3, 4)->flags = ARING_SQE_CQE_SKIP_SUCCESS;
	ASSERT_EQ(1, ring_submit(&self->r));
	NEXT(&self->r, 3, -ECANCELED, 0, "taken back");
	EXPECT_TRUE(ring_quiet(&self->r, 10));
	close(fd);
}

TEST_F(poll, async_polls_wait_like_the_others)
{
	for (int kind = 0; kind < SOURCES; kind++) {
		struct source s;

		NEED_TRUE(source_open(&s, kind), "%s", SOURCE[kind]);
		prep_poll(&self->r, s.fd, POLLIN, 1)->flags = ARING_SQE_ASYNC;
		ASSERT_EQ(1, ring_submit(&self->r));
		CHECK_TRUE(ring_quiet(&self->r, 30), "%s", SOURCE[kind]);
		source_fire(&s);
		NEXT(&self->r, 1, POLLIN, 0, "%s", SOURCE[kind]);
		source_close(&s);
	}
}

TEST_F(poll, a_chain_waits_and_reads)
{
	char b[8] = "";
	int p[2];

	ASSERT_EQ(0, pipe(p));
	prep_poll(&self->r, p[0], POLLIN, 1)->flags = ARING_SQE_IO_LINK;
	prep_read(&self->r, p[0], b, 8, 0, 2);
	ASSERT_EQ(2, ring_submit(&self->r));
	EXPECT_TRUE(ring_quiet(&self->r, 10));
	ASSERT_EQ(3, write(p[1], "abc", 3));
	NEXT(&self->r, 1, POLLIN, 0, "the poll");
	NEXT(&self->r, 2, 3, 0, "the read");
	EXPECT_STREQ("abc", b);
	/* ready at once */
	ASSERT_EQ(3, write(p[1], "def", 3));
	prep_poll(&self->r, p[0], POLLIN, 1)->flags = ARING_SQE_IO_LINK;
	prep_read(&self->r, p[0], b, 8, 0, 2);
	ASSERT_EQ(2, ring_submit(&self->r));
	NEXT(&self->r, 1, POLLIN, 0, "the poll");
	NEXT(&self->r, 2, 3, 0, "the read");
	/* taken back, it takes what follows with it */
	prep_poll(&self->r, p[0], POLLIN, 1)->flags = ARING_SQE_IO_LINK;
	prep_read(&self->r, p[0], b, 8, 0, 2);
	ASSERT_EQ(2, ring_submit(&self->r));
	prep_poll_remove(&self->r, 1, 3);
	ASSERT_EQ(1, ring_submit(&self->r));
	NEXT(&self->r, 1, -ECANCELED, 0, "the poll");
	BOTH(&self->r, 2, -ECANCELED, 3, 0, "the read and the remover");
	close(p[0]);
	close(p[1]);
}

TEST_F_TIMEOUT(poll, thousands_armed_and_fired, 60)
{
	unsigned int n = test_scale(8000, 400), fired = 0;
	struct aring_cqe cqe;
	int fd = eventfd(0, 0), other = eventfd(0, 0);
	struct ring r;

	ASSERT_EQ(0, ring_init(&r, variant->backend, 16384, 0));
	for (unsigned int i = 0; i < n; i++)
		prep_poll(&r, i & 1 ? other : fd, POLLIN, i);
	ASSERT_EQ(n, ring_submit(&r));
	eventfd_add(fd, 1);
	for (unsigned int i = 0; i < n / 2; i++) {
		NEED_EQ(0, ring_cqe(&r, &cqe), "%u of %u", i, n / 2);
		fired += !(cqe.user_data & 1) && cqe.res == POLLIN;
	}
	EXPECT_EQ(n / 2, fired);
	EXPECT_TRUE(ring_quiet(&r, 10));
	prep_cancel(&r, 0, ARING_ASYNC_CANCEL_ANY, n);
	ASSERT_EQ(1, ring_submit(&r));
	for (unsigned int i = 0; i <= n / 2; i++) {
		NEED_EQ(0, ring_cqe(&r, &cqe), "%u of %u", i, n / 2);
		EXPECT_EQ(cqe.user_data == n ? (int)n / 2 : -ECANCELED,
			  cqe.res);
	}
	ring_exit(&r);
	close(fd);
	close(other);
}

RING_TEST_MAIN
