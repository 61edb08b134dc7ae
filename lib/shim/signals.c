// SPDX-License-Identifier: MIT
/*
 * Two things must stay so that a trapped call does not kill the program: the
 * handler of SIGSYS is ours, and no thread blocks SIGSYS. Programs change both,
 * mostly without meaning SIGSYS at all ("block everything"). So the functions of
 * libc that do are replaced here: SIGSYS is taken out of every mask, and the
 * handler that the program sets for it is remembered and called for those that
 * are not ours.
 */
#include <string.h>

#include "next.h"
#include "shim.h"

static kernel_sigset all_signals = ~(kernel_sigset)0;

/* ---- the program's own action for SIGSYS ----------------------------------- */

/* A sequence lock: the handler may come in at any time, in any thread. */
static struct {
	unsigned int sequence;
	unsigned int busy;
	struct kernel_sigaction action;
} program;

static struct kernel_sigaction program_action(void)
{
	struct kernel_sigaction copy;
	unsigned int seen;

	do {
		seen = __atomic_load_n(&program.sequence, __ATOMIC_ACQUIRE);
		copy = *(volatile struct kernel_sigaction *)&program.action;
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
	} while (seen & 1 ||
		 seen != __atomic_load_n(&program.sequence, __ATOMIC_RELAXED));
	return copy;
}

/* No signal here: its handler would wait for this thread for ever. */
static void set_program_action(const struct kernel_sigaction *action)
{
	kernel_sigset old;

	sys_sigprocmask(SIG_SETMASK, &all_signals, &old);
	while (__atomic_exchange_n(&program.busy, 1, __ATOMIC_ACQUIRE))
		;
	__atomic_fetch_add(&program.sequence, 1, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_RELEASE);
	*(volatile struct kernel_sigaction *)&program.action = *action;
	__atomic_fetch_add(&program.sequence, 1, __ATOMIC_RELEASE);
	__atomic_store_n(&program.busy, 0, __ATOMIC_RELEASE);
	sys_sigprocmask(SIG_SETMASK, &old, NULL);
}

/* @flags: what of the program's flags concerns calls that SIGSYS interrupts. */
static void install_ours(unsigned long flags, struct kernel_sigaction *old)
{
	const struct kernel_sigaction ours = {
		.handler = shim_on_sigsys,
		.flags = SA_SIGINFO | SA_NODEFER | KERNEL_SA_RESTORER |
			 (flags & SA_RESTART),
		.restorer = shim_sigreturn,
	};

	sys_sigaction(SIGSYS, &ours, old);
}

/**
 * shim_signals_init() - from now on SIGSYS is ours
 */
void shim_signals_init(void)
{
	const kernel_sigset sigsys = SIGSYS_BIT;
	struct kernel_sigaction inherited = { 0 };

	install_ours(0, &inherited);
	set_program_action(&inherited);
	/* A blocked signal stays blocked over exec. */
	sys_sigprocmask(SIG_UNBLOCK, &sigsys, NULL);
}

/* What the kernel would have done: also the parent shall see SIGSYS. */
static void die_of_sigsys(void)
{
	const struct kernel_sigaction none = {
		.handler = (void *)SIG_DFL,
		.flags = KERNEL_SA_RESTORER,
		.restorer = shim_sigreturn,
	};

	sys_sigaction(SIGSYS, &none, NULL);
	sys3(SYS_tgkill, sys0(SYS_getpid), sys0(SYS_gettid), SIGSYS);
	sys1(SYS_exit_group, 128 + SIGSYS);
}

/**
 * shim_forward() - a SIGSYS that is not ours: do as the program has asked for
 * @si: why it came
 * @context: the interrupted registers, which the program's handler may change
 */
void shim_forward(siginfo_t *si, void *context)
{
	struct kernel_sigaction action = program_action();
	struct kernel_sigaction none = { 0 };
	kernel_sigset mask = action.mask & ~SIGSYS_BIT;

	/* The kernel ignores none that it raises itself. */
	if (action.handler == (void *)SIG_IGN && si->si_code <= 0)
		return;
	if (action.handler == (void *)SIG_DFL ||
	    action.handler == (void *)SIG_IGN) {
		die_of_sigsys();
		return;
	}
	if (action.flags & SA_RESETHAND)
		set_program_action(&none);
	/* The return from our handler restores it. */
	sys_sigprocmask(SIG_BLOCK, &mask, NULL);
	((void (*)(int, siginfo_t *, void *))action.handler)(SIGSYS, si,
							     context);
}

static void change_program_action(const struct kernel_sigaction *new,
				  struct kernel_sigaction *old)
{
	if (old)
		*old = program_action();
	if (new) {
		set_program_action(new);
		install_ours(new->flags, NULL);
	}
}

/* ---- sets of signals ------------------------------------------------------- */

/* libc's set begins with the kernel's. */
static kernel_sigset kernel_set(const sigset_t *set)
{
	kernel_sigset ret;

	memcpy(&ret, set, sizeof(ret));
	return ret;
}

/* @set without SIGSYS; @copy is where, if it has to be changed. */
static const sigset_t *without_sigsys(const sigset_t *set, sigset_t *copy)
{
	kernel_sigset bits;

	if (!set)
		return NULL;
	bits = kernel_set(set);
	if (!(bits & SIGSYS_BIT))
		return set;
	bits &= ~SIGSYS_BIT;
	*copy = *set;
	memcpy(copy, &bits, sizeof(bits));
	return copy;
}

/* ---- handlers -------------------------------------------------------------- */

static void sigsys_action(const struct sigaction *act, struct sigaction *old)
{
	struct kernel_sigaction new = { 0 }, was;

	if (act) {
		new.handler = (void *)act->sa_handler;
		new.flags = (unsigned long)(unsigned int)act->sa_flags;
		new.mask = kernel_set(&act->sa_mask);
	}
	change_program_action(act ? &new : NULL, &was);
	if (old) {
		memset(old, 0, sizeof(*old));
		old->sa_handler = (__sighandler_t)was.handler;
		old->sa_flags = (int)(was.flags & ~KERNEL_SA_RESTORER);
		memcpy(&old->sa_mask, &was.mask, sizeof(was.mask));
	}
}

EXPORT int sigaction(int sig, const struct sigaction *act,
		     struct sigaction *old)
{
	struct sigaction copy;

	if (sig == SIGSYS) {
		sigsys_action(act, old);
		return 0;
	}
	if (act && kernel_set(&act->sa_mask) & SIGSYS_BIT) {
		copy = *act;
		sigdelset(&copy.sa_mask, SIGSYS);
		act = &copy;
	}
	return shim_next.sigaction(sig, act, old);
}

/* glibc exports it under this name as well. */
EXPORT int __sigaction(int sig, const struct sigaction *act,
		       struct sigaction *old)
	ALIAS(sigaction);

static __sighandler_t sigsys_signal(__sighandler_t handler, int flags)
{
	struct sigaction act = { .sa_handler = handler, .sa_flags = flags };
	struct sigaction old;

	sigsys_action(&act, &old);
	return old.sa_handler;
}

EXPORT __sighandler_t signal(int sig, __sighandler_t handler)
{
	if (sig == SIGSYS)
		return sigsys_signal(handler, SA_RESTART);
	return shim_next.signal(sig, handler);
}

__sighandler_t bsd_signal(int sig, __sighandler_t handler);
EXPORT __sighandler_t bsd_signal(int sig, __sighandler_t handler)
	ALIAS(signal);
EXPORT __sighandler_t ssignal(int sig, __sighandler_t handler)
	ALIAS(signal);

EXPORT __sighandler_t sysv_signal(int sig, __sighandler_t handler)
{
	if (sig == SIGSYS)
		return sigsys_signal(handler,
				     (int)(SA_RESETHAND | SA_NODEFER));
	return shim_next.sysv_signal(sig, handler);
}

EXPORT __sighandler_t __sysv_signal(int sig, __sighandler_t handler)
	ALIAS(sysv_signal);

EXPORT __sighandler_t sigset(int sig, __sighandler_t handler)
{
	struct sigaction old;

	if (sig != SIGSYS)
		return shim_next.sigset(sig, handler);
	if (handler != SIG_HOLD)
		return sigsys_signal(handler, 0);
	sigsys_action(NULL, &old);
	return old.sa_handler;
}

EXPORT int sigignore(int sig)
{
	if (sig != SIGSYS)
		return shim_next.sigignore(sig);
	sigsys_signal(SIG_IGN, 0);
	return 0;
}

/**
 * shim_raw_sigaction() - rt_sigaction(2) by way of syscall(2)
 * @arg: its arguments
 *
 * Return: as the system call.
 */
long shim_raw_sigaction(const long *arg)
{
	const struct kernel_sigaction *new = (void *)arg[1];
	struct kernel_sigaction *old = (void *)arg[2];
	struct kernel_sigaction copy;

	if (arg[3] == KERNEL_SIGSET_SIZE && (int)arg[0] == SIGSYS) {
		change_program_action(new, old);
		return 0;
	}
	if (new && arg[3] == KERNEL_SIGSET_SIZE) {
		copy = *new;
		copy.mask &= ~SIGSYS_BIT;
		new = &copy;
	}
	return sys4(SYS_rt_sigaction, arg[0], new, old, arg[3]);
}

/* ---- masks ----------------------------------------------------------------- */

EXPORT int sigprocmask(int how, const sigset_t *set, sigset_t *old)
{
	sigset_t copy;

	if (how != SIG_UNBLOCK)
		set = without_sigsys(set, &copy);
	return shim_next.sigprocmask(how, set, old);
}

EXPORT int pthread_sigmask(int how, const sigset_t *set, sigset_t *old)
{
	sigset_t copy;

	if (how != SIG_UNBLOCK)
		set = without_sigsys(set, &copy);
	return shim_next.pthread_sigmask(how, set, old);
}

EXPORT int pthread_attr_setsigmask_np(pthread_attr_t *attr,
				      const sigset_t *set)
{
	sigset_t copy;

	return shim_next.pthread_attr_setsigmask_np(attr,
						    without_sigsys(set, &copy));
}

/**
 * shim_raw_sigprocmask() - rt_sigprocmask(2) by way of syscall(2)
 * @arg: its arguments
 *
 * Return: as the system call.
 */
long shim_raw_sigprocmask(const long *arg)
{
	const kernel_sigset *set = (void *)arg[1];
	kernel_sigset copy;

	if (set && arg[3] == KERNEL_SIGSET_SIZE && arg[0] != SIG_UNBLOCK) {
		copy = *set & ~SIGSYS_BIT;
		set = &copy;
	}
	return sys4(SYS_rt_sigprocmask, arg[0], set, arg[2], arg[3]);
}

/* The ancient masks: one int, a bit a signal. */
EXPORT int sigblock(int mask)
{
	return shim_next.sigblock(mask & (int)~SIGSYS_BIT);
}

EXPORT int sigsetmask(int mask)
{
	return shim_next.sigsetmask(mask & (int)~SIGSYS_BIT);
}

/* <signal.h> gives the name to another function, which takes a signal. */
int shim_sigpause(int mask) __asm__("sigpause");
EXPORT int shim_sigpause(int mask)
{
	return shim_next.sigpause(mask & (int)~SIGSYS_BIT);
}

EXPORT int sighold(int sig)
{
	return sig == SIGSYS ? 0 : shim_next.sighold(sig);
}

/* Waits with a mask: a handler that runs in one may use a ring. */
EXPORT int sigsuspend(const sigset_t *set)
{
	sigset_t copy;

	return shim_next.sigsuspend(without_sigsys(set, &copy));
}

EXPORT int __sigsuspend(const sigset_t *set)
	ALIAS(sigsuspend);

EXPORT int pselect(int nfds, fd_set *in, fd_set *out, fd_set *ex,
		   const struct timespec *ts, const sigset_t *mask)
{
	sigset_t copy;

	return shim_next.pselect(nfds, in, out, ex, ts,
				 without_sigsys(mask, &copy));
}

EXPORT int ppoll(struct pollfd *fds, nfds_t nfds, const struct timespec *ts,
		 const sigset_t *mask)
{
	sigset_t copy;

	return shim_next.ppoll(fds, nfds, ts, without_sigsys(mask, &copy));
}

EXPORT int __ppoll_chk(struct pollfd *fds, nfds_t nfds,
		       const struct timespec *ts, const sigset_t *mask,
		       size_t fds_len)
{
	sigset_t copy;

	return shim_next.__ppoll_chk(fds, nfds, ts, without_sigsys(mask, &copy),
				     fds_len);
}

EXPORT int epoll_pwait(int fd, struct epoll_event *events, int max, int timeout,
		       const sigset_t *mask)
{
	sigset_t copy;

	return shim_next.epoll_pwait(fd, events, max, timeout,
				     without_sigsys(mask, &copy));
}

EXPORT int epoll_pwait2(int fd, struct epoll_event *events, int max,
			const struct timespec *timeout, const sigset_t *mask)
{
	sigset_t copy;

	return shim_next.epoll_pwait2(fd, events, max, timeout,
				      without_sigsys(mask, &copy));
}

/* A mask and its size: two arguments, or what pselect6() has for the lack of a seventh. */
struct mask_arg {
	const kernel_sigset *set;
	size_t size;
};

static void leave_sigsys(struct mask_arg *mask, kernel_sigset *copy)
{
	if (!mask->set || mask->size != KERNEL_SIGSET_SIZE)
		return;
	*copy = *mask->set & ~SIGSYS_BIT;
	mask->set = copy;
}

/**
 * shim_raw_wait() - one of the calls that wait with a mask, by way of syscall(2)
 * @nr: which
 * @arg: its six arguments
 *
 * Return: as the system call.
 */
long shim_raw_wait(long nr, const long *arg)
{
	long a[] = { arg[0], arg[1], arg[2], arg[3], arg[4], arg[5] };
	int at = nr == SYS_rt_sigsuspend ? 0 : nr == SYS_ppoll ? 3 : 4;
	struct mask_arg mask;
	kernel_sigset copy;

	if (nr != SYS_pselect6) {
		mask.set = (void *)a[at];
		mask.size = (size_t)a[at + 1];
		leave_sigsys(&mask, &copy);
		a[at] = (long)mask.set;
	} else if (a[5]) {
		mask = *(const struct mask_arg *)a[5];
		leave_sigsys(&mask, &copy);
		a[5] = (long)&mask;
	}
	return sys(nr, a[0], a[1], a[2], a[3], a[4], a[5]);
}
