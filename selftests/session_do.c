// SPDX-License-Identifier: MIT
/*
 * What sessions do to requests: that a seed decides the same again, that plans are
 * carried out, and that nothing is done which the level does not permit.
 */
#include "session.h"
#include "disk.h"
#include <sys/socket.h>

SESSION_FIXTURE(session_do);

#define LINES	4096

static struct aring_deviation lines[2][LINES];

/* Everything, to requests of all kinds. */
static struct aring_chaos everything(__u64 seed)
{
	return (struct aring_chaos) {
		.seed = seed, .level = ARING_LEVEL_ANY,
		.cancel = ARING_CHAOS_CANCEL_LATE, .cancel_ppm = 300000,
		.delay_max = 1000, .reorder = 4, .short_ppm = 300000,
		.cqfull_ppm = 300000, .nr_errnos = 2,
		.errno_nr = { EIO, ENOSPC }, .errno_ppm = { 100000, 50000 },
	};
}

static int temp_file(size_t size)
{
	int fd = open("/tmp", O_TMPFILE | O_RDWR, 0600);

	return fd >= 0 && !ftruncate(fd, size) ? fd : -1;
}

/* Reads of 1 to @n bytes; answers how many completions came. */
static int some_reads(struct ring *r, int fd, int n)
{
	static char buf[LINES];
	struct aring_cqe cqe;
	int i, done = 0;

	for (i = 0; i < n; i++) {
		prep_read(r, fd, buf, i + 1, 0, i);
		if (i % 8 != 7 && i != n - 1)
			continue;
		ring_submit(r);
		for (; done <= i; done++) {
			if (ring_cqe(r, &cqe))
				return done;
		}
	}
	return done;
}

/* The log of a session with a seed, whose second ring the reads go to. */
static int log_of(struct __test_metadata *_metadata,
		  const struct aring_chaos *chaos, int nr_ring,
		  struct aring_deviation *log)
{
	struct ring r, other;
	int fd, file, nr;
	__u64 id = 0;

	file = temp_file(LINES);
	ASSERT_GE(file, 0) {
		return -1;
	}
	fd = session_new(&id);
	EXPECT_EQ(0, session_chaos(fd, chaos));
	if (nr_ring == 2)
		EXPECT_EQ(0, session_ring(&other, id, 8, NULL));
	EXPECT_EQ(0, session_ring(&r, id, 64, NULL));
	EXPECT_EQ(200, some_reads(&r, file, 200));
	nr = session_log(fd, log, LINES);
	ring_exit(&r);
	if (nr_ring == 2)
		ring_exit(&other);
	close(fd);
	close(file);
	return nr;
}

static bool same(const struct aring_deviation *a,
		 const struct aring_deviation *b)
{
	return a->number == b->number && a->action == b->action &&
	       a->value == b->value && a->was == b->was &&
	       a->opcode == b->opcode && a->kind == b->kind;
}

TEST_F(session_do, a_seed_decides_the_same_again)
{
	struct aring_chaos chaos = everything(42);
	int nr, other, differ = 0;

	nr = log_of(_metadata, &chaos, 1, lines[0]);
	ASSERT_GE(nr, 200);
	ASSERT_EQ(nr, log_of(_metadata, &chaos, 1, lines[1]));
	for (int i = 0; i < nr; i++)
		CHECK_TRUE(same(&lines[0][i], &lines[1][i]), "line %d", i);
	/* another ring, and another seed, are something else */
	other = log_of(_metadata, &chaos, 2, lines[1]);
	for (int i = 0; i < nr && i < other; i++)
		differ += !same(&lines[0][i], &lines[1][i]);
	EXPECT_GE(differ, 100);
	chaos.seed = 43;
	other = log_of(_metadata, &chaos, 1, lines[1]);
	differ = 0;
	for (int i = 0; i < nr && i < other; i++)
		differ += !same(&lines[0][i], &lines[1][i]);
	EXPECT_GE(differ, 100);
}

/* What a seed means must not change from version to version. */
TEST_F(session_do, what_seed_42_means)
{
	static const struct {
		__u32 number;
		__u16 action;
		__u64 value;
	} want[] = {
#include "session_seed.h"
	};
	struct aring_chaos chaos = everything(42);
	int nr;

	nr = log_of(_metadata, &chaos, 1, lines[0]);
	ASSERT_GE(nr, ARRAY_SIZE(want));
	for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
		CHECK_EQ(want[i].number, lines[0][i].number, "line %zu", i);
		CHECK_EQ(want[i].action, lines[0][i].action, "line %zu", i);
		CHECK_EQ(want[i].value, lines[0][i].value, "line %zu", i);
	}
}

static int count(const struct aring_deviation *log, int nr, int action)
{
	int n = 0;

	for (int i = 0; i < nr; i++)
		n += log[i].action == action;
	return n;
}

TEST_F(session_do, rates_are_about_right)
{
	struct aring_chaos chaos = everything(7);
	int nr = log_of(_metadata, &chaos, 1, lines[0]), n;

	n = count(lines[0], nr, ARING_ACT_FAIL);
	EXPECT_GE(n, 15);
	EXPECT_LE(n, 45);
	n = count(lines[0], nr, ARING_ACT_SHORTEN);
	EXPECT_GE(n, 25);
	EXPECT_LE(n, 80);
	n = count(lines[0], nr, ARING_ACT_CQ_FULL);
	EXPECT_GE(n, 35);
	EXPECT_LE(n, 85);
	n = count(lines[0], nr, ARING_ACT_CANCEL_LOSES);
	EXPECT_GE(n, 35);
	EXPECT_LE(n, 85);
	EXPECT_GE(count(lines[0], nr, ARING_ACT_DELAY), 60);
	EXPECT_GE(count(lines[0], nr, ARING_ACT_AFTER), 40);
	EXPECT_EQ(0, count(lines[0], nr, ARING_ACT_CANCEL_WINS));
	for (int i = 0; i < nr; i++) {
		const struct aring_deviation *l = &lines[0][i];

		if (l->action == ARING_ACT_SHORTEN) {
			CHECK_EQ(l->number + 1, l->was, "line %d", i);
			CHECK_TRUE(l->value && l->value < l->was, "line %d", i);
		} else if (l->action == ARING_ACT_AFTER) {
			CHECK_TRUE(l->value && l->value <= 4, "line %d", i);
		} else if (l->action == ARING_ACT_DELAY) {
			CHECK_TRUE(l->value && l->value <= 1000, "line %d", i);
		}
	}
}

TEST_F(session_do, one_rate_does_not_change_what_the_others_do)
{
	struct aring_chaos chaos = everything(5);
	int nr, other, k = 0;

	nr = log_of(_metadata, &chaos, 1, lines[0]);
	chaos.cqfull_ppm = 0;
	other = log_of(_metadata, &chaos, 1, lines[1]);
	EXPECT_LE(other, nr - 20);
	for (int i = 0; i < nr; i++) {
		if (lines[0][i].action == ARING_ACT_CQ_FULL)
			continue;
		CHECK_TRUE(same(&lines[0][i], &lines[1][k]), "line %d", i);
		k++;
	}
	EXPECT_EQ(other, k);
}

static const struct aring_chaos eio[] = {
	{ .level = ARING_LEVEL_CONTRACT, .nr_errnos = 1, .errno_nr = { EIO },
	  .errno_ppm = { MILLION } },
	{ .level = ARING_LEVEL_LINUX, .nr_errnos = 1, .errno_nr = { EIO },
	  .errno_ppm = { MILLION } },
	{ .level = ARING_LEVEL_ANY, .nr_errnos = 1, .errno_nr = { EIO },
	  .errno_ppm = { MILLION } },
};

TEST_F(session_do, errors_come_where_they_may)
{
	int p[2], file = temp_file(10);

	ASSERT_GE(file, 0);
	ASSERT_EQ(0, pipe(p));
	for (size_t i = 0; i < ARRAY_SIZE(eio); i++) {
		bool any = eio[i].level == ARING_LEVEL_ANY;
		char buf[16];
		struct ring r;
		int fd = session_of(&r, &eio[i]);

		ASSERT_GE(fd, 0);
		prep_nop(&r, 1);
		CHECK_EQ(any ? -EIO : 0, ring_run(&r), "no. %zu", i);
		prep_read(&r, file, buf, 10, 0, 2);
		CHECK_EQ(-EIO, ring_run(&r), "no. %zu", i);
		prep_write(&r, file, buf, 10, 0, 3);
		CHECK_EQ(-EIO, ring_run(&r), "no. %zu", i);
		prep(&r, ARING_OP_FSYNC, file, NULL, 0, 0, 4);
		CHECK_EQ(-EIO, ring_run(&r), "no. %zu", i);
		prep_write(&r, p[1], "abc", 3, 0, 5);
		CHECK_EQ(any ? -EIO : 3, ring_run(&r), "no. %zu", i);
		if (!any) {
			prep_read(&r, p[0], buf, 16, 0, 6);
			CHECK_EQ(3, ring_run(&r), "no. %zu", i);
		}
		/* what has an error of its own keeps it */
		prep_read(&r, -1, buf, 16, 0, 7);
		CHECK_EQ(-EBADF, ring_run(&r), "no. %zu", i);
		prep(&r, ARING_OP_NOP, -1, NULL, 0, 0, 8)->flags = 0x80;
		CHECK_EQ(-EINVAL, ring_run(&r), "no. %zu", i);
		CHECK_EQ(any ? 5 : 3, session_log(fd, lines[0], LINES),
			 "no. %zu", i);
		ring_exit(&r);
		close(fd);
	}
}

TEST_F(session_do, eagain_is_for_who_does_not_wait)
{
	for (int level = 0; level < 2; level++) {
		const struct aring_chaos chaos = {
			.level = level, .nr_errnos = 1,
			.errno_nr = { EAGAIN }, .errno_ppm = { MILLION },
		};
		int s[2], file = temp_file(10), fd;
		char buf[16];
		struct ring r;

		ASSERT_GE(file, 0);
		ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, s));
		fd = session_of(&r, &chaos);
		ASSERT_GE(fd, 0);
		prep_read(&r, file, buf, 10, 0, 1);
		CHECK_EQ(10, ring_run(&r), "level %d", level);
		prep_read(&r, file, buf, 10, 0, 2)->rw_flags = 8;
		CHECK_EQ(-EAGAIN, ring_run(&r), "level %d", level);
		prep(&r, ARING_OP_SEND, s[0], "abcdef", 6, 0, 3);
		CHECK_EQ(6, ring_run(&r), "level %d", level);
		prep(&r, ARING_OP_RECV, s[1], buf, 3, 0, 4)->msg_flags =
			MSG_DONTWAIT;
		CHECK_EQ(-EAGAIN, ring_run(&r), "level %d", level);
		prep(&r, ARING_OP_RECV, s[1], buf, 3, 0, 5);
		CHECK_EQ(3, ring_run(&r), "level %d", level);
		/* by the book a descriptor may say so; Linux would wait */
		ASSERT_EQ(0, fcntl(s[1], F_SETFL, O_NONBLOCK));
		prep(&r, ARING_OP_RECV, s[1], buf, 3, 0, 6);
		CHECK_EQ(level == ARING_LEVEL_LINUX ? 3 : -EAGAIN,
			 ring_run(&r), "level %d", level);
		ring_exit(&r);
		close(fd);
		close(file);
		close(s[0]);
		close(s[1]);
	}
}

/* One transfer, all of which could be moved; answers what was. */
static int transfer(struct ring *r, int op, int fd, void *buf,
		    unsigned int len)
{
	prep(r, op, fd, buf, len, 0, 1);
	return ring_run(r);
}

TEST_F(session_do, what_is_shortened_at_which_level)
{
	static char buf[16384];

	for (int level = 0; level < 2; level++) {
		bool contract = level == ARING_LEVEL_CONTRACT;
		int p[2], s[2], d[2], file = temp_file(8192), fd, n;
		struct aring_chaos chaos = {
			.seed = 3, .level = level, .short_ppm = MILLION,
		};
		struct ring r;

		ASSERT_GE(file, 0);
		ASSERT_EQ(0, pipe(p));
		ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, s));
		ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_DGRAM, 0, d));
		fd = session_of(&r, &chaos);
		ASSERT_GE(fd, 0);
		for (int i = 0; i < 5; i++) {
			n = transfer(&r, ARING_OP_READ, file, buf, 8192);
			CHECK_TRUE(contract ? n > 0 && n < 8192 : n == 8192,
				   "level %d: %d", level, n);
			n = transfer(&r, ARING_OP_WRITE, file, buf, 8192);
			CHECK_TRUE(n > 0 && n < 8192, "level %d: %d", level, n);
			/* a message is whole */
			n = transfer(&r, ARING_OP_SEND, d[0], buf, 100);
			CHECK_EQ(100, n, "level %d", level);
			n = transfer(&r, ARING_OP_RECV, d[1], buf, 100);
			CHECK_EQ(100, n, "level %d", level);
			n = transfer(&r, ARING_OP_SEND, s[0], buf, 100);
			CHECK_TRUE(n > 0 && n < 100, "level %d: %d", level, n);
			ASSERT_EQ(100 - n, send(s[0], buf, 100 - n, 0));
			n = transfer(&r, ARING_OP_RECV, s[1], buf, 100);
			CHECK_TRUE(n > 0 && n < 100, "level %d: %d", level, n);
			ASSERT_EQ(100 - n, recv(s[1], buf, 100, 0));
			/* PIPE_BUF bytes are written at once, or not */
			n = transfer(&r, ARING_OP_WRITE, p[1], buf, 4096);
			CHECK_EQ(4096, n, "level %d", level);
			n = transfer(&r, ARING_OP_READ, p[0], buf, 4096);
			CHECK_TRUE(n > 0 && n < 4096, "level %d: %d", level, n);
			ASSERT_EQ(4096 - n, read(p[0], buf, 4096));
			n = transfer(&r, ARING_OP_WRITE, p[1], buf, 16384);
			CHECK_TRUE(n > 0 && n < 16384 &&
				   (contract || n % 4096 == 0),
				   "level %d: %d", level, n);
			ASSERT_EQ(n, read(p[0], buf, 16384));
			/* less than 1 byte is the end of the file */
			n = transfer(&r, ARING_OP_READ, file, buf, 1);
			CHECK_EQ(1, n, "level %d", level);
		}
		ring_exit(&r);
		close(fd);
		close(file);
		for (int i = 0; i < 2; i++) {
			close(p[i]);
			close(s[i]);
			close(d[i]);
		}
	}
}

TEST_F(session_do, iovecs_and_messages_are_shortened_as_a_whole)
{
	const struct aring_chaos chaos = { .short_ppm = MILLION };
	char buf[12], other[12] = "abcdefghijkl";
	struct iovec iov[3] = {
		{ buf, 4 }, { buf + 4, 4 }, { buf + 8, 4 },
	};
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 3 };
	int s[2], file = temp_file(100), n, nr, fd;
	struct ring r;

	ASSERT_GE(file, 0);
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	fd = session_of(&r, &chaos);
	ASSERT_GE(fd, 0);
	n = transfer(&r, ARING_OP_READV, file, iov, 3);
	EXPECT_TRUE(n > 0 && n < 12);
	ASSERT_EQ(12, send(s[0], other, 12, 0));
	n = transfer(&r, ARING_OP_RECVMSG, s[1], &msg, 1);
	EXPECT_TRUE(n > 0 && n < 12);
	EXPECT_EQ(0, memcmp(buf, other, n));
	nr = session_log(fd, lines[0], LINES);
	ASSERT_EQ(2, nr);
	for (int i = 0; i < nr; i++) {
		EXPECT_EQ(ARING_ACT_SHORTEN, lines[0][i].action);
		EXPECT_EQ(12, lines[0][i].was);
	}
	EXPECT_EQ(n, lines[0][1].value);
	ring_exit(&r);
	close(fd);
}

TEST_F(session_do, o_direct_is_shortened_by_blocks)
{
	const char *dir = disk_ext4("session", 16);
	static char buf[8192] __attribute__((aligned(4096)));

	ASSERT_NE(NULL, dir);
	for (int level = 0; level < 2; level++) {
		struct aring_chaos chaos = {
			.level = level, .short_ppm = MILLION,
		};
		int file = open(dir, O_TMPFILE | O_RDWR | O_DIRECT, 0600), n;
		bool contract = level == ARING_LEVEL_CONTRACT;
		struct ring r;
		int fd;

		ASSERT_GE(file, 0);
		ASSERT_EQ(8192, write(file, buf, 8192));
		fd = session_of(&r, &chaos);
		ASSERT_GE(fd, 0);
		for (int i = 0; i < 20; i++) {
			n = transfer(&r, i & 1 ? ARING_OP_WRITE : ARING_OP_READ,
				     file, buf, 8192);
			CHECK_TRUE(contract ? n > 0 && n < 8192 && n % 512 == 0 :
				   n == 8192, "level %d: %d", level, n);
		}
		ring_exit(&r);
		close(fd);
		close(file);
	}
}

TEST_F(session_do, plans_are_carried_out)
{
	const struct aring_deviation plan[] = {
		{ .ring = 1, .number = 1, .opcode = ARING_OP_READ,
		  .action = ARING_ACT_SHORTEN, .value = 3 },
		{ .ring = 1, .number = 0, .opcode = ARING_OP_READ,
		  .action = ARING_ACT_FAIL, .value = EIO, .process = 1,
		  .kind = ARING_KIND_REG },
		/* these are not */
		{ .ring = 1, .number = 0, .opcode = ARING_OP_READ,
		  .action = ARING_ACT_FAIL, .value = EIO },
		{ .ring = 1, .number = 2, .opcode = ARING_OP_WRITE,
		  .action = ARING_ACT_FAIL, .value = EIO },
		{ .ring = 1, .number = 2, .opcode = ARING_OP_READ,
		  .action = ARING_ACT_FAIL, .value = EIO,
		  .kind = ARING_KIND_PIPE },
		{ .ring = 1, .number = 2, .opcode = ARING_OP_READ,
		  .action = ARING_ACT_FAIL, .value = EIO, .process = 2 },
		{ .ring = 2, .number = 2, .opcode = ARING_OP_READ,
		  .action = ARING_ACT_FAIL, .value = EIO },
		{ .ring = 1, .number = 99, .opcode = ARING_OP_READ,
		  .action = ARING_ACT_FAIL, .value = EIO },
		{ .ring = 1, .number = 2, .opcode = ARING_OP_READ,
		  .action = ARING_ACT_FAIL, .value = EPIPE },
		{ .ring = 1, .number = 2, .opcode = ARING_OP_READ,
		  .action = ARING_ACT_SHORTEN, .value = 10 },
	};
	struct aring_deviation log[ARRAY_SIZE(plan) + 1];
	int file = temp_file(10);
	char buf[16];
	struct ring r;

	ASSERT_GE(file, 0);
	ASSERT_EQ(0, session_plan(self->fd, plan, ARRAY_SIZE(plan)));
	ASSERT_EQ(0, session_ring(&r, self->id, 8, NULL));
	EXPECT_EQ(-EIO, transfer(&r, ARING_OP_READ, file, buf, 10));
	EXPECT_EQ(3, transfer(&r, ARING_OP_READ, file, buf, 10));
	EXPECT_EQ(10, transfer(&r, ARING_OP_READ, file, buf, 10));
	ASSERT_EQ(ARRAY_SIZE(plan),
		  session_log(self->fd, log, ARRAY_SIZE(log)));
	for (size_t i = 0; i < ARRAY_SIZE(plan); i++) {
		CHECK_EQ(i < 2 ? ARING_DEV_DONE : 0, log[i].flags, "line %zu",
			 i);
		CHECK_EQ(plan[i].number, log[i].number, "line %zu", i);
	}
	EXPECT_EQ(10, log[0].was);
	EXPECT_EQ(ARING_KIND_REG, log[0].kind);
	ring_exit(&r);
}

TEST_F(session_do, plans_obey_the_level)
{
	const struct aring_deviation plan = {
		.ring = 1, .number = 0, .opcode = ARING_OP_READ,
		.action = ARING_ACT_FAIL, .value = EPIPE,
	};
	/* of which the rates count for nothing */
	const struct aring_chaos any = everything(1);
	struct aring_deviation log[2];
	int file = temp_file(10);
	char buf[16];
	struct ring r;

	ASSERT_GE(file, 0);
	ASSERT_EQ(0, session_chaos(self->fd, &any));
	ASSERT_EQ(0, session_plan(self->fd, &plan, 1));
	ASSERT_EQ(0, session_ring(&r, self->id, 64, NULL));
	EXPECT_EQ(-EPIPE, transfer(&r, ARING_OP_READ, file, buf, 10));
	for (int i = 0; i < 50; i++)
		EXPECT_EQ(10, transfer(&r, ARING_OP_READ, file, buf, 10));
	ASSERT_EQ(1, session_log(self->fd, log, 2));
	EXPECT_EQ(ARING_DEV_DONE, log[0].flags);
	ring_exit(&r);
}

/* A log, taken for a plan, does the same. */
TEST_F(session_do, a_log_is_a_plan)
{
	struct aring_chaos chaos = everything(11), level = {
		.level = ARING_LEVEL_ANY,
	};
	int nr = log_of(_metadata, &chaos, 1, lines[0]), file = temp_file(LINES);
	struct ring r;

	ASSERT_GE(file, 0);
	ASSERT_GE(nr, 100);
	ASSERT_EQ(0, session_chaos(self->fd, &level));
	ASSERT_EQ(0, session_plan(self->fd, lines[0], nr));
	ASSERT_EQ(0, session_ring(&r, self->id, 64, NULL));
	EXPECT_EQ(200, some_reads(&r, file, 200));
	ASSERT_EQ(nr, session_log(self->fd, lines[1], LINES));
	for (int i = 0; i < nr; i++) {
		CHECK_TRUE(same(&lines[0][i], &lines[1][i]), "line %d", i);
		CHECK_EQ(lines[0][i].flags, lines[1][i].flags, "line %d: %u", i,
			 lines[0][i].action);
	}
	ring_exit(&r);
}

TEST_F(session_do, eintr_where_enter_would_wait)
{
	const struct aring_chaos chaos = {
		.level = ARING_LEVEL_LINUX, .eintr_ppm = MILLION,
	};
	struct ring r;
	int fd = session_of(&r, &chaos);

	ASSERT_GE(fd, 0);
	EXPECT_EQ(-EINTR, ring_enter(&r, 0, 1, ARING_ENTER_GETEVENTS, NULL, 0));
	EXPECT_EQ(0, ring_enter(&r, 0, 0, ARING_ENTER_GETEVENTS, NULL, 0));
	EXPECT_EQ(0, ring_enter(&r, 0, 1, 0, NULL, 0));
	prep_nop(&r, 1);
	ring_flush(&r);
	EXPECT_EQ(1, ring_enter(&r, 1, 1, ARING_ENTER_GETEVENTS, NULL, 0));
	/* the CQ is not empty */
	EXPECT_EQ(0, ring_enter(&r, 0, 1, ARING_ENTER_GETEVENTS, NULL, 0));
	ASSERT_EQ(1, session_log(fd, lines[0], LINES));
	EXPECT_EQ(ARING_ACT_ENTER_EINTR, lines[0][0].action);
	EXPECT_EQ(ARING_DEV_ENTER | ARING_DEV_DONE, lines[0][0].flags);
	EXPECT_EQ(1, lines[0][0].number);
	ring_exit(&r);
	close(fd);
}

TEST_F(session_do, enter_takes_fewer_but_no_half_of_a_chain)
{
	const struct aring_chaos chaos = {
		.level = ARING_LEVEL_LINUX, .take_ppm = MILLION,
	};
	struct ring r;
	int fd = session_of(&r, &chaos), taken, left;
	struct aring_cqe cqe;

	ASSERT_GE(fd, 0);
	for (int k = 0; k < 20; k++) {
		/* chains of three */
		for (int i = 0; i < 30; i++)
			prep_nop(&r, i)->flags =
				i % 3 == 2 ? 0 : ARING_SQE_IO_LINK;
		left = ring_flush(&r);
		while (left) {
			taken = ring_enter(&r, left, 0, 0, NULL, 0);
			NEED_TRUE(taken > 0 && taken % 3 == 0, "%d of %d",
				  taken, left);
			left -= taken;
			while (ring_reap(&r, &cqe))
				EXPECT_EQ(0, cqe.res);
		}
	}
	taken = session_log(fd, lines[0], LINES);
	EXPECT_GE(taken, 20);
	for (int i = 0; i < taken; i++) {
		EXPECT_EQ(ARING_ACT_ENTER_TAKE, lines[0][i].action);
		EXPECT_TRUE(lines[0][i].value < lines[0][i].was);
	}
	ring_exit(&r);
	close(fd);
}

TEST_F(session_do, enters_by_plan)
{
	const struct aring_deviation plan[] = {
		{ .ring = 1, .number = 2, .flags = ARING_DEV_ENTER,
		  .action = ARING_ACT_ENTER_TAKE, .value = 2 },
		{ .ring = 1, .number = 3, .flags = ARING_DEV_ENTER,
		  .action = ARING_ACT_ENTER_EINTR },
		{ .ring = 1, .number = 4, .flags = ARING_DEV_ENTER,
		  .action = ARING_ACT_ENTER_EINTR },
		{ .ring = 1, .number = 4, .flags = ARING_DEV_ENTER,
		  .action = ARING_ACT_ENTER_TAKE, .value = 2 },
	};
	struct aring_deviation log[4];
	struct ring r;

	ASSERT_EQ(0, session_plan(self->fd, plan, ARRAY_SIZE(plan)));
	ASSERT_EQ(0, session_ring(&r, self->id, 64, NULL));
	for (int i = 0; i < 4; i++)
		prep_nop(&r, i);
	EXPECT_EQ(0, ring_enter(&r, 0, 0, 0, NULL, 0));
	EXPECT_EQ(2, ring_submit(&r));
	*r.cq_head = *r.cq_tail;
	EXPECT_EQ(-EINTR, ring_enter(&r, 0, 1, ARING_ENTER_GETEVENTS, NULL, 0));
	/* it has something to submit, and two are all there are */
	EXPECT_EQ(2, ring_enter(&r, 2, 1, ARING_ENTER_GETEVENTS, NULL, 0));
	ASSERT_EQ(4, session_log(self->fd, log, 4));
	for (int i = 0; i < 4; i++)
		CHECK_EQ(i < 2 ? ARING_DEV_ENTER | ARING_DEV_DONE :
			 ARING_DEV_ENTER, log[i].flags, "line %d", i);
	EXPECT_EQ(4, log[0].was);
	ring_exit(&r);
}

RING_TEST_MAIN
