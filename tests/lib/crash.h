/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a power cut may leave of a recorded run of writes: every prefix, sector
 * by sector, and random subsets of the sectors that were in flight since the
 * last flush (a disk may write its cache in any order, and tear at 512 bytes).
 */
#pragma once

#include "base/io.h"

struct crash_stats {
	unsigned int states, epochs;
};

/*
 * Calls judge for each state with an io over the disk as it would be found, and
 * the number of flushes that had completed. every: judge each n-th prefix only.
 * `disk` begins as the content before the run and ends as the content after it.
 */
void crash_enumerate(uint8_t *disk, uint64_t size, uint32_t sector, const struct sw_io_log *log,
		     unsigned int every, unsigned int random_per_epoch,
		     void (*judge)(struct sw_io *io, unsigned int flushes, void *userdata),
		     void *userdata, struct crash_stats *ret_stats);

/* An io over borrowed memory. Not to be closed. */
struct mem_io {
	struct sw_io io;
	uint8_t *data;
};
void mem_io_init(struct mem_io *m, uint8_t *data, uint64_t size, uint32_t sector);
