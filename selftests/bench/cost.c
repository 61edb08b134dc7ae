// SPDX-License-Identifier: MIT
/*
 * What one operation costs, the program's side included, for aring, io_uring,
 * Linux AIO and the plain system call.
 *
 * In a machine with an instruction clock (selftests/vm/run -i) a nanosecond is
 * an instruction, and figures repeat. Elsewhere the figures are nanoseconds.
 *
 * Each peer does the same: fill in a batch of requests, hand them over in one
 * call, reap them, look at each result. ring_works.h has the works, tools.c what
 * they work on.
 */
#include <errno.h>
#include <getopt.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "works.h"

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define MAX_REPEAT	99U

/* The first two are short paths, where a small difference shows. */
static const struct {
	const char *name;
	const char *title;
	unsigned int ops;
} works[WORKS] = {
	[NOP] = { "nop", "NOP", 200000 },
	[READ8] = { "read8", "read 8 bytes of /dev/zero", 200000 },
	[POLL] = { "poll", "poll an eventfd, fire", 30000 },
	[SENDRECV] = { "sendrecv", "send, receive 64 bytes", 30000 },
	[READ4K] = { "read4k", "read 4 KiB of tmpfs", 30000 },
	[READ4K_FIXED] = { "read4k_fixed", "... registered buffer", 30000 },
	[TIMEOUT0] = { "timeout0", "timeout of no time", 30000 },
	[TIMEOUT_CANCEL] = { "timeout_cancel", "timeout, removed", 30000 },
	[CANCEL_NONE] = { "cancel_none", "cancel of nothing", 30000 },
	[WRITE4K] = { "write4k", "write 4 KiB to tmpfs", 30000 },
};

static const unsigned int all_batches[] = { 1, 4, 16, 32, 64, 128 };

static const struct peer * const peers[] = {
	&aring_peer, &uring_peer, &aio_peer, &call_peer,
};

static unsigned int batches[ARRAY_SIZE(all_batches)];
static unsigned int nr_batches;
static const char *only_peers[ARRAY_SIZE(peers)];
static unsigned int nr_only_peers;
static const char *only_works[WORKS];
static unsigned int nr_only_works;
static unsigned int only_ops;
static unsigned int repeat = 3;
static double figures[WORKS][ARRAY_SIZE(peers)][ARRAY_SIZE(all_batches)];

static unsigned long long now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (unsigned long long)ts.tv_sec * 1000000000ULL +
	       (unsigned long long)ts.tv_nsec;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static unsigned int work_ops(unsigned int w)
{
	return only_ops ?: works[w].ops;
}

/* The median of several runs, after a short one to warm up. */
static double measure(const struct peer *peer, enum work work,
		      unsigned int batch)
{
	unsigned int rounds = (work_ops(work) + batch - 1) / batch;
	double runs[MAX_REPEAT] = { 0 };
	unsigned int i;
	int ret;

	ret = peer->begin(work);
	if (ret < 0)
		die(peer->title, -ret);
	peer->run[work](batch, rounds / 100 + 1);
	for (i = 0; i < repeat; i++) {
		unsigned long long start = now();

		peer->run[work](batch, rounds);
		runs[i] = (double)(now() - start) / ((double)rounds * batch);
	}
	peer->end();

	qsort(runs, repeat, sizeof(runs[0]), compare);
	return runs[repeat / 2];
}

static bool listed(const char *name, const char * const *list, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++) {
		if (!strcmp(list[i], name))
			return true;
	}
	return !nr;
}

static bool wanted(unsigned int w, unsigned int p)
{
	return peers[p]->run[w] &&
	       listed(peers[p]->name, only_peers, nr_only_peers) &&
	       listed(works[w].name, only_works, nr_only_works);
}

static void measure_row(unsigned int w, unsigned int p)
{
	const struct peer *peer = peers[p];
	unsigned int b;

	printf("  %-24s", peer->title);
	for (b = 0; b < nr_batches; b++) {
		if (b && peer->any_batch)
			figures[w][p][b] = figures[w][p][0];
		else
			figures[w][p][b] = measure(peer, w, batches[b]);
		printf("%8.0f", figures[w][p][b]);
		fflush(stdout);
	}
	printf("\n");
}

static void measure_all(void)
{
	unsigned int w, p, b;

	for (w = 0; w < WORKS; w++) {
		if (!listed(works[w].name, only_works, nr_only_works))
			continue;
		printf("%-26s", works[w].title);
		for (b = 0; b < nr_batches; b++)
			printf("%8u", batches[b]);
		printf("\n");
		for (p = 0; p < ARRAY_SIZE(peers); p++) {
			if (wanted(w, p))
				measure_row(w, p);
		}
	}
}

/* ---- where it ran --------------------------------------------------------- */

static char cmdline[4096];
static char cpu[256] = "unknown";

/* Keep what may stand in a JSON string as it is. */
static void tame(char *s)
{
	char *end = s + strlen(s);

	while (end > s && (end[-1] == '\n' || end[-1] == ' '))
		*--end = '\0';
	for (; *s; s++) {
		if (*s == '"' || *s == '\\' || (unsigned char)*s < ' ')
			*s = ' ';
	}
}

static void look_around(void)
{
	FILE *f = fopen("/proc/cmdline", "r");
	char line[512];

	if (f) {
		if (!fgets(cmdline, sizeof(cmdline), f))
			cmdline[0] = '\0';
		fclose(f);
	}
	tame(cmdline);

	f = fopen("/proc/cpuinfo", "r");
	if (!f)
		return;
	while (fgets(line, sizeof(line), f)) {
		char *colon = strchr(line, ':');

		if (strncmp(line, "model name", 10) || !colon)
			continue;
		snprintf(cpu, sizeof(cpu), "%.255s", colon + 2);
		break;
	}
	fclose(f);
	tame(cpu);
}

static void json_figure(FILE *f, const char *sep, unsigned int w,
			unsigned int p, unsigned int b)
{
	fprintf(f, "%s{\"work\": \"%s\", \"peer\": \"%s\", \"batch\": %u, ", sep,
		works[w].name, peers[p]->name, batches[b]);
	fprintf(f, "\"instructions\": %.1f, \"operations\": %u, ",
		figures[w][p][b], work_ops(w));
	fprintf(f, "\"cpu\": \"%s\", \"cmdline\": \"%s\"}", cpu, cmdline);
}

static void write_json(const char *path)
{
	const char *sep = "[\n";
	unsigned int w, p, b;
	FILE *f = fopen(path, "w");

	if (!f)
		die(path, errno);
	for (w = 0; w < WORKS; w++) {
		for (p = 0; p < ARRAY_SIZE(peers); p++) {
			if (!wanted(w, p))
				continue;
			for (b = 0; b < nr_batches; b++) {
				json_figure(f, sep, w, p, b);
				sep = ",\n";
			}
		}
	}
	fprintf(f, "\n]\n");
	if (fclose(f))
		die(path, errno);
}

/* ---- options -------------------------------------------------------------- */

static const char usage[] =
"usage: cost [-n OPERATIONS] [-r REPEAT] [-b BATCH]... [-p PEER]... [-w WORK]...\n"
"            [-s SECONDS] [-q] [-j FILE]\n"
"\n"
"  -n  operations per run (default 200000 for nop and read8, else 30000)\n"
"  -r  runs per figure, of which the median counts (default 3)\n"
"  -b  a batch size: 1, 4, 16, 32, 64 or 128; may be repeated (default: all)\n"
"  -p  aring, io_uring, aio or call; may be repeated (default: all)\n"
"  -w  nop, read8, poll, sendrecv, read4k, read4k_fixed, write4k, timeout0,\n"
"      timeout_cancel or cancel_none; may be repeated (default: all)\n"
"  -s  let the machine settle this long first (default 0)\n"
"  -q  the table alone, without the lines about the machine\n"
"  -j  write the figures to FILE as JSON\n";

static void add_batch(unsigned int batch)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(all_batches); i++) {
		if (all_batches[i] == batch &&
		    nr_batches < ARRAY_SIZE(batches)) {
			batches[nr_batches++] = batch;
			return;
		}
	}
	fputs(usage, stderr);
	exit(2);
}

static void pin_to_one_cpu(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(0, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

static const char *parse(int argc, char **argv, unsigned int *settle,
			 bool *quiet)
{
	const char *json = NULL;
	unsigned int i;
	int c;

	while ((c = getopt(argc, argv, "n:r:b:p:w:s:qj:")) != -1) {
		if (c == 'n')
			only_ops = (unsigned int)strtoul(optarg, NULL, 10);
		else if (c == 'r')
			repeat = (unsigned int)strtoul(optarg, NULL, 10);
		else if (c == 'b')
			add_batch((unsigned int)strtoul(optarg, NULL, 10));
		else if (c == 'p' && nr_only_peers < ARRAY_SIZE(only_peers))
			only_peers[nr_only_peers++] = optarg;
		else if (c == 'w' && nr_only_works < ARRAY_SIZE(only_works))
			only_works[nr_only_works++] = optarg;
		else if (c == 's')
			*settle = (unsigned int)strtoul(optarg, NULL, 10);
		else if (c == 'q')
			*quiet = true;
		else if (c == 'j')
			json = optarg;
		else
			repeat = 0;
	}
	if (!repeat || repeat > MAX_REPEAT || optind != argc) {
		fputs(usage, stderr);
		exit(2);
	}
	if (!nr_batches) {
		for (i = 0; i < ARRAY_SIZE(all_batches); i++)
			add_batch(all_batches[i]);
	}
	return json;
}

int main(int argc, char **argv)
{
	unsigned int settle = 0;
	bool quiet = false;
	const char *json;

	json = parse(argc, argv, &settle, &quiet);
	open_tools();
	pin_to_one_cpu();
	look_around();
	sleep(settle);
	if (!quiet)
		printf("CPU: %s\nkernel command line: %s\n\n", cpu, cmdline);
	measure_all();
	if (json)
		write_json(json);
	return 0;
}
