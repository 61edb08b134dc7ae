// SPDX-License-Identifier: MIT
/*
 * Submitting and waiting: everything that enters the kernel for a ring.
 */
#include "internal.h"

/* Size of the kernel's signal mask, which is not that of sigset_t. */
#define KERNEL_SIGSET_SIZE	8

/**
 * struct wait - what one wait is for
 * @submit: SQEs still to be submitted on the way
 * @wait_nr: completions wanted
 * @flags: ARING_ENTER_* that say what @arg is
 * @arg: argument of ENTER
 * @argsz: its size
 * @has_timeout: the wait ends by itself
 */
struct wait {
	unsigned int submit;
	unsigned int wait_nr;
	unsigned int flags;
	const void *arg;
	size_t argsz;
	int has_timeout;
};

/*
 * Does the kernel wait for us to come in? Completions may lie outside of the
 * ring for want of room, or requests may need a thread of ours to run them.
 */
static inline int ring_calls(const struct aring *ring)
{
	/* Relaxed: only a reason to enter, the kernel looks again. */
	return (aring_load_relaxed(ring->sq.kflags) &
		(ARING_SQ_CQ_OVERFLOW | ARING_SQ_TASKRUN)) != 0;
}

/* Show the kernel what was filled in; returns how many there are to consume. */
static inline unsigned int sq_flush(struct aring *ring)
{
	struct aring_sq *sq = &ring->sq;
	unsigned int tail = sq->sqe_tail;

	/*
	 * Release, paired with the kernel's acquire of the SQ tail: what is in
	 * the entries is there before the index that covers them.
	 */
	aring_store_release(sq->ktail, tail);
	/*
	 * Only ENTER moves the head, and this thread is not in it. With SQPOLL
	 * the head moves by itself, and this is how many were there just now.
	 */
	return tail - aring_load_relaxed(sq->khead);
}

/*
 * SQPOLL: does the kernel's thread sleep? Then it takes what sq_flush() has shown
 * only after an ENTER with SQ_WAKEUP.
 */
static int sqpoll_sleeps(const struct aring *ring)
{
	/*
	 * Full barrier, paired with the one of the thread: it sets NEED_WAKEUP
	 * and then looks at the tail once more, this side moves the tail and
	 * then looks for NEED_WAKEUP. One of the two sees the other.
	 */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return (aring_load_relaxed(ring->sq.kflags) & ARING_SQ_NEED_WAKEUP) != 0;
}

/*
 * The thread submits; a call is made only to wake it, to wait for what is not
 * there yet, or because the kernel waits for a call.
 */
static int submit_sqpoll(struct aring *ring, unsigned int wait_nr,
			 unsigned int flags)
{
	unsigned int to_submit = sq_flush(ring);

	if (wait_nr > aring_cq_ready(ring) || ring_calls(ring))
		flags |= ARING_ENTER_GETEVENTS;
	if (to_submit && sqpoll_sleeps(ring))
		flags |= ARING_ENTER_SQ_WAKEUP;
	if (!flags)
		return (int)to_submit;
	return ring->ops->enter(ring->ring_fd, to_submit, wait_nr, flags, NULL,
				0);
}

static int submit(struct aring *ring, unsigned int wait_nr, unsigned int flags)
{
	unsigned int to_submit;

	if (aring_unlikely(ring->flags & ARING_SETUP_SQPOLL))
		return submit_sqpoll(ring, wait_nr, flags);

	to_submit = sq_flush(ring);
	if (wait_nr || ring_calls(ring))
		flags |= ARING_ENTER_GETEVENTS;
	if (!to_submit && !flags)
		return 0;
	return ring->ops->enter(ring->ring_fd, to_submit, wait_nr, flags, NULL,
				0);
}

/**
 * aring_submit() - hand all filled entries to the kernel
 * @ring: the ring
 *
 * Return: how many were taken, or -errno if none was: -EBADFD while the ring is
 * still disabled, -EBUSY when too many completions wait to be reaped, -EAGAIN
 * or -ENOMEM for want of memory. After a number smaller than was filled in, call
 * again: an entry that was refused has completed with its error.
 *
 * With ARING_SETUP_SQPOLL the kernel's thread takes them by itself: no call is
 * made while it is awake, and the number is how many had not been taken yet.
 */
int aring_submit(struct aring *ring)
{
	return submit(ring, 0, 0);
}

/**
 * aring_submit_and_wait() - submit, and wait in the same call
 * @ring: the ring
 * @wait_nr: return once this many completions are there
 *
 * With ARING_SETUP_SQPOLL no call is made if they are there already and the
 * thread is awake.
 *
 * Return: how many were submitted, or -errno.
 */
int aring_submit_and_wait(struct aring *ring, unsigned int wait_nr)
{
	return submit(ring, wait_nr, 0);
}

/**
 * aring_submit_and_get_events() - submit, and bring in completions that wait
 * @ring: the ring
 *
 * Return: how many were submitted, or -errno.
 */
int aring_submit_and_get_events(struct aring *ring)
{
	return submit(ring, 0, ARING_ENTER_GETEVENTS);
}

/**
 * aring_get_events() - bring in completions that wait for room
 * @ring: the ring
 *
 * Does not wait and submits nothing.
 *
 * Return: 0 or -errno.
 */
int aring_get_events(struct aring *ring)
{
	return ring->ops->enter(ring->ring_fd, 0, 0, ARING_ENTER_GETEVENTS,
				NULL, 0);
}

/* The slow half of aring_sqring_wait(), which is in the header. */
int __aring_sqring_wait(struct aring *ring)
{
	unsigned int flags = ARING_ENTER_SQ_WAIT;

	if (sqpoll_sleeps(ring))
		flags |= ARING_ENTER_SQ_WAKEUP;
	return ring->ops->enter(ring->ring_fd, 0, 0, flags, NULL, 0);
}

/**
 * aring_enter() - the call itself
 * @ring: the ring
 * @to_submit: take at most this many SQEs
 * @min_complete: with ARING_ENTER_GETEVENTS, wait for this many completions
 * @flags: ARING_ENTER_*
 * @arg: see &aring_enter.arg
 * @argsz: its size
 *
 * For those who keep the indices themselves; the others have aring_submit() and
 * aring_wait_cqe().
 *
 * Return: how many SQEs were consumed, or -errno.
 */
int aring_enter(struct aring *ring, unsigned int to_submit,
		unsigned int min_complete, unsigned int flags,
		const void *arg, size_t argsz)
{
	return ring->ops->enter(ring->ring_fd, to_submit, min_complete, flags,
				arg, argsz);
}

/* The oldest completion, or NULL. */
static inline struct aring_cqe *cq_first(struct aring *ring)
{
	struct aring_cq *cq = &ring->cq;

	if (!aring_cq_ready(ring))
		return NULL;
	return __aring_cqe_at(cq, *cq->khead);
}

/*
 * Enter as often as it takes to have what @w asks for. Once is nearly always
 * enough: it is not if another thread reaps, or if the kernel ended the wait
 * early because a timeout request completed.
 */
static int get_cqe(struct aring *ring, struct aring_cqe **cqe, struct wait *w)
{
	int entered = 0;
	int result = 0;

	for (;;) {
		unsigned int ready = aring_cq_ready(ring);
		unsigned int flags = w->flags;
		int ret;

		if (ready < w->wait_nr) {
			if (entered && w->has_timeout) {
				if (!ready && !result)
					result = -ETIME;
				break;
			}
			flags |= ARING_ENTER_GETEVENTS;
		} else if (!ready && !w->submit) {
			/* A peek: go in only if that promises something. */
			if (entered || !ring_calls(ring)) {
				if (!result)
					result = -EAGAIN;
				break;
			}
			flags |= ARING_ENTER_GETEVENTS;
		} else if (!w->submit) {
			break;
		}

		ret = ring->ops->enter(ring->ring_fd, w->submit, w->wait_nr,
				       flags, w->arg, w->argsz);
		if (ret < 0) {
			if (!result)
				result = ret;
			break;
		}
		if (!entered)
			result = ret;
		entered = 1;
		/* Nothing taken: the kernel will not take it next time either. */
		w->submit = ret ? w->submit - (unsigned int)ret : 0;
		if (ready)
			break;
	}

	*cqe = cq_first(ring);
	return result;
}

/*
 * The slow half of aring_peek_cqe() and aring_wait_cqe(), which are in the
 * header.
 */
int __aring_get_cqe(struct aring *ring, struct aring_cqe **cqe,
		    unsigned int wait_nr)
{
	struct wait w = {
		.wait_nr = wait_nr,
	};

	return get_cqe(ring, cqe, &w);
}

static int wait_timeout(struct aring *ring, struct aring_cqe **cqe,
			unsigned int to_submit, unsigned int wait_nr,
			const struct __kernel_timespec *ts,
			const sigset_t *sigmask)
{
	struct aring_getevents_arg ext = {
		.sigmask = (uintptr_t)sigmask,
		.sigmask_sz = KERNEL_SIGSET_SIZE,
		.ts = (uintptr_t)ts,
	};
	struct wait w = {
		.submit = to_submit,
		.wait_nr = wait_nr,
	};

	if (ts) {
		w.flags = ARING_ENTER_EXT_ARG;
		w.arg = &ext;
		w.argsz = sizeof(ext);
		w.has_timeout = 1;
	} else if (sigmask) {
		w.arg = sigmask;
		w.argsz = KERNEL_SIGSET_SIZE;
	}

	if (to_submit && (ring->flags & ARING_SETUP_SQPOLL)) {
		int ret;

		/* The thread submits; this call does no more than wake it. */
		if (sqpoll_sleeps(ring))
			w.flags |= ARING_ENTER_SQ_WAKEUP;
		else
			w.submit = 0;
		ret = get_cqe(ring, cqe, &w);
		/* As from ENTER: a count says more than why the wait ended. */
		return w.submit && ret < 0 ? ret : (int)to_submit;
	}
	return get_cqe(ring, cqe, &w);
}

/**
 * aring_wait_cqes() - wait for completions, not for ever
 * @ring: the ring
 * @cqe: set to the first, or to NULL
 * @wait_nr: how many
 * @ts: how long, relative; NULL for ever
 * @sigmask: signal mask while waiting, as in ppoll(2); NULL leaves it
 *
 * Submits nothing.
 *
 * Return: 0; -ETIME if the time ran out and there is none; -EINTR if a signal
 * came; or another error.
 */
int aring_wait_cqes(struct aring *ring, struct aring_cqe **cqe,
		    unsigned int wait_nr, const struct __kernel_timespec *ts,
		    const sigset_t *sigmask)
{
	return wait_timeout(ring, cqe, 0, wait_nr, ts, sigmask);
}

/**
 * aring_wait_cqe_timeout() - wait for one completion, not for ever
 * @ring: the ring
 * @cqe: set to it, or to NULL
 * @ts: how long, relative; NULL for ever
 *
 * Return: as for aring_wait_cqes().
 */
int aring_wait_cqe_timeout(struct aring *ring, struct aring_cqe **cqe,
			   const struct __kernel_timespec *ts)
{
	return aring_wait_cqes(ring, cqe, 1, ts, NULL);
}

/**
 * aring_submit_and_wait_timeout() - submit and wait, not for ever
 * @ring: the ring
 * @cqe: set to the first completion, or to NULL
 * @wait_nr: how many
 * @ts: how long, relative; NULL for ever
 * @sigmask: signal mask while waiting; NULL leaves it
 *
 * Return: how many were submitted; if none was, as for aring_wait_cqes().
 */
int aring_submit_and_wait_timeout(struct aring *ring, struct aring_cqe **cqe,
				  unsigned int wait_nr,
				  const struct __kernel_timespec *ts,
				  const sigset_t *sigmask)
{
	return wait_timeout(ring, cqe, sq_flush(ring), wait_nr, ts, sigmask);
}

/**
 * aring_peek_batch_cqe() - take as many completions as there are
 * @ring: the ring
 * @cqes: filled with pointers to them, oldest first
 * @count: room in @cqes
 *
 * Enters the kernel only if there is none and it calls for that.
 *
 * Return: how many; hand it to aring_cq_advance() when done with them.
 */
unsigned int aring_peek_batch_cqe(struct aring *ring, struct aring_cqe **cqes,
				  unsigned int count)
{
	struct aring_cq *cq = &ring->cq;
	unsigned int ready = aring_cq_ready(ring);
	unsigned int head = *cq->khead;
	unsigned int i;

	if (!ready && ring_calls(ring)) {
		aring_get_events(ring);
		ready = aring_cq_ready(ring);
	}
	if (ready < count)
		count = ready;
	for (i = 0; i < count; i++)
		cqes[i] = __aring_cqe_at(cq, head + i);
	return count;
}
