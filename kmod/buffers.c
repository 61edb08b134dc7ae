// SPDX-License-Identifier: GPL-2.0
/*
 * Registered buffers: pages of the program, pinned until the buffer is
 * replaced or unregistered and the last request that uses it is over.
 */
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/sched/mm.h>
#include <linux/sched/user.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/uio.h>

#include "locked.h"
#include "request.h"

/* As on 6.1. */
#define ARING_MAX_BUFFERS	(1U << 14)
#define ARING_MAX_BUFFER_SIZE	SZ_1G

/**
 * struct aring_buffer - a registered buffer
 * @rsrc: as in the table
 * @start: user address
 * @end: user address behind it
 * @charged: pages that count against the limit for it
 * @nr: number of @bvecs
 * @bvecs: its pages, each whole but for the ends
 */
struct aring_buffer {
	struct aring_rsrc	rsrc;
	u64			start;
	u64			end;
	unsigned long		charged;
	unsigned long		nr;
	struct bio_vec		bvecs[];
};

static struct aring_buffer *aring_buffer_of(struct aring_rsrc *rsrc)
{
	return container_of(rsrc, struct aring_buffer, rsrc);
}

/**
 * aring_req_fixed_buffer() - the registered buffer of a request
 * @req: SUBMITTED; submit_lock held
 * @index: as its SQE says
 *
 * Return: 0, or -EFAULT if there is no such slot. That a slot is empty shows
 * only when the request is issued.
 */
int aring_req_fixed_buffer(struct aring_req *req, u16 index)
{
	const struct aring_table *table = &req->ring->rsrc.buffers;

	if (unlikely(index >= READ_ONCE(table->nr)))
		return -EFAULT;
	req->flags |= ARING_REQ_RSRC;
	req->rsrc_file = NULL;
	req->rsrc_buf = aring_table_find(table, index);
	return 0;
}

/**
 * aring_buffer_iter() - what is left of a transfer, in its registered buffer
 * @req: READ_FIXED or WRITE_FIXED
 * @iter: out
 * @dir: ITER_DEST or ITER_SOURCE
 *
 * Return: 0, or -EFAULT if the transfer is not inside of the buffer.
 */
int aring_buffer_iter(const struct aring_req *req, struct iov_iter *iter,
		      int dir)
{
	const struct aring_rw *rw = &req->rw;
	const struct aring_buffer *buf;
	const struct bio_vec *bvec;
	size_t skip, left;
	u64 end;

	if (unlikely(!req->rsrc_buf))
		return -EFAULT;
	buf = container_of(req->rsrc_buf, struct aring_buffer, rsrc);
	if (unlikely(check_add_overflow(rw->addr, (u64)rw->len, &end) ||
		     rw->addr < buf->start || end > buf->end))
		return -EFAULT;

	/* All pages but the first are used from their beginning. */
	skip = rw->addr - buf->start + rw->done;
	left = rw->total - rw->done;
	bvec = buf->bvecs;
	if (skip >= bvec->bv_len) {
		skip -= bvec->bv_len;
		bvec += 1 + (skip >> PAGE_SHIFT);
		skip = offset_in_page(skip);
	}
	iov_iter_bvec(iter, dir, bvec, buf->bvecs + buf->nr - bvec, left);
	iter->iov_offset = skip;
	return 0;
}

/*
 * The kernel wrote to the pages behind the back of the page tables, maybe
 * after they were cleaned: say that they are dirty.
 */
static void aring_buffer_unpin(struct aring_buffer *buf)
{
	unsigned long i;

	for (i = 0; i < buf->nr; i++) {
		unpin_user_pages_dirty_lock(&buf->bvecs[i].bv_page, 1, true);
		cond_resched();
	}
}

static void aring_buffer_free(struct aring_rsrc *rsrc)
{
	struct aring_buffer *buf = aring_buffer_of(rsrc);

	aring_buffer_unpin(buf);
	aring_locked_uncharge(rsrc->table->ring, buf->charged);
	kvfree(buf);
}

/* Is the page part of one of the first @nr of a buffer's compound pages? */
static bool aring_buffer_has(const struct aring_buffer *buf, unsigned long nr,
			     const struct page *head)
{
	unsigned long i;

	for (i = 0; i < nr; i++) {
		struct page *page = buf->bvecs[i].bv_page;

		if (PageCompound(page) && compound_head(page) == head)
			return true;
	}
	return false;
}

/* Does a buffer in the table, or the beginning of this one, have it already? */
static bool aring_page_counted(struct aring_ring *ring,
			       const struct aring_buffer *buf,
			       unsigned long nr, const struct page *head)
{
	const struct aring_table *table = &ring->rsrc.buffers;
	u32 i;

	if (aring_buffer_has(buf, nr, head))
		return true;
	for (i = 0; i < table->nr_slots; i++) {
		struct aring_rsrc *rsrc = table->slots[i];

		cond_resched();
		if (rsrc && aring_buffer_has(aring_buffer_of(rsrc),
					     aring_buffer_of(rsrc)->nr, head))
			return true;
	}
	return false;
}

/*
 * How many pages the buffer keeps from being used otherwise: of a compound
 * page all, but once, however many buffers are in it.
 */
static unsigned long aring_buffer_weigh(struct aring_ring *ring,
					const struct aring_buffer *buf)
{
	const struct page *head, *last = NULL;
	unsigned long i, pages = 0;

	for (i = 0; i < buf->nr; i++) {
		struct page *page = buf->bvecs[i].bv_page;

		if (!PageCompound(page)) {
			pages++;
			continue;
		}
		head = compound_head(page);
		if (head == last)
			continue;
		last = head;
		if (!aring_page_counted(ring, buf, i, head))
			pages += compound_nr(compound_head(page));
	}
	return pages;
}

/*
 * The kind of memory that may be pinned for long: of no file, or of one that
 * is memory itself. mmap_lock is held, and all of the range is mapped.
 */
static int aring_buffer_check_vmas(unsigned long start, unsigned long end)
{
	VMA_ITERATOR(vmi, current->mm, start);
	const struct file *first = NULL;
	struct vm_area_struct *vma;
	bool begun = false;

	for_each_vma_range(vmi, vma, end) {
		if (begun && vma->vm_file != first)
			return -EINVAL;
		begun = true;
		first = vma->vm_file;
		if (first && !aring_is_memory_file(vma))
			return -EOPNOTSUPP;
	}
	return 0;
}

static void aring_buffer_set(struct aring_buffer *buf, struct page **pages,
			     const struct iovec *iov)
{
	size_t offset = offset_in_page(iov->iov_base), left = iov->iov_len;
	unsigned long i;

	buf->rsrc.file = NULL;
	buf->start = (unsigned long)iov->iov_base;
	buf->end = buf->start + iov->iov_len;
	for (i = 0; i < buf->nr; i++) {
		size_t part = min_t(size_t, left, PAGE_SIZE - offset);

		bvec_set_page(&buf->bvecs[i], pages[i], part, offset);
		left -= part;
		offset = 0;
	}
}

/* Pin a buffer. Return: NULL for none, or a negative errno as a pointer. */
static struct aring_buffer *aring_buffer_get(struct aring_ring *ring,
					     const struct iovec *iov)
{
	unsigned long start = (unsigned long)iov->iov_base & PAGE_MASK;
	struct aring_buffer *buf;
	struct page **pages;
	unsigned long nr;
	int ret;

	if (!iov->iov_base)
		return NULL;
	nr = DIV_ROUND_UP(offset_in_page(iov->iov_base) + iov->iov_len,
			  PAGE_SIZE);
	pages = kvmalloc_array(nr, sizeof(*pages), GFP_KERNEL_ACCOUNT);
	buf = kvmalloc(struct_size(buf, bvecs, nr), GFP_KERNEL_ACCOUNT);
	ret = -ENOMEM;
	if (!pages || !buf)
		goto fail;
	ret = aring_locked_pin(start, nr, FOLL_WRITE, aring_buffer_check_vmas,
			       pages);
	if (ret)
		goto fail;
	buf->nr = nr;
	aring_buffer_set(buf, pages, iov);
	buf->charged = aring_buffer_weigh(ring, buf);
	ret = aring_locked_charge(ring, buf->charged);
	if (ret) {
		unpin_user_pages(pages, nr);
		goto fail;
	}
	kvfree(pages);
	return buf;
fail:
	kvfree(pages);
	kvfree(buf);
	return ERR_PTR(ret);
}

/* Return: 0 or a negative errno. */
static int aring_buffer_check(const struct iovec *iov)
{
	unsigned long end;

	if (!iov->iov_base)
		return iov->iov_len ? -EFAULT : 0;
	if (!iov->iov_len || iov->iov_len > ARING_MAX_BUFFER_SIZE)
		return -EFAULT;
	if (check_add_overflow((unsigned long)iov->iov_base,
			       iov->iov_len + PAGE_SIZE - 1, &end))
		return -EOVERFLOW;
	return 0;
}

static int aring_buffers_fill(struct aring_ring *ring,
			      const struct iovec __user *iovs, u32 nr,
			      const u64 *tags)
{
	struct aring_buffer *buf;
	struct iovec iov = {};
	u32 i;
	int ret;

	for (i = 0; i < nr; i++) {
		u64 tag = tags ? tags[i] : 0;

		if (iovs && copy_from_user(&iov, &iovs[i], sizeof(iov)))
			return -EFAULT;
		ret = aring_buffer_check(&iov);
		if (ret)
			return ret;
		if (!iov.iov_base && tag)
			return -EINVAL;
		buf = aring_buffer_get(ring, &iov);
		if (IS_ERR(buf))
			return PTR_ERR(buf);
		if (buf)
			aring_table_add(&ring->rsrc.buffers, i, &buf->rsrc,
					tag);
		cond_resched();
	}
	return 0;
}

/**
 * aring_buffers_register() - make the table of registered buffers
 * @ring: the ring; submit_lock held
 * @iovs: where they are, NULL addresses for empty slots; NULL if all are
 * @nr: how many
 * @tags: their tags, or NULL
 *
 * Return: 0 or a negative errno as io_uring_register(2) has it.
 */
int aring_buffers_register(struct aring_ring *ring,
			   const struct iovec __user *iovs, u32 nr,
			   const u64 __user *tags)
{
	struct aring_table *table = &ring->rsrc.buffers;
	u64 *copy;
	int ret;

	if (aring_table_emptying(table) || table->slots)
		return -EBUSY;
	if (!nr || nr > ARING_MAX_BUFFERS)
		return -EINVAL;
	copy = aring_tags_get(tags, nr);
	if (IS_ERR(copy))
		return PTR_ERR(copy);
	ret = aring_table_alloc(table, nr);
	if (!ret) {
		ret = aring_buffers_fill(ring, iovs, nr, copy);
		if (ret)
			aring_table_clear(table);
		else
			WRITE_ONCE(table->nr, nr);
	}
	kvfree(copy);
	return ret;
}

/* One slot of an update. Return: 0 or a negative errno. */
static int aring_buffer_update(struct aring_ring *ring, u32 index,
			       const struct iovec *iov, u64 tag)
{
	struct aring_table *table = &ring->rsrc.buffers;
	struct aring_buffer *buf;
	int ret;

	ret = aring_buffer_check(iov);
	if (ret)
		return ret;
	if (!iov->iov_base && tag)
		return -EINVAL;
	/* The new one first: if it cannot be had, the old one stays. */
	buf = aring_buffer_get(ring, iov);
	if (IS_ERR(buf))
		return PTR_ERR(buf);
	ret = aring_table_remove(table, index);
	if (!buf)
		return ret;
	buf->rsrc.table = table;
	if (ret)
		aring_buffer_free(&buf->rsrc);
	else
		aring_table_add(table, index, &buf->rsrc, tag);
	return ret;
}

/**
 * aring_buffers_update() - change slots of the table
 * @ring: the ring; submit_lock held
 * @update: which, and what they become
 * @nr: how many
 *
 * Return: how many were done; if none was, why the first one was not.
 */
int aring_buffers_update(struct aring_ring *ring,
			 const struct aring_rsrc_update2 *update, u32 nr)
{
	const struct iovec __user *iovs = u64_to_user_ptr(update->data);
	const u64 __user *tags = u64_to_user_ptr(update->tags);
	struct aring_table *table = &ring->rsrc.buffers;
	u32 done, limit;
	int ret;

	ret = aring_table_range(table, update->offset, nr);
	if (ret)
		return ret;
	limit = table->nr;
	for (done = 0; done < nr; done++) {
		u32 index = array_index_nospec(update->offset + done, limit);
		struct iovec iov;
		u64 tag = 0;

		ret = -EFAULT;
		if (copy_from_user(&iov, &iovs[done], sizeof(iov)) ||
		    (tags && get_user(tag, &tags[done])))
			break;
		ret = aring_buffer_update(ring, index, &iov, tag);
		if (ret)
			break;
		cond_resched();
	}
	return done ?: ret;
}

/**
 * aring_buffers_init() - no buffers yet, and whose they will be
 * @ring: a new ring, its owner calling
 *
 * Who may lock memory without limit need not be counted.
 */
void aring_buffers_init(struct aring_ring *ring)
{
	struct aring_resources *res = &ring->rsrc;

	res->buffers.free = aring_buffer_free;
	if (!ns_capable_noaudit(&init_user_ns, CAP_IPC_LOCK))
		res->user = get_uid(current_user());
	mmgrab(current->mm);
	res->mm = current->mm;
}

/**
 * aring_buffers_exit() - the limits are not needed any more
 * @ring: a ring without buffers
 */
void aring_buffers_exit(struct aring_ring *ring)
{
	mmdrop(ring->rsrc.mm);
	if (ring->rsrc.user)
		free_uid(ring->rsrc.user);
}
