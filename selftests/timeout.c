// SPDX-License-Identifier: MIT
/*
 * TIMEOUT and TIMEOUT_REMOVE: when they end, how, and what is refused.
 */
#include "ring.h"
#include "kmsg.h"

RING_FIXTURE(timeout);

static const __u32 CLOCK_FLAGS[] = {
	0, ARING_TIMEOUT_BOOTTIME, ARING_TIMEOUT_REALTIME,
};

static const clockid_t CLOCKS[] = {
	CLOCK_MONOTONIC, CLOCK_BOOTTIME, CLOCK_REALTIME,
};

static struct __kernel_timespec clock_in(clockid_t clock, __s64 ns)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return to_ts(ts.tv_sec * 1000000000LL + ts.tv_nsec + ns);
}

static struct aring_sqe *prep_remove(struct ring *r, __u64 target, __u64 ud)
{
	return prep(r, ARING_OP_TIMEOUT_REMOVE, -1, (void *)(uintptr_t)target,
		    0, 0, ud);
}

static struct aring_sqe *prep_update(struct ring *r, __u64 target,
				     const void *ts, __u32 flags, __u64 ud)
{
	struct aring_sqe *s = prep_remove(r, target, ud);

	s->addr2 = (uintptr_t)ts;
	s->timeout_flags = ARING_TIMEOUT_UPDATE | flags;
	return s;
}

/* Reap @n CQEs; result of each user_data below 16, RES_NONE if it is missing. */
static void reap_by_key(struct __test_metadata *_metadata, struct ring *r,
			int n, int res[16])
{
	struct aring_cqe cqe;

	for (int i = 0; i < 16; i++)
		res[i] = RES_NONE;
	for (int i = 0; i < n; i++) {
		NEED_EQ(0, ring_cqe(r, &cqe), "completion %d of %d", i + 1, n);
		ASSERT_LT(cqe.user_data, 16);
		CHECK_EQ(RES_NONE, res[cqe.user_data],
			 "user_data %d completed twice", (int)cqe.user_data);
		res[cqe.user_data] = cqe.res;
	}
	EXPECT_EQ(0, ring_ready(r));
}

TEST_F(timeout, relative_ends_after_its_time)
{
	for (int i = 0; i < 3; i++) {
		struct __kernel_timespec ts = to_ts(ms(30));
		__u64 start = now_ns(), took;

		prep_timeout(&self->r, &ts, 0, CLOCK_FLAGS[i], 1);
		CHECK_EQ(-ETIME, ring_run(&self->r), "clock %d", i);
		took = now_ns() - start;
		CHECK_GE(took, ms(30), "clock %d", i);
		CHECK_LE(took, ms(3000) * test_slow(), "clock %d", i);
	}
}

TEST_F(timeout, absolute_on_three_clocks)
{
	for (int i = 0; i < 3; i++) {
		struct __kernel_timespec ts = clock_in(CLOCKS[i], ms(30));
		__u64 start = now_ns();

		prep_timeout(&self->r, &ts, 0, CLOCK_FLAGS[i] |
			     ARING_TIMEOUT_ABS, 1);
		CHECK_EQ(-ETIME, ring_run(&self->r), "clock %d", i);
		CHECK_GE(now_ns() - start, ms(25), "clock %d", i);
		/* in the past */
		ts = clock_in(CLOCKS[i], -(__s64)ms(1000));
		start = now_ns();
		prep_timeout(&self->r, &ts, 0, CLOCK_FLAGS[i] |
			     ARING_TIMEOUT_ABS, 1);
		CHECK_EQ(-ETIME, ring_run(&self->r), "clock %d", i);
		CHECK_LE(now_ns() - start, ms(500) * test_slow(), "clock %d",
			 i);
	}
}

TEST_F(timeout, zero_time_ends_at_once)
{
	struct __kernel_timespec ts = { 0, 0 };

	prep_timeout(&self->r, &ts, 0, 0, 1);
	EXPECT_EQ(-ETIME, ring_run(&self->r));
}

TEST_F(timeout, the_longest_time_does_not_overflow)
{
	struct __kernel_timespec ts = { LLONG_MAX, 999999999 };
	int res[16];

	for (int i = 0; i < 3; i++) {
		prep_timeout(&self->r, &ts, 0, CLOCK_FLAGS[i], i);
		prep_timeout(&self->r, &ts, 0, CLOCK_FLAGS[i] |
			     ARING_TIMEOUT_ABS, 3 + i);
	}
	ASSERT_EQ(6, ring_submit(&self->r));
	EXPECT_TRUE(ring_quiet(&self->r, 30));
	for (int i = 0; i < 6; i++)
		prep_remove(&self->r, i, 8 + i);
	ASSERT_EQ(6, ring_submit(&self->r));
	reap_by_key(_metadata, &self->r, 12, res);
	for (int i = 0; i < 6; i++) {
		EXPECT_EQ(-ECANCELED, res[i]);
		EXPECT_EQ(0, res[8 + i]);
	}
}

TEST_F(timeout, the_timespec_is_read_at_submission)
{
	struct __kernel_timespec ts = to_ts(ms(20));
	struct aring_cqe cqe;

	prep_timeout(&self->r, &ts, 0, 0, 1);
	ASSERT_EQ(1, ring_submit(&self->r));
	ts = to_ts(ms(1000000));
	ASSERT_EQ(0, ring_cqe(&self->r, &cqe));
	EXPECT_EQ(-ETIME, cqe.res);
}

TEST_F(timeout, they_end_in_order_of_time)
{
	static const int order[] = { 60, 20, 100, 40, 80 };
	struct __kernel_timespec ts[5];
	struct aring_cqe cqe;
	__u64 last = 0;

	for (int i = 0; i < 5; i++) {
		ts[i] = clock_in(CLOCK_MONOTONIC, ms(order[i]) * test_slow());
		prep_timeout(&self->r, &ts[i], 0, ARING_TIMEOUT_ABS, order[i]);
	}
	ASSERT_EQ(5, ring_submit(&self->r));
	for (int i = 0; i < 5; i++) {
		ASSERT_EQ(0, ring_cqe(&self->r, &cqe));
		EXPECT_EQ(-ETIME, cqe.res);
		EXPECT_LT(last, cqe.user_data);
		last = cqe.user_data;
	}
}

TEST_F(timeout, count_form_ends_with_0)
{
	struct __kernel_timespec ts = to_ts(ms(100000));
	struct aring_cqe cqe;

	for (int count = 1; count < 5; count++) {
		prep_timeout(&self->r, &ts, count, 0, 100);
		ASSERT_EQ(1, ring_submit(&self->r));
		for (int i = 0; i < count - 1; i++) {
			prep_nop(&self->r, i);
			ASSERT_EQ(0, ring_run(&self->r));
		}
		EXPECT_TRUE(ring_quiet(&self->r, 10));
		prep_nop(&self->r, count - 1);
		ASSERT_EQ(1, ring_submit(&self->r));
		ASSERT_EQ(0, ring_cqe(&self->r, &cqe));
		EXPECT_EQ(count - 1, cqe.user_data);
		ASSERT_EQ(0, ring_cqe(&self->r, &cqe));
		CHECK_EQ(0, cqe.res, "count %d", count);
		EXPECT_EQ(100, cqe.user_data);
	}
}

TEST_F(timeout, count_form_runs_out)
{
	struct __kernel_timespec ts = to_ts(ms(30));

	prep_timeout(&self->r, &ts, 2, 0, 1);
	EXPECT_EQ(-ETIME, ring_run(&self->r));
}

TEST_F(timeout, other_timeouts_do_not_count)
{
	struct __kernel_timespec far = to_ts(ms(100000)), near = to_ts(ms(5));
	int res[16];

	prep_timeout(&self->r, &far, 1, 0, 1);
	prep_timeout(&self->r, &near, 0, 0, 2);
	ASSERT_EQ(2, ring_submit(&self->r));
	reap_by_key(_metadata, &self->r, 1, res);
	EXPECT_EQ(-ETIME, res[2]);
	EXPECT_TRUE(ring_quiet(&self->r, 20));
	prep_nop(&self->r, 3);
	ASSERT_EQ(1, ring_submit(&self->r));
	reap_by_key(_metadata, &self->r, 2, res);
	EXPECT_EQ(0, res[3]);
	EXPECT_EQ(0, res[1]);
}

TEST_F(timeout, several_counts_end_each_at_its_own)
{
	struct __kernel_timespec ts = to_ts(ms(100000));
	static const int count[] = { 3, 1, 2 };
	struct aring_cqe cqe;
	int order[6], n = 0;

	for (int i = 0; i < 3; i++)
		prep_timeout(&self->r, &ts, count[i], 0, count[i]);
	ASSERT_EQ(3, ring_submit(&self->r));
	for (int i = 0; i < 3; i++) {
		prep_nop(&self->r, 10 + i);
		ASSERT_EQ(1, ring_submit(&self->r));
		for (int k = 0; k < 2; k++) {
			NEED_EQ(0, ring_cqe(&self->r, &cqe), "event %d", i + 1);
			EXPECT_EQ(0, cqe.res);
			order[n++] = cqe.user_data;
		}
		EXPECT_EQ(10 + i, order[2 * i]);
		EXPECT_EQ(1 + i, order[2 * i + 1]);
	}
}

TEST_F(timeout, the_count_has_32_bits)
{
	struct __kernel_timespec ts = to_ts(ms(50));
	struct aring_cqe cqe;

	prep_timeout(&self->r, &ts, 1ULL << 32, 0, 1);
	prep_nop(&self->r, 2);
	ASSERT_EQ(2, ring_submit(&self->r));
	ASSERT_EQ(0, ring_cqe(&self->r, &cqe));
	EXPECT_EQ(2, cqe.user_data);
	ASSERT_EQ(0, ring_cqe(&self->r, &cqe));
	EXPECT_EQ(1, cqe.user_data);
	EXPECT_EQ(-ETIME, cqe.res);
}

TEST_F(timeout, skip_success_with_and_without_etime_success)
{
	struct __kernel_timespec ts = to_ts(ms(5)), later = to_ts(ms(40));
	int res[16];

	prep_timeout(&self->r, &ts, 0, ARING_TIMEOUT_ETIME_SUCCESS, 1)->flags =
		ARING_SQE_CQE_SKIP_SUCCESS;
	prep_timeout(&self->r, &ts, 0, 0, 2)->flags =
		ARING_SQE_CQE_SKIP_SUCCESS;
	prep_timeout(&self->r, &later, 0, ARING_TIMEOUT_ETIME_SUCCESS, 3);
	ASSERT_EQ(3, ring_submit(&self->r));
	/* running out is a failure unless it was said to be none */
	reap_by_key(_metadata, &self->r, 2, res);
	EXPECT_EQ(RES_NONE, res[1]);
	EXPECT_EQ(-ETIME, res[2]);
	EXPECT_EQ(-ETIME, res[3]);
	EXPECT_TRUE(ring_quiet(&self->r, 10));
}

TEST_F(timeout, remove_takes_it_back)
{
	struct __kernel_timespec ts = to_ts(ms(100000));
	int res[16];

	for (int count = 0; count < 2; count++) {
		prep_timeout(&self->r, &ts, count ? 100 : 0, 0, 1);
		ASSERT_EQ(1, ring_submit(&self->r));
		prep_remove(&self->r, 1, 2);
		ASSERT_EQ(1, ring_submit(&self->r));
		reap_by_key(_metadata, &self->r, 2, res);
		EXPECT_EQ(-ECANCELED, res[1]);
		EXPECT_EQ(0, res[2]);
	}
}

TEST_F(timeout, remove_in_the_same_batch)
{
	struct __kernel_timespec ts = to_ts(ms(100000));
	int res[16];

	prep_timeout(&self->r, &ts, 0, 0, 1);
	prep_remove(&self->r, 1, 2);
	prep_remove(&self->r, 1, 3);
	ASSERT_EQ(3, ring_submit(&self->r));
	reap_by_key(_metadata, &self->r, 3, res);
	EXPECT_EQ(-ECANCELED, res[1]);
	EXPECT_EQ(0, res[2]);
	EXPECT_EQ(-ENOENT, res[3]);
}

TEST_F(timeout, remove_of_what_is_not_there_is_enoent)
{
	struct __kernel_timespec ts = to_ts(ms(1));
	int p[2];
	char b;

	prep_remove(&self->r, 7, 1);
	EXPECT_EQ(-ENOENT, ring_run(&self->r));
	prep_timeout(&self->r, &ts, 0, 0, 7);
	EXPECT_EQ(-ETIME, ring_run(&self->r));
	prep_remove(&self->r, 7, 1);
	EXPECT_EQ(-ENOENT, ring_run(&self->r));
	prep_update(&self->r, 7, &ts, 0, 1);
	EXPECT_EQ(-ENOENT, ring_run(&self->r));
	/* another operation of that name is no timeout */
	ASSERT_EQ(0, pipe(p));
	prep_read(&self->r, p[0], &b, 1, 0, 7);
	ASSERT_EQ(1, ring_submit(&self->r));
	prep_remove(&self->r, 7, 1);
	EXPECT_EQ(-ENOENT, ring_run(&self->r));
}

TEST_F(timeout, remove_takes_the_first_of_a_name)
{
	struct __kernel_timespec far = to_ts(ms(100000)), near = to_ts(ms(60));
	struct aring_cqe cqe;
	int seen = 0;

	prep_timeout(&self->r, &far, 0, 0, 7);
	prep_timeout(&self->r, &near, 0, 0, 7);
	ASSERT_EQ(2, ring_submit(&self->r));
	prep_remove(&self->r, 7, 1);
	ASSERT_EQ(1, ring_submit(&self->r));
	for (int i = 0; i < 3; i++) {
		ASSERT_EQ(0, ring_cqe(&self->r, &cqe));
		if (cqe.user_data == 1 && cqe.res == 0)
			seen |= 4;
		else if (cqe.user_data == 7 && cqe.res == -ECANCELED)
			seen |= 1;
		else if (cqe.user_data == 7 && cqe.res == -ETIME)
			seen |= 2;
	}
	EXPECT_EQ(7, seen);
}

TEST_F(timeout, update_brings_it_forward)
{
	struct __kernel_timespec far = to_ts(ms(100000)), near = to_ts(ms(20));
	int res[16];

	for (int i = 0; i < 3; i++) {
		struct __kernel_timespec at;

		prep_timeout(&self->r, &far, 0, CLOCK_FLAGS[i], 1);
		prep_update(&self->r, 1, &near, 0, 2);
		ASSERT_EQ(2, ring_submit(&self->r));
		NEED_EQ(0, ring_wait(&self->r, 2), "clock %d", i);
		reap_by_key(_metadata, &self->r, 2, res);
		CHECK_EQ(0, res[2], "clock %d", i);
		CHECK_EQ(-ETIME, res[1], "clock %d", i);
		/* an absolute one, on the clock of the timeout */
		prep_timeout(&self->r, &far, 0, CLOCK_FLAGS[i], 1);
		at = clock_in(CLOCKS[i], ms(20));
		prep_update(&self->r, 1, &at, ARING_TIMEOUT_ABS, 2);
		ASSERT_EQ(2, ring_submit(&self->r));
		NEED_EQ(0, ring_wait(&self->r, 2), "clock %d, absolute", i);
		reap_by_key(_metadata, &self->r, 2, res);
		CHECK_EQ(0, res[2], "clock %d", i);
		CHECK_EQ(-ETIME, res[1], "clock %d", i);
	}
}

TEST_F(timeout, update_puts_it_off)
{
	struct __kernel_timespec near = to_ts(ms(100) * test_slow());
	struct __kernel_timespec far = to_ts(ms(100000));
	int res[16];

	prep_timeout(&self->r, &near, 0, 0, 1);
	prep_update(&self->r, 1, &far, 0, 2);
	ASSERT_EQ(2, ring_submit(&self->r));
	reap_by_key(_metadata, &self->r, 1, res);
	EXPECT_EQ(0, res[2]);
	EXPECT_TRUE(ring_quiet(&self->r, 150 * test_slow()));
	prep_remove(&self->r, 1, 3);
	ASSERT_EQ(1, ring_submit(&self->r));
	reap_by_key(_metadata, &self->r, 2, res);
	EXPECT_EQ(-ECANCELED, res[1]);
	EXPECT_EQ(0, res[3]);
}

TEST_F(timeout, update_ends_the_count_form)
{
	struct __kernel_timespec far = to_ts(ms(100000));
	struct __kernel_timespec near = to_ts(ms(50) * test_slow());
	int res[16];

	prep_timeout(&self->r, &far, 3, 0, 1);
	prep_update(&self->r, 1, &near, 0, 2);
	prep_nop(&self->r, 3);
	prep_nop(&self->r, 4);
	prep_nop(&self->r, 5);
	ASSERT_EQ(5, ring_submit(&self->r));
	reap_by_key(_metadata, &self->r, 5, res);
	EXPECT_EQ(0, res[2]);
	EXPECT_EQ(-ETIME, res[1]);
}

TEST_F(timeout, bad_timeouts_are_refused)
{
	struct __kernel_timespec ts = to_ts(ms(10));
	struct __kernel_timespec bad_sec = { -1, 0 }, bad_ns = { 0, -1 };
	struct ring *r = &self->r;
	struct aring_sqe *s;

	static const __u32 len[] = { 0, 2, UINT_MAX };

	for (int i = 0; i < 3; i++) {
		prep_timeout(r, &ts, 0, 0, 1)->len = len[i];
		CHECK_EQ(-EINVAL, ring_run(r), "len %u", len[i]);
	}
	prep_timeout(r, &ts, 0, ARING_TIMEOUT_CLOCK_MASK, 1);
	EXPECT_EQ(-EINVAL, ring_run(r));
	prep_timeout(r, &ts, 0, ARING_TIMEOUT_UPDATE, 1);
	EXPECT_EQ(-EINVAL, ring_run(r));
	prep_timeout(r, &ts, 0, 1 << 4, 1);
	EXPECT_EQ(-EINVAL, ring_run(r));
	for (int bit = 7; bit < 32; bit++) {
		prep_timeout(r, &ts, 0, 1U << bit, 1);
		CHECK_EQ(-EINVAL, ring_run(r), "flag %d", bit);
	}
	prep_timeout(r, &bad_sec, 0, 0, 1);
	EXPECT_EQ(-EINVAL, ring_run(r));
	prep_timeout(r, &bad_ns, 0, 0, 1);
	EXPECT_EQ(-EINVAL, ring_run(r));
	prep_timeout(r, NULL, 0, 0, 1);
	EXPECT_EQ(-EFAULT, ring_run(r));
	prep_timeout(r, (void *)8, 0, 0, 1);
	EXPECT_EQ(-EFAULT, ring_run(r));
	prep_timeout(r, (void *)0xffff888000000000, 0, 0, 1);
	EXPECT_EQ(-EFAULT, ring_run(r));
	s = prep_timeout(r, &ts, 0, 0, 1);
	s->buf_index = 1;
	EXPECT_EQ(-EINVAL, ring_run(r));
	s = prep_timeout(r, &ts, 0, 0, 1);
	s->splice_fd_in = 1;
	EXPECT_EQ(-EINVAL, ring_run(r));
	s = prep_timeout(r, &ts, 0, 0, 1);
	s->addr3 = 1;
	EXPECT_EQ(-EINVAL, ring_run(r));
	s = prep_timeout(r, &ts, 0, 0, 1);
	s->__pad2[0] = 1;
	EXPECT_EQ(-EINVAL, ring_run(r));
	prep_timeout(r, &ts, 0, 0, 1)->ioprio = 1;
	EXPECT_EQ(-EINVAL, ring_run(r));
	/* the descriptor is not looked at */
	prep_timeout(r, &ts, 0, 0, 1)->fd = 12345;
	EXPECT_EQ(-ETIME, ring_run(r));
}

TEST_F(timeout, bad_removes_are_refused)
{
	struct __kernel_timespec far = to_ts(ms(100000)), ts = to_ts(ms(10));
	struct __kernel_timespec bad_sec = { -1, 0 }, bad_ns = { 0, -1 };
	struct ring *r = &self->r;
	struct aring_sqe *s;
	int res[16];

	prep_timeout(r, &far, 0, 0, 1);
	ASSERT_EQ(1, ring_submit(r));
	for (int bit = 0; bit < 32; bit++) {
		/* 1 and 4 are the two forms of UPDATE */
		if (bit == 1 || bit == 4)
			continue;
		prep_remove(r, 1, 2)->timeout_flags = 1U << bit;
		CHECK_EQ(-EINVAL, ring_run(r), "flag %d", bit);
		if (bit == 0)
			continue;
		prep_update(r, 1, &ts, 1U << bit, 2);
		CHECK_EQ(-EINVAL, ring_run(r), "update flag %d", bit);
	}
	prep_update(r, 1, &ts, ARING_TIMEOUT_CLOCK_MASK, 2);
	EXPECT_EQ(-EINVAL, ring_run(r));
	prep_update(r, 1, &bad_sec, 0, 2);
	EXPECT_EQ(-EINVAL, ring_run(r));
	prep_update(r, 1, &bad_ns, 0, 2);
	EXPECT_EQ(-EINVAL, ring_run(r));
	prep_update(r, 1, NULL, 0, 2);
	EXPECT_EQ(-EFAULT, ring_run(r));
	prep_update(r, 1, (void *)8, 0, 2);
	EXPECT_EQ(-EFAULT, ring_run(r));
	prep_remove(r, 1, 2)->len = 1;
	EXPECT_EQ(-EINVAL, ring_run(r));
	prep_remove(r, 1, 2)->buf_index = 1;
	EXPECT_EQ(-EINVAL, ring_run(r));
	prep_remove(r, 1, 2)->splice_fd_in = 1;
	EXPECT_EQ(-EINVAL, ring_run(r));
	s = prep_remove(r, 1, 2);
	s->addr3 = 1;
	EXPECT_EQ(-EINVAL, ring_run(r));
	s = prep_remove(r, 1, 2);
	s->__pad2[0] = 1;
	EXPECT_EQ(-EINVAL, ring_run(r));
	prep_remove(r, 1, 2)->ioprio = 1;
	EXPECT_EQ(-EINVAL, ring_run(r));
	/* none of them touched it */
	prep_remove(r, 1, 3);
	ASSERT_EQ(1, ring_submit(r));
	reap_by_key(_metadata, r, 2, res);
	EXPECT_EQ(-ECANCELED, res[1]);
	EXPECT_EQ(0, res[3]);
}

TEST_F(timeout, thousands_end_and_are_removed)
{
	unsigned int n = test_scale(4000, 400), got[3] = { 0 };
	struct __kernel_timespec far = to_ts(ms(100000)), near = to_ts(ms(30));
	struct aring_cqe cqe;
	struct ring r;

	ASSERT_EQ(0, ring_init(&r, variant->backend, 16384, 0));
	for (unsigned int i = 0; i < n; i++) {
		prep_timeout(&r, &far, 0, 0, 1000000 + i);
		prep_timeout(&r, &near, 0, 0, 1);
	}
	for (unsigned int i = 0; i < n; i++)
		prep_remove(&r, 1000000 + n - 1 - i, 2);
	ASSERT_EQ(3 * n, ring_submit(&r));
	for (unsigned int i = 0; i < 3 * n; i++) {
		NEED_EQ(0, ring_cqe(&r, &cqe), "%u of %u", i, 3 * n);
		if (cqe.user_data == 1 && cqe.res == -ETIME)
			got[0]++;
		else if (cqe.user_data == 2 && cqe.res == 0)
			got[1]++;
		else if (cqe.user_data >= 1000000 && cqe.res == -ECANCELED)
			got[2]++;
	}
	for (int i = 0; i < 3; i++)
		EXPECT_EQ(n, got[i]);
	EXPECT_EQ(0, ring_ready(&r));
	ring_exit(&r);
}

TEST_F(timeout, closing_with_timeouts_armed)
{
	struct __kernel_timespec ts = to_ts(ms(20)), far = to_ts(ms(100000));

	for (int i = 0; i < 60; i++)
		prep_timeout(&self->r, i & 1 ? &far : &ts, i % 3, 0, i);
	EXPECT_EQ(60, ring_submit(&self->r));
	ring_exit(&self->r);
	usleep(30000);
}

/* What only the device has. */
DEVICE_FIXTURE(device);

TEST_F(device, flags_of_absent_features_are_einval)
{
	struct __kernel_timespec ts = to_ts(ms(10));

	/* multishot */
	prep_timeout(&self->r, &ts, 0, 1 << 6, 1);
	EXPECT_EQ(-EINVAL, ring_run(&self->r));
}

TEST_F(device, bad_timeouts_print_nothing)
{
	struct __kernel_timespec ts = { LLONG_MIN, LLONG_MIN };
	struct __kernel_timespec big = { 0, LLONG_MAX };
	int log = kmsg_mark();

	ASSERT_GE(log, 0);
	for (unsigned int f = 0; f < 256; f++) {
		prep_timeout(&self->r, f & 1 ? &ts : &big, f, f, f);
		ring_submit(&self->r);
		prep_update(&self->r, f, f & 2 ? &ts : &big, f, f);
		ring_submit(&self->r);
	}
	ring_exit(&self->r);
	EXPECT_EQ(0, kmsg_count(log));
	close(log);
}

RING_TEST_MAIN
