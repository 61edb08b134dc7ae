// SPDX-License-Identifier: GPL-2.0
/*
 * Telling those who are not in ENTER that a ring has news, outside of all locks.
 */
#include <linux/poll.h>

#include "notify.h"

/**
 * aring_notify_fn() - wake whoever polls the ring, and signal its eventfd
 * @work: &aring_ring.notify_work
 *
 * Context: interrupt, no lock held.
 */
void aring_notify_fn(struct irq_work *work)
{
	struct aring_ring *ring = container_of(work, struct aring_ring,
					       notify_work);

	/* URING_WAKE keeps epoll and other rings from waking in circles. */
	wake_up_poll(&ring->poll_wait,
		     EPOLLIN | EPOLLRDNORM | EPOLL_URING_WAKE);
	if (unlikely(rcu_access_pointer(ring->rsrc.eventfd)))
		aring_eventfd_signal(ring);
}
