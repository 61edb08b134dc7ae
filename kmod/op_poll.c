// SPDX-License-Identifier: GPL-2.0
/*
 * POLL_ADD and POLL_REMOVE.
 *
 * An armed poll is QUEUED in the file's wait queues. Usually it ends in the
 * wake-up itself: the waker says what has happened, so nobody has to be asked,
 * and no thread has to run. Where the waker does not say, the poll goes the way
 * of any request that was woken (run.c), and the file is asked again there.
 *
 * A poll that goes on after an event (ADD_MULTI) is STARTED while its CQE is
 * posted and QUEUED in between. When the ring has no room it ends, and the event
 * becomes its last CQE: nothing is lost, and nothing has to be allocated.
 */
#include <linux/poll.h>

#include "hold.h"
#include "main.h"
#include "op.h"
#include "quiet.h"

/* Always reported, as on Linux 6.1, also where they were not asked for. */
#define ARING_POLL_UNMASK	(EPOLLERR | EPOLLHUP | EPOLLNVAL | EPOLLRDHUP)

/* What an update replaces; the rest says how the poll behaves. */
#define ARING_POLL_MASK		((__force __poll_t)0xffff)

/* Of these the waker does not know. */
#define ARING_POLL_URGENT	(EPOLLPRI | EPOLLRDBAND)

static __poll_t aring_poll_parse(const struct aring_sqe *sqe)
{
	u32 events = sqe->poll32_events;

#ifdef __BIG_ENDIAN
	events = swahw32(events);
#endif
	return demangle_poll(events) |
	       (__force __poll_t)(events & (__force u32)EPOLLEXCLUSIVE) |
	       ARING_POLL_UNMASK;
}

/**
 * aring_poll_prep() - take POLL_ADD's fields out of an SQE
 * @req: SUBMITTED
 * @sqe: the kernel's own copy
 *
 * Return: 0 or -EINVAL.
 */
int aring_poll_prep(struct aring_req *req, const struct aring_sqe *sqe)
{
	struct aring_poll *poll = &req->poll;

	if (sqe->buf_index || sqe->off || sqe->addr ||
	    (sqe->len & ~ARING_POLL_ADD_MULTI))
		return -EINVAL;
	poll->multi = sqe->len & ARING_POLL_ADD_MULTI;
	if (poll->multi && (req->sqe_flags & ARING_SQE_CQE_SKIP_SUCCESS))
		return -EINVAL;
	req->events = aring_poll_parse(sqe);
	/* Whoever says both wants the one event. */
	if (sqe->poll32_events & (__force u32)EPOLLONESHOT)
		poll->multi = false;
	return 0;
}

static __poll_t aring_poll_ask(struct aring_req *req)
{
	struct poll_table_struct pt = {
		._key = READ_ONCE(req->events),
	};

	return vfs_poll(req->file, &pt) & pt._key;
}

/* Report events. STARTED and owned. Return: true if that was the last report. */
static bool aring_poll_report(struct aring_req *req, __poll_t mask)
{
	s32 res = mangle_poll(mask);

	/* Two rings that watch each other would never come to rest. */
	if (req->poll.multi && !(mask & EPOLL_URING_WAKE) &&
	    !aring_eventfd_signalling() &&
	    aring_post_more(req, res))
		return false;
	req->res = res & ~(__force s32)EPOLL_URING_WAKE;
	return true;
}

/*
 * Report what there is, and wait for more. Owned. Return: ARING_ISSUED_DONE or
 * ARING_ISSUED_AWAY.
 */
static int aring_poll_go_on(struct aring_req *req, __poll_t mask)
{
	bool again;

	for (;;) {
		if (mask) {
			/* If it is asked back, completing it says so. */
			if (aring_state_read(&req->state) == ARING_SUBMITTED &&
			    !aring_edge_start(req))
				return ARING_ISSUED_DONE;
			if (aring_poll_report(req, mask))
				return ARING_ISSUED_DONE;
		}
		if (aring_queue_or_cancel(req, &again) || !again)
			return ARING_ISSUED_AWAY;
		mask = aring_poll_ask(req);
	}
}

/**
 * aring_poll_issue() - arm a POLL_ADD, or look again after a wake-up
 * @req: SUBMITTED or STARTED, ours
 * @how: ARING_ISSUE_*
 *
 * Context: process.
 *
 * Return: ARING_ISSUED_DONE or ARING_ISSUED_AWAY.
 */
int aring_poll_issue(struct aring_req *req, unsigned int how)
{
	__poll_t mask;
	int ret;

	if (req->flags & ARING_REQ_ARMED)
		return aring_poll_go_on(req, aring_poll_ask(req));
	aring_req_go_async(req);
	if (!aring_req_list(req)) {
		aring_req_set_result(req, -ECANCELED);
		return ARING_ISSUED_DONE;
	}
	aring_real_begin(req);
	req->flags |= ARING_REQ_ARMED;
	/* Rings that watch each other must come to rest. */
	if (aring_is_ring(req->file))
		req->poll.multi = false;
	ret = aring_waitq_arm(req, req->events, &mask);
	/* Nothing will wake it, so that is all it will ever see. */
	if (ret) {
		req->poll.multi = false;
		if (!mask) {
			aring_req_set_result(req, ret);
			return ARING_ISSUED_DONE;
		}
	}
	return aring_poll_go_on(req, mask);
}

/* No wake-up needs to find it any more. The foreign lock is held. */
static void aring_poll_unqueue(struct aring_req *req,
			       struct aring_waiter *waiter)
{
	list_del_init(&waiter->entry.entry);
	/* Pairs with the load-acquire in aring_waiter_remove(). */
	smp_store_release(&waiter->head, NULL);
	/*
	 * Who sees the CQE and closes his descriptor expects the file to be
	 * closed. The other queue, if there is one, belongs to the file too.
	 */
	if (!READ_ONCE(req->waiters[0].head) && !READ_ONCE(req->waiters[1].head))
		aring_req_put_file(req);
}

/**
 * aring_poll_wake() - events have come, and the waker says which
 * @req: kept alive by the lock of the queue, which the caller holds
 * @waiter: in which of its queues
 * @mask: which events
 *
 * Context: any, under foreign locks. @req may be gone afterwards.
 */
void aring_poll_wake(struct aring_req *req, struct aring_waiter *waiter,
		     __poll_t mask)
{
	bool again;

	/*
	 * A socket with plain data wakes with the events of urgent data too. Who
	 * asks for those gets them from the file.
	 */
	if (unlikely(mask & READ_ONCE(req->events) & ARING_POLL_URGENT)) {
		aring_run_wake(req);
		return;
	}
	/* If it is owned its owner is told to look again. */
	while (!aring_edge_take(req)) {
		if (!aring_state_wake(&req->state))
			return;
	}
	if (aring_poll_report(req, mask & (READ_ONCE(req->events) |
					   EPOLL_URING_WAKE))) {
		aring_poll_unqueue(req, waiter);
		aring_complete(req);
		return;
	}
	/*
	 * If the other queue had something at the same time: the file cannot be
	 * asked here, under its lock, so that is for who runs the request.
	 */
	if (!aring_queue_or_cancel(req, &again) && again)
		aring_run_woken(req);
}

/**
 * aring_poll_remove_prep() - take POLL_REMOVE's fields out of an SQE
 * @req: SUBMITTED
 * @sqe: the kernel's own copy
 *
 * Return: 0 or -EINVAL.
 */
int aring_poll_remove_prep(struct aring_req *req, const struct aring_sqe *sqe)
{
	struct aring_poll_update *update = &req->poll_update;

	if (sqe->buf_index || sqe->splice_fd_in)
		return -EINVAL;
	update->flags = sqe->len;
	if (update->flags & ~(ARING_POLL_UPDATE_EVENTS |
			      ARING_POLL_UPDATE_USER_DATA |
			      ARING_POLL_ADD_MULTI))
		return -EINVAL;
	/* Says nothing without an update. */
	if (update->flags == ARING_POLL_ADD_MULTI)
		return -EINVAL;
	update->key = sqe->addr;
	update->user_data = sqe->off;
	if (!(update->flags & ARING_POLL_UPDATE_USER_DATA) && sqe->off)
		return -EINVAL;
	if (!(update->flags & ARING_POLL_UPDATE_EVENTS) && sqe->poll32_events)
		return -EINVAL;
	update->events = aring_poll_parse(sqe);
	/* Who updates asks the file, which may look at who asks. */
	if (update->flags)
		req->flags |= ARING_REQ_HOME;
	return 0;
}

/* Take an armed poll, to change it. &aring_ring.lock. Return: 0 or an errno. */
static int aring_poll_take(struct aring_req *target)
{
	/* What waits for other requests waits for no file yet. */
	if (!aring_req_peek(target, ARING_REQ_ARMED))
		return -ENOENT;
	if (aring_edge_take(target))
		return 0;
	return aring_state_final(aring_state_read(&target->state)) ?
		-ENOENT : -EALREADY;
}

/* &aring_ring.lock. */
static void aring_poll_change(struct aring_req *target,
			      const struct aring_poll_update *update)
{
	struct aring_ring *ring = target->ring;

	if (update->flags & ARING_POLL_UPDATE_EVENTS)
		WRITE_ONCE(target->events,
			   (target->events & ~ARING_POLL_MASK) |
			   (update->events & ARING_POLL_MASK) |
			   ARING_POLL_UNMASK);
	if (update->flags & ARING_POLL_UPDATE_USER_DATA) {
		target->user_data = update->user_data;
		list_move_tail(&target->by_data,
			       &aring_bucket(ring, target->user_data)->by_data);
	}
}

/**
 * aring_poll_remove_issue() - take a POLL_ADD back, or change it
 * @req: STARTED
 * @how: ARING_ISSUE_INLINE
 *
 * Return: ARING_ISSUED_DONE; the result is 0, -ENOENT or -EALREADY.
 */
int aring_poll_remove_issue(struct aring_req *req, unsigned int how)
{
	const struct aring_poll_update *update = &req->poll_update;
	struct aring_ring *ring = req->ring;
	struct aring_req *target;
	int ret = -ENOENT;
	bool held;

	mutex_lock(&ring->lock);
	target = aring_find_by_data(ring, update->key, ARING_OP_POLL_ADD);
	if (!target || !update->flags) {
		if (target)
			ret = aring_cancel_one(target, req);
		mutex_unlock(&ring->lock);
		aring_req_set_result(req, ret);
		return ARING_ISSUED_DONE;
	}
	/* Held, it will be armed so. */
	held = aring_hold_is_early(target);
	ret = held ? 0 : aring_poll_take(target);
	if (!ret)
		aring_poll_change(target, update);
	mutex_unlock(&ring->lock);
	aring_req_set_result(req, ret);
	if (ret || held)
		return ARING_ISSUED_DONE;
	/* Ours as long as it is STARTED. It may be ready for what is new. */
	if (target->where == ARING_WHERE_ENTER && !aring_is_at_home(target))
		aring_run_woken(target);
	else
		aring_run_end(target, aring_poll_go_on(target,
						       aring_poll_ask(target)));
	return ARING_ISSUED_DONE;
}
