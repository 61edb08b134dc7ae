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
 *	a release	holds &aring_ring.lock too, so it comes before or after
 *			a cancel, and what it finds on the list is not
 *			CANCELLED.
 *	a LINK_TIMEOUT	that fires cancels, as above.
 *	a close		cancels all, as above, and lets go what it could only
 *			tell -EALREADY: aring_cancel_req(). It has set
 *			&aring_ring.dying before it takes cq_lock for that, and
 *			who holds a request at DONE looks at it under cq_lock.
 */
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "edge.h"
#include "hold.h"
#include "op.h"

/* cq_lock. */
static void aring_hold_add(struct aring_req *req, u16 at)
{
	struct aring_steering *steer = &req->ring->steer;

	WRITE_ONCE(req->steered->at, at);
	list_add_tail(&req->steered->entry, &steer->held);
	steer->nr_held++;
}

/* cq_lock. Return: where it was held, or ARING_ACT_NONE. */
static u16 aring_hold_del(struct aring_req *req)
{
	struct aring_steered *steered = req->steered;
	u16 at = steered->at;

	if (at == ARING_ACT_NONE)
		return at;
	list_del_init(&steered->entry);
	req->ring->steer.nr_held--;
	/* Once is enough. */
	WRITE_ONCE(steered->fate.hold, ARING_ACT_NONE);
	WRITE_ONCE(steered->at, ARING_ACT_NONE);
	return at;
}

/* Off the list. Return: as aring_hold_del(). */
static u16 aring_hold_take(struct aring_req *req)
{
	unsigned long flags;
	u16 at;

	spin_lock_irqsave(&req->ring->cq_lock, flags);
	at = aring_hold_del(req);
	spin_unlock_irqrestore(&req->ring->cq_lock, flags);
	return at;
}

static void aring_hold_put(struct aring_req *req, u16 at)
{
	unsigned long flags;

	spin_lock_irqsave(&req->ring->cq_lock, flags);
	aring_hold_add(req, at);
	spin_unlock_irqrestore(&req->ring->cq_lock, flags);
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
	struct aring_steered *steered = req->steered;
	struct aring_ring *ring = req->ring;
	unsigned long flags;
	bool held = false;

	if (steered->cut && req->res >= 0)
		req->flags |= ARING_REQ_FAIL;
	/* What the ring does not take any more ends at once. */
	if (steered->fate.hold != ARING_ACT_HOLD_DONE ||
	    !(req->flags & ARING_REQ_LISTED))
		return false;
	/* Asked for back before it began: that is what becomes of it. */
	if (aring_state_read(&req->state) == ARING_SUBMITTED &&
	    !aring_edge_start(req))
		return false;
	spin_lock_irqsave(&ring->cq_lock, flags);
	if (!READ_ONCE(ring->dying)) {
		aring_hold_add(req, ARING_ACT_HOLD_DONE);
		held = true;
	}
	spin_unlock_irqrestore(&ring->cq_lock, flags);
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
	if (aring_hold_take(req) != ARING_ACT_NONE)
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
	switch (aring_hold_take(req)) {
	case ARING_ACT_NONE:
		return false;
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
 * aring_hold_forget() - a request is over, or about to be
 * @req: owned, or final; ARING_REQ_FATE
 *
 * Context: process.
 */
void aring_hold_forget(struct aring_req *req)
{
	aring_hold_take(req);
}

/* ---- the ioctl ----------------------------------------------------------- */

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
			.res		= steered->at == ARING_ACT_HOLD_DONE ?
						req->res : 0,
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
	struct aring_sleeper sleeper;
	unsigned int nr, left = 1;

	/* Those that are there now, not those that come meanwhile. */
	if (arg->cmd == ARING_STEER_RELEASE_ALL)
		left = READ_ONCE(ring->steer.nr_held);
	aring_sleeper_add(ring, &sleeper);
	for (nr = 0; nr < left && aring_hold_release_one(ring, arg); nr++)
		;
	aring_run(ring);
	aring_sleeper_del(ring, &sleeper);
	aring_run_handoff(ring);
	if (arg->cmd == ARING_STEER_RELEASE)
		return nr ? 0 : -ENOENT;
	arg->nr = nr;
	return 0;
}
