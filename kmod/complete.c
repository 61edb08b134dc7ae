// SPDX-License-Identifier: GPL-2.0
/*
 * Completions: the only file that writes a CQE.
 *
 * A request reaches its final state and its CQE becomes visible under one
 * hold of cq_lock. So whoever finds a request final and then posts a CQE of
 * his own (a canceller that answers -ENOENT) posts it behind the request's.
 *
 * Nothing is allocated here. A CQE that finds the ring full waits in its own
 * request, in order; from then on every CQE goes behind it. Where an order of
 * CQEs was asked for, one whose turn has not come waits likewise: order.c.
 *
 * The barriers towards the program:
 *
 *	kernel					program
 *	A  load-acquire of cq.head		store-release of cq.head
 *	   then write CQEs			after it has read the CQEs
 *	B  write CQEs				load-acquire of cq.tail
 *	   then store-release of cq.tail	then read the CQEs
 */
#include <linux/rcupdate.h>

#include "hold.h"
#include "notify.h"
#include "op.h"
#include "quiet.h"
#include "session.h"

/* Look how much room the program has made. cq_lock. */
static bool aring_cq_look_for_room(struct aring_ring *ring)
{
	/* A: pairs with the program's store-release after reading CQEs. */
	u32 head = smp_load_acquire(&ring->shared->cq.head);
	u32 entries = aring_cq_entries(ring);

	ring->cq_room = entries -
			aring_index_ready(head, ring->cq_tail, entries);
	return ring->cq_room;
}

static __always_inline void aring_cqe_write(struct aring_cqe *cqe,
					    u64 user_data, u64 result)
{
	BUILD_BUG_ON(offsetof(struct aring_cqe, flags) -
		     offsetof(struct aring_cqe, res) !=
		     offsetof(struct aring_req, cqe_flags) -
		     offsetof(struct aring_req, res));
	WRITE_ONCE(cqe->user_data, user_data);
	/* The result and the flags. */
	WRITE_ONCE(*(u64 *)&cqe->res, result);
}

/*
 * What CQE32 adds to the CQE of a request: at least zeros, because the program may
 * have scribbled there.
 */
static noinline void aring_cqe_write_times(struct aring_cqe *cqe,
					   const struct aring_req *req,
					   bool over)
{
	struct aring_cqe_times *to = (struct aring_cqe_times *)cqe;
	struct aring_cqe_times times = aring_edge_times(req, over);

	BUILD_BUG_ON(sizeof(*to) != sizeof(*cqe));
	WRITE_ONCE(to->queued, times.queued);
	WRITE_ONCE(to->started, times.started);
	WRITE_ONCE(to->submitted, times.submitted);
}

/*
 * Put a CQE into the ring, where there is room. cq_lock. @result is not that of
 * @req if it is not @over.
 */
static void aring_cqe_put(struct aring_ring *ring, const struct aring_req *req,
			  u64 result, bool over)
{
	struct aring_cqe *cqe = aring_cqe_at(ring, ring->cq_tail);

	aring_cqe_write(cqe, req->user_data, result);
	if (unlikely(ring->cqe_size != sizeof(*cqe)))
		aring_cqe_write_times(cqe + 1, req, over);
	ring->cq_tail++;
	ring->cq_room--;
}

static void aring_cqe_fill(struct aring_ring *ring,
			   const struct aring_req *req)
{
	aring_cqe_put(ring, req, req->result, true);
	/* What was parked counted when it was. */
	if (likely(!(req->flags & (ARING_REQ_COUNTED | ARING_REQ_PARKED))))
		ring->nr_events++;
}

static void aring_cq_publish(struct aring_ring *ring)
{
	/* B: pairs with the program's load-acquire of the tail. */
	smp_store_release(&ring->shared->cq.tail, ring->cq_tail);
}

static inline bool aring_skips_cqe(const struct aring_req *req)
{
	return unlikely(req->sqe_flags & ARING_SQE_CQE_SKIP_SUCCESS) &&
	       !(req->flags & ARING_REQ_FAIL);
}

/*
 * Post the CQE of a final request whose turn it is. cq_lock.
 *
 * Return: true if the slot is free to be used again, false if the CQE waits
 * in it for room.
 */
static bool aring_post_now(struct aring_ring *ring, struct aring_req *req)
{
	if (req->flags & ARING_REQ_COUNTED)
		WRITE_ONCE(ring->nr_timeouts, ring->nr_timeouts + 1);
	if (aring_skips_cqe(req))
		return true;

	if (unlikely(ring->nr_overflow ||
		     (!ring->cq_room && !aring_cq_look_for_room(ring)) ||
		     aring_fate_cq_full(req))) {
		list_add_tail(&req->cq_entry, &ring->overflow);
		if (!ring->nr_overflow) {
			/* It may be empty, and nothing in it that was signalled. */
			if (ring->cq_room)
				aring_eventfd_owe(ring);
			atomic_or(ARING_SQ_CQ_OVERFLOW,
				  &ring->shared->sq_flags);
		}
		WRITE_ONCE(ring->nr_overflow, ring->nr_overflow + 1);
		return false;
	}
	aring_cqe_fill(ring, req);
	return true;
}

/*
 * The same for one that has just become final. cq_lock.
 *
 * Return: true if the slot is free to be used again, false if the CQE waits
 * in it, for room or for its turn.
 */
static bool aring_post(struct aring_ring *ring, struct aring_req *req)
{
	if (unlikely(ring->watched))
		aring_session_saw(req);
	if (likely(!ring->ordered) || !aring_order_park(ring, req))
		return aring_post_now(ring, req);
	if (!(req->flags & ARING_REQ_COUNTED) && !aring_skips_cqe(req))
		ring->nr_events++;
	return false;
}

/* Post what waited for its turn and has it now. cq_lock. */
static void aring_post_due(struct aring_ring *ring, bool end)
{
	struct aring_req *req;

	while ((req = aring_order_due(ring, end)) != NULL) {
		if (aring_post_now(ring, req))
			llist_add(&req->reclaim, &ring->reclaim);
	}
}

/* Post the CQE of a request that went asynchronous, and let it go. cq_lock. */
static void aring_retire(struct aring_ring *ring, struct aring_req *req)
{
	bool posted = aring_post(ring, req);

	if (unlikely(req->flags & ARING_REQ_FATE))
		aring_late_retire(req);
	/* After its CQE: the tag of what it used last comes behind. */
	if (unlikely(req->flags & ARING_REQ_RSRC) &&
	    (req->flags & ARING_REQ_ASYNC))
		aring_rsrc_drop(req);
	if (posted)
		llist_add(&req->reclaim, &ring->reclaim);
}

/*
 * What remains to be done with a request that went asynchronous, once it is
 * final. cq_lock. The last touch of the request.
 */
static void aring_end(struct aring_ring *ring, struct aring_req *req)
{
	struct aring_after after = {};

	/* Perhaps once more: aring_end_counting() may have been here. */
	if (req->flags & ARING_REQ_COUNTING)
		list_del_init(&req->timeout.counting);
	if (req->flags & ARING_REQ_LISTED)
		ring->nr_ended++;
	/* Perhaps it was the last that could end by itself. */
	if (unlikely(ring->steer.nr_soft))
		WRITE_ONCE(ring->steer.look, true);
	if (unlikely(req->flags & ARING_REQ_LINKED))
		aring_link_leave(req, &after);
	aring_retire(ring, req);
	if (unlikely(after.timeout || after.next))
		aring_link_after(ring, &after);
}

/**
 * aring_post_dropped() - the CQE of a request that another one's end cancelled
 * @ring: the ring, cq_lock held
 * @req: CANCELLED by the caller, in no chain any more
 * @silent: post none
 */
void aring_post_dropped(struct aring_ring *ring, struct aring_req *req,
			bool silent)
{
	req->res = -ECANCELED;
	if (silent)
		req->sqe_flags |= ARING_SQE_CQE_SKIP_SUCCESS;
	ring->nr_ended++;
	if (req->opcode == ARING_OP_LINK_TIMEOUT)
		aring_timeout_stop(req);
	/* It was never tried: nothing but this holds its file. */
	if (req->op->cleanup && (req->op->flags & ARING_OP_FILE))
		req->op->cleanup(req);
	aring_req_put_file(req);
	aring_retire(ring, req);
}

/* End the TIMEOUTs that waited for as many completions as there are. cq_lock. */
static void aring_end_counting(struct aring_ring *ring)
{
	struct aring_req *req;

	while (!list_empty(&ring->counting)) {
		req = list_first_entry(&ring->counting, struct aring_req,
				       timeout.counting);
		if (ring->nr_events < req->timeout.target)
			break;
		/*
		 * The timer or a canceller may have been first: then that one
		 * owns the request, its flags too, and is on its way to
		 * aring_end(), where it waits for our lock.
		 */
		list_del_init(&req->timeout.counting);
		if (!aring_edge_take(req))
			continue;
		aring_timeout_stop(req);
		aring_req_set_result(req, 0);
		req->flags |= ARING_REQ_COUNTED;
		if (unlikely(req->flags & ARING_REQ_FATE) &&
		    aring_hold_done_locked(req))
			continue;
		WARN_ON_ONCE(!aring_edge_finish(req));
		aring_end(ring, req);
	}
}

/* cq_lock. */
static __always_inline void aring_cq_commit(struct aring_ring *ring)
{
	if (unlikely(!list_empty(&ring->counting)))
		aring_end_counting(ring);
	/* One test for what is rare. */
	if (unlikely(ring->nr_deferred | ring->ordered)) {
		aring_drain_release(ring);
		aring_post_due(ring, false);
	}
	aring_cq_publish(ring);
}

/* After something was posted, without cq_lock; rcu or a file keeps the ring. */
static __always_inline void aring_cq_tell(struct aring_ring *ring)
{
	/*
	 * The tail before the look at the queues; pairs with the barrier in
	 * prepare_to_wait() of wait.c and with poll_wait() of main.c.
	 */
	smp_mb();
	/* After that barrier. */
	if (waitqueue_active(&ring->enter_wait))
		wake_up_all(&ring->enter_wait);
	aring_notify(ring);
	if (unlikely(READ_ONCE(ring->exiting)))
		aring_ring_poke_exit(ring);
}

/**
 * aring_cq_wake() - wake whoever waits for CQEs, or for other news
 * @ring: the ring, kept alive by the caller
 *
 * Context: any, cq_lock not held.
 */
void aring_cq_wake(struct aring_ring *ring)
{
	aring_cq_tell(ring);
}

/* The same, and see to what waited for that. work_lock is not held. */
static void aring_cq_ended(struct aring_ring *ring)
{
	if (unlikely(READ_ONCE(ring->nr_unblocked)))
		aring_run_unblocked(ring);
	aring_cq_tell(ring);
}

/*
 * A request that kept the clock from moving is over, its CQE is published, and what
 * it led to is listed. cq_lock.
 */
static void aring_real_end(struct aring_ring *ring)
{
	/* Behind all of that; pairs with the read-acquire in quiet.c. */
	atomic_dec_return_release(&ring->nr_real);
}

/* Reach the final state and post the CQE, as one step under cq_lock. */
static void aring_end_by(struct aring_req *req,
			 void (*reach)(struct aring_req *req))
{
	struct aring_ring *ring = req->ring;
	bool real = req->flags & ARING_REQ_REAL;
	unsigned long flags;

	/* rcu: the ring outlives the wake-up that follows the last touch. */
	rcu_read_lock();
	spin_lock_irqsave(&ring->cq_lock, flags);
	reach(req);
	aring_end(ring, req);
	aring_cq_commit(ring);
	if (unlikely(real))
		aring_real_end(ring);
	spin_unlock_irqrestore(&ring->cq_lock, flags);
	aring_cq_ended(ring);
	if (unlikely(real))
		aring_quiet_look(ring);
	rcu_read_unlock();
}

static void aring_reach_done(struct aring_req *req)
{
	if (aring_edge_finish(req) || aring_edge_refuse(req))
		return;
	/* Asked for back before it began, and that canceller was told so. */
	WARN_ON_ONCE(!aring_edge_drop(req));
	aring_req_set_result(req, -ECANCELED);
}

static void aring_reach_withdrawn(struct aring_req *req)
{
	WARN_ON_ONCE(!aring_edge_withdraw(req));
	aring_req_set_result(req, -ECANCELED);
}

/* The caller's compare-and-swap has reached it already. */
static void aring_reach_cancelled(struct aring_req *req)
{
	aring_req_set_result(req, -ECANCELED);
}

/**
 * aring_complete() - the owner is through: make it final and post its CQE
 * @req: SUBMITTED (refused) or STARTED, result set, resources released
 *
 * If somebody asked for a SUBMITTED request back, that is what happens: he
 * has been told so.
 *
 * Context: any, no lock inside work_lock held. The request may not be touched
 * afterwards.
 */
void aring_complete(struct aring_req *req)
{
	if (unlikely(req->flags & ARING_REQ_FATE) && aring_hold_done(req))
		return;
	aring_end_by(req, aring_reach_done);
}

/**
 * aring_complete_ripe() - what a request had to wait for is over
 * @req: STARTED, off all lists, not to be held any more
 *
 * As aring_complete(), but what that lets go is left for the caller.
 *
 * Context: any, cq_lock not held.
 */
void aring_complete_ripe(struct aring_req *req)
{
	struct aring_ring *ring = req->ring;
	unsigned long flags;

	rcu_read_lock();
	spin_lock_irqsave(&ring->cq_lock, flags);
	aring_reach_done(req);
	aring_end(ring, req);
	aring_cq_commit(ring);
	spin_unlock_irqrestore(&ring->cq_lock, flags);
	aring_cq_wake(ring);
	rcu_read_unlock();
}

/**
 * aring_complete_withdrawn() - the owner gives in to a canceller
 * @req: STARTED with CANCEL set, nothing moved, resources released
 *
 * Context: any, neither work_lock nor a lock inside it held.
 */
void aring_complete_withdrawn(struct aring_req *req)
{
	aring_end_by(req, aring_reach_withdrawn);
}

/**
 * aring_complete_cancelled() - post the CQE of a request taken back
 * @req: CANCELLED by the caller
 *
 * Context: process, &aring_ring.lock held: so that no other canceller sees
 * the state before the CQE is there.
 */
void aring_complete_cancelled(struct aring_req *req)
{
	lockdep_assert_held(&req->ring->lock);
	aring_end_by(req, aring_reach_cancelled);
}

/**
 * aring_queue_or_cancel_quiet() - the owner wants to go to QUEUED
 * @req: SUBMITTED or STARTED, armed or about to be listed
 * @again: out: it was woken meanwhile; still owned, look again
 *
 * The caller calls aring_run_unblocked() once it has let go of work_lock.
 *
 * Context: any, no lock inside work_lock held.
 *
 * Return: true if it is QUEUED. False with *@again if it is still owned,
 * false without if somebody had asked for it back and it is over, its CQE
 * posted. Except for *@again the request may not be touched.
 */
bool aring_queue_or_cancel_quiet(struct aring_req *req, bool *again)
{
	bool real = req->flags & ARING_REQ_REAL;
	struct aring_ring *ring = req->ring;
	enum aring_queued queued;
	unsigned long flags;

	rcu_read_lock();
	spin_lock_irqsave(&ring->cq_lock, flags);
	if (unlikely(aring_req_partial(req)) &&
	    aring_state_cancel_wanted(&req->state)) {
		/* Not CANCELLED: what was moved counts. */
		aring_reach_done(req);
		queued = ARING_QUEUED_CANCELLED;
	} else {
		queued = aring_edge_queue(req);
		WARN_ON_ONCE(queued == ARING_QUEUED_BAD);
		if (queued == ARING_QUEUED_CANCELLED)
			aring_reach_cancelled(req);
	}
	if (queued == ARING_QUEUED_CANCELLED) {
		aring_end(ring, req);
		aring_cq_commit(ring);
		if (unlikely(real))
			aring_real_end(ring);
	}
	spin_unlock_irqrestore(&ring->cq_lock, flags);
	if (queued == ARING_QUEUED_CANCELLED) {
		aring_cq_wake(ring);
		if (unlikely(real))
			aring_quiet_look(ring);
	}
	rcu_read_unlock();

	*again = queued == ARING_QUEUED_AGAIN;
	return queued == ARING_QUEUED_OK;
}

/**
 * aring_queue_or_cancel() - the same, for who does not hold work_lock
 * @req: owned, SUBMITTED or STARTED
 * @again: see aring_queue_or_cancel_quiet()
 *
 * Return: see aring_queue_or_cancel_quiet().
 */
bool aring_queue_or_cancel(struct aring_req *req, bool *again)
{
	struct aring_ring *ring = req->ring;
	bool queued;

	rcu_read_lock();
	queued = aring_queue_or_cancel_quiet(req, again);
	if (unlikely(READ_ONCE(ring->nr_unblocked)))
		aring_run_unblocked(ring);
	rcu_read_unlock();
	return queued;
}

/**
 * aring_post_more() - post a CQE of a request that goes on
 * @req: STARTED and owned
 * @res: what the CQE says; ARING_CQE_F_MORE is set
 *
 * Context: any, work_lock not held.
 *
 * Return: false if there is no room: then the request has to end, with this as
 * its last CQE, which may wait in it.
 */
bool aring_post_more(struct aring_req *req, s32 res)
{
	struct aring_ring *ring = req->ring;
	unsigned long flags;
	bool ok;

	spin_lock_irqsave(&ring->cq_lock, flags);
	ok = !ring->nr_overflow && !aring_fate_cq_full(req) &&
	     (ring->cq_room || aring_cq_look_for_room(ring));
	if (ok) {
		aring_cqe_put(ring, req,
			      (u32)res | (u64)ARING_CQE_F_MORE << 32, false);
		ring->nr_events++;
		aring_cq_commit(ring);
	}
	spin_unlock_irqrestore(&ring->cq_lock, flags);
	/* The request is ours, so it keeps the ring. */
	if (ok)
		aring_cq_ended(ring);
	return ok;
}

/* Nobody watches: see aring_complete_batch(). */
static inline void aring_finish_inline(struct aring_req *req)
{
	if (unlikely(!aring_state_finish(&req->state)))
		WARN_ON_ONCE(!aring_state_refuse(&req->state));
}

/*
 * Post one CQE after the other, as long as there is room. cq_lock.
 *
 * Return: the first request that found none, whose slot is still its own, or
 * NULL. All slots before it are linked, and @last is where they end.
 */
static struct aring_req *aring_post_batch(struct aring_ring *ring,
					  struct aring_req *req,
					  struct aring_req **last)
{
	struct aring_cqe *cqes = ring->shared->cqes;
	u32 mask = ring->cq_mask, tail = ring->cq_tail;
	u32 end = tail + ring->cq_room;

	do {
		struct aring_cqe *cqe = &cqes[tail & mask];

		if (unlikely(tail == end))
			break;
		aring_finish_inline(req);
		*last = req;
		if (aring_skips_cqe(req))
			continue;
		aring_cqe_write(cqe, req->user_data, req->result);
		tail++;
	} while ((req = (*last)->next) != NULL);
	ring->cq_room = end - tail;
	ring->nr_events += (u32)(tail - ring->cq_tail);
	ring->cq_tail = tail;
	return req;
}

/*
 * There may be no room, an order to be kept, or somebody who watches. Some slots are
 * kept by CQEs that wait. cq_lock.
 */
static void aring_post_crowded(struct aring_ring *ring, struct aring_req *req)
{
	struct aring_req *next;

	for (; req; req = next) {
		next = req->next;
		if (unlikely(!aring_edge_finish(req)))
			WARN_ON_ONCE(!aring_edge_refuse(req));
		if (aring_post(ring, req)) {
			req->next = ring->free;
			ring->free = req;
		}
	}
}

/**
 * aring_complete_batch() - post the CQEs of what ended inline
 * @ring: the ring, submit_lock held
 * @first: first of a list through &aring_req.next, in order; STARTED or
 *	SUBMITTED (refused), known to nobody else
 *
 * One hold of cq_lock and one look at the wait queues for all of them. The
 * slots go back to the free list.
 */
void aring_complete_batch(struct aring_ring *ring, struct aring_req *first)
{
	struct aring_req *last = NULL, *rest = first;
	unsigned long flags;

	spin_lock_irqsave(&ring->cq_lock, flags);
	if (likely(!ring->nr_overflow && ring->plain &&
		   !tracepoint_enabled(aring_edge))) {
		if (ring->cq_room < ARING_BATCH)
			aring_cq_look_for_room(ring);
		rest = aring_post_batch(ring, first, &last);
	}
	if (last) {
		last->next = ring->free;
		ring->free = first;
	}
	if (unlikely(rest))
		aring_post_crowded(ring, rest);
	aring_cq_commit(ring);
	spin_unlock_irqrestore(&ring->cq_lock, flags);
	aring_cq_ended(ring);
}

/**
 * aring_post_instant() - an instant is at its end: post what is over by then
 * @ring: a ring with COMPLETION_ORDER, on a virtual clock
 *
 * Context: process.
 */
void aring_post_instant(struct aring_ring *ring)
{
	unsigned long flags;

	/* rcu: a dying ring outlives the wake-up. */
	rcu_read_lock();
	spin_lock_irqsave(&ring->cq_lock, flags);
	ring->order.end_armed = false;
	aring_post_due(ring, true);
	aring_cq_commit(ring);
	spin_unlock_irqrestore(&ring->cq_lock, flags);
	aring_cq_ended(ring);
	rcu_read_unlock();
}

/**
 * aring_overflow_flush() - move CQEs that waited for room into the ring
 * @ring: the ring
 *
 * Return: true if none is left waiting.
 */
bool aring_overflow_flush(struct aring_ring *ring)
{
	struct aring_req *req;
	unsigned long flags;
	bool empty;

	if (likely(!READ_ONCE(ring->nr_overflow)))
		return true;

	spin_lock_irqsave(&ring->cq_lock, flags);
	while (!list_empty(&ring->overflow) &&
	       (ring->cq_room || aring_cq_look_for_room(ring))) {
		req = list_first_entry(&ring->overflow, struct aring_req,
				       cq_entry);
		list_del_init(&req->cq_entry);
		WRITE_ONCE(ring->nr_overflow, ring->nr_overflow - 1);
		aring_cqe_fill(ring, req);
		llist_add(&req->reclaim, &ring->reclaim);
	}
	aring_cq_commit(ring);
	empty = list_empty(&ring->overflow);
	if (empty)
		atomic_andnot(ARING_SQ_CQ_OVERFLOW, &ring->shared->sq_flags);
	spin_unlock_irqrestore(&ring->cq_lock, flags);
	aring_cq_ended(ring);
	return empty;
}

/**
 * aring_overflow_drop() - forget the CQEs that nobody will read any more
 * @ring: a dying ring
 */
void aring_overflow_drop(struct aring_ring *ring)
{
	struct aring_req *req, *tmp;
	unsigned long flags;

	spin_lock_irqsave(&ring->cq_lock, flags);
	list_for_each_entry_safe(req, tmp, &ring->overflow, cq_entry) {
		list_del_init(&req->cq_entry);
		llist_add(&req->reclaim, &ring->reclaim);
	}
	WRITE_ONCE(ring->nr_overflow, 0);
	while ((req = aring_order_first(ring)) != NULL)
		llist_add(&req->reclaim, &ring->reclaim);
	spin_unlock_irqrestore(&ring->cq_lock, flags);
}
