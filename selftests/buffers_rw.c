// SPDX-License-Identifier: MIT
/* READ_FIXED and WRITE_FIXED: ranges of registered buffers, all sorts of files. */
#include "resources.h"
#include "disk.h"
#include <sys/timerfd.h>

#define RD		ARING_OP_READ_FIXED
#define WR		ARING_OP_WRITE_FIXED
#define PAGE		4096UL

RING_FIXTURE(buffers_rw);

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

TEST_F(buffers_rw, ranges)
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
TEST_F(buffers_rw, what_ends_a_batch)
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

TEST_F(buffers_rw, tmpfs)
{
	int fd = temp_file("/tmp", 0);

	ASSERT_GE(fd, 0);
	scattered(_metadata, &self->r, fd, 4096);
	scattered(_metadata, &self->r, fd, 777);
	scattered(_metadata, &self->r, fd, 33333);
}

TEST_F_TIMEOUT(buffers_rw, ext4, 60)
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

TEST_F(buffers_rw, a_block_device_directly)
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

TEST_F(buffers_rw, positions_and_flags)
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

TEST_F(buffers_rw, wrong_mode_is_ebadf)
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

TEST_F(buffers_rw, pipes_and_sockets)
{
	int p[2], s[2];

	ASSERT_EQ(0, pipe2(p, O_CLOEXEC));
	stream(_metadata, &self->r, p[0], p[1]);
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, s));
	stream(_metadata, &self->r, s[0], s[1]);
}

TEST_F(buffers_rw, files_without_read_iter)
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

TEST_F_TIMEOUT(buffers_rw, large_buffers, 60)
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
