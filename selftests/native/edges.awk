# SPDX-License-Identifier: MIT
#
# The table of edges in the comment at the top of kmod/state.h, as an array for
# the compiler: what people read is what the tests go by.

/^ \*[ \t]+to:/ {
	for (i = 3; i <= NF; i++)
		to[++columns] = $i
	next
}

columns && rows < columns {
	first = ($2 == "from:") ? 3 : 2
	if (NF != first + columns)
		exit
	for (i = 1; i <= columns; i++) {
		word = $(first + i)
		if (word != "yes" && word != ".")
			exit
		row[++pairs] = "[ARING_" $first "][ARING_" to[i] "] = " (word == "yes")
	}
	rows++
}

END {
	if (pairs != 25) {
		print "edges.awk: found " pairs + 0 " of 25 pairs in the table of state.h" >"/dev/stderr"
		exit 1
	}
	print "static const bool edges[ARING_NR_STATES][ARING_NR_STATES] = {"
	for (i = 1; i <= pairs; i++)
		print "\t" row[i] ","
	print "};"
}
