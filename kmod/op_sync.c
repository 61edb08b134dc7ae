// SPDX-License-Identifier: GPL-2.0
/* FSYNC. */
#include "op.h"

/**
 * aring_fsync_prep() - take FSYNC's fields out of an SQE
 * @req: SUBMITTED
 * @sqe: the kernel's own copy
 *
 * Return: 0 or -EINVAL.
 */
int aring_fsync_prep(struct aring_req *req, const struct aring_sqe *sqe)
{
	struct aring_sync *sync = &req->sync;

	if (sqe->addr || sqe->buf_index || sqe->splice_fd_in)
		return -EINVAL;
	sync->flags = sqe->fsync_flags;
	if (sync->flags & ~ARING_FSYNC_DATASYNC)
		return -EINVAL;
	sync->off = sqe->off;
	if (sync->off < 0)
		return -EINVAL;
	sync->len = sqe->len;
	return 0;
}

/**
 * aring_fsync_issue() - write the file's data to its device
 * @req: STARTED
 * @how: ARING_ISSUE_BLOCK or ARING_ISSUE_WORKER
 *
 * Return: ARING_ISSUED_DONE.
 */
int aring_fsync_issue(struct aring_req *req, unsigned int how)
{
	struct aring_sync *sync = &req->sync;
	loff_t end = sync->off + sync->len;
	int ret;

	ret = vfs_fsync_range(req->file, sync->off, end > 0 ? end : LLONG_MAX,
			      sync->flags & ARING_FSYNC_DATASYNC);
	aring_op_set_result(req, ret);
	return ARING_ISSUED_DONE;
}
