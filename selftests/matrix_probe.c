// SPDX-License-Identifier: MIT
/*
 * Is the table of "aring info --matrix" true? Built with that table; asks the
 * device, and the io_uring of the same kernel, about each row. The part of
 * selftests/matrix that needs a ring.
 *
 *	matrix_probe --count	how many tests there are
 *	matrix_probe N		run them; the first one has the number N
 */
#include "ring.h"
#include "../lib/cmd/matrix.h"

/* io_uring's, absent here */
#define SETUP_ATTACH_WQ		0x20
#define SQE_BUFFER_SELECT	0x20
#define ENTER_REGISTERED_RING	0x10

static const char *const backends[] = { "device", "io_uring" };
static unsigned int number;
static bool failed;

/* What was seen instead, for the line of the test. */
static char seen[256];

static bool wrong(enum backend backend, const char *what, int ret)
{
	snprintf(seen, sizeof(seen), "%s: %s: %d", backends[backend], what,
		 ret);
	return false;
}

static void result(bool good, const char *prefix, const char *name,
		   const char *rest)
{
	if (!good) {
		printf("# %s\n", seen);
		failed = true;
	}
	printf("%sok %u %s%s%s\n", good ? "" : "not ", number++, prefix, name,
	       rest);
}

/* --- one question for each kind ------------------------------------------ */

/* A ring that takes @flag: with what the flag needs. */
static int setup_with(struct ring *r, enum backend backend, __u32 flag)
{
	struct aring_params p = { .flags = flag, .cq_entries = 64 };
	struct ring first;
	int ret;

	switch (flag) {
	case ARING_SETUP_SQ_AFF:
		p.flags |= ARING_SETUP_SQPOLL;
		break;
	case ARING_SETUP_TASKRUN_FLAG:
		p.flags |= ARING_SETUP_COOP_TASKRUN;
		break;
	case ARING_SETUP_DEFER_TASKRUN:
		p.flags |= ARING_SETUP_SINGLE_ISSUER;
		break;
	case SETUP_ATTACH_WQ:
		ret = ring_init(&first, backend, 8, 0);
		if (ret)
			return ret;
		p.wq_fd = first.fd;
		ret = ring_init_params(r, backend, 8, &p);
		ring_exit(&first);
		return ret;
	}
	return ring_init_params(r, backend, 8, &p);
}

static int ask_setup(enum backend backend, __u32 flag)
{
	struct ring r;
	int ret = setup_with(&r, backend, flag);

	if (!ret)
		ring_exit(&r);
	return ret;
}

/* The result of an SQE that says nothing but its opcode and flags. */
static int ask_sqe(enum backend backend, unsigned int op, __u8 flags)
{
	struct ring r;
	int ret;

	ret = ring_init(&r, backend, 8, 0);
	if (ret)
		return ret;
	prep(&r, op, -1, NULL, 0, 0, 1)->flags = flags;
	ret = ring_submit(&r);
	if (ret == 1) {
		struct aring_cqe cqe = { 0 };

		/* no CQE within this time: it was taken, and succeeded */
		ring_wait_ns(&r, 1, ms(200));
		ring_reap(&r, &cqe);
		ret = cqe.res;
	}
	ring_exit(&r);
	return ret;
}

static int ask_sqe_flag(enum backend backend, __u8 flag)
{
	int ret;

	/* NOP takes all flags but this one; a READ may, of no such group */
	if (flag != SQE_BUFFER_SELECT)
		return ask_sqe(backend, ARING_OP_NOP, flag);
	ret = ask_sqe(backend, ARING_OP_READ, flag);
	return ret == -EOPNOTSUPP || ret == -EINVAL ? ret : 0;
}

/* 1 if the ring's probe says that there is the operation. */
static int ask_probe(enum backend backend, unsigned int op)
{
	struct {
		struct aring_probe p;
		struct aring_probe_op ops[256];
	} b = { 0 };
	struct ring r;
	int ret;

	ret = ring_init(&r, backend, 8, 0);
	if (ret)
		return ret;
	ret = ring_register(&r, ARING_REGISTER_PROBE, &b, 256);
	ring_exit(&r);
	if (ret)
		return ret;
	return op < b.p.ops_len && b.ops[op].flags & ARING_OP_SUPPORTED;
}

static int ask_enter(enum backend backend, unsigned int flag)
{
	struct {
		__u32 offset, resv;
		__u64 data;
	} u = { .offset = UINT_MAX };
	struct aring_getevents_arg arg = { 0 };
	struct ring r, named;
	int ret;

	ret = ring_init(&r, backend, 8, 0);
	if (ret)
		return ret;
	named = r;
	u.data = r.fd;
	if (flag == ENTER_REGISTERED_RING && backend == IO_URING &&
	    ring_register(&r, 20, &u, 1) == 1)
		named.fd = u.offset;
	/* the argument has a meaning only where there is a wait */
	if (flag == ARING_ENTER_EXT_ARG)
		flag |= ARING_ENTER_GETEVENTS;
	ret = ring_enter(&named, 0, 0, flag, &arg, sizeof(arg));
	ring_exit(&r);
	return ret;
}

/* --- REGISTER: each opcode with arguments that are right ------------------ */

static union {
	__s32 fds[8];
	__u32 words[8];
	char page[8192];
	struct iovec iov;
	struct aring_files_update files_update;
	struct aring_rsrc_register rsrc;
	struct aring_rsrc_update2 update2;
	struct aring_sync_cancel_reg cancel;
	struct aring_file_index_range range;
	/* struct io_uring_rsrc_update, struct io_uring_buf_reg */
	struct {
		__u32 offset, resv;
		__u64 data;
	} ring_fd;
	struct {
		__u64 ring_addr;
		__u32 ring_entries;
		__u16 bgid, pad;
		__u64 resv[3];
	} buf_ring;
} arg;

static char memory[8192] __attribute__((aligned(4096)));

static int ask_with_struct(struct ring *r, unsigned int op)
{
	switch (op) {
	case ARING_REGISTER_BUFFERS:
		arg.iov = (struct iovec) { memory, 4096 };
		return ring_register(r, op, &arg, 1);
	case ARING_REGISTER_FILES_UPDATE:
		arg.files_update.fds = (uintptr_t)memory;
		return ring_register(r, op, &arg, 1);
	case ARING_REGISTER_FILES2:
	case ARING_REGISTER_BUFFERS2:
		arg.rsrc.nr = 4;
		arg.rsrc.flags = ARING_RSRC_REGISTER_SPARSE;
		return ring_register(r, op, &arg, sizeof(arg.rsrc));
	case ARING_REGISTER_FILES_UPDATE2:
	case ARING_REGISTER_BUFFERS_UPDATE:
		arg.update2.nr = 1;
		arg.update2.data = (uintptr_t)memory;
		return ring_register(r, op, &arg, sizeof(arg.update2));
	case ARING_REGISTER_SYNC_CANCEL:
		arg.cancel.timeout.tv_sec = -1;
		arg.cancel.timeout.tv_nsec = -1;
		return ring_register(r, op, &arg, 1);
	case ARING_REGISTER_FILE_ALLOC_RANGE:
		return ring_register(r, op, &arg, 0);
	case 20:	/* REGISTER_RING_FDS */
		arg.ring_fd.offset = UINT_MAX;
		arg.ring_fd.data = r->fd;
		return ring_register(r, op, &arg, 1);
	case 21:	/* UNREGISTER_RING_FDS */
	case 23:	/* UNREGISTER_PBUF_RING */
		return ring_register(r, op, &arg, 1);
	case 22:	/* REGISTER_PBUF_RING */
		arg.buf_ring.ring_addr = (uintptr_t)memory;
		arg.buf_ring.ring_entries = 8;
		return ring_register(r, op, &arg, 1);
	}
	return INT_MIN;
}

static int ask_plainly(struct ring *r, unsigned int op)
{
	int id;

	switch (op) {
	case ARING_REGISTER_FILES:
	case ARING_REGISTER_EVENTFD:
	case ARING_REGISTER_EVENTFD_ASYNC:
		arg.fds[0] = syscall(SYS_eventfd2, 0, 0);
		id = ring_register(r, op, &arg, 1);
		close(arg.fds[0]);
		return id;
	case ARING_REGISTER_PROBE:
		return ring_register(r, op, &arg, 64);
	case ARING_UNREGISTER_PERSONALITY:
		id = ring_register(r, ARING_REGISTER_PERSONALITY, NULL, 0);
		return id < 0 ? id : ring_register(r, op, NULL, id);
	case ARING_REGISTER_RESTRICTIONS:
		return ring_register(r, op, &arg, 1);
	case 17:	/* REGISTER_IOWQ_AFF */
		arg.words[0] = 1;
		return ring_register(r, op, &arg, 8);
	case 19:	/* REGISTER_IOWQ_MAX_WORKERS */
		return ring_register(r, op, &arg, 2);
	}
	return ring_register(r, op, NULL, 0);
}

/* Not -EINVAL, if there is such an opcode: 0, or that there is nothing yet. */
static int ask_register(enum backend backend, unsigned int op)
{
	struct ring r;
	int ret;

	ret = ring_init(&r, backend, 8, 0);
	if (ret)
		return ret;
	memset(&arg, 0, sizeof(arg));
	ret = ask_with_struct(&r, op);
	if (ret == INT_MIN)
		ret = ask_plainly(&r, op);
	ring_exit(&r);
	return ret;
}

/* --- rows ---------------------------------------------------------------- */

static int features(enum backend backend)
{
	struct ring r;
	int ret = ring_init(&r, backend, 8, 0);

	if (ret)
		return ret;
	ring_exit(&r);
	return r.p.features;
}

/* Is it there, for this backend? Sets @ret to what it was answered. */
static bool present(enum backend backend, const struct matrix_row *row,
		    int *ret)
{
	switch (row->kind) {
	case MATRIX_OP:
		*ret = ask_probe(backend, row->nr);
		return *ret == 1;
	case MATRIX_SETUP:
		*ret = ask_setup(backend, row->nr);
		return *ret == 0;
	case MATRIX_SQE:
		*ret = ask_sqe_flag(backend, row->nr);
		return *ret == 0;
	case MATRIX_ENTER:
		*ret = ask_enter(backend, row->nr);
		return *ret == 0;
	case MATRIX_REGISTER:
		*ret = ask_register(backend, row->nr);
		return *ret != -EINVAL;
	default:
		*ret = features(backend);
		return *ret > 0 && *ret & row->nr;
	}
}

/* What ARING_IOC_INFO says must be the same. */
static bool info_agrees(const struct matrix_row *row)
{
	struct aring_info i = { .size = sizeof(i) };
	bool want = row->verdict != MATRIX_ABSENT, is;
	int fd = open(ARING_DEVICE, O_RDWR | O_CLOEXEC), ret;

	ret = fd < 0 ? -1 : ioctl(fd, ARING_IOC_INFO, &i);
	close(fd);
	if (ret)
		return wrong(DEVICE, "INFO", -errno);
	switch (row->kind) {
	case MATRIX_OP:
		is = i.ops[row->nr / 64] >> row->nr % 64 & 1;
		break;
	case MATRIX_REGISTER:
		is = i.registers >> row->nr & 1;
		break;
	case MATRIX_SETUP:
		is = i.setup_flags & row->nr;
		break;
	case MATRIX_SQE:
		is = i.sqe_flags & row->nr;
		break;
	case MATRIX_ENTER:
		is = i.enter_flags & row->nr;
		break;
	default:
		is = i.features & row->nr;
		break;
	}
	return is == want || wrong(DEVICE, "INFO has it", is);
}

static bool device_agrees(const struct matrix_row *row)
{
	bool want = row->verdict != MATRIX_ABSENT;
	int ret;

	if (present(DEVICE, row, &ret) != want)
		return wrong(DEVICE, "answered", ret);
	if (want)
		return info_agrees(row);
	/* absent in the way that the row says */
	if (row->kind == MATRIX_OP)
		ret = ask_sqe(DEVICE, row->nr, 0);
	if (row->kind != MATRIX_FEATURE && ret != -row->error)
		return wrong(DEVICE, "it failed with", ret);
	return info_agrees(row);
}

/* The table is of what 6.1 has, so there every row is there. */
static bool oracle_agrees(const struct matrix_row *row)
{
	int ret;

	return present(IO_URING, row, &ret) ||
	       wrong(IO_URING, "answered", ret);
}

/* --- nothing of 6.1 is missing ------------------------------------------- */

static bool listed(enum matrix_kind kind, unsigned int nr)
{
	for (unsigned int i = 0; i < matrix_count; i++)
		if (matrix_rows[i].kind == kind && matrix_rows[i].nr == nr)
			return true;
	return false;
}

/* What io_uring has, as far as it can be asked without a row. */
static bool oracle_has(enum matrix_kind kind, unsigned int nr)
{
	struct matrix_row row = { .kind = kind, .nr = nr };
	int ret;

	return present(IO_URING, &row, &ret);
}

static bool complete(enum matrix_kind kind)
{
	unsigned int end = kind == MATRIX_OP || kind == MATRIX_REGISTER ?
			   64 : kind == MATRIX_SQE ? 8 : 32;

	for (unsigned int i = 0; i < end; i++) {
		unsigned int nr = end == 64 ? i : 1U << i;

		if (listed(kind, nr))
			continue;
		if (oracle_has(kind, nr)) {
			snprintf(seen, sizeof(seen), "%s: has number %#x",
				 backends[IO_URING], nr);
			return false;
		}
	}
	return true;
}

int main(int argc, char **argv)
{
	const char *only = getenv("ARING_TEST_BACKEND");
	bool device = !only || !*only || !strcmp(only, "device");
	bool oracle = (!only || !*only || !strcmp(only, "io_uring")) &&
		      test_oracle_here();

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc != 2) {
		fprintf(stderr, "usage: matrix_probe --count | NUMBER\n");
		return 2;
	}
	if (!strcmp(argv[1], "--count")) {
		printf("%u\n", matrix_count + (oracle ? MATRIX_KINDS : 0));
		return 0;
	}
	number = atoi(argv[1]);
	for (unsigned int i = 0; i < matrix_count; i++) {
		const struct matrix_row *row = &matrix_rows[i];

		result((!device || device_agrees(row)) &&
		       (!oracle || oracle_agrees(row)),
		       matrix_prefix(row->kind), row->name, "");
	}
	for (int kind = 0; oracle && kind < MATRIX_KINDS; kind++)
		result(complete(kind), matrix_prefix(kind), "*",
		       " are all in the table");
	return failed;
}
