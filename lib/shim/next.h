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

/**
 * struct shim_next - one pointer a function, of its own type; next.c fills it in
 */
struct shim_next {
	__typeof__(sigaction) *sigaction;
	__typeof__(signal) *signal;
	__typeof__(sysv_signal) *sysv_signal;
	__typeof__(sigset) *sigset;
	__typeof__(sigignore) *sigignore;
	__typeof__(sigprocmask) *sigprocmask;
	__typeof__(pthread_sigmask) *pthread_sigmask;
	__typeof__(pthread_attr_setsigmask_np) *pthread_attr_setsigmask_np;
	__typeof__(sigblock) *sigblock;
	__typeof__(sigsetmask) *sigsetmask;
	__typeof__(sighold) *sighold;
	__typeof__(sigpause) *sigpause;
	__typeof__(sigsuspend) *sigsuspend;
	__typeof__(pselect) *pselect;
	__typeof__(ppoll) *ppoll;
	__typeof__(__ppoll_chk) *__ppoll_chk;
	__typeof__(epoll_pwait) *epoll_pwait;
	__typeof__(epoll_pwait2) *epoll_pwait2;
	__typeof__(timer_create) *timer_create;
	__typeof__(execve) *execve;
	__typeof__(execvpe) *execvpe;
	__typeof__(fexecve) *fexecve;
	__typeof__(execveat) *execveat;
	__typeof__(posix_spawn) *posix_spawn;
	__typeof__(posix_spawnp) *posix_spawnp;
	__typeof__(system) *system;
	__typeof__(popen) *popen;
};

extern struct shim_next shim_next;

#endif /* ARING_SHIM_NEXT_H */
