// SPDX-License-Identifier: MIT
/*
 * Registered buffers: the calls that make and change the table, which memory may
 * be registered, and READ_FIXED and WRITE_FIXED on all sorts of files. Buffers in
 * use, and what they count for: buffers_life.c.
 */
#include "resources.h"
#include "disk.h"
#include <sys/timerfd.h>

#define BUFFERS2	ARING_REGISTER_BUFFERS2
#define UPDATE		ARING_REGISTER_BUFFERS_UPDATE
#define RD		ARING_OP_READ_FIXED
#define WR		ARING_OP_WRITE_FIXED
#define PAGE		4096UL

RING_FIXTURE(buffers);

static int reg_one(struct ring *r, const void *p, size_t len)
{
	struct iovec v = { (void *)p, len };

	return reg_buffers(r, &v, 1);
}

/* What registering just this answers; it is not kept. */
static int try_buffer(struct ring *r, const void *p, size_t len)
{
	int ret = reg_one(r, p, len);

	if (!ret)
		ret = unreg_buffers(r);
	return ret;
}

static int temp_file(const char *dir, int flags)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/buffers-XXXXXX", dir);
	fd = mkostemp(path, O_CLOEXEC);
	if (fd >= 0 && flags) {
		close(fd);
		fd = open(path, flags | O_CLOEXEC);
	}
	unlink(path);
	return fd;
}

/* --- the table ----------------------------------------------------------- */

TEST_F(buffers, a_table_comes_and_goes)
{
	char *p = page_alloc(2 * PAGE);
	struct iovec v[2] = { { p, PAGE }, { p + PAGE, PAGE } };
	int fd = open("/dev/zero", O_RDWR);
	struct ring *r = &self->r;

	ASSERT_TRUE(p && fd >= 0);
	for (int i = 0; i < 3; i++) {
		EXPECT_EQ(-ENXIO, unreg_buffers(r));
		EXPECT_EQ(-EFAULT, run_fixed(r, RD, fd, p, 8, 0, 0));
		ASSERT_EQ(0, reg_buffers(r, v, 2));
		EXPECT_EQ(-EBUSY, reg_buffers(r, v, 2));
		EXPECT_EQ(-EBUSY, reg_buffers(r, v, 0));
		EXPECT_EQ(-EBUSY, reg_rsrc(r, BUFFERS2, v, NULL, 2, 0));
		p[0] = 1;
		p[PAGE] = 1;
		EXPECT_EQ(8, run_fixed(r, RD, fd, p, 8, 0, 0));
		EXPECT_EQ(8, run_fixed(r, RD, fd, p + PAGE, 8, 0, 1));
		EXPECT_EQ(0, p[0] | p[PAGE]);
		EXPECT_EQ(-EFAULT, run_fixed(r, RD, fd, p, 8, 0, 1));
		EXPECT_EQ(-EFAULT, run_fixed(r, RD, fd, p, 8, 0, 2));
		EXPECT_EQ(-EFAULT, run_fixed(r, RD, fd, p, 8, 0, 65535));
		ASSERT_EQ(0, unreg_buffers(r));
	}
}

TEST_F(buffers, bad_arguments_of_register_and_unregister)
{
	char *p = page_alloc(PAGE);
	struct iovec v = { p, PAGE };
	int op = ARING_REGISTER_BUFFERS;
	struct ring *r = &self->r;

	EXPECT_EQ(-EFAULT, ring_register(r, op, NULL, 1));
	EXPECT_EQ(-EFAULT, ring_register(r, op, NULL, 0));
	EXPECT_EQ(-EFAULT, ring_register(r, op, ptr(8), 1));
	EXPECT_EQ(-EINVAL, ring_register(r, op, &v, 0));
	EXPECT_EQ(-EINVAL, ring_register(r, op, &v, 16385));
	EXPECT_EQ(-EINVAL, ring_register(r, op, &v, UINT_MAX));
	op = ARING_UNREGISTER_BUFFERS;
	for (int i = 0; i < 2; i++) {
		EXPECT_EQ(-EINVAL, ring_register(r, op, &v, 0));
		EXPECT_EQ(-EINVAL, ring_register(r, op, NULL, 1));
		ASSERT_EQ(i ? -EBUSY : 0, reg_buffers(r, &v, 1));
	}
	EXPECT_EQ(0, unreg_buffers(r));
}

TEST_F(buffers, sixteen_thousand_at_most)
{
	struct iovec *v = calloc(16384, sizeof(*v));
	int fd = open("/dev/zero", O_RDWR);
	struct ring *r = &self->r;
	char *p = page_alloc(PAGE);

	ASSERT_TRUE(v && p && fd >= 0);
	for (int i = 0; i < 16384; i++)
		v[i] = (struct iovec) { p + i % 64 * 64, 64 };
	ASSERT_EQ(0, reg_buffers(r, v, 16384));
	p[64] = 1;
	EXPECT_EQ(64, run_fixed(r, RD, fd, p + 64, 64, 0, 16321));
	EXPECT_EQ(0, p[64]);
	EXPECT_EQ(-EFAULT, run_fixed(r, RD, fd, p, 64, 0, 16384));
	ASSERT_EQ(0, unreg_buffers(r));
	EXPECT_EQ(-EINVAL, reg_rsrc(r, BUFFERS2, NULL, NULL, 16385,
				    ARING_RSRC_REGISTER_SPARSE));
	EXPECT_EQ(0, reg_rsrc(r, BUFFERS2, NULL, NULL, 16384,
			      ARING_RSRC_REGISTER_SPARSE));
	free(v);
}

TEST_F(buffers, register2_checks_its_structure)
{
	struct aring_rsrc_register reg, good;
	char *p = page_alloc(PAGE);
	struct iovec v = { p, PAGE };
	struct ring *r = &self->r;
	__u64 tag = 7;

	good = (struct aring_rsrc_register) { .nr = 1, .data = (uintptr_t)&v };
	for (unsigned int size = 0; size < 65; size++) {
		if (size == sizeof(reg))
			continue;
		CHECK_EQ(-EINVAL, ring_register(r, BUFFERS2, &good, size),
			 "size %u", size);
	}
	EXPECT_EQ(-EFAULT, ring_register(r, BUFFERS2, NULL, sizeof(reg)));
	reg = good;
	reg.nr = 0;
	EXPECT_EQ(-EINVAL, ring_register(r, BUFFERS2, &reg, sizeof(reg)));
	reg = good;
	reg.resv2 = 1;
	EXPECT_EQ(-EINVAL, ring_register(r, BUFFERS2, &reg, sizeof(reg)));
	for (int bit = 1; bit < 32; bit++) {
		reg = good;
		reg.flags = 1U << bit;
		CHECK_EQ(-EINVAL, ring_register(r, BUFFERS2, &reg, sizeof(reg)),
			 "flag %d", bit);
	}
	EXPECT_EQ(-EINVAL, reg_rsrc(r, BUFFERS2, &v, NULL, 1,
				    ARING_RSRC_REGISTER_SPARSE));
	EXPECT_EQ(-EFAULT, reg_rsrc(r, BUFFERS2, ptr(8), NULL, 1, 0));
	EXPECT_EQ(-EFAULT, reg_rsrc(r, BUFFERS2, &v, ptr(8), 1, 0));
	/* an empty slot has no tag */
	EXPECT_EQ(-EINVAL, reg_rsrc(r, BUFFERS2, NULL, &tag, 1,
				    ARING_RSRC_REGISTER_SPARSE));
	v = (struct iovec) { NULL, 0 };
	EXPECT_EQ(-EINVAL, reg_rsrc(r, BUFFERS2, &v, &tag, 1, 0));
	EXPECT_EQ(-ENXIO, unreg_buffers(r));
	EXPECT_EQ(0, reg_rsrc(r, BUFFERS2, &v, NULL, 1, 0));
}

TEST_F(buffers, empty_slots)
{
	int fd = open("/dev/zero", O_RDWR);
	char *p = page_alloc(PAGE);
	struct iovec v[3] = { { NULL, 0 }, { p, PAGE }, { NULL, 0 } };
	struct ring *r = &self->r;

	ASSERT_TRUE(p && fd >= 0);
	for (int how = 0; how < 3; how++) {
		/* without data the flag is not needed, as on Linux 6.1 */
		ASSERT_EQ(0, how == 0 ? reg_buffers(r, v, 3) :
			  reg_rsrc(r, BUFFERS2, NULL, NULL, 3, how == 1 ?
				   ARING_RSRC_REGISTER_SPARSE : 0));
		for (int i = 0; i < 3; i += 2) {
			EXPECT_EQ(-EFAULT, run_fixed(r, RD, fd, p, 8, 0, i));
			EXPECT_EQ(-EFAULT, run_fixed(r, RD, fd, NULL, 0, 0, i));
			EXPECT_EQ(-EFAULT, run_fixed(r, WR, fd, ptr(-1), 0, 0,
						     i));
		}
		if (how)
			EXPECT_EQ(1, update_rsrc(r, UPDATE, 1, &v[1], NULL, 1));
		p[0] = 1;
		EXPECT_EQ(8, run_fixed(r, RD, fd, p, 8, 0, 1));
		EXPECT_EQ(0, p[0]);
		ASSERT_EQ(0, unreg_buffers(r));
	}
}

/* --- updates ------------------------------------------------------------- */

TEST_F(buffers, update_replaces_and_empties)
{
	char *p = page_alloc(4 * PAGE);
	int fd = open("/dev/zero", O_RDWR);
	struct iovec v[2] = { { p, PAGE }, { p + PAGE, PAGE } };
	struct iovec up[2] = { { p + 2 * PAGE, PAGE }, { NULL, 0 } };
	struct ring *r = &self->r;

	ASSERT_TRUE(p && fd >= 0);
	EXPECT_EQ(-ENXIO, update_rsrc(r, UPDATE, 0, v, NULL, 1));
	ASSERT_EQ(0, reg_buffers(r, v, 2));
	EXPECT_EQ(2, update_rsrc(r, UPDATE, 0, up, NULL, 2));
	EXPECT_EQ(-EFAULT, run_fixed(r, RD, fd, p, 8, 0, 0));
	EXPECT_EQ(8, run_fixed(r, RD, fd, p + 2 * PAGE, 8, 0, 0));
	EXPECT_EQ(-EFAULT, run_fixed(r, RD, fd, p + PAGE, 8, 0, 1));
	EXPECT_EQ(1, update_rsrc(r, UPDATE, 1, v, NULL, 1));
	EXPECT_EQ(8, run_fixed(r, RD, fd, p, 8, 0, 1));
	EXPECT_TRUE(ring_quiet(r, 10));
}

TEST_F(buffers, update_stops_at_the_first_error)
{
	char *p = page_alloc(4 * PAGE);
	int fd = open("/dev/zero", O_RDWR);
	struct iovec v[3] = {
		{ p, PAGE }, { p + PAGE, PAGE }, { p + 2 * PAGE, PAGE },
	};
	struct iovec up[3] = {
		{ p + 3 * PAGE, PAGE }, { ptr(PAGE), PAGE },
		{ p + 3 * PAGE, PAGE },
	};
	struct ring *r = &self->r;

	ASSERT_TRUE(p && fd >= 0);
	ASSERT_EQ(0, reg_buffers(r, v, 3));
	EXPECT_EQ(1, update_rsrc(r, UPDATE, 0, up, NULL, 3));
	EXPECT_EQ(8, run_fixed(r, RD, fd, p + 3 * PAGE, 8, 0, 0));
	/* a buffer, unlike a file, stays until there is another */
	EXPECT_EQ(8, run_fixed(r, RD, fd, p + PAGE, 8, 0, 1));
	EXPECT_EQ(8, run_fixed(r, RD, fd, p + 2 * PAGE, 8, 0, 2));
	EXPECT_EQ(-EFAULT, update_rsrc(r, UPDATE, 1, &up[1], NULL, 1));
	EXPECT_EQ(8, run_fixed(r, RD, fd, p + PAGE, 8, 0, 1));
}

TEST_F(buffers, bad_arguments_of_update)
{
	char *p = page_alloc(PAGE);
	struct iovec v[2] = { { p, PAGE }, { p, PAGE } }, none = { NULL, 0 };
	struct aring_rsrc_update2 good = { .data = (uintptr_t)v, .nr = 1 }, up;
	int fd = open("/dev/zero", O_RDWR);
	struct ring *r = &self->r;
	__u64 tag = 7;

	ASSERT_EQ(0, reg_buffers(r, v, 2));
	for (unsigned int size = 0; size < 65; size++) {
		if (size == sizeof(up))
			continue;
		CHECK_EQ(-EINVAL, ring_register(r, UPDATE, &good, size),
			 "size %u", size);
	}
	EXPECT_EQ(-EFAULT, ring_register(r, UPDATE, NULL, sizeof(up)));
	EXPECT_EQ(-EFAULT, ring_register(r, UPDATE, ptr(8), sizeof(up)));
	up = good;
	up.nr = 0;
	EXPECT_EQ(-EINVAL, ring_register(r, UPDATE, &up, sizeof(up)));
	up = good;
	up.resv = 1;
	EXPECT_EQ(-EINVAL, ring_register(r, UPDATE, &up, sizeof(up)));
	up = good;
	up.resv2 = 1;
	EXPECT_EQ(-EINVAL, ring_register(r, UPDATE, &up, sizeof(up)));
	EXPECT_EQ(-EINVAL, update_rsrc(r, UPDATE, 2, v, NULL, 1));
	EXPECT_EQ(-EINVAL, update_rsrc(r, UPDATE, 1, v, NULL, 2));
	EXPECT_EQ(-EOVERFLOW, update_rsrc(r, UPDATE, UINT_MAX, v, NULL, 1));
	EXPECT_EQ(-EFAULT, update_rsrc(r, UPDATE, 0, NULL, NULL, 1));
	EXPECT_EQ(-EFAULT, update_rsrc(r, UPDATE, 0, ptr(8), NULL, 1));
	EXPECT_EQ(-EFAULT, update_rsrc(r, UPDATE, 0, v, ptr(8), 1));
	EXPECT_EQ(-EINVAL, update_rsrc(r, UPDATE, 0, &none, &tag, 1));
	EXPECT_EQ(8, run_fixed(r, RD, fd, p, 8, 0, 0));
	tag = 0;
	EXPECT_EQ(1, update_rsrc(r, UPDATE, 0, &none, &tag, 1));
	EXPECT_EQ(-EFAULT, run_fixed(r, RD, fd, p, 8, 0, 0));
}

/* --- which memory -------------------------------------------------------- */

TEST_F(buffers, bad_ranges)
{
	unsigned long huge = (1UL << 30) + 1;
	char *p = page_alloc(3 * PAGE), *big;
	struct ring *r = &self->r;

	ASSERT_NE(NULL, p);
	EXPECT_EQ(0, try_buffer(r, NULL, 0));
	EXPECT_EQ(-EFAULT, try_buffer(r, NULL, 1));
	EXPECT_EQ(-EFAULT, try_buffer(r, p, 0));
	EXPECT_EQ(0, try_buffer(r, p + 1, 1));
	EXPECT_EQ(0, try_buffer(r, p + 4095, 2));
	EXPECT_EQ(-EFAULT, try_buffer(r, ptr(8), 8));
	EXPECT_EQ(-EFAULT, try_buffer(r, ptr(0xffff888000000000), 8));
	EXPECT_EQ(-EFAULT, try_buffer(r, ptr(0xffffffff81000000), 8));
	EXPECT_EQ(-EOVERFLOW, try_buffer(r, ptr(-8), 8));
	EXPECT_EQ(-EOVERFLOW, try_buffer(r, ptr(-4096), 1));
	big = mmap(NULL, 2 * huge, PROT_READ | PROT_WRITE, MAP_PRIVATE |
		   MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	ASSERT_NE(MAP_FAILED, big);
	EXPECT_EQ(-EFAULT, try_buffer(r, big, huge));
	EXPECT_EQ(-EFAULT, try_buffer(r, big, 2 * huge));
	EXPECT_EQ(-EFAULT, try_buffer(r, big, ULONG_MAX));
	EXPECT_EQ(-EFAULT, try_buffer(r, big, LONG_MAX));
	/* a hole, at the end and in the middle */
	ASSERT_EQ(0, munmap(p + PAGE, PAGE));
	EXPECT_EQ(0, try_buffer(r, p, PAGE));
	EXPECT_EQ(-EFAULT, try_buffer(r, p, PAGE + 1));
	EXPECT_EQ(-EFAULT, try_buffer(r, p, 3 * PAGE));
	/* the kernel must be able to write to it */
	ASSERT_EQ(0, mprotect(p, PAGE, PROT_READ));
	EXPECT_EQ(-EFAULT, try_buffer(r, p, PAGE));
	ASSERT_EQ(0, mprotect(p, PAGE, PROT_NONE));
	EXPECT_EQ(-EFAULT, try_buffer(r, p, PAGE));
}

TEST_F(buffers, a_bad_one_leaves_nothing_half_done)
{
	char *p = page_alloc(2 * PAGE);
	struct iovec v[3] = { { p, PAGE }, { p + PAGE, PAGE }, { p, 0 } };
	int fd = open("/dev/zero", O_RDWR);
	struct ring *r = &self->r;

	EXPECT_EQ(-EFAULT, reg_buffers(r, v, 3));
	EXPECT_EQ(-EFAULT, reg_rsrc(r, BUFFERS2, v, NULL, 3, 0));
	EXPECT_EQ(-ENXIO, unreg_buffers(r));
	EXPECT_EQ(-EFAULT, run_fixed(r, RD, fd, p, 8, 0, 0));
	EXPECT_EQ(0, reg_buffers(r, v, 2));
	EXPECT_EQ(8, run_fixed(r, RD, fd, p, 8, 0, 0));
}

static void *map_file(int fd, int flags)
{
	void *p = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, flags, fd, 0);

	return p == MAP_FAILED ? NULL : p;
}

TEST_F_TIMEOUT(buffers, memory_of_files, 60)
{
	const char *dir = disk_ext4("ext4", 64);
	struct ring *r = &self->r;
	int ext4, mem, shm, zero;
	char *p;

	ASSERT_NE(NULL, dir);
	ext4 = temp_file(dir, 0);
	shm = temp_file("/tmp", 0);
	mem = memfd_create("buffers", MFD_CLOEXEC);
	zero = open("/dev/zero", O_RDWR | O_CLOEXEC);
	ASSERT_TRUE(ext4 >= 0 && shm >= 0 && mem >= 0 && zero >= 0);
	ASSERT_EQ(0, ftruncate(ext4, 2 * PAGE) | ftruncate(shm, 2 * PAGE) |
		     ftruncate(mem, 2 * PAGE));
	EXPECT_EQ(-EOPNOTSUPP, try_buffer(r, map_file(ext4, MAP_SHARED), PAGE));
	/* a private copy would be as good as anonymous memory, but no */
	EXPECT_EQ(-EOPNOTSUPP, try_buffer(r, map_file(ext4, MAP_PRIVATE), PAGE));
	EXPECT_EQ(-EOPNOTSUPP, try_buffer(r, map_file(zero, MAP_PRIVATE), PAGE));
	/* memory of tmpfs is memory */
	EXPECT_EQ(0, try_buffer(r, map_file(shm, MAP_SHARED), 2 * PAGE));
	EXPECT_EQ(0, try_buffer(r, map_file(shm, MAP_PRIVATE), 2 * PAGE));
	EXPECT_EQ(0, try_buffer(r, map_file(mem, MAP_SHARED), 2 * PAGE));
	EXPECT_EQ(0, try_buffer(r, map_file(zero, MAP_SHARED), 2 * PAGE));
	EXPECT_EQ(0, try_buffer(r, map_file(-1, MAP_SHARED | MAP_ANONYMOUS),
				2 * PAGE));
	/* past the end of the file there is none */
	p = map_file(mem, MAP_SHARED);
	ASSERT_EQ(0, ftruncate(mem, PAGE));
	EXPECT_EQ(-EFAULT, try_buffer(r, p, 2 * PAGE));
	EXPECT_EQ(0, try_buffer(r, p, PAGE));
	/* all of one kind */
	p = page_alloc(2 * PAGE);
	ASSERT_EQ(p, mmap(p, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED |
			  MAP_FIXED, shm, 0));
	EXPECT_EQ(-EINVAL, try_buffer(r, p, 2 * PAGE));
	ASSERT_EQ(p, mmap(p, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED |
			  MAP_FIXED, ext4, 0));
	EXPECT_EQ(-EOPNOTSUPP, try_buffer(r, p, 2 * PAGE));
	ASSERT_EQ(p + PAGE, mmap(p + PAGE, PAGE, PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_FIXED, shm, 0));
	EXPECT_EQ(-EOPNOTSUPP, try_buffer(r, p, 2 * PAGE));
}

/* A ring that held its own pages would keep itself. */
TEST_F(buffers, the_rings_own_memory_is_refused)
{
	struct ring *r = &self->r;

	EXPECT_GT(0, try_buffer(r, r->rings, PAGE));
	EXPECT_GT(0, try_buffer(r, r->sqes, PAGE));
}

static void round_trip(struct __test_metadata *_metadata, struct ring *r,
		       char *p, size_t len)
{
	int fd = temp_file("/tmp", 0);
	char *copy = malloc(len);

	ASSERT_TRUE(fd >= 0 && copy);
	ASSERT_EQ(0, reg_one(r, p, len));
	pattern_fill(p, len, 0, 1);
	EXPECT_EQ((int)len, run_fixed(r, WR, fd, p, len, 0, 0));
	ASSERT_EQ((ssize_t)len, pread(fd, copy, len, 0));
	EXPECT_EQ(-1, pattern_check(copy, len, 0, 1));
	pattern_fill(copy, len, 0, 2);
	ASSERT_EQ((ssize_t)len, pwrite(fd, copy, len, 0));
	EXPECT_EQ((int)len, run_fixed(r, RD, fd, p, len, 0, 0));
	EXPECT_EQ(-1, pattern_check(p, len, 0, 2));
	EXPECT_EQ(0, unreg_buffers(r));
	free(copy);
	close(fd);
}

TEST_F(buffers, several_mappings)
{
	char *p = page_alloc(6 * PAGE);

	ASSERT_NE(NULL, p);
	ASSERT_EQ(0, mprotect(p + 2 * PAGE, PAGE, PROT_READ | PROT_WRITE |
			      PROT_EXEC));
	ASSERT_EQ(0, madvise(p + 4 * PAGE, PAGE, MADV_DONTFORK));
	round_trip(_metadata, &self->r, p, 6 * PAGE);
	round_trip(_metadata, &self->r, p + 100, 6 * PAGE - 300);
}

TEST_F(buffers, huge_pages)
{
	enum { HUGE = 2 << 20 };
	int fd = open("/proc/sys/vm/nr_hugepages", O_WRONLY);
	char *p;

	if (fd < 0)
		SKIP(return, "this kernel has no huge pages");
	ASSERT_EQ(1, write(fd, "4", 1));
	p = mmap(NULL, 2 * HUGE, PROT_READ | PROT_WRITE, MAP_PRIVATE |
		 MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
	if (p == MAP_FAILED) {
		ASSERT_EQ(1, write(fd, "0", 1));
		SKIP(return, "no memory for huge pages");
	}
	round_trip(_metadata, &self->r, p, 2 * HUGE);
	round_trip(_metadata, &self->r, p + 12345, HUGE);
	munmap(p, 2 * HUGE);
	EXPECT_EQ(1, write(fd, "0", 1));
	close(fd);
	/* and those that come unasked */
	p = page_alloc(3 * HUGE);
	ASSERT_NE(NULL, p);
	madvise(p, 3 * HUGE, MADV_HUGEPAGE);
	round_trip(_metadata, &self->r, p + 4097, 2 * HUGE + 8000);
}

/* --- reading and writing ------------------------------------------------- */

TEST_F(buffers, ranges)
{
	/* buffers that begin and end within a page, and one of a few bytes */
	static const struct { size_t at, len; } t[] = {
		{ 0, 3 * PAGE }, { 100, 2 * PAGE }, { 4000, 97 }, { 4095, 2 },
		{ 1, 4 * PAGE - 2 },
	};
	char *p = page_alloc(4 * PAGE), *out = malloc(4 * PAGE);
	int fd = temp_file("/tmp", 0), zero = open("/dev/zero", O_RDWR);
	struct ring *r = &self->r;

	ASSERT_TRUE(p && out && fd >= 0 && zero >= 0);
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		size_t len = t[i].len;
		char *b = p + t[i].at;
		const size_t from[] = { 0, 1, len / 2, len - 1,
					len > PAGE ? PAGE - t[i].at % PAGE : 0,
					len > PAGE ? PAGE : 0, len };

		ASSERT_EQ(0, reg_one(r, b, len));
		for (size_t k = 0; k < ARRAY_SIZE(from); k++) {
			size_t n = len - from[k];

			pattern_fill(p, 4 * PAGE, 0, k);
			CHECK_EQ((int)n, run_fixed(r, WR, fd, b + from[k], n,
						   0, 0), "%d from %zu",
				 (int)i, from[k]);
			ASSERT_EQ((ssize_t)n, pread(fd, out, n, 0));
			CHECK_EQ(-1, pattern_check(out, n, t[i].at + from[k],
						   k), "%d from %zu", (int)i,
				 from[k]);
			CHECK_EQ((int)n, run_fixed(r, RD, zero, b + from[k], n,
						   0, 0), "%d from %zu",
				 (int)i, from[k]);
			/* to the byte: what is around it is untouched */
			for (size_t x = 0; x < n; x++)
				ASSERT_EQ(0, b[from[k] + x]);
			EXPECT_EQ(-1, pattern_check(p, t[i].at + from[k], 0,
						    k));
			EXPECT_EQ(-1, pattern_check(b + len, 4 * PAGE -
						    t[i].at - len,
						    t[i].at + len, k));
		}
		EXPECT_EQ(-EFAULT, run_fixed(r, RD, zero, b - 1, 1, 0, 0));
		EXPECT_EQ(-EFAULT, run_fixed(r, RD, zero, b - 1, len, 0, 0));
		EXPECT_EQ(-EFAULT, run_fixed(r, RD, zero, b, len + 1, 0, 0));
		EXPECT_EQ(-EFAULT, run_fixed(r, WR, zero, b + len, 1, 0, 0));
		EXPECT_EQ(-EFAULT, run_fixed(r, WR, zero, b + 1, len, 0, 0));
		EXPECT_EQ(-EFAULT, run_fixed(r, WR, zero, b + len + 1, 0, 0, 0));
		EXPECT_EQ(-EFAULT, run_fixed(r, RD, zero, b, UINT_MAX, 0, 0));
		EXPECT_EQ(-EFAULT, run_fixed(r, RD, zero, ptr(-1), 2, 0, 0));
		EXPECT_EQ(-EFAULT, run_fixed(r, RD, zero, NULL, 0, 0, 0));
		ASSERT_EQ(0, unreg_buffers(r));
	}
}

/* A wrong slot is found while the SQE is taken, a wrong range when it runs. */
TEST_F(buffers, what_ends_a_batch)
{
	int fd = open("/dev/zero", O_RDWR);
	char *p = page_alloc(PAGE);
	struct ring *r = &self->r;
	struct aring_cqe cqe;

	ASSERT_EQ(0, reg_one(r, p, PAGE));
	prep_fixed(r, RD, fd, p, PAGE + 1, 0, 0);
	prep_nop(r, 2);
	ASSERT_EQ(2, ring_submit(r));
	ASSERT_EQ(0, ring_cqe(r, &cqe));
	EXPECT_EQ(-EFAULT, cqe.res);
	ASSERT_EQ(0, ring_cqe(r, &cqe));
	EXPECT_EQ(2, cqe.user_data);
	prep_fixed(r, RD, fd, p, PAGE, 0, 1);
	prep_nop(r, 2);
	ASSERT_EQ(1, ring_submit(r));
	ASSERT_EQ(0, ring_cqe(r, &cqe));
	EXPECT_EQ(-EFAULT, cqe.res);
	EXPECT_TRUE(ring_quiet(r, 10));
	ASSERT_EQ(1, ring_submit(r));
	ASSERT_EQ(0, ring_cqe(r, &cqe));
	EXPECT_EQ(2, cqe.user_data);
	/* a bad slot before a bad descriptor */
	EXPECT_EQ(-EFAULT, run_fixed(r, RD, -1, p, PAGE, 0, 1));
	EXPECT_EQ(-EBADF, run_fixed(r, RD, -1, p, PAGE + 1, 0, 0));
}

/* In pieces of odd sizes, many at once, each at its place in one buffer. */
static void scattered(struct __test_metadata *_metadata, struct ring *r, int fd,
		      size_t piece)
{
	enum { N = 40 };
	static const __u8 flags[] = { 0, ARING_SQE_ASYNC };
	size_t len = N * piece;
	char *p = page_alloc(2 * len);
	struct iovec v[2] = { { p, len }, { p + len, len } };
	struct aring_cqe cqe;

	ASSERT_NE(NULL, p);
	ASSERT_EQ(0, reg_buffers(r, v, 2));
	for (int k = 0; k < 2; k++) {
		pattern_fill(p, len, 0, k);
		memset(p + len, 0, len);
		for (int dir = 0; dir < 2; dir++) {
			for (int i = 0; i < N; i++) {
				size_t at = i * 7 % N * piece;

				prep_fixed(r, dir ? RD : WR, fd,
					   p + dir * len + at, piece, at, dir)
					->flags = flags[k];
			}
			ASSERT_EQ(N, ring_submit(r));
			for (int i = 0; i < N; i++) {
				ASSERT_EQ(0, ring_cqe(r, &cqe));
				CHECK_EQ((int)piece, cqe.res, "flags %#x",
					 flags[k]);
			}
		}
		CHECK_EQ(-1, pattern_check(p + len, len, 0, k), "flags %#x",
			 flags[k]);
	}
	ASSERT_EQ(0, unreg_buffers(r));
	munmap(p, 2 * len);
}

TEST_F(buffers, tmpfs)
{
	int fd = temp_file("/tmp", 0);

	ASSERT_GE(fd, 0);
	scattered(_metadata, &self->r, fd, 4096);
	scattered(_metadata, &self->r, fd, 777);
	scattered(_metadata, &self->r, fd, 33333);
}

TEST_F_TIMEOUT(buffers, ext4, 60)
{
	const char *dir = disk_ext4("ext4", 64);
	int fd;

	ASSERT_NE(NULL, dir);
	fd = temp_file(dir, 0);
	ASSERT_GE(fd, 0);
	scattered(_metadata, &self->r, fd, 4096);
	scattered(_metadata, &self->r, fd, 777);
	ASSERT_EQ(0, fsync(fd));
	ASSERT_EQ(0, posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED));
	scattered(_metadata, &self->r, fd, 33333);
	fd = temp_file(dir, O_RDWR | O_DIRECT);
	ASSERT_GE(fd, 0);
	scattered(_metadata, &self->r, fd, 4096);
	scattered(_metadata, &self->r, fd, 12288);
}

TEST_F(buffers, a_block_device_directly)
{
	int fd = open(NULLB, O_RDWR | O_DIRECT | O_CLOEXEC);
	char *p = page_alloc(2 * PAGE);
	struct ring *r = &self->r;

	ASSERT_GE(fd, 0);
	scattered(_metadata, r, fd, 4096);
	scattered(_metadata, r, fd, 512);
	scattered(_metadata, r, fd, 65536);
	ASSERT_EQ(0, reg_one(r, p, 2 * PAGE));
	EXPECT_EQ(-EINVAL, run_fixed(r, RD, fd, p + 1, 512, 0, 0));
	EXPECT_EQ(-EINVAL, run_fixed(r, RD, fd, p, 511, 0, 0));
	EXPECT_EQ(-EINVAL, run_fixed(r, RD, fd, p, 512, 1, 0));
	EXPECT_EQ(4096, run_fixed(r, RD, fd, p + 512, 4096, 0, 0));
}

TEST_F(buffers, positions_and_flags)
{
	int fd = temp_file("/tmp", 0);
	char *p = page_alloc(PAGE), b[16] = "";
	struct ring *r = &self->r;

	ASSERT_TRUE(p && fd >= 0);
	ASSERT_EQ(0, reg_one(r, p, PAGE));
	strcpy(p, "abcdef");
	EXPECT_EQ(3, run_fixed(r, WR, fd, p, 3, -1, 0));
	EXPECT_EQ(3, run_fixed(r, WR, fd, p + 3, 3, -1, 0));
	ASSERT_EQ(6, pread(fd, b, 8, 0));
	EXPECT_STREQ("abcdef", b);
	EXPECT_EQ(0, run_fixed(r, RD, fd, p, 8, -1, 0));
	EXPECT_EQ(2, lseek(fd, 2, SEEK_SET));
	EXPECT_EQ(4, run_fixed(r, RD, fd, p, 8, -1, 0));
	EXPECT_EQ(0, memcmp(p, "cdefef", 6));
	EXPECT_EQ(-EINVAL, run_fixed(r, RD, fd, p, 8, -2, 0));
	prep_fixed(r, WR, fd, p, 2, 0, 0)->rw_flags = RWF_APPEND;
	EXPECT_EQ(2, ring_run(r));
	ASSERT_EQ(8, pread(fd, b, 8, 0));
	EXPECT_STREQ("abcdefcd", b);
	prep_fixed(r, RD, fd, p, 2, 0, 0)->rw_flags = 1U << 31;
	EXPECT_EQ(-EOPNOTSUPP, ring_run(r));
	/* a registered file and a registered buffer together */
	ASSERT_EQ(0, reg_files(r, &fd, 1));
	prep_fixed(r, RD, 0, p, 6, 2, 0)->flags = ARING_SQE_FIXED_FILE;
	EXPECT_EQ(6, ring_run(r));
	EXPECT_EQ(0, memcmp(p, "cdefcd", 6));
}

TEST_F(buffers, wrong_mode_is_ebadf)
{
	int wr = open("/tmp", O_TMPFILE | O_WRONLY, 0600);
	int rd = open("/proc/self/exe", O_RDONLY);
	char *p = page_alloc(PAGE);

	ASSERT_EQ(0, reg_one(&self->r, p, PAGE));
	EXPECT_EQ(-EBADF, run_fixed(&self->r, RD, wr, p, 8, 0, 0));
	EXPECT_EQ(-EBADF, run_fixed(&self->r, WR, rd, p, 8, 0, 0));
}

/* Written at @wr, read at @rd, the read waiting for it. */
static void stream(struct __test_metadata *_metadata, struct ring *r, int rd,
		   int wr)
{
	static const __u8 flags[] = { 0, ARING_SQE_ASYNC };
	char *p = page_alloc(4 * PAGE);
	struct aring_cqe cqe;

	ASSERT_EQ(0, reg_one(r, p, 4 * PAGE));
	for (int k = 0; k < 2; k++) {
		memset(p, 0, 4 * PAGE);
		prep_fixed(r, RD, rd, p + 4000, 1000, 0, 0)->flags = flags[k];
		ASSERT_EQ(1, ring_submit(r));
		EXPECT_TRUE(ring_quiet(r, 20));
		pattern_fill(p + 2 * PAGE, 200, 0, k);
		prep_fixed(r, WR, wr, p + 2 * PAGE, 200, 0, 0)->flags = flags[k];
		ASSERT_EQ(1, ring_submit(r));
		for (int i = 0; i < 2; i++) {
			ASSERT_EQ(0, ring_cqe(r, &cqe));
			CHECK_EQ(200, cqe.res, "flags %#x", flags[k]);
		}
		EXPECT_EQ(-1, pattern_check(p + 4000, 200, 0, k));
	}
	ASSERT_EQ(0, unreg_buffers(r));
}

TEST_F(buffers, pipes_and_sockets)
{
	int p[2], s[2];

	ASSERT_EQ(0, pipe2(p, O_CLOEXEC));
	stream(_metadata, &self->r, p[0], p[1]);
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, s));
	stream(_metadata, &self->r, s[0], s[1]);
}

TEST_F(buffers, files_without_read_iter)
{
	struct itimerspec its = { .it_value = { .tv_nsec = 1000000 } };
	int tfd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	int ver = open("/proc/version", O_RDONLY);
	char *p = page_alloc(PAGE), b[256];
	struct ring *r = &self->r;
	struct aring_cqe cqe;
	ssize_t n;

	ASSERT_TRUE(tfd >= 0 && ver >= 0);
	ASSERT_EQ(0, reg_one(r, p, PAGE));
	prep_fixed(r, RD, tfd, p + 16, 8, 0, 0);
	ASSERT_EQ(1, ring_submit(r));
	EXPECT_TRUE(ring_quiet(r, 10));
	ASSERT_EQ(0, timerfd_settime(tfd, 0, &its, NULL));
	ASSERT_EQ(0, ring_cqe(r, &cqe));
	EXPECT_EQ(8, cqe.res);
	EXPECT_EQ(1, p[16]);
	n = pread(ver, b, sizeof(b), 0);
	ASSERT_GT(n, 8);
	EXPECT_EQ(n, run_fixed(r, RD, ver, p, sizeof(b), 0, 0));
	EXPECT_EQ(0, memcmp(p, b, n));
}

TEST_F_TIMEOUT(buffers, large_buffers, 60)
{
	enum { N = 8 << 20 };
	int fd = temp_file("/tmp", 0);
	char *p = page_alloc(N + PAGE), *copy = malloc(N);

	ASSERT_TRUE(fd >= 0 && p && copy);
	ASSERT_EQ(0, reg_one(&self->r, p + 5, N));
	pattern_fill(p + 5, N, 0, 1);
	EXPECT_EQ(N, run_fixed(&self->r, WR, fd, p + 5, N, 0, 0));
	ASSERT_EQ(N, pread(fd, copy, N, 0));
	EXPECT_EQ(-1, pattern_check(copy, N, 0, 1));
	memset(p + 5, 0, N);
	EXPECT_EQ(N - 5000, run_fixed(&self->r, RD, fd, p + 5005, N - 5000,
				      5000, 0));
	EXPECT_EQ(-1, pattern_check(p + 5005, N - 5000, 5000, 1));
}

RING_TEST_MAIN
