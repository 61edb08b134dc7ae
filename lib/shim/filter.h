/* SPDX-License-Identifier: MIT */
/*
 * The seccomp filter. Used by the shim, and by aring run, which installs it
 * before it executes the program.
 */
#ifndef ARING_SHIM_FILTER_H
#define ARING_SHIM_FILTER_H

#include <linux/seccomp.h>
#include <signal.h>
#include <stdbool.h>

/*
 * In si_errno of a SIGSYS that this filter causes, so that a filter of the
 * program's own that traps the same calls is not mistaken for it.
 */
#define SHIM_TRAP_DATA	0xa516

/* &siginfo_t.si_code of a SIGSYS that a seccomp filter causes */
#ifndef SYS_SECCOMP
#define SYS_SECCOMP	1
#endif

/**
 * SHIM_ENV - the variable that says that the filter is there already
 *
 * "quiet" if nothing shall be said of programs that the shim cannot enter.
 */
#define SHIM_ENV	"ARING_RUN"

/** SHIM_FILE - what the library is called; its path is what LD_PRELOAD names */
#define SHIM_FILE	"libaring-shim.so"

bool shim_trap_is_ours(const siginfo_t *si);
int shim_filter_install(void);
bool shim_filter_mode(void);
bool shim_filter_traps(void);

#endif /* ARING_SHIM_FILTER_H */
