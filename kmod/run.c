// SPDX-License-Identifier: GPL-2.0
/*
 * Where a request runs that had to wait: in a thread of the program that
 * sleeps in ENTER, or in a worker, or, if neither is possible now, as soon as
 * the program calls ENTER.
 *
 * A request on the run list or in a worker's queue is still QUEUED: it can be
 * taken back until the moment somebody takes it to run it.
 */
#include <linux/cred.h>
#include <linux/poll.h>
#include <linux/sched.h>

#include "hold.h"
#include "notify.h"
#include "op.h"
#include "quiet.h"
#include "worker.h"

/**
 * aring_is_at_home() - would @req find in the calling thread what it would have
 *	found at submission?
 * @req: gone asynchronous
 *
 * Return: true if so.
 */
bool aring_is_at_home(const struct aring_req *req)
{
	/*
	 * The mm is pinned, so its address is not reused; within one address
	 * space there is no boundary that mistaking a reused table for the
	 * old one could cross.
	 */
	return req->mm == current->mm && req->files == current->files &&
	       req->fs == current->fs && req->nsproxy == current->nsproxy;
}

static bool aring_at_home_in(const struct aring_req *req,
			     const struct aring_sleeper *sleeper)
{
	return req->mm == sleeper->mm && req->files == sleeper->files &&
	       req->fs == sleeper->fs && req->nsproxy == sleeper->nsproxy;
}

/* work_lock. */
static struct aring_sleeper *aring_find_sleeper(const struct aring_req *req)
{
	struct aring_sleeper *sleeper;

	list_for_each_entry(sleeper, &req->ring->sleepers, list) {
		if (aring_at_home_in(req, sleeper))
			return sleeper;
	}
	return NULL;
}

/* work_lock. */
static void aring_run_add(struct aring_req *req)
{
	struct aring_ring *ring = req->ring;

	aring_work_add(&ring->run_list, req);
	if (!ring->nr_run)
		atomic_or(ARING_SQ_TASKRUN, &ring->shared->sq_flags);
	WRITE_ONCE(ring->nr_run, ring->nr_run + 1);
}

/* work_lock. */
static void aring_run_del(struct aring_req *req)
{
	struct aring_ring *ring = req->ring;

	aring_work_del(req);
	WRITE_ONCE(ring->nr_run, ring->nr_run - 1);
	if (!ring->nr_run)
		atomic_andnot(ARING_SQ_TASKRUN, &ring->shared->sq_flags);
}

/*
 * Is the first of what does not wait for who moves the clock by hand? He waits for
 * it, and runs it himself as long as no file can keep him. work_lock.
 */
static bool aring_ready_is_movers(const struct aring_ring *ring)
{
	const struct aring_req *req;

	if (likely(!ring->mover) || ring->ready.busy)
		return false;
	req = aring_work_first(&ring->ready.queue);
	return req && !(req->op->flags & ARING_OP_FILE) &&
	       aring_at_home_in(req, ring->mover);
}

/*
 * What does not wait is for a thread of the program if one sleeps in ENTER, else
 * for a worker. Whoever is at it already takes this one too. work_lock.
 */
static void aring_ready_kick(struct aring_ring *ring)
{
	struct aring_sleeper *sleeper;
	struct aring_req *req;

	req = aring_work_first(&ring->ready.queue);
	if (!req || ring->ready.busy)
		return;
	sleeper = aring_ready_is_movers(ring) ? ring->mover :
						aring_find_sleeper(req);
	if (sleeper)
		wake_up_process(sleeper->task);
	else
		aring_pool_kick(&ring->ready);
}

/* Is the first of them for this thread? work_lock. */
static bool aring_ready_is_here(struct aring_ring *ring)
{
	const struct aring_req *req = aring_work_first(&ring->ready.queue);

	return req && !ring->ready.busy && aring_is_at_home(req);
}

/* Give a runnable request to whoever may run it. work_lock. */
static void aring_run_place(struct aring_req *req)
{
	struct aring_ring *ring = req->ring;
	struct aring_sleeper *sleeper;

	/* What was not tried yet may well end where it is tried. */
	if (!(req->flags & ARING_REQ_LAUNCH) &&
	    (req->where == ARING_WHERE_PEER || req->where == ARING_WHERE_DISK)) {
		aring_worker_enqueue(req);
		return;
	}
	if (req->where == ARING_WHERE_ANY) {
		aring_work_add(&ring->ready.queue, req);
		aring_ready_kick(ring);
		return;
	}
	sleeper = aring_find_sleeper(req);
	if (sleeper) {
		aring_run_add(req);
		wake_up_process(sleeper->task);
		return;
	}
	if (req->where != ARING_WHERE_ENTER) {
		aring_worker_enqueue(req);
		return;
	}
	aring_run_add(req);
	/* The list before the look at the queue; pairs with main.c's poll. */
	smp_mb();
	aring_notify(ring);
}

/**
 * aring_run_wake() - what a request waits for may have happened
 * @req: kept alive by the caller, who holds the lock of a queue it is in
 *
 * Context: any, under foreign locks.
 */
void aring_run_wake(struct aring_req *req)
{
	struct aring_ring *ring = req->ring;
	unsigned long flags;

	if (!aring_state_wake(&req->state))
		return;
	/*
	 * It was QUEUED. Should somebody take it before we have the lock, he may
	 * not ask the file, and is told to look again. If it is listed, who
	 * finds it there does the same: aring_work_take().
	 */
	spin_lock_irqsave(&ring->work_lock, flags);
	if (!aring_work_listed(req) && aring_state_wake(&req->state))
		aring_run_place(req);
	spin_unlock_irqrestore(&ring->work_lock, flags);
}

/**
 * aring_run_woken() - the owner wants the request to be run elsewhere
 * @req: STARTED and owned, in a wait queue; not the caller's afterwards
 *
 * Context: any, neither work_lock nor a lock inside it held.
 */
void aring_run_woken(struct aring_req *req)
{
	struct aring_ring *ring = req->ring;
	bool again, queued;
	unsigned long flags;

	/* QUEUED and listed in one step, as in aring_worker_queue(). */
	rcu_read_lock();
	spin_lock_irqsave(&ring->work_lock, flags);
	/* Before it is QUEUED, likewise. */
	req->placed = true;
	do {
		queued = aring_queue_or_cancel_quiet(req, &again);
	} while (!queued && again);
	if (queued && !aring_work_listed(req))
		aring_run_place(req);
	spin_unlock_irqrestore(&ring->work_lock, flags);
	if (unlikely(READ_ONCE(ring->nr_unblocked)))
		aring_run_unblocked(ring);
	rcu_read_unlock();
}

/**
 * aring_run_queued() - a QUEUED request is to be run
 * @req: QUEUED, on no list; &aring_ring.lock held, so that it is not reclaimed
 *
 * Context: process.
 */
void aring_run_queued(struct aring_req *req)
{
	struct aring_ring *ring = req->ring;
	unsigned long flags;

	spin_lock_irqsave(&ring->work_lock, flags);
	aring_run_place(req);
	spin_unlock_irqrestore(&ring->work_lock, flags);
}

/*
 * Place what is to be run, until there are @nr that only have to be completed; @nr
 * becomes how many more those may be. Return: these, linked by &aring_req.next.
 */
static struct aring_req *aring_run_sort_unblocked(struct aring_ring *ring,
						  unsigned int *nr)
{
	struct aring_req *req, *ripe = NULL, **last = &ripe;
	unsigned long flags;

	/*
	 * Whoever takes one back now takes it off our list before it is freed,
	 * for which it needs the lock.
	 */
	spin_lock_irqsave(&ring->work_lock, flags);
	while (*nr && (req = aring_link_unblocked(ring)) != NULL) {
		if (aring_req_has_fate(req) && req->steered->ripe) {
			*last = req;
			last = &req->next;
			--*nr;
		} else if (aring_state_read(&req->state) == ARING_QUEUED) {
			aring_run_place(req);
		}
	}
	spin_unlock_irqrestore(&ring->work_lock, flags);
	*last = NULL;
	return ripe;
}

/**
 * aring_run_some_unblocked() - place what no longer waits for other requests
 * @ring: the ring, kept alive by the caller
 * @nr: of what has only to be completed: so many at most
 *
 * Context: any, neither work_lock nor a lock inside it held.
 *
 * Return: true if some are left.
 */
bool aring_run_some_unblocked(struct aring_ring *ring, unsigned int nr)
{
	struct aring_req *req, *ripe;

	/* One by one, not one inside the other: there may be many. */
	while ((ripe = aring_run_sort_unblocked(ring, &nr)) != NULL) {
		while ((req = ripe) != NULL) {
			ripe = req->next;
			aring_complete_ripe(req);
		}
	}
	return READ_ONCE(ring->nr_unblocked);
}

/**
 * aring_run_unblocked() - place what no longer waits for other requests
 * @ring: the ring, kept alive by the caller, if in no other way by rcu
 *
 * An interrupt, or a wake-up under a foreign lock, does not last for as many as the
 * program has put one behind the other: the rest is left to a work item, for which
 * the end of the ring waits after a grace period.
 *
 * Context: any, neither work_lock nor a lock inside it held.
 */
void aring_run_unblocked(struct aring_ring *ring)
{
	bool brief = irqs_disabled() || in_interrupt();

	if (aring_run_some_unblocked(ring, brief ? ARING_RIPE_BATCH :
						   UINT_MAX) && brief)
		queue_work(aring_wq, &ring->steer.ripe_work);
}

/**
 * aring_run_unlist() - take a request off the run list or a worker's queue
 * @req: owned, or final; in no foreign wait queue any more
 *
 * Context: process.
 */
void aring_run_unlist(struct aring_req *req)
{
	struct aring_ring *ring = req->ring;
	unsigned long flags;

	/* No wake-up can place it any more: those before us said so. */
	if (likely(!req->placed))
		return;
	spin_lock_irqsave(&ring->work_lock, flags);
	if (aring_work_listed(req)) {
		if (req->work_queue == &ring->run_list) {
			aring_run_del(req);
		} else {
			aring_work_del(req);
			/* The next one may be for another thread. */
			aring_ready_kick(ring);
		}
	}
	spin_unlock_irqrestore(&ring->work_lock, flags);
}

/*
 * The next request that may run in this thread, taken: STARTED and ours. Or one
 * that is to be held instead: *@due, and its ticket.
 */
static struct aring_req *aring_run_take(struct aring_ring *ring, bool *ready,
					bool *due, u32 *ticket)
{
	struct aring_req *req, *next, *found = NULL;
	unsigned long flags;

	*ready = false;
	*due = false;
	spin_lock_irqsave(&ring->work_lock, flags);
	for (req = aring_work_first(&ring->run_list); req; req = next) {
		next = aring_work_next(req);
		if (!aring_is_at_home(req))
			continue;
		*due = aring_hold_is_due(req);
		*ticket = req->ticket;
		if (unlikely(*due))
			break;
		aring_run_del(req);
		if (aring_work_take(req)) {
			found = req;
			break;
		}
	}
	if (!found && !*due && aring_ready_is_here(ring)) {
		found = aring_pool_take(&ring->ready, due, ticket);
		*ready = found;
	}
	/* What is not for us is for somebody else, and we were in his way. */
	if (!found && !*due)
		aring_ready_kick(ring);
	spin_unlock_irqrestore(&ring->work_lock, flags);
	return found;
}

/**
 * aring_run_pending() - is there something that this thread should run?
 * @ring: the ring
 *
 * Return: true if so.
 */
bool aring_run_pending(struct aring_ring *ring)
{
	struct aring_req *req;
	unsigned long flags;
	bool found;

	if (likely(aring_run_idle(ring)))
		return false;
	spin_lock_irqsave(&ring->work_lock, flags);
	found = aring_ready_is_here(ring);
	req = aring_work_first(&ring->run_list);
	for (; req && !found; req = aring_work_next(req))
		found = aring_is_at_home(req);
	spin_unlock_irqrestore(&ring->work_lock, flags);
	return found;
}

/* One of those that are run one by one is done: the next may be taken. */
static void aring_ready_done(struct aring_ring *ring, bool leave)
{
	unsigned long flags;

	spin_lock_irqsave(&ring->work_lock, flags);
	ring->ready.busy = false;
	if (leave)
		aring_ready_kick(ring);
	spin_unlock_irqrestore(&ring->work_lock, flags);
	/* Who moves the clock by hand waits for this. */
	if (unlikely(aring_is_virtual(ring)))
		wake_up_all(&ring->timeline->fired_wait);
}

/* Is nothing to be run that does not wait, or being run? work_lock. */
static bool aring_ready_rests(const struct aring_ring *ring)
{
	return aring_work_none(&ring->ready.queue) && !ring->ready.busy &&
	       !READ_ONCE(ring->nr_unblocked);
}

/**
 * aring_ready_hold() - keep what does not wait from being run
 * @ring: the ring
 *
 * Return: false if some of it is being run or about to be.
 */
bool aring_ready_hold(struct aring_ring *ring)
{
	bool rests;

	spin_lock_irq(&ring->work_lock);
	rests = aring_ready_rests(ring);
	if (rests)
		ring->ready.busy = true;
	spin_unlock_irq(&ring->work_lock);
	return rests;
}

/**
 * aring_ready_let_go() - it may be run again
 * @ring: held by aring_ready_hold()
 */
void aring_ready_let_go(struct aring_ring *ring)
{
	spin_lock_irq(&ring->work_lock);
	ring->ready.busy = false;
	aring_ready_kick(ring);
	spin_unlock_irq(&ring->work_lock);
}

/* Who the calling thread is. */
static void aring_sleeper_fill(struct aring_sleeper *sleeper)
{
	sleeper->task = current;
	sleeper->mm = current->mm;
	sleeper->files = current->files;
	sleeper->fs = current->fs;
	sleeper->nsproxy = current->nsproxy;
}

/**
 * aring_mover_begin() - this thread is going to move the clock
 * @ring: a ring on it; move_lock of the timeline held until aring_mover_end()
 * @mover: on the thread's stack
 */
void aring_mover_begin(struct aring_ring *ring, struct aring_sleeper *mover)
{
	aring_sleeper_fill(mover);
	spin_lock_irq(&ring->work_lock);
	ring->mover = mover;
	spin_unlock_irq(&ring->work_lock);
}

/**
 * aring_mover_end() - it moves the clock no more
 * @ring: as given to aring_mover_begin()
 */
void aring_mover_end(struct aring_ring *ring)
{
	spin_lock_irq(&ring->work_lock);
	ring->mover = NULL;
	aring_ready_kick(ring);
	spin_unlock_irq(&ring->work_lock);
}

/**
 * aring_mover_pending() - is there something that this thread should run?
 * @ring: whose mover it is
 *
 * Return: true if so.
 */
bool aring_mover_pending(struct aring_ring *ring)
{
	bool pending;

	spin_lock_irq(&ring->work_lock);
	pending = aring_ready_is_movers(ring);
	spin_unlock_irq(&ring->work_lock);
	return pending;
}

/**
 * aring_mover_run() - run it
 * @ring: whose mover the calling thread is
 *
 * Context: process, no lock of @ring held.
 */
void aring_mover_run(struct aring_ring *ring)
{
	struct aring_req *req;
	u32 ticket;
	bool due;

	do {
		due = false;
		req = NULL;
		spin_lock_irq(&ring->work_lock);
		if (aring_ready_is_movers(ring))
			req = aring_pool_take(&ring->ready, &due, &ticket);
		/* What is not for us is for somebody else. */
		if (!req && !due)
			aring_ready_kick(ring);
		spin_unlock_irq(&ring->work_lock);
		if (unlikely(due))
			aring_hold_listed(ring, ticket);
		if (!req)
			continue;
		aring_run_one(req);
		aring_ready_done(ring, false);
	} while (req || due);
}

/**
 * aring_run_rests() - is there nothing for any thread to run, and none that runs it?
 * @ring: the ring
 *
 * Threads in ENTER are not looked at.
 *
 * Return: true if so.
 */
bool aring_run_rests(struct aring_ring *ring)
{
	bool rests;

	spin_lock_irq(&ring->work_lock);
	rests = aring_ready_rests(ring) && !ring->nr_run &&
		aring_pools_rest(ring);
	spin_unlock_irq(&ring->work_lock);
	return rests;
}

/**
 * aring_run_all() - run what waits for a thread like this one
 * @ring: the ring; no lock of it held
 *
 * Return: how many requests were tried.
 */
unsigned int aring_run_all(struct aring_ring *ring)
{
	struct aring_req *req;
	unsigned int nr = 0;
	bool ready, due;
	u32 ticket;

	for (;;) {
		req = aring_run_take(ring, &ready, &due, &ticket);
		if (unlikely(due)) {
			aring_hold_listed(ring, ticket);
			continue;
		}
		if (!req)
			break;
		aring_run_one(req);
		nr++;
		if (ready)
			aring_ready_done(ring, fatal_signal_pending(current));
		if (fatal_signal_pending(current))
			break;
	}
	return nr;
}

/**
 * aring_run_handoff() - a thread has no time: what it leaves goes elsewhere
 * @ring: the ring
 */
void aring_run_handoff(struct aring_ring *ring)
{
	struct aring_req *req, *next;
	unsigned long flags;

	if (likely(aring_run_idle(ring)))
		return;
	spin_lock_irqsave(&ring->work_lock, flags);
	aring_ready_kick(ring);
	for (req = aring_work_first(&ring->run_list); req; req = next) {
		next = aring_work_next(req);
		if (aring_find_sleeper(req)) {
			wake_up_process(aring_find_sleeper(req)->task);
			continue;
		}
		if (req->where != ARING_WHERE_ENTER) {
			aring_run_del(req);
			aring_worker_enqueue(req);
		}
	}
	/* As in aring_run_place(). */
	smp_mb();
	if (ring->nr_run)
		aring_notify(ring);
	spin_unlock_irqrestore(&ring->work_lock, flags);
}

/**
 * aring_sleeper_add() - this thread begins to wait in ENTER
 * @ring: the ring
 * @sleeper: on the thread's stack
 */
void aring_sleeper_add(struct aring_ring *ring, struct aring_sleeper *sleeper)
{
	unsigned long flags;

	aring_sleeper_fill(sleeper);
	spin_lock_irqsave(&ring->work_lock, flags);
	list_add(&sleeper->list, &ring->sleepers);
	spin_unlock_irqrestore(&ring->work_lock, flags);
}

/**
 * aring_sleeper_del() - this thread sleeps no more
 * @ring: the ring
 * @sleeper: as given to aring_sleeper_add()
 *
 * It runs what was meant for it, or calls aring_run_handoff().
 */
void aring_sleeper_del(struct aring_ring *ring, struct aring_sleeper *sleeper)
{
	unsigned long flags;

	spin_lock_irqsave(&ring->work_lock, flags);
	list_del(&sleeper->list);
	spin_unlock_irqrestore(&ring->work_lock, flags);
}
