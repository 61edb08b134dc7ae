// SPDX-License-Identifier: MIT
/*
 * Why there is no ring, and what to do about it.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "cmd.h"

static void next_step(const char *text)
{
	fprintf(stderr, "Next: %s\n", text);
}

static bool module_is_loaded(void)
{
	return !access("/sys/module/aring", F_OK);
}

static void explain_no_module(void)
{
	complain("%s: the module aring is not loaded", ARING_DEVICE);
	next_step("as root: modprobe aring (where it was only built: insmod .../aring.ko)");
}

static void explain_no_node(void)
{
	complain("%s: the module aring is loaded, but there is no such device node",
		 ARING_DEVICE);
	next_step("in a container, pass the device in (--device /dev/aring)");
	next_step("or as root: mknod /dev/aring c 10 $(sed -n 's/ aring//p' /proc/misc)");
}

static void explain_no_permission(void)
{
	struct stat st;

	if (stat(ARING_DEVICE, &st)) {
		complain("%s: no permission", ARING_DEVICE);
	} else {
		complain("%s: no permission for user %u: its owner is %u, group %u, mode %04o",
			 ARING_DEVICE, geteuid(), st.st_uid, st.st_gid,
			 st.st_mode & 07777);
	}
	if (geteuid())
		next_step("as root: chgrp GROUP /dev/aring; chmod 660 /dev/aring");
	else
		next_step("a container or security policy denies it: allow it there");
}

static void explain_device(int err)
{
	struct utsname u;

	switch (err) {
	case -ENOENT:
		if (!uname(&u) && strcmp(u.machine, "x86_64")) {
			complain("%s: this machine is %s, and the module is for x86-64",
				 ARING_DEVICE, u.machine);
			next_step("use the kernel's own ring: ARING_BACKEND=io_uring");
		} else if (module_is_loaded()) {
			explain_no_node();
		} else {
			explain_no_module();
		}
		break;
	case -ENXIO:
	case -ENODEV:
		if (module_is_loaded()) {
			complain("%s: a device node, but not that of aring",
				 ARING_DEVICE);
			next_step("remove it and load the module again");
		} else {
			explain_no_module();
		}
		break;
	case -EACCES:
	case -EPERM:
		explain_no_permission();
		break;
	case -ENOTTY:
		complain("%s: does not answer as aring does", ARING_DEVICE);
		next_step("look what it is (ls -l /dev/aring); programs must be 64-bit");
		break;
	default:
		complain("%s: %s", ARING_DEVICE, strerror(-err));
		next_step("look into the kernel log: dmesg | tail");
	}
}

static void explain_io_uring(int err)
{
	complain("io_uring: %s", strerror(-err));
	if (err == -EPERM || err == -EACCES)
		next_step("it is switched off (sysctl kernel.io_uring_disabled): use the device");
	else if (err == -ENOMEM)
		next_step("raise the limit of locked memory (ulimit -l) or lower --depth");
	else
		next_step("use the device");
}

/**
 * explain_no_ring() - say why a ring could not be made, and the next step
 * @backend: what was asked for
 * @err: what aring_queue_init_backend() or aring_get_info() answered
 */
void explain_no_ring(enum aring_backend backend, int err)
{
	const char *env = secure_getenv("ARING_BACKEND");

	if (backend == ARING_BACKEND_DEFAULT && env && *env &&
	    !parse_backend(env, &backend)) {
		next_step("unset ARING_BACKEND, or set it to one of these");
		return;
	}
	if (backend == ARING_BACKEND_IO_URING)
		explain_io_uring(err);
	else
		explain_device(err);
}
