// SPDX-License-Identifier: MIT
/*
 * Where an operation runs: it sees the program's own namespaces, limits and
 * credentials, and what blocks one operation blocks nothing else.
 */
#include "frozen.h"
#include <poll.h>
#include <termios.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>

RING_FIXTURE(where);

static const __u8 FLAGS[] = { 0, ARING_SQE_ASYNC };

static int run(struct ring *r, int op, int fd, const void *addr,
	       unsigned int len, __u64 off, __u8 flags)
{
	prep(r, op, fd, addr, len, off, 0x1234)->flags = flags;
	return ring_run(r);
}

TEST_F(where, a_sysctl_is_the_one_of_the_own_namespace)
{
	char before[65], after[65], buf[65];
	int status;
	pid_t pid;

	ASSERT_EQ(0, gethostname(before, sizeof(before)));
	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid) {
		struct ring r;
		int fd;

		if (unshare(CLONE_NEWUTS) ||
		    ring_init(&r, variant->backend, 8, 0))
			_exit(10);
		fd = open("/proc/sys/kernel/hostname", O_RDWR);
		for (int i = 0; i < 2; i++) {
			char name[] = "inside-0";

			name[7] += i;
			if (run(&r, ARING_OP_WRITE, fd, name, 8, 0,
				FLAGS[i]) != 8)
				_exit(11 + 10 * i);
			if (gethostname(buf, 65) || strcmp(buf, name))
				_exit(12 + 10 * i);
			memset(buf, 0, sizeof(buf));
			if (run(&r, ARING_OP_READ, fd, buf, 64, 0,
				FLAGS[i]) != 9 || memcmp(buf, name, 8))
				_exit(13 + 10 * i);
		}
		_exit(0);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, WEXITSTATUS(status));
	ASSERT_EQ(0, gethostname(after, sizeof(after)));
	EXPECT_STREQ(before, after);
}

TEST_F_TIMEOUT(where, file_size_limit_is_the_submitters, 60)
{
	const char *ext4 = disk_ext4("ext4", 64);
	const char *const dirs[] = { "/tmp", ext4 };
	char *b = calloc(1, 16384);

	ASSERT_NE(NULL, ext4);
	ASSERT_NE(NULL, b);
	for (int k = 0; k < 4; k++) {
		struct rlimit lim = { 4096, 4096 };
		__u8 flags = FLAGS[k & 1];
		int status;
		pid_t pid;

		pid = fork();
		ASSERT_GE(pid, 0);
		if (!pid) {
			int fd = open(dirs[k / 2], O_TMPFILE | O_RDWR, 0600);
			struct ring r;
			struct stat st;

			signal(SIGXFSZ, SIG_IGN);
			if (fd < 0 || ring_init(&r, variant->backend, 8, 0) ||
			    setrlimit(RLIMIT_FSIZE, &lim))
				_exit(1);
			if (run(&r, ARING_OP_WRITE, fd, b, 8192, 0, flags) !=
			    4096)
				_exit(2);
			if (run(&r, ARING_OP_WRITE, fd, b, 1, 4096, flags) !=
			    -EFBIG)
				_exit(3);
			if (run(&r, ARING_OP_WRITE, fd, b, 1, 4095, flags) != 1)
				_exit(4);
			if (fstat(fd, &st) || st.st_size != 4096)
				_exit(5);
			_exit(0);
		}
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		CHECK_EQ(0, status, "%s, flags %#x: step %d", dirs[k / 2],
			 flags, WEXITSTATUS(status));
	}
}

/* A write by who lacks CAP_FSETID takes the set-uid bit away. */
TEST_F_TIMEOUT(where, credentials_are_the_submitters, 60)
{
	const char *ext4 = disk_ext4("ext4", 64);
	const char *const dirs[] = { "/tmp", ext4 };

	ASSERT_NE(NULL, ext4);
	for (int k = 0; k < 8; k++) {
		bool root = k & 2;
		__u8 flags = FLAGS[k & 1];
		struct stat st;
		int fd, status;
		pid_t pid;

		fd = open(dirs[k / 4], O_TMPFILE | O_RDWR, 0600);
		ASSERT_GE(fd, 0);
		ASSERT_EQ(0, fchmod(fd, 04777));
		pid = fork();
		ASSERT_GE(pid, 0);
		if (!pid) {
			struct ring r;

			if (ring_init(&r, variant->backend, 8, 0) ||
			    (!root && (setgid(12345) || setuid(12345))))
				_exit(1);
			_exit(run(&r, ARING_OP_WRITE, fd, "abc", 3, 0,
				  flags) == 3 ? 0 : 2);
		}
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		CHECK_EQ(0, status, "step %d", WEXITSTATUS(status));
		ASSERT_EQ(0, fstat(fd, &st));
		CHECK_EQ(root ? 04777 : 0777, st.st_mode & 07777,
			 "%s, flags %#x, root %d", dirs[k / 4], flags, root);
		close(fd);
	}
}

TEST_F(where, a_priority_needs_the_submitters_right)
{
	int zero = open("/dev/zero", O_RDONLY), status;
	pid_t pid;

	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid) {
		struct ring r;
		char b[8];

		if (ring_init(&r, variant->backend, 8, 0) || setuid(12345))
			_exit(1);
		prep_read(&r, zero, b, 8, 0, 1)->ioprio = 1 << 13; /* RT */
		_exit(ring_run(&r) == -EPERM ? 0 : 2);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, WEXITSTATUS(status));
}

/* Files that are read by waiting for an event. */
enum { EVENTFD, TIMERFD, SIGNALFD, PTY, INOTIFY, SOURCES };

static const char *const SOURCE[] = {
	"eventfd", "timerfd", "signalfd", "pty", "inotify",
};

struct source {
	int kind, fd, other;
};

static bool source_open(struct source *s, int kind)
{
	struct termios tio;
	sigset_t set;

	s->kind = kind;
	s->other = -1;
	switch (kind) {
	case EVENTFD:
		s->fd = eventfd(0, 0);
		return s->fd >= 0;
	case TIMERFD:
		s->fd = timerfd_create(CLOCK_MONOTONIC, 0);
		return s->fd >= 0;
	case SIGNALFD:
		sigemptyset(&set);
		sigaddset(&set, SIGUSR2);
		if (sigprocmask(SIG_BLOCK, &set, NULL))
			return false;
		s->fd = signalfd(-1, &set, 0);
		return s->fd >= 0;
	case PTY:
		s->other = posix_openpt(O_RDWR | O_NOCTTY);
		if (s->other < 0 || grantpt(s->other) || unlockpt(s->other))
			return false;
		s->fd = open(ptsname(s->other), O_RDWR | O_NOCTTY);
		if (s->fd < 0 || tcgetattr(s->fd, &tio))
			return false;
		cfmakeraw(&tio);
		return !tcsetattr(s->fd, TCSANOW, &tio);
	default:
		s->fd = inotify_init();
		return s->fd >= 0 &&
		       inotify_add_watch(s->fd, "/tmp", IN_CREATE) >= 0;
	}
}

/* Make it readable; answers how many bytes a read of 256 must give. */
static int source_fire(struct source *s)
{
	struct itimerspec it = { .it_value = { 0, 20000000 } };
	__u64 v = 3;
	int fd;

	switch (s->kind) {
	case EVENTFD:
		return write(s->fd, &v, 8) == 8 ? 8 : -1;
	case TIMERFD:
		return timerfd_settime(s->fd, 0, &it, NULL) ? -1 : 8;
	case SIGNALFD:
		return kill(getpid(), SIGUSR2) ? -1 :
		       (int)sizeof(struct signalfd_siginfo);
	case PTY:
		return write(s->other, "abcde", 5);
	default:
		fd = open("/tmp/where-inotify", O_CREAT | O_RDWR, 0600);
		close(fd);
		unlink("/tmp/where-inotify");
		return sizeof(struct inotify_event) + 16 +
		       (sizeof("where-inotify") > 16 ? 16 : 0);
	}
}

TEST_F(where, event_files_are_waited_for)
{
	for (int n = 0; n < 2 * SOURCES; n++) {
		int kind = n % SOURCES, want;
		struct aring_cqe cqe;
		struct source s;
		char b[256];

		NEED_TRUE(source_open(&s, kind), "%s", SOURCE[kind]);
		prep_read(&self->r, s.fd, b, sizeof(b), -1, kind)->flags =
			FLAGS[n / SOURCES];
		ASSERT_EQ(1, ring_submit(&self->r));
		CHECK_TRUE(ring_quiet(&self->r, 10), "%s", SOURCE[kind]);
		want = source_fire(&s);
		NEED_EQ(0, ring_cqe(&self->r, &cqe), "%s, flags %#x",
			SOURCE[kind], FLAGS[n / SOURCES]);
		CHECK_EQ(want, cqe.res, "%s, flags %#x", SOURCE[kind],
			 FLAGS[n / SOURCES]);
		/* and again, with what is there already */
		want = source_fire(&s);
		if (kind == TIMERFD)
			usleep(40000);
		CHECK_EQ(want, run(&self->r, ARING_OP_READ, s.fd, b,
				   sizeof(b), -1, FLAGS[n / SOURCES]), "%s",
			 SOURCE[kind]);
		close(s.fd);
		if (s.other >= 0)
			close(s.other);
	}
}

/* A program that does not sleep in ENTER learns of it through the ring's fd. */
TEST_F(where, event_files_make_the_ring_readable)
{
	for (int kind = 0; kind < SOURCES; kind++) {
		struct pollfd pfd = { .fd = self->r.fd, .events = POLLIN };
		struct aring_cqe cqe;
		struct source s;
		char b[256];
		int want, n;

		NEED_TRUE(source_open(&s, kind), "%s", SOURCE[kind]);
		prep_read(&self->r, s.fd, b, sizeof(b), -1, kind);
		ASSERT_EQ(1, ring_submit(&self->r));
		CHECK_EQ(0, poll(&pfd, 1, 10), "%s", SOURCE[kind]);
		want = source_fire(&s);
		do {
			n = poll(&pfd, 1, 5000 * test_slow());
		} while (n < 0 && errno == EINTR);
		CHECK_EQ(1, n, "%s", SOURCE[kind]);
		NEED_EQ(0, ring_cqe(&self->r, &cqe), "%s", SOURCE[kind]);
		CHECK_EQ(want, cqe.res, "%s", SOURCE[kind]);
		close(s.fd);
		if (s.other >= 0)
			close(s.other);
	}
}

TEST_F(where, event_files_are_cancelled)
{
	for (int kind = 0; kind < SOURCES; kind++) {
		struct aring_cqe cqe;
		struct source s;
		char b[256];
		int seen = 0;

		NEED_TRUE(source_open(&s, kind), "%s", SOURCE[kind]);
		prep_read(&self->r, s.fd, b, sizeof(b), -1, 1);
		ASSERT_EQ(1, ring_submit(&self->r));
		prep_cancel(&self->r, 1, 0, 2);
		ASSERT_EQ(1, ring_submit(&self->r));
		for (int i = 0; i < 2; i++) {
			NEED_EQ(0, ring_cqe(&self->r, &cqe), "%s",
				SOURCE[kind]);
			if (cqe.user_data == 1 && cqe.res == -ECANCELED)
				seen |= 1;
			if (cqe.user_data == 2 && cqe.res == 0)
				seen |= 2;
		}
		CHECK_EQ(3, seen, "%s", SOURCE[kind]);
		close(s.fd);
		if (s.other >= 0)
			close(s.other);
	}
}

TEST_F(where, empty_pipes_block_nobody)
{
	int fd = open("/tmp", O_TMPFILE | O_RDWR, 0600);
	char b[64], data[8] = "12345678";
	__u64 start = now_ns();
	struct aring_cqe cqe;
	int p[30][2];

	ASSERT_EQ(8, pwrite(fd, data, 8, 0));
	for (int i = 0; i < 30; i++) {
		ASSERT_EQ(0, pipe(p[i]));
		prep_read(&self->r, p[i][0], &b[i], 1, 0, i)->flags =
			FLAGS[i & 1];
	}
	ASSERT_EQ(30, ring_submit(&self->r));
	for (int i = 0; i < 20; i++) {
		EXPECT_EQ(8, run(&self->r, ARING_OP_READ, fd, data, 8, 0,
				 FLAGS[i & 1]));
		EXPECT_EQ(8, run(&self->r, ARING_OP_WRITE, fd, data, 8, 0,
				 FLAGS[i & 1]));
		prep_nop(&self->r, 99);
		EXPECT_EQ(0, ring_run(&self->r));
	}
	EXPECT_LE(now_ns() - start, ms(10000) * test_slow());
	/* the last of them is no worse off than the first */
	for (int i = 29; i >= 0; i--) {
		ASSERT_EQ(1, write(p[i][1], "x", 1));
		NEED_EQ(0, ring_cqe(&self->r, &cqe), "pipe %d", i);
		EXPECT_EQ(i, cqe.user_data);
		EXPECT_EQ(1, cqe.res);
	}
}

/* Whoever comes second to a pipe that was polled ready waits on. */
TEST_F(where, a_pipe_whose_data_another_read_took)
{
	int fd = open("/tmp", O_TMPFILE | O_RDWR, 0600);
	struct aring_cqe cqe;
	char b[8];
	int p[2];

	ASSERT_EQ(0, pipe(p));
	for (int i = 0; i < 8; i++)
		prep_read(&self->r, p[0], &b[i], 1, 0, i);
	ASSERT_EQ(8, ring_submit(&self->r));
	ring_quiet(&self->r, 5);
	for (int n = 0; n < 7; n++) {
		char c = 'a' + n;

		ASSERT_EQ(1, write(p[1], &c, 1));
		NEED_EQ(0, ring_cqe(&self->r, &cqe), "byte %d", n);
		EXPECT_EQ(1, cqe.res);
		EXPECT_EQ(c, b[cqe.user_data]);
		CHECK_TRUE(ring_quiet(&self->r, 5), "one byte, two reads");
		EXPECT_EQ(3, run(&self->r, ARING_OP_WRITE, fd, "abc", 3, 0,
				 FLAGS[n & 1]));
	}
	/* the one that is left can be taken back */
	prep_cancel(&self->r, 0, ARING_ASYNC_CANCEL_ANY, 99);
	ASSERT_EQ(1, ring_submit(&self->r));
	for (int i = 0; i < 2; i++) {
		NEED_EQ(0, ring_cqe(&self->r, &cqe), "after the cancel");
		/* io_uring interrupts its worker, and lets it say so */
		if (variant->backend == IO_URING &&
		    (cqe.user_data == 99 || cqe.res == -EINTR))
			continue;
		EXPECT_EQ(cqe.user_data == 99 ? 1 : -ECANCELED, cqe.res);
	}
}

TEST_F_TIMEOUT(where, a_pipe_whose_data_a_system_call_stole, 60)
{
	unsigned int n = test_scale(3000, 200), stolen = 0, got = 0;
	struct aring_cqe cqe;
	char path[64], b, c;
	int p[2], thief;

	ASSERT_EQ(0, pipe(p));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", p[0]);
	thief = open(path, O_RDONLY | O_NONBLOCK);
	ASSERT_GE(thief, 0);
	for (unsigned int i = 0; i < n; i++) {
		bool mine;

		b = 0;
		prep_read(&self->r, p[0], &b, 1, 0, i);
		ASSERT_EQ(1, ring_submit(&self->r));
		ASSERT_EQ(1, write(p[1], "s", 1));
		mine = read(thief, &c, 1) == 1;
		if (mine) {
			stolen++;
			ASSERT_EQ(1, write(p[1], "r", 1));
		}
		NEED_EQ(0, ring_cqe(&self->r, &cqe),
			"round %u, stolen %d: the read never came back", i,
			mine);
		NEED_EQ(1, cqe.res, "round %u, stolen %d", i, mine);
		NEED_EQ(mine ? 'r' : 's', b, "round %u", i);
		got++;
	}
	printf("# %u of %u bytes were stolen\n", stolen, n);
	EXPECT_EQ(n, got);
}

/* Until the result is there: a writer may go on with what did not fit at once. */
static size_t drain(struct ring *r, int fd)
{
	static char b[65536];
	size_t got = 0;

	for (;;) {
		ssize_t n = read(fd, b, sizeof(b));

		if (n > 0)
			got += n;
		else if (ring_ready(r))
			return got;
		else if (ring_wait_ns(r, 1, ms(10)) == -EINTR)
			return 0;
	}
}

TEST_F(where, a_write_to_a_named_pipe_keeps_no_enter_waiting)
{
	enum { N = 1 << 20 };
	const char *path = "/tmp/where-fifo";
	char *b = calloc(1, N), c;
	int fd, reader;

	ASSERT_NE(NULL, b);
	unlink(path);
	ASSERT_EQ(0, mkfifo(path, 0600));
	fd = open(path, O_RDWR | O_CLOEXEC);
	reader = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	ASSERT_TRUE(fd >= 0 && reader >= 0);
	unlink(path);
	for (int i = 0; i < 4; i++) {
		struct aring_cqe cqe;
		__u64 start = now_ns();

		prep_write(&self->r, fd, b, N, 0, i)->flags = FLAGS[i & 1];
		ASSERT_EQ(1, ring_submit(&self->r));
		EXPECT_LE(now_ns() - start, ms(3000) * test_slow());
		CHECK_EQ(drain(&self->r, reader), ring_reap(&self->r, &cqe) ?
			 cqe.res : RES_NONE, "round %d", i);
		/* and likewise one that waits to be read */
		prep_read(&self->r, fd, &c, 1, 0, i)->flags = FLAGS[i & 1];
		ASSERT_EQ(1, ring_submit(&self->r));
		EXPECT_TRUE(ring_quiet(&self->r, 5));
		ASSERT_EQ(1, write(fd, "x", 1));
		NEED_EQ(0, ring_cqe(&self->r, &cqe), "round %d", i);
		EXPECT_EQ(1, cqe.res);
	}
	free(b);
	close(fd);
	close(reader);
}

/* What only the device promises. */
FROZEN_FIXTURE(frozen);

FIXTURE_SETUP(frozen)
{
	ASSERT_TRUE(frozen_open(&self->dir, &self->refcnt));
}

FIXTURE_TEARDOWN(frozen)
{
	disk_thaw(self->dir);
}

/*
 * Two wait, and one is to be disappointed: not in a thread that others need.
 * (io_uring's waits in ENTER.)
 */
TEST_F(frozen, a_pipe_that_is_made_to_block_meanwhile)
{
	struct aring_cqe cqe;
	char b[2], c;
	int p[2], q[2];
	struct ring r;

	ASSERT_EQ(0, ring_init(&r, DEVICE, 8, 0));
	ASSERT_EQ(0, pipe2(p, O_NONBLOCK));
	ASSERT_EQ(0, pipe2(q, O_NONBLOCK));
	for (int i = 0; i < 2; i++)
		prep_read(&r, p[0], &b[i], 1, 0, i);
	prep_read(&r, q[0], &c, 1, 0, 2);
	ASSERT_EQ(3, ring_submit(&r));
	ASSERT_EQ(0, fcntl(p[0], F_SETFL, 0));
	ASSERT_EQ(1, write(p[1], "x", 1));
	/* nobody is in ENTER */
	usleep(50000 * test_slow());
	NEED_EQ(0, ring_cqe(&r, &cqe), "the byte that is there");
	EXPECT_EQ(1, cqe.res);
	EXPECT_GE(1, cqe.user_data);
	ASSERT_EQ(1, write(q[1], "y", 1));
	NEED_EQ(0, ring_cqe(&r, &cqe), "another pipe");
	EXPECT_EQ(2, cqe.user_data);
	EXPECT_EQ(1, cqe.res);
	prep_cancel(&r, 0, ARING_ASYNC_CANCEL_ANY, 99);
	ASSERT_EQ(1, ring_submit(&r));
	for (int i = 0; i < 2; i++) {
		NEED_EQ(0, ring_cqe(&r, &cqe), "after the cancel");
		EXPECT_EQ(cqe.user_data == 99 ? 1 : -ECANCELED, cqe.res);
	}
	for (int i = 0; i < 2; i++) {
		close(p[i]);
		close(q[i]);
	}
	ring_exit(&r);
	EXPECT_EQ(self->refcnt, module_refcnt_wait(self->refcnt));
}

enum { WRITES = 48 };

/* A ring with a write of its own on each of many files, the system frozen. */
static bool fill_workers(struct ring *r, int dir, int fds[WRITES])
{
	if (ring_init(r, DEVICE, 128, 0))
		return false;
	for (int i = 0; i < WRITES; i++) {
		char name[32];

		snprintf(name, sizeof(name), "frozen-%d", i);
		fds[i] = openat(dir, name, O_RDWR | O_CREAT | O_TRUNC |
				O_CLOEXEC, 0600);
		if (fds[i] < 0)
			return false;
	}
	if (disk_freeze(dir))
		return false;
	for (int i = 0; i < WRITES; i++)
		prep_write(r, fds[i], "frozen!", 7, 0, i)->flags =
			FLAGS[i & 1];
	return ring_submit(r) == WRITES;
}

TEST_F_TIMEOUT(frozen, busy_workers_keep_no_enter_waiting, 60)
{
	int fds[WRITES], zero = open("/dev/zero", O_RDONLY), p[2];
	struct aring_cqe cqe;
	bool seen[WRITES] = { false };
	__u64 start = now_ns();
	struct ring r;
	char b[8];

	ASSERT_TRUE(fill_workers(&r, self->dir, fds));
	ASSERT_EQ(0, pipe(p));
	EXPECT_LE(now_ns() - start, ms(5000) * test_slow());
	start = now_ns();
	for (int i = 0; i < 20; i++) {
		EXPECT_EQ(0, ring_enter(&r, 0, 0, ARING_ENTER_GETEVENTS, NULL,
					0));
		prep_nop(&r, 1000);
		EXPECT_EQ(0, ring_run(&r));
		EXPECT_EQ(8, run(&r, ARING_OP_READ, zero, b, 8, 0, 0));
		/* pipes have their own place to wait */
		ASSERT_EQ(3, write(p[1], "abc", 3));
		EXPECT_EQ(3, run(&r, ARING_OP_READ, p[0], b, 8, 0, FLAGS[i & 1]));
	}
	EXPECT_LE(now_ns() - start, ms(5000) * test_slow());
	EXPECT_EQ(0, ring_ready(&r));
	ASSERT_EQ(0, disk_thaw(self->dir));
	for (int i = 0; i < WRITES; i++) {
		NEED_EQ(0, ring_cqe(&r, &cqe), "write %d after the thaw", i);
		ASSERT_LT(cqe.user_data, WRITES);
		CHECK_EQ(7, cqe.res, "write %d", (int)cqe.user_data);
		EXPECT_FALSE(seen[cqe.user_data]);
		seen[cqe.user_data] = true;
	}
	ring_exit(&r);
	EXPECT_EQ(self->refcnt, module_refcnt_wait(self->refcnt));
}

/* A device has done its work: it only remains to tell who watches the file. */
TEST_F_TIMEOUT(frozen, busy_peers_keep_no_notice_waiting, 60)
{
	enum { N = 1 << 20 };
	struct rlimit old, one;
	struct pollfd in = { .fd = inotify_init1(IN_CLOEXEC), .events = POLLIN };
	char *b = mmap(NULL, N, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), path[64];
	int fd, p[2];
	struct ring r;

	ASSERT_TRUE(b != MAP_FAILED && in.fd >= 0);
	ASSERT_EQ(0, getrlimit(RLIMIT_NPROC, &old));
	one = old;
	one.rlim_cur = 1;
	ASSERT_EQ(0, setrlimit(RLIMIT_NPROC, &one));
	ASSERT_EQ(0, ring_init(&r, DEVICE, 8, 0));
	ASSERT_EQ(0, setrlimit(RLIMIT_NPROC, &old));
	fd = openat(self->dir, "direct", O_RDWR | O_CREAT | O_TRUNC | O_DIRECT |
		    O_CLOEXEC, 0600);
	ASSERT_GE(fd, 0);
	ASSERT_EQ(N, write(fd, b, N));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	ASSERT_LE(0, inotify_add_watch(in.fd, path, IN_MODIFY));
	/* the one thread that there may be waits for a reader */
	ASSERT_EQ(0, pipe(p));
	prep_write(&r, p[1], b, N, 0, 1);
	prep_write(&r, p[1], b, N, 0, 2);
	ASSERT_EQ(2, ring_submit(&r));
	usleep(50000 * test_slow());
	for (int i = 0; ring_ready(&r) && i < 2; i++) {
		struct aring_cqe cqe;

		ring_reap(&r, &cqe);
	}
	CHECK_EQ(4096, run(&r, ARING_OP_WRITE, fd, b, 4096, 0, 0),
		 "an O_DIRECT write to a watched file");
	EXPECT_EQ(1, poll(&in, 1, 1000 * test_slow()));
	ring_exit(&r);
	close(p[0]);
	close(p[1]);
	close(fd);
	close(in.fd);
	munmap(b, N);
	EXPECT_EQ(self->refcnt, module_refcnt_wait(self->refcnt));
}

TEST_F_TIMEOUT(frozen, close_does_not_wait_for_workers, 60)
{
	int fds[WRITES];
	struct ring r;
	__u64 start;

	ASSERT_TRUE(fill_workers(&r, self->dir, fds));
	usleep(50000 * test_slow());
	start = now_ns();
	ring_exit(&r);
	EXPECT_LE(now_ns() - start, ms(3000) * test_slow());
	/* it cannot be unloaded under them */
	usleep(100000);
	EXPECT_GT(module_refcnt(), self->refcnt);
	ASSERT_EQ(0, disk_thaw(self->dir));
	EXPECT_EQ(self->refcnt, module_refcnt_wait(self->refcnt));
}

TEST_F_TIMEOUT(frozen, kill_does_not_wait_for_workers, 90)
{
	for (int k = 0; k < 3; k++) {
		int fds[WRITES], ready[2], status;
		__u64 start;
		pid_t pid;
		char c;

		ASSERT_EQ(0, pipe(ready));
		pid = fork();
		ASSERT_GE(pid, 0);
		if (!pid) {
			struct ring r;

			if (!fill_workers(&r, self->dir, fds) ||
			    write(ready[1], "x", 1) != 1)
				_exit(1);
			/* the second is killed in its wait, the third exits */
			if (k == 1)
				ring_enter(&r, 0, 1, ARING_ENTER_GETEVENTS,
					   NULL, 0);
			if (k == 2)
				_exit(0);
			for (;;)
				pause();
		}
		close(ready[1]);
		ASSERT_EQ(1, read(ready[0], &c, 1));
		close(ready[0]);
		usleep(50000 * test_slow());
		start = now_ns();
		kill(pid, SIGKILL);
		/* the freeze holds: a process that waits for it would hang */
		for (int i = 0; i < 3000 * test_slow(); i++) {
			if (waitpid(pid, &status, WNOHANG) == pid) {
				pid = 0;
				break;
			}
			usleep(2000);
		}
		CHECK_EQ(0, pid, "case %d: the process does not go", k);
		CHECK_LE(now_ns() - start, ms(5000) * test_slow(), "case %d", k);
		ASSERT_EQ(0, disk_thaw(self->dir));
		if (pid)
			waitpid(pid, &status, 0);
		CHECK_EQ(self->refcnt, module_refcnt_wait(self->refcnt),
			 "case %d", k);
	}
}

RING_TEST_MAIN
