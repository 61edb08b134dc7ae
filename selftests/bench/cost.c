// SPDX-License-Identifier: MIT
/*
 * What one operation costs, the program's side included, for aring, io_uring,
 * Linux AIO and the plain system call.
 *
 * In a machine with an instruction clock (selftests/vm/run -i) a nanosecond is
 * an instruction, and figures repeat. Elsewhere the figures are nanoseconds.
 *
 * Each peer does the same: fill in a batch of requests, hand them over in one
 * call, reap them, look at each result. They complete in that call, so none of
 * them waits.
 */
#include <fcntl.h>
#include <getopt.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <stdnoreturn.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <liburing.h>
#include <linux/aio_abi.h>

#include <aring.h>

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define MAX_BATCH	128U
#define MAX_REPEAT	99U
#define READ_SIZE	8U

enum work { NOP, READ8, WORKS };

static const char * const work_names[WORKS] = { "nop", "read8" };
static const char * const work_titles[WORKS] = {
	"NOP", "read 8 bytes of /dev/zero",
};

static const unsigned int all_batches[] = { 1, 4, 16, 32, 64, 128 };

static int zero_fd;
static char buf[READ_SIZE];

static noreturn void die(const char *what, int err)
{
	fprintf(stderr, "cost: %s: %s\n", what, strerror(err));
	exit(1);
}

static void check(unsigned int bad)
{
	if (bad) {
		fprintf(stderr, "cost: %u operations had a wrong result\n",
			bad);
		exit(1);
	}
}

/* ---- aring ---------------------------------------------------------------- */

static struct aring aring;

static int aring_begin(void)
{
	struct aring_params p = { 0 };

	return aring_queue_init_backend(ARING_BACKEND_DEVICE, MAX_BATCH,
					&aring, &p);
}

static void aring_end(void)
{
	aring_queue_exit(&aring);
}

/* What is left to reap after the first look; normally nothing. */
static unsigned int aring_reap(unsigned int batch, unsigned int seen,
			       int expect)
{
	unsigned int bad = 0;
	struct aring_cqe *cqe;

	while (seen < batch) {
		if (aring_wait_cqe(&aring, &cqe))
			return 1;
		bad += cqe->res != expect;
		aring_cqe_seen(&aring, cqe);
		seen++;
	}
	return bad;
}

/* Always inline: one copy for each work, so that nobody pays for the choice. */
static __always_inline void aring_run(enum work work, unsigned int batch,
				      unsigned int rounds)
{
	const int expect = work == NOP ? 0 : READ_SIZE;
	unsigned int head, i, seen, bad = 0;
	struct aring_sqe *sqe;
	struct aring_cqe *cqe;

	while (rounds--) {
		for (i = 0; i < batch; i++) {
			sqe = aring_get_sqe(&aring);
			if (work == NOP)
				aring_prep_nop(sqe);
			else
				aring_prep_read(sqe, zero_fd, buf, READ_SIZE, 0);
			aring_sqe_set_data64(sqe, i);
		}
		if (aring_submit(&aring) != (int)batch)
			check(batch);
		seen = 0;
		aring_for_each_cqe(&aring, head, cqe) {
			bad += cqe->res != expect;
			seen++;
		}
		aring_cq_advance(&aring, seen);
		if (seen != batch)
			bad += aring_reap(batch, seen, expect);
	}
	check(bad);
}

static void aring_nop(unsigned int batch, unsigned int rounds)
{
	aring_run(NOP, batch, rounds);
}

static void aring_read8(unsigned int batch, unsigned int rounds)
{
	aring_run(READ8, batch, rounds);
}

/* ---- io_uring ------------------------------------------------------------- */

static struct io_uring uring;

static int uring_begin(void)
{
	return io_uring_queue_init(MAX_BATCH, &uring, 0);
}

static void uring_end(void)
{
	io_uring_queue_exit(&uring);
}

static unsigned int uring_reap(unsigned int batch, unsigned int seen,
			       int expect)
{
	struct io_uring_cqe *cqe;
	unsigned int bad = 0;

	while (seen < batch) {
		if (io_uring_wait_cqe(&uring, &cqe))
			return 1;
		bad += cqe->res != expect;
		io_uring_cqe_seen(&uring, cqe);
		seen++;
	}
	return bad;
}

static __always_inline void uring_run(enum work work, unsigned int batch,
				      unsigned int rounds)
{
	const int expect = work == NOP ? 0 : READ_SIZE;
	unsigned int head, i, seen, bad = 0;
	struct io_uring_sqe *sqe;
	struct io_uring_cqe *cqe;

	while (rounds--) {
		for (i = 0; i < batch; i++) {
			sqe = io_uring_get_sqe(&uring);
			if (work == NOP)
				io_uring_prep_nop(sqe);
			else
				io_uring_prep_read(sqe, zero_fd, buf,
						   READ_SIZE, 0);
			io_uring_sqe_set_data64(sqe, i);
		}
		if (io_uring_submit(&uring) != (int)batch)
			check(batch);
		seen = 0;
		io_uring_for_each_cqe(&uring, head, cqe) {
			bad += cqe->res != expect;
			seen++;
		}
		io_uring_cq_advance(&uring, seen);
		if (seen != batch)
			bad += uring_reap(batch, seen, expect);
	}
	check(bad);
}

static void uring_nop(unsigned int batch, unsigned int rounds)
{
	uring_run(NOP, batch, rounds);
}

static void uring_read8(unsigned int batch, unsigned int rounds)
{
	uring_run(READ8, batch, rounds);
}

/* ---- Linux AIO ------------------------------------------------------------ */

static aio_context_t aio;
static struct iocb iocbs[MAX_BATCH];
static struct iocb *iocb_ptrs[MAX_BATCH];

static int aio_begin(void)
{
	unsigned int i;

	for (i = 0; i < MAX_BATCH; i++)
		iocb_ptrs[i] = &iocbs[i];
	aio = 0;
	return syscall(SYS_io_setup, MAX_BATCH, &aio) ? -errno : 0;
}

static void aio_end(void)
{
	syscall(SYS_io_destroy, aio);
}

static void aio_read8(unsigned int batch, unsigned int rounds)
{
	static struct io_event events[MAX_BATCH];
	unsigned int i, bad = 0;

	while (rounds--) {
		for (i = 0; i < batch; i++) {
			iocbs[i] = (struct iocb) {
				.aio_data = i,
				.aio_lio_opcode = IOCB_CMD_PREAD,
				.aio_fildes = (unsigned int)zero_fd,
				.aio_buf = (uintptr_t)buf,
				.aio_nbytes = READ_SIZE,
			};
		}
		if (syscall(SYS_io_submit, aio, (long)batch, iocb_ptrs) !=
		    (long)batch)
			check(batch);
		if (syscall(SYS_io_getevents, aio, (long)batch, (long)batch,
			    events, NULL) != (long)batch)
			check(batch);
		for (i = 0; i < batch; i++)
			bad += events[i].res != READ_SIZE;
	}
	check(bad);
}

/* ---- the plain call ------------------------------------------------------- */

static int call_begin(void)
{
	return 0;
}

static void call_end(void)
{
}

static void call_read8(unsigned int batch, unsigned int rounds)
{
	unsigned int i, bad = 0;

	while (rounds--) {
		for (i = 0; i < batch; i++)
			bad += pread(zero_fd, buf, READ_SIZE, 0) != READ_SIZE;
	}
	check(bad);
}

/* ---- measuring ------------------------------------------------------------ */

typedef void (*run_fn)(unsigned int batch, unsigned int rounds);

struct peer {
	int (*begin)(void);
	void (*end)(void);
	run_fn run[WORKS];
	const char *name;
	const char *title;
	bool any_batch;		/* costs the same at every batch size */
};

static const struct peer peers[] = {
	{ aring_begin, aring_end, { aring_nop, aring_read8 },
	  "aring", "aring", false },
	{ uring_begin, uring_end, { uring_nop, uring_read8 },
	  "io_uring", "io_uring", false },
	{ aio_begin, aio_end, { NULL, aio_read8 },
	  "aio", "Linux AIO", false },
	{ call_begin, call_end, { NULL, call_read8 },
	  "call", "pread()", true },
};

static unsigned int batches[ARRAY_SIZE(all_batches)];
static unsigned int nr_batches;
static const char *only_peers[ARRAY_SIZE(peers)];
static unsigned int nr_only_peers;
static unsigned int ops = 200000;
static unsigned int repeat = 5;
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

/* The median of several runs, after a short one to warm up. */
static double measure(const struct peer *peer, enum work work,
		      unsigned int batch)
{
	unsigned int rounds = (ops + batch - 1) / batch;
	double runs[MAX_REPEAT];
	unsigned int i;
	int ret;

	ret = peer->begin();
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

static bool wanted(unsigned int w, unsigned int p)
{
	unsigned int i;

	for (i = 0; i < nr_only_peers; i++) {
		if (!strcmp(only_peers[i], peers[p].name))
			break;
	}
	return peers[p].run[w] && (!nr_only_peers || i < nr_only_peers);
}

static void measure_row(unsigned int w, unsigned int p)
{
	const struct peer *peer = &peers[p];
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
		printf("%-26s", work_titles[w]);
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
		work_names[w], peers[p].name, batches[b]);
	fprintf(f, "\"instructions\": %.1f, \"operations\": %u, ",
		figures[w][p][b], ops);
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
"usage: cost [-n OPERATIONS] [-r REPEAT] [-b BATCH]... [-p PEER]... [-s SECONDS]\n"
"            [-q] [-j FILE]\n"
"\n"
"  -n  operations per figure (default 200000)\n"
"  -r  runs per figure, of which the median counts (default 5)\n"
"  -b  a batch size: 1, 4, 16, 32, 64 or 128; may be repeated (default: all)\n"
"  -p  aring, io_uring, aio or call; may be repeated (default: all)\n"
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

	while ((c = getopt(argc, argv, "n:r:b:p:s:qj:")) != -1) {
		if (c == 'n')
			ops = (unsigned int)strtoul(optarg, NULL, 10);
		else if (c == 'r')
			repeat = (unsigned int)strtoul(optarg, NULL, 10);
		else if (c == 'b')
			add_batch((unsigned int)strtoul(optarg, NULL, 10));
		else if (c == 'p' && nr_only_peers < ARRAY_SIZE(only_peers))
			only_peers[nr_only_peers++] = optarg;
		else if (c == 's')
			*settle = (unsigned int)strtoul(optarg, NULL, 10);
		else if (c == 'q')
			*quiet = true;
		else if (c == 'j')
			json = optarg;
		else
			repeat = 0;
	}
	if (!ops || !repeat || repeat > MAX_REPEAT || optind != argc) {
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
	zero_fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	if (zero_fd < 0)
		die("/dev/zero", errno);
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
