// SPDX-License-Identifier: GPL-2.0
/*
 * The message headers of SENDMSG and RECVMSG: copied in once, before the first
 * attempt, and filled in at the end.
 *
 * Control data may carry descriptors and identities. They are those of whoever
 * runs the request, so such a request runs in the submitter's own ENTER only.
 */
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/net.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/socket.h>
#include <linux/uio.h>
#include <net/sock.h>

#include "net.h"
#include "op.h"

static int aring_msg_copy_iov(struct aring_req *req,
			      const struct user_msghdr *umsg)
{
	struct aring_net *net = &req->net;
	struct iovec *iov = net->fast;
	struct iov_iter iter;
	ssize_t ret;

	ret = import_iovec(aring_net_sends(req) ? ITER_SOURCE : ITER_DEST,
			   umsg->msg_iov, umsg->msg_iovlen, UIO_FASTIOV, &iov,
			   &iter);
	if (ret < 0)
		return ret;
	net->total = ret;
	net->nr_segs = umsg->msg_iovlen;
	net->iov = iov ?: net->fast;
	if (unlikely(req->flags & ARING_REQ_FATE) &&
	    aring_steer_cut(req, net->iov, &net->nr_segs, &net->total))
		req->steered->cut = net->flags & MSG_WAITALL;
	return 0;
}

/* Control data to be sent: a copy, so that it can be tried again. */
static int aring_msg_copy_control(struct aring_req *req, struct socket *sock,
				  const struct user_msghdr *umsg)
{
	struct aring_net *net = &req->net;
	void *control;

	control = sock_kmalloc(sock->sk, umsg->msg_controllen, GFP_KERNEL);
	if (!control)
		return -ENOBUFS;
	if (copy_from_user(control, umsg->msg_control, umsg->msg_controllen)) {
		sock_kfree_s(sock->sk, control, umsg->msg_controllen);
		return -EFAULT;
	}
	net->control = control;
	net->control_size = umsg->msg_controllen;
	return 0;
}

/**
 * aring_msg_copy() - copy a message header and what it leads to
 * @req: owned, in the submitter's context
 * @sock: its socket
 *
 * Return: 0 or a negative errno. aring_msg_free() in any case.
 */
int aring_msg_copy(struct aring_req *req, struct socket *sock)
{
	struct aring_net *net = &req->net;
	struct user_msghdr umsg;
	int ret;

	if (copy_from_user(&umsg, u64_to_user_ptr(net->addr), sizeof(umsg)))
		return -EFAULT;
	ret = aring_msg_copy_iov(req, &umsg);
	if (ret)
		return ret;
	if (umsg.msg_name && umsg.msg_namelen < 0)
		return -EINVAL;
	net->name_len = umsg.msg_name ? min_t(int, umsg.msg_namelen,
					      sizeof(net->name)) : 0;
	/* Of no length it is as good as none. */
	if (net->name_len || !aring_net_sends(req))
		net->uname = umsg.msg_name;
	if (aring_net_sends(req)) {
		ret = aring_net_copy_name(net, umsg.msg_name, net->name_len);
		if (ret)
			return ret;
	}
	if (umsg.msg_controllen > INT_MAX)
		return -ENOBUFS;
	if (!umsg.msg_controllen)
		return 0;
	req->flags |= ARING_REQ_HOME;
	net->control_len = umsg.msg_controllen;
	net->ucontrol = umsg.msg_control;
	return aring_net_sends(req) ?
		aring_msg_copy_control(req, sock, &umsg) : 0;
}

/**
 * aring_msg_fill() - make the kernel's message header for one attempt
 * @req: owned, header copied
 * @msg: out
 * @name: where the sender's address is to be put
 */
void aring_msg_fill(struct aring_req *req, struct msghdr *msg,
		    struct sockaddr_storage *name)
{
	struct aring_net *net = &req->net;

	msg->msg_controllen = net->control_len;
	if (aring_net_sends(req)) {
		msg->msg_control = net->control;
		return;
	}
	msg->msg_name = name;
	msg->msg_flags = net->flags & MSG_CMSG_CLOEXEC;
	msg->msg_control_is_user = true;
	msg->msg_control_user = net->ucontrol;
}

static int aring_msg_put_name(struct aring_req *req,
			      struct user_msghdr __user *umsg,
			      const struct sockaddr_storage *name, int len)
{
	struct aring_net *net = &req->net;

	if (!net->uname)
		return 0;
	if (copy_to_user(net->uname, name, min_t(int, len, net->name_len)))
		return -EFAULT;
	/* The full length, so that the program sees whether there was room. */
	return put_user(len, &umsg->msg_namelen);
}

static int aring_msg_put(struct aring_req *req, const struct msghdr *msg,
			 const struct sockaddr_storage *name)
{
	struct user_msghdr __user *umsg = u64_to_user_ptr(req->net.addr);
	unsigned long control = 0;
	int ret;

	ret = aring_msg_put_name(req, umsg, name, msg->msg_namelen);
	if (ret)
		return ret;
	if (req->net.control_len)
		control = (unsigned long)msg->msg_control_user -
			  (unsigned long)req->net.ucontrol;
	if (put_user(msg->msg_flags, &umsg->msg_flags) ||
	    put_user(control, &umsg->msg_controllen))
		return -EFAULT;
	return 0;
}

/**
 * aring_msg_write_back() - tell the program what came with the data
 * @req: owned
 * @msg: what the socket has filled in
 * @name: the sender's address
 * @worker: in a worker, so not in the program's address space
 *
 * Return: 0 or -EFAULT.
 */
int aring_msg_write_back(struct aring_req *req, const struct msghdr *msg,
			 const struct sockaddr_storage *name, bool worker)
{
	int ret;

	if (!worker)
		return aring_msg_put(req, msg, name);
	if (!mmget_not_zero(req->mm))
		return -EFAULT;
	kthread_use_mm(req->mm);
	ret = aring_msg_put(req, msg, name);
	kthread_unuse_mm(req->mm);
	mmput_async(req->mm);
	return ret;
}

/**
 * aring_msg_free() - free what aring_msg_copy() has allocated
 * @req: over
 * @sock: its socket
 *
 * May be called twice.
 */
void aring_msg_free(struct aring_req *req, struct socket *sock)
{
	struct aring_net *net = &req->net;

	if (net->iov && net->iov != net->fast)
		kfree(net->iov);
	net->iov = NULL;
	if (net->control)
		sock_kfree_s(sock->sk, net->control, net->control_size);
	net->control = NULL;
}
