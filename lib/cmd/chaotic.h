/* SPDX-License-Identifier: MIT */
/*
 * aring run with a session: chaos, plans, and what is found out with them.
 */
#ifndef _ARING_CHAOTIC_H
#define _ARING_CHAOTIC_H

#include <stdbool.h>

#include "trial.h"

/** HANG_AFTER - seconds that a run may take where there are many */
#define HANG_AFTER	60

/**
 * struct chaotic - what is asked for
 * @trial: the program, the chaos
 * @has_chaos: there is a chaos string
 * @plan_file: the plan to carry out, or NULL
 * @log_file: where to write what was done, "-" for stdout, or NULL
 * @save_file: where to save the plan that is left after shrinking
 * @seeds: how many seeds, 0 for one run
 * @shrink: shrink what fails
 * @explore: try every plan
 * @most: with so many deviations at most
 */
struct chaotic {
	struct trial trial;
	bool has_chaos;
	const char *plan_file;
	const char *log_file;
	const char *save_file;
	unsigned long seeds;
	bool shrink;
	bool explore;
	unsigned int most;
};

int chaotic_run(struct chaotic *c);

#endif /* _ARING_CHAOTIC_H */
