/* SPDX-License-Identifier: MIT */
/*
 * What the files of the preload shim share.
 */
#ifndef ARING_SHIM_H
#define ARING_SHIM_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "sys.h"

/* Everything else is hidden: what is exported replaces the program's own. */
#define EXPORT	__attribute__((__visibility__("default")))

#define ALIAS(name)	__attribute__((__alias__(#name), __copy__(name)))

/* calls.c: the three calls, on the device. The kernel's results. */
long shim_call(long nr, const long *arg);

/* shim.c */
void shim_on_sigsys(int sig, siginfo_t *si, void *context);

/* signals.c: SIGSYS as the program wants it, beside ours */
void shim_signals_init(void);
void shim_forward(siginfo_t *si, void *context);
long shim_raw_sigaction(const long *arg);
long shim_raw_sigprocmask(const long *arg);
long shim_raw_wait(long nr, const long *arg);

/* exec.c: the environment that takes the shim along */
void shim_exec_init(char *const *envp);
uint64_t shim_session(void);
long shim_raw_execve(const long *arg);
long shim_raw_execveat(const long *arg);

/* next.c: the functions that ours stand before */
void shim_next_init(void);

#endif /* ARING_SHIM_H */
