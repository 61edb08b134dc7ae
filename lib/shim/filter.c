// SPDX-License-Identifier: MIT
/*
 * The seccomp filter: the three system calls of io_uring end in SIGSYS, and
 * nothing else does.
 *
 * It is inherited for ever, also by programs that the shim cannot enter
 * (statically linked ones, for example), and there nobody handles the signal.
 * So it must not trap what such programs use: were rt_sigprocmask trapped, for
 * the sake of threads that block SIGSYS, each of them would die at once. What
 * could block or replace SIGSYS is dealt with in signals.c instead.
 *
 * Only the number and the architecture are looked at: then the kernel knows
 * beforehand which calls pass, and does not run the filter for them.
 */
#include <linux/audit.h>
#include <linux/filter.h>
#include <sys/prctl.h>
#include <ucontext.h>

#include "filter.h"
#include "sys.h"

#define FIRST_CALL	SYS_io_uring_setup
#define LAST_CALL	SYS_io_uring_register

_Static_assert(SYS_io_uring_enter - SYS_io_uring_setup == 1 &&
	       SYS_io_uring_register - SYS_io_uring_setup == 2,
	       "the filter looks at a range");

/* Unwinders know a signal frame by these very instructions. */
__asm__(".text\n"
	".globl shim_sigreturn\n"
	".hidden shim_sigreturn\n"
	".type shim_sigreturn, @function\n"
	"	nop\n"
	"shim_sigreturn:\n"
	"	mov $15, %rax\n"
	"	syscall\n"
	".size shim_sigreturn, . - shim_sigreturn\n");

/**
 * shim_trap_is_ours() - is this SIGSYS a call that is to go to the device?
 * @si: what the handler was given
 */
bool shim_trap_is_ours(const siginfo_t *si)
{
	return si->si_code == SYS_SECCOMP && si->si_errno == SHIM_TRAP_DATA &&
	       si->si_arch == AUDIT_ARCH_X86_64 &&
	       si->si_syscall >= FIRST_CALL && si->si_syscall <= LAST_CALL;
}

/**
 * shim_filter_install() - trap the three calls from now on, in every thread
 *
 * Return: 0 or a negative errno; then no filter was installed.
 */
int shim_filter_install(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, arch)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 0, 4),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, FIRST_CALL, 0, 2),
		BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, LAST_CALL, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP | SHIM_TRAP_DATA),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog prog = {
		.len = sizeof(code) / sizeof(code[0]),
		.filter = code,
	};
	long ret;

	ret = sys5(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (ret)
		return (int)ret;
	ret = sys3(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
		   SECCOMP_FILTER_FLAG_TSYNC, &prog);
	/* Positive: the thread that has another filter than this one. */
	return ret > 0 ? -EBUSY : (int)ret;
}

/**
 * shim_filter_mode() - is there any filter at all, whosever it is?
 */
bool shim_filter_mode(void)
{
	return sys1(SYS_prctl, PR_GET_SECCOMP) > 0;
}

static volatile sig_atomic_t probe_hit;

static void on_probe(int sig, siginfo_t *si, void *context)
{
	ucontext_t *uc = context;

	(void)sig;
	if (shim_trap_is_ours(si))
		probe_hit = 1;
	uc->uc_mcontext.gregs[REG_RAX] = -ENOSYS;
}

/**
 * shim_filter_traps() - are the three calls trapped by this filter?
 *
 * Tries one that is harmless where it is not trapped. For a process with one
 * thread, and not where a foreign filter may kill for it.
 */
bool shim_filter_traps(void)
{
	const struct kernel_sigaction probe = {
		.handler = on_probe,
		.flags = SA_SIGINFO | KERNEL_SA_RESTORER,
		.restorer = shim_sigreturn,
	};
	const kernel_sigset sigsys = SIGSYS_BIT;
	struct kernel_sigaction old_action;
	kernel_sigset old_mask;

	probe_hit = 0;
	sys_sigaction(SIGSYS, &probe, &old_action);
	sys_sigprocmask(SIG_UNBLOCK, &sigsys, &old_mask);
	sys4(SYS_io_uring_register, -1, -1, NULL, 0);
	sys_sigprocmask(SIG_SETMASK, &old_mask, NULL);
	sys_sigaction(SIGSYS, &old_action, NULL);
	return probe_hit;
}
