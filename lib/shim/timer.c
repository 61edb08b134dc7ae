// SPDX-License-Identifier: MIT
/*
 * glibc runs the functions of timers (SIGEV_THREAD) in threads of its own that
 * block every signal, without asking any function that could be replaced. So
 * the function that it calls is ours, which calls the program's.
 *
 * It is never known when the last call is over: timer_delete() does not wait.
 * So what it needs is kept, and used again for a timer that is like it.
 */
#include <stdlib.h>

#include "next.h"
#include "shim.h"

/**
 * struct notify - what a timer calls
 * @next: in the list; nothing is ever taken out
 * @function: the program's
 * @value: its argument
 */
struct notify {
	struct notify *next;
	void (*function)(union sigval value);
	union sigval value;
};

static struct notify *list;

static struct notify *find(const struct sigevent *ev)
{
	struct notify *n;

	for (n = __atomic_load_n(&list, __ATOMIC_ACQUIRE); n; n = n->next)
		if (n->function == ev->sigev_notify_function &&
		    n->value.sival_ptr == ev->sigev_value.sival_ptr)
			return n;
	n = malloc(sizeof(*n));
	if (!n)
		return NULL;
	n->function = ev->sigev_notify_function;
	n->value = ev->sigev_value;
	n->next = __atomic_load_n(&list, __ATOMIC_RELAXED);
	while (!__atomic_compare_exchange_n(&list, &n->next, n, false,
					    __ATOMIC_RELEASE, __ATOMIC_RELAXED))
		;
	return n;
}

static void notify(union sigval value)
{
	const struct notify *n = value.sival_ptr;
	const kernel_sigset sigsys = SIGSYS_BIT;

	sys_sigprocmask(SIG_UNBLOCK, &sigsys, NULL);
	n->function(n->value);
}

EXPORT int timer_create(clockid_t clock, struct sigevent *ev, timer_t *timer)
{
	struct sigevent ours;

	if (ev && ev->sigev_notify == SIGEV_THREAD) {
		ours = *ev;
		ours.sigev_notify_function = notify;
		ours.sigev_value.sival_ptr = find(ev);
		if (!ours.sigev_value.sival_ptr) {
			errno = EAGAIN;
			return -1;
		}
		ev = &ours;
	}
	return shim_next.timer_create(clock, ev, timer);
}
