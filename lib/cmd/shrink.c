// SPDX-License-Identifier: MIT
/*
 * Shrinking: fewer and fewer deviations, as long as the failure stays.
 *
 * Delta debugging (Zeller and Hildebrandt, "Simplifying and Isolating Failure-
 * Inducing Input", IEEE Transactions on Software Engineering 28, 2002): cut into n
 * parts, look for one that is enough or that can be left out, and cut finer when there
 * is none. At the end each single one was left out in vain.
 */
#include "cmd.h"
#include "trial.h"

/* A failure that comes only at times is given so many chances to come at all. */
#define CHANCES	5

/**
 * struct shrinking - a plan that is being shrunk
 * @t: runs the program
 * @want: the failure that has to stay
 * @s: the plan so far
 * @o: the run at hand
 */
struct shrinking {
	struct trier *t;
	const struct outcome *want;
	struct shrunk *s;
	struct outcome o;
};

/* Returns 0 with @fails set, or the exit status if it cannot go on. */
static int try_plan(struct shrinking *g, const struct plan *plan, bool *fails)
{
	int ret;

	progress_note("%u runs, %zu deviations left", g->s->runs,
		      g->s->plan.nr);
	ret = g->t->run(g->t, plan, false, &g->o);
	if (ret)
		return ret;
	g->s->runs++;
	/* What a person's signal does is no failure. */
	if (g->o.end.interrupted)
		return 128 + g->o.end.interrupted;
	*fails = outcome_same(&g->o, g->want);
	return 0;
}

/* Lines [from, to) alone, or all but these. */
static void cut(const struct plan *p, size_t from, size_t to, bool alone,
		struct plan *out)
{
	size_t i;

	out->nr = 0;
	for (i = 0; i < p->nr; i++)
		if ((i >= from && i < to) == alone)
			plan_add(out, &p->line[i]);
}

/*
 * Try each of @parts parts alone, or the plan without it. Returns as try_plan();
 * *@smaller says whether one of them failed, which then is the plan.
 */
static int try_parts(struct shrinking *g, size_t parts, bool alone,
		     bool *smaller)
{
	struct plan *p = &g->s->plan, part = { .nr = 0 };
	bool fails = false;
	int ret = 0;
	size_t i;

	for (i = 0; !ret && !fails && i < parts; i++) {
		cut(p, p->nr * i / parts, p->nr * (i + 1) / parts, alone, &part);
		ret = try_plan(g, &part, &fails);
	}
	if (!ret && fails)
		plan_copy(p, &part);
	*smaller = fails;
	plan_free(&part);
	return ret;
}

static int minimise(struct shrinking *g)
{
	struct plan none = { .nr = 0 };
	bool smaller = false;
	size_t parts = 2;
	int ret;

	/* It may fail without any. */
	ret = try_plan(g, &none, &smaller);
	if (ret)
		return ret;
	if (smaller)
		g->s->plan.nr = 0;
	while (g->s->plan.nr > 1) {
		ret = try_parts(g, parts, true, &smaller);
		if (ret)
			return ret;
		if (smaller) {
			parts = 2;
			continue;
		}
		/* Of two parts, without one is the other alone. */
		if (parts > 2)
			ret = try_parts(g, parts, false, &smaller);
		if (ret)
			return ret;
		if (smaller) {
			parts = parts > 3 ? parts - 1 : 2;
		} else {
			if (parts == g->s->plan.nr)
				break;
			parts *= 2;
		}
		if (parts > g->s->plan.nr)
			parts = g->s->plan.nr;
	}
	return 0;
}

/**
 * shrink() - find out which deviations make a program fail
 * @t: runs it
 * @plan: with all of these it failed
 * @want: in this way
 * @s: out, all zeros before; when stopped early: how far it came
 *
 * Return: 0, or the exit status if it was stopped early.
 */
int shrink(struct trier *t, const struct plan *plan, const struct outcome *want,
	   struct shrunk *s)
{
	struct shrinking g = { .t = t, .want = want, .s = s };
	unsigned int chance;
	int ret = 0;

	plan_copy(&s->plan, plan);
	for (chance = 0; !ret && !s->repeated && chance < CHANCES; chance++)
		ret = try_plan(&g, plan, &s->repeated);
	if (!ret && s->repeated)
		ret = minimise(&g);
	progress_clear_note();
	outcome_free(&g.o);
	return ret;
}
