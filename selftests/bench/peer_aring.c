// SPDX-License-Identifier: MIT
/* The works on /dev/aring. */
#include <aring.h>

#define RING		struct aring
#define RING_NAME	"aring"
#define R(name)		aring_##name
#define PEER		aring_peer

static int ring_init(unsigned int entries);

#include "ring_works.h"

static int ring_init(unsigned int entries)
{
	struct aring_params p = { 0 };

	return aring_queue_init_backend(ARING_BACKEND_DEVICE, entries, &ring,
					&p);
}
