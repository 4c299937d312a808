/* SPDX-License-Identifier: Apache-2.0 */
/* Plain DOS tables, for which libfdisk (which probes the whole disk first) is not needed. */
#pragma once

#include "base/io.h"
#include "machine/facts.h"

/*
 * Reads a DOS table about which no two programs can disagree: sector 0 has the
 * signature, and each of its four entries is either all zeros or a partition of
 * an ordinary type that lies inside the disk and overlaps no other; no extended
 * or protective one. Numbers, starts and sizes are those of libfdisk
 * (tests/unit/test-blank compares). Returns 1 and the partitions (free with
 * sw_gpt_parts_free()), 0 when it is not that plain, or a negative errno.
 */
int sw_mbr_read_parts(struct sw_io *io, struct sw_part **ret_parts, size_t *ret_n);
