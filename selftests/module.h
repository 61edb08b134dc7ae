/* SPDX-License-Identifier: MIT */
/* The loaded module, from outside: how often it is in use. */
#ifndef MODULE_H
#define MODULE_H

#include "ring.h"

static inline long module_refcnt(void)
{
	FILE *f = fopen("/sys/module/aring/refcnt", "r");
	long n = -1;

	if (f && fscanf(f, "%ld", &n) != 1)
		n = -1;
	if (f)
		fclose(f);
	return n;
}

/* Wait until the module is in use @want times; answers how often it is. */
static inline long module_refcnt_wait(long want)
{
	__u64 end = now_ns() + ms(15000) * test_slow();

	while (module_refcnt() != want && now_ns() < end)
		usleep(2000);
	return module_refcnt();
}

/*
 * How often the module is in use when a test begins. Rings of the tests before
 * end in the background, so wait for them; only who holds a ring all along (a
 * shell of yours) keeps it from 0.
 */
static inline long module_refcnt_at_start(void)
{
	__u64 end = now_ns() + ms(3000) * test_slow();

	while (module_refcnt() > 0 && now_ns() < end)
		usleep(2000);
	return module_refcnt();
}

#endif /* MODULE_H */
