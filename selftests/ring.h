/* SPDX-License-Identifier: MIT */
/*
 * The least a test needs of a ring, on either backend: the device, or the
 * kernel's own io_uring, so that one assertion is asked of both. It uses the
 * three calls and the shared memory directly, and no library.
 *
 * Functions answer a negative errno where the call failed. A wait never lasts
 * for ever: it gives up after ten seconds (more on the debug kernels).
 */
#ifndef RING_H
#define RING_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include <linux/aring.h>
#include <kselftest_harness.h>

#define ARING_DEVICE	"/dev/aring"

enum backend { DEVICE, IO_URING };

/* What ring_run() answers if there is no result to give. */
#define RES_NONE	INT_MIN		/* no completion came in time */
#define RES_OTHER	(INT_MIN + 1)	/* a completion of something else came */
#define RES_NOSUBMIT	(INT_MIN + 2)	/* ENTER did not take the SQE */

struct ring {
	int fd;
	enum backend backend;
	struct aring_params p;
	char *rings;
	size_t rings_len;
	struct aring_sqe *sqes;
	size_t sqes_len;
	__u32 *sq_head, *sq_tail, *sq_flags, *sq_dropped, *sq_array;
	__u32 *cq_head, *cq_tail, *cq_overflow;
	struct aring_cqe *cqes;
	__u32 tail;		/* SQEs handed out, published by ring_flush() */
};

static inline double test_scale_factor(void)
{
	const char *s = getenv("ARING_TEST_SCALE");
	double d = s && *s ? strtod(s, NULL) : 1;

	return d > 0 ? d : 1;
}

/* Iteration counts: @n on the stock kernel, never fewer than @least. */
static inline unsigned long test_scale(unsigned long n, unsigned long least)
{
	unsigned long v = n * test_scale_factor();

	return v > least ? v : least;
}

static inline const char *test_kernel(void)
{
	const char *s = getenv("ARING_VM_KERNEL");

	return s && *s ? s : "stock";
}

/* How much longer things may take than on the stock kernel. */
static inline int test_slow(void)
{
	const char *k = test_kernel();

	return !strcmp(k, "kasan") || !strcmp(k, "kcsan") ? 8 : 1;
}

/* The io_uring whose behaviour is the reference is the one of 6.1. */
static inline bool test_oracle_here(void)
{
	return strcmp(test_kernel(), "6.12") != 0;
}

static inline __u64 now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

static inline __u64 ms(__u64 n)
{
	return n * 1000000;
}

static inline struct __kernel_timespec to_ts(__u64 ns)
{
	struct __kernel_timespec ts = {
		.tv_sec = ns / 1000000000,
		.tv_nsec = ns % 1000000000,
	};

	return ts;
}

static inline int ring_setup(struct ring *r, enum backend backend,
			     unsigned int entries, struct aring_params *p)
{
	int ret;

	r->fd = -1;
	r->backend = backend;
	p->sq_entries = backend == DEVICE ? entries : p->sq_entries;
	if (backend == IO_URING) {
		ret = syscall(SYS_io_uring_setup, entries, p);
		if (ret < 0)
			return -errno;
		r->fd = ret;
		return 0;
	}
	r->fd = open(ARING_DEVICE, O_RDWR | O_CLOEXEC);
	if (r->fd < 0)
		return -errno;
	if (ioctl(r->fd, ARING_IOC_SETUP, p) == 0)
		return 0;
	ret = -errno;
	close(r->fd);
	r->fd = -1;
	return ret;
}

/* SQEs of 128 and CQEs of 32 bytes take two places each. */
static inline unsigned int ring_sqe_shift(const struct ring *r)
{
	return r->p.flags & ARING_SETUP_SQE128 ? 1 : 0;
}

static inline unsigned int ring_cqe_shift(const struct ring *r)
{
	return r->p.flags & ARING_SETUP_CQE32 ? 1 : 0;
}

static inline struct aring_sqe *ring_sqe_at(struct ring *r, __u32 index)
{
	return &r->sqes[(index & (r->p.sq_entries - 1)) << ring_sqe_shift(r)];
}

static inline struct aring_cqe *ring_cqe_at(struct ring *r, __u32 index)
{
	return &r->cqes[(index & (r->p.cq_entries - 1)) << ring_cqe_shift(r)];
}

static inline int ring_map(struct ring *r)
{
	struct aring_params *p = &r->p;
	size_t sq = p->sq_off.array + p->sq_entries * sizeof(__u32);
	size_t cq = p->cq_off.cqes +
		    (p->cq_entries * sizeof(struct aring_cqe) << ring_cqe_shift(r));
	__u32 i;

	r->rings_len = sq > cq ? sq : cq;
	r->rings = mmap(NULL, r->rings_len, PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_POPULATE, r->fd, ARING_OFF_SQ_RING);
	if (r->rings == MAP_FAILED)
		return -errno;
	r->sqes_len = p->sq_entries * sizeof(struct aring_sqe) << ring_sqe_shift(r);
	r->sqes = mmap(NULL, r->sqes_len, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_POPULATE, r->fd, ARING_OFF_SQES);
	if (r->sqes == MAP_FAILED) {
		int ret = -errno;

		munmap(r->rings, r->rings_len);
		return ret;
	}
	r->sq_head = (__u32 *)(r->rings + p->sq_off.head);
	r->sq_tail = (__u32 *)(r->rings + p->sq_off.tail);
	r->sq_flags = (__u32 *)(r->rings + p->sq_off.flags);
	r->sq_dropped = (__u32 *)(r->rings + p->sq_off.dropped);
	r->sq_array = (__u32 *)(r->rings + p->sq_off.array);
	r->cq_head = (__u32 *)(r->rings + p->cq_off.head);
	r->cq_tail = (__u32 *)(r->rings + p->cq_off.tail);
	r->cq_overflow = (__u32 *)(r->rings + p->cq_off.overflow);
	r->cqes = (struct aring_cqe *)(r->rings + p->cq_off.cqes);
	for (i = 0; i < p->sq_entries; i++)
		r->sq_array[i] = i;
	r->tail = *r->sq_tail;
	return 0;
}

static inline void ring_unmap(struct ring *r)
{
	if (r->rings && r->rings != MAP_FAILED)
		munmap(r->rings, r->rings_len);
	if (r->sqes && r->sqes != MAP_FAILED)
		munmap(r->sqes, r->sqes_len);
	r->rings = NULL;
	r->sqes = NULL;
}

/* A mapped ring; @params may be NULL. */
static inline int ring_init_params(struct ring *r, enum backend backend,
				   unsigned int entries,
				   const struct aring_params *params)
{
	int ret;

	memset(r, 0, sizeof(*r));
	if (params)
		r->p = *params;
	ret = ring_setup(r, backend, entries, &r->p);
	if (ret)
		return ret;
	ret = ring_map(r);
	if (ret) {
		close(r->fd);
		r->fd = -1;
	}
	return ret;
}

static inline int ring_init(struct ring *r, enum backend backend,
			    unsigned int entries, __u32 flags)
{
	struct aring_params p = { .flags = flags };

	return ring_init_params(r, backend, entries, &p);
}

static inline void ring_exit(struct ring *r)
{
	ring_unmap(r);
	if (r->fd >= 0)
		close(r->fd);
	r->fd = -1;
}

static inline int ring_enter(struct ring *r, unsigned int to_submit,
			     unsigned int min_complete, unsigned int flags,
			     const void *arg, size_t argsz)
{
	struct aring_enter e = {
		.to_submit = to_submit,
		.min_complete = min_complete,
		.flags = flags,
		.argsz = argsz,
		.arg = (uintptr_t)arg,
	};
	int ret;

	if (r->backend == IO_URING)
		ret = syscall(SYS_io_uring_enter, r->fd, to_submit,
			      min_complete, flags, arg, argsz);
	else
		ret = ioctl(r->fd, ARING_IOC_ENTER, &e);
	return ret < 0 ? -errno : ret;
}

static inline int ring_register(struct ring *r, unsigned int opcode,
				void *arg, unsigned int nr_args)
{
	struct aring_register reg = {
		.opcode = opcode,
		.nr_args = nr_args,
		.arg = (uintptr_t)arg,
	};
	int ret;

	if (r->backend == IO_URING)
		ret = syscall(SYS_io_uring_register, r->fd, opcode, arg,
			      nr_args);
	else
		ret = ioctl(r->fd, ARING_IOC_REGISTER, &reg);
	return ret < 0 ? -errno : ret;
}

/* The next SQE, all zero, or NULL if the queue is full. */
static inline struct aring_sqe *ring_sqe(struct ring *r)
{
	__u32 head = __atomic_load_n(r->sq_head, __ATOMIC_ACQUIRE);
	struct aring_sqe *sqe;

	if (r->tail - head >= r->p.sq_entries)
		return NULL;
	sqe = ring_sqe_at(r, r->tail);
	r->sq_array[r->tail & (r->p.sq_entries - 1)] =
		r->tail & (r->p.sq_entries - 1);
	r->tail++;
	memset(sqe, 0, sizeof(*sqe) << ring_sqe_shift(r));
	return sqe;
}

/* Publish the SQEs handed out; answers how many wait to be taken. */
static inline unsigned int ring_flush(struct ring *r)
{
	__atomic_store_n(r->sq_tail, r->tail, __ATOMIC_RELEASE);
	return r->tail - __atomic_load_n(r->sq_head, __ATOMIC_ACQUIRE);
}

static inline int ring_submit(struct ring *r)
{
	return ring_enter(r, ring_flush(r), 0, 0, NULL, 0);
}

static inline __u32 ring_sq_flags(struct ring *r)
{
	/* against the tail stored before: see SQPOLL in io_uring_setup(2) */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return __atomic_load_n(r->sq_flags, __ATOMIC_RELAXED);
}

static inline unsigned int ring_ready(struct ring *r)
{
	return __atomic_load_n(r->cq_tail, __ATOMIC_ACQUIRE) -
	       __atomic_load_n(r->cq_head, __ATOMIC_RELAXED);
}

static inline bool ring_reap(struct ring *r, struct aring_cqe *cqe)
{
	__u32 head = *r->cq_head;

	if (!ring_ready(r))
		return false;
	*cqe = *ring_cqe_at(r, head);
	__atomic_store_n(r->cq_head, head + 1, __ATOMIC_RELEASE);
	return true;
}

/* Wait until @n CQEs are there, for at most @ns; 0 or a negative errno. */
static inline int ring_wait_ns(struct ring *r, unsigned int n, __u64 ns)
{
	__u64 end = now_ns() + ns;

	for (;;) {
		__u64 now = now_ns();
		struct __kernel_timespec ts;
		struct aring_getevents_arg arg = { .ts = (uintptr_t)&ts };
		int ret;

		if (ring_ready(r) >= n)
			return 0;
		if (now >= end)
			return -ETIME;
		ts = to_ts(end - now);
		ret = ring_enter(r, 0, n, ARING_ENTER_GETEVENTS |
				 ARING_ENTER_EXT_ARG, &arg, sizeof(arg));
		if (ret < 0 && ret != -EINTR && ret != -ETIME)
			return ret;
	}
}

static inline int ring_wait(struct ring *r, unsigned int n)
{
	return ring_wait_ns(r, n, ms(10000) * test_slow());
}

/* The next CQE, waited for. */
static inline int ring_cqe(struct ring *r, struct aring_cqe *cqe)
{
	int ret = ring_wait(r, 1);

	if (ret)
		return ret;
	return ring_reap(r, cqe) ? 0 : -EAGAIN;
}

/* Nothing completes within @n milliseconds. */
static inline bool ring_quiet(struct ring *r, unsigned int n)
{
	return ring_wait_ns(r, 1, ms(n)) == -ETIME && !ring_ready(r);
}

/*
 * Wait until a worker has the request in its hands. The device says so in
 * fdinfo; with io_uring there is only to hope that it has been long enough.
 */
static inline bool ring_wait_started(struct ring *r, __u64 user_data)
{
	char path[64], want[64], text[8192];
	__u64 give_up = now_ns() + ms(20000);

	if (r->backend != DEVICE)
		return ring_quiet(r, 300 * test_slow());
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", r->fd);
	snprintf(want, sizeof(want), "user_data=%llu, state=started",
		 (unsigned long long)user_data);
	while (now_ns() < give_up) {
		int fd = open(path, O_RDONLY);
		ssize_t n = read(fd, text, sizeof(text) - 1);

		close(fd);
		if (n < 0)
			return false;
		text[n] = 0;
		if (strstr(text, want))
			return true;
		usleep(2000);
	}
	return false;
}

/* Submit the one SQE prepared last, wait for its CQE, answer its result. */
static inline int ring_run(struct ring *r)
{
	__u64 ud = ring_sqe_at(r, r->tail - 1)->user_data;
	struct aring_cqe cqe;

	if (ring_submit(r) != 1)
		return RES_NOSUBMIT;
	if (ring_cqe(r, &cqe))
		return RES_NONE;
	return cqe.user_data == ud && !ring_ready(r) ? cqe.res : RES_OTHER;
}

static inline struct aring_sqe *prep(struct ring *r, unsigned int op, int fd,
				     const void *addr, unsigned int len,
				     __u64 off, __u64 user_data)
{
	struct aring_sqe *sqe = ring_sqe(r);

	if (!sqe) {
		fprintf(stderr, "# test error: no SQE left\n");
		abort();
	}
	sqe->opcode = op;
	sqe->fd = fd;
	sqe->addr = (uintptr_t)addr;
	sqe->len = len;
	sqe->off = off;
	sqe->user_data = user_data;
	return sqe;
}

static inline struct aring_sqe *prep_nop(struct ring *r, __u64 user_data)
{
	return prep(r, ARING_OP_NOP, -1, NULL, 0, 0, user_data);
}

static inline struct aring_sqe *prep_read(struct ring *r, int fd, void *buf,
					  unsigned int len, __u64 off,
					  __u64 user_data)
{
	return prep(r, ARING_OP_READ, fd, buf, len, off, user_data);
}

static inline struct aring_sqe *prep_write(struct ring *r, int fd,
					   const void *buf, unsigned int len,
					   __u64 off, __u64 user_data)
{
	return prep(r, ARING_OP_WRITE, fd, buf, len, off, user_data);
}

/* The timespec must live until the SQE is submitted. */
static inline struct aring_sqe *
prep_timeout(struct ring *r, const struct __kernel_timespec *ts,
	     __u64 count, __u32 flags, __u64 user_data)
{
	struct aring_sqe *sqe = prep(r, ARING_OP_TIMEOUT, -1, ts, 1, count,
				     user_data);

	sqe->timeout_flags = flags;
	return sqe;
}

static inline struct aring_sqe *prep_cancel(struct ring *r, __u64 key,
					    __u32 flags, __u64 user_data)
{
	struct aring_sqe *sqe = prep(r, ARING_OP_ASYNC_CANCEL, -1,
				     (void *)(uintptr_t)key, 0, 0, user_data);

	sqe->cancel_flags = flags;
	return sqe;
}

/* Deterministic contents: what byte @pos of the pattern @seed is. */
static inline void pattern_fill(void *buf, size_t len, __u64 pos, __u32 seed)
{
	unsigned char *b = buf;
	size_t i;

	for (i = 0; i < len; i++)
		b[i] = (pos + i) * 31 + ((pos + i) >> 8) * 7 +
		       ((pos + i) >> 16) * 13 + seed;
}

/* Index of the first byte that differs from the pattern, or -1. */
static inline long pattern_check(const void *buf, size_t len, __u64 pos,
				 __u32 seed)
{
	const unsigned char *b = buf;
	unsigned char want;
	size_t i;

	for (i = 0; i < len; i++) {
		want = (pos + i) * 31 + ((pos + i) >> 8) * 7 +
		       ((pos + i) >> 16) * 13 + seed;
		if (b[i] != want)
			return i;
	}
	return -1;
}

/*
 * EXPECT_* and ASSERT_* as one statement, and with a line that says which round
 * of a loop it was.
 */
#define WITH_LINE(check, ...)						\
	do {								\
		check {							\
			TH_LOG(__VA_ARGS__);				\
		}							\
	} while (0)
#define CHECK_EQ(want, seen, ...) WITH_LINE(EXPECT_EQ(want, seen), __VA_ARGS__)
#define CHECK_NE(want, seen, ...) WITH_LINE(EXPECT_NE(want, seen), __VA_ARGS__)
#define CHECK_GE(a, b, ...)	WITH_LINE(EXPECT_GE(a, b), __VA_ARGS__)
#define CHECK_LE(a, b, ...)	WITH_LINE(EXPECT_LE(a, b), __VA_ARGS__)
#define CHECK_TRUE(seen, ...)	WITH_LINE(EXPECT_TRUE(seen), __VA_ARGS__)
#define NEED_EQ(want, seen, ...) WITH_LINE(ASSERT_EQ(want, seen), __VA_ARGS__)
#define NEED_TRUE(seen, ...)	WITH_LINE(ASSERT_TRUE(seen), __VA_ARGS__)

/*
 * Every test program ends with RING_TEST_MAIN. An argument picks the tests
 * whose names contain it; ARING_TEST_BACKEND=device|io_uring picks one backend.
 * Time limits grow on the debug kernels.
 */
static inline void ring_test_prepare(int argc, char **argv)
{
	const char *backend = getenv("ARING_TEST_BACKEND");
	struct __fixture_variant_metadata *v;
	struct __fixture_metadata *f;
	struct __test_metadata *t;

	if (!test_oracle_here()) {
		printf("# the io_uring variants run on 6.1 kernels only\n");
		backend = "device";
	}
	for (f = __fixture_list; f; f = f->next) {
		struct __fixture_variant_metadata **pv = &f->variant;
		struct __test_metadata **pt = &f->tests;

		while ((v = *pv)) {
			bool other = !strcmp(v->name, "device") ||
				     !strcmp(v->name, "io_uring");

			if (backend && *backend && other &&
			    strcmp(v->name, backend))
				*pv = v->next;
			else
				pv = &v->next;
		}
		if (!f->variant && f != &_fixture_global)
			f->tests = NULL;
		while ((t = *pt)) {
			t->timeout *= test_slow();
			if (argc > 1 && !strstr(t->name, argv[1]))
				*pt = t->next;
			else
				pt = &t->next;
		}
	}
}

#define RING_TEST_MAIN							\
	static void __attribute__((constructor))			\
	__constructor_order_last(void)					\
	{								\
		if (!__constructor_order)				\
			__constructor_order = _CONSTRUCTOR_ORDER_BACKWARD; \
	}								\
	int main(int argc, char **argv)					\
	{								\
		setvbuf(stdout, NULL, _IOLBF, 0);			\
		ring_test_prepare(argc, argv);				\
		return test_harness_run(argc, argv);			\
	}

/* A fixture with one ring of 64 entries, on both backends. */
#define RING_VARIANTS(name)						\
	FIXTURE_VARIANT(name) {						\
		enum backend backend;					\
	};								\
	FIXTURE_VARIANT_ADD(name, device) {				\
		.backend = DEVICE,					\
	};								\
	FIXTURE_VARIANT_ADD(name, io_uring) {				\
		.backend = IO_URING,					\
	}

#define RING_FIXTURE(name)						\
	FIXTURE(name) {							\
		struct ring r;						\
	};								\
	RING_VARIANTS(name);						\
	FIXTURE_SETUP(name)						\
	{								\
		ASSERT_EQ(0, ring_init(&self->r, variant->backend, 64, 0)); \
	}								\
	FIXTURE_TEARDOWN(name)						\
	{								\
		ring_exit(&self->r);					\
	}

/* The same for what only the device has. */
#define DEVICE_FIXTURE(name)						\
	FIXTURE(name) {							\
		struct ring r;						\
	};								\
	FIXTURE_VARIANT(name) {						\
		enum backend backend;					\
	};								\
	FIXTURE_VARIANT_ADD(name, device) {				\
		.backend = DEVICE,					\
	};								\
	FIXTURE_SETUP(name)						\
	{								\
		ASSERT_EQ(0, ring_init(&self->r, DEVICE, 64, 0));	\
	}								\
	FIXTURE_TEARDOWN(name)						\
	{								\
		ring_exit(&self->r);					\
	}

#endif /* RING_H */
