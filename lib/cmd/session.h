/* SPDX-License-Identifier: MIT */
/*
 * Sessions: what a program and all that it starts are subject to, and what was
 * done to them.
 */
#ifndef _ARING_SESSION_H
#define _ARING_SESSION_H

#include <stdbool.h>
#include <linux/aring.h>

#include "plan.h"

/**
 * struct seen - requests that a session has seen
 * @req: them, in the order in which they were submitted
 * @nr: how many
 * @room: how many @req has room for
 */
struct seen {
	struct aring_seen *req;
	size_t nr;
	size_t room;
};

void seen_free(struct seen *s);

int session_create(__u64 *id);
int session_chaos(int fd, const struct aring_chaos *c);
int session_plan(int fd, const struct plan *p);
int session_watch(int fd);
int session_virtual_clock(int fd);
int session_log(int fd, struct plan *log, __u64 *lost);
int session_seen(int fd, struct seen *seen, __u64 *lost);

#endif /* _ARING_SESSION_H */
