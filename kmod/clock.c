// SPDX-License-Identifier: GPL-2.0
/*
 * Virtual clocks: giving them to rings, and moving them.
 *
 * A clock moves from event to event, and at one instant from phase to phase
 * (timeline.h). What the events of one phase lead to, the next member of a chain
 * for example, is kept until all of them have happened, and then run before the
 * next phase: so it happens in the order of tickets, and not as threads come to
 * it.
 */
#include <linux/file.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "clock.h"
#include "main.h"
#include "quiet.h"

/* Nobody may tell that what it led to was taken back instead of run. */
#define ARING_SETTLE_LOOK	(HZ / 100 ?: 1)

/**
 * aring_timeline_create() - a new virtual clock, at 0
 * @automatic: it moves by itself when everybody waits
 *
 * Return: the timeline, which the caller holds once, or NULL.
 */
struct aring_timeline *aring_timeline_create(bool automatic)
{
	struct aring_timeline *tl = kzalloc(sizeof(*tl), GFP_KERNEL_ACCOUNT);

	if (!tl)
		return NULL;
	aring_timeline_init(tl, true);
	INIT_DELAYED_WORK(&tl->look_work, aring_quiet_look_fn);
	tl->automatic = automatic;
	return tl;
}

/**
 * aring_timeline_put() - hold it no more
 * @tl: of a virtual clock
 *
 * Context: process.
 */
void aring_timeline_put(struct aring_timeline *tl)
{
	if (!refcount_dec_and_test(&tl->refs))
		return;
	cancel_delayed_work_sync(&tl->look_work);
	aring_quiet_forget(tl);
	aring_timeline_exit(tl);
	kfree(tl);
}

/* Is the ring at rest, and may be given another clock? submit_lock, lock. */
static bool aring_clock_may_change(struct aring_ring *ring)
{
	aring_reclaim(ring);
	return !ring->nr_inflight && !READ_ONCE(ring->nr_overflow) &&
	       !ring->dying && !ring->on_virtual &&
	       !READ_ONCE(ring->real_time.nr_events);
}

/**
 * aring_clock_give() - give a ring a virtual clock
 * @ring: the ring
 * @tl: the clock; the ring holds it once more
 *
 * Context: process, no lock held.
 *
 * Return: 0; -EBUSY if a request is under way, a thread waits, or the ring has a
 * virtual clock; -EINTR if killed.
 */
int aring_clock_give(struct aring_ring *ring, struct aring_timeline *tl)
{
	int ret = -EBUSY;

	if (mutex_lock_killable(&ring->submit_lock))
		return -EINTR;
	/* Whoever moves it may take long. */
	if (mutex_lock_killable(&tl->move_lock)) {
		mutex_unlock(&ring->submit_lock);
		return -EINTR;
	}
	mutex_lock(&ring->lock);
	if (aring_clock_may_change(ring)) {
		/* A thread that lists itself later sees the new clock. */
		spin_lock_irq(&ring->work_lock);
		if (list_empty(&ring->sleepers)) {
			WRITE_ONCE(ring->timeline, tl);
			ring->ring_nr = tl->nr_rings;
			/* Pairs with the load-acquire in aring_is_virtual(). */
			smp_store_release(&ring->on_virtual, true);
			WRITE_ONCE(ring->closely, true);
			WRITE_ONCE(ring->odd, ring->odd | ARING_ODD_VIRTUAL);
			ret = 0;
		}
		spin_unlock_irq(&ring->work_lock);
	}
	if (!ret) {
		refcount_inc(&tl->refs);
		spin_lock(&tl->quiet_lock);
		tl->nr_rings++;
		list_add_tail(&ring->on_timeline, &tl->rings);
		spin_unlock(&tl->quiet_lock);
	}
	mutex_unlock(&ring->lock);
	mutex_unlock(&tl->move_lock);
	mutex_unlock(&ring->submit_lock);
	return ret;
}

/**
 * aring_clock_leave() - time need not wait for this ring any more
 * @ring: dying; all that could be was taken back
 *
 * Context: process, no lock held.
 *
 * Return: false if somebody moves the clock just now: try again later.
 */
bool aring_clock_leave(struct aring_ring *ring)
{
	struct aring_timeline *tl = ring->timeline;

	/* Nobody else takes it off the list. */
	if (!aring_is_virtual(ring) || list_empty(&ring->on_timeline))
		return true;
	if (!mutex_trylock(&tl->move_lock))
		return false;
	spin_lock(&tl->quiet_lock);
	list_del_init(&ring->on_timeline);
	spin_unlock(&tl->quiet_lock);
	mutex_unlock(&tl->move_lock);
	aring_quiet_look(ring);
	return true;
}

/* ---- moving -------------------------------------------------------------- */

/* move_lock. */
static void aring_clock_let_go(struct aring_timeline *tl,
			       const struct aring_ring *until)
{
	struct aring_ring *ring;

	list_for_each_entry(ring, &tl->rings, on_timeline) {
		if (ring == until)
			break;
		aring_ready_let_go(ring);
	}
}

/*
 * Keep all that does not wait from being run. move_lock. Return: false if some of
 * it is being run or about to be.
 */
static bool aring_clock_hold(struct aring_timeline *tl)
{
	struct aring_ring *ring;

	list_for_each_entry(ring, &tl->rings, on_timeline) {
		if (!aring_ready_hold(ring)) {
			aring_clock_let_go(tl, ring);
			return false;
		}
	}
	return true;
}

/*
 * Until everything is run that does not wait, by this thread where it may. move_lock.
 * Return: 0 or -EINTR.
 */
static int aring_clock_hold_wait(struct aring_timeline *tl)
{
	bool held;
	long ret;

	do {
		aring_mover_run(tl->mover);
		ret = wait_event_killable_timeout(tl->fired_wait,
						  (held = aring_clock_hold(tl)) ||
						  aring_mover_pending(tl->mover),
						  ARING_SETTLE_LOOK);
	} while (!held && ret >= 0);
	return held ? 0 : -EINTR;
}

/* The phases that happen as one. */
static enum aring_phase aring_clock_last(enum aring_phase phase)
{
	return phase == ARING_PHASE_FINISH ? ARING_PHASE_LIMIT : phase;
}

/**
 * aring_clock_step() - let the next thing happen, unless somebody has something to do
 * @tl: of a virtual clock; move_lock held
 *
 * Context: process, no other lock held.
 */
void aring_clock_step(struct aring_timeline *tl)
{
	enum aring_phase phase;

	if (!aring_clock_hold(tl))
		return;
	if (aring_timeline_go(tl, U64_MAX, &phase))
		aring_timeline_fire(tl, phase, aring_clock_last(phase));
	aring_clock_let_go(tl, NULL);
}

/* One phase of the present instant. move_lock. Return: 0 or -EINTR. */
static int aring_clock_phase(struct aring_timeline *tl, enum aring_phase phase)
{
	int ret;

	/* Where nothing is to be waited for nothing else looks. */
	if (fatal_signal_pending(current))
		return -EINTR;
	ret = aring_clock_hold_wait(tl);
	if (ret)
		return ret;
	aring_timeline_fire(tl, phase, aring_clock_last(phase));
	aring_clock_let_go(tl, NULL);
	return 0;
}

/* Until what the last phase led to has been run. move_lock. */
static int aring_clock_settle(struct aring_timeline *tl)
{
	int ret = aring_clock_hold_wait(tl);

	if (!ret)
		aring_clock_let_go(tl, NULL);
	return ret;
}

/*
 * Move by hand, up to @end. An instant on the way ends when all its phases have
 * happened; at @end the programs come before the channels take anything, unless
 * there are CQEs to be posted. move_lock. Return: 0 or -EINTR.
 */
static int aring_clock_move(struct aring_timeline *tl, u64 end)
{
	enum aring_phase phase;
	u64 start = tl->now;
	int ret;

	/* What has become ready belongs to the instant at hand. */
	ret = aring_clock_settle(tl);
	while (!ret && aring_timeline_go(tl, end, &phase)) {
		if (tl->now == end && end > start &&
		    phase >= ARING_PHASE_START &&
		    !aring_timeline_has(tl, end, ARING_PHASE_END))
			break;
		ret = aring_clock_phase(tl, phase) ?: aring_clock_settle(tl);
	}
	return ret;
}

/* Move by hand to the next event. move_lock. Return: 0, -ENOENT or -EINTR. */
static int aring_clock_move_next(struct aring_timeline *tl)
{
	enum aring_phase phase;
	bool any = false;
	int ret;

	/* What has become ready belongs to the instant at hand. */
	ret = aring_clock_settle(tl);
	if (ret)
		return ret;
	/* What is left of it. */
	while (aring_timeline_go(tl, tl->now, &phase) &&
	       phase >= ARING_PHASE_START) {
		ret = aring_clock_phase(tl, phase) ?: aring_clock_settle(tl);
		if (ret)
			return ret;
		any = true;
	}
	if (!aring_timeline_go(tl, U64_MAX, &phase))
		return any ? 0 : -ENOENT;
	ret = aring_clock_phase(tl, ARING_PHASE_FINISH) ?:
	      aring_clock_settle(tl);
	while (!ret && aring_timeline_has(tl, tl->now, ARING_PHASE_END)) {
		aring_timeline_go(tl, tl->now, &phase);
		ret = aring_clock_phase(tl, phase) ?: aring_clock_settle(tl);
	}
	return ret;
}

static int aring_clock_move_by_hand(struct aring_ring *ring,
				    const struct aring_clock *clock)
{
	struct aring_timeline *tl = ring->timeline;
	struct aring_sleeper mover;
	int ret;

	if (mutex_lock_killable(&tl->move_lock))
		return -EINTR;
	tl->mover = ring;
	aring_mover_begin(ring, &mover);
	if (clock->cmd == ARING_CLOCK_NEXT)
		ret = aring_clock_move_next(tl);
	else if (clock->cmd == ARING_CLOCK_ADVANCE)
		ret = clock->time > ARING_TIME_MAX - tl->now ? -EINVAL :
		      aring_clock_move(tl, tl->now + clock->time);
	else
		ret = clock->time < tl->now || clock->time > ARING_TIME_MAX ?
		      -EINVAL : aring_clock_move(tl, clock->time);
	aring_mover_end(ring);
	mutex_unlock(&tl->move_lock);
	/* Who came to rest meanwhile saw us at work, and did not look. */
	aring_quiet_recheck(ring);
	return ret;
}

/* ---- the ioctl ----------------------------------------------------------- */

static int aring_clock_virtual(struct aring_ring *ring, bool automatic)
{
	struct aring_timeline *tl = aring_timeline_create(automatic);
	int ret;

	if (!tl)
		return -ENOMEM;
	ret = aring_clock_give(ring, tl);
	aring_timeline_put(tl);
	return ret;
}

static int aring_clock_share(struct aring_ring *ring, int fd)
{
	struct file *file = fget(fd);
	struct aring_ring *other;
	int ret = -EINVAL;

	if (!file)
		return -EBADF;
	if (aring_is_ring(file)) {
		other = aring_ring_of(file);
		if (other && aring_is_virtual(other))
			ret = aring_clock_give(ring, other->timeline);
	}
	fput(file);
	return ret;
}

static int aring_clock_do(struct aring_ring *ring,
			  const struct aring_clock *clock)
{
	switch (clock->cmd) {
	case ARING_CLOCK_GET:
		return 0;
	case ARING_CLOCK_VIRTUAL:
		if (clock->flags & ~ARING_CLOCK_AUTO)
			return -EINVAL;
		return aring_clock_virtual(ring,
					   clock->flags & ARING_CLOCK_AUTO);
	case ARING_CLOCK_SHARE:
		return aring_clock_share(ring, clock->fd);
	default:
		break;
	}
	/* The rest is for virtual clocks. */
	if (!aring_is_virtual(ring))
		return -EINVAL;
	switch (clock->cmd) {
	case ARING_CLOCK_NEXT:
	case ARING_CLOCK_ADVANCE:
	case ARING_CLOCK_TO:
		return aring_clock_move_by_hand(ring, clock);
	case ARING_CLOCK_ATTACH:
		return aring_quiet_attach(ring->timeline);
	case ARING_CLOCK_DETACH:
		return aring_quiet_detach(ring->timeline);
	default:
		return -EINVAL;
	}
}

static void aring_clock_tell(struct aring_ring *ring,
			     struct aring_clock *clock)
{
	struct aring_timeline *tl;

	clock->flags = 0;
	clock->nr_events = 0;
	clock->next = U64_MAX;
	/* One look decides about all: the clock may just be given. */
	if (!aring_is_virtual(ring)) {
		clock->time = ktime_get_ns();
		return;
	}
	/* Behind that look's load-acquire; pairs with aring_clock_give(). */
	tl = READ_ONCE(ring->timeline);
	clock->time = READ_ONCE(tl->now);
	clock->flags = ARING_CLOCK_IS_VIRTUAL;
	if (tl->automatic)
		clock->flags |= ARING_CLOCK_AUTO;
	clock->next = aring_timeline_next(tl, &clock->nr_events);
}

/**
 * aring_clock() - ARING_IOC_CLOCK
 * @ring: the ring
 * @arg: what to do; out: what time it is
 *
 * Context: process, no lock held.
 *
 * Return: 0, or a negative errno as the header says; then @arg stays as it is.
 */
int aring_clock(struct aring_ring *ring, struct aring_clock __user *arg)
{
	struct aring_clock clock;
	int ret;

	if (copy_from_user(&clock, arg, sizeof(clock)))
		return -EFAULT;
	if (clock.resv[0] || clock.resv[1])
		return -EINVAL;
	ret = aring_clock_do(ring, &clock);
	if (ret)
		return ret;
	aring_clock_tell(ring, &clock);
	return copy_to_user(arg, &clock, sizeof(clock)) ? -EFAULT : 0;
}
