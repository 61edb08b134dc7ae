// SPDX-License-Identifier: MIT
/*
 * aring trace: one HTML file that needs no other. It is trace.html, built in, with
 * the trace as JSON in it.
 */
#include <string.h>

#include "cmd.h"
#include "trace.h"

/* The file, and a NUL. TRACE_HTML is its path, from the Makefile. */
__asm__(".section .rodata\n"
	"trace_html_file:\n"
	"	.incbin \"" TRACE_HTML "\"\n"
	"	.byte 0\n"
	".previous\n");
extern const char trace_html_file[] __attribute__((__visibility__("hidden")));

#define MARK	"@DATA@"

/* Neither the string nor the script element that it stands in may end early. */
static void put_string(FILE *f, const char *s)
{
	fputc('"', f);
	for (; *s; s++) {
		if (strchr("\"\\<>&'", *s))
			fprintf(f, "\\u%04x", *s);
		else
			fputc(*s, f);
	}
	fputc('"', f);
}

/* [ticket, op, user_data, result, end, whole, [state, time, ...]] */
static void put_request(const struct trace *t, const struct trace_req *req, FILE *f)
{
	const struct trace_span *s = &t->spans[req->span];
	char buf[TRACE_TEXT];
	size_t i;

	fprintf(f, "[%u,\"%s\",\"%#llx\",\"%s\",%llu,%d,[", req->ticket,
		trace_op_name(req->opcode), req->user_data, trace_res(req, buf),
		req->end, req->whole);
	for (i = 0; i < req->nr_spans; i++)
		fprintf(f, "%s%u,%llu", i ? "," : "", s[i].state, s[i].time);
	fputs("]]", f);
}

static void put_ring(const struct trace *t, const struct trace_ring *ring, FILE *f)
{
	size_t i;

	fprintf(f, "{\"id\":%u,\"process\":%u,\"name\":", ring->id, ring->process);
	put_string(f, ring->name);
	fprintf(f, ",\"virtual\":%s,\"length\":%llu,\"requests\":[",
		ring->virtual ? "true" : "false", ring->length);
	for (i = ring->first; i < ring->first + ring->nr; i++) {
		fputs(i > ring->first ? ",\n" : "\n", f);
		put_request(t, &t->reqs[i], f);
	}
	fputs("]}", f);
}

static void put_data(const struct trace *t, FILE *f)
{
	const struct trace_cancel *c;
	size_t i;

	fputs("{\"title\":", f);
	put_string(f, t->title);
	fprintf(f, ",\"lost\":%llu,\"rings\":[", t->lost + t->left_out);
	for (i = 0; i < t->nr_rings; i++) {
		if (i)
			fputc(',', f);
		put_ring(t, &t->rings[i], f);
	}
	/*
	 * [time, target, who, what it was told], by numbers over all rings, and
	 * the name of a request that is not among them
	 */
	fputs("],\n\"cancels\":[", f);
	for (i = 0; i < t->nr_cancels; i++) {
		c = &t->cancels[i];
		fprintf(f, "%s[%llu,%zu,", i ? "," : "", c->time, c->target);
		if (c->by == TRACE_NO_REQ)
			fputs("-1", f);
		else
			fprintf(f, "%zu", c->by);
		fprintf(f, ",\"%s\"", trace_verdict(c->verdict));
		if (c->by == TRACE_NO_REQ && c->by_opcode != TRACE_NOBODY)
			fprintf(f, ",\"%s %u\"", trace_op_name(c->by_opcode),
				c->by_ticket);
		fputc(']', f);
	}
	fputs("]}", f);
}

/**
 * trace_draw_html() - draw as HTML
 * @t: the trace
 * @f: where to
 */
void trace_draw_html(const struct trace *t, FILE *f)
{
	const char *mark = strstr(trace_html_file, MARK);

	fwrite(trace_html_file, 1, (size_t)(mark - trace_html_file), f);
	put_data(t, f);
	fputs(mark + strlen(MARK), f);
}
