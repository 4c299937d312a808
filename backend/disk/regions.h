/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where on a disk the bytes are by which its content is recognised: both GPT
 * copies wherever they are, and every signature that libblkid knows, on the
 * whole disk and inside each partition. Reads only.
 */
#pragma once

#include "disk/wipemark.h"
#include "machine/facts.h"

struct sw_regions {
	struct sw_region *v;
	size_t n;
};

/* Adds [off, off + len), cut to the disk and rounded out to whole sectors. */
int sw_regions_add(struct sw_regions *l, const struct sw_io *io, uint64_t off, uint64_t len,
		   bool table, const char *what, ...) SW_PRINTF(6, 7);
void sw_regions_clear(struct sw_regions *l);
#define _cleanup_regions_ _cleanup_(sw_regions_clear)

/* t: the table as sw_disk_probe() read it. Tables come last. */
int sw_regions_find(struct sw_io *io, const struct sw_table *t, struct sw_regions *ret_list,
		    struct sw_error *err);

/*
 * Joins the nearest neighbours until there are at most max, or until they are
 * gigabytes apart; what lies between two of them becomes part of the region.
 */
void sw_regions_join(struct sw_regions *l, size_t max);
