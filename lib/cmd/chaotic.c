// SPDX-License-Identifier: MIT
/*
 * aring run with a session: chaos, plans, and what is found out with them.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "chaos.h"
#include "chaotic.h"
#include "cmd.h"

/* ---- what repeats it ------------------------------------------------------- */

static bool has_controls(const char *word)
{
	for (; *word; word++)
		if ((unsigned char)*word < ' ' || *word == 0x7f)
			return true;
	return false;
}

/*
 * On one line, and harmless on a terminal: $'a\nb', which bash and others know; no
 * shell has another way.
 */
static void print_controls(FILE *f, const char *word)
{
	fputs("$'", f);
	for (; *word; word++) {
		if ((unsigned char)*word < ' ' || *word == 0x7f)
			fprintf(f, "\\%03o", (unsigned int)*word);
		else if (*word == '\'' || *word == '\\')
			fprintf(f, "\\%c", *word);
		else
			fputc(*word, f);
	}
	fputc('\'', f);
}

/* A word as the shell takes it. */
static void print_word(FILE *f, const char *word)
{
	static const char plain[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789%+,-./:=@_";

	if (*word && strspn(word, plain) == strlen(word)) {
		fputs(word, f);
		return;
	}
	if (has_controls(word)) {
		print_controls(f, word);
		return;
	}
	fputc('\'', f);
	for (; *word; word++) {
		if (*word == '\'')
			fputs("'\\''", f);
		else
			fputc(*word, f);
	}
	fputc('\'', f);
}

/* The command line that does it again, by @plan if there is one, else by seed. */
static void print_repeat(FILE *f, const struct chaotic *c, const char *plan,
			 const struct outcome *o)
{
	const struct under *u = c->trial.u;
	char text[CHAOS_TEXT];
	char *const *arg;

	fputs("aring run", f);
	if (!plan && c->has_chaos) {
		chaos_write(text, sizeof(text), &c->trial.chaos);
		fprintf(f, " --chaos '%s'", text);
	} else if (plan && c->trial.chaos.level) {
		fprintf(f, " --chaos level=%s",
			chaos_level(c->trial.chaos.level));
	}
	if (plan) {
		fputs(" --plan ", f);
		print_word(f, plan);
	}
	if (c->trial.virtual_clock)
		fputs(" --clock virtual", f);
	if (o->end.how == UNDER_HUNG)
		fprintf(f, " --hang-after %g", u->hang_after);
	fputs(" --", f);
	for (arg = u->argv; *arg; arg++) {
		fputc(' ', f);
		print_word(f, *arg);
	}
	fputc('\n', f);
}

static void say_failure(const struct outcome *o)
{
	char text[100];

	outcome_text(o, text, sizeof(text));
	complain("%s", text);
}

/* ---- the log --------------------------------------------------------------- */

static bool close_file(FILE *f, const char *name)
{
	bool bad = ferror(f);

	if ((f == stdout ? fflush(f) : fclose(f)) || bad) {
		complain("%s: %s", name, strerror(errno));
		return false;
	}
	return true;
}

static FILE *open_file(const char *name)
{
	FILE *f;

	if (!strcmp(name, "-"))
		return stdout;
	f = fopen(name, "we");
	if (!f)
		complain("%s: %s; next: name a file that can be written", name,
			 strerror(errno));
	return f;
}

/* A plan that does the same again, and for people what it is of: @from, or a seed. */
static void write_plan(const struct chaotic *c, FILE *f, const struct plan *p,
		       const char *from, const struct outcome *o)
{
	fputs("# ", f);
	print_repeat(f, c, from, o);
	plan_write(f, p);
}

static bool write_log(const struct chaotic *c, const struct outcome *o)
{
	struct plan done = { .nr = 0 };
	FILE *f;

	if (o->lost)
		complain("%llu lines of the log are lost: there was no room",
			 o->lost);
	if (!c->log_file)
		return true;
	f = open_file(c->log_file);
	if (!f)
		return false;
	outcome_done(o, &done);
	write_plan(c, f, &done, c->plan_file, o);
	if (o->lost)
		fprintf(f, "# %llu more lines are lost\n", o->lost);
	plan_free(&done);
	return close_file(f, c->log_file);
}

/* Lines of the plan that the program gave no occasion for. */
static void name_the_missing(const struct chaotic *c, const struct outcome *o)
{
	char line[PLAN_LINE];
	bool any = false;
	size_t i;

	for (i = 0; i < o->log.nr; i++) {
		if (o->log.line[i].flags & ARING_DEV_DONE)
			continue;
		if (!any)
			complain("lines of the plan that never came, or are not permitted%s:",
				 c->trial.chaos.level == ARING_LEVEL_ANY ? "" :
				 " at this level (next: try --chaos level=any)");
		any = true;
		plan_line_write(line, sizeof(line), &o->log.line[i]);
		fprintf(stderr, "  %s\n", line);
	}
}

/* ---- shrinking ------------------------------------------------------------- */

static bool save_plan(const struct chaotic *c, const struct plan *p,
		      const struct outcome *o)
{
	FILE *f = open_file(c->save_file);

	if (!f)
		return false;
	/* Exploring, it came of no seed. */
	write_plan(c, f, p, c->explore ? c->save_file : c->plan_file, o);
	return close_file(f, c->save_file);
}

/* Print and save what is left, and say how to have it again. */
static void present(const struct chaotic *c, const struct plan *p,
		    const struct outcome *o)
{
	plan_write(stdout, p);
	fflush(stdout);
	if (save_plan(c, p, o))
		print_repeat(stderr, c, c->save_file, o);
}

/* Shrink the plan, print and save what is left. Returns the exit status. */
static int shrink_failure(struct chaotic *c, const struct plan *plan,
			  const struct outcome *failure)
{
	int status = under_status(&failure->end), ret;
	struct shrunk s;

	memset(&s, 0, sizeof(s));
	c->trial.u->no_output = true;
	ret = shrink(&c->trial.trier, plan, failure, &s);
	if (!ret && !s.repeated)
		complain("the failure does not repeat: %u runs with all %zu deviations %s",
			 s.runs, plan->nr, "went otherwise");
	if (!s.repeated) {
		/* Of a seed or a plan it has been said how to have it again. */
		if (c->explore)
			present(c, plan, failure);
		goto out;
	}
	if (!s.plan.nr) {
		complain("it fails with no deviation at all (%u runs)", s.runs);
		goto out;
	}
	complain("%s%zu of %zu deviation%s left after %u runs%s",
		 ret ? "stopped: " : "", s.plan.nr, plan->nr,
		 plan->nr == 1 ? "" : "s", s.runs,
		 ret ? "" : "; none can be left out:");
	present(c, &s.plan, failure);
out:
	plan_free(&s.plan);
	return ret ? ret : status;
}

static int shrink_outcome(struct chaotic *c, const struct outcome *o)
{
	struct plan done = { .nr = 0 };
	int ret;

	outcome_done(o, &done);
	ret = shrink_failure(c, &done, o);
	plan_free(&done);
	return ret;
}

/* ---- one run, many seeds, every plan --------------------------------------- */

static int run_single(struct chaotic *c, const struct plan *plan)
{
	bool blamed = c->has_chaos || plan;
	struct outcome o;
	int ret, status;

	memset(&o, 0, sizeof(o));
	ret = c->trial.trier.run(&c->trial.trier, plan, false, &o);
	if (ret)
		return ret;
	status = under_status(&o.end);
	if (!write_log(c, &o) && !status)
		status = EXIT_UNDER_FAILED;
	if (plan)
		name_the_missing(c, &o);
	if (o.end.how == UNDER_HUNG)
		complain("%s: not over after %g s", c->trial.u->argv[0],
			 c->trial.u->hang_after);
	if (!outcome_passed(&o) && !o.end.interrupted) {
		if (blamed)
			print_repeat(stderr, c, c->plan_file, &o);
		if (c->shrink)
			status = shrink_outcome(c, &o);
	}
	if (!c->shrink)
		under_die_alike(&o.end);
	outcome_free(&o);
	return status;
}

static int run_seeds(struct chaotic *c)
{
	__u64 first = c->trial.chaos.seed;
	struct outcome o;
	unsigned long i;
	int ret = 0;

	memset(&o, 0, sizeof(o));
	c->trial.u->no_output = true;
	for (i = 0; i < c->seeds; i++) {
		progress_note("seed %lu of %lu", i + 1, c->seeds);
		c->trial.chaos.seed = first + i;
		ret = c->trial.trier.run(&c->trial.trier, NULL, false, &o);
		if (!ret && o.end.interrupted)
			ret = 128 + o.end.interrupted;
		if (ret || !outcome_passed(&o))
			break;
	}
	progress_clear_note();
	if (ret) {
		complain("stopped after %lu of %lu seeds", i, c->seeds);
	} else if (i < c->seeds) {
		complain("seed %llu, after %lu that passed:",
			 c->trial.chaos.seed, i);
		say_failure(&o);
		write_log(c, &o);
		print_repeat(stderr, c, NULL, &o);
		ret = c->shrink ? shrink_outcome(c, &o) : under_status(&o.end);
	} else {
		printf("all %lu seeds pass, %llu to %llu\n", c->seeds, first,
		       c->trial.chaos.seed);
	}
	outcome_free(&o);
	return ret;
}

static int say_explored(struct chaotic *c, struct explored *e)
{
	if (e->parted[0])
		complain("not repeatable: two runs without deviations parted at %s",
			 e->parted);
	if (e->lost)
		complain("incomplete: for want of room %llu requests were not recorded",
			 e->lost);
	if (e->passed && e->partly)
		complain("in %lu of the plans not every deviation came about",
			 e->partly);
	if (e->passed) {
		printf("all %lu plans pass\n", e->plans);
		return EXIT_OK;
	}
	if (!e->first.nr) {
		complain("it fails with no deviation at all:");
		say_failure(&e->failure);
		return under_status(&e->failure.end);
	}
	complain("plan %lu fails:", e->plans);
	say_failure(&e->failure);
	return shrink_failure(c, &e->first, &e->failure);
}

static int run_explore(struct chaotic *c)
{
	struct explored e;
	int ret;

	memset(&e, 0, sizeof(e));
	c->trial.u->no_output = true;
	ret = explore(&c->trial.trier, c->most, &c->trial.chaos, &e);
	if (!ret)
		ret = say_explored(c, &e);
	else
		complain("stopped after %lu plans", e.plans);
	plan_free(&e.first);
	outcome_free(&e.failure);
	return ret;
}

static bool read_plan_file(const char *name, struct plan *p)
{
	char why[400];
	FILE *f;
	bool ok;

	f = fopen(name, "re");
	if (!f) {
		complain("%s: %s; next: name a plan, as --chaos-log and --shrink write them",
			 name, strerror(errno));
		return false;
	}
	ok = plan_read(f, name, p, why, sizeof(why));
	if (!ok)
		complain("%s", why);
	fclose(f);
	return ok;
}

static int run_as_asked(struct chaotic *c)
{
	struct plan plan = { .nr = 0 };
	int ret;

	if (c->explore)
		return run_explore(c);
	if (c->seeds)
		return run_seeds(c);
	if (!c->plan_file)
		return run_single(c, NULL);
	ret = read_plan_file(c->plan_file, &plan) ? run_single(c, &plan) :
	      EXIT_UNDER_FAILED;
	plan_free(&plan);
	return ret;
}

/* Found out before hours of work; what is there stays until there is something to write. */
static bool can_write(const char *name)
{
	char dir[PATH_MAX];
	struct stat st;
	char *slash;
	int ret;

	if (!name || !strcmp(name, "-"))
		return true;
	ret = access(name, W_OK);
	if (!ret && !stat(name, &st) && S_ISDIR(st.st_mode)) {
		ret = -1;
		errno = EISDIR;
	} else if (ret && errno == ENOENT && *name &&
		   strlen(name) < sizeof(dir)) {
		strcpy(dir, name);
		slash = strrchr(dir, '/');
		if (slash)
			slash[1] = 0;
		ret = access(slash ? dir : ".", W_OK | X_OK);
	}
	if (ret)
		complain("%s: %s; next: name a file that can be written", name,
			 strerror(errno));
	return !ret;
}

/**
 * chaotic_run() - run a program in a session, once or many times
 * @c: what is asked for; the program is found and possible
 *
 * Return: the exit status.
 */
int chaotic_run(struct chaotic *c)
{
	struct under *u = c->trial.u;
	int ret;

	if (!can_write(c->log_file) ||
	    ((c->shrink || c->explore) && !can_write(c->save_file)))
		return EXIT_UNDER_FAILED;
	/* In what is done again and again nobody can type, or wait for the end. */
	if (c->shrink || c->seeds || c->explore) {
		u->no_input = true;
		u->reap = true;
		if (u->hang_after <= 0)
			u->hang_after = HANG_AFTER;
		under_hold_signals(u);
	}
	ret = run_as_asked(c);
	/* What came at last ends us here, and not what has been said. */
	fflush(stdout);
	under_let_signals(u);
	return ret;
}
