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
#define ARING_ABI_VERSION	2

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
 * @off: byte offset in the file, or -1 for the file position; TIMEOUT: number of
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
 * @addr3: must be 0 for timeouts, else unused
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
 * In a ring made with ARING_SETUP_CQE32 each entry is followed by 16 more bytes,
 * which are 0 in this version.
 */
struct aring_cqe {
	__u64	user_data;
	__s32	res;
	__u32	flags;
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

#define ARING_IOC_MAGIC		0xA8
#define ARING_IOC_SETUP		_IOWR(ARING_IOC_MAGIC, 0x00, struct aring_params)
#define ARING_IOC_ENTER		_IOW(ARING_IOC_MAGIC, 0x01, struct aring_enter)
#define ARING_IOC_REGISTER	_IOW(ARING_IOC_MAGIC, 0x02, struct aring_register)
#define ARING_IOC_INFO		_IOWR(ARING_IOC_MAGIC, 0x03, struct aring_info)

#endif /* _UAPI_LINUX_ARING_H */
