// SPDX-License-Identifier: MIT
/*
 * Plans: lists of deviations, in memory and as text.
 */
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "names.h"
#include "plan.h"
#include "under.h"

/* ---- in memory ------------------------------------------------------------- */

/**
 * grow() - make room for one more element of an array
 * @p: the array, or NULL
 * @room: how many elements it has room for
 * @nr: how many it has
 * @size: bytes of an element
 *
 * Ends the program if there is no memory: there is nothing to be saved.
 *
 * Return: the array, that may have moved.
 */
void *grow(void *p, size_t *room, size_t nr, size_t size)
{
	if (nr < *room)
		return p;
	*room = *room ? *room * 2 : 16;
	p = reallocarray(p, *room, size);
	if (!p) {
		complain("%s", strerror(ENOMEM));
		exit(EXIT_UNDER_FAILED);
	}
	return p;
}

/**
 * plan_add() - add a deviation at the end
 * @p: to this plan
 * @d: it
 */
void plan_add(struct plan *p, const struct aring_deviation *d)
{
	p->line = grow(p->line, &p->room, p->nr, sizeof(*p->line));
	p->line[p->nr++] = *d;
}

/**
 * plan_copy() - make a plan the same as another
 * @to: what is in it is forgotten
 * @from: the other
 */
void plan_copy(struct plan *to, const struct plan *from)
{
	size_t i;

	to->nr = 0;
	for (i = 0; i < from->nr; i++)
		plan_add(to, &from->line[i]);
}

/**
 * plan_free() - forget the deviations
 * @p: becomes an empty plan
 */
void plan_free(struct plan *p)
{
	free(p->line);
	memset(p, 0, sizeof(*p));
}

#define ORDER(a, b)						\
	do {							\
		if ((a) != (b))					\
			return (a) < (b) ? -1 : 1;		\
	} while (0)

static unsigned int process_of(const struct aring_deviation *d)
{
	return d->process ? d->process : 1;
}

/* By what they are addressed to, and what they do to it. */
static int compare(const struct aring_deviation *a,
		   const struct aring_deviation *b)
{
	ORDER(process_of(a), process_of(b));
	ORDER(a->ring, b->ring);
	ORDER(a->flags & ARING_DEV_ENTER, b->flags & ARING_DEV_ENTER);
	ORDER(a->number, b->number);
	ORDER(a->action, b->action);
	return 0;
}

static int compare_all(const void *x, const void *y)
{
	const struct aring_deviation *a = x, *b = y;
	int ret = compare(a, b);

	if (ret)
		return ret;
	ORDER(a->value, b->value);
	return 0;
}

/**
 * plan_sort() - put the deviations in the order of what they are addressed to
 * @p: the plan
 */
void plan_sort(struct plan *p)
{
	if (p->nr)
		qsort(p->line, p->nr, sizeof(*p->line), compare_all);
}

static int compare_addresses(const void *x, const void *y)
{
	return compare(x, y);
}

/**
 * plan_has() - does a plan have a deviation?
 * @p: the plan, sorted
 * @d: with the address and the action of this one
 */
bool plan_has(const struct plan *p, const struct aring_deviation *d)
{
	return p->nr && bsearch(d, p->line, p->nr, sizeof(*p->line),
				compare_addresses);
}

/* ---- written --------------------------------------------------------------- */

static void write_action(char *buf, size_t size,
			 const struct aring_deviation *d)
{
	const char *name;
	char text[32];

	switch (d->action) {
	case ARING_ACT_FAIL:
		name = name_of(errno_names, (unsigned int)d->value);
		if (name)
			snprintf(buf, size, "fail %s", name);
		else
			snprintf(buf, size, "fail %llu", d->value);
		break;
	case ARING_ACT_SHORTEN:
		if (d->was)
			snprintf(buf, size, "shorten %llu to %llu", d->was,
				 d->value);
		else
			snprintf(buf, size, "shorten to %llu", d->value);
		break;
	case ARING_ACT_DELAY:
		write_duration(text, sizeof(text), d->value);
		snprintf(buf, size, "delay %s", text);
		break;
	case ARING_ACT_AFTER:
		snprintf(buf, size, "after %llu", d->value);
		break;
	case ARING_ACT_CANCEL_WINS:
		snprintf(buf, size, "cancel wins");
		break;
	case ARING_ACT_CANCEL_LOSES:
		snprintf(buf, size, "cancel loses");
		break;
	case ARING_ACT_CQ_FULL:
		snprintf(buf, size, "cq full");
		break;
	case ARING_ACT_ENTER_EINTR:
		snprintf(buf, size, "eintr");
		break;
	case ARING_ACT_ENTER_TAKE:
		snprintf(buf, size, "take %llu", d->value);
		break;
	default:
		snprintf(buf, size, "action %u", d->action);
	}
}

/**
 * plan_line_write() - the text of a deviation
 * @buf: to here
 * @size: of @buf: PLAN_LINE is enough
 * @d: it
 */
void plan_line_write(char *buf, size_t size, const struct aring_deviation *d)
{
	const char *op = name_of(op_names, d->opcode);
	char process[24] = "", address[64], action[64];

	if (process_of(d) != 1)
		snprintf(process, sizeof(process), "process %u ", d->process);
	if (d->flags & ARING_DEV_ENTER)
		snprintf(address, sizeof(address), "enter %u", d->number);
	else if (op)
		snprintf(address, sizeof(address), "ticket %u %s", d->number,
			 op);
	else
		snprintf(address, sizeof(address), "ticket %u %u", d->number,
			 d->opcode);
	write_action(action, sizeof(action), d);
	snprintf(buf, size, "%sring %u %s: %s", process, d->ring, address,
		 action);
}

/**
 * plan_write() - write a plan, a line a deviation
 * @f: to here
 * @p: the plan
 */
void plan_write(FILE *f, const struct plan *p)
{
	char line[PLAN_LINE];
	size_t i;

	for (i = 0; i < p->nr; i++) {
		plan_line_write(line, sizeof(line), &p->line[i]);
		fprintf(f, "%s\n", line);
	}
}

/* ---- read ------------------------------------------------------------------ */

#define MAX_WORDS	16

/**
 * struct words - a line, cut up
 * @word: the words; a colon is one of its own
 * @nr: how many
 * @at: which is the next
 * @why: what is wrong is written to here
 * @size: of @why
 */
struct words {
	char *word[MAX_WORDS];
	unsigned int nr;
	unsigned int at;
	char *why;
	size_t size;
};

__attribute__((__format__(__printf__, 2, 3)))
static bool wrong(struct words *w, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(w->why, w->size, fmt, ap);
	va_end(ap);
	return false;
}

static const char *peek(const struct words *w)
{
	return w->at < w->nr ? w->word[w->at] : "";
}

static bool next_is(struct words *w, const char *word)
{
	if (strcmp(peek(w), word))
		return false;
	w->at++;
	return true;
}

static bool expect(struct words *w, const char *word)
{
	return next_is(w, word) ||
	       wrong(w, "'%s' where there should be '%s'", peek(w), word);
}

/* The limits are those of the kernel: so what is wrong is said with its line. */
static bool take_number(struct words *w, const char *of, __u64 min, __u64 max,
			__u64 *nr)
{
	if (!read_number(peek(w), max, nr) || *nr < min)
		return wrong(w, "'%s' is no number of %s", peek(w), of);
	w->at++;
	return true;
}

static bool take_number32(struct words *w, const char *of, __u64 min, __u32 *nr)
{
	__u64 v;

	if (!take_number(w, of, min, ~0U, &v))
		return false;
	*nr = (__u32)v;
	return true;
}

static bool read_op(struct words *w, struct aring_deviation *d)
{
	const struct name *name = name_find(op_names, peek(w));
	__u64 nr;

	if (name)
		d->opcode = (__u8)name->nr;
	else if (read_number(peek(w), 255, &nr))
		d->opcode = (__u8)nr;
	else
		return wrong(w, "'%s' is no operation", peek(w));
	w->at++;
	return true;
}

static bool read_address(struct words *w, struct aring_deviation *d)
{
	d->process = 1;
	if (next_is(w, "process") &&
	    !take_number32(w, "a process", 1, &d->process))
		return false;
	if (!expect(w, "ring") || !take_number32(w, "a ring", 1, &d->ring))
		return false;
	if (next_is(w, "enter")) {
		d->flags = ARING_DEV_ENTER;
		return take_number32(w, "an ENTER", 1, &d->number);
	}
	return expect(w, "ticket") &&
	       take_number32(w, "a ticket", 0, &d->number) && read_op(w, d);
}

static bool read_enter_action(struct words *w, struct aring_deviation *d)
{
	if (next_is(w, "eintr")) {
		d->action = ARING_ACT_ENTER_EINTR;
		return true;
	}
	if (next_is(w, "take")) {
		d->action = ARING_ACT_ENTER_TAKE;
		return take_number(w, "SQEs", 0, INT_MAX, &d->value);
	}
	return wrong(w, "'%s' is done to no ENTER; there are: eintr, take",
		     peek(w));
}

static bool read_fail(struct words *w, struct aring_deviation *d)
{
	const struct name *name = name_find(errno_names, peek(w));

	d->action = ARING_ACT_FAIL;
	if (!name)
		return take_number(w, "an error", 1, EHWPOISON, &d->value) ||
		       wrong(w, "'%s' is no error", peek(w));
	d->value = name->nr;
	w->at++;
	return true;
}

static bool read_cancel(struct words *w, struct aring_deviation *d)
{
	d->action = ARING_ACT_CANCEL_LOSES;
	if (next_is(w, "loses"))
		return true;
	d->action = ARING_ACT_CANCEL_WINS;
	return next_is(w, "wins") ||
	       wrong(w, "'%s' where there should be 'wins' or 'loses'", peek(w));
}

static bool read_ticket_action(struct words *w, struct aring_deviation *d)
{
	if (next_is(w, "shorten")) {
		d->action = ARING_ACT_SHORTEN;
		if (!next_is(w, "to") &&
		    !(take_number(w, "bytes", 1, ~0ULL, &d->was) && expect(w, "to")))
			return false;
		return take_number(w, "bytes", 0, INT_MAX, &d->value);
	}
	if (next_is(w, "fail"))
		return read_fail(w, d);
	if (next_is(w, "delay")) {
		d->action = ARING_ACT_DELAY;
		if (!read_duration(peek(w), 0, &d->value, NULL))
			return wrong(w, "'%s' is no time, as 250us is", peek(w));
		if (!d->value || d->value > ARING_CHAOS_MAX_DELAY)
			return wrong(w, "'%s' is not from 1ns to an hour", peek(w));
		w->at++;
		return true;
	}
	if (next_is(w, "after")) {
		d->action = ARING_ACT_AFTER;
		return take_number(w, "successors", 1, ARING_CHAOS_MAX_REORDER,
				   &d->value);
	}
	if (next_is(w, "cancel"))
		return read_cancel(w, d);
	if (next_is(w, "cq")) {
		d->action = ARING_ACT_CQ_FULL;
		return expect(w, "full");
	}
	return wrong(w, "'%s' is done to no request; there are: %s", peek(w),
		     "shorten, fail, delay, after, cancel, cq full");
}

static bool split(struct words *w, char *text)
{
	char *colon = strchr(text, ':'), *save = NULL, *word;
	int part;

	if (!colon)
		return wrong(w, "there is no colon");
	*colon = 0;
	for (part = 0; part < 2; part++) {
		for (word = strtok_r(part ? colon + 1 : text, " \t\r\n", &save);
		     word; word = strtok_r(NULL, " \t\r\n", &save)) {
			if (w->nr == MAX_WORDS - 1)
				return wrong(w, "there are too many words");
			w->word[w->nr++] = word;
		}
		if (!part)
			w->word[w->nr++] = (char *)":";
	}
	return true;
}

/**
 * plan_line_read() - read the text of a deviation
 * @text: the text
 * @d: out
 * @why: out: what is wrong with it
 * @size: of @why
 *
 * Return: whether nothing is.
 */
bool plan_line_read(const char *text, struct aring_deviation *d, char *why,
		    size_t size)
{
	struct words w = { .why = why, .size = size };
	char *copy = strdup(text);
	bool ok;

	memset(d, 0, sizeof(*d));
	if (!copy)
		return wrong(&w, "%s", strerror(ENOMEM));
	ok = split(&w, copy) && read_address(&w, d) && expect(&w, ":") &&
	     (d->flags & ARING_DEV_ENTER ? read_enter_action(&w, d) :
	      read_ticket_action(&w, d));
	if (ok && w.at < w.nr)
		ok = wrong(&w, "'%s' is one word too many", peek(&w));
	free(copy);
	return ok;
}

/* What begins with # is for people. */
static bool is_empty(char *text)
{
	text[strcspn(text, "#")] = 0;
	return !text[strspn(text, " \t\r\n")];
}

/* Two values for one action on one request would leave open which counts. */
static bool says_all_once(const struct plan *p, const char *name, char *why,
			  size_t size)
{
	struct plan sorted = { .nr = 0 };
	char line[PLAN_LINE];
	bool ok = true;
	size_t i;

	plan_copy(&sorted, p);
	plan_sort(&sorted);
	for (i = 1; ok && i < sorted.nr; i++) {
		if (compare(&sorted.line[i - 1], &sorted.line[i]))
			continue;
		plan_line_write(line, sizeof(line), &sorted.line[i]);
		snprintf(why, size, "%s: '%s' is there a second time", name, line);
		ok = false;
	}
	plan_free(&sorted);
	return ok;
}

/**
 * plan_read() - read a plan
 * @f: from here
 * @name: what it is called
 * @p: an empty plan; out
 * @why: out: what is wrong, and where
 * @size: of @why
 *
 * Return: whether nothing is.
 */
bool plan_read(FILE *f, const char *name, struct plan *p, char *why,
	       size_t size)
{
	struct aring_deviation d;
	unsigned int line = 0;
	char *text = NULL;
	char what[200];
	size_t room = 0;
	bool ok = true;

	while (ok && getline(&text, &room, f) >= 0) {
		line++;
		if (is_empty(text))
			continue;
		ok = plan_line_read(text, &d, what, sizeof(what));
		if (ok)
			plan_add(p, &d);
		else
			snprintf(why, size, "%s:%u: %s", name, line, what);
	}
	free(text);
	if (ok && ferror(f)) {
		snprintf(why, size, "%s: %s; next: name a plan, as --shrink writes one",
			 name, strerror(errno));
		ok = false;
	}
	return ok && says_all_once(p, name, why, size);
}
