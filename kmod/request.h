/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One request: its slot, where it is listed, how it is found and reclaimed.
 */
#ifndef ARING_REQUEST_H
#define ARING_REQUEST_H

#include <linux/fs.h>
#include <linux/hrtimer.h>
#include <linux/list.h>
#include <linux/llist.h>
#include <linux/rbtree.h>
#include <linux/socket.h>
#include <linux/uio.h>
#include <linux/wait.h>

#include "ring.h"
#include "state.h"
#include "timeline.h"

struct aring_device;
struct aring_op;
struct cred;
struct page;

/**
 * enum aring_where - where a request may run after the submitter let go of it
 * @ARING_WHERE_ENTER: only in an ENTER of the program that submitted it
 * @ARING_WHERE_ANY: there if a thread sleeps in ENTER, else in a worker
 * @ARING_WHERE_PEER: in an unbounded worker: it may wait for a peer
 * @ARING_WHERE_DISK: in a bounded worker
 *
 * Which is right is decided in one place, where.c.
 */
enum aring_where {
	ARING_WHERE_ENTER,
	ARING_WHERE_ANY,
	ARING_WHERE_PEER,
	ARING_WHERE_DISK,
};

#define ARING_SQE_LINKS		(ARING_SQE_IO_LINK | ARING_SQE_IO_HARDLINK)
#define ARING_SQE_FLAGS \
	(ARING_SQE_FIXED_FILE | ARING_SQE_IO_DRAIN | ARING_SQE_LINKS | \
	 ARING_SQE_ASYNC | ARING_SQE_CQE_SKIP_SUCCESS)
/* io_uring's, which answers -EOPNOTSUPP; and the one bit that has no name */
#define ARING_SQE_BUFFER_SELECT	(1U << 5)
#define ARING_SQE_UNKNOWN	(1U << 7)
#define ARING_ENTER_FLAGS \
	(ARING_ENTER_GETEVENTS | ARING_ENTER_SQ_WAKEUP | \
	 ARING_ENTER_SQ_WAIT | ARING_ENTER_EXT_ARG)

/* So many completions are posted at a time at most: few slots suffice. */
#define ARING_BATCH	64U

/* &aring_req.flags */
#define ARING_REQ_FAIL		0x01	/* CQE_SKIP_SUCCESS does not apply */
#define ARING_REQ_LISTED	0x02	/* in the tables of requests in flight */
#define ARING_REQ_FILE_REF	0x04	/* @file is counted, not just borrowed */
#define ARING_REQ_COUNTED	0x08	/* a TIMEOUT that ended by itself */
#define ARING_REQ_CUR_POS	0x10	/* works at, and moves, the file position */
#define ARING_REQ_NOWAIT	0x20	/* the program asked for -EAGAIN */
#define ARING_REQ_NOTIFY	0x40	/* over, but for an event owed to fsnotify */
#define ARING_REQ_COUNTING	0x80	/* a TIMEOUT in &aring_ring.counting; cq_lock */
#define ARING_REQ_ASYNC		0x100	/* submitter captured; may outlive ENTER */
#define ARING_REQ_CLEANUP	0x200	/* the operation has something to give back */
#define ARING_REQ_BEGUN		0x400	/* stays STARTED on its way to a worker */
#define ARING_REQ_HOME		0x800	/* runs nowhere but in the submitter's ENTER */
#define ARING_REQ_LAUNCH	0x1000	/* had to wait for others, not tried yet */
#define ARING_REQ_LINKED	0x2000	/* in a chain, or behind a drain: see link.c */
#define ARING_REQ_ARMED		0x4000	/* a POLL_ADD in the file's wait queues */
#define ARING_REQ_RSRC		0x8000	/* @rsrc_file, @rsrc_buf are set */
#define ARING_REQ_FATE		0x10000	/* @steered is set */
#define ARING_REQ_REAL		0x20000	/* counted in &aring_ring.nr_real */
#define ARING_REQ_PARKED	0x100000	/* its CQE waited for its turn; see order.c */
#define ARING_REQ_TAG		0x200000	/* no SQE's: its CQE says that a resource is gone */

/**
 * struct aring_waiter - one entry in a foreign wait queue
 * @entry: the entry
 * @head: the queue, NULL when not in one; see waitq.c for who may clear it
 * @req: whose it is
 */
struct aring_waiter {
	wait_queue_entry_t	entry;
	wait_queue_head_t	*head;
	struct aring_req	*req;
};

/**
 * struct aring_rw - READ, WRITE, READV, WRITEV
 * @kiocb: as the file system sees it
 * @addr: user address of the buffer, or of the iovecs
 * @len: bytes, or number of iovecs
 * @rwf: RWF_*
 * @iov: for READV and WRITEV: own copy of the iovecs, @fast or allocated
 * @nr_segs: their number
 * @fast: room for a few of them
 * @total: bytes wanted in all
 * @done: bytes moved by earlier attempts
 * @through: O_DIRECT: one of the two, who asked and the device, is through with
 *	@kiocb
 * @ret: what the device said
 */
struct aring_rw {
	struct kiocb		kiocb;
	u64			addr;
	u32			len;
	rwf_t			rwf;
	struct iovec		*iov;
	unsigned long		nr_segs;
	size_t			total;
	size_t			done;
	atomic_t		through;
	int			ret;
	struct iovec		fast[UIO_FASTIOV];
};

/**
 * struct aring_sync - FSYNC
 * @off: first byte
 * @len: bytes, 0 for all
 * @flags: ARING_FSYNC_*
 */
struct aring_sync {
	loff_t			off;
	u32			len;
	u32			flags;
};

/**
 * struct aring_timeout - TIMEOUT
 * @timer: fires in interrupt context
 * @event: takes its place on a virtual clock
 * @time: as given
 * @flags: ARING_TIMEOUT_*
 * @off: number of completions, 0 for none
 * @target: value of &aring_ring.nr_events that ends it
 * @counting: in &aring_ring.counting; cq_lock
 */
struct aring_timeout {
	union {
		struct hrtimer		timer;
		struct aring_event	event;
	};
	struct timespec64	time;
	u32			flags;
	u32			off;
	u64			target;
	struct list_head	counting;
};

/**
 * struct aring_poll - POLL_ADD; the events are &aring_req.events
 * @multi: a CQE for each event
 */
struct aring_poll {
	bool			multi;
};

/**
 * struct aring_poll_update - POLL_REMOVE
 * @key: user_data of the POLL_ADD
 * @user_data: new user_data
 * @events: new events
 * @flags: ARING_POLL_*
 */
struct aring_poll_update {
	u64			key;
	u64			user_data;
	__poll_t		events;
	u32			flags;
};

/**
 * struct aring_net - SEND, RECV, SENDMSG, RECVMSG
 * @addr: user address of the buffer, or of the message header
 * @len: bytes of the buffer
 * @flags: MSG_* as given
 * @poll_first: do not try before the socket has been ready
 * @copied: what the program may forget has been copied
 * @partial: it has moved a part and waits for more; written by the owner, read
 *	under cq_lock by who wants to take it back
 * @total: bytes wanted in all
 * @done: bytes moved by earlier attempts
 * @iov: own copy of the iovecs of a message, @fast or allocated
 * @nr_segs: their number
 * @uname: user address of the peer's address
 * @name_len: its size
 * @control_len: bytes of control data, as given
 * @ucontrol: user address of the control data to receive
 * @control: own copy of the control data to send
 * @control_size: bytes allocated for it
 * @name: own copy of the address to send to
 * @fast: room for a few iovecs
 */
struct aring_net {
	u64			addr;
	u32			len;
	u32			flags;
	bool			poll_first;
	bool			copied;
	bool			partial;
	size_t			total;
	size_t			done;
	struct iovec		*iov;
	unsigned long		nr_segs;
	void __user		*uname;
	int			name_len;
	size_t			control_len;
	void __user		*ucontrol;
	void			*control;
	size_t			control_size;
	struct sockaddr_storage	name;
	struct iovec		fast[UIO_FASTIOV];
};

/**
 * struct aring_cancel - ASYNC_CANCEL and TIMEOUT_REMOVE
 * @key: user_data or ticket
 * @flags: ARING_ASYNC_CANCEL_* or ARING_TIMEOUT_*
 * @fd: for CANCEL_FD
 * @file: likewise, if it is a registered one, counted
 * @opcode: for CANCEL_OP
 * @time: for a TIMEOUT_REMOVE that updates
 */
struct aring_cancel {
	u64			key;
	u32			flags;
	s32			fd;
	struct file		*file;
	u8			opcode;
	struct timespec64	time;
};

/**
 * struct aring_vio - VREAD, VWRITE
 * @device: whose pages are held for it, NULL before and after
 * @addr: user address of the buffer
 * @off: first byte in the medium
 * @want: bytes asked for
 * @len: bytes that there are
 * @flags: ARING_VDEV_*
 * @time: nanoseconds that it takes: as given, or the way of the head not counted
 * @since: when it began to wait for a channel
 * @pages: pinned pages, @few or allocated, NULL if there are none
 * @nr_pages: how many
 * @waiting: in &aring_device.waiting; the device's lock
 * @entry: in &aring_device.started, then perhaps in &aring_device.done; likewise
 * @finish: once it is STARTED: its time is over
 * @few: room for a few of them
 */
struct aring_vio {
	struct aring_device	*device;
	u64			addr;
	u64			off;
	u32			want;
	u32			len;
	u32			flags;
	u64			time;
	u64			since;
	struct page		**pages;
	unsigned long		nr_pages;
	struct rb_node		waiting;
	struct list_head	entry;
	struct aring_event	finish;
	struct page		*few[4];
};

/**
 * struct aring_req - one request
 * @state: see state.h
 * @flags: ARING_REQ_*; the owner's
 * @opcode: ARING_OP_*
 * @sqe_flags: ARING_SQE_*
 * @op: row of the op table
 * @ring: the ring
 * @next: while it is on a list of one direction: free slots, a batch
 * @user_data: returned in the CQE
 * @res: result for the CQE
 * @cqe_flags: ARING_CQE_F_* for the CQE
 * @result: both, as they stand in the CQE
 * @ticket: SQ position it was taken from
 * @file: what the SQE's descriptor stood for, until it is let go
 * @rsrc_file: with ARING_REQ_RSRC: the registered file, or NULL; counted once
 *	ARING_REQ_ASYNC is set
 * @rsrc_buf: likewise the registered buffer
 * @reclaim: in &aring_ring.reclaim, once it is over
 * @by_data: in &aring_ring.buckets; lock
 * @by_ticket: likewise
 * @work_entry: in the run list or a worker's queue; work_lock
 * @work_queue: in which of them
 * @cq_entry: in &aring_ring.overflow once it is over, before that perhaps in
 *	&aring_ring.deferred or &aring_ring.unblocked; cq_lock
 * @parked: in &aring_order.parked once it is over; cq_lock
 * @link: what waits in the chain for this one to be over; cq_lock
 * @prev: what this one waits for in the chain; cq_lock
 * @pair: the LINK_TIMEOUT of this request, or what that one is for; cq_lock
 * @drain: it starts when all before it are over; cq_lock
 * @deferred: it waits for that, or behind one that does; cq_lock
 * @fired: in &aring_ring.fired: a LINK_TIMEOUT whose time has come
 * @match_file: the same, to compare only, until the request is reclaimed
 * @mm: address space of the submitter, pinned by mm_count only
 * @cred: credentials of the submitter
 * @files: descriptor table of the submitter; to compare, never to look into
 * @fs: root and working directory, likewise
 * @nsproxy: namespaces, likewise
 * @fsize: RLIMIT_FSIZE of the submitter
 * @where: see &enum aring_where
 * @peer: waits for a peer: it may be withdrawn even if STARTED
 * @timer_ready: @timeout's timer is set up
 * @placed: it may be or have been in one of those, or wait for other requests;
 *	set before it gets there, never taken back
 * @events: what it waits for, EPOLL*
 * @waiters: its entries in foreign wait queues; a tty needs two
 * @gone: the wait queue was torn down under it
 * @steered: with ARING_REQ_FATE: what is to be done to it
 * @seen: what its session sees of it, or NULL
 * @since: with CQE_TIMES: when time was last added to @spent; see edge.h
 * @spent: nanoseconds in each state that is not final
 * @rw: per operation
 * @sync: per operation
 * @timeout: per operation
 * @cancel: per operation
 * @net: per operation
 * @poll: per operation
 * @poll_update: per operation
 * @vio: per operation
 */
struct aring_req {
	aring_state_t		state;
	u32			flags;
	const struct aring_op	*op;
	struct aring_ring	*ring;
	struct aring_req	*next;
	u64			user_data;
	union {
		struct {
			s32	res;
			u32	cqe_flags;
		};
		u64		result;
	};
	u32			ticket;
	u8			opcode;
	u8			sqe_flags;
	struct file		*file;
	struct aring_rsrc	*rsrc_file;
	struct aring_rsrc	*rsrc_buf;

	union {
		struct aring_rw		rw;
		struct aring_sync	sync;
		struct aring_timeout	timeout;
		struct aring_cancel	cancel;
		struct aring_net	net;
		struct aring_poll	poll;
		struct aring_poll_update poll_update;
		struct aring_vio	vio;
	};

	/* From here on only what went asynchronous is touched. */
	struct llist_node	reclaim;
	struct list_head	by_data;
	struct hlist_node	by_ticket;
	struct rb_node		work_entry;
	struct rb_root_cached	*work_queue;
	struct list_head	cq_entry;
	struct rb_node		parked;
	struct aring_req	*link;
	struct aring_req	*prev;
	struct aring_req	*pair;
	bool			drain;
	bool			deferred;
	struct llist_node	fired;
	const void		*match_file;
	struct mm_struct	*mm;
	const struct cred	*cred;
	const void		*files;
	const void		*fs;
	const void		*nsproxy;
	unsigned long		fsize;
	enum aring_where	where;
	bool			peer;
	bool			timer_ready;
	bool			placed;
	__poll_t		events;
	bool			gone;
	struct aring_waiter	waiters[2];
	struct aring_steered	*steered;
	struct aring_seen	*seen;
	u64			since;
	u64			spent[ARING_STARTED + 1];
};

/**
 * aring_req_set_result() - note the result, before completing
 * @req: request the caller owns
 * @res: as the CQE will say
 *
 * A negative result counts as a failure. An operation that fails in another
 * way (a short read) sets ARING_REQ_FAIL itself.
 */
static inline void aring_req_set_result(struct aring_req *req, s32 res)
{
	req->res = res;
	if (unlikely(res < 0))
		req->flags |= ARING_REQ_FAIL;
}

/* Make of a slot what carries no more than a CQE, perhaps none: SUBMITTED. */
static inline void aring_req_init_bare(struct aring_req *req, u32 flags,
				       u8 sqe_flags, u32 ticket, u64 user_data)
{
	aring_state_init(&req->state);
	req->flags = flags;
	req->opcode = ARING_OP_NOP;
	req->sqe_flags = sqe_flags;
	req->ticket = ticket;
	req->user_data = user_data;
	req->result = 0;
	req->file = NULL;
}

/*
 * Has it this flag? For who does not own the request, a canceller above all. The flags
 * belong to whoever has it, who writes them without atomics: so one is asked for that
 * stays as it is once the request is listed, or a hint is enough.
 */
static __always_inline bool aring_req_peek(const struct aring_req *req,
					   unsigned int flag)
{
	/* The owner may be writing another flag. */
	return data_race(READ_ONCE(req->flags)) & flag;
}

/* Is anything to be done to it? Also for who does not own it: that stays. */
static __always_inline bool aring_req_has_fate(const struct aring_req *req)
{
	return unlikely(aring_req_peek(req, ARING_REQ_FATE));
}

/* The caller's credentials, referenced. */
static inline const struct cred *aring_get_cred(void)
{
	/* The kernel's function stores 0 over a 0 that all who share them have. */
	return data_race(get_current_cred());
}

/* In SQPOLL's thread: is it for the submitter's own ENTER only? */
static inline bool aring_req_is_elsewhere(const struct aring_req *req)
{
	return (current->flags & PF_KTHREAD) && req->where == ARING_WHERE_ENTER;
}

/* request.c APIs */
int aring_req_cache_init(void);
void aring_req_cache_exit(void);
bool aring_req_refill(struct aring_ring *ring);
void aring_req_free_all(struct aring_ring *ring);
bool aring_req_list_locked(struct aring_req *req);
bool aring_req_list(struct aring_req *req);
enum aring_where aring_req_where(const struct aring_req *req);
void aring_req_go_async(struct aring_req *req);
void aring_req_release(struct aring_req *req);
void aring_req_put_file(struct aring_req *req);
void aring_reclaim(struct aring_ring *ring);
void aring_reclaim_now(struct aring_ring *ring);
struct aring_req *aring_find_by_data(struct aring_ring *ring, u64 user_data,
				     int opcode);
struct aring_req *aring_find_by_ticket(struct aring_ring *ring, u32 ticket);
struct aring_bucket *aring_bucket(struct aring_ring *ring, u64 key);

/* complete.c APIs */
void aring_complete(struct aring_req *req);
void aring_complete_ripe(struct aring_req *req);
void aring_complete_withdrawn(struct aring_req *req);
void aring_complete_cancelled(struct aring_req *req);
void aring_complete_batch(struct aring_ring *ring, struct aring_req *first);
bool aring_queue_or_cancel_quiet(struct aring_req *req, bool *again);
bool aring_queue_or_cancel(struct aring_req *req, bool *again);
void aring_post_dropped(struct aring_ring *ring, struct aring_req *req,
			bool silent);
bool aring_post_more(struct aring_req *req, s32 res);
bool aring_overflow_flush(struct aring_ring *ring);
void aring_overflow_drop(struct aring_ring *ring);
void aring_post_instant(struct aring_ring *ring);
void aring_cq_wake(struct aring_ring *ring);

/* cancel.c APIs */
#define ARING_CANCEL_FLAGS \
	(ARING_ASYNC_CANCEL_ALL | ARING_ASYNC_CANCEL_FD | \
	 ARING_ASYNC_CANCEL_ANY | ARING_ASYNC_CANCEL_FD_FIXED | \
	 ARING_ASYNC_CANCEL_USERDATA | \
	 ARING_ASYNC_CANCEL_OP | ARING_ASYNC_CANCEL_TICKET)
int aring_cancel_check(const struct aring_cancel *cancel);
int aring_cancel_one(struct aring_req *req, const struct aring_req *by);
int aring_cancel(struct aring_ring *ring, const struct aring_cancel *cancel,
		 struct file *file, const struct aring_req *by);
void aring_cancel_all(struct aring_ring *ring, const struct mm_struct *mm);

/* op_poll.c APIs: what waitq.c calls */
void aring_poll_wake(struct aring_req *req, struct aring_waiter *waiter,
		     __poll_t mask);

/* waitq.c APIs */
int aring_waitq_arm(struct aring_req *req, __poll_t events, __poll_t *mask);
void aring_waitq_disarm(struct aring_req *req);

/* link.c APIs: what complete.c asks, under cq_lock */

/**
 * struct aring_after - what is to be done after a member of a chain
 * @timeout: its LINK_TIMEOUT, to be ended
 * @next: the member that waited for it
 * @broken: it failed: the rest of the chain is not to be run
 * @silent: and posts no CQEs
 */
struct aring_after {
	struct aring_req	*timeout;
	struct aring_req	*next;
	bool			broken;
	bool			silent;
};

void aring_link_leave(struct aring_req *req, struct aring_after *after);
void aring_link_after(struct aring_ring *ring,
		      const struct aring_after *after);
void aring_drain_release(struct aring_ring *ring);
struct aring_req *aring_link_unblocked(struct aring_ring *ring);
bool aring_link_limit(struct aring_req *req, u32 *ticket);
void aring_link_arm(struct aring_ring *ring, u32 ticket);
void aring_link_arm_for(struct aring_req *req);
void aring_timeout_arm(struct aring_req *req);
void aring_timeout_stop(struct aring_req *req);
void aring_timeout_expire(struct aring_req *req);
void aring_link_fire(struct aring_req *timeout);
void aring_link_fire_now(struct aring_req *timeout);
bool aring_link_waits(const struct aring_req *req);
void aring_link_init(struct aring_ring *ring);
void aring_link_exit(struct aring_ring *ring);

/* Is there nothing for anybody to run? */
static __always_inline bool aring_run_idle(const struct aring_ring *ring)
{
	if (READ_ONCE(ring->nr_run))
		return false;
	/* A hint: it may change at any time. */
	return data_race(RB_EMPTY_ROOT(&ring->ready.queue.rb_root));
}

/* attempt.c APIs */
void aring_run_one(struct aring_req *req);
void aring_run_withdraw(struct aring_req *req);
void aring_run_end(struct aring_req *req, int ret);
void aring_run_async(struct aring_req *req);
bool aring_run_fail(struct aring_req *req);
void aring_run_launch(struct aring_req *req);
void aring_run_when_ready(struct aring_req *req);

/* run.c APIs */
bool aring_run_some_unblocked(struct aring_ring *ring, unsigned int nr);
void aring_run_unblocked(struct aring_ring *ring);
bool aring_ready_hold(struct aring_ring *ring);
void aring_ready_let_go(struct aring_ring *ring);
void aring_mover_begin(struct aring_ring *ring, struct aring_sleeper *mover);
void aring_mover_end(struct aring_ring *ring);
bool aring_mover_pending(struct aring_ring *ring);
void aring_mover_run(struct aring_ring *ring);
bool aring_run_rests(struct aring_ring *ring);
bool aring_is_at_home(const struct aring_req *req);
void aring_run_wake(struct aring_req *req);
void aring_run_woken(struct aring_req *req);
void aring_run_queued(struct aring_req *req);
void aring_run_unlist(struct aring_req *req);
bool aring_run_pending(struct aring_ring *ring);
unsigned int aring_run_all(struct aring_ring *ring);
void aring_run_handoff(struct aring_ring *ring);

/* Run what waits for a thread like this one. No lock of @ring is held. */
static __always_inline void aring_run(struct aring_ring *ring)
{
	if (unlikely(!aring_run_idle(ring)))
		aring_run_all(ring);
}

/**
 * struct aring_sleeper - a thread in the waiting half of ENTER
 * @list: in &aring_ring.sleepers; work_lock
 * @task: the thread
 * @mm: its address space
 * @files: its descriptor table
 * @fs: its root and working directory
 * @nsproxy: its namespaces
 */
struct aring_sleeper {
	struct list_head	list;
	struct task_struct	*task;
	const void		*mm;
	const void		*files;
	const void		*fs;
	const void		*nsproxy;
};

void aring_sleeper_add(struct aring_ring *ring, struct aring_sleeper *sleeper);
void aring_sleeper_del(struct aring_ring *ring, struct aring_sleeper *sleeper);

#endif /* ARING_REQUEST_H */
