/* SPDX-License-Identifier: MIT */
/*
 * The reference model: what a ring with a virtual clock, a virtual device and
 * one thread does, as a plain discrete-event simulation. Written from
 * Documentation/ and the header; it knows nothing of locks, wake-ups or states.
 *
 * At one instant: (1) the device finishes, (2) timers fire, (3) what that let go
 * in chains and behind drains is run, and the program, (4) channels take what
 * waits, (5) CQEs are posted that the order of completion held back.
 */
#ifndef MODEL_SIM_H
#define MODEL_SIM_H

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

/* ---- cancelling ---------------------------------------------------------- */

static inline int sim_cancel_one(struct sim *s, struct sim_req *req)
{
	if (req->state == SIM_OVER)
		return -ENOENT;
	if (req->state == SIM_SERVED)
		return -EALREADY;
	sim_end(s, req, -ECANCELED);
	return 0;
}

/*
 * In which order a search by other keys than user_data goes through requests is
 * not specified; it is that of the kernel's hash table.
 */
static inline __u64 sim_bucket(const struct sim_req *req)
{
	int bits = __builtin_ctz(PROG_CQ);

	return req->line->user_data * 0x61C8864680B583EBULL >> (64 - bits);
}

static inline int sim_compare(const void *a, const void *b)
{
	const struct sim_req *const *x = a, *const *y = b;
	__u64 bx = sim_bucket(*x), by = sim_bucket(*y);

	if (bx != by)
		return bx < by ? -1 : 1;
	return (*x)->nr < (*y)->nr ? -1 : 1;
}

static inline void sim_forget(struct sim *s)
{
	unsigned int i, n = 0;

	for (i = 0; i < s->live.nr; i++)
		if (s->live.at[i]->state != SIM_OVER)
			s->live.at[n++] = s->live.at[i];
	s->live.nr = n;
}

static inline bool sim_matches(const struct sim *s, const struct sim_req *req,
			       const struct line *l)
{
	bool any = l->op_flags & ARING_ASYNC_CANCEL_ANY;
	bool op = l->op_flags & ARING_ASYNC_CANCEL_OP;

	/* not itself, and a time limit only by what it is for */
	if (req->state == SIM_OVER || req->line == l ||
	    req->line->opcode == ARING_OP_LINK_TIMEOUT)
		return false;
	if (!any && !op)
		return req->line->user_data == s->p->line[l->target].user_data;
	/* goes with the head of its chain */
	if (req->prev)
		return false;
	return any || req->line->opcode == l->len;
}

static inline int sim_cancel(struct sim *s, const struct line *l)
{
	bool all = l->op_flags & (ARING_ASYNC_CANCEL_ALL | ARING_ASYNC_CANCEL_ANY);
	int ret, nr = 0;

	if (l->op_flags & ARING_ASYNC_CANCEL_TICKET) {
		struct sim_req *req = s->of_line[l->target];

		/* It was not known yet. */
		if (l->target >= l - s->p->line)
			return -ENOENT;
		return req && req->listed && req->line != l ? sim_cancel_one(s, req) : -ENOENT;
	}
	sim_forget(s);
	if (l->op_flags & (ARING_ASYNC_CANCEL_ANY | ARING_ASYNC_CANCEL_OP)) {
		static struct sim_list found;

		found = s->live;
		qsort(found.at, found.nr, sizeof(found.at[0]), sim_compare);
		for (unsigned int i = 0; i < found.nr; i++) {
			if (!sim_matches(s, found.at[i], l))
				continue;
			ret = sim_cancel_one(s, found.at[i]);
			if (!all)
				return ret;
			nr++;
		}
		return all ? nr : -ENOENT;
	}
	for (unsigned int i = 0; i < s->live.nr; i++) {
		if (!sim_matches(s, s->live.at[i], l))
			continue;
		ret = sim_cancel_one(s, s->live.at[i]);
		if (!all)
			return ret;
		nr++;
	}
	return all ? nr : -ENOENT;
}

/* TIMEOUT_REMOVE: take one back, or give it a new time. */
static inline int sim_timeout_remove(struct sim *s, const struct line *l)
{
	__u8 opcode = l->op_flags & ARING_LINK_TIMEOUT_UPDATE ?
		      ARING_OP_LINK_TIMEOUT : ARING_OP_TIMEOUT;

	for (unsigned int i = 0; i < s->live.nr; i++) {
		struct sim_req *req = s->live.at[i];

		if (req->state == SIM_OVER || req->line->opcode != opcode ||
		    req->line->user_data != s->p->line[l->target].user_data)
			continue;
		if (!(l->op_flags & ARING_TIMEOUT_UPDATE))
			return sim_cancel_one(s, req);
		if (req->state != SIM_ARMED)
			return -ENOENT;
		if (req->target != SIM_NONE)
			sim_remove(&s->counting, req);
		req->target = SIM_NONE;
		sim_disarm(s, SIM_LIMIT, req);
		sim_arm(s, sim_due(s, l), SIM_LIMIT, req);
		return 0;
	}
	return -ENOENT;
}

/* ---- the device ---------------------------------------------------------- */

static inline bool sim_is_transfer(const struct line *l)
{
	return l->opcode == ARING_OP_VREAD || l->opcode == ARING_OP_VWRITE;
}

/* Bytes that it moves: up to the end of the medium. */
static inline unsigned int sim_moves(const struct sim *s, const struct line *l)
{
	__u64 size = s->p->vdev.size;

	if (l->off >= size)
		return 0;
	return l->len < size - l->off ? l->len : size - l->off;
}

/* How long it takes, without and with the way from where the last one ended. */
static inline __u64 sim_service(const struct sim *s, const struct line *l, bool way)
{
	const struct aring_vdev *v = &s->p->vdev;
	__u64 distance = l->off > s->head ? l->off - s->head : s->head - l->off;

	if (l->op_flags & ARING_VDEV_TIME)
		return l->time;
	return v->base + (v->per_byte * sim_moves(s, l) +
			  (way ? v->per_distance * distance : 0)) / 1000;
}

/* What the policy takes before anything else; the same again: the lower ticket. */
static inline __u64 sim_rank(const struct sim *s, const struct line *l)
{
	switch (s->p->vdev.policy) {
	case ARING_VDEV_SHORTEST:
		return sim_service(s, l, false);
	case ARING_VDEV_ELEVATOR:
		return l->off >= s->head ? l->off : l->off + (1ULL << 32);
	}
	return 0;
}

/* Phase 4: the channels that are free take what waits. */
static inline void sim_start(struct sim *s)
{
	s->start_due = false;
	while (s->queue.nr && s->served < s->p->vdev.channels) {
		struct sim_req *best = s->queue.at[0];
		__u64 took;

		for (unsigned int i = 1; i < s->queue.nr; i++)
			if (sim_rank(s, s->queue.at[i]->line) < sim_rank(s, best->line) ||
			    (sim_rank(s, s->queue.at[i]->line) == sim_rank(s, best->line) &&
			     s->queue.at[i]->nr < best->nr))
				best = s->queue.at[i];
		sim_remove(&s->queue, best);
		took = sim_service(s, best->line, true);
		s->head = best->line->off + sim_moves(s, best->line);
		best->state = SIM_SERVED;
		s->served++;
		sim_arm(s, s->now + took, SIM_FINISH, best);
	}
}

/* What byte @i is that line @nr writes. */
static inline unsigned char prog_byte(unsigned int nr, unsigned int i)
{
	return nr * 37 + i * 11 + (nr >> 8) + 1;
}

static inline void sim_finish(struct sim *s, struct sim_req *req)
{
	const struct line *l = req->line;
	unsigned int nr = l - s->p->line;
	unsigned int n = sim_moves(s, l);

	s->served--;
	if (s->queue.nr)
		sim_arm_once(s, SIM_START, &s->start_due);
	for (unsigned int i = 0; i < n; i++) {
		if (l->opcode == ARING_OP_VWRITE)
			s->medium[l->off + i] = prog_byte(nr, i);
		else
			s->data[nr][i] = s->medium[l->off + i];
	}
	/* less than asked for breaks a chain */
	req->failed = n < l->len;
	sim_end(s, req, n);
}

/* ---- requests ------------------------------------------------------------ */

static inline void sim_list(struct sim *s, struct sim_req *req)
{
	if (req->listed)
		return;
	req->listed = true;
	s->nr_live++;
	sim_append(&s->live, req);
}

static inline void sim_done(struct sim *s, struct sim_req *req, int res)
{
	if (req->linked) {
		sim_end(s, req, res);
		return;
	}
	req->res = res;
	if (res < 0)
		req->failed = true;
	sim_append(&s->batch, req);
}

static inline void sim_count(struct sim *s, struct sim_req *req)
{
	unsigned int i = s->counting.nr;

	req->target = s->completions + req->line->off;
	while (i && s->counting.at[i - 1]->target > req->target)
		i--;
	sim_insert(&s->counting, i, req);
}

/* The first attempt. */
static inline void sim_try(struct sim *s, struct sim_req *req)
{
	const struct line *l = req->line;

	switch (l->opcode) {
	case ARING_OP_NOP:
		sim_done(s, req, 0);
		break;
	case ARING_OP_ASYNC_CANCEL:
		sim_done(s, req, sim_cancel(s, l));
		break;
	case ARING_OP_TIMEOUT_REMOVE:
		sim_done(s, req, sim_timeout_remove(s, l));
		break;
	case ARING_OP_TIMEOUT:
		sim_list(s, req);
		req->state = SIM_ARMED;
		if (l->off)
			sim_count(s, req);
		sim_arm(s, sim_due(s, l), SIM_LIMIT, req);
		break;
	default:
		/* What lies behind the end of the medium needs no channel. */
		if (l->off >= s->p->vdev.size) {
			req->failed = true;
			sim_done(s, req, l->opcode == ARING_OP_VREAD ? 0 : -ENOSPC);
			break;
		}
		sim_list(s, req);
		req->state = SIM_QUEUED;
		sim_append(&s->queue, req);
		if (s->served < s->p->vdev.channels)
			sim_arm_once(s, SIM_START, &s->start_due);
	}
}

/* The turn of a member of a chain; its time limit begins to run behind it. */
static inline void sim_launch(struct sim *s, struct sim_req *req)
{
	struct sim_req *limit = req->pair;

	sim_try(s, req);
	if (limit && limit->pair && limit->state == SIM_WAITS) {
		limit->state = SIM_ARMED;
		sim_arm(s, sim_due(s, limit->line), SIM_LIMIT, limit);
	}
}

static inline void sim_fire(struct sim *s, struct sim_req *req)
{
	struct sim_req *of = req->pair;
	int ret;

	req->state = SIM_WAITS;		/* its timer runs no more */
	if (req->line->opcode == ARING_OP_LINK_TIMEOUT) {
		sim_unpair(req);
		ret = of ? sim_cancel_one(s, of) : -ENOENT;
		req->res = ret ?: -ETIME;
	} else {
		req->res = -ETIME;
		req->failed = !(req->line->op_flags & ARING_TIMEOUT_ETIME_SUCCESS);
		req->by_itself = true;
	}
	sim_over(s, req);
	sim_commit(s);
}

static inline void sim_run(struct sim *s)
{
	while (s->runnable.nr)
		sim_launch(s, sim_shift(&s->runnable));
}

/* ---- submission ---------------------------------------------------------- */

/* A chain with a bad member: none of it runs. */
static inline void sim_chain_fail(struct sim *s)
{
	for (unsigned int i = 0; i < s->chain.nr; i++) {
		struct sim_req *req = s->chain.at[i];

		req->flags &= ~ARING_SQE_CQE_SKIP_SUCCESS;
		if (!req->res)
			req->res = -ECANCELED;
		req->failed = true;
		if (s->chain_silent && i) {
			req->failed = false;
			req->flags |= ARING_SQE_CQE_SKIP_SUCCESS;
		}
		sim_over(s, req);
		sim_commit(s);
	}
}

static inline void sim_chain_tie(struct sim *s)
{
	struct sim_req *last = NULL;

	for (unsigned int i = 0; i < s->chain.nr; i++) {
		struct sim_req *req = s->chain.at[i];

		req->linked = true;
		req->state = SIM_WAITS;
		sim_list(s, req);
		if (req->line->opcode == ARING_OP_LINK_TIMEOUT) {
			req->pair = last;
			last->pair = req;
			continue;
		}
		if (last)
			last->link = req;
		req->prev = last;
		last = req;
	}
}

static inline void sim_chain_start(struct sim *s)
{
	struct sim_req *head = s->chain.at[0];
	unsigned int nr = s->chain.nr;

	sim_flush(s);
	if (s->chain_failed) {
		sim_chain_fail(s);
		s->chain.nr = 0;
		return;
	}
	sim_chain_tie(s);
	s->chain.nr = 0;
	if (s->deferred.nr || (head->drain && s->nr_live - s->nr_deferred != nr)) {
		sim_defer(s, head, true);
		sim_append(&s->deferred, head);
	} else {
		sim_launch(s, head);
	}
}

static inline void sim_chain_add(struct sim *s, struct sim_req *req, int ret)
{
	if (!s->chain.nr)
		s->chain_failed = s->chain_silent = false;
	sim_append(&s->chain, req);
	if (ret && !s->chain_failed) {
		s->chain_failed = true;
		s->chain_silent = s->chain.at[0]->flags & ARING_SQE_CQE_SKIP_SUCCESS;
	}
	if (ret)
		req->res = ret;
	if (!(req->flags & (ARING_SQE_IO_LINK | ARING_SQE_IO_HARDLINK)))
		sim_chain_start(s);
}

/* A drain in a chain is one of its head, and one of what comes after it. */
static inline int sim_check_drain(struct sim *s, struct sim_req *req)
{
	if (req->flags & ARING_SQE_CQE_SKIP_SUCCESS)
		s->no_drain = true;
	if (req->flags & ARING_SQE_IO_DRAIN) {
		if (s->no_drain)
			return -EOPNOTSUPP;
		req->drain = true;
		if (s->chain.nr) {
			s->chain.at[0]->drain = true;
			s->drain_next = true;
		}
	} else if (s->drain_next && !s->chain.nr) {
		s->drain_next = false;
		req->drain = true;
	}
	return 0;
}

static inline void sim_take(struct sim *s, const struct line *l)
{
	struct sim_req *req = &s->req[s->nr], *last;
	int ret;

	*req = (struct sim_req) {
		.line = l, .nr = s->nr++, .flags = l->flags, .target = SIM_NONE
	};
	s->of_line[l - s->p->line] = req;
	ret = sim_check_drain(s, req);
	if (!ret && l->opcode == ARING_OP_LINK_TIMEOUT) {
		last = s->chain.nr ? s->chain.at[s->chain.nr - 1] : NULL;
		if (!last || last->line->opcode == ARING_OP_LINK_TIMEOUT)
			ret = -EINVAL;
	}
	if (s->chain.nr || (req->flags & (ARING_SQE_IO_LINK | ARING_SQE_IO_HARDLINK)) ||
	    (!ret && (req->drain || s->nr_deferred)))
		sim_chain_add(s, req, ret);
	else if (ret)
		sim_done(s, req, ret);
	else
		sim_try(s, req);
}

/* ---- time ---------------------------------------------------------------- */

static inline void sim_pop(struct sim *s)
{
	struct sim_event e = s->event[0];

	memmove(&s->event[0], &s->event[1], --s->nr_events * sizeof(s->event[0]));
	s->now = e.time;
	switch (e.phase) {
	case SIM_FINISH:
		sim_finish(s, e.req);
		break;
	case SIM_LIMIT:
		if (e.req)
			sim_fire(s, e.req);
		else
			s->limit_passed = true;
		break;
	case SIM_START:
		sim_start(s);
		break;
	case SIM_END:
		s->end_due = false;
		while (s->held.nr)
			sim_put_cqe(s, sim_shift(&s->held));
		break;
	}
}

/*
 * The next thing to happen: a phase of an instant, the first two as one; and what
 * that lets go is run.
 */
static inline void sim_step(struct sim *s)
{
	__u64 time = s->event[0].time;
	enum sim_phase first = s->event[0].phase;
	enum sim_phase last = first == SIM_FINISH ? SIM_LIMIT : first;

	while (s->nr_events && s->event[0].time == time &&
	       s->event[0].phase >= first && s->event[0].phase <= last)
		sim_pop(s);
	sim_run(s);
}

/*
 * A move from outside, up to @end: where it ends the programs come before the
 * channels take anything, unless there are CQEs to be posted.
 */
static inline void sim_move_to(struct sim *s, __u64 end)
{
	__u64 start = s->now;

	while (s->nr_events && s->event[0].time <= end) {
		if (s->event[0].time == end && end > start &&
		    s->event[0].phase >= SIM_START && !s->end_due)
			break;
		sim_step(s);
	}
	s->now = end;
}

static inline int sim_move_next(struct sim *s)
{
	bool any = false;

	/* What is left of the instant at hand. */
	while (s->nr_events && s->event[0].time == s->now &&
	       s->event[0].phase >= SIM_START) {
		sim_step(s);
		any = true;
	}
	if (!s->nr_events)
		return any ? 0 : -ENOENT;
	sim_step(s);
	while (s->end_due)
		sim_step(s);
	return 0;
}

static inline int sim_move(void *m, enum line_kind kind, __u64 time)
{
	struct sim *s = m;

	if (kind == LINE_NEXT)
		return sim_move_next(s);
	if (time < s->now)
		return -EINVAL;
	sim_move_to(s, time);
	return 0;
}

static inline bool sim_wait_over(const struct sim *s, unsigned int wait,
				 unsigned int timeouts)
{
	return s->posted - s->reaped >= wait || s->timeouts != timeouts;
}

static inline int sim_wait(struct sim *s, unsigned int wait, __u64 limit)
{
	unsigned int timeouts;

	sim_run(s);
	if (s->posted - s->reaped >= wait)
		return 0;
	timeouts = s->timeouts;
	/* for who only wants to look */
	if (!limit)
		return s->posted - s->reaped ? 0 : -ETIME;
	s->limit_passed = false;
	sim_arm(s, s->now + limit, SIM_LIMIT, NULL);
	while (!sim_wait_over(s, wait, timeouts) && !s->limit_passed)
		sim_step(s);
	sim_disarm(s, SIM_LIMIT, NULL);
	return s->posted - s->reaped || sim_wait_over(s, wait, timeouts) ? 0 : -ETIME;
}

/* ---- as a machine -------------------------------------------------------- */

static inline void sim_sqe(void *m, const struct prog *p, unsigned int line)
{
	struct sim *s = m;

	s->sq[s->offered++] = &p->line[line];
}

static inline int sim_enter(void *m, unsigned int submit, unsigned int wait,
			    __u64 limit)
{
	struct sim *s = m;
	int ret;

	sim_run(s);
	for (unsigned int i = 0; i < submit; i++)
		sim_take(s, s->sq[i]);
	sim_flush(s);
	/* No chain reaches beyond an ENTER. */
	if (s->chain.nr)
		sim_chain_start(s);
	s->offered = 0;
	sim_run(s);
	ret = wait ? sim_wait(s, wait, limit) : 0;
	return submit ? (int)submit : ret;
}

static inline __u64 sim_now(void *m)
{
	return ((struct sim *)m)->now;
}

static inline bool sim_reap(void *m, struct aring_cqe *cqe)
{
	struct sim *s = m;

	if (s->reaped == s->posted)
		return false;
	*cqe = s->cqe[s->reaped++];
	return true;
}

static inline bool sim_idle(void *m)
{
	const struct sim *s = m;

	return !s->nr_live && !s->runnable.nr && !s->held.nr;
}

static const struct machine SIM = {
	sim_sqe, sim_enter, sim_move, sim_now, sim_reap, sim_idle
};

static inline void sim_init(struct sim *s, const struct prog *p)
{
	memset(s, 0, sizeof(*s));
	s->p = p;
}

#endif /* MODEL_SIM_H */
