/* SPDX-License-Identifier: MIT */
/*
 * Running a program under the shim: is it possible, become it, or start it and
 * wait for its end.
 */
#ifndef _ARING_UNDER_H
#define _ARING_UNDER_H

#include <limits.h>
#include <signal.h>
#include <stdbool.h>

/* As env(1), nohup(1) and their like: what the program itself would hardly say. */
enum {
	EXIT_HUNG		= 124,
	EXIT_UNDER_FAILED	= 125,
	EXIT_NOT_EXECUTABLE	= 126,
	EXIT_NOT_FOUND		= 127,
};

/**
 * struct under - a program that is to be run under the shim
 * @argv: its arguments, ended by NULL; the first is its name
 * @quiet: say nothing of programs started later that the shim cannot enter
 * @session: the session that its rings join, or 0
 * @hang_after: seconds after which under_run() kills it, 0 for never
 * @no_input: under_run() gives it /dev/null to read from
 * @no_output: and to write to
 * @reap: under_run() kills what it leaves behind
 * @path: its file, once under_find() has found it
 * @shim: path of the shim, once under_is_possible() has found it
 * @reason: why it is not possible
 * @next: what to do about that
 * @filtered: the filter is there already
 * @held: under_hold_signals() has been called
 * @mask: the signals that were blocked before
 */
struct under {
	char **argv;
	bool quiet;
	unsigned long long session;
	double hang_after;
	bool no_input;
	bool no_output;
	bool reap;

	char path[PATH_MAX];
	char shim[PATH_MAX];
	char reason[PATH_MAX + 200];
	const char *next;
	bool filtered;
	bool held;
	sigset_t mask;
};

/**
 * enum under_how - how a program ended
 * @UNDER_EXITED: with a status
 * @UNDER_KILLED: by a signal
 * @UNDER_HUNG: it had to be killed, since it took longer than &under.hang_after
 */
enum under_how {
	UNDER_EXITED,
	UNDER_KILLED,
	UNDER_HUNG,
};

/**
 * struct under_end - the end of a program
 * @how: which kind of end
 * @code: the status or the signal, else 0
 * @interrupted: a signal that was sent to this process in the meantime, or 0
 */
struct under_end {
	enum under_how how;
	int code;
	int interrupted;
};

/**
 * struct no_exec - why a program was not executed
 * @part: whose fault it is
 * @err: errno
 */
struct no_exec {
	enum { PART_MEMORY, PART_FILTER, PART_PROGRAM } part;
	int err;
};

/* under.c */
int under_find(struct under *u);
bool under_is_possible(struct under *u);
int under_become(const struct under *u);
int under_become_outside(const struct under *u);
void under_exec(const struct under *u, struct no_exec *no);
int under_say_no_exec(const struct under *u, const struct no_exec *no);

/* under_run.c */
void under_hold_signals(struct under *u);
void under_let_signals(struct under *u);
int under_run(const struct under *u, struct under_end *end);
int under_status(const struct under_end *end);
void under_die_alike(const struct under_end *end);

#endif /* _ARING_UNDER_H */
