// SPDX-License-Identifier: MIT
/*
 * Registered buffers in use: memory that goes away or changes owner, buffers that
 * are replaced and unregistered under requests, tags, and what pinned memory
 * counts for.
 */
#include "resources.h"
#include "disk.h"
#include <sys/resource.h>

#define BUFFERS2	ARING_REGISTER_BUFFERS2
#define UPDATE		ARING_REGISTER_BUFFERS_UPDATE
#define RD		ARING_OP_READ_FIXED
#define WR		ARING_OP_WRITE_FIXED
#define PAGE		4096UL

RING_FIXTURE(buffers_life);

static int update_one(struct ring *r, unsigned int slot, const void *p,
		      size_t len)
{
	struct iovec v = { (void *)p, len };

	return update_rsrc(r, UPDATE, slot, &v, NULL, 1);
}

/* A READ_FIXED of @len bytes that waits at pipe @fd. */
static bool waiting_read(struct ring *r, int fd, void *p, size_t len, int slot)
{
	prep_fixed(r, RD, fd, p, len, 0, slot);
	return ring_submit(r) == 1 && ring_quiet(r, 30 * test_slow());
}

/* --- the pages are what is registered, not the addresses ----------------- */

TEST_F(buffers_life, unmapped_memory_stays)
{
	int mem = memfd_create("buffers", MFD_CLOEXEC), p[2];
	struct ring *r = &self->r;
	char *b, *again = NULL, in[8] = "";

	ASSERT_EQ(0, ftruncate(mem, PAGE));
	b = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, mem, 0);
	ASSERT_NE(MAP_FAILED, b);
	ASSERT_EQ(0, pipe2(p, O_CLOEXEC));
	ASSERT_EQ(0, reg_one(r, b, PAGE));
	for (int k = 0; k < 2; k++) {
		if (!k) {
			ASSERT_EQ(0, munmap(b, PAGE));
		} else {
			/* something else at the same address */
			again = mmap(b, PAGE, PROT_READ | PROT_WRITE,
				     MAP_PRIVATE | MAP_ANONYMOUS |
				     MAP_FIXED_NOREPLACE, -1, 0);
			ASSERT_EQ(b, again);
		}
		ASSERT_EQ(4, write(p[1], k ? "efgh" : "abcd", 4));
		EXPECT_EQ(4, run_fixed(r, RD, p[0], b + 100, 8, 0, 0));
		ASSERT_EQ(4, pread(mem, in, 4, 100));
		EXPECT_STREQ(k ? "efgh" : "abcd", in);
		EXPECT_EQ(4, run_fixed(r, WR, p[1], b + 100, 4, 0, 0));
		memset(in, 0, 8);
		ASSERT_EQ(4, read(p[0], in, 8));
		EXPECT_STREQ(k ? "efgh" : "abcd", in);
	}
	EXPECT_EQ(0, again[100]);
	/* registered again, the address means what it means now */
	ASSERT_EQ(0, unreg_buffers(r));
	ASSERT_EQ(0, reg_one(r, b, PAGE));
	ASSERT_EQ(4, write(p[1], "ijkl", 4));
	EXPECT_EQ(4, run_fixed(r, RD, p[0], b, 8, 0, 0));
	EXPECT_EQ(0, memcmp(again, "ijkl", 4));
}

TEST_F(buffers_life, protection_is_that_at_registration)
{
	int zero = open("/dev/zero", O_RDWR);
	char *p = page_alloc(PAGE);

	ASSERT_EQ(0, reg_one(&self->r, p, PAGE));
	p[0] = 1;
	ASSERT_EQ(0, mprotect(p, PAGE, PROT_READ));
	EXPECT_EQ(8, run_fixed(&self->r, RD, zero, p, 8, 0, 0));
	EXPECT_EQ(0, p[0]);
}

TEST_F(buffers_life, after_a_fork_the_pages_are_the_parents)
{
	int zero = open("/dev/zero", O_RDWR), status, p[2];
	char *b = page_alloc(PAGE);
	struct ring *r = &self->r;
	char in[8] = "";
	pid_t pid;

	ASSERT_EQ(0, pipe2(p, O_CLOEXEC));
	memset(b, 'p', PAGE);
	ASSERT_EQ(0, reg_one(r, b, PAGE));
	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid) {
		/* the child has its own copy, which the ring knows nothing of */
		memset(b, 'c', PAGE);
		if (run_fixed(r, WR, p[1], b, 4, 0, 0) != 4)
			_exit(1);
		if (run_fixed(r, RD, zero, b, 8, 0, 0) != 8)
			_exit(2);
		_exit(b[0] == 'c' ? 0 : 3);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	ASSERT_EQ(4, read(p[0], in, 8));
	EXPECT_STREQ("pppp", in);
	EXPECT_EQ(0, b[0]);
	EXPECT_EQ('p', b[8]);
	/* and still after both have written */
	r->tail = *r->sq_tail;
	memset(b, 'q', PAGE);
	EXPECT_EQ(8, run_fixed(r, RD, zero, b, 8, 0, 0));
	EXPECT_EQ(0, b[0]);
	EXPECT_EQ('q', b[8]);
}

/* --- replaced and unregistered in use ------------------------------------ */

TEST_F_TIMEOUT(buffers_life, a_buffer_is_replaced_under_a_read, 60)
{
	struct ring *r = &self->r;
	char *a = page_alloc(2 * PAGE), *b = a + PAGE;
	struct iovec v = { a, PAGE };
	struct aring_cqe cqe;
	__u64 tag = 1;
	int p[2], q[2];

	ASSERT_TRUE(pipe2(p, O_CLOEXEC) == 0 && pipe2(q, O_CLOEXEC) == 0);
	for (int k = 0; k < 2; k++) {
		ASSERT_EQ(0, reg_rsrc(r, BUFFERS2, &v, &tag, 1, 0));
		memset(a, 0, 2 * PAGE);
		ASSERT_TRUE(waiting_read(r, p[0], a, 8, 0));
		ASSERT_EQ(1, k ? update_one(r, 0, NULL, 0) :
			  update_one(r, 0, b, PAGE));
		EXPECT_EQ(-EFAULT, run_fixed(r, RD, q[0], a, 8, 0, 0));
		ASSERT_EQ(1, write(q[1], "n", 1));
		EXPECT_EQ(k ? -EFAULT : 1, run_fixed(r, RD, q[0], b, 8, 0, 0));
		EXPECT_EQ(k ? 0 : 'n', b[0]);
		CHECK_TRUE(ring_quiet(r, 1300), "case %d", k);
		ASSERT_EQ(3, write(p[1], "old", 3));
		ASSERT_EQ(0, ring_cqe(r, &cqe));
		EXPECT_EQ(0xf1ed, cqe.user_data);
		EXPECT_EQ(3, cqe.res);
		EXPECT_STREQ("old", a);
		EXPECT_TRUE(tags_come(r, 1));
		ASSERT_EQ(0, unreg_buffers(r));
	}
}

/* Many transfers by the device while their buffer changes under them. */
TEST_F_TIMEOUT(buffers_life, buffers_are_replaced_under_direct_reads, 90)
{
	enum { N = 8, LEN = 65536 };
	int fd = open(NULLB, O_RDWR | O_DIRECT | O_CLOEXEC);
	unsigned long rounds = test_scale(100, 20);
	char *buf[2] = { page_alloc(N * LEN), page_alloc(N * LEN) };
	struct ring *r = &self->r;
	struct aring_cqe cqe;

	ASSERT_TRUE(fd >= 0 && buf[0] && buf[1]);
	pattern_fill(buf[0], N * LEN, 0, 3);
	ASSERT_EQ(N * LEN, pwrite(fd, buf[0], N * LEN, 0));
	ASSERT_EQ(0, reg_one(r, buf[0], N * LEN));
	for (unsigned long k = 0; k < rounds; k++) {
		char *now = buf[k & 1], *next = buf[!(k & 1)];

		memset(now, 0, N * LEN);
		memset(next, 0, N * LEN);
		for (int i = 0; i < N; i++)
			prep_fixed(r, RD, fd, now + i * LEN, LEN, i * LEN, 0);
		ASSERT_EQ(N, ring_submit(r));
		ASSERT_EQ(1, update_one(r, 0, next, N * LEN));
		for (int i = 0; i < N; i++) {
			ASSERT_EQ(0, ring_cqe(r, &cqe));
			ASSERT_EQ(LEN, cqe.res);
		}
		NEED_EQ(-1, pattern_check(now, N * LEN, 0, 3), "round %lu", k);
		ASSERT_EQ(0, next[0] | next[N * LEN - 1]);
	}
}

struct changer {
	struct ring *r;
	char *buf;
	unsigned long done;
	bool stop;
	int error;
};

static void *change_slot(void *arg)
{
	struct changer *c = arg;

	while (!__atomic_load_n(&c->stop, __ATOMIC_ACQUIRE)) {
		bool none = c->done % 3 == 2;
		int ret = update_one(c->r, 0, none ? NULL : c->buf,
				     none ? 0 : (1 + c->done % 3) * PAGE);

		if (ret != 1)
			c->error = ret;
		__atomic_store_n(&c->done, c->done + 1, __ATOMIC_RELEASE);
	}
	return NULL;
}

TEST_F_TIMEOUT(buffers_life, a_slot_changes_while_it_is_looked_up, 60)
{
	unsigned long least = test_scale(2000, 100), full = 0, empty = 0;
	struct changer c = { .r = &self->r, .buf = page_alloc(2 * PAGE) };
	int zero = open("/dev/zero", O_RDWR | O_CLOEXEC);
	struct aring_cqe cqe;
	pthread_t t;

	ASSERT_TRUE(zero >= 0 && c.buf);
	ASSERT_EQ(0, reg_one(&self->r, c.buf, PAGE));
	ASSERT_EQ(0, pthread_create(&t, NULL, change_slot, &c));
	while (__atomic_load_n(&c.done, __ATOMIC_ACQUIRE) < least || !full ||
	       !empty) {
		for (int i = 0; i < 16; i++)
			prep_fixed(&self->r, RD, zero, c.buf, 8, 0, 0);
		ASSERT_EQ(16, ring_submit(&self->r));
		ASSERT_EQ(0, ring_wait(&self->r, 16));
		while (ring_reap(&self->r, &cqe)) {
			ASSERT_TRUE(cqe.res == 8 || cqe.res == -EFAULT);
			full += cqe.res == 8;
			empty += cqe.res == -EFAULT;
		}
	}
	__atomic_store_n(&c.stop, true, __ATOMIC_RELEASE);
	pthread_join(t, NULL);
	EXPECT_EQ(0, c.error);
	EXPECT_EQ(0, unreg_buffers(&self->r));
}

TEST_F(buffers_life, a_ring_goes_with_transfers_under_way)
{
	enum { N = 16, LEN = 65536 };
	int fd = open(NULLB, O_RDWR | O_DIRECT | O_CLOEXEC), p[2];
	char *buf = page_alloc(N * LEN);

	ASSERT_TRUE(fd >= 0 && buf);
	ASSERT_EQ(0, pipe2(p, O_CLOEXEC));
	for (unsigned long k = 0; k < test_scale(30, 5); k++) {
		struct ring r;

		ASSERT_EQ(0, ring_init(&r, variant->backend, 64, 0));
		ASSERT_EQ(0, reg_one(&r, buf, N * LEN));
		for (int i = 0; i < N; i++)
			prep_fixed(&r, RD, fd, buf + i * LEN, LEN, i * LEN, 0);
		prep_fixed(&r, RD, p[0], buf, 8, 0, 0);
		ASSERT_EQ(N + 1, ring_submit(&r));
		ring_exit(&r);
	}
}

TEST_F(buffers_life, unregister_waits_for_what_uses_the_table)
{
	struct ring *r = &self->r;
	char *b = page_alloc(PAGE);
	struct aring_cqe cqe;
	struct call c;
	int p[2];

	ASSERT_EQ(0, pipe2(p, O_CLOEXEC));
	ASSERT_EQ(0, reg_one(r, b, PAGE));
	ASSERT_TRUE(waiting_read(r, p[0], b, 8, 0));
	ASSERT_EQ(0, call_start(&c, r, ARING_UNREGISTER_BUFFERS));
	usleep(200000);
	EXPECT_FALSE(call_over(&c));
	EXPECT_EQ(-EFAULT, run_fixed(r, WR, p[1], b, 4, 0, 0));
	EXPECT_EQ(-EBUSY, reg_one(r, b, PAGE));
	EXPECT_EQ(-EINVAL, update_one(r, 0, b, PAGE));
	EXPECT_EQ(-ENXIO, unreg_buffers(r));
	ASSERT_EQ(2, write(p[1], "ab", 2));
	ASSERT_EQ(0, ring_cqe(r, &cqe));
	EXPECT_EQ(2, cqe.res);
	EXPECT_STREQ("ab", b);
	EXPECT_EQ(0, call_result(&c));
	EXPECT_EQ(-ENXIO, unreg_buffers(r));
	EXPECT_EQ(0, reg_one(r, b, PAGE));
}

/* --- tags ---------------------------------------------------------------- */

TEST_F_TIMEOUT(buffers_life, tags, 60)
{
	static const __u64 tags[4] = { 1, 2, 0, 3 };
	char *p = page_alloc(PAGE);
	struct iovec v[4] = {
		{ p, PAGE }, { p, PAGE }, { p, PAGE }, { p, PAGE },
	};
	static const struct iovec none[4];
	struct ring *r = &self->r;

	ASSERT_EQ(0, reg_rsrc(r, BUFFERS2, v, tags, 4, 0));
	ASSERT_EQ(4, update_rsrc(r, UPDATE, 0, v, (__u64[]) { 2, 0, 1, 3 }, 4));
	EXPECT_TRUE(tags_come(r, 3));
	ASSERT_EQ(4, update_rsrc(r, UPDATE, 0, none, NULL, 4));
	EXPECT_TRUE(tags_come(r, 3));
	/* an empty slot has nothing to say when it is filled */
	ASSERT_EQ(4, update_rsrc(r, UPDATE, 0, v, tags, 4));
	EXPECT_TRUE(ring_quiet(r, 1200));
	/* unregistering posts none, as on Linux 6.1 */
	ASSERT_EQ(0, unreg_buffers(r));
	EXPECT_TRUE(ring_quiet(r, 1200));
}

/* --- what it counts for -------------------------------------------------- */

static long status_kib(const char *name)
{
	FILE *f = fopen("/proc/self/status", "r");
	char line[256];
	long v = -1;

	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, name, strlen(name)))
			v = atol(line + strlen(name));
	if (f)
		fclose(f);
	return v;
}

TEST_F(buffers_life, pinned_pages_are_shown)
{
	long before = status_kib("VmPin:"), locked = status_kib("VmLck:");
	char *p = page_alloc(8 * PAGE);
	struct iovec v[2] = { { p + 1, 4 * PAGE }, { p, 8 * PAGE } };
	struct ring *r = &self->r;
	__u64 end = now_ns() + let_go_ns();

	ASSERT_GE(before, 0);
	/* keep them apart, so that each is a page of its own */
	madvise(p, 8 * PAGE, MADV_NOHUGEPAGE);
	ASSERT_EQ(0, reg_buffers(r, v, 2));
	/* five pages and eight, whoever pinned them before */
	EXPECT_EQ(before + 13 * 4, status_kib("VmPin:"));
	EXPECT_EQ(locked, status_kib("VmLck:"));
	ASSERT_EQ(1, update_one(r, 1, p, PAGE));
	while (status_kib("VmPin:") != before + 6 * 4 && now_ns() < end)
		usleep(1000);
	EXPECT_EQ(before + 6 * 4, status_kib("VmPin:"));
	ASSERT_EQ(0, unreg_buffers(r));
	EXPECT_EQ(before, status_kib("VmPin:"));
}

/*
 * A user without CAP_IPC_LOCK who may lock sixteen pages. What he has locked is
 * counted for all his processes, so each test has a user of its own.
 */
static bool become(uid_t uid)
{
	struct rlimit lim = { 16 * PAGE, 16 * PAGE };

	chmod(ARING_DEVICE, 0666);
	return !setrlimit(RLIMIT_MEMLOCK, &lim) &&
	       !setresgid(uid, uid, uid) && !setresuid(uid, uid, uid);
}

static void *pages(int n)
{
	char *p = page_alloc(n * PAGE);

	if (p)
		madvise(p, n * PAGE, MADV_NOHUGEPAGE);
	return p;
}

/* Registering becomes possible, soon. */
static int reg_soon(struct ring *r, void *p, size_t len)
{
	__u64 end = now_ns() + let_go_ns();
	int ret;

	do {
		ret = reg_one(r, p, len);
		if (ret != -ENOMEM)
			break;
		usleep(10000);
	} while (now_ns() < end);
	return ret;
}

TEST_F(buffers_life, memlock_limits_what_is_registered)
{
	struct iovec v[3];
	struct ring r;
	char *p;

	ASSERT_TRUE(become(20001));
	ASSERT_EQ(0, ring_init(&r, variant->backend, 8, 0));
	p = pages(20);
	ASSERT_NE(NULL, p);
	for (int i = 0; i < 20; i++) {
		EXPECT_EQ(-ENOMEM, reg_one(&r, p, 17 * PAGE));
		EXPECT_EQ(-ENOMEM, reg_one(&r, p + 1, 16 * PAGE));
		EXPECT_EQ(0, reg_one(&r, p, 16 * PAGE));
		EXPECT_EQ(0, unreg_buffers(&r));
	}
	/* the sum of a table; the same page twice is two */
	v[0] = (struct iovec) { p, 8 * PAGE };
	v[1] = (struct iovec) { p, 8 * PAGE };
	v[2] = (struct iovec) { p, 1 };
	EXPECT_EQ(-ENOMEM, reg_buffers(&r, v, 3));
	EXPECT_EQ(-ENXIO, unreg_buffers(&r));
	EXPECT_EQ(0, reg_buffers(&r, v, 2));
	/* the new one comes before the old one goes */
	EXPECT_EQ(-ENOMEM, update_one(&r, 0, p, PAGE));
	EXPECT_EQ(1, update_one(&r, 0, NULL, 0));
	ASSERT_EQ(0, unreg_buffers(&r));
	EXPECT_EQ(0, reg_soon(&r, p, 16 * PAGE));
	ring_exit(&r);
}

TEST_F(buffers_life, memlock_is_one_pool_for_all_rings)
{
	struct ring a, b;
	char *p;

	ASSERT_TRUE(become(20002));
	ASSERT_EQ(0, ring_init(&a, variant->backend, 8, 0));
	ASSERT_EQ(0, ring_init(&b, variant->backend, 8, 0));
	p = pages(16);
	EXPECT_EQ(0, reg_one(&a, p, 10 * PAGE));
	EXPECT_EQ(-ENOMEM, reg_one(&b, p, 7 * PAGE));
	EXPECT_EQ(0, reg_one(&b, p, 6 * PAGE));
	EXPECT_EQ(0, unreg_buffers(&b));
	EXPECT_EQ(0, unreg_buffers(&a));
	EXPECT_EQ(0, reg_one(&b, p, 16 * PAGE));
	EXPECT_EQ(-ENOMEM, reg_one(&a, p, 1));
	/* closing gives back as well, if not at once */
	ring_exit(&b);
	EXPECT_EQ(0, reg_soon(&a, p, 16 * PAGE));
	ring_exit(&a);
}

/* A child, so many pages registered, until it is killed or told to exit. */
static pid_t pinning_child(enum backend backend, int n, int *stop)
{
	int go[2], told[2];
	pid_t pid;
	char b;

	if (pipe(go) || pipe(told))
		return -1;
	pid = fork();
	if (!pid) {
		struct ring r;

		close(go[1]);
		b = 0;
		if (ring_init(&r, backend, 8, 0) ||
		    reg_one(&r, pages(n), n * PAGE))
			b = 1;
		if (write(told[1], &b, 1) != 1 || read(go[0], &b, 1) < 0)
			_exit(1);
		_exit(0);
	}
	close(go[0]);
	close(told[1]);
	if (read(told[0], &b, 1) != 1 || b)
		return -1;
	close(told[0]);
	*stop = go[1];
	return pid;
}

TEST_F(buffers_life, memlock_is_one_pool_for_all_processes)
{
	int status, stop;
	struct ring r;
	pid_t pid;
	char *p;

	ASSERT_TRUE(become(20003));
	ASSERT_EQ(0, ring_init(&r, variant->backend, 8, 0));
	p = pages(16);
	for (int how = 0; how < 2; how++) {
		ASSERT_EQ(0, reg_soon(&r, p, 6 * PAGE));
		pid = pinning_child(variant->backend, 10, &stop);
		ASSERT_GT(pid, 0);
		ASSERT_EQ(0, unreg_buffers(&r));
		EXPECT_EQ(-ENOMEM, reg_one(&r, p, 7 * PAGE));
		if (how)
			kill(pid, SIGKILL);
		close(stop);
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		EXPECT_EQ(0, reg_soon(&r, p, 16 * PAGE));
		ASSERT_EQ(0, unreg_buffers(&r));
	}
	/* a fork multiplies nothing, and its end gives nothing back */
	ASSERT_EQ(0, reg_one(&r, p, 8 * PAGE));
	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid)
		_exit(0);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(-ENOMEM, update_one(&r, 0, p, 9 * PAGE));
	EXPECT_EQ(1, update_one(&r, 0, p, 8 * PAGE));
	ring_exit(&r);
}

/* Who made the ring had the right to lock, or had not. */
TEST_F(buffers_life, the_limit_is_that_of_who_made_the_ring)
{
	struct ring r;
	char *p;

	ASSERT_TRUE(become(20004));
	p = pages(32);
	/* the fixture's ring is root's */
	EXPECT_EQ(0, reg_one(&self->r, p, 32 * PAGE));
	/* and counts for nobody */
	ASSERT_EQ(0, ring_init(&r, variant->backend, 8, 0));
	EXPECT_EQ(0, reg_one(&r, p, 16 * PAGE));
	ring_exit(&r);
}

/* A small part of a huge page holds all of it. */
TEST_F(buffers_life, a_huge_page_counts_whole)
{
	enum { HUGE = 2 << 20 };
	int fd = open("/proc/sys/vm/nr_hugepages", O_WRONLY);
	struct ring r;
	char *p;

	if (fd < 0)
		SKIP(return, "this kernel has no huge pages");
	ASSERT_EQ(1, write(fd, "2", 1));
	p = mmap(NULL, HUGE, PROT_READ | PROT_WRITE, MAP_PRIVATE |
		 MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
	if (p == MAP_FAILED) {
		ASSERT_EQ(1, write(fd, "0", 1));
		SKIP(return, "no memory for huge pages");
	}
	ASSERT_TRUE(become(20005));
	ASSERT_EQ(0, ring_init(&r, variant->backend, 8, 0));
	EXPECT_EQ(-ENOMEM, reg_one(&r, p, 8));
	ring_exit(&r);
	munmap(p, HUGE);
}

RING_TEST_MAIN
