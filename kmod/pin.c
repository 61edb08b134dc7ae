// SPDX-License-Identifier: GPL-2.0
/*
 * User memory for a thread that is not the program's.
 *
 * A transfer in a worker may wait for ever. So the worker must not hold the
 * program's address space while it waits, or a killed program would stay. It
 * takes the address space for a moment, pins the pages of the transfer, lets it
 * go, and works on the pages.
 */
#include <linux/bvec.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/uio.h>

#include "pin.h"

#define ARING_PIN_SEGS		(2 * UIO_MAXIOV)

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
static int aring_pin_piece(struct aring_piece *piece,
			   const struct aring_span *span, unsigned int max)
{
	unsigned int gup = span->to_user ? FOLL_WRITE : 0;
	size_t skip = span->done, left = span->total - span->done;
	unsigned long i;
	int ret = 0;

	if (!span->iov)
		ret = aring_pin_range(piece, max, span->addr + skip, left,
				      left, gup);
	for (i = 0; span->iov && i < span->nr_segs; i++) {
		const struct iovec *iov = &span->iov[i];

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
	piece->fault = ret;
	return piece->nr ? 0 : ret;
}

static unsigned int aring_piece_max(const struct aring_span *span)
{
	size_t left = span->total - span->done;
	size_t pages = min_t(size_t, left / PAGE_SIZE + 2, ARING_PIN_PAGES);
	size_t segs = span->iov ? 2 * span->nr_segs : 0;

	return pages + min_t(size_t, segs, ARING_PIN_SEGS);
}

/**
 * aring_piece_free() - let go of pinned pages
 * @piece: from aring_piece_get(), or all zero
 * @dirty: they were written to
 *
 * Context: process.
 */
void aring_piece_free(struct aring_piece *piece, bool dirty)
{
	if (piece->nr)
		unpin_user_pages_dirty_lock(piece->pages, piece->nr, dirty);
	kvfree(piece->pages);
	kvfree(piece->bvecs);
}

/**
 * aring_piece_get() - pin the next pages of a transfer
 * @piece: out
 * @mm: the program's address space
 * @span: the transfer, not at its end
 *
 * Context: process, in a kernel thread. Holds the address space for a moment.
 *
 * Return: 0; -EFAULT, -ENOMEM or -EINTR if there is not one byte.
 */
int aring_piece_get(struct aring_piece *piece, struct mm_struct *mm,
		    const struct aring_span *span)
{
	unsigned int max = aring_piece_max(span);
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
	if (!mmget_not_zero(mm))
		goto fail;
	kthread_use_mm(mm);
	ret = aring_pin_piece(piece, span, max);
	kthread_unuse_mm(mm);
	mmput_async(mm);
	if (!ret)
		return 0;
fail:
	aring_piece_free(piece, false);
	return ret;
}
