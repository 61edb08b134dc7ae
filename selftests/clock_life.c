// SPDX-License-Identifier: MIT
/*
 * Virtual clocks whose rings are closed, and whose movers are killed or leave, at
 * the wrong moment; and threads they wait for that become another program.
 */
#include "vdev.h"
#include "sock.h"
#include "duel.h"
#include "uffd.h"
#include <signal.h>
#include <sys/wait.h>

FIXTURE(life) {
	struct ring r;
};

FIXTURE_VARIANT(life) {
	enum backend backend;
};

FIXTURE_VARIANT_ADD(life, device) {
	.backend = DEVICE,
};

FIXTURE_SETUP(life)
{
	ASSERT_EQ(0, ring_init(&self->r, DEVICE, 64, 0));
}

FIXTURE_TEARDOWN(life)
{
	ring_exit(&self->r);
}

/* @nr TIMEOUTs, @step ns apart from each other, all from @first on. */
static bool timeouts(struct ring *r, unsigned int nr, __u64 first, __u64 step)
{
	for (unsigned int i = 0; i < nr; i++)
		if (clock_timeout(r, first + i * step, 0, i) != 1)
			return false;
	return true;
}

/* --- the end of an instant ------------------------------------------------- */

struct mover {
	struct ring *r;
	pthread_t thread;
	bool stop;
};

static void *mover_fn(void *arg)
{
	struct mover *m = arg;

	while (!TOLD(m->stop)) {
		/* About as long as a ring takes to end. */
		usleep(random() % 30000);
		clock_next(m->r);
	}
	return NULL;
}

/* Its end is still to come when the ring is closed; another one moves the clock. */
TEST_F_TIMEOUT(life, an_instant_ends_while_its_ring_is_closed, 120)
{
	unsigned long rounds = test_scale(400, 100);
	struct mover m = { .r = &self->r };
	struct ring r;

	ASSERT_EQ(0, clock_virtual(&self->r, 0));
	pthread_create(&m.thread, NULL, mover_fn, &m);
	for (unsigned long i = 0; i < rounds; i++) {
		ASSERT_EQ(0, ring_init(&r, DEVICE, 8,
				       ARING_SETUP_COMPLETION_ORDER));
		ASSERT_EQ(0, clock_share(&r, &self->r));
		/* What takes time to be given back. */
		ASSERT_EQ(0, vdev_fifo(&r, 2048 * PAGE, 1, 100));
		for (int k = 0; k < 3; k++)
			prep_nop(&r, k);
		ASSERT_EQ(3, ring_submit(&r));
		ring_exit(&r);
	}
	TELL(m.stop, true);
	pthread_join(m.thread, NULL);
}

/* --- moving by hand -------------------------------------------------------- */

/* Many events happen one by one; who moves is killed in the middle. */
TEST_F_TIMEOUT(life, who_moves_it_can_be_killed, 120)
{
	const unsigned int nr = test_scale(60000, 20000);
	int p[2], status;
	struct ring r;
	pid_t pid;
	char c;

	ASSERT_EQ(0, clock_virtual(&self->r, 0));
	ASSERT_EQ(0, pipe(p));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		if (ring_init(&r, DEVICE, 4096, 0) || clock_share(&r, &self->r) ||
		    !timeouts(&r, nr, 1, 1) || write(p[1], "x", 1) != 1)
			_exit(1);
		clock_advance(&r, nr + 1);
		_exit(0);
	}
	close(p[1]);
	ASSERT_EQ(1, read(p[0], &c, 1));
	while (!clock_time(&self->r))
		;
	kill(pid, SIGKILL);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_TRUE(WIFSIGNALED(status));
	EXPECT_LT(clock_time(&self->r), nr);
	close(p[0]);
}

/* Whoever comes to rest while an automatic clock is moved by hand is not forgotten. */
#define CHANNELS	64
#define MUCH		(64 * PAGE)

struct sleeper {
	struct ring *r;
	pthread_t thread;
	int ret;
	bool done;
};

static void *sleeper_fn(void *arg)
{
	struct __kernel_timespec ts = to_ts(500);
	struct sleeper *s = arg;

	while (!ring_ready(s->r))
		;
	prep_timeout(s->r, &ts, 0, 0, 2);
	s->ret = ring_enter(s->r, ring_flush(s->r), CHANNELS + 1,
			    ARING_ENTER_GETEVENTS, NULL, 0);
	TELL(s->done, true);
	return NULL;
}

TEST_F_TIMEOUT(life, who_sleeps_while_it_is_moved_by_hand_is_seen, 60)
{
	unsigned long rounds = test_scale(20, 5);
	char *buf = page_alloc(MUCH);
	struct sleeper s;
	struct ring r;
	__u64 end;

	ASSERT_TRUE(buf);
	for (unsigned long i = 0; i < rounds; i++) {
		ASSERT_EQ(0, ring_init(&r, DEVICE, 128, 0));
		ASSERT_EQ(0, clock_virtual(&r, ARING_CLOCK_AUTO));
		ASSERT_EQ(0, vdev_fifo(&r, MUCH, CHANNELS, 100));
		/* All at one instant, and long enough for him to come to rest. */
		for (int k = 0; k < CHANNELS; k++)
			prep_vread(&r, buf, MUCH, 0, k);
		ASSERT_EQ(CHANNELS, ring_submit(&r));
		s = (struct sleeper){ .r = &r };
		pthread_create(&s.thread, NULL, sleeper_fn, &s);
		EXPECT_EQ(0, clock_to(&r, 100));
		end = now_ns() + ms(5000) * test_slow();
		while (!TOLD(s.done) && now_ns() < end)
			usleep(100);
		ASSERT_TRUE(TOLD(s.done));
		pthread_join(s.thread, NULL);
		EXPECT_EQ(1, s.ret);
		EXPECT_EQ(CHANNELS + 1, ring_ready(&r));
		EXPECT_LE(600, clock_time(&r));
		ring_exit(&r);
	}
}

/* --- closed while somebody moves it and cannot go on ------------------------ */

static void *await_fn(void *arg)
{
	ring_enter(arg, 0, 1, ARING_ENTER_GETEVENTS, NULL, 0);
	return NULL;
}

static void *advance_fn(void *arg)
{
	clock_advance(arg, 100);
	return NULL;
}

/* Those rings cannot end yet; for the work of others there is room all the same. */
TEST_F_TIMEOUT(life, many_are_closed_and_keep_nobody_waiting, 60)
{
	enum { MANY = 300 };
	struct __kernel_timespec ts = to_ts(ms(1));
	struct ring *many = calloc(MANY, sizeof(*many)), own;
	struct ring *r = &self->r;
	pthread_t waiter, mover;
	struct absent absent;
	int sv[2], p[2];

	ASSERT_TRUE(many && absent_make(&absent));
	ASSERT_EQ(0, net_pair(ON_TCP, sv));
	ASSERT_EQ(0, pipe(p));
	ASSERT_EQ(0, clock_virtual(r, 0));
	for (int i = 0; i < MANY; i++) {
		ASSERT_EQ(0, ring_init(&many[i], DEVICE, 2, 0));
		ASSERT_EQ(0, clock_share(&many[i], r));
	}
	/* In ENTER it receives into what is not there, and the mover waits for that. */
	prep(r, ARING_OP_RECV, sv[0], absent.page, 8, 0, 1);
	ASSERT_EQ(1, ring_submit(r));
	ASSERT_EQ(1, clock_timeout(r, 50, 0, 2));
	pthread_create(&waiter, NULL, await_fn, r);
	usleep(50000 * test_slow());
	ASSERT_EQ(1, write(sv[1], "x", 1));
	ASSERT_TRUE(absent_touched(&absent));
	pthread_create(&mover, NULL, advance_fn, r);
	usleep(50000 * test_slow());
	for (int i = 0; i < MANY; i++)
		ring_exit(&many[i]);

	/* A time limit is carried out by the same threads that end rings. */
	ASSERT_EQ(0, ring_init(&own, DEVICE, 8, 0));
	prep(&own, ARING_OP_POLL_ADD, p[0], NULL, 0, 0, 1)->poll32_events = 1;
	ring_sqe_at(&own, own.tail - 1)->flags |= ARING_SQE_IO_LINK;
	prep(&own, ARING_OP_LINK_TIMEOUT, -1, &ts, 1, 0, 2);
	ASSERT_EQ(2, ring_submit(&own));
	EXPECT_EQ(0, ring_wait_ns(&own, 2, ms(5000) * test_slow()));
	ring_exit(&own);

	ASSERT_TRUE(absent_fill(&absent));
	pthread_join(waiter, NULL);
	pthread_join(mover, NULL);
	absent_end(&absent);
	close(sv[0]);
	close(sv[1]);
	close(p[0]);
	close(p[1]);
	free(many);
}

/* --- who is waited for -------------------------------------------------------- */

/* The end of who_attaches_again_after_exec()'s child: "RING:UP:DOWN". */
__attribute__((__constructor__)) static void after_exec(void)
{
	const char *s = getenv("CLOCK_AFTER_EXEC");
	struct ring r = { .backend = DEVICE };
	int up, down;
	char byte;

	if (!s)
		return;
	if (sscanf(s, "%d:%d:%d", &r.fd, &up, &down) != 3)
		_exit(40);
	/* it was another program that attached */
	if (clock_do(&r, ARING_CLOCK_DETACH, 0) != -ENOENT)
		_exit(41);
	if (clock_do(&r, ARING_CLOCK_ATTACH, 0))
		_exit(42);
	if (write(up, "x", 1) != 1 || read(down, &byte, 1) != 1)
		_exit(43);
	_exit(clock_do(&r, ARING_CLOCK_DETACH, 0) ? 44 : 0);
}

static void *await_one(void *ring)
{
	return (void *)(long)ring_enter(ring, 0, 1, ARING_ENTER_GETEVENTS, NULL,
					0);
}

TEST_F(life, who_attaches_again_after_exec)
{
	struct ring *r = &self->r;
	int up[2], down[2], status;
	pthread_t waiter;
	char env[64];
	char byte;
	void *ret;
	pid_t pid;

	ASSERT_EQ(0, clock_virtual(r, ARING_CLOCK_AUTO));
	ASSERT_EQ(0, pipe(up) | pipe(down));
	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid) {
		if (clock_do(r, ARING_CLOCK_ATTACH, 0))
			_exit(1);
		fcntl(r->fd, F_SETFD, 0);
		snprintf(env, sizeof(env), "CLOCK_AFTER_EXEC=%d:%d:%d", r->fd,
			 up[1], down[0]);
		execle("/proc/self/exe", "life", NULL, (char *[]) { env, NULL });
		_exit(2);
	}
	close(up[1]);
	ASSERT_EQ(1, read(up[0], &byte, 1)) {
		waitpid(pid, &status, 0);
		TH_LOG("step %d", WEXITSTATUS(status));
	}
	EXPECT_EQ(1, clock_timeout(r, 10, 0, 1));
	ASSERT_EQ(0, pthread_create(&waiter, NULL, await_one, r));
	usleep(200000 * test_slow());
	EXPECT_EQ(0, clock_time(r));
	ASSERT_EQ(1, write(down[1], "x", 1));
	ASSERT_EQ(0, pthread_join(waiter, &ret));
	EXPECT_EQ(NULL, ret);
	EXPECT_EQ(10, clock_time(r));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status) {
		TH_LOG("step %d", WEXITSTATUS(status));
	}
	close(up[0]);
	close(down[0]);
	close(down[1]);
}

/* --- another thread has less patience ------------------------------------------- */

struct impatient {
	struct ring *r;
	bool stop;
	unsigned long bad;
};

/* Always an event that is earlier than the one the clock is about to go to. */
static void *arms_the_next(void *arg)
{
	struct impatient *x = arg;
	struct aring_cqe cqe;

	pin_to_cpu(1);
	while (!TOLD(x->stop)) {
		if (clock_timeout(x->r, 1, 0, 1) != 1)
			x->bad++;
		while (ring_reap(x->r, &cqe))
			;
	}
	return NULL;
}

static void turns_back(struct __test_metadata *_metadata, __u32 flags, bool next)
{
	struct aring_params p = { .flags = flags };
	unsigned long n = test_scale(20000, 1000);
	struct ring r, other;
	struct impatient x = { .r = &other };
	__u64 last = 0, time;
	struct aring_cqe cqe;
	pthread_t t;

	ASSERT_EQ(0, ring_init_params(&r, DEVICE, 8, &p));
	ASSERT_EQ(0, ring_init(&other, DEVICE, 8, 0));
	ASSERT_EQ(0, clock_virtual(&r, 0));
	ASSERT_EQ(0, clock_share(&other, &r));
	pin_to_cpu(0);
	ASSERT_EQ(0, pthread_create(&t, NULL, arms_the_next, &x));
	for (unsigned long i = 0; i < n; i++) {
		ASSERT_EQ(1, clock_timeout(&r, 1000, 0, 2));
		ASSERT_EQ(0, next ? clock_next(&r) : clock_advance(&r, 3));
		time = clock_time(&r);
		NEED_TRUE(time >= last, "round %lu: %llu behind %llu", i,
			  (unsigned long long)time, (unsigned long long)last);
		last = time;
		while (ring_reap(&r, &cqe))
			;
	}
	TELL(x.stop, true);
	pthread_join(t, NULL);
	EXPECT_EQ(0, x.bad);
	ring_exit(&other);
	ring_exit(&r);
}

TEST_F_TIMEOUT(life, it_never_turns_back, 60)
{
	turns_back(_metadata, 0, true);
	turns_back(_metadata, 0, false);
	turns_back(_metadata, ARING_SETUP_COMPLETION_ORDER, true);
}

/* --- when it cannot be given ------------------------------------------------ */

TEST_F(life, cqes_that_wait_for_room_keep_the_clock)
{
	struct aring_params p = { .flags = ARING_SETUP_CQSIZE, .cq_entries = 8 };
	struct ring r;

	ASSERT_EQ(0, ring_init_params(&r, DEVICE, 8, &p));
	for (int i = 0; i < 9; i++) {
		prep_nop(&r, i);
		ASSERT_EQ(1, ring_submit(&r));
	}
	EXPECT_EQ(-EBUSY, clock_virtual(&r, 0));
	ring_exit(&r);
}

TEST_F(life, a_time_that_no_clock_reaches)
{
	struct __kernel_timespec ts = {
		.tv_sec = 9223372035, .tv_nsec = 0x7fffffffffffffff,
	};

	ASSERT_EQ(0, clock_virtual(&self->r, 0));
	EXPECT_EQ(0, clock_advance(&self->r, 4000000000));
	prep_timeout(&self->r, &ts, 0, 0, 1);
	ASSERT_EQ(1, ring_submit(&self->r));
	EXPECT_EQ(0, clock_advance(&self->r, 1000000000));
	EXPECT_EQ(0, ring_ready(&self->r));
	EXPECT_EQ(1, clock_get(&self->r).nr_events);
}

RING_TEST_MAIN
