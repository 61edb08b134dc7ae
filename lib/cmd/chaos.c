// SPDX-License-Identifier: MIT
/*
 * The chaos string: "seed=42,short=10%,eio=1%".
 */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "chaos.h"
#include "cmd.h"
#include "names.h"

#define MILLION		1000000U

/**
 * struct reading - a chaos string being read
 * @c: what it says so far
 * @seen: keys that were there, a bit each
 * @why: what is wrong is written to here
 * @size: of @why
 */
struct reading {
	struct aring_chaos *c;
	unsigned int seen;
	char *why;
	size_t size;
};

__attribute__((__format__(__printf__, 2, 3)))
static bool wrong(struct reading *r, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(r->why, r->size, fmt, ap);
	va_end(ap);
	return false;
}

__attribute__((__format__(__printf__, 3, 4)))
static void append(char *buf, size_t size, const char *fmt, ...)
{
	size_t n = strlen(buf);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(buf + n, size - n, fmt, ap);
	va_end(ap);
}

static void append_lower(char *buf, size_t size, const char *name)
{
	append(buf, size, " ");
	for (; *name; name++)
		append(buf, size, "%c", tolower((unsigned char)*name));
}

/* "10%", "0.25%": to a ten-thousandth of a percent. */
static bool read_rate(struct reading *r, const char *key, const char *text,
		      __u32 *ppm)
{
	__u32 unit = MILLION / 10;
	const char *p = text;
	__u64 v = 0;

	for (; *p >= '0' && *p <= '9' && v <= 100; p++)
		v = v * 10 + (__u64)(*p - '0');
	if (p == text)
		return wrong(r, "%s=%s: not a rate, as 10%% or 0.25%% is", key,
			     text);
	v *= MILLION / 100;
	if (*p == '.') {
		unit = MILLION / 100;
		for (p++; *p >= '0' && *p <= '9'; p++) {
			unit /= 10;
			if (!unit && *p != '0')
				return wrong(r, "%s=%s: finer than 0.0001%%",
					     key, text);
			v += unit * (__u64)(*p - '0');
		}
	}
	if (v > MILLION)
		return wrong(r, "%s=%s: more than 100%%", key, text);
	if (strcmp(p, "%"))
		return wrong(r, "%s=%s: not a rate, as 10%% or 0.25%% is", key,
			     text);
	*ppm = (__u32)v;
	return true;
}

static bool read_seed(struct reading *r, const char *key, const char *text)
{
	char *end;

	errno = 0;
	/* A leading zero is nothing but that. */
	r->c->seed = strtoull(text, &end, strncasecmp(text, "0x", 2) ? 10 : 16);
	return (*text >= '0' && *text <= '9' && !*end && !errno) ||
	       wrong(r, "%s=%s: not a number of 64 bits", key, text);
}

static bool read_short(struct reading *r, const char *key, const char *text)
{
	return read_rate(r, key, text, &r->c->short_ppm);
}

static bool read_eintr(struct reading *r, const char *key, const char *text)
{
	return read_rate(r, key, text, &r->c->eintr_ppm);
}

static bool read_cqfull(struct reading *r, const char *key, const char *text)
{
	return read_rate(r, key, text, &r->c->cqfull_ppm);
}

static bool read_take(struct reading *r, const char *key, const char *text)
{
	return read_rate(r, key, text, &r->c->take_ppm);
}

static bool read_reorder(struct reading *r, const char *key, const char *text)
{
	__u64 v;

	if (!read_number(text, ARING_CHAOS_MAX_REORDER, &v))
		return wrong(r, "%s=%s: not a number up to %u", key, text,
			     ARING_CHAOS_MAX_REORDER);
	r->c->reorder = (__u32)v;
	return true;
}

/* "0..500us": where the lower end has no unit, it has that of the upper one. */
static bool read_delay(struct reading *r, const char *key, const char *text)
{
	const char *dots = strstr(text, "..");
	char low[32] = "";
	__u64 unit;

	if (dots && (size_t)(dots - text) < sizeof(low))
		memcpy(low, text, (size_t)(dots - text));
	if (!read_duration(dots ? dots + 2 : text, 0, &r->c->delay_max,
			   &unit) ||
	    !read_duration(dots ? low : text, unit, &r->c->delay_min, NULL))
		return wrong(r, "%s=%s: not a span, as 0..500us is (ns, us, ms, s)",
			     key, text);
	if (r->c->delay_max > ARING_CHAOS_MAX_DELAY)
		return wrong(r, "%s=%s: more than an hour", key, text);
	if (r->c->delay_min > r->c->delay_max)
		return wrong(r, "%s=%s: the lower end is the higher one", key,
			     text);
	return true;
}

static bool read_cancel(struct reading *r, const char *key, const char *text)
{
	size_t len = strcspn(text, ":");

	if (len == 4 && !strncmp(text, "late", len))
		r->c->cancel = ARING_CHAOS_CANCEL_LATE;
	else if (len == 5 && !strncmp(text, "early", len))
		r->c->cancel = ARING_CHAOS_CANCEL_EARLY;
	else
		return wrong(r, "%s=%s: neither late nor early, as in %s=late or %s=early:10%%",
			     key, text, key, key);
	if (text[len])
		return read_rate(r, key, text + len + 1, &r->c->cancel_ppm);
	r->c->cancel_ppm = MILLION;
	return true;
}

static const char * const levels[] = {
	[ARING_LEVEL_CONTRACT]	= "contract",
	[ARING_LEVEL_LINUX]	= "linux",
	[ARING_LEVEL_ANY]	= "any",
};

static bool read_level(struct reading *r, const char *key, const char *text)
{
	__u32 i;

	for (i = 0; i < ARRAY_SIZE(levels); i++) {
		if (strcmp(text, levels[i]))
			continue;
		r->c->level = i;
		return true;
	}
	return wrong(r, "%s=%s: there are contract, linux, any", key, text);
}

static const struct {
	const char *name;
	bool (*read)(struct reading *r, const char *key, const char *text);
} keys[] = {
	{ "seed", read_seed },
	{ "short", read_short },
	{ "eintr", read_eintr },
	{ "take", read_take },
	{ "reorder", read_reorder },
	{ "delay", read_delay },
	{ "cancel", read_cancel },
	{ "cqfull", read_cqfull },
	{ "level", read_level },
};

static bool unknown_key(struct reading *r, const char *key)
{
	const struct name *e;
	size_t i;

	wrong(r, "unknown key '%s'; there are:", key);
	for (i = 0; i < ARRAY_SIZE(keys); i++)
		append(r->why, r->size, " %s", keys[i].name);
	append(r->why, r->size, ", and errors:");
	/* EINTR is that of ENTER. */
	for (e = errno_names; e->name; e++)
		if (e->nr != EINTR)
			append_lower(r->why, r->size, e->name);
	return false;
}

static bool lacks_value(struct reading *r, const char *key)
{
	return wrong(r, "%s: it needs a value, as in seed=1 or short=10%%", key);
}

/* By its own name: eio=1%. */
static bool read_errno(struct reading *r, const char *key, const char *text)
{
	const struct name *e = name_find(errno_names, key);
	struct aring_chaos *c = r->c;
	__u32 i, sum = 0;

	if (!e)
		return unknown_key(r, key);
	if (!text)
		return lacks_value(r, key);
	for (i = 0; i < c->nr_errnos; i++)
		if (c->errno_nr[i] == e->nr)
			return wrong(r, "%s: given twice", key);
	if (c->nr_errnos == ARING_CHAOS_ERRNOS)
		return wrong(r, "%s: more than %d errors", key,
			     ARING_CHAOS_ERRNOS);
	c->errno_nr[c->nr_errnos] = e->nr;
	if (!read_rate(r, key, text, &c->errno_ppm[c->nr_errnos++]))
		return false;
	/* A request fails with one of them. */
	for (i = 0; i < c->nr_errnos; i++)
		sum += c->errno_ppm[i];
	return sum <= MILLION ||
	       wrong(r, "%s=%s: with the errors before it more than 100%%", key,
		     text);
}

/* @text: NULL if there is none */
static bool read_key(struct reading *r, const char *key, const char *text)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(keys); i++) {
		/* As names of errors: EINTR is that of ENTER, too. */
		if (strcasecmp(key, keys[i].name))
			continue;
		if (r->seen & 1U << i)
			return wrong(r, "%s: given twice", key);
		r->seen |= 1U << i;
		return text ? keys[i].read(r, key, text) : lacks_value(r, key);
	}
	return read_errno(r, key, text);
}

/**
 * chaos_read() - read a chaos string
 * @text: the string
 * @c: in: all 0 but what shall be so where the string does not say it: the
 *	seed; out
 * @why: out: what is wrong with it
 * @size: of @why
 *
 * Return: whether nothing is.
 */
bool chaos_read(const char *text, struct aring_chaos *c, char *why, size_t size)
{
	struct reading r = { .c = c, .why = why, .size = size };
	char *copy = strdup(text), *rest = copy, *key, *value;
	bool ok = true;

	if (!copy)
		return wrong(&r, "%s", strerror(ENOMEM));
	while (ok && *text && (key = strsep(&rest, ","))) {
		value = strchr(key, '=');
		if (value)
			*value++ = 0;
		if (*key)
			ok = read_key(&r, key, value && *value ? value : NULL);
		else
			ok = wrong(&r, "'%s': there is an empty word", text);
	}
	free(copy);
	return ok;
}

/* ---- written --------------------------------------------------------------- */

/* @key: with the = or : behind it */
static void append_rate(char *buf, size_t size, const char *key, __u32 ppm)
{
	__u32 part = ppm % (MILLION / 100);
	size_t n;

	if (!ppm)
		return;
	append(buf, size, ",%s%u", key, ppm / (MILLION / 100));
	if (part) {
		append(buf, size, ".%04u", part);
		for (n = strlen(buf); buf[n - 1] == '0'; n--)
			buf[n - 1] = 0;
	}
	append(buf, size, "%%");
}

static void append_errno(char *buf, size_t size, __u32 nr, __u32 ppm)
{
	const char *name = name_of(errno_names, nr);
	char key[24];
	size_t i;

	if (!name)
		return;
	for (i = 0; i < sizeof(key) - 2 && name[i]; i++)
		key[i] = (char)tolower((unsigned char)name[i]);
	key[i++] = '=';
	key[i] = 0;
	append_rate(buf, size, key, ppm);
}

/**
 * chaos_write() - write a chaos string
 * @buf: to here
 * @size: of @buf: CHAOS_TEXT is enough
 * @c: what it says
 */
void chaos_write(char *buf, size_t size, const struct aring_chaos *c)
{
	char low[32], high[32];
	__u32 i;

	*buf = 0;
	append(buf, size, "seed=%llu", c->seed);
	append_rate(buf, size, "short=", c->short_ppm);
	for (i = 0; i < c->nr_errnos; i++)
		append_errno(buf, size, c->errno_nr[i], c->errno_ppm[i]);
	append_rate(buf, size, "eintr=", c->eintr_ppm);
	append_rate(buf, size, "take=", c->take_ppm);
	if (c->reorder)
		append(buf, size, ",reorder=%u", c->reorder);
	if (c->delay_max) {
		write_duration(low, sizeof(low), c->delay_min);
		write_duration(high, sizeof(high), c->delay_max);
		append(buf, size, ",delay=%s..%s", low, high);
	}
	append_rate(buf, size, c->cancel == ARING_CHAOS_CANCEL_LATE ?
		    "cancel=late:" : "cancel=early:", c->cancel_ppm);
	append_rate(buf, size, "cqfull=", c->cqfull_ppm);
	if (c->level)
		append(buf, size, ",level=%s", levels[c->level]);
}

/**
 * chaos_level() - the name of a level
 * @level: ARING_LEVEL_*
 */
const char *chaos_level(__u32 level)
{
	return levels[level];
}

/**
 * chaos_does_nothing() - is there nothing that a seed could decide?
 * @c: the chaos
 */
bool chaos_does_nothing(const struct aring_chaos *c)
{
	__u32 i;

	for (i = 0; i < c->nr_errnos; i++)
		if (c->errno_ppm[i])
			return false;
	return !(c->short_ppm | c->eintr_ppm | c->cqfull_ppm | c->take_ppm |
		 c->cancel_ppm | c->reorder) && !c->delay_max;
}
