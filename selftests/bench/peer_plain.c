// SPDX-License-Identifier: MIT
/* The works without a ring: by Linux AIO, and by the plain system call. */
#include <errno.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/aio_abi.h>

#include "works.h"

/* ---- Linux AIO ------------------------------------------------------------ */

static aio_context_t aio;
static struct iocb iocbs[MAX_BATCH];
static struct iocb *iocb_ptrs[MAX_BATCH];

static int aio_begin(enum work work)
{
	unsigned int i;

	(void)work;
	for (i = 0; i < MAX_BATCH; i++)
		iocb_ptrs[i] = &iocbs[i];
	aio = 0;
	return syscall(SYS_io_setup, MAX_BATCH, &aio) ? -errno : 0;
}

static void aio_end(void)
{
	syscall(SYS_io_destroy, aio);
}

static void aio_read8(unsigned int batch, unsigned int rounds)
{
	static struct io_event events[MAX_BATCH];
	unsigned int i, bad = 0;

	while (rounds--) {
		for (i = 0; i < batch; i++) {
			iocbs[i] = (struct iocb) {
				.aio_data = i,
				.aio_lio_opcode = IOCB_CMD_PREAD,
				.aio_fildes = (unsigned int)tools.zero_fd,
				.aio_buf = (uintptr_t)tools.page,
				.aio_nbytes = READ8_SIZE,
			};
		}
		if (syscall(SYS_io_submit, aio, (long)batch, iocb_ptrs) !=
		    (long)batch)
			check(batch);
		if (syscall(SYS_io_getevents, aio, (long)batch, (long)batch,
			    events, NULL) != (long)batch)
			check(batch);
		for (i = 0; i < batch; i++)
			bad += events[i].res != READ8_SIZE;
	}
	check(bad);
}

/* ---- the plain call ------------------------------------------------------- */

static int call_begin(enum work work)
{
	(void)work;
	return 0;
}

static void call_end(void)
{
}

static void call_read8(unsigned int batch, unsigned int rounds)
{
	unsigned int i, bad = 0;

	while (rounds--) {
		for (i = 0; i < batch; i++)
			bad += pread(tools.zero_fd, tools.page, READ8_SIZE,
				     0) != READ8_SIZE;
	}
	check(bad);
}

const struct peer aio_peer = {
	.name = "aio",
	.title = "Linux AIO",
	.begin = aio_begin,
	.end = aio_end,
	.run = { [READ8] = aio_read8 },
};

const struct peer call_peer = {
	.name = "call",
	.title = "pread()",
	.begin = call_begin,
	.end = call_end,
	.run = { [READ8] = call_read8 },
	.any_batch = true,
};
