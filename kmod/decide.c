// SPDX-License-Identifier: GPL-2.0
/*
 * What is to be done to a request or an ENTER of a ring that belongs to a session:
 * by the session's plan, or by its seed.
 *
 * Each decision goes to the log where it is made. A line is marked done at once, but
 * for those about cancelling: they are when a cancel has come.
 */
#include <linux/blkdev.h>
#include <linux/fs.h>
#include <linux/socket.h>
#include <linux/uaccess.h>

#include "op.h"
#include "permit.h"
#include "session.h"
#include "steer.h"
#include "where.h"

/* ---- what a request asks for ---------------------------------------------- */

/*
 * The bytes that iovecs ask for. The program may change them before they are
 * imported: this is what it seems to want, and nothing depends on it but the
 * decision what to shorten it to.
 */
static u64 aring_asked_iov(const struct iovec __user *iov, u64 nr)
{
	struct iovec part[UIO_FASTIOV];
	u64 sum = 0;
	u32 i, n;

	if (nr > UIO_MAXIOV)
		return 0;
	for (; nr; nr -= n, iov += n) {
		n = min_t(u64, nr, ARRAY_SIZE(part));
		if (copy_from_user(part, iov, n * sizeof(*iov)))
			return 0;
		for (i = 0; i < n; i++)
			sum += min_t(u64, part[i].iov_len, MAX_RW_COUNT);
	}
	return sum;
}

static u64 aring_asked_msg(const struct user_msghdr __user *msg)
{
	struct iovec __user *iov;
	size_t nr;

	if (get_user(iov, &msg->msg_iov) || get_user(nr, &msg->msg_iovlen))
		return 0;
	return aring_asked_iov(iov, nr);
}

/* Bytes that it asks to move. */
static u64 aring_asked_len(const struct aring_sqe *sqe)
{
	u64 len;

	switch (sqe->opcode) {
	case ARING_OP_READV:
	case ARING_OP_WRITEV:
		len = aring_asked_iov(u64_to_user_ptr(sqe->addr), sqe->len);
		break;
	case ARING_OP_SENDMSG:
	case ARING_OP_RECVMSG:
		len = aring_asked_msg(u64_to_user_ptr(sqe->addr));
		break;
	case ARING_OP_READ:
	case ARING_OP_WRITE:
	case ARING_OP_READ_FIXED:
	case ARING_OP_WRITE_FIXED:
	case ARING_OP_SEND:
	case ARING_OP_RECV:
	case ARING_OP_VREAD:
	case ARING_OP_VWRITE:
		len = sqe->len;
		break;
	default:
		len = 0;
	}
	return min_t(u64, len, MAX_RW_COUNT);
}

/* What O_DIRECT is aligned to: of the device, where that is known. */
static u32 aring_asked_block(const struct file *file)
{
	struct inode *inode = file->f_mapping->host;
	struct block_device *bdev;

	if (S_ISBLK(inode->i_mode))
		bdev = I_BDEV(inode);
	else
		bdev = inode->i_sb->s_bdev;
	return bdev ? bdev_logical_block_size(bdev) : i_blocksize(inode);
}

/* What a part of a write means to procfs or sysfs, only the kernel's writer knows. */
static enum aring_kind aring_asked_kind(const struct file *file)
{
	enum aring_kind kind = aring_kind_of(file);

	return kind == ARING_KIND_REG && !aring_where_stores(file) ?
	       ARING_KIND_OTHER : kind;
}

static void aring_asked(const struct aring_req *req,
			const struct aring_sqe *sqe, struct aring_seen *what)
{
	const struct aring_member *member = req->ring->member;
	const struct file *file = req->file;
	u32 class = aring_class_of(req->opcode);

	*what = (struct aring_seen) {
		.user_data	= req->user_data,
		.len		= aring_asked_len(sqe),
		.ticket		= req->ticket - member->first,
		.ring		= member->ring,
		.process	= member->process->nr,
		.opcode		= req->opcode,
		.kind		= aring_asked_kind(file),
	};
	if ((class & ARING_CLASS_RW) && (sqe->rw_flags & (__force u32)RWF_NOWAIT))
		what->flags |= ARING_SEEN_NOWAIT;
	if (class & ARING_CLASS_NET) {
		if (sqe->msg_flags & MSG_DONTWAIT)
			what->flags |= ARING_SEEN_NOWAIT;
		if (sqe->msg_flags & MSG_WAITALL)
			what->flags |= ARING_SEEN_WAITALL;
	}
	if (req->sqe_flags & ARING_SQE_IO_DRAIN)
		what->flags |= ARING_SEEN_DRAIN;
	if ((class & ARING_CLASS_TIMEOUT) && (u32)sqe->off)
		what->flags |= ARING_SEEN_COUNTS;
	if (file && (file->f_flags & O_NONBLOCK))
		what->flags |= ARING_SEEN_NONBLOCK;
	if (file && (file->f_flags & O_DIRECT)) {
		what->flags |= ARING_SEEN_DIRECT;
		if (what->kind == ARING_KIND_REG ||
		    what->kind == ARING_KIND_BLOCK)
			what->block = aring_asked_block(file);
	}
}

/* ---- a request ------------------------------------------------------------ */

static bool aring_is_verdict(const struct aring_deviation *line)
{
	return line->action == ARING_ACT_CANCEL_WINS ||
	       line->action == ARING_ACT_CANCEL_LOSES;
}

/* Return: as aring_fate_set(). A cancel cannot both win and lose. */
static bool aring_decide_apply(const struct aring_req *req,
			       const struct aring_deviation *line,
			       struct aring_fate *fate)
{
	if (aring_is_verdict(line) && (fate->hold || fate->verdict))
		return false;
	/* Not a plan's to do: nothing may hang by it. */
	if (line->action >= ARING_ACT_HOLD_QUEUED &&
	    line->action <= ARING_ACT_HOLD_DONE)
		return false;
	return aring_fate_set(fate, req, line->action, line->value);
}

/* A new line of the log. Return: NULL if it is lost, or nobody would read it. */
static struct aring_deviation *
aring_log_add(struct aring_sess *sess, const struct aring_deviation *line)
{
	return READ_ONCE(sess->closed) ? NULL :
					 aring_record_add(&sess->log, line);
}

/* A line of the log that is a line of the plan as well. */
static void aring_log_mark(struct aring_sess *sess,
			   struct aring_deviation *line, u8 kind, u64 was,
			   bool done)
{
	spin_lock_irq(&sess->log.lock);
	line->kind = kind;
	line->was = was;
	if (done)
		line->flags |= ARING_DEV_DONE;
	spin_unlock_irq(&sess->log.lock);
}

static bool aring_pick_chaos(struct aring_sess *sess, struct aring_req *req,
			     const struct aring_seen *what,
			     struct aring_fate *fate)
{
	struct aring_deviation lines[ARING_MAX_DEVIATIONS] = {}, *line, *at;
	bool found = false;
	unsigned int nr;

	nr = aring_chaos_request(&sess->chaos, what, lines);
	for (line = lines; line < lines + nr; line++) {
		if (!aring_decide_apply(req, line, fate))
			continue;
		found = true;
		line->ring = what->ring;
		line->number = what->ticket;
		line->opcode = what->opcode;
		line->kind = what->kind;
		line->process = what->process;
		if (!aring_is_verdict(line))
			line->flags = ARING_DEV_DONE;
		at = aring_log_add(sess, line);
		if (aring_is_verdict(line))
			fate->line = at;
	}
	return found;
}

static bool aring_pick_plan(struct aring_sess *sess, struct aring_req *req,
			    const struct aring_seen *what,
			    struct aring_fate *fate)
{
	const struct aring_deviation key = {
		.ring = what->ring, .number = what->ticket,
		.process = what->process,
	};
	struct aring_deviation *line;
	bool found = false;
	u32 pos = 0;

	while ((line = aring_plan_next(sess, &key, &pos)) != NULL) {
		bool verdict = aring_is_verdict(line);

		if (line->opcode != what->opcode ||
		    (line->kind && line->kind != what->kind) ||
		    !aring_chaos_permits(sess->level, what, line) ||
		    !aring_decide_apply(req, line, fate))
			continue;
		found = true;
		aring_log_mark(sess, line, what->kind,
			       line->action == ARING_ACT_SHORTEN ?
			       what->len : 0, !verdict);
		if (verdict)
			fate->line = line;
	}
	return found;
}

/**
 * aring_session_pick() - is anything to be done to this request, and what?
 * @req: SUBMITTED, validated, its file looked up; its ring belongs to a session
 * @sqe: the kernel's own copy
 * @fate: what was decided before; added to
 *
 * Context: process, the submitter's, submit_lock held.
 *
 * Return: true if anything was added.
 */
bool aring_session_pick(struct aring_req *req, const struct aring_sqe *sqe,
			struct aring_fate *fate)
{
	struct aring_sess *sess = req->ring->member->sess;
	const u16 hold = fate->hold, late = fate->late;
	struct aring_seen what;
	bool found = false;

	/* Nobody would read of it. */
	if (READ_ONCE(sess->closed))
		return false;
	aring_asked(req, sqe, &what);
	if (sess->watch)
		req->seen = aring_record_add(&sess->seen, &what);
	/* A descriptor that stands for nothing has its own error. */
	if ((req->op->flags & ARING_OP_FILE) && !req->file)
		return false;
	if (sess->plan.nr)
		found = aring_pick_plan(sess, req, &what, fate);
	else if (sess->with_chaos)
		found = aring_pick_chaos(sess, req, &what, fate);
	/* Not what a rule of the ring has set: who set it is there to release it. */
	fate->soft_hold = fate->hold != hold;
	fate->soft_late = fate->late != late;
	return found;
}

/**
 * aring_session_verdict() - a request that cancels are to win or lose was cancelled
 * @req: in the tables, its fate has a line in the log; &aring_ring.lock held
 * @ret: what the canceller is told
 *
 * Context: process.
 */
void aring_session_verdict(struct aring_req *req, int ret)
{
	struct aring_record *log = &req->ring->member->sess->log;
	struct aring_deviation *line = req->steered->fate.line;

	spin_lock_irq(&log->lock);
	if (ret == (line->action == ARING_ACT_CANCEL_WINS ? 0 : -EALREADY))
		line->flags |= ARING_DEV_DONE;
	spin_unlock_irq(&log->lock);
}

/**
 * aring_session_saw() - a request has ended
 * @req: final, its result set
 *
 * Context: any, cq_lock held.
 */
void aring_session_saw(struct aring_req *req)
{
	struct aring_record *seen = &req->ring->member->sess->seen;
	unsigned long flags;

	if (!req->seen)
		return;
	spin_lock_irqsave(&seen->lock, flags);
	req->seen->res = req->res;
	req->seen->flags |= ARING_SEEN_ENDED;
	spin_unlock_irqrestore(&seen->lock, flags);
	/* The slot will be another one's. */
	req->seen = NULL;
}

/* ---- an ENTER --------------------------------------------------------------- */

/*
 * Would @nr SQEs end in the middle of a chain? A look at shared memory that
 * decides about nothing else.
 */
static bool aring_cuts_chain(const struct aring_ring *ring, u32 nr)
{
	u32 pos = READ_ONCE(ring->shared->sq.head) + nr - 1;
	u32 index = READ_ONCE(ring->sq_array[pos & ring->sq_mask]);

	return index <= ring->sq_mask &&
	       (READ_ONCE(aring_sqe_at(ring, index)->flags) & ARING_SQE_LINKS);
}

/*
 * Has the same wait been interrupted just before? An automatic clock moves when all
 * sleep: a program that is never let sleep would not get on.
 */
static bool aring_offer_again(const struct aring_ring *ring)
{
	const struct aring_member *member = ring->member;

	return aring_is_virtual(ring) && ring->timeline->automatic &&
	       READ_ONCE(member->interrupted) &&
	       READ_ONCE(member->in_vain) ==
	       READ_ONCE(ring->shared->cq.tail);
}

static void aring_offer(struct aring_ring *ring, struct aring_offer *offer,
			const struct aring_enter *enter)
{
	struct aring_member *member = ring->member;
	u32 ready;

	/* It is only to be counted; what is taken is looked up under submit_lock. */
	ready = aring_index_ready(READ_ONCE(ring->shared->sq.head),
				  READ_ONCE(ring->shared->sq.tail),
				  aring_sq_entries(ring));
	offer->ring = member->ring;
	offer->number = atomic_inc_return(&member->nr_enters);
	offer->offered = ring->sqpoll ? 0 : min(enter->to_submit, ready);
	offer->when = 0;
	offer->again = aring_offer_again(ring);
	/* Interrupted, it would not have woken the thread of SQPOLL. */
	if ((enter->flags & ARING_ENTER_GETEVENTS) && enter->min_complete &&
	    !(enter->flags & (ARING_ENTER_SQ_WAKEUP | ARING_ENTER_SQ_WAIT)) &&
	    !enter->to_submit && !aring_cq_ready(ring) &&
	    !READ_ONCE(ring->nr_overflow) && !offer->again)
		offer->when |= ARING_WHEN_IDLE;
}

/* Who tries every plan wants to know where ENTER could be interrupted. */
static void aring_offer_seen(const struct aring_member *member,
			     const struct aring_offer *offer)
{
	struct aring_sess *sess = member->sess;
	const struct aring_seen seen = {
		.ticket = offer->number, .ring = offer->ring,
		.process = member->process->nr, .flags = ARING_SEEN_ENTER,
	};

	if (sess->watch && (offer->when & ARING_WHEN_IDLE))
		aring_record_add(&sess->seen, &seen);
}

/* Is it permitted, and if it were one or some SQEs more? */
static bool aring_decide_take(const struct aring_ring *ring, u32 level,
			      struct aring_offer *offer,
			      struct aring_deviation *line, bool adjust)
{
	if (level != ARING_LEVEL_ANY && adjust) {
		while (line->value < offer->offered &&
		       aring_cuts_chain(ring, line->value))
			line->value++;
	}
	if (line->value && !aring_cuts_chain(ring, line->value))
		offer->when |= ARING_WHEN_WHOLE;
	return aring_chaos_permits_enter(level, offer, line);
}

static bool aring_enter_chaos(struct aring_ring *ring,
			      struct aring_offer *offer,
			      struct aring_deviation *line)
{
	struct aring_member *member = ring->member;
	struct aring_sess *sess = member->sess;

	if (!aring_chaos_enter(&sess->chaos, offer, line))
		return false;
	if (line->action == ARING_ACT_ENTER_TAKE &&
	    !aring_decide_take(ring, sess->level, offer, line, true))
		return false;
	line->ring = member->ring;
	line->number = offer->number;
	line->process = member->process->nr;
	line->flags = ARING_DEV_ENTER | ARING_DEV_DONE;
	aring_log_add(sess, line);
	return true;
}

static bool aring_enter_plan(struct aring_ring *ring,
			     struct aring_offer *offer,
			     struct aring_deviation *out)
{
	struct aring_member *member = ring->member;
	struct aring_sess *sess = member->sess;
	const struct aring_deviation key = {
		.ring = member->ring, .number = offer->number,
		.process = member->process->nr, .flags = ARING_DEV_ENTER,
	};
	struct aring_deviation *line;
	u32 pos = 0;

	while ((line = aring_plan_next(sess, &key, &pos)) != NULL) {
		/* Two that may change; the others are as they were. */
		out->action = line->action;
		out->value = line->value;
		if (out->action == ARING_ACT_ENTER_TAKE ?
		    !aring_decide_take(ring, sess->level, offer, out, false) :
		    !aring_chaos_permits_enter(sess->level, offer, out))
			continue;
		aring_log_mark(sess, line, ARING_KIND_NONE,
			       out->action == ARING_ACT_ENTER_TAKE ?
			       offer->offered : 0, true);
		return true;
	}
	return false;
}

/**
 * aring_session_enter() - is anything to be done to this ENTER?
 * @ring: the ring; it belongs to a session
 * @enter: as the program gave it
 * @take: how many SQEs it takes at most; may be lowered
 *
 * Context: process, no lock held.
 *
 * Return: 0, or what ENTER is to answer at once.
 */
int aring_session_enter(struct aring_ring *ring,
			const struct aring_enter *enter, u64 *take)
{
	struct aring_sess *sess = ring->member->sess;
	struct aring_deviation line = {};
	struct aring_offer offer;
	bool found = false;

	if (READ_ONCE(sess->closed))
		return 0;
	aring_offer(ring, &offer, enter);
	aring_offer_seen(ring->member, &offer);
	if (sess->plan.nr)
		found = aring_enter_plan(ring, &offer, &line);
	else if (sess->with_chaos)
		found = aring_enter_chaos(ring, &offer, &line);
	if (!found)
		return 0;
	if (line.action == ARING_ACT_ENTER_EINTR) {
		WRITE_ONCE(ring->member->in_vain,
			   READ_ONCE(ring->shared->cq.tail));
		WRITE_ONCE(ring->member->interrupted, true);
		return -EINTR;
	}
	*take = min_t(u64, *take, line.value);
	return 0;
}
