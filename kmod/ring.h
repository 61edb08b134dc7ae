/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One ring: the memory shared with the program, and what the kernel keeps to
 * itself about it.
 *
 * Locks, outermost first:
 *
 *	submit_lock	mutex, killable: the SQ head, the free slots and what is
 *			registered. Held while operations run inline, so
 *			possibly for long.
 *	lock		mutex: which requests are in flight (the tables), and
 *			reclaiming them. Nothing that may wait for a peer, a
 *			device or a user page runs under it.
 *	(foreign locks: a wait queue that a request waits in)
 *	signal_lock	of each worker, irqsave spinlock: what it runs while a
 *			signal is sent to it; never with work_lock
 *	work_lock	irqsave spinlock: where runnable requests are listed, who
 *			sleeps in ENTER, which worker does what
 *	(the device's lock, irqsave spinlock, outside of the timeline's: channels)
 *	cq_lock		irqsave spinlock: the CQ, its overflow, the
 *			timeouts that count completions, what waits for other
 *			requests, what is held; final states are reached
 *			under it
 *	(the lock of a timeline, irqsave spinlock, a leaf: what is to happen when)
 *	map_lock	spinlock, a leaf: who has the ring mapped
 */
#ifndef ARING_RING_H
#define ARING_RING_H

#include <linux/cache.h>
#include <linux/irq_work.h>
#include <linux/list.h>
#include <linux/llist.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "order.h"
#include "resources.h"
#include "steer.h"
#include "timeline.h"
#include "user.h"
#include "uapi/linux/aring.h"

struct aring_device;
struct aring_member;
struct aring_req;
struct aring_sleeper;
struct aring_sqpoll;
struct aring_user;
struct file;
struct mem_cgroup;
struct mm_struct;
struct seq_file;
struct task_struct;
struct vm_area_struct;

#define ARING_SETUP_FLAGS \
	(ARING_SETUP_SQPOLL | ARING_SETUP_SQ_AFF | \
	 ARING_SETUP_CQSIZE | ARING_SETUP_CLAMP | ARING_SETUP_R_DISABLED | \
	 ARING_SETUP_SUBMIT_ALL | ARING_SETUP_COOP_TASKRUN | \
	 ARING_SETUP_TASKRUN_FLAG | ARING_SETUP_SQE128 | \
	 ARING_SETUP_CQE32 | ARING_SETUP_SINGLE_ISSUER | \
	 ARING_SETUP_DEFER_TASKRUN | ARING_SETUP_FIRST_INDEX | \
	 ARING_SETUP_COMPLETION_ORDER | ARING_SETUP_SUBMISSION_ORDER | \
	 ARING_SETUP_CQE_TIMES)

#define ARING_FEATURES \
	(ARING_FEAT_SINGLE_MMAP | ARING_FEAT_NODROP | \
	 ARING_FEAT_SUBMIT_STABLE | ARING_FEAT_RW_CUR_POS | \
	 ARING_FEAT_CUR_PERSONALITY | ARING_FEAT_FAST_POLL | \
	 ARING_FEAT_POLL_32BITS | ARING_FEAT_SQPOLL_NONFIXED | \
	 ARING_FEAT_EXT_ARG | ARING_FEAT_RSRC_TAGS | ARING_FEAT_CQE_SKIP)

/* &aring_ring.odd */
#define ARING_ODD_SQPOLL	0x01	/* a thread submits that is not the program's */
#define ARING_ODD_RESTRICTED	0x02	/* there are restrictions */
#define ARING_ODD_DRAIN_NEXT	0x04	/* the SQE after the chain at hand drains */
#define ARING_ODD_STEERED	0x08	/* it has rules, or belongs to a session */
#define ARING_ODD_VIRTUAL	0x10	/* on a virtual clock: chains are ENTER's to run */
#define ARING_ODD_TIMES		0x80	/* CQE_TIMES: the clock is read for each */

/**
 * struct aring_index_pair - the two ends of one ring, as the program sees them
 * @head: consumer's index
 * @tail: producer's index
 *
 * On cache lines of their own, because different CPUs write them.
 */
struct aring_index_pair {
	u32	head ____cacheline_aligned_in_smp;
	u32	tail ____cacheline_aligned_in_smp;
};

/**
 * struct aring_shared - the mapping at ARING_OFF_SQ_RING and ARING_OFF_CQ_RING
 * @sq: submission ring: the program moves the tail, the kernel the head
 * @cq: completion ring: the kernel moves the tail, the program the head
 * @sq_mask: for the program; the kernel keeps its own copies of these six
 * @cq_mask: likewise
 * @sq_entries: likewise
 * @cq_entries: likewise
 * @sq_dropped: array entries out of range, passed over
 * @sq_flags: ARING_SQ_*
 * @cq_flags: the program's
 * @cq_overflow: always 0
 * @cqes: the completion ring, of &aring_ring.cqe_size each; the SQ index array
 *	follows it
 *
 * All of it is the program's to scribble in at any time. Nothing read here is
 * trusted, and nothing is read twice.
 */
struct aring_shared {
	struct aring_index_pair	sq, cq;
	u32			sq_mask;
	u32			cq_mask;
	u32			sq_entries;
	u32			cq_entries;
	u32			sq_dropped;
	atomic_t		sq_flags;
	u32			cq_flags;
	u32			cq_overflow;
	struct aring_cqe	cqes[] ____cacheline_aligned_in_smp;
};

/**
 * struct aring_pool - worker threads of one kind, of one ring
 * @ring: the ring
 * @queue: requests that are QUEUED here, by ticket; work_lock
 * @workers: all threads; work_lock
 * @idle: threads that wait for work; work_lock
 * @nr_workers: how many threads there are or are being made; work_lock
 * @nr_idle: how many of them wait; work_lock
 * @max_workers: no more than that
 * @kind: as what its threads are counted
 * @busy: one of its requests is being run, and they are run one by one; work_lock
 * @name: for the threads' names
 * @nr_taken: requests taken off the queue so far; work_lock
 * @seen_taken: @nr_taken when more threads were last thought of; work_lock
 * @spawn_work: makes more threads
 */
struct aring_pool {
	struct aring_ring	*ring;
	struct rb_root_cached	queue;
	struct list_head	workers;
	struct list_head	idle;
	unsigned int		nr_workers;
	unsigned int		nr_idle;
	unsigned int		max_workers;
	enum aring_thread_kind	kind;
	bool			busy;
	const char		*name;
	u32			nr_taken;
	u32			seen_taken;
	struct delayed_work	spawn_work;
};

/**
 * struct aring_bucket - one hash bucket of requests in flight
 * @by_data: by user_data, in the order of submission
 * @by_ticket: by submission ticket
 */
struct aring_bucket {
	struct list_head	by_data;
	struct hlist_head	by_ticket;
};

/**
 * struct aring_ring - one ring
 * @shared: rings shared with the program
 * @sqes: SQEs shared with the program
 * @sq_array: index array, behind the CQEs of @shared
 * @shared_size: bytes of @shared, whole pages
 * @sqes_size: bytes of @sqes, whole pages
 * @sq_mask: entries - 1
 * @cq_mask: entries - 1
 * @sqe_size: bytes of an SQE
 * @cqe_size: bytes of a CQE
 * @setup_flags: ARING_SETUP_*; R_DISABLED is dropped by ENABLE_RINGS
 * @id: names the ring in traces: so many were made before it
 * @process: who set it up, likewise
 * @hash_bits: the tables have 2^hash_bits buckets
 * @submitter: with SINGLE_ISSUER the one task that may submit, referenced
 * @owner: who set the ring up, referenced; workers join its cgroups
 * @memcg: who pays for what a worker allocates
 * @user: the owner, for counting threads over his rings
 * @max_threads: RLIMIT_NPROC of the owner at set-up
 * @sqpoll: with SQPOLL the thread that submits, else NULL
 * @timeline: its clock: @real_time, or a virtual one. Changed once at most, under
 *	submit_lock, @lock and work_lock, while nothing is under way.
 * @closely: ENTER has to look at what few rings have: R_DISABLED, rules, a session, a virtual
 *	clock; never taken back
 * @on_virtual: it is a virtual one; written after it
 * @ring_nr: the how-manieth ring on it this one is
 * @on_timeline: in &aring_timeline.rings, if it is a virtual one
 * @present: threads in ENTER, if it is a virtual one; its quiet_lock
 * @nr_real: with a virtual clock: requests under way that do not wait for it alone
 * @submit_lock: serialises submission; guards the members below it
 * @sq_head: SQEs consumed; the ticket of the next one
 * @free: slots ready for use
 * @drain_disabled: there was a CQE_SKIP_SUCCESS: IO_DRAIN is not offered any more
 * @device: the virtual device, or NULL
 * @odd: ARING_ODD_*, why every SQE has to be looked at closely
 * @lock: guards the tables and the three below
 * @buckets: requests in flight, by user_data and by ticket
 * @nr_inflight: how many are in the tables
 * @nr_listed: how many ever came into them; read without the lock
 * @freed: slots reclaimed, for submit to take over
 * @nr_freed: how many
 * @dying: closed: nothing new; set under @lock
 * @exiting: @exit_work has begun and wants to be told of what ends; set under
 *	@lock
 * @reclaim: requests that are over; added to from any context
 * @work_lock: guards the members below it, and the pools
 * @run_list: requests that wait for a thread in ENTER, by ticket
 * @nr_run: their number; read without the lock
 * @sleepers: threads in the waiting half of ENTER
 * @mover: a thread that moves the virtual clock by hand, or NULL
 * @bounded: threads for disk work: a fixed number
 * @unbounded: threads for work that may wait for a peer: as many as it takes
 * @ready: work that does not wait: for a thread in ENTER, else for one thread
 * @owing: what is over but for an event owed to fsnotify: one thread
 * @workers_gone: woken when the last worker has left
 * @cq_lock: guards the members below it
 * @cq_tail: the kernel's own CQ tail
 * @cq_room: free CQ entries known of; looked up again when it is 0
 * @plain: CQEs are of 16 bytes, in no order, and no session watches them
 * @ordered: there is an order of CQEs to be kept; fixed
 * @nr_overflow: length of @overflow; read without the lock
 * @nr_timeouts: TIMEOUTs that ended by themselves
 * @nr_events: CQEs posted, TIMEOUTs that ended by themselves not counted
 * @overflow: requests whose CQE waits for room, oldest first
 * @order: what is over and waits for its turn
 * @counting: TIMEOUTs that wait for a number of completions, next one first
 * @nr_ended: of those that were in the tables: how many are over
 * @nr_deferred: of those in the tables: how many wait for a drain
 * @deferred: what waits for a drain, oldest first; of a chain only its head
 * @nr_unblocked: length of @unblocked; read without the lock
 * @unblocked: what waits for nothing any more and is to be run
 * @fired: LINK_TIMEOUTs whose time has come; added to from interrupts
 * @fired_work: takes back what those are for
 * @enter_wait: threads in ENTER; private, safe to wake from anywhere
 * @poll_wait: poll(2) and epoll; woken by @notify_work only
 * @notify_work: wakes @poll_wait from a context that holds no lock
 * @map_lock: guards the four below
 * @mappings: struct aring_mapping of each mm that has the ring mapped
 * @unmapped: of those whose last mapping went and was not dealt with yet
 * @nr_mappings: VMAs in all; read without the lock
 * @unmapping: somebody is at doing so
 * @unmap_work: cancels what an mm has submitted, after its last unmapping
 * @exit_work: ends the ring after the file is closed
 * @real_time: what happens by the monotonic clock
 * @rsrc: what is registered with the ring
 * @steer: rules, and what is held
 * @member: its place in a session, or NULL; set before anybody can reach the ring
 * @watched: likewise: the session wants to see what ends
 */
struct aring_ring {
	struct aring_shared	*shared;
	struct aring_sqe	*sqes;
	u32			*sq_array;
	size_t			shared_size;
	size_t			sqes_size;
	u32			sq_mask;
	u32			cq_mask;
	size_t			sqe_size;
	size_t			cqe_size;
	u32			setup_flags;
	u32			id;
	u32			process;
	unsigned int		hash_bits;
	struct task_struct	*submitter;
	struct task_struct	*owner;
	struct mem_cgroup	*memcg;
	struct aring_user	*user;
	unsigned long		max_threads;
	struct aring_sqpoll	*sqpoll;
	struct aring_timeline	*timeline;
	bool			closely;
	bool			on_virtual;
	u32			ring_nr;
	struct list_head	on_timeline;
	struct list_head	present;
	atomic_t		nr_real;

	struct mutex		submit_lock ____cacheline_aligned_in_smp;
	u32			sq_head;
	struct aring_req	*free;
	bool			drain_disabled;
	u8			odd;
	struct aring_device	*device;

	struct mutex		lock ____cacheline_aligned_in_smp;
	struct aring_bucket	*buckets;
	unsigned int		nr_inflight;
	u32			nr_listed;
	struct aring_req	*freed;
	unsigned int		nr_freed;
	bool			dying;
	bool			exiting;
	struct llist_head	reclaim;

	spinlock_t		work_lock ____cacheline_aligned_in_smp;
	struct rb_root_cached	run_list;
	unsigned int		nr_run;
	struct list_head	sleepers;
	struct aring_sleeper	*mover;
	struct aring_pool	bounded;
	struct aring_pool	unbounded;
	struct aring_pool	ready;
	struct aring_pool	owing;
	wait_queue_head_t	workers_gone;

	spinlock_t		cq_lock ____cacheline_aligned_in_smp;
	u32			cq_tail;
	u32			cq_room;
	bool			plain;
	u32			ordered;
	unsigned int		nr_overflow;
	u32			nr_timeouts;
	u64			nr_events;
	struct list_head	overflow;
	struct aring_order	order;
	struct list_head	counting;
	u32			nr_ended;
	u32			nr_deferred;
	struct list_head	deferred;
	unsigned int		nr_unblocked;
	struct list_head	unblocked;
	struct llist_head	fired;
	struct work_struct	fired_work;

	wait_queue_head_t	enter_wait ____cacheline_aligned_in_smp;
	wait_queue_head_t	poll_wait;
	struct irq_work		notify_work;

	/* Guards who has the ring mapped. */
	spinlock_t		map_lock;
	struct list_head	mappings;
	struct list_head	unmapped;
	unsigned int		nr_mappings;
	unsigned int		unmapping;
	struct work_struct	unmap_work;
	struct delayed_work	exit_work;

	struct aring_timeline	real_time;

	struct aring_resources	rsrc;
	struct aring_steering	steer;
	struct aring_member	*member;
	bool			watched;
};

/* The module's workqueue: ends rings, makes workers, cancels after munmap. */
extern struct workqueue_struct *aring_wq;

static inline u32 aring_sq_entries(const struct aring_ring *ring)
{
	return ring->sq_mask + 1;
}

static inline u32 aring_cq_entries(const struct aring_ring *ring)
{
	return ring->cq_mask + 1;
}

/**
 * aring_index_ready() - how many entries lie between two indices
 * @head: consumer's index
 * @tail: producer's index
 * @entries: size of the ring
 *
 * Both indices run freely and wrap at 2^32. An index that the program has
 * made nonsense of counts as a full ring.
 *
 * Return: at most @entries.
 */
static inline u32 aring_index_ready(u32 head, u32 tail, u32 entries)
{
	return min(tail - head, entries);
}

/* The SQE at an index; masked, so that not even a guess leaves the array. */
static __always_inline struct aring_sqe *
aring_sqe_at(const struct aring_ring *ring, u32 index)
{
	return (void *)ring->sqes +
	       (index & ring->sq_mask) * ring->sqe_size;
}

/* The CQE at a position. */
static __always_inline struct aring_cqe *
aring_cqe_at(const struct aring_ring *ring, u32 pos)
{
	return (void *)ring->shared->cqes +
	       (pos & ring->cq_mask) * ring->cqe_size;
}

/* CQEs that the program could reap now; a hint as soon as it is returned. */
static inline u32 aring_cq_ready(const struct aring_ring *ring)
{
	return READ_ONCE(ring->shared->cq.tail) -
	       READ_ONCE(ring->shared->cq.head);
}

/**
 * aring_is_virtual() - has the ring a virtual clock?
 * @ring: the ring
 *
 * Return: true if so; then it will always have that one.
 */
static __always_inline bool aring_is_virtual(const struct aring_ring *ring)
{
	/* Pairs with the store-release in aring_clock_give(). */
	return smp_load_acquire(&ring->on_virtual);
}

/* ring.c APIs */
struct aring_ring *aring_ring_create(struct aring_params *params);
void aring_ring_kill(struct aring_ring *ring);
void aring_ring_poke_exit(struct aring_ring *ring);

/* map.c APIs */
int aring_mmap(struct aring_ring *ring, struct vm_area_struct *vma);
void aring_map_init(struct aring_ring *ring);
void aring_map_exit(struct aring_ring *ring);
bool aring_map_rests(struct aring_ring *ring);

/* submit.c APIs */
int aring_submit(struct aring_ring *ring, u32 to_submit);

/* wait.c APIs */
int aring_wait(struct aring_ring *ring, const struct aring_enter *enter);

/* register.c APIs */
int aring_register(struct aring_ring *ring, const struct aring_register *reg);
int aring_info(struct aring_info __user *arg);

/* fdinfo.c APIs */
void aring_show_fdinfo(struct seq_file *m, struct file *file);

#endif /* ARING_RING_H */
