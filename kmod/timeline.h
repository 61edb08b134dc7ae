/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A timeline: what time it is for a ring, and what is to happen when.
 *
 * Each ring has one of its own on the monotonic clock. In its stead it may have
 * one with a virtual clock, which other rings may share: there time is a number
 * that stands still until it is moved, and then it goes from event to event.
 *
 * Who moves it and when is clock.c's and quiet.c's; here is only the queue.
 */
#ifndef ARING_TIMELINE_H
#define ARING_TIMELINE_H

#include <linux/hrtimer.h>
#include <linux/mutex.h>
#include <linux/rbtree.h>
#include <linux/refcount.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

struct aring_ring;
struct task_struct;

/**
 * enum aring_phase - what goes first at one instant
 * @ARING_PHASE_FINISH: the device finishes a request
 * @ARING_PHASE_LIMIT: a timer fires
 * @ARING_PHASE_START: a channel takes what waits; behind the programs
 * @ARING_PHASE_END: CQEs are posted that the order of completion held back
 *
 * Programs run between LIMIT and START.
 */
enum aring_phase {
	ARING_PHASE_FINISH,
	ARING_PHASE_LIMIT,
	ARING_PHASE_START,
	ARING_PHASE_END,
};

/**
 * struct aring_event - something that is to happen at a time
 * @node: in the timeline's tree, by @time, @phase, @ring_nr, @ticket
 * @fire: called when its time has come, with no lock held; in process context on
 *	a virtual clock, in interrupt context on the real one. It is armed no more.
 * @time: nanoseconds
 * @phase: see &enum aring_phase
 * @ring_nr: the how-manieth ring on this timeline it is of
 * @ticket: of the request it is about, or 0
 */
struct aring_event {
	struct rb_node	node;
	void		(*fire)(struct aring_event *event);
	u64		time;
	enum aring_phase phase;
	u32		ring_nr;
	u32		ticket;
};

/**
 * struct aring_timeline - what time it is, and what is to happen when
 * @lock: irqsave spinlock, a leaf inside of cq_lock: guards the four below it, and
 *	all armed events
 * @events: armed, in the order in which they are to fire
 * @nr_events: how many
 * @firing: whose fire() is being called; to compare only
 * @firing_task: in whose context, an interrupt's or not
 * @is_virtual: the clock is @now, else the monotonic one
 * @automatic: a virtual clock that moves by itself when everybody waits
 * @timer: of a real clock: set to the first of @events
 * @now: of a virtual one; written under @move_lock and @lock
 * @move_lock: mutex, outside of all locks of a ring: who moves a virtual clock
 * @mover: whose thread moves it by hand, and runs what that leads to; @move_lock
 * @fired_wait: of a virtual one: wait for @firing to change
 * @refs: of a virtual one: rings, and whoever else wants to keep it
 * @quiet_lock: spinlock, outside of work_lock: guards the four below it, and which
 *	threads are in ENTER of a ring on it, see quiet.c
 * @rings: by &aring_ring.on_timeline, in the order in which they came
 * @nr_rings: how many ever came
 * @attached: threads that it waits for also while they are outside of ENTER
 * @look_work: moves it, if it may move
 *
 * That of a real clock is part of the ring; a virtual one is shared.
 */
struct aring_timeline {
	spinlock_t		lock;		/* guards what is to happen */
	struct rb_root_cached	events;
	unsigned int		nr_events;
	struct aring_event	*firing;
	struct task_struct	*firing_task;
	bool			is_virtual;
	bool			automatic;
	struct hrtimer		timer;
	u64			now;
	struct mutex		move_lock;	/* guards the moving */
	struct aring_ring	*mover;
	wait_queue_head_t	fired_wait;
	refcount_t		refs;
	spinlock_t		quiet_lock;	/* guards who is there */
	struct list_head	rings;
	u32			nr_rings;
	struct list_head	attached;
	struct delayed_work	look_work;
};

/* No event is later: what would be later is then. */
#define ARING_TIME_MAX	((u64)KTIME_MAX)

/* timeline.c APIs: for whoever has something happen at a time */
void aring_event_init(struct aring_event *event, enum aring_phase phase,
		      void (*fire)(struct aring_event *event));
void aring_event_arm(struct aring_ring *ring, struct aring_event *event,
		     u64 time, u32 ticket);
bool aring_event_disarm(struct aring_ring *ring, struct aring_event *event);
void aring_event_disarm_sync(struct aring_ring *ring,
			     struct aring_event *event);
u64 aring_now(const struct aring_ring *ring);

/* timeline.c APIs: for rings, and for who moves a virtual clock */
void aring_timeline_init(struct aring_timeline *tl, bool is_virtual);
void aring_timeline_exit(struct aring_timeline *tl);
u64 aring_timeline_next(struct aring_timeline *tl, unsigned int *nr);
bool aring_timeline_has(struct aring_timeline *tl, u64 time,
			enum aring_phase phase);
bool aring_timeline_go(struct aring_timeline *tl, u64 most,
		       enum aring_phase *phase);
void aring_timeline_fire(struct aring_timeline *tl, enum aring_phase from,
			 enum aring_phase to);

#endif /* ARING_TIMELINE_H */
