/* SPDX-License-Identifier: (GPL-2.0 OR MIT) */
/*
 * What chaos may do to a program: which fault, to which operation on which kind of
 * file, at which level. Nothing else is injected below ARING_LEVEL_ANY.
 *
 * At ARING_LEVEL_CONTRACT a result is permitted if the manual pages (or uapi/) say
 * that the call may answer so; at ARING_LEVEL_LINUX only if Linux 6.1 does
 * answer so for that kind of file when nothing but bad luck comes together, and
 * the program cannot tell that it was not so. In doubt it is not.
 *
 * Documentation/chaos-table.rst is made of this table, and compared with it. The
 * file includes nothing: before it comes <linux/aring.h> or what the kernel has
 * in its place. It is compiled in user space, too.
 */
#ifndef ARING_PERMIT_H
#define ARING_PERMIT_H

/* Operations that are alike in what may happen to them. */
#define ARING_CLASS_READ	(1U << 0)	/* READ, READV, READ_FIXED */
#define ARING_CLASS_WRITE	(1U << 1)	/* WRITE, WRITEV, WRITE_FIXED */
#define ARING_CLASS_FSYNC	(1U << 2)
#define ARING_CLASS_SEND	(1U << 3)	/* SEND, SENDMSG */
#define ARING_CLASS_RECV	(1U << 4)	/* RECV, RECVMSG */
#define ARING_CLASS_POLL	(1U << 5)	/* POLL_ADD */
#define ARING_CLASS_TIMEOUT	(1U << 6)
#define ARING_CLASS_LIMIT	(1U << 7)	/* LINK_TIMEOUT */
#define ARING_CLASS_NOP		(1U << 8)
#define ARING_CLASS_REMOVE	(1U << 9)	/* ASYNC_CANCEL, TIMEOUT_, POLL_REMOVE */
#define ARING_CLASS_VDEV	(1U << 10)	/* VREAD, VWRITE */
#define ARING_CLASS_ENTER	(1U << 11)	/* not a request */
#define ARING_NR_CLASSES	12
#define ARING_CLASS_ALL		((1U << 11) - 1)
#define ARING_CLASS_RW		(ARING_CLASS_READ | ARING_CLASS_WRITE)
#define ARING_CLASS_NET		(ARING_CLASS_SEND | ARING_CLASS_RECV)
/* What Linux may leave to somebody else than the submitter. */
#define ARING_CLASS_ASYNC \
	(ARING_CLASS_RW | ARING_CLASS_FSYNC | ARING_CLASS_NET | \
	 ARING_CLASS_POLL | ARING_CLASS_TIMEOUT | ARING_CLASS_VDEV)

#define ARING_ON_NONE		(1U << ARING_KIND_NONE)
#define ARING_ON_REG		(1U << ARING_KIND_REG)
#define ARING_ON_BLOCK		(1U << ARING_KIND_BLOCK)
#define ARING_ON_PIPE		(1U << ARING_KIND_PIPE)
#define ARING_ON_STREAM		(1U << ARING_KIND_STREAM)
#define ARING_ON_DGRAM		(1U << ARING_KIND_DGRAM)
#define ARING_ON_TTY		(1U << ARING_KIND_TTY)
#define ARING_ON_CHAR		(1U << ARING_KIND_CHAR)
#define ARING_ON_OTHER		(1U << ARING_KIND_OTHER)
#define ARING_NR_KINDS		9
#define ARING_ON_ALL		((1U << ARING_NR_KINDS) - 1)
#define ARING_ON_STORAGE	(ARING_ON_REG | ARING_ON_BLOCK)
#define ARING_ON_SOCKET		(ARING_ON_STREAM | ARING_ON_DGRAM)
#define ARING_ON_SLOW \
	(ARING_ON_PIPE | ARING_ON_SOCKET | ARING_ON_TTY)
#define ARING_ON_FILE		(ARING_ON_ALL & ~ARING_ON_NONE)

/* What must be so for a row to count. */
#define ARING_WHEN_ALWAYS	0U
#define ARING_WHEN_CACHED	(1U << 0)	/* without O_DIRECT */
#define ARING_WHEN_DIRECT	(1U << 1)	/* with O_DIRECT */
#define ARING_WHEN_NOWAIT	(1U << 2)	/* with RWF_NOWAIT or MSG_DONTWAIT */
#define ARING_WHEN_NONBLOCK	(1U << 3)	/* the file is O_NONBLOCK */
#define ARING_WHEN_PARTS	(1U << 4)	/* without MSG_WAITALL */
#define ARING_WHEN_WAITALL	(1U << 5)	/* with MSG_WAITALL */
#define ARING_WHEN_IDLE		(1U << 6)	/* ENTER would wait: CQ empty, nothing to submit */
#define ARING_WHEN_WHOLE	(1U << 7)	/* no chain is cut in two */
#define ARING_NR_WHENS		8

/**
 * enum aring_leave - whether a level permits it
 * @ARING_LEAVE_NO: no
 * @ARING_LEAVE_YES: yes; a transfer is shortened to any number of bytes but 0
 * @ARING_LEAVE_BLOCKS: to multiples of the logical block size, but not to 0
 * @ARING_LEAVE_LARGE: only if more than PIPE_BUF bytes were asked for
 * @ARING_LEAVE_PAGES: likewise, and to multiples of that, but not to 0
 */
enum aring_leave {
	ARING_LEAVE_NO,
	ARING_LEAVE_YES,
	ARING_LEAVE_BLOCKS,
	ARING_LEAVE_LARGE,
	ARING_LEAVE_PAGES,
};

/* PIPE_BUF, and a page of a pipe where the two are the same */
#define ARING_PIPE_BUF		4096U

/*
 * ROW(action, errno, operations, files, when, contract, linux, source). The first
 * row that fits decides; where none does, the answer is no. The source is a
 * string for the documentation, and is not compiled into the module.
 */
#define ARING_PERMIT_SHORT(ROW)							\
ROW(SHORTEN, 0, READ, REG, CACHED, YES, NO,					\
    "read(2): not an error if fewer than requested. mm/filemap.c, filemap_read(): goes on to the end of the file") \
ROW(SHORTEN, 0, READ, BLOCK, CACHED, YES, NO,					\
    "read(2). block/fops.c, blkdev_read_iter(): by filemap_read()")		\
ROW(SHORTEN, 0, READ, STORAGE, DIRECT, BLOCKS, NO,				\
    "read(2); open(2), O_DIRECT: alignment. fs/iomap/direct-io.c, iomap_dio_complete(), and block/fops.c, blkdev_bio_end_io(): everything, up to the end of the file") \
ROW(SHORTEN, 0, WRITE, REG, CACHED, YES, YES,					\
    "write(2): fewer for want of space or by RLIMIT_FSIZE. fs/read_write.c, generic_write_check_limits(); mm/filemap.c, generic_perform_write()") \
ROW(SHORTEN, 0, WRITE, BLOCK, CACHED, YES, NO,					\
    "write(2). block/fops.c, blkdev_write_iter(): everything, up to the end of the device") \
ROW(SHORTEN, 0, WRITE, STORAGE, DIRECT, BLOCKS, NO,				\
    "write(2); open(2), O_DIRECT: alignment. fs/iomap/direct-io.c, iomap_dio_complete(): an error anywhere is the result of all") \
ROW(SHORTEN, 0, READ, PIPE, ALWAYS, YES, YES,					\
    "read(2): from a pipe. fs/pipe.c, pipe_read(): what is there")		\
ROW(SHORTEN, 0, WRITE, PIPE, DIRECT, NO, NO,					\
    "pipe(2), O_DIRECT: a write is a packet")					\
ROW(SHORTEN, 0, WRITE, PIPE, CACHED, LARGE, PAGES,				\
    "pipe(7), PIPE_BUF: more may be written in part. fs/pipe.c, pipe_write(): page by page") \
ROW(SHORTEN, 0, READ, STREAM, ALWAYS, YES, YES,					\
    "read(2); recv(2). net/ipv4/tcp.c, tcp_recvmsg_locked(); net/unix/af_unix.c, unix_stream_read_generic()") \
ROW(SHORTEN, 0, WRITE, STREAM, ALWAYS, YES, YES,				\
    "write(2): fewer, for example, if a blocked write to a socket was interrupted. net/ipv4/tcp.c, tcp_sendmsg_locked(); net/unix/af_unix.c, unix_stream_sendmsg()") \
ROW(SHORTEN, 0, RECV, STREAM, PARTS, YES, YES,					\
    "recv(2): any data available, up to the amount requested. net/ipv4/tcp.c, tcp_recvmsg_locked(); net/unix/af_unix.c, unix_stream_read_generic()") \
ROW(SHORTEN, 0, RECV, STREAM, WAITALL, YES, NO,					\
    "recv(2), MSG_WAITALL: may still return less. io_uring/net.c, io_recv(): goes on") \
ROW(SHORTEN, 0, SEND, STREAM, PARTS, YES, YES,					\
    "send(2): the number of bytes sent. io_uring/net.c, io_send(); net/ipv4/tcp.c, tcp_sendmsg_locked(); net/unix/af_unix.c, unix_stream_sendmsg()") \
ROW(SHORTEN, 0, SEND, STREAM, WAITALL, NO, NO,					\
    "nothing says so. io_uring/net.c, io_send(): goes on")			\
ROW(SHORTEN, 0, READ, TTY, ALWAYS, YES, NO,					\
    "read(2): from a terminal; termios(3): at most one line. drivers/tty/n_tty.c, canon_copy_from_read_buf(): whole lines") \
ROW(SHORTEN, 0, WRITE, TTY, ALWAYS, YES, YES,					\
    "write(2). drivers/tty/n_tty.c, n_tty_write()")				\
ROW(SHORTEN, 0, RW | ARING_CLASS_NET, DGRAM, ALWAYS, NO, NO,			\
    "recv(2), send(2): a message is whole")					\
ROW(SHORTEN, 0, RW, CHAR | ARING_ON_OTHER, ALWAYS, NO, NO,			\
    "what another length means, only the driver knows")				\
ROW(SHORTEN, 0, VDEV, NONE, ALWAYS, NO, NO,					\
    "aring.h, struct aring_vdev: less only at the end of the medium")

#define ARING_PERMIT_FAIL(ROW)							\
ROW(FAIL, EAGAIN, RW, FILE, NOWAIT, YES, YES,					\
    "preadv2(2), RWF_NOWAIT. io_uring/rw.c, io_read(), io_write()")		\
ROW(FAIL, EAGAIN, NET, SOCKET, NOWAIT, YES, YES,				\
    "send(2), recv(2), MSG_DONTWAIT. io_uring/net.c, io_sendmsg_prep(), io_recvmsg_prep()") \
ROW(FAIL, EAGAIN, RW | ARING_CLASS_NET, SLOW | ARING_ON_CHAR | ARING_ON_OTHER, NONBLOCK, YES, NO, \
    "read(2), write(2), send(2), recv(2). io_uring/rw.c, io_read(), and io_uring/net.c, io_recv(): waits all the same") \
ROW(FAIL, EIO, RW | ARING_CLASS_FSYNC, STORAGE, ALWAYS, YES, YES,		\
    "read(2), write(2), fsync(2). mm/filemap.c, filemap_get_pages(), file_check_and_advance_wb_err(); block/blk-core.c, blk_errors[]") \
ROW(FAIL, ENOSPC, WRITE, STORAGE, ALWAYS, YES, YES,				\
    "write(2). The file system; block/blk-core.c, blk_errors[]")		\
ROW(FAIL, ENOSPC, FSYNC, REG, ALWAYS, YES, YES,					\
    "fsync(2). mm/filemap.c, filemap_check_errors()")				\
ROW(FAIL, EDQUOT, WRITE, REG, ALWAYS, YES, YES,					\
    "write(2). fs/quota/dquot.c, __dquot_alloc_space()")			\
ROW(FAIL, EDQUOT, FSYNC, REG, ALWAYS, YES, NO,					\
    "fsync(2): on NFS and the like")						\
ROW(FAIL, EINTR, RW, SLOW, ALWAYS, YES, NO,					\
    "read(2), write(2). io_uring/rw.c, io_fixup_rw_res(): only of who is cancelled") \
ROW(FAIL, EINTR, NET, SOCKET, ALWAYS, YES, NO,					\
    "send(2), recv(2). io_uring/net.c: likewise")				\
ROW(FAIL, ECONNRESET, RW | ARING_CLASS_NET, STREAM, ALWAYS, YES, YES,		\
    "send(2); POSIX.1: read(), recv(). net/ipv4/tcp_input.c, tcp_reset(); net/unix/af_unix.c, unix_release_sock()") \
ROW(FAIL, EPIPE, SEND, STREAM, ALWAYS, YES, YES,				\
    "send(2), without a signal. net/core/stream.c, sk_stream_error(); net/unix/af_unix.c, unix_stream_sendmsg()") \
ROW(FAIL, ECONNREFUSED, RW | ARING_CLASS_NET, DGRAM, ALWAYS, YES, NO,		\
    "recv(2); udp(7), unix(7). net/ipv4/udp.c, __udp4_lib_err(): only if connected") \
ROW(FAIL, ENOBUFS, SEND, DGRAM, ALWAYS, YES, NO,				\
    "send(2), which says that Linux does not")					\
ROW(FAIL, ENOMEM, SEND, SOCKET, ALWAYS, YES, NO,				\
    "send(2). The memory of a socket is waited for")

#define ARING_PERMIT_LATE(ROW)							\
ROW(AFTER, 0, ASYNC, ALL, ALWAYS, YES, YES,					\
    "io_uring(7): in any order. io_uring/io_uring.c, io_queue_async()")		\
ROW(AFTER, 0, NOP | ARING_CLASS_REMOVE, NONE, ALWAYS, YES, NO,			\
    "io_uring(7): in any order. io_uring/io_uring.c, io_queue_sqe(): ends within ENTER") \
ROW(AFTER, 0, LIMIT, NONE, ALWAYS, NO, NO,					\
    "it ends when its request does")						\
ROW(DELAY, 0, ASYNC, ALL, ALWAYS, YES, YES,					\
    "io_uring(7): when it is done. io_uring/io_uring.c, io_queue_async()")	\
ROW(DELAY, 0, NOP | ARING_CLASS_REMOVE, NONE, ALWAYS, YES, NO,			\
    "io_uring(7): when it is done. io_uring/io_uring.c, io_queue_sqe(): ends within ENTER") \
ROW(DELAY, 0, LIMIT, NONE, ALWAYS, NO, NO,					\
    "it ends when its request does")						\
ROW(CANCEL_LOSES, 0, ASYNC, ALL, ALWAYS, YES, YES,				\
    "io_uring_enter(2), IORING_OP_ASYNC_CANCEL: -EALREADY. io_uring/cancel.c, io_async_cancel_one(); io_uring/timeout.c, io_timeout_extract()") \
ROW(CANCEL_LOSES, 0, NOP | ARING_CLASS_REMOVE, NONE, ALWAYS, YES, NO,		\
    "likewise. io_uring/io_uring.c, io_queue_sqe(): over before it can be cancelled") \
ROW(CANCEL_LOSES, 0, LIMIT, NONE, ALWAYS, NO, NO,				\
    "it ends when its request does")						\
ROW(CANCEL_WINS, 0, ASYNC, ALL, ALWAYS, YES, YES,				\
    "io_uring_enter(2), IORING_OP_ASYNC_CANCEL: 0. io_uring/io-wq.c, io_acct_cancel_pending_work(); io_uring/poll.c, io_poll_cancel()") \
ROW(CANCEL_WINS, 0, NOP, NONE, ALWAYS, YES, NO,					\
    "likewise. io_uring/io_uring.c, io_queue_sqe(): over before it can be cancelled") \
ROW(CANCEL_WINS, 0, REMOVE | ARING_CLASS_LIMIT, NONE, ALWAYS, NO, NO,		\
    "what cancels is not waited with until it is cancelled")			\
ROW(CQ_FULL, 0, ALL, ALL, ALWAYS, YES, NO,					\
    "io_uring_setup(2), IORING_FEAT_NODROP. io_uring/io_uring.c, __io_get_cqe(): only if it is full") \
ROW(ENTER_EINTR, 0, ENTER, NONE, IDLE, YES, YES,				\
    "io_uring_enter(2), EINTR: while waiting. io_uring/io_uring.c, io_cqring_wait(): only if the CQ is empty, and nothing was submitted") \
ROW(ENTER_TAKE, 0, ENTER, NONE, WHOLE, YES, YES,				\
    "io_uring_enter(2): the number consumed. io_uring/io_uring.c, io_submit_sqes(): fewer if memory is short")

#define ARING_PERMIT_TABLE(ROW) \
	ARING_PERMIT_SHORT(ROW) ARING_PERMIT_FAIL(ROW) ARING_PERMIT_LATE(ROW)

/**
 * struct aring_permit - one row of the table
 * @action: ARING_ACT_*
 * @error: with ARING_ACT_FAIL the errno
 * @classes: ARING_CLASS_*
 * @kinds: ARING_ON_*
 * @when: ARING_WHEN_*, all of which must be so
 * @leave: at ARING_LEVEL_CONTRACT and ARING_LEVEL_LINUX
 */
struct aring_permit {
	__u8	action;
	__u8	error;
	__u16	classes;
	__u16	kinds;
	__u16	when;
	__u8	leave[2];
};

#define ARING_PERMIT_ROW(act, err, ops, files, cond, contract, lnx, source) {	\
	.action = ARING_ACT_##act, .error = err,				\
	.classes = ARING_CLASS_##ops, .kinds = ARING_ON_##files,		\
	.when = ARING_WHEN_##cond,						\
	.leave = { ARING_LEAVE_##contract, ARING_LEAVE_##lnx },			\
},

static const struct aring_permit aring_permit_table[] = {
	ARING_PERMIT_TABLE(ARING_PERMIT_ROW)
};

/**
 * aring_class_of() - which operations an opcode is alike to
 * @opcode: ARING_OP_*
 *
 * Return: an ARING_CLASS_*.
 */
static inline __u32 aring_class_of(__u8 opcode)
{
	switch (opcode) {
	case ARING_OP_READ:
	case ARING_OP_READV:
	case ARING_OP_READ_FIXED:
		return ARING_CLASS_READ;
	case ARING_OP_WRITE:
	case ARING_OP_WRITEV:
	case ARING_OP_WRITE_FIXED:
		return ARING_CLASS_WRITE;
	case ARING_OP_FSYNC:
		return ARING_CLASS_FSYNC;
	case ARING_OP_SEND:
	case ARING_OP_SENDMSG:
		return ARING_CLASS_SEND;
	case ARING_OP_RECV:
	case ARING_OP_RECVMSG:
		return ARING_CLASS_RECV;
	case ARING_OP_POLL_ADD:
		return ARING_CLASS_POLL;
	case ARING_OP_TIMEOUT:
		return ARING_CLASS_TIMEOUT;
	case ARING_OP_LINK_TIMEOUT:
		return ARING_CLASS_LIMIT;
	case ARING_OP_NOP:
		return ARING_CLASS_NOP;
	case ARING_OP_ASYNC_CANCEL:
	case ARING_OP_TIMEOUT_REMOVE:
	case ARING_OP_POLL_REMOVE:
		return ARING_CLASS_REMOVE;
	case ARING_OP_VREAD:
	case ARING_OP_VWRITE:
		return ARING_CLASS_VDEV;
	default:
		return 0;
	}
}

/* What is so of a request. */
static inline __u32 aring_when_of(const struct aring_seen *what)
{
	__u32 when;

	when = what->flags & ARING_SEEN_DIRECT ? ARING_WHEN_DIRECT :
						 ARING_WHEN_CACHED;
	when |= what->flags & ARING_SEEN_WAITALL ? ARING_WHEN_WAITALL :
						   ARING_WHEN_PARTS;
	if (what->flags & ARING_SEEN_NOWAIT)
		when |= ARING_WHEN_NOWAIT;
	if (what->flags & ARING_SEEN_NONBLOCK)
		when |= ARING_WHEN_NONBLOCK;
	return when;
}

/**
 * aring_permit_find() - what the table says
 * @level: ARING_LEVEL_CONTRACT or ARING_LEVEL_LINUX
 * @class: ARING_CLASS_*, one
 * @kind: an &enum aring_kind
 * @when: ARING_WHEN_*, all that is so
 * @action: ARING_ACT_*
 * @error: with ARING_ACT_FAIL a positive errno, else 0
 *
 * Return: ARING_LEAVE_*.
 */
static inline enum aring_leave
aring_permit_find(__u32 level, __u32 class, __u32 kind, __u32 when,
		  __u32 action, __u32 error)
{
	const struct aring_permit *row = aring_permit_table;
	const struct aring_permit *end = row + sizeof(aring_permit_table) /
					       sizeof(*row);

	for (; row < end; row++) {
		if (row->action == action && row->error == error &&
		    (row->classes & class) && (row->kinds & (1U << kind)) &&
		    !(row->when & ~when))
			return (enum aring_leave)row->leave[level];
	}
	return ARING_LEAVE_NO;
}

/**
 * aring_short_unit() - what a request may be shortened to multiples of
 * @level: ARING_LEVEL_*
 * @what: the request
 *
 * Return: bytes, or 0 if it may not be shortened.
 */
static inline __u32 aring_short_unit(__u32 level, const struct aring_seen *what)
{
	__u32 unit = 0;

	if (level == ARING_LEVEL_ANY)
		return what->len > 1;
	switch (aring_permit_find(level, aring_class_of(what->opcode),
				  what->kind, aring_when_of(what),
				  ARING_ACT_SHORTEN, 0)) {
	case ARING_LEAVE_NO:
		return 0;
	case ARING_LEAVE_YES:
		unit = 1;
		break;
	case ARING_LEAVE_BLOCKS:
		unit = what->block;
		break;
	case ARING_LEAVE_LARGE:
		unit = what->len > ARING_PIPE_BUF;
		break;
	case ARING_LEAVE_PAGES:
		unit = ARING_PIPE_BUF;
		break;
	}
	return what->len > unit ? unit : 0;
}

/**
 * aring_permits() - may this be done to this request?
 * @level: ARING_LEVEL_*
 * @what: the request: opcode, kind, flags, len and block count
 * @action: ARING_ACT_*, of those for requests, and no hold
 * @value: as &aring_deviation.value
 *
 * Return: true if so.
 */
static inline bool aring_permits(__u32 level, const struct aring_seen *what,
				 __u32 action, __u64 value)
{
	__u32 unit;

	if (action == ARING_ACT_SHORTEN) {
		if (level == ARING_LEVEL_ANY)
			return value < what->len;
		unit = aring_short_unit(level, what);
		return unit && value && value < what->len && !(value % unit);
	}
	return level == ARING_LEVEL_ANY ||
	       aring_permit_find(level, aring_class_of(what->opcode),
				 what->kind, aring_when_of(what), action,
				 action == ARING_ACT_FAIL ? (__u32)value : 0);
}

/**
 * aring_permits_enter() - may this be done to this ENTER?
 * @level: ARING_LEVEL_*
 * @when: ARING_WHEN_IDLE, ARING_WHEN_WHOLE, if it is so
 * @action: ARING_ACT_ENTER_*
 *
 * Return: true if so.
 */
static inline bool aring_permits_enter(__u32 level, __u32 when, __u32 action)
{
	return level == ARING_LEVEL_ANY ||
	       aring_permit_find(level, ARING_CLASS_ENTER, ARING_KIND_NONE,
				 when, action, 0);
}

#endif /* ARING_PERMIT_H */
