/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Virtual clocks: giving them to rings, and moving them.
 */
#ifndef ARING_CLOCK_H
#define ARING_CLOCK_H

#include "ring.h"

/* clock.c APIs */
struct aring_timeline *aring_timeline_create(bool automatic);
void aring_timeline_put(struct aring_timeline *tl);
int aring_clock_give(struct aring_ring *ring, struct aring_timeline *tl);
bool aring_clock_leave(struct aring_ring *ring);
void aring_clock_step(struct aring_timeline *tl);
int aring_clock(struct aring_ring *ring, struct aring_clock __user *arg);

#endif /* ARING_CLOCK_H */
