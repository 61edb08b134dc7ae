// SPDX-License-Identifier: MIT
/*
 * Threads, forks, descriptors and mappings: who may use a ring, and what is
 * left of it when they go, at any moment.
 */
#include "ring.h"
#include "disk.h"
#include "kmsg.h"
#include "module.h"
#include <poll.h>
#include <sys/socket.h>

RING_FIXTURE(life);

/* --- several threads ----------------------------------------------------- */

struct shared {
	struct ring *r;
	pthread_mutex_t lock;
	unsigned long per_thread;
	unsigned long sent[2];
	unsigned long got[2];
	int error;
};

struct submitter {
	struct shared *s;
	int nr;
};

static void *submit_many(void *arg)
{
	struct submitter *me = arg;
	struct shared *s = me->s;
	int zero = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	static char b[2][8];

	while (s->sent[me->nr] < s->per_thread) {
		unsigned long done = s->sent[me->nr];
		int n = 1 + done % 16, ret;

		pthread_mutex_lock(&s->lock);
		for (int i = 0; i < n; i++) {
			__u64 ud = (__u64)me->nr << 32 | (done + i);

			if (i & 1)
				prep_read(s->r, zero, b[me->nr], 8, 0, ud);
			else
				prep_nop(s->r, ud);
		}
		ring_flush(s->r);
		ret = ring_enter(s->r, n, 0, 0, NULL, 0);
		s->sent[me->nr] += n;
		pthread_mutex_unlock(&s->lock);
		if (ret != n)
			s->error = ret ? ret : -1;
	}
	close(zero);
	return NULL;
}

TEST_F_TIMEOUT(life, two_threads_submit_and_one_reaps, 60)
{
	struct shared s = {
		.r = &self->r, .lock = PTHREAD_MUTEX_INITIALIZER,
		.per_thread = test_scale(100000, 5000),
	};
	struct submitter who[2] = { { &s, 0 }, { &s, 1 } };
	unsigned long total;
	struct aring_cqe cqe;
	pthread_t t[2];

	for (int i = 0; i < 2; i++)
		ASSERT_EQ(0, pthread_create(&t[i], NULL, submit_many, &who[i]));
	for (;;) {
		int nr;

		if (!ring_reap(&self->r, &cqe)) {
			bool over = s.sent[0] >= s.per_thread &&
				    s.sent[1] >= s.per_thread;

			if (over && s.got[0] + s.got[1] ==
			    s.sent[0] + s.sent[1])
				break;
			NEED_TRUE(ring_wait_ns(&self->r, 1, over ? ms(5000) *
					       test_slow() : ms(100)) == 0 ||
				  !over, "%lu and %lu of %lu and %lu",
				  s.got[0], s.got[1], s.sent[0], s.sent[1]);
			continue;
		}
		nr = cqe.user_data >> 32;
		ASSERT_LE(nr, 1);
		/* what runs at once completes in the order of submission */
		NEED_EQ((__u32)s.got[nr], (__u32)cqe.user_data,
			"order, thread %d", nr);
		s.got[nr]++;
		ASSERT_TRUE(cqe.res == 0 || cqe.res == 8);
	}
	for (int i = 0; i < 2; i++)
		pthread_join(t[i], NULL);
	EXPECT_EQ(0, s.error);
	total = s.sent[0] + s.sent[1];
	EXPECT_EQ(total, s.got[0] + s.got[1]);
	EXPECT_EQ(0, ring_ready(&self->r));
}

/* --- fork ---------------------------------------------------------------- */

TEST_F(life, a_child_submits_with_its_own_memory)
{
	int fd = open("/tmp", O_TMPFILE | O_RDWR, 0600), status;
	char *b = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	pid_t pid;

	ASSERT_EQ(5, pwrite(fd, "hello", 5, 0));
	strcpy(b, "parent");
	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid) {
		strcpy(b, "child");
		for (int k = 0; k < 2; k++) {
			memset(b, 'c', 8);
			prep_read(&self->r, fd, b, 5, 0, k)->flags =
				k ? ARING_SQE_ASYNC : 0;
			if (ring_run(&self->r) != 5)
				_exit(1);
			if (memcmp(b, "helloccc", 8))
				_exit(2);
		}
		_exit(0);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, WEXITSTATUS(status));
	EXPECT_STREQ("parent", b);
	/* the parent goes on where the child left the indices */
	self->r.tail = *self->r.sq_tail;
	prep_nop(&self->r, 7);
	EXPECT_EQ(0, ring_run(&self->r));
}

TEST_F(life, a_childs_exit_leaves_the_parents_requests_alone)
{
	struct aring_cqe cqe;
	int s[2], status;
	char b[8] = "";
	pid_t pid;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	prep_read(&self->r, s[0], b, 8, 0, 1);
	ASSERT_EQ(1, ring_submit(&self->r));
	for (int k = 0; k < 3; k++) {
		pid = fork();
		ASSERT_GE(pid, 0);
		if (!pid) {
			if (k == 1)
				ring_exit(&self->r);
			if (k == 2)
				kill(getpid(), SIGKILL);
			_exit(0);
		}
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		CHECK_TRUE(ring_quiet(&self->r, 10), "case %d", k);
	}
	ASSERT_EQ(3, write(s[1], "abc", 3));
	ASSERT_EQ(0, ring_cqe(&self->r, &cqe));
	EXPECT_EQ(3, cqe.res);
	EXPECT_STREQ("abc", b);
}

TEST_F(life, a_duplicate_is_the_same_ring)
{
	struct ring copy = self->r;

	copy.fd = dup(self->r.fd);
	ASSERT_GE(copy.fd, 0);
	close(self->r.fd);
	self->r.fd = copy.fd;
	prep_nop(&copy, 1);
	EXPECT_EQ(0, ring_run(&copy));
}

/* Is a write to @fd told that nobody can read it any more? */
static bool readers_go(int fd)
{
	__u64 end = now_ns() + ms(10000) * test_slow();
	struct pollfd p = { .fd = fd, .events = 0 };

	while (now_ns() < end) {
		if (poll(&p, 1, 100) > 0 && (p.revents & POLLERR))
			return true;
	}
	return false;
}

static bool prep_held_pipe(struct ring *r, int *wr, __u8 flags)
{
	static char b[8];
	int p[2];

	if (pipe2(p, O_CLOEXEC))
		return false;
	prep_read(r, p[0], b, 8, 0, 1)->flags = flags;
	if (ring_submit(r) != 1)
		return false;
	close(p[0]);
	*wr = p[1];
	return true;
}

TEST_F(life, closing_drops_what_is_in_flight)
{
	struct __kernel_timespec ts = to_ts(ms(100000));
	int wr[2];

	ASSERT_TRUE(prep_held_pipe(&self->r, &wr[0], 0));
	ASSERT_TRUE(prep_held_pipe(&self->r, &wr[1], ARING_SQE_ASYNC));
	prep_timeout(&self->r, &ts, 0, 0, 1);
	prep_timeout(&self->r, &ts, 5, 0, 2);
	ASSERT_EQ(2, ring_submit(&self->r));
	EXPECT_FALSE(poll(&(struct pollfd) { .fd = wr[0] }, 1, 10));
	ring_exit(&self->r);
	EXPECT_TRUE(readers_go(wr[0]));
	EXPECT_TRUE(readers_go(wr[1]));
}

/* --- exec: the second life of this program ------------------------------- */

static void __attribute__((constructor)) after_exec(void)
{
	const char *s = getenv("RING_AFTER_EXEC");
	struct ring r = { .backend = DEVICE };
	const char *p;

	if (!s)
		return;
	r.fd = atoi(s);
	p = strchr(s, ':');
	if (p && p[1] == 'u')
		r.backend = IO_URING;
	/* no mapping came along: of the device nothing can be submitted */
	if (r.backend == DEVICE) {
		if (ring_enter(&r, 1, 0, 0, NULL, 0) != -EBADFD)
			_exit(40);
	}
	/* the sizes are those that the first life asked for */
	r.p = (struct aring_params) { 0 };
	r.p.sq_entries = 64;
	r.p.cq_entries = 128;
	p = strchr(p + 1, ':');
	if (sscanf(p, ":%u:%u:%u:%u:%u:%u:%u:%u", &r.p.sq_off.head,
		   &r.p.sq_off.tail, &r.p.sq_off.flags, &r.p.sq_off.dropped,
		   &r.p.sq_off.array, &r.p.cq_off.head, &r.p.cq_off.tail,
		   &r.p.cq_off.cqes) != 8)
		_exit(41);
	if (ring_map(&r))
		_exit(42);
	r.tail = *r.sq_tail;
	/* the read that waited before is over */
	{
		struct aring_cqe cqe;

		if (ring_cqe(&r, &cqe))
			_exit(43);
		if (cqe.res != -ECANCELED)
			_exit(44);
	}
	prep_nop(&r, 7);
	_exit(ring_run(&r) ? 45 : 0);
}

TEST_F(life, a_ring_lives_through_exec)
{
	struct aring_params *p = &self->r.p;
	char env[256];
	int status, wr;
	pid_t pid;

	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid) {
		struct ring *r = &self->r;

		/* a ring of its own, that nobody else has mapped */
		if (ring_init(r, variant->backend, 64, 0) ||
		    !prep_held_pipe(r, &wr, 0))
			_exit(1);
		fcntl(r->fd, F_SETFD, 0);
		snprintf(env, sizeof(env),
			 "RING_AFTER_EXEC=%d:%c:%u:%u:%u:%u:%u:%u:%u:%u", r->fd,
			 variant->backend == DEVICE ? 'd' : 'u',
			 p->sq_off.head, p->sq_off.tail, p->sq_off.flags,
			 p->sq_off.dropped, p->sq_off.array, p->cq_off.head,
			 p->cq_off.tail, p->cq_off.cqes);
		execle("/proc/self/exe", "life", NULL, (char *[]) { env, NULL });
		_exit(2);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status) {
		TH_LOG("step %d", WEXITSTATUS(status));
	}
}

TEST_F(life, close_on_exec_drops_what_is_in_flight)
{
	int s[2], status;
	pid_t pid;
	char b;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid) {
		static char buf[8];

		close(s[0]);
		fcntl(s[1], F_SETFD, FD_CLOEXEC);
		if (ring_init(&self->r, variant->backend, 8, 0))
			_exit(1);
		prep_read(&self->r, s[1], buf, 8, 0, 1);
		if (ring_submit(&self->r) != 1)
			_exit(1);
		execl("/bin/sleep", "sleep", "1000", NULL);
		_exit(2);
	}
	close(s[1]);
	/* the end of the file comes when the ring lets the socket go */
	EXPECT_EQ(0, read(s[0], &b, 1));
	EXPECT_EQ(0, waitpid(pid, &status, WNOHANG));
	kill(pid, SIGKILL);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
}

/* --- what only the device does ------------------------------------------- */

FIXTURE(device) {
	struct ring r;
	long refcnt;
};

FIXTURE_VARIANT(device) { int unused; };

FIXTURE_VARIANT_ADD(device, device) { .unused = 0 };
FIXTURE_SETUP(device)
{
	/* what the last test left behind may still be on its way */
	usleep(50000);
	self->refcnt = module_refcnt_at_start();
	ASSERT_GE(self->refcnt, 0);
	ASSERT_EQ(0, ring_init(&self->r, DEVICE, 64, 0));
}

FIXTURE_TEARDOWN(device)
{
	ring_exit(&self->r);
}

TEST_F(device, what_a_child_submitted_ends_with_it)
{
	struct aring_cqe cqe;
	int s[2], status;
	pid_t pid;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	for (int k = 0; k < 2; k++) {
		pid = fork();
		ASSERT_GE(pid, 0);
		if (!pid) {
			static char b[8];

			prep_read(&self->r, s[0], b, 8, 0, 5);
			if (ring_submit(&self->r) != 1)
				_exit(1);
			if (k)
				kill(getpid(), SIGKILL);
			_exit(0);
		}
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		ASSERT_TRUE(WIFSIGNALED(status) || !WEXITSTATUS(status));
		NEED_EQ(0, ring_cqe(&self->r, &cqe), "case %d", k);
		EXPECT_EQ(5, cqe.user_data);
		CHECK_EQ(-ECANCELED, cqe.res, "case %d", k);
		self->r.tail = *self->r.sq_tail;
	}
	/* it took nothing of what comes later */
	ASSERT_EQ(3, write(s[1], "abc", 3));
	EXPECT_TRUE(ring_quiet(&self->r, 10));
}

static void *submit_and_exit(void *arg)
{
	ring_submit(arg);
	return NULL;
}

TEST_F(device, a_threads_exit_leaves_its_requests)
{
	struct aring_cqe cqe;
	pthread_t t;
	int s[2];

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	for (int k = 0; k < 2; k++) {
		char b[8] = "";

		prep_read(&self->r, s[0], b, 8, 0, 1)->flags =
			k ? ARING_SQE_ASYNC : 0;
		ASSERT_EQ(0, pthread_create(&t, NULL, submit_and_exit,
					    &self->r));
		pthread_join(t, NULL);
		EXPECT_TRUE(ring_quiet(&self->r, 20));
		ASSERT_EQ(3, write(s[1], "abc", 3));
		ASSERT_EQ(0, ring_cqe(&self->r, &cqe));
		EXPECT_EQ(3, cqe.res);
		EXPECT_STREQ("abc", b);
	}
}

TEST_F(device, the_last_unmapping_cancels)
{
	struct ring *r = &self->r;
	struct aring_cqe cqe;
	int wr[2];

	for (int round = 0; round < 3; round++) {
		ASSERT_TRUE(prep_held_pipe(r, &wr[0], 0));
		ASSERT_TRUE(prep_held_pipe(r, &wr[1], ARING_SQE_ASYNC));
		/* one mapping is enough to go on */
		ASSERT_EQ(0, munmap(r->sqes, r->sqes_len));
		r->sqes = NULL;
		EXPECT_TRUE(ring_quiet(r, 20));
		EXPECT_FALSE(poll(&(struct pollfd) { .fd = wr[0] }, 1, 0));
		ring_unmap(r);
		EXPECT_TRUE(readers_go(wr[0]));
		EXPECT_TRUE(readers_go(wr[1]));
		/* unmapped, it takes nothing */
		EXPECT_EQ(-EBADFD, ring_enter(r, 1, 0, 0, NULL, 0));
		ASSERT_EQ(0, ring_map(r));
		for (int i = 0; i < 2; i++) {
			ASSERT_EQ(0, ring_cqe(r, &cqe));
			CHECK_EQ(-ECANCELED, cqe.res, "round %d", round);
		}
		prep_nop(r, 7);
		CHECK_EQ(0, ring_run(r), "round %d", round);
		close(wr[0]);
		close(wr[1]);
	}
}

TEST_F(device, closed_but_mapped_it_lives_until_unmapped)
{
	int wr;

	ASSERT_TRUE(prep_held_pipe(&self->r, &wr, 0));
	close(self->r.fd);
	self->r.fd = -1;
	EXPECT_GT(module_refcnt(), self->refcnt);
	ring_unmap(&self->r);
	EXPECT_TRUE(readers_go(wr));
	EXPECT_EQ(self->refcnt, module_refcnt_wait(self->refcnt));
}

TEST_F(device, part_of_a_mapping_may_go)
{
	struct ring r;
	char *p;

	ASSERT_EQ(0, ring_init(&r, DEVICE, 4096, 0));
	p = (char *)r.sqes;
	/* a hole in the SQEs: splits the mapping, and frees nothing */
	ASSERT_EQ(0, munmap(p + 8192, 4096));
	prep_nop(&r, 1);
	EXPECT_EQ(0, ring_run(&r));
	ASSERT_EQ(0, munmap(p, 8192));
	ASSERT_EQ(0, munmap(p + 12288, r.sqes_len - 12288));
	r.sqes = NULL;
	ring_exit(&r);
	ring_exit(&self->r);
	EXPECT_EQ(self->refcnt, module_refcnt_wait(self->refcnt));
}

static int send_fd(int sock, int fd)
{
	union {
		char buf[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} u;
	struct iovec v = { "x", 1 };
	struct msghdr m = {
		.msg_iov = &v, .msg_iovlen = 1,
		.msg_control = u.buf, .msg_controllen = sizeof(u.buf),
	};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(int));
	return sendmsg(sock, &m, 0) == 1 ? 0 : -errno;
}

static int recv_fd(int sock)
{
	union {
		char buf[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} u;
	char b;
	struct iovec v = { &b, 1 };
	struct msghdr m = {
		.msg_iov = &v, .msg_iovlen = 1,
		.msg_control = u.buf, .msg_controllen = sizeof(u.buf),
	};
	struct cmsghdr *c;
	int fd = -1;

	if (recvmsg(sock, &m, 0) != 1)
		return -errno;
	c = CMSG_FIRSTHDR(&m);
	if (c && c->cmsg_type == SCM_RIGHTS)
		memcpy(&fd, CMSG_DATA(c), sizeof(int));
	return fd;
}

TEST_F(device, another_process_is_given_the_ring)
{
	struct aring_params p = self->r.p;
	int s[2], status;
	pid_t pid;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid) {
		struct ring r = { .backend = DEVICE };

		/* not the inherited one: as if it had nothing */
		ring_exit(&self->r);
		r.fd = recv_fd(s[1]);
		if (r.fd < 0)
			_exit(1);
		r.p = p;
		if (ring_enter(&r, 1, 0, 0, NULL, 0) == 1)
			_exit(2);
		if (ring_map(&r))
			_exit(3);
		r.tail = *r.sq_tail;
		prep_nop(&r, 1);
		_exit(ring_run(&r) ? 4 : 0);
	}
	ASSERT_EQ(0, send_fd(s[0], self->r.fd));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status) {
		TH_LOG("step %d", WEXITSTATUS(status));
	}
	self->r.tail = *self->r.sq_tail;
	prep_nop(&self->r, 2);
	EXPECT_EQ(0, ring_run(&self->r));
}

TEST_F(device, sent_to_itself_and_dropped_nothing_is_left)
{
	ring_exit(&self->r);
	for (int k = 0; k < 4; k++) {
		struct ring r;
		char b[8];
		int s[2];

		ASSERT_EQ(0, ring_init(&r, DEVICE, 8, 0));
		ASSERT_EQ(0, socketpair(AF_UNIX, k & 1 ? SOCK_STREAM :
					SOCK_DGRAM, 0, s));
		/* the ring holds the socket in whose queue it lies */
		prep_read(&r, s[1], b, 8, 0, 1);
		prep_read(&r, s[0], b, 8, 0, 2);
		if (k < 2)
			ASSERT_EQ(2, ring_submit(&r));
		ASSERT_EQ(0, send_fd(s[0], r.fd));
		if (k >= 2)
			ring_submit(&r);
		close(s[0]);
		close(s[1]);
		ring_exit(&r);
		CHECK_EQ(self->refcnt, module_refcnt_wait(self->refcnt),
			 "case %d", k);
	}
}

TEST_F_TIMEOUT(device, killed_at_any_moment_nothing_is_left, 120)
{
	int n = test_scale(150, 15), nullb = open(NULLB, O_RDONLY | O_DIRECT |
						  O_CLOEXEC);
	unsigned int seed = 12345;

	ring_exit(&self->r);
	ASSERT_GE(nullb, 0);
	for (int i = 0; i < n; i++) {
		__u64 start;
		int status;
		pid_t pid;

		pid = fork();
		ASSERT_GE(pid, 0);
		if (!pid) {
			static char b[64][4096] __attribute__((aligned(4096)));
			struct __kernel_timespec ts = to_ts(ms(1 + i % 7));
			struct aring_cqe cqe;
			struct ring r;
			int p[2], fd;

			fd = open("/tmp", O_TMPFILE | O_RDWR, 0600);
			if (pipe(p) || pwrite(fd, b, sizeof(b), 0) < 0 ||
			    ring_init(&r, DEVICE, 64, 0))
				_exit(1);
			for (;;) {
				for (int k = 0; k < 10; k++) {
					prep_read(&r, nullb, b[k], 4096,
						  k * 4096, 1);
					prep_read(&r, fd, b[10 + k], 4096, 0,
						  2)->flags = ARING_SQE_ASYNC;
					prep_read(&r, p[0], b[20 + k], 1, 0, 3);
					prep_timeout(&r, &ts, k & 3, 0, 4);
					prep_write(&r, p[1], b[k], 1, 0, 5);
					prep_cancel(&r, 3, 0, 6);
				}
				ring_enter(&r, ring_flush(&r), i & 1 ? 20 : 0,
					   ARING_ENTER_GETEVENTS, NULL, 0);
				while (ring_reap(&r, &cqe))
					;
			}
		}
		seed = seed * 1103515245 + 12345;
		usleep((seed >> 16) % 20000);
		kill(pid, SIGKILL);
		start = now_ns();
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		CHECK_LE(now_ns() - start, ms(5000) * test_slow(), "round %d",
			 i);
		NEED_TRUE(WIFSIGNALED(status), "round %d: exit status %d", i,
			  WEXITSTATUS(status));
	}
	EXPECT_EQ(self->refcnt, module_refcnt_wait(self->refcnt));
}

TEST_F_TIMEOUT(device, opened_and_closed_in_flight_many_times, 90)
{
	int n = test_scale(300, 30), nullb = open(NULLB, O_RDONLY | O_DIRECT);
	static char b[16][4096] __attribute__((aligned(4096)));
	struct __kernel_timespec ts = to_ts(ms(1));

	ring_exit(&self->r);
	for (int i = 0; i < n; i++) {
		struct ring r;
		int p[2];

		NEED_EQ(0, ring_init(&r, DEVICE, 64, 0), "round %d", i);
		ASSERT_EQ(0, pipe(p));
		for (int k = 0; k < 8; k++) {
			prep_read(&r, nullb, b[k], 4096, 0, 1);
			prep_read(&r, p[0], b[8], 1, 0, 2)->flags =
				k & 1 ? ARING_SQE_ASYNC : 0;
			prep_timeout(&r, &ts, 0, 0, 3);
		}
		ASSERT_EQ(24, ring_submit(&r));
		if (i & 1)
			ASSERT_EQ(4, write(p[1], "abcd", 4));
		close(p[0]);
		close(p[1]);
		ring_exit(&r);
	}
	EXPECT_EQ(self->refcnt, module_refcnt_wait(self->refcnt));
}

TEST_F_TIMEOUT(device, unloading_is_refused_while_open_and_clean_after, 60)
{
	const char *path = module_path();
	int wr, ko, log = kmsg_mark();
	struct ring r;

	if (!path)
		SKIP(return, "no aring.ko to load again: set ARING_KO");
	/* open, mapped, in flight: each of them holds it */
	ASSERT_TRUE(prep_held_pipe(&self->r, &wr, 0));
	EXPECT_EQ(-1, syscall(SYS_delete_module, "aring", O_NONBLOCK));
	EXPECT_EQ(EWOULDBLOCK, errno);
	close(self->r.fd);
	self->r.fd = -1;
	EXPECT_EQ(-1, syscall(SYS_delete_module, "aring", O_NONBLOCK));
	EXPECT_EQ(EWOULDBLOCK, errno);
	ring_exit(&self->r);
	ASSERT_EQ(0, module_refcnt_wait(0));
	ko = open(path, O_RDONLY | O_CLOEXEC);
	ASSERT_GE(ko, 0);
	for (int i = 0; i < 3; i++) {
		NEED_EQ(0, syscall(SYS_delete_module, "aring", O_NONBLOCK),
			"round %d, errno %d", i, errno);
		EXPECT_EQ(-1, access("/sys/module/aring", F_OK));
		EXPECT_EQ(-1, open(ARING_DEVICE, O_RDWR));
		NEED_EQ(0, syscall(SYS_finit_module, ko, "", 0),
			"round %d, errno %d", i, errno);
		/* devtmpfs makes the node */
		for (int k = 0; k < 500 && access(ARING_DEVICE, R_OK); k++)
			usleep(10000);
		NEED_EQ(0, ring_init(&r, DEVICE, 8, 0), "round %d", i);
		prep_nop(&r, 1);
		EXPECT_EQ(0, ring_run(&r));
		ring_exit(&r);
		EXPECT_EQ(0, module_refcnt_wait(0));
	}
	close(log);
}

RING_TEST_MAIN
