// SPDX-License-Identifier: MIT
/*
 * syscall(2). Programs that go around libc mostly go this way, so what the
 * other files do about libc's functions is done here again. For the three calls of
 * io_uring it saves the trap.
 */
#include <stdarg.h>

#include "shim.h"

/*
 * In assembly, since a function in C that makes the call for the program would
 * be between: a child of clone() returns from here on a stack of its own.
 * The numbers are those of the switch below.
 */
__asm__(".text\n"
	".globl syscall\n"
	".type syscall, @function\n"
	"syscall:\n"
	"	.cfi_startproc\n"
	"	lea -425(%rdi), %rax\n"		/* io_uring_setup to _register */
	"	cmp $2, %rax\n"
	"	jbe shim_syscall\n"
	"	cmp $13, %rdi\n"		/* rt_sigaction */
	"	je shim_syscall\n"
	"	cmp $14, %rdi\n"		/* rt_sigprocmask */
	"	je shim_syscall\n"
	"	cmp $59, %rdi\n"		/* execve */
	"	je shim_syscall\n"
	"	cmp $322, %rdi\n"		/* execveat */
	"	je shim_syscall\n"
	"	cmp $130, %rdi\n"		/* rt_sigsuspend */
	"	je shim_syscall\n"
	"	lea -270(%rdi), %rax\n"		/* pselect6, ppoll */
	"	cmp $1, %rax\n"
	"	jbe shim_syscall\n"
	"	cmp $281, %rdi\n"		/* epoll_pwait */
	"	je shim_syscall\n"
	"	cmp $441, %rdi\n"		/* epoll_pwait2 */
	"	je shim_syscall\n"
	"	mov %rdi, %rax\n"
	"	mov %rsi, %rdi\n"
	"	mov %rdx, %rsi\n"
	"	mov %rcx, %rdx\n"
	"	mov %r8, %r10\n"
	"	mov %r9, %r8\n"
	"	mov 8(%rsp), %r9\n"
	"	syscall\n"
	"	cmp $-4095, %rax\n"
	"	jae 1f\n"
	"	ret\n"
	"1:	mov %rax, %rdi\n"
	"	jmp shim_syscall_failed\n"
	"	.cfi_endproc\n"
	".size syscall, . - syscall\n");

long shim_syscall_failed(long ret);
long shim_syscall_failed(long ret)
{
	errno = (int)-ret;
	return -1;
}

/* Who passes fewer has put nothing there, and those calls do not look. */
long shim_syscall(long nr, long a, long b, long c, long d, long e, long f);
long shim_syscall(long nr, long a, long b, long c, long d, long e, long f)
{
	const long arg[] = { a, b, c, d, e, f };
	long ret;

	switch (nr) {
	case SYS_rt_sigaction:
		ret = shim_raw_sigaction(arg);
		break;
	case SYS_rt_sigprocmask:
		ret = shim_raw_sigprocmask(arg);
		break;
	case SYS_rt_sigsuspend:
	case SYS_pselect6:
	case SYS_ppoll:
	case SYS_epoll_pwait:
	case SYS_epoll_pwait2:
		ret = shim_raw_wait(nr, arg);
		break;
	case SYS_execve:
		ret = shim_raw_execve(arg);
		break;
	case SYS_execveat:
		ret = shim_raw_execveat(arg);
		break;
	default:
		ret = shim_call(nr, arg);
		break;
	}
	return ret < 0 && ret >= -4095 ? shim_syscall_failed(ret) : ret;
}

_Static_assert(SYS_io_uring_setup == 425 && SYS_rt_sigaction == 13 &&
	       SYS_rt_sigprocmask == 14 && SYS_execve == 59 &&
	       SYS_execveat == 322 && SYS_rt_sigsuspend == 130 &&
	       SYS_pselect6 == 270 && SYS_ppoll == 271 &&
	       SYS_epoll_pwait == 281 && SYS_epoll_pwait2 == 441,
	       "the numbers in the assembly");
