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

/* ---- whose child is who ---------------------------------------------------- */

struct pids {
	pid_t *pid;
	size_t nr;
	size_t room;
};

static void add_pid(struct pids *pids, pid_t pid)
{
	pids->pid = grow(pids->pid, &pids->room, pids->nr, sizeof(*pids->pid));
	pids->pid[pids->nr++] = pid;
}

/* Children that this process had before: those of a shell that it was. */
static struct pids inherited;

static void inherit(pid_t pid)
{
	add_pid(&inherited, pid);
}

static bool is_inherited(pid_t pid)
{
	size_t i;

	for (i = 0; i < inherited.nr; i++)
		if (inherited.pid[i] == pid)
			return true;
	return false;
}

/* Returns the parent of a process, or -1 if there is no such process any more. */
static pid_t parent_of(pid_t pid)
{
	char path[32], stat[256], *after;
	int parent = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	f = fopen(path, "re");
	if (!f)
		return -1;
	/* "PID (NAME) STATE PARENT ...", and a name may have a ')'. */
	after = fgets(stat, sizeof(stat), f) ? strrchr(stat, ')') : NULL;
	if (!after || sscanf(after, ") %*c %d", &parent) != 1)
		parent = -1;
	fclose(f);
	return parent;
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
	struct dirent *entry;
	DIR *proc;
	int pid;

	proc = opendir("/proc");
	if (!proc)
		return false;
	while ((entry = readdir(proc))) {
		pid = atoi(entry->d_name);
		if (pid > 0 && parent_of(pid) == getpid())
			fn(pid);
	}
	closedir(proc);
	return true;
}

static bool children(void (*fn)(pid_t pid))
{
	return listed_children(fn) || found_children(fn);
}

static bool is_reaper;

static void be_their_reaper(void)
{
	if (is_reaper)
		return;
	is_reaper = true;
	children(inherit);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
}

/*
 * Is it the program, or has the program started it? Who has lost the parent that it had
 * for this process is, too, but not who was a child of this process before.
 */
static bool is_of_program(pid_t who, pid_t program)
{
	pid_t pid = who, parent;
	int again = 10;

	while (pid > 0 && pid != program) {
		parent = parent_of(pid);
		if (parent == getpid())
			return is_reaper && !is_inherited(pid);
		if (parent >= 0)
			pid = parent;
		else if (pid != who && again--)
			pid = who;	/* it should have another parent by now */
		else
			return false;
	}
	return pid == program && program > 0;
}

/* ---- what is sent to this process ------------------------------------------ */

/**
 * struct running - a program that has been started
 * @u: what is run
 * @pid: the program
 * @ended: it has been waited for, and the PID may be anybody's
 * @set: the signals that this process waits for
 * @sent: those of them that somebody sends, all but SIGCHLD
 * @end: how it ends, and what has come in the meantime
 */
struct running {
	const struct under *u;
	pid_t pid;
	bool ended;
	sigset_t set;
	sigset_t sent;
	struct under_end *end;
};

/* What the program sends to its process group comes here, too, and is its own affair. */
static bool sent_by_program(const struct running *r, const siginfo_t *si)
{
	switch (si->si_code) {
	case SI_USER:
	case SI_TKILL:
	case SI_QUEUE:
		return is_of_program(si->si_pid, r->pid);
	default:
		return false;
	}
}

/*
 * One signal. What the terminal sends it sends to both, since they are in one process
 * group; likewise what a shell sends to the group, which is then a second time to the
 * program.
 */
static void take_signal(const struct running *r, const siginfo_t *si)
{
	if (si->si_signo == SIGCHLD || sent_by_program(r, si))
		return;
	if (r->pid && !r->ended && si->si_code != SI_KERNEL)
		kill(r->pid, si->si_signo);
	if (si->si_signo != SIGUSR1 && si->si_signo != SIGUSR2)
		r->end->interrupted = si->si_signo;
}

/*
 * What has come. SIGCHLD stays: it may be of the program, which has not been looked at
 * since. Whoever sent something must not be waited for before this, since it could not
 * be told any more whose child that was.
 */
static void take_pending(const struct running *r)
{
	static const struct timespec now;
	siginfo_t si;

	while (sigtimedwait(&r->sent, &si, &now) > 0)
		take_signal(r, &si);
}

/* The same for a single run that has ended: what others have sent still has its effect. */
static void drop_its_own(const struct running *r)
{
	static const struct timespec now;
	sigset_t others;
	siginfo_t si;
	size_t i;

	sigemptyset(&others);
	while (sigtimedwait(&r->sent, &si, &now) > 0)
		if (!sent_by_program(r, &si))
			sigaddset(&others, si.si_signo);
	for (i = 0; i < ARRAY_SIZE(forwarded); i++)
		if (sigismember(&others, forwarded[i]))
			kill(getpid(), forwarded[i]);
}

/* Between two runs. Returns whether that is the end of it all. */
static bool interrupted_before(const struct running *r)
{
	take_pending(r);
	if (!r->end->interrupted)
		return false;
	r->end->how = UNDER_KILLED;
	r->end->code = r->end->interrupted;
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

static struct pids dead;

static void note_dead(pid_t pid)
{
	siginfo_t si = { 0 };

	if (!is_inherited(pid) &&
	    !waitid(P_PID, (id_t)pid, &si, WEXITED | WNOHANG | WNOWAIT) && si.si_pid == pid)
		add_pid(&dead, pid);
}

/*
 * What init would do: the program may wait until who it has left, and who has ended, is
 * there no more.
 */
static void reap_orphans(const struct running *r)
{
	siginfo_t any = { 0 };
	size_t i;

	if (!is_reaper)
		return;
	/* To list the children takes long where the kernel does not. */
	if (waitid(P_ALL, 0, &any, WEXITED | WNOHANG | WNOWAIT) || !any.si_pid)
		return;
	dead.nr = 0;
	children(note_dead);
	take_pending(r);
	for (i = 0; i < dead.nr; i++)
		if (dead.pid[i] != r->pid)
			waitpid(dead.pid[i], NULL, 0);
}

/* Is this the job that has the terminal? Then there may be a shell to continue it. */
static bool in_foreground(void)
{
	int tty = open("/dev/tty", O_RDONLY | O_NOCTTY | O_CLOEXEC);
	bool is;

	if (tty < 0)
		return false;
	is = tcgetpgrp(tty) == getpgrp();
	close(tty);
	return is;
}

/*
 * A program that stops itself stops the job, as if it were the whole of it. Where nobody
 * would continue the job it is only the program that is stopped: SIGTSTP has no effect on
 * a process group without a shell above it, and a stop that is none leaves no SIGCONT.
 */
static void stop_alike(pid_t pid)
{
	static const struct timespec now;
	sigset_t cont, mask;

	if (!in_foreground())
		return;
	sigemptyset(&cont);
	sigaddset(&cont, SIGCONT);
	sigprocmask(SIG_BLOCK, &cont, &mask);
	raise(SIGTSTP);
	if (sigtimedwait(&cont, NULL, &now) == SIGCONT)
		kill(pid, SIGCONT);
	sigprocmask(SIG_SETMASK, &mask, NULL);
}

/* Waits for a signal, and takes what it took off the time that is @left. */
static void wait_a_while(const struct running *r, double *left)
{
	const double slice = 1;
	double from, took = *left < slice ? *left : slice;
	struct timespec ts;
	siginfo_t si;

	ts.tv_sec = (time_t)took;
	ts.tv_nsec = (long)((took - (double)ts.tv_sec) * 1e9);
	from = seconds_now();
	if (sigtimedwait(&r->set, &si, &ts) > 0)
		take_signal(r, &si);
	else if (errno == EINTR)
		return;	/* stopped and continued */
	from = seconds_now() - from;
	*left -= from < took ? from : took;
}

/*
 * Returns false if it has taken too long. Time in which the whole job is stopped does
 * not count; nor does anybody come to continue what stops itself in one of many runs.
 */
static bool wait_for(const struct running *r, int *status)
{
	double left = r->u->hang_after;
	siginfo_t si;
	pid_t got;

	for (;;) {
		reap_orphans(r);
		got = waitpid(r->pid, status,
			      r->u->reap ? WNOHANG : WNOHANG | WUNTRACED);
		if (got == r->pid && !WIFSTOPPED(*status))
			return true;
		if (got == r->pid) {
			stop_alike(r->pid);
			continue;
		}
		if (r->u->hang_after <= 0) {
			if (sigwaitinfo(&r->set, &si) > 0)
				take_signal(r, &si);
			continue;
		}
		if (left <= 0)
			return false;
		wait_a_while(r, &left);
	}
}

/* ---- what it leaves behind ------------------------------------------------- */

static size_t nr_killed;

static void kill_own(pid_t pid)
{
	if (is_inherited(pid))
		return;
	kill(pid, SIGKILL);
	nr_killed++;
}

/*
 * What the program has started and left has this process for its parent now
 * (PR_SET_CHILD_SUBREAPER), and what that has started will have.
 */
static void reap_the_rest(const struct running *r)
{
	siginfo_t si;

	for (;;) {
		nr_killed = 0;
		if (!children(kill_own))
			break;
		/* Each that was killed is there until it is waited for. */
		if (!nr_killed)
			return;
		if (!waitid(P_ALL, 0, &si, WEXITED | WNOWAIT)) {
			take_pending(r);
			waitpid(si.si_pid, NULL, 0);
		} else if (errno == ECHILD) {
			return;
		}
	}
	/* There is no /proc: they are left alone. */
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
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

static void run_to_its_end(struct running *r)
{
	struct under_end *end = r->end;
	int status = 0;

	if (!wait_for(r, &status)) {
		end->how = UNDER_HUNG;
		kill(r->pid, SIGKILL);
		waitpid(r->pid, NULL, 0);
	} else if (WIFSIGNALED(status)) {
		end->how = UNDER_KILLED;
		end->code = WTERMSIG(status);
	} else {
		end->how = UNDER_EXITED;
		end->code = WEXITSTATUS(status);
	}
	r->ended = true;
	/* What it died of may have come to both. */
	if (r->u->held)
		take_pending(r);
	else
		drop_its_own(r);
	if (r->u->reap || end->how == UNDER_HUNG)
		reap_the_rest(r);
	if (r->u->held)
		take_pending(r);
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
	struct running r = { .u = u, .end = end };
	struct sigaction chld;
	sigset_t mask;

	memset(end, 0, sizeof(*end));
	signals_of_interest(&r.set);
	r.sent = r.set;
	sigdelset(&r.sent, SIGCHLD);
	sigprocmask(SIG_BLOCK, &r.set, &mask);
	sigaction(SIGCHLD, NULL, &chld);
	if (u->reap || u->hang_after > 0)
		be_their_reaper();
	if (u->held && interrupted_before(&r)) {
		ret = 0;
	} else {
		r.pid = start(u, u->held ? &u->mask : &mask, &why);
		if (r.pid > 0) {
			run_to_its_end(&r);
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
