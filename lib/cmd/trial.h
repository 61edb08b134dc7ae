/* SPDX-License-Identifier: MIT */
/*
 * Running a program again and again: what is done to it, how it ends, and which
 * of it is to blame.
 */
#ifndef _ARING_TRIAL_H
#define _ARING_TRIAL_H

#include <stdbool.h>
#include <linux/aring.h>

#include "plan.h"
#include "session.h"
#include "under.h"

/**
 * struct outcome - one run
 * @end: how it ended
 * @log: what was to be done, with ARING_DEV_DONE where it was
 * @seen: the requests, if they were watched
 * @lost: lines and requests that the session had no room for
 *
 * All zeros before the first run.
 */
struct outcome {
	struct under_end end;
	struct plan log;
	struct seen seen;
	__u64 lost;
};

bool outcome_passed(const struct outcome *o);
bool outcome_same(const struct outcome *a, const struct outcome *b);
void outcome_text(const struct outcome *o, char *buf, size_t size);
void outcome_done(const struct outcome *o, struct plan *done);
void outcome_free(struct outcome *o);

/**
 * struct trier - what can run the program
 * @run: runs it. @plan is what to do to it, NULL for what the seed says; @watch:
 *	remember the requests; @o is overwritten. Returns 0, or the exit
 *	status with which all is to end: then it has been said why
 */
struct trier {
	int (*run)(struct trier *t, const struct plan *plan, bool watch,
		   struct outcome *o);
};

/**
 * struct trial - the trier that runs a program in a session
 * @trier: it
 * @u: the program
 * @chaos: seed, rates, level
 * @virtual_clock: each process has one
 */
struct trial {
	struct trier trier;
	struct under *u;
	struct aring_chaos chaos;
	bool virtual_clock;
};

void trial_init(struct trial *t, struct under *u);

/**
 * struct shrunk - what came out of shrinking
 * @plan: the deviations that are left; at the end none can be left out
 * @runs: how many runs it took
 * @repeated: the failure came again with all of them
 */
struct shrunk {
	struct plan plan;
	unsigned int runs;
	bool repeated;
};

int shrink(struct trier *t, const struct plan *plan, const struct outcome *want,
	   struct shrunk *s);

/**
 * struct explored - what came out of exploring
 * @plans: how many were tried
 * @partly: in how many not every deviation came, of those that passed
 * @lost: requests that the sessions had no room for, and that were not varied
 * @passed: that was all of them, and they passed
 * @repeatable: two runs without deviations were the same
 * @parted: if not, where they parted
 * @first: else the plan that failed
 * @failure: and how
 */
struct explored {
	unsigned long plans;
	unsigned long partly;
	unsigned long long lost;
	bool passed;
	bool repeatable;
	char parted[200];
	struct plan first;
	struct outcome failure;
};

int explore(struct trier *t, unsigned int most, const struct aring_chaos *only,
	    struct explored *e);

#endif /* _ARING_TRIAL_H */
