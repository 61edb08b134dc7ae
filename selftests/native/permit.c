// SPDX-License-Identifier: MIT
/*
 * The table of what chaos may do (kmod/permit.h): is it consistent, and is the one
 * in the documentation the same? With an argument, prints the latter.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/aring.h>
#include "kselftest.h"

#include "permit.h"

#define ARRAY_LEN(a)	(sizeof(a) / sizeof((a)[0]))

struct source {
	const char *action;
	const char *error;
	const char *part[6];
};

#define ARING_ROW(act, err, ops, files, cond, contract, lnx, ...) \
	{ #act, #err, { __VA_ARGS__ } },

static const struct source sources[] = {
#include "permit_rows.h"
};

static const char * const classes[ARING_NR_CLASSES] = {
	"read", "write", "FSYNC", "send", "receive", "POLL_ADD", "TIMEOUT",
	"LINK_TIMEOUT", "NOP", "remove", "VREAD, VWRITE", "ENTER",
};

static const char * const kinds[ARING_NR_KINDS] = {
	[ARING_KIND_NONE] = "none", [ARING_KIND_REG] = "regular file",
	[ARING_KIND_BLOCK] = "block device", [ARING_KIND_PIPE] = "pipe",
	[ARING_KIND_STREAM] = "stream socket",
	[ARING_KIND_DGRAM] = "message socket", [ARING_KIND_TTY] = "terminal",
	[ARING_KIND_CHAR] = "character device", [ARING_KIND_OTHER] = "other",
};

static const char * const whens[ARING_NR_WHENS] = {
	"without O_DIRECT", "with O_DIRECT", "RWF_NOWAIT or MSG_DONTWAIT",
	"O_NONBLOCK", "without MSG_WAITALL", "with MSG_WAITALL",
	"it would wait, with an empty CQ and nothing to submit",
	"no chain is cut in two", "IO_DRAIN", "it counts completions",
};

static const char * const leaves[] = {
	[ARING_LEAVE_NO] = "no", [ARING_LEAVE_YES] = "yes",
	[ARING_LEAVE_BLOCKS] = "to multiples of the block size",
	[ARING_LEAVE_LARGE] = "of more than 4096 bytes",
	[ARING_LEAVE_PAGES] = "to multiples of 4096 bytes",
};

/* As the key of a chaos string is called. */
static const char *fault(const struct aring_permit *row,
			 const struct source *source)
{
	switch (row->action) {
	case ARING_ACT_SHORTEN:
		return "short";
	case ARING_ACT_FAIL:
		return source->error;
	case ARING_ACT_DELAY:
		return "delay";
	case ARING_ACT_AFTER:
		return "reorder";
	case ARING_ACT_CANCEL_WINS:
		return "cancel=early";
	case ARING_ACT_CANCEL_LOSES:
		return "cancel=late";
	case ARING_ACT_CQ_FULL:
		return "cqfull";
	case ARING_ACT_ENTER_EINTR:
		return "eintr";
	default:
		return "take";
	}
}

static void print_bits(FILE *f, unsigned int bits, const char * const *names,
		       unsigned int nr)
{
	const char *comma = "";

	for (unsigned int i = 0; i < nr; i++) {
		if (!(bits & (1U << i)))
			continue;
		fprintf(f, "%s%s", comma, names[i]);
		comma = ", ";
	}
	fputc('\n', f);
}

static void print_row(FILE *f, const struct aring_permit *row,
		      const struct source *source)
{
	fprintf(f, "   * - %s\n     - ", fault(row, source));
	if (row->classes == ARING_CLASS_ALL)
		fprintf(f, "all\n");
	else
		print_bits(f, row->classes, classes, ARING_NR_CLASSES);
	fprintf(f, "     - ");
	if (row->kinds == ARING_ON_ALL)
		fprintf(f, "any\n");
	else
		print_bits(f, row->kinds, kinds, ARING_NR_KINDS);
	fprintf(f, "     - ");
	if (row->when)
		print_bits(f, row->when, whens, ARING_NR_WHENS);
	else
		fprintf(f, "always\n");
	fprintf(f, "     - %s\n     - %s\n     -", leaves[row->leave[0]],
		leaves[row->leave[1]]);
	for (size_t i = 0; i < ARRAY_LEN(source->part) && source->part[i]; i++)
		fprintf(f, " %s", source->part[i]);
	fputc('\n', f);
}

static void print_table(FILE *f)
{
	/* Not in one piece: it is that of the table, not of this file. */
	fprintf(f, ".. SPDX-%s: MIT\n", "License-Identifier");
	fprintf(f,
		"..\n   Made of kmod/permit_rows.h:\n"
		"   build/selftests/native/permit table >Documentation/chaos-table.rst\n\n"
		".. list-table::\n   :header-rows: 1\n"
		"   :widths: 8 12 14 14 10 10 32\n\n"
		"   * - Fault\n     - Operations\n     - Files\n     - When\n"
		"     - contract\n     - linux\n     - Source\n");
	for (size_t i = 0; i < ARRAY_LEN(sources); i++)
		print_row(f, &aring_permit_table[i], &sources[i]);
}

static void documentation_has_this_table(void)
{
	char *want = NULL, *seen;
	size_t len = 0, got = 0;
	FILE *f;

	f = open_memstream(&want, &len);
	print_table(f);
	fclose(f);
	seen = calloc(1, len + 2);
	f = fopen(DOC, "r");
	if (f) {
		got = fread(seen, 1, len + 1, f);
		fclose(f);
	}
	ksft_test_result(got == len && !memcmp(want, seen, len),
			 "the table in the documentation is this one\n");
	free(seen);
	free(want);
}

/* What Linux does, the interface permits. */
static void linux_is_within_the_contract(void)
{
	bool ok = true;

	for (size_t i = 0; i < ARRAY_LEN(aring_permit_table); i++) {
		const struct aring_permit *row = &aring_permit_table[i];

		if (row->leave[1] != ARING_LEAVE_NO &&
		    row->leave[0] == ARING_LEAVE_NO) {
			ksft_print_msg("row %zu\n", i);
			ok = false;
		}
	}
	ksft_test_result(ok, "what linux permits, contract permits\n");
}

/* No row is hidden by those before it. */
static void each_row_decides(void)
{
	bool ok = true;

	for (size_t i = 0; i < ARRAY_LEN(aring_permit_table); i++) {
		const struct aring_permit *row = &aring_permit_table[i];
		bool found = false;

		for (size_t k = 0; k < i; k++) {
			const struct aring_permit *other = &aring_permit_table[k];

			if (other->action == row->action &&
			    other->error == row->error &&
			    !(row->classes & ~other->classes) &&
			    !(row->kinds & ~other->kinds) &&
			    !(other->when & ~row->when))
				found = true;
		}
		if (found) {
			ksft_print_msg("row %zu\n", i);
			ok = false;
		}
	}
	ksft_test_result(ok, "each row decides about something\n");
}

struct request {
	unsigned char opcode;
	unsigned char kind;
	unsigned short flags;
	unsigned int len;
	unsigned int block;
	unsigned int unit[2];	/* at contract, at linux */
};

/* The rules in words, tried on the functions. */
static void lengths_are_as_the_rules_say(void)
{
	static const struct request requests[] = {
		{ ARING_OP_READ, ARING_KIND_REG, 0, 4096, 0, { 1, 0 } },
		{ ARING_OP_READ, ARING_KIND_REG, 0, 1, 0, { 0, 0 } },
		{ ARING_OP_READ, ARING_KIND_REG, ARING_SEEN_DIRECT, 4096, 512,
		  { 512, 0 } },
		{ ARING_OP_READ, ARING_KIND_REG, ARING_SEEN_DIRECT, 512, 512,
		  { 0, 0 } },
		{ ARING_OP_READ, ARING_KIND_REG, ARING_SEEN_DIRECT, 4096, 0,
		  { 0, 0 } },
		{ ARING_OP_WRITE, ARING_KIND_REG, 0, 4096, 0, { 1, 1 } },
		{ ARING_OP_WRITE, ARING_KIND_REG, ARING_SEEN_DIRECT, 4096, 512,
		  { 512, 0 } },
		{ ARING_OP_READV, ARING_KIND_PIPE, 0, 100, 0, { 1, 1 } },
		{ ARING_OP_WRITEV, ARING_KIND_PIPE, 0, 4096, 0, { 0, 0 } },
		{ ARING_OP_WRITE, ARING_KIND_PIPE, 0, 4097, 0, { 1, 4096 } },
		{ ARING_OP_WRITE, ARING_KIND_PIPE, ARING_SEEN_DIRECT, 8192, 0,
		  { 0, 0 } },
		{ ARING_OP_RECV, ARING_KIND_STREAM, 0, 2, 0, { 1, 1 } },
		{ ARING_OP_RECV, ARING_KIND_STREAM, ARING_SEEN_WAITALL, 2, 0,
		  { 1, 0 } },
		{ ARING_OP_SEND, ARING_KIND_STREAM, ARING_SEEN_WAITALL, 2, 0,
		  { 0, 0 } },
		{ ARING_OP_RECV, ARING_KIND_DGRAM, 0, 100, 0, { 0, 0 } },
		{ ARING_OP_SEND, ARING_KIND_DGRAM, 0, 100, 0, { 0, 0 } },
		{ ARING_OP_VREAD, ARING_KIND_NONE, 0, 100, 0, { 0, 0 } },
		{ ARING_OP_FSYNC, ARING_KIND_REG, 0, 0, 0, { 0, 0 } },
	};
	bool ok = true;

	for (size_t i = 0; i < ARRAY_LEN(requests); i++) {
		const struct request *r = &requests[i];
		struct aring_seen what = {
			.opcode = r->opcode, .kind = r->kind,
			.flags = r->flags, .len = r->len, .block = r->block,
		};

		for (unsigned int level = 0; level < 2; level++) {
			unsigned int unit = r->unit[level];

			if (aring_short_unit(level, &what) == unit &&
			    aring_permits(level, &what, ARING_ACT_SHORTEN,
					  unit) == !!unit &&
			    !aring_permits(level, &what, ARING_ACT_SHORTEN, 0) &&
			    !aring_permits(level, &what, ARING_ACT_SHORTEN,
					   r->len) &&
			    (unit < 2 || !aring_permits(level, &what,
							ARING_ACT_SHORTEN,
							unit + 1)))
				continue;
			ksft_print_msg("request %zu at level %u\n", i, level);
			ok = false;
		}
	}
	ksft_test_result(ok, "what may be shortened, and to what\n");
}

static bool fails(unsigned int level, unsigned char opcode,
		  unsigned char kind, unsigned short flags, int error)
{
	const struct aring_seen what = {
		.opcode = opcode, .kind = kind, .flags = flags, .len = 100,
	};

	return aring_permits(level, &what, ARING_ACT_FAIL, error);
}

static void errors_are_as_the_rules_say(void)
{
	bool ok = true;

	for (unsigned int op = 0; op < 256; op++) {
		unsigned int class = aring_class_of(op);

		for (unsigned int kind = 0; kind < ARING_NR_KINDS; kind++) {
			bool disk = kind == ARING_KIND_REG ||
				    kind == ARING_KIND_BLOCK;

			for (unsigned int level = 0; level < 2; level++) {
				/* EIO of storage only, EAGAIN of who does not wait */
				if (fails(level, op, kind, 0, EIO) !=
				    (disk && (class & ARING_CLASS_STORE)) ||
				    fails(level, op, kind, 0, EAGAIN) ||
				    (fails(level, op, kind, ARING_SEEN_NOWAIT,
					   EAGAIN) &&
				     !(class & ARING_CLASS_MOVE)) ||
				    fails(level, op, kind, 0, EINVAL)) {
					ksft_print_msg("opcode %u kind %u level %u\n",
						       op, kind, level);
					ok = false;
				}
			}
			ok &= fails(ARING_LEVEL_ANY, op, kind, 0, EINVAL);
		}
	}
	ksft_test_result(ok, "what may fail, and how\n");
}

/* What is not reordered: what new SQEs wait for, and what ends with another. */
static void order_is_as_the_rules_say(void)
{
	static const unsigned int acts[] = { ARING_ACT_AFTER, ARING_ACT_DELAY };
	bool ok = true;

	for (unsigned int i = 0; i < 4 * ARING_LEVEL_ANY * 256; i++) {
		unsigned int level = i / 256 % ARING_LEVEL_ANY;
		struct aring_seen what = {
			.opcode = i % 256,
			.kind = ARING_KIND_NONE,
			.flags = i / 256 / ARING_LEVEL_ANY / 2 ?
				 ARING_SEEN_DRAIN : 0,
		};
		unsigned int act = acts[i / 256 / ARING_LEVEL_ANY % 2];
		unsigned int may = level == ARING_LEVEL_LINUX ?
				   ARING_CLASS_ASYNC :
				   ARING_CLASS_ASYNC | ARING_CLASS_INLINE;

		if (aring_permits(level, &what, act, 1) ==
		    (!what.flags && (aring_class_of(what.opcode) & may)))
			continue;
		ksft_print_msg("opcode %u flags %u level %u action %u\n",
			       what.opcode, what.flags, level, act);
		ok = false;
	}
	/* Who does not want to wait for a socket is told within ENTER. */
	for (unsigned int i = 0; i < 4; i++) {
		static const unsigned int act[] = {
			ARING_ACT_AFTER, ARING_ACT_DELAY, ARING_ACT_CANCEL_WINS,
			ARING_ACT_CANCEL_LOSES,
		};
		struct aring_seen what = {
			.opcode = ARING_OP_RECV, .kind = ARING_KIND_STREAM,
			.flags = ARING_SEEN_NOWAIT,
		};

		ok &= aring_permits(ARING_LEVEL_CONTRACT, &what, act[i], 1);
		ok &= !aring_permits(ARING_LEVEL_LINUX, &what, act[i], 1);
		what.flags = 0;
		ok &= aring_permits(ARING_LEVEL_LINUX, &what, act[i], 1);
	}
	ksft_test_result(ok, "what may be late\n");
}

int main(int argc, char **argv)
{
	(void)argv;
	if (argc > 1) {
		print_table(stdout);
		return 0;
	}
	ksft_print_header();
	ksft_set_plan(6);
	documentation_has_this_table();
	linux_is_within_the_contract();
	each_row_decides();
	lengths_are_as_the_rules_say();
	errors_are_as_the_rules_say();
	order_is_as_the_rules_say();
	ksft_finished();
}
