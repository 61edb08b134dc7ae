/* SPDX-License-Identifier: MIT */
/*
 * The works whose cost is measured, and the peers that do them.
 *
 * A work is done in rounds: a batch of operations is filled in and handed over
 * in one call, and each result is looked at. Some operations take two requests.
 */
#ifndef BENCH_WORKS_H
#define BENCH_WORKS_H

#include <stdbool.h>
#include <stdnoreturn.h>

#define MAX_BATCH	128U

#define READ8_SIZE	8U
#define SEND_SIZE	64U
#define PAGE		4096U

/**
 * enum work - what is done
 * @NOP: nothing
 * @READ8: read 8 bytes of /dev/zero
 * @POLL: wait for an eventfd, write to it
 * @SENDRECV: send 64 bytes, receive them
 * @READ4K: read 4 KiB of a file in memory
 * @READ4K_FIXED: likewise, into a registered buffer
 * @TIMEOUT0: wait no time at all
 * @TIMEOUT_CANCEL: arm a timeout, take it back
 * @CANCEL_NONE: cancel a request that does not exist
 * @WRITE4K: write 4 KiB to a file in memory; last, since the threads that
 *	io_uring needs for it stay, and make what follows dearer
 * @WORKS: how many there are
 */
enum work {
	NOP,
	READ8,
	POLL,
	SENDRECV,
	READ4K,
	READ4K_FIXED,
	TIMEOUT0,
	TIMEOUT_CANCEL,
	CANCEL_NONE,
	WRITE4K,
	WORKS
};

/**
 * struct tools - what the works work on, the same for every peer
 * @zero_fd: /dev/zero
 * @file_fd: a file on tmpfs, 4 KiB long
 * @socks: a pair of AF_UNIX stream sockets
 * @events: an eventfd for each operation of a batch
 * @page: where data comes from and goes to
 */
struct tools {
	int zero_fd;
	int file_fd;
	int socks[2];
	int events[MAX_BATCH];
	char page[PAGE] __attribute__((aligned(PAGE)));
};

extern struct tools tools;

typedef void (*run_fn)(unsigned int batch, unsigned int rounds);

/**
 * struct peer - one way to do the works
 * @name: in the figures' file
 * @title: in the table
 * @begin: get ready for one work; 0 or a negative errno
 * @end: undo that
 * @run: do so many rounds of so many operations, or NULL
 * @any_batch: costs the same at every batch size
 */
struct peer {
	const char *name;
	const char *title;
	int (*begin)(enum work work);
	void (*end)(void);
	run_fn run[WORKS];
	bool any_batch;
};

extern const struct peer aring_peer, uring_peer, aio_peer, call_peer;

noreturn void die(const char *what, int err);
void check(unsigned int bad);
void open_tools(void);

/* Operations that take two requests. */
static inline __attribute__((always_inline)) bool is_pair(enum work work)
{
	return work == SENDRECV || work == TIMEOUT_CANCEL;
}

#endif /* BENCH_WORKS_H */
