// SPDX-License-Identifier: MIT
/* A request waits without a thread; a worker comes with the work, and goes. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <aring.h>

static struct aring ring;

static void look(const char *when)
{
	char cmd[200];

	printf("%s\n", when);
	fflush(stdout);
	snprintf(cmd, sizeof(cmd),
		 "grep -E 'Workers|state=' /proc/%d/fdinfo/%d; ps -e -o comm= | grep '^aring-'",
		 getpid(), ring.ring_fd);
	if (system(cmd) < 0)
		exit(1);
}

static void submit_read(int fd, char *buf)
{
	aring_prep_read(aring_get_sqe(&ring), fd, buf, 1, 0);
	aring_submit(&ring);
}

static void reap(void)
{
	struct aring_cqe *cqe;

	if (aring_wait_cqe(&ring, &cqe))
		exit(1);
	printf("result %d\n", cqe->res);
	aring_cqe_seen(&ring, cqe);
}

int main(void)
{
	int plain[2], nonblock[2], file;
	char buf[2];

	file = open("/tmp/file", O_RDWR | O_CREAT, 0600);
	if (file < 0 || pipe(plain) || pipe2(nonblock, O_NONBLOCK) ||
	    aring_queue_init(8, &ring, 0))
		return 1;

	submit_read(nonblock[0], buf);
	look("-- read of an empty pipe with O_NONBLOCK");
	if (write(nonblock[1], "x", 1) != 1)
		return 1;
	reap();
	look("-- after a byte was written to it");

	submit_read(plain[0], buf);
	look("-- read of an empty pipe without O_NONBLOCK");
	if (write(plain[1], "x", 1) != 1)
		return 1;
	reap();
	look("-- after a byte was written to it");

	aring_prep_fsync(aring_get_sqe(&ring), file, 0);
	aring_submit(&ring);
	reap();
	look("-- after an fsync");

	sleep(7);
	look("-- seven seconds later");
	aring_queue_exit(&ring);
	return 0;
}
