// SPDX-License-Identifier: GPL-2.0
/*
 * What the edges of a request's life leave behind: events in the kernel's trace,
 * and the times of ARING_SETUP_CQE_TIMES.
 */
#include <linux/string.h>

#include "edge.h"
#include "timeline.h"

#define CREATE_TRACE_POINTS
#include "trace.h"

static struct aring_ident aring_ident(const struct aring_req *req)
{
	const struct aring_ring *ring = req->ring;

	return (struct aring_ident) {
		.user_data	= req->user_data,
		.ring		= ring->id,
		.process	= ring->process,
		.ticket		= req->ticket,
		.opcode		= req->opcode,
		.virtual	= aring_is_virtual(ring),
	};
}

/* Owned: nobody else counts its times. */
static void aring_edge_count(struct aring_req *req, unsigned int from, u64 now)
{
	if (!(req->ring->setup_flags & ARING_SETUP_CQE_TIMES))
		return;
	req->spent[from] += now - req->since;
	req->since = now;
}

static s32 aring_edge_res(const struct aring_req *req, unsigned int to)
{
	if (to == ARING_CANCELLED)
		return -ECANCELED;
	return to == ARING_DONE ? req->res : 0;
}

static void aring_edge_trace(struct aring_req *req, unsigned int from,
			     unsigned int to, u64 now)
{
	struct aring_ident who;

	if (!trace_aring_edge_enabled())
		return;
	who = aring_ident(req);
	trace_aring_edge(&who, from, to, aring_edge_res(req, to), now);
}

/**
 * aring_edge_note() - a request has gone from one state to another
 * @req: still the caller's, the result set if it is final
 * @from: the old state
 * @to: the new one
 *
 * Context: any.
 */
void aring_edge_note(struct aring_req *req, unsigned int from, unsigned int to)
{
	u64 now;

	if (req->flags & ARING_REQ_TAG)
		return;
	now = aring_now(req->ring);
	aring_edge_count(req, from, now);
	aring_edge_trace(req, from, to, now);
}

/**
 * aring_edge_note_withdrawn() - the owner gave in: two edges at once
 * @req: CANCELLED by the caller
 *
 * Context: any.
 */
void aring_edge_note_withdrawn(struct aring_req *req)
{
	u64 now = aring_now(req->ring);

	aring_edge_count(req, ARING_STARTED, now);
	aring_edge_trace(req, ARING_STARTED, ARING_QUEUED, now);
	aring_edge_trace(req, ARING_QUEUED, ARING_CANCELLED, now);
}

/**
 * aring_edge_note_new() - a request has been made of an SQE
 * @req: SUBMITTED, known to nobody else
 *
 * Context: process.
 */
void aring_edge_note_new(struct aring_req *req)
{
	u64 now = aring_now(req->ring);

	req->since = now;
	memset(req->spent, 0, sizeof(req->spent));
	aring_edge_trace(req, ARING_EDGE_NEW, ARING_SUBMITTED, now);
}

/**
 * aring_edge_queue_noted() - aring_state_queue(), watched
 * @req: owned by the caller
 *
 * All is noted before, as if it were QUEUED already: afterwards it may be
 * somebody else's. If it stays the caller's it is in the old state still, and
 * that the time was counted in two parts does not matter.
 *
 * Context: any.
 *
 * Return: see aring_state_queue().
 */
enum aring_queued aring_edge_queue_noted(struct aring_req *req)
{
	unsigned int from = aring_state_read(&req->state);
	struct aring_ident who = aring_ident(req);
	u64 now = aring_now(req->ring);
	enum aring_queued queued;

	/* Then the caller does not own it, and nothing happens. */
	if (from != ARING_SUBMITTED && from != ARING_STARTED)
		return aring_state_queue(&req->state);
	aring_edge_count(req, from, now);
	queued = aring_state_queue(&req->state);
	if (queued == ARING_QUEUED_OK) {
		trace_aring_edge(&who, from, ARING_QUEUED, 0, now);
	} else if (queued == ARING_QUEUED_CANCELLED) {
		if (from == ARING_STARTED) {
			trace_aring_edge(&who, from, ARING_QUEUED, 0, now);
			from = ARING_QUEUED;
		}
		trace_aring_edge(&who, from, ARING_CANCELLED, -ECANCELED, now);
	}
	return queued;
}

/**
 * aring_edge_note_cancel() - somebody has asked for a request back
 * @req: listed; &aring_ring.lock held
 * @by: the request that asked, or NULL
 * @verdict: what it is told, 0 or an errno
 *
 * Context: process.
 */
void aring_edge_note_cancel(const struct aring_req *req,
			    const struct aring_req *by, int verdict)
{
	struct aring_ident who = aring_ident(req);
	struct aring_ident from = { .opcode = ARING_EDGE_NO_OP };

	if (by)
		from = aring_ident(by);
	trace_aring_cancel(&who, &from, verdict, aring_now(req->ring));
}

/**
 * aring_edge_times() - how long a request was in which state
 * @req: owned by the caller, or final
 * @over: it is final; else it is STARTED and goes on
 *
 * Return: as it stands in its CQE.
 */
struct aring_cqe_times aring_edge_times(const struct aring_req *req, bool over)
{
	u64 started;

	if (!(req->ring->setup_flags & ARING_SETUP_CQE_TIMES) ||
	    (req->flags & ARING_REQ_TAG))
		return (struct aring_cqe_times) {};
	started = req->spent[ARING_STARTED];
	if (!over)
		started += aring_now(req->ring) - req->since;
	return (struct aring_cqe_times) {
		.queued		= req->spent[ARING_QUEUED],
		.started	= min_t(u64, started, U32_MAX),
		.submitted	= min_t(u64, req->spent[ARING_SUBMITTED],
					U32_MAX),
	};
}
