// SPDX-License-Identifier: MIT
/*
 * SEND and RECV: what they transfer and when they complete, on each kind of
 * socket; the same of SENDMSG and RECVMSG with several buffers. Their control
 * data is in netmsg.c, errors in neterr.c, what is taken back in netwait.c.
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
		CHECK_TRUE(net_take(&self->r, sv[1], queued + 1024), "%s",
			   NET[kind]);
		NEXT(&self->r, 1, 1024, 0, "%s", NET[kind]);
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
		CHECK_TRUE(net_take(&self->r, sv[1], cqe.res), "%s", NET[kind]);
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

TEST_F(net, several_buffers)
{
	static const unsigned int counts[] = { 1, 2, 8, 9, 100, 1024 };
	static char out[1024][3], in[1024][3];
	struct iovec vo[1024], vi[1024];

	for (int kind = 0; kind < NETS; kind++) {
		int sv[2];

		NEED_EQ(0, net_pair(kind, sv), "%s", NET[kind]);
		for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
			unsigned int n = counts[i];
			struct msghdr mo = { .msg_iov = vo, .msg_iovlen = n };
			struct msghdr mi = { .msg_iov = vi, .msg_iovlen = n };

			pattern_fill(out, sizeof(out), 0, i);
			memset(in, 0, sizeof(in));
			for (unsigned int k = 0; k < n; k++) {
				vo[k] = (struct iovec) { out[k], 3 };
				vi[k] = (struct iovec) { in[k], 3 };
			}
			/* the receiver waits, then not */
			for (int late = 0; late < 2; late++) {
				if (!late)
					prep_recvmsg(&self->r, sv[1], &mi,
						     MSG_WAITALL, 2);
				prep_sendmsg(&self->r, sv[0], &mo, 0, 1);
				if (late)
					prep_recvmsg(&self->r, sv[1], &mi, 0,
						     2);
				ASSERT_EQ(2, ring_submit(&self->r));
				BOTH(&self->r, 1, 3 * (int)n, 2, 3 * (int)n,
				     "%s, %u buffers, late %d", NET[kind], n,
				     late);
				CHECK_EQ(-1, pattern_check(in, 3 * n, 0, i),
					 "%s, %u buffers", NET[kind], n);
			}
		}
		net_close(sv);
	}
}

TEST_F(net, waitall_fills_all_buffers)
{
	for (int kind = 0; kind < STREAMS; kind++) {
		char a[3], b[3], c[4] = "";
		struct iovec v[3] = { { a, 3 }, { b, 3 }, { c, 3 } };
		struct msghdr m = { .msg_iov = v, .msg_iovlen = 3 };
		int sv[2];

		NEED_EQ(0, net_pair(kind, sv), "%s", NET[kind]);
		prep_recvmsg(&self->r, sv[0], &m, MSG_WAITALL, 1);
		ASSERT_EQ(1, ring_submit(&self->r));
		/* the array was copied */
		memset(v, 0, sizeof(v));
		for (int i = 0; i < 4; i++) {
			static const char *const piece[] = {
				"ab", "cde", "f", "ghi",
			};

			CHECK_TRUE(ring_quiet(&self->r, 10), "%s, %d",
				   NET[kind], i);
			ASSERT_LT(0, send(sv[1], piece[i], strlen(piece[i]),
					  0));
		}
		NEXT(&self->r, 1, 9, 0, "%s", NET[kind]);
		EXPECT_EQ(0, memcmp(a, "abc", 3));
		EXPECT_EQ(0, memcmp(b, "def", 3));
		EXPECT_STREQ("ghi", c);
		net_close(sv);
	}
}

TEST_F(net, a_large_one_is_sent_in_parts)
{
	unsigned int len = 1 << 20, got = 0;
	char *out = malloc(3 * len), *in = malloc(3 * len);
	struct iovec v[3] = {
		{ out, len }, { out + len, len }, { out + 2 * len, len },
	};
	struct msghdr m = { .msg_iov = v, .msg_iovlen = 3 };
	int sv[2];

	pattern_fill(out, 3 * len, 0, 5);
	ASSERT_EQ(0, net_pair(ON_UNIX, sv));
	prep_sendmsg(&self->r, sv[0], &m, MSG_WAITALL, 1);
	ASSERT_EQ(1, ring_submit(&self->r));
	EXPECT_TRUE(ring_quiet(&self->r, 10));
	memset(v, 0xff, sizeof(v));
	memset(&m, 0xff, sizeof(m));
	while (got < 3 * len) {
		ssize_t n;

		ring_enter(&self->r, 0, 0, ARING_ENTER_GETEVENTS, NULL, 0);
		n = recv(sv[1], in + got, 3 * len - got, MSG_DONTWAIT);
		got += n > 0 ? n : 0;
	}
	NEXT(&self->r, 1, 3 * (int)len, 0, "all of it");
	EXPECT_EQ(-1, pattern_check(in, 3 * len, 0, 5));
	net_close(sv);
	free(in);
	free(out);
}

RING_TEST_MAIN
