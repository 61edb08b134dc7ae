/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The state machine of a request, and nothing else.
 *
 *	SUBMITTED  copied out of shared memory, validated, owned by the kernel
 *	QUEUED     waiting where it can still be taken back; it has no owner
 *	STARTED    the point of no return; owned by whoever made it so
 *	DONE       the result is final
 *	CANCELLED  taken back before it started
 *
 *	                 to: SUBMITTED  QUEUED  STARTED  DONE  CANCELLED
 *	from: SUBMITTED      .          yes     yes      yes   yes
 *	      QUEUED         .          .       yes      .     yes
 *	      STARTED        .          yes     .        yes   .
 *	      DONE           .          .       .        .     .
 *	      CANCELLED      .          .       .        .     .
 *
 * SUBMITTED and STARTED mean owned: only the owner makes a transition, others
 * may only set a bit beside the state, in the same word:
 *
 *	WAKE	what the request waits for may have happened while the owner
 *		was busy; the owner looks again before it goes to QUEUED.
 *	CANCEL	somebody wants it back; the owner obeys where it still can.
 *
 * QUEUED means that nobody owns it: the compare-and-swap out of QUEUED decides
 * between waker, timer, worker and canceller, once and for all. QUEUED carries
 * CANCEL only for the instant between the two edges of aring_state_withdraw(),
 * and then only the one who set it up so may go on.
 *
 * Each function is one or two edges of the table; ARING_EDGE() refuses at
 * compile time to build any other. There is no way to change a state
 * otherwise: what sets a bit leaves the state alone. The functions only
 * return what happened; it is the caller who complains if that should not have
 * been, so that tests can walk the illegal edges in silence.
 *
 * Ordering: a successful compare-and-swap is fully ordered. They pair with one
 * another: what the old owner wrote to the request before it let go is seen by
 * the new one, and an event written before aring_state_wake() is seen by
 * whoever takes the request afterwards. A bare read orders nothing: that goes
 * for aring_state_read(), aring_state_cancel_wanted(), a GONE verdict, and
 * MARKED or STARTED where the bit was there already.
 *
 * The file includes nothing but atomics and is compiled in user space too,
 * where tests drive it with threads and step by step.
 */
#ifndef ARING_STATE_H
#define ARING_STATE_H

#include <linux/atomic.h>

/**
 * enum aring_state - where a request is in its life
 * @ARING_SUBMITTED: owned, nothing has been decided
 * @ARING_QUEUED: not owned, can be taken back
 * @ARING_STARTED: owned, can no longer be taken back
 * @ARING_DONE: final: the result counts
 * @ARING_CANCELLED: final: it was taken back
 * @ARING_NR_STATES: how many there are
 */
enum aring_state {
	ARING_SUBMITTED,
	ARING_QUEUED,
	ARING_STARTED,
	ARING_DONE,
	ARING_CANCELLED,
	ARING_NR_STATES
};

#define ARING_STATE_MASK	0x07
#define ARING_STATE_WAKE	0x08	/* look again before going to QUEUED */
#define ARING_STATE_CANCEL	0x10	/* somebody wants it back */
#define ARING_STATE_BITS	(ARING_STATE_WAKE | ARING_STATE_CANCEL)

#define ARING_TO(state)		(1u << (state))

/* The table above, in a form that a compiler can check. */
#define ARING_EDGES_FROM_SUBMITTED \
	(ARING_TO(ARING_QUEUED) | ARING_TO(ARING_STARTED) | \
	 ARING_TO(ARING_DONE) | ARING_TO(ARING_CANCELLED))
#define ARING_EDGES_FROM_QUEUED \
	(ARING_TO(ARING_STARTED) | ARING_TO(ARING_CANCELLED))
#define ARING_EDGES_FROM_STARTED \
	(ARING_TO(ARING_QUEUED) | ARING_TO(ARING_DONE))
#define ARING_EDGES_FROM(from) \
	((from) == ARING_SUBMITTED ? ARING_EDGES_FROM_SUBMITTED : \
	 (from) == ARING_QUEUED ? ARING_EDGES_FROM_QUEUED : \
	 (from) == ARING_STARTED ? ARING_EDGES_FROM_STARTED : 0u)

/**
 * aring_state_edge_ok() - does the table have this edge?
 * @from: the old state
 * @to: the new state
 *
 * Return: true if a request may go from @from to @to in one step.
 */
#define aring_state_edge_ok(from, to) \
	((ARING_EDGES_FROM(from) & ARING_TO(to)) != 0)

/*
 * The one place where a state is changed. @bits are those that the word must
 * carry besides the old state, @newbits those it carries afterwards. On
 * failure *@old is what was found.
 */
#define ARING_EDGE(word, old, from, bits, to, newbits) ({		\
	_Static_assert(aring_state_edge_ok(from, to),			\
		       "this edge is not in the table of state.h");	\
	*(old) = (int)(from) | ((bits) & ~ARING_STATE_MASK);		\
	atomic_try_cmpxchg((word), (old),				\
			   (int)(to) | ((newbits) & ~ARING_STATE_MASK)); \
})

/**
 * typedef aring_state_t - state and bits of one request, in one word
 */
typedef atomic_t aring_state_t;

/**
 * enum aring_verdict - what a canceller is told
 * @ARING_VERDICT_CANCELLED: the caller took it back, and posts its completion
 * @ARING_VERDICT_MARKED: its owner has not begun and will take it back
 * @ARING_VERDICT_STARTED: too late; its own result follows
 * @ARING_VERDICT_GONE: it was final already
 */
enum aring_verdict {
	ARING_VERDICT_CANCELLED,
	ARING_VERDICT_MARKED,
	ARING_VERDICT_STARTED,
	ARING_VERDICT_GONE,
};

/**
 * enum aring_queued - what became of the wish to go to QUEUED
 * @ARING_QUEUED_OK: nobody owns the request now, do not touch it
 * @ARING_QUEUED_AGAIN: it was woken meanwhile; still owned, look again
 * @ARING_QUEUED_CANCELLED: it is CANCELLED now, the caller posts its completion
 * @ARING_QUEUED_BAD: the caller did not own it
 */
enum aring_queued {
	ARING_QUEUED_OK,
	ARING_QUEUED_AGAIN,
	ARING_QUEUED_CANCELLED,
	ARING_QUEUED_BAD,
};

/**
 * aring_state_init() - a new request: SUBMITTED, no bits
 * @word: state word of a request nobody else knows of
 */
static inline void aring_state_init(aring_state_t *word)
{
	atomic_set(word, ARING_SUBMITTED);
}

/**
 * aring_state_read() - where the request was a moment ago
 * @word: state word
 *
 * Return: the state, for statistics and for decisions that a later transition
 * confirms. It may have changed by the time the caller looks at it.
 */
static inline enum aring_state aring_state_read(const aring_state_t *word)
{
	return (enum aring_state)(atomic_read(word) & ARING_STATE_MASK);
}

/**
 * aring_state_cancel_wanted() - has somebody asked for it back?
 * @word: state word
 *
 * Return: true once CANCEL is set.
 */
static inline bool aring_state_cancel_wanted(const aring_state_t *word)
{
	return atomic_read(word) & ARING_STATE_CANCEL;
}

/**
 * aring_state_final() - is it over?
 * @state: a state as aring_state_read() returned it
 *
 * Return: true if no edge leads out of @state.
 */
static inline bool aring_state_final(enum aring_state state)
{
	return ARING_EDGES_FROM(state) == 0;
}

/**
 * aring_state_start() - SUBMITTED -> STARTED, by the owner
 * @word: state word
 *
 * WAKE is dropped: the owner is about to look anyway.
 *
 * Return: true if it is STARTED and still the caller's. False if somebody
 * asked for it back (see aring_state_drop()) or the edge does not exist.
 */
static inline bool aring_state_start(aring_state_t *word)
{
	int old;

	if (ARING_EDGE(word, &old, ARING_SUBMITTED, 0, ARING_STARTED, 0))
		return true;
	return ARING_EDGE(word, &old, ARING_SUBMITTED, ARING_STATE_WAKE,
			  ARING_STARTED, 0);
}

/**
 * aring_state_drop() - SUBMITTED -> CANCELLED, by the owner
 * @word: state word
 *
 * For a request that was asked back before it began. Whoever does not own it
 * uses aring_state_cancel(), teardown too.
 *
 * Return: true if it is CANCELLED now and the caller posts its completion.
 */
static inline bool aring_state_drop(aring_state_t *word)
{
	int old = atomic_read(word);

	while ((old & ARING_STATE_MASK) == ARING_SUBMITTED) {
		int bits = old & ~ARING_STATE_MASK;

		if (ARING_EDGE(word, &old, ARING_SUBMITTED, bits,
			       ARING_CANCELLED, bits))
			return true;
	}
	return false;
}

/**
 * aring_state_refuse() - SUBMITTED -> DONE, by the owner
 * @word: state word
 *
 * For a request that failed before it began. If somebody asked for it back
 * meanwhile that canceller has been answered 0, and the request has to be
 * dropped instead.
 *
 * Return: true if it is DONE now.
 */
static inline bool aring_state_refuse(aring_state_t *word)
{
	int old;

	if (ARING_EDGE(word, &old, ARING_SUBMITTED, 0, ARING_DONE, 0))
		return true;
	return ARING_EDGE(word, &old, ARING_SUBMITTED, ARING_STATE_WAKE,
			  ARING_DONE, 0);
}

/**
 * aring_state_take() - QUEUED -> STARTED, by whoever wants to run it
 * @word: state word
 *
 * A timer or device that is armed only once the request is QUEUED may call this
 * at once. Where the event may come while the request is still owned,
 * aring_state_wake() goes first: it leaves WAKE behind.
 *
 * Return: true if the caller owns it now. False if another was first.
 */
static inline bool aring_state_take(aring_state_t *word)
{
	int old;

	return ARING_EDGE(word, &old, ARING_QUEUED, 0, ARING_STARTED, 0);
}

/**
 * aring_state_finish() - STARTED -> DONE, by the owner
 * @word: state word
 *
 * The bits do not matter any more: a canceller who set CANCEL was told that
 * the result follows.
 *
 * Return: true if it is DONE now and the caller posts its completion.
 */
static inline bool aring_state_finish(aring_state_t *word)
{
	int old;

	/* Nearly always nobody has set a bit. */
	if (ARING_EDGE(word, &old, ARING_STARTED, 0, ARING_DONE, 0))
		return true;
	while ((old & ARING_STATE_MASK) == ARING_STARTED) {
		int bits = old & ~ARING_STATE_MASK;

		if (ARING_EDGE(word, &old, ARING_STARTED, bits,
			       ARING_DONE, bits))
			return true;
	}
	return false;
}

/**
 * aring_state_withdraw() - STARTED -> QUEUED -> CANCELLED, by the owner
 * @word: state word
 *
 * For a request that was asked back while it was STARTED and has moved
 * nothing. Two edges: nobody else may take a QUEUED word that carries CANCEL.
 *
 * Return: true if it is CANCELLED now and the caller posts its completion.
 * False if nobody had asked, or the caller did not own it.
 */
static inline bool aring_state_withdraw(aring_state_t *word)
{
	int old = atomic_read(word);

	while ((old & (ARING_STATE_MASK | ARING_STATE_CANCEL)) ==
	       (ARING_STARTED | ARING_STATE_CANCEL)) {
		int bits = old & ~ARING_STATE_MASK;

		if (ARING_EDGE(word, &old, ARING_STARTED, bits,
			       ARING_QUEUED, ARING_STATE_CANCEL))
			return ARING_EDGE(word, &old, ARING_QUEUED,
					  ARING_STATE_CANCEL, ARING_CANCELLED,
					  ARING_STATE_CANCEL);
	}
	return false;
}

/**
 * aring_state_queue() - SUBMITTED or STARTED -> QUEUED, by the owner
 * @word: state word
 *
 * After ARING_QUEUED_OK the request is anybody's: the caller may not even
 * read it. ARING_QUEUED_AGAIN has consumed WAKE: the caller looks again at
 * what the request waits for and calls again.
 *
 * Return: see &enum aring_queued.
 */
static inline enum aring_queued aring_state_queue(aring_state_t *word)
{
	int old = atomic_read(word);

	for (;;) {
		if ((old & ~ARING_STATE_BITS) != ARING_SUBMITTED &&
		    (old & ~ARING_STATE_BITS) != ARING_STARTED)
			return ARING_QUEUED_BAD;

		if (old & ARING_STATE_CANCEL) {
			if (aring_state_drop(word) ||
			    aring_state_withdraw(word))
				return ARING_QUEUED_CANCELLED;
			return ARING_QUEUED_BAD;
		}
		if (old & ARING_STATE_WAKE) {
			if (atomic_try_cmpxchg(word, &old,
					       old & ~ARING_STATE_WAKE))
				return ARING_QUEUED_AGAIN;
			continue;
		}
		if (old == ARING_SUBMITTED) {
			if (ARING_EDGE(word, &old, ARING_SUBMITTED, 0,
				       ARING_QUEUED, 0))
				return ARING_QUEUED_OK;
		} else {
			if (ARING_EDGE(word, &old, ARING_STARTED, 0,
				       ARING_QUEUED, 0))
				return ARING_QUEUED_OK;
		}
	}
}

/**
 * aring_state_wake() - what the request waits for may have happened
 * @word: state word
 *
 * Any context; the event has been written before. Does not change the state:
 * if the request is owned the owner is told to look again, by WAKE.
 *
 * Return: true if it is QUEUED, and it is the caller who sees to it that
 * somebody runs it; several wakers may be told so. If aring_state_take() then
 * fails, whoever took it sees the event if he looks for it, and the wake-up may
 * be dropped; where he may not look, it is called again. False if there is
 * nothing more to do.
 */
static inline bool aring_state_wake(aring_state_t *word)
{
	int old = atomic_read(word);

	for (;;) {
		switch (old & ARING_STATE_MASK) {
		case ARING_SUBMITTED:
		case ARING_STARTED:
			/* Even if WAKE is set already: for the order. */
			if (atomic_try_cmpxchg(word, &old,
					       old | ARING_STATE_WAKE))
				return false;
			break;
		case ARING_QUEUED:
			/* Being withdrawn: it will not run again. */
			if (old & ARING_STATE_CANCEL)
				return false;
			/*
			 * Writes what is there already, for the order: a mere
			 * read may be done before the event is visible, and
			 * then whoever takes the request in between neither
			 * sees the event nor finds WAKE.
			 */
			if (atomic_try_cmpxchg(word, &old, old))
				return true;
			break;
		default:
			return false;
		}
	}
}

/**
 * aring_state_cancel() - take the request back, if that is still possible
 * @word: state word
 * @waits: it waits for a peer: if STARTED, leave CANCEL behind, so that it is
 *	taken back if it turns out to have nothing to transfer
 *
 * Any context. After ARING_VERDICT_STARTED for one that waits, an owner asleep
 * has to be woken by the caller; it looks at aring_state_cancel_wanted() after
 * it has announced that it is going to sleep. ARING_VERDICT_GONE was found by
 * a bare read: the completion of the request has been posted for certain only
 * once its poster's lock has been taken.
 *
 * Return: see &enum aring_verdict.
 */
static inline enum aring_verdict aring_state_cancel(aring_state_t *word,
						    bool waits)
{
	int old = atomic_read(word);

	for (;;) {
		switch (old & ARING_STATE_MASK) {
		case ARING_SUBMITTED:
			if ((old & ARING_STATE_CANCEL) ||
			    atomic_try_cmpxchg(word, &old,
					       old | ARING_STATE_CANCEL))
				return ARING_VERDICT_MARKED;
			break;
		case ARING_QUEUED:
			/* Being withdrawn by its owner: who asked was told so. */
			if (old & ~ARING_STATE_MASK)
				return ARING_VERDICT_STARTED;
			if (ARING_EDGE(word, &old, ARING_QUEUED, 0,
				       ARING_CANCELLED, 0))
				return ARING_VERDICT_CANCELLED;
			break;
		case ARING_STARTED:
			if (!waits || (old & ARING_STATE_CANCEL) ||
			    atomic_try_cmpxchg(word, &old,
					       old | ARING_STATE_CANCEL))
				return ARING_VERDICT_STARTED;
			break;
		default:
			return ARING_VERDICT_GONE;
		}
	}
}

#endif /* ARING_STATE_H */
