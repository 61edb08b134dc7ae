// SPDX-License-Identifier: MIT
/*
 * aring run: run a program that was written for io_uring on /dev/aring.
 */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "chaos.h"
#include "chaotic.h"
#include "cmd.h"
#include "names.h"

static const char usage[] =
"usage: aring run [OPTION]... [--] PROG [ARG]...\n"
"\n"
"Runs PROG with its io_uring system calls going to /dev/aring, and those of the\n"
"programs that it starts.\n"
"\n"
"      --fallback     where that is not possible, say so and run PROG on io_uring\n"
"  -q, --quiet        say nothing of programs started later that stay outside\n"
"      --clock CLOCK  real, or virtual: time-outs pass when everybody waits\n"
"  -h, --help         this text\n"
"\n"
"To make it harder for PROG:\n"
"      --chaos STRING      KEY=VALUE,...: what may happen, and how often:\n"
"                          seed=N, short=P%, eio=P% (and other errors), eintr=P%,\n"
"                          take=P%, cqfull=P%, reorder=N, delay=A..Bus,\n"
"                          cancel=late|early[:P%], level=contract|linux|any\n"
"      --plan FILE         do what FILE says, and nothing else\n"
"      --chaos-log FILE    write what was done, which is a plan; - for stdout\n"
"      --hang-after SEC    after that long kill PROG, which then has failed\n"
"\n"
"To run it many times, without input and output:\n"
"      --seeds N           with N seeds, from seed=, until one makes it fail\n"
"      --shrink            find the deviations that are enough to make it fail\n"
"      --explore N         every plan of at most N deviations\n"
"      --save FILE         where to save the plan that is left (aring.plan)\n"
"\n"
"A run that fails prints the line that repeats it. Exit status: PROG's; of many\n"
"runs the failing one's, and 128 and the signal if one killed it, else 0. 124: it\n"
"hung; 125: it cannot run on /dev/aring, and a line says why; 126: PROG cannot be\n"
"executed; 127: there is no such PROG.\n";

/**
 * struct run - the command line
 * @u: the program
 * @c: what is to happen to it
 * @fallback: run it on io_uring if it is not possible
 * @session: a session is asked for
 */
struct run {
	struct under u;
	struct chaotic c;
	bool fallback;
	bool session;
};

static int run_program(struct run *run)
{
	int ret = under_find(&run->u);

	if (ret)
		return ret;
	if (under_is_possible(&run->u))
		return run->session ? chaotic_run(&run->c) :
		       under_become(&run->u);
	if (!run->fallback) {
		complain("%s; next: %s", run->u.reason, run->u.next);
		return EXIT_UNDER_FAILED;
	}
	complain("%s; running it on io_uring instead", run->u.reason);
	return under_become_outside(&run->u);
}

/* ---- the command line ------------------------------------------------------ */

static bool parse_chaos(struct run *run, const char *text)
{
	struct aring_chaos *c = &run->c.trial.chaos;
	unsigned int seed = 0;
	char why[600];

	if (run->c.has_chaos) {
		complain("--chaos: given twice; next: say it all in one, as short=5%%,eio=1%%");
		return false;
	}
	/* Not longer than one can read out to somebody. */
	if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) < 0)
		seed = (unsigned int)getpid();
	c->seed = seed;
	run->c.has_chaos = true;
	if (chaos_read(text, c, why, sizeof(why)))
		return true;
	complain("--chaos: %s", why);
	return false;
}

static bool parse_count(const char *option, const char *text, __u64 min,
			__u64 max, __u64 *nr)
{
	if (read_number(text, max, nr) && *nr >= min)
		return true;
	complain("%s %s: not a number from %llu to %llu", option, text, min,
		 max);
	return false;
}

static bool parse_seconds(struct run *run, const char *text)
{
	char *end;
	double v = strtod(text, &end);

	if (*text && !*end && v > 0 && v <= 1e6) {
		run->u.hang_after = v;
		return true;
	}
	complain("--hang-after %s: not a number of seconds", text);
	return false;
}

static bool parse_clock(struct run *run, const char *text)
{
	run->c.trial.virtual_clock = !strcmp(text, "virtual");
	if (run->c.trial.virtual_clock || !strcmp(text, "real"))
		return true;
	complain("--clock %s: there are real and virtual", text);
	return false;
}

enum {
	OPT_FALLBACK = 256,
	OPT_CHAOS,
	OPT_PLAN,
	OPT_LOG,
	OPT_HANG,
	OPT_CLOCK,
	OPT_SEEDS,
	OPT_SHRINK,
	OPT_EXPLORE,
	OPT_SAVE,
};

/* What needs a session. */
static bool parse_session_option(struct run *run, int option, const char *arg)
{
	__u64 nr = 0;

	run->session = true;
	switch (option) {
	case OPT_CHAOS:
		return parse_chaos(run, arg);
	case OPT_PLAN:
		run->c.plan_file = arg;
		return true;
	case OPT_LOG:
		run->c.log_file = arg;
		return true;
	case OPT_HANG:
		return parse_seconds(run, arg);
	case OPT_CLOCK:
		return parse_clock(run, arg);
	case OPT_SEEDS:
		if (!parse_count("--seeds", arg, 1, 1U << 31, &nr))
			return false;
		run->c.seeds = nr;
		return true;
	case OPT_SHRINK:
		run->c.shrink = true;
		return true;
	case OPT_EXPLORE:
		if (!parse_count("--explore", arg, 0, 100, &nr))
			return false;
		run->c.explore = true;
		run->c.most = (unsigned int)nr;
		return true;
	default:
		run->c.save_file = arg;
		if (strcmp(arg, "-"))
			return true;
		complain("--save -: the plan is printed in any case; next: name a file");
		return false;
	}
}

/* What contradicts itself, or asks for nothing. */
static bool makes_sense(const struct run *run)
{
	const struct chaotic *c = &run->c;
	bool by_seed = c->has_chaos && !chaos_does_nothing(&c->trial.chaos);
	const char *why = NULL;

	if (run->fallback && run->session)
		why = "--fallback: on io_uring there is nothing of what is asked for";
	else if (c->plan_file && c->explore)
		why = "--plan and --explore: one or the other";
	else if (c->explore &&
		 (c->trial.chaos.take_ppm || c->trial.chaos.delay_max))
		why = "--explore: take= and delay= are not explored; next: name others";
	else if (c->log_file && c->explore)
		why = "--chaos-log and --explore: a log is of one run";
	else if (c->plan_file && by_seed)
		why = "--plan and --chaos: a plan says it all; only level= goes with it";
	else if (c->has_chaos && !by_seed && !c->plan_file && !c->explore)
		why = "--chaos: nothing that could happen, as in short=10%";
	else if (c->seeds && (!by_seed || c->explore))
		why = "--seeds: it goes with --chaos alone";
	else if (c->shrink && c->explore)
		why = "--shrink and --explore: what fails is shrunk in any case";
	else if (c->shrink && !by_seed && !c->plan_file)
		why = "--shrink: it needs --chaos or --plan";
	if (why)
		complain("%s", why);
	return !why;
}

static int misused(void)
{
	bad_use("run");
	return EXIT_UNDER_FAILED;
}

int cmd_run(int argc, char **argv)
{
	static const struct option options[] = {
		{ "fallback", no_argument, NULL, OPT_FALLBACK },
		{ "quiet", no_argument, NULL, 'q' },
		{ "help", no_argument, NULL, 'h' },
		{ "chaos", required_argument, NULL, OPT_CHAOS },
		{ "plan", required_argument, NULL, OPT_PLAN },
		{ "chaos-log", required_argument, NULL, OPT_LOG },
		{ "hang-after", required_argument, NULL, OPT_HANG },
		{ "clock", required_argument, NULL, OPT_CLOCK },
		{ "seeds", required_argument, NULL, OPT_SEEDS },
		{ "shrink", no_argument, NULL, OPT_SHRINK },
		{ "explore", required_argument, NULL, OPT_EXPLORE },
		{ "save", required_argument, NULL, OPT_SAVE },
		{ NULL, 0, NULL, 0 },
	};
	static struct run run;
	int c;

	trial_init(&run.c.trial, &run.u);
	run.c.save_file = "aring.plan";
	opterr = 0;
	/* "+": what follows PROG is PROG's; ":": say what lacks its argument. */
	while ((c = getopt_long(argc, argv, "+:qh", options, NULL)) != -1) {
		switch (c) {
		case OPT_FALLBACK:
			run.fallback = true;
			break;
		case 'q':
			run.u.quiet = true;
			break;
		case 'h':
			fputs(usage, stdout);
			return EXIT_OK;
		case '?':
			unknown_option(argv, options);
			return misused();
		case ':':
			complain("%s: it needs a value", argv[optind - 1]);
			return misused();
		default:
			if (!parse_session_option(&run, c, optarg))
				return misused();
		}
	}
	if (!makes_sense(&run))
		return misused();
	if (optind == argc) {
		complain("which program?");
		return misused();
	}
	run.u.argv = argv + optind;
	return run_program(&run);
}
