/* SPDX-License-Identifier: MIT */
/* What the tests of polls share: their SQEs, and files to wait for. */
#ifndef POLL_H
#define POLL_H

#include "sock.h"
#include <poll.h>
#include <termios.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>

/* The bits that <sys/epoll.h> and <poll.h> share have the same values. */
static inline struct aring_sqe *prep_poll(struct ring *r, int fd, __u32 events,
					  __u64 ud)
{
	struct aring_sqe *s = prep(r, ARING_OP_POLL_ADD, fd, NULL, 0, 0, ud);

	s->poll32_events = events;
	return s;
}

static inline struct aring_sqe *prep_multi(struct ring *r, int fd, __u32 events,
					   __u64 ud)
{
	struct aring_sqe *s = prep_poll(r, fd, events, ud);

	s->len = ARING_POLL_ADD_MULTI;
	return s;
}

static inline struct aring_sqe *prep_poll_remove(struct ring *r, __u64 target,
						 __u64 ud)
{
	return prep(r, ARING_OP_POLL_REMOVE, -1, (void *)(uintptr_t)target, 0,
		    0, ud);
}

static inline struct aring_sqe *prep_new_events(struct ring *r, __u64 target,
						__u32 events, __u64 ud)
{
	struct aring_sqe *s = prep_poll_remove(r, target, ud);

	s->len = ARING_POLL_UPDATE_EVENTS;
	s->poll32_events = events;
	return s;
}

static inline struct aring_sqe *prep_new_name(struct ring *r, __u64 target,
					      __u64 name, __u64 ud)
{
	struct aring_sqe *s = prep_poll_remove(r, target, ud);

	s->len = ARING_POLL_UPDATE_USER_DATA;
	s->off = name;
	return s;
}

static inline void eventfd_add(int fd, __u64 n)
{
	if (write(fd, &n, 8) != 8)
		abort();
}

static inline void eventfd_clear(int fd)
{
	__u64 n;

	if (read(fd, &n, 8) != 8)
		abort();
}

/* Files that become readable: @fd is polled, @other is what feeds it. */
enum {
	PIPE, EVENTFD, UNIX_STREAM, TCP, TIMERFD, SIGNALFD, EPOLL, INOTIFY,
	PTY_MASTER, PTY_SLAVE, SOURCES
};

static const char *const SOURCE[] __attribute__((unused)) = {
	"pipe", "eventfd", "socketpair", "TCP", "timerfd", "signalfd", "epoll",
	"inotify", "pty master", "pty slave",
};

struct source {
	int kind, fd, other;
	ssize_t bytes;		/* written and not yet drained */
};

static inline bool source_pty(struct source *s)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY), slave;
	struct termios tio;

	if (master < 0 || grantpt(master) || unlockpt(master))
		return false;
	slave = open(ptsname(master), O_RDWR | O_NOCTTY);
	if (slave < 0 || tcgetattr(slave, &tio))
		return false;
	cfmakeraw(&tio);
	s->fd = s->kind == PTY_MASTER ? master : slave;
	s->other = s->kind == PTY_MASTER ? slave : master;
	return !tcsetattr(slave, TCSANOW, &tio);
}

static inline bool source_epoll(struct source *s)
{
	struct epoll_event e = { .events = EPOLLIN };

	s->fd = epoll_create1(EPOLL_CLOEXEC);
	s->other = eventfd(0, 0);
	return s->fd >= 0 && s->other >= 0 &&
	       !epoll_ctl(s->fd, EPOLL_CTL_ADD, s->other, &e);
}

static inline bool source_open(struct source *s, int kind)
{
	sigset_t set;
	int p[2];

	*s = (struct source) { .kind = kind, .fd = -1, .other = -1 };
	switch (kind) {
	case PIPE:
	case UNIX_STREAM:
	case TCP:
		if (kind == PIPE ? pipe(p) : kind == TCP ? tcp_pair(p) :
		    socketpair(AF_UNIX, SOCK_STREAM, 0, p))
			return false;
		s->fd = p[0];
		s->other = p[1];
		return true;
	case EVENTFD:
		s->fd = eventfd(0, 0);
		return s->fd >= 0;
	case TIMERFD:
		s->fd = timerfd_create(CLOCK_MONOTONIC, 0);
		return s->fd >= 0;
	case SIGNALFD:
		sigemptyset(&set);
		sigaddset(&set, SIGUSR2);
		if (sigprocmask(SIG_BLOCK, &set, NULL))
			return false;
		s->fd = signalfd(-1, &set, 0);
		return s->fd >= 0;
	case EPOLL:
		return source_epoll(s);
	case INOTIFY:
		s->fd = inotify_init();
		return s->fd >= 0 &&
		       inotify_add_watch(s->fd, "/tmp", IN_DELETE) >= 0;
	default:
		return source_pty(s);
	}
}

/* Make it readable, once. */
static inline void source_fire(struct source *s)
{
	struct itimerspec it = { .it_value = { 0, 10000000 } };

	switch (s->kind) {
	case EVENTFD:
		return eventfd_add(s->fd, 1);
	case EPOLL:
		return eventfd_add(s->other, 1);
	case TIMERFD:
		if (timerfd_settime(s->fd, 0, &it, NULL))
			abort();
		return;
	case SIGNALFD:
		kill(getpid(), SIGUSR2);
		return;
	case INOTIFY:
		close(open("/tmp/poll-inotify", O_CREAT | O_RDWR, 0600));
		unlink("/tmp/poll-inotify");
		return;
	default:
		if (write(s->other, "x", 1) != 1)
			abort();
		s->bytes++;
	}
}

/* Take what made it readable, all of it: a pty's may still be on its way. */
static inline void source_drain(struct source *s)
{
	char b[512];
	ssize_t got;

	if (s->kind == EPOLL)
		return eventfd_clear(s->other);
	do {
		got = read(s->fd, b, sizeof(b));
		if (got <= 0)
			abort();
		s->bytes -= got;
	} while (s->bytes > 0);
}

static inline void source_close(struct source *s)
{
	close(s->fd);
	if (s->other >= 0)
		close(s->other);
}

#endif /* POLL_H */
