/* SPDX-License-Identifier: MIT */
/*
 * Can the shim get into a program? Asked by aring run and before every exec.
 */
#ifndef ARING_SHIM_TARGET_H
#define ARING_SHIM_TARGET_H

#include <stdbool.h>
#include <stddef.h>

/**
 * struct shim_target - a program that the shim cannot enter
 * @why: "is ..." or "has ...", a constant
 * @what: the file of which that is true: a script's interpreter, for example
 */
struct shim_target {
	const char *why;
	char what[256];
};

bool shim_target_ok(const char *path, struct shim_target *t);
bool shim_target_fd_ok(int fd, struct shim_target *t);
int shim_find_program(const char *name, const char *dirs, char *buf,
		      size_t size);

#endif /* ARING_SHIM_TARGET_H */
