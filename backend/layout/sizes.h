/* SPDX-License-Identifier: Apache-2.0 */
/* Sizes shared by the reader and the solver. Private to backend/layout. */
#pragma once

#include "layout/layout.h"

#define SW_LAYOUT_GRAIN 4096ULL			/* everything is a multiple of it */
#define SW_LAYOUT_FIRST (1ULL << 20)		/* first usable byte of a libfdisk GPT */
#define SW_LAYOUT_GPT_ENTRIES 16384ULL		/* bytes of 128 entries */
#define SW_LAYOUT_OVERHEAD (2ULL << 20)		/* both ends of the disk, for min_size */
#define SW_LAYOUT_DEFAULT_MIN (10ULL << 20)	/* SizeMinBytes= of repart.d(5) */

/* The least size of a partition, and with the least padding behind it; bytes, saturating. */
uint64_t sw_layout_part_min(const struct sw_layout_part *p);
uint64_t sw_layout_part_need(const struct sw_layout_part *p);

/* To the next multiple of the grain; saturating, as is the sum. */
uint64_t sw_layout_round_up(uint64_t v);
uint64_t sw_layout_add(uint64_t a, uint64_t b);
