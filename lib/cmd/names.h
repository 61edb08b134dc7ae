/* SPDX-License-Identifier: MIT */
/*
 * Names and numbers, as plans and chaos strings have them.
 */
#ifndef _ARING_NAMES_H
#define _ARING_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

/**
 * struct name - a name and what it stands for
 * @name: in upper case, as the header has it
 * @nr: the number
 */
struct name {
	const char *name;
	unsigned int nr;
};

extern const struct name op_names[];
extern const struct name errno_names[];

const char *name_of(const struct name *names, unsigned int nr);
const struct name *name_find(const struct name *names, const char *text);

bool read_number(const char *text, __u64 max, __u64 *nr);
bool read_duration(const char *text, __u64 unit, __u64 *ns, __u64 *unit_is);
void write_duration(char *buf, size_t size, __u64 ns);

#endif /* _ARING_NAMES_H */
