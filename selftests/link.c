// SPDX-License-Identifier: MIT
/*
 * Chains: in which order they run, what breaks them, and which completions are
 * seen then. Bad SQEs, cancelling and the end of the ring are in linkend.c.
 */
#include "chain.h"
#include <sys/resource.h>
#include <sys/socket.h>

RING_FIXTURE(link);

TEST_F(link, a_member_starts_when_its_predecessor_is_over)
{
	struct ring *r = &self->r;
	int a[2], b[2];
	char c;

	ASSERT_EQ(0, pipe(a));
	ASSERT_EQ(0, pipe(b));
	for (int flags = 0; flags < 4; flags++) {
		prep_read(r, a[0], &c, 1, 0, 1)->flags =
			(flags & 1 ? HARD : LINK) | (flags & 2 ? ASYNC : 0);
		prep_write(r, b[1], "y", 1, 0, 2)->flags =
			flags & 2 ? ASYNC : 0;
		ASSERT_EQ(2, ring_submit(r));
		CHECK_TRUE(ring_quiet(r, 10), "flags %d", flags);
		CHECK_TRUE(!readable(b[0]), "flags %d", flags);
		feed(_metadata, a[1]);
		SEE(r, { 1, 1 }, { 2, 1 });
		ASSERT_EQ(1, read(b[0], &c, 1));
	}
}

/* Each write is seen by the read after it, and by no read before it. */
TEST_F(link, every_length_from_2_to_64)
{
	int fd = open("/tmp", O_TMPFILE | O_RDWR, 0600);
	struct ring *r = &self->r;
	unsigned char w[64], b[64];
	struct aring_cqe cqe;

	ASSERT_EQ(1, pwrite(fd, "", 1, 0));
	for (int n = 2; n <= 64; n++) {
		memset(b, 0, sizeof(b));
		for (int i = 0; i < n; i++) {
			w[i] = n + i;
			if (i & 1)
				prep_read(r, fd, &b[i], 1, 0, i);
			else
				prep_write(r, fd, &w[i], 1, 0, i);
			r->sqes[(r->tail - 1) & 63].flags =
				i == n - 1 ? 0 : LINK;
		}
		NEED_EQ(n, ring_submit(r), "length %d", n);
		for (int i = 0; i < n; i++) {
			NEED_EQ(0, ring_cqe(r, &cqe), "length %d", n);
			NEED_EQ(i, cqe.user_data, "length %d", n);
			NEED_EQ(1, cqe.res, "length %d, member %d", n, i);
			if (i & 1)
				NEED_EQ(n + i - 1, b[i], "length %d", n);
		}
	}
	EXPECT_TRUE(ring_quiet(r, 5));
}

TEST_F(link, what_runs_at_once_is_over_when_ENTER_returns)
{
	struct ring *r = &self->r;
	struct aring_cqe cqe;

	for (int i = 0; i < 64; i++)
		prep_nop(r, i)->flags = i == 63 ? 0 : LINK;
	ASSERT_EQ(64, ring_submit(r));
	EXPECT_EQ(64, ring_ready(r));
	for (int i = 0; i < 64; i++) {
		ASSERT_TRUE(ring_reap(r, &cqe));
		EXPECT_EQ(i, cqe.user_data);
		EXPECT_EQ(0, cqe.res);
	}
	/* waited for in the same call */
	for (int i = 0; i < 8; i++)
		prep_nop(r, i)->flags = i == 7 ? 0 : HARD | ASYNC;
	ASSERT_EQ(8, ring_enter(r, ring_flush(r), 8, ARING_ENTER_GETEVENTS,
				NULL, 0));
	EXPECT_EQ(8, ring_ready(r));
}

/* One chain of mixed operations, and the file as it is after each of them. */
struct mix {
	int fd, pipe[2];
	unsigned char file[256], buf[64][32], want[64][32];
	struct iovec v[64][2];
	int len[64];
	struct __kernel_timespec ts;
	int queued;		/* bytes in the pipe */
	unsigned char first, last;	/* and which */
};

static struct aring_sqe *mix_one(struct ring *r, struct mix *m, int i,
				 __u64 *seed)
{
	int len = 1 + rnd(seed) % 32, off = rnd(seed) % (256 - 32);
	unsigned int op = rnd(seed) % 9;
	unsigned char *b = m->buf[i];

	m->len[i] = len;
	m->v[i][0] = (struct iovec) { b, len / 2 };
	m->v[i][1] = (struct iovec) { b + len / 2, len - len / 2 };
	memset(b, 0, 32);
	if (op == 2 || op == 3) {
		pattern_fill(b, len, rnd(seed), i);
		memcpy(m->file + off, b, len);
	} else if (op == 4 || op == 5) {
		memcpy(m->want[i], m->file + off, len);
	} else if (op == 6 && !m->queued) {
		op = 7;
	} else if (op == 7 && m->queued > 50) {
		op = 6;
	}
	if (op >= 2 && op <= 5) {
		static const int code[] = { ARING_OP_WRITE, ARING_OP_WRITEV,
					    ARING_OP_READ, ARING_OP_READV };

		return prep(r, code[op - 2], m->fd,
			    op & 1 ? (void *)m->v[i] : b, op & 1 ? 2 : len,
			    off, len);
	}
	m->len[i] = 0;
	switch (op) {
	case 0:
		return prep(r, ARING_OP_FSYNC, m->fd, NULL, 0, 0, 0);
	case 6:
		m->queued--;
		m->len[i] = 1;
		m->want[i][0] = m->first++;
		return prep_read(r, m->pipe[0], b, 1, 0, 1);
	case 7:
		m->queued++;
		m->len[i] = 1;
		b[0] = m->last++;
		return prep_write(r, m->pipe[1], b, 1, 0, 1);
	case 8:
		return prep_timeout(r, &m->ts, 0, ARING_TIMEOUT_ETIME_SUCCESS,
				    -ETIME);
	}
	return prep_nop(r, 0);
}

TEST_F_TIMEOUT(link, mixed_chains, 60)
{
	unsigned long rounds = test_scale(100, 10);
	struct ring *r = &self->r;
	static struct mix m;
	struct aring_cqe cqe;
	__u64 seed = 4711;

	m.fd = open("/tmp", O_TMPFILE | O_RDWR, 0600);
	m.ts = to_ts(100000);
	ASSERT_EQ(256, pwrite(m.fd, m.file, 256, 0));
	ASSERT_EQ(0, pipe(m.pipe));
	for (unsigned long round = 0; round < rounds; round++) {
		int n = 2 + rnd(&seed) % 63, want[64];

		memset(m.want, 0, sizeof(m.want));
		for (int i = 0; i < n; i++) {
			struct aring_sqe *s = mix_one(r, &m, i, &seed);

			want[i] = s->user_data;
			s->user_data = i;
			s->flags = rnd(&seed) % 4 ? 0 : ASYNC;
			if (i < n - 1)
				s->flags |= rnd(&seed) % 2 ? LINK : HARD;
			/* the bytes of writes are what they will be */
			if (s->opcode == ARING_OP_WRITE ||
			    s->opcode == ARING_OP_WRITEV)
				memcpy(m.want[i], m.buf[i], 32);
		}
		NEED_EQ(n, ring_submit(r), "round %lu", round);
		/* taken at submission: neither is looked at again */
		memset(m.v, 0xff, sizeof(m.v));
		m.ts = to_ts(ms(100000));
		for (int i = 0; i < n; i++) {
			NEED_EQ(0, ring_cqe(r, &cqe), "round %lu, %d of %d",
				round, i, n);
			NEED_EQ(i, cqe.user_data, "round %lu", round);
			NEED_EQ(want[i], cqe.res, "round %lu, member %d of %d",
				round, i, n);
			NEED_EQ(0, memcmp(m.buf[i], m.want[i], m.len[i]),
				"round %lu, data of member %d", round, i);
		}
		m.ts = to_ts(100000);
	}
	EXPECT_TRUE(ring_quiet(r, 5));
}

TEST_F(link, chains_do_not_wait_for_each_other)
{
	struct ring *r = &self->r;
	int a[2], b[2];
	char c;

	ASSERT_EQ(0, pipe(a));
	ASSERT_EQ(0, pipe(b));
	prep_read(r, a[0], &c, 1, 0, 1)->flags = LINK;
	prep_nop(r, 2);
	prep_read(r, b[0], &c, 1, 0, 3)->flags = LINK;
	prep_nop(r, 4)->flags = LINK;
	prep_nop(r, 5);
	prep_nop(r, 6);
	ASSERT_EQ(6, ring_submit(r));
	SEE(r, { 6, 0 });
	feed(_metadata, b[1]);
	SEE(r, { 3, 1 }, { 4, 0 }, { 5, 0 });
	/* a failure stays in its chain */
	prep_ebadf(r, 7)->flags = LINK;
	prep_nop(r, 8);
	ASSERT_EQ(2, ring_submit(r));
	SEE(r, { 7, -EBADF }, { 8, -ECANCELED });
	feed(_metadata, a[1]);
	SEE(r, { 1, 1 }, { 2, 0 });
}

/* Ways in which a request can end, and whether the chain ends with it. */
enum {
	EBADF_READ, EFAULT_READ, SHORT_READ, READ_AT_END, SHORT_READV,
	SHORT_WRITE, SHORT_WRITEV, SHORT_PIPE_READ, TIME_OUT, NO_CANCEL,
	NO_REMOVE, RECV_ALL_SHORT, RECV_AGAIN,
	BREAKING,
	WHOLE_READ = BREAKING, EMPTY_READ, RECV_SHORT, RECV_END, RECV_ALL,
	ETIME_IS_FINE, CANCELS_NONE, POLLED, FSYNC_PIPE,
	WAYS
};

static const struct {
	const char *name;
	int res;
} WAY[] = {
	[EBADF_READ] = { "read of a descriptor that is not open", -EBADF },
	[EFAULT_READ] = { "read to a bad address", -EFAULT },
	[SHORT_READ] = { "short READ", 3 },
	[READ_AT_END] = { "READ at the end", 0 },
	[SHORT_READV] = { "short READV", 3 },
	[SHORT_WRITE] = { "short WRITE", 4096 },
	[SHORT_WRITEV] = { "short WRITEV", 4096 },
	[SHORT_PIPE_READ] = { "short READ of a pipe", 3 },
	[TIME_OUT] = { "TIMEOUT", -ETIME },
	[NO_CANCEL] = { "ASYNC_CANCEL of nothing", -ENOENT },
	[NO_REMOVE] = { "TIMEOUT_REMOVE of nothing", -ENOENT },
	[RECV_ALL_SHORT] = { "short RECV with MSG_WAITALL", 3 },
	[RECV_AGAIN] = { "RECV with MSG_DONTWAIT of nothing", -EAGAIN },
	[WHOLE_READ] = { "READ of all that was asked for", 5 },
	[EMPTY_READ] = { "READ of 0 bytes", 0 },
	[RECV_SHORT] = { "short RECV", 3 },
	[RECV_END] = { "RECV at the end", 0 },
	[RECV_ALL] = { "RECV of all with MSG_WAITALL", 3 },
	[ETIME_IS_FINE] = { "TIMEOUT with ETIME_SUCCESS", -ETIME },
	[CANCELS_NONE] = { "ASYNC_CANCEL of all that match none", 0 },
	[POLLED] = { "POLL_ADD", POLLIN },
	/* 6.1 never counts the error of an FSYNC as a failure */
	[FSYNC_PIPE] = { "FSYNC of a pipe", -EINVAL },
};

struct ways {
	int file, big, pipe[2], sock[2];
	char b[8192];
	struct iovec v, w;
	struct __kernel_timespec ts;
};

static void ways_init(struct __test_metadata *_metadata, struct ways *w)
{
	struct rlimit lim = { 4096, 4096 };

	w->file = open("/tmp", O_TMPFILE | O_RDWR, 0600);
	w->big = open("/tmp", O_TMPFILE | O_RDWR, 0600);
	ASSERT_EQ(5, pwrite(w->file, "hello", 5, 0));
	w->v = (struct iovec) { w->b, 8 };
	w->w = (struct iovec) { w->b, 8192 };
	w->ts = to_ts(ms(1));
	signal(SIGXFSZ, SIG_IGN);
	ASSERT_EQ(0, setrlimit(RLIMIT_FSIZE, &lim));
}

static struct aring_sqe *prep_recv(struct ring *r, struct ways *w,
				   unsigned int len, __u32 flags, __u64 ud)
{
	struct aring_sqe *s = prep(r, ARING_OP_RECV, w->sock[0], w->b, len, 0,
				   ud);

	s->msg_flags = flags;
	return s;
}

static struct aring_sqe *prep_way(struct __test_metadata *_metadata,
				  struct ring *r, struct ways *w, int way,
				  __u64 ud)
{
	ASSERT_EQ(0, pipe(w->pipe));
	ASSERT_EQ(3, write(w->pipe[1], "abc", 3));
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, w->sock));
	if (way != RECV_AGAIN && way != RECV_END)
		ASSERT_EQ(3, write(w->sock[1], "abc", 3));
	if (way == RECV_ALL_SHORT || way == RECV_END)
		ASSERT_EQ(0, shutdown(w->sock[1], SHUT_WR));
	switch (way) {
	case EBADF_READ:
		return prep_ebadf(r, ud);
	case EFAULT_READ:
		return prep_read(r, w->file, (void *)8, 5, 0, ud);
	case SHORT_READ:
		return prep_read(r, w->file, w->b, 8, 2, ud);
	case READ_AT_END:
		return prep_read(r, w->file, w->b, 8, 5, ud);
	case SHORT_READV:
		return prep(r, ARING_OP_READV, w->file, &w->v, 1, 2, ud);
	case SHORT_WRITE:
		return prep_write(r, w->big, w->b, 8192, 0, ud);
	case SHORT_WRITEV:
		return prep(r, ARING_OP_WRITEV, w->big, &w->w, 1, 0, ud);
	case SHORT_PIPE_READ:
		return prep_read(r, w->pipe[0], w->b, 8, 0, ud);
	case TIME_OUT:
	case ETIME_IS_FINE:
		return prep_timeout(r, &w->ts, 0, way == TIME_OUT ? 0 :
				    ARING_TIMEOUT_ETIME_SUCCESS, ud);
	case NO_CANCEL:
	case CANCELS_NONE:
		return prep_cancel(r, 99, way == NO_CANCEL ? 0 :
				   ARING_ASYNC_CANCEL_ALL, ud);
	case NO_REMOVE:
		return prep_remove(r, 99, ud);
	case FSYNC_PIPE:
		return prep(r, ARING_OP_FSYNC, w->pipe[0], NULL, 0, 0, ud);
	case RECV_AGAIN:
		return prep_recv(r, w, 8, MSG_DONTWAIT, ud);
	case RECV_ALL_SHORT:
		return prep_recv(r, w, 8, MSG_WAITALL, ud);
	case RECV_ALL:
		return prep_recv(r, w, 3, MSG_WAITALL, ud);
	case RECV_SHORT:
	case RECV_END:
		return prep_recv(r, w, 8, 0, ud);
	case WHOLE_READ:
		return prep_read(r, w->file, w->b, 5, 0, ud);
	case EMPTY_READ:
		return prep_read(r, w->file, w->b, 0, 0, ud);
	}
	prep(r, ARING_OP_POLL_ADD, w->pipe[0], NULL, 0, 0, ud);
	r->sqes[(r->tail - 1) & 63].poll32_events = POLLIN;
	return &r->sqes[(r->tail - 1) & 63];
}

static void ways_drop(struct ways *w)
{
	for (int i = 0; i < 2; i++) {
		close(w->pipe[i]);
		close(w->sock[i]);
	}
}

/* Is @way as head or in the middle, with each kind of link, as it must be? */
static void try_way(struct __test_metadata *_metadata, struct ring *r,
		    struct ways *w, int way)
{
	for (int form = 0; form < 8; form++) {
		__u8 flag = form & 1 ? HARD : LINK;
		int rest = way < BREAKING && flag == LINK ? -ECANCELED : 0;
		bool first = form & 2, before = _metadata->passed;

		/* a later member has its file and address taken early */
		if (!first)
			prep_nop(r, 0)->flags = LINK;
		prep_way(_metadata, r, w, way, 1)->flags =
			flag | (form & 4 ? ASYNC : 0);
		prep_nop(r, 2)->flags = LINK;
		prep_nop(r, 3);
		NEED_EQ(first ? 3 : 4, ring_submit(r), "%s, form %d",
			WAY[way].name, form);
		if (first)
			SEE(r, { 1, WAY[way].res }, { 2, rest }, { 3, rest });
		else
			SEE(r, { 0, 0 }, { 1, WAY[way].res }, { 2, rest },
			    { 3, rest });
		CHECK_TRUE(_metadata->passed || !before, "%s, form %d",
			   WAY[way].name, form);
		ways_drop(w);
	}
}

TEST_F_TIMEOUT(link, what_breaks_a_chain, 60)
{
	static struct ways w;

	ways_init(_metadata, &w);
	for (int way = 0; way < BREAKING; way++)
		try_way(_metadata, &self->r, &w, way);
}

TEST_F_TIMEOUT(link, what_does_not_break_a_chain, 60)
{
	static struct ways w;

	ways_init(_metadata, &w);
	for (int way = BREAKING; way < WAYS; way++)
		try_way(_metadata, &self->r, &w, way);
}

TEST_F(link, a_count_that_is_reached_does_not_break_a_chain)
{
	struct __kernel_timespec ts = to_ts(ms(100000));
	struct ring *r = &self->r;

	prep_timeout(r, &ts, 1, 0, 1)->flags = LINK;
	prep_nop(r, 2);
	ASSERT_EQ(2, ring_submit(r));
	EXPECT_TRUE(ring_quiet(r, 5));
	prep_nop(r, 3);
	ASSERT_EQ(1, ring_submit(r));
	SEE(r, { 3, 0 }, { 1, 0 }, { 2, 0 });
}

/*
 * Chains of members that fail or do not, with both kinds of links mixed: LINK
 * after a failure ends all that follow, however they are linked.
 */
TEST_F(link, hard_and_soft_links_mixed)
{
	static const __u8 FLAGS[] = { LINK, HARD, LINK | HARD };
	struct ring *r = &self->r;
	__u64 seed = 12345;

	for (unsigned long k = test_scale(300, 30); k; k--) {
		int n = 2 + rnd(&seed) % 9;
		struct want w[16];
		bool broken = false;

		for (int i = 0; i < n; i++) {
			bool fails = rnd(&seed) % 3 == 0;
			struct aring_sqe *s;

			s = fails ? prep_ebadf(r, i) : prep_nop(r, i);
			if (i < n - 1)
				s->flags = FLAGS[rnd(&seed) % 3];
			if (rnd(&seed) % 8 == 0)
				s->flags |= ASYNC;
			w[i].ud = i;
			w[i].res = broken ? -ECANCELED : fails ? -EBADF : 0;
			if (fails && !(s->flags & HARD))
				broken = true;
		}
		NEED_EQ(n, ring_submit(r), "seed %llu", seed);
		see_cqes(_metadata, r, w, n, true, __LINE__);
		NEED_TRUE(_metadata->passed, "seed %llu", seed);
	}
}

TEST_F(link, skipped_successes)
{
	struct ring *r = &self->r;
	int p[2];

	prep_nop(r, 1)->flags = LINK | SKIP_OK;
	prep_nop(r, 2)->flags = LINK | SKIP_OK;
	prep_nop(r, 3);
	ASSERT_EQ(3, ring_submit(r));
	SEE(r, { 3, 0 });
	prep_nop(r, 1)->flags = LINK | SKIP_OK;
	prep_nop(r, 2)->flags = HARD;
	prep_nop(r, 3)->flags = SKIP_OK;
	ASSERT_EQ(3, ring_submit(r));
	SEE(r, { 2, 0 });
	/* 6.1 does not count the error of an FSYNC as a failure */
	ASSERT_EQ(0, pipe(p));
	prep(r, ARING_OP_FSYNC, p[0], NULL, 0, 0, 1)->flags = LINK | SKIP_OK;
	prep_nop(r, 2);
	ASSERT_EQ(2, ring_submit(r));
	SEE(r, { 2, 0 });
}

TEST_F(link, a_failure_with_SKIP_hides_what_it_cancels)
{
	struct ring *r = &self->r;

	prep_nop(r, 1)->flags = LINK | SKIP_OK;
	prep_ebadf(r, 2)->flags = LINK | SKIP_OK;
	prep_nop(r, 3)->flags = LINK;
	prep_nop(r, 4);
	prep_nop(r, 5);
	ASSERT_EQ(5, ring_submit(r));
	SEE_SET(r, { 2, -EBADF }, { 5, 0 });
	/* through a hard link nothing is cancelled */
	prep_ebadf(r, 1)->flags = HARD | SKIP_OK;
	prep_nop(r, 2)->flags = LINK;
	prep_nop(r, 3)->flags = SKIP_OK;
	ASSERT_EQ(3, ring_submit(r));
	SEE(r, { 1, -EBADF }, { 2, 0 });
}

TEST_F(link, a_failure_without_SKIP_shows_what_it_cancels)
{
	struct ring *r = &self->r;

	prep_ebadf(r, 1)->flags = LINK;
	prep_nop(r, 2)->flags = LINK | SKIP_OK;
	prep_nop(r, 3)->flags = SKIP_OK;
	ASSERT_EQ(3, ring_submit(r));
	SEE(r, { 1, -EBADF }, { 2, -ECANCELED }, { 3, -ECANCELED });
	/* also if one before it was skipped */
	prep_nop(r, 1)->flags = LINK | SKIP_OK;
	prep_ebadf(r, 2)->flags = LINK;
	prep_nop(r, 3)->flags = SKIP_OK;
	ASSERT_EQ(3, ring_submit(r));
	SEE(r, { 2, -EBADF }, { 3, -ECANCELED });
}

RING_TEST_MAIN
