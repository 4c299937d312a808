/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sharing out the free space of a disk: the arithmetic of systemd-repart 252,
 * on plain numbers. Private to backend/layout.
 */
#pragma once

#include "layout/layout.h"

/* Free space, aligned; it begins at the aligned end of `after`, or of the table's head. */
struct sw_area {
	struct sw_space_item *after;	/* NULL: before the first partition */
	uint64_t size;			/* bytes */
	uint64_t taken;			/* by the least sizes of the new ones in it */
};

struct sw_space_item {
	const struct sw_layout_part *part;	/* NULL: no definition fits it, never touched */
	const struct sw_part *old;		/* NULL: new */
	uint32_t weight, padding_weight;
	uint64_t min, max, padding_min, padding_max;
	uint64_t start, size, padding;		/* bytes; the result */
	unsigned int number;			/* of the partition, from 1 */
	struct sw_area *in;	/* new: the area it was put in */
	struct sw_area *behind;	/* existing: the free area that follows it, or NULL */
	bool dropped;
};

struct sw_space {
	struct sw_space_item *items;	/* in the order of the definitions, then the foreign ones */
	size_t n;
	struct sw_area *areas;		/* room for one more than there are existing partitions */
	size_t n_areas;
	uint64_t start, end;		/* usable bytes as the table has them */
	uint64_t disk_size, tail;	/* of a new table: the disk, and what is kept at its end */
	unsigned int numbers;		/* entries of the table */
};

/*
 * Finds the free areas between the existing partitions and aligns start;
 * -EINVAL when these overlap or stick out.
 */
int sw_space_find_areas(struct sw_space *s);
/*
 * Puts every new item into the smallest free area that takes it. False when one
 * does not fit; it is the one in *ret_item, and *ret_largest the space it could
 * have had at most.
 */
bool sw_space_allocate(struct sw_space *s, const struct sw_space_item **ret_item,
		       uint64_t *ret_largest);
/* Shares each area out by weight, then sets start and number of the new ones. */
void sw_space_share(struct sw_space *s);

/* The least an item takes with its padding, so that what follows is aligned; bytes. */
uint64_t sw_space_need(const struct sw_space_item *it);
