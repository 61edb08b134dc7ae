/* SPDX-License-Identifier: MIT */
/* A file system to be frozen, for tests of workers that are stuck; device only. */
#ifndef FROZEN_H
#define FROZEN_H

#include "ring.h"
#include "disk.h"
#include "module.h"

/* Its directory, thawed, and how often the module is in use before the test. */
static inline bool frozen_open(int *dir, long *refcnt)
{
	const char *path = disk_ext4("frozen", 32);

	*dir = path ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	if (*dir < 0)
		return false;
	disk_thaw(*dir);
	*refcnt = module_refcnt_at_start();
	return *refcnt >= 0;
}

#define FROZEN_FIXTURE(name)						\
	FIXTURE(name) {							\
		int dir;						\
		long refcnt;						\
	};								\
	FIXTURE_VARIANT(name) {						\
		int unused;						\
	};								\
	FIXTURE_VARIANT_ADD(name, device) {				\
		.unused = 0,						\
	}

#endif /* FROZEN_H */
