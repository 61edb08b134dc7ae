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
#include <linux/workqueue.h>

struct aring_ring;
struct aring_timeline;

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

/* timeline.c APIs; each with kernel-doc there */
void aring_event_init(struct aring_event *event, enum aring_phase phase,
		      void (*fire)(struct aring_event *event));
void aring_event_arm(struct aring_ring *ring, struct aring_event *event,
		     u64 time, u32 ticket);
bool aring_event_disarm(struct aring_ring *ring, struct aring_event *event);
void aring_event_disarm_sync(struct aring_ring *ring,
			     struct aring_event *event);
u64 aring_now(const struct aring_ring *ring);
bool aring_is_virtual(const struct aring_ring *ring);

#endif /* ARING_TIMELINE_H */
