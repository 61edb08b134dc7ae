// SPDX-License-Identifier: GPL-2.0
/*
 * Submission: take SQEs out of shared memory, once, and set them going.
 *
 *	C  program writes SQEs and array	kernel load-acquires sq.tail
 *	   then store-releases sq.tail		then reads array and SQEs
 *	D  kernel has copied the SQEs		program load-acquires sq.head
 *	   then store-releases sq.head		then reuses the SQEs
 *
 * What ends at once is collected and completed in batches; what does not, goes
 * to a timer, a device, a foreign wait queue or a worker. What can do
 * none of that and may block runs right here, in the submitter's own system
 * call, as the plain call would; then no lock is held but submit_lock.
 */
#include <linux/cred.h>
#include <linux/file.h>
#include <linux/nospec.h>
#include <linux/poll.h>
#include <linux/sched/signal.h>

#include "compat.h"
#include "op.h"
#include "worker.h"

/**
 * struct aring_submit - what one call of aring_submit() keeps
 * @ring: the ring
 * @first: completed inline, CQE not posted yet
 * @last: the pointer at the end of that list
 * @head: SQ head, as far as consumed
 * @fd: the descriptor looked up last
 * @f: what it stood for; often not counted, and good for this call only
 * @strict: bits set if every SQE is to be looked at closely
 * @sqe: the kernel's own copy of the SQE at hand
 */
struct aring_submit {
	struct aring_ring	*ring;
	struct aring_req	*first;
	struct aring_req	**last;
	u32			head;
	s32			fd;
	struct fd		f;
	u32			strict;
	struct aring_sqe	sqe;
};

/* Post what was collected, and let the program have its SQEs back. */
static void aring_submit_flush(struct aring_submit *sub)
{
	struct aring_ring *ring = sub->ring;

	if (sub->first) {
		*sub->last = NULL;
		aring_complete_batch(ring, sub->first);
		sub->first = NULL;
		sub->last = &sub->first;
	}
	/* Behind the CQEs: who sees an SQE consumed and cancels it finds those. */
	ring->sq_head = sub->head;
	/* D: pairs with the program's load-acquire of the head. */
	smp_store_release(&ring->shared->sq.head, sub->head);
}

static void aring_submit_begin(struct aring_submit *sub,
			       struct aring_ring *ring)
{
	sub->ring = ring;
	sub->first = NULL;
	sub->last = &sub->first;
	sub->head = ring->sq_head;
	sub->fd = -1;
	sub->f = (struct fd){};
	sub->strict = ring->rsrc.restrict_to.on;
}

/* It is over; it holds something or others may know it. */
static noinline bool aring_submit_release(struct aring_req *req)
{
	if (req->flags & ARING_REQ_ASYNC) {
		aring_req_release(req);
		aring_complete(req);
		return true;
	}
	req->op->cleanup(req);
	return false;
}

/*
 * It is over. If nobody else knows it, its CQE goes with the next batch. The
 * file is borrowed from the cache and is not looked at any more.
 */
static __always_inline void aring_submit_done(struct aring_submit *sub,
					      struct aring_req *req)
{
	if (unlikely(req->flags & (ARING_REQ_ASYNC | ARING_REQ_CLEANUP)) &&
	    aring_submit_release(req))
		return;
	*sub->last = req;
	sub->last = &req->next;
}

static struct file *aring_submit_file(struct aring_submit *sub, s32 fd)
{
	if (likely(fd == sub->fd))
		return aring_fd_file(sub->f);
	if (aring_fd_file(sub->f))
		fdput(sub->f);
	sub->f = fdget(fd);
	sub->fd = fd;
	return aring_fd_file(sub->f);
}

/* Neither timer nor device nor wait queue nor worker: wait for it here. */
static void aring_submit_block(struct aring_submit *sub, struct aring_req *req)
{
	/* Others may look while this takes its time. */
	aring_submit_flush(sub);
	if (aring_state_read(&req->state) == ARING_SUBMITTED &&
	    !aring_state_start(&req->state)) {
		/* Asked for back: completing it says so. */
		aring_run_end(req, ARING_ISSUED_DONE);
		return;
	}
	aring_run_end(req, req->op->issue(req, ARING_ISSUE_BLOCK));
}

/*
 * Into the tables and into the workers' queue in one step, as a canceller sees
 * it: one who found it STARTED between the two would be told that its own
 * result follows, and the next one could still take it back.
 */
static bool aring_submit_to_worker(struct aring_req *req)
{
	struct aring_ring *ring = req->ring;
	bool ok;

	mutex_lock(&ring->lock);
	ok = aring_req_list_locked(req);
	if (ok)
		aring_worker_queue(req);
	mutex_unlock(&ring->lock);
	return ok;
}

/* It cannot end at once: SUBMITTED or STARTED, and ours. */
static void aring_submit_async(struct aring_submit *sub, struct aring_req *req)
{
	bool pollable = file_can_poll(req->file) &&
			!(req->op->flags & ARING_OP_BLOCKS);

	aring_req_go_async(req);
	req->peer = pollable;
	if (!pollable && req->where == ARING_WHERE_DISK) {
		if (aring_submit_to_worker(req))
			return;
	} else if (aring_req_list(req)) {
		if (!pollable) {
			aring_submit_block(sub, req);
			return;
		}
		/* It may be ready and still wait, if another is faster. */
		if (!aring_honours_nowait(req->file, req->op->pollin))
			aring_submit_flush(sub);
		aring_run_when_ready(req);
		return;
	}
	/* What has been moved already counts. */
	if (req->flags & ARING_REQ_BEGUN)
		req->flags |= ARING_REQ_FAIL;
	else
		aring_req_set_result(req, -ECANCELED);
	aring_submit_done(sub, req);
}

/* Not to be tried inline: SUBMITTED, and ours. */
static void aring_submit_untried(struct aring_submit *sub,
				 struct aring_req *req)
{
	int ret = req->op->capture ? req->op->capture(req) : 0;

	if (unlikely(ret)) {
		aring_req_set_result(req, ret);
		aring_submit_done(sub, req);
		return;
	}
	aring_submit_async(sub, req);
}

/* Set a validated request going that is more than a computation. */
static __always_inline void aring_submit_start(struct aring_submit *sub,
					       struct aring_req *req, s32 fd)
{
	const struct aring_op *op = req->op;
	int ret;

	if (op->flags & ARING_OP_FILE) {
		if (unlikely(req->sqe_flags & ARING_SQE_FIXED_FILE))
			req->file = aring_req_fixed_file(req, fd);
		else
			req->file = aring_submit_file(sub, fd);
		if (unlikely(!req->file)) {
			aring_req_set_result(req, -EBADF);
			aring_submit_done(sub, req);
			return;
		}
		if (unlikely((req->sqe_flags & ARING_SQE_ASYNC) ||
			     (op->flags & ARING_OP_BLOCKS))) {
			aring_submit_untried(sub, req);
			return;
		}
	}
	if (likely(!(op->flags & ARING_OP_OWN_START)))
		WARN_ON_ONCE(!aring_state_start(&req->state));
	ret = op->issue(req, ARING_ISSUE_INLINE);
	if (likely(ret == ARING_ISSUED_DONE))
		aring_submit_done(sub, req);
	else if (ret == ARING_ISSUED_AGAIN)
		aring_submit_async(sub, req);
	else
		aring_run_end(req, ret);
}

/*
 * The words of an SQE that every operation has, each read at once: opcode,
 * flags, ioprio, fd; buf_index, personality, file_index.
 */
#define ARING_SQE_HEAD(sqe)		READ_ONCE(((const u64 *)(sqe))[0])
#define ARING_SQE_TAIL(sqe)		READ_ONCE(((const u64 *)(sqe))[5])
#define ARING_SQE_TAIL_PERSONALITY	0xffff0000U

/*
 * Copy an SQE. Each word once: whatever the program writes meanwhile, all
 * that follows sees the same.
 */
static __always_inline void aring_sqe_copy(struct aring_sqe *to,
					   const struct aring_sqe *from,
					   u64 head, u64 tail)
{
	const u64 *src = (const u64 *)from;
	u64 *dst = (u64 *)to;

	BUILD_BUG_ON(sizeof(*to) != 8 * sizeof(u64));
	BUILD_BUG_ON(offsetof(struct aring_sqe, buf_index) != 5 * sizeof(u64));
	dst[0] = head;
	dst[1] = READ_ONCE(src[1]);
	dst[2] = READ_ONCE(src[2]);
	dst[3] = READ_ONCE(src[3]);
	dst[5] = tail;
	dst[6] = READ_ONCE(src[6]);
	dst[7] = READ_ONCE(src[7]);
}

/* Refuse an SQE. Return: false to stop taking more. */
static noinline bool aring_submit_refuse(struct aring_submit *sub,
					 struct aring_req *req, int ret)
{
	/* What prep() did not finish must not be cleaned up. */
	req->op = &aring_ops[ARING_OP_NOP];
	aring_req_set_result(req, ret);
	aring_submit_done(sub, req);
	return sub->ring->setup_flags & ARING_SETUP_SUBMIT_ALL;
}

/* Set an SQE going whose first words were looked at. */
static __always_inline bool aring_submit_checked(struct aring_submit *sub,
						 struct aring_req *req,
						 const struct aring_sqe *sqe,
						 u64 head, u64 tail)
{
	const struct aring_op *op = req->op;
	int ret;

	if (op->prep) {
		aring_sqe_copy(&sub->sqe, sqe, head, tail);
		ret = op->prep(req, &sub->sqe);
		if (unlikely(ret))
			return aring_submit_refuse(sub, req, ret);
	}
	if (!op->issue) {
		WARN_ON_ONCE(!aring_state_start(&req->state));
		req->res = 0;
		aring_submit_done(sub, req);
		return true;
	}
	aring_submit_start(sub, req, head >> 32);
	/* It may have taken long. */
	return likely(!fatal_signal_pending(current));
}

/*
 * An SQE that is bad, names a personality, or is for a ring with restrictions.
 * In the order in which 6.1 looks.
 */
static noinline bool aring_submit_odd(struct aring_submit *sub,
				      struct aring_req *req,
				      const struct aring_sqe *sqe,
				      u64 head, u64 tail)
{
	u16 id = (u32)tail >> 16;
	const struct cred *cred, *old;
	bool more;

	if ((req->opcode >= ARING_NR_URING_OPS && !req->op->name) ||
	    (req->sqe_flags & ~ARING_SQE_FLAGS))
		return aring_submit_refuse(sub, req, -EINVAL);
	if (aring_restricted(sub->ring, req->opcode, req->sqe_flags))
		return aring_submit_refuse(sub, req, -EACCES);
	/* An absent operation, or one that takes no priority. */
	if ((u32)head & ~req->op->allow)
		return aring_submit_refuse(sub, req, -EINVAL);
	if (!id)
		return aring_submit_checked(sub, req, sqe, head, tail);
	cred = aring_personality(sub->ring, id);
	if (!cred)
		return aring_submit_refuse(sub, req, -EINVAL);
	old = override_creds(cred);
	more = aring_submit_checked(sub, req, sqe, head, tail);
	revert_creds(old);
	return more;
}

/*
 * Make a request of an SQE and set it going. Return: false to stop taking
 * more.
 */
static __always_inline bool aring_submit_sqe(struct aring_submit *sub,
					     struct aring_req *req,
					     const struct aring_sqe *sqe,
					     u32 ticket)
{
	u64 head = ARING_SQE_HEAD(sqe), tail = ARING_SQE_TAIL(sqe);
	const struct aring_op *op = &aring_ops[(u8)head];

	aring_state_init(&req->state);
	req->flags = 0;
	req->opcode = head;
	req->sqe_flags = head >> 8;
	req->ticket = ticket;
	req->op = op;
	req->user_data = READ_ONCE(sqe->user_data);
	req->file = NULL;

	if (unlikely(((u32)head & ~op->allow) | sub->strict ||
		     (tail & ARING_SQE_TAIL_PERSONALITY)))
		return aring_submit_odd(sub, req, sqe, head, tail);
	return aring_submit_checked(sub, req, sqe, head, tail);
}

/*
 * Where the SQE at a position is. Return: NULL if the program's index array
 * points nowhere.
 */
static __always_inline const struct aring_sqe *
aring_submit_find(struct aring_ring *ring, u32 pos)
{
	u32 mask = ring->sq_mask;
	u32 index = READ_ONCE(ring->sq_array[pos & mask]);

	if (unlikely(index > mask)) {
		WRITE_ONCE(ring->shared->sq_dropped,
			   READ_ONCE(ring->shared->sq_dropped) + 1);
		return NULL;
	}
	/* Masked once more, so that not even a guess leaves the array. */
	return &ring->sqes[index & mask];
}

/* Take SQEs, at most @nr. Return: how many were taken. */
static unsigned int aring_submit_some(struct aring_submit *sub,
				      unsigned int nr)
{
	struct aring_ring *ring = sub->ring;
	unsigned int taken = 0;

	while (taken < nr) {
		const struct aring_sqe *sqe;
		struct aring_req *req;
		u32 ticket;

		if (unlikely(!ring->free) && !aring_req_refill(ring))
			break;
		ticket = sub->head++;
		sqe = aring_submit_find(ring, ticket);
		if (unlikely(!sqe))
			break;
		req = ring->free;
		ring->free = req->next;
		taken++;
		if (unlikely(!aring_submit_sqe(sub, req, sqe, ticket)))
			break;
	}
	return taken;
}

/**
 * aring_submit() - take SQEs and set them going
 * @ring: the ring
 * @to_submit: at most so many
 *
 * Context: process. Takes submit_lock, killably.
 *
 * Return: how many were taken; -EINTR if killed; -EBADFD if the ring is not
 * mapped; -EEXIST if another task is the single issuer; -EAGAIN if there
 * was no memory for even one.
 */
int aring_submit(struct aring_ring *ring, u32 to_submit)
{
	struct aring_submit sub;
	unsigned int taken = 0, part, got;
	u32 tail, nr;
	int ret;

	if (unlikely(!READ_ONCE(ring->nr_mappings)))
		return -EBADFD;
	if (unlikely(ring->submitter && ring->submitter != current))
		return -EEXIST;
	if (mutex_lock_killable(&ring->submit_lock))
		return -EINTR;

	WRITE_ONCE(ring->rsrc.submitter, current);
	aring_submit_begin(&sub, ring);
	/* C: pairs with the program's store-release of the tail. */
	tail = smp_load_acquire(&ring->shared->sq.tail);
	nr = min(to_submit, aring_index_ready(sub.head, tail,
					      aring_sq_entries(ring)));
	do {
		part = min(nr - taken, ARING_BATCH);
		got = aring_submit_some(&sub, part);
		taken += got;
		aring_submit_flush(&sub);
	} while (got == part && taken < nr);
	ret = taken;
	if (unlikely(nr && !taken && !ring->free))
		ret = -EAGAIN;
	if (aring_fd_file(sub.f))
		fdput(sub.f);
	WRITE_ONCE(ring->rsrc.submitter, NULL);
	mutex_unlock(&ring->submit_lock);
	return ret;
}
