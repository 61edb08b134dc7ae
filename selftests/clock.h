/* SPDX-License-Identifier: MIT */
/* Virtual clocks, for tests. */
#ifndef CLOCK_H
#define CLOCK_H

#include "ring.h"

#define CLOCK_NEVER	(~0ULL)

/* What one thread tells another. */
#define TELL(what, value)	__atomic_store_n(&(what), value, __ATOMIC_RELEASE)
#define TOLD(what)		__atomic_load_n(&(what), __ATOMIC_ACQUIRE)

/* One ARING_IOC_CLOCK; what it answers in @c. Return: 0 or a negative errno. */
static inline int clock_ioctl(struct ring *r, struct aring_clock *c)
{
	return ioctl(r->fd, ARING_IOC_CLOCK, c) ? -errno : 0;
}

static inline int clock_do(struct ring *r, __u32 cmd, __u64 time)
{
	struct aring_clock c = { .cmd = cmd, .time = time };

	return clock_ioctl(r, &c);
}

static inline int clock_virtual(struct ring *r, __u32 flags)
{
	struct aring_clock c = { .cmd = ARING_CLOCK_VIRTUAL, .flags = flags };

	return clock_ioctl(r, &c);
}

static inline int clock_share(struct ring *r, const struct ring *with)
{
	struct aring_clock c = { .cmd = ARING_CLOCK_SHARE, .fd = with->fd };

	return clock_ioctl(r, &c);
}

static inline int clock_next(struct ring *r)
{
	return clock_do(r, ARING_CLOCK_NEXT, 0);
}

static inline int clock_advance(struct ring *r, __u64 ns)
{
	return clock_do(r, ARING_CLOCK_ADVANCE, ns);
}

static inline int clock_to(struct ring *r, __u64 time)
{
	return clock_do(r, ARING_CLOCK_TO, time);
}

static inline struct aring_clock clock_get(struct ring *r)
{
	struct aring_clock c = { .cmd = ARING_CLOCK_GET };

	if (clock_ioctl(r, &c))
		memset(&c, 0xee, sizeof(c));
	return c;
}

static inline __u64 clock_time(struct ring *r)
{
	return clock_get(r).time;
}

/* A TIMEOUT of @ns, submitted. Return: what ENTER said. */
static inline int clock_timeout(struct ring *r, __u64 ns, __u32 flags,
				__u64 user_data)
{
	struct __kernel_timespec ts = to_ts(ns);

	prep_timeout(r, &ts, 0, flags, user_data);
	return ring_submit(r);
}

/* Is the next CQE, which is there already, this one? */
#define CLOCK_EXPECT_CQE(r, ud, result)					\
	do {								\
		struct aring_cqe __cqe = { .user_data = ~0ULL };	\
									\
		CHECK_EQ(true, ring_reap(r, &__cqe), "no CQE");		\
		EXPECT_EQ((__u64)(ud), __cqe.user_data);		\
		EXPECT_EQ(result, __cqe.res);				\
	} while (0)

#endif /* CLOCK_H */
