// SPDX-License-Identifier: MIT
/*
 * Running a program under the shim: starting it, waiting for its end, and what it
 * leaves behind.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmd.h"
#include "plan.h"
#include "under.h"

/* ---- signals --------------------------------------------------------------- */

/* What is passed on to the program, when it was sent to this process alone. */
static const int forwarded[] = {
	SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2,
};

/* Those that it waits for. What is ignored stays so: blocked, it would be queued. */
static void signals_of_interest(sigset_t *set)
{
	struct sigaction old;
	size_t i;

	sigemptyset(set);
	sigaddset(set, SIGCHLD);
	for (i = 0; i < ARRAY_SIZE(forwarded); i++)
		if (!sigaction(forwarded[i], NULL, &old) &&
		    old.sa_handler != SIG_IGN)
			sigaddset(set, forwarded[i]);
}

/**
 * under_hold_signals() - from now on, what is sent to this process waits for under_run()
 * @u: what will be run, more than once
 *
 * Else an interrupt between two runs would end it all without a word.
 */
void under_hold_signals(struct under *u)
{
	sigset_t set;

	signals_of_interest(&set);
	sigprocmask(SIG_BLOCK, &set, &u->mask);
	u->held = true;
}

/**
 * under_let_signals() - the end of under_hold_signals()
 * @u: the same
 */
void under_let_signals(struct under *u)
{
	if (u->held)
		sigprocmask(SIG_SETMASK, &u->mask, NULL);
	u->held = false;
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
	if (pid && si->si_code != SI_KERNEL)
		kill(pid, si->si_signo);
	if (si->si_signo != SIGUSR1 && si->si_signo != SIGUSR2)
		end->interrupted = si->si_signo;
}

/* What has come, and there is no program any more, or not yet. */
static void take_pending(const sigset_t *set, struct under_end *end)
{
	static const struct timespec now;
	siginfo_t si;

	while (sigtimedwait(set, &si, &now) > 0)
		take_signal(0, &si, end);
}

/* Between two runs. Returns whether that is the end of it all. */
static bool interrupted_before(const sigset_t *set, struct under_end *end)
{
	take_pending(set, end);
	if (!end->interrupted)
		return false;
	end->how = UNDER_KILLED;
	end->code = end->interrupted;
	return true;
}

/* ---- the program ----------------------------------------------------------- */

static void to_null(int fd, int flags)
{
	int null = open("/dev/null", flags | O_CLOEXEC);

	if (null >= 0 && null != fd) {
		dup2(null, fd);
		close(null);
	}
}

/* @why: written to if it could not be executed; an exec that succeeds closes it */
static void run_in_child(const struct under *u, const sigset_t *mask, int why)
{
	struct no_exec no;

	/* Without this process nobody would look at the hang, or at the log. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	sigprocmask(SIG_SETMASK, mask, NULL);
	if (u->no_input)
		to_null(STDIN_FILENO, O_RDONLY);
	if (u->no_output) {
		to_null(STDOUT_FILENO, O_WRONLY);
		to_null(STDERR_FILENO, O_WRONLY);
	}
	under_exec(u, &no);
	_exit(write(why, &no, sizeof(no)) == sizeof(no) ? 0 : EXIT_UNDER_FAILED);
}

/* A program that stops itself stops the job, as if it were the whole of it. */
static void stop_alike(pid_t pid)
{
	raise(SIGSTOP);
	kill(pid, SIGCONT);
}

/*
 * Returns false if it has taken too long. Time in which the whole job is stopped does
 * not count; nor does anybody come to continue what stops itself in one of many runs.
 */
static bool wait_for(const struct under *u, pid_t pid, const sigset_t *set,
		     struct under_end *end, int *status)
{
	const double slice = 1;
	double left = u->hang_after, from, took;
	struct timespec ts;
	siginfo_t si;
	pid_t got;

	for (;;) {
		got = waitpid(pid, status,
			      u->reap ? WNOHANG : WNOHANG | WUNTRACED);
		if (got == pid && !WIFSTOPPED(*status))
			return true;
		if (got == pid) {
			stop_alike(pid);
			continue;
		}
		if (u->hang_after <= 0) {
			if (sigwaitinfo(set, &si) > 0)
				take_signal(pid, &si, end);
			continue;
		}
		if (left <= 0)
			return false;
		took = left < slice ? left : slice;
		ts.tv_sec = (time_t)took;
		ts.tv_nsec = (long)((took - (double)ts.tv_sec) * 1e9);
		from = seconds_now();
		if (sigtimedwait(set, &si, &ts) > 0)
			take_signal(pid, &si, end);
		else if (errno == EINTR)
			continue;	/* stopped and continued */
		from = seconds_now() - from;
		left -= from < took ? from : took;
	}
}

/* ---- what it leaves behind ------------------------------------------------- */

/* Children that this process had before: those of a shell that it was. */
static struct {
	pid_t *pid;
	size_t nr;
	size_t room;
} inherited;

static void inherit(pid_t pid)
{
	inherited.pid = grow(inherited.pid, &inherited.room, inherited.nr,
			     sizeof(*inherited.pid));
	inherited.pid[inherited.nr++] = pid;
}

static size_t nr_killed;

static void kill_own(pid_t pid)
{
	size_t i;

	for (i = 0; i < inherited.nr; i++)
		if (inherited.pid[i] == pid)
			return;
	kill(pid, SIGKILL);
	nr_killed++;
}

/* Those that the kernel lists, if it is built to (CONFIG_PROC_CHILDREN). */
static bool listed_children(void (*fn)(pid_t pid))
{
	FILE *f = fopen("/proc/thread-self/children", "re");
	int pid;

	if (!f)
		return false;
	while (fscanf(f, "%d", &pid) == 1)
		fn(pid);
	fclose(f);
	return true;
}

/* Those whose stat names this process as their parent. */
static bool found_children(void (*fn)(pid_t pid))
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
			fn(pid);
		fclose(f);
	}
	closedir(proc);
	return true;
}

static bool children(void (*fn)(pid_t pid))
{
	return listed_children(fn) || found_children(fn);
}

/*
 * What the program has started and left has this process for its parent now
 * (PR_SET_CHILD_SUBREAPER), and what that has started will have.
 */
static void reap_the_rest(void)
{
	for (;;) {
		nr_killed = 0;
		if (!children(kill_own))
			break;
		/* Each that was killed is there until it is waited for. */
		if (!nr_killed || (waitpid(-1, NULL, 0) < 0 && errno == ECHILD))
			return;
	}
	/* There is no /proc: they are left alone. */
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
}

static void be_their_reaper(void)
{
	static bool is;

	if (is)
		return;
	is = true;
	children(inherit);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
}

/* ---- all of it ------------------------------------------------------------- */

/* Returns its PID, or a negative number; then it has been said. */
static pid_t start(const struct under *u, const sigset_t *mask, int *why)
{
	sighandler_t chld;
	int end[2];
	pid_t pid;

	if (pipe2(end, O_CLOEXEC)) {
		complain("pipe: %s; next: raise its limit (ulimit -n)",
			 strerror(errno));
		return -1;
	}
	fflush(NULL);
	/* Where it is ignored children leave no status. */
	chld = signal(SIGCHLD, SIG_DFL);
	pid = fork();
	if (!pid) {
		signal(SIGCHLD, chld);
		run_in_child(u, mask, end[1]);
	}
	close(end[1]);
	*why = end[0];
	if (pid < 0) {
		complain("fork: %s; next: try again", strerror(errno));
		close(end[0]);
	}
	return pid;
}

/* Returns 0, or the exit status if it was not executed; then it has been said. */
static int was_executed(const struct under *u, int why)
{
	struct no_exec no;
	ssize_t n = read(why, &no, sizeof(no));

	close(why);
	return n == sizeof(no) ? under_say_no_exec(u, &no) : 0;
}

static void run_to_its_end(const struct under *u, pid_t pid,
			   const sigset_t *set, struct under_end *end)
{
	int status = 0;

	if (!wait_for(u, pid, set, end, &status)) {
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
	/* What it died of may have come to both. */
	if (u->held)
		take_pending(set, end);
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
	int ret = EXIT_UNDER_FAILED, why = -1;
	struct sigaction chld;
	sigset_t set, mask;
	pid_t pid;

	memset(end, 0, sizeof(*end));
	signals_of_interest(&set);
	sigprocmask(SIG_BLOCK, &set, &mask);
	sigaction(SIGCHLD, NULL, &chld);
	if (u->reap || u->hang_after > 0)
		be_their_reaper();
	if (u->held && interrupted_before(&set, end)) {
		ret = 0;
	} else {
		pid = start(u, u->held ? &u->mask : &mask, &why);
		if (pid > 0) {
			run_to_its_end(u, pid, &set, end);
			ret = was_executed(u, why);
		}
	}
	sigaction(SIGCHLD, &chld, NULL);
	sigprocmask(SIG_SETMASK, &mask, NULL);
	return ret;
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
