// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel threads of rings are counted by user, against RLIMIT_NPROC, over all
 * of his rings: a limit for one ring would be worth nothing against who opens
 * many. Each kind may be as many as that.
 */
#include <linux/slab.h>
#include <linux/spinlock.h>

#include "user.h"

/* Guards the list and all counts; taken for a few instructions, rarely. */
static DEFINE_SPINLOCK(aring_users_lock);
static LIST_HEAD(aring_users);

/**
 * aring_user_get() - the entry of a user, for one more ring
 * @uid: who
 *
 * Context: process.
 *
 * Return: the entry, or NULL if there is no memory.
 */
struct aring_user *aring_user_get(kuid_t uid)
{
	struct aring_user *user, *new;
	unsigned long flags;

	new = kzalloc(sizeof(*new), GFP_KERNEL_ACCOUNT);
	if (!new)
		return NULL;
	new->uid = uid;
	spin_lock_irqsave(&aring_users_lock, flags);
	list_for_each_entry(user, &aring_users, list) {
		if (uid_eq(user->uid, uid))
			goto found;
	}
	user = new;
	new = NULL;
	list_add(&user->list, &aring_users);
found:
	user->nr_rings++;
	spin_unlock_irqrestore(&aring_users_lock, flags);
	kfree(new);
	return user;
}

/**
 * aring_user_put() - one ring less
 * @user: from aring_user_get(), or NULL
 */
void aring_user_put(struct aring_user *user)
{
	unsigned long flags;

	if (!user)
		return;
	spin_lock_irqsave(&aring_users_lock, flags);
	if (--user->nr_rings)
		user = NULL;
	else
		list_del(&user->list);
	spin_unlock_irqrestore(&aring_users_lock, flags);
	kfree(user);
}

/**
 * aring_user_add_thread() - may there be one more thread?
 * @user: whose
 * @kind: which
 * @limit: so many of that kind and no more
 *
 * Context: any.
 *
 * Return: true if it was counted; aring_user_del_thread() takes it back.
 */
bool aring_user_add_thread(struct aring_user *user, enum aring_thread_kind kind,
			   unsigned long limit)
{
	unsigned long flags;
	bool ok;

	spin_lock_irqsave(&aring_users_lock, flags);
	ok = user->nr_threads[kind] < limit;
	if (ok)
		WRITE_ONCE(user->nr_threads[kind], user->nr_threads[kind] + 1);
	spin_unlock_irqrestore(&aring_users_lock, flags);
	return ok;
}

/**
 * aring_user_del_thread() - one thread less
 * @user: whose
 * @kind: which
 *
 * Context: any.
 */
void aring_user_del_thread(struct aring_user *user, enum aring_thread_kind kind)
{
	unsigned long flags;

	spin_lock_irqsave(&aring_users_lock, flags);
	WRITE_ONCE(user->nr_threads[kind], user->nr_threads[kind] - 1);
	spin_unlock_irqrestore(&aring_users_lock, flags);
}

/**
 * aring_user_crowded() - may idle threads soon be in the way of others?
 * @user: whose
 * @kind: which
 * @limit: as for aring_user_add_thread()
 *
 * Context: any; a look, without a lock.
 *
 * Return: true if more than half of what is allowed is there.
 */
bool aring_user_crowded(const struct aring_user *user,
			enum aring_thread_kind kind, unsigned long limit)
{
	return READ_ONCE(user->nr_threads[kind]) > limit / 2;
}
