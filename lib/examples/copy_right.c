// SPDX-License-Identifier: MIT
/*
 * Copies a file, 8 blocks at a time: copy_naive.c without the bug.
 *
 * A program for io_uring, by liburing: it knows nothing of aring.
 *
 *	cc copy_right.c -luring
 *	./a.out [-c] FROM TO		-c: compare them afterwards
 */
#include <err.h>
#include <fcntl.h>
#include <liburing.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLOCK	4096
#define DEPTH	8

struct block {
	char data[BLOCK];
	off_t off;		/* where it is in both files */
	size_t len;		/* how much of it there is */
	size_t done;		/* how much of that is read, or written */
	bool writing;
	bool busy;
};

static struct block blocks[DEPTH];
static struct io_uring ring;
static int from, to;

static void queue(struct block *b)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&ring);

	if (!sqe)
		errx(1, "no room for a request");
	if (b->writing)
		io_uring_prep_write(sqe, to, b->data + b->done,
				    b->len - b->done, b->off + b->done);
	else
		io_uring_prep_read(sqe, from, b->data + b->done,
				   b->len - b->done, b->off + b->done);
	io_uring_sqe_set_data(sqe, b);
}

/* Returns false when nothing of the block is left to be done. */
static bool go_on(struct block *b, int res)
{
	if (res < 0)
		errx(1, "%s at %lld: %s", b->writing ? "write" : "read",
		     (long long)b->off, strerror(-res));
	b->done += res;
	if (!b->writing && (b->done == b->len || !res)) {
		/* All of the block, or the file has become shorter. */
		b->len = b->done;
		b->done = 0;
		b->writing = true;
	}
	if (b->writing && b->done == b->len)
		return false;
	queue(b);
	return true;
}

static void copy(off_t size)
{
	struct io_uring_cqe *cqe;
	unsigned int busy = 0, i;
	off_t next = 0;
	int ret;

	while (next < size || busy) {
		for (i = 0; i < DEPTH && next < size; i++) {
			struct block *b = &blocks[i];

			if (b->busy)
				continue;
			b->off = next;
			b->len = size - next < BLOCK ? size - next : BLOCK;
			b->done = 0;
			b->writing = false;
			b->busy = true;
			busy++;
			next += b->len;
			queue(b);
		}
		ret = io_uring_submit_and_wait(&ring, 1);
		if (ret < 0 && ret != -EINTR)
			errx(1, "submit: %s", strerror(-ret));
		while (!io_uring_peek_cqe(&ring, &cqe)) {
			struct block *b = io_uring_cqe_get_data(cqe);
			int res = cqe->res;

			io_uring_cqe_seen(&ring, cqe);
			if (!go_on(b, res)) {
				b->busy = false;
				busy--;
			}
		}
	}
}

static void compare(void)
{
	static char a[BLOCK], b[BLOCK];
	off_t off = 0;
	ssize_t n;

	do {
		n = pread(from, a, BLOCK, off);
		if (n < 0 || pread(to, b, BLOCK, off) != n || memcmp(a, b, n))
			errx(1, "they differ in the block at %lld",
			     (long long)off);
		off += n;
	} while (n);
}

int main(int argc, char **argv)
{
	bool check = argc == 4 && !strcmp(argv[1], "-c");
	struct stat st;
	int ret;

	if (argc != 3 && !check)
		errx(2, "usage: %s [-c] FROM TO", argv[0]);
	from = open(argv[argc - 2], O_RDONLY);
	if (from < 0 || fstat(from, &st))
		err(1, "%s", argv[argc - 2]);
	to = open(argv[argc - 1], O_RDWR | O_CREAT | O_TRUNC, 0666);
	if (to < 0)
		err(1, "%s", argv[argc - 1]);
	ret = io_uring_queue_init(DEPTH, &ring, 0);
	if (ret < 0)
		errx(1, "no ring: %s", strerror(-ret));
	copy(st.st_size);
	io_uring_queue_exit(&ring);
	if (check)
		compare();
	return 0;
}
