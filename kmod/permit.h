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
#define ARING_CLASS_MOVE	(ARING_CLASS_RW | ARING_CLASS_NET)
#define ARING_CLASS_STORE	(ARING_CLASS_RW | ARING_CLASS_FSYNC)
#define ARING_CLASS_TIED	(ARING_CLASS_REMOVE | ARING_CLASS_LIMIT)
/* What Linux does in ENTER, and what it may leave for later. */
#define ARING_CLASS_INLINE	(ARING_CLASS_NOP | ARING_CLASS_REMOVE)
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
#define ARING_ON_DRIVEN		(ARING_ON_CHAR | ARING_ON_OTHER)
#define ARING_ON_UNSTORED	(ARING_ON_SLOW | ARING_ON_DRIVEN)
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
#define ARING_WHEN_DRAIN	(1U << 8)	/* with IO_DRAIN */
#define ARING_WHEN_COUNTS	(1U << 9)	/* it counts completions */
#define ARING_NR_WHENS		10

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

#define ARING_ROW(act, err, ops, files, cond, contract, lnx, ...) {	\
	.action = ARING_ACT_##act, .error = err,			\
	.classes = ARING_CLASS_##ops, .kinds = ARING_ON_##files,	\
	.when = ARING_WHEN_##cond,					\
	.leave = { ARING_LEAVE_##contract, ARING_LEAVE_##lnx },		\
},

static const struct aring_permit aring_permit_table[] = {
#include "permit_rows.h"
};

#undef ARING_ROW

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
	if (what->flags & ARING_SEEN_DRAIN)
		when |= ARING_WHEN_DRAIN;
	if (what->flags & ARING_SEEN_COUNTS)
		when |= ARING_WHEN_COUNTS;
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
