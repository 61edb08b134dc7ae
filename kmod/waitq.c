// SPDX-License-Identifier: GPL-2.0
/*
 * Waiting on the wait queue of somebody else's file.
 *
 * The entries are added while the request is owned, and stay queued through
 * all attempts until the request is over: after an attempt that found
 * nothing, nothing has to be armed anew, and no wake-up can fall between.
 *
 * The wake-up callback runs under the foreign queue's lock, perhaps in
 * interrupt context, perhaps in the middle of the very write that this
 * request waits for. It only marks or lists the request. The entry keeps the
 * request alive meanwhile: reclaiming takes the entry out first, which waits
 * for the lock that the callback runs under.
 */
#include <linux/poll.h>
#include <linux/rcupdate.h>

#include "request.h"

static int aring_waitq_wake(wait_queue_entry_t *entry, unsigned int mode,
			    int sync, void *key)
{
	struct aring_waiter *waiter = container_of(entry, struct aring_waiter,
						   entry);
	struct aring_req *req = waiter->req;
	__poll_t mask = key_to_poll(key);

	if (unlikely(mask & POLLFREE)) {
		/*
		 * The queue goes away, now. Whoever runs the request next will
		 * find it gone. Clearing the head is what lets go of both the
		 * queue and the request, so it comes last.
		 */
		WRITE_ONCE(req->gone, true);
		list_del_init(&entry->entry);
		aring_run_wake(req);
		/* Pairs with the load-acquire in aring_waiter_remove(). */
		smp_store_release(&waiter->head, NULL);
		return 1;
	}

	/* Without a key anything may have happened. */
	if (mask && !(mask & (READ_ONCE(req->events) | EPOLLERR | EPOLLHUP)))
		return 0;
	if (mask && req->opcode == ARING_OP_POLL_ADD)
		aring_poll_wake(req, waiter, mask);
	else
		aring_run_wake(req);
	return 1;
}

struct aring_arm {
	struct poll_table_struct	pt;
	struct aring_req		*req;
	wait_queue_head_t		*heads[2];
	unsigned int			nr;
	int				error;
};

static void aring_waitq_queue(struct file *file, wait_queue_head_t *head,
			      struct poll_table_struct *pt)
{
	struct aring_arm *arm = container_of(pt, struct aring_arm, pt);
	struct aring_waiter *waiter = arm->req->waiters;
	unsigned int i;

	/* Some drivers name the same queue twice. */
	for (i = 0; i < arm->nr; i++) {
		if (arm->heads[i] == head)
			return;
	}
	if (arm->nr == ARRAY_SIZE(arm->heads)) {
		arm->error = -EINVAL;
		return;
	}
	arm->heads[arm->nr] = head;
	waiter += arm->nr++;
	waiter->req = arm->req;
	waiter->head = head;
	init_waitqueue_func_entry(&waiter->entry, aring_waitq_wake);
	if (arm->req->events & EPOLLEXCLUSIVE)
		add_wait_queue_exclusive(head, &waiter->entry);
	else
		add_wait_queue(head, &waiter->entry);
}

/**
 * aring_waitq_arm() - wait for a file to become ready
 * @req: owned by the caller, listed, in the submitter's context
 * @events: EPOLL* to wait for; errors and hang-ups always count
 * @mask: out: the events that are there already
 *
 * Context: process, no spinlock held: ->poll() may sleep.
 *
 * Return: 0; -EINVAL if nothing will ever wake it, or the file uses more wait
 * queues than a request has room for.
 */
int aring_waitq_arm(struct aring_req *req, __poll_t events, __poll_t *mask)
{
	struct aring_arm arm = { .req = req };

	req->events = events;
	events |= EPOLLERR | EPOLLHUP;
	init_poll_funcptr(&arm.pt, aring_waitq_queue);
	arm.pt._key = events;
	*mask = vfs_poll(req->file, &arm.pt) & events;
	return arm.nr ? arm.error : -EINVAL;
}

static void aring_waiter_remove(struct aring_waiter *waiter)
{
	wait_queue_head_t *head;

	/* Pairs with the store-release in aring_waitq_wake(). */
	if (!smp_load_acquire(&waiter->head))
		return;
	/*
	 * rcu: a queue that is torn down with POLLFREE is freed only after a
	 * grace period, so what was loaded before the head was cleared can
	 * still be locked.
	 */
	rcu_read_lock();
	/* Pairs with the store-release in aring_waitq_wake(). */
	head = smp_load_acquire(&waiter->head);
	if (head) {
		spin_lock_irq(&head->lock);
		list_del_init(&waiter->entry.entry);
		WRITE_ONCE(waiter->head, NULL);
		spin_unlock_irq(&head->lock);
	}
	rcu_read_unlock();
}

/**
 * aring_waitq_disarm() - leave the wait queues
 * @req: owned, or final
 *
 * Afterwards no callback for this request runs or will run.
 *
 * Context: process. May be called twice.
 */
void aring_waitq_disarm(struct aring_req *req)
{
	aring_waiter_remove(&req->waiters[0]);
	aring_waiter_remove(&req->waiters[1]);
}
