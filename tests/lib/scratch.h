/* SPDX-License-Identifier: Apache-2.0 */
/* One temporary directory for a whole group of tests: a cmocka group's setup and teardown. */
#pragma once

extern char *test_scratch;	/* its path, while the group runs */

int test_scratch_setup(void **state);
int test_scratch_teardown(void **state);
