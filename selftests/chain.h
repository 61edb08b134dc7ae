/* SPDX-License-Identifier: MIT */
/*
 * What the tests of chains, linked timeouts and drains share: short names of
 * the flags, and which completions are expected, in which order.
 */
#ifndef CHAIN_H
#define CHAIN_H

#include "ring.h"
#include <poll.h>

#define LINK	ARING_SQE_IO_LINK
#define HARD	ARING_SQE_IO_HARDLINK
#define DRAIN	ARING_SQE_IO_DRAIN
#define ASYNC	ARING_SQE_ASYNC
#define SKIP_OK	ARING_SQE_CQE_SKIP_SUCCESS

struct want {
	__u64 ud;
	int res;
};

/* Reap exactly the @n CQEs of @w, in that order or in any; @line is whose. */
static inline void see_cqes(struct __test_metadata *_metadata, struct ring *r,
			    const struct want *w, int n, bool ordered,
			    int line)
{
	bool seen[128] = { false };
	struct aring_cqe cqe;

	for (int i = 0; i < n; i++) {
		int k = ordered ? i : 0;

		NEED_EQ(0, ring_cqe(r, &cqe),
			"from line %d: completion %d of %d", line, i + 1, n);
		while (!ordered && k < n &&
		       (seen[k] || w[k].ud != cqe.user_data))
			k++;
		NEED_TRUE(k < n, "from line %d: unexpected %llu, result %d",
			  line, cqe.user_data, cqe.res);
		seen[k] = true;
		CHECK_EQ(w[k].ud, cqe.user_data,
			 "from line %d: completion %d, result %d", line, i + 1,
			 cqe.res);
		CHECK_EQ(w[k].res, cqe.res, "from line %d: result of %llu",
			 line, cqe.user_data);
		CHECK_EQ(0, cqe.flags, "from line %d: flags of %llu", line,
			 cqe.user_data);
	}
	CHECK_TRUE(ring_quiet(r, 3), "from line %d: one more than %d came",
		   line, n);
}

#define SEE_LIST(r, ordered, ...)					\
	see_cqes(_metadata, r, (const struct want[]) { __VA_ARGS__ },	\
		 sizeof((const struct want[]) { __VA_ARGS__ }) /	\
		 sizeof(struct want), ordered, __LINE__)
/* SEE(ring, { user_data, result }, ...): these CQEs come, and no other */
#define SEE(r, ...)	SEE_LIST(r, true, __VA_ARGS__)
#define SEE_SET(r, ...)	SEE_LIST(r, false, __VA_ARGS__)

static inline bool readable(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, 0) > 0 && (p.revents & POLLIN);
}

/* Is everybody gone who could read what is written to @fd? */
static inline bool readers_go(int fd)
{
	__u64 end = now_ns() + ms(10000) * test_slow();
	struct pollfd p = { .fd = fd, .events = 0 };

	while (now_ns() < end) {
		if (poll(&p, 1, 100) > 0 && (p.revents & (POLLERR | POLLHUP)))
			return true;
	}
	return false;
}

static inline void feed(struct __test_metadata *_metadata, int fd)
{
	ASSERT_EQ(1, write(fd, "x", 1));
}

/* An SQE that is sound and fails when its turn comes, with -EBADF. */
static inline struct aring_sqe *prep_ebadf(struct ring *r, __u64 ud)
{
	return prep_read(r, -1, NULL, 1, 0, ud);
}

static inline struct aring_sqe *prep_remove(struct ring *r, __u64 target,
					    __u64 ud)
{
	return prep(r, ARING_OP_TIMEOUT_REMOVE, -1, (void *)(uintptr_t)target,
		    0, 0, ud);
}

static inline struct aring_sqe *
prep_link_timeout(struct ring *r, const struct __kernel_timespec *ts,
		  __u32 flags, __u64 ud)
{
	struct aring_sqe *s = prep(r, ARING_OP_LINK_TIMEOUT, -1, ts, 1, 0, ud);

	s->timeout_flags = flags;
	return s;
}

/* A sequence that a seed repeats. */
static inline unsigned int rnd(__u64 *seed)
{
	*seed = *seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return *seed >> 33;
}

#endif /* CHAIN_H */
