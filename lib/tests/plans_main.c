// SPDX-License-Identifier: MIT
/*
 * Runs the tests of plans.c and trials.c.
 */
#include <stdarg.h>
#include <stdio.h>

#include "../cmd/cmd.h"
#include "check.h"
#include "plans.h"

int failed;

void complain(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	printf("# ");
	vprintf(fmt, ap);
	printf("\n");
	va_end(ap);
}

int main(void)
{
	static const struct plan_test * const tables[] = { plan_tests, trial_tests };
	const struct plan_test *test;
	unsigned int nr = 0;
	int bad = 0;
	size_t i;

	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("TAP version 13\n");
	for (i = 0; i < ARRAY_SIZE(tables); i++) {
		for (test = tables[i]; test->name; test++) {
			failed = 0;
			test->run();
			printf("%sok %u %s\n", failed ? "not " : "", ++nr,
			       test->name);
			bad |= failed;
		}
	}
	printf("1..%u\n", nr);
	return bad;
}
