/* SPDX-License-Identifier: MIT */
/* A page that is not there yet, for tests: who touches it waits, the kernel as well. */
#ifndef UFFD_H
#define UFFD_H

#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

struct absent {
	void *page;
	size_t size;
	int fd;
};

static inline bool absent_make(struct absent *a)
{
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	struct uffdio_api api = { .api = UFFD_API };

	a->size = sysconf(_SC_PAGESIZE);
	a->fd = syscall(SYS_userfaultfd, O_CLOEXEC);
	if (a->fd < 0 || ioctl(a->fd, UFFDIO_API, &api))
		return false;
	a->page = mmap(NULL, a->size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	reg.range.start = (uintptr_t)a->page;
	reg.range.len = a->size;
	return a->page != MAP_FAILED && !ioctl(a->fd, UFFDIO_REGISTER, &reg);
}

/* Until somebody touches it. */
static inline bool absent_touched(const struct absent *a)
{
	struct uffd_msg msg;

	return read(a->fd, &msg, sizeof(msg)) == sizeof(msg);
}

/* Let it be there: zeros. */
static inline bool absent_fill(const struct absent *a)
{
	struct uffdio_zeropage zero = {
		.range = { (uintptr_t)a->page, a->size },
	};

	return !ioctl(a->fd, UFFDIO_ZEROPAGE, &zero);
}

static inline void absent_end(struct absent *a)
{
	munmap(a->page, a->size);
	close(a->fd);
}

#endif /* UFFD_H */
