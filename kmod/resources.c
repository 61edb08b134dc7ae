// SPDX-License-Identifier: GPL-2.0
/*
 * Tables of registered files and buffers, and the life of what is in them.
 *
 * What a request counts it lets go of when it is over, perhaps in interrupt
 * context. Closing files and unpinning pages is then left to a work, which
 * also posts the tag: at once, not when somebody happens to come by.
 */
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/wait.h>

#include "op.h"
#include "quiet.h"

/* Process context; the ring is alive. */
static void aring_rsrc_end(struct aring_rsrc *rsrc)
{
	struct aring_ring *ring = rsrc->table->ring;
	struct aring_req *cqe = rsrc->cqe;

	rsrc->table->free(rsrc);
	if (!cqe)
		return;
	/* Nobody is left to read it: the slot only goes back. */
	if (READ_ONCE(ring->dying))
		llist_add(&cqe->reclaim, &ring->reclaim);
	else
		aring_complete(cqe);
}

static void aring_dead_fn(struct work_struct *work)
{
	struct aring_resources *res = container_of(work, struct aring_resources,
						   dead_work);
	struct aring_rsrc *rsrc, *tmp;
	struct llist_node *list;

	list = llist_reverse_order(llist_del_all(&res->dead));
	llist_for_each_entry_safe(rsrc, tmp, list, dead) {
		aring_rsrc_end(rsrc);
		cond_resched();
	}
}

/**
 * aring_rsrc_get() - count one resource
 * @rsrc: found in its table under submit_lock
 */
void aring_rsrc_get(struct aring_rsrc *rsrc)
{
	refcount_inc(&rsrc->refs);
	atomic_inc(&rsrc->table->users);
}

/*
 * A request lets go of it. Any context, cq_lock held: the work that is queued
 * wakes a kernel thread, which cannot come back to us.
 */
static void aring_rsrc_put(struct aring_rsrc *rsrc)
{
	struct aring_table *table = rsrc->table;
	struct aring_resources *res = &table->ring->rsrc;

	if (refcount_dec_and_test(&rsrc->refs)) {
		llist_add(&rsrc->dead, &res->dead);
		queue_work(aring_wq, &res->dead_work);
	}
	/* Pairs with aring_table_wait(): no users, then all work is queued. */
	atomic_dec_return_release(&table->users);
}

/* The table lets go of it. Process context. */
static void aring_rsrc_put_table(struct aring_rsrc *rsrc)
{
	if (refcount_dec_and_test(&rsrc->refs))
		aring_rsrc_end(rsrc);
}

/**
 * aring_rsrc_hold() - count what a request uses
 * @req: owned, with ARING_REQ_RSRC, about to go asynchronous; submit_lock held
 */
void aring_rsrc_hold(struct aring_req *req)
{
	if (req->rsrc_file)
		aring_rsrc_get(req->rsrc_file);
	if (req->rsrc_buf)
		aring_rsrc_get(req->rsrc_buf);
}

/**
 * aring_rsrc_drop() - the request has no use for them any more
 * @req: final, gone asynchronous, with ARING_REQ_RSRC
 *
 * Context: any, cq_lock held: after its CQE, so that a tag comes behind it,
 * and before its slot is given to be reclaimed, as long as which the ring
 * lives.
 */
void aring_rsrc_drop(struct aring_req *req)
{
	struct aring_rsrc *file = req->rsrc_file, *buf = req->rsrc_buf;

	req->rsrc_file = NULL;
	req->rsrc_buf = NULL;
	if (file)
		aring_rsrc_put(file);
	if (buf)
		aring_rsrc_put(buf);
}

/**
 * aring_tags_get() - copy the tags of a whole table
 * @tags: the program's, or NULL
 * @nr: how many
 *
 * Return: kvfree() it; NULL for no tags; -EFAULT or -ENOMEM as a pointer.
 */
u64 *aring_tags_get(const u64 __user *tags, u32 nr)
{
	u64 *copy;

	if (!tags)
		return NULL;
	copy = kvmalloc_array(nr, sizeof(*copy), GFP_KERNEL_ACCOUNT);
	if (!copy)
		return ERR_PTR(-ENOMEM);
	if (copy_from_user(copy, tags, array_size(nr, sizeof(*copy)))) {
		kvfree(copy);
		return ERR_PTR(-EFAULT);
	}
	return copy;
}

/**
 * aring_table_range() - may these slots be changed?
 * @table: the table; submit_lock held
 * @offset: first slot
 * @nr: how many
 *
 * Return: 0, -EOVERFLOW, -ENXIO if there is no table, or -EINVAL; in the order in
 * which Linux 6.1 looks.
 */
int aring_table_range(const struct aring_table *table, u32 offset, u32 nr)
{
	u32 end;

	if (check_add_overflow(offset, nr, &end))
		return -EOVERFLOW;
	if (aring_table_emptying(table))
		return -EINVAL;
	if (!table->slots)
		return -ENXIO;
	return end > table->nr ? -EINVAL : 0;
}

/**
 * aring_table_alloc() - make a table of empty slots
 * @table: one that has none
 * @nr: how many
 *
 * Nothing is found in it before &aring_table.nr is set.
 *
 * Return: 0 or -ENOMEM.
 */
int aring_table_alloc(struct aring_table *table, u32 nr)
{
	table->slots = kvcalloc(nr, sizeof(*table->slots), GFP_KERNEL_ACCOUNT);
	if (!table->slots)
		return -ENOMEM;
	table->nr_slots = nr;
	return 0;
}

/**
 * aring_table_add() - put a resource into its slot
 * @table: the table; submit_lock held
 * @index: an empty slot
 * @rsrc: the resource, new
 * @tag: posted when it is gone, 0 for none
 */
void aring_table_add(struct aring_table *table, u32 index,
		     struct aring_rsrc *rsrc, u64 tag)
{
	refcount_set(&rsrc->refs, 1);
	rsrc->table = table;
	rsrc->tag = tag;
	rsrc->cqe = NULL;
	table->slots[index] = rsrc;
}

/* A request whose only purpose is to carry the CQE of a tag. submit_lock. */
static struct aring_req *aring_tag_req(struct aring_ring *ring, u64 tag)
{
	struct aring_req *req;

	if (!ring->free && !aring_req_refill(ring))
		return NULL;
	req = ring->free;
	ring->free = req->next;

	aring_req_init_bare(req, ARING_REQ_TAG, 0, 0, tag);
	req->op = &aring_ops[ARING_OP_NOP];
	WARN_ON_ONCE(!aring_state_start(&req->state));
	return req;
}

/**
 * aring_table_remove() - empty a slot
 * @table: the table; submit_lock held
 * @index: the slot
 *
 * Context: process. The resource goes when no request uses it any more,
 * perhaps right here.
 *
 * Return: 0 or -ENOMEM, and then it is still there.
 */
int aring_table_remove(struct aring_table *table, u32 index)
{
	struct aring_rsrc *rsrc = table->slots[index];

	if (!rsrc)
		return 0;
	/* Now, because later there is nobody to tell that memory ran out. */
	if (rsrc->tag) {
		rsrc->cqe = aring_tag_req(table->ring, rsrc->tag);
		if (!rsrc->cqe)
			return -ENOMEM;
	}
	table->slots[index] = NULL;
	aring_rsrc_put_table(rsrc);
	return 0;
}

/**
 * aring_table_clear() - empty all slots and free them
 * @table: the table, which nobody else uses
 *
 * No tags are posted, as on 6.1.
 *
 * Context: process.
 */
void aring_table_clear(struct aring_table *table)
{
	u32 i;

	WRITE_ONCE(table->nr, 0);
	for (i = 0; i < table->nr_slots; i++) {
		struct aring_rsrc *rsrc = table->slots[i];

		table->slots[i] = NULL;
		if (rsrc)
			aring_rsrc_put_table(rsrc);
		cond_resched();
	}
	kvfree(table->slots);
	table->slots = NULL;
	table->nr_slots = 0;
}

/*
 * Wait until no request uses anything of the table, as in ENTER: what is to
 * be run by this thread is. Return: 0 or -EINTR.
 */
static int aring_table_wait(struct aring_table *table)
{
	struct aring_ring *ring = table->ring;
	struct aring_sleeper sleeper;
	DEFINE_WAIT(wait);
	int ret = 0;

	/* Pairs with aring_rsrc_put(). */
	while (!ret && atomic_read_acquire(&table->users)) {
		aring_run(ring);
		/* It is no ENTER in which this thread comes to rest. */
		aring_quiet_recheck(ring);
		/* Its barrier pairs with the one in aring_cq_wake(). */
		prepare_to_wait(&ring->enter_wait, &wait, TASK_INTERRUPTIBLE);
		aring_sleeper_add(ring, &sleeper);
		if (atomic_read(&table->users) && !aring_run_pending(ring)) {
			if (signal_pending(current))
				ret = -EINTR;
			else
				schedule();
		}
		__set_current_state(TASK_RUNNING);
		aring_sleeper_del(ring, &sleeper);
	}
	finish_wait(&ring->enter_wait, &wait);
	/* What was meant for us and came too late. */
	aring_run_handoff(ring);
	/* What was replaced earlier is gone, and its tags posted. */
	if (!ret)
		flush_work(&ring->rsrc.dead_work);
	return ret;
}

/**
 * aring_table_unregister() - empty a table once no request uses it
 * @table: the table
 *
 * Nothing is found in it meanwhile.
 *
 * Context: process, no lock held. Takes submit_lock, killably.
 *
 * Return: 0; -ENXIO if there is none, or another thread is at it; -EINTR,
 * and then it is as it was.
 */
int aring_table_unregister(struct aring_table *table)
{
	struct aring_ring *ring = table->ring;
	int ret;

	if (mutex_lock_killable(&ring->submit_lock))
		return -EINTR;
	/* While it is emptied the slots are the other thread's, without the lock. */
	ret = !aring_table_emptying(table) && table->slots ? 0 : -ENXIO;
	if (!ret) {
		table->emptying = true;
		WRITE_ONCE(table->nr, 0);
	}
	mutex_unlock(&ring->submit_lock);
	if (ret)
		return ret;

	/* It is ours alone until @emptying is cleared, lock or not. */
	ret = aring_table_wait(table);
	if (ret)
		WRITE_ONCE(table->nr, table->nr_slots);
	else
		aring_table_clear(table);
	/* Pairs with aring_table_emptying(). */
	smp_store_release(&table->emptying, false);
	return ret;
}

/**
 * aring_resources_init() - nothing is registered yet
 * @ring: a new ring
 */
void aring_resources_init(struct aring_ring *ring)
{
	struct aring_resources *res = &ring->rsrc;

	res->files.ring = ring;
	res->buffers.ring = ring;
	init_llist_head(&res->dead);
	INIT_WORK(&res->dead_work, aring_dead_fn);
	xa_init_flags(&res->personalities, XA_FLAGS_ALLOC1 | XA_FLAGS_ACCOUNT);
	aring_files_init(ring);
	aring_buffers_init(ring);
}

/**
 * aring_resources_kill() - the file is closed: the tables let go
 * @ring: a dying ring
 *
 * Who is at the other end of a registered pipe learns it now, though
 * requests that have started may keep the ring for a while.
 *
 * Context: process.
 */
void aring_resources_kill(struct aring_ring *ring)
{
	/* Only @unmap_work may still have it, and it does not wait. */
	mutex_lock(&ring->submit_lock);
	aring_table_clear(&ring->rsrc.files);
	aring_table_clear(&ring->rsrc.buffers);
	mutex_unlock(&ring->submit_lock);
}

/**
 * aring_resources_exit() - wait for what still goes on about resources
 * @ring: a dying ring without requests
 *
 * Context: process. May be called twice.
 */
void aring_resources_exit(struct aring_ring *ring)
{
	cancel_delayed_work_sync(&ring->rsrc.unmap_work);
	flush_work(&ring->rsrc.dead_work);
	/* The slots of tags that were not posted. */
	mutex_lock(&ring->lock);
	aring_reclaim(ring);
	mutex_unlock(&ring->lock);
}

/**
 * aring_resources_free() - the rest
 * @ring: a ring that nobody can reach any more
 */
void aring_resources_free(struct aring_ring *ring)
{
	aring_eventfd_unregister(ring);
	aring_personalities_exit(ring);
	aring_buffers_exit(ring);
}
