// SPDX-License-Identifier: GPL-2.0
/*
 * A read or write in a worker.
 *
 * The transfer may wait for ever: on a frozen file system, a dead server, a
 * pipe. So it works on pinned pages, piece by piece: see pin.c. Two kinds cannot be
 * cut: an append, which would find another end of the file for each piece; and what
 * O_DIRECT takes only as the program has it, since blocks do not end where pages do.
 */
#include <linux/bvec.h>
#include <linux/kthread.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>

#include "compat.h"
#include "net.h"
#include "op.h"
#include "pin.h"
#include "rw.h"
#include "worker.h"

static struct aring_span aring_rw_span(const struct aring_req *req)
{
	const struct aring_rw *rw = &req->rw;

	return (struct aring_span){
		.addr	= rw->addr,
		.iov	= rw->iov,
		.nr_segs = rw->nr_segs,
		.total	= rw->total,
		.done	= rw->done,
		.to_user = aring_is_read(req),
	};
}

/*
 * Move the rest in one call, out of the program's address space. That stays for as
 * long as this takes, and a program that is killed meanwhile with it. Return: bytes or
 * a negative errno.
 */
static ssize_t aring_move_whole(struct aring_req *req, size_t *wanted)
{
	int dir = aring_is_read(req) ? ITER_DEST : ITER_SOURCE;
	struct aring_rw *rw = &req->rw;
	void __user *buf = u64_to_user_ptr(rw->addr) + rw->done;
	struct iov_iter iter;
	ssize_t ret = -EFAULT;

	*wanted = rw->total - rw->done;
	if (!mmget_not_zero(req->mm))
		return ret;
	kthread_use_mm(req->mm);
	if (rw->iov) {
		iov_iter_init(&iter, dir, rw->iov, rw->nr_segs, rw->total);
		iov_iter_advance(&iter, rw->done);
		ret = aring_rw_call(req, &iter);
	} else if (access_ok(buf, *wanted)) {
		iov_iter_ubuf(&iter, dir, buf, *wanted);
		ret = aring_rw_call(req, &iter);
	}
	kthread_unuse_mm(req->mm);
	mmput_async(req->mm);
	return ret;
}

/* Is it an append that would be more than one piece? */
static bool aring_is_long_append(const struct aring_req *req)
{
	return (req->rw.kiocb.ki_flags & IOCB_APPEND) && !aring_is_read(req) &&
	       req->where == ARING_WHERE_DISK &&
	       req->rw.total - req->rw.done > ARING_PIECE_BYTES;
}

/* Has O_DIRECT refused a piece that it might take as it is with the program? */
static bool aring_is_cut_badly(const struct aring_req *req, ssize_t ret)
{
	return ret == -EINVAL && (req->rw.kiocb.ki_flags & IOCB_DIRECT) &&
	       req->where == ARING_WHERE_DISK && !req->rw.done;
}

static bool aring_writes_message(const struct aring_req *req)
{
	struct socket *sock = sock_from_file(req->file);

	return sock && aring_sock_is_message(sock) && !aring_is_read(req);
}

/* Move one piece. Return: bytes or a negative errno. */
static ssize_t aring_move_piece(struct aring_req *req, size_t *wanted)
{
	int dir = aring_is_read(req) ? ITER_DEST : ITER_SOURCE;
	struct aring_span span = aring_rw_span(req);
	struct kiocb *kiocb = &req->rw.kiocb;
	struct aring_piece piece;
	struct iov_iter iter;
	ssize_t ret;

	ret = aring_rw_init_kiocb(req);
	if (ret)
		return ret;
	/* Sockets and the like come here ready, and never to wait. */
	if (req->where == ARING_WHERE_ANY)
		kiocb->ki_flags |= IOCB_NOWAIT;
	else
		kiocb->ki_flags &= ~IOCB_NOWAIT;

	if (aring_is_fixed(req)) {
		/* Pinned once and for all. */
		ret = aring_buffer_iter(req, &iter, dir);
		*wanted = req->rw.total - req->rw.done;
		return ret ?: aring_rw_call(req, &iter);
	}
	if (req->rw.done >= req->rw.total) {
		/* Nothing to pin, but the file has its say. */
		*wanted = 0;
		iov_iter_bvec(&iter, dir, NULL, 0, 0);
		return aring_rw_call(req, &iter);
	}
	if (aring_is_long_append(req))
		return aring_move_whole(req, wanted);
	ret = aring_piece_get(&piece, req->mm, &span);
	if (ret)
		return ret;
	if (piece.fault && aring_writes_message(req)) {
		aring_piece_free(&piece, false);
		return -EFAULT;
	}
	*wanted = piece.len;
	iov_iter_bvec(&iter, dir, piece.bvecs, piece.nr, piece.len);
	ret = aring_rw_call(req, &iter);
	aring_piece_free(&piece, aring_is_read(req) && ret > 0);
	if (aring_is_cut_badly(req, ret))
		ret = aring_move_whole(req, wanted);
	return ret;
}

/* Does the plain call go on after it has moved @wanted bytes of more? */
static bool aring_goes_on(const struct aring_req *req)
{
	if (req->rw.done >= req->rw.total)
		return false;
	/* A read from a peer takes what is there; a write waits for room. */
	return req->where == ARING_WHERE_DISK || !aring_is_read(req);
}

/**
 * aring_rw_in_worker() - one attempt in a worker
 * @req: STARTED
 *
 * Return: ARING_ISSUED_*.
 */
int aring_rw_in_worker(struct aring_req *req)
{
	struct rlimit *fsize = &current->signal->rlim[RLIMIT_FSIZE];
	struct aring_rw *rw = &req->rw;
	size_t wanted = 0;
	ssize_t ret;

	if (req->flags & ARING_REQ_NOTIFY) {
		/* The device has done the work, and the result is set. */
		aring_rw_notify(req);
		return ARING_ISSUED_DONE;
	}

	/* The thread's own limits: it serves one request at a time. */
	WRITE_ONCE(fsize->rlim_cur, req->fsize);
	do {
		ret = aring_move_piece(req, &wanted);
		if (ret == -EAGAIN && req->where != ARING_WHERE_DISK &&
		    !rw->done && !(req->flags & ARING_REQ_NOWAIT))
			return ARING_ISSUED_AGAIN;
		if (ret <= 0)
			break;
		rw->done += ret;
		aring_rw_notify(req);
	} while (ret == wanted && aring_goes_on(req));
	/* Pinning says -EINTR when a canceller has sent his signal. */
	if (ret < 0 && !rw->done && signal_pending(current))
		return ARING_ISSUED_INTR;
	/* Already counted. */
	return aring_rw_finish(req, min_t(ssize_t, ret, 0));
}
