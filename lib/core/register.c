// SPDX-License-Identifier: MIT
/*
 * Questions and settings.
 */
#include <stdlib.h>

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
		[ARING_OP_TIMEOUT] = "TIMEOUT",
		[ARING_OP_TIMEOUT_REMOVE] = "TIMEOUT_REMOVE",
		[ARING_OP_ASYNC_CANCEL] = "ASYNC_CANCEL",
		[ARING_OP_READ] = "READ",
		[ARING_OP_WRITE] = "WRITE",
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
