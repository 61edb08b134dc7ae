// SPDX-License-Identifier: GPL-2.0
/*
 * Registered files.
 *
 * A ring in the table of a ring would keep itself open: rings are refused, of
 * either kind. An AF_UNIX socket could carry the ring in its queue and be in
 * the ring's table, and so the two would keep each other: only while
 * somebody has the ring mapped, who can use and close it, may the table have
 * such sockets. When the last mapping goes they leave.
 */
#include <linux/fs.h>
#include <linux/file.h>
#include <linux/magic.h>
#include <linux/net.h>
#include <linux/overflow.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "main.h"
#include "request.h"

/* As on 6.1. */
#define ARING_MAX_FILES		(1U << 20)

/* How long until the next try, if somebody is inside an ENTER. */
#define ARING_UNMAP_RETRY	(HZ / 10)

/**
 * aring_fixed_file() - a registered file
 * @ring: the ring; submit_lock held
 * @index: as the program says
 *
 * Return: the file, borrowed while the lock is held, or NULL.
 */
struct file *aring_fixed_file(struct aring_ring *ring, u32 index)
{
	struct aring_rsrc *rsrc = aring_table_find(&ring->rsrc.files, index);

	return likely(rsrc) ? rsrc->file : NULL;
}

/**
 * aring_req_fixed_file() - the registered file of a request
 * @req: owned; submit_lock held
 * @index: as its SQE says
 *
 * The table's entry is counted with the request: by aring_req_go_async(), or
 * here if it has gone asynchronous already.
 *
 * Return: as aring_fixed_file().
 */
struct file *aring_req_fixed_file(struct aring_req *req, u32 index)
{
	struct aring_rsrc *rsrc;

	rsrc = aring_table_find(&req->ring->rsrc.files, index);
	if (unlikely(!rsrc))
		return NULL;
	if (!(req->flags & ARING_REQ_RSRC)) {
		req->flags |= ARING_REQ_RSRC;
		req->rsrc_buf = NULL;
	}
	req->rsrc_file = rsrc;
	if (unlikely(req->flags & ARING_REQ_ASYNC))
		aring_rsrc_get(rsrc);
	return rsrc->file;
}

static void aring_file_free(struct aring_rsrc *rsrc)
{
	fput(rsrc->file);
	kfree(rsrc);
}

static bool aring_is_uring(const struct file *file)
{
	const struct dentry *dentry = file->f_path.dentry;

	return dentry->d_sb->s_magic == ANON_INODE_FS_MAGIC &&
	       !strcmp(dentry->d_name.name, "[io_uring]");
}

static bool aring_is_unix(struct file *file)
{
	struct socket *sock = sock_from_file(file);
	const struct proto_ops *ops = sock ? READ_ONCE(sock->ops) : NULL;

	return ops && ops->family == PF_UNIX;
}

/* May it be registered now? 0 or a negative errno. */
static int aring_file_check(struct aring_ring *ring, struct file *file)
{
	if (aring_is_ring(file) || aring_is_uring(file))
		return -EBADF;
	if (!aring_is_unix(file))
		return 0;
	WRITE_ONCE(ring->rsrc.unix_files, true);
	/* Flag, then mappings; pairs with aring_files_unmapped(). */
	smp_mb();
	return READ_ONCE(ring->nr_mappings) ? 0 : -EBADFD;
}

/* A resource of a descriptor, or a negative errno as a pointer. */
static struct aring_rsrc *aring_file_get(struct aring_ring *ring, s32 fd)
{
	struct file *file = fget(fd);
	struct aring_rsrc *rsrc;
	int ret;

	if (!file)
		return ERR_PTR(-EBADF);
	ret = aring_file_check(ring, file);
	if (ret)
		goto fail;
	rsrc = kmalloc(sizeof(*rsrc), GFP_KERNEL_ACCOUNT);
	ret = -ENOMEM;
	if (!rsrc)
		goto fail;
	rsrc->file = file;
	return rsrc;
fail:
	fput(file);
	return ERR_PTR(ret);
}

static int aring_files_fill(struct aring_ring *ring, const s32 __user *fds,
			    u32 nr, const u64 *tags)
{
	struct aring_rsrc *rsrc;
	s32 fd = -1;
	u32 i;

	for (i = 0; i < nr; i++) {
		u64 tag = tags ? tags[i] : 0;

		if (fds && get_user(fd, &fds[i]))
			return -EFAULT;
		if (fd == -1) {
			if (tag)
				return -EINVAL;
			continue;
		}
		rsrc = aring_file_get(ring, fd);
		if (IS_ERR(rsrc))
			return PTR_ERR(rsrc);
		aring_table_add(&ring->rsrc.files, i, rsrc, tag);
		cond_resched();
	}
	return 0;
}

/**
 * aring_files_register() - make the table of registered files
 * @ring: the ring; submit_lock held
 * @fds: descriptors, -1 for an empty slot; NULL if all are empty
 * @nr: how many
 * @tags: their tags, or NULL
 *
 * Return: 0 or a negative errno as io_uring_register(2) has it.
 */
int aring_files_register(struct aring_ring *ring, const s32 __user *fds,
			 u32 nr, const u64 __user *tags)
{
	struct aring_table *table = &ring->rsrc.files;
	u64 *copy;
	int ret;

	if (aring_table_emptying(table) || table->slots)
		return -EBUSY;
	if (!nr)
		return -EINVAL;
	if (nr > ARING_MAX_FILES || nr > rlimit(RLIMIT_NOFILE))
		return -EMFILE;
	copy = aring_tags_get(tags, nr);
	if (IS_ERR(copy))
		return PTR_ERR(copy);
	ret = aring_table_alloc(table, nr);
	if (!ret) {
		ret = aring_files_fill(ring, fds, nr, copy);
		if (ret)
			aring_table_clear(table);
		else
			WRITE_ONCE(table->nr, nr);
	}
	kvfree(copy);
	return ret;
}

/* One slot of an update. Return: 0 or a negative errno. */
static int aring_file_update(struct aring_ring *ring, u32 index, s32 fd,
			     u64 tag)
{
	struct aring_table *table = &ring->rsrc.files;
	struct aring_rsrc *rsrc;
	int ret;

	if (tag && (fd == ARING_REGISTER_FILES_SKIP || fd == -1))
		return -EINVAL;
	if (fd == ARING_REGISTER_FILES_SKIP)
		return 0;
	ret = aring_table_remove(table, index);
	if (ret || fd == -1)
		return ret;
	/* As on 6.1 the slot stays empty if this fails. */
	rsrc = aring_file_get(ring, fd);
	if (IS_ERR(rsrc))
		return PTR_ERR(rsrc);
	aring_table_add(table, index, rsrc, tag);
	return 0;
}

/**
 * aring_files_update() - change slots of the table
 * @ring: the ring; submit_lock held
 * @update: which, and what they become
 * @nr: how many
 *
 * Return: how many were done; if none was, why the first one was not.
 */
int aring_files_update(struct aring_ring *ring,
		       const struct aring_rsrc_update2 *update, u32 nr)
{
	const u64 __user *tags = u64_to_user_ptr(update->tags);
	const s32 __user *fds = u64_to_user_ptr(update->data);
	struct aring_table *table = &ring->rsrc.files;
	u32 done, limit;
	int ret;

	ret = aring_table_range(table, update->offset, nr);
	if (ret)
		return ret;
	limit = table->nr;
	for (done = 0; done < nr; done++) {
		u32 index = array_index_nospec(update->offset + done, limit);
		u64 tag = 0;
		s32 fd;

		ret = -EFAULT;
		if ((tags && get_user(tag, &tags[done])) ||
		    get_user(fd, &fds[done]))
			break;
		ret = aring_file_update(ring, index, fd, tag);
		if (ret)
			break;
		cond_resched();
	}
	return done ?: ret;
}

/**
 * aring_files_alloc_range() - where slots may be chosen by the kernel
 * @ring: the ring; submit_lock held
 * @arg: struct aring_file_index_range
 *
 * No operation of aring leaves the choice of a slot to the kernel, so a good
 * range changes nothing.
 *
 * Return: 0, -EFAULT, -EOVERFLOW or -EINVAL.
 */
int aring_files_alloc_range(struct aring_ring *ring, const void __user *arg)
{
	struct aring_file_index_range range;
	u32 end;

	if (copy_from_user(&range, arg, sizeof(range)))
		return -EFAULT;
	if (check_add_overflow(range.off, range.len, &end))
		return -EOVERFLOW;
	if (range.resv || end > READ_ONCE(ring->rsrc.files.nr))
		return -EINVAL;
	return 0;
}

/* Take the AF_UNIX sockets out. submit_lock. Return: false to come again. */
static bool aring_files_drop_unix(struct aring_ring *ring)
{
	struct aring_table *table = &ring->rsrc.files;
	u32 i;

	if (aring_table_emptying(table))
		return false;
	for (i = 0; i < table->nr_slots; i++) {
		struct aring_rsrc *rsrc = table->slots[i];

		if (rsrc && aring_is_unix(rsrc->file) &&
		    aring_table_remove(table, i))
			return false;
		cond_resched();
	}
	WRITE_ONCE(ring->rsrc.unix_files, false);
	return true;
}

static void aring_files_unmap_fn(struct work_struct *work)
{
	struct aring_ring *ring = container_of(to_delayed_work(work),
					       struct aring_ring,
					       rsrc.unmap_work);
	bool done = false;

	/*
	 * Somebody may be inside an ENTER for as long as a read takes; while
	 * he is, he is one who can still use the ring.
	 */
	if (mutex_trylock(&ring->submit_lock)) {
		done = READ_ONCE(ring->nr_mappings) ||
		       aring_files_drop_unix(ring);
		mutex_unlock(&ring->submit_lock);
	}
	if (!done)
		queue_delayed_work(aring_wq, &ring->rsrc.unmap_work,
				   ARING_UNMAP_RETRY);
}

/**
 * aring_files_unmapped() - the last mapping of the ring is gone
 * @ring: the ring
 *
 * Context: process, mmap_lock held.
 */
void aring_files_unmapped(struct aring_ring *ring)
{
	/* Mappings, then flag; pairs with aring_file_check(). */
	smp_mb();
	if (READ_ONCE(ring->rsrc.unix_files))
		queue_delayed_work(aring_wq, &ring->rsrc.unmap_work, 0);
}

/**
 * aring_files_init() - no files yet
 * @ring: a new ring
 */
void aring_files_init(struct aring_ring *ring)
{
	ring->rsrc.files.free = aring_file_free;
	INIT_DELAYED_WORK(&ring->rsrc.unmap_work, aring_files_unmap_fn);
}
