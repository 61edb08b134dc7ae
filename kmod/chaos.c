// SPDX-License-Identifier: GPL-2.0
/*
 * Chaos: a pure function of seed, number of the ring in its process, and ticket or
 * number of the ENTER. The same seed decides the same again, whatever else
 * happens, and in each version of the module.
 *
 * What it decides is filtered by the table of permit.h: a fault that is not
 * permitted for the request is not replaced by another.
 */
#include <linux/math64.h>
#include <linux/minmax.h>

#include "chaos.h"
#include "permit.h"

#define ARING_MILLION	1000000U

/*
 * What is drawn for. Each has a stream of its own, so that one rate can be changed
 * and what the others do stays as it is. The numbers are part of what a seed
 * means.
 */
enum aring_draw {
	ARING_DRAW_ERRNO	= 1,
	ARING_DRAW_SHORT	= 2,
	ARING_DRAW_SIZE		= 3,
	ARING_DRAW_LATE		= 4,
	ARING_DRAW_DELAY	= 5,
	ARING_DRAW_AFTER	= 6,
	ARING_DRAW_CANCEL	= 7,
	ARING_DRAW_CQ_FULL	= 8,
	ARING_DRAW_EINTR	= 9,
	ARING_DRAW_TAKE		= 10,
	ARING_DRAW_TAKE_NR	= 11,
};

/* The finalizer of splitmix64: each bit in decides about all bits out. */
static u64 aring_mix(u64 x)
{
	x ^= x >> 30;
	x *= 0xbf58476d1ce4e5b9ULL;
	x ^= x >> 27;
	x *= 0x94d049bb133111ebULL;
	return x ^ (x >> 31);
}

static u64 aring_draw(u64 seed, u32 ring, u32 number, enum aring_draw what)
{
	u64 x = aring_mix(seed + 0x9e3779b97f4a7c15ULL);

	x = aring_mix(x + ((u64)ring << 32 | number));
	return aring_mix(x + what * 0x9e3779b97f4a7c15ULL);
}

/* A number from 0 to below @range. */
static u64 aring_below(u64 draw, u64 range)
{
	return mul_u64_u64_shr(draw, range, 64);
}

static bool aring_hit(u64 draw, u32 ppm)
{
	return aring_below(draw, ARING_MILLION) < ppm;
}

/**
 * aring_chaos_check() - is this something that chaos can do?
 * @chaos: as the program gave it, the kernel's own copy
 *
 * Return: 0 or -EINVAL.
 */
int aring_chaos_check(const struct aring_chaos *chaos)
{
	u64 sum = 0;
	u32 i;

	if (chaos->level > ARING_LEVEL_ANY ||
	    chaos->cancel > ARING_CHAOS_CANCEL_EARLY ||
	    chaos->delay_min > chaos->delay_max ||
	    chaos->delay_max > ARING_CHAOS_MAX_DELAY ||
	    chaos->reorder > ARING_CHAOS_MAX_REORDER ||
	    chaos->nr_errnos > ARING_CHAOS_ERRNOS || chaos->resv)
		return -EINVAL;
	if (chaos->short_ppm > ARING_MILLION ||
	    chaos->eintr_ppm > ARING_MILLION ||
	    chaos->cqfull_ppm > ARING_MILLION ||
	    chaos->take_ppm > ARING_MILLION ||
	    chaos->cancel_ppm > ARING_MILLION)
		return -EINVAL;
	for (i = 0; i < ARING_CHAOS_ERRNOS; i++) {
		sum += chaos->errno_ppm[i];
		if (i < chaos->nr_errnos ?
		    !chaos->errno_nr[i] || chaos->errno_nr[i] > EHWPOISON :
		    chaos->errno_nr[i] || chaos->errno_ppm[i])
			return -EINVAL;
	}
	return sum > ARING_MILLION ? -EINVAL : 0;
}

static u64 aring_draw_for(const struct aring_chaos *chaos,
			  const struct aring_seen *what, enum aring_draw draw)
{
	return aring_draw(chaos->seed, what->ring, what->ticket, draw);
}

static bool aring_chaos_errno(const struct aring_chaos *chaos,
			      const struct aring_seen *what,
			      struct aring_deviation *out)
{
	u64 at = aring_below(aring_draw_for(chaos, what, ARING_DRAW_ERRNO),
			     ARING_MILLION);
	u32 i;

	for (i = 0; i < chaos->nr_errnos; i++) {
		if (at < chaos->errno_ppm[i]) {
			out->action = ARING_ACT_FAIL;
			out->value = chaos->errno_nr[i];
			return aring_permits(chaos->level, what, ARING_ACT_FAIL,
					     out->value);
		}
		at -= chaos->errno_ppm[i];
	}
	return false;
}

static bool aring_chaos_short(const struct aring_chaos *chaos,
			      const struct aring_seen *what,
			      struct aring_deviation *out)
{
	u32 unit = aring_short_unit(chaos->level, what);
	u64 draw, steps;

	if (!unit || !aring_hit(aring_draw_for(chaos, what, ARING_DRAW_SHORT),
				chaos->short_ppm))
		return false;
	/* As little and as much as possible are what programs stumble over. */
	draw = aring_draw_for(chaos, what, ARING_DRAW_SIZE);
	steps = div_u64(what->len - 1, unit);
	switch (draw & 3) {
	case 0:
		steps = 1;
		break;
	case 1:
		break;
	default:
		steps = 1 + aring_below(draw, steps);
	}
	out->action = ARING_ACT_SHORTEN;
	out->value = steps * unit;
	out->was = what->len;
	return true;
}

/* With both a delay and an order given, each is for half of the requests. */
static bool aring_chaos_late(const struct aring_chaos *chaos,
			     const struct aring_seen *what,
			     struct aring_deviation *out)
{
	bool delay = chaos->delay_max;

	if (delay && chaos->reorder)
		delay = aring_draw_for(chaos, what, ARING_DRAW_LATE) & 1;
	if (delay) {
		out->action = ARING_ACT_DELAY;
		out->value = chaos->delay_min +
			aring_below(aring_draw_for(chaos, what,
						   ARING_DRAW_DELAY),
				    chaos->delay_max - chaos->delay_min + 1);
	} else {
		out->action = ARING_ACT_AFTER;
		out->value = aring_below(aring_draw_for(chaos, what,
							ARING_DRAW_AFTER),
					 chaos->reorder + 1ULL);
	}
	return out->value &&
	       aring_permits(chaos->level, what, out->action, out->value);
}

static bool aring_chaos_cancel(const struct aring_chaos *chaos,
			       const struct aring_seen *what,
			       struct aring_deviation *out)
{
	if (chaos->cancel == ARING_CHAOS_CANCEL_AS_IS ||
	    !aring_hit(aring_draw_for(chaos, what, ARING_DRAW_CANCEL),
		       chaos->cancel_ppm))
		return false;
	out->action = chaos->cancel == ARING_CHAOS_CANCEL_LATE ?
		      ARING_ACT_CANCEL_LOSES : ARING_ACT_CANCEL_WINS;
	return aring_permits(chaos->level, what, out->action, 0);
}

static bool aring_chaos_cq_full(const struct aring_chaos *chaos,
				const struct aring_seen *what,
				struct aring_deviation *out)
{
	out->action = ARING_ACT_CQ_FULL;
	return aring_hit(aring_draw_for(chaos, what, ARING_DRAW_CQ_FULL),
			 chaos->cqfull_ppm) &&
	       aring_permits(chaos->level, what, ARING_ACT_CQ_FULL, 0);
}

/**
 * aring_chaos_request() - what the seed does to a request
 * @chaos: what is wanted
 * @what: the request
 * @out: room for ARING_MAX_DEVIATIONS, all zero; action, value and was are set
 *
 * Return: how many there are.
 */
unsigned int aring_chaos_request(const struct aring_chaos *chaos,
				 const struct aring_seen *what,
				 struct aring_deviation *out)
{
	unsigned int nr = 0;

	if (aring_chaos_errno(chaos, what, &out[nr])) {
		nr++;
	} else {
		/* What was drawn, but is not permitted. */
		out[nr].value = 0;
		nr += aring_chaos_short(chaos, what, &out[nr]);
	}
	if (aring_chaos_late(chaos, what, &out[nr]))
		nr++;
	else
		out[nr].value = 0;
	nr += aring_chaos_cancel(chaos, what, &out[nr]);
	nr += aring_chaos_cq_full(chaos, what, &out[nr]);
	return nr;
}

/**
 * aring_chaos_permits() - may this be done to a request?
 * @level: ARING_LEVEL_*
 * @what: the request
 * @line: what is to be done to it
 *
 * Return: true if so.
 */
bool aring_chaos_permits(u32 level, const struct aring_seen *what,
			 const struct aring_deviation *line)
{
	return aring_permits(level, what, line->action, line->value);
}

/**
 * aring_chaos_permits_enter() - may this be done to an ENTER?
 * @level: ARING_LEVEL_*
 * @offer: the ENTER
 * @line: what is to be done to it
 *
 * Return: true if so.
 */
bool aring_chaos_permits_enter(u32 level, const struct aring_offer *offer,
			       const struct aring_deviation *line)
{
	if (line->action == ARING_ACT_ENTER_TAKE &&
	    line->value >= offer->offered)
		return false;
	/* At no level: nothing would ever come about. */
	if (line->action == ARING_ACT_ENTER_EINTR && offer->again)
		return false;
	return aring_permits_enter(level, offer->when, line->action);
}

/**
 * aring_chaos_enter() - what the seed does to an ENTER
 * @chaos: what is wanted
 * @offer: the ENTER
 * @out: all zero; action, value and was are set
 *
 * Whether it is permitted to take so few SQEs depends on what those are: the
 * caller looks.
 *
 * Return: true if there is something.
 */
bool aring_chaos_enter(const struct aring_chaos *chaos,
		       const struct aring_offer *offer,
		       struct aring_deviation *out)
{
	if (aring_hit(aring_draw(chaos->seed, offer->ring, offer->number,
				 ARING_DRAW_EINTR), chaos->eintr_ppm)) {
		out->action = ARING_ACT_ENTER_EINTR;
		if (aring_chaos_permits_enter(chaos->level, offer, out))
			return true;
	}
	if (offer->offered < 2 ||
	    !aring_hit(aring_draw(chaos->seed, offer->ring, offer->number,
				  ARING_DRAW_TAKE), chaos->take_ppm))
		return false;
	out->action = ARING_ACT_ENTER_TAKE;
	out->value = 1 + aring_below(aring_draw(chaos->seed, offer->ring,
						offer->number,
						ARING_DRAW_TAKE_NR),
				     offer->offered - 1);
	out->was = offer->offered;
	return true;
}
