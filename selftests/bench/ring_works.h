/* SPDX-License-Identifier: MIT */
/*
 * The works, done by a ring. Included once for aring and once for io_uring, so
 * that both do the same: libaring's names are liburing's but for the prefix.
 *
 * RING is the ring's type, R(name) a name with its prefix, PEER the result, and
 * ring_init(entries) makes the ring.
 */
#include <errno.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "works.h"

#define FAR_AWAY	3600	/* seconds */
#define NOBODY		0x6e6f626f6479ULL

#define ring_sqe	R(sqe)
#define ring_cqe	R(cqe)

static RING ring;
static struct __kernel_timespec no_time, long_time = { .tv_sec = FAR_AWAY };

static void ring_end(void)
{
	R(queue_exit)(&ring);
}

static int ring_begin(enum work work)
{
	struct iovec iov = { .iov_base = tools.page, .iov_len = PAGE };
	int ret;

	ret = ring_init(is_pair(work) ? 2 * MAX_BATCH : MAX_BATCH);
	if (ret < 0 || work != READ4K_FIXED)
		return ret;
	ret = R(register_buffers)(&ring, &iov, 1);
	if (ret < 0)
		ring_end();
	return ret;
}

/*
 * From here on always inline: one copy for each work, so that nobody pays for
 * the choice.
 */

static __always_inline void prep_one(enum work work, struct ring_sqe *sqe,
				     unsigned int i)
{
	char *page = tools.page;

	if (work == NOP)
		R(prep_nop)(sqe);
	else if (work == READ8)
		R(prep_read)(sqe, tools.zero_fd, page, READ8_SIZE, 0);
	else if (work == POLL)
		R(prep_poll_add)(sqe, tools.events[i], EPOLLIN);
	else if (work == SENDRECV)
		R(prep_send)(sqe, tools.socks[0], page, SEND_SIZE, 0);
	else if (work == READ4K)
		R(prep_read)(sqe, tools.file_fd, page, PAGE, 0);
	else if (work == READ4K_FIXED)
		R(prep_read_fixed)(sqe, tools.file_fd, page, PAGE, 0, 0);
	else if (work == WRITE4K)
		R(prep_write)(sqe, tools.file_fd, page, PAGE, 0);
	else if (work == TIMEOUT0)
		R(prep_timeout)(sqe, &no_time, 0, 0);
	else if (work == TIMEOUT_CANCEL)
		R(prep_timeout)(sqe, &long_time, 0, 0);
	else
		R(prep_cancel64)(sqe, NOBODY, 0);
}

/* The second request of a pair. */
static __always_inline void prep_other(enum work work, struct ring_sqe *sqe,
				       unsigned int i)
{
	if (work == SENDRECV)
		R(prep_recv)(sqe, tools.socks[1], tools.page, SEND_SIZE, 0);
	else
		R(prep_timeout_remove)(sqe, 2 * i, 0);
}

/* What is to come of it; the second of a pair has an odd number. */
static __always_inline int expected(enum work work, unsigned long long data)
{
	switch (work) {
	case READ8:
		return READ8_SIZE;
	case POLL:
		return EPOLLIN;
	case SENDRECV:
		return SEND_SIZE;
	case READ4K:
	case READ4K_FIXED:
	case WRITE4K:
		return PAGE;
	case TIMEOUT0:
		return -ETIME;
	case TIMEOUT_CANCEL:
		return data & 1 ? 0 : -ECANCELED;
	case CANCEL_NONE:
		return -ENOENT;
	default:
		return 0;
	}
}

/* What is left to reap after the first look; normally nothing. */
static unsigned int reap_rest(enum work work, unsigned int nr)
{
	struct ring_cqe *cqe;
	unsigned int bad = 0;

	while (nr--) {
		if (R(wait_cqe)(&ring, &cqe))
			return 1;
		bad += cqe->res != expected(work, cqe->user_data);
		R(cqe_seen)(&ring, cqe);
	}
	return bad;
}

static __always_inline void fill(enum work work, unsigned int batch)
{
	struct ring_sqe *sqe;
	unsigned int i;

	for (i = 0; i < batch; i++) {
		sqe = R(get_sqe)(&ring);
		prep_one(work, sqe, i);
		R(sqe_set_data64)(sqe, is_pair(work) ? 2 * i : i);
		if (!is_pair(work))
			continue;
		sqe = R(get_sqe)(&ring);
		prep_other(work, sqe, i);
		R(sqe_set_data64)(sqe, 2 * i + 1);
	}
}

/* Adding nothing wakes who polls, and leaves nothing that had to be read. */
static __always_inline void fire(unsigned int batch)
{
	static const unsigned long long nothing;
	unsigned int i, bad = 0;

	for (i = 0; i < batch; i++)
		bad += write(tools.events[i], &nothing, sizeof(nothing)) !=
		       sizeof(nothing);
	check(bad);
}

static __always_inline void run(enum work work, unsigned int batch,
				unsigned int rounds)
{
	const unsigned int nr = is_pair(work) ? 2 * batch : batch;
	const bool waits = work == WRITE4K || work == TIMEOUT0;
	unsigned int head, seen, bad = 0;
	struct ring_cqe *cqe;
	int ret;

	while (rounds--) {
		fill(work, batch);
		ret = waits ? R(submit_and_wait)(&ring, nr) : R(submit)(&ring);
		if (ret != (int)nr)
			check(nr);
		if (work == POLL)
			fire(batch);
		seen = 0;
		R(for_each_cqe)(&ring, head, cqe) {
			bad += cqe->res != expected(work, cqe->user_data);
			seen++;
		}
		R(cq_advance)(&ring, seen);
		if (seen != nr)
			bad += reap_rest(work, nr - seen);
	}
	check(bad);
}

#define RUN(name, work)							\
static void run_##name(unsigned int batch, unsigned int rounds)		\
{									\
	run(work, batch, rounds);					\
}

RUN(nop, NOP)
RUN(read8, READ8)
RUN(poll, POLL)
RUN(sendrecv, SENDRECV)
RUN(read4k, READ4K)
RUN(read4k_fixed, READ4K_FIXED)
RUN(write4k, WRITE4K)
RUN(timeout0, TIMEOUT0)
RUN(timeout_cancel, TIMEOUT_CANCEL)
RUN(cancel_none, CANCEL_NONE)

const struct peer PEER = {
	.name = RING_NAME,
	.title = RING_NAME,
	.begin = ring_begin,
	.end = ring_end,
	.run = {
		[NOP] = run_nop,
		[READ8] = run_read8,
		[POLL] = run_poll,
		[SENDRECV] = run_sendrecv,
		[READ4K] = run_read4k,
		[READ4K_FIXED] = run_read4k_fixed,
		[WRITE4K] = run_write4k,
		[TIMEOUT0] = run_timeout0,
		[TIMEOUT_CANCEL] = run_timeout_cancel,
		[CANCEL_NONE] = run_cancel_none,
	},
};
