// SPDX-License-Identifier: GPL-2.0
/*
 * Steering: the rules of a ring, which of them apply to a request, and the ioctl.
 *
 * A request is compared with the rules once, when it has been validated, by the
 * thread that submits it. What comes of that is its fate, and with it the request
 * goes the way of one that waits: into the tables before its first attempt.
 * hold.c, late.c and a few places in the core carry it out.
 */
#include <linux/major.h>
#include <linux/net.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <net/sock.h>

#include "hold.h"
#include "net.h"
#include "op.h"
#include "session.h"

#define ARING_MATCH_ALL \
	(ARING_MATCH_OPCODE | ARING_MATCH_KIND | ARING_MATCH_USER_DATA | \
	 ARING_MATCH_TICKET)

/**
 * struct aring_steer_rule - one rule of a ring
 * @rule: as the program gave it
 * @matched: how many requests it has matched so far, or ENTERs
 */
struct aring_steer_rule {
	struct aring_rule	rule;
	u64			matched;
};

/* The kernel does not export how it tells a terminal. */
static bool aring_is_tty(unsigned int major)
{
	switch (major) {
	case PTY_MASTER_MAJOR:
	case PTY_SLAVE_MAJOR:
	case TTY_MAJOR:
	case TTYAUX_MAJOR:
		return true;
	default:
		return major >= UNIX98_PTY_MASTER_MAJOR &&
		       major < UNIX98_PTY_SLAVE_MAJOR +
			       UNIX98_PTY_MAJOR_COUNT;
	}
}

/**
 * aring_kind_of() - what kind of file this is
 * @file: the file, or NULL
 *
 * Return: see &enum aring_kind.
 */
enum aring_kind aring_kind_of(const struct file *file)
{
	const struct inode *inode;
	struct socket *sock;

	if (!file)
		return ARING_KIND_NONE;
	inode = file_inode(file);
	switch (inode->i_mode & S_IFMT) {
	case S_IFREG:
		return ARING_KIND_REG;
	case S_IFBLK:
		return ARING_KIND_BLOCK;
	case S_IFIFO:
		return ARING_KIND_PIPE;
	case S_IFSOCK:
		sock = sock_from_file((struct file *)file);
		if (!sock)
			return ARING_KIND_OTHER;
		return aring_sock_is_message(sock) ? ARING_KIND_DGRAM :
						     ARING_KIND_STREAM;
	case S_IFCHR:
		return aring_is_tty(imajor(inode)) ? ARING_KIND_TTY :
						     ARING_KIND_CHAR;
	default:
		return ARING_KIND_OTHER;
	}
}

/* ---- is a rule good? ----------------------------------------------------- */

static bool aring_rule_is_for_enter(const struct aring_rule *rule)
{
	return rule->action == ARING_ACT_ENTER_EINTR ||
	       rule->action == ARING_ACT_ENTER_TAKE;
}

/* Return: does @value say something that @action can do? */
static bool aring_rule_value_ok(const struct aring_rule *rule)
{
	switch (rule->action) {
	case ARING_ACT_HOLD_QUEUED:
	case ARING_ACT_HOLD_STARTED:
	case ARING_ACT_HOLD_DONE:
	case ARING_ACT_CANCEL_WINS:
	case ARING_ACT_CANCEL_LOSES:
	case ARING_ACT_CQ_FULL:
	case ARING_ACT_ENTER_EINTR:
		return !rule->value;
	case ARING_ACT_FAIL:
		return rule->value && rule->value <= MAX_ERRNO;
	case ARING_ACT_SHORTEN:
	case ARING_ACT_ENTER_TAKE:
		return rule->value <= S32_MAX;
	case ARING_ACT_AFTER:
		return rule->value && rule->value <= S32_MAX;
	case ARING_ACT_DELAY:
		return rule->value && rule->value <= S64_MAX;
	default:
		return false;
	}
}

/* What a rule does not compare must be 0, and what it does must be possible. */
static bool aring_rule_match_ok(const struct aring_rule *rule)
{
	const struct aring_op *op = &aring_ops[rule->opcode];
	const u32 match = rule->match;

	if (match & ~ARING_MATCH_ALL)
		return false;
	if (match & ARING_MATCH_OPCODE) {
		/* A time limit is steered through what it limits. */
		if (!op->name || rule->opcode == ARING_OP_LINK_TIMEOUT)
			return false;
		if (rule->action == ARING_ACT_SHORTEN && !op->shorten)
			return false;
		if ((match & ARING_MATCH_KIND) && rule->kind &&
		    !(op->flags & ARING_OP_FILE))
			return false;
	} else if (rule->opcode) {
		return false;
	}
	if (match & ARING_MATCH_KIND ? rule->kind > ARING_KIND_OTHER :
				       rule->kind)
		return false;
	/* Both are kept in the same place. */
	if (match & ARING_MATCH_TICKET)
		return !(match & ARING_MATCH_USER_DATA) && !rule->mask &&
		       rule->user_data <= U32_MAX;
	return match & ARING_MATCH_USER_DATA ?
		!(rule->user_data & ~rule->mask) :
		!rule->user_data && !rule->mask;
}

static bool aring_rule_ok(const struct aring_rule *rule)
{
	if (rule->resv || !rule->first)
		return false;
	if (aring_rule_is_for_enter(rule) && rule->match)
		return false;
	return aring_rule_value_ok(rule) && aring_rule_match_ok(rule);
}

/* ---- what happens to a request ------------------------------------------- */

static bool aring_rule_matches(const struct aring_rule *rule,
			       const struct aring_req *req,
			       enum aring_kind kind)
{
	if ((rule->match & ARING_MATCH_OPCODE) && rule->opcode != req->opcode)
		return false;
	if ((rule->match & ARING_MATCH_KIND) && rule->kind != kind)
		return false;
	if ((rule->match & ARING_MATCH_USER_DATA) &&
	    (req->user_data & rule->mask) != rule->user_data)
		return false;
	return !(rule->match & ARING_MATCH_TICKET) ||
	       rule->user_data == req->ticket;
}

/* It has matched once more. Return: is that one that it applies to? */
static bool aring_rule_counts(struct aring_steer_rule *rule)
{
	u64 first = rule->rule.first, nr = ++rule->matched;

	return nr >= first &&
	       (!rule->rule.count || nr - first < rule->rule.count);
}

/**
 * aring_fate_set() - one more thing is to be done to a request
 * @fate: what is to be done to it already
 * @req: the request
 * @action: ARING_ACT_*
 * @value: as the action says
 *
 * Return: false if it cannot be done to that operation, or something of its kind is to
 * be done already.
 */
bool aring_fate_set(struct aring_fate *fate, const struct aring_req *req,
		    u16 action, u64 value)
{
	switch (action) {
	case ARING_ACT_HOLD_QUEUED:
	case ARING_ACT_HOLD_STARTED:
	case ARING_ACT_HOLD_DONE:
	case ARING_ACT_CANCEL_WINS:
		if (fate->hold)
			return false;
		fate->hold = action;
		return true;
	case ARING_ACT_FAIL:
		if (fate->error || fate->shorten)
			return false;
		fate->error = -(s32)value;
		return true;
	case ARING_ACT_SHORTEN:
		if (fate->error || fate->shorten || !req->op->shorten)
			return false;
		fate->shorten = true;
		fate->size = value;
		return true;
	case ARING_ACT_DELAY:
	case ARING_ACT_AFTER:
		if (fate->late)
			return false;
		fate->late = action;
		fate->value = value;
		return true;
	case ARING_ACT_CANCEL_LOSES:
		if (fate->verdict)
			return false;
		fate->verdict = action;
		return true;
	case ARING_ACT_CQ_FULL:
		if (fate->cq_full)
			return false;
		fate->cq_full = true;
		return true;
	default:
		return false;
	}
}

static bool aring_steer_rules(struct aring_req *req, struct aring_fate *fate)
{
	struct aring_steering *steer = &req->ring->steer;
	enum aring_kind kind = aring_kind_of(req->file);
	bool found = false;
	unsigned int i;

	mutex_lock(&steer->lock);
	for (i = 0; i < steer->nr_rules; i++) {
		struct aring_steer_rule *rule = &steer->rules[i];

		if (!aring_rule_is_for_enter(&rule->rule) &&
		    aring_rule_matches(&rule->rule, req, kind) &&
		    aring_rule_counts(rule) &&
		    aring_fate_set(fate, req, rule->rule.action,
				   rule->rule.value))
			found = true;
	}
	mutex_unlock(&steer->lock);
	return found;
}

/**
 * aring_steer_pick() - is anything to be done to this request, and what?
 * @req: SUBMITTED, validated, its file looked up
 * @sqe: the kernel's own copy
 * @fate: out, zero before
 *
 * Who comes first is asked first; who comes later may add what those before left
 * open.
 *
 * Context: process, submit_lock held.
 *
 * Return: true if there is anything.
 */
bool aring_steer_pick(struct aring_req *req, const struct aring_sqe *sqe,
		      struct aring_fate *fate)
{
	bool found = aring_steer_rules(req, fate);

	if (req->ring->member && aring_session_pick(req, sqe, fate))
		found = true;
	return found;
}

/**
 * aring_steer_req() - give a request its fate
 * @req: SUBMITTED, its file looked up; nobody else knows it
 * @sqe: the kernel's own copy
 * @good: it is valid; else it is about to be refused
 *
 * Sets ARING_REQ_FATE if anything is to be done to it, or if another one is to be
 * completed behind it. Without memory it goes its own way.
 *
 * Context: process, submit_lock held.
 */
void aring_steer_req(struct aring_req *req, const struct aring_sqe *sqe,
		     bool good)
{
	bool followed = aring_late_is_followed(req->ring, req->ticket);
	struct aring_fate fate = {};
	struct aring_steered *steered;

	/* A time limit ends with what it limits, perhaps under locks. */
	if (!(good && req->opcode != ARING_OP_LINK_TIMEOUT &&
	      aring_steer_pick(req, sqe, &fate)) && !followed)
		return;
	steered = kzalloc(sizeof(*steered), GFP_KERNEL_ACCOUNT);
	if (!steered) {
		if (followed)
			aring_late_unfollow(req->ring, req->ticket);
		return;
	}
	steered->fate = fate;
	steered->req = req;
	steered->followed = followed;
	INIT_LIST_HEAD(&steered->entry);
	RB_CLEAR_NODE(&steered->after);
	RB_CLEAR_NODE(&steered->soft);
	req->steered = steered;
	req->flags |= ARING_REQ_FATE;
	if (fate.late)
		aring_late_prepare(req);
	if (fate.shorten && req->op->shorten)
		req->op->shorten(req, fate.size);
}

/**
 * aring_steer_cut() - shorten what is in iovecs
 * @req: ARING_REQ_FATE
 * @iov: the kernel's own copy
 * @nr_segs: how many, in and out
 * @total: bytes in all, in and out
 *
 * Return: true if there were more than its fate allows.
 */
bool aring_steer_cut(const struct aring_req *req, struct iovec *iov,
		     unsigned long *nr_segs, size_t *total)
{
	const struct aring_fate *fate = &req->steered->fate;
	size_t left = fate->size;
	unsigned long i;

	if (!fate->shorten || *total <= left)
		return false;
	*total = left;
	for (i = 0; left > iov[i].iov_len; i++)
		left -= iov[i].iov_len;
	iov[i].iov_len = left;
	*nr_segs = i + 1;
	return true;
}

/**
 * aring_steer_forget() - a request is being reclaimed
 * @req: final, ARING_REQ_FATE
 *
 * Context: process, &aring_ring.lock held.
 */
void aring_steer_forget(struct aring_req *req)
{
	aring_late_forget(req);
	kfree(req->steered);
}

/* Return: 0 or -EINTR; *@take is how many SQEs may be taken. */
static int aring_steer_enter_rules(struct aring_ring *ring, u64 *take)
{
	struct aring_steering *steer = &ring->steer;
	bool taken = false;
	unsigned int i;
	int ret = 0;

	for (i = 0; i < steer->nr_rules; i++) {
		struct aring_steer_rule *rule = &steer->rules[i];

		if (!aring_rule_is_for_enter(&rule->rule) ||
		    !aring_rule_counts(rule))
			continue;
		if (rule->rule.action == ARING_ACT_ENTER_EINTR) {
			ret = -EINTR;
		} else if (!taken) {
			taken = true;
			*take = rule->rule.value;
		}
	}
	return ret;
}

/**
 * aring_steer_enter() - is anything to be done to this ENTER?
 * @ring: the ring
 * @enter: as the program gave it; may be changed
 *
 * Context: process, no lock held.
 *
 * Return: 0, or what ENTER is to answer at once.
 */
int aring_steer_enter(struct aring_ring *ring, struct aring_enter *enter)
{
	struct aring_steering *steer = &ring->steer;
	u64 take = U64_MAX;
	int ret;

	mutex_lock(&steer->lock);
	steer->nr_enters++;
	ret = aring_steer_enter_rules(ring, &take);
	mutex_unlock(&steer->lock);
	if (!ret && ring->member)
		ret = aring_session_enter(ring, enter, &take);
	/* With SQPOLL it is not ENTER that takes them. */
	if (take >= enter->to_submit || ring->sqpoll)
		return ret;
	enter->to_submit = take;
	/* As always when not all were taken. */
	enter->flags &= ~ARING_ENTER_GETEVENTS;
	return ret;
}

/* ---- the ioctl ----------------------------------------------------------- */

/* submit_lock: what is submitted from now on sees the new rules. */
static int aring_rules_append(struct aring_ring *ring,
			      const struct aring_rule *rules, unsigned int nr)
{
	struct aring_steering *steer = &ring->steer;
	unsigned int i;

	if (!steer->rules) {
		steer->rules = kvcalloc(ARING_MAX_RULES, sizeof(*steer->rules),
					GFP_KERNEL_ACCOUNT);
		if (!steer->rules)
			return -ENOMEM;
	}
	mutex_lock(&steer->lock);
	if (steer->nr_rules + nr > ARING_MAX_RULES) {
		mutex_unlock(&steer->lock);
		return -ENOSPC;
	}
	for (i = 0; i < nr; i++)
		steer->rules[steer->nr_rules++] =
			(struct aring_steer_rule){ .rule = rules[i] };
	mutex_unlock(&steer->lock);
	WRITE_ONCE(ring->odd, ring->odd | ARING_ODD_STEERED);
	WRITE_ONCE(ring->closely, true);
	return 0;
}

static int aring_rules_add(struct aring_ring *ring,
			   const struct aring_steer *arg)
{
	struct aring_rule *rules;
	unsigned int i;
	int ret = 0;

	if (!arg->nr)
		return -EINVAL;
	if (arg->nr > ARING_MAX_RULES)
		return -ENOSPC;
	rules = vmemdup_user(u64_to_user_ptr(arg->addr),
			     arg->nr * sizeof(*rules));
	if (IS_ERR(rules))
		return PTR_ERR(rules);
	for (i = 0; i < arg->nr && !ret; i++) {
		if (!aring_rule_ok(&rules[i]))
			ret = -EINVAL;
	}
	if (!ret && mutex_lock_killable(&ring->submit_lock))
		ret = -EINTR;
	if (!ret) {
		ret = aring_rules_append(ring, rules, arg->nr);
		mutex_unlock(&ring->submit_lock);
	}
	kvfree(rules);
	return ret;
}

static int aring_rules_clear(struct aring_ring *ring)
{
	mutex_lock(&ring->steer.lock);
	ring->steer.nr_rules = 0;
	mutex_unlock(&ring->steer.lock);
	return 0;
}

/**
 * aring_steer() - ARING_IOC_STEER
 * @ring: the ring
 * @uarg: argument of the program
 *
 * Context: process, no lock held.
 *
 * Return: 0 or a negative errno.
 */
int aring_steer(struct aring_ring *ring, struct aring_steer __user *uarg)
{
	struct aring_steer arg;
	int ret;

	if (copy_from_user(&arg, uarg, sizeof(arg)))
		return -EFAULT;
	if (arg.resv || (arg.cmd != ARING_STEER_RELEASE && arg.ticket))
		return -EINVAL;
	if (arg.cmd != ARING_STEER_ADD && arg.cmd != ARING_STEER_HELD &&
	    (arg.nr || arg.addr))
		return -EINVAL;
	switch (arg.cmd) {
	case ARING_STEER_ADD:
		return aring_rules_add(ring, &arg);
	case ARING_STEER_CLEAR:
		return aring_rules_clear(ring);
	case ARING_STEER_HELD:
		ret = aring_hold_list(ring, &arg);
		break;
	case ARING_STEER_RELEASE:
	case ARING_STEER_RELEASE_ALL:
		ret = aring_hold_release(ring, &arg);
		break;
	default:
		return -EINVAL;
	}
	if (!ret && put_user(arg.nr, &uarg->nr))
		ret = -EFAULT;
	return ret;
}

/**
 * aring_steer_init() - nothing is steered
 * @ring: a new ring
 */
void aring_steer_init(struct aring_ring *ring)
{
	mutex_init(&ring->steer.lock);
	INIT_LIST_HEAD(&ring->steer.held);
	aring_late_init(ring);
}

/**
 * aring_steer_exit() - forget the rules
 * @ring: a ring without requests
 *
 * Context: process.
 */
void aring_steer_exit(struct aring_ring *ring)
{
	aring_late_exit(ring);
	WARN_ON_ONCE(!list_empty(&ring->steer.held));
	kvfree(ring->steer.rules);
}
