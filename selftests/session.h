/* SPDX-License-Identifier: MIT */
/* What the tests of sessions share. */
#ifndef SESSION_H
#define SESSION_H

#include "ring.h"

#define MILLION	1000000

static inline int session_ioctl(int fd, struct aring_session *s)
{
	return ioctl(fd, ARING_IOC_SESSION, s) < 0 ? -errno : 0;
}

static inline int session_cmd(int fd, __u32 cmd, const void *addr, __u32 nr)
{
	struct aring_session s = {
		.cmd = cmd, .nr = nr, .addr = (uintptr_t)addr,
	};

	return session_ioctl(fd, &s);
}

/* A new session: its file, or a negative errno. */
static inline int session_new(__u64 *id)
{
	struct aring_session s = { .cmd = ARING_SESSION_CREATE };
	int fd = open(ARING_DEVICE, O_RDWR | O_CLOEXEC);
	int ret;

	*id = 0;
	if (fd < 0)
		return -errno;
	ret = session_ioctl(fd, &s);
	if (ret) {
		close(fd);
		return ret;
	}
	*id = s.id;
	return fd;
}

static inline int session_join(int fd, __u64 id)
{
	struct aring_session s = { .cmd = ARING_SESSION_JOIN, .id = id };

	return session_ioctl(fd, &s);
}

static inline int session_chaos(int fd, const struct aring_chaos *chaos)
{
	return session_cmd(fd, ARING_SESSION_CHAOS, chaos, 1);
}

static inline int session_plan(int fd, const struct aring_deviation *lines,
			       __u32 nr)
{
	return session_cmd(fd, ARING_SESSION_PLAN, lines, nr);
}

/* Read the log or what was seen; answers how many, @total how many there are. */
static inline int session_read(int fd, __u32 cmd, __u64 from, void *to,
			       __u32 nr, struct aring_session *s)
{
	int ret;

	*s = (struct aring_session) {
		.cmd = cmd, .nr = nr, .from = from, .addr = (uintptr_t)to,
	};
	ret = session_ioctl(fd, s);
	return ret ? ret : (int)s->nr;
}

static inline int session_log(int fd, struct aring_deviation *lines, __u32 nr)
{
	struct aring_session s;

	return session_read(fd, ARING_SESSION_LOG, 0, lines, nr, &s);
}

static inline int session_seen(int fd, struct aring_seen *seen, __u32 nr)
{
	struct aring_session s;

	return session_read(fd, ARING_SESSION_SEEN, 0, seen, nr, &s);
}

/* A mapped ring that belongs to the session. */
static inline int session_ring(struct ring *r, __u64 id, unsigned int entries,
			       const struct aring_params *params)
{
	int ret;

	memset(r, 0, sizeof(*r));
	r->backend = DEVICE;
	if (params)
		r->p = *params;
	r->p.sq_entries = entries;
	r->fd = open(ARING_DEVICE, O_RDWR | O_CLOEXEC);
	if (r->fd < 0)
		return -errno;
	ret = session_join(r->fd, id);
	if (!ret && ioctl(r->fd, ARING_IOC_SETUP, &r->p))
		ret = -errno;
	if (!ret)
		ret = ring_map(r);
	if (ret) {
		close(r->fd);
		r->fd = -1;
	}
	return ret;
}

/* A session with a seed, and one ring in it. */
static inline int session_of(struct ring *r, const struct aring_chaos *chaos)
{
	__u64 id = 0;
	int fd = session_new(&id), ret;

	if (fd < 0)
		return fd;
	ret = session_chaos(fd, chaos);
	if (!ret)
		ret = session_ring(r, id, 64, NULL);
	if (!ret)
		return fd;
	close(fd);
	return ret;
}

#define SESSION_FIXTURE(name)						\
	FIXTURE(name) {							\
		int fd;							\
		__u64 id;						\
	};								\
	FIXTURE_VARIANT(name) {						\
		enum backend backend;					\
	};								\
	FIXTURE_VARIANT_ADD(name, device) {				\
		.backend = DEVICE,					\
	};								\
	FIXTURE_SETUP(name)						\
	{								\
		self->fd = session_new(&self->id);			\
		ASSERT_GE(self->fd, 0);					\
	}								\
	FIXTURE_TEARDOWN(name)						\
	{								\
		close(self->fd);					\
	}

#endif /* SESSION_H */
