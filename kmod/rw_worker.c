// SPDX-License-Identifier: GPL-2.0
/*
 * A read or write in a worker.
 *
 * The transfer may wait for ever: on a frozen file system, a dead server, a
 * pipe. So the worker must not hold the program's address space while it
 * waits, or a killed program would stay. It takes the address space for a
 * moment, pins the pages of the transfer, lets it go, and works on the pages.
 */
#include <linux/bvec.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "compat.h"
#include "op.h"
#include "rw.h"
#include "worker.h"

/* Pages pinned at a time: 4 MiB on x86. Longer transfers go piece by piece. */
#define ARING_PIN_PAGES		1024U

/**
 * struct aring_piece - pinned pages of a transfer
 * @pages: the pages
 * @bvecs: the same with offsets and lengths
 * @nr: how many of both
 * @len: bytes
 */
struct aring_piece {
	struct page	**pages;
	struct bio_vec	*bvecs;
	unsigned int	nr;
	size_t		len;
};

static int aring_pin_range(struct aring_piece *piece, unsigned int max,
			   unsigned long addr, size_t len, size_t left,
			   unsigned int gup)
{
	unsigned int offset = offset_in_page(addr);
	unsigned int want, i;
	int got;

	/* The kernel moves no more than that at a time, whatever an iovec says. */
	len = min(len, left - piece->len);
	if (!len)
		return 0;
	want = min_t(size_t, max - piece->nr,
		     DIV_ROUND_UP(offset + len, PAGE_SIZE));
	got = pin_user_pages_fast(addr & PAGE_MASK, want, gup,
				  piece->pages + piece->nr);
	if (got <= 0)
		return got ?: -EFAULT;
	for (i = 0; i < got; i++) {
		size_t part = min_t(size_t, len, PAGE_SIZE - offset);
		struct bio_vec *bvec = &piece->bvecs[piece->nr + i];

		bvec->bv_page = piece->pages[piece->nr + i];
		bvec->bv_offset = offset;
		bvec->bv_len = part;
		piece->len += part;
		len -= part;
		offset = 0;
	}
	piece->nr += got;
	/* Less than asked for: the rest is not there. */
	return got == want ? 0 : -EFAULT;
}

/* Pin the next piece of the transfer. The mm is in use by this thread. */
static int aring_pin_piece(struct aring_req *req, struct aring_piece *piece,
			   unsigned int max)
{
	unsigned int gup = aring_is_read(req) ? FOLL_WRITE : 0;
	struct aring_rw *rw = &req->rw;
	size_t skip = rw->done, left = rw->total - rw->done;
	unsigned long i;
	int ret = 0;

	if (!aring_is_vectored(req))
		ret = aring_pin_range(piece, max, rw->addr + skip,
				      rw->total - skip, left, gup);
	for (i = 0; aring_is_vectored(req) && i < rw->nr_segs; i++) {
		const struct iovec *iov = &rw->iov[i];

		if (skip >= iov->iov_len) {
			skip -= iov->iov_len;
			continue;
		}
		ret = aring_pin_range(piece, max,
				      (unsigned long)iov->iov_base + skip,
				      iov->iov_len - skip, left, gup);
		skip = 0;
		if (ret || piece->nr == max || piece->len == left)
			break;
	}
	/* What is there can be moved: a fault is reported only at its place. */
	return piece->nr ? 0 : ret;
}

static unsigned int aring_piece_max(const struct aring_rw *rw)
{
	size_t left = rw->total - rw->done;
	size_t pages = left / PAGE_SIZE + 2 + (rw->iov ? rw->nr_segs : 0);

	return min_t(size_t, pages, ARING_PIN_PAGES);
}

static void aring_piece_free(struct aring_piece *piece, bool dirty)
{
	if (piece->nr)
		unpin_user_pages_dirty_lock(piece->pages, piece->nr, dirty);
	kvfree(piece->pages);
	kvfree(piece->bvecs);
}

static int aring_piece_get(struct aring_req *req, struct aring_piece *piece)
{
	unsigned int max = aring_piece_max(&req->rw);
	int ret;

	memset(piece, 0, sizeof(*piece));
	piece->pages = kvmalloc_array(max, sizeof(*piece->pages),
				      GFP_KERNEL_ACCOUNT);
	piece->bvecs = kvmalloc_array(max, sizeof(*piece->bvecs),
				      GFP_KERNEL_ACCOUNT);
	ret = -ENOMEM;
	if (!piece->pages || !piece->bvecs)
		goto fail;
	ret = -EFAULT;
	if (!mmget_not_zero(req->mm))
		goto fail;
	kthread_use_mm(req->mm);
	ret = aring_pin_piece(req, piece, max);
	kthread_unuse_mm(req->mm);
	mmput_async(req->mm);
	if (!ret)
		return 0;
fail:
	aring_piece_free(piece, false);
	return ret;
}

/* Move one piece. Return: bytes or a negative errno. */
static ssize_t aring_move_piece(struct aring_req *req, size_t *wanted)
{
	int dir = aring_is_read(req) ? ITER_DEST : ITER_SOURCE;
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
	ret = aring_piece_get(req, &piece);
	if (ret)
		return ret;
	*wanted = piece.len;
	iov_iter_bvec(&iter, dir, piece.bvecs, piece.nr, piece.len);
	ret = aring_rw_call(req, &iter);
	aring_piece_free(&piece, aring_is_read(req) && ret > 0);
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
