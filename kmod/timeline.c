// SPDX-License-Identifier: GPL-2.0
/*
 * The queue of what is to happen when: one tree in the order of firing.
 *
 * On the monotonic clock one timer per ring stands at the first event, and the
 * events fire in its interrupt. On a virtual clock they fire in the context of
 * whoever moves it (clock.c, quiet.c), one at a time, in an order that depends
 * on nothing but what was armed.
 *
 * An event is taken out of the tree before it fires. So it belongs to one of two:
 * who disarms it and is told that it was armed, or fire(). Who is told that it
 * was not, and wants to free it, waits until fire() has returned.
 */
#include <linux/ktime.h>
#include <linux/sched.h>

#include "ring.h"
#include "timeline.h"

/*
 * So many events fire in one interrupt. One may lead to the next at once (the device
 * has thousands of requests that take no time), and the CPU is for others as well;
 * so the rest waits so many nanoseconds. An event knows what time it was for.
 */
#define ARING_FIRE_BATCH	64
#define ARING_FIRE_PAUSE	(100 * NSEC_PER_USEC)

static bool aring_event_before(struct rb_node *node, const struct rb_node *other)
{
	const struct aring_event *a = rb_entry(node, struct aring_event, node);
	const struct aring_event *b = rb_entry(other, struct aring_event, node);

	if (a->time != b->time)
		return a->time < b->time;
	if (a->phase != b->phase)
		return a->phase < b->phase;
	if (a->ring_nr != b->ring_nr)
		return a->ring_nr < b->ring_nr;
	/* Tickets wrap. */
	return (s32)(a->ticket - b->ticket) < 0;
}

static struct aring_event *aring_event_first(const struct aring_timeline *tl)
{
	struct rb_node *node = rb_first_cached(&tl->events);

	return node ? rb_entry(node, struct aring_event, node) : NULL;
}

/* lock. */
static void aring_event_remove(struct aring_timeline *tl,
			       struct aring_event *event)
{
	rb_erase_cached(&event->node, &tl->events);
	RB_CLEAR_NODE(&event->node);
	WRITE_ONCE(tl->nr_events, tl->nr_events - 1);
}

/*
 * Call fire() of an event, without the lock, which is held before and afterwards.
 * The event may be gone when it returns.
 */
static void aring_event_fire(struct aring_timeline *tl,
			     struct aring_event *event, unsigned long *flags)
{
	aring_event_remove(tl, event);
	WRITE_ONCE(tl->firing_task, current);
	WRITE_ONCE(tl->firing, event);
	spin_unlock_irqrestore(&tl->lock, *flags);
	event->fire(event);
	spin_lock_irqsave(&tl->lock, *flags);
	/* Whatever fire() did, before it can be freed; pairs with the wait. */
	smp_store_release(&tl->firing, NULL);
}

/* To the first event, but not before a time. lock. */
static void aring_timeline_set_timer(struct aring_timeline *tl, u64 not_before)
{
	struct aring_event *first = aring_event_first(tl);

	if (first)
		hrtimer_start(&tl->timer,
			      ns_to_ktime(max(first->time, not_before)),
			      HRTIMER_MODE_ABS);
}

static enum hrtimer_restart aring_timeline_timer(struct hrtimer *timer)
{
	struct aring_timeline *tl = container_of(timer, struct aring_timeline,
						 timer);
	struct aring_event *event;
	unsigned int left = ARING_FIRE_BATCH;
	unsigned long flags;

	spin_lock_irqsave(&tl->lock, flags);
	while (left && (event = aring_event_first(tl)) != NULL &&
	       event->time <= ktime_get_ns()) {
		aring_event_fire(tl, event, &flags);
		left--;
	}
	/* Not by restarting: who arms an event may have set it meanwhile. */
	aring_timeline_set_timer(tl, left ? 0 :
				 ktime_get_ns() + ARING_FIRE_PAUSE);
	spin_unlock_irqrestore(&tl->lock, flags);
	return HRTIMER_NORESTART;
}

/**
 * aring_event_init() - prepare an event
 * @event: the event, armed nowhere
 * @phase: what goes first at one instant
 * @fire: called when its time has come
 */
void aring_event_init(struct aring_event *event, enum aring_phase phase,
		      void (*fire)(struct aring_event *event))
{
	RB_CLEAR_NODE(&event->node);
	event->fire = fire;
	event->phase = phase;
}

/**
 * aring_event_arm() - let an event happen
 * @ring: on its clock
 * @event: initialised; if it is armed it is given the new time
 * @time: nanoseconds; what is in the past happens now
 * @ticket: of two at the same time and in the same phase, that with the lower one
 *	goes first
 *
 * Context: any, at most cq_lock and what is outside of it held. The caller sees
 * to it that the ring keeps its clock: by a request that is under way.
 */
void aring_event_arm(struct aring_ring *ring, struct aring_event *event,
		     u64 time, u32 ticket)
{
	struct aring_timeline *tl = ring->timeline;
	unsigned long flags;
	bool first;

	spin_lock_irqsave(&tl->lock, flags);
	if (!RB_EMPTY_NODE(&event->node))
		aring_event_remove(tl, event);
	event->time = clamp(time, tl->now, ARING_TIME_MAX);
	event->ring_nr = ring->ring_nr;
	event->ticket = ticket;
	first = rb_add_cached(&event->node, &tl->events, aring_event_before);
	WRITE_ONCE(tl->nr_events, tl->nr_events + 1);
	if (first && !tl->is_virtual)
		aring_timeline_set_timer(tl, 0);
	spin_unlock_irqrestore(&tl->lock, flags);
}

/**
 * aring_event_disarm() - let it not happen
 * @ring: as for aring_event_arm()
 * @event: initialised
 *
 * Context: as aring_event_arm().
 *
 * Return: true if it was armed and will not fire. False if it is not armed; it may
 * be firing.
 */
bool aring_event_disarm(struct aring_ring *ring, struct aring_event *event)
{
	struct aring_timeline *tl = ring->timeline;
	unsigned long flags;
	bool armed;

	spin_lock_irqsave(&tl->lock, flags);
	armed = !RB_EMPTY_NODE(&event->node);
	if (armed)
		aring_event_remove(tl, event);
	spin_unlock_irqrestore(&tl->lock, flags);
	return armed;
}

static bool aring_event_fires(const struct aring_timeline *tl,
			      const struct aring_event *event)
{
	/* Pairs with the store-release in aring_event_fire(). */
	return smp_load_acquire(&tl->firing) == event;
}

/**
 * aring_event_disarm_sync() - let it not happen, and wait until it does not
 * @ring: as for aring_event_arm()
 * @event: initialised; it may be freed afterwards
 *
 * In the context of fire() itself nothing is waited for.
 *
 * Context: process on a virtual clock, else any; no lock held that fire() takes.
 */
void aring_event_disarm_sync(struct aring_ring *ring,
			     struct aring_event *event)
{
	struct aring_timeline *tl = ring->timeline;

	aring_event_disarm(ring, event);
	/*
	 * If it fires in an interrupt, then the task that was interrupted cannot
	 * be here as well, except in that interrupt. The task was written
	 * before the event; both under the lock that we have just had.
	 */
	if (READ_ONCE(tl->firing) == event &&
	    READ_ONCE(tl->firing_task) == current)
		return;
	if (tl->is_virtual)
		wait_event(tl->fired_wait, !aring_event_fires(tl, event));
	while (aring_event_fires(tl, event))
		cpu_relax();
}

/**
 * aring_now() - what time it is
 * @ring: for this ring
 *
 * Context: any; takes no lock.
 *
 * Return: nanoseconds.
 */
u64 aring_now(const struct aring_ring *ring)
{
	return aring_is_virtual(ring) ? READ_ONCE(ring->timeline->now) :
					ktime_get_ns();
}

/**
 * aring_timeline_init() - a new timeline, on which nothing is to happen
 * @tl: zeroed
 * @is_virtual: its clock is a number, 0, else it is the monotonic clock
 */
void aring_timeline_init(struct aring_timeline *tl, bool is_virtual)
{
	spin_lock_init(&tl->lock);
	tl->events = RB_ROOT_CACHED;
	tl->is_virtual = is_virtual;
	hrtimer_init(&tl->timer, CLOCK_MONOTONIC, HRTIMER_MODE_ABS);
	tl->timer.function = aring_timeline_timer;
	init_waitqueue_head(&tl->fired_wait);
	mutex_init(&tl->move_lock);
	spin_lock_init(&tl->quiet_lock);
	INIT_LIST_HEAD(&tl->rings);
	INIT_LIST_HEAD(&tl->attached);
	refcount_set(&tl->refs, 1);
}

/**
 * aring_timeline_exit() - nobody will arm anything any more
 * @tl: the timeline
 *
 * Context: process.
 */
void aring_timeline_exit(struct aring_timeline *tl)
{
	hrtimer_cancel(&tl->timer);
	WARN_ON_ONCE(tl->nr_events);
}

/**
 * aring_timeline_next() - what is to happen next
 * @tl: the timeline
 * @nr: out: how many events there are
 *
 * Return: time of the first event, or U64_MAX if there is none.
 */
u64 aring_timeline_next(struct aring_timeline *tl, unsigned int *nr)
{
	struct aring_event *first;
	u64 time = U64_MAX;

	spin_lock_irq(&tl->lock);
	*nr = tl->nr_events;
	first = aring_event_first(tl);
	if (first)
		time = first->time;
	spin_unlock_irq(&tl->lock);
	return time;
}

/* The first one at @time of phase @from or a later one. lock. */
static struct aring_event *aring_event_find(const struct aring_timeline *tl,
					    u64 time, enum aring_phase from)
{
	struct rb_node *node = tl->events.rb_root.rb_node;
	struct aring_event *event, *found = NULL;

	while (node) {
		event = rb_entry(node, struct aring_event, node);
		if (event->time > time ||
		    (event->time == time && event->phase >= from)) {
			found = event;
			node = node->rb_left;
		} else {
			node = node->rb_right;
		}
	}
	return found && found->time == time ? found : NULL;
}

/**
 * aring_timeline_has() - is there something to happen in a phase of an instant?
 * @tl: the timeline
 * @time: the instant
 * @phase: the phase
 *
 * Return: true if so.
 */
bool aring_timeline_has(struct aring_timeline *tl, u64 time,
			enum aring_phase phase)
{
	struct aring_event *event;
	bool has;

	spin_lock_irq(&tl->lock);
	event = aring_event_find(tl, time, phase);
	has = event && event->phase == phase;
	spin_unlock_irq(&tl->lock);
	return has;
}

/**
 * aring_timeline_go() - go on to the first event, or to a time if that comes before
 * @tl: of a virtual clock; move_lock held
 * @most: the time, not in the past; U64_MAX: to the first event, if there is one
 * @phase: out: of the first event, where it is now
 *
 * In one hold of the lock: another thread may arm one for an earlier time meanwhile,
 * and an event that is behind the clock would never happen, or turn it back.
 *
 * Return: true if it is the time of the first event.
 */
bool aring_timeline_go(struct aring_timeline *tl, u64 most,
		       enum aring_phase *phase)
{
	struct aring_event *first;
	bool there;

	lockdep_assert_held(&tl->move_lock);
	spin_lock_irq(&tl->lock);
	first = aring_event_first(tl);
	there = first && first->time <= most;
	if (there) {
		*phase = first->phase;
		WRITE_ONCE(tl->now, first->time);
	} else if (most != U64_MAX) {
		WRITE_ONCE(tl->now, most);
	}
	spin_unlock_irq(&tl->lock);
	return there;
}

/**
 * aring_timeline_fire() - let happen what is to happen now
 * @tl: of a virtual clock; move_lock held
 * @from: in this phase of the instant
 * @to: up to this one
 *
 * What the events add to these phases of the instant happens as well.
 *
 * Context: process, no other lock held.
 */
void aring_timeline_fire(struct aring_timeline *tl, enum aring_phase from,
			 enum aring_phase to)
{
	struct aring_event *event;
	unsigned long flags;

	lockdep_assert_held(&tl->move_lock);
	spin_lock_irqsave(&tl->lock, flags);
	while ((event = aring_event_find(tl, tl->now, from)) != NULL &&
	       event->phase <= to) {
		aring_event_fire(tl, event, &flags);
		spin_unlock_irqrestore(&tl->lock, flags);
		wake_up_all(&tl->fired_wait);
		cond_resched();
		spin_lock_irqsave(&tl->lock, flags);
		/* What is left of the phase happens when somebody else moves on. */
		if (fatal_signal_pending(current))
			break;
	}
	spin_unlock_irqrestore(&tl->lock, flags);
}
