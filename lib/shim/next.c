// SPDX-License-Identifier: MIT
#include <dlfcn.h>

#include "next.h"
#include "shim.h"

struct shim_next shim_next;

/**
 * shim_next_init() - find the functions that ours stand before
 *
 * All at once: later it might be from a signal handler or after vfork(), where
 * looking for symbols is not safe.
 */
void shim_next_init(void)
{
#define NEXT_FIND(name) \
	shim_next.name = (__typeof__(shim_next.name))dlsym(RTLD_NEXT, #name);
	NEXT_FUNCTIONS(NEXT_FIND)
}
