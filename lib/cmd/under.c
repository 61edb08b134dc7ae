// SPDX-License-Identifier: MIT
/*
 * Running a program under the shim.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../core/session_env.h"
#include "../shim/filter.h"
#include "../shim/target.h"
#include "cmd.h"
#include "under.h"

__attribute__((__format__(__printf__, 3, 4)))
static bool refuse(struct under *u, const char *next, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(u->reason, sizeof(u->reason), fmt, ap);
	va_end(ap);
	u->next = next;
	return false;
}

static bool device_is_usable(struct under *u)
{
	struct aring_params p;
	struct aring ring;
	struct why w;
	int ret;

	memset(&p, 0, sizeof(p));
	ret = aring_queue_init_backend(ARING_BACKEND_DEVICE, 2, &ring, &p);
	if (!ret) {
		aring_queue_exit(&ring);
		return true;
	}
	why_no_ring(ARING_BACKEND_DEVICE, ret, &w);
	return refuse(u, w.next[0], "%s", w.reason);
}

static bool target_is_enterable(struct under *u)
{
	struct shim_target t;

	if (shim_target_ok(u->path, &t))
		return true;
	if (!strcmp(t.what, u->path))
		return refuse(u, "run another build of it, or use --fallback",
			      "%s: it %s, so the shim cannot get into it",
			      u->path, t.why);
	return refuse(u, "run another build of it, or use --fallback",
		      "%s: its interpreter %s %s, so the shim cannot get into it",
		      u->path, t.what, t.why);
}

/* Beside this program: where it was built, and where it was installed. */
static bool find_shim(struct under *u)
{
	static const char * const dirs[] = {
		"../lib", "../lib/x86_64-linux-gnu", "../lib64",
	};
	char self[PATH_MAX], file[PATH_MAX + 64];
	char *slash;
	ssize_t n;
	size_t i;

	n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	if (n < 0)
		return refuse(u, "mount /proc", "/proc/self/exe: %s",
			      strerror(errno));
	self[n] = 0;
	slash = strrchr(self, '/');
	if (slash)
		*slash = 0;
	for (i = 0; i < ARRAY_SIZE(dirs); i++) {
		snprintf(file, sizeof(file), "%s/%s/%s", self, dirs[i],
			 SHIM_FILE);
		if (!realpath(file, u->shim) || access(u->shim, R_OK))
			continue;
		if (!strpbrk(u->shim, ": "))
			return true;
		return refuse(u, "install it elsewhere",
			      "%s: LD_PRELOAD takes no path with a blank or colon",
			      u->shim);
	}
	return refuse(u, "make lib, or make install", "%s: not found in %s/%s",
		      SHIM_FILE, self, dirs[0]);
}

/* How try_filter()'s child ends, beside an errno. */
enum {
	FILTER_IS_THERE		= 200,
	FILTER_HAS_NO_EFFECT	= 201,
};

static void try_filter(void)
{
	int ret;

	/* Should it die of it: no core file. */
	prctl(PR_SET_DUMPABLE, 0);
	if (shim_filter_mode() && shim_filter_traps())
		_exit(FILTER_IS_THERE);
	ret = shim_filter_install();
	if (ret)
		_exit(-ret < FILTER_IS_THERE ? -ret : EPERM);
	_exit(shim_filter_traps() ? 0 : FILTER_HAS_NO_EFFECT);
}

/*
 * In a child: a policy may forbid the filter, or kill whoever calls io_uring
 * before the filter has its say, or there may be one already (aring run within
 * aring run).
 */
static bool filter_is_possible(struct under *u)
{
	static const char next[] =
		"allow seccomp(2) in the policy of this container or service, or use --fallback";
	int status = 0;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid < 0)
		return refuse(u, "try again", "fork: %s", strerror(errno));
	if (!pid)
		try_filter();
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFSIGNALED(status))
		return refuse(u, next,
			      "seccomp: a policy kills what calls io_uring (%s)",
			      strsignal(WTERMSIG(status)));
	switch (WEXITSTATUS(status)) {
	case 0:
		return true;
	case FILTER_IS_THERE:
		u->filtered = true;
		return true;
	case FILTER_HAS_NO_EFFECT:
		return refuse(u, next,
			      "seccomp: a policy decides about io_uring's calls before the shim's filter");
	default:
		return refuse(u, next,
			      "seccomp: the filter cannot be installed (%s)",
			      strerror(WEXITSTATUS(status)));
	}
}

/**
 * under_is_possible() - can the program run on the device, under the shim?
 * @u: it, found by under_find()
 *
 * Everything that can go wrong is found out here, before the filter is
 * installed: a filter cannot be taken back, and then there is no falling back either.
 *
 * Return: if not, false with the reason and the next step.
 */
bool under_is_possible(struct under *u)
{
	return target_is_enterable(u) && device_is_usable(u) &&
	       find_shim(u) && filter_is_possible(u);
}

/**
 * under_find() - find the program's file
 * @u: its name in @argv; out: @path
 *
 * Return: 0, or the exit status; then it has been said.
 */
int under_find(struct under *u)
{
	int ret = shim_find_program(u->argv[0], getenv("PATH"), u->path,
				    sizeof(u->path));

	if (!ret)
		return 0;
	complain("%s: %s", u->argv[0], strerror(-ret));
	return ret == -ENOENT || ret == -ENOTDIR ? EXIT_NOT_FOUND :
	       EXIT_NOT_EXECUTABLE;
}

/* The shim first, what the caller wants preloaded after it. */
static bool set_environment(const struct under *u)
{
	const char *theirs = getenv("LD_PRELOAD");
	char *list = NULL;
	char id[20];
	int ret;

	if (asprintf(&list, "%s%s%s", u->shim,
		     theirs && *theirs ? ":" : "", theirs ? theirs : "") < 0)
		return false;
	ret = setenv("LD_PRELOAD", list, 1);
	free(list);
	if (ret || setenv(SHIM_ENV, u->quiet ? "quiet" : "on", 1))
		return false;
	/* Without a session of its own it belongs to that of who called, if any. */
	if (!u->session)
		return true;
	snprintf(id, sizeof(id), "%llx", u->session);
	return !setenv(ARING_SESSION_ENV, id, 1);
}

/**
 * under_become_outside() - execute the program as it is, without the shim
 * @u: it
 *
 * With its path, which is known; this knows scripts without a first line, too.
 *
 * Return: only if that fails, the exit status; then it has been said.
 */
int under_become_outside(const struct under *u)
{
	int err;

	execvp(u->path, u->argv);
	err = errno;
	complain("%s: %s", u->path, strerror(err));
	return err == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE;
}

/**
 * under_become() - execute the program under the shim
 * @u: it, of which under_is_possible() is true
 *
 * Return: only if that fails, the exit status; then it has been said.
 */
int under_become(const struct under *u)
{
	int ret;

	if (!set_environment(u)) {
		complain("%s", strerror(ENOMEM));
		return EXIT_UNDER_FAILED;
	}
	ret = u->filtered ? 0 : shim_filter_install();
	if (ret) {
		complain("seccomp: %s", strerror(-ret));
		return EXIT_UNDER_FAILED;
	}
	return under_become_outside(u);
}

/* What is passed on to the program, when it was sent to this process alone. */
static const int forwarded[] = {
	SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2,
};

static void to_null(int fd, int flags)
{
	int null = open("/dev/null", flags | O_CLOEXEC);

	if (null >= 0 && null != fd) {
		dup2(null, fd);
		close(null);
	}
}

static void run_in_child(const struct under *u, const sigset_t *mask)
{
	/* Without this process nobody would look at the hang, or at the log. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	sigprocmask(SIG_SETMASK, mask, NULL);
	if (u->no_input)
		to_null(STDIN_FILENO, O_RDONLY);
	if (u->no_output) {
		to_null(STDOUT_FILENO, O_WRONLY);
		to_null(STDERR_FILENO, O_WRONLY);
	}
	_exit(under_become(u));
}

/*
 * One signal, with the program alive. What the terminal sends it sends to both,
 * since they are in one process group; likewise what a shell sends to the group,
 * which is then a second time to the program.
 */
static void take_signal(pid_t pid, const siginfo_t *si, struct under_end *end)
{
	if (si->si_signo == SIGCHLD)
		return;
	if (si->si_code != SI_KERNEL)
		kill(pid, si->si_signo);
	if (si->si_signo != SIGUSR1 && si->si_signo != SIGUSR2)
		end->interrupted = si->si_signo;
}

/* A program that stops itself stops the job, as if it were the whole of it. */
static void stop_alike(pid_t pid)
{
	raise(SIGSTOP);
	kill(pid, SIGCONT);
}

/* Returns false if it has taken too long. */
static bool wait_for(pid_t pid, const sigset_t *set, double until,
		     struct under_end *end, int *status)
{
	struct timespec ts;
	siginfo_t si;
	double left;
	pid_t got;

	for (;;) {
		got = waitpid(pid, status, WNOHANG | WUNTRACED);
		if (got == pid && !WIFSTOPPED(*status))
			return true;
		if (got == pid) {
			stop_alike(pid);
			continue;
		}
		if (!until) {
			if (sigwaitinfo(set, &si) > 0)
				take_signal(pid, &si, end);
			continue;
		}
		left = until - seconds_now();
		if (left <= 0)
			return false;
		ts.tv_sec = (time_t)left;
		ts.tv_nsec = (long)((left - (double)ts.tv_sec) * 1e9);
		if (sigtimedwait(set, &si, &ts) > 0)
			take_signal(pid, &si, end);
	}
}

/* Kill the children that the kernel lists, if it is built to (CONFIG_PROC_CHILDREN). */
static bool kill_listed_children(void)
{
	FILE *f = fopen("/proc/thread-self/children", "re");
	int pid;

	if (!f)
		return false;
	while (fscanf(f, "%d", &pid) == 1)
		kill(pid, SIGKILL);
	fclose(f);
	return true;
}

/* Kill those whose stat names this process as their parent. */
static bool kill_found_children(void)
{
	char path[32], stat[256], *after;
	struct dirent *entry;
	DIR *proc;
	FILE *f;
	int pid, parent;

	proc = opendir("/proc");
	if (!proc)
		return false;
	while ((entry = readdir(proc))) {
		pid = atoi(entry->d_name);
		if (pid <= 0)
			continue;
		snprintf(path, sizeof(path), "/proc/%d/stat", pid);
		f = fopen(path, "re");
		if (!f)
			continue;
		/* "PID (NAME) STATE PARENT ...", and a name may have a ')'. */
		after = fgets(stat, sizeof(stat), f) ? strrchr(stat, ')') : NULL;
		if (after && sscanf(after, ") %*c %d", &parent) == 1 && parent == getpid())
			kill(pid, SIGKILL);
		fclose(f);
	}
	closedir(proc);
	return true;
}

/*
 * What the program has started and left has this process for its parent now
 * (PR_SET_CHILD_SUBREAPER), and what that has started will have.
 */
static void reap_the_rest(void)
{
	while (kill_listed_children() || kill_found_children()) {
		if (waitpid(-1, NULL, 0) < 0 && errno == ECHILD)
			return;
	}
	/* There is no /proc: they are left alone. */
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
}

/**
 * under_run() - run the program under the shim, and wait for its end
 * @u: it, of which under_is_possible() is true
 * @end: out
 *
 * It stays in the process group, so that it has the terminal as it would without.
 *
 * Return: 0, or the exit status if it could not be started; then it has been said.
 */
int under_run(const struct under *u, struct under_end *end)
{
	double until = u->hang_after > 0 ? seconds_now() + u->hang_after : 0;
	sigset_t set, mask;
	sighandler_t chld;
	int status = 0;
	pid_t pid;
	size_t i;

	memset(end, 0, sizeof(*end));
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	for (i = 0; i < ARRAY_SIZE(forwarded); i++)
		sigaddset(&set, forwarded[i]);
	if (u->reap || until)
		prctl(PR_SET_CHILD_SUBREAPER, 1);
	fflush(NULL);
	sigprocmask(SIG_BLOCK, &set, &mask);
	/* Where it is ignored children leave no status. */
	chld = signal(SIGCHLD, SIG_DFL);
	pid = fork();
	if (pid < 0) {
		complain("fork: %s", strerror(errno));
		sigprocmask(SIG_SETMASK, &mask, NULL);
		return EXIT_UNDER_FAILED;
	}
	if (!pid) {
		signal(SIGCHLD, chld);
		run_in_child(u, &mask);
	}
	if (!wait_for(pid, &set, until, end, &status)) {
		end->how = UNDER_HUNG;
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	} else if (WIFSIGNALED(status)) {
		end->how = UNDER_KILLED;
		end->code = WTERMSIG(status);
	} else {
		end->how = UNDER_EXITED;
		end->code = WEXITSTATUS(status);
	}
	if (u->reap || end->how == UNDER_HUNG)
		reap_the_rest();
	sigprocmask(SIG_SETMASK, &mask, NULL);
	return 0;
}

/**
 * under_status() - an end as an exit status
 * @end: the end
 *
 * Return: the program's, 128 and the signal, or EXIT_HUNG.
 */
int under_status(const struct under_end *end)
{
	switch (end->how) {
	case UNDER_EXITED:
		return end->code;
	case UNDER_KILLED:
		return 128 + end->code;
	default:
		return EXIT_HUNG;
	}
}

/**
 * under_die_alike() - end as the program has ended, if a signal killed it
 * @end: its end
 */
void under_die_alike(const struct under_end *end)
{
	sigset_t set;

	if (end->how != UNDER_KILLED)
		return;
	/* The core, if any, is the program's. */
	prctl(PR_SET_DUMPABLE, 0);
	signal(end->code, SIG_DFL);
	sigemptyset(&set);
	sigaddset(&set, end->code);
	fflush(NULL);
	raise(end->code);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
}
