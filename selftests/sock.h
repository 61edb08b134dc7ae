/* SPDX-License-Identifier: MIT */
/* What the tests of sockets and of polls share. */
#ifndef SOCK_H
#define SOCK_H

#include "ring.h"
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <linux/sockios.h>

/* The next CQE is exactly this one. */
#define NEXT(r, ud, want, more, ...)					\
	do {								\
		struct aring_cqe next_ = { 0 };				\
		NEED_EQ(0, ring_cqe(r, &next_), __VA_ARGS__);		\
		CHECK_EQ(ud, (int)next_.user_data, __VA_ARGS__);	\
		CHECK_EQ(want, next_.res, __VA_ARGS__);			\
		CHECK_EQ(more, (int)next_.flags, __VA_ARGS__);		\
	} while (0)

/* The next two are these, in either order. */
#define BOTH(r, ud1, want1, ud2, want2, ...)				\
	do {								\
		struct aring_cqe both_ = { 0 };				\
		int got_ = 0;						\
		for (int i_ = 0; i_ < 2; i_++) {			\
			NEED_EQ(0, ring_cqe(r, &both_), __VA_ARGS__);	\
			if (both_.user_data == (ud1)) {			\
				CHECK_EQ(want1, both_.res, __VA_ARGS__); \
				got_ |= 1;				\
			} else if (both_.user_data == (ud2)) {		\
				CHECK_EQ(want2, both_.res, __VA_ARGS__); \
				got_ |= 2;				\
			}						\
			CHECK_EQ(0, (int)both_.flags, __VA_ARGS__);	\
		}							\
		CHECK_EQ(3, got_, __VA_ARGS__);				\
	} while (0)

/* The same where their flags differ. Which comes first is nobody's promise. */
#define EITHER(r, ud1, want1, flags1, ud2, want2, flags2, ...)		\
	do {								\
		struct aring_cqe both_ = { 0 };				\
		int got_ = 0;						\
		for (int i_ = 0; i_ < 2; i_++) {			\
			bool one_;					\
			NEED_EQ(0, ring_cqe(r, &both_), __VA_ARGS__);	\
			one_ = both_.user_data == (ud1);		\
			CHECK_EQ(one_ ? (want1) : (want2), both_.res,	\
				 __VA_ARGS__);				\
			CHECK_EQ((int)(one_ ? (flags1) : (flags2)),	\
				 (int)both_.flags, __VA_ARGS__);	\
			got_ |= one_ ? 1 : both_.user_data == (ud2) ? 2 : 4; \
		}							\
		CHECK_EQ(3, got_, __VA_ARGS__);				\
	} while (0)

/* A connected pair over the loopback device. */
static inline int tcp_pair(int sv[2])
{
	struct sockaddr_in a = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t len = sizeof(a);
	int l = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	sv[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	sv[1] = -1;
	if (!bind(l, (void *)&a, len) && !listen(l, 1) &&
	    !getsockname(l, (void *)&a, &len) &&
	    !connect(sv[0], (void *)&a, len))
		sv[1] = accept4(l, NULL, NULL, SOCK_CLOEXEC);
	close(l);
	return sv[1] < 0 ? -1 : 0;
}

static inline int udp_socket(struct sockaddr_in *a)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	socklen_t len = sizeof(*a);

	*a = (struct sockaddr_in) {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	if (bind(fd, (void *)a, len) || getsockname(fd, (void *)a, &len))
		return -1;
	return fd;
}

static inline int udp_pair(int sv[2])
{
	struct sockaddr_in a[2];

	for (int i = 0; i < 2; i++)
		sv[i] = udp_socket(&a[i]);
	if (sv[0] < 0 || sv[1] < 0)
		return -1;
	return connect(sv[0], (void *)&a[1], sizeof(a[1])) ||
	       connect(sv[1], (void *)&a[0], sizeof(a[0]));
}

/* The connected pairs that the tests go through. */
enum { ON_UNIX, ON_TCP, ON_SEQPACKET, ON_DGRAM, ON_UDP, NETS };
#define STREAMS	(ON_TCP + 1)

static const char *const NET[] __attribute__((unused)) = {
	"AF_UNIX stream", "TCP", "AF_UNIX seqpacket", "AF_UNIX datagram", "UDP",
};

static inline int net_pair(int kind, int sv[2])
{
	static const int type[] = {
		[ON_UNIX] = SOCK_STREAM, [ON_SEQPACKET] = SOCK_SEQPACKET,
		[ON_DGRAM] = SOCK_DGRAM,
	};

	if (kind == ON_TCP)
		return tcp_pair(sv);
	if (kind == ON_UDP)
		return udp_pair(sv);
	return socketpair(AF_UNIX, type[kind] | SOCK_CLOEXEC, 0, sv);
}

static inline void net_close(int sv[2])
{
	close(sv[0]);
	close(sv[1]);
}

static inline struct aring_sqe *prep_send(struct ring *r, int fd,
					  const void *buf, unsigned int len,
					  __u32 flags, __u64 ud)
{
	struct aring_sqe *s = prep(r, ARING_OP_SEND, fd, buf, len, 0, ud);

	s->msg_flags = flags;
	return s;
}

static inline struct aring_sqe *prep_recv(struct ring *r, int fd, void *buf,
					  unsigned int len, __u32 flags,
					  __u64 ud)
{
	struct aring_sqe *s = prep(r, ARING_OP_RECV, fd, buf, len, 0, ud);

	s->msg_flags = flags;
	return s;
}

static inline struct aring_sqe *prep_sendmsg(struct ring *r, int fd,
					     const struct msghdr *m,
					     __u32 flags, __u64 ud)
{
	struct aring_sqe *s = prep(r, ARING_OP_SENDMSG, fd, m, 1, 0, ud);

	s->msg_flags = flags;
	return s;
}

static inline struct aring_sqe *prep_recvmsg(struct ring *r, int fd,
					     struct msghdr *m, __u32 flags,
					     __u64 ud)
{
	struct aring_sqe *s = prep(r, ARING_OP_RECVMSG, fd, m, 1, 0, ud);

	s->msg_flags = flags;
	return s;
}

/* One of the four, by its opcode; @m has one iovec. */
static inline struct aring_sqe *prep_net(struct ring *r, unsigned int op,
					 int fd, struct msghdr *m, __u32 flags,
					 __u64 ud)
{
	struct aring_sqe *s;

	if (op == ARING_OP_SENDMSG || op == ARING_OP_RECVMSG)
		s = prep(r, op, fd, m, 1, 0, ud);
	else
		s = prep(r, op, fd, m->msg_iov->iov_base, m->msg_iov->iov_len,
			 0, ud);
	s->msg_flags = flags;
	return s;
}

/*
 * How long nothing may go in before a socket counts as full, milliseconds. TCP looks
 * again whether its peer has room, first after 200 ms, and may then find some.
 */
static inline int net_patience(int fd)
{
	int unsent;

	return ioctl(fd, SIOCOUTQNSD, &unsent) ? 20 : 300;
}

/* Send until nothing more goes in; answers how many bytes went. */
static inline size_t net_fill(int fd)
{
	static char b[1024];
	size_t total = 0, size = sizeof(b);
	int idle = 0, patience = net_patience(fd);
	ssize_t n;

	while (idle < patience) {
		n = send(fd, b, size, MSG_DONTWAIT);
		if (n > 0) {
			total += n;
			idle = 0;
		} else if (size > 1) {
			/* where much does not go in, little still may */
			size /= 4;
		} else {
			usleep(1000);
			idle++;
		}
	}
	return total;
}

/* Receive until nothing comes for a while. */
static inline size_t net_drain(int fd)
{
	static char b[65536];
	size_t total = 0;
	ssize_t n;

	for (int idle = 0; idle < 20;) {
		n = recv(fd, b, sizeof(b), MSG_DONTWAIT);
		if (n > 0) {
			total += n;
			idle = 0;
		} else {
			usleep(1000);
			idle++;
		}
	}
	return total;
}

/*
 * Receive exactly @n bytes, with an ENTER now and then so that what waits there
 * goes on; false if they do not come, or more do.
 */
static inline bool net_take(struct ring *r, int fd, size_t n)
{
	__u64 end = now_ns() + ms(10000) * test_slow();
	static char b[65536];
	ssize_t got;

	while (n) {
		ring_enter(r, 0, 0, ARING_ENTER_GETEVENTS, NULL, 0);
		got = recv(fd, b, n < sizeof(b) ? n : sizeof(b), MSG_DONTWAIT);
		if (got > 0) {
			n -= got;
			continue;
		}
		if (now_ns() > end)
			return false;
		usleep(200);
	}
	usleep(5000);
	return recv(fd, b, 1, MSG_DONTWAIT) < 0;
}

/* How many threads the ring has for what waits for a peer; of io_uring 0. */
static inline int peer_workers(struct ring *r)
{
	char path[64], text[8192], *at;
	unsigned int disk, peer = 0;
	ssize_t n;
	int fd;

	if (r->backend != DEVICE)
		return 0;
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", r->fd);
	fd = open(path, O_RDONLY);
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n < 0)
		return -1;
	text[n] = 0;
	at = strstr(text, "Workers:");
	if (!at || sscanf(at, "Workers: %u disk, %u peer", &disk, &peer) != 2)
		return -1;
	return peer;
}

#endif /* SOCK_H */
