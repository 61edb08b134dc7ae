// SPDX-License-Identifier: GPL-2.0
/*
 * Completing late: DELAY, AFTER, and how what is held by chaos is let go.
 *
 * Both hold a request with its result final, like HOLD_DONE, and know when it is
 * enough: DELAY by an event of the ring's timeline, AFTER when the request with a
 * later ticket has posted its last CQE. As that one is submitted later, it can be
 * told then that somebody is to follow it, and tells it when it is over. What is to
 * be completed is handed on through &aring_ring.unblocked, like all that waits for
 * the end of others: where that end is noted, nothing can be completed.
 *
 * A hold that chaos makes is soft: nothing may hang by it. Whoever is about to wait
 * for a completion, in ENTER or in poll(2), looks whether anything is under way that
 * ends without his doing. What is held is not, nor is what waits for other
 * requests, for a peer or for a timer: those may take for ever. If there is nothing,
 * the one with the lowest ticket is let go. For programs that wait in another way
 * a second is enough.
 *
 * What is delayed ends with time. An automatic clock may stand, though: for who waits
 * in poll(2) it does, and for who sleeps in ENTER if another ring has nobody there or a
 * request on a file is under way. So a delay that has seen no time pass for a second is
 * let go as well; for five if nobody sleeps in ENTER, who may be busy instead.
 */
#include "hold.h"
#include "op.h"
#include "quiet.h"

#define ARING_SOFT_LIMIT	HZ
#define ARING_STUCK_LIMIT	(5 * HZ)

/* The time of a DELAY is over. */
static void aring_late_fire(struct aring_event *event)
{
	struct aring_steered *steered = container_of(event,
						     struct aring_steered,
						     delay);
	struct aring_req *req = steered->req;

	/* Who has let it go before has taken it off the list. */
	if (aring_hold_take(req, ARING_ACT_DELAY))
		aring_complete(req);
}

/* Any order will do in which equal ones are found: tickets begin anew one day. */
static bool aring_after_less(struct rb_node *node, const struct rb_node *other)
{
	return rb_entry(node, struct aring_steered, after)->target <
	       rb_entry(other, struct aring_steered, after)->target;
}

static int aring_after_cmp(const void *key, const struct rb_node *node)
{
	u32 target = rb_entry(node, struct aring_steered, after)->target;
	u32 ticket = *(const u32 *)key;

	return ticket < target ? -1 : ticket > target;
}

/* cq_lock. */
static void aring_after_del(struct aring_ring *ring,
			    struct aring_steered *steered)
{
	if (RB_EMPTY_NODE(&steered->after))
		return;
	rb_erase(&steered->after, &ring->steer.after);
	RB_CLEAR_NODE(&steered->after);
}

/**
 * aring_late_prepare() - a request is to be completed late
 * @req: SUBMITTED, ARING_REQ_FATE; nobody else knows it
 */
void aring_late_prepare(struct aring_req *req)
{
	struct aring_steered *steered = req->steered;
	struct aring_ring *ring = req->ring;

	if (steered->fate.late == ARING_ACT_DELAY) {
		aring_event_init(&steered->delay, ARING_PHASE_LIMIT,
				 aring_late_fire);
		return;
	}
	/* There it would wait for one that waits for it. */
	if (ring->setup_flags & ARING_SETUP_SUBMISSION_ORDER)
		return;
	steered->target = req->ticket + steered->fate.value;
	spin_lock_irq(&ring->cq_lock);
	rb_add(&steered->after, &ring->steer.after, aring_after_less);
	spin_unlock_irq(&ring->cq_lock);
}

/**
 * aring_late_forget() - a request is being reclaimed
 * @req: final, ARING_REQ_FATE
 *
 * Context: process, &aring_ring.lock held, which aring_late_fire() does not take.
 */
void aring_late_forget(struct aring_req *req)
{
	if (req->steered->delay.fire)
		aring_event_disarm_sync(req->ring, &req->steered->delay);
}

/**
 * aring_late_is_followed() - is another request to be completed behind this one?
 * @ring: the ring
 * @ticket: this one's
 *
 * Context: process, submit_lock held.
 *
 * Return: true if so.
 */
bool aring_late_is_followed(struct aring_ring *ring, u32 ticket)
{
	bool found;

	spin_lock_irq(&ring->cq_lock);
	found = rb_find(&ticket, &ring->steer.after, aring_after_cmp);
	spin_unlock_irq(&ring->cq_lock);
	return found;
}

/**
 * aring_late_arm() - a request has its result, and its delay begins
 * @req: just put on the list of what is held; cq_lock held
 */
void aring_late_arm(struct aring_req *req)
{
	struct aring_steered *steered = req->steered;
	struct aring_ring *ring = req->ring;
	u64 time;

	steered->clock = aring_now(ring);
	if (check_add_overflow(steered->clock, steered->fate.value, &time))
		time = U64_MAX;
	aring_event_arm(ring, &steered->delay, time, req->ticket);
}

/* Let those go that are to be completed behind a ticket. cq_lock. */
static void aring_late_followers(struct aring_ring *ring, u32 ticket)
{
	struct aring_steered *steered;
	struct aring_req *req;
	struct rb_node *node;

	while ((node = rb_find_first(&ticket, &ring->steer.after,
				     aring_after_cmp)) != NULL) {
		steered = rb_entry(node, struct aring_steered, after);
		req = steered->req;
		aring_after_del(ring, steered);
		/* One that has no result yet will not be held any more. */
		if (!aring_hold_take_locked(req, ARING_ACT_AFTER))
			continue;
		WRITE_ONCE(steered->ripe, true);
		list_add_tail(&req->cq_entry, &ring->unblocked);
		WRITE_ONCE(ring->nr_unblocked, ring->nr_unblocked + 1);
	}
}

/**
 * aring_late_unfollow() - a request cannot tell when it is over
 * @ring: the ring
 * @ticket: its ticket; those that were to be completed behind it are let go
 *
 * Context: process, submit_lock held.
 */
void aring_late_unfollow(struct aring_ring *ring, u32 ticket)
{
	spin_lock_irq(&ring->cq_lock);
	aring_late_followers(ring, ticket);
	spin_unlock_irq(&ring->cq_lock);
	if (READ_ONCE(ring->nr_unblocked))
		aring_run_unblocked(ring);
}

/**
 * aring_late_retire() - a request has posted its last CQE
 * @req: final, ARING_REQ_FATE; cq_lock held
 */
void aring_late_retire(struct aring_req *req)
{
	struct aring_steered *steered = req->steered;

	aring_after_del(req->ring, steered);
	if (steered->followed)
		aring_late_followers(req->ring, req->ticket);
}

/* ---- nothing hangs by it ------------------------------------------------- */

/*
 * Does time pass without the program's doing, as far as is known here? An automatic
 * clock's does while somebody sleeps in ENTER. &aring_ring.lock.
 */
static bool aring_late_time_passes(struct aring_ring *ring, bool in_enter)
{
	const struct aring_timeline *tl = ring->timeline;

	if (!tl->is_virtual)
		return true;
	if (!tl->automatic)
		return false;
	/* No barrier: a hint. Who comes or goes meanwhile looks himself. */
	return in_enter || waitqueue_active(&ring->enter_wait);
}

/*
 * Does it end without the program's doing, or a peer's? If time @passes, also by
 * that. &aring_ring.lock.
 */
static bool aring_late_can_end(const struct aring_req *req, bool passes)
{
	u16 at = ARING_ACT_NONE;

	if (aring_state_final(aring_state_read(&req->state)))
		return false;
	if (aring_req_has_fate(req))
		at = READ_ONCE(req->steered->at);
	if (at != ARING_ACT_NONE)
		return at == ARING_ACT_DELAY && passes;
	/* Whatever it was. */
	if (aring_req_has_fate(req) && READ_ONCE(req->steered->ripe))
		return true;
	if (aring_link_waits(req) || READ_ONCE(req->deferred))
		return false;
	switch (req->opcode) {
	case ARING_OP_TIMEOUT:
	case ARING_OP_LINK_TIMEOUT:
		return false;
	case ARING_OP_VREAD:
	case ARING_OP_VWRITE:
		return passes;
	default:
		if (!req->peer)
			return true;
		/* A hint: a wake-up may be listing it; another look follows. */
		return data_race(!RB_EMPTY_NODE(&req->work_entry));
	}
}

/* &aring_ring.lock. */
static bool aring_late_any_can_end(struct aring_ring *ring, bool passes)
{
	bool all_held, delayed;
	struct aring_req *req;
	unsigned int i;

	/* Lest many that are held are all looked at for each that is let go. */
	spin_lock_irq(&ring->cq_lock);
	all_held = ring->nr_listed - ring->nr_ended == ring->steer.nr_held;
	delayed = ring->steer.nr_delayed;
	spin_unlock_irq(&ring->cq_lock);
	if (all_held)
		return delayed && passes;
	for (i = 0; i < 1U << ring->hash_bits; i++) {
		list_for_each_entry(req, &ring->buckets[i].by_data, by_data) {
			if (aring_late_can_end(req, passes))
				return true;
		}
	}
	return false;
}

/* The soft one with the lowest ticket behind @last, if that is given. cq_lock. */
static struct rb_node *aring_soft_first(const struct aring_ring *ring,
					const u32 *last)
{
	struct rb_node *node = ring->steer.soft.rb_node, *found = NULL;
	const struct aring_steered *steered;

	if (!last)
		return rb_first(&ring->steer.soft);
	while (node) {
		steered = rb_entry(node, struct aring_steered, soft);
		if ((s32)(steered->req->ticket - *last) > 0) {
			found = node;
			node = node->rb_left;
		} else {
			node = node->rb_right;
		}
	}
	return found;
}

/* The soft one with the lowest ticket. &aring_ring.lock, which keeps it. */
static struct aring_req *aring_late_find(struct aring_ring *ring, bool passes)
{
	const struct aring_steered *steered;
	struct aring_req *found = NULL;
	struct rb_node *node;

	spin_lock_irq(&ring->cq_lock);
	for (node = aring_soft_first(ring, NULL); node && !found;
	     node = rb_next(node)) {
		steered = rb_entry(node, struct aring_steered, soft);
		if (steered->at != ARING_ACT_DELAY || !passes)
			found = steered->req;
	}
	spin_unlock_irq(&ring->cq_lock);
	return found;
}

/* Has it been held for so long that nobody is to wait for it any more? cq_lock. */
static bool aring_late_is_old(struct aring_ring *ring,
			      struct aring_steered *steered)
{
	unsigned long limit = ARING_SOFT_LIMIT;
	u64 now;

	if (steered->at == ARING_ACT_DELAY) {
		if (!ring->timeline->is_virtual)
			return false;
		now = aring_now(ring);
		if (steered->clock != now) {
			steered->clock = now;
			steered->since = jiffies;
		}
		/* No barrier: a hint, and another look follows. */
		if (!waitqueue_active(&ring->enter_wait))
			limit = ARING_STUCK_LIMIT;
	}
	return time_after_eq(jiffies, steered->since + limit);
}

/* The first one behind @last, if that is given, that has been held for long. */
static struct aring_req *aring_late_find_old(struct aring_ring *ring,
					     const u32 *last)
{
	struct aring_steered *steered;
	struct aring_req *found = NULL;
	struct rb_node *node;

	spin_lock_irq(&ring->cq_lock);
	for (node = aring_soft_first(ring, last); node && !found;
	     node = rb_next(node)) {
		steered = rb_entry(node, struct aring_steered, soft);
		if (aring_late_is_old(ring, steered))
			found = steered->req;
	}
	spin_unlock_irq(&ring->cq_lock);
	return found;
}

/**
 * aring_late_look() - somebody is about to wait: let a soft hold go if he must
 * @ring: the ring
 * @in_enter: he is to sleep in ENTER, not elsewhere
 *
 * Context: process, no lock held.
 *
 * Return: true if one was let go: look again.
 */
bool aring_late_look(struct aring_ring *ring, bool in_enter)
{
	struct aring_req *req = NULL;
	bool passes;

	/* What ends from here on is looked at again. */
	WRITE_ONCE(ring->steer.look, false);
	mutex_lock(&ring->lock);
	passes = aring_late_time_passes(ring, in_enter);
	if (!aring_late_any_can_end(ring, passes))
		req = aring_late_find(ring, passes);
	if (req)
		aring_hold_let_go(req);
	mutex_unlock(&ring->lock);
	return req;
}

/**
 * aring_late_watch() - there is a soft hold that there was not before
 * @ring: the ring
 *
 * It is let go after a while, if nothing else comes before.
 *
 * Context: any, cq_lock held, by which what is held keeps the ring.
 */
void aring_late_watch(struct aring_ring *ring)
{
	queue_delayed_work(aring_wq, &ring->steer.soft_work, ARING_SOFT_LIMIT);
}

static void aring_late_fn(struct work_struct *work)
{
	struct aring_ring *ring = container_of(to_delayed_work(work),
					       struct aring_ring,
					       steer.soft_work);
	struct aring_req *req;
	bool any = false;
	u32 last;

	/* There may be many: others want the lock, too. */
	do {
		mutex_lock(&ring->lock);
		req = aring_late_find_old(ring, any ? &last : NULL);
		if (req) {
			last = req->ticket;
			any = true;
			aring_hold_let_go(req);
		}
		mutex_unlock(&ring->lock);
		cond_resched();
	} while (req);
	if (READ_ONCE(ring->steer.nr_soft))
		queue_delayed_work(aring_wq, &ring->steer.soft_work,
				   ARING_SOFT_LIMIT / 4);
}

/* What completes outside of process context completes some at a time. */
static void aring_late_ripe_fn(struct work_struct *work)
{
	struct aring_ring *ring = container_of(work, struct aring_ring,
					       steer.ripe_work);

	/* aring_late_exit() waits for us: the ring stays. */
	while (aring_run_some_unblocked(ring, ARING_RIPE_BATCH))
		cond_resched();
	/* As long as there were some, no clock could move. */
	aring_quiet_recheck(ring);
}

/**
 * aring_late_init() - nothing is late
 * @ring: a new ring
 */
void aring_late_init(struct aring_ring *ring)
{
	ring->steer.after = RB_ROOT;
	ring->steer.soft = RB_ROOT;
	INIT_DELAYED_WORK(&ring->steer.soft_work, aring_late_fn);
	INIT_WORK(&ring->steer.ripe_work, aring_late_ripe_fn);
}

/**
 * aring_late_exit() - nothing will be late any more
 * @ring: a ring without requests
 *
 * Context: process.
 */
void aring_late_exit(struct aring_ring *ring)
{
	cancel_delayed_work_sync(&ring->steer.soft_work);
	cancel_work_sync(&ring->steer.ripe_work);
	WARN_ON_ONCE(!RB_EMPTY_ROOT(&ring->steer.after));
}
