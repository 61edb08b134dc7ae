/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What differs between the kernel versions that aring builds for, 6.1 to 6.12.
 * No other file looks at LINUX_VERSION_CODE.
 */
#ifndef ARING_COMPAT_H
#define ARING_COMPAT_H

#include <linux/eventfd.h>
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/fsnotify.h>
#include <linux/mm.h>
#include <linux/nospec.h>
#include <linux/poll.h>
#include <linux/uio.h>
#include <linux/version.h>

/*
 * A pipe looks at IOCB_NOWAIT only since 6.5; before, a read of an empty pipe
 * without O_NONBLOCK waits whatever the caller says.
 */
#define ARING_PIPE_HONOURS_NOWAIT \
	(LINUX_VERSION_CODE >= KERNEL_VERSION(6, 5, 0))

/**
 * aring_kiocb_set_rw_flags() - apply RWF_* to a kiocb
 * @kiocb: with ki_filp and ki_flags set
 * @flags: RWF_*
 * @dir: READ or WRITE
 *
 * Return: 0, -EOPNOTSUPP for flags that this kernel or file does not know.
 */
static inline int aring_kiocb_set_rw_flags(struct kiocb *kiocb, rwf_t flags,
					   int dir)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 12, 0)
	return kiocb_set_rw_flags(kiocb, flags);
#else
	return kiocb_set_rw_flags(kiocb, flags, dir);
#endif
}

/**
 * aring_fd_file() - the file behind a struct fd
 * @f: from fdget()
 *
 * Return: the file or NULL.
 */
static inline struct file *aring_fd_file(struct fd f)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 12, 0)
	return f.file;
#else
	return fd_file(f);
#endif
}

/**
 * aring_files_get() - a file of a descriptor table that is not one's own
 * @files: kept by the caller
 * @fd: descriptor
 *
 * Context: rcu_read_lock().
 *
 * Return: the file, referenced, or NULL.
 */
static inline struct file *aring_files_get(struct files_struct *files,
					   unsigned int fd)
{
	struct file *file;

	for (;;) {
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 7, 0)
		file = files_lookup_fd_raw(files, fd);
		if (!file)
			return NULL;
		/* The slot may have changed hands before it was counted. */
		if (!get_file_rcu(file))
			continue;
		if (files_lookup_fd_raw(files, fd) == file)
			break;
		fput(file);
#else
		struct fdtable *fdt = rcu_dereference_raw(files->fdt);

		if (fd >= fdt->max_fds)
			return NULL;
		file = get_file_rcu(&fdt->fd[array_index_nospec(fd, fdt->max_fds)]);
		if (!file)
			return NULL;
		/* The table may have grown before it was counted. */
		if (rcu_dereference_raw(files->fdt) == fdt)
			break;
		fput(file);
#endif
	}
	if (!(file->f_mode & FMODE_PATH))
		return file;
	fput(file);
	return NULL;
}

/**
 * aring_async_buffered_write() - can a buffered write to this file try first?
 * @file: a regular file
 *
 * Return: true if the file system honours IOCB_NOWAIT in buffered writes.
 */
static inline bool aring_async_buffered_write(const struct file *file)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 10, 0)
	return file->f_mode & FMODE_BUF_WASYNC;
#else
	return file->f_op->fop_flags & FOP_BUFFER_WASYNC;
#endif
}

/**
 * struct aring_segment - the next contiguous piece of a user iterator
 * @base: address
 * @len: bytes
 */
struct aring_segment {
	void __user	*base;
	size_t		len;
};

/**
 * aring_iter_segment() - what ->read() or ->write() could be given next
 * @iter: over user memory, not empty
 *
 * Return: its first contiguous piece.
 */
static inline struct aring_segment
aring_iter_segment(const struct iov_iter *iter)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 4, 0)
	struct iovec iov;

	if (iter_is_ubuf(iter))
		return (struct aring_segment){ iter->ubuf + iter->iov_offset,
					       iov_iter_count(iter) };
	iov = iov_iter_iovec(iter);
	return (struct aring_segment){ iov.iov_base, iov.iov_len };
#else
	return (struct aring_segment){ iter_iov_addr(iter),
				       iter_iov_len(iter) };
#endif
}

/**
 * aring_watched() - could fsnotify have anybody to tell about this file?
 * @file: the file
 *
 * Context: any.
 *
 * Return: true if something on its file system is watched.
 */
static inline bool aring_watched(const struct file *file)
{
	struct super_block *sb = file_inode(file)->i_sb;

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 10, 0)
	return atomic_long_read(&sb->s_fsnotify_connectors);
#else
	return fsnotify_sb_has_watchers(sb);
#endif
}

/**
 * aring_pin_longterm() - pin pages of the calling program
 * @start: user address, at a page's beginning
 * @nr: pages
 * @gup: FOLL_WRITE or 0
 * @pages: room for them
 *
 * Context: process, mmap_lock held for reading.
 *
 * Return: how many were pinned, or a negative errno.
 */
static inline long aring_pin_longterm(unsigned long start, unsigned long nr,
				      unsigned int gup, struct page **pages)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 5, 0)
	return pin_user_pages(start, nr, gup | FOLL_LONGTERM, pages, NULL);
#else
	return pin_user_pages(start, nr, gup | FOLL_LONGTERM, pages);
#endif
}

/**
 * aring_eventfd_add() - add 1 to an eventfd
 * @ctx: the eventfd
 *
 * Where modules can, with the mark that keeps epoll and rings from waking in
 * circles.
 *
 * Context: any, if eventfd_signal_allowed().
 */
static inline void aring_eventfd_add(struct eventfd_ctx *ctx)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 8, 0)
	eventfd_signal(ctx, 1);
#else
	eventfd_signal_mask(ctx, EPOLL_URING_WAKE);
#endif
}

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
static inline void vm_flags_mod(struct vm_area_struct *vma,
				vm_flags_t set, vm_flags_t clear)
{
	vma->vm_flags = (vma->vm_flags | set) & ~clear;
}
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 12, 0)
/* Gone in 6.12, where leaving ->llseek out means the same. */
#define ARING_LLSEEK	.llseek = no_llseek,
#else
#define ARING_LLSEEK
#endif

#endif /* ARING_COMPAT_H */
