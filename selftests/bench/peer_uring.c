// SPDX-License-Identifier: MIT
/* The works on the kernel's io_uring. */
#include <liburing.h>

#define RING		struct io_uring
#define RING_NAME	"io_uring"
#define R(name)		io_uring_##name
#define PEER		uring_peer

static int ring_init(unsigned int entries);

#include "ring_works.h"

static int ring_init(unsigned int entries)
{
	return io_uring_queue_init(entries, &ring, 0);
}
