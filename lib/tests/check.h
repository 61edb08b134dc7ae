/* SPDX-License-Identifier: MIT */
/*
 * Checks that say where and go on.
 */
#ifndef _ARING_TESTS_CHECK_H
#define _ARING_TESTS_CHECK_H

#include <stdio.h>
#include <string.h>

/* Of the test that runs. */
extern int failed;

#define CHECK(cond)							\
	do {								\
		if (!(cond)) {						\
			printf("# %s:%d: %s\n", __FILE__, __LINE__, #cond); \
			failed = 1;					\
		}							\
	} while (0)

#define CHECK_EQ(a, b)							\
	do {								\
		long long __a = (long long)(a), __b = (long long)(b);	\
		if (__a != __b) {					\
			printf("# %s:%d: %s is %lld, not %lld\n",	\
			       __FILE__, __LINE__, #a, __a, __b);	\
			failed = 1;					\
		}							\
	} while (0)

#define CHECK_STR(a, b)							\
	do {								\
		if (strcmp(a, b)) {					\
			printf("# %s:%d: '%s', not '%s'\n", __FILE__,	\
			       __LINE__, a, b);				\
			failed = 1;					\
		}							\
	} while (0)

#endif /* _ARING_TESTS_CHECK_H */
