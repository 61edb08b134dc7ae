// SPDX-License-Identifier: MIT
/*
 * ARING_SETUP_CQE_TIMES: each CQE says how long its request was in which state.
 */
#include "vdev.h"
#include "disk.h"
#include "poll.h"

#define FLAGS (ARING_SETUP_CQE32 | ARING_SETUP_CQE_TIMES)

FIXTURE(times) {
	struct ring r;
	__u64 since;
};

FIXTURE_VARIANT(times) {
	enum backend backend;
};

FIXTURE_VARIANT_ADD(times, device) {
	.backend = DEVICE,
};

/* What was in the ring before may not show. */
FIXTURE_SETUP(times)
{
	ASSERT_EQ(0, ring_init(&self->r, DEVICE, 64, FLAGS));
	memset(self->r.cqes, 0xa5, self->r.p.cq_entries * 2 * sizeof(struct aring_cqe));
	self->since = now_ns();
}

FIXTURE_TEARDOWN(times)
{
	ring_exit(&self->r);
}

/* The next CQE, waited for, with its times. */
static int reap(struct ring *r, struct aring_cqe *cqe, struct aring_cqe_times *t)
{
	int ret = ring_wait(r, 1);

	if (ret)
		return ret;
	memcpy(t, ring_cqe_at(r, *r->cq_head) + 1, sizeof(*t));
	ring_reap(r, cqe);
	return 0;
}

static __u64 sum(const struct aring_cqe_times *t)
{
	return t->submitted + t->queued + t->started;
}

#define EXPECT_VIRTUAL(want_data, want_res, t)				\
	do {								\
		struct aring_cqe cqe_;					\
									\
		ASSERT_EQ(0, reap(&self->r, &cqe_, &(t)));		\
		EXPECT_EQ(want_data, cqe_.user_data);			\
		EXPECT_EQ(want_res, cqe_.res);				\
	} while (0)

#define EXPECT_CQE(want_data, want_res, t)				\
	do {								\
		EXPECT_VIRTUAL(want_data, want_res, t);			\
		EXPECT_LE(sum(&(t)), now_ns() - self->since);		\
	} while (0)

TEST_F(times, go_with_long_cqes_only)
{
	struct ring r;

	EXPECT_EQ(-EINVAL, ring_init(&r, DEVICE, 8, ARING_SETUP_CQE_TIMES));
	EXPECT_EQ(-EINVAL, ring_init(&r, DEVICE, 8, ARING_SETUP_CQE_TIMES |
				     ARING_SETUP_SQE128));
	ASSERT_EQ(0, ring_init(&r, DEVICE, 8, FLAGS | ARING_SETUP_SQE128));
	EXPECT_EQ(FLAGS | ARING_SETUP_SQE128, r.p.flags);
	ring_exit(&r);
}

TEST_F(times, what_ends_at_once_is_never_queued)
{
	struct aring_cqe_times t;

	for (int round = 0; round < 5; round++) {
		for (int i = 0; i < 40; i++)
			prep_nop(&self->r, i);
		ASSERT_EQ(40, ring_submit(&self->r));
		for (int i = 0; i < 40; i++) {
			EXPECT_CQE(i, 0, t);
			EXPECT_EQ(0, t.queued);
			/* it was STARTED until the batch was posted */
			EXPECT_NE(0, t.started);
		}
	}
}

TEST_F(times, what_is_refused_never_starts)
{
	struct aring_cqe_times t;

	prep_nop(&self->r, 1)->opcode = 77;
	ASSERT_EQ(1, ring_submit(&self->r));
	EXPECT_CQE(1, -EINVAL, t);
	EXPECT_EQ(0, t.queued);
	EXPECT_EQ(0, t.started);
	EXPECT_NE(0, t.submitted);
}

TEST_F(times, a_timer_is_queued_all_its_time)
{
	struct __kernel_timespec ts = to_ts(ms(30));
	struct aring_cqe_times t;

	prep_timeout(&self->r, &ts, 0, 0, 1);
	ASSERT_EQ(1, ring_submit(&self->r));
	EXPECT_CQE(1, -ETIME, t);
	EXPECT_GE(t.queued, ms(29));
	EXPECT_LT(t.submitted, t.queued);
	EXPECT_LT(t.started, t.queued);
}

TEST_F(times, an_empty_pipe_queues)
{
	struct aring_cqe_times t;
	char b[8];
	int p[2];

	ASSERT_EQ(0, pipe(p));
	prep_read(&self->r, p[0], b, sizeof(b), 0, 1);
	ASSERT_EQ(1, ring_submit(&self->r));
	usleep(30000);
	ASSERT_EQ(3, write(p[1], "abc", 3));
	EXPECT_CQE(1, 3, t);
	EXPECT_GE(t.queued, ms(29));
	EXPECT_NE(0, t.started);
	close(p[0]);
	close(p[1]);
}

TEST_F(times, what_is_taken_back_was_queued_until_then)
{
	struct __kernel_timespec ts = to_ts(ms(100000));
	struct aring_cqe_times t;

	prep_timeout(&self->r, &ts, 0, 0, 1);
	ASSERT_EQ(1, ring_submit(&self->r));
	usleep(30000);
	prep_cancel(&self->r, 1, 0, 2);
	ASSERT_EQ(1, ring_submit(&self->r));
	EXPECT_CQE(1, -ECANCELED, t);
	EXPECT_GE(t.queued, ms(29));
	EXPECT_EQ(0, t.started);
	EXPECT_CQE(2, 0, t);
	EXPECT_LT(t.started, ms(29));
}

TEST_F(times, what_waits_in_a_chain_is_queued)
{
	struct __kernel_timespec ts = to_ts(ms(30));
	struct aring_cqe_times t;

	prep_timeout(&self->r, &ts, 0, ARING_TIMEOUT_ETIME_SUCCESS, 1)->flags =
		ARING_SQE_IO_LINK;
	prep_nop(&self->r, 2)->flags = ARING_SQE_IO_LINK;
	prep_nop(&self->r, 3);
	ASSERT_EQ(3, ring_submit(&self->r));
	EXPECT_CQE(1, -ETIME, t);
	for (int i = 2; i <= 3; i++) {
		EXPECT_CQE(i, 0, t);
		EXPECT_GE(t.queued, ms(29));
		EXPECT_LT(t.started, ms(29));
	}
}

/* With the times until then; only the last one is the whole. */
TEST_F(times, events_of_a_multishot_say_how_long_so_far)
{
	struct aring_cqe_times t, last = { 0 };
	int fd = eventfd(0, EFD_NONBLOCK);

	ASSERT_GE(fd, 0);
	prep_multi(&self->r, fd, POLLIN, 1);
	ASSERT_EQ(1, ring_submit(&self->r));
	for (int i = 1; i <= 3; i++) {
		usleep(10000);
		eventfd_add(fd, 1);
		EXPECT_CQE(1, POLLIN, t);
		EXPECT_GE(t.queued, ms(10) * i - ms(1));
		EXPECT_GE(t.queued, last.queued);
		EXPECT_GE(t.started, last.started);
		last = t;
	}
	usleep(10000);
	prep_poll_remove(&self->r, 1, 2);
	ASSERT_EQ(1, ring_submit(&self->r));
	EXPECT_CQE(1, -ECANCELED, t);
	EXPECT_GE(t.queued, ms(39));
	EXPECT_CQE(2, 0, t);
	close(fd);
}

/* The time it then waits for room is not its own. */
TEST_F(times, end_where_the_request_ends)
{
	struct aring_cqe_times t;
	__u64 done;

	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 64; i++)
			prep_nop(&self->r, 64 * round + i);
		ASSERT_EQ(64, ring_submit(&self->r));
	}
	done = now_ns() - self->since;
	usleep(50000);
	for (int i = 0; i < 3 * 64; i++) {
		EXPECT_CQE(i, 0, t);
		CHECK_LE(sum(&t), done, "request %d", i);
		CHECK_EQ(0, t.queued, "request %d", i);
	}
}

TEST_F(times, a_tag_has_none)
{
	struct aring_cqe_times t;
	int fd = open("/dev/null", O_RDWR), none = -1;
	__u64 tag = 4711;

	ASSERT_GE(fd, 0);
	ASSERT_EQ(0, reg_rsrc(&self->r, ARING_REGISTER_FILES2, &fd, &tag, 1, 0));
	usleep(1000);
	ASSERT_EQ(1, update_rsrc(&self->r, ARING_REGISTER_FILES_UPDATE2, 0, &none,
				 NULL, 1));
	EXPECT_CQE(tag, 0, t);
	EXPECT_EQ(0, t.queued);
	EXPECT_EQ(0, t.started);
	EXPECT_EQ(0, t.submitted);
	close(fd);
}

/* A write to a frozen file system stands still in a worker. */
TEST_F_TIMEOUT(times, what_has_started_stays_so_and_2_to_the_32_is_the_most, 60)
{
	const char *dir = disk_ext4("frozen", 32);
	struct aring_cqe_times t;
	char path[160];
	int dfd, fd;
	bool started;

	ASSERT_NE(NULL, dir);
	dfd = open(dir, O_RDONLY | O_DIRECTORY);
	ASSERT_GE(dfd, 0);
	disk_thaw(dfd);
	snprintf(path, sizeof(path), "%s/times", dir);
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	ASSERT_GE(fd, 0);
	ASSERT_EQ(0, disk_freeze(dfd));
	prep_write(&self->r, fd, "abc", 3, 0, 1);
	ASSERT_EQ(1, ring_submit(&self->r));
	started = ring_wait_started(&self->r, 1);
	usleep(4400000);
	EXPECT_EQ(0, disk_thaw(dfd));
	EXPECT_TRUE(started);
	EXPECT_CQE(1, 3, t);
	EXPECT_EQ(UINT32_MAX, t.started);
	EXPECT_LT(t.queued, ms(4400) * test_slow());
	close(fd);
	close(dfd);
}

/* On a virtual clock they are exact: what takes no virtual time takes none. */
TEST_F(times, of_a_virtual_clock_are_exact)
{
	struct __kernel_timespec hour = to_ts(ms(3600000));
	struct aring_cqe_times t;

	ASSERT_EQ(0, clock_virtual(&self->r, ARING_CLOCK_AUTO));
	prep_nop(&self->r, 1);
	prep_timeout(&self->r, &hour, 0, 0, 2);
	ASSERT_EQ(2, ring_submit(&self->r));
	EXPECT_VIRTUAL(1, 0, t);
	EXPECT_EQ(0, sum(&t));
	EXPECT_VIRTUAL(2, -ETIME, t);
	EXPECT_EQ(ms(3600000), t.queued);
	EXPECT_EQ(0, t.started);
	EXPECT_EQ(0, t.submitted);
}

/* One channel: the second waits for the first. */
TEST_F(times, of_the_device_are_its_own)
{
	struct aring_cqe_times t;
	char *b = page_alloc(4096);

	ASSERT_NE(NULL, b);
	ASSERT_EQ(0, clock_virtual(&self->r, ARING_CLOCK_AUTO));
	ASSERT_EQ(0, vdev_fifo(&self->r, 1 << 20, 1, 5000));
	prep_vread(&self->r, b, 512, 0, 1);
	prep_vread(&self->r, b + 512, 512, 0, 2);
	takes(prep_vread(&self->r, b + 1024, 512, 0, 3), ms(5000));
	ASSERT_EQ(3, ring_submit(&self->r));
	EXPECT_VIRTUAL(1, 512, t);
	EXPECT_EQ(0, t.queued);
	EXPECT_EQ(5000, t.started);
	EXPECT_VIRTUAL(2, 512, t);
	EXPECT_EQ(5000, t.queued);
	EXPECT_EQ(5000, t.started);
	EXPECT_VIRTUAL(3, 512, t);
	EXPECT_EQ(10000, t.queued);
	EXPECT_EQ(UINT32_MAX, t.started);
	EXPECT_EQ(0, t.submitted);
	munmap(b, 4096);
}

/* In a ring without them the space is there, and empty. */
TEST_F(times, are_not_there_unasked)
{
	static const struct aring_cqe_times none;
	struct aring_cqe_times t;
	struct aring_cqe cqe;
	struct ring r;

	ASSERT_EQ(0, ring_init(&r, DEVICE, 8, ARING_SETUP_CQE32));
	memset(r.cqes, 0xa5, r.p.cq_entries * 2 * sizeof(cqe));
	prep_nop(&r, 1);
	ASSERT_EQ(1, ring_submit(&r));
	ASSERT_EQ(0, reap(&r, &cqe, &t));
	EXPECT_EQ(0, memcmp(&t, &none, sizeof(t)));
	ring_exit(&r);
}

RING_TEST_MAIN
