// SPDX-License-Identifier: GPL-2.0
/*
 * Restrictions: what a ring may be used for once it is enabled, so that it can
 * be given to somebody who is not trusted with all of it.
 */
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "op.h"

/* As on 6.1: no more than there are things to allow. */
#define ARING_MAX_RESTRICTIONS	(4 + ARING_NR_REGISTERS + ARING_NR_URING_OPS)

/**
 * aring_restricted() - is an SQE refused?
 * @ring: the ring; submit_lock held
 * @opcode: its opcode
 * @sqe_flags: its flags
 *
 * Return: 0 or -EACCES.
 */
int aring_restricted(const struct aring_ring *ring, u8 opcode, u8 sqe_flags)
{
	const struct aring_restrictions *res = &ring->rsrc.restrict_to;

	if (!res->on)
		return 0;
	if (!test_bit(opcode, res->ops) ||
	    (res->flags_required & ~sqe_flags) ||
	    (sqe_flags & ~(res->flags_allowed | res->flags_required)))
		return -EACCES;
	return 0;
}

/**
 * aring_restricted_register() - is a REGISTER refused?
 * @ring: the ring
 * @opcode: ARING_REGISTER_*, below ARING_NR_REGISTERS
 *
 * Return: 0 or -EACCES.
 */
int aring_restricted_register(const struct aring_ring *ring, u32 opcode)
{
	const struct aring_restrictions *res = &ring->rsrc.restrict_to;

	/* Pairs with aring_register_enable(): then the bits are final. */
	if (!smp_load_acquire(&res->on))
		return 0;
	return test_bit(array_index_nospec(opcode, ARING_NR_REGISTERS),
			res->registers) ? 0 : -EACCES;
}

/* What is asked for one by one. Return: 0 or -EINVAL. */
static int aring_restrict_one(struct aring_restrictions *res,
			      const struct aring_restriction *ask)
{
	switch (ask->opcode) {
	case ARING_RESTRICTION_REGISTER_OP:
		if (ask->register_op >= ARING_NR_REGISTERS)
			return -EINVAL;
		__set_bit(ask->register_op, res->registers);
		return 0;
	case ARING_RESTRICTION_SQE_OP:
		if (ask->sqe_op >= ARING_NR_URING_OPS &&
		    !aring_ops[ask->sqe_op].name)
			return -EINVAL;
		__set_bit(ask->sqe_op, res->ops);
		return 0;
	case ARING_RESTRICTION_SQE_FLAGS_ALLOWED:
		res->flags_allowed = ask->sqe_flags;
		return 0;
	case ARING_RESTRICTION_SQE_FLAGS_REQUIRED:
		res->flags_required = ask->sqe_flags;
		return 0;
	default:
		return -EINVAL;
	}
}

/**
 * aring_restrict() - restrict a ring that is not enabled yet
 * @ring: the ring; submit_lock held
 * @arg: array of struct aring_restriction
 * @nr: how many
 *
 * All or nothing, and once.
 *
 * Return: 0 or a negative errno as io_uring_register(2) has it.
 */
int aring_restrict(struct aring_ring *ring, const void __user *arg, u32 nr)
{
	struct aring_restrictions *res = &ring->rsrc.restrict_to;
	struct aring_restriction *asks;
	int ret = 0;
	u32 i;

	if (!(ring->setup_flags & ARING_SETUP_R_DISABLED))
		return -EBADFD;
	if (res->registered)
		return -EBUSY;
	if (!arg || nr > ARING_MAX_RESTRICTIONS)
		return -EINVAL;
	asks = memdup_user(arg, array_size(nr, sizeof(*asks)));
	if (IS_ERR(asks))
		return PTR_ERR(asks);
	for (i = 0; i < nr && !ret; i++)
		ret = aring_restrict_one(res, &asks[i]);
	if (ret)
		memset(res, 0, sizeof(*res));
	else
		res->registered = true;
	kfree(asks);
	return ret;
}
