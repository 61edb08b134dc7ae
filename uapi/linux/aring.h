/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * aring: a shared-memory submission/completion ring behind a device node.
 *
 * One open file of /dev/aring is one ring. The life of a program that uses it:
 *
 *   fd = open("/dev/aring", O_RDWR | O_CLOEXEC);
 *   ioctl(fd, ARING_IOC_SETUP, &params);	sizes in, sizes and offsets out
 *   mmap(fd, ARING_OFF_SQ_RING), mmap(fd, ARING_OFF_SQES)
 *   write SQEs, advance the SQ tail
 *   ioctl(fd, ARING_IOC_ENTER, &enter);	submit, and wait for completions
 *   read CQEs, advance the CQ head		no call is needed for this
 *
 * Everything shared with io_uring as of Linux 6.1 has io_uring's layout,
 * numbers, meaning and result codes, so io_uring's manual pages describe it.
 * What is aring's own lives where io_uring has nothing: opcodes from 128, set-up
 * and cancel flags from bit 31 downwards, and ioctls. What aring lacks fails
 * as it does on a kernel that lacks it: -EINVAL, and absent from
 * ARING_REGISTER_PROBE and from &aring_params.features.
 *
 * Accepted as a pure hint, validated and without effect:
 * ARING_SETUP_COOP_TASKRUN, ARING_SETUP_TASKRUN_FLAG and
 * ARING_SETUP_DEFER_TASKRUN.
 *
 * 64-bit programs only: an ioctl from a 32-bit program answers -ENOTTY.
 */
#ifndef _UAPI_LINUX_ARING_H
#define _UAPI_LINUX_ARING_H

#include <linux/ioctl.h>
#include <linux/types.h>
#include <linux/time_types.h>

/** ARING_ABI_VERSION - raised whenever something is added to this header. */
#define ARING_ABI_VERSION	3

/** ARING_MAX_ENTRIES - largest submission queue. */
#define ARING_MAX_ENTRIES	32768U
/** ARING_MAX_CQ_ENTRIES - largest completion queue. */
#define ARING_MAX_CQ_ENTRIES	65536U

/**
 * struct aring_sqe - submission queue entry, 64 bytes
 * @opcode: ARING_OP_*
 * @flags: ARING_SQE_*
 * @ioprio: I/O priority as ioprio_set(2) packs it, 0 for the caller's own;
 *	sending and receiving: ARING_RECVSEND_*
 * @fd: file descriptor the operation works on, with ARING_SQE_FIXED_FILE an
 *	index into the registered files
 * @off: byte offset in the file, or -1 for the file position; VREAD and VWRITE:
 *	byte offset in the medium; TIMEOUT: number of
 *	completions after which it ends; POLL_REMOVE with UPDATE_USER_DATA: the new
 *	user_data
 * @addr2: second address; TIMEOUT_REMOVE with UPDATE: pointer to the new time;
 *	SEND: address to send to, @addr_len bytes; must be 0 for SENDMSG, RECV and
 *	RECVMSG
 * @addr: buffer, iovec array, struct msghdr or timespec; for cancelling and
 *	updating the key to look for
 * @len: bytes, number of iovecs, or 1 for the one timespec; polls: ARING_POLL_*
 * @rw_flags: RWF_* as for preadv2(2)
 * @fsync_flags: ARING_FSYNC_*
 * @poll_events: EPOLL*, of which the lower half
 * @poll32_events: EPOLL*, on a big-endian machine with its halves swapped
 * @msg_flags: MSG_* as for sendmsg(2) and recvmsg(2)
 * @timeout_flags: ARING_TIMEOUT_*
 * @cancel_flags: ARING_ASYNC_CANCEL_*
 * @op_flags: the same word, for code that does not care which operation it is
 * @user_data: returned untouched in the CQE
 * @buf_index: READ_FIXED and WRITE_FIXED: which registered buffer; must be 0 for
 *	FSYNC, polls and all that has to do with timeouts, else unused
 * @personality: registered credentials to use, or 0
 * @splice_fd_in: must be 0 for FSYNC, timeouts, POLL_REMOVE, ASYNC_CANCEL and
 *	what sends or receives, but for SEND; else unused
 * @file_index: the same word
 * @addr_len: SEND: size of the address at @addr2
 * @__pad3: SEND: must be 0
 * @vdev_flags: ARING_VDEV_*
 * @addr3: VREAD and VWRITE with ARING_VDEV_TIME: nanoseconds that the device
 *	takes; must be 0 for them without, and for timeouts; else unused
 * @__pad2: likewise
 */
struct aring_sqe {
	__u8	opcode;
	__u8	flags;
	__u16	ioprio;
	__s32	fd;
	union {
		__u64	off;
		__u64	addr2;
	};
	__u64	addr;
	__u32	len;
	union {
		__u32	rw_flags;
		__u32	fsync_flags;
		__u16	poll_events;
		__u32	poll32_events;
		__u32	msg_flags;
		__u32	timeout_flags;
		__u32	cancel_flags;
		__u32	vdev_flags;
		__u32	op_flags;
	};
	__u64	user_data;
	__u16	buf_index;
	__u16	personality;
	union {
		__s32	splice_fd_in;
		__u32	file_index;
		struct {
			__u16	addr_len;
			__u16	__pad3[1];
		};
	};
	__u64	addr3;
	__u64	__pad2[1];
};

/**
 * struct aring_cqe - completion queue entry, 16 bytes
 * @user_data: what the SQE carried
 * @res: result: as the plain system call's, or a negative errno
 * @flags: ARING_CQE_F_*
 *
 * In a ring made with ARING_SETUP_CQE32 each entry is followed by 16 more bytes:
 * a struct aring_cqe_times with ARING_SETUP_CQE_TIMES, else zeros.
 */
struct aring_cqe {
	__u64	user_data;
	__s32	res;
	__u32	flags;
};

/**
 * struct aring_cqe_times - how long a request was in which state, 16 bytes
 * @queued: nanoseconds QUEUED, all stays added up
 * @started: nanoseconds STARTED, likewise; 2^32 - 1 for that and more
 * @submitted: nanoseconds SUBMITTED; 2^32 - 1 for that and more
 *
 * On the ring's clock: on a virtual one what takes no virtual time takes 0.
 * In the CQE of an event that is not the last of its request (ARING_CQE_F_MORE)
 * they are those until then. A CQE that belongs to no request (the tag of a
 * resource) has zeros.
 */
struct aring_cqe_times {
	__u64	queued;
	__u32	started;
	__u32	submitted;
};

/* &aring_cqe.flags */
#define ARING_CQE_F_MORE		(1U << 1)	/* more CQEs of this request follow */
#define ARING_CQE_F_SOCK_NONEMPTY	(1U << 2)	/* there was more to receive */

/**
 * enum aring_opcode - what an SQE asks for
 * @ARING_OP_NOP: complete with 0
 * @ARING_OP_READV: preadv2(2)
 * @ARING_OP_WRITEV: pwritev2(2)
 * @ARING_OP_FSYNC: fsync(2), fdatasync(2)
 * @ARING_OP_READ_FIXED: pread(2) into a registered buffer
 * @ARING_OP_WRITE_FIXED: pwrite(2) from a registered buffer
 * @ARING_OP_POLL_ADD: wait for events of a file, once or again and again
 * @ARING_OP_POLL_REMOVE: take a POLL_ADD back, or change it
 * @ARING_OP_SENDMSG: sendmsg(2)
 * @ARING_OP_RECVMSG: recvmsg(2)
 * @ARING_OP_TIMEOUT: -ETIME after a time, or 0 after a number of completions
 * @ARING_OP_TIMEOUT_REMOVE: take a TIMEOUT back, or change its time
 * @ARING_OP_ASYNC_CANCEL: take requests back; the result is the verdict
 * @ARING_OP_LINK_TIMEOUT: take the request before it in the chain back after a
 *	time
 * @ARING_OP_READ: pread(2)
 * @ARING_OP_WRITE: pwrite(2)
 * @ARING_OP_SEND: send(2), or sendto(2) with an address
 * @ARING_OP_RECV: recv(2)
 * @ARING_OP_VREAD: read from the ring's virtual device (ARING_IOC_VDEV)
 * @ARING_OP_VWRITE: write to it
 *
 * The numbers between are io_uring's and answer -EINVAL. The numbers from 128
 * on are for operations that io_uring does not have.
 */
enum aring_opcode {
	ARING_OP_NOP		= 0,
	ARING_OP_READV		= 1,
	ARING_OP_WRITEV		= 2,
	ARING_OP_FSYNC		= 3,
	ARING_OP_READ_FIXED	= 4,
	ARING_OP_WRITE_FIXED	= 5,
	ARING_OP_POLL_ADD	= 6,
	ARING_OP_POLL_REMOVE	= 7,
	ARING_OP_SENDMSG	= 9,
	ARING_OP_RECVMSG	= 10,
	ARING_OP_TIMEOUT	= 11,
	ARING_OP_TIMEOUT_REMOVE	= 12,
	ARING_OP_ASYNC_CANCEL	= 14,
	ARING_OP_LINK_TIMEOUT	= 15,
	ARING_OP_READ		= 22,
	ARING_OP_WRITE		= 23,
	ARING_OP_SEND		= 26,
	ARING_OP_RECV		= 27,
	ARING_OP_VREAD		= 128,
	ARING_OP_VWRITE		= 129,
};

/*
 * &aring_sqe.flags; the bit left out, io_uring's BUFFER_SELECT, answers
 * -EOPNOTSUPP, the highest one -EINVAL.
 */
#define ARING_SQE_FIXED_FILE		(1U << 0)	/* fd is an index of a registered file */
#define ARING_SQE_IO_DRAIN		(1U << 1)	/* start when all before it are over */
#define ARING_SQE_IO_LINK		(1U << 2)	/* the next starts when this succeeded */
#define ARING_SQE_IO_HARDLINK		(1U << 3)	/* likewise, even if it failed */
#define ARING_SQE_ASYNC			(1U << 4)	/* do not try inline first */
#define ARING_SQE_CQE_SKIP_SUCCESS	(1U << 6)	/* no CQE unless it failed */

/* &aring_sqe.fsync_flags */
#define ARING_FSYNC_DATASYNC		(1U << 0)

/* &aring_sqe.timeout_flags */
#define ARING_TIMEOUT_ABS		(1U << 0)
#define ARING_TIMEOUT_UPDATE		(1U << 1)
#define ARING_TIMEOUT_BOOTTIME		(1U << 2)
#define ARING_TIMEOUT_REALTIME		(1U << 3)
#define ARING_LINK_TIMEOUT_UPDATE	(1U << 4)
#define ARING_TIMEOUT_ETIME_SUCCESS	(1U << 5)
#define ARING_TIMEOUT_CLOCK_MASK	(ARING_TIMEOUT_BOOTTIME | \
					 ARING_TIMEOUT_REALTIME)
#define ARING_TIMEOUT_UPDATE_MASK	(ARING_TIMEOUT_UPDATE | \
					 ARING_LINK_TIMEOUT_UPDATE)

/* &aring_sqe.len of POLL_ADD and POLL_REMOVE */
#define ARING_POLL_ADD_MULTI		(1U << 0)	/* a CQE for each event */
#define ARING_POLL_UPDATE_EVENTS	(1U << 1)	/* POLL_REMOVE: new events */
#define ARING_POLL_UPDATE_USER_DATA	(1U << 2)	/* POLL_REMOVE: new user_data */
#define ARING_POLL_ADD_LEVEL		(1U << 3)	/* -EINVAL, as on Linux 6.1 */

/* &aring_sqe.vdev_flags of VREAD and VWRITE */
#define ARING_VDEV_TIME			(1U << 0)	/* the service time is in addr3 */

/* &aring_sqe.ioprio of SEND, RECV, SENDMSG and RECVMSG */
#define ARING_RECVSEND_POLL_FIRST	(1U << 0)	/* wait for readiness, then try */

/*
 * &aring_sqe.cancel_flags. The verdict is exact: 0 means taken back, and the
 * target's CQE says -ECANCELED; -EALREADY means it had started, and its own
 * result follows (a socket or pipe read that then finds nothing to transfer
 * may still say -ECANCELED); -ENOENT means that nothing matched, and if the
 * target ever existed its CQE is already ahead of this one. With ALL or ANY
 * the result is the number of requests found.
 */
#define ARING_ASYNC_CANCEL_ALL		(1U << 0)	/* all that match */
#define ARING_ASYNC_CANCEL_FD		(1U << 1)	/* match the file of @fd */
#define ARING_ASYNC_CANCEL_ANY		(1U << 2)	/* every request */
#define ARING_ASYNC_CANCEL_FD_FIXED	(1U << 3)	/* @fd is an index */
#define ARING_ASYNC_CANCEL_USERDATA	(1U << 4)	/* user_data as well as the others */
#define ARING_ASYNC_CANCEL_OP		(1U << 5)	/* match the opcode in @len */
/*
 * aring's own: @addr is not user_data but the submission ticket: the SQ
 * position (the value of the SQ head, 32 bits, zero-extended) at which the
 * target was consumed. user_data may be in use twice; a ticket never is.
 */
#define ARING_ASYNC_CANCEL_TICKET	(1U << 31)

/* &aring_params.flags; the bits left out answer -EINVAL. */
#define ARING_SETUP_SQPOLL		(1U << 1)	/* a kernel thread submits */
#define ARING_SETUP_SQ_AFF		(1U << 2)	/* it runs on sq_thread_cpu */
#define ARING_SETUP_CQSIZE		(1U << 3)	/* cq_entries is given */
#define ARING_SETUP_CLAMP		(1U << 4)	/* clamp sizes to the limits */
#define ARING_SETUP_R_DISABLED		(1U << 6)	/* start disabled */
#define ARING_SETUP_SUBMIT_ALL		(1U << 7)	/* go on after a bad SQE */
#define ARING_SETUP_COOP_TASKRUN	(1U << 8)	/* hint */
#define ARING_SETUP_TASKRUN_FLAG	(1U << 9)	/* hint */
#define ARING_SETUP_SQE128		(1U << 10)	/* SQEs of 128 bytes */
#define ARING_SETUP_CQE32		(1U << 11)	/* CQEs of 32 bytes */
#define ARING_SETUP_SINGLE_ISSUER	(1U << 12)	/* one task submits */
#define ARING_SETUP_DEFER_TASKRUN	(1U << 13)	/* hint */
/* aring's own: all ring indices start at &aring_params.first_index. */
#define ARING_SETUP_FIRST_INDEX		(1U << 31)
/* aring's own, needs CQE32: each CQE says how long its request was in which state. */
#define ARING_SETUP_CQE_TIMES		(1U << 30)
/*
 * aring's own: the order of CQEs. Without either of these two it is that in
 * which requests happen to finish. With COMPLETION_ORDER it is that of their
 * finishing times, of equal ones the lower ticket first. With SUBMISSION_ORDER it
 * is that of their tickets: the CQE of a request that has finished waits for those
 * of all before it; the CQEs of a multishot request before its last wait for
 * nothing. Both together: -EINVAL. Only CQEs are ordered by this: what two
 * writes leave where they overlap follows the order of finishing.
 */
#define ARING_SETUP_COMPLETION_ORDER	(1U << 29)
#define ARING_SETUP_SUBMISSION_ORDER	(1U << 28)

/* &aring_params.features */
#define ARING_FEAT_SINGLE_MMAP		(1U << 0)	/* one mmap for SQ and CQ ring */
#define ARING_FEAT_NODROP		(1U << 1)	/* no completion is lost */
#define ARING_FEAT_SUBMIT_STABLE	(1U << 2)	/* SQE data may go after ENTER */
#define ARING_FEAT_RW_CUR_POS		(1U << 3)	/* off -1 is the file position */
#define ARING_FEAT_CUR_PERSONALITY	(1U << 4)	/* credentials are the submitter's */
#define ARING_FEAT_FAST_POLL		(1U << 5)	/* waiting costs no thread */
#define ARING_FEAT_POLL_32BITS		(1U << 6)	/* polls take all EPOLL* bits */
#define ARING_FEAT_SQPOLL_NONFIXED	(1U << 7)	/* SQPOLL takes plain descriptors */
#define ARING_FEAT_EXT_ARG		(1U << 8)	/* ENTER takes aring_getevents_arg */
#define ARING_FEAT_RSRC_TAGS		(1U << 10)	/* registered resources have tags */
#define ARING_FEAT_CQE_SKIP		(1U << 11)	/* ARING_SQE_CQE_SKIP_SUCCESS */

/**
 * struct aring_sq_offsets - where the submission ring's fields are
 * @head: u32 index, written by the kernel: SQEs consumed so far
 * @tail: u32 index, written by the program: SQEs offered so far
 * @ring_mask: u32, ring_entries - 1
 * @ring_entries: u32, a power of two
 * @flags: u32, ARING_SQ_*
 * @dropped: u32, array entries out of range that were passed over
 * @array: u32[ring_entries], indices into the array of SQEs
 * @resv1: 0
 * @resv2: 0
 *
 * All offsets are in bytes from the start of the mapping at ARING_OFF_SQ_RING.
 */
struct aring_sq_offsets {
	__u32	head;
	__u32	tail;
	__u32	ring_mask;
	__u32	ring_entries;
	__u32	flags;
	__u32	dropped;
	__u32	array;
	__u32	resv1;
	__u64	resv2;
};

/**
 * struct aring_cq_offsets - where the completion ring's fields are
 * @head: u32 index, written by the program: CQEs reaped so far
 * @tail: u32 index, written by the kernel: CQEs posted so far
 * @ring_mask: u32, ring_entries - 1
 * @ring_entries: u32, a power of two
 * @overflow: u32, always 0: no completion is ever lost
 * @cqes: struct aring_cqe[ring_entries]
 * @flags: u32, ARING_CQ_*, written by the program
 * @resv1: 0
 * @resv2: 0
 */
struct aring_cq_offsets {
	__u32	head;
	__u32	tail;
	__u32	ring_mask;
	__u32	ring_entries;
	__u32	overflow;
	__u32	cqes;
	__u32	flags;
	__u32	resv1;
	__u64	resv2;
};

/* The word at &aring_sq_offsets.flags */
#define ARING_SQ_NEED_WAKEUP	(1U << 0)	/* SQPOLL's thread sleeps: ENTER with SQ_WAKEUP */
#define ARING_SQ_CQ_OVERFLOW	(1U << 1)	/* CQEs wait for room: ENTER with GETEVENTS */
#define ARING_SQ_TASKRUN	(1U << 2)	/* requests wait for a thread in ENTER */

/* The word at &aring_cq_offsets.flags, written by the program */
#define ARING_CQ_EVENTFD_DISABLED	(1U << 0)	/* do not signal the eventfd */

/**
 * struct aring_params - argument of ARING_IOC_SETUP
 * @sq_entries: in: wanted size; out: actual size, a power of two
 * @cq_entries: in: wanted size with ARING_SETUP_CQSIZE; out: actual size
 * @flags: ARING_SETUP_*
 * @sq_thread_cpu: with ARING_SETUP_SQ_AFF the CPU of the thread, else ignored
 * @sq_thread_idle: with ARING_SETUP_SQPOLL milliseconds without work after which
 *	the thread sleeps, 0 for 1000, else ignored
 * @features: out: ARING_FEAT_*
 * @wq_fd: ignored, as io_uring ignores it without ATTACH_WQ
 * @first_index: with ARING_SETUP_FIRST_INDEX the first value of every ring
 *	index and of the tickets, else 0
 * @resv: must be 0
 * @sq_off: out
 * @cq_off: out
 */
struct aring_params {
	__u32	sq_entries;
	__u32	cq_entries;
	__u32	flags;
	__u32	sq_thread_cpu;
	__u32	sq_thread_idle;
	__u32	features;
	__u32	wq_fd;
	__u32	first_index;
	__u32	resv[2];
	struct aring_sq_offsets sq_off;
	struct aring_cq_offsets cq_off;
};

/* Offsets for mmap(2), MAP_SHARED */
#define ARING_OFF_SQ_RING	0ULL
#define ARING_OFF_CQ_RING	0x8000000ULL
#define ARING_OFF_SQES		0x10000000ULL

/* &aring_enter.flags */
#define ARING_ENTER_GETEVENTS	(1U << 0)	/* wait for min_complete CQEs */
#define ARING_ENTER_SQ_WAKEUP	(1U << 1)	/* wake SQPOLL's thread */
#define ARING_ENTER_SQ_WAIT	(1U << 2)	/* wait until the SQ has room */
#define ARING_ENTER_EXT_ARG	(1U << 3)	/* arg is struct aring_getevents_arg */

/**
 * struct aring_enter - argument of ARING_IOC_ENTER
 * @to_submit: take at most this many SQEs
 * @min_complete: with GETEVENTS: return once this many CQEs are present
 * @flags: ARING_ENTER_*
 * @argsz: size of what @arg points to, in bytes
 * @arg: NULL, a sigset_t of the kernel's size (8), or with EXT_ARG a struct
 *	aring_getevents_arg
 *
 * The ioctl returns the number of SQEs consumed, else 0, else an error.
 */
struct aring_enter {
	__u32	to_submit;
	__u32	min_complete;
	__u32	flags;
	__u32	argsz;
	__u64	arg;
};

/**
 * struct aring_getevents_arg - extended argument of a wait
 * @sigmask: pointer to a signal mask for the wait, or 0
 * @sigmask_sz: its size, 8
 * @pad: must be 0
 * @ts: pointer to a struct __kernel_timespec, relative, monotonic, or 0
 */
struct aring_getevents_arg {
	__u64	sigmask;
	__u32	sigmask_sz;
	__u32	pad;
	__u64	ts;
};

/* &aring_register.opcode; the numbers left out are io_uring's: -EINVAL */
#define ARING_REGISTER_BUFFERS		0
#define ARING_UNREGISTER_BUFFERS	1
#define ARING_REGISTER_FILES		2
#define ARING_UNREGISTER_FILES		3
#define ARING_REGISTER_EVENTFD		4
#define ARING_UNREGISTER_EVENTFD	5
#define ARING_REGISTER_FILES_UPDATE	6
#define ARING_REGISTER_EVENTFD_ASYNC	7
#define ARING_REGISTER_PROBE		8
#define ARING_REGISTER_PERSONALITY	9
#define ARING_UNREGISTER_PERSONALITY	10
#define ARING_REGISTER_RESTRICTIONS	11
#define ARING_REGISTER_ENABLE_RINGS	12
#define ARING_REGISTER_FILES2		13
#define ARING_REGISTER_FILES_UPDATE2	14
#define ARING_REGISTER_BUFFERS2		15
#define ARING_REGISTER_BUFFERS_UPDATE	16
#define ARING_REGISTER_SYNC_CANCEL	24
#define ARING_REGISTER_FILE_ALLOC_RANGE	25

/**
 * struct aring_register - argument of ARING_IOC_REGISTER
 * @opcode: ARING_REGISTER_*
 * @nr_args: number of elements at @arg
 * @arg: pointer, meaning depends on @opcode
 */
struct aring_register {
	__u32	opcode;
	__u32	nr_args;
	__u64	arg;
};

/* &aring_rsrc_register.flags: all slots empty, no @data */
#define ARING_RSRC_REGISTER_SPARSE	(1U << 0)

/* In a list of descriptors for an update: leave this slot as it is. */
#define ARING_REGISTER_FILES_SKIP	(-2)

/**
 * struct aring_files_update - argument of ARING_REGISTER_FILES_UPDATE
 * @offset: first slot
 * @resv: must be 0
 * @fds: pointer to __s32 descriptors, -1 to empty a slot
 */
struct aring_files_update {
	__u32	offset;
	__u32	resv;
	__aligned_u64 fds;
};

/**
 * struct aring_rsrc_register - argument of ARING_REGISTER_FILES2 and BUFFERS2
 * @nr: number of slots
 * @flags: ARING_RSRC_REGISTER_*
 * @resv2: must be 0
 * @data: pointer to __s32 descriptors, or to struct iovec
 * @tags: pointer to __u64 tags, or 0: the user_data of a CQE that is posted when
 *	an update has taken the resource out of its slot and no request uses it
 *	any more; 0 for none. UNREGISTER posts none, as on Linux 6.1.
 */
struct aring_rsrc_register {
	__u32	nr;
	__u32	flags;
	__u64	resv2;
	__aligned_u64 data;
	__aligned_u64 tags;
};

/**
 * struct aring_rsrc_update2 - argument of FILES_UPDATE2 and BUFFERS_UPDATE
 * @offset: first slot
 * @resv: must be 0
 * @data: as in &struct aring_rsrc_register
 * @tags: likewise
 * @nr: number of slots
 * @resv2: must be 0
 */
struct aring_rsrc_update2 {
	__u32	offset;
	__u32	resv;
	__aligned_u64 data;
	__aligned_u64 tags;
	__u32	nr;
	__u32	resv2;
};

/* &aring_restriction.opcode */
#define ARING_RESTRICTION_REGISTER_OP		0	/* allow a register opcode */
#define ARING_RESTRICTION_SQE_OP		1	/* allow an operation */
#define ARING_RESTRICTION_SQE_FLAGS_ALLOWED	2	/* allow SQE flags */
#define ARING_RESTRICTION_SQE_FLAGS_REQUIRED	3	/* demand SQE flags */

/**
 * struct aring_restriction - element of ARING_REGISTER_RESTRICTIONS' argument
 * @opcode: ARING_RESTRICTION_*
 * @register_op: what is allowed: ARING_REGISTER_*
 * @sqe_op: ARING_OP_*
 * @sqe_flags: ARING_SQE_*
 * @resv: must be 0
 * @resv2: must be 0
 */
struct aring_restriction {
	__u16	opcode;
	union {
		__u8	register_op;
		__u8	sqe_op;
		__u8	sqe_flags;
	};
	__u8	resv;
	__u32	resv2[3];
};

/**
 * struct aring_file_index_range - argument of ARING_REGISTER_FILE_ALLOC_RANGE
 * @off: first slot
 * @len: number of slots
 * @resv: must be 0
 */
struct aring_file_index_range {
	__u32	off;
	__u32	len;
	__u64	resv;
};

#define ARING_OP_SUPPORTED	(1U << 0)

/**
 * struct aring_probe_op - one operation in struct aring_probe
 * @op: opcode
 * @resv: 0
 * @flags: ARING_OP_SUPPORTED or 0
 * @resv2: 0
 */
struct aring_probe_op {
	__u8	op;
	__u8	resv;
	__u16	flags;
	__u32	resv2;
};

/**
 * struct aring_probe - argument of ARING_REGISTER_PROBE
 * @last_op: out: highest opcode known
 * @ops_len: out: number of elements filled in @ops
 * @resv: 0
 * @resv2: 0
 * @ops: room for as many elements as &aring_register.nr_args says, at most 256
 *
 * The whole structure must be zero when it is passed in.
 */
struct aring_probe {
	__u8	last_op;
	__u8	ops_len;
	__u16	resv;
	__u32	resv2[3];
	struct aring_probe_op ops[];
};

/**
 * struct aring_sync_cancel_reg - argument of ARING_REGISTER_SYNC_CANCEL
 * @addr: key, as &aring_sqe.addr of ARING_OP_ASYNC_CANCEL
 * @fd: with ARING_ASYNC_CANCEL_FD, and perhaps FD_FIXED
 * @flags: ARING_ASYNC_CANCEL_*
 * @timeout: how long to wait for what had already started; -1, -1 for ever
 * @pad: must be 0
 */
struct aring_sync_cancel_reg {
	__u64	addr;
	__s32	fd;
	__u32	flags;
	struct __kernel_timespec timeout;
	__u64	pad[4];
};

/**
 * struct aring_info - what this module can do, answer of ARING_IOC_INFO
 * @size: in: size of the structure the program knows; out: size the kernel
 *	knows. The shorter one is copied.
 * @abi_version: ARING_ABI_VERSION of the module
 * @setup_flags: the ARING_SETUP_* that are accepted
 * @features: the ARING_FEAT_* that a ring has
 * @sqe_flags: the ARING_SQE_* that are accepted
 * @enter_flags: the ARING_ENTER_* that are accepted
 * @cancel_flags: the ARING_ASYNC_CANCEL_* that are accepted
 * @max_entries: largest submission queue
 * @max_cq_entries: largest completion queue
 * @resv: 0
 * @ops: bit N % 64 of word N / 64 is set if opcode N is supported
 * @registers: bit N is set if register opcode N is supported
 * @version: version of the module, a string ended by NUL
 *
 * Works on any open /dev/aring, before set-up as well.
 */
struct aring_info {
	__u32	size;
	__u32	abi_version;
	__u32	setup_flags;
	__u32	features;
	__u32	sqe_flags;
	__u32	enter_flags;
	__u32	cancel_flags;
	__u32	max_entries;
	__u32	max_cq_entries;
	__u32	resv;
	__u64	ops[4];
	__u64	registers;
	char	version[32];
};

/* &aring_vdev.policy: which of the waiting requests a free channel takes */
#define ARING_VDEV_FIFO		0	/* the lowest ticket */
#define ARING_VDEV_SHORTEST	1	/* the shortest time, without the way, then the ticket */
#define ARING_VDEV_ELEVATOR	2	/* the next offset upwards, then from the start again */

#define ARING_VDEV_MAX_CHANNELS	64U

/**
 * struct aring_vdev - argument of ARING_IOC_VDEV: the ring's virtual device
 * @size: bytes of its medium, all 0 at first; 0 to have no device any more, and
 *	then all the rest is 0
 * @channels: how many requests it serves at a time, 1 to 64
 * @policy: ARING_VDEV_FIFO, _SHORTEST or _ELEVATOR
 * @base: nanoseconds that any request takes
 * @per_byte: picoseconds that each byte adds
 * @per_distance: picoseconds for each byte between where the request before it
 *	on the same device ended and where this one begins
 * @resv: must be 0
 *
 * The medium is the ring's own and kernel memory: it counts against
 * RLIMIT_MEMLOCK of the owner (unless CAP_IPC_LOCK) and against its memory cgroup.
 *
 * A request's pages are pinned when it is submitted, and count likewise. It is
 * QUEUED while it waits for a channel and STARTED from when one has taken it; the
 * data moves at the end of its service time. Its result is the number of bytes
 * moved, less than asked for at the end of the medium; VREAD behind that gives
 * 0, VWRITE -ENOSPC, both at once. Without a device it is -ENODEV. fd must be -1.
 * Documentation/device.rst has the rest.
 *
 * Errors: -EBUSY while requests for the old device wait or move data, -EINVAL,
 * -ENOMEM (over the limit, or there is no memory).
 */
struct aring_vdev {
	__u64	size;
	__u32	channels;
	__u32	policy;
	__u64	base;
	__u64	per_byte;
	__u64	per_distance;
	__u64	resv[3];
};

/* &aring_clock.cmd */
#define ARING_CLOCK_GET		0	/* only ask */
#define ARING_CLOCK_VIRTUAL	1	/* give the ring a virtual clock of its own, at 0 */
#define ARING_CLOCK_SHARE	2	/* give it the virtual clock of the ring @fd */
#define ARING_CLOCK_NEXT	3	/* move to the next event; -ENOENT if there is none */
#define ARING_CLOCK_ADVANCE	4	/* move by @time */
#define ARING_CLOCK_TO		5	/* move to @time; -EINVAL if that is in the past */
#define ARING_CLOCK_ATTACH	6	/* this thread: time waits while it is outside ENTER */
#define ARING_CLOCK_DETACH	7	/* no more; -ENOENT if it was not attached */

/* &aring_clock.flags: with ARING_CLOCK_VIRTUAL in, always out */
#define ARING_CLOCK_AUTO	(1U << 0)	/* it moves by itself when everybody waits */
#define ARING_CLOCK_IS_VIRTUAL	(1U << 1)	/* out only */

/**
 * struct aring_clock - argument of ARING_IOC_CLOCK: what a ring takes for time
 * @cmd: ARING_CLOCK_*
 * @flags: ARING_CLOCK_AUTO
 * @fd: with ARING_CLOCK_SHARE: a ring that has a virtual clock
 * @nr_events: out: timers and device events that wait on the clock
 * @time: in: nanoseconds, for ADVANCE and TO; out: the time now
 * @next: out: when the next event is, or 2^64 - 1 if there is none; the time now if
 *	something of this instant is left, which NEXT does on its way
 * @resv: must be 0
 *
 * A ring begins with the monotonic clock, of which GET alone may be asked (others:
 * -EINVAL) and which tells of no events. VIRTUAL and SHARE are possible once, as long
 * as no request is under way and no thread waits (-EBUSY). On a virtual clock TIMEOUT,
 * LINK_TIMEOUT, the time limit of ENTER and the virtual device obey it; all
 * clocks that a TIMEOUT may name are that one.
 *
 * What happens at one instant of a virtual clock happens in this order: (1) the
 * device finishes requests, lower tickets first; (2) timers fire, lower tickets
 * first; (3) the programs run: submit, cancel; (4) channels take what waits for
 * them; (5) with ARING_SETUP_COMPLETION_ORDER the CQEs of the instant are posted.
 * Of two rings that share the clock the one that came to it first goes first. A
 * move from outside finishes the instant at hand (4, 5), goes through all of each
 * instant on its way, and ends in 3 of the last one, or, if there are CQEs to post in
 * 5 of that, behind it.
 *
 * An automatic clock moves when every ring on it has a thread asleep in
 * ENTER and none that is awake there, none has an SQE being taken, a request for a
 * thread to run, or one under way on a real file, and each attached thread sleeps in
 * ENTER of some ring on it.
 */
struct aring_clock {
	__u32	cmd;
	__u32	flags;
	__s32	fd;
	__u32	nr_events;
	__u64	time;
	__u64	next;
	__u64	resv[2];
};

/* &aring_rule.match: which members of a rule a request is compared with */
#define ARING_MATCH_OPCODE	(1U << 0)
#define ARING_MATCH_KIND	(1U << 1)
#define ARING_MATCH_USER_DATA	(1U << 2)	/* of the bits in @mask */
#define ARING_MATCH_TICKET	(1U << 3)	/* @user_data is the ticket */

/**
 * enum aring_kind - what kind of file a request works on
 * @ARING_KIND_NONE: none: NOP, timeouts, cancelling, the virtual device
 * @ARING_KIND_REG: a regular file
 * @ARING_KIND_BLOCK: a block device
 * @ARING_KIND_PIPE: a pipe or FIFO
 * @ARING_KIND_STREAM: a socket that keeps the order of bytes
 * @ARING_KIND_DGRAM: a socket that keeps the limits of messages
 * @ARING_KIND_TTY: a terminal
 * @ARING_KIND_CHAR: any other character device
 * @ARING_KIND_OTHER: whatever else: directories, eventfd, timerfd, ...
 */
enum aring_kind {
	ARING_KIND_NONE,
	ARING_KIND_REG,
	ARING_KIND_BLOCK,
	ARING_KIND_PIPE,
	ARING_KIND_STREAM,
	ARING_KIND_DGRAM,
	ARING_KIND_TTY,
	ARING_KIND_CHAR,
	ARING_KIND_OTHER,
};

/**
 * enum aring_action - what a rule or a plan does to a request or an ENTER
 * @ARING_ACT_NONE: nothing
 * @ARING_ACT_HOLD_QUEUED: hold it SUBMITTED, before anything is tried
 * @ARING_ACT_HOLD_STARTED: hold it QUEUED, before anything is tried
 * @ARING_ACT_HOLD_DONE: hold it STARTED, with its result final
 * @ARING_ACT_FAIL: do not do it, its result is -value (an errno)
 * @ARING_ACT_SHORTEN: do only the first value bytes of it
 * @ARING_ACT_DELAY: complete it value nanoseconds (of the ring's clock) late
 * @ARING_ACT_AFTER: complete it when its value-th successor by ticket has been
 * @ARING_ACT_CANCEL_WINS: hold it QUEUED until the next cancel, which wins
 * @ARING_ACT_CANCEL_LOSES: cancels are answered -EALREADY
 * @ARING_ACT_CQ_FULL: its CQE finds the ring full, whether it is or not
 * @ARING_ACT_ENTER_EINTR: ENTER answers -EINTR, having done nothing
 * @ARING_ACT_ENTER_TAKE: ENTER takes value SQEs at most
 *
 * Documentation/steering.rst says what each does with which operation.
 */
enum aring_action {
	ARING_ACT_NONE,
	ARING_ACT_HOLD_QUEUED,
	ARING_ACT_HOLD_STARTED,
	ARING_ACT_HOLD_DONE,
	ARING_ACT_FAIL,
	ARING_ACT_SHORTEN,
	ARING_ACT_DELAY,
	ARING_ACT_AFTER,
	ARING_ACT_CANCEL_WINS,
	ARING_ACT_CANCEL_LOSES,
	ARING_ACT_CQ_FULL,
	ARING_ACT_ENTER_EINTR,
	ARING_ACT_ENTER_TAKE,
};

/**
 * struct aring_rule - which requests, and what is to be done to them
 * @match: ARING_MATCH_*, all of which must be so; 0 matches everything
 * @opcode: for ARING_MATCH_OPCODE
 * @kind: for ARING_MATCH_KIND: an &enum aring_kind
 * @action: an &enum aring_action
 * @user_data: for ARING_MATCH_USER_DATA
 * @mask: for ARING_MATCH_USER_DATA: the bits that count
 * @first: of those that match, the first that the rule applies to: 1 for the
 *	first one
 * @count: to how many it applies, 0 for all
 * @value: as @action says, else 0
 * @resv: must be 0
 *
 * The actions on ENTER look at no request: @match must be 0, and @first counts
 * calls of ENTER. For the others all rules are looked at in the order in which
 * they were set; the first with an action of a kind (hold at a point, result, time
 * of completion, verdict, CQ) wins.
 */
struct aring_rule {
	__u32	match;
	__u8	opcode;
	__u8	kind;
	__u16	action;
	__u64	user_data;
	__u64	mask;
	__u32	first;
	__u32	count;
	__u64	value;
	__u64	resv;
};

/**
 * struct aring_held - a request that is held
 * @user_data: of its SQE
 * @ticket: its submission ticket
 * @opcode: ARING_OP_*
 * @at: ARING_ACT_HOLD_QUEUED, _STARTED or _DONE, ARING_ACT_CANCEL_WINS,
 *	ARING_ACT_DELAY or ARING_ACT_AFTER
 * @resv: 0
 * @res: its result, for one that is held at DONE or late, else 0
 * @resv2: 0
 */
struct aring_held {
	__u64	user_data;
	__u32	ticket;
	__u8	opcode;
	__u8	at;
	__u16	resv;
	__s32	res;
	__u32	resv2;
};

/* &aring_steer.cmd */
#define ARING_STEER_ADD		0	/* add @nr rules from @addr, all or none */
#define ARING_STEER_CLEAR	1	/* forget all rules; what is held stays held */
#define ARING_STEER_HELD	2	/* list what is held: at most @nr to @addr */
#define ARING_STEER_RELEASE	3	/* let go the request with ticket @ticket */
#define ARING_STEER_RELEASE_ALL	4	/* let go all */

/* So many rules may a ring have; more: -ENOSPC. */
#define ARING_MAX_RULES		256U

/**
 * struct aring_steer - argument of ARING_IOC_STEER
 * @cmd: ARING_STEER_*
 * @nr: in: number of elements at @addr; out: with HELD how many are held, with
 *	RELEASE_ALL how many were let go
 * @ticket: for RELEASE; -ENOENT if no such request is held
 * @resv: must be 0
 * @addr: pointer to struct aring_rule or struct aring_held, or 0
 *
 * What is held when the ring is closed is let go.
 */
struct aring_steer {
	__u32	cmd;
	__u32	nr;
	__u32	ticket;
	__u32	resv;
	__u64	addr;
};

/* &aring_chaos.level: what may be done to a program */
#define ARING_LEVEL_CONTRACT	0	/* whatever the interface permits */
#define ARING_LEVEL_LINUX	1	/* only what Linux does to that kind of file */
#define ARING_LEVEL_ANY		2	/* the rest, too */

/* &aring_chaos.cancel */
#define ARING_CHAOS_CANCEL_AS_IS	0
#define ARING_CHAOS_CANCEL_LATE		1	/* cancels lose */
#define ARING_CHAOS_CANCEL_EARLY	2	/* cancels win */

#define ARING_CHAOS_ERRNOS	8
/* &aring_chaos.reorder, and how late: nanoseconds */
#define ARING_CHAOS_MAX_REORDER	65536U
#define ARING_CHAOS_MAX_DELAY	(3600ULL * 1000000000)

/**
 * struct aring_chaos - what a seed does to the rings of a session
 * @seed: of which all decisions are a pure function, with ring and ticket
 * @level: ARING_LEVEL_*
 * @cancel: ARING_CHAOS_CANCEL_*
 * @delay_min: nanoseconds that a completion is delayed at least
 * @delay_max: and at most; 0 for no delay
 * @short_ppm: how many of a million transfers are shortened
 * @eintr_ppm: how many ENTERs answer -EINTR
 * @cqfull_ppm: how many CQEs find the ring full
 * @take_ppm: how many ENTERs take fewer SQEs than offered
 * @cancel_ppm: how many requests @cancel applies to
 * @reorder: a completion waits for up to so many successors, 0 for none
 * @nr_errnos: how many of the following there are
 * @errno_nr: an errno
 * @errno_ppm: how many of a million requests fail with it
 * @resv: must be 0
 *
 * A fault is injected only where the level permits it for that operation and kind
 * of file: the table is in Documentation/chaos-table.rst. With a plan the seed
 * and the rates count for nothing, and the level for the lines of the plan.
 */
struct aring_chaos {
	__u64	seed;
	__u32	level;
	__u32	cancel;
	__u64	delay_min;
	__u64	delay_max;
	__u32	short_ppm;
	__u32	eintr_ppm;
	__u32	cqfull_ppm;
	__u32	take_ppm;
	__u32	cancel_ppm;
	__u32	reorder;
	__u32	nr_errnos;
	__u32	errno_nr[ARING_CHAOS_ERRNOS];
	__u32	errno_ppm[ARING_CHAOS_ERRNOS];
	__u32	resv;
};

/* &aring_deviation.flags */
#define ARING_DEV_ENTER		(1U << 0)	/* @number is that of an ENTER, not a ticket */
#define ARING_DEV_DONE		(1U << 1)	/* in a log: it was carried out */

/**
 * struct aring_deviation - one line of a plan, or of the log of what was done
 * @ring: number of the ring in its process, the first is 1
 * @number: ticket, counted from 0 whatever the ring's first index; or number of the
 *	ENTER, the first is 1
 * @flags: ARING_DEV_*
 * @action: an &enum aring_action
 * @opcode: of the request; in a plan it must be that one
 * @kind: in a log an &enum aring_kind; in a plan it must be that one, unless it
 *	is 0
 * @value: as @action says
 * @was: in a log: what @value was without (SHORTEN: the bytes asked for;
 *	ENTER_TAKE: the SQEs offered)
 * @process: number of the process in the session, the first is 1; in a plan 0
 *	for the first
 * @resv: 0
 *
 * A plan may use all actions but the holds. What it says twice of one request
 * is done once, by the first line. Nothing hangs by a plan: what is late or
 * waits for a cancel is let go when everybody would wait for it.
 */
struct aring_deviation {
	__u32	ring;
	__u32	number;
	__u32	flags;
	__u16	action;
	__u8	opcode;
	__u8	kind;
	__u64	value;
	__u64	was;
	__u32	process;
	__u32	resv;
};

/* &aring_seen.flags */
#define ARING_SEEN_DIRECT	(1U << 0)	/* the file is O_DIRECT */
#define ARING_SEEN_NOWAIT	(1U << 1)	/* RWF_NOWAIT or MSG_DONTWAIT */
#define ARING_SEEN_NONBLOCK	(1U << 2)	/* the file is O_NONBLOCK */
#define ARING_SEEN_WAITALL	(1U << 3)	/* MSG_WAITALL */
#define ARING_SEEN_DRAIN	(1U << 4)	/* ARING_SQE_IO_DRAIN */
#define ARING_SEEN_COUNTS	(1U << 5)	/* a TIMEOUT that counts completions */
#define ARING_SEEN_ENTER	(1U << 14)	/* an ENTER that may be interrupted */
#define ARING_SEEN_ENDED	(1U << 15)	/* it is over, and @res counts */

/**
 * struct aring_seen - one request, as a session that watches has seen it end
 * @user_data: of its SQE
 * @len: bytes that it asked for, if it moves bytes
 * @res: its result
 * @ticket: counted from 0
 * @ring: number of the ring in its process
 * @process: number of the process in the session
 * @opcode: ARING_OP_*
 * @kind: an &enum aring_kind; of a regular file that no file system stores (procfs,
 *	sysfs) ARING_KIND_OTHER
 * @flags: ARING_SEEN_*
 * @block: logical block size of what O_DIRECT goes to, else 0
 *
 * Requests are in the order in which they were submitted; LINK_TIMEOUTs are not
 * seen. Of an ENTER with which ARING_ACT_ENTER_EINTR is permitted @ticket is the
 * number, the first is 1, @ring and @process are set, and all else is 0.
 */
struct aring_seen {
	__u64	user_data;
	__u64	len;
	__s32	res;
	__u32	ticket;
	__u32	ring;
	__u32	process;
	__u8	opcode;
	__u8	kind;
	__u16	flags;
	__u32	block;
};

/* &aring_session.cmd */
#define ARING_SESSION_CREATE	0	/* this file, not a ring, becomes a session */
#define ARING_SESSION_JOIN	1	/* the ring made of this file belongs to session @id */
#define ARING_SESSION_CHAOS	2	/* @addr: struct aring_chaos */
#define ARING_SESSION_PLAN	3	/* @addr: @nr of struct aring_deviation */
#define ARING_SESSION_WATCH	4	/* keep what is seen */
#define ARING_SESSION_LOG	5	/* read @nr of struct aring_deviation from @from on */
#define ARING_SESSION_SEEN	6	/* read @nr of struct aring_seen from @from on */
#define ARING_SESSION_CLOCK	7	/* rings get an automatic virtual clock per process */

/* So many lines has a log or plan, so many requests are seen, and processes join. */
#define ARING_SESSION_MAX_LINES		(1U << 20)
#define ARING_SESSION_MAX_SEEN		(1U << 20)
#define ARING_SESSION_MAX_PROCESSES	65536U

/**
 * struct aring_session - argument of ARING_IOC_SESSION
 * @cmd: ARING_SESSION_*
 * @nr: in: number of elements at @addr; out, LOG and SEEN: number of them copied
 * @id: CREATE: out: what names the session to JOIN, hard to guess; JOIN: in, on an
 *	open /dev/aring that is not set up yet
 * @from: LOG and SEEN: first element
 * @total: LOG and SEEN: out: how many there are
 * @lost: LOG and SEEN: out: how many more there would be, had there been room
 * @addr: pointer
 * @resv: must be 0
 *
 * A session is what ``aring run`` makes for a program and all that it starts:
 * each ring that joins it is subject to its chaos or plan, and what was done is
 * kept until the session's file is closed. Rings go on without it then,
 * unharmed. Processes are numbered in the order of their first JOIN, rings in
 * their process in the order of set-up, both from 1; a process is what has one
 * PID: with exec() it stays the same, with fork() a new one begins when it joins.
 *
 * What a session does is settled before the first JOIN: afterwards CHAOS, PLAN,
 * WATCH and CLOCK answer -EBUSY, and so does a second PLAN. With a plan its lines
 * are the log: those that were not carried out lack ARING_DEV_DONE. Of a request
 * whose chain breaks before its turn they have it: it is decided when the SQE is taken.
 *
 * Errors: -EBUSY (CREATE, JOIN) if the file is a ring, a session or has joined
 * already; -EBADFD for the other commands if it is no session; JOIN: -ENOENT if
 * there is no such session, -EPERM if its creator has another user ID, -ENOSPC
 * if too many processes have joined; PLAN: -E2BIG if it has too many lines;
 * -EINVAL, -EFAULT, -ENOMEM.
 */
struct aring_session {
	__u32	cmd;
	__u32	nr;
	__u64	id;
	__u64	from;
	__u64	total;
	__u64	lost;
	__u64	addr;
	__u64	resv;
};

#define ARING_IOC_MAGIC		0xA8
#define ARING_IOC_SETUP		_IOWR(ARING_IOC_MAGIC, 0x00, struct aring_params)
#define ARING_IOC_ENTER		_IOW(ARING_IOC_MAGIC, 0x01, struct aring_enter)
#define ARING_IOC_REGISTER	_IOW(ARING_IOC_MAGIC, 0x02, struct aring_register)
#define ARING_IOC_INFO		_IOWR(ARING_IOC_MAGIC, 0x03, struct aring_info)
#define ARING_IOC_VDEV		_IOW(ARING_IOC_MAGIC, 0x10, struct aring_vdev)
#define ARING_IOC_CLOCK		_IOWR(ARING_IOC_MAGIC, 0x11, struct aring_clock)
#define ARING_IOC_STEER		_IOWR(ARING_IOC_MAGIC, 0x12, struct aring_steer)
#define ARING_IOC_SESSION	_IOWR(ARING_IOC_MAGIC, 0x13, struct aring_session)

#endif /* _UAPI_LINUX_ARING_H */
