// SPDX-License-Identifier: MIT
/* The library's tests: the virtual device, virtual clocks, steering. */
#include <errno.h>

#include "test.h"

/* A ring with a device of two channels, and a clock that is moved by hand. */
static bool begin_simulation(void)
{
	struct aring_vdev vdev = { .size = 4096, .channels = 2, .base = 10 };

	aring_queue_exit(&ring);
	begin(8, 0);
	if (!on_device()) {
		CHECK_EQ(aring_clock_virtual(&ring, 0), -EOPNOTSUPP);
		CHECK_EQ(aring_vdev(&ring, &vdev), -EOPNOTSUPP);
		CHECK_EQ(aring_steer_clear(&ring), -EOPNOTSUPP);
		CHECK_EQ(aring_release_all(&ring), -EOPNOTSUPP);
		return false;
	}
	CHECK_EQ(aring_clock_virtual(&ring, 0), 0);
	CHECK_EQ(aring_vdev(&ring, &vdev), 0);
	return true;
}

static void vwrite(const char *data, __u64 ns, __u64 name)
{
	struct aring_sqe *sqe = aring_get_sqe(&ring);

	aring_prep_vwrite(sqe, data, 4, 0);
	aring_sqe_set_service(sqe, ns);
	aring_sqe_set_data64(sqe, name);
	CHECK_EQ(aring_submit(&ring), 1);
}

/* Two writes to one place: the second is done first, so the first one stays. */
static void test_a_simulation(void)
{
	char data[4];
	struct aring_sqe *sqe;
	__u64 now = 0;

	if (!begin_simulation())
		return;
	CHECK_EQ(aring_clock_next(&ring, &now), -ENOENT);
	CHECK_EQ(aring_clock_advance(&ring, 1), 0);
	vwrite("1st ", 10, 1);
	CHECK_EQ(aring_clock_advance(&ring, 1), 0);
	vwrite("2nd ", 1, 2);
	CHECK_EQ(aring_clock_next(&ring, &now), 0);
	CHECK_EQ(now, 3);
	CHECK_EQ(take_of(2).res, 4);
	CHECK_EQ(aring_clock_next(&ring, &now), 0);
	CHECK_EQ(now, 11);
	CHECK_EQ(take_of(1).res, 4);

	sqe = aring_get_sqe(&ring);
	aring_prep_vread(sqe, data, 4, 0);
	aring_sqe_set_data64(sqe, 3);
	CHECK_EQ(aring_submit(&ring), 1);
	CHECK_EQ(aring_clock_next(&ring, NULL), 0);
	CHECK_EQ(take_of(3).res, 4);
	CHECK(!memcmp(data, "1st ", 4));
	CHECK_EQ(aring_clock_now(&ring, &now), 0);
	CHECK_EQ(now, 21);
}

static void cancel(__u64 name, int verdict)
{
	struct aring_sqe *sqe = aring_get_sqe(&ring);

	aring_prep_cancel64(sqe, name, 0);
	submit_one(sqe, 100);
	CHECK_EQ(take_of(100).res, verdict);
}

/* The same request, held in three places: three verdicts, and no luck in it. */
static void test_a_cancel_as_wanted(void)
{
	struct aring_held held[2];

	if (!begin_simulation())
		return;
	CHECK_EQ(aring_steer_data(&ring, 1, ARING_ACT_HOLD_QUEUED, 0), 0);
	CHECK_EQ(aring_steer_data(&ring, 2, ARING_ACT_HOLD_STARTED, 0), 0);
	CHECK_EQ(aring_steer_data(&ring, 3, ARING_ACT_HOLD_DONE, 0), 0);
	nop(1);
	nop(2);
	nop(3);
	CHECK_EQ(aring_submit(&ring), 3);
	CHECK_EQ(aring_held(&ring, held, ARRAY_SIZE(held)), 3);
	CHECK_EQ(held[0].user_data, 1);
	CHECK_EQ(held[0].at, ARING_ACT_HOLD_QUEUED);
	CHECK_EQ(held[1].at, ARING_ACT_HOLD_STARTED);

	cancel(1, 0);
	CHECK_EQ(take_of(1).res, -ECANCELED);
	CHECK_EQ(aring_release(&ring, held[1].ticket), 0);
	CHECK_EQ(aring_release(&ring, held[1].ticket), -ENOENT);
	CHECK_EQ(take_of(2).res, 0);
	cancel(2, -ENOENT);
	cancel(3, -EALREADY);
	CHECK_EQ(aring_release_all(&ring), 1);
	CHECK_EQ(take_of(3).res, 0);

	CHECK_EQ(aring_steer_clear(&ring), 0);
	submit_one(nop(1), 1);
	CHECK_EQ(take_of(1).res, 0);
}

const struct test command_tests[] = {
	TEST(a_simulation),
	TEST(a_cancel_as_wanted),
	{}
};
