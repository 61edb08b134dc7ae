// SPDX-License-Identifier: MIT
/*
 * SEND and RECV: what they transfer and when they complete, on each kind of
 * socket. What waits and is taken back or left is in netwait.c, SENDMSG and
 * RECVMSG in netmsg.c.
 */
#include "sock.h"

#define NONEMPTY	((int)ARING_CQE_F_SOCK_NONEMPTY)

RING_FIXTURE(net);

TEST_F(net, what_is_sent_is_received)
{
	static const unsigned int sizes[] = { 1, 7, 64, 1000, 4096, 16000 };
	static char in[16384], out[16384];

	for (int kind = 0; kind < NETS; kind++) {
		int sv[2];

		NEED_EQ(0, net_pair(kind, sv), "%s", NET[kind]);
		for (size_t i = 0; i < 2 * ARRAY_SIZE(sizes); i++) {
			unsigned int n = sizes[i / 2];
			int from = i & 1;

			pattern_fill(out, n, 0, i);
			memset(in, 0, sizeof(in));
			prep_send(&self->r, sv[from], out, n, 0, 1);
			CHECK_EQ((int)n, ring_run(&self->r), "%s, %u",
				 NET[kind], n);
			prep_recv(&self->r, sv[!from], in, n, MSG_WAITALL, 2);
			CHECK_EQ((int)n, ring_run(&self->r), "%s, %u",
				 NET[kind], n);
			CHECK_EQ(-1, pattern_check(in, n, 0, i), "%s, %u",
				 NET[kind], n);
			/* with room to spare */
			prep_send(&self->r, sv[from], out, n, 0, 1);
			prep_recv(&self->r, sv[!from], in, sizeof(in), 0, 2);
			ASSERT_EQ(2, ring_submit(&self->r));
			BOTH(&self->r, 1, (int)n, 2, (int)n, "%s, %u",
			     NET[kind], n);
		}
		net_close(sv);
	}
}

TEST_F(net, a_receive_waits_and_costs_no_thread)
{
	for (int kind = 0; kind < NETS; kind++) {
		char b[64] = "";
		int sv[2];

		NEED_EQ(0, net_pair(kind, sv), "%s", NET[kind]);
		prep_recv(&self->r, sv[0], b, sizeof(b), 0, 1);
		ASSERT_EQ(1, ring_submit(&self->r));
		CHECK_TRUE(ring_quiet(&self->r, 20), "%s", NET[kind]);
		CHECK_EQ(0, peer_workers(&self->r), "%s", NET[kind]);
		ASSERT_EQ(5, send(sv[1], "hello", 5, 0));
		NEXT(&self->r, 1, 5, 0, "%s", NET[kind]);
		EXPECT_STREQ("hello", b);
		net_close(sv);
	}
}

TEST_F(net, the_end_of_a_stream_is_0)
{
	for (int kind = 0; kind <= ON_SEQPACKET; kind++) {
		char b[64];
		int sv[2], flag = kind == ON_TCP ? NONEMPTY : 0;

		NEED_EQ(0, net_pair(kind, sv), "%s", NET[kind]);
		prep_recv(&self->r, sv[0], b, sizeof(b), 0, 1);
		ASSERT_EQ(1, ring_submit(&self->r));
		EXPECT_TRUE(ring_quiet(&self->r, 5));
		ASSERT_EQ(0, shutdown(sv[1], SHUT_WR));
		/* 6.1's TCP counts the end among what there is to receive */
		NEXT(&self->r, 1, 0, flag, "%s", NET[kind]);
		prep_recv(&self->r, sv[0], b, sizeof(b), MSG_WAITALL, 2);
		ASSERT_EQ(1, ring_submit(&self->r));
		NEXT(&self->r, 2, 0, flag, "%s", NET[kind]);
		close(sv[1]);
		prep_recv(&self->r, sv[0], b, sizeof(b), 0, 2);
		CHECK_EQ(0, ring_run(&self->r), "%s", NET[kind]);
		/* its own end shut: nothing will come */
		close(sv[0]);
		NEED_EQ(0, net_pair(kind, sv), "%s", NET[kind]);
		prep_recv(&self->r, sv[0], b, sizeof(b), 0, 1);
		ASSERT_EQ(1, ring_submit(&self->r));
		ASSERT_EQ(0, shutdown(sv[0], SHUT_RD));
		NEXT(&self->r, 1, 0, 0, "%s", NET[kind]);
		net_close(sv);
	}
}

TEST_F(net, waitall_completes_once_when_all_is_there)
{
	for (int kind = 0; kind < STREAMS; kind++) {
		char b[16] = "";
		int sv[2];

		NEED_EQ(0, net_pair(kind, sv), "%s", NET[kind]);
		for (int end = 0; end < 2; end++) {
			memset(b, 0, sizeof(b));
			prep_recv(&self->r, sv[0], b, 9, MSG_WAITALL, 1);
			ASSERT_EQ(1, ring_submit(&self->r));
			for (int i = 0; i < 3 - end; i++) {
				CHECK_TRUE(ring_quiet(&self->r, 20),
					   "%s, piece %d", NET[kind], i);
				EXPECT_EQ(0, peer_workers(&self->r));
				ASSERT_EQ(3, send(sv[1], "abcdefghi" + 3 * i,
						  3, 0));
			}
			/* or with the short count, as the stream ends */
			if (end) {
				CHECK_TRUE(ring_quiet(&self->r, 20), "%s",
					   NET[kind]);
				shutdown(sv[1], SHUT_WR);
			}
			NEXT(&self->r, 1, end ? 6 : 9,
			     end && kind == ON_TCP ? NONEMPTY : 0, "%s, end %d",
			     NET[kind], end);
			EXPECT_STREQ(end ? "abcdef" : "abcdefghi", b);
		}
		net_close(sv);
	}
}

/* It is for streams: a datagram is received, as long or short as it is. */
TEST_F(net, waitall_does_not_wait_for_a_second_datagram)
{
	for (int kind = ON_DGRAM; kind < NETS; kind++) {
		char b[16] = "";
		int sv[2];

		NEED_EQ(0, net_pair(kind, sv), "%s", NET[kind]);
		prep_recv(&self->r, sv[0], b, 9, MSG_WAITALL, 1);
		ASSERT_EQ(1, ring_submit(&self->r));
		EXPECT_TRUE(ring_quiet(&self->r, 5));
		ASSERT_EQ(3, send(sv[1], "abc", 3, 0));
		NEXT(&self->r, 1, 3, 0, "%s", NET[kind]);
		net_close(sv);
	}
}

TEST_F(net, dontwait_is_eagain_and_o_nonblock_waits)
{
	for (int kind = 0; kind < NETS; kind++) {
		char b[16] = "";
		int sv[2];

		NEED_EQ(0, net_pair(kind, sv), "%s", NET[kind]);
		prep_recv(&self->r, sv[0], b, 9, MSG_DONTWAIT, 1);
		CHECK_EQ(-EAGAIN, ring_run(&self->r), "%s", NET[kind]);
		prep_recv(&self->r, sv[0], b, 9, MSG_DONTWAIT, 1)->flags =
			ARING_SQE_ASYNC;
		CHECK_EQ(-EAGAIN, ring_run(&self->r), "%s", NET[kind]);
		ASSERT_EQ(0, fcntl(sv[0], F_SETFL, O_RDWR | O_NONBLOCK));
		prep_recv(&self->r, sv[0], b, 9, 0, 1);
		ASSERT_EQ(1, ring_submit(&self->r));
		CHECK_TRUE(ring_quiet(&self->r, 10), "%s", NET[kind]);
		ASSERT_EQ(3, send(sv[1], "abc", 3, 0));
		NEXT(&self->r, 1, 3, 0, "%s", NET[kind]);
		/* what there is is received */
		ASSERT_EQ(3, send(sv[1], "def", 3, 0));
		usleep(1000);
		prep_recv(&self->r, sv[0], b, 9, MSG_DONTWAIT, 1);
		CHECK_EQ(3, ring_run(&self->r), "%s", NET[kind]);
		if (kind != ON_UDP) {
			net_fill(sv[0]);
			prep_send(&self->r, sv[0], b, 9, MSG_DONTWAIT, 1);
			CHECK_EQ(-EAGAIN, ring_run(&self->r), "%s", NET[kind]);
		}
		net_close(sv);
	}
}

TEST_F(net, peek_leaves_it_and_trunc_tells_its_length)
{
	for (int kind = 0; kind < NETS; kind++) {
		bool stream = kind < STREAMS;
		char b[16] = "";
		int sv[2];

		NEED_EQ(0, net_pair(kind, sv), "%s", NET[kind]);
		prep_recv(&self->r, sv[0], b, 3, MSG_PEEK, 1);
		ASSERT_EQ(1, ring_submit(&self->r));
		ASSERT_EQ(9, send(sv[1], "abcdefghi", 9, 0));
		ASSERT_EQ(0, ring_wait(&self->r, 1));
		EXPECT_STREQ("abc", b);
		*self->r.cq_head += 1;
		prep_recv(&self->r, sv[0], b, 3, MSG_PEEK, 1);
		CHECK_EQ(3, ring_run(&self->r), "%s", NET[kind]);
		if (!stream) {
			prep_recv(&self->r, sv[0], b, 3, MSG_PEEK | MSG_TRUNC,
				  1);
			CHECK_EQ(9, ring_run(&self->r), "%s", NET[kind]);
			prep_recv(&self->r, sv[0], b, 3, MSG_TRUNC, 1);
			CHECK_EQ(9, ring_run(&self->r), "%s", NET[kind]);
			EXPECT_STREQ("abc", b);
			/* the rest of the datagram is gone */
			ASSERT_EQ(2, send(sv[1], "xy", 2, 0));
		}
		prep_recv(&self->r, sv[0], b, 9, 0, 1);
		CHECK_EQ(stream ? 9 : 2, ring_run(&self->r), "%s", NET[kind]);
		net_close(sv);
	}
}

TEST_F(net, a_send_waits_for_room)
{
	for (int kind = 0; kind <= ON_DGRAM; kind++) {
		static char b[1024];
		size_t queued;
		int sv[2];

		NEED_EQ(0, net_pair(kind, sv), "%s", NET[kind]);
		queued = net_fill(sv[0]);
		memset(b, 1, sizeof(b));
		prep_send(&self->r, sv[0], b, sizeof(b), 0, 1);
		ASSERT_EQ(1, ring_submit(&self->r));
		CHECK_TRUE(ring_quiet(&self->r, 20), "%s", NET[kind]);
		EXPECT_EQ(0, peer_workers(&self->r));
		queued -= net_drain(sv[1]);
		NEXT(&self->r, 1, 1024, 0, "%s", NET[kind]);
		/* its bytes may have been among those drained, all of them */
		EXPECT_TRUE(queued == 0 || queued == -1024UL);
		net_close(sv);
	}
}

static const unsigned int BIG = 4 << 20;

/* More than fits: what fits at the first go is the result, or all of it. */
TEST_F(net, a_large_send_is_short_or_waits_for_all)
{
	char *out = malloc(BIG), *in = malloc(BIG);

	pattern_fill(out, BIG, 0, 1);
	for (int kind = 0; kind < STREAMS; kind++) {
		struct aring_cqe cqe;
		int sv[2], buf = 65536;
		unsigned int got = 0;
		ssize_t n;

		NEED_EQ(0, net_pair(kind, sv), "%s", NET[kind]);
		/* else TCP's buffers grow until all of it fits */
		for (int i = 0; i < 2; i++) {
			ASSERT_EQ(0, setsockopt(sv[i], SOL_SOCKET, SO_SNDBUF,
						&buf, sizeof(buf)));
			ASSERT_EQ(0, setsockopt(sv[i], SOL_SOCKET, SO_RCVBUF,
						&buf, sizeof(buf)));
		}
		prep_send(&self->r, sv[0], out, BIG, 0, 1);
		ASSERT_EQ(1, ring_submit(&self->r));
		NEED_EQ(0, ring_cqe(&self->r, &cqe), "%s", NET[kind]);
		CHECK_TRUE(cqe.res > 0 && cqe.res < (int)BIG, "%s: %d",
			   NET[kind], cqe.res);
		EXPECT_EQ((size_t)cqe.res, net_drain(sv[1]));
		prep_send(&self->r, sv[0], out, BIG, MSG_WAITALL, 2);
		ASSERT_EQ(1, ring_submit(&self->r));
		CHECK_TRUE(ring_quiet(&self->r, 20), "%s", NET[kind]);
		EXPECT_EQ(0, peer_workers(&self->r));
		while (got < BIG) {
			/* AF_UNIX sends go on in an ENTER only */
			ring_enter(&self->r, 0, 0, ARING_ENTER_GETEVENTS, NULL,
				   0);
			n = recv(sv[1], in + got, BIG - got, MSG_DONTWAIT);
			if (n > 0)
				got += n;
			else if (ring_ready(&self->r))
				usleep(100);
		}
		NEXT(&self->r, 2, (int)BIG, 0, "%s", NET[kind]);
		CHECK_EQ(-1, pattern_check(in, BIG, 0, 1), "%s", NET[kind]);
		net_close(sv);
	}
	free(out);
	free(in);
}

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

TEST_F(net, nothing_is_sent_and_received)
{
	char b[8];
	int sv[2];

	for (int kind = 0; kind < NETS; kind++) {
		NEED_EQ(0, net_pair(kind, sv), "%s", NET[kind]);
		prep_send(&self->r, sv[0], b, 0, 0, 1);
		CHECK_EQ(0, ring_run(&self->r), "%s", NET[kind]);
		prep_send(&self->r, sv[0], NULL, 0, MSG_WAITALL, 1);
		CHECK_EQ(0, ring_run(&self->r), "%s", NET[kind]);
		/* of a stream when there is something, which it leaves there */
		if (kind < STREAMS) {
			prep_recv(&self->r, sv[1], b, 0, 0, 1);
			ASSERT_EQ(1, ring_submit(&self->r));
			CHECK_TRUE(ring_quiet(&self->r, 10), "%s", NET[kind]);
			ASSERT_EQ(1, send(sv[0], "x", 1, 0));
			NEXT(&self->r, 1, 0, kind == ON_TCP ? NONEMPTY : 0,
			     "%s", NET[kind]);
			prep_recv(&self->r, sv[1], b, 8, 0, 1);
			CHECK_EQ(1, ring_run(&self->r), "%s", NET[kind]);
		} else {
			/* the empty messages */
			prep_recv(&self->r, sv[1], b, 0, 0, 1);
			CHECK_EQ(0, ring_run(&self->r), "%s", NET[kind]);
			prep_recv(&self->r, sv[1], b, 8, 0, 1);
			CHECK_EQ(0, ring_run(&self->r), "%s", NET[kind]);
		}
		prep_recv(&self->r, sv[1], b, 8, MSG_DONTWAIT, 1);
		CHECK_EQ(-EAGAIN, ring_run(&self->r), "%s", NET[kind]);
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

TEST_F(net, poll_first_waits_before_it_tries)
{
	for (int kind = 0; kind < NETS; kind++) {
		char b[8] = "";
		int sv[2];

		NEED_EQ(0, net_pair(kind, sv), "%s", NET[kind]);
		prep_recv(&self->r, sv[0], b, 8, 0, 1)->ioprio =
			ARING_RECVSEND_POLL_FIRST;
		ASSERT_EQ(1, ring_submit(&self->r));
		CHECK_TRUE(ring_quiet(&self->r, 10), "%s", NET[kind]);
		/* there is room */
		prep_send(&self->r, sv[1], "abc", 3, 0, 2)->ioprio =
			ARING_RECVSEND_POLL_FIRST;
		ASSERT_EQ(1, ring_submit(&self->r));
		BOTH(&self->r, 1, 3, 2, 3, "%s", NET[kind]);
		EXPECT_STREQ("abc", b);
		ASSERT_EQ(3, send(sv[1], "def", 3, 0));
		usleep(1000);
		prep_recv(&self->r, sv[0], b, 8, 0, 1)->ioprio =
			ARING_RECVSEND_POLL_FIRST;
		CHECK_EQ(3, ring_run(&self->r), "%s", NET[kind]);
		/*
		 * Not to wait and to wait first: 6.1 does not even try, though
		 * there is something.
		 */
		ASSERT_EQ(3, send(sv[1], "ghi", 3, 0));
		usleep(1000);
		prep_recv(&self->r, sv[0], b, 8, MSG_DONTWAIT, 1)->ioprio =
			ARING_RECVSEND_POLL_FIRST;
		CHECK_EQ(-EAGAIN, ring_run(&self->r), "%s", NET[kind]);
		net_close(sv);
	}
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
		ASSERT_EQ(3, recvfrom(fd[to], b, 8, 0, (void *)&from, &len));
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

/* The flag that more is there: TCP alone knows. */
TEST_F(net, sock_nonempty)
{
	for (int kind = 0; kind < NETS; kind++) {
		int flag = kind == ON_TCP ? NONEMPTY : 0;
		struct ring *r = &self->r;
		bool stream = kind < STREAMS;
		char b[16];
		int sv[2];

		NEED_EQ(0, net_pair(kind, sv), "%s", NET[kind]);
		ASSERT_EQ(6, send(sv[1], "abcdef", 6, 0));
		ASSERT_EQ(6, send(sv[1], "ghijkl", 6, 0));
		usleep(5000);
		prep_recv(r, sv[0], b, 6, 0, 1);
		ASSERT_EQ(1, ring_submit(r));
		NEXT(r, 1, 6, flag, "%s, half", NET[kind]);
		prep_recv(r, sv[0], b, 3, 0, 1);
		ASSERT_EQ(1, ring_submit(r));
		NEXT(r, 1, 3, flag, "%s, part", NET[kind]);
		if (stream) {
			prep_recv(r, sv[0], b, 3, MSG_PEEK, 1);
			ASSERT_EQ(1, ring_submit(r));
			NEXT(r, 1, 3, flag, "%s, peeked", NET[kind]);
			prep_recv(r, sv[0], b, 16, 0, 1);
			ASSERT_EQ(1, ring_submit(r));
			NEXT(r, 1, 3, 0, "%s, rest", NET[kind]);
		}
		/* one that had to wait */
		prep_recv(r, sv[0], b, 2, 0, 1);
		ASSERT_EQ(1, ring_submit(r));
		EXPECT_TRUE(ring_quiet(r, 5));
		ASSERT_EQ(6, send(sv[1], "abcdef", 6, 0));
		NEXT(r, 1, 2, flag, "%s, waited", NET[kind]);
		net_close(sv);
	}
}

TEST_F(net, async_ones_are_the_same)
{
	for (int kind = 0; kind < NETS; kind++) {
		char b[8] = "";
		int sv[2];

		NEED_EQ(0, net_pair(kind, sv), "%s", NET[kind]);
		prep_recv(&self->r, sv[0], b, 8, 0, 1)->flags =
			ARING_SQE_ASYNC;
		ASSERT_EQ(1, ring_submit(&self->r));
		CHECK_TRUE(ring_quiet(&self->r, 30), "%s", NET[kind]);
		CHECK_EQ(0, peer_workers(&self->r), "%s", NET[kind]);
		prep_send(&self->r, sv[1], "abc", 3, 0, 2)->flags =
			ARING_SQE_ASYNC;
		ASSERT_EQ(1, ring_submit(&self->r));
		BOTH(&self->r, 1, 3, 2, 3, "%s", NET[kind]);
		EXPECT_STREQ("abc", b);
		net_close(sv);
	}
}

TEST_F(net, skip_success)
{
	char b[8] = "";
	int sv[2];

	ASSERT_EQ(0, net_pair(ON_UNIX, sv));
	prep_recv(&self->r, sv[0], b, 8, 0, 1)->flags =
		ARING_SQE_CQE_SKIP_SUCCESS;
	prep_send(&self->r, sv[1], "abc", 3, 0, 2)->flags =
		ARING_SQE_CQE_SKIP_SUCCESS;
	ASSERT_EQ(2, ring_submit(&self->r));
	EXPECT_TRUE(ring_quiet(&self->r, 20));
	EXPECT_STREQ("abc", b);
	/* the end of the stream is one, too; an error is not */
	shutdown(sv[1], SHUT_WR);
	prep_recv(&self->r, sv[0], b, 8, 0, 1)->flags =
		ARING_SQE_CQE_SKIP_SUCCESS;
	ASSERT_EQ(1, ring_submit(&self->r));
	EXPECT_TRUE(ring_quiet(&self->r, 10));
	prep_send(&self->r, sv[1], b, 8, 0, 1)->flags =
		ARING_SQE_CQE_SKIP_SUCCESS;
	EXPECT_EQ(-EPIPE, ring_run(&self->r));
	net_close(sv);
}

TEST_F(net, a_chain_echoes)
{
	char b[8] = "", c[8] = "";
	int sv[2];

	for (int kind = 0; kind < STREAMS; kind++) {
		NEED_EQ(0, net_pair(kind, sv), "%s", NET[kind]);
		prep_recv(&self->r, sv[0], b, 3, 0, 1)->flags =
			ARING_SQE_IO_LINK;
		prep_send(&self->r, sv[0], b, 3, 0, 2);
		ASSERT_EQ(2, ring_submit(&self->r));
		EXPECT_TRUE(ring_quiet(&self->r, 10));
		ASSERT_EQ(3, send(sv[1], "abc", 3, 0));
		NEXT(&self->r, 1, 3, 0, "%s", NET[kind]);
		NEXT(&self->r, 2, 3, 0, "%s", NET[kind]);
		ASSERT_EQ(3, recv(sv[1], c, 8, 0));
		EXPECT_STREQ("abc", c);
		/* a short one breaks the chain only if all was asked for */
		for (int all = 0; all < 2; all++) {
			prep_recv(&self->r, sv[0], b, 8, all ? MSG_WAITALL : 0,
				  1)->flags = ARING_SQE_IO_LINK;
			prep_send(&self->r, sv[0], b, 3, 0, 2);
			ASSERT_EQ(2, ring_submit(&self->r));
			ASSERT_EQ(3, send(sv[1], "abc", 3, 0));
			if (all)
				shutdown(sv[1], SHUT_WR);
			NEED_EQ(0, ring_wait(&self->r, 2), "%s", NET[kind]);
			for (int i = 1; i < 3; i++) {
				struct aring_cqe cqe;

				ASSERT_TRUE(ring_reap(&self->r, &cqe));
				CHECK_EQ(i, cqe.user_data, "%s", NET[kind]);
				CHECK_EQ(i == 2 && all ? -ECANCELED : 3,
					 cqe.res, "%s, %d", NET[kind], i);
			}
		}
		net_close(sv);
	}
}

RING_TEST_MAIN
