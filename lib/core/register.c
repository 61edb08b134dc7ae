// SPDX-License-Identifier: MIT
/*
 * Questions and settings.
 */
#include <stdlib.h>
#include <sys/resource.h>

#include "internal.h"

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

/* REGISTER_PROBE answers for at most this many operations. */
#define PROBE_OPS	256

/**
 * aring_register() - the call itself
 * @ring: the ring
 * @opcode: ARING_REGISTER_*
 * @arg: depends on @opcode
 * @nr_args: number of elements at @arg
 *
 * Return: what the kernel did: 0 or more, or -errno.
 */
int aring_register(struct aring *ring, unsigned int opcode, const void *arg,
		   unsigned int nr_args)
{
	return ring->ops->reg(ring->ring_fd, opcode, arg, nr_args);
}

/**
 * aring_enable_rings() - let a ring start that was made ARING_SETUP_R_DISABLED
 * @ring: the ring
 *
 * Return: 0; -EBADFD if it was not disabled.
 */
int aring_enable_rings(struct aring *ring)
{
	return aring_register(ring, ARING_REGISTER_ENABLE_RINGS, NULL, 0);
}

/**
 * aring_register_sync_cancel() - take requests back and wait until they are over
 * @ring: the ring
 * @reg: which, and how long to wait for what had started
 *
 * Return: 0 or the number of requests, -ENOENT if none matched, -ETIME if the
 * time ran out, -EINTR, or another error.
 */
int aring_register_sync_cancel(struct aring *ring,
			       struct aring_sync_cancel_reg *reg)
{
	return aring_register(ring, ARING_REGISTER_SYNC_CANCEL, reg, 1);
}

/**
 * aring_register_buffers() - have buffers ready for READ_FIXED and WRITE_FIXED
 * @ring: the ring
 * @iovecs: the buffers, which are numbered from 0
 * @nr_iovecs: how many
 *
 * Their pages are pinned, and count against RLIMIT_MEMLOCK.
 *
 * Return: 0; -EBUSY if there are some already; -ENOMEM, also over the limit;
 * -EFAULT for memory that is not there; or another error.
 */
int aring_register_buffers(struct aring *ring, const struct iovec *iovecs,
			   unsigned int nr_iovecs)
{
	return aring_register(ring, ARING_REGISTER_BUFFERS, iovecs, nr_iovecs);
}

/* The two calls whose argument is a structure and whose count is its size. */
static int register2(struct aring *ring, unsigned int opcode, const void *data,
		     const __u64 *tags, unsigned int nr, unsigned int flags)
{
	struct aring_rsrc_register reg = {
		.nr = nr,
		.flags = flags,
		.data = (uintptr_t)data,
		.tags = (uintptr_t)tags,
	};

	return aring_register(ring, opcode, &reg, sizeof(reg));
}

static int update2(struct aring *ring, unsigned int opcode, unsigned int off,
		   const void *data, const __u64 *tags, unsigned int nr)
{
	struct aring_rsrc_update2 up = {
		.offset = off,
		.data = (uintptr_t)data,
		.tags = (uintptr_t)tags,
		.nr = nr,
	};

	return aring_register(ring, opcode, &up, sizeof(up));
}

/**
 * aring_register_buffers_tags() - the same, and hear when one is let go
 * @ring: the ring
 * @iovecs: the buffers; one with base NULL and length 0 is an empty slot
 * @tags: for each the user_data of a completion that comes when it was replaced
 *	and the kernel no longer uses it; 0 for none
 * @nr: how many
 *
 * Return: as for aring_register_buffers().
 */
int aring_register_buffers_tags(struct aring *ring, const struct iovec *iovecs,
				const __u64 *tags, unsigned int nr)
{
	return register2(ring, ARING_REGISTER_BUFFERS2, iovecs, tags, nr, 0);
}

/**
 * aring_register_buffers_sparse() - make slots for buffers, all empty
 * @ring: the ring
 * @nr: how many
 *
 * Return: as for aring_register_buffers().
 */
int aring_register_buffers_sparse(struct aring *ring, unsigned int nr)
{
	return register2(ring, ARING_REGISTER_BUFFERS2, NULL, NULL, nr,
			 ARING_RSRC_REGISTER_SPARSE);
}

/**
 * aring_register_buffers_update_tag() - put other buffers into slots
 * @ring: the ring
 * @off: first slot
 * @iovecs: the new buffers; base NULL and length 0 empties a slot
 * @tags: their tags, or NULL
 * @nr: how many
 *
 * Requests that use the old ones finish with those.
 *
 * Return: how many were changed, or -errno if none was.
 */
int aring_register_buffers_update_tag(struct aring *ring, unsigned int off,
				      const struct iovec *iovecs,
				      const __u64 *tags, unsigned int nr)
{
	return update2(ring, ARING_REGISTER_BUFFERS_UPDATE, off, iovecs, tags,
		       nr);
}

/**
 * aring_unregister_buffers() - let all registered buffers go
 * @ring: the ring
 *
 * Return: 0; -ENXIO if there are none.
 */
int aring_unregister_buffers(struct aring *ring)
{
	return aring_register(ring, ARING_UNREGISTER_BUFFERS, NULL, 0);
}

/*
 * The kernel allows no more registered files than open ones, and the soft limit
 * of those is usually far below the hard one. As liburing, try once more with
 * a higher one. True if it was raised.
 */
static int raise_nofile(int ret, unsigned int nr)
{
	struct rlimit rlim;
	int saved = errno;
	int raised = 0;

	if (ret != -EMFILE)
		return 0;
	if (!getrlimit(RLIMIT_NOFILE, &rlim) && rlim.rlim_cur < nr) {
		rlim.rlim_cur += nr;
		raised = !setrlimit(RLIMIT_NOFILE, &rlim);
	}
	errno = saved;
	return raised;
}

/**
 * aring_register_files() - have files ready for ARING_SQE_FIXED_FILE
 * @ring: the ring
 * @files: the descriptors, which are numbered from 0; -1 for an empty slot
 * @nr_files: how many
 *
 * The files stay open in the ring when their descriptors are closed. Raises the
 * soft RLIMIT_NOFILE if it does not allow so many, as liburing does.
 *
 * Return: 0; -EBUSY if there are some already; -EBADF for a descriptor that is
 * not open; -EMFILE for too many; or another error.
 */
int aring_register_files(struct aring *ring, const int *files,
			 unsigned int nr_files)
{
	int ret = aring_register(ring, ARING_REGISTER_FILES, files, nr_files);

	if (raise_nofile(ret, nr_files))
		ret = aring_register(ring, ARING_REGISTER_FILES, files,
				     nr_files);
	return ret;
}

/**
 * aring_register_files_tags() - the same, and hear when one is let go
 * @ring: the ring
 * @files: the descriptors; -1 for an empty slot
 * @tags: for each the user_data of a completion that comes when it was replaced
 *	and the ring no longer uses it; 0 for none, as it must be for an empty slot
 * @nr: how many
 *
 * Return: as for aring_register_files().
 */
int aring_register_files_tags(struct aring *ring, const int *files,
			      const __u64 *tags, unsigned int nr)
{
	int ret = register2(ring, ARING_REGISTER_FILES2, files, tags, nr, 0);

	if (raise_nofile(ret, nr))
		ret = register2(ring, ARING_REGISTER_FILES2, files, tags, nr,
				0);
	return ret;
}

/**
 * aring_register_files_sparse() - make slots for files, all empty
 * @ring: the ring
 * @nr: how many
 *
 * Return: as for aring_register_files().
 */
int aring_register_files_sparse(struct aring *ring, unsigned int nr)
{
	int ret = register2(ring, ARING_REGISTER_FILES2, NULL, NULL, nr,
			    ARING_RSRC_REGISTER_SPARSE);

	if (raise_nofile(ret, nr))
		ret = register2(ring, ARING_REGISTER_FILES2, NULL, NULL, nr,
				ARING_RSRC_REGISTER_SPARSE);
	return ret;
}

/**
 * aring_register_files_update() - put other files into slots
 * @ring: the ring
 * @off: first slot
 * @files: the descriptors; -1 empties a slot, ARING_REGISTER_FILES_SKIP leaves
 *	it
 * @nr_files: how many
 *
 * Return: how many were changed, or -errno if none was.
 */
int aring_register_files_update(struct aring *ring, unsigned int off,
				const int *files, unsigned int nr_files)
{
	struct aring_files_update up = {
		.offset = off,
		.fds = (uintptr_t)files,
	};

	return aring_register(ring, ARING_REGISTER_FILES_UPDATE, &up, nr_files);
}

/**
 * aring_register_files_update_tag() - the same with tags
 * @ring: the ring
 * @off: first slot
 * @files: as for aring_register_files_update()
 * @tags: as for aring_register_files_tags()
 * @nr_files: how many
 *
 * Return: how many were changed, or -errno if none was.
 */
int aring_register_files_update_tag(struct aring *ring, unsigned int off,
				    const int *files, const __u64 *tags,
				    unsigned int nr_files)
{
	return update2(ring, ARING_REGISTER_FILES_UPDATE2, off, files, tags,
		       nr_files);
}

/**
 * aring_unregister_files() - let all registered files go
 * @ring: the ring
 *
 * Return: 0; -ENXIO if there are none.
 */
int aring_unregister_files(struct aring *ring)
{
	return aring_register(ring, ARING_UNREGISTER_FILES, NULL, 0);
}

/**
 * aring_register_file_alloc_range() - where the kernel may choose a file's slot
 * @ring: the ring
 * @off: first slot
 * @len: how many
 *
 * Return: 0; -EINVAL for slots that are not there; -EOVERFLOW.
 */
int aring_register_file_alloc_range(struct aring *ring, unsigned int off,
				    unsigned int len)
{
	struct aring_file_index_range range = {
		.off = off,
		.len = len,
	};

	return aring_register(ring, ARING_REGISTER_FILE_ALLOC_RANGE, &range, 0);
}

/**
 * aring_register_eventfd() - have an eventfd signalled at each completion
 * @ring: the ring
 * @fd: the eventfd
 *
 * See aring_cq_eventfd_toggle().
 *
 * Return: 0; -EBUSY if there is one already; -EINVAL if it is no eventfd.
 */
int aring_register_eventfd(struct aring *ring, int fd)
{
	return aring_register(ring, ARING_REGISTER_EVENTFD, &fd, 1);
}

/**
 * aring_register_eventfd_async() - the same, not for what completes in the submit
 * @ring: the ring
 * @fd: the eventfd
 *
 * Return: as for aring_register_eventfd().
 */
int aring_register_eventfd_async(struct aring *ring, int fd)
{
	return aring_register(ring, ARING_REGISTER_EVENTFD_ASYNC, &fd, 1);
}

/**
 * aring_unregister_eventfd() - signal it no more
 * @ring: the ring
 *
 * Return: 0; -ENXIO if there is none.
 */
int aring_unregister_eventfd(struct aring *ring)
{
	return aring_register(ring, ARING_UNREGISTER_EVENTFD, NULL, 0);
}

/**
 * aring_register_restrictions() - say once and for all what a ring may do
 * @ring: a ring made with ARING_SETUP_R_DISABLED and not yet enabled
 * @res: what is allowed
 * @nr_res: number of @res
 *
 * They hold from aring_enable_rings() on; what is then forbidden answers -EACCES.
 *
 * Return: 0; -EBADFD if the ring is enabled; -EBUSY the second time; -EINVAL.
 */
int aring_register_restrictions(struct aring *ring,
				const struct aring_restriction *res,
				unsigned int nr_res)
{
	return aring_register(ring, ARING_REGISTER_RESTRICTIONS, res, nr_res);
}

/**
 * aring_register_personality() - keep the credentials that the caller has now
 * @ring: the ring
 *
 * Return: a number above 0 for &aring_sqe.personality, or -errno.
 */
int aring_register_personality(struct aring *ring)
{
	return aring_register(ring, ARING_REGISTER_PERSONALITY, NULL, 0);
}

/**
 * aring_unregister_personality() - forget them
 * @ring: the ring
 * @id: what aring_register_personality() returned
 *
 * Return: 0; -EINVAL if there are none of that number.
 */
int aring_unregister_personality(struct aring *ring, int id)
{
	return aring_register(ring, ARING_UNREGISTER_PERSONALITY, NULL,
			      (unsigned int)id);
}

/**
 * aring_register_probe() - ask which operations there are
 * @ring: the ring
 * @p: all zero in, the answer out
 * @nr: room in &aring_probe.ops, at most 256
 *
 * Return: 0 or -errno.
 */
int aring_register_probe(struct aring *ring, struct aring_probe *p,
			 unsigned int nr)
{
	return aring_register(ring, ARING_REGISTER_PROBE, p, nr);
}

/**
 * aring_get_probe_ring() - ask a ring which operations it has
 * @ring: the ring
 *
 * Return: the answer, for aring_opcode_supported() and in the end
 * aring_free_probe(); NULL if there was no memory or the ring did not answer.
 */
struct aring_probe *aring_get_probe_ring(struct aring *ring)
{
	struct aring_probe *probe;

	probe = calloc(1, sizeof(*probe) + PROBE_OPS * sizeof(probe->ops[0]));
	if (!probe)
		return NULL;
	if (aring_register_probe(ring, probe, PROBE_OPS) < 0) {
		free(probe);
		return NULL;
	}
	return probe;
}

/**
 * aring_get_probe() - ask which operations the default backend has
 *
 * Return: as for aring_get_probe_ring(); NULL also if no ring could be made.
 */
struct aring_probe *aring_get_probe(void)
{
	struct aring_probe *probe;
	struct aring ring;

	if (aring_queue_init(2, &ring, 0) < 0)
		return NULL;
	probe = aring_get_probe_ring(&ring);
	aring_queue_exit(&ring);
	return probe;
}

/**
 * aring_free_probe() - give back what aring_get_probe() returned
 * @probe: it, or NULL
 */
void aring_free_probe(struct aring_probe *probe)
{
	free(probe);
}

/**
 * aring_op_name() - the name of an operation
 * @opcode: ARING_OP_*
 *
 * Return: the name, in capitals and without ARING_OP_, or NULL if this library
 * does not know it.
 */
const char *aring_op_name(unsigned int opcode)
{
	static const char * const names[] = {
		[ARING_OP_NOP] = "NOP",
		[ARING_OP_READV] = "READV",
		[ARING_OP_WRITEV] = "WRITEV",
		[ARING_OP_FSYNC] = "FSYNC",
		[ARING_OP_READ_FIXED] = "READ_FIXED",
		[ARING_OP_WRITE_FIXED] = "WRITE_FIXED",
		[ARING_OP_POLL_ADD] = "POLL_ADD",
		[ARING_OP_POLL_REMOVE] = "POLL_REMOVE",
		[ARING_OP_SENDMSG] = "SENDMSG",
		[ARING_OP_RECVMSG] = "RECVMSG",
		[ARING_OP_TIMEOUT] = "TIMEOUT",
		[ARING_OP_TIMEOUT_REMOVE] = "TIMEOUT_REMOVE",
		[ARING_OP_ASYNC_CANCEL] = "ASYNC_CANCEL",
		[ARING_OP_LINK_TIMEOUT] = "LINK_TIMEOUT",
		[ARING_OP_READ] = "READ",
		[ARING_OP_WRITE] = "WRITE",
		[ARING_OP_SEND] = "SEND",
		[ARING_OP_RECV] = "RECV",
		[ARING_OP_VREAD] = "VREAD",
		[ARING_OP_VWRITE] = "VWRITE",
	};

	if (opcode >= ARRAY_SIZE(names))
		return NULL;
	return names[opcode];
}

/**
 * aring_version() - the version of this library
 *
 * Return: a string such as "0.1.0".
 */
const char *aring_version(void)
{
	return ARING_LIB_VERSION;
}
