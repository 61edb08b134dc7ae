/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The virtual device of a ring: a medium in memory, and channels that take their
 * time to move data between it and the program's pages, as a disk's DMA does.
 */
#ifndef ARING_VDEV_H
#define ARING_VDEV_H

#include <linux/atomic.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/rbtree.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include "timeline.h"
#include "uapi/linux/aring.h"

struct aring_req;
struct aring_ring;

/**
 * struct aring_device - the device
 * @ring: the ring
 * @config: as the program asked for it
 * @medium: &aring_vdev.size bytes
 * @pages: what they count for
 * @users: requests that hold pages for it; grows under submit_lock only, under
 *	which the device is replaced
 * @lock: irqsave, outside of the timeline's; guards the members below it
 * @waiting: requests that wait for a channel, by what the policy looks at
 * @started: requests that a channel has
 * @done: requests whose time is over, whose data @work is to move, in order
 * @nr_started: how many channels are taken
 * @head: offset in the medium where the request that started last ends
 * @dying: what starts now finishes at once
 * @start_armed: @start is
 * @start: on a virtual clock: channels take what waits
 * @work: finishes what interrupts have left in @done
 * @moving: held while data is moved
 */
struct aring_device {
	struct aring_ring	*ring;
	struct aring_vdev	config;
	void			*medium;
	unsigned long		pages;
	atomic_t		users;

	/* Guards who has a channel and who waits for one. */
	spinlock_t		lock;
	struct rb_root		waiting;
	struct list_head	started;
	struct list_head	done;
	unsigned int		nr_started;
	u64			head;
	bool			dying;
	bool			start_armed;
	struct aring_event	start;

	struct work_struct	work;
	/* Data moves one by one, in order. */
	struct mutex		moving;
};

/* vdev.c APIs */
int aring_vdev_set(struct aring_ring *ring,
		   const struct aring_vdev __user *arg);
void aring_vdev_queue(struct aring_req *req);
void aring_vdev_unqueue(struct aring_req *req);
void aring_vdev_kill(struct aring_ring *ring);
void aring_vdev_exit(struct aring_ring *ring);

/* op_vdev.c APIs: what vdev.c calls */
void aring_vdev_move(struct aring_req *req);

#endif /* ARING_VDEV_H */
