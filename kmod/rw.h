/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Reads and writes: what op_rw.c and rw_worker.c share.
 */
#ifndef ARING_RW_H
#define ARING_RW_H

#include "request.h"

static inline bool aring_is_read(const struct aring_req *req)
{
	return req->opcode == ARING_OP_READ || req->opcode == ARING_OP_READV ||
	       req->opcode == ARING_OP_READ_FIXED;
}

static inline bool aring_is_vectored(const struct aring_req *req)
{
	return req->opcode == ARING_OP_READV || req->opcode == ARING_OP_WRITEV;
}

static inline bool aring_is_fixed(const struct aring_req *req)
{
	return req->opcode == ARING_OP_READ_FIXED ||
	       req->opcode == ARING_OP_WRITE_FIXED;
}

/* op_rw.c APIs */
int aring_rw_init_kiocb(struct aring_req *req);
ssize_t aring_rw_call(struct aring_req *req, struct iov_iter *iter);
int aring_rw_finish(struct aring_req *req, ssize_t ret);
void aring_rw_notify(struct aring_req *req);

/* rw_worker.c APIs */
int aring_rw_in_worker(struct aring_req *req);

#endif /* ARING_RW_H */
