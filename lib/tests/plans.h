/* SPDX-License-Identifier: MIT */
/*
 * The two halves of the tests of plans.
 */
#ifndef _ARING_TESTS_PLANS_H
#define _ARING_TESTS_PLANS_H

/* Tables, each ended by an entry without a name. */
struct plan_test {
	const char *name;
	void (*run)(void);
};

extern const struct plan_test plan_tests[];
extern const struct plan_test trial_tests[];

#endif /* _ARING_TESTS_PLANS_H */
