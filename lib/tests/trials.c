// SPDX-License-Identifier: MIT
/*
 * Tests of shrinking and exploring, with made-up programs, without a kernel.
 */
#include <stdlib.h>
#include <string.h>

#include "../cmd/chaos.h"
#include "../cmd/cmd.h"
#include "../cmd/trial.h"
#include "check.h"
#include "plans.h"

/* ---- a made-up program ----------------------------------------------------- */

/**
 * struct fake - a trier that runs nothing
 * @trier: it
 * @end: what it makes of a plan: true if the program fails
 * @arg: for @end
 * @reads: requests that the program makes: READs of 4096 bytes
 * @runs: how many runs there were
 * @stop_at: in that run a person stops it
 * @drift: in the second run its third read is shorter
 */
struct fake {
	struct trier trier;
	bool (*end)(struct fake *f, const struct plan *p);
	const void *arg;
	unsigned int reads;
	unsigned int runs;
	unsigned int stop_at;
	bool drift;
};

static void fake_seen(struct fake *f, const struct plan *p, struct seen *seen)
{
	struct aring_seen r = {
		.process = 1,
		.ring = 1,
		.len = 4096,
		.res = 4096,
		.opcode = ARING_OP_READ,
		.kind = ARING_KIND_REG,
		.flags = ARING_SEEN_ENDED,
	};
	size_t i;

	/* What is read short is read on. */
	unsigned int reads = f->reads;

	for (i = 0; i < p->nr; i++)
		reads += p->line[i].action == ARING_ACT_SHORTEN;
	for (i = 0; i < reads; i++) {
		r.ticket = (__u32)i;
		r.res = f->drift && f->runs == 2 && i == 2 ? 100 : 4096;
		seen->req = grow(seen->req, &seen->room, seen->nr,
				 sizeof(*seen->req));
		seen->req[seen->nr++] = r;
	}
}

static int fake_run(struct trier *t, const struct plan *plan, bool watch,
		    struct outcome *o)
{
	struct fake *f = (struct fake *)t;

	outcome_free(o);
	f->runs++;
	if (f->stop_at && f->runs == f->stop_at)
		o->end.interrupted = 2;
	o->end.how = UNDER_EXITED;
	o->end.code = f->end(f, plan) ? 3 : 0;
	plan_copy(&o->log, plan);
	if (watch)
		fake_seen(f, plan, &o->seen);
	return 0;
}

static const struct outcome exit_three = { .end = { .code = 3 } };

/* ---- shrinking ------------------------------------------------------------- */

static void many(struct plan *p, unsigned int nr)
{
	struct aring_deviation d = {
		.process = 1,
		.ring = 1,
		.action = ARING_ACT_FAIL,
		.opcode = ARING_OP_READ,
		.value = EIO,
	};

	for (d.number = 0; d.number < nr; d.number++)
		plan_add(p, &d);
}

static bool has_ticket(const struct plan *p, unsigned int ticket)
{
	size_t i;

	for (i = 0; i < p->nr; i++)
		if (p->line[i].number == ticket)
			return true;
	return false;
}

/* Fails of all of these together. */
static bool end_all_of(struct fake *f, const struct plan *p)
{
	const unsigned int *t = f->arg;

	for (; *t != ~0U; t++)
		if (!has_ticket(p, *t))
			return false;
	return true;
}

static void shrink_to(unsigned int nr, const unsigned int *tickets,
		      unsigned int most_runs)
{
	struct fake f = {
		.trier.run = fake_run,
		.end = end_all_of,
		.arg = tickets,
	};
	struct plan p = { .nr = 0 };
	struct shrunk s;
	size_t i;

	memset(&s, 0, sizeof(s));
	many(&p, nr);
	CHECK_EQ(shrink(&f.trier, &p, &exit_three, &s), 0);
	CHECK(s.repeated);
	for (i = 0; tickets[i] != ~0U; i++)
		CHECK(has_ticket(&s.plan, tickets[i]));
	CHECK_EQ(s.plan.nr, i);
	CHECK_EQ(s.runs, f.runs);
	CHECK(s.runs <= most_runs);
	plan_free(&p);
	plan_free(&s.plan);
}

static void test_shrink(void)
{
	shrink_to(1, (const unsigned int []){ 0, ~0U }, 2);
	shrink_to(2, (const unsigned int []){ 1, ~0U }, 4);
	shrink_to(2, (const unsigned int []){ 0, 1, ~0U }, 4);
	shrink_to(1000, (const unsigned int []){ 617, ~0U }, 24);
	shrink_to(1000, (const unsigned int []){ 0, 500, 999, ~0U }, 300);
	shrink_to(64, (const unsigned int []){ 3, 17, 18, 40, 63, ~0U }, 300);
	shrink_to(5000, (const unsigned int []){ ~0U }, 2);
}

/* Fails if the tickets' sum is a multiple of what there is: hardly monotone. */
static bool end_by_sum(struct fake *f, const struct plan *p)
{
	unsigned int sum = 0;
	size_t i;

	for (i = 0; i < p->nr; i++)
		sum += p->line[i].number;
	return p->nr && sum % *(const unsigned int *)f->arg == 0;
}

/* Whatever it is that fails: at the end none can be left out. */
static void test_shrink_minimal(void)
{
	unsigned int modulus;

	for (modulus = 2; modulus < 60; modulus++) {
		struct fake f = {
			.trier.run = fake_run,
			.end = end_by_sum,
			.arg = &modulus,
		};
		struct plan p = { .nr = 0 }, part = { .nr = 0 };
		struct shrunk s;
		size_t i, j;

		memset(&s, 0, sizeof(s));
		many(&p, modulus * 2 + 1);
		CHECK_EQ(shrink(&f.trier, &p, &exit_three, &s), 0);
		CHECK(s.repeated);
		CHECK(end_by_sum(&f, &s.plan));
		for (i = 0; s.plan.nr > 1 && i < s.plan.nr; i++) {
			part.nr = 0;
			for (j = 0; j < s.plan.nr; j++)
				if (i != j)
					plan_add(&part, &s.plan.line[j]);
			CHECK(!end_by_sum(&f, &part));
		}
		plan_free(&p);
		plan_free(&part);
		plan_free(&s.plan);
	}
}

static bool end_never(struct fake *f, const struct plan *p)
{
	(void)f;
	(void)p;
	return false;
}

static void test_shrink_not_repeated(void)
{
	struct fake f = { .trier.run = fake_run, .end = end_never };
	struct plan p = { .nr = 0 };
	struct shrunk s;

	memset(&s, 0, sizeof(s));
	many(&p, 10);
	CHECK_EQ(shrink(&f.trier, &p, &exit_three, &s), 0);
	CHECK(!s.repeated);
	CHECK_EQ(s.runs, 5);
	CHECK_EQ(s.plan.nr, 10);
	plan_free(&p);
	plan_free(&s.plan);
}

static bool end_otherwise(struct fake *f, const struct plan *p)
{
	return f->runs > 1 && p->nr > 3;
}

/* A failure that comes only at times; and another failure does not count. */
static void test_shrink_same_failure(void)
{
	static const struct outcome exit_four = { .end = { .code = 4 } };
	struct fake f = { .trier.run = fake_run, .end = end_otherwise };
	struct plan p = { .nr = 0 };
	struct shrunk s;

	memset(&s, 0, sizeof(s));
	many(&p, 10);
	CHECK_EQ(shrink(&f.trier, &p, &exit_three, &s), 0);
	CHECK(s.repeated);
	CHECK_EQ(s.plan.nr, 4);
	plan_free(&s.plan);
	memset(&s, 0, sizeof(s));
	CHECK_EQ(shrink(&f.trier, &p, &exit_four, &s), 0);
	CHECK(!s.repeated);
	plan_free(&p);
	plan_free(&s.plan);
}

static void test_shrink_stopped(void)
{
	static const unsigned int tickets[] = { 5, ~0U };
	struct fake f = {
		.trier.run = fake_run,
		.end = end_all_of,
		.arg = tickets,
		.stop_at = 6,
	};
	struct plan p = { .nr = 0 };
	struct shrunk s;

	memset(&s, 0, sizeof(s));
	many(&p, 1000);
	CHECK_EQ(shrink(&f.trier, &p, &exit_three, &s), 130);
	CHECK(s.repeated);
	CHECK(s.plan.nr > 1 && s.plan.nr < 1000);
	CHECK(has_ticket(&s.plan, 5));
	plan_free(&p);
	plan_free(&s.plan);
}

/* ---- exploring ------------------------------------------------------------- */

static unsigned long explore_passing(unsigned int reads, unsigned int most,
				     const char *only)
{
	struct fake f = {
		.trier.run = fake_run,
		.end = end_never,
		.reads = reads,
	};
	struct aring_chaos c;
	struct explored e;
	char why[600];

	memset(&e, 0, sizeof(e));
	memset(&c, 0, sizeof(c));
	CHECK(chaos_read(only, &c, why, sizeof(why)));
	CHECK_EQ(explore(&f.trier, most, &c, &e), 0);
	CHECK(e.passed);
	CHECK(e.repeatable);
	/* The plan without deviations runs twice. */
	CHECK_EQ(f.runs, e.plans + 1);
	return e.plans;
}

static void test_explore_counts(void)
{
	CHECK_EQ(explore_passing(3, 0, ""), 1);
	CHECK_EQ(explore_passing(3, 1, "eio=1%"), 1 + 3);
	CHECK_EQ(explore_passing(4, 2, "eio=1%"), 1 + 4 + 6);
	CHECK_EQ(explore_passing(5, 5, "eio=1%"), 32);
	CHECK_EQ(explore_passing(5, 9, "eio=1%"), 32);
	/* The last has no successor. */
	CHECK_EQ(explore_passing(4, 1, "reorder=1"), 1 + 3);
	CHECK_EQ(explore_passing(4, 2, "reorder=1"), 1 + 3 + 3);
	/* To 1, 2048, 4095; each makes one more request. */
	CHECK_EQ(explore_passing(2, 1, "short=1%"), 1 + 6);
	CHECK_EQ(explore_passing(2, 2, "short=1%"), 1 + 6 + 9 + 6 * 3);
	/* No read fails for want of space. */
	CHECK_EQ(explore_passing(3, 1, "enospc=1%"), 1);
	/* Linux reads all there is of a regular file. */
	CHECK_EQ(explore_passing(2, 1, "short=1%,level=linux"), 1);
	CHECK_EQ(explore_passing(2, 1, "enospc=1%,level=any"), 1 + 2);
}

/* Fails if ticket 1 is short, and what reads on fails. */
static bool end_read_on(struct fake *f, const struct plan *p)
{
	bool is_short = false, fails = false;
	size_t i;

	for (i = 0; i < p->nr; i++) {
		is_short |= p->line[i].action == ARING_ACT_SHORTEN &&
			    p->line[i].number == 1;
		fails |= p->line[i].action == ARING_ACT_FAIL &&
			 p->line[i].number == f->reads;
	}
	return is_short && fails;
}

static void test_explore_finds(void)
{
	struct fake f = {
		.trier.run = fake_run,
		.end = end_read_on,
		.reads = 3,
	};
	struct explored e;
	char line[PLAN_LINE];

	memset(&e, 0, sizeof(e));
	CHECK_EQ(explore(&f.trier, 1, NULL, &e), 0);
	CHECK(e.passed);
	memset(&e, 0, sizeof(e));
	f.runs = 0;
	CHECK_EQ(explore(&f.trier, 3, NULL, &e), 0);
	CHECK(!e.passed);
	CHECK(e.repeatable);
	CHECK_EQ(e.plans + 1, f.runs);
	CHECK_EQ(e.failure.end.code, 3);
	CHECK_EQ(e.first.nr, 2);
	if (e.first.nr == 2) {
		plan_line_write(line, sizeof(line), &e.first.line[0]);
		CHECK_STR(line, "ring 1 ticket 1 READ: shorten 4096 to 1");
		plan_line_write(line, sizeof(line), &e.first.line[1]);
		CHECK_STR(line, "ring 1 ticket 3 READ: fail EIO");
	}
	plan_free(&e.first);
	outcome_free(&e.failure);
}

static bool end_always(struct fake *f, const struct plan *p)
{
	(void)f;
	(void)p;
	return true;
}

static void test_explore_bare_failure(void)
{
	struct fake f = {
		.trier.run = fake_run,
		.end = end_always,
		.reads = 3,
	};
	struct explored e;

	memset(&e, 0, sizeof(e));
	CHECK_EQ(explore(&f.trier, 2, NULL, &e), 0);
	CHECK(!e.passed);
	CHECK_EQ(e.first.nr, 0);
	CHECK_EQ(e.plans, 1);
	outcome_free(&e.failure);
}

static void test_explore_not_repeatable(void)
{
	struct fake f = {
		.trier.run = fake_run,
		.end = end_never,
		.reads = 4,
		.drift = true,
	};
	struct explored e;

	memset(&e, 0, sizeof(e));
	CHECK_EQ(explore(&f.trier, 1, NULL, &e), 0);
	CHECK(e.passed);
	CHECK(!e.repeatable);
	CHECK_STR(e.parted,
		  "process 1 ring 1 ticket 2 READ, 4096 bytes, result 4096; then: "
		  "process 1 ring 1 ticket 2 READ, 4096 bytes, result 100");
}

static void test_explore_stopped(void)
{
	struct fake f = {
		.trier.run = fake_run,
		.end = end_never,
		.reads = 4,
		.stop_at = 5,
	};
	struct explored e;

	memset(&e, 0, sizeof(e));
	CHECK_EQ(explore(&f.trier, 2, NULL, &e), 130);
	CHECK_EQ(f.runs, 5);
}

const struct plan_test trial_tests[] = {
	{ "shrinking", test_shrink },
	{ "shrinking: none can be left out", test_shrink_minimal },
	{ "shrinking: not repeated", test_shrink_not_repeated },
	{ "shrinking: the same failure", test_shrink_same_failure },
	{ "shrinking: stopped", test_shrink_stopped },
	{ "exploring: how many", test_explore_counts },
	{ "exploring: what needs two", test_explore_finds },
	{ "exploring: fails anyway", test_explore_bare_failure },
	{ "exploring: not repeatable", test_explore_not_repeatable },
	{ "exploring: stopped", test_explore_stopped },
	{ NULL }
};
