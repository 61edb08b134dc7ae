/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the rings of one user have in common.
 */
#ifndef ARING_USER_H
#define ARING_USER_H

#include <linux/list.h>
#include <linux/uidgid.h>

/**
 * enum aring_thread_kind - kernel threads that are counted together
 * @ARING_THREAD_PEER: wait for a peer, as long as it pleases
 * @ARING_THREAD_DISK: wait for a device
 * @ARING_THREAD_BRIEF: wait for nothing
 * @ARING_THREAD_SQPOLL: are there as long as their ring
 * @ARING_THREAD_KINDS: how many kinds
 *
 * Apart from each other, so that none waits for what another kind waits for.
 */
enum aring_thread_kind {
	ARING_THREAD_PEER,
	ARING_THREAD_DISK,
	ARING_THREAD_BRIEF,
	ARING_THREAD_SQPOLL,
	ARING_THREAD_KINDS,
};

/**
 * struct aring_user - the rings of one uid
 * @list: all users that have rings
 * @uid: who
 * @nr_rings: rings that point here
 * @nr_threads: their threads, of each kind
 */
struct aring_user {
	struct list_head	list;
	kuid_t			uid;
	unsigned int		nr_rings;
	unsigned int		nr_threads[ARING_THREAD_KINDS];
};

/* user.c APIs */
struct aring_user *aring_user_get(kuid_t uid);
void aring_user_put(struct aring_user *user);
bool aring_user_add_thread(struct aring_user *user, enum aring_thread_kind kind,
			   unsigned long limit);
void aring_user_del_thread(struct aring_user *user,
			   enum aring_thread_kind kind);
bool aring_user_crowded(const struct aring_user *user,
			enum aring_thread_kind kind, unsigned long limit);

#endif /* ARING_USER_H */
