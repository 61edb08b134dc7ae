// SPDX-License-Identifier: MIT
/*
 * aring trace: the picture as SVG, to be put into a document.
 *
 * One row a request as long as that can be read; with more of them, bands of
 * requests that share a row, so that the picture keeps its size.
 */
#include <errno.h>

#include "cmd.h"
#include "trace.h"

#define WIDTH		1200
#define LABEL		300	/* left of the bars */
#define RESULT		100	/* right of them */
#define BARS		(WIDTH - LABEL - RESULT)
#define ROW		14
#define BAND		2
#define BANDS		450	/* rows at most, when requests share them */
#define ARROWS		50	/* at most, then */
#define HEAD		44	/* above the rows of a ring */

static const char style[] =
"<style>\n"
"text { font: 11px ui-monospace, monospace; fill: #222 }\n"
".h { font: bold 13px system-ui, sans-serif }\n"
".s0 { fill: #9a9a9a } .s1 { fill: #e69f00 } .s2 { fill: #0072b2 }\n"
".s3 { fill: #009e73 } .s4 { fill: #d55e00 }\n"
".d0 { opacity: .3 } .d1 { opacity: .5 } .d2 { opacity: .75 }\n"
".a { stroke: #cc79a7; stroke-width: 1.5; fill: none; marker-end: url(#head) }\n"
".late { stroke-dasharray: 4 3 } .m { fill: #cc79a7 }\n"
".g { stroke: #ddd } .r { text-anchor: end }\n"
"</style>\n"
"<defs><marker id=\"head\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\"\n"
"markerWidth=\"7\" markerHeight=\"7\" orient=\"auto-start-reverse\">\n"
"<path class=\"m\" d=\"M0 0 8 4 0 8z\"/></marker></defs>\n";

/* One ring that is being drawn, from @top on. */
struct svg {
	const struct trace *t;
	const struct trace_ring *ring;
	FILE *f;
	double top;
	double height;		/* of a row */
	size_t share;		/* requests in a row */
};

/* @s needs no escaping. */
static void put_text(FILE *f, const char *class, double x, double y, const char *s)
{
	fprintf(f, "<text class=\"%s\" x=\"%.1f\" y=\"%.1f\">%s</text>\n", class, x, y, s);
}

static void put_number(FILE *f, const char *class, double x, double y, __u32 n)
{
	char buf[TRACE_TEXT];

	snprintf(buf, sizeof(buf), "%u", n);
	put_text(f, class, x, y, buf);
}

static void put_bar(FILE *f, unsigned int state, double x, double y, double width,
		    int height)
{
	fprintf(f, "<rect class=\"s%u\" x=\"%.2f\" y=\"%.1f\" width=\"%.2f\" height=\"%d\"/>\n",
		state, x, y, width, height);
}

static double x_of(const struct svg *s, __u64 time)
{
	return LABEL + (double)time / (double)s->ring->length * BARS;
}

static double y_of(const struct svg *s, size_t req)
{
	return s->top + HEAD +
	       s->height * (double)((req - s->ring->first) / s->share);
}

static size_t rows_of(const struct trace_ring *ring, size_t most, size_t *share)
{
	size_t bands = ring->nr > most ? BANDS : ring->nr;

	*share = bands ? (ring->nr + bands - 1) / bands : 1;
	return (ring->nr + *share - 1) / *share;
}

static double row_height(const struct trace_ring *ring, size_t most)
{
	return ring->nr > most ? BAND : ROW;
}

static void draw_axis(const struct svg *s, double bottom)
{
	__u64 tick = trace_tick(s->ring->length, 9), at;
	char buf[TRACE_TEXT];

	for (at = 0; at <= s->ring->length; at += tick) {
		fprintf(s->f, "<path class=\"g\" d=\"M%.1f %.1fV%.1f\"/>\n", x_of(s, at),
			s->top + HEAD - 14, bottom);
		put_text(s->f, "l", x_of(s, at) + 3, s->top + HEAD - 5, trace_ns(at, buf));
	}
}

static void draw_bars(const struct svg *s, size_t i)
{
	const struct trace_req *req = &s->t->reqs[i];
	const struct trace_span *span = &s->t->spans[req->span];
	double x, end, y = y_of(s, i);
	size_t k;

	for (k = 0; k < req->nr_spans; k++) {
		x = x_of(s, span[k].time);
		end = x_of(s, k + 1 < req->nr_spans ? span[k + 1].time : req->end);
		if (span[k].state >= TRACE_DONE)
			end = x + 3;
		else if (end < x + 1)
			end = x + 1;
		put_bar(s->f, span[k].state, x, y + 2, end - x, ROW - 4);
	}
}

static void draw_request(const struct svg *s, size_t i)
{
	const struct trace_req *req = &s->t->reqs[i];
	double y = y_of(s, i);
	char buf[TRACE_TEXT];

	fputs("<g><title>", s->f);
	trace_story(s->t, i, s->f);
	fputs("</title>\n", s->f);
	put_number(s->f, "l", 4, y + 11, req->ticket);
	put_text(s->f, "l", 70, y + 11, trace_op_name(req->opcode));
	snprintf(buf, sizeof(buf), "%#llx", req->user_data);
	put_text(s->f, "r", LABEL - 8, y + 11, buf);
	put_text(s->f, "l", WIDTH - RESULT + 8, y + 11, trace_res(req, buf));
	draw_bars(s, i);
	fputs("</g>\n", s->f);
}

/* Runs of equal cells are one bar; fainter where few of the requests are there. */
static void draw_band(const struct svg *s, const unsigned char *cells,
		      const unsigned char *dense, double y)
{
	size_t c, end;

	for (c = 0; c < BARS; c = end) {
		for (end = c + 1; end < BARS && cells[end] == cells[c] &&
		     dense[end] == dense[c];)
			end++;
		if (!cells[c])
			continue;
		fprintf(s->f, "<path class=\"s%d d%d\" d=\"M%zu %.0fh%zuv%dh-%zuz\"/>\n",
			cells[c] - 1, cells[c] == 1 + TRACE_CANCELLED ? 3 : dense[c],
			LABEL + c, y, end - c, BAND, end - c);
	}
}

static void draw_bands(const struct svg *s)
{
	struct trace_field d = { .t = s->t, .ring = s->ring };
	size_t i, nr;
	double y;

	if (!trace_field_make(&d, BARS, BANDS)) {
		complain("out of memory");
		return;
	}
	for (i = 0; i < d.rows; i++) {
		y = s->top + HEAD + (double)i * BAND;
		draw_band(s, d.cells + i * d.columns, d.dense + i * d.columns, y);
		if (i % 25 == 0)
			put_number(s->f, "r", LABEL - 8, y + 8,
				   s->t->reqs[trace_field_row(&d, i, &nr)].ticket);
	}
	trace_field_free(&d);
}

static bool is_arrow(const struct svg *s, const struct trace_cancel *c)
{
	return c->target >= s->ring->first &&
	       c->target < s->ring->first + s->ring->nr && c->by != TRACE_NO_REQ;
}

static void draw_cancel(const struct svg *s, const struct trace_cancel *c)
{
	double x = x_of(s, c->time), from, to;

	from = y_of(s, c->by) + s->height / 2;
	to = y_of(s, c->target) + s->height / 2;
	/* Not over what ends there. */
	if (s->height >= ROW)
		to += to < from ? 5 : -5;
	if (to - from < 1 && from - to < 1)
		return;
	fprintf(s->f, "<path class=\"a%s\" d=\"M%.1f %.1fV%.1f\">", c->verdict ? " late" : "",
		x, from, to);
	fprintf(s->f, "<title>%s</title></path>\n", trace_verdict(c->verdict));
}

/* Return: how high it was. */
static double draw_ring(const struct trace *t, size_t nr, size_t most, double top,
			FILE *f)
{
	struct svg s = {
		.t = t, .ring = &t->rings[nr], .f = f, .top = top,
	};
	size_t i, arrows = 0, rows = rows_of(s.ring, most, &s.share);
	double bottom;

	s.height = row_height(s.ring, most);
	bottom = top + HEAD + s.height * (double)rows;
	fprintf(f, "<text class=\"h\" x=\"4\" y=\"%.1f\">ring %u of ", top + 18,
		s.ring->id);
	trace_escape(f, s.ring->name);
	fprintf(f, " (process %u)%s, %zu request%s", s.ring->process,
		s.ring->virtual ? ", virtual clock" : "", s.ring->nr,
		s.ring->nr == 1 ? "" : "s");
	if (s.share > 1)
		fprintf(f, ", %zu in a row", s.share);
	fputs("</text>\n", f);
	draw_axis(&s, bottom);
	if (s.height < ROW)
		draw_bands(&s);
	for (i = 0; s.height >= ROW && i < s.ring->nr; i++)
		draw_request(&s, s.ring->first + i);
	for (i = 0; i < t->nr_cancels; i++)
		arrows += is_arrow(&s, &t->cancels[i]);
	/* With many of them on a small picture there would be nothing else to see. */
	for (i = 0; (s.share == 1 || arrows <= ARROWS) && i < t->nr_cancels; i++)
		if (is_arrow(&s, &t->cancels[i]))
			draw_cancel(&s, &t->cancels[i]);
	return bottom - top + 10;
}

static void draw_legend(FILE *f)
{
	unsigned int i;

	for (i = TRACE_SUBMITTED; i <= TRACE_CANCELLED; i++) {
		put_bar(f, i, 4 + 110 * i, 29, 12, 10);
		put_text(f, "l", 20 + 110 * i, 38, trace_state_name(i));
	}
	fputs("<path class=\"a\" d=\"M556 34H580\"/>\n", f);
	fputs("<path class=\"a late\" d=\"M656 34H680\"/>\n", f);
	put_text(f, "l", 586, 38, "cancels");
	put_text(f, "l", 686, 38, "too late");
}

/**
 * trace_draw_svg() - draw as SVG
 * @t: the trace
 * @look: of which the rows count
 * @f: where to
 */
void trace_draw_svg(const struct trace *t, const struct trace_look *look,
		    FILE *f)
{
	double height = 54;
	size_t i, share;

	for (i = 0; i < t->nr_rings; i++)
		height += HEAD + 10 + row_height(&t->rings[i], look->rows) *
			  (double)rows_of(&t->rings[i], look->rows, &share);
	fputs("<svg xmlns=\"http://www.w3.org/2000/svg\" ", f);
	fprintf(f, "width=\"%d\" height=\"%.0f\" viewBox=\"0 0 %d %.0f\">\n", WIDTH, height,
		WIDTH, height);
	fputs(style, f);
	fprintf(f, "<rect width=\"%d\" height=\"%.0f\" fill=\"#fff\"/>\n", WIDTH, height);
	fputs("<text class=\"h\" x=\"4\" y=\"18\">", f);
	trace_escape(f, t->title);
	fputs(": ", f);
	trace_summary(t, f);
	fputs("</text>\n", f);
	draw_legend(f);
	height = 54;
	for (i = 0; i < t->nr_rings; i++)
		height += draw_ring(t, i, look->rows, height, f);
	fputs("</svg>\n", f);
}
