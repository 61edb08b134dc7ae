/* SPDX-License-Identifier: MIT */
/*
 * System calls without libc: the SIGSYS handler must not touch errno, take a
 * lock, or be a cancellation point; and what libc exports may be somebody's
 * wrapper (our own, for a start).
 */
#ifndef ARING_SHIM_SYS_H
#define ARING_SHIM_SYS_H

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>

#ifndef __x86_64__
#error "the shim knows x86-64 only, as the module does"
#endif

/* The kernel's result: a negative errno is an error. */
static inline long sys(long nr, long a, long b, long c, long d, long e, long f)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long ret;

	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "0"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8),
			   "r"(r9)
			 : "rcx", "r11", "memory");
	return ret;
}

#define sys0(nr)		sys(nr, 0, 0, 0, 0, 0, 0)
#define sys1(nr, a)		sys(nr, (long)(a), 0, 0, 0, 0, 0)
#define sys2(nr, a, b)		sys(nr, (long)(a), (long)(b), 0, 0, 0, 0)
#define sys3(nr, a, b, c)	sys(nr, (long)(a), (long)(b), (long)(c), 0, 0, 0)
#define sys4(nr, a, b, c, d) \
	sys(nr, (long)(a), (long)(b), (long)(c), (long)(d), 0, 0)
#define sys5(nr, a, b, c, d, e) \
	sys(nr, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), 0)

/* The kernel's signal set, one bit a signal. */
typedef uint64_t kernel_sigset;

#define KERNEL_SIGSET_SIZE	sizeof(kernel_sigset)
#define SIGSYS_BIT		((kernel_sigset)1 << (SIGSYS - 1))

/**
 * struct kernel_sigaction - what rt_sigaction(2) takes
 * @handler: SIG_DFL, SIG_IGN or a function
 * @flags: SA_*, SA_RESTORER must be among them
 * @restorer: what the handler returns to
 * @mask: blocked while it runs
 */
struct kernel_sigaction {
	void *handler;
	unsigned long flags;
	void (*restorer)(void);
	kernel_sigset mask;
};

#define KERNEL_SA_RESTORER	0x04000000UL

static inline long sys_sigaction(int sig, const struct kernel_sigaction *act,
				 struct kernel_sigaction *old)
{
	return sys4(SYS_rt_sigaction, sig, act, old, KERNEL_SIGSET_SIZE);
}

static inline long sys_sigprocmask(int how, const kernel_sigset *set,
				   kernel_sigset *old)
{
	return sys4(SYS_rt_sigprocmask, how, set, old, KERNEL_SIGSET_SIZE);
}

/* Where a signal handler goes when it returns; in filter.c. */
void shim_sigreturn(void);

#endif /* ARING_SHIM_SYS_H */
