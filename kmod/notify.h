/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Telling those who are not in ENTER that a ring has news: who polls it, and its
 * eventfd.
 */
#ifndef ARING_NOTIFY_H
#define ARING_NOTIFY_H

#include <linux/irq_work.h>
#include <linux/wait.h>

#include "ring.h"

void aring_notify_fn(struct irq_work *work);

/**
 * aring_notify() - tell the eventfd and those who poll the ring of something
 * @ring: the ring, kept alive by the caller
 *
 * Any context, under any lock: the wake-up itself is left to an irq_work,
 * because who polls the ring may be another ring that this one watches.
 */
static __always_inline void aring_notify(struct aring_ring *ring)
{
	bool eventfd = rcu_access_pointer(ring->rsrc.eventfd);

	if (unlikely(eventfd))
		aring_eventfd_note(ring);
	/* The caller has a barrier between the news and this look. */
	if (unlikely(eventfd) || waitqueue_active(&ring->poll_wait))
		irq_work_queue(&ring->notify_work);
}

#endif /* ARING_NOTIFY_H */
