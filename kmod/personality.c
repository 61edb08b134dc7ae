// SPDX-License-Identifier: GPL-2.0
/*
 * Registered credentials.
 *
 * To register its credentials is a deliberate act of a program, on a ring that
 * it may then pass on: like io_uring, whoever can submit to the ring may name
 * them. But io_uring asks security modules first whether the submitter may
 * take them on (the hook uring_override_creds), and a module cannot call that
 * hook: without it a confined process that is handed a ring, or a program that
 * has confined itself since, would act outside of its policy. So a personality
 * is refused unless security modules see the submitter in the same context
 * under it as under his own credentials; that is what they would at least
 * demand. User and capabilities, which are all that may then differ, are what
 * personalities are for.
 */
#include <linux/cred.h>
#include <linux/security.h>

#include "request.h"

/* Asked of the current task, because not all modules can tell of others. */
static bool aring_same_context(const struct cred *cred)
{
	u32 own = 0, other = 0;
	const struct cred *old;

	security_current_getsecid_subj(&own);
	old = override_creds(cred);
	security_current_getsecid_subj(&other);
	revert_creds(old);
	return own == other;
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
	const struct cred *cred = xa_load(&ring->rsrc.personalities, id);

	return cred && aring_same_context(cred) ? cred : NULL;
}

/**
 * aring_personality_register() - keep the caller's credentials
 * @ring: the ring; submit_lock held
 *
 * Return: their number, from 1, or a negative errno.
 */
int aring_personality_register(struct aring_ring *ring)
{
	const struct cred *cred = aring_get_cred();
	u32 id;
	int ret;

	ret = xa_alloc_cyclic(&ring->rsrc.personalities, &id, (void *)cred,
			      XA_LIMIT(1, USHRT_MAX),
			      &ring->rsrc.next_personality,
			      GFP_KERNEL_ACCOUNT);
	if (ret >= 0)
		return id;
	put_cred(cred);
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
	const struct cred *cred = xa_erase(&ring->rsrc.personalities, id);

	if (!cred)
		return -EINVAL;
	put_cred(cred);
	return 0;
}

/**
 * aring_personalities_exit() - forget all
 * @ring: a ring that nobody can reach any more
 */
void aring_personalities_exit(struct aring_ring *ring)
{
	const struct cred *cred;
	unsigned long id;

	xa_for_each(&ring->rsrc.personalities, id, cred)
		put_cred(cred);
	xa_destroy(&ring->rsrc.personalities);
}
