// SPDX-License-Identifier: MIT
/*
 * aring info: is the ring usable, and what can it do?
 */
#include <getopt.h>
#include <string.h>

#include "cmd.h"
#include "matrix.h"

static const char usage[] =
"usage: aring info [--matrix[=rst]]\n"
"\n"
"Says whether /dev/aring can be used by this user, and if so what the module can\n"
"do; if not, why, and what to do about it.\n"
"\n"
"  --matrix[=rst]  instead: everything that Linux 6.1's io_uring has, and whether\n"
"                  aring has it; no device is needed. rst: as reStructuredText\n"
"\n"
"Exit status: 0 usable, 2 command line not understood, 3 not usable.\n";

struct bit_name {
	unsigned int bit;
	const char *name;
};

#define BIT_NAME(prefix, name)	{ ARING_##prefix##_##name, #name }

static const struct bit_name features[] = {
	BIT_NAME(FEAT, SINGLE_MMAP),
	BIT_NAME(FEAT, NODROP),
	BIT_NAME(FEAT, SUBMIT_STABLE),
	BIT_NAME(FEAT, RW_CUR_POS),
	BIT_NAME(FEAT, CUR_PERSONALITY),
	BIT_NAME(FEAT, FAST_POLL),
	BIT_NAME(FEAT, POLL_32BITS),
	BIT_NAME(FEAT, SQPOLL_NONFIXED),
	BIT_NAME(FEAT, EXT_ARG),
	BIT_NAME(FEAT, RSRC_TAGS),
	BIT_NAME(FEAT, CQE_SKIP),
	{ 0, NULL },
};

static const struct bit_name setup_flags[] = {
	BIT_NAME(SETUP, SQPOLL),
	BIT_NAME(SETUP, SQ_AFF),
	BIT_NAME(SETUP, CQSIZE),
	BIT_NAME(SETUP, CLAMP),
	BIT_NAME(SETUP, R_DISABLED),
	BIT_NAME(SETUP, SUBMIT_ALL),
	BIT_NAME(SETUP, COOP_TASKRUN),
	BIT_NAME(SETUP, TASKRUN_FLAG),
	BIT_NAME(SETUP, SQE128),
	BIT_NAME(SETUP, CQE32),
	BIT_NAME(SETUP, SINGLE_ISSUER),
	BIT_NAME(SETUP, DEFER_TASKRUN),
	BIT_NAME(SETUP, FIRST_INDEX),
	BIT_NAME(SETUP, COMPLETION_ORDER),
	BIT_NAME(SETUP, SUBMISSION_ORDER),
	BIT_NAME(SETUP, CQE_TIMES),
	{ 0, NULL },
};

static const struct bit_name sqe_flags[] = {
	BIT_NAME(SQE, FIXED_FILE),
	BIT_NAME(SQE, IO_DRAIN),
	BIT_NAME(SQE, IO_LINK),
	BIT_NAME(SQE, IO_HARDLINK),
	BIT_NAME(SQE, ASYNC),
	BIT_NAME(SQE, CQE_SKIP_SUCCESS),
	{ 0, NULL },
};

static const struct bit_name enter_flags[] = {
	BIT_NAME(ENTER, GETEVENTS),
	BIT_NAME(ENTER, SQ_WAKEUP),
	BIT_NAME(ENTER, SQ_WAIT),
	BIT_NAME(ENTER, EXT_ARG),
	{ 0, NULL },
};

static const struct bit_name cancel_flags[] = {
	BIT_NAME(ASYNC_CANCEL, ALL),
	BIT_NAME(ASYNC_CANCEL, FD),
	BIT_NAME(ASYNC_CANCEL, ANY),
	BIT_NAME(ASYNC_CANCEL, FD_FIXED),
	BIT_NAME(ASYNC_CANCEL, USERDATA),
	BIT_NAME(ASYNC_CANCEL, OP),
	BIT_NAME(ASYNC_CANCEL, TICKET),
	{ 0, NULL },
};

#define LABEL_WIDTH	14
#define LINE_WIDTH	79

static int column;

static void list_begin(const char *label)
{
	column = printf("%-*s", LABEL_WIDTH, label);
}

static void list_add(const char *word)
{
	int len = (int)strlen(word) + 1;

	if (column + len > LINE_WIDTH)
		column = printf("\n%*s", LABEL_WIDTH, "") - 1;
	column += printf(" %s", word);
}

static void list_end(void)
{
	if (column <= LABEL_WIDTH)
		printf(" -");
	putchar('\n');
}

static void list_bits(const char *label, const struct bit_name *names,
		      unsigned int bits)
{
	unsigned int i;
	char buf[24];

	list_begin(label);
	for (; names->name; names++) {
		if (bits & names->bit)
			list_add(names->name);
		bits &= ~names->bit;
	}
	/* What a later module has and this program has no name for. */
	for (i = 0; i < 32; i++) {
		if (!(bits >> i & 1))
			continue;
		snprintf(buf, sizeof(buf), "bit-%u", i);
		list_add(buf);
	}
	list_end();
}

static void list_ops(const struct aring_info *info)
{
	const char *name;
	unsigned int i;
	char buf[24];

	list_begin("operations");
	for (i = 0; i < 64 * ARRAY_SIZE(info->ops); i++) {
		if (!(info->ops[i / 64] >> (i % 64) & 1))
			continue;
		name = aring_op_name(i);
		if (!name) {
			snprintf(buf, sizeof(buf), "opcode-%u", i);
			name = buf;
		}
		list_add(name);
	}
	list_end();
}

static void list_registers(const struct aring_info *info)
{
	static const char * const names[64] = {
		[ARING_REGISTER_BUFFERS] = "BUFFERS",
		[ARING_UNREGISTER_BUFFERS] = "UNREGISTER_BUFFERS",
		[ARING_REGISTER_FILES] = "FILES",
		[ARING_UNREGISTER_FILES] = "UNREGISTER_FILES",
		[ARING_REGISTER_EVENTFD] = "EVENTFD",
		[ARING_UNREGISTER_EVENTFD] = "UNREGISTER_EVENTFD",
		[ARING_REGISTER_FILES_UPDATE] = "FILES_UPDATE",
		[ARING_REGISTER_EVENTFD_ASYNC] = "EVENTFD_ASYNC",
		[ARING_REGISTER_PROBE] = "PROBE",
		[ARING_REGISTER_PERSONALITY] = "PERSONALITY",
		[ARING_UNREGISTER_PERSONALITY] = "UNREGISTER_PERSONALITY",
		[ARING_REGISTER_RESTRICTIONS] = "RESTRICTIONS",
		[ARING_REGISTER_ENABLE_RINGS] = "ENABLE_RINGS",
		[ARING_REGISTER_FILES2] = "FILES2",
		[ARING_REGISTER_FILES_UPDATE2] = "FILES_UPDATE2",
		[ARING_REGISTER_BUFFERS2] = "BUFFERS2",
		[ARING_REGISTER_BUFFERS_UPDATE] = "BUFFERS_UPDATE",
		[ARING_REGISTER_SYNC_CANCEL] = "SYNC_CANCEL",
		[ARING_REGISTER_FILE_ALLOC_RANGE] = "FILE_ALLOC_RANGE",
	};
	unsigned int i;
	char buf[24];

	list_begin("registers");
	for (i = 0; i < 64; i++) {
		if (!(info->registers >> i & 1))
			continue;
		snprintf(buf, sizeof(buf), "opcode-%u", i);
		list_add(names[i] ? names[i] : buf);
	}
	list_end();
}

static void print_info(const struct aring_info *info)
{
	printf("%-*s %.*s, ABI %u (library %s, ABI %d)\n", LABEL_WIDTH,
	       "module", (int)sizeof(info->version), info->version,
	       info->abi_version, aring_version(), ARING_ABI_VERSION);
	list_ops(info);
	list_bits("features", features, info->features);
	list_bits("set-up flags", setup_flags, info->setup_flags);
	list_bits("SQE flags", sqe_flags, info->sqe_flags);
	list_bits("enter flags", enter_flags, info->enter_flags);
	list_bits("cancel flags", cancel_flags, info->cancel_flags);
	list_registers(info);
	printf("%-*s %u submission and %u completion entries a ring\n",
	       LABEL_WIDTH, "limits", info->max_entries,
	       info->max_cq_entries);
}

static int show(void)
{
	struct aring_info info;
	struct aring_params p;
	struct aring ring;
	int ret;

	ret = aring_get_info(&info);
	if (ret < 0) {
		explain_no_ring(ARING_BACKEND_DEVICE, ret);
		return EXIT_UNUSABLE;
	}
	print_info(&info);

	memset(&p, 0, sizeof(p));
	ret = aring_queue_init_backend(ARING_BACKEND_DEVICE, 2, &ring, &p);
	if (ret < 0) {
		explain_no_ring(ARING_BACKEND_DEVICE, ret);
		return EXIT_UNUSABLE;
	}
	aring_queue_exit(&ring);

	if (info.abi_version < ARING_ABI_VERSION)
		printf("\nOlder than this library: what came after ABI %u is missing.\n",
		       info.abi_version);
	printf("\n%s is usable.\n", ARING_DEVICE);
	return EXIT_OK;
}

/* @form: what was said after "--matrix=", or NULL. */
static int show_matrix(const char *form)
{
	if (!form) {
		matrix_print();
		return EXIT_OK;
	}
	if (!strcmp(form, "rst")) {
		matrix_print_rst();
		return EXIT_OK;
	}
	complain("unknown form '%s'; there is: rst", form);
	return bad_use("info");
}

int cmd_info(int argc, char **argv)
{
	static const struct option options[] = {
		{ "help", no_argument, NULL, 'h' },
		{ "matrix", optional_argument, NULL, 'm' },
		{ NULL, 0, NULL, 0 },
	};
	const char *form = NULL;
	bool matrix = false;
	int c;

	opterr = 0;
	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (c == 'h') {
			fputs(usage, stdout);
			return EXIT_OK;
		}
		if (c != 'm') {
			unknown_option(argv, options);
			return bad_use("info");
		}
		matrix = true;
		form = optarg;
	}
	if (optind != argc) {
		complain("takes no argument, got '%s'", argv[optind]);
		return bad_use("info");
	}
	return matrix ? show_matrix(form) : show();
}
