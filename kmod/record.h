/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A record: elements of one size that are added one after the other and stay where
 * they are until all are forgotten.
 */
#ifndef ARING_RECORD_H
#define ARING_RECORD_H

#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/xarray.h>

/**
 * struct aring_record - a record
 * @grow: serialises who adds
 * @lock: irqsave, a leaf: guards the contents of all elements, and @nr, @lost
 * @chunks: ARING_RECORD_CHUNK elements each
 * @size: bytes of an element
 * @max: no more than so many
 * @nr: how many there are
 * @lost: how many found no room or no memory
 */
struct aring_record {
	/* Serialises who adds. */
	struct mutex	grow;
	/* Guards the contents. */
	spinlock_t	lock;
	struct xarray	chunks;
	size_t		size;
	u32		max;
	u32		nr;
	u64		lost;
};

void aring_record_init(struct aring_record *rec, size_t size, u32 max);
void aring_record_free(struct aring_record *rec);
void *aring_record_at(struct aring_record *rec, u32 index);
void *aring_record_add(struct aring_record *rec, const void *element);
int aring_record_read(struct aring_record *rec, u64 from, u32 nr,
		      void __user *to, u64 *total, u64 *lost);

#endif /* ARING_RECORD_H */
