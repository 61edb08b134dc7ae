/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The edges of state.h, watched: whoever moves a request from one state to
 * another does it through these, so that the tracepoints see it and the ring's
 * own clock is read for ARING_SETUP_CQE_TIMES. Each does and returns what the
 * function of state.h that is called like it does and returns.
 *
 * A request that nobody watches costs a test of a static key and of a flag of
 * its ring. The inline path, in which not even that is spent, does without and
 * asks once a batch: see aring_submit_is_special() and aring_complete_batch().
 *
 * Who may touch a request may note its times: the owner, before he lets go of
 * it; and after a compare-and-swap out of QUEUED the one who has won, who sees
 * what the last owner noted.
 */
#ifndef ARING_EDGE_H
#define ARING_EDGE_H

#include <linux/tracepoint-defs.h>

#include "request.h"

DECLARE_TRACEPOINT(aring_edge);
DECLARE_TRACEPOINT(aring_cancel);

/* Besides the states of &enum aring_state: where all requests come from. */
#define ARING_EDGE_NEW		ARING_NR_STATES
/* An opcode that no request has. */
#define ARING_EDGE_NO_OP	0xff

/**
 * struct aring_ident - which request: what a tracepoint says of it
 * @user_data: of its SQE
 * @ring: see &aring_ring.id
 * @process: who set the ring up
 * @ticket: SQ position it was taken from
 * @opcode: ARING_OP_*
 * @virtual: the times are those of a virtual clock
 *
 * Copied, because a request that has gone to QUEUED may not be read any more.
 */
struct aring_ident {
	u64	user_data;
	u32	ring;
	u32	process;
	u32	ticket;
	u8	opcode;
	bool	virtual;
};

/* trace.c APIs */
void aring_edge_note(struct aring_req *req, unsigned int from, unsigned int to);
void aring_edge_note_withdrawn(struct aring_req *req);
void aring_edge_note_new(struct aring_req *req);
enum aring_queued aring_edge_queue_noted(struct aring_req *req);
void aring_edge_note_cancel(const struct aring_req *req,
			    const struct aring_req *by, int verdict);
struct aring_cqe_times aring_edge_times(const struct aring_req *req, bool over);

/* Does anybody want to know what becomes of the requests of this ring? */
static __always_inline bool aring_edge_watched(const struct aring_ring *ring)
{
	return tracepoint_enabled(aring_edge) ||
	       unlikely(ring->setup_flags & ARING_SETUP_CQE_TIMES);
}

static inline void aring_edge_new(struct aring_req *req)
{
	if (aring_edge_watched(req->ring))
		aring_edge_note_new(req);
}

static inline bool aring_edge_start(struct aring_req *req)
{
	bool ok = aring_state_start(&req->state);

	if (aring_edge_watched(req->ring) && ok)
		aring_edge_note(req, ARING_SUBMITTED, ARING_STARTED);
	return ok;
}

static inline bool aring_edge_take(struct aring_req *req)
{
	bool ok = aring_state_take(&req->state);

	if (aring_edge_watched(req->ring) && ok)
		aring_edge_note(req, ARING_QUEUED, ARING_STARTED);
	return ok;
}

/* The result has been set, also for the other two. */
static inline bool aring_edge_finish(struct aring_req *req)
{
	bool ok = aring_state_finish(&req->state);

	if (aring_edge_watched(req->ring) && ok)
		aring_edge_note(req, ARING_STARTED, ARING_DONE);
	return ok;
}

static inline bool aring_edge_refuse(struct aring_req *req)
{
	bool ok = aring_state_refuse(&req->state);

	if (aring_edge_watched(req->ring) && ok)
		aring_edge_note(req, ARING_SUBMITTED, ARING_DONE);
	return ok;
}

static inline bool aring_edge_drop(struct aring_req *req)
{
	bool ok = aring_state_drop(&req->state);

	if (aring_edge_watched(req->ring) && ok)
		aring_edge_note(req, ARING_SUBMITTED, ARING_CANCELLED);
	return ok;
}

static inline bool aring_edge_withdraw(struct aring_req *req)
{
	bool ok = aring_state_withdraw(&req->state);

	if (aring_edge_watched(req->ring) && ok)
		aring_edge_note_withdrawn(req);
	return ok;
}

static inline enum aring_queued aring_edge_queue(struct aring_req *req)
{
	if (aring_edge_watched(req->ring))
		return aring_edge_queue_noted(req);
	return aring_state_queue(&req->state);
}

static inline enum aring_verdict aring_edge_cancel(struct aring_req *req,
						   bool waits)
{
	enum aring_verdict verdict = aring_state_cancel(&req->state, waits);

	if (aring_edge_watched(req->ring) &&
	    verdict == ARING_VERDICT_CANCELLED)
		aring_edge_note(req, ARING_QUEUED, ARING_CANCELLED);
	return verdict;
}

#endif /* ARING_EDGE_H */
