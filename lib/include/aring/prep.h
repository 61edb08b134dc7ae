/* SPDX-License-Identifier: MIT */
/*
 * Filling in submission queue entries. Included by <aring.h>.
 *
 * Every function sets the whole entry except user_data, which may be set before
 * or after. What a buffer, iovec array or timespec pointer leads to: iovecs and
 * timespecs may go as soon as the submit has returned, buffers when the
 * completion is there. The same for sockets: a struct msghdr, its iovecs, control
 * data and an address to send to may go after the submit; what is sent or
 * received into, and where RECVMSG puts an address, must stay.
 *
 * With ARING_SETUP_SQPOLL there is no submit that returns: all of it must stay
 * until the kernel's thread has taken the entry (aring_sq_ready() says 0).
 */
#ifndef _ARING_PREP_H
#define _ARING_PREP_H

#ifndef _ARING_H
#include <aring.h>
#endif

#include <sys/socket.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * aring_prep_rw() - what all the others are made of
 * @op: ARING_OP_*
 * @sqe: the entry
 * @fd: file descriptor
 * @addr: buffer or key
 * @len: length or count
 * @off: offset
 */
static inline void aring_prep_rw(int op, struct aring_sqe *sqe, int fd,
				 const void *addr, unsigned int len, __u64 off)
{
	sqe->opcode = (__u8)op;
	sqe->flags = 0;
	sqe->ioprio = 0;
	sqe->fd = fd;
	sqe->off = off;
	sqe->addr = (__u64)(uintptr_t)addr;
	sqe->len = len;
	sqe->op_flags = 0;
	sqe->buf_index = 0;
	sqe->personality = 0;
	sqe->file_index = 0;
	sqe->addr3 = 0;
	sqe->__pad2[0] = 0;
}

/**
 * aring_sqe_set_data64() - name a request with a number
 * @sqe: the entry
 * @data: comes back in the completion
 */
static inline void aring_sqe_set_data64(struct aring_sqe *sqe, __u64 data)
{
	sqe->user_data = data;
}

/**
 * aring_sqe_set_data() - name a request with a pointer
 * @sqe: the entry
 * @data: comes back in the completion
 */
static inline void aring_sqe_set_data(struct aring_sqe *sqe, void *data)
{
	sqe->user_data = (__u64)(uintptr_t)data;
}

/**
 * aring_sqe_set_flags() - set flags of a request
 * @sqe: the entry, already prepared: aring_prep_*() clears them
 * @flags: ARING_SQE_*
 */
static inline void aring_sqe_set_flags(struct aring_sqe *sqe,
				       unsigned int flags)
{
	sqe->flags = (__u8)flags;
}

/**
 * aring_cqe_get_data64() - the number that the request was named with
 * @cqe: the completion
 *
 * Return: what aring_sqe_set_data64() was given.
 */
static inline __u64 aring_cqe_get_data64(const struct aring_cqe *cqe)
{
	return cqe->user_data;
}

/**
 * aring_cqe_get_data() - the pointer that the request was named with
 * @cqe: the completion
 *
 * Return: what aring_sqe_set_data() was given.
 */
static inline void *aring_cqe_get_data(const struct aring_cqe *cqe)
{
	return (void *)(uintptr_t)cqe->user_data;
}

/**
 * aring_prep_nop() - complete with 0, and that is all
 * @sqe: the entry
 */
static inline void aring_prep_nop(struct aring_sqe *sqe)
{
	aring_prep_rw(ARING_OP_NOP, sqe, -1, NULL, 0, 0);
}

/**
 * aring_prep_read() - read as pread(2) does
 * @sqe: the entry
 * @fd: file to read from
 * @buf: where to
 * @nbytes: how much
 * @offset: from where; -1 for the file position
 */
static inline void aring_prep_read(struct aring_sqe *sqe, int fd, void *buf,
				   unsigned int nbytes, __u64 offset)
{
	aring_prep_rw(ARING_OP_READ, sqe, fd, buf, nbytes, offset);
}

/**
 * aring_prep_write() - write as pwrite(2) does
 * @sqe: the entry
 * @fd: file to write to
 * @buf: where from
 * @nbytes: how much
 * @offset: to where; -1 for the file position
 */
static inline void aring_prep_write(struct aring_sqe *sqe, int fd,
				    const void *buf, unsigned int nbytes,
				    __u64 offset)
{
	aring_prep_rw(ARING_OP_WRITE, sqe, fd, buf, nbytes, offset);
}

/**
 * aring_prep_readv() - read as preadv(2) does
 * @sqe: the entry
 * @fd: file to read from
 * @iovecs: where to
 * @nr_vecs: number of @iovecs
 * @offset: from where; -1 for the file position
 */
static inline void aring_prep_readv(struct aring_sqe *sqe, int fd,
				    const struct iovec *iovecs,
				    unsigned int nr_vecs, __u64 offset)
{
	aring_prep_rw(ARING_OP_READV, sqe, fd, iovecs, nr_vecs, offset);
}

/**
 * aring_prep_readv2() - read as preadv2(2) does
 * @sqe: the entry
 * @fd: file to read from
 * @iovecs: where to
 * @nr_vecs: number of @iovecs
 * @offset: from where; -1 for the file position
 * @flags: RWF_*
 */
static inline void aring_prep_readv2(struct aring_sqe *sqe, int fd,
				     const struct iovec *iovecs,
				     unsigned int nr_vecs, __u64 offset,
				     int flags)
{
	aring_prep_readv(sqe, fd, iovecs, nr_vecs, offset);
	sqe->rw_flags = (__u32)flags;
}

/**
 * aring_prep_writev() - write as pwritev(2) does
 * @sqe: the entry
 * @fd: file to write to
 * @iovecs: where from
 * @nr_vecs: number of @iovecs
 * @offset: to where; -1 for the file position
 */
static inline void aring_prep_writev(struct aring_sqe *sqe, int fd,
				     const struct iovec *iovecs,
				     unsigned int nr_vecs, __u64 offset)
{
	aring_prep_rw(ARING_OP_WRITEV, sqe, fd, iovecs, nr_vecs, offset);
}

/**
 * aring_prep_writev2() - write as pwritev2(2) does
 * @sqe: the entry
 * @fd: file to write to
 * @iovecs: where from
 * @nr_vecs: number of @iovecs
 * @offset: to where; -1 for the file position
 * @flags: RWF_*
 */
static inline void aring_prep_writev2(struct aring_sqe *sqe, int fd,
				      const struct iovec *iovecs,
				      unsigned int nr_vecs, __u64 offset,
				      int flags)
{
	aring_prep_writev(sqe, fd, iovecs, nr_vecs, offset);
	sqe->rw_flags = (__u32)flags;
}

/**
 * aring_prep_read_fixed() - read into a registered buffer
 * @sqe: the entry
 * @fd: file to read from
 * @buf: where to, inside the registered buffer
 * @nbytes: how much
 * @offset: from where; -1 for the file position
 * @buf_index: number of the buffer, see aring_register_buffers()
 */
static inline void aring_prep_read_fixed(struct aring_sqe *sqe, int fd,
					 void *buf, unsigned int nbytes,
					 __u64 offset, int buf_index)
{
	aring_prep_rw(ARING_OP_READ_FIXED, sqe, fd, buf, nbytes, offset);
	sqe->buf_index = (__u16)buf_index;
}

/**
 * aring_prep_write_fixed() - write from a registered buffer
 * @sqe: the entry
 * @fd: file to write to
 * @buf: where from, inside the registered buffer
 * @nbytes: how much
 * @offset: to where; -1 for the file position
 * @buf_index: number of the buffer, see aring_register_buffers()
 */
static inline void aring_prep_write_fixed(struct aring_sqe *sqe, int fd,
					  const void *buf, unsigned int nbytes,
					  __u64 offset, int buf_index)
{
	aring_prep_rw(ARING_OP_WRITE_FIXED, sqe, fd, buf, nbytes, offset);
	sqe->buf_index = (__u16)buf_index;
}

/**
 * aring_prep_fsync() - bring a file to the disk as fsync(2) does
 * @sqe: the entry
 * @fd: the file
 * @fsync_flags: 0, or ARING_FSYNC_DATASYNC for what fdatasync(2) does
 *
 * Covers the writes whose completions were there before it was submitted.
 */
static inline void aring_prep_fsync(struct aring_sqe *sqe, int fd,
				    unsigned int fsync_flags)
{
	aring_prep_rw(ARING_OP_FSYNC, sqe, fd, NULL, 0, 0);
	sqe->fsync_flags = fsync_flags;
}

/* The ABI has the halves of the mask swapped on a big-endian machine. */
static inline __u32 __aring_prep_poll_mask(unsigned int poll_mask)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	return poll_mask << 16 | poll_mask >> 16;
#else
	return poll_mask;
#endif
}

/**
 * aring_prep_poll_add() - wait until a file is ready
 * @sqe: the entry
 * @fd: the file
 * @poll_mask: EPOLLIN, EPOLLOUT, ... of epoll_ctl(2); EPOLLERR and EPOLLHUP
 *	always count
 *
 * Completes once, with the events that are there.
 */
static inline void aring_prep_poll_add(struct aring_sqe *sqe, int fd,
				       unsigned int poll_mask)
{
	aring_prep_rw(ARING_OP_POLL_ADD, sqe, fd, NULL, 0, 0);
	sqe->poll32_events = __aring_prep_poll_mask(poll_mask);
}

/**
 * aring_prep_poll_multishot() - say so each time that a file becomes ready
 * @sqe: the entry
 * @fd: the file
 * @poll_mask: as for aring_prep_poll_add()
 *
 * One completion for each wake-up that finds events, and one for what is there
 * already. It is armed for as long as the completions have ARING_CQE_F_MORE. As
 * with EPOLLET, what was ready and stays so is not told again: read or accept
 * until -EAGAIN.
 */
static inline void aring_prep_poll_multishot(struct aring_sqe *sqe, int fd,
					     unsigned int poll_mask)
{
	aring_prep_poll_add(sqe, fd, poll_mask);
	sqe->len = ARING_POLL_ADD_MULTI;
}

/**
 * aring_prep_poll_remove() - take a poll back
 * @sqe: the entry
 * @user_data: what the poll is named with
 *
 * Completes with 0 (the poll with -ECANCELED), -EALREADY or -ENOENT.
 */
static inline void aring_prep_poll_remove(struct aring_sqe *sqe,
					  __u64 user_data)
{
	aring_prep_rw(ARING_OP_POLL_REMOVE, sqe, -1, NULL, 0, 0);
	sqe->addr = user_data;
}

/**
 * aring_prep_poll_update() - change a poll that is armed
 * @sqe: the entry
 * @old_user_data: what it is named with
 * @new_user_data: its new name, with ARING_POLL_UPDATE_USER_DATA
 * @poll_mask: its new events, with ARING_POLL_UPDATE_EVENTS
 * @flags: those two, and ARING_POLL_ADD_MULTI if it is to be multishot
 *
 * Completes with 0, -EALREADY or -ENOENT.
 */
static inline void aring_prep_poll_update(struct aring_sqe *sqe,
					  __u64 old_user_data,
					  __u64 new_user_data,
					  unsigned int poll_mask,
					  unsigned int flags)
{
	aring_prep_rw(ARING_OP_POLL_REMOVE, sqe, -1, NULL, flags,
		      new_user_data);
	sqe->addr = old_user_data;
	sqe->poll32_events = __aring_prep_poll_mask(poll_mask);
}

/**
 * aring_prep_sendmsg() - send as sendmsg(2) does
 * @sqe: the entry
 * @fd: the socket
 * @msg: what, and to whom
 * @flags: MSG_*
 */
static inline void aring_prep_sendmsg(struct aring_sqe *sqe, int fd,
				      const struct msghdr *msg,
				      unsigned int flags)
{
	aring_prep_rw(ARING_OP_SENDMSG, sqe, fd, msg, 1, 0);
	sqe->msg_flags = flags;
}

/**
 * aring_prep_recvmsg() - receive as recvmsg(2) does
 * @sqe: the entry
 * @fd: the socket
 * @msg: where to; it and what it names stay until the completion
 * @flags: MSG_*
 */
static inline void aring_prep_recvmsg(struct aring_sqe *sqe, int fd,
				      struct msghdr *msg, unsigned int flags)
{
	aring_prep_rw(ARING_OP_RECVMSG, sqe, fd, msg, 1, 0);
	sqe->msg_flags = flags;
}

/**
 * aring_prep_send() - send as send(2) does
 * @sqe: the entry
 * @sockfd: the socket
 * @buf: where from
 * @len: how much
 * @flags: MSG_*; with MSG_WAITALL it completes when all has been sent
 */
static inline void aring_prep_send(struct aring_sqe *sqe, int sockfd,
				   const void *buf, size_t len, int flags)
{
	aring_prep_rw(ARING_OP_SEND, sqe, sockfd, buf, (unsigned int)len, 0);
	sqe->msg_flags = (__u32)flags;
}

/**
 * aring_prep_send_set_addr() - give a SEND somebody to send to
 * @sqe: the entry, already prepared by aring_prep_send()
 * @dest_addr: the address
 * @addr_len: its size
 */
static inline void aring_prep_send_set_addr(struct aring_sqe *sqe,
					    const struct sockaddr *dest_addr,
					    __u16 addr_len)
{
	sqe->addr2 = (__u64)(uintptr_t)dest_addr;
	sqe->addr_len = addr_len;
}

/**
 * aring_prep_sendto() - send as sendto(2) does
 * @sqe: the entry
 * @sockfd: the socket
 * @buf: where from
 * @len: how much
 * @flags: MSG_*
 * @addr: to whom
 * @addrlen: size of the address
 */
static inline void aring_prep_sendto(struct aring_sqe *sqe, int sockfd,
				     const void *buf, size_t len, int flags,
				     const struct sockaddr *addr,
				     socklen_t addrlen)
{
	aring_prep_send(sqe, sockfd, buf, len, flags);
	aring_prep_send_set_addr(sqe, addr, (__u16)addrlen);
}

/**
 * aring_prep_recv() - receive as recv(2) does
 * @sqe: the entry
 * @sockfd: the socket
 * @buf: where to
 * @len: how much
 * @flags: MSG_*; with MSG_WAITALL it completes when all of @len is there, or the
 *	stream has ended
 */
static inline void aring_prep_recv(struct aring_sqe *sqe, int sockfd, void *buf,
				   size_t len, int flags)
{
	aring_prep_rw(ARING_OP_RECV, sqe, sockfd, buf, (unsigned int)len, 0);
	sqe->msg_flags = (__u32)flags;
}

/**
 * aring_prep_timeout() - complete with -ETIME after a time
 * @sqe: the entry
 * @ts: the time, from now on or with ARING_TIMEOUT_ABS of the clock
 * @count: complete with 0 once this many other requests have; 0 for time alone
 * @flags: ARING_TIMEOUT_*
 */
static inline void aring_prep_timeout(struct aring_sqe *sqe,
				      const struct __kernel_timespec *ts,
				      unsigned int count, unsigned int flags)
{
	aring_prep_rw(ARING_OP_TIMEOUT, sqe, -1, ts, 1, count);
	sqe->timeout_flags = flags;
}

/**
 * aring_prep_timeout_remove() - take a timeout back
 * @sqe: the entry
 * @user_data: what the timeout is named with
 * @flags: 0
 *
 * Completes with 0 (the timeout with -ECANCELED), -EALREADY or -ENOENT.
 */
static inline void aring_prep_timeout_remove(struct aring_sqe *sqe,
					     __u64 user_data,
					     unsigned int flags)
{
	aring_prep_rw(ARING_OP_TIMEOUT_REMOVE, sqe, -1, NULL, 0, 0);
	sqe->addr = user_data;
	sqe->timeout_flags = flags;
}

/**
 * aring_prep_timeout_update() - give a timeout a new time
 * @sqe: the entry
 * @ts: the new time
 * @user_data: what the timeout is named with
 * @flags: ARING_TIMEOUT_ABS if @ts is absolute; ARING_LINK_TIMEOUT_UPDATE if it
 *	was prepared by aring_prep_link_timeout()
 *
 * Completes with 0, -EALREADY or -ENOENT.
 */
static inline void aring_prep_timeout_update(struct aring_sqe *sqe,
					     const struct __kernel_timespec *ts,
					     __u64 user_data,
					     unsigned int flags)
{
	aring_prep_rw(ARING_OP_TIMEOUT_REMOVE, sqe, -1, NULL, 0,
		      (__u64)(uintptr_t)ts);
	sqe->addr = user_data;
	sqe->timeout_flags = flags | ARING_TIMEOUT_UPDATE;
}

/**
 * aring_prep_link_timeout() - a time limit for the request before it
 * @sqe: the entry, right after one that has ARING_SQE_IO_LINK or IO_HARDLINK
 * @ts: the time, from when that request starts
 * @flags: ARING_TIMEOUT_*
 *
 * Completes with -ETIME if it took the request back, with -EALREADY if the
 * request could not be taken back any more, with -ECANCELED if the request was
 * over in time.
 */
static inline void aring_prep_link_timeout(struct aring_sqe *sqe,
					   const struct __kernel_timespec *ts,
					   unsigned int flags)
{
	aring_prep_rw(ARING_OP_LINK_TIMEOUT, sqe, -1, ts, 1, 0);
	sqe->timeout_flags = flags;
}

/**
 * aring_prep_cancel64() - take back a request by its number
 * @sqe: the entry
 * @user_data: what it is named with
 * @flags: ARING_ASYNC_CANCEL_*
 *
 * Completes with the verdict: 0, taken back; -EALREADY, it had started and its
 * own result follows; -ENOENT, there is none such, or its completion is already
 * there. With ARING_ASYNC_CANCEL_ALL the number of requests.
 */
static inline void aring_prep_cancel64(struct aring_sqe *sqe, __u64 user_data,
				       unsigned int flags)
{
	aring_prep_rw(ARING_OP_ASYNC_CANCEL, sqe, -1, NULL, 0, 0);
	sqe->addr = user_data;
	sqe->cancel_flags = flags;
}

/**
 * aring_prep_cancel() - take back a request by its pointer
 * @sqe: the entry
 * @user_data: what it is named with
 * @flags: ARING_ASYNC_CANCEL_*
 *
 * As aring_prep_cancel64().
 */
static inline void aring_prep_cancel(struct aring_sqe *sqe, void *user_data,
				     unsigned int flags)
{
	aring_prep_cancel64(sqe, (__u64)(uintptr_t)user_data, flags);
}

/**
 * aring_prep_cancel_fd() - take back a request by its file
 * @sqe: the entry
 * @fd: the file
 * @flags: ARING_ASYNC_CANCEL_ALL for all of that file
 *
 * As aring_prep_cancel64().
 */
static inline void aring_prep_cancel_fd(struct aring_sqe *sqe, int fd,
					unsigned int flags)
{
	aring_prep_rw(ARING_OP_ASYNC_CANCEL, sqe, fd, NULL, 0, 0);
	sqe->cancel_flags = flags | ARING_ASYNC_CANCEL_FD;
}

/**
 * aring_prep_cancel_ticket() - take back exactly one submission
 * @sqe: the entry
 * @ticket: what aring_sqe_ticket() said of it
 * @flags: other ARING_ASYNC_CANCEL_*
 *
 * As aring_prep_cancel64(), and never the wrong one, whatever user_data is
 * shared. On the device only; io_uring answers -EINVAL.
 */
static inline void aring_prep_cancel_ticket(struct aring_sqe *sqe,
					    unsigned int ticket,
					    unsigned int flags)
{
	aring_prep_rw(ARING_OP_ASYNC_CANCEL, sqe, -1, NULL, 0, 0);
	sqe->addr = ticket;
	sqe->cancel_flags = flags | ARING_ASYNC_CANCEL_TICKET;
}

#ifdef __cplusplus
}
#endif

#endif /* _ARING_PREP_H */
