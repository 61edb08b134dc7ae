// SPDX-License-Identifier: MIT
/*
 * aring trace: a ring as a field of cells.
 *
 * A row is a request, or, where there are too many, as many as have to share one; a
 * column is a piece of time, and shows the state in which they were longest in it.
 */
#include <stdlib.h>
#include <string.h>

#include "trace.h"

/**
 * trace_column() - where a time is
 * @d: the field
 * @time: since the beginning of the axis
 *
 * Return: the column.
 */
size_t trace_column(const struct trace_field *d, __u64 time)
{
	size_t c = (size_t)((double)time / (double)d->ring->length *
			    (double)d->columns);

	return c < d->columns ? c : d->columns - 1;
}

/**
 * trace_field_row() - which requests share a row
 * @d: the field
 * @row: the row
 * @nr: out: how many
 *
 * Return: index of the first.
 */
size_t trace_field_row(const struct trace_field *d, size_t row, size_t *nr)
{
	*nr = d->ring->nr - row * d->share;
	if (*nr > d->share)
		*nr = d->share;
	return d->ring->first + row * d->share;
}

/* Where column @c begins, in time. */
static double edge(const struct trace_field *d, size_t c)
{
	return (double)d->ring->length * (double)c / (double)d->columns;
}

/* Add the time of one span to the columns it lies in. */
static void spend(struct trace_field *d, __u64 from, __u64 to, __u8 state)
{
	size_t c, last = trace_column(d, to);
	double a, b;

	for (c = trace_column(d, from); c <= last; c++) {
		a = edge(d, c) > (double)from ? edge(d, c) : (double)from;
		b = edge(d, c + 1) < (double)to ? edge(d, c + 1) : (double)to;
		/* What takes no time is to be seen all the same. */
		d->spent[c * TRACE_NR_STATES + state] +=
			1 + (b > a ? (__u64)(b - a) : 0);
	}
}

/* The ends show, whatever took longer: they are what one looks for. */
static void fill_ends(struct trace_field *d, size_t first, size_t nr,
		      unsigned char *cells)
{
	size_t i;

	for (i = first; i < first + nr; i++) {
		const struct trace_req *req = &d->t->reqs[i];
		unsigned char *cell = &cells[trace_column(d, req->end)];

		if (req->last == TRACE_CANCELLED)
			*cell = 1 + TRACE_CANCELLED;
		else if (req->last == TRACE_DONE && d->share == 1)
			*cell = 1 + TRACE_DONE;
	}
}

/* Which of four parts of all the time that @nr requests could have spent there. */
static unsigned char density(const struct trace_field *d, const __u64 *spent,
			     size_t nr)
{
	double all = (double)d->ring->length / (double)d->columns * (double)nr;
	double part = 0;
	size_t s;

	for (s = 0; s < TRACE_DONE; s++)
		part += (double)spent[s];
	part = part / all * 4;
	return part >= 3 ? 3 : (unsigned char)part;
}

static void fill_row(struct trace_field *d, size_t row)
{
	unsigned char *cells = d->cells + row * d->columns;
	size_t i, s, c, nr, first = trace_field_row(d, row, &nr);

	memset(d->spent, 0, d->columns * TRACE_NR_STATES * sizeof(*d->spent));
	for (i = first; i < first + nr; i++) {
		const struct trace_req *req = &d->t->reqs[i];
		const struct trace_span *span = &d->t->spans[req->span];

		for (s = 0; s < req->nr_spans; s++) {
			if (span[s].state < TRACE_DONE)
				spend(d, span[s].time,
				      s + 1 < req->nr_spans ? span[s + 1].time :
				      req->end, span[s].state);
		}
	}
	for (c = 0; c < d->columns; c++) {
		const __u64 *spent = &d->spent[c * TRACE_NR_STATES];
		__u64 most = 0;

		for (s = 0; s < TRACE_DONE; s++) {
			if (spent[s] && spent[s] >= most) {
				most = spent[s];
				cells[c] = (unsigned char)(1 + s);
			}
		}
		d->dense[row * d->columns + c] = density(d, spent, nr);
	}
	fill_ends(d, first, nr, cells);
}

/**
 * trace_field_make() - fill the field of a ring that has requests
 * @d: the trace and the ring are given
 * @columns: how wide
 * @rows: how high at most
 *
 * Return: false if there was no memory. trace_field_free() gives it back.
 */
bool trace_field_make(struct trace_field *d, size_t columns, size_t rows)
{
	size_t i;

	d->columns = columns;
	d->share = (d->ring->nr + rows - 1) / rows;
	d->rows = (d->ring->nr + d->share - 1) / d->share;
	d->cells = calloc(d->rows * columns + 1, 1);
	d->dense = calloc(d->rows * columns + 1, 1);
	d->spent = calloc(columns * TRACE_NR_STATES, sizeof(*d->spent));
	if (!d->cells || !d->dense || !d->spent) {
		trace_field_free(d);
		return false;
	}
	for (i = 0; i < d->rows; i++)
		fill_row(d, i);
	return true;
}

/**
 * trace_field_free() - give its memory back
 * @d: the field
 */
void trace_field_free(struct trace_field *d)
{
	free(d->cells);
	free(d->dense);
	free(d->spent);
	d->cells = NULL;
	d->dense = NULL;
	d->spent = NULL;
}
