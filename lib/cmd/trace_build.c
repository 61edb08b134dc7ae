// SPDX-License-Identifier: MIT
/*
 * aring trace: requests of events.
 *
 * The events of one request come from several CPUs, so their order in the record
 * is not quite that in which things happened. Their times are: each was read
 * before somebody else could go on with the request. Of equal times (a virtual
 * clock has many) the one goes first that begins where the last one ended.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "trace.h"

/* The two axes: all rings on the monotonic clock share one, so do the others. */
struct axis {
	__u64 begin;
	__u64 end;
};

static int compare(__u64 a, __u64 b)
{
	return (a > b) - (a < b);
}

static int by_request(const void *a, const void *b)
{
	const struct trace_event *x = *(struct trace_event *const *)a;
	const struct trace_event *y = *(struct trace_event *const *)b;
	int ret = compare(x->process, y->process);

	ret = ret ? ret : compare(x->ring, y->ring);
	ret = ret ? ret : compare(x->ticket, y->ticket);
	ret = ret ? ret : compare(x->time, y->time);
	/* Both are in one array, in the order of the record. */
	return ret ? ret : compare((uintptr_t)x, (uintptr_t)y);
}

static void find_axes(const struct trace *t, struct axis axes[2])
{
	const struct trace_event *e;
	struct axis *axis;
	size_t i;

	axes[false] = (struct axis) { .begin = UINT64_MAX };
	axes[true] = (struct axis) { 0 };
	for (i = 0; i < t->nr_events; i++) {
		e = &t->events[i];
		axis = &axes[e->virtual];
		if (e->time < axis->begin)
			axis->begin = e->time;
		if (e->time > axis->end)
			axis->end = e->time;
	}
	if (axes[false].begin > axes[false].end)
		axes[false].begin = axes[false].end;
}

static const char *name_of(const struct trace *t, __u32 pid)
{
	size_t i;

	for (i = t->nr_processes; i > 0; i--)
		if (t->processes[i - 1].pid == pid)
			return t->processes[i - 1].name;
	return "?";
}

static bool add_ring(struct trace *t, const struct trace_event *e,
		     const struct axis axes[2])
{
	const struct axis *axis = &axes[e->virtual];
	struct trace_ring *ring;

	if (!trace_grow(&t->rings, t->nr_rings, sizeof(*ring)))
		return false;
	ring = &t->rings[t->nr_rings++];
	memset(ring, 0, sizeof(*ring));
	ring->id = e->ring;
	ring->process = e->process;
	ring->name = name_of(t, e->process);
	ring->virtual = e->virtual;
	ring->begin = axis->begin;
	ring->length = axis->end - axis->begin;
	if (!ring->length)
		ring->length = 1;
	ring->first = t->nr_reqs;
	return true;
}

static bool add_span(struct trace *t, __u64 time, __u8 state)
{
	if (!trace_grow(&t->spans, t->nr_spans, sizeof(*t->spans)))
		return false;
	t->spans[t->nr_spans++] = (struct trace_span) {
		.time = time, .state = state,
	};
	return true;
}

/*
 * Of the edges from @i on, which have been sorted by time, the next one. A final
 * state comes last.
 */
static void choose_next(struct trace_event **e, size_t i, size_t nr, __u8 state)
{
	struct trace_event *next;
	size_t j, final = nr;

	for (j = i; j < nr; j++) {
		if (e[j]->from != state)
			continue;
		if (e[j]->to != TRACE_DONE && e[j]->to != TRACE_CANCELLED)
			break;
		final = j;
	}
	if (j >= nr)
		j = final;
	if (j >= nr)
		return;
	next = e[j];
	memmove(&e[i + 1], &e[i], (j - i) * sizeof(*e));
	e[i] = next;
}

/* The edges of one request. */
static bool add_request(struct trace *t, struct trace_event **e, size_t nr)
{
	size_t ring_nr = t->nr_rings - 1;
	struct trace_ring *ring = &t->rings[ring_nr];
	struct trace_req *req;
	__u64 time, last = 0;
	__u8 state = TRACE_NEW;
	size_t i;

	if (!trace_grow(&t->reqs, t->nr_reqs, sizeof(*req)))
		return false;
	req = &t->reqs[t->nr_reqs];
	memset(req, 0, sizeof(*req));
	req->ring = ring_nr;
	req->ticket = e[0]->ticket;
	req->span = t->nr_spans;
	for (i = 0; i < nr; i++) {
		choose_next(e, i, nr, state);
		time = e[i]->time > ring->begin ? e[i]->time - ring->begin : 0;
		if (time < last)
			time = last;
		last = time;
		if (!i) {
			req->begin = time;
			req->whole = e[i]->from == TRACE_NEW;
			if (!req->whole && !add_span(t, time, e[i]->from))
				return false;
		}
		if (!add_span(t, time, e[i]->to))
			return false;
		state = e[i]->to;
		req->opcode = e[i]->opcode;
		req->user_data = e[i]->user_data;
		req->res = e[i]->res;
	}
	req->nr_spans = t->nr_spans - req->span;
	req->last = state;
	req->end = state == TRACE_DONE || state == TRACE_CANCELLED ?
		   last : ring->length;
	ring->nr++;
	t->nr_reqs++;
	return true;
}

static size_t find_request(const struct trace *t, const struct trace_ring *ring,
			   __u32 ticket)
{
	size_t low = ring->first, high = ring->first + ring->nr, mid;

	while (low < high) {
		mid = low + (high - low) / 2;
		if (t->reqs[mid].ticket < ticket)
			low = mid + 1;
		else
			high = mid;
	}
	return low < ring->first + ring->nr && t->reqs[low].ticket == ticket ?
	       low : TRACE_NO_REQ;
}

/* All requests of its ring are there, by ticket. */
static bool add_cancel(struct trace *t, const struct trace_event *e,
		       const struct trace_ring *ring)
{
	struct trace_cancel c = {
		.time = e->time > ring->begin ? e->time - ring->begin : 0,
		.target = find_request(t, ring, e->ticket),
		.by = TRACE_NO_REQ,
		.by_ticket = e->by_ticket,
		.by_opcode = e->by_opcode,
		.verdict = e->res,
	};

	if (c.target == TRACE_NO_REQ)
		return true;
	if (e->by_opcode != TRACE_NOBODY)
		c.by = find_request(t, ring, e->by_ticket);
	if (!trace_grow(&t->cancels, t->nr_cancels, sizeof(c)))
		return false;
	t->cancels[t->nr_cancels++] = c;
	return true;
}

/* Sorted by request, so that those of a ring are together. */
static bool add_all(struct trace *t, struct trace_event **sorted, size_t nr,
		    struct trace_event **edges, const struct axis axes[2])
{
	size_t i, j, k, nr_edges;

	for (i = 0; i < nr; i = j) {
		if (!add_ring(t, sorted[i], axes))
			return false;
		for (j = i; j < nr && sorted[j]->ring == sorted[i]->ring;) {
			nr_edges = 0;
			for (k = j; k < nr && sorted[k]->ring == sorted[i]->ring &&
			     sorted[k]->ticket == sorted[j]->ticket; k++)
				if (!sorted[k]->cancel)
					edges[nr_edges++] = sorted[k];
			if (nr_edges && !add_request(t, edges, nr_edges))
				return false;
			j = k;
		}
		for (k = i; k < j; k++)
			if (sorted[k]->cancel &&
			    !add_cancel(t, sorted[k], &t->rings[t->nr_rings - 1]))
				return false;
	}
	return true;
}

static int by_begin(const void *a, const void *b, void *arg)
{
	const struct trace *t = arg;
	size_t i = *(const size_t *)a, j = *(const size_t *)b;
	const struct trace_req *x = &t->reqs[i], *y = &t->reqs[j];
	int ret = compare(x->ring, y->ring);

	ret = ret ? ret : compare(x->begin, y->begin);
	if (ret)
		return ret;
	/* Tickets wrap. */
	return (__s32)(x->ticket - y->ticket) < 0 ? -1 : 1;
}

/* From the order of tickets to that in which they are drawn. */
static bool sort_requests(struct trace *t)
{
	size_t *order = calloc(t->nr_reqs + 1, sizeof(*order));
	size_t *place = calloc(t->nr_reqs + 1, sizeof(*place));
	struct trace_req *reqs = calloc(t->nr_reqs + 1, sizeof(*reqs));
	bool ok = order && place && reqs;
	size_t i;

	for (i = 0; ok && i < t->nr_reqs; i++)
		order[i] = i;
	if (ok)
		qsort_r(order, t->nr_reqs, sizeof(*order), by_begin, t);
	for (i = 0; ok && i < t->nr_reqs; i++) {
		reqs[i] = t->reqs[order[i]];
		place[order[i]] = i;
	}
	for (i = 0; ok && i < t->nr_cancels; i++) {
		t->cancels[i].target = place[t->cancels[i].target];
		if (t->cancels[i].by != TRACE_NO_REQ)
			t->cancels[i].by = place[t->cancels[i].by];
	}
	if (ok) {
		free(t->reqs);
		t->reqs = reqs;
	} else {
		free(reqs);
	}
	free(order);
	free(place);
	return ok;
}

/**
 * trace_build() - make requests of the events
 * @t: the record
 *
 * Return: false if there was no memory.
 */
bool trace_build(struct trace *t)
{
	struct trace_event **sorted = calloc(t->nr_events + 1, sizeof(*sorted));
	struct trace_event **edges = calloc(t->nr_events + 1, sizeof(*edges));
	struct axis axes[2];
	bool ok = sorted && edges;
	size_t i;

	if (ok) {
		for (i = 0; i < t->nr_events; i++)
			sorted[i] = &t->events[i];
		qsort(sorted, t->nr_events, sizeof(*sorted), by_request);
		find_axes(t, axes);
		ok = add_all(t, sorted, t->nr_events, edges, axes) &&
		     sort_requests(t);
	}
	free(sorted);
	free(edges);
	return ok;
}

/**
 * trace_free() - forget it all
 * @t: the trace
 */
void trace_free(struct trace *t)
{
	free(t->events);
	free(t->processes);
	free(t->rings);
	free(t->reqs);
	free(t->spans);
	free(t->cancels);
	memset(t, 0, sizeof(*t));
}
