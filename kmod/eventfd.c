// SPDX-License-Identifier: GPL-2.0
/*
 * The registered eventfd.
 *
 * It is signalled by the ring's irq_work only. A completion may come from
 * inside the wake-up of that very eventfd, or of one that another ring is
 * about to signal: to signal it there would be to wait for a lock that is held.
 */
#include <linux/eventfd.h>
#include <linux/percpu.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "compat.h"
#include "request.h"

/**
 * struct aring_eventfd - the eventfd of a ring
 * @ctx: the eventfd
 * @async: only what was posted by other than a submitter is signalled
 * @rcu: the irq_work may still look at it
 */
struct aring_eventfd {
	struct eventfd_ctx	*ctx;
	bool			async;
	struct rcu_head		rcu;
};

/* This CPU is inside a wake-up that a ring's eventfd causes. */
static DEFINE_PER_CPU(bool, aring_signalling);

/**
 * aring_eventfd_register() - have an eventfd signalled
 * @ring: the ring; submit_lock held
 * @arg: the descriptor
 * @async: see &struct aring_eventfd
 *
 * Return: 0 or a negative errno as io_uring_register(2) has it.
 */
int aring_eventfd_register(struct aring_ring *ring, const s32 __user *arg,
			   bool async)
{
	struct aring_eventfd *eventfd;
	int ret;
	s32 fd;

	if (rcu_access_pointer(ring->rsrc.eventfd))
		return -EBUSY;
	if (get_user(fd, arg))
		return -EFAULT;
	eventfd = kmalloc(sizeof(*eventfd), GFP_KERNEL_ACCOUNT);
	if (!eventfd)
		return -ENOMEM;
	eventfd->async = async;
	eventfd->ctx = eventfd_ctx_fdget(fd);
	if (IS_ERR(eventfd->ctx)) {
		ret = PTR_ERR(eventfd->ctx);
		kfree(eventfd);
		return ret;
	}
	/* What is there already is not news. */
	spin_lock_irq(&ring->cq_lock);
	ring->rsrc.eventfd_tail = ring->cq_tail;
	spin_unlock_irq(&ring->cq_lock);
	WRITE_ONCE(ring->rsrc.eventfd_elsewhere, false);
	rcu_assign_pointer(ring->rsrc.eventfd, eventfd);
	return 0;
}

static void aring_eventfd_free(struct rcu_head *rcu)
{
	struct aring_eventfd *eventfd = container_of(rcu, struct aring_eventfd,
						     rcu);

	eventfd_ctx_put(eventfd->ctx);
	kfree(eventfd);
}

/**
 * aring_eventfd_unregister() - have it signalled no more
 * @ring: the ring; submit_lock held, or nobody else can reach it
 *
 * Return: 0, or -ENXIO if there is none.
 */
int aring_eventfd_unregister(struct aring_ring *ring)
{
	struct aring_eventfd *eventfd;

	eventfd = rcu_replace_pointer(ring->rsrc.eventfd, NULL, true);
	if (!eventfd)
		return -ENXIO;
	/* aring_exit() has a barrier for this. */
	call_rcu(&eventfd->rcu, aring_eventfd_free);
	return 0;
}

/**
 * aring_eventfd_note() - something was posted: by whom?
 * @ring: the ring
 *
 * Context: any; before the irq_work is queued.
 */
void aring_eventfd_note(struct aring_ring *ring)
{
	if (!in_task() || READ_ONCE(ring->rsrc.submitter) != current)
		WRITE_ONCE(ring->rsrc.eventfd_elsewhere, true);
}

/**
 * aring_eventfd_owe() - a CQE is kept back that would not have to be
 * @ring: the ring
 *
 * Whoever waits for the eventfd alone would not come and fetch it: he is to look,
 * and will find ARING_SQ_CQ_OVERFLOW.
 *
 * Context: any, cq_lock held.
 */
void aring_eventfd_owe(struct aring_ring *ring)
{
	ring->rsrc.eventfd_tail = ring->cq_tail - 1;
}

/* Is there a CQE that was not signalled yet? */
static bool aring_eventfd_news(struct aring_ring *ring)
{
	unsigned long flags;
	bool news;

	spin_lock_irqsave(&ring->cq_lock, flags);
	news = ring->cq_tail != ring->rsrc.eventfd_tail;
	ring->rsrc.eventfd_tail = ring->cq_tail;
	spin_unlock_irqrestore(&ring->cq_lock, flags);
	return news;
}

/**
 * aring_eventfd_signal() - signal the eventfd, if there is one and a reason
 * @ring: the ring
 *
 * Context: the ring's irq_work, no lock held.
 */
void aring_eventfd_signal(struct aring_ring *ring)
{
	struct aring_eventfd *eventfd;
	bool by_other;

	rcu_read_lock();
	eventfd = rcu_dereference(ring->rsrc.eventfd);
	if (!eventfd)
		goto out;
	if (unlikely(!eventfd_signal_allowed())) {
		/* Inside another one's wake-up: a moment later. */
		irq_work_queue(&ring->notify_work);
		goto out;
	}
	by_other = xchg(&ring->rsrc.eventfd_elsewhere, false);
	/*
	 * Before it is looked at what is new: that may be another one's, who has
	 * not said so yet, and queues us again when he has.
	 */
	if (eventfd->async && !by_other)
		goto out;
	/* A CQE, or a request that waits for a thread in ENTER. */
	if (!aring_eventfd_news(ring) && !READ_ONCE(ring->nr_run))
		goto out;
	if (READ_ONCE(ring->shared->cq_flags) & ARING_CQ_EVENTFD_DISABLED)
		goto out;
	this_cpu_write(aring_signalling, true);
	aring_eventfd_add(eventfd->ctx);
	this_cpu_write(aring_signalling, false);
out:
	rcu_read_unlock();
}

/**
 * aring_eventfd_signalling() - does this wake-up come from a ring's eventfd?
 *
 * On 6.1 a module cannot signal an eventfd with EPOLL_URING_WAKE. Who is woken
 * and would post a CQE each time takes this for the same: a ring that watches
 * its own eventfd must not keep a CPU in interrupts for ever.
 *
 * Context: a wake-up function of a wait queue.
 *
 * Return: true if so.
 */
bool aring_eventfd_signalling(void)
{
	return this_cpu_read(aring_signalling);
}
