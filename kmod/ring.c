// SPDX-License-Identifier: GPL-2.0
/*
 * One ring: making it and ending it.
 */
#include <linux/log2.h>
#include <linux/memcontrol.h>
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "clock.h"
#include "notify.h"
#include "request.h"
#include "session.h"
#include "sqpoll.h"
#include "user.h"
#include "vdev.h"
#include "worker.h"

/* So often is looked whether a clock is let go that a ring is to leave. */
#define ARING_LEAVE_AGAIN	(HZ / 100 ?: 1)

static atomic_t aring_nr_rings = ATOMIC_INIT(0);

/* Check what the program asks for, and round it. */
static int aring_params_check(struct aring_params *p)
{
	const u32 flags = p->flags;

	if (flags & ~ARING_SETUP_FLAGS)
		return -EINVAL;
	if (p->resv[0] || p->resv[1])
		return -EINVAL;
	if (!(flags & ARING_SETUP_FIRST_INDEX) && p->first_index)
		return -EINVAL;
	if ((flags & ARING_SETUP_TASKRUN_FLAG) &&
	    !(flags & (ARING_SETUP_COOP_TASKRUN | ARING_SETUP_DEFER_TASKRUN)))
		return -EINVAL;
	if ((flags & ARING_SETUP_SQ_AFF) && !(flags & ARING_SETUP_SQPOLL))
		return -EINVAL;
	/* Hints about the thread that calls, where none does. */
	if ((flags & ARING_SETUP_SQPOLL) &&
	    (flags & (ARING_SETUP_COOP_TASKRUN | ARING_SETUP_TASKRUN_FLAG |
		      ARING_SETUP_DEFER_TASKRUN)))
		return -EINVAL;
	if ((flags & ARING_SETUP_DEFER_TASKRUN) &&
	    !(flags & ARING_SETUP_SINGLE_ISSUER))
		return -EINVAL;
	if ((flags & ARING_SETUP_CQE_TIMES) && !(flags & ARING_SETUP_CQE32))
		return -EINVAL;

	if ((flags & ARING_SETUP_COMPLETION_ORDER) &&
	    (flags & ARING_SETUP_SUBMISSION_ORDER))
		return -EINVAL;

	if (!p->sq_entries)
		return -EINVAL;
	if (p->sq_entries > ARING_MAX_ENTRIES) {
		if (!(flags & ARING_SETUP_CLAMP))
			return -EINVAL;
		p->sq_entries = ARING_MAX_ENTRIES;
	}
	p->sq_entries = roundup_pow_of_two(p->sq_entries);

	if (!(flags & ARING_SETUP_CQSIZE)) {
		p->cq_entries = 2 * p->sq_entries;
		return 0;
	}
	if (!p->cq_entries)
		return -EINVAL;
	if (p->cq_entries > ARING_MAX_CQ_ENTRIES) {
		if (!(flags & ARING_SETUP_CLAMP))
			return -EINVAL;
		p->cq_entries = ARING_MAX_CQ_ENTRIES;
	}
	p->cq_entries = roundup_pow_of_two(p->cq_entries);
	return p->cq_entries < p->sq_entries ? -EINVAL : 0;
}

static size_t aring_params_sqe_size(const struct aring_params *p)
{
	return sizeof(struct aring_sqe) <<
	       !!(p->flags & ARING_SETUP_SQE128);
}

static size_t aring_params_cqe_size(const struct aring_params *p)
{
	return sizeof(struct aring_cqe) << !!(p->flags & ARING_SETUP_CQE32);
}

/* Where the fields are, for the program. */
static void aring_params_fill(struct aring_params *p)
{
	size_t array = sizeof(struct aring_shared) +
		       p->cq_entries * aring_params_cqe_size(p);

	p->features = ARING_FEATURES;
	p->sq_off = (struct aring_sq_offsets) {
		.head		= offsetof(struct aring_shared, sq.head),
		.tail		= offsetof(struct aring_shared, sq.tail),
		.ring_mask	= offsetof(struct aring_shared, sq_mask),
		.ring_entries	= offsetof(struct aring_shared, sq_entries),
		.flags		= offsetof(struct aring_shared, sq_flags),
		.dropped	= offsetof(struct aring_shared, sq_dropped),
		.array		= array,
	};
	p->cq_off = (struct aring_cq_offsets) {
		.head		= offsetof(struct aring_shared, cq.head),
		.tail		= offsetof(struct aring_shared, cq.tail),
		.ring_mask	= offsetof(struct aring_shared, cq_mask),
		.ring_entries	= offsetof(struct aring_shared, cq_entries),
		.overflow	= offsetof(struct aring_shared, cq_overflow),
		.cqes		= offsetof(struct aring_shared, cqes),
		.flags		= offsetof(struct aring_shared, cq_flags),
	};
}

/* Memory to be shared: charged to the program's memory cgroup. */
static void *aring_shared_alloc(size_t size)
{
	return __vmalloc(size, GFP_KERNEL_ACCOUNT | __GFP_ZERO | __GFP_NOWARN);
}

static int aring_ring_alloc(struct aring_ring *ring,
			    const struct aring_params *p)
{
	struct aring_shared *shared;
	size_t array = p->sq_off.array;
	unsigned int i;

	ring->shared_size = PAGE_ALIGN(array + p->sq_entries * sizeof(u32));
	ring->sqe_size = aring_params_sqe_size(p);
	ring->cqe_size = aring_params_cqe_size(p);
	ring->sqes_size = PAGE_ALIGN(p->sq_entries * ring->sqe_size);
	ring->hash_bits = clamp(ilog2(p->cq_entries), 4, 12);
	ring->shared = aring_shared_alloc(ring->shared_size);
	ring->sqes = aring_shared_alloc(ring->sqes_size);
	ring->buckets = kvmalloc_array(1U << ring->hash_bits,
				       sizeof(*ring->buckets),
				       GFP_KERNEL_ACCOUNT);
	if (!ring->shared || !ring->sqes || !ring->buckets)
		return -ENOMEM;
	for (i = 0; i < 1U << ring->hash_bits; i++) {
		INIT_LIST_HEAD(&ring->buckets[i].by_data);
		INIT_HLIST_HEAD(&ring->buckets[i].by_ticket);
	}

	ring->sq_array = (void *)ring->shared + array;
	ring->sq_mask = p->sq_entries - 1;
	ring->cq_mask = p->cq_entries - 1;
	ring->sq_head = p->first_index;
	ring->cq_tail = p->first_index;

	shared = ring->shared;
	shared->sq.head = p->first_index;
	shared->sq.tail = p->first_index;
	shared->cq.head = p->first_index;
	shared->cq.tail = p->first_index;
	shared->sq_mask = ring->sq_mask;
	shared->cq_mask = ring->cq_mask;
	shared->sq_entries = p->sq_entries;
	shared->cq_entries = p->cq_entries;
	return 0;
}

static void aring_exit_fn(struct work_struct *work);

static void aring_ring_init(struct aring_ring *ring)
{
	mutex_init(&ring->submit_lock);
	mutex_init(&ring->lock);
	init_llist_head(&ring->reclaim);
	spin_lock_init(&ring->work_lock);
	ring->run_list = RB_ROOT_CACHED;
	INIT_LIST_HEAD(&ring->sleepers);
	spin_lock_init(&ring->cq_lock);
	INIT_LIST_HEAD(&ring->overflow);
	INIT_LIST_HEAD(&ring->counting);
	init_waitqueue_head(&ring->enter_wait);
	init_waitqueue_head(&ring->poll_wait);
	init_irq_work(&ring->notify_work, aring_notify_fn);
	INIT_DELAYED_WORK(&ring->exit_work, aring_exit_fn);
	aring_timeline_init(&ring->real_time, false);
	ring->timeline = &ring->real_time;
	aring_order_init(ring, ring->sq_head);
	INIT_LIST_HEAD(&ring->on_timeline);
	INIT_LIST_HEAD(&ring->present);
	aring_link_init(ring);
	aring_steer_init(ring);
	aring_map_init(ring);
	aring_pools_init(ring);
}

static void aring_ring_free(struct aring_ring *ring)
{
	aring_sqpoll_free(ring);
	aring_resources_free(ring);
	aring_req_free_all(ring);
	kvfree(ring->buckets);
	vfree(ring->sqes);
	vfree(ring->shared);
	if (ring->submitter)
		put_task_struct(ring->submitter);
	put_task_struct(ring->owner);
	if (ring->member)
		aring_member_free(ring->member);
	mem_cgroup_put(ring->memcg);
	aring_user_put(ring->user);
	kfree(ring);
}

/**
 * aring_ring_create() - make a ring for the calling task
 * @params: in and out, the kernel's own copy
 *
 * Return: the ring, or as a pointer -EINVAL, -ENOMEM, or -EAGAIN if the user may have
 * no more threads for SQPOLL. aring_ring_kill() ends it.
 */
struct aring_ring *aring_ring_create(struct aring_params *params)
{
	struct aring_ring *ring;
	int ret;

	ret = aring_params_check(params);
	if (ret)
		return ERR_PTR(ret);
	aring_params_fill(params);

	ring = kzalloc(sizeof(*ring), GFP_KERNEL_ACCOUNT);
	if (!ring)
		return ERR_PTR(-ENOMEM);
	ring->setup_flags = params->flags;
	ring->id = atomic_inc_return(&aring_nr_rings);
	ring->process = task_tgid_nr(current);
	ring->owner = get_task_struct(current);
	ring->memcg = get_mem_cgroup_from_mm(current->mm);
	ring->user = aring_user_get(current_uid());
	ring->max_threads = rlimit(RLIMIT_NPROC);
	aring_resources_init(ring);
	ret = ring->user ? aring_ring_alloc(ring, params) : -ENOMEM;
	if (!ret && (params->flags & ARING_SETUP_SQPOLL))
		ret = aring_sqpoll_create(ring, params);
	if (ring->sqpoll)
		ring->odd |= ARING_ODD_SQPOLL;
	if (params->flags & ARING_SETUP_CQE_TIMES)
		ring->odd |= ARING_ODD_TIMES;
	if (ret) {
		aring_ring_free(ring);
		return ERR_PTR(ret);
	}
	if ((params->flags & ARING_SETUP_SINGLE_ISSUER) &&
	    !(params->flags & ARING_SETUP_R_DISABLED))
		ring->submitter = get_task_struct(current);
	ring->closely = params->flags & ARING_SETUP_R_DISABLED;
	aring_ring_init(ring);
	ring->plain = !ring->ordered && ring->cqe_size == sizeof(struct aring_cqe);
	ret = ring->sqpoll ? aring_sqpoll_start(ring) : 0;
	if (ret) {
		aring_ring_free(ring);
		return ERR_PTR(ret);
	}
	/* Dropped by aring_exit_fn(): what is STARTED outlives the file. */
	__module_get(THIS_MODULE);
	return ring;
}

/**
 * aring_ring_poke_exit() - something of a dying ring is over: look again
 * @ring: the ring, kept alive by rcu_read_lock() or otherwise
 *
 * Context: any.
 */
void aring_ring_poke_exit(struct aring_ring *ring)
{
	mod_delayed_work(aring_wq, &ring->exit_work, 0);
}

/**
 * aring_ring_kill() - the file is closed: end the ring
 * @ring: the ring; not the caller's any more afterwards
 *
 * What can be taken back is, at once. What has started ends by itself, and
 * the ring with it: nobody waits for that here.
 *
 * Context: process.
 */
void aring_ring_kill(struct aring_ring *ring)
{
	mutex_lock(&ring->lock);
	WRITE_ONCE(ring->dying, true);
	aring_cancel_all(ring, NULL);
	mutex_unlock(&ring->lock);
	aring_vdev_kill(ring);
	/* What its thread may hold for long is not waited for here. */
	if (ring->sqpoll)
		aring_sqpoll_wake(ring);
	else
		aring_resources_kill(ring);
	/* The first time, and our last touch: until then nobody ends the ring. */
	queue_delayed_work(aring_wq, &ring->exit_work, 0);
}

static void aring_exit_fn(struct work_struct *work)
{
	struct aring_ring *ring = container_of(to_delayed_work(work),
					       struct aring_ring, exit_work);
	unsigned int left;

	/* In the middle of something its thread may be for long; it pokes us. */
	if (!aring_sqpoll_exit(ring))
		return;
	if (ring->sqpoll)
		aring_resources_kill(ring);
	/*
	 * Who moves the clock may take long, too, and wait for other items of the
	 * workqueue: this one comes again rather than wait for him.
	 */
	if (!aring_clock_leave(ring)) {
		queue_delayed_work(aring_wq, &ring->exit_work,
				   ARING_LEAVE_AGAIN);
		return;
	}
	mutex_lock(&ring->lock);
	/* From here on what ends pokes us; what ended before is on the list. */
	WRITE_ONCE(ring->exiting, true);
	/* Flag, then list; pairs with llist_add() and the look at the flag. */
	smp_mb();
	aring_overflow_drop(ring);
	aring_reclaim(ring);
	left = ring->nr_inflight;
	mutex_unlock(&ring->lock);
	/* The last touch of each request is followed by a poke. */
	if (left)
		return;

	/*
	 * Nothing is in flight. What it used of the registered resources is
	 * given back before anything is waited for that this may still poke.
	 */
	aring_resources_exit(ring);
	/*
	 * On a clock that others share the instant may still end, which pokes us,
	 * too. Without requests nothing arms that again.
	 */
	aring_order_exit(ring);
	/*
	 * Who ended the last ones may still be waking
	 * somebody, under rcu_read_lock(); after that he may have poked us
	 * again, and then the ring has to live until that run, which finds
	 * that nobody is left to poke.
	 */
	synchronize_rcu();
	irq_work_sync(&ring->notify_work);
	if (delayed_work_pending(&ring->exit_work))
		return;

	aring_vdev_exit(ring);
	aring_pools_exit(ring);
	aring_link_exit(ring);
	aring_steer_exit(ring);
	aring_map_exit(ring);
	aring_timeline_exit(&ring->real_time);
	if (aring_is_virtual(ring))
		aring_timeline_put(ring->timeline);
	aring_ring_free(ring);
	/* aring_exit() flushes the workqueue, so our code outlives this. */
	module_put(THIS_MODULE);
}
