// SPDX-License-Identifier: MIT
/*
 * The state machine, one step at a time: every interleaving of two contenders
 * for one request, and of three, over all functions that may run together and
 * from every word that they may meet.
 *
 * A contender is a coroutine that stops before each access to the state word
 * or to the event. The scheduler goes through all orders depth first: it runs
 * the contenders to the end, then again from the start with the last choice
 * that has an alternative changed, until none is left.
 *
 * Sequential consistency alone would not do. That a waker's event is visible
 * before the waker looks at the state word is for a full barrier to see to, so
 * here the event goes into a store buffer, as a processor would put it. It
 * leaves that at any time, which is a step like any other, and at the latest
 * when its thread's next compare-and-swap succeeds; one that fails orders
 * nothing. Looking at the event needs no such care: it happens between two
 * successful compare-and-swaps.
 *
 * Where the contenders leave the request to somebody who is not there (the
 * function they call does only one step of its life), the epilogue goes on
 * as its owner would. So at the end the request is final, or it is QUEUED and
 * nothing it waits for has happened; anything else is a lost wake-up.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <ucontext.h>
#include <kselftest.h>

static void before_access(void);
static void wrote(int old, int new);

#define ATOMIC_BEFORE(v)		before_access()
#define ATOMIC_WROTE(v, old, new)	wrote(old, new)
#include "state.h"

#define MAX_CONTENDERS	3
#define EPILOGUE	MAX_CONTENDERS	/* acts when they are through */
#define NOBODY		(-1)
#define ABSENT		(-2)	/* the owner takes no part */

#define STEP_LIMIT	400	/* the longest walk takes about a tenth */
#define STACK_SIZE	65536
#define LOG_SIZE	(STEP_LIMIT + 100)

/* The table in the comment of state.h, the one that people read. */
#include "edges.h"

/* What a contender does. The owner of the request may be one of them. */
enum program {
	/* the owner's */
	START,
	DROP,
	REFUSE,
	FINISH,
	WITHDRAW,
	QUEUE,
	LIFE,
	LIFE_QUEUED,
	NR_OWNERS,
	/* anybody's */
	TAKE = NR_OWNERS,
	RUN,
	WAKE,
	CANCEL,
	LOOK,
	NR_PROGRAMS
};

static const char *const names[NR_PROGRAMS] = {
	[START] = "start",
	[DROP] = "drop",
	[REFUSE] = "refuse",
	[FINISH] = "finish",
	[WITHDRAW] = "withdraw",
	[QUEUE] = "queue",
	[LIFE] = "start-and-run",
	[LIFE_QUEUED] = "queue-until-queued",
	[TAKE] = "take",
	[RUN] = "take-and-run",
	[WAKE] = "wake-take-and-run",
	[CANCEL] = "cancel",
	[LOOK] = "look",
};

/* What one walk starts from. */
struct setting {
	int nr;
	enum program program[MAX_CONTENDERS];
	int word;
	bool event;	/* it has happened before */
	bool waits;	/* for a peer: what cancel() is told */
};

struct contender {
	ucontext_t uc;
	jmp_buf jb;
	bool fresh, done, buffered;
	int edge_to;		/* of the last call, -1 for none */
	bool ate_wake;		/* the last call cleared WAKE */
	int verdict;		/* what cancel() answered, -1 for nothing yet */
	char stack[STACK_SIZE] __attribute__((aligned(16)));
};

static struct contender contenders[MAX_CONTENDERS + 1];
static const struct setting *setting;
static jmp_buf scheduler;
static int cur = EPILOGUE;	/* who acts now */

/* The request */
static aring_state_t word;
static bool event;
static int owner;
static int posts;
static int terminal_edges;

/* What went on, for whoever has to understand a failure. */
static struct {
	int who;
	const char *what;
	int a, b;
} trace[LOG_SIZE];

static int traced;
static bool quiet_failure;	/* this walk has failed already */
static int failures;

static const char *show(int w)
{
	static const char *const states[] = {
		"SUBMITTED", "QUEUED", "STARTED", "DONE", "CANCELLED",
		"5?", "6?", "7?"
	};
	static char buf[4][64];
	static int n;
	char *s = buf[n++ % 4];

	snprintf(s, sizeof(buf[0]), "%s%s%s%s", states[w & ARING_STATE_MASK],
		 w & ARING_STATE_WAKE ? "|WAKE" : "",
		 w & ARING_STATE_CANCEL ? "|CANCEL" : "",
		 w & ~(ARING_STATE_MASK | ARING_STATE_BITS) ? "|?" : "");
	return s;
}

static void note(const char *what, int a, int b)
{
	if (traced < LOG_SIZE) {
		trace[traced].who = cur;
		trace[traced].what = what;
		trace[traced].a = a;
		trace[traced].b = b;
		traced++;
	}
}

static const char *name_of(int who)
{
	return who == EPILOGUE ? "epilogue" : names[setting->program[who]];
}

/* Says what happened; leaves this walk for good. */
static void __attribute__((format(printf, 1, 2), noreturn)) fail(const char *fmt, ...)
{
	va_list args;

	failures++;
	if (!quiet_failure) {
		printf("# rule broken: ");
		va_start(args, fmt);
		vprintf(fmt, args);
		va_end(args);
		printf("\n#   from %s, event %s, the request %s:\n",
		       show(setting->word), setting->event ? "there" : "not yet",
		       setting->waits ? "waits for a peer" : "does not wait for a peer");
		for (int i = 0; i < traced; i++) {
			printf("#   %d %-18s %s", trace[i].who,
			       name_of(trace[i].who), trace[i].what);
			if (trace[i].a >= 0)
				printf(" %s", show(trace[i].a));
			if (trace[i].b >= 0)
				printf(" -> %s", show(trace[i].b));
			printf("\n");
		}
		quiet_failure = true;
	}
	_longjmp(scheduler, 2);
}

#define RULE(cond, ...) do {		\
	if (!(cond))			\
		fail(__VA_ARGS__);	\
} while (0)

/* ---- coroutines -------------------------------------------------------- */

/* Back to the scheduler, until it is this one's turn. */
static void __attribute__((noinline)) stop(void)
{
	if (!_setjmp(contenders[cur].jb))
		_longjmp(scheduler, 1);
}

static void before_access(void)
{
	if (cur != EPILOGUE)
		stop();
}

/* One step of contender @who. Answers false if a rule was broken. */
static bool __attribute__((noinline)) resume(int who)
{
	cur = who;
	switch (_setjmp(scheduler)) {
	case 0:
		if (contenders[who].fresh) {
			contenders[who].fresh = false;
			setcontext(&contenders[who].uc);
		}
		_longjmp(contenders[who].jb, 1);
	case 1:
		cur = EPILOGUE;
		return true;
	default:
		cur = EPILOGUE;
		return false;
	}
}

/* ---- rules for each write ---------------------------------------------- */

static void drain(int who)
{
	if (contenders[who].buffered) {
		contenders[who].buffered = false;
		event = true;
	}
}

static void wrote(int old, int new)
{
	int from = old & ARING_STATE_MASK, to = new & ARING_STATE_MASK;
	struct contender *me = &contenders[cur];

	note("wrote", old, new);
	drain(cur);

	RULE(!(new & ~(ARING_STATE_MASK | ARING_STATE_BITS)), "a bit that there is not");
	RULE(from < ARING_NR_STATES && to < ARING_NR_STATES, "a state that there is not");
	RULE(!(old & ARING_STATE_CANCEL) || (new & ARING_STATE_CANCEL), "CANCEL was cleared");
	RULE(to != ARING_QUEUED || !(new & ARING_STATE_WAKE), "QUEUED with WAKE");

	if (from == to) {
		RULE(!aring_state_final(from), "a write to a request that is over");
		RULE(from != ARING_QUEUED || old == new, "a bit was set in QUEUED");
		if ((old & ARING_STATE_WAKE) && !(new & ARING_STATE_WAKE)) {
			RULE(owner == cur, "WAKE was cleared by one who does not own it");
			me->ate_wake = true;
		}
		RULE(!((new & ~old) & ARING_STATE_CANCEL) || from != ARING_STARTED ||
		     setting->waits, "CANCEL was set where STARTED is final");
		return;
	}

	RULE(edges[from][to], "an edge that is not in the table");
	if (from == ARING_QUEUED)
		RULE(owner == NOBODY || owner == cur,
		     "QUEUED with CANCEL was taken from the one who withdraws it");
	else
		RULE(owner == cur, "a transition by one who does not own it");
	if (from == ARING_SUBMITTED && (old & ARING_STATE_CANCEL))
		RULE(to == ARING_CANCELLED, "SUBMITTED with CANCEL may only go to CANCELLED");
	if (from == ARING_QUEUED && (old & ARING_STATE_CANCEL))
		RULE(to == ARING_CANCELLED, "QUEUED with CANCEL may only go to CANCELLED");
	/* What withdraw() does is known by the CANCEL that it leaves there. */
	if (to == ARING_QUEUED)
		RULE(!(old & ARING_STATE_WAKE) || (new & ARING_STATE_CANCEL),
		     "WAKE was dropped on the way to QUEUED");

	me->edge_to = to;
	if (to == ARING_STARTED)
		owner = cur;
	else if (to != ARING_QUEUED || !(new & ARING_STATE_CANCEL))
		owner = NOBODY;
	if (to == ARING_DONE || to == ARING_CANCELLED)
		RULE(++terminal_edges == 1, "two terminal transitions");
}

/* ---- what contenders do ------------------------------------------------ */

/*
 * Between the last access of a call and its return nobody else gets a turn, so
 * @word is what the call decided on, and can be compared with the answer.
 */
static int now(void)
{
	return word.counter;
}

static bool now_is(int state)
{
	return (now() & ARING_STATE_MASK) == state;
}

static bool now_cancel(void)
{
	return now() & ARING_STATE_CANCEL;
}

/* Call a function of state.h, with a clean slate for what it writes. */
#define CALL(f, ...) ({					\
	contenders[cur].edge_to = -1;			\
	contenders[cur].ate_wake = false;		\
	int ret_ = (f)(&word, ##__VA_ARGS__);		\
	note(#f, -1, -1);				\
	ret_;						\
})

static int edge_to(void)
{
	return contenders[cur].edge_to;
}

static void agrees(bool said, int state)
{
	RULE((edge_to() == state) == said, "the answer %d does not agree with what was done", said);
	RULE(said || edge_to() < 0, "a refusal, and yet a transition");
}

static void complete(void)
{
	RULE(++posts == 1, "two were told to post the completion");
}

static bool call_drop(void)
{
	bool r = CALL(aring_state_drop);

	agrees(r, ARING_CANCELLED);
	RULE(r || !now_is(ARING_SUBMITTED), "drop() gave up");
	if (r)
		complete();
	return r;
}

/* Answers true if it is STARTED; if not, the request is over or never was here. */
static bool call_start(void)
{
	bool r = CALL(aring_state_start);

	agrees(r, ARING_STARTED);
	if (!r && now_is(ARING_SUBMITTED)) {
		RULE(now_cancel(), "start() gave up");
		RULE(call_drop(), "neither start() nor drop()");
	}
	return r;
}

static void call_refuse(void)
{
	bool r = CALL(aring_state_refuse);

	agrees(r, ARING_DONE);
	if (r) {
		complete();
	} else if (now_is(ARING_SUBMITTED)) {
		RULE(now_cancel(), "refuse() gave up");
		RULE(call_drop(), "neither refuse() nor drop()");
	}
}

static bool call_take(void)
{
	bool r = CALL(aring_state_take);

	agrees(r, ARING_STARTED);
	RULE(r || now() != ARING_QUEUED, "take() gave up");
	return r;
}

static bool call_finish(void)
{
	bool r = CALL(aring_state_finish);

	agrees(r, ARING_DONE);
	RULE(r || !now_is(ARING_STARTED), "finish() gave up");
	if (r)
		complete();
	return r;
}

static void call_withdraw(void)
{
	bool r = CALL(aring_state_withdraw);

	agrees(r, ARING_CANCELLED);
	RULE(r || !now_is(ARING_STARTED) || !now_cancel(), "withdraw() gave up");
	if (r)
		complete();
}

static enum aring_queued call_queue(void)
{
	enum aring_queued q = CALL(aring_state_queue);

	switch (q) {
	case ARING_QUEUED_OK:
		agrees(true, ARING_QUEUED);
		break;
	case ARING_QUEUED_AGAIN:
		agrees(false, ARING_QUEUED);
		RULE(contenders[cur].ate_wake, "AGAIN without consuming WAKE");
		break;
	case ARING_QUEUED_CANCELLED:
		agrees(true, ARING_CANCELLED);
		complete();
		break;
	default:
		RULE(edge_to() < 0, "BAD, and yet a transition");
		RULE(!now_is(ARING_SUBMITTED) && !now_is(ARING_STARTED), "queue() gave up");
	}
	return q;
}

static bool call_wake(void)
{
	bool r = CALL(aring_state_wake);

	RULE(edge_to() < 0, "wake() changed the state");
	if (r)
		RULE(now() == ARING_QUEUED, "wake() thinks it is QUEUED");
	else if (now_is(ARING_QUEUED))
		RULE(now_cancel(), "wake() overlooked QUEUED");
	else if (!aring_state_final(now() & ARING_STATE_MASK))
		RULE(now() & ARING_STATE_WAKE, "wake() told nobody");
	return r;
}

static void call_cancel(void)
{
	int v = CALL(aring_state_cancel, setting->waits);

	contenders[cur].verdict = v;
	agrees(v == ARING_VERDICT_CANCELLED, ARING_CANCELLED);
	switch (v) {
	case ARING_VERDICT_CANCELLED:
		complete();
		break;
	case ARING_VERDICT_MARKED:
		RULE(now_is(ARING_SUBMITTED) && now_cancel(), "MARKED, but it is not");
		break;
	case ARING_VERDICT_STARTED:
		if (now_is(ARING_QUEUED))
			RULE(now_cancel(), "STARTED, but it is QUEUED");
		else
			RULE(now_is(ARING_STARTED) && (now_cancel() || !setting->waits),
			     "STARTED, but nothing will come of it");
		break;
	default:
		RULE(aring_state_final(now() & ARING_STATE_MASK), "GONE, but it is not");
	}
}

/* Has it happened? A thread sees what is in its own store buffer. */
static bool look(void)
{
	bool e;

	before_access();
	e = event || contenders[cur].buffered;
	note(e ? "sees the event" : "sees no event", -1, -1);
	return e;
}

/* Owned and STARTED: what the header asks of an owner that may have to wait. */
static void run(void)
{
	enum aring_queued q;

	do {
		if (look()) {
			RULE(call_finish(), "finish() by the owner failed");
			return;
		}
		q = call_queue();
		RULE(q != ARING_QUEUED_BAD, "queue() by the owner failed");
	} while (q == ARING_QUEUED_AGAIN);
}

static void life_queued(void)
{
	enum aring_queued q;

	do {
		if (look()) {
			if (!now_is(ARING_SUBMITTED) || call_start())
				run();
			return;
		}
		q = call_queue();
		RULE(q != ARING_QUEUED_BAD, "queue() by the owner failed");
	} while (q == ARING_QUEUED_AGAIN);
}

static void observe(void)
{
	int s = CALL(aring_state_read);
	bool c = CALL(aring_state_cancel_wanted);
	int s2 = CALL(aring_state_read);
	bool c2 = CALL(aring_state_cancel_wanted);

	RULE(!aring_state_final(s) || s == s2, "final, and then something else");
	RULE(!c || c2, "cancel_wanted() changed its mind");
}

static void act(enum program p)
{
	switch (p) {
	case START:
		call_start();
		break;
	case DROP:
		call_drop();
		break;
	case REFUSE:
		call_refuse();
		break;
	case FINISH:
		call_finish();
		break;
	case WITHDRAW:
		call_withdraw();
		break;
	case QUEUE:
		call_queue();
		break;
	case LIFE:
		if (!now_is(ARING_SUBMITTED) || call_start())
			run();
		break;
	case LIFE_QUEUED:
		life_queued();
		break;
	case TAKE:
		call_take();
		break;
	case RUN:
		if (call_take())
			run();
		break;
	case WAKE:
		contenders[cur].buffered = true;
		note("event into the store buffer", -1, -1);
		if (call_wake() && call_take())
			run();
		break;
	case CANCEL:
		call_cancel();
		break;
	case LOOK:
		observe();
		break;
	default:
		break;
	}
}

static void contend(void)
{
	for (;;) {
		act(setting->program[cur]);
		contenders[cur].done = true;
		stop();
	}
}

/* ---- the end of a walk ------------------------------------------------- */

/* Whoever owns the request and was not there, or did one step only, goes on. */
static void go_on(void)
{
	int old;

	for (int i = 0; i < setting->nr; i++)
		drain(i);
	if (owner != NOBODY)
		owner = EPILOGUE;

	if (now() == (ARING_QUEUED | ARING_STATE_CANCEL)) {
		RULE(owner == EPILOGUE, "left in QUEUED with CANCEL");
		RULE(ARING_EDGE(&word, &old, ARING_QUEUED, ARING_STATE_CANCEL,
				ARING_CANCELLED, ARING_STATE_CANCEL), "not withdrawn");
		complete();
	} else if (now_is(ARING_SUBMITTED)) {
		if (call_start())
			run();
	} else if (now_is(ARING_STARTED)) {
		run();
	}
}

/*
 * One canceller alone never meets this. But of two, one may come while an owner
 * who is going to queue the request again has it, and is told that it is too
 * late, and the other may come afterwards and take it back.
 */
static bool another_cancelled(int who)
{
	for (int i = 0; i < setting->nr; i++)
		if (i != who && setting->program[i] == CANCEL &&
		    contenders[i].verdict == ARING_VERDICT_CANCELLED)
			return true;
	return false;
}

static void judge(void)
{
	int end = now() & ARING_STATE_MASK;
	bool was_final = aring_state_final(setting->word & ARING_STATE_MASK);
	bool asked = false;

	RULE(owner == NOBODY, "somebody still owns it");
	if (was_final) {
		RULE(now() == setting->word, "it was over, and has changed");
		RULE(posts == 0, "it was over, and is completed again");
	} else if (end == ARING_QUEUED) {
		RULE(now() == ARING_QUEUED, "bits were left in QUEUED");
		RULE(!event, "a lost wake-up: it has happened, and the request is QUEUED");
		RULE(posts == 0 && !terminal_edges, "completed, and yet QUEUED");
	} else {
		RULE(aring_state_final(end), "not over");
		RULE(posts == 1 && terminal_edges == 1, "%d completions", posts);
	}

	for (int i = 0; i < setting->nr; i++) {
		if (setting->program[i] != CANCEL)
			continue;
		switch (contenders[i].verdict) {
		case ARING_VERDICT_CANCELLED:
		case ARING_VERDICT_MARKED:
			asked = true;
			RULE(end == ARING_CANCELLED, "told it was taken back, and it was not");
			break;
		case ARING_VERDICT_STARTED:
			if (setting->waits) {
				asked = true;
				RULE(end != ARING_QUEUED, "a cancel was forgotten");
			} else {
				RULE(end != ARING_CANCELLED || another_cancelled(i),
				     "told it was too late, and it was not");
			}
			break;
		default:
			break;
		}
	}
	if (end == ARING_CANCELLED && !was_final)
		RULE(asked || (setting->word & ARING_STATE_CANCEL) || setting->program[0] == DROP,
		     "cancelled, and nobody had asked");
}

static bool __attribute__((noinline)) conclude(void)
{
	cur = EPILOGUE;
	if (_setjmp(scheduler))
		return false;
	go_on();
	judge();
	return true;
}

/* ---- all orders -------------------------------------------------------- */

static void renew(void)
{
	for (int i = 0; i < MAX_CONTENDERS; i++) {
		struct contender *c = &contenders[i];

		getcontext(&c->uc);
		c->uc.uc_stack.ss_sp = c->stack;
		c->uc.uc_stack.ss_size = sizeof(c->stack);
		c->uc.uc_link = NULL;
		makecontext(&c->uc, contend, 0);
		c->fresh = true;
	}
}

static bool __attribute__((noinline)) too_long(void)
{
	if (!_setjmp(scheduler))
		fail("no end after %d steps: a livelock", STEP_LIMIT);
	return false;
}

static bool begin(const struct setting *s)
{
	int state = s->word & ARING_STATE_MASK;

	setting = s;
	traced = 0;
	word.counter = s->word;
	event = s->event;
	posts = 0;
	terminal_edges = 0;
	if (s->program[0] < NR_OWNERS)
		owner = 0;
	else if (aring_state_final(state) || s->word == ARING_QUEUED)
		owner = NOBODY;
	else
		owner = ABSENT;
	for (int i = 0; i < s->nr; i++) {
		contenders[i].done = false;
		contenders[i].buffered = false;
		contenders[i].verdict = -1;
	}
	/* Up to its first access; what comes before concerns nobody else. */
	for (int i = 0; i < s->nr; i++)
		if (!resume(i))
			return false;
	return true;
}

/* What can be done next: i: contender i goes on; -1 - i: its buffer drains. */
static int choices(int choice[])
{
	int n = 0, running = 0;

	for (int i = 0; i < setting->nr; i++)
		if (!contenders[i].done)
			choice[n++] = i, running++;
	/* An event that nobody is left to see makes no difference. */
	for (int i = 0; i < setting->nr; i++)
		if (contenders[i].buffered && running > !contenders[i].done)
			choice[n++] = -1 - i;
	return running ? n : 0;
}

/* Every order from one setting. Answers how many there were. */
static unsigned long walk(const struct setting *s)
{
	static unsigned char pick[STEP_LIMIT], of[STEP_LIMIT];
	int known = 0, choice[2 * MAX_CONTENDERS];
	unsigned long walked = 0;

	quiet_failure = false;
	do {
		bool ok = begin(s);
		int at = 0, n;

		while (ok && (n = choices(choice)) != 0) {
			int c;

			if (at == STEP_LIMIT) {
				ok = too_long();
				break;
			}
			if (at == known) {
				pick[known] = 0;
				of[known++] = n;
			}
			if (of[at] != n)
				ksft_exit_fail_msg("not deterministic\n");
			c = choice[pick[at++]];
			if (c < 0) {
				cur = -1 - c;
				note("event becomes visible", -1, -1);
				drain(cur);
				cur = EPILOGUE;
			} else {
				ok = resume(c);
			}
		}
		if (ok)
			ok = conclude();
		walked++;
		if (!ok) {
			/* They stand in the middle of something. */
			renew();
			return walked;
		}
		while (known && pick[known - 1] + 1 == of[known - 1])
			known--;
		if (known)
			pick[known - 1]++;
	} while (known);
	return walked;
}

/* ---- what may meet ----------------------------------------------------- */

static bool may_meet(const struct setting *s)
{
	int state = s->word & ARING_STATE_MASK;
	bool owned = state == ARING_SUBMITTED || state == ARING_STARTED;

	/* WAKE is never seen there. */
	if (state == ARING_QUEUED && (s->word & ARING_STATE_WAKE))
		return false;
	/* Where STARTED is final nothing sets CANCEL there, nor withdraws. */
	if ((state == ARING_STARTED || state == ARING_QUEUED) &&
	    (s->word & ARING_STATE_CANCEL) && !s->waits)
		return false;
	/* The event was before: then it woke the owner, or is of no account. */
	if (s->event && (!owned || !(s->word & ARING_STATE_WAKE)))
		return false;
	for (int i = 0; i < s->nr; i++)
		if (s->program[i] < NR_OWNERS && (i || !owned))
			return false;
	return true;
}

struct sum {
	unsigned long settings, orders;
};

static struct sum total;

/* From every word, with the event there or not, of either kind. */
static void walk_all(const enum program *program, int nr, struct sum *sum)
{
	bool cancels = false;

	for (int i = 0; i < nr; i++)
		cancels |= program[i] == CANCEL;

	for (int w = 0; w < 32; w++) {
		for (int variant = 0; variant < 4; variant++) {
			struct setting s = {
				.nr = nr,
				.word = w,
				.event = variant & 1,
				.waits = !(variant & 2),
			};

			if ((w & ARING_STATE_MASK) >= ARING_NR_STATES)
				continue;
			/* It is a canceller that makes a difference of it. */
			if (!s.waits && !cancels)
				continue;
			memcpy(s.program, program, nr * sizeof(*program));
			if (!may_meet(&s))
				continue;
			sum->settings++;
			sum->orders += walk(&s);
		}
	}
}

static void result(int before, const struct sum *sum, const char *what)
{
	total.settings += sum->settings;
	total.orders += sum->orders;
	ksft_test_result(failures == before, "%s: %lu settings, %lu interleavings\n",
			 what, sum->settings, sum->orders);
}

/*
 * Those with a million orders and more: wakers who wake and run one another.
 * Left to the full run.
 */
static bool is_long(const enum program *p)
{
	bool runs = p[0] == LIFE || p[0] == LIFE_QUEUED || p[0] == RUN || p[0] == WAKE;

	return p[1] == WAKE &&
	       ((runs && p[2] == WAKE) ||
		(p[0] == LIFE_QUEUED && p[2] == CANCEL) ||
		(p[0] == WAKE && p[2] == CANCEL));
}

/*
 * @a, and each two that may meet it. Not somebody who only looks: he changes
 * nothing for the others, and pairs have shown what he sees.
 */
static void walk_triples(enum program a, bool full, struct sum *sum)
{
	int b, c;

	for (b = a < NR_OWNERS ? NR_OWNERS : a; b < LOOK; b++) {
		for (c = b; c < LOOK; c++) {
			enum program triple[] = { a, b, c };

			if (full || !is_long(triple))
				walk_all(triple, 3, sum);
		}
	}
}

/*
 * "state_steps pairs" leaves out three contenders: for mutants, which two are
 * enough to find.
 */
int main(int argc, char **argv)
{
	bool full = getenv("ARING_TEST_FULL");
	bool pairs_only = argc > 1 && !strcmp(argv[1], "pairs");
	char what[128];

	setvbuf(stdout, NULL, _IOLBF, 0);
	ksft_print_header();
	ksft_set_plan(NR_PROGRAMS + (pairs_only ? 0 : LOOK));
	renew();

	for (int a = 0; a < NR_PROGRAMS; a++) {
		int before = failures;
		struct sum sum = { 0 };

		for (int b = a < NR_OWNERS ? NR_OWNERS : a; b < NR_PROGRAMS; b++) {
			enum program pair[] = { a, b };

			walk_all(pair, 2, &sum);
		}
		snprintf(what, sizeof(what), "%s and each that may meet it", names[a]);
		result(before, &sum, what);
	}
	for (int a = 0; a < LOOK && !pairs_only; a++) {
		int before = failures;
		struct sum sum = { 0 };

		walk_triples(a, full, &sum);
		snprintf(what, sizeof(what), "%s and each two that may meet it", names[a]);
		result(before, &sum, what);
	}
	ksft_print_msg("%lu interleavings walked, from %lu settings\n",
		       total.orders, total.settings);
	ksft_finished();
}
