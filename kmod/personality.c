// SPDX-License-Identifier: GPL-2.0
/*
 * Registered credentials.
 *
 * io_uring lets whoever can submit to a ring use its personalities, and asks
 * security modules (the hook uring_override_creds) whether he may take them
 * on. Modules cannot call that hook, and a ring travels: it is inherited, or
 * sent over a socket, to a process that its sender would trust with a ring but
 * not with root's credentials, or that a policy confines. So here a
 * personality is for those alone who could have kept the credentials
 * themselves: threads of the address space it was registered from, whose
 * security context is still the one it was registered with. exec() makes a new
 * address space, so a program that is started with fewer rights has none of
 * them; and equal contexts are what a security module would at least demand.
 */
#include <linux/cred.h>
#include <linux/sched/mm.h>
#include <linux/security.h>
#include <linux/slab.h>

#include "request.h"

/**
 * struct aring_personality - one
 * @cred: the credentials
 * @mm: who may use them; by mm_count, so that its address stays its own
 */
struct aring_personality {
	const struct cred	*cred;
	struct mm_struct	*mm;
};

static bool aring_same_context(const struct cred *a, const struct cred *b)
{
	u32 sid_a = 0, sid_b = 0;

	security_cred_getsecid(a, &sid_a);
	security_cred_getsecid(b, &sid_b);
	return sid_a == sid_b;
}

/**
 * aring_personality() - credentials that an SQE names
 * @ring: the ring; submit_lock held
 * @id: not 0
 *
 * Return: the credentials, borrowed while the lock is held, or NULL if there
 * are none by that number that the caller may use.
 */
const struct cred *aring_personality(struct aring_ring *ring, u16 id)
{
	struct aring_personality *pers = xa_load(&ring->rsrc.personalities, id);

	if (!pers || pers->mm != current->mm ||
	    !aring_same_context(pers->cred, current_cred()))
		return NULL;
	return pers->cred;
}

/**
 * aring_personality_register() - keep the caller's credentials
 * @ring: the ring; submit_lock held
 *
 * Return: their number, from 1, or a negative errno.
 */
int aring_personality_register(struct aring_ring *ring)
{
	struct aring_personality *pers;
	u32 id;
	int ret;

	pers = kmalloc(sizeof(*pers), GFP_KERNEL_ACCOUNT);
	if (!pers)
		return -ENOMEM;
	pers->cred = get_current_cred();
	pers->mm = current->mm;
	mmgrab(pers->mm);
	ret = xa_alloc_cyclic(&ring->rsrc.personalities, &id, pers,
			      XA_LIMIT(1, USHRT_MAX),
			      &ring->rsrc.next_personality,
			      GFP_KERNEL_ACCOUNT);
	if (ret >= 0)
		return id;
	put_cred(pers->cred);
	mmdrop(pers->mm);
	kfree(pers);
	return ret;
}

/**
 * aring_personality_unregister() - forget credentials
 * @ring: the ring; submit_lock held, or nobody else can reach it
 * @id: as aring_personality_register() gave it
 *
 * Requests that use them keep them.
 *
 * Return: 0, or -EINVAL if there are none.
 */
int aring_personality_unregister(struct aring_ring *ring, u32 id)
{
	struct aring_personality *pers = xa_erase(&ring->rsrc.personalities,
						  id);

	if (!pers)
		return -EINVAL;
	put_cred(pers->cred);
	mmdrop(pers->mm);
	kfree(pers);
	return 0;
}

/**
 * aring_personalities_exit() - forget all
 * @ring: a ring that nobody can reach any more
 */
void aring_personalities_exit(struct aring_ring *ring)
{
	struct aring_personality *pers;
	unsigned long id;

	xa_for_each(&ring->rsrc.personalities, id, pers)
		aring_personality_unregister(ring, id);
	xa_destroy(&ring->rsrc.personalities);
}
