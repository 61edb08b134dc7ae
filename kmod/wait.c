// SPDX-License-Identifier: GPL-2.0
/*
 * The waiting half of ENTER. Who waits here also runs what became ready for
 * the program meanwhile.
 */
#include <linux/hrtimer.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>
#include <linux/wait.h>

#include "hold.h"
#include "quiet.h"

/**
 * struct aring_wait_entry - one wait
 * @entry: in &aring_ring.enter_wait
 * @ring: the ring
 * @target: CQ tail that is far enough
 * @nr_timeouts: &aring_ring.nr_timeouts at the start; any more ends the wait
 * @limit: nanoseconds that it may last, KTIME_MAX for as long as it takes
 * @deadline: on the monotonic clock, unless the ring has another one
 * @presence: on a virtual clock: this thread
 * @timer: likewise its time limit
 * @timed_out: which was reached
 */
struct aring_wait_entry {
	wait_queue_entry_t	entry;
	struct aring_ring	*ring;
	u32			target;
	u32			nr_timeouts;
	ktime_t			limit;
	ktime_t			deadline;
	struct aring_presence	*presence;
	struct aring_event	timer;
	bool			timed_out;
};

static bool aring_wait_over(const struct aring_wait_entry *wait)
{
	const struct aring_ring *ring = wait->ring;

	return (s32)(READ_ONCE(ring->shared->cq.tail) - wait->target) >= 0 ||
	       READ_ONCE(ring->nr_timeouts) != wait->nr_timeouts;
}

/**
 * aring_wait_ends() - would a thread go on if it were woken now?
 * @wait: what it sleeps for, in a ring with a virtual clock
 *
 * Context: any; something keeps the thread in this wait.
 *
 * Return: true if so.
 */
bool aring_wait_ends(const struct aring_wait_entry *wait)
{
	return aring_wait_over(wait) || READ_ONCE(wait->ring->nr_overflow) ||
	       READ_ONCE(wait->ring->steer.look) ||
	       READ_ONCE(wait->timed_out) ||
	       signal_pending(wait->presence->task);
}

static int aring_wait_wake(wait_queue_entry_t *entry, unsigned int mode,
			   int sync, void *key)
{
	struct aring_wait_entry *wait;

	wait = container_of(entry, struct aring_wait_entry, entry);
	if (!aring_wait_over(wait) && !READ_ONCE(wait->ring->nr_overflow) &&
	    !READ_ONCE(wait->ring->steer.look))
		return 0;
	return autoremove_wake_function(entry, mode, sync, key);
}

/*
 * Sleep once. Return: 1 to look again, 0 if the wait is over, else why it ends.
 */
static int aring_wait_sleep(struct aring_wait_entry *wait)
{
	if (aring_wait_over(wait))
		return 0;
	if (READ_ONCE(wait->ring->nr_overflow))
		return 1;
	if (task_sigpending(current))
		return -EINTR;
	/*
	 * Task work is to be run on the way to user space. Nothing was
	 * submitted if this is what the program gets, so ENTER may restart.
	 */
	if (signal_pending(current))
		return -ERESTARTNOINTR;
	/* After the signals: others may give us reason to look all the time. */
	if (READ_ONCE(wait->ring->steer.look))
		return 1;
	if (READ_ONCE(wait->timed_out) ||
	    !schedule_hrtimeout(&wait->deadline, HRTIMER_MODE_ABS))
		return -ETIME;
	return 1;
}

/* The time limit of a wait on a virtual clock. */
static void aring_wait_fire(struct aring_event *event)
{
	struct aring_wait_entry *wait = container_of(event,
						     struct aring_wait_entry,
						     timer);

	WRITE_ONCE(wait->timed_out, true);
	wake_up_process(wait->presence->task);
}

/*
 * Take part in a virtual clock, which the ring perhaps did not have when this
 * thread came. A limit of 0 is for who only wants to look.
 */
static void aring_wait_join(struct aring_wait_entry *wait,
			    struct aring_presence *own)
{
	struct aring_ring *ring = wait->ring;

	wait->presence = aring_presence_find(ring);
	if (!wait->presence) {
		aring_presence_begin(ring, own);
		wait->presence = own;
	}
	wait->deadline = KTIME_MAX;
	aring_event_init(&wait->timer, ARING_PHASE_LIMIT, aring_wait_fire);
	if (wait->limit <= 0)
		wait->timed_out = true;
	else if (wait->limit != KTIME_MAX)
		aring_event_arm(ring, &wait->timer,
				aring_now(ring) + wait->limit, 0);
}

static void aring_wait_leave(struct aring_wait_entry *wait,
			     struct aring_presence *own)
{
	aring_event_disarm_sync(wait->ring, &wait->timer);
	if (wait->presence == own)
		aring_presence_end(wait->ring, own);
}

/*
 * Who waits for what is held by chaos is not to wait for ever. Return: true if
 * something was let go: look again.
 */
static bool aring_wait_look(const struct aring_wait_entry *wait)
{
	struct aring_steering *steer = &wait->ring->steer;
	struct aring_sleeper sleeper;
	bool found;

	/*
	 * Also if nothing is held any more: nobody else takes notice of what is
	 * to be looked at, which may be there still, and keeps us from sleeping.
	 */
	if (likely(!READ_ONCE(steer->nr_soft) && !READ_ONCE(steer->look)))
		return false;
	/* There may be many to let go: a signal ends the wait before. */
	if (signal_pending(current) || aring_wait_over(wait))
		return false;
	/* Listed, we are who tries what is let go: no worker is woken for it. */
	aring_sleeper_add(wait->ring, &sleeper);
	found = aring_late_look(wait->ring, true);
	aring_sleeper_del(wait->ring, &sleeper);
	return found;
}

/*
 * Move what waits for room, and run what that leads to: here, so that no worker
 * is woken for it. Return: false if some is left waiting.
 */
static bool aring_wait_flush(struct aring_ring *ring)
{
	struct aring_sleeper sleeper;
	bool empty;

	if (likely(!READ_ONCE(ring->nr_overflow)))
		return true;
	aring_sleeper_add(ring, &sleeper);
	empty = aring_overflow_flush(ring);
	aring_run(ring);
	aring_sleeper_del(ring, &sleeper);
	aring_run_handoff(ring);
	return empty;
}

static int aring_wait_loop(struct aring_ring *ring, u32 min_complete,
			   ktime_t limit, ktime_t deadline)
{
	struct aring_wait_entry wait = {
		.ring = ring,
		.target = READ_ONCE(ring->shared->cq.head) + min_complete,
		.nr_timeouts = READ_ONCE(ring->nr_timeouts),
		.limit = limit,
		.deadline = deadline,
	};
	struct aring_presence presence;
	struct aring_sleeper sleeper;
	int ret;

	init_waitqueue_func_entry(&wait.entry, aring_wait_wake);
	wait.entry.private = current;
	INIT_LIST_HEAD(&wait.entry.entry);
	do {
		aring_run(ring);
		if (!aring_wait_flush(ring)) {
			ret = -EBUSY;
			break;
		}
		ret = 1;
		if (unlikely(aring_wait_look(&wait)))
			continue;
		/*
		 * Only while it really sleeps is it somebody to give work to;
		 * what came before is found by the look that follows.
		 */
		aring_sleeper_add(ring, &sleeper);
		/* Being listed the ring keeps the clock that it has now. */
		if (unlikely(aring_is_virtual(ring))) {
			if (!wait.presence)
				aring_wait_join(&wait, &presence);
			aring_presence_sleep(ring, wait.presence, &wait);
		}
		/* Its barrier pairs with the one in aring_cq_wake(). */
		prepare_to_wait(&ring->enter_wait, &wait.entry,
				TASK_INTERRUPTIBLE);
		ret = aring_run_pending(ring) ? 1 : aring_wait_sleep(&wait);
		__set_current_state(TASK_RUNNING);
		if (unlikely(wait.presence))
			aring_presence_wake(ring, wait.presence);
		aring_sleeper_del(ring, &sleeper);
		cond_resched();
	} while (ret > 0);
	finish_wait(&ring->enter_wait, &wait.entry);
	/* What was meant for us and came too late. */
	aring_run_handoff(ring);
	if (unlikely(wait.presence))
		aring_wait_leave(&wait, &presence);
	return ret;
}

/* What the extended argument, or the plain one, says. */
static int aring_wait_get_arg(const struct aring_enter *enter,
			      const sigset_t __user **mask, size_t *mask_size,
			      struct __kernel_timespec __user **time)
{
	struct aring_getevents_arg arg;

	*time = NULL;
	if (!(enter->flags & ARING_ENTER_EXT_ARG)) {
		*mask = u64_to_user_ptr(enter->arg);
		*mask_size = enter->argsz;
		return 0;
	}
	if (enter->argsz != sizeof(arg))
		return -EINVAL;
	if (copy_from_user(&arg, u64_to_user_ptr(enter->arg), sizeof(arg)))
		return -EFAULT;
	if (arg.pad)
		return -EINVAL;
	*mask = u64_to_user_ptr(arg.sigmask);
	*mask_size = arg.sigmask_sz;
	*time = u64_to_user_ptr(arg.ts);
	return 0;
}

/* set_user_sigmask() is not exported. */
static int aring_set_sigmask(const sigset_t __user *mask, size_t size)
{
	sigset_t set;

	if (size != sizeof(set))
		return -EINVAL;
	if (copy_from_user(&set, mask, sizeof(set)))
		return -EFAULT;
	set_restore_sigmask();
	current->saved_sigmask = current->blocked;
	sigdelsetmask(&set, sigmask(SIGKILL) | sigmask(SIGSTOP));
	sigprocmask(SIG_SETMASK, &set, NULL);
	return 0;
}

/* restore_saved_sigmask_unless() is not exported. */
static void aring_restore_sigmask(bool interrupted)
{
	/* The signal's handler runs under the mask of the wait; then the old. */
	if (!interrupted && test_and_clear_restore_sigmask())
		sigprocmask(SIG_SETMASK, &current->saved_sigmask, NULL);
}

static int aring_wait_slow(struct aring_ring *ring, u32 min_complete,
			   const sigset_t __user *mask, size_t mask_size,
			   const struct __kernel_timespec __user *time)
{
	ktime_t limit = KTIME_MAX, deadline = KTIME_MAX;
	struct timespec64 ts;
	int ret;

	if (time) {
		if (get_timespec64(&ts, time))
			return -EFAULT;
		limit = timespec64_to_ktime(ts);
		deadline = ktime_add_ns(limit, ktime_get_ns());
	}
	if (mask) {
		ret = aring_set_sigmask(mask, mask_size);
		if (ret)
			return ret;
	}
	ret = aring_wait_loop(ring, min_complete, limit, deadline);
	if (mask)
		aring_restore_sigmask(ret == -EINTR);
	/* Why the wait ended matters only if there is nothing to reap. */
	return aring_cq_ready(ring) ? 0 : ret;
}

/**
 * aring_wait() - wait for completions
 * @ring: the ring
 * @enter: as the program gave it, with ARING_ENTER_GETEVENTS
 *
 * Context: process, no lock held.
 *
 * Return: 0 if CQEs are there, or as many as were wanted; -EINTR, -ETIME, or
 * -EBUSY (overflowed CQEs do not fit) if there is none; -EFAULT, -EINVAL for
 * the argument; -EEXIST for a task that is not the single issuer.
 */
int aring_wait(struct aring_ring *ring, const struct aring_enter *enter)
{
	u32 min_complete = min(enter->min_complete, aring_cq_entries(ring));
	struct __kernel_timespec __user *time = NULL;
	const sigset_t __user *mask = NULL;
	size_t mask_size = 0;
	int ret;

	ret = aring_wait_get_arg(enter, &mask, &mask_size, &time);
	if (unlikely(ret))
		return ret;
	if (unlikely((ring->setup_flags & ARING_SETUP_DEFER_TASKRUN) &&
		     ring->submitter != current))
		return -EEXIST;
	aring_run(ring);
	aring_wait_flush(ring);
	if (aring_cq_ready(ring) >= min_complete)
		return 0;
	return aring_wait_slow(ring, min_complete, mask, mask_size, time);
}
