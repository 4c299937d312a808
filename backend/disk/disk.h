/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Disks as they are: tables and signatures through libfdisk and libblkid, and
 * the GPT copies that both overlook. Reads only.
 */
#pragma once

#include "base/io.h"
#include "machine/facts.h"

/* Probes an open disk or image: table (with file systems inside each partition), signatures, hidden GPTs. */
int sw_disk_probe(struct sw_io *io, struct sw_table *ret_table, char ***ret_signatures,
		  struct sw_error *err);

/* Words for what is on the disk: "GPT, 3 partitions: EFI System 512M vfat ESP, …"; malloc'd. */
char *sw_disk_describe(const struct sw_disk *d);
