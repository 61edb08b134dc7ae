/* SPDX-License-Identifier: MIT */
/*
 * The virtual device, for tests.
 */
#ifndef VDEV_H
#define VDEV_H

#include "clock.h"

#define PAGE		4096UL

static inline int vdev_set(struct ring *r, const struct aring_vdev *v)
{
	return ioctl(r->fd, ARING_IOC_VDEV, v) ? -errno : 0;
}

/* A FIFO device where each request takes @base ns. */
static inline int vdev_fifo(struct ring *r, __u64 size, __u32 channels,
			    __u64 base)
{
	struct aring_vdev v = {
		.size = size,
		.channels = channels,
		.policy = ARING_VDEV_FIFO,
		.base = base,
	};

	return vdev_set(r, &v);
}

static inline struct aring_sqe *prep_vread(struct ring *r, void *buf,
					   unsigned int len, __u64 off,
					   __u64 user_data)
{
	return prep(r, ARING_OP_VREAD, -1, buf, len, off, user_data);
}

static inline struct aring_sqe *prep_vwrite(struct ring *r, const void *buf,
					    unsigned int len, __u64 off,
					    __u64 user_data)
{
	return prep(r, ARING_OP_VWRITE, -1, buf, len, off, user_data);
}

/* It takes @ns, whatever the device says. */
static inline struct aring_sqe *takes(struct aring_sqe *sqe, __u64 ns)
{
	sqe->vdev_flags |= ARING_VDEV_TIME;
	sqe->addr3 = ns;
	return sqe;
}

/* What the clock of a test's ring is. */
enum clock_kind { REAL, MANUAL, AUTOMATIC };

static inline int clock_become(struct ring *r, enum clock_kind kind)
{
	if (kind == REAL)
		return 0;
	return clock_virtual(r, kind == AUTOMATIC ? ARING_CLOCK_AUTO : 0);
}

/* The state of a request as fdinfo has it. */
static inline bool vdev_state_is(struct ring *r, __u64 user_data,
				 const char *state)
{
	char path[64], want[96], text[16384];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", r->fd);
	snprintf(want, sizeof(want), "user_data=%llu, state=%s",
		 (unsigned long long)user_data, state);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n < 0)
		return false;
	text[n] = 0;
	return strstr(text, want);
}

static inline void *page_alloc(size_t len)
{
	void *p = mmap(NULL, len, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

#endif /* VDEV_H */
