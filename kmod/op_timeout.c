// SPDX-License-Identifier: GPL-2.0
/*
 * TIMEOUT and TIMEOUT_REMOVE.
 *
 * An armed TIMEOUT is QUEUED, and three may end it: its timer (-ETIME), the
 * completion that it counted up to (0), or a canceller. Whoever takes it out
 * of QUEUED does; the others pass by.
 *
 * On a virtual clock all three clocks that it may name are that one, and the timer
 * is an event of it. It must not stay armed once the TIMEOUT is over, or time
 * would go there for nothing.
 */
#include <linux/hrtimer.h>
#include <linux/time.h>
#include <linux/uaccess.h>

#include "edge.h"
#include "hold.h"
#include "op.h"

static clockid_t aring_timeout_clock(u32 flags)
{
	switch (flags & ARING_TIMEOUT_CLOCK_MASK) {
	case ARING_TIMEOUT_BOOTTIME:
		return CLOCK_BOOTTIME;
	case ARING_TIMEOUT_REALTIME:
		return CLOCK_REALTIME;
	default:
		return CLOCK_MONOTONIC;
	}
}

static enum hrtimer_mode aring_timeout_mode(u32 flags)
{
	return flags & ARING_TIMEOUT_ABS ? HRTIMER_MODE_ABS :
					   HRTIMER_MODE_REL;
}

static int aring_timeout_get_time(struct timespec64 *time, u64 addr)
{
	if (get_timespec64(time, u64_to_user_ptr(addr)))
		return -EFAULT;
	if (time->tv_sec < 0 || time->tv_nsec < 0)
		return -EINVAL;
	return 0;
}

/**
 * aring_timeout_prep() - take TIMEOUT's fields out of an SQE
 * @req: SUBMITTED
 * @sqe: the kernel's own copy
 *
 * Return: 0, -EINVAL or -EFAULT.
 */
int aring_timeout_prep(struct aring_req *req, const struct aring_sqe *sqe)
{
	struct aring_timeout *timeout = &req->timeout;

	if (sqe->addr3 || sqe->__pad2[0] || sqe->buf_index || sqe->len != 1 ||
	    sqe->splice_fd_in)
		return -EINVAL;
	timeout->off = sqe->off;
	timeout->flags = sqe->timeout_flags;
	if (timeout->flags & ~(ARING_TIMEOUT_ABS | ARING_TIMEOUT_CLOCK_MASK |
			       ARING_TIMEOUT_ETIME_SUCCESS))
		return -EINVAL;
	if (hweight32(timeout->flags & ARING_TIMEOUT_CLOCK_MASK) > 1)
		return -EINVAL;
	return aring_timeout_get_time(&timeout->time, sqe->addr);
}

/**
 * aring_link_timeout_prep() - take LINK_TIMEOUT's fields out of an SQE
 * @req: SUBMITTED
 * @sqe: the kernel's own copy
 *
 * What it is for, submission finds out.
 *
 * Return: 0, -EINVAL or -EFAULT.
 */
int aring_link_timeout_prep(struct aring_req *req, const struct aring_sqe *sqe)
{
	return (u32)sqe->off ? -EINVAL : aring_timeout_prep(req, sqe);
}

/* The time of a TIMEOUT has come. STARTED by the caller. */
static void aring_timeout_end(struct aring_req *req)
{
	req->res = -ETIME;
	if (!(req->timeout.flags & ARING_TIMEOUT_ETIME_SUCCESS))
		req->flags |= ARING_REQ_FAIL;
	req->flags |= ARING_REQ_COUNTED;
	aring_complete(req);
}

static enum hrtimer_restart aring_timeout_fire(struct hrtimer *timer)
{
	struct aring_req *req = container_of(timer, struct aring_req,
					     timeout.timer);

	if (!aring_edge_take(req))
		return HRTIMER_NORESTART;
	if (req->opcode == ARING_OP_LINK_TIMEOUT)
		aring_link_fire(req);
	else
		aring_timeout_end(req);
	return HRTIMER_NORESTART;
}

static void aring_timeout_fire_virtual(struct aring_event *event)
{
	struct aring_req *req = container_of(event, struct aring_req,
					     timeout.event);

	if (!aring_edge_take(req))
		return;
	/* Here and now, so that what comes behind it finds it done. */
	if (req->opcode == ARING_OP_LINK_TIMEOUT)
		aring_link_fire_now(req);
	else
		aring_timeout_end(req);
}

/* cq_lock. */
static void aring_timeout_set_virtual(struct aring_req *req,
				      const struct timespec64 *time,
				      enum hrtimer_mode mode)
{
	u64 ns = timespec64_to_ktime(*time);

	/* Whoever else ends it does so under our lock, and stops the timer. */
	if (aring_state_read(&req->state) != ARING_QUEUED)
		return;
	if (mode == HRTIMER_MODE_REL)
		ns = min_t(u64, ns, ARING_TIME_MAX) + aring_now(req->ring);
	aring_event_init(&req->timeout.event, ARING_PHASE_LIMIT,
			 aring_timeout_fire_virtual);
	req->timer_ready = true;
	aring_event_arm(req->ring, &req->timeout.event, ns, req->ticket);
}

/**
 * aring_timeout_stop() - stop the timer of a TIMEOUT that another one has ended
 * @req: final; cq_lock held
 *
 * A real timer may fire for nothing and is stopped later.
 */
void aring_timeout_stop(struct aring_req *req)
{
	if (unlikely(aring_is_virtual(req->ring)) && req->timer_ready)
		aring_event_disarm(req->ring, &req->timeout.event);
}

/**
 * aring_timeout_expire() - let the time of a TIMEOUT have come, now
 * @req: armed, STARTED by the caller
 *
 * Context: process.
 */
void aring_timeout_expire(struct aring_req *req)
{
	aring_req_release(req);
	aring_timeout_end(req);
}

/*
 * Set the timer. It is set up anew each time: a relative timer on the real clock is
 * one on the monotonic clock to the kernel, an absolute one is not. On a virtual
 * clock cq_lock is held.
 */
static void aring_timeout_set(struct aring_req *req,
			      const struct timespec64 *time,
			      enum hrtimer_mode mode)
{
	struct aring_timeout *timeout = &req->timeout;

	if (unlikely(aring_is_virtual(req->ring))) {
		aring_timeout_set_virtual(req, time, mode);
		return;
	}
	hrtimer_init(&timeout->timer, aring_timeout_clock(timeout->flags),
		     mode);
	timeout->timer.function = aring_timeout_fire;
	req->timer_ready = true;
	hrtimer_start(&timeout->timer, timespec64_to_ktime(*time), mode);
}

/* Return: true if it was set, and will not fire. */
static bool aring_timeout_unset(struct aring_req *req)
{
	if (unlikely(aring_is_virtual(req->ring)))
		return aring_event_disarm(req->ring, &req->timeout.event);
	return hrtimer_try_to_cancel(&req->timeout.timer) == 1;
}

/* Start the timer as the program wants it. */
static void aring_timeout_start(struct aring_req *req)
{
	const struct aring_timeout *timeout = &req->timeout;
	enum hrtimer_mode mode = aring_timeout_mode(timeout->flags);

	if (likely(!aring_is_virtual(req->ring))) {
		aring_timeout_set(req, &timeout->time, mode);
		return;
	}
	spin_lock_irq(&req->ring->cq_lock);
	aring_timeout_set(req, &timeout->time, mode);
	spin_unlock_irq(&req->ring->cq_lock);
}

/**
 * aring_timeout_arm() - start the timer of a LINK_TIMEOUT
 * @req: QUEUED a moment ago; &aring_ring.lock held
 */
void aring_timeout_arm(struct aring_req *req)
{
	aring_timeout_start(req);
}

/* Enter the list of those that count completions, in order. */
static void aring_timeout_count(struct aring_req *req)
{
	struct aring_ring *ring = req->ring;
	struct aring_timeout *timeout = &req->timeout;
	struct list_head *pos;
	unsigned long flags;

	spin_lock_irqsave(&ring->cq_lock, flags);
	timeout->target = ring->nr_events + timeout->off;
	list_for_each_prev(pos, &ring->counting) {
		struct aring_timeout *other;

		other = list_entry(pos, struct aring_timeout, counting);
		if (other->target <= timeout->target)
			break;
	}
	list_add(&timeout->counting, pos);
	req->flags |= ARING_REQ_COUNTING;
	spin_unlock_irqrestore(&ring->cq_lock, flags);
}

/**
 * aring_timeout_issue() - arm a TIMEOUT
 * @req: SUBMITTED
 * @how: ARING_ISSUE_INLINE
 *
 * Return: ARING_ISSUED_AWAY, or ARING_ISSUED_DONE if the ring takes nothing.
 */
int aring_timeout_issue(struct aring_req *req, unsigned int how)
{
	struct aring_timeout *timeout = &req->timeout;
	struct aring_ring *ring = req->ring;
	bool again;

	aring_req_go_async(req);
	/*
	 * QUEUED first, so that a completion that is counted up to finds it so.
	 * The lock keeps cancellers away, and keeps it from being reclaimed
	 * before its timer is started.
	 */
	mutex_lock(&ring->lock);
	if (!aring_req_list_locked(req)) {
		mutex_unlock(&ring->lock);
		aring_req_set_result(req, -ECANCELED);
		return ARING_ISSUED_DONE;
	}
	if (aring_queue_or_cancel(req, &again)) {
		if (timeout->off)
			aring_timeout_count(req);
		aring_timeout_start(req);
	}
	mutex_unlock(&ring->lock);
	return ARING_ISSUED_AWAY;
}

/**
 * aring_timeout_cleanup() - stop the timer
 * @req: final
 */
void aring_timeout_cleanup(struct aring_req *req)
{
	if (req->timer_ready && unlikely(aring_is_virtual(req->ring)))
		aring_event_disarm_sync(req->ring, &req->timeout.event);
	else if (req->timer_ready)
		hrtimer_cancel(&req->timeout.timer);
	req->timer_ready = false;
}

/**
 * aring_timeout_remove_prep() - take TIMEOUT_REMOVE's fields out of an SQE
 * @req: SUBMITTED
 * @sqe: the kernel's own copy
 *
 * Return: 0, -EINVAL or -EFAULT.
 */
int aring_timeout_remove_prep(struct aring_req *req,
			      const struct aring_sqe *sqe)
{
	struct aring_cancel *cancel = &req->cancel;

	if (req->sqe_flags & ARING_SQE_FIXED_FILE)
		return -EINVAL;
	if (sqe->addr3 || sqe->__pad2[0] || sqe->buf_index || sqe->len ||
	    sqe->splice_fd_in)
		return -EINVAL;
	cancel->key = sqe->addr;
	cancel->flags = sqe->timeout_flags;
	if (!cancel->flags)
		return 0;
	if (!(cancel->flags & ARING_TIMEOUT_UPDATE_MASK) ||
	    (cancel->flags & ~(ARING_TIMEOUT_UPDATE_MASK | ARING_TIMEOUT_ABS)))
		return -EINVAL;
	return aring_timeout_get_time(&cancel->time, sqe->addr2);
}

/* Give an armed TIMEOUT a new time; it counts no more. &aring_ring.lock. */
static int aring_timeout_update(struct aring_req *target,
				const struct aring_cancel *cancel)
{
	struct aring_timeout *timeout = &target->timeout;
	struct aring_ring *ring = target->ring;
	unsigned long flags;
	int ret = -EALREADY;

	/* Held, it will be armed so, and its time begins to run then. */
	if (aring_hold_is_early(target)) {
		timeout->time = cancel->time;
		timeout->off = 0;
		timeout->flags &= ~ARING_TIMEOUT_ABS;
		timeout->flags |= cancel->flags & ARING_TIMEOUT_ABS;
		return 0;
	}
	/* One that waits for other requests has no time yet; a hint, see below. */
	if (!data_race(target->timer_ready))
		return -ENOENT;
	/* cq_lock: no completion may end it between our look and the start. */
	spin_lock_irqsave(&ring->cq_lock, flags);
	if (aring_state_final(aring_state_read(&target->state))) {
		ret = -ENOENT;
	} else if (aring_state_read(&target->state) == ARING_QUEUED &&
		   aring_timeout_unset(target)) {
		if (target->flags & ARING_REQ_COUNTING) {
			list_del_init(&timeout->counting);
			target->flags &= ~ARING_REQ_COUNTING;
		}
		aring_timeout_set(target, &cancel->time,
				  aring_timeout_mode(cancel->flags));
		ret = 0;
	}
	spin_unlock_irqrestore(&ring->cq_lock, flags);
	return ret;
}

/**
 * aring_timeout_remove_issue() - take a TIMEOUT back, or give it a new time
 * @req: STARTED
 * @how: ARING_ISSUE_INLINE
 *
 * Return: ARING_ISSUED_DONE; the result is 0, -ENOENT or -EALREADY.
 */
int aring_timeout_remove_issue(struct aring_req *req, unsigned int how)
{
	struct aring_cancel *cancel = &req->cancel;
	struct aring_ring *ring = req->ring;
	/* As on Linux 6.1, LINK_TIMEOUT_UPDATE alone takes a TIMEOUT back. */
	bool link_update = (cancel->flags & ARING_TIMEOUT_UPDATE_MASK) ==
			   ARING_TIMEOUT_UPDATE_MASK;
	struct aring_req *target;
	int ret = -ENOENT;

	mutex_lock(&ring->lock);
	target = aring_find_by_data(ring, cancel->key,
				    link_update ?
				    ARING_OP_LINK_TIMEOUT : ARING_OP_TIMEOUT);
	if (target)
		ret = cancel->flags & ARING_TIMEOUT_UPDATE ?
			aring_timeout_update(target, cancel) :
			aring_cancel_one(target, req);
	mutex_unlock(&ring->lock);
	aring_req_set_result(req, ret);
	return ARING_ISSUED_DONE;
}
