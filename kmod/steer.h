/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Steering: what is to be done to a request that would not happen by itself.
 *
 * It is decided once, when the request is submitted, by whoever has something to
 * say: the rules of the ring (steer.c), or the plan or seed of a session
 * (session.c). The decision is the request's fate. Carrying it out is hold.c's
 * and late.c's, who neither know nor care who decided.
 */
#ifndef ARING_STEER_H
#define ARING_STEER_H

#include <linux/list.h>

#include "timeline.h"
#include "uapi/linux/aring.h"

struct aring_req;
struct aring_ring;

/**
 * struct aring_fate - what is to be done to one request
 * @hold: ARING_ACT_HOLD_QUEUED, _STARTED, _DONE, ARING_ACT_CANCEL_WINS, or
 *	ARING_ACT_NONE
 * @verdict: ARING_ACT_CANCEL_LOSES, until a cancel has lost, or ARING_ACT_NONE
 * @late: ARING_ACT_DELAY, ARING_ACT_AFTER, or ARING_ACT_NONE
 * @cq_full: its CQE finds the ring full
 * @soft: nothing may hang by it: made by chaos, not by a rule
 * @shorten: ARING_ACT_SHORTEN applies
 * @error: negative errno to fail with, or 0
 * @size: bytes to shorten to
 * @value: nanoseconds of DELAY, or number of successors of AFTER
 */
struct aring_fate {
	u16	hold;
	u16	verdict;
	u16	late;
	bool	cq_full;
	bool	soft;
	bool	shorten;
	s32	error;
	u64	size;
	u64	value;
};

#endif /* ARING_STEER_H */
