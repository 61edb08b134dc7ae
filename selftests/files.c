// SPDX-License-Identifier: MIT
/*
 * Registered files: the calls that make and change the table, and operations
 * that name a slot of it. What happens while a slot is in use: files_life.c.
 */
#include "resources.h"
#include <sys/resource.h>

#define FILES2		ARING_REGISTER_FILES2
#define UPDATE2		ARING_REGISTER_FILES_UPDATE2

RING_FIXTURE(files);

static int temp_file(const char *text)
{
	int fd = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd >= 0 && write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		return -1;
	return fd;
}

/* Does a read of slot @slot find @text? The error, or 0; 1 for other text. */
static int slot_says(struct ring *r, int slot, const char *text)
{
	char b[64] = "";
	int ret = run_slot(r, ARING_OP_READ, slot, b, sizeof(b) - 1, 0);

	if (ret < 0)
		return ret;
	return strcmp(b, text) ? 1 : 0;
}

/* --- the table ----------------------------------------------------------- */

TEST_F(files, a_table_comes_and_goes)
{
	struct ring *r = &self->r;
	__s32 fds[3];

	fds[0] = temp_file("zero");
	fds[1] = temp_file("one");
	fds[2] = temp_file("two");
	for (int i = 0; i < 3; i++) {
		EXPECT_EQ(-ENXIO, unreg_files(r));
		EXPECT_EQ(0, reg_files(r, fds, 3));
		EXPECT_EQ(-EBUSY, reg_files(r, fds, 3));
		EXPECT_EQ(-EBUSY, reg_rsrc(r, FILES2, fds, NULL, 3, 0));
		/* a full table is seen before a bad count is */
		EXPECT_EQ(-EBUSY, reg_files(r, fds, 0));
		EXPECT_EQ(0, slot_says(r, 0, "zero"));
		EXPECT_EQ(0, slot_says(r, 1, "one"));
		EXPECT_EQ(0, slot_says(r, 2, "two"));
		EXPECT_EQ(-EBADF, slot_says(r, 3, ""));
		EXPECT_EQ(0, unreg_files(r));
		EXPECT_EQ(-EBADF, slot_says(r, 0, "zero"));
	}
}

TEST_F(files, holes)
{
	struct ring *r = &self->r;
	__s32 fds[5] = { -1, temp_file("one"), -1, temp_file("three"), -1 };
	static const __s32 none[4] = { -1, -1, -1, -1 };

	ASSERT_EQ(0, reg_files(r, fds, 5));
	for (int i = 0; i < 5; i += 2)
		CHECK_EQ(-EBADF, slot_says(r, i, ""), "slot %d", i);
	EXPECT_EQ(0, slot_says(r, 1, "one"));
	EXPECT_EQ(0, slot_says(r, 3, "three"));
	ASSERT_EQ(0, unreg_files(r));
	ASSERT_EQ(0, reg_files(r, none, 4));
	EXPECT_EQ(-EBADF, slot_says(r, 3, ""));
	EXPECT_EQ(1, update_file(r, 3, fds[3]));
	EXPECT_EQ(0, slot_says(r, 3, "three"));
}

TEST_F(files, bad_arguments_of_register_and_unregister)
{
	struct ring *r = &self->r;
	__s32 fd = temp_file("");
	int op = ARING_REGISTER_FILES;

	EXPECT_EQ(-EFAULT, ring_register(r, op, NULL, 1));
	EXPECT_EQ(-EFAULT, ring_register(r, op, NULL, 0));
	EXPECT_EQ(-EINVAL, ring_register(r, op, &fd, 0));
	EXPECT_EQ(-EFAULT, ring_register(r, op, ptr(8), 1));
	EXPECT_EQ(-EMFILE, ring_register(r, op, &fd, UINT_MAX));
	EXPECT_EQ(-EMFILE, ring_register(r, op, &fd, (1 << 20) + 1));
	op = ARING_UNREGISTER_FILES;
	EXPECT_EQ(-EINVAL, ring_register(r, op, &fd, 0));
	EXPECT_EQ(-EINVAL, ring_register(r, op, NULL, 1));
	ASSERT_EQ(0, reg_files(r, &fd, 1));
	EXPECT_EQ(-EINVAL, ring_register(r, op, &fd, 0));
	EXPECT_EQ(-EINVAL, ring_register(r, op, NULL, 1));
	EXPECT_EQ(0, slot_says(r, 0, ""));
}

TEST_F(files, the_limit_is_that_of_open_files)
{
	struct ring *r = &self->r;
	struct rlimit old, lim;
	__s32 fds[65];

	memset(fds, 0xff, sizeof(fds));
	ASSERT_EQ(0, getrlimit(RLIMIT_NOFILE, &old));
	lim = old;
	lim.rlim_cur = 64;
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &lim));
	EXPECT_EQ(-EMFILE, reg_files(r, fds, 65));
	EXPECT_EQ(-EMFILE, reg_rsrc(r, FILES2, NULL, NULL, 65,
				    ARING_RSRC_REGISTER_SPARSE));
	EXPECT_EQ(0, reg_files(r, fds, 64));
	ASSERT_EQ(0, unreg_files(r));
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &old));
	if (old.rlim_cur < 20000)
		old.rlim_cur = old.rlim_max;
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &old));
	ASSERT_EQ(0, reg_rsrc(r, FILES2, NULL, NULL, 20000,
			      ARING_RSRC_REGISTER_SPARSE));
	fds[0] = temp_file("last");
	EXPECT_EQ(1, update_file(r, 19999, fds[0]));
	EXPECT_EQ(-EINVAL, update_file(r, 20000, fds[0]));
	EXPECT_EQ(0, slot_says(r, 19999, "last"));
	EXPECT_EQ(-EBADF, slot_says(r, 19998, ""));
}

TEST_F(files, a_bad_descriptor_leaves_nothing_half_done)
{
	struct ring *r = &self->r;
	struct ring other;
	__s32 fds[4];
	int p[2];

	ASSERT_EQ(0, ring_init(&other, IO_URING, 4, 0));
	for (int i = 0; i < 5; i++) {
		static const int bad[] = { -2, -3, 12345, INT_MAX, 0 };

		ASSERT_EQ(0, pipe2(p, O_CLOEXEC));
		fds[0] = p[1];
		fds[1] = -1;
		fds[2] = i < 4 ? bad[i] : other.fd;
		fds[3] = p[1];
		CHECK_EQ(-EBADF, reg_files(r, fds, 4), "fd %d", fds[2]);
		CHECK_EQ(-EBADF, reg_rsrc(r, FILES2, fds, NULL, 4, 0), "fd %d",
			 fds[2]);
		EXPECT_EQ(-ENXIO, unreg_files(r));
		EXPECT_EQ(-EBADF, slot_says(r, 0, ""));
		close(p[1]);
		CHECK_TRUE(other_end_goes(p[0]), "fd %d", fds[2]);
		close(p[0]);
	}
	ring_exit(&other);
}

TEST_F(files, rings_are_refused)
{
	struct ring *r = &self->r;
	__s32 none = -1, fd = r->fd;
	struct ring other;

	ASSERT_EQ(0, ring_init(&other, IO_URING, 4, 0));
	EXPECT_EQ(-EBADF, reg_files(r, &fd, 1));
	EXPECT_EQ(-EBADF, reg_files(r, &other.fd, 1));
	ASSERT_EQ(0, reg_files(r, &none, 1));
	EXPECT_EQ(-EBADF, update_file(r, 0, r->fd));
	EXPECT_EQ(-EBADF, update_file(r, 0, other.fd));
	EXPECT_EQ(-EBADF, update_rsrc(r, UPDATE2, 0, &fd, NULL, 1));
	EXPECT_EQ(-EBADF, slot_says(r, 0, ""));
	ring_exit(&other);
}

TEST_F(files, register2_checks_its_structure)
{
	struct aring_rsrc_register reg, good;
	struct ring *r = &self->r;
	__s32 fd = temp_file("x");
	__u64 tag = 7;

	good = (struct aring_rsrc_register) { .nr = 1, .data = (uintptr_t)&fd };
	for (unsigned int size = 0; size < 65; size++) {
		if (size == sizeof(reg))
			continue;
		CHECK_EQ(-EINVAL, ring_register(r, FILES2, &good, size),
			 "size %u", size);
	}
	EXPECT_EQ(-EFAULT, ring_register(r, FILES2, NULL, sizeof(reg)));
	EXPECT_EQ(-EFAULT, ring_register(r, FILES2, ptr(8), sizeof(reg)));
	reg = good;
	reg.nr = 0;
	EXPECT_EQ(-EINVAL, ring_register(r, FILES2, &reg, sizeof(reg)));
	reg = good;
	reg.resv2 = 1;
	EXPECT_EQ(-EINVAL, ring_register(r, FILES2, &reg, sizeof(reg)));
	for (int bit = 1; bit < 32; bit++) {
		reg = good;
		reg.flags = 1U << bit;
		CHECK_EQ(-EINVAL, ring_register(r, FILES2, &reg, sizeof(reg)),
			 "flag %d", bit);
	}
	/* an empty table has no contents */
	EXPECT_EQ(-EINVAL, reg_rsrc(r, FILES2, &fd, NULL, 1,
				    ARING_RSRC_REGISTER_SPARSE));
	EXPECT_EQ(-EFAULT, reg_rsrc(r, FILES2, ptr(8), NULL, 1, 0));
	EXPECT_EQ(-EFAULT, reg_rsrc(r, FILES2, &fd, ptr(8), 1, 0));
	/* nor has an empty slot a tag */
	EXPECT_EQ(-EINVAL, reg_rsrc(r, FILES2, NULL, &tag, 1,
				    ARING_RSRC_REGISTER_SPARSE));
	fd = -1;
	EXPECT_EQ(-EINVAL, reg_rsrc(r, FILES2, &fd, &tag, 1, 0));
	EXPECT_EQ(-ENXIO, unreg_files(r));
	tag = 0;
	EXPECT_EQ(0, reg_rsrc(r, FILES2, &fd, &tag, 1, 0));
	EXPECT_EQ(-EINVAL, reg_rsrc(r, FILES2, &fd, &tag, 0, 0));
	EXPECT_EQ(-EBUSY, reg_rsrc(r, FILES2, &fd, &tag, 1, 0));
}

TEST_F(files, sparse_tables)
{
	struct ring *r = &self->r;
	__s32 fd = temp_file("x");

	for (int i = 0; i < 2; i++) {
		/* without data the flag is not needed, as on Linux 6.1 */
		ASSERT_EQ(0, reg_rsrc(r, FILES2, NULL, NULL, 10, i ?
				      ARING_RSRC_REGISTER_SPARSE : 0));
		for (int k = 0; k < 10; k++)
			EXPECT_EQ(-EBADF, slot_says(r, k, ""));
		EXPECT_EQ(1, update_file(r, 9, fd));
		EXPECT_EQ(0, slot_says(r, 9, "x"));
		EXPECT_EQ(-EBADF, slot_says(r, 8, ""));
		ASSERT_EQ(0, unreg_files(r));
	}
}

TEST_F(files, alloc_range)
{
	struct aring_file_index_range good = { .off = 1, .len = 3 }, range;
	int op = ARING_REGISTER_FILE_ALLOC_RANGE;
	static const struct {
		__u32 off, len;
		int ret;
	} t[] = {
		{ 0, 0, 0 }, { 0, 8, 0 }, { 8, 0, 0 }, { 7, 1, 0 },
		{ 3, 5, 0 }, { 0, 9, -EINVAL }, { 8, 1, -EINVAL },
		{ 9, 0, -EINVAL }, { UINT_MAX, 0, -EINVAL },
		{ UINT_MAX, 1, -EOVERFLOW }, { 1, UINT_MAX, -EOVERFLOW },
		{ 0x80000000, 0x80000000, -EOVERFLOW },
	};
	struct ring *r = &self->r;
	__s32 fd = temp_file("x");

	/* without a table there is room for a range of nothing */
	EXPECT_EQ(-EINVAL, ring_register(r, op, &good, 0));
	range = (struct aring_file_index_range) { 0 };
	EXPECT_EQ(0, ring_register(r, op, &range, 0));
	ASSERT_EQ(0, reg_rsrc(r, FILES2, NULL, NULL, 8,
			      ARING_RSRC_REGISTER_SPARSE));
	EXPECT_EQ(0, ring_register(r, op, &good, 0));
	EXPECT_EQ(-EINVAL, ring_register(r, op, &good, 1));
	EXPECT_EQ(-EINVAL, ring_register(r, op, NULL, 0));
	EXPECT_EQ(-EFAULT, ring_register(r, op, ptr(8), 0));
	range = good;
	range.resv = 1;
	EXPECT_EQ(-EINVAL, ring_register(r, op, &range, 0));
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		range = (struct aring_file_index_range) {
			.off = t[i].off, .len = t[i].len,
		};
		CHECK_EQ(t[i].ret, ring_register(r, op, &range, 0),
			 "off %u len %u", t[i].off, t[i].len);
	}
	/* who names a slot is not bound to the range */
	EXPECT_EQ(0, ring_register(r, op, &good, 0));
	EXPECT_EQ(1, update_file(r, 6, fd));
	EXPECT_EQ(0, slot_says(r, 6, "x"));
}

/* --- updates ------------------------------------------------------------- */

TEST_F(files, update_replaces_removes_and_skips)
{
	struct ring *r = &self->r;
	__s32 fds[4], up[4];

	fds[0] = temp_file("zero");
	fds[1] = temp_file("one");
	fds[2] = temp_file("two");
	fds[3] = temp_file("three");
	EXPECT_EQ(-ENXIO, update_file(r, 0, fds[0]));
	ASSERT_EQ(0, reg_files(r, fds, 4));
	up[0] = fds[3];
	up[1] = ARING_REGISTER_FILES_SKIP;
	up[2] = -1;
	up[3] = fds[3];
	/* the answer counts those that were skipped and emptied, too */
	EXPECT_EQ(4, update_files(r, 0, up, 4));
	EXPECT_EQ(0, slot_says(r, 0, "three"));
	EXPECT_EQ(0, slot_says(r, 1, "one"));
	EXPECT_EQ(-EBADF, slot_says(r, 2, ""));
	EXPECT_EQ(0, slot_says(r, 3, "three"));
	EXPECT_EQ(1, update_file(r, 2, -1));
	EXPECT_EQ(1, update_file(r, 2, ARING_REGISTER_FILES_SKIP));
	EXPECT_EQ(-EBADF, slot_says(r, 2, ""));
	EXPECT_EQ(2, update_files(r, 2, fds, 2));
	EXPECT_EQ(0, slot_says(r, 2, "zero"));
	EXPECT_EQ(0, slot_says(r, 3, "one"));
	EXPECT_EQ(2, update_rsrc(r, UPDATE2, 1, fds, NULL, 2));
	EXPECT_EQ(0, slot_says(r, 1, "zero"));
	EXPECT_EQ(0, slot_says(r, 2, "one"));
	EXPECT_TRUE(ring_quiet(r, 10));
}

TEST_F(files, update_stops_at_the_first_error)
{
	struct ring *r = &self->r;
	__s32 a = temp_file("a"), b = temp_file("b");
	__s32 fds[4] = { a, a, a, a }, up[4] = { b, b, 12345, b };
	__s32 *edge;

	ASSERT_EQ(0, reg_files(r, fds, 4));
	EXPECT_EQ(2, update_files(r, 0, up, 4));
	EXPECT_EQ(0, slot_says(r, 0, "b"));
	EXPECT_EQ(0, slot_says(r, 1, "b"));
	/* what was in the slot is gone when the new descriptor is found bad */
	EXPECT_EQ(-EBADF, slot_says(r, 2, ""));
	EXPECT_EQ(0, slot_says(r, 3, "a"));
	EXPECT_EQ(-EBADF, update_file(r, 3, 12345));
	EXPECT_EQ(-EBADF, slot_says(r, 3, ""));
	EXPECT_EQ(-EBADF, update_file(r, 0, -3));
	EXPECT_EQ(-EBADF, slot_says(r, 0, ""));
	/* the list of descriptors ends where no memory is */
	edge = page_alloc(8192);
	ASSERT_NE(NULL, edge);
	ASSERT_EQ(0, munmap((char *)edge + 4096, 4096));
	edge[1023] = a;
	EXPECT_EQ(1, update_files(r, 0, &edge[1023], 4));
	EXPECT_EQ(0, slot_says(r, 0, "a"));
	EXPECT_EQ(0, slot_says(r, 1, "b"));
	EXPECT_EQ(-EFAULT, update_files(r, 0, &edge[1024], 1));
	EXPECT_EQ(0, slot_says(r, 0, "a"));
}

TEST_F(files, bad_arguments_of_update)
{
	struct ring *r = &self->r;
	__s32 fd = temp_file("x"), fds[2] = { fd, fd };
	struct aring_files_update up = { .fds = (uintptr_t)&fd };
	int op = ARING_REGISTER_FILES_UPDATE;

	ASSERT_EQ(0, reg_files(r, fds, 2));
	EXPECT_EQ(-EINVAL, ring_register(r, op, &up, 0));
	EXPECT_EQ(-EINVAL, ring_register(r, op, NULL, 0));
	EXPECT_EQ(-EFAULT, ring_register(r, op, NULL, 1));
	EXPECT_EQ(-EFAULT, ring_register(r, op, ptr(8), 1));
	EXPECT_EQ(-EINVAL, ring_register(r, op, &up, 3));
	EXPECT_EQ(-EINVAL, update_file(r, 2, fd));
	EXPECT_EQ(-EINVAL, update_file(r, 0x7fffffff, fd));
	EXPECT_EQ(-EOVERFLOW, update_file(r, UINT_MAX, fd));
	EXPECT_EQ(-EOVERFLOW, update_files(r, 1, fds, UINT_MAX));
	up.resv = 1;
	EXPECT_EQ(-EINVAL, ring_register(r, op, &up, 1));
	EXPECT_EQ(-EFAULT, update_files(r, 0, NULL, 1));
	EXPECT_EQ(-EFAULT, update_files(r, 0, ptr(8), 1));
	/* none of this touched the table */
	EXPECT_EQ(0, slot_says(r, 0, "x"));
	EXPECT_EQ(0, slot_says(r, 1, "x"));
}

TEST_F(files, bad_arguments_of_update2)
{
	struct ring *r = &self->r;
	__s32 fd = temp_file("x"), none = -1, skip = -2;
	struct aring_rsrc_update2 good = {
		.data = (uintptr_t)&fd, .nr = 1,
	}, up;
	__u64 tag = 9;

	EXPECT_EQ(-ENXIO, ring_register(r, UPDATE2, &good, sizeof(good)));
	ASSERT_EQ(0, reg_files(r, &fd, 1));
	for (unsigned int size = 0; size < 65; size++) {
		if (size == sizeof(up))
			continue;
		CHECK_EQ(-EINVAL, ring_register(r, UPDATE2, &good, size),
			 "size %u", size);
	}
	EXPECT_EQ(-EFAULT, ring_register(r, UPDATE2, NULL, sizeof(up)));
	EXPECT_EQ(-EFAULT, ring_register(r, UPDATE2, ptr(8), sizeof(up)));
	up = good;
	up.nr = 0;
	EXPECT_EQ(-EINVAL, ring_register(r, UPDATE2, &up, sizeof(up)));
	up = good;
	up.resv = 1;
	EXPECT_EQ(-EINVAL, ring_register(r, UPDATE2, &up, sizeof(up)));
	up = good;
	up.resv2 = 1;
	EXPECT_EQ(-EINVAL, ring_register(r, UPDATE2, &up, sizeof(up)));
	EXPECT_EQ(-EINVAL, update_rsrc(r, UPDATE2, 1, &fd, NULL, 1));
	EXPECT_EQ(-EINVAL, update_rsrc(r, UPDATE2, 0, &fd, NULL, 2));
	EXPECT_EQ(-EOVERFLOW, update_rsrc(r, UPDATE2, UINT_MAX, &fd, NULL, 1));
	EXPECT_EQ(-EFAULT, update_rsrc(r, UPDATE2, 0, ptr(8), NULL, 1));
	EXPECT_EQ(-EFAULT, update_rsrc(r, UPDATE2, 0, &fd, ptr(8), 1));
	/* a tag goes with a file */
	EXPECT_EQ(-EINVAL, update_rsrc(r, UPDATE2, 0, &none, &tag, 1));
	EXPECT_EQ(-EINVAL, update_rsrc(r, UPDATE2, 0, &skip, &tag, 1));
	EXPECT_EQ(0, slot_says(r, 0, "x"));
	tag = 0;
	EXPECT_EQ(1, update_rsrc(r, UPDATE2, 0, &skip, &tag, 1));
	EXPECT_EQ(0, slot_says(r, 0, "x"));
	EXPECT_EQ(1, update_rsrc(r, UPDATE2, 0, &none, &tag, 1));
	EXPECT_EQ(-EBADF, slot_says(r, 0, "x"));
	EXPECT_TRUE(ring_quiet(r, 10));
}

/* --- use ----------------------------------------------------------------- */

TEST_F(files, reading_and_writing)
{
	static const __u8 flags[] = { 0, ARING_SQE_ASYNC };
	char a[8] = "abc", b[8], c[8];
	struct iovec v[2] = { { b, 2 }, { c, 3 } };
	struct ring *r = &self->r;
	__s32 fd = temp_file("");

	ASSERT_EQ(0, reg_files(r, &fd, 1));
	close(fd);
	for (int i = 0; i < 2; i++) {
		memset(b, 0, sizeof(b));
		memset(c, 0, sizeof(c));
		a[0] = 'A' + i;
		prep_slot(r, ARING_OP_WRITE, 0, a, 3, 0, 1)->flags |= flags[i];
		EXPECT_EQ(3, ring_run(r));
		prep_slot(r, ARING_OP_READ, 0, b, 8, 1, 2)->flags |= flags[i];
		EXPECT_EQ(2, ring_run(r));
		EXPECT_STREQ("bc", b);
		prep_slot(r, ARING_OP_READV, 0, v, 2, 0, 3)->flags |= flags[i];
		EXPECT_EQ(3, ring_run(r));
		EXPECT_EQ(a[0], b[0]);
		EXPECT_STREQ("c", c);
		prep_slot(r, ARING_OP_WRITEV, 0, v, 1, 1, 4)->flags |= flags[i];
		EXPECT_EQ(2, ring_run(r));
		prep_slot(r, ARING_OP_FSYNC, 0, NULL, 0, 0, 5)->flags |= flags[i];
		EXPECT_EQ(0, ring_run(r));
	}
	/* the file position is that of the file */
	EXPECT_EQ(3, run_slot(r, ARING_OP_WRITE, 0, "xyz", 3, -1));
	EXPECT_EQ(2, run_slot(r, ARING_OP_WRITE, 0, "uv", 2, -1));
	memset(b, 0, sizeof(b));
	EXPECT_EQ(5, run_slot(r, ARING_OP_READ, 0, b, 8, 0));
	EXPECT_STREQ("xyzuv", b);
}

TEST_F(files, polls_and_sockets)
{
	struct ring *r = &self->r;
	struct aring_cqe cqe;
	char b[8] = "";
	__s32 s[2];

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, s));
	ASSERT_EQ(0, reg_files(r, s, 2));
	close(s[0]);
	prep_slot(r, ARING_OP_POLL_ADD, 0, NULL, 0, 0, 1)->poll32_events =
		POLLIN;
	ASSERT_EQ(1, ring_submit(r));
	EXPECT_TRUE(ring_quiet(r, 10));
	prep_slot(r, ARING_OP_SEND, 1, "abc", 3, 0, 2);
	ASSERT_EQ(1, ring_submit(r));
	ASSERT_EQ(0, ring_wait(r, 2));
	for (int i = 0; i < 2; i++) {
		ASSERT_TRUE(ring_reap(r, &cqe));
		EXPECT_EQ(cqe.user_data == 1 ? POLLIN : 3, cqe.res);
	}
	EXPECT_EQ(3, run_slot(r, ARING_OP_RECV, 0, b, 8, 0));
	EXPECT_STREQ("abc", b);
	/* a receive that has to wait */
	prep_slot(r, ARING_OP_RECV, 0, b, 8, 0, 3);
	ASSERT_EQ(1, ring_submit(r));
	EXPECT_TRUE(ring_quiet(r, 10));
	ASSERT_EQ(2, write(s[1], "de", 2));
	ASSERT_EQ(0, ring_cqe(r, &cqe));
	EXPECT_EQ(2, cqe.res);
	EXPECT_EQ(0, memcmp(b, "de", 2));
}

TEST_F(files, slots_that_are_not_there)
{
	static const int ops[] = { ARING_OP_READ, ARING_OP_WRITE, ARING_OP_READV,
				   ARING_OP_FSYNC, ARING_OP_POLL_ADD,
				   ARING_OP_RECV };
	static const int slots[] = { 1, 2, -1, INT_MAX, INT_MIN, 65536 };
	struct iovec v = { NULL, 0 };
	struct ring *r = &self->r;
	__s32 fds[2] = { 0, -1 };

	for (int table = 0; table < 2; table++) {
		for (size_t i = 0; i < ARRAY_SIZE(ops); i++) {
			bool plain = ops[i] == ARING_OP_FSYNC ||
				     ops[i] == ARING_OP_POLL_ADD;

			for (size_t k = 0; k < ARRAY_SIZE(slots); k++)
				CHECK_EQ(-EBADF, run_slot(r, ops[i], slots[k],
							  plain ? NULL : &v,
							  !plain, 0),
					 "opcode %d slot %d", ops[i], slots[k]);
		}
		ASSERT_EQ(table ? -EBUSY : 0, reg_files(r, fds, 2));
	}
}

/* It is found when the request runs, so those behind it are taken as well. */
TEST_F(files, an_empty_slot_does_not_end_the_batch)
{
	struct ring *r = &self->r;
	struct aring_cqe cqe;
	char b[8];

	prep_slot(r, ARING_OP_READ, 0, b, 8, 0, 1);
	prep_nop(r, 2);
	ASSERT_EQ(2, ring_submit(r));
	ASSERT_EQ(0, ring_cqe(r, &cqe));
	EXPECT_EQ(1, cqe.user_data);
	EXPECT_EQ(-EBADF, cqe.res);
	ASSERT_EQ(0, ring_cqe(r, &cqe));
	EXPECT_EQ(2, cqe.user_data);
	EXPECT_EQ(0, cqe.res);
}

TEST_F(files, operations_without_a_file)
{
	struct __kernel_timespec ts = to_ts(ms(1)), new = to_ts(ms(2));
	struct ring *r = &self->r;
	struct aring_sqe *s;

	/* where no file is used the flag means nothing */
	prep_nop(r, 1)->flags = ARING_SQE_FIXED_FILE;
	EXPECT_EQ(0, ring_run(r));
	prep_timeout(r, &ts, 0, 0, 2)->flags = ARING_SQE_FIXED_FILE;
	EXPECT_EQ(-ETIME, ring_run(r));
	prep_cancel(r, 77, 0, 3)->flags = ARING_SQE_FIXED_FILE;
	EXPECT_EQ(-ENOENT, ring_run(r));
	s = prep(r, ARING_OP_POLL_REMOVE, -1, ptr(77), 0, 0, 4);
	s->flags = ARING_SQE_FIXED_FILE;
	EXPECT_EQ(-ENOENT, ring_run(r));
	/* these refuse it */
	s = prep(r, ARING_OP_TIMEOUT_REMOVE, -1, ptr(77), 0, 0, 5);
	s->flags = ARING_SQE_FIXED_FILE;
	EXPECT_EQ(-EINVAL, ring_run(r));
	s = prep(r, ARING_OP_TIMEOUT_REMOVE, -1, ptr(77), 0, (uintptr_t)&new, 6);
	s->timeout_flags = ARING_TIMEOUT_UPDATE;
	s->flags = ARING_SQE_FIXED_FILE;
	EXPECT_EQ(-EINVAL, ring_run(r));
}

static struct aring_sqe *prep_cancel_slot(struct ring *r, int slot,
					  __u32 flags, __u8 sqe_flags)
{
	struct aring_sqe *s = prep_cancel(r, 0, ARING_ASYNC_CANCEL_FD | flags,
					  99);

	s->fd = slot;
	s->flags = sqe_flags;
	return s;
}

/* Submit a cancel that meets one waiting read; its verdict. */
static int cancel_one(struct ring *r, int *target)
{
	struct aring_cqe cqe;
	int verdict = RES_NONE;

	*target = RES_NONE;
	if (ring_submit(r) != 1)
		return RES_NOSUBMIT;
	for (int i = 0; i < 2; i++) {
		if (ring_cqe(r, &cqe))
			break;
		if (cqe.user_data == 99)
			verdict = cqe.res;
		else
			*target = cqe.res;
	}
	return verdict;
}

TEST_F(files, cancel_by_file)
{
	struct ring *r = &self->r;
	int p[2], target;
	char b[8];

	ASSERT_EQ(0, pipe2(p, O_CLOEXEC));
	ASSERT_EQ(0, reg_files(r, p, 2));
	for (int how = 0; how < 3; how++) {
		/* the request names the file in one way, the cancel in another */
		if (how < 2)
			prep_slot(r, ARING_OP_READ, 0, b, 8, 0, 1);
		else
			prep_read(r, p[0], b, 8, 0, 1);
		ASSERT_EQ(1, ring_submit(r));
		ASSERT_TRUE(ring_quiet(r, 20));
		prep_cancel_slot(r, 1, 0, ARING_SQE_FIXED_FILE);
		EXPECT_EQ(-ENOENT, ring_run(r));
		if (how == 1)
			prep_cancel_slot(r, p[0], 0, 0);
		else
			prep_cancel_slot(r, 0, 0, ARING_SQE_FIXED_FILE);
		CHECK_EQ(0, cancel_one(r, &target), "case %d", how);
		CHECK_EQ(-ECANCELED, target, "case %d", how);
	}
	prep_cancel_slot(r, 2, 0, ARING_SQE_FIXED_FILE);
	EXPECT_EQ(-EBADF, ring_run(r));
	prep_cancel_slot(r, -1, 0, ARING_SQE_FIXED_FILE);
	EXPECT_EQ(-EBADF, ring_run(r));
	EXPECT_EQ(1, update_file(r, 0, -1));
	prep_cancel_slot(r, 0, ARING_ASYNC_CANCEL_ALL, ARING_SQE_FIXED_FILE);
	EXPECT_EQ(-EBADF, ring_run(r));
}

/* The second way to say that @fd is a slot. */
TEST_F(files, cancel_by_fd_fixed)
{
	struct ring *r = &self->r;
	int p[2], target;
	char b[8];

	ASSERT_EQ(0, pipe2(p, O_CLOEXEC));
	ASSERT_EQ(0, reg_files(r, p, 2));
	prep_slot(r, ARING_OP_READ, 0, b, 8, 0, 1);
	ASSERT_EQ(1, ring_submit(r));
	ASSERT_TRUE(ring_quiet(r, 20));
	prep_cancel_slot(r, 0, ARING_ASYNC_CANCEL_FD_FIXED, 0);
	EXPECT_EQ(0, cancel_one(r, &target));
	EXPECT_EQ(-ECANCELED, target);
}

RING_TEST_MAIN
