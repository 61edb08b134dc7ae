/* SPDX-License-Identifier: MIT */
/*
 * What the tests of SETUP_SQPOLL share: submitting as a program does that has
 * such a ring, and asking about its thread.
 */
#ifndef SQPOLL_H
#define SQPOLL_H

#include "ring.h"
#include <arpa/inet.h>
#include <sys/socket.h>

/* How often sq_offer() had to call ENTER. */
static unsigned long sq_calls;

static inline int sq_init(struct ring *r, enum backend backend,
			  unsigned int entries, __u32 flags, __u32 idle_ms)
{
	struct aring_params p = {
		.flags = ARING_SETUP_SQPOLL | flags,
		.sq_thread_idle = idle_ms,
	};

	return ring_init_params(r, backend, entries, &p);
}

static inline bool sq_asleep(struct ring *r)
{
	return ring_sq_flags(r) & ARING_SQ_NEED_WAKEUP;
}

/* Hand over what was prepared, as io_uring_setup(2) says. */
static inline void sq_offer(struct ring *r)
{
	ring_flush(r);
	if (sq_asleep(r)) {
		sq_calls++;
		ring_enter(r, 0, 0, ARING_ENTER_SQ_WAKEUP, NULL, 0);
	}
}

/* @n CQEs come, without a call into the kernel. */
static inline bool sq_arrives(struct ring *r, unsigned int n)
{
	__u64 end = now_ns() + ms(10000) * test_slow();

	while (ring_ready(r) < n) {
		if (now_ns() > end)
			return false;
		usleep(50);
	}
	return true;
}

/* All that was offered has been taken. */
static inline bool sq_taken(struct ring *r)
{
	__u64 end = now_ns() + ms(10000) * test_slow();

	while (__atomic_load_n(r->sq_head, __ATOMIC_ACQUIRE) != r->tail) {
		if (now_ns() > end)
			return false;
		usleep(50);
	}
	return true;
}

/* The flags @bits of the SQ ring come on, or go off. */
static inline bool sq_flags_become(struct ring *r, __u32 bits, bool on)
{
	__u64 end = now_ns() + ms(10000) * test_slow();

	while (!(ring_sq_flags(r) & bits) == on) {
		if (now_ns() > end)
			return false;
		usleep(200);
	}
	return true;
}

/* Offer the one SQE prepared last, answer its result; no other may be there. */
static inline int sq_run(struct ring *r)
{
	__u64 ud = ring_sqe_at(r, r->tail - 1)->user_data;
	struct aring_cqe cqe;

	sq_offer(r);
	if (!sq_arrives(r, 1) || !ring_reap(r, &cqe))
		return RES_NONE;
	return cqe.user_data == ud && !ring_ready(r) ? cqe.res : RES_OTHER;
}

/* A line "KEY:\tNUMBER" of the ring's fdinfo, INT_MIN if there is none. */
static inline int sq_fdinfo(struct ring *r, const char *key)
{
	char path[64], line[256];
	int value = INT_MIN;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", r->fd);
	f = fopen(path, "re");
	if (!f)
		return INT_MIN;
	while (fgets(line, sizeof(line), f)) {
		size_t n = strlen(key);

		if (!strncmp(line, key, n) && line[n] == ':')
			value = atoi(line + n + 1);
	}
	fclose(f);
	return value;
}

/*
 * The same for SqThread and SqThreadCpu. io_uring says -1 whenever the thread
 * is busy, so it is asked until the thread falls asleep.
 */
static inline int sq_thread_line(struct ring *r, const char *key)
{
	__u64 end = now_ns() + ms(10000) * test_slow();
	int value;

	do {
		value = sq_fdinfo(r, key);
		if (value != -1)
			break;
		usleep(1000);
	} while (now_ns() < end);
	return value;
}

static inline int sq_thread(struct ring *r)
{
	return sq_thread_line(r, "SqThread");
}

static inline bool thread_exists(int tid)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d", tid);
	return !access(path, F_OK);
}

static inline bool thread_goes(int tid)
{
	__u64 end = now_ns() + ms(10000) * test_slow();

	while (thread_exists(tid)) {
		if (now_ns() > end)
			return false;
		usleep(1000);
	}
	return true;
}

/* A connected pair of TCP sockets. */
static inline bool tcp_pair(int *s)
{
	struct sockaddr_in a = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t len = sizeof(a);
	int l = socket(AF_INET, SOCK_STREAM, 0);

	s[0] = socket(AF_INET, SOCK_STREAM, 0);
	if (bind(l, (void *)&a, len) || listen(l, 1) ||
	    getsockname(l, (void *)&a, &len) ||
	    connect(s[0], (void *)&a, len))
		return false;
	s[1] = accept(l, NULL, NULL);
	close(l);
	return s[1] >= 0;
}

#endif /* SQPOLL_H */
