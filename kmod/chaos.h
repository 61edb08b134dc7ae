/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Chaos: what a seed does to a request or to an ENTER.
 */
#ifndef ARING_CHAOS_H
#define ARING_CHAOS_H

#include <linux/errno.h>
#include <linux/types.h>

#include "uapi/linux/aring.h"

/* A result (FAIL or SHORTEN), a time of completion, a verdict, the CQ. */
#define ARING_MAX_DEVIATIONS	4

/**
 * struct aring_offer - an ENTER before it does anything
 * @ring: number of the ring in its process
 * @number: of the ENTER
 * @when: ARING_WHEN_IDLE, ARING_WHEN_WHOLE
 * @offered: SQEs that it would take
 * @again: it is not to be interrupted: the one before was, and in vain
 */
struct aring_offer {
	u32	ring;
	u32	number;
	u32	when;
	u32	offered;
	bool	again;
};

int aring_chaos_check(const struct aring_chaos *chaos);
unsigned int aring_chaos_request(const struct aring_chaos *chaos,
				 const struct aring_seen *what,
				 struct aring_deviation *out);
bool aring_chaos_enter(const struct aring_chaos *chaos,
		       const struct aring_offer *offer,
		       struct aring_deviation *out);
bool aring_chaos_permits(u32 level, const struct aring_seen *what,
			 const struct aring_deviation *line);
bool aring_chaos_permits_enter(u32 level, const struct aring_offer *offer,
			       const struct aring_deviation *line);

#endif /* ARING_CHAOS_H */
