/* SPDX-License-Identifier: (GPL-2.0 OR MIT) */
/*
 * The rows of the table: ARING_ROW(action, errno, operations, files, when,
 * contract, linux, source...). The first that fits decides; where none does, the
 * answer is no. The source, strings to be put one behind the other, is for the
 * documentation and is not compiled into the module.
 */

ARING_ROW(SHORTEN, 0, READ, REG, CACHED, YES, NO,
	  "read(2): not an error if fewer than requested.",
	  "mm/filemap.c, filemap_read(): goes on to the end of the file")
ARING_ROW(SHORTEN, 0, READ, BLOCK, CACHED, YES, NO,
	  "read(2). block/fops.c, blkdev_read_iter(): by filemap_read()")
ARING_ROW(SHORTEN, 0, READ, STORAGE, DIRECT, BLOCKS, NO,
	  "read(2); open(2), O_DIRECT: alignment.",
	  "fs/iomap/direct-io.c, iomap_dio_complete(), and block/fops.c, blkdev_bio_end_io():",
	  "everything, up to the end of the file")
ARING_ROW(SHORTEN, 0, WRITE, REG, CACHED, YES, YES,
	  "write(2): fewer for want of space or by RLIMIT_FSIZE.",
	  "fs/read_write.c, generic_write_check_limits(); mm/filemap.c, generic_perform_write()")
ARING_ROW(SHORTEN, 0, WRITE, BLOCK, CACHED, YES, NO,
	  "write(2). block/fops.c, blkdev_write_iter(): everything, up to the end of the device")
ARING_ROW(SHORTEN, 0, WRITE, STORAGE, DIRECT, BLOCKS, NO,
	  "write(2); open(2), O_DIRECT: alignment.",
	  "fs/iomap/direct-io.c, iomap_dio_complete(): an error anywhere is the result of all")
ARING_ROW(SHORTEN, 0, READ, PIPE, ALWAYS, YES, YES,
	  "read(2): from a pipe. fs/pipe.c, pipe_read(): what is there")
ARING_ROW(SHORTEN, 0, WRITE, PIPE, DIRECT, NO, NO,
	  "pipe(2), O_DIRECT: a write is a packet")
ARING_ROW(SHORTEN, 0, WRITE, PIPE, CACHED, LARGE, PAGES,
	  "pipe(7), PIPE_BUF: more may be written in part.",
	  "fs/pipe.c, pipe_write(): page by page")
ARING_ROW(SHORTEN, 0, READ, STREAM, ALWAYS, YES, YES,
	  "read(2); recv(2). net/ipv4/tcp.c, tcp_recvmsg_locked();",
	  "net/unix/af_unix.c, unix_stream_read_generic()")
ARING_ROW(SHORTEN, 0, WRITE, STREAM, ALWAYS, YES, YES,
	  "write(2): fewer, for example, if a blocked write to a socket was interrupted.",
	  "net/ipv4/tcp.c, tcp_sendmsg_locked(); net/unix/af_unix.c, unix_stream_sendmsg()")
ARING_ROW(SHORTEN, 0, RECV, STREAM, PARTS, YES, YES,
	  "recv(2): any data available, up to the amount requested.",
	  "net/ipv4/tcp.c, tcp_recvmsg_locked(); net/unix/af_unix.c, unix_stream_read_generic()")
ARING_ROW(SHORTEN, 0, RECV, STREAM, WAITALL, YES, NO,
	  "recv(2), MSG_WAITALL: may still return less. io_uring/net.c, io_recv(): goes on")
ARING_ROW(SHORTEN, 0, SEND, STREAM, PARTS, YES, YES,
	  "send(2): the number of bytes sent. io_uring/net.c, io_send();",
	  "net/ipv4/tcp.c, tcp_sendmsg_locked(); net/unix/af_unix.c, unix_stream_sendmsg()")
ARING_ROW(SHORTEN, 0, SEND, STREAM, WAITALL, NO, NO,
	  "nothing says so. io_uring/net.c, io_send(): goes on")
ARING_ROW(SHORTEN, 0, READ, TTY, ALWAYS, YES, NO,
	  "read(2): from a terminal; termios(3): at most one line.",
	  "drivers/tty/n_tty.c, canon_copy_from_read_buf(): whole lines")
ARING_ROW(SHORTEN, 0, WRITE, TTY, ALWAYS, YES, YES,
	  "write(2). drivers/tty/n_tty.c, n_tty_write()")
ARING_ROW(SHORTEN, 0, MOVE, DGRAM, ALWAYS, NO, NO,
	  "recv(2), send(2): a message is whole")
ARING_ROW(SHORTEN, 0, RW, DRIVEN, ALWAYS, NO, NO,
	  "what another length means, only the driver knows")
ARING_ROW(SHORTEN, 0, VDEV, NONE, ALWAYS, NO, NO,
	  "aring.h, struct aring_vdev: less only at the end of the medium")

ARING_ROW(FAIL, EAGAIN, RW, FILE, NOWAIT, YES, YES,
	  "preadv2(2), RWF_NOWAIT. io_uring/rw.c, io_read(), io_write()")
ARING_ROW(FAIL, EAGAIN, NET, SOCKET, NOWAIT, YES, YES,
	  "send(2), recv(2), MSG_DONTWAIT. io_uring/net.c, io_sendmsg_prep(), io_recvmsg_prep()")
ARING_ROW(FAIL, EAGAIN, MOVE, UNSTORED, NONBLOCK, YES, NO,
	  "read(2), write(2), send(2), recv(2).",
	  "io_uring/rw.c, io_read(), and io_uring/net.c, io_recv(): waits all the same")
ARING_ROW(FAIL, EIO, STORE, STORAGE, ALWAYS, YES, YES,
	  "read(2), write(2), fsync(2).",
	  "mm/filemap.c, filemap_get_pages(), file_check_and_advance_wb_err();",
	  "block/blk-core.c, blk_errors[]")
ARING_ROW(FAIL, ENOSPC, WRITE, STORAGE, ALWAYS, YES, YES,
	  "write(2). The file system; block/blk-core.c, blk_errors[]")
ARING_ROW(FAIL, ENOSPC, FSYNC, REG, ALWAYS, YES, YES,
	  "fsync(2). mm/filemap.c, filemap_check_errors()")
ARING_ROW(FAIL, EDQUOT, WRITE, REG, ALWAYS, YES, YES,
	  "write(2). fs/quota/dquot.c, __dquot_alloc_space()")
ARING_ROW(FAIL, EDQUOT, FSYNC, REG, ALWAYS, YES, NO,
	  "fsync(2): on NFS and the like")
ARING_ROW(FAIL, EINTR, RW, SLOW, ALWAYS, YES, NO,
	  "read(2), write(2). io_uring/rw.c, io_fixup_rw_res(): only of who is cancelled")
ARING_ROW(FAIL, EINTR, NET, SOCKET, ALWAYS, YES, NO,
	  "send(2), recv(2). io_uring/net.c: likewise")
ARING_ROW(FAIL, ECONNRESET, MOVE, STREAM, ALWAYS, YES, YES,
	  "send(2); POSIX.1: read(), recv(). net/ipv4/tcp_input.c, tcp_reset();",
	  "net/unix/af_unix.c, unix_release_sock()")
ARING_ROW(FAIL, EPIPE, SEND, STREAM, ALWAYS, YES, YES,
	  "send(2), without a signal. net/core/stream.c, sk_stream_error();",
	  "net/unix/af_unix.c, unix_stream_sendmsg()")
ARING_ROW(FAIL, ECONNREFUSED, MOVE, DGRAM, ALWAYS, YES, NO,
	  "recv(2); udp(7), unix(7). net/ipv4/udp.c, __udp4_lib_err(): only if connected")
ARING_ROW(FAIL, ENOBUFS, SEND, DGRAM, ALWAYS, YES, NO,
	  "send(2), which says that Linux does not")
ARING_ROW(FAIL, ENOMEM, SEND, SOCKET, ALWAYS, YES, NO,
	  "send(2). The memory of a socket is waited for")

ARING_ROW(AFTER, 0, ALL, ALL, DRAIN, NO, NO,
	  "io_uring_enter(2), IOSQE_IO_DRAIN: new SQEs are not started before it completes,",
	  "though io_uring/io_uring.c, io_queue_deferred(), starts them with it")
ARING_ROW(AFTER, 0, NET, SOCKET, NOWAIT, YES, NO,
	  "io_uring(7): in any order.",
	  "io_uring/io_uring.c, io_queue_async(): with REQ_F_NOWAIT it ends within ENTER")
ARING_ROW(AFTER, 0, ASYNC, ALL, ALWAYS, YES, YES,
	  "io_uring(7): in any order. io_uring/io_uring.c, io_queue_async()")
ARING_ROW(AFTER, 0, INLINE, NONE, ALWAYS, YES, NO,
	  "io_uring(7): in any order. io_uring/io_uring.c, io_queue_sqe(): ends within ENTER")
ARING_ROW(AFTER, 0, LIMIT, NONE, ALWAYS, NO, NO,
	  "it ends when its request does")

ARING_ROW(DELAY, 0, ALL, ALL, DRAIN, NO, NO,
	  "io_uring_enter(2), IOSQE_IO_DRAIN: new SQEs are not started before it completes,",
	  "though io_uring/io_uring.c, io_queue_deferred(), starts them with it")
ARING_ROW(DELAY, 0, NET, SOCKET, NOWAIT, YES, NO,
	  "io_uring(7): when it is done.",
	  "io_uring/io_uring.c, io_queue_async(): with REQ_F_NOWAIT it ends within ENTER")
ARING_ROW(DELAY, 0, ASYNC, ALL, ALWAYS, YES, YES,
	  "io_uring(7): when it is done. io_uring/io_uring.c, io_queue_async()")
ARING_ROW(DELAY, 0, INLINE, NONE, ALWAYS, YES, NO,
	  "io_uring(7): when it is done. io_uring/io_uring.c, io_queue_sqe(): ends within ENTER")
ARING_ROW(DELAY, 0, LIMIT, NONE, ALWAYS, NO, NO,
	  "it ends when its request does")

ARING_ROW(CANCEL_LOSES, 0, TIMEOUT, NONE, ALWAYS, NO, NO,
	  "io_uring/timeout.c, io_timeout_extract(): only when its time has come")
ARING_ROW(CANCEL_LOSES, 0, NET, SOCKET, NOWAIT, YES, NO,
	  "io_uring_enter(2), IORING_OP_ASYNC_CANCEL: -EALREADY.",
	  "io_uring/io_uring.c, io_queue_async(): with REQ_F_NOWAIT it ends within ENTER")
ARING_ROW(CANCEL_LOSES, 0, ASYNC, ALL, ALWAYS, YES, YES,
	  "io_uring_enter(2), IORING_OP_ASYNC_CANCEL: -EALREADY.",
	  "io_uring/cancel.c, io_async_cancel_one()")
ARING_ROW(CANCEL_LOSES, 0, INLINE, NONE, ALWAYS, YES, NO,
	  "likewise. io_uring/io_uring.c, io_queue_sqe(): over before it can be cancelled")
ARING_ROW(CANCEL_LOSES, 0, LIMIT, NONE, ALWAYS, NO, NO,
	  "it ends when its request does")

ARING_ROW(CANCEL_WINS, 0, TIMEOUT, NONE, COUNTS, NO, NO,
	  "held until it is cancelled, it would not count what ends meanwhile")
ARING_ROW(CANCEL_WINS, 0, NET, SOCKET, NOWAIT, YES, NO,
	  "io_uring_enter(2), IORING_OP_ASYNC_CANCEL: 0.",
	  "io_uring/io_uring.c, io_queue_async(): with REQ_F_NOWAIT it ends within ENTER")
ARING_ROW(CANCEL_WINS, 0, ASYNC, ALL, ALWAYS, YES, YES,
	  "io_uring_enter(2), IORING_OP_ASYNC_CANCEL: 0.",
	  "io_uring/io-wq.c, io_acct_cancel_pending_work(); io_uring/poll.c, io_poll_cancel()")
ARING_ROW(CANCEL_WINS, 0, NOP, NONE, ALWAYS, YES, NO,
	  "likewise. io_uring/io_uring.c, io_queue_sqe(): over before it can be cancelled")
ARING_ROW(CANCEL_WINS, 0, TIED, NONE, ALWAYS, NO, NO,
	  "what cancels is not waited with until it is cancelled")

ARING_ROW(CQ_FULL, 0, ALL, ALL, ALWAYS, YES, NO,
	  "io_uring_setup(2), IORING_FEAT_NODROP.",
	  "io_uring/io_uring.c, __io_get_cqe(): only if it is full")

ARING_ROW(ENTER_EINTR, 0, ENTER, NONE, IDLE, YES, YES,
	  "io_uring_enter(2), EINTR: while waiting.",
	  "io_uring/io_uring.c, io_cqring_wait(): only if the CQ is empty",
	  "and nothing was submitted")

ARING_ROW(ENTER_TAKE, 0, ENTER, NONE, WHOLE, YES, YES,
	  "io_uring_enter(2): the number consumed.",
	  "io_uring/io_uring.c, io_submit_sqes(): fewer if memory is short")
