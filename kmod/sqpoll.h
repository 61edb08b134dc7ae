/* SPDX-License-Identifier: GPL-2.0 */
/*
 * SQPOLL: the thread that submits in the program's place.
 */
#ifndef ARING_SQPOLL_H
#define ARING_SQPOLL_H

#include <linux/types.h>

struct aring_params;
struct aring_ring;
struct cred;
struct file;
struct fs_struct;
struct nsproxy;

/**
 * struct aring_sqpoll - the thread, and for whom it submits
 * @task: the thread, referenced
 * @wait: where it sleeps
 * @space: where programs wait for room in the SQ
 * @asleep: it sleeps, unless it was taken out of @wait meanwhile
 * @gone: it is about to end, and does nothing more but poke the ring if @awaited
 * @awaited: the ring waits for it to be @gone
 * @idle: jiffies without work after which it sleeps
 * @cpu: where it runs, -1 for anywhere
 * @tgid: the process that set the ring up
 * @mm: its address space, pinned by mm_count only
 * @cred: credentials of who set the ring up
 * @files: his descriptor table; only to compare
 * @fs: root and working directory, likewise
 * @nsproxy: namespaces, likewise
 * @fsize: RLIMIT_FSIZE
 */
struct aring_sqpoll {
	struct task_struct	*task;
	wait_queue_head_t	wait;
	wait_queue_head_t	space;
	bool			asleep;
	bool			gone;
	bool			awaited;
	unsigned long		idle;
	int			cpu;
	struct pid		*tgid;
	struct mm_struct	*mm;
	const struct cred	*cred;
	const void		*files;
	const void		*fs;
	const void		*nsproxy;
	unsigned long		fsize;
};

/* sqpoll.c APIs */
int aring_sqpoll_create(struct aring_ring *ring, const struct aring_params *p);
int aring_sqpoll_start(struct aring_ring *ring);
void aring_sqpoll_wake(struct aring_ring *ring);
bool aring_sqpoll_rests(struct aring_ring *ring);
bool aring_sqpoll_orphaned(const struct aring_ring *ring);
int aring_sqpoll_wait_space(struct aring_ring *ring);
bool aring_sqpoll_exit(struct aring_ring *ring);
void aring_sqpoll_free(struct aring_ring *ring);
struct file *aring_sqpoll_file(struct aring_ring *ring, unsigned int fd);

#endif /* ARING_SQPOLL_H */
