// SPDX-License-Identifier: GPL-2.0
/*
 * Requests: slots, the tables of what is in flight, reclaiming.
 *
 * There are no reference counts on requests. A request is reached through the
 * tables under &aring_ring.lock, through a wait queue or timer that holds it,
 * or because one owns it. When it is over, whoever ended it puts it on
 * &aring_ring.reclaim as the last touch. Reclaiming, in process context and
 * under the lock, takes it out of everything that could still reach it
 * before the slot is used again.
 */
#include <linux/cred.h>
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/hash.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "hold.h"
#include "op.h"
#include "sqpoll.h"
#include "where.h"

/* Slots kept for reuse; what a burst needed beyond that is given back. */
#define ARING_KEEP_FREE		512
#define ARING_REFILL		16

static struct kmem_cache *aring_req_cache;

/**
 * aring_req_cache_init() - at module load
 *
 * Return: 0 or -ENOMEM.
 */
int aring_req_cache_init(void)
{
	/* User memory is copied to the operations' own parts, and nowhere else. */
	aring_req_cache =
		kmem_cache_create_usercopy("aring_req",
					   sizeof(struct aring_req), 0,
					   SLAB_HWCACHE_ALIGN | SLAB_ACCOUNT,
					   offsetof(struct aring_req, rw),
					   offsetof(struct aring_req, reclaim) -
					   offsetof(struct aring_req, rw),
					   NULL);
	return aring_req_cache ? 0 : -ENOMEM;
}

/**
 * aring_req_cache_exit() - at module unload, after the last ring
 */
void aring_req_cache_exit(void)
{
	kmem_cache_destroy(aring_req_cache);
}

static void aring_req_free_list(struct aring_req *req)
{
	struct aring_req *next;

	for (; req; req = next) {
		next = req->next;
		kmem_cache_free(aring_req_cache, req);
	}
}

/*
 * Give back what a burst needed. submit_lock is held, so nobody is inside an
 * operation whose slot this could be.
 */
static void aring_req_trim(struct aring_req *req)
{
	unsigned int i;

	for (i = 1; i < ARING_KEEP_FREE; i++)
		req = req->next;
	aring_req_free_list(req->next);
	req->next = NULL;
}

/**
 * aring_req_refill() - see to it that there is a free slot
 * @ring: the ring, submit_lock held
 *
 * Takes over what was reclaimed, else allocates.
 *
 * Return: false if memory ran out.
 */
bool aring_req_refill(struct aring_ring *ring)
{
	void *slots[ARING_REFILL];
	unsigned int nr_freed;
	int i, nr;

	mutex_lock(&ring->lock);
	aring_reclaim(ring);
	ring->free = ring->freed;
	nr_freed = ring->nr_freed;
	ring->freed = NULL;
	ring->nr_freed = 0;
	mutex_unlock(&ring->lock);
	if (unlikely(nr_freed > ARING_KEEP_FREE))
		aring_req_trim(ring->free);
	if (ring->free)
		return true;

	nr = kmem_cache_alloc_bulk(aring_req_cache, GFP_KERNEL, ARING_REFILL,
				   slots);
	if (!nr) {
		slots[0] = kmem_cache_alloc(aring_req_cache, GFP_KERNEL);
		nr = !!slots[0];
	}
	for (i = 0; i < nr; i++) {
		struct aring_req *req = slots[i];

		req->ring = ring;
		req->seen = NULL;
		req->next = ring->free;
		ring->free = req;
	}
	return nr;
}

/**
 * aring_req_free_all() - give the slots back
 * @ring: a ring without requests
 */
void aring_req_free_all(struct aring_ring *ring)
{
	aring_req_free_list(ring->free);
	aring_req_free_list(ring->freed);
	ring->free = NULL;
	ring->freed = NULL;
}

/**
 * aring_bucket() - where in the tables a key belongs
 * @ring: the ring
 * @key: user_data or ticket
 *
 * Return: the bucket.
 */
struct aring_bucket *aring_bucket(struct aring_ring *ring, u64 key)
{
	return &ring->buckets[hash_64(key, ring->hash_bits)];
}

/**
 * aring_req_where() - where this request may run
 * @req: prepared, its file looked up
 *
 * Return: see &enum aring_where.
 */
enum aring_where aring_req_where(const struct aring_req *req)
{
	if (req->flags & ARING_REQ_HOME)
		return ARING_WHERE_ENTER;
	if (!(req->op->flags & ARING_OP_FILE))
		return ARING_WHERE_ANY;
	/* Without a file it is only an error that is to be told. */
	if (!req->file)
		return ARING_WHERE_ANY;
	return req->op->flags & ARING_OP_POLLS ? aring_where_polls(req->file) :
						 aring_where_runs(req->file);
}

/**
 * aring_req_go_async() - prepare for outliving this system call
 * @req: owned by the caller, in the submitter's own context
 *
 * Captures who the submitter is and takes a reference of the file. May be
 * called twice.
 */
void aring_req_go_async(struct aring_req *req)
{
	if (req->flags & ARING_REQ_ASYNC)
		return;
	req->flags |= ARING_REQ_ASYNC;
	if (req->file && !(req->flags & ARING_REQ_FILE_REF)) {
		get_file(req->file);
		req->flags |= ARING_REQ_FILE_REF;
	}
	if (unlikely(req->flags & ARING_REQ_RSRC))
		aring_rsrc_hold(req);
	req->match_file = req->file;
	/* mm_count, not mm_users: the ring must not keep a killed program. */
	mmgrab(current->mm);
	req->mm = current->mm;
	req->cred = aring_get_cred();
	if (unlikely(current->flags & PF_KTHREAD)) {
		/* SQPOLL's thread, with his address space and credentials. */
		req->files = req->ring->sqpoll->files;
		req->fs = req->ring->sqpoll->fs;
		req->nsproxy = req->ring->sqpoll->nsproxy;
	} else {
		req->files = current->files;
		req->fs = current->fs;
		req->nsproxy = current->nsproxy;
	}
	req->fsize = rlimit(RLIMIT_FSIZE);
	req->where = aring_req_where(req);
	req->peer = (req->op->flags & ARING_OP_POLLS) ||
		    (req->file && aring_req_polls_first(req));
	req->timer_ready = false;
	req->placed = false;
	req->gone = false;
	req->drain = false;
	req->deferred = false;
	req->link = NULL;
	req->prev = NULL;
	req->pair = NULL;
	INIT_LIST_HEAD(&req->cq_entry);
	RB_CLEAR_NODE(&req->work_entry);
	req->waiters[0].head = NULL;
	req->waiters[1].head = NULL;
}

/**
 * aring_req_list_locked() - enter the tables of what is in flight
 * @req: owned by the caller, gone asynchronous; &aring_ring.lock held
 *
 * The check and the entry are one step with respect to what cancels all
 * requests of a ring that is closed or no longer mapped: either it finds this
 * one in the tables, or this one is refused.
 *
 * Return: false if the ring takes nothing any more.
 */
bool aring_req_list_locked(struct aring_req *req)
{
	struct aring_ring *ring = req->ring;

	lockdep_assert_held(&ring->lock);
	if (req->flags & ARING_REQ_LISTED)
		return true;
	if (ring->dying || !READ_ONCE(ring->nr_mappings))
		return false;
	list_add_tail(&req->by_data,
		      &aring_bucket(ring, req->user_data)->by_data);
	hlist_add_head(&req->by_ticket,
		       &aring_bucket(ring, req->ticket)->by_ticket);
	ring->nr_inflight++;
	WRITE_ONCE(ring->nr_listed, ring->nr_listed + 1);
	req->flags |= ARING_REQ_LISTED;
	return true;
}

/**
 * aring_req_list() - enter the tables of what is in flight
 * @req: owned by the caller, gone asynchronous
 *
 * As aring_req_list_locked(), for who has nothing else to do under the lock.
 *
 * Return: false if the ring takes nothing any more.
 */
bool aring_req_list(struct aring_req *req)
{
	struct aring_ring *ring = req->ring;
	bool ok;

	mutex_lock(&ring->lock);
	ok = aring_req_list_locked(req);
	mutex_unlock(&ring->lock);
	return ok;
}

/**
 * aring_req_put_file() - let go of the file
 * @req: owned, or final
 *
 * Context: any.
 */
void aring_req_put_file(struct aring_req *req)
{
	struct file *file = req->file;

	if (!file)
		return;
	req->file = NULL;
	if (req->flags & ARING_REQ_FILE_REF)
		fput(file);
}

/**
 * aring_req_release() - give back what the request holds of others
 * @req: owned by the caller, or CANCELLED by it, or being reclaimed
 *
 * Done before the CQE is posted wherever that is possible: who has seen the
 * CQE and closes his descriptor expects the file to be closed.
 *
 * Context: process. May be called twice.
 */
void aring_req_release(struct aring_req *req)
{
	if (req->flags & ARING_REQ_ASYNC) {
		aring_waitq_disarm(req);
		aring_run_unlist(req);
	}
	if (unlikely(req->flags & ARING_REQ_FATE))
		aring_hold_forget(req);
	if (req->op->cleanup)
		req->op->cleanup(req);
	aring_req_put_file(req);
}

static void aring_req_reclaim(struct aring_ring *ring, struct aring_req *req)
{
	/* Then it was borrowed, and only as long as ENTER lasted. */
	if (!(req->flags & ARING_REQ_ASYNC))
		req->file = NULL;
	aring_req_release(req);
	if (req->flags & ARING_REQ_LISTED) {
		list_del(&req->by_data);
		__hlist_del(&req->by_ticket);
		ring->nr_inflight--;
	}
	if (req->flags & ARING_REQ_ASYNC) {
		mmdrop(req->mm);
		put_cred(req->cred);
	}
	if (unlikely(req->flags & ARING_REQ_FATE))
		aring_steer_forget(req);
	/* Not freed here: its submitter may still be on his way out of it. */
	req->next = ring->freed;
	ring->freed = req;
	ring->nr_freed++;
}

/**
 * aring_reclaim() - make slots of the requests that are over
 * @ring: the ring, lock held
 *
 * Context: process.
 */
void aring_reclaim(struct aring_ring *ring)
{
	struct llist_node *list;
	struct aring_req *req, *tmp;

	lockdep_assert_held(&ring->lock);
	list = llist_del_all(&ring->reclaim);
	llist_for_each_entry_safe(req, tmp, list, reclaim)
		aring_req_reclaim(ring, req);
}

/**
 * aring_reclaim_now() - the same, for who does not hold the lock
 * @ring: the ring
 *
 * Context: process.
 */
void aring_reclaim_now(struct aring_ring *ring)
{
	mutex_lock(&ring->lock);
	aring_reclaim(ring);
	mutex_unlock(&ring->lock);
}

/**
 * aring_find_by_data() - the oldest request with this user_data
 * @ring: the ring, lock held
 * @user_data: key
 * @opcode: of this kind, or -1 for any
 *
 * Return: a request that was not final a moment ago, or NULL.
 */
struct aring_req *aring_find_by_data(struct aring_ring *ring, u64 user_data,
				     int opcode)
{
	struct aring_req *req;

	lockdep_assert_held(&ring->lock);
	list_for_each_entry(req, &aring_bucket(ring, user_data)->by_data,
			    by_data) {
		if (req->user_data == user_data &&
		    (opcode < 0 || req->opcode == opcode) &&
		    !aring_state_final(aring_state_read(&req->state)))
			return req;
	}
	return NULL;
}

/**
 * aring_find_by_ticket() - the request with this submission ticket
 * @ring: the ring, lock held
 * @ticket: SQ position it was taken from
 *
 * Return: a request that was not final a moment ago, or NULL.
 */
struct aring_req *aring_find_by_ticket(struct aring_ring *ring, u32 ticket)
{
	struct aring_req *req;

	lockdep_assert_held(&ring->lock);
	hlist_for_each_entry(req, &aring_bucket(ring, ticket)->by_ticket,
			     by_ticket) {
		if (req->ticket == ticket &&
		    !aring_state_final(aring_state_read(&req->state)))
			return req;
	}
	return NULL;
}
