// SPDX-License-Identifier: MIT
/*
 * aring cp: options, files and names; the copying is in copy.c.
 *
 * The copy is written under a temporary name in the destination's directory and
 * renamed when it is complete and on the disk. So whatever happens, a file that
 * has the destination's name is a whole one: the old or the new.
 */
#include <fcntl.h>
#include <getopt.h>
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd.h"

#define DEFAULT_BLOCK	(256U << 10)
#define DEFAULT_DEPTH	16U
#define MAX_BLOCK	(64U << 20)
#define MAX_DEPTH	4096U
#define MAX_MEMORY	(1024ULL << 20)
#define DIRECT_ALIGN	4096U

static const char usage[] =
"usage: aring cp [OPTION]... SRC DST\n"
"\n"
"Copies the file SRC to DST with many blocks in flight through the ring. DST\n"
"appears only when the copy is complete and on the disk. If DST is a directory,\n"
"the copy goes into it. The mode is kept; holes stay holes.\n"
"\n"
"  -b, --block-size=SIZE  bytes a request, with K or M (default 256K)\n"
"  -d, --depth=N          requests in flight (default 16)\n"
"      --direct           past the page cache (O_DIRECT)\n"
"      --backend=NAME     device (/dev/aring) or io_uring (the kernel's own)\n"
"  -q, --quiet            print nothing unless it fails\n"
"  -h, --help             this text\n"
"\n"
"Exit status: 0 copied, 1 failed, 2 command line not understood, 3 no ring.\n";

struct cp {
	const char *src;
	char *dst;
	char *tmp;			/* NULL while there is none to remove */
	struct stat st;			/* of the source */
	enum aring_backend backend;
	bool quiet;
	struct copy_job job;
};

static int got_signal;

static void on_signal(int sig)
{
	__atomic_store_n(&got_signal, sig, __ATOMIC_RELAXED);
}

static void catch_signals(void)
{
	static const int sigs[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction sa = { .sa_handler = on_signal };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(sigs); i++) {
		struct sigaction old;

		/* What nohup(1) and the shell's "&" ignore stays ignored. */
		if (!sigaction(sigs[i], NULL, &old) &&
		    old.sa_handler != SIG_IGN)
			sigaction(sigs[i], &sa, NULL);
	}
}

static bool parse_size(const char *s, unsigned long long max, unsigned int *out)
{
	unsigned long long v;
	char *end;

	if (*s < '0' || *s > '9')
		return false;
	errno = 0;
	v = strtoull(s, &end, 10);
	if (errno || v > max)
		return false;
	if (*end == 'K' || *end == 'k')
		v <<= 10, end++;
	else if (*end == 'M' || *end == 'm')
		v <<= 20, end++;
	if (*end || !v || v > max)
		return false;
	*out = (unsigned int)v;
	return true;
}

static const struct option options[] = {
	{ "block-size", required_argument, NULL, 'b' },
	{ "depth", required_argument, NULL, 'd' },
	{ "direct", no_argument, NULL, 'D' },
	{ "backend", required_argument, NULL, 'B' },
	{ "quiet", no_argument, NULL, 'q' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

/* Returns -1 to go on, else the exit code. */
static int parse_option(struct cp *cp, int c, char **argv)
{
	switch (c) {
	case 'b':
		if (parse_size(optarg, MAX_BLOCK, &cp->job.block))
			return -1;
		complain("--block-size wants 1 to 64M, not '%s'", optarg);
		return bad_use("cp");
	case 'd':
		if (parse_size(optarg, MAX_DEPTH, &cp->job.depth))
			return -1;
		complain("--depth wants 1 to %u, not '%s'", MAX_DEPTH, optarg);
		return bad_use("cp");
	case 'D':
		cp->job.direct = true;
		return -1;
	case 'B':
		if (parse_backend(optarg, &cp->backend))
			return -1;
		return bad_use("cp");
	case 'q':
		cp->quiet = true;
		return -1;
	case 'h':
		fputs(usage, stdout);
		return EXIT_OK;
	case ':':
		complain("option '%s' wants a value", argv[optind - 1]);
		return bad_use("cp");
	default:
		unknown_option(argv, options);
		return bad_use("cp");
	}
}

static int parse(struct cp *cp, int argc, char **argv)
{
	int c, ret;

	opterr = 0;
	while ((c = getopt_long(argc, argv, ":b:d:qh", options, NULL)) != -1) {
		ret = parse_option(cp, c, argv);
		if (ret >= 0)
			return ret;
	}
	if (argc - optind != 2) {
		complain("wants SRC and DST");
		return bad_use("cp");
	}
	if (cp->job.direct && cp->job.block % DIRECT_ALIGN) {
		complain("--direct wants a --block-size that is a multiple of %u",
			 DIRECT_ALIGN);
		return bad_use("cp");
	}
	if ((unsigned long long)cp->job.block * cp->job.depth > MAX_MEMORY) {
		complain("--block-size times --depth is more than 1 GiB of memory");
		return bad_use("cp");
	}
	cp->src = argv[optind];
	cp->dst = argv[optind + 1];
	return -1;
}

static bool set_direct(int fd, const char *name)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags >= 0 && !fcntl(fd, F_SETFL, flags | O_DIRECT))
		return true;
	complain("%s: its file system cannot do --direct (%s); leave that away",
		 name, strerror(errno));
	return false;
}

static bool open_src(struct cp *cp)
{
	struct copy_job *job = &cp->job;
	off_t end;

	/* O_NONBLOCK so that a FIFO is refused instead of waited for. */
	job->src = open(cp->src, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (job->src < 0 || fstat(job->src, &cp->st)) {
		complain("cannot open %s: %s", cp->src, strerror(errno));
		return false;
	}
	if (!S_ISREG(cp->st.st_mode) && !S_ISBLK(cp->st.st_mode)) {
		complain("%s is %s; only files and block devices can be copied",
			 cp->src, S_ISDIR(cp->st.st_mode) ? "a directory" :
			 "neither a file nor a block device");
		return false;
	}

	end = lseek(job->src, 0, SEEK_END);
	job->size = end > 0 ? (__u64)end : 0;
	job->sparse = S_ISREG(cp->st.st_mode) &&
		      (__u64)cp->st.st_blocks * 512 < job->size;

	job->src_check = job->src;
	if (!job->direct)
		return true;
	job->src_check = open(cp->src, O_RDONLY | O_CLOEXEC);
	if (job->src_check < 0) {
		complain("cannot open %s: %s", cp->src, strerror(errno));
		return false;
	}
	return set_direct(job->src, cp->src);
}

static char *concat(const char *a, const char *b, const char *c, const char *d)
{
	char *s;

	if (asprintf(&s, "%s%s%s%s", a, b, c, d) < 0) {
		complain("out of memory");
		exit(EXIT_FAILED);
	}
	return s;
}

/* Make cp->dst the name of the file to be: not a directory, not a link. */
static bool resolve_dst(struct cp *cp)
{
	struct stat st;
	char *name;

	if (!stat(cp->dst, &st) && S_ISDIR(st.st_mode)) {
		name = concat(cp->src, "", "", "");
		cp->dst = concat(cp->dst, "/", basename(name), "");
		free(name);
	}

	if (stat(cp->dst, &st)) {
		bool missing = errno == ENOENT;

		if (missing && lstat(cp->dst, &st))
			return true;
		complain("cannot write %s: %s", cp->dst, missing ?
			 "it is a link to nowhere" : strerror(errno));
		return false;
	}
	if (!S_ISREG(st.st_mode)) {
		complain("%s exists and is not a file; name a file or a directory",
			 cp->dst);
		return false;
	}
	if (st.st_dev == cp->st.st_dev && st.st_ino == cp->st.st_ino) {
		complain("%s and %s are the same file", cp->src, cp->dst);
		return false;
	}
	if (access(cp->dst, W_OK)) {
		complain("%s exists and may not be written: %s", cp->dst,
			 strerror(errno));
		return false;
	}

	/* Follow links, so that the rename replaces the file and not the link. */
	name = realpath(cp->dst, NULL);
	if (!name) {
		complain("cannot resolve %s: %s", cp->dst, strerror(errno));
		return false;
	}
	cp->dst = name;
	return true;
}

static char *dst_directory(const struct cp *cp)
{
	char *copy = concat(cp->dst, "", "", "");
	char *dir = concat(dirname(copy), "", "", "");

	free(copy);
	return dir;
}

static bool open_dst(struct cp *cp)
{
	char *dir = dst_directory(cp);
	char *copy = concat(cp->dst, "", "", "");
	char *base = basename(copy);

	/* Leave room for what is added to the name. */
	if (strlen(base) > NAME_MAX - 16)
		base[NAME_MAX - 16] = '\0';
	cp->tmp = concat(dir, "/.", base, ".XXXXXX");
	free(copy);

	cp->job.dst = mkostemp(cp->tmp, O_CLOEXEC);
	if (cp->job.dst < 0) {
		complain("cannot make a file in %s: %s", dir, strerror(errno));
		free(cp->tmp);
		cp->tmp = NULL;
	}
	free(dir);
	if (cp->job.dst < 0)
		return false;
	return !cp->job.direct || set_direct(cp->job.dst, cp->dst);
}

/* Mode, then the name: from here on it is there, and whole. */
static bool publish(struct cp *cp)
{
	mode_t mode = 0666, mask;
	char *dir;
	int fd;

	if (S_ISREG(cp->st.st_mode)) {
		/* Set-id bits only mean the same if the owner is the same. */
		mode = cp->st.st_mode & 01777;
		if (cp->st.st_uid == geteuid() && cp->st.st_gid == getegid())
			mode = cp->st.st_mode & 07777;
	} else {
		mask = umask(0);
		umask(mask);
		mode &= ~mask;
	}
	if (fchmod(cp->job.dst, mode) || rename(cp->tmp, cp->dst)) {
		complain("cannot name the copy %s: %s", cp->dst,
			 strerror(errno));
		return false;
	}
	free(cp->tmp);
	cp->tmp = NULL;

	/* The name, too, is to survive a power failure. */
	dir = dst_directory(cp);
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0) {
		fsync(fd);
		close(fd);
	}
	free(dir);
	return true;
}

static void report(const struct cp *cp, double seconds)
{
	const struct copy_job *job = &cp->job;
	char size[16], speed[16];

	human_size(size, sizeof(size), (double)job->copied);
	human_size(speed, sizeof(speed), (double)job->copied / seconds);
	printf("copied %llu bytes (%s) in %.2f s, %s/s, %llu requests through %s\n",
	       job->copied, size, seconds, speed, job->requests,
	       job->ring->backend == ARING_BACKEND_DEVICE ? ARING_DEVICE :
							    "io_uring");
}

static void complain_failed(const struct cp *cp, int err)
{
	const struct copy_job *job = &cp->job;
	const char *name = !strcmp(job->what, "read") ? cp->src : cp->dst;

	complain("cannot %s %s at byte %llu: %s; %s was not touched",
		 job->what, name, job->where, strerror(-err), cp->dst);
	if (err == -ENOSPC)
		fprintf(stderr, "Next: make room (df -h) and try again.\n");
}

static int copy(struct cp *cp)
{
	double since = seconds_now();
	int ret;

	if (!open_src(cp) || !resolve_dst(cp) || !open_dst(cp))
		return EXIT_FAILED;

	ret = copy_run(&cp->job);
	if (ret < 0) {
		if (!got_signal)
			complain_failed(cp, ret);
		return EXIT_FAILED;
	}
	if (!publish(cp))
		return EXIT_FAILED;
	if (!cp->quiet)
		report(cp, seconds_now() - since);
	return EXIT_OK;
}

int cmd_cp(int argc, char **argv)
{
	struct aring ring;
	struct aring_params p = { 0 };
	struct cp cp = {
		.job = {
			.ring = &ring,
			.block = DEFAULT_BLOCK,
			.depth = DEFAULT_DEPTH,
			.stop = &got_signal,
		},
	};
	int ret;

	ret = parse(&cp, argc, argv);
	if (ret >= 0)
		return ret;
	cp.job.progress = !cp.quiet && isatty(STDERR_FILENO);

	ret = aring_queue_init_backend(cp.backend, cp.job.depth, &ring, &p);
	if (ret < 0) {
		explain_no_ring(cp.backend, ret);
		return EXIT_UNUSABLE;
	}

	catch_signals();
	ret = copy(&cp);
	if (cp.tmp)
		unlink(cp.tmp);
	aring_queue_exit(&ring);
	if (got_signal && ret != EXIT_OK) {
		signal(got_signal, SIG_DFL);
		raise(got_signal);
	}
	return ret;
}
