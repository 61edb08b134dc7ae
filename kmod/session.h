/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Sessions: what `aring run` makes for a program and all that it starts.
 *
 * session.c	the ioctl; who belongs to which session, and how long it lives
 * plan.c	plans: which line is for which request
 * decide.c	what is to be done to a request or an ENTER, by plan or seed
 * chaos.c	the seed; permit.h: what is permitted
 * record.c	what was done and seen
 */
#ifndef ARING_SESSION_H
#define ARING_SESSION_H

#include <linux/atomic.h>
#include <linux/hashtable.h>
#include <linux/mutex.h>
#include <linux/refcount.h>
#include <linux/uidgid.h>

#include "chaos.h"
#include "record.h"

struct aring_enter;
struct aring_fate;
struct aring_req;
struct aring_ring;
struct aring_timeline;
struct file;
struct pid;

/**
 * struct aring_plan - which line of a plan is for what
 * @nr: number of lines; they are the first in the session's log
 * @bits: of the hash; there are 2^bits heads
 * @heads: for each hash 1 + the index of the first line, or 0
 * @next: for each line 1 + the index of the next with the same hash, or 0
 */
struct aring_plan {
	u32		nr;
	unsigned int	bits;
	u32		*heads;
	u32		*next;
};

/**
 * struct aring_process - a process that has joined
 * @node: in &aring_sess.processes
 * @pid: referenced, so that it stands for nobody else
 * @nr: its number in the session, from 1
 * @nr_rings: how many rings it has made in it
 * @clock: the virtual clock of its rings, held, or NULL
 */
struct aring_process {
	struct hlist_node	node;
	struct pid		*pid;
	u32			nr;
	u32			nr_rings;
	struct aring_timeline	*clock;
};

/**
 * struct aring_sess - a session
 * @refs: its file, and each ring or file that has joined
 * @node: in the table of all sessions, until its file is closed
 * @id: names it
 * @uid: who made it
 * @lock: guards the members down to @nr_processes; what comes before them
 *	is settled when @joined is set, and read without the lock from then on
 * @level: ARING_LEVEL_*
 * @with_chaos: @chaos was given
 * @watch: what is seen is kept
 * @with_clock: rings get a virtual clock
 * @chaos: what a seed does
 * @plan: or what a plan says, if @plan.nr
 * @joined: somebody has joined
 * @processes: by pid
 * @nr_processes: how many
 * @closed: its file is: nobody will read the records
 * @log: struct aring_deviation, what was done
 * @seen: struct aring_seen, what was seen
 */
struct aring_sess {
	refcount_t		refs;
	struct hlist_node	node;
	u64			id;
	kuid_t			uid;

	/* Guards who has joined. */
	struct mutex		lock;
	u32			level;
	bool			with_chaos;
	bool			watch;
	bool			with_clock;
	struct aring_chaos	chaos;
	struct aring_plan	plan;
	bool			joined;
	DECLARE_HASHTABLE(processes, 6);
	u32			nr_processes;

	bool			closed;
	struct aring_record	log;
	struct aring_record	seen;
};

/**
 * struct aring_member - a file that has joined, and the ring made of it
 * @sess: the session, referenced
 * @process: who has joined
 * @claimed: bit 0: a ring is being made of the file, or has been
 * @ring: number of the ring in the process
 * @first: ticket of its first request
 * @nr_enters: how many ENTERs there were
 * @in_vain: the CQ tail at which an ENTER was interrupted last; a hint
 * @interrupted: there was one; a hint
 */
struct aring_member {
	struct aring_sess	*sess;
	struct aring_process	*process;
	unsigned long		claimed;
	u32			ring;
	u32			first;
	atomic_t		nr_enters;
	u32			in_vain;
	bool			interrupted;
};

/* session.c APIs */
int aring_session(struct file *file, struct aring_session __user *arg);
void aring_session_close(struct aring_sess *sess);
bool aring_member_claim(struct aring_member *member);
void aring_member_unclaim(struct aring_member *member);
int aring_member_attach(struct aring_member *member, struct aring_ring *ring);
void aring_member_free(struct aring_member *member);

/* plan.c APIs */
int aring_plan_set(struct aring_sess *sess, const void __user *lines, u32 nr);
void aring_plan_free(struct aring_plan *plan);
struct aring_deviation *aring_plan_next(struct aring_sess *sess,
					const struct aring_deviation *key,
					u32 *pos);

/* decide.c APIs */
bool aring_session_pick(struct aring_req *req, const struct aring_sqe *sqe,
			struct aring_fate *fate);
int aring_session_enter(struct aring_ring *ring,
			const struct aring_enter *enter, u64 *take);
void aring_session_verdict(struct aring_req *req, int ret);
void aring_session_saw(struct aring_req *req);

#endif /* ARING_SESSION_H */
