// SPDX-License-Identifier: MIT
/*
 * aring trace: the picture as text, for a terminal. Cancels are drawn over what is
 * empty in the field of cells.
 */
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "trace.h"

/* Cells besides those of the states, which are one more than the state. */
#define CELL_EMPTY	0
#define CELL_LINE	6	/* a cancel's arrow */
#define CELL_UP		7
#define CELL_DOWN	8
#define LABEL		38	/* columns left of the field, unless a user_data is long */
#define LABEL_DIGITS	14	/* of it for user_data, with the 0x */
#define RESULT		12	/* right of it */

static const char ascii[] = " .-#|x:^v";
static const char * const utf8[] = {
	" ", "\u00b7", "\u2500", "\u2588", "\u258f", "\u2715", "\u2502", "\u25b2",
	"\u25bc",
};

static const char * const colours[] = {
	"", "\033[37m", "\033[33m", "\033[34m", "\033[32m", "\033[31m",
	"\033[35m", "\033[35m", "\033[35m",
};

/* One ring that is being drawn. */
struct drawing {
	struct trace_field field;
	const struct trace_look *look;
	FILE *f;
};

/* From the row of who cancels to the one of whom. */
static void draw_arrow(struct drawing *d, const struct trace_cancel *c)
{
	struct trace_field *field = &d->field;
	size_t from, to, at, i;
	unsigned char *cell;

	if (c->by == TRACE_NO_REQ || c->by < field->ring->first ||
	    c->by >= field->ring->first + field->ring->nr)
		return;
	at = trace_column(field, c->time);
	from = c->by - field->ring->first;
	to = c->target - field->ring->first;
	if (from == to)
		return;
	for (i = to > from ? from + 1 : from - 1; i != to; i += to > from ? 1 : -1) {
		cell = &field->cells[i * field->columns + at];
		if (*cell == CELL_EMPTY)
			*cell = CELL_LINE;
	}
	/* The head: beside the end that it led to. */
	cell = &field->cells[to * field->columns + at];
	if (*cell != CELL_EMPTY && at + 1 < field->columns && cell[1] == CELL_EMPTY)
		cell++;
	*cell = to > from ? CELL_DOWN : CELL_UP;
}

static void print_cells(const struct drawing *d, const unsigned char *cells)
{
	unsigned char last = CELL_EMPTY;
	size_t c;

	for (c = 0; c < d->field.columns; c++) {
		if (d->look->colour && cells[c] != last)
			fprintf(d->f, "\033[0m%s", colours[cells[c]]);
		last = cells[c];
		if (d->look->utf8)
			fputs(utf8[last], d->f);
		else
			fputc(ascii[last], d->f);
	}
	if (d->look->colour && last != CELL_EMPTY)
		fputs("\033[0m", d->f);
}

static void print_axis(const struct drawing *d, size_t label)
{
	__u64 tick = trace_tick(d->field.ring->length,
				1 + (unsigned int)d->field.columns / 14), at;
	char *line = calloc(d->field.columns + TRACE_TEXT, 1);
	char buf[TRACE_TEXT];
	size_t c;

	if (!line)
		return;
	memset(line, ' ', d->field.columns);
	for (at = 0; at < d->field.ring->length; at += tick) {
		c = trace_column(&d->field, at);
		if (c + strlen(trace_ns(at, buf)) + 1 > d->field.columns)
			break;
		memcpy(line + c + 1, buf, strlen(buf));
		line[c] = '|';
	}
	fprintf(d->f, "%*s %s\n", (int)label, "", line);
	free(line);
}

/* What the requests of a row have in common, and how they ended. */
static void print_label(const struct drawing *d, size_t first, size_t nr, size_t width)
{
	const struct trace_req *req = &d->field.t->reqs[first];
	char text[128];

	if (d->field.share == 1)
		snprintf(text, sizeof(text), "%7u %-14s %#14llx", req->ticket,
			 trace_op_name(req->opcode), req->user_data);
	else
		snprintf(text, sizeof(text), "%7u .. %u", req->ticket,
			 d->field.t->reqs[first + nr - 1].ticket);
	fprintf(d->f, "%-*.*s ", (int)width, (int)width, text);
}

static void print_result(const struct drawing *d, size_t first, size_t nr)
{
	char buf[TRACE_TEXT];
	size_t i, bad = 0;

	if (d->field.share == 1) {
		fprintf(d->f, " %s\n", trace_res(&d->field.t->reqs[first], buf));
		return;
	}
	for (i = first; i < first + nr; i++)
		if (d->field.t->reqs[i].last != TRACE_DONE || d->field.t->reqs[i].res < 0)
			bad++;
	if (bad)
		fprintf(d->f, " %zu not ok\n", bad);
	else
		fputc('\n', d->f);
}

/* All digits of every user_data: a number that is cut is another number. */
static size_t label_width(const struct drawing *d)
{
	const struct trace_ring *ring = d->field.ring;
	size_t i, digits, most = LABEL_DIGITS;
	char text[32];

	if (d->look->width <= 2 * LABEL)
		return 8;
	for (i = ring->first; i < ring->first + ring->nr; i++) {
		digits = (size_t)snprintf(text, sizeof(text), "%#llx",
					  d->field.t->reqs[i].user_data);
		if (digits > most)
			most = digits;
	}
	return LABEL - 1 + most - LABEL_DIGITS;
}

static void draw_ring(struct drawing *d)
{
	size_t label = label_width(d);
	size_t columns = d->look->width > label + RESULT + 12 ?
			 d->look->width - label - RESULT - 1 : 12;
	struct trace_field *field = &d->field;
	size_t i, nr, first;

	if (!trace_field_make(field, columns, d->look->rows)) {
		complain("out of memory");
		return;
	}
	fputc('\n', d->f);
	trace_ring_title(field->ring, d->f);
	fprintf(d->f, ": %zu request%s", field->ring->nr,
		field->ring->nr == 1 ? "" : "s");
	if (field->share > 1)
		fprintf(d->f, ", %zu in a row", field->share);
	fputc('\n', d->f);
	print_axis(d, label);
	/* Where many share a row there would be more arrows than bars. */
	for (i = 0; field->share == 1 && i < field->t->nr_cancels; i++)
		draw_arrow(d, &field->t->cancels[i]);
	for (i = 0; i < field->rows; i++) {
		first = trace_field_row(field, i, &nr);
		print_label(d, first, nr, label);
		print_cells(d, &field->cells[i * columns]);
		print_result(d, first, nr);
	}
	trace_field_free(field);
}

static void print_legend(const struct trace_look *look, FILE *f)
{
	static const unsigned char shown[] = {
		1 + TRACE_SUBMITTED, 1 + TRACE_QUEUED, 1 + TRACE_STARTED,
		1 + TRACE_DONE, 1 + TRACE_CANCELLED, CELL_UP,
	};
	static const char * const what[] = {
		"submitted", "queued", "started", "done", "cancelled",
		"cancels",
	};
	size_t i;

	fputc('\n', f);
	for (i = 0; i < ARRAY_SIZE(shown); i++) {
		if (look->colour)
			fputs(colours[shown[i]], f);
		if (look->utf8)
			fputs(utf8[shown[i]], f);
		else
			fputc(ascii[shown[i]], f);
		fprintf(f, "%s %s%s", look->colour ? "\033[0m" : "", what[i],
			i + 1 < ARRAY_SIZE(shown) ? "   " : "\n");
	}
}

/**
 * trace_draw_text() - draw for a terminal
 * @t: the trace
 * @look: how
 * @f: where to
 */
void trace_draw_text(const struct trace *t, const struct trace_look *look,
		     FILE *f)
{
	size_t i;

	fprintf(f, "%s: ", t->title);
	trace_summary(t, f);
	fputc('\n', f);
	for (i = 0; i < t->nr_rings; i++) {
		struct drawing d = {
			.field = { .t = t, .ring = &t->rings[i] },
			.look = look, .f = f,
		};

		if (t->rings[i].nr)
			draw_ring(&d);
	}
	if (t->nr_reqs)
		print_legend(look, f);
}
