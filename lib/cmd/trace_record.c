// SPDX-License-Identifier: MIT
/*
 * aring trace: the record of what happened, in memory and as a file.
 *
 * The file is text, one event a line:
 *
 *	aring trace 1
 *	title WORDS
 *	process PID NAME
 *	lost NUMBER
 *	edge TIME RING PROCESS TICKET OPCODE USER_DATA FROM TO RES CLOCK
 *	cancel TIME RING PROCESS TICKET OPCODE USER_DATA VERDICT BY CLOCK
 *
 * where BY is the ticket, the opcode and the user_data of who cancels.
 * FROM and TO are names of states, CLOCK is real or virtual.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "trace.h"

#define FIRST_LINE	"aring trace 1\n"

/**
 * trace_grow() - see to it that a list has room for one more
 * @list: pointer to the pointer to its elements
 * @nr: how many it has
 * @size: of one
 *
 * Lists grow by doubling, at powers of two.
 *
 * Return: false if there is no memory.
 */
bool trace_grow(void *list, size_t nr, size_t size)
{
	void **p = list, *new;

	if (nr & (nr - 1) || (nr && nr < 16))
		return true;
	new = realloc(*p, (nr < 16 ? 16 : 2 * nr) * size);
	if (!new)
		return false;
	*p = new;
	return true;
}

/**
 * trace_add_event() - note an event
 * @t: the record
 * @e: the event
 *
 * If there is no room any more that is counted.
 */
void trace_add_event(struct trace *t, const struct trace_event *e)
{
	if (t->nr_events >= TRACE_MAX_EVENTS ||
	    !trace_grow(&t->events, t->nr_events, sizeof(*e))) {
		t->left_out++;
		return;
	}
	t->events[t->nr_events++] = *e;
}

/* What others have chosen may stand in a terminal or a file. */
static void copy_printable(char *to, const char *from, size_t size)
{
	size_t i;

	for (i = 0; i + 1 < size && from[i]; i++)
		to[i] = from[i] >= ' ' && from[i] <= '~' ? from[i] : '?';
	to[i] = 0;
}

/**
 * trace_name_process() - note what a process is called, from now on
 * @t: the record
 * @pid: the process; of several names the last counts
 * @name: whatever it may contain
 */
void trace_name_process(struct trace *t, __u32 pid, const char *name)
{
	struct trace_process *p;

	if (!trace_grow(&t->processes, t->nr_processes, sizeof(*p)))
		return;
	p = &t->processes[t->nr_processes++];
	p->pid = pid;
	copy_printable(p->name, name, sizeof(p->name));
}

/**
 * trace_set_title() - note what was run
 * @t: the record
 * @title: whatever it may contain
 */
void trace_set_title(struct trace *t, const char *title)
{
	copy_printable(t->title, title, sizeof(t->title));
}

/**
 * trace_save() - write the record
 * @t: the record
 * @f: where to
 *
 * Return: false if that failed.
 */
bool trace_save(const struct trace *t, FILE *f)
{
	const struct trace_event *e;
	size_t i;

	fputs(FIRST_LINE, f);
	fprintf(f, "title %s\n", t->title);
	for (i = 0; i < t->nr_processes; i++)
		fprintf(f, "process %u %s\n", t->processes[i].pid,
			t->processes[i].name);
	if (t->lost + t->left_out)
		fprintf(f, "lost %llu\n", t->lost + t->left_out);
	for (i = 0; i < t->nr_events; i++) {
		e = &t->events[i];
		fprintf(f, "%s %llu %u %u %u %u %#llx ",
			e->cancel ? "cancel" : "edge", e->time, e->ring,
			e->process, e->ticket, e->opcode, e->user_data);
		if (e->cancel)
			fprintf(f, "%d %u %u %#llx", e->res, e->by_ticket,
				e->by_opcode, e->by_user_data);
		else
			fprintf(f, "%s %s %d", trace_state_name(e->from),
				trace_state_name(e->to), e->res);
		fputs(e->virtual ? " virtual\n" : " real\n", f);
	}
	return !ferror(f);
}

/* ---- reading ---------------------------------------------------------------- */

/* The next number of a line. Without one, or out of range, *@ok is false. */
static __u64 number(char **line, __u64 most, bool *ok)
{
	__u64 n;
	char *end;

	errno = 0;
	n = strtoull(*line, &end, 0);
	/* It would take a sign, and a missing one for 0. */
	if (errno || end == *line || strchr(*line + strspn(*line, " "), '-') ==
	    *line + strspn(*line, " ") || n > most)
		*ok = false;
	*line = end;
	return n;
}

static __s32 result(char **line, bool *ok)
{
	char *end;
	long n;

	errno = 0;
	n = strtol(*line, &end, 0);
	if (errno || end == *line || n != (__s32)n)
		*ok = false;
	*line = end;
	return (__s32)n;
}

static char *word(char **line)
{
	char *w = *line + strspn(*line, " ");

	*line = w + strcspn(w, " ");
	if (**line)
		*(*line)++ = 0;
	return w;
}

static __u8 state(char **line, bool *ok)
{
	const char *w = word(line);
	unsigned int i;

	for (i = 0; i < TRACE_NR_STATES; i++)
		if (!strcmp(w, trace_state_name(i)))
			return (__u8)i;
	*ok = false;
	return 0;
}

static bool parse_event(struct trace *t, char *line, bool cancel)
{
	struct trace_event e = { .cancel = cancel };
	const char *clock;
	bool ok = true;

	e.time = number(&line, INT64_MAX, &ok);
	e.ring = (__u32)number(&line, UINT32_MAX, &ok);
	e.process = (__u32)number(&line, UINT32_MAX, &ok);
	e.ticket = (__u32)number(&line, UINT32_MAX, &ok);
	e.opcode = (__u8)number(&line, UINT8_MAX, &ok);
	e.user_data = number(&line, UINT64_MAX, &ok);
	if (cancel) {
		e.res = result(&line, &ok);
		e.by_ticket = (__u32)number(&line, UINT32_MAX, &ok);
		e.by_opcode = (__u8)number(&line, UINT8_MAX, &ok);
		e.by_user_data = number(&line, UINT64_MAX, &ok);
	} else {
		e.from = state(&line, &ok);
		e.to = state(&line, &ok);
		e.res = result(&line, &ok);
	}
	clock = word(&line);
	e.virtual = !strcmp(clock, "virtual");
	if (!ok || *line || (!e.virtual && strcmp(clock, "real")))
		return false;
	trace_add_event(t, &e);
	return true;
}

static bool parse_line(struct trace *t, char *line)
{
	const char *what = word(&line);
	bool ok = true;
	__u32 pid;

	if (!strcmp(what, "edge") || !strcmp(what, "cancel"))
		return parse_event(t, line, *what == 'c');
	if (!strcmp(what, "title")) {
		trace_set_title(t, line);
	} else if (!strcmp(what, "process")) {
		pid = (__u32)number(&line, UINT32_MAX, &ok);
		/* All that is left: a name may have blanks. */
		trace_name_process(t, pid, line + strspn(line, " "));
	} else if (!strcmp(what, "lost")) {
		t->lost = number(&line, UINT64_MAX, &ok);
	} else {
		return false;
	}
	return ok;
}

/**
 * trace_load() - read a record; complains if that fails
 * @t: empty
 * @path: the file, or "-"
 *
 * Return: false if it is not there, or no record.
 */
bool trace_load(struct trace *t, const char *path)
{
	FILE *f = strcmp(path, "-") ? fopen(path, "re") : stdin;
	char *line = NULL;
	size_t size = 0, nr = 0;
	bool ok = true;

	if (!f) {
		complain("%s: %s; next: name a file that aring trace -f record has written",
			 path, strerror(errno));
		return false;
	}
	while (ok && getline(&line, &size, f) > 0) {
		if (!nr++) {
			ok = !strcmp(line, FIRST_LINE);
		} else {
			line[strcspn(line, "\n")] = 0;
			ok = !*line || *line == '#' || parse_line(t, line);
		}
	}
	if (ferror(f)) {
		complain("%s: %s", path, strerror(errno));
		ok = false;
	} else if (!ok && nr <= 1) {
		complain("%s: no record of aring trace; next: aring trace -f record -o FILE PROG",
			 path);
	} else if (!ok) {
		complain("%s: line %zu is not understood", path, nr);
	} else if (!nr) {
		complain("%s: it is empty", path);
		ok = false;
	}
	free(line);
	if (f != stdin)
		fclose(f);
	return ok;
}
