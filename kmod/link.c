// SPDX-License-Identifier: GPL-2.0
/*
 * Requests that wait for other requests: chains (IO_LINK, IO_HARDLINK), their
 * time limits (LINK_TIMEOUT), and IO_DRAIN.
 *
 * Who waits for a predecessor or for a drain is QUEUED, like who waits for a
 * device, and can be taken back just so. Three kinds of places, all under
 * cq_lock, because it is a completion that moves on what waits for it, in any
 * context:
 *
 *	in a chain	&aring_req.prev says behind what. Of a chain only the head
 *			runs; when it is over the next one becomes the head.
 *	deferred	an IO_DRAIN, and whatever was submitted behind it. As on
 *			Linux 6.1, what stands behind it is let go together with
 *			it, and does not wait for its end.
 *	unblocked	waits for nothing any more. On the way to the run list,
 *			which is inside of another lock: aring_run_unblocked().
 *
 * A LINK_TIMEOUT is in no chain: its request and it know each other by
 * &aring_req.pair. Whichever ends first dissolves the pair, under cq_lock.
 */
#include <linux/hrtimer.h>

#include "edge.h"
#include "hold.h"
#include "link.h"
#include "worker.h"

/* ---- what completions do ------------------------------------------------- */

/* Off the lists of link.c. Return: true if it was the head of what is deferred. */
static bool aring_link_unlist(struct aring_ring *ring, struct aring_req *req,
			      struct list_head **place)
{
	bool listed = !list_empty(&req->cq_entry);
	bool deferred = req->deferred;

	*place = req->cq_entry.prev;
	list_del_init(&req->cq_entry);
	if (deferred) {
		WRITE_ONCE(req->deferred, false);
		WRITE_ONCE(ring->nr_deferred, ring->nr_deferred - 1);
	} else if (listed) {
		WRITE_ONCE(ring->nr_unblocked, ring->nr_unblocked - 1);
	}
	return deferred && listed;
}

static void aring_link_unpair(struct aring_req *req)
{
	if (req->pair)
		WRITE_ONCE(req->pair->pair, NULL);
	WRITE_ONCE(req->pair, NULL);
}

/**
 * aring_link_leave() - a member of a chain is over
 * @req: final, ARING_REQ_LINKED; its CQE not posted yet
 * @after: out: what is to be done when it has been
 *
 * Context: any, cq_lock held.
 */
void aring_link_leave(struct aring_req *req, struct aring_after *after)
{
	struct aring_ring *ring = req->ring;
	struct aring_req *prev = req->prev, *next = req->link;
	struct list_head *place;
	bool first, failed = req->flags & ARING_REQ_FAIL;

	first = aring_link_unlist(ring, req, &place);
	if (req->opcode != ARING_OP_LINK_TIMEOUT)
		after->timeout = req->pair;
	aring_link_unpair(req);
	req->link = NULL;
	WRITE_ONCE(req->prev, NULL);
	after->broken = failed && !(req->sqe_flags & ARING_SQE_IO_HARDLINK);
	/* A ring that is closed starts nothing any more. */
	if (READ_ONCE(ring->dying))
		after->broken = true;
	after->silent = failed &&
			(req->sqe_flags & ARING_SQE_CQE_SKIP_SUCCESS);

	/* Taken back while it waited: who waited for it takes its place. */
	if (prev)
		prev->link = after->broken ? NULL : next;
	if (!next)
		return;
	WRITE_ONCE(next->prev, after->broken ? NULL : prev);
	if (!after->broken && (prev || first)) {
		if (first) {
			next->drain = req->drain;
			list_add(&next->cq_entry, place);
		}
		next = NULL;
	}
	after->next = next;
}

/* Take one back that can only be waiting; who else does will post its CQE. */
static void aring_link_drop(struct aring_ring *ring, struct aring_req *req,
			    bool silent)
{
	struct list_head *place;

	aring_link_unlist(ring, req, &place);
	aring_link_unpair(req);
	req->link = NULL;
	WRITE_ONCE(req->prev, NULL);
	if (aring_edge_cancel(req, false) == ARING_VERDICT_CANCELLED)
		aring_post_dropped(ring, req, silent);
}

/**
 * aring_link_after() - go on with a chain, or end it
 * @ring: the ring
 * @after: from aring_link_leave()
 *
 * Context: any, cq_lock held.
 */
void aring_link_after(struct aring_ring *ring,
		      const struct aring_after *after)
{
	struct aring_req *req = after->next, *next, *timeout;

	/* That it was not needed is no failure. */
	if (after->timeout)
		aring_link_drop(ring, after->timeout, false);
	if (!req)
		return;
	if (!after->broken) {
		list_add_tail(&req->cq_entry, &ring->unblocked);
		WRITE_ONCE(ring->nr_unblocked, ring->nr_unblocked + 1);
		return;
	}
	for (; req; req = next) {
		next = req->link;
		timeout = req->pair;
		/* Whether it posts a CQE is for who failed to say, not for it. */
		req->sqe_flags &= ~ARING_SQE_CQE_SKIP_SUCCESS;
		aring_link_drop(ring, req, after->silent);
		if (timeout) {
			timeout->sqe_flags &= ~ARING_SQE_CQE_SKIP_SUCCESS;
			aring_link_drop(ring, timeout, after->silent);
		}
	}
}

/* How many requests run or could: neither over nor behind a drain. cq_lock. */
static u32 aring_drain_live(const struct aring_ring *ring)
{
	return READ_ONCE(ring->nr_listed) - ring->nr_ended - ring->nr_deferred;
}

static void aring_defer(struct aring_ring *ring, struct aring_req *req,
			bool defer)
{
	if (!req || req->deferred == defer)
		return;
	WRITE_ONCE(req->deferred, defer);
	WRITE_ONCE(ring->nr_deferred, ring->nr_deferred + (defer ? 1 : -1));
}

/* A chain is deferred as a whole. cq_lock. */
static void aring_defer_chain(struct aring_ring *ring, struct aring_req *req,
			      bool defer)
{
	for (; req; req = req->link) {
		aring_defer(ring, req, defer);
		aring_defer(ring, req->pair, defer);
	}
}

/**
 * aring_drain_release() - let go what waited for all before it to be over
 * @ring: the ring
 *
 * Context: any, cq_lock held. Then aring_run_unblocked(), without it.
 */
void aring_drain_release(struct aring_ring *ring)
{
	struct aring_req *req;

	while (!list_empty(&ring->deferred)) {
		req = list_first_entry(&ring->deferred, struct aring_req,
				       cq_entry);
		if (req->drain && aring_drain_live(ring))
			break;
		aring_defer_chain(ring, req, false);
		list_move_tail(&req->cq_entry, &ring->unblocked);
		WRITE_ONCE(ring->nr_unblocked, ring->nr_unblocked + 1);
	}
}

/**
 * aring_link_unblocked() - the next request that waits for nothing any more
 * @ring: the ring
 *
 * Context: any, work_lock held.
 *
 * Return: a request that was QUEUED a moment ago, or NULL.
 */
struct aring_req *aring_link_unblocked(struct aring_ring *ring)
{
	struct aring_req *req;
	unsigned long flags;

	spin_lock_irqsave(&ring->cq_lock, flags);
	req = list_first_entry_or_null(&ring->unblocked, struct aring_req,
				       cq_entry);
	if (req) {
		list_del_init(&req->cq_entry);
		WRITE_ONCE(ring->nr_unblocked, ring->nr_unblocked - 1);
	}
	spin_unlock_irqrestore(&ring->cq_lock, flags);
	return req;
}

/* ---- LINK_TIMEOUT -------------------------------------------------------- */

/**
 * aring_link_limit() - which request, if any, is the time limit of another one
 * @req: about to be tried for the first time, listed
 * @ticket: out: the time limit's
 *
 * Context: process.
 *
 * Return: true if there is one.
 */
bool aring_link_limit(struct aring_req *req, u32 *ticket)
{
	struct aring_req *timeout;

	if (likely(!READ_ONCE(req->pair)))
		return false;
	/* The lock keeps it from being reclaimed, even if it ends meanwhile. */
	mutex_lock(&req->ring->lock);
	timeout = READ_ONCE(req->pair);
	if (timeout)
		*ticket = timeout->ticket;
	mutex_unlock(&req->ring->lock);
	return timeout;
}

/**
 * aring_link_arm() - a time limit begins to run, if it does not yet
 * @ring: the ring
 * @ticket: the time limit's, which may be over by now
 *
 * As on Linux 6.1 it does so behind the first attempt of what it limits, or
 * before, where an attempt may last.
 *
 * Context: process.
 */
void aring_link_arm(struct aring_ring *ring, u32 ticket)
{
	struct aring_req *timeout;

	mutex_lock(&ring->lock);
	timeout = aring_find_by_ticket(ring, ticket);
	if (timeout && timeout->opcode == ARING_OP_LINK_TIMEOUT &&
	    READ_ONCE(timeout->pair) && !timeout->timer_ready &&
	    aring_state_read(&timeout->state) == ARING_QUEUED)
		aring_timeout_arm(timeout);
	mutex_unlock(&ring->lock);
}

/**
 * aring_link_arm_for() - an attempt that may last is about to begin
 * @req: what is tried, listed
 *
 * Context: process.
 */
void aring_link_arm_for(struct aring_req *req)
{
	u32 ticket;

	if (aring_link_limit(req, &ticket))
		aring_link_arm(req->ring, ticket);
}

/**
 * aring_link_fire() - the time of a LINK_TIMEOUT has come
 * @timeout: STARTED by the caller, its timer
 *
 * Context: interrupt. Taking a request back needs a lock that may sleep, so
 * that is left to a work item; until then @timeout keeps the ring.
 */
void aring_link_fire(struct aring_req *timeout)
{
	struct aring_ring *ring = timeout->ring;

	if (llist_add(&timeout->fired, &ring->fired))
		queue_work(aring_wq, &ring->fired_work);
}

/**
 * aring_link_fire_now() - take back what a LINK_TIMEOUT is for
 * @timeout: STARTED by the caller
 *
 * Context: process, no lock held.
 */
void aring_link_fire_now(struct aring_req *timeout)
{
	struct aring_ring *ring = timeout->ring;
	struct aring_req *req;
	int ret;

	mutex_lock(&ring->lock);
	/* Not reclaimed before we let go of the lock. */
	spin_lock_irq(&ring->cq_lock);
	req = timeout->pair;
	aring_link_unpair(timeout);
	spin_unlock_irq(&ring->cq_lock);
	ret = req ? aring_cancel_one(req, timeout) : -ENOENT;
	mutex_unlock(&ring->lock);
	timeout->res = ret ?: -ETIME;
	aring_complete(timeout);
}

static void aring_fired_fn(struct work_struct *work)
{
	struct aring_ring *ring = container_of(work, struct aring_ring,
					       fired_work);
	struct aring_req *timeout, *tmp;

	llist_for_each_entry_safe(timeout, tmp,
				  llist_reverse_order(llist_del_all(&ring->fired)),
				  fired)
		aring_link_fire_now(timeout);
}

/**
 * aring_link_waits() - is it in the shadow of another request?
 * @req: listed; &aring_ring.lock held
 *
 * Return: true for what waits behind another one in a chain. It may have changed
 * by the time the caller looks at it.
 */
bool aring_link_waits(const struct aring_req *req)
{
	return aring_req_peek(req, ARING_REQ_LINKED) && READ_ONCE(req->prev);
}

/**
 * aring_link_init() - nothing waits yet
 * @ring: a new ring
 */
void aring_link_init(struct aring_ring *ring)
{
	INIT_LIST_HEAD(&ring->deferred);
	INIT_LIST_HEAD(&ring->unblocked);
	init_llist_head(&ring->fired);
	INIT_WORK(&ring->fired_work, aring_fired_fn);
}

/**
 * aring_link_exit() - nothing waits any more
 * @ring: a ring without requests
 *
 * Context: process.
 */
void aring_link_exit(struct aring_ring *ring)
{
	cancel_work_sync(&ring->fired_work);
	WARN_ON_ONCE(!list_empty(&ring->deferred) ||
		     !list_empty(&ring->unblocked));
}

/* ---- what submission does ------------------------------------------------ */

/* A chain of which one member is bad: none runs. Each has its result set. */
static void aring_chain_fail(struct aring_chain *chain)
{
	struct aring_req *req, *next;
	bool silent = chain->silent;

	for (req = chain->head; req; req = next) {
		next = req->next;
		if (req->sqe_flags & ARING_SQE_CQE_SKIP_SUCCESS)
			req->sqe_flags &= ~ARING_SQE_CQE_SKIP_SUCCESS;
		if (!req->res)
			aring_req_set_result(req, -ECANCELED);
		if (silent && req != chain->head) {
			req->flags &= ~ARING_REQ_FAIL;
			req->sqe_flags |= ARING_SQE_CQE_SKIP_SUCCESS;
		}
		aring_req_release(req);
		aring_complete(req);
	}
}

/**
 * aring_chain_add() - one more member of the chain at hand
 * @chain: the chain
 * @req: SUBMITTED, gone asynchronous unless it is bad
 * @ret: 0, or why it is bad
 *
 * Context: process, submit_lock held.
 */
void aring_chain_add(struct aring_chain *chain, struct aring_req *req, int ret)
{
	req->next = NULL;
	if (chain->head) {
		chain->last->next = req;
	} else {
		chain->head = req;
		chain->failed = false;
		chain->silent = false;
	}
	chain->last = req;
	if (!ret)
		return;
	aring_req_set_result(req, ret);
	/* The first to fail silences the others if that is what its head says. */
	if (!chain->failed)
		chain->silent = chain->head->sqe_flags &
				ARING_SQE_CQE_SKIP_SUCCESS;
	chain->failed = true;
}

/* Tie the members together; nobody knows them yet. Return: how many there are. */
static u32 aring_chain_tie(struct aring_chain *chain)
{
	struct aring_req *req, *last = NULL;
	u32 nr = 0;

	for (req = chain->head; req; req = req->next, nr++) {
		req->flags |= ARING_REQ_LINKED;
		if (req->opcode == ARING_OP_LINK_TIMEOUT) {
			req->pair = last;
			last->pair = req;
			continue;
		}
		if (last) {
			req->flags |= ARING_REQ_LAUNCH;
			last->link = req;
			req->prev = last;
		}
		last = req;
	}
	return nr;
}

/*
 * Behind a drain, or one itself with something before it? Then the head waits
 * as well. &aring_ring.lock. Return: true if so.
 */
static bool aring_chain_defer(struct aring_ring *ring, struct aring_req *head,
			      u32 nr)
{
	bool defer;

	spin_lock_irq(&ring->cq_lock);
	defer = !list_empty(&ring->deferred) ||
		(head->drain && aring_drain_live(ring) != nr);
	if (defer) {
		head->flags |= ARING_REQ_LAUNCH;
		WARN_ON_ONCE(aring_edge_queue(head) !=
			     ARING_QUEUED_OK);
		aring_defer_chain(ring, head, true);
		list_add_tail(&head->cq_entry, &ring->deferred);
		/* Those before may have ended since we counted ours. */
		aring_drain_release(ring);
	}
	spin_unlock_irq(&ring->cq_lock);
	return defer;
}

/**
 * aring_chain_start() - a chain is complete: let it run
 * @ring: the ring
 * @chain: the chain, perhaps of one request; empty afterwards
 *
 * Context: process, submit_lock held. The caller has told the ring, by
 * aring_sleeper_add(), that this thread will run what the chain leads to.
 */
void aring_chain_start(struct aring_ring *ring, struct aring_chain *chain)
{
	struct aring_req *head = chain->head, *req;
	bool ok = !chain->failed, deferred = false;
	u32 nr;

	/* What SQPOLL's thread may not run is launched in an ENTER. */
	if (ok && aring_req_is_elsewhere(head))
		head->flags |= ARING_REQ_LAUNCH;

	if (ok) {
		nr = aring_chain_tie(chain);
		mutex_lock(&ring->lock);
		for (req = head; req && ok; req = req->next)
			ok = aring_req_list_locked(req);
		/* Refused from the first on, or not at all. */
		for (req = ok ? head->next : NULL; req; req = req->next)
			WARN_ON_ONCE(aring_edge_queue(req) !=
				     ARING_QUEUED_OK);
		if (ok)
			deferred = aring_chain_defer(ring, head, nr);
		mutex_unlock(&ring->lock);
		for (req = ok ? NULL : head; req; req = req->next) {
			req->flags &= ~ARING_REQ_LINKED;
			aring_link_unpair(req);
		}
	}
	if (!ok)
		aring_chain_fail(chain);
	chain->head = NULL;
	if (!ok)
		return;
	if (deferred) {
		if (READ_ONCE(ring->nr_unblocked))
			aring_run_unblocked(ring);
		return;
	}
	if (unlikely(head->flags & ARING_REQ_FATE) && aring_hold_first(head))
		return;
	if (aring_req_is_elsewhere(head))
		aring_run_woken(head);
	else
		aring_run_launch(head);
}
