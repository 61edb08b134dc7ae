// SPDX-License-Identifier: MIT
/*
 * SEND, RECV and the others where they fail: peers that are gone, descriptors,
 * addresses and fields that are bad; and SEND's address.
 */
#include "sock.h"
#include <poll.h>

RING_FIXTURE(net);

TEST_F(net, a_closed_peer_is_epipe_without_a_signal)
{
	int sv[2], res;

	/* SIGPIPE would end the test */
	signal(SIGPIPE, SIG_DFL);
	for (int kind = 0; kind < NETS - 1; kind++) {
		NEED_EQ(0, net_pair(kind, sv), "%s", NET[kind]);
		close(sv[1]);
		if (kind == ON_TCP) {
			/* it hears of it by the answer to the first */
			prep_send(&self->r, sv[0], "x", 1, 0, 1);
			EXPECT_EQ(1, ring_run(&self->r));
			usleep(20000);
		}
		prep_send(&self->r, sv[0], "x", 1, 0, 1);
		res = ring_run(&self->r);
		CHECK_EQ(kind == ON_DGRAM ? -ECONNREFUSED : -EPIPE, res, "%s",
			 NET[kind]);
		close(sv[0]);
		/* while it waits */
		NEED_EQ(0, net_pair(kind, sv), "%s", NET[kind]);
		if (kind == ON_DGRAM)
			goto next;
		net_fill(sv[0]);
		prep_send(&self->r, sv[0], "x", 1, 0, 1);
		ASSERT_EQ(1, ring_submit(&self->r));
		EXPECT_TRUE(ring_quiet(&self->r, 10));
		close(sv[1]);
		sv[1] = -1;
		/* there was unread data: all but one say so */
		NEXT(&self->r, 1, kind == ON_UNIX ? -EPIPE : -ECONNRESET, 0,
		     "%s", NET[kind]);
		/* its own end */
		close(sv[0]);
		NEED_EQ(0, net_pair(kind, sv), "%s", NET[kind]);
		ASSERT_EQ(0, shutdown(sv[0], SHUT_WR));
		prep_send(&self->r, sv[0], "x", 1, 0, 1);
		CHECK_EQ(-EPIPE, ring_run(&self->r), "%s", NET[kind]);
next:
		net_close(sv);
	}
}

TEST_F(net, errors_are_those_of_the_calls)
{
	int p[2], sv[2], fd = socket(AF_INET, SOCK_STREAM, 0);
	static const unsigned int op[] = {
		ARING_OP_SEND, ARING_OP_RECV, ARING_OP_SENDMSG,
		ARING_OP_RECVMSG,
	};
	char b[8];
	struct iovec v = { b, 8 };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1 };
	int file = open("/tmp", O_TMPFILE | O_RDWR, 0600);

	ASSERT_EQ(0, pipe(p));
	for (int i = 0; i < 4; i++) {
		struct ring *r = &self->r;

		prep_net(r, op[i], -1, &m, 0, 1);
		CHECK_EQ(-EBADF, ring_run(r), "op %u", op[i]);
		prep_net(r, op[i], 12345, &m, 0, 1);
		CHECK_EQ(-EBADF, ring_run(r), "op %u", op[i]);
		prep_net(r, op[i], p[0], &m, 0, 1);
		CHECK_EQ(-ENOTSOCK, ring_run(r), "op %u", op[i]);
		prep_net(r, op[i], file, &m, 0, 1);
		CHECK_EQ(-ENOTSOCK, ring_run(r), "op %u", op[i]);
		prep_net(r, op[i], file, &m, 0, 1)->flags = ARING_SQE_ASYNC;
		CHECK_EQ(-ENOTSOCK, ring_run(r), "op %u", op[i]);
		prep_net(r, op[i], fd, &m, 0, 1);
		CHECK_EQ(i & 1 ? -ENOTCONN : -EPIPE, ring_run(r), "op %u",
			 op[i]);
	}
	close(fd);
	for (int type = SOCK_STREAM; type <= SOCK_DGRAM; type++) {
		fd = socket(AF_UNIX, type, 0);
		prep_send(&self->r, fd, b, 1, 0, 1);
		EXPECT_EQ(-ENOTCONN, ring_run(&self->r));
		if (type == SOCK_STREAM) {
			prep_recv(&self->r, fd, b, 1, 0, 1);
			EXPECT_EQ(-EINVAL, ring_run(&self->r));
		}
		close(fd);
	}
	/* urgent data where there is none */
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_DGRAM, 0, sv));
	prep_send(&self->r, sv[0], b, 1, MSG_OOB, 1);
	EXPECT_EQ(-EOPNOTSUPP, ring_run(&self->r));
	net_close(sv);
	close(file);
	close(p[0]);
	close(p[1]);
}

TEST_F(net, bad_addresses_are_efault)
{
	char *const kernel = (char *)0xffff888000000000;
	int sv[2];
	char b[8] = "";

	for (int kind = 0; kind < NETS; kind++) {
		struct ring *r = &self->r;

		NEED_EQ(0, net_pair(kind, sv), "%s", NET[kind]);
		prep_send(r, sv[0], (void *)8, 8, 0, 1);
		CHECK_EQ(-EFAULT, ring_run(r), "%s", NET[kind]);
		prep_send(r, sv[0], kernel, 8, 0, 1);
		CHECK_EQ(-EFAULT, ring_run(r), "%s", NET[kind]);
		prep_send(r, sv[0], (void *)8, UINT_MAX, 0, 1);
		/* a datagram may be too long before it is bad */
		if (kind < STREAMS)
			CHECK_EQ(-EFAULT, ring_run(r), "%s", NET[kind]);
		else
			CHECK_TRUE(ring_run(r) < 0, "%s", NET[kind]);
		/* no address can be bad before there is something to put there */
		prep_recv(r, sv[0], kernel, 8, 0, 1);
		CHECK_EQ(-EFAULT, ring_run(r), "%s", NET[kind]);
		prep_recv(r, sv[0], (void *)8, 8, 0, 1);
		ASSERT_EQ(1, ring_submit(r));
		CHECK_TRUE(ring_quiet(r, 10), "%s", NET[kind]);
		ASSERT_EQ(3, send(sv[1], "abc", 3, 0));
		NEXT(r, 1, -EFAULT, 0, "%s", NET[kind]);
		/* on a stream it is still there */
		if (kind < STREAMS) {
			prep_recv(r, sv[0], b, 8, 0, 1);
			CHECK_EQ(3, ring_run(r), "%s", NET[kind]);
			EXPECT_STREQ("abc", b);
		}
		net_close(sv);
	}
}

TEST_F(net, bad_fields_are_refused)
{
	static const unsigned int op[] = {
		ARING_OP_SEND, ARING_OP_RECV, ARING_OP_SENDMSG,
		ARING_OP_RECVMSG,
	};
	char b[8] = "x";
	struct iovec v = { b, 1 };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1 };
	int sv[2];

	ASSERT_EQ(0, net_pair(ON_UNIX, sv));
	for (int i = 0; i < 4; i++) {
		struct ring *r = &self->r;
		struct aring_sqe *s;

		for (int bit = 1; bit < 16; bit++) {
			prep_net(r, op[i], sv[0], &m, 0, 1)->ioprio = 1 << bit;
			CHECK_EQ(-EINVAL, ring_run(r), "op %u, ioprio bit %d",
				 op[i], bit);
		}
		if (op[i] == ARING_OP_SEND) {
			s = prep_net(r, op[i], sv[0], &m, 0, 1);
			s->__pad3[0] = 1;
			EXPECT_EQ(-EINVAL, ring_run(r));
		} else {
			prep_net(r, op[i], sv[0], &m, 0, 1)->file_index = 1;
			CHECK_EQ(-EINVAL, ring_run(r), "op %u", op[i]);
			prep_net(r, op[i], sv[0], &m, 0, 1)->file_index =
				0x10000;
			CHECK_EQ(-EINVAL, ring_run(r), "op %u", op[i]);
			prep_net(r, op[i], sv[0], &m, 0, 1)->addr2 = 1;
			CHECK_EQ(-EINVAL, ring_run(r), "op %u", op[i]);
		}
		prep_net(r, op[i], sv[0], &m, 0, 1)->personality = 77;
		CHECK_EQ(-EINVAL, ring_run(r), "op %u", op[i]);
		/* no meaning, and not looked at */
		ASSERT_EQ(1, send(sv[1], "y", 1, 0));
		s = prep_net(r, op[i], sv[0], &m, 0, 1);
		s->buf_index = 1;
		s->addr3 = 1;
		s->__pad2[0] = 1;
		CHECK_EQ(1, ring_run(r), "op %u", op[i]);
	}
	/* the length of an address, but no address */
	prep_send(&self->r, sv[0], b, 1, 0, 1)->addr_len = 16;
	EXPECT_EQ(1, ring_run(&self->r));
	net_close(sv);
}

static struct aring_sqe *prep_sendto(struct ring *r, int fd, const void *buf,
				     unsigned int len, const void *addr,
				     unsigned int addr_len, __u64 ud)
{
	struct aring_sqe *s = prep_send(r, fd, buf, len, 0, ud);

	s->addr2 = (uintptr_t)addr;
	s->addr_len = addr_len;
	return s;
}

TEST_F(net, a_send_to_an_address)
{
	struct sockaddr_in a[3], from;
	socklen_t len = sizeof(from);
	struct ring *r = &self->r;
	char b[8] = "";
	int fd[3];

	for (int i = 0; i < 3; i++) {
		fd[i] = udp_socket(&a[i]);
		ASSERT_GE(fd[i], 0);
	}
	for (int form = 0; form < 3; form++) {
		int to = 1 + form % 2;
		struct sockaddr_in where = a[to];
		struct aring_sqe *s = prep_sendto(r, fd[0], "abc", 3, &where,
						  sizeof(where), 1);

		s->flags = form == 1 ? ARING_SQE_ASYNC : 0;
		s->ioprio = form == 2 ? ARING_RECVSEND_POLL_FIRST : 0;
		ASSERT_EQ(1, ring_submit(r));
		/* it was copied */
		memset(&where, 0xff, sizeof(where));
		NEXT(r, 1, 3, 0, "form %d", form);
		ASSERT_EQ(3, recvfrom(fd[to], b, 8, MSG_DONTWAIT,
				      (void *)&from, &len));
		EXPECT_EQ(a[0].sin_port, from.sin_port);
	}
	/* without one there is nowhere to go */
	prep_send(r, fd[0], "abc", 3, 0, 1);
	EXPECT_EQ(-EDESTADDRREQ, ring_run(r));
	prep_sendto(r, fd[0], "abc", 3, &a[1], 0, 1);
	EXPECT_EQ(-EINVAL, ring_run(r));
	prep_sendto(r, fd[0], "abc", 3, &a[1], 4, 1);
	EXPECT_EQ(-EINVAL, ring_run(r));
	prep_sendto(r, fd[0], "abc", 3, &a[1], 129, 1);
	EXPECT_EQ(-EINVAL, ring_run(r));
	prep_sendto(r, fd[0], "abc", 3, &a[1], 65535, 1);
	EXPECT_EQ(-EINVAL, ring_run(r));
	prep_sendto(r, fd[0], "abc", 3, (void *)8, sizeof(a[1]), 1);
	EXPECT_EQ(-EFAULT, ring_run(r));
	prep_sendto(r, fd[0], "abc", 3, (void *)8, sizeof(a[1]), 1)->flags =
		ARING_SQE_ASYNC;
	EXPECT_EQ(-EFAULT, ring_run(r));
	a[1].sin_family = 77;
	prep_sendto(r, fd[0], "abc", 3, &a[1], sizeof(a[1]), 1);
	EXPECT_EQ(-EAFNOSUPPORT, ring_run(r));
	for (int i = 0; i < 3; i++)
		close(fd[i]);
}

/* A stream has its peer already. */
TEST_F(net, a_send_to_an_address_on_a_connection)
{
	struct sockaddr_un u = { .sun_family = AF_UNIX, .sun_path = "/x" };
	struct sockaddr_in a = { .sin_family = AF_INET };
	int sv[2];

	ASSERT_EQ(0, net_pair(ON_UNIX, sv));
	prep_sendto(&self->r, sv[0], "abc", 3, &u, sizeof(u), 1);
	EXPECT_EQ(-EISCONN, ring_run(&self->r));
	net_close(sv);
	ASSERT_EQ(0, net_pair(ON_TCP, sv));
	prep_sendto(&self->r, sv[0], "abc", 3, &a, sizeof(a), 1);
	EXPECT_EQ(3, ring_run(&self->r));
	net_close(sv);
}

/* Behind an event that comes while nobody is in ENTER: for a worker, where it may be. */
static struct aring_sqe *prep_behind(struct ring *r, int fd, struct aring_sqe *last)
{
	struct aring_sqe copy = *last;
	struct aring_sqe *s;

	/* in front of it */
	r->tail--;
	s = prep(r, ARING_OP_POLL_ADD, fd, NULL, 0, 0, 8);
	s->poll32_events = POLLIN;
	s->flags = ARING_SQE_IO_LINK;
	s = prep_nop(r, 1);
	*s = copy;
	return s;
}

/* Without a call that would have the thread run what waits for one. */
static bool there_are(struct ring *r, unsigned int nr)
{
	for (int i = 0; i < 5000 && ring_ready(r) < nr; i++)
		usleep(1000);
	return ring_ready(r) >= nr;
}

static int run_behind(struct ring *r, struct aring_sqe *s)
{
	struct aring_cqe cqe = { .res = RES_NONE };
	int p[2];

	if (pipe(p))
		return -errno;
	prep_behind(r, p[0], s);
	if (ring_submit(r) != 2 || write(p[1], "x", 1) != 1 || !there_are(r, 2))
		return RES_NONE;
	ring_reap(r, &cqe);
	if (cqe.user_data == 8 && cqe.res == POLLIN)
		ring_reap(r, &cqe);
	close(p[0]);
	close(p[1]);
	return cqe.res;
}

/* The first page may be read, the second may not. */
static char *half_bad(void)
{
	char *b = mmap(NULL, 8192, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	return mprotect(b + 4096, 4096, PROT_NONE) ? NULL : b;
}

TEST_F(net, half_a_message_is_none)
{
	char *b = half_bad(), seen[8192];
	struct iovec v[2] = { { b, 100 }, { b + 4000, 200 } };
	struct msghdr m = { .msg_iov = v, .msg_iovlen = 2 };
	struct ring *r = &self->r;
	struct aring_cqe cqe;
	int sv[2];

	ASSERT_NE(NULL, b);
	ASSERT_EQ(0, net_pair(ON_UDP, sv));
	EXPECT_EQ(-EFAULT, run_behind(r, prep_send(r, sv[0], b, 8192, 0, 1)));
	EXPECT_EQ(-EFAULT, run_behind(r, prep_sendmsg(r, sv[0], &m, 0, 1)));
	EXPECT_EQ(-EFAULT, run_behind(r, prep_write(r, sv[0], b, 8192, 0, 1)));
	EXPECT_EQ(-1, recv(sv[1], seen, sizeof(seen), MSG_DONTWAIT));
	EXPECT_EQ(4096, run_behind(r, prep_send(r, sv[0], b, 4096, 0, 1)));
	EXPECT_EQ(4096, recv(sv[1], seen, sizeof(seen), MSG_DONTWAIT));
	/* received: what is longer than the good part is lost */
	for (int i = 0; i < 2; i++) {
		prep_recv(r, sv[0], b, 8192, 0, 1);
		ASSERT_EQ(1, ring_submit(r));
		usleep(10000);
		ASSERT_EQ(i ? 100 : 6000, send(sv[1], seen, i ? 100 : 6000, 0));
		ASSERT_TRUE(there_are(r, 1));
		ASSERT_TRUE(ring_reap(r, &cqe));
		EXPECT_EQ(i ? 100 : -EFAULT, cqe.res);
	}
	net_close(sv);
	munmap(b, 8192);
}

/* Whom a datagram may go to, a security module may ask the thread that sends it. */
TEST_F(net, a_datagram_to_an_address_stays_at_home)
{
	struct ring *r = &self->r;
	struct sockaddr_in a;
	int to = udp_socket(&a), fd = socket(AF_INET, SOCK_DGRAM, 0), p[2];
	struct iovec v = { "abc", 3 };
	struct msghdr m = {
		.msg_iov = &v, .msg_iovlen = 1,
		.msg_name = &a, .msg_namelen = sizeof(a),
	};
	char b[8];

	ASSERT_EQ(0, pipe(p));
	for (int i = 0; i < 2; i++) {
		if (i)
			prep_behind(r, p[0], prep_sendmsg(r, fd, &m, 0, 1));
		else
			prep_behind(r, p[0], prep_sendto(r, fd, "abc", 3, &a,
							 sizeof(a), 1));
		ASSERT_EQ(2, ring_submit(r));
		ASSERT_EQ(1, write(p[1], "x", 1));
		ASSERT_TRUE(there_are(r, 1));
		usleep(50000 * test_slow());
		if (variant->backend == DEVICE) {
			EXPECT_EQ(1, ring_ready(r));
			EXPECT_EQ(-1, recv(to, b, 8, MSG_DONTWAIT));
		}
		NEXT(r, 8, POLLIN, 0, "%d", i);
		NEXT(r, 1, 3, 0, "%d", i);
		EXPECT_EQ(3, recv(to, b, 8, MSG_DONTWAIT));
		ASSERT_EQ(1, read(p[0], b, 1));
	}
	close(to);
	close(fd);
	close(p[0]);
	close(p[1]);
}

RING_TEST_MAIN
