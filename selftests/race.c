// SPDX-License-Identifier: MIT
/*
 * Cancel against completion, two CPUs. One thread submits targets in small
 * batches and sees to it that they end; another cancels them at that moment.
 * Every target and every cancel must have exactly one completion, and the two
 * results must be one of the pairs that the header allows.
 *
 * A race that always ends in the same way shows nothing, so the delay between
 * the two tunes itself, and the test fails unless each of the verdicts that
 * the family must give has at least 5 %.
 */
#include "ring.h"
#include "disk.h"
#include "duel.h"

#define RACES	1000000UL	/* on the stock kernel, all families together */
#define SHARE	20		/* each verdict: at least one in ... */
#define BATCH	128
#define RANGE_MAX 1000000	/* ns */

enum { TIMEOUTS, DIRECT, PIPES, WORKERS, FAMILIES };
enum { TAKEN, STARTED, GONE, VERDICTS };

static const char *const VERDICT[] = { "0", "-EALREADY", "-ENOENT" };

static const struct family {
	const char *name;
	unsigned int percent;		/* of all races: fewer where each is slow */
	unsigned int batch;
	bool must[VERDICTS];
} FAMILY[] = {
	[TIMEOUTS] = { "timeouts", 55, 128, { [TAKEN] = 1, [GONE] = 1 } },
	[DIRECT] = { "O_DIRECT reads", 2, 4, { [STARTED] = 1, [GONE] = 1 } },
	[PIPES] = { "pipe reads", 40, 64, { [TAKEN] = 1, [GONE] = 1 } },
	[WORKERS] = { "worker reads", 3, 4, { [TAKEN] = 1, [STARTED] = 1,
					       [GONE] = 1 } },
};

struct race {
	struct ring r;
	int kind;
	const struct family *f;
	int fd, pipes[BATCH][2];
	char *buf;
	unsigned int len;		/* of a read */
	struct __kernel_timespec ts[BATCH];

	/* handed between the two threads */
	unsigned int go, stop;
	__u64 batch_nr;
	__u64 delay;
	int canceller_error;

	/* tuning: the canceller waits up to this long, or the other if < 0 */
	__s64 range;
	unsigned int window[VERDICTS];
	__u64 seed;

	unsigned long count[VERDICTS];
	unsigned long interrupted;	/* started, and took nothing after all */
	unsigned long done;
	char error[256];
};

static __u64 rnd(struct race *x)
{
	x->seed ^= x->seed << 13;
	x->seed ^= x->seed >> 7;
	x->seed ^= x->seed << 17;
	return x->seed;
}

static void spin(__u64 ns)
{
	__u64 end;

	if (!ns)
		return;
	end = now_ns() + ns;
	while (now_ns() < end)
		;
}

static __u64 key(const struct race *x, int cancel, unsigned int i)
{
	return x->batch_nr << 16 | cancel << 8 | i;
}

static void *canceller(void *arg)
{
	struct race *x = arg;
	unsigned int seen = 0, i, n = x->f->batch;
	int ret;

	pin_to_cpu(1);
	for (;;) {
		unsigned int idle = 0;

		while (__atomic_load_n(&x->go, __ATOMIC_ACQUIRE) == seen) {
			if (__atomic_load_n(&x->stop, __ATOMIC_RELAXED))
				return NULL;
			/* a host with one CPU to give must not lose it here */
			if (++idle % 65536 == 0)
				sched_yield();
		}
		seen++;
		/*
		 * The queue is ours now, though its owner may be in ENTER yet.
		 * Each ENTER takes the number of SQEs it was asked to take, so
		 * it makes no difference to the results if ours comes first.
		 */
		for (i = 0; i < n; i++)
			prep_cancel(&x->r, key(x, 0, i), 0, key(x, 1, i));
		ring_flush(&x->r);
		spin(x->delay);
		ret = ring_enter(&x->r, n, 0, 0, NULL, 0);
		if (ret != (int)n)
			__atomic_store_n(&x->canceller_error, ret ? ret : -1,
					 __ATOMIC_RELEASE);
	}
}

/*
 * A virtual CPU that has nothing to run halts, and is slow to wake up. This
 * runs, at the lowest priority, where the submitter and the workers do.
 */
static void *keep_awake(void *arg)
{
	struct sched_param none = { 0 };
	struct race *x = arg;

	pin_to_cpu(0);
	sched_setscheduler(0, SCHED_IDLE, &none);
	while (!__atomic_load_n(&x->stop, __ATOMIC_RELAXED))
		;
	return NULL;
}

static bool pair_allowed(struct race *x, int verdict, int target)
{
	int own = x->kind == TIMEOUTS ? -ETIME : x->kind == PIPES ? 1 :
		  (int)x->len;

	/* of two results io_uring promises nothing */
	if (x->r.backend == IO_URING)
		return target == own || target == -ECANCELED;
	switch (verdict) {
	case 0:
		return target == -ECANCELED;
	case -EALREADY:
		return target == own ||
		       (target == -ECANCELED && x->kind == PIPES);
	case -ENOENT:
		return target == own;
	}
	return false;
}

/* Wait for and judge the 2 * n completions of the batch. */
static bool judge(struct race *x)
{
	unsigned int n = x->f->batch, got = 0, i;
	int target[BATCH], verdict[BATCH];
	struct aring_cqe cqe;
	__u64 spun = now_ns();

	for (i = 0; i < n; i++) {
		target[i] = RES_NONE;
		verdict[i] = RES_NONE;
	}
	while (got < 2 * n) {
		int *slot;

		if (!ring_reap(&x->r, &cqe)) {
			/* each timeout would end a wait: look without calls */
			if (x->kind == TIMEOUTS && x->r.backend == DEVICE &&
			    now_ns() - spun < ms(1))
				continue;
			if (ring_wait(&x->r, 2 * n - got) &&
			    !ring_ready(&x->r)) {
				snprintf(x->error, sizeof(x->error),
					 "batch %llu: %u of %u completions (canceller: %d)",
					 x->batch_nr, got, 2 * n,
					 x->canceller_error);
				return false;
			}
			continue;
		}
		i = cqe.user_data & 0xff;
		slot = cqe.user_data & 0x100 ? verdict : target;
		if (cqe.user_data >> 16 != x->batch_nr || i >= n ||
		    slot[i] != RES_NONE) {
			snprintf(x->error, sizeof(x->error),
				 "batch %llu: unexpected completion %#llx, result %d",
				 x->batch_nr, cqe.user_data, cqe.res);
			return false;
		}
		slot[i] = cqe.res;
		got++;
		if (slot == verdict && cqe.res == -ENOENT &&
		    target[i] == RES_NONE && x->r.backend == DEVICE) {
			snprintf(x->error, sizeof(x->error),
				 "batch %llu: -ENOENT ahead of its target's completion",
				 x->batch_nr);
			return false;
		}
	}
	for (i = 0; i < n; i++) {
		int v = verdict[i] == 0 ? TAKEN :
			verdict[i] == -EALREADY ? STARTED : GONE;
		char b;

		if (!pair_allowed(x, verdict[i], target[i])) {
			snprintf(x->error, sizeof(x->error),
				 "cancel %d, target %d: not an allowed pair",
				 verdict[i], target[i]);
			return false;
		}
		x->count[v]++;
		x->window[v]++;
		if (v == STARTED && target[i] == -ECANCELED)
			x->interrupted++;
		/* the byte that was not read must not end the next read */
		if (x->kind == PIPES && target[i] != 1 &&
		    read(x->pipes[i][0], &b, 1) != 1) {
			snprintf(x->error, sizeof(x->error),
				 "a cancelled read took the data");
			return false;
		}
	}
	x->done += n;
	return true;
}

/* Aim at as many that were too late as others. */
static void tune(struct race *x)
{
	unsigned int *w = x->window;
	unsigned int all = w[TAKEN] + w[STARTED] + w[GONE];
	__s64 step;

	if (all < 16 * x->f->batch)
		return;
	step = (x->range < 0 ? -x->range : x->range) / 4 + 200;
	if (w[GONE] * 100 < all * 35)
		x->range += step;
	else if (w[GONE] * 100 > all * 60)
		x->range -= step;
	if (x->kind == WORKERS) {
		/* a longer read is longer on its way */
		if ((w[STARTED] * 100 < all * 15 || w[GONE] * 100 > all * 55) &&
		    x->len < 1 << 20)
			x->len *= 2;
		else if (w[STARTED] * 100 > all * 50 && x->len > 4096)
			x->len /= 2;
	}
	if (x->range > RANGE_MAX)
		x->range = RANGE_MAX;
	if (x->range < -RANGE_MAX)
		x->range = -RANGE_MAX;
	/* only pipes and timeouts can be made to end later */
	if (x->kind != PIPES && x->kind != TIMEOUTS && x->range < 0)
		x->range = 0;
	memset(x->window, 0, sizeof(x->window));
}

static bool one_batch(struct race *x)
{
	unsigned int n = x->f->batch, i;
	__s64 delay = x->range ? (__s64)(rnd(x) % 1024) * x->range / 1024 : 0;
	__u64 other = delay < 0 ? -delay : 0;
	int ret;

	x->delay = delay > 0 ? delay : 0;
	x->batch_nr++;
	for (i = 0; i < n; i++) {
		__u64 ud = key(x, 0, i);

		switch (x->kind) {
		case TIMEOUTS:
			x->ts[i] = to_ts(1000 + other + rnd(x) % 30000);
			prep_timeout(&x->r, &x->ts[i], 0, 0, ud);
			break;
		case DIRECT:
			prep_read(&x->r, x->fd, x->buf + i * x->len, x->len,
				  (rnd(x) % 256) * 4096, ud);
			break;
		case PIPES:
			prep_read(&x->r, x->pipes[i][0], x->buf + i, 1, 0, ud);
			break;
		default:
			prep_read(&x->r, x->fd, x->buf + (i << 20), x->len, 0,
				  ud)->flags = ARING_SQE_ASYNC;
		}
	}
	ring_flush(&x->r);
	__atomic_store_n(&x->go, x->go + 1, __ATOMIC_RELEASE);
	/* who waits in ENTER leaves its CPU to workers */
	if (x->kind == WORKERS || x->kind == DIRECT)
		ret = ring_enter(&x->r, n, 2 * n, ARING_ENTER_GETEVENTS, NULL,
				 0);
	else
		ret = ring_enter(&x->r, n, 0, 0, NULL, 0);
	if (ret != (int)n) {
		snprintf(x->error, sizeof(x->error), "ENTER gave %d, not %u",
			 ret, n);
		return false;
	}
	if (x->kind == PIPES) {
		unsigned int first = rnd(x) % n;

		spin(other);
		for (i = 0; i < n; i++)
			if (write(x->pipes[(first + i) % n][1], "x", 1) != 1)
				return false;
	}
	return judge(x);
}

FIXTURE(race) {
	struct race *x;
};

RING_VARIANTS(race);

FIXTURE_SETUP(race)
{
	struct race *x = calloc(1, sizeof(*x));

	ASSERT_NE(NULL, x);
	self->x = x;
	ASSERT_EQ(0, ring_init(&x->r, variant->backend, 512, 0));
	x->buf = mmap(NULL, 16 << 20, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	ASSERT_NE(MAP_FAILED, x->buf);
	x->seed = 0x9e3779b97f4a7c15ULL;
	x->range = 5000;
	x->fd = -1;
}

FIXTURE_TEARDOWN(race)
{
	ring_exit(&self->x->r);
}

/* Has each verdict that the family must show its share? */
static bool shares_reached(const struct race *x)
{
	for (int v = 0; v < VERDICTS; v++)
		if (x->f->must[v] && x->count[v] * SHARE < x->done)
			return false;
	return true;
}

/*
 * The shares are what makes a run worth something as a proof, and are asked of
 * the full count on the stock kernel. The debug kernels look for reports in
 * fewer races, and their speed lets some verdicts become rare.
 */
static bool shares_asked_for(const struct race *x)
{
	const char *kernel = getenv("ARING_VM_KERNEL");

	return x->r.backend == DEVICE && test_scale_factor() >= 1 &&
	       (!kernel || !strcmp(kernel, "stock"));
}

static void run_family(struct __test_metadata *_metadata, struct race *x,
		       int kind)
{
	unsigned long want = test_scale(RACES / 100 * FAMILY[kind].percent,
					1000);
	unsigned long warmup;
	pthread_t t, awake;
	__u64 start;
	bool ok = true;

	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		SKIP(return, "a race needs two CPUs");
	/* io_uring gives no promise about pairs: a short run, for the test */
	if (x->r.backend == IO_URING)
		want = test_scale(1000, 200);
	x->kind = kind;
	x->f = &FAMILY[kind];
	pin_to_cpu(0);
	ASSERT_EQ(0, pthread_create(&t, NULL, canceller, x));
	ASSERT_EQ(0, pthread_create(&awake, NULL, keep_awake, x));

	warmup = want / 10;
	while (ok && x->done < warmup) {
		ok = one_batch(x);
		tune(x);
	}
	memset(x->count, 0, sizeof(x->count));
	x->done = 0;
	x->interrupted = 0;
	start = now_ns();
	/* A busy host may disturb the tuning for a while: then go on. */
	while (ok && (x->done < want || (shares_asked_for(x) &&
					 !shares_reached(x) &&
					 x->done < 3 * want))) {
		ok = one_batch(x);
		tune(x);
	}
	__atomic_store_n(&x->stop, 1, __ATOMIC_RELEASE);
	pthread_join(t, NULL);
	pthread_join(awake, NULL);
	printf("# %s: %lu races in %.1f s:", x->f->name, x->done,
	       (now_ns() - start) / 1e9);
	for (int v = 0; v < VERDICTS; v++)
		printf(" %s %.1f %%,", VERDICT[v],
		       x->done ? 100.0 * x->count[v] / x->done : 0);
	printf(" started and then cancelled %lu; range %lld ns, length %u\n",
	       x->interrupted, (long long)x->range, x->len);
	CHECK_TRUE(ok, "%s: %s", x->f->name, x->error);
	EXPECT_TRUE(ring_quiet(&x->r, 20)) {
		TH_LOG("a completion too many");
	}
	if (!ok || !shares_asked_for(x))
		return;
	for (int v = 0; v < VERDICTS; v++)
		if (x->f->must[v])
			CHECK_GE(x->count[v] * SHARE, x->done,
				 "%s: too few verdicts %s to prove anything",
				 x->f->name, VERDICT[v]);
}

TEST_F_TIMEOUT(race, timeouts, 300)
{
	run_family(_metadata, self->x, TIMEOUTS);
}

TEST_F_TIMEOUT(race, direct_reads, 300)
{
	self->x->fd = open(NULLB, O_RDONLY | O_DIRECT | O_CLOEXEC);
	ASSERT_GE(self->x->fd, 0);
	self->x->len = 4096;
	run_family(_metadata, self->x, DIRECT);
}

TEST_F_TIMEOUT(race, pipe_reads, 300)
{
	for (unsigned int i = 0; i < FAMILY[PIPES].batch; i++)
		ASSERT_EQ(0, pipe(self->x->pipes[i]));
	run_family(_metadata, self->x, PIPES);
}

TEST_F_TIMEOUT(race, worker_reads, 300)
{
	int fd = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	ASSERT_GE(fd, 0);
	ASSERT_EQ(1 << 20, pwrite(fd, self->x->buf, 1 << 20, 0));
	self->x->fd = fd;
	self->x->len = 16384;
	run_family(_metadata, self->x, WORKERS);
}

RING_TEST_MAIN
