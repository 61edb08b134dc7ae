// SPDX-License-Identifier: MIT
/*
 * The aring command: finds the subcommand and calls it.
 */
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <string.h>

#include "cmd.h"
#include "under.h"

static const char usage[] =
"usage: aring COMMAND [OPTION]... [ARG]...\n"
"\n"
"  aring info          is the ring usable, and what can it do?\n"
"  aring cp SRC DST    copy a file, many blocks at a time, through the ring\n"
"  aring run PROG ...  run an io_uring program, as it is, on the ring\n"
"  aring trace PROG .. the same, and draw what becomes of each request\n"
"  aring COMMAND --help, aring --version\n"
"\n"
"The ring is that of /dev/aring; ARING_BACKEND=io_uring in the environment\n"
"takes the kernel's own io_uring instead.\n"
"\n"
"Exit status: 0 done, 1 failed, 2 command line not understood, 3 no ring.\n"
"That of aring run and trace is PROG's, or 125 to 127: see aring run --help.\n";

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
	int failed;
} commands[] = {
	{ "info", cmd_info, EXIT_FAILED },
	{ "cp", cmd_cp, EXIT_FAILED },
	{ "run", cmd_run, EXIT_UNDER_FAILED },
	{ "trace", cmd_trace, EXIT_UNDER_FAILED },
};

static const char *current = "";

/* Print an error: "aring cp: ...". */
void complain(const char *fmt, ...)
{
	va_list ap;

	fflush(stdout);
	fprintf(stderr, "aring%s%s: ", *current ? " " : "", current);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

/* After complain(): say where help is. Returns the exit code. */
int bad_use(const char *cmd)
{
	fprintf(stderr, "Try: aring %s%s--help\n", cmd, *cmd ? " " : "");
	return EXIT_BAD_USE;
}

/*
 * After getopt_long() has answered '?': say what it did not like. In a group of
 * letters it has not gone on to the next word yet.
 */
void unknown_option(char **argv, const struct option *known)
{
	const char *word = argv[optind - 1];
	size_t len = strcspn(word, "=");

	/* A known one that has no value; short or not, optopt says which. */
	for (; !strncmp(word, "--", 2) && word[len] && known->name; known++) {
		if (known->has_arg == no_argument && known->val == optopt &&
		    !strncmp(word + 2, known->name, len - 2)) {
			complain("%.*s: it takes no value", (int)len, word);
			return;
		}
	}
	if (optopt > ' ' && optopt < 0x7f)
		complain("unknown option '-%c'", optopt);
	else
		complain("unknown option '%s'",
			 optopt && argv[optind] ? argv[optind] : word);
}

/* The backend that @s names; complains and returns false if there is none. */
bool parse_backend(const char *s, enum aring_backend *backend)
{
	if (!strcmp(s, "device")) {
		*backend = ARING_BACKEND_DEVICE;
	} else if (!strcmp(s, "io_uring")) {
		*backend = ARING_BACKEND_IO_URING;
	} else {
		complain("unknown backend '%s'; there are: device, io_uring",
			 s);
		return false;
	}
	return true;
}

/* What could not be said has not been said: not a success then. */
static int said(int ret, int failed)
{
	if (ret || (!fflush(stdout) && !ferror(stdout)))
		return ret;
	complain("standard output: %s; next: see that it can be written",
		 strerror(errno));
	return failed;
}

int main(int argc, char **argv)
{
	size_t i;

	if (argc < 2) {
		fputs(usage, stderr);
		return EXIT_BAD_USE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")) {
		fputs(usage, stdout);
		return EXIT_OK;
	}
	if (!strcmp(argv[1], "--version")) {
		printf("aring %s (ABI %d)\n", aring_version(),
		       ARING_ABI_VERSION);
		return EXIT_OK;
	}

	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		if (strcmp(argv[1], commands[i].name))
			continue;
		current = commands[i].name;
		return said(commands[i].run(argc - 1, argv + 1),
			    commands[i].failed);
	}

	complain("unknown command '%s'", argv[1]);
	return bad_use("");
}
