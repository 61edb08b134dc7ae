/* SPDX-License-Identifier: MIT */
/* What the kernel logged since a moment in time. */
#ifndef KMSG_H
#define KMSG_H

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static inline int kmsg_mark(void)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd >= 0)
		lseek(fd, 0, SEEK_END);
	return fd;
}

/*
 * Print and count the records since kmsg_mark(). Left aside: what other parts
 * of the kernel say about files, devices and processes of a test.
 */
static inline int kmsg_count(int fd)
{
	static const char *const others[] = {
		"EXT4-fs", "loop", "random:", "perf:", "hrtimer:", "clocksource:",
		"sched:", "audit:", "process '", "mmap:", "warning: `",
		/* a test that has a process overwrite itself */
		"hostile[", "traps: hostile", "Code: ", "potentially unexpected",
	};
	char buf[8192], *text;
	int n = 0;
	ssize_t len;

	for (;;) {
		bool ours = true;

		len = read(fd, buf, sizeof(buf) - 1);
		if (len < 0 && errno == EPIPE)
			continue;
		if (len <= 0)
			return n;
		buf[len] = 0;
		text = strchr(buf, ';');
		text = text ? text + 1 : buf;
		text[strcspn(text, "\n")] = 0;
		for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
			if (!strncmp(text, others[i], strlen(others[i])))
				ours = false;
		if (!ours)
			continue;
		printf("# kernel log: %s\n", text);
		n++;
	}
}

#endif /* KMSG_H */
