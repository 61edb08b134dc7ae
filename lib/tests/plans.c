// SPDX-License-Identifier: MIT
/*
 * Tests of what aring run makes of plans and chaos strings, of shrinking and
 * exploring: with made-up programs, without a kernel.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../cmd/chaos.h"
#include "../cmd/cmd.h"
#include "../cmd/names.h"
#include "../cmd/trial.h"

static int failed;

#define CHECK(cond)							\
	do {								\
		if (!(cond)) {						\
			printf("# %s:%d: %s\n", __FILE__, __LINE__, #cond); \
			failed = 1;					\
		}							\
	} while (0)

#define CHECK_EQ(a, b)							\
	do {								\
		long long __a = (long long)(a), __b = (long long)(b);	\
		if (__a != __b) {					\
			printf("# %s:%d: %s is %lld, not %lld\n",	\
			       __FILE__, __LINE__, #a, __a, __b);	\
			failed = 1;					\
		}							\
	} while (0)

#define CHECK_STR(a, b)							\
	do {								\
		if (strcmp(a, b)) {					\
			printf("# %s:%d: '%s', not '%s'\n", __FILE__,	\
			       __LINE__, a, b);				\
			failed = 1;					\
		}							\
	} while (0)

void complain(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	printf("# ");
	vprintf(fmt, ap);
	printf("\n");
	va_end(ap);
}

/* ---- chaos strings --------------------------------------------------------- */

/* What is read, and what is written of it; NULL for the same. */
static const struct {
	const char *in;
	const char *out;
} strings[] = {
	{ "seed=42,short=10%", NULL },
	{ "seed=18446744073709551615,short=0.0001%", NULL },
	{ "seed=0x10,short=100.0000%", "seed=16,short=100%" },
	{ "short=10.5%", "seed=7,short=10.5%" },
	{ "seed=1,short=0%", "seed=1" },
	{ "seed=1,ECONNRESET=1%,eio=0.25%,eagain=2%",
	  "seed=1,econnreset=1%,eio=0.25%,eagain=2%" },
	{ "seed=1,eintr=2%,take=3%,reorder=16,delay=0ns..500us,cancel=late:10%,cqfull=1%",
	  NULL },
	{ "seed=1,delay=0..500us", "seed=1,delay=0ns..500us" },
	{ "seed=1,delay=10..20ms", "seed=1,delay=10ms..20ms" },
	{ "seed=1,delay=10us..1s", NULL },
	{ "seed=1,delay=250us", "seed=1,delay=250us..250us" },
	{ "seed=1,cancel=early", "seed=1,cancel=early:100%" },
	{ "seed=1,level=linux", NULL },
	{ "seed=1,level=any", NULL },
	{ "seed=1,level=contract", "seed=1" },
	{ "", "seed=7" },
	{ "seed=42,short=10%,eio=1%,eintr=2%,reorder=16,delay=0..500us,cancel=late",
	  "seed=42,short=10%,eio=1%,eintr=2%,reorder=16,delay=0ns..500us,cancel=late:100%" },
	{ "seed=9,cqfull=1%", "seed=9,cqfull=1%" },
};

static void test_chaos_strings(void)
{
	struct aring_chaos c, again;
	char text[CHAOS_TEXT], why[600];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(strings); i++) {
		memset(&c, 0, sizeof(c));
		c.seed = 7;
		*why = 0;
		CHECK(chaos_read(strings[i].in, &c, why, sizeof(why)));
		CHECK_STR(why, "");
		chaos_write(text, sizeof(text), &c);
		CHECK_STR(text, strings[i].out ? strings[i].out : strings[i].in);
		memset(&again, 0, sizeof(again));
		CHECK(chaos_read(text, &again, why, sizeof(why)));
		CHECK(!strcmp(strings[i].in, "seed=1,short=0%") ||
		      !memcmp(&c, &again, sizeof(c)));
	}
}

static void test_chaos_values(void)
{
	struct aring_chaos c;
	char why[600];

	memset(&c, 0, sizeof(c));
	CHECK(chaos_read("seed=3,short=12.3456%,eio=1%,eintr=2%,take=4%,reorder=16,"
			 "delay=5..7us,cancel=early:8%,cqfull=9%,level=linux",
			 &c, why, sizeof(why)));
	CHECK_EQ(c.seed, 3);
	CHECK_EQ(c.short_ppm, 123456);
	CHECK_EQ(c.nr_errnos, 1);
	CHECK_EQ(c.errno_nr[0], EIO);
	CHECK_EQ(c.errno_ppm[0], 10000);
	CHECK_EQ(c.eintr_ppm, 20000);
	CHECK_EQ(c.take_ppm, 40000);
	CHECK_EQ(c.reorder, 16);
	CHECK_EQ(c.delay_min, 5000);
	CHECK_EQ(c.delay_max, 7000);
	CHECK_EQ(c.cancel, ARING_CHAOS_CANCEL_EARLY);
	CHECK_EQ(c.cancel_ppm, 80000);
	CHECK_EQ(c.cqfull_ppm, 90000);
	CHECK_EQ(c.level, ARING_LEVEL_LINUX);
	CHECK(!chaos_does_nothing(&c));
	memset(&c, 0, sizeof(c));
	CHECK(chaos_read("seed=3,level=any", &c, why, sizeof(why)));
	CHECK(chaos_does_nothing(&c));
}

/* What is wrong, and what has to be said about it. */
static const struct {
	const char *in;
	const char *say;
} wrong_strings[] = {
	{ "foo=1%", "'foo'; there are: seed short eintr take reorder delay" },
	{ "foo=1%", "cancel cqfull level, and errors: eagain eio enospc" },
	{ "short", "short: it needs a value" },
	{ "short=", "short: it needs a value" },
	{ ",short=1%", "empty" },
	{ "short=1%,", "empty" },
	{ "short=10", "short=10: not a rate" },
	{ "short=%", "short=%: not a rate" },
	{ "short=-1%", "short=-1%: not a rate" },
	{ "short=1%%", "short=1%%: not a rate" },
	{ "short=100.0001%", "short=100.0001%: more than 100%" },
	{ "short=101%", "short=101%: more than 100%" },
	{ "short=4294967297%", "short=4294967297%: more than 100%" },
	{ "short=99999999999999999999%", "more than 100%" },
	{ "eio=200%", "eio=200%: more than 100%" },
	{ "short=0.00001%", "finer than 0.0001%" },
	{ "short=1%,short=1%", "short: given twice" },
	{ "eio=1%,EIO=1%", "EIO: given twice" },
	{ "eio=60%,enospc=41%", "enospc=41%: with the errors before it more than 100%" },
	{ "eio=1%,eagain=1%,enospc=1%,edquot=1%,efbig=1%,enomem=1%,enobufs=1%,epipe=1%,etime=1%",
	  "etime: more than 8 errors" },
	{ "seed=-1", "seed=-1: not a number" },
	{ "seed=18446744073709551616", "not a number" },
	{ "seed=1x", "seed=1x: not a number" },
	{ "reorder=65537", "reorder=65537: not a number up to 65536" },
	{ "reorder=x", "reorder=x" },
	{ "delay=5", "delay=5: not a span" },
	{ "delay=5us..", "delay=5us..: not a span" },
	{ "delay=..5us", "delay=..5us: not a span" },
	{ "delay=9us..5us", "delay=9us..5us: the lower end" },
	{ "delay=2us..1us..3us", "not a span" },
	{ "delay=3601s", "more than an hour" },
	{ "delay=99999999999999999999s", "not a span" },
	{ "cancel=never", "cancel=never: neither late nor early" },
	{ "cancel=late:", "cancel=: not a rate" },
	{ "cancel=late:101%", "more than 100%" },
	{ "level=posix", "level=posix: there are contract, linux, any" },
};

static void test_chaos_errors(void)
{
	struct aring_chaos c;
	char why[600];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(wrong_strings); i++) {
		memset(&c, 0, sizeof(c));
		*why = 0;
		CHECK(!chaos_read(wrong_strings[i].in, &c, why, sizeof(why)));
		CHECK(strlen(why) + 1 < sizeof(why));
		if (strstr(why, wrong_strings[i].say))
			continue;
		printf("# %s: '%s' lacks '%s'\n", wrong_strings[i].in, why,
		       wrong_strings[i].say);
		failed = 1;
	}
}

/* ---- plans as text --------------------------------------------------------- */

/* One that says the same as what is written of it, and one that does not. */
static const struct {
	const char *in;
	const char *out;
} lines[] = {
	{ "ring 1 ticket 17 READ: shorten 4096 to 1", NULL },
	{ "ring 1 ticket 17 READ: shorten to 1", NULL },
	{ "ring 1 ticket 3 WRITE: fail EIO", NULL },
	{ "ring 1 ticket 3 WRITE: fail 4095", NULL },
	{ "ring 1 ticket 0 NOP: delay 250us", NULL },
	{ "ring 1 ticket 4294967295 VREAD: delay 1s", NULL },
	{ "ring 1 ticket 0 SEND: delay 0ns", NULL },
	{ "ring 4294967295 ticket 0 RECV: after 3", NULL },
	{ "ring 1 ticket 9 TIMEOUT: cancel loses", NULL },
	{ "ring 1 ticket 9 POLL_ADD: cancel wins", NULL },
	{ "ring 1 ticket 9 READ_FIXED: cq full", NULL },
	{ "ring 1 ticket 9 201: cq full", NULL },
	{ "ring 1 enter 5: eintr", NULL },
	{ "ring 2 enter 5: take 1", NULL },
	{ "process 2 ring 1 enter 5: eintr", NULL },
	{ "process 1 ring 1 enter 5: eintr", "ring 1 enter 5: eintr" },
	{ "  ring\t1  ticket 3 read :fail eio\n",
	  "ring 1 ticket 3 READ: fail EIO" },
	{ "ring 1 ticket 3 READ: delay 1000us",
	  "ring 1 ticket 3 READ: delay 1ms" },
};

static void test_plan_lines(void)
{
	struct aring_deviation d, again;
	char text[PLAN_LINE], why[200];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(lines); i++) {
		*why = 0;
		CHECK(plan_line_read(lines[i].in, &d, why, sizeof(why)));
		CHECK_STR(why, "");
		plan_line_write(text, sizeof(text), &d);
		CHECK_STR(text, lines[i].out ? lines[i].out : lines[i].in);
		CHECK(plan_line_read(text, &again, why, sizeof(why)));
		CHECK(!memcmp(&d, &again, sizeof(d)));
	}
}

static void test_plan_values(void)
{
	struct aring_deviation d;
	char why[200];

	CHECK(plan_line_read("process 3 ring 2 ticket 17 READ: shorten 4096 to 1",
			     &d, why, sizeof(why)));
	CHECK_EQ(d.process, 3);
	CHECK_EQ(d.ring, 2);
	CHECK_EQ(d.number, 17);
	CHECK_EQ(d.flags, 0);
	CHECK_EQ(d.action, ARING_ACT_SHORTEN);
	CHECK_EQ(d.opcode, ARING_OP_READ);
	CHECK_EQ(d.kind, 0);
	CHECK_EQ(d.value, 1);
	CHECK_EQ(d.was, 4096);
	CHECK(plan_line_read("ring 1 enter 5: take 2", &d, why, sizeof(why)));
	CHECK_EQ(d.process, 1);
	CHECK_EQ(d.number, 5);
	CHECK_EQ(d.flags, ARING_DEV_ENTER);
	CHECK_EQ(d.action, ARING_ACT_ENTER_TAKE);
	CHECK_EQ(d.value, 2);
	CHECK(plan_line_read("ring 1 ticket 5 WRITE: fail ENOSPC", &d, why,
			     sizeof(why)));
	CHECK_EQ(d.value, ENOSPC);
}

static const struct {
	const char *in;
	const char *say;
} wrong_lines[] = {
	{ "ring 1 ticket 3 READ fail EIO", "no colon" },
	{ "rings 1 ticket 3 READ: fail EIO", "'rings'" },
	{ "ring 0 ticket 3 READ: fail EIO", "'0' is no number of a ring" },
	{ "ring 4294967296 ticket 3 READ: fail EIO", "'4294967296'" },
	{ "ring one ticket 3 READ: fail EIO", "'one'" },
	{ "process 0 ring 1 enter 1: eintr", "'0'" },
	{ "ring 1 request 3 READ: fail EIO", "'request'" },
	{ "ring 1 ticket -1 READ: fail EIO", "'-1'" },
	{ "ring 1 ticket 3 OPEN: fail EIO", "'OPEN' is no operation" },
	{ "ring 1 ticket 3: fail EIO", "':' is no operation" },
	{ "ring 1 ticket 3 READ: fail EWHAT", "'EWHAT' is no error" },
	{ "ring 1 ticket 3 READ: fail 0", "'0' is no error" },
	{ "ring 1 ticket 3 READ: fail", "'' is no error" },
	{ "ring 1 ticket 3 READ: shorten 5", "'' where there should be 'to'" },
	{ "ring 1 ticket 3 READ: shorten to all", "'all'" },
	{ "ring 1 ticket 3 READ: delay 5", "'5' is no time" },
	{ "ring 1 ticket 3 READ: after 0", "'0'" },
	{ "ring 1 ticket 3 READ: cancel ties", "'ties'" },
	{ "ring 1 ticket 3 READ: cq empty", "'empty'" },
	{ "ring 1 ticket 3 READ: hold", "'hold' is done to no request" },
	{ "ring 1 enter 0: eintr", "'0' is no number of an ENTER" },
	{ "ring 1 enter 5: fail EIO", "'fail' is done to no ENTER" },
	{ "ring 1 ticket 3 READ: fail EIO twice", "'twice' is one word too many" },
	{ "ring 1 ticket 3 READ: fail EIO: eintr", "'EIO:' is no error" },
	{ "a b c d e f g h i j k l m n o p q: r", "too many words" },
	{ ":", "'ring'" },
};

static void test_plan_errors(void)
{
	struct aring_deviation d;
	char why[200];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(wrong_lines); i++) {
		*why = 0;
		if (!plan_line_read(wrong_lines[i].in, &d, why, sizeof(why)) &&
		    strstr(why, wrong_lines[i].say))
			continue;
		printf("# %s: '%s' lacks '%s'\n", wrong_lines[i].in, why,
		       wrong_lines[i].say);
		failed = 1;
	}
}

static bool read_text(const char *text, struct plan *p, char *why, size_t size)
{
	FILE *f = fmemopen((char *)text, strlen(text), "r");
	bool ok = f && plan_read(f, "plan", p, why, size);

	if (f)
		fclose(f);
	return ok;
}

static void test_plan_files(void)
{
	struct plan p = { .nr = 0 };
	char why[300] = "";
	char out[200];
	FILE *f;

	CHECK(read_text("# a comment\n\nring 2 enter 1: eintr\n  # more\n"
			"ring 1 ticket 3 READ: fail EIO # why\n",
			&p, why, sizeof(why)));
	CHECK_STR(why, "");
	CHECK_EQ(p.nr, 2);
	f = fmemopen(out, sizeof(out), "w");
	plan_write(f, &p);
	fclose(f);
	CHECK_STR(out, "ring 2 enter 1: eintr\nring 1 ticket 3 READ: fail EIO\n");
	plan_sort(&p);
	CHECK_EQ(p.line[0].ring, 1);
	plan_free(&p);

	CHECK(!read_text("\n\nring 1 enter 1: eintr\nring 1 enter x: eintr\n",
			 &p, why, sizeof(why)));
	CHECK(strstr(why, "plan:4: 'x'"));
	plan_free(&p);
	CHECK(!read_text("ring 1 ticket 1 READ: shorten to 3\nring 1 ticket 1 READ: shorten to 4\n",
			 &p, why, sizeof(why)));
	CHECK(strstr(why, "plan: 'ring 1 ticket 1 READ: shorten to 4'"));
	plan_free(&p);
	/* Two things can be done to one request. */
	CHECK(read_text("ring 1 ticket 1 READ: shorten to 3\nring 1 ticket 1 READ: after 4\n",
			&p, why, sizeof(why)));
	plan_free(&p);
}

/* ---- a made-up program ----------------------------------------------------- */

/**
 * struct fake - a trier that runs nothing
 * @trier: it
 * @end: what it makes of a plan: true if the program fails
 * @arg: for @end
 * @reads: requests that the program makes: READs of 4096 bytes
 * @runs: how many runs there were
 * @stop_at: in that run a person stops it
 * @drift: in the second run its third read is shorter
 */
struct fake {
	struct trier trier;
	bool (*end)(struct fake *f, const struct plan *p);
	const void *arg;
	unsigned int reads;
	unsigned int runs;
	unsigned int stop_at;
	bool drift;
};

static void fake_seen(struct fake *f, const struct plan *p, struct seen *seen)
{
	struct aring_seen r = {
		.process = 1,
		.ring = 1,
		.len = 4096,
		.res = 4096,
		.opcode = ARING_OP_READ,
		.kind = ARING_KIND_REG,
		.flags = ARING_SEEN_ENDED,
	};
	size_t i;

	/* What is read short is read on. */
	unsigned int reads = f->reads;

	for (i = 0; i < p->nr; i++)
		reads += p->line[i].action == ARING_ACT_SHORTEN;
	for (i = 0; i < reads; i++) {
		r.ticket = (__u32)i;
		r.res = f->drift && f->runs == 2 && i == 2 ? 100 : 4096;
		seen->req = grow(seen->req, &seen->room, seen->nr,
				 sizeof(*seen->req));
		seen->req[seen->nr++] = r;
	}
}

static int fake_run(struct trier *t, const struct plan *plan, bool watch,
		    struct outcome *o)
{
	struct fake *f = (struct fake *)t;

	outcome_free(o);
	f->runs++;
	if (f->stop_at && f->runs == f->stop_at)
		o->end.interrupted = 2;
	o->end.how = UNDER_EXITED;
	o->end.code = f->end(f, plan) ? 3 : 0;
	plan_copy(&o->log, plan);
	if (watch)
		fake_seen(f, plan, &o->seen);
	return 0;
}

static const struct outcome exit_three = { .end = { .code = 3 } };

/* ---- shrinking ------------------------------------------------------------- */

static void many(struct plan *p, unsigned int nr)
{
	struct aring_deviation d = {
		.process = 1,
		.ring = 1,
		.action = ARING_ACT_FAIL,
		.opcode = ARING_OP_READ,
		.value = EIO,
	};

	for (d.number = 0; d.number < nr; d.number++)
		plan_add(p, &d);
}

static bool has_ticket(const struct plan *p, unsigned int ticket)
{
	size_t i;

	for (i = 0; i < p->nr; i++)
		if (p->line[i].number == ticket)
			return true;
	return false;
}

/* Fails of all of these together. */
static bool end_all_of(struct fake *f, const struct plan *p)
{
	const unsigned int *t = f->arg;

	for (; *t != ~0U; t++)
		if (!has_ticket(p, *t))
			return false;
	return true;
}

static void shrink_to(unsigned int nr, const unsigned int *tickets,
		      unsigned int most_runs)
{
	struct fake f = {
		.trier.run = fake_run,
		.end = end_all_of,
		.arg = tickets,
	};
	struct plan p = { .nr = 0 };
	struct shrunk s;
	size_t i;

	memset(&s, 0, sizeof(s));
	many(&p, nr);
	CHECK_EQ(shrink(&f.trier, &p, &exit_three, &s), 0);
	CHECK(s.repeated);
	for (i = 0; tickets[i] != ~0U; i++)
		CHECK(has_ticket(&s.plan, tickets[i]));
	CHECK_EQ(s.plan.nr, i);
	CHECK_EQ(s.runs, f.runs);
	CHECK(s.runs <= most_runs);
	plan_free(&p);
	plan_free(&s.plan);
}

static void test_shrink(void)
{
	shrink_to(1, (const unsigned int []){ 0, ~0U }, 2);
	shrink_to(2, (const unsigned int []){ 1, ~0U }, 4);
	shrink_to(2, (const unsigned int []){ 0, 1, ~0U }, 4);
	shrink_to(1000, (const unsigned int []){ 617, ~0U }, 24);
	shrink_to(1000, (const unsigned int []){ 0, 500, 999, ~0U }, 300);
	shrink_to(64, (const unsigned int []){ 3, 17, 18, 40, 63, ~0U }, 300);
	shrink_to(5000, (const unsigned int []){ ~0U }, 2);
}

/* Fails if the tickets' sum is a multiple of what there is: hardly monotone. */
static bool end_by_sum(struct fake *f, const struct plan *p)
{
	unsigned int sum = 0;
	size_t i;

	for (i = 0; i < p->nr; i++)
		sum += p->line[i].number;
	return p->nr && sum % *(const unsigned int *)f->arg == 0;
}

/* Whatever it is that fails: at the end none can be left out. */
static void test_shrink_minimal(void)
{
	unsigned int modulus;

	for (modulus = 2; modulus < 60; modulus++) {
		struct fake f = {
			.trier.run = fake_run,
			.end = end_by_sum,
			.arg = &modulus,
		};
		struct plan p = { .nr = 0 }, part = { .nr = 0 };
		struct shrunk s;
		size_t i, j;

		memset(&s, 0, sizeof(s));
		many(&p, modulus * 2 + 1);
		CHECK_EQ(shrink(&f.trier, &p, &exit_three, &s), 0);
		CHECK(s.repeated);
		CHECK(end_by_sum(&f, &s.plan));
		for (i = 0; s.plan.nr > 1 && i < s.plan.nr; i++) {
			part.nr = 0;
			for (j = 0; j < s.plan.nr; j++)
				if (i != j)
					plan_add(&part, &s.plan.line[j]);
			CHECK(!end_by_sum(&f, &part));
		}
		plan_free(&p);
		plan_free(&part);
		plan_free(&s.plan);
	}
}

static bool end_never(struct fake *f, const struct plan *p)
{
	(void)f;
	(void)p;
	return false;
}

static void test_shrink_not_repeated(void)
{
	struct fake f = { .trier.run = fake_run, .end = end_never };
	struct plan p = { .nr = 0 };
	struct shrunk s;

	memset(&s, 0, sizeof(s));
	many(&p, 10);
	CHECK_EQ(shrink(&f.trier, &p, &exit_three, &s), 0);
	CHECK(!s.repeated);
	CHECK_EQ(s.runs, 5);
	CHECK_EQ(s.plan.nr, 10);
	plan_free(&p);
	plan_free(&s.plan);
}

static bool end_otherwise(struct fake *f, const struct plan *p)
{
	return f->runs > 1 && p->nr > 3;
}

/* A failure that comes only at times; and another failure does not count. */
static void test_shrink_same_failure(void)
{
	static const struct outcome exit_four = { .end = { .code = 4 } };
	struct fake f = { .trier.run = fake_run, .end = end_otherwise };
	struct plan p = { .nr = 0 };
	struct shrunk s;

	memset(&s, 0, sizeof(s));
	many(&p, 10);
	CHECK_EQ(shrink(&f.trier, &p, &exit_three, &s), 0);
	CHECK(s.repeated);
	CHECK_EQ(s.plan.nr, 4);
	plan_free(&s.plan);
	memset(&s, 0, sizeof(s));
	CHECK_EQ(shrink(&f.trier, &p, &exit_four, &s), 0);
	CHECK(!s.repeated);
	plan_free(&p);
	plan_free(&s.plan);
}

static void test_shrink_stopped(void)
{
	static const unsigned int tickets[] = { 5, ~0U };
	struct fake f = {
		.trier.run = fake_run,
		.end = end_all_of,
		.arg = tickets,
		.stop_at = 6,
	};
	struct plan p = { .nr = 0 };
	struct shrunk s;

	memset(&s, 0, sizeof(s));
	many(&p, 1000);
	CHECK_EQ(shrink(&f.trier, &p, &exit_three, &s), 130);
	CHECK(s.repeated);
	CHECK(s.plan.nr > 1 && s.plan.nr < 1000);
	CHECK(has_ticket(&s.plan, 5));
	plan_free(&p);
	plan_free(&s.plan);
}

/* ---- exploring ------------------------------------------------------------- */

static unsigned long explore_passing(unsigned int reads, unsigned int most,
				     const char *only)
{
	struct fake f = {
		.trier.run = fake_run,
		.end = end_never,
		.reads = reads,
	};
	struct aring_chaos c;
	struct explored e;
	char why[600];

	memset(&e, 0, sizeof(e));
	memset(&c, 0, sizeof(c));
	CHECK(chaos_read(only, &c, why, sizeof(why)));
	CHECK_EQ(explore(&f.trier, most, &c, &e), 0);
	CHECK(e.passed);
	CHECK(e.repeatable);
	/* The plan without deviations runs twice. */
	CHECK_EQ(f.runs, e.plans + 1);
	return e.plans;
}

static void test_explore_counts(void)
{
	CHECK_EQ(explore_passing(3, 0, ""), 1);
	CHECK_EQ(explore_passing(3, 1, "eio=1%"), 1 + 3);
	CHECK_EQ(explore_passing(4, 2, "eio=1%"), 1 + 4 + 6);
	CHECK_EQ(explore_passing(5, 5, "eio=1%"), 32);
	CHECK_EQ(explore_passing(5, 9, "eio=1%"), 32);
	/* The last has no successor. */
	CHECK_EQ(explore_passing(4, 1, "reorder=1"), 1 + 3);
	CHECK_EQ(explore_passing(4, 2, "reorder=1"), 1 + 3 + 3);
	/* To 1, 2048, 4095; each makes one more request. */
	CHECK_EQ(explore_passing(2, 1, "short=1%"), 1 + 6);
	CHECK_EQ(explore_passing(2, 2, "short=1%"), 1 + 6 + 9 + 6 * 3);
	/* No read fails for want of space. */
	CHECK_EQ(explore_passing(3, 1, "enospc=1%"), 1);
	/* Linux reads all there is of a regular file. */
	CHECK_EQ(explore_passing(2, 1, "short=1%,level=linux"), 1);
	CHECK_EQ(explore_passing(2, 1, "enospc=1%,level=any"), 1 + 2);
}

/* Fails if ticket 1 is short, and what reads on fails. */
static bool end_read_on(struct fake *f, const struct plan *p)
{
	bool is_short = false, fails = false;
	size_t i;

	for (i = 0; i < p->nr; i++) {
		is_short |= p->line[i].action == ARING_ACT_SHORTEN &&
			    p->line[i].number == 1;
		fails |= p->line[i].action == ARING_ACT_FAIL &&
			 p->line[i].number == f->reads;
	}
	return is_short && fails;
}

static void test_explore_finds(void)
{
	struct fake f = {
		.trier.run = fake_run,
		.end = end_read_on,
		.reads = 3,
	};
	struct explored e;
	char line[PLAN_LINE];

	memset(&e, 0, sizeof(e));
	CHECK_EQ(explore(&f.trier, 1, NULL, &e), 0);
	CHECK(e.passed);
	memset(&e, 0, sizeof(e));
	f.runs = 0;
	CHECK_EQ(explore(&f.trier, 3, NULL, &e), 0);
	CHECK(!e.passed);
	CHECK(e.repeatable);
	CHECK_EQ(e.plans + 1, f.runs);
	CHECK_EQ(e.failure.end.code, 3);
	CHECK_EQ(e.first.nr, 2);
	if (e.first.nr == 2) {
		plan_line_write(line, sizeof(line), &e.first.line[0]);
		CHECK_STR(line, "ring 1 ticket 1 READ: shorten 4096 to 1");
		plan_line_write(line, sizeof(line), &e.first.line[1]);
		CHECK_STR(line, "ring 1 ticket 3 READ: fail EIO");
	}
	plan_free(&e.first);
	outcome_free(&e.failure);
}

static bool end_always(struct fake *f, const struct plan *p)
{
	(void)f;
	(void)p;
	return true;
}

static void test_explore_bare_failure(void)
{
	struct fake f = {
		.trier.run = fake_run,
		.end = end_always,
		.reads = 3,
	};
	struct explored e;

	memset(&e, 0, sizeof(e));
	CHECK_EQ(explore(&f.trier, 2, NULL, &e), 0);
	CHECK(!e.passed);
	CHECK_EQ(e.first.nr, 0);
	CHECK_EQ(e.plans, 1);
	outcome_free(&e.failure);
}

static void test_explore_not_repeatable(void)
{
	struct fake f = {
		.trier.run = fake_run,
		.end = end_never,
		.reads = 4,
		.drift = true,
	};
	struct explored e;

	memset(&e, 0, sizeof(e));
	CHECK_EQ(explore(&f.trier, 1, NULL, &e), 0);
	CHECK(e.passed);
	CHECK(!e.repeatable);
	CHECK_STR(e.parted,
		  "process 1 ring 1 ticket 2 READ, 4096 bytes, result 4096; then: "
		  "process 1 ring 1 ticket 2 READ, 4096 bytes, result 100");
}

static void test_explore_stopped(void)
{
	struct fake f = {
		.trier.run = fake_run,
		.end = end_never,
		.reads = 4,
		.stop_at = 5,
	};
	struct explored e;

	memset(&e, 0, sizeof(e));
	CHECK_EQ(explore(&f.trier, 2, NULL, &e), 130);
	CHECK_EQ(f.runs, 5);
}

/* ---- main ------------------------------------------------------------------ */

static const struct {
	const char *name;
	void (*run)(void);
} tests[] = {
	{ "chaos strings", test_chaos_strings },
	{ "chaos strings: values", test_chaos_values },
	{ "chaos strings: errors", test_chaos_errors },
	{ "lines of plans", test_plan_lines },
	{ "lines of plans: values", test_plan_values },
	{ "lines of plans: errors", test_plan_errors },
	{ "files of plans", test_plan_files },
	{ "shrinking", test_shrink },
	{ "shrinking: none can be left out", test_shrink_minimal },
	{ "shrinking: not repeated", test_shrink_not_repeated },
	{ "shrinking: the same failure", test_shrink_same_failure },
	{ "shrinking: stopped", test_shrink_stopped },
	{ "exploring: how many", test_explore_counts },
	{ "exploring: what needs two", test_explore_finds },
	{ "exploring: fails anyway", test_explore_bare_failure },
	{ "exploring: not repeatable", test_explore_not_repeatable },
	{ "exploring: stopped", test_explore_stopped },
};

int main(void)
{
	int bad = 0;
	size_t i;

	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("TAP version 13\n1..%zu\n", ARRAY_SIZE(tests));
	for (i = 0; i < ARRAY_SIZE(tests); i++) {
		failed = 0;
		tests[i].run();
		printf("%sok %zu %s\n", failed ? "not " : "", i + 1,
		       tests[i].name);
		bad |= failed;
	}
	return bad;
}
