// SPDX-License-Identifier: MIT
/*
 * The edges of the state machine: that the table which the compiler checks is
 * the one that people read, that it checks it, and that every function does
 * from every word what the header says, and nothing elsewhere.
 */
#include <string.h>
#include <kselftest.h>
#include "state.h"
#include "edges.h"
#include "compiles.h"

static const char *const states[] = {
	"SUBMITTED", "QUEUED", "STARTED", "DONE", "CANCELLED", "5", "6", "7"
};

enum function {
	START,
	DROP,
	REFUSE,
	TAKE,
	FINISH,
	WITHDRAW,
	QUEUE,
	WAKE,
	CANCEL,		/* of one that does not wait for a peer */
	CANCEL_WAITS,
	NR_FUNCTIONS
};

/* Anything but the words in question is left alone and answered @otherwise. */
static const struct {
	const char *name;
	int otherwise;
} functions[NR_FUNCTIONS] = {
	[START] = { "start", false },
	[DROP] = { "drop", false },
	[REFUSE] = { "refuse", false },
	[TAKE] = { "take", false },
	[FINISH] = { "finish", false },
	[WITHDRAW] = { "withdraw", false },
	[QUEUE] = { "queue", ARING_QUEUED_BAD },
	[WAKE] = { "wake", false },
	[CANCEL] = { "cancel", ARING_VERDICT_GONE },
	[CANCEL_WAITS] = { "cancel of one that waits", ARING_VERDICT_GONE },
};

#define W	ARING_STATE_WAKE
#define C	ARING_STATE_CANCEL

static const struct {
	enum function function;
	int before, answer, after;
} expected[] = {
	{ START, ARING_SUBMITTED, true, ARING_STARTED },
	{ START, ARING_SUBMITTED | W, true, ARING_STARTED },

	{ DROP, ARING_SUBMITTED, true, ARING_CANCELLED },
	{ DROP, ARING_SUBMITTED | W, true, ARING_CANCELLED | W },
	{ DROP, ARING_SUBMITTED | C, true, ARING_CANCELLED | C },
	{ DROP, ARING_SUBMITTED | W | C, true, ARING_CANCELLED | W | C },

	{ REFUSE, ARING_SUBMITTED, true, ARING_DONE },
	{ REFUSE, ARING_SUBMITTED | W, true, ARING_DONE },

	{ TAKE, ARING_QUEUED, true, ARING_STARTED },

	{ FINISH, ARING_STARTED, true, ARING_DONE },
	{ FINISH, ARING_STARTED | W, true, ARING_DONE | W },
	{ FINISH, ARING_STARTED | C, true, ARING_DONE | C },
	{ FINISH, ARING_STARTED | W | C, true, ARING_DONE | W | C },

	{ WITHDRAW, ARING_STARTED | C, true, ARING_CANCELLED | C },
	{ WITHDRAW, ARING_STARTED | W | C, true, ARING_CANCELLED | C },

	{ QUEUE, ARING_SUBMITTED, ARING_QUEUED_OK, ARING_QUEUED },
	{ QUEUE, ARING_SUBMITTED | W, ARING_QUEUED_AGAIN, ARING_SUBMITTED },
	{ QUEUE, ARING_SUBMITTED | C, ARING_QUEUED_CANCELLED, ARING_CANCELLED | C },
	{ QUEUE, ARING_SUBMITTED | W | C, ARING_QUEUED_CANCELLED, ARING_CANCELLED | W | C },
	{ QUEUE, ARING_STARTED, ARING_QUEUED_OK, ARING_QUEUED },
	{ QUEUE, ARING_STARTED | W, ARING_QUEUED_AGAIN, ARING_STARTED },
	{ QUEUE, ARING_STARTED | C, ARING_QUEUED_CANCELLED, ARING_CANCELLED | C },
	{ QUEUE, ARING_STARTED | W | C, ARING_QUEUED_CANCELLED, ARING_CANCELLED | C },

	{ WAKE, ARING_SUBMITTED, false, ARING_SUBMITTED | W },
	{ WAKE, ARING_SUBMITTED | W, false, ARING_SUBMITTED | W },
	{ WAKE, ARING_SUBMITTED | C, false, ARING_SUBMITTED | W | C },
	{ WAKE, ARING_SUBMITTED | W | C, false, ARING_SUBMITTED | W | C },
	{ WAKE, ARING_QUEUED, true, ARING_QUEUED },
	{ WAKE, ARING_QUEUED | W, true, ARING_QUEUED | W },
	{ WAKE, ARING_STARTED, false, ARING_STARTED | W },
	{ WAKE, ARING_STARTED | W, false, ARING_STARTED | W },
	{ WAKE, ARING_STARTED | C, false, ARING_STARTED | W | C },
	{ WAKE, ARING_STARTED | W | C, false, ARING_STARTED | W | C },

	{ CANCEL, ARING_SUBMITTED, ARING_VERDICT_MARKED, ARING_SUBMITTED | C },
	{ CANCEL, ARING_SUBMITTED | W, ARING_VERDICT_MARKED, ARING_SUBMITTED | W | C },
	{ CANCEL, ARING_SUBMITTED | C, ARING_VERDICT_MARKED, ARING_SUBMITTED | C },
	{ CANCEL, ARING_SUBMITTED | W | C, ARING_VERDICT_MARKED, ARING_SUBMITTED | W | C },
	{ CANCEL, ARING_QUEUED, ARING_VERDICT_CANCELLED, ARING_CANCELLED },
	{ CANCEL, ARING_QUEUED | W, ARING_VERDICT_STARTED, ARING_QUEUED | W },
	{ CANCEL, ARING_QUEUED | C, ARING_VERDICT_STARTED, ARING_QUEUED | C },
	{ CANCEL, ARING_QUEUED | W | C, ARING_VERDICT_STARTED, ARING_QUEUED | W | C },
	{ CANCEL, ARING_STARTED, ARING_VERDICT_STARTED, ARING_STARTED },
	{ CANCEL, ARING_STARTED | W, ARING_VERDICT_STARTED, ARING_STARTED | W },
	{ CANCEL, ARING_STARTED | C, ARING_VERDICT_STARTED, ARING_STARTED | C },
	{ CANCEL, ARING_STARTED | W | C, ARING_VERDICT_STARTED, ARING_STARTED | W | C },

	{ CANCEL_WAITS, ARING_SUBMITTED, ARING_VERDICT_MARKED, ARING_SUBMITTED | C },
	{ CANCEL_WAITS, ARING_SUBMITTED | W, ARING_VERDICT_MARKED, ARING_SUBMITTED | W | C },
	{ CANCEL_WAITS, ARING_SUBMITTED | C, ARING_VERDICT_MARKED, ARING_SUBMITTED | C },
	{ CANCEL_WAITS, ARING_SUBMITTED | W | C, ARING_VERDICT_MARKED, ARING_SUBMITTED | W | C },
	{ CANCEL_WAITS, ARING_QUEUED, ARING_VERDICT_CANCELLED, ARING_CANCELLED },
	{ CANCEL_WAITS, ARING_QUEUED | W, ARING_VERDICT_STARTED, ARING_QUEUED | W },
	{ CANCEL_WAITS, ARING_QUEUED | C, ARING_VERDICT_STARTED, ARING_QUEUED | C },
	{ CANCEL_WAITS, ARING_QUEUED | W | C, ARING_VERDICT_STARTED, ARING_QUEUED | W | C },
	{ CANCEL_WAITS, ARING_STARTED, ARING_VERDICT_STARTED, ARING_STARTED | C },
	{ CANCEL_WAITS, ARING_STARTED | W, ARING_VERDICT_STARTED, ARING_STARTED | W | C },
	{ CANCEL_WAITS, ARING_STARTED | C, ARING_VERDICT_STARTED, ARING_STARTED | C },
	{ CANCEL_WAITS, ARING_STARTED | W | C, ARING_VERDICT_STARTED, ARING_STARTED | W | C },
};

static int call(enum function f, aring_state_t *word)
{
	switch (f) {
	case START:
		return aring_state_start(word);
	case DROP:
		return aring_state_drop(word);
	case REFUSE:
		return aring_state_refuse(word);
	case TAKE:
		return aring_state_take(word);
	case FINISH:
		return aring_state_finish(word);
	case WITHDRAW:
		return aring_state_withdraw(word);
	case QUEUE:
		return aring_state_queue(word);
	case WAKE:
		return aring_state_wake(word);
	case CANCEL:
		return aring_state_cancel(word, false);
	default:
		return aring_state_cancel(word, true);
	}
}

static void test_table(void)
{
	int yes = 0, bad = 0;

	for (int from = 0; from < ARING_NR_STATES; from++) {
		for (int to = 0; to < ARING_NR_STATES; to++) {
			yes += edges[from][to];
			if (aring_state_edge_ok(from, to) == edges[from][to])
				continue;
			bad++;
			ksft_print_msg("%s -> %s: the comment says %s, aring_state_edge_ok() %s\n",
				       states[from], states[to], edges[from][to] ? "yes" : "no",
				       edges[from][to] ? "no" : "yes");
		}
	}
	ksft_test_result(!bad, "the table in the comment is the compiler's: %d edges of 25 pairs\n",
			 yes);
}

static void test_compiles(void)
{
	int ok = 0, refused = 0, bad = 0;

	for (int from = 0; from < ARING_NR_STATES; from++) {
		for (int to = 0; to < ARING_NR_STATES; to++) {
			if (compiles[from][to] == edges[from][to]) {
				ok += edges[from][to];
				refused += !edges[from][to];
				continue;
			}
			bad++;
			ksft_print_msg("%s -> %s: %s\n", states[from], states[to],
				       compiles[from][to] == 1 ? "compiles, and should not" :
				       compiles[from][to] ? "refused, and not as an edge" :
				       "refused, and is in the table");
		}
	}
	ksft_test_result(!bad, "the compiler accepts %d edges and refuses %d\n", ok, refused);
}

static void test_function(enum function f)
{
	unsigned int words = 0, moved = 0, bad = 0;

	/* Three words hold no state at all; those are refused as well. */
	for (int before = 0; before < 32; before++) {
		int answer = functions[f].otherwise, after = before, got;
		aring_state_t word;

		for (unsigned int i = 0; i < ARRAY_SIZE(expected); i++) {
			if (expected[i].function == f && expected[i].before == before) {
				answer = expected[i].answer;
				after = expected[i].after;
			}
		}
		atomic_set(&word, before);
		got = call(f, &word);
		words++;
		moved += after != before;
		if (got == answer && atomic_read(&word) == after)
			continue;
		bad++;
		ksft_print_msg("%s of %s%s%s: answers %d, leaves %#x; not %d and %#x\n",
			       functions[f].name, states[before & ARING_STATE_MASK],
			       before & W ? "|WAKE" : "", before & C ? "|CANCEL" : "",
			       got, atomic_read(&word), answer, after);
	}
	ksft_test_result(!bad, "%s: %u words, changes %u\n", functions[f].name, words, moved);
}

static void test_reading(void)
{
	unsigned int bad = 0;
	aring_state_t word;

	atomic_set(&word, -1);
	aring_state_init(&word);
	bad += atomic_read(&word) != ARING_SUBMITTED;

	for (int w = 0; w < 32; w++) {
		int state = w & ARING_STATE_MASK;

		if (state >= ARING_NR_STATES)
			continue;
		atomic_set(&word, w);
		bad += (int)aring_state_read(&word) != state;
		bad += aring_state_cancel_wanted(&word) != !!(w & C);
		bad += aring_state_final(aring_state_read(&word)) !=
		       (state == ARING_DONE || state == ARING_CANCELLED);
		bad += atomic_read(&word) != w;
	}
	ksft_test_result(!bad, "init, read, cancel_wanted, final\n");
}

int main(void)
{
	ksft_print_header();
	ksft_set_plan(3 + NR_FUNCTIONS);
	test_table();
	test_compiles();
	test_reading();
	for (int f = 0; f < NR_FUNCTIONS; f++)
		test_function(f);
	ksft_finished();
}
