/* SPDX-License-Identifier: MIT */
/*
 * libaring: the program's side of an aring.
 *
 * The names and the meaning are liburing's with "aring" in the place of
 * "io_uring", so what you know of one holds for the other. A program has three
 * steps, and only the second enters the kernel:
 *
 *	sqe = aring_get_sqe(&ring);	fill in as many as you like
 *	aring_prep_read(sqe, fd, buf, sizeof(buf), 0);
 *
 *	aring_submit_and_wait(&ring, 1);
 *
 *	aring_for_each_cqe(&ring, head, cqe)	look at what is finished
 *		use(cqe->user_data, cqe->res);
 *	aring_cq_advance(&ring, n);
 *
 * A ring works on /dev/aring or, with the same program, on the kernel's own
 * io_uring: see enum aring_backend.
 *
 * Errors are returned as negative errno values; errno itself is left alone.
 *
 * Threads: one ring may be used by several threads as long as at most one at a
 * time fills and submits (aring_get_sqe(), aring_submit*()), and at most one at
 * a time reaps (aring_peek*(), aring_cqe_seen(), aring_cq_advance()); those two
 * may be different threads. A call that does both, such as
 * aring_submit_and_wait_timeout(), counts as both. aring_wait_cqe() and its
 * kin only reap. Anything beyond that needs a lock of the program's own.
 */
#ifndef _ARING_H
#define _ARING_H

#if defined(__STRICT_ANSI__) && !defined(_POSIX_C_SOURCE) && \
	!defined(_DEFAULT_SOURCE) && !defined(_GNU_SOURCE)
#define _POSIX_C_SOURCE 200809L		/* for sigset_t with -std=c11 */
#endif

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <linux/aring.h>

#ifdef __cplusplus
extern "C" {
#endif

/** ARING_DEVICE - the device node that makes rings */
#define ARING_DEVICE	"/dev/aring"

/*
 * The two sides of the shared memory. The kernel does the same with
 * smp_store_release() and smp_load_acquire(); each use says which of them it
 * is paired with.
 */
#define aring_load_acquire(p)		__atomic_load_n((p), __ATOMIC_ACQUIRE)
#define aring_store_release(p, v)	__atomic_store_n((p), (v), __ATOMIC_RELEASE)
#define aring_load_relaxed(p)		__atomic_load_n((p), __ATOMIC_RELAXED)
#define aring_likely(x)			__builtin_expect(!!(x), 1)
#define aring_unlikely(x)		__builtin_expect(!!(x), 0)

/**
 * enum aring_backend - what is behind a ring
 * @ARING_BACKEND_DEFAULT: what the environment variable ARING_BACKEND says
 *	("device" or "io_uring"), and without it the device
 * @ARING_BACKEND_DEVICE: /dev/aring
 * @ARING_BACKEND_IO_URING: the kernel's own io_uring, through liburing's system
 *	call wrappers; what aring alone has (tickets) answers -EINVAL there
 */
enum aring_backend {
	ARING_BACKEND_DEFAULT,
	ARING_BACKEND_DEVICE,
	ARING_BACKEND_IO_URING,
};

struct aring_ops;

/**
 * struct aring_sq - submission queue of a ring
 * @khead: index up to which the kernel has consumed, in shared memory
 * @ktail: index up to which the program has offered, in shared memory
 * @kflags: ARING_SQ_*, in shared memory
 * @kdropped: number of array entries passed over, in shared memory
 * @array: index array, in shared memory; the library fills it in once, with
 *	entry i naming SQE i, and then leaves it alone
 * @sqes: the entries
 * @sqe_tail: index up to which the program has taken SQEs
 * @sqe_limit: index up to which it may take them without looking at @khead
 * @ring_mask: @ring_entries - 1
 * @ring_entries: number of entries
 * @sqe_size: bytes from one entry to the next: 64, or 128 with SQE128
 * @sqe_mask: @ring_mask * @sqe_size: where an index lies in @sqes is
 *	index * @sqe_size & @sqe_mask
 * @resv: 0
 * @ring_sz: size of the mapping at @ring_ptr
 * @ring_ptr: mapping of the rings
 */
struct aring_sq {
	unsigned int *khead;
	unsigned int *ktail;
	unsigned int *kflags;
	unsigned int *kdropped;
	unsigned int *array;
	struct aring_sqe *sqes;
	unsigned int sqe_tail;
	unsigned int sqe_limit;
	unsigned int ring_mask;
	unsigned int ring_entries;
	unsigned int sqe_size;
	unsigned int sqe_mask;
	unsigned int resv[2];
	size_t ring_sz;
	void *ring_ptr;
};

/**
 * struct aring_cq - completion queue of a ring
 * @khead: index up to which the program has reaped, in shared memory
 * @ktail: index up to which the kernel has posted, in shared memory
 * @kflags: ARING_CQ_*, in shared memory, or NULL if the kernel has none
 * @koverflow: always 0, no completion is ever lost
 * @cqes: the entries
 * @ring_mask: @ring_entries - 1
 * @ring_entries: number of entries
 * @cqe_size: bytes from one entry to the next: 16, or 32 with CQE32
 * @cqe_mask: @ring_mask * @cqe_size: where an index lies in @cqes is
 *	index * @cqe_size & @cqe_mask
 * @resv: 0
 * @ring_sz: size of the mapping at @ring_ptr
 * @ring_ptr: mapping of the rings, often the same as the submission queue's
 */
struct aring_cq {
	unsigned int *khead;
	unsigned int *ktail;
	unsigned int *kflags;
	unsigned int *koverflow;
	struct aring_cqe *cqes;
	unsigned int ring_mask;
	unsigned int ring_entries;
	unsigned int cqe_size;
	unsigned int cqe_mask;
	unsigned int resv[2];
	size_t ring_sz;
	void *ring_ptr;
};

/**
 * struct aring - one ring
 * @sq: submission queue
 * @cq: completion queue
 * @ops: set-up, enter and register of the backend
 * @flags: ARING_SETUP_* it was made with
 * @features: ARING_FEAT_* it has
 * @ring_fd: file descriptor; readable when there are completions
 * @backend: what is behind it, never ARING_BACKEND_DEFAULT
 * @resv: 0
 */
struct aring {
	struct aring_sq sq;
	struct aring_cq cq;
	const struct aring_ops *ops;
	unsigned int flags;
	unsigned int features;
	int ring_fd;
	enum aring_backend backend;
	__u64 resv[4];
};

/* setup.c: a ring's beginning and end */
int aring_queue_init(unsigned int entries, struct aring *ring,
		     unsigned int flags);
int aring_queue_init_params(unsigned int entries, struct aring *ring,
			    struct aring_params *p);
int aring_queue_init_backend(enum aring_backend backend, unsigned int entries,
			     struct aring *ring, struct aring_params *p);
int aring_queue_init_fd(int fd, unsigned int entries, struct aring *ring,
			struct aring_params *p);
void aring_queue_exit(struct aring *ring);
int aring_ring_dontfork(struct aring *ring);

/* queue.c: submitting and waiting */
int aring_submit(struct aring *ring);
int aring_submit_and_wait(struct aring *ring, unsigned int wait_nr);
int aring_submit_and_get_events(struct aring *ring);
int aring_submit_and_wait_timeout(struct aring *ring, struct aring_cqe **cqe,
				  unsigned int wait_nr,
				  const struct __kernel_timespec *ts,
				  const sigset_t *sigmask);
int aring_get_events(struct aring *ring);
int aring_wait_cqes(struct aring *ring, struct aring_cqe **cqe,
		    unsigned int wait_nr, const struct __kernel_timespec *ts,
		    const sigset_t *sigmask);
int aring_wait_cqe_timeout(struct aring *ring, struct aring_cqe **cqe,
			   const struct __kernel_timespec *ts);
unsigned int aring_peek_batch_cqe(struct aring *ring, struct aring_cqe **cqes,
				  unsigned int count);
int __aring_sqring_wait(struct aring *ring);
int __aring_get_cqe(struct aring *ring, struct aring_cqe **cqe,
		    unsigned int wait_nr);
int aring_enter(struct aring *ring, unsigned int to_submit,
		unsigned int min_complete, unsigned int flags,
		const void *arg, size_t argsz);

/* register.c: questions and settings */
int aring_register(struct aring *ring, unsigned int opcode, const void *arg,
		   unsigned int nr_args);
int aring_enable_rings(struct aring *ring);
int aring_register_sync_cancel(struct aring *ring,
			       struct aring_sync_cancel_reg *reg);
int aring_register_probe(struct aring *ring, struct aring_probe *p,
			 unsigned int nr);
int aring_register_buffers(struct aring *ring, const struct iovec *iovecs,
			   unsigned int nr_iovecs);
int aring_register_buffers_tags(struct aring *ring, const struct iovec *iovecs,
				const __u64 *tags, unsigned int nr);
int aring_register_buffers_sparse(struct aring *ring, unsigned int nr);
int aring_register_buffers_update_tag(struct aring *ring, unsigned int off,
				      const struct iovec *iovecs,
				      const __u64 *tags, unsigned int nr);
int aring_unregister_buffers(struct aring *ring);
int aring_register_files(struct aring *ring, const int *files,
			 unsigned int nr_files);
int aring_register_files_tags(struct aring *ring, const int *files,
			      const __u64 *tags, unsigned int nr);
int aring_register_files_sparse(struct aring *ring, unsigned int nr);
int aring_register_files_update(struct aring *ring, unsigned int off,
				const int *files, unsigned int nr_files);
int aring_register_files_update_tag(struct aring *ring, unsigned int off,
				    const int *files, const __u64 *tags,
				    unsigned int nr_files);
int aring_unregister_files(struct aring *ring);
int aring_register_file_alloc_range(struct aring *ring, unsigned int off,
				    unsigned int len);
int aring_register_eventfd(struct aring *ring, int fd);
int aring_register_eventfd_async(struct aring *ring, int fd);
int aring_unregister_eventfd(struct aring *ring);
int aring_register_restrictions(struct aring *ring,
				const struct aring_restriction *res,
				unsigned int nr_res);
int aring_register_personality(struct aring *ring);
int aring_unregister_personality(struct aring *ring, int id);
struct aring_probe *aring_get_probe_ring(struct aring *ring);
struct aring_probe *aring_get_probe(void);
void aring_free_probe(struct aring_probe *probe);
int aring_get_info(struct aring_info *info);
const char *aring_op_name(unsigned int opcode);
const char *aring_version(void);

/**
 * aring_opcode_supported() - is an operation there?
 * @p: answer of aring_get_probe() or aring_get_probe_ring()
 * @op: ARING_OP_*
 *
 * Return: 1 if it is, else 0.
 */
static inline int aring_opcode_supported(const struct aring_probe *p, int op)
{
	if (op < 0 || op >= p->ops_len)
		return 0;
	return (p->ops[op].flags & ARING_OP_SUPPORTED) != 0;
}

/*
 * Where an index lies in the arrays. Multiplied first and masked then, entries
 * of either size cost what a fixed size would; the product may overflow, since
 * only bits below the mask's highest are looked at.
 */
static inline struct aring_sqe *__aring_sqe_at(const struct aring_sq *sq,
					       unsigned int index)
{
	return (struct aring_sqe *)((char *)sq->sqes +
				    (index * sq->sqe_size & sq->sqe_mask));
}

static inline struct aring_cqe *__aring_cqe_at(const struct aring_cq *cq,
					       unsigned int index)
{
	return (struct aring_cqe *)((char *)cq->cqes +
				    (index * cq->cqe_size & cq->cqe_mask));
}

/**
 * aring_get_sqe() - take the next free submission queue entry
 * @ring: the ring
 *
 * The entry still holds what was in it last; every aring_prep_*() sets all of it
 * but user_data, for which there is aring_sqe_set_data64(). With ARING_SETUP_SQE128
 * the entry has 64 more bytes, which are left alone.
 *
 * Return: the entry, or NULL if the queue is full: aring_submit() makes room, or
 * with ARING_SETUP_SQPOLL aring_sqring_wait() after it.
 */
static inline struct aring_sqe *aring_get_sqe(struct aring *ring)
{
	struct aring_sq *sq = &ring->sq;
	unsigned int tail = sq->sqe_tail;

	if (aring_unlikely(tail == sq->sqe_limit)) {
		/*
		 * Acquire, paired with the kernel's release of the SQ head:
		 * entries are written again only after the kernel has copied
		 * what was in them.
		 */
		sq->sqe_limit = aring_load_acquire(sq->khead) +
				sq->ring_entries;
		if (tail == sq->sqe_limit)
			return NULL;
	}

	sq->sqe_tail = tail + 1;
	return __aring_sqe_at(sq, tail);
}

/**
 * aring_sqe_ticket() - the name of a submission that is never used twice
 * @ring: the ring
 * @sqe: an entry just taken from it by aring_get_sqe()
 *
 * Two requests may carry the same user_data; their tickets differ for as long
 * as fewer than 2^32 submissions lie between them. Ask before the entry is
 * taken again, best right after aring_get_sqe().
 *
 * Return: the ticket, for aring_prep_cancel_ticket().
 */
static inline unsigned int aring_sqe_ticket(const struct aring *ring,
					    const struct aring_sqe *sqe)
{
	unsigned int last = ring->sq.sqe_tail - 1;
	unsigned int index = (unsigned int)(sqe - ring->sq.sqes);

	if (ring->flags & ARING_SETUP_SQE128)
		index >>= 1;
	return last - ((last - index) & ring->sq.ring_mask);
}

/**
 * aring_sq_ready() - how many entries were taken and not yet consumed
 * @ring: the ring
 *
 * Return: the number of entries that the next submit will offer.
 */
static inline unsigned int aring_sq_ready(const struct aring *ring)
{
	/* Acquire, paired with the kernel's release of the SQ head. */
	return ring->sq.sqe_tail - aring_load_acquire(ring->sq.khead);
}

/**
 * aring_sq_space_left() - how many more entries aring_get_sqe() will give
 * @ring: the ring
 *
 * Return: the number of free entries.
 */
static inline unsigned int aring_sq_space_left(const struct aring *ring)
{
	return ring->sq.ring_entries - aring_sq_ready(ring);
}

/**
 * aring_sqring_wait() - wait until there is room in the submission queue
 * @ring: the ring
 *
 * For rings with ARING_SETUP_SQPOLL, whose entries become free when the kernel's
 * thread has taken them, not when aring_submit() returns. Wakes the thread if it
 * sleeps. Only what was submitted is waited for.
 *
 * Return: 0 or more once there is room, and at once for other rings; or -errno.
 */
static inline int aring_sqring_wait(struct aring *ring)
{
	if (!(ring->flags & ARING_SETUP_SQPOLL) || aring_sq_space_left(ring))
		return 0;
	return __aring_sqring_wait(ring);
}

/**
 * aring_cq_ready() - how many completions are there to be reaped
 * @ring: the ring
 *
 * Return: the number of completions in the ring; those that wait outside of it
 * for room are not counted, see aring_cq_has_overflow().
 */
static inline unsigned int aring_cq_ready(const struct aring *ring)
{
	/* Acquire, paired with the kernel's release of the CQ tail. */
	return aring_load_acquire(ring->cq.ktail) - *ring->cq.khead;
}

/**
 * aring_cq_has_overflow() - do completions wait for room in the ring?
 * @ring: the ring
 *
 * Return: true if they do: reap, then call aring_get_events().
 */
static inline int aring_cq_has_overflow(const struct aring *ring)
{
	/* Relaxed: only a hint to enter, the kernel looks again. */
	return (aring_load_relaxed(ring->sq.kflags) & ARING_SQ_CQ_OVERFLOW) != 0;
}

/**
 * aring_cq_eventfd_enabled() - is the registered eventfd signalled?
 * @ring: the ring
 *
 * Return: true unless aring_cq_eventfd_toggle() has switched it off.
 */
static inline int aring_cq_eventfd_enabled(const struct aring *ring)
{
	if (!ring->cq.kflags)
		return 1;
	/* Relaxed: the program alone writes this word. */
	return !(aring_load_relaxed(ring->cq.kflags) &
		 ARING_CQ_EVENTFD_DISABLED);
}

/**
 * aring_cq_eventfd_toggle() - have the registered eventfd signalled, or not
 * @ring: the ring
 * @enabled: whether
 *
 * Makes no call. A completion that is on its way may still see the old setting.
 *
 * Return: 0, or -EOPNOTSUPP if the kernel has no such switch.
 */
static inline int aring_cq_eventfd_toggle(struct aring *ring, int enabled)
{
	unsigned int flags;

	if (!!enabled == aring_cq_eventfd_enabled(ring))
		return 0;
	if (!ring->cq.kflags)
		return -EOPNOTSUPP;

	flags = aring_load_relaxed(ring->cq.kflags) ^ ARING_CQ_EVENTFD_DISABLED;
	/* Relaxed: a wish, which orders nothing. */
	__atomic_store_n(ring->cq.kflags, flags, __ATOMIC_RELAXED);
	return 0;
}

/**
 * aring_cq_advance() - give completions back to the kernel
 * @ring: the ring
 * @nr: how many, oldest first
 */
static inline void aring_cq_advance(struct aring *ring, unsigned int nr)
{
	/*
	 * Release, paired with the kernel's acquire of the CQ head: it writes
	 * the entry again only after the program has read it.
	 */
	aring_store_release(ring->cq.khead, *ring->cq.khead + nr);
}

/**
 * aring_cqe_seen() - give one completion back to the kernel
 * @ring: the ring
 * @cqe: the completion, or NULL for none
 */
static inline void aring_cqe_seen(struct aring *ring,
				  const struct aring_cqe *cqe)
{
	if (cqe)
		aring_cq_advance(ring, 1);
}

/**
 * aring_for_each_cqe() - walk over the completions that are in the ring
 * @ring: the ring
 * @head: an unsigned int for the loop's use
 * @cqe: a struct aring_cqe pointer, set to each completion in turn
 *
 * Makes no call. Goes over those that are there when the loop begins, and leaves
 * them in the ring: count them, and hand the count to aring_cq_advance(). The
 * kernel's tail is read with acquire, paired with its release of the CQ tail.
 * After the last one @cqe is NULL.
 */
#define aring_for_each_cqe(ring, head, cqe)				\
	for (unsigned int __aring_tail = ((head) = *(ring)->cq.khead,	\
				aring_load_acquire((ring)->cq.ktail));	\
	     (head) != __aring_tail ?					\
	     ((cqe) = __aring_cqe_at(&(ring)->cq, (head)), 1) :		\
	     ((cqe) = NULL, 0);						\
	     (head)++)

/**
 * aring_peek_cqe() - take a completion if there is one
 * @ring: the ring
 * @cqe: set to the completion, or to NULL
 *
 * Makes no call unless completions wait for room (ARING_SQ_CQ_OVERFLOW) or
 * requests wait for a thread to run them (ARING_SQ_TASKRUN).
 *
 * Return: 0, or -EAGAIN if there is none, or another error of the kernel's.
 */
static inline int aring_peek_cqe(struct aring *ring, struct aring_cqe **cqe)
{
	struct aring_cq *cq = &ring->cq;
	unsigned int head = *cq->khead;

	/* Acquire, paired with the kernel's release of the CQ tail. */
	if (aring_likely(head != aring_load_acquire(cq->ktail))) {
		*cqe = __aring_cqe_at(cq, head);
		return 0;
	}
	return __aring_get_cqe(ring, cqe, 0);
}

/**
 * aring_wait_cqe_nr() - wait until a number of completions are there
 * @ring: the ring
 * @cqe: set to the first of them
 * @wait_nr: how many
 *
 * Submits nothing.
 *
 * Return: 0, or an error: -EINTR if a signal came.
 */
static inline int aring_wait_cqe_nr(struct aring *ring, struct aring_cqe **cqe,
				    unsigned int wait_nr)
{
	return __aring_get_cqe(ring, cqe, wait_nr);
}

/**
 * aring_wait_cqe() - wait until a completion is there
 * @ring: the ring
 * @cqe: set to the completion
 *
 * Makes no call if there is one already. Submits nothing.
 *
 * Return: 0, or an error: -EINTR if a signal came.
 */
static inline int aring_wait_cqe(struct aring *ring, struct aring_cqe **cqe)
{
	struct aring_cq *cq = &ring->cq;
	unsigned int head = *cq->khead;

	/* Acquire, paired with the kernel's release of the CQ tail. */
	if (head != aring_load_acquire(cq->ktail)) {
		*cqe = __aring_cqe_at(cq, head);
		return 0;
	}
	return __aring_get_cqe(ring, cqe, 1);
}

#ifdef __cplusplus
}
#endif

#include <aring/prep.h>
#include <aring/command.h>

#endif /* _ARING_H */
