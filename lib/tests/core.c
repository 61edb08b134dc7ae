// SPDX-License-Identifier: MIT
/*
 * The library's core, on whichever backend ARING_BACKEND names. What holds on
 * one of them alone says so and is skipped on the other. Prints TAP.
 */
#include <fcntl.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "test.h"

struct aring ring;
int failed;

void begin_params(unsigned int entries, struct aring_params *p)
{
	int ret = aring_queue_init_params(entries, &ring, p);

	if (ret < 0) {
		printf("Bail out! no ring: %s\n", strerror(-ret));
		exit(1);
	}
}

void begin(unsigned int entries, unsigned int flags)
{
	struct aring_params p = { .flags = flags };

	begin_params(entries, &p);
}

bool on_device(void)
{
	return ring.backend == ARING_BACKEND_DEVICE;
}

/* Wait for one completion and give it back; returns what was in it. */
struct aring_cqe take(void)
{
	struct __kernel_timespec limit = { .tv_sec = 60 };
	struct aring_cqe *cqe, copy = { .res = -EPROTO };

	if (!aring_wait_cqe_timeout(&ring, &cqe, &limit)) {
		copy = *cqe;
		aring_cqe_seen(&ring, cqe);
	}
	return copy;
}

/*
 * The same for the completion named @data, which is next or next but one; the
 * other one then is next.
 */
struct aring_cqe take_of(__u64 data)
{
	static struct aring_cqe kept;
	static bool have;
	struct aring_cqe c = have ? kept : take();

	if (have || c.user_data == data) {
		have = false;
	} else {
		kept = c;
		have = true;
		c = take();
	}
	CHECK_EQ(c.user_data, data);
	return c;
}

struct aring_sqe *nop(__u64 data)
{
	struct aring_sqe *sqe = aring_get_sqe(&ring);

	if (sqe) {
		aring_prep_nop(sqe);
		aring_sqe_set_data64(sqe, data);
	}
	return sqe;
}

/* Name what was filled in last, and submit all. */
void submit_one(struct aring_sqe *sqe, __u64 data)
{
	aring_sqe_set_data64(sqe, data);
	CHECK_EQ(aring_submit(&ring), 1);
}

double seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static const struct __kernel_timespec long_time = { .tv_sec = 100 };
static const struct __kernel_timespec short_time = { .tv_nsec = 20000000 };

static void test_sqes_are_as_many_as_asked_for(void)
{
	unsigned int i;

	for (i = 0; i < 4; i++) {
		CHECK_EQ(aring_sq_space_left(&ring), 4 - i);
		CHECK(nop(i));
		CHECK_EQ(aring_sq_ready(&ring), i + 1);
	}
	CHECK(!aring_get_sqe(&ring));
	CHECK_EQ(aring_submit(&ring), 4);
	CHECK_EQ(aring_sq_space_left(&ring), 4);
	for (i = 0; i < 4; i++)
		CHECK_EQ(take().user_data, i);
	CHECK_EQ(aring_submit(&ring), 0);
}

/* Rounds of NOPs; @out are on their way already. */
void many_rounds(__u64 out)
{
	unsigned int i;
	__u64 in = 0;

	while (in < out)
		CHECK_EQ(take().user_data, in++);

	for (i = 0; i < 1000; i++) {
		unsigned int n = i % 4 + 1, k;

		for (k = 0; k < n; k++)
			CHECK(nop(out++));
		CHECK_EQ(aring_submit_and_wait(&ring, n), n);
		for (k = 0; k < n; k++)
			CHECK_EQ(take().user_data, in++);
	}
}

static void test_many_rounds_keep_the_order(void)
{
	many_rounds(0);
}

static void test_peek_finds_nothing(void)
{
	struct aring_cqe *cqe = (void *)1;

	CHECK_EQ(aring_peek_cqe(&ring, &cqe), -EAGAIN);
	CHECK(!cqe);
	CHECK_EQ(aring_peek_batch_cqe(&ring, &cqe, 1), 0);
	CHECK_EQ(aring_cq_ready(&ring), 0);
}

static void test_walk_and_batch(void)
{
	struct aring_cqe *cqes[8], *cqe;
	unsigned int head, n = 0;

	CHECK(nop(7) && nop(8) && nop(9));
	CHECK_EQ(aring_submit_and_wait(&ring, 3), 3);
	aring_for_each_cqe(&ring, head, cqe)
		CHECK_EQ(cqe->user_data, 7 + n++);
	CHECK_EQ(n, 3);
	CHECK(!cqe);
	CHECK_EQ(aring_peek_batch_cqe(&ring, cqes, 2), 2);
	CHECK_EQ(aring_cqe_get_data64(cqes[1]), 8);
	CHECK_EQ(aring_peek_batch_cqe(&ring, cqes, 8), 3);
	aring_cq_advance(&ring, 3);
	CHECK_EQ(aring_cq_ready(&ring), 0);
}

static void test_a_wait_ends_in_time(void)
{
	struct aring_cqe *cqe;
	double start = seconds();

	CHECK_EQ(aring_wait_cqe_timeout(&ring, &cqe, &short_time), -ETIME);
	CHECK(!cqe);
	CHECK(seconds() - start >= 0.02);
	CHECK(nop(3));
	CHECK_EQ(aring_submit_and_wait_timeout(&ring, &cqe, 2, &short_time,
					       NULL), 1);
	CHECK(cqe && cqe->user_data == 3);
	aring_cqe_seen(&ring, cqe);
}

static void on_alarm(int sig)
{
	(void)sig;
}

static void test_a_signal_ends_a_wait(void)
{
	struct itimerval it = { .it_value.tv_usec = 20000 };
	struct sigaction sa = { .sa_handler = on_alarm };
	struct aring_cqe *cqe;
	sigset_t mask;

	sigaction(SIGALRM, &sa, NULL);
	setitimer(ITIMER_REAL, &it, NULL);
	CHECK_EQ(aring_wait_cqe(&ring, &cqe), -EINTR);

	sigemptyset(&mask);
	sigaddset(&mask, SIGALRM);
	it.it_value.tv_usec = 5000;
	setitimer(ITIMER_REAL, &it, NULL);
	CHECK_EQ(aring_wait_cqes(&ring, &cqe, 1, &short_time, &mask), -ETIME);
}

static void test_files(void)
{
	char path[] = "/tmp/aring-test-XXXXXX", a[4], b[4];
	struct iovec iov[2] = { { a, 3 }, { b, 3 } };
	int fd = mkstemp(path);

	unlink(path);
	aring_prep_write(aring_get_sqe(&ring), fd, "abcdef", 6, 0);
	aring_submit(&ring);
	CHECK_EQ(take().res, 6);
	aring_prep_readv(aring_get_sqe(&ring), fd, iov, 2, 0);
	aring_submit(&ring);
	CHECK_EQ(take().res, 6);
	CHECK(!memcmp(a, "abc", 3) && !memcmp(b, "def", 3));
	aring_prep_writev(aring_get_sqe(&ring), fd, iov, 2, 6);
	aring_submit(&ring);
	CHECK_EQ(take().res, 6);
	aring_prep_fsync(aring_get_sqe(&ring), fd, ARING_FSYNC_DATASYNC);
	aring_submit(&ring);
	CHECK_EQ(take().res, 0);
	aring_prep_read(aring_get_sqe(&ring), fd, a, 4, 11);
	aring_submit(&ring);
	CHECK_EQ(take().res, 1);
	CHECK_EQ(a[0], 'f');
	aring_prep_read(aring_get_sqe(&ring), fd, a, 4, 12);
	aring_submit(&ring);
	CHECK_EQ(take().res, 0);
	close(fd);
	aring_prep_read(aring_get_sqe(&ring), fd, a, 4, 0);
	aring_submit(&ring);
	CHECK_EQ(take().res, -EBADF);
}

static void test_no_completion_is_lost(void)
{
	struct aring_cqe *cqe;
	unsigned int i;

	for (i = 0; i < 80; i++) {
		CHECK(nop(i));
		CHECK_EQ(aring_submit(&ring), 1);
	}
	CHECK(aring_cq_has_overflow(&ring));
	for (i = 0; i < 80; i++) {
		CHECK_EQ(aring_peek_cqe(&ring, &cqe), 0);
		if (!cqe)
			break;
		CHECK_EQ(cqe->user_data, i);
		aring_cqe_seen(&ring, cqe);
	}
	CHECK(!aring_cq_has_overflow(&ring));
	CHECK_EQ(aring_peek_cqe(&ring, &cqe), -EAGAIN);
}

static void prep_long_timeout(__u64 data)
{
	struct aring_sqe *sqe = aring_get_sqe(&ring);

	aring_prep_timeout(sqe, &long_time, 0, 0);
	aring_sqe_set_data64(sqe, data);
}

static void test_cancel_and_timeouts(void)
{
	struct aring_sqe *sqe;
	struct aring_cqe c[2];

	prep_long_timeout(1);
	CHECK_EQ(aring_submit(&ring), 1);
	sqe = aring_get_sqe(&ring);
	aring_prep_cancel64(sqe, 1, 0);
	aring_sqe_set_data64(sqe, 2);
	CHECK_EQ(aring_submit(&ring), 1);
	c[0] = take();
	c[1] = take();
	CHECK_EQ(c[0].user_data + c[1].user_data, 3);
	CHECK_EQ(c[0].user_data == 1 ? c[0].res : c[1].res, -ECANCELED);
	CHECK_EQ(c[0].user_data == 1 ? c[1].res : c[0].res, 0);

	prep_long_timeout(1);
	CHECK_EQ(aring_submit(&ring), 1);
	sqe = aring_get_sqe(&ring);
	aring_prep_timeout_update(sqe, &short_time, 1, 0);
	aring_sqe_set_data64(sqe, 2);
	CHECK_EQ(aring_submit(&ring), 1);
	c[0] = take();
	c[1] = take();
	CHECK_EQ(c[0].user_data, 2);
	CHECK_EQ(c[0].res, 0);
	CHECK_EQ(c[1].res, -ETIME);

	aring_prep_timeout_remove(aring_get_sqe(&ring), 1, 0);
	CHECK_EQ(aring_submit(&ring), 1);
	CHECK_EQ(take().res, -ENOENT);
}

static void test_cancel_by_ticket(void)
{
	unsigned int tickets[3], i;
	struct aring_sqe *sqe;
	struct aring_cqe c;

	for (i = 0; i < 3; i++) {
		sqe = aring_get_sqe(&ring);
		aring_prep_timeout(sqe, &long_time, 0, 0);
		aring_sqe_set_data64(sqe, 5);
		tickets[i] = aring_sqe_ticket(&ring, sqe);
	}
	CHECK_EQ(aring_submit(&ring), 3);
	sqe = aring_get_sqe(&ring);
	aring_prep_cancel_ticket(sqe, tickets[1], 0);
	aring_sqe_set_data64(sqe, 6);
	CHECK_EQ(aring_submit(&ring), 1);

	c = take();
	if (!on_device()) {
		CHECK_EQ(c.res, -EINVAL);
		return;
	}
	if (c.user_data == 6) {
		CHECK_EQ(c.res, 0);
		c = take();
		CHECK_EQ(c.res, -ECANCELED);
	} else {
		CHECK_EQ(c.res, -ECANCELED);
		CHECK_EQ(take().res, 0);
	}
	aring_prep_cancel_ticket(aring_get_sqe(&ring), tickets[1], 0);
	CHECK_EQ(aring_submit(&ring), 1);
	CHECK_EQ(take().res, -ENOENT);
}

static void test_sync_cancel(void)
{
	struct aring_sync_cancel_reg reg = {
		.addr = 9,
		.fd = -1,
		.timeout = { .tv_sec = -1, .tv_nsec = -1 },
	};

	prep_long_timeout(9);
	CHECK_EQ(aring_submit(&ring), 1);
	CHECK_EQ(aring_register_sync_cancel(&ring, &reg), 0);
	CHECK_EQ(take().res, -ECANCELED);
	CHECK_EQ(aring_register_sync_cancel(&ring, &reg), -ENOENT);
}

static void test_probe(void)
{
	struct aring_probe *p = aring_get_probe_ring(&ring);

	CHECK(p);
	if (!p)
		return;
	CHECK(aring_opcode_supported(p, ARING_OP_NOP));
	CHECK(aring_opcode_supported(p, ARING_OP_WRITE));
	CHECK(!aring_opcode_supported(p, 250));
	CHECK(!aring_opcode_supported(p, -1));
	aring_free_probe(p);
	p = aring_get_probe();
	CHECK(p);
	aring_free_probe(p);
}

static void test_disabled_ring(void)
{
	aring_queue_exit(&ring);
	begin(4, ARING_SETUP_R_DISABLED);
	CHECK(nop(1));
	CHECK_EQ(aring_submit(&ring), -EBADFD);
	CHECK_EQ(aring_enable_rings(&ring), 0);
	CHECK_EQ(aring_submit(&ring), 1);
	CHECK_EQ(take().user_data, 1);
}

static void test_indices_wrap(void)
{
	struct aring_params p = {
		.flags = ARING_SETUP_FIRST_INDEX,
		.first_index = 0xfffffffe,
	};
	struct aring_sqe *sqe;

	if (!on_device())
		return;
	aring_queue_exit(&ring);
	CHECK_EQ(aring_queue_init_params(4, &ring, &p), 0);
	CHECK_EQ(aring_sq_space_left(&ring), 4);
	sqe = nop(0);
	CHECK_EQ(aring_sqe_ticket(&ring, sqe), 0xfffffffe);
	CHECK(nop(1));
	sqe = nop(2);
	CHECK_EQ(aring_sqe_ticket(&ring, sqe), 0);
	CHECK(nop(3));
	CHECK(!aring_get_sqe(&ring));
	CHECK_EQ(aring_submit(&ring), 4);
	many_rounds(4);
}

static void test_device_alone(void)
{
	struct aring_params p = { 0 };
	struct aring_info info;
	int fd;

	if (!on_device())
		return;
	CHECK_EQ(aring_get_info(&info), 0);
	CHECK(info.abi_version >= 1);
	CHECK_EQ(info.max_entries, ARING_MAX_ENTRIES);
	aring_queue_exit(&ring);
	fd = open(ARING_DEVICE, O_RDWR);
	CHECK_EQ(aring_queue_init_fd(fd, 0, &ring, &p), -EINVAL);
	memset(&p, 0, sizeof(p));
	CHECK_EQ(aring_queue_init_fd(fd, 4, &ring, &p), 0);
	CHECK(nop(1));
	CHECK_EQ(aring_submit(&ring), 1);
	CHECK_EQ(take().user_data, 1);
}

static void test_bad_setup(void)
{
	struct aring_params p = { 0 };
	struct aring r;

	CHECK_EQ(aring_queue_init(0, &r, 0), -EINVAL);
	CHECK_EQ(aring_queue_init(ARING_MAX_ENTRIES + 1, &r, 0), -EINVAL);
	CHECK_EQ(aring_queue_init(1, &r, 1U << 30), -EINVAL);
	CHECK_EQ(aring_queue_init_backend((enum aring_backend)9, 1, &r, &p),
		 -EINVAL);
	setenv("ARING_BACKEND", "nonsense", 1);
	CHECK_EQ(aring_queue_init(1, &r, 0), -EINVAL);
	setenv("ARING_BACKEND", on_device() ? "device" : "io_uring", 1);
}

static const struct test core_tests[] = {
	TEST(sqes_are_as_many_as_asked_for),
	TEST(many_rounds_keep_the_order),
	TEST(peek_finds_nothing),
	TEST(walk_and_batch),
	TEST(a_wait_ends_in_time),
	TEST(a_signal_ends_a_wait),
	TEST(files),
	TEST(no_completion_is_lost),
	TEST(cancel_and_timeouts),
	TEST(cancel_by_ticket),
	TEST(sync_cancel),
	TEST(probe),
	TEST(disabled_ring),
	TEST(indices_wrap),
	TEST(device_alone),
	TEST(bad_setup),
	{ }
};

static const struct test * const tables[] = {
	core_tests,
	net_tests,
	resource_tests,
	shape_tests,
	command_tests,
};

/* io_uring of 6.1 and later has all that is tested here. */
static bool has_what_it_needs(const struct test *t)
{
	struct aring_info info;

	if (!on_device() || aring_get_info(&info))
		return true;
	return (info.ops[t->op / 64] >> t->op % 64 & 1) &&
	       (!t->reg || (info.registers >> t->reg & 1)) &&
	       !(t->setup & ~info.setup_flags) && !(t->sqe & ~info.sqe_flags);
}

static void run(const struct test *t, unsigned int nr)
{
	failed = 0;
	begin(4, 0);
	if (!has_what_it_needs(t)) {
		printf("ok %u %s # SKIP the module does not have it\n", nr,
		       t->name);
	} else {
		t->run();
		printf("%sok %u %s\n", failed ? "not " : "", nr, t->name);
	}
	aring_queue_exit(&ring);
}

/* An argument picks the tests whose names contain it. */
int main(int argc, char **argv)
{
	const char *only = argc > 1 ? argv[1] : "";
	unsigned int i, nr = 0;
	const struct test *t;
	int status = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	for (i = 0; i < ARRAY_SIZE(tables); i++)
		for (t = tables[i]; t->name; t++)
			nr += !!strstr(t->name, only);
	printf("TAP version 13\n1..%u\n", nr);

	nr = 0;
	for (i = 0; i < ARRAY_SIZE(tables); i++) {
		for (t = tables[i]; t->name; t++) {
			if (!strstr(t->name, only))
				continue;
			run(t, ++nr);
			status |= failed;
		}
	}
	return status;
}

