// SPDX-License-Identifier: MIT
/*
 * LINK_TIMEOUT: what is refused, how one is changed, what comes too late, and
 * races between a target that ends and the time that runs out.
 */
#include "linktimeout.h"
#include "disk.h"
#include "duel.h"

RING_FIXTURE(linklate);

/* --- what is refused ----------------------------------------------------- */

TEST_F(linklate, without_a_target)
{
	struct ring *r = &self->r;

	prep_link_timeout(r, &far, 0, 1);
	prep_nop(r, 2);
	ASSERT_EQ(1, ring_submit(r));
	SEE(r, { 1, -EINVAL });
	ASSERT_EQ(1, ring_submit(r));
	SEE(r, { 2, 0 });
	prep_link_timeout(r, &far, 0, 1)->flags = LINK;
	prep_nop(r, 2)->flags = HARD;
	prep_nop(r, 3);
	prep_nop(r, 4);
	ASSERT_EQ(4, ring_submit(r));
	SEE_SET(r, { 1, -EINVAL }, { 2, -ECANCELED }, { 3, -ECANCELED },
		{ 4, 0 });
	/* the chain before it is over, by its flags or by ENTER's count */
	prep_nop(r, 1)->flags = LINK;
	prep_nop(r, 2);
	prep_link_timeout(r, &far, 0, 3);
	ASSERT_EQ(3, ring_submit(r));
	SEE_SET(r, { 1, 0 }, { 2, 0 }, { 3, -EINVAL });
	prep_nop(r, 1)->flags = LINK;
	prep_link_timeout(r, &far, 0, 2);
	ring_flush(r);
	ASSERT_EQ(1, ring_enter(r, 1, 0, 0, NULL, 0));
	ASSERT_EQ(1, ring_enter(r, 1, 0, 0, NULL, 0));
	SEE_SET(r, { 1, 0 }, { 2, -EINVAL });
}

TEST_F(linklate, two_in_a_row)
{
	struct ring *r = &self->r;

	prep_nop(r, 1)->flags = LINK;
	prep_link_timeout(r, &far, 0, 2)->flags = LINK;
	prep_link_timeout(r, &far, 0, 3)->flags = LINK;
	prep_nop(r, 4);
	prep_nop(r, 5);
	ASSERT_EQ(5, ring_submit(r));
	SEE_SET(r, { 1, -ECANCELED }, { 2, -ECANCELED }, { 3, -EINVAL },
		{ 4, -ECANCELED }, { 5, 0 });
}

TEST_F(linklate, with_a_link_from_a_hard_linked_target)
{
	struct ring *r = &self->r;
	struct target t;

	prep_target(_metadata, r, &t, PIPE, false, 1)->flags = HARD;
	prep_link_timeout(r, &soon, 0, 2);
	ASSERT_EQ(2, ring_submit(r));
	SEE(r, { 1, -ECANCELED }, { 2, -ETIME });
}

/* Each takes its chain with it, as any bad SQE does. */
TEST_F(linklate, bad_ones)
{
	struct __kernel_timespec neg[2] = { { -1, 0 }, { 0, -1 } };
	struct ring *r = &self->r;
	struct aring_sqe *s;

	for (int bad = 0; bad < 12; bad++) {
		int want = bad == 2 ? -EFAULT : -EINVAL;

		prep_nop(r, 1)->flags = HARD;
		s = prep_link_timeout(r, bad < 2 ? &neg[bad] : bad == 2 ?
				      (void *)8 : &far, 0, 2);
		switch (bad) {
		case 3:
			s->off = 1;
			break;
		case 4:
			s->len = 0;
			break;
		case 5:
			s->len = 2;
			break;
		case 6:
			s->timeout_flags = ARING_TIMEOUT_CLOCK_MASK;
			break;
		case 7:
			s->timeout_flags = ARING_LINK_TIMEOUT_UPDATE;
			break;
		case 8:
			s->timeout_flags = 1U << 6;
			break;
		case 9:
			s->buf_index = 1;
			break;
		case 10:
			s->splice_fd_in = 1;
			break;
		case 11:
			s->addr3 = 1;
			break;
		}
		NEED_EQ(2, ring_submit(r), "case %d", bad);
		SEE(r, { 1, -ECANCELED }, { 2, want });
		NEED_TRUE(_metadata->passed, "case %d", bad);
	}
	/* the time is looked at before the place in the chain */
	prep_link_timeout(r, (void *)8, 0, 1);
	ASSERT_EQ(1, ring_submit(r));
	SEE(r, { 1, -EFAULT });
}

/* --- changing and taking back a linked timeout --------------------------- */

static int update(struct ring *r, __u64 target,
		  const struct __kernel_timespec *ts, __u32 flags)
{
	struct aring_sqe *s = prep_remove(r, target, 100);

	s->addr2 = (uintptr_t)ts;
	s->timeout_flags = flags;
	return ring_run(r);
}

#define UPDATE	(ARING_TIMEOUT_UPDATE | ARING_LINK_TIMEOUT_UPDATE)

TEST_F(linklate, update)
{
	struct ring *r = &self->r;
	struct __kernel_timespec ts;
	struct target t;

	for (int abs = 0; abs < 2; abs++) {
		prep_target(_metadata, r, &t, PIPE, false, 1)->flags = LINK;
		prep_link_timeout(r, &far, 0, 2);
		ASSERT_EQ(2, ring_submit(r));
		EXPECT_EQ(0, update(r, 2, &far, UPDATE));
		EXPECT_TRUE(ring_quiet(r, 5));
		ts = abs ? clock_in(0, ms(10)) : soon;
		EXPECT_EQ(0, update(r, 2, &ts, UPDATE |
				    (abs ? ARING_TIMEOUT_ABS : 0)));
		SEE(r, { 1, -ECANCELED }, { 2, -ETIME });
		EXPECT_EQ(-ENOENT, update(r, 2, &soon, UPDATE));
		drop_target(&t);
		/* and to a later time */
		ts = to_ts(ms(200) * test_slow());
		prep_target(_metadata, r, &t, PIPE, false, 1)->flags = LINK;
		prep_link_timeout(r, &ts, 0, 2);
		ASSERT_EQ(2, ring_submit(r));
		EXPECT_EQ(0, update(r, 2, &far, UPDATE));
		EXPECT_TRUE(ring_quiet(r, 250 * test_slow()));
		feed_target(_metadata, &t);
		SEE(r, { 1, 1 }, { 2, -ECANCELED });
		drop_target(&t);
	}
}

TEST_F(linklate, an_update_of_the_wrong_kind)
{
	struct __kernel_timespec neg = { -1, 0 };
	struct ring *r = &self->r;
	struct target a, b;

	prep_target(_metadata, r, &a, PIPE, false, 1)->flags = LINK;
	prep_link_timeout(r, &far, 0, 2)->flags = LINK;
	prep_target(_metadata, r, &b, SOCKET, false, 3)->flags = LINK;
	prep_link_timeout(r, &far, 0, 4);
	prep_timeout(r, &far, 0, 0, 5);
	ASSERT_EQ(5, ring_submit(r));
	/* a linked one is not a timeout, nor the other way round */
	EXPECT_EQ(-ENOENT, update(r, 2, &soon, ARING_TIMEOUT_UPDATE));
	EXPECT_EQ(-ENOENT, update(r, 5, &soon, UPDATE));
	EXPECT_EQ(-ENOENT, update(r, 1, &soon, UPDATE));
	/* its time begins with its target */
	EXPECT_EQ(-ENOENT, update(r, 4, &soon, UPDATE));
	EXPECT_EQ(-ENOENT, update(r, 2, NULL, 0));
	EXPECT_EQ(-EINVAL, update(r, 2, &neg, UPDATE));
	EXPECT_EQ(-EFAULT, update(r, 2, (void *)8, UPDATE));
	EXPECT_EQ(-EINVAL, update(r, 2, &far, UPDATE |
				  ARING_TIMEOUT_BOOTTIME));
	/* of LINK_TIMEOUT_UPDATE alone 6.1 checks the time, and removes */
	EXPECT_EQ(-ENOENT, update(r, 2, &soon, ARING_LINK_TIMEOUT_UPDATE));
	EXPECT_EQ(-EINVAL, update(r, 5, &neg, ARING_LINK_TIMEOUT_UPDATE));
	EXPECT_TRUE(ring_quiet(r, 20));
	prep_remove(r, 5, 100)->timeout_flags = ARING_LINK_TIMEOUT_UPDATE;
	r->sqes[(r->tail - 1) & 63].addr2 = (uintptr_t)&soon;
	ASSERT_EQ(1, ring_submit(r));
	SEE_SET(r, { 100, 0 }, { 5, -ECANCELED });
}

/* A limit begins behind the first attempt: its own target does not find it yet. */
TEST_F(linklate, an_update_by_its_own_target)
{
	struct ring *r = &self->r;
	__u64 end;
	char b;
	int p[2];

	ASSERT_EQ(0, pipe(p));
	for (int entered = 0; entered < 2; entered++) {
		struct aring_sqe *s;

		prep_read(r, p[0], &b, 1, 0, 1)->flags = LINK;
		s = prep_remove(r, 3, 2);
		s->flags = LINK;
		s->addr2 = (uintptr_t)&far;
		s->timeout_flags = UPDATE;
		prep_link_timeout(r, &far, 0, 3);
		ASSERT_EQ(3, ring_submit(r));
		ASSERT_EQ(1, write(p[1], "x", 1));
		/* by a thread of the kernel, if nobody comes */
		end = now_ns() + ms(300) * test_slow();
		while (!entered && ring_ready(r) < 3 && now_ns() < end)
			usleep(1000);
		SEE(r, { 1, 1 }, { 2, -ENOENT }, { 3, -ECANCELED });
		CHECK_TRUE(_metadata->passed, "entered %d", entered);
	}
	close(p[0]);
	close(p[1]);
}

/* A cancel does not find a linked timeout, armed or not: only its target. */
TEST_F(linklate, a_cancel_of_it)
{
	struct ring *r = &self->r;
	struct aring_cqe cqe;
	struct target t;

	prep_target(_metadata, r, &t, PIPE, false, 1)->flags = LINK;
	prep_link_timeout(r, &far, 0, 2);
	ASSERT_EQ(2, ring_submit(r));
	prep_cancel(r, 2, 0, 100);
	EXPECT_EQ(-ENOENT, ring_run(r));
	prep_cancel(r, 2, ARING_ASYNC_CANCEL_ALL, 100);
	EXPECT_EQ(0, ring_run(r));
	EXPECT_TRUE(ring_quiet(r, 5));
	prep_cancel(r, 0, ARING_ASYNC_CANCEL_ANY, 100);
	ASSERT_EQ(1, ring_submit(r));
	for (int i = 0; i < 3; i++) {
		ASSERT_EQ(0, ring_cqe(r, &cqe));
		EXPECT_EQ(cqe.user_data == 100 ? 1 : -ECANCELED, cqe.res);
	}
	EXPECT_TRUE(ring_quiet(r, 5));
}

TEST_F(linklate, closing_with_one_armed)
{
	for (int kind = 0; kind < TARGETS; kind++) {
		struct target t;
		struct ring r;

		ASSERT_EQ(0, ring_init(&r, variant->backend, 8, 0));
		prep_target(_metadata, &r, &t, kind, false, 1)->flags |= LINK;
		prep_link_timeout(&r, kind & 1 ? &soon : &far, 0, 2)->flags =
			LINK;
		prep_nop(&r, 3);
		ASSERT_EQ(3, ring_submit(&r));
		close(t.fd[0]);
		ring_exit(&r);
		if (kind < POLL)
			CHECK_TRUE(readers_go(t.fd[1]), "%s",
				   TARGET[kind].name);
		close(t.fd[1]);
	}
}

/* --- too late ------------------------------------------------------------ */

/*
 * A write to a frozen file system has started: it ends on its own, and its
 * timeout says that it came too late.
 */
TEST_F_TIMEOUT(linklate, of_a_target_that_has_started, 60)
{
	const char *dir = disk_ext4("frozen", 32);
	struct ring *r = &self->r;
	struct aring_cqe cqe = { 0 };
	int dfd, fd;

	ASSERT_NE(NULL, dir);
	dfd = open(dir, O_RDONLY | O_DIRECTORY);
	disk_thaw(dfd);
	fd = openat(dfd, "linktimeout", O_RDWR | O_CREAT | O_TRUNC, 0600);
	ASSERT_GE(fd, 0);
	ASSERT_EQ(0, disk_freeze(dfd));
	prep_write(r, fd, "abc", 3, 0, 1)->flags = LINK;
	prep_link_timeout(r, &far, 0, 2)->flags = LINK;
	prep_nop(r, 3);
	ASSERT_EQ(3, ring_submit(r));
	EXPECT_TRUE(ring_wait_started(r, 1));
	EXPECT_EQ(0, update(r, 2, &soon, UPDATE));
	EXPECT_EQ(0, ring_cqe(r, &cqe));
	EXPECT_EQ(2, cqe.user_data);
	/* io_uring 6.1 looks for it everywhere, and forgets that it runs */
	EXPECT_EQ(variant->backend == DEVICE ? -EALREADY : -ENOENT, cqe.res);
	EXPECT_TRUE(ring_quiet(r, 10));
	ASSERT_EQ(0, disk_thaw(dfd));
	SEE(r, { 1, 3 }, { 3, 0 });
}

/* --- races --------------------------------------------------------------- */

#define BATCH 8

struct race {
	struct ring r;
	int kind, fd[BATCH][2];
	char b[BATCH];
	struct __kernel_timespec ts, own_ts[BATCH];
	unsigned int go, done, stop;
	__s64 delay;		/* of what ends the targets, in ns */
	__u64 round, seed;
	unsigned long own, fired, late;
};

static void *writer(void *arg)
{
	struct race *x = arg;
	unsigned int seen = 0;

	pin_to_cpu(1);
	while (!__atomic_load_n(&x->stop, __ATOMIC_RELAXED)) {
		__u64 end;

		if (__atomic_load_n(&x->go, __ATOMIC_ACQUIRE) == seen)
			continue;
		seen++;
		end = now_ns() + x->delay;
		while (now_ns() < end)
			;
		for (int i = 0; i < BATCH; i++)
			if (write(x->fd[i][1], "x", 1) != 1)
				abort();
		__atomic_store_n(&x->done, seen, __ATOMIC_RELEASE);
	}
	return NULL;
}

/* The results of a target and of its timeout; a message if they do not fit. */
static const char *judge(struct race *x, int target, int lt)
{
	int own = x->kind == TIMER ? -ETIME : 1;

	if (target == own) {
		x->own += lt == -ECANCELED;
		x->late += lt != -ECANCELED;
		/* io_uring may have let the target go when it looks for it */
		if (lt == -ETIME && x->r.backend == IO_URING)
			return NULL;
		return lt == -ECANCELED || lt == -EALREADY || lt == -ENOENT ?
		       NULL : "the target has its own result";
	}
	if (target != -ECANCELED)
		return "that is no result of the target";
	x->fired++;
	/* what waits for a peer may be met started, and then find nothing */
	if (lt == -EALREADY && x->kind != TIMER)
		return NULL;
	/* io_uring may say that it is not there of what its worker then drops */
	if (lt == -ENOENT && x->kind != TIMER && x->r.backend == IO_URING)
		return NULL;
	return lt == -ETIME ? NULL : "the target was taken back";
}

static void prep_round(struct race *x)
{
	for (int i = 0; i < BATCH; i++) {
		__u64 ud = x->round << 16 | i << 1;

		x->own_ts[i] = to_ts(x->delay + rnd(&x->seed) % 60000);
		if (x->kind == TIMER)
			prep_timeout(&x->r, &x->own_ts[i], 0, 0, ud);
		else
			prep_read(&x->r, x->fd[i][0], &x->b[i], 1, 0, ud);
		x->r.sqes[(x->r.tail - 1) & 63].flags = LINK;
		prep_link_timeout(&x->r, &x->ts, 0, ud | 1);
	}
}

static void one_round(struct __test_metadata *_metadata, struct race *x)
{
	unsigned long fired = x->fired;
	int res[2 * BATCH];
	struct aring_cqe cqe;

	x->round++;
	x->ts = to_ts(200000 + rnd(&x->seed) % 50000);
	prep_round(x);
	__atomic_store_n(&x->go, x->go + 1, __ATOMIC_RELEASE);
	NEED_EQ(2 * BATCH, ring_submit(&x->r), "round %llu", x->round);
	for (int i = 0; i < 2 * BATCH; i++)
		res[i] = RES_NONE;
	for (int i = 0; i < 2 * BATCH; i++) {
		unsigned int k;

		NEED_EQ(0, ring_cqe(&x->r, &cqe), "round %llu: %d completions",
			x->round, i);
		k = cqe.user_data & 0xffff;
		NEED_TRUE(cqe.user_data >> 16 == x->round && k < 2 * BATCH &&
			  res[k] == RES_NONE, "round %llu: completion %#llx",
			  x->round, cqe.user_data);
		res[k] = cqe.res;
	}
	while (__atomic_load_n(&x->done, __ATOMIC_ACQUIRE) != x->go)
		sched_yield();
	for (int i = 0; i < BATCH; i++) {
		const char *wrong = judge(x, res[2 * i], res[2 * i + 1]);
		char c;

		NEED_TRUE(!wrong, "target %d, timeout %d: %s", res[2 * i],
			  res[2 * i + 1], wrong);
		/* a byte that was not read, is there */
		if (x->kind == TIMER || res[2 * i] != 1) {
			NEED_TRUE(readable(x->fd[i][0]), "the data is gone");
			ASSERT_EQ(1, read(x->fd[i][0], &c, 1));
		}
	}
	/* aim at as many of the one as of the other */
	if (x->fired - fired < BATCH / 2)
		x->delay += 3000;
	else if (x->delay > 3000)
		x->delay -= 3000;
}

static void run_races(struct __test_metadata *_metadata, enum backend backend,
		      int kind)
{
	unsigned long rounds = test_scale(1000, 100), n = 0;
	struct race x = { .kind = kind, .delay = 100000, .seed = 1 };
	bool shown = false;
	pthread_t t;

	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		SKIP(return, "two CPUs are needed");
	ASSERT_EQ(0, ring_init(&x.r, backend, 64, 0));
	for (int i = 0; i < BATCH; i++) {
		int ret = kind == SOCKET ?
			  socketpair(AF_UNIX, SOCK_STREAM, 0, x.fd[i]) :
			  pipe(x.fd[i]);

		ASSERT_EQ(0, ret);
	}
	pin_to_cpu(0);
	ASSERT_EQ(0, pthread_create(&t, NULL, writer, &x));
	while (n < rounds || (!shown && n < 3 * rounds)) {
		one_round(_metadata, &x);
		n++;
		shown = (x.own + x.late) * 20 >= n * BATCH &&
			x.fired * 20 >= n * BATCH;
	}
	__atomic_store_n(&x.stop, 1, __ATOMIC_RELAXED);
	pthread_join(t, NULL);
	printf("# %s: %lu rounds of %d:", TARGET[kind].name, n, BATCH);
	printf(" in time %lu, taken back %lu, too late %lu\n", x.own, x.fired,
	       x.late);
	EXPECT_TRUE(ring_quiet(&x.r, 20));
	/* a race that always ends in the same way proves nothing */
	CHECK_TRUE(shown || test_slow() > 1, "too few of one end");
	ring_exit(&x.r);
}

TEST_F_TIMEOUT(linklate, pipe_reads_race, 120)
{
	run_races(_metadata, variant->backend, PIPE);
}

TEST_F_TIMEOUT(linklate, socket_reads_race, 120)
{
	run_races(_metadata, variant->backend, SOCKET);
}

TEST_F_TIMEOUT(linklate, timeouts_race, 120)
{
	run_races(_metadata, variant->backend, TIMER);
}

/*
 * user_data may be in use twice. io_uring looks for the target by it, and may
 * take back another request.
 */
DEVICE_FIXTURE(device);

TEST_F(device, takes_back_its_target_alone)
{
	struct ring *r = &self->r;
	struct target a, b;

	prep_target(_metadata, r, &a, PIPE, false, 1);
	ASSERT_EQ(1, ring_submit(r));
	prep_target(_metadata, r, &b, PIPE, false, 1)->flags = LINK;
	prep_link_timeout(r, &soon, 0, 2);
	ASSERT_EQ(2, ring_submit(r));
	SEE_SET(r, { 1, -ECANCELED }, { 2, -ETIME });
	feed_target(_metadata, &b);
	EXPECT_TRUE(ring_quiet(r, 10));
	feed_target(_metadata, &a);
	SEE(r, { 1, 1 });
}

RING_TEST_MAIN
