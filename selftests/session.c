// SPDX-License-Identifier: MIT
/*
 * Sessions: what can be asked of which file, who may join, numbers, lifetime, and
 * reading the log and what was seen.
 */
#include "session.h"

SESSION_FIXTURE(session);

/* Every NOP fails: a line in the log for each. */
static const struct aring_chaos fail_all = {
	.level = ARING_LEVEL_ANY, .nr_errnos = 1,
	.errno_nr = { EIO }, .errno_ppm = { MILLION },
};

static int device(void)
{
	return open(ARING_DEVICE, O_RDWR | O_CLOEXEC);
}

static int setup(int fd)
{
	struct aring_params p = { .sq_entries = 8 };

	return ioctl(fd, ARING_IOC_SETUP, &p) ? -errno : 0;
}

static int nop(struct ring *r, __u64 user_data)
{
	prep_nop(r, user_data);
	return ring_run(r);
}

TEST_F(session, has_a_name)
{
	__u64 id;
	int fd = session_new(&id);

	ASSERT_GE(fd, 0);
	EXPECT_NE(0, id);
	EXPECT_NE(self->id, id);
	close(fd);
}

TEST_F(session, is_no_ring)
{
	struct aring_enter enter = { 0 };
	struct aring_register reg = { .opcode = ARING_UNREGISTER_FILES };
	struct aring_steer steer = { .cmd = ARING_STEER_CLEAR };
	struct aring_info info = { .size = sizeof(info) };
	void *p;

	EXPECT_EQ(-EBADFD, setup(self->fd));
	EXPECT_EQ(-1, ioctl(self->fd, ARING_IOC_ENTER, &enter));
	EXPECT_EQ(EBADFD, errno);
	EXPECT_EQ(-1, ioctl(self->fd, ARING_IOC_REGISTER, &reg));
	EXPECT_EQ(EBADFD, errno);
	EXPECT_EQ(-1, ioctl(self->fd, ARING_IOC_STEER, &steer));
	EXPECT_EQ(EBADFD, errno);
	p = mmap(NULL, 4096, PROT_READ, MAP_SHARED, self->fd,
		 ARING_OFF_SQ_RING);
	EXPECT_EQ(MAP_FAILED, p);
	EXPECT_EQ(EBADFD, errno);
	EXPECT_EQ(0, ioctl(self->fd, ARING_IOC_INFO, &info));
	EXPECT_EQ(sizeof(info), info.size);
}

TEST_F(session, a_file_is_one_thing)
{
	struct aring_session create = { .cmd = ARING_SESSION_CREATE };
	int fd = device();

	/* a session */
	EXPECT_EQ(-EBUSY, session_ioctl(self->fd, &create));
	EXPECT_EQ(-EBUSY, session_join(self->fd, self->id));
	/* one that has joined */
	ASSERT_EQ(0, session_join(fd, self->id));
	EXPECT_EQ(-EBUSY, session_ioctl(fd, &create));
	EXPECT_EQ(-EBUSY, session_join(fd, self->id));
	EXPECT_EQ(-EBADFD, session_cmd(fd, ARING_SESSION_LOG, NULL, 0));
	/* a ring */
	ASSERT_EQ(0, setup(fd));
	EXPECT_EQ(-EBUSY, setup(fd));
	EXPECT_EQ(-EBUSY, session_ioctl(fd, &create));
	EXPECT_EQ(-EBUSY, session_join(fd, self->id));
	for (__u32 cmd = ARING_SESSION_CHAOS; cmd <= ARING_SESSION_CLOCK; cmd++)
		CHECK_EQ(-EBADFD, session_cmd(fd, cmd, NULL, 0), "command %u",
			 cmd);
	close(fd);
	/* nothing yet */
	fd = device();
	for (__u32 cmd = ARING_SESSION_CHAOS; cmd <= ARING_SESSION_CLOCK; cmd++)
		CHECK_EQ(-EBADFD, session_cmd(fd, cmd, NULL, 0), "command %u",
			 cmd);
	close(fd);
}

TEST_F(session, bad_arguments)
{
	struct aring_session s = { .cmd = ARING_SESSION_CLOCK + 1 };

	EXPECT_EQ(-EINVAL, session_ioctl(self->fd, &s));
	s.cmd = ARING_SESSION_LOG;
	s.resv = 1;
	EXPECT_EQ(-EINVAL, session_ioctl(self->fd, &s));
	EXPECT_EQ(-EFAULT, session_ioctl(self->fd, (void *)8));
	EXPECT_EQ(-EFAULT, session_chaos(self->fd, (void *)8));
	EXPECT_EQ(-EFAULT, session_plan(self->fd, (void *)8, 1));
	EXPECT_EQ(-EINVAL, session_plan(self->fd, NULL, 0));
	EXPECT_EQ(-E2BIG, session_plan(self->fd, NULL,
				       ARING_SESSION_MAX_LINES + 1));
}

TEST_F(session, who_may_join)
{
	int fd = device(), status;
	pid_t pid;

	EXPECT_EQ(-ENOENT, session_join(fd, self->id + 1));
	EXPECT_EQ(-ENOENT, session_join(fd, 0));
	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid) {
		/* another user, with the device opened before */
		if (setuid(65534))
			_exit(1);
		_exit(session_join(fd, self->id) == -EPERM ? 0 : 2);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(0, session_join(fd, self->id));
	close(fd);
	/* its file is closed: nobody finds it any more */
	close(self->fd);
	fd = device();
	EXPECT_EQ(-ENOENT, session_join(fd, self->id));
	close(fd);
	self->fd = -1;
}

TEST_F(session, is_settled_when_somebody_joins)
{
	struct aring_deviation line = {
		.ring = 1, .action = ARING_ACT_FAIL, .value = EIO,
	};
	int fd = device();

	EXPECT_EQ(0, session_chaos(self->fd, &fail_all));
	EXPECT_EQ(0, session_chaos(self->fd, &fail_all));
	EXPECT_EQ(0, session_plan(self->fd, &line, 1));
	EXPECT_EQ(-EBUSY, session_plan(self->fd, &line, 1));
	EXPECT_EQ(0, session_cmd(self->fd, ARING_SESSION_WATCH, NULL, 0));
	EXPECT_EQ(0, session_cmd(self->fd, ARING_SESSION_CLOCK, NULL, 0));
	ASSERT_EQ(0, session_join(fd, self->id));
	EXPECT_EQ(-EBUSY, session_chaos(self->fd, &fail_all));
	EXPECT_EQ(-EBUSY, session_plan(self->fd, &line, 1));
	EXPECT_EQ(-EBUSY, session_cmd(self->fd, ARING_SESSION_WATCH, NULL, 0));
	EXPECT_EQ(-EBUSY, session_cmd(self->fd, ARING_SESSION_CLOCK, NULL, 0));
	/* a bad one is bad all the same */
	line.action = ARING_ACT_NONE;
	EXPECT_EQ(-EINVAL, session_plan(self->fd, &line, 1));
	close(fd);
}

TEST_F(session, chaos_is_checked)
{
	static const struct aring_chaos bad[] = {
		{ .level = ARING_LEVEL_ANY + 1 },
		{ .cancel = ARING_CHAOS_CANCEL_EARLY + 1 },
		{ .delay_min = 2, .delay_max = 1 },
		{ .delay_max = ARING_CHAOS_MAX_DELAY + 1 },
		{ .reorder = ARING_CHAOS_MAX_REORDER + 1 },
		{ .short_ppm = MILLION + 1 },
		{ .eintr_ppm = MILLION + 1 },
		{ .cqfull_ppm = MILLION + 1 },
		{ .take_ppm = MILLION + 1 },
		{ .cancel_ppm = MILLION + 1 },
		{ .nr_errnos = ARING_CHAOS_ERRNOS + 1 },
		{ .nr_errnos = 1, .errno_ppm = { 1 } },
		{ .nr_errnos = 1, .errno_nr = { 512 } },
		{ .nr_errnos = 1, .errno_nr = { EIO },
		  .errno_ppm = { MILLION + 1 } },
		{ .nr_errnos = 2, .errno_nr = { EIO, ENOSPC },
		  .errno_ppm = { MILLION / 2, MILLION / 2 + 1 } },
		{ .nr_errnos = 1, .errno_nr = { EIO, EIO } },
		{ .nr_errnos = 1, .errno_nr = { EIO }, .errno_ppm = { 1, 1 } },
		{ .resv = 1 },
	};
	static const struct aring_chaos good[] = {
		{ .level = ARING_LEVEL_ANY, .cancel = ARING_CHAOS_CANCEL_EARLY,
		  .delay_min = 1, .delay_max = ARING_CHAOS_MAX_DELAY,
		  .reorder = ARING_CHAOS_MAX_REORDER, .short_ppm = MILLION,
		  .eintr_ppm = MILLION, .cqfull_ppm = MILLION,
		  .take_ppm = MILLION, .cancel_ppm = MILLION, .nr_errnos = 2,
		  .errno_nr = { EIO, ENOSPC },
		  .errno_ppm = { MILLION / 2, MILLION / 2 } },
		{ .seed = -1ULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		CHECK_EQ(-EINVAL, session_chaos(self->fd, &bad[i]), "no. %zu",
			 i);
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		CHECK_EQ(0, session_chaos(self->fd, &good[i]), "no. %zu", i);
}

TEST_F(session, plans_are_checked)
{
	static const struct aring_deviation bad[] = {
		{ .ring = 1 },
		{ .ring = 0, .action = ARING_ACT_CQ_FULL },
		{ .ring = 1, .action = ARING_ACT_HOLD_QUEUED },
		{ .ring = 1, .action = ARING_ACT_HOLD_STARTED },
		{ .ring = 1, .action = ARING_ACT_HOLD_DONE },
		{ .ring = 1, .action = ARING_ACT_ENTER_TAKE + 1 },
		{ .ring = 1, .action = ARING_ACT_FAIL },
		{ .ring = 1, .action = ARING_ACT_FAIL, .value = 512 },
		{ .ring = 1, .action = ARING_ACT_SHORTEN, .value = 1ULL << 31 },
		{ .ring = 1, .action = ARING_ACT_DELAY },
		{ .ring = 1, .action = ARING_ACT_DELAY,
		  .value = ARING_CHAOS_MAX_DELAY + 1 },
		{ .ring = 1, .action = ARING_ACT_AFTER },
		{ .ring = 1, .action = ARING_ACT_AFTER,
		  .value = ARING_CHAOS_MAX_REORDER + 1 },
		{ .ring = 1, .action = ARING_ACT_CQ_FULL, .value = 1 },
		{ .ring = 1, .action = ARING_ACT_CANCEL_WINS, .value = 1 },
		{ .ring = 1, .action = ARING_ACT_CANCEL_LOSES, .value = 1 },
		{ .ring = 1, .action = ARING_ACT_CQ_FULL, .resv = 1 },
		{ .ring = 1, .action = ARING_ACT_CQ_FULL, .flags = 4 },
		{ .ring = 1, .action = ARING_ACT_CQ_FULL,
		  .kind = ARING_KIND_OTHER + 1 },
		{ .ring = 1, .action = ARING_ACT_CQ_FULL,
		  .flags = ARING_DEV_ENTER },
		{ .ring = 1, .number = 1, .action = ARING_ACT_ENTER_EINTR },
		{ .ring = 1, .action = ARING_ACT_ENTER_EINTR,
		  .flags = ARING_DEV_ENTER },
		{ .ring = 1, .number = 1, .action = ARING_ACT_ENTER_EINTR,
		  .flags = ARING_DEV_ENTER, .value = 1 },
		{ .ring = 1, .number = 1, .action = ARING_ACT_ENTER_TAKE,
		  .flags = ARING_DEV_ENTER, .value = 1ULL << 32 },
	};
	static const struct aring_deviation good[] = {
		{ .ring = 1, .action = ARING_ACT_FAIL, .value = EIO },
		{ .ring = -1U, .number = -1U, .process = -1U,
		  .action = ARING_ACT_SHORTEN, .was = 7,
		  .flags = ARING_DEV_DONE },
		{ .ring = 1, .action = ARING_ACT_DELAY, .value = 1 },
		{ .ring = 1, .action = ARING_ACT_AFTER, .value = 1 },
		{ .ring = 1, .action = ARING_ACT_CANCEL_WINS },
		{ .ring = 1, .action = ARING_ACT_CANCEL_LOSES, .opcode = 255 },
		{ .ring = 1, .action = ARING_ACT_CQ_FULL,
		  .kind = ARING_KIND_OTHER },
		{ .ring = 1, .number = 1, .action = ARING_ACT_ENTER_EINTR,
		  .flags = ARING_DEV_ENTER },
		{ .ring = 1, .number = 1, .action = ARING_ACT_ENTER_TAKE,
		  .flags = ARING_DEV_ENTER },
	};
	struct aring_deviation two[2] = { good[0], bad[0] };
	struct aring_deviation log[ARRAY_SIZE(good) + 1];

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		CHECK_EQ(-EINVAL, session_plan(self->fd, &bad[i], 1), "no. %zu",
			 i);
	/* all or none */
	EXPECT_EQ(-EINVAL, session_plan(self->fd, two, 2));
	EXPECT_EQ(0, session_log(self->fd, log, 1));
	ASSERT_EQ(0, session_plan(self->fd, good, ARRAY_SIZE(good)));
	/* the log is the plan, and nothing of it has been done */
	ASSERT_EQ(ARRAY_SIZE(good), session_log(self->fd, log, ARRAY_SIZE(log)));
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		CHECK_EQ(good[i].action, log[i].action, "no. %zu", i);
		CHECK_EQ(good[i].value, log[i].value, "no. %zu", i);
		CHECK_EQ(good[i].flags & ARING_DEV_ENTER, log[i].flags,
			 "no. %zu", i);
		CHECK_EQ(good[i].process ?: 1, log[i].process, "no. %zu", i);
	}
}

TEST_F(session, rings_are_numbered_as_they_are_set_up)
{
	struct aring_params bad = { .sq_entries = 8, .flags = 1U << 27 };
	struct aring_deviation log[4];
	struct ring r[3];
	int fd = device();

	ASSERT_EQ(0, session_chaos(self->fd, &fail_all));
	/* what joins and is no ring yet, or never, has no number */
	ASSERT_EQ(0, session_join(fd, self->id));
	EXPECT_EQ(-1, ioctl(fd, ARING_IOC_SETUP, &bad));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-EFAULT, ioctl(fd, ARING_IOC_SETUP, (void *)8) ? -errno : 0);
	for (int i = 0; i < 2; i++)
		ASSERT_EQ(0, session_ring(&r[i], self->id, 8, NULL));
	/* and it can be tried again */
	memset(&r[2], 0, sizeof(r[2]));
	r[2].fd = fd;
	r[2].p.sq_entries = 8;
	ASSERT_EQ(0, ioctl(fd, ARING_IOC_SETUP, &r[2].p));
	ASSERT_EQ(0, ring_map(&r[2]));
	for (int i = 2; i >= 0; i--)
		EXPECT_EQ(-EIO, nop(&r[i], i));
	ASSERT_EQ(3, session_log(self->fd, log, 4));
	for (int i = 0; i < 3; i++) {
		EXPECT_EQ(3 - i, log[i].ring);
		EXPECT_EQ(1, log[i].process);
		EXPECT_EQ(0, log[i].number);
		EXPECT_EQ(ARING_OP_NOP, log[i].opcode);
		EXPECT_EQ(ARING_ACT_FAIL, log[i].action);
		EXPECT_EQ(EIO, log[i].value);
		EXPECT_EQ(ARING_DEV_DONE, log[i].flags);
		ring_exit(&r[i]);
	}
}

TEST_F(session, processes_are_numbered_as_they_join)
{
	static const unsigned int want[][2] = {
		{ 1, 1 }, { 2, 1 }, { 2, 2 }, { 1, 2 }, { 1, 1 },
	};
	struct aring_deviation log[8];
	struct ring a, b, c;
	int status;
	pid_t pid;

	ASSERT_EQ(0, session_chaos(self->fd, &fail_all));
	ASSERT_EQ(0, session_ring(&a, self->id, 8, NULL));
	EXPECT_EQ(-EIO, nop(&a, 1));
	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid) {
		/* what it makes is its own; what it has inherited is not */
		if (session_ring(&b, self->id, 8, NULL) || nop(&b, 1) != -EIO ||
		    session_ring(&c, self->id, 8, NULL) || nop(&c, 1) != -EIO)
			_exit(1);
		_exit(0);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	ASSERT_EQ(0, session_ring(&b, self->id, 8, NULL));
	EXPECT_EQ(-EIO, nop(&b, 1));
	EXPECT_EQ(-EIO, nop(&a, 1));
	ASSERT_EQ(5, session_log(self->fd, log, 8));
	for (int i = 0; i < 5; i++) {
		CHECK_EQ(want[i][0], log[i].process, "line %d", i);
		CHECK_EQ(want[i][1], log[i].ring, "line %d", i);
	}
	EXPECT_EQ(1, log[4].number);
	ring_exit(&a);
	ring_exit(&b);
}

TEST_F(session, tickets_count_from_0)
{
	struct aring_params p = {
		.flags = ARING_SETUP_FIRST_INDEX, .first_index = -2U,
	};
	struct aring_deviation log[4];
	struct ring r;

	ASSERT_EQ(0, session_chaos(self->fd, &fail_all));
	ASSERT_EQ(0, session_ring(&r, self->id, 8, &p));
	for (int i = 0; i < 4; i++)
		EXPECT_EQ(-EIO, nop(&r, i));
	ASSERT_EQ(4, session_log(self->fd, log, 4));
	for (int i = 0; i < 4; i++)
		EXPECT_EQ(i, log[i].number);
	ring_exit(&r);
}

TEST_F(session, the_log_is_read_from_anywhere)
{
	struct aring_deviation log[8];
	struct aring_session s;
	struct ring r;

	ASSERT_EQ(0, session_chaos(self->fd, &fail_all));
	ASSERT_EQ(0, session_ring(&r, self->id, 64, NULL));
	for (int k = 0; k < 25; k++) {
		for (int i = 0; i < 50; i++)
			prep_nop(&r, i);
		ASSERT_EQ(50, ring_submit(&r));
		while (ring_ready(&r)) {
			struct aring_cqe cqe;

			ring_reap(&r, &cqe);
			EXPECT_EQ(-EIO, cqe.res);
		}
	}
	/* over the end of a chunk, at the end, and behind it */
	EXPECT_EQ(8, session_read(self->fd, ARING_SESSION_LOG, 508, log, 8,
				  &s));
	EXPECT_EQ(1250, s.total);
	EXPECT_EQ(0, s.lost);
	for (int i = 0; i < 8; i++)
		EXPECT_EQ(508 + i, log[i].number);
	EXPECT_EQ(3, session_read(self->fd, ARING_SESSION_LOG, 1247, log, 8,
				  &s));
	EXPECT_EQ(1249, log[2].number);
	EXPECT_EQ(0, session_read(self->fd, ARING_SESSION_LOG, 1250, log, 8,
				  &s));
	EXPECT_EQ(0, session_read(self->fd, ARING_SESSION_LOG, -1ULL, log, 8,
				  &s));
	EXPECT_EQ(1250, s.total);
	EXPECT_EQ(0, session_read(self->fd, ARING_SESSION_LOG, 0, NULL, 0, &s));
	EXPECT_EQ(1250, s.total);
	EXPECT_EQ(-EFAULT, session_read(self->fd, ARING_SESSION_LOG, 0, NULL,
					8, &s));
	ring_exit(&r);
}

TEST_F(session, a_full_log_says_so)
{
	const struct aring_chaos chaos = {
		.level = ARING_LEVEL_ANY, .eintr_ppm = MILLION,
	};
	const __u64 more = 100;
	struct aring_session s;
	struct ring r;

	if (test_scale_factor() < 1)
		SKIP(return, "a million calls: not on a debug kernel");
	ASSERT_EQ(0, session_chaos(self->fd, &chaos));
	ASSERT_EQ(0, session_ring(&r, self->id, 8, NULL));
	for (__u64 i = 0; i < ARING_SESSION_MAX_LINES + more; i++)
		NEED_EQ(-EINTR, ring_enter(&r, 0, 0, 0, NULL, 0), "no. %llu",
			i);
	EXPECT_EQ(0, session_read(self->fd, ARING_SESSION_LOG, 0, NULL, 0, &s));
	EXPECT_EQ(ARING_SESSION_MAX_LINES, s.total);
	EXPECT_EQ(more, s.lost);
	ring_exit(&r);
}

TEST_F(session, what_is_seen)
{
	const struct aring_chaos chaos = { 0 };
	struct iovec iov[2] = { { .iov_len = 3 }, { .iov_len = 4 } };
	struct aring_seen seen[8];
	char buf[16] = "0123456789";
	struct aring_cqe cqe;
	struct ring r;
	int p[2], file, nr;

	iov[0].iov_base = buf;
	iov[1].iov_base = buf + 3;
	file = open("/tmp", O_TMPFILE | O_RDWR, 0600);
	ASSERT_GE(file, 0);
	ASSERT_EQ(10, write(file, buf, 10));
	ASSERT_EQ(0, pipe2(p, O_NONBLOCK));
	ASSERT_EQ(0, session_chaos(self->fd, &chaos));
	ASSERT_EQ(0, session_cmd(self->fd, ARING_SESSION_WATCH, NULL, 0));
	ASSERT_EQ(0, session_ring(&r, self->id, 64, NULL));

	EXPECT_EQ(0, nop(&r, 11));
	prep_read(&r, file, buf, 16, 5, 12);
	EXPECT_EQ(5, ring_run(&r));
	prep(&r, ARING_OP_READV, file, iov, 2, 0, 13);
	EXPECT_EQ(7, ring_run(&r));
	prep_read(&r, file, buf, 1, 0, 14)->rw_flags = 8 /* RWF_NOWAIT */;
	ring_run(&r);
	prep_read(&r, -1, buf, 1, 0, 15);
	EXPECT_EQ(-EBADF, ring_run(&r));
	prep_read(&r, p[0], buf, 1, 0, 16);
	EXPECT_EQ(1, ring_submit(&r));

	ASSERT_EQ(6, session_seen(self->fd, seen, 8));
	for (int i = 0; i < 6; i++) {
		CHECK_EQ(11 + i, seen[i].user_data, "no. %d", i);
		CHECK_EQ(i, seen[i].ticket, "no. %d", i);
		CHECK_EQ(1, seen[i].ring, "no. %d", i);
		CHECK_EQ(1, seen[i].process, "no. %d", i);
		CHECK_EQ(0, seen[i].block, "no. %d", i);
		CHECK_EQ(i < 5, !!(seen[i].flags & ARING_SEEN_ENDED), "no. %d",
			 i);
	}
	EXPECT_EQ(ARING_OP_NOP, seen[0].opcode);
	EXPECT_EQ(ARING_KIND_NONE, seen[0].kind);
	EXPECT_EQ(0, seen[0].len);
	EXPECT_EQ(ARING_KIND_REG, seen[1].kind);
	EXPECT_EQ(16, seen[1].len);
	EXPECT_EQ(5, seen[1].res);
	EXPECT_EQ(ARING_OP_READV, seen[2].opcode);
	EXPECT_EQ(7, seen[2].len);
	EXPECT_EQ(7, seen[2].res);
	EXPECT_TRUE(seen[3].flags & ARING_SEEN_NOWAIT);
	EXPECT_FALSE(seen[2].flags & ARING_SEEN_NOWAIT);
	EXPECT_EQ(ARING_KIND_NONE, seen[4].kind);
	EXPECT_EQ(-EBADF, seen[4].res);
	EXPECT_EQ(ARING_KIND_PIPE, seen[5].kind);
	EXPECT_EQ(ARING_SEEN_NONBLOCK, seen[5].flags);

	ASSERT_EQ(1, write(p[1], "x", 1));
	ASSERT_EQ(0, ring_cqe(&r, &cqe));
	nr = session_seen(self->fd, seen, 8);
	ASSERT_GE(nr, 6);
	EXPECT_TRUE(seen[5].flags & ARING_SEEN_ENDED);
	EXPECT_EQ(1, seen[5].res);
	/* and an ENTER that would wait */
	EXPECT_EQ(-ETIME, ring_wait_ns(&r, 1, ms(1)));
	ASSERT_EQ(nr + 1, session_seen(self->fd, seen, 8));
	EXPECT_EQ(ARING_SEEN_ENTER, seen[nr].flags);
	EXPECT_EQ(1, seen[nr].ring);
	EXPECT_EQ(1, seen[nr].process);
	EXPECT_GE(seen[nr].ticket, 7);
	/* nothing was done to any of them */
	EXPECT_EQ(0, session_log(self->fd, NULL, 0));
	ring_exit(&r);
}

TEST_F(session, closed_while_rings_live)
{
	char buf[4];
	struct aring_cqe cqe;
	struct ring r, s;
	int p[2];

	ASSERT_EQ(0, pipe(p));
	ASSERT_EQ(0, session_chaos(self->fd, &fail_all));
	ASSERT_EQ(0, session_cmd(self->fd, ARING_SESSION_WATCH, NULL, 0));
	ASSERT_EQ(0, session_ring(&r, self->id, 8, NULL));
	ASSERT_EQ(0, session_ring(&s, self->id, 8, NULL));
	prep(&r, ARING_OP_POLL_ADD, p[0], NULL, 0, 0, 1)->poll32_events = 1;
	EXPECT_EQ(-EIO, ring_run(&r));
	close(self->fd);
	self->fd = -1;
	/* they go on, unharmed */
	EXPECT_EQ(0, nop(&r, 2));
	ASSERT_EQ(1, write(p[1], "x", 1));
	prep_read(&s, p[0], buf, 4, 0, 3);
	EXPECT_EQ(1, ring_run(&s));
	EXPECT_FALSE(ring_reap(&r, &cqe));
	ring_exit(&r);
	EXPECT_EQ(0, nop(&s, 2));
	ring_exit(&s);
}

TEST_F(session, rings_closed_while_it_lives)
{
	struct aring_seen seen[2];
	char buf[4];
	struct ring r;
	int p[2], fd = device();

	ASSERT_EQ(0, pipe(p));
	ASSERT_EQ(0, session_cmd(self->fd, ARING_SESSION_WATCH, NULL, 0));
	/* one that never becomes a ring */
	ASSERT_EQ(0, session_join(fd, self->id));
	close(fd);
	ASSERT_EQ(0, session_ring(&r, self->id, 8, NULL));
	prep_read(&r, p[0], buf, 4, 0, 3);
	EXPECT_EQ(1, ring_submit(&r));
	ring_exit(&r);
	/* what was under way has been cancelled, and was seen */
	for (int i = 0; i < 1000; i++) {
		ASSERT_EQ(1, session_seen(self->fd, seen, 2));
		if (seen[0].flags & ARING_SEEN_ENDED)
			break;
		usleep(1000);
	}
	EXPECT_EQ(-ECANCELED, seen[0].res);
}

struct joiner {
	int fd;
	__u64 id;
	int joined;
	int set_up;
};

static void *join_thread(void *arg)
{
	struct joiner *j = arg;

	j->joined = session_join(j->fd, j->id);
	j->set_up = setup(j->fd);
	return NULL;
}

TEST_F(session, a_file_joins_and_is_set_up_once)
{
	for (unsigned long k = 0; k < test_scale(200, 20); k++) {
		struct joiner j[2];
		int fd = device();
		pthread_t t[2];

		for (int i = 0; i < 2; i++) {
			j[i] = (struct joiner){ .fd = fd, .id = self->id };
			ASSERT_EQ(0, pthread_create(&t[i], NULL, join_thread,
						    &j[i]));
		}
		for (int i = 0; i < 2; i++)
			pthread_join(t[i], NULL);
		for (int i = 0; i < 2; i++) {
			CHECK_TRUE(!j[i].joined || j[i].joined == -EBUSY,
				   "round %lu: %d", k, j[i].joined);
			CHECK_TRUE(!j[i].set_up || j[i].set_up == -EBUSY,
				   "round %lu: %d", k, j[i].set_up);
		}
		CHECK_EQ(1, !j[0].set_up + !j[1].set_up, "round %lu", k);
		CHECK_LE(!j[0].joined + !j[1].joined, 1, "round %lu", k);
		close(fd);
	}
}

RING_TEST_MAIN
