/* SPDX-License-Identifier: MIT */
/*
 * The compatibility table: what Linux 6.1's io_uring has, and what aring makes
 * of it. The test program selftests/matrix_probe.c is built with the same table
 * and asks both kernels whether it is true.
 */
#ifndef _ARING_CMD_MATRIX_H
#define _ARING_CMD_MATRIX_H

/**
 * enum matrix_kind - the parts of the table
 * @MATRIX_OP: an operation
 * @MATRIX_SETUP: a flag of set-up
 * @MATRIX_SQE: a flag of an SQE
 * @MATRIX_ENTER: a flag of ENTER
 * @MATRIX_REGISTER: an opcode of REGISTER
 * @MATRIX_FEATURE: a bit of the features
 * @MATRIX_KINDS: how many there are
 */
enum matrix_kind {
	MATRIX_OP,
	MATRIX_SETUP,
	MATRIX_SQE,
	MATRIX_ENTER,
	MATRIX_REGISTER,
	MATRIX_FEATURE,
	MATRIX_KINDS,
};

/**
 * enum matrix_verdict - what aring makes of it
 * @MATRIX_SAME: it is there, and does the same
 * @MATRIX_HINT: it is accepted and validated, and has no effect
 * @MATRIX_ABSENT: it is not there, and fails as the row says
 */
enum matrix_verdict {
	MATRIX_SAME,
	MATRIX_HINT,
	MATRIX_ABSENT,
};

/**
 * struct matrix_row - one row
 * @kind: the part of the table
 * @nr: the opcode, or the flag's bit as a mask
 * @name: io_uring's name, without the prefix that all of the kind have
 * @verdict: what aring makes of it
 * @error: if absent, how it fails: a positive errno, or 0 where the bit is clear
 * @note: in a few words where aring differs, or ""
 */
struct matrix_row {
	enum matrix_kind kind;
	unsigned int nr;
	const char *name;
	enum matrix_verdict verdict;
	int error;
	const char *note;
};

extern const struct matrix_row matrix_rows[];
extern const unsigned int matrix_count;

const char *matrix_prefix(enum matrix_kind kind);
void matrix_print(void);
void matrix_print_rst(void);

#endif /* _ARING_CMD_MATRIX_H */
