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

/**
 * enum aring_file - what a file of /dev/aring has become
 * @ARING_FILE_RING: a ring
 * @ARING_FILE_SESSION: a session
 * @ARING_FILE_MEMBER: it has joined a session, and a ring may be made of it
 * @ARING_FILE_NEW: nothing yet
 *
 * Kept in the lowest bits of ->private_data.
 */
enum aring_file {
	ARING_FILE_RING,
	ARING_FILE_SESSION,
	ARING_FILE_MEMBER,
	ARING_FILE_NEW,
};

/* main.c APIs */
bool aring_is_ring(const struct file *file);
enum aring_file aring_file_is(const struct file *file);
void *aring_file_as(const struct file *file, enum aring_file what);
bool aring_file_becomes(struct file *file, enum aring_file what, void *object);
struct aring_ring *aring_ring_of(const struct file *file);

#endif /* ARING_MAIN_H */
