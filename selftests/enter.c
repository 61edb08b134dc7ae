// SPDX-License-Identifier: MIT
/*
 * ENTER: what it returns, when it waits, what ends a wait.
 */
#include "ring.h"
#include <sys/time.h>

RING_FIXTURE(enter);

static volatile sig_atomic_t signals;

static void on_signal(int sig)
{
	(void)sig;
	signals++;
}

static void catch(int sig, int flags)
{
	struct sigaction sa = { .sa_handler = on_signal, .sa_flags = flags };

	sigaction(sig, &sa, NULL);
}

static void alarm_in(unsigned int msec)
{
	/* again and again: one may come before the wait has begun */
	struct itimerval it = {
		.it_value = { 0, msec * 1000 },
		.it_interval = { 0, msec * 1000 },
	};

	setitimer(ITIMER_REAL, &it, NULL);
}

static int enter_ext(struct ring *r, unsigned int submit, unsigned int min,
		     const sigset_t *mask, const struct __kernel_timespec *ts)
{
	struct aring_getevents_arg arg = {
		.sigmask = (uintptr_t)mask, .sigmask_sz = mask ? 8 : 0,
		.ts = (uintptr_t)ts,
	};

	return ring_enter(r, submit, min, ARING_ENTER_GETEVENTS |
			  ARING_ENTER_EXT_ARG, &arg, sizeof(arg));
}

/* A read that never ends by itself; answers the end to write to. */
static int never(struct __test_metadata *_metadata, struct ring *r, __u64 ud)
{
	static char b;
	int p[2];

	ASSERT_EQ(0, pipe(p)) {
		return -1;
	}
	prep_read(r, p[0], &b, 1, 0, ud);
	return p[1];
}

struct later {
	int fd[4], n;
	unsigned int msec;
};

static void *write_later(void *arg)
{
	struct later *l = arg;

	for (int i = 0; i < l->n; i++) {
		usleep(l->msec * 1000);
		if (write(l->fd[i], "x", 1) != 1)
			break;
	}
	return NULL;
}

TEST_F(enter, waits_for_min_complete)
{
	struct later l = { .n = 3, .msec = 20 };
	__u64 start = now_ns();
	pthread_t t;

	for (int i = 0; i < 3; i++)
		l.fd[i] = never(_metadata, &self->r, i);
	ring_flush(&self->r);
	ASSERT_EQ(0, pthread_create(&t, NULL, write_later, &l));
	EXPECT_EQ(3, ring_enter(&self->r, 3, 3, ARING_ENTER_GETEVENTS, NULL,
				0));
	EXPECT_EQ(3, ring_ready(&self->r));
	EXPECT_GE(now_ns() - start, ms(60));
	pthread_join(t, NULL);
	/* they are there: asking again does not wait */
	EXPECT_EQ(0, ring_enter(&self->r, 0, 3, ARING_ENTER_GETEVENTS, NULL,
				0));
}

TEST_F(enter, what_is_there_counts)
{
	struct later l = { .n = 1, .msec = 20 };
	pthread_t t;

	prep_nop(&self->r, 1);
	prep_nop(&self->r, 2);
	ASSERT_EQ(2, ring_submit(&self->r));
	l.fd[0] = never(_metadata, &self->r, 3);
	ring_flush(&self->r);
	ASSERT_EQ(0, pthread_create(&t, NULL, write_later, &l));
	EXPECT_EQ(1, ring_enter(&self->r, 1, 3, ARING_ENTER_GETEVENTS, NULL,
				0));
	EXPECT_EQ(3, ring_ready(&self->r));
	pthread_join(t, NULL);
}

TEST_F(enter, without_getevents_it_does_not_wait)
{
	never(_metadata, &self->r, 1);
	ring_flush(&self->r);
	EXPECT_EQ(1, ring_enter(&self->r, 1, 100, 0, NULL, 0));
	EXPECT_EQ(0, ring_enter(&self->r, 0, 100, 0, NULL, 0));
	/* and does not look at the argument either */
	EXPECT_EQ(0, ring_enter(&self->r, 0, 1, ARING_ENTER_EXT_ARG,
				(void *)8, 1));
	EXPECT_EQ(0, ring_enter(&self->r, 0, 1, 0, (void *)8, 1));
}

TEST_F(enter, min_complete_0_returns_at_once)
{
	__u64 start;

	for (int i = 0; i < 60; i++)
		never(_metadata, &self->r, i);
	start = now_ns();
	EXPECT_EQ(60, ring_enter(&self->r, ring_flush(&self->r), 0,
				 ARING_ENTER_GETEVENTS, NULL, 0));
	for (int i = 0; i < 100; i++)
		EXPECT_EQ(0, ring_enter(&self->r, 0, 0, ARING_ENTER_GETEVENTS,
					NULL, 0));
	EXPECT_LE(now_ns() - start, ms(5000) * test_slow());
	EXPECT_EQ(0, ring_ready(&self->r));
}

TEST_F(enter, fewer_submitted_than_asked_for_returns_without_waiting)
{
	never(_metadata, &self->r, 1);
	prep(&self->r, 255, -1, NULL, 0, 0, 2);
	prep_nop(&self->r, 3);
	ring_flush(&self->r);
	/* the bad one ends the batch of three */
	EXPECT_EQ(2, ring_enter(&self->r, 3, 100, ARING_ENTER_GETEVENTS, NULL,
				0));
	EXPECT_EQ(1, ring_enter(&self->r, 3, 100, ARING_ENTER_GETEVENTS, NULL,
				0));
	EXPECT_EQ(0, ring_enter(&self->r, 3, 100, ARING_ENTER_GETEVENTS, NULL,
				0));
	EXPECT_EQ(2, ring_ready(&self->r));
}

TEST_F(enter, timeout_by_ext_arg)
{
	struct __kernel_timespec ts = to_ts(ms(50)), zero = { 0, 0 };
	struct aring_cqe cqe;
	__u64 start = now_ns();

	EXPECT_EQ(-ETIME, enter_ext(&self->r, 0, 1, NULL, &ts));
	EXPECT_GE(now_ns() - start, ms(50));
	EXPECT_EQ(-ETIME, enter_ext(&self->r, 0, 1, NULL, &zero));
	/* what came in the meantime is success */
	prep_nop(&self->r, 1);
	ASSERT_EQ(1, ring_submit(&self->r));
	start = now_ns();
	EXPECT_EQ(0, enter_ext(&self->r, 0, 2, NULL, &ts));
	EXPECT_GE(now_ns() - start, ms(50));
	EXPECT_TRUE(ring_reap(&self->r, &cqe));
	/* and so is what was submitted */
	never(_metadata, &self->r, 2);
	ring_flush(&self->r);
	start = now_ns();
	EXPECT_EQ(1, enter_ext(&self->r, 1, 1, NULL, &ts));
	EXPECT_GE(now_ns() - start, ms(50));
	EXPECT_EQ(0, ring_ready(&self->r));
}

TEST_F(enter, no_timeout_is_needed_in_ext_arg)
{
	struct later l = { .n = 1, .msec = 30 };
	pthread_t t;

	l.fd[0] = never(_metadata, &self->r, 1);
	ring_flush(&self->r);
	ASSERT_EQ(0, pthread_create(&t, NULL, write_later, &l));
	EXPECT_EQ(1, enter_ext(&self->r, 1, 1, NULL, NULL));
	EXPECT_EQ(1, ring_ready(&self->r));
	pthread_join(t, NULL);
}

TEST_F(enter, any_timeout_completion_ends_a_wait)
{
	struct __kernel_timespec ts = to_ts(ms(30)), long_ts = to_ts(ms(20000));
	__u64 start = now_ns();

	never(_metadata, &self->r, 1);
	prep_timeout(&self->r, &ts, 0, 0, 2);
	ring_flush(&self->r);
	EXPECT_EQ(2, enter_ext(&self->r, 2, 5, NULL, &long_ts));
	EXPECT_GE(now_ns() - start, ms(30));
	EXPECT_LE(now_ns() - start, ms(10000));
	EXPECT_EQ(1, ring_ready(&self->r));
	/* one that is over already does not */
	start = now_ns();
	ts = to_ts(ms(50));
	EXPECT_EQ(0, enter_ext(&self->r, 0, 5, NULL, &ts));
	EXPECT_GE(now_ns() - start, ms(50));
}

TEST_F(enter, min_complete_is_clamped_to_the_cq)
{
	struct __kernel_timespec ts = to_ts(ms(20000));
	__u64 start;

	for (int k = 0; k < 2; k++) {
		for (int i = 0; i < 64; i++)
			prep_nop(&self->r, i);
		ASSERT_EQ(64, ring_submit(&self->r));
	}
	ASSERT_EQ(128, ring_ready(&self->r));
	start = now_ns();
	EXPECT_EQ(0, enter_ext(&self->r, 0, UINT_MAX, NULL, &ts));
	EXPECT_EQ(0, enter_ext(&self->r, 0, 129, NULL, &ts));
	EXPECT_LE(now_ns() - start, ms(10000));
}

TEST_F(enter, a_signal_is_eintr_even_with_sa_restart)
{
	for (int k = 0; k < 2; k++) {
		signals = 0;
		catch(SIGALRM, k ? SA_RESTART : 0);
		alarm_in(30);
		CHECK_EQ(-EINTR, ring_enter(&self->r, 0, 1,
					    ARING_ENTER_GETEVENTS, NULL, 0),
			 "SA_RESTART %d", k);
		EXPECT_GE(signals, 1);
		alarm_in(0);
	}
	/* a completion or a submission counts for more */
	alarm_in(30);
	never(_metadata, &self->r, 1);
	ring_flush(&self->r);
	EXPECT_EQ(1, ring_enter(&self->r, 1, 1, ARING_ENTER_GETEVENTS, NULL,
				0));
	EXPECT_EQ(0, ring_ready(&self->r));
	prep_nop(&self->r, 2);
	ASSERT_EQ(1, ring_submit(&self->r));
	EXPECT_EQ(0, ring_enter(&self->r, 0, 2, ARING_ENTER_GETEVENTS, NULL,
				0));
	alarm_in(0);
}

TEST_F(enter, an_ignored_signal_does_not_end_a_wait)
{
	struct __kernel_timespec ts = to_ts(ms(100));
	__u64 start = now_ns();

	signal(SIGALRM, SIG_IGN);
	alarm_in(10);
	EXPECT_EQ(-ETIME, enter_ext(&self->r, 0, 1, NULL, &ts));
	EXPECT_GE(now_ns() - start, ms(100));
	alarm_in(0);
}

TEST_F(enter, the_signal_mask_is_for_the_wait)
{
	struct __kernel_timespec ts = to_ts(ms(10000) * test_slow());
	sigset_t block, now, open_mask;

	catch(SIGUSR1, 0);
	sigemptyset(&open_mask);
	sigemptyset(&block);
	sigaddset(&block, SIGUSR1);
	ASSERT_EQ(0, sigprocmask(SIG_BLOCK, &block, NULL));
	for (int k = 0; k < 2; k++) {
		signals = 0;
		raise(SIGUSR1);
		EXPECT_EQ(0, signals);
		/* pending: the mask lets it in, the wait ends, the mask is back */
		CHECK_EQ(-EINTR, k ?
			 enter_ext(&self->r, 0, 1, &open_mask, &ts) :
			 ring_enter(&self->r, 0, 1, ARING_ENTER_GETEVENTS,
				    &open_mask, 8), "ext arg %d", k);
		CHECK_EQ(1, signals, "ext arg %d", k);
		ASSERT_EQ(0, sigprocmask(SIG_BLOCK, NULL, &now));
		CHECK_EQ(1, sigismember(&now, SIGUSR1), "ext arg %d", k);
	}
	ASSERT_EQ(0, sigprocmask(SIG_UNBLOCK, &block, NULL));
}

TEST_F(enter, the_signal_mask_keeps_signals_out)
{
	struct __kernel_timespec ts = to_ts(ms(100));
	sigset_t block, now;
	__u64 start = now_ns();

	catch(SIGALRM, 0);
	signals = 0;
	sigemptyset(&block);
	sigaddset(&block, SIGALRM);
	alarm_in(10);
	EXPECT_EQ(-ETIME, enter_ext(&self->r, 0, 1, &block, &ts));
	EXPECT_GE(now_ns() - start, ms(100));
	/* it comes as soon as the wait is over */
	EXPECT_GE(signals, 1);
	alarm_in(0);
	ASSERT_EQ(0, sigprocmask(SIG_BLOCK, NULL, &now));
	EXPECT_EQ(0, sigismember(&now, SIGALRM));
}

TEST_F(enter, kill_and_stop_cannot_be_masked)
{
	struct ring *r = &self->r;
	sigset_t all;
	int status;
	pid_t pid;

	sigfillset(&all);
	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid) {
		ring_enter(r, 0, 1, ARING_ENTER_GETEVENTS, &all, 8);
		_exit(1);
	}
	usleep(50000);
	ASSERT_EQ(0, kill(pid, SIGKILL));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_TRUE(WIFSIGNALED(status));
}

TEST_F(enter, a_bad_wait_argument_is_refused)
{
	struct __kernel_timespec ts = to_ts(ms(10));
	struct aring_getevents_arg arg = { .ts = (uintptr_t)&ts };
	const unsigned int ext = ARING_ENTER_GETEVENTS | ARING_ENTER_EXT_ARG;
	struct ring *r = &self->r;
	sigset_t mask;

	sigemptyset(&mask);
	EXPECT_EQ(-EINVAL, ring_enter(r, 0, 1, ext, &arg, sizeof(arg) - 1));
	EXPECT_EQ(-EINVAL, ring_enter(r, 0, 1, ext, &arg, 0));
	EXPECT_EQ(-EINVAL, ring_enter(r, 0, 1, ext, NULL, 8));
	EXPECT_EQ(-EFAULT, ring_enter(r, 0, 1, ext, NULL, sizeof(arg)));
	EXPECT_EQ(-EFAULT, ring_enter(r, 0, 1, ext, (void *)8, sizeof(arg)));
	arg.ts = 8;
	EXPECT_EQ(-EFAULT, ring_enter(r, 0, 1, ext, &arg, sizeof(arg)));
	arg.ts = (uintptr_t)&ts;
	arg.sigmask = 8;
	arg.sigmask_sz = 8;
	EXPECT_EQ(-EFAULT, ring_enter(r, 0, 1, ext, &arg, sizeof(arg)));
	arg.sigmask = (uintptr_t)&mask;
	arg.sigmask_sz = 4;
	EXPECT_EQ(-EINVAL, ring_enter(r, 0, 1, ext, &arg, sizeof(arg)));
	EXPECT_EQ(-EINVAL, ring_enter(r, 0, 1, ARING_ENTER_GETEVENTS, &mask,
				      4));
	EXPECT_EQ(-EFAULT, ring_enter(r, 0, 1, ARING_ENTER_GETEVENTS,
				      (void *)8, 8));
	arg.sigmask_sz = 8;
	EXPECT_EQ(-ETIME, ring_enter(r, 0, 1, ext, &arg, sizeof(arg)));
}

TEST_F(enter, the_padding_of_ext_arg_is_refused)
{
	struct __kernel_timespec ts = to_ts(ms(10));
	struct aring_getevents_arg arg = { .ts = (uintptr_t)&ts, .pad = 1 };

	EXPECT_EQ(-EINVAL, ring_enter(&self->r, 0, 1, ARING_ENTER_GETEVENTS |
				      ARING_ENTER_EXT_ARG, &arg, sizeof(arg)));
}

TEST_F(enter, a_bad_wait_argument_leaves_the_submitted_counted)
{
	struct aring_getevents_arg arg = { .ts = 8 };
	const unsigned int ext = ARING_ENTER_GETEVENTS | ARING_ENTER_EXT_ARG;
	struct ring *r = &self->r;
	struct aring_cqe cqe;

	prep_nop(r, 1);
	ring_flush(r);
	EXPECT_EQ(1, ring_enter(r, 1, 2, ext, (void *)8, sizeof(arg)));
	prep_nop(r, 2);
	ring_flush(r);
	EXPECT_EQ(1, ring_enter(r, 1, 3, ext, &arg, sizeof(arg)));
	prep_nop(r, 3);
	ring_flush(r);
	EXPECT_EQ(1, ring_enter(r, 1, 4, ext, &arg, 1));
	prep_nop(r, 4);
	ring_flush(r);
	EXPECT_EQ(1, ring_enter(r, 1, 5, ARING_ENTER_GETEVENTS, (void *)8, 8));
	for (int i = 1; i <= 4; i++) {
		ASSERT_TRUE(ring_reap(r, &cqe));
		EXPECT_EQ(i, cqe.user_data);
	}
}

struct waiter {
	struct ring *r;
	unsigned int min;
	int ret;
	unsigned int seen;
};

static void *wait_thread(void *arg)
{
	struct waiter *w = arg;

	w->ret = ring_enter(w->r, 0, w->min, ARING_ENTER_GETEVENTS, NULL, 0);
	w->seen = ring_ready(w->r);
	return NULL;
}

TEST_F(enter, two_threads_wait_for_different_numbers)
{
	struct waiter w[2] = { { &self->r, 2, 1, 0 }, { &self->r, 1, 1, 0 } };
	struct later l = { .n = 2, .msec = 30 };
	pthread_t t[2], wt;

	l.fd[0] = never(_metadata, &self->r, 1);
	l.fd[1] = never(_metadata, &self->r, 2);
	ASSERT_EQ(2, ring_submit(&self->r));
	for (int i = 0; i < 2; i++)
		ASSERT_EQ(0, pthread_create(&t[i], NULL, wait_thread, &w[i]));
	ASSERT_EQ(0, pthread_create(&wt, NULL, write_later, &l));
	/* io_uring runs what was woken in the task that submitted it */
	if (variant->backend == IO_URING)
		ring_wait(&self->r, 2);
	for (int i = 0; i < 2; i++) {
		pthread_join(t[i], NULL);
		CHECK_EQ(0, w[i].ret, "waiter %d", i);
		CHECK_GE(w[i].seen, w[i].min, "waiter %d", i);
	}
	pthread_join(wt, NULL);
}

TEST_F(enter, hints_about_task_work_change_nothing)
{
	static const __u32 flags[] = {
		ARING_SETUP_COOP_TASKRUN,
		ARING_SETUP_COOP_TASKRUN | ARING_SETUP_TASKRUN_FLAG,
		ARING_SETUP_SINGLE_ISSUER,
		ARING_SETUP_SINGLE_ISSUER | ARING_SETUP_DEFER_TASKRUN,
		ARING_SETUP_SINGLE_ISSUER | ARING_SETUP_DEFER_TASKRUN |
			ARING_SETUP_TASKRUN_FLAG,
	};

	for (size_t k = 0; k < ARRAY_SIZE(flags); k++) {
		struct __kernel_timespec ts = to_ts(ms(10));
		struct later l = { .n = 1, .msec = 20 };
		struct aring_cqe cqe = { 0 };
		struct ring r;
		pthread_t t;

		ASSERT_EQ(0, ring_init(&r, variant->backend, 8, flags[k]));
		l.fd[0] = never(_metadata, &r, 1);
		ring_flush(&r);
		ASSERT_EQ(0, pthread_create(&t, NULL, write_later, &l));
		CHECK_EQ(1, ring_enter(&r, 1, 1, ARING_ENTER_GETEVENTS, NULL,
				       0), "flags %#x", flags[k]);
		CHECK_TRUE(ring_reap(&r, &cqe), "flags %#x", flags[k]);
		CHECK_EQ(1, cqe.res, "flags %#x", flags[k]);
		pthread_join(t, NULL);
		prep_timeout(&r, &ts, 0, 0, 2);
		CHECK_EQ(-ETIME, ring_run(&r), "flags %#x", flags[k]);
		ring_exit(&r);
	}
}

TEST_F(enter, a_closed_descriptor_is_ebadf)
{
	struct ring r = self->r;

	r.fd = dup(self->r.fd);
	close(r.fd);
	EXPECT_EQ(-EBADF, ring_enter(&r, 0, 0, 0, NULL, 0));
}

RING_TEST_MAIN
