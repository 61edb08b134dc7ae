/* SPDX-License-Identifier: MIT */
/*
 * The functions that the shim's stand before: those of libc, or of another
 * preloaded library.
 */
#ifndef ARING_SHIM_NEXT_H
#define ARING_SHIM_NEXT_H

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <time.h>
#include <unistd.h>

/* Some of these are too old for anybody's taste, but programs call them. */
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

/* What programs built with _FORTIFY_SOURCE call instead of ppoll() */
int __ppoll_chk(struct pollfd *fds, nfds_t nfds, const struct timespec *ts,
		const sigset_t *mask, size_t fds_len);

#define NEXT_FUNCTIONS(f)						\
	f(sigaction) f(signal) f(sysv_signal) f(sigset) f(sigignore)	\
	f(sigprocmask) f(pthread_sigmask) f(pthread_attr_setsigmask_np)	\
	f(sigblock) f(sigsetmask) f(sighold) f(sigpause) f(sigsuspend)	\
	f(pselect) f(ppoll) f(__ppoll_chk) f(epoll_pwait) f(epoll_pwait2) \
	f(timer_create)							\
	f(execve) f(execvpe) f(fexecve) f(execveat)			\
	f(posix_spawn) f(posix_spawnp) f(system) f(popen)

#define NEXT_MEMBER(name)	__typeof__(name) *name;

/**
 * struct shim_next - one pointer a function, of its own type
 */
struct shim_next {
	NEXT_FUNCTIONS(NEXT_MEMBER)
};

extern struct shim_next shim_next;

#endif /* ARING_SHIM_NEXT_H */
