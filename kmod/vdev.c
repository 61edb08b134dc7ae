// SPDX-License-Identifier: GPL-2.0
/*
 * The virtual device: ARING_IOC_VDEV, who gets a channel when, and for how long.
 *
 * A request that waits for a channel is QUEUED, and in a tree ordered by what the
 * policy looks at. Whoever takes it back takes it out of QUEUED first and out
 * of the tree later; a channel that comes between finds that it is too late. One
 * that a channel has is STARTED, and an event of the timeline ends it.
 *
 * On the real clock a channel takes what waits at once, and the next one when its
 * event fires, at the very time that the event was for. Data is not moved in
 * interrupts: what is over goes to a list that one work item empties, in order.
 * On a virtual clock channels take what waits in the phase START of an instant, so
 * that it does not matter in which order the programs of the instant came, and
 * data moves when the event fires.
 */
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

#include "edge.h"
#include "locked.h"
#include "request.h"
#include "vdev.h"

/* ---- who is next --------------------------------------------------------- */

/* Is @a before @b? Equal only if they are the same request. */
static bool aring_vdev_before(const struct aring_device *dev,
			      const struct aring_req *a,
			      const struct aring_req *b)
{
	if (dev->config.policy == ARING_VDEV_SHORTEST &&
	    a->vio.time != b->vio.time)
		return a->vio.time < b->vio.time;
	if (dev->config.policy == ARING_VDEV_ELEVATOR &&
	    a->vio.off != b->vio.off)
		return a->vio.off < b->vio.off;
	/* Tickets wrap. */
	return (s32)(a->ticket - b->ticket) < 0;
}

static struct aring_req *aring_vdev_req(struct rb_node *node)
{
	return rb_entry_safe(node, struct aring_req, vio.waiting);
}

/* dev->lock. */
static void aring_vdev_insert(struct aring_device *dev, struct aring_req *req)
{
	struct rb_node **link = &dev->waiting.rb_node, *parent = NULL;

	while (*link) {
		parent = *link;
		link = aring_vdev_before(dev, req, aring_vdev_req(parent)) ?
			&parent->rb_left : &parent->rb_right;
	}
	rb_link_node(&req->vio.waiting, parent, link);
	rb_insert_color(&req->vio.waiting, &dev->waiting);
}

/* dev->lock. Return: the one whose turn it is, or NULL. */
static struct aring_req *aring_vdev_next(const struct aring_device *dev)
{
	struct rb_node *node = dev->waiting.rb_node;
	struct aring_req *req, *found = NULL;

	/* One sweep upwards from where the head is; then from the lowest again. */
	while (dev->config.policy == ARING_VDEV_ELEVATOR && node) {
		req = aring_vdev_req(node);
		if (req->vio.off >= dev->head) {
			found = req;
			node = node->rb_left;
		} else {
			node = node->rb_right;
		}
	}
	return found ?: aring_vdev_req(rb_first(&dev->waiting));
}

/* dev->lock. */
static void aring_vdev_erase(struct aring_device *dev, struct aring_req *req)
{
	rb_erase(&req->vio.waiting, &dev->waiting);
	RB_CLEAR_NODE(&req->vio.waiting);
}

/* ---- how long it takes --------------------------------------------------- */

static u64 aring_sat_add(u64 a, u64 b)
{
	u64 sum;

	return check_add_overflow(a, b, &sum) ? U64_MAX : sum;
}

static u64 aring_sat_mul(u64 a, u64 b)
{
	u64 product;

	return check_mul_overflow(a, b, &product) ? U64_MAX : product;
}

/* What is too long to be counted in picoseconds has no end. */
static u64 aring_vdev_ns(u64 picoseconds)
{
	return picoseconds == U64_MAX ? U64_MAX : div_u64(picoseconds, 1000);
}

/* Nanoseconds that a channel needs for it, from where the head is. */
static u64 aring_vdev_service(const struct aring_device *dev,
			      const struct aring_req *req)
{
	const struct aring_vdev *config = &dev->config;
	u64 off = req->vio.off, distance, picoseconds;

	if (req->vio.flags & ARING_VDEV_TIME)
		return req->vio.time;
	distance = off > dev->head ? off - dev->head : dev->head - off;
	picoseconds = aring_sat_add(aring_sat_mul(req->vio.len,
						  config->per_byte),
				    aring_sat_mul(distance,
						  config->per_distance));
	return aring_sat_add(config->base, aring_vdev_ns(picoseconds));
}

/* The same without the way, which is not known before it starts. */
static u64 aring_vdev_time(const struct aring_device *dev,
			   const struct aring_req *req)
{
	const struct aring_vdev *config = &dev->config;

	return aring_sat_add(config->base,
			     aring_vdev_ns(aring_sat_mul(req->vio.len,
							 config->per_byte)));
}

/* ---- channels ------------------------------------------------------------ */

/* Its time is over; @work will see to the rest. dev->lock. */
static void aring_vdev_leave(struct aring_device *dev, struct aring_req *req)
{
	list_move_tail(&req->vio.entry, &dev->done);
	dev->nr_started--;
	/* Under the lock: as soon as @work has it the device may go. */
	queue_work(aring_wq, &dev->work);
}

/* A channel has it, STARTED. dev->lock. */
static void aring_vdev_start(struct aring_device *dev, struct aring_req *req,
			     u64 now)
{
	u64 end;

	/* It cannot have begun before it was there. */
	now = max(now, req->vio.since);
	end = aring_sat_add(now, aring_vdev_service(dev, req));
	dev->head = req->vio.off + req->vio.len;
	dev->nr_started++;
	list_add_tail(&req->vio.entry, &dev->started);
	if (dev->dying)
		aring_vdev_leave(dev, req);
	else
		aring_event_arm(dev->ring, &req->vio.finish, end, req->ticket);
}

/* As many as there are channels for. dev->lock. */
static void aring_vdev_dispatch(struct aring_device *dev, u64 now)
{
	struct aring_req *req;

	while (dev->nr_started < dev->config.channels &&
	       (req = aring_vdev_next(dev)) != NULL) {
		aring_vdev_erase(dev, req);
		/* Else it has been taken back a moment ago. */
		if (aring_edge_take(req))
			aring_vdev_start(dev, req, now);
	}
}

/* Something waits, and perhaps a channel is free. dev->lock. */
static void aring_vdev_call(struct aring_device *dev, u64 now)
{
	if (!aring_is_virtual(dev->ring)) {
		aring_vdev_dispatch(dev, now);
		return;
	}
	if (dev->start_armed || RB_EMPTY_ROOT(&dev->waiting) ||
	    dev->nr_started == dev->config.channels)
		return;
	dev->start_armed = true;
	aring_event_arm(dev->ring, &dev->start, now, 0);
}

/* Phase START: nobody who comes at this instant is too late. */
static void aring_vdev_start_fn(struct aring_event *event)
{
	struct aring_device *dev = container_of(event, struct aring_device,
						start);
	unsigned long flags;

	spin_lock_irqsave(&dev->lock, flags);
	dev->start_armed = false;
	aring_vdev_dispatch(dev, event->time);
	spin_unlock_irqrestore(&dev->lock, flags);
}

/* Process context. The device may be gone afterwards. */
static void aring_vdev_complete(struct aring_req *req)
{
	aring_vdev_move(req);
	aring_req_release(req);
	aring_complete(req);
}

static void aring_vdev_finish_fn(struct aring_event *event)
{
	struct aring_req *req = container_of(event, struct aring_req,
					     vio.finish);
	struct aring_device *dev = req->vio.device;
	bool here = aring_is_virtual(dev->ring);
	u64 now = event->time;
	unsigned long flags;

	spin_lock_irqsave(&dev->lock, flags);
	if (here) {
		list_del_init(&req->vio.entry);
		dev->nr_started--;
	} else {
		aring_vdev_leave(dev, req);
	}
	aring_vdev_call(dev, now);
	spin_unlock_irqrestore(&dev->lock, flags);
	if (here)
		aring_vdev_complete(req);
}

static void aring_vdev_work_fn(struct work_struct *work)
{
	struct aring_device *dev = container_of(work, struct aring_device,
						work);
	struct aring_req *req;

	for (;;) {
		spin_lock_irq(&dev->lock);
		req = list_first_entry_or_null(&dev->done, struct aring_req,
					       vio.entry);
		if (req)
			list_del_init(&req->vio.entry);
		spin_unlock_irq(&dev->lock);
		if (!req)
			return;
		aring_vdev_complete(req);
		cond_resched();
	}
}

/**
 * aring_vdev_queue() - a request waits for a channel
 * @req: QUEUED a moment ago, its pages held; &aring_ring.lock held
 *
 * Context: process. On the real clock it may be STARTED afterwards, or over.
 */
void aring_vdev_queue(struct aring_req *req)
{
	struct aring_device *dev = req->vio.device;
	u64 now = aring_now(dev->ring);
	unsigned long flags;

	aring_event_init(&req->vio.finish, ARING_PHASE_FINISH,
			 aring_vdev_finish_fn);
	req->vio.since = now;
	if (!(req->vio.flags & ARING_VDEV_TIME))
		req->vio.time = aring_vdev_time(dev, req);
	spin_lock_irqsave(&dev->lock, flags);
	aring_vdev_insert(dev, req);
	aring_vdev_call(dev, now);
	spin_unlock_irqrestore(&dev->lock, flags);
}

/**
 * aring_vdev_unqueue() - a request waits no more
 * @req: over, its pages held until now
 *
 * Context: any.
 */
void aring_vdev_unqueue(struct aring_req *req)
{
	struct aring_device *dev = req->vio.device;
	unsigned long flags;

	spin_lock_irqsave(&dev->lock, flags);
	if (!RB_EMPTY_NODE(&req->vio.waiting))
		aring_vdev_erase(dev, req);
	/* Without requests nothing of the device is on the timeline. */
	if (dev->start_armed && RB_EMPTY_ROOT(&dev->waiting) &&
	    aring_event_disarm(dev->ring, &dev->start))
		dev->start_armed = false;
	spin_unlock_irqrestore(&dev->lock, flags);
}

/**
 * aring_vdev_kill() - the ring is closed: what is STARTED need not wait any more
 * @ring: a dying ring, from which has been taken back what could be
 *
 * Context: process.
 */
void aring_vdev_kill(struct aring_ring *ring)
{
	struct aring_device *dev = READ_ONCE(ring->device);
	struct aring_req *req, *tmp;
	unsigned long flags;

	if (!dev)
		return;
	spin_lock_irqsave(&dev->lock, flags);
	dev->dying = true;
	list_for_each_entry_safe(req, tmp, &dev->started, vio.entry) {
		/* Else its event fires just now, and waits for our lock. */
		if (aring_event_disarm(ring, &req->vio.finish))
			aring_vdev_leave(dev, req);
	}
	spin_unlock_irqrestore(&dev->lock, flags);
}

/* ---- making and ending it ------------------------------------------------ */

static void aring_device_free(struct aring_device *dev)
{
	if (!dev)
		return;
	/* The last of its requests may be over before who ended it is. */
	if (aring_is_virtual(dev->ring))
		aring_event_disarm_sync(dev->ring, &dev->start);
	cancel_work_sync(&dev->work);
	vfree(dev->medium);
	aring_locked_uncharge(dev->ring, dev->pages);
	kfree(dev);
}

/*
 * The memory cgroup may say no as well, rather than kill somebody for it; what
 * page tables need beside it does not obey that, and is little.
 */
static void *aring_medium_alloc(size_t size)
{
	return __vmalloc(size, GFP_KERNEL_ACCOUNT | __GFP_ZERO | __GFP_NOWARN |
			 __GFP_RETRY_MAYFAIL);
}

static int aring_vdev_check(const struct aring_vdev *config)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(config->resv); i++) {
		if (config->resv[i])
			return -EINVAL;
	}
	/* No device has no properties. */
	if (!config->size)
		return config->channels || config->policy || config->base ||
		       config->per_byte || config->per_distance ? -EINVAL : 0;
	if (!config->channels || config->channels > ARING_VDEV_MAX_CHANNELS ||
	    config->policy > ARING_VDEV_ELEVATOR)
		return -EINVAL;
	return 0;
}

/* Return: NULL for none, or -ENOMEM as a pointer. */
static struct aring_device *aring_device_create(struct aring_ring *ring,
						const struct aring_vdev *config)
{
	struct aring_device *dev;

	if (!config->size)
		return NULL;
	/* What all pages of the machine would not be enough for. */
	if (config->size >> PAGE_SHIFT > totalram_pages())
		return ERR_PTR(-ENOMEM);
	dev = kzalloc(sizeof(*dev), GFP_KERNEL_ACCOUNT);
	if (!dev)
		return ERR_PTR(-ENOMEM);
	dev->ring = ring;
	dev->config = *config;
	dev->pages = DIV_ROUND_UP(config->size, PAGE_SIZE);
	if (aring_locked_charge(ring, dev->pages)) {
		kfree(dev);
		return ERR_PTR(-ENOMEM);
	}
	spin_lock_init(&dev->lock);
	mutex_init(&dev->moving);
	dev->waiting = RB_ROOT;
	INIT_LIST_HEAD(&dev->started);
	INIT_LIST_HEAD(&dev->done);
	INIT_WORK(&dev->work, aring_vdev_work_fn);
	aring_event_init(&dev->start, ARING_PHASE_START, aring_vdev_start_fn);
	dev->medium = aring_medium_alloc(config->size);
	if (!dev->medium) {
		aring_device_free(dev);
		return ERR_PTR(-ENOMEM);
	}
	return dev;
}

/**
 * aring_vdev_set() - ARING_IOC_VDEV: give the ring a device, or none
 * @ring: the ring
 * @arg: the program's
 *
 * Where the new one cannot be had the old one stays.
 *
 * Context: process, no lock held.
 *
 * Return: 0, -EFAULT, -EINVAL, -ENOMEM, -EBUSY, or -EINTR if killed.
 */
int aring_vdev_set(struct aring_ring *ring, const struct aring_vdev __user *arg)
{
	struct aring_device *dev, *old;
	struct aring_vdev config;
	int ret;

	if (copy_from_user(&config, arg, sizeof(config)))
		return -EFAULT;
	ret = aring_vdev_check(&config);
	if (ret)
		return ret;
	/* Whoever has seen its CQE takes a request for over, and its pages for his. */
	aring_reclaim_now(ring);
	dev = aring_device_create(ring, &config);
	if (IS_ERR(dev))
		return PTR_ERR(dev);
	if (mutex_lock_killable(&ring->submit_lock)) {
		aring_device_free(dev);
		return -EINTR;
	}
	old = ring->device;
	if (old && atomic_read(&old->users)) {
		old = dev;
		ret = -EBUSY;
	} else {
		WRITE_ONCE(ring->device, dev);
	}
	mutex_unlock(&ring->submit_lock);
	aring_device_free(old);
	return ret;
}

/**
 * aring_vdev_exit() - the ring needs no device any more
 * @ring: a ring without requests
 *
 * Context: process.
 */
void aring_vdev_exit(struct aring_ring *ring)
{
	aring_device_free(ring->device);
	ring->device = NULL;
}
