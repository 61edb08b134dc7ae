// SPDX-License-Identifier: MIT
/*
 * The state machine, driven by real threads: ten million transitions, under
 * ThreadSanitizer (state_tsan), and without it at full speed (state_threads).
 *
 * Each request has a submitter, one or two wakers, and mostly somebody who
 * tries to take it for no reason and one or two cancellers. All threads go
 * through one array of requests in the same order and keep in step as well as
 * they can, each in some of the roles, so that they meet.
 *
 * What only the owner touches is plain memory: that the state word hands it
 * over properly is what ThreadSanitizer looks at. A round is over when all
 * threads are through the array; only then are requests judged and made anew,
 * so a verdict cannot be that of another life. All that a request waits for
 * does happen in its round, and nothing sweeps up afterwards: one that is
 * still QUEUED has lost a wake-up.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdint.h>
#include <sys/personality.h>
#include <sys/syscall.h>
#include <time.h>
#include <kselftest.h>

static void wrote(int old, int new);

#define ATOMIC_WROTE(v, old, new)	wrote(old, new)
#include "state.h"

#define NR_SLOTS	2048
#define MAX_THREADS	4
#define MEET_EVERY	4
#define MEET_SPINS	100	/* then the others are not running */
#define NR_VERDICTS	(ARING_VERDICT_GONE + 1)
#define A_LINE_OF_ITS_OWN	__attribute__((aligned(64)))
#define NO_VERDICT	(-1)

enum role {
	SUBMIT,
	WAKE_A,
	WAKE_B,
	TAKE,
	CANCEL_A,
	CANCEL_B,
	NR_ROLES
};

/* How its submitter begins. */
enum style {
	BY_START,
	BY_QUEUE,
	BY_REFUSE,
};

struct slot {
	/* the request */
	aring_state_t word A_LINE_OF_ITS_OWN;
	/* its owner's */
	unsigned long payload;
	unsigned int posts;
	int outcome;
	/* Read only while the round lasts. */
	unsigned int hash;
	enum style style;
	bool waits;
	unsigned int need;	/* the events that it waits for */
	unsigned int has;	/* the roles that there are */
	/* Far from the word, so that a store takes its time. */
	int event[2] A_LINE_OF_ITS_OWN;
	/* each its canceller's */
	int verdict[2] A_LINE_OF_ITS_OWN;
};

struct counts {
	unsigned long edges[ARING_NR_STATES][ARING_NR_STATES];
	unsigned long transitions;
	unsigned long bits;		/* writes that set or clear only bits */
	unsigned long impossible;	/* writes that are not in the table */
	unsigned long again;
	unsigned long bad_answers;
	unsigned long not_over, not_one, wrong_pair, requests;
	unsigned long pairs[NR_VERDICTS][2];	/* verdict, was it cancelled? */
};

static struct slot slots[NR_SLOTS];
static int nr_threads;
static pthread_barrier_t barrier;

static struct {
	unsigned int at A_LINE_OF_ITS_OWN;
} progress[MAX_THREADS];

static struct counts sums[MAX_THREADS];
static unsigned long target = 10 * 1000 * 1000;
static unsigned int rounds;
static bool enough;

static __thread struct counts counts;
static __thread uint32_t dice;
static __thread struct slot *busy_with;	/* STARTED and owned by this thread */
static __thread bool making;	/* a new request: that is no transition */

static uint32_t roll(void)
{
	dice ^= dice << 13;
	dice ^= dice >> 17;
	dice ^= dice << 5;
	return dice;
}

/* So that nothing happens always at the same time. */
static void idle(uint32_t most)
{
	for (uint32_t n = roll() % most; n; n--)
		__asm__ volatile("");
}

static uint32_t mix(uint32_t x)
{
	x ^= x >> 16;
	x *= 0x7feb352d;
	x ^= x >> 15;
	x *= 0x846ca68b;
	x ^= x >> 16;
	return x;
}

static void wrote(int old, int new)
{
	int from = old & ARING_STATE_MASK, to = new & ARING_STATE_MASK;

	if (making)
		return;
	if (from == to) {
		counts.bits++;
	} else if (from < ARING_NR_STATES && to < ARING_NR_STATES) {
		counts.edges[from][to]++;
		counts.transitions++;
		if (!aring_state_edge_ok(from, to))
			counts.impossible++;
	} else {
		counts.impossible++;
	}
}

/* By whoever made the terminal transition. */
static void post(struct slot *s, int outcome)
{
	s->payload++;
	s->posts++;
	s->outcome = outcome;
}

static bool happened(struct slot *s)
{
	for (int i = 0; i < 2; i++)
		if ((s->need & (1u << i)) && !__atomic_load_n(&s->event[i], __ATOMIC_RELAXED))
			return false;
	return true;
}

/* The owner has nothing to do now. Answers true if it has to look again. */
static bool wait_for_it(struct slot *s)
{
	switch (aring_state_queue(&s->word)) {
	case ARING_QUEUED_OK:
		return false;
	case ARING_QUEUED_AGAIN:
		counts.again++;
		return true;
	case ARING_QUEUED_CANCELLED:
		post(s, ARING_CANCELLED);
		return false;
	default:
		counts.bad_answers++;
		return false;
	}
}

static void run_now(struct slot *s)
{
	do {
		/* Some work, for others to come in between. */
		s->payload++;
		idle(64);
		if (happened(s)) {
			if (aring_state_finish(&s->word))
				post(s, ARING_DONE);
			else
				counts.bad_answers++;
			return;
		}
	} while (wait_for_it(s));
}

/*
 * STARTED, and the caller's. Some take long: the thread does something else
 * first, so that others find it STARTED even where threads hardly ever run
 * at the same time.
 */
static void run(struct slot *s)
{
	if (!busy_with && roll() % 4 == 0)
		busy_with = s;
	else
		run_now(s);
}

static void get_on(void)
{
	struct slot *s = busy_with;

	busy_with = NULL;
	if (s)
		run_now(s);
}

static void drop(struct slot *s)
{
	if (aring_state_cancel_wanted(&s->word) && aring_state_drop(&s->word))
		post(s, ARING_CANCELLED);
	else
		counts.bad_answers++;
}

static void start(struct slot *s)
{
	if (aring_state_start(&s->word))
		run(s);
	else
		drop(s);
}

static void submit(struct slot *s)
{
	s->payload++;
	switch (s->style) {
	case BY_START:
		start(s);
		break;
	case BY_QUEUE:
		do {
			s->payload++;
			if (happened(s)) {
				start(s);
				return;
			}
		} while (wait_for_it(s));
		break;
	case BY_REFUSE:
		if (aring_state_refuse(&s->word))
			post(s, ARING_DONE);
		else
			drop(s);
	}
}

static void wake(struct slot *s, int who)
{
	/* Weak, like what a driver does before it calls wake_up(). */
	__atomic_store_n(&s->event[who], 1, __ATOMIC_RELAXED);
	if (aring_state_wake(&s->word) && aring_state_take(&s->word))
		run(s);
}

static void cancel(struct slot *s, int who)
{
	enum aring_verdict v = aring_state_cancel(&s->word, s->waits);

	s->verdict[who] = v;
	if (v == ARING_VERDICT_CANCELLED)
		post(s, ARING_CANCELLED);
	else if (v == ARING_VERDICT_GONE && !aring_state_final(aring_state_read(&s->word)))
		counts.bad_answers++;
}

static void play(struct slot *s, enum role role)
{
	switch (role) {
	case SUBMIT:
		submit(s);
		break;
	case WAKE_A:
	case WAKE_B:
		wake(s, role - WAKE_A);
		break;
	case TAKE:
		if (aring_state_take(&s->word))
			run(s);
		break;
	default:
		cancel(s, role - CANCEL_A);
	}
}

static void make(struct slot *s, unsigned int round)
{
	uint32_t h = mix(round * NR_SLOTS + (s - slots) + 1);

	making = true;
	aring_state_init(&s->word);
	making = false;
	s->payload = 0;
	s->posts = 0;
	s->outcome = -1;
	s->event[0] = 0;
	s->event[1] = 0;
	s->verdict[0] = NO_VERDICT;
	s->verdict[1] = NO_VERDICT;
	s->hash = h;
	s->waits = h & 1;
	s->style = (h >> 1) % 16 == 0 ? BY_REFUSE : (h >> 1) % 2 ? BY_START : BY_QUEUE;
	s->need = 1 + (h >> 5) % 3;
	s->has = 1u << SUBMIT | s->need << WAKE_A;
	/* A waker for something else, now and then. */
	if ((h >> 7) % 4 == 0)
		s->has |= 3u << WAKE_A;
	if ((h >> 9) % 4)
		s->has |= 1u << TAKE;
	/*
	 * Two cancellers only of what waits for a peer. Of others a canceller
	 * that was too late may still be followed by one that is not, if the
	 * owner queues it again, and then the verdict of the first says nothing.
	 */
	if ((h >> 11) % 4 == 0)
		s->has |= 1u << CANCEL_A;
	if (s->waits && (h >> 13) % 4 == 0)
		s->has |= 1u << CANCEL_B;
}

/* After a round, with nobody else about. */
static void judge(struct slot *s)
{
	enum aring_state end = aring_state_read(&s->word);
	bool cancelled = end == ARING_CANCELLED, asked = false;

	counts.requests++;
	if (!aring_state_final(end)) {
		counts.not_over++;
		return;
	}
	if (s->posts != 1 || s->outcome != (int)end)
		counts.not_one++;
	for (int i = 0; i < 2; i++) {
		switch (s->verdict[i]) {
		case NO_VERDICT:
			continue;
		case ARING_VERDICT_CANCELLED:
		case ARING_VERDICT_MARKED:
			asked = true;
			if (!cancelled)
				counts.wrong_pair++;
			break;
		case ARING_VERDICT_STARTED:
			asked |= s->waits;
			if (cancelled && !s->waits)
				counts.wrong_pair++;
			break;
		}
		counts.pairs[s->verdict[i]][cancelled]++;
	}
	if (cancelled && !asked)
		counts.wrong_pair++;
}

/* Wait for the others, though not for one that the scheduler keeps from running. */
static void meet(int me, unsigned int at)
{
	__atomic_store_n(&progress[me].at, at, __ATOMIC_RELAXED);
	for (int i = 0; i < nr_threads; i++) {
		for (int spin = 0; spin < MEET_SPINS; spin++)
			if (__atomic_load_n(&progress[i].at, __ATOMIC_RELAXED) >= at)
				break;
	}
}

static void go_through(int me)
{
	for (unsigned int i = 0; i < NR_SLOTS; i++) {
		struct slot *s = &slots[i];
		uint32_t h = s->hash;

		if (i % MEET_EVERY == 0)
			meet(me, i);
		idle(16);
		for (unsigned int k = 0; k < NR_ROLES; k++) {
			/* Forwards or backwards from any role, mostly the first. */
			unsigned int first = h >> 16 & 3 ? SUBMIT : (h >> 18) % NR_ROLES;
			enum role role = (first + (h & 1u << 15 ? 1 : 5) * k) % NR_ROLES;
			unsigned int player = (role + (h >> 24)) % nr_threads;

			if ((int)player == me && (s->has & (1u << role)))
				play(s, role);
			if (roll() % 4 == 0)
				get_on();
		}
	}
	get_on();
	__atomic_store_n(&progress[me].at, NR_SLOTS, __ATOMIC_RELAXED);
}

static void *thread(void *arg)
{
	int me = (intptr_t)arg;

	dice = 0x9e3779b9 + me;
	for (unsigned int round = 0;; round++) {
		for (int i = me; i < NR_SLOTS; i += nr_threads)
			make(&slots[i], round);
		__atomic_store_n(&progress[me].at, 0, __ATOMIC_RELAXED);
		sums[me] = counts;
		pthread_barrier_wait(&barrier);

		if (!me) {
			unsigned long done = 0;

			for (int i = 0; i < nr_threads; i++)
				done += sums[i].transitions;
			enough = done >= target;
			rounds = round;
		}
		pthread_barrier_wait(&barrier);
		if (enough)
			return NULL;

		go_through(me);
		pthread_barrier_wait(&barrier);
		for (int i = me; i < NR_SLOTS; i += nr_threads)
			judge(&slots[i]);
	}
}

/* ---- ThreadSanitizer --------------------------------------------------- */

#ifdef __SANITIZE_THREAD__
static int reports;

/* It calls this for each report that it prints. */
void __attribute__((no_sanitize_thread)) __tsan_on_report(void *report)
{
	(void)report;
	__atomic_fetch_add(&reports, 1, __ATOMIC_RELAXED);
}

/* Whatever the environment says. */
const char *__attribute__((no_sanitize_thread)) __tsan_default_options(void)
{
	return "report_bugs=1:exitcode=1";
}

/*
 * Where the kernel shuffles addresses widely, an older ThreadSanitizer finds its
 * own taken and gives up before main(). So run again without that, before it
 * has begun; where that is not permitted, it may still work.
 */
static void __attribute__((no_sanitize_thread)) unshuffle(int argc, char **argv, char **envp)
{
	long old = syscall(SYS_personality, 0xffffffff);

	(void)argc;
	if (old < 0 || (old & ADDR_NO_RANDOMIZE))
		return;
	if (syscall(SYS_personality, old | ADDR_NO_RANDOMIZE) < 0)
		return;
	syscall(SYS_execve, "/proc/self/exe", argv, envp);
}

static void (*const unshuffle_first)(int argc, char **argv, char **envp)
	__attribute__((section(".preinit_array"), used)) = unshuffle;
#endif

/* ---- the outcome ------------------------------------------------------- */

/* All the fields are counters of one type. */
static void add(struct counts *to, const struct counts *from)
{
	unsigned long *t = (unsigned long *)to;
	const unsigned long *f = (const unsigned long *)from;

	for (size_t i = 0; i < sizeof(*to) / sizeof(*t); i++)
		t[i] += f[i];
}

int main(int argc, char **argv)
{
	static const char *const verdicts[NR_VERDICTS] = {
		"CANCELLED", "MARKED", "STARTED", "GONE"
	};
	pthread_t threads[MAX_THREADS];
	struct timespec from, to;
	struct counts all = { 0 };
	int missing = 0;

	if (argc > 1)
		target = strtoul(argv[1], NULL, 0);
	nr_threads = sysconf(_SC_NPROCESSORS_ONLN);
	if (nr_threads < 2)
		nr_threads = 2;
	if (nr_threads > MAX_THREADS)
		nr_threads = MAX_THREADS;

	setvbuf(stdout, NULL, _IOLBF, 0);
	ksft_print_header();
#ifdef __SANITIZE_THREAD__
	ksft_set_plan(7);
#else
	ksft_set_plan(6);
#endif

	clock_gettime(CLOCK_MONOTONIC, &from);
	pthread_barrier_init(&barrier, NULL, nr_threads);
	for (intptr_t i = 0; i < nr_threads; i++)
		if (pthread_create(&threads[i], NULL, thread, (void *)i))
			ksft_exit_fail_msg("cannot make threads\n");
	for (int i = 0; i < nr_threads; i++)
		pthread_join(threads[i], NULL);
	clock_gettime(CLOCK_MONOTONIC, &to);

	for (int i = 0; i < nr_threads; i++)
		add(&all, &sums[i]);

	ksft_print_msg("%d threads, %u rounds, %lu requests, %lu ms\n",
		       nr_threads, rounds, all.requests,
		       (to.tv_sec - from.tv_sec) * 1000ul + (to.tv_nsec - from.tv_nsec) / 1000000);
	ksft_print_msg("%lu times a bit was set or cleared, %lu times AGAIN\n",
		       all.bits, all.again);
	for (int v = 0; v < NR_VERDICTS; v++)
		ksft_print_msg("verdict %-9s  request done %7lu, cancelled %7lu\n",
			       verdicts[v], all.pairs[v][0], all.pairs[v][1]);

	/* What never happened has not been tested. */
	for (int a = 0; a < ARING_NR_STATES; a++)
		for (int b = 0; b < ARING_NR_STATES; b++)
			missing += aring_state_edge_ok(a, b) && !all.edges[a][b];
	for (int v = 0; v < NR_VERDICTS; v++)
		missing += !all.pairs[v][0] && !all.pairs[v][1];
	missing += !all.again;

	ksft_test_result(all.transitions >= target && !missing,
			 "%lu transitions, with every edge and every answer\n", all.transitions);
	ksft_test_result(!all.impossible, "%lu transitions that are not in the table\n",
			 all.impossible);
	ksft_test_result(!all.bad_answers, "%lu answers that an owner must not get\n",
			 all.bad_answers);
	ksft_test_result(!all.not_over, "%lu requests lost their wake-up\n", all.not_over);
	ksft_test_result(!all.not_one, "%lu requests without exactly one completion\n",
			 all.not_one);
	ksft_test_result(!all.wrong_pair, "%lu verdicts that the outcome belies\n",
			 all.wrong_pair);
#ifdef __SANITIZE_THREAD__
	ksft_test_result(!reports, "%d reports by ThreadSanitizer\n", reports);
#endif
	ksft_finished();
}
