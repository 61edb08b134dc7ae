/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where a request on a file may run: by the file it is on.
 */
#ifndef ARING_WHERE_H
#define ARING_WHERE_H

#include <linux/magic.h>

#include "compat.h"
#include "request.h"

/**
 * enum aring_try - how an operation can be tried in ENTER without waiting
 * @ARING_TRY_NOT: it cannot
 * @ARING_TRY_NOWAIT: the file honours IOCB_NOWAIT
 * @ARING_TRY_PLAIN: it waits for no device and no peer
 */
enum aring_try {
	ARING_TRY_NOT,
	ARING_TRY_NOWAIT,
	ARING_TRY_PLAIN,
};

/* where.c APIs */
bool aring_where_stores(const struct file *file);
enum aring_where aring_where_runs(const struct file *file);
enum aring_where aring_where_polls(const struct file *file);

/**
 * aring_inline_try() - can this be tried in ENTER without waiting?
 * @file: the file
 * @mode: its inode's mode
 * @read: a read, else a write
 *
 * Return: see &enum aring_try.
 */
static __always_inline enum aring_try
aring_inline_try(const struct file *file, umode_t mode, bool read)
{
	if (S_ISREG(mode)) {
		/* The memory is there or it is not: no device to wait for. */
		if (file_inode(file)->i_sb->s_magic == TMPFS_MAGIC)
			return ARING_TRY_PLAIN;
		if (!read && !(file->f_flags & O_DIRECT) &&
		    !aring_async_buffered_write(file))
			return ARING_TRY_NOT;
		return file->f_mode & FMODE_NOWAIT ? ARING_TRY_NOWAIT :
						     ARING_TRY_NOT;
	}
	if ((file->f_mode & FMODE_NOWAIT) || S_ISSOCK(mode))
		return ARING_TRY_NOWAIT;
	/*
	 * Only the pipes of pipe(2) have FMODE_NOWAIT; those with a name do as
	 * well. Where no pipe does, F_SETFL may clear O_NONBLOCK behind our
	 * look: then the program waits as in the plain call, but a thread of
	 * the kernel would do so for ever.
	 */
	if (S_ISFIFO(mode)) {
		if (ARING_PIPE_HONOURS_NOWAIT)
			return ARING_TRY_NOWAIT;
		if (current->flags & PF_KTHREAD)
			return ARING_TRY_NOT;
	}
	return file->f_flags & O_NONBLOCK ? ARING_TRY_NOWAIT : ARING_TRY_NOT;
}

static inline bool aring_honours_nowait(const struct file *file, bool read)
{
	return aring_inline_try(file, file_inode(file)->i_mode, read) !=
		ARING_TRY_NOT;
}

#endif /* ARING_WHERE_H */
