// SPDX-License-Identifier: GPL-2.0
/*
 * Plans: lists of deviations. A plan is kept as the beginning of the session's log,
 * so that the log says of each line what has become of it. Besides there is a
 * hash table by whom a line is for.
 */
#include <linux/hash.h>
#include <linux/jhash.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "session.h"

static bool aring_is_for_enter(u16 action)
{
	return action == ARING_ACT_ENTER_EINTR ||
	       action == ARING_ACT_ENTER_TAKE;
}

/* Whom a line is for: the same for all lines about one request or ENTER. */
static u32 aring_plan_hash(const struct aring_plan *plan,
			   const struct aring_deviation *line)
{
	return hash_32(jhash_3words(line->process, line->ring, line->number,
				    line->flags & ARING_DEV_ENTER),
		       plan->bits);
}

static bool aring_plan_line_ok(const struct aring_deviation *line)
{
	const bool enter = line->flags & ARING_DEV_ENTER;

	if ((line->flags & ~(ARING_DEV_ENTER | ARING_DEV_DONE)) ||
	    enter != aring_is_for_enter(line->action) ||
	    (enter && !line->number) || !line->ring || line->resv ||
	    line->kind > ARING_KIND_OTHER)
		return false;
	switch (line->action) {
	case ARING_ACT_FAIL:
		return line->value && line->value <= EHWPOISON;
	case ARING_ACT_SHORTEN:
	case ARING_ACT_ENTER_TAKE:
		return line->value <= S32_MAX;
	case ARING_ACT_DELAY:
		return line->value && line->value <= ARING_CHAOS_MAX_DELAY;
	case ARING_ACT_AFTER:
		return line->value && line->value <= ARING_CHAOS_MAX_REORDER;
	case ARING_ACT_CANCEL_WINS:
	case ARING_ACT_CANCEL_LOSES:
	case ARING_ACT_CQ_FULL:
	case ARING_ACT_ENTER_EINTR:
		return !line->value;
	default:
		return false;
	}
}

/* A copy of the lines, checked. */
static struct aring_deviation *aring_plan_copy(const void __user *from, u32 nr)
{
	struct aring_deviation *lines;
	int ret = 0;
	u32 i;

	lines = kvmalloc_array(nr, sizeof(*lines),
			       GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!lines)
		return ERR_PTR(-ENOMEM);
	if (copy_from_user(lines, from, nr * sizeof(*lines)))
		ret = -EFAULT;
	for (i = 0; i < nr && !ret; i++) {
		if (!aring_plan_line_ok(&lines[i]))
			ret = -EINVAL;
		lines[i].flags &= ~ARING_DEV_DONE;
		if (!lines[i].process)
			lines[i].process = 1;
		cond_resched();
	}
	if (!ret)
		return lines;
	kvfree(lines);
	return ERR_PTR(ret);
}

static int aring_plan_alloc(struct aring_plan *plan, u32 nr)
{
	plan->bits = max(ilog2(nr), 4);
	plan->heads = kvcalloc(1U << plan->bits, sizeof(*plan->heads),
			       GFP_KERNEL_ACCOUNT);
	plan->next = kvcalloc(nr, sizeof(*plan->next), GFP_KERNEL_ACCOUNT);
	if (plan->heads && plan->next)
		return 0;
	aring_plan_free(plan);
	return -ENOMEM;
}

/* From the last to the first, so that the chains are in the plan's order. */
static void aring_plan_index(struct aring_sess *sess)
{
	struct aring_plan *plan = &sess->plan;
	u32 i, *head;

	for (i = plan->nr; i; i--) {
		head = &plan->heads[aring_plan_hash(plan,
				    aring_record_at(&sess->log, i - 1))];
		plan->next[i - 1] = *head;
		*head = i;
		cond_resched();
	}
}

/* The plan becomes the session's, unless that is too late. */
static int aring_plan_settle(struct aring_sess *sess, struct aring_plan *plan,
			     const struct aring_deviation *lines, u32 nr)
{
	u32 i;

	lockdep_assert_held(&sess->lock);
	if (sess->joined || sess->log.nr)
		return -EBUSY;
	for (i = 0; i < nr; i++) {
		if (!aring_record_add(&sess->log, &lines[i]))
			return -ENOMEM;
		cond_resched();
	}
	plan->nr = nr;
	sess->plan = *plan;
	*plan = (struct aring_plan){};
	aring_plan_index(sess);
	return 0;
}

/**
 * aring_plan_set() - take a plan from the program
 * @sess: the session
 * @from: struct aring_deviation
 * @nr: how many, not 0
 *
 * If memory runs out in the middle of it the session is of no use any more: its
 * log is not empty, and it has no plan.
 *
 * Context: process.
 *
 * Return: 0, -E2BIG, -EBUSY, -EFAULT, -EINVAL or -ENOMEM.
 */
int aring_plan_set(struct aring_sess *sess, const void __user *from, u32 nr)
{
	struct aring_plan plan = {};
	struct aring_deviation *lines;
	int ret;

	if (nr > ARING_SESSION_MAX_LINES)
		return -E2BIG;
	lines = aring_plan_copy(from, nr);
	if (IS_ERR(lines))
		return PTR_ERR(lines);
	ret = aring_plan_alloc(&plan, nr);
	if (!ret) {
		mutex_lock(&sess->lock);
		ret = aring_plan_settle(sess, &plan, lines, nr);
		mutex_unlock(&sess->lock);
	}
	aring_plan_free(&plan);
	kvfree(lines);
	return ret;
}

/**
 * aring_plan_free() - forget a plan
 * @plan: the plan, or none
 */
void aring_plan_free(struct aring_plan *plan)
{
	kvfree(plan->heads);
	kvfree(plan->next);
	*plan = (struct aring_plan){};
}

/**
 * aring_plan_next() - the next line about a request or ENTER
 * @sess: a session with a plan
 * @key: process, ring, number and flags say about which
 * @pos: where to go on; 0 at first
 *
 * Who a line is for never changes, so that no lock is needed to look.
 *
 * Return: the line, in the session's log, or NULL.
 */
struct aring_deviation *aring_plan_next(struct aring_sess *sess,
					const struct aring_deviation *key,
					u32 *pos)
{
	const struct aring_plan *plan = &sess->plan;
	struct aring_deviation *line;
	u32 at;

	at = *pos ? plan->next[*pos - 1] :
		    plan->heads[aring_plan_hash(plan, key)];
	for (; at; at = plan->next[at - 1]) {
		line = aring_record_at(&sess->log, at - 1);
		if (line->process == key->process && line->ring == key->ring &&
		    line->number == key->number &&
		    aring_is_for_enter(line->action) ==
		    !!(key->flags & ARING_DEV_ENTER))
			break;
	}
	*pos = at;
	return at ? line : NULL;
}
