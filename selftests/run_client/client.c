// SPDX-License-Identifier: MIT
/*
 * client MODE [ARG]...: uses io_uring in one way or another, and prints where the
 * ring was: "device" or "io_uring".
 */
#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>

#include "client.h"

static int complete(struct io_uring *ring, uint64_t want)
{
	struct io_uring_cqe *cqe;
	int res;

	need(io_uring_submit(ring) == 1);
	need(!io_uring_wait_cqe(ring, &cqe));
	need(cqe->user_data == want);
	res = cqe->res;
	io_uring_cqe_seen(ring, cqe);
	return res;
}

static struct io_uring_sqe *next_sqe(struct io_uring *ring)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(ring);

	need(sqe);
	return sqe;
}

static const char *where_is(int fd)
{
	char path[64], link[64];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	n = readlink(path, link, sizeof(link) - 1);
	need(n > 0);
	link[n] = 0;
	if (!strcmp(link, "/dev/aring"))
		return "device";
	need(!strcmp(link, "anon_inode:[io_uring]"));
	return "io_uring";
}

/* A ring, and a little of everything; where it was. */
const char *use_ring(void)
{
	struct __kernel_timespec ts = { .tv_nsec = 1000000 };
	struct io_uring_cqe *cqe;
	struct io_uring_sqe *sqe;
	const char *where;
	struct io_uring ring;
	char buf[16] = "";
	int fd, ret;

	ret = io_uring_queue_init(8, &ring, 0);
	if (ret)
		fail("io_uring_queue_init: %d", ret);
	where = where_is(ring.ring_fd);

	sqe = next_sqe(&ring);
	io_uring_prep_nop(sqe);
	sqe->user_data = 1;
	need(complete(&ring, 1) == 0);

	fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	need(fd >= 0);
	sqe = next_sqe(&ring);
	io_uring_prep_read(sqe, fd, buf, 4, 0);
	sqe->user_data = 2;
	need(complete(&ring, 2) == 4);
	need(!memcmp(buf, "\177ELF", 4));
	close(fd);

	sqe = next_sqe(&ring);
	io_uring_prep_timeout(sqe, &ts, 0, 0);
	sqe->user_data = 3;
	need(complete(&ring, 3) == -ETIME);

	need(io_uring_wait_cqe_timeout(&ring, &cqe, &ts) == -ETIME);
	io_uring_queue_exit(&ring);
	return where;
}

void say_where(void)
{
	puts(use_ring());
	fflush(stdout);
}

static int mode_use(char **arg)
{
	(void)arg;
	say_where();
	return 0;
}

static int mode_exit(char **arg)
{
	return atoi(arg[0]);
}

static int mode_die(char **arg)
{
	raise(atoi(arg[0]));
	return 0;
}

/* Set by early.so, whose constructor ran before main(). */
static int mode_early(char **arg)
{
	(void)arg;
	need(getenv("EARLY_WHERE"));
	puts(getenv("EARLY_WHERE"));
	return 0;
}

static void *thread_use(void *arg)
{
	int i;

	for (i = 0; i < 20; i++)
		if (strcmp(use_ring(), arg))
			return NULL;
	return arg;
}

/* Many at once, from many threads, one of them started before the others. */
static int mode_threads(char **arg)
{
	pthread_t thread[4];
	const char *where = use_ring();
	void *ret;
	size_t i;

	(void)arg;
	for (i = 0; i < 4; i++)
		need(!pthread_create(&thread[i], NULL, thread_use,
				     (void *)(uintptr_t)where));
	for (i = 0; i < 4; i++) {
		need(!pthread_join(thread[i], &ret));
		need(ret == where);
	}
	puts(where);
	return 0;
}

/*
 * What the calls answer, one a line. The same on io_uring; every call inlined and
 * by way of syscall(2), which must agree.
 */
static void show(const char *what, long nr, const long *a)
{
	long ret = raw(nr, a[0], a[1], a[2], a[3], a[4], a[5]);
	long ret2;

	errno = 0;
	ret2 = syscall(nr, a[0], a[1], a[2], a[3], a[4], a[5]);
	if (ret2 == -1)
		ret2 = -errno;
	if (nr == SYS_io_uring_setup && ret >= 0 && ret2 >= 0) {
		ret = 0;
		ret2 = 0;
	}
	printf("%s %ld\n", what, ret);
	if (ret != ret2)
		printf("%s %ld by way of syscall(2)\n", what, ret2);
}

#define SHOW(what, name, ...) \
	show(what, SYS_io_uring_##name, (const long[6]) { __VA_ARGS__ })

static int mode_errors(char **arg)
{
	struct io_uring_params p = { 0 }, bad = { .resv = { 1 } };
	struct io_uring_getevents_arg ext = { .sigmask = 8, .sigmask_sz = 8 };
	long null = open("/dev/null", O_RDWR);
	long path = open("/dev/null", O_PATH);
	/* One to write to, one that is not there, one to read. */
	char *page = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	long ring, ro = (long)page + 2 * 4096;

	(void)arg;
	need(page != MAP_FAILED && !mprotect(page + 4096, 4096, PROT_NONE) &&
	     !mprotect((void *)ro, 4096, PROT_READ));
	ring = raw(SYS_io_uring_setup, 4, (long)&p, 0, 0, 0, 0);
	need(ring >= 0);

	SHOW("setup", setup, 4, (long)&p);
	SHOW("setup of nothing", setup, 0, (long)&p);
	SHOW("setup too large", setup, 100000, (long)&p);
	SHOW("setup reserved", setup, 4, (long)&bad);
	SHOW("setup nowhere", setup, 4, 8);
	SHOW("setup half", setup, 4, (long)page + 4096 - 64);
	SHOW("setup read-only", setup, 4, ro);
	SHOW("enter", enter, ring);
	SHOW("enter no file", enter, -1);
	SHOW("enter no ring", enter, null);
	SHOW("enter path", enter, path);
	SHOW("enter flags", enter, ring, 0, 0, 0x8000);
	SHOW("enter flags, no file", enter, -1, 0, 0, 0x8000);
	SHOW("enter registered", enter, 3, 0, 0, 16);
	SHOW("enter registered too high", enter, 16, 0, 0, 16);
	SHOW("enter mask nowhere", enter, ring, 0, 1, 1, 8, 8);
	SHOW("enter mask size", enter, ring, 0, 1, 1, (long)page, 7);
	SHOW("enter ext nowhere", enter, ring, 0, 1, 1 | 8, 8, 24);
	SHOW("enter ext mask", enter, ring, 0, 1, 1 | 8, (long)&ext, 24);
	SHOW("enter ext half", enter, ring, 0, 1, 1 | 8, (long)page + 4088,
	     24);
	SHOW("enter ext size", enter, ring, 0, 1, 1 | 8, (long)page, 23);
	SHOW("enter ext size wide", enter, ring, 0, 1, 1 | 8, (long)page,
	     (1L << 32) + 24);
	SHOW("register no file", register, -1, 8, (long)page, 1);
	SHOW("register no ring", register, null, 8, (long)page, 1);
	SHOW("register opcode", register, ring, 4000, (long)page, 1);
	SHOW("register opcode, no file", register, -1, 4000, (long)page, 1);
	SHOW("register nowhere", register, ring, 8, 8, 1);
	return 0;
}

/* errno is the program's, and so is what the call does not answer in. */
static int mode_errno(char **arg)
{
	struct io_uring_params p = { 0 };
	long fd;

	(void)arg;
	errno = 4242;
	fd = raw(SYS_io_uring_setup, 4, (long)&p, 0, 0, 0, 0);
	need(fd >= 0 && errno == 4242);
	need(!raw(SYS_io_uring_enter, fd, 0, 0, 0, 0, 0) && errno == 4242);
	need(raw(SYS_io_uring_enter, -1, 0, 0, 0, 0, 0) == -EBADF);
	need(errno == 4242);
	need(p.sq_entries == 4 && p.cq_entries == 8);
	need(raw(SYS_io_uring_setup, 0, (long)&p, 0, 0, 0, 0) == -EINVAL);
	need(p.sq_entries == 4 && errno == 4242);
	puts(where_is((int)fd));
	return 0;
}

/* A TIMEOUT of an hour: too long for a test, unless time is not what it seems. */
static int mode_nap(char **arg)
{
	struct __kernel_timespec ts = { .tv_sec = 3600 };
	struct io_uring_cqe *cqe;
	struct io_uring ring;

	(void)arg;
	need(!io_uring_queue_init(4, &ring, 0));
	io_uring_prep_timeout(io_uring_get_sqe(&ring), &ts, 0, 0);
	need(io_uring_submit_and_wait(&ring, 1) == 1);
	need(!io_uring_peek_cqe(&ring, &cqe));
	need(cqe->res == -ETIME);
	puts(where_is(ring.ring_fd));
	return 0;
}

static const struct mode own_modes[] = {
	{ "use", mode_use },
	{ "exit", mode_exit },
	{ "die", mode_die },
	{ "early", mode_early },
	{ "threads", mode_threads },
	{ "errors", mode_errors },
	{ "errno", mode_errno },
	{ "nap", mode_nap },
	{ NULL, NULL },
};

int main(int argc, char **argv)
{
	const struct mode * const all[] = {
		own_modes, signal_modes, start_modes,
	};
	const struct mode *mode;
	size_t i;

	for (i = 0; argc > 1 && i < sizeof(all) / sizeof(all[0]); i++)
		for (mode = all[i]; mode->name; mode++)
			if (!strcmp(mode->name, argv[1]))
				return mode->run(argv + 2);
	fail("client: no such mode");
}
