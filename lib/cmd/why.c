// SPDX-License-Identifier: MIT
/*
 * Why there is no ring, and what to do about it.
 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "cmd.h"

__attribute__((__format__(__printf__, 2, 3)))
static void reason(struct why *w, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(w->reason, sizeof(w->reason), fmt, ap);
	va_end(ap);
}

static void next_step(struct why *w, const char *text)
{
	w->next[!!w->next[0]] = text;
}

static bool module_is_loaded(void)
{
	return !access("/sys/module/aring", F_OK);
}

static void why_no_module(struct why *w)
{
	reason(w, "%s: the module aring is not loaded", ARING_DEVICE);
	next_step(w, "as root: modprobe aring (where it was only built: insmod .../aring.ko)");
}

static void why_no_node(struct why *w)
{
	reason(w, "%s: the module aring is loaded, but there is no such device node",
	       ARING_DEVICE);
	next_step(w, "in a container, pass the device in (--device /dev/aring)");
	next_step(w, "or as root: mknod /dev/aring c 10 $(sed -n 's/ aring//p' /proc/misc)");
}

static void why_no_permission(struct why *w)
{
	struct stat st;

	if (stat(ARING_DEVICE, &st)) {
		reason(w, "%s: no permission", ARING_DEVICE);
	} else {
		reason(w, "%s: no permission for user %u: its owner is %u, group %u, mode %04o",
		       ARING_DEVICE, geteuid(), st.st_uid, st.st_gid,
		       st.st_mode & 07777);
	}
	if (geteuid())
		next_step(w, "as root: chgrp GROUP /dev/aring; chmod 660 /dev/aring");
	else
		next_step(w, "a container or security policy denies it: allow it there");
}

static void why_not_device(struct why *w, int err)
{
	struct utsname u;

	switch (err) {
	case -ENOENT:
		if (!uname(&u) && strcmp(u.machine, "x86_64")) {
			reason(w, "%s: this machine is %s, and the module is for x86-64",
			       ARING_DEVICE, u.machine);
			next_step(w, "use the kernel's own ring: ARING_BACKEND=io_uring");
		} else if (module_is_loaded()) {
			why_no_node(w);
		} else {
			why_no_module(w);
		}
		break;
	case -ENXIO:
	case -ENODEV:
		if (module_is_loaded()) {
			reason(w, "%s: a device node, but not that of aring",
			       ARING_DEVICE);
			next_step(w, "remove it and load the module again");
		} else {
			why_no_module(w);
		}
		break;
	case -EACCES:
	case -EPERM:
		why_no_permission(w);
		break;
	case -ENOTTY:
		reason(w, "%s: does not answer as aring does", ARING_DEVICE);
		next_step(w, "look what it is (ls -l /dev/aring); programs must be 64-bit");
		break;
	case -EMFILE:
	case -ENFILE:
		reason(w, "%s: %s", ARING_DEVICE, strerror(-err));
		next_step(w, "raise the limit of open files (ulimit -n), or close some");
		break;
	case -ENOMEM:
		reason(w, "%s: %s", ARING_DEVICE, strerror(-err));
		next_step(w, "end other programs, or ask for smaller rings");
		break;
	default:
		reason(w, "%s: %s", ARING_DEVICE, strerror(-err));
		next_step(w, "look into the kernel log: dmesg | tail");
	}
}

static void why_not_io_uring(struct why *w, int err)
{
	reason(w, "io_uring: %s", strerror(-err));
	if (err == -EPERM || err == -EACCES)
		next_step(w, "it is switched off (kernel.io_uring_disabled): use the device");
	else if (err == -ENOMEM)
		next_step(w, "raise the limit of locked memory (ulimit -l) or lower --depth");
	else
		next_step(w, "use the device");
}

/**
 * why_no_ring() - find out why a ring could not be made, and the next step
 * @backend: device or io_uring
 * @err: what aring_queue_init_backend() or aring_get_info() answered
 * @w: out
 */
void why_no_ring(enum aring_backend backend, int err, struct why *w)
{
	memset(w, 0, sizeof(*w));
	if (backend == ARING_BACKEND_IO_URING)
		why_not_io_uring(w, err);
	else
		why_not_device(w, err);
}

/**
 * explain_no_ring() - say why a ring could not be made, and the next step
 * @backend: what was asked for
 * @err: what aring_queue_init_backend() or aring_get_info() answered
 */
void explain_no_ring(enum aring_backend backend, int err)
{
	const char *env = secure_getenv("ARING_BACKEND");
	struct why w;
	size_t i;

	if (backend == ARING_BACKEND_DEFAULT && env && *env &&
	    !parse_backend(env, &backend)) {
		fprintf(stderr, "Next: unset ARING_BACKEND, or set it to one of these\n");
		return;
	}
	why_no_ring(backend, err, &w);
	complain("%s", w.reason);
	for (i = 0; i < ARRAY_SIZE(w.next) && w.next[i]; i++)
		fprintf(stderr, "Next: %s\n", w.next[i]);
}
