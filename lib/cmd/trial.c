// SPDX-License-Identifier: MIT
/*
 * One run of a program in a session of its own.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"
#include "trial.h"

static int failed(const char *what, int err)
{
	char shorter[80];
	const char *next = "look into the kernel log: dmesg | tail";

	snprintf(shorter, sizeof(shorter),
		 "make the plan shorter: %u lines at most",
		 ARING_SESSION_MAX_LINES);
	if (err == -ENOTTY)
		next = "load the module that belongs to this command";
	else if (err == -E2BIG)
		next = shorter;
	else if (err == -ENOMEM)
		next = "end other programs, or make it shorter";
	else if (err == -EMFILE || err == -ENFILE)
		next = "raise the limit of open files (ulimit -n)";
	complain("session: %s: %s; next: %s", what, strerror(-err), next);
	return EXIT_UNDER_FAILED;
}

/* The level goes with a plan, too: what it forbids is not done. */
static int tell_chaos(const struct trial *t, const struct plan *plan, int fd)
{
	struct aring_chaos level = { .level = t->chaos.level };

	return session_chaos(fd, plan ? &level : &t->chaos);
}

static int prepare(const struct trial *t, const struct plan *plan, bool watch,
		   int fd)
{
	int ret;

	ret = tell_chaos(t, plan, fd);
	if (ret)
		return failed("chaos", ret);
	if (plan && plan->nr)
		ret = session_plan(fd, plan);
	if (ret)
		return failed("plan", ret);
	if (watch)
		ret = session_watch(fd);
	if (ret)
		return failed("watch", ret);
	if (t->virtual_clock)
		ret = session_virtual_clock(fd);
	return ret ? failed("clock", ret) : 0;
}

static int read_back(int fd, bool watch, struct outcome *o)
{
	__u64 lost = 0;
	int ret;

	ret = session_log(fd, &o->log, &o->lost);
	if (ret)
		return failed("log", ret);
	if (watch)
		ret = session_seen(fd, &o->seen, &lost);
	o->lost += lost;
	return ret ? failed("seen", ret) : 0;
}

static int trial_run(struct trier *trier, const struct plan *plan, bool watch,
		     struct outcome *o)
{
	struct trial *t = (struct trial *)trier;
	__u64 id;
	int fd, ret;

	outcome_free(o);
	fd = session_create(&id);
	if (fd < 0)
		return failed("create", fd);
	ret = prepare(t, plan, watch, fd);
	if (!ret) {
		t->u->session = id;
		ret = under_run(t->u, &o->end);
	}
	if (!ret)
		ret = read_back(fd, watch, o);
	close(fd);
	return ret;
}

/**
 * trial_init() - what runs a program in a session
 * @t: becomes it
 * @u: the program, of which under_is_possible() is true
 */
void trial_init(struct trial *t, struct under *u)
{
	memset(t, 0, sizeof(*t));
	t->trier.run = trial_run;
	t->u = u;
}
