// SPDX-License-Identifier: MIT
/*
 * A library whose constructor uses a ring already: what aring run preloads must
 * be ready before it, wherever the user put this one in LD_PRELOAD.
 */
#include "client.h"

__attribute__((__constructor__))
static void early(void)
{
	struct io_uring_params p = { 0 };
	char path[64], link[64] = "";
	long fd = raw(SYS_io_uring_setup, 4, (long)&p, 0, 0, 0, 0);

	snprintf(path, sizeof(path), "/proc/self/fd/%ld", fd);
	if (readlink(path, link, sizeof(link) - 1) > 0)
		setenv("EARLY_WHERE",
		       strcmp(link, "/dev/aring") ? "io_uring" : "device", 1);
	close((int)fd);
}
