/* SPDX-License-Identifier: MIT */
/*
 * A program that was written for io_uring, for the test of aring run. It never
 * heard of aring: liburing, and raw system calls inlined as liburing does it.
 */
#ifndef RUN_CLIENT_H
#define RUN_CLIENT_H

#include <errno.h>
#include <liburing.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Ends the program: what was expected did not happen. */
#define fail(...)						\
	do {							\
		fprintf(stderr, "# %s:%d: ", __FILE__, __LINE__); \
		fprintf(stderr, __VA_ARGS__);			\
		fprintf(stderr, " (errno %d)\n", errno);	\
		_exit(99);					\
	} while (0)

#define need(cond)						\
	do {							\
		if (!(cond))					\
			fail("not true: %s", #cond);		\
	} while (0)

static inline long raw(long nr, long a, long b, long c, long d, long e, long f)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long ret;

	__asm__ volatile("syscall" : "=a"(ret)
			 : "0"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8),
			   "r"(r9) : "rcx", "r11", "memory");
	return ret;
}

/**
 * struct mode - what the first argument may ask for
 * @name: the argument
 * @run: what it does, with what follows; the program's exit status
 */
struct mode {
	const char *name;
	int (*run)(char **arg);
};

/* client.c */
const char *use_ring(void);
void say_where(void);

extern const struct mode signal_modes[];	/* signals.c */
extern const struct mode start_modes[];		/* start.c */

#endif /* RUN_CLIENT_H */
