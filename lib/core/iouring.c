// SPDX-License-Identifier: MIT
/*
 * The backend on the kernel's own io_uring. Its structures are aring's (a
 * compile-time test holds them side by side), so there is nothing to translate;
 * flags and operations that only aring has come back as -EINVAL by themselves.
 */
#include <liburing.h>

#include "internal.h"

static int uring_setup(unsigned int entries, struct aring_params *p)
{
	return io_uring_setup(entries, (struct io_uring_params *)p);
}

static int uring_enter(int fd, unsigned int to_submit,
		       unsigned int min_complete, unsigned int flags,
		       const void *arg, size_t argsz)
{
	return io_uring_enter2((unsigned int)fd, to_submit, min_complete, flags,
			       (sigset_t *)arg, argsz);
}

static int uring_register(int fd, unsigned int opcode, const void *arg,
			  unsigned int nr_args)
{
	return io_uring_register((unsigned int)fd, opcode, arg, nr_args);
}

const struct aring_ops aring_io_uring_ops = {
	.setup = uring_setup,
	.enter = uring_enter,
	.reg = uring_register,
};
