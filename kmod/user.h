/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the rings of one user have in common.
 */
#ifndef ARING_USER_H
#define ARING_USER_H

#include <linux/list.h>
#include <linux/uidgid.h>

/**
 * struct aring_user - the rings of one uid
 * @list: all users that have rings
 * @uid: who
 * @nr_rings: rings that point here
 * @nr_peer_workers: threads of their unbounded pools
 */
struct aring_user {
	struct list_head	list;
	kuid_t			uid;
	unsigned int		nr_rings;
	unsigned int		nr_peer_workers;
};

/* user.c APIs */
struct aring_user *aring_user_get(kuid_t uid);
void aring_user_put(struct aring_user *user);
bool aring_user_add_worker(struct aring_user *user, unsigned long limit);
void aring_user_del_worker(struct aring_user *user);

#endif /* ARING_USER_H */
