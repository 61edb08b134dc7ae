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
#include "link.h"
#include "op.h"
#include "quiet.h"
#include "sqpoll.h"
#include "where.h"
#include "worker.h"

/**
 * struct aring_submit - what one call of aring_submit() keeps
 * @ring: the ring
 * @first: completed inline, CQE not posted yet
 * @last: the pointer at the end of that list
 * @head: SQ head, as far as consumed
 * @fd: the descriptor looked up last
 * @f: what it stood for; often not counted, and good for this call only
 * @owner_fd: in SQPOLL's thread the descriptor looked up last
 * @owner_file: what it stood for, counted
 * @special: not 0: every SQE has to be looked at closely, not only one with
 *	special flags; as wide as those, so that both are one test
 * @present: @sleeper is listed: this thread runs what its chains lead to
 * @sleeper: this thread
 * @chain: the chain that is being put together
 * @sqe: the kernel's own copy of the SQE at hand
 */
struct aring_submit {
	struct aring_ring	*ring;
	struct aring_req	*first;
	struct aring_req	**last;
	u32			head;
	s32			fd;
	struct fd		f;
	s32			owner_fd;
	struct file		*owner_file;
	u32			special;
	bool			present;
	struct aring_sleeper	sleeper;
	struct aring_chain	chain;
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

/* Has the next SQE to do with other requests, whatever it says itself? */
static bool aring_submit_is_special(const struct aring_submit *sub)
{
	const struct aring_ring *ring = sub->ring;

	return sub->chain.head || ring->odd || READ_ONCE(ring->nr_deferred) ||
	       tracepoint_enabled(aring_edge);
}

/* From here on this thread runs, before ENTER ends, what chains lead to. */
static void aring_submit_appear(struct aring_submit *sub)
{
	if (sub->present || sub->ring->sqpoll)
		return;
	aring_sleeper_add(sub->ring, &sub->sleeper);
	sub->present = true;
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
	if (unlikely(ring->sqpoll)) {
		sub->owner_fd = -1;
		sub->owner_file = NULL;
	}
	sub->present = false;
	sub->chain.head = NULL;
	sub->special = aring_submit_is_special(sub);
	/*
	 * A cancel, too, may let go a chain or a drain. On a virtual clock it may
	 * not be a matter of chance whether a worker is at that sooner.
	 */
	if (unlikely(sub->special) && (ring->odd & ARING_ODD_VIRTUAL))
		aring_submit_appear(sub);
}

/* It is over; it holds something or others may know it. */
static noinline bool aring_submit_release(struct aring_req *req)
{
	if (req->flags & (ARING_REQ_ASYNC | ARING_REQ_FATE)) {
		aring_req_release(req);
		aring_complete(req);
		return true;
	}
	if (req->op->cleanup)
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
	if (unlikely(req->flags & (ARING_REQ_ASYNC | ARING_REQ_CLEANUP |
				   ARING_REQ_FATE)) &&
	    aring_submit_release(req))
		return;
	*sub->last = req;
	sub->last = &req->next;
}

/* Likewise in the table of whom SQPOLL's thread works for. */
static struct file *aring_submit_sqpoll_file(struct aring_submit *sub, s32 fd)
{
	if (fd != sub->owner_fd) {
		if (sub->owner_file)
			fput(sub->owner_file);
		sub->owner_file = aring_sqpoll_file(sub->ring, fd);
		sub->owner_fd = fd;
	}
	return sub->owner_file;
}

static __always_inline struct file *aring_submit_file(struct aring_submit *sub,
						      struct aring_req *req,
						      s32 fd)
{
	if (unlikely(req->sqe_flags & ARING_SQE_FIXED_FILE))
		return aring_req_fixed_file(req, fd);
	if (likely(fd == sub->fd))
		return aring_fd_file(sub->f);
	if (unlikely(sub->ring->sqpoll))
		return aring_submit_sqpoll_file(sub, fd);
	if (aring_fd_file(sub->f))
		fdput(sub->f);
	sub->f = fdget(fd);
	sub->fd = fd;
	return aring_fd_file(sub->f);
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
	bool polls = aring_req_polls_first(req);

	aring_req_go_async(req);
	aring_real_begin(req);
	if (!polls && req->where == ARING_WHERE_DISK) {
		if (aring_submit_to_worker(req))
			return;
	} else if (aring_req_list(req)) {
		/*
		 * It may take its time here, and others may look meanwhile. Even
		 * what is ready may still wait, if another is faster.
		 */
		if (!polls ||
		    !aring_honours_nowait(req->file, req->op->pollin))
			aring_submit_flush(sub);
		aring_run_async(req);
		return;
	}
	/* What has been moved already counts. */
	if ((req->flags & ARING_REQ_BEGUN) || aring_req_partial(req))
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

/* Its first edge. @watched is known when this is compiled. */
static __always_inline void aring_submit_started(struct aring_req *req,
						 bool watched)
{
	WARN_ON_ONCE(!(watched ? aring_edge_start(req) :
				 aring_state_start(&req->state)));
}

/* Set a validated request going that is more than a computation. */
static __always_inline void aring_submit_start(struct aring_submit *sub,
					       struct aring_req *req, s32 fd,
					       bool watched)
{
	const struct aring_op *op = req->op;
	int ret;

	if (op->flags & ARING_OP_FILE) {
		req->file = aring_submit_file(sub, req, fd);
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
		aring_submit_started(req, watched);
	ret = op->issue(req, ARING_ISSUE_INLINE);
	if (likely(ret == ARING_ISSUED_DONE))
		aring_submit_done(sub, req);
	else if (ret == ARING_ISSUED_AGAIN)
		aring_submit_async(sub, req);
	else
		aring_run_end(req, ret);
}

/* Nothing is to be done: the result is 0. */
static __always_inline void aring_submit_nothing(struct aring_submit *sub,
						 struct aring_req *req,
						 bool watched)
{
	aring_submit_started(req, watched);
	aring_submit_done(sub, req);
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

/* Start the chain at hand, in which this thread takes part until ENTER ends. */
static void aring_submit_chain(struct aring_submit *sub)
{
	/* CQEs in the order of submission as far as that goes. */
	aring_submit_flush(sub);
	aring_submit_appear(sub);
	aring_chain_start(sub->ring, &sub->chain);
}

/*
 * What an SQE says about other requests. As on Linux 6.1: a drain in the middle
 * of a chain is one of its head, and one of what comes after the chain.
 */
static int aring_submit_check_order(struct aring_submit *sub,
				    struct aring_req *req, bool *drain)
{
	struct aring_ring *ring = sub->ring;

	if (req->sqe_flags & ARING_SQE_CQE_SKIP_SUCCESS)
		ring->drain_disabled = true;
	if (req->sqe_flags & ARING_SQE_IO_DRAIN) {
		if (ring->drain_disabled)
			return -EOPNOTSUPP;
		*drain = true;
		if (sub->chain.head) {
			sub->chain.head->drain = true;
			WRITE_ONCE(ring->odd, ring->odd | ARING_ODD_DRAIN_NEXT);
		}
	} else if ((ring->odd & ARING_ODD_DRAIN_NEXT) && !sub->chain.head) {
		WRITE_ONCE(ring->odd, ring->odd & ~ARING_ODD_DRAIN_NEXT);
		*drain = true;
	}
	return 0;
}

/* The checks that the fast path makes by a mask, one by one. */
static int aring_submit_check(struct aring_submit *sub, struct aring_req *req,
			      bool *drain, const struct cred **cred)
{
	const struct aring_op *op = req->op;
	int ret;

	/* In the order in which Linux 6.1 looks; its other opcodes are absent. */
	if ((!op->name && req->opcode >= ARING_NR_URING_OPS) ||
	    (req->sqe_flags & ARING_SQE_UNKNOWN))
		return -EINVAL;
	if (req->sqe_flags & ARING_SQE_BUFFER_SELECT)
		return -EOPNOTSUPP;
	ret = aring_submit_check_order(sub, req, drain) ?:
	      aring_restricted(sub->ring, req->opcode, req->sqe_flags);
	if (ret)
		return ret;
	if (!op->name)
		return -EINVAL;
	if (sub->sqe.ioprio && !(op->allow & ARING_ALLOW_IOPRIO & ~ARING_ALLOW))
		return -EINVAL;
	if (sub->sqe.personality) {
		*cred = aring_personality(sub->ring, sub->sqe.personality);
		if (!*cred)
			return -EINVAL;
	}
	ret = op->prep ? op->prep(req, &sub->sqe) : 0;
	if (ret || req->opcode != ARING_OP_LINK_TIMEOUT)
		return ret;
	/* There must be something whose time it limits. */
	return sub->chain.head &&
	       sub->chain.last->opcode != ARING_OP_LINK_TIMEOUT ? 0 : -EINVAL;
}

/*
 * Copy what the program may forget when ENTER returns. If the head cannot, or if
 * it is the wrong kind of file, that is told when its turn comes. What another
 * member points to nowhere with makes the whole chain fail.
 */
static int aring_submit_capture(struct aring_submit *sub, struct aring_req *req)
{
	int ret;

	if (!req->op->capture || (!req->file && (req->op->flags & ARING_OP_FILE)))
		return 0;
	ret = req->op->capture(req);
	if (!ret)
		return 0;
	if (sub->chain.head && ret != -EBADF && ret != -ENOTSOCK) {
		/* Its file is borrowed, and only until the next one. */
		if (req->op->cleanup)
			req->op->cleanup(req);
		req->file = NULL;
		return ret;
	}
	aring_req_set_result(req, ret);
	return 0;
}

/* A member of a chain, or of one alone that has to wait for a drain. */
static bool aring_submit_member(struct aring_submit *sub, struct aring_req *req,
				int ret, bool drain)
{
	const struct aring_op *op = req->op;
	bool more = true;

	if (!ret && (op->flags & ARING_OP_FILE))
		req->file = aring_submit_file(sub, req, sub->sqe.fd);
	if (!ret)
		ret = aring_submit_capture(sub, req);
	if (!ret) {
		aring_req_go_async(req);
		req->drain = drain;
		/* When the others are over, anybody may place it. */
		req->placed = true;
	} else {
		more = (req->sqe_flags & ARING_SQE_LINKS) ||
		       (sub->ring->setup_flags & ARING_SETUP_SUBMIT_ALL);
	}
	aring_chain_add(&sub->chain, req, ret);
	if (!(req->sqe_flags & ARING_SQE_LINKS))
		aring_submit_chain(sub);
	return more;
}

/*
 * May SQPOLL's thread perhaps not run it? Then it is made a chain of one, which
 * is launched here after all if, with its header copied, nothing forbids it.
 */
static bool aring_submit_is_elsewhere(struct aring_submit *sub,
				      struct aring_req *req)
{
	/* Whether a message has control data or an address, only its header says. */
	if (req->opcode == ARING_OP_SENDMSG || req->opcode == ARING_OP_RECVMSG)
		return true;
	/* To an address on which sockets it may not, the socket says. */
	if (req->opcode == ARING_OP_SEND && req->net.uname)
		return true;
	if (req->op->flags & ARING_OP_FILE)
		req->file = aring_submit_file(sub, req, sub->sqe.fd);
	return aring_req_where(req) == ARING_WHERE_ENTER;
}

/*
 * Is anything to be done to it that would not happen by itself? What is, is made
 * a chain of one, so that it is in the tables before its first attempt.
 */
static void aring_submit_steer(struct aring_submit *sub, struct aring_req *req,
			       bool good)
{
	/* What kind of file it works on. Looked up again below, from the cache. */
	if (req->op->flags & ARING_OP_FILE)
		req->file = aring_submit_file(sub, req, sub->sqe.fd);
	aring_steer_req(req, &sub->sqe, good);
}

/*
 * An SQE with special flags, or at a time when all are special. Return: false to
 * stop taking more.
 */
static noinline bool aring_submit_special(struct aring_submit *sub,
					  struct aring_req *req,
					  const struct aring_sqe *sqe,
					  u64 head, u64 tail)
{
	const struct cred *cred = NULL, *old = NULL;
	bool drain = false, more = true;
	int ret;

	aring_edge_new(req);
	aring_sqe_copy(&sub->sqe, sqe, head, tail);
	ret = aring_submit_check(sub, req, &drain, &cred);
	if (cred)
		old = override_creds(cred);
	/* What prep() did not finish must not be cleaned up. */
	if (ret)
		req->op = &aring_ops[ARING_OP_NOP];
	if (sub->ring->odd & ARING_ODD_STEERED)
		aring_submit_steer(sub, req, !ret);
	if (sub->chain.head || (req->sqe_flags & ARING_SQE_LINKS) ||
	    (!ret && (drain || READ_ONCE(sub->ring->nr_deferred) ||
		      (req->flags & ARING_REQ_FATE))))
		more = aring_submit_member(sub, req, ret, drain);
	else if (ret)
		more = aring_submit_refuse(sub, req, ret);
	else if (!req->op->issue)
		aring_submit_nothing(sub, req, true);
	else if (sub->ring->sqpoll && aring_submit_is_elsewhere(sub, req))
		more = aring_submit_member(sub, req, 0, false);
	else
		aring_submit_start(sub, req, sub->sqe.fd, true);
	if (old)
		revert_creds(old);
	sub->special = aring_submit_is_special(sub);
	/*
	 * Only the thread of SQPOLL gets here when the file is closed: by now
	 * descriptors and memory may be somebody else's.
	 */
	return more && !fatal_signal_pending(current) &&
	       !READ_ONCE(sub->ring->dying);
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
	int ret;

	aring_state_init(&req->state);
	req->flags = 0;
	req->opcode = head;
	req->sqe_flags = head >> 8;
	req->ticket = ticket;
	req->op = op;
	req->user_data = READ_ONCE(sqe->user_data);
	req->result = 0;
	req->file = NULL;

	if (unlikely(((u32)head & ~op->allow) |
		     (tail & ARING_SQE_TAIL_PERSONALITY) | sub->special))
		return aring_submit_special(sub, req, sqe, head, tail);
	if (op->prep) {
		aring_sqe_copy(&sub->sqe, sqe, head, tail);
		ret = op->prep(req, &sub->sqe);
		if (unlikely(ret))
			return aring_submit_refuse(sub, req, ret);
	}
	if (!op->issue) {
		aring_submit_nothing(sub, req, false);
		return true;
	}
	aring_submit_start(sub, req, head >> 32, false);
	/* It may have taken long. */
	return likely(!fatal_signal_pending(current));
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
	return aring_sqe_at(ring, index);
}

/*
 * A ticket without an SQE. Where CQEs come in the order of tickets, or behind
 * those of others, somebody has to be over for it; the caller has seen that there
 * is a slot.
 */
static void aring_submit_dropped(struct aring_submit *sub, u32 ticket)
{
	struct aring_ring *ring = sub->ring;
	struct aring_req *req = ring->free;

	if (!(ring->setup_flags & ARING_SETUP_SUBMISSION_ORDER) &&
	    !(ring->odd & ARING_ODD_STEERED))
		return;
	ring->free = req->next;
	aring_req_init_bare(req, 0, ARING_SQE_CQE_SKIP_SUCCESS, ticket, 0);
	req->op = &aring_ops[ARING_OP_NOP];
	if (ring->odd & ARING_ODD_STEERED)
		aring_steer_req(req, &sub->sqe, false);
	aring_submit_done(sub, req);
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
		if (unlikely(!sqe)) {
			aring_submit_dropped(sub, ticket);
			break;
		}
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
	if (unlikely(ring->submitter && ring->submitter != current &&
		     !ring->sqpoll))
		return -EEXIST;
	if (mutex_lock_killable(&ring->submit_lock))
		return -EINTR;

	/* Only an eventfd wants to know. */
	if (unlikely(rcu_access_pointer(ring->rsrc.eventfd)))
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
	/* No chain reaches over the end of an ENTER. */
	if (unlikely(sub.chain.head))
		aring_submit_chain(&sub);
	ret = taken;
	if (unlikely(nr && !taken && !ring->free))
		ret = -EAGAIN;
	if (aring_fd_file(sub.f))
		fdput(sub.f);
	if (unlikely(ring->sqpoll) && sub.owner_file)
		fput(sub.owner_file);
	if (unlikely(rcu_access_pointer(ring->rsrc.eventfd)))
		WRITE_ONCE(ring->rsrc.submitter, NULL);
	mutex_unlock(&ring->submit_lock);
	if (unlikely(sub.present)) {
		aring_run(ring);
		aring_sleeper_del(ring, &sub.sleeper);
		/* What somebody gave us that is not for us after all. */
		aring_run_handoff(ring);
	}
	return ret;
}
