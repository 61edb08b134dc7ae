// SPDX-License-Identifier: MIT
/*
 * The library's tests: registered buffers and files, eventfd, restrictions,
 * personalities.
 */
#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include "test.h"

static char buffers[3][4096] __attribute__((aligned(4096)));

static int temporary_file(const char *text)
{
	char path[] = "/tmp/aring-test-XXXXXX";
	int fd = mkstemp(path);

	unlink(path);
	CHECK_EQ(write(fd, text, strlen(text)), strlen(text));
	return fd;
}

static int read_fixed(int fd, void *buf, unsigned int n, __u64 off, int index)
{
	struct aring_sqe *sqe = aring_get_sqe(&ring);

	aring_prep_read_fixed(sqe, fd, buf, n, off, index);
	submit_one(sqe, 1);
	return take_of(1).res;
}

/* Reads a byte of the registered file number @index. */
static int read_slot(int index)
{
	struct aring_sqe *sqe = aring_get_sqe(&ring);
	char byte = 0;
	int res;

	aring_prep_read(sqe, index, &byte, 1, 0);
	aring_sqe_set_flags(sqe, ARING_SQE_FIXED_FILE);
	submit_one(sqe, 1);
	res = take_of(1).res;
	return res == 1 ? byte : res;
}

/*
 * For tables with tags: whether an unregistered slot's tag is told depends on
 * the kernel (Linux 6.1 does not).
 */
static void fresh_ring(void)
{
	aring_queue_exit(&ring);
	begin(4, 0);
}

static void test_buffers(void)
{
	struct iovec iov[2] = { { buffers[0], 4096 }, { buffers[1], 4096 } };
	struct aring_sqe *sqe;
	int fd = temporary_file("0123456789");

	CHECK_EQ(aring_unregister_buffers(&ring), -ENXIO);
	CHECK_EQ(aring_register_buffers(&ring, iov, 2), 0);
	CHECK_EQ(aring_register_buffers(&ring, iov, 2), -EBUSY);
	CHECK_EQ(read_fixed(fd, buffers[1] + 100, 10, 0, 1), 10);
	CHECK(!memcmp(buffers[1] + 100, "0123456789", 10));
	CHECK_EQ(read_fixed(fd, buffers[1], 10, 0, 0), -EFAULT);
	CHECK_EQ(read_fixed(fd, buffers[1] + 4090, 10, 0, 1), -EFAULT);
	CHECK_EQ(read_fixed(fd, buffers[0], 10, 0, 2), -EFAULT);

	memcpy(buffers[0], "abc", 3);
	sqe = aring_get_sqe(&ring);
	aring_prep_write_fixed(sqe, fd, buffers[0], 3, 10, 0);
	submit_one(sqe, 1);
	CHECK_EQ(take_of(1).res, 3);
	CHECK_EQ(read_fixed(fd, buffers[0] + 50, 13, 0, 0), 13);
	CHECK(!memcmp(buffers[0] + 50, "0123456789abc", 13));
	CHECK_EQ(aring_unregister_buffers(&ring), 0);
	close(fd);
}

static void test_buffers_sparse_and_tags(void)
{
	struct iovec iov[2] = { { buffers[0], 4096 }, { buffers[1], 4096 } };
	struct iovec none = { NULL, 0 };
	__u64 tags[2] = { 101, 102 }, zero = 0;
	int fd = temporary_file("0123456789");

	CHECK_EQ(aring_register_buffers_sparse(&ring, 3), 0);
	CHECK_EQ(read_fixed(fd, buffers[0], 10, 0, 1), -EFAULT);
	CHECK_EQ(aring_register_buffers_update_tag(&ring, 1, iov, tags, 2), 2);
	CHECK_EQ(read_fixed(fd, buffers[0], 10, 0, 1), 10);
	CHECK_EQ(aring_register_buffers_update_tag(&ring, 1, &none, &zero, 1),
		 1);
	CHECK_EQ(take_of(101).res, 0);
	CHECK_EQ(read_fixed(fd, buffers[0], 10, 0, 1), -EFAULT);
	CHECK_EQ(aring_register_buffers_update_tag(&ring, 3, iov, tags, 1),
		 -EINVAL);
	fresh_ring();

	CHECK_EQ(aring_register_buffers_tags(&ring, iov, tags, 2), 0);
	CHECK_EQ(read_fixed(fd, buffers[1], 10, 0, 1), 10);
	CHECK_EQ(aring_register_buffers_update_tag(&ring, 1, &none, &zero, 1),
		 1);
	CHECK_EQ(take_of(102).res, 0);
	close(fd);
}

static void test_files_registered(void)
{
	int a = temporary_file("a"), b = temporary_file("b");
	int skip[2] = { ARING_REGISTER_FILES_SKIP, -1 };
	int fds[3] = { a, -1, b };

	CHECK_EQ(aring_unregister_files(&ring), -ENXIO);
	CHECK_EQ(aring_register_files(&ring, fds, 3), 0);
	CHECK_EQ(aring_register_files(&ring, fds, 3), -EBUSY);
	close(a);
	CHECK_EQ(read_slot(0), 'a');
	CHECK_EQ(read_slot(1), -EBADF);
	CHECK_EQ(read_slot(2), 'b');
	CHECK_EQ(read_slot(3), -EBADF);

	CHECK_EQ(aring_register_files_update(&ring, 1, &b, 1), 1);
	CHECK_EQ(read_slot(1), 'b');
	CHECK_EQ(aring_register_files_update(&ring, 0, skip, 2), 2);
	CHECK_EQ(read_slot(0), 'a');
	CHECK_EQ(read_slot(1), -EBADF);
	CHECK_EQ(aring_register_files_update(&ring, 3, &b, 1), -EINVAL);
	CHECK_EQ(aring_unregister_files(&ring), 0);
	CHECK_EQ(read_slot(0), -EBADF);
	close(b);
}

static void test_files_sparse_and_tags(void)
{
	int fds[2] = { temporary_file("a"), temporary_file("b") };
	__u64 tags[2] = { 201, 202 }, zero = 0;
	int none = -1;

	CHECK_EQ(aring_register_files_sparse(&ring, 4), 0);
	CHECK_EQ(read_slot(2), -EBADF);
	CHECK_EQ(aring_register_files_update_tag(&ring, 2, fds, tags, 2), 2);
	CHECK_EQ(read_slot(3), 'b');
	CHECK_EQ(aring_register_files_update_tag(&ring, 2, &none, &zero, 1), 1);
	CHECK_EQ(take_of(201).res, 0);
	CHECK_EQ(aring_register_file_alloc_range(&ring, 1, 3), 0);
	CHECK_EQ(aring_register_file_alloc_range(&ring, 1, 4), -EINVAL);
	CHECK_EQ(aring_register_file_alloc_range(&ring, 2, ~0U), -EOVERFLOW);
	fresh_ring();

	CHECK_EQ(aring_register_files_tags(&ring, fds, tags, 2), 0);
	CHECK_EQ(read_slot(1), 'b');
	CHECK_EQ(aring_register_files_update_tag(&ring, 1, &none, &zero, 1), 1);
	CHECK_EQ(take_of(202).res, 0);
	close(fds[0]);
	close(fds[1]);
}

static void test_more_files_than_may_be_open(void)
{
	struct rlimit before, low;

	CHECK_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
	low = before;
	low.rlim_cur = 64;
	CHECK_EQ(setrlimit(RLIMIT_NOFILE, &low), 0);
	CHECK_EQ(aring_register_files_sparse(&ring, 100), 0);
	CHECK_EQ(getrlimit(RLIMIT_NOFILE, &low), 0);
	CHECK(low.rlim_cur >= 100);
	CHECK_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
}

/* What the eventfd @fd counted since it was last asked. */
static int counted(int fd)
{
	eventfd_t n;

	return eventfd_read(fd, &n) ? 0 : (int)n;
}

static void one_nop(void)
{
	submit_one(nop(1), 1);
	CHECK_EQ(take_of(1).res, 0);
}

static void test_eventfd(void)
{
	int fd = eventfd(0, EFD_NONBLOCK);

	CHECK(aring_cq_eventfd_enabled(&ring));
	CHECK_EQ(aring_unregister_eventfd(&ring), -ENXIO);
	CHECK_EQ(aring_register_eventfd(&ring, fd), 0);
	CHECK_EQ(aring_register_eventfd(&ring, fd), -EBUSY);
	one_nop();
	CHECK_EQ(counted(fd), 1);

	CHECK_EQ(aring_cq_eventfd_toggle(&ring, 0), 0);
	CHECK(!aring_cq_eventfd_enabled(&ring));
	CHECK_EQ(aring_cq_eventfd_toggle(&ring, 0), 0);
	one_nop();
	CHECK_EQ(counted(fd), 0);

	CHECK_EQ(aring_cq_eventfd_toggle(&ring, 1), 0);
	CHECK(aring_cq_eventfd_enabled(&ring));
	one_nop();
	CHECK_EQ(counted(fd), 1);

	CHECK_EQ(aring_unregister_eventfd(&ring), 0);
	one_nop();
	CHECK_EQ(counted(fd), 0);

	/* Not for what completes within the submit. */
	CHECK_EQ(aring_register_eventfd_async(&ring, fd), 0);
	one_nop();
	CHECK_EQ(counted(fd), 0);
	CHECK_EQ(aring_unregister_eventfd(&ring), 0);
	close(fd);
}

static void test_restrictions(void)
{
	struct aring_restriction res[] = {
		{ .opcode = ARING_RESTRICTION_SQE_OP, .sqe_op = ARING_OP_NOP },
		{ .opcode = ARING_RESTRICTION_REGISTER_OP,
		  .register_op = ARING_REGISTER_PROBE },
	};
	struct aring_sqe *sqe;
	struct aring_probe *p;
	char byte;

	CHECK_EQ(aring_register_restrictions(&ring, res, 2), -EBADFD);
	aring_queue_exit(&ring);
	begin(4, ARING_SETUP_R_DISABLED);
	CHECK_EQ(aring_register_restrictions(&ring, res, 2), 0);
	CHECK_EQ(aring_register_restrictions(&ring, res, 2), -EBUSY);
	CHECK_EQ(aring_enable_rings(&ring), 0);
	one_nop();
	sqe = aring_get_sqe(&ring);
	aring_prep_read(sqe, 0, &byte, 1, 0);
	submit_one(sqe, 2);
	CHECK_EQ(take_of(2).res, -EACCES);
	CHECK_EQ(aring_register_files_sparse(&ring, 4), -EACCES);
	p = aring_get_probe_ring(&ring);
	CHECK(p);
	aring_free_probe(p);
}

static void test_personality(void)
{
	int id = aring_register_personality(&ring);
	struct aring_sqe *sqe;

	CHECK(id > 0);
	sqe = nop(1);
	sqe->personality = (__u16)id;
	submit_one(sqe, 1);
	CHECK_EQ(take_of(1).res, 0);
	CHECK_EQ(aring_unregister_personality(&ring, id), 0);
	CHECK_EQ(aring_unregister_personality(&ring, id), -EINVAL);
	sqe = nop(1);
	sqe->personality = (__u16)id;
	submit_one(sqe, 1);
	CHECK_EQ(take_of(1).res, -EINVAL);
}

const struct test resource_tests[] = {
	TEST(buffers, .op = ARING_OP_READ_FIXED),
	TEST(buffers_sparse_and_tags, .op = ARING_OP_READ_FIXED,
	     .reg = ARING_REGISTER_BUFFERS_UPDATE),
	TEST(files_registered, .reg = ARING_REGISTER_FILES),
	TEST(files_sparse_and_tags, .reg = ARING_REGISTER_FILES_UPDATE2),
	TEST(more_files_than_may_be_open, .reg = ARING_REGISTER_FILES2),
	TEST(eventfd, .reg = ARING_REGISTER_EVENTFD),
	TEST(restrictions, .reg = ARING_REGISTER_RESTRICTIONS),
	TEST(personality, .reg = ARING_REGISTER_PERSONALITY),
	{ }
};
