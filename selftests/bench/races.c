// SPDX-License-Identifier: MIT
/*
 * Cancel against completion, many times: requests that are about to complete
 * and cancels that name them are let loose at the same moment. Whatever the
 * timing, each of the two completes exactly once, and the verdict of the cancel
 * agrees with the result of its target:
 *
 *	cancelled	the cancel says 0, its target -ECANCELED
 *	too late	the cancel says -EALREADY, its target its own result (a
 *			pipe read that then finds nothing may be -ECANCELED)
 *	already gone	the cancel says -ENOENT, its target its own result
 *
 * A race that always ends the same way shows nothing, so the pause before the
 * cancel tunes itself to where it can go either way.
 */
#include <fcntl.h>
#include <getopt.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <stdnoreturn.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <aring.h>

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define DISK		"/dev/nullb0"
#define DISK_BLOCK	4096U
#define TIMEOUT_NS	30000		/* of the first in a batch */
#define TIMEOUT_STEP_NS	1000		/* from one to the next */
#define MAX_PAUSE	10000000L	/* nanoseconds, as the others: */
#define MIN_STEP	1000L
#define MAX_STEP	200000L
#define STRAY		4000
#define BATCH		32U

enum verdict { CANCELLED, TOO_LATE, GONE, VERDICTS };

struct family;

/**
 * struct tally - how the races of one family ended
 * @races: number of races
 * @verdicts: by what the cancel said
 * @wrong: pairs of results that must not be
 * @extra: completions that nobody had asked for
 */
struct tally {
	unsigned long races;
	unsigned long verdicts[VERDICTS];
	unsigned long wrong;
	unsigned long extra;
};

/**
 * struct family - a kind of request to be raced against
 * @begin: get ready; false if it cannot be had here
 * @prep: fill in the target of race i of a batch
 * @go: what makes the targets complete, if that is not time alone, or NULL
 * @settle: after a batch, make the next one independent of it, or NULL
 * @end: clean up
 * @name: for people
 * @result: what the target says when it is left alone
 * @share: of 100 races
 * @both: -EALREADY followed by -ECANCELED is allowed
 */
struct family {
	bool (*begin)(void);
	void (*prep)(struct aring_sqe *sqe, unsigned int i);
	void (*go)(unsigned int nr);
	void (*settle)(void);
	void (*end)(void);
	const char *name;
	int result;
	unsigned int share;
	bool both;
};

static struct aring ring;
static char (*blocks)[DISK_BLOCK];
static int file = -1;

static noreturn void die(const char *what, int err)
{
	fprintf(stderr, "races: %s: %s\n", what, strerror(err));
	exit(1);
}

static long now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000L + ts.tv_nsec;
}

static void pause_for(long ns)
{
	long until = now() + ns;

	if (ns > 0)
		while (now() < until)
			;
}

/* ---- timeouts ------------------------------------------------------------- */

static struct __kernel_timespec times[BATCH];

static bool timeout_begin(void)
{
	unsigned int i;

	for (i = 0; i < BATCH; i++)
		times[i].tv_nsec = TIMEOUT_NS + i * TIMEOUT_STEP_NS;
	return true;
}

static void timeout_prep(struct aring_sqe *sqe, unsigned int i)
{
	aring_prep_timeout(sqe, &times[i], 0, 0);
}

static void timeout_end(void)
{
}

/* ---- reads of a disk, past the page cache --------------------------------- */

static bool disk_begin(void)
{
	file = open(DISK, O_RDONLY | O_DIRECT | O_CLOEXEC);
	return file >= 0;
}

static void disk_prep(struct aring_sqe *sqe, unsigned int i)
{
	aring_prep_read(sqe, file, blocks[i], DISK_BLOCK,
			(__u64)i * DISK_BLOCK);
}

static void disk_end(void)
{
	close(file);
}

/* ---- reads of a pipe that another thread writes to ------------------------ */

static pthread_t writer;
static int pipe_fds[2];
static unsigned long asked, written;	/* bytes; SIZE_MAX in asked: the end */

static void *pipe_writer(void *arg)
{
	unsigned long done = 0;

	for (;;) {
		/* Acquire, paired with the release in pipe_go(). */
		unsigned long want = aring_load_acquire(&asked);

		if (want == done) {
			sched_yield();
			continue;
		}
		if (want == SIZE_MAX)
			return arg;
		if (write(pipe_fds[1], "x", 1) != 1)
			die("write", errno);
		/* Release, paired with the acquire in pipe_settle(). */
		aring_store_release(&written, ++done);
	}
}

static bool pipe_begin(void)
{
	asked = 0;
	written = 0;
	if (pipe2(pipe_fds, O_NONBLOCK | O_CLOEXEC))
		return false;
	return !pthread_create(&writer, NULL, pipe_writer, NULL);
}

static void pipe_prep(struct aring_sqe *sqe, unsigned int i)
{
	aring_prep_read(sqe, pipe_fds[0], blocks[i], 1, (__u64)-1);
}

static void pipe_go(unsigned int nr)
{
	aring_store_release(&asked, asked + nr);
}

static void pipe_settle(void)
{
	while (aring_load_acquire(&written) != asked)
		sched_yield();
	/* Each read that was cancelled leaves its byte behind. */
	if (read(pipe_fds[0], blocks[0], DISK_BLOCK) < 0 && errno != EAGAIN)
		die("read", errno);
}

static void pipe_end(void)
{
	aring_store_release(&asked, SIZE_MAX);
	pthread_join(writer, NULL);
	close(pipe_fds[0]);
	close(pipe_fds[1]);
}

static const struct family families[] = {
	{ timeout_begin, timeout_prep, NULL, NULL, timeout_end,
	  "timeouts", -ETIME, 70, false },
	{ disk_begin, disk_prep, NULL, NULL, disk_end,
	  "disk reads", DISK_BLOCK, 25, false },
	{ pipe_begin, pipe_prep, pipe_go, pipe_settle, pipe_end,
	  "pipe reads", 1, 5, true },
};

/* ---- a batch of races ----------------------------------------------------- */

/**
 * struct batch - races that run side by side
 * @first: number of the first
 * @nr: how many
 * @res: results: of targets in [0], of cancels in [1]
 * @seen: which of them are there
 *
 * user_data is the number of the race times two, plus one for the cancel.
 */
struct batch {
	unsigned long first;
	unsigned int nr;
	int res[2][BATCH];
	bool seen[2][BATCH];
};

static bool allowed(const struct family *f, int cancel, int target)
{
	switch (cancel) {
	case 0:
		return target == -ECANCELED;
	case -EALREADY:
		return target == f->result || (f->both && target == -ECANCELED);
	case -ENOENT:
		return target == f->result;
	default:
		return false;
	}
}

static struct aring_sqe *get_sqe(unsigned long user_data)
{
	struct aring_sqe *sqe = aring_get_sqe(&ring);

	if (!sqe)
		die("no room in the submission queue", EBUSY);
	aring_sqe_set_data64(sqe, user_data);
	return sqe;
}

static void submit(unsigned int nr)
{
	int ret;

	do {
		ret = aring_submit(&ring);
	} while (ret == -EINTR);
	if (ret != (int)nr)
		die("submit", ret < 0 ? -ret : EIO);
}

/* Reap until everything in @b is over; what else comes is too much. */
static void reap(struct batch *b, struct tally *t)
{
	unsigned int left = 2 * b->nr;
	struct aring_cqe *cqe;
	int ret;

	while (left) {
		ret = aring_wait_cqe_nr(&ring, &cqe, left);
		if (ret == -EINTR)
			continue;
		if (ret)
			die("wait", -ret);
		while (left && !aring_peek_cqe(&ring, &cqe)) {
			unsigned long i = cqe->user_data / 2 - b->first;
			unsigned int who = cqe->user_data & 1;

			if (i >= b->nr || b->seen[who][i]) {
				t->extra++;
			} else {
				b->seen[who][i] = true;
				b->res[who][i] = cqe->res;
				left--;
			}
			aring_cqe_seen(&ring, cqe);
		}
	}
}

/* Enter the results into the tally; returns how many targets were gone. */
static unsigned int judge(const struct family *f, const struct batch *b,
			  struct tally *t)
{
	unsigned int i, gone = 0;

	for (i = 0; i < b->nr; i++) {
		int target = b->res[0][i], cancel = b->res[1][i];

		if (!allowed(f, cancel, target) && !t->wrong++) {
			fprintf(stderr, "races: %s: the cancel says %d, its target %d\n",
				f->name, cancel, target);
		}
		t->races++;
		if (!cancel) {
			t->verdicts[CANCELLED]++;
		} else if (cancel == -EALREADY) {
			t->verdicts[TOO_LATE]++;
		} else {
			t->verdicts[GONE]++;
			gone++;
		}
	}
	return gone;
}

/* Returns how many targets were gone before their cancel came. */
static unsigned int race(const struct family *f, unsigned long first,
			 unsigned int nr, long wait, struct tally *t)
{
	struct batch b = { .first = first, .nr = nr };
	unsigned int i;

	for (i = 0; i < nr; i++)
		f->prep(get_sqe((first + i) * 2), i);
	submit(nr);
	if (f->go)
		f->go(nr);
	pause_for(wait);
	for (i = 0; i < nr; i++)
		aring_prep_cancel64(get_sqe((first + i) * 2 + 1),
				    (first + i) * 2, 0);
	submit(nr);
	reap(&b, t);
	if (f->settle)
		f->settle();
	return judge(f, &b, t);
}

/*
 * Feel for the pause at which half of the targets are gone: longer after a batch
 * where fewer were, shorter after one where more were. A step in the direction of
 * the last one is larger than that, a step back half of it. Each batch strays a
 * little, to meet all that is near.
 */
static void run(const struct family *f, unsigned long races, struct tally *t)
{
	long wait = 0, step = MAX_STEP / 8;
	unsigned int seed = 1;
	unsigned long done;

	for (done = 0; done < races; ) {
		unsigned int nr = races - done < BATCH ?
				  (unsigned int)(races - done) : BATCH;
		long stray = rand_r(&seed) % (2 * STRAY + 1) - STRAY;
		unsigned int gone = race(f, done, nr, wait + stray, t);
		bool longer = gone <= nr / 2;

		done += nr;
		step = longer == (step > 0) ? step + step / 4 : -step / 2;
		if (labs(step) < MIN_STEP)
			step = longer ? MIN_STEP : -MIN_STEP;
		if (labs(step) > MAX_STEP)
			step = longer ? MAX_STEP : -MAX_STEP;
		wait += step;
		if (wait < 0)
			wait = 0;
		if (wait > MAX_PAUSE)
			wait = MAX_PAUSE;
	}
}

/* ---- the table ------------------------------------------------------------ */

static const char *group(unsigned long n)
{
	static char bufs[8][32];
	static unsigned int next;
	char *p = bufs[next++ % 8] + 31;
	int digits = 0;

	*p = '\0';
	do {
		if (digits && digits % 3 == 0)
			*--p = ',';
		*--p = (char)('0' + n % 10);
		digits++;
		n /= 10;
	} while (n);
	return p;
}

static void row(const char *name, const struct tally *t)
{
	printf("%-12s %12s %12s %12s %14s\n", name, group(t->races),
	       group(t->verdicts[CANCELLED]), group(t->verdicts[TOO_LATE]),
	       group(t->verdicts[GONE]));
	fflush(stdout);
}

static void add(struct tally *sum, const struct tally *t)
{
	unsigned int v;

	sum->races += t->races;
	sum->wrong += t->wrong;
	sum->extra += t->extra;
	for (v = 0; v < VERDICTS; v++)
		sum->verdicts[v] += t->verdicts[v];
}

/* All families, or the one that @only begins the name of. */
static void run_all(unsigned long races, const char *only, struct tally *sum)
{
	unsigned int i, share = 0;

	for (i = 0; i < ARRAY_SIZE(families); i++) {
		const struct family *f = &families[i];
		struct tally t = { 0 };
		unsigned long n;

		if (only && strncmp(f->name, only, strlen(only)))
			continue;
		share += only ? 100 : f->share;
		if (!f->begin()) {
			printf("%-12s left out: %s\n", f->name,
			       strerror(errno));
			continue;
		}
		n = races * f->share / 100;
		if (share == 100)	/* the last: what is left */
			n = races - sum->races;
		run(f, n, &t);
		f->end();
		row(f->name, &t);
		add(sum, &t);
	}
	if (!only)
		row("together", sum);
}

static const char usage[] =
"usage: races [-n RACES] [-f timeouts|disk|pipe]\n"
"\n"
"Races cancels against completions (default 100000) and prints how they ended.\n"
"ARING_BACKEND=io_uring takes the kernel's own ring. Exit status: 0 all well,\n"
"1 a wrong pair of results, a missing or a second completion; 2 bad usage.\n";

int main(int argc, char **argv)
{
	unsigned long races = 100000;
	const char *only = NULL;
	struct tally sum = { 0 };
	struct aring_cqe *cqe;
	int c, ret;

	while ((c = getopt(argc, argv, "n:f:")) != -1) {
		if (c == 'n')
			races = strtoul(optarg, NULL, 10);
		else if (c == 'f')
			only = optarg;
		else
			races = 0;
	}
	if (!races || optind != argc) {
		fputs(usage, stderr);
		return 2;
	}
	blocks = aligned_alloc(DISK_BLOCK, (size_t)BATCH * DISK_BLOCK);
	if (!blocks)
		die("memory", ENOMEM);
	ret = aring_queue_init(2 * BATCH, &ring, 0);
	if (ret < 0)
		die("no ring (see aring info)", -ret);

	printf("%-12s %12s %12s %12s %14s\n", "", "races", "cancelled",
	       "too late", "already gone");
	run_all(races, only, &sum);

	/* Whatever would complete twice has had its time by now. */
	usleep(10000);
	while (!aring_peek_cqe(&ring, &cqe)) {
		sum.extra++;
		aring_cqe_seen(&ring, cqe);
	}
	aring_queue_exit(&ring);
	free(blocks);

	if (sum.wrong || sum.extra) {
		printf("WRONG: %s pairs of results disagree, %s completions too many\n",
		       group(sum.wrong), group(sum.extra));
		return 1;
	}
	printf("completions per request: 1 for each of %s targets and %s cancels\n",
	       group(sum.races), group(sum.races));
	return 0;
}
