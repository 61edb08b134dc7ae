/* SPDX-License-Identifier: MIT */
/* What the tests of steering share: setting rules, listing what is held. */
#ifndef STEER_H
#define STEER_H

#include "chain.h"

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

#endif /* STEER_H */
