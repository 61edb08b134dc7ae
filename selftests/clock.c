// SPDX-License-Identifier: MIT
/*
 * Virtual clocks that are moved by hand: ARING_IOC_CLOCK, and what obeys it.
 */
#include "clock.h"
#include "kmsg.h"

/* A ring whose clock is virtual and stands at 0. */
FIXTURE(clock) {
	struct ring r;
	int fd[2];
};

FIXTURE_VARIANT(clock) {
	enum backend backend;
};

FIXTURE_VARIANT_ADD(clock, device) {
	.backend = DEVICE,
};

FIXTURE_SETUP(clock)
{
	ASSERT_EQ(0, ring_init(&self->r, DEVICE, 64, 0));
	ASSERT_EQ(0, clock_virtual(&self->r, 0));
	ASSERT_EQ(0, pipe(self->fd));
}

FIXTURE_TEARDOWN(clock)
{
	ring_exit(&self->r);
	close(self->fd[0]);
	close(self->fd[1]);
}

DEVICE_FIXTURE(real);

#define EXPECT_CLOCK(r, when, following, number)			\
	do {								\
		struct aring_clock __c = clock_get(r);			\
									\
		EXPECT_EQ((__u64)(when), __c.time);			\
		EXPECT_EQ((__u64)(following), __c.next);		\
		EXPECT_EQ((__u32)(number), __c.nr_events);		\
	} while (0)

TEST_F(real, get_tells_the_monotonic_clock)
{
	__u64 before = now_ns();
	struct aring_clock c = clock_get(&self->r);

	EXPECT_GE(c.time, before);
	EXPECT_LE(c.time, now_ns());
	EXPECT_EQ(0, c.flags);
	EXPECT_EQ(0, c.nr_events);
	EXPECT_EQ(CLOCK_NEVER, c.next);
}

TEST_F(real, cannot_be_moved)
{
	__u64 now;

	for (__u32 cmd = ARING_CLOCK_NEXT; cmd <= ARING_CLOCK_DETACH; cmd++)
		CHECK_EQ(-EINVAL, clock_do(&self->r, cmd, 5), "command %u", cmd);
	now = clock_time(&self->r);
	EXPECT_GE(now_ns(), now);
}

TEST_F(real, refuses_what_makes_no_sense)
{
	struct aring_clock c = { .cmd = ARING_CLOCK_DETACH + 1 };
	struct ring other;
	int fd;

	EXPECT_EQ(-EINVAL, clock_ioctl(&self->r, &c));
	c.cmd = ~0U;
	EXPECT_EQ(-EINVAL, clock_ioctl(&self->r, &c));
	c = (struct aring_clock){ .resv = { 1, 0 } };
	EXPECT_EQ(-EINVAL, clock_ioctl(&self->r, &c));
	c = (struct aring_clock){ .resv = { 0, 1 } };
	EXPECT_EQ(-EINVAL, clock_ioctl(&self->r, &c));
	EXPECT_EQ(-EINVAL, clock_virtual(&self->r, ARING_CLOCK_IS_VIRTUAL));
	EXPECT_EQ(-EINVAL, clock_virtual(&self->r, 1U << 31));
	EXPECT_EQ(-1, ioctl(self->r.fd, ARING_IOC_CLOCK, NULL));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(0, clock_get(&self->r).flags);

	other.fd = -1;
	EXPECT_EQ(-EBADF, clock_share(&self->r, &other));
	fd = open("/dev/null", O_RDWR);
	other.fd = fd;
	EXPECT_EQ(-EINVAL, clock_share(&self->r, &other));
	close(fd);
	/* One that is not set up has no clock, another has no virtual one. */
	fd = open(ARING_DEVICE, O_RDWR);
	other.fd = fd;
	EXPECT_EQ(-EINVAL, clock_share(&self->r, &other));
	c = (struct aring_clock){};
	EXPECT_EQ(-EBADFD, clock_ioctl(&other, &c));
	close(fd);
	EXPECT_EQ(-EINVAL, clock_share(&self->r, &self->r));
	EXPECT_EQ(0, clock_get(&self->r).flags);
}

TEST_F(real, busy_while_a_request_is_under_way)
{
	struct ring other;
	char byte;
	int fd[2];

	ASSERT_EQ(0, ring_init(&other, DEVICE, 8, 0));
	ASSERT_EQ(0, clock_virtual(&other, 0));
	ASSERT_EQ(0, pipe(fd));
	ASSERT_EQ(1, clock_timeout(&self->r, ms(100000), 0, 1));
	EXPECT_EQ(-EBUSY, clock_virtual(&self->r, 0));
	EXPECT_EQ(-EBUSY, clock_share(&self->r, &other));
	prep_cancel(&self->r, 1, 0, 2);
	prep_read(&self->r, fd[0], &byte, 1, -1, 3);
	ASSERT_EQ(2, ring_submit(&self->r));
	EXPECT_EQ(-EBUSY, clock_virtual(&self->r, 0));
	ASSERT_EQ(1, write(fd[1], "x", 1));
	ASSERT_EQ(0, ring_wait(&self->r, 3));
	EXPECT_EQ(0, clock_get(&self->r).flags);
	EXPECT_EQ(0, clock_virtual(&self->r, 0));
	/* It has one now. */
	EXPECT_EQ(-EBUSY, clock_virtual(&self->r, 0));
	EXPECT_EQ(-EBUSY, clock_share(&self->r, &other));
	EXPECT_EQ(ARING_CLOCK_IS_VIRTUAL, clock_get(&self->r).flags);
	ring_exit(&other);
	close(fd[0]);
	close(fd[1]);
}

struct waiter {
	struct ring *r;
	pthread_t thread;
	__u64 ns;		/* 0 for no limit */
	unsigned int nr;
	int ret;
	bool done;
};

static void *waiter_fn(void *arg)
{
	struct waiter *w = arg;
	struct __kernel_timespec ts = to_ts(w->ns);
	struct aring_getevents_arg get = { .ts = (uintptr_t)&ts };

	w->ret = ring_enter(w->r, 0, w->nr, ARING_ENTER_GETEVENTS |
			    (w->ns ? ARING_ENTER_EXT_ARG : 0),
			    w->ns ? &get : NULL, w->ns ? sizeof(get) : 0);
	TELL(w->done, true);
	return NULL;
}

static void waiter_start(struct waiter *w, struct ring *r, unsigned int nr,
			 __u64 ns)
{
	*w = (struct waiter){ .r = r, .nr = nr, .ns = ns };
	pthread_create(&w->thread, NULL, waiter_fn, w);
}

TEST_F(real, busy_while_a_thread_waits)
{
	struct waiter w;

	waiter_start(&w, &self->r, 1, 0);
	/* It is on its way there. */
	usleep(200000 * test_slow());
	EXPECT_EQ(-EBUSY, clock_virtual(&self->r, 0));
	prep_nop(&self->r, 1);
	ASSERT_EQ(1, ring_submit(&self->r));
	pthread_join(w.thread, NULL);
	EXPECT_EQ(0, w.ret);
	EXPECT_EQ(0, clock_virtual(&self->r, 0));
}

TEST_F(clock, stands_until_it_is_moved)
{
	ASSERT_EQ(1, clock_timeout(&self->r, 1, 0, 1));
	usleep(50000);
	EXPECT_EQ(0, ring_ready(&self->r));
	EXPECT_CLOCK(&self->r, 0, 1, 1);
	EXPECT_EQ(ARING_CLOCK_IS_VIRTUAL, clock_get(&self->r).flags);
}

TEST_F(clock, next_goes_from_event_to_event)
{
	EXPECT_EQ(-ENOENT, clock_next(&self->r));
	EXPECT_EQ(1, clock_timeout(&self->r, ms(3600000), 0, 1));
	EXPECT_EQ(1, clock_timeout(&self->r, 20, 0, 2));
	EXPECT_EQ(1, clock_timeout(&self->r, 10, 0, 3));
	EXPECT_CLOCK(&self->r, 0, 10, 3);
	EXPECT_EQ(0, clock_next(&self->r));
	EXPECT_CLOCK(&self->r, 10, 20, 2);
	EXPECT_EQ(1, ring_ready(&self->r));
	CLOCK_EXPECT_CQE(&self->r, 3, -ETIME);
	/* From now on. */
	EXPECT_EQ(1, clock_timeout(&self->r, 5, 0, 4));
	EXPECT_EQ(0, clock_next(&self->r));
	EXPECT_CLOCK(&self->r, 15, 20, 2);
	CLOCK_EXPECT_CQE(&self->r, 4, -ETIME);
	EXPECT_EQ(0, clock_next(&self->r));
	CLOCK_EXPECT_CQE(&self->r, 2, -ETIME);
	EXPECT_EQ(0, clock_next(&self->r));
	CLOCK_EXPECT_CQE(&self->r, 1, -ETIME);
	EXPECT_EQ(-ENOENT, clock_next(&self->r));
	EXPECT_CLOCK(&self->r, ms(3600000), CLOCK_NEVER, 0);
}

TEST_F(clock, advance_and_to_stop_where_they_are_told)
{
	EXPECT_EQ(1, clock_timeout(&self->r, 10, 0, 1));
	EXPECT_EQ(1, clock_timeout(&self->r, 11, 0, 2));
	EXPECT_EQ(0, clock_advance(&self->r, 9));
	EXPECT_CLOCK(&self->r, 9, 10, 2);
	EXPECT_EQ(0, ring_ready(&self->r));
	EXPECT_EQ(0, clock_advance(&self->r, 0));
	EXPECT_CLOCK(&self->r, 9, 10, 2);
	EXPECT_EQ(0, clock_advance(&self->r, 1));
	EXPECT_EQ(1, ring_ready(&self->r));
	EXPECT_EQ(0, clock_to(&self->r, 10));
	EXPECT_CLOCK(&self->r, 10, 11, 1);
	EXPECT_EQ(0, clock_to(&self->r, 1000));
	EXPECT_CLOCK(&self->r, 1000, CLOCK_NEVER, 0);
	CLOCK_EXPECT_CQE(&self->r, 1, -ETIME);
	CLOCK_EXPECT_CQE(&self->r, 2, -ETIME);
}

TEST_F(clock, does_not_go_backwards_or_beyond_the_end)
{
	EXPECT_EQ(0, clock_to(&self->r, 100));
	EXPECT_EQ(-EINVAL, clock_to(&self->r, 99));
	EXPECT_EQ(-EINVAL, clock_to(&self->r, 0));
	EXPECT_EQ(-EINVAL, clock_to(&self->r, 1ULL << 63));
	EXPECT_EQ(-EINVAL, clock_advance(&self->r, ~0ULL));
	EXPECT_EQ(-EINVAL, clock_advance(&self->r, (1ULL << 63) - 100));
	EXPECT_CLOCK(&self->r, 100, CLOCK_NEVER, 0);
	EXPECT_EQ(0, clock_advance(&self->r, (1ULL << 63) - 101));
	EXPECT_CLOCK(&self->r, (1ULL << 63) - 1, CLOCK_NEVER, 0);
	/* Later than that nothing is. */
	EXPECT_EQ(1, clock_timeout(&self->r, 1, 0, 1));
	EXPECT_EQ(0, clock_next(&self->r));
	CLOCK_EXPECT_CQE(&self->r, 1, -ETIME);
}

TEST_F(clock, ties_go_by_ticket)
{
	/* Armed in one order, due in another. */
	for (int i = 0; i < 8; i++)
		EXPECT_EQ(1, clock_timeout(&self->r, 50 - i % 2 * 10, 0, i));
	EXPECT_EQ(0, clock_next(&self->r));
	EXPECT_EQ(4, ring_ready(&self->r));
	EXPECT_EQ(0, clock_next(&self->r));
	for (int i = 1; i < 8; i += 2)
		CLOCK_EXPECT_CQE(&self->r, i, -ETIME);
	for (int i = 0; i < 8; i += 2)
		CLOCK_EXPECT_CQE(&self->r, i, -ETIME);
}

/* Whatever order they were armed in. */
TEST_F(clock, ties_go_by_ticket_however_they_came_about)
{
	struct __kernel_timespec ts = to_ts(50);
	struct aring_sqe *s;

	for (int i = 0; i < 8; i++)
		EXPECT_EQ(1, clock_timeout(&self->r, i % 2 ? 50 : 100, 0, i));
	for (int i = 6; i >= 0; i -= 2) {
		s = prep(&self->r, ARING_OP_TIMEOUT_REMOVE, -1,
			 (void *)(uintptr_t)i, 0, 0, 10 + i);
		s->addr2 = (uintptr_t)&ts;
		s->timeout_flags = ARING_TIMEOUT_UPDATE;
		EXPECT_EQ(1, ring_submit(&self->r));
		CLOCK_EXPECT_CQE(&self->r, 10 + i, 0);
	}
	EXPECT_EQ(0, clock_next(&self->r));
	for (int i = 0; i < 8; i++)
		CLOCK_EXPECT_CQE(&self->r, i, -ETIME);
}

TEST_F(clock, ties_go_by_ticket_where_tickets_wrap)
{
	struct aring_params p = {
		.flags = ARING_SETUP_FIRST_INDEX, .first_index = -2U,
	};
	struct ring r;

	ASSERT_EQ(0, ring_init_params(&r, DEVICE, 8, &p));
	ASSERT_EQ(0, clock_virtual(&r, 0));
	for (int i = 0; i < 4; i++)
		EXPECT_EQ(1, clock_timeout(&r, 50, 0, i));
	EXPECT_EQ(0, clock_advance(&r, 50));
	for (int i = 0; i < 4; i++)
		CLOCK_EXPECT_CQE(&r, i, -ETIME);
	ring_exit(&r);
}

TEST_F(clock, all_clocks_are_this_one)
{
	static const __u32 CLOCKS[] = {
		0, ARING_TIMEOUT_BOOTTIME, ARING_TIMEOUT_REALTIME,
	};

	ASSERT_EQ(0, clock_to(&self->r, 1000));
	for (int i = 0; i < 3; i++) {
		EXPECT_EQ(1, clock_timeout(&self->r, 1030 + i, CLOCKS[i] |
					   ARING_TIMEOUT_ABS, 10 + i));
		EXPECT_EQ(1, clock_timeout(&self->r, 10 + i, CLOCKS[i], i));
	}
	for (int i = 0; i < 6; i++) {
		EXPECT_EQ(0, clock_next(&self->r));
		EXPECT_EQ(1010ULL + i % 3 + i / 3 * 20, clock_time(&self->r));
		CLOCK_EXPECT_CQE(&self->r, i % 3 + i / 3 * 10, -ETIME);
	}
}

TEST_F(clock, what_is_due_happens_at_the_next_move)
{
	ASSERT_EQ(0, clock_to(&self->r, 1000));
	EXPECT_EQ(1, clock_timeout(&self->r, 3, ARING_TIMEOUT_ABS, 1));
	EXPECT_EQ(1, clock_timeout(&self->r, 0, 0, 2));
	EXPECT_EQ(0, ring_ready(&self->r));
	EXPECT_CLOCK(&self->r, 1000, 1000, 2);
	EXPECT_EQ(0, clock_next(&self->r));
	EXPECT_EQ(1000, clock_time(&self->r));
	CLOCK_EXPECT_CQE(&self->r, 1, -ETIME);
	CLOCK_EXPECT_CQE(&self->r, 2, -ETIME);
}

TEST_F(clock, the_longest_time_is_the_end_of_time)
{
	struct __kernel_timespec ts = { LLONG_MAX, 999999999 };

	ASSERT_EQ(0, clock_to(&self->r, 1000));
	prep_timeout(&self->r, &ts, 0, 0, 1);
	ASSERT_EQ(1, ring_submit(&self->r));
	EXPECT_EQ((1ULL << 63) - 1, clock_get(&self->r).next);
}

TEST_F(clock, update_gives_a_new_time)
{
	struct __kernel_timespec ts = to_ts(5);
	struct aring_sqe *s;

	EXPECT_EQ(1, clock_timeout(&self->r, 100, 0, 1));
	EXPECT_EQ(0, clock_advance(&self->r, 50));
	s = prep(&self->r, ARING_OP_TIMEOUT_REMOVE, -1, (void *)1, 0, 0, 2);
	s->addr2 = (uintptr_t)&ts;
	s->timeout_flags = ARING_TIMEOUT_UPDATE;
	EXPECT_EQ(1, ring_submit(&self->r));
	CLOCK_EXPECT_CQE(&self->r, 2, 0);
	EXPECT_CLOCK(&self->r, 50, 55, 1);
	ts = to_ts(70);
	s = prep(&self->r, ARING_OP_TIMEOUT_REMOVE, -1, (void *)1, 0, 0, 3);
	s->addr2 = (uintptr_t)&ts;
	s->timeout_flags = ARING_TIMEOUT_UPDATE | ARING_TIMEOUT_ABS;
	EXPECT_EQ(1, ring_submit(&self->r));
	CLOCK_EXPECT_CQE(&self->r, 3, 0);
	EXPECT_CLOCK(&self->r, 50, 70, 1);
	EXPECT_EQ(0, clock_to(&self->r, 69));
	EXPECT_EQ(0, ring_ready(&self->r));
	EXPECT_EQ(0, clock_to(&self->r, 70));
	CLOCK_EXPECT_CQE(&self->r, 1, -ETIME);
}

TEST_F(clock, what_was_taken_back_is_no_event)
{
	EXPECT_EQ(1, clock_timeout(&self->r, 100, 0, 1));
	EXPECT_EQ(1, clock_timeout(&self->r, 100, 0, 2));
	prep_cancel(&self->r, 1, 0, 3);
	prep(&self->r, ARING_OP_TIMEOUT_REMOVE, -1, (void *)2, 0, 0, 4);
	EXPECT_EQ(2, ring_submit(&self->r));
	EXPECT_EQ(4, ring_ready(&self->r));
	EXPECT_CLOCK(&self->r, 0, CLOCK_NEVER, 0);
	EXPECT_EQ(-ENOENT, clock_next(&self->r));
}

TEST_F(clock, counting_ends_it_and_leaves_no_event)
{
	struct __kernel_timespec ts = to_ts(100);

	prep_timeout(&self->r, &ts, 2, 0, 1);
	prep_timeout(&self->r, &ts, 3, 0, 2);
	prep_nop(&self->r, 3);
	EXPECT_EQ(3, ring_submit(&self->r));
	CLOCK_EXPECT_CQE(&self->r, 3, 0);
	EXPECT_CLOCK(&self->r, 0, 100, 2);
	prep_nop(&self->r, 4);
	EXPECT_EQ(1, ring_submit(&self->r));
	CLOCK_EXPECT_CQE(&self->r, 4, 0);
	CLOCK_EXPECT_CQE(&self->r, 1, 0);
	EXPECT_CLOCK(&self->r, 0, 100, 1);
	EXPECT_EQ(0, clock_next(&self->r));
	CLOCK_EXPECT_CQE(&self->r, 2, -ETIME);
}

static void prep_limit(struct ring *r, const struct __kernel_timespec *ts,
		       __u64 user_data)
{
	prep(r, ARING_OP_LINK_TIMEOUT, -1, ts, 1, 0, user_data);
}

TEST_F(clock, link_timeout_takes_back_before_the_program_runs)
{
	struct __kernel_timespec ts = to_ts(30);
	char byte;

	prep_read(&self->r, self->fd[0], &byte, 1, -1, 1)->flags =
		ARING_SQE_IO_LINK;
	prep_limit(&self->r, &ts, 2);
	/* Of the same time, and behind it. */
	prep_timeout(&self->r, &ts, 0, 0, 3);
	EXPECT_EQ(3, ring_submit(&self->r));
	EXPECT_CLOCK(&self->r, 0, 30, 2);
	EXPECT_EQ(0, clock_next(&self->r));
	CLOCK_EXPECT_CQE(&self->r, 1, -ECANCELED);
	CLOCK_EXPECT_CQE(&self->r, 2, -ETIME);
	CLOCK_EXPECT_CQE(&self->r, 3, -ETIME);
	EXPECT_EQ(-ENOENT, clock_next(&self->r));
}

TEST_F(clock, link_timeout_that_was_not_needed_is_no_event)
{
	struct __kernel_timespec ts = to_ts(30);
	char byte;

	prep_read(&self->r, self->fd[0], &byte, 1, -1, 1)->flags =
		ARING_SQE_IO_LINK;
	prep_limit(&self->r, &ts, 2);
	EXPECT_EQ(2, ring_submit(&self->r));
	EXPECT_EQ(0, clock_advance(&self->r, 29));
	ASSERT_EQ(1, write(self->fd[1], "x", 1));
	/* No time limit: that would be on the virtual clock. */
	EXPECT_EQ(0, ring_enter(&self->r, 0, 2, ARING_ENTER_GETEVENTS, NULL,
				0));
	EXPECT_EQ(2, ring_ready(&self->r));
	EXPECT_CLOCK(&self->r, 29, CLOCK_NEVER, 0);
}

TEST_F(clock, link_timeout_of_a_timeout)
{
	struct __kernel_timespec ts = to_ts(30), more = to_ts(40), same = ts;

	/* At the same time the lower ticket is first: the TIMEOUT itself. */
	prep_timeout(&self->r, &ts, 0, ARING_TIMEOUT_ETIME_SUCCESS,
		     1)->flags = ARING_SQE_IO_LINK;
	prep_limit(&self->r, &same, 2);
	prep_timeout(&self->r, &more, 0, 0, 3)->flags = ARING_SQE_IO_LINK;
	prep_limit(&self->r, &ts, 4);
	EXPECT_EQ(4, ring_submit(&self->r));
	EXPECT_EQ(0, clock_next(&self->r));
	EXPECT_EQ(30, clock_time(&self->r));
	CLOCK_EXPECT_CQE(&self->r, 1, -ETIME);
	CLOCK_EXPECT_CQE(&self->r, 2, -ECANCELED);
	CLOCK_EXPECT_CQE(&self->r, 3, -ECANCELED);
	CLOCK_EXPECT_CQE(&self->r, 4, -ETIME);
	EXPECT_EQ(-ENOENT, clock_next(&self->r));
}

/* What one leads to begins at its own instant, however far one goes at once. */
TEST_F(clock, chains_go_on_on_the_way)
{
	struct __kernel_timespec a = to_ts(10), b = to_ts(1), c = to_ts(100);

	for (int round = 0; round < 20; round++) {
		__u64 start = clock_time(&self->r);

		prep_timeout(&self->r, &a, 0, ARING_TIMEOUT_ETIME_SUCCESS,
			     1)->flags = ARING_SQE_IO_HARDLINK;
		prep_timeout(&self->r, &b, 0, ARING_TIMEOUT_ETIME_SUCCESS,
			     2)->flags = ARING_SQE_IO_HARDLINK;
		prep_nop(&self->r, 3)->flags = ARING_SQE_IO_HARDLINK;
		prep_timeout(&self->r, &c, 0, ARING_TIMEOUT_ETIME_SUCCESS, 4);
		prep_nop(&self->r, 5)->flags = ARING_SQE_IO_DRAIN;
		EXPECT_EQ(5, ring_submit(&self->r));
		EXPECT_EQ(0, clock_advance(&self->r, 10));
		EXPECT_CLOCK(&self->r, start + 10, start + 11, 1);
		EXPECT_EQ(0, clock_advance(&self->r, 99));
		EXPECT_CLOCK(&self->r, start + 109, start + 111, 1);
		EXPECT_EQ(0, clock_advance(&self->r, 1000));
		EXPECT_CLOCK(&self->r, start + 1109, CLOCK_NEVER, 0);
		CLOCK_EXPECT_CQE(&self->r, 1, -ETIME);
		CLOCK_EXPECT_CQE(&self->r, 2, -ETIME);
		CLOCK_EXPECT_CQE(&self->r, 3, 0);
		CLOCK_EXPECT_CQE(&self->r, 4, -ETIME);
		CLOCK_EXPECT_CQE(&self->r, 5, 0);
		EXPECT_EQ(0, ring_ready(&self->r));
	}
}

/* Of two chains that go on at one instant the lower ticket is first. */
TEST_F(clock, chains_that_go_on_together_do_so_by_ticket)
{
	struct __kernel_timespec b = to_ts(10);

	for (int round = 0; round < 20; round++) {
		for (int i = 0; i < 3; i++) {
			/* The head that fires first has the later successor. */
			prep_timeout(&self->r, &b, 0,
				     ARING_TIMEOUT_ETIME_SUCCESS,
				     i)->flags = ARING_SQE_IO_HARDLINK;
			prep_nop(&self->r, 10 + i);
		}
		EXPECT_EQ(6, ring_submit(&self->r));
		EXPECT_EQ(0, clock_next(&self->r));
		for (int i = 0; i < 3; i++)
			CLOCK_EXPECT_CQE(&self->r, i, -ETIME);
		for (int i = 0; i < 3; i++)
			CLOCK_EXPECT_CQE(&self->r, 10 + i, 0);
	}
}

TEST_F(clock, limits_a_wait)
{
	struct waiter w;

	waiter_start(&w, &self->r, 1, 50);
	while (clock_get(&self->r).nr_events != 1)
		usleep(1000);
	EXPECT_CLOCK(&self->r, 0, 50, 1);
	EXPECT_EQ(0, clock_advance(&self->r, 49));
	usleep(20000);
	EXPECT_FALSE(TOLD(w.done));
	EXPECT_EQ(0, clock_next(&self->r));
	pthread_join(w.thread, NULL);
	EXPECT_EQ(-ETIME, w.ret);
	EXPECT_CLOCK(&self->r, 50, CLOCK_NEVER, 0);
	/* A wait that ends otherwise leaves nothing behind. */
	waiter_start(&w, &self->r, 1, 50);
	while (clock_get(&self->r).nr_events != 1)
		usleep(1000);
	prep_nop(&self->r, 1);
	EXPECT_EQ(1, ring_submit(&self->r));
	pthread_join(w.thread, NULL);
	EXPECT_EQ(0, w.ret);
	EXPECT_CLOCK(&self->r, 50, CLOCK_NEVER, 0);
}

TEST_F(clock, a_limit_of_nothing_only_looks)
{
	struct __kernel_timespec ts = { 0, 0 };
	struct aring_getevents_arg get = { .ts = (uintptr_t)&ts };

	EXPECT_EQ(-ETIME, ring_enter(&self->r, 0, 1, ARING_ENTER_GETEVENTS |
				     ARING_ENTER_EXT_ARG, &get, sizeof(get)));
	EXPECT_CLOCK(&self->r, 0, CLOCK_NEVER, 0);
}

TEST_F(clock, moving_wakes_who_waits)
{
	struct waiter w;

	EXPECT_EQ(1, clock_timeout(&self->r, 10, 0, 1));
	waiter_start(&w, &self->r, 1, 0);
	usleep(20000);
	EXPECT_FALSE(TOLD(w.done));
	EXPECT_EQ(0, clock_next(&self->r));
	pthread_join(w.thread, NULL);
	EXPECT_EQ(0, w.ret);
	CLOCK_EXPECT_CQE(&self->r, 1, -ETIME);
}

TEST_F(clock, is_shared_by_rings)
{
	struct ring b, c;

	ASSERT_EQ(0, ring_init(&b, DEVICE, 8, 0));
	ASSERT_EQ(0, ring_init(&c, DEVICE, 8, 0));
	ASSERT_EQ(0, clock_to(&self->r, 7));
	ASSERT_EQ(0, clock_share(&b, &self->r));
	/* By way of another one. */
	ASSERT_EQ(0, clock_share(&c, &b));
	EXPECT_CLOCK(&c, 7, CLOCK_NEVER, 0);
	EXPECT_EQ(1, clock_timeout(&c, 10, 0, 1));
	EXPECT_EQ(1, clock_timeout(&b, 20, 0, 2));
	EXPECT_EQ(1, clock_timeout(&self->r, 30, 0, 3));
	EXPECT_CLOCK(&b, 7, 17, 3);
	EXPECT_EQ(0, clock_next(&b));
	EXPECT_EQ(0, ring_ready(&b));
	CLOCK_EXPECT_CQE(&c, 1, -ETIME);
	EXPECT_CLOCK(&self->r, 17, 27, 2);
	/* What a ring has waiting goes with it, the rest stays. */
	ring_exit(&b);
	EXPECT_CLOCK(&self->r, 17, 37, 1);
	EXPECT_EQ(0, clock_next(&c));
	CLOCK_EXPECT_CQE(&self->r, 3, -ETIME);
	/* It lives as long as one ring is on it. */
	ring_exit(&self->r);
	EXPECT_EQ(1, clock_timeout(&c, 10, 0, 4));
	EXPECT_EQ(0, clock_next(&c));
	EXPECT_CLOCK(&c, 47, CLOCK_NEVER, 0);
	CLOCK_EXPECT_CQE(&c, 4, -ETIME);
	ring_exit(&c);
}

TEST_F(clock, closed_with_everything_waiting)
{
	struct ring r;
	char bytes[8];
	int log = kmsg_mark();

	for (int round = 0; round < 30; round++) {
		struct __kernel_timespec ts = to_ts(10);

		ASSERT_EQ(0, ring_init(&r, DEVICE, 64, 0));
		ASSERT_EQ(0, round % 2 ? clock_share(&r, &self->r) :
			  clock_virtual(&r, round % 4 ? ARING_CLOCK_AUTO : 0));
		for (int i = 0; i < 8; i++) {
			prep_timeout(&r, &ts, 0, 0, i);
			prep_timeout(&r, &ts, 0, 0, i)->flags =
				ARING_SQE_IO_LINK;
			prep_limit(&r, &ts, i);
			prep_read(&r, self->fd[0], bytes + i, 1, -1,
				  i)->flags = ARING_SQE_IO_LINK;
			prep_limit(&r, &ts, i);
		}
		ASSERT_EQ(40, ring_submit(&r));
		if (round % 3 == 0)
			clock_next(&r);
		ring_exit(&r);
	}
	EXPECT_CLOCK(&self->r, clock_time(&self->r), CLOCK_NEVER, 0);
	EXPECT_EQ(0, kmsg_count(log));
	close(log);
}

/* Somebody moves it while others arm, cancel and close. */
static void *mover_fn(void *arg)
{
	struct waiter *w = arg;

	while (!TOLD(w->done)) {
		clock_advance(w->r, 3);
		clock_next(w->r);
		sched_yield();
	}
	return NULL;
}

TEST_F(clock, moved_while_everything_happens)
{
	unsigned long rounds = test_scale(300, 20);
	struct waiter w = { .r = &self->r };
	struct __kernel_timespec ts;
	struct aring_cqe cqe;

	pthread_create(&w.thread, NULL, mover_fn, &w);
	for (unsigned long i = 0; i < rounds; i++) {
		struct ring r;

		ASSERT_EQ(0, ring_init(&r, DEVICE, 64, 0));
		ASSERT_EQ(0, clock_share(&r, &self->r));
		for (int n = 0; n < 8; n++) {
			ts = to_ts(n);
			prep_timeout(&r, &ts, n % 3, 0, n)->flags =
				ARING_SQE_IO_HARDLINK;
			prep_limit(&r, &ts, 100 + n);
			sched_yield();
			prep_cancel(&r, n, 0, 200);
		}
		ASSERT_EQ(24, ring_submit(&r));
		/* Half of them are closed in the middle of it. */
		for (int n = 0; i % 2 && n < 24; n++) {
			ASSERT_EQ(0, ring_enter(&r, 0, 1, ARING_ENTER_GETEVENTS,
						NULL, 0));
			ASSERT_TRUE(ring_reap(&r, &cqe));
		}
		ring_exit(&r);
	}
	TELL(w.done, true);
	pthread_join(w.thread, NULL);
}

RING_TEST_MAIN
