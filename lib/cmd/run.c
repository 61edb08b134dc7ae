// SPDX-License-Identifier: MIT
/*
 * aring run: run a program that was written for io_uring on /dev/aring.
 */
#include <getopt.h>
#include <stdlib.h>

#include "cmd.h"
#include "under.h"

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

static int run_program(struct under *u, bool fallback)
{
	int ret = under_find(u);

	if (ret)
		return ret;
	if (under_is_possible(u))
		return under_become(u);
	if (!fallback) {
		complain("%s; next: %s", u->reason, u->next);
		return EXIT_UNDER_FAILED;
	}
	complain("%s; running it on io_uring instead", u->reason);
	return under_become_outside(u);
}

int cmd_run(int argc, char **argv)
{
	static const struct option options[] = {
		{ "fallback", no_argument, NULL, 'f' },
		{ "quiet", no_argument, NULL, 'q' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	static struct under u;
	bool fallback = false;
	int c;

	opterr = 0;
	/* "+": what follows PROG is PROG's. */
	while ((c = getopt_long(argc, argv, "+qh", options, NULL)) != -1) {
		switch (c) {
		case 'f':
			fallback = true;
			break;
		case 'q':
			u.quiet = true;
			break;
		case 'h':
			fputs(usage, stdout);
			return EXIT_OK;
		default:
			complain("unknown option '%s'", argv[optind - 1]);
			bad_use("run");
			return EXIT_UNDER_FAILED;
		}
	}
	if (optind == argc) {
		complain("which program?");
		bad_use("run");
		return EXIT_UNDER_FAILED;
	}
	u.argv = argv + optind;
	return run_program(&u, fallback);
}
