/* SPDX-License-Identifier: MIT */
/*
 * What the library's own files share.
 */
#ifndef _ARING_INTERNAL_H
#define _ARING_INTERNAL_H

#include <aring.h>

/**
 * struct aring_ops - a backend: the three calls everything else is made of
 * @setup: makes a ring. Returns its file descriptor or -errno
 * @enter: submits and waits. Returns the number submitted or -errno
 * @reg: asks or sets something. Returns what the kernel did, or -errno
 */
struct aring_ops {
	int (*setup)(unsigned int entries, struct aring_params *p);
	int (*enter)(int fd, unsigned int to_submit, unsigned int min_complete,
		     unsigned int flags, const void *arg, size_t argsz);
	int (*reg)(int fd, unsigned int opcode, const void *arg,
		   unsigned int nr_args);
};

/* device.c */
extern const struct aring_ops aring_device_ops;
int aring_device_setup_fd(int fd, unsigned int entries, struct aring_params *p);

/* iouring.c */
extern const struct aring_ops aring_io_uring_ops;

#endif /* _ARING_INTERNAL_H */
