/* SPDX-License-Identifier: MIT */
/* File systems and block devices for the tests; all as root in a test VM. */
#ifndef DISK_H
#define DISK_H

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <linux/fs.h>
#include <linux/loop.h>

#define NULLB	"/dev/nullb0"

static inline bool disk_mounted(const char *dir)
{
	char line[1024], point[512];
	bool found = false;
	FILE *f = fopen("/proc/self/mounts", "r");

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "%*s %511s", point) == 1 &&
		    !strcmp(point, dir))
			found = true;
	if (f)
		fclose(f);
	return found;
}

/*
 * An ext4 of @mib MiB in a file behind a loop device, mounted at
 * /tmp/aring-NAME; made when first asked for, and left to the next program.
 * Answers the directory, or NULL after saying what failed.
 */
static inline const char *disk_ext4(const char *name, unsigned int mib)
{
	static char dir[128];
	char image[128], loop[64], cmd[256];
	int ctl, n, lo = -1, img = -1;
	bool ok = false;

	snprintf(dir, sizeof(dir), "/tmp/aring-%s", name);
	if (disk_mounted(dir))
		return dir;
	snprintf(image, sizeof(image), "/tmp/aring-%s.img", name);
	if (system("modprobe -q loop; modprobe -q ext4; true"))
		return NULL;
	img = open(image, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (img < 0 || ftruncate(img, (off_t)mib << 20)) {
		perror(image);
		goto out;
	}
	snprintf(cmd, sizeof(cmd),
		 "PATH=$PATH:/sbin:/usr/sbin mkfs.ext4 -q -F %s >&2", image);
	if (system(cmd)) {
		fprintf(stderr, "# mkfs.ext4 failed\n");
		goto out;
	}
	ctl = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
	n = ctl < 0 ? -1 : ioctl(ctl, LOOP_CTL_GET_FREE);
	if (ctl >= 0)
		close(ctl);
	if (n < 0) {
		perror("/dev/loop-control");
		goto out;
	}
	snprintf(loop, sizeof(loop), "/dev/loop%d", n);
	for (int i = 0; i < 200 && lo < 0; i++) {
		lo = open(loop, O_RDWR | O_CLOEXEC);
		if (lo < 0)
			usleep(10000);
	}
	if (lo < 0 || ioctl(lo, LOOP_SET_FD, img)) {
		perror(loop);
		goto out;
	}
	mkdir(dir, 0755);
	if (mount(loop, dir, "ext4", 0, NULL)) {
		perror("mount");
		goto out;
	}
	ok = true;
out:
	if (lo >= 0)
		close(lo);
	if (img >= 0)
		close(img);
	return ok ? dir : NULL;
}

/*
 * A loop device of @size bytes in blocks of @block, opened for reading and writing
 * with @flags; it goes when it is closed. Answers the descriptor, or -1 after saying
 * what failed.
 */
static inline int disk_loop(off_t size, unsigned int block, int flags)
{
	struct loop_config c = {
		.block_size = block,
		.info = { .lo_flags = LO_FLAGS_AUTOCLEAR },
	};
	int img = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	int ctl, n, lo = -1;
	char loop[64];

	if (system("modprobe -q loop; true") || img < 0 || ftruncate(img, size)) {
		perror("/tmp");
		goto out;
	}
	ctl = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
	n = ctl < 0 ? -1 : ioctl(ctl, LOOP_CTL_GET_FREE);
	if (ctl >= 0)
		close(ctl);
	snprintf(loop, sizeof(loop), "/dev/loop%d", n);
	for (int i = 0; n >= 0 && i < 200 && lo < 0; i++) {
		lo = open(loop, O_RDWR | O_CLOEXEC | flags);
		if (lo < 0)
			usleep(10000);
	}
	c.fd = img;
	if (lo >= 0 && ioctl(lo, LOOP_CONFIGURE, &c)) {
		close(lo);
		lo = -1;
	}
	if (lo < 0)
		perror(n < 0 ? "/dev/loop-control" : loop);
out:
	if (img >= 0)
		close(img);
	return lo;
}

/* Writes to a frozen file system wait, in their thread, until it is thawed. */
static inline int disk_freeze(int dir_fd)
{
	return ioctl(dir_fd, FIFREEZE, 0) ? -errno : 0;
}

static inline int disk_thaw(int dir_fd)
{
	return ioctl(dir_fd, FITHAW, 0) ? -errno : 0;
}

#endif /* DISK_H */
