#!/bin/sh
# SPDX-License-Identifier: MIT
#
# edge_compiles.sh CC...: which edges does the compiler let somebody write?
# Prints an array for C, of 1 (compiles), 0 (refused, with ARING_EDGE()'s own
# words) or -1 (refused for another reason; that is printed to stderr).
#
# One line of source for each pair, all in one go; the compiler says in which
# lines there are errors. The array below them is there to make sure that it
# got that far.
#
set -eu
export LC_ALL=C
states="SUBMITTED QUEUED STARTED DONE CANCELLED"

program() {
	for from in $states; do
		for to in $states; do
			printf 'static bool %s_%s(aring_state_t *w) ' "$from" "$to"
			echo "{ int old; return ARING_EDGE(w, &old, ARING_$from, 0, ARING_$to, 0); }"
		done
	done
	echo "int end[-1];"
}

errors=$({ echo '#include "state.h"'; program; } | "$@" -fsyntax-only -x c - 2>&1) || :
printf '%s\n' "$errors" | awk -v states="$states" '
	# gcc names the line of the macro first, and that of its use in a note.
	/error:/ { kind = /not in the table of state\.h/ ? 0 : -1; pending = 1 }
	pending && /^<stdin>:[0-9]+:/ {
		split($0, part, ":")
		line = part[2] - 1
		if (line == 26)
			end = 1
		else if (!(line in r) || kind < r[line])
			r[line] = kind
		pending = 0
	}
	END {
		if (!end)
			exit 1
		n = split(states, state, " ")
		print "static const int compiles[ARING_NR_STATES][ARING_NR_STATES] = {"
		for (i = 1; i <= n; i++)
			for (j = 1; j <= n; j++) {
				line = (i - 1) * n + j
				printf "\t[ARING_%s][ARING_%s] = %d,\n", state[i], state[j],
				       (line in r) ? r[line] : 1
				bad += (line in r) && r[line] < 0
			}
		print "};"
		exit bad > 0
	}' || { printf '%s\n' "$errors" >&2; exit 1; }
