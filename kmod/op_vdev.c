// SPDX-License-Identifier: GPL-2.0
/*
 * VREAD and VWRITE: what they ask for, and the pages that they move data to and
 * from.
 *
 * The pages are pinned when the request is submitted, for as long as it takes.
 * So the transfer needs neither the program's address space nor a fault, and the
 * program may unmap its memory or die meanwhile.
 */
#include <linux/fs.h>
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/slab.h>

#include "locked.h"
#include "op.h"
#include "vdev.h"

/**
 * aring_vdev_prep() - take VREAD's or VWRITE's fields out of an SQE
 * @req: SUBMITTED
 * @sqe: the kernel's own copy
 *
 * Return: 0 or -EINVAL.
 */
int aring_vdev_prep(struct aring_req *req, const struct aring_sqe *sqe)
{
	struct aring_vio *vio = &req->vio;

	if ((req->sqe_flags & ARING_SQE_FIXED_FILE) || sqe->fd != -1 ||
	    sqe->buf_index || sqe->splice_fd_in || sqe->__pad2[0])
		return -EINVAL;
	if (sqe->vdev_flags & ~ARING_VDEV_TIME)
		return -EINVAL;
	if (!(sqe->vdev_flags & ARING_VDEV_TIME) && sqe->addr3)
		return -EINVAL;
	vio->device = NULL;
	vio->pages = NULL;
	vio->nr_pages = 0;
	vio->addr = sqe->addr;
	vio->off = sqe->off;
	vio->want = min_t(u64, sqe->len, MAX_RW_COUNT);
	vio->flags = sqe->vdev_flags;
	vio->time = sqe->addr3;
	RB_CLEAR_NODE(&vio->waiting);
	INIT_LIST_HEAD(&vio->entry);
	return 0;
}

/**
 * aring_vdev_shorten() - read or write only a part
 * @req: SUBMITTED, prepared
 * @size: so many bytes
 */
void aring_vdev_shorten(struct aring_req *req, u64 size)
{
	if (size >= req->vio.want)
		return;
	req->vio.want = size;
	req->steered->cut = true;
}

/* A file's pages change only when its file system is told so. mmap_lock. */
static int aring_vio_check_vmas(unsigned long start, unsigned long end)
{
	VMA_ITERATOR(vmi, current->mm, start);
	struct vm_area_struct *vma;

	for_each_vma_range(vmi, vma, end) {
		if (vma->vm_file && (vma->vm_flags & VM_SHARED) &&
		    !aring_is_memory_file(vma))
			return -EOPNOTSUPP;
	}
	return 0;
}

/* To be read only; any memory is good for that. */
static int aring_vio_any_vmas(unsigned long start, unsigned long end)
{
	return 0;
}

/* Pin the pages of the transfer. Return: 0 or a negative errno. */
static int aring_vio_pin(struct aring_req *req)
{
	bool to_user = req->opcode == ARING_OP_VREAD;
	struct aring_vio *vio = &req->vio;
	unsigned long start = vio->addr & PAGE_MASK, nr, end;
	int ret;

	if (check_add_overflow((unsigned long)vio->addr,
			       (unsigned long)vio->len, &end))
		return -EFAULT;
	nr = DIV_ROUND_UP(end - start, PAGE_SIZE);
	ret = aring_locked_charge(req->ring, nr);
	if (ret)
		return ret;
	vio->pages = vio->few;
	if (nr > ARRAY_SIZE(vio->few))
		vio->pages = kvmalloc_array(nr, sizeof(*vio->pages),
					    GFP_KERNEL_ACCOUNT);
	ret = -ENOMEM;
	if (!vio->pages)
		goto fail;
	ret = aring_locked_pin(start, nr, to_user ? FOLL_WRITE : 0,
			       to_user ? aring_vio_check_vmas :
					 aring_vio_any_vmas, vio->pages);
	if (ret)
		goto fail;
	vio->nr_pages = nr;
	return 0;
fail:
	if (vio->pages != vio->few)
		kvfree(vio->pages);
	vio->pages = NULL;
	aring_locked_uncharge(req->ring, nr);
	return ret;
}

/**
 * aring_vdev_capture() - get hold of the device and of the pages
 * @req: prepared; submit_lock held, in the submitter's address space, unless it
 *	has been here before
 *
 * Return: 0; -ENODEV if there is no device; -ENOMEM if there is no memory, or
 * more than its owner may lock; -EFAULT, or -EOPNOTSUPP for a kind of memory.
 */
int aring_vdev_capture(struct aring_req *req)
{
	struct aring_device *dev = req->ring->device;
	struct aring_vio *vio = &req->vio;
	u64 size;
	int ret;

	if (vio->device)
		return 0;
	if (!dev)
		return -ENODEV;
	size = dev->config.size;
	vio->len = vio->off < size ? min_t(u64, vio->want, size - vio->off) : 0;
	if (vio->len) {
		ret = aring_vio_pin(req);
		if (ret)
			return ret;
	}
	vio->device = dev;
	atomic_inc(&dev->users);
	req->flags |= ARING_REQ_CLEANUP;
	return 0;
}

/* Less than was asked for ends a chain, as it does for a file. */
static void aring_vio_result(struct aring_req *req)
{
	aring_req_set_result(req, req->vio.len);
	if (req->vio.len < req->vio.want)
		req->flags |= ARING_REQ_FAIL;
}

/**
 * aring_vdev_issue() - wait for a channel
 * @req: SUBMITTED, or STARTED where it had to wait for others before
 * @how: ARING_ISSUE_INLINE
 *
 * What lies behind the end of the medium needs no channel.
 *
 * Return: ARING_ISSUED_AWAY, or ARING_ISSUED_DONE with the result set.
 */
int aring_vdev_issue(struct aring_req *req, unsigned int how)
{
	struct aring_ring *ring = req->ring;
	bool again;
	int ret;

	ret = aring_vdev_capture(req);
	if (ret) {
		aring_req_set_result(req, ret);
		return ARING_ISSUED_DONE;
	}
	if (req->vio.off >= req->vio.device->config.size) {
		aring_vio_result(req);
		if (req->opcode == ARING_OP_VWRITE)
			aring_req_set_result(req, -ENOSPC);
		return ARING_ISSUED_DONE;
	}
	aring_req_go_async(req);
	/* Keeps cancellers away until it is where they can take it from. */
	mutex_lock(&ring->lock);
	if (!aring_req_list_locked(req)) {
		mutex_unlock(&ring->lock);
		aring_req_set_result(req, -ECANCELED);
		return ARING_ISSUED_DONE;
	}
	if (aring_queue_or_cancel(req, &again))
		aring_vdev_queue(req);
	mutex_unlock(&ring->lock);
	return ARING_ISSUED_AWAY;
}

/**
 * aring_vdev_move() - the time of a request is over: move its data
 * @req: STARTED, no channel's any more; its result is set
 *
 * Context: process.
 */
void aring_vdev_move(struct aring_req *req)
{
	struct aring_vio *vio = &req->vio;
	struct aring_device *dev = vio->device;
	void *at = dev->medium + vio->off;
	size_t offset = offset_in_page(vio->addr), left = vio->len;
	unsigned long i;

	mutex_lock(&dev->moving);
	for (i = 0; i < vio->nr_pages; i++) {
		size_t part = min_t(size_t, left, PAGE_SIZE - offset);

		if (req->opcode == ARING_OP_VREAD)
			memcpy_to_page(vio->pages[i], offset, at, part);
		else
			memcpy_from_page(at, vio->pages[i], offset, part);
		at += part;
		left -= part;
		offset = 0;
		cond_resched();
	}
	mutex_unlock(&dev->moving);
	aring_vio_result(req);
}

/**
 * aring_vdev_cleanup() - give the pages back
 * @req: STARTED by the device, which is through with it, or over
 *
 * Context: process. May be called twice.
 */
void aring_vdev_cleanup(struct aring_req *req)
{
	struct aring_vio *vio = &req->vio;
	struct aring_device *dev = vio->device;

	if (!dev)
		return;
	aring_vdev_unqueue(req);
	if (vio->pages) {
		unpin_user_pages_dirty_lock(vio->pages, vio->nr_pages,
					    req->opcode == ARING_OP_VREAD);
		if (vio->pages != vio->few)
			kvfree(vio->pages);
		vio->pages = NULL;
		aring_locked_uncharge(req->ring, vio->nr_pages);
	}
	vio->device = NULL;
	/* From here on it may be replaced. */
	atomic_dec(&dev->users);
}
