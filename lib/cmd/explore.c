// SPDX-License-Identifier: MIT
/*
 * Exploring: every plan with no more than so many deviations, the small ones first.
 *
 * A deviation may lead the program to requests that it does not make without. So
 * the plans of one size come from the runs of the next smaller ones: each with
 * one more deviation of what was seen in its run.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "chaos.h"
#include "cmd.h"
#include "names.h"
#include "trial.h"

/* It includes nothing itself. */
#include "../../kmod/permit.h"

/**
 * struct generation - plans of one size, each only once
 * @size: deviations in each
 * @line: one plan after the other, each sorted
 * @nr: plans
 * @room: plans that @line has room for
 * @table: hash table of the numbers of plans, 1 for the first
 * @slots: size of @table, a power of two
 */
struct generation {
	size_t size;
	struct aring_deviation *line;
	size_t nr;
	size_t room;
	size_t *table;
	size_t slots;
};

/**
 * struct exploring - all that there is to know
 * @t: runs the program
 * @most: deviations in a plan at most
 * @level: what is permitted
 * @only: which faults, or NULL for all
 * @now: the plans that are being run
 * @next: the plans that come of them
 * @o: the run at hand
 * @e: what comes out
 */
struct exploring {
	struct trier *t;
	unsigned int most;
	unsigned int level;
	const struct aring_chaos *only;
	struct generation now;
	struct generation next;
	struct outcome o;
	struct explored *e;
};

/* ---- plans of one size ----------------------------------------------------- */

static size_t hash(const struct aring_deviation *line, size_t nr)
{
	__u64 h = 0xcbf29ce484222325;
	size_t i, j;

	for (i = 0; i < nr; i++) {
		const __u64 part[] = {
			line[i].process, line[i].ring, line[i].flags,
			line[i].number, line[i].action, line[i].value,
		};

		for (j = 0; j < ARRAY_SIZE(part); j++)
			h = (h ^ part[j]) * 0x100000001b3;
		h ^= h >> 29;
	}
	return (size_t)h;
}

static bool same_line(const struct aring_deviation *a,
		      const struct aring_deviation *b)
{
	return a->process == b->process && a->ring == b->ring &&
	       a->flags == b->flags && a->number == b->number &&
	       a->action == b->action && a->value == b->value;
}

static bool same_plan(const struct aring_deviation *a,
		      const struct aring_deviation *b, size_t nr)
{
	while (nr--)
		if (!same_line(&a[nr], &b[nr]))
			return false;
	return true;
}

/* The slot where the plan is, or else would be. */
static size_t *find_slot(struct generation *g,
			 const struct aring_deviation *line)
{
	size_t i = hash(line, g->size);

	for (;; i++) {
		size_t *slot = &g->table[i & (g->slots - 1)];

		if (!*slot || same_plan(&g->line[(*slot - 1) * g->size], line,
					g->size))
			return slot;
	}
}

static void widen(struct generation *g)
{
	size_t i;

	if (g->nr * 2 < g->slots)
		return;
	/* Of the size that it is doubled to. */
	g->table = grow(g->table, &g->slots, g->slots, sizeof(*g->table));
	memset(g->table, 0, g->slots * sizeof(*g->table));
	for (i = 0; i < g->nr; i++)
		*find_slot(g, &g->line[i * g->size]) = i + 1;
}

static void generation_add(struct generation *g, const struct plan *p)
{
	size_t *slot;

	widen(g);
	slot = find_slot(g, p->line);
	if (*slot)
		return;
	g->line = grow(g->line, &g->room, g->nr, g->size * sizeof(*g->line));
	memcpy(&g->line[g->nr * g->size], p->line, g->size * sizeof(*g->line));
	*slot = ++g->nr;
}

static void generation_free(struct generation *g)
{
	free(g->line);
	free(g->table);
	memset(g, 0, sizeof(*g));
}

/* ---- what could be done to a request --------------------------------------- */

/* What excludes each other: of these a request has one. */
static unsigned int sort_of(unsigned int action)
{
	switch (action) {
	case ARING_ACT_SHORTEN:
		return ARING_ACT_FAIL;
	case ARING_ACT_CANCEL_LOSES:
		return ARING_ACT_CANCEL_WINS;
	default:
		return action;
	}
}

static bool has_sort(const struct plan *p, const struct aring_deviation *d)
{
	const struct aring_deviation *l;
	size_t i;

	for (i = 0; i < p->nr; i++) {
		l = &p->line[i];
		if (l->process == d->process && l->ring == d->ring &&
		    l->flags == d->flags && l->number == d->number &&
		    sort_of(l->action) == sort_of(d->action))
			return true;
	}
	return false;
}

/* With one more deviation, unless there is one of that sort already. */
static void propose(struct exploring *x, const struct plan *p,
		    const struct aring_seen *r, __u16 action, __u64 value)
{
	bool enter = r->flags & ARING_SEEN_ENTER;
	struct aring_deviation d = {
		.process = r->process,
		.ring = r->ring,
		.number = r->ticket,
		.flags = enter ? ARING_DEV_ENTER : 0,
		.action = action,
		.opcode = r->opcode,
		.value = value,
		.was = action == ARING_ACT_SHORTEN ? r->len : 0,
	};
	struct plan more = { .nr = 0 };

	if (has_sort(p, &d))
		return;
	if (enter ? !aring_permits_enter(x->level, ARING_WHEN_IDLE, action) :
	    !aring_permits(x->level, r, action, value))
		return;
	plan_copy(&more, p);
	plan_add(&more, &d);
	plan_sort(&more);
	generation_add(&x->next, &more);
	plan_free(&more);
}

/* The least, half of it, the most. */
static void propose_short(struct exploring *x, const struct plan *p,
			  const struct aring_seen *r)
{
	__u64 unit = aring_short_unit(x->level, r);
	__u64 len = r->len, half, most;

	if (r->flags & ARING_SEEN_ENDED) {
		if (r->res <= 0)
			return;
		/* More than that it would not notice. */
		if ((__u64)r->res < len)
			len = (__u64)r->res;
	}
	if (!unit || len <= unit)
		return;
	half = len / 2 / unit * unit;
	most = (len - 1) / unit * unit;
	propose(x, p, r, ARING_ACT_SHORTEN, unit);
	if (half > unit)
		propose(x, p, r, ARING_ACT_SHORTEN, half);
	if (most > half && most > unit)
		propose(x, p, r, ARING_ACT_SHORTEN, most);
}

/* At level=any every error would be permitted: there they have to be named. */
static void propose_errors(struct exploring *x, const struct plan *p,
			   const struct aring_seen *r)
{
	const struct name *e;
	__u32 i;

	if (x->only) {
		for (i = 0; i < x->only->nr_errnos; i++)
			if (x->only->errno_ppm[i])
				propose(x, p, r, ARING_ACT_FAIL,
					x->only->errno_nr[i]);
		return;
	}
	for (e = errno_names; e->name; e++)
		if (x->level != ARING_LEVEL_ANY ||
		    aring_permits(ARING_LEVEL_CONTRACT, r, ARING_ACT_FAIL,
				  e->nr))
			propose(x, p, r, ARING_ACT_FAIL, e->nr);
}

static bool cancels(const struct aring_seen *r)
{
	return !(r->flags & ARING_SEEN_ENTER) &&
	       (r->opcode == ARING_OP_ASYNC_CANCEL ||
		r->opcode == ARING_OP_TIMEOUT_REMOVE ||
		r->opcode == ARING_OP_POLL_REMOVE ||
		r->opcode == ARING_OP_LINK_TIMEOUT);
}

static bool has_successor(const struct seen *seen, size_t i)
{
	const struct aring_seen *r = &seen->req[i];

	while (++i < seen->nr)
		if (seen->req[i].ring == r->ring &&
		    seen->req[i].process == r->process &&
		    !(seen->req[i].flags & ARING_SEEN_ENTER))
			return true;
	return false;
}

static void propose_all(struct exploring *x, const struct plan *p)
{
	const struct seen *seen = &x->o.seen;
	const struct aring_chaos *only = x->only;
	bool cancelled = false;
	size_t i;

	x->e->lost += x->o.lost;
	for (i = 0; i < seen->nr && !cancelled; i++)
		cancelled = cancels(&seen->req[i]);
	for (i = 0; i < seen->nr; i++) {
		const struct aring_seen *r = &seen->req[i];

		if (r->flags & ARING_SEEN_ENTER) {
			if (!only || only->eintr_ppm)
				propose(x, p, r, ARING_ACT_ENTER_EINTR, 0);
			continue;
		}
		if (!only || only->short_ppm)
			propose_short(x, p, r);
		propose_errors(x, p, r);
		if ((!only || only->reorder) && has_successor(seen, i))
			propose(x, p, r, ARING_ACT_AFTER, 1);
		if (!only || only->cqfull_ppm)
			propose(x, p, r, ARING_ACT_CQ_FULL, 0);
		if (!cancelled || (only && !only->cancel_ppm))
			continue;
		if (!x->only || x->only->cancel == ARING_CHAOS_CANCEL_LATE)
			propose(x, p, r, ARING_ACT_CANCEL_LOSES, 0);
		if (!x->only || x->only->cancel == ARING_CHAOS_CANCEL_EARLY)
			propose(x, p, r, ARING_ACT_CANCEL_WINS, 0);
	}
}

/* ---- is it repeatable? ----------------------------------------------------- */

static int compare_seen(const void *x, const void *y)
{
	const struct aring_seen *a = x, *b = y;
	const __u64 u[] = { a->process, a->ring, a->ticket };
	const __u64 v[] = { b->process, b->ring, b->ticket };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(u); i++)
		if (u[i] != v[i])
			return u[i] < v[i] ? -1 : 1;
	return 0;
}

/*
 * Requests alone, in the order of rings and tickets: which ENTER finds the CQ
 * empty depends on how fast the machine is.
 */
static void requests_of(const struct seen *from, struct seen *to)
{
	size_t i;

	to->nr = 0;
	for (i = 0; i < from->nr; i++) {
		if (from->req[i].flags & ARING_SEEN_ENTER)
			continue;
		to->req = grow(to->req, &to->room, to->nr, sizeof(*to->req));
		to->req[to->nr++] = from->req[i];
	}
	if (to->nr)
		qsort(to->req, to->nr, sizeof(*to->req), compare_seen);
}

/* user_data may be an address, which is another one each time. */
static bool alike(const struct aring_seen *a, const struct aring_seen *b)
{
	return !compare_seen(a, b) && a->opcode == b->opcode &&
	       a->kind == b->kind && a->len == b->len && a->res == b->res &&
	       a->flags == b->flags;
}

static void describe(const struct seen *s, size_t i, char *buf, size_t size)
{
	const struct aring_seen *r = &s->req[i];
	const char *op;

	if (i >= s->nr) {
		snprintf(buf, size, "nothing more");
		return;
	}
	op = name_of(op_names, r->opcode);
	snprintf(buf, size, "process %u ring %u ticket %u %s, %llu bytes, result %d",
		 r->process, r->ring, r->ticket, op ? op : "?", r->len, r->res);
}

static void compare_runs(const struct seen *a, const struct seen *b,
			 struct explored *e)
{
	struct seen x = { .nr = 0 }, y = { .nr = 0 };
	char one[96], other[96];
	size_t i;

	requests_of(a, &x);
	requests_of(b, &y);
	for (i = 0; i < x.nr && i < y.nr && alike(&x.req[i], &y.req[i]); i++)
		;
	e->repeatable = i == x.nr && i == y.nr;
	if (!e->repeatable) {
		describe(&x, i, one, sizeof(one));
		describe(&y, i, other, sizeof(other));
		snprintf(e->parted, sizeof(e->parted), "%s; then: %s", one,
			 other);
	}
	seen_free(&x);
	seen_free(&y);
}

/* ---- the loop -------------------------------------------------------------- */

/* Returns 0, or the exit status if it cannot go on. */
static int run_once(struct exploring *x, const struct plan *p, bool watch)
{
	int ret = x->t->run(x->t, p, watch, &x->o);

	if (!ret && x->o.end.interrupted)
		ret = 128 + x->o.end.interrupted;
	return ret;
}

/* Who decides a cancel needs one; all else needs only that the program does the same. */
static bool all_came(const struct plan *log)
{
	size_t i;

	for (i = 0; i < log->nr; i++)
		if (!(log->line[i].flags & ARING_DEV_DONE) &&
		    log->line[i].action != ARING_ACT_CANCEL_LOSES &&
		    log->line[i].action != ARING_ACT_CANCEL_WINS)
			return false;
	return true;
}

static void keep_failure(struct exploring *x, const struct plan *p)
{
	plan_copy(&x->e->first, p);
	x->e->failure = x->o;
	memset(&x->o, 0, sizeof(x->o));
}

/* Without deviations, twice. */
static int run_bare(struct exploring *x)
{
	struct plan none = { .nr = 0 };
	struct seen before;
	int ret;

	ret = run_once(x, &none, true);
	if (ret)
		return ret;
	x->e->plans = 1;
	if (!outcome_passed(&x->o)) {
		keep_failure(x, &none);
		return 0;
	}
	before = x->o.seen;
	memset(&x->o.seen, 0, sizeof(x->o.seen));
	ret = run_once(x, &none, true);
	if (!ret)
		compare_runs(&before, &x->o.seen, x->e);
	if (!ret && !outcome_passed(&x->o)) {
		keep_failure(x, &none);
	} else if (!ret) {
		x->next.size = 1;
		if (x->most)
			propose_all(x, &none);
		x->e->passed = true;
	}
	seen_free(&before);
	return ret;
}

/* All plans of one size; *@go_on: they passed. */
static int run_generation(struct exploring *x, bool *go_on)
{
	bool last = x->now.size == x->most;
	struct plan p;
	size_t i;
	int ret;

	for (i = 0; i < x->now.nr; i++) {
		progress_note("plan %zu of %zu with %zu deviation%s", i + 1,
			      x->now.nr, x->now.size,
			      x->now.size == 1 ? "" : "s");
		p.line = &x->now.line[i * x->now.size];
		p.nr = x->now.size;
		p.room = p.nr;
		ret = run_once(x, &p, !last);
		if (ret)
			return ret;
		x->e->plans++;
		if (!outcome_passed(&x->o)) {
			keep_failure(x, &p);
			*go_on = false;
			return 0;
		}
		if (!all_came(&x->o.log))
			x->e->partly++;
		if (!last)
			propose_all(x, &p);
	}
	return 0;
}

/**
 * explore() - try every plan of a few deviations
 * @t: runs the program
 * @most: how many a plan has at most
 * @only: the level; and the faults, if it names any, whatever their rates; or NULL
 * @e: out, all zeros before
 *
 * Return: 0, or the exit status if it was stopped early.
 */
int explore(struct trier *t, unsigned int most, const struct aring_chaos *only,
	    struct explored *e)
{
	struct exploring x = { .t = t, .most = most, .e = e };
	int ret;

	if (only)
		x.level = only->level;
	if (only && !chaos_does_nothing(only))
		x.only = only;
	ret = run_bare(&x);
	while (!ret && e->passed && x.next.nr) {
		generation_free(&x.now);
		x.now = x.next;
		memset(&x.next, 0, sizeof(x.next));
		x.next.size = x.now.size + 1;
		ret = run_generation(&x, &e->passed);
	}
	progress_clear_note();
	generation_free(&x.now);
	generation_free(&x.next);
	outcome_free(&x.o);
	return ret;
}
