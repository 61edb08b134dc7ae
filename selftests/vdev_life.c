// SPDX-License-Identifier: MIT
/*
 * The virtual device and the end of rings, mappings, processes and the module:
 * requests that wait and requests that a channel has, on each kind of clock.
 * Nothing hangs, nothing stays locked, and what was STARTED still moves.
 */
#include "vdev.h"
#include "module.h"
#include <sys/resource.h>

#define MEDIUM	(4 * PAGE)
#define HOUR	3600000000000ULL

FIXTURE(vdev_life) {
	long refcnt;
	int mem;
	char *shared;		/* four pages that parent and child see */
};

FIXTURE_VARIANT(vdev_life) {
	enum backend backend;
};

FIXTURE_VARIANT_ADD(vdev_life, device) {
	.backend = DEVICE,
};

FIXTURE_SETUP(vdev_life)
{
	self->refcnt = module_refcnt_at_start();
	self->mem = memfd_create("vdev", MFD_CLOEXEC);
	ASSERT_EQ(0, ftruncate(self->mem, 4 * PAGE));
	self->shared = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED,
			    self->mem, 0);
	ASSERT_NE(MAP_FAILED, self->shared);
}

FIXTURE_TEARDOWN(vdev_life)
{
	EXPECT_EQ(self->refcnt, module_refcnt_wait(self->refcnt));
	close(self->mem);
}

/*
 * A ring with requests under way, in a child: 1 and 2 are STARTED for an hour, 3
 * is QUEUED, 4 waits for 3 and 5 for all. Return: 0, or where it went wrong.
 */
static int in_flight(struct ring *r, __u32 flags, enum clock_kind clock,
		     char *shared)
{
	struct __kernel_timespec ts = to_ts(1000);
	struct aring_getevents_arg arg = { .ts = (uintptr_t)&ts };
	struct aring_cqe cqe;

	if (ring_init(r, DEVICE, 16, flags) || clock_become(r, clock) ||
	    vdev_fifo(r, MEDIUM, 2, 1000))
		return 1;
	takes(prep_vwrite(r, "medium", 7, 0, 0), 0);
	ring_enter(r, ring_flush(r), 0, ARING_ENTER_SQ_WAKEUP, NULL, 0);
	if (clock == MANUAL) {
		while (!ring_ready(r))
			clock_advance(r, 1);
	}
	if (ring_cqe(r, &cqe) || cqe.res != 7)
		return 2;
	takes(prep_vread(r, shared, 7, 0, 1), HOUR);
	takes(prep_vread(r, shared + PAGE, 2 * PAGE, 0, 2), HOUR);
	prep_vread(r, shared + 3 * PAGE, 7, 0, 3)->flags = ARING_SQE_IO_LINK;
	prep_vread(r, shared + 3 * PAGE, 7, 0, 4);
	prep_vread(r, shared + 3 * PAGE, 7, 0, 5)->flags = ARING_SQE_IO_DRAIN;
	ring_enter(r, ring_flush(r), 0, ARING_ENTER_SQ_WAKEUP, NULL, 0);
	/* SQPOLL's thread takes its time */
	for (int i = 0; i < 1000 && !vdev_state_is(r, 3, "queued"); i++)
		usleep(2000);
	if (clock == MANUAL)
		clock_advance(r, 1);
	/* time moves as far as the wait goes */
	if (clock == AUTOMATIC)
		ring_enter(r, 0, 1, ARING_ENTER_GETEVENTS |
			   ARING_ENTER_EXT_ARG, &arg, sizeof(arg));
	for (int i = 0; i < 1000 && !vdev_state_is(r, 2, "started"); i++)
		usleep(2000);
	return vdev_state_is(r, 1, "started") &&
	       vdev_state_is(r, 3, "queued") ? 0 : 3;
}

/* Whoever made the ring is one of these when it ends. */
enum way { CLOSE, EXIT, KILL, EXEC, NR_WAYS };

static void child(int told, __u32 flags, enum clock_kind clock, enum way way,
		  char *shared)
{
	struct ring r;
	char b = in_flight(&r, flags, clock, shared);

	if (way == CLOSE) {
		ring_exit(&r);
		if (write(told, &b, 1) != 1)
			_exit(1);
	}
	if (way != CLOSE && write(told, &b, 1) != 1)
		_exit(1);
	if (way == EXIT)
		_exit(0);
	if (way == EXEC)
		execl("/bin/sleep", "sleep", "100", NULL);
	for (;;)
		pause();
}

static void ends(struct __test_metadata *_metadata, long refcnt, char *shared,
		 __u32 flags, enum clock_kind clock)
{
	for (enum way way = CLOSE; way < NR_WAYS; way++) {
		int told[2], status;
		__u64 from;
		pid_t pid;
		char b = 99;

		memset(shared, 0, 4 * PAGE);
		ASSERT_EQ(0, pipe2(told, O_CLOEXEC));
		pid = fork();
		ASSERT_GE(pid, 0);
		if (!pid)
			child(told[1], flags, clock, way, shared);
		ASSERT_EQ(1, read(told[0], &b, 1));
		CHECK_EQ(0, b, "clock %d, way %d: the child failed", clock,
			 way);
		from = now_ns();
		if (way == KILL)
			kill(pid, SIGKILL);
		/* whether the process is gone or not, the ring is, and soon */
		CHECK_EQ(refcnt, module_refcnt_wait(refcnt),
			 "clock %d, way %d", clock, way);
		CHECK_LE(now_ns() - from, ms(3000) * test_slow(),
			 "clock %d, way %d", clock, way);
		/* what was STARTED has ended, and nothing else has begun */
		EXPECT_STREQ("medium", shared);
		EXPECT_STREQ("medium", shared + PAGE);
		EXPECT_STREQ("", shared + 3 * PAGE);
		kill(pid, SIGKILL);
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		close(told[0]);
		close(told[1]);
	}
}

TEST_F_TIMEOUT(vdev_life, on_the_real_clock, 60)
{
	ends(_metadata, self->refcnt, self->shared, 0, REAL);
}

TEST_F_TIMEOUT(vdev_life, on_a_manual_clock, 60)
{
	ends(_metadata, self->refcnt, self->shared, 0, MANUAL);
}

TEST_F_TIMEOUT(vdev_life, on_an_automatic_clock, 60)
{
	ends(_metadata, self->refcnt, self->shared, 0, AUTOMATIC);
}

TEST_F_TIMEOUT(vdev_life, with_sqpoll, 60)
{
	ends(_metadata, self->refcnt, self->shared, ARING_SETUP_SQPOLL, REAL);
	ends(_metadata, self->refcnt, self->shared, ARING_SETUP_SQPOLL, MANUAL);
}

TEST_F_TIMEOUT(vdev_life, with_an_order, 60)
{
	ends(_metadata, self->refcnt, self->shared,
	     ARING_SETUP_COMPLETION_ORDER, MANUAL);
	ends(_metadata, self->refcnt, self->shared,
	     ARING_SETUP_SUBMISSION_ORDER, REAL);
}

/* CQEs that nobody will ever see. */
TEST_F(vdev_life, a_ring_ends_with_cqes_that_wait_for_their_turn)
{
	static const __u32 flags[] = {
		ARING_SETUP_COMPLETION_ORDER, ARING_SETUP_SUBMISSION_ORDER,
	};

	for (int k = 0; k < 6; k++) {
		struct ring r;

		ASSERT_EQ(0, ring_init(&r, DEVICE, 64, flags[k & 1]));
		ASSERT_EQ(0, clock_become(&r, k / 2));
		ASSERT_EQ(0, vdev_fifo(&r, MEDIUM, 1, HOUR));
		prep_vread(&r, self->shared, 8, 0, 0);
		for (int i = 1; i < 64; i++)
			prep_nop(&r, i);
		ASSERT_EQ(64, ring_submit(&r));
		EXPECT_EQ(k ? 0 : 63, ring_ready(&r));
		ring_exit(&r);
		CHECK_EQ(self->refcnt, module_refcnt_wait(self->refcnt),
			 "case %d", k);
	}
}

TEST_F(vdev_life, unmapping_takes_back_what_waits)
{
	for (enum clock_kind clock = REAL; clock <= MANUAL; clock++) {
		__u64 end = now_ns() + ms(5000) * test_slow();
		struct ring r;

		ASSERT_EQ(0, in_flight(&r, 0, clock, self->shared));
		ring_unmap(&r);
		while (vdev_state_is(&r, 3, "queued") && now_ns() < end)
			usleep(1000);
		EXPECT_FALSE(vdev_state_is(&r, 3, "queued"));
		EXPECT_FALSE(vdev_state_is(&r, 5, "queued"));
		/* the device has those two, and keeps them */
		EXPECT_TRUE(vdev_state_is(&r, 1, "started"));
		EXPECT_TRUE(vdev_state_is(&r, 2, "started"));
		EXPECT_EQ(-EBUSY, vdev_fifo(&r, MEDIUM, 1, 0));
		close(r.fd);
		EXPECT_EQ(self->refcnt, module_refcnt_wait(self->refcnt));
	}
}

/* The ring is the parent's, the requests are the child's. */
TEST_F(vdev_life, whoever_submitted_may_go)
{
	struct ring r;
	struct aring_cqe cqe;
	int status, res[4] = { 0 };
	pid_t pid;

	ASSERT_EQ(0, ring_init(&r, DEVICE, 16, 0));
	ASSERT_EQ(0, clock_virtual(&r, 0));
	ASSERT_EQ(0, vdev_fifo(&r, MEDIUM, 1, 1000));
	takes(prep_vwrite(&r, "medium", 7, 0, 0), 0);
	ASSERT_EQ(1, ring_submit(&r));
	ASSERT_EQ(0, clock_advance(&r, 0));
	ASSERT_EQ(0, ring_cqe(&r, &cqe));
	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid) {
		prep_vread(&r, self->shared, 7, 0, 1);
		prep_vread(&r, self->shared + PAGE, 7, 0, 2);
		if (ring_submit(&r) != 2 || clock_advance(&r, 1))
			_exit(1);
		_exit(vdev_state_is(&r, 1, "started") ? 0 : 2);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ASSERT_EQ(0, status);
	r.tail = *r.sq_tail;
	ASSERT_EQ(0, ring_cqe(&r, &cqe));
	EXPECT_EQ(2, cqe.user_data);
	EXPECT_EQ(-ECANCELED, cqe.res);
	prep_vread(&r, self->shared + 2 * PAGE, 7, 0, 3);
	ASSERT_EQ(1, ring_submit(&r));
	ASSERT_EQ(0, clock_advance(&r, 5000));
	for (int i = 0; i < 2; i++) {
		ASSERT_EQ(0, ring_cqe(&r, &cqe));
		res[cqe.user_data & 3] = cqe.res;
	}
	EXPECT_EQ(7, res[1]);
	EXPECT_EQ(7, res[3]);
	EXPECT_STREQ("medium", self->shared);
	EXPECT_STREQ("", self->shared + PAGE);
	ring_exit(&r);
}

/* --- what is locked is given back ---------------------------------------- */

/* A user of his own without CAP_IPC_LOCK, who may lock sixteen pages. */
static bool become(uid_t uid)
{
	struct rlimit lim = { 16 * PAGE, 16 * PAGE };

	chmod(ARING_DEVICE, 0666);
	return !setrlimit(RLIMIT_MEMLOCK, &lim) &&
	       !setresgid(uid, uid, uid) && !setresuid(uid, uid, uid);
}

/* All sixteen pages can be had, soon. */
static int all_soon(void)
{
	__u64 end = now_ns() + ms(10000) * test_slow();
	struct aring_vdev none = { 0 };
	struct ring r;
	int ret;

	ret = ring_init(&r, DEVICE, 8, 0);
	if (ret)
		return ret;
	do {
		ret = vdev_fifo(&r, 16 * PAGE, 1, 0);
		if (ret != -ENOMEM)
			break;
		usleep(2000);
	} while (now_ns() < end);
	/* at once, while the end of a ring takes its time */
	vdev_set(&r, &none);
	ring_exit(&r);
	return ret;
}

TEST_F_TIMEOUT(vdev_life, memlock_is_given_back, 60)
{
	ASSERT_TRUE(become(20111));
	for (int k = 0; k < 24; k++) {
		bool sqpoll = k & 1;
		int told[2], status;
		char b = 99;
		pid_t pid;

		NEED_EQ(0, all_soon(), "case %d", k);
		ASSERT_EQ(0, pipe2(told, O_CLOEXEC));
		pid = fork();
		ASSERT_GE(pid, 0);
		if (!pid)
			child(told[1], sqpoll ? ARING_SETUP_SQPOLL : 0,
			      k / 2 % 3, k / 6, self->shared);
		ASSERT_EQ(1, read(told[0], &b, 1));
		CHECK_EQ(0, b, "case %d: the child failed", k);
		if (k / 6 == KILL)
			kill(pid, SIGKILL);
		EXPECT_EQ(0, all_soon());
		kill(pid, SIGKILL);
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		close(told[0]);
		close(told[1]);
	}
}

/* Each way in which a request can end gives its pages back at once. */
TEST_F(vdev_life, memlock_is_given_back_while_the_ring_lives)
{
	struct aring_cqe cqe;
	struct ring r;
	char *p = page_alloc(12 * PAGE);

	ASSERT_TRUE(become(20112));
	ASSERT_EQ(0, ring_init(&r, DEVICE, 16, 0));
	ASSERT_EQ(0, clock_virtual(&r, 0));
	ASSERT_EQ(0, vdev_fifo(&r, 4 * PAGE, 1, 100));
	for (int k = 0; k < 20; k++) {
		/* one ends, one is taken back, one never gets its turn */
		prep_vread(&r, p, 4 * PAGE, 0, 0);
		prep_vread(&r, p + 4 * PAGE, 4 * PAGE, 0, 1)->flags =
			ARING_SQE_IO_LINK;
		prep_vread(&r, p + 8 * PAGE, 4 * PAGE, 0, 2);
		prep_vread(&r, p, 1, 0, 3);
		ASSERT_EQ(4, ring_submit(&r));
		ASSERT_EQ(0, ring_cqe(&r, &cqe));
		EXPECT_EQ(3, cqe.user_data);
		EXPECT_EQ(-ENOMEM, cqe.res);
		ASSERT_EQ(0, clock_advance(&r, 1));
		prep_cancel(&r, 1, 0, 4);
		ASSERT_EQ(1, ring_submit(&r));
		ASSERT_EQ(0, clock_advance(&r, 200));
		for (int i = 0; i < 4; i++)
			ASSERT_EQ(0, ring_cqe(&r, &cqe));
		EXPECT_EQ(0, cqe.user_data);
		EXPECT_EQ(4 * PAGE, cqe.res);
	}
	ring_exit(&r);
}

/* --- the module ---------------------------------------------------------- */

TEST_F_TIMEOUT(vdev_life, the_module_goes_when_the_device_is_through, 60)
{
	const char *path = module_path();
	int ko;

	if (!path)
		SKIP(return, "no aring.ko to load again: set ARING_KO");
	ASSERT_EQ(0, module_refcnt_wait(0));
	ko = open(path, O_RDONLY | O_CLOEXEC);
	ASSERT_GE(ko, 0);
	for (int i = 0; i < 6; i++) {
		__u64 end = now_ns() + ms(5000) * test_slow();
		struct ring r;

		NEED_EQ(0, in_flight(&r, i & 1 ? ARING_SETUP_SQPOLL : 0,
				     i / 2 % 2, self->shared), "round %d", i);
		EXPECT_EQ(-1, syscall(SYS_delete_module, "aring", O_NONBLOCK));
		EXPECT_EQ(EWOULDBLOCK, errno);
		ring_exit(&r);
		while (syscall(SYS_delete_module, "aring", O_NONBLOCK) &&
		       now_ns() < end)
			;
		NEED_TRUE(access("/sys/module/aring", F_OK), "round %d", i);
		NEED_EQ(0, syscall(SYS_finit_module, ko, "", 0),
			"round %d, errno %d", i, errno);
		for (int k = 0; k < 500 && access(ARING_DEVICE, R_OK); k++)
			usleep(10000);
	}
	close(ko);
}

RING_TEST_MAIN
