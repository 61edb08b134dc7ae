/* SPDX-License-Identifier: MIT */
/* The requests that the tests bind linked timeouts to. */
#ifndef LINKTIMEOUT_H
#define LINKTIMEOUT_H

#include "chain.h"
#include <sys/socket.h>

static struct __kernel_timespec soon, far;

static void __attribute__((constructor)) set_times(void)
{
	soon = to_ts(ms(5));
	far = to_ts(ms(1000000));
}

/* What a linked timeout may be bound to. */
enum { PIPE, PIPE_V, PIPE_ASYNC, SOCKET, RECV, POLL, TIMER, COUNT, TARGETS };

static const struct {
	const char *name;
	int res;		/* once it was fed */
} TARGET[] = {
	[PIPE] = { "pipe read", 1 },
	[PIPE_V] = { "pipe readv", 1 },
	[PIPE_ASYNC] = { "async pipe read", 1 },
	[SOCKET] = { "socket read", 1 },
	[RECV] = { "recv", 1 },
	[POLL] = { "poll", POLLIN },
	[TIMER] = { "timeout", -ETIME },
	[COUNT] = { "counting timeout", 0 },
};

struct target {
	int kind, fd[2];
	char b[8];
	struct iovec v;
	struct __kernel_timespec ts;
};

/* A request that waits, or that is over within 20 ms by itself if @ends. */
static inline struct aring_sqe *
prep_target(struct __test_metadata *_metadata, struct ring *r,
	    struct target *t, int kind, bool ends, __u64 ud)
{
	struct aring_sqe *s;
	int ret;

	t->kind = kind;
	t->v = (struct iovec) { t->b, 1 };
	t->ts = to_ts(ends && kind == TIMER ? ms(20) : ms(1000000));
	ret = kind == SOCKET || kind == RECV ?
	      socketpair(AF_UNIX, SOCK_STREAM, 0, t->fd) : pipe(t->fd);
	ASSERT_EQ(0, ret);
	switch (kind) {
	case PIPE_V:
		return prep(r, ARING_OP_READV, t->fd[0], &t->v, 1, 0, ud);
	case RECV:
		return prep(r, ARING_OP_RECV, t->fd[0], t->b, 1, 0, ud);
	case POLL:
		s = prep(r, ARING_OP_POLL_ADD, t->fd[0], NULL, 0, 0, ud);
		s->poll32_events = POLLIN;
		return s;
	case TIMER:
	case COUNT:
		return prep_timeout(r, &t->ts, kind == COUNT, 0, ud);
	}
	s = prep_read(r, t->fd[0], t->b, 1, 0, ud);
	s->flags = kind == PIPE_ASYNC ? ASYNC : 0;
	return s;
}

static inline void feed_target(struct __test_metadata *_metadata,
			       struct target *t)
{
	if (t->kind < TIMER)
		feed(_metadata, t->fd[1]);
}

static inline void drop_target(struct target *t)
{
	close(t->fd[0]);
	close(t->fd[1]);
}

/* The time @ns from now on clock @nr of the three that timeouts know. */
static inline struct __kernel_timespec clock_in(int nr, __s64 ns)
{
	static const clockid_t clock[] = {
		CLOCK_MONOTONIC, CLOCK_BOOTTIME, CLOCK_REALTIME,
	};
	struct timespec ts;

	clock_gettime(clock[nr], &ts);
	return to_ts(ts.tv_sec * 1000000000LL + ts.tv_nsec + ns);
}

#endif /* LINKTIMEOUT_H */
