/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How much of an enumeration a run goes through: `make check` a sample (SLIPWAY_TEST_QUICK), `make
 * test` more, `make test-all` the whole (SLIPWAY_TEST_LONG). What is drawn depends on a seed that
 * is printed, so that many runs see all of it and each can be had again.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* The one of the three that is meant for this run. */
unsigned int test_at_depth(unsigned int quick, unsigned int usual, unsigned int full);

/*
 * What comes after the ith of an enumeration: step further on. In a quick run by chance, step
 * further on average, and seed (from tape_seed()) is moved on.
 */
size_t test_next(size_t i, unsigned int step, uint64_t *seed);
