// SPDX-License-Identifier: GPL-2.0
/*
 * The state machine of a request: every function, from every state with every
 * combination of bits, legal or not. What the header says is written out below,
 * apart from the code, so that both have to be wrong to agree on something wrong.
 *
 * Who wins when two meet is for tests in user space to show, by interleaving
 * this same header step by step.
 */
#include <kunit/test.h>

#include "../state.h"

#define W	ARING_STATE_WAKE
#define C	ARING_STATE_CANCEL
#define UNCHANGED	(-1)

struct state_expect {
	int before;
	int answer;
	int after;
};

static const char *const state_names[] = {
	"SUBMITTED", "QUEUED", "STARTED", "DONE", "CANCELLED"
};

static const char *state_show(struct kunit *test, int word)
{
	char *s = kunit_kzalloc(test, 32, GFP_KERNEL);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, s);
	snprintf(s, 32, "%s%s%s", state_names[word & ARING_STATE_MASK],
		 word & W ? "|WAKE" : "", word & C ? "|CANCEL" : "");
	return s;
}

/*
 * Call @function from every word: those in @expect are answered and changed as
 * it says, others are left alone and answered @otherwise.
 */
static void state_check(struct kunit *test, int (*function)(aring_state_t *word),
			int otherwise, const struct state_expect *expect, size_t nr)
{
	int state, bits;

	for (state = 0; state < ARING_NR_STATES; state++) {
		for (bits = 0; bits <= ARING_STATE_BITS; bits += W) {
			int before = state | bits, answer = otherwise, after = before;
			aring_state_t word = ATOMIC_INIT(before);
			size_t i;

			for (i = 0; i < nr; i++) {
				if (expect[i].before != before)
					continue;
				answer = expect[i].answer;
				if (expect[i].after != UNCHANGED)
					after = expect[i].after;
			}
			KUNIT_EXPECT_EQ_MSG(test, function(&word), answer, "from %s",
					    state_show(test, before));
			KUNIT_EXPECT_EQ_MSG(test, atomic_read(&word), after, "from %s",
					    state_show(test, before));
		}
	}
}

static void state_table(struct kunit *test)
{
	static const char *const table[ARING_NR_STATES] = {
		/* to: SUBMITTED, QUEUED, STARTED, DONE, CANCELLED */
		[ARING_SUBMITTED] = ".yyyy",
		[ARING_QUEUED] = "..y.y",
		[ARING_STARTED] = ".y.y.",
		[ARING_DONE] = ".....",
		[ARING_CANCELLED] = ".....",
	};
	int from, to;

	for (from = 0; from < ARING_NR_STATES; from++)
		for (to = 0; to < ARING_NR_STATES; to++)
			KUNIT_EXPECT_EQ_MSG(test, aring_state_edge_ok(from, to),
					    table[from][to] == 'y', "%s -> %s",
					    state_names[from], state_names[to]);
}

static void state_reading(struct kunit *test)
{
	aring_state_t word = ATOMIC_INIT(-1);
	int state, bits;

	aring_state_init(&word);
	KUNIT_EXPECT_EQ(test, atomic_read(&word), ARING_SUBMITTED);

	for (state = 0; state < ARING_NR_STATES; state++) {
		for (bits = 0; bits <= ARING_STATE_BITS; bits += W) {
			atomic_set(&word, state | bits);
			KUNIT_EXPECT_EQ(test, (int)aring_state_read(&word), state);
			KUNIT_EXPECT_EQ(test, aring_state_cancel_wanted(&word), !!(bits & C));
			KUNIT_EXPECT_EQ(test, aring_state_final(aring_state_read(&word)),
					state == ARING_DONE || state == ARING_CANCELLED);
			KUNIT_EXPECT_EQ(test, atomic_read(&word), state | bits);
		}
	}
}

/* Inline functions that answer one thing or another, for one pointer to all. */
static int do_start(aring_state_t *word)
{
	return aring_state_start(word);
}

static int do_drop(aring_state_t *word)
{
	return aring_state_drop(word);
}

static int do_refuse(aring_state_t *word)
{
	return aring_state_refuse(word);
}

static int do_take(aring_state_t *word)
{
	return aring_state_take(word);
}

static int do_finish(aring_state_t *word)
{
	return aring_state_finish(word);
}

static int do_withdraw(aring_state_t *word)
{
	return aring_state_withdraw(word);
}

static int do_queue(aring_state_t *word)
{
	return aring_state_queue(word);
}

static int do_wake(aring_state_t *word)
{
	return aring_state_wake(word);
}

static int do_cancel(aring_state_t *word)
{
	return aring_state_cancel(word, false);
}

static int do_cancel_waits(aring_state_t *word)
{
	return aring_state_cancel(word, true);
}

static void state_start(struct kunit *test)
{
	static const struct state_expect expect[] = {
		{ ARING_SUBMITTED, true, ARING_STARTED },
		{ ARING_SUBMITTED | W, true, ARING_STARTED },
	};

	state_check(test, do_start, false, expect, ARRAY_SIZE(expect));
}

static void state_drop(struct kunit *test)
{
	static const struct state_expect expect[] = {
		{ ARING_SUBMITTED, true, ARING_CANCELLED },
		{ ARING_SUBMITTED | W, true, ARING_CANCELLED | W },
		{ ARING_SUBMITTED | C, true, ARING_CANCELLED | C },
		{ ARING_SUBMITTED | W | C, true, ARING_CANCELLED | W | C },
	};

	state_check(test, do_drop, false, expect, ARRAY_SIZE(expect));
}

static void state_refuse(struct kunit *test)
{
	static const struct state_expect expect[] = {
		{ ARING_SUBMITTED, true, ARING_DONE },
		{ ARING_SUBMITTED | W, true, ARING_DONE },
	};

	state_check(test, do_refuse, false, expect, ARRAY_SIZE(expect));
}

static void state_take(struct kunit *test)
{
	static const struct state_expect expect[] = {
		{ ARING_QUEUED, true, ARING_STARTED },
	};

	state_check(test, do_take, false, expect, ARRAY_SIZE(expect));
}

static void state_finish(struct kunit *test)
{
	static const struct state_expect expect[] = {
		{ ARING_STARTED, true, ARING_DONE },
		{ ARING_STARTED | W, true, ARING_DONE | W },
		{ ARING_STARTED | C, true, ARING_DONE | C },
		{ ARING_STARTED | W | C, true, ARING_DONE | W | C },
	};

	state_check(test, do_finish, false, expect, ARRAY_SIZE(expect));
}

static void state_withdraw(struct kunit *test)
{
	static const struct state_expect expect[] = {
		{ ARING_STARTED | C, true, ARING_CANCELLED | C },
		{ ARING_STARTED | W | C, true, ARING_CANCELLED | C },
	};

	state_check(test, do_withdraw, false, expect, ARRAY_SIZE(expect));
}

static void state_queue(struct kunit *test)
{
	static const struct state_expect expect[] = {
		{ ARING_SUBMITTED, ARING_QUEUED_OK, ARING_QUEUED },
		{ ARING_SUBMITTED | W, ARING_QUEUED_AGAIN, ARING_SUBMITTED },
		{ ARING_SUBMITTED | C, ARING_QUEUED_CANCELLED, ARING_CANCELLED | C },
		{ ARING_SUBMITTED | W | C, ARING_QUEUED_CANCELLED, ARING_CANCELLED | W | C },
		{ ARING_STARTED, ARING_QUEUED_OK, ARING_QUEUED },
		{ ARING_STARTED | W, ARING_QUEUED_AGAIN, ARING_STARTED },
		{ ARING_STARTED | C, ARING_QUEUED_CANCELLED, ARING_CANCELLED | C },
		{ ARING_STARTED | W | C, ARING_QUEUED_CANCELLED, ARING_CANCELLED | C },
	};

	state_check(test, do_queue, ARING_QUEUED_BAD, expect, ARRAY_SIZE(expect));
}

static void state_wake(struct kunit *test)
{
	static const struct state_expect expect[] = {
		{ ARING_SUBMITTED, false, ARING_SUBMITTED | W },
		{ ARING_SUBMITTED | W, false, UNCHANGED },
		{ ARING_SUBMITTED | C, false, ARING_SUBMITTED | W | C },
		{ ARING_SUBMITTED | W | C, false, UNCHANGED },
		{ ARING_QUEUED, true, UNCHANGED },
		/* Never there; harmless all the same. */
		{ ARING_QUEUED | W, true, UNCHANGED },
		{ ARING_STARTED, false, ARING_STARTED | W },
		{ ARING_STARTED | W, false, UNCHANGED },
		{ ARING_STARTED | C, false, ARING_STARTED | W | C },
		{ ARING_STARTED | W | C, false, UNCHANGED },
	};

	state_check(test, do_wake, false, expect, ARRAY_SIZE(expect));
}

static void state_cancel(struct kunit *test)
{
	static const struct state_expect expect[] = {
		{ ARING_SUBMITTED, ARING_VERDICT_MARKED, ARING_SUBMITTED | C },
		{ ARING_SUBMITTED | W, ARING_VERDICT_MARKED, ARING_SUBMITTED | W | C },
		{ ARING_SUBMITTED | C, ARING_VERDICT_MARKED, UNCHANGED },
		{ ARING_SUBMITTED | W | C, ARING_VERDICT_MARKED, UNCHANGED },
		{ ARING_QUEUED, ARING_VERDICT_CANCELLED, ARING_CANCELLED },
		{ ARING_QUEUED | W, ARING_VERDICT_STARTED, UNCHANGED },
		{ ARING_QUEUED | C, ARING_VERDICT_STARTED, UNCHANGED },
		{ ARING_QUEUED | W | C, ARING_VERDICT_STARTED, UNCHANGED },
		{ ARING_STARTED, ARING_VERDICT_STARTED, UNCHANGED },
		{ ARING_STARTED | W, ARING_VERDICT_STARTED, UNCHANGED },
		{ ARING_STARTED | C, ARING_VERDICT_STARTED, UNCHANGED },
		{ ARING_STARTED | W | C, ARING_VERDICT_STARTED, UNCHANGED },
	};

	state_check(test, do_cancel, ARING_VERDICT_GONE, expect, ARRAY_SIZE(expect));
}

static void state_cancel_waits(struct kunit *test)
{
	static const struct state_expect expect[] = {
		{ ARING_SUBMITTED, ARING_VERDICT_MARKED, ARING_SUBMITTED | C },
		{ ARING_SUBMITTED | W, ARING_VERDICT_MARKED, ARING_SUBMITTED | W | C },
		{ ARING_SUBMITTED | C, ARING_VERDICT_MARKED, UNCHANGED },
		{ ARING_SUBMITTED | W | C, ARING_VERDICT_MARKED, UNCHANGED },
		{ ARING_QUEUED, ARING_VERDICT_CANCELLED, ARING_CANCELLED },
		{ ARING_QUEUED | W, ARING_VERDICT_STARTED, UNCHANGED },
		{ ARING_QUEUED | C, ARING_VERDICT_STARTED, UNCHANGED },
		{ ARING_QUEUED | W | C, ARING_VERDICT_STARTED, UNCHANGED },
		{ ARING_STARTED, ARING_VERDICT_STARTED, ARING_STARTED | C },
		{ ARING_STARTED | W, ARING_VERDICT_STARTED, ARING_STARTED | W | C },
		{ ARING_STARTED | C, ARING_VERDICT_STARTED, UNCHANGED },
		{ ARING_STARTED | W | C, ARING_VERDICT_STARTED, UNCHANGED },
	};

	state_check(test, do_cancel_waits, ARING_VERDICT_GONE, expect, ARRAY_SIZE(expect));
}

static struct kunit_case state_cases[] = {
	KUNIT_CASE(state_table),
	KUNIT_CASE(state_reading),
	KUNIT_CASE(state_start),
	KUNIT_CASE(state_drop),
	KUNIT_CASE(state_refuse),
	KUNIT_CASE(state_take),
	KUNIT_CASE(state_finish),
	KUNIT_CASE(state_withdraw),
	KUNIT_CASE(state_queue),
	KUNIT_CASE(state_wake),
	KUNIT_CASE(state_cancel),
	KUNIT_CASE(state_cancel_waits),
	{}
};

static struct kunit_suite state_suite = {
	.name = "aring_state",
	.test_cases = state_cases,
};

kunit_test_suite(state_suite);
