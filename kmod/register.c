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
#include "quiet.h"
#include "sqpoll.h"

/* Operations are numbered in a byte. */
#define ARING_PROBE_MAX	256

static int aring_register_probe(struct aring_ring *ring, void __user *arg,
				u32 nr_args)
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

static int aring_register_enable(struct aring_ring *ring, void __user *arg,
				 u32 nr_args)
{
	struct aring_restrictions *res = &ring->rsrc.restrict_to;

	if (arg || nr_args)
		return -EINVAL;
	if (!(ring->setup_flags & ARING_SETUP_R_DISABLED))
		return -EBADFD;
	if ((ring->setup_flags & ARING_SETUP_SINGLE_ISSUER) && !ring->submitter)
		WRITE_ONCE(ring->submitter, get_task_struct(current));
	/* Pairs with aring_restricted_register(). */
	smp_store_release(&res->on, res->registered);
	if (res->on)
		WRITE_ONCE(ring->odd, ring->odd | ARING_ODD_RESTRICTED);
	WRITE_ONCE(ring->setup_flags,
		   ring->setup_flags & ~ARING_SETUP_R_DISABLED);
	if (ring->sqpoll)
		aring_sqpoll_wake(ring);
	return 0;
}

/* One try. Also makes sure that the CQE of what was found over is posted. */
static int aring_sync_cancel_try(struct aring_ring *ring,
				 const struct aring_cancel *cancel,
				 struct file *file)
{
	int ret;

	mutex_lock(&ring->lock);
	ret = aring_cancel(ring, cancel, file, NULL);
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
		/* It is no ENTER in which this thread comes to rest. */
		aring_quiet_recheck(ring);
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

static struct file *aring_sync_cancel_file(struct aring_ring *ring,
					   const struct aring_sync_cancel_reg *reg)
{
	struct file *file;

	if (!(reg->flags & ARING_ASYNC_CANCEL_FD_FIXED))
		return fget(reg->fd) ?: ERR_PTR(-EBADF);
	if (mutex_lock_killable(&ring->submit_lock))
		return ERR_PTR(-EINTR);
	file = aring_fixed_file(ring, reg->fd);
	if (file)
		get_file(file);
	mutex_unlock(&ring->submit_lock);
	return file ?: ERR_PTR(-EBADF);
}

static int aring_register_sync_cancel(struct aring_ring *ring,
				      void __user *arg, u32 nr_args)
{
	struct aring_sync_cancel_reg reg;
	struct aring_cancel cancel = {};
	long timeout = MAX_SCHEDULE_TIMEOUT;
	struct file *file = NULL;
	int ret;

	if (!arg || nr_args != 1)
		return -EINVAL;
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
		file = aring_sync_cancel_file(ring, &reg);
		if (IS_ERR(file))
			return PTR_ERR(file);
	}
	ret = aring_sync_cancel_try(ring, &cancel, file);
	if (ret == -EALREADY)
		ret = aring_sync_cancel_wait(ring, &cancel, file, timeout);
	if (file)
		fput(file);
	return ret;
}

static int aring_register_buffers(struct aring_ring *ring, void __user *arg,
				  u32 nr_args)
{
	return arg ? aring_buffers_register(ring, arg, nr_args, NULL) : -EFAULT;
}

static int aring_unregister_buffers(struct aring_ring *ring, void __user *arg,
				    u32 nr_args)
{
	if (arg || nr_args)
		return -EINVAL;
	return aring_table_unregister(&ring->rsrc.buffers);
}

static int aring_register_files(struct aring_ring *ring, void __user *arg,
				u32 nr_args)
{
	return arg ? aring_files_register(ring, arg, nr_args, NULL) : -EFAULT;
}

static int aring_unregister_files(struct aring_ring *ring, void __user *arg,
				  u32 nr_args)
{
	if (arg || nr_args)
		return -EINVAL;
	return aring_table_unregister(&ring->rsrc.files);
}

static int aring_register_files_update(struct aring_ring *ring,
				       void __user *arg, u32 nr_args)
{
	struct aring_files_update old;
	struct aring_rsrc_update2 update = {};

	if (!nr_args)
		return -EINVAL;
	if (copy_from_user(&old, arg, sizeof(old)))
		return -EFAULT;
	if (old.resv)
		return -EINVAL;
	update.offset = old.offset;
	update.data = old.fds;
	return aring_files_update(ring, &update, nr_args);
}

/* Here and in the next the number of arguments is the size of the one. */
static int aring_register_rsrc(struct aring_ring *ring, void __user *arg,
			       u32 size, bool files)
{
	struct aring_rsrc_register reg;

	if (size != sizeof(reg))
		return -EINVAL;
	if (copy_from_user(&reg, arg, sizeof(reg)))
		return -EFAULT;
	if (!reg.nr || reg.resv2)
		return -EINVAL;
	if (reg.flags & ~ARING_RSRC_REGISTER_SPARSE)
		return -EINVAL;
	if ((reg.flags & ARING_RSRC_REGISTER_SPARSE) && reg.data)
		return -EINVAL;
	if (files)
		return aring_files_register(ring, u64_to_user_ptr(reg.data),
					    reg.nr, u64_to_user_ptr(reg.tags));
	return aring_buffers_register(ring, u64_to_user_ptr(reg.data), reg.nr,
				      u64_to_user_ptr(reg.tags));
}

static int aring_register_update2(struct aring_ring *ring, void __user *arg,
				  u32 size, bool files)
{
	struct aring_rsrc_update2 update;

	if (size != sizeof(update))
		return -EINVAL;
	if (copy_from_user(&update, arg, sizeof(update)))
		return -EFAULT;
	if (!update.nr || update.resv || update.resv2)
		return -EINVAL;
	return files ? aring_files_update(ring, &update, update.nr) :
		       aring_buffers_update(ring, &update, update.nr);
}

static int aring_register_files2(struct aring_ring *ring, void __user *arg,
				 u32 nr_args)
{
	return aring_register_rsrc(ring, arg, nr_args, true);
}

static int aring_register_files_update2(struct aring_ring *ring,
					void __user *arg, u32 nr_args)
{
	return aring_register_update2(ring, arg, nr_args, true);
}

static int aring_register_buffers2(struct aring_ring *ring, void __user *arg,
				   u32 nr_args)
{
	return aring_register_rsrc(ring, arg, nr_args, false);
}

static int aring_register_buffers_update(struct aring_ring *ring,
					 void __user *arg, u32 nr_args)
{
	return aring_register_update2(ring, arg, nr_args, false);
}

static int aring_register_eventfd(struct aring_ring *ring, void __user *arg,
				  u32 nr_args)
{
	return nr_args == 1 ? aring_eventfd_register(ring, arg, false) :
			      -EINVAL;
}

static int aring_register_eventfd_async(struct aring_ring *ring,
					void __user *arg, u32 nr_args)
{
	return nr_args == 1 ? aring_eventfd_register(ring, arg, true) :
			      -EINVAL;
}

static int aring_unregister_eventfd(struct aring_ring *ring, void __user *arg,
				    u32 nr_args)
{
	return arg || nr_args ? -EINVAL : aring_eventfd_unregister(ring);
}

static int aring_register_personality(struct aring_ring *ring,
				      void __user *arg, u32 nr_args)
{
	return arg || nr_args ? -EINVAL : aring_personality_register(ring);
}

static int aring_unregister_personality(struct aring_ring *ring,
					void __user *arg, u32 nr_args)
{
	return arg ? -EINVAL : aring_personality_unregister(ring, nr_args);
}

static int aring_register_restrictions(struct aring_ring *ring,
				       void __user *arg, u32 nr_args)
{
	return aring_restrict(ring, arg, nr_args);
}

static int aring_register_alloc_range(struct aring_ring *ring,
				      void __user *arg, u32 nr_args)
{
	return arg && !nr_args ? aring_files_alloc_range(ring, arg) : -EINVAL;
}

/**
 * struct aring_register_op - one register opcode
 * @fn: carries it out; arguments as &struct aring_register has them
 * @own_lock: it takes the locks it needs; else submit_lock is held
 */
struct aring_register_op {
	int	(*fn)(struct aring_ring *ring, void __user *arg, u32 nr_args);
	bool	own_lock;
};

/* Rows left out are absent opcodes. */
static const struct aring_register_op aring_register_ops[ARING_NR_REGISTERS] = {
	[ARING_REGISTER_BUFFERS]	= { aring_register_buffers },
	[ARING_UNREGISTER_BUFFERS]	= { aring_unregister_buffers, true },
	[ARING_REGISTER_FILES]		= { aring_register_files },
	[ARING_UNREGISTER_FILES]	= { aring_unregister_files, true },
	[ARING_REGISTER_EVENTFD]	= { aring_register_eventfd },
	[ARING_UNREGISTER_EVENTFD]	= { aring_unregister_eventfd },
	[ARING_REGISTER_FILES_UPDATE]	= { aring_register_files_update },
	[ARING_REGISTER_EVENTFD_ASYNC]	= { aring_register_eventfd_async },
	[ARING_REGISTER_PROBE]		= { aring_register_probe, true },
	[ARING_REGISTER_PERSONALITY]	= { aring_register_personality },
	[ARING_UNREGISTER_PERSONALITY]	= { aring_unregister_personality },
	[ARING_REGISTER_RESTRICTIONS]	= { aring_register_restrictions },
	[ARING_REGISTER_ENABLE_RINGS]	= { aring_register_enable },
	[ARING_REGISTER_FILES2]		= { aring_register_files2 },
	[ARING_REGISTER_FILES_UPDATE2]	= { aring_register_files_update2 },
	[ARING_REGISTER_BUFFERS2]	= { aring_register_buffers2 },
	[ARING_REGISTER_BUFFERS_UPDATE]	= { aring_register_buffers_update },
	[ARING_REGISTER_SYNC_CANCEL]	= { aring_register_sync_cancel, true },
	[ARING_REGISTER_FILE_ALLOC_RANGE] = { aring_register_alloc_range },
};

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
	const struct aring_register_op *op;
	const struct task_struct *submitter;
	int ret;

	if (reg->opcode >= ARING_NR_REGISTERS)
		return -EINVAL;
	submitter = READ_ONCE(ring->submitter);
	if (submitter && submitter != current)
		return -EEXIST;
	ret = aring_restricted_register(ring, reg->opcode);
	if (ret)
		return ret;
	op = &aring_register_ops[array_index_nospec(reg->opcode,
						    ARING_NR_REGISTERS)];
	if (!op->fn)
		return -EINVAL;
	if (op->own_lock)
		return op->fn(ring, arg, reg->nr_args);
	if (mutex_lock_killable(&ring->submit_lock))
		return -EINTR;
	WRITE_ONCE(ring->rsrc.submitter, current);
	ret = op->fn(ring, arg, reg->nr_args);
	WRITE_ONCE(ring->rsrc.submitter, NULL);
	mutex_unlock(&ring->submit_lock);
	return ret;
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
	for (i = 0; i < ARING_NR_REGISTERS; i++) {
		if (aring_register_ops[i].fn)
			info.registers |= BIT_ULL(i);
	}
	if (copy_to_user(arg, &info, min_t(size_t, size, sizeof(info))))
		return -EFAULT;
	return 0;
}
