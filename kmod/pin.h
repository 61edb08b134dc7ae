/* SPDX-License-Identifier: GPL-2.0 */
/*
 * User memory of a transfer, pinned for a thread that is not the program's.
 */
#ifndef ARING_PIN_H
#define ARING_PIN_H

#include <linux/mm.h>
#include <linux/types.h>

/*
 * Pages pinned at a time: 4 MiB on x86. Longer transfers go piece by piece. A
 * message goes in one, in however many buffers it lies.
 */
#define ARING_PIN_PAGES		1024U
/* So many bytes are one piece, wherever they begin in a page. */
#define ARING_PIECE_BYTES	((ARING_PIN_PAGES - 1) * PAGE_SIZE)

struct bio_vec;
struct iovec;
struct mm_struct;
struct page;

/**
 * struct aring_span - user memory of a transfer, and how much of it is done
 * @addr: user address, if there are no iovecs
 * @iov: iovecs, the kernel's own copy, or NULL
 * @nr_segs: their number
 * @total: bytes in all
 * @done: bytes moved before
 * @to_user: the kernel writes to it
 */
struct aring_span {
	u64			addr;
	const struct iovec	*iov;
	unsigned long		nr_segs;
	size_t			total;
	size_t			done;
	bool			to_user;
};

/**
 * struct aring_piece - pinned pages of a transfer
 * @pages: the pages
 * @bvecs: the same with offsets and lengths
 * @nr: how many of both
 * @len: bytes
 * @fault: behind them there is memory that could not be pinned
 */
struct aring_piece {
	struct page	**pages;
	struct bio_vec	*bvecs;
	unsigned int	nr;
	size_t		len;
	bool		fault;
};

/* pin.c APIs */
int aring_piece_get(struct aring_piece *piece, struct mm_struct *mm,
		    const struct aring_span *span);
void aring_piece_free(struct aring_piece *piece, bool dirty);

#endif /* ARING_PIN_H */
