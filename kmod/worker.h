/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Workers: kernel threads for what may wait, and the list of what may go there.
 */
#ifndef ARING_WORKER_H
#define ARING_WORKER_H

#include "request.h"

/* Not an ARING_ISSUE_*: the file has to become ready first. */
#define ARING_NOT_READY		(~0U)

/**
 * enum aring_try - how an operation can be tried in ENTER without waiting
 * @ARING_TRY_NOT: it cannot
 * @ARING_TRY_NOWAIT: the file honours IOCB_NOWAIT
 * @ARING_TRY_PLAIN: it waits for no device and no peer
 */
enum aring_try {
	ARING_TRY_NOT,
	ARING_TRY_NOWAIT,
	ARING_TRY_PLAIN,
};

/* worker.c APIs */
enum aring_where aring_where_runs(const struct file *file);
enum aring_try aring_inline_try(const struct file *file, bool read);

static inline bool aring_honours_nowait(const struct file *file, bool read)
{
	return aring_inline_try(file, read) != ARING_TRY_NOT;
}

void aring_pools_init(struct aring_ring *ring);
void aring_pools_exit(struct aring_ring *ring);
void aring_worker_enqueue(struct aring_req *req);
void aring_worker_queue(struct aring_req *req);
void aring_worker_interrupt(struct aring_req *req);

#endif /* ARING_WORKER_H */
