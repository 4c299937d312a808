/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Other names and UUIDs for partitions of a GPT that is somebody else's: only
 * those bytes and the checksums over them change, so that giving the old ones
 * back leaves the disk bit by bit as it was. (libfdisk would write the
 * protective MBR and the headers anew.)
 */
#pragma once

#include "base/io.h"
#include "machine/facts.h"

struct sw_gpt_name {
	unsigned int number;	/* of the partition, from 1; it must be there */
	const char *label;	/* UTF-8, at most 36 UTF-16 units */
	struct sw_guid uuid;
};

/*
 * Writes backup entries, backup header, primary entries, primary header, each
 * flushed, and reads both back. A cut leaves at least one copy whole, with all
 * the old names or all the new; called again it finishes. Exit 4 when the
 * table's two headers are not whole and in place.
 */
int sw_gpt_rename(struct sw_io *io, const struct sw_gpt_name *names, size_t n,
		  struct sw_error *err);
