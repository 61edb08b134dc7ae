// SPDX-License-Identifier: MIT
/*
 * The kernel threads of a user's rings are no more than RLIMIT_NPROC lets him have
 * processes, each kind apart; and whoever has to wait for one gets on.
 */
#define _GNU_SOURCE
#include <dirent.h>

#include "frozen.h"
#include <sys/resource.h>

enum { LIMIT = 20, RINGS = 6, EACH = 16 };

/* Threads of rings that this process set up, by the beginning of their names. */
static int threads(const char *kind)
{
	char want[32], comm[32], path[300];
	int n = 0;
	DIR *proc = opendir("/proc");
	struct dirent *d;

	snprintf(want, sizeof(want), "aring-%s/%d", kind, getpid());
	want[15] = 0;
	while (proc && (d = readdir(proc))) {
		FILE *f;

		snprintf(path, sizeof(path), "/proc/%s/comm", d->d_name);
		f = d->d_name[0] > '0' && d->d_name[0] <= '9' ?
		    fopen(path, "r") : NULL;
		if (!f)
			continue;
		if (fgets(comm, sizeof(comm), f) &&
		    !strncmp(comm, want, strlen(want)))
			n++;
		fclose(f);
	}
	if (proc)
		closedir(proc);
	return n;
}

FROZEN_FIXTURE(nproc);

FIXTURE_SETUP(nproc)
{
	struct rlimit few = { LIMIT, LIMIT };

	ASSERT_TRUE(frozen_open(&self->dir, &self->refcnt));
	/* a user without other rings, who may open the device all the same */
	ASSERT_EQ(0, setresuid(54321, 0, 0));
	ASSERT_EQ(0, setrlimit(RLIMIT_NPROC, &few));
}

FIXTURE_TEARDOWN(nproc)
{
	disk_thaw(self->dir);
	EXPECT_EQ(self->refcnt, module_refcnt_wait(self->refcnt));
}

/* Writes that wait for the thaw, on rings of their own; each to its own file. */
static bool fill(struct __test_metadata *_metadata, struct ring *r, int dir)
{
	int fd[RINGS][EACH];
	bool ok = true;

	for (int i = 0; i < RINGS; i++) {
		ASSERT_EQ(0, ring_init(&r[i], DEVICE, EACH, 0));
		for (int k = 0; k < EACH; k++) {
			char name[32];

			snprintf(name, sizeof(name), "nproc-%d-%d", i, k);
			fd[i][k] = openat(dir, name, O_RDWR | O_CREAT | O_TRUNC |
					  O_CLOEXEC, 0600);
			ASSERT_GE(fd[i][k], 0);
		}
	}
	ASSERT_EQ(0, disk_freeze(dir));
	for (int i = 0; i < RINGS; i++) {
		for (int k = 0; k < EACH; k++)
			prep_write(&r[i], fd[i][k], "frozen!", 7, 0, k)->flags =
				k & 1 ? ARING_SQE_ASYNC : 0;
		ok = ok && ring_submit(&r[i]) == EACH;
	}
	for (int i = 0; i < RINGS * EACH; i++)
		close(fd[i / EACH][i % EACH]);
	return ok;
}

static void end_all(struct __test_metadata *_metadata, struct ring *r)
{
	struct aring_cqe cqe;

	for (int i = 0; i < RINGS; i++) {
		for (int k = 0; k < EACH; k++) {
			NEED_EQ(0, ring_cqe(&r[i], &cqe), "ring %d, write %d", i,
				k);
			CHECK_EQ(7, cqe.res, "ring %d", i);
		}
	}
}

TEST_F_TIMEOUT(nproc, who_waits_for_a_disk, 60)
{
	struct ring r[RINGS];
	__u64 end;

	ASSERT_TRUE(fill(_metadata, r, self->dir));
	end = now_ns() + ms(5000) * test_slow();
	while (threads("disk") < LIMIT && now_ns() < end)
		usleep(10000);
	/* they would be more by now */
	usleep(300000 * test_slow());
	EXPECT_EQ(LIMIT, threads("disk"));
	ASSERT_EQ(0, disk_thaw(self->dir));
	end_all(_metadata, r);
	for (int i = 0; i < RINGS; i++)
		ring_exit(&r[i]);
}

/* Those of other kinds are not kept waiting by them. */
TEST_F_TIMEOUT(nproc, each_kind_has_its_own, 60)
{
	struct ring r[RINGS], p;
	struct aring_cqe cqe;
	int fds[2];
	char c;

	ASSERT_TRUE(fill(_metadata, r, self->dir));
	usleep(100000 * test_slow());
	ASSERT_EQ(0, ring_init(&p, DEVICE, 8, ARING_SETUP_SQPOLL));
	ASSERT_EQ(0, pipe(fds));
	for (int i = 0; i < 10; i++) {
		prep_read(&p, fds[0], &c, 1, 0, 1)->flags =
			i & 1 ? ARING_SQE_ASYNC : 0;
		ring_flush(&p);
		ASSERT_EQ(1, ring_enter(&p, 1, 0, ARING_ENTER_SQ_WAKEUP, NULL,
					0));
		ASSERT_EQ(1, write(fds[1], "x", 1));
		NEED_EQ(0, ring_cqe(&p, &cqe), "a pipe, round %d", i);
		EXPECT_EQ(1, cqe.res);
	}
	ring_exit(&p);
	ASSERT_EQ(0, disk_thaw(self->dir));
	end_all(_metadata, r);
	for (int i = 0; i < RINGS; i++)
		ring_exit(&r[i]);
	close(fds[0]);
	close(fds[1]);
}

/* Threads without work do not keep those of another ring from it for long. */
TEST_F_TIMEOUT(nproc, idle_ones_make_room, 60)
{
	struct ring r[RINGS], late;
	struct aring_cqe cqe;
	__u64 start;
	int fd;

	ASSERT_TRUE(fill(_metadata, r, self->dir));
	usleep(100000 * test_slow());
	ASSERT_EQ(0, disk_thaw(self->dir));
	end_all(_metadata, r);
	ASSERT_EQ(0, ring_init(&late, DEVICE, 8, 0));
	fd = openat(self->dir, "nproc-late", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	ASSERT_GE(fd, 0);
	start = now_ns();
	prep_write(&late, fd, "late", 4, 0, 1)->flags = ARING_SQE_ASYNC;
	ASSERT_EQ(1, ring_submit(&late));
	NEED_EQ(0, ring_cqe(&late, &cqe), "a write behind others");
	EXPECT_EQ(4, cqe.res);
	EXPECT_LE(now_ns() - start, ms(2500) * test_slow());
	ring_exit(&late);
	for (int i = 0; i < RINGS; i++)
		ring_exit(&r[i]);
	close(fd);
}

TEST_F_TIMEOUT(nproc, sqpoll_is_refused, 60)
{
	struct ring r[LIMIT], one;
	__u64 end = now_ns() + ms(10000) * test_slow();
	int ret;

	for (int i = 0; i < LIMIT; i++)
		ASSERT_EQ(0, ring_init(&r[i], DEVICE, 1, ARING_SETUP_SQPOLL));
	EXPECT_EQ(-EAGAIN, ring_init(&one, DEVICE, 1, ARING_SETUP_SQPOLL));
	EXPECT_EQ(LIMIT, threads("sq"));
	/* it needs none */
	ASSERT_EQ(0, ring_init(&one, DEVICE, 1, 0));
	ring_exit(&one);
	/* what one ring lets go another one may have, as soon as it is gone */
	ring_exit(&r[0]);
	do {
		ret = ring_init(&r[0], DEVICE, 1, ARING_SETUP_SQPOLL);
	} while (ret == -EAGAIN && now_ns() < end);
	EXPECT_EQ(0, ret);
	for (int i = 0; i < LIMIT; i++)
		ring_exit(&r[i]);
}

/* Who may have no process at all has rings that work, all the same. */
TEST_F_TIMEOUT(nproc, none_is_enough_for_one_ring, 60)
{
	struct rlimit none = { 0, 0 };
	struct aring_cqe cqe;
	struct ring r, q;
	int fd, fds[2];
	char c;

	ASSERT_EQ(0, setrlimit(RLIMIT_NPROC, &none));
	ASSERT_EQ(0, ring_init(&q, DEVICE, 8, ARING_SETUP_SQPOLL));
	ASSERT_EQ(0, ring_init(&r, DEVICE, 8, 0));
	fd = openat(self->dir, "nproc-none", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	ASSERT_GE(fd, 0);
	ASSERT_EQ(0, pipe(fds));
	for (int i = 0; i < 20; i++) {
		prep_read(&r, fds[0], &c, 1, 0, 1)->flags = ARING_SQE_ASYNC;
		prep_write(&r, fd, "none", 4, 0, 2)->flags = ARING_SQE_ASYNC;
		ASSERT_EQ(2, ring_submit(&r));
		NEED_EQ(0, ring_cqe(&r, &cqe), "the write, round %d", i);
		EXPECT_EQ(4, cqe.res);
		ASSERT_EQ(1, write(fds[1], "x", 1));
		NEED_EQ(0, ring_cqe(&r, &cqe), "the read, round %d", i);
		EXPECT_EQ(1, cqe.res);
	}
	ring_exit(&r);
	ring_exit(&q);
	close(fds[0]);
	close(fds[1]);
	close(fd);
}

TEST_HARNESS_MAIN
