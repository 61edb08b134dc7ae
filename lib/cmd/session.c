// SPDX-License-Identifier: MIT
/*
 * Sessions, by ioctl.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cmd.h"
#include "session.h"

/* Elements that are read at once. */
#define BATCH	256

static int session_ioctl(int fd, struct aring_session *s)
{
	return ioctl(fd, ARING_IOC_SESSION, s) < 0 ? -errno : 0;
}

/**
 * session_create() - make a session
 * @id: out: what its members name it by
 *
 * Return: its descriptor, which keeps it, or -errno.
 */
int session_create(__u64 *id)
{
	struct aring_session s = { .cmd = ARING_SESSION_CREATE };
	int fd, ret;

	fd = open(ARING_DEVICE, O_RDWR | O_CLOEXEC);
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

/**
 * session_chaos() - have a seed decide
 * @fd: the session
 * @c: the seed, and what it decides about
 *
 * Return: 0 or -errno.
 */
int session_chaos(int fd, const struct aring_chaos *c)
{
	struct aring_session s = {
		.cmd = ARING_SESSION_CHAOS,
		.addr = (uintptr_t)c,
	};

	return session_ioctl(fd, &s);
}

/**
 * session_plan() - have a plan carried out
 * @fd: the session
 * @p: the plan
 *
 * Return: 0 or -errno.
 */
int session_plan(int fd, const struct plan *p)
{
	struct aring_session s = {
		.cmd = ARING_SESSION_PLAN,
		.nr = (__u32)p->nr,
		.addr = (uintptr_t)p->line,
	};

	if (p->nr > ~0U)
		return -E2BIG;
	return session_ioctl(fd, &s);
}

/**
 * session_watch() - have the session remember what it sees
 * @fd: the session
 *
 * Return: 0 or -errno.
 */
int session_watch(int fd)
{
	struct aring_session s = { .cmd = ARING_SESSION_WATCH };

	return session_ioctl(fd, &s);
}

/**
 * session_virtual_clock() - give each process of the session a virtual clock
 * @fd: the session
 *
 * Return: 0 or -errno.
 */
int session_virtual_clock(int fd)
{
	struct aring_session s = { .cmd = ARING_SESSION_CLOCK };

	return session_ioctl(fd, &s);
}

/**
 * session_log() - read what was done
 * @fd: the session
 * @log: an empty plan; out: with ARING_DEV_DONE where it was carried out
 * @lost: out: lines that there was no room for
 *
 * Return: 0 or -errno.
 */
int session_log(int fd, struct plan *log, __u64 *lost)
{
	struct aring_deviation part[BATCH] = { 0 };
	struct aring_session s;
	__u32 i;
	int ret;

	do {
		memset(&s, 0, sizeof(s));
		s.cmd = ARING_SESSION_LOG;
		s.nr = BATCH;
		s.from = log->nr;
		s.addr = (uintptr_t)part;
		ret = session_ioctl(fd, &s);
		if (ret)
			return ret;
		for (i = 0; i < s.nr; i++)
			plan_add(log, &part[i]);
	} while (s.nr);
	*lost = s.lost;
	return 0;
}

/**
 * session_seen() - read what was seen
 * @fd: the session
 * @seen: nothing; out
 * @lost: out: requests that there was no room for
 *
 * Return: 0 or -errno.
 */
int session_seen(int fd, struct seen *seen, __u64 *lost)
{
	struct aring_seen part[BATCH] = { 0 };
	struct aring_session s;
	__u32 i;
	int ret;

	do {
		memset(&s, 0, sizeof(s));
		s.cmd = ARING_SESSION_SEEN;
		s.nr = BATCH;
		s.from = seen->nr;
		s.addr = (uintptr_t)part;
		ret = session_ioctl(fd, &s);
		if (ret)
			return ret;
		for (i = 0; i < s.nr; i++) {
			seen->req = grow(seen->req, &seen->room, seen->nr,
					 sizeof(*seen->req));
			seen->req[seen->nr++] = part[i];
		}
	} while (s.nr);
	*lost = s.lost;
	return 0;
}

/**
 * seen_free() - forget requests
 * @s: becomes empty
 */
void seen_free(struct seen *s)
{
	free(s->req);
	memset(s, 0, sizeof(*s));
}
