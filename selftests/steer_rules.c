// SPDX-License-Identifier: MIT
/*
 * Steering: which requests a rule applies to, which rules are refused, and the
 * list of what is held.
 */
#include "steer.h"
#include <sys/epoll.h>
#include <sys/eventfd.h>

STEER_FIXTURE(steer_rules, 0);

/* Which of the user_data 0 to 31 are held. */
static __u32 held_set(struct ring *r)
{
	struct aring_held held[32];
	int n = steer_held(r, held, 32);
	__u32 set = 0;

	for (int i = 0; i < n; i++)
		set |= 1U << held[i].user_data;
	return set;
}

/* Submit NOPs 0 to @n - 1 under one rule: which are held? None is afterwards. */
static __u32 held_of(struct __test_metadata *_metadata, struct ring *r, int n,
		     const struct aring_rule *rule)
{
	struct aring_cqe cqe;
	__u32 set;

	ASSERT_EQ(0, steer_add(r, rule, 1));
	for (int i = 0; i < n; i++)
		prep_nop(r, i);
	ASSERT_EQ(n, ring_submit(r));
	set = held_set(r);
	ASSERT_LE(0, steer_release_all(r));
	for (int i = 0; i < n; i++)
		ASSERT_EQ(0, ring_cqe(r, &cqe));
	EXPECT_EQ(0, ring_ready(r));
	ASSERT_EQ(0, steer_clear(r));
	return set;
}

#define HELD_OF(n, rule) held_of(_metadata, &self->r, n, rule)

TEST_F(steer_rules, first_and_count)
{
	struct aring_rule rule = rule_all(ARING_ACT_HOLD_QUEUED, 0);

	EXPECT_EQ(0xff, HELD_OF(8, &rule));
	rule.count = 1;
	EXPECT_EQ(0x01, HELD_OF(8, &rule));
	rule.first = 3;
	EXPECT_EQ(0x04, HELD_OF(8, &rule));
	rule.count = 2;
	EXPECT_EQ(0x0c, HELD_OF(8, &rule));
	rule.count = 0;
	EXPECT_EQ(0xfc, HELD_OF(8, &rule));
	rule.first = 9;
	EXPECT_EQ(0, HELD_OF(8, &rule));
	rule.first = -1;
	rule.count = -1;
	EXPECT_EQ(0, HELD_OF(8, &rule));
	rule.first = 8;
	EXPECT_EQ(0x80, HELD_OF(8, &rule));
}

TEST_F(steer_rules, user_data_under_a_mask)
{
	struct aring_rule rule = rule_all(ARING_ACT_HOLD_DONE, 0);

	rule.match = ARING_MATCH_USER_DATA;
	rule.user_data = 5;
	rule.mask = -1;
	EXPECT_EQ(1U << 5, HELD_OF(16, &rule));
	rule.user_data = 1;
	rule.mask = 3;
	EXPECT_EQ(0x2222, HELD_OF(16, &rule));
	rule.user_data = 0;
	rule.mask = 1;
	EXPECT_EQ(0x5555, HELD_OF(16, &rule));
	rule.mask = 0;
	EXPECT_EQ(0xffff, HELD_OF(16, &rule));
	rule.user_data = 1ULL << 63;
	rule.mask = 1ULL << 63;
	EXPECT_EQ(0, HELD_OF(16, &rule));
}

TEST_F(steer_rules, ticket)
{
	struct aring_rule rule = rule_all(ARING_ACT_HOLD_STARTED, 0);
	struct ring *r = &self->r;

	rule.match = ARING_MATCH_TICKET;
	rule.user_data = r->tail + 2;
	EXPECT_EQ(0x04, HELD_OF(8, &rule));
	rule.user_data = r->tail + 100;
	EXPECT_EQ(0, HELD_OF(8, &rule));
}

/* Tickets that begin elsewhere, and wrap. */
TEST_F(steer_rules, ticket_that_wraps)
{
	struct aring_params p = {
		.flags = ARING_SETUP_FIRST_INDEX,
		.first_index = -2,
	};
	struct ring r;

	ASSERT_EQ(0, ring_init_params(&r, DEVICE, 8, &p));
	for (int i = 0; i < 4; i++) {
		struct aring_rule rule = rule_all(ARING_ACT_HOLD_QUEUED, 0);

		rule.match = ARING_MATCH_TICKET;
		rule.user_data = (__u32)(i - 2);
		ASSERT_EQ(0, steer_add(&r, &rule, 1));
		prep_nop(&r, i);
	}
	ASSERT_EQ(4, ring_submit(&r));
	EXPECT_EQ(0xf, held_set(&r));
	EXPECT_EQ(0, steer_release(&r, 0));
	EXPECT_EQ(0, steer_release(&r, -1));
	SEE(&r, { 2, 0 }, { 1, 0 });
	ring_exit(&r);
}

TEST_F(steer_rules, opcode)
{
	struct aring_rule rule = rule_all(ARING_ACT_FAIL, EIO);
	struct ring *r = &self->r;

	rule.match = ARING_MATCH_OPCODE;
	FOR_SUBJECTS(s) {
		s->prep(r, &self->f, 7);
		rule.opcode = ring_sqe_at(r, last_ticket(r))->opcode;
		ASSERT_EQ(0, steer_add(r, &rule, 1));
		CHECK_EQ(-EIO, ring_run(r), "%s", s->name);
		s->prep(r, &self->f, 7);
		ring_sqe_at(r, last_ticket(r))->flags |= LINK;
		prep(r, rule.opcode == ARING_OP_NOP ? ARING_OP_TIMEOUT_REMOVE :
		     ARING_OP_NOP, -1, NULL, 0, 0, 8);
		ASSERT_EQ(2, ring_submit(r));
		ONE(7, -EIO, s->name);
		ONE(8, after_failed(rule.opcode), s->name);
		ASSERT_EQ(0, steer_clear(r));
	}
	rule.opcode = ARING_OP_NOP;
	ASSERT_EQ(0, steer_add(r, &rule, 1));
	sub_file(r, &self->f, 7);
	EXPECT_EQ(8, ring_run(r));
}

TEST_F(steer_rules, kind)
{
	struct ring *r = &self->r;
	struct files *f = &self->f;
	int dgram[2], seq[2], pty = posix_openpt(O_RDWR | O_NOCTTY);
	struct {
		int fd;
		int kind;
	} files[] = {
		{ f->file, ARING_KIND_REG },
		{ open("/proc/self/status", O_RDONLY), ARING_KIND_REG },
		{ f->pipe[0], ARING_KIND_PIPE },
		{ f->sock[0], ARING_KIND_STREAM },
		{ -1, ARING_KIND_DGRAM },
		{ -1, ARING_KIND_DGRAM },
		{ pty, ARING_KIND_TTY },
		{ -1, ARING_KIND_TTY },
		{ open("/dev/zero", O_RDONLY), ARING_KIND_CHAR },
		{ eventfd(0, 0), ARING_KIND_OTHER },
		{ epoll_create1(0), ARING_KIND_OTHER },
		{ open("/tmp", O_RDONLY | O_DIRECTORY), ARING_KIND_OTHER },
		{ -1, ARING_KIND_NONE },
	};
	int n = sizeof(files) / sizeof(files[0]);

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_DGRAM, 0, dgram));
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_SEQPACKET, 0, seq));
	files[4].fd = dgram[0];
	files[5].fd = seq[0];
	ASSERT_LE(0, pty);
	ASSERT_EQ(0, grantpt(pty));
	ASSERT_EQ(0, unlockpt(pty));
	files[7].fd = open(ptsname(pty), O_RDWR | O_NOCTTY);
	for (int i = 0; i < n; i++) {
		struct aring_rule rules[2] = {
			rule_all(ARING_ACT_FAIL, EXDEV),
			rule_all(ARING_ACT_FAIL, EL2HLT),
		};

		if (i < n - 1)
			NEED_TRUE(files[i].fd >= 0, "file %d", i);
		/* The right kind, else any. */
		rules[0].match = ARING_MATCH_KIND;
		rules[0].kind = files[i].kind;
		ASSERT_EQ(0, steer_add(r, rules, 2));
		prep_read(r, files[i].fd, f->buf, 1, 0, 7);
		CHECK_EQ(-EXDEV, ring_run(r), "file %d", i);
		rules[0].kind = files[i].kind == ARING_KIND_CHAR ?
				ARING_KIND_TTY : ARING_KIND_CHAR;
		ASSERT_EQ(0, steer_clear(r));
		ASSERT_EQ(0, steer_add(r, rules, 2));
		prep_read(r, files[i].fd, f->buf, 1, 0, 7);
		CHECK_EQ(-EL2HLT, ring_run(r), "file %d", i);
		ASSERT_EQ(0, steer_clear(r));
	}
	/* A registered file is what it is. */
	{
		struct aring_rule rule = rule_all(ARING_ACT_FAIL, EXDEV);

		rule.match = ARING_MATCH_KIND;
		rule.kind = ARING_KIND_PIPE;
		ASSERT_EQ(0, ring_register(r, ARING_REGISTER_FILES, f->pipe, 2));
		ASSERT_EQ(0, steer_add(r, &rule, 1));
		prep_read(r, 0, f->buf, 1, 0, 7)->flags = ARING_SQE_FIXED_FILE;
		EXPECT_EQ(-EXDEV, ring_run(r));
		prep_nop(r, 8);
		EXPECT_EQ(0, ring_run(r));
	}
}

TEST_F(steer_rules, block_device)
{
	struct aring_rule rule = rule_all(ARING_ACT_FAIL, EXDEV);
	int fd = open("/dev/nullb0", O_RDONLY);

	if (fd < 0)
		SKIP(return, "no block device");
	rule.match = ARING_MATCH_KIND;
	rule.kind = ARING_KIND_BLOCK;
	ASSERT_EQ(0, steer_add(&self->r, &rule, 1));
	prep_read(&self->r, fd, self->f.buf, 1, 0, 7);
	EXPECT_EQ(-EXDEV, ring_run(&self->r));
}

TEST_F(steer_rules, all_that_is_named_must_match)
{
	struct aring_rule rule = rule_for(7, ARING_ACT_FAIL, EXDEV);
	struct ring *r = &self->r;

	rule.count = 0;
	rule.match |= ARING_MATCH_OPCODE | ARING_MATCH_KIND;
	rule.opcode = ARING_OP_READ;
	rule.kind = ARING_KIND_PIPE;
	ASSERT_EQ(0, steer_add(r, &rule, 1));
	sub_file(r, &self->f, 7);
	EXPECT_EQ(8, ring_run(r));
	sub_pipe(r, &self->f, 8);
	EXPECT_EQ(1, ring_run(r));
	sub_recv(r, &self->f, 7);
	EXPECT_EQ(1, ring_run(r));
	sub_pipe(r, &self->f, 7);
	EXPECT_EQ(-EXDEV, ring_run(r));
}

/* The first of its kind wins; those of other kinds apply as well. */
TEST_F(steer_rules, order)
{
	const struct aring_rule rules[] = {
		rule_for(1, ARING_ACT_HOLD_DONE, 0),
		rule_for(1, ARING_ACT_HOLD_QUEUED, 0),
		rule_for(1, ARING_ACT_FAIL, EIO),
		rule_for(1, ARING_ACT_FAIL, ENOSPC),
		rule_for(1, ARING_ACT_SHORTEN, 1),
		rule_for(1, ARING_ACT_CANCEL_WINS, 0),
	};
	const struct aring_rule other[] = {
		rule_for(2, ARING_ACT_HOLD_QUEUED, 0),
		rule_for(2, ARING_ACT_SHORTEN, 5),
		rule_for(2, ARING_ACT_FAIL, EIO),
		rule_for(2, ARING_ACT_CQ_FULL, 0),
	};
	struct ring *r = &self->r;

	ASSERT_EQ(0, steer_add(r, rules, 6));
	ASSERT_EQ(0, steer_add(r, other, 4));
	sub_file(r, &self->f, 1);
	ASSERT_EQ(1, ring_submit(r));
	EXPECT_EQ(ARING_ACT_HOLD_DONE, steer_held_at(r, 1));
	EXPECT_EQ(1, steer_release_all(r));
	SEE(r, { 1, -EIO });
	sub_file(r, &self->f, 2);
	ASSERT_EQ(1, ring_submit(r));
	EXPECT_EQ(ARING_ACT_HOLD_QUEUED, steer_held_at(r, 2));
	EXPECT_EQ(1, steer_release_all(r));
	SEE(r, { 2, 5 });
}

/* A rule that an earlier one has kept from doing anything has matched all the same. */
TEST_F(steer_rules, what_matches_counts)
{
	struct aring_rule rules[2] = {
		rule_all(ARING_ACT_HOLD_DONE, 0),
		rule_all(ARING_ACT_HOLD_QUEUED, 0),
	};
	struct aring_held held[4];
	struct ring *r = &self->r;

	rules[0].count = 2;
	rules[1].count = 3;
	ASSERT_EQ(0, steer_add(r, rules, 2));
	for (int i = 0; i < 4; i++)
		prep_nop(r, i);
	ASSERT_EQ(4, ring_submit(r));
	ASSERT_EQ(3, steer_held(r, held, 4));
	EXPECT_EQ(ARING_ACT_HOLD_DONE, held[0].at);
	EXPECT_EQ(ARING_ACT_HOLD_DONE, held[1].at);
	EXPECT_EQ(ARING_ACT_HOLD_QUEUED, held[2].at);
	SEE(r, { 3, 0 });
}

/* What is refused is not counted; nor is a time limit. */
TEST_F(steer_rules, what_does_not_count)
{
	struct aring_rule rule = rule_all(ARING_ACT_FAIL, EIO);
	struct ring *r = &self->r;

	rule.first = 2;
	ASSERT_EQ(0, steer_add(r, &rule, 1));
	prep(r, 255, -1, NULL, 0, 0, 1);
	EXPECT_EQ(-EINVAL, ring_run(r));
	prep_nop(r, 2)->flags = LINK;
	prep(r, ARING_OP_LINK_TIMEOUT, -1, &long_time, 1, 0, 3);
	ASSERT_EQ(2, ring_submit(r));
	SEE(r, { 2, 0 }, { 3, -ECANCELED });
	prep_nop(r, 4);
	EXPECT_EQ(-EIO, ring_run(r));
}

TEST_F(steer_rules, clear_keeps_what_is_held)
{
	struct ring *r = &self->r;

	ASSERT_EQ(0, steer_all(r, ARING_ACT_HOLD_QUEUED, 0));
	prep_nop(r, 1);
	ASSERT_EQ(1, ring_submit(r));
	ASSERT_EQ(0, steer_clear(r));
	prep_nop(r, 2);
	EXPECT_EQ(0, ring_run(r));
	EXPECT_EQ(ARING_ACT_HOLD_QUEUED, steer_held_at(r, 1));
	EXPECT_EQ(1, steer_release_all(r));
	SEE(r, { 1, 0 });
	ASSERT_EQ(0, steer_clear(r));
}

/* ---- what is refused ------------------------------------------------------ */

TEST_F(steer_rules, bad_rules)
{
	const struct aring_rule good = rule_all(ARING_ACT_HOLD_QUEUED, 0);
	struct ring *r = &self->r;
	struct aring_rule rule;

#define BAD(...)							\
	do {								\
		rule = good;						\
		__VA_ARGS__;						\
		EXPECT_EQ(-EINVAL, steer_add(r, &rule, 1)) {		\
			TH_LOG("%s", #__VA_ARGS__);			\
		}							\
	} while (0)

	BAD(rule.match = 1U << 4);
	BAD(rule.match = 1U << 31);
	BAD(rule.action = ARING_ACT_NONE);
	BAD(rule.action = ARING_ACT_ENTER_TAKE + 1);
	BAD(rule.action = 0xffff);
	BAD(rule.first = 0);
	BAD(rule.resv = 1);
	BAD(rule.resv = 1ULL << 63);
	/* What is not compared is 0. */
	BAD(rule.opcode = 1);
	BAD(rule.kind = 1);
	BAD(rule.user_data = 1);
	BAD(rule.mask = 1);
	BAD(rule.match = ARING_MATCH_TICKET, rule.mask = 1);
	/* What cannot match. */
	BAD(rule.match = ARING_MATCH_OPCODE, rule.opcode = 8);
	BAD(rule.match = ARING_MATCH_OPCODE, rule.opcode = 255);
	BAD(rule.match = ARING_MATCH_OPCODE,
	    rule.opcode = ARING_OP_LINK_TIMEOUT);
	BAD(rule.match = ARING_MATCH_KIND, rule.kind = ARING_KIND_OTHER + 1);
	BAD(rule.match = ARING_MATCH_KIND | ARING_MATCH_OPCODE,
	    rule.kind = ARING_KIND_REG);
	BAD(rule.match = ARING_MATCH_USER_DATA, rule.user_data = 4,
	    rule.mask = 3);
	BAD(rule.match = ARING_MATCH_TICKET, rule.user_data = 1ULL << 32);
	BAD(rule.match = ARING_MATCH_TICKET | ARING_MATCH_USER_DATA,
	    rule.user_data = 1, rule.mask = 1);
	/* Values. */
	for (int a = ARING_ACT_HOLD_QUEUED; a <= ARING_ACT_HOLD_DONE; a++)
		BAD(rule.action = a, rule.value = 1);
	for (int a = ARING_ACT_CANCEL_WINS; a <= ARING_ACT_ENTER_EINTR; a++)
		BAD(rule.action = a, rule.value = 1);
	BAD(rule.action = ARING_ACT_FAIL, rule.value = 0);
	BAD(rule.action = ARING_ACT_FAIL, rule.value = 4096);
	BAD(rule.action = ARING_ACT_FAIL, rule.value = -5);
	BAD(rule.action = ARING_ACT_SHORTEN, rule.value = 1ULL << 31);
	BAD(rule.action = ARING_ACT_SHORTEN, rule.match = ARING_MATCH_OPCODE);
	BAD(rule.action = ARING_ACT_DELAY, rule.value = 0);
	BAD(rule.action = ARING_ACT_DELAY, rule.value = 1ULL << 63);
	BAD(rule.action = ARING_ACT_AFTER, rule.value = 0);
	BAD(rule.action = ARING_ACT_AFTER, rule.value = 1ULL << 31);
	BAD(rule.action = ARING_ACT_ENTER_TAKE, rule.value = 1ULL << 31);
	/* ENTER is no request. */
	for (int a = ARING_ACT_ENTER_EINTR; a <= ARING_ACT_ENTER_TAKE; a++) {
		BAD(rule.action = a, rule.match = ARING_MATCH_OPCODE);
		BAD(rule.action = a, rule.match = ARING_MATCH_KIND);
		BAD(rule.action = a, rule.match = ARING_MATCH_TICKET);
		BAD(rule.action = a, rule.match = ARING_MATCH_USER_DATA);
	}
#undef BAD
	/* Nothing of it has been set. */
	prep_nop(r, 1);
	EXPECT_EQ(0, ring_run(r));
}

TEST_F(steer_rules, all_or_none)
{
	struct aring_rule rules[2] = {
		rule_all(ARING_ACT_FAIL, EIO), rule_all(ARING_ACT_FAIL, 0),
	};
	struct ring *r = &self->r;

	EXPECT_EQ(-EINVAL, steer_add(r, rules, 2));
	prep_nop(r, 1);
	EXPECT_EQ(0, ring_run(r));
}

TEST_F(steer_rules, how_many)
{
	struct aring_rule rules[257];
	struct ring *r = &self->r;

	for (int i = 0; i < 257; i++)
		rules[i] = rule_for(i, ARING_ACT_FAIL, 1 + i);
	EXPECT_EQ(-ENOSPC, steer_add(r, rules, 257));
	ASSERT_EQ(0, steer_add(r, rules, 200));
	EXPECT_EQ(-ENOSPC, steer_add(r, rules + 200, 57));
	ASSERT_EQ(0, steer_add(r, rules + 200, 56));
	EXPECT_EQ(-ENOSPC, steer_add(r, rules + 256, 1));
	for (int i = 0; i < 257; i++) {
		prep_nop(r, i);
		CHECK_EQ(i < 256 ? -(1 + i) : 0, ring_run(r), "rule %d", i);
	}
	ASSERT_EQ(0, steer_clear(r));
	ASSERT_EQ(0, steer_add(r, rules, 256));
	/* They have begun to count anew. */
	prep_nop(r, 255);
	EXPECT_EQ(-256, ring_run(r));
}

TEST_F(steer_rules, bad_calls)
{
	struct aring_rule rule = rule_all(ARING_ACT_FAIL, EIO);
	struct aring_steer s = { .cmd = ARING_STEER_RELEASE_ALL + 1 };
	struct ring *r = &self->r;
	struct ring bare = { .backend = DEVICE };

	EXPECT_EQ(-EINVAL, steer(r, &s));
	s = (struct aring_steer){ .cmd = -1 };
	EXPECT_EQ(-EINVAL, steer(r, &s));
	for (__u32 cmd = ARING_STEER_ADD; cmd <= ARING_STEER_RELEASE_ALL;
	     cmd++) {
		s = (struct aring_steer){
			.cmd = cmd, .resv = 1, .addr = (uintptr_t)&rule,
			.nr = cmd == ARING_STEER_ADD,
		};
		CHECK_EQ(-EINVAL, steer(r, &s), "command %u", cmd);
		s.resv = 0;
		s.ticket = 1;
		if (cmd != ARING_STEER_RELEASE)
			CHECK_EQ(-EINVAL, steer(r, &s), "command %u", cmd);
		s.ticket = 0;
		/* Without use for them. */
		if (cmd == ARING_STEER_ADD || cmd == ARING_STEER_HELD)
			continue;
		CHECK_EQ(-EINVAL, steer(r, &s), "command %u", cmd);
		s.addr = 0;
		s.nr = 1;
		CHECK_EQ(-EINVAL, steer(r, &s), "command %u", cmd);
	}
	EXPECT_EQ(-EINVAL, steer_add(r, &rule, 0));
	EXPECT_EQ(-EFAULT, steer_add(r, (void *)1, 1));
	EXPECT_EQ(-1, ioctl(r->fd, ARING_IOC_STEER, NULL));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-ENOENT, steer_release(r, 0));
	EXPECT_EQ(0, steer_release_all(r));
	EXPECT_EQ(0, steer_held(r, NULL, 0));
	EXPECT_EQ(0, steer_held(r, NULL, 10));

	bare.fd = open(ARING_DEVICE, O_RDWR);
	ASSERT_LE(0, bare.fd);
	EXPECT_EQ(-EBADFD, steer_all(&bare, ARING_ACT_FAIL, EIO));
	close(bare.fd);
}

/* ---- the list -------------------------------------------------------------- */

TEST_F(steer_rules, list)
{
	struct aring_held held[4] = { { 0 } };
	struct ring *r = &self->r;
	__u32 first = r->tail;

	ASSERT_EQ(0, steer_for(r, 1, ARING_ACT_HOLD_QUEUED, 0));
	ASSERT_EQ(0, steer_for(r, 2, ARING_ACT_HOLD_STARTED, 0));
	ASSERT_EQ(0, steer_for(r, 3, ARING_ACT_HOLD_DONE, 0));
	ASSERT_EQ(0, steer_for(r, 3, ARING_ACT_FAIL, EIO));
	sub_pipe(r, &self->f, 1);
	sub_recv(r, &self->f, 2);
	sub_timeout(r, &self->f, 3);
	ASSERT_EQ(3, ring_submit(r));
	memset(held, 0xff, sizeof(held));
	ASSERT_EQ(3, steer_held(r, held, 4));
	for (int i = 0; i < 3; i++) {
		EXPECT_EQ(i + 1, held[i].user_data);
		EXPECT_EQ(first + i, held[i].ticket);
		EXPECT_EQ(ARING_ACT_HOLD_QUEUED + i, held[i].at);
		EXPECT_EQ(i == 2 ? -EIO : 0, held[i].res);
		EXPECT_EQ(0, held[i].resv);
		EXPECT_EQ(0, held[i].resv2);
	}
	EXPECT_EQ(ARING_OP_READ, held[0].opcode);
	EXPECT_EQ(ARING_OP_RECV, held[1].opcode);
	EXPECT_EQ(ARING_OP_TIMEOUT, held[2].opcode);
	EXPECT_EQ(0xff, held[3].at);
	/* As many as there is room for, of those that are held the longest. */
	memset(held, 0xff, sizeof(held));
	EXPECT_EQ(3, steer_held(r, held, 2));
	EXPECT_EQ(2, held[1].user_data);
	EXPECT_EQ(0xff, held[2].at);
	EXPECT_EQ(3, steer_held(r, NULL, 0));
	EXPECT_EQ(-EFAULT, steer_held(r, NULL, 1));
	EXPECT_EQ(3, steer_release_all(r));
	SEE_SET(r, { 1, 1 }, { 2, 1 }, { 3, -EIO });
}

RING_TEST_MAIN
