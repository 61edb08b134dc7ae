// SPDX-License-Identifier: MIT
/*
 * Rings whose SQEs have 128 bytes and whose CQEs have 32: SETUP_SQE128,
 * SETUP_CQE32, and both. Indices count entries, whatever their size.
 */
#include "ring.h"
#include <poll.h>
#include <sys/socket.h>

static const __u32 WIDE[] = {
	ARING_SETUP_SQE128, ARING_SETUP_CQE32,
	ARING_SETUP_SQE128 | ARING_SETUP_CQE32,
};

FIXTURE(wide) { int unused; };

RING_VARIANTS(wide);

FIXTURE_SETUP(wide) { }
FIXTURE_TEARDOWN(wide) { }

static size_t sqe_size(const struct ring *r)
{
	return sizeof(struct aring_sqe) << ring_sqe_shift(r);
}

static size_t cqe_size(const struct ring *r)
{
	return sizeof(struct aring_cqe) << ring_cqe_shift(r);
}

/* Nothing of what was in the ring before may be left in a CQE. */
static void spoil_cqes(struct ring *r)
{
	memset(r->cqes, 0xa5, r->p.cq_entries * cqe_size(r));
}

/* The 16 bytes behind the next CQE are 0, if it has any. */
static bool big_half_is_zero(struct ring *r)
{
	static const char zero[sizeof(struct aring_cqe)];

	return !ring_cqe_shift(r) ||
	       !memcmp(ring_cqe_at(r, *r->cq_head) + 1, zero, sizeof(zero));
}

/* Reap one CQE: it must be the one that was expected, and clean. */
static bool reap(struct __test_metadata *_metadata, struct ring *r, __u64 ud,
		 int res, __u32 flags)
{
	bool clean = ring_wait(r, 1) == 0 && big_half_is_zero(r);
	struct aring_cqe cqe = { 0 };
	bool good;

	good = ring_reap(r, &cqe) && clean && cqe.user_data == ud &&
	       cqe.res == res && cqe.flags == flags;
	CHECK_TRUE(good, "set-up %#x: user_data %llu (%llu), res %d (%d), flags %#x (%#x), rest %s",
		   r->p.flags, (unsigned long long)cqe.user_data,
		   (unsigned long long)ud, cqe.res, res, cqe.flags, flags,
		   clean ? "0" : "not 0");
	return good;
}

TEST_F(wide, the_array_lies_behind_the_cqes)
{
	static const unsigned int entries[] = { 1, 2, 8, 64, 512, 4096,
						ARING_MAX_ENTRIES };

	for (size_t k = 0; k < ARRAY_SIZE(WIDE); k++) {
		for (size_t i = 0; i < ARRAY_SIZE(entries); i++) {
			struct ring r, plain;

			NEED_EQ(0, ring_init(&r, variant->backend, entries[i],
					     WIDE[k]), "flags %#x, entries %u",
				WIDE[k], entries[i]);
			ASSERT_EQ(0, ring_init(&plain, variant->backend,
					       entries[i], 0));
			EXPECT_EQ(entries[i], r.p.sq_entries);
			EXPECT_EQ(2 * entries[i], r.p.cq_entries);
			EXPECT_EQ(WIDE[k], r.p.flags);
			/* what comes before the CQEs does not move */
			EXPECT_EQ(plain.p.cq_off.cqes, r.p.cq_off.cqes);
			EXPECT_EQ(plain.p.sq_off.tail, r.p.sq_off.tail);
			EXPECT_EQ(plain.p.cq_off.tail, r.p.cq_off.tail);
			CHECK_GE(r.p.sq_off.array, r.p.cq_off.cqes +
				 r.p.cq_entries * cqe_size(&r),
				 "flags %#x, entries %u", WIDE[k], entries[i]);
			EXPECT_EQ(0, r.p.sq_off.array % sizeof(__u32));
			EXPECT_EQ(entries[i] - 1,
				  *(__u32 *)(r.rings + r.p.sq_off.ring_mask));
			EXPECT_EQ(2 * entries[i] - 1,
				  *(__u32 *)(r.rings + r.p.cq_off.ring_mask));
			ring_exit(&plain);
			ring_exit(&r);
		}
	}
}

TEST_F(wide, the_last_entries_of_the_largest_ring)
{
	for (size_t k = 0; k < ARRAY_SIZE(WIDE); k++) {
		struct ring r;
		__u32 last;

		ASSERT_EQ(0, ring_init(&r, variant->backend, ARING_MAX_ENTRIES,
				       WIDE[k]));
		last = r.p.sq_entries - 1;
		/* all of the memory is there */
		spoil_cqes(&r);
		memset(r.sqes, 0xa5, r.p.sq_entries * sqe_size(&r));
		memset(ring_sqe_at(&r, last), 0, sqe_size(&r));
		ring_sqe_at(&r, last)->user_data = 4711;
		for (__u32 i = 0; i < r.p.sq_entries; i++)
			r.sq_array[i] = last;
		for (int half = 0; half < 2; half++) {
			r.tail += r.p.sq_entries;
			EXPECT_EQ(r.p.sq_entries, ring_submit(&r));
		}
		EXPECT_EQ(r.p.cq_entries, ring_ready(&r));
		for (__u32 i = 0; i < r.p.cq_entries; i++)
			if (!reap(_metadata, &r, 4711, 0, 0))
				break;
		ring_exit(&r);
	}
}

/* The second half of an SQE is for operations that say so; these do not. */
TEST_F(wide, an_index_names_a_whole_sqe)
{
	for (size_t k = 0; k < ARRAY_SIZE(WIDE); k++) {
		struct ring r;

		ASSERT_EQ(0, ring_init(&r, variant->backend, 8, WIDE[k]));
		for (int round = 0; round < 5; round++) {
			memset(r.sqes, 0xff, r.p.sq_entries * sqe_size(&r));
			for (int i = 0; i < 8; i++) {
				struct aring_sqe *sqe = ring_sqe_at(&r, 7 - i);

				memset(sqe, 0, sizeof(*sqe));
				sqe->user_data = round * 8 + i;
				r.sq_array[r.tail++ & 7] = 7 - i;
			}
			EXPECT_EQ(8, ring_submit(&r));
			for (int i = 0; i < 8; i++)
				reap(_metadata, &r, round * 8 + i, 0, 0);
		}
		ring_exit(&r);
	}
}

TEST_F(wide, the_limit_of_an_index_counts_entries)
{
	for (size_t k = 0; k < ARRAY_SIZE(WIDE); k++) {
		struct ring r;

		ASSERT_EQ(0, ring_init(&r, variant->backend, 8, WIDE[k]));
		/* the place in memory exists with SQE128, the entry does not */
		prep_nop(&r, 1);
		r.sq_array[0] = 8;
		EXPECT_EQ(0, ring_submit(&r));
		EXPECT_EQ(1, *r.sq_dropped);
		EXPECT_EQ(0, ring_ready(&r));
		memset(ring_sqe_at(&r, 7), 0, sqe_size(&r));
		ring_sqe_at(&r, 7)->user_data = 2;
		r.sq_array[r.tail++ & 7] = 7;
		EXPECT_EQ(1, ring_submit(&r));
		reap(_metadata, &r, 2, 0, 0);
		ring_exit(&r);
	}
}

TEST_F(wide, cqes_are_clean_round_after_round)
{
	static const unsigned int entries[] = { 1, 8, 64 };

	for (size_t i = 0; i < ARRAY_SIZE(WIDE) * ARRAY_SIZE(entries); i++) {
		unsigned int n = entries[i / ARRAY_SIZE(WIDE)];
		struct ring r;

		ASSERT_EQ(0, ring_init(&r, variant->backend, n,
				       WIDE[i % ARRAY_SIZE(WIDE)]));
		spoil_cqes(&r);
		for (unsigned int ud = 0; ud < 7 * n; ud++) {
			prep_nop(&r, ud);
			ASSERT_EQ(1, ring_submit(&r));
			if (!reap(_metadata, &r, ud, 0, 0))
				break;
			/* what is reaped may be overwritten by the program */
			memset(ring_cqe_at(&r, *r.cq_head - 1), 0xa5,
			       cqe_size(&r));
		}
		ring_exit(&r);
	}
}

TEST_F(wide, overflow_loses_nothing)
{
	for (size_t k = 0; k < ARRAY_SIZE(WIDE); k++) {
		struct ring r;
		int total, got = 0;

		ASSERT_EQ(0, ring_init(&r, variant->backend, 16, WIDE[k]));
		spoil_cqes(&r);
		/* so that the CQ's tail is in the middle of the memory */
		prep_nop(&r, 99);
		ASSERT_EQ(1, ring_submit(&r));
		reap(_metadata, &r, 99, 0, 0);
		total = 11 * r.p.cq_entries;
		for (int i = 0; i < total; i++) {
			prep_nop(&r, i);
			if (i % 16 == 15)
				ASSERT_EQ(16, ring_submit(&r));
		}
		EXPECT_EQ(r.p.cq_entries, ring_ready(&r));
		EXPECT_TRUE(ring_sq_flags(&r) & ARING_SQ_CQ_OVERFLOW);
		while (got < total) {
			unsigned int ready = ring_ready(&r);

			NEED_TRUE(ready, "flags %#x: %d of %d", WIDE[k], got,
				  total);
			while (ready--)
				NEED_TRUE(reap(_metadata, &r, got++, 0, 0),
					  "%d of %d", got, total);
			ASSERT_EQ(0, ring_enter(&r, 0, 0, ARING_ENTER_GETEVENTS,
						NULL, 0));
		}
		EXPECT_EQ(0, ring_ready(&r));
		EXPECT_EQ(0, ring_sq_flags(&r) & ARING_SQ_CQ_OVERFLOW);
		EXPECT_EQ(0, *r.cq_overflow);
		ring_exit(&r);
	}
}

/* --- operations ---------------------------------------------------------- */

static void transfers(struct __test_metadata *_metadata, struct ring *r)
{
	int fd = open("/tmp", O_TMPFILE | O_RDWR, 0600);
	char b[16] = "", c[8] = "";
	struct iovec v[2] = { { b, 3 }, { c, 8 } };

	ASSERT_GE(fd, 0);
	prep_write(r, fd, "0123456789", 10, 0, 1);
	EXPECT_EQ(1, ring_submit(r));
	reap(_metadata, r, 1, 10, 0);
	prep(r, ARING_OP_READV, fd, v, 2, 1, 2);
	EXPECT_EQ(1, ring_submit(r));
	reap(_metadata, r, 2, 9, 0);
	EXPECT_EQ(0, memcmp(b, "123", 3));
	EXPECT_EQ(0, memcmp(c, "456789", 6));
	v[1].iov_len = 4;
	prep(r, ARING_OP_WRITEV, fd, v, 2, 100, 3)->flags = ARING_SQE_ASYNC;
	EXPECT_EQ(1, ring_submit(r));
	reap(_metadata, r, 3, 7, 0);
	prep(r, ARING_OP_FSYNC, fd, NULL, 0, 0, 4);
	EXPECT_EQ(1, ring_submit(r));
	reap(_metadata, r, 4, 0, 0);
	memset(b, 0, sizeof(b));
	prep_read(r, fd, b, 16, 100, 5);
	EXPECT_EQ(1, ring_submit(r));
	reap(_metadata, r, 5, 7, 0);
	EXPECT_STREQ("1234567", b);
	prep_read(r, -1, b, 16, 100, 6);
	EXPECT_EQ(1, ring_submit(r));
	reap(_metadata, r, 6, -EBADF, 0);
	prep(r, 255, -1, NULL, 0, 0, 7);
	EXPECT_EQ(1, ring_submit(r));
	reap(_metadata, r, 7, -EINVAL, 0);
	close(fd);
}

static void waiting(struct __test_metadata *_metadata, struct ring *r)
{
	struct __kernel_timespec ts = to_ts(ms(10)), never = to_ts(ms(100000));
	char b[8];
	int p[2];

	ASSERT_EQ(0, pipe(p));
	prep_timeout(r, &ts, 0, 0, 1);
	EXPECT_EQ(1, ring_submit(r));
	reap(_metadata, r, 1, -ETIME, 0);
	prep_timeout(r, &never, 0, 0, 2);
	EXPECT_EQ(1, ring_submit(r));
	prep(r, ARING_OP_TIMEOUT_REMOVE, -1, (void *)2, 0, 0, 3);
	EXPECT_EQ(1, ring_submit(r));
	/* which of the two comes first is not said */
	EXPECT_EQ(0, ring_wait(r, 2));
	if (ring_cqe_at(r, *r->cq_head)->user_data == 2) {
		reap(_metadata, r, 2, -ECANCELED, 0);
		reap(_metadata, r, 3, 0, 0);
	} else {
		reap(_metadata, r, 3, 0, 0);
		reap(_metadata, r, 2, -ECANCELED, 0);
	}
	prep_read(r, p[0], b, 8, 0, 4);
	EXPECT_EQ(1, ring_submit(r));
	EXPECT_EQ(2, write(p[1], "ab", 2));
	reap(_metadata, r, 4, 2, 0);
	close(p[0]);
	close(p[1]);
}

static void sockets(struct __test_metadata *_metadata, struct ring *r)
{
	char b[8] = "";
	int s[2];

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	prep(r, ARING_OP_RECV, s[0], b, 8, 0, 1);
	EXPECT_EQ(1, ring_submit(r));
	EXPECT_EQ(0, ring_ready(r));
	EXPECT_EQ(2, write(s[1], "xy", 2));
	reap(_metadata, r, 1, 2, 0);
	EXPECT_STREQ("xy", b);
	prep(r, ARING_OP_SEND, s[1], "123", 3, 0, 2);
	EXPECT_EQ(1, ring_submit(r));
	reap(_metadata, r, 2, 3, 0);
	EXPECT_EQ(3, read(s[0], b, 8));
	/* two in a chain: a successor is found where its own SQE is */
	prep(r, ARING_OP_SEND, s[1], "4567", 4, 0, 3)->flags =
		ARING_SQE_IO_LINK;
	prep(r, ARING_OP_RECV, s[0], b, 8, 0, 4);
	EXPECT_EQ(2, ring_submit(r));
	reap(_metadata, r, 3, 4, 0);
	reap(_metadata, r, 4, 4, 0);
	close(s[0]);
	close(s[1]);
}

/* Intermediate CQEs are as large as others. */
static void multishot(struct __test_metadata *_metadata, struct ring *r)
{
	struct aring_sqe *sqe;
	int p[2];
	char b;

	ASSERT_EQ(0, pipe(p));
	sqe = prep(r, ARING_OP_POLL_ADD, p[0], NULL, ARING_POLL_ADD_MULTI, 0,
		   1);
	sqe->poll32_events = POLLIN;
	EXPECT_EQ(1, ring_submit(r));
	for (int i = 0; i < 100; i++) {
		EXPECT_EQ(1, write(p[1], "x", 1));
		if (!reap(_metadata, r, 1, POLLIN, ARING_CQE_F_MORE))
			break;
		EXPECT_EQ(1, read(p[0], &b, 1));
	}
	close(p[1]);
	EXPECT_EQ(0, ring_wait(r, 1));
	ring_reap(r, &(struct aring_cqe) { 0 });
	close(p[0]);
}

static void each(struct __test_metadata *_metadata, enum backend backend,
		 void (*fn)(struct __test_metadata *, struct ring *))
{
	for (size_t k = 0; k < ARRAY_SIZE(WIDE); k++) {
		struct ring r;

		ASSERT_EQ(0, ring_init(&r, backend, 8, WIDE[k]));
		spoil_cqes(&r);
		/* more than once round both rings */
		for (int i = 0; i < 5; i++)
			fn(_metadata, &r);
		ring_exit(&r);
	}
}

TEST_F(wide, transfers_work)
{
	each(_metadata, variant->backend, transfers);
}

TEST_F(wide, timeouts_and_pipes_work)
{
	each(_metadata, variant->backend, waiting);
}

TEST_F(wide, sockets_and_chains_work)
{
	each(_metadata, variant->backend, sockets);
}

TEST_F(wide, multishot_polls_work)
{
	each(_metadata, variant->backend, multishot);
}

TEST_F(wide, registered_buffers_work)
{
	for (size_t k = 0; k < ARRAY_SIZE(WIDE); k++) {
		int fd = open("/tmp", O_TMPFILE | O_RDWR, 0600);
		static char b[4096] __attribute__((aligned(4096)));
		struct iovec v = { b, sizeof(b) };
		struct ring r;

		ASSERT_GE(fd, 0);
		ASSERT_EQ(0, ring_init(&r, variant->backend, 8, WIDE[k]));
		spoil_cqes(&r);
		ASSERT_EQ(0, ring_register(&r, ARING_REGISTER_BUFFERS, &v, 1));
		pattern_fill(b, 2048, 0, k);
		prep(&r, ARING_OP_WRITE_FIXED, fd, b, 2048, 0, 1);
		EXPECT_EQ(1, ring_submit(&r));
		reap(_metadata, &r, 1, 2048, 0);
		prep(&r, ARING_OP_READ_FIXED, fd, b + 2048, 2048, 0, 2);
		EXPECT_EQ(1, ring_submit(&r));
		reap(_metadata, &r, 2, 2048, 0);
		EXPECT_EQ(-1, pattern_check(b + 2048, 2048, 0, k));
		ring_exit(&r);
		close(fd);
	}
}

TEST_F(wide, a_completion_wakes_poll)
{
	for (size_t k = 0; k < ARRAY_SIZE(WIDE); k++) {
		struct __kernel_timespec ts = to_ts(ms(20));
		struct pollfd pfd;
		struct ring r;
		int n;

		ASSERT_EQ(0, ring_init(&r, variant->backend, 8, WIDE[k]));
		pfd = (struct pollfd) { .fd = r.fd, .events = POLLIN };
		prep_timeout(&r, &ts, 0, 0, 1);
		ASSERT_EQ(1, ring_submit(&r));
		do {
			n = poll(&pfd, 1, 10000 * test_slow());
		} while (n < 0 && errno == EINTR);
		EXPECT_EQ(1, n);
		reap(_metadata, &r, 1, -ETIME, 0);
		EXPECT_EQ(0, poll(&pfd, 1, 0));
		ring_exit(&r);
	}
}

/* --- what only the device has -------------------------------------------- */

FIXTURE(device) { int unused; };

FIXTURE_VARIANT(device) { int unused; };

FIXTURE_VARIANT_ADD(device, device) { .unused = 0 };
FIXTURE_SETUP(device) { }
FIXTURE_TEARDOWN(device) { }

TEST_F(device, indices_wrap_at_2_to_the_32)
{
	for (size_t k = 0; k < ARRAY_SIZE(WIDE); k++) {
		struct aring_params p = {
			.flags = WIDE[k] | ARING_SETUP_FIRST_INDEX,
			.first_index = UINT_MAX - 20,
		};
		struct ring r;

		ASSERT_EQ(0, ring_init_params(&r, DEVICE, 8, &p));
		spoil_cqes(&r);
		for (int i = 0; i < 64; i++) {
			prep_nop(&r, i);
			ASSERT_EQ(1, ring_submit(&r));
			if (!reap(_metadata, &r, i, 0, 0))
				break;
		}
		EXPECT_EQ(UINT_MAX - 20 + 64, *r.sq_head);
		/* and with all of the CQ in use, and more waiting for room */
		for (int i = 0; i < 32; i++) {
			prep_nop(&r, i);
			if (i % 8 == 7)
				ASSERT_EQ(8, ring_submit(&r));
		}
		for (int i = 0; i < 32; i++)
			if (!reap(_metadata, &r, i, 0, 0))
				break;
		ring_exit(&r);
	}
}

TEST_F(device, overflow_while_the_indices_wrap)
{
	struct aring_params p = {
		.flags = ARING_SETUP_CQE32 | ARING_SETUP_FIRST_INDEX,
	};

	for (__u32 before = 0; before < 40; before += 3) {
		struct ring r;

		p.first_index = UINT_MAX - before;
		ASSERT_EQ(0, ring_init_params(&r, DEVICE, 8, &p));
		spoil_cqes(&r);
		for (int i = 0; i < 48; i++) {
			prep_nop(&r, i);
			if (i % 8 == 7)
				ASSERT_EQ(8, ring_submit(&r));
		}
		for (int i = 0; i < 48; i++)
			NEED_TRUE(reap(_metadata, &r, i, 0, 0),
				  "first index %#x", p.first_index);
		ring_exit(&r);
	}
}

TEST_F(device, mmap_too_long_is_refused)
{
	size_t page = getpagesize();

	for (size_t k = 0; k < ARRAY_SIZE(WIDE); k++) {
		struct ring r;
		size_t rings, sqes;

		ASSERT_EQ(0, ring_init(&r, DEVICE, 256, WIDE[k]));
		rings = (r.rings_len + page - 1) / page * page;
		sqes = (r.sqes_len + page - 1) / page * page;
		EXPECT_EQ(256 * sqe_size(&r), sqes);
		errno = 0;
		EXPECT_EQ(MAP_FAILED, mmap(NULL, rings + page, PROT_READ,
					   MAP_SHARED, r.fd,
					   ARING_OFF_SQ_RING));
		EXPECT_EQ(EINVAL, errno);
		errno = 0;
		EXPECT_EQ(MAP_FAILED, mmap(NULL, sqes + page, PROT_READ,
					   MAP_SHARED, r.fd, ARING_OFF_SQES));
		EXPECT_EQ(EINVAL, errno);
		ring_exit(&r);
	}
}

RING_TEST_MAIN
