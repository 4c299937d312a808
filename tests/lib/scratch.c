/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/scratch.h"

#include "base/file.h"

char *test_scratch;

int test_scratch_setup(void **state SW_UNUSED)
{
	return sw_scratch_new("slipway-test", &test_scratch);
}

int test_scratch_teardown(void **state SW_UNUSED)
{
	sw_remove_tree(test_scratch);
	free(TAKE_PTR(test_scratch));
	return 0;
}
