// SPDX-License-Identifier: MIT
/*
 * Virtual clocks that move by themselves: when everybody waits, and only then.
 */
#include "clock.h"
#include "kmsg.h"
#include "uffd.h"

/* A ring whose clock is virtual, automatic, and stands at 0. */
FIXTURE(auto) {
	struct ring r;
	int fd[2];
};

FIXTURE_VARIANT(auto) {
	enum backend backend;
};

FIXTURE_VARIANT_ADD(auto, device) {
	.backend = DEVICE,
};

FIXTURE_SETUP(auto)
{
	ASSERT_EQ(0, ring_init(&self->r, DEVICE, 64, 0));
	ASSERT_EQ(0, clock_virtual(&self->r, ARING_CLOCK_AUTO));
	ASSERT_EQ(0, pipe(self->fd));
}

FIXTURE_TEARDOWN(auto)
{
	ring_exit(&self->r);
	close(self->fd[0]);
	close(self->fd[1]);
}

/* Wait for @n CQEs, as long as it takes. */
static int await(struct ring *r, unsigned int n)
{
	return ring_enter(r, 0, n, ARING_ENTER_GETEVENTS, NULL, 0);
}

/* Submit and wait for one CQE in the same ENTER. */
static int submit_await(struct ring *r, unsigned int n)
{
	return ring_enter(r, ring_flush(r), n, ARING_ENTER_GETEVENTS, NULL, 0);
}

struct waiter {
	struct ring *r;
	pthread_t thread;
	unsigned int nr;
	int ret;
	bool done;
};

static void *waiter_fn(void *arg)
{
	struct waiter *w = arg;

	w->ret = await(w->r, w->nr);
	TELL(w->done, true);
	return NULL;
}

static void waiter_start(struct waiter *w, struct ring *r, unsigned int nr)
{
	*w = (struct waiter){ .r = r, .nr = nr };
	pthread_create(&w->thread, NULL, waiter_fn, w);
}

/* Does its clock stand for a while? */
static bool stands(struct ring *r)
{
	__u64 before = clock_time(r);

	usleep(100000 * test_slow());
	return clock_time(r) == before;
}

TEST_F(auto, a_year_passes_at_once)
{
	__u64 year = 365ULL * 24 * 3600 * 1000000000, start = now_ns();

	EXPECT_EQ(ARING_CLOCK_AUTO | ARING_CLOCK_IS_VIRTUAL,
		  clock_get(&self->r).flags);
	EXPECT_EQ(1, clock_timeout(&self->r, year, 0, 1));
	EXPECT_TRUE(stands(&self->r));
	EXPECT_EQ(0, await(&self->r, 1));
	CLOCK_EXPECT_CQE(&self->r, 1, -ETIME);
	EXPECT_EQ(year, clock_time(&self->r));
	EXPECT_LE(now_ns() - start, ms(5000) * test_slow());
}

TEST_F(auto, stops_where_somebody_has_something_to_do)
{
	for (int i = 1; i <= 3; i++)
		EXPECT_EQ(1, clock_timeout(&self->r, 10 * i, 0, i));
	for (int i = 1; i <= 3; i++) {
		EXPECT_EQ(0, await(&self->r, 1));
		EXPECT_EQ(1, ring_ready(&self->r));
		CLOCK_EXPECT_CQE(&self->r, i, -ETIME);
		EXPECT_EQ(10ULL * i, clock_time(&self->r));
	}
}

TEST_F(auto, ties_go_by_ticket)
{
	struct __kernel_timespec ts = to_ts(50);

	for (int round = 0; round < 20; round++) {
		for (int i = 0; i < 16; i++)
			prep_timeout(&self->r, &ts, 0, 0, i);
		EXPECT_EQ(16, submit_await(&self->r, 1));
		/* All of the instant, before the program runs. */
		EXPECT_EQ(16, ring_ready(&self->r));
		for (int i = 0; i < 16; i++)
			CLOCK_EXPECT_CQE(&self->r, i, -ETIME);
	}
	EXPECT_EQ(1000, clock_time(&self->r));
}

TEST_F(auto, limits_a_wait)
{
	struct __kernel_timespec ts = to_ts(50);
	struct aring_getevents_arg get = { .ts = (uintptr_t)&ts };
	const unsigned int flags = ARING_ENTER_GETEVENTS | ARING_ENTER_EXT_ARG;

	EXPECT_EQ(-ETIME, ring_enter(&self->r, 0, 1, flags, &get, sizeof(get)));
	EXPECT_EQ(50, clock_time(&self->r));
	EXPECT_EQ(1, clock_timeout(&self->r, 60, 0, 1));
	EXPECT_EQ(-ETIME, ring_enter(&self->r, 0, 1, flags, &get, sizeof(get)));
	EXPECT_EQ(100, clock_time(&self->r));
	EXPECT_EQ(0, ring_enter(&self->r, 0, 1, flags, &get, sizeof(get)));
	EXPECT_EQ(110, clock_time(&self->r));
	EXPECT_EQ(0, clock_get(&self->r).nr_events);
	/* Only looks. */
	CLOCK_EXPECT_CQE(&self->r, 1, -ETIME);
	ts = to_ts(0);
	EXPECT_EQ(-ETIME, ring_enter(&self->r, 0, 1, flags, &get, sizeof(get)));
	EXPECT_EQ(110, clock_time(&self->r));
}

TEST_F(auto, without_events_it_stands)
{
	struct waiter w;

	waiter_start(&w, &self->r, 1);
	EXPECT_TRUE(stands(&self->r));
	EXPECT_FALSE(TOLD(w.done));
	prep_nop(&self->r, 1);
	EXPECT_EQ(1, ring_submit(&self->r));
	pthread_join(w.thread, NULL);
	EXPECT_EQ(0, w.ret);
}

static void on_alarm(int sig)
{
	(void)sig;
}

TEST_F(auto, a_signal_ends_a_wait_for_nothing)
{
	struct sigaction sa = { .sa_handler = on_alarm };

	sigaction(SIGALRM, &sa, NULL);
	ualarm(50000, 50000);
	EXPECT_EQ(-EINTR, await(&self->r, 1));
	ualarm(0, 0);
	EXPECT_EQ(0, clock_time(&self->r));
}

TEST_F(auto, chains_and_drains_take_their_time)
{
	struct __kernel_timespec a = to_ts(10), b = to_ts(1);

	for (int round = 0; round < 50; round++) {
		prep_timeout(&self->r, &a, 0, ARING_TIMEOUT_ETIME_SUCCESS,
			     1)->flags = ARING_SQE_IO_HARDLINK;
		prep_timeout(&self->r, &b, 0, ARING_TIMEOUT_ETIME_SUCCESS,
			     2)->flags = ARING_SQE_IO_HARDLINK;
		prep_nop(&self->r, 3);
		prep_timeout(&self->r, &a, 0, 0, 4)->flags = ARING_SQE_IO_DRAIN;
		prep_nop(&self->r, 5)->flags = ARING_SQE_IO_DRAIN;
		ASSERT_EQ(5, submit_await(&self->r, 1));
		while (ring_ready(&self->r) < 5)
			ASSERT_EQ(0, await(&self->r, ring_ready(&self->r) + 1));
		CLOCK_EXPECT_CQE(&self->r, 1, -ETIME);
		CLOCK_EXPECT_CQE(&self->r, 2, -ETIME);
		CLOCK_EXPECT_CQE(&self->r, 3, 0);
		CLOCK_EXPECT_CQE(&self->r, 4, -ETIME);
		CLOCK_EXPECT_CQE(&self->r, 5, 0);
		EXPECT_EQ(21ULL * (round + 1), clock_time(&self->r));
	}
}

TEST_F(auto, link_timeouts)
{
	struct __kernel_timespec a = to_ts(10), b = to_ts(20);
	char byte;

	for (int round = 0; round < 20; round++) {
		/* Nothing but time ends this. */
		prep_timeout(&self->r, &b, 0, 0, 1)->flags = ARING_SQE_IO_LINK;
		prep(&self->r, ARING_OP_LINK_TIMEOUT, -1, &a, 1, 0, 2);
		prep_timeout(&self->r, &b, 0, 0, 3);
		ASSERT_EQ(3, submit_await(&self->r, 2));
		EXPECT_EQ(30ULL * round + 10, clock_time(&self->r));
		CLOCK_EXPECT_CQE(&self->r, 1, -ECANCELED);
		CLOCK_EXPECT_CQE(&self->r, 2, -ETIME);
		ASSERT_EQ(0, await(&self->r, 1));
		CLOCK_EXPECT_CQE(&self->r, 3, -ETIME);
		EXPECT_EQ(30ULL * round + 20, clock_time(&self->r));
		ASSERT_EQ(0, clock_advance(&self->r, 10));
	}
	/* While a peer is waited for, no time passes, not even for its limit. */
	prep_read(&self->r, self->fd[0], &byte, 1, -1, 1)->flags =
		ARING_SQE_IO_LINK;
	prep(&self->r, ARING_OP_LINK_TIMEOUT, -1, &a, 1, 0, 2);
	ASSERT_EQ(2, ring_submit(&self->r));
	EXPECT_TRUE(stands(&self->r));
	EXPECT_EQ(0, clock_next(&self->r));
	CLOCK_EXPECT_CQE(&self->r, 1, -ECANCELED);
	CLOCK_EXPECT_CQE(&self->r, 2, -ETIME);
}

/* A simulation: customers come, wait for one of two counters, and leave. */
struct log {
	__u64 time[4096];
	__u64 what[4096];
	int n;
};

static void simulate(struct __test_metadata *_metadata, struct log *log,
		     int nr)
{
	__u32 seed = 12345, waiting = 0, busy = 0, left = nr, came = 0;
	struct aring_cqe cqe;
	struct ring r;

	ASSERT_EQ(0, ring_init(&r, DEVICE, 64, 0));
	ASSERT_EQ(0, clock_virtual(&r, ARING_CLOCK_AUTO));
	log->n = 0;
	ASSERT_EQ(1, clock_timeout(&r, 1, 0, 0));
	while (left) {
		ASSERT_EQ(0, await(&r, 1));
		while (ring_reap(&r, &cqe)) {
			log->time[log->n] = clock_time(&r);
			log->what[log->n++] = cqe.user_data;
			seed = seed * 1103515245 + 12345;
			if (cqe.user_data == 0) {
				waiting++;
				if (++came < (unsigned int)nr)
					ASSERT_EQ(1, clock_timeout(&r, seed >> 28,
								   0, 0));
			} else {
				busy--;
				left--;
			}
			while (waiting && busy < 2) {
				waiting--;
				busy++;
				seed = seed * 1103515245 + 12345;
				ASSERT_EQ(1, clock_timeout(&r, seed >> 27, 0,
							   1 + log->n));
			}
		}
	}
	ring_exit(&r);
}

TEST_F(auto, a_simulation_repeats)
{
	static struct log first, again;
	int nr = test_scale(2000, 100);

	simulate(_metadata, &first, nr);
	for (int round = 0; round < 3; round++) {
		simulate(_metadata, &again, nr);
		ASSERT_EQ(first.n, again.n);
		EXPECT_EQ(0, memcmp(first.time, again.time,
				    first.n * sizeof(first.time[0])));
		EXPECT_EQ(0, memcmp(first.what, again.what,
				    first.n * sizeof(first.what[0])));
	}
	EXPECT_EQ(2 * nr, first.n);
}

TEST_F(auto, a_request_on_a_file_keeps_it)
{
	struct waiter w;
	char byte;

	prep_read(&self->r, self->fd[0], &byte, 1, -1, 1);
	EXPECT_EQ(1, ring_submit(&self->r));
	EXPECT_EQ(1, clock_timeout(&self->r, 10, 0, 2));
	waiter_start(&w, &self->r, 2);
	EXPECT_TRUE(stands(&self->r));
	EXPECT_FALSE(TOLD(w.done));
	ASSERT_EQ(1, write(self->fd[1], "x", 1));
	pthread_join(w.thread, NULL);
	EXPECT_EQ(10, clock_time(&self->r));
	CLOCK_EXPECT_CQE(&self->r, 1, 1);
	CLOCK_EXPECT_CQE(&self->r, 2, -ETIME);
}

TEST_F(auto, so_does_a_poll)
{
	struct aring_sqe *s;
	struct waiter w;

	s = prep(&self->r, ARING_OP_POLL_ADD, self->fd[0], NULL, 0, 0, 1);
	s->poll32_events = 1;
	EXPECT_EQ(1, ring_submit(&self->r));
	EXPECT_EQ(1, clock_timeout(&self->r, 10, 0, 2));
	waiter_start(&w, &self->r, 2);
	EXPECT_TRUE(stands(&self->r));
	/* Taken back, it keeps nothing. */
	prep_cancel(&self->r, 1, 0, 3);
	EXPECT_EQ(1, ring_submit(&self->r));
	pthread_join(w.thread, NULL);
	CLOCK_EXPECT_CQE(&self->r, 1, -ECANCELED);
	CLOCK_EXPECT_CQE(&self->r, 3, 0);
	EXPECT_EQ(0, await(&self->r, 1));
	EXPECT_EQ(10, clock_time(&self->r));
	CLOCK_EXPECT_CQE(&self->r, 2, -ETIME);

	/* It ends in the writer's system call, and wakes nobody. */
	s = prep(&self->r, ARING_OP_POLL_ADD, self->fd[0], NULL, 0, 0, 1);
	s->poll32_events = 1;
	s->flags = ARING_SQE_CQE_SKIP_SUCCESS;
	EXPECT_EQ(1, ring_submit(&self->r));
	EXPECT_EQ(1, clock_timeout(&self->r, 10, 0, 2));
	waiter_start(&w, &self->r, 1);
	EXPECT_TRUE(stands(&self->r));
	ASSERT_EQ(1, write(self->fd[1], "x", 1));
	pthread_join(w.thread, NULL);
	EXPECT_EQ(20, clock_time(&self->r));
	CLOCK_EXPECT_CQE(&self->r, 2, -ETIME);
}

/* What ends in a worker wakes nobody if it has no CQE: time goes on all the same. */
TEST_F(auto, goes_on_when_a_worker_is_done)
{
	char name[] = "/tmp/clock_auto.XXXXXX", buf[4096] = "";
	int fd = mkstemp(name);
	struct waiter w;

	ASSERT_GE(fd, 0);
	unlink(name);
	for (int round = 0; round < 50; round++) {
		prep_write(&self->r, fd, buf, sizeof(buf), 0, 1)->flags =
			ARING_SQE_ASYNC | ARING_SQE_CQE_SKIP_SUCCESS;
		prep(&self->r, ARING_OP_FSYNC, fd, NULL, 0, 0, 2)->flags =
			ARING_SQE_ASYNC | ARING_SQE_CQE_SKIP_SUCCESS;
		EXPECT_EQ(2, ring_submit(&self->r));
		EXPECT_EQ(1, clock_timeout(&self->r, 10, 0, 3));
		EXPECT_EQ(0, await(&self->r, 1));
		CLOCK_EXPECT_CQE(&self->r, 3, -ETIME);
	}
	/* A peer's turn. */
	prep_read(&self->r, self->fd[0], buf, 1, -1, 4)->flags =
		ARING_SQE_CQE_SKIP_SUCCESS;
	EXPECT_EQ(1, ring_submit(&self->r));
	EXPECT_EQ(1, clock_timeout(&self->r, 10, 0, 5));
	waiter_start(&w, &self->r, 1);
	EXPECT_TRUE(stands(&self->r));
	ASSERT_EQ(1, write(self->fd[1], "x", 1));
	pthread_join(w.thread, NULL);
	CLOCK_EXPECT_CQE(&self->r, 5, -ETIME);
	EXPECT_EQ(510, clock_time(&self->r));
	close(fd);
}

/* Chains from timers to files and back. */
TEST_F(auto, chains_through_files)
{
	char name[] = "/tmp/clock_auto.XXXXXX", buf[64];
	struct __kernel_timespec a = to_ts(10);
	int fd = mkstemp(name);

	ASSERT_GE(fd, 0);
	unlink(name);
	memset(buf, 'x', sizeof(buf));
	for (int round = 0; round < 30; round++) {
		for (int i = 0; i < 4; i++) {
			prep_timeout(&self->r, &a, 0,
				     ARING_TIMEOUT_ETIME_SUCCESS,
				     1)->flags = ARING_SQE_IO_HARDLINK;
			prep_write(&self->r, fd, buf, sizeof(buf), 64 * i,
				   2)->flags = ARING_SQE_IO_HARDLINK |
					       (i % 2 ? ARING_SQE_ASYNC : 0);
			prep_timeout(&self->r, &a, 0, 0, 3);
		}
		ASSERT_EQ(12, ring_submit(&self->r));
		while (ring_ready(&self->r) < 12)
			ASSERT_EQ(0, await(&self->r, ring_ready(&self->r) + 1));
		*self->r.cq_head += 12;
		EXPECT_EQ(20ULL * (round + 1), clock_time(&self->r));
	}
	close(fd);
}

struct attached {
	struct ring *r;
	pthread_t thread;
	int stage;	/* what it is to do next */
	int at;		/* what it does */
	int ret[4];
};

enum { IDLE, DETACH, EXIT, ENTER };

static void *attached_fn(void *arg)
{
	struct attached *a = arg;

	a->ret[0] = clock_do(a->r, ARING_CLOCK_ATTACH, 0);
	TELL(a->at, 1);
	while (TOLD(a->stage) == IDLE)
		usleep(1000);
	if (a->stage == DETACH) {
		a->ret[1] = clock_do(a->r, ARING_CLOCK_DETACH, 0);
		a->ret[2] = clock_do(a->r, ARING_CLOCK_DETACH, 0);
	} else if (a->stage == ENTER) {
		a->ret[1] = await(a->r, 2);
	}
	return NULL;
}

TEST_F(auto, waits_for_attached_threads)
{
	struct ring other;

	ASSERT_EQ(0, ring_init(&other, DEVICE, 8, 0));
	for (int way = DETACH; way <= ENTER; way++) {
		struct attached a = { .r = &self->r };
		__u64 start = clock_time(&self->r), left;
		struct waiter w;

		pthread_create(&a.thread, NULL, attached_fn, &a);
		while (!TOLD(a.at))
			usleep(1000);
		EXPECT_EQ(0, a.ret[0]);
		EXPECT_EQ(1, clock_timeout(&self->r, 10, 0, 1));
		EXPECT_EQ(1, clock_timeout(&self->r, 20, 0, 2));
		waiter_start(&w, &self->r, 2);
		CHECK_TRUE(stands(&self->r), "way %d", way);
		EXPECT_FALSE(TOLD(w.done));
		left = now_ns();
		TELL(a.stage, way);
		while (clock_time(&self->r) == start &&
		       now_ns() - left < ms(5000) * test_slow())
			usleep(1000);
		left = now_ns() - left;
		CHECK_LE(left, ms(1000) * test_slow(), "way %d", way);
		pthread_join(a.thread, NULL);
		/* A TIMEOUT ends every wait. */
		pthread_join(w.thread, NULL);
		while (ring_ready(&self->r) < 2)
			ASSERT_EQ(0, await(&self->r, 2));
		*self->r.cq_head += 2;
		CHECK_EQ(start + 20, clock_time(&self->r), "way %d", way);
		if (way == DETACH) {
			EXPECT_EQ(0, a.ret[1]);
			EXPECT_EQ(-ENOENT, a.ret[2]);
		}
	}
	EXPECT_EQ(-ENOENT, clock_do(&self->r, ARING_CLOCK_DETACH, 0));
	/* Twice is once. */
	EXPECT_EQ(0, clock_do(&self->r, ARING_CLOCK_ATTACH, 0));
	EXPECT_EQ(0, clock_do(&self->r, ARING_CLOCK_ATTACH, 0));
	EXPECT_EQ(0, clock_do(&self->r, ARING_CLOCK_DETACH, 0));
	EXPECT_EQ(-ENOENT, clock_do(&self->r, ARING_CLOCK_DETACH, 0));
	ring_exit(&other);
}

/* One that exits while attached does so as a whole process, too. */
TEST_F(auto, an_attached_process_that_is_killed_is_forgotten)
{
	struct ring other;
	int status, up[2];
	pid_t pid;
	char byte;

	ASSERT_EQ(0, pipe(up));
	ASSERT_EQ(0, ring_init(&other, DEVICE, 8, 0));
	ASSERT_EQ(0, clock_share(&other, &self->r));
	pid = fork();
	if (!pid) {
		clock_do(&other, ARING_CLOCK_ATTACH, 0);
		if (write(up[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	ring_exit(&other);
	ASSERT_EQ(1, read(up[0], &byte, 1));
	EXPECT_EQ(1, clock_timeout(&self->r, 10, 0, 1));
	kill(pid, SIGKILL);
	/* Its ring goes with it, and the thread. */
	EXPECT_EQ(0, await(&self->r, 1));
	EXPECT_EQ(10, clock_time(&self->r));
	EXPECT_EQ(pid, waitpid(pid, &status, 0));
	close(up[0]);
	close(up[1]);
}

TEST_F(auto, all_rings_have_to_wait)
{
	struct ring other;
	struct waiter a, b;

	ASSERT_EQ(0, ring_init(&other, DEVICE, 8, 0));
	ASSERT_EQ(0, clock_share(&other, &self->r));
	EXPECT_EQ(1, clock_timeout(&self->r, 10, 0, 1));
	EXPECT_EQ(1, clock_timeout(&other, 20, 0, 2));
	waiter_start(&a, &self->r, 1);
	EXPECT_TRUE(stands(&self->r));
	waiter_start(&b, &other, 1);
	pthread_join(a.thread, NULL);
	EXPECT_EQ(10, clock_time(&self->r));
	/* Nobody waits on the first one now. */
	EXPECT_TRUE(stands(&self->r));
	EXPECT_FALSE(TOLD(b.done));
	CLOCK_EXPECT_CQE(&self->r, 1, -ETIME);
	/* A ring that is closed need not. */
	ring_unmap(&self->r);
	EXPECT_TRUE(stands(&other));
	ring_exit(&self->r);
	pthread_join(b.thread, NULL);
	EXPECT_EQ(20, clock_time(&other));
	ASSERT_EQ(0, ring_init(&self->r, DEVICE, 64, 0));
	ring_exit(&other);
}

/* Two threads that hand a turn to one another, each on its own ring. */
struct player {
	struct ring r;
	pthread_t thread;
	__u64 period;
	unsigned long rounds;
	__u64 sum;
	int bad;
};

static void *player_fn(void *arg)
{
	struct player *p = arg;
	struct aring_cqe cqe;

	for (unsigned long i = 0; i < p->rounds; i++) {
		if (clock_timeout(&p->r, p->period, 0, i) != 1 ||
		    await(&p->r, 1) || !ring_reap(&p->r, &cqe) ||
		    cqe.user_data != i)
			p->bad++;
		p->sum += clock_time(&p->r);
	}
	ring_exit(&p->r);
	return NULL;
}

TEST_F(auto, several_rings_keep_step)
{
	unsigned long rounds = test_scale(500, 30);
	struct player p[3];

	for (int i = 0; i < 3; i++) {
		p[i] = (struct player){ .period = 10 * (i + 1),
					.rounds = rounds };
		ASSERT_EQ(0, ring_init(&p[i].r, DEVICE, 8, 0));
		ASSERT_EQ(0, clock_share(&p[i].r, &self->r));
	}
	/* Ours would stand in the way. */
	ring_exit(&self->r);
	for (int i = 0; i < 3; i++)
		pthread_create(&p[i].thread, NULL, player_fn, &p[i]);
	for (int i = 0; i < 3; i++) {
		pthread_join(p[i].thread, NULL);
		EXPECT_EQ(0, p[i].bad);
		/* Nobody ever came too late. */
		EXPECT_EQ(p[i].period * rounds * (rounds + 1) / 2, p[i].sum);
	}
	ASSERT_EQ(0, ring_init(&self->r, DEVICE, 64, 0));
}

/* Threads that enter and leave all the time on one ring. */
static void *passer_fn(void *arg)
{
	struct waiter *w = arg;
	struct ring *r = w->r;

	while (!TOLD(w->done))
		ring_enter(r, 0, 0, ARING_ENTER_GETEVENTS, NULL, 0);
	return NULL;
}

TEST_F(auto, goes_on_when_a_thread_has_passed)
{
	struct waiter w = { .r = &self->r };
	unsigned long rounds = test_scale(500, 30);

	pthread_create(&w.thread, NULL, passer_fn, &w);
	for (unsigned long i = 1; i <= rounds; i++) {
		ASSERT_EQ(1, clock_timeout(&self->r, 10, 0, i));
		while (!ring_ready(&self->r))
			ASSERT_EQ(0, await(&self->r, 1));
		CLOCK_EXPECT_CQE(&self->r, i, -ETIME);
		EXPECT_EQ(10 * i, clock_time(&self->r));
	}
	TELL(w.done, true);
	pthread_join(w.thread, NULL);
}

/* A thread in the middle of ENTER: it reads memory that is not there yet. */
static void *stuck_fn(void *arg)
{
	struct waiter *w = arg;

	w->ret = ring_submit(w->r);
	return NULL;
}

TEST_F(auto, a_thread_awake_in_enter_keeps_it)
{
	struct waiter w, stuck = { .r = &self->r };
	struct absent absent;
	struct aring_sqe *s;

	ASSERT_TRUE(absent_make(&absent));
	EXPECT_EQ(1, clock_timeout(&self->r, 10, 0, 1));
	s = prep(&self->r, ARING_OP_TIMEOUT_REMOVE, -1, (void *)99, 0, 0, 2);
	s->addr2 = (uintptr_t)absent.page;
	s->timeout_flags = ARING_TIMEOUT_UPDATE;
	pthread_create(&stuck.thread, NULL, stuck_fn, &stuck);
	ASSERT_TRUE(absent_touched(&absent));
	waiter_start(&w, &self->r, 2);
	EXPECT_TRUE(stands(&self->r));
	EXPECT_FALSE(TOLD(w.done));
	ASSERT_TRUE(absent_fill(&absent));
	/* Its CQE is not enough to wake the other one, and it leaves. */
	pthread_join(stuck.thread, NULL);
	EXPECT_EQ(1, stuck.ret);
	pthread_join(w.thread, NULL);
	CLOCK_EXPECT_CQE(&self->r, 2, -ENOENT);
	CLOCK_EXPECT_CQE(&self->r, 1, -ETIME);
	EXPECT_EQ(10, clock_time(&self->r));
	absent_end(&absent);
}

TEST_F(auto, sqpoll)
{
	struct aring_params p = {
		.flags = ARING_SETUP_SQPOLL, .sq_thread_idle = 20,
	};
	struct __kernel_timespec ts = to_ts(10), far = to_ts(ms(1000));
	struct ring r;

	ASSERT_EQ(0, ring_init_params(&r, DEVICE, 8, &p));
	ASSERT_EQ(0, clock_virtual(&r, ARING_CLOCK_AUTO));
	/* Where time would go if what was offered did not count. */
	prep_timeout(&r, &far, 0, 0, 99);
	ring_flush(&r);
	while (clock_get(&r).nr_events != 1)
		usleep(1000);
	for (int i = 1; i <= 40; i++) {
		unsigned int flags = ARING_ENTER_GETEVENTS;

		if (i % 10 == 0)
			usleep(50000);
		prep_timeout(&r, &ts, 0, 0, i);
		ring_flush(&r);
		if (ring_sq_flags(&r) & ARING_SQ_NEED_WAKEUP)
			flags |= ARING_ENTER_SQ_WAKEUP;
		ASSERT_EQ(0, ring_enter(&r, 0, 1, flags, NULL, 0));
		CLOCK_EXPECT_CQE(&r, i, -ETIME);
		EXPECT_EQ(10ULL * i, clock_time(&r));
	}
	ring_exit(&r);
}

/* Jiffies that the machine was busy. */
static __u64 busy_jiffies(void)
{
	unsigned long long v[7] = {};
	FILE *f = fopen("/proc/stat", "r");
	int n;

	n = fscanf(f, "cpu %llu %llu %llu %llu %llu %llu %llu", v, v + 1, v + 2,
		   v + 3, v + 4, v + 5, v + 6);
	fclose(f);
	return n == 7 ? v[0] + v[1] + v[2] + v[5] + v[6] : 0;
}

TEST_F(auto, while_it_stands_nobody_is_busy)
{
	struct attached a = { .r = &self->r };
	struct waiter w;
	__u64 before;
	char byte;

	prep_read(&self->r, self->fd[0], &byte, 1, -1, 1);
	EXPECT_EQ(1, ring_submit(&self->r));
	EXPECT_EQ(1, clock_timeout(&self->r, 10, 0, 2));
	waiter_start(&w, &self->r, 2);
	usleep(100000);
	before = busy_jiffies();
	usleep(1000000);
	/* Half of one CPU. */
	EXPECT_LE(busy_jiffies() - before, sysconf(_SC_CLK_TCK) / 2);
	/* The same while an attached thread stands in the way. */
	pthread_create(&a.thread, NULL, attached_fn, &a);
	while (!TOLD(a.at))
		usleep(1000);
	ASSERT_EQ(1, write(self->fd[1], "x", 1));
	usleep(100000);
	EXPECT_FALSE(TOLD(w.done));
	before = busy_jiffies();
	usleep(1000000);
	EXPECT_LE(busy_jiffies() - before, sysconf(_SC_CLK_TCK) / 2);
	TELL(a.stage, EXIT);
	pthread_join(a.thread, NULL);
	pthread_join(w.thread, NULL);
	EXPECT_EQ(10, clock_time(&self->r));
}

/* Killed in the middle of it, with a clock that others share. */
TEST_F(auto, killed_while_time_passes)
{
	int log = kmsg_mark();
	__u64 last = 0;

	for (int round = 0; round < 20; round++) {
		pid_t pid = fork();
		int status;

		if (!pid) {
			struct ring r;

			if (ring_init(&r, DEVICE, 8, 0) ||
			    clock_share(&r, &self->r))
				_exit(1);
			ring_unmap(&self->r);
			close(self->r.fd);
			for (;;) {
				clock_timeout(&r, 3, 0, 1);
				await(&r, 1);
				*r.cq_head = *r.cq_tail;
			}
		}
		EXPECT_EQ(1, clock_timeout(&self->r, 1000, 0, 2));
		EXPECT_EQ(0, await(&self->r, 1));
		CLOCK_EXPECT_CQE(&self->r, 2, -ETIME);
		EXPECT_GE(clock_time(&self->r), last + 1000);
		last = clock_time(&self->r);
		usleep(1000 * round);
		kill(pid, SIGKILL);
		EXPECT_EQ(pid, waitpid(pid, &status, 0));
		EXPECT_TRUE(WIFSIGNALED(status));
	}
	EXPECT_EQ(0, kmsg_count(log));
	close(log);
}

RING_TEST_MAIN
