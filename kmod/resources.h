/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a program registers with a ring once, to use it many times: files,
 * buffers, an eventfd, personalities; and the restrictions of a ring.
 *
 * Files and buffers are in tables that change under submit_lock only. What is
 * found in a table is borrowed while that lock is held; a request that may
 * outlive it counts what it uses (aring_rsrc_hold()). A resource that is taken
 * out of its table goes when the last such request is over, and then its tag
 * is posted.
 */
#ifndef ARING_RESOURCES_H
#define ARING_RESOURCES_H

#include <linux/bitmap.h>
#include <linux/bvec.h>
#include <linux/llist.h>
#include <linux/nospec.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#include "uapi/linux/aring.h"

struct aring_buffer;
struct aring_eventfd;
struct aring_req;
struct aring_ring;
struct aring_table;
struct cred;
struct file;
struct iov_iter;
struct mm_struct;
struct task_struct;
struct user_struct;

/* Operations and register opcodes of io_uring on Linux 6.1, own ones apart. */
#define ARING_NR_URING_OPS	49
#define ARING_NR_REGISTERS	26

/**
 * struct aring_rsrc - a registered file or buffer
 * @refs: one for the table, one for each request that counts it
 * @table: where it is or was registered
 * @tag: user_data of the CQE that says it is gone, 0 for none
 * @cqe: for that CQE, once it is out of the table
 * @dead: in &aring_resources.dead
 * @file: the file; for a buffer NULL
 */
struct aring_rsrc {
	refcount_t		refs;
	struct aring_table	*table;
	u64			tag;
	struct aring_req	*cqe;
	struct llist_node	dead;
	struct file		*file;
};

/**
 * struct aring_table - registered files or buffers
 * @ring: the ring
 * @slots: the resources, NULL where there is none; submit_lock
 * @nr: how many slots there are to be found; 0 while the table is emptied
 * @nr_slots: how many there are
 * @emptying: UNREGISTER waits for requests, and the table is its own
 * @users: how often requests count a resource of this table, also one that
 *	is not in it any more
 * @free: gives a resource back; process context
 */
struct aring_table {
	struct aring_ring	*ring;
	struct aring_rsrc	**slots;
	u32			nr;
	u32			nr_slots;
	bool			emptying;
	atomic_t		users;
	void			(*free)(struct aring_rsrc *rsrc);
};

/**
 * struct aring_restrictions - what a ring may be used for
 * @registered: they are given, and cannot be again
 * @on: they apply, since the ring was enabled
 * @flags_allowed: ARING_SQE_* an SQE may have
 * @flags_required: ARING_SQE_* it must have
 * @registers: bit for each register opcode allowed
 * @ops: bit for each operation allowed
 */
struct aring_restrictions {
	bool	registered;
	bool	on;
	u8	flags_allowed;
	u8	flags_required;
	DECLARE_BITMAP(registers, ARING_NR_REGISTERS);
	DECLARE_BITMAP(ops, 256);
};

/**
 * struct aring_resources - all that is registered with a ring
 * @files: registered files
 * @buffers: registered buffers
 * @user: whose RLIMIT_MEMLOCK buffers count against, NULL if they need not
 * @mm: whose pinned_vm they count in; by mm_count
 * @dead: resources that are out of use; added to from any context
 * @dead_work: gives them back
 * @unix_files: AF_UNIX sockets may be in @files
 * @unmap_work: takes them out when nobody has the ring mapped
 * @eventfd: to be signalled, or NULL; rcu, changed under submit_lock
 * @eventfd_tail: CQ tail when it was signalled last; cq_lock
 * @eventfd_elsewhere: something was posted since by other than a submitter
 * @submitter: who is submitting now, under submit_lock; only to compare
 * @personalities: struct cred by id
 * @next_personality: where to look for a free id; submit_lock
 * @restrict_to: restrictions; submit_lock, and fixed once they are on
 */
struct aring_resources {
	struct aring_table		files;
	struct aring_table		buffers;
	struct user_struct		*user;
	struct mm_struct		*mm;
	struct llist_head		dead;
	struct work_struct		dead_work;
	bool				unix_files;
	struct delayed_work		unmap_work;
	struct aring_eventfd __rcu	*eventfd;
	u32				eventfd_tail;
	bool				eventfd_elsewhere;
	const struct task_struct	*submitter;
	struct xarray			personalities;
	u32				next_personality;
	struct aring_restrictions	restrict_to;
};

/**
 * aring_table_find() - what is registered in a slot
 * @table: table; submit_lock of its ring held
 * @index: as the program says
 *
 * Return: borrowed, or NULL.
 */
static inline struct aring_rsrc *aring_table_find(const struct aring_table *table,
						  u32 index)
{
	u32 nr = READ_ONCE(table->nr);

	if (unlikely(index >= nr))
		return NULL;
	return table->slots[array_index_nospec(index, nr)];
}

/* Is the table being emptied, and not to be touched? submit_lock. */
static inline bool aring_table_emptying(const struct aring_table *table)
{
	/* Pairs with the store-release in aring_table_unregister(). */
	return smp_load_acquire(&table->emptying);
}

/* resources.c APIs */
void aring_rsrc_get(struct aring_rsrc *rsrc);
void aring_rsrc_hold(struct aring_req *req);
void aring_rsrc_drop(struct aring_req *req);
u64 *aring_tags_get(const u64 __user *tags, u32 nr);
int aring_table_range(const struct aring_table *table, u32 offset, u32 nr);
int aring_table_alloc(struct aring_table *table, u32 nr);
void aring_table_add(struct aring_table *table, u32 index,
		     struct aring_rsrc *rsrc, u64 tag);
int aring_table_remove(struct aring_table *table, u32 index);
void aring_table_clear(struct aring_table *table);
int aring_table_unregister(struct aring_table *table);
void aring_resources_init(struct aring_ring *ring);
void aring_resources_kill(struct aring_ring *ring);
void aring_resources_exit(struct aring_ring *ring);
void aring_resources_free(struct aring_ring *ring);

/* files.c APIs */
struct file *aring_fixed_file(struct aring_ring *ring, u32 index);
struct file *aring_req_fixed_file(struct aring_req *req, u32 index);
int aring_files_register(struct aring_ring *ring, const s32 __user *fds,
			 u32 nr, const u64 __user *tags);
int aring_files_update(struct aring_ring *ring,
		       const struct aring_rsrc_update2 *update, u32 nr);
int aring_files_alloc_range(struct aring_ring *ring, const void __user *arg);
void aring_files_unmapped(struct aring_ring *ring);
void aring_files_init(struct aring_ring *ring);

/* buffers.c APIs */
int aring_req_fixed_buffer(struct aring_req *req, u16 index);
int aring_buffer_iter(const struct aring_req *req, struct iov_iter *iter,
		      int dir);
int aring_buffers_register(struct aring_ring *ring,
			   const struct iovec __user *iovs, u32 nr,
			   const u64 __user *tags);
int aring_buffers_update(struct aring_ring *ring,
			 const struct aring_rsrc_update2 *update, u32 nr);
void aring_buffers_init(struct aring_ring *ring);
void aring_buffers_exit(struct aring_ring *ring);

/* eventfd.c APIs */
int aring_eventfd_register(struct aring_ring *ring, const s32 __user *arg,
			   bool async);
int aring_eventfd_unregister(struct aring_ring *ring);
void aring_eventfd_note(struct aring_ring *ring);
void aring_eventfd_owe(struct aring_ring *ring);
void aring_eventfd_signal(struct aring_ring *ring);
bool aring_eventfd_signalling(void);

/* personality.c APIs */
const struct cred *aring_personality(struct aring_ring *ring, u16 id);
int aring_personality_register(struct aring_ring *ring);
int aring_personality_unregister(struct aring_ring *ring, u32 id);
void aring_personalities_exit(struct aring_ring *ring);

/* restrict.c APIs */
int aring_restricted(const struct aring_ring *ring, u8 opcode, u8 sqe_flags);
int aring_restricted_register(const struct aring_ring *ring, u32 opcode);
int aring_restrict(struct aring_ring *ring, const void __user *arg, u32 nr);

#endif /* ARING_RESOURCES_H */
