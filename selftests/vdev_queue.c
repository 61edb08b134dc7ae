// SPDX-License-Identifier: MIT
/*
 * The virtual device: who gets a channel when. All times are those of a virtual
 * clock, and so are exact; what there is to be told of the real one is at the end.
 */
#include "vdev.h"

#define MEDIUM	1048576UL
#define MANY	40

FIXTURE(vdev_queue) {
	struct ring r;
	char *buf;
};

FIXTURE_VARIANT(vdev_queue) {
	enum backend backend;
};

FIXTURE_VARIANT_ADD(vdev_queue, device) {
	.backend = DEVICE,
};

FIXTURE_SETUP(vdev_queue)
{
	self->buf = page_alloc(PAGE);
	ASSERT_EQ(0, ring_init(&self->r, DEVICE, 256, 0));
	ASSERT_EQ(0, clock_virtual(&self->r, 0));
}

FIXTURE_TEARDOWN(vdev_queue)
{
	ring_exit(&self->r);
}

/* When each ended, by user_data, and in which order. */
struct ends {
	int nr;
	__u64 at[256];
	int order[256];
	int res[256];
};

/* Move from event to event until there is none. */
static bool run_out(struct ring *r, struct ends *e)
{
	struct aring_cqe cqe;
	int ret;

	memset(e, 0, sizeof(*e));
	do {
		ret = clock_next(r);
		while (ring_reap(r, &cqe)) {
			if (cqe.user_data >= 256)
				return false;
			e->at[cqe.user_data] = clock_time(r);
			e->res[cqe.user_data] = cqe.res;
			e->order[e->nr++] = cqe.user_data;
		}
	} while (!ret);
	return ret == -ENOENT;
}

static int policy(struct ring *r, __u32 which, __u32 channels)
{
	struct aring_vdev v = {
		.size = MEDIUM, .channels = channels, .policy = which,
		.base = 100,
	};

	return vdev_set(r, &v);
}

/* --- the policies -------------------------------------------------------- */

TEST_F(vdev_queue, fifo_goes_by_tickets)
{
	struct ring *r = &self->r;
	struct ends e;

	ASSERT_EQ(0, policy(r, ARING_VDEV_FIFO, 1));
	for (int i = 0; i < 8; i++)
		takes(prep_vread(r, self->buf, 8, (8 - i) * 512, i), 100 - i);
	ASSERT_EQ(8, ring_submit(r));
	ASSERT_TRUE(run_out(r, &e));
	ASSERT_EQ(8, e.nr);
	for (int i = 0, t = 0; i < 8; i++) {
		t += 100 - i;
		EXPECT_EQ(i, e.order[i]);
		EXPECT_EQ(t, e.at[i]);
		EXPECT_EQ(8, e.res[i]);
	}
}

TEST_F(vdev_queue, the_shortest_goes_first)
{
	static const int time[] = { 50, 30, 90, 10, 30, 0 };
	static const int order[] = { 5, 3, 1, 4, 0, 2 };
	struct ring *r = &self->r;
	struct ends e;

	ASSERT_EQ(0, policy(r, ARING_VDEV_SHORTEST, 1));
	for (int i = 0; i < 6; i++)
		takes(prep_vread(r, self->buf, 8, 0, i), time[i]);
	ASSERT_EQ(6, ring_submit(r));
	ASSERT_TRUE(run_out(r, &e));
	ASSERT_EQ(6, e.nr);
	for (int i = 0; i < 6; i++)
		EXPECT_EQ(order[i], e.order[i]);
	EXPECT_EQ(0, e.at[5]);
	EXPECT_EQ(10, e.at[3]);
	EXPECT_EQ(40, e.at[1]);
	EXPECT_EQ(70, e.at[4]);
	EXPECT_EQ(120, e.at[0]);
	EXPECT_EQ(210, e.at[2]);
}

TEST_F(vdev_queue, by_length_where_the_time_is_not_given)
{
	struct aring_vdev v = {
		.size = MEDIUM, .channels = 1, .policy = ARING_VDEV_SHORTEST,
		.base = 10, .per_byte = 1000,
	};
	struct ring *r = &self->r;
	struct ends e;

	ASSERT_EQ(0, vdev_set(r, &v));
	prep_vread(r, self->buf, 300, 0, 0);
	prep_vread(r, self->buf, 100, 0, 1);
	/* only what is there is moved */
	prep_vread(r, self->buf, 4000, MEDIUM - 50, 2);
	takes(prep_vread(r, self->buf, 4000, 0, 3), 70);
	ASSERT_EQ(4, ring_submit(r));
	ASSERT_TRUE(run_out(r, &e));
	ASSERT_EQ(4, e.nr);
	EXPECT_EQ(60, e.at[2]);
	EXPECT_EQ(50, e.res[2]);
	EXPECT_EQ(130, e.at[3]);
	EXPECT_EQ(240, e.at[1]);
	EXPECT_EQ(550, e.at[0]);
}

TEST_F(vdev_queue, the_elevator_sweeps_upwards)
{
	static const int off[] = { 500, 100, 900, 200, 300, 700 };
	static const int order[] = { 1, 3, 4, 0, 5, 2 };
	struct ring *r = &self->r;
	struct ends e;

	ASSERT_EQ(0, policy(r, ARING_VDEV_ELEVATOR, 1));
	for (int i = 0; i < 6; i++)
		prep_vread(r, self->buf, 8, off[i], i);
	ASSERT_EQ(6, ring_submit(r));
	ASSERT_TRUE(run_out(r, &e));
	ASSERT_EQ(6, e.nr);
	for (int i = 0; i < 6; i++)
		EXPECT_EQ(order[i], e.order[i]);
	/*
	 * It stands at 908. What is above goes first, then it starts from below,
	 * also past what it has just served.
	 */
	prep_vread(r, self->buf, 8, 907, 0);
	prep_vread(r, self->buf, 8, 5, 1);
	prep_vread(r, self->buf, 8, 908, 2);
	prep_vread(r, self->buf, 8, 2000, 3);
	ASSERT_EQ(4, ring_submit(r));
	ASSERT_TRUE(run_out(r, &e));
	ASSERT_EQ(4, e.nr);
	EXPECT_EQ(2, e.order[0]);
	EXPECT_EQ(3, e.order[1]);
	EXPECT_EQ(1, e.order[2]);
	EXPECT_EQ(0, e.order[3]);
}

/* Offsets from all over the medium, the same for each policy. */
static __u64 somewhere(int i)
{
	return (__u64)i * 2654435761U % (MEDIUM - PAGE);
}

/* How long MANY requests take, a nanosecond for each byte of way. */
static __u64 total(struct __test_metadata *_metadata, struct ring *r, char *buf,
		   __u32 which)
{
	struct aring_vdev v = {
		.size = MEDIUM, .channels = 1, .policy = which, .base = 1000,
		.per_distance = 1000,
	};
	__u64 from = clock_time(r);
	struct ends e;

	EXPECT_EQ(0, vdev_set(r, &v));
	for (int i = 0; i < MANY; i++)
		prep_vread(r, buf, 512, somewhere(i), i);
	EXPECT_EQ(MANY, ring_submit(r));
	EXPECT_TRUE(run_out(r, &e));
	EXPECT_EQ(MANY, e.nr);
	return clock_time(r) - from;
}

TEST_F(vdev_queue, the_elevator_beats_fifo)
{
	__u64 fifo = 0, lift, head = 0, off;

	lift = total(_metadata, &self->r, self->buf, ARING_VDEV_ELEVATOR);
	EXPECT_EQ(lift, total(_metadata, &self->r, self->buf,
			      ARING_VDEV_ELEVATOR));
	for (int i = 0; i < MANY; i++) {
		off = somewhere(i);
		fifo += 1000 + (off > head ? off - head : head - off);
		head = off + 512;
	}
	EXPECT_EQ(fifo, total(_metadata, &self->r, self->buf, ARING_VDEV_FIFO));
	TH_LOG("FIFO %llu us, elevator %llu us", fifo / 1000, lift / 1000);
	/* one sweep, and the way back to what it has just passed */
	EXPECT_LT(lift, MANY * 1000 + MEDIUM + MANY * 512);
	EXPECT_GT(fifo, 5 * lift);
}

TEST_F(vdev_queue, the_shortest_first_waits_least)
{
	static const __u32 which[] = { ARING_VDEV_FIFO, ARING_VDEV_SHORTEST };
	__u64 sum[2] = { 0 }, from;
	struct ring *r = &self->r;
	struct ends e;

	for (int k = 0; k < 2; k++) {
		ASSERT_EQ(0, policy(r, which[k], 1));
		from = clock_time(r);
		for (int i = 0; i < MANY; i++)
			takes(prep_vread(r, self->buf, 1, 0, i),
			      i * 7919 % 101 * 10);
		ASSERT_EQ(MANY, ring_submit(r));
		ASSERT_TRUE(run_out(r, &e));
		for (int i = 0; i < MANY; i++)
			sum[k] += e.at[i] - from;
	}
	EXPECT_LT(sum[1], sum[0]);
}

/* --- channels ------------------------------------------------------------ */

TEST_F(vdev_queue, as_many_at_a_time_as_there_are_channels)
{
	struct ring *r = &self->r;
	struct ends e;

	for (__u32 n = 1; n <= ARING_VDEV_MAX_CHANNELS; n++) {
		__u64 from = clock_time(r);

		ASSERT_EQ(0, policy(r, ARING_VDEV_FIFO, n));
		for (int i = 0; i < 130; i++)
			prep_vread(r, self->buf, 8, 0, i);
		ASSERT_EQ(130, ring_submit(r));
		ASSERT_TRUE(run_out(r, &e));
		ASSERT_EQ(130, e.nr);
		for (int i = 0; i < 130; i++) {
			NEED_EQ(i, e.order[i], "%u channels", n);
			NEED_EQ(from + (i / n + 1) * 100, e.at[i],
				"%u channels, request %d", n, i);
		}
	}
}

TEST_F(vdev_queue, a_channel_is_free_at_the_instant_that_it_was_left)
{
	struct ring *r = &self->r;
	struct ends e;

	ASSERT_EQ(0, policy(r, ARING_VDEV_FIFO, 2));
	takes(prep_vread(r, self->buf, 1, 0, 0), 10);
	takes(prep_vread(r, self->buf, 1, 0, 1), 25);
	takes(prep_vread(r, self->buf, 1, 0, 2), 10);
	takes(prep_vread(r, self->buf, 1, 0, 3), 0);
	takes(prep_vread(r, self->buf, 1, 0, 4), 1);
	ASSERT_EQ(5, ring_submit(r));
	ASSERT_TRUE(run_out(r, &e));
	ASSERT_EQ(5, e.nr);
	EXPECT_EQ(10, e.at[0]);
	EXPECT_EQ(20, e.at[2]);
	EXPECT_EQ(20, e.at[3]);
	EXPECT_EQ(21, e.at[4]);
	EXPECT_EQ(25, e.at[1]);
}

/* Who comes at an instant is not too late for it, whatever its ticket. */
TEST_F(vdev_queue, channels_are_given_at_the_end_of_the_instant)
{
	struct ring *r = &self->r;
	struct ends e;

	ASSERT_EQ(0, policy(r, ARING_VDEV_SHORTEST, 1));
	takes(prep_vread(r, self->buf, 1, 0, 0), 30);
	ASSERT_EQ(1, ring_submit(r));
	takes(prep_vread(r, self->buf, 1, 0, 1), 10);
	ASSERT_EQ(1, ring_submit(r));
	EXPECT_TRUE(vdev_state_is(r, 0, "queued"));
	ASSERT_TRUE(run_out(r, &e));
	EXPECT_EQ(10, e.at[1]);
	EXPECT_EQ(40, e.at[0]);
}

/* --- other requests, other rings ----------------------------------------- */

TEST_F(vdev_queue, a_chain_goes_from_instant_to_instant)
{
	struct ring r;
	struct ends e;

	/* by hand */
	ASSERT_EQ(0, policy(&self->r, ARING_VDEV_FIFO, 4));
	for (int i = 0; i < 10; i++)
		takes(prep_vread(&self->r, self->buf, 1, 0, i), i)->flags =
			i < 9 ? ARING_SQE_IO_LINK : 0;
	takes(prep_vread(&self->r, self->buf, 1, 0, 10), 5);
	ASSERT_EQ(11, ring_submit(&self->r));
	ASSERT_TRUE(run_out(&self->r, &e));
	ASSERT_EQ(11, e.nr);
	for (int i = 0; i < 10; i++)
		EXPECT_EQ(i * (i + 1) / 2, e.at[i]);
	EXPECT_EQ(5, e.at[10]);
	/* by itself */
	ASSERT_EQ(0, ring_init(&r, DEVICE, 64, 0));
	ASSERT_EQ(0, clock_virtual(&r, ARING_CLOCK_AUTO));
	ASSERT_EQ(0, policy(&r, ARING_VDEV_FIFO, 4));
	for (int i = 0; i < 10; i++)
		takes(prep_vread(&r, self->buf, 1, 0, i), i)->flags =
			i < 9 ? ARING_SQE_IO_LINK : 0;
	takes(prep_vread(&r, self->buf, 1, 0, 10), 5);
	ASSERT_EQ(11, ring_submit(&r));
	for (int i = 0; i < 11; i++) {
		struct aring_cqe cqe;

		ASSERT_EQ(0, ring_cqe(&r, &cqe));
		ASSERT_LT(cqe.user_data, 11);
		CHECK_EQ(e.at[cqe.user_data], clock_time(&r), "request %d",
			 (int)cqe.user_data);
	}
	ring_exit(&r);
}

TEST_F(vdev_queue, rings_that_share_a_clock_have_devices_of_their_own)
{
	struct ring other, *r = &self->r;
	struct aring_cqe cqe;
	char in = 0;

	ASSERT_EQ(0, ring_init(&other, DEVICE, 8, 0));
	ASSERT_EQ(0, clock_share(&other, r));
	ASSERT_EQ(0, policy(r, ARING_VDEV_FIFO, 1));
	ASSERT_EQ(0, policy(&other, ARING_VDEV_FIFO, 1));
	/* what the first ring reads is moved before the second one writes */
	prep_vread(&other, self->buf, 1, 0, 1);
	ASSERT_EQ(1, ring_submit(&other));
	self->buf[1] = 'x';
	prep_vwrite(r, self->buf + 1, 1, 0, 2);
	ASSERT_EQ(1, ring_submit(r));
	ASSERT_EQ(0, clock_advance(&other, 99));
	EXPECT_EQ(0, ring_ready(r) + ring_ready(&other));
	ASSERT_EQ(0, clock_next(r));
	EXPECT_EQ(100, clock_time(&other));
	ASSERT_TRUE(ring_reap(r, &cqe) && cqe.res == 1);
	ASSERT_TRUE(ring_reap(&other, &cqe) && cqe.res == 1);
	/* one ends while the other one's request goes on */
	prep_vread(&other, self->buf, 1, 0, 1);
	ASSERT_EQ(1, ring_submit(&other));
	ASSERT_EQ(0, clock_advance(r, 50));
	takes(prep_vread(r, &in, 1, 0, 3), 100);
	ASSERT_EQ(1, ring_submit(r));
	ASSERT_EQ(0, clock_advance(r, 1));
	ring_exit(&other);
	ASSERT_EQ(0, clock_advance(r, 99));
	ASSERT_TRUE(ring_reap(r, &cqe));
	EXPECT_EQ('x', in);
}

/* --- taking back --------------------------------------------------------- */

TEST_F(vdev_queue, queued_is_taken_back_started_is_not)
{
	struct ring *r = &self->r;
	struct aring_cqe cqe;
	struct ends e;
	char *b = self->buf, in[8] = "";

	ASSERT_EQ(0, policy(r, ARING_VDEV_FIFO, 1));
	strcpy(b, "started");
	prep_vwrite(r, b, 8, 0, 1);
	prep_vwrite(r, "queued!", 8, 8, 2);
	prep_vread(r, b + 100, 8, 0, 3);
	ASSERT_EQ(3, ring_submit(r));
	/* nobody has a channel before the instant ends */
	EXPECT_TRUE(vdev_state_is(r, 1, "queued"));
	ASSERT_EQ(0, clock_advance(r, 50));
	EXPECT_TRUE(vdev_state_is(r, 1, "started"));
	EXPECT_TRUE(vdev_state_is(r, 2, "queued"));
	prep_cancel(r, 1, 0, 10);
	prep_cancel(r, 2, 0, 11);
	prep_cancel(r, 2, 0, 12);
	ASSERT_EQ(3, ring_submit(r));
	ASSERT_TRUE(ring_reap(r, &cqe));
	EXPECT_EQ(2, cqe.user_data);
	EXPECT_EQ(-ECANCELED, cqe.res);
	ASSERT_TRUE(ring_reap(r, &cqe));
	EXPECT_EQ(10, cqe.user_data);
	EXPECT_EQ(-EALREADY, cqe.res);
	ASSERT_TRUE(ring_reap(r, &cqe));
	EXPECT_EQ(11, cqe.user_data);
	EXPECT_EQ(0, cqe.res);
	ASSERT_TRUE(ring_reap(r, &cqe));
	EXPECT_EQ(12, cqe.user_data);
	EXPECT_EQ(-ENOENT, cqe.res);
	ASSERT_TRUE(run_out(r, &e));
	ASSERT_EQ(2, e.nr);
	EXPECT_EQ(100, e.at[1]);
	EXPECT_EQ(8, e.res[1]);
	/* and nobody waits in the place of what was taken back */
	EXPECT_EQ(200, e.at[3]);
	EXPECT_STREQ("started", b + 100);
	takes(prep_vread(r, in, 8, 8, 4), 0);
	ASSERT_EQ(1, ring_submit(r));
	ASSERT_TRUE(run_out(r, &e));
	EXPECT_STREQ("", in);
}

TEST_F(vdev_queue, all_are_found_and_taken_back)
{
	struct ring *r = &self->r;
	struct aring_cqe cqe;
	struct ends e;

	ASSERT_EQ(0, policy(r, ARING_VDEV_ELEVATOR, 3));
	for (int i = 0; i < 20; i++)
		prep_vread(r, self->buf, 8, (i * 37 % 20) * 64, i);
	ASSERT_EQ(20, ring_submit(r));
	ASSERT_EQ(0, clock_advance(r, 1));
	prep_cancel(r, 0, ARING_ASYNC_CANCEL_ANY, 99);
	ASSERT_EQ(1, ring_submit(r));
	for (int i = 0; i < 17; i++) {
		ASSERT_TRUE(ring_reap(r, &cqe));
		EXPECT_EQ(-ECANCELED, cqe.res);
	}
	ASSERT_TRUE(ring_reap(r, &cqe));
	EXPECT_EQ(99, cqe.user_data);
	EXPECT_EQ(20, cqe.res);
	ASSERT_TRUE(run_out(r, &e));
	EXPECT_EQ(3, e.nr);
	EXPECT_EQ(100, clock_time(r));
}

TEST_F(vdev_queue, a_link_timeout_takes_back_what_waits)
{
	struct ring *r = &self->r;
	struct __kernel_timespec ts = to_ts(150), early = to_ts(30);
	struct aring_sqe *s;
	struct ends e;

	ASSERT_EQ(0, policy(r, ARING_VDEV_FIFO, 1));
	/* started, and then it is too late */
	prep_vread(r, self->buf, 8, 0, 0)->flags = ARING_SQE_IO_LINK;
	s = prep(r, ARING_OP_LINK_TIMEOUT, -1, &early, 1, 0, 1);
	prep_vread(r, self->buf, 8, 0, 2);
	/* waits until 200 */
	prep_vread(r, self->buf, 8, 0, 3)->flags = ARING_SQE_IO_LINK;
	s = prep(r, ARING_OP_LINK_TIMEOUT, -1, &ts, 1, 0, 4);
	(void)s;
	ASSERT_EQ(5, ring_submit(r));
	ASSERT_TRUE(run_out(r, &e));
	ASSERT_EQ(5, e.nr);
	EXPECT_EQ(8, e.res[0]);
	EXPECT_EQ(100, e.at[0]);
	EXPECT_EQ(-EALREADY, e.res[1]);
	EXPECT_EQ(30, e.at[1]);
	EXPECT_EQ(200, e.at[2]);
	EXPECT_EQ(-ECANCELED, e.res[3]);
	EXPECT_EQ(150, e.at[3]);
	EXPECT_EQ(-ETIME, e.res[4]);
	EXPECT_EQ(200, clock_time(r));
}

/* --- the real clock ------------------------------------------------------ */

TEST_F(vdev_queue, on_the_real_clock_the_order_is_as_exact)
{
	enum { N = 60 };
	struct aring_cqe cqe;
	struct ring r;

	ASSERT_EQ(0, ring_init(&r, DEVICE, 64, 0));
	for (__u32 n = 1; n <= 8; n *= 2) {
		ASSERT_EQ(0, policy(&r, ARING_VDEV_FIFO, n));
		for (int i = 0; i < N; i++)
			takes(prep_vread(&r, self->buf, 8, 0, i), 50000);
		ASSERT_EQ(N, ring_submit(&r));
		for (int i = 0; i < N; i++) {
			ASSERT_EQ(0, ring_cqe(&r, &cqe));
			NEED_EQ(i, (int)cqe.user_data, "%u channels", n);
		}
	}
	/* the first has the channel at once, the others wait for it */
	ASSERT_EQ(0, policy(&r, ARING_VDEV_SHORTEST, 1));
	for (int i = 0; i < 5; i++)
		takes(prep_vread(&r, self->buf, 8, 0, i), ms(10 - i) * test_slow());
	ASSERT_EQ(5, ring_submit(&r));
	EXPECT_TRUE(vdev_state_is(&r, 0, "started"));
	for (int i = 0; i < 5; i++) {
		ASSERT_EQ(0, ring_cqe(&r, &cqe));
		EXPECT_EQ(i ? 5 - i : 0, cqe.user_data);
	}
	ring_exit(&r);
}

/* Each leads to the next at once, and yet other things go on. */
TEST_F(vdev_queue, on_the_real_clock_many_take_no_time)
{
	unsigned long n = test_scale(20000, 2000), seen = 0;
	struct aring_cqe cqe;
	struct ring r;

	ASSERT_EQ(0, ring_init(&r, DEVICE, 64, 0));
	ASSERT_EQ(0, policy(&r, ARING_VDEV_FIFO, 1));
	takes(prep_vread(&r, NULL, 0, 0, seen), ms(300) * test_slow());
	ASSERT_EQ(1, ring_submit(&r));
	for (unsigned long i = 1; i < n; i++) {
		takes(prep_vread(&r, NULL, 0, 0, i), 0);
		if (i % 64 == 63 || i == n - 1)
			ASSERT_LT(0, ring_submit(&r));
	}
	while (seen < n) {
		ASSERT_EQ(0, ring_cqe(&r, &cqe));
		NEED_EQ(seen, cqe.user_data, "result %d", cqe.res);
		seen++;
	}
	ring_exit(&r);
}

TEST_F(vdev_queue, on_the_real_clock_cancels_are_as_exact)
{
	struct aring_cqe cqe;
	struct ring r;
	char in[8] = "", out[8] = "written";

	ASSERT_EQ(0, ring_init(&r, DEVICE, 64, 0));
	ASSERT_EQ(0, policy(&r, ARING_VDEV_FIFO, 1));
	takes(prep_vwrite(&r, out, 8, 0, 1), ms(100) * test_slow());
	prep_vread(&r, in, 8, 0, 2);
	prep_cancel(&r, 1, 0, 3);
	prep_cancel(&r, 2, 0, 4);
	ASSERT_EQ(4, ring_submit(&r));
	ASSERT_EQ(0, ring_wait(&r, 4));
	ASSERT_TRUE(ring_reap(&r, &cqe));
	EXPECT_EQ(2, cqe.user_data);
	EXPECT_EQ(-ECANCELED, cqe.res);
	ASSERT_TRUE(ring_reap(&r, &cqe));
	EXPECT_EQ(3, cqe.user_data);
	EXPECT_EQ(-EALREADY, cqe.res);
	ASSERT_TRUE(ring_reap(&r, &cqe));
	EXPECT_EQ(4, cqe.user_data);
	EXPECT_EQ(0, cqe.res);
	ASSERT_TRUE(ring_reap(&r, &cqe));
	EXPECT_EQ(1, cqe.user_data);
	EXPECT_EQ(8, cqe.res);
	prep_vread(&r, in, 8, 0, 5);
	EXPECT_EQ(8, ring_run(&r));
	EXPECT_STREQ("written", in);
	ring_exit(&r);
}

/* A thread takes back what another one submits, whatever becomes of it. */
struct canceller {
	struct ring *r;
	__u32 next;		/* ticket to be taken back next */
	bool stop;
};

static void *cancel_all(void *arg)
{
	struct canceller *c = arg;
	__u32 seen = 0, next;

	while (!__atomic_load_n(&c->stop, __ATOMIC_ACQUIRE)) {
		next = __atomic_load_n(&c->next, __ATOMIC_ACQUIRE);
		for (; seen != next; seen++) {
			struct aring_sync_cancel_reg reg = {
				.addr = seen,
				.flags = ARING_ASYNC_CANCEL_TICKET,
				/* what has started is not waited for */
				.timeout = { 0, 0 },
			};

			ring_register(c->r, ARING_REGISTER_SYNC_CANCEL, &reg, 1);
		}
	}
	return NULL;
}

TEST_F_TIMEOUT(vdev_queue, cancels_race_with_channels, 90)
{
	unsigned long n = test_scale(20000, 1000), nr_ok = 0, nr_taken = 0;
	struct canceller c;
	struct aring_cqe cqe;
	struct ring r;
	pthread_t t;
	__u32 seed = 1;

	ASSERT_EQ(0, ring_init(&r, DEVICE, 64, 0));
	ASSERT_EQ(0, policy(&r, ARING_VDEV_ELEVATOR, 2));
	c = (struct canceller) { .r = &r };
	ASSERT_EQ(0, pthread_create(&t, NULL, cancel_all, &c));
	for (unsigned long i = 0; i < n; i += 8) {
		for (int k = 0; k < 8; k++) {
			seed = seed * 1664525 + 1013904223;
			takes(prep_vread(&r, self->buf, 64, seed % MEDIUM, k),
			      (seed >> 8) % 400000);
		}
		ASSERT_EQ(8, ring_submit(&r));
		__atomic_store_n(&c.next, r.tail, __ATOMIC_RELEASE);
		for (int k = 0; k < 8; k++) {
			ASSERT_EQ(0, ring_cqe(&r, &cqe));
			/* less at the end of the medium */
			ASSERT_TRUE(cqe.res == -ECANCELED ||
				    (cqe.res > 0 && cqe.res <= 64));
			nr_ok += cqe.res >= 0;
			nr_taken += cqe.res == -ECANCELED;
		}
	}
	__atomic_store_n(&c.stop, true, __ATOMIC_RELEASE);
	pthread_join(t, NULL);
	TH_LOG("%lu ended, %lu were taken back", nr_ok, nr_taken);
	EXPECT_EQ(0, ring_ready(&r));
	ring_exit(&r);
}

RING_TEST_MAIN
