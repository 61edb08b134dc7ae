// SPDX-License-Identifier: MIT
/* A timer of 2 ms against a cancel that comes earlier, then, or later. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <aring.h>

#define RACES 200

static struct aring ring;
static int disk;
static char *buf;

static long now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000L + ts.tv_nsec / 1000;
}

/* One race. The results of the target and of the cancel come back in res. */
static void race(int timeout, long delay, int res[2])
{
	struct __kernel_timespec ts = { .tv_nsec = 2000000 };
	struct aring_sqe *sqe = aring_get_sqe(&ring);
	struct aring_cqe *cqe;
	long end;
	int i;

	if (timeout)
		aring_prep_timeout(sqe, &ts, 0, 0);
	else
		aring_prep_read(sqe, disk, buf, 4096, 0);
	aring_sqe_set_data64(sqe, 0);
	if (delay >= 0)
		aring_submit(&ring);
	for (end = now_us() + delay; now_us() < end; )
		;
	sqe = aring_get_sqe(&ring);
	aring_prep_cancel64(sqe, 0, 0);
	aring_sqe_set_data64(sqe, 1);
	aring_submit(&ring);
	for (i = 0; i < 2; i++) {
		if (aring_wait_cqe(&ring, &cqe))
			exit(1);
		res[cqe->user_data] = cqe->res;
		aring_cqe_seen(&ring, cqe);
	}
}

static void races(const char *name, int timeout, long delay)
{
	int taken = 0, started = 0, gone = 0, wrong = 0, res[2], i;

	for (i = 0; i < RACES; i++) {
		race(timeout, delay, res);
		if (res[1] == 0 && res[0] == -ECANCELED)
			taken++;
		else if (res[1] == -EALREADY && res[0] != -ECANCELED)
			started++;
		else if (res[1] == -ENOENT && res[0] != -ECANCELED)
			gone++;
		else
			wrong++;
	}
	printf("%-24s %6ld %10d %12d %10d %8d\n", name, delay, taken, started,
	       gone, wrong);
}

int main(void)
{
	static const long delays[] = { 0, 1000, 1800, 1900, 2000, 2100, 2200, 4000 };
	unsigned int i;

	disk = open("/dev/nullb0", O_RDONLY | O_DIRECT);
	buf = aligned_alloc(4096, 4096);
	if (disk < 0 || !buf || aring_queue_init(8, &ring, 0))
		return 1;
	printf("%-24s %6s %10s %12s %10s %8s\n", "target", "us", "0",
	       "-EALREADY", "-ENOENT", "other");
	for (i = 0; i < sizeof(delays) / sizeof(*delays); i++)
		races("timeout of 2000 us", 1, delays[i]);
	races("disk read, same batch", 0, -1);
	races("disk read", 0, 1000);
	aring_queue_exit(&ring);
	return 0;
}
