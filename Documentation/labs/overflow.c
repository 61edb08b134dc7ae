// SPDX-License-Identifier: MIT
/* A completion queue of 4 entries is given 12 completions. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <aring.h>

static void look(struct aring *ring, const char *when)
{
	char cmd[160];

	printf("%-28s %u CQEs in the ring, CQ_OVERFLOW %s, waiting:", when,
	       aring_cq_ready(ring),
	       aring_cq_has_overflow(ring) ? "set" : "clear");
	fflush(stdout);
	/* fdinfo lists them: "  user_data=4, res=0, flags=0" */
	snprintf(cmd, sizeof(cmd),
		 "sed -n 's/.*user_data=\\([0-9]*\\), res.*/ \\1/p' /proc/%d/fdinfo/%d | tr -d '\\n'; echo",
		 getpid(), ring->ring_fd);
	if (system(cmd))
		exit(1);
}

int main(void)
{
	struct aring_params p = { .flags = ARING_SETUP_CQSIZE, .cq_entries = 4 };
	struct aring ring;
	struct aring_cqe *cqe;
	unsigned int i, round, head;

	if (aring_queue_init_params(4, &ring, &p))
		return 1;
	for (i = 0; i < 12; i++) {
		struct aring_sqe *sqe = aring_get_sqe(&ring);

		aring_prep_nop(sqe);
		aring_sqe_set_data64(sqe, i);
		if (i % 4 == 3)
			aring_submit(&ring);
		if (i == 3)
			look(&ring, "after 4 NOPs:");
	}
	look(&ring, "after 12 NOPs:");

	for (round = 0; round < 3; round++) {
		printf("reaped:");
		i = 0;
		aring_for_each_cqe(&ring, head, cqe) {
			printf(" %llu", (unsigned long long)cqe->user_data);
			i++;
		}
		printf("\n");
		aring_cq_advance(&ring, i);
		aring_get_events(&ring);	/* ENTER with GETEVENTS */
		look(&ring, "after ENTER with GETEVENTS:");
	}
	aring_queue_exit(&ring);
	return 0;
}
