// SPDX-License-Identifier: MIT
/*
 * The library's tests: readiness, sockets, chains.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "test.h"

static const struct __kernel_timespec long_time = { .tv_sec = 100 };
static const struct __kernel_timespec short_time = { .tv_nsec = 20000000 };

static void pair(int fds[2])
{
	CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
}

static void close_pair(int fds[2])
{
	close(fds[0]);
	close(fds[1]);
}

/* A datagram socket on the loopback, and the address it has. */
static int datagram_socket(struct sockaddr_in *addr)
{
	socklen_t len = sizeof(*addr);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	memset(addr, 0, sizeof(*addr));
	addr->sin_family = AF_INET;
	addr->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	CHECK_EQ(bind(fd, (struct sockaddr *)addr, len), 0);
	CHECK_EQ(getsockname(fd, (struct sockaddr *)addr, &len), 0);
	return fd;
}

static void test_poll_once(void)
{
	struct aring_sqe *sqe = aring_get_sqe(&ring);
	struct aring_cqe c;
	char byte;
	int fds[2];

	pair(fds);
	aring_prep_poll_add(sqe, fds[0], EPOLLIN);
	submit_one(sqe, 1);
	CHECK_EQ(aring_cq_ready(&ring), 0);
	CHECK_EQ(write(fds[1], "x", 1), 1);
	c = take_of(1);
	CHECK_EQ(c.res, EPOLLIN);
	CHECK_EQ(c.flags & ARING_CQE_F_MORE, 0);

	/* What is ready already completes at once, and once only. */
	sqe = aring_get_sqe(&ring);
	aring_prep_poll_add(sqe, fds[0], EPOLLIN | EPOLLOUT);
	submit_one(sqe, 2);
	CHECK_EQ(take_of(2).res, EPOLLIN | EPOLLOUT);
	CHECK_EQ(read(fds[0], &byte, 1), 1);
	CHECK_EQ(write(fds[1], "y", 1), 1);
	CHECK_EQ(aring_cq_ready(&ring), 0);
	close_pair(fds);
}

static void test_poll_multishot(void)
{
	struct aring_sqe *sqe = aring_get_sqe(&ring);
	struct aring_cqe c;
	unsigned int i;
	char byte;
	int fds[2];

	pair(fds);
	aring_prep_poll_multishot(sqe, fds[0], EPOLLIN);
	submit_one(sqe, 1);
	for (i = 0; i < 5; i++) {
		CHECK_EQ(write(fds[1], "x", 1), 1);
		c = take_of(1);
		CHECK_EQ(c.res, EPOLLIN);
		CHECK_EQ(c.flags & ARING_CQE_F_MORE, ARING_CQE_F_MORE);
		CHECK_EQ(read(fds[0], &byte, 1), 1);
	}
	sqe = aring_get_sqe(&ring);
	aring_prep_poll_remove(sqe, 1);
	submit_one(sqe, 2);
	CHECK_EQ(take_of(2).res, 0);
	c = take_of(1);
	CHECK_EQ(c.res, -ECANCELED);
	CHECK_EQ(c.flags & ARING_CQE_F_MORE, 0);

	sqe = aring_get_sqe(&ring);
	aring_prep_poll_remove(sqe, 1);
	submit_one(sqe, 3);
	CHECK_EQ(take_of(3).res, -ENOENT);
	close_pair(fds);
}

static void test_poll_update(void)
{
	struct aring_sqe *sqe = aring_get_sqe(&ring);
	int fds[2];

	pair(fds);
	aring_prep_poll_add(sqe, fds[0], EPOLLIN);
	submit_one(sqe, 1);

	sqe = aring_get_sqe(&ring);
	aring_prep_poll_update(sqe, 1, 7, 0, ARING_POLL_UPDATE_USER_DATA);
	submit_one(sqe, 2);
	CHECK_EQ(take_of(2).res, 0);

	sqe = aring_get_sqe(&ring);
	aring_prep_poll_update(sqe, 7, 0, EPOLLOUT, ARING_POLL_UPDATE_EVENTS);
	submit_one(sqe, 3);
	CHECK_EQ(take_of(3).res, 0);
	CHECK_EQ(take_of(7).res, EPOLLOUT);
	close_pair(fds);
}

static void test_send_and_recv(void)
{
	char in[8] = "", more[8] = "";
	struct aring_sqe *sqe;
	int fds[2];

	pair(fds);
	/* A receive waits for what comes. */
	sqe = aring_get_sqe(&ring);
	aring_prep_recv(sqe, fds[0], in, sizeof(in), 0);
	submit_one(sqe, 1);
	sqe = aring_get_sqe(&ring);
	aring_prep_send(sqe, fds[1], "hello", 5, 0);
	submit_one(sqe, 2);
	CHECK_EQ(take_of(2).res, 5);
	CHECK_EQ(take_of(1).res, 5);
	CHECK(!memcmp(in, "hello", 5));

	/* With MSG_WAITALL for all of it. */
	sqe = aring_get_sqe(&ring);
	aring_prep_recv(sqe, fds[0], more, 6, MSG_WAITALL);
	submit_one(sqe, 3);
	CHECK_EQ(send(fds[1], "abc", 3, 0), 3);
	CHECK_EQ(aring_wait_cqe_timeout(&ring, &(struct aring_cqe *){ NULL },
					&short_time), -ETIME);
	CHECK_EQ(send(fds[1], "def", 3, 0), 3);
	CHECK_EQ(take_of(3).res, 6);
	CHECK(!memcmp(more, "abcdef", 6));

	/* The flags get there: nothing to receive, and no wait for it. */
	sqe = aring_get_sqe(&ring);
	aring_prep_recv(sqe, fds[0], in, sizeof(in), MSG_DONTWAIT);
	submit_one(sqe, 4);
	CHECK_EQ(take_of(4).res, -EAGAIN);

	/* A peer that is gone is an error, not a signal. */
	close(fds[0]);
	sqe = aring_get_sqe(&ring);
	aring_prep_send(sqe, fds[1], "x", 1, 0);
	submit_one(sqe, 5);
	CHECK_EQ(take_of(5).res, -EPIPE);
	close(fds[1]);
}

static void test_sendmsg_and_recvmsg(void)
{
	char a[4] = "", b[4] = "", one[] = "one", two[] = "two";
	struct iovec out[2] = { { one, 3 }, { two, 3 } };
	struct iovec in[2] = { { a, 3 }, { b, 3 } };
	struct sockaddr_in to, mine, from = { 0 };
	struct msghdr send_msg = {
		.msg_iov = out, .msg_iovlen = 2,
		.msg_name = &to, .msg_namelen = sizeof(to),
	};
	struct msghdr recv_msg = {
		.msg_iov = in, .msg_iovlen = 2,
		.msg_name = &from, .msg_namelen = sizeof(from),
	};
	int server = datagram_socket(&to), client = datagram_socket(&mine);
	struct aring_sqe *sqe;

	sqe = aring_get_sqe(&ring);
	aring_prep_recvmsg(sqe, server, &recv_msg, 0);
	submit_one(sqe, 1);
	sqe = aring_get_sqe(&ring);
	aring_prep_sendmsg(sqe, client, &send_msg, 0);
	submit_one(sqe, 2);
	CHECK_EQ(take_of(2).res, 6);
	CHECK_EQ(take_of(1).res, 6);
	CHECK(!strcmp(a, "one") && !strcmp(b, "two"));
	CHECK_EQ(recv_msg.msg_namelen, sizeof(from));
	CHECK_EQ(from.sin_port, mine.sin_port);
	close(server);
	close(client);
}

static void test_sendto(void)
{
	struct sockaddr_in to, mine;
	int server = datagram_socket(&to), client = datagram_socket(&mine);
	struct aring_sqe *sqe;
	char in[8] = "";

	sqe = aring_get_sqe(&ring);
	aring_prep_sendto(sqe, client, "abcd", 4, 0, (struct sockaddr *)&to,
			  sizeof(to));
	submit_one(sqe, 1);
	CHECK_EQ(take_of(1).res, 4);
	CHECK_EQ(recv(server, in, sizeof(in), MSG_DONTWAIT), 4);

	sqe = aring_get_sqe(&ring);
	aring_prep_send(sqe, client, "efgh", 4, 0);
	submit_one(sqe, 2);
	CHECK_EQ(take_of(2).res, -EDESTADDRREQ);
	close(server);
	close(client);
}

static void test_links(void)
{
	char in[4] = "";
	struct aring_sqe *sqe;
	int fds[2];

	pair(fds);
	sqe = aring_get_sqe(&ring);
	aring_prep_send(sqe, fds[1], "abc", 3, 0);
	aring_sqe_set_flags(sqe, ARING_SQE_IO_LINK);
	aring_sqe_set_data64(sqe, 1);
	sqe = aring_get_sqe(&ring);
	aring_prep_recv(sqe, fds[0], in, 3, MSG_DONTWAIT);
	aring_sqe_set_data64(sqe, 2);
	CHECK_EQ(aring_submit(&ring), 2);
	CHECK_EQ(take_of(1).res, 3);
	CHECK_EQ(take_of(2).res, 3);

	/* A failure ends a chain, unless the link is a hard one. */
	sqe = aring_get_sqe(&ring);
	aring_prep_recv(sqe, fds[0], in, 3, MSG_DONTWAIT);
	aring_sqe_set_flags(sqe, ARING_SQE_IO_HARDLINK);
	aring_sqe_set_data64(sqe, 3);
	sqe = aring_get_sqe(&ring);
	aring_prep_recv(sqe, fds[0], in, 3, MSG_DONTWAIT);
	aring_sqe_set_flags(sqe, ARING_SQE_IO_LINK);
	aring_sqe_set_data64(sqe, 4);
	CHECK(nop(5));
	CHECK_EQ(aring_submit(&ring), 3);
	CHECK_EQ(take_of(3).res, -EAGAIN);
	CHECK_EQ(take_of(4).res, -EAGAIN);
	CHECK_EQ(take_of(5).res, -ECANCELED);
	close_pair(fds);
}

static void test_drain(void)
{
	struct aring_sqe *sqe = aring_get_sqe(&ring);
	int fds[2];

	pair(fds);
	aring_prep_poll_add(sqe, fds[0], EPOLLIN);
	aring_sqe_set_data64(sqe, 1);
	sqe = nop(2);
	aring_sqe_set_flags(sqe, ARING_SQE_IO_DRAIN);
	CHECK_EQ(aring_submit(&ring), 2);
	CHECK_EQ(aring_wait_cqe_timeout(&ring, &(struct aring_cqe *){ NULL },
					&short_time), -ETIME);
	CHECK_EQ(write(fds[1], "x", 1), 1);
	CHECK_EQ(take().user_data, 1);
	CHECK_EQ(take().user_data, 2);
	close_pair(fds);
}

/* Submits a receive that never ends, and a limit of @ts for it. */
static void recv_with_limit(int fd, char *in,
			    const struct __kernel_timespec *ts)
{
	struct aring_sqe *sqe = aring_get_sqe(&ring);

	aring_prep_recv(sqe, fd, in, 1, 0);
	aring_sqe_set_flags(sqe, ARING_SQE_IO_LINK);
	aring_sqe_set_data64(sqe, 1);
	sqe = aring_get_sqe(&ring);
	aring_prep_link_timeout(sqe, ts, 0);
	aring_sqe_set_data64(sqe, 2);
	CHECK_EQ(aring_submit(&ring), 2);
}

static void test_link_timeout(void)
{
	struct aring_sqe *sqe;
	int fds[2];
	char in;

	pair(fds);
	recv_with_limit(fds[0], &in, &short_time);
	CHECK_EQ(take_of(1).res, -ECANCELED);
	CHECK_EQ(take_of(2).res, -ETIME);

	/* In time. */
	recv_with_limit(fds[0], &in, &long_time);
	CHECK_EQ(write(fds[1], "x", 1), 1);
	CHECK_EQ(take_of(1).res, 1);
	CHECK_EQ(take_of(2).res, -ECANCELED);

	/* A limit that is made shorter. */
	recv_with_limit(fds[0], &in, &long_time);
	sqe = aring_get_sqe(&ring);
	aring_prep_timeout_update(sqe, &short_time, 2,
				  ARING_LINK_TIMEOUT_UPDATE);
	submit_one(sqe, 3);
	CHECK_EQ(take_of(3).res, 0);
	CHECK_EQ(take_of(1).res, -ECANCELED);
	CHECK_EQ(take_of(2).res, -ETIME);
	close_pair(fds);
}

const struct test net_tests[] = {
	TEST(poll_once, .op = ARING_OP_POLL_ADD),
	TEST(poll_multishot, .op = ARING_OP_POLL_REMOVE),
	TEST(poll_update, .op = ARING_OP_POLL_REMOVE),
	TEST(send_and_recv, .op = ARING_OP_RECV),
	TEST(sendmsg_and_recvmsg, .op = ARING_OP_RECVMSG),
	TEST(sendto, .op = ARING_OP_SEND),
	TEST(links, .op = ARING_OP_RECV, .sqe = ARING_SQE_IO_LINK),
	TEST(drain, .op = ARING_OP_POLL_ADD, .sqe = ARING_SQE_IO_DRAIN),
	TEST(link_timeout, .op = ARING_OP_LINK_TIMEOUT),
	{ }
};
