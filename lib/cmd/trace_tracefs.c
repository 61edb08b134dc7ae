// SPDX-License-Identifier: MIT
/*
 * aring trace: events out of the kernel, by an instance of tracefs of our own.
 *
 * The pages of each CPU's buffer are read as they are (trace_pipe_raw) by a
 * thread, while the program runs. New events never overwrite old ones; those
 * for which there is no room are dropped, and the kernel counts them.
 *
 * Which processes are the program's is found out at the end, from the kernel's
 * events of fork: it may start others, and they end before one could look.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cmd.h"
#include "trace.h"

#define INSTANCE	"aring-trace-"
#define PAGE_MAX	(64 * 1024)	/* as large as a page of a buffer may be */
#define LOOK_NS		5000000		/* so often we look for new events */
#define QUIET_LOOKS	10		/* so many in vain are enough at the end */
#define LAST_LOOKS	100		/* and so many in any case */
#define MAX_PID		0x400000U

/* How much the kernel may keep, for all CPUs together; for one at most, at least. */
#define BUFFERS_KB	(64 * 1024)
#define BUFFER_MAX_KB	(16 * 1024)
#define BUFFER_MIN_KB	1024

/* A member of an event, as the file "format" tells. */
struct member {
	unsigned int offset;
	unsigned int size;
};

enum kind { EDGE, CANCEL, FORK, EXEC, NR_KINDS };

/* In the order of enum kind. */
static const struct {
	const char *path;
	const char *members[11];
} kinds[NR_KINDS] = {
	[EDGE] = { "aring/aring_edge", {
		"time", "user_data", "ring", "process", "ticket", "res",
		"opcode", "virtual", "from", "to" } },
	[CANCEL] = { "aring/aring_cancel", {
		"time", "user_data", "ring", "process", "ticket", "verdict",
		"opcode", "virtual", "by_ticket", "by_opcode", "by_user_data" } },
	[FORK] = { "sched/sched_process_fork", { "parent_pid", "child_pid" } },
	[EXEC] = { "sched/sched_process_exec", { "pid", "filename" } },
};

struct fork {
	__u64 when;
	__u32 parent;
	__u32 child;
};

struct trace_source {
	struct trace *t;
	char dir[256];		/* tracefs */
	char instance[300];
	unsigned int id[NR_KINDS];
	struct member members[NR_KINDS][11];
	size_t page_data;	/* where the data of a page begins */
	int *fds;		/* one a CPU */
	size_t nr_fds;
	struct fork *forks;
	size_t nr_forks;
	pthread_t thread;
	bool running;
	bool stop;
	unsigned char page[PAGE_MAX];
};

/* ---- files of tracefs ------------------------------------------------------- */

/* Returns 0 or an errno. */
static int put(const struct trace_source *s, const char *file, const char *text)
{
	char path[PATH_MAX];
	ssize_t n;
	int fd, err;

	snprintf(path, sizeof(path), "%s/%s", s->instance, file);
	fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	if (fd < 0)
		return errno;
	n = write(fd, text, strlen(text));
	err = n < 0 ? errno : 0;
	close(fd);
	return err;
}

/* The whole of a small file, or NULL; to be freed. */
static char *slurp(const char *dir, const char *file)
{
	size_t size = 64 * 1024, used = 0;
	char path[PATH_MAX], *text;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	text = malloc(size);
	while (text && used < size - 1) {
		n = read(fd, text + used, size - 1 - used);
		if (n <= 0)
			break;
		used += (size_t)n;
	}
	if (text)
		text[used] = 0;
	close(fd);
	return text;
}

/* Find "field:TYPE NAME;\toffset:O;\tsize:S;". */
static bool find_member(const char *format, const char *name, struct member *m)
{
	const char *line = format, *end;
	size_t len = strlen(name);

	while ((line = strstr(line, "field:"))) {
		end = strchr(line, ';');
		if (!end)
			return false;
		/* Not what follows the name of an array. */
		line = memchr(line, '[', (size_t)(end - line));
		if (!line || !strncmp(line, "[] ", 3))
			line = end;
		if ((size_t)(line - format) > len &&
		    !strncmp(line - len, name, len) && line[-1 - (long)len] == ' ')
			return sscanf(end, "; offset:%u; size:%u;", &m->offset,
				      &m->size) == 2;
		line = end;
	}
	return false;
}

static bool find_kind(struct trace_source *s, enum kind kind)
{
	char file[128], *format;
	const char *id;
	size_t i;
	bool ok;

	snprintf(file, sizeof(file), "events/%s/format", kinds[kind].path);
	format = slurp(s->dir, file);
	if (!format)
		return false;
	id = strstr(format, "ID: ");
	ok = id && sscanf(id, "ID: %u", &s->id[kind]) == 1;
	for (i = 0; ok && i < ARRAY_SIZE(kinds[kind].members); i++)
		if (kinds[kind].members[i])
			ok = find_member(format, kinds[kind].members[i],
					 &s->members[kind][i]);
	free(format);
	if (!ok)
		complain("%s/%s: this is not the event that aring trace knows", s->dir,
			 file);
	return ok;
}

static bool find_page(struct trace_source *s)
{
	char *format = slurp(s->dir, "events/header_page");
	struct member m;
	bool ok = format && find_member(format, "data", &m) && m.offset >= 16;

	s->page_data = ok ? m.offset : 0;
	free(format);
	return ok;
}

/* ---- events ----------------------------------------------------------------- */

static __u64 get(const unsigned char *data, size_t size, const struct member *m)
{
	__u64 v = 0;

	/* Little endian: the lowest bytes of v. */
	if (m->size <= sizeof(v) && m->offset + m->size <= size)
		memcpy(&v, data + m->offset, m->size);
	return v;
}

static void take_ours(struct trace_source *s, enum kind kind,
		      const unsigned char *data, size_t size)
{
	const struct member *m = s->members[kind];
	struct trace_event e = {
		.time = get(data, size, &m[0]),
		.user_data = get(data, size, &m[1]),
		.ring = (__u32)get(data, size, &m[2]),
		.process = (__u32)get(data, size, &m[3]),
		.ticket = (__u32)get(data, size, &m[4]),
		.res = (__s32)get(data, size, &m[5]),
		.opcode = (__u8)get(data, size, &m[6]),
		.virtual = get(data, size, &m[7]),
		.cancel = kind == CANCEL,
	};

	if (e.cancel) {
		e.by_ticket = (__u32)get(data, size, &m[8]);
		e.by_opcode = (__u8)get(data, size, &m[9]);
		e.by_user_data = get(data, size, &m[10]);
	} else {
		e.from = (__u8)get(data, size, &m[8]);
		e.to = (__u8)get(data, size, &m[9]);
	}
	trace_add_event(s->t, &e);
}

static void take_fork(struct trace_source *s, __u64 when,
		      const unsigned char *data, size_t size)
{
	const struct member *m = s->members[FORK];

	if (!trace_grow(&s->forks, s->nr_forks, sizeof(*s->forks)))
		return;
	s->forks[s->nr_forks++] = (struct fork) {
		.when = when,
		.parent = (__u32)get(data, size, &m[0]),
		.child = (__u32)get(data, size, &m[1]),
	};
}

static void take_exec(struct trace_source *s, const unsigned char *data, size_t size)
{
	const struct member *m = s->members[EXEC];
	size_t at = get(data, size, &m[1]) & 0xffff;
	const char *name, *base;

	if (at >= size || !memchr(data + at, 0, size - at))
		return;
	name = (const char *)data + at;
	base = strrchr(name, '/');
	trace_name_process(s->t, (__u32)get(data, size, &m[0]),
			   base ? base + 1 : name);
}

static void take_event(struct trace_source *s, __u64 when,
		       const unsigned char *data, size_t size)
{
	__u16 id;

	if (size < sizeof(id))
		return;
	memcpy(&id, data, sizeof(id));
	if (id == s->id[EDGE])
		take_ours(s, EDGE, data, size);
	else if (id == s->id[CANCEL])
		take_ours(s, CANCEL, data, size);
	else if (id == s->id[FORK])
		take_fork(s, when, data, size);
	else if (id == s->id[EXEC])
		take_exec(s, data, size);
}

static __u32 u32_at(const unsigned char *p)
{
	__u32 v;

	memcpy(&v, p, sizeof(v));
	return v;
}

/*
 * A page of a ring buffer: u64 time, u64 of which the low bits are the length of the
 * data, and the data: events, each with a header of 5 bits type, 27 bits time.
 */
static void take_page(struct trace_source *s, size_t got)
{
	const unsigned char *p = s->page + s->page_data, *end;
	__u64 when, commit;
	size_t size;
	__u32 head;

	if (got < s->page_data)
		return;
	memcpy(&when, s->page, sizeof(when));
	memcpy(&commit, s->page + 8, sizeof(commit));
	commit &= 0xfffff;
	if (commit > got - s->page_data)
		commit = got - s->page_data;
	for (end = p + commit; end - p >= 4; p += size) {
		head = u32_at(p);
		if ((head & 31) >= 1 && (head & 31) <= 28) {
			size = 4 + 4 * (head & 31);
			if ((size_t)(end - p) < size)
				return;
			when += head >> 5;
			take_event(s, when, p + 4, size - 4);
			continue;
		}
		if (end - p < 8)
			return;
		size = 8;
		switch (head & 31) {
		case 0:		/* a long one: its length follows */
			size = 4 + u32_at(p + 4);
			if (size < 8 || (size_t)(end - p) < size)
				return;
			when += head >> 5;
			take_event(s, when, p + 8, size - 8);
			break;
		case 29:	/* nothing: to the end, or of that length */
			size = 4 + u32_at(p + 4);
			if (!(head >> 5) || (size_t)(end - p) < size)
				return;
			break;
		case 30:	/* time goes on */
			when += (head >> 5) + ((__u64)u32_at(p + 4) << 27);
			break;
		default:	/* the time */
			when = (head >> 5) + ((__u64)u32_at(p + 4) << 27);
			break;
		}
	}
}

/* Returns whether there was something. */
static bool take_all(struct trace_source *s)
{
	bool any = false;
	ssize_t n;
	size_t i;

	for (i = 0; i < s->nr_fds; i++) {
		while ((n = read(s->fds[i], s->page, sizeof(s->page))) > 0) {
			take_page(s, (size_t)n);
			any = true;
		}
	}
	return any;
}

static void *take_until_stopped(void *arg)
{
	static const struct timespec nap = { .tv_nsec = LOOK_NS };
	struct trace_source *s = arg;
	unsigned int quiet = 0, after = 0;

	/*
	 * What has started outlives its program, and a ring is ended behind its
	 * back: a little silence, then it is over. Others may never be silent.
	 */
	while (quiet < QUIET_LOOKS && after < LAST_LOOKS) {
		quiet = take_all(s) ? 0 : quiet + 1;
		if (__atomic_load_n(&s->stop, __ATOMIC_ACQUIRE))
			after++;
		else
			quiet = 0;
		nanosleep(&nap, NULL);
	}
	return NULL;
}

/* ---- beginning and end ------------------------------------------------------ */

static bool find_tracefs(struct trace_source *s)
{
	static const char * const dirs[] = {
		"/sys/kernel/tracing", "/sys/kernel/debug/tracing",
	};
	char path[300];
	size_t i;
	int err = ENOENT;

	for (i = 0; i < ARRAY_SIZE(dirs); i++) {
		snprintf(path, sizeof(path), "%s/instances", dirs[i]);
		if (!access(path, W_OK | X_OK)) {
			strcpy(s->dir, dirs[i]);
			return true;
		}
		if (errno != ENOENT)
			err = errno;
	}
	if (err == ENOENT)
		complain("%s: there is no tracefs; next: mount -t tracefs nodev %s",
			 dirs[0], dirs[0]);
	else
		complain("%s: %s; next: run aring trace as root", dirs[0],
			 strerror(err));
	return false;
}

/* What somebody like us, who was killed, has left behind. */
static void remove_stale(const struct trace_source *s)
{
	char path[PATH_MAX];
	struct dirent *de;
	long pid;
	DIR *d;

	snprintf(path, sizeof(path), "%s/instances", s->dir);
	d = opendir(path);
	if (!d)
		return;
	while ((de = readdir(d))) {
		if (strncmp(de->d_name, INSTANCE, strlen(INSTANCE)))
			continue;
		pid = strtol(de->d_name + strlen(INSTANCE), NULL, 10);
		if (pid <= 0 || !kill((pid_t)pid, 0) || errno != ESRCH)
			continue;
		snprintf(path, sizeof(path), "%s/instances/%s", s->dir, de->d_name);
		rmdir(path);
	}
	closedir(d);
}

static bool open_cpus(struct trace_source *s)
{
	char path[PATH_MAX];
	struct dirent *de;
	DIR *d;

	snprintf(path, sizeof(path), "%s/per_cpu", s->instance);
	d = opendir(path);
	while (d && (de = readdir(d))) {
		if (strncmp(de->d_name, "cpu", 3))
			continue;
		snprintf(path, sizeof(path), "%s/per_cpu/%s/trace_pipe_raw",
			 s->instance, de->d_name);
		if (!trace_grow(&s->fds, s->nr_fds, sizeof(*s->fds)))
			break;
		s->fds[s->nr_fds] = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
		if (s->fds[s->nr_fds] >= 0)
			s->nr_fds++;
	}
	if (d)
		closedir(d);
	if (!s->nr_fds)
		complain("%s: no CPU's buffer can be read", s->instance);
	return s->nr_fds;
}

static bool set_up(struct trace_source *s)
{
	long cpus = sysconf(_SC_NPROCESSORS_CONF);
	long kb = BUFFERS_KB / (cpus > 0 ? cpus : 1);
	char text[64], file[128];
	size_t i;
	int err;

	if (kb > BUFFER_MAX_KB)
		kb = BUFFER_MAX_KB;
	do {
		snprintf(text, sizeof(text), "%ld", kb);
		err = put(s, "buffer_size_kb", text);
		kb /= 2;
	} while (err == ENOMEM && kb >= BUFFER_MIN_KB);
	if (err)
		complain("%s/buffer_size_kb: %s; what does not fit will be lost",
			 s->instance, strerror(err));
	/* Without these two what is lost is only harder to see. */
	put(s, "options/overwrite", "0");
	put(s, "trace_clock", "mono");
	for (i = 0; i < NR_KINDS; i++) {
		snprintf(file, sizeof(file), "events/%s/enable", kinds[i].path);
		err = put(s, file, "1");
		if (err) {
			complain("%s/%s: %s", s->instance, file, strerror(err));
			return false;
		}
	}
	return true;
}

/**
 * trace_source_open() - begin to record; complains if that is not possible
 * @t: where to
 *
 * Return: NULL, or what trace_source_close() ends, whatever happens.
 */
struct trace_source *trace_source_open(struct trace *t)
{
	struct trace_source *s = calloc(1, sizeof(*s));

	if (!s) {
		complain("out of memory");
		return NULL;
	}
	s->t = t;
	if (!find_tracefs(s))
		goto fail;
	if (!find_kind(s, EDGE)) {
		complain("the kernel has no events of aring; next: modprobe aring");
		goto fail;
	}
	if (!find_kind(s, CANCEL) || !find_kind(s, FORK) || !find_kind(s, EXEC) ||
	    !find_page(s)) {
		complain("%s: the kernel's events cannot be read", s->dir);
		goto fail;
	}
	remove_stale(s);
	snprintf(s->instance, sizeof(s->instance), "%s/instances/%s%d", s->dir,
		 INSTANCE, getpid());
	if (mkdir(s->instance, 0700)) {
		complain("%s: %s", s->instance, strerror(errno));
		goto fail;
	}
	if (open_cpus(s) && set_up(s))
		return s;
	trace_source_close(s);
	return NULL;
fail:
	free(s);
	return NULL;
}

/**
 * trace_source_start() - let a thread take what comes; complains if it cannot
 * @s: the source
 *
 * Return: false if it could not.
 */
bool trace_source_start(struct trace_source *s)
{
	sigset_t all, mask;
	int err;

	/* Signals are for the main thread. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &mask);
	err = pthread_create(&s->thread, NULL, take_until_stopped, s);
	pthread_sigmask(SIG_SETMASK, &mask, NULL);
	if (err)
		complain("pthread_create: %s", strerror(err));
	s->running = !err;
	return s->running;
}

static void count_lost(struct trace_source *s)
{
	static const char * const what[] = {
		"overrun: ", "commit overrun: ", "dropped events: ",
	};
	char file[64], *stats, *line;
	size_t i, cpu;

	for (cpu = 0; cpu < s->nr_fds; cpu++) {
		snprintf(file, sizeof(file), "per_cpu/cpu%zu/stats", cpu);
		stats = slurp(s->instance, file);
		for (line = stats ? strtok(stats, "\n") : NULL; line;
		     line = strtok(NULL, "\n"))
			for (i = 0; i < ARRAY_SIZE(what); i++)
				if (!strncmp(line, what[i], strlen(what[i])))
					s->t->lost += strtoull(line + strlen(what[i]),
							       NULL, 10);
		free(stats);
	}
}

static int by_when(const void *a, const void *b)
{
	const struct fork *x = a, *y = b;

	return (x->when > y->when) - (x->when < y->when);
}

/* One that has not called exec is called as the one that has made it. */
static void name_like_parent(struct trace_source *s, __u32 pid)
{
	char name[sizeof(s->t->processes->name)];
	struct trace *t = s->t;
	__u32 at = pid;
	size_t i, j;

	for (i = s->nr_forks;;) {
		for (j = t->nr_processes; j && t->processes[j - 1].pid != at; j--)
			;
		if (j)
			break;
		while (i && s->forks[i - 1].child != at)
			i--;
		if (!i)
			return;
		at = s->forks[--i].parent;
	}
	strcpy(name, t->processes[j - 1].name);
	if (at != pid)
		trace_name_process(t, pid, name);
}

static bool is_ours(const unsigned char *ours, __u32 pid)
{
	return pid < MAX_PID && ours[pid / 8] & 1 << pid % 8;
}

/* What this process has not started, or what it has started, goes. */
static void keep_descendants(struct trace_source *s)
{
	unsigned char *ours = calloc(MAX_PID / 8, 1);
	struct trace *t = s->t;
	size_t i, kept = 0;
	__u32 pid;

	if (!ours)
		return;
	pid = (__u32)getpid();
	ours[pid / 8] |= (unsigned char)(1 << pid % 8);
	if (s->nr_forks)
		qsort(s->forks, s->nr_forks, sizeof(*s->forks), by_when);
	for (i = 0; i < s->nr_forks; i++) {
		pid = s->forks[i].child;
		if (pid < MAX_PID && is_ours(ours, s->forks[i].parent))
			ours[pid / 8] |= (unsigned char)(1 << pid % 8);
	}
	for (i = 0; i < t->nr_events; i++)
		if (is_ours(ours, t->events[i].process))
			t->events[kept++] = t->events[i];
	t->nr_events = kept;
	kept = 0;
	for (i = 0; i < t->nr_processes; i++)
		if (is_ours(ours, t->processes[i].pid))
			t->processes[kept++] = t->processes[i];
	t->nr_processes = kept;
	for (i = 0, pid = 0; i < t->nr_events; i++) {
		if (t->events[i].process != pid)
			name_like_parent(s, t->events[i].process);
		pid = t->events[i].process;
	}
	free(ours);
}

/**
 * trace_source_close() - end it, and leave nothing behind in the kernel
 * @s: the source
 *
 * If it was started the record is complete now, of the descendants of this process.
 */
void trace_source_close(struct trace_source *s)
{
	size_t i;

	if (s->running) {
		__atomic_store_n(&s->stop, true, __ATOMIC_RELEASE);
		pthread_join(s->thread, NULL);
	}
	put(s, "events/enable", "0");
	if (s->running) {
		take_all(s);
		count_lost(s);
		keep_descendants(s);
	}
	for (i = 0; i < s->nr_fds; i++)
		close(s->fds[i]);
	if (rmdir(s->instance))
		complain("%s: %s", s->instance, strerror(errno));
	free(s->fds);
	free(s->forks);
	free(s);
}
