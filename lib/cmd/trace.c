// SPDX-License-Identifier: MIT
/*
 * aring trace: run a program as aring run does, and draw what becomes of each of
 * its requests.
 */
#include <errno.h>
#include <getopt.h>
#include <langinfo.h>
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cmd.h"
#include "trace.h"
#include "under.h"

static const char usage[] =
"usage: aring trace [OPTION]... [--] PROG [ARG]...\n"
"       aring trace [OPTION]... --file RECORD\n"
"\n"
"Runs PROG as aring run does, and draws the life of each of its requests: one row a\n"
"request, one colour a state. Needs root, for the kernel's trace.\n"
"\n"
"  -o, --output FILE   draw to FILE, else to standard output when PROG has ended\n"
"  -f, --format FORMAT text, svg, html, json (Chrome's trace events, for Perfetto) or\n"
"                      record (to be drawn later); else FILE's name says which\n"
"      --file RECORD   draw that instead; - for standard input\n"
"      --rows N        of more requests a ring several share a row of text or SVG\n"
"  -q, --quiet         say nothing of programs started later that stay outside\n"
"  -h, --help          this text\n"
"\n"
"Exit status: PROG's; with --file 0, or 1 if it failed. 125: it cannot run or be\n"
"traced, and a line says why; 126: PROG cannot be executed; 127: there is no PROG.\n";

enum format { TEXT, SVG, HTML, JSON, RECORD, NR_FORMATS };

static const struct {
	const char *name;
	const char *suffix;
} formats[NR_FORMATS] = {
	[TEXT]	 = { "text", ".txt" },
	[SVG]	 = { "svg", ".svg" },
	[HTML]	 = { "html", ".html" },
	[JSON]	 = { "json", ".json" },
	[RECORD] = { "record", ".record" },
};

struct options {
	struct under under;
	const char *file;
	const char *output;
	enum format format;
	unsigned int rows;
};

/* So many rows of text fit on few screens, so many of SVG on a page or two. */
#define TEXT_ROWS	100
#define SVG_ROWS	300

static volatile sig_atomic_t interrupted;

static void on_signal(int sig)
{
	interrupted = sig;
}

/* ---- drawing ---------------------------------------------------------------- */

static void choose_look(const struct options *o, FILE *f, struct trace_look *look)
{
	const char *term = getenv("TERM"), *columns = getenv("COLUMNS");
	bool tty = isatty(fileno(f));
	struct winsize ws;

	setlocale(LC_CTYPE, "");
	memset(look, 0, sizeof(*look));
	look->width = 100;
	if (columns && atoi(columns) > 0)
		look->width = (unsigned int)atoi(columns);
	else if (tty && !ioctl(fileno(f), TIOCGWINSZ, &ws) && ws.ws_col)
		look->width = ws.ws_col;
	if (look->width > 1000)
		look->width = 1000;
	look->rows = o->rows ? o->rows : o->format == SVG ? SVG_ROWS : TEXT_ROWS;
	look->colour = tty && !getenv("NO_COLOR") && term && strcmp(term, "dumb");
	look->utf8 = !strcmp(nl_langinfo(CODESET), "UTF-8");
}

static bool draw(struct trace *t, const struct options *o, FILE *f)
{
	struct trace_look look;

	if (o->format == RECORD)
		return trace_save(t, f);
	if (!trace_build(t)) {
		complain("out of memory");
		return false;
	}
	choose_look(o, f, &look);
	switch (o->format) {
	case SVG:
		trace_draw_svg(t, &look, f);
		break;
	case HTML:
		trace_draw_html(t, f);
		break;
	case JSON:
		trace_draw_json(t, f);
		break;
	default:
		trace_draw_text(t, &look, f);
		break;
	}
	return true;
}

/* Before it is needed, so that a program is not run in vain. */
static FILE *open_output(const struct options *o)
{
	FILE *f = o->output ? fopen(o->output, "we") : stdout;

	if (!f)
		complain("%s: %s; next: name a file that can be written",
			 o->output, strerror(errno));
	return f;
}

static bool draw_and_close(struct trace *t, const struct options *o, FILE *f)
{
	bool ok = draw(t, o, f);
	bool bad = fflush(f) || ferror(f);

	if (bad)
		complain("%s: %s; next: make room there, or name another file with -o",
			 o->output ? o->output : "standard output",
			 strerror(errno));
	if (f != stdout)
		fclose(f);
	if (ok && !bad && t->lost + t->left_out)
		complain("%llu events were lost: the picture is incomplete",
			 t->lost + t->left_out);
	return ok && !bad;
}

static int draw_file(const struct options *o)
{
	struct trace t = { .nr_events = 0 };
	bool ok = trace_load(&t, o->file);
	FILE *f = ok ? open_output(o) : NULL;

	ok = f && draw_and_close(&t, o, f);
	trace_free(&t);
	return ok ? EXIT_OK : EXIT_FAILED;
}

/* ---- running ---------------------------------------------------------------- */

static void title_of(struct trace *t, char **argv)
{
	char title[sizeof(t->title)];
	size_t used = 0;

	for (title[0] = 0; *argv && used < sizeof(title); argv++)
		used += (size_t)snprintf(title + used, sizeof(title) - used,
					 "%s%s", used ? " " : "", *argv);
	trace_set_title(t, title);
}

/* The instance in the kernel must not outlive us because of a Ctrl-C. */
static void catch_signals(int flags)
{
	static const int sigs[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE };
	struct sigaction sa = { .sa_handler = on_signal, .sa_flags = flags };
	struct sigaction old;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(sigs); i++) {
		/* What is ignored stays so, for the program as well. */
		if (!sigaction(sigs[i], NULL, &old) && old.sa_handler != SIG_IGN)
			sigaction(sigs[i], &sa, NULL);
	}
}

static int trace_program(struct options *o)
{
	struct trace t = { .nr_events = 0 };
	struct trace_source *source;
	struct under_end end;
	int ret = under_find(&o->under);
	FILE *f;

	if (ret)
		return ret;
	if (!under_is_possible(&o->under)) {
		complain("%s; next: %s", o->under.reason, o->under.next);
		return EXIT_UNDER_FAILED;
	}
	title_of(&t, o->under.argv);
	/* First so that they end the wait for somebody who reads the output. */
	catch_signals(0);
	source = trace_source_open(&t);
	if (!source)
		return EXIT_UNDER_FAILED;
	/* What was in the file is lost now, and not earlier. */
	f = open_output(o);
	if (!f) {
		trace_source_close(source);
		return EXIT_UNDER_FAILED;
	}
	catch_signals(SA_RESTART);
	ret = trace_source_start(source) && !interrupted ?
	      under_run(&o->under, &end) : EXIT_UNDER_FAILED;
	trace_source_close(source);
	if (!ret) {
		ret = under_status(&end);
		if (!draw_and_close(&t, o, f))
			ret = EXIT_UNDER_FAILED;
	}
	trace_free(&t);
	return ret;
}

/* ---- the command line ------------------------------------------------------- */

static bool parse_format(struct options *o, const char *name)
{
	size_t i;

	for (i = 0; i < NR_FORMATS; i++) {
		if (!strcmp(name, formats[i].name)) {
			o->format = (enum format)i;
			return true;
		}
	}
	complain("unknown format '%s'; there are: text, svg, html, json, record",
		 name);
	return false;
}

static void guess_format(struct options *o)
{
	const char *suffix = o->output ? strrchr(o->output, '.') : NULL;
	size_t i;

	for (i = 0; suffix && i < NR_FORMATS; i++)
		if (!strcmp(suffix, formats[i].suffix))
			o->format = (enum format)i;
}

static bool parse_rows(struct options *o, const char *s)
{
	char *end;
	long n = strtol(s, &end, 10);

	if (end == s || *end || n < 1 || n > 1000000) {
		complain("'%s' is no number of rows", s);
		return false;
	}
	o->rows = (unsigned int)n;
	return true;
}

static bool parse(struct options *o, int argc, char **argv)
{
	static const struct option options[] = {
		{ "output", required_argument, NULL, 'o' },
		{ "format", required_argument, NULL, 'f' },
		{ "file", required_argument, NULL, 'F' },
		{ "rows", required_argument, NULL, 'r' },
		{ "quiet", no_argument, NULL, 'q' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	const char *format = NULL;
	int c;

	opterr = 0;
	/* "+": what follows PROG is PROG's. */
	while ((c = getopt_long(argc, argv, "+:o:f:qh", options, NULL)) != -1) {
		switch (c) {
		case 'o':
			o->output = optarg;
			break;
		case 'f':
			format = optarg;
			break;
		case 'F':
			o->file = optarg;
			break;
		case 'r':
			if (!parse_rows(o, optarg))
				return false;
			break;
		case 'q':
			o->under.quiet = true;
			break;
		case 'h':
			fputs(usage, stdout);
			exit(EXIT_OK);
		case ':':
			complain("'%s' needs an argument", argv[optind - 1]);
			return false;
		default:
			unknown_option(argv, options);
			return false;
		}
	}
	guess_format(o);
	if (format && !parse_format(o, format))
		return false;
	if (optind == argc && !o->file) {
		complain("which program?");
		return false;
	}
	if (optind < argc && o->file) {
		complain("a program or --file, not both");
		return false;
	}
	o->under.argv = argv + optind;
	return true;
}

int cmd_trace(int argc, char **argv)
{
	static struct options o;

	if (!parse(&o, argc, argv)) {
		bad_use("trace");
		return EXIT_UNDER_FAILED;
	}
	return o.file ? draw_file(&o) : trace_program(&o);
}
