/* SPDX-License-Identifier: MIT */
/* The loaded module, from outside: how often it is in use. */
#ifndef MODULE_H
#define MODULE_H

#include "ring.h"

static inline long module_refcnt(void)
{
	FILE *f = fopen("/sys/module/aring/refcnt", "r");
	long n = -1;

	if (f && fscanf(f, "%ld", &n) != 1)
		n = -1;
	if (f)
		fclose(f);
	return n;
}

/* Wait until the module is in use @want times; answers how often it is. */
static inline long module_refcnt_wait(long want)
{
	__u64 end = now_ns() + ms(15000) * test_slow();

	while (module_refcnt() != want && now_ns() < end)
		usleep(2000);
	return module_refcnt();
}

/*
 * How often the module is in use when a test begins. Rings of the tests before
 * end in the background, so wait for them; only who holds a ring all along (a
 * shell of yours) keeps it from 0.
 */
static inline long module_refcnt_at_start(void)
{
	__u64 end = now_ns() + ms(3000) * test_slow();

	while (module_refcnt() > 0 && now_ns() < end)
		usleep(2000);
	return module_refcnt();
}

/* Where the module under test is: as the machine says, or as it is built. */
static inline const char *module_path(void)
{
	static char path[512];
	const char *ko = getenv("ARING_KO");
	char exe[400], *slash;
	ssize_t n;

	if (ko && *ko)
		return ko;
	n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	if (n < 0)
		return NULL;
	exe[n] = 0;
	/* build/selftests/vm/life, build/KERNEL/aring.ko */
	for (int i = 0; i < 3; i++) {
		slash = strrchr(exe, '/');
		if (!slash)
			return NULL;
		*slash = 0;
	}
	snprintf(path, sizeof(path), "%s/%s/aring.ko", exe, test_kernel());
	return access(path, R_OK) ? NULL : path;
}

#endif /* MODULE_H */
