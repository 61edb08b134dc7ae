// SPDX-License-Identifier: GPL-2.0
/* NOP: nothing, as fast as possible. */
#include "op.h"

/**
 * aring_nop_issue() - complete with 0
 * @req: STARTED
 * @how: ARING_ISSUE_INLINE
 *
 * Return: ARING_ISSUED_DONE.
 */
int aring_nop_issue(struct aring_req *req, unsigned int how)
{
	req->res = 0;
	return ARING_ISSUED_DONE;
}
