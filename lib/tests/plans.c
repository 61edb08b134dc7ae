// SPDX-License-Identifier: MIT
/*
 * Tests of what aring run makes of plans and chaos strings, without a kernel.
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
#include "check.h"
#include "plans.h"

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
	{ "seed=9,EINTR=5%,EIO=1%", "seed=9,eio=1%,eintr=5%" },
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
	{ "frob", "unknown key 'frob'; there are: seed short" },
	{ "eio", "eio: it needs a value" },
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
	{ "ring 1 ticket 3 WRITE: fail 133", NULL },
	{ "ring 1 ticket 0 NOP: delay 250us", NULL },
	{ "ring 1 ticket 4294967295 VREAD: delay 1s", NULL },
	{ "ring 1 ticket 0 SEND: delay 1ns", NULL },
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
	{ "ring 1 ticket 3 READ: fail 134", "'134' is no error" },
	{ "ring 1 ticket 3 READ: shorten to 2147483648", "'2147483648' is no number of bytes" },
	{ "ring 1 ticket 3 READ: after 65537", "'65537' is no number of successors" },
	{ "ring 1 ticket 3 READ: delay 0ns", "'0ns' is not from 1ns to an hour" },
	{ "ring 1 ticket 3 READ: delay 3601s", "'3601s' is not from 1ns to an hour" },
	{ "ring 1 enter 3: take 2147483648", "'2147483648' is no number of SQEs" },
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

const struct plan_test plan_tests[] = {
	{ "chaos strings", test_chaos_strings },
	{ "chaos strings: values", test_chaos_values },
	{ "chaos strings: errors", test_chaos_errors },
	{ "lines of plans", test_plan_lines },
	{ "lines of plans: values", test_plan_values },
	{ "lines of plans: errors", test_plan_errors },
	{ "files of plans", test_plan_files },
	{ NULL }
};
