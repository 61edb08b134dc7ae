// SPDX-License-Identifier: GPL-2.0
/*
 * Holding requests, and letting them go.
 *
 * What is held is on &aring_steering.held and nowhere else where somebody could
 * find it to run it: not on the run list, not in a worker's queue, in no wait
 * queue, and without a timer. In which state it is there, says where:
 *
 *	HOLD_QUEUED	SUBMITTED: the list owns it. Or QUEUED, if it came there
 *			by waiting in a chain or behind a drain.
 *	HOLD_STARTED	QUEUED: nobody owns it.
 *	CANCEL_WINS	likewise
 *	HOLD_DONE	STARTED, its result final: the list owns it.
 *	DELAY, AFTER	likewise; see late.c
 *
 * Where the list owns a request, whoever takes it off, under cq_lock, owns it
 * from then on. Of those who may come at the same time,
 *
 *	a canceller	has marked a SUBMITTED request before he looks at the
 *			list; who puts it there looks for the mark afterwards.
 *			Both hold &aring_ring.lock. A QUEUED one is his by
 *			aring_state_cancel(), and leaves the list when it is
 *			released. One that is held at DONE he can only tell
 *			-EALREADY.
 *	time		that is over, or the end of another request, lets go only
 *			what is STARTED, and takes it off the list for that.
 *	a release	holds &aring_ring.lock too, so it comes before or after
 *			a cancel, and what it finds on the list is not
 *			CANCELLED.
 *	a LINK_TIMEOUT	that fires cancels, as above.
 *	a close		cancels all, as above, and lets go what it could only
 *			tell -EALREADY: aring_cancel_req(). It has set
 *			&aring_ring.dying before it takes cq_lock for that, and
 *			who holds a request at DONE looks at it under cq_lock.
 *	the last munmap	likewise, with &aring_ring.nr_mappings.
 */
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "edge.h"
#include "hold.h"
#include "op.h"
#include "quiet.h"

/**
 * aring_hold_is_soft() - may nothing hang by its being held there?
 * @steered: what
 * @at: where: ARING_ACT_*
 *
 * Return: true if not.
 */
bool aring_hold_is_soft(const struct aring_steered *steered, u16 at)
{
	switch (at) {
	case ARING_ACT_DELAY:
	case ARING_ACT_AFTER:
		return steered->fate.soft_late;
	case ARING_ACT_CANCEL_WINS:
		return steered->fate.soft_hold;
	default:
		return false;
	}
}

/* Those in flight are close enough to each other for this to be an order. */
static bool aring_soft_less(struct rb_node *node, const struct rb_node *other)
{
	const struct aring_steered *a, *b;

	a = rb_entry(node, struct aring_steered, soft);
	b = rb_entry(other, struct aring_steered, soft);
	return (s32)(a->req->ticket - b->req->ticket) < 0;
}

/*
 * cq_lock. Return: true if it is a soft one: who sleeps or polls has not seen it, and is
 * woken once the lock has been let go.
 */
static bool aring_hold_add(struct aring_req *req, u16 at)
{
	struct aring_steering *steer = &req->ring->steer;
	struct aring_steered *steered = req->steered;
	bool soft = aring_hold_is_soft(steered, at);

	WRITE_ONCE(steered->at, at);
	list_add_tail(&steered->entry, &steer->held);
	WRITE_ONCE(steer->nr_held, steer->nr_held + 1);
	if (at == ARING_ACT_DELAY)
		steer->nr_delayed++;
	steered->since = jiffies;
	if (soft) {
		rb_add(&steered->soft, &steer->soft, aring_soft_less);
		WRITE_ONCE(steer->nr_soft, steer->nr_soft + 1);
		WRITE_ONCE(steer->look, true);
		/* For programs that do not wait in ENTER: nobody can forget it. */
		aring_late_watch(req->ring);
	}
	return soft;
}

/* cq_lock. Return: where it was held, or ARING_ACT_NONE. */
static u16 aring_hold_del(struct aring_req *req)
{
	struct aring_steering *steer = &req->ring->steer;
	struct aring_steered *steered = req->steered;
	u16 at = steered->at;

	if (at == ARING_ACT_NONE)
		return at;
	list_del_init(&steered->entry);
	WRITE_ONCE(steer->nr_held, steer->nr_held - 1);
	if (at == ARING_ACT_DELAY)
		steer->nr_delayed--;
	if (!RB_EMPTY_NODE(&steered->soft)) {
		rb_erase(&steered->soft, &steer->soft);
		RB_CLEAR_NODE(&steered->soft);
		WRITE_ONCE(steer->nr_soft, steer->nr_soft - 1);
	}
	/* Once is enough. */
	if (at == ARING_ACT_DELAY || at == ARING_ACT_AFTER)
		steered->fate.late = ARING_ACT_NONE;
	else
		WRITE_ONCE(steered->fate.hold, ARING_ACT_NONE);
	WRITE_ONCE(steered->at, ARING_ACT_NONE);
	return at;
}

/* Off the list. Return: as aring_hold_del(). */
static u16 aring_hold_take_any(struct aring_req *req)
{
	unsigned long flags;
	u16 at;

	spin_lock_irqsave(&req->ring->cq_lock, flags);
	at = aring_hold_del(req);
	spin_unlock_irqrestore(&req->ring->cq_lock, flags);
	return at;
}

/**
 * aring_hold_take_locked() - take a request off the list, if it is held somewhere
 * @req: ARING_REQ_FATE; cq_lock held
 * @where: ARING_ACT_*
 *
 * Return: true if it was held there, and is the caller's.
 */
bool aring_hold_take_locked(struct aring_req *req, u16 where)
{
	if (req->steered->at != where)
		return false;
	aring_hold_del(req);
	return true;
}

/**
 * aring_hold_take() - the same, for who does not hold cq_lock
 * @req: kept by the caller; ARING_REQ_FATE
 * @where: ARING_ACT_*
 *
 * Context: any.
 *
 * Return: as aring_hold_take_locked().
 */
bool aring_hold_take(struct aring_req *req, u16 where)
{
	unsigned long flags;
	bool held;

	spin_lock_irqsave(&req->ring->cq_lock, flags);
	held = aring_hold_take_locked(req, where);
	spin_unlock_irqrestore(&req->ring->cq_lock, flags);
	return held;
}

/* &aring_ring.lock, which keeps it. */
static void aring_hold_put(struct aring_req *req, u16 at)
{
	unsigned long flags;
	bool soft;

	spin_lock_irqsave(&req->ring->cq_lock, flags);
	soft = aring_hold_add(req, at);
	spin_unlock_irqrestore(&req->ring->cq_lock, flags);
	if (soft)
		aring_cq_wake(req->ring);
}

/* Its time limit, if it has one. &aring_ring.lock. */
static bool aring_hold_limit(const struct aring_req *req, u32 *ticket)
{
	const struct aring_req *limit = READ_ONCE(req->pair);

	if (limit)
		*ticket = limit->ticket;
	return limit;
}

/**
 * aring_hold_first() - hold a request before its first attempt, if that is its fate
 * @req: SUBMITTED, ours, in the tables, ARING_REQ_FATE
 *
 * A time limit begins to run: to be held is like an attempt that lasts.
 *
 * Context: process, submit_lock held.
 *
 * Return: true if it is held or, because somebody has asked for it back, over:
 * not ours any more in either case.
 */
bool aring_hold_first(struct aring_req *req)
{
	const u16 hold = req->steered->fate.hold;
	struct aring_ring *ring = req->ring;
	bool limited, again, over = false;
	u32 limit;

	if (hold != ARING_ACT_HOLD_QUEUED && hold != ARING_ACT_HOLD_STARTED &&
	    hold != ARING_ACT_CANCEL_WINS)
		return false;
	mutex_lock(&ring->lock);
	limited = aring_hold_limit(req, &limit);
	if (hold == ARING_ACT_HOLD_QUEUED) {
		over = aring_state_cancel_wanted(&req->state);
	} else {
		/* With the lock held it is QUEUED and on the list in one step. */
		while (!aring_queue_or_cancel(req, &again)) {
			if (!again) {
				mutex_unlock(&ring->lock);
				return true;
			}
		}
	}
	if (!over)
		aring_hold_put(req, hold);
	mutex_unlock(&ring->lock);
	if (over)
		aring_run_end(req, ARING_ISSUED_DONE);
	else if (limited)
		aring_link_arm(ring, limit);
	return true;
}

/**
 * aring_hold_listed() - hold a request that waits for its first attempt
 * @ring: the ring
 * @ticket: its ticket: aring_hold_is_due() has been true
 *
 * It stays QUEUED all the time: a canceller never finds it STARTED in between.
 *
 * Context: process, no lock held.
 */
void aring_hold_listed(struct aring_ring *ring, u32 ticket)
{
	struct aring_req *req;
	bool limited = false;
	u32 limit;

	/* Whoever takes it back meanwhile has it off the list before we look. */
	mutex_lock(&ring->lock);
	req = aring_find_by_ticket(ring, ticket);
	/* Another thread may have been here before us. */
	if (req && aring_hold_is_due(req) && !req->steered->at) {
		aring_run_unlist(req);
		limited = aring_hold_limit(req, &limit);
		aring_hold_put(req, req->steered->fate.hold);
	}
	mutex_unlock(&ring->lock);
	if (limited)
		aring_link_arm(ring, limit);
	/* That was something to run, and now there may be nothing. */
	aring_quiet_poke(ring);
}

/* Where is a request to be held that is done? cq_lock, or owned. */
static u16 aring_hold_where(const struct aring_steered *steered)
{
	if (steered->fate.hold == ARING_ACT_HOLD_DONE)
		return ARING_ACT_HOLD_DONE;
	if (steered->fate.late == ARING_ACT_DELAY)
		return ARING_ACT_DELAY;
	if (steered->fate.late != ARING_ACT_AFTER)
		return ARING_ACT_NONE;
	/* Without the lock a hint: who finds it is to be held asks again. */
	if (data_race(RB_EMPTY_NODE(&steered->after)))
		return ARING_ACT_NONE;
	return ARING_ACT_AFTER;
}

/*
 * Will nobody ask for it any more? Who takes back all of the ring's requests comes
 * after this is so, and finds under cq_lock what we have held before. Never mapped, a
 * ring has no requests. cq_lock.
 */
static bool aring_hold_is_over(const struct aring_ring *ring)
{
	return READ_ONCE(ring->dying) || !READ_ONCE(ring->nr_mappings);
}

/**
 * aring_hold_done_locked() - the same as aring_hold_done(), for who holds cq_lock
 * @req: STARTED and owned, in the tables, its result set, ARING_REQ_FATE
 *
 * The caller wakes whoever sleeps in ENTER afterwards.
 *
 * Return: as aring_hold_done().
 */
bool aring_hold_done_locked(struct aring_req *req)
{
	u16 at = aring_hold_where(req->steered);

	if (at == ARING_ACT_NONE || req->steered->left ||
	    aring_hold_is_over(req->ring))
		return false;
	aring_hold_add(req, at);
	/* It may fire at once, and then waits for our lock. */
	if (at == ARING_ACT_DELAY)
		aring_late_arm(req);
	return true;
}

/**
 * aring_hold_done() - hold a request with its result final, if that is its fate
 * @req: owned, its result set, ARING_REQ_FATE
 *
 * Context: any, as aring_complete().
 *
 * Return: true if it is held: not the caller's any more.
 */
bool aring_hold_done(struct aring_req *req)
{
	bool real = req->flags & ARING_REQ_REAL, soft, held;
	struct aring_steered *steered = req->steered;
	struct aring_ring *ring = req->ring;
	unsigned long flags;

	if (steered->cut && req->res >= 0)
		req->flags |= ARING_REQ_FAIL;
	/* What the ring does not take any more ends at once. */
	if (!aring_hold_where(steered) || !(req->flags & ARING_REQ_LISTED))
		return false;
	/* Asked for back before it began: that is what becomes of it. */
	if (aring_state_read(&req->state) == ARING_SUBMITTED &&
	    !aring_edge_start(req))
		return false;
	/* rcu: once it is on the list it may go on, and the ring with it. */
	rcu_read_lock();
	spin_lock_irqsave(&ring->cq_lock, flags);
	held = aring_hold_done_locked(req);
	soft = held && aring_hold_is_soft(steered, steered->at);
	if (held)
		req->flags &= ~ARING_REQ_REAL;
	spin_unlock_irqrestore(&ring->cq_lock, flags);
	if (held && unlikely(real))
		aring_real_done(ring);
	if (soft)
		aring_cq_wake(ring);
	rcu_read_unlock();
	return held;
}

/**
 * aring_hold_marked() - a canceller has marked a SUBMITTED request
 * @req: ARING_REQ_FATE; &aring_ring.lock held
 *
 * If it is held nobody else is there to obey.
 *
 * Context: process.
 */
void aring_hold_marked(struct aring_req *req)
{
	if (aring_hold_take_any(req) != ARING_ACT_NONE)
		aring_run_end(req, ARING_ISSUED_DONE);
}

/**
 * aring_hold_let_go() - let a request go on, if it is held
 * @req: in the tables, ARING_REQ_FATE; &aring_ring.lock held
 *
 * Context: process.
 *
 * Return: true if it was held.
 */
bool aring_hold_let_go(struct aring_req *req)
{
	switch (aring_hold_take_any(req)) {
	case ARING_ACT_NONE:
		return false;
	case ARING_ACT_DELAY:
		aring_event_disarm(req->ring, &req->steered->delay);
		fallthrough;
	case ARING_ACT_AFTER:
	case ARING_ACT_HOLD_DONE:
		aring_complete(req);
		return true;
	default:
		break;
	}
	/* Its first attempt is still to come, where it would have been made. */
	req->flags |= ARING_REQ_LAUNCH;
	req->placed = true;
	if (aring_state_read(&req->state) == ARING_SUBMITTED)
		aring_run_woken(req);
	else
		aring_run_queued(req);
	return true;
}

/**
 * aring_hold_leave() - the program of a request is gone, or has unmapped the ring
 * @req: in the tables, ARING_REQ_FATE; &aring_ring.lock held
 *
 * Others may have the ring mapped still. What is not done yet will not be held then;
 * what is held already is for the caller to let go.
 *
 * Context: process.
 */
void aring_hold_leave(struct aring_req *req)
{
	/* Who holds it looks under this lock: he sees it, or the caller what he held. */
	spin_lock_irq(&req->ring->cq_lock);
	req->steered->left = true;
	spin_unlock_irq(&req->ring->cq_lock);
}

/**
 * aring_hold_forget() - a request is over, or about to be
 * @req: owned, or final; ARING_REQ_FATE
 *
 * Context: process.
 */
void aring_hold_forget(struct aring_req *req)
{
	aring_hold_take_any(req);
}

/* ---- the ioctl ----------------------------------------------------------- */

/* cq_lock. */
static s32 aring_held_res(const struct aring_steered *steered)
{
	switch (steered->at) {
	case ARING_ACT_HOLD_DONE:
	case ARING_ACT_DELAY:
	case ARING_ACT_AFTER:
		return steered->req->res;
	default:
		return 0;
	}
}

/**
 * aring_hold_list() - what is held?
 * @ring: the ring
 * @arg: where to put it; @nr becomes how many are held
 *
 * Context: process, no lock held.
 *
 * Return: 0, -ENOMEM or -EFAULT.
 */
int aring_hold_list(struct aring_ring *ring, struct aring_steer *arg)
{
	struct aring_steering *steer = &ring->steer;
	struct aring_steered *steered;
	struct aring_held *list = NULL;
	unsigned int nr = 0, max;
	int ret = 0;

	max = min(arg->nr, READ_ONCE(steer->nr_held));
	if (max) {
		list = kvcalloc(max, sizeof(*list), GFP_KERNEL_ACCOUNT);
		if (!list)
			return -ENOMEM;
	}
	spin_lock_irq(&ring->cq_lock);
	list_for_each_entry(steered, &steer->held, entry) {
		const struct aring_req *req = steered->req;

		if (nr == max)
			break;
		list[nr++] = (struct aring_held){
			.user_data	= req->user_data,
			.ticket		= req->ticket,
			.opcode		= req->opcode,
			.at		= steered->at,
			.res		= aring_held_res(steered),
		};
	}
	arg->nr = steer->nr_held;
	spin_unlock_irq(&ring->cq_lock);
	if (nr && copy_to_user(u64_to_user_ptr(arg->addr), list,
			       nr * sizeof(*list)))
		ret = -EFAULT;
	kvfree(list);
	return ret;
}

/* The one that is held the longest, or that with a ticket. cq_lock. */
static struct aring_req *aring_held_find(struct aring_ring *ring,
					 const struct aring_steer *arg)
{
	struct aring_steered *steered;

	list_for_each_entry(steered, &ring->steer.held, entry) {
		if (arg->cmd == ARING_STEER_RELEASE_ALL ||
		    steered->req->ticket == arg->ticket)
			return steered->req;
	}
	return NULL;
}

/* Let go one. Return: false if there is none. */
static bool aring_hold_release_one(struct aring_ring *ring,
				   const struct aring_steer *arg)
{
	struct aring_req *req;
	bool ok;

	/* Keeps it from being reclaimed, and cancellers away. */
	mutex_lock(&ring->lock);
	spin_lock_irq(&ring->cq_lock);
	req = aring_held_find(ring, arg);
	spin_unlock_irq(&ring->cq_lock);
	ok = req;
	if (req)
		aring_hold_let_go(req);
	mutex_unlock(&ring->lock);
	return ok;
}

/**
 * aring_hold_release() - let go what is held
 * @ring: the ring
 * @arg: which; @nr becomes how many there were
 *
 * A first attempt is made here, as in ENTER, if this is where it is to be made.
 *
 * Context: process, no lock held.
 *
 * Return: 0, or -ENOENT if the one with the ticket is not held.
 */
int aring_hold_release(struct aring_ring *ring, struct aring_steer *arg)
{
	bool present = aring_is_virtual(ring);
	struct aring_presence presence;
	struct aring_sleeper sleeper;
	unsigned int nr, left = 1;

	/* Those that are there now, not those that come meanwhile. */
	if (arg->cmd == ARING_STEER_RELEASE_ALL)
		left = READ_ONCE(ring->steer.nr_held);
	if (present)
		aring_presence_begin(ring, &presence);
	aring_sleeper_add(ring, &sleeper);
	for (nr = 0; nr < left && aring_hold_release_one(ring, arg); nr++)
		;
	aring_run(ring);
	aring_sleeper_del(ring, &sleeper);
	aring_run_handoff(ring);
	if (present)
		aring_presence_end(ring, &presence);
	if (arg->cmd == ARING_STEER_RELEASE)
		return nr ? 0 : -ENOENT;
	arg->nr = nr;
	return 0;
}
