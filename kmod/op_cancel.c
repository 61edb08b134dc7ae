// SPDX-License-Identifier: GPL-2.0
/* ASYNC_CANCEL. */
#include <linux/file.h>

#include "compat.h"
#include "op.h"

/**
 * aring_async_cancel_prep() - take ASYNC_CANCEL's fields out of an SQE
 * @req: SUBMITTED
 * @sqe: the kernel's own copy
 *
 * Return: 0 or -EINVAL.
 */
int aring_async_cancel_prep(struct aring_req *req,
			    const struct aring_sqe *sqe)
{
	struct aring_cancel *cancel = &req->cancel;

	if (sqe->off || sqe->splice_fd_in)
		return -EINVAL;
	cancel->key = sqe->addr;
	cancel->flags = sqe->cancel_flags;
	cancel->fd = sqe->fd;
	cancel->opcode = sqe->len;
	return aring_cancel_check(cancel);
}

/**
 * aring_async_cancel_issue() - cancel, and answer with the verdict
 * @req: STARTED
 * @how: ARING_ISSUE_INLINE
 *
 * Return: ARING_ISSUED_DONE.
 */
int aring_async_cancel_issue(struct aring_req *req, unsigned int how)
{
	struct aring_cancel *cancel = &req->cancel;
	struct aring_ring *ring = req->ring;
	struct file *file = NULL;
	struct fd f = {};
	int ret;

	if (cancel->flags & ARING_ASYNC_CANCEL_FD) {
		if (req->sqe_flags & ARING_SQE_FIXED_FILE) {
			/* Submission's lock is held. */
			file = aring_fixed_file(ring, cancel->fd);
		} else {
			f = fdget(cancel->fd);
			file = aring_fd_file(f);
		}
		if (!file) {
			aring_req_set_result(req, -EBADF);
			return ARING_ISSUED_DONE;
		}
	}
	mutex_lock(&ring->lock);
	ret = aring_cancel(ring, cancel, file);
	mutex_unlock(&ring->lock);
	if (aring_fd_file(f))
		fdput(f);
	aring_req_set_result(req, ret);
	return ARING_ISSUED_DONE;
}
