// SPDX-License-Identifier: MIT
/*
 * Reads, writes and fsync on all sorts of files: results, data, positions,
 * flags and errors, on the device and on io_uring alike.
 */
#include "ring.h"
#include "disk.h"
#include "kmsg.h"
#include <poll.h>
#include <netinet/in.h>
#include <arpa/inet.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <linux/fs.h>
#include <linux/ioprio.h>

RING_FIXTURE(rw);

/* Each operation is also asked not to be tried inline first. */
static const __u8 FLAGS[] = { 0, ARING_SQE_ASYNC };

static int run(struct ring *r, int op, int fd, const void *addr, unsigned int len,
	       __u64 off, __u8 flags)
{
	prep(r, op, fd, addr, len, off, 0x1234)->flags = flags;
	return ring_run(r);
}

static int run_rwf(struct ring *r, int op, int fd, const void *addr,
		   unsigned int len, __u64 off, __u32 rwf)
{
	prep(r, op, fd, addr, len, off, 0x2345)->rw_flags = rwf;
	return ring_run(r);
}

/* An unlinked file in @dir. */
static int temp_file(const char *dir, int flags)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/rw-XXXXXX", dir);
	fd = mkostemp(path, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (flags) {
		close(fd);
		fd = open(path, flags | O_CLOEXEC);
	}
	unlink(path);
	return fd < 0 ? -errno : fd;
}

static void *page_alloc(size_t len)
{
	void *p = mmap(NULL, len, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

/* Write and read back in blocks of odd sizes, by single buffer and by iovec. */
static void round_trip(struct __test_metadata *_metadata, struct ring *r,
		       int fd, __u8 flags)
{
	enum { N = 70001 };
	char *out = malloc(N), *in = malloc(N);
	struct iovec wv[3] = {
		{ out, 5 }, { out + 5, 40000 }, { out + 40005, N - 40005 },
	};
	struct iovec rv[3] = {
		{ in, 33333 }, { in + 33333, 1 }, { in + 33334, N - 33334 },
	};

	ASSERT_TRUE(out && in);
	pattern_fill(out, N, 0, 1);
	CHECK_EQ(N, run(r, ARING_OP_WRITE, fd, out, N, 0, flags),
		 "flags %#x", flags);
	CHECK_EQ(N, run(r, ARING_OP_READ, fd, in, N, 0, flags),
		 "flags %#x", flags);
	EXPECT_EQ(-1, pattern_check(in, N, 0, 1));
	pattern_fill(out, N, 0, 2);
	memset(in, 0, N);
	CHECK_EQ(N, run(r, ARING_OP_WRITEV, fd, wv, 3, 4097, flags),
		 "flags %#x", flags);
	CHECK_EQ(N, run(r, ARING_OP_READV, fd, rv, 3, 4097, flags),
		 "flags %#x", flags);
	EXPECT_EQ(-1, pattern_check(in, N, 0, 2));
	/* across the end, at the end, past it */
	CHECK_EQ(4097 + N - 60000, run(r, ARING_OP_READ, fd, in, N, 60000,
				       flags), "flags %#x", flags);
	EXPECT_EQ(0, run(r, ARING_OP_READ, fd, in, N, 4097 + N, flags));
	EXPECT_EQ(0, run(r, ARING_OP_READ, fd, in, N, 1ULL << 40, flags));
	EXPECT_EQ(0, run(r, ARING_OP_READV, fd, rv, 3, 1ULL << 40, flags));
	EXPECT_EQ(0, run(r, ARING_OP_FSYNC, fd, NULL, 0, 0, flags));
	prep(r, ARING_OP_FSYNC, fd, NULL, 100, 50, 9)->fsync_flags =
		ARING_FSYNC_DATASYNC;
	EXPECT_EQ(0, ring_run(r));
	free(out);
	free(in);
}

TEST_F(rw, tmpfs_round_trip)
{
	int fd = temp_file("/tmp", 0);

	ASSERT_GE(fd, 0);
	for (int i = 0; i < 2; i++)
		round_trip(_metadata, &self->r, fd, FLAGS[i]);
}

TEST_F_TIMEOUT(rw, ext4_round_trip, 60)
{
	const char *dir = disk_ext4("ext4", 64);
	int fd;

	ASSERT_NE(NULL, dir);
	fd = temp_file(dir, 0);
	ASSERT_GE(fd, 0);
	for (int i = 0; i < 2; i++)
		round_trip(_metadata, &self->r, fd, FLAGS[i]);
}

TEST_F_TIMEOUT(rw, ext4_reads_what_is_not_cached, 60)
{
	enum { BLOCK = 4096, N = 48 };
	const char *dir = disk_ext4("ext4", 64);
	static char buf[N][BLOCK];
	struct aring_cqe cqe;
	bool seen[N];
	int fd;

	ASSERT_NE(NULL, dir);
	fd = temp_file(dir, 0);
	ASSERT_GE(fd, 0);
	for (int i = 0; i < N; i++)
		pattern_fill(buf[i], BLOCK, i * BLOCK, 3);
	ASSERT_EQ(sizeof(buf), pwrite(fd, buf, sizeof(buf), 0));
	for (int k = 0; k < 2; k++) {
		ASSERT_EQ(0, fsync(fd));
		ASSERT_EQ(0, posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED));
		posix_fadvise(fd, 0, 0, POSIX_FADV_RANDOM);
		memset(buf, 0, sizeof(buf));
		memset(seen, 0, sizeof(seen));
		for (int i = 0; i < N; i++)
			prep_read(&self->r, fd, buf[i * 7 % N], BLOCK,
				  i * 7 % N * BLOCK, i * 7 % N)->flags =
				FLAGS[k];
		ASSERT_EQ(N, ring_submit(&self->r));
		for (int i = 0; i < N; i++) {
			ASSERT_EQ(0, ring_cqe(&self->r, &cqe));
			ASSERT_LT(cqe.user_data, N);
			CHECK_EQ(BLOCK, cqe.res, "block %d",
				 (int)cqe.user_data);
			EXPECT_FALSE(seen[cqe.user_data]);
			seen[cqe.user_data] = true;
		}
		EXPECT_EQ(-1, pattern_check(buf, sizeof(buf), 0, 3));
	}
}

TEST_F_TIMEOUT(rw, nowait_of_an_uncached_page_is_eagain, 60)
{
	const char *dir = disk_ext4("ext4", 64);
	char buf[4096];
	int fd;

	ASSERT_NE(NULL, dir);
	fd = temp_file(dir, 0);
	ASSERT_GE(fd, 0);
	pattern_fill(buf, sizeof(buf), 0, 4);
	ASSERT_EQ(4096, pwrite(fd, buf, 4096, 0));
	/* in the cache it is there at once */
	EXPECT_EQ(4096, run_rwf(&self->r, ARING_OP_READ, fd, buf, 4096, 0,
				RWF_NOWAIT));
	ASSERT_EQ(0, fsync(fd));
	ASSERT_EQ(0, posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED));
	EXPECT_EQ(-EAGAIN, run_rwf(&self->r, ARING_OP_READ, fd, buf, 4096, 0,
				   RWF_NOWAIT));
	EXPECT_EQ(4096, run_rwf(&self->r, ARING_OP_READ, fd, buf, 4096, 0, 0));
	EXPECT_EQ(-1, pattern_check(buf, sizeof(buf), 0, 4));
}

/* What of @want the inotify descriptor @in has seen. */
static __u32 noticed(int in, __u32 want)
{
	char buf[1024] __attribute__((aligned(8)));
	ssize_t n = read(in, buf, sizeof(buf));
	__u32 seen = 0;

	for (ssize_t at = 0; at < n; ) {
		struct inotify_event *e = (void *)(buf + at);

		seen |= e->mask;
		at += sizeof(*e) + e->len;
	}
	return seen & want;
}

/* What moves before a worker goes on, and finds no more, is an access too. */
TEST_F_TIMEOUT(rw, a_read_across_the_end_is_noticed, 60)
{
	enum { HAS = 8192, N = 65536 };
	const char *dir = disk_ext4("ext4", 64);
	int fd, in = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	char *b = calloc(1, N), path[64];

	ASSERT_TRUE(dir && b && in >= 0);
	fd = temp_file(dir, 0);
	ASSERT_GE(fd, 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	ASSERT_EQ(HAS, pwrite(fd, b, HAS, 0));
	ASSERT_LE(0, inotify_add_watch(in, path, IN_ACCESS | IN_MODIFY));
	for (int i = 0; i < 2; i++) {
		ASSERT_EQ(0, noticed(in, IN_ACCESS | IN_MODIFY));
		CHECK_EQ(HAS, run(&self->r, ARING_OP_READ, fd, b, N, 0, FLAGS[i]),
			 "flags %#x", FLAGS[i]);
		CHECK_EQ(IN_ACCESS, noticed(in, IN_ACCESS), "flags %#x", FLAGS[i]);
		ASSERT_EQ(HAS, pread(fd, b, N, 0));
		EXPECT_EQ(IN_ACCESS, noticed(in, IN_ACCESS));
	}
	close(in);
	close(fd);
	free(b);
}

static void large(struct __test_metadata *_metadata, struct ring *r, int fd)
{
	enum { N = 8 << 20, V = 7 };
	char *out = page_alloc(N), *in = page_alloc(N);
	struct iovec v[V];

	ASSERT_TRUE(out && in);
	pattern_fill(out, N, 0, 5);
	ASSERT_EQ(N, run(r, ARING_OP_WRITE, fd, out, N, 0, 0));
	ASSERT_EQ(0, run(r, ARING_OP_FSYNC, fd, NULL, 0, 0, 0));
	posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	ASSERT_EQ(N, run(r, ARING_OP_READ, fd, in, N, 0, 0));
	EXPECT_EQ(0, memcmp(in, out, N));
	memset(in, 0, N);
	for (int i = 0; i < V; i++) {
		v[i].iov_base = in + N / V * i;
		v[i].iov_len = i < V - 1 ? N / V : N - N / V * (V - 1);
	}
	posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	ASSERT_EQ(N, run(r, ARING_OP_READV, fd, v, V, 0, 0));
	EXPECT_EQ(0, memcmp(in, out, N));
	for (int i = 0; i < V; i++)
		v[i].iov_base = out + N / V * i;
	pattern_fill(out, N, 0, 6);
	ASSERT_EQ(N, run(r, ARING_OP_WRITEV, fd, v, V, 0, ARING_SQE_ASYNC));
	ASSERT_EQ(N, run(r, ARING_OP_READ, fd, in, N, 0, ARING_SQE_ASYNC));
	EXPECT_EQ(0, memcmp(in, out, N));
	munmap(out, N);
	munmap(in, N);
}

TEST_F_TIMEOUT(rw, large_transfers_on_tmpfs, 60)
{
	int fd = temp_file("/tmp", 0);

	ASSERT_GE(fd, 0);
	large(_metadata, &self->r, fd);
}

TEST_F_TIMEOUT(rw, large_transfers_on_ext4, 60)
{
	const char *dir = disk_ext4("ext4", 64);
	int fd;

	ASSERT_NE(NULL, dir);
	fd = temp_file(dir, 0);
	ASSERT_GE(fd, 0);
	large(_metadata, &self->r, fd);
}

TEST_F_TIMEOUT(rw, direct_io_on_ext4, 60)
{
	enum { N = 1 << 20 };
	const char *dir = disk_ext4("ext4", 64);
	char *out = page_alloc(N), *in = page_alloc(N);
	int fd;

	ASSERT_NE(NULL, dir);
	ASSERT_TRUE(out && in);
	fd = temp_file(dir, O_RDWR | O_DIRECT);
	ASSERT_GE(fd, 0);
	pattern_fill(out, N, 0, 7);
	for (int i = 0; i < 2; i++) {
		memset(in, 0, N);
		EXPECT_EQ(N, run(&self->r, ARING_OP_WRITE, fd, out, N, 0,
				 FLAGS[i]));
		EXPECT_EQ(N, run(&self->r, ARING_OP_READ, fd, in, N, 0,
				 FLAGS[i]));
		EXPECT_EQ(-1, pattern_check(in, N, 0, 7));
		EXPECT_EQ(4096, run(&self->r, ARING_OP_READ, fd, in, 8192,
				    N - 4096, FLAGS[i]));
		EXPECT_EQ(0, run(&self->r, ARING_OP_READ, fd, in, 8192, N,
				 FLAGS[i]));
		EXPECT_EQ(-EINVAL, run(&self->r, ARING_OP_READ, fd, in + 1,
				       4096, 0, FLAGS[i]));
		EXPECT_EQ(-EINVAL, run(&self->r, ARING_OP_READ, fd, in, 4095,
				       0, FLAGS[i]));
	}
}

TEST_F_TIMEOUT(rw, direct_io_on_a_block_device, 60)
{
	enum { BLOCK = 4096, N = 64 };
	char *buf = page_alloc(N * BLOCK), *in = page_alloc(N * BLOCK);
	struct aring_cqe cqe;
	__u64 size = 0;
	int fd = open(NULLB, O_RDWR | O_DIRECT | O_CLOEXEC);

	ASSERT_GE(fd, 0);
	ASSERT_TRUE(buf && in);
	ASSERT_EQ(0, ioctl(fd, BLKGETSIZE64, &size));
	pattern_fill(buf, N * BLOCK, 0, 8);
	for (int k = 0; k < 2; k++) {
		memset(in, 0, N * BLOCK);
		for (int i = 0; i < N; i++)
			prep_write(&self->r, fd, buf + i * BLOCK, BLOCK,
				   i * BLOCK, i)->flags = FLAGS[k];
		ASSERT_EQ(N, ring_submit(&self->r));
		for (int i = 0; i < N; i++) {
			ASSERT_EQ(0, ring_cqe(&self->r, &cqe));
			EXPECT_EQ(BLOCK, cqe.res);
		}
		for (int i = 0; i < N; i++)
			prep_read(&self->r, fd, in + i * BLOCK, BLOCK,
				  i * BLOCK, i)->flags = FLAGS[k];
		ASSERT_EQ(N, ring_submit(&self->r));
		for (int i = 0; i < N; i++) {
			ASSERT_EQ(0, ring_cqe(&self->r, &cqe));
			EXPECT_EQ(BLOCK, cqe.res);
		}
		EXPECT_EQ(-1, pattern_check(in, N * BLOCK, 0, 8));
		EXPECT_EQ(N * BLOCK, run(&self->r, ARING_OP_READ, fd, in,
					 N * BLOCK, 0, FLAGS[k]));
		EXPECT_EQ(-EINVAL, run(&self->r, ARING_OP_READ, fd, in + 1,
				       512, 0, FLAGS[k]));
		EXPECT_EQ(0, run(&self->r, ARING_OP_READ, fd, in, BLOCK, size,
				 FLAGS[k]));
		EXPECT_EQ(-ENOSPC, run(&self->r, ARING_OP_WRITE, fd, buf,
				       BLOCK, size, FLAGS[k]));
		EXPECT_EQ(0, run(&self->r, ARING_OP_FSYNC, fd, NULL, 0, 0,
				 FLAGS[k]));
	}
}

TEST_F(rw, wrong_mode_is_ebadf)
{
	int wr = open("/tmp", O_TMPFILE | O_WRONLY, 0600);
	int rd = open("/proc/self/exe", O_RDONLY);
	int path = open("/tmp", O_PATH);
	struct iovec v;
	char b[8];

	v = (struct iovec) { b, sizeof(b) };
	ASSERT_TRUE(wr >= 0 && rd >= 0 && path >= 0);
	for (int i = 0; i < 2; i++) {
		EXPECT_EQ(-EBADF, run(&self->r, ARING_OP_READ, wr, b, 8, 0,
				      FLAGS[i]));
		EXPECT_EQ(-EBADF, run(&self->r, ARING_OP_READV, wr, &v, 1, 0,
				      FLAGS[i]));
		EXPECT_EQ(-EBADF, run(&self->r, ARING_OP_WRITE, rd, b, 8, 0,
				      FLAGS[i]));
		EXPECT_EQ(-EBADF, run(&self->r, ARING_OP_WRITEV, rd, &v, 1, 0,
				      FLAGS[i]));
		EXPECT_EQ(-EBADF, run(&self->r, ARING_OP_READ, path, b, 8, 0,
				      FLAGS[i]));
	}
}

TEST_F(rw, bad_descriptor_is_ebadf)
{
	static const int ops[] = { ARING_OP_READ, ARING_OP_WRITE,
				   ARING_OP_READV, ARING_OP_WRITEV,
				   ARING_OP_FSYNC };
	static const int fds[] = { -1, INT_MAX, INT_MIN, -100, 1000000, -999 };
	struct iovec v = { NULL, 0 };
	int closed = dup(0);

	close(closed);
	for (size_t i = 0; i < ARRAY_SIZE(ops); i++) {
		bool sync = ops[i] == ARING_OP_FSYNC;

		for (size_t k = 0; k < ARRAY_SIZE(fds); k++) {
			int fd = fds[k] == -999 ? closed : fds[k];

			CHECK_EQ(-EBADF, run(&self->r, ops[i], fd,
					     sync ? NULL : &v, !sync, 0,
					     FLAGS[k & 1]),
				 "opcode %d fd %d", ops[i], fd);
		}
	}
}

TEST_F(rw, directories_are_refused)
{
	int fd = open("/tmp", O_RDONLY | O_DIRECTORY);
	char b[8];

	ASSERT_GE(fd, 0);
	/* no read method at all, which io_uring answers by EINVAL or EISDIR */
	EXPECT_EQ(pread(fd, b, 8, 0) < 0 ? -errno : 0,
		  run(&self->r, ARING_OP_READ, fd, b, 8, 0, 0));
}

TEST_F(rw, bad_pointers_are_efault_or_short)
{
	char *p = page_alloc(8192), b[64];
	int fd = temp_file("/tmp", 0);
	struct iovec v[2];
	int zero = open("/dev/zero", O_RDWR);

	ASSERT_TRUE(p && fd >= 0 && zero >= 0);
	ASSERT_EQ(8192, pwrite(fd, p, 8192, 0));
	ASSERT_EQ(0, munmap(p + 4096, 4096));
	v[0] = (struct iovec) { b, 10 };
	v[1] = (struct iovec) { (void *)16, 10 };
	for (int i = 0; i < 2; i++) {
		__u8 f = FLAGS[i];
		struct ring *r = &self->r;

		EXPECT_EQ(-EFAULT, run(r, ARING_OP_READ, fd, NULL, 10, 0, f));
		EXPECT_EQ(-EFAULT, run(r, ARING_OP_READ, fd, (void *)8, 10, 0,
				       f));
		EXPECT_EQ(-EFAULT, run(r, ARING_OP_READ, fd,
				       (void *)0xffff888000000000, 10, 0, f));
		EXPECT_EQ(-EFAULT, run(r, ARING_OP_WRITE, fd, (void *)8, 10, 0,
				       f));
		EXPECT_EQ(-EFAULT, run(r, ARING_OP_READV, fd, (void *)8, 1, 0,
				       f));
		EXPECT_EQ(-EFAULT, run(r, ARING_OP_WRITEV, fd, (void *)8, 2, 0,
				       f));
		EXPECT_EQ(-EFAULT, run(r, ARING_OP_READ, zero, (void *)8, 8, 0,
				       f));
		/* what could be moved was moved */
		EXPECT_EQ(100, run(r, ARING_OP_READ, fd, p + 4096 - 100, 200,
				   0, f));
		EXPECT_EQ(100, run(r, ARING_OP_WRITE, fd, p + 4096 - 100, 200,
				   0, f));
		EXPECT_EQ(10, run(r, ARING_OP_READV, fd, v, 2, 0, f));
		EXPECT_EQ(10, run(r, ARING_OP_WRITEV, fd, v, 2, 0, f));
	}
}

TEST_F(rw, a_read_only_buffer_is_efault)
{
	int zero = open("/dev/zero", O_RDWR);
	char *p = page_alloc(4096);

	ASSERT_TRUE(p && zero >= 0);
	ASSERT_EQ(0, mprotect(p, 4096, PROT_READ));
	EXPECT_EQ(-EFAULT, run(&self->r, ARING_OP_READ, zero, p, 8, 0, 0));
}

TEST_F(rw, iovec_counts)
{
	static struct iovec v[1025];
	static char b[1025];
	int fd = temp_file("/tmp", 0);
	struct iovec neg = { b, (size_t)-1 };

	ASSERT_GE(fd, 0);
	for (int i = 0; i < 1025; i++) {
		b[i] = i * 3;
		v[i] = (struct iovec) { b + i, 1 };
	}
	for (int i = 0; i < 2; i++) {
		struct ring *r = &self->r;
		__u8 f = FLAGS[i];

		EXPECT_EQ(1024, run(r, ARING_OP_WRITEV, fd, v, 1024, 0, f));
		EXPECT_EQ(-EINVAL, run(r, ARING_OP_WRITEV, fd, v, 1025, 0, f));
		EXPECT_EQ(0, run(r, ARING_OP_WRITEV, fd, v, 0, 0, f));
		EXPECT_EQ(0, run(r, ARING_OP_READV, fd, NULL, 0, 0, f));
		memset(b, 0, sizeof(b));
		EXPECT_EQ(1024, run(r, ARING_OP_READV, fd, v, 1024, 0, f));
		for (int k = 0; k < 1024; k++)
			NEED_EQ((char)(k * 3), b[k], "byte %d", k);
		EXPECT_EQ(-EINVAL, run(r, ARING_OP_READV, fd, v, 1025, 0, f));
		EXPECT_EQ(-EINVAL, run(r, ARING_OP_READV, fd, v, UINT_MAX, 0,
				       f));
		EXPECT_EQ(-EINVAL, run(r, ARING_OP_READV, fd, &neg, 1, 0, f));
		for (int k = 0; k < 1025; k++)
			b[k] = k * 3;
	}
}

TEST_F(rw, lengths_zero_and_huge)
{
	int fd = temp_file("/tmp", 0);
	/* not on the stack, behind which 2 GiB of addresses may not be left */
	static char b[100];

	ASSERT_GE(fd, 0);
	ASSERT_EQ(100, pwrite(fd, b, 100, 0));
	EXPECT_EQ(0, run(&self->r, ARING_OP_READ, fd, b, 0, 0, 0));
	EXPECT_EQ(0, run(&self->r, ARING_OP_WRITE, fd, b, 0, 0, 0));
	/* no more than the file has is moved, whatever was asked for */
	EXPECT_EQ(100, run(&self->r, ARING_OP_READ, fd, b, INT_MAX, 0, 0));
	EXPECT_EQ(100, run(&self->r, ARING_OP_READ, fd, b, UINT_MAX, 0, 0));
	EXPECT_EQ(-EINVAL, run(&self->r, ARING_OP_READ, fd, b, 10, -2ULL, 0));
	EXPECT_EQ(-EINVAL, run(&self->r, ARING_OP_WRITE, fd, b, 10,
			       1ULL << 63, 0));
}

TEST_F(rw, offset_minus_one_is_the_file_position)
{
	int fd = temp_file("/tmp", 0);
	char out[300], in[300];

	ASSERT_GE(fd, 0);
	pattern_fill(out, 300, 0, 9);
	for (int i = 0; i < 2; i++) {
		struct iovec v = { in + 200, 100 };

		memset(in, 0, 300);
		ASSERT_EQ(0, ftruncate(fd, 0));
		ASSERT_EQ(0, lseek(fd, 0, SEEK_SET));
		for (int k = 0; k < 3; k++)
			EXPECT_EQ(100, run(&self->r, ARING_OP_WRITE, fd,
					   out + k * 100, 100, -1, FLAGS[i]));
		EXPECT_EQ(300, lseek(fd, 0, SEEK_CUR));
		EXPECT_EQ(0, run(&self->r, ARING_OP_READ, fd, in, 300, -1,
				 FLAGS[i]));
		lseek(fd, 0, SEEK_SET);
		/* an explicit offset leaves it alone */
		EXPECT_EQ(100, run(&self->r, ARING_OP_READ, fd, in + 100, 100,
				   100, FLAGS[i]));
		EXPECT_EQ(0, lseek(fd, 0, SEEK_CUR));
		EXPECT_EQ(100, run(&self->r, ARING_OP_READ, fd, in, 100, -1,
				   FLAGS[i]));
		lseek(fd, 100, SEEK_CUR);
		EXPECT_EQ(100, run(&self->r, ARING_OP_READV, fd, &v, 1, -1,
				   FLAGS[i]));
		EXPECT_EQ(300, lseek(fd, 0, SEEK_CUR));
		EXPECT_EQ(-1, pattern_check(in, 300, 0, 9));
	}
}

TEST_F(rw, append_by_flag_and_by_descriptor)
{
	int fd = temp_file("/tmp", 0);

	ASSERT_GE(fd, 0);
	EXPECT_EQ(3, run(&self->r, ARING_OP_WRITE, fd, "abc", 3, 0, 0));
	EXPECT_EQ(3, run_rwf(&self->r, ARING_OP_WRITE, fd, "def", 3, 0,
			     RWF_APPEND));
	EXPECT_EQ(6, lseek(fd, 0, SEEK_END));
	ASSERT_EQ(0, fcntl(fd, F_SETFL, O_APPEND));
	EXPECT_EQ(3, run(&self->r, ARING_OP_WRITE, fd, "ghi", 3, 0, 0));
	EXPECT_EQ(9, lseek(fd, 0, SEEK_END));
}

TEST_F(rw, flags_of_the_write)
{
	int fd = temp_file("/tmp", 0);
	char b[4] = "abc";

	ASSERT_GE(fd, 0);
	EXPECT_EQ(3, run_rwf(&self->r, ARING_OP_WRITE, fd, b, 3, 0, RWF_DSYNC));
	EXPECT_EQ(3, run_rwf(&self->r, ARING_OP_WRITE, fd, b, 3, 0, RWF_SYNC));
	EXPECT_EQ(-EOPNOTSUPP, run_rwf(&self->r, ARING_OP_WRITE, fd, b, 3, 0,
				       0x80000000));
	EXPECT_EQ(-EOPNOTSUPP, run_rwf(&self->r, ARING_OP_READ, fd, b, 3, 0,
				       0x4000));
	/* polled I/O needs a ring that polls */
	EXPECT_EQ(-EINVAL, run_rwf(&self->r, ARING_OP_READ, fd, b, 3, 0,
				   RWF_HIPRI));
}

TEST_F(rw, nowait_needs_a_file_that_honours_it)
{
	int fd = temp_file("/tmp", 0);
	int ev = eventfd(0, 0);
	int zero = open("/dev/zero", O_RDWR);
	__u64 v;

	ASSERT_TRUE(fd >= 0 && ev >= 0 && zero >= 0);
	EXPECT_EQ(8, run_rwf(&self->r, ARING_OP_READ, zero, &v, 8, 0,
			     RWF_NOWAIT));
	EXPECT_EQ(-EAGAIN, run_rwf(&self->r, ARING_OP_READ, ev, &v, 8, 0,
				   RWF_NOWAIT));
	/* nor is it waited for elsewhere; likewise what is refused */
	prep(&self->r, ARING_OP_READ, ev, &v, 8, 0, 1)->rw_flags = RWF_NOWAIT;
	ring_sqe_at(&self->r, self->r.tail - 1)->flags = ARING_SQE_ASYNC;
	EXPECT_EQ(-EAGAIN, ring_run(&self->r));
	prep(&self->r, ARING_OP_READ, ev, &v, 8, 0, 1)->rw_flags = RWF_HIPRI;
	ring_sqe_at(&self->r, self->r.tail - 1)->flags = ARING_SQE_ASYNC;
	EXPECT_EQ(-EINVAL, ring_run(&self->r));
	v = 5;
	ASSERT_EQ(8, write(ev, &v, 8));
	v = 0;
	EXPECT_EQ(8, run_rwf(&self->r, ARING_OP_READ, ev, &v, 8, 0,
			     RWF_NOWAIT));
	EXPECT_EQ(5, v);
	/* whatever the kernel says of tmpfs in preadv2 */
	v = 0;
	EXPECT_EQ(preadv2(fd, &(struct iovec) { &v, 8 }, 1, 0, RWF_NOWAIT) < 0 ?
		  -errno : 0,
		  run_rwf(&self->r, ARING_OP_READ, fd, &v, 8, 0, RWF_NOWAIT));
}

TEST_F(rw, ioprio_is_checked)
{
	const struct {
		__u16 prio;
		int ret;
	} t[] = {
		{ IOPRIO_PRIO_VALUE(IOPRIO_CLASS_BE, 4), 8 },
		{ IOPRIO_PRIO_VALUE(IOPRIO_CLASS_IDLE, 0), 8 },
		{ IOPRIO_PRIO_VALUE(IOPRIO_CLASS_RT, 0), 8 },	/* as root */
		{ IOPRIO_PRIO_VALUE(IOPRIO_CLASS_NONE, 1), -EINVAL },
		{ IOPRIO_PRIO_VALUE(7, 0), -EINVAL },
	};
	int zero = open("/dev/zero", O_RDWR);
	char b[8];

	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		prep_read(&self->r, zero, b, 8, 0, 1)->ioprio = t[i].prio;
		CHECK_EQ(t[i].ret, ring_run(&self->r), "ioprio %#x", t[i].prio);
	}
	prep_nop(&self->r, 2)->ioprio = 1;
	EXPECT_EQ(-EINVAL, ring_run(&self->r));
	prep(&self->r, ARING_OP_FSYNC, zero, NULL, 0, 0, 3)->ioprio = 1;
	EXPECT_EQ(-EINVAL, ring_run(&self->r));
}

TEST_F(rw, skip_success_hides_success_only)
{
	int zero = open("/dev/zero", O_RDWR);
	struct aring_cqe cqe;
	char b[8];

	for (int i = 0; i < 2; i++) {
		__u8 f = FLAGS[i] | ARING_SQE_CQE_SKIP_SUCCESS;

		prep_read(&self->r, zero, b, 8, 0, 1)->flags = f;
		prep_read(&self->r, -1, b, 8, 0, 2)->flags = f;
		prep_nop(&self->r, 3)->flags = f;
		prep_nop(&self->r, 4);
		ASSERT_EQ(4, ring_submit(&self->r));
		ASSERT_EQ(0, ring_wait(&self->r, 2));
		for (int k = 0; k < 2; k++) {
			ASSERT_TRUE(ring_reap(&self->r, &cqe));
			EXPECT_EQ(cqe.user_data == 2 ? -EBADF : 0, cqe.res);
			EXPECT_TRUE(cqe.user_data == 2 || cqe.user_data == 4);
		}
		EXPECT_TRUE(ring_quiet(&self->r, 20));
	}
}

/* Somebody else always wants the CPU that the calling thread is on. */
static pid_t rival_start(void)
{
	cpu_set_t one;
	pid_t pid;
	int cpu = sched_getcpu();

	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	if (cpu < 0 || sched_setaffinity(0, sizeof(one), &one))
		return -1;
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			;
	}
	return pid;
}

TEST_F(rw, zero_and_null)
{
	enum { N = 1 << 20 };
	int zero = open("/dev/zero", O_RDWR), null = open("/dev/null", O_RDWR);
	char *b = page_alloc(N);
	pid_t rival;
	int got = 0;

	ASSERT_TRUE(zero >= 0 && null >= 0 && b);
	rival = rival_start();
	ASSERT_LT(0, rival);
	for (int i = 0; i < 2; i++) {
		memset(b, 0xff, N);
		EXPECT_EQ(8, run(&self->r, ARING_OP_READ, zero, b, 8, 0,
				 FLAGS[i]));
		EXPECT_EQ(0, *(__u64 *)b);
		/*
		 * io_uring's may stop early when another task is due, and for
		 * its own news in any case.
		 */
		for (int k = test_scale(100, 10); k > 0; k--) {
			got = run(&self->r, ARING_OP_READ, zero, b, N, -1,
				  FLAGS[i]);
			if (self->r.backend == DEVICE)
				CHECK_EQ(N, got, "flags %#x, %d to go", FLAGS[i],
					 k);
			ASSERT_LT(0, got);
		}
		EXPECT_EQ(0, b[0] | b[got / 2] | b[got - 1]);
		EXPECT_EQ(N, run(&self->r, ARING_OP_WRITE, null, b, N, 0,
				 FLAGS[i]));
		EXPECT_EQ(0, run(&self->r, ARING_OP_READ, null, b, N, 0,
				 FLAGS[i]));
	}
	kill(rival, SIGKILL);
	waitpid(rival, NULL, 0);
}

/* A pair that what is written to [1] can be read from [0]. */
static int make_pair(int kind, int p[2])
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	socklen_t len = sizeof(a);
	int l;

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	switch (kind) {
	case 0:
		return pipe(p);
	case 1:
		return socketpair(AF_UNIX, SOCK_STREAM, 0, p);
	case 2:
		l = socket(AF_INET, SOCK_STREAM, 0);
		p[1] = socket(AF_INET, SOCK_STREAM, 0);
		if (bind(l, (void *)&a, len) || listen(l, 1) ||
		    getsockname(l, (void *)&a, &len) ||
		    connect(p[1], (void *)&a, len))
			return -1;
		p[0] = accept(l, NULL, NULL);
		close(l);
		return p[0] < 0 ? -1 : 0;
	default:
		p[0] = socket(AF_INET, SOCK_DGRAM, 0);
		p[1] = socket(AF_INET, SOCK_DGRAM, 0);
		if (bind(p[0], (void *)&a, len) ||
		    getsockname(p[0], (void *)&a, &len) ||
		    connect(p[1], (void *)&a, len))
			return -1;
		return 0;
	}
}

static const char *const KIND[] = { "pipe", "unix", "tcp", "udp" };

TEST_F(rw, a_read_waits_for_its_peer)
{
	for (int n = 0; n < 16; n++) {
		int kind = n % 4, p[2];
		bool vec = n & 4, async = n & 8;
		struct aring_cqe cqe;
		char b[64] = "";
		struct iovec v = { b, 64 };

		NEED_EQ(0, make_pair(kind, p), "%s", KIND[kind]);
		prep(&self->r, vec ? ARING_OP_READV : ARING_OP_READ, p[0],
		     vec ? (void *)&v : b, vec ? 1 : 64, 0, n)->flags =
			async ? ARING_SQE_ASYNC : 0;
		ASSERT_EQ(1, ring_submit(&self->r));
		CHECK_TRUE(ring_quiet(&self->r, 20), "%s", KIND[kind]);
		ASSERT_EQ(5, write(p[1], "hello", 5));
		NEED_EQ(0, ring_cqe(&self->r, &cqe), "%s, vec %d, async %d",
			KIND[kind], vec, async);
		CHECK_EQ(5, cqe.res, "%s, vec %d, async %d", KIND[kind], vec,
			 async);
		EXPECT_EQ(n, cqe.user_data);
		EXPECT_EQ(0, memcmp(b, "hello", 5));
		/* what is there already comes at once */
		ASSERT_EQ(3, write(p[1], "abc", 3));
		EXPECT_EQ(3, run(&self->r, ARING_OP_READ, p[0], b, 64, -1,
				 async ? ARING_SQE_ASYNC : 0));
		EXPECT_EQ(2, run(&self->r, ARING_OP_WRITE, p[1], "de", 2, 0,
				 async ? ARING_SQE_ASYNC : 0));
		EXPECT_EQ(2, read(p[0], b, 64));
		if (kind < 3) {
			close(p[1]);
			CHECK_EQ(0, run(&self->r, ARING_OP_READ, p[0], b, 64,
					0, 0), "%s at its end", KIND[kind]);
		} else {
			close(p[1]);
		}
		close(p[0]);
	}
}

TEST_F(rw, o_nonblock_descriptors_still_wait)
{
	for (int kind = 0; kind < 4; kind++) {
		struct aring_cqe cqe;
		char b[64] = "";
		int p[2];

		NEED_EQ(0, make_pair(kind, p), "%s", KIND[kind]);
		ASSERT_EQ(0, fcntl(p[0], F_SETFL, O_NONBLOCK));
		prep_read(&self->r, p[0], b, 64, 0, kind);
		ASSERT_EQ(1, ring_submit(&self->r));
		CHECK_TRUE(ring_quiet(&self->r, 20), "%s", KIND[kind]);
		ASSERT_EQ(5, write(p[1], "hello", 5));
		NEED_EQ(0, ring_cqe(&self->r, &cqe), "%s", KIND[kind]);
		CHECK_EQ(5, cqe.res, "%s", KIND[kind]);
		close(p[0]);
		close(p[1]);
	}
}

TEST_F(rw, a_write_waits_for_room)
{
	static char b[65536];

	for (int kind = 0; kind < 3; kind++) {
		struct aring_cqe cqe;
		int p[2], fl;
		ssize_t n;

		NEED_EQ(0, make_pair(kind, p), "%s", KIND[kind]);
		fl = fcntl(p[1], F_GETFL);
		ASSERT_EQ(0, fcntl(p[1], F_SETFL, fl | O_NONBLOCK));
		while (write(p[1], b, sizeof(b)) > 0)
			;
		/* what TCP has taken must have arrived before it is full */
		if (kind == 2)
			for (int quiet = 0; quiet < 5; quiet++) {
				usleep(10000);
				while (write(p[1], b, sizeof(b)) > 0)
					quiet = 0;
			}
		ASSERT_EQ(0, fcntl(p[1], F_SETFL, fl));
		prep_write(&self->r, p[1], "x", 1, 0, kind);
		ASSERT_EQ(1, ring_submit(&self->r));
		CHECK_TRUE(ring_quiet(&self->r, 20), "%s", KIND[kind]);
		ASSERT_EQ(0, fcntl(p[0], F_SETFL, O_NONBLOCK));
		for (;;) {
			n = read(p[0], b, sizeof(b));
			if (ring_ready(&self->r))
				break;
			if (n < 0)
				ring_wait_ns(&self->r, 1, ms(10));
		}
		ASSERT_EQ(0, ring_cqe(&self->r, &cqe));
		CHECK_EQ(1, cqe.res, "%s", KIND[kind]);
		close(p[0]);
		close(p[1]);
	}
}

TEST_F(rw, writing_to_nobody_is_epipe)
{
	for (int kind = 0; kind < 3; kind++) {
		int p[2], ret = 0;

		signal(SIGPIPE, SIG_IGN);
		NEED_EQ(0, make_pair(kind, p), "%s", KIND[kind]);
		close(p[0]);
		/* TCP learns of it by the answer to the first bytes */
		for (int i = 0; i < 100 && ret >= 0; i++) {
			ret = run(&self->r, ARING_OP_WRITE, p[1], "x", 1, 0, 0);
			if (kind != 2)
				break;
			usleep(1000);
		}
		if (kind == 2 && ret == -ECONNRESET)
			ret = run(&self->r, ARING_OP_WRITE, p[1], "x", 1, 0, 0);
		CHECK_EQ(-EPIPE, ret, "%s", KIND[kind]);
		close(p[1]);
	}
}

TEST_F(rw, datagrams_keep_their_boundaries)
{
	char b[64];
	int p[2];

	ASSERT_EQ(0, make_pair(3, p));
	EXPECT_EQ(10, run(&self->r, ARING_OP_WRITE, p[1], "0123456789", 10, 0,
			  0));
	EXPECT_EQ(3, run(&self->r, ARING_OP_WRITE, p[1], "abc", 3, 0, 0));
	EXPECT_EQ(4, run(&self->r, ARING_OP_READ, p[0], b, 4, 0, 0));
	EXPECT_EQ(3, run(&self->r, ARING_OP_READ, p[0], b, 64, 0, 0));
	EXPECT_EQ(0, run(&self->r, ARING_OP_WRITE, p[1], b, 0, 0, 0));
	close(p[0]);
	close(p[1]);
}

struct drain {
	int fd;
	size_t want;
	long bad;
};

static void *drain_all(void *arg)
{
	struct drain *d = arg;
	static char b[65536];
	size_t got = 0;
	ssize_t n;

	d->bad = -1;
	while (got < d->want && (n = read(d->fd, b, sizeof(b))) > 0) {
		long bad = pattern_check(b, n, got, 10);

		if (bad >= 0 && d->bad < 0)
			d->bad = got + bad;
		got += n;
	}
	d->want -= got;
	return NULL;
}

TEST_F_TIMEOUT(rw, large_writes_to_a_slow_reader, 60)
{
	enum { N = 4 << 20 };
	char *out = page_alloc(N);

	ASSERT_NE(NULL, out);
	pattern_fill(out, N, 0, 10);
	for (int kind = 0; kind < 3; kind++) {
		size_t sent = 0;
		struct drain d;
		pthread_t t;
		int p[2];

		NEED_EQ(0, make_pair(kind, p), "%s", KIND[kind]);
		d = (struct drain) { .fd = p[0], .want = N };
		ASSERT_EQ(0, pthread_create(&t, NULL, drain_all, &d));
		while (sent < N) {
			int ret = run(&self->r, ARING_OP_WRITE, p[1],
				      out + sent, N - sent, 0, 0);

			NEED_TRUE(ret > 0, "%s: %d", KIND[kind], ret);
			sent += ret;
		}
		ASSERT_EQ(0, pthread_join(t, NULL));
		CHECK_EQ(-1, d.bad, "%s", KIND[kind]);
		CHECK_EQ(0, d.want, "%s", KIND[kind]);
		close(p[0]);
		close(p[1]);
	}
}

TEST_F(rw, fsync_arguments)
{
	int fd = temp_file("/tmp", 0), p[2];
	struct aring_sqe *s;
	struct ring *r = &self->r;

	ASSERT_GE(fd, 0);
	ASSERT_EQ(0, pipe(p));
	EXPECT_EQ(0, run(r, ARING_OP_FSYNC, fd, NULL, 0, 0, 0));
	EXPECT_EQ(0, run(r, ARING_OP_FSYNC, fd, NULL, UINT_MAX, LLONG_MAX, 0));
	EXPECT_EQ(-EINVAL, run(r, ARING_OP_FSYNC, p[0], NULL, 0, 0, 0));
	EXPECT_EQ(-EINVAL, run(r, ARING_OP_FSYNC, fd, (void *)8, 0, 0, 0));
	EXPECT_EQ(-EINVAL, run(r, ARING_OP_FSYNC, fd, NULL, 0, -1ULL, 0));
	for (int bit = 1; bit < 32; bit++) {
		prep(r, ARING_OP_FSYNC, fd, NULL, 0, 0, 1)->fsync_flags =
			1U << bit;
		CHECK_EQ(-EINVAL, ring_run(r), "flag %d", bit);
	}
	s = prep(r, ARING_OP_FSYNC, fd, NULL, 0, 0, 1);
	s->buf_index = 1;
	EXPECT_EQ(-EINVAL, ring_run(r));
	s = prep(r, ARING_OP_FSYNC, fd, NULL, 0, 0, 1);
	s->splice_fd_in = 1;
	EXPECT_EQ(-EINVAL, ring_run(r));
}

TEST_F(rw, bad_flags_of_an_sqe)
{
	char b[8];
	int zero = open("/dev/zero", O_RDWR);

	EXPECT_EQ(-EINVAL, run(&self->r, ARING_OP_NOP, -1, NULL, 0, 0, 0x80));
	EXPECT_EQ(-EINVAL, run(&self->r, ARING_OP_READ, zero, b, 8, 0, 0x80));
	prep_read(&self->r, zero, b, 8, 0, 1)->personality = 77;
	EXPECT_EQ(-EINVAL, ring_run(&self->r));
	EXPECT_EQ(-EINVAL, run(&self->r, 255, -1, NULL, 0, 0, 0));
	EXPECT_EQ(-EINVAL, run(&self->r, 200, -1, NULL, 0, 0, 0));
}

TEST_F(rw, submitted_data_may_go_at_once)
{
	int fd = temp_file("/tmp", 0), p[2];
	struct aring_cqe cqe;
	struct iovec *v = page_alloc(4096);
	char b[20] = "";

	ASSERT_GE(fd, 0);
	ASSERT_EQ(0, pipe(p));
	/* the iovec array is read at submission, though the read waits */
	v[0] = (struct iovec) { b, 5 };
	v[1] = (struct iovec) { b + 10, 5 };
	prep(&self->r, ARING_OP_READV, p[0], v, 2, 0, 1);
	ASSERT_EQ(1, ring_submit(&self->r));
	memset(self->r.sqes, 0xff, self->r.sqes_len);
	ASSERT_EQ(0, munmap(v, 4096));
	ASSERT_EQ(8, write(p[1], "abcdefgh", 8));
	ASSERT_EQ(0, ring_cqe(&self->r, &cqe));
	EXPECT_EQ(8, cqe.res);
	EXPECT_EQ(1, cqe.user_data);
	EXPECT_STREQ("abcde", b);
	EXPECT_STREQ("fgh", b + 10);
}

TEST_F(rw, the_descriptor_may_be_closed_at_once)
{
	struct aring_cqe cqe;
	char b[8] = "";
	int p[2];

	for (int kind = 0; kind < 3; kind++) {
		ASSERT_EQ(0, make_pair(kind, p));
		prep_read(&self->r, p[0], b, 8, 0, kind);
		ASSERT_EQ(1, ring_submit(&self->r));
		close(p[0]);
		ASSERT_EQ(3, write(p[1], "abc", 3));
		NEED_EQ(0, ring_cqe(&self->r, &cqe), "%s", KIND[kind]);
		CHECK_EQ(3, cqe.res, "%s", KIND[kind]);
		close(p[1]);
	}
}

/* What only the device has. */
DEVICE_FIXTURE(device);

TEST_F(device, flags_of_absent_features_are_refused)
{
	for (int op = ARING_OP_NOP; op <= ARING_OP_READV; op++) {
		CHECK_EQ(-EOPNOTSUPP, run(&self->r, op, -1, NULL, 0, 0, 1 << 5),
			 "BUFFER_SELECT, op %d", op);
		CHECK_EQ(-EINVAL, run(&self->r, op, -1, NULL, 0, 0, 1 << 7),
			 "bit 7, op %d", op);
		CHECK_EQ(-EINVAL, run(&self->r, op, -1, NULL, 0, 0,
				      1 << 7 | 1 << 5), "both, op %d", op);
	}
}

TEST_F(device, absent_opcodes_are_einval)
{
	static const bool good[256] = {
		[ARING_OP_NOP] = 1, [ARING_OP_READV] = 1,
		[ARING_OP_WRITEV] = 1, [ARING_OP_FSYNC] = 1,
		[ARING_OP_TIMEOUT] = 1, [ARING_OP_TIMEOUT_REMOVE] = 1,
		[ARING_OP_ASYNC_CANCEL] = 1, [ARING_OP_READ] = 1,
		[ARING_OP_WRITE] = 1, [ARING_OP_READ_FIXED] = 1,
		[ARING_OP_WRITE_FIXED] = 1, [ARING_OP_POLL_ADD] = 1,
		[ARING_OP_POLL_REMOVE] = 1, [ARING_OP_SENDMSG] = 1,
		[ARING_OP_RECVMSG] = 1, [ARING_OP_LINK_TIMEOUT] = 1,
		[ARING_OP_SEND] = 1, [ARING_OP_RECV] = 1,
	};

	for (int op = 0; op < 256; op++)
		if (!good[op])
			CHECK_EQ(-EINVAL, run(&self->r, op, 0, NULL, 0, 0, 0),
				 "opcode %d", op);
}

TEST_F(device, reserved_fields_of_an_sqe_are_einval)
{
	int zero = open("/dev/zero", O_RDWR);
	struct aring_sqe *s;
	char b[8];

	s = prep(&self->r, ARING_OP_WRITE, zero, b, 8, 0, 1);
	s->personality = 1;
	EXPECT_EQ(-EINVAL, ring_run(&self->r));
	s = prep(&self->r, ARING_OP_NOP, -1, NULL, 0, 0, 1);
	s->ioprio = 1;
	EXPECT_EQ(-EINVAL, ring_run(&self->r));
	s = prep(&self->r, ARING_OP_FSYNC, zero, NULL, 0, 0, 1);
	s->buf_index = 1;
	EXPECT_EQ(-EINVAL, ring_run(&self->r));
	s = prep(&self->r, ARING_OP_FSYNC, zero, NULL, 0, 0, 1);
	s->splice_fd_in = 1;
	EXPECT_EQ(-EINVAL, ring_run(&self->r));
	s = prep(&self->r, ARING_OP_FSYNC, zero, b, 0, 0, 1);
	EXPECT_EQ(-EINVAL, ring_run(&self->r));
	/* Without registered buffers a read has no use for these, as on 6.1. */
	s = prep_read(&self->r, zero, b, 8, 0, 1);
	s->buf_index = 1;
	s->splice_fd_in = 1;
	EXPECT_EQ(8, ring_run(&self->r));
}

TEST_F(device, bad_sqes_print_nothing)
{
	int log = kmsg_mark(), zero = open("/dev/zero", O_RDWR);
	struct iovec v[2] = { { (void *)8, 1 }, { (void *)-1, -1 } };

	ASSERT_GE(log, 0);
	for (int op = 0; op < 256; op++) {
		run(&self->r, op, -1, (void *)8, 1, -2ULL, 0);
		run(&self->r, op, zero, v, 2, 7, 0x30);
		run(&self->r, op, zero, (void *)-1, UINT_MAX, -1ULL, 0xff);
	}
	EXPECT_EQ(0, kmsg_count(log));
	close(log);
}

RING_TEST_MAIN
