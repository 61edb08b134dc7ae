// SPDX-License-Identifier: MIT
/*
 * Restrictions of a ring, and personalities: who asks, and for what.
 */
#include "resources.h"

#define RESTRICT	ARING_REGISTER_RESTRICTIONS
#define ENABLE		ARING_REGISTER_ENABLE_RINGS

#define ALLOW_REG(op)	{ ARING_RESTRICTION_REGISTER_OP, { op }, 0, { 0 } }
#define ALLOW_SQE(op)	{ ARING_RESTRICTION_SQE_OP, { op }, 0, { 0 } }
#define ALLOW_FLAGS(f)	{ ARING_RESTRICTION_SQE_FLAGS_ALLOWED, { f }, 0, { 0 } }
#define DEMAND_FLAGS(f)	{ ARING_RESTRICTION_SQE_FLAGS_REQUIRED, { f }, 0, { 0 } }

/* A ring that has yet to be enabled. */
FIXTURE(restrictions) {
	struct ring r;
};

RING_VARIANTS(restrictions);

FIXTURE_SETUP(restrictions)
{
	ASSERT_EQ(0, ring_init(&self->r, variant->backend, 16,
			       ARING_SETUP_R_DISABLED));
}

FIXTURE_TEARDOWN(restrictions)
{
	ring_exit(&self->r);
}

static int restrict_to(struct ring *r, const struct aring_restriction *t,
		       unsigned int nr)
{
	return ring_register(r, RESTRICT, (void *)t, nr);
}

static int enable(struct ring *r)
{
	return ring_register(r, ENABLE, NULL, 0);
}

static int run_nop(struct ring *r, __u8 flags)
{
	prep_nop(r, 1)->flags = flags;
	return ring_run(r);
}

TEST_F(restrictions, only_on_a_disabled_ring)
{
	static const struct aring_restriction t[] = {
		ALLOW_SQE(ARING_OP_NOP), ALLOW_REG(RESTRICT),
	};
	struct ring *r = &self->r, other;

	ASSERT_EQ(0, ring_init(&other, variant->backend, 4, 0));
	EXPECT_EQ(-EBADFD, restrict_to(&other, t, 2));
	EXPECT_EQ(-EBADFD, restrict_to(&other, NULL, 2));
	ring_exit(&other);
	EXPECT_EQ(0, restrict_to(r, t, 2));
	EXPECT_EQ(-EBUSY, restrict_to(r, t, 2));
	EXPECT_EQ(-EBUSY, restrict_to(r, NULL, 0));
	EXPECT_EQ(0, enable(r));
	EXPECT_EQ(-EBADFD, restrict_to(r, t, 2));
	EXPECT_EQ(0, run_nop(r, 0));
}

TEST_F(restrictions, bad_arguments)
{
	static struct aring_restriction many[1000];
	struct aring_restriction t[2] = { ALLOW_SQE(ARING_OP_NOP) };
	static const __u16 ops[] = { 4, 5, 255, 256, 32768, 65535 };
	struct ring *r = &self->r;

	for (size_t i = 0; i < ARRAY_SIZE(many); i++)
		many[i] = (struct aring_restriction)ALLOW_SQE(ARING_OP_NOP);
	EXPECT_EQ(-EINVAL, restrict_to(r, NULL, 0));
	EXPECT_EQ(-EINVAL, restrict_to(r, NULL, 1));
	EXPECT_EQ(-EINVAL, restrict_to(r, many, 1000));
	EXPECT_EQ(-EINVAL, restrict_to(r, many, UINT_MAX));
	EXPECT_EQ(-EFAULT, ring_register(r, RESTRICT, ptr(8), 1));
	for (size_t i = 0; i < ARRAY_SIZE(ops); i++) {
		t[1] = (struct aring_restriction) { .opcode = ops[i] };
		CHECK_EQ(-EINVAL, restrict_to(r, t, 2), "opcode %u", ops[i]);
	}
	t[1] = (struct aring_restriction)ALLOW_SQE(255);
	EXPECT_EQ(-EINVAL, restrict_to(r, t, 2));
	t[1] = (struct aring_restriction)ALLOW_REG(200);
	EXPECT_EQ(-EINVAL, restrict_to(r, t, 2));
	/* none of these has left anything behind */
	ASSERT_EQ(0, enable(r));
	prep_timeout(r, &(struct __kernel_timespec) { 0, 1 }, 0, 0, 1);
	EXPECT_EQ(-ETIME, ring_run(r));
}

TEST_F(restrictions, as_many_as_there_are_things_to_allow)
{
	struct aring_restriction t[70];
	struct ring *r = &self->r;

	for (size_t i = 0; i < ARRAY_SIZE(t); i++)
		t[i] = (struct aring_restriction)ALLOW_SQE(ARING_OP_NOP);
	/* the reserved fields are looked at by nobody, as on Linux 6.1 */
	t[0].resv = 1;
	t[1].resv2[0] = 1;
	ASSERT_EQ(0, restrict_to(r, t, ARRAY_SIZE(t)));
	ASSERT_EQ(0, enable(r));
	EXPECT_EQ(0, run_nop(r, 0));
}

TEST_F(restrictions, before_the_ring_is_enabled)
{
	static const struct aring_restriction t[] = { ALLOW_SQE(ARING_OP_NOP) };
	struct ring *r = &self->r;
	__s32 fd = 0;

	prep_nop(r, 1);
	EXPECT_EQ(-EBADFD, ring_submit(r));
	ASSERT_EQ(0, restrict_to(r, t, 1));
	EXPECT_EQ(-EBADFD, ring_submit(r));
	EXPECT_EQ(0, ring_ready(r));
	/* registering is free until then */
	EXPECT_EQ(0, reg_files(r, &fd, 1));
	EXPECT_EQ(1, ring_register(r, ARING_REGISTER_PERSONALITY, NULL, 0));
	ASSERT_EQ(0, enable(r));
	EXPECT_EQ(-EACCES, unreg_files(r));
	EXPECT_EQ(-EACCES, ring_register(r, ARING_REGISTER_PERSONALITY, NULL,
					 0));
	EXPECT_EQ(0, ring_run(r));
}

/* No list at all is the strictest one. */
TEST_F(restrictions, nothing_is_allowed)
{
	struct aring_restriction t;
	struct ring *r = &self->r;

	ASSERT_EQ(0, restrict_to(r, &t, 0));
	ASSERT_EQ(0, enable(r));
	EXPECT_EQ(-EACCES, run_nop(r, 0));
	EXPECT_EQ(-EACCES, enable(r));
	EXPECT_EQ(-EACCES, unreg_files(r));
}

TEST_F(restrictions, register_ops)
{
	static const struct aring_restriction t[] = {
		ALLOW_REG(ARING_REGISTER_FILES),
		ALLOW_REG(ARING_UNREGISTER_FILES),
	};
	struct ring *r = &self->r;
	__s32 fd = 0;

	ASSERT_EQ(0, restrict_to(r, t, ARRAY_SIZE(t)));
	ASSERT_EQ(0, enable(r));
	for (int op = 0; op < 26; op++) {
		bool free = op == ARING_REGISTER_FILES ||
			    op == ARING_UNREGISTER_FILES;

		/* whatever the arguments are, and supported or not */
		if (!free)
			CHECK_EQ(-EACCES, ring_register(r, op, ptr(8), 77),
				 "register %d", op);
	}
	EXPECT_EQ(-EINVAL, ring_register(r, 1000, NULL, 0));
	EXPECT_EQ(-EFAULT, ring_register(r, ARING_REGISTER_FILES, NULL, 0));
	EXPECT_EQ(0, reg_files(r, &fd, 1));
	EXPECT_EQ(0, unreg_files(r));
	EXPECT_EQ(-ENXIO, unreg_files(r));
	/* no operation was in the list */
	EXPECT_EQ(-EACCES, run_nop(r, 0));
}

TEST_F(restrictions, sqe_ops)
{
	static const struct aring_restriction t[] = {
		ALLOW_SQE(ARING_OP_NOP), ALLOW_SQE(ARING_OP_READ),
		ALLOW_SQE(ARING_OP_READ_FIXED),
	};
	int zero = open("/dev/zero", O_RDWR);
	struct ring *r = &self->r;
	struct aring_sqe *s;
	char b[8];

	ASSERT_EQ(0, restrict_to(r, t, ARRAY_SIZE(t)));
	ASSERT_EQ(0, enable(r));
	EXPECT_EQ(0, run_nop(r, 0));
	prep_read(r, zero, b, 8, 0, 1);
	EXPECT_EQ(8, ring_run(r));
	for (int op = 1; op < 28; op++) {
		if (op == ARING_OP_READ || op == ARING_OP_READ_FIXED)
			continue;
		prep(r, op, zero, b, 8, 0, 1);
		/* io_uring's others too, which the device does not know */
		CHECK_EQ(-EACCES, ring_run(r), "opcode %d", op);
	}
	/* what is checked before, and what after */
	prep(r, 120, -1, NULL, 0, 0, 1);
	EXPECT_EQ(-EINVAL, ring_run(r));
	s = prep_write(r, -1, NULL, 8, 0, 1);
	s->flags = 1U << 7;
	EXPECT_EQ(-EINVAL, ring_run(r));
	s = prep_write(r, -1, NULL, 8, 0, 1);
	s->ioprio = 0xffff;
	s->personality = 77;
	EXPECT_EQ(-EACCES, ring_run(r));
	prep(r, ARING_OP_READ_FIXED, zero, b, 8, 0, 1);
	EXPECT_EQ(-EFAULT, ring_run(r));
	EXPECT_EQ(-EACCES, unreg_files(r));
}

TEST_F(restrictions, flags_allowed)
{
	static const struct aring_restriction t[] = {
		ALLOW_SQE(ARING_OP_NOP),
		/* the last list counts */
		ALLOW_FLAGS(ARING_SQE_IO_LINK),
		ALLOW_FLAGS(ARING_SQE_ASYNC | ARING_SQE_FIXED_FILE),
	};
	struct ring *r = &self->r;

	ASSERT_EQ(0, restrict_to(r, t, ARRAY_SIZE(t)));
	ASSERT_EQ(0, enable(r));
	EXPECT_EQ(0, run_nop(r, 0));
	EXPECT_EQ(0, run_nop(r, ARING_SQE_ASYNC));
	EXPECT_EQ(0, run_nop(r, ARING_SQE_FIXED_FILE));
	EXPECT_EQ(0, run_nop(r, ARING_SQE_ASYNC | ARING_SQE_FIXED_FILE));
	EXPECT_EQ(-EACCES, run_nop(r, ARING_SQE_IO_LINK));
	EXPECT_EQ(-EACCES, run_nop(r, ARING_SQE_IO_HARDLINK));
	EXPECT_EQ(-EACCES, run_nop(r, ARING_SQE_CQE_SKIP_SUCCESS));
	EXPECT_EQ(-EACCES, run_nop(r, ARING_SQE_ASYNC |
				   ARING_SQE_CQE_SKIP_SUCCESS));
	EXPECT_EQ(-EINVAL, run_nop(r, 1U << 7));
	/* BUFFER_SELECT, which NOP never takes, is looked at before */
	EXPECT_EQ(-EOPNOTSUPP, run_nop(r, 1U << 5));
}

TEST_F(restrictions, without_a_list_no_flag_is_allowed)
{
	static const struct aring_restriction t[] = { ALLOW_SQE(ARING_OP_NOP) };
	struct ring *r = &self->r;

	ASSERT_EQ(0, restrict_to(r, t, ARRAY_SIZE(t)));
	ASSERT_EQ(0, enable(r));
	EXPECT_EQ(0, run_nop(r, 0));
	for (int bit = 0; bit < 7; bit++) {
		if (bit == 1 || bit == 5)
			continue;
		CHECK_EQ(-EACCES, run_nop(r, 1U << bit), "flag %d", bit);
	}
}

TEST_F(restrictions, flags_required)
{
	static const struct aring_restriction t[] = {
		ALLOW_SQE(ARING_OP_READ), ALLOW_FLAGS(ARING_SQE_ASYNC),
		DEMAND_FLAGS(ARING_SQE_FIXED_FILE),
	};
	int zero = open("/dev/zero", O_RDWR);
	struct ring *r = &self->r;
	char b[8];

	ASSERT_EQ(0, reg_files(r, &zero, 1));
	ASSERT_EQ(0, restrict_to(r, t, ARRAY_SIZE(t)));
	ASSERT_EQ(0, enable(r));
	prep_read(r, zero, b, 8, 0, 1);
	EXPECT_EQ(-EACCES, ring_run(r));
	prep_read(r, zero, b, 8, 0, 1)->flags = ARING_SQE_ASYNC;
	EXPECT_EQ(-EACCES, ring_run(r));
	/* what is demanded need not be allowed as well */
	EXPECT_EQ(8, run_slot(r, ARING_OP_READ, 0, b, 8, 0));
	prep_slot(r, ARING_OP_READ, 0, b, 8, 0, 1)->flags |= ARING_SQE_ASYNC;
	EXPECT_EQ(8, ring_run(r));
	prep_slot(r, ARING_OP_READ, 0, b, 8, 0, 1)->flags |=
		ARING_SQE_CQE_SKIP_SUCCESS;
	EXPECT_EQ(-EACCES, ring_run(r));
}

static void denied_in_a_batch(struct __test_metadata *_metadata, struct ring *r,
			      bool goes_on)
{
	static const struct aring_restriction t[] = { ALLOW_SQE(ARING_OP_NOP) };
	struct aring_cqe cqe;
	int n = goes_on ? 3 : 2, seen = 0;

	ASSERT_EQ(0, restrict_to(r, t, 1));
	ASSERT_EQ(0, enable(r));
	prep_nop(r, 1);
	prep(r, ARING_OP_FSYNC, 0, NULL, 0, 0, 2);
	prep_nop(r, 3);
	ASSERT_EQ(n, ring_submit(r));
	/* io_uring posts the refusal first, ahead of what it completes at once */
	for (int i = 0; i < n; i++) {
		ASSERT_EQ(0, ring_cqe(r, &cqe));
		EXPECT_EQ(cqe.user_data == 2 ? -EACCES : 0, cqe.res);
		seen |= 1 << cqe.user_data;
	}
	EXPECT_EQ((2 << n) - 2, seen);
	EXPECT_TRUE(ring_quiet(r, 10));
}

TEST_F(restrictions, a_denied_sqe_ends_the_batch)
{
	denied_in_a_batch(_metadata, &self->r, false);
	ring_exit(&self->r);
	ASSERT_EQ(0, ring_init(&self->r, variant->backend, 16,
			       ARING_SETUP_R_DISABLED |
			       ARING_SETUP_SUBMIT_ALL));
	denied_in_a_batch(_metadata, &self->r, true);
}

TEST_F(restrictions, a_denied_sqe_in_a_chain)
{
	static const struct aring_restriction t[] = {
		ALLOW_SQE(ARING_OP_NOP), ALLOW_FLAGS(ARING_SQE_IO_LINK),
	};
	static const int want[] = { -ECANCELED, -EACCES, -ECANCELED };
	struct ring *r = &self->r;
	struct aring_cqe cqe;

	ASSERT_EQ(0, restrict_to(r, t, ARRAY_SIZE(t)));
	ASSERT_EQ(0, enable(r));
	prep_nop(r, 0)->flags = ARING_SQE_IO_LINK;
	prep(r, ARING_OP_FSYNC, 0, NULL, 0, 0, 1)->flags = ARING_SQE_IO_LINK;
	prep_nop(r, 2);
	ASSERT_EQ(3, ring_submit(r));
	for (int i = 0; i < 3; i++) {
		ASSERT_EQ(0, ring_cqe(r, &cqe));
		ASSERT_LT(cqe.user_data, 3);
		CHECK_EQ(want[cqe.user_data], cqe.res, "number %d",
			 (int)cqe.user_data);
	}
}

TEST_F(restrictions, they_bind_everybody)
{
	static const struct aring_restriction t[] = { ALLOW_SQE(ARING_OP_NOP) };
	struct ring *r = &self->r;
	int status;
	pid_t pid;

	ASSERT_EQ(0, restrict_to(r, t, 1));
	ASSERT_EQ(0, enable(r));
	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid) {
		prep(r, ARING_OP_FSYNC, 0, NULL, 0, 0, 1);
		if (ring_run(r) != -EACCES)
			_exit(1);
		if (unreg_files(r) != -EACCES)
			_exit(2);
		_exit(run_nop(r, 0) ? 3 : 0);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
}

/* --- personalities ------------------------------------------------------- */

RING_FIXTURE(personality);

static int add_personality(struct ring *r)
{
	return ring_register(r, ARING_REGISTER_PERSONALITY, NULL, 0);
}

static int del_personality(struct ring *r, unsigned int id)
{
	return ring_register(r, ARING_UNREGISTER_PERSONALITY, NULL, id);
}

static int nop_as(struct ring *r, __u16 id)
{
	prep_nop(r, 1)->personality = id;
	return ring_run(r);
}

TEST_F(personality, ids)
{
	struct ring *r = &self->r;

	EXPECT_EQ(-EINVAL, nop_as(r, 1));
	for (int i = 1; i <= 4; i++)
		EXPECT_EQ(i, add_personality(r));
	EXPECT_EQ(0, nop_as(r, 0));
	EXPECT_EQ(0, nop_as(r, 1));
	EXPECT_EQ(0, nop_as(r, 4));
	EXPECT_EQ(-EINVAL, nop_as(r, 5));
	EXPECT_EQ(-EINVAL, nop_as(r, 65535));
	EXPECT_EQ(0, del_personality(r, 2));
	EXPECT_EQ(-EINVAL, nop_as(r, 2));
	EXPECT_EQ(-EINVAL, del_personality(r, 2));
	EXPECT_EQ(0, nop_as(r, 3));
	/* a number that was given back is not the next one */
	EXPECT_EQ(5, add_personality(r));
	EXPECT_EQ(0, del_personality(r, 5));
	EXPECT_EQ(6, add_personality(r));
	EXPECT_EQ(-EINVAL, nop_as(r, 2));
}

TEST_F(personality, bad_arguments)
{
	struct ring *r = &self->r;
	int x = 0;

	EXPECT_EQ(-EINVAL, ring_register(r, ARING_REGISTER_PERSONALITY, &x, 0));
	EXPECT_EQ(-EINVAL, ring_register(r, ARING_REGISTER_PERSONALITY, NULL,
					 1));
	ASSERT_EQ(1, add_personality(r));
	EXPECT_EQ(-EINVAL, ring_register(r, ARING_UNREGISTER_PERSONALITY, &x,
					 1));
	EXPECT_EQ(-EINVAL, del_personality(r, 0));
	EXPECT_EQ(-EINVAL, del_personality(r, 2));
	EXPECT_EQ(-EINVAL, del_personality(r, 65537));
	EXPECT_EQ(-EINVAL, del_personality(r, UINT_MAX));
	EXPECT_EQ(0, nop_as(r, 1));
}

TEST_F(personality, an_unknown_one_ends_the_batch)
{
	struct ring *r = &self->r;
	struct aring_cqe cqe;

	ASSERT_EQ(1, add_personality(r));
	EXPECT_EQ(0, nop_as(r, 1));
	prep_nop(r, 1)->personality = 3;
	prep_nop(r, 2);
	ASSERT_EQ(1, ring_submit(r));
	ASSERT_EQ(0, ring_cqe(r, &cqe));
	EXPECT_EQ(1, cqe.user_data);
	EXPECT_EQ(-EINVAL, cqe.res);
	EXPECT_TRUE(ring_quiet(r, 10));
}

/* Who sent the next message at @sock? */
static int sender(int sock)
{
	union {
		struct cmsghdr h;
		char space[CMSG_SPACE(sizeof(struct ucred))];
	} c;
	char b[8];
	struct iovec v = { b, sizeof(b) };
	struct msghdr m = {
		.msg_iov = &v, .msg_iovlen = 1,
		.msg_control = &c, .msg_controllen = sizeof(c),
	};
	struct ucred cred;

	if (recvmsg(sock, &m, MSG_DONTWAIT) < 0 ||
	    m.msg_controllen < sizeof(c.h) ||
	    c.h.cmsg_type != SCM_CREDENTIALS)
		return -1;
	memcpy(&cred, CMSG_DATA(&c.h), sizeof(cred));
	return cred.uid;
}

static int send_as(struct ring *r, int sock, int id, bool async)
{
	struct iovec v = { "hi", 2 };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1 };
	struct aring_sqe *s;

	s = prep(r, ARING_OP_SENDMSG, sock, &m, 1, 0, 1);
	s->personality = id;
	s->flags = async ? ARING_SQE_ASYNC : 0;
	return ring_run(r);
}

TEST_F(personality, messages_carry_it)
{
	struct ring *r = &self->r;
	int s[2], on = 1, root, user;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, s));
	ASSERT_EQ(0, setsockopt(s[1], SOL_SOCKET, SO_PASSCRED, &on,
				sizeof(on)));
	root = add_personality(r);
	ASSERT_EQ(0, setresuid(12345, 12345, 0));
	user = add_personality(r);
	ASSERT_GT(user, root);
	for (int async = 0; async < 2; async++) {
		EXPECT_EQ(2, send_as(r, s[0], 0, async));
		EXPECT_EQ(12345, sender(s[1]));
		EXPECT_EQ(2, send_as(r, s[0], root, async));
		EXPECT_EQ(0, sender(s[1]));
	}
	/* it is gone with the request */
	EXPECT_EQ(2, send_as(r, s[0], 0, 0));
	EXPECT_EQ(12345, sender(s[1]));
	ASSERT_EQ(0, setresuid(0, 0, 0));
	EXPECT_EQ(2, send_as(r, s[0], user, 0));
	EXPECT_EQ(12345, sender(s[1]));
	EXPECT_EQ(2, send_as(r, s[0], 0, 0));
	EXPECT_EQ(0, sender(s[1]));
}

/* sysctl files ask at each write who writes. */
TEST_F(personality, permissions_are_its_own)
{
	int fd = open("/proc/sys/vm/swappiness", O_RDWR | O_CLOEXEC);
	struct ring *r = &self->r;
	int root, user;
	char b[16];
	ssize_t n;

	ASSERT_GE(fd, 0);
	n = pread(fd, b, sizeof(b), 0);
	ASSERT_GT(n, 0);
	root = add_personality(r);
	ASSERT_EQ(0, setresuid(-1, 12345, -1));
	user = add_personality(r);
	prep_write(r, fd, b, n, 0, 1);
	EXPECT_EQ(-EPERM, ring_run(r));
	prep_write(r, fd, b, n, 0, 1)->personality = root;
	EXPECT_EQ(n, ring_run(r));
	prep_write(r, fd, b, n, 0, 1)->personality = user;
	EXPECT_EQ(-EPERM, ring_run(r));
	prep_write(r, fd, b, n, 0, 1)->personality = root;
	ASSERT_EQ(0, del_personality(r, root));
	EXPECT_EQ(-EINVAL, ring_run(r));
	ASSERT_EQ(0, setresuid(-1, 0, -1));
	prep_write(r, fd, b, n, 0, 1)->personality = user;
	EXPECT_EQ(-EPERM, ring_run(r));
	prep_write(r, fd, b, n, 0, 1);
	EXPECT_EQ(n, ring_run(r));
}

TEST_F(personality, a_child_without_rights_uses_the_parents)
{
	int fd = open("/proc/sys/vm/swappiness", O_RDWR | O_CLOEXEC);
	struct ring *r = &self->r;
	int root, status;
	char b[16];
	ssize_t n;
	pid_t pid;

	n = pread(fd, b, sizeof(b), 0);
	ASSERT_GT(n, 0);
	root = add_personality(r);
	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid) {
		if (setresuid(12345, 12345, 12345))
			_exit(1);
		prep_write(r, fd, b, n, 0, 1);
		if (ring_run(r) != -EPERM)
			_exit(2);
		prep_write(r, fd, b, n, 0, 1)->personality = root;
		_exit(ring_run(r) == n ? 0 : 3);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
}

TEST_F(personality, it_outlives_its_number_in_a_request)
{
	struct ring *r = &self->r;
	struct aring_cqe cqe;
	char b[8] = "";
	int p[2], id;

	ASSERT_EQ(0, pipe2(p, O_CLOEXEC));
	for (int k = 0; k < 2; k++) {
		id = add_personality(r);
		prep_read(r, p[0], b, 8, 0, 1)->personality = id;
		ASSERT_EQ(1, ring_submit(r));
		ASSERT_EQ(0, del_personality(r, id));
		EXPECT_TRUE(ring_quiet(r, 20));
		if (k)
			break;
		ASSERT_EQ(2, write(p[1], "ab", 2));
		ASSERT_EQ(0, ring_cqe(r, &cqe));
		EXPECT_EQ(2, cqe.res);
	}
	/* the last one is still waiting when the ring goes */
}

RING_TEST_MAIN
