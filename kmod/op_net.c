// SPDX-License-Identifier: GPL-2.0
/*
 * SEND, RECV, SENDMSG, RECVMSG: the transfer. The message headers of the latter
 * two are in op_msg.c.
 *
 * A socket is always tried without waiting: in ENTER, or, where the outcome
 * depends on nothing of the caller, in a worker. If it would have to wait, the
 * request waits in the socket's wait queue, and no thread does.
 *
 * With MSG_WAITALL a stream may be moved in parts. A request that has moved some
 * can no longer be CANCELLED, or the data would be lost: a canceller takes it,
 * and its result is what was moved. See aring_cancel_one().
 */
#include <linux/net.h>
#include <linux/poll.h>
#include <linux/sched/signal.h>
#include <linux/socket.h>
#include <net/sock.h>

#include "net.h"
#include "op.h"
#include "pin.h"

static void aring_net_init(struct aring_req *req, const struct aring_sqe *sqe,
			   u32 flags)
{
	struct aring_net *net = &req->net;

	net->addr = sqe->addr;
	net->len = sqe->len;
	net->flags = sqe->msg_flags | flags;
	net->poll_first = sqe->ioprio & ARING_RECVSEND_POLL_FIRST;
	net->copied = false;
	net->iov = NULL;
	net->control = NULL;
	net->control_len = 0;
	net->done = 0;
	net->partial = false;
	/* Who does not want to wait is told at once. */
	if (net->flags & MSG_DONTWAIT)
		req->sqe_flags &= ~ARING_SQE_ASYNC;
}

/**
 * aring_send_prep() - take the fields of SEND or SENDMSG out of an SQE
 * @req: SUBMITTED
 * @sqe: the kernel's own copy
 *
 * Return: 0 or -EINVAL.
 */
int aring_send_prep(struct aring_req *req, const struct aring_sqe *sqe)
{
	struct aring_net *net = &req->net;

	net->uname = NULL;
	net->name_len = 0;
	if (req->opcode == ARING_OP_SEND) {
		if (sqe->__pad3[0])
			return -EINVAL;
		net->uname = u64_to_user_ptr(sqe->addr2);
		net->name_len = sqe->addr_len;
	} else if (sqe->addr2 || sqe->file_index) {
		return -EINVAL;
	}
	if (sqe->ioprio & ~ARING_RECVSEND_POLL_FIRST)
		return -EINVAL;
	aring_net_init(req, sqe, MSG_NOSIGNAL);
	return 0;
}

/**
 * aring_recv_prep() - take the fields of RECV or RECVMSG out of an SQE
 * @req: SUBMITTED
 * @sqe: the kernel's own copy
 *
 * Return: 0 or -EINVAL.
 */
int aring_recv_prep(struct aring_req *req, const struct aring_sqe *sqe)
{
	struct aring_net *net = &req->net;

	if (sqe->file_index || sqe->addr2 ||
	    (sqe->ioprio & ~ARING_RECVSEND_POLL_FIRST))
		return -EINVAL;
	net->uname = NULL;
	net->name_len = 0;
	aring_net_init(req, sqe, 0);
	return 0;
}

/**
 * aring_net_copy_name() - copy an address to send to
 * @net: where to
 * @name: user address
 * @len: its size, as given
 *
 * Return: 0, -EINVAL or -EFAULT.
 */
int aring_net_copy_name(struct aring_net *net, const void __user *name,
			int len)
{
	if (len < 0 || len > sizeof(net->name))
		return -EINVAL;
	net->name_len = len;
	return len && copy_from_user(&net->name, name, len) ? -EFAULT : 0;
}

/* What the program may forget when ENTER returns. */
static int aring_net_copy(struct aring_req *req, struct socket *sock)
{
	struct aring_net *net = &req->net;
	int ret = 0;

	if (net->copied)
		return 0;
	if (aring_net_has_header(req)) {
		ret = aring_msg_copy(req, sock);
		/* Also what was copied before it failed. */
		req->flags |= ARING_REQ_CLEANUP;
	} else {
		net->total = min_t(size_t, net->len, MAX_RW_COUNT);
		if (net->uname)
			ret = aring_net_copy_name(net, net->uname,
						  net->name_len);
	}
	/* TOMOYO knows the thread that sends, and lets kernel threads send anywhere. */
	if (net->uname && net->name_len && aring_net_sends(req) &&
	    (sock->type == SOCK_DGRAM || sock->type == SOCK_RAW))
		req->flags |= ARING_REQ_HOME;
	net->copied = !ret;
	return ret;
}

/**
 * aring_net_capture() - copy the header or address for an attempt elsewhere
 * @req: SUBMITTED
 *
 * Context: process, the submitter's.
 *
 * Return: 0 or a negative errno.
 */
int aring_net_capture(struct aring_req *req)
{
	struct socket *sock = sock_from_file(req->file);

	return sock ? aring_net_copy(req, sock) : -ENOTSOCK;
}

/**
 * aring_net_cleanup() - free what the header led to
 * @req: over, its file still there
 */
void aring_net_cleanup(struct aring_req *req)
{
	if (aring_net_has_header(req) && req->file)
		aring_msg_free(req, sock_from_file(req->file));
}

/**
 * aring_net_shorten() - send or receive only a part
 * @req: SUBMITTED, prepared
 * @size: so many bytes
 *
 * What is in iovecs is cut when they are known: aring_msg_copy().
 */
void aring_net_shorten(struct aring_req *req, u64 size)
{
	if (aring_net_has_header(req) || size >= req->net.len)
		return;
	req->net.len = size;
	/* Without it less than asked for is no failure. */
	req->steered->cut = req->net.flags & MSG_WAITALL;
}

static struct aring_span aring_net_span(const struct aring_req *req)
{
	const struct aring_net *net = &req->net;

	return (struct aring_span){
		.addr	= net->addr,
		.iov	= net->iov,
		.nr_segs = net->nr_segs,
		.total	= net->total,
		.done	= net->done,
		.to_user = !aring_net_sends(req),
	};
}

/* Is a stream to be filled or emptied to the last byte? */
static bool aring_net_wants_all(const struct aring_req *req,
				const struct socket *sock, int flags)
{
	return (flags & MSG_WAITALL) &&
	       (sock->type == SOCK_STREAM || sock->type == SOCK_SEQPACKET);
}

/* Not an ARING_ISSUED_*: a part was moved, look whether there is more. */
#define ARING_NET_MORE	(-1)

/* What the attempt has led to. Return: ARING_ISSUED_* or ARING_NET_MORE. */
static int aring_net_end(struct aring_req *req, struct socket *sock,
			 const struct msghdr *msg, size_t wanted, int ret)
{
	struct aring_net *net = &req->net;
	int flags = net->flags;
	size_t least = 0;

	/* With control data there is only one attempt. */
	if ((flags & MSG_WAITALL) &&
	    (aring_net_sends(req) || !net->control_len))
		least = wanted;
	if (ret < 0 || ret < least) {
		if (ret == -EAGAIN && !(flags & MSG_DONTWAIT))
			return ARING_ISSUED_AGAIN;
		if (ret > 0 && aring_net_wants_all(req, sock, flags)) {
			net->done += ret;
			req->res = net->done;
			req->flags |= ARING_REQ_FAIL;
			/* The control data went with the first part. */
			net->control_len = 0;
			WRITE_ONCE(net->partial, true);
			return ARING_NET_MORE;
		}
		if (ret == -ERESTARTSYS && !net->done)
			return ARING_ISSUED_INTR;
		req->flags |= ARING_REQ_FAIL;
	} else {
		req->flags &= ~ARING_REQ_FAIL;
		if ((flags & MSG_WAITALL) &&
		    (msg->msg_flags & (MSG_TRUNC | MSG_CTRUNC)))
			req->flags |= ARING_REQ_FAIL;
	}
	if (ret >= 0)
		req->res = net->done + ret;
	else
		req->res = net->done ?: ret;
	if (!aring_net_sends(req) && msg->msg_inq > 0)
		req->cqe_flags |= ARING_CQE_F_SOCK_NONEMPTY;
	return ARING_ISSUED_DONE;
}

/* One transfer between a socket and memory, which is not waited for. */
static int aring_net_move(struct aring_req *req, struct socket *sock,
			  struct iov_iter *iter, struct msghdr *msg,
			  bool worker)
{
	struct aring_net *net = &req->net;
	struct sockaddr_storage name;
	int ret;

	memset(msg, 0, sizeof(*msg));
	msg->msg_iter = *iter;
	if (aring_net_sends(req)) {
		/* Even an empty one: the socket has its say. */
		if (net->uname) {
			msg->msg_name = &net->name;
			msg->msg_namelen = net->name_len;
		}
		if (aring_net_has_header(req))
			aring_msg_fill(req, msg, &name);
		msg->msg_flags = (net->flags | MSG_DONTWAIT) &
				 ~MSG_INTERNAL_SENDMSG_FLAGS;
		return sock_sendmsg(sock, msg);
	}
	msg->msg_get_inq = 1;
	if (aring_net_has_header(req))
		aring_msg_fill(req, msg, &name);
	ret = sock_recvmsg(sock, msg, net->flags | MSG_DONTWAIT);
	if (ret >= 0 && aring_net_has_header(req)) {
		int err = aring_msg_write_back(req, msg, &name, worker);

		if (err)
			return err;
	}
	return ret;
}

/* In ENTER: on the caller's own addresses. */
static int aring_net_here(struct aring_req *req, struct socket *sock)
{
	int dir = aring_net_sends(req) ? ITER_SOURCE : ITER_DEST;
	struct aring_net *net = &req->net;
	struct iov_iter iter;
	struct msghdr msg;
	int ret;

	if (net->iov) {
		iov_iter_init(&iter, dir, net->iov, net->nr_segs, net->total);
		iov_iter_advance(&iter, net->done);
	} else {
		void __user *buf = u64_to_user_ptr(net->addr) + net->done;
		size_t len = net->total - net->done;

		if (unlikely(!access_ok(buf, len))) {
			aring_req_set_result(req, -EFAULT);
			return ARING_ISSUED_DONE;
		}
		iov_iter_ubuf(&iter, dir, buf, len);
	}
	ret = aring_net_move(req, sock, &iter, &msg, false);
	return aring_net_end(req, sock, &msg, net->total - net->done, ret);
}

/* In a worker: on pinned pages. */
static int aring_net_there(struct aring_req *req, struct socket *sock)
{
	int dir = aring_net_sends(req) ? ITER_SOURCE : ITER_DEST;
	struct aring_span span = aring_net_span(req);
	struct aring_net *net = &req->net;
	struct aring_piece piece = {};
	struct iov_iter iter;
	struct msghdr msg;
	int ret;

	if (net->done < net->total) {
		ret = aring_piece_get(&piece, req->mm, &span);
		if (!ret && piece.fault && !span.to_user &&
		    aring_sock_is_message(sock)) {
			aring_piece_free(&piece, false);
			ret = -EFAULT;
		}
		if (ret) {
			/* A canceller's signal ends the pinning too. */
			if (signal_pending(current) && !net->done)
				return ARING_ISSUED_INTR;
			req->res = net->done ?: ret;
			req->flags |= ARING_REQ_FAIL;
			return ARING_ISSUED_DONE;
		}
	}
	iov_iter_bvec(&iter, dir, piece.bvecs, piece.nr, piece.len);
	ret = aring_net_move(req, sock, &iter, &msg, true);
	aring_piece_free(&piece, span.to_user && ret > 0);
	/* It was cut where the memory ends, not the buffer. */
	if (ret >= 0 && piece.fault && (msg.msg_flags & MSG_TRUNC) &&
	    aring_sock_is_message(sock))
		ret = -EFAULT;
	return aring_net_end(req, sock, &msg, net->total - net->done, ret);
}

/**
 * aring_net_issue() - one attempt at a SEND, RECV, SENDMSG or RECVMSG
 * @req: STARTED
 * @how: ARING_ISSUE_*
 *
 * Context: process; the submitter's own unless ARING_ISSUE_WORKER.
 *
 * Return: ARING_ISSUED_*.
 */
int aring_net_issue(struct aring_req *req, unsigned int how)
{
	struct socket *sock = sock_from_file(req->file);
	struct aring_net *net = &req->net;
	int ret = -ENOTSOCK;

	if (likely(sock))
		ret = aring_net_copy(req, sock);
	if (unlikely(ret)) {
		aring_req_set_result(req, ret);
		return ARING_ISSUED_DONE;
	}
	if (unlikely(net->poll_first)) {
		net->poll_first = false;
		if (net->flags & MSG_DONTWAIT) {
			aring_req_set_result(req, -EAGAIN);
			return ARING_ISSUED_DONE;
		}
		/* A worker has waited for the socket before. */
		if (how != ARING_ISSUE_WORKER)
			return ARING_ISSUED_AGAIN;
	}
	/* Only a socket that has nothing more wakes us when it has. */
	do {
		ret = how == ARING_ISSUE_WORKER ? aring_net_there(req, sock) :
						  aring_net_here(req, sock);
	} while (ret == ARING_NET_MORE);
	return ret;
}
