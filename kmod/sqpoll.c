// SPDX-License-Identifier: GPL-2.0
/*
 * SQPOLL: a kernel thread looks for new SQEs, so that the program need not call.
 *
 * The thread takes on the credentials, the file-size limit, the cgroups and, for
 * as long as it submits a batch, the address space of whoever set the ring up. It
 * looks descriptors up in his table. All else that it is and has is the
 * kernel's: so it tries only what a worker may run too (aring_where_runs()), and
 * leaves the rest on the run list, for an ENTER.
 *
 *	E  program stores sq.tail		thread raises NEED_WAKEUP
 *	   full barrier				full barrier
 *	   then reads NEED_WAKEUP		then reads sq.tail
 *
 * One of the two sees what the other has written.
 */
#include <linux/cgroup.h>
#include <linux/cpumask.h>
#include <linux/cred.h>
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/kthread.h>
#include <linux/memcontrol.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "compat.h"
#include "quiet.h"
#include "sqpoll.h"
#include "where.h"

/* SQEs offered and not taken yet. */
static u32 aring_sqpoll_ready(const struct aring_ring *ring)
{
	if ((READ_ONCE(ring->setup_flags) & ARING_SETUP_R_DISABLED) ||
	    READ_ONCE(ring->dying) || !READ_ONCE(ring->nr_mappings))
		return 0;
	return aring_index_ready(READ_ONCE(ring->shared->sq.head),
				 READ_ONCE(ring->shared->sq.tail),
				 aring_sq_entries(ring));
}

/* Submit what is there. Return: how much that was. */
static int aring_sqpoll_submit(struct aring_ring *ring)
{
	struct rlimit *fsize = &current->signal->rlim[RLIMIT_FSIZE];
	struct aring_sqpoll *sqpoll = ring->sqpoll;
	struct mem_cgroup *old_memcg;
	const struct cred *old_cred;
	struct aring_presence presence;
	bool present;
	int ret;

	if (!aring_sqpoll_ready(ring))
		return 0;
	/* Held for this batch only: the program may be gone by the next. */
	if (!mmget_not_zero(sqpoll->mm))
		return 0;
	kthread_use_mm(sqpoll->mm);
	WRITE_ONCE(fsize->rlim_cur, sqpoll->fsize);
	old_cred = override_creds(sqpoll->cred);
	old_memcg = set_active_memcg(ring->memcg);
	present = aring_is_virtual(ring);
	if (unlikely(present))
		aring_presence_begin(ring, &presence);
	ret = aring_submit(ring, aring_sq_entries(ring));
	if (unlikely(present))
		aring_presence_end(ring, &presence);
	set_active_memcg(old_memcg);
	revert_creds(old_cred);
	kthread_unuse_mm(sqpoll->mm);
	mmput_async(sqpoll->mm);
	/* Also for what counts as dropped alone: there is room again. */
	if (wq_has_sleeper(&sqpoll->space))
		wake_up_all(&sqpoll->space);
	return ret;
}

/**
 * aring_sqpoll_orphaned() - is the program gone that the thread works for?
 * @ring: a ring with SQPOLL
 *
 * It has exited or called exec; a child that has inherited the ring may be left.
 *
 * Return: true if so: nothing will be submitted any more.
 */
bool aring_sqpoll_orphaned(const struct aring_ring *ring)
{
	return !atomic_read(&ring->sqpoll->mm->mm_users);
}

/* Is there nothing more to do, whatever comes? */
static bool aring_sqpoll_over(const struct aring_ring *ring)
{
	return READ_ONCE(ring->dying) || aring_sqpoll_orphaned(ring);
}

/* Nothing has come for a while: sleep until the program says so. */
static void aring_sqpoll_sleep(struct aring_ring *ring)
{
	DEFINE_WAIT(wait);

	prepare_to_wait(&ring->sqpoll->wait, &wait, TASK_IDLE);
	atomic_or(ARING_SQ_NEED_WAKEUP, &ring->shared->sq_flags);
	/* E: pairs with the program's full barrier. */
	smp_mb__after_atomic();
	if (!aring_sqpoll_ready(ring) && !aring_sqpoll_over(ring)) {
		WRITE_ONCE(ring->sqpoll->asleep, true);
		schedule();
		WRITE_ONCE(ring->sqpoll->asleep, false);
	}
	finish_wait(&ring->sqpoll->wait, &wait);
	atomic_andnot(ARING_SQ_NEED_WAKEUP, &ring->shared->sq_flags);
}

static int aring_sqpoll_fn(void *arg)
{
	struct aring_ring *ring = arg;
	unsigned long timeout = jiffies + ring->sqpoll->idle;

	while (!aring_sqpoll_over(ring)) {
		if (aring_sqpoll_submit(ring) > 0) {
			timeout = jiffies + ring->sqpoll->idle;
		} else if (time_after(jiffies, timeout)) {
			aring_sqpoll_sleep(ring);
			timeout = jiffies + ring->sqpoll->idle;
		} else {
			cpu_relax();
		}
		cond_resched();
	}
	WRITE_ONCE(ring->sqpoll->gone, true);
	/* Flag, then look; pairs with the barrier in aring_sqpoll_exit(). */
	smp_mb();
	/* Our last touch: the ring ends when it has waited for this thread. */
	if (READ_ONCE(ring->sqpoll->awaited))
		aring_ring_poke_exit(ring);
	return 0;
}

/**
 * aring_sqpoll_create() - note for whom the thread will submit
 * @ring: a new ring
 * @p: checked, but for the CPU
 *
 * Return: 0, -EINVAL for a CPU that this task may not use, or -ENOMEM.
 */
int aring_sqpoll_create(struct aring_ring *ring, const struct aring_params *p)
{
	struct aring_sqpoll *sqpoll;
	int cpu = -1;

	if (p->flags & ARING_SETUP_SQ_AFF) {
		if (p->sq_thread_cpu >= nr_cpu_ids ||
		    !cpu_online(p->sq_thread_cpu) ||
		    !cpumask_test_cpu(p->sq_thread_cpu, current->cpus_ptr))
			return -EINVAL;
		cpu = p->sq_thread_cpu;
	}
	sqpoll = kzalloc(sizeof(*sqpoll), GFP_KERNEL_ACCOUNT);
	if (!sqpoll)
		return -ENOMEM;
	sqpoll->cpu = cpu;
	sqpoll->idle = msecs_to_jiffies(p->sq_thread_idle) ?: HZ;
	init_waitqueue_head(&sqpoll->wait);
	init_waitqueue_head(&sqpoll->space);
	sqpoll->tgid = get_pid(task_tgid(current));
	mmgrab(current->mm);
	sqpoll->mm = current->mm;
	sqpoll->cred = aring_get_cred();
	sqpoll->files = current->files;
	sqpoll->fs = current->fs;
	sqpoll->nsproxy = current->nsproxy;
	sqpoll->fsize = rlimit(RLIMIT_FSIZE);
	ring->sqpoll = sqpoll;
	return 0;
}

/**
 * aring_sqpoll_start() - let the thread run
 * @ring: ready for use
 *
 * Return: 0; -EAGAIN if the user has as many as he may; or why it cannot be made.
 */
int aring_sqpoll_start(struct aring_ring *ring)
{
	struct task_struct *task;

	if (!aring_user_add_thread(ring->user, ARING_THREAD_SQPOLL,
				   max(ring->max_threads, 1UL)))
		return -EAGAIN;
	task = kthread_create(aring_sqpoll_fn, ring, "aring-sq/%d",
			      task_pid_nr(current));
	if (IS_ERR(task)) {
		aring_user_del_thread(ring->user, ARING_THREAD_SQPOLL);
		return PTR_ERR(task);
	}
	cgroup_attach_task_all(current, task);
	if (ring->sqpoll->cpu >= 0)
		set_cpus_allowed_ptr(task, cpumask_of(ring->sqpoll->cpu));
	ring->sqpoll->task = get_task_struct(task);
	wake_up_process(task);
	return 0;
}

/**
 * aring_sqpoll_wake() - there may be something to submit
 * @ring: a ring with SQPOLL
 */
void aring_sqpoll_wake(struct aring_ring *ring)
{
	wake_up(&ring->sqpoll->wait);
}

/**
 * aring_sqpoll_rests() - is there nothing that the thread is about to take?
 * @ring: a ring with SQPOLL
 *
 * Return: true if so.
 */
bool aring_sqpoll_rests(struct aring_ring *ring)
{
	struct aring_sqpoll *sqpoll = ring->sqpoll;

	if (!aring_sqpoll_ready(ring) || aring_sqpoll_orphaned(ring))
		return true;
	/*
	 * What was offered after it had looked for the last time it takes when it
	 * is woken, which takes it out of the queue. No barrier: who offered it
	 * has been in ENTER since, and rests now.
	 */
	return READ_ONCE(sqpoll->asleep) && waitqueue_active(&sqpoll->wait);
}

static bool aring_sqpoll_full(const struct aring_ring *ring)
{
	return READ_ONCE(ring->shared->sq.tail) -
	       READ_ONCE(ring->shared->sq.head) == aring_sq_entries(ring);
}

/**
 * aring_sqpoll_wait_space() - wait until the SQ has room
 * @ring: a ring with SQPOLL
 *
 * Context: process, no lock held.
 *
 * Return: 0, also if a signal came.
 */
int aring_sqpoll_wait_space(struct aring_ring *ring)
{
	DEFINE_WAIT(wait);

	while (aring_sqpoll_full(ring)) {
		prepare_to_wait(&ring->sqpoll->space, &wait,
				TASK_INTERRUPTIBLE);
		if (!aring_sqpoll_full(ring) || signal_pending(current))
			break;
		schedule();
	}
	finish_wait(&ring->sqpoll->space, &wait);
	return 0;
}

/**
 * aring_sqpoll_exit() - has the thread let go of the ring?
 * @ring: closed, the thread woken since
 *
 * Context: process, no lock held.
 *
 * Return: true if it has, or there is none. Else aring_ring_poke_exit() will be
 * called when it has: it may be at an SQE that takes its time, for which nobody is to
 * wait.
 */
bool aring_sqpoll_exit(struct aring_ring *ring)
{
	struct aring_sqpoll *sqpoll = ring->sqpoll;

	if (!sqpoll || !sqpoll->task)
		return true;
	WRITE_ONCE(sqpoll->awaited, true);
	/* Pairs with the barrier at the end of aring_sqpoll_fn(). */
	smp_mb();
	if (!READ_ONCE(sqpoll->gone))
		return false;
	/* It may still be poking us, but does nothing else any more. */
	kthread_stop(sqpoll->task);
	put_task_struct(sqpoll->task);
	sqpoll->task = NULL;
	aring_user_del_thread(ring->user, ARING_THREAD_SQPOLL);
	return true;
}

/**
 * aring_sqpoll_free() - forget for whom it was
 * @ring: without a thread
 */
void aring_sqpoll_free(struct aring_ring *ring)
{
	struct aring_sqpoll *sqpoll = ring->sqpoll;

	if (!sqpoll)
		return;
	put_pid(sqpoll->tgid);
	mmdrop(sqpoll->mm);
	put_cred(sqpoll->cred);
	kfree(sqpoll);
	ring->sqpoll = NULL;
}

/**
 * aring_sqpoll_file() - look a descriptor up where the program would
 * @ring: a ring with SQPOLL
 * @fd: descriptor
 *
 * The table belongs to the process, whose threads come and go: any that still
 * has it will do, and keeps it for as long as its lock is held.
 *
 * Context: process.
 *
 * Return: the file, referenced, or NULL.
 */
struct file *aring_sqpoll_file(struct aring_ring *ring, unsigned int fd)
{
	const struct aring_sqpoll *sqpoll = ring->sqpoll;
	struct task_struct *leader, *task;
	struct file *file = NULL;
	bool found = false;

	rcu_read_lock();
	leader = pid_task(sqpoll->tgid, PIDTYPE_TGID);
	if (!leader)
		goto out;
	for_each_thread(leader, task) {
		task_lock(task);
		/* After exec the table holds what is no business of ours. */
		if (task->files && task->files == sqpoll->files &&
		    task->mm == sqpoll->mm) {
			file = aring_files_get(task->files, fd);
			found = true;
		}
		task_unlock(task);
		if (found)
			break;
	}
out:
	rcu_read_unlock();
	return file;
}
