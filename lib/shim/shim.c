// SPDX-License-Identifier: MIT
/*
 * The preload shim: a program written for io_uring runs on /dev/aring.
 *
 * Such programs do not call io_uring through a function that could be replaced;
 * they inline the system calls (liburing does). So a seccomp filter turns the
 * three calls into SIGSYS, and the handler here makes the same call on the
 * device. The parts:
 *
 *   filter.c	what is trapped
 *   calls.c	the three calls on the device
 *   signals.c	keeps SIGSYS ours, and never blocked; timer.c, syscall.c: likewise
 *   exec.c	takes the shim along into the programs that the program starts
 *   target.c	which programs it cannot enter
 *
 * The library is linked with -z initfirst: the filter is there from the start in
 * a program that is executed by another one, and the constructor of some other
 * library may well make a ring.
 */
#include <string.h>
#include <ucontext.h>

#include "filter.h"
#include "shim.h"

#define EXIT_NO_FILTER	125

/**
 * shim_on_sigsys() - handler of SIGSYS
 * @sig: SIGSYS
 * @si: why
 * @context: the registers; the result goes there
 *
 * It waits in io_uring_enter() for as long as the program does. So it blocks no
 * signal, SIGSYS included: what interrupts the wait may use a ring. And it runs
 * on the stack that the program is on, never on the alternative one: that
 * would be in use while it waits.
 */
void shim_on_sigsys(int sig, siginfo_t *si, void *context)
{
	ucontext_t *uc = context;
	greg_t *reg = uc->uc_mcontext.gregs;

	(void)sig;
	if (shim_trap_is_ours(si)) {
		const long arg[] = {
			reg[REG_RDI], reg[REG_RSI], reg[REG_RDX],
			reg[REG_R10], reg[REG_R8], reg[REG_R9],
		};

		reg[REG_RAX] = shim_call(si->si_syscall, arg);
		return;
	}
	shim_forward(si, context);
}

static bool in_environment(char *const *envp, const char *name)
{
	size_t len = strlen(name);

	for (; envp && *envp; envp++)
		if (!strncmp(*envp, name, len) && (*envp)[len] == '=')
			return true;
	return false;
}

/*
 * One filter is enough, and they pile up. To find out by trying would kill the
 * program where a filter of its own kills for io_uring; so the variable is
 * believed where there is some filter.
 */
static bool filter_is_there(char *const *envp)
{
	if (!shim_filter_mode())
		return false;
	return in_environment(envp, SHIM_ENV) || shim_filter_traps();
}

/* glibc hands constructors what main() gets. */
__attribute__((__constructor__))
static void shim_init(int argc, char **argv, char **envp)
{
	static const char sorry[] =
		"aring run: seccomp: the filter cannot be installed, a policy forbids it; "
		"next: start the program without " SHIM_FILE "\n";

	(void)argc;
	(void)argv;
	shim_next_init();
	shim_exec_init(envp);
	shim_signals_init();
	if (filter_is_there(envp) || !shim_filter_install())
		return;
	sys3(SYS_write, 2, sorry, sizeof(sorry) - 1);
	sys1(SYS_exit_group, EXIT_NO_FILTER);
}
