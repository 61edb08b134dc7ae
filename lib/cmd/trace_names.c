// SPDX-License-Identifier: MIT
/*
 * aring trace: how states, operations, results and times are called, and the
 * story of a request in words.
 */
#include <errno.h>
#include <string.h>

#include "cmd.h"
#include "trace.h"

/**
 * trace_op_name() - what an operation is called
 * @opcode: of it
 *
 * Return: its name, "?" for one that there is not.
 */
const char *trace_op_name(__u8 opcode)
{
	const char *name = aring_op_name(opcode);

	if (opcode == TRACE_NOBODY)
		return "nobody";
	return name ? name : "?";
}

/**
 * trace_state_name() - what a state is called
 * @state: an &enum trace_state
 *
 * Return: its name.
 */
const char *trace_state_name(unsigned int state)
{
	static const char * const names[] = {
		"SUBMITTED", "QUEUED", "STARTED", "DONE", "CANCELLED", "NEW",
	};

	return state < ARRAY_SIZE(names) ? names[state] : "?";
}

/**
 * trace_res() - the result of a request, in words
 * @req: the request
 * @buf: room for it
 *
 * Return: @buf: a number, the name of an errno, or "not over".
 */
const char *trace_res(const struct trace_req *req, char buf[TRACE_TEXT])
{
	const char *name = NULL;

	if (req->last != TRACE_DONE && req->last != TRACE_CANCELLED)
		return "not over";
	if (req->res < 0)
		name = strerrorname_np(-req->res);
	if (name)
		snprintf(buf, TRACE_TEXT, "-%s", name);
	else
		snprintf(buf, TRACE_TEXT, "%d", req->res);
	return buf;
}

/**
 * trace_ns() - a time in a unit in which it is readable
 * @ns: nanoseconds
 * @buf: room for it
 *
 * Return: @buf.
 */
const char *trace_ns(__u64 ns, char buf[TRACE_TEXT])
{
	static const char * const units[] = { "ns", "us", "ms", "s" };
	double d = (double)ns;
	size_t u = 0;

	while (d >= 999.95 && u + 1 < ARRAY_SIZE(units)) {
		d /= 1000;
		u++;
	}
	snprintf(buf, TRACE_TEXT, "%.*f %s", !u || d >= 100 ? 0 : d >= 10 ? 1 : 2,
		 d, units[u]);
	return buf;
}

/**
 * trace_verdict() - what a canceller was told
 * @verdict: the number
 *
 * Return: words.
 */
const char *trace_verdict(__s32 verdict)
{
	switch (verdict) {
	case 0:
		return "was taken back (0)";
	case -EALREADY:
		return "had started (-EALREADY)";
	case -ENOENT:
		return "was over (-ENOENT)";
	default:
		return "?";
	}
}

static void story_of_cancels(const struct trace *t, size_t req, FILE *f)
{
	const struct trace_req *other;
	const struct trace_cancel *c;
	char buf[TRACE_TEXT];
	size_t i;

	for (i = 0; i < t->nr_cancels; i++) {
		c = &t->cancels[i];
		if (c->target != req && c->by != req)
			continue;
		if (c->target != req) {
			other = &t->reqs[c->target];
			fprintf(f, "; at %s it asks for %s %u back: that %s",
				trace_ns(c->time, buf),
				trace_op_name(other->opcode), other->ticket,
				trace_verdict(c->verdict));
		} else if (c->by != TRACE_NO_REQ) {
			other = &t->reqs[c->by];
			fprintf(f, "; at %s asked back by %s %u: it %s",
				trace_ns(c->time, buf),
				trace_op_name(other->opcode), other->ticket,
				trace_verdict(c->verdict));
		} else if (c->by_opcode != TRACE_NOBODY) {
			fprintf(f, "; at %s asked back by %s %u, which was lost: it %s",
				trace_ns(c->time, buf),
				trace_op_name(c->by_opcode), c->by_ticket,
				trace_verdict(c->verdict));
		} else {
			fprintf(f, "; at %s asked back by its program or ring: it %s",
				trace_ns(c->time, buf), trace_verdict(c->verdict));
		}
	}
}

/**
 * trace_story() - the life of a request, in one line
 * @t: the trace
 * @req: index of the request
 * @f: where to
 */
void trace_story(const struct trace *t, size_t req, FILE *f)
{
	const struct trace_req *r = &t->reqs[req];
	const struct trace_span *s = &t->spans[r->span];
	char buf[TRACE_TEXT];
	size_t i;

	fprintf(f, "%s, ticket %u, user_data %#llx", trace_op_name(r->opcode),
		r->ticket, r->user_data);
	if (!r->whole)
		fputs(", its beginning is not in the record", f);
	for (i = 0; i < r->nr_spans; i++) {
		fprintf(f, "; %s at %s", trace_state_name(s[i].state),
			trace_ns(s[i].time, buf));
		if (i + 1 < r->nr_spans)
			fprintf(f, " for %s",
				trace_ns(s[i + 1].time - s[i].time, buf));
	}
	fprintf(f, "; result %s", trace_res(r, buf));
	story_of_cancels(t, req, f);
}

/**
 * trace_summary() - the trace in one line
 * @t: the trace
 * @f: where to
 */
void trace_summary(const struct trace *t, FILE *f)
{
	size_t i, failed = 0, cancelled = 0, open = 0;

	for (i = 0; i < t->nr_reqs; i++) {
		if (t->reqs[i].last == TRACE_CANCELLED)
			cancelled++;
		else if (t->reqs[i].last != TRACE_DONE)
			open++;
		else if (t->reqs[i].res < 0)
			failed++;
	}
	fprintf(f, "%zu request%s in %zu ring%s", t->nr_reqs,
		t->nr_reqs == 1 ? "" : "s", t->nr_rings,
		t->nr_rings == 1 ? "" : "s");
	if (failed)
		fprintf(f, ", %zu failed", failed);
	if (cancelled)
		fprintf(f, ", %zu cancelled", cancelled);
	if (open)
		fprintf(f, ", %zu not over", open);
	if (t->lost + t->left_out)
		fprintf(f, "; incomplete: %llu events were lost",
			t->lost + t->left_out);
}

/**
 * trace_ring_title() - which ring it is
 * @ring: the ring
 * @f: where to
 *
 * The name is printable, but not escaped.
 */
void trace_ring_title(const struct trace_ring *ring, FILE *f)
{
	fprintf(f, "ring %u of %s (process %u)%s", ring->id, ring->name,
		ring->process, ring->virtual ? ", virtual clock" : "");
}

/**
 * trace_tick() - how far marks of a time axis are apart
 * @length: of the axis
 * @most: how many marks at most
 *
 * Return: 1, 2 or 5 times a power of ten.
 */
__u64 trace_tick(__u64 length, unsigned int most)
{
	static const unsigned int steps[] = { 1, 2, 5 };
	__u64 unit;
	size_t i;

	for (unit = 1; unit < (1ULL << 59); unit *= 10)
		for (i = 0; i < ARRAY_SIZE(steps); i++)
			if (length / (unit * steps[i]) < most)
				return unit * steps[i];
	return unit;
}

/**
 * trace_escape() - write text into XML or HTML
 * @f: where to
 * @s: printable ASCII
 */
void trace_escape(FILE *f, const char *s)
{
	for (; *s; s++) {
		if (strchr("<>&\"'", *s))
			fprintf(f, "&#%d;", *s);
		else
			fputc(*s, f);
	}
}
