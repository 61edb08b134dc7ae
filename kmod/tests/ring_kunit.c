// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit: index arithmetic, the CQ and its overflow, the lookup of cancelling.
 *
 * Suites run while the module is still coming, before its init: they
 * make a bare ring of their own.
 */
#include <kunit/test.h>
#include <linux/hash.h>

#include "op.h"

#define TEST_CQ		4
#define TEST_REQS	(TEST_CQ * 11)

struct ring_test {
	struct aring_ring	ring;
	struct aring_bucket	buckets[16];
	struct aring_req	reqs[TEST_REQS];
};

static struct ring_test *ring_test_new(struct kunit *test, u32 first_index)
{
	struct ring_test *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);
	struct aring_ring *ring;
	unsigned int i;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, t);
	ring = &t->ring;
	ring->shared = kunit_kzalloc(test, struct_size(ring->shared, cqes,
						       TEST_CQ), GFP_KERNEL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, ring->shared);
	ring->cq_mask = TEST_CQ - 1;
	ring->cqe_size = sizeof(struct aring_cqe);
	ring->cq_tail = first_index;
	ring->shared->cq.head = first_index;
	ring->shared->cq.tail = first_index;
	spin_lock_init(&ring->cq_lock);
	mutex_init(&ring->lock);
	INIT_LIST_HEAD(&ring->overflow);
	INIT_LIST_HEAD(&ring->counting);
	init_llist_head(&ring->reclaim);
	init_waitqueue_head(&ring->enter_wait);
	init_waitqueue_head(&ring->poll_wait);
	ring->hash_bits = ilog2(ARRAY_SIZE(t->buckets));
	ring->buckets = t->buckets;
	for (i = 0; i < ARRAY_SIZE(t->buckets); i++) {
		INIT_LIST_HEAD(&t->buckets[i].by_data);
		INIT_HLIST_HEAD(&t->buckets[i].by_ticket);
	}
	return t;
}

/* A request that has just done its work inline. */
static struct aring_req *ring_test_req(struct ring_test *t, unsigned int nr)
{
	struct aring_req *req = &t->reqs[nr];

	req->ring = &t->ring;
	req->op = &aring_ops[ARING_OP_NOP];
	req->user_data = nr;
	req->res = nr;
	req->ticket = nr;
	aring_state_init(&req->state);
	aring_state_start(&req->state);
	return req;
}

static void ring_index_ready(struct kunit *test)
{
	static const struct {
		u32 head, tail, entries, ready;
	} cases[] = {
		{ 0, 0, 8, 0 },
		{ 0, 8, 8, 8 },
		{ 5, 7, 8, 2 },
		{ U32_MAX, 0, 8, 1 },		/* wraps between the two */
		{ U32_MAX - 3, 4, 8, 8 },
		{ 1, 0, 8, 8 },			/* backwards: counts as full */
		{ 0, 0x80000000, 32768, 32768 },
		{ 0, 9, 8, 8 },			/* too far ahead */
		{ 7, 8, 1, 1 },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++)
		KUNIT_EXPECT_EQ_MSG(test, cases[i].ready,
				    aring_index_ready(cases[i].head,
						      cases[i].tail,
						      cases[i].entries),
				    "case %u", i);
}

/* CQEs appear in order across the wrap of the index, and room comes back. */
static void ring_cq_wraps(struct kunit *test)
{
	struct ring_test *t = ring_test_new(test, U32_MAX - 5);
	struct aring_shared *shared = t->ring.shared;
	unsigned int i;

	for (i = 0; i < TEST_REQS; i++) {
		struct aring_req *req = ring_test_req(t, i);
		u32 head = shared->cq.head;

		req->next = NULL;
		aring_complete_batch(&t->ring, req);
		KUNIT_EXPECT_EQ(test, head + 1, shared->cq.tail);
		KUNIT_EXPECT_EQ(test, (u64)i,
				shared->cqes[head & (TEST_CQ - 1)].user_data);
		KUNIT_EXPECT_EQ(test, ARING_DONE,
				aring_state_read(&req->state));
		shared->cq.head = head + 1;
	}
	KUNIT_EXPECT_EQ(test, 0U, t->ring.nr_overflow);
	KUNIT_EXPECT_EQ(test, (u64)TEST_REQS, t->ring.nr_events);
}

/* Ten times what fits: nothing is lost, order is kept, the flag tells. */
static void ring_overflow_keeps_order(struct kunit *test)
{
	struct ring_test *t = ring_test_new(test, 0);
	struct aring_ring *ring = &t->ring;
	struct aring_shared *shared = ring->shared;
	unsigned int i, seen = 0;

	for (i = 0; i < TEST_REQS; i++)
		ring_test_req(t, i)->next = i + 1 < TEST_REQS ?
					    &t->reqs[i + 1] : NULL;
	aring_complete_batch(ring, &t->reqs[0]);
	KUNIT_EXPECT_EQ(test, (u32)TEST_CQ, shared->cq.tail);
	KUNIT_EXPECT_EQ(test, (u32)TEST_REQS - TEST_CQ, ring->nr_overflow);
	KUNIT_EXPECT_TRUE(test, atomic_read(&shared->sq_flags) &
				ARING_SQ_CQ_OVERFLOW);
	/* The ring is full, so nothing moves. */
	KUNIT_EXPECT_FALSE(test, aring_overflow_flush(ring));
	KUNIT_EXPECT_EQ(test, (u32)TEST_CQ, shared->cq.tail);

	while (seen < TEST_REQS) {
		KUNIT_ASSERT_NE(test, shared->cq.head, shared->cq.tail);
		KUNIT_EXPECT_EQ(test, (u64)seen,
				shared->cqes[seen & (TEST_CQ - 1)].user_data);
		shared->cq.head++;
		seen++;
		/* Nothing may overtake those that wait. */
		KUNIT_EXPECT_EQ(test, seen + TEST_CQ >= TEST_REQS,
				aring_overflow_flush(ring));
	}
	KUNIT_EXPECT_EQ(test, shared->cq.head, shared->cq.tail);
	KUNIT_EXPECT_FALSE(test, atomic_read(&shared->sq_flags) &
				 ARING_SQ_CQ_OVERFLOW);
	KUNIT_EXPECT_EQ(test, (u64)TEST_REQS, ring->nr_events);
}

/* A success that asked for no CQE takes no room, a failure does. */
static void ring_skip_success(struct kunit *test)
{
	struct ring_test *t = ring_test_new(test, 0);
	struct aring_req *good = ring_test_req(t, 0);
	struct aring_req *bad = ring_test_req(t, 1);

	good->sqe_flags = ARING_SQE_CQE_SKIP_SUCCESS;
	bad->sqe_flags = ARING_SQE_CQE_SKIP_SUCCESS;
	aring_req_set_result(bad, -EIO);
	good->next = bad;
	bad->next = NULL;
	aring_complete_batch(&t->ring, good);
	KUNIT_EXPECT_EQ(test, 1U, t->ring.shared->cq.tail);
	KUNIT_EXPECT_EQ(test, 1ULL, t->ring.shared->cqes[0].user_data);
	KUNIT_EXPECT_EQ(test, -EIO, t->ring.shared->cqes[0].res);
}

static void ring_test_list(struct ring_test *t, struct aring_req *req,
			   u64 user_data)
{
	req->user_data = user_data;
	list_add_tail(&req->by_data,
		      &aring_bucket(&t->ring, user_data)->by_data);
	hlist_add_head(&req->by_ticket,
		       &aring_bucket(&t->ring, req->ticket)->by_ticket);
}

/* The oldest that is not over, of the kind asked for; tickets are unique. */
static void ring_lookup(struct kunit *test)
{
	struct ring_test *t = ring_test_new(test, 0);
	struct aring_ring *ring = &t->ring;
	struct aring_req *reqs[4];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(reqs); i++) {
		reqs[i] = ring_test_req(t, i);
		reqs[i]->opcode = i == 2 ? ARING_OP_TIMEOUT : ARING_OP_READ;
		ring_test_list(t, reqs[i], 77);
	}
	mutex_lock(&ring->lock);
	KUNIT_EXPECT_PTR_EQ(test, reqs[0], aring_find_by_data(ring, 77, -1));
	KUNIT_EXPECT_PTR_EQ(test, reqs[2],
			    aring_find_by_data(ring, 77, ARING_OP_TIMEOUT));
	KUNIT_EXPECT_PTR_EQ(test, reqs[3], aring_find_by_ticket(ring, 3));
	KUNIT_EXPECT_NULL(test, aring_find_by_data(ring, 78, -1));
	KUNIT_EXPECT_NULL(test, aring_find_by_ticket(ring, 4));

	/* What is over is passed by. */
	aring_state_finish(&reqs[0]->state);
	aring_state_finish(&reqs[3]->state);
	KUNIT_EXPECT_PTR_EQ(test, reqs[1], aring_find_by_data(ring, 77, -1));
	KUNIT_EXPECT_NULL(test, aring_find_by_ticket(ring, 3));
	KUNIT_EXPECT_NULL(test, aring_find_by_ticket(ring, 0));
	mutex_unlock(&ring->lock);
}

/* Equal low bits, different keys: the bucket alone does not decide. */
static void ring_lookup_collision(struct kunit *test)
{
	struct ring_test *t = ring_test_new(test, 0);
	struct aring_ring *ring = &t->ring;
	u64 key = 1, other;

	for (other = 2; aring_bucket(ring, other) != aring_bucket(ring, key);
	     other++)
		;
	ring_test_list(t, ring_test_req(t, 0), other);
	ring_test_list(t, ring_test_req(t, 1), key);
	mutex_lock(&ring->lock);
	KUNIT_EXPECT_PTR_EQ(test, &t->reqs[1],
			    aring_find_by_data(ring, key, -1));
	KUNIT_EXPECT_PTR_EQ(test, &t->reqs[0],
			    aring_find_by_data(ring, other, -1));
	mutex_unlock(&ring->lock);
}

static struct kunit_case ring_cases[] = {
	KUNIT_CASE(ring_index_ready),
	KUNIT_CASE(ring_cq_wraps),
	KUNIT_CASE(ring_overflow_keeps_order),
	KUNIT_CASE(ring_skip_success),
	KUNIT_CASE(ring_lookup),
	KUNIT_CASE(ring_lookup_collision),
	{}
};

static struct kunit_suite ring_suite = {
	.name		= "aring_ring",
	.test_cases	= ring_cases,
};

kunit_test_suite(ring_suite);
