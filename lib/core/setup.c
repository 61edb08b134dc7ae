// SPDX-License-Identifier: MIT
/*
 * A ring's beginning and end: choose the backend, make the ring, map it.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "internal.h"

static size_t sqes_bytes(const struct aring_sq *sq)
{
	return (size_t)sq->ring_entries * sq->sqe_size;
}

static void ring_unmap(struct aring *ring)
{
	struct aring_sq *sq = &ring->sq;
	struct aring_cq *cq = &ring->cq;

	if (sq->sqes)
		munmap(sq->sqes, sqes_bytes(sq));
	if (cq->ring_ptr && cq->ring_ptr != sq->ring_ptr)
		munmap(cq->ring_ptr, cq->ring_sz);
	if (sq->ring_ptr)
		munmap(sq->ring_ptr, sq->ring_sz);
}

static void *map_one(int fd, size_t size, uint64_t offset)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_POPULATE, fd, (off_t)offset);

	return p == MAP_FAILED ? NULL : p;
}

static void ring_set_pointers(struct aring *ring, const struct aring_params *p)
{
	struct aring_sq *sq = &ring->sq;
	struct aring_cq *cq = &ring->cq;
	char *base = sq->ring_ptr;
	unsigned int i;

	sq->khead = (unsigned int *)(base + p->sq_off.head);
	sq->ktail = (unsigned int *)(base + p->sq_off.tail);
	sq->kflags = (unsigned int *)(base + p->sq_off.flags);
	sq->kdropped = (unsigned int *)(base + p->sq_off.dropped);
	sq->array = (unsigned int *)(base + p->sq_off.array);
	sq->ring_mask = *(unsigned int *)(base + p->sq_off.ring_mask);
	sq->sqe_mask = sq->ring_mask * sq->sqe_size;
	sq->sqe_tail = *sq->ktail;
	sq->sqe_limit = *sq->khead + sq->ring_entries;

	base = cq->ring_ptr;
	cq->khead = (unsigned int *)(base + p->cq_off.head);
	cq->ktail = (unsigned int *)(base + p->cq_off.tail);
	cq->koverflow = (unsigned int *)(base + p->cq_off.overflow);
	cq->cqes = (struct aring_cqe *)(base + p->cq_off.cqes);
	cq->ring_mask = *(unsigned int *)(base + p->cq_off.ring_mask);
	cq->cqe_mask = cq->ring_mask * cq->cqe_size;
	cq->ring_entries = p->cq_entries;
	if (p->cq_off.flags)
		cq->kflags = (unsigned int *)(base + p->cq_off.flags);

	/* SQEs are used in order: entry i of the array always names SQE i. */
	for (i = 0; i < sq->ring_entries; i++)
		sq->array[i] = i;
}

static int ring_map(struct aring *ring, const struct aring_params *p)
{
	struct aring_sq *sq = &ring->sq;
	struct aring_cq *cq = &ring->cq;
	int fd = ring->ring_fd;

	sq->ring_entries = p->sq_entries;
	sq->sqe_size = sizeof(struct aring_sqe);
	if (p->flags & ARING_SETUP_SQE128)
		sq->sqe_size *= 2;
	cq->cqe_size = sizeof(struct aring_cqe);
	if (p->flags & ARING_SETUP_CQE32)
		cq->cqe_size *= 2;
	sq->ring_sz = p->sq_off.array + p->sq_entries * sizeof(unsigned int);
	cq->ring_sz = p->cq_off.cqes + (size_t)p->cq_entries * cq->cqe_size;

	if (p->features & ARING_FEAT_SINGLE_MMAP) {
		if (cq->ring_sz > sq->ring_sz)
			sq->ring_sz = cq->ring_sz;
		cq->ring_sz = sq->ring_sz;
	}

	sq->ring_ptr = map_one(fd, sq->ring_sz, ARING_OFF_SQ_RING);
	if (!sq->ring_ptr)
		return -errno;

	if (p->features & ARING_FEAT_SINGLE_MMAP)
		cq->ring_ptr = sq->ring_ptr;
	else
		cq->ring_ptr = map_one(fd, cq->ring_sz, ARING_OFF_CQ_RING);
	if (!cq->ring_ptr)
		return -errno;

	sq->sqes = map_one(fd, sqes_bytes(sq), ARING_OFF_SQES);
	if (!sq->sqes)
		return -errno;

	ring_set_pointers(ring, p);
	return 0;
}

/* Take over @fd, which was set up with @p. On failure it is left open. */
static int ring_start(struct aring *ring, int fd, enum aring_backend backend,
		      const struct aring_params *p)
{
	int saved = errno;
	int ret;

	memset(ring, 0, sizeof(*ring));
	ring->ring_fd = fd;
	ring->backend = backend;
	ring->ops = backend == ARING_BACKEND_IO_URING ? &aring_io_uring_ops :
							&aring_device_ops;
	ring->flags = p->flags;
	ring->features = p->features;

	ret = ring_map(ring, p);
	if (ret < 0)
		ring_unmap(ring);
	errno = saved;
	return ret;
}

/* The backend that ARING_BACKEND_DEFAULT stands for, or -EINVAL. */
static int default_backend(void)
{
	const char *s = secure_getenv("ARING_BACKEND");

	if (!s || !*s || !strcmp(s, "device"))
		return ARING_BACKEND_DEVICE;
	if (!strcmp(s, "io_uring"))
		return ARING_BACKEND_IO_URING;
	return -EINVAL;
}

/**
 * aring_queue_init_backend() - make a ring on a given backend
 * @backend: what is to be behind it
 * @entries: size of the submission queue, rounded up to a power of two
 * @ring: filled in
 * @p: wishes in (&aring_params.flags, &aring_params.cq_entries,
 *	&aring_params.first_index; the rest 0), what came of them out
 *
 * Return: 0 or -errno. From the device: -ENOENT when the module is not loaded,
 * -EACCES when ARING_DEVICE may not be opened, -EINVAL for a bad size or flag,
 * -ENOMEM. -EINVAL too for a value of the environment variable ARING_BACKEND
 * that is not known.
 */
int aring_queue_init_backend(enum aring_backend backend, unsigned int entries,
			     struct aring *ring, struct aring_params *p)
{
	int choice = (int)backend;
	int fd, ret;

	if (choice == ARING_BACKEND_DEFAULT)
		choice = default_backend();
	if (choice < 0)
		return choice;

	switch (choice) {
	case ARING_BACKEND_DEVICE:
		fd = aring_device_ops.setup(entries, p);
		break;
	case ARING_BACKEND_IO_URING:
		fd = aring_io_uring_ops.setup(entries, p);
		break;
	default:
		return -EINVAL;
	}
	if (fd < 0)
		return fd;

	ret = ring_start(ring, fd, (enum aring_backend)choice, p);
	if (ret < 0)
		close(fd);
	return ret;
}

/**
 * aring_queue_init_params() - make a ring on the default backend
 * @entries: size of the submission queue
 * @ring: filled in
 * @p: as for aring_queue_init_backend()
 *
 * Return: as for aring_queue_init_backend().
 */
int aring_queue_init_params(unsigned int entries, struct aring *ring,
			    struct aring_params *p)
{
	return aring_queue_init_backend(ARING_BACKEND_DEFAULT, entries, ring,
					p);
}

/**
 * aring_queue_init() - make a ring on the default backend, the short way
 * @entries: size of the submission queue
 * @ring: filled in
 * @flags: ARING_SETUP_*
 *
 * Return: as for aring_queue_init_backend().
 */
int aring_queue_init(unsigned int entries, struct aring *ring,
		     unsigned int flags)
{
	struct aring_params p;

	memset(&p, 0, sizeof(p));
	p.flags = flags;
	return aring_queue_init_params(entries, ring, &p);
}

/**
 * aring_queue_init_fd() - make a ring of an open file of ARING_DEVICE
 * @fd: the file, opened for reading and writing, not yet set up; for programs
 *	that are handed the descriptor because they may not open the node
 * @entries: size of the submission queue
 * @ring: filled in
 * @p: as for aring_queue_init_backend()
 *
 * Return: 0, and @fd now belongs to the ring; or -errno, and @fd is still the
 * caller's.
 */
int aring_queue_init_fd(int fd, unsigned int entries, struct aring *ring,
			struct aring_params *p)
{
	int ret = aring_device_setup_fd(fd, entries, p);

	if (ret < 0)
		return ret;
	return ring_start(ring, fd, ARING_BACKEND_DEVICE, p);
}

/**
 * aring_queue_exit() - end a ring
 * @ring: the ring
 *
 * Does not wait: what had not started is cancelled, and what had started may
 * still use its buffers. Reap everything first, or keep the buffers.
 */
void aring_queue_exit(struct aring *ring)
{
	ring_unmap(ring);
	close(ring->ring_fd);
	memset(ring, 0, sizeof(*ring));
	ring->ring_fd = -1;
}

/**
 * aring_ring_dontfork() - keep the ring's memory from children
 * @ring: the ring
 *
 * After fork(2) the child has no mapping of the ring, and so cannot disturb it.
 *
 * Return: 0 or -errno.
 */
int aring_ring_dontfork(struct aring *ring)
{
	struct aring_sq *sq = &ring->sq;
	struct aring_cq *cq = &ring->cq;

	if (madvise(sq->sqes, sqes_bytes(sq), MADV_DONTFORK))
		return -errno;
	if (madvise(sq->ring_ptr, sq->ring_sz, MADV_DONTFORK))
		return -errno;
	if (cq->ring_ptr != sq->ring_ptr &&
	    madvise(cq->ring_ptr, cq->ring_sz, MADV_DONTFORK))
		return -errno;
	return 0;
}
