// SPDX-License-Identifier: GPL-2.0
/*
 * Cancelling: find, compare-and-swap, verdict.
 *
 * All cancelling of one ring happens under &aring_ring.lock, which also keeps
 * what is found from being reclaimed. The lock does not decide anything: the
 * compare-and-swap of state.h does, against timers, workers and devices that
 * know nothing of the lock.
 */
#include "hold.h"
#include "op.h"
#include "session.h"
#include "worker.h"

/*
 * The compare-and-swap. What has moved a part and waits for more cannot be
 * CANCELLED: it is taken, to be ended with what was moved. Going to QUEUED
 * happens under cq_lock, and so does this, lest a request moves its first part
 * and is QUEUED again between our look at it and the swap.
 */
static enum aring_verdict aring_cancel_decide(struct aring_req *req, bool waits,
					      bool *taken)
{
	enum aring_verdict verdict = ARING_VERDICT_STARTED;
	unsigned long flags;

	*taken = false;
	if (!(req->op->flags & ARING_OP_PARTS))
		return aring_edge_cancel(req, waits);
	spin_lock_irqsave(&req->ring->cq_lock, flags);
	if (aring_req_partial(req) && aring_edge_take(req))
		*taken = true;
	else
		verdict = aring_edge_cancel(req, waits);
	spin_unlock_irqrestore(&req->ring->cq_lock, flags);
	return verdict;
}

static int aring_verdict_errno(enum aring_verdict verdict)
{
	switch (verdict) {
	case ARING_VERDICT_CANCELLED:
	case ARING_VERDICT_MARKED:
		return 0;
	case ARING_VERDICT_STARTED:
		return -EALREADY;
	default:
		return -ENOENT;
	}
}

/* @leave: whatever it is, it is not to wait for anything any more. */
static int aring_cancel_take_back(struct aring_req *req, bool leave)
{
	/*
	 * Only what waits for a peer may be withdrawn once it is STARTED; and
	 * what is STARTED just to be armed.
	 */
	bool waits = req->peer ||
		     (req->op->flags & (ARING_OP_OWN_START | ARING_OP_FINAL)) ==
		     ARING_OP_OWN_START;
	enum aring_verdict verdict;
	bool taken;

	if (aring_req_has_fate(req) && leave)
		aring_hold_leave(req);
	verdict = aring_cancel_decide(req, waits || leave, &taken);
	switch (verdict) {
	case ARING_VERDICT_CANCELLED:
		aring_req_release(req);
		aring_complete_cancelled(req);
		break;
	case ARING_VERDICT_MARKED:
		if (aring_req_has_fate(req))
			aring_hold_marked(req);
		break;
	case ARING_VERDICT_STARTED:
		if (taken)
			aring_run_end(req, ARING_ISSUED_DONE);
		else if (req->peer)
			aring_worker_interrupt(req);
		/*
		 * What is held with its result final: nobody will ask for it,
		 * nor for what it is held by next.
		 */
		while (aring_req_has_fate(req) && leave &&
		       aring_hold_let_go(req))
			;
		break;
	default:
		break;
	}
	return aring_verdict_errno(verdict);
}

/*
 * Its fate is to make cancels lose: this one, and so those after it. What would
 * wait for ever if it went its own way is ended. &aring_ring.lock.
 */
static int aring_cancel_lose(struct aring_req *req)
{
	if (aring_state_final(aring_state_read(&req->state)))
		return -ENOENT;
	/* What is not tried yet waits for others, or for a thread to run it. */
	if (aring_hold_let_go(req) || aring_req_peek(req, ARING_REQ_LAUNCH))
		return -EALREADY;
	if (req->opcode == ARING_OP_TIMEOUT) {
		/* Against its timer, and what it counts. A hint: then it is taken. */
		if (data_race(req->timer_ready) && aring_edge_take(req))
			aring_timeout_expire(req);
		return -EALREADY;
	}
	if (!req->peer)
		return -EALREADY;
	/* As if it had been STARTED, by a wake-up for nothing, as we came. */
	if (aring_edge_take(req)) {
		aring_edge_cancel(req, true);
		aring_run_withdraw(req);
		return -EALREADY;
	}
	req->steered->fate.verdict = ARING_ACT_NONE;
	return aring_cancel_take_back(req, false) ?: -EALREADY;
}

/* With the lock held it is not reclaimed, whatever becomes of it. */
static int aring_cancel_req(struct aring_req *req, const struct aring_req *by,
			    bool leave)
{
	int ret;

	if (aring_req_has_fate(req) && !leave &&
	    req->steered->fate.verdict == ARING_ACT_CANCEL_LOSES)
		ret = aring_cancel_lose(req);
	else
		ret = aring_cancel_take_back(req, leave);
	/* A ring that ends asks for all, also for what is over. */
	if (tracepoint_enabled(aring_cancel) && (by || ret != -ENOENT))
		aring_edge_note_cancel(req, by, ret);
	return ret;
}

/**
 * aring_cancel_one() - take one request back, if that is still possible
 * @req: listed; &aring_ring.lock held
 * @by: the request that asks, or NULL
 *
 * Return: 0: taken back, its CQE says -ECANCELED. -EALREADY: it has started,
 * its own result follows. -ENOENT: it is over, its CQE is there.
 */
int aring_cancel_one(struct aring_req *req, const struct aring_req *by)
{
	int ret = aring_cancel_req(req, by, false);

	/* With the lock held it is not reclaimed, whatever has become of it. */
	if (aring_req_has_fate(req) && req->steered->fate.line)
		aring_session_verdict(req, ret);
	return ret;
}

/**
 * aring_cancel_check() - are the flags of a cancel good?
 * @cancel: as the program gave it
 *
 * Return: 0 or -EINVAL.
 */
int aring_cancel_check(const struct aring_cancel *cancel)
{
	const u32 flags = cancel->flags;

	if (flags & ~ARING_CANCEL_FLAGS)
		return -EINVAL;
	if ((flags & ARING_ASYNC_CANCEL_ANY) &&
	    (flags & (ARING_ASYNC_CANCEL_FD | ARING_ASYNC_CANCEL_OP)))
		return -EINVAL;
	/* A ticket is one request: nothing to combine it with. */
	if ((flags & ARING_ASYNC_CANCEL_TICKET) &&
	    (flags != ARING_ASYNC_CANCEL_TICKET || cancel->key > U32_MAX))
		return -EINVAL;
	return 0;
}

static bool aring_cancel_match(const struct aring_req *req,
			       const struct aring_cancel *cancel,
			       const struct file *file)
{
	const u32 flags = cancel->flags;
	bool by_data = flags & ARING_ASYNC_CANCEL_USERDATA;

	if (!(flags & (ARING_ASYNC_CANCEL_FD | ARING_ASYNC_CANCEL_OP |
		       ARING_ASYNC_CANCEL_ANY)))
		by_data = true;
	if (aring_state_final(aring_state_read(&req->state)))
		return false;
	/* One that waited for others before is in the tables itself. */
	if (&req->cancel == cancel)
		return false;
	/* As on Linux 6.1, a time limit is found only by what it is for. */
	if (req->opcode == ARING_OP_LINK_TIMEOUT)
		return false;
	/*
	 * Who is not asked for by name goes with the chain, whose head ends the
	 * rest.
	 */
	if (!by_data && aring_link_waits(req))
		return false;
	if (flags & ARING_ASYNC_CANCEL_ANY)
		return true;
	if ((flags & ARING_ASYNC_CANCEL_FD) && req->match_file != file)
		return false;
	if ((flags & ARING_ASYNC_CANCEL_OP) && req->opcode != cancel->opcode)
		return false;
	return !by_data || req->user_data == cancel->key;
}

/*
 * Go through one bucket. Completing a request does not take it out of the
 * tables, so the list stays as it is. Return: true to go on searching.
 */
static bool aring_cancel_bucket(struct aring_bucket *bucket,
				const struct aring_cancel *cancel,
				const struct file *file,
				const struct aring_req *by, bool all, int *ret,
				int *nr)
{
	struct aring_req *req;
	int verdict;

	list_for_each_entry(req, &bucket->by_data, by_data) {
		if (!aring_cancel_match(req, cancel, file))
			continue;
		verdict = aring_cancel_one(req, by);
		if (verdict == -ENOENT)
			continue;
		if (!all) {
			*ret = verdict;
			return false;
		}
		(*nr)++;
		if (verdict == -EALREADY)
			*ret = verdict;
	}
	return true;
}

/**
 * aring_cancel() - carry out a cancel
 * @ring: the ring, lock held
 * @cancel: checked by aring_cancel_check()
 * @file: for CANCEL_FD
 * @by: the request that asks, or NULL
 *
 * Return: a verdict as aring_cancel_one() gives, or with ALL or ANY the number
 * of requests found.
 */
int aring_cancel(struct aring_ring *ring, const struct aring_cancel *cancel,
		 struct file *file, const struct aring_req *by)
{
	const u32 any = ARING_ASYNC_CANCEL_ANY;
	bool all = cancel->flags & (ARING_ASYNC_CANCEL_ALL | any);
	struct aring_req *req;
	int ret = -ENOENT, nr = 0;
	unsigned int i;

	lockdep_assert_held(&ring->lock);
	if (cancel->flags & ARING_ASYNC_CANCEL_TICKET) {
		req = aring_find_by_ticket(ring, cancel->key);
		/* Its own ticket names nothing that could be taken back. */
		return req && req != by ? aring_cancel_one(req, by) : -ENOENT;
	}
	/* By user_data alone only one bucket can have it. */
	if (!(cancel->flags & (ARING_ASYNC_CANCEL_FD | any |
			       ARING_ASYNC_CANCEL_OP))) {
		aring_cancel_bucket(aring_bucket(ring, cancel->key), cancel,
				    file, by, all, &ret, &nr);
		return all ? nr : ret;
	}
	for (i = 0; i < 1U << ring->hash_bits; i++) {
		if (!aring_cancel_bucket(&ring->buckets[i], cancel, file, by,
					 all, &ret, &nr))
			break;
	}
	return all ? nr : ret;
}

/**
 * aring_cancel_all() - take back whatever can be
 * @ring: the ring, lock held
 * @mm: only what was submitted from this address space, or NULL
 */
void aring_cancel_all(struct aring_ring *ring, const struct mm_struct *mm)
{
	struct aring_req *req;
	unsigned int i;

	lockdep_assert_held(&ring->lock);
	if (!ring->nr_inflight)
		return;
	/*
	 * One pass is enough: what waits in a chain is taken back itself, so
	 * nothing that we have passed is let go by what we find later.
	 */
	for (i = 0; i < 1U << ring->hash_bits; i++) {
		list_for_each_entry(req, &ring->buckets[i].by_data, by_data) {
			if (!mm || req->mm == mm)
				aring_cancel_req(req, NULL, true);
		}
	}
}
