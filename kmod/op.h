/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The op table: what each operation needs, and its functions. Adding an
 * operation touches its own file and one row of op.c.
 */
#ifndef ARING_OP_H
#define ARING_OP_H

#include <linux/poll.h>

#include "edge.h"

/* Where an operation is being tried; second argument of ->issue(). */
#define ARING_ISSUE_INLINE	0	/* in ENTER: do not wait */
#define ARING_ISSUE_BLOCK	1	/* in ENTER: waiting is allowed */
#define ARING_ISSUE_WORKER	2	/* in a worker: waiting is allowed */

/*
 * What ->issue() returns. It is called by the owner of a STARTED request (or a
 * SUBMITTED one where the operation says ARING_OP_OWN_START).
 */
#define ARING_ISSUED_DONE	0	/* result is set; the caller completes it */
#define ARING_ISSUED_AWAY	1	/* not ours any more: do not touch it */
#define ARING_ISSUED_AGAIN	2	/* it would have had to wait */
#define ARING_ISSUED_INTR	3	/* interrupted, nothing moved */

/* &aring_op.flags */
#define ARING_OP_FILE		0x01	/* fd is used */
#define ARING_OP_OWN_START	0x02	/* ->issue() makes all its transitions */
#define ARING_OP_BLOCKS		0x04	/* no use in trying it without waiting */
#define ARING_OP_POLLS		0x08	/* only asks the file whether it is ready */
#define ARING_OP_PARTS		0x10	/* may wait with a part of it done: net.partial */
#define ARING_OP_FINAL		0x20	/* does not go back to QUEUED once a cancel lost */
#define ARING_OP_UNBROKEN	0x40	/* as on Linux 6.1, its error breaks no chain */

/*
 * &aring_op.allow: the bits that the first 32 bits of an SQE may have (opcode,
 * flags, ioprio) without being looked at more closely. No bit at all is what the
 * row of an absent opcode allows.
 */
#define ARING_ALLOW_NONE	0U
#define ARING_ALLOW \
	(0xffU | (ARING_SQE_FIXED_FILE | ARING_SQE_ASYNC) << 8)
#define ARING_ALLOW_IOPRIO	(ARING_ALLOW | 0xffffU << 16)

/**
 * struct aring_op - one operation
 * @name: as in the manual pages, lower case; NULL for an absent opcode
 * @allow: ARING_ALLOW*
 * @flags: ARING_OP_*
 * @pollin: a would-block is over once the file polls readable, else writable
 * @prep: validate and copy the SQE; 0 or a negative errno. NULL if it has
 *	nothing to say.
 * @capture: copy what the program may forget after ENTER, for a request that
 *	is not tried inline; 0 or a negative errno. May be NULL.
 * @issue: do it; ARING_ISSUED_*. NULL if there is nothing to do: the result
 *	is 0.
 * @cleanup: give back what the operation holds, in process context, with
 *	the request over; called where ARING_REQ_CLEANUP or ARING_REQ_ASYNC is
 *	set, perhaps twice. May be NULL.
 * @shorten: after @prep: do only so many bytes. NULL if it moves none.
 *
 * Aligned, so that a row is found by a shift.
 */
struct aring_op {
	const char	*name;
	u32		allow;
	u8		flags;
	bool		pollin;
	int		(*prep)(struct aring_req *req,
				const struct aring_sqe *sqe);
	int		(*capture)(struct aring_req *req);
	int		(*issue)(struct aring_req *req, unsigned int how);
	void		(*cleanup)(struct aring_req *req);
	void		(*shorten)(struct aring_req *req, u64 size);
} __aligned(64);

/* As many as a byte can name, so that no opcode is out of range. */
#define ARING_NR_OPS	256

extern const struct aring_op aring_ops[ARING_NR_OPS];

/* As aring_req_set_result(), for whatever the operation's own error means. */
static inline void aring_op_set_result(struct aring_req *req, s32 res)
{
	if (req->op->flags & ARING_OP_UNBROKEN)
		req->res = res;
	else
		aring_req_set_result(req, res);
}

/* Does it wait for the file to be ready, rather than in the attempt itself? */
static inline bool aring_req_polls_first(const struct aring_req *req)
{
	return file_can_poll(req->file) &&
	       !(req->op->flags & (ARING_OP_BLOCKS | ARING_OP_POLLS));
}

static inline __poll_t aring_ready_events(const struct aring_req *req)
{
	return req->op->pollin ? EPOLLIN | EPOLLRDNORM :
				 EPOLLOUT | EPOLLWRNORM;
}

/* Has it moved a part, and waits for more? Its result so far is set. */
static inline bool aring_req_partial(const struct aring_req *req)
{
	return (req->op->flags & ARING_OP_PARTS) && READ_ONCE(req->net.partial);
}

/* op_rw.c */
int aring_rw_prep(struct aring_req *req, const struct aring_sqe *sqe);
int aring_rw_fixed_prep(struct aring_req *req, const struct aring_sqe *sqe);
int aring_rw_capture(struct aring_req *req);
int aring_read_issue(struct aring_req *req, unsigned int how);
int aring_write_issue(struct aring_req *req, unsigned int how);
int aring_read_fixed_issue(struct aring_req *req, unsigned int how);
int aring_write_fixed_issue(struct aring_req *req, unsigned int how);
void aring_rw_cleanup(struct aring_req *req);
void aring_rw_shorten(struct aring_req *req, u64 size);

/* op_sync.c */
int aring_fsync_prep(struct aring_req *req, const struct aring_sqe *sqe);
int aring_fsync_issue(struct aring_req *req, unsigned int how);

/* op_timeout.c */
int aring_timeout_prep(struct aring_req *req, const struct aring_sqe *sqe);
int aring_timeout_issue(struct aring_req *req, unsigned int how);
void aring_timeout_cleanup(struct aring_req *req);
int aring_link_timeout_prep(struct aring_req *req, const struct aring_sqe *sqe);
int aring_timeout_remove_prep(struct aring_req *req,
			      const struct aring_sqe *sqe);
int aring_timeout_remove_issue(struct aring_req *req, unsigned int how);

/* op_net.c */
int aring_send_prep(struct aring_req *req, const struct aring_sqe *sqe);
int aring_recv_prep(struct aring_req *req, const struct aring_sqe *sqe);
int aring_net_capture(struct aring_req *req);
int aring_net_issue(struct aring_req *req, unsigned int how);
void aring_net_cleanup(struct aring_req *req);
void aring_net_shorten(struct aring_req *req, u64 size);

/* op_poll.c */
int aring_poll_prep(struct aring_req *req, const struct aring_sqe *sqe);
int aring_poll_issue(struct aring_req *req, unsigned int how);
int aring_poll_remove_prep(struct aring_req *req, const struct aring_sqe *sqe);
int aring_poll_remove_issue(struct aring_req *req, unsigned int how);

/* op_vdev.c */
int aring_vdev_prep(struct aring_req *req, const struct aring_sqe *sqe);
int aring_vdev_capture(struct aring_req *req);
int aring_vdev_issue(struct aring_req *req, unsigned int how);
void aring_vdev_cleanup(struct aring_req *req);
void aring_vdev_shorten(struct aring_req *req, u64 size);

/* op_cancel.c */
int aring_async_cancel_prep(struct aring_req *req,
			    const struct aring_sqe *sqe);
int aring_async_cancel_issue(struct aring_req *req, unsigned int how);
void aring_async_cancel_cleanup(struct aring_req *req);

#endif /* ARING_OP_H */
