/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Workers: kernel threads for what may wait.
 */
#ifndef ARING_WORKER_H
#define ARING_WORKER_H

#include "request.h"

/* Not an ARING_ISSUE_*: the file has to become ready first. */
#define ARING_NOT_READY		(~0U)

void aring_pools_init(struct aring_ring *ring);
void aring_pools_exit(struct aring_ring *ring);
void aring_work_add(struct list_head *queue, struct aring_req *req);
void aring_worker_enqueue(struct aring_req *req);
void aring_worker_queue(struct aring_req *req);
void aring_pool_kick(struct aring_pool *pool);
bool aring_work_take(struct aring_req *req);
struct aring_req *aring_pool_take(struct aring_pool *pool, bool *due,
				  u32 *ticket);
void aring_worker_interrupt(struct aring_req *req);
bool aring_pools_rest(struct aring_ring *ring);

#endif /* ARING_WORKER_H */
