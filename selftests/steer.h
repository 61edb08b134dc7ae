/* SPDX-License-Identifier: MIT */
/* What the tests of steering share: setting rules, listing what is held. */
#ifndef STEER_H
#define STEER_H

#include "chain.h"
#include <sys/socket.h>

static inline int steer(struct ring *r, struct aring_steer *s)
{
	return ioctl(r->fd, ARING_IOC_STEER, s) < 0 ? -errno : 0;
}

static inline int steer_add(struct ring *r, const struct aring_rule *rules,
			    unsigned int nr)
{
	struct aring_steer s = {
		.cmd = ARING_STEER_ADD,
		.nr = nr,
		.addr = (uintptr_t)rules,
	};

	return steer(r, &s);
}

static inline int steer_clear(struct ring *r)
{
	struct aring_steer s = { .cmd = ARING_STEER_CLEAR };

	return steer(r, &s);
}

/* The request with this user_data, whichever it is, once. */
static inline struct aring_rule rule_for(__u64 user_data, unsigned int action,
					 __u64 value)
{
	return (struct aring_rule){
		.match = ARING_MATCH_USER_DATA,
		.action = action,
		.user_data = user_data,
		.mask = -1ULL,
		.first = 1,
		.count = 1,
		.value = value,
	};
}

/* Everything. */
static inline struct aring_rule rule_all(unsigned int action, __u64 value)
{
	return (struct aring_rule){
		.action = action,
		.first = 1,
		.value = value,
	};
}

static inline int steer_for(struct ring *r, __u64 user_data,
			    unsigned int action, __u64 value)
{
	struct aring_rule rule = rule_for(user_data, action, value);

	return steer_add(r, &rule, 1);
}

static inline int steer_all(struct ring *r, unsigned int action, __u64 value)
{
	struct aring_rule rule = rule_all(action, value);

	return steer_add(r, &rule, 1);
}

/* How many are held; the first @nr of them at @held. Or a negative errno. */
static inline int steer_held(struct ring *r, struct aring_held *held,
			     unsigned int nr)
{
	struct aring_steer s = {
		.cmd = ARING_STEER_HELD,
		.nr = nr,
		.addr = (uintptr_t)held,
	};
	int ret = steer(r, &s);

	return ret ?: (int)s.nr;
}

/* Where the only request that is held is held; 0 if none or more than one is. */
static inline int steer_held_at(struct ring *r, __u64 user_data)
{
	struct aring_held held[2] = { { 0 } };

	if (steer_held(r, held, 2) != 1 || held[0].user_data != user_data)
		return 0;
	return held[0].at;
}

/* Wait until that is so. */
static inline bool steer_wait_held(struct ring *r, __u64 user_data, int at)
{
	__u64 end = now_ns() + ms(10000) * test_slow();

	while (steer_held_at(r, user_data) != at) {
		if (now_ns() > end)
			return false;
		usleep(1000);
	}
	return true;
}

static inline int steer_release(struct ring *r, __u32 ticket)
{
	struct aring_steer s = {
		.cmd = ARING_STEER_RELEASE,
		.ticket = ticket,
	};

	return steer(r, &s);
}

/* How many were let go, or a negative errno. */
static inline int steer_release_all(struct ring *r)
{
	struct aring_steer s = { .cmd = ARING_STEER_RELEASE_ALL };
	int ret = steer(r, &s);

	return ret ?: (int)s.nr;
}

/* What the requests work on, each with something to do at once. */
struct files {
	int file;		/* "0123456789" */
	int pipe[2];		/* "abc" in it */
	int sock[2];		/* "xyz" to be read from [0] */
	char buf[64];
	struct iovec iov[3];
};

static inline void files_open(struct __test_metadata *_metadata,
			      struct files *f)
{
	f->file = open("/tmp", O_TMPFILE | O_RDWR, 0600);
	ASSERT_LE(0, f->file);
	ASSERT_EQ(10, write(f->file, "0123456789", 10));
	ASSERT_EQ(0, pipe(f->pipe));
	ASSERT_EQ(3, write(f->pipe[1], "abc", 3));
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, f->sock));
	ASSERT_EQ(3, write(f->sock[1], "xyz", 3));
	for (int i = 0; i < 3; i++)
		f->iov[i] = (struct iovec){ f->buf + 16 * i, 2 };
}

#define STEER_FIXTURE(name, setup_flags)					\
	FIXTURE(name) {							\
		struct ring r;						\
		struct files f;						\
	};								\
	FIXTURE_VARIANT(name) {						\
		enum backend backend;					\
	};								\
	FIXTURE_VARIANT_ADD(name, device) {				\
		.backend = DEVICE,					\
	};								\
	FIXTURE_SETUP(name)						\
	{								\
		ASSERT_EQ(0, ring_init(&self->r, DEVICE, 64, setup_flags)); \
		files_open(_metadata, &self->f);			\
	}								\
	FIXTURE_TEARDOWN(name)						\
	{								\
		ring_exit(&self->r);					\
	}

static struct __kernel_timespec short_time = { .tv_nsec = 1000000 };
static struct __kernel_timespec long_time = { .tv_sec = 1000 };

/* An operation that ends soon when nothing is done to it. */
struct subject {
	const char *name;
	void (*prep)(struct ring *r, struct files *f, __u64 ud);
	int res;
};

static inline void sub_nop(struct ring *r, struct files *f, __u64 ud)
{
	(void)f;
	prep_nop(r, ud);
}

static inline void sub_file(struct ring *r, struct files *f, __u64 ud)
{
	prep_read(r, f->file, f->buf, 8, 0, ud);
}

static inline void sub_pipe(struct ring *r, struct files *f, __u64 ud)
{
	prep_read(r, f->pipe[0], f->buf, 1, -1, ud);
}

static inline void sub_recv(struct ring *r, struct files *f, __u64 ud)
{
	prep(r, ARING_OP_RECV, f->sock[0], f->buf, 1, 0, ud)->msg_flags =
		MSG_PEEK;
}

static inline void sub_timeout(struct ring *r, struct files *f, __u64 ud)
{
	(void)f;
	prep_timeout(r, &short_time, 0, 0, ud);
}

static inline void sub_poll(struct ring *r, struct files *f, __u64 ud)
{
	prep(r, ARING_OP_POLL_ADD, f->sock[0], NULL, 0, 0, ud)->poll_events =
		POLLIN;
}

static inline void sub_fsync(struct ring *r, struct files *f, __u64 ud)
{
	prep(r, ARING_OP_FSYNC, f->file, NULL, 0, 0, ud);
}

static inline void sub_ebadf(struct ring *r, struct files *f, __u64 ud)
{
	(void)f;
	prep_read(r, -1, NULL, 1, 0, ud);
}

static const struct subject subjects[] = {
	{ "nop", sub_nop, 0 },
	{ "file", sub_file, 8 },
	{ "pipe", sub_pipe, 1 },
	{ "recv", sub_recv, 1 },
	{ "timeout", sub_timeout, -ETIME },
	{ "poll", sub_poll, POLLIN },
	{ "fsync", sub_fsync, 0 },
	{ "ebadf", sub_ebadf, -EBADF },
};

#define FOR_SUBJECTS(s) \
	for (const struct subject *(s) = subjects; \
	     (s) < subjects + sizeof(subjects) / sizeof(subjects[0]); (s)++)

static const unsigned int early[] = {
	ARING_ACT_HOLD_QUEUED, ARING_ACT_HOLD_STARTED, ARING_ACT_CANCEL_WINS,
};

#define FOR_EARLY(i) for (unsigned int i = 0; i < 3; i++)

#define FOR_HOLDS(a) \
	for (int a = ARING_ACT_HOLD_QUEUED; a <= ARING_ACT_HOLD_DONE; a++)

/* The ticket of the SQE prepared last. */
static inline __u32 last_ticket(const struct ring *r)
{
	return r->tail - 1;
}

/* What the next one of a chain is told when this one fails: FSYNC breaks none. */
static inline int after_failed(unsigned int opcode)
{
	return opcode == ARING_OP_FSYNC ? 0 : -ECANCELED;
}

/* As SEE, for one, with a name. */
static inline void see_one(struct __test_metadata *_metadata, struct ring *r,
			   __u64 ud, int res, const char *what, int line)
{
	struct aring_cqe cqe = { 0 };

	NEED_EQ(0, ring_cqe(r, &cqe), "line %d, %s", line, what);
	CHECK_EQ(ud, cqe.user_data, "line %d, %s", line, what);
	CHECK_EQ(res, cqe.res, "line %d, %s", line, what);
}

#define ONE(ud, res, what) see_one(_metadata, r, ud, res, what, __LINE__)
#define NO_MORE(what) \
	CHECK_TRUE(ring_quiet(r, 2), "line %d, %s: one more", __LINE__, what)

#endif /* STEER_H */
