// SPDX-License-Identifier: GPL-2.0
/*
 * READ, WRITE, READV, WRITEV, READ_FIXED, WRITE_FIXED.
 *
 * An attempt in ENTER works on the caller's own addresses, first without
 * waiting. O_DIRECT ends in the file's own completion, perhaps in interrupt
 * context. An attempt in a worker is in rw_worker.c.
 */
#include <linux/blkdev.h>
#include <linux/capability.h>
#include <linux/fsnotify.h>
#include <linux/ioprio.h>
#include <linux/major.h>
#include <linux/security.h>
#include <linux/slab.h>

#include "compat.h"
#include "op.h"
#include "quiet.h"
#include "rw.h"
#include "where.h"
#include "worker.h"

/* Of MEM_MAJOR; they have no names in the kernel's headers. */
#define ARING_MINOR_ZERO	5
#define ARING_MINOR_FULL	7

/* The kernel's own check is not exported. */
static int aring_ioprio_check(int ioprio)
{
	switch (IOPRIO_PRIO_CLASS(ioprio)) {
	case IOPRIO_CLASS_RT:
		if (!capable(CAP_SYS_ADMIN) && !capable(CAP_SYS_NICE))
			return -EPERM;
		fallthrough;
	case IOPRIO_CLASS_BE:
		return IOPRIO_PRIO_DATA(ioprio) >= IOPRIO_NR_LEVELS ?
			-EINVAL : 0;
	case IOPRIO_CLASS_IDLE:
		return 0;
	case IOPRIO_CLASS_NONE:
		return IOPRIO_PRIO_DATA(ioprio) ? -EINVAL : 0;
	default:
		return -EINVAL;
	}
}

/**
 * aring_rw_prep() - take the fields of a read or write out of an SQE
 * @req: SUBMITTED
 * @sqe: the kernel's own copy
 *
 * Return: 0, -EINVAL or -EPERM for a bad I/O priority.
 */
int aring_rw_prep(struct aring_req *req, const struct aring_sqe *sqe)
{
	struct aring_rw *rw = &req->rw;

	rw->kiocb.ki_pos = sqe->off;
	rw->kiocb.ki_ioprio = sqe->ioprio;
	rw->addr = sqe->addr;
	rw->len = sqe->len;
	rw->rwf = (__force rwf_t)sqe->rw_flags;
	rw->total = min_t(size_t, rw->len, MAX_RW_COUNT);
	rw->iov = NULL;
	rw->done = 0;
	if (likely(!(sqe->ioprio | sqe->rw_flags)))
		return 0;
	/* Who does not want to wait is told at once, and so is what is refused. */
	if (rw->rwf & ~(RWF_DSYNC | RWF_SYNC | RWF_APPEND))
		req->sqe_flags &= ~ARING_SQE_ASYNC;
	return sqe->ioprio ? aring_ioprio_check(sqe->ioprio) : 0;
}

/**
 * aring_rw_fixed_prep() - the same for a read or write of a registered buffer
 * @req: SUBMITTED; submit_lock held
 * @sqe: the kernel's own copy
 *
 * Return: as aring_rw_prep(), or -EFAULT if there is no such buffer.
 */
int aring_rw_fixed_prep(struct aring_req *req, const struct aring_sqe *sqe)
{
	int ret = aring_req_fixed_buffer(req, sqe->buf_index);

	return unlikely(ret) ? ret : aring_rw_prep(req, sqe);
}

static __always_inline bool aring_is_storage(umode_t mode)
{
	return S_ISREG(mode) || S_ISBLK(mode);
}

/*
 * See whether the file may be read or written so, and set up the kiocb for one
 * attempt. Return: 0, -EBADF, or what the RWF_* are answered with.
 */
static __always_inline int aring_rw_init(struct aring_req *req, bool read,
					 umode_t mode)
{
	struct aring_rw *rw = &req->rw;
	struct kiocb *kiocb = &rw->kiocb;
	struct file *file = req->file;
	int ret;

	if (unlikely(!(file->f_mode & (read ? FMODE_READ : FMODE_WRITE))))
		return -EBADF;
	kiocb->ki_filp = file;
	kiocb->ki_complete = NULL;
	kiocb->private = NULL;
	kiocb->ki_flags = file->f_iocb_flags;
	/* Only storage looks at it; in a worker it has been asked before. */
	if (aring_is_storage(mode) && !kiocb->ki_ioprio)
		kiocb->ki_ioprio = get_current_ioprio();
	if (unlikely(rw->rwf)) {
		ret = aring_kiocb_set_rw_flags(kiocb, rw->rwf,
					       read ? READ : WRITE);
		if (ret)
			return ret;
		if (kiocb->ki_flags & IOCB_NOWAIT)
			req->flags |= ARING_REQ_NOWAIT;
		/* There is nothing to poll here. */
		if (kiocb->ki_flags & IOCB_HIPRI)
			return -EINVAL;
	}
	if (unlikely(kiocb->ki_pos == -1)) {
		if (file->f_mode & FMODE_STREAM) {
			kiocb->ki_pos = 0;
		} else {
			req->flags |= ARING_REQ_CUR_POS;
			kiocb->ki_pos = file->f_pos;
		}
	}
	return 0;
}

/**
 * aring_rw_init_kiocb() - set up the kiocb for an attempt elsewhere
 * @req: STARTED
 *
 * Return: 0, -EBADF, or what the RWF_* are answered with.
 */
int aring_rw_init_kiocb(struct aring_req *req)
{
	return aring_rw_init(req, aring_is_read(req),
			     file_inode(req->file)->i_mode);
}

/**
 * aring_rw_shorten() - do only a part of a read or write
 * @req: SUBMITTED, prepared
 * @size: so many bytes
 *
 * What is in iovecs is cut when they are known: aring_rw_import_vec().
 */
void aring_rw_shorten(struct aring_req *req, u64 size)
{
	if (aring_is_vectored(req) || size >= req->rw.total)
		return;
	req->rw.total = size;
	req->steered->cut = true;
}

/* The same for iovecs, which are copied from the program once, and kept. */
static noinline ssize_t aring_rw_import_vec(struct aring_req *req,
					    struct iov_iter *iter)
{
	struct aring_rw *rw = &req->rw;
	int dir = aring_is_read(req) ? ITER_DEST : ITER_SOURCE;
	struct iovec *iov = rw->fast;
	ssize_t ret;

	if (rw->iov) {
		iov_iter_init(iter, dir, rw->iov, rw->nr_segs, rw->total);
		iov_iter_advance(iter, rw->done);
		return 0;
	}
	ret = import_iovec(dir, u64_to_user_ptr(rw->addr), rw->len,
			   UIO_FASTIOV, &iov, iter);
	if (ret < 0)
		return ret;
	rw->total = ret;
	rw->nr_segs = rw->len;
	rw->iov = iov ?: rw->fast;
	req->flags |= ARING_REQ_CLEANUP;
	if (unlikely(req->flags & ARING_REQ_FATE) &&
	    aring_steer_cut(req, rw->iov, &rw->nr_segs, &rw->total)) {
		req->steered->cut = true;
		iov_iter_init(iter, dir, rw->iov, rw->nr_segs, rw->total);
	}
	return 0;
}

/* Make an iterator over what is left of the transfer. */
static __always_inline ssize_t aring_rw_import(struct aring_req *req,
					       struct iov_iter *iter, bool read)
{
	struct aring_rw *rw = &req->rw;
	void __user *buf = u64_to_user_ptr(rw->addr) + rw->done;
	size_t len = rw->total - rw->done;

	if (unlikely(aring_is_vectored(req)))
		return aring_rw_import_vec(req, iter);
	if (unlikely(!access_ok(buf, len)))
		return -EFAULT;
	iov_iter_ubuf(iter, read ? ITER_DEST : ITER_SOURCE, buf, len);
	return 0;
}

/**
 * aring_rw_capture() - copy the iovecs for an attempt elsewhere
 * @req: SUBMITTED
 *
 * What the file can never do is said here: the wrong end of a pipe never polls
 * ready, so to wait for that would be to wait for ever.
 *
 * Context: process, the submitter's.
 *
 * Return: 0 or a negative errno.
 */
int aring_rw_capture(struct aring_req *req)
{
	fmode_t need = aring_is_read(req) ? FMODE_READ : FMODE_WRITE;
	struct iov_iter iter;
	int ret = 0;

	if (!req->rw.kiocb.ki_ioprio)
		req->rw.kiocb.ki_ioprio = get_current_ioprio();
	if (aring_is_vectored(req))
		ret = aring_rw_import_vec(req, &iter);
	if (!ret && !(req->file->f_mode & need))
		ret = -EBADF;
	return ret;
}

/* They take user addresses, which mean nothing in a worker. */
static bool aring_rw_can_loop(const struct aring_req *req,
			      const struct iov_iter *iter)
{
	return !iov_iter_is_bvec(iter) ||
	       (aring_is_fixed(req) && !(current->flags & PF_KTHREAD));
}

/* Where ->read() and ->write() are all that the file has. */
static ssize_t aring_rw_loop(struct aring_req *req, struct iov_iter *iter)
{
	struct kiocb *kiocb = &req->rw.kiocb;
	struct file *file = req->file;
	loff_t *pos = file->f_mode & FMODE_STREAM ? NULL : &kiocb->ki_pos;
	ssize_t ret = 0;

	if ((kiocb->ki_flags & IOCB_NOWAIT) && !(file->f_flags & O_NONBLOCK))
		return -EAGAIN;
	while (iov_iter_count(iter)) {
		struct aring_segment seg;
		ssize_t nr;

		if (iov_iter_is_bvec(iter)) {
			/* As on 6.1, by the address the buffer was known by. */
			seg.base = u64_to_user_ptr(req->rw.addr +
						   req->rw.done + ret);
			seg.len = iov_iter_count(iter);
		} else {
			seg = aring_iter_segment(iter);
		}
		nr = aring_is_read(req) ?
			file->f_op->read(file, seg.base, seg.len, pos) :
			file->f_op->write(file, seg.base, seg.len, pos);
		if (nr < 0)
			return ret ?: nr;
		ret += nr;
		iov_iter_advance(iter, nr);
		if (nr != seg.len)
			break;
	}
	return ret;
}

/*
 * Freezing a file system waits for writers, and so keeps new ones out. The
 * count is dropped when the write ends, wherever that is.
 */
static bool aring_rw_start_write(struct kiocb *kiocb)
{
	struct super_block *sb = file_inode(kiocb->ki_filp)->i_sb;

	if (!S_ISREG(file_inode(kiocb->ki_filp)->i_mode))
		return true;
	if (!(kiocb->ki_flags & IOCB_NOWAIT)) {
		kiocb_start_write(kiocb);
		return true;
	}
	if (!sb_start_write_trylock(sb))
		return false;
	/* The end may come in another thread: lockdep is told so. */
	__sb_writers_release(sb, SB_FREEZE_WRITE);
	return true;
}

static void aring_rw_end_write(struct kiocb *kiocb)
{
	if (S_ISREG(file_inode(kiocb->ki_filp)->i_mode))
		kiocb_end_write(kiocb);
}

static noinline ssize_t aring_rw_write(struct aring_req *req,
				       struct iov_iter *iter)
{
	struct kiocb *kiocb = &req->rw.kiocb;
	struct file *file = req->file;
	ssize_t ret;

	if (!aring_rw_start_write(kiocb))
		return -EAGAIN;
	kiocb->ki_flags |= IOCB_WRITE;
	if (likely(file->f_op->write_iter))
		ret = file->f_op->write_iter(kiocb, iter);
	else if (file->f_op->write && aring_rw_can_loop(req, iter))
		ret = aring_rw_loop(req, iter);
	else
		ret = -EINVAL;
	if (ret != -EIOCBQUEUED)
		aring_rw_end_write(kiocb);
	return ret;
}

static __always_inline ssize_t aring_rw_do(struct aring_req *req,
					   struct iov_iter *iter, bool read)
{
	struct kiocb *kiocb = &req->rw.kiocb;
	struct file *file = req->file;
	ssize_t ret;

	ret = rw_verify_area(read ? READ : WRITE, file, &kiocb->ki_pos,
			     iov_iter_count(iter));
	if (unlikely(ret))
		return ret;
	if (!read)
		return aring_rw_write(req, iter);
	if (likely(file->f_op->read_iter))
		return file->f_op->read_iter(kiocb, iter);
	if (file->f_op->read && aring_rw_can_loop(req, iter))
		return aring_rw_loop(req, iter);
	return -EINVAL;
}

/**
 * aring_rw_call() - hand one transfer to the file
 * @req: STARTED, kiocb set up
 * @iter: user or kernel memory
 *
 * The same steps as the plain system calls, with the checks of security
 * modules and fanotify.
 *
 * Return: bytes, -EIOCBQUEUED (not ours any more), or a negative errno.
 */
ssize_t aring_rw_call(struct aring_req *req, struct iov_iter *iter)
{
	return aring_rw_do(req, iter, aring_is_read(req));
}

/**
 * aring_rw_notify() - tell fsnotify's watchers of a transfer
 * @req: STARTED, or final and not released yet
 *
 * Context: process.
 */
void aring_rw_notify(struct aring_req *req)
{
	if (aring_is_read(req))
		fsnotify_access(req->file);
	else
		fsnotify_modify(req->file);
}

/* Would the plain system call be restarted, or end with -EINTR? */
static bool aring_interrupted(ssize_t ret)
{
	return ret == -ERESTARTSYS || ret == -ERESTARTNOINTR ||
	       ret == -ERESTARTNOHAND || ret == -ERESTART_RESTARTBLOCK;
}

static __always_inline int aring_rw_end(struct aring_req *req, ssize_t ret)
{
	struct aring_rw *rw = &req->rw;

	if (likely(ret >= 0)) {
		rw->done += ret;
	} else if (!rw->done) {
		if (aring_interrupted(ret))
			return ARING_ISSUED_INTR;
		aring_req_set_result(req, ret);
		return ARING_ISSUED_DONE;
	}
	if (unlikely(req->flags & ARING_REQ_CUR_POS))
		req->file->f_pos = rw->kiocb.ki_pos;
	if (unlikely(rw->done != rw->total))
		req->flags |= ARING_REQ_FAIL;
	req->res = rw->done;
	return ARING_ISSUED_DONE;
}

/**
 * aring_rw_finish() - turn what an attempt moved into the result
 * @req: STARTED
 * @ret: bytes of this attempt or a negative errno; not -EIOCBQUEUED
 *
 * Return: ARING_ISSUED_DONE or ARING_ISSUED_INTR.
 */
int aring_rw_finish(struct aring_req *req, ssize_t ret)
{
	return aring_rw_end(req, ret);
}

/**
 * aring_rw_cleanup() - free the iovecs
 * @req: over
 */
void aring_rw_cleanup(struct aring_req *req)
{
	if (unlikely(req->rw.iov)) {
		if (req->rw.iov != req->rw.fast)
			kfree(req->rw.iov);
		req->rw.iov = NULL;
	}
}

/*
 * An O_DIRECT transfer is over, and the call that asked for it has returned. Any
 * context. The request is STARTED and ours.
 */
static void aring_rw_ended(struct aring_req *req)
{
	struct kiocb *kiocb = &req->rw.kiocb;
	long ret = req->rw.ret;

	if (kiocb->ki_flags & IOCB_WRITE)
		aring_rw_end_write(kiocb);

	/* The device would have had to wait, and says so only now. */
	if (unlikely(ret == -EAGAIN && !(req->flags & ARING_REQ_NOWAIT))) {
		req->flags |= ARING_REQ_BEGUN;
		aring_worker_queue(req);
		return;
	}
	/* As on 6.1, the file position is left where it is meanwhile. */
	req->flags &= ~ARING_REQ_CUR_POS;
	if (aring_rw_finish(req, ret) == ARING_ISSUED_INTR)
		aring_req_set_result(req, -EINTR);
	/* Watchers cannot be told in interrupt context: a worker does that. */
	if (unlikely(ret > 0 && aring_watched(req->file))) {
		req->flags |= ARING_REQ_NOTIFY | ARING_REQ_BEGUN;
		aring_worker_queue(req);
		return;
	}
	aring_req_put_file(req);
	aring_complete(req);
}

/*
 * One of the two is through with the kiocb and what it points to. File systems look
 * at it after the device has it: ext4 notes the access. So the device may be through
 * first, and the last one ends the request. The exchange pairs with the other one's,
 * and orders @ret.
 */
static void aring_rw_through(struct aring_req *req)
{
	if (atomic_xchg(&req->rw.through, 1))
		aring_rw_ended(req);
}

/* The device is through. Any context. */
static void aring_rw_complete(struct kiocb *kiocb, long ret)
{
	struct aring_req *req = container_of(kiocb, struct aring_req, rw.kiocb);

	req->rw.ret = ret;
	aring_rw_through(req);
}

/* Has a short attempt that was not to wait left something that can still come? */
static bool aring_rw_want_more(struct aring_req *req, ssize_t ret, umode_t mode)
{
	if (req->flags & ARING_REQ_NOWAIT)
		return false;
	return ret == -EAGAIN || (ret > 0 && aring_is_storage(mode));
}

/*
 * A transfer to or from storage is to be continued in a worker. If it has moved
 * data, or a canceller may have been told that it had started, it cannot be
 * taken back any more. What waits for a peer has moved nothing, and can. The
 * watchers are told now: the worker may find that there is no more.
 */
static void aring_rw_begun(struct aring_req *req, size_t moved, umode_t mode)
{
	if (moved)
		aring_rw_notify(req);
	req->rw.done += moved;
	if (!aring_is_storage(mode) ||
	    (!req->rw.done && !(req->flags & ARING_REQ_LISTED)))
		return;
	req->flags |= ARING_REQ_BEGUN;
	req->res = req->rw.done;
}

/*
 * Asked not to wait, /dev/zero and /dev/full stop as soon as another task is due;
 * read(2) does not come short there. Read the rest. Return: how much it was.
 */
static ssize_t aring_rw_zeroes(struct aring_req *req, struct iov_iter *iter)
{
	const struct inode *inode = file_inode(req->file);
	struct kiocb *kiocb = &req->rw.kiocb;
	ssize_t ret;

	if (imajor(inode) != MEM_MAJOR || (req->flags & ARING_REQ_NOWAIT) ||
	    (iminor(inode) != ARING_MINOR_ZERO &&
	     iminor(inode) != ARING_MINOR_FULL))
		return 0;
	/* It has no one to wait for, and lets the other task run in between. */
	kiocb->ki_flags &= ~IOCB_NOWAIT;
	ret = req->file->f_op->read_iter(kiocb, iter);
	return max_t(ssize_t, ret, 0);
}

/*
 * An attempt that was not to wait has moved less than it might: @ret, leaving
 * @iter. Return: what it has moved after all, a negative errno, or -EIOCBQUEUED
 * if it is to be continued elsewhere.
 */
static noinline ssize_t aring_rw_short(struct aring_req *req,
				       struct iov_iter *iter, ssize_t ret)
{
	umode_t mode = file_inode(req->file)->i_mode;

	/* Some say so when they mean -EAGAIN. */
	if (ret == -EOPNOTSUPP)
		ret = -EAGAIN;
	if (aring_rw_want_more(req, ret, mode)) {
		aring_rw_begun(req, max_t(ssize_t, ret, 0), mode);
		return -EIOCBQUEUED;
	}
	if (ret > 0 && S_ISCHR(mode) && aring_is_read(req))
		ret += aring_rw_zeroes(req, iter);
	return ret;
}

/*
 * O_DIRECT to storage ends in the device's interrupt, perhaps before the call
 * returns: be ready for that. Return: false if the ring takes nothing any more.
 */
static noinline bool aring_rw_ends_elsewhere(struct aring_req *req)
{
	aring_req_go_async(req);
	if (!aring_req_list(req))
		return false;
	aring_real_begin(req);
	atomic_set(&req->rw.through, 0);
	req->rw.kiocb.ki_complete = aring_rw_complete;
	return true;
}

static __always_inline int aring_rw_issue(struct aring_req *req,
					  unsigned int how, const bool read,
					  const bool fixed)
{
	umode_t mode = file_inode(req->file)->i_mode;
	struct kiocb *kiocb = &req->rw.kiocb;
	struct iov_iter iter;
	size_t count;
	ssize_t ret;

	if (fixed)
		ret = aring_buffer_iter(req, &iter,
					read ? ITER_DEST : ITER_SOURCE);
	else
		ret = aring_rw_import(req, &iter, read);
	if (unlikely(ret))
		return aring_rw_finish(req, ret);
	ret = aring_rw_init(req, read, mode);
	if (unlikely(ret))
		return aring_rw_finish(req, ret);
	count = iov_iter_count(&iter);

	if (unlikely(how == ARING_ISSUE_BLOCK)) {
		kiocb->ki_flags &= ~IOCB_NOWAIT;
	} else {
		switch (aring_inline_try(req->file, mode, read)) {
		case ARING_TRY_NOT:
			if (req->flags & ARING_REQ_NOWAIT)
				return aring_rw_finish(req, -EAGAIN);
			return ARING_ISSUED_AGAIN;
		case ARING_TRY_NOWAIT:
			kiocb->ki_flags |= IOCB_NOWAIT;
			break;
		case ARING_TRY_PLAIN:
			break;
		}
		if (unlikely(kiocb->ki_flags & IOCB_DIRECT) &&
		    aring_is_storage(mode) && !aring_rw_ends_elsewhere(req))
			return aring_rw_finish(req, -ECANCELED);
	}

	ret = aring_rw_do(req, &iter, read);
	if (ret == -EIOCBQUEUED) {
		aring_rw_through(req);
		return ARING_ISSUED_AWAY;
	}
	if (kiocb->ki_flags & IOCB_NOWAIT && unlikely(ret < (ssize_t)count)) {
		ret = aring_rw_short(req, &iter, ret);
		if (ret == -EIOCBQUEUED)
			return ARING_ISSUED_AGAIN;
	}
	if (likely(ret > 0)) {
		if (read)
			fsnotify_access(req->file);
		else
			fsnotify_modify(req->file);
	}
	return aring_rw_end(req, ret);
}

/**
 * aring_read_issue() - one attempt at a READ or READV
 * @req: STARTED
 * @how: ARING_ISSUE_*
 *
 * Context: process; the submitter's own unless ARING_ISSUE_WORKER.
 *
 * Return: ARING_ISSUED_*.
 */
int aring_read_issue(struct aring_req *req, unsigned int how)
{
	if (unlikely(how == ARING_ISSUE_WORKER))
		return aring_rw_in_worker(req);
	return aring_rw_issue(req, how, true, false);
}

/**
 * aring_write_issue() - one attempt at a WRITE or WRITEV
 * @req: STARTED
 * @how: ARING_ISSUE_*
 *
 * Context: process; the submitter's own unless ARING_ISSUE_WORKER.
 *
 * Return: ARING_ISSUED_*.
 */
int aring_write_issue(struct aring_req *req, unsigned int how)
{
	if (unlikely(how == ARING_ISSUE_WORKER))
		return aring_rw_in_worker(req);
	return aring_rw_issue(req, how, false, false);
}

/**
 * aring_read_fixed_issue() - one attempt at a READ_FIXED
 * @req: STARTED
 * @how: ARING_ISSUE_*
 *
 * Context: process; the submitter's own unless ARING_ISSUE_WORKER.
 *
 * Return: ARING_ISSUED_*.
 */
int aring_read_fixed_issue(struct aring_req *req, unsigned int how)
{
	if (unlikely(how == ARING_ISSUE_WORKER))
		return aring_rw_in_worker(req);
	return aring_rw_issue(req, how, true, true);
}

/**
 * aring_write_fixed_issue() - one attempt at a WRITE_FIXED
 * @req: STARTED
 * @how: ARING_ISSUE_*
 *
 * Context: process; the submitter's own unless ARING_ISSUE_WORKER.
 *
 * Return: ARING_ISSUED_*.
 */
int aring_write_fixed_issue(struct aring_req *req, unsigned int how)
{
	if (unlikely(how == ARING_ISSUE_WORKER))
		return aring_rw_in_worker(req);
	return aring_rw_issue(req, how, false, true);
}
