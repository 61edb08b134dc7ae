// SPDX-License-Identifier: GPL-2.0
/*
 * Pages that count against RLIMIT_MEMLOCK, in the pool that io_uring and others
 * count in: registered buffers, and what the virtual device holds.
 */
#include <linux/hugetlb.h>
#include <linux/magic.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/user.h>

#include "compat.h"
#include "locked.h"
#include "ring.h"

/* The limit of who asks; SQPOLL's thread asks for who made the ring. */
static unsigned long aring_locked_limit(const struct aring_ring *ring)
{
	unsigned long limit = current->flags & PF_KTHREAD ?
			      task_rlimit(ring->owner, RLIMIT_MEMLOCK) :
			      rlimit(RLIMIT_MEMLOCK);

	return limit >> PAGE_SHIFT;
}

/**
 * aring_locked_charge() - count pages against the limits
 * @ring: the ring
 * @pages: how many
 *
 * Context: process.
 *
 * Return: 0 or -ENOMEM.
 */
int aring_locked_charge(struct aring_ring *ring, unsigned long pages)
{
	struct aring_resources *res = &ring->rsrc;
	unsigned long limit = aring_locked_limit(ring);
	long now, next;

	if (!pages)
		return 0;
	if (res->user) {
		now = atomic_long_read(&res->user->locked_vm);
		do {
			next = now + pages;
			if (next > limit)
				return -ENOMEM;
		} while (!atomic_long_try_cmpxchg(&res->user->locked_vm, &now,
						  next));
	}
	atomic64_add(pages, &res->mm->pinned_vm);
	return 0;
}

/**
 * aring_locked_uncharge() - they are given back
 * @ring: the ring
 * @pages: how many
 *
 * Context: any.
 */
void aring_locked_uncharge(struct aring_ring *ring, unsigned long pages)
{
	struct aring_resources *res = &ring->rsrc;

	if (res->user)
		atomic_long_sub(pages, &res->user->locked_vm);
	atomic64_sub(pages, &res->mm->pinned_vm);
}

/**
 * aring_is_memory_file() - is the file behind a mapping memory, and no more?
 * @vma: of a file; mmap_lock held
 *
 * Return: true for tmpfs (devtmpfs says that it is one, too) and hugetlbfs.
 */
bool aring_is_memory_file(const struct vm_area_struct *vma)
{
	const struct inode *inode = file_inode(vma->vm_file);

	return is_vm_hugetlb_page((struct vm_area_struct *)vma) ||
	       (inode->i_sb->s_magic == TMPFS_MAGIC && S_ISREG(inode->i_mode));
}

/**
 * aring_locked_pin() - pin a range of the calling program for as long as it takes
 * @start: user address, at a page's beginning
 * @nr: pages
 * @gup: FOLL_WRITE or 0
 * @check: is that a kind of memory for it? 0 or a negative errno; mmap_lock is
 *	held, and all of the range is mapped
 * @pages: room for them
 *
 * Context: process.
 *
 * Return: 0 or a negative errno.
 */
int aring_locked_pin(unsigned long start, unsigned long nr, unsigned int gup,
		     int (*check)(unsigned long start, unsigned long end),
		     struct page **pages)
{
	long got;
	int ret;

	if (mmap_read_lock_killable(current->mm))
		return -EINTR;
	got = aring_pin_longterm(start, nr, gup, pages);
	if (got == nr)
		ret = check(start, start + nr * PAGE_SIZE);
	else
		ret = got < 0 ? got : -EFAULT;
	mmap_read_unlock(current->mm);
	if (ret && got > 0)
		unpin_user_pages(pages, got);
	return ret;
}
