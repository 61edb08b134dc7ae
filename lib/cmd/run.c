// SPDX-License-Identifier: MIT
/*
 * aring run: run a program that was written for io_uring on /dev/aring.
 *
 * Everything that can go wrong is found out before the filter is installed: a
 * filter cannot be taken back, and then there is no falling back either.
 */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../shim/filter.h"
#include "../shim/target.h"
#include "cmd.h"

/* As env(1), nohup(1) and their like: what PROG itself would hardly say. */
enum {
	EXIT_RUN_FAILED		= 125,
	EXIT_NOT_EXECUTABLE	= 126,
	EXIT_NOT_FOUND		= 127,
};

static const char usage[] =
"usage: aring run [OPTION]... [--] PROG [ARG]...\n"
"\n"
"Runs PROG with its io_uring system calls going to /dev/aring, and those of the\n"
"programs that it starts.\n"
"\n"
"      --fallback   where that is not possible, say so and run PROG on io_uring\n"
"  -q, --quiet      say nothing of programs started later that stay outside\n"
"  -h, --help       this text\n"
"\n"
"Exit status: PROG's. 125: it cannot run on /dev/aring, and a line says why; 126:\n"
"PROG cannot be executed; 127: there is no such PROG.\n";

struct run {
	char **argv;
	char path[PATH_MAX];
	char shim[PATH_MAX];
	char reason[PATH_MAX + 200];
	const char *next;
	bool fallback;
	bool quiet;
	bool filtered;
};

__attribute__((__format__(__printf__, 3, 4)))
static bool refuse(struct run *run, const char *next, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(run->reason, sizeof(run->reason), fmt, ap);
	va_end(ap);
	run->next = next;
	return false;
}

static bool device_is_usable(struct run *run)
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
	return refuse(run, w.next[0], "%s", w.reason);
}

static bool target_is_enterable(struct run *run)
{
	struct shim_target t;

	if (shim_target_ok(run->path, &t))
		return true;
	if (!strcmp(t.what, run->path))
		return refuse(run, "run another build of it, or use --fallback",
			      "%s: it %s, so the shim cannot get into it",
			      run->path, t.why);
	return refuse(run, "run another build of it, or use --fallback",
		      "%s: its interpreter %s %s, so the shim cannot get into it",
		      run->path, t.what, t.why);
}

/* Beside this program: where it was built, and where it was installed. */
static bool find_shim(struct run *run)
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
		return refuse(run, "mount /proc", "/proc/self/exe: %s",
			      strerror(errno));
	self[n] = 0;
	slash = strrchr(self, '/');
	if (slash)
		*slash = 0;
	for (i = 0; i < ARRAY_SIZE(dirs); i++) {
		snprintf(file, sizeof(file), "%s/%s/%s", self, dirs[i],
			 SHIM_FILE);
		if (!realpath(file, run->shim) || access(run->shim, R_OK))
			continue;
		if (!strpbrk(run->shim, ": "))
			return true;
		return refuse(run, "install it elsewhere",
			      "%s: LD_PRELOAD takes no path with a blank or colon",
			      run->shim);
	}
	return refuse(run, "make lib, or make install", "%s: not found in %s/%s",
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
static bool filter_is_possible(struct run *run)
{
	static const char next[] =
		"allow seccomp(2) in the policy of this container or service, or use --fallback";
	int status = 0;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid < 0)
		return refuse(run, "try again", "fork: %s", strerror(errno));
	if (!pid)
		try_filter();
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFSIGNALED(status))
		return refuse(run, next,
			      "seccomp: a policy kills what calls io_uring (%s)",
			      strsignal(WTERMSIG(status)));
	switch (WEXITSTATUS(status)) {
	case 0:
		return true;
	case FILTER_IS_THERE:
		run->filtered = true;
		return true;
	case FILTER_HAS_NO_EFFECT:
		return refuse(run, next,
			      "seccomp: a policy decides about io_uring's calls before the shim's filter");
	default:
		return refuse(run, next,
			      "seccomp: the filter cannot be installed (%s)",
			      strerror(WEXITSTATUS(status)));
	}
}

static bool is_possible(struct run *run)
{
	return target_is_enterable(run) && device_is_usable(run) &&
	       find_shim(run) && filter_is_possible(run);
}

/* The shim first, what the caller wants preloaded after it. */
static bool set_environment(const struct run *run)
{
	const char *theirs = getenv("LD_PRELOAD");
	char *list = NULL;
	int ret;

	if (asprintf(&list, "%s%s%s", run->shim,
		     theirs && *theirs ? ":" : "", theirs ? theirs : "") < 0)
		return false;
	ret = setenv("LD_PRELOAD", list, 1);
	free(list);
	return !ret && !setenv(SHIM_ENV, run->quiet ? "quiet" : "on", 1);
}

/* With its path, which is known; this knows scripts without a first line, too. */
static int execute(const struct run *run)
{
	int err;

	execvp(run->path, run->argv);
	err = errno;
	complain("%s: %s", run->path, strerror(err));
	return err == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE;
}

static int run_program(struct run *run)
{
	int ret;

	ret = shim_find_program(run->argv[0], getenv("PATH"), run->path,
				sizeof(run->path));
	if (ret) {
		complain("%s: %s", run->argv[0], strerror(-ret));
		return ret == -ENOENT || ret == -ENOTDIR ?
		       EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE;
	}
	if (!is_possible(run)) {
		if (!run->fallback) {
			complain("%s; next: %s", run->reason, run->next);
			return EXIT_RUN_FAILED;
		}
		complain("%s; running it on io_uring instead", run->reason);
		return execute(run);
	}
	if (!set_environment(run)) {
		complain("%s", strerror(ENOMEM));
		return EXIT_RUN_FAILED;
	}
	ret = run->filtered ? 0 : shim_filter_install();
	if (ret) {
		complain("seccomp: %s", strerror(-ret));
		return EXIT_RUN_FAILED;
	}
	return execute(run);
}

int cmd_run(int argc, char **argv)
{
	static const struct option options[] = {
		{ "fallback", no_argument, NULL, 'f' },
		{ "quiet", no_argument, NULL, 'q' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	static struct run run;
	int c;

	opterr = 0;
	/* "+": what follows PROG is PROG's. */
	while ((c = getopt_long(argc, argv, "+qh", options, NULL)) != -1) {
		switch (c) {
		case 'f':
			run.fallback = true;
			break;
		case 'q':
			run.quiet = true;
			break;
		case 'h':
			fputs(usage, stdout);
			return EXIT_OK;
		default:
			complain("unknown option '%s'", argv[optind - 1]);
			bad_use("run");
			return EXIT_RUN_FAILED;
		}
	}
	if (optind == argc) {
		complain("which program?");
		bad_use("run");
		return EXIT_RUN_FAILED;
	}
	run.argv = argv + optind;
	return run_program(&run);
}
