// SPDX-License-Identifier: MIT
/*
 * Programs that start others, for the test of aring run. ARG is the program and
 * its arguments.
 */
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <spawn.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "client.h"

extern char **environ;

static char *const no_env[] = { NULL };

/* The exit status, as a shell gives it. */
static int wait_for(pid_t pid)
{
	int status;

	need(pid > 0);
	need(waitpid(pid, &status, 0) == pid);
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) :
	       WEXITSTATUS(status);
}

static int mode_fork(char **arg)
{
	pid_t pid;

	(void)arg;
	say_where();
	pid = fork();
	if (!pid) {
		say_where();
		_exit(0);
	}
	return wait_for(pid);
}

/* A ring from before the fork, which both use. */
static int mode_fork_shared(char **arg)
{
	struct io_uring_cqe *cqe;
	struct io_uring ring;
	pid_t pid;
	int i;

	(void)arg;
	need(!io_uring_queue_init(4, &ring, 0));
	pid = fork();
	for (i = 0; i < (pid ? 0 : 3); i++) {
		io_uring_prep_nop(io_uring_get_sqe(&ring));
		need(io_uring_submit(&ring) == 1);
		need(!io_uring_wait_cqe(&ring, &cqe));
		io_uring_cqe_seen(&ring, cqe);
	}
	if (!pid) {
		say_where();
		_exit(0);
	}
	return wait_for(pid);
}

static int mode_vfork(char **arg)
{
	pid_t pid = vfork();

	if (!pid) {
		execve(arg[0], arg, no_env);
		_exit(98);
	}
	return wait_for(pid);
}

static int mode_spawn(char **arg)
{
	posix_spawnattr_t attr;
	sigset_t set;
	pid_t pid;

	sigfillset(&set);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK |
				 POSIX_SPAWN_SETSIGDEF);
	posix_spawnattr_setsigmask(&attr, &set);
	posix_spawnattr_setsigdefault(&attr, &set);
	need(!posix_spawn(&pid, arg[0], NULL, &attr, arg, no_env));
	return wait_for(pid);
}

static int mode_spawnp(char **arg)
{
	pid_t pid;

	need(!posix_spawnp(&pid, arg[0], NULL, NULL, arg, environ));
	return wait_for(pid);
}

static int mode_execve(char **arg)
{
	execve(arg[0], arg, no_env);
	return 98;
}

static int mode_execv(char **arg)
{
	clearenv();
	execv(arg[0], arg);
	return 98;
}

static int mode_execvp(char **arg)
{
	unsetenv("LD_PRELOAD");
	execvp(arg[0], arg);
	return 98;
}

static int mode_execl(char **arg)
{
	clearenv();
	execl(arg[0], arg[0], arg[1], arg[1] ? arg[2] : NULL, NULL);
	return 98;
}

static int mode_execlp(char **arg)
{
	clearenv();
	execlp(arg[0], arg[0], arg[1], arg[1] ? arg[2] : NULL, NULL);
	return 98;
}

static int mode_execle(char **arg)
{
	execle(arg[0], arg[0], arg[1], NULL, no_env);
	return 98;
}

static int mode_fexecve(char **arg)
{
	fexecve(open(arg[0], O_RDONLY | O_CLOEXEC), arg, no_env);
	return 98;
}

static int mode_execveat(char **arg)
{
	execveat(open(arg[0], O_RDONLY | O_CLOEXEC), "", arg, no_env,
		 AT_EMPTY_PATH);
	return 98;
}

static int mode_raw_exec(char **arg)
{
	syscall(SYS_execve, arg[0], arg, no_env);
	return 98;
}

static int mode_system(char **arg)
{
	clearenv();
	return WEXITSTATUS(system(arg[0]));
}

static int mode_popen(char **arg)
{
	char line[64];
	FILE *f;

	clearenv();
	f = popen(arg[0], "r");
	need(f && fgets(line, sizeof(line), f));
	fputs(line, stdout);
	return WEXITSTATUS(pclose(f));
}

/* client deeper N PROG...: itself N times, then PROG */
static int mode_deeper(char **arg)
{
	int n = atoi(arg[0]);
	char left[16];

	if (!n) {
		execv(arg[1], arg + 1);
		return 98;
	}
	snprintf(left, sizeof(left), "%d", n - 1);
	arg[0] = left;
	arg -= 2;
	execv("/proc/self/exe", arg);
	return 98;
}

/* ---- policies ------------------------------------------------------------ */

static void forbid(unsigned int first, unsigned int last, unsigned int action)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, first, 0, 2),
		BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, last, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, action),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog prog = { .len = 5, .filter = code };

	need(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	need(!syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog));
}

static int mode_no_seccomp(char **arg)
{
	forbid(SYS_seccomp, SYS_seccomp, SECCOMP_RET_ERRNO | EPERM);
	execvp(arg[0], arg);
	return 98;
}

static int mode_deny_uring(char **arg)
{
	forbid(SYS_io_uring_setup, SYS_io_uring_register,
	       SECCOMP_RET_ERRNO | EPERM);
	execvp(arg[0], arg);
	return 98;
}

static int mode_kill_uring(char **arg)
{
	forbid(SYS_io_uring_setup, SYS_io_uring_register,
	       SECCOMP_RET_KILL_PROCESS);
	execvp(arg[0], arg);
	return 98;
}

const struct mode start_modes[] = {
	{ "fork", mode_fork },
	{ "fork-shared", mode_fork_shared },
	{ "vfork", mode_vfork },
	{ "posix_spawn", mode_spawn },
	{ "posix_spawnp", mode_spawnp },
	{ "execve", mode_execve },
	{ "execv", mode_execv },
	{ "execvp", mode_execvp },
	{ "execl", mode_execl },
	{ "execlp", mode_execlp },
	{ "execle", mode_execle },
	{ "fexecve", mode_fexecve },
	{ "execveat", mode_execveat },
	{ "raw-exec", mode_raw_exec },
	{ "system", mode_system },
	{ "popen", mode_popen },
	{ "deeper", mode_deeper },
	{ "no-seccomp", mode_no_seccomp },
	{ "deny-uring", mode_deny_uring },
	{ "kill-uring", mode_kill_uring },
	{ NULL, NULL },
};
