// SPDX-License-Identifier: GPL-2.0
/* ARING_IOC_REGISTER and ARING_IOC_INFO. */
#include <linux/file.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/wait.h>

#include "compat.h"
#include "main.h"
#include "op.h"
#include "sqpoll.h"

/* Operations are numbered in a byte. */
#define ARING_PROBE_MAX	256

static int aring_register_probe(void __user *arg, unsigned int nr_args)
{
	struct aring_probe *probe;
	size_t size;
	unsigned int i;
	int ret;

	if (!arg || nr_args > ARING_PROBE_MAX)
		return -EINVAL;
	size = struct_size(probe, ops, nr_args);
	probe = memdup_user(arg, size);
	if (IS_ERR(probe))
		return PTR_ERR(probe);
	ret = -EINVAL;
	if (memchr_inv(probe, 0, size))
		goto out;
	for (i = 0; i < ARING_NR_OPS; i++) {
		if (aring_ops[i].name)
			probe->last_op = i;
	}
	probe->ops_len = min_t(unsigned int, nr_args, probe->last_op + 1);
	for (i = 0; i < probe->ops_len; i++) {
		probe->ops[i].op = i;
		if (aring_ops[i].name)
			probe->ops[i].flags = ARING_OP_SUPPORTED;
	}
	ret = copy_to_user(arg, probe, size) ? -EFAULT : 0;
out:
	kfree(probe);
	return ret;
}

static int aring_register_enable(struct aring_ring *ring)
{
	int ret = -EBADFD;

	if (mutex_lock_killable(&ring->submit_lock))
		return -EINTR;
	if (ring->setup_flags & ARING_SETUP_R_DISABLED) {
		if ((ring->setup_flags & ARING_SETUP_SINGLE_ISSUER) &&
		    !ring->submitter)
			WRITE_ONCE(ring->submitter,
				   get_task_struct(current));
		WRITE_ONCE(ring->setup_flags,
			   ring->setup_flags & ~ARING_SETUP_R_DISABLED);
		if (ring->sqpoll)
			aring_sqpoll_wake(ring);
		ret = 0;
	}
	mutex_unlock(&ring->submit_lock);
	return ret;
}

/* One try. Also makes sure that the CQE of what was found over is posted. */
static int aring_sync_cancel_try(struct aring_ring *ring,
				 const struct aring_cancel *cancel,
				 struct file *file)
{
	int ret;

	mutex_lock(&ring->lock);
	ret = aring_cancel(ring, cancel, file);
	mutex_unlock(&ring->lock);
	if (ret == -ENOENT) {
		/* A final state is set and its CQE written under this lock. */
		spin_lock_irq(&ring->cq_lock);
		spin_unlock_irq(&ring->cq_lock);
	}
	return ret;
}

/* Try until what had started is over, too. */
static int aring_sync_cancel_wait(struct aring_ring *ring,
				  const struct aring_cancel *cancel,
				  struct file *file, long timeout)
{
	DEFINE_WAIT_FUNC(wait, woken_wake_function);
	int ret;

	add_wait_queue(&ring->enter_wait, &wait);
	for (;;) {
		ret = aring_sync_cancel_try(ring, cancel, file);
		if (ret != -EALREADY)
			break;
		aring_run(ring);
		if (signal_pending(current)) {
			ret = -EINTR;
			break;
		}
		if (!timeout) {
			ret = -ETIME;
			break;
		}
		timeout = wait_woken(&wait, TASK_INTERRUPTIBLE, timeout);
	}
	remove_wait_queue(&ring->enter_wait, &wait);
	/* Gone meanwhile, or taken back by now: it is over, as was asked. */
	return ret == -ENOENT || ret > 0 ? 0 : ret;
}

static int aring_register_sync_cancel(struct aring_ring *ring,
				      void __user *arg)
{
	struct aring_sync_cancel_reg reg;
	struct aring_cancel cancel = {};
	long timeout = MAX_SCHEDULE_TIMEOUT;
	struct fd f = {};
	int ret;

	if (copy_from_user(&reg, arg, sizeof(reg)))
		return -EFAULT;
	/* As on Linux 6.1, there is no room for an opcode to match. */
	cancel.key = reg.addr;
	cancel.flags = reg.flags;
	ret = aring_cancel_check(&cancel);
	if (ret)
		return ret;
	if (reg.pad[0] || reg.pad[1] || reg.pad[2] || reg.pad[3])
		return -EINVAL;
	if (reg.timeout.tv_sec != -1 || reg.timeout.tv_nsec != -1) {
		struct timespec64 ts = {
			.tv_sec = reg.timeout.tv_sec,
			.tv_nsec = reg.timeout.tv_nsec,
		};

		timeout = 0;
		/* One more: the tick under way counts as a whole one. */
		if (ts.tv_sec >= 0 && timespec64_to_ktime(ts) > 0)
			timeout = min(timespec64_to_jiffies(&ts) + 1,
				      MAX_JIFFY_OFFSET);
	}
	if (cancel.flags & ARING_ASYNC_CANCEL_FD) {
		f = fdget(reg.fd);
		if (!aring_fd_file(f))
			return -EBADF;
	}
	ret = aring_sync_cancel_try(ring, &cancel, aring_fd_file(f));
	if (ret == -EALREADY)
		ret = aring_sync_cancel_wait(ring, &cancel, aring_fd_file(f),
					     timeout);
	if (cancel.flags & ARING_ASYNC_CANCEL_FD)
		fdput(f);
	return ret;
}

/**
 * aring_register() - ARING_IOC_REGISTER
 * @ring: the ring
 * @reg: as the program gave it
 *
 * Context: process.
 *
 * Return: 0 or more, or a negative errno as io_uring_register(2) has it.
 */
int aring_register(struct aring_ring *ring, const struct aring_register *reg)
{
	void __user *arg = u64_to_user_ptr(reg->arg);

	if (ring->submitter && ring->submitter != current)
		return -EEXIST;
	switch (reg->opcode) {
	case ARING_REGISTER_PROBE:
		return aring_register_probe(arg, reg->nr_args);
	case ARING_REGISTER_ENABLE_RINGS:
		if (arg || reg->nr_args)
			return -EINVAL;
		return aring_register_enable(ring);
	case ARING_REGISTER_SYNC_CANCEL:
		if (!arg || reg->nr_args != 1)
			return -EINVAL;
		return aring_register_sync_cancel(ring, arg);
	default:
		return -EINVAL;
	}
}

/**
 * aring_info() - ARING_IOC_INFO
 * @arg: struct aring_info, its size filled in
 *
 * Return: 0, -EFAULT, or -EINVAL if the size is no possible one.
 */
int aring_info(struct aring_info __user *arg)
{
	struct aring_info info = {
		.size		= sizeof(info),
		.abi_version	= ARING_ABI_VERSION,
		.setup_flags	= ARING_SETUP_FLAGS,
		.features	= ARING_FEATURES,
		.sqe_flags	= ARING_SQE_FLAGS,
		.enter_flags	= ARING_ENTER_FLAGS,
		.cancel_flags	= ARING_CANCEL_FLAGS,
		.max_entries	= ARING_MAX_ENTRIES,
		.max_cq_entries	= ARING_MAX_CQ_ENTRIES,
		.registers	= BIT_ULL(ARING_REGISTER_PROBE) |
				  BIT_ULL(ARING_REGISTER_ENABLE_RINGS) |
				  BIT_ULL(ARING_REGISTER_SYNC_CANCEL),
		.version	= ARING_VERSION,
	};
	unsigned int i;
	u32 size;

	if (get_user(size, &arg->size))
		return -EFAULT;
	if (size < offsetofend(struct aring_info, abi_version))
		return -EINVAL;
	for (i = 0; i < ARING_NR_OPS; i++) {
		if (aring_ops[i].name)
			info.ops[i / 64] |= BIT_ULL(i % 64);
	}
	if (copy_to_user(arg, &info, min_t(size_t, size, sizeof(info))))
		return -EFAULT;
	return 0;
}
