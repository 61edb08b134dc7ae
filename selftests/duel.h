/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A cancel and an event, round after round, from two CPUs: how far one of them
 * is held back, so that neither always wins. A race that always ends alike
 * shows nothing, and where a race is won or lost depends on how fast each of
 * the two CPUs happens to be at that moment, which on a busy host changes by
 * the minute and by orders of magnitude.
 */
#ifndef ARING_TEST_DUEL_H
#define ARING_TEST_DUEL_H

#include "ring.h"

/* At least this share of the rounds must end each way. */
#define DUEL_SHARE	50
/* While one way lacks its share, go on: up to this many times the rounds. */
#define DUEL_PATIENCE	10

/*
 * Each of the two stays on a CPU of its own. Where the scheduler leaves both on
 * one, the other thread runs only when this one sleeps, and no start it is given,
 * if shorter than its time slice, changes who wins.
 */
static inline void pin_to_cpu(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

struct lead {
	int at;			/* the cancel is held back; the event if < 0 */
	int step;
	bool taken_last;
	unsigned long taken, lost;
};

static inline void relax(unsigned int n)
{
	while (n--)
		__asm__ volatile("" ::: "memory");
}

/* How long each of the two waits, in turns of relax(). */
static inline unsigned int lead_of_cancel(const struct lead *l)
{
	return l->at > 0 ? l->at : 0;
}

static inline unsigned int lead_of_event(const struct lead *l)
{
	return l->at < 0 ? -l->at : 0;
}

/*
 * A round is over for both: give the loser a start. The longer one of the two wins
 * without a break, the larger each step.
 */
static inline void lead_shift(struct lead *l, bool taken)
{
	const int first = 20 * test_slow(), most = 1 << 18;

	if (!l->step || taken != l->taken_last)
		l->step = first;
	else if (l->step < most)
		l->step *= 2;
	l->taken_last = taken;
	if (taken)
		l->taken++;
	else
		l->lost++;
	l->at += taken ? l->step : -l->step;
	/* more than a time slice of the host: what is further apart was a stall */
	if (l->at > 16 * most)
		l->at = 16 * most;
	if (l->at < -16 * most)
		l->at = -16 * most;
}

/* Is there another round, of @n? */
static inline bool lead_goes_on(const struct lead *l, unsigned long n)
{
	unsigned long done = l->taken + l->lost;
	unsigned long fewer = l->taken < l->lost ? l->taken : l->lost;

	return done < n ||
	       (fewer <= n / DUEL_SHARE && done < n * DUEL_PATIENCE);
}

#endif /* ARING_TEST_DUEL_H */
