/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tracepoints: each edge of a request's life, and each cancel.
 *
 * Documentation/tracing.rst describes them for those who use them. The time is
 * that of the ring's clock, and for an edge into QUEUED it is read before
 * the request is let go of. So the events of one request, sorted by their times,
 * are in order, which those of two CPUs in the trace need not be.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM aring

#if !defined(ARING_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define ARING_TRACE_H

#include <linux/tracepoint.h>

#include "edge.h"

/* Numbers, not names of enums: what reads the format knows no enums of ours. */
#define aring_show_state(state) \
	__print_symbolic(state, \
			 { 0, "SUBMITTED" }, { 1, "QUEUED" }, { 2, "STARTED" }, \
			 { 3, "DONE" }, { 4, "CANCELLED" }, { 5, "NEW" })

#define aring_show_op(opcode) \
	__print_symbolic(opcode, \
			 { 0, "NOP" }, { 1, "READV" }, { 2, "WRITEV" }, \
			 { 3, "FSYNC" }, { 4, "READ_FIXED" }, \
			 { 5, "WRITE_FIXED" }, { 6, "POLL_ADD" }, \
			 { 7, "POLL_REMOVE" }, { 9, "SENDMSG" }, \
			 { 10, "RECVMSG" }, { 11, "TIMEOUT" }, \
			 { 12, "TIMEOUT_REMOVE" }, { 14, "ASYNC_CANCEL" }, \
			 { 15, "LINK_TIMEOUT" }, { 22, "READ" }, \
			 { 23, "WRITE" }, { 26, "SEND" }, { 27, "RECV" }, \
			 { 128, "VREAD" }, { 129, "VWRITE" }, \
			 { 255, "nobody" })

/**
 * aring_edge - a request goes from one state to another
 * @who: the request
 * @from: an &enum aring_state, or ARING_EDGE_NEW
 * @to: likewise
 * @res: with DONE and CANCELLED the result, else 0
 * @time: when, on the ring's clock
 */
TRACE_EVENT(aring_edge,
	    TP_PROTO(const struct aring_ident *who, unsigned int from,
		     unsigned int to, s32 res, u64 time),

	    TP_ARGS(who, from, to, res, time),

	    TP_STRUCT__entry(__field(u64, time)
			     __field(u64, user_data)
			     __field(u32, ring)
			     __field(u32, process)
			     __field(u32, ticket)
			     __field(s32, res)
			     __field(u8, opcode)
			     __field(u8, from)
			     __field(u8, to)
			     __field(u8, virtual)
	    ),

	    TP_fast_assign(__entry->time = time;
			   __entry->user_data = who->user_data;
			   __entry->ring = who->ring;
			   __entry->process = who->process;
			   __entry->ticket = who->ticket;
			   __entry->res = res;
			   __entry->opcode = who->opcode;
			   __entry->from = from;
			   __entry->to = to;
			   __entry->virtual = who->virtual;
	    ),

	    TP_printk("ring=%u ticket=%u %s user_data=0x%llx %s -> %s res=%d time=%llu%s process=%u",
		      __entry->ring, __entry->ticket,
		      aring_show_op(__entry->opcode), __entry->user_data,
		      aring_show_state(__entry->from),
		      aring_show_state(__entry->to),
		      __entry->res, __entry->time,
		      __entry->virtual ? " (virtual)" : "", __entry->process)
);

/**
 * aring_cancel - somebody wants a request back
 * @who: the request
 * @by: the request that asks, or all zeros with opcode ARING_EDGE_NO_OP: it is
 *	the program by SYNC_CANCEL, or the ring that is closed or unmapped
 * @verdict: what is answered: 0, -EALREADY or -ENOENT
 * @time: when, on the ring's clock
 */
TRACE_EVENT(aring_cancel,
	    TP_PROTO(const struct aring_ident *who,
		     const struct aring_ident *by, int verdict, u64 time),

	    TP_ARGS(who, by, verdict, time),

	    TP_STRUCT__entry(__field(u64, time)
			     __field(u64, user_data)
			     __field(u64, by_user_data)
			     __field(u32, ring)
			     __field(u32, process)
			     __field(u32, ticket)
			     __field(u32, by_ticket)
			     __field(s32, verdict)
			     __field(u8, opcode)
			     __field(u8, by_opcode)
			     __field(u8, virtual)
	    ),

	    TP_fast_assign(__entry->time = time;
			   __entry->user_data = who->user_data;
			   __entry->by_user_data = by->user_data;
			   __entry->ring = who->ring;
			   __entry->process = who->process;
			   __entry->ticket = who->ticket;
			   __entry->by_ticket = by->ticket;
			   __entry->verdict = verdict;
			   __entry->opcode = who->opcode;
			   __entry->by_opcode = by->opcode;
			   __entry->virtual = who->virtual;
	    ),

	    TP_printk("ring=%u ticket=%u %s user_data=0x%llx verdict=%d by ticket=%u %s user_data=0x%llx time=%llu%s process=%u",
		      __entry->ring, __entry->ticket,
		      aring_show_op(__entry->opcode), __entry->user_data,
		      __entry->verdict, __entry->by_ticket,
		      aring_show_op(__entry->by_opcode), __entry->by_user_data,
		      __entry->time,
		      __entry->virtual ? " (virtual)" : "", __entry->process)
);

#endif /* ARING_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH kmod
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
