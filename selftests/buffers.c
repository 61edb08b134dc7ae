// SPDX-License-Identifier: MIT
/*
 * Registered buffers: the calls that make and change the table, and which memory
 * may be registered. Transfers: buffers_rw.c; buffers in use, and what they
 * count for: buffers_life.c.
 */
#include "resources.h"
#include "disk.h"

#define BUFFERS2	ARING_REGISTER_BUFFERS2
#define UPDATE		ARING_REGISTER_BUFFERS_UPDATE
#define RD		ARING_OP_READ_FIXED
#define WR		ARING_OP_WRITE_FIXED
#define PAGE		4096UL

RING_FIXTURE(buffers);

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
	/* Later kernels refuse to pin it before anybody looks what it is. */
	int file = test_oracle_here() ? -EOPNOTSUPP : -EFAULT;
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
	EXPECT_EQ(file, try_buffer(r, map_file(ext4, MAP_SHARED), PAGE));
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
	EXPECT_EQ(file, try_buffer(r, p, 2 * PAGE));
	ASSERT_EQ(p + PAGE, mmap(p + PAGE, PAGE, PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_FIXED, shm, 0));
	EXPECT_EQ(file, try_buffer(r, p, 2 * PAGE));
}

/* A ring that held its own pages would keep itself. */
TEST_F(buffers, the_rings_own_memory_is_refused)
{
	struct ring *r = &self->r;
	void *own[2] = { r->rings, r->sqes };
	int ret;

	EXPECT_EQ(0, try_buffer(r, page_alloc(PAGE), PAGE));
	for (int i = 0; i < 2; i++) {
		/* memory that cannot be pinned, or that is a file's */
		ret = try_buffer(r, own[i], PAGE);
		CHECK_TRUE(ret == -EFAULT || ret == -EOPNOTSUPP, "%d: %d", i,
			   ret);
	}
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

RING_TEST_MAIN
