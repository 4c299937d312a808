/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A new GPT as bytes. libfdisk builds it on a sparse scratch file, so that the
 * plan knows exactly what will be written and our own io layer writes it, in an
 * order in which the primary header is the commit point.
 */
#pragma once

#include "base/io.h"
#include "machine/facts.h"

struct sw_new_part {
	uint64_t start, size;		/* bytes, multiples of the sector size */
	struct sw_guid type, uuid;
	uint64_t attrs;
	const char *label;
};

struct sw_table_piece {
	/* "backup entries", "backup header", "primary entries", "protective MBR", then
	 * "primary header" */
	const char *name;
	uint64_t off;
	size_t len;
	uint8_t *data;
};

struct sw_table_image {
	struct sw_table_piece piece[5];	/* in write order */
	char digest[65];	/* what sw_disk_probe() will report as table.digest afterwards */
};

/*
 * Pure but for a scratch file. Partition numbers are array index + 1; one whose
 * size and type are zero leaves its number free.
 */
int sw_table_build(uint64_t disk_size, uint32_t sector, const struct sw_guid *disk_id,
		   const struct sw_new_part *parts, size_t n_parts,
		   struct sw_table_image *ret_image, struct sw_error *err);
void sw_table_image_clear(struct sw_table_image *t);

/* Writes piece by piece with a flush after each, then reads back past the cache. */
int sw_table_commit(struct sw_io *io, const struct sw_table_image *t, struct sw_error *err);
