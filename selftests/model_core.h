/* SPDX-License-Identifier: MIT */
/*
 * The reference model: its requests and its clock, and what the end of a request
 * leads to. What requests do is in model_sim.h.
 */
#ifndef MODEL_CORE_H
#define MODEL_CORE_H

#include "model_prog.h"

#define SIM_NONE	(~0ULL)

enum sim_state {
	SIM_INLINE,		/* known to nobody but its own ENTER */
	SIM_WAITS,		/* for another request; or a time limit that does not run */
	SIM_RUNNABLE,		/* waits for a thread to run it */
	SIM_ARMED,		/* a timer runs */
	SIM_QUEUED,		/* for a channel of the device */
	SIM_SERVED,		/* a channel has it */
	SIM_OVER,
};

enum sim_phase { SIM_FINISH, SIM_LIMIT, SIM_START, SIM_END };

struct sim_req {
	const struct line *line;
	__u32		nr;		/* ticket, counted from 0 */
	__u8		flags;		/* ARING_SQE_* */
	enum sim_state	state;
	int		res;
	bool		failed;		/* for chains and CQE_SKIP_SUCCESS */
	bool		by_itself;	/* a TIMEOUT that was not taken back */
	bool		listed;		/* others may find it */
	struct sim_req	*prev, *link;	/* neighbours in the chain */
	struct sim_req	*pair;		/* its time limit, or whose limit it is */
	bool		linked, drain, deferred;
	__u64		target;		/* a TIMEOUT that counts: up to here, or SIM_NONE */
};

struct sim_event {
	__u64		time;
	enum sim_phase	phase;
	struct sim_req	*req;		/* FINISH, LIMIT; NULL for the limit of ENTER */
};

struct sim_list {
	unsigned int	nr;
	struct sim_req	*at[PROG_OPS];
};

struct sim {
	const struct prog *p;
	__u64		now;
	struct sim_req	req[PROG_OPS];
	struct sim_req	*of_line[PROG_LINES];
	__u32		nr;		/* SQEs taken */
	struct line const *sq[PROG_SQ];
	unsigned int	offered;

	unsigned int	nr_events;
	struct sim_event event[2 * PROG_OPS];	/* in their order */
	bool		start_due, end_due;

	struct sim_list	live;		/* listed, perhaps over; by ticket */
	struct sim_list	batch;		/* ended inline, not posted */
	struct sim_list	runnable;	/* by ticket */
	struct sim_list	deferred;	/* heads of chains that wait for a drain */
	unsigned int	nr_live, nr_deferred;	/* members of chains, too */
	bool		no_drain, drain_next;
	struct sim_list	chain;		/* being put together */
	bool		chain_failed, chain_silent;

	struct sim_list	counting;
	__u64		completions;	/* that such TIMEOUTs count */
	unsigned int	timeouts;	/* that ended by themselves */
	struct sim_list	held;		/* finished, CQE not posted; by ticket */
	__u32		next_cqe;	/* ticket whose CQE is the next one in order */
	unsigned int	posted, reaped;
	struct aring_cqe cqe[PROG_OPS];

	struct sim_list	queue;		/* for the device */
	unsigned int	served;
	__u64		head;		/* where the last transfer on the device ends */
	bool		limit_passed;	/* of the ENTER at hand */
	unsigned char	medium[2 * PROG_MEDIUM];
	unsigned char	data[PROG_LINES][PROG_BYTES];	/* read by that line */
};

static inline void sim_insert(struct sim_list *l, unsigned int pos, struct sim_req *req)
{
	memmove(&l->at[pos + 1], &l->at[pos], (l->nr++ - pos) * sizeof(l->at[0]));
	l->at[pos] = req;
}

static inline void sim_append(struct sim_list *l, struct sim_req *req)
{
	l->at[l->nr++] = req;
}

/* Return: where it was, or -1. */
static inline int sim_remove(struct sim_list *l, const struct sim_req *req)
{
	for (unsigned int i = 0; i < l->nr; i++) {
		if (l->at[i] != req)
			continue;
		memmove(&l->at[i], &l->at[i + 1], (--l->nr - i) * sizeof(l->at[0]));
		return i;
	}
	return -1;
}

static inline struct sim_req *sim_shift(struct sim_list *l)
{
	struct sim_req *req = l->at[0];

	sim_remove(l, req);
	return req;
}

static inline void sim_insert_by_ticket(struct sim_list *l, struct sim_req *req)
{
	unsigned int i = l->nr;

	while (i && l->at[i - 1]->nr > req->nr)
		i--;
	sim_insert(l, i, req);
}

/* ---- events -------------------------------------------------------------- */

static inline bool sim_before(const struct sim_event *a, const struct sim_event *b)
{
	__u32 ta = a->req ? a->req->nr + 1 : 0, tb = b->req ? b->req->nr + 1 : 0;

	if (a->time != b->time)
		return a->time < b->time;
	return a->phase != b->phase ? a->phase < b->phase : ta < tb;
}

static inline void sim_arm(struct sim *s, __u64 time, enum sim_phase phase,
			   struct sim_req *req)
{
	struct sim_event e = { time < s->now ? s->now : time, phase, req };
	unsigned int i = s->nr_events++;

	for (; i && sim_before(&e, &s->event[i - 1]); i--)
		s->event[i] = s->event[i - 1];
	s->event[i] = e;
}

static inline void sim_disarm(struct sim *s, enum sim_phase phase,
			      const struct sim_req *req)
{
	for (unsigned int i = 0; i < s->nr_events; i++) {
		if (s->event[i].req != req || s->event[i].phase != phase)
			continue;
		memmove(&s->event[i], &s->event[i + 1],
			(--s->nr_events - i) * sizeof(s->event[0]));
		return;
	}
}

/* Phases 4 and 5 are for the whole device and the whole ring. */
static inline void sim_arm_once(struct sim *s, enum sim_phase phase, bool *due)
{
	if (*due)
		return;
	*due = true;
	sim_arm(s, s->now, phase, NULL);
}

static inline __u64 sim_due(const struct sim *s, const struct line *l)
{
	return l->op_flags & ARING_TIMEOUT_ABS ? (__u64)l->time : s->now + l->time;
}

/* ---- completions --------------------------------------------------------- */

/* The turn of its CQE has come, if it has one. */
static inline void sim_put_cqe(struct sim *s, const struct sim_req *req)
{
	/* Such a TIMEOUT ends a wait. */
	if (req->by_itself)
		s->timeouts++;
	if ((req->flags & ARING_SQE_CQE_SKIP_SUCCESS) && !req->failed)
		return;
	s->cqe[s->posted++] = (struct aring_cqe) {
		.user_data = req->line->user_data, .res = req->res
	};
}

/* It is over: its CQE, now or later. */
static inline void sim_post(struct sim *s, struct sim_req *req)
{
	/* It counts for TIMEOUTs that count when it finishes. */
	if (!req->by_itself && (!(req->flags & ARING_SQE_CQE_SKIP_SUCCESS) || req->failed))
		s->completions++;
	if (s->p->setup_flags & ARING_SETUP_COMPLETION_ORDER) {
		sim_insert_by_ticket(&s->held, req);
		sim_arm_once(s, SIM_END, &s->end_due);
	} else if (s->p->setup_flags & ARING_SETUP_SUBMISSION_ORDER) {
		sim_insert_by_ticket(&s->held, req);
		while (s->held.nr && s->held.at[0]->nr == s->next_cqe) {
			sim_put_cqe(s, sim_shift(&s->held));
			s->next_cqe++;
		}
	} else {
		sim_put_cqe(s, req);
	}
}

static inline void sim_unlist(struct sim *s, struct sim_req *req, int *place)
{
	*place = sim_remove(&s->deferred, req);
	sim_remove(&s->runnable, req);
	if (req->deferred)
		s->nr_deferred--;
	req->deferred = false;
}

static inline void sim_unpair(struct sim_req *req)
{
	if (req->pair)
		req->pair->pair = NULL;
	req->pair = NULL;
}

static inline void sim_stop(struct sim *s, struct sim_req *req)
{
	if (req->state == SIM_ARMED)
		sim_disarm(s, SIM_LIMIT, req);
	if (req->state == SIM_QUEUED) {
		sim_remove(&s->queue, req);
		/* The device has nothing to do any more. */
		if (!s->queue.nr && s->start_due) {
			sim_disarm(s, SIM_START, NULL);
			s->start_due = false;
		}
	}
	if (req->target != SIM_NONE)
		sim_remove(&s->counting, req);
	if (req->listed)
		s->nr_live--;
	req->state = SIM_OVER;
}

/* It will not be run, since another one ended as it did. */
static inline void sim_drop(struct sim *s, struct sim_req *req, bool silent)
{
	int place;

	sim_stop(s, req);
	sim_unlist(s, req, &place);
	sim_unpair(req);
	req->link = NULL;
	req->prev = NULL;
	req->res = -ECANCELED;
	if (silent)
		req->flags |= ARING_SQE_CQE_SKIP_SUCCESS;
	sim_post(s, req);
}

/* The rest of a broken chain, each with its time limit. */
static inline void sim_drop_chain(struct sim *s, struct sim_req *req, bool silent)
{
	struct sim_req *next, *limit;

	for (; req; req = next) {
		next = req->link;
		limit = req->pair;
		/* Whether it posts a CQE is for who failed to say, not for it. */
		req->flags &= ~ARING_SQE_CQE_SKIP_SUCCESS;
		sim_drop(s, req, silent);
		if (!limit)
			continue;
		limit->flags &= ~ARING_SQE_CQE_SKIP_SUCCESS;
		sim_drop(s, limit, silent);
	}
}

/* @req is over, with its result: its CQE, its time limit, the rest of its chain. */
static inline void sim_over(struct sim *s, struct sim_req *req)
{
	struct sim_req *prev = req->prev, *next = req->link, *limit = NULL;
	bool broken = req->failed && !(req->flags & ARING_SQE_IO_HARDLINK);
	int place;

	sim_stop(s, req);
	sim_unlist(s, req, &place);
	if (req->line->opcode != ARING_OP_LINK_TIMEOUT)
		limit = req->pair;
	sim_unpair(req);
	req->prev = NULL;
	req->link = NULL;
	if (prev)
		prev->link = broken ? NULL : next;
	if (next)
		next->prev = broken ? NULL : prev;
	sim_post(s, req);
	if (limit)
		sim_drop(s, limit, false);
	if (next && broken) {
		sim_drop_chain(s, next, req->failed &&
			       (req->flags & ARING_SQE_CQE_SKIP_SUCCESS));
	} else if (next && place >= 0) {
		/* It takes the place of the head, behind the drain. */
		next->drain = req->drain;
		sim_insert(&s->deferred, place, next);
	} else if (next && !prev) {
		next->state = SIM_RUNNABLE;
		sim_insert_by_ticket(&s->runnable, next);
	}
}

/* A chain waits for a drain, or does no more. */
static inline void sim_defer(struct sim *s, struct sim_req *req, bool defer)
{
	for (; req; req = req->link) {
		req->deferred = defer;
		s->nr_deferred += defer ? 1 : -1;
		if (!req->pair)
			continue;
		req->pair->deferred = defer;
		s->nr_deferred += defer ? 1 : -1;
	}
}

static inline void sim_release_drains(struct sim *s)
{
	while (s->deferred.nr) {
		struct sim_req *req = s->deferred.at[0];

		if (req->drain && s->nr_live - s->nr_deferred)
			break;
		sim_shift(&s->deferred);
		sim_defer(s, req, false);
		req->state = SIM_RUNNABLE;
		sim_insert_by_ticket(&s->runnable, req);
	}
}

/* What completions lead to: the end of TIMEOUTs that count them, of drains. */
static inline void sim_commit(struct sim *s)
{
	while (s->counting.nr && s->counting.at[0]->target <= s->completions) {
		struct sim_req *req = sim_shift(&s->counting);

		req->res = 0;
		req->by_itself = true;
		sim_over(s, req);
	}
	sim_release_drains(s);
}

static inline void sim_end(struct sim *s, struct sim_req *req, int res)
{
	req->res = res;
	if (res < 0)
		req->failed = true;
	sim_over(s, req);
	sim_commit(s);
}

/* The CQEs of what ended inline, all at once. */
static inline void sim_flush(struct sim *s)
{
	if (!s->batch.nr)
		return;
	while (s->batch.nr) {
		struct sim_req *req = sim_shift(&s->batch);

		req->state = SIM_OVER;
		sim_post(s, req);
	}
	sim_commit(s);
}

#endif /* MODEL_CORE_H */
