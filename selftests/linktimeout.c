// SPDX-License-Identifier: MIT
/*
 * LINK_TIMEOUT: takes back the request before it when its time has come, and
 * goes when that ends by itself. What is refused, changed or too late is in
 * linklate.c.
 */
#include "linktimeout.h"

RING_FIXTURE(linktimeout);

/* --- it comes in time, or too late --------------------------------------- */

TEST_F(linktimeout, fires)
{
	struct ring *r = &self->r;

	for (int kind = 0; kind < TARGETS; kind++) {
		__u64 start = now_ns();
		struct target t;

		prep_target(_metadata, r, &t, kind, false, 1)->flags |= LINK;
		prep_link_timeout(r, &soon, 0, 2);
		ASSERT_EQ(2, ring_submit(r));
		SEE_SET(r, { 1, -ECANCELED }, { 2, -ETIME });
		CHECK_GE(now_ns() - start, ms(5), "%s", TARGET[kind].name);
		/* a target that was taken back takes no data */
		feed_target(_metadata, &t);
		CHECK_TRUE(readable(t.fd[0]) == (kind < TIMER), "%s",
			   TARGET[kind].name);
		CHECK_TRUE(_metadata->passed, "%s", TARGET[kind].name);
		drop_target(&t);
	}
}

TEST_F(linktimeout, does_not_fire)
{
	struct ring *r = &self->r;

	for (int kind = 0; kind < TARGETS; kind++) {
		struct target t;

		if (kind == COUNT)
			continue;
		prep_target(_metadata, r, &t, kind, true, 1)->flags |= LINK;
		prep_link_timeout(r, &far, 0, 2);
		ASSERT_EQ(2, ring_submit(r));
		EXPECT_TRUE(kind == TIMER || ring_quiet(r, 5));
		feed_target(_metadata, &t);
		SEE(r, { 1, TARGET[kind].res }, { 2, -ECANCELED });
		CHECK_TRUE(_metadata->passed, "%s", TARGET[kind].name);
		drop_target(&t);
	}
}

TEST_F(linktimeout, of_a_target_that_ends_at_once)
{
	struct ring *r = &self->r;
	struct target t;

	for (int kind = 0; kind < TIMER; kind++) {
		prep_target(_metadata, r, &t, kind, true, 1)->flags |= LINK;
		prep_link_timeout(r, &far, 0, 2);
		feed_target(_metadata, &t);
		ASSERT_EQ(2, ring_submit(r));
		SEE(r, { 1, TARGET[kind].res }, { 2, -ECANCELED });
		CHECK_TRUE(_metadata->passed, "%s", TARGET[kind].name);
		drop_target(&t);
	}
	for (int async = 0; async < 2; async++) {
		__u8 flags = async ? LINK | ASYNC : LINK;

		prep_nop(r, 1)->flags = flags;
		prep_link_timeout(r, &far, 0, 2);
		prep_ebadf(r, 3)->flags = flags;
		prep_link_timeout(r, &far, 0, 4);
		ASSERT_EQ(4, ring_submit(r));
		SEE_SET(r, { 1, 0 }, { 2, -ECANCELED }, { 3, -EBADF },
			{ 4, -ECANCELED });
	}
}

/*
 * Of a time that is over from the start: what waits is taken back. What ends
 * at once has its own result, and its timeout may have fired or not.
 */
static void swap_cqes(struct aring_cqe *a, struct aring_cqe *b)
{
	struct aring_cqe c = *a;

	*a = *b;
	*b = c;
}

TEST_F(linktimeout, of_no_time_at_all)
{
	struct __kernel_timespec zero = { 0, 0 };
	struct ring *r = &self->r;
	struct aring_cqe a, b;
	struct target t;

	for (int kind = 0; kind < TARGETS; kind++) {
		/* handed to another thread it may be met on its way */
		if (kind == PIPE_ASYNC)
			continue;
		prep_target(_metadata, r, &t, kind, false, 1)->flags |= LINK;
		prep_link_timeout(r, &zero, 0, 2);
		ASSERT_EQ(2, ring_submit(r));
		ASSERT_EQ(0, ring_cqe(r, &a));
		ASSERT_EQ(0, ring_cqe(r, &b));
		if (a.user_data != 1)
			swap_cqes(&a, &b);
		CHECK_EQ(1, a.user_data, "%s", TARGET[kind].name);
		CHECK_EQ(-ECANCELED, a.res, "%s", TARGET[kind].name);
		CHECK_EQ(-ETIME, b.res, "%s", TARGET[kind].name);
		drop_target(&t);
	}
	for (int i = 0; i < 50; i++) {
		prep_nop(r, 1)->flags = LINK;
		prep_link_timeout(r, &zero, 0, 2);
		ASSERT_EQ(2, ring_submit(r));
		ASSERT_EQ(0, ring_cqe(r, &a));
		ASSERT_EQ(0, ring_cqe(r, &b));
		EXPECT_EQ(3, a.user_data + b.user_data);
		EXPECT_EQ(0, a.user_data == 1 ? a.res : b.res);
		a = a.user_data == 1 ? b : a;
		EXPECT_TRUE(a.res == -ECANCELED || a.res == -ENOENT) {
			TH_LOG("result %d", a.res);
		}
	}
}

/*
 * A target's completion comes before its timeout's; only of a poll that was
 * taken back io_uring posts them the other way round. What comes next in the
 * chain does not wait for the timeout's completion.
 */
TEST_F(linktimeout, order_of_the_completions)
{
	struct ring *r = &self->r;
	struct aring_cqe first;

	for (int kind = 0; kind < TARGETS; kind++) {
		struct target t;

		prep_target(_metadata, r, &t, kind, false, 1)->flags |= LINK;
		prep_link_timeout(r, &soon, 0, 2);
		ASSERT_EQ(2, ring_submit(r));
		if (kind == POLL && variant->backend == IO_URING)
			SEE(r, { 2, -ETIME }, { 1, -ECANCELED });
		else
			SEE(r, { 1, -ECANCELED }, { 2, -ETIME });
		CHECK_TRUE(_metadata->passed, "%s", TARGET[kind].name);
		drop_target(&t);
	}
	prep_nop(r, 1)->flags = LINK;
	prep_link_timeout(r, &far, 0, 2)->flags = LINK;
	prep_nop(r, 3);
	ASSERT_EQ(3, ring_submit(r));
	ASSERT_EQ(0, ring_cqe(r, &first));
	EXPECT_EQ(1, first.user_data);
	SEE_SET(r, { 2, -ECANCELED }, { 3, 0 });
}

/* --- among others -------------------------------------------------------- */

TEST_F(linktimeout, what_follows_goes_by_the_targets_result)
{
	struct ring *r = &self->r;

	for (int form = 0; form < 8; form++) {
		bool fires = form & 1;
		/* it is the target's own link that counts, not the timeout's */
		__u8 flag = form & 2 ? HARD : LINK;
		__u8 lt = form & 4 ? HARD : LINK;
		int rest = fires && flag == LINK ? -ECANCELED : 0;
		struct target t;

		prep_nop(r, 0)->flags = LINK;
		prep_target(_metadata, r, &t, PIPE, false, 1)->flags = flag;
		prep_link_timeout(r, fires ? &soon : &far, 0, 2)->flags = lt;
		prep_nop(r, 3)->flags = LINK;
		prep_nop(r, 4);
		ASSERT_EQ(5, ring_submit(r));
		if (!fires) {
			SEE(r, { 0, 0 });
			feed_target(_metadata, &t);
			SEE_SET(r, { 1, 1 }, { 2, -ECANCELED }, { 3, 0 },
				{ 4, 0 });
		} else {
			SEE_SET(r, { 0, 0 }, { 1, -ECANCELED }, { 2, -ETIME },
				{ 3, rest }, { 4, rest });
		}
		CHECK_TRUE(_metadata->passed, "form %d", form);
		drop_target(&t);
	}
}

TEST_F(linktimeout, several_in_one_chain)
{
	struct ring *r = &self->r;
	struct target a, b;

	/* the second one's time begins with its target */
	prep_target(_metadata, r, &a, SOCKET, false, 1)->flags = LINK;
	prep_link_timeout(r, &far, 0, 2)->flags = LINK;
	prep_target(_metadata, r, &b, SOCKET, false, 3)->flags = LINK;
	prep_link_timeout(r, &soon, 0, 4)->flags = LINK;
	prep_nop(r, 5);
	ASSERT_EQ(5, ring_submit(r));
	EXPECT_TRUE(ring_quiet(r, 20));
	feed_target(_metadata, &a);
	SEE_SET(r, { 1, 1 }, { 2, -ECANCELED }, { 3, -ECANCELED },
		{ 4, -ETIME }, { 5, -ECANCELED });
	drop_target(&a);
	/* when the first one fires, the others never begin */
	prep_target(_metadata, r, &a, SOCKET, false, 1)->flags = LINK;
	prep_link_timeout(r, &soon, 0, 2)->flags = LINK;
	prep_target(_metadata, r, &b, SOCKET, false, 3)->flags = LINK;
	prep_link_timeout(r, &soon, 0, 4);
	ASSERT_EQ(4, ring_submit(r));
	SEE_SET(r, { 1, -ECANCELED }, { 2, -ETIME }, { 3, -ECANCELED },
		{ 4, -ECANCELED });
	/* a failure ahead of it */
	prep_ebadf(r, 1)->flags = LINK;
	prep_target(_metadata, r, &b, SOCKET, false, 2)->flags = LINK;
	prep_link_timeout(r, &soon, 0, 3)->flags = LINK;
	prep_nop(r, 4);
	ASSERT_EQ(4, ring_submit(r));
	SEE(r, { 1, -EBADF }, { 2, -ECANCELED }, { 3, -ECANCELED },
	    { 4, -ECANCELED });
}

/*
 * Behind another read of a pipe, io_uring 6.1 has this one in a worker that
 * sleeps in it, and starts the timeout's time only after that.
 */
TEST_F(linktimeout, of_a_pipe_read_behind_another)
{
	struct ring *r = &self->r;
	struct target a, b;

	prep_target(_metadata, r, &a, PIPE, false, 1)->flags = LINK;
	prep_target(_metadata, r, &b, PIPE, false, 2)->flags = LINK;
	prep_link_timeout(r, &soon, 0, 3);
	ASSERT_EQ(3, ring_submit(r));
	EXPECT_TRUE(ring_quiet(r, 10));
	feed_target(_metadata, &a);
	if (variant->backend == DEVICE) {
		SEE(r, { 1, 1 }, { 2, -ECANCELED }, { 3, -ETIME });
		return;
	}
	SEE(r, { 1, 1 });
	EXPECT_TRUE(ring_quiet(r, 50));
	feed_target(_metadata, &b);
	SEE(r, { 2, 1 }, { 3, -ECANCELED });
}

TEST_F(linktimeout, a_cancelled_target)
{
	struct ring *r = &self->r;
	struct target t;

	for (int kind = 0; kind < TARGETS; kind++) {
		prep_target(_metadata, r, &t, kind, false, 1)->flags |= LINK;
		prep_link_timeout(r, &far, 0, 2)->flags = LINK;
		prep_nop(r, 3);
		ASSERT_EQ(3, ring_submit(r));
		EXPECT_TRUE(ring_quiet(r, 5));
		prep_cancel(r, 1, 0, 4);
		ASSERT_EQ(1, ring_submit(r));
		SEE_SET(r, { 4, 0 }, { 1, -ECANCELED }, { 2, -ECANCELED },
			{ 3, -ECANCELED });
		CHECK_TRUE(_metadata->passed, "%s", TARGET[kind].name);
		drop_target(&t);
	}
}

/* Whether the timeout's completion is seen is for its own flag to say. */
TEST_F(linktimeout, without_a_completion)
{
	struct ring *r = &self->r;
	struct target t;

	for (int skip = 0; skip < 2; skip++) {
		__u8 flag = skip ? LINK | SKIP_OK : LINK;

		prep_target(_metadata, r, &t, PIPE, false, 1)->flags = flag;
		prep_link_timeout(r, &soon, 0, 2)->flags = SKIP_OK;
		ASSERT_EQ(2, ring_submit(r));
		SEE(r, { 1, -ECANCELED });
		prep_nop(r, 1)->flags = flag;
		prep_link_timeout(r, &far, 0, 2)->flags = SKIP_OK;
		prep_nop(r, 3);
		ASSERT_EQ(3, ring_submit(r));
		if (skip)
			SEE(r, { 3, 0 });
		else
			SEE_SET(r, { 1, 0 }, { 3, 0 });
		drop_target(&t);
	}
	prep_nop(r, 1)->flags = LINK | SKIP_OK;
	prep_link_timeout(r, &far, 0, 2);
	ASSERT_EQ(2, ring_submit(r));
	SEE(r, { 2, -ECANCELED });
	/* a target that fails with SKIP hides the others, not its timeout */
	prep_target(_metadata, r, &t, PIPE, false, 1)->flags = LINK | SKIP_OK;
	prep_link_timeout(r, &soon, 0, 2)->flags = LINK;
	prep_nop(r, 3);
	ASSERT_EQ(3, ring_submit(r));
	SEE_SET(r, { 1, -ECANCELED }, { 2, -ETIME });
	/*
	 * The man page says that SKIP on a linked timeout hides it always. On
	 * 6.1 that is not so if its target was never reached.
	 */
	prep_ebadf(r, 1)->flags = LINK;
	prep_nop(r, 2)->flags = LINK;
	prep_link_timeout(r, &far, 0, 3)->flags = SKIP_OK;
	ASSERT_EQ(3, ring_submit(r));
	SEE(r, { 1, -EBADF }, { 2, -ECANCELED }, { 3, -ECANCELED });
}

/* --- times --------------------------------------------------------------- */

static const __u32 CLOCK_FLAG[] = {
	0, ARING_TIMEOUT_BOOTTIME, ARING_TIMEOUT_REALTIME,
};

TEST_F(linktimeout, clocks_and_absolute_times)
{
	struct ring *r = &self->r;
	struct target t;

	for (int form = 0; form < 6; form++) {
		bool abs = form >= 3;
		__u32 flags = CLOCK_FLAG[form % 3] |
			      (abs ? ARING_TIMEOUT_ABS : 0);
		__u64 start = now_ns();
		struct __kernel_timespec ts;

		ts = abs ? clock_in(form % 3, ms(20)) : to_ts(ms(20));
		prep_target(_metadata, r, &t, PIPE, false, 1)->flags = LINK;
		prep_link_timeout(r, &ts, flags, 2);
		ASSERT_EQ(2, ring_submit(r));
		ts = far;
		SEE_SET(r, { 1, -ECANCELED }, { 2, -ETIME });
		CHECK_GE(now_ns() - start, ms(15), "form %d", form);
		drop_target(&t);
		/* in the past, and far from it */
		ts = abs ? clock_in(form % 3, -(__s64)ms(1000)) : to_ts(0);
		prep_target(_metadata, r, &t, PIPE, false, 1)->flags = LINK;
		prep_link_timeout(r, &ts, flags |
				  ARING_TIMEOUT_ETIME_SUCCESS, 2);
		ASSERT_EQ(2, ring_submit(r));
		SEE_SET(r, { 1, -ECANCELED }, { 2, -ETIME });
		drop_target(&t);
		ts = (struct __kernel_timespec) { LLONG_MAX, 999999999 };
		prep_target(_metadata, r, &t, PIPE, false, 1)->flags = LINK;
		prep_link_timeout(r, &ts, flags, 2);
		ASSERT_EQ(2, ring_submit(r));
		EXPECT_TRUE(ring_quiet(r, 10));
		feed_target(_metadata, &t);
		SEE(r, { 1, 1 }, { 2, -ECANCELED });
		drop_target(&t);
	}
}

RING_TEST_MAIN
