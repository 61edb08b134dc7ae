// SPDX-License-Identifier: GPL-2.0
/*
 * The module: /dev/aring and its file operations.
 *
 * How a request travels: user memory -> submit.c -> op_*.c -> (worker.c, a
 * timer, a device, a foreign wait queue) -> complete.c -> user memory.
 * ring.h says what is locked how, request.h what a request is, and state.h
 * what can become of it.
 */
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/uaccess.h>

#include "clock.h"
#include "compat.h"
#include "hold.h"
#include "main.h"
#include "quiet.h"
#include "request.h"
#include "session.h"
#include "sqpoll.h"
#include "vdev.h"

struct workqueue_struct *aring_wq;

static int aring_open(struct inode *inode, struct file *file)
{
	/* misc_open() has left its own pointer there. */
	file->private_data = (void *)ARING_FILE_NEW;
	return 0;
}

static int aring_release(struct inode *inode, struct file *file)
{
	const enum aring_file what = aring_file_is(file);
	void *object = aring_file_as(file, what);

	if (what == ARING_FILE_RING)
		aring_ring_kill(object);
	else if (what == ARING_FILE_SESSION)
		aring_session_close(object);
	else if (what == ARING_FILE_MEMBER)
		aring_member_free(object);
	return 0;
}

/* What is in the bits of a pointer that its alignment leaves free. */
#define ARING_FILE_MASK		3UL

/**
 * aring_ring_of() - the ring of a file
 * @file: for which aring_is_ring() is true
 *
 * Return: the ring, or NULL if the file is none: not set up, or a session.
 */
struct aring_ring *aring_ring_of(const struct file *file)
{
	/* Pairs with the cmpxchg-release in aring_file_turn(). */
	void *object = smp_load_acquire(&file->private_data);

	return unlikely((unsigned long)object & ARING_FILE_MASK) ? NULL :
								   object;
}

/**
 * aring_file_is() - what has become of a file?
 * @file: for which aring_is_ring() is true
 *
 * Return: see &enum aring_file.
 */
enum aring_file aring_file_is(const struct file *file)
{
	unsigned long word = (unsigned long)READ_ONCE(file->private_data);

	return word & ARING_FILE_MASK;
}

/**
 * aring_file_as() - the object behind a file
 * @file: for which aring_is_ring() is true
 * @what: what it is to be
 *
 * Return: the object, or NULL if it is something else.
 */
void *aring_file_as(const struct file *file, enum aring_file what)
{
	/* Pairs with the cmpxchg-release in aring_file_turn(). */
	void *object = smp_load_acquire(&file->private_data);

	if (((unsigned long)object & ARING_FILE_MASK) != what)
		return NULL;
	return (void *)((unsigned long)object & ~ARING_FILE_MASK);
}

static bool aring_file_turn(struct file *file, void *from,
			    enum aring_file what, void *object)
{
	/* Pairs with the load-acquires of who looks. */
	return cmpxchg_release(&file->private_data, from,
			       (void *)((unsigned long)object | what)) == from;
}

/**
 * aring_file_becomes() - a file that is nothing yet becomes something
 * @file: for which aring_is_ring() is true
 * @what: what
 * @object: its object, complete
 *
 * Return: false if it was something already.
 */
bool aring_file_becomes(struct file *file, enum aring_file what, void *object)
{
	return aring_file_turn(file, (void *)ARING_FILE_NEW, what, object);
}

/* A ring is to be made of a file: with a member, of one that has joined. */
static int aring_setup_file(struct file *file, struct aring_member *member,
			    struct aring_params __user *arg)
{
	struct aring_params params;
	struct aring_ring *ring;
	int ret;

	if (copy_from_user(&params, arg, sizeof(params)))
		return -EFAULT;
	ring = aring_ring_create(&params);
	if (IS_ERR(ring))
		return PTR_ERR(ring);
	ret = copy_to_user(arg, &params, sizeof(params)) ? -EFAULT : 0;
	if (!ret && member) {
		ret = aring_member_attach(member, ring);
		/* Claimed by us: it is nothing else meanwhile. */
		if (!ret)
			aring_file_turn(file, file->private_data,
					ARING_FILE_RING, ring);
	} else if (!ret && !aring_file_becomes(file, ARING_FILE_RING, ring)) {
		ret = -EBUSY;
	}
	if (ret)
		aring_ring_kill(ring);
	return ret;
}

static int aring_setup(struct file *file, struct aring_params __user *arg)
{
	struct aring_member *member;
	int ret;

	switch (aring_file_is(file)) {
	case ARING_FILE_NEW:
		return aring_setup_file(file, NULL, arg);
	case ARING_FILE_MEMBER:
		break;
	case ARING_FILE_SESSION:
		return -EBADFD;
	default:
		return -EBUSY;
	}
	member = aring_file_as(file, ARING_FILE_MEMBER);
	/* NULL if it has become a ring since. */
	if (!member || !aring_member_claim(member))
		return -EBUSY;
	ret = aring_setup_file(file, member, arg);
	if (ret)
		aring_member_unclaim(member);
	return ret;
}

/* Read the argument of ENTER, cheaper than by copy_from_user(). */
static int aring_enter_get(struct aring_enter *enter,
			   const struct aring_enter __user *arg)
{
	if (!user_read_access_begin(arg, sizeof(*arg)))
		return -EFAULT;
	unsafe_get_user(enter->to_submit, &arg->to_submit, fault);
	unsafe_get_user(enter->min_complete, &arg->min_complete, fault);
	unsafe_get_user(enter->flags, &arg->flags, fault);
	unsafe_get_user(enter->argsz, &arg->argsz, fault);
	unsafe_get_user(enter->arg, &arg->arg, fault);
	user_read_access_end();
	return 0;
fault:
	user_read_access_end();
	return -EFAULT;
}

/* The thread submits. As on Linux 6.1 whatever was asked for counts as done. */
static int aring_enter_sqpoll(struct aring_ring *ring,
			      const struct aring_enter *enter)
{
	aring_overflow_flush(ring);
	if (aring_sqpoll_orphaned(ring))
		return -EOWNERDEAD;
	if (enter->flags & ARING_ENTER_SQ_WAKEUP)
		aring_sqpoll_wake(ring);
	if (enter->flags & ARING_ENTER_SQ_WAIT)
		aring_sqpoll_wait_space(ring);
	return enter->to_submit;
}

static __always_inline int aring_enter_run(struct aring_ring *ring,
					   const struct aring_enter *enter)
{
	int ret = 0, wait;

	/* Who has seen a CQE and closed his descriptor wants the file closed. */
	if (unlikely(!llist_empty(&ring->reclaim)))
		aring_reclaim_now(ring);
	/* What became ready before goes before what is submitted now. */
	aring_run(ring);
	if (unlikely(ring->sqpoll)) {
		ret = aring_enter_sqpoll(ring, enter);
		if (ret < 0)
			return ret;
	} else if (enter->to_submit) {
		ret = aring_submit(ring, enter->to_submit);
		if (ret != enter->to_submit)
			return ret;
	}
	if (enter->flags & ARING_ENTER_GETEVENTS) {
		wait = aring_wait(ring, enter);
		/* What was submitted counts for more than how the wait went. */
		if (!ret)
			ret = wait;
	} else {
		aring_run(ring);
	}
	return ret;
}

/* The same, for a ring whose clock is to know that we are here. */
static noinline int aring_enter_present(struct aring_ring *ring,
					const struct aring_enter *enter)
{
	struct aring_presence presence;
	int ret;

	aring_presence_begin(ring, &presence);
	ret = aring_enter_run(ring, enter);
	aring_presence_end(ring, &presence);
	return ret;
}

/* Where there is more to look at than for most rings. */
static noinline int aring_enter_closely(struct aring_ring *ring,
					struct aring_enter *enter)
{
	int ret;

	if (READ_ONCE(ring->setup_flags) & ARING_SETUP_R_DISABLED)
		return -EBADFD;
	if (READ_ONCE(ring->odd) & ARING_ODD_STEERED) {
		ret = aring_steer_enter(ring, enter);
		if (ret)
			return ret;
	}
	if (aring_is_virtual(ring))
		return aring_enter_present(ring, enter);
	return aring_enter_run(ring, enter);
}

static long aring_do_enter(struct file *file,
			   const struct aring_enter __user *arg)
{
	/* As aring_ring_of(), but looking once. */
	struct aring_ring *ring = smp_load_acquire(&file->private_data);
	struct aring_enter enter;
	int ret;

	if (unlikely((unsigned long)ring & ARING_FILE_MASK))
		return -EBADFD;
	ret = aring_enter_get(&enter, arg);
	if (unlikely(ret))
		return ret;
	if (unlikely(enter.flags & ~ARING_ENTER_FLAGS))
		return -EINVAL;
	if (unlikely(READ_ONCE(ring->closely)))
		return aring_enter_closely(ring, &enter);
	return aring_enter_run(ring, &enter);
}

static long aring_do_register(struct aring_ring *ring,
			      const struct aring_register __user *arg)
{
	struct aring_register reg;

	if (copy_from_user(&reg, arg, sizeof(reg)))
		return -EFAULT;
	return aring_register(ring, &reg);
}

static long aring_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	void __user *uarg = (void __user *)arg;
	struct aring_ring *ring;

	/* Before the others, which a compiler looks for in an order of its own. */
	if (likely(cmd == ARING_IOC_ENTER))
		return aring_do_enter(file, uarg);
	ring = aring_ring_of(file);
	switch (cmd) {
	case ARING_IOC_REGISTER:
		return ring ? aring_do_register(ring, uarg) : -EBADFD;
	case ARING_IOC_VDEV:
		return ring ? aring_vdev_set(ring, uarg) : -EBADFD;
	case ARING_IOC_CLOCK:
		return ring ? aring_clock(ring, uarg) : -EBADFD;
	case ARING_IOC_SETUP:
		return aring_setup(file, uarg);
	case ARING_IOC_STEER:
		return ring ? aring_steer(ring, uarg) : -EBADFD;
	case ARING_IOC_SESSION:
		return aring_session(file, uarg);
	case ARING_IOC_INFO:
		return aring_info(uarg);
	default:
		return -ENOTTY;
	}
}

static int aring_file_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct aring_ring *ring = aring_ring_of(file);

	return ring ? aring_mmap(ring, vma) : -EBADFD;
}

static __poll_t aring_poll(struct file *file, poll_table *wait)
{
	struct aring_ring *ring = aring_ring_of(file);
	__poll_t mask = 0;

	if (!ring)
		return EPOLLERR;
	poll_wait(file, &ring->poll_wait, wait);
	/* Who is about to wait for what is held by chaos. */
	if (unlikely(READ_ONCE(ring->steer.nr_soft)))
		aring_late_look(ring, false);
	/* Pairs with the barrier in aring_cq_wake() and aring_run_place(). */
	smp_mb();
	if (READ_ONCE(ring->shared->sq.tail) - READ_ONCE(ring->shared->sq.head)
	    != aring_sq_entries(ring))
		mask |= EPOLLOUT | EPOLLWRNORM;
	if (aring_cq_ready(ring) || READ_ONCE(ring->nr_overflow) ||
	    READ_ONCE(ring->nr_run))
		mask |= EPOLLIN | EPOLLRDNORM;
	return mask;
}

static const struct file_operations aring_fops = {
	.owner		= THIS_MODULE,
	.open		= aring_open,
	.release	= aring_release,
	.unlocked_ioctl	= aring_ioctl,
	.mmap		= aring_file_mmap,
	.poll		= aring_poll,
	.show_fdinfo	= aring_show_fdinfo,
	ARING_LLSEEK
};

/**
 * aring_is_ring() - is this a file of /dev/aring?
 * @file: any file
 *
 * Return: true if so, set up or not.
 */
bool aring_is_ring(const struct file *file)
{
	return file->f_op == &aring_fops;
}

static struct miscdevice aring_misc = {
	.minor	= MISC_DYNAMIC_MINOR,
	.name	= "aring",
	.fops	= &aring_fops,
};

static int __init aring_init(void)
{
	int ret;

	aring_wq = alloc_workqueue("aring", WQ_UNBOUND, 0);
	if (!aring_wq)
		return -ENOMEM;
	ret = aring_req_cache_init();
	if (ret)
		goto err_wq;
	ret = misc_register(&aring_misc);
	if (ret)
		goto err_cache;
	return 0;

err_cache:
	aring_req_cache_exit();
err_wq:
	destroy_workqueue(aring_wq);
	return ret;
}

static void __exit aring_exit(void)
{
	misc_deregister(&aring_misc);
	/* The last ring may be at its module_put() still. */
	destroy_workqueue(aring_wq);
	/* Eventfds are given back by rcu. */
	rcu_barrier();
	aring_req_cache_exit();
}

module_init(aring_init);
module_exit(aring_exit);

MODULE_DESCRIPTION("A shared submission/completion ring behind a device node");
MODULE_VERSION(ARING_VERSION);
MODULE_LICENSE("GPL");
