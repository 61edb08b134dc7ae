// SPDX-License-Identifier: MIT
/*
 * Steering: what becomes of what is held when the ring is closed or unmapped or
 * its program killed, with SQPOLL, and from several threads at once.
 */
#include "steer.h"
#include "sqpoll.h"
#include "module.h"
#include "clock.h"
#include "vdev.h"

STEER_FIXTURE(steer_life, 0);

/* One of each kind in each place, and what depends on them. Answers how many. */
static int hold_everything(struct __test_metadata *_metadata, struct ring *r,
			   struct files *f)
{
	static const unsigned int acts[] = {
		ARING_ACT_HOLD_QUEUED, ARING_ACT_HOLD_STARTED,
		ARING_ACT_CANCEL_WINS, ARING_ACT_HOLD_DONE, ARING_ACT_DELAY,
		ARING_ACT_AFTER,
	};
	int held = 0;

	for (unsigned int i = 0; i < 6; i++) {
		__u64 value = acts[i] == ARING_ACT_DELAY ? 1000 * ms(1000) :
			      acts[i] == ARING_ACT_AFTER ? 1000 : 0;

		ASSERT_EQ(0, steer_all(r, acts[i], value));
		FOR_SUBJECTS(s) {
			s->prep(r, f, i);
			held++;
		}
		/* What comes behind them in a chain is not held yet. */
		prep_nop(r, i)->flags = LINK;
		prep(r, ARING_OP_LINK_TIMEOUT, -1, &long_time, 1, 0, 100);
		held++;
		ASSERT_LE(1, ring_submit(r));
		ASSERT_EQ(0, steer_clear(r));
	}
	prep_nop(r, 200)->flags = DRAIN;
	prep_nop(r, 201);
	ASSERT_EQ(2, ring_submit(r));
	return held;
}

/* How often the module is in use when there is no ring. */
static long no_rings(struct ring *r)
{
	ring_exit(r);
	return module_refcnt_at_start();
}

static bool wait_held(struct ring *r, int n)
{
	__u64 end = now_ns() + ms(10000) * test_slow();

	while (steer_held(r, NULL, 0) != n) {
		if (now_ns() > end)
			return false;
		usleep(1000);
	}
	return true;
}

TEST_F(steer_life, close)
{
	long before = no_rings(&self->r);
	struct ring *r = &self->r;
	int n;

	ASSERT_EQ(0, ring_init(r, DEVICE, 64, 0));
	n = hold_everything(_metadata, r, &self->f);
	EXPECT_TRUE(wait_held(r, n));
	ring_exit(r);
	EXPECT_EQ(before, module_refcnt_wait(before));
}

TEST_F(steer_life, close_before_everything_has_come_to_its_hold)
{
	long before = no_rings(&self->r);
	struct ring *r = &self->r;

	ASSERT_EQ(0, ring_init(r, DEVICE, 64, 0));
	hold_everything(_metadata, r, &self->f);
	ring_exit(r);
	EXPECT_EQ(before, module_refcnt_wait(before));
}

/* What was held early is taken back, what has a result has it. */
TEST_F(steer_life, munmap)
{
	struct ring *r = &self->r;
	struct aring_cqe cqe;

	ASSERT_EQ(0, steer_for(r, 1, ARING_ACT_HOLD_QUEUED, 0));
	ASSERT_EQ(0, steer_for(r, 2, ARING_ACT_HOLD_STARTED, 0));
	ASSERT_EQ(0, steer_for(r, 3, ARING_ACT_HOLD_DONE, 0));
	ASSERT_EQ(0, steer_for(r, 4, ARING_ACT_DELAY, 1000 * ms(1000)));
	ASSERT_EQ(0, steer_for(r, 5, ARING_ACT_AFTER, 1000));
	for (int i = 1; i <= 5; i++)
		prep_nop(r, i);
	ASSERT_EQ(5, ring_submit(r));
	EXPECT_EQ(5, steer_held(r, NULL, 0));
	ring_unmap(r);
	EXPECT_TRUE(wait_held(r, 0));
	ASSERT_EQ(0, ring_map(r));
	for (int i = 0; i < 5; i++) {
		ASSERT_EQ(0, ring_cqe(r, &cqe));
		EXPECT_EQ(cqe.user_data < 3 ? -ECANCELED : 0, cqe.res);
	}
	EXPECT_TRUE(ring_quiet(r, 5));
	prep_nop(r, 6);
	EXPECT_EQ(0, ring_run(r));
}

/* What ends only afterwards is not held any more. */
TEST_F(steer_life, munmap_before_it_is_done)
{
	struct ring *r = &self->r;
	static char buf[8];

	ASSERT_EQ(0, vdev_fifo(r, PAGE, 1, ms(300) * test_slow()));
	ASSERT_EQ(0, steer_for(r, 1, ARING_ACT_HOLD_DONE, 0));
	prep_vread(r, buf, 8, 0, 1);
	ASSERT_EQ(1, ring_submit(r));
	ASSERT_TRUE(ring_wait_started(r, 1));
	EXPECT_EQ(0, steer_held(r, NULL, 0));
	ring_unmap(r);
	usleep(600000 * test_slow());
	EXPECT_EQ(0, steer_held(r, NULL, 0));
	ASSERT_EQ(0, ring_map(r));
	SEE(r, { 1, 8 });
}

/* Who submitted it unmaps the ring, another one has it still: held twice. */
TEST_F(steer_life, munmap_lets_go_for_good)
{
	const struct aring_rule rules[] = {
		rule_for(7, ARING_ACT_HOLD_DONE, 0),
		rule_for(7, ARING_ACT_DELAY, 1000 * ms(1000)),
	};
	struct ring *r = &self->r;
	pid_t pid;

	ASSERT_EQ(0, steer_add(r, rules, 2));
	prep_nop(r, 7);
	ASSERT_EQ(1, ring_submit(r));
	EXPECT_EQ(ARING_ACT_HOLD_DONE, steer_held_at(r, 7));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		pause();
		_exit(0);
	}
	ring_unmap(r);
	EXPECT_TRUE(wait_held(r, 0));
	ASSERT_EQ(0, ring_map(r));
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	if (ring_ready(r))
		SEE(r, { 7, 0 });
}

/* The same before it is done: what would be held then is not. */
TEST_F(steer_life, who_dies_before_it_is_done_is_not_held)
{
	const struct {
		__u32 action;
		__u64 value;
	} late[] = {
		{ ARING_ACT_HOLD_DONE, 0 },
		{ ARING_ACT_DELAY, 1000 * ms(1000) },
		{ ARING_ACT_AFTER, 1000 },
	};
	const struct aring_vdev v = { .size = 4096, .channels = 1 };
	struct ring *r = &self->r;
	char *b = page_alloc(4096);
	int status;
	pid_t pid;

	ASSERT_EQ(0, vdev_set(r, &v));
	for (unsigned int i = 0; i < ARRAY_SIZE(late); i++) {
		ASSERT_EQ(0, steer_for(r, 7, late[i].action,
				       late[i].value));
		pid = fork();
		ASSERT_LE(0, pid);
		if (!pid) {
			struct aring_sqe *s = prep_vread(r, b, 8, 0, 7);

			takes(s, ms(300) * test_slow());
			_exit(ring_submit(r) == 1 ? 0 : 1);
		}
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		EXPECT_EQ(0, status);
		for (int k = 0; k < 2000 && !ring_ready(r); k++)
			usleep(1000 * test_slow());
		CHECK_EQ(true, ring_ready(r) == 1, "action %u", late[i].action);
		EXPECT_TRUE(wait_held(r, 0));
		if (ring_ready(r))
			SEE(r, { 7, 8 });
		r->tail = *r->sq_tail;
		ASSERT_EQ(0, steer_clear(r));
	}
}

TEST_F(steer_life, kill)
{
	long before = no_rings(&self->r);
	int status, ready[2];
	char b;
	pid_t pid;

	ASSERT_EQ(0, pipe(ready));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		if (ring_init(&self->r, DEVICE, 64, 0))
			_exit(1);
		hold_everything(_metadata, &self->r, &self->f);
		write(ready[1], "x", 1);
		ring_wait(&self->r, 1000);
		_exit(2);
	}
	ASSERT_EQ(1, read(ready[0], &b, 1));
	EXPECT_LT(before, module_refcnt());
	kill(pid, SIGKILL);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_TRUE(WIFSIGNALED(status));
	EXPECT_EQ(before, module_refcnt_wait(before));
}

TEST_F(steer_life, exec_and_exit_leave_nothing)
{
	long before = no_rings(&self->r);
	int status;
	pid_t pid;

	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		struct ring r;

		if (ring_init(&r, DEVICE, 64, 0))
			_exit(1);
		hold_everything(_metadata, &r, &self->f);
		_exit(0);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(before, module_refcnt_wait(before));
}

/* ---- SQPOLL ---------------------------------------------------------------- */

TEST_F(steer_life, sqpoll)
{
	struct ring r;

	ASSERT_EQ(0, sq_init(&r, DEVICE, 64, 0, 1000));
	FOR_SUBJECTS(s) {
		FOR_HOLDS(a) {
			int ret = 0;
			struct aring_cqe cqe = { 0 };

			ASSERT_EQ(0, steer_for(&r, 7, a, 0));
			s->prep(&r, &self->f, 7);
			sq_offer(&r);
			NEED_TRUE(sq_taken(&r), "%s", s->name);
			/* Some of it is the program's to run, once it is listed. */
			for (int i = 0; i < 1000 && steer_held_at(&r, 7) != a; i++)
				ring_wait_ns(&r, 1, ms(1));
			NEED_TRUE(steer_wait_held(&r, 7, a), "%s at %d",
				  s->name, a);
			ret = steer_release_all(&r);
			CHECK_EQ(1, ret, "%s", s->name);
			ASSERT_EQ(0, ring_cqe(&r, &cqe));
			CHECK_EQ(s->res, cqe.res, "%s at %d", s->name, a);
			EXPECT_FALSE(ring_ready(&r));
			ASSERT_EQ(0, steer_clear(&r));

			if (a == ARING_ACT_HOLD_DONE)
				continue;
			ASSERT_EQ(0, steer_for(&r, 7, a, 0));
			s->prep(&r, &self->f, 7);
			prep_cancel(&r, 7, 0, 8);
			sq_offer(&r);
			SEE(&r, { 7, -ECANCELED }, { 8, 0 });
			ASSERT_EQ(0, steer_clear(&r));
		}
	}
	/* ENTER takes no SQEs there, but it answers. */
	ASSERT_EQ(0, steer_all(&r, ARING_ACT_ENTER_TAKE, 1));
	EXPECT_EQ(5, ring_enter(&r, 5, 0, 0, NULL, 0));
	ASSERT_EQ(0, steer_all(&r, ARING_ACT_ENTER_EINTR, 0));
	EXPECT_EQ(-EINTR, ring_enter(&r, 5, 0, 0, NULL, 0));
	ring_exit(&r);
}

/* ---- several threads ------------------------------------------------------- */

struct other {
	struct ring *r;
	int usec;
	bool stop;
	int ret;
};

static void *release_later(void *arg)
{
	struct other *o = arg;

	usleep(o->usec);
	o->ret = steer_release_all(o->r);
	return NULL;
}

/* A thread asleep in ENTER sees what another one lets go. */
TEST_F(steer_life, release_wakes)
{
	struct other o = { .r = &self->r, .usec = 20000 };
	struct ring *r = &self->r;
	pthread_t t;

	FOR_SUBJECTS(s) FOR_HOLDS(a) {
		ASSERT_EQ(0, steer_for(r, 7, a, 0));
		s->prep(r, &self->f, 7);
		NEED_EQ(1, ring_submit(r), "%s", s->name);
		NEED_TRUE(steer_wait_held(r, 7, a), "%s", s->name);
		ASSERT_EQ(0, pthread_create(&t, NULL, release_later, &o));
		ONE(7, s->res, s->name);
		pthread_join(t, NULL);
		EXPECT_EQ(1, o.ret);
		ASSERT_EQ(0, steer_clear(r));
	}
}

static void *release_always(void *arg)
{
	struct other *o = arg;

	while (!__atomic_load_n(&o->stop, __ATOMIC_RELAXED)) {
		int ret = steer_release_all(o->r);

		if (ret < 0)
			o->ret = ret;
	}
	return NULL;
}

/*
 * Releases against cancels, time limits and delays, on everything that can be
 * held: one CQE each, and a cancel that was told 0 has won.
 */
TEST_F_TIMEOUT(steer_life, everything_at_once, 120)
{
	const unsigned long rounds = test_scale(3000, 50);
	struct __kernel_timespec ts = to_ts(20000);
	struct other o = { .r = &self->r };
	struct ring *r = &self->r;
	pthread_t t;

	ASSERT_EQ(0, pthread_create(&t, NULL, release_always, &o));
	for (unsigned long i = 0; i < rounds; i++) {
		static const unsigned int acts[] = {
			ARING_ACT_HOLD_QUEUED, ARING_ACT_HOLD_STARTED,
			ARING_ACT_HOLD_DONE, ARING_ACT_CANCEL_WINS,
			ARING_ACT_CANCEL_LOSES, ARING_ACT_DELAY,
			ARING_ACT_AFTER, ARING_ACT_CQ_FULL,
		};
		const struct subject *s = &subjects[i % 8];
		unsigned int a = acts[i / 8 % 8];
		struct aring_rule rules[2] = {
			rule_for(1, a, a == ARING_ACT_DELAY ? 10000 :
				 a == ARING_ACT_AFTER),
			rule_for(1, acts[i / 64 % 3], 0),
		};
		int seen[4] = { 0 }, res[4] = { 0 };
		struct aring_cqe cqe;

		ASSERT_EQ(0, steer_add(r, rules, 2));
		s->prep(r, &self->f, 1);
		ring_sqe_at(r, last_ticket(r))->flags |= LINK;
		prep(r, ARING_OP_LINK_TIMEOUT, -1, &ts, 1, 0, 2);
		NEED_EQ(2, ring_submit(r), "round %lu", i);
		prep_cancel(r, 1, 0, 3);
		NEED_EQ(1, ring_submit(r), "round %lu", i);
		for (int k = 0; k < 3; k++) {
			NEED_EQ(0, ring_cqe(r, &cqe), "round %lu, %s", i,
				s->name);
			ASSERT_LE(cqe.user_data, 3);
			seen[cqe.user_data]++;
			res[cqe.user_data] = cqe.res;
		}
		NEED_EQ(1, seen[1] * seen[2] * seen[3], "round %lu, %s", i,
			s->name);
		if (res[3] == 0 || res[2] == -ETIME)
			CHECK_EQ(-ECANCELED, res[1], "round %lu, %s", i,
				 s->name);
		/* Not both of them. */
		CHECK_TRUE(res[3] != 0 || res[2] != -ETIME, "round %lu, %s", i,
			   s->name);
		EXPECT_EQ(0, ring_ready(r));
		ASSERT_EQ(0, steer_clear(r));
		if (s->prep == sub_pipe && res[1] == 1)
			ASSERT_EQ(1, write(self->f.pipe[1], "x", 1));
	}
	o.stop = true;
	pthread_join(t, NULL);
	EXPECT_EQ(0, o.ret);
}

struct closer {
	int fd;
};

static void *close_soon(void *arg)
{
	struct closer *c = arg;

	sched_yield();
	close(c->fd);
	return NULL;
}

/* The ring goes while its requests come to be held, and are let go. */
TEST_F_TIMEOUT(steer_life, close_at_any_moment, 120)
{
	const unsigned long rounds = test_scale(200, 10);
	long before = no_rings(&self->r);

	for (unsigned long i = 0; i < rounds; i++) {
		struct closer c;
		struct ring r;
		pthread_t t;

		ASSERT_EQ(0, ring_init(&r, DEVICE, 64, 0));
		ASSERT_EQ(0, steer_all(&r, ARING_ACT_HOLD_QUEUED + i % 3, 0));
		for (int k = 0; k < 4; k++)
			FOR_SUBJECTS(s)
				if (s->prep != sub_pipe)
					s->prep(&r, &self->f, k);
		c.fd = r.fd;
		ring_flush(&r);
		ASSERT_EQ(0, pthread_create(&t, NULL, close_soon, &c));
		ring_enter(&r, 28, 0, 0, NULL, 0);
		steer_release_all(&r);
		pthread_join(t, NULL);
		ring_unmap(&r);
	}
	EXPECT_EQ(before, module_refcnt_wait(before));
}

RING_TEST_MAIN
