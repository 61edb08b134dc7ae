// SPDX-License-Identifier: MIT
/*
 * aring trace: Chrome's trace events, which Perfetto and chrome://tracing draw.
 *
 * Their slices must not overlap within a thread, and arrows go between slices of
 * threads only. So a ring is a process, and its threads are lanes, as many as it
 * had requests at a time.
 */
#include <stdlib.h>

#include "cmd.h"
#include "trace.h"

/* Microseconds, which is what the format has; with all the digits there are. */
static void put_us(FILE *f, __u64 ns)
{
	fprintf(f, "%llu.%03llu", ns / 1000, ns % 1000);
}

static void put_begin(FILE *f, const char *phase, size_t ring, size_t lane, __u64 ns)
{
	fprintf(f, ",\n{\"ph\":\"%s\",\"pid\":%zu,\"tid\":%zu,\"ts\":", phase,
		ring + 1, lane + 1);
	put_us(f, ns);
}

/* The first lane that is free again; each says when. */
static size_t find_lane(__u64 *lanes, size_t *nr, const struct trace_req *req)
{
	size_t i;

	for (i = 0; i < *nr && lanes[i] > req->begin; i++)
		;
	if (i == *nr)
		(*nr)++;
	/* What takes no time takes a lane all the same. */
	lanes[i] = req->end > req->begin ? req->end : req->begin + 1;
	return i;
}

static void put_request(const struct trace *t, size_t i, size_t lane, FILE *f)
{
	const struct trace_req *req = &t->reqs[i];
	const struct trace_span *s = &t->spans[req->span];
	char buf[TRACE_TEXT];
	size_t k;

	put_begin(f, "X", req->ring, lane, req->begin);
	fputs(",\"dur\":", f);
	put_us(f, req->end - req->begin);
	fprintf(f, ",\"cat\":\"request\",\"name\":\"%s\",\"args\":{\"ticket\":%u,",
		trace_op_name(req->opcode), req->ticket);
	fprintf(f, "\"user_data\":\"%#llx\",\"result\":\"%s\",\"state\":\"%s\"}}",
		req->user_data, trace_res(req, buf), trace_state_name(req->last));
	for (k = 0; k < req->nr_spans; k++) {
		if (s[k].state >= TRACE_DONE)
			continue;
		put_begin(f, "X", req->ring, lane, s[k].time);
		fputs(",\"dur\":", f);
		put_us(f, (k + 1 < req->nr_spans ? s[k + 1].time : req->end) -
		       s[k].time);
		fprintf(f, ",\"cat\":\"state\",\"name\":\"%s\"}",
			trace_state_name(s[k].state));
	}
}

static void put_cancel(const struct trace *t, size_t i, const size_t *lane_of,
		       FILE *f)
{
	const struct trace_cancel *c = &t->cancels[i];
	size_t ring = t->reqs[c->target].ring;

	if (c->by == TRACE_NO_REQ) {
		put_begin(f, "i", ring, lane_of[c->target], c->time);
		fputs(",\"s\":\"t\",\"cat\":\"cancel\",\"name\":\"asked back", f);
		if (c->by_opcode != TRACE_NOBODY)
			fprintf(f, " by %s %u", trace_op_name(c->by_opcode),
				c->by_ticket);
		fprintf(f, ": %s\"}", trace_verdict(c->verdict));
		return;
	}
	put_begin(f, "s", ring, lane_of[c->by], c->time);
	fprintf(f, ",\"id\":%zu,\"cat\":\"cancel\",\"name\":\"cancel: %s\"}", i + 1,
		trace_verdict(c->verdict));
	/* Bound to the slice around it: that may have ended at this very time. */
	put_begin(f, "f", ring, lane_of[c->target],
		  c->time < t->reqs[c->target].end ? c->time :
		  t->reqs[c->target].end);
	fprintf(f, ",\"bp\":\"e\",\"id\":%zu,\"cat\":\"cancel\",\"name\":\"cancel: %s\"}",
		i + 1, trace_verdict(c->verdict));
}

static void put_lane_name(FILE *f, size_t pid, size_t tid)
{
	fprintf(f, ",\n{\"ph\":\"M\",\"pid\":%zu,\"tid\":%zu,\"name\":\"thread_name\",", pid,
		tid);
	fprintf(f, "\"args\":{\"name\":\"lane %zu\"}}", tid);
}

static void put_ring(const struct trace *t, size_t nr, size_t *lane_of, __u64 *lanes,
		     FILE *f)
{
	const struct trace_ring *ring = &t->rings[nr];
	size_t i, nr_lanes = 0;

	fprintf(f, ",\n{\"ph\":\"M\",\"pid\":%zu,\"name\":\"process_name\",", nr + 1);
	fprintf(f, "\"args\":{\"name\":\"ring %u of ", ring->id);
	/* It is printable ASCII. */
	for (i = 0; ring->name[i]; i++)
		fprintf(f, ring->name[i] == '"' || ring->name[i] == '\\' ?
			"\\%c" : "%c", ring->name[i]);
	fprintf(f, " (process %u)%s\"}}", ring->process,
		ring->virtual ? ", virtual clock" : "");
	for (i = ring->first; i < ring->first + ring->nr; i++) {
		lane_of[i] = find_lane(lanes, &nr_lanes, &t->reqs[i]);
		put_request(t, i, lane_of[i], f);
	}
	for (i = 0; i < nr_lanes; i++)
		put_lane_name(f, nr + 1, i + 1);
}

/**
 * trace_draw_json() - write Chrome's trace events
 * @t: the trace
 * @f: where to
 */
void trace_draw_json(const struct trace *t, FILE *f)
{
	size_t *lane_of = calloc(t->nr_reqs + 1, sizeof(*lane_of));
	__u64 *lanes = calloc(t->nr_reqs + 1, sizeof(*lanes));
	size_t i;

	if (!lane_of || !lanes) {
		complain("out of memory");
	} else {
		fprintf(f, "{\"displayTimeUnit\":\"ns\",\"otherData\":{\"lost events\":%llu},\n",
			t->lost + t->left_out);
		fputs("\"traceEvents\":[\n{\"ph\":\"M\",\"pid\":0,\"name\":\"process_name\",", f);
		fputs("\"args\":{\"name\":\"aring trace\"}}", f);
		for (i = 0; i < t->nr_rings; i++)
			put_ring(t, i, lane_of, lanes, f);
		for (i = 0; i < t->nr_cancels; i++)
			put_cancel(t, i, lane_of, f);
		fputs("\n]}\n", f);
	}
	free(lane_of);
	free(lanes);
}
