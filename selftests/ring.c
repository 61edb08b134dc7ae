// SPDX-License-Identifier: MIT
/*
 * The shared memory: indices that wrap, lie or are rewritten, the array of
 * SQE numbers, batches with a bad SQE in them, and a CQ that overflows.
 */
#include "ring.h"
#include "kmsg.h"
#include <poll.h>

RING_FIXTURE(memory);

TEST_F(memory, one_enter_submits_a_batch_and_reaping_needs_no_call)
{
	int zero = open("/dev/zero", O_RDONLY);
	struct aring_cqe cqe;
	char b[64][8];

	ASSERT_GE(zero, 0);
	for (unsigned int n = 1; n <= 64; n++) {
		for (unsigned int i = 0; i < n; i++) {
			if (i & 1)
				prep_read(&self->r, zero, b[i], 8, 0, i);
			else
				prep_nop(&self->r, i);
		}
		NEED_EQ(n, ring_submit(&self->r), "batch of %u", n);
		/* from here on nothing but shared memory is looked at */
		NEED_EQ(n, ring_ready(&self->r), "batch of %u", n);
		for (unsigned int i = 0; i < n; i++) {
			ASSERT_TRUE(ring_reap(&self->r, &cqe));
			EXPECT_EQ(i, cqe.user_data);
			EXPECT_EQ(i & 1 ? 8 : 0, cqe.res);
			EXPECT_EQ(0, cqe.flags);
		}
		EXPECT_EQ(*self->r.sq_head, *self->r.sq_tail);
	}
}

TEST_F(memory, no_more_is_taken_than_asked_for_or_offered)
{
	for (int i = 0; i < 10; i++)
		prep_nop(&self->r, i);
	EXPECT_EQ(0, ring_enter(&self->r, 5, 0, 0, NULL, 0));
	ring_flush(&self->r);
	EXPECT_EQ(0, ring_enter(&self->r, 0, 0, 0, NULL, 0));
	EXPECT_EQ(0, ring_ready(&self->r));
	EXPECT_EQ(3, ring_enter(&self->r, 3, 0, 0, NULL, 0));
	EXPECT_EQ(3, ring_ready(&self->r));
	EXPECT_EQ(3, *self->r.sq_head);
	EXPECT_EQ(7, ring_enter(&self->r, UINT_MAX, 0, 0, NULL, 0));
	EXPECT_EQ(10, ring_ready(&self->r));
	EXPECT_EQ(0, ring_enter(&self->r, 1, 0, 0, NULL, 0));
}

TEST_F(memory, the_array_gives_the_order)
{
	struct ring *r = &self->r;
	struct aring_cqe cqe;

	for (int i = 0; i < 64; i++)
		prep_nop(r, i);
	for (int i = 0; i < 64; i++)
		r->sq_array[i] = 63 - i;
	ASSERT_EQ(64, ring_submit(r));
	for (int i = 0; i < 64; i++) {
		ASSERT_TRUE(ring_reap(r, &cqe));
		EXPECT_EQ(63 - i, cqe.user_data);
	}
	/* one SQE many times */
	for (int i = 0; i < 64; i++)
		r->sq_array[i] = 5;
	r->tail += 64;
	ASSERT_EQ(64, ring_submit(r));
	for (int i = 0; i < 64; i++) {
		ASSERT_TRUE(ring_reap(r, &cqe));
		EXPECT_EQ(5, cqe.user_data);
	}
}

TEST_F(memory, an_array_entry_out_of_range_is_dropped)
{
	static const __u32 bad[] = { 64, 65, 0x7fffffff, 0x80000000, UINT_MAX };
	struct ring *r = &self->r;
	struct aring_cqe cqe;

	for (unsigned int k = 0; k < ARRAY_SIZE(bad); k++) {
		__u32 head = *r->sq_head;

		for (int i = 0; i < 3; i++)
			prep_nop(r, i);
		r->sq_array[(head + 1) & 63] = bad[k];
		/* it ends the batch, and is neither submitted nor completed */
		CHECK_EQ(1, ring_submit(r), "entry %#x", bad[k]);
		CHECK_EQ(k + 1, *r->sq_dropped, "entry %#x", bad[k]);
		CHECK_EQ(head + 2, *r->sq_head, "entry %#x", bad[k]);
		EXPECT_EQ(1, ring_submit(r));
		EXPECT_EQ(2, ring_ready(r));
		ASSERT_TRUE(ring_reap(r, &cqe));
		EXPECT_EQ(0, cqe.user_data);
		ASSERT_TRUE(ring_reap(r, &cqe));
		EXPECT_EQ(2, cqe.user_data);
	}
	/* nothing but dropped ones */
	prep_nop(r, 1);
	r->sq_array[(r->tail - 1) & 63] = UINT_MAX;
	EXPECT_EQ(0, ring_submit(r));
	EXPECT_EQ(ARRAY_SIZE(bad) + 1, *r->sq_dropped);
	EXPECT_EQ(0, ring_ready(r));
}

TEST_F(memory, a_lying_tail_does_no_harm)
{
	static const __u32 by[] = { -1U, -64U, -65U, 65, 128, 1000000,
				    0x80000000, 0x7fffffff };
	struct ring *r = &self->r;
	struct aring_cqe cqe;

	for (int i = 0; i < 64; i++)
		prep_nop(r, 1000);
	ASSERT_EQ(64, ring_submit(r));
	while (ring_reap(r, &cqe))
		;
	for (size_t k = 0; k < ARRAY_SIZE(by); k++) {
		__u32 head = *r->sq_head, dropped = *r->sq_dropped;
		int ret, n = 0;

		__atomic_store_n(r->sq_tail, head + by[k], __ATOMIC_RELEASE);
		ret = ring_enter(r, UINT_MAX, 0, 0, NULL, 0);
		/* refused, or at most one round of the queue was taken */
		CHECK_LE(ret, 64, "tail moved by %#x", by[k]);
		while (ring_reap(r, &cqe)) {
			CHECK_EQ(1000, cqe.user_data, "tail moved by %#x",
				 by[k]);
			n++;
		}
		CHECK_TRUE(n == (ret < 0 ? 0 : ret) ||
			   *r->sq_dropped != dropped,
			   "tail moved by %#x: ENTER gave %d, %d completions",
			   by[k], ret, n);
		/* an honest tail makes it work again */
		r->tail = *r->sq_head;
		prep_nop(r, 7);
		CHECK_EQ(0, ring_run(r), "after a tail moved by %#x", by[k]);
		r->sqes[(r->tail - 1) & 63].user_data = 1000;
	}
}

TEST_F(memory, a_bad_sqe_ends_the_batch)
{
	static struct __kernel_timespec bad_ts = { -1, 0 };
	struct ring *r = &self->r;

	for (int kind = 0; kind < 4; kind++) {
		struct aring_cqe cqe;
		int seen = 0, want = kind == 3 ? -EFAULT : -EINVAL;

		prep_nop(r, 1);
		switch (kind) {
		case 0:
			prep(r, 255, -1, NULL, 0, 0, 2);
			break;
		case 1:
			prep_nop(r, 2)->flags = 0x80;
			break;
		case 2:
			prep_timeout(r, &bad_ts, 0, 0, 2);
			break;
		default:
			prep_timeout(r, (void *)8, 0, 0, 2);
		}
		prep_nop(r, 3);
		prep_nop(r, 4);
		/* it is counted, and what follows it stays in the queue */
		CHECK_EQ(2, ring_submit(r), "kind %d", kind);
		EXPECT_EQ(2, ring_ready(r));
		EXPECT_EQ(r->tail - 2, *r->sq_head);
		CHECK_EQ(2, ring_submit(r), "kind %d", kind);
		for (int i = 1; i <= 4; i++) {
			ASSERT_EQ(0, ring_cqe(r, &cqe));
			CHECK_EQ(cqe.user_data == 2 ? want : 0, cqe.res,
				 "kind %d, SQE %d", kind, (int)cqe.user_data);
			seen |= 1 << cqe.user_data;
		}
		CHECK_EQ(0x1e, seen, "kind %d", kind);
	}
}

TEST_F(memory, what_fails_later_does_not_end_the_batch)
{
	struct ring *r = &self->r;
	char b[8];
	int zero = open("/dev/zero", O_RDONLY);

	prep_nop(r, 1);
	prep_read(r, -1, b, 8, 0, 2);			/* EBADF */
	prep_read(r, zero, (void *)8, 8, 0, 3);		/* EFAULT */
	prep_write(r, zero, b, 8, 0, 4);		/* EBADF */
	prep_cancel(r, 99, 0, 5);			/* ENOENT */
	prep_nop(r, 6);
	EXPECT_EQ(6, ring_submit(r));
	EXPECT_EQ(6, ring_ready(r));
}

TEST_F(memory, submit_all_goes_on_after_a_bad_sqe)
{
	struct aring_cqe cqe;
	struct ring r;
	int seen = 0;

	ASSERT_EQ(0, ring_init(&r, variant->backend, 8,
			       ARING_SETUP_SUBMIT_ALL));
	prep_nop(&r, 0);
	prep(&r, 255, -1, NULL, 0, 0, 1);
	prep_nop(&r, 2)->flags = 0x80;
	prep_nop(&r, 3);
	EXPECT_EQ(4, ring_submit(&r));
	for (int i = 0; i < 4; i++) {
		bool bad;

		ASSERT_TRUE(ring_reap(&r, &cqe));
		bad = cqe.user_data == 1 || cqe.user_data == 2;
		EXPECT_EQ(bad ? -EINVAL : 0, cqe.res);
		seen |= 1 << cqe.user_data;
	}
	EXPECT_EQ(0xf, seen);
	/* an array entry out of range ends the batch all the same */
	prep_nop(&r, 0);
	prep_nop(&r, 1);
	r.sq_array[(r.tail - 2) & 7] = 8;
	EXPECT_EQ(0, ring_submit(&r));
	EXPECT_EQ(1, *r.sq_dropped);
	EXPECT_EQ(1, ring_submit(&r));
	ring_exit(&r);
}

/* Let the CQ overflow by ten times its size; reap all, in order. */
static void overflow(struct __test_metadata *_metadata, struct ring *r,
		     bool sleep)
{
	unsigned int cq = r->p.cq_entries, total = 11 * cq, sent = 0, got = 0;
	struct pollfd pfd = { .fd = r->fd, .events = POLLIN };
	int zero = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	struct aring_cqe cqe;
	char b[8];

	while (sent < total) {
		unsigned int n = 0;

		while (sent + n < total && n < r->p.sq_entries) {
			if ((sent + n) % 3)
				prep_nop(r, sent + n);
			else
				prep_read(r, zero, b, 8, 0, sent + n);
			n++;
		}
		NEED_EQ(n, ring_submit(r), "after %u", sent);
		sent += n;
		NEED_EQ(sent < cq ? sent : cq, ring_ready(r), "after %u", sent);
		NEED_EQ(sent > cq ? ARING_SQ_CQ_OVERFLOW : 0,
			*r->sq_flags & ARING_SQ_CQ_OVERFLOW, "after %u", sent);
	}
	EXPECT_EQ(1, poll(&pfd, 1, 0));
	while (got < total) {
		if (!ring_reap(r, &cqe)) {
			/* what waits comes in by the next ENTER for events */
			NEED_TRUE(*r->sq_flags & ARING_SQ_CQ_OVERFLOW,
				  "%u of %u reaped", got, total);
			EXPECT_EQ(1, poll(&pfd, 1, 0));
			ASSERT_EQ(0, ring_enter(r, 0, sleep,
						ARING_ENTER_GETEVENTS, NULL,
						0));
			NEED_TRUE(ring_ready(r) > 0, "%u of %u reaped", got,
				  total);
			continue;
		}
		NEED_EQ(got, cqe.user_data, "order");
		NEED_EQ(got % 3 ? 0 : 8, cqe.res, "completion %u", got);
		got++;
	}
	EXPECT_EQ(0, ring_ready(r));
	EXPECT_EQ(0, *r->cq_overflow);
	ring_enter(r, 0, 0, ARING_ENTER_GETEVENTS, NULL, 0);
	EXPECT_EQ(0, *r->sq_flags & ARING_SQ_CQ_OVERFLOW);
	EXPECT_EQ(0, ring_ready(r));
	EXPECT_EQ(0, poll(&pfd, 1, 0));
	prep_nop(r, 1);
	EXPECT_EQ(0, ring_run(r));
	close(zero);
}

TEST_F(memory, overflow_by_ten_times_loses_nothing)
{
	static const unsigned int entries[] = { 1, 8, 64, 512 };
	struct ring r;

	for (size_t i = 0; i < ARRAY_SIZE(entries); i++) {
		ASSERT_EQ(0, ring_init(&r, variant->backend, entries[i], 0));
		overflow(_metadata, &r, false);
		overflow(_metadata, &r, true);
		ring_exit(&r);
	}
}

TEST_F(memory, overflow_by_what_completes_on_its_own)
{
	struct __kernel_timespec ts = to_ts(ms(20));
	struct aring_cqe cqe;
	bool seen[176] = { false };
	struct ring r;

	ASSERT_EQ(0, ring_init(&r, variant->backend, 8, 0));
	for (int i = 0; i < 176; i += 8) {
		for (int k = 0; k < 8; k++)
			prep_timeout(&r, &ts, 0, 0, i + k);
		ASSERT_EQ(8, ring_submit(&r));
	}
	for (int i = 0; i < 176; i++) {
		NEED_EQ(0, ring_cqe(&r, &cqe), "completion %d", i);
		EXPECT_EQ(-ETIME, cqe.res);
		ASSERT_LT(cqe.user_data, 176);
		EXPECT_FALSE(seen[cqe.user_data]);
		seen[cqe.user_data] = true;
	}
	EXPECT_TRUE(ring_quiet(&r, 10));
	ring_exit(&r);
}

TEST_F(memory, closing_an_overflowed_ring)
{
	for (int i = 0; i < 640; i++) {
		prep_nop(&self->r, i);
		if (i % 64 == 63)
			ASSERT_EQ(64, ring_submit(&self->r));
	}
	EXPECT_TRUE(*self->r.sq_flags & ARING_SQ_CQ_OVERFLOW);
}

struct rewrite {
	struct aring_sqe *sqe;
	struct aring_sqe form[2];
	unsigned int stop;
};

static void *rewriter(void *arg)
{
	struct rewrite *w = arg;
	volatile __u64 *to = (void *)w->sqe;

	for (unsigned int i = 0; !__atomic_load_n(&w->stop, __ATOMIC_RELAXED);
	     i++) {
		const __u64 *from = (void *)&w->form[i & 1];

		for (int k = 0; k < 8; k++)
			to[k] = from[k];
	}
	return NULL;
}

/*
 * Whatever mixture of the two forms is taken, what was checked is what is
 * used: the result is one that some mixture has.
 */
TEST_F_TIMEOUT(memory, an_sqe_rewritten_while_it_is_taken, 60)
{
	unsigned long n = test_scale(200000, 5000);
	int zero = open("/dev/zero", O_RDWR);
	struct ring *r = &self->r;
	struct rewrite w = { 0 };
	static char b[4096];
	struct aring_cqe cqe;
	pthread_t t;

	ASSERT_GE(zero, 0);
	w.sqe = &r->sqes[0];
	w.form[0] = (struct aring_sqe) {
		.opcode = ARING_OP_READ, .fd = zero, .addr = (uintptr_t)b,
		.len = 8, .user_data = 0x1111111111111111,
	};
	w.form[1] = (struct aring_sqe) {
		.opcode = ARING_OP_NOP, .flags = 0x80, .fd = -1,
		.addr = 8, .len = 4096, .user_data = 0x2222222222222222,
	};
	r->sqes[0] = w.form[0];
	ASSERT_EQ(0, pthread_create(&t, NULL, rewriter, &w));
	for (int i = 0; i < 64; i++)
		r->sq_array[i] = 0;
	for (unsigned long i = 0; i < n; i++) {
		r->tail++;
		ring_flush(r);
		ASSERT_EQ(1, ring_enter(r, 1, 0, 0, NULL, 0));
		ASSERT_TRUE(ring_reap(r, &cqe));
		NEED_TRUE(cqe.res == 8 || cqe.res == 4096 || cqe.res == 0 ||
			  cqe.res == -EBADF || cqe.res == -EFAULT ||
			  cqe.res == -EINVAL, "result %d", cqe.res);
		NEED_TRUE(cqe.user_data == w.form[0].user_data ||
			  cqe.user_data == w.form[1].user_data,
			  "user_data %#llx", cqe.user_data);
	}
	__atomic_store_n(&w.stop, 1, __ATOMIC_RELAXED);
	pthread_join(t, NULL);
}

/* What only the device has. */
DEVICE_FIXTURE(device);

TEST_F(device, indices_start_where_asked_and_wrap)
{
	static const __u32 first[] = { 1, 7, 0x7ffffff9, 0x80000000,
				       UINT_MAX - 100, UINT_MAX - 5, UINT_MAX };

	for (size_t k = 0; k < ARRAY_SIZE(first); k++) {
		struct aring_params p = {
			.flags = ARING_SETUP_FIRST_INDEX,
			.first_index = first[k],
		};
		struct aring_cqe cqe;
		__u64 next = 0, got = 0;
		struct ring r;

		ASSERT_EQ(0, ring_init_params(&r, DEVICE, 8, &p));
		CHECK_EQ(first[k], *r.sq_head, "first index %#x", first[k]);
		CHECK_EQ(first[k], *r.sq_tail, "first index %#x", first[k]);
		CHECK_EQ(first[k], *r.cq_head, "first index %#x", first[k]);
		CHECK_EQ(first[k], *r.cq_tail, "first index %#x", first[k]);
		for (int round = 0; round < 100; round++) {
			int n = 1 + round % 8;

			for (int i = 0; i < n; i++)
				prep_nop(&r, next++);
			NEED_EQ(n, ring_submit(&r), "first index %#x, round %d",
				first[k], round);
			NEED_EQ(n, ring_ready(&r), "first index %#x, round %d",
				first[k], round);
			while (ring_reap(&r, &cqe))
				NEED_EQ(got++, cqe.user_data,
					"first index %#x", first[k]);
		}
		CHECK_EQ(first[k] + (__u32)next, *r.sq_head, "head");
		ring_exit(&r);
	}
}

TEST_F(device, overflow_while_the_indices_wrap)
{
	for (__u32 back = 1; back < 200; back += 13) {
		struct aring_params p = {
			.flags = ARING_SETUP_FIRST_INDEX,
			.first_index = -back,
		};
		struct ring r;

		ASSERT_EQ(0, ring_init_params(&r, DEVICE, 8, &p));
		overflow(_metadata, &r, back & 1);
		ring_exit(&r);
	}
}

TEST_F(device, waiting_and_polling_while_the_indices_wrap)
{
	struct __kernel_timespec ts = to_ts(ms(3));
	struct aring_params p = {
		.flags = ARING_SETUP_FIRST_INDEX, .first_index = UINT_MAX - 2,
	};
	struct aring_cqe cqe;
	struct pollfd pfd;
	struct ring r;

	ASSERT_EQ(0, ring_init_params(&r, DEVICE, 2, &p));
	pfd = (struct pollfd) { .fd = r.fd, .events = POLLIN | POLLOUT };
	for (int i = 0; i < 8; i++) {
		EXPECT_EQ(1, poll(&pfd, 1, 0));
		EXPECT_EQ(POLLOUT, pfd.revents);
		prep_timeout(&r, &ts, 0, 0, i);
		EXPECT_EQ(1, ring_enter(&r, ring_flush(&r), 1,
					ARING_ENTER_GETEVENTS, NULL, 0));
		EXPECT_EQ(1, poll(&pfd, 1, 0));
		EXPECT_EQ(POLLIN | POLLOUT, pfd.revents);
		EXPECT_TRUE(ring_reap(&r, &cqe));
		EXPECT_EQ(-ETIME, cqe.res);
	}
	ring_exit(&r);
}

TEST_F(device, lying_indices_print_nothing)
{
	int log = kmsg_mark();

	ASSERT_GE(log, 0);
	for (int i = 0; i < 200; i++) {
		*self->r.sq_tail = i * 0x01234567U;
		*self->r.cq_head = i * 0x07654321U;
		self->r.sq_array[i % 64] = i * 0x00abcdefU;
		ring_enter(&self->r, UINT_MAX, 0, i & 1, NULL, 0);
	}
	ring_exit(&self->r);
	EXPECT_EQ(0, kmsg_count(log));
	close(log);
}

RING_TEST_MAIN
