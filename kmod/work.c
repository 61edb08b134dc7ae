// SPDX-License-Identifier: GPL-2.0
/*
 * The queues of runnable requests: the run list of a ring, for threads of the program,
 * and one for each pool of workers. All are guarded by work_lock.
 */
#include "op.h"
#include "worker.h"

static bool aring_work_less(struct rb_node *a, const struct rb_node *b)
{
	return (s32)(rb_entry(a, struct aring_req, work_entry)->ticket -
		     rb_entry(b, struct aring_req, work_entry)->ticket) < 0;
}

/**
 * aring_work_add() - enter a queue of runnable requests
 * @queue: the queue, oldest ticket first
 * @req: QUEUED, on no list
 *
 * A wait queue wakes those first that came last. Several receives of one socket
 * are to be served in the order of their submission all the same. A tree, because
 * all are woken in one system call of somebody else, with interrupts off.
 *
 * Context: any, work_lock held.
 */
void aring_work_add(struct rb_root_cached *queue, struct aring_req *req)
{
	/*
	 * A wake-up's: who ends the request has left the wait queues before he
	 * looks, and so comes behind it. All others have set it already.
	 */
	if (!req->placed)
		req->placed = true;
	req->work_queue = queue;
	rb_add_cached(&req->work_entry, queue, aring_work_less);
}

/**
 * aring_work_del() - leave it
 * @req: in a queue
 *
 * Context: any, work_lock held.
 */
void aring_work_del(struct aring_req *req)
{
	rb_erase_cached(&req->work_entry, req->work_queue);
	RB_CLEAR_NODE(&req->work_entry);
}

/**
 * aring_work_take() - a request just taken off the run list or a queue is to be run
 * @req: work_lock not let go since; that keeps it, as who reclaims it takes the
 *	lock to look for it
 *
 * Whoever has taken it meanwhile may have begun before the event it was listed
 * for: the wake-up of a multishot poll reports what it was told, and does not ask
 * the file. So he is told to look again; or he is through with it, and it is QUEUED.
 *
 * Return: true if it is STARTED and the caller's.
 */
bool aring_work_take(struct aring_req *req)
{
	while (!aring_edge_take(req)) {
		/* Also if it was taken back: reclaiming it is under way. */
		if (!aring_state_wake(&req->state))
			return false;
	}
	return true;
}
