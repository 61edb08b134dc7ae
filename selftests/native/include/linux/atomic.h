/* SPDX-License-Identifier: MIT */
/*
 * As much of the kernel's atomics as kmod/state.h needs, for user space, so
 * that the state machine under test is the file that the module is built from.
 *
 * A program may define, before it includes anything that includes this:
 *
 *	ATOMIC_BEFORE(v)		called before each access to *v
 *	ATOMIC_WROTE(v, old, new)	called after each write to *v
 *
 * A test that walks interleavings switches contenders in the first and checks
 * its rules in the second.
 */
#ifndef ARING_NATIVE_LINUX_ATOMIC_H
#define ARING_NATIVE_LINUX_ATOMIC_H

#include <stdbool.h>

typedef struct {
	int counter;
} atomic_t;

#ifndef ATOMIC_BEFORE
#define ATOMIC_BEFORE(v)		do { } while (0)
#endif
#ifndef ATOMIC_WROTE
#define ATOMIC_WROTE(v, old, new)	do { } while (0)
#endif

/* Only there to be weakened, to see whether a test notices. */
#ifndef ATOMIC_CMPXCHG_ORDER
#define ATOMIC_CMPXCHG_ORDER	__ATOMIC_SEQ_CST
#endif

static inline int atomic_read(const atomic_t *v)
{
	ATOMIC_BEFORE(v);
	return __atomic_load_n(&v->counter, __ATOMIC_RELAXED);
}

static inline void atomic_set(atomic_t *v, int new)
{
	int old __attribute__((unused));

	ATOMIC_BEFORE(v);
	old = __atomic_load_n(&v->counter, __ATOMIC_RELAXED);
	__atomic_store_n(&v->counter, new, __ATOMIC_RELAXED);
	ATOMIC_WROTE(v, old, new);
}

/* Like the kernel's: ordered if it succeeds, not at all if it fails. */
static inline bool atomic_try_cmpxchg(atomic_t *v, int *old, int new)
{
	int want __attribute__((unused)) = *old;

	ATOMIC_BEFORE(v);
	if (!__atomic_compare_exchange_n(&v->counter, old, new, false,
					 ATOMIC_CMPXCHG_ORDER,
					 __ATOMIC_RELAXED))
		return false;
	ATOMIC_WROTE(v, want, new);
	return true;
}

#endif /* ARING_NATIVE_LINUX_ATOMIC_H */
