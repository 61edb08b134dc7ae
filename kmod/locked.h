/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memory that is kept from being used otherwise for as long as the program
 * pleases: pinned pages of its own, and what is allocated for it.
 */
#ifndef ARING_LOCKED_H
#define ARING_LOCKED_H

#include <linux/types.h>

struct aring_ring;
struct page;
struct vm_area_struct;

/* locked.c APIs */
int aring_locked_charge(struct aring_ring *ring, unsigned long pages);
void aring_locked_uncharge(struct aring_ring *ring, unsigned long pages);
bool aring_is_memory_file(const struct vm_area_struct *vma);
int aring_locked_pin(unsigned long start, unsigned long nr, unsigned int gup,
		     int (*check)(unsigned long start, unsigned long end),
		     struct page **pages);

#endif /* ARING_LOCKED_H */
