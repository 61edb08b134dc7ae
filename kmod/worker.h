/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Workers: kernel threads for what may wait.
 */
#ifndef ARING_WORKER_H
#define ARING_WORKER_H

#include "request.h"

/* Not an ARING_ISSUE_*: the file has to become ready first. */
#define ARING_NOT_READY		(~0U)

/* Is it in the run list or a worker's queue? work_lock. */
static inline bool aring_work_listed(const struct aring_req *req)
{
	return !RB_EMPTY_NODE(&req->work_entry);
}

/* Is nothing in this queue? work_lock. */
static inline bool aring_work_none(const struct rb_root_cached *queue)
{
	return RB_EMPTY_ROOT(&queue->rb_root);
}

/* The oldest of a queue, or NULL. work_lock. */
static inline struct aring_req *
aring_work_first(const struct rb_root_cached *queue)
{
	return rb_entry_safe(rb_first_cached(queue), struct aring_req,
			     work_entry);
}

/* The next younger one of its queue, or NULL. work_lock. */
static inline struct aring_req *aring_work_next(const struct aring_req *req)
{
	return rb_entry_safe(rb_next(&req->work_entry), struct aring_req,
			     work_entry);
}

/* work.c APIs */
void aring_work_add(struct rb_root_cached *queue, struct aring_req *req);
void aring_work_del(struct aring_req *req);
bool aring_work_take(struct aring_req *req);

/* worker.c APIs */
void aring_pools_init(struct aring_ring *ring);
void aring_pools_exit(struct aring_ring *ring);
void aring_worker_enqueue(struct aring_req *req);
void aring_worker_queue(struct aring_req *req);
void aring_pool_kick(struct aring_pool *pool);
struct aring_req *aring_pool_take(struct aring_pool *pool, bool *due,
				  u32 *ticket);
void aring_worker_interrupt(struct aring_req *req);
bool aring_pools_rest(struct aring_ring *ring);

#endif /* ARING_WORKER_H */
