/* SPDX-License-Identifier: MIT */
/*
 * What the library's tests share: one ring, and tables of tests. Each test begins with
 * a ring of four entries, and may make another one of it.
 */
#ifndef _ARING_TEST_H
#define _ARING_TEST_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <aring.h>

#include "check.h"

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

extern struct aring ring;

/**
 * struct test - one test
 * @run: does it
 * @name: what it is called
 * @op: an operation that it needs
 * @reg: a register opcode that it needs, 0 for none
 * @setup: set-up flags that it needs
 * @sqe: SQE flags that it needs
 *
 * Without what it needs it is skipped, and that is said.
 */
struct test {
	void (*run)(void);
	const char *name;
	unsigned int op;
	unsigned int reg;
	unsigned int setup;
	unsigned int sqe;
};

#define TEST(n, ...)	{ .run = test_##n, .name = #n, __VA_ARGS__ }

void begin(unsigned int entries, unsigned int flags);
void begin_params(unsigned int entries, struct aring_params *p);
bool on_device(void);
struct aring_cqe take(void);
struct aring_cqe take_of(__u64 data);
struct aring_sqe *nop(__u64 data);
void submit_one(struct aring_sqe *sqe, __u64 data);
void many_rounds(__u64 out);
double seconds(void);

/* Tables, each ended by an entry without a name. */
extern const struct test net_tests[];
extern const struct test resource_tests[];
extern const struct test shape_tests[];
extern const struct test command_tests[];

#endif /* _ARING_TEST_H */
