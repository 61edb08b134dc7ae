// SPDX-License-Identifier: MIT
/*
 * Transfers of a worker that cannot be cut in pieces: by O_DIRECT out of memory that
 * begins in the middle of a page, and appends. And writes to one file, which workers
 * do one after the other.
 */
#include "ring.h"
#include "disk.h"

enum { BLOCK = 4096, LONG = 8 << 20 };

FIXTURE(whole) {
	struct ring r;
};

RING_VARIANTS(whole);

FIXTURE_SETUP(whole)
{
	ASSERT_EQ(0, ring_init(&self->r, variant->backend, 8, 0));
}

FIXTURE_TEARDOWN(whole)
{
	ring_exit(&self->r);
}

static void fill(unsigned char *b, size_t len, unsigned int seed)
{
	for (size_t i = 0; i < len; i++)
		b[i] = (i >> 9) * 7 + i + seed;
}

/* O_DIRECT, with and without a try in ENTER, in one buffer and in two. */
TEST_F_TIMEOUT(whole, direct_off_the_page, 120)
{
	static const size_t offset[] = { 0, 512, 2048, 3584 };
	unsigned char *b = aligned_alloc(BLOCK, LONG + BLOCK);
	unsigned char *want = aligned_alloc(BLOCK, LONG);
	int fd = disk_loop(LONG, BLOCK, O_DIRECT), plain = -1;
	char path[64];

	ASSERT_GE(fd, 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	plain = open(path, O_RDWR | O_DIRECT | O_CLOEXEC);
	ASSERT_TRUE(b && want && plain >= 0);
	for (int i = 0; i < 32; i++) {
		size_t len = i & 1 ? LONG : 2 * BLOCK, off = offset[i / 8];
		unsigned char *at = b + off;
		struct iovec v[2] = {
			{ at, BLOCK }, { at + BLOCK, len - BLOCK }
		};
		int async = i & 2 ? ARING_SQE_ASYNC : 0;
		struct aring_sqe *s;

		fill(want, len, i);
		memcpy(at, want, len);
		/* as the plain calls do: else there is nothing to compare with */
		NEED_EQ((ssize_t)len, pwrite(plain, at, len, 0), "offset %zu",
			off);
		memset(at, 0, len);
		s = i & 4 ? prep(&self->r, ARING_OP_READV, fd, v, 2, 0, 1) :
			    prep_read(&self->r, fd, at, len, 0, 1);
		s->flags = async;
		CHECK_EQ((int)len, ring_run(&self->r),
			 "read, round %d: %zu bytes, offset %zu", i, len, off);
		CHECK_EQ(0, memcmp(at, want, len), "read, round %d", i);
		fill(want, len, ~i);
		memcpy(at, want, len);
		s = i & 4 ? prep(&self->r, ARING_OP_WRITEV, fd, v, 2, 0, 1) :
			    prep_write(&self->r, fd, at, len, 0, 1);
		s->flags = async;
		CHECK_EQ((int)len, ring_run(&self->r),
			 "write, round %d: %zu bytes, offset %zu", i, len, off);
		memset(b, 0, len);
		NEED_EQ((ssize_t)len, pread(plain, b, len, 0), "round %d", i);
		CHECK_EQ(0, memcmp(b, want, len), "write, round %d", i);
	}
	/* what is wrong stays so */
	prep_read(&self->r, fd, b + 1, BLOCK, 0, 1)->flags = ARING_SQE_ASYNC;
	EXPECT_EQ(-EINVAL, ring_run(&self->r));
	prep_read(&self->r, fd, b, BLOCK - 512, 0, 1)->flags = ARING_SQE_ASYNC;
	EXPECT_EQ(-EINVAL, ring_run(&self->r));
	close(plain);
	close(fd);
	free(b);
	free(want);
}

struct appender {
	int fd;
	bool stop;
};

static void *append_fn(void *arg)
{
	struct appender *a = arg;
	char b[512];

	memset(b, '.', sizeof(b));
	while (!__atomic_load_n(&a->stop, __ATOMIC_ACQUIRE)) {
		if (write(a->fd, b, sizeof(b)) != sizeof(b))
			break;
		usleep(200);
	}
	return NULL;
}

/* What is appended by one request is in one place, whoever else appends. */
TEST_F_TIMEOUT(whole, an_append, 120)
{
	/* the last but one fills its pieces, but begins in the middle of a page */
	static const size_t sizes[] = { LONG, LONG, (4 << 20) - 8, 4096 };
	const char *dir = disk_ext4("whole", 64);
	char path[160], *b = malloc(LONG + 64);
	char *seen = malloc(LONG + (16 << 20));
	unsigned int rounds = test_slow() > 1 ? 1 : 4;

	ASSERT_TRUE(dir && b && seen);
	snprintf(path, sizeof(path), "%s/append", dir);
	memset(b, 'W', LONG + 64);
	for (unsigned int i = 0; i < rounds * ARRAY_SIZE(sizes); i++) {
		size_t size = sizes[i % ARRAY_SIZE(sizes)], k = 0;
		struct iovec v[2] = { { b + 8, 100 }, { b + 50, size - 100 } };
		struct appender a = { .stop = false };
		pthread_t t;
		ssize_t end;
		char *p;
		int fd;

		unlink(path);
		fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
		a.fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
		ASSERT_TRUE(fd >= 0 && a.fd >= 0);
		ASSERT_EQ(0, pthread_create(&t, NULL, append_fn, &a));
		usleep(5000);
		if (i % ARRAY_SIZE(sizes) == 1)
			prep(&self->r, ARING_OP_WRITEV, fd, v, 2, 0, 1);
		else
			prep_write(&self->r, fd, b + 8, size, 0, 1);
		CHECK_EQ((int)size, ring_run(&self->r), "round %u", i);
		__atomic_store_n(&a.stop, true, __ATOMIC_RELEASE);
		pthread_join(t, NULL);
		end = pread(fd, seen, LONG + (16 << 20), 0);
		ASSERT_GE(end, (ssize_t)size);
		p = memchr(seen, 'W', end);
		while (p && p + k < seen + end && p[k] == 'W')
			k++;
		CHECK_EQ(size, k, "round %u: bytes in one piece", i);
		close(a.fd);
		close(fd);
	}
	free(b);
	free(seen);
}

/* As long as all go to workers: then they keep their order. */
TEST_F_TIMEOUT(whole, writes_to_a_file_keep_their_order, 120)
{
	enum { N = 26, LEN = 16 };
	const char *dir = disk_ext4("whole", 64);
	static char b[N][LEN], seen[N * LEN];
	unsigned long rounds = test_scale(100, 20);
	unsigned int swapped = 0, lost = 0;
	char path[160];

	ring_exit(&self->r);
	ASSERT_EQ(0, ring_init(&self->r, variant->backend, 32, 0));
	ASSERT_NE(NULL, dir);
	for (int i = 0; i < N; i++)
		memset(b[i], 'a' + i, LEN);
	for (unsigned long k = 0; k < rounds; k++) {
		int over = k & 1, fd;

		snprintf(path, sizeof(path), "%s/order", dir);
		unlink(path);
		fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC |
			  (over ? 0 : O_APPEND), 0600);
		ASSERT_GE(fd, 0);
		for (int i = 0; i < N; i++)
			prep_write(&self->r, fd, b[i], LEN, 0, i)->flags =
				ARING_SQE_ASYNC;
		ASSERT_EQ(N, ring_submit(&self->r));
		for (int i = 0; i < N; i++) {
			struct aring_cqe cqe;

			NEED_EQ(0, ring_cqe(&self->r, &cqe), "write %d", i);
			EXPECT_EQ(LEN, cqe.res);
		}
		if (over) {
			ASSERT_EQ(LEN, pread(fd, seen, sizeof(seen), 0));
			lost += memcmp(seen, b[N - 1], LEN) != 0;
		} else {
			ASSERT_EQ((ssize_t)sizeof(seen),
				  pread(fd, seen, sizeof(seen), 0));
			swapped += memcmp(seen, b, sizeof(seen)) != 0;
		}
		close(fd);
	}
	EXPECT_EQ(0, swapped);
	EXPECT_EQ(0, lost);
}

/* What waits for that keeps nobody else waiting. */
TEST_F_TIMEOUT(whole, other_files_are_written_meanwhile, 60)
{
	static const char *const name[] = { "whole", "frozen" };
	struct aring_cqe cqe;
	int fd[2], frozen = -1;
	char path[160];

	for (int i = 0; i < 2; i++) {
		const char *dir = disk_ext4(name[i], i ? 32 : 64);

		ASSERT_NE(NULL, dir);
		snprintf(path, sizeof(path), "%s/meanwhile", dir);
		fd[i] = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		ASSERT_GE(fd[i], 0);
		frozen = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		ASSERT_GE(frozen, 0);
	}
	ASSERT_EQ(0, disk_freeze(frozen));
	for (int i = 0; i < 7; i++)
		prep_write(&self->r, fd[1], "ice", 3, 0, 1)->flags =
			ARING_SQE_ASYNC;
	prep_write(&self->r, fd[0], "water", 5, 0, 2)->flags = ARING_SQE_ASYNC;
	ASSERT_EQ(8, ring_submit(&self->r));
	NEED_EQ(0, ring_cqe(&self->r, &cqe), "the file that is not frozen");
	EXPECT_EQ(2, cqe.user_data);
	EXPECT_EQ(5, cqe.res);
	ASSERT_EQ(0, disk_thaw(frozen));
	for (int i = 0; i < 7; i++) {
		NEED_EQ(0, ring_cqe(&self->r, &cqe), "write %d", i);
		EXPECT_EQ(3, cqe.res);
	}
	close(fd[0]);
	close(fd[1]);
	close(frozen);
}

RING_TEST_MAIN
