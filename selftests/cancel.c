// SPDX-License-Identifier: MIT
/*
 * ASYNC_CANCEL and SYNC_CANCEL: each form against each state of its target.
 * The pairs of results that are allowed are those of the header's comment.
 */
#include "ring.h"
#include "disk.h"
#include "kmsg.h"
#include <sys/socket.h>
#include <sys/time.h>

RING_FIXTURE(cancel);

#define KEYS 32

/* Reap @n CQEs; result of each user_data below KEYS, RES_NONE if missing. */
static void reap_by_key(struct __test_metadata *_metadata, struct ring *r,
			int n, int res[KEYS])
{
	struct aring_cqe cqe;

	for (int i = 0; i < KEYS; i++)
		res[i] = RES_NONE;
	for (int i = 0; i < n; i++) {
		NEED_EQ(0, ring_cqe(r, &cqe), "completion %d of %d", i + 1, n);
		ASSERT_LT(cqe.user_data, KEYS);
		CHECK_EQ(RES_NONE, res[cqe.user_data],
			 "user_data %d completed twice", (int)cqe.user_data);
		res[cqe.user_data] = cqe.res;
	}
	EXPECT_EQ(0, ring_ready(r));
}

/* What a request that waits may be. */
enum { TIMER, COUNT, PIPE, PIPE_ASYNC, PIPE_WRITE, SOCKET, SOCKET_V, WAITS };

static const char *const WAIT[] = {
	"timeout", "counting timeout", "pipe read", "async pipe read",
	"pipe write", "socket read", "socket readv",
};

struct target {
	int p[2];
	char b[64];
	struct iovec v;
	struct __kernel_timespec ts;
};

static void prep_target(struct __test_metadata *_metadata, struct ring *r,
			struct target *t, int kind, __u64 ud)
{
	static char big[65536];
	struct aring_sqe *s;
	int fl;

	memset(t, 0, sizeof(*t));
	t->p[0] = -1;
	t->p[1] = -1;
	t->ts = to_ts(ms(1000000));
	t->v = (struct iovec) { t->b, sizeof(t->b) };
	switch (kind) {
	case TIMER:
	case COUNT:
		prep_timeout(r, &t->ts, kind == COUNT ? 1000 : 0, 0, ud);
		break;
	case PIPE_WRITE:
		ASSERT_EQ(0, pipe(t->p));
		fl = fcntl(t->p[1], F_GETFL);
		ASSERT_EQ(0, fcntl(t->p[1], F_SETFL, fl | O_NONBLOCK));
		while (write(t->p[1], big, sizeof(big)) > 0)
			;
		ASSERT_EQ(0, fcntl(t->p[1], F_SETFL, fl));
		prep_write(r, t->p[1], t->b, 64, 0, ud);
		break;
	case SOCKET:
	case SOCKET_V:
		ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, t->p));
		prep(r, kind == SOCKET ? ARING_OP_READ : ARING_OP_READV,
		     t->p[0], kind == SOCKET ? (void *)t->b : &t->v,
		     kind == SOCKET ? 64 : 1, 0, ud);
		break;
	default:
		ASSERT_EQ(0, pipe(t->p));
		s = prep_read(r, t->p[0], t->b, 64, 0, ud);
		if (kind == PIPE_ASYNC)
			s->flags = ARING_SQE_ASYNC;
	}
}

static void drop_target(struct target *t)
{
	if (t->p[0] >= 0)
		close(t->p[0]);
	if (t->p[1] >= 0)
		close(t->p[1]);
}

static struct aring_sqe *prep_cancel_fd(struct ring *r, int fd, __u64 key,
					__u32 flags, __u64 ud)
{
	struct aring_sqe *s = prep_cancel(r, key, flags |
					  ARING_ASYNC_CANCEL_FD, ud);

	s->fd = fd;
	return s;
}

TEST_F(cancel, what_waits_is_taken_back_by_user_data)
{
	int res[KEYS];

	for (int kind = 0; kind < WAITS; kind++) {
		struct target t;

		prep_target(_metadata, &self->r, &t, kind, 1);
		ASSERT_EQ(1, ring_submit(&self->r));
		CHECK_TRUE(ring_quiet(&self->r, 10), "%s", WAIT[kind]);
		prep_cancel(&self->r, 1, 0, 2);
		ASSERT_EQ(1, ring_submit(&self->r));
		reap_by_key(_metadata, &self->r, 2, res);
		CHECK_EQ(0, res[2], "%s", WAIT[kind]);
		CHECK_EQ(-ECANCELED, res[1], "%s", WAIT[kind]);
		drop_target(&t);
	}
}

TEST_F(cancel, in_the_batch_of_its_target)
{
	int res[KEYS];

	for (int kind = 0; kind < WAITS; kind++) {
		struct target t;

		/* handed to another thread it may be caught on its way */
		if (kind == PIPE_ASYNC)
			continue;
		prep_target(_metadata, &self->r, &t, kind, 1);
		prep_cancel(&self->r, 1, 0, 2);
		prep_cancel(&self->r, 1, 0, 3);
		ASSERT_EQ(3, ring_submit(&self->r));
		reap_by_key(_metadata, &self->r, 3, res);
		CHECK_EQ(0, res[2], "%s", WAIT[kind]);
		/* io_uring may find once more what it is about to end */
		if (variant->backend == DEVICE || res[3])
			CHECK_EQ(-ENOENT, res[3], "%s", WAIT[kind]);
		CHECK_EQ(-ECANCELED, res[1], "%s", WAIT[kind]);
		drop_target(&t);
	}
}

TEST_F(cancel, a_cancelled_read_takes_no_data)
{
	int res[KEYS];
	char b[8] = "";

	for (int kind = PIPE; kind < WAITS; kind++) {
		struct target t;

		if (kind == PIPE_WRITE)
			continue;
		prep_target(_metadata, &self->r, &t, kind, 1);
		ASSERT_EQ(1, ring_submit(&self->r));
		ring_quiet(&self->r, 5);
		prep_cancel(&self->r, 1, 0, 2);
		ASSERT_EQ(1, ring_submit(&self->r));
		reap_by_key(_metadata, &self->r, 2, res);
		ASSERT_EQ(3, write(t.p[1], "abc", 3));
		ASSERT_EQ(0, fcntl(t.p[0], F_SETFL, O_NONBLOCK));
		CHECK_EQ(3, read(t.p[0], b, 8), "%s", WAIT[kind]);
		EXPECT_TRUE(ring_quiet(&self->r, 5));
		drop_target(&t);
	}
}

TEST_F(cancel, nothing_matches_is_enoent)
{
	struct target t;
	int p[2];

	ASSERT_EQ(0, pipe(p));
	prep_target(_metadata, &self->r, &t, PIPE, 1);
	ASSERT_EQ(1, ring_submit(&self->r));
	prep_cancel(&self->r, 99, 0, 2);
	EXPECT_EQ(-ENOENT, ring_run(&self->r));
	prep_cancel(&self->r, 99, ARING_ASYNC_CANCEL_USERDATA, 2);
	EXPECT_EQ(-ENOENT, ring_run(&self->r));
	prep_cancel_fd(&self->r, p[0], 1, 0, 2);
	EXPECT_EQ(-ENOENT, ring_run(&self->r));
	prep_cancel_fd(&self->r, p[0], 1, ARING_ASYNC_CANCEL_USERDATA, 2);
	EXPECT_EQ(-ENOENT, ring_run(&self->r));
	/* a cancel never finds itself */
	prep_cancel(&self->r, 2, 0, 2);
	EXPECT_EQ(-ENOENT, ring_run(&self->r));
	prep_cancel(&self->r, 99, ARING_ASYNC_CANCEL_ALL, 2);
	EXPECT_EQ(0, ring_run(&self->r));
	prep_cancel_fd(&self->r, p[0], 99, ARING_ASYNC_CANCEL_ALL, 2);
	EXPECT_EQ(0, ring_run(&self->r));
	prep_cancel(&self->r, 1, 0, 2);
	ASSERT_EQ(1, ring_submit(&self->r));
	ASSERT_EQ(0, ring_wait(&self->r, 2));
}

TEST_F(cancel, what_is_done_is_enoent_and_ahead)
{
	struct aring_cqe cqe;

	prep_nop(&self->r, 1);
	prep_cancel(&self->r, 1, 0, 2);
	ASSERT_EQ(2, ring_submit(&self->r));
	ASSERT_EQ(0, ring_cqe(&self->r, &cqe));
	EXPECT_EQ(1, cqe.user_data);
	EXPECT_EQ(0, cqe.res);
	ASSERT_EQ(0, ring_cqe(&self->r, &cqe));
	EXPECT_EQ(2, cqe.user_data);
	EXPECT_EQ(-ENOENT, cqe.res);
	/* the same with its CQE not reaped, later on */
	prep_nop(&self->r, 1);
	ASSERT_EQ(1, ring_submit(&self->r));
	prep_cancel(&self->r, 1, ARING_ASYNC_CANCEL_ALL, 2);
	ASSERT_EQ(1, ring_submit(&self->r));
	ASSERT_EQ(0, ring_cqe(&self->r, &cqe));
	EXPECT_EQ(1, cqe.user_data);
	ASSERT_EQ(0, ring_cqe(&self->r, &cqe));
	EXPECT_EQ(0, cqe.res);
}

TEST_F(cancel, by_descriptor_means_its_file)
{
	struct target t;
	int res[KEYS], copy;

	for (int kind = PIPE; kind < WAITS; kind++) {
		int end = kind == PIPE_WRITE;

		prep_target(_metadata, &self->r, &t, kind, 1);
		ASSERT_EQ(1, ring_submit(&self->r));
		ring_quiet(&self->r, 5);
		/* the other end is another file */
		prep_cancel_fd(&self->r, t.p[!end], 0, 0, 3);
		CHECK_EQ(-ENOENT, ring_run(&self->r), "%s", WAIT[kind]);
		copy = dup(t.p[end]);
		close(t.p[end]);
		t.p[end] = -1;
		prep_cancel_fd(&self->r, copy, 12345, 0, 2);
		ASSERT_EQ(1, ring_submit(&self->r));
		reap_by_key(_metadata, &self->r, 2, res);
		CHECK_EQ(0, res[2], "%s", WAIT[kind]);
		CHECK_EQ(-ECANCELED, res[1], "%s", WAIT[kind]);
		close(copy);
		drop_target(&t);
	}
}

TEST_F(cancel, all_of_a_user_data_are_counted)
{
	struct aring_cqe cqe;
	struct target t[5];
	int canceled = 0, verdict = RES_NONE;

	for (int i = 0; i < 5; i++)
		prep_target(_metadata, &self->r, &t[i], i == 4 ? SOCKET :
			    i == 3 ? TIMER : PIPE, i == 1 ? 8 : 7);
	ASSERT_EQ(5, ring_submit(&self->r));
	ring_quiet(&self->r, 10);
	prep_cancel(&self->r, 7, ARING_ASYNC_CANCEL_ALL, 2);
	ASSERT_EQ(1, ring_submit(&self->r));
	for (int i = 0; i < 5; i++) {
		ASSERT_EQ(0, ring_cqe(&self->r, &cqe));
		if (cqe.user_data == 2)
			verdict = cqe.res;
		else if (cqe.user_data == 7 && cqe.res == -ECANCELED)
			canceled++;
	}
	EXPECT_EQ(4, verdict);
	EXPECT_EQ(4, canceled);
	EXPECT_TRUE(ring_quiet(&self->r, 10));
}

TEST_F(cancel, all_of_a_file_are_counted)
{
	int res[KEYS], a[2], b[2];
	char buf[8];

	ASSERT_EQ(0, pipe(a));
	ASSERT_EQ(0, pipe(b));
	for (int i = 0; i < 6; i++)
		prep_read(&self->r, i & 1 ? a[0] : b[0], buf, 1, 0, i);
	ASSERT_EQ(6, ring_submit(&self->r));
	ring_quiet(&self->r, 10);
	prep_cancel_fd(&self->r, a[0], 0, ARING_ASYNC_CANCEL_ALL, 10);
	ASSERT_EQ(1, ring_submit(&self->r));
	reap_by_key(_metadata, &self->r, 4, res);
	EXPECT_EQ(3, res[10]);
	for (int i = 0; i < 6; i++)
		CHECK_EQ(i & 1 ? -ECANCELED : RES_NONE, res[i], "read %d", i);
}

TEST_F(cancel, any_takes_everything)
{
	struct target t[WAITS];
	int res[KEYS];

	prep_cancel(&self->r, 0, ARING_ASYNC_CANCEL_ANY, 10);
	EXPECT_EQ(0, ring_run(&self->r));
	for (int flags = 0; flags < 2; flags++) {
		for (int i = 0; i < WAITS; i++)
			prep_target(_metadata, &self->r, &t[i], i, i);
		ASSERT_EQ(WAITS, ring_submit(&self->r));
		ring_quiet(&self->r, 10);
		prep_cancel(&self->r, 12345, ARING_ASYNC_CANCEL_ANY |
			    (flags ? ARING_ASYNC_CANCEL_ALL : 0), 10);
		ASSERT_EQ(1, ring_submit(&self->r));
		reap_by_key(_metadata, &self->r, WAITS + 1, res);
		EXPECT_EQ(WAITS, res[10]);
		for (int i = 0; i < WAITS; i++) {
			CHECK_EQ(-ECANCELED, res[i], "%s", WAIT[i]);
			drop_target(&t[i]);
		}
	}
}

TEST_F(cancel, a_user_data_in_use_twice_goes_one_by_one)
{
	struct target t[3];
	int verdicts[4] = { 0 }, canceled = 0;
	struct aring_cqe cqe;

	for (int i = 0; i < 3; i++)
		prep_target(_metadata, &self->r, &t[i], SOCKET, 7);
	ASSERT_EQ(3, ring_submit(&self->r));
	for (int i = 0; i < 4; i++) {
		int want = i < 3 ? 2 : 1;

		prep_cancel(&self->r, 7, 0, 2);
		ASSERT_EQ(1, ring_submit(&self->r));
		for (int k = 0; k < want; k++) {
			ASSERT_EQ(0, ring_cqe(&self->r, &cqe));
			if (cqe.user_data == 2)
				verdicts[i] = cqe.res;
			else if (cqe.res == -ECANCELED)
				canceled++;
		}
		EXPECT_EQ(0, ring_ready(&self->r));
	}
	EXPECT_EQ(0, verdicts[0] | verdicts[1] | verdicts[2]);
	EXPECT_EQ(-ENOENT, verdicts[3]);
	EXPECT_EQ(3, canceled);
}

TEST_F(cancel, another_ring_is_not_searched)
{
	struct target t;
	struct ring b;

	ASSERT_EQ(0, ring_init(&b, variant->backend, 8, 0));
	prep_target(_metadata, &self->r, &t, PIPE, 1);
	ASSERT_EQ(1, ring_submit(&self->r));
	ring_quiet(&self->r, 5);
	prep_cancel(&b, 1, 0, 2);
	EXPECT_EQ(-ENOENT, ring_run(&b));
	prep_cancel(&b, 1, ARING_ASYNC_CANCEL_ANY, 2);
	EXPECT_EQ(0, ring_run(&b));
	EXPECT_EQ(0, ring_ready(&self->r));
	ring_exit(&b);
}

TEST_F(cancel, skip_success)
{
	struct target t;
	int res[KEYS];

	/* a cancel that succeeds is not seen, and its target is */
	prep_target(_metadata, &self->r, &t, SOCKET, 1);
	self->r.sqes[(self->r.tail - 1) & 63].flags =
		ARING_SQE_CQE_SKIP_SUCCESS;
	ASSERT_EQ(1, ring_submit(&self->r));
	prep_cancel(&self->r, 1, 0, 2)->flags = ARING_SQE_CQE_SKIP_SUCCESS;
	ASSERT_EQ(1, ring_submit(&self->r));
	reap_by_key(_metadata, &self->r, 1, res);
	EXPECT_EQ(-ECANCELED, res[1]);
	EXPECT_TRUE(ring_quiet(&self->r, 10));
	prep_cancel(&self->r, 1, 0, 3)->flags = ARING_SQE_CQE_SKIP_SUCCESS;
	EXPECT_EQ(-ENOENT, ring_run(&self->r));
	EXPECT_TRUE(ring_quiet(&self->r, 10));
}

TEST_F(cancel, bad_cancels_are_refused)
{
	struct ring *r = &self->r;
	struct aring_sqe *s;

	for (int bit = 6; bit < 31; bit++) {
		prep_cancel(r, 1, 1U << bit, 2);
		CHECK_EQ(-EINVAL, ring_run(r), "flag %d", bit);
	}
	prep_cancel(r, 1, 0, 2)->off = 1;
	EXPECT_EQ(-EINVAL, ring_run(r));
	prep_cancel(r, 1, 0, 2)->splice_fd_in = 1;
	EXPECT_EQ(-EINVAL, ring_run(r));
	prep_cancel(r, 1, 0, 2)->ioprio = 1;
	EXPECT_EQ(-EINVAL, ring_run(r));
	prep_cancel_fd(r, 0, 0, ARING_ASYNC_CANCEL_ANY, 2);
	EXPECT_EQ(-EINVAL, ring_run(r));
	s = prep_cancel(r, 1, ARING_ASYNC_CANCEL_ANY | ARING_ASYNC_CANCEL_OP,
			2);
	s->len = ARING_OP_READ;
	EXPECT_EQ(-EINVAL, ring_run(r));
	prep_cancel_fd(r, -1, 0, 0, 2);
	EXPECT_EQ(-EBADF, ring_run(r));
	prep_cancel_fd(r, 12345, 0, ARING_ASYNC_CANCEL_ALL, 2);
	EXPECT_EQ(-EBADF, ring_run(r));
}

static int sync_cancel(struct ring *r, __u64 addr, int fd, __u32 flags,
		       __s64 timeout_ms)
{
	struct aring_sync_cancel_reg reg = {
		.addr = addr, .fd = fd, .flags = flags,
		.timeout = { -1, -1 },
	};

	if (timeout_ms >= 0)
		reg.timeout = to_ts(ms(timeout_ms));
	return ring_register(r, ARING_REGISTER_SYNC_CANCEL, &reg, 1);
}

TEST_F(cancel, sync_cancel_of_what_waits)
{
	struct target t[WAITS];
	int res[KEYS];

	for (int kind = 0; kind < WAITS; kind++) {
		prep_target(_metadata, &self->r, &t[kind], kind, 1);
		ASSERT_EQ(1, ring_submit(&self->r));
		ring_quiet(&self->r, 5);
		CHECK_EQ(0, sync_cancel(&self->r, 1, -1, 0, -1), "%s",
			 WAIT[kind]);
		reap_by_key(_metadata, &self->r, 1, res);
		CHECK_EQ(-ECANCELED, res[1], "%s", WAIT[kind]);
		CHECK_EQ(-ENOENT, sync_cancel(&self->r, 1, -1, 0, 10), "%s",
			 WAIT[kind]);
		drop_target(&t[kind]);
	}
	for (int i = 0; i < 4; i++)
		prep_target(_metadata, &self->r, &t[i], PIPE + i % 2, i);
	ASSERT_EQ(4, ring_submit(&self->r));
	ring_quiet(&self->r, 5);
	EXPECT_EQ(0, sync_cancel(&self->r, 0, t[2].p[0],
				 ARING_ASYNC_CANCEL_FD, -1));
	EXPECT_EQ(3, sync_cancel(&self->r, 0, -1, ARING_ASYNC_CANCEL_ANY, -1));
	EXPECT_EQ(0, sync_cancel(&self->r, 0, -1, ARING_ASYNC_CANCEL_ANY, -1));
	reap_by_key(_metadata, &self->r, 4, res);
	for (int i = 0; i < 4; i++)
		EXPECT_EQ(-ECANCELED, res[i]);
}

TEST_F(cancel, bad_sync_cancels_are_refused)
{
	struct aring_sync_cancel_reg reg = { .timeout = { -1, -1 } };
	struct ring *r = &self->r;

	EXPECT_EQ(-EINVAL, ring_register(r, 24, NULL, 1));
	EXPECT_EQ(-EINVAL, ring_register(r, 24, &reg, 0));
	EXPECT_EQ(-EINVAL, ring_register(r, 24, &reg, 2));
	EXPECT_EQ(-EFAULT, ring_register(r, 24, (void *)8, 1));
	for (int i = 0; i < 4; i++) {
		memset(&reg.pad, 0, sizeof(reg.pad));
		reg.pad[i] = 1;
		EXPECT_EQ(-EINVAL, ring_register(r, 24, &reg, 1));
	}
	for (int bit = 6; bit < 31; bit++)
		CHECK_EQ(-EINVAL, sync_cancel(r, 1, -1, 1U << bit, 0),
			 "flag %d", bit);
	EXPECT_EQ(-EBADF, sync_cancel(r, 1, -1, ARING_ASYNC_CANCEL_FD, 0));
	EXPECT_EQ(-EBADF, sync_cancel(r, 1, 12345, ARING_ASYNC_CANCEL_FD, 0));
	EXPECT_EQ(-ENOENT, sync_cancel(r, 1, -1, 0, 0));
}

/* What has started: writes to a frozen file system stand still in a worker. */
FIXTURE(started) {
	struct ring r;
	int dir, fd;
};

RING_VARIANTS(started);

FIXTURE_SETUP(started)
{
	const char *dir = disk_ext4("frozen", 32);
	char path[128];

	ASSERT_NE(NULL, dir);
	self->dir = open(dir, O_RDONLY | O_DIRECTORY);
	ASSERT_GE(self->dir, 0);
	disk_thaw(self->dir);
	snprintf(path, sizeof(path), "%s/cancel", dir);
	self->fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	ASSERT_GE(self->fd, 0);
	ASSERT_EQ(0, ring_init(&self->r, variant->backend, 64, 0));
}

FIXTURE_TEARDOWN(started)
{
	disk_thaw(self->dir);
	ring_exit(&self->r);
}

TEST_F_TIMEOUT(started, is_ealready_and_ends_on_its_own, 60)
{
	int res[KEYS];

	ASSERT_EQ(0, disk_freeze(self->dir));
	prep_write(&self->r, self->fd, "abc", 3, 0, 1);
	ASSERT_EQ(1, ring_submit(&self->r));
	EXPECT_TRUE(ring_wait_started(&self->r, 1));
	for (int i = 0; i < 3; i++) {
		prep_cancel(&self->r, 1, 0, 10 + i);
		EXPECT_EQ(-EALREADY, ring_run(&self->r));
	}
	prep_cancel_fd(&self->r, self->fd, 0, 0, 10);
	EXPECT_EQ(-EALREADY, ring_run(&self->r));
	EXPECT_TRUE(ring_quiet(&self->r, 10));
	ASSERT_EQ(0, disk_thaw(self->dir));
	reap_by_key(_metadata, &self->r, 1, res);
	EXPECT_EQ(3, res[1]);
	/* io_uring's worker may still have it in its hands */
	if (variant->backend == DEVICE) {
		prep_cancel(&self->r, 1, 0, 10);
		EXPECT_EQ(-ENOENT, ring_run(&self->r));
	}
}

TEST_F_TIMEOUT(started, sync_cancel_waits_or_runs_out, 60)
{
	int res[KEYS];
	__u64 start;

	ASSERT_EQ(0, disk_freeze(self->dir));
	prep_write(&self->r, self->fd, "abc", 3, 0, 1);
	ASSERT_EQ(1, ring_submit(&self->r));
	EXPECT_TRUE(ring_wait_started(&self->r, 1));
	EXPECT_EQ(-ETIME, sync_cancel(&self->r, 1, -1, 0, 0));
	start = now_ns();
	EXPECT_EQ(-ETIME, sync_cancel(&self->r, 1, -1, 0, 30));
	EXPECT_GE(now_ns() - start, ms(30));
	if (fork() == 0) {
		usleep(50000);
		disk_thaw(self->dir);
		_exit(0);
	}
	/* it comes back when the request is over, however it ended */
	EXPECT_EQ(0, sync_cancel(&self->r, 1, -1, 0, -1));
	reap_by_key(_metadata, &self->r, 1, res);
	EXPECT_EQ(3, res[1]);
	if (variant->backend == DEVICE)
		EXPECT_EQ(-ENOENT, sync_cancel(&self->r, 1, -1, 0, -1));
	wait(NULL);
}

static void on_alarm(int sig)
{
	(void)sig;
}

TEST_F_TIMEOUT(started, a_signal_ends_sync_cancel, 60)
{
	struct sigaction sa = { .sa_handler = on_alarm };
	struct itimerval it = { .it_value = { 0, 50000 } };
	int res[KEYS];

	ASSERT_EQ(0, sigaction(SIGALRM, &sa, NULL));
	ASSERT_EQ(0, disk_freeze(self->dir));
	prep_write(&self->r, self->fd, "abc", 3, 0, 1);
	ASSERT_EQ(1, ring_submit(&self->r));
	EXPECT_TRUE(ring_wait_started(&self->r, 1));
	ASSERT_EQ(0, setitimer(ITIMER_REAL, &it, NULL));
	EXPECT_EQ(-EINTR, sync_cancel(&self->r, 1, -1, 0, -1));
	ASSERT_EQ(0, disk_thaw(self->dir));
	reap_by_key(_metadata, &self->r, 1, res);
	EXPECT_EQ(3, res[1]);
}

TEST_F_TIMEOUT(started, many_writes_each_by_its_pair, 60)
{
	enum { N = 10 };
	int res[KEYS];

	ASSERT_EQ(0, disk_freeze(self->dir));
	for (int i = 0; i < N; i++)
		prep_write(&self->r, self->fd, "abc", 3, 3 * i, i);
	ASSERT_EQ(N, ring_submit(&self->r));
	ring_quiet(&self->r, 100 * test_slow());
	for (int i = 0; i < N; i++)
		prep_cancel(&self->r, i, 0, N + i);
	ASSERT_EQ(N, ring_submit(&self->r));
	ASSERT_EQ(0, ring_wait(&self->r, N));
	ASSERT_EQ(0, disk_thaw(self->dir));
	reap_by_key(_metadata, &self->r, 2 * N, res);
	for (int i = 0; i < N; i++) {
		/* io_uring may say EALREADY of what it had not begun */
		CHECK_TRUE((res[N + i] == 0 && res[i] == -ECANCELED) ||
			   (res[N + i] == -EALREADY && res[i] == 3) ||
			   (res[N + i] == -EALREADY && res[i] == -ECANCELED &&
			    variant->backend == IO_URING),
			   "write %d: cancel %d, target %d", i, res[N + i],
			   res[i]);
	}
}

/* What only the device has. */
DEVICE_FIXTURE(ticket);

TEST_F(ticket, names_what_was_submitted_there)
{
	for (int kind = 0; kind < WAITS; kind++) {
		struct target t[3];
		struct aring_cqe cqe;
		int seen = 0;
		__u32 first;

		/* three of one user_data: only a ticket tells them apart */
		first = self->r.tail;
		for (int i = 0; i < 3; i++)
			prep_target(_metadata, &self->r, &t[i], kind, 7);
		ASSERT_EQ(3, ring_submit(&self->r));
		ring_quiet(&self->r, 5);
		prep_cancel(&self->r, first + 1, ARING_ASYNC_CANCEL_TICKET, 2);
		ASSERT_EQ(1, ring_submit(&self->r));
		for (int i = 0; i < 2; i++) {
			ASSERT_EQ(0, ring_cqe(&self->r, &cqe));
			if (cqe.user_data == 2 && cqe.res == 0)
				seen |= 1;
			else if (cqe.user_data == 7 && cqe.res == -ECANCELED)
				seen |= 2;
		}
		CHECK_EQ(3, seen, "%s", WAIT[kind]);
		if (kind == PIPE || kind == SOCKET) {
			for (int i = 0; i < 3; i++)
				ASSERT_EQ(2, write(t[i].p[1], "ab", 2));
			ASSERT_EQ(0, ring_wait(&self->r, 2));
			EXPECT_STREQ("ab", t[0].b);
			EXPECT_STREQ("", t[1].b);
			EXPECT_STREQ("ab", t[2].b);
		} else {
			prep_cancel(&self->r, first + 2,
				    ARING_ASYNC_CANCEL_TICKET, 2);
			prep_cancel(&self->r, first,
				    ARING_ASYNC_CANCEL_TICKET, 2);
			ASSERT_EQ(2, ring_submit(&self->r));
			ASSERT_EQ(0, ring_wait(&self->r, 4));
		}
		while (ring_reap(&self->r, &cqe))
			if (cqe.user_data == 2)
				CHECK_EQ(0, cqe.res, "%s", WAIT[kind]);
		for (int i = 0; i < 3; i++)
			drop_target(&t[i]);
	}
}

TEST_F(ticket, of_what_is_gone_or_never_was)
{
	__u32 pos = self->r.tail;
	struct aring_cqe cqe;

	prep_nop(&self->r, 1);
	ASSERT_EQ(0, ring_run(&self->r));
	prep_cancel(&self->r, pos, ARING_ASYNC_CANCEL_TICKET, 2);
	EXPECT_EQ(-ENOENT, ring_run(&self->r));
	/* its own, and one in the future */
	prep_cancel(&self->r, self->r.tail, ARING_ASYNC_CANCEL_TICKET, 2);
	EXPECT_EQ(-ENOENT, ring_run(&self->r));
	prep_cancel(&self->r, self->r.tail + 1000, ARING_ASYNC_CANCEL_TICKET,
		    2);
	EXPECT_EQ(-ENOENT, ring_run(&self->r));
	/* its own, when it has waited in a chain and is in the tables */
	prep_nop(&self->r, 1)->flags = ARING_SQE_IO_LINK;
	prep_cancel(&self->r, self->r.tail, ARING_ASYNC_CANCEL_TICKET, 2);
	ASSERT_EQ(2, ring_submit(&self->r));
	ASSERT_EQ(0, ring_cqe(&self->r, &cqe));
	EXPECT_EQ(0, cqe.res);
	ASSERT_EQ(0, ring_cqe(&self->r, &cqe));
	EXPECT_EQ(2, cqe.user_data);
	EXPECT_EQ(-ENOENT, cqe.res);
}

TEST_F(ticket, has_32_bits)
{
	struct target t;
	__u64 pos = self->r.tail;
	struct aring_cqe cqe;

	prep_target(_metadata, &self->r, &t, SOCKET, 1);
	ASSERT_EQ(1, ring_submit(&self->r));
	/* whether refused or not found: it is not that request */
	prep_cancel(&self->r, pos | 1ULL << 32, ARING_ASYNC_CANCEL_TICKET, 2);
	EXPECT_NE(0, ring_run(&self->r));
	prep_cancel(&self->r, pos, ARING_ASYNC_CANCEL_TICKET, 2);
	ASSERT_EQ(1, ring_submit(&self->r));
	ASSERT_EQ(0, ring_wait(&self->r, 2));
	while (ring_reap(&self->r, &cqe))
		EXPECT_EQ(cqe.user_data == 2 ? 0 : -ECANCELED, cqe.res);
}

TEST_F(ticket, works_for_sync_cancel)
{
	struct target t[2];
	struct aring_cqe cqe;
	__u32 pos = self->r.tail;

	prep_target(_metadata, &self->r, &t[0], SOCKET, 1);
	prep_target(_metadata, &self->r, &t[1], SOCKET, 1);
	ASSERT_EQ(2, ring_submit(&self->r));
	EXPECT_EQ(0, sync_cancel(&self->r, pos + 1, -1,
				 ARING_ASYNC_CANCEL_TICKET, -1));
	ASSERT_EQ(0, ring_cqe(&self->r, &cqe));
	EXPECT_EQ(-ECANCELED, cqe.res);
	EXPECT_EQ(-ENOENT, sync_cancel(&self->r, pos + 1, -1,
				       ARING_ASYNC_CANCEL_TICKET, -1));
	ASSERT_EQ(2, write(t[0].p[1], "ab", 2));
	ASSERT_EQ(0, ring_cqe(&self->r, &cqe));
	EXPECT_EQ(2, cqe.res);
}

TEST_F(ticket, counts_on_past_2_to_the_32)
{
	struct aring_params p = {
		.flags = ARING_SETUP_FIRST_INDEX, .first_index = UINT_MAX - 1,
	};
	struct target t[4];
	int res[KEYS];
	struct ring r;

	ASSERT_EQ(0, ring_init_params(&r, DEVICE, 8, &p));
	for (int i = 0; i < 4; i++)
		prep_target(_metadata, &r, &t[i], SOCKET, i);
	ASSERT_EQ(4, ring_submit(&r));
	for (int i = 0; i < 4; i++)
		prep_cancel(&r, (__u32)(UINT_MAX - 1 + i),
			    ARING_ASYNC_CANCEL_TICKET, 10 + i);
	ASSERT_EQ(4, ring_submit(&r));
	reap_by_key(_metadata, &r, 8, res);
	for (int i = 0; i < 4; i++) {
		CHECK_EQ(-ECANCELED, res[i], "request %d", i);
		CHECK_EQ(0, res[10 + i], "cancel %d", i);
	}
	ring_exit(&r);
}

DEVICE_FIXTURE(device);

/*
 * io_uring of 6.1 takes both flags below and looks at neither where a request
 * waits for a file to become ready.
 */
TEST_F(device, by_descriptor_and_user_data)
{
	struct aring_cqe cqe;
	int a[2], b[2], res[KEYS];
	char buf[64];

	ASSERT_EQ(0, pipe(a));
	ASSERT_EQ(0, pipe(b));
	prep_read(&self->r, a[0], buf, 1, 0, 1);
	prep_read(&self->r, a[0], buf, 1, 0, 2);
	prep_read(&self->r, b[0], buf, 1, 0, 3);
	prep_read(&self->r, b[0], buf, 1, 0, 2);
	ASSERT_EQ(4, ring_submit(&self->r));
	ring_quiet(&self->r, 5);
	prep_cancel_fd(&self->r, a[0], 99, ARING_ASYNC_CANCEL_USERDATA, 10);
	EXPECT_EQ(-ENOENT, ring_run(&self->r));
	prep_cancel_fd(&self->r, a[0], 3, ARING_ASYNC_CANCEL_USERDATA, 10);
	EXPECT_EQ(-ENOENT, ring_run(&self->r));
	prep_cancel_fd(&self->r, a[0], 2, ARING_ASYNC_CANCEL_USERDATA, 10);
	ASSERT_EQ(1, ring_submit(&self->r));
	reap_by_key(_metadata, &self->r, 2, res);
	EXPECT_EQ(0, res[10]);
	EXPECT_EQ(-ECANCELED, res[2]);
	/* it was the one of the pipe that was named: the other still reads */
	ASSERT_EQ(2, write(b[1], "xy", 2));
	for (int i = 0; i < 2; i++) {
		ASSERT_EQ(0, ring_cqe(&self->r, &cqe));
		EXPECT_EQ(1, cqe.res);
		EXPECT_TRUE(cqe.user_data == 2 || cqe.user_data == 3);
	}
	ASSERT_EQ(1, write(a[1], "x", 1));
	ASSERT_EQ(0, ring_cqe(&self->r, &cqe));
	EXPECT_EQ(1, cqe.user_data);
	EXPECT_EQ(1, cqe.res);
}

TEST_F(device, by_opcode)
{
	struct target t[3];
	int res[KEYS];

	prep_target(_metadata, &self->r, &t[0], SOCKET, 1);
	prep_target(_metadata, &self->r, &t[1], SOCKET_V, 2);
	prep_target(_metadata, &self->r, &t[2], SOCKET, 3);
	ASSERT_EQ(3, ring_submit(&self->r));
	ring_quiet(&self->r, 5);
	prep_cancel(&self->r, 0, ARING_ASYNC_CANCEL_OP, 10)->len =
		ARING_OP_WRITE;
	EXPECT_EQ(-ENOENT, ring_run(&self->r));
	prep_cancel(&self->r, 1, ARING_ASYNC_CANCEL_OP, 10)->len =
		ARING_OP_TIMEOUT;
	EXPECT_EQ(-ENOENT, ring_run(&self->r));
	prep_cancel(&self->r, 0, ARING_ASYNC_CANCEL_OP, 10)->len =
		ARING_OP_READV;
	ASSERT_EQ(1, ring_submit(&self->r));
	reap_by_key(_metadata, &self->r, 2, res);
	EXPECT_EQ(0, res[10]);
	EXPECT_EQ(-ECANCELED, res[2]);
	/* with user_data as well */
	prep_cancel(&self->r, 3, ARING_ASYNC_CANCEL_OP |
		    ARING_ASYNC_CANCEL_USERDATA, 10)->len = ARING_OP_READV;
	EXPECT_EQ(-ENOENT, ring_run(&self->r));
	prep_cancel(&self->r, 3, ARING_ASYNC_CANCEL_OP |
		    ARING_ASYNC_CANCEL_USERDATA, 10)->len = ARING_OP_READ;
	ASSERT_EQ(1, ring_submit(&self->r));
	reap_by_key(_metadata, &self->r, 2, res);
	EXPECT_EQ(0, res[10]);
	EXPECT_EQ(-ECANCELED, res[3]);
	prep_cancel(&self->r, 0, ARING_ASYNC_CANCEL_OP |
		    ARING_ASYNC_CANCEL_ALL, 10)->len = ARING_OP_READ;
	ASSERT_EQ(1, ring_submit(&self->r));
	reap_by_key(_metadata, &self->r, 2, res);
	EXPECT_EQ(1, res[10]);
	EXPECT_EQ(-ECANCELED, res[1]);
}

TEST_F(device, absent_flag_is_einval)
{
	prep_cancel(&self->r, 1, 1 << 6, 2);
	EXPECT_EQ(-EINVAL, ring_run(&self->r));
	EXPECT_EQ(-EINVAL, sync_cancel(&self->r, 1, -1, 1 << 6, 0));
}

TEST_F(device, direct_io_has_exact_verdicts)
{
	unsigned int n = test_scale(2000, 200), count[3] = { 0 };
	int fd = open(NULLB, O_RDONLY | O_DIRECT);
	static char buf[8192] __attribute__((aligned(4096)));
	struct aring_cqe cqe;

	ASSERT_GE(fd, 0);
	for (unsigned int i = 0; i < n; i++) {
		int target = RES_NONE, verdict = RES_NONE;

		prep_read(&self->r, fd, buf, 4096, 0, 1);
		prep_cancel(&self->r, 1, 0, 2);
		ASSERT_EQ(2, ring_submit(&self->r));
		for (int k = 0; k < 2; k++) {
			ASSERT_EQ(0, ring_cqe(&self->r, &cqe));
			if (cqe.user_data == 1)
				target = cqe.res;
			else
				verdict = cqe.res;
			/* gone means that its completion is ahead */
			if (verdict == -ENOENT)
				NEED_EQ(4096, target, "round %u", i);
		}
		NEED_TRUE((verdict == 0 && target == -ECANCELED) ||
			  (verdict == -EALREADY && target == 4096) ||
			  (verdict == -ENOENT && target == 4096),
			  "cancel %d, target %d", verdict, target);
		count[verdict == 0 ? 0 : verdict == -EALREADY ? 1 : 2]++;
	}
	printf("# taken back %u, started %u, gone %u\n", count[0], count[1],
	       count[2]);
}

TEST_F(device, bad_cancels_print_nothing)
{
	int log = kmsg_mark();

	ASSERT_GE(log, 0);
	for (int bit = 0; bit < 32; bit++) {
		prep_cancel(&self->r, -1ULL, 1U << bit, 1)->fd = -1;
		EXPECT_NE(RES_NONE, ring_run(&self->r));
		sync_cancel(&self->r, -1ULL, -1, 1U << bit, 0);
	}
	EXPECT_EQ(0, kmsg_count(log));
	close(log);
}

RING_TEST_MAIN
