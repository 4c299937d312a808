/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of extents, shared by the files that find and write them. */
#pragma once

#include "boot/slot.h"

#define SW_EXTENT_UNIT 4096u

struct sw_extents {
	struct sw_extent *v;
	size_t n;
};

/* Adds [off, end), widened to whole units below limit, and joined with the last when they touch. */
int sw_extents_add(struct sw_extents *l, uint64_t off, uint64_t end, uint64_t limit);
uint64_t sw_extents_sum(const struct sw_extents *l);
void sw_extents_clear(struct sw_extents *l);
#define _cleanup_extents_ _cleanup_(sw_extents_clear)

/* "SOURCE_DATE_EPOCH=…" for mtools, not before FAT's first date. */
void sw_slot_epoch(char text[static 64], int64_t time);
/* An empty FAT32 of exactly `size` bytes, as a sparse file; the same bytes each time. */
int sw_slot_make_fs(const char *out, uint64_t size, uint32_t sector, uint32_t volume_id,
		    const char *label, struct sw_error *err);

struct sw_slot_file {
	const char *from, *to;	/* a path here, and in the image as mtools has it ("::/A/B") */
};

#define SW_SLOT_FOLDERS 3u
/*
 * Fills it: folders (at most SW_SLOT_FOLDERS, ended by NULL, parents first), then
 * files (ended by one without `from`), all of the time `time` (seconds since 1970).
 */
int sw_slot_fill_fs(const char *out, int64_t time, const char *const *folders,
		    const struct sw_slot_file *files, struct sw_error *err);
