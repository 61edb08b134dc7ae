// SPDX-License-Identifier: MIT
/*
 * Registered files in use: replaced, removed and unregistered under requests
 * that wait, tags, and what is left when a ring goes.
 */
#include "resources.h"

#define FILES2		ARING_REGISTER_FILES2
#define UPDATE2		ARING_REGISTER_FILES_UPDATE2

RING_FIXTURE(files_life);

static bool make_pipe(int p[2])
{
	return pipe2(p, O_CLOEXEC) == 0;
}

/*
 * A read that waits in slot @slot, into @buf of 8 bytes. With SQE_ASYNC io_uring
 * looks the slot up in a worker: there is only to hope that it has done so.
 */
static bool waiting_read(struct ring *r, int slot, void *buf, __u8 flags)
{
	unsigned int n = flags & ARING_SQE_ASYNC ? 300 : 30;

	prep_slot(r, ARING_OP_READ, slot, buf, 8, 0, 0xead)->flags |= flags;
	return ring_submit(r) == 1 && ring_quiet(r, n * test_slow());
}

/* --- the table keeps files open, and lets them go ------------------------ */

TEST_F(files_life, the_table_keeps_files_open)
{
	struct ring *r = &self->r;
	int p[2], ret;

	for (int how = 0; how < 5; how++) {
		__s32 fd;

		ASSERT_TRUE(make_pipe(p));
		fd = p[1];
		ASSERT_EQ(0, reg_files(r, &fd, 1));
		close(p[1]);
		EXPECT_TRUE(other_end_stays(p[0], 50));
		fd = -1;
		if (how == 0)
			ret = unreg_files(r);
		else if (how == 1)
			ret = update_file(r, 0, -1) - 1;
		else if (how == 2)
			ret = update_file(r, 0, p[0]) - 1;
		else if (how == 3)
			ret = update_rsrc(r, UPDATE2, 0, &fd, NULL, 1) - 1;
		else
			ret = update_file(r, 0, 12345) == -EBADF ? 0 : -1;
		CHECK_EQ(0, ret, "case %d", how);
		CHECK_TRUE(other_end_goes(p[0]), "case %d", how);
		close(p[0]);
		if (how)
			ASSERT_EQ(0, unreg_files(r));
	}
}

TEST_F(files_life, closing_the_ring_lets_files_go)
{
	__s32 fds[3] = { -1, -1, -1 };
	int p[2], q[2];
	char b[8];

	/* one is used by a request, too */
	ASSERT_TRUE(make_pipe(p) && make_pipe(q));
	fds[0] = p[1];
	fds[2] = q[0];
	ASSERT_EQ(0, reg_files(&self->r, fds, 3));
	close(p[1]);
	close(q[0]);
	ASSERT_TRUE(waiting_read(&self->r, 2, b, 0));
	EXPECT_TRUE(other_end_stays(p[0], 20));
	EXPECT_TRUE(other_end_stays(q[1], 20));
	ring_exit(&self->r);
	EXPECT_TRUE(other_end_goes(p[0]));
	EXPECT_TRUE(other_end_goes(q[1]));
}

static void child_with_table(enum backend backend, int fd, int ready)
{
	static char buf[8];
	struct ring r;

	if (ring_init(&r, backend, 8, 0) || reg_files(&r, &fd, 1))
		_exit(1);
	prep_slot(&r, ARING_OP_READ, 0, buf, 8, 0, 1);
	if (ring_submit(&r) != 1 || write(ready, "", 1) != 1)
		_exit(2);
	close(fd);
	for (;;)
		pause();
}

TEST_F(files_life, a_killed_process_lets_files_go)
{
	int p[2], ready[2], status;
	pid_t pid;
	char b;

	ASSERT_TRUE(make_pipe(p) && make_pipe(ready));
	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid) {
		close(p[1]);
		child_with_table(variant->backend, p[0], ready[1]);
	}
	close(p[0]);
	ASSERT_EQ(1, read(ready[0], &b, 1));
	EXPECT_TRUE(other_end_stays(p[1], 50));
	kill(pid, SIGKILL);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_TRUE(other_end_goes(p[1]));
}

TEST_F(files_life, a_child_leaves_the_table)
{
	char b[8] = "";
	int p[2], status;
	pid_t pid;

	ASSERT_TRUE(make_pipe(p));
	ASSERT_EQ(0, reg_files(&self->r, p, 2));
	close(p[0]);
	for (int k = 0; k < 2; k++) {
		pid = fork();
		ASSERT_GE(pid, 0);
		if (!pid) {
			ring_exit(&self->r);
			if (k)
				kill(getpid(), SIGKILL);
			_exit(0);
		}
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		EXPECT_TRUE(other_end_stays(p[1], 50));
	}
	ASSERT_EQ(2, write(p[1], "ab", 2));
	EXPECT_EQ(2, run_slot(&self->r, ARING_OP_READ, 0, b, 8, 0));
	EXPECT_STREQ("ab", b);
}

/* --- slots in use -------------------------------------------------------- */

TEST_F_TIMEOUT(files_life, a_slot_is_replaced_under_a_read, 60)
{
	struct ring *r = &self->r;
	char a[8], b[8];

	for (int how = 0; how < 4; how++) {
		__u8 flags = how & 1 ? ARING_SQE_ASYNC : 0;
		struct aring_cqe cqe;
		int p[2], q[2];
		__u64 tag = 1;
		__s32 up;

		memset(a, 0, 8);
		ASSERT_TRUE(make_pipe(p) && make_pipe(q));
		ASSERT_EQ(0, reg_rsrc(r, FILES2, p, &tag, 1, 0));
		close(p[0]);
		ASSERT_TRUE(waiting_read(r, 0, a, flags));
		up = how < 2 ? q[0] : -1;
		ASSERT_EQ(1, update_file(r, 0, up));
		/* the slot has changed, the read goes on, with the old file */
		ASSERT_EQ(1, write(q[1], "q", 1));
		EXPECT_EQ(how < 2 ? 1 : -EBADF,
			  run_slot(r, ARING_OP_READ, 0, b, 8, 0));
		CHECK_TRUE(ring_quiet(r, 1300), "case %d", how);
		EXPECT_TRUE(other_end_stays(p[1], 0));
		ASSERT_EQ(3, write(p[1], "old", 3));
		ASSERT_EQ(0, ring_cqe(r, &cqe));
		EXPECT_EQ(0xead, cqe.user_data);
		EXPECT_EQ(3, cqe.res);
		EXPECT_STREQ("old", a);
		/* then nobody uses the file any more */
		CHECK_TRUE(tags_come(r, 1), "case %d", how);
		EXPECT_TRUE(other_end_goes(p[1]));
		ASSERT_EQ(0, unreg_files(r));
		close(p[1]);
		close(q[0]);
		close(q[1]);
	}
}

/* A request that is cancelled lets go as well as one that ends. */
TEST_F(files_life, a_cancel_lets_a_replaced_file_go)
{
	struct ring *r = &self->r;
	unsigned int came = 0;
	struct aring_cqe cqe;
	bool over = false;
	__u64 tag = 1;
	char a[8];
	int p[2];

	ASSERT_TRUE(make_pipe(p));
	ASSERT_EQ(0, reg_rsrc(r, FILES2, p, &tag, 1, 0));
	close(p[0]);
	ASSERT_TRUE(waiting_read(r, 0, a, 0));
	ASSERT_EQ(1, update_file(r, 0, -1));
	prep_cancel(r, 0xead, 0, 3);
	ASSERT_EQ(1, ring_submit(r));
	/* The tag follows the read, and not necessarily the canceller. */
	for (int i = 0; i < 3; i++) {
		ASSERT_EQ(0, ring_cqe(r, &cqe));
		EXPECT_EQ(cqe.user_data == 0xead ? -ECANCELED : 0, cqe.res);
		EXPECT_TRUE(cqe.user_data != tag || over);
		over |= cqe.user_data == 0xead;
		came |= cqe.user_data < 4 ? 1U << cqe.user_data : 1;
	}
	EXPECT_EQ(1U | 1U << 1 | 1U << 3, came);
	EXPECT_TRUE(other_end_goes(p[1]));
}

TEST_F_TIMEOUT(files_life, slots_are_replaced_all_the_time, 60)
{
	unsigned long rounds = test_scale(300, 30), n = 0;
	struct ring *r = &self->r;
	struct aring_cqe cqe;
	int p[2][2];
	char a[8];

	ASSERT_TRUE(make_pipe(p[0]) && make_pipe(p[1]));
	ASSERT_EQ(0, reg_files(r, &p[0][0], 1));
	for (unsigned long i = 0; i < rounds; i++) {
		int now = i & 1;

		memset(a, 0, 8);
		prep_slot(r, ARING_OP_READ, 0, a, 8, 0, i);
		ASSERT_EQ(1, ring_submit(r));
		ASSERT_EQ(1, update_file(r, 0, p[!now][0]));
		ASSERT_EQ(2, write(p[now][1], "ab", 2));
		ASSERT_EQ(0, ring_cqe(r, &cqe));
		ASSERT_EQ(i, cqe.user_data);
		ASSERT_EQ(2, cqe.res);
		EXPECT_STREQ("ab", a);
		n++;
	}
	EXPECT_EQ(rounds, n);
	close(p[0][0]);
	close(p[1][0]);
	ASSERT_EQ(0, unreg_files(r));
	EXPECT_TRUE(other_end_goes(p[0][1]));
	EXPECT_TRUE(other_end_goes(p[1][1]));
}

struct changer {
	struct ring *r;
	__s32 fd[3];
	unsigned long done;
	bool stop;
	int error;
};

static void *change_slot(void *arg)
{
	struct changer *c = arg;

	while (!__atomic_load_n(&c->stop, __ATOMIC_ACQUIRE)) {
		int ret = update_file(c->r, 0, c->fd[c->done % 3]);

		if (ret != 1)
			c->error = ret;
		__atomic_store_n(&c->done, c->done + 1, __ATOMIC_RELEASE);
	}
	return NULL;
}

/* One thread changes the slot while another submits: old or new, never neither. */
TEST_F_TIMEOUT(files_life, a_slot_changes_while_it_is_looked_up, 60)
{
	unsigned long least = test_scale(2000, 100), full = 0, empty = 0;
	struct changer c = { .r = &self->r };
	struct aring_cqe cqe;
	pthread_t t;
	char b[8];

	c.fd[0] = open("/dev/zero", O_RDWR | O_CLOEXEC);
	c.fd[1] = open("/dev/zero", O_RDWR | O_CLOEXEC);
	c.fd[2] = -1;
	ASSERT_EQ(0, reg_files(&self->r, c.fd, 1));
	ASSERT_EQ(0, pthread_create(&t, NULL, change_slot, &c));
	while (__atomic_load_n(&c.done, __ATOMIC_ACQUIRE) < least || !full ||
	       !empty) {
		for (int i = 0; i < 16; i++)
			prep_slot(&self->r, ARING_OP_READ, 0, b, 8, 0, i);
		ASSERT_EQ(16, ring_submit(&self->r));
		ASSERT_EQ(0, ring_wait(&self->r, 16));
		while (ring_reap(&self->r, &cqe)) {
			ASSERT_TRUE(cqe.res == 8 || cqe.res == -EBADF);
			full += cqe.res == 8;
			empty += cqe.res == -EBADF;
		}
	}
	__atomic_store_n(&c.stop, true, __ATOMIC_RELEASE);
	pthread_join(t, NULL);
	EXPECT_EQ(0, c.error);
	EXPECT_EQ(0, unreg_files(&self->r));
}

/* --- unregistering ------------------------------------------------------- */

TEST_F(files_life, unregister_waits_for_what_uses_the_table)
{
	struct ring *r = &self->r;
	struct aring_cqe cqe;
	struct call c;
	char a[8], b[8];
	int p[2];

	ASSERT_TRUE(make_pipe(p));
	ASSERT_EQ(0, reg_files(r, p, 2));
	ASSERT_TRUE(waiting_read(r, 0, a, 0));
	ASSERT_EQ(0, call_start(&c, r, ARING_UNREGISTER_FILES));
	usleep(200000);
	EXPECT_FALSE(call_over(&c));
	/* meanwhile the table is there, and is not */
	EXPECT_EQ(-EBADF, run_slot(r, ARING_OP_READ, 0, b, 8, 0));
	EXPECT_EQ(-EBUSY, reg_files(r, p, 2));
	EXPECT_EQ(-EINVAL, update_file(r, 0, p[0]));
	EXPECT_EQ(-ENXIO, unreg_files(r));
	EXPECT_FALSE(call_over(&c));
	ASSERT_EQ(2, write(p[1], "ab", 2));
	ASSERT_EQ(0, ring_cqe(r, &cqe));
	EXPECT_EQ(2, cqe.res);
	EXPECT_EQ(0, call_result(&c));
	EXPECT_EQ(-ENXIO, unreg_files(r));
	EXPECT_EQ(0, reg_files(r, p, 2));
}

static void on_signal(int sig)
{
	(void)sig;
}

TEST_F(files_life, a_signal_ends_the_waiting_unregister)
{
	struct sigaction sa = { .sa_handler = on_signal };
	struct ring *r = &self->r;
	struct aring_cqe cqe;
	char a[8], b[8];
	struct call c;
	int p[2];

	sigaction(SIGUSR1, &sa, NULL);
	ASSERT_TRUE(make_pipe(p));
	ASSERT_EQ(0, reg_files(r, p, 2));
	ASSERT_TRUE(waiting_read(r, 0, a, 0));
	ASSERT_EQ(0, call_start(&c, r, ARING_UNREGISTER_FILES));
	usleep(100000);
	ASSERT_EQ(0, pthread_kill(c.thread, SIGUSR1));
	EXPECT_EQ(-EINTR, call_result(&c));
	/* the table is as it was */
	ASSERT_EQ(2, write(p[1], "ab", 2));
	ASSERT_EQ(0, ring_cqe(r, &cqe));
	EXPECT_EQ(2, cqe.res);
	ASSERT_EQ(2, write(p[1], "cd", 2));
	EXPECT_EQ(2, run_slot(r, ARING_OP_READ, 0, b, 8, 0));
	EXPECT_EQ(0, unreg_files(r));
}

/* Who waits for himself waits until he is killed. */
TEST_F(files_life, a_waiting_unregister_can_be_killed)
{
	int p[2], status;
	pid_t pid;

	ASSERT_TRUE(make_pipe(p));
	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid) {
		struct ring r;
		char b[8];

		close(p[1]);
		if (ring_init(&r, variant->backend, 8, 0) ||
		    reg_files(&r, p, 1) || !waiting_read(&r, 0, b, 0))
			_exit(1);
		unreg_files(&r);
		_exit(2);
	}
	close(p[0]);
	usleep(300000 * test_slow());
	EXPECT_EQ(0, waitpid(pid, &status, WNOHANG));
	kill(pid, SIGKILL);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_TRUE(WIFSIGNALED(status));
	EXPECT_TRUE(other_end_goes(p[1]));
}

/* --- tags ---------------------------------------------------------------- */

TEST_F_TIMEOUT(files_life, tags_say_that_files_are_let_go, 60)
{
	static const __u64 tags[4] = { 1, 2, 0, 3 };
	__s32 fd = open("/dev/null", O_RDWR), fds[4] = { fd, fd, fd, fd };
	static const __s32 none[4] = { -1, -1, -1, -1 };
	struct ring *r = &self->r;

	ASSERT_EQ(0, reg_rsrc(r, FILES2, fds, tags, 4, 0));
	/* a new tag goes with the new file, the old one tells of the old */
	ASSERT_EQ(4, update_rsrc(r, UPDATE2, 0, fds, (__u64[]) { 2, 0, 1, 3 },
				 4));
	EXPECT_TRUE(tags_come(r, 3));
	ASSERT_EQ(4, update_files(r, 0, none, 4));
	EXPECT_TRUE(tags_come(r, 3));
	/* an update without tags gives none */
	ASSERT_EQ(4, update_rsrc(r, UPDATE2, 0, fds, tags, 4));
	EXPECT_TRUE(ring_quiet(r, 1200));
	ASSERT_EQ(2, update_files(r, 2, fds, 2));
	ASSERT_EQ(2, update_files(r, 0, none, 2));
	EXPECT_TRUE(tags_come(r, 3));
	ASSERT_EQ(4, update_files(r, 0, none, 4));
	EXPECT_TRUE(ring_quiet(r, 1200));
}

/* The manual page does not say so, but Linux 6.1 does it. */
TEST_F(files_life, unregister_posts_no_tags)
{
	__s32 fd = open("/dev/null", O_RDWR);
	struct ring *r = &self->r;
	__u64 tag = 1;

	ASSERT_EQ(0, reg_rsrc(r, FILES2, &fd, &tag, 1, 0));
	ASSERT_EQ(0, unreg_files(r));
	EXPECT_TRUE(ring_quiet(r, 1300));
	/* what was replaced before that still has its own */
	ASSERT_EQ(0, reg_rsrc(r, FILES2, &fd, &tag, 1, 0));
	ASSERT_EQ(1, update_rsrc(r, UPDATE2, 0, &fd, (__u64[]) { 2 }, 1));
	ASSERT_EQ(0, unreg_files(r));
	EXPECT_TRUE(tags_come(r, 1));
	EXPECT_TRUE(ring_quiet(r, 100));
}

TEST_F(files_life, a_failed_update_posts_the_tag_of_what_it_removed)
{
	__s32 fd = open("/dev/null", O_RDWR), bad = 12345;
	struct ring *r = &self->r;
	__u64 tag = 1;

	ASSERT_EQ(0, reg_rsrc(r, FILES2, &fd, &tag, 1, 0));
	EXPECT_EQ(-EBADF, update_rsrc(r, UPDATE2, 0, &bad, (__u64[]) { 2 }, 1));
	EXPECT_TRUE(tags_come(r, 1));
	/* a registration that failed gives none */
	ASSERT_EQ(0, unreg_files(r));
	EXPECT_EQ(-EBADF, reg_rsrc(r, FILES2, (__s32[]) { fd, bad },
				   (__u64[]) { 1, 2 }, 2, 0));
	EXPECT_TRUE(ring_quiet(r, 1200));
}

TEST_F(files_life, a_tag_finds_the_ring_full)
{
	struct aring_params params = {
		.flags = ARING_SETUP_CQSIZE, .cq_entries = 4,
	};
	__s32 fd = open("/dev/null", O_RDWR);
	__u64 tag = 77, end;
	struct aring_cqe cqe;
	struct ring r;

	ASSERT_EQ(0, ring_init_params(&r, variant->backend, 4, &params));
	ASSERT_EQ(0, reg_rsrc(&r, FILES2, &fd, &tag, 1, 0));
	for (int i = 0; i < 4; i++)
		prep_nop(&r, i);
	ASSERT_EQ(4, ring_submit(&r));
	ASSERT_EQ(1, update_file(&r, 0, -1));
	end = now_ns() + let_go_ns();
	while (!(__atomic_load_n(r.sq_flags, __ATOMIC_RELAXED) &
		 ARING_SQ_CQ_OVERFLOW) && now_ns() < end)
		usleep(1000);
	EXPECT_LT(now_ns(), end);
	EXPECT_EQ(4, ring_ready(&r));
	for (int i = 0; i < 4; i++) {
		ASSERT_TRUE(ring_reap(&r, &cqe));
		EXPECT_EQ(i, cqe.user_data);
	}
	ASSERT_EQ(0, ring_cqe(&r, &cqe));
	EXPECT_EQ(77, cqe.user_data);
	EXPECT_EQ(0, cqe.res);
	EXPECT_EQ(0, *r.sq_flags & ARING_SQ_CQ_OVERFLOW);
	EXPECT_EQ(0, *r.cq_overflow);
	ring_exit(&r);
}

TEST_F(files_life, a_ring_is_closed_before_its_tags_came)
{
	__u64 tag = 1;
	char a[8];
	int p[2];

	ASSERT_TRUE(make_pipe(p));
	ASSERT_EQ(0, reg_rsrc(&self->r, FILES2, p, &tag, 1, 0));
	close(p[0]);
	ASSERT_TRUE(waiting_read(&self->r, 0, a, 0));
	ASSERT_EQ(1, update_file(&self->r, 0, -1));
	ring_exit(&self->r);
	EXPECT_TRUE(other_end_goes(p[1]));
}

/* --- AF_UNIX sockets ----------------------------------------------------- */

static int send_fd(int sock, int fd)
{
	union {
		struct cmsghdr h;
		char space[CMSG_SPACE(sizeof(int))];
	} c = { 0 };
	struct iovec v = { "x", 1 };
	struct msghdr m = {
		.msg_iov = &v, .msg_iovlen = 1,
		.msg_control = &c, .msg_controllen = sizeof(c),
	};

	c.h = (struct cmsghdr) { CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS };
	memcpy(CMSG_DATA(&c.h), &fd, sizeof(fd));
	return sendmsg(sock, &m, 0) < 0 ? -errno : 0;
}

/*
 * A ring whose table holds a socket in whose queue the ring lies: io_uring
 * refuses to be sent; aring can be, and goes all the same. A pipe in the
 * table tells.
 */
TEST_F(files_life, a_ring_sent_to_a_socket_in_its_table)
{
	int s[2], p[2];
	__s32 fds[3];

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, s));
	ASSERT_TRUE(make_pipe(p));
	fds[0] = s[0];
	fds[1] = s[1];
	fds[2] = p[1];
	ASSERT_EQ(0, reg_files(&self->r, fds, 3));
	EXPECT_EQ(variant->backend == DEVICE ? 0 : -EINVAL,
		  send_fd(s[0], self->r.fd));
	close(s[0]);
	close(s[1]);
	close(p[1]);
	EXPECT_TRUE(other_end_stays(p[0], 50));
	ring_exit(&self->r);
	EXPECT_TRUE(other_end_goes(p[0]));
}

/* The same with the mapping taken away by the end of a process. */
TEST_F(files_life, a_killed_process_whose_ring_lies_in_its_own_socket)
{
	int p[2], status;
	pid_t pid;
	char b;

	ASSERT_TRUE(make_pipe(p));
	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid) {
		__s32 fds[3];
		struct ring r;
		int s[2];

		/* the fixture's ring is the parent's affair */
		ring_exit(&self->r);
		if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, s) ||
		    ring_init(&r, variant->backend, 8, 0))
			_exit(1);
		fds[0] = s[0];
		fds[1] = s[1];
		fds[2] = p[1];
		if (reg_files(&r, fds, 3))
			_exit(2);
		send_fd(s[0], r.fd);
		if (write(p[1], "", 1) != 1)
			_exit(3);
		for (;;)
			pause();
	}
	close(p[1]);
	ASSERT_EQ(1, read(p[0], &b, 1));
	EXPECT_TRUE(other_end_stays(p[0], 50));
	kill(pid, SIGKILL);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_TRUE(other_end_goes(p[0]));
}

/* --- what only the device does ------------------------------------------- */

DEVICE_FIXTURE(device);

TEST_F(device, unix_sockets_need_a_mapping)
{
	struct aring_params params = { 0 };
	struct ring r = { 0 };
	__s32 none = -1;
	int s[2], p[2];

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, s));
	ASSERT_TRUE(make_pipe(p));
	ASSERT_EQ(0, ring_setup(&r, DEVICE, 8, &params));
	EXPECT_EQ(-EBADFD, reg_files(&r, s, 2));
	EXPECT_EQ(-ENXIO, unreg_files(&r));
	EXPECT_EQ(0, reg_files(&r, p, 2));
	EXPECT_EQ(0, unreg_files(&r));
	ASSERT_EQ(0, reg_files(&r, &none, 1));
	EXPECT_EQ(-EBADFD, update_file(&r, 0, s[0]));
	EXPECT_EQ(1, update_file(&r, 0, p[0]));
	r.p = params;
	ASSERT_EQ(0, ring_map(&r));
	EXPECT_EQ(1, update_file(&r, 0, s[0]));
	ring_exit(&r);
}

TEST_F(device, the_last_unmapping_takes_unix_sockets_away)
{
	struct ring *r = &self->r;
	int s[2], p[2];
	char b[8] = "";
	__s32 fds[2];

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, s));
	ASSERT_TRUE(make_pipe(p));
	fds[0] = s[0];
	fds[1] = p[0];
	ASSERT_EQ(0, reg_files(r, fds, 2));
	close(s[0]);
	close(p[0]);
	EXPECT_TRUE(other_end_stays(s[1], 50));
	ring_unmap(r);
	EXPECT_TRUE(other_end_goes(s[1]));
	/* other files stay */
	EXPECT_TRUE(other_end_stays(p[1], 50));
	ASSERT_EQ(0, ring_map(r));
	EXPECT_EQ(-EBADF, run_slot(r, ARING_OP_RECV, 0, b, 8, 0));
	ASSERT_EQ(2, write(p[1], "ab", 2));
	EXPECT_EQ(2, run_slot(r, ARING_OP_READ, 1, b, 8, 0));
	EXPECT_STREQ("ab", b);
}

TEST_F(device, rings_of_aring_are_refused)
{
	int raw = open(ARING_DEVICE, O_RDWR | O_CLOEXEC);
	struct ring *r = &self->r, other, unmapped = { 0 };
	struct aring_params params = { 0 };
	__s32 none = -1, fds[3];

	ASSERT_GE(raw, 0);
	ASSERT_EQ(0, ring_init(&other, DEVICE, 4, 0));
	ASSERT_EQ(0, ring_setup(&unmapped, DEVICE, 4, &params));
	fds[0] = raw;
	fds[1] = other.fd;
	fds[2] = unmapped.fd;
	for (int i = 0; i < 3; i++) {
		CHECK_EQ(-EBADF, reg_files(r, &fds[i], 1), "case %d", i);
		ASSERT_EQ(0, reg_files(r, &none, 1));
		CHECK_EQ(-EBADF, update_file(r, 0, fds[i]), "case %d", i);
		ASSERT_EQ(0, unreg_files(r));
	}
	ring_exit(&other);
	ring_exit(&unmapped);
}

RING_TEST_MAIN
