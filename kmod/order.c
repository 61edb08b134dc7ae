// SPDX-License-Identifier: GPL-2.0
/*
 * The order of CQEs: who waits for whose.
 *
 * A request that is over but whose turn has not come is parked, in its own slot,
 * as one is that finds the CQ full. It is final: cancels do not find it, it holds
 * nothing but the slot, it is over for drains and has been counted for TIMEOUTs
 * that count. Only its CQE waits.
 *
 *	SUBMISSION_ORDER	for those of all lower tickets. Each ticket that is
 *				consumed comes by here once, also where nothing is
 *				posted for it.
 *	COMPLETION_ORDER	on a virtual clock for the end of the instant, so
 *				that of all that ends then the lower ticket goes
 *				first. On the real clock things end one by one, and
 *				nothing waits.
 *
 * Tags of resources belong to no ticket, and CQEs before the last of a request
 * have no slot to wait in: neither comes by here.
 */
#include "order.h"
#include "request.h"

static struct aring_req *aring_order_req(struct rb_node *node)
{
	return rb_entry_safe(node, struct aring_req, parked);
}

/* Tickets wrap. */
static bool aring_order_before(struct rb_node *node, const struct rb_node *other)
{
	return (s32)(rb_entry(node, struct aring_req, parked)->ticket -
		     rb_entry(other, struct aring_req, parked)->ticket) < 0;
}

/* cq_lock. */
static void aring_order_take(struct aring_order *order, struct aring_req *req)
{
	rb_erase_cached(&req->parked, &order->parked);
	WRITE_ONCE(order->nr_parked, order->nr_parked - 1);
}

/**
 * aring_order_park() - a request is over: must its CQE wait for its turn?
 * @ring: a ring with an order; cq_lock held
 * @req: final
 *
 * Return: false if it is its turn. True if it is parked; aring_order_due() gives
 * it back.
 */
bool aring_order_park(struct aring_ring *ring, struct aring_req *req)
{
	struct aring_order *order = &ring->order;

	if (req->flags & ARING_REQ_TAG)
		return false;
	if (order->by_time) {
		if (!aring_is_virtual(ring))
			return false;
		if (!order->end_armed)
			aring_event_arm(ring, &order->end, aring_now(ring), 0);
		order->end_armed = true;
	} else if (req->ticket == order->next) {
		order->next++;
		return false;
	}
	req->flags |= ARING_REQ_PARKED;
	rb_add_cached(&req->parked, &order->parked, aring_order_before);
	WRITE_ONCE(order->nr_parked, order->nr_parked + 1);
	return true;
}

/**
 * aring_order_due() - whose turn is it now?
 * @ring: a ring with an order; cq_lock held
 * @end: with COMPLETION_ORDER: the instant is at its end
 *
 * Return: a request that was parked and is not any more, or NULL.
 */
struct aring_req *aring_order_due(struct aring_ring *ring, bool end)
{
	struct aring_order *order = &ring->order;
	struct aring_req *req;

	req = aring_order_req(rb_first_cached(&order->parked));
	if (!req)
		return NULL;
	if (order->by_time ? !end : req->ticket != order->next)
		return NULL;
	if (!order->by_time)
		order->next++;
	aring_order_take(order, req);
	return req;
}

/**
 * aring_order_first() - take out what is parked, whoever's turn it is
 * @ring: a dying ring; cq_lock held
 *
 * Return: a request that was parked, or NULL.
 */
struct aring_req *aring_order_first(struct aring_ring *ring)
{
	struct aring_order *order = &ring->order;
	struct aring_req *req;

	req = aring_order_req(rb_first_cached(&order->parked));
	if (req)
		aring_order_take(order, req);
	return req;
}

static void aring_order_end_fn(struct aring_event *event)
{
	aring_post_instant(container_of(event, struct aring_ring, order.end));
}

/**
 * aring_order_init() - nothing is over yet
 * @ring: a new ring
 * @first_ticket: ticket of its first SQE
 */
void aring_order_init(struct aring_ring *ring, u32 first_ticket)
{
	struct aring_order *order = &ring->order;

	ring->ordered = ring->setup_flags & (ARING_SETUP_COMPLETION_ORDER |
					     ARING_SETUP_SUBMISSION_ORDER);
	order->by_time = ring->setup_flags & ARING_SETUP_COMPLETION_ORDER;
	order->parked = RB_ROOT_CACHED;
	order->next = first_ticket;
	aring_event_init(&order->end, ARING_PHASE_END, aring_order_end_fn);
}

/**
 * aring_order_exit() - nothing is parked any more
 * @ring: a ring without requests
 *
 * Context: process.
 */
void aring_order_exit(struct aring_ring *ring)
{
	aring_event_disarm_sync(ring, &ring->order.end);
	WARN_ON_ONCE(ring->order.nr_parked);
}
