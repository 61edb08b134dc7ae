// SPDX-License-Identifier: GPL-2.0
/*
 * One attempt at a request, in the thread of the program that runs it: the first one,
 * the one after a wake-up, and what becomes of the request afterwards.
 *
 * Who runs which request and when is run.c's.
 */
#include <linux/cred.h>
#include <linux/poll.h>
#include <linux/sched.h>

#include "edge.h"
#include "hold.h"
#include "op.h"
#include "quiet.h"
#include "where.h"
#include "worker.h"

/**
 * aring_run_withdraw() - the owner obeys who wants the request back
 * @req: STARTED and owned, with nothing to move now
 *
 * Context: process.
 */
void aring_run_withdraw(struct aring_req *req)
{
	aring_req_release(req);
	/* What was moved before counts. */
	if (aring_req_partial(req))
		aring_complete(req);
	else
		aring_complete_withdrawn(req);
}

/**
 * aring_run_end() - deal with what an attempt returned
 * @req: what was tried; not ours any more if @ret is ARING_ISSUED_AWAY
 * @ret: ARING_ISSUED_*, not ARING_ISSUED_AGAIN
 *
 * Context: process.
 */
void aring_run_end(struct aring_req *req, int ret)
{
	if (ret == ARING_ISSUED_AWAY)
		return;
	if (ret == ARING_ISSUED_INTR) {
		if (aring_state_cancel_wanted(&req->state)) {
			aring_run_withdraw(req);
			return;
		}
		aring_req_set_result(req, -EINTR);
	}
	aring_req_release(req);
	aring_complete(req);
}

/*
 * An attempt that may take long. Others run what this thread was to run next, and
 * it is nobody to give work to meanwhile.
 */
static int aring_run_block(struct aring_req *req)
{
	struct aring_ring *ring = req->ring;
	struct aring_sleeper *sleeper, *paused = NULL;
	unsigned long flags;
	int ret;

	aring_link_arm_for(req);
	spin_lock_irqsave(&ring->work_lock, flags);
	list_for_each_entry(sleeper, &ring->sleepers, list) {
		if (sleeper->task == current)
			paused = sleeper;
	}
	if (paused)
		list_del_init(&paused->list);
	spin_unlock_irqrestore(&ring->work_lock, flags);
	aring_run_handoff(ring);

	/* It may be gone when this returns; the ring is kept by our file. */
	ret = req->op->issue(req, ARING_ISSUE_BLOCK);
	if (paused) {
		spin_lock_irqsave(&ring->work_lock, flags);
		list_add(&paused->list, &ring->sleepers);
		spin_unlock_irqrestore(&ring->work_lock, flags);
	}
	return ret;
}

/**
 * aring_run_async() - a request cannot end at once
 * @req: SUBMITTED or STARTED, ours, listed, in its home
 *
 * Waits for the file if it can be polled, else leaves the work to a worker. What
 * can do none of that is done here, and may block as the plain call would.
 *
 * Context: process, no lock but perhaps submit_lock held.
 */
void aring_run_async(struct aring_req *req)
{
	if (aring_req_polls_first(req)) {
		aring_run_when_ready(req);
		return;
	}
	if (req->where == ARING_WHERE_DISK) {
		aring_worker_queue(req);
		return;
	}
	if (aring_state_read(&req->state) == ARING_SUBMITTED &&
	    !aring_edge_start(req)) {
		/* Asked for back: completing it says so. */
		aring_run_end(req, ARING_ISSUED_DONE);
		return;
	}
	aring_run_end(req, aring_run_block(req));
}

/**
 * aring_run_fail() - the fate of a request is to fail
 * @req: SUBMITTED or STARTED and ours, ARING_REQ_FATE
 *
 * Context: process.
 *
 * Return: true if it is, and it is over.
 */
bool aring_run_fail(struct aring_req *req)
{
	if (!req->steered->fate.error)
		return false;
	/* Asked for back: completing it says so. */
	if (aring_state_read(&req->state) == ARING_SUBMITTED)
		aring_edge_start(req);
	aring_op_set_result(req, req->steered->fate.error);
	aring_run_end(req, ARING_ISSUED_DONE);
	return true;
}

/* Under the submitter's credentials. */
static void aring_run_launch_as(struct aring_req *req)
{
	const struct aring_op *op = req->op;
	int ret;

	if (unlikely(req->flags & ARING_REQ_FATE) && aring_run_fail(req))
		return;
	/* What could not even be copied for it. */
	if (req->flags & ARING_REQ_FAIL) {
		aring_run_end(req, ARING_ISSUED_DONE);
		return;
	}
	if (op->flags & ARING_OP_FILE) {
		if (!req->file) {
			aring_req_set_result(req, -EBADF);
			aring_run_end(req, ARING_ISSUED_DONE);
			return;
		}
		aring_real_begin(req);
		if ((req->sqe_flags & ARING_SQE_ASYNC) ||
		    (op->flags & ARING_OP_BLOCKS)) {
			aring_run_async(req);
			return;
		}
	}
	if (!(op->flags & ARING_OP_OWN_START) &&
	    aring_state_read(&req->state) == ARING_SUBMITTED &&
	    !aring_edge_start(req)) {
		aring_run_end(req, ARING_ISSUED_DONE);
		return;
	}
	ret = op->issue ? op->issue(req, ARING_ISSUE_INLINE) :
			  ARING_ISSUED_DONE;
	if (ret == ARING_ISSUED_AGAIN)
		aring_run_async(req);
	else
		aring_run_end(req, ret);
}

/**
 * aring_run_launch() - the first attempt at a request that is in the tables
 * @req: SUBMITTED or STARTED, ours, in its home; what the program may forget has
 *	been copied
 *
 * Context: process, no lock but perhaps submit_lock held.
 */
void aring_run_launch(struct aring_req *req)
{
	struct aring_ring *ring = req->ring;
	const struct cred *old = NULL;
	bool limited;
	u32 limit;

	limited = aring_link_limit(req, &limit);
	if (req->cred != current_cred())
		old = override_creds(req->cred);
	aring_run_launch_as(req);
	if (old)
		revert_creds(old);
	/* The request may be gone by now, the ring is kept by our file. */
	if (unlikely(limited))
		aring_link_arm(ring, limit);
}

/* One attempt at a STARTED request in its home, under its own credentials. */
static int aring_run_try(struct aring_req *req)
{
	const struct cred *old = NULL;
	unsigned int how = ARING_ISSUE_INLINE;
	int ret;

	if (unlikely(READ_ONCE(req->gone))) {
		aring_req_set_result(req, -ECANCELED);
		return ARING_ISSUED_DONE;
	}
	if (req->cred != current_cred())
		old = override_creds(req->cred);
	/*
	 * A file that would ignore our wish not to wait is asked before;
	 * if it is ready and another reader is faster, the submitter waits as
	 * in the plain call.
	 */
	if (!(req->op->flags & ARING_OP_POLLS) &&
	    !aring_honours_nowait(req->file, req->op->pollin)) {
		if (vfs_poll(req->file, NULL) &
		    (req->events | EPOLLERR | EPOLLHUP))
			how = ARING_ISSUE_BLOCK;
		else
			how = ARING_NOT_READY;
	}
	if (how == ARING_NOT_READY)
		ret = ARING_ISSUED_AGAIN;
	else if (how == ARING_ISSUE_BLOCK)
		ret = aring_run_block(req);
	else
		ret = req->op->issue(req, how);
	if (old)
		revert_creds(old);
	return ret;
}

/**
 * aring_run_one() - try, and wait again where there was nothing
 * @req: STARTED and the caller's, in its home
 *
 * Context: process, no lock but perhaps submit_lock held.
 */
void aring_run_one(struct aring_req *req)
{
	bool again;
	int ret;

	if (unlikely(req->flags & ARING_REQ_LAUNCH)) {
		req->flags &= ~ARING_REQ_LAUNCH;
		aring_run_launch(req);
		return;
	}
	for (;;) {
		ret = aring_run_try(req);
		if (ret != ARING_ISSUED_AGAIN) {
			aring_run_end(req, ret);
			return;
		}
		if (aring_state_cancel_wanted(&req->state)) {
			aring_run_withdraw(req);
			return;
		}
		if (aring_queue_or_cancel(req, &again) || !again)
			return;
		cond_resched();
	}
}

/**
 * aring_run_when_ready() - wait for the file, then run
 * @req: owned (SUBMITTED or STARTED), listed, in the submitter's context
 *
 * Arms the wait queues. If the file is ready at once, and whoever must run
 * the request may be this thread, runs it.
 *
 * Context: process, submit_lock held.
 */
void aring_run_when_ready(struct aring_req *req)
{
	__poll_t mask;
	bool again;
	int ret;

	ret = aring_waitq_arm(req, aring_ready_events(req), &mask);
	if (unlikely(ret && !mask)) {
		aring_req_set_result(req, ret);
		aring_run_end(req, ARING_ISSUED_DONE);
		return;
	}
	/* Not ready: QUEUED, unless it was woken since. */
	if (!mask && (aring_queue_or_cancel(req, &again) || !again))
		return;
	/* Ready. It might wait all the same: then not here. */
	if (req->where == ARING_WHERE_PEER) {
		aring_worker_queue(req);
		return;
	}
	if (aring_state_read(&req->state) == ARING_SUBMITTED &&
	    !aring_edge_start(req)) {
		/* Asked for back: completing it says so. */
		aring_run_end(req, ARING_ISSUED_DONE);
		return;
	}
	aring_run_one(req);
}
