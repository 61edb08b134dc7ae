// SPDX-License-Identifier: MIT
/*
 * aring info --matrix: Linux 6.1's io_uring, row by row, and what aring makes of
 * it. Documentation/compat.rst has the same table; selftests/matrix compares
 * the two, and asks both kernels about each row.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <linux/io_uring.h>

#include "matrix.h"

#define OP_NR(name)		IORING_OP_##name
#define SETUP_NR(name)		IORING_SETUP_##name
#define SQE_NR(name)		IOSQE_##name
#define ENTER_NR(name)		IORING_ENTER_##name
#define REGISTER_NR(name)	IORING_##name
#define FEATURE_NR(name)	IORING_FEAT_##name

#define ROW(kind, name, verdict, error, note)				\
	{ MATRIX_##kind, kind##_NR(name), #name, verdict, error, note }
#define SAME(kind, name, note)	 ROW(kind, name, MATRIX_SAME, 0, note)
#define HINT(kind, name, note)	 ROW(kind, name, MATRIX_HINT, 0, note)
#define ABSENT(kind, name, error, note)					\
	ROW(kind, name, MATRIX_ABSENT, error, note)

/* In each part in the order of the numbers. Notes: at most 34 characters. */
const struct matrix_row matrix_rows[] = {
	SAME(OP, NOP, ""),
	SAME(OP, READV, "procfs and the like: inside ENTER"),
	SAME(OP, WRITEV, "procfs and the like: inside ENTER"),
	SAME(OP, FSYNC, "procfs and the like: inside ENTER"),
	SAME(OP, READ_FIXED, "procfs and the like: inside ENTER"),
	SAME(OP, WRITE_FIXED, "procfs and the like: inside ENTER"),
	SAME(OP, POLL_ADD, ""),
	SAME(OP, POLL_REMOVE, ""),
	ABSENT(OP, SYNC_FILE_RANGE, EINVAL, ""),
	SAME(OP, SENDMSG, "control data, to an address: inside ENTER"),
	SAME(OP, RECVMSG, "control data: inside ENTER only"),
	SAME(OP, TIMEOUT, ""),
	SAME(OP, TIMEOUT_REMOVE, ""),
	ABSENT(OP, ACCEPT, EINVAL, "on purpose: skips the LSM's hooks"),
	SAME(OP, ASYNC_CANCEL, "exact verdicts; looks at all flags"),
	SAME(OP, LINK_TIMEOUT, ""),
	ABSENT(OP, CONNECT, EINVAL, "on purpose: skips the LSM's hooks"),
	ABSENT(OP, FALLOCATE, EINVAL, ""),
	ABSENT(OP, OPENAT, EINVAL, "on purpose: skips the LSM's hooks"),
	ABSENT(OP, CLOSE, EINVAL, ""),
	ABSENT(OP, FILES_UPDATE, EINVAL, "REGISTER_FILES_UPDATE does it"),
	ABSENT(OP, STATX, EINVAL, ""),
	SAME(OP, READ, "procfs and the like: inside ENTER"),
	SAME(OP, WRITE, "procfs and the like: inside ENTER"),
	ABSENT(OP, FADVISE, EINVAL, ""),
	ABSENT(OP, MADVISE, EINVAL, ""),
	SAME(OP, SEND, "datagrams to an address: inside ENTER"),
	SAME(OP, RECV, ""),
	ABSENT(OP, OPENAT2, EINVAL, "on purpose: skips the LSM's hooks"),
	ABSENT(OP, EPOLL_CTL, EINVAL, ""),
	ABSENT(OP, SPLICE, EINVAL, ""),
	ABSENT(OP, PROVIDE_BUFFERS, EINVAL, ""),
	ABSENT(OP, REMOVE_BUFFERS, EINVAL, ""),
	ABSENT(OP, TEE, EINVAL, ""),
	ABSENT(OP, SHUTDOWN, EINVAL, ""),
	ABSENT(OP, RENAMEAT, EINVAL, ""),
	ABSENT(OP, UNLINKAT, EINVAL, ""),
	ABSENT(OP, MKDIRAT, EINVAL, ""),
	ABSENT(OP, SYMLINKAT, EINVAL, ""),
	ABSENT(OP, LINKAT, EINVAL, ""),
	ABSENT(OP, MSG_RING, EINVAL, ""),
	ABSENT(OP, FSETXATTR, EINVAL, ""),
	ABSENT(OP, SETXATTR, EINVAL, ""),
	ABSENT(OP, FGETXATTR, EINVAL, ""),
	ABSENT(OP, GETXATTR, EINVAL, ""),
	ABSENT(OP, SOCKET, EINVAL, ""),
	ABSENT(OP, URING_CMD, EINVAL, ""),
	ABSENT(OP, SEND_ZC, EINVAL, ""),
	ABSENT(OP, SENDMSG_ZC, EINVAL, ""),

	ABSENT(SETUP, IOPOLL, EINVAL, "completions are never polled for"),
	SAME(SETUP, SQPOLL, "what is the caller's: by ENTER"),
	SAME(SETUP, SQ_AFF, "a CPU of the caller's own mask"),
	SAME(SETUP, CQSIZE, ""),
	SAME(SETUP, CLAMP, ""),
	ABSENT(SETUP, ATTACH_WQ, EINVAL, "the number of workers is limited by user"),
	SAME(SETUP, R_DISABLED, ""),
	SAME(SETUP, SUBMIT_ALL, ""),
	HINT(SETUP, COOP_TASKRUN, "no program is ever interrupted"),
	HINT(SETUP, TASKRUN_FLAG, "SQ_TASKRUN comes without it, too"),
	SAME(SETUP, SQE128, "no operation uses the second half"),
	SAME(SETUP, CQE32, "the second half is 0"),
	SAME(SETUP, SINGLE_ISSUER, ""),
	HINT(SETUP, DEFER_TASKRUN, "no program is ever interrupted"),

	SAME(SQE, FIXED_FILE, ""),
	SAME(SQE, IO_DRAIN, ""),
	SAME(SQE, IO_LINK, ""),
	SAME(SQE, IO_HARDLINK, ""),
	SAME(SQE, ASYNC, ""),
	ABSENT(SQE, BUFFER_SELECT, EOPNOTSUPP, ""),
	SAME(SQE, CQE_SKIP_SUCCESS, ""),

	SAME(ENTER, GETEVENTS, ""),
	SAME(ENTER, SQ_WAKEUP, ""),
	SAME(ENTER, SQ_WAIT, ""),
	SAME(ENTER, EXT_ARG, ""),
	ABSENT(ENTER, REGISTERED_RING, EINVAL, ""),

	SAME(REGISTER, REGISTER_BUFFERS, ""),
	SAME(REGISTER, UNREGISTER_BUFFERS, ""),
	SAME(REGISTER, REGISTER_FILES, "AF_UNIX sockets only while mapped"),
	SAME(REGISTER, UNREGISTER_FILES, ""),
	SAME(REGISTER, REGISTER_EVENTFD, ""),
	SAME(REGISTER, UNREGISTER_EVENTFD, ""),
	SAME(REGISTER, REGISTER_FILES_UPDATE, ""),
	SAME(REGISTER, REGISTER_EVENTFD_ASYNC, ""),
	SAME(REGISTER, REGISTER_PROBE, ""),
	SAME(REGISTER, REGISTER_PERSONALITY, ""),
	SAME(REGISTER, UNREGISTER_PERSONALITY, ""),
	SAME(REGISTER, REGISTER_RESTRICTIONS, ""),
	SAME(REGISTER, REGISTER_ENABLE_RINGS, ""),
	SAME(REGISTER, REGISTER_FILES2, ""),
	SAME(REGISTER, REGISTER_FILES_UPDATE2, ""),
	SAME(REGISTER, REGISTER_BUFFERS2, ""),
	SAME(REGISTER, REGISTER_BUFFERS_UPDATE, ""),
	ABSENT(REGISTER, REGISTER_IOWQ_AFF, EINVAL, ""),
	ABSENT(REGISTER, UNREGISTER_IOWQ_AFF, EINVAL, ""),
	ABSENT(REGISTER, REGISTER_IOWQ_MAX_WORKERS, EINVAL, "RLIMIT_NPROC bounds workers"),
	ABSENT(REGISTER, REGISTER_RING_FDS, EINVAL, "liburing then uses the descriptor"),
	ABSENT(REGISTER, UNREGISTER_RING_FDS, EINVAL, ""),
	ABSENT(REGISTER, REGISTER_PBUF_RING, EINVAL, ""),
	ABSENT(REGISTER, UNREGISTER_PBUF_RING, EINVAL, ""),
	SAME(REGISTER, REGISTER_SYNC_CANCEL, ""),
	SAME(REGISTER, REGISTER_FILE_ALLOC_RANGE, ""),

	SAME(FEATURE, SINGLE_MMAP, ""),
	SAME(FEATURE, NODROP, ""),
	SAME(FEATURE, SUBMIT_STABLE, ""),
	SAME(FEATURE, RW_CUR_POS, ""),
	SAME(FEATURE, CUR_PERSONALITY, ""),
	SAME(FEATURE, FAST_POLL, ""),
	SAME(FEATURE, POLL_32BITS, ""),
	SAME(FEATURE, SQPOLL_NONFIXED, ""),
	SAME(FEATURE, EXT_ARG, ""),
	ABSENT(FEATURE, NATIVE_WORKERS, 0, "workers are threads of the kernel"),
	SAME(FEATURE, RSRC_TAGS, ""),
	SAME(FEATURE, CQE_SKIP, ""),
	ABSENT(FEATURE, LINKED_FILE, 0, "files are looked up at submission"),
};

const unsigned int matrix_count = sizeof(matrix_rows) / sizeof(matrix_rows[0]);

static const struct {
	const char *title;
	const char *column;
	const char *prefix;
} kinds[MATRIX_KINDS] = {
	[MATRIX_OP]	  = { "Operations", "operation", "IORING_OP_" },
	[MATRIX_SETUP]	  = { "Flags of set-up", "flag", "IORING_SETUP_" },
	[MATRIX_SQE]	  = { "Flags of an SQE", "flag", "IOSQE_" },
	[MATRIX_ENTER]	  = { "Flags of ENTER", "flag", "IORING_ENTER_" },
	[MATRIX_REGISTER] = { "REGISTER", "opcode", "IORING_" },
	[MATRIX_FEATURE]  = { "Features", "bit", "IORING_FEAT_" },
};

static const char * const verdicts[] = {
	[MATRIX_SAME]	= "same",
	[MATRIX_HINT]	= "hint",
	[MATRIX_ABSENT]	= "absent",
};

/* What all names of a kind begin with in <linux/io_uring.h>. */
const char *matrix_prefix(enum matrix_kind kind)
{
	return kinds[kind].prefix;
}

static const char *failure(const struct matrix_row *row)
{
	if (row->verdict != MATRIX_ABSENT)
		return "";
	switch (row->error) {
	case EINVAL:
		return "EINVAL";
	case EOPNOTSUPP:
		return "EOPNOTSUPP";
	default:
		return "bit clear";
	}
}

/* Four columns; a title above each part. */
void matrix_print(void)
{
	enum matrix_kind kind = MATRIX_KINDS;
	const struct matrix_row *row;
	char line[128];
	size_t len;

	for (row = matrix_rows; row < matrix_rows + matrix_count; row++) {
		if (row->kind != kind) {
			printf("%s%s (%s...)\n", row == matrix_rows ? "" : "\n",
			       kinds[row->kind].title, kinds[row->kind].prefix);
			kind = row->kind;
		}
		len = snprintf(line, sizeof(line), " %-25s %-6s %-10s %s",
			       row->name, verdicts[row->verdict], failure(row),
			       row->note);
		while (len && line[len - 1] == ' ')
			line[--len] = 0;
		puts(line);
	}
}

/* A list-table for each part. */
void matrix_print_rst(void)
{
	enum matrix_kind kind = MATRIX_KINDS;
	const struct matrix_row *row;

	for (row = matrix_rows; row < matrix_rows + matrix_count; row++) {
		if (row->kind != kind) {
			kind = row->kind;
			printf("%s.. list-table:: %s\n"
			       "   :header-rows: 1\n"
			       "   :widths: 30 10 15 45\n\n"
			       "   * - %s\n"
			       "     - aring\n"
			       "     - fails with\n"
			       "     - note\n", row == matrix_rows ? "" : "\n",
			       kinds[kind].title, kinds[kind].column);
		}
		printf("   * - ``%s``\n"
		       "     - %s\n", row->name, verdicts[row->verdict]);
		printf("     -%s%s\n", *failure(row) ? " " : "", failure(row));
		printf("     -%s%s\n", *row->note ? " " : "", row->note);
	}
}
