// SPDX-License-Identifier: GPL-2.0
/*
 * Mappings of a ring, and whose they are.
 *
 * A module is not told when a process ends, but it is told when a mapping
 * goes; and a process that submits has the ring mapped. So the last unmapping
 * by an address space (munmap, exec, exit, kill) takes back what was
 * submitted from it, and a ring that nobody has mapped holds nothing in
 * flight and takes nothing. This is what lets a ring be sent over a socket
 * that it waits on: dropped there, it is mapped by nobody, so it lets go of
 * the socket, which then can go and take the ring with it.
 */
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "compat.h"
#include "quiet.h"
#include "sqpoll.h"

/**
 * struct aring_mapping - an address space that has, or had, the ring mapped
 * @list: in &aring_ring.mappings or &aring_ring.unmapped
 * @mm: pinned by mm_count, so that its address stays its own
 * @nr: VMAs
 */
struct aring_mapping {
	struct list_head	list;
	struct mm_struct	*mm;
	unsigned int		nr;
};

static struct aring_mapping *aring_mapping_find(struct aring_ring *ring,
						const struct mm_struct *mm)
{
	struct aring_mapping *map;

	list_for_each_entry(map, &ring->mappings, list) {
		if (map->mm == mm)
			return map;
	}
	return NULL;
}

static void aring_vma_open(struct vm_area_struct *vma)
{
	struct aring_ring *ring = vma->vm_private_data;
	struct aring_mapping *map, *new;

	/*
	 * This cannot fail, and forgetting the mapping would mean to cancel
	 * under a living program.
	 */
	new = kmalloc(sizeof(*new), GFP_KERNEL_ACCOUNT | __GFP_NOFAIL);
	spin_lock(&ring->map_lock);
	map = aring_mapping_find(ring, vma->vm_mm);
	if (!map) {
		mmgrab(vma->vm_mm);
		map = new;
		new = NULL;
		map->mm = vma->vm_mm;
		map->nr = 0;
		list_add(&map->list, &ring->mappings);
	}
	map->nr++;
	WRITE_ONCE(ring->nr_mappings, ring->nr_mappings + 1);
	spin_unlock(&ring->map_lock);
	kfree(new);
}

static void aring_vma_close(struct vm_area_struct *vma)
{
	struct aring_ring *ring = vma->vm_private_data;
	struct aring_mapping *map;

	spin_lock(&ring->map_lock);
	map = aring_mapping_find(ring, vma->vm_mm);
	if (!WARN_ON_ONCE(!map) && !--map->nr) {
		list_move(&map->list, &ring->unmapped);
		/* mmap_lock is held: cancelling is for somebody else. */
		queue_work(aring_wq, &ring->unmap_work);
	}
	WRITE_ONCE(ring->nr_mappings, ring->nr_mappings - 1);
	spin_unlock(&ring->map_lock);
	if (!READ_ONCE(ring->nr_mappings))
		aring_files_unmapped(ring);
}

static vm_fault_t aring_vma_fault(struct vm_fault *vmf)
{
	struct aring_ring *ring = vmf->vma->vm_private_data;
	unsigned long offset = vmf->pgoff << PAGE_SHIFT;
	struct page *page = NULL;

	if (offset >= ARING_OFF_SQES) {
		offset -= ARING_OFF_SQES;
		if (offset < ring->sqes_size)
			page = vmalloc_to_page((void *)ring->sqes + offset);
	} else {
		if (offset >= ARING_OFF_CQ_RING)
			offset -= ARING_OFF_CQ_RING;
		if (offset < ring->shared_size)
			page = vmalloc_to_page((void *)ring->shared + offset);
	}
	if (!page)
		return VM_FAULT_SIGBUS;
	get_page(page);
	vmf->page = page;
	return 0;
}

static const struct vm_operations_struct aring_vm_ops = {
	.open	= aring_vma_open,
	.close	= aring_vma_close,
	.fault	= aring_vma_fault,
};

/* Take back what was submitted from address spaces that unmapped the ring. */
static void aring_cancel_unmapped(struct aring_ring *ring)
{
	struct aring_mapping *map, *tmp;
	LIST_HEAD(gone);

	mutex_lock(&ring->lock);
	spin_lock(&ring->map_lock);
	list_splice_init(&ring->unmapped, &gone);
	ring->unmapping++;
	spin_unlock(&ring->map_lock);
	list_for_each_entry(map, &gone, list)
		aring_cancel_all(ring, map->mm);
	/* No mapping at all: whoever submitted it. See aring_req_list(). */
	if (!READ_ONCE(ring->nr_mappings))
		aring_cancel_all(ring, NULL);
	aring_reclaim(ring);
	mutex_unlock(&ring->lock);
	spin_lock(&ring->map_lock);
	ring->unmapping--;
	spin_unlock(&ring->map_lock);
	aring_quiet_poke(ring);
	/* If its owner is gone it has nobody to work for. */
	if (ring->sqpoll)
		aring_sqpoll_wake(ring);

	list_for_each_entry_safe(map, tmp, &gone, list) {
		mmdrop(map->mm);
		kfree(map);
	}
}

static void aring_unmap_fn(struct work_struct *work)
{
	aring_cancel_unmapped(container_of(work, struct aring_ring,
					   unmap_work));
}

/**
 * aring_mmap() - map the rings or the SQEs
 * @ring: the ring
 * @vma: asked for
 *
 * Context: process, mmap_lock held for writing.
 *
 * Return: 0, -EINVAL for an offset, a size or a kind of mapping that is not
 * offered.
 */
int aring_mmap(struct aring_ring *ring, struct vm_area_struct *vma)
{
	unsigned long size = vma->vm_end - vma->vm_start;
	size_t limit;

	switch ((u64)vma->vm_pgoff << PAGE_SHIFT) {
	case ARING_OFF_SQ_RING:
	case ARING_OFF_CQ_RING:
		limit = ring->shared_size;
		break;
	case ARING_OFF_SQES:
		limit = ring->sqes_size;
		break;
	default:
		return -EINVAL;
	}
	if (size > limit)
		return -EINVAL;
	if (!(vma->vm_flags & VM_SHARED)) {
		/* Writing would make copies that the kernel never sees. */
		if (vma->vm_flags & VM_WRITE)
			return -EINVAL;
		vm_flags_mod(vma, 0, VM_MAYWRITE);
	}
	/*
	 * If this address space unmapped the ring a moment ago, that must be
	 * dealt with before it submits anew. What another one moves there
	 * meanwhile is not ours to see.
	 */
	if (data_race(!list_empty_careful(&ring->unmapped)))
		aring_cancel_unmapped(ring);
	vm_flags_mod(vma, VM_DONTEXPAND, VM_MAYEXEC);
	vma->vm_ops = &aring_vm_ops;
	vma->vm_private_data = ring;
	aring_vma_open(vma);
	return 0;
}

/**
 * aring_map_init() - nobody has mapped it yet
 * @ring: a new ring
 */
void aring_map_init(struct aring_ring *ring)
{
	spin_lock_init(&ring->map_lock);
	INIT_LIST_HEAD(&ring->mappings);
	INIT_LIST_HEAD(&ring->unmapped);
	INIT_WORK(&ring->unmap_work, aring_unmap_fn);
}

/**
 * aring_map_exit() - the file is closed, so no mapping is left
 * @ring: a ring without requests
 */
void aring_map_exit(struct aring_ring *ring)
{
	cancel_work_sync(&ring->unmap_work);
	aring_cancel_unmapped(ring);
	WARN_ON_ONCE(!list_empty(&ring->mappings));
}

/**
 * aring_map_rests() - is nothing about to be cancelled for its mapping is gone?
 * @ring: the ring
 *
 * Return: true if so.
 */
bool aring_map_rests(struct aring_ring *ring)
{
	bool rests;

	spin_lock(&ring->map_lock);
	rests = list_empty(&ring->unmapped) && !ring->unmapping;
	spin_unlock(&ring->map_lock);
	return rests;
}
