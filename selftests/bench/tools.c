// SPDX-License-Identifier: MIT
/* What the works work on. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <linux/magic.h>

#include "works.h"

struct tools tools;

/**
 * die() - give up
 * @what: what went wrong
 * @err: errno value
 */
noreturn void die(const char *what, int err)
{
	fprintf(stderr, "cost: %s: %s\n", what, strerror(err));
	exit(1);
}

/**
 * check() - a cost counts only if the work was done
 * @bad: how many operations did not end as they should; the program ends if it
 *	is not 0
 */
void check(unsigned int bad)
{
	if (bad) {
		fprintf(stderr, "cost: %u operations had a wrong result\n",
			bad);
		exit(1);
	}
}

/* A file of one page in memory; a memfd would be spared the security checks. */
static int open_tmpfs_file(void)
{
	static const char * const dirs[] = { "/dev/shm", "/tmp" };
	struct statfs fs;
	unsigned int i;
	int fd;

	for (i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
		if (statfs(dirs[i], &fs) || fs.f_type != TMPFS_MAGIC)
			continue;
		fd = open(dirs[i], O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
		if (fd >= 0)
			return fd;
	}
	die("a file on tmpfs, in /dev/shm or /tmp", errno ? errno : ENOENT);
}

/**
 * open_tools() - open all that the works need
 */
void open_tools(void)
{
	unsigned int i;

	tools.zero_fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	if (tools.zero_fd < 0)
		die("/dev/zero", errno);
	tools.file_fd = open_tmpfs_file();
	if (pwrite(tools.file_fd, tools.page, PAGE, 0) != PAGE)
		die("writing to tmpfs", errno);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, tools.socks))
		die("socketpair", errno);
	for (i = 0; i < MAX_BATCH; i++) {
		tools.events[i] = eventfd(0, EFD_CLOEXEC);
		if (tools.events[i] < 0)
			die("eventfd", errno);
	}
}
