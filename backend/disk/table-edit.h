/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changes to a GPT as bytes: partitions added, existing ones grown or named.
 * libfdisk works on a scratch file that holds the table's own bytes, so that
 * everything which is not asked for stays as it is, and our io layer writes the
 * result. A backup that is no longer at the end of the disk is moved there.
 */
#pragma once

#include "disk/table.h"

struct sw_table_change {
	unsigned int number;	/* of the partition, from 1 */
	bool add;		/* else: size, uuid and label of the one with this number */
	struct sw_new_part part;
};

/*
 * A sparse stand-in for the disk with this size, holding what io (may be NULL)
 * has of a table and nothing else: for working out a table on a file that is
 * still to be made or to grow.
 */
int sw_table_scratch(struct sw_io *io, uint64_t size, uint32_t sector, struct sw_io **ret_io,
		     struct sw_error *err);

/*
 * The bytes from which and to which the disk's GPT lets partitions reach, as
 * they will be once its backup is at the end of the disk. exit 4 when libfdisk
 * reads no GPT there. ret_numbers is how many entries it has.
 */
int sw_table_usable(struct sw_io *io, uint64_t *ret_start, uint64_t *ret_end,
		    unsigned int *ret_numbers, struct sw_error *err);

/*
 * Nothing is written to io. With disk_id the changes are made to a new table of
 * 128 entries instead of the one that is there. A zero UUID is allowed.
 */
int sw_table_edit(struct sw_io *io, const struct sw_guid *disk_id,
		  const struct sw_table_change *changes, size_t n,
		  struct sw_table_image *ret_image, struct sw_error *err);
