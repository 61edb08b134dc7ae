/* SPDX-License-Identifier: MIT */
/* Calls and ways to look for what registered files and buffers have in common. */
#ifndef RESOURCES_H
#define RESOURCES_H

#include "ring.h"
#include <poll.h>
#include <sys/socket.h>

static inline void *ptr(unsigned long v)
{
	return (void *)v;
}

static inline int reg_files(struct ring *r, const __s32 *fds, unsigned int nr)
{
	return ring_register(r, ARING_REGISTER_FILES, (void *)fds, nr);
}

static inline int unreg_files(struct ring *r)
{
	return ring_register(r, ARING_UNREGISTER_FILES, NULL, 0);
}

static inline int reg_buffers(struct ring *r, const struct iovec *v,
			      unsigned int nr)
{
	return ring_register(r, ARING_REGISTER_BUFFERS, (void *)v, nr);
}

static inline int reg_one(struct ring *r, const void *p, size_t len)
{
	struct iovec v = { (void *)p, len };

	return reg_buffers(r, &v, 1);
}

static inline int unreg_buffers(struct ring *r)
{
	return ring_register(r, ARING_UNREGISTER_BUFFERS, NULL, 0);
}

/* @op: ARING_REGISTER_FILES2 or ARING_REGISTER_BUFFERS2 */
static inline int reg_rsrc(struct ring *r, unsigned int op, const void *data,
			   const __u64 *tags, unsigned int nr, __u32 flags)
{
	struct aring_rsrc_register reg = {
		.nr = nr, .flags = flags,
		.data = (uintptr_t)data, .tags = (uintptr_t)tags,
	};

	return ring_register(r, op, &reg, sizeof(reg));
}

static inline int update_files(struct ring *r, unsigned int offset,
			       const __s32 *fds, unsigned int nr)
{
	struct aring_files_update up = {
		.offset = offset, .fds = (uintptr_t)fds,
	};

	return ring_register(r, ARING_REGISTER_FILES_UPDATE, &up, nr);
}

static inline int update_file(struct ring *r, unsigned int slot, __s32 fd)
{
	return update_files(r, slot, &fd, 1);
}

/* @op: ARING_REGISTER_FILES_UPDATE2 or ARING_REGISTER_BUFFERS_UPDATE */
static inline int update_rsrc(struct ring *r, unsigned int op,
			      unsigned int offset, const void *data,
			      const __u64 *tags, unsigned int nr)
{
	struct aring_rsrc_update2 up = {
		.offset = offset, .nr = nr,
		.data = (uintptr_t)data, .tags = (uintptr_t)tags,
	};

	return ring_register(r, op, &up, sizeof(up));
}

/* An operation on slot @slot of the registered files. */
static inline struct aring_sqe *prep_slot(struct ring *r, int op, int slot,
					  const void *addr, unsigned int len,
					  __u64 off, __u64 user_data)
{
	struct aring_sqe *sqe = prep(r, op, slot, addr, len, off, user_data);

	sqe->flags = ARING_SQE_FIXED_FILE;
	return sqe;
}

static inline int run_slot(struct ring *r, int op, int slot, const void *addr,
			   unsigned int len, __u64 off)
{
	prep_slot(r, op, slot, addr, len, off, 0x510);
	return ring_run(r);
}

/* A READ_FIXED or WRITE_FIXED with registered buffer @buf. */
static inline struct aring_sqe *prep_fixed(struct ring *r, int op, int fd,
					   const void *addr, unsigned int len,
					   __u64 off, unsigned int buf)
{
	struct aring_sqe *sqe = prep(r, op, fd, addr, len, off, 0xf1ed);

	sqe->buf_index = buf;
	return sqe;
}

static inline int run_fixed(struct ring *r, int op, int fd, const void *addr,
			    unsigned int len, __u64 off, unsigned int buf)
{
	prep_fixed(r, op, fd, addr, len, off, buf);
	return ring_run(r);
}

static inline void *page_alloc(size_t len)
{
	void *p = mmap(NULL, len, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

/* io_uring lets resources go after a second, both after a close elsewhere. */
static inline __u64 let_go_ns(void)
{
	return ms(10000) * test_slow();
}

/* Has the last descriptor of @fd's other end been closed, or is it soon? */
static inline bool other_end_goes(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLRDHUP };
	__u64 end = now_ns() + let_go_ns();

	while (now_ns() < end)
		if (poll(&p, 1, 100) > 0 &&
		    (p.revents & (POLLERR | POLLHUP | POLLRDHUP)))
			return true;
	return false;
}

/* Is the other end of @fd still open after @n milliseconds? */
static inline bool other_end_stays(int fd, int n)
{
	struct pollfd p = { .fd = fd, .events = POLLRDHUP };

	return poll(&p, 1, n) == 0;
}

/*
 * Wait for the CQEs of @n tags, 1 to @n in any order, and for no others. Tags of
 * one update come in the order in which the resources were let go, which is
 * nobody's promise.
 */
static inline bool tags_come(struct ring *r, unsigned int n)
{
	__u64 seen = 0;

	for (unsigned int i = 0; i < n; i++) {
		struct aring_cqe cqe;

		if (ring_cqe(r, &cqe) || cqe.res || cqe.flags ||
		    !cqe.user_data || cqe.user_data > n ||
		    seen & (1ULL << cqe.user_data))
			return false;
		seen |= 1ULL << cqe.user_data;
	}
	return !ring_ready(r);
}

/* A call that may sleep, made by a thread so that the test need not. */
struct call {
	pthread_t thread;
	struct ring *r;
	unsigned int opcode;
	int ret;
	bool over;
};

static inline void *call_thread(void *arg)
{
	struct call *c = arg;

	c->ret = ring_register(c->r, c->opcode, NULL, 0);
	__atomic_store_n(&c->over, true, __ATOMIC_RELEASE);
	return NULL;
}

static inline int call_start(struct call *c, struct ring *r, unsigned int opcode)
{
	*c = (struct call) { .r = r, .opcode = opcode };
	return pthread_create(&c->thread, NULL, call_thread, c);
}

static inline bool call_over(struct call *c)
{
	return __atomic_load_n(&c->over, __ATOMIC_ACQUIRE);
}

/* Its result, or RES_NONE if it does not end. */
static inline int call_result(struct call *c)
{
	__u64 end = now_ns() + let_go_ns();

	while (!call_over(c)) {
		if (now_ns() > end)
			return RES_NONE;
		usleep(1000);
	}
	pthread_join(c->thread, NULL);
	return c->ret;
}

#endif /* RESOURCES_H */
