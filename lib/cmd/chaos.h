/* SPDX-License-Identifier: MIT */
/*
 * The chaos string: "seed=42,short=10%,eio=1%".
 */
#ifndef _ARING_CHAOS_H
#define _ARING_CHAOS_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/aring.h>

/** CHAOS_TEXT - bytes that chaos_write() needs at most */
#define CHAOS_TEXT	640

bool chaos_read(const char *text, struct aring_chaos *c, char *why, size_t size);
void chaos_write(char *buf, size_t size, const struct aring_chaos *c);
const char *chaos_level(__u32 level);
bool chaos_does_nothing(const struct aring_chaos *c);

#endif /* _ARING_CHAOS_H */
