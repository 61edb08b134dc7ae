// SPDX-License-Identifier: GPL-2.0
/*
 * Workers.
 *
 * A worker is a kernel thread. It sees the first namespaces of the machine,
 * its own descriptors and its own signals; it takes on the credentials, the
 * file-size limit and the memory cgroup of the submitter, and nothing else.
 * So only that runs here whose outcome depends on nothing else of the caller:
 * aring_where_runs() of where.c is the list.
 *
 * Each ring has four pools. Disk work waits for a device, which answers sooner
 * or later: a fixed number of threads is enough. What may wait for a peer
 * waits for ever if it pleases the peer: that pool grows as needed. What is
 * ready and does not wait is for one thread, so that what is received from one
 * socket goes to the receives in their order. What is over, and only owes an event
 * to fsnotify, is for one thread too, behind nothing that waits.
 */
#include <linux/cgroup.h>
#include <linux/cred.h>
#include <linux/kthread.h>
#include <linux/memcontrol.h>
#include <linux/module.h>
#include <linux/net.h>
#include <linux/poll.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <net/sock.h>

#include "compat.h"
#include "hold.h"
#include "op.h"
#include "quiet.h"
#include "where.h"
#include "worker.h"

#define ARING_WORKER_IDLE	(5 * HZ)
/* The same where idle threads may keep other rings from having theirs. */
#define ARING_WORKER_IDLE_CROWDED	(HZ / 10 ?: 1)
/* So far is looked behind writes that wait for another one to their file. */
#define ARING_LINE_LOOK		512

/**
 * struct aring_worker - one thread
 * @pool: its pool
 * @list: in &aring_pool.workers; work_lock
 * @idle: in &aring_pool.idle, or empty; work_lock
 * @task: the thread
 * @signal_lock: a signal is sent for what the thread runs, not for the next.
 *	Its own lock: siglock is taken inside it, and signalfd's wake-up takes
 *	work_lock inside siglock.
 * @req: what it runs now; set under work_lock, cleared under signal_lock
 * @writes: the regular file that this writes to, or NULL; only to be compared;
 *	work_lock
 * @stop: the ring is going; work_lock
 * @rcu: a canceller may still look at it
 */
struct aring_worker {
	struct aring_pool	*pool;
	struct list_head	list;
	struct list_head	idle;
	struct task_struct	*task;
	/* Keeps @req while a signal is sent for it. */
	spinlock_t		signal_lock;
	struct aring_req	*req;
	const struct inode	*writes;
	bool			stop;
	struct rcu_head		rcu;
};

static struct aring_pool *aring_pool_for(struct aring_req *req)
{
	if (req->flags & ARING_REQ_NOTIFY)
		return &req->ring->owing;
	if (req->where == ARING_WHERE_DISK)
		return &req->ring->bounded;
	if (req->where == ARING_WHERE_ANY)
		return &req->ring->ready;
	return &req->ring->unbounded;
}

/* RLIMIT_NPROC; a ring may have what it needs to get on even if that is less. */
static unsigned long aring_pool_limit(const struct aring_pool *pool)
{
	unsigned long least = pool->max_workers == UINT_MAX ?
			      1 : pool->max_workers;

	return max(pool->ring->max_threads, least);
}

/*
 * Count up to @want threads more, as far as the user may have them. work_lock.
 * Return: how many; *@full if he may not have all.
 */
static unsigned int aring_pool_count(struct aring_pool *pool,
				     unsigned int want, bool *full)
{
	unsigned int nr;

	for (nr = 0; nr < want; nr++) {
		if (!aring_user_add_thread(pool->ring->user, pool->kind,
					   aring_pool_limit(pool)))
			break;
	}
	WRITE_ONCE(pool->nr_workers, pool->nr_workers + nr);
	*full = nr < want;
	return nr;
}

/* One thread less. work_lock. */
static void aring_pool_uncount(struct aring_pool *pool)
{
	WRITE_ONCE(pool->nr_workers, pool->nr_workers - 1);
	aring_user_del_thread(pool->ring->user, pool->kind);
}

/* Requests wait and nobody is free to take them. work_lock. */
static void aring_pool_want_worker(struct aring_pool *pool)
{
	unsigned long delay = 0;

	if (pool->nr_workers >= pool->max_workers)
		return;
	if (pool->max_workers == UINT_MAX &&
	    pool->nr_workers >= num_online_cpus())
		delay = 1;
	queue_delayed_work(aring_wq, &pool->spawn_work, delay);
}

/**
 * aring_worker_enqueue() - hand a QUEUED request to the workers
 * @req: QUEUED, on no list
 *
 * Context: any, work_lock held.
 */
void aring_worker_enqueue(struct aring_req *req)
{
	struct aring_pool *pool = aring_pool_for(req);

	aring_work_add(&pool->queue, req);
	aring_pool_kick(pool);
}

/**
 * aring_pool_kick() - see to it that somebody takes what is queued
 * @pool: the pool
 *
 * Context: any, work_lock held.
 */
void aring_pool_kick(struct aring_pool *pool)
{
	struct aring_worker *worker;

	worker = list_first_entry_or_null(&pool->idle, struct aring_worker,
					  idle);
	if (worker) {
		/* Taken off here, so that the next request wakes another. */
		list_del_init(&worker->idle);
		pool->nr_idle--;
		wake_up_process(worker->task);
	} else {
		aring_pool_want_worker(pool);
	}
}

/**
 * aring_worker_queue() - the owner gives the request to the workers
 * @req: SUBMITTED or STARTED, owned by the caller, listed
 *
 * It is QUEUED and in the queue in one step, so that whoever takes it back
 * finds it where it can be taken off. Not the caller's afterwards. What has
 * ARING_REQ_BEGUN stays STARTED on its way: it cannot be taken back.
 *
 * Context: any.
 */
void aring_worker_queue(struct aring_req *req)
{
	struct aring_ring *ring = req->ring;
	unsigned long flags;
	bool again, queued = req->flags & ARING_REQ_BEGUN;

	rcu_read_lock();
	spin_lock_irqsave(&ring->work_lock, flags);
	/*
	 * Before it is QUEUED: who takes it back from there by his
	 * compare-and-swap sees it, and aring_run_unlist() waits for work_lock.
	 */
	req->placed = true;
	again = !queued;
	while (again) {
		queued = aring_queue_or_cancel_quiet(req, &again);
		/* Woken meanwhile: fine, it is about to be run anyway. */
		again = again && !queued;
	}
	if (queued && !aring_work_listed(req))
		aring_worker_enqueue(req);
	spin_unlock_irqrestore(&ring->work_lock, flags);
	if (unlikely(READ_ONCE(ring->nr_unblocked)))
		aring_run_unblocked(ring);
	rcu_read_unlock();
}

/**
 * aring_worker_interrupt() - get a request out of a wait in a worker
 * @req: somebody has set CANCEL in its state
 *
 * Context: any, work_lock not held.
 */
void aring_worker_interrupt(struct aring_req *req)
{
	struct aring_pool *pool = &req->ring->unbounded;
	struct aring_worker *worker, *found = NULL;
	unsigned long flags;

	/* rcu: keeps the worker for the look between the two locks. */
	rcu_read_lock();
	spin_lock_irqsave(&req->ring->work_lock, flags);
	list_for_each_entry(worker, &pool->workers, list) {
		if (READ_ONCE(worker->req) == req)
			found = worker;
	}
	spin_unlock_irqrestore(&req->ring->work_lock, flags);
	if (found) {
		spin_lock_irqsave(&found->signal_lock, flags);
		if (READ_ONCE(found->req) == req)
			send_sig(SIGKILL, found->task, 1);
		spin_unlock_irqrestore(&found->signal_lock, flags);
	}
	rcu_read_unlock();
}

/* The regular file that a request writes to, or NULL. work_lock. */
static const struct inode *aring_written(const struct aring_req *req)
{
	switch (req->opcode) {
	case ARING_OP_WRITE:
	case ARING_OP_WRITEV:
	case ARING_OP_WRITE_FIXED:
		/* None if it was closed while the request waited in a chain. */
		return req->file && S_ISREG(file_inode(req->file)->i_mode) ?
		       file_inode(req->file) : NULL;
	default:
		return NULL;
	}
}

static bool aring_is_being_written(const struct aring_pool *pool,
				   const struct inode *inode)
{
	const struct aring_worker *worker;

	list_for_each_entry(worker, &pool->workers, list) {
		if (worker->writes == inode)
			return true;
	}
	return false;
}

/*
 * The next request that may be taken. As on Linux workers write to a file one after the
 * other: so what is appended, or overlaps, is there in the order of submission.
 * work_lock.
 */
static struct aring_req *aring_pool_first(const struct aring_pool *pool)
{
	struct aring_req *req = aring_work_first(&pool->queue);
	const struct inode *inode, *busy = NULL;
	unsigned int i;

	if (pool->kind != ARING_THREAD_DISK)
		return req;
	for (i = 0; req && i < ARING_LINE_LOOK; i++) {
		inode = aring_written(req);
		/* Mostly it is one file that so many wait for. */
		if (!inode || (inode != busy &&
			       !aring_is_being_written(pool, inode)))
			return req;
		busy = inode;
		req = aring_work_next(req);
	}
	return NULL;
}

/**
 * aring_pool_take() - the next request of a queue, taken: STARTED and ours
 * @pool: the pool
 * @due: out: the next one is to be held instead: aring_hold_listed()
 * @ticket: out: its ticket
 *
 * Who takes one of &aring_ring.ready takes the next one too, when that is done,
 * or hands the rest on: so they are served one after the other.
 *
 * Context: work_lock held.
 *
 * Return: the request, or NULL.
 */
struct aring_req *aring_pool_take(struct aring_pool *pool, bool *due,
				  u32 *ticket)
{
	struct aring_req *req;

	*due = false;
	while (!pool->busy && (req = aring_pool_first(pool)) != NULL) {
		*due = aring_hold_is_due(req);
		*ticket = req->ticket;
		if (unlikely(*due))
			return NULL;
		aring_work_del(req);
		if ((req->flags & ARING_REQ_BEGUN) || aring_work_take(req)) {
			pool->busy = pool == &pool->ring->ready;
			return req;
		}
	}
	return NULL;
}

/* The request is over: a signal that came too late for it is forgotten. */
static void aring_worker_disown(struct aring_worker *worker)
{
	spin_lock_irq(&worker->signal_lock);
	WRITE_ONCE(worker->req, NULL);
	spin_unlock_irq(&worker->signal_lock);
	if (signal_pending(current))
		flush_signals(current);
}

static long aring_pool_idle_time(const struct aring_pool *pool)
{
	return aring_user_crowded(pool->ring->user, pool->kind,
				  aring_pool_limit(pool)) ?
	       ARING_WORKER_IDLE_CROWDED : ARING_WORKER_IDLE;
}

/* Wait for work. Return: NULL when it is time to go; the caller is unlisted. */
static struct aring_req *aring_worker_wait(struct aring_worker *worker)
{
	struct aring_pool *pool = worker->pool;
	struct aring_ring *ring = pool->ring;
	struct aring_req *req;
	bool due, had = READ_ONCE(worker->req);
	const struct inode *written;
	long left = 1;
	u32 ticket;

	aring_worker_disown(worker);
	spin_lock_irq(&ring->work_lock);
	written = worker->writes;
	worker->writes = NULL;
	if (had) {
		pool->busy = false;
		aring_quiet_poke(ring);
	}
	for (;;) {
		req = aring_pool_take(pool, &due, &ticket);
		if (unlikely(due)) {
			spin_unlock_irq(&ring->work_lock);
			aring_hold_listed(ring, ticket);
			spin_lock_irq(&ring->work_lock);
			continue;
		}
		if (req) {
			if (!list_empty(&worker->idle)) {
				list_del_init(&worker->idle);
				pool->nr_idle--;
			}
			WRITE_ONCE(worker->req, req);
			worker->writes = aring_written(req);
			pool->nr_taken++;
			/* Others wait for that file, and it is free now. */
			if (written && worker->writes != written &&
			    !aring_work_none(&pool->queue))
				aring_pool_kick(pool);
			if (!aring_work_none(&pool->queue) && !pool->nr_idle)
				aring_pool_want_worker(pool);
			break;
		}
		if (worker->stop || !left)
			break;
		if (list_empty(&worker->idle)) {
			list_add(&worker->idle, &pool->idle);
			pool->nr_idle++;
		}
		set_current_state(TASK_IDLE);
		spin_unlock_irq(&ring->work_lock);
		left = schedule_timeout(aring_pool_idle_time(pool));
		spin_lock_irq(&ring->work_lock);
	}
	if (!req) {
		if (!list_empty(&worker->idle)) {
			list_del_init(&worker->idle);
			pool->nr_idle--;
		}
		list_del(&worker->list);
		aring_pool_uncount(pool);
		/* Under the lock: the last touch of the ring is to unlock it. */
		if (!pool->nr_workers)
			wake_up_all(&ring->workers_gone);
	}
	spin_unlock_irq(&ring->work_lock);
	return req;
}

/* One attempt at a STARTED request, under the submitter's credentials. */
static int aring_worker_try(struct aring_req *req)
{
	struct mem_cgroup *old_memcg;
	const struct cred *old_cred;
	int ret;

	if (unlikely(READ_ONCE(req->gone))) {
		aring_req_set_result(req, -ECANCELED);
		return ARING_ISSUED_DONE;
	}
	/* A worker that would wait asks first, as often as it is woken. */
	if (req->where == ARING_WHERE_PEER && req->peer &&
	    !(vfs_poll(req->file, NULL) & (req->events | EPOLLERR | EPOLLHUP)))
		return ARING_ISSUED_AGAIN;

	old_cred = override_creds(req->cred);
	old_memcg = set_active_memcg(req->ring->memcg);
	ret = req->op->issue ? req->op->issue(req, ARING_ISSUE_WORKER) :
			       ARING_ISSUED_DONE;
	set_active_memcg(old_memcg);
	revert_creds(old_cred);
	return ret;
}

/*
 * It has waited for other requests, has a file, and is tried for the first time.
 * Return: false if it is over.
 */
static bool aring_worker_launch(struct aring_req *req)
{
	__poll_t mask;
	int ret;

	req->flags &= ~ARING_REQ_LAUNCH;
	aring_link_arm_for(req);
	if (unlikely(req->flags & ARING_REQ_FATE) && aring_run_fail(req))
		return false;
	/* What could not even be copied for it. */
	if (req->flags & ARING_REQ_FAIL) {
		aring_run_end(req, ARING_ISSUED_DONE);
		return false;
	}
	if (!req->file) {
		aring_req_set_result(req, -EBADF);
		aring_run_end(req, ARING_ISSUED_DONE);
		return false;
	}
	aring_real_begin(req);
	if (!aring_req_polls_first(req))
		return true;
	ret = aring_waitq_arm(req, aring_ready_events(req), &mask);
	if (!ret || mask)
		return true;
	aring_req_set_result(req, ret);
	aring_run_end(req, ARING_ISSUED_DONE);
	return false;
}

static void aring_worker_run(struct aring_req *req)
{
	bool again;
	int ret;

	if (req->flags & ARING_REQ_LAUNCH) {
		/* What does not last begins here as it would in ENTER. */
		if (!(req->op->flags & ARING_OP_FILE)) {
			aring_run_one(req);
			return;
		}
		if (!aring_worker_launch(req))
			return;
	}
	do {
		ret = aring_worker_try(req);
		if (ret != ARING_ISSUED_AGAIN) {
			aring_run_end(req, ret);
			return;
		}
		if (aring_state_cancel_wanted(&req->state)) {
			aring_run_end(req, ARING_ISSUED_INTR);
			return;
		}
		cond_resched();
	} while (!aring_queue_or_cancel(req, &again) && again);
}

static int aring_worker_fn(void *arg)
{
	struct aring_worker *worker = arg;
	struct aring_req *req;

	allow_kernel_signal(SIGKILL);
	while ((req = aring_worker_wait(worker)) != NULL)
		aring_worker_run(req);
	kfree_rcu(worker, rcu);
	module_put_and_kthread_exit(0);
}

static void aring_worker_spawn(struct aring_pool *pool)
{
	struct aring_ring *ring = pool->ring;
	struct aring_worker *worker;
	struct task_struct *task;

	worker = kzalloc(sizeof(*worker), GFP_KERNEL);
	if (!worker)
		goto fail;
	worker->pool = pool;
	INIT_LIST_HEAD(&worker->idle);
	spin_lock_init(&worker->signal_lock);
	task = kthread_create(aring_worker_fn, worker, "aring-%s/%d",
			      pool->name, task_pid_nr(ring->owner));
	if (IS_ERR(task)) {
		kfree(worker);
		goto fail;
	}
	/* The owner pays for the CPU time; no matter if he is gone already. */
	cgroup_attach_task_all(ring->owner, task);
	__module_get(THIS_MODULE);
	worker->task = task;
	spin_lock_irq(&ring->work_lock);
	list_add(&worker->list, &pool->workers);
	spin_unlock_irq(&ring->work_lock);
	wake_up_process(task);
	return;
fail:
	spin_lock_irq(&ring->work_lock);
	aring_pool_uncount(pool);
	if (!pool->nr_workers)
		wake_up_all(&ring->workers_gone);
	spin_unlock_irq(&ring->work_lock);
}

/*
 * How many threads to make now. work_lock.
 *
 * Disk work is given all the threads it may have. The other pool usually
 * needs one for each CPU; more only when all of them are stuck, which shows in
 * that nothing was taken off the queue for a tick. Then their number doubles.
 */
static unsigned int aring_spawn_count(struct aring_pool *pool)
{
	unsigned int count, waiting = 0;
	struct aring_req *req;

	if (aring_work_none(&pool->queue) || pool->nr_idle)
		return 0;
	if (pool->max_workers != UINT_MAX)
		count = pool->max_workers - pool->nr_workers;
	else if (pool->nr_workers < num_online_cpus())
		count = 1;
	else if (pool->nr_taken == pool->seen_taken)
		count = pool->nr_workers;
	else
		count = 0;
	pool->seen_taken = pool->nr_taken;
	req = aring_work_first(&pool->queue);
	for (; req && waiting < count; req = aring_work_next(req))
		waiting++;
	return waiting;
}

static void aring_spawn_fn(struct work_struct *work)
{
	struct aring_pool *pool = container_of(to_delayed_work(work),
					       struct aring_pool, spawn_work);
	struct aring_ring *ring = pool->ring;
	unsigned int count;
	bool full;

	spin_lock_irq(&ring->work_lock);
	count = aring_pool_count(pool, aring_spawn_count(pool), &full);
	spin_unlock_irq(&ring->work_lock);

	while (count--)
		aring_worker_spawn(pool);

	spin_lock_irq(&ring->work_lock);
	if (!aring_work_none(&pool->queue) && !pool->nr_idle &&
	    pool->nr_workers < pool->max_workers)
		queue_delayed_work(aring_wq, &pool->spawn_work,
				   full ? HZ / 10 : 1);
	spin_unlock_irq(&ring->work_lock);
}

static void aring_pool_init(struct aring_ring *ring, struct aring_pool *pool,
			    const char *name, unsigned int max_workers,
			    enum aring_thread_kind kind)
{
	pool->ring = ring;
	pool->name = name;
	pool->max_workers = max_workers;
	pool->kind = kind;
	pool->queue = RB_ROOT_CACHED;
	INIT_LIST_HEAD(&pool->workers);
	INIT_LIST_HEAD(&pool->idle);
	INIT_DELAYED_WORK(&pool->spawn_work, aring_spawn_fn);
}

/**
 * aring_pools_init() - no threads yet, they come with the work
 * @ring: a new ring
 */
void aring_pools_init(struct aring_ring *ring)
{
	init_waitqueue_head(&ring->workers_gone);
	aring_pool_init(ring, &ring->bounded, "disk",
			min(aring_sq_entries(ring), 4 * num_online_cpus()),
			ARING_THREAD_DISK);
	aring_pool_init(ring, &ring->unbounded, "peer", UINT_MAX,
			ARING_THREAD_PEER);
	aring_pool_init(ring, &ring->ready, "ready", 1, ARING_THREAD_BRIEF);
	aring_pool_init(ring, &ring->owing, "owing", 1, ARING_THREAD_BRIEF);
}

static bool aring_pool_rests(const struct aring_pool *pool)
{
	struct aring_worker *worker;

	if (!aring_work_none(&pool->queue))
		return false;
	list_for_each_entry(worker, &pool->workers, list) {
		if (READ_ONCE(worker->req))
			return false;
	}
	return true;
}

/**
 * aring_pools_rest() - has no worker anything to do?
 * @ring: the ring
 *
 * Context: any, work_lock held.
 *
 * Return: true if so.
 */
bool aring_pools_rest(struct aring_ring *ring)
{
	return aring_pool_rests(&ring->bounded) &&
	       aring_pool_rests(&ring->unbounded) &&
	       aring_pool_rests(&ring->ready) &&
	       aring_pool_rests(&ring->owing);
}

static void aring_pool_stop(struct aring_ring *ring, struct aring_pool *pool)
{
	struct aring_worker *worker;

	cancel_delayed_work_sync(&pool->spawn_work);
	spin_lock_irq(&ring->work_lock);
	list_for_each_entry(worker, &pool->workers, list) {
		worker->stop = true;
		wake_up_process(worker->task);
	}
	spin_unlock_irq(&ring->work_lock);
	wait_event(ring->workers_gone, !READ_ONCE(pool->nr_workers));
}

/**
 * aring_pools_exit() - send the threads away
 * @ring: a ring without requests
 *
 * Context: process. They are idle, so this takes no longer than scheduling.
 */
void aring_pools_exit(struct aring_ring *ring)
{
	aring_pool_stop(ring, &ring->bounded);
	aring_pool_stop(ring, &ring->unbounded);
	aring_pool_stop(ring, &ring->ready);
	aring_pool_stop(ring, &ring->owing);
	/* The last one woke us under this lock: wait until it has let go. */
	spin_lock_irq(&ring->work_lock);
	spin_unlock_irq(&ring->work_lock);
}
