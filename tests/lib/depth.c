/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/depth.h"

#include <stdlib.h>

unsigned int test_at_depth(unsigned int quick, unsigned int usual, unsigned int full)
{
	if (getenv("SLIPWAY_TEST_LONG"))
		return full;
	return getenv("SLIPWAY_TEST_QUICK") ? quick : usual;
}

size_t test_next(size_t i, unsigned int step, uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	if (step < 2 || test_at_depth(0, 1, 1))
		return i + step;
	return i + 1 + (*seed >> 11) % (2 * step - 1);
}
