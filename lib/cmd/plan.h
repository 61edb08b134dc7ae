/* SPDX-License-Identifier: MIT */
/*
 * Plans: lists of deviations, in memory and as text.
 */
#ifndef _ARING_PLAN_H
#define _ARING_PLAN_H

#include <stdbool.h>
#include <stdio.h>
#include <linux/aring.h>

/** PLAN_LINE - bytes that the text of a deviation needs at most */
#define PLAN_LINE	160

/**
 * struct plan - deviations
 * @line: them
 * @nr: how many
 * @room: how many @line has room for
 *
 * All zeros is an empty one.
 */
struct plan {
	struct aring_deviation *line;
	size_t nr;
	size_t room;
};

void *grow(void *p, size_t *room, size_t nr, size_t size);
void plan_add(struct plan *p, const struct aring_deviation *d);
void plan_copy(struct plan *to, const struct plan *from);
void plan_sort(struct plan *p);
void plan_free(struct plan *p);
bool plan_has(const struct plan *p, const struct aring_deviation *d);

void plan_line_write(char *buf, size_t size, const struct aring_deviation *d);
bool plan_line_read(const char *text, struct aring_deviation *d, char *why,
		    size_t size);
void plan_write(FILE *f, const struct plan *p);
bool plan_read(FILE *f, const char *name, struct plan *p, char *why,
	       size_t size);

#endif /* _ARING_PLAN_H */
