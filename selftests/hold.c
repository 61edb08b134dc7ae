// SPDX-License-Identifier: MIT
/*
 * Very many requests that wait at once: polls, timeouts and receives, 10,000 of
 * each in one ring. They fit, each of them ends once, and whatever ends the
 * ring takes them all down within a second.
 */
#include "poll.h"
#include "module.h"
#include <sys/resource.h>

#define PER_FILE	10	/* requests that wait for the same file */
#define BATCH		1024	/* entries of the SQ */
#define KINDS		3	/* polls, timeouts, receives */
#define ROUNDS		3

/*
 * What a request may take of the kernel's memory, and what is nobody's: slabs
 * that are not full, counters that are behind. KASAN puts a zone around
 * everything, and keeps what is freed for a while.
 */
#define REQUEST_MOST	1024
#define REQUEST_LEAST	128
#define SLACK		(2 << 20)

FIXTURE(hold) { int unused; };
RING_VARIANTS(hold);
FIXTURE_SETUP(hold) { }
FIXTURE_TEARDOWN(hold) { }

/* What the requests wait for. The ring alone holds the ends [0] of the files. */
struct load {
	unsigned long n, files;
	int (*pipes)[2], (*socks)[2];
	unsigned char *got;	/* a byte per receive */
};

static const struct __kernel_timespec never = { .tv_sec = 100000 };

static __u64 within(enum backend backend)
{
	/* the second is what the device promises */
	return ms(backend == DEVICE ? 1000 : 10000) *
	       (test_slow() > 1 ? 20 : 1);
}

static bool load_open(struct load *l)
{
	struct rlimit lim;

	l->n = test_scale(10000, 500) / PER_FILE * PER_FILE;
	l->files = l->n / PER_FILE;
	if (getrlimit(RLIMIT_NOFILE, &lim))
		return false;
	if (lim.rlim_cur < 4 * l->files + 64) {
		lim.rlim_cur = 4 * l->files + 64;
		if (lim.rlim_max < lim.rlim_cur)
			lim.rlim_max = lim.rlim_cur;
		if (setrlimit(RLIMIT_NOFILE, &lim))
			return false;
	}
	l->pipes = calloc(l->files, sizeof(*l->pipes));
	l->socks = calloc(l->files, sizeof(*l->socks));
	l->got = calloc(l->n, 1);
	if (!l->pipes || !l->socks || !l->got)
		return false;
	/* so that it is no memory that comes later */
	memset(l->got, 0xff, l->n);
	for (unsigned long i = 0; i < l->files; i++) {
		if (pipe2(l->pipes[i], O_CLOEXEC) ||
		    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0,
			       l->socks[i]))
			return false;
	}
	return true;
}

/* The program's own descriptors of what the requests wait for. */
static void load_let_go(struct load *l)
{
	for (unsigned long i = 0; i < l->files; i++) {
		close(l->pipes[i][0]);
		close(l->socks[i][0]);
	}
}

static void load_free(struct load *l)
{
	for (unsigned long i = 0; i < l->files; i++) {
		close(l->pipes[i][1]);
		close(l->socks[i][1]);
	}
	free(l->pipes);
	free(l->socks);
	free(l->got);
}

/* Everything is in flight. The user_data are 0 to 3 * n - 1, kind by kind. */
static bool load_submit(struct load *l, struct ring *r)
{
	for (unsigned long i = 0; i < l->n; i++) {
		unsigned long f = i / PER_FILE;

		prep_poll(r, l->pipes[f][0], POLLIN, i);
		prep_timeout(r, &never, 0, 0, l->n + i);
		prep_recv(r, l->socks[f][0], l->got + i, 1, 0, 2 * l->n + i);
		if (i % (BATCH / KINDS) && i != l->n - 1)
			continue;
		if (ring_submit(r) < 0 ||
		    *r->sq_head != r->tail)
			return false;
	}
	return !ring_ready(r);
}

static int ring_for_many(struct ring *r, enum backend backend)
{
	struct aring_params p = {
		.flags = ARING_SETUP_CQSIZE, .cq_entries = 65536,
	};

	return ring_init_params(r, backend, BATCH, &p);
}

/* A whole file of /proc, in memory that is the caller's. */
static char *slurp(const char *path)
{
	size_t len = 0, size = 1 << 16;
	char *text = malloc(size), *more;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	while (text && (n = read(fd, text + len, size - len - 1)) > 0) {
		len += n;
		if (len > size / 2) {
			size *= 2;
			more = realloc(text, size);
			if (!more)
				break;
			text = more;
		}
	}
	close(fd);
	if (text)
		text[len] = 0;
	return text;
}

/*
 * How many requests the device says are in flight, of a kind or at all. Those
 * that are over stay listed until somebody passes by who cleans up.
 */
static unsigned long in_flight(struct ring *r, const char *op)
{
	unsigned long n = 0;
	char path[64], kind[32];
	char *text, *line, *rest;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", r->fd);
	snprintf(kind, sizeof(kind), "op=%s,", op ?: "");
	text = slurp(path);
	for (line = text ? strtok_r(text, "\n", &rest) : NULL; line;
	     line = strtok_r(NULL, "\n", &rest))
		n += strstr(line, "  ticket=") && (!op || strstr(line, kind)) &&
		     !strstr(line, "=done") && !strstr(line, "=cancelled");
	free(text);
	return n;
}

/* Bytes that the kernel has in small pieces and cannot give back at will. */
static long slab_bytes(void)
{
	char *text = slurp("/proc/meminfo");
	char *at = text ? strstr(text, "SUnreclaim:") : NULL;
	long kib = at ? atol(at + strlen("SUnreclaim:")) : -1;

	free(text);
	return kib * 1024;
}

/*
 * A ring that holds everything; what that takes in memory is within bounds, and
 * is the answer.
 */
static long hold_all(struct __test_metadata *_metadata, struct load *l,
		     struct ring *r, enum backend backend)
{
	long before, took, most;

	ASSERT_TRUE(load_open(l));
	ASSERT_EQ(0, ring_for_many(r, backend));
	before = slab_bytes();
	ASSERT_GT(before, 0);
	NEED_TRUE(load_submit(l, r), "%u CQEs", ring_ready(r));
	took = slab_bytes() - before;
	most = KINDS * l->n * REQUEST_MOST * (test_slow() > 1 ? 3 : 1) + SLACK;
	TH_LOG("%lu requests take %ld KiB", KINDS * l->n, took / 1024);
	EXPECT_LE(took, most);
	/* or what was looked at is not what they take */
	if (test_slow() == 1)
		EXPECT_GE(took + SLACK, (long)(KINDS * l->n * REQUEST_LEAST));
	load_let_go(l);
	if (backend == DEVICE) {
		EXPECT_EQ(l->n, in_flight(r, "poll_add"));
		EXPECT_EQ(l->n, in_flight(r, "timeout"));
		EXPECT_EQ(l->n, in_flight(r, "recv"));
	}
	return took;
}

static bool gone_by(int fd, short event, __u64 end)
{
	struct pollfd p = { .fd = fd };

	do {
		__u64 now = now_ns();

		poll(&p, 1, now < end ? (end - now) / ms(1) : 0);
		if (p.revents & event)
			return true;
	} while (now_ns() < end);
	return false;
}

/* Nobody has the other ends any more; or how many of them somebody has. */
static unsigned long still_held(struct load *l, __u64 end)
{
	unsigned long held = 0;

	for (unsigned long i = 0; i < l->files; i++) {
		held += !gone_by(l->pipes[i][1], POLLERR, end);
		held += !gone_by(l->socks[i][1], POLLHUP, end);
	}
	return held;
}

/*
 * The ring and all that it held are to be gone, @start being when it began.
 * Answers whether that was in time: others may have been busy on this machine,
 * so each way has ROUNDS tries.
 */
static bool all_gone(struct __test_metadata *_metadata, struct load *l,
		     enum backend backend, const char *what, __u64 start,
		     long refcnt)
{
	__u64 files, all;

	CHECK_EQ(0, still_held(l, start + 10 * within(backend)), "%s", what);
	files = now_ns() - start;
	if (backend == DEVICE)
		CHECK_EQ(refcnt, module_refcnt_wait(refcnt), "%s", what);
	all = now_ns() - start;
	TH_LOG("%s: the files gone after %llu ms, all after %llu ms", what,
	       files / ms(1), all / ms(1));
	return all <= within(backend);
}

/* Some of the memory stays in slabs that are not empty. */
static bool slab_falls_to(long most)
{
	__u64 end = now_ns() + ms(10000);

	while (slab_bytes() > most) {
		if (now_ns() > end)
			return false;
		usleep(20000);
	}
	return true;
}

/* --- all of them end ----------------------------------------------------- */

static void reap_all(struct __test_metadata *_metadata, struct load *l,
		     struct ring *r, unsigned long total, const int *want)
{
	unsigned char *seen = calloc(total, 1);
	unsigned long wrong = 0;
	struct aring_cqe cqe;

	ASSERT_NE(NULL, seen);
	NEED_EQ(0, ring_wait_ns(r, total, ms(20000) * test_slow()),
		"%u of %lu", ring_ready(r), total);
	while (ring_reap(r, &cqe)) {
		NEED_TRUE(cqe.user_data < total, "user_data %llu",
			  (unsigned long long)cqe.user_data);
		wrong += cqe.res != want[cqe.user_data / l->n] || cqe.flags ||
			 seen[cqe.user_data]++;
	}
	EXPECT_EQ(0, wrong);
	for (unsigned long i = 0; i < total; i++)
		wrong += !seen[i];
	EXPECT_EQ(0, wrong);
	EXPECT_TRUE(ring_quiet(r, 10));
	free(seen);
}

/* Which receive gets which byte is nobody's promise; each one gets one. */
static bool bytes_came(struct load *l)
{
	for (unsigned long f = 0; f < l->files; f++) {
		unsigned int seen = 0;

		for (int i = 0; i < PER_FILE; i++) {
			unsigned char c = l->got[f * PER_FILE + i];

			if (c >= PER_FILE)
				return false;
			seen |= 1U << c;
		}
		if (seen != (1U << PER_FILE) - 1)
			return false;
	}
	return true;
}

TEST_F_TIMEOUT(hold, each_completes_once, 120)
{
	const int want[] = { POLLIN, -ECANCELED, 1, 0 };
	char bytes[PER_FILE];
	struct load l;
	struct ring r;

	hold_all(_metadata, &l, &r, variant->backend);
	for (int i = 0; i < PER_FILE; i++)
		bytes[i] = i;
	for (unsigned long f = 0; f < l.files; f++) {
		ASSERT_EQ(1, write(l.pipes[f][1], "x", 1));
		ASSERT_EQ(PER_FILE, send(l.socks[f][1], bytes, PER_FILE, 0));
	}
	for (unsigned long i = 0; i < l.n; i++) {
		prep(&r, ARING_OP_TIMEOUT_REMOVE, -1,
		     (void *)(uintptr_t)(l.n + i), 0, 0, 3 * l.n + i);
		if (i % BATCH == BATCH - 1 || i == l.n - 1)
			ASSERT_GT(ring_submit(&r), 0);
	}
	reap_all(_metadata, &l, &r, 4 * l.n, want);
	EXPECT_TRUE(bytes_came(&l));
	EXPECT_EQ(0, still_held(&l, now_ns() + within(variant->backend)));
	if (variant->backend == DEVICE)
		EXPECT_EQ(0, in_flight(&r, NULL));
	ring_exit(&r);
	load_free(&l);
}

/* --- the ring ends ------------------------------------------------------- */

static bool close_all(struct __test_metadata *_metadata, enum backend backend,
		      bool unmap_first)
{
	const char *what = unmap_first ? "munmap and close" :
					 "close and munmap";
	long refcnt = module_refcnt_at_start(), slab, took;
	struct load l;
	struct ring r;
	__u64 start;
	bool in_time;

	took = hold_all(_metadata, &l, &r, backend);
	slab = slab_bytes();
	start = now_ns();
	if (unmap_first)
		ring_unmap(&r);
	close(r.fd);
	if (!unmap_first)
		ring_unmap(&r);
	in_time = all_gone(_metadata, &l, backend, what, start, refcnt);
	/* most of what they took comes back */
	if (test_slow() == 1)
		CHECK_TRUE(slab_falls_to(slab - took * 3 / 4 + SLACK),
			   "%s: %ld KiB before, %ld after", what, slab / 1024,
			   slab_bytes() / 1024);
	load_free(&l);
	return in_time;
}

TEST_F_TIMEOUT(hold, close_takes_all_down, 120)
{
	int round = 0;

	while (!close_all(_metadata, variant->backend, true))
		ASSERT_LT(++round, ROUNDS);
}

TEST_F_TIMEOUT(hold, close_before_munmap_takes_all_down, 120)
{
	int round = 0;

	while (!close_all(_metadata, variant->backend, false))
		ASSERT_LT(++round, ROUNDS);
}

static void child_holds(struct load *l, enum backend backend, int ready)
{
	struct aring_cqe cqe;
	struct ring r;

	if (ring_for_many(&r, backend) || !load_submit(l, &r))
		_exit(1);
	load_let_go(l);
	if (write(ready, "y", 1) != 1)
		_exit(2);
	/* in its sleep */
	ring_cqe(&r, &cqe);
	_exit(3);
}

static bool kill_all(struct __test_metadata *_metadata, enum backend backend,
		     int round)
{
	long refcnt = module_refcnt_at_start();
	int ready[2], status;
	bool in_time;
	struct load l;
	__u64 start;
	pid_t pid;
	char c;

	ASSERT_TRUE(load_open(&l));
	ASSERT_EQ(0, pipe2(ready, O_CLOEXEC));
	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid)
		child_holds(&l, backend, ready[1]);
	close(ready[1]);
	load_let_go(&l);
	NEED_EQ(1, read(ready[0], &c, 1), "round %d", round);
	/* it reaches its wait, or is killed on the way there */
	usleep(round * 20000);
	EXPECT_EQ(2 * l.files, still_held(&l, 0));
	start = now_ns();
	ASSERT_EQ(0, kill(pid, SIGKILL));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_TRUE(WIFSIGNALED(status));
	in_time = all_gone(_metadata, &l, backend, "kill -9", start, refcnt);
	close(ready[0]);
	load_free(&l);
	return in_time;
}

TEST_F_TIMEOUT(hold, kill_takes_all_down, 120)
{
	bool in_time = false;

	for (int round = 0; round < ROUNDS; round++)
		in_time |= kill_all(_metadata, variant->backend, round);
	EXPECT_TRUE(in_time);
}

/* --- what only the device does ------------------------------------------- */

FIXTURE(device) { int unused; };
FIXTURE_VARIANT(device) { int unused; };
FIXTURE_VARIANT_ADD(device, device) { .unused = 0 };
FIXTURE_SETUP(device) { }
FIXTURE_TEARDOWN(device) { }

/* The ring is still open, and has their completions when it is mapped again. */
static bool unmap_all(struct __test_metadata *_metadata)
{
	const int want[] = { -ECANCELED, -ECANCELED, -ECANCELED };
	struct load l;
	struct ring r;
	__u64 start, took;

	hold_all(_metadata, &l, &r, DEVICE);
	start = now_ns();
	ring_unmap(&r);
	EXPECT_EQ(0, still_held(&l, start + 10 * within(DEVICE)));
	/* it is given out again when what was in it is over */
	ASSERT_EQ(0, ring_map(&r));
	EXPECT_EQ(KINDS * l.n, ring_ready(&r));
	took = now_ns() - start;
	TH_LOG("munmap: all gone after %llu ms", took / ms(1));
	EXPECT_EQ(0, in_flight(&r, NULL));
	reap_all(_metadata, &l, &r, KINDS * l.n, want);
	prep_nop(&r, 7);
	EXPECT_EQ(0, ring_run(&r));
	ring_exit(&r);
	load_free(&l);
	return took <= within(DEVICE);
}

TEST_F_TIMEOUT(device, munmap_takes_all_down, 120)
{
	int round = 0;

	while (!unmap_all(_metadata))
		ASSERT_LT(++round, ROUNDS);
}

/*
 * All of them by one request, whose own result is their number. (io_uring works
 * on this for a minute and a half: for each it looks at all anew.)
 */
TEST_F_TIMEOUT(device, one_cancel_takes_all_back, 120)
{
	const int want[] = { -ECANCELED, -ECANCELED, -ECANCELED };
	struct aring_cqe cqe, first;
	struct load l;
	struct ring r;
	__u64 start;
	__u32 at;

	hold_all(_metadata, &l, &r, DEVICE);
	start = now_ns();
	prep_cancel(&r, 0, ARING_ASYNC_CANCEL_ANY, 3 * l.n);
	ASSERT_EQ(1, ring_submit(&r));
	NEED_EQ(0, ring_wait(&r, KINDS * l.n + 1), "%u CQEs", ring_ready(&r));
	TH_LOG("all taken back after %llu ms", (now_ns() - start) / ms(1));
	/* its own CQE lies anywhere: out with it, to the front */
	for (at = *r.cq_head; at != *r.cq_tail; at++)
		if (ring_cqe_at(&r, at)->user_data == 3 * l.n)
			break;
	ASSERT_NE(*r.cq_tail, at);
	cqe = *ring_cqe_at(&r, at);
	EXPECT_EQ((int)(KINDS * l.n), cqe.res);
	ASSERT_TRUE(ring_reap(&r, &first));
	if (first.user_data != 3 * l.n)
		*ring_cqe_at(&r, at) = first;
	reap_all(_metadata, &l, &r, KINDS * l.n, want);
	ring_exit(&r);
	EXPECT_EQ(0, still_held(&l, now_ns() + within(DEVICE)));
	load_free(&l);
}

RING_TEST_MAIN
