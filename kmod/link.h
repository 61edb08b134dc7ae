/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Chains while they are being submitted.
 */
#ifndef ARING_LINK_H
#define ARING_LINK_H

#include "request.h"

/**
 * struct aring_chain - a chain that is being put together
 * @head: first member, linked by &aring_req.next; NULL if there is none
 * @last: last member
 * @failed: a member is bad, so none of them is going to run
 * @silent: and only the head says so
 */
struct aring_chain {
	struct aring_req	*head;
	struct aring_req	*last;
	bool			failed;
	bool			silent;
};

/* link.c APIs: submission */
void aring_chain_add(struct aring_chain *chain, struct aring_req *req, int ret);
void aring_chain_start(struct aring_ring *ring, struct aring_chain *chain);

#endif /* ARING_LINK_H */
