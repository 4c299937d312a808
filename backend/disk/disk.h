/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Disks as they are: tables and signatures through libfdisk and libblkid, and
 * the GPT copies that both overlook. Reads only.
 */
#pragma once

#include "base/io.h"
#include "machine/facts.h"

/*
 * Probes an open disk or image: the table with the file systems inside each
 * partition, signatures on the whole disk, hidden and damaged GPTs. A GPT that
 * libfdisk still reads keeps the type GPT, with words in damage; one that only
 * our own reader finds is SW_TABLE_DAMAGED_GPT, with the partitions of its best
 * copy. A DOS table over an old GPT stays DOS, with words in damage.
 * table.digest is sha256 over the first 2 sectors + 16384 bytes and the last
 * 16384 bytes + 1 sector, for any table or none. Nothing is written.
 */
int sw_disk_probe(struct sw_io *io, struct sw_table *ret_table, char ***ret_signatures,
		  struct sw_error *err);

/* Words for what is on the disk: "GPT, 3 partitions: EFI System 512M vfat ESP, …"; malloc'd. */
char *sw_disk_describe(const struct sw_disk *d);
