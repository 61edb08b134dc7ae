/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Steering: what is to be done to a request that would not happen by itself.
 *
 * It is decided once, when the request is submitted, by whoever has something to
 * say: the rules of the ring (steer.c), or the plan or seed of a session
 * (session.c). The decision is the request's fate. Carrying it out is hold.c's
 * and late.c's, who neither know nor care who decided.
 */
#ifndef ARING_STEER_H
#define ARING_STEER_H

#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/rbtree.h>
#include <linux/workqueue.h>

#include "timeline.h"
#include "uapi/linux/aring.h"

/* How many completions one interrupt makes of what was put behind others. */
#define ARING_RIPE_BATCH	64U

struct aring_enter;
struct aring_req;
struct aring_ring;
struct aring_steer_rule;
struct file;
struct iovec;

/**
 * struct aring_fate - what is to be done to one request
 * @hold: ARING_ACT_HOLD_QUEUED, _STARTED, _DONE, ARING_ACT_CANCEL_WINS, or
 *	ARING_ACT_NONE
 * @verdict: ARING_ACT_CANCEL_LOSES or ARING_ACT_NONE
 * @late: ARING_ACT_DELAY, ARING_ACT_AFTER, or ARING_ACT_NONE
 * @cq_full: its CQE finds the ring full
 * @soft_hold: nothing may hang by @hold: made by chaos, not by a rule
 * @soft_late: likewise by @late
 * @shorten: ARING_ACT_SHORTEN applies
 * @error: negative errno to fail with, or 0
 * @size: bytes to shorten to
 * @value: nanoseconds of DELAY, or number of successors of AFTER
 * @line: line of a session's log that is done when a cancel has won or lost, or
 *	NULL
 */
struct aring_fate {
	u16	hold;
	u16	verdict;
	u16	late;
	bool	cq_full;
	bool	soft_hold;
	bool	soft_late;
	bool	shorten;
	s32	error;
	u64	size;
	u64	value;
	struct aring_deviation *line;
};

/**
 * struct aring_steered - the fate of a request, and how far it has come
 * @fate: as decided; what has been carried out is struck out
 * @req: whose it is
 * @entry: in &aring_steering.held, or empty; cq_lock
 * @after: in &aring_steering.after while it is to be completed behind another one,
 *	or empty; cq_lock
 * @target: the ticket of that one
 * @soft: in &aring_steering.soft, or empty; cq_lock
 * @at: where it is held: ARING_ACT_HOLD_*, ARING_ACT_CANCEL_WINS,
 *	ARING_ACT_DELAY, ARING_ACT_AFTER, or ARING_ACT_NONE; written under cq_lock
 * @cut: it was shortened, and who asked for all of it takes that for a failure
 * @followed: another one is to be completed behind it
 * @ripe: its time has come; on its way to be completed; written under cq_lock
 * @left: nobody will ask for it: it is not to be held any more; cq_lock
 * @since: jiffies when it came to be held, or when its delay last saw time pass
 * @clock: the ring's time then; both written under cq_lock
 * @delay: the end of ARING_ACT_DELAY
 */
struct aring_steered {
	struct aring_fate	fate;
	struct aring_req	*req;
	struct list_head	entry;
	struct rb_node		after;
	struct rb_node		soft;
	u32			target;
	u16			at;
	bool			cut;
	bool			followed;
	bool			ripe;
	bool			left;
	unsigned long		since;
	u64			clock;
	struct aring_event	delay;
};

/**
 * struct aring_steering - what a ring knows of steering
 * @lock: guards the rules and how often they have matched; a leaf
 * @rules: array of ARING_MAX_RULES, or NULL if there never were any
 * @nr_rules: how many are set
 * @nr_enters: how many ENTERs there were since the ring is steered
 * @held: what is held, the longest first; cq_lock
 * @nr_held: how many; cq_lock
 * @after: what is to be completed behind another one, by the ticket of that one, and
 *	those behind the same one the oldest first; cq_lock
 * @nr_delayed: how many of these by ARING_ACT_DELAY; cq_lock
 * @soft: what of it nothing may hang by, by its ticket; cq_lock
 * @nr_soft: how many; written under cq_lock
 * @look: since these were last looked at something has changed
 * @soft_work: looks at them where no thread does
 * @ripe_work: completes what an interrupt has left for it
 */
struct aring_steering {
	/* Guards the rules. */
	struct mutex		lock;
	struct aring_steer_rule	*rules;
	unsigned int		nr_rules;
	u32			nr_enters;
	struct list_head	held;
	unsigned int		nr_held;
	struct rb_root		after;
	unsigned int		nr_delayed;
	struct rb_root		soft;
	unsigned int		nr_soft;
	bool			look;
	struct delayed_work	soft_work;
	struct work_struct	ripe_work;
};

/* steer.c APIs */
enum aring_kind aring_kind_of(const struct file *file);
bool aring_fate_set(struct aring_fate *fate, const struct aring_req *req,
		    u16 action, u64 value);
bool aring_steer_pick(struct aring_req *req, const struct aring_sqe *sqe,
		      struct aring_fate *fate);
void aring_steer_req(struct aring_req *req, const struct aring_sqe *sqe,
		     bool good);
bool aring_steer_cut(const struct aring_req *req, struct iovec *iov,
		     unsigned long *nr_segs, size_t *total);
void aring_steer_forget(struct aring_req *req);
int aring_steer_enter(struct aring_ring *ring, struct aring_enter *enter);
int aring_steer(struct aring_ring *ring, struct aring_steer __user *arg);
void aring_steer_init(struct aring_ring *ring);
void aring_steer_exit(struct aring_ring *ring);

#endif /* ARING_STEER_H */
