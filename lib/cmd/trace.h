/* SPDX-License-Identifier: MIT */
/*
 * aring trace: what is recorded, what is made of it, and who draws it.
 *
 * A record is a list of events, as the kernel's tracepoints aring_edge and
 * aring_cancel say them. trace_build() makes requests of it, sorted as they are
 * drawn; the files trace_text.c, trace_svg.c, trace_html.c and trace_json.c each
 * draw those in one way.
 */
#ifndef _ARING_TRACE_H
#define _ARING_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <linux/types.h>

/* As in the kernel's trace. */
enum trace_state {
	TRACE_SUBMITTED,
	TRACE_QUEUED,
	TRACE_STARTED,
	TRACE_DONE,
	TRACE_CANCELLED,
	TRACE_NEW,
	TRACE_NR_STATES,
};

/* The opcode of a canceller that is no request. */
#define TRACE_NOBODY	255
#define TRACE_NO_REQ	((size_t)-1)

/* So many events are kept at most: 256 MiB. */
#define TRACE_MAX_EVENTS	((size_t)4 << 20)

/**
 * struct trace_event - one line of a record
 * @time: nanoseconds on the clock of the ring
 * @user_data: of the request
 * @by_user_data: of a cancel: who cancels
 * @ring: number of the ring
 * @process: who has set it up
 * @ticket: of the request
 * @by_ticket: of a cancel: who cancels
 * @res: result, or of a cancel the verdict
 * @cancel: it is a cancel
 * @virtual: the clock is a virtual one
 * @opcode: of the request
 * @by_opcode: of a cancel: who cancels, or TRACE_NOBODY
 * @from: the old state
 * @to: the new state
 */
struct trace_event {
	__u64 time;
	__u64 user_data;
	__u64 by_user_data;
	__u32 ring;
	__u32 process;
	__u32 ticket;
	__u32 by_ticket;
	__s32 res;
	bool cancel;
	bool virtual;
	__u8 opcode;
	__u8 by_opcode;
	__u8 from;
	__u8 to;
};

/**
 * struct trace_process - what a process is called
 * @pid: its number
 * @name: printable ASCII
 */
struct trace_process {
	__u32 pid;
	char name[28];
};

/**
 * struct trace_span - from when on a request was in a state
 * @time: nanoseconds since &trace_ring.begin
 * @state: an &enum trace_state
 */
struct trace_span {
	__u64 time;
	__u8 state;
};

/**
 * struct trace_req - one request: one row
 * @user_data: of its SQE
 * @begin: when it was first seen, since &trace_ring.begin
 * @end: when it was over, or the end of the record if it is not
 * @ring: index of its ring
 * @span: index of its first span
 * @nr_spans: how many it has, at least one
 * @ticket: its submission ticket
 * @res: its result
 * @opcode: ARING_OP_*
 * @last: the state it was in last
 * @whole: the record has its beginning
 */
struct trace_req {
	__u64 user_data;
	__u64 begin;
	__u64 end;
	size_t ring;
	size_t span;
	size_t nr_spans;
	__u32 ticket;
	__s32 res;
	__u8 opcode;
	__u8 last;
	bool whole;
};

/**
 * struct trace_cancel - somebody has asked for a request back
 * @time: since &trace_ring.begin
 * @target: index of the request
 * @by: index of the one that asked, or TRACE_NO_REQ
 * @by_ticket: its ticket, which is known even if nothing else is
 * @verdict: 0, -EALREADY or -ENOENT
 * @by_opcode: its operation, or TRACE_NOBODY
 */
struct trace_cancel {
	__u64 time;
	size_t target;
	size_t by;
	__u32 by_ticket;
	__s32 verdict;
	__u8 by_opcode;
};

/**
 * struct trace_ring - one ring
 * @begin: where its time axis begins, which all rings on such a clock share
 * @length: how long that is
 * @first: index of its first request
 * @nr: how many it has
 * @id: its number
 * @process: who has set it up
 * @name: what that is called
 * @virtual: it is on a virtual clock
 */
struct trace_ring {
	__u64 begin;
	__u64 length;
	size_t first;
	size_t nr;
	__u32 id;
	__u32 process;
	const char *name;
	bool virtual;
};

/**
 * struct trace - a record, and what is made of it
 * @title: what was run; printable ASCII
 * @events: the record
 * @nr_events: its length
 * @processes: names
 * @nr_processes: how many
 * @lost: events that the kernel had to drop
 * @left_out: events beyond TRACE_MAX_EVENTS, or for which there was no memory
 * @rings: in the order in which they are drawn
 * @nr_rings: how many
 * @reqs: in the order in which they are drawn
 * @nr_reqs: how many
 * @spans: of all requests
 * @nr_spans: how many
 * @cancels: in the order of their targets
 * @nr_cancels: how many
 */
struct trace {
	char title[200];
	struct trace_event *events;
	size_t nr_events;
	struct trace_process *processes;
	size_t nr_processes;
	__u64 lost;
	__u64 left_out;
	struct trace_ring *rings;
	size_t nr_rings;
	struct trace_req *reqs;
	size_t nr_reqs;
	struct trace_span *spans;
	size_t nr_spans;
	struct trace_cancel *cancels;
	size_t nr_cancels;
};

/* trace_record.c: the record, and its form as a file */
bool trace_grow(void *list, size_t nr, size_t size);
void trace_add_event(struct trace *t, const struct trace_event *e);
void trace_name_process(struct trace *t, __u32 pid, const char *name);
void trace_set_title(struct trace *t, const char *title);
bool trace_save(const struct trace *t, FILE *f);
bool trace_load(struct trace *t, const char *path);

/* trace_build.c: requests of events */
bool trace_build(struct trace *t);
void trace_free(struct trace *t);

/* trace_names.c: how things are called */
#define TRACE_TEXT	40
const char *trace_op_name(__u8 opcode);
const char *trace_state_name(unsigned int state);
const char *trace_res(const struct trace_req *req, char buf[TRACE_TEXT]);
const char *trace_ns(__u64 ns, char buf[TRACE_TEXT]);
const char *trace_verdict(__s32 verdict);
void trace_story(const struct trace *t, size_t req, FILE *f);
void trace_summary(const struct trace *t, FILE *f);
void trace_ring_title(const struct trace_ring *ring, FILE *f);
__u64 trace_tick(__u64 length, unsigned int most);
void trace_escape(FILE *f, const char *s);

/* trace_field.c: a ring in few rows */

/**
 * struct trace_field - a ring as cells
 * @t: the trace
 * @ring: the ring, which has requests
 * @cells: by row and column: 0 for nothing, else the state and 1
 * @dense: likewise: how many of the row's requests are there, from 0 to 3
 * @spent: scratch
 * @columns: how wide
 * @rows: how high
 * @share: how many requests are in a row
 */
struct trace_field {
	const struct trace *t;
	const struct trace_ring *ring;
	unsigned char *cells;
	unsigned char *dense;
	__u64 *spent;
	size_t columns;
	size_t rows;
	size_t share;
};

bool trace_field_make(struct trace_field *d, size_t columns, size_t rows);
void trace_field_free(struct trace_field *d);
size_t trace_field_row(const struct trace_field *d, size_t row, size_t *nr);
size_t trace_column(const struct trace_field *d, __u64 time);

/**
 * struct trace_look - how text is drawn
 * @width: columns
 * @rows: with more requests than that in a ring several share a row
 * @colour: with colours
 * @utf8: with characters that are no ASCII
 */
struct trace_look {
	unsigned int width;
	unsigned int rows;
	bool colour;
	bool utf8;
};

/* The drawers. @f is checked for errors by the caller. */
void trace_draw_text(const struct trace *t, const struct trace_look *look,
		     FILE *f);
void trace_draw_svg(const struct trace *t, const struct trace_look *look,
		    FILE *f);
void trace_draw_html(const struct trace *t, FILE *f);
void trace_draw_json(const struct trace *t, FILE *f);

/* trace_tracefs.c: the kernel's side */
struct trace_source;

struct trace_source *trace_source_open(struct trace *t);
bool trace_source_start(struct trace_source *s);
void trace_source_close(struct trace_source *s);

#endif /* _ARING_TRACE_H */
