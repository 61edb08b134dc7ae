// SPDX-License-Identifier: MIT
/*
 * SETUP_SQPOLL: which parameters it takes, who the thread is and what it may
 * not run, and its end at any moment.
 */
#include "sqpoll.h"
#include "module.h"
#include "uffd.h"
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/signalfd.h>

FIXTURE(life) { int unused; };

RING_VARIANTS(life);

FIXTURE_SETUP(life) { }
FIXTURE_TEARDOWN(life) { }

static int try_setup(enum backend backend, __u32 flags, __u32 cpu, int wq_fd)
{
	struct aring_params p = {
		.flags = flags, .sq_thread_cpu = cpu, .wq_fd = wq_fd,
	};
	struct ring r;
	int ret;

	ret = ring_init_params(&r, backend, 8, &p);
	if (!ret)
		ring_exit(&r);
	return ret;
}

/* --- parameters ---------------------------------------------------------- */

#define SQPOLL	ARING_SETUP_SQPOLL
/* io_uring's, absent here */
#define IOPOLL		0x01
#define ATTACH_WQ	0x20

TEST_F(life, hints_about_task_work_do_not_go_with_it)
{
	static const struct {
		__u32 flags;
		int ret;
	} t[] = {
		{ SQPOLL, 0 },
		{ SQPOLL | ARING_SETUP_COOP_TASKRUN, -EINVAL },
		{ SQPOLL | ARING_SETUP_TASKRUN_FLAG, -EINVAL },
		{ SQPOLL | ARING_SETUP_COOP_TASKRUN | ARING_SETUP_TASKRUN_FLAG,
		  -EINVAL },
		{ SQPOLL | ARING_SETUP_SINGLE_ISSUER |
		  ARING_SETUP_DEFER_TASKRUN, -EINVAL },
		{ SQPOLL | ARING_SETUP_SINGLE_ISSUER, 0 },
		{ SQPOLL | ARING_SETUP_SUBMIT_ALL, 0 },
		{ SQPOLL | ARING_SETUP_R_DISABLED, 0 },
		{ SQPOLL | ARING_SETUP_CLAMP, 0 },
		{ SQPOLL | ARING_SETUP_SQE128 | ARING_SETUP_CQE32, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(t); i++)
		CHECK_EQ(t[i].ret, try_setup(variant->backend, t[i].flags, 0,
					     0), "flags %#x", t[i].flags);
}

TEST_F(life, affinity_needs_a_thread_and_a_cpu)
{
	static const __u32 bad[] = { 4096, 65536, INT_MAX, 0x80000000,
				     UINT_MAX };

	EXPECT_EQ(-EINVAL, try_setup(variant->backend, ARING_SETUP_SQ_AFF, 0,
				     0));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		CHECK_EQ(-EINVAL, try_setup(variant->backend, SQPOLL |
					    ARING_SETUP_SQ_AFF, bad[i], 0),
			 "cpu %u", bad[i]);
		/* without SQ_AFF nobody looks at it */
		EXPECT_EQ(0, try_setup(variant->backend, SQPOLL, bad[i], 0));
	}
	/* as many as are possible, and one more */
	EXPECT_EQ(-EINVAL, try_setup(variant->backend, SQPOLL |
				     ARING_SETUP_SQ_AFF,
				     sysconf(_SC_NPROCESSORS_CONF), 0));
}

TEST_F(life, the_thread_stays_on_its_cpu)
{
	int cpus = sysconf(_SC_NPROCESSORS_ONLN);

	for (int cpu = 0; cpu < cpus; cpu++) {
		struct aring_params p = {
			.flags = SQPOLL | ARING_SETUP_SQ_AFF,
			.sq_thread_cpu = cpu, .sq_thread_idle = 1,
		};
		cpu_set_t set, want;
		struct ring r;

		ASSERT_EQ(0, ring_init_params(&r, variant->backend, 8, &p));
		CPU_ZERO(&want);
		CPU_SET(cpu, &want);
		for (int k = 0; k < 10; k++) {
			prep_nop(&r, k);
			EXPECT_EQ(0, sq_run(&r));
			CHECK_EQ(cpu, sq_thread_line(&r, "SqThreadCpu"),
				 "round %d", k);
		}
		ASSERT_EQ(0, sched_getaffinity(sq_thread(&r), sizeof(set),
					       &set));
		EXPECT_TRUE(CPU_EQUAL(&want, &set));
		ring_exit(&r);
	}
}

/* io_uring asks the cpuset; a module can only ask for the caller's own mask. */
TEST_F(life, the_cpu_is_one_that_the_caller_may_use)
{
	cpu_set_t set;

	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		SKIP(return, "needs two CPUs");
	CPU_ZERO(&set);
	CPU_SET(0, &set);
	ASSERT_EQ(0, sched_setaffinity(0, sizeof(set), &set));
	EXPECT_EQ(0, try_setup(variant->backend, SQPOLL | ARING_SETUP_SQ_AFF,
			       0, 0));
	EXPECT_EQ(variant->backend == DEVICE ? -EINVAL : 0,
		  try_setup(variant->backend, SQPOLL | ARING_SETUP_SQ_AFF, 1,
			    0));
}

TEST_F(life, fdinfo_names_the_thread)
{
	struct ring r, plain;
	int tid, cpu;

	ASSERT_EQ(0, ring_init(&plain, variant->backend, 8, 0));
	EXPECT_EQ(-1, sq_fdinfo(&plain, "SqThread"));
	EXPECT_EQ(-1, sq_fdinfo(&plain, "SqThreadCpu"));
	ASSERT_EQ(0, sq_init(&r, variant->backend, 8, 0, 1));
	tid = sq_thread(&r);
	EXPECT_GT(tid, 1);
	EXPECT_TRUE(thread_exists(tid));
	cpu = sq_thread_line(&r, "SqThreadCpu");
	EXPECT_GE(cpu, 0);
	EXPECT_LT(cpu, sysconf(_SC_NPROCESSORS_CONF));
	EXPECT_NE(getpid(), tid);
	ring_exit(&r);
	EXPECT_TRUE(thread_goes(tid));
	ring_exit(&plain);
}

TEST_F(life, disabled_it_takes_nothing_until_enabled)
{
	struct ring r;

	ASSERT_EQ(0, sq_init(&r, variant->backend, 8, ARING_SETUP_R_DISABLED,
			     20));
	prep_nop(&r, 1);
	ring_flush(&r);
	EXPECT_EQ(-EBADFD, ring_enter(&r, 0, 0, ARING_ENTER_SQ_WAKEUP, NULL,
				      0));
	EXPECT_EQ(-EBADFD, ring_enter(&r, 1, 0, 0, NULL, 0));
	usleep(50000);
	EXPECT_EQ(0, *r.sq_head);
	/* enabling wakes the thread: no ENTER is needed */
	EXPECT_EQ(0, ring_register(&r, ARING_REGISTER_ENABLE_RINGS, NULL, 0));
	EXPECT_TRUE(sq_arrives(&r, 1));
	ring_reap(&r, &(struct aring_cqe) { 0 });
	prep_nop(&r, 2);
	EXPECT_EQ(0, sq_run(&r));
	ring_exit(&r);
}

TEST_F(life, wide_entries_and_single_issuer)
{
	static const __u32 flags[] = {
		ARING_SETUP_SQE128, ARING_SETUP_CQE32,
		ARING_SETUP_SQE128 | ARING_SETUP_CQE32,
		ARING_SETUP_SINGLE_ISSUER,
	};

	for (size_t k = 0; k < ARRAY_SIZE(flags); k++) {
		struct aring_cqe cqe;
		struct ring r;

		ASSERT_EQ(0, sq_init(&r, variant->backend, 8, flags[k], 20));
		for (int i = 0; i < 80; i += 8) {
			for (int n = 0; n < 8; n++)
				prep_nop(&r, i + n);
			sq_offer(&r);
			ASSERT_TRUE(sq_arrives(&r, 8));
			ASSERT_TRUE(sq_taken(&r));
			for (int n = 0; n < 8; n++) {
				ring_reap(&r, &cqe);
				NEED_EQ(i + n, cqe.user_data, "flags %#x",
					flags[k]);
			}
		}
		ring_exit(&r);
	}
}

/* --- who the thread is --------------------------------------------------- */

TEST_F(life, it_has_the_credentials_of_who_set_the_ring_up)
{
	/* the device's node may be for root alone; that is not the question */
	ASSERT_EQ(0, variant->backend == DEVICE ? chmod(ARING_DEVICE, 0666) :
		  0);
	/* a write by who lacks CAP_FSETID takes the set-uid bit away */
	for (int k = 0; k < 8; k++) {
		int fd = open("/tmp", O_TMPFILE | O_RDWR, 0600), status;
		bool early = k & 1, with_call = k & 2;
		struct stat st;
		pid_t pid;

		ASSERT_GE(fd, 0);
		ASSERT_EQ(0, fchmod(fd, 04777));
		pid = fork();
		ASSERT_GE(pid, 0);
		if (!pid) {
			struct ring r;

			if (early && (setgid(12345) || setuid(12345)))
				_exit(1);
			if (sq_init(&r, variant->backend, 8, 0, 50))
				_exit(2);
			if (!early && (setgid(12345) || setuid(12345)))
				_exit(3);
			prep_write(&r, fd, "abc", 3, 0, 1)->flags =
				k & 4 ? ARING_SQE_ASYNC : 0;
			/* whoever wakes it is not who it works for */
			if (with_call) {
				ring_flush(&r);
				ring_enter(&r, 1, 1, ARING_ENTER_SQ_WAKEUP |
					   ARING_ENTER_GETEVENTS, NULL, 0);
			}
			_exit(sq_run(&r) == 3 ? 0 : 4);
		}
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		CHECK_EQ(0, status, "case %d: step %d", k, WEXITSTATUS(status));
		ASSERT_EQ(0, fstat(fd, &st));
		CHECK_EQ(early ? 0777 : 04777, st.st_mode & 07777, "case %d",
			 k);
		close(fd);
	}
	if (variant->backend == DEVICE)
		chmod(ARING_DEVICE, 0600);
}

TEST_F(life, file_size_limit_is_the_owners)
{
	int status;
	pid_t pid;

	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid) {
		struct rlimit lim = { 4096, RLIM_INFINITY };
		int fd = open("/tmp", O_TMPFILE | O_RDWR, 0600);
		static char b[8192];
		struct ring r;

		signal(SIGXFSZ, SIG_IGN);
		if (setrlimit(RLIMIT_FSIZE, &lim) ||
		    sq_init(&r, variant->backend, 8, 0, 50))
			_exit(1);
		prep_write(&r, fd, b, sizeof(b), 0, 1);
		if (sq_run(&r) != 4096)
			_exit(2);
		prep_write(&r, fd, b, 1, 4096, 2);
		if (sq_run(&r) != -EFBIG)
			_exit(3);
		prep_write(&r, fd, b, 1, 10000, 3)->flags = ARING_SQE_ASYNC;
		if (sq_run(&r) != -EFBIG)
			_exit(4);
		_exit(0);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status) {
		TH_LOG("step %d", WEXITSTATUS(status));
	}
}

/* The memory and the descriptors are those of the owner, who set it up. */
TEST_F(life, a_child_submits_for_its_parent)
{
	int fd = open("/tmp", O_TMPFILE | O_RDWR, 0600), status, p[2];
	char *b = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct ring r;
	pid_t pid;

	ASSERT_EQ(5, pwrite(fd, "hello", 5, 0));
	ASSERT_EQ(0, pipe(p));
	ASSERT_EQ(0, sq_init(&r, variant->backend, 8, 0, 20));
	strcpy(b, "parent");
	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid) {
		int own;

		strcpy(b, "child");
		prep_read(&r, fd, b, 5, 0, 1);
		if (sq_run(&r) != 5)
			_exit(1);
		if (strcmp(b, "child"))
			_exit(2);
		/* the parent does not have it open */
		own = dup2(fd, 500);
		prep_read(&r, own, b, 5, 0, 2);
		if (sq_run(&r) != -EBADF)
			_exit(3);
		/* and what the child closes is open in the parent */
		close(fd);
		prep_read(&r, fd, b + 100, 5, 0, 3);
		if (sq_run(&r) != 5)
			_exit(4);
		_exit(0);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status) {
		TH_LOG("step %d", WEXITSTATUS(status));
	}
	EXPECT_EQ(0, memcmp(b, "hellot", 6));
	EXPECT_EQ(0, memcmp(b + 100, "hello", 6));
	r.tail = *r.sq_tail;
	prep_nop(&r, 4);
	EXPECT_EQ(0, sq_run(&r));
	ring_exit(&r);
	close(fd);
}

TEST_F(life, without_its_owner_the_ring_is_dead)
{
	int up[2], down[2], status, ret = 0;
	char b;
	pid_t pid;

	ASSERT_EQ(0, pipe(up));
	ASSERT_EQ(0, pipe(down));
	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid) {
		struct ring r;

		if (sq_init(&r, variant->backend, 8, 0, 20))
			_exit(1);
		if (fork())
			_exit(0);
		close(down[1]);
		/* until the parent has been waited for */
		if (read(down[0], &b, 1) < 0)
			_exit(1);
		for (int i = 0; i < 2000; i++) {
			ret = ring_enter(&r, 1, 0, ARING_ENTER_SQ_WAKEUP, NULL,
					 0);
			if (ret < 0)
				break;
			usleep(2000);
		}
		if (write(up[1], &ret, sizeof(ret)) < 0)
			_exit(1);
		_exit(0);
	}
	close(up[1]);
	close(down[0]);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	close(down[1]);
	ASSERT_EQ(sizeof(ret), read(up[0], &ret, sizeof(ret)));
	EXPECT_EQ(-EOWNERDEAD, ret);
}

/* --- its end ------------------------------------------------------------- */

/* A ring at work: something waits, something runs, something is offered. */
static int start_work(struct ring *r, enum backend backend, int idle)
{
	static struct __kernel_timespec ts = { .tv_sec = 1000 };
	static char b[8];
	int p[2], tid;

	if (sq_init(r, backend, 64, 0, 1) || pipe(p))
		return -1;
	tid = sq_thread(r);
	prep_read(r, p[0], b, 8, 0, 1);
	prep_timeout(r, &ts, 0, 0, 2);
	prep_read(r, p[0], b, 8, 0, 1)->flags = ARING_SQE_ASYNC;
	sq_offer(r);
	if (!sq_taken(r))
		return -1;
	if (idle)
		return tid;
	for (int i = 0; i < 60; i++)
		prep_nop(r, 3);
	sq_offer(r);
	return tid;
}

TEST_F_TIMEOUT(life, closed_at_any_moment, 60)
{
	int n = test_scale(60, 8);

	for (int i = 0; i < n; i++) {
		struct ring r;
		int tid;

		tid = start_work(&r, variant->backend, i & 1);
		NEED_TRUE(tid > 0, "round %d: thread %d", i, tid);
		if (i & 2) {
			close(r.fd);
			r.fd = -1;
		}
		ring_exit(&r);
		NEED_TRUE(thread_goes(tid), "round %d", i);
	}
}

static void finish(int how)
{
	switch (how) {
	case 0:
		_exit(0);
	case 1:
		kill(getpid(), SIGKILL);
		_exit(1);
	default:
		execl("/bin/true", "true", NULL);
		_exit(1);
	}
}

TEST_F_TIMEOUT(life, exit_kill_and_exec_end_it, 90)
{
	int n = test_scale(60, 8);

	for (int i = 0; i < n; i++) {
		int how = i % 3, tid = 0, up[2], status;
		pid_t pid;

		ASSERT_EQ(0, pipe(up));
		pid = fork();
		ASSERT_GE(pid, 0);
		if (!pid) {
			struct ring r;

			tid = start_work(&r, variant->backend, i & 4);
			if (write(up[1], &tid, sizeof(tid)) < 0 || tid <= 0)
				_exit(1);
			finish(how);
		}
		close(up[1]);
		NEED_EQ(sizeof(tid), read(up[0], &tid, sizeof(tid)),
			"round %d", i);
		close(up[0]);
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		CHECK_EQ(how == 1 ? SIGKILL : 0, status, "round %d", i);
		NEED_TRUE(tid > 0 && thread_goes(tid), "round %d: thread %d", i,
			  tid);
	}
}

TEST_F_TIMEOUT(life, a_full_named_pipe_does_not_keep_it, 60)
{
	const char *path = "/tmp/sqpoll-fifo";
	int up[2], tid = 0, status;
	pid_t pid;

	unlink(path);
	ASSERT_EQ(0, mkfifo(path, 0600));
	ASSERT_EQ(0, pipe(up));
	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid) {
		static char b[1 << 20];
		int fd = open(path, O_RDWR | O_CLOEXEC);
		struct aring_cqe cqe;
		struct ring r;

		if (fd < 0 || sq_init(&r, variant->backend, 8, 0, 60000))
			_exit(1);
		tid = sq_thread(&r);
		/* the first may end with what had room; for the second there is none */
		prep_write(&r, fd, b, sizeof(b), 0, 1);
		prep_write(&r, fd, b, sizeof(b), 0, 2);
		prep_nop(&r, 3);
		sq_offer(&r);
		do {
			if (!sq_arrives(&r, 1) || !ring_reap(&r, &cqe))
				_exit(2);
		} while (cqe.user_data != 3);
		if (write(up[1], &tid, sizeof(tid)) < 0)
			_exit(1);
		pause();
	}
	close(up[1]);
	EXPECT_EQ(sizeof(tid), read(up[0], &tid, sizeof(tid)));
	close(up[0]);
	kill(pid, SIGKILL);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_TRUE(WIFSIGNALED(status));
	EXPECT_TRUE(tid > 0 && thread_goes(tid));
	unlink(path);
}

TEST_F(life, exec_ends_the_thread_of_a_ring_that_stays_open)
{
	int up[2], tid = 0, status;
	pid_t pid;
	char b;

	ASSERT_EQ(0, pipe(up));
	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid) {
		struct ring r;

		tid = start_work(&r, variant->backend, 1);
		if (write(up[1], &tid, sizeof(tid)) < 0)
			_exit(1);
		fcntl(r.fd, F_SETFD, 0);
		fcntl(up[1], F_SETFD, FD_CLOEXEC);
		execl("/bin/sleep", "sleep", "1000", NULL);
		_exit(1);
	}
	close(up[1]);
	ASSERT_EQ(sizeof(tid), read(up[0], &tid, sizeof(tid)));
	ASSERT_GT(tid, 0);
	/* exec has happened */
	EXPECT_EQ(0, read(up[0], &b, 1));
	EXPECT_TRUE(thread_goes(tid));
	EXPECT_EQ(0, waitpid(pid, &status, WNOHANG));
	kill(pid, SIGKILL);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
}

/* --- only io_uring attaches ---------------------------------------------- */

TEST_F(life, attach_wq)
{
	int fd = open("/dev/null", O_RDONLY);
	struct ring a, b = { .fd = -1 };
	struct aring_params p;

	ASSERT_EQ(0, sq_init(&a, variant->backend, 8, 0, 1));
	p = (struct aring_params) {
		.flags = SQPOLL | ATTACH_WQ, .wq_fd = a.fd, .sq_thread_idle = 1,
	};
	if (variant->backend == DEVICE) {
		EXPECT_EQ(-EINVAL, ring_init_params(&b, DEVICE, 8, &p));
		EXPECT_EQ(-EINVAL, try_setup(DEVICE, ATTACH_WQ, 0, a.fd));
		EXPECT_EQ(-EINVAL, try_setup(DEVICE, ATTACH_WQ, 0, -1));
	} else {
		ASSERT_EQ(0, ring_init_params(&b, IO_URING, 8, &p));
		EXPECT_EQ(sq_thread(&a), sq_thread(&b));
		prep_nop(&b, 1);
		EXPECT_EQ(0, sq_run(&b));
		EXPECT_EQ(0, try_setup(IO_URING, ATTACH_WQ, 0, a.fd));
		EXPECT_EQ(-ENXIO, try_setup(IO_URING, ATTACH_WQ, 0, -1));
		EXPECT_EQ(-EINVAL, try_setup(IO_URING, ATTACH_WQ, 0, fd));
	}
	/* the first one works on in any case */
	if (b.fd >= 0)
		ring_exit(&b);
	prep_nop(&a, 1);
	EXPECT_EQ(0, sq_run(&a));
	ring_exit(&a);
	close(fd);
}

TEST_F(life, iopoll)
{
	EXPECT_EQ(variant->backend == DEVICE ? -EINVAL : 0,
		  try_setup(variant->backend, IOPOLL | SQPOLL, 0, 0));
}

/*
 * The thread waits in the middle of an SQE, for whatever its memory waits for. io_uring
 * has a thread of the process there, which is another matter.
 */
TEST_F(life, closing_does_not_wait_for_what_the_thread_is_at)
{
	int fd = open("/tmp", O_TMPFILE | O_RDWR, 0600), p[2], thread;
	struct aring_params params = { .flags = SQPOLL };
	struct absent absent;
	struct ring r;
	__u64 start;

	if (variant->backend != DEVICE)
		SKIP(return, "of the device");
	signal(SIGPIPE, SIG_IGN);
	ASSERT_TRUE(fd >= 0 && !pipe(p) && absent_make(&absent));
	ASSERT_EQ(0, ring_init_params(&r, DEVICE, 8, &params));
	ASSERT_EQ(0, ring_register(&r, ARING_REGISTER_FILES, p, 1));
	close(p[0]);
	thread = sq_thread(&r);
	ASSERT_LT(0, thread);
	prep(&r, ARING_OP_READV, fd, absent.page, 1, 0, 1);
	prep_write(&r, fd, "no", 2, 0, 2);
	sq_offer(&r);
	ASSERT_TRUE(absent_touched(&absent));
	start = now_ns();
	ring_exit(&r);
	EXPECT_LT(now_ns() - start, ms(1000) * test_slow());
	EXPECT_TRUE(thread_exists(thread));
	ASSERT_TRUE(absent_fill(&absent));
	EXPECT_TRUE(thread_goes(thread));
	/* what was behind it is not begun */
	EXPECT_EQ(0, lseek(fd, 0, SEEK_END));
	/* and what was registered is let go */
	for (start = now_ns(); write(p[1], "x", 1) == 1; usleep(1000))
		ASSERT_LT(now_ns() - start, ms(10000) * test_slow());
	EXPECT_EQ(EPIPE, errno);
	absent_end(&absent);
	close(fd);
}

RING_TEST_MAIN
