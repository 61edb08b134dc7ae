// SPDX-License-Identifier: GPL-2.0
/*
 * /proc/PID/fdinfo/FD of a ring, in the manner of io_uring's.
 */
#include <linux/seq_file.h>

#include "main.h"
#include "op.h"
#include "sqpoll.h"

#define ARING_SHOW_OVERFLOW	128

static const char *aring_op_name(u8 opcode)
{
	return aring_ops[opcode].name ?: "invalid";
}

static void aring_show_sq(struct seq_file *m, struct aring_ring *ring)
{
	u32 head = READ_ONCE(ring->shared->sq.head);
	u32 tail = READ_ONCE(ring->shared->sq.tail);
	u32 nr = aring_index_ready(head, tail, aring_sq_entries(ring));
	u32 i, index;

	seq_printf(m, "SqMask:\t0x%x\n", ring->sq_mask);
	seq_printf(m, "SqHead:\t%u\n", head);
	seq_printf(m, "SqTail:\t%u\n", tail);
	/* data_race(): only to be shown, and perhaps old when it is. */
	seq_printf(m, "CachedSqHead:\t%u\n", data_race(ring->sq_head));
	seq_printf(m, "SQEs:\t%u\n", tail - head);
	for (i = 0; i < nr; i++) {
		struct aring_sqe sqe;

		index = READ_ONCE(ring->sq_array[(head + i) & ring->sq_mask]);
		if (index > ring->sq_mask)
			continue;
		/* data_race(): only to be shown, it need not be consistent. */
		sqe = data_race(*aring_sqe_at(ring, index));
		seq_printf(m,
			   "%5u: opcode:%s, fd:%d, flags:%x, off:%llu, addr:0x%llx, rw_flags:0x%x, user_data:%llu\n",
			   index, aring_op_name(sqe.opcode), sqe.fd, sqe.flags,
			   sqe.off, sqe.addr, sqe.rw_flags, sqe.user_data);
	}
}

static void aring_show_cq(struct seq_file *m, struct aring_ring *ring)
{
	u32 head = READ_ONCE(ring->shared->cq.head);
	u32 tail = READ_ONCE(ring->shared->cq.tail);
	u32 nr = aring_index_ready(head, tail, aring_cq_entries(ring));
	u32 i;

	seq_printf(m, "CqMask:\t0x%x\n", ring->cq_mask);
	seq_printf(m, "CqHead:\t%u\n", head);
	seq_printf(m, "CqTail:\t%u\n", tail);
	/* data_race(): only to be shown, and perhaps old when it is. */
	seq_printf(m, "CachedCqTail:\t%u\n", data_race(ring->cq_tail));
	seq_printf(m, "CQEs:\t%u\n", tail - head);
	for (i = 0; i < nr; i++) {
		u32 index = (head + i) & ring->cq_mask;
		struct aring_cqe cqe;

		/* data_race(): only to be shown, it need not be consistent. */
		cqe = data_race(*aring_cqe_at(ring, index));
		seq_printf(m, "%5u: user_data:%llu, res:%d, flag:%x\n", index,
			   cqe.user_data, cqe.res, cqe.flags);
	}
}

static void aring_show_inflight(struct seq_file *m, struct aring_ring *ring)
{
	static const char * const states[] = {
		[ARING_SUBMITTED] = "submitted", [ARING_QUEUED] = "queued",
		[ARING_STARTED] = "started", [ARING_DONE] = "done",
		[ARING_CANCELLED] = "cancelled",
	};
	struct aring_req *req;
	unsigned int i;

	seq_puts(m, "Inflight:\n");
	mutex_lock(&ring->lock);
	for (i = 0; i < 1U << ring->hash_bits; i++) {
		list_for_each_entry(req, &ring->buckets[i].by_data, by_data)
			seq_printf(m, "  ticket=%u, op=%s, user_data=%llu, state=%s\n",
				   req->ticket, aring_op_name(req->opcode),
				   req->user_data,
				   states[aring_state_read(&req->state)]);
	}
	mutex_unlock(&ring->lock);
}

static void aring_show_overflow(struct seq_file *m, struct aring_ring *ring)
{
	struct aring_req *req;
	unsigned int nr = 0;

	seq_printf(m, "CqOverflow:\t%u\n", READ_ONCE(ring->nr_overflow));
	seq_printf(m, "CqParked:\t%u\n", READ_ONCE(ring->order.nr_parked));
	seq_puts(m, "CqOverflowList:\n");
	spin_lock_irq(&ring->cq_lock);
	list_for_each_entry(req, &ring->overflow, cq_entry) {
		/* Interrupts are off, and the list may be of any length. */
		if (nr++ == ARING_SHOW_OVERFLOW || seq_has_overflowed(m))
			break;
		seq_printf(m, "  user_data=%llu, res=%d, flags=%x\n",
			   req->user_data, req->res, req->cqe_flags);
	}
	spin_unlock_irq(&ring->cq_lock);
}

/**
 * aring_show_fdinfo() - describe a ring
 * @m: where to
 * @file: the ring's file
 *
 * Never takes submit_lock: a ring that is stuck there can be looked at.
 *
 * Context: process.
 */
void aring_show_fdinfo(struct seq_file *m, struct file *file)
{
	struct aring_ring *ring = aring_ring_of(file);

	if (!ring)
		return;
	aring_show_sq(m, ring);
	aring_show_cq(m, ring);
	seq_printf(m, "SqThread:\t%d\n",
		   ring->sqpoll ? task_pid_nr(ring->sqpoll->task) : -1);
	seq_printf(m, "SqThreadCpu:\t%d\n",
		   ring->sqpoll ? (int)task_cpu(ring->sqpoll->task) : -1);
	seq_printf(m, "Workers:\t%u disk, %u peer, %u ready\n",
		   READ_ONCE(ring->bounded.nr_workers),
		   READ_ONCE(ring->unbounded.nr_workers),
		   READ_ONCE(ring->ready.nr_workers));
	aring_show_inflight(m, ring);
	aring_show_overflow(m, ring);
}
