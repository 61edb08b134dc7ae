/* SPDX-License-Identifier: MIT */
/*
 * What the files of the aring command share.
 */
#ifndef _ARING_CMD_H
#define _ARING_CMD_H

#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <aring.h>

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

/**
 * enum exit_code - how the command ends
 * @EXIT_OK: did what it was asked to do
 * @EXIT_FAILED: did not, and said why
 * @EXIT_BAD_USE: did not understand the command line
 * @EXIT_UNUSABLE: there is no ring to work with
 */
enum exit_code {
	EXIT_OK		= 0,
	EXIT_FAILED	= 1,
	EXIT_BAD_USE	= 2,
	EXIT_UNUSABLE	= 3,
};

/* main.c */
__attribute__((__format__(__printf__, 1, 2)))
void complain(const char *fmt, ...);
int bad_use(const char *cmd);
void unknown_option(char **argv, const struct option *known);
bool parse_backend(const char *s, enum aring_backend *backend);

/* info.c, cp.c, run.c, trace.c: the subcommands */
int cmd_info(int argc, char **argv);
int cmd_cp(int argc, char **argv);
int cmd_run(int argc, char **argv);
int cmd_trace(int argc, char **argv);

/* why.c */

/**
 * struct why - why there is no ring
 * @reason: what is wrong, and with what
 * @next: what to do about it; the second, if not NULL, is another way
 */
struct why {
	char reason[200];
	const char *next[2];
};

void why_no_ring(enum aring_backend backend, int err, struct why *w);
void explain_no_ring(enum aring_backend backend, int err);

/* copy.c: the engine of aring cp */

/**
 * struct copy_job - one file to be copied through a ring
 * @ring: the ring
 * @src: read from here
 * @src_check: the same file without O_DIRECT, to look for its end
 * @dst: written to here, empty at the start
 * @size: how large the source seems to be
 * @block: bytes a request
 * @depth: requests in flight
 * @direct: both files are O_DIRECT
 * @sparse: the source has holes; they are not read, zeros are not written
 * @progress: show a bar
 * @stop: becomes non-zero, in a signal handler, when the copy shall end early
 * @copied: out: length of the copy
 * @requests: out: number of requests it took
 * @what: out: what failed: "read", "write", ...
 * @where: out: at which offset
 */
struct copy_job {
	struct aring *ring;
	int src;
	int src_check;
	int dst;
	__u64 size;
	unsigned int block;
	unsigned int depth;
	bool direct;
	bool sparse;
	bool progress;
	const int *stop;
	__u64 copied;
	__u64 requests;
	const char *what;
	__u64 where;
};

int copy_run(struct copy_job *job);

/* progress.c */
double seconds_now(void);
void human_size(char *buf, size_t len, double bytes);
void progress_show(__u64 done, __u64 total, double since);
void progress_clear(void);
__attribute__((__format__(__printf__, 1, 2)))
void progress_note(const char *fmt, ...);
void progress_clear_note(void);

#endif /* _ARING_CMD_H */
