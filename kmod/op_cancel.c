// SPDX-License-Identifier: GPL-2.0
/* ASYNC_CANCEL. */
#include <linux/file.h>

#include "compat.h"
#include "op.h"
#include "sqpoll.h"

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
	int ret;

	if (sqe->off || sqe->splice_fd_in)
		return -EINVAL;
	cancel->key = sqe->addr;
	cancel->flags = sqe->cancel_flags;
	cancel->fd = sqe->fd;
	cancel->opcode = sqe->len;
	cancel->file = NULL;
	ret = aring_cancel_check(cancel);
	if (ret || !(cancel->flags & ARING_ASYNC_CANCEL_FD))
		return ret;
	if ((req->sqe_flags & ARING_SQE_FIXED_FILE) ||
	    (cancel->flags & ARING_ASYNC_CANCEL_FD_FIXED)) {
		/* Either says so, and it is remembered in one place. */
		cancel->flags |= ARING_ASYNC_CANCEL_FD_FIXED;
		/* Now, with submit_lock held. */
		cancel->file = aring_fixed_file(req->ring, cancel->fd);
		if (cancel->file) {
			get_file(cancel->file);
			req->flags |= ARING_REQ_CLEANUP;
		}
	} else {
		/* Whose descriptor it is, a worker cannot tell. */
		req->flags |= ARING_REQ_HOME;
	}
	return 0;
}

/**
 * aring_async_cancel_cleanup() - let go of the file to be matched
 * @req: over
 */
void aring_async_cancel_cleanup(struct aring_req *req)
{
	if (req->cancel.file)
		fput(req->cancel.file);
	req->cancel.file = NULL;
}

static struct file *aring_cancel_file(struct aring_ring *ring, s32 fd)
{
	return unlikely(current->flags & PF_KTHREAD) ?
		aring_sqpoll_file(ring, fd) : fget(fd);
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
	struct file *file = cancel->file;
	int ret;

	if ((cancel->flags & ARING_ASYNC_CANCEL_FD) && !file) {
		if (!(cancel->flags & ARING_ASYNC_CANCEL_FD_FIXED))
			file = aring_cancel_file(ring, cancel->fd);
		if (!file) {
			aring_req_set_result(req, -EBADF);
			return ARING_ISSUED_DONE;
		}
	}
	mutex_lock(&ring->lock);
	ret = aring_cancel(ring, cancel, file, req);
	mutex_unlock(&ring->lock);
	if (file && file != cancel->file)
		fput(file);
	aring_req_set_result(req, ret);
	return ARING_ISSUED_DONE;
}
