// SPDX-License-Identifier: MIT
/*
 * Armed polls that are taken back: by each key, in numbers, and at the moment of
 * the event. The pairs of results that are allowed are those of the header's
 * comment. POLL_REMOVE's results are in pollmulti.c.
 */
#include "duel.h"
#include "poll.h"

RING_FIXTURE(take_back);

static struct aring_sqe *prep_cancel_fd(struct ring *r, int fd, __u32 flags,
					__u64 ud)
{
	struct aring_sqe *s = prep_cancel(r, 0, flags | ARING_ASYNC_CANCEL_FD,
					  ud);

	s->fd = fd;
	return s;
}

TEST_F(take_back, async_cancel_by_each_key)
{
	for (int multi = 0; multi < 2; multi++) {
		int fd = eventfd(0, 0), other = eventfd(0, 0);

		for (int form = 0; form < 3; form++) {
			prep_poll(&self->r, fd, POLLIN, 1)->len = multi;
			ASSERT_EQ(1, ring_submit(&self->r));
			prep_cancel(&self->r, 9, 0, 3);
			EXPECT_EQ(-ENOENT, ring_run(&self->r));
			prep_cancel_fd(&self->r, other, 0, 3);
			EXPECT_EQ(-ENOENT, ring_run(&self->r));
			if (form == 0)
				prep_cancel(&self->r, 1, 0, 2);
			else if (form == 1)
				prep_cancel_fd(&self->r, fd, 0, 2);
			else
				prep_cancel(&self->r, 0,
					    ARING_ASYNC_CANCEL_ANY, 2);
			ASSERT_EQ(1, ring_submit(&self->r));
			BOTH(&self->r, 1, -ECANCELED, 2, form == 2,
			     "form %d, multishot %d", form, multi);
			eventfd_add(fd, 1);
			EXPECT_TRUE(ring_quiet(&self->r, 10));
			eventfd_clear(fd);
		}
		close(fd);
		close(other);
	}
}

/* Reap @n CQEs: how many are -ECANCELED, and the result of @verdict. */
static int count_canceled(struct ring *r, int n, __u64 verdict, int *res)
{
	struct aring_cqe cqe;
	int canceled = 0;

	*res = RES_NONE;
	for (int i = 0; i < n && !ring_cqe(r, &cqe); i++) {
		if (cqe.user_data == verdict)
			*res = cqe.res;
		else
			canceled += cqe.res == -ECANCELED;
	}
	return canceled;
}

TEST_F(take_back, async_cancel_counts)
{
	int a = eventfd(0, 0), b = eventfd(0, 0), res;

	for (int form = 0; form < 3; form++) {
		for (int i = 0; i < 10; i++)
			prep_poll(&self->r, i & 1 ? a : b, POLLIN,
				  i < 3 ? 5 : 6)->len = i % 4 == 0;
		ASSERT_EQ(10, ring_submit(&self->r));
		if (form == 0) {
			prep_cancel(&self->r, 5, ARING_ASYNC_CANCEL_ALL, 9);
			ASSERT_EQ(1, ring_submit(&self->r));
			EXPECT_EQ(3, count_canceled(&self->r, 4, 9, &res));
			EXPECT_EQ(3, res);
			prep_cancel(&self->r, 6, ARING_ASYNC_CANCEL_ALL, 9);
			ASSERT_EQ(1, ring_submit(&self->r));
			EXPECT_EQ(7, count_canceled(&self->r, 8, 9, &res));
			EXPECT_EQ(7, res);
			continue;
		}
		if (form == 1) {
			prep_cancel_fd(&self->r, a, ARING_ASYNC_CANCEL_ALL, 9);
			ASSERT_EQ(1, ring_submit(&self->r));
			EXPECT_EQ(5, count_canceled(&self->r, 6, 9, &res));
			EXPECT_EQ(5, res);
		}
		prep_cancel(&self->r, 0, ARING_ASYNC_CANCEL_ANY, 9);
		ASSERT_EQ(1, ring_submit(&self->r));
		EXPECT_EQ(form == 1 ? 5 : 10,
			  count_canceled(&self->r, form == 1 ? 6 : 11, 9,
					 &res));
		EXPECT_EQ(form == 1 ? 5 : 10, res);
	}
	EXPECT_TRUE(ring_quiet(&self->r, 5));
	close(a);
	close(b);
}

TEST_F(take_back, sync_cancel)
{
	struct aring_sync_cancel_reg reg = {
		.addr = 1, .fd = -1, .timeout = { -1, -1 },
	};
	int fd = eventfd(0, 0), res;

	prep_poll(&self->r, fd, POLLIN, 1);
	ASSERT_EQ(1, ring_submit(&self->r));
	EXPECT_EQ(0, ring_register(&self->r, ARING_REGISTER_SYNC_CANCEL, &reg,
				   1));
	NEXT(&self->r, 1, -ECANCELED, 0, "by name");
	EXPECT_EQ(-ENOENT, ring_register(&self->r, ARING_REGISTER_SYNC_CANCEL,
					 &reg, 1));
	reg.fd = fd;
	reg.flags = ARING_ASYNC_CANCEL_FD;
	prep_multi(&self->r, fd, POLLIN, 1);
	ASSERT_EQ(1, ring_submit(&self->r));
	EXPECT_EQ(0, ring_register(&self->r, ARING_REGISTER_SYNC_CANCEL, &reg,
				   1));
	NEXT(&self->r, 1, -ECANCELED, 0, "by file");
	reg.flags = ARING_ASYNC_CANCEL_ANY;
	for (int i = 0; i < 5; i++)
		prep_poll(&self->r, fd, POLLIN, i);
	ASSERT_EQ(5, ring_submit(&self->r));
	EXPECT_EQ(5, ring_register(&self->r, ARING_REGISTER_SYNC_CANCEL, &reg,
				   1));
	EXPECT_EQ(5, count_canceled(&self->r, 5, 99, &res));
	close(fd);
}

/* An event and a cancel at the same moment, from two CPUs. */
struct duel {
	int fd;
	unsigned int go, stop;
	unsigned int shots;
	unsigned int delay;
};

static void *shoot(void *arg)
{
	struct duel *d = arg;
	unsigned int seen = 0;

	pin_to_cpu(1);
	for (;;) {
		unsigned int idle = 0;

		while (__atomic_load_n(&d->go, __ATOMIC_ACQUIRE) == seen) {
			if (__atomic_load_n(&d->stop, __ATOMIC_RELAXED))
				return NULL;
			if (++idle % 4096 == 0)
				sched_yield();
		}
		seen++;
		relax(d->delay);
		eventfd_add(d->fd, 1);
		__atomic_store_n(&d->shots, seen, __ATOMIC_RELEASE);
	}
}

enum { BY_CANCEL, BY_REMOVE, BY_FILE, WAYS };

static void prep_shot(struct ring *r, int way, int fd)
{
	if (way == BY_REMOVE) {
		prep_poll_remove(r, 1, 2);
	} else {
		struct aring_sqe *s = prep_cancel(r, 1, way == BY_FILE ?
						  ARING_ASYNC_CANCEL_FD : 0, 2);

		s->fd = fd;
	}
}

static bool pair_allowed(int verdict, int target)
{
	switch (verdict) {
	case 0:
		return target == -ECANCELED;
	case -EALREADY:
		return target == POLLIN || target == -ECANCELED;
	case -ENOENT:
		return target == POLLIN;
	}
	return false;
}

static void duel(struct __test_metadata *_metadata, struct ring *r, int way,
		 unsigned long n, enum backend backend)
{
	struct duel d = { .fd = eventfd(0, 0) };
	unsigned long gone = 0, started = 0;
	struct lead lead = { 0 };
	pthread_t t;

	pin_to_cpu(0);
	ASSERT_EQ(0, pthread_create(&t, NULL, shoot, &d));
	for (unsigned long i = 0; lead_goes_on(&lead, n); i++) {
		int target = RES_NONE, verdict = RES_NONE;
		bool early = false;

		prep_poll(r, d.fd, POLLIN, 1);
		ASSERT_EQ(1, ring_submit(r));
		prep_shot(r, way, d.fd);
		/* who wins moves to and fro */
		d.delay = i * 37 % 2000 + lead_of_event(&lead);
		__atomic_store_n(&d.go, d.go + 1, __ATOMIC_RELEASE);
		relax(lead_of_cancel(&lead));
		ASSERT_EQ(1, ring_submit(r));
		for (int k = 0; k < 2; k++) {
			struct aring_cqe cqe;

			NEED_EQ(0, ring_cqe(r, &cqe), "round %lu: %d, %d", i,
				verdict, target);
			if (cqe.user_data == 2) {
				verdict = cqe.res;
				early = target == RES_NONE;
			} else {
				target = cqe.res;
			}
		}
		CHECK_EQ(0, ring_ready(r), "round %lu", i);
		/* of two results 6.1 promises less: its cancel may come last */
		NEED_TRUE(pair_allowed(verdict, target) ||
			  (backend == IO_URING &&
			   (target == POLLIN || target == -ECANCELED)),
			  "way %d, round %lu: cancel %d, target %d", way, i,
			  verdict, target);
		if (backend == DEVICE && verdict == -ENOENT)
			CHECK_TRUE(!early, "-ENOENT ahead of its target");
		gone += verdict == -ENOENT;
		started += verdict == -EALREADY;
		/* one that came too late is not to be another round's */
		while (__atomic_load_n(&d.shots, __ATOMIC_ACQUIRE) != d.go)
			sched_yield();
		lead_shift(&lead, verdict == 0);
		eventfd_clear(d.fd);
	}
	__atomic_store_n(&d.stop, 1, __ATOMIC_RELAXED);
	pthread_join(t, NULL);
	printf("# way %d: taken back %lu, too late %lu, underway %lu\n", way,
	       lead.taken, gone, started);
	EXPECT_GT(lead.taken, n / DUEL_SHARE);
	EXPECT_GT(lead.lost, n / DUEL_SHARE);
	close(d.fd);
}

TEST_F_TIMEOUT(take_back, an_event_against_a_cancel, 120)
{
	for (int way = 0; way < WAYS; way++)
		duel(_metadata, &self->r, way, test_scale(20000, 1000),
		     variant->backend);
}

/* What only the device has. */
DEVICE_FIXTURE(ticket);

TEST_F(ticket, names_one_of_several_polls)
{
	int fd = eventfd(0, 0);

	for (int multi = 0; multi < 2; multi++) {
		__u32 first = self->r.tail;

		for (int i = 0; i < 3; i++)
			prep_poll(&self->r, fd, i == 1 ? POLLPRI : POLLIN,
				  7)->len = multi;
		ASSERT_EQ(3, ring_submit(&self->r));
		prep_cancel(&self->r, first, ARING_ASYNC_CANCEL_TICKET, 2);
		ASSERT_EQ(1, ring_submit(&self->r));
		BOTH(&self->r, 7, -ECANCELED, 2, 0, "the first");
		prep_cancel(&self->r, first, ARING_ASYNC_CANCEL_TICKET, 2);
		EXPECT_EQ(-ENOENT, ring_run(&self->r));
		eventfd_add(fd, 1);
		NEXT(&self->r, 7, POLLIN, multi ? (int)ARING_CQE_F_MORE : 0,
		     "the third");
		EXPECT_TRUE(ring_quiet(&self->r, 5));
		prep_cancel(&self->r, first + 1, ARING_ASYNC_CANCEL_TICKET, 2);
		ASSERT_EQ(1, ring_submit(&self->r));
		BOTH(&self->r, 7, -ECANCELED, 2, 0, "the second");
		prep_cancel(&self->r, first + 2, ARING_ASYNC_CANCEL_TICKET, 2);
		ASSERT_EQ(1, ring_submit(&self->r));
		if (multi)
			BOTH(&self->r, 7, -ECANCELED, 2, 0, "the third");
		else
			NEXT(&self->r, 2, -ENOENT, 0, "the third");
		eventfd_clear(fd);
	}
	close(fd);
}

RING_TEST_MAIN
