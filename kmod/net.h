/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Sockets: what op_net.c and op_msg.c share.
 */
#ifndef ARING_NET_H
#define ARING_NET_H

#include <linux/net.h>

#include "request.h"

struct msghdr;

/* Does what is moved at a time make one message, half of which is none? */
static inline bool aring_sock_is_message(const struct socket *sock)
{
	return sock->type != SOCK_STREAM;
}

static inline bool aring_net_sends(const struct aring_req *req)
{
	return req->opcode == ARING_OP_SEND || req->opcode == ARING_OP_SENDMSG;
}

static inline bool aring_net_has_header(const struct aring_req *req)
{
	return req->opcode == ARING_OP_SENDMSG ||
	       req->opcode == ARING_OP_RECVMSG;
}

/* op_net.c APIs */
int aring_net_copy_name(struct aring_net *net, const void __user *name,
			int len);

/* op_msg.c APIs */
int aring_msg_copy(struct aring_req *req, struct socket *sock);
void aring_msg_fill(struct aring_req *req, struct msghdr *msg,
		    struct sockaddr_storage *name);
int aring_msg_write_back(struct aring_req *req, const struct msghdr *msg,
			 const struct sockaddr_storage *name, bool worker);
void aring_msg_free(struct aring_req *req, struct socket *sock);

#endif /* ARING_NET_H */
