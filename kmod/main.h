/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the module as a whole is.
 */
#ifndef ARING_MAIN_H
#define ARING_MAIN_H

#include <linux/types.h>

struct aring_ring;
struct file;

#define ARING_VERSION	"0.1.0"

/* main.c APIs */
bool aring_is_ring(const struct file *file);
struct aring_ring *aring_ring_of(struct file *file);

#endif /* ARING_MAIN_H */
