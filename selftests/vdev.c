// SPDX-License-Identifier: MIT
/*
 * The virtual device: the call that makes it, what VREAD and VWRITE move, what
 * they refuse, what they count for, and how long they take.
 */
#include "vdev.h"
#include <sys/resource.h>

#define MEDIUM	(64 * PAGE)
#define UNSET	(~0ULL)

DEVICE_FIXTURE(vdev);

/* One VREAD or VWRITE, waited for. */
static int run_v(struct ring *r, unsigned int op, const void *buf,
		 unsigned int len, __u64 off)
{
	prep(r, op, -1, buf, len, off, 0x1d);
	return ring_run(r);
}

static int run_vread(struct ring *r, void *buf, unsigned int len, __u64 off)
{
	return run_v(r, ARING_OP_VREAD, buf, len, off);
}

static int run_vwrite(struct ring *r, const void *buf, unsigned int len,
		      __u64 off)
{
	return run_v(r, ARING_OP_VWRITE, buf, len, off);
}

/* --- the call ------------------------------------------------------------ */

TEST_F(vdev, bad_arguments_are_refused)
{
	static const struct aring_vdev good = {
		.size = MEDIUM, .channels = 1,
	};
	struct aring_vdev v = good;
	struct ring *r = &self->r;

	EXPECT_EQ(-EFAULT, vdev_set(r, NULL));
	v.channels = 0;
	EXPECT_EQ(-EINVAL, vdev_set(r, &v));
	v.channels = ARING_VDEV_MAX_CHANNELS + 1;
	EXPECT_EQ(-EINVAL, vdev_set(r, &v));
	v.channels = ~0U;
	EXPECT_EQ(-EINVAL, vdev_set(r, &v));
	v = good;
	v.policy = ARING_VDEV_ELEVATOR + 1;
	EXPECT_EQ(-EINVAL, vdev_set(r, &v));
	for (int i = 0; i < 3; i++) {
		v = good;
		v.resv[i] = 1ULL << 63;
		EXPECT_EQ(-EINVAL, vdev_set(r, &v));
	}
	/* no device has no properties */
	v = (struct aring_vdev) { .channels = 1 };
	EXPECT_EQ(-EINVAL, vdev_set(r, &v));
	v = (struct aring_vdev) { .per_distance = 1 };
	EXPECT_EQ(-EINVAL, vdev_set(r, &v));
	v = (struct aring_vdev) { .resv[2] = 1 };
	EXPECT_EQ(-EINVAL, vdev_set(r, &v));
	v = (struct aring_vdev) { 0 };
	EXPECT_EQ(0, vdev_set(r, &v));
	EXPECT_EQ(0, vdev_set(r, &good));
	EXPECT_EQ(0, vdev_set(r, &v));
}

TEST_F(vdev, more_than_there_is_memory_is_refused)
{
	static const __u64 sizes[] = {
		1ULL << 44, 1ULL << 62, 1ULL << 63, ~0ULL, ~0ULL - 4094,
	};
	char buf[8] = "";

	ASSERT_EQ(0, vdev_fifo(&self->r, MEDIUM, 1, 0));
	ASSERT_EQ(8, run_vwrite(&self->r, "old one", 8, 0));
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++)
		CHECK_EQ(-ENOMEM, vdev_fifo(&self->r, sizes[i], 1, 0),
			 "size %llx", (unsigned long long)sizes[i]);
	/* the old one is still there */
	EXPECT_EQ(8, run_vread(&self->r, buf, 8, 0));
	EXPECT_STREQ("old one", buf);
}

TEST_F(vdev, it_needs_a_ring)
{
	struct ring r = { .fd = open(ARING_DEVICE, O_RDWR | O_CLOEXEC) };

	ASSERT_GE(r.fd, 0);
	EXPECT_EQ(-EBADFD, vdev_fifo(&r, MEDIUM, 1, 0));
	close(r.fd);
}

TEST_F(vdev, without_a_device_there_is_none)
{
	struct aring_vdev none = { 0 };
	char b = 0;

	EXPECT_EQ(-ENODEV, run_vread(&self->r, &b, 1, 0));
	ASSERT_EQ(0, vdev_fifo(&self->r, MEDIUM, 1, 0));
	EXPECT_EQ(1, run_vread(&self->r, &b, 1, 0));
	ASSERT_EQ(0, vdev_set(&self->r, &none));
	EXPECT_EQ(-ENODEV, run_vwrite(&self->r, &b, 1, 0));
}

TEST_F(vdev, a_device_in_use_is_not_replaced)
{
	struct ring *r = &self->r;
	struct aring_vdev none = { 0 };
	struct aring_cqe cqe;
	char b[2];

	/* one is STARTED and one is QUEUED */
	ASSERT_EQ(0, vdev_fifo(r, MEDIUM, 1, ms(100) * test_slow()));
	prep_vread(r, b, 1, 0, 1);
	prep_vread(r, b + 1, 1, 0, 2);
	ASSERT_EQ(2, ring_submit(r));
	EXPECT_EQ(-EBUSY, vdev_set(r, &none));
	EXPECT_EQ(-EBUSY, vdev_fifo(r, MEDIUM, 1, 0));
	for (int i = 1; i <= 2; i++) {
		ASSERT_EQ(0, ring_cqe(r, &cqe));
		EXPECT_EQ(i, cqe.user_data);
		/* who has seen the last CQE may replace it at once */
		EXPECT_EQ(i == 1 ? -EBUSY : 0, vdev_fifo(r, MEDIUM, 1, 0));
	}
	EXPECT_EQ(0, vdev_set(r, &none));
}

TEST_F(vdev, each_field_that_means_nothing_must_be_zero)
{
	struct ring *r = &self->r;
	struct aring_sqe *s;
	char b[8];

	ASSERT_EQ(0, vdev_fifo(r, MEDIUM, 1, 0));
	for (int i = 0; i < 12; i++) {
		s = prep(r, i & 1 ? ARING_OP_VREAD : ARING_OP_VWRITE, -1, b, 8,
			 0, i);
		switch (i / 2) {
		case 0:
			s->fd = 0;
			break;
		case 1:
			s->buf_index = 1;
			s->ioprio = 0;
			break;
		case 2:
			s->splice_fd_in = 1;
			break;
		case 3:
			s->__pad2[0] = 1;
			break;
		case 4:
			s->addr3 = 1;	/* without the flag */
			break;
		default:
			s->vdev_flags = 2;
			break;
		}
		CHECK_EQ(-EINVAL, ring_run(r), "case %d", i);
	}
	prep_vread(r, b, 8, 0, 1)->ioprio = 1;
	EXPECT_EQ(-EINVAL, ring_run(r));
	prep_vread(r, b, 8, 0, 1)->flags = ARING_SQE_FIXED_FILE;
	EXPECT_EQ(-EINVAL, ring_run(r));
	prep_vread(r, b, 8, 0, 1)->flags = ARING_SQE_ASYNC;
	EXPECT_EQ(8, ring_run(r));
	takes(prep_vread(r, b, 8, 0, 1), 0);
	EXPECT_EQ(8, ring_run(r));
}

/* --- data ---------------------------------------------------------------- */

TEST_F(vdev, what_was_written_is_read)
{
	static const struct {
		unsigned int skip, len;
		__u64 off;
	} t[] = {
		{ 0, 1, 0 }, { 1, 1, 4095 }, { 4095, 2, 4095 },
		{ 0, 4096, 4096 }, { 17, 4096, 3 }, { 4000, 20000, 12345 },
		{ 5, 30 * 4096, 7 }, { 0, MEDIUM, 0 },
	};
	char *in = page_alloc(MEDIUM + 2 * PAGE);
	char *out = page_alloc(MEDIUM + 2 * PAGE);
	struct ring *r = &self->r;

	ASSERT_EQ(0, vdev_fifo(r, MEDIUM, 4, 1000));
	ASSERT_EQ(MEDIUM, run_vread(r, in, MEDIUM, 0));
	for (size_t i = 0; i < MEDIUM; i++)
		NEED_EQ(0, in[i], "byte %zu of a new medium", i);
	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++) {
		pattern_fill(out + t[i].skip, t[i].len, 0, i);
		NEED_EQ((int)t[i].len, run_vwrite(r, out + t[i].skip, t[i].len,
						  t[i].off), "case %zu", i);
		memset(in, 0x5a, MEDIUM + 2 * PAGE);
		NEED_EQ((int)t[i].len, run_vread(r, in + t[i].skip, t[i].len,
						 t[i].off), "case %zu", i);
		CHECK_EQ(-1, pattern_check(in + t[i].skip, t[i].len, 0, i),
			 "case %zu", i);
		CHECK_EQ(0x5a, in[t[i].skip + t[i].len], "case %zu: too much", i);
		CHECK_TRUE(!t[i].skip || in[t[i].skip - 1] == 0x5a,
			   "case %zu: too early", i);
	}
}

TEST_F(vdev, the_medium_ends)
{
	struct ring *r = &self->r;
	struct aring_cqe cqe;
	char b[100];

	ASSERT_EQ(0, vdev_fifo(r, 1000, 1, 0));
	memset(b, 'x', 100);
	EXPECT_EQ(10, run_vwrite(r, b, 100, 990));
	EXPECT_EQ(1, run_vwrite(r, b, 100, 999));
	EXPECT_EQ(-ENOSPC, run_vwrite(r, b, 100, 1000));
	EXPECT_EQ(-ENOSPC, run_vwrite(r, b, 100, 1001));
	EXPECT_EQ(-ENOSPC, run_vwrite(r, b, 100, ~0ULL));
	memset(b, 'y', 100);
	EXPECT_EQ(10, run_vread(r, b, 100, 990));
	EXPECT_EQ('x', b[9]);
	EXPECT_EQ('y', b[10]);
	EXPECT_EQ(0, run_vread(r, b, 100, 1000));
	EXPECT_EQ(0, run_vread(r, b, 100, ~0ULL));
	EXPECT_EQ(0, run_vread(r, b, 0, 5));
	EXPECT_EQ(0, run_vwrite(r, NULL, 0, 5));
	/* only what is moved need be there */
	EXPECT_EQ(0, run_vread(r, NULL, 100, 1000));
	/* a short one ends a chain */
	prep_vread(r, b, 100, 990, 1)->flags = ARING_SQE_IO_LINK;
	prep_nop(r, 2);
	ASSERT_EQ(2, ring_submit(r));
	ASSERT_EQ(0, ring_cqe(r, &cqe));
	EXPECT_EQ(10, cqe.res);
	ASSERT_EQ(0, ring_cqe(r, &cqe));
	EXPECT_EQ(-ECANCELED, cqe.res);
}

static const char CONSTANT[] = "that nobody writes to";

TEST_F(vdev, memory_that_is_not_there)
{
	struct ring *r = &self->r;
	struct aring_cqe cqe;
	char *p = page_alloc(2 * PAGE), b[sizeof(CONSTANT)];
	int fd;

	ASSERT_EQ(0, vdev_fifo(r, MEDIUM, 1, 0));
	ASSERT_EQ(0, munmap(p + PAGE, PAGE));
	EXPECT_EQ(-EFAULT, run_vread(r, p + PAGE - 1, 2, 0));
	EXPECT_EQ(-EFAULT, run_vwrite(r, p + PAGE - 1, 2, 0));
	EXPECT_EQ(-EFAULT, run_vread(r, NULL, 1, 0));
	EXPECT_EQ(-EFAULT, run_vread(r, (void *)-1UL, 1, 0));
	EXPECT_EQ(-EFAULT, run_vread(r, (void *)-1UL, 2, 0));
	EXPECT_EQ(-EFAULT, run_vwrite(r, (void *)(1UL << 63), 4096, 0));
	/* read-only memory can be written from, not read to */
	EXPECT_EQ(sizeof(CONSTANT), run_vwrite(r, CONSTANT, sizeof(CONSTANT), 0));
	EXPECT_EQ(-EFAULT, run_vread(r, (void *)CONSTANT, 1, 0));
	EXPECT_EQ(sizeof(CONSTANT), run_vread(r, b, sizeof(CONSTANT), 0));
	EXPECT_STREQ(CONSTANT, b);
	/* a file's page in the cache is its file system's */
	fd = open("/tmp/vdev", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	ASSERT_EQ(0, ftruncate(fd, PAGE));
	p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ASSERT_NE(MAP_FAILED, p);
	EXPECT_EQ(8, run_vread(r, p, 8, 0));	/* tmpfs is memory */
	EXPECT_EQ(-EOPNOTSUPP, run_vread(r, r->sqes, 8, 0));
	/* in a chain, it ends it, wherever it stands */
	prep_nop(r, 1)->flags = ARING_SQE_IO_LINK;
	prep_vread(r, NULL, 1, 0, 2);
	ASSERT_EQ(2, ring_submit(r));
	ASSERT_EQ(0, ring_wait(r, 2));
	ASSERT_TRUE(ring_reap(r, &cqe));
	EXPECT_EQ(-ECANCELED, cqe.res);
	ASSERT_TRUE(ring_reap(r, &cqe));
	EXPECT_EQ(-EFAULT, cqe.res);
}

TEST_F(vdev, the_data_moves_at_the_end)
{
	struct ring *r = &self->r;
	struct aring_cqe cqe;
	char *p = page_alloc(PAGE), in[8] = "";

	ASSERT_EQ(0, vdev_fifo(r, MEDIUM, 2, 0));
	/* it is the pages that count, not the addresses */
	strcpy(p, "before");
	takes(prep_vwrite(r, p, 8, 0, 1), ms(100) * test_slow());
	ASSERT_EQ(1, ring_submit(r));
	EXPECT_EQ(8, run_vread(r, in, 8, 0));
	EXPECT_STREQ("", in);
	strcpy(p, "after");
	ASSERT_EQ(0, munmap(p, PAGE));
	ASSERT_EQ(0, ring_cqe(r, &cqe));
	EXPECT_EQ(8, cqe.res);
	EXPECT_EQ(8, run_vread(r, in, 8, 0));
	EXPECT_STREQ("after", in);
}

TEST_F(vdev, the_medium_is_the_rings_own)
{
	struct ring other;
	char b[4] = "abc";

	ASSERT_EQ(0, ring_init(&other, DEVICE, 8, 0));
	ASSERT_EQ(0, vdev_fifo(&self->r, PAGE, 1, 0));
	ASSERT_EQ(0, vdev_fifo(&other, PAGE, 1, 0));
	EXPECT_EQ(4, run_vwrite(&self->r, b, 4, 0));
	EXPECT_EQ(4, run_vread(&other, b, 4, 0));
	EXPECT_STREQ("", b);
	EXPECT_EQ(4, run_vread(&self->r, b, 4, 0));
	EXPECT_STREQ("abc", b);
	ring_exit(&other);
}

/* --- what it counts for -------------------------------------------------- */

/* A user of his own without CAP_IPC_LOCK, who may lock @n pages. */
static bool become(uid_t uid, unsigned int n)
{
	struct rlimit lim = { n * PAGE, n * PAGE };

	chmod(ARING_DEVICE, 0666);
	return !setrlimit(RLIMIT_MEMLOCK, &lim) &&
	       !setresgid(uid, uid, uid) && !setresuid(uid, uid, uid);
}

TEST_F(vdev, medium_and_transfers_count_as_locked)
{
	struct aring_vdev none = { 0 };
	struct aring_cqe cqe;
	struct ring r;
	char *p = page_alloc(32 * PAGE);

	ASSERT_TRUE(become(20101, 16));
	ASSERT_EQ(0, ring_init(&r, DEVICE, 8, 0));
	for (int i = 0; i < 20; i++) {
		EXPECT_EQ(-ENOMEM, vdev_fifo(&r, 16 * PAGE + 1, 1, 0));
		EXPECT_EQ(0, vdev_fifo(&r, 16 * PAGE, 1, 0));
		EXPECT_EQ(0, vdev_set(&r, &none));
	}
	ASSERT_EQ(0, vdev_fifo(&r, 8 * PAGE, 1, 0));
	/* the new one comes before the old one goes */
	EXPECT_EQ(-ENOMEM, vdev_fifo(&r, 9 * PAGE, 1, 0));
	for (int i = 0; i < 20; i++) {
		EXPECT_EQ(8 * PAGE, run_vread(&r, p, 8 * PAGE, 0));
		EXPECT_EQ(-ENOMEM, run_vread(&r, p + 1, 8 * PAGE, 0));
	}
	/* those that wait count as well, and no more when they are over */
	for (int i = 0; i < 3; i++)
		takes(prep_vread(&r, p, 4 * PAGE, 0, i), ms(50) * test_slow());
	ASSERT_EQ(3, ring_submit(&r));
	for (int i = 0; i < 3; i++) {
		ASSERT_EQ(0, ring_cqe(&r, &cqe));
		EXPECT_EQ((i + 2) % 3, cqe.user_data);
		EXPECT_EQ(i ? (int)(4 * PAGE) : -ENOMEM, cqe.res);
	}
	EXPECT_EQ(8 * PAGE, run_vread(&r, p, 8 * PAGE, 0));
	ring_exit(&r);
}

TEST_F(vdev, the_thread_of_sqpoll_counts_for_the_owner)
{
	struct aring_cqe cqe;
	struct ring r;
	char *p = page_alloc(16 * PAGE);

	ASSERT_TRUE(become(20102, 12));
	ASSERT_EQ(0, ring_init(&r, DEVICE, 8, ARING_SETUP_SQPOLL));
	ASSERT_EQ(0, vdev_fifo(&r, 8 * PAGE, 1, 0));
	for (int i = 0; i < 20; i++) {
		bool fits = i & 1;

		prep_vread(&r, p, (4 + !fits) * PAGE, 0, i);
		ring_enter(&r, ring_flush(&r), 0, ARING_ENTER_SQ_WAKEUP, NULL,
			   0);
		ASSERT_EQ(0, ring_cqe(&r, &cqe));
		CHECK_EQ(fits ? (int)(4 * PAGE) : -ENOMEM, cqe.res, "round %d",
			 i);
	}
	ring_exit(&r);
}

#define CGROUP	"/sys/fs/cgroup/vdev"

static bool put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool ok = write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	close(fd);
	return ok;
}

TEST_F(vdev, a_medium_counts_in_the_memory_cgroup)
{
	int status;
	pid_t pid;

	put("/sys/fs/cgroup/cgroup.subtree_control", "+memory");
	mkdir(CGROUP, 0755);
	if (!put(CGROUP "/memory.max", "16777216"))
		SKIP(return, "no memory cgroups here");
	put(CGROUP "/memory.swap.max", "0");
	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid) {
		struct ring r;

		if (!put(CGROUP "/cgroup.procs", "0") ||
		    ring_init(&r, DEVICE, 8, 0))
			_exit(1);
		/* said, and nobody is killed for it */
		if (vdev_fifo(&r, 64 << 20, 1, 0) != -ENOMEM)
			_exit(2);
		if (vdev_fifo(&r, 4 << 20, 1, 0))
			_exit(3);
		_exit(0);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	rmdir(CGROUP);
}

/* --- time ---------------------------------------------------------------- */

/* How long one request takes by the monotonic clock. */
static __u64 timed(struct ring *r, void *buf, unsigned int len, __u64 off,
		   __u64 own)
{
	struct aring_sqe *s = prep_vread(r, buf, len, off, 1);
	__u64 from = now_ns();

	if (own != UNSET)
		takes(s, own);
	if (ring_run(r) != (int)len)
		return UNSET;
	return now_ns() - from;
}

TEST_F(vdev, it_takes_its_time_on_the_real_clock)
{
	struct aring_vdev v = {
		.size = MEDIUM, .channels = 1, .base = ms(20),
		.per_byte = 1000000,	/* a microsecond */
		.per_distance = 2000000,
	};
	struct ring *r = &self->r;
	char *b = page_alloc(MEDIUM);
	const __u64 late = ms(60) * test_slow();
	__u64 t;

	ASSERT_EQ(0, vdev_set(r, &v));
	t = timed(r, b, 1, 0, UNSET);
	EXPECT_TRUE(t >= ms(20) && t < ms(20) + late);
	t = timed(r, b, 50000, 1, UNSET);
	EXPECT_TRUE(t >= ms(70) && t < ms(70) + late);
	/* 25 ms of way back */
	t = timed(r, b, 1, 50001 - 25000, UNSET);
	EXPECT_TRUE(t >= ms(70) && t < ms(70) + late);
	/* its own time is all that it takes */
	t = timed(r, b, 50000, 0, ms(5));
	EXPECT_TRUE(t >= ms(5) && t < ms(5) + late);
	t = timed(r, b, 50000, 0, 0);
	EXPECT_TRUE(t < late);
}

/* The times of a manual clock are exact. */
TEST_F(vdev, it_takes_its_time_on_a_virtual_clock)
{
	static const struct {
		__u64 base, per_byte, per_distance, own;
		unsigned int len;
		__u64 off, takes;
	} t[] = {
		{ 100, 0, 0, UNSET, 1, 0, 100 },
		{ 0, 0, 0, UNSET, 8, 0, 0 },
		/* picoseconds are rounded down, once */
		{ 7, 500, 0, UNSET, 3, 0, 8 },
		{ 0, 500, 500, UNSET, 3, 3, 3 },
		{ 0, 1000, 0, UNSET, 4096, 9, 4096 },
		{ 10, 0, 1000, UNSET, 1, 200, 210 },
		{ 10, 77, 1000, 12345, 1, 200, 12345 },
		/* what is too much to be told is very long */
		{ ~0ULL, 0, 0, UNSET, 1, 0, UNSET },
		{ 0, ~0ULL, 0, UNSET, 9, 0, UNSET },
	};
	char *b = page_alloc(MEDIUM);
	struct aring_cqe cqe;

	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++) {
		struct aring_vdev v = {
			.size = MEDIUM, .channels = 1, .base = t[i].base,
			.per_byte = t[i].per_byte,
			.per_distance = t[i].per_distance,
		};
		struct aring_sqe *s;
		struct ring one;
		__u64 end;

		ASSERT_EQ(0, ring_init(&one, DEVICE, 8, 0));
		ASSERT_EQ(0, clock_virtual(&one, 0));
		ASSERT_EQ(0, vdev_set(&one, &v));
		ASSERT_EQ(0, clock_advance(&one, 1000));
		s = prep_vread(&one, b, t[i].len, t[i].off, 1);
		if (t[i].own != UNSET)
			takes(s, t[i].own);
		ASSERT_EQ(1, ring_submit(&one));
		end = t[i].takes == UNSET ? LLONG_MAX : 1000 + t[i].takes;
		ASSERT_EQ(0, clock_advance(&one, 0));	/* it starts */
		if (t[i].takes) {
			NEED_TRUE(!ring_ready(&one), "case %zu", i);
			CHECK_EQ(end, clock_get(&one).next, "case %zu", i);
			ASSERT_EQ(0, clock_next(&one));	/* and ends */
		}
		CHECK_EQ(end, clock_time(&one), "case %zu", i);
		NEED_TRUE(ring_reap(&one, &cqe), "case %zu", i);
		CHECK_EQ((int)t[i].len, cqe.res, "case %zu", i);
		ring_exit(&one);
	}
}

RING_TEST_MAIN
