// SPDX-License-Identifier: MIT
/*
 * Everything that aring has in common with io_uring, held side by side while
 * compiling: if this file compiles, it holds. It makes no code.
 *
 * The headers are those of Linux 6.1 or later: io_uring only ever adds.
 */
#include <assert.h>
#include <stddef.h>

#include <linux/io_uring.h>
#include <linux/aring.h>

#define SIZE(ours, theirs)						\
	static_assert(sizeof(struct ours) == sizeof(struct theirs),	\
		      "size of " #ours " is not that of " #theirs)

/* Where a field is and how large it is, as one number. */
#define PLACE(type, field)						\
	(offsetof(struct type, field) * 4096 +				\
	 sizeof(((struct type *)0)->field))

#define FIELD2(ours, x, theirs, y)					\
	static_assert(PLACE(ours, x) == PLACE(theirs, y),		\
		      #ours "." #x " is not where and as large as " #y)

#define FIELD(ours, theirs, x)	FIELD2(ours, x, theirs, x)

/* The same value. */
#define SAME(ours, theirs)						\
	static_assert((long long)(ours) == (long long)(theirs),		\
		      #ours " is not " #theirs)

/* Bits or opcodes of aring's own, out of io_uring's way. */
#define OWN_BIT(flag)							\
	static_assert((flag) >= (1U << 24), #flag " is among io_uring's")

/* struct aring_sqe */
SIZE(aring_sqe, io_uring_sqe);
FIELD(aring_sqe, io_uring_sqe, opcode);
FIELD(aring_sqe, io_uring_sqe, flags);
FIELD(aring_sqe, io_uring_sqe, ioprio);
FIELD(aring_sqe, io_uring_sqe, fd);
FIELD(aring_sqe, io_uring_sqe, off);
FIELD(aring_sqe, io_uring_sqe, addr2);
FIELD(aring_sqe, io_uring_sqe, addr);
FIELD(aring_sqe, io_uring_sqe, len);
FIELD(aring_sqe, io_uring_sqe, rw_flags);
FIELD(aring_sqe, io_uring_sqe, fsync_flags);
FIELD(aring_sqe, io_uring_sqe, poll_events);
FIELD(aring_sqe, io_uring_sqe, poll32_events);
FIELD(aring_sqe, io_uring_sqe, msg_flags);
FIELD(aring_sqe, io_uring_sqe, timeout_flags);
FIELD(aring_sqe, io_uring_sqe, cancel_flags);
FIELD(aring_sqe, io_uring_sqe, user_data);
FIELD(aring_sqe, io_uring_sqe, buf_index);
FIELD(aring_sqe, io_uring_sqe, personality);
FIELD(aring_sqe, io_uring_sqe, splice_fd_in);
FIELD(aring_sqe, io_uring_sqe, file_index);
FIELD(aring_sqe, io_uring_sqe, addr_len);
FIELD(aring_sqe, io_uring_sqe, __pad3);
FIELD(aring_sqe, io_uring_sqe, addr3);
FIELD(aring_sqe, io_uring_sqe, __pad2);
FIELD2(aring_sqe, op_flags, io_uring_sqe, rw_flags);

/* struct aring_cqe */
SIZE(aring_cqe, io_uring_cqe);
FIELD(aring_cqe, io_uring_cqe, user_data);
FIELD(aring_cqe, io_uring_cqe, res);
FIELD(aring_cqe, io_uring_cqe, flags);

/* struct aring_sq_offsets */
SIZE(aring_sq_offsets, io_sqring_offsets);
FIELD(aring_sq_offsets, io_sqring_offsets, head);
FIELD(aring_sq_offsets, io_sqring_offsets, tail);
FIELD(aring_sq_offsets, io_sqring_offsets, ring_mask);
FIELD(aring_sq_offsets, io_sqring_offsets, ring_entries);
FIELD(aring_sq_offsets, io_sqring_offsets, flags);
FIELD(aring_sq_offsets, io_sqring_offsets, dropped);
FIELD(aring_sq_offsets, io_sqring_offsets, array);
FIELD(aring_sq_offsets, io_sqring_offsets, resv1);
FIELD(aring_sq_offsets, io_sqring_offsets, resv2);

/* struct aring_cq_offsets */
SIZE(aring_cq_offsets, io_cqring_offsets);
FIELD(aring_cq_offsets, io_cqring_offsets, head);
FIELD(aring_cq_offsets, io_cqring_offsets, tail);
FIELD(aring_cq_offsets, io_cqring_offsets, ring_mask);
FIELD(aring_cq_offsets, io_cqring_offsets, ring_entries);
FIELD(aring_cq_offsets, io_cqring_offsets, overflow);
FIELD(aring_cq_offsets, io_cqring_offsets, cqes);
FIELD(aring_cq_offsets, io_cqring_offsets, flags);
FIELD(aring_cq_offsets, io_cqring_offsets, resv1);
FIELD(aring_cq_offsets, io_cqring_offsets, resv2);

/* struct aring_params: first_index and resv lie in io_uring's resv[3] */
SIZE(aring_params, io_uring_params);
FIELD(aring_params, io_uring_params, sq_entries);
FIELD(aring_params, io_uring_params, cq_entries);
FIELD(aring_params, io_uring_params, flags);
FIELD(aring_params, io_uring_params, sq_thread_cpu);
FIELD(aring_params, io_uring_params, sq_thread_idle);
FIELD(aring_params, io_uring_params, features);
FIELD(aring_params, io_uring_params, wq_fd);
FIELD(aring_params, io_uring_params, sq_off);
FIELD(aring_params, io_uring_params, cq_off);
FIELD2(aring_params, first_index, io_uring_params, resv[0]);
FIELD2(aring_params, resv[0], io_uring_params, resv[1]);
FIELD2(aring_params, resv[1], io_uring_params, resv[2]);

/* struct aring_getevents_arg */
SIZE(aring_getevents_arg, io_uring_getevents_arg);
FIELD(aring_getevents_arg, io_uring_getevents_arg, sigmask);
FIELD(aring_getevents_arg, io_uring_getevents_arg, sigmask_sz);
FIELD(aring_getevents_arg, io_uring_getevents_arg, pad);
FIELD(aring_getevents_arg, io_uring_getevents_arg, ts);

/* struct aring_probe_op */
SIZE(aring_probe_op, io_uring_probe_op);
FIELD(aring_probe_op, io_uring_probe_op, op);
FIELD(aring_probe_op, io_uring_probe_op, resv);
FIELD(aring_probe_op, io_uring_probe_op, flags);
FIELD(aring_probe_op, io_uring_probe_op, resv2);

/* struct aring_probe */
SIZE(aring_probe, io_uring_probe);
FIELD(aring_probe, io_uring_probe, last_op);
FIELD(aring_probe, io_uring_probe, ops_len);
FIELD(aring_probe, io_uring_probe, resv);
FIELD(aring_probe, io_uring_probe, resv2);
static_assert(offsetof(struct aring_probe, ops) ==
	      offsetof(struct io_uring_probe, ops),
	      "aring_probe.ops is not where ops is");

/* struct aring_sync_cancel_reg */
SIZE(aring_sync_cancel_reg, io_uring_sync_cancel_reg);
FIELD(aring_sync_cancel_reg, io_uring_sync_cancel_reg, addr);
FIELD(aring_sync_cancel_reg, io_uring_sync_cancel_reg, fd);
FIELD(aring_sync_cancel_reg, io_uring_sync_cancel_reg, flags);
FIELD(aring_sync_cancel_reg, io_uring_sync_cancel_reg, timeout);
FIELD(aring_sync_cancel_reg, io_uring_sync_cancel_reg, pad);

/* struct aring_files_update */
SIZE(aring_files_update, io_uring_files_update);
FIELD(aring_files_update, io_uring_files_update, offset);
FIELD(aring_files_update, io_uring_files_update, resv);
FIELD(aring_files_update, io_uring_files_update, fds);

/* struct aring_rsrc_register */
SIZE(aring_rsrc_register, io_uring_rsrc_register);
FIELD(aring_rsrc_register, io_uring_rsrc_register, nr);
FIELD(aring_rsrc_register, io_uring_rsrc_register, flags);
FIELD(aring_rsrc_register, io_uring_rsrc_register, resv2);
FIELD(aring_rsrc_register, io_uring_rsrc_register, data);
FIELD(aring_rsrc_register, io_uring_rsrc_register, tags);

/* struct aring_rsrc_update2 */
SIZE(aring_rsrc_update2, io_uring_rsrc_update2);
FIELD(aring_rsrc_update2, io_uring_rsrc_update2, offset);
FIELD(aring_rsrc_update2, io_uring_rsrc_update2, resv);
FIELD(aring_rsrc_update2, io_uring_rsrc_update2, data);
FIELD(aring_rsrc_update2, io_uring_rsrc_update2, tags);
FIELD(aring_rsrc_update2, io_uring_rsrc_update2, nr);
FIELD(aring_rsrc_update2, io_uring_rsrc_update2, resv2);

/* struct aring_restriction */
SIZE(aring_restriction, io_uring_restriction);
FIELD(aring_restriction, io_uring_restriction, opcode);
FIELD(aring_restriction, io_uring_restriction, register_op);
FIELD(aring_restriction, io_uring_restriction, sqe_op);
FIELD(aring_restriction, io_uring_restriction, sqe_flags);
FIELD(aring_restriction, io_uring_restriction, resv);
FIELD(aring_restriction, io_uring_restriction, resv2);

/* struct aring_file_index_range */
SIZE(aring_file_index_range, io_uring_file_index_range);
FIELD(aring_file_index_range, io_uring_file_index_range, off);
FIELD(aring_file_index_range, io_uring_file_index_range, len);
FIELD(aring_file_index_range, io_uring_file_index_range, resv);

/* opcodes */
SAME(ARING_OP_NOP, IORING_OP_NOP);
SAME(ARING_OP_READV, IORING_OP_READV);
SAME(ARING_OP_WRITEV, IORING_OP_WRITEV);
SAME(ARING_OP_FSYNC, IORING_OP_FSYNC);
SAME(ARING_OP_TIMEOUT, IORING_OP_TIMEOUT);
SAME(ARING_OP_TIMEOUT_REMOVE, IORING_OP_TIMEOUT_REMOVE);
SAME(ARING_OP_ASYNC_CANCEL, IORING_OP_ASYNC_CANCEL);
SAME(ARING_OP_READ, IORING_OP_READ);
SAME(ARING_OP_WRITE, IORING_OP_WRITE);
SAME(ARING_OP_READ_FIXED, IORING_OP_READ_FIXED);
SAME(ARING_OP_WRITE_FIXED, IORING_OP_WRITE_FIXED);
SAME(ARING_OP_POLL_ADD, IORING_OP_POLL_ADD);
SAME(ARING_OP_POLL_REMOVE, IORING_OP_POLL_REMOVE);
SAME(ARING_OP_SENDMSG, IORING_OP_SENDMSG);
SAME(ARING_OP_RECVMSG, IORING_OP_RECVMSG);
SAME(ARING_OP_LINK_TIMEOUT, IORING_OP_LINK_TIMEOUT);
SAME(ARING_OP_SEND, IORING_OP_SEND);
SAME(ARING_OP_RECV, IORING_OP_RECV);

/* flags of an SQE */
SAME(ARING_SQE_ASYNC, IOSQE_ASYNC);
SAME(ARING_SQE_CQE_SKIP_SUCCESS, IOSQE_CQE_SKIP_SUCCESS);
SAME(ARING_SQE_FIXED_FILE, IOSQE_FIXED_FILE);
SAME(ARING_SQE_IO_DRAIN, IOSQE_IO_DRAIN);
SAME(ARING_SQE_IO_LINK, IOSQE_IO_LINK);
SAME(ARING_SQE_IO_HARDLINK, IOSQE_IO_HARDLINK);

/* flags of a CQE */
SAME(ARING_CQE_F_MORE, IORING_CQE_F_MORE);
SAME(ARING_CQE_F_SOCK_NONEMPTY, IORING_CQE_F_SOCK_NONEMPTY);

/* flags of operations */
SAME(ARING_FSYNC_DATASYNC, IORING_FSYNC_DATASYNC);
SAME(ARING_TIMEOUT_ABS, IORING_TIMEOUT_ABS);
SAME(ARING_TIMEOUT_UPDATE, IORING_TIMEOUT_UPDATE);
SAME(ARING_TIMEOUT_BOOTTIME, IORING_TIMEOUT_BOOTTIME);
SAME(ARING_TIMEOUT_REALTIME, IORING_TIMEOUT_REALTIME);
SAME(ARING_TIMEOUT_ETIME_SUCCESS, IORING_TIMEOUT_ETIME_SUCCESS);
SAME(ARING_TIMEOUT_CLOCK_MASK, IORING_TIMEOUT_CLOCK_MASK);
SAME(ARING_LINK_TIMEOUT_UPDATE, IORING_LINK_TIMEOUT_UPDATE);
SAME(ARING_TIMEOUT_UPDATE_MASK, IORING_TIMEOUT_UPDATE_MASK);
SAME(ARING_POLL_ADD_MULTI, IORING_POLL_ADD_MULTI);
SAME(ARING_POLL_UPDATE_EVENTS, IORING_POLL_UPDATE_EVENTS);
SAME(ARING_POLL_UPDATE_USER_DATA, IORING_POLL_UPDATE_USER_DATA);
SAME(ARING_POLL_ADD_LEVEL, IORING_POLL_ADD_LEVEL);
SAME(ARING_RECVSEND_POLL_FIRST, IORING_RECVSEND_POLL_FIRST);
SAME(ARING_ASYNC_CANCEL_ALL, IORING_ASYNC_CANCEL_ALL);
SAME(ARING_ASYNC_CANCEL_FD, IORING_ASYNC_CANCEL_FD);
SAME(ARING_ASYNC_CANCEL_ANY, IORING_ASYNC_CANCEL_ANY);
SAME(ARING_ASYNC_CANCEL_FD_FIXED, IORING_ASYNC_CANCEL_FD_FIXED);
OWN_BIT(ARING_ASYNC_CANCEL_TICKET);

/*
 * ASYNC_CANCEL_USERDATA and _OP came after 6.1, whose header lacks them; the
 * values are those of later kernels.
 */
SAME(ARING_ASYNC_CANCEL_USERDATA, 1U << 4);
SAME(ARING_ASYNC_CANCEL_OP, 1U << 5);
#ifdef IORING_ASYNC_CANCEL_USERDATA
SAME(ARING_ASYNC_CANCEL_USERDATA, IORING_ASYNC_CANCEL_USERDATA);
#endif
#ifdef IORING_ASYNC_CANCEL_OP
SAME(ARING_ASYNC_CANCEL_OP, IORING_ASYNC_CANCEL_OP);
#endif

/* set-up flags */
SAME(ARING_SETUP_CQSIZE, IORING_SETUP_CQSIZE);
SAME(ARING_SETUP_CLAMP, IORING_SETUP_CLAMP);
SAME(ARING_SETUP_R_DISABLED, IORING_SETUP_R_DISABLED);
SAME(ARING_SETUP_SUBMIT_ALL, IORING_SETUP_SUBMIT_ALL);
SAME(ARING_SETUP_COOP_TASKRUN, IORING_SETUP_COOP_TASKRUN);
SAME(ARING_SETUP_TASKRUN_FLAG, IORING_SETUP_TASKRUN_FLAG);
SAME(ARING_SETUP_SINGLE_ISSUER, IORING_SETUP_SINGLE_ISSUER);
SAME(ARING_SETUP_DEFER_TASKRUN, IORING_SETUP_DEFER_TASKRUN);
SAME(ARING_SETUP_SQPOLL, IORING_SETUP_SQPOLL);
SAME(ARING_SETUP_SQ_AFF, IORING_SETUP_SQ_AFF);
SAME(ARING_SETUP_SQE128, IORING_SETUP_SQE128);
SAME(ARING_SETUP_CQE32, IORING_SETUP_CQE32);
OWN_BIT(ARING_SETUP_FIRST_INDEX);

/* features */
SAME(ARING_FEAT_SINGLE_MMAP, IORING_FEAT_SINGLE_MMAP);
SAME(ARING_FEAT_NODROP, IORING_FEAT_NODROP);
SAME(ARING_FEAT_SUBMIT_STABLE, IORING_FEAT_SUBMIT_STABLE);
SAME(ARING_FEAT_RW_CUR_POS, IORING_FEAT_RW_CUR_POS);
SAME(ARING_FEAT_CUR_PERSONALITY, IORING_FEAT_CUR_PERSONALITY);
SAME(ARING_FEAT_FAST_POLL, IORING_FEAT_FAST_POLL);
SAME(ARING_FEAT_EXT_ARG, IORING_FEAT_EXT_ARG);
SAME(ARING_FEAT_CQE_SKIP, IORING_FEAT_CQE_SKIP);
SAME(ARING_FEAT_POLL_32BITS, IORING_FEAT_POLL_32BITS);
SAME(ARING_FEAT_SQPOLL_NONFIXED, IORING_FEAT_SQPOLL_NONFIXED);
SAME(ARING_FEAT_RSRC_TAGS, IORING_FEAT_RSRC_TAGS);

/* flags in the submission ring */
SAME(ARING_SQ_CQ_OVERFLOW, IORING_SQ_CQ_OVERFLOW);
SAME(ARING_SQ_TASKRUN, IORING_SQ_TASKRUN);
SAME(ARING_SQ_NEED_WAKEUP, IORING_SQ_NEED_WAKEUP);

/* flags in the completion ring */
SAME(ARING_CQ_EVENTFD_DISABLED, IORING_CQ_EVENTFD_DISABLED);

/* offsets for mmap */
SAME(ARING_OFF_SQ_RING, IORING_OFF_SQ_RING);
SAME(ARING_OFF_CQ_RING, IORING_OFF_CQ_RING);
SAME(ARING_OFF_SQES, IORING_OFF_SQES);

/* flags of ENTER */
SAME(ARING_ENTER_GETEVENTS, IORING_ENTER_GETEVENTS);
SAME(ARING_ENTER_EXT_ARG, IORING_ENTER_EXT_ARG);
SAME(ARING_ENTER_SQ_WAKEUP, IORING_ENTER_SQ_WAKEUP);
SAME(ARING_ENTER_SQ_WAIT, IORING_ENTER_SQ_WAIT);

/* opcodes of REGISTER */
SAME(ARING_REGISTER_PROBE, IORING_REGISTER_PROBE);
SAME(ARING_REGISTER_ENABLE_RINGS, IORING_REGISTER_ENABLE_RINGS);
SAME(ARING_REGISTER_SYNC_CANCEL, IORING_REGISTER_SYNC_CANCEL);
SAME(ARING_REGISTER_BUFFERS, IORING_REGISTER_BUFFERS);
SAME(ARING_UNREGISTER_BUFFERS, IORING_UNREGISTER_BUFFERS);
SAME(ARING_REGISTER_FILES, IORING_REGISTER_FILES);
SAME(ARING_UNREGISTER_FILES, IORING_UNREGISTER_FILES);
SAME(ARING_REGISTER_EVENTFD, IORING_REGISTER_EVENTFD);
SAME(ARING_UNREGISTER_EVENTFD, IORING_UNREGISTER_EVENTFD);
SAME(ARING_REGISTER_FILES_UPDATE, IORING_REGISTER_FILES_UPDATE);
SAME(ARING_REGISTER_EVENTFD_ASYNC, IORING_REGISTER_EVENTFD_ASYNC);
SAME(ARING_REGISTER_PERSONALITY, IORING_REGISTER_PERSONALITY);
SAME(ARING_UNREGISTER_PERSONALITY, IORING_UNREGISTER_PERSONALITY);
SAME(ARING_REGISTER_RESTRICTIONS, IORING_REGISTER_RESTRICTIONS);
SAME(ARING_REGISTER_FILES2, IORING_REGISTER_FILES2);
SAME(ARING_REGISTER_FILES_UPDATE2, IORING_REGISTER_FILES_UPDATE2);
SAME(ARING_REGISTER_BUFFERS2, IORING_REGISTER_BUFFERS2);
SAME(ARING_REGISTER_BUFFERS_UPDATE, IORING_REGISTER_BUFFERS_UPDATE);
SAME(ARING_REGISTER_FILE_ALLOC_RANGE, IORING_REGISTER_FILE_ALLOC_RANGE);
SAME(ARING_RSRC_REGISTER_SPARSE, IORING_RSRC_REGISTER_SPARSE);
SAME(ARING_REGISTER_FILES_SKIP, IORING_REGISTER_FILES_SKIP);
SAME(ARING_RESTRICTION_REGISTER_OP, IORING_RESTRICTION_REGISTER_OP);
SAME(ARING_RESTRICTION_SQE_OP, IORING_RESTRICTION_SQE_OP);
SAME(ARING_RESTRICTION_SQE_FLAGS_ALLOWED, IORING_RESTRICTION_SQE_FLAGS_ALLOWED);
SAME(ARING_RESTRICTION_SQE_FLAGS_REQUIRED, IORING_RESTRICTION_SQE_FLAGS_REQUIRED);
SAME(ARING_OP_SUPPORTED, IO_URING_OP_SUPPORTED);

/* aring's own structures: sizes that a later version must not change */
static_assert(sizeof(struct aring_enter) == 24, "size of aring_enter");
static_assert(sizeof(struct aring_register) == 16, "size of aring_register");
static_assert(offsetof(struct aring_info, ops) == 40, "place of aring_info.ops");
static_assert(sizeof(struct aring_info) == 112, "size of aring_info");
