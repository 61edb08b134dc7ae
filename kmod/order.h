/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The order of CQEs, where one was asked for at set-up.
 */
#ifndef ARING_ORDER_H
#define ARING_ORDER_H

#include <linux/rbtree.h>

#include "timeline.h"

struct aring_req;
struct aring_ring;

/**
 * struct aring_order - what is over and waits for its turn; all under cq_lock
 * @by_time: COMPLETION_ORDER, else SUBMISSION_ORDER
 * @parked: requests that are over, by ticket
 * @nr_parked: how many; read without the lock
 * @next: with SUBMISSION_ORDER the ticket whose turn it is
 * @end_armed: with COMPLETION_ORDER on a virtual clock: @end is
 * @end: the instant ends, and what is over by then has its turn
 */
struct aring_order {
	bool			by_time;
	struct rb_root_cached	parked;
	unsigned int		nr_parked;
	u32			next;
	bool			end_armed;
	struct aring_event	end;
};

/* order.c APIs: what complete.c asks, under cq_lock */
bool aring_order_park(struct aring_ring *ring, struct aring_req *req);
struct aring_req *aring_order_due(struct aring_ring *ring, bool end);
struct aring_req *aring_order_first(struct aring_ring *ring);

/* order.c APIs */
void aring_order_init(struct aring_ring *ring, u32 first_ticket);
void aring_order_exit(struct aring_ring *ring);

#endif /* ARING_ORDER_H */
