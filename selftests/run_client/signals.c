// SPDX-License-Identifier: MIT
/*
 * Programs that block signals and replace handlers, for the test of aring run.
 */
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/select.h>
#include <sys/time.h>
#include <time.h>
#include <ucontext.h>

#include "client.h"

static const char *volatile handler_where;
static volatile int handler_runs;

static void on_signal(int sig)
{
	(void)sig;
	handler_where = use_ring();
	handler_runs++;
}

static sigset_t full_set(void)
{
	sigset_t set;

	sigfillset(&set);
	return set;
}

/* A handler that uses a ring, with everything blocked meanwhile. */
static void set_handler(int sig, int flags)
{
	struct sigaction act = {
		.sa_handler = on_signal,
		.sa_flags = flags,
		.sa_mask = full_set(),
	};

	need(!sigaction(sig, &act, NULL));
}

static int say_handler(void)
{
	need(handler_runs == 1);
	puts(handler_where);
	return 0;
}

/* ---- threads that block every signal ------------------------------------- */

static void *in_thread(void *arg)
{
	const sigset_t all = full_set();

	if (arg)
		need(!pthread_sigmask(SIG_SETMASK, &all, NULL));
	say_where();
	return NULL;
}

static int thread(bool before)
{
	const sigset_t all = full_set();
	pthread_t t;

	if (before)
		need(!pthread_sigmask(SIG_BLOCK, &all, NULL));
	need(!pthread_create(&t, NULL, in_thread, before ? NULL : &t));
	return pthread_join(t, NULL);
}

static int mode_thread_blocks(char **arg)
{
	(void)arg;
	return thread(false);
}

static int mode_thread_inherits(char **arg)
{
	(void)arg;
	return thread(true);
}

static int mode_thread_attr(char **arg)
{
	const sigset_t all = full_set();
	pthread_attr_t attr;
	pthread_t t;

	(void)arg;
	pthread_attr_init(&attr);
	need(!pthread_attr_setsigmask_np(&attr, &all));
	need(!pthread_create(&t, &attr, in_thread, NULL));
	return pthread_join(t, NULL);
}

static int mode_sigprocmask(char **arg)
{
	const sigset_t all = full_set();
	sigset_t now;

	(void)arg;
	need(!sigprocmask(SIG_BLOCK, &all, NULL));
	say_where();
	/* The others are blocked, though, and so they say. */
	need(!sigprocmask(SIG_SETMASK, NULL, &now));
	need(sigismember(&now, SIGTERM) && sigismember(&now, SIGCHLD));
	raise(SIGTERM);
	return 0;
}

static int mode_raw_mask(char **arg)
{
	uint64_t all = ~0ULL;

	(void)arg;
	need(!syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, NULL, 8));
	say_where();
	return 0;
}

#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
static int mode_old_masks(char **arg)
{
	(void)arg;
	sigsetmask(~0);
	say_where();
	sigblock(~0);
	say_where();
	sighold(SIGSYS);
	say_where();
	return 0;
}

/* ---- waits with a mask, interrupted by a handler that uses a ring --------- */

static void later(void)
{
	const struct itimerval it = { .it_value = { .tv_usec = 50000 } };
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	need(!sigprocmask(SIG_BLOCK, &set, NULL));
	set_handler(SIGALRM, 0);
	need(!setitimer(ITIMER_REAL, &it, NULL));
}

static sigset_t all_but_alarm(void)
{
	sigset_t set = full_set();

	sigdelset(&set, SIGALRM);
	return set;
}

static int mode_wait_suspend(char **arg)
{
	const sigset_t set = all_but_alarm();

	(void)arg;
	later();
	need(sigsuspend(&set) == -1 && errno == EINTR);
	return say_handler();
}

static int mode_wait_poll(char **arg)
{
	const sigset_t set = all_but_alarm();

	(void)arg;
	later();
	need(ppoll(NULL, 0, NULL, &set) == -1 && errno == EINTR);
	return say_handler();
}

static int mode_wait_select(char **arg)
{
	const sigset_t set = all_but_alarm();

	(void)arg;
	later();
	need(pselect(0, NULL, NULL, NULL, NULL, &set) == -1 && errno == EINTR);
	return say_handler();
}

static int mode_wait_epoll(char **arg)
{
	const sigset_t set = all_but_alarm();
	struct epoll_event ev;
	int fd = epoll_create1(0);

	(void)arg;
	later();
	need(epoll_pwait(fd, &ev, 1, -1, &set) == -1 && errno == EINTR);
	return say_handler();
}

/* The same by way of syscall(2). */
static int mode_wait_raw(char **arg)
{
	const sigset_t set = all_but_alarm();
	const struct {
		const sigset_t *set;
		size_t size;
	} pair = { &set, 8 };
	struct epoll_event ev;
	int fd = epoll_create1(0);

	(void)arg;
	later();
	need(syscall(SYS_rt_sigsuspend, &set, 8) == -1 && errno == EINTR);
	need(handler_runs == 1);
	handler_runs = 0;
	later();
	need(syscall(SYS_ppoll, NULL, 0, NULL, &set, 8) == -1 && errno == EINTR);
	need(handler_runs == 1);
	handler_runs = 0;
	later();
	need(syscall(SYS_pselect6, 0, NULL, NULL, NULL, NULL, &pair) == -1 &&
	     errno == EINTR);
	need(handler_runs == 1);
	handler_runs = 0;
	later();
	need(syscall(SYS_epoll_pwait, fd, &ev, 1, -1, &set, 8) == -1 &&
	     errno == EINTR);
	need(handler_runs == 1);
	handler_runs = 0;
	later();
	need(syscall(SYS_epoll_pwait2, fd, &ev, 1, NULL, &set, 8) == -1 &&
	     errno == EINTR);
	/* and without a mask they are what they were */
	need(!syscall(SYS_pselect6, 0, NULL, NULL, NULL,
		      &(struct timespec) { 0 }, NULL));
	need(!syscall(SYS_ppoll, NULL, 0, &(struct timespec) { 0 }, NULL, 0));
	need(!syscall(SYS_epoll_pwait, fd, &ev, 1, 0, NULL, 8));
	return say_handler();
}

/* The mask that io_uring_enter() takes, both ways. */
static int wait_ring(bool ext)
{
	const sigset_t set = all_but_alarm();
	struct io_uring_getevents_arg arg = {
		.sigmask = (uintptr_t)&set,
		.sigmask_sz = 8,
	};
	struct io_uring ring;

	need(!io_uring_queue_init(4, &ring, 0));
	later();
	if (ext)
		need(raw(SYS_io_uring_enter, ring.ring_fd, 0, 1, 1 | 8,
			 (long)&arg, sizeof(arg)) == -EINTR);
	else
		need(raw(SYS_io_uring_enter, ring.ring_fd, 0, 1, 1, (long)&set,
			 8) == -EINTR);
	return say_handler();
}

static int mode_wait_ring(char **arg)
{
	(void)arg;
	return wait_ring(false);
}

static int mode_wait_ring_ext(char **arg)
{
	(void)arg;
	return wait_ring(true);
}

/* ---- handlers ------------------------------------------------------------ */

static int mode_handler(char **arg)
{
	(void)arg;
	set_handler(SIGUSR1, 0);
	raise(SIGUSR1);
	return say_handler();
}

static int mode_raw_handler(char **arg)
{
	struct {
		void *handler;
		unsigned long flags;
		void *restorer;
		uint64_t mask;
	} act;

	(void)arg;
	/* The restorer is libc's; the rest is changed. */
	set_handler(SIGUSR1, 0);
	need(!syscall(SYS_rt_sigaction, SIGUSR1, NULL, &act, 8));
	act.mask = ~0ULL;
	need(!syscall(SYS_rt_sigaction, SIGUSR1, &act, NULL, 8));
	raise(SIGUSR1);
	return say_handler();
}

/* As crash reporters and runtimes do: one for each there is. */
static int mode_all_handlers(char **arg)
{
	int sig;

	(void)arg;
	for (sig = 1; sig < NSIG; sig++)
		if (sig != SIGKILL && sig != SIGSTOP && (sig < 32 || sig > 33))
			set_handler(sig, SA_RESTART);
	for (sig = 1; sig < NSIG; sig++)
		if (sig != SIGKILL && sig != SIGSTOP && (sig < 32 || sig > 33))
			signal(sig, on_signal);
	say_where();
	need(handler_runs == 0);
	raise(SIGSYS);
	return say_handler();
}

static int mode_altstack(char **arg)
{
	static char stack[65536];
	const stack_t ss = { .ss_sp = stack, .ss_size = sizeof(stack) };

	(void)arg;
	need(!sigaltstack(&ss, NULL));
	set_handler(SIGUSR1, SA_ONSTACK);
	say_where();
	raise(SIGUSR1);
	return say_handler();
}

/* A wait in io_uring_enter() is interrupted, and left by a jump. */
static sigjmp_buf out;

static void jump(int sig)
{
	(void)sig;
	siglongjmp(out, 1);
}

static int mode_jump(char **arg)
{
	const struct itimerval it = { .it_value = { .tv_usec = 20000 } };
	struct io_uring ring;
	volatile int i;

	(void)arg;
	need(!io_uring_queue_init(4, &ring, 0));
	signal(SIGALRM, jump);
	for (i = 0; i < 20; i++) {
		if (sigsetjmp(out, 1))
			continue;
		need(!setitimer(ITIMER_REAL, &it, NULL));
		raw(SYS_io_uring_enter, ring.ring_fd, 0, 1, 1, 0, 8);
		fail("the wait ended by itself");
	}
	say_where();
	return 0;
}

static void *volatile timer_where;

static void on_timer(union sigval value)
{
	(void)value;
	timer_where = (void *)(uintptr_t)use_ring();
}

/* A thread that libc starts by itself. */
static int mode_timer(char **arg)
{
	struct sigevent ev = {
		.sigev_notify = SIGEV_THREAD,
		.sigev_notify_function = on_timer,
	};
	const struct itimerspec it = { .it_value = { .tv_nsec = 1000000 } };
	timer_t timer;
	int i;

	(void)arg;
	need(!timer_create(CLOCK_MONOTONIC, &ev, &timer));
	need(!timer_settime(timer, 0, &it, NULL));
	for (i = 0; i < 2000 && !timer_where; i++)
		usleep(5000);
	need(timer_where);
	puts(timer_where);
	return 0;
}

/* ---- SIGSYS itself ------------------------------------------------------- */

static volatile int sys_runs, sys_nr;

static void on_sigsys(int sig, siginfo_t *si, void *context)
{
	ucontext_t *uc = context;

	(void)sig;
	sys_runs++;
	sys_nr = si->si_syscall;
	if (si->si_code == 1)
		uc->uc_mcontext.gregs[REG_RAX] = 777;
}

/* The program has a handler and a filter of its own. */
static int mode_sigsys(char **arg)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog prog = { .len = 4, .filter = code };
	struct sigaction act = {
		.sa_sigaction = on_sigsys,
		.sa_flags = SA_SIGINFO,
	}, seen;

	(void)arg;
	need(!sigaction(SIGSYS, &act, NULL));
	need(!sigaction(SIGSYS, NULL, &seen));
	need(seen.sa_sigaction == on_sigsys && seen.sa_flags & SA_SIGINFO);
	say_where();
	need(sys_runs == 0);
	raise(SIGSYS);
	need(sys_runs == 1);
	need(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	need(!prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog));
	need(raw(SYS_getppid, 0, 0, 0, 0, 0, 0) == 777);
	need(sys_runs == 2 && sys_nr == SYS_getppid);
	say_where();
	need(sys_runs == 2);
	return 0;
}

static int mode_sigsys_ignored(char **arg)
{
	(void)arg;
	need(signal(SIGSYS, SIG_IGN) == SIG_DFL);
	raise(SIGSYS);
	say_where();
	need(signal(SIGSYS, SIG_DFL) == SIG_IGN);
	say_where();
	return 0;
}

const struct mode signal_modes[] = {
	{ "thread-blocks", mode_thread_blocks },
	{ "thread-inherits", mode_thread_inherits },
	{ "thread-attr", mode_thread_attr },
	{ "sigprocmask", mode_sigprocmask },
	{ "raw-mask", mode_raw_mask },
	{ "old-masks", mode_old_masks },
	{ "wait-suspend", mode_wait_suspend },
	{ "wait-poll", mode_wait_poll },
	{ "wait-select", mode_wait_select },
	{ "wait-epoll", mode_wait_epoll },
	{ "wait-raw", mode_wait_raw },
	{ "wait-ring", mode_wait_ring },
	{ "wait-ring-ext", mode_wait_ring_ext },
	{ "handler", mode_handler },
	{ "raw-handler", mode_raw_handler },
	{ "all-handlers", mode_all_handlers },
	{ "altstack", mode_altstack },
	{ "jump", mode_jump },
	{ "timer", mode_timer },
	{ "sigsys", mode_sigsys },
	{ "sigsys-ignored", mode_sigsys_ignored },
	{ NULL, NULL },
};
