/* SPDX-License-Identifier: MIT */
/*
 * How aring run tells a program which session its rings join: the library and
 * the shim read it.
 */
#ifndef _ARING_SESSION_ENV_H
#define _ARING_SESSION_ENV_H

#include <linux/types.h>

/**
 * ARING_SESSION_ENV - the variable with the session's id
 *
 * In hexadecimal digits.
 */
#define ARING_SESSION_ENV	"ARING_SESSION"

/* The id that the variable's value says, 0 if it says none. No call of libc. */
static inline __u64 aring_session_id(const char *text)
{
	__u64 id = 0;

	for (; text && *text; text++) {
		if (*text >= '0' && *text <= '9')
			id = id << 4 | (__u64)(*text - '0');
		else if (*text >= 'a' && *text <= 'f')
			id = id << 4 | (__u64)(*text - 'a' + 10);
		else
			return 0;
	}
	return id;
}

#endif /* _ARING_SESSION_ENV_H */
