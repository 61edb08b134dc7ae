// SPDX-License-Identifier: GPL-2.0
/*
 * The list: what may run in a worker, and who may ask a file whether it is ready.
 *
 * A worker is not the program (worker.c tells what it lacks). So only that is on
 * the list whose outcome depends on nothing of the caller that a worker has not.
 */
#include <linux/dcache.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <linux/net.h>
#include <net/sock.h>

#include "compat.h"
#include "where.h"

/*
 * File systems whose reads and writes look at nothing of the caller but his
 * credentials, besides those on a block device.
 */
static const char * const aring_worker_fs[] = {
	"9p", "afs", "ceph", "cifs", "nfs", "nfs4", "smb3", "tmpfs",
};

/* Files without a file system whose ->poll() looks at nothing of the caller. */
static const char * const aring_poll_anon[] = {
	"[eventfd]", "[timerfd]", "[pidfd]", "inotify",
};

/*
 * What files of these names were found to be. All are part of the kernel itself,
 * so no other file can come to have their operations.
 */
static const struct file_operations *aring_poll_fops[ARRAY_SIZE(aring_poll_anon)];

static bool aring_fs_on_list(const struct inode *inode)
{
	const struct file_system_type *type = inode->i_sb->s_type;
	unsigned int i;

	/*
	 * A FUSE server is told the caller's pid, and may decide by it. That
	 * goes for fuseblk too, which otherwise looks like a disk.
	 */
	if (inode->i_sb->s_magic == FUSE_SUPER_MAGIC)
		return false;
	if (type->fs_flags & FS_REQUIRES_DEV)
		return true;
	for (i = 0; i < ARRAY_SIZE(aring_worker_fs); i++) {
		if (!strcmp(type->name, aring_worker_fs[i]))
			return true;
	}
	return false;
}

/* What the data of @file is really kept on: overlayfs only forwards. */
static struct inode *aring_real_inode(const struct file *file)
{
	struct inode *inode = file_inode(file);

	if (inode->i_sb->s_magic == OVERLAYFS_SUPER_MAGIC)
		return d_real_inode(file_dentry(file));
	return inode;
}

/**
 * aring_where_stores() - are the contents of a regular file bytes, and kept as such?
 * @file: a regular file
 *
 * Return: true if it is on a file system that is known to do so.
 */
bool aring_where_stores(const struct file *file)
{
	const struct inode *inode = aring_real_inode(file);

	return aring_fs_on_list(inode) ||
	       inode->i_sb->s_magic == FUSE_SUPER_MAGIC;
}

/**
 * aring_where_runs() - the list: where a request on this file may run
 * @file: the file
 *
 * Return: see &enum aring_where.
 */
enum aring_where aring_where_runs(const struct file *file)
{
	const struct inode *inode = file_inode(file);

	switch (inode->i_mode & S_IFMT) {
	case S_IFIFO:
		/* O_NONBLOCK says nothing: F_SETFL may clear it at any time. */
		return ARING_PIPE_HONOURS_NOWAIT ? ARING_WHERE_ANY :
						   ARING_WHERE_PEER;
	case S_IFSOCK: {
		struct socket *sock = sock_from_file((struct file *)file);

		/* AF_UNIX carries the sender's identity: not from here. */
		if (sock && sock->sk && (sock->sk->sk_family == AF_INET ||
					 sock->sk->sk_family == AF_INET6))
			return ARING_WHERE_ANY;
		return ARING_WHERE_ENTER;
	}
	case S_IFBLK:
		return ARING_WHERE_DISK;
	case S_IFREG:
		/* procfs and sysfs files are regular too, and not on it. */
		return aring_fs_on_list(aring_real_inode(file)) ?
			ARING_WHERE_DISK : ARING_WHERE_ENTER;
	default:
		return ARING_WHERE_ENTER;
	}
}

/**
 * aring_where_polls() - where a file may be asked whether it is ready
 * @file: the file
 *
 * A signalfd looks for the signals of whoever asks, and an epoll asks what it
 * watches; what other drivers do is not known. Pipes and sockets of all families
 * look at themselves only, and so do those that have a name on the list.
 *
 * Return: ARING_WHERE_ANY or ARING_WHERE_ENTER.
 */
enum aring_where aring_where_polls(const struct file *file)
{
	const struct inode *inode = file_inode(file);
	const char *name = file->f_path.dentry->d_name.name;
	unsigned int i;

	if (S_ISFIFO(inode->i_mode) || S_ISSOCK(inode->i_mode))
		return ARING_WHERE_ANY;
	for (i = 0; i < ARRAY_SIZE(aring_poll_fops); i++) {
		if (READ_ONCE(aring_poll_fops[i]) == file->f_op)
			return ARING_WHERE_ANY;
	}
	if (inode->i_sb->s_magic != ANON_INODE_FS_MAGIC)
		return ARING_WHERE_ENTER;
	for (i = 0; i < ARRAY_SIZE(aring_poll_anon); i++) {
		if (strcmp(name, aring_poll_anon[i]))
			continue;
		WRITE_ONCE(aring_poll_fops[i], file->f_op);
		return ARING_WHERE_ANY;
	}
	return ARING_WHERE_ENTER;
}
