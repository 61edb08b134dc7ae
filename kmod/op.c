// SPDX-License-Identifier: GPL-2.0
/* The op table. Rows left out are absent opcodes. */
#include "op.h"

const struct aring_op aring_ops[ARING_NR_OPS] = {
	[ARING_OP_NOP] = {
		.name		= "nop",
		.allow		= ARING_ALLOW,
	},
	[ARING_OP_READV] = {
		.name		= "readv",
		.allow		= ARING_ALLOW_IOPRIO,
		.flags		= ARING_OP_FILE,
		.pollin		= true,
		.prep		= aring_rw_prep,
		.capture	= aring_rw_capture,
		.issue		= aring_read_issue,
		.cleanup	= aring_rw_cleanup,
	},
	[ARING_OP_WRITEV] = {
		.name		= "writev",
		.allow		= ARING_ALLOW_IOPRIO,
		.flags		= ARING_OP_FILE,
		.prep		= aring_rw_prep,
		.capture	= aring_rw_capture,
		.issue		= aring_write_issue,
		.cleanup	= aring_rw_cleanup,
	},
	[ARING_OP_FSYNC] = {
		.name		= "fsync",
		.allow		= ARING_ALLOW,
		.flags		= ARING_OP_FILE | ARING_OP_BLOCKS,
		.prep		= aring_fsync_prep,
		.issue		= aring_fsync_issue,
	},
	[ARING_OP_POLL_ADD] = {
		.name		= "poll_add",
		.allow		= ARING_ALLOW,
		.flags		= ARING_OP_FILE | ARING_OP_OWN_START |
				  ARING_OP_POLLS,
		.prep		= aring_poll_prep,
		.issue		= aring_poll_issue,
	},
	[ARING_OP_POLL_REMOVE] = {
		.name		= "poll_remove",
		.allow		= ARING_ALLOW,
		.prep		= aring_poll_remove_prep,
		.issue		= aring_poll_remove_issue,
	},
	[ARING_OP_TIMEOUT] = {
		.name		= "timeout",
		.allow		= ARING_ALLOW,
		.flags		= ARING_OP_OWN_START,
		.prep		= aring_timeout_prep,
		.issue		= aring_timeout_issue,
		.cleanup	= aring_timeout_cleanup,
	},
	[ARING_OP_TIMEOUT_REMOVE] = {
		.name		= "timeout_remove",
		.allow		= ARING_ALLOW,
		.prep		= aring_timeout_remove_prep,
		.issue		= aring_timeout_remove_issue,
	},
	[ARING_OP_ASYNC_CANCEL] = {
		.name		= "async_cancel",
		.allow		= ARING_ALLOW,
		.prep		= aring_async_cancel_prep,
		.issue		= aring_async_cancel_issue,
	},
	[ARING_OP_LINK_TIMEOUT] = {
		/* Goes with the request before it: never by itself. */
		.name		= "link_timeout",
		.allow		= ARING_ALLOW_NONE,
		.prep		= aring_link_timeout_prep,
		.cleanup	= aring_timeout_cleanup,
	},
	[ARING_OP_READ] = {
		.name		= "read",
		.allow		= ARING_ALLOW_IOPRIO,
		.flags		= ARING_OP_FILE,
		.pollin		= true,
		.prep		= aring_rw_prep,
		.capture	= aring_rw_capture,
		.issue		= aring_read_issue,
		.cleanup	= aring_rw_cleanup,
	},
	[ARING_OP_WRITE] = {
		.name		= "write",
		.allow		= ARING_ALLOW_IOPRIO,
		.flags		= ARING_OP_FILE,
		.prep		= aring_rw_prep,
		.capture	= aring_rw_capture,
		.issue		= aring_write_issue,
		.cleanup	= aring_rw_cleanup,
	},
};
