// SPDX-License-Identifier: MIT
/*
 * Running a program under the shim: is that possible, and becoming it.
 */
#include <errno.h>
#include <fcntl.h>
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

/*
 * A ring that joins no session: within another aring run it would count as the first
 * of the program.
 */
static int try_device(void)
{
	struct aring_params p = { 0 };
	struct aring ring;
	int fd, ret;

	fd = open(ARING_DEVICE, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	ret = aring_queue_init_fd(fd, 2, &ring, &p);
	if (ret < 0)
		close(fd);
	else
		aring_queue_exit(&ring);
	return ret;
}

static bool device_is_usable(struct under *u)
{
	struct why w;
	int ret;

	ret = try_device();
	if (ret >= 0)
		return true;
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
 * under_say_no_exec() - say why a program was not executed
 * @u: it
 * @no: why
 *
 * Return: the exit status.
 */
int under_say_no_exec(const struct under *u, const struct no_exec *no)
{
	switch (no->part) {
	case PART_MEMORY:
		complain("%s; next: end other programs", strerror(no->err));
		return EXIT_UNDER_FAILED;
	case PART_FILTER:
		complain("seccomp: %s; next: use --fallback", strerror(no->err));
		return EXIT_UNDER_FAILED;
	default:
		complain("%s: %s", u->path, strerror(no->err));
		return no->err == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE;
	}
}

/* With its path, which is known; this knows scripts without a first line, too. */
static void exec_outside(const struct under *u, struct no_exec *no)
{
	execvp(u->path, u->argv);
	*no = (struct no_exec){ PART_PROGRAM, errno };
}

/**
 * under_exec() - execute the program under the shim, and say nothing
 * @u: it, of which under_is_possible() is true
 * @no: out, if it returns: why
 */
void under_exec(const struct under *u, struct no_exec *no)
{
	int ret;

	if (!set_environment(u)) {
		*no = (struct no_exec){ PART_MEMORY, ENOMEM };
		return;
	}
	ret = u->filtered ? 0 : shim_filter_install();
	if (ret)
		*no = (struct no_exec){ PART_FILTER, -ret };
	else
		exec_outside(u, no);
}

/**
 * under_become_outside() - execute the program as it is, without the shim
 * @u: it
 *
 * Return: only if that fails, the exit status; then it has been said.
 */
int under_become_outside(const struct under *u)
{
	struct no_exec no;

	exec_outside(u, &no);
	return under_say_no_exec(u, &no);
}

/**
 * under_become() - execute the program under the shim
 * @u: it, of which under_is_possible() is true
 *
 * Return: only if that fails, the exit status; then it has been said.
 */
int under_become(const struct under *u)
{
	struct no_exec no;

	under_exec(u, &no);
	return under_say_no_exec(u, &no);
}
