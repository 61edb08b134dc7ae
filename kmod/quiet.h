/* SPDX-License-Identifier: GPL-2.0 */
/*
 * When nobody has anything to do but to wait: then an automatic clock moves.
 */
#ifndef ARING_QUIET_H
#define ARING_QUIET_H

#include "op.h"

struct aring_attached;
struct aring_wait_entry;

/**
 * struct aring_presence - a thread in ENTER of a ring with a virtual clock
 * @list: in &aring_ring.present
 * @task: the thread
 * @attached: what it is besides, or NULL
 * @wait: what it sleeps for, or NULL while it is awake
 *
 * On the thread's stack; guarded by quiet_lock of the timeline.
 */
struct aring_presence {
	struct list_head		list;
	struct task_struct		*task;
	struct aring_attached		*attached;
	const struct aring_wait_entry	*wait;
};

/* quiet.c APIs */
void aring_presence_begin(struct aring_ring *ring,
			  struct aring_presence *presence);
void aring_presence_end(struct aring_ring *ring,
			struct aring_presence *presence);
struct aring_presence *aring_presence_find(struct aring_ring *ring);
void aring_presence_sleep(struct aring_ring *ring,
			  struct aring_presence *presence,
			  const struct aring_wait_entry *wait);
void aring_presence_wake(struct aring_ring *ring,
			 struct aring_presence *presence);
int aring_quiet_attach(struct aring_timeline *tl);
int aring_quiet_detach(struct aring_timeline *tl);
void aring_quiet_look_fn(struct work_struct *work);
void aring_quiet_forget(struct aring_timeline *tl);
void aring_quiet_look(struct aring_ring *ring);
void aring_quiet_recheck(struct aring_ring *ring);
void aring_real_done(struct aring_ring *ring);

/* wait.c: would the thread go on if it were woken now? */
bool aring_wait_ends(const struct aring_wait_entry *wait);

/**
 * aring_quiet_poke() - something has ended, and perhaps nobody has been woken
 * @ring: the ring, kept alive by the caller
 *
 * Context: any, at most work_lock and what is outside of it held.
 */
static __always_inline void aring_quiet_poke(struct aring_ring *ring)
{
	if (unlikely(aring_is_virtual(ring)))
		aring_quiet_look(ring);
}

/**
 * aring_real_begin() - a request is tried that may last for reasons of its own
 * @req: owned; its ring's clock does not move until it is over
 *
 * Only what works on a file has such reasons: neither timers nor the virtual
 * device. May be called twice.
 */
static __always_inline void aring_real_begin(struct aring_req *req)
{
	if (likely(!aring_is_virtual(req->ring)))
		return;
	if (aring_ops[req->opcode].flags & ARING_OP_FILE &&
	    !(req->flags & ARING_REQ_REAL)) {
		req->flags |= ARING_REQ_REAL;
		atomic_inc(&req->ring->nr_real);
	}
}

#endif /* ARING_QUIET_H */
