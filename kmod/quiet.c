// SPDX-License-Identifier: GPL-2.0
/*
 * When an automatic clock may move: when everybody waits, and for nothing else
 * than time.
 *
 * Each thread in ENTER of a ring with a virtual clock is known by name, and whether
 * it sleeps there; so are requests on files that are under way, and threads that
 * asked to be waited for wherever they are. What can change otherwise only
 * changes by one of those, or in a worker.
 *
 * Nobody watches all the time. Whoever may have been the last one to come to rest
 * looks, after it has said that it rests: a thread before it sleeps, which then
 * moves the clock itself; and by a work item what ends elsewhere. One lock orders
 * the saying and the looking, so that of two who come to rest at the same time
 * the later one sees both.
 */
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>

#include "clock.h"
#include "quiet.h"
#include "sqpoll.h"
#include "worker.h"

/* So often is looked whether a thread is gone, while only such stand in the way. */
#define ARING_LOOK_AGAIN	(HZ / 100 ?: 1)

/**
 * struct aring_attached - a thread that time waits for while it is not in ENTER
 * @list: in &aring_timeline.attached
 * @task: the thread, referenced
 * @mm: its address space, pinned by mm_count: without it, it has exited, or it is
 *	another program by now
 * @presence: in which ENTER it is, or NULL
 */
struct aring_attached {
	struct list_head	list;
	struct task_struct	*task;
	struct mm_struct	*mm;
	struct aring_presence	*presence;
};

/* quiet_lock. */
static bool aring_presence_sleeps(const struct aring_presence *presence)
{
	return presence->wait && !aring_wait_ends(presence->wait);
}

/* quiet_lock. */
static bool aring_ring_rests(struct aring_ring *ring)
{
	struct aring_presence *presence;

	/*
	 * First: what ends leaves behind what it leads to before it stops counting.
	 * Pairs with the decrement in complete.c.
	 */
	if (atomic_read_acquire(&ring->nr_real))
		return false;
	if (list_empty(&ring->present))
		return false;
	list_for_each_entry(presence, &ring->present, list) {
		if (!aring_presence_sleeps(presence))
			return false;
	}
	return aring_run_rests(ring) && aring_map_rests(ring) &&
	       (!ring->sqpoll || aring_sqpoll_rests(ring));
}

static bool aring_attached_gone(const struct aring_attached *attached)
{
	/* The kernel clears it without a mark; a later look sees it. */
	return data_race(READ_ONCE(attached->task->mm)) != attached->mm;
}

/* Does nobody on the timeline do anything but wait for it? quiet_lock. */
static bool aring_timeline_rests(struct aring_timeline *tl)
{
	struct aring_attached *attached;
	struct aring_ring *ring;
	bool rests = true;

	if (!tl->automatic || !READ_ONCE(tl->nr_events) ||
	    list_empty(&tl->rings))
		return false;
	list_for_each_entry(ring, &tl->rings, on_timeline) {
		if (!aring_ring_rests(ring))
			return false;
	}
	list_for_each_entry(attached, &tl->attached, list) {
		if (!attached->presence && !aring_attached_gone(attached))
			rests = false;
	}
	/* Nobody tells us of its exit. */
	if (!rests)
		queue_delayed_work(aring_wq, &tl->look_work, ARING_LOOK_AGAIN);
	return rests;
}

static bool aring_quiet(struct aring_timeline *tl)
{
	bool quiet;

	spin_lock(&tl->quiet_lock);
	quiet = aring_timeline_rests(tl);
	spin_unlock(&tl->quiet_lock);
	return quiet;
}

/*
 * Move the clock until somebody has something to do. Also after a step in which nothing
 * happened, as the event was disarmed: who came to rest in it saw all rings held, and
 * did not look. move_lock.
 */
static void aring_quiet_move(struct aring_timeline *tl)
{
	while (aring_quiet(tl)) {
		aring_clock_step(tl);
		cond_resched();
	}
}

/* Let go of threads that have exited. */
static void aring_quiet_prune(struct aring_timeline *tl, bool all)
{
	struct aring_attached *attached, *tmp;
	LIST_HEAD(gone);

	spin_lock(&tl->quiet_lock);
	list_for_each_entry_safe(attached, tmp, &tl->attached, list) {
		if (all || aring_attached_gone(attached))
			list_move(&attached->list, &gone);
	}
	spin_unlock(&tl->quiet_lock);
	list_for_each_entry_safe(attached, tmp, &gone, list) {
		put_task_struct(attached->task);
		mmdrop(attached->mm);
		kfree(attached);
	}
}

/**
 * aring_quiet_look_fn() - move the clock, if it may move
 * @work: &aring_timeline.look_work
 */
void aring_quiet_look_fn(struct work_struct *work)
{
	struct aring_timeline *tl = container_of(to_delayed_work(work),
						 struct aring_timeline,
						 look_work);

	aring_quiet_prune(tl, false);
	/* Who moves it by hand may wait for the program: this comes again. */
	if (!mutex_trylock(&tl->move_lock)) {
		queue_delayed_work(aring_wq, &tl->look_work, ARING_LOOK_AGAIN);
		return;
	}
	aring_quiet_move(tl);
	mutex_unlock(&tl->move_lock);
}

/**
 * aring_quiet_look() - see to it that somebody looks whether the clock may move
 * @ring: a ring with a virtual clock, kept alive by the caller
 *
 * Context: any, at most work_lock and what is outside of it held.
 */
void aring_quiet_look(struct aring_ring *ring)
{
	struct aring_timeline *tl = ring->timeline;

	/* Who moves it by hand waits for what it led to. */
	wake_up_all(&tl->fired_wait);
	if (tl->automatic)
		mod_delayed_work(aring_wq, &tl->look_work, 0);
}

/**
 * aring_quiet_recheck() - a thread that is not known by name has let something go
 * @ring: the ring
 *
 * Only if all rest already: whoever comes to rest after this looks himself, and
 * then is not to find the clock moved behind his back. Moved by a work item it
 * would wake him in the middle of an instant.
 *
 * Context: process, no lock held.
 */
void aring_quiet_recheck(struct aring_ring *ring)
{
	if (unlikely(aring_is_virtual(ring)) && aring_quiet(ring->timeline))
		aring_quiet_look(ring);
}

/**
 * aring_quiet_forget() - forget all attached threads
 * @tl: that no ring is on any more
 */
void aring_quiet_forget(struct aring_timeline *tl)
{
	aring_quiet_prune(tl, true);
}

/* quiet_lock. */
static struct aring_attached *aring_attached_find(struct aring_timeline *tl)
{
	struct aring_attached *attached;

	list_for_each_entry(attached, &tl->attached, list) {
		/* What has executed another program since has to say so itself. */
		if (attached->task == current && attached->mm == current->mm)
			return attached;
	}
	return NULL;
}

/**
 * aring_presence_begin() - this thread comes to do something on the ring
 * @ring: a ring with a virtual clock
 * @presence: on the thread's stack
 */
void aring_presence_begin(struct aring_ring *ring,
			  struct aring_presence *presence)
{
	struct aring_timeline *tl = ring->timeline;

	presence->task = current;
	presence->wait = NULL;
	spin_lock(&tl->quiet_lock);
	presence->attached = aring_attached_find(tl);
	if (presence->attached)
		presence->attached->presence = presence;
	list_add_tail(&presence->list, &ring->present);
	spin_unlock(&tl->quiet_lock);
}

/**
 * aring_presence_end() - this thread leaves
 * @ring: the ring
 * @presence: as given to aring_presence_begin()
 *
 * Context: process, no lock held.
 */
void aring_presence_end(struct aring_ring *ring,
			struct aring_presence *presence)
{
	struct aring_timeline *tl = ring->timeline;
	bool quiet;

	spin_lock(&tl->quiet_lock);
	list_del(&presence->list);
	if (presence->attached)
		presence->attached->presence = NULL;
	/* Others may have waited only for this. */
	quiet = aring_timeline_rests(tl);
	spin_unlock(&tl->quiet_lock);
	if (quiet)
		aring_quiet_look(ring);
}

/**
 * aring_presence_find() - what aring_presence_begin() was given by this thread
 * @ring: a ring with a virtual clock
 *
 * Return: that, or NULL if the ring had another clock then.
 */
struct aring_presence *aring_presence_find(struct aring_ring *ring)
{
	struct aring_timeline *tl = ring->timeline;
	struct aring_presence *presence, *found = NULL;

	spin_lock(&tl->quiet_lock);
	list_for_each_entry(presence, &ring->present, list) {
		if (presence->task == current)
			found = presence;
	}
	spin_unlock(&tl->quiet_lock);
	return found;
}

/**
 * aring_presence_sleep() - this thread is about to sleep
 * @ring: the ring
 * @presence: this thread
 * @wait: what for
 *
 * If it is the last one, it moves the clock before. Then its wait may be over.
 *
 * Context: process, no lock held.
 */
void aring_presence_sleep(struct aring_ring *ring,
			  struct aring_presence *presence,
			  const struct aring_wait_entry *wait)
{
	struct aring_timeline *tl = ring->timeline;
	bool quiet;

	spin_lock(&tl->quiet_lock);
	presence->wait = wait;
	quiet = aring_timeline_rests(tl);
	spin_unlock(&tl->quiet_lock);
	if (!quiet)
		return;
	/*
	 * Not by waiting for the mutex: who moves the clock by hand may wait for
	 * what this thread is to run.
	 */
	if (!mutex_trylock(&tl->move_lock)) {
		aring_quiet_look(ring);
		return;
	}
	aring_quiet_move(tl);
	mutex_unlock(&tl->move_lock);
}

/**
 * aring_presence_wake() - this thread sleeps no more
 * @ring: the ring
 * @presence: this thread
 */
void aring_presence_wake(struct aring_ring *ring,
			 struct aring_presence *presence)
{
	struct aring_timeline *tl = ring->timeline;

	spin_lock(&tl->quiet_lock);
	presence->wait = NULL;
	spin_unlock(&tl->quiet_lock);
}

/**
 * aring_quiet_attach() - time waits for this thread also outside of ENTER
 * @tl: on this timeline; no harm if it does so already
 *
 * Return: 0 or -ENOMEM.
 */
int aring_quiet_attach(struct aring_timeline *tl)
{
	struct aring_attached *attached;
	bool found;

	/* On a clock that is moved by hand nobody else looks for those. */
	aring_quiet_prune(tl, false);
	attached = kzalloc(sizeof(*attached), GFP_KERNEL_ACCOUNT);
	if (!attached)
		return -ENOMEM;
	spin_lock(&tl->quiet_lock);
	found = aring_attached_find(tl);
	if (!found) {
		attached->task = get_task_struct(current);
		mmgrab(current->mm);
		attached->mm = current->mm;
		list_add_tail(&attached->list, &tl->attached);
	}
	spin_unlock(&tl->quiet_lock);
	if (found)
		kfree(attached);
	return 0;
}

/**
 * aring_quiet_detach() - time does not wait for this thread any more
 * @tl: on this timeline
 *
 * Return: 0, or -ENOENT if it did not.
 */
int aring_quiet_detach(struct aring_timeline *tl)
{
	struct aring_attached *attached;

	spin_lock(&tl->quiet_lock);
	attached = aring_attached_find(tl);
	if (attached)
		list_del(&attached->list);
	spin_unlock(&tl->quiet_lock);
	if (!attached)
		return -ENOENT;
	put_task_struct(attached->task);
	mmdrop(attached->mm);
	kfree(attached);
	/* Others may have waited only for this. */
	if (tl->automatic)
		mod_delayed_work(aring_wq, &tl->look_work, 0);
	return 0;
}

/**
 * aring_real_done() - a request waits for nothing outside any more
 * @ring: its ring, kept alive by the caller; ARING_REQ_REAL has been cleared
 *
 * For who delays the end of a request on a file: from here on time may pass.
 *
 * Context: any, at most work_lock and what is outside of it held.
 */
void aring_real_done(struct aring_ring *ring)
{
	/* Behind what keeps it instead; pairs with the read-acquire above. */
	atomic_dec_return_release(&ring->nr_real);
	aring_quiet_look(ring);
}
