// SPDX-License-Identifier: MIT
/*
 * How a run went.
 */
#include <string.h>

#include "trial.h"

/**
 * outcome_passed() - did the program do what it should, for all it says?
 * @o: the run
 */
bool outcome_passed(const struct outcome *o)
{
	return o->end.how == UNDER_EXITED && !o->end.code;
}

/**
 * outcome_same() - did two runs end in the same way?
 * @a: one
 * @b: the other
 */
bool outcome_same(const struct outcome *a, const struct outcome *b)
{
	return a->end.how == b->end.how && a->end.code == b->end.code;
}

/**
 * outcome_text() - how a run ended, in words
 * @o: the run
 * @buf: to here
 * @size: of @buf
 */
void outcome_text(const struct outcome *o, char *buf, size_t size)
{
	switch (o->end.how) {
	case UNDER_EXITED:
		snprintf(buf, size, "exit status %d", o->end.code);
		break;
	case UNDER_KILLED:
		snprintf(buf, size, "killed by signal %d (%s)", o->end.code,
			 strsignal(o->end.code));
		break;
	case UNDER_HUNG:
		snprintf(buf, size, "it hung");
		break;
	}
}

/**
 * outcome_done() - what was done in a run
 * @o: the run
 * @done: an empty plan; out: one that does the same again
 */
void outcome_done(const struct outcome *o, struct plan *done)
{
	struct aring_deviation d;
	size_t i;

	for (i = 0; i < o->log.nr; i++) {
		d = o->log.line[i];
		if (!(d.flags & ARING_DEV_DONE))
			continue;
		d.flags &= ~ARING_DEV_DONE;
		plan_add(done, &d);
	}
}

/**
 * outcome_free() - forget a run
 * @o: becomes all zeros
 */
void outcome_free(struct outcome *o)
{
	plan_free(&o->log);
	seen_free(&o->seen);
	memset(o, 0, sizeof(*o));
}
