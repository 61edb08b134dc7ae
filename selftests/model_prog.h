/* SPDX-License-Identifier: MIT */
/*
 * Random programs for a ring with a virtual clock: what a program is, how a seed
 * makes one, how it is run (on a ring, or on the reference model), and how it
 * reads.
 *
 * A program is a list of lines: an SQE, a call of ENTER, a move of the clock. Any
 * subset of the lines is a program, too: so a failing one can be made shorter.
 */
#ifndef MODEL_PROG_H
#define MODEL_PROG_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/aring.h>

#define PROG_OPS	1000		/* SQEs in a program */
#define PROG_LINES	(4 * PROG_OPS)
#define PROG_SQ		64
#define PROG_CQ		1024		/* more than there are SQEs: no overflow */
#define PROG_BYTES	64		/* the longest transfer */
#define PROG_MEDIUM	1024		/* the largest medium */
#define PROG_FAR	1000000ULL	/* by then everything is over */
#define PROG_VARIANTS	6		/* two clocks, three orders */
#define PROG_ROUNDS	(2 * PROG_OPS)	/* and after so many waits */

enum line_kind {
	LINE_SQE,
	LINE_ENTER,
	LINE_NEXT,
	LINE_ADVANCE,
	LINE_TO,
};

/**
 * struct line - one line of a program
 * @kind: what it is
 * @opcode: SQE
 * @flags: SQE: ARING_SQE_*
 * @op_flags: SQE: the flags of the operation
 * @user_data: SQE
 * @off: SQE: offset in the medium, or how many completions a TIMEOUT counts
 * @len: SQE: bytes; ENTER: how many CQEs to wait for, 0 not to wait
 * @target: SQE: the line whose request is cancelled or updated
 * @time: SQE: of a TIMEOUT, or the service time; ENTER: the longest wait;
 *	ADVANCE and TO: how far from now
 */
struct line {
	enum line_kind	kind;
	__u8		opcode;
	__u8		flags;
	__u32		op_flags;
	__u64		user_data;
	__u64		off;
	__u32		len;
	__u32		target;
	__s64		time;
};

/**
 * struct prog - a program
 * @seed: what it was made of
 * @automatic: the clock moves when everybody waits, else only when told
 * @setup_flags: of the ring
 * @first_index: likewise
 * @vdev: the ring's device
 * @nr: number of lines
 * @rounds: how often one has to wait at the end until nothing is left
 * @line: the lines
 * @off: those that are left out
 */
struct prog {
	__u64			seed;
	bool			automatic;
	__u32			setup_flags;
	__u32			first_index;
	struct aring_vdev	vdev;
	unsigned int		nr;
	unsigned int		rounds;
	struct line		line[PROG_LINES];
	bool			off[PROG_LINES];
};

/* What byte @i is that line @nr writes. */
static inline unsigned char prog_byte(unsigned int nr, unsigned int i)
{
	return nr * 37 + i * 11 + (nr >> 8) + 1;
}

/* ---- what a program sees ------------------------------------------------- */

enum seen_kind { SEEN_CQE, SEEN_ENTER, SEEN_MOVE };

/**
 * struct seen - one thing that a program got to know
 * @kind: a CQE, or what a call returned
 * @res: its result
 * @user_data: of a CQE
 * @time: what time it was then
 * @line: in which line; the number of lines for what comes after the last
 */
struct seen {
	enum seen_kind	kind;
	__s32		res;
	__u64		user_data;
	__u64		time;
	unsigned int	line;
};

#define SEEN_MAX	(PROG_LINES + PROG_OPS + 2 * PROG_ROUNDS)

struct history {
	unsigned int	nr;
	struct seen	seen[SEEN_MAX];
};

static inline void see(struct history *h, enum seen_kind kind, unsigned int line,
		       __s32 res, __u64 user_data, __u64 time)
{
	if (h->nr < SEEN_MAX)
		h->seen[h->nr++] = (struct seen) {
			kind, res, user_data, time, line
		};
}

/* ---- how it is run ------------------------------------------------------- */

/**
 * struct machine - what a program runs on
 * @sqe: put the SQE of a line into the SQ; there is room
 * @enter: take @submit SQEs, wait for @wait CQEs, at most @limit ns
 * @move: the clock: LINE_NEXT, or to @time; the result of the call
 * @now: what time it is
 * @reap: the next CQE, if there is one
 * @idle: is everything over? NULL if only the model knows
 */
struct machine {
	void	(*sqe)(void *m, const struct prog *p, unsigned int line);
	int	(*enter)(void *m, unsigned int submit, unsigned int wait, __u64 limit);
	int	(*move)(void *m, enum line_kind kind, __u64 time);
	__u64	(*now)(void *m);
	bool	(*reap)(void *m, struct aring_cqe *cqe);
	bool	(*idle)(void *m);
};

static inline void prog_reap(const struct machine *on, void *m,
			     struct history *h, unsigned int line)
{
	struct aring_cqe cqe;
	__u64 now = on->now(m);

	while (on->reap(m, &cqe))
		see(h, SEEN_CQE, line, cqe.flags ? -ENODATA : cqe.res, cqe.user_data, now);
}

static inline void prog_enter(const struct machine *on, void *m, struct history *h,
			      unsigned int line, unsigned int submit,
			      unsigned int wait, __u64 limit)
{
	int ret = on->enter(m, submit, wait, limit);

	see(h, SEEN_ENTER, line, ret, 0, on->now(m));
	prog_reap(on, m, h, line);
}

static inline void prog_move(const struct machine *on, void *m, struct history *h,
			     unsigned int line, enum line_kind kind, __u64 time)
{
	int ret = on->move(m, kind, (__s64)time < 0 ? 0 : time);

	see(h, SEEN_MOVE, line, ret, 0, on->now(m));
	prog_reap(on, m, h, line);
}

/* One wait at the end, when everything has been submitted. */
static inline void prog_round(const struct prog *p, const struct machine *on,
			      void *m, struct history *h)
{
	if (p->automatic) {
		prog_enter(on, m, h, p->nr, 0, PROG_CQ, PROG_FAR);
	} else {
		prog_move(on, m, h, p->nr, LINE_ADVANCE, on->now(m) + PROG_FAR);
		prog_enter(on, m, h, p->nr, 0, 0, 0);
	}
}

/* Run @p, and until nothing is left; the model says how long that takes. */
static inline void prog_run(struct prog *p, const struct machine *on, void *m,
			    struct history *h)
{
	unsigned int i, offered = 0, round = 0;

	h->nr = 0;
	for (i = 0; i < p->nr; i++) {
		const struct line *l = &p->line[i];

		if (p->off[i])
			continue;
		switch (l->kind) {
		case LINE_SQE:
			if (offered == PROG_SQ) {
				prog_enter(on, m, h, i, offered, 0, 0);
				offered = 0;
			}
			on->sqe(m, p, i);
			offered++;
			break;
		case LINE_ENTER:
			prog_enter(on, m, h, i, offered, l->len, l->time);
			offered = 0;
			break;
		default:
			prog_move(on, m, h, i, l->kind, on->now(m) + l->time);
		}
	}
	prog_enter(on, m, h, p->nr, offered, 0, 0);
	while (on->idle ? !on->idle(m) && round < PROG_ROUNDS : round < p->rounds) {
		prog_round(p, on, m, h);
		round++;
	}
	p->rounds = round;
}

/* ---- how it reads -------------------------------------------------------- */

static inline const char *prog_opcode(const struct line *l)
{
	switch (l->opcode) {
	case ARING_OP_NOP:
		return "NOP";
	case ARING_OP_TIMEOUT:
		return "TIMEOUT";
	case ARING_OP_TIMEOUT_REMOVE:
		return l->op_flags & ARING_TIMEOUT_UPDATE ?
			"TIMEOUT_REMOVE update" : "TIMEOUT_REMOVE";
	case ARING_OP_ASYNC_CANCEL:
		return "ASYNC_CANCEL";
	case ARING_OP_LINK_TIMEOUT:
		return "LINK_TIMEOUT";
	case ARING_OP_VREAD:
		return "VREAD";
	case ARING_OP_VWRITE:
		return "VWRITE";
	}
	return "?";
}

static inline void prog_print_cancel(const struct prog *p, const struct line *l)
{
	if (l->op_flags & ARING_ASYNC_CANCEL_ANY)
		printf(" any");
	else if (l->op_flags & ARING_ASYNC_CANCEL_OP)
		printf(" opcode %u", l->len);
	else if (l->op_flags & ARING_ASYNC_CANCEL_TICKET)
		printf(" ticket of line %u", l->target);
	else
		printf(" user_data %llu", p->line[l->target].user_data);
	if (l->op_flags & ARING_ASYNC_CANCEL_ALL)
		printf(", all");
}

static inline void prog_print_sqe(const struct prog *p, const struct line *l)
{
	printf("SQE %llu: %s", l->user_data, prog_opcode(l));
	switch (l->opcode) {
	case ARING_OP_TIMEOUT:
	case ARING_OP_LINK_TIMEOUT:
		if (l->off)
			printf(" %llu completions", l->off);
		printf(" %s %lld", l->op_flags & ARING_TIMEOUT_ABS ? "at" : "in", l->time);
		if (l->op_flags & ARING_TIMEOUT_ETIME_SUCCESS)
			printf(", -ETIME is success");
		break;
	case ARING_OP_TIMEOUT_REMOVE:
		printf(" user_data %llu", p->line[l->target].user_data);
		if (!(l->op_flags & ARING_TIMEOUT_UPDATE))
			break;
		printf("%s %s %lld",
		       l->op_flags & ARING_LINK_TIMEOUT_UPDATE ? " (LINK_TIMEOUT)" : "",
		       l->op_flags & ARING_TIMEOUT_ABS ? "at" : "in", l->time);
		break;
	case ARING_OP_ASYNC_CANCEL:
		prog_print_cancel(p, l);
		break;
	case ARING_OP_VREAD:
	case ARING_OP_VWRITE:
		printf(" %u bytes at %llu", l->len, l->off);
		if (l->op_flags & ARING_VDEV_TIME)
			printf(" taking %lld", l->time);
		break;
	}
	printf("%s%s%s%s\n", l->flags & ARING_SQE_IO_DRAIN ? " DRAIN" : "",
	       l->flags & ARING_SQE_IO_LINK ? " LINK" : "",
	       l->flags & ARING_SQE_IO_HARDLINK ? " HARDLINK" : "",
	       l->flags & ARING_SQE_CQE_SKIP_SUCCESS ? " SKIP_SUCCESS" : "");
}

static inline void prog_print_line(const struct prog *p, unsigned int i)
{
	const struct line *l = &p->line[i];

	printf("# %5u  ", i);
	switch (l->kind) {
	case LINE_SQE:
		prog_print_sqe(p, l);
		break;
	case LINE_ENTER:
		printf("ENTER");
		if (l->len)
			printf(", wait for %u, at most %lld ns", l->len, l->time);
		printf("\n");
		break;
	case LINE_NEXT:
		printf("CLOCK next\n");
		break;
	case LINE_ADVANCE:
		printf("CLOCK advance %lld\n", l->time);
		break;
	case LINE_TO:
		printf("CLOCK to now %+lld\n", l->time);
		break;
	}
}

static inline void prog_print(const struct prog *p)
{
	static const char *const policy[] = { "fifo", "shortest", "elevator" };

	printf("# clock %s, %s, first index %u\n", p->automatic ? "automatic" : "manual",
	       p->setup_flags & ARING_SETUP_COMPLETION_ORDER ? "completion order" :
	       p->setup_flags & ARING_SETUP_SUBMISSION_ORDER ? "submission order" :
	       "unordered", p->first_index);
	printf("# device: %llu bytes, %u channels, %s", p->vdev.size, p->vdev.channels,
	       policy[p->vdev.policy]);
	printf(", base %llu ns, per byte %llu ps, per distance %llu ps\n", p->vdev.base,
	       p->vdev.per_byte, p->vdev.per_distance);
	for (unsigned int i = 0; i < p->nr; i++)
		if (!p->off[i])
			prog_print_line(p, i);
}

/* ---- how a seed makes one ------------------------------------------------ */

/**
 * struct maker - a program that is being made
 * @p: the program
 * @state: of the generator of random numbers
 * @drains: it uses IO_DRAIN
 * @skips: it uses CQE_SKIP_SUCCESS, which does not go with it
 * @ops: SQEs so far
 * @recent: lines of the last SQEs
 */
struct maker {
	struct prog	*p;
	__u64		state;
	bool		drains, skips;
	unsigned int	ops;
	unsigned int	recent[32];
};

/* A number from 0 to n - 1. */
static inline unsigned int pick(struct maker *k, unsigned int n)
{
	__u64 z = k->state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return (z ^ z >> 31) % n;
}

static inline bool chance(struct maker *k, unsigned int percent)
{
	return pick(k, 100) < percent;
}

/* Short times: so that many things come to the same instant. */
static inline __s64 pick_time(struct maker *k)
{
	return chance(k, 80) ? pick(k, 40) : pick(k, 200);
}

static inline struct line *make_line(struct maker *k, enum line_kind kind)
{
	struct line *l = &k->p->line[k->p->nr++];

	*l = (struct line) { .kind = kind };
	return l;
}

/* A line that is not long ago; one with @opcode, unless that is -1 or hard to find. */
static inline unsigned int make_target(struct maker *k, int opcode)
{
	unsigned int line = 0;

	/* now and then one that is yet to come; of time limits that could be its own */
	if (opcode != ARING_OP_LINK_TIMEOUT && chance(k, 5))
		return k->p->nr + pick(k, 4);
	for (int i = 0; i < 8; i++) {
		unsigned int back = 2 + pick(k, chance(k, 70) ? 10 : 30);

		if (back > k->ops)
			break;
		line = k->recent[(k->ops - back) % 32];
		if (opcode < 0 || k->p->line[line].opcode == opcode)
			break;
	}
	return line;
}

static inline void make_time(struct maker *k, struct line *l)
{
	l->time = pick_time(k);
	if (chance(k, 15)) {
		l->op_flags |= ARING_TIMEOUT_ABS;
		/* the clock goes some 5 ns between two SQEs: around now */
		l->time = k->ops * 5 + pick(k, 200);
	}
}

static inline void make_cancel(struct maker *k, struct line *l)
{
	unsigned int how = pick(k, 100);

	l->target = make_target(k, chance(k, 40) ? ARING_OP_VREAD + (int)pick(k, 2) : -1);
	if (how < 35)
		l->op_flags = ARING_ASYNC_CANCEL_TICKET;
	else if (how < 45)
		l->op_flags = ARING_ASYNC_CANCEL_ALL;
	else if (how < 50)
		l->op_flags = ARING_ASYNC_CANCEL_ANY;
	else if (how < 60)
		l->op_flags = ARING_ASYNC_CANCEL_OP |
			(chance(k, 50) ? ARING_ASYNC_CANCEL_ALL : 0);
	if (l->op_flags & ARING_ASYNC_CANCEL_OP)
		l->len = chance(k, 50) ? ARING_OP_TIMEOUT : ARING_OP_VREAD + pick(k, 2);
}

static inline void make_transfer(struct maker *k, struct line *l)
{
	l->len = 1 + pick(k, PROG_BYTES);
	/* now and then over the end of the medium, or behind it */
	l->off = pick(k, k->p->vdev.size + (chance(k, 10) ? 40 : 0));
	if (!chance(k, 10) && l->off + l->len > k->p->vdev.size)
		l->off = k->p->vdev.size - l->len;
	if (chance(k, 30)) {
		l->op_flags = ARING_VDEV_TIME;
		l->time = pick(k, 30);
	}
}

static inline void make_operation(struct maker *k, struct line *l)
{
	unsigned int what = pick(k, 100);

	if (what < 18) {
		l->opcode = ARING_OP_NOP;
	} else if (what < 42) {
		l->opcode = ARING_OP_TIMEOUT;
		l->off = chance(k, 30) ? 1 + pick(k, 6) : 0;
		make_time(k, l);
		if (chance(k, 25))
			l->op_flags |= ARING_TIMEOUT_ETIME_SUCCESS;
	} else if (what < 52) {
		l->opcode = ARING_OP_TIMEOUT_REMOVE;
		if (chance(k, 60)) {
			make_time(k, l);
			l->op_flags |= ARING_TIMEOUT_UPDATE;
		}
		if (chance(k, 30) && l->op_flags)
			l->op_flags |= ARING_LINK_TIMEOUT_UPDATE;
		l->target = make_target(k, l->op_flags & ARING_LINK_TIMEOUT_UPDATE ?
					ARING_OP_LINK_TIMEOUT : ARING_OP_TIMEOUT);
	} else if (what < 64) {
		l->opcode = ARING_OP_ASYNC_CANCEL;
		make_cancel(k, l);
	} else {
		l->opcode = ARING_OP_VREAD + (what >= 78);
		make_transfer(k, l);
	}
}

static inline struct line *make_sqe(struct maker *k)
{
	unsigned int nr = k->p->nr;
	struct line *l = make_line(k, LINE_SQE);

	l->user_data = nr;
	if (chance(k, 8))
		l->user_data = k->p->line[k->recent[pick(k, 32)]].user_data;
	k->recent[k->ops++ % 32] = nr;
	if (k->skips && chance(k, 20))
		l->flags |= ARING_SQE_CQE_SKIP_SUCCESS;
	return l;
}

/* One SQE, or a chain of some with their time limits. */
static inline void make_chain(struct maker *k)
{
	unsigned int more = chance(k, 25) ? 1 + pick(k, 4) : 0;
	struct line *l;

	for (;;) {
		__u8 link = chance(k, 65) ? ARING_SQE_IO_LINK : ARING_SQE_IO_HARDLINK;

		l = make_sqe(k);
		make_operation(k, l);
		if (k->drains && chance(k, 6))
			l->flags |= ARING_SQE_IO_DRAIN;
		if (chance(k, more ? 35 : 4)) {
			l->flags |= link;
			l = make_sqe(k);
			l->opcode = ARING_OP_LINK_TIMEOUT;
			l->user_data = l - k->p->line;
			make_time(k, l);
		}
		if (!more--)
			break;
		l->flags |= link;
	}
}

static inline void make_moves(struct maker *k)
{
	while (chance(k, 70)) {
		unsigned int how = pick(k, 100);

		if (how < 50)
			make_line(k, LINE_NEXT);
		else if (how < 85)
			make_line(k, LINE_ADVANCE)->time = pick(k, 60);
		else
			make_line(k, LINE_TO)->time = (int)pick(k, 60) - 3;
	}
}

/* The line of one ENTER, and what follows it. */
static inline void make_enter(struct maker *k)
{
	struct line *l;

	do {
		l = make_line(k, LINE_ENTER);
		if (k->p->automatic && chance(k, 75)) {
			l->len = 1 + (chance(k, 60) ? 0 : pick(k, 12));
			l->time = chance(k, 50) ? pick(k, 60) : PROG_FAR;
		}
	} while (k->p->automatic && chance(k, 30));
	if (!k->p->automatic)
		make_moves(k);
}

/* Every seed its program; six in a row have each clock with each order. */
static inline void prog_make(struct prog *p, __u64 seed)
{
	static const __u32 order[] = {
		0, ARING_SETUP_COMPLETION_ORDER, ARING_SETUP_SUBMISSION_ORDER
	};
	struct maker k = { .p = p, .state = seed };
	unsigned int what;

	memset(p, 0, sizeof(*p));
	p->seed = seed;
	p->automatic = seed % 2;
	p->setup_flags = ARING_SETUP_CQSIZE | ARING_SETUP_SUBMIT_ALL |
			 ARING_SETUP_FIRST_INDEX | order[seed / 2 % 3];
	p->first_index = chance(&k, 50) ? -pick(&k, PROG_OPS) : 0;
	what = pick(&k, 100);
	k.drains = what >= 30 && what < 65;
	k.skips = what >= 60;
	p->vdev.size = PROG_BYTES + pick(&k, PROG_MEDIUM - PROG_BYTES);
	p->vdev.channels = 1 + pick(&k, 4);
	p->vdev.policy = pick(&k, 3);
	p->vdev.base = pick(&k, 12);
	p->vdev.per_byte = chance(&k, 50) ? pick(&k, 600) : 0;
	p->vdev.per_distance = chance(&k, 50) ? pick(&k, 100) : 0;

	while (k.ops < PROG_OPS) {
		unsigned int chains = 1 + pick(&k, 6);

		/* a chain has five members with a time limit each at most */
		while (chains-- && k.ops < PROG_OPS - 10)
			make_chain(&k);
		if (k.ops >= PROG_OPS - 10)
			make_operation(&k, make_sqe(&k));
		make_enter(&k);
	}
}

#endif /* MODEL_PROG_H */
