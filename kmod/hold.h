/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Holding requests, and letting them go.
 */
#ifndef ARING_HOLD_H
#define ARING_HOLD_H

#include "request.h"

/* hold.c APIs */
bool aring_hold_first(struct aring_req *req);
void aring_hold_listed(struct aring_ring *ring, u32 ticket);
bool aring_hold_done(struct aring_req *req);
bool aring_hold_done_locked(struct aring_req *req);
bool aring_hold_take_locked(struct aring_req *req, u16 where);
bool aring_hold_take(struct aring_req *req, u16 where);
bool aring_hold_is_soft(const struct aring_steered *steered, u16 at);
void aring_hold_marked(struct aring_req *req);
bool aring_hold_let_go(struct aring_req *req);
void aring_hold_leave(struct aring_req *req);
void aring_hold_forget(struct aring_req *req);
int aring_hold_list(struct aring_ring *ring, struct aring_steer *steer);
int aring_hold_release(struct aring_ring *ring, struct aring_steer *steer);

/* late.c APIs */
void aring_late_init(struct aring_ring *ring);
void aring_late_exit(struct aring_ring *ring);
void aring_late_prepare(struct aring_req *req);
void aring_late_forget(struct aring_req *req);
bool aring_late_is_followed(struct aring_ring *ring, u32 ticket);
void aring_late_unfollow(struct aring_ring *ring, u32 ticket);
void aring_late_arm(struct aring_req *req);
void aring_late_retire(struct aring_req *req);
bool aring_late_look(struct aring_ring *ring, bool in_enter);
void aring_late_watch(struct aring_ring *ring);

/**
 * aring_hold_is_due() - is it to be held before its first attempt?
 * @req: on the run list or in a worker's queue; work_lock held
 *
 * Who finds it there does not take it, but calls aring_hold_listed().
 *
 * Return: true if so. It may have been taken back meanwhile.
 */
static __always_inline bool aring_hold_is_due(const struct aring_req *req)
{
	if (!aring_req_has_fate(req) ||
	    !aring_req_peek(req, ARING_REQ_LAUNCH) ||
	    aring_state_read(&req->state) != ARING_QUEUED)
		return false;
	switch (READ_ONCE(req->steered->fate.hold)) {
	case ARING_ACT_HOLD_QUEUED:
	case ARING_ACT_HOLD_STARTED:
	case ARING_ACT_CANCEL_WINS:
		return true;
	default:
		return false;
	}
}

/**
 * aring_hold_is_early() - is it held where it is QUEUED, and not tried yet?
 * @req: in the tables; &aring_ring.lock held
 *
 * What its first attempt will look at may be changed then.
 *
 * Return: true if so.
 */
static inline bool aring_hold_is_early(const struct aring_req *req)
{
	u16 at = aring_req_has_fate(req) ? READ_ONCE(req->steered->at) :
					   ARING_ACT_NONE;

	return (at == ARING_ACT_HOLD_STARTED || at == ARING_ACT_CANCEL_WINS) &&
	       aring_state_read(&req->state) == ARING_QUEUED;
}

/* Does its CQE find the ring full, whether it is or not? */
static __always_inline bool aring_fate_cq_full(const struct aring_req *req)
{
	return unlikely(req->flags & ARING_REQ_FATE) &&
	       req->steered->fate.cq_full;
}

#endif /* ARING_HOLD_H */
