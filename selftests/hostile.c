// SPDX-License-Identifier: MIT
/*
 * Random SQEs, random indices, random arguments, from a seed that is printed
 * (ARING_TEST_SEED sets it). What comes back is not looked at: nothing may
 * crash, hang, be left behind, or be printed to the kernel log.
 */
#include "ring.h"
#include "disk.h"
#include "kmsg.h"
#include "module.h"
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/time.h>

struct fuzz {
	__u64 seed;
	struct ring r;
	int fds[16], nr_fds;
	char *buf, *rings;
};

enum { BUF = 1 << 20 };

static __u64 rnd(struct fuzz *f)
{
	f->seed ^= f->seed << 13;
	f->seed ^= f->seed >> 7;
	f->seed ^= f->seed << 17;
	return f->seed * 0x2545f4914f6cdd1dULL;
}

static __u64 below(struct fuzz *f, __u64 n)
{
	return rnd(f) % n;
}

static __u64 odd_number(struct fuzz *f)
{
	static const __u64 odd[] = {
		0, 1, 7, 8, 63, 64, 65, 4095, 4096, 4097, 65535, 65536,
		0x7fffffff, 0x80000000, 0xffffffff, 0x100000000,
		0x7fffffffffffffff, 0x8000000000000000, -1ULL, -2ULL, -4096ULL,
		0x00007ffffffff000, 0xffff800000000000, 0xffffffff81000000,
	};

	return below(f, 3) ? odd[below(f, ARRAY_SIZE(odd))] : rnd(f);
}

static __u64 address(struct fuzz *f)
{
	switch (below(f, 8)) {
	case 0:
		return odd_number(f);
	case 1:
		/* the end of the buffer, behind which nothing is */
		return (uintptr_t)f->buf + BUF - below(f, 64);
	case 2:
		/* the ring itself */
		return (uintptr_t)f->rings + below(f, 4096);
	default:
		return (uintptr_t)f->buf + below(f, BUF);
	}
}

static void fill_sqe(struct fuzz *f, struct aring_sqe *s)
{
	static const __u8 ops[] = {
		ARING_OP_NOP, ARING_OP_READV, ARING_OP_WRITEV, ARING_OP_FSYNC,
		ARING_OP_TIMEOUT, ARING_OP_TIMEOUT_REMOVE,
		ARING_OP_ASYNC_CANCEL, ARING_OP_READ, ARING_OP_WRITE,
	};
	static const __u8 flags[] = {
		0, 0, 0, ARING_SQE_ASYNC, ARING_SQE_CQE_SKIP_SUCCESS,
		ARING_SQE_ASYNC | ARING_SQE_CQE_SKIP_SUCCESS,
	};

	memset(s, 0, sizeof(*s));
	s->opcode = below(f, 10) ? ops[below(f, ARRAY_SIZE(ops))] : rnd(f);
	s->flags = below(f, 12) ? flags[below(f, ARRAY_SIZE(flags))] : rnd(f);
	s->fd = below(f, 12) ? f->fds[below(f, f->nr_fds)] : (int)odd_number(f);
	s->addr = address(f);
	s->user_data = below(f, 16);
	switch (s->opcode) {
	case ARING_OP_TIMEOUT:
		s->len = 1;
		s->addr = (uintptr_t)f->buf + 16 * below(f, 64);
		s->off = below(f, 4);
		s->timeout_flags = below(f, 4) ? 0 : 1U << below(f, 8);
		break;
	case ARING_OP_TIMEOUT_REMOVE:
		s->addr = below(f, 16);
		s->timeout_flags = below(f, 2) ? ARING_TIMEOUT_UPDATE : 0;
		s->addr2 = (uintptr_t)f->buf + 16 * below(f, 64);
		break;
	case ARING_OP_ASYNC_CANCEL:
		s->addr = below(f, 2) ? below(f, 16) :
			  *f->r.sq_head + below(f, 64) - 48;
		s->cancel_flags = below(f, 3) ? 1U << below(f, 32) :
				  (__u32)rnd(f) & 0x80000037;
		s->len = ops[below(f, ARRAY_SIZE(ops))];
		break;
	case ARING_OP_READV:
	case ARING_OP_WRITEV:
		s->addr = (uintptr_t)f->buf + 16 * below(f, 512);
		s->len = below(f, 16) ? below(f, 12) : odd_number(f);
		s->off = below(f, 4) ? below(f, 1 << 20) : odd_number(f);
		break;
	default:
		s->len = below(f, 8) ? below(f, 70000) : odd_number(f);
		s->off = below(f, 4) ? below(f, 1 << 20) : odd_number(f);
		s->rw_flags = below(f, 8) ? 0 : 1U << below(f, 32);
	}
	/* and some bytes of it anyhow */
	if (!below(f, 6))
		for (int i = below(f, 4); i >= 0; i--)
			((__u8 *)s)[below(f, 64)] = rnd(f);
}

/* What timespecs and iovecs are read from. */
static void fill_buf(struct fuzz *f)
{
	__u64 *b = (__u64 *)f->buf;

	for (int i = 0; i < 128; i += 2) {
		b[i] = below(f, 8) ? 0 : odd_number(f);
		b[i + 1] = below(f, 8) ? below(f, 2000000) : odd_number(f);
	}
	for (int i = 128; i < 1200; i += 2) {
		b[i] = address(f);
		b[i + 1] = below(f, 8) ? below(f, 20000) : odd_number(f);
	}
}

static void do_enter(struct fuzz *f)
{
	struct __kernel_timespec ts = { 0, below(f, 500000) };
	struct aring_getevents_arg arg = { .ts = (uintptr_t)&ts };
	sigset_t none;

	sigemptyset(&none);
	if (!below(f, 8))
		arg.ts = address(f);
	if (!below(f, 4)) {
		arg.sigmask = (uintptr_t)&none;
		arg.sigmask_sz = below(f, 8) ? 8 : odd_number(f);
	}
	/* a wait with a wild time is ended by the next SIGALRM */
	ring_enter(&f->r, below(f, 4) ? below(f, 64) : odd_number(f),
		   below(f, 4), ARING_ENTER_EXT_ARG |
		   (below(f, 2) ? ARING_ENTER_GETEVENTS : 0), &arg,
		   below(f, 16) ? sizeof(arg) : odd_number(f));
}

static void do_register(struct fuzz *f)
{
	struct aring_sync_cancel_reg c = {
		.addr = below(f, 16), .fd = f->fds[below(f, f->nr_fds)],
		.flags = below(f, 2) ? 0 : (__u32)rnd(f) & 0x80000037,
		.timeout = { 0, below(f, 100000) },
	};
	static char probe[4096];

	switch (below(f, 4)) {
	case 0:
		memset(probe, 0, sizeof(probe));
		ring_register(&f->r, ARING_REGISTER_PROBE, probe,
			      below(f, 257));
		break;
	case 1:
		ring_register(&f->r, ARING_REGISTER_SYNC_CANCEL, &c, 1);
		break;
	case 2:
		ring_register(&f->r, below(f, 40), (void *)(uintptr_t)
			      (below(f, 2) ? 0 : 8), below(f, 3));
		break;
	default:
		ioctl(f->r.fd, odd_number(f), (void *)8);
	}
}

static void lie(struct fuzz *f)
{
	switch (below(f, 5)) {
	case 0:
		*f->r.sq_tail = *f->r.sq_head + odd_number(f);
		break;
	case 1:
		*f->r.cq_head = odd_number(f);
		break;
	case 2:
		f->r.sq_array[below(f, f->r.p.sq_entries)] = odd_number(f);
		break;
	case 3:
		*f->r.sq_head = odd_number(f);
		*f->r.cq_tail = odd_number(f);
		break;
	default:
		/* masks, sizes, flags: all the kernel must not believe */
		((__u32 *)f->r.rings)[below(f, 16)] = odd_number(f);
	}
}

static bool open_files(struct fuzz *f)
{
	int n = 0, p[2];

	f->fds[n++] = open("/dev/zero", O_RDWR);
	f->fds[n++] = open("/tmp", O_TMPFILE | O_RDWR, 0600);
	f->fds[n++] = open("/tmp", O_TMPFILE | O_WRONLY, 0600);
	f->fds[n++] = open("/proc/self/stat", O_RDONLY);
	f->fds[n++] = eventfd(0, 0);
	f->fds[n++] = open(NULLB, O_RDWR | O_DIRECT);
	f->fds[n++] = open("/tmp", O_RDONLY | O_DIRECTORY);
	f->fds[n++] = f->r.fd;
	f->fds[n++] = -1;
	if (pipe(p))
		return false;
	f->fds[n++] = p[0];
	f->fds[n++] = p[1];
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, p))
		return false;
	f->fds[n++] = p[0];
	f->fds[n++] = p[1];
	f->nr_fds = n;
	return f->fds[1] >= 0;
}

static void *scribble(void *arg)
{
	struct fuzz *g = arg, f = *g;

	f.seed = g->seed ^ 0x5555;
	for (int i = 0; i < 3000; i++) {
		if (below(&f, 4))
			((__u64 *)f.r.sqes)[below(&f, f.r.sqes_len / 8)] =
				below(&f, 2) ? rnd(&f) : below(&f, 64);
		else
			lie(&f);
	}
	return NULL;
}

static void on_alarm(int sig)
{
	(void)sig;
}

/* One life of a ring, in a process of its own. */
static void one_life(__u64 seed, bool two)
{
	static const __u32 flags[] = {
		0, 0, ARING_SETUP_SUBMIT_ALL, ARING_SETUP_SINGLE_ISSUER,
		ARING_SETUP_COOP_TASKRUN, ARING_SETUP_FIRST_INDEX,
		ARING_SETUP_SUBMIT_ALL | ARING_SETUP_FIRST_INDEX,
	};
	struct fuzz f = { .seed = seed };
	struct sigaction sa = { .sa_handler = on_alarm };
	struct itimerval tick = { { 0, 20000 }, { 0, 20000 } };
	struct aring_params p = { 0 };
	pthread_t t;
	int null;

	/* a random descriptor may well be one of these */
	null = open("/dev/null", O_RDWR);
	for (int i = 0; i < 3; i++)
		dup2(null, i);
	rnd(&f);
	p.flags = flags[below(&f, ARRAY_SIZE(flags))];
	if (p.flags & ARING_SETUP_FIRST_INDEX)
		p.first_index = odd_number(&f);
	sigaction(SIGALRM, &sa, NULL);
	setitimer(ITIMER_REAL, &tick, NULL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	f.buf = mmap(NULL, BUF + 4096, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (f.buf == MAP_FAILED || mprotect(f.buf + BUF, 4096, PROT_NONE) ||
	    ring_init_params(&f.r, DEVICE, 1 << below(&f, 7), &p) ||
	    !open_files(&f))
		_exit(1);
	/* what is read over the end of the rings must hit nothing of ours */
	f.rings = mmap(NULL, 8 * BUF, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS,
		       -1, 0);
	if (f.rings != MAP_FAILED)
		f.rings = mmap(f.rings + 4 * BUF, f.r.rings_len,
			       PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
			       f.r.fd, ARING_OFF_SQ_RING);
	if (f.rings == MAP_FAILED)
		_exit(2);
	if (two)
		pthread_create(&t, NULL, scribble, &f);
	for (int i = 0; i < 80; i++) {
		int n = below(&f, 16);

		/* a READ may have written all over what is read from */
		fill_buf(&f);
		for (int k = 0; k < n; k++) {
			__u32 mask = f.r.p.sq_entries - 1;
			__u32 tail = *f.r.sq_tail;

			if (tail - *f.r.sq_head > mask)
				break;
			fill_sqe(&f, &f.r.sqes[tail & mask]);
			f.r.sq_array[tail & mask] = below(&f, 20) ?
				tail & mask : odd_number(&f);
			__atomic_store_n(f.r.sq_tail, tail + 1,
					 __ATOMIC_RELEASE);
		}
		if (!below(&f, 10))
			lie(&f);
		do_enter(&f);
		if (!below(&f, 10))
			do_register(&f);
		if (below(&f, 3))
			*f.r.cq_head = *f.r.cq_tail;
		if (!below(&f, 20))
			*f.r.sq_tail = *f.r.sq_head;
	}
	if (below(&f, 2))
		ring_unmap(&f.r);
	/* the thread, if there is one, is left to die with the process */
	_exit(0);
}

FIXTURE(hostile) {
	long refcnt;
	__u64 seed;
	int log;
};

FIXTURE_VARIANT(hostile) { bool two; };

FIXTURE_VARIANT_ADD(hostile, alone) { .two = false };
FIXTURE_VARIANT_ADD(hostile, with_a_scribbler) { .two = true };

FIXTURE_SETUP(hostile)
{
	const char *s = getenv("ARING_TEST_SEED");

	self->seed = s && *s ? strtoull(s, NULL, 0) : 0x0a51236;
	self->refcnt = module_refcnt_at_start();
	ASSERT_GE(self->refcnt, 0);
	self->log = kmsg_mark();
	ASSERT_GE(self->log, 0);
}

FIXTURE_TEARDOWN(hostile)
{
	close(self->log);
}

TEST_F_TIMEOUT(hostile, random_rings, 120)
{
	unsigned long n = test_scale(150, 15);

	printf("# ARING_TEST_SEED=%#llx\n", self->seed);
	for (unsigned long i = 0; i < n; i++) {
		__u64 seed = self->seed + i * 0x9e3779b97f4a7c15ULL;
		__u64 end = now_ns() + ms(20000) * test_slow();
		int status = -1;
		pid_t pid;

		pid = fork();
		ASSERT_GE(pid, 0);
		if (!pid)
			one_life(seed, variant->two);
		while (waitpid(pid, &status, WNOHANG) == 0) {
			if (now_ns() > end) {
				kill(pid, SIGKILL);
				NEED_TRUE(false, "life %lu, seed %#llx: hangs",
					  i, seed);
			}
			usleep(500);
		}
		/* what was written into its own memory may have ended it */
		NEED_TRUE(WIFSIGNALED(status) || WEXITSTATUS(status) == 0,
			  "life %lu, seed %#llx: status %#x", i, seed, status);
	}
	EXPECT_EQ(self->refcnt, module_refcnt_wait(self->refcnt));
	EXPECT_EQ(0, kmsg_count(self->log));
}

RING_TEST_MAIN
