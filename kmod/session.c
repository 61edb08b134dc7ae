// SPDX-License-Identifier: GPL-2.0
/*
 * Sessions: the ioctl, who belongs to which, and how long they live.
 *
 * A session is a file of its own; what opens the device afterwards joins it by its
 * name. It lives until that file is closed and the last ring that has joined is
 * gone. What it does is settled before anybody joins, so that deciding takes no
 * lock.
 */
#include <linux/cred.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/hash.h>
#include <linux/pid.h>
#include <linux/random.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "clock.h"
#include "main.h"
#include "ring.h"
#include "session.h"

/* Guards the table, and with it that what is found there lives. */
static DEFINE_MUTEX(aring_sessions_lock);
static DEFINE_HASHTABLE(aring_sessions, 6);

static void aring_sess_free(struct aring_sess *sess)
{
	struct aring_process *process;
	struct hlist_node *tmp;
	int i;

	hash_for_each_safe(sess->processes, i, tmp, process, node) {
		put_pid(process->pid);
		if (process->clock)
			aring_timeline_put(process->clock);
		kfree(process);
		cond_resched();
	}
	aring_plan_free(&sess->plan);
	aring_record_free(&sess->log);
	aring_record_free(&sess->seen);
	kfree(sess);
}

static void aring_sess_put(struct aring_sess *sess)
{
	if (refcount_dec_and_test(&sess->refs))
		aring_sess_free(sess);
}

/* ---- the session's own file ----------------------------------------------- */

static struct aring_sess *aring_sess_alloc(void)
{
	struct aring_sess *sess = kzalloc(sizeof(*sess), GFP_KERNEL_ACCOUNT);

	if (!sess)
		return NULL;
	refcount_set(&sess->refs, 1);
	sess->id = get_random_u64();
	sess->uid = current_uid();
	mutex_init(&sess->lock);
	hash_init(sess->processes);
	aring_record_init(&sess->log, sizeof(struct aring_deviation),
			  ARING_SESSION_MAX_LINES);
	aring_record_init(&sess->seen, sizeof(struct aring_seen),
			  ARING_SESSION_MAX_SEEN);
	return sess;
}

static int aring_session_create(struct file *file, struct aring_session *arg)
{
	struct aring_sess *sess = aring_sess_alloc();

	if (!sess)
		return -ENOMEM;
	mutex_lock(&aring_sessions_lock);
	hash_add(aring_sessions, &sess->node, sess->id);
	mutex_unlock(&aring_sessions_lock);
	if (!aring_file_becomes(file, ARING_FILE_SESSION, sess)) {
		aring_session_close(sess);
		return -EBUSY;
	}
	arg->id = sess->id;
	return 0;
}

/**
 * aring_session_close() - the session's file is closed
 * @sess: the session; not the caller's any more afterwards
 *
 * Context: process.
 */
void aring_session_close(struct aring_sess *sess)
{
	mutex_lock(&aring_sessions_lock);
	hash_del(&sess->node);
	mutex_unlock(&aring_sessions_lock);
	WRITE_ONCE(sess->closed, true);
	aring_sess_put(sess);
}

static int aring_session_chaos(struct aring_sess *sess,
			       const void __user *from)
{
	struct aring_chaos chaos;
	int ret;

	if (copy_from_user(&chaos, from, sizeof(chaos)))
		return -EFAULT;
	ret = aring_chaos_check(&chaos);
	if (ret)
		return ret;
	mutex_lock(&sess->lock);
	if (sess->joined) {
		ret = -EBUSY;
	} else {
		sess->chaos = chaos;
		sess->level = chaos.level;
		sess->with_chaos = true;
	}
	mutex_unlock(&sess->lock);
	return ret;
}

/* WATCH and CLOCK. */
static int aring_session_set(struct aring_sess *sess, bool *what)
{
	int ret = 0;

	mutex_lock(&sess->lock);
	if (sess->joined)
		ret = -EBUSY;
	else
		*what = true;
	mutex_unlock(&sess->lock);
	return ret;
}

static int aring_session_read(struct aring_record *rec,
			      struct aring_session *arg)
{
	int ret = aring_record_read(rec, arg->from, arg->nr,
				    u64_to_user_ptr(arg->addr), &arg->total,
				    &arg->lost);

	if (ret < 0)
		return ret;
	arg->nr = ret;
	return 0;
}

/* What only a session's own file can be asked. */
static int aring_session_do(struct aring_sess *sess, struct aring_session *arg)
{
	void __user *addr = u64_to_user_ptr(arg->addr);

	switch (arg->cmd) {
	case ARING_SESSION_CHAOS:
		return aring_session_chaos(sess, addr);
	case ARING_SESSION_PLAN:
		return arg->nr ? aring_plan_set(sess, addr, arg->nr) : -EINVAL;
	case ARING_SESSION_WATCH:
		return aring_session_set(sess, &sess->watch);
	case ARING_SESSION_LOG:
		return aring_session_read(&sess->log, arg);
	case ARING_SESSION_SEEN:
		return aring_session_read(&sess->seen, arg);
	case ARING_SESSION_CLOCK:
		return aring_session_set(sess, &sess->with_clock);
	default:
		return -EINVAL;
	}
}

/* ---- members --------------------------------------------------------------- */

/* Return: the session by that name, referenced, or an error. */
static struct aring_sess *aring_sess_find(u64 id)
{
	struct aring_sess *sess;

	mutex_lock(&aring_sessions_lock);
	hash_for_each_possible(aring_sessions, sess, node, id) {
		if (sess->id != id)
			continue;
		if (uid_eq(sess->uid, current_uid()))
			refcount_inc(&sess->refs);
		else
			sess = ERR_PTR(-EPERM);
		mutex_unlock(&aring_sessions_lock);
		return sess;
	}
	mutex_unlock(&aring_sessions_lock);
	return ERR_PTR(-ENOENT);
}

/* The calling process, which joins with this if it is new. @sess->lock. */
static struct aring_process *aring_process_get(struct aring_sess *sess)
{
	struct pid *pid = task_tgid(current);
	struct aring_process *process;

	lockdep_assert_held(&sess->lock);
	hash_for_each_possible(sess->processes, process, node,
			       (unsigned long)pid) {
		if (process->pid == pid)
			return process;
	}
	if (sess->nr_processes == ARING_SESSION_MAX_PROCESSES)
		return ERR_PTR(-ENOSPC);
	process = kzalloc(sizeof(*process), GFP_KERNEL_ACCOUNT);
	if (!process)
		return ERR_PTR(-ENOMEM);
	process->pid = get_pid(pid);
	process->nr = ++sess->nr_processes;
	hash_add(sess->processes, &process->node, (unsigned long)pid);
	sess->joined = true;
	return process;
}

static struct aring_member *aring_member_alloc(struct aring_sess *sess)
{
	struct aring_member *member;
	struct aring_process *process;

	member = kzalloc(sizeof(*member), GFP_KERNEL_ACCOUNT);
	if (!member)
		return ERR_PTR(-ENOMEM);
	mutex_lock(&sess->lock);
	process = aring_process_get(sess);
	mutex_unlock(&sess->lock);
	if (IS_ERR(process)) {
		kfree(member);
		return ERR_CAST(process);
	}
	member->sess = sess;
	member->process = process;
	return member;
}

static int aring_session_join(struct file *file, u64 id)
{
	struct aring_member *member;
	struct aring_sess *sess;

	if (aring_file_is(file) != ARING_FILE_NEW)
		return -EBUSY;
	sess = aring_sess_find(id);
	if (IS_ERR(sess))
		return PTR_ERR(sess);
	member = aring_member_alloc(sess);
	if (IS_ERR(member)) {
		aring_sess_put(sess);
		return PTR_ERR(member);
	}
	if (!aring_file_becomes(file, ARING_FILE_MEMBER, member)) {
		aring_member_free(member);
		return -EBUSY;
	}
	return 0;
}

/**
 * aring_member_claim() - a ring is to be made of a file that has joined
 * @member: of the file
 *
 * Of two who try at once one succeeds.
 *
 * Return: true if the caller may go on. Then either aring_member_attach() or
 * aring_member_unclaim() follows.
 */
bool aring_member_claim(struct aring_member *member)
{
	return !test_and_set_bit_lock(0, &member->claimed);
}

/**
 * aring_member_unclaim() - no ring came of it
 * @member: claimed by the caller
 */
void aring_member_unclaim(struct aring_member *member)
{
	clear_bit_unlock(0, &member->claimed);
}

/* The rings of a process share a clock, which the first of them brings along. */
static int aring_member_clock(struct aring_member *member,
			      struct aring_ring *ring)
{
	struct aring_process *process = member->process;
	struct aring_sess *sess = member->sess;
	struct aring_timeline *clock;

	if (!sess->with_clock)
		return 0;
	mutex_lock(&sess->lock);
	if (!process->clock)
		process->clock = aring_timeline_create(true);
	/* It stays as long as the session, and that as long as its members. */
	clock = process->clock;
	mutex_unlock(&sess->lock);
	return clock ? aring_clock_give(ring, clock) : -ENOMEM;
}

/**
 * aring_member_attach() - the ring is there, and the session's from now on
 * @member: claimed by the caller; belongs to the ring afterwards
 * @ring: a ring that nobody else can reach
 *
 * Context: process.
 *
 * Return: 0 or a negative errno; then it is still the caller's.
 */
int aring_member_attach(struct aring_member *member, struct aring_ring *ring)
{
	struct aring_sess *sess = member->sess;
	int ret;

	ret = aring_member_clock(member, ring);
	if (ret)
		return ret;
	mutex_lock(&sess->lock);
	member->ring = ++member->process->nr_rings;
	mutex_unlock(&sess->lock);
	member->first = ring->sq_head;
	ring->member = member;
	ring->watched = sess->watch;
	if (sess->with_chaos || sess->plan.nr || sess->watch)
		WRITE_ONCE(ring->odd, ring->odd | ARING_ODD_STEERED);
	return 0;
}

/**
 * aring_member_free() - the ring is gone, or the file closed without one
 * @member: the member
 *
 * Context: process.
 */
void aring_member_free(struct aring_member *member)
{
	aring_sess_put(member->sess);
	kfree(member);
}

/**
 * aring_session() - ARING_IOC_SESSION
 * @file: the file that was asked
 * @uarg: argument of the program
 *
 * Context: process.
 *
 * Return: 0 or a negative errno.
 */
int aring_session(struct file *file, struct aring_session __user *uarg)
{
	struct aring_session arg;
	struct aring_sess *sess;
	int ret;

	if (copy_from_user(&arg, uarg, sizeof(arg)))
		return -EFAULT;
	if (arg.resv || arg.cmd > ARING_SESSION_CLOCK)
		return -EINVAL;
	if (arg.cmd == ARING_SESSION_CREATE) {
		ret = aring_session_create(file, &arg);
	} else if (arg.cmd == ARING_SESSION_JOIN) {
		ret = aring_session_join(file, arg.id);
	} else {
		sess = aring_file_as(file, ARING_FILE_SESSION);
		ret = sess ? aring_session_do(sess, &arg) : -EBADFD;
	}
	if (ret)
		return ret;
	return copy_to_user(uarg, &arg, sizeof(arg)) ? -EFAULT : 0;
}
