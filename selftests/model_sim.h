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

#include "model_core.h"

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
	if (!s->chain.nr) {
		s->chain_failed = false;
		s->chain_silent = false;
	}
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
