// SPDX-License-Identifier: GPL-2.0
/*
 * Records: what a session has done and seen.
 *
 * An element never moves, so that who is to complete it later, perhaps in an
 * interrupt, keeps a pointer to it. What cannot be kept is counted.
 */
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "record.h"

/* Elements of 40 bytes each: five pages. */
#define ARING_RECORD_CHUNK	512U

/**
 * aring_record_init() - an empty record
 * @rec: the record
 * @size: bytes of an element
 * @max: no more than so many
 */
void aring_record_init(struct aring_record *rec, size_t size, u32 max)
{
	mutex_init(&rec->grow);
	spin_lock_init(&rec->lock);
	xa_init(&rec->chunks);
	rec->size = size;
	rec->max = max;
	rec->nr = 0;
	rec->lost = 0;
}

/**
 * aring_record_free() - forget all elements
 * @rec: the record, which nobody uses any more
 */
void aring_record_free(struct aring_record *rec)
{
	unsigned long i;
	void *chunk;

	xa_for_each(&rec->chunks, i, chunk) {
		kvfree(chunk);
		cond_resched();
	}
	xa_destroy(&rec->chunks);
}

/**
 * aring_record_at() - one element
 * @rec: the record
 * @index: which; it exists
 *
 * Return: the element. Its contents are guarded by &aring_record.lock.
 */
void *aring_record_at(struct aring_record *rec, u32 index)
{
	return xa_load(&rec->chunks, index / ARING_RECORD_CHUNK) +
	       index % ARING_RECORD_CHUNK * rec->size;
}

/* See to it that there is a chunk for the next element. */
static bool aring_record_grow(struct aring_record *rec)
{
	unsigned long index = rec->nr / ARING_RECORD_CHUNK;
	void *chunk;

	if (rec->nr == rec->max)
		return false;
	if (rec->nr % ARING_RECORD_CHUNK || xa_load(&rec->chunks, index))
		return true;
	chunk = kvcalloc(ARING_RECORD_CHUNK, rec->size,
			 GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!chunk)
		return false;
	if (!xa_err(xa_store(&rec->chunks, index, chunk, GFP_KERNEL_ACCOUNT)))
		return true;
	kvfree(chunk);
	return false;
}

/**
 * aring_record_add() - add an element
 * @rec: the record
 * @element: is copied
 *
 * Context: process, no spinlock held.
 *
 * Return: where it is now, or NULL if it was lost and counted.
 */
void *aring_record_add(struct aring_record *rec, const void *element)
{
	void *at = NULL;

	mutex_lock(&rec->grow);
	if (aring_record_grow(rec)) {
		at = aring_record_at(rec, rec->nr);
		spin_lock_irq(&rec->lock);
		memcpy(at, element, rec->size);
		rec->nr++;
		spin_unlock_irq(&rec->lock);
	} else {
		spin_lock_irq(&rec->lock);
		rec->lost++;
		spin_unlock_irq(&rec->lock);
	}
	mutex_unlock(&rec->grow);
	return at;
}

/* As many as fit into @buf, but only of one chunk. */
static u32 aring_record_copy(struct aring_record *rec, u64 from, u32 nr,
			     void *buf, u64 *total, u64 *lost)
{
	spin_lock_irq(&rec->lock);
	*total = rec->nr;
	*lost = rec->lost;
	nr = from < rec->nr ? min_t(u64, nr, rec->nr - from) : 0;
	nr = min_t(u32, nr, PAGE_SIZE / rec->size);
	nr = min_t(u32, nr, ARING_RECORD_CHUNK - from % ARING_RECORD_CHUNK);
	if (nr)
		memcpy(buf, aring_record_at(rec, from), nr * rec->size);
	spin_unlock_irq(&rec->lock);
	return nr;
}

/**
 * aring_record_read() - give elements to the program
 * @rec: the record
 * @from: index of the first
 * @nr: how many at most
 * @to: where to
 * @total: out: how many there are in all
 * @lost: out: how many were lost
 *
 * No lock is held while user memory is written to: that may take as long as
 * its owner likes.
 *
 * Context: process.
 *
 * Return: how many were copied, -EFAULT or -ENOMEM.
 */
int aring_record_read(struct aring_record *rec, u64 from, u32 nr,
		      void __user *to, u64 *total, u64 *lost)
{
	u32 done = 0, part;
	void *buf;

	/* Nobody has more than that, and the result is an int. */
	nr = min(nr, rec->max);
	buf = kmalloc(PAGE_SIZE, GFP_KERNEL_ACCOUNT);
	if (!buf)
		return -ENOMEM;
	while ((part = aring_record_copy(rec, from + done, nr - done, buf,
					 total, lost)) != 0) {
		if (copy_to_user(to + done * rec->size, buf,
				 part * rec->size)) {
			kfree(buf);
			return -EFAULT;
		}
		done += part;
		cond_resched();
	}
	kfree(buf);
	return done;
}
