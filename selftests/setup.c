// SPDX-License-Identifier: MIT
/*
 * Setting a ring up: parameters good and bad, sizes, mapping, what the ring
 * tells about itself, and the calls that are refused.
 */
#include "ring.h"
#include "kmsg.h"
#include <poll.h>
#include <sys/epoll.h>

#define FEATURES (ARING_FEAT_SINGLE_MMAP | ARING_FEAT_NODROP |		\
		  ARING_FEAT_SUBMIT_STABLE | ARING_FEAT_RW_CUR_POS |	\
		  ARING_FEAT_CUR_PERSONALITY | ARING_FEAT_FAST_POLL |	\
		  ARING_FEAT_POLL_32BITS | ARING_FEAT_SQPOLL_NONFIXED |	\
		  ARING_FEAT_EXT_ARG | ARING_FEAT_RSRC_TAGS |		\
		  ARING_FEAT_CQE_SKIP)

#define SETUP_FLAGS (ARING_SETUP_SQPOLL | ARING_SETUP_SQ_AFF |		\
		     ARING_SETUP_SQE128 | ARING_SETUP_CQE32 |		\
		     ARING_SETUP_CQSIZE | ARING_SETUP_CLAMP |		\
		     ARING_SETUP_R_DISABLED | ARING_SETUP_SUBMIT_ALL |	\
		     ARING_SETUP_COOP_TASKRUN | ARING_SETUP_TASKRUN_FLAG | \
		     ARING_SETUP_SINGLE_ISSUER |			\
		     ARING_SETUP_DEFER_TASKRUN | ARING_SETUP_FIRST_INDEX | \
		     ARING_SETUP_COMPLETION_ORDER |			\
		     ARING_SETUP_SUBMISSION_ORDER)

static const int OPS[] = {
	ARING_OP_NOP, ARING_OP_READV, ARING_OP_WRITEV, ARING_OP_FSYNC,
	ARING_OP_TIMEOUT, ARING_OP_TIMEOUT_REMOVE, ARING_OP_ASYNC_CANCEL,
	ARING_OP_READ, ARING_OP_WRITE, ARING_OP_READ_FIXED,
	ARING_OP_WRITE_FIXED, ARING_OP_POLL_ADD, ARING_OP_POLL_REMOVE,
	ARING_OP_SENDMSG, ARING_OP_RECVMSG, ARING_OP_LINK_TIMEOUT,
	ARING_OP_SEND, ARING_OP_RECV, ARING_OP_VREAD, ARING_OP_VWRITE,
};

#define BIT(n) (1ULL << (n))
#define REGISTERS (BIT(ARING_REGISTER_BUFFERS) |			\
		   BIT(ARING_UNREGISTER_BUFFERS) |			\
		   BIT(ARING_REGISTER_FILES) | BIT(ARING_UNREGISTER_FILES) | \
		   BIT(ARING_REGISTER_EVENTFD) |			\
		   BIT(ARING_UNREGISTER_EVENTFD) |			\
		   BIT(ARING_REGISTER_FILES_UPDATE) |			\
		   BIT(ARING_REGISTER_EVENTFD_ASYNC) |			\
		   BIT(ARING_REGISTER_PROBE) |				\
		   BIT(ARING_REGISTER_PERSONALITY) |			\
		   BIT(ARING_UNREGISTER_PERSONALITY) |			\
		   BIT(ARING_REGISTER_RESTRICTIONS) |			\
		   BIT(ARING_REGISTER_ENABLE_RINGS) |			\
		   BIT(ARING_REGISTER_FILES2) |				\
		   BIT(ARING_REGISTER_FILES_UPDATE2) |			\
		   BIT(ARING_REGISTER_BUFFERS2) |			\
		   BIT(ARING_REGISTER_BUFFERS_UPDATE) |			\
		   BIT(ARING_REGISTER_SYNC_CANCEL) |			\
		   BIT(ARING_REGISTER_FILE_ALLOC_RANGE))

/* Set up and throw away; 0 or a negative errno. */
static int try_setup(enum backend backend, unsigned int entries,
		     struct aring_params *p)
{
	struct ring r;
	int ret;

	ret = ring_setup(&r, backend, entries, p);
	if (r.fd >= 0)
		close(r.fd);
	return ret;
}

static int try_flags(enum backend backend, __u32 flags)
{
	struct aring_params p = { .flags = flags, .cq_entries = 32 };

	return try_setup(backend, 8, &p);
}

static bool supported(int op)
{
	for (size_t i = 0; i < ARRAY_SIZE(OPS); i++)
		if (OPS[i] == op)
			return true;
	return false;
}

/* On the device and on io_uring alike. */
FIXTURE(setup) { int unused; };

RING_VARIANTS(setup);

FIXTURE_SETUP(setup) { }
FIXTURE_TEARDOWN(setup) { }

TEST_F(setup, zero_entries_are_refused)
{
	struct aring_params p = { 0 };

	EXPECT_EQ(-EINVAL, try_setup(variant->backend, 0, &p));
	p.flags = ARING_SETUP_CLAMP;
	EXPECT_EQ(-EINVAL, try_setup(variant->backend, 0, &p));
}

TEST_F(setup, entries_above_the_limit_need_clamp)
{
	static const unsigned int big[] = { 32769, 65536, 0x7fffffff,
					    0x80000000, 0x80000001, UINT_MAX };

	for (size_t i = 0; i < ARRAY_SIZE(big); i++) {
		struct aring_params p = { 0 };

		CHECK_EQ(-EINVAL, try_setup(variant->backend, big[i], &p), "entries %u", big[i]);
		memset(&p, 0, sizeof(p));
		p.flags = ARING_SETUP_CLAMP;
		EXPECT_EQ(0, try_setup(variant->backend, big[i], &p));
		EXPECT_EQ(ARING_MAX_ENTRIES, p.sq_entries);
		EXPECT_EQ(ARING_MAX_CQ_ENTRIES, p.cq_entries);
	}
}

TEST_F(setup, cq_size_rules)
{
	static const struct {
		__u32 sq, cq, flags;
		int ret;
		__u32 want;
	} t[] = {
		{ 8, 0, 0, 0, 16 },
		{ 8, 999, 0, 0, 16 },		/* not asked for: ignored */
		{ 8, 0, ARING_SETUP_CQSIZE, -EINVAL, 0 },
		{ 8, 4, ARING_SETUP_CQSIZE, -EINVAL, 0 },
		{ 8, 5, ARING_SETUP_CQSIZE, 0, 8 },
		{ 8, 8, ARING_SETUP_CQSIZE, 0, 8 },
		{ 5, 7, ARING_SETUP_CQSIZE, 0, 8 },
		{ 5, 9, ARING_SETUP_CQSIZE, 0, 16 },
		{ 1, 1, ARING_SETUP_CQSIZE, 0, 1 },
		{ 1, 65536, ARING_SETUP_CQSIZE, 0, 65536 },
		{ 1, 65537, ARING_SETUP_CQSIZE, -EINVAL, 0 },
		{ 1, UINT_MAX, ARING_SETUP_CQSIZE, -EINVAL, 0 },
		{ 1, 65537, ARING_SETUP_CQSIZE | ARING_SETUP_CLAMP, 0, 65536 },
		{ 1, UINT_MAX, ARING_SETUP_CQSIZE | ARING_SETUP_CLAMP, 0,
		  65536 },
		{ 1, 0, ARING_SETUP_CQSIZE | ARING_SETUP_CLAMP, -EINVAL, 0 },
		{ 32768, 32768, ARING_SETUP_CQSIZE, 0, 32768 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		struct aring_params p = {
			.flags = t[i].flags, .cq_entries = t[i].cq,
		};

		CHECK_EQ(t[i].ret, try_setup(variant->backend, t[i].sq, &p),
			 "sq %u cq %u flags %#x", t[i].sq, t[i].cq,
			 t[i].flags);
		if (!t[i].ret)
			CHECK_EQ(t[i].want, p.cq_entries, "sq %u cq %u", t[i].sq, t[i].cq);
	}
}

TEST_F(setup, unknown_flag_bits_are_refused)
{
	/* the highest ones are the device's own */
	for (int bit = 14; bit < 28; bit++)
		CHECK_EQ(-EINVAL, try_flags(variant->backend, 1U << bit), "bit %d", bit);
}

TEST_F(setup, reserved_fields_are_refused)
{
	struct aring_params p = { .resv = { 1, 0 } };

	EXPECT_EQ(-EINVAL, try_setup(variant->backend, 8, &p));
	memset(&p, 0, sizeof(p));
	p.resv[1] = 0x80000000;
	EXPECT_EQ(-EINVAL, try_setup(variant->backend, 8, &p));
	/* without its flag the field is one of io_uring's reserved ones */
	memset(&p, 0, sizeof(p));
	p.first_index = 1;
	EXPECT_EQ(-EINVAL, try_setup(variant->backend, 8, &p));
}

TEST_F(setup, fields_of_absent_flags_are_ignored)
{
	struct aring_params p = {
		.sq_thread_cpu = 12345, .sq_thread_idle = UINT_MAX,
		.wq_fd = UINT_MAX, .features = UINT_MAX,
		.sq_off.resv2 = 7, .cq_off.resv1 = 7,
	};

	EXPECT_EQ(0, try_setup(variant->backend, 8, &p));
}

TEST_F(setup, taskrun_flags_are_validated)
{
	static const __u32 bits[] = {
		ARING_SETUP_COOP_TASKRUN, ARING_SETUP_TASKRUN_FLAG,
		ARING_SETUP_SINGLE_ISSUER, ARING_SETUP_DEFER_TASKRUN,
	};

	for (int m = 0; m < 16; m++) {
		struct ring r;
		__u32 flags = 0;
		bool good = true;

		for (int i = 0; i < 4; i++)
			if (m & 1 << i)
				flags |= bits[i];
		if ((flags & ARING_SETUP_TASKRUN_FLAG) &&
		    !(flags & (ARING_SETUP_COOP_TASKRUN |
			       ARING_SETUP_DEFER_TASKRUN)))
			good = false;
		if ((flags & ARING_SETUP_DEFER_TASKRUN) &&
		    !(flags & ARING_SETUP_SINGLE_ISSUER))
			good = false;
		CHECK_EQ(good ? 0 : -EINVAL,
			 ring_init(&r, variant->backend, 8, flags), "flags %#x", flags);
		if (r.fd < 0)
			continue;
		prep_nop(&r, 5);
		EXPECT_EQ(0, ring_run(&r));
		ring_exit(&r);
	}
}

/* Sizes in, sizes and masks out, and the ring of that size works. */
static bool size_works(struct __test_metadata *_metadata, enum backend backend,
		       unsigned int n)
{
	unsigned int want = 1;
	struct ring r;
	bool good;

	while (want < n)
		want *= 2;
	CHECK_EQ(0, ring_init(&r, backend, n, 0), "entries %u", n);
	if (r.fd < 0)
		return false;
	good = r.p.sq_entries == want && r.p.cq_entries == 2 * want;
	good &= *(__u32 *)(r.rings + r.p.sq_off.ring_entries) == want;
	good &= *(__u32 *)(r.rings + r.p.sq_off.ring_mask) == want - 1;
	good &= *(__u32 *)(r.rings + r.p.cq_off.ring_entries) == 2 * want;
	good &= *(__u32 *)(r.rings + r.p.cq_off.ring_mask) == 2 * want - 1;
	good &= *r.sq_head == 0 && *r.sq_tail == 0 && *r.sq_flags == 0;
	good &= *r.cq_head == 0 && *r.cq_tail == 0 && *r.sq_dropped == 0;
	CHECK_TRUE(good, "entries %u gave sq %u cq %u", n, r.p.sq_entries,
		   r.p.cq_entries);
	/* the last SQE and the last slot of the array */
	r.sq_array[0] = want - 1;
	r.sqes[want - 1].opcode = ARING_OP_NOP;
	r.sqes[want - 1].user_data = n;
	r.tail++;
	EXPECT_EQ(1, ring_submit(&r));
	EXPECT_EQ(1, ring_ready(&r));
	EXPECT_EQ(n, r.cqes[0].user_data);
	ring_exit(&r);
	return good;
}

TEST_F_TIMEOUT(setup, all_sizes_to_4096, 120)
{
	unsigned int step = variant->backend == DEVICE ? 1 : 64;

	step *= test_scale(20, 1) >= 20 ? 1 : 20 / test_scale(20, 1);
	for (unsigned int n = 1; n <= 4096; n += step)
		if (!size_works(_metadata, variant->backend, n))
			break;
}

TEST_F(setup, powers_of_two_and_their_neighbours)
{
	for (unsigned int p = 1; p <= ARING_MAX_ENTRIES; p *= 2) {
		for (unsigned int n = p - 1; n <= p + 1; n++)
			if (n && n <= ARING_MAX_ENTRIES &&
			    !size_works(_metadata, variant->backend, n))
				return;
	}
}

TEST_F(setup, cq_ring_lies_in_the_one_mapping)
{
	struct ring r;
	void *cq;

	ASSERT_EQ(0, ring_init(&r, variant->backend, 8, 0));
	EXPECT_TRUE(r.p.features & ARING_FEAT_SINGLE_MMAP);
	cq = mmap(NULL, r.rings_len, PROT_READ, MAP_SHARED, r.fd,
		  ARING_OFF_CQ_RING);
	ASSERT_NE(MAP_FAILED, cq);
	prep_nop(&r, 1);
	EXPECT_EQ(1, ring_submit(&r));
	EXPECT_EQ(1, *(__u32 *)((char *)cq + r.p.cq_off.tail));
	EXPECT_EQ(1, *r.cq_tail);
	munmap(cq, r.rings_len);
	ring_exit(&r);
}

TEST_F(setup, mmap_at_a_wrong_offset_is_refused)
{
	static const off_t bad[] = {
		4096, 0x8000000 + 4096, 0x10000000 + 4096, 0x18000000,
		0x20000000, 0x7000000000, ARING_OFF_SQES * 3,
	};
	struct ring r;

	ASSERT_EQ(0, ring_init(&r, variant->backend, 8, 0));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		errno = 0;
		CHECK_EQ(MAP_FAILED, mmap(NULL, 4096, PROT_READ | PROT_WRITE,
					  MAP_SHARED, r.fd, bad[i]), "offset %#lx", bad[i]);
		/* io_uring's search for a free address says ENOMEM first */
		if (variant->backend == DEVICE)
			EXPECT_EQ(EINVAL, errno);
	}
	ring_exit(&r);
}

TEST_F(setup, starts_disabled_until_enabled)
{
	struct ring r;

	ASSERT_EQ(0, ring_init(&r, variant->backend, 8,
			       ARING_SETUP_R_DISABLED));
	prep_nop(&r, 1);
	EXPECT_EQ(-EBADFD, ring_submit(&r));
	EXPECT_EQ(-EBADFD, ring_enter(&r, 0, 0, 0, NULL, 0));
	EXPECT_EQ(-EBADFD, ring_enter(&r, 0, 0, ARING_ENTER_GETEVENTS, NULL,
				      0));
	EXPECT_EQ(0, *r.sq_head);
	EXPECT_EQ(-EINVAL, ring_register(&r, ARING_REGISTER_ENABLE_RINGS, NULL,
					 1));
	EXPECT_EQ(-EINVAL, ring_register(&r, ARING_REGISTER_ENABLE_RINGS, &r,
					 0));
	EXPECT_EQ(0, ring_register(&r, ARING_REGISTER_ENABLE_RINGS, NULL, 0));
	EXPECT_EQ(1, ring_submit(&r));
	EXPECT_EQ(1, ring_ready(&r));
	EXPECT_EQ(-EBADFD, ring_register(&r, ARING_REGISTER_ENABLE_RINGS, NULL,
					 0));
	ring_exit(&r);
}

TEST_F(setup, enabling_an_enabled_ring_is_ebadfd)
{
	struct ring r;

	ASSERT_EQ(0, ring_init(&r, variant->backend, 8, 0));
	EXPECT_EQ(-EBADFD, ring_register(&r, ARING_REGISTER_ENABLE_RINGS, NULL,
					 0));
	ring_exit(&r);
}

static int call_result;

static void *submit_elsewhere(void *arg)
{
	call_result = ring_submit(arg);
	return NULL;
}

static void *register_elsewhere(void *arg)
{
	call_result = ring_register(arg, ARING_REGISTER_ENABLE_RINGS, NULL, 0);
	return NULL;
}

static void *wait_elsewhere(void *arg)
{
	call_result = ring_enter(arg, 0, 0, ARING_ENTER_GETEVENTS, NULL, 0);
	return NULL;
}

static int elsewhere(void *(*fn)(void *), struct ring *r)
{
	pthread_t t;

	call_result = INT_MIN;
	if (pthread_create(&t, NULL, fn, r))
		return INT_MIN;
	pthread_join(t, NULL);
	return call_result;
}

TEST_F(setup, single_issuer_refuses_another_task)
{
	struct ring r;

	ASSERT_EQ(0, ring_init(&r, variant->backend, 8,
			       ARING_SETUP_SINGLE_ISSUER));
	prep_nop(&r, 1);
	EXPECT_EQ(-EEXIST, elsewhere(submit_elsewhere, &r));
	EXPECT_EQ(0, *r.sq_head);
	/* waiting alone is no submission */
	EXPECT_EQ(0, elsewhere(wait_elsewhere, &r));
	EXPECT_EQ(1, ring_submit(&r));
	ring_exit(&r);
}

TEST_F(setup, defer_taskrun_refuses_another_waiter)
{
	struct ring r;

	ASSERT_EQ(0, ring_init(&r, variant->backend, 8,
			       ARING_SETUP_SINGLE_ISSUER |
			       ARING_SETUP_DEFER_TASKRUN));
	EXPECT_EQ(-EEXIST, elsewhere(wait_elsewhere, &r));
	EXPECT_EQ(0, ring_enter(&r, 0, 0, ARING_ENTER_GETEVENTS, NULL, 0));
	ring_exit(&r);
}

TEST_F(setup, the_enabler_is_the_single_issuer)
{
	struct ring r;

	ASSERT_EQ(0, ring_init(&r, variant->backend, 8,
			       ARING_SETUP_SINGLE_ISSUER |
			       ARING_SETUP_R_DISABLED));
	EXPECT_EQ(0, elsewhere(register_elsewhere, &r));
	prep_nop(&r, 1);
	EXPECT_EQ(-EEXIST, ring_submit(&r));
	ring_exit(&r);
}

TEST_F(setup, probe_lists_the_operations)
{
	struct {
		struct aring_probe p;
		struct aring_probe_op ops[257];
	} b;
	struct ring r;

	ASSERT_EQ(0, ring_init(&r, variant->backend, 8, 0));
	memset(&b, 0, sizeof(b));
	ASSERT_EQ(0, ring_register(&r, ARING_REGISTER_PROBE, &b, 256));
	EXPECT_GE(b.p.ops_len, ARING_OP_WRITE + 1);
	EXPECT_GE(b.p.last_op, ARING_OP_WRITE);
	for (int i = 0; i < b.p.ops_len; i++) {
		EXPECT_EQ(i, b.p.ops[i].op);
		if (supported(i))
			CHECK_EQ(ARING_OP_SUPPORTED, b.p.ops[i].flags, "opcode %d", i);
		else if (variant->backend == DEVICE)
			CHECK_EQ(0, b.p.ops[i].flags, "opcode %d", i);
	}
	memset(&b, 0, sizeof(b));
	EXPECT_EQ(0, ring_register(&r, ARING_REGISTER_PROBE, &b, 4));
	EXPECT_EQ(4, b.p.ops_len);
	EXPECT_EQ(0, b.p.ops[4].op);
	memset(&b, 0, sizeof(b));
	EXPECT_EQ(0, ring_register(&r, ARING_REGISTER_PROBE, &b, 0));
	EXPECT_EQ(0, b.p.ops_len);
	ring_exit(&r);
}

TEST_F(setup, probe_refuses_bad_arguments)
{
	struct {
		struct aring_probe p;
		struct aring_probe_op ops[300];
	} b;
	struct ring r;

	ASSERT_EQ(0, ring_init(&r, variant->backend, 8, 0));
	memset(&b, 0, sizeof(b));
	EXPECT_EQ(-EINVAL, ring_register(&r, ARING_REGISTER_PROBE, &b, 257));
	EXPECT_EQ(-EINVAL, ring_register(&r, ARING_REGISTER_PROBE, NULL, 16));
	EXPECT_EQ(-EFAULT, ring_register(&r, ARING_REGISTER_PROBE, (void *)8,
					 16));
	b.p.resv2[2] = 1;
	EXPECT_EQ(-EINVAL, ring_register(&r, ARING_REGISTER_PROBE, &b, 16));
	b.p.resv2[2] = 0;
	b.ops[15].flags = 1;
	EXPECT_EQ(-EINVAL, ring_register(&r, ARING_REGISTER_PROBE, &b, 16));
	EXPECT_EQ(0, ring_register(&r, ARING_REGISTER_PROBE, &b, 15));
	ring_exit(&r);
}

TEST_F(setup, unknown_register_opcodes_are_einval)
{
	static const unsigned int ops[] = { 200, 0x7fffffff, 0x80000000,
					    UINT_MAX };
	struct ring r;

	ASSERT_EQ(0, ring_init(&r, variant->backend, 8, 0));
	for (size_t i = 0; i < ARRAY_SIZE(ops); i++)
		CHECK_EQ(-EINVAL, ring_register(&r, ops[i], NULL, 0), "register %u", ops[i]);
	ring_exit(&r);
}

TEST_F(setup, unknown_enter_flags_are_einval)
{
	struct ring r;

	ASSERT_EQ(0, ring_init(&r, variant->backend, 8, 0));
	prep_nop(&r, 1);
	ring_flush(&r);
	for (int bit = 5; bit < 32; bit++)
		CHECK_EQ(-EINVAL, ring_enter(&r, 1, 0, 1U << bit, NULL, 0), "bit %d", bit);
	EXPECT_EQ(0, *r.sq_head);
	ring_exit(&r);
}

static bool fdinfo_line(char *text, const char *key, long *value)
{
	char *line = strstr(text, key);

	return line && sscanf(line + strlen(key), " %li", value) == 1;
}

TEST_F(setup, fdinfo_shows_the_ring)
{
	static char text[65536];
	char path[64];
	struct ring r;
	long v;
	int fd, len;

	ASSERT_EQ(0, ring_init(&r, variant->backend, 8, 0));
	for (int i = 0; i < 3; i++)
		prep_nop(&r, i);
	ASSERT_EQ(3, ring_submit(&r));
	prep_nop(&r, 4);
	ring_flush(&r);
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", r.fd);
	fd = open(path, O_RDONLY);
	ASSERT_GE(fd, 0);
	len = read(fd, text, sizeof(text) - 1);
	ASSERT_GT(len, 0);
	close(fd);
#define LINE(key, want)							\
	do {								\
		v = -1;							\
		EXPECT_TRUE(fdinfo_line(text, key, &v)) {		\
			TH_LOG("no line %s", key);			\
		}							\
		EXPECT_EQ(want, v) {					\
			TH_LOG("line %s", key);				\
		}							\
	} while (0)
	LINE("SqMask:", 7);
	LINE("\nSqHead:", 3);
	LINE("\nSqTail:", 4);
	LINE("CachedSqHead:", 3);
	LINE("CqMask:", 15);
	LINE("\nCqHead:", 0);
	LINE("\nCqTail:", 3);
	LINE("CachedCqTail:", 3);
	LINE("\nSQEs:", 1);
	LINE("\nCQEs:", 3);
	EXPECT_NE(NULL, strstr(text, "CqOverflowList:"));
	ring_exit(&r);
}

TEST_F(setup, poll_says_readable_and_writable)
{
	struct aring_cqe cqe;
	struct pollfd pfd;
	struct ring r;

	ASSERT_EQ(0, ring_init(&r, variant->backend, 2, 0));
	pfd = (struct pollfd) { .fd = r.fd, .events = POLLIN | POLLOUT };
	EXPECT_EQ(1, poll(&pfd, 1, 0));
	EXPECT_EQ(POLLOUT, pfd.revents);
	prep_nop(&r, 1);
	prep_nop(&r, 2);
	ring_flush(&r);
	/* the SQ is full and nothing has completed */
	EXPECT_EQ(0, poll(&pfd, 1, 0));
	EXPECT_EQ(2, ring_submit(&r));
	EXPECT_EQ(1, poll(&pfd, 1, 0));
	EXPECT_EQ(POLLIN | POLLOUT, pfd.revents);
	EXPECT_TRUE(ring_reap(&r, &cqe));
	EXPECT_TRUE(ring_reap(&r, &cqe));
	EXPECT_EQ(1, poll(&pfd, 1, 0));
	EXPECT_EQ(POLLOUT, pfd.revents);
	ring_exit(&r);
}

TEST_F(setup, a_completion_wakes_epoll)
{
	struct __kernel_timespec ts = to_ts(ms(20));
	struct epoll_event ev = { .events = EPOLLIN | EPOLLET };
	struct aring_cqe cqe;
	struct ring r;
	int ep, n;

	ASSERT_EQ(0, ring_init(&r, variant->backend, 4, 0));
	ep = epoll_create1(EPOLL_CLOEXEC);
	ASSERT_GE(ep, 0);
	ASSERT_EQ(0, epoll_ctl(ep, EPOLL_CTL_ADD, r.fd, &ev));
	for (int i = 0; i < 5; i++) {
		EXPECT_EQ(0, epoll_wait(ep, &ev, 1, 0));
		prep_timeout(&r, &ts, 0, 0, i);
		ASSERT_EQ(1, ring_submit(&r));
		/* io_uring's task work may end the wait before the event does */
		do {
			n = epoll_wait(ep, &ev, 1, 10000 * test_slow());
		} while (n < 0 && errno == EINTR);
		ASSERT_EQ(1, n);
		EXPECT_EQ(EPOLLIN, ev.events);
		/* the completion itself may need one more turn in ENTER */
		ASSERT_EQ(0, ring_cqe(&r, &cqe));
		EXPECT_EQ(-ETIME, cqe.res);
		while (epoll_wait(ep, &ev, 1, 0) > 0)
			;
	}
	close(ep);
	ring_exit(&r);
}

TEST_F(setup, two_rings_are_apart)
{
	struct ring a, b;

	ASSERT_EQ(0, ring_init(&a, variant->backend, 8, 0));
	ASSERT_EQ(0, ring_init(&b, variant->backend, 8, 0));
	prep_nop(&a, 1);
	EXPECT_EQ(0, ring_submit(&b));
	EXPECT_EQ(1, ring_submit(&a));
	EXPECT_EQ(1, ring_ready(&a));
	EXPECT_EQ(0, ring_ready(&b));
	ring_exit(&a);
	prep_nop(&b, 2);
	EXPECT_EQ(0, ring_run(&b));
	ring_exit(&b);
}

/* What only the device has. */
FIXTURE(device) { int fd; };

FIXTURE_VARIANT(device) { int unused; };

FIXTURE_VARIANT_ADD(device, device) { .unused = 0 };
FIXTURE_SETUP(device)
{
	self->fd = open(ARING_DEVICE, O_RDWR | O_CLOEXEC);
	ASSERT_GE(self->fd, 0);
}

FIXTURE_TEARDOWN(device)
{
	close(self->fd);
}

static int ioctl_errno(int fd, unsigned long cmd, void *arg)
{
	return ioctl(fd, cmd, arg) < 0 ? -errno : 0;
}

TEST_F(device, unknown_ioctl_is_enotty)
{
	static const unsigned long bad[] = {
		_IO(ARING_IOC_MAGIC, 0x04), _IO(ARING_IOC_MAGIC, 0xff),
		_IO(ARING_IOC_MAGIC, 0x00), _IO(ARING_IOC_MAGIC, 0x01),
		_IOR(ARING_IOC_MAGIC, 0x01, struct aring_enter),
		_IOWR(ARING_IOC_MAGIC, 0x00, char[64]),
		_IO(0xA7, 0x00), 0, 0x5401 /* TCGETS */, 0xffffffff,
	};
	struct aring_params p = { .sq_entries = 8 };
	char buf[4096];

	for (int round = 0; round < 2; round++) {
		for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
			CHECK_EQ(-ENOTTY, ioctl_errno(self->fd, bad[i], buf),
				 "ioctl %#lx, round %d", bad[i], round);
		if (!round)
			ASSERT_EQ(0, ioctl_errno(self->fd, ARING_IOC_SETUP,
						 &p));
	}
}

TEST_F(device, calls_before_setup_are_ebadfd)
{
	struct aring_enter e = { .flags = ARING_ENTER_GETEVENTS };
	struct aring_register reg = { .opcode = ARING_REGISTER_ENABLE_RINGS };
	struct pollfd pfd = { .fd = self->fd, .events = POLLIN };

	EXPECT_EQ(-EBADFD, ioctl_errno(self->fd, ARING_IOC_ENTER, &e));
	EXPECT_EQ(-EBADFD, ioctl_errno(self->fd, ARING_IOC_REGISTER, &reg));
	EXPECT_EQ(MAP_FAILED, mmap(NULL, 4096, PROT_READ | PROT_WRITE,
				   MAP_SHARED, self->fd, 0));
	poll(&pfd, 1, 0);
	EXPECT_EQ(0, pfd.revents & POLLIN);
}

TEST_F(device, setup_twice_is_ebusy)
{
	struct aring_params p = { .sq_entries = 8 };

	EXPECT_EQ(0, ioctl_errno(self->fd, ARING_IOC_SETUP, &p));
	memset(&p, 0, sizeof(p));
	p.sq_entries = 8;
	EXPECT_EQ(-EBUSY, ioctl_errno(self->fd, ARING_IOC_SETUP, &p));
}

TEST_F(device, a_failed_setup_leaves_nothing)
{
	struct aring_enter e = { .flags = 0 };
	struct aring_params *p;

	p = mmap(NULL, 8192, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, p);
	ASSERT_EQ(0, mprotect((char *)p + 4096, 4096, PROT_NONE));
	EXPECT_EQ(-EFAULT, ioctl_errno(self->fd, ARING_IOC_SETUP, NULL));
	EXPECT_EQ(-EFAULT, ioctl_errno(self->fd, ARING_IOC_SETUP, (void *)8));
	EXPECT_EQ(-EFAULT, ioctl_errno(self->fd, ARING_IOC_SETUP,
				       (void *)0xffff800000000000));
	EXPECT_EQ(-EFAULT, ioctl_errno(self->fd, ARING_IOC_SETUP,
				       (char *)p + 4096 - 64));
	EXPECT_EQ(-EINVAL, ioctl_errno(self->fd, ARING_IOC_SETUP, p));
	/* the sizes can be read, the answer cannot be written */
	p->sq_entries = 64;
	ASSERT_EQ(0, mprotect(p, 4096, PROT_READ));
	EXPECT_EQ(-EFAULT, ioctl_errno(self->fd, ARING_IOC_SETUP, p));
	EXPECT_EQ(-EBADFD, ioctl_errno(self->fd, ARING_IOC_ENTER, &e));
	ASSERT_EQ(0, mprotect(p, 4096, PROT_READ | PROT_WRITE));
	p->sq_entries = 8;
	EXPECT_EQ(0, ioctl_errno(self->fd, ARING_IOC_SETUP, p));
	EXPECT_EQ(8, p->sq_entries);
	EXPECT_EQ(0, ioctl_errno(self->fd, ARING_IOC_ENTER, &e));
}

TEST_F(device, bad_pointers_are_efault)
{
	struct aring_params p = { .sq_entries = 8 };
	struct aring_register reg = {
		.opcode = ARING_REGISTER_SYNC_CANCEL, .nr_args = 1, .arg = 8,
	};

	ASSERT_EQ(0, ioctl_errno(self->fd, ARING_IOC_SETUP, &p));
	EXPECT_EQ(-EFAULT, ioctl_errno(self->fd, ARING_IOC_ENTER, NULL));
	EXPECT_EQ(-EFAULT, ioctl_errno(self->fd, ARING_IOC_ENTER, (void *)8));
	EXPECT_EQ(-EFAULT, ioctl_errno(self->fd, ARING_IOC_REGISTER, NULL));
	EXPECT_EQ(-EFAULT, ioctl_errno(self->fd, ARING_IOC_REGISTER,
				       (void *)~7UL));
	EXPECT_EQ(-EFAULT, ioctl_errno(self->fd, ARING_IOC_INFO, NULL));
	EXPECT_EQ(-EFAULT, ioctl_errno(self->fd, ARING_IOC_INFO, (void *)8));
	EXPECT_EQ(-EFAULT, ioctl_errno(self->fd, ARING_IOC_REGISTER, &reg));
}

TEST_F(device, every_other_setup_flag_is_refused)
{
	for (int bit = 0; bit < 32; bit++) {
		if (SETUP_FLAGS & 1U << bit)
			continue;
		CHECK_EQ(-EINVAL, try_flags(DEVICE, 1U << bit), "bit %d", bit);
	}
	EXPECT_EQ(0, try_flags(DEVICE, ARING_SETUP_CQSIZE | ARING_SETUP_CLAMP |
			       ARING_SETUP_R_DISABLED |
			       ARING_SETUP_SUBMIT_ALL |
			       ARING_SETUP_COOP_TASKRUN |
			       ARING_SETUP_TASKRUN_FLAG |
			       ARING_SETUP_SINGLE_ISSUER |
			       ARING_SETUP_DEFER_TASKRUN |
			       ARING_SETUP_FIRST_INDEX));
}

TEST_F(device, every_other_enter_flag_is_refused)
{
	struct ring r;

	ASSERT_EQ(0, ring_init(&r, DEVICE, 8, 0));
	for (int bit = 4; bit < 32; bit++)
		CHECK_EQ(-EINVAL, ring_enter(&r, 0, 0, 1U << bit, NULL, 0),
			 "bit %d", bit);
	ring_exit(&r);
}

TEST_F(device, every_other_register_opcode_is_refused)
{
	struct ring r;

	ASSERT_EQ(0, ring_init(&r, DEVICE, 8, 0));
	for (int op = 0; op < 64; op++)
		if (!(REGISTERS & BIT(op)))
			CHECK_EQ(-EINVAL, ring_register(&r, op, NULL, 0), "register %d", op);
	ring_exit(&r);
}

TEST_F(device, features_are_the_documented_ones)
{
	struct aring_params p = { .sq_entries = 8 };

	ASSERT_EQ(0, ioctl_errno(self->fd, ARING_IOC_SETUP, &p));
	EXPECT_EQ(FEATURES, p.features);
	EXPECT_EQ(0, p.resv[0] | p.resv[1]);
	EXPECT_EQ(0, p.sq_off.resv1 | p.sq_off.resv2);
	EXPECT_EQ(0, p.cq_off.resv1 | p.cq_off.resv2);
}

TEST_F(device, mmap_too_long_is_refused)
{
	struct ring r;
	size_t page = getpagesize();
	size_t rings, sqes;

	ASSERT_EQ(0, ring_init(&r, DEVICE, 64, 0));
	rings = (r.rings_len + page - 1) / page * page;
	sqes = (r.sqes_len + page - 1) / page * page;
	errno = 0;
	EXPECT_EQ(MAP_FAILED, mmap(NULL, rings + page, PROT_READ | PROT_WRITE,
				   MAP_SHARED, r.fd, ARING_OFF_SQ_RING));
	EXPECT_EQ(EINVAL, errno);
	errno = 0;
	EXPECT_EQ(MAP_FAILED, mmap(NULL, rings + page, PROT_READ | PROT_WRITE,
				   MAP_SHARED, r.fd, ARING_OFF_CQ_RING));
	EXPECT_EQ(EINVAL, errno);
	errno = 0;
	EXPECT_EQ(MAP_FAILED, mmap(NULL, sqes + page, PROT_READ | PROT_WRITE,
				   MAP_SHARED, r.fd, ARING_OFF_SQES));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(MAP_FAILED, mmap(NULL, 1UL << 40, PROT_READ, MAP_SHARED,
				   r.fd, ARING_OFF_SQES));
	/* nor may it grow afterwards */
	EXPECT_EQ(MAP_FAILED, mremap(r.sqes, sqes, sqes + page,
				     MREMAP_MAYMOVE));
	EXPECT_EQ(MAP_FAILED, mremap(r.rings, rings, rings + page,
				     MREMAP_MAYMOVE));
	ring_exit(&r);
}

TEST_F(device, private_writable_mmap_is_refused)
{
	struct ring r;
	void *p;

	ASSERT_EQ(0, ring_init(&r, DEVICE, 8, 0));
	errno = 0;
	EXPECT_EQ(MAP_FAILED, mmap(NULL, 4096, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE, r.fd, ARING_OFF_SQ_RING));
	EXPECT_EQ(EINVAL, errno);
	errno = 0;
	EXPECT_EQ(MAP_FAILED, mmap(NULL, 4096, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE, r.fd, ARING_OFF_SQES));
	EXPECT_EQ(EINVAL, errno);
	/* a private read-only one must not become writable */
	p = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, r.fd, ARING_OFF_SQES);
	if (p != MAP_FAILED)
		EXPECT_EQ(-1, mprotect(p, 4096, PROT_READ | PROT_WRITE));
	ring_exit(&r);
}

static void check_info(struct __test_metadata *_metadata, int fd)
{
	struct aring_info i;
	__u64 ops[4] = { 0 };

	memset(&i, 0xff, sizeof(i));
	i.size = sizeof(i);
	ASSERT_EQ(0, ioctl_errno(fd, ARING_IOC_INFO, &i));
	EXPECT_GE(i.size, sizeof(i));
	EXPECT_EQ(ARING_ABI_VERSION, i.abi_version);
	EXPECT_EQ(SETUP_FLAGS, i.setup_flags);
	EXPECT_EQ(FEATURES, i.features);
	EXPECT_EQ(ARING_SQE_FIXED_FILE | ARING_SQE_IO_DRAIN |
		  ARING_SQE_IO_LINK | ARING_SQE_IO_HARDLINK |
		  ARING_SQE_ASYNC | ARING_SQE_CQE_SKIP_SUCCESS, i.sqe_flags);
	EXPECT_EQ(ARING_ENTER_GETEVENTS | ARING_ENTER_SQ_WAKEUP |
		  ARING_ENTER_SQ_WAIT | ARING_ENTER_EXT_ARG, i.enter_flags);
	EXPECT_EQ(ARING_ASYNC_CANCEL_ALL | ARING_ASYNC_CANCEL_FD |
		  ARING_ASYNC_CANCEL_ANY | ARING_ASYNC_CANCEL_FD_FIXED |
		  ARING_ASYNC_CANCEL_USERDATA |
		  ARING_ASYNC_CANCEL_OP | ARING_ASYNC_CANCEL_TICKET,
		  i.cancel_flags);
	EXPECT_EQ(ARING_MAX_ENTRIES, i.max_entries);
	EXPECT_EQ(ARING_MAX_CQ_ENTRIES, i.max_cq_entries);
	EXPECT_EQ(0, i.resv);
	for (size_t n = 0; n < ARRAY_SIZE(OPS); n++)
		ops[OPS[n] / 64] |= 1ULL << OPS[n] % 64;
	for (int n = 0; n < 4; n++)
		EXPECT_EQ(ops[n], i.ops[n]);
	EXPECT_EQ(REGISTERS, i.registers);
	EXPECT_GT(strnlen(i.version, sizeof(i.version)), 0);
	EXPECT_LT(strnlen(i.version, sizeof(i.version)), sizeof(i.version));
}

TEST_F(device, info_before_and_after_setup)
{
	struct aring_params p = { .sq_entries = 8 };

	check_info(_metadata, self->fd);
	ASSERT_EQ(0, ioctl_errno(self->fd, ARING_IOC_SETUP, &p));
	check_info(_metadata, self->fd);
}

TEST_F(device, info_copies_the_shorter_size)
{
	union {
		struct aring_info i;
		unsigned char bytes[1024];
	} u;

	memset(&u, 0xa5, sizeof(u));
	u.i.size = offsetof(struct aring_info, features);
	ASSERT_EQ(0, ioctl_errno(self->fd, ARING_IOC_INFO, &u));
	EXPECT_EQ(sizeof(struct aring_info), u.i.size);
	EXPECT_EQ(ARING_ABI_VERSION, u.i.abi_version);
	EXPECT_EQ(SETUP_FLAGS, u.i.setup_flags);
	for (size_t i = offsetof(struct aring_info, features); i < sizeof(u);
	     i++)
		NEED_EQ(0xa5, u.bytes[i], "byte %zu was written", i);
	memset(&u, 0xa5, sizeof(u));
	u.i.size = sizeof(u);
	ASSERT_EQ(0, ioctl_errno(self->fd, ARING_IOC_INFO, &u));
	EXPECT_EQ(sizeof(struct aring_info), u.i.size);
	EXPECT_EQ(ARING_MAX_ENTRIES, u.i.max_entries);
}

TEST_F(device, opening_through_proc_makes_a_new_ring)
{
	struct aring_enter e = { .flags = 0 };
	struct aring_params p = { .sq_entries = 8 };
	char path[64];
	int fd;

	ASSERT_EQ(0, ioctl_errno(self->fd, ARING_IOC_SETUP, &p));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", self->fd);
	fd = open(path, O_RDWR);
	ASSERT_GE(fd, 0);
	EXPECT_EQ(-EBADFD, ioctl_errno(fd, ARING_IOC_ENTER, &e));
	EXPECT_EQ(0, ioctl_errno(fd, ARING_IOC_SETUP, &p));
	close(fd);
}

/* The 32-bit system call; ioctl is number 54 there. */
static long compat_ioctl(int fd, unsigned int cmd, void *arg)
{
#ifdef __x86_64__
	long ret;

	asm volatile("int $0x80" : "=a" (ret)
		     : "a" (54L), "b" ((long)fd), "c" ((long)cmd), "d" (arg)
		     : "memory", "r8", "r9", "r10", "r11");
	return (int)ret;
#else
	return -ENOSYS;
#endif
}

TEST_F(device, a_32_bit_ioctl_is_enotty)
{
	int status;
	pid_t pid;
	char *low;

	low = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	ASSERT_NE(MAP_FAILED, low);
	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid) {
		/* F_GETFD by fcntl64 would do as well; any answer is one */
		compat_ioctl(-1, 0, low);
		_exit(0);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	if (!WIFEXITED(status))
		SKIP(return, "this kernel has no 32-bit system calls");
	((struct aring_params *)low)->sq_entries = 8;
	EXPECT_EQ(-ENOTTY, compat_ioctl(self->fd, ARING_IOC_SETUP, low));
	EXPECT_EQ(0, ioctl_errno(self->fd, ARING_IOC_SETUP, low));
	memset(low, 0, 4096);
	EXPECT_EQ(-ENOTTY, compat_ioctl(self->fd, ARING_IOC_ENTER, low));
	EXPECT_EQ(-ENOTTY, compat_ioctl(self->fd, ARING_IOC_REGISTER, low));
	EXPECT_EQ(-ENOTTY, compat_ioctl(self->fd, ARING_IOC_INFO, low));
	EXPECT_EQ(-ENOTTY, compat_ioctl(self->fd, 0x5401, low));
}

TEST_F(device, bad_setup_prints_nothing)
{
	int log = kmsg_mark();
	struct aring_params p = { .sq_entries = UINT_MAX };

	ASSERT_GE(log, 0);
	for (int bit = 0; bit < 32; bit++)
		try_flags(DEVICE, 1U << bit);
	ioctl_errno(self->fd, ARING_IOC_SETUP, &p);
	ioctl_errno(self->fd, ARING_IOC_SETUP, (void *)8);
	ioctl_errno(self->fd, ARING_IOC_ENTER, (void *)8);
	ioctl_errno(self->fd, _IO(ARING_IOC_MAGIC, 77), NULL);
	mmap(NULL, 1UL << 40, PROT_READ | PROT_WRITE, MAP_SHARED, self->fd, 0);
	EXPECT_EQ(0, kmsg_count(log));
	close(log);
}

RING_TEST_MAIN
