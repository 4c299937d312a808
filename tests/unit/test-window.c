/* SPDX-License-Identifier: Apache-2.0 */
/* A window onto a disk reaches what is in it and nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/io.h"

#define SIZE (1U << 20)

static void test_offsets_count_from_the_window_and_end_with_it(void **state SW_UNUSED)
{
	_cleanup_io_ struct sw_io *whole = NULL;
	struct sw_io *w = NULL;
	char got[4] = {};

	assert_int_equal(sw_io_new_recorder(SIZE, 512, NULL, NULL, SIZE_MAX, 0, &whole), 0);
	assert_int_equal(sw_io_window(whole, 4096, 8192, &w), 0);
	assert_int_equal(w->size, 8192);
	assert_int_equal(sw_io_write(w, 8188, "abcd", 4), 0);
	assert_memory_equal(sw_io_recorder_data(whole) + 4096 + 8188, "abcd", 4);
	assert_int_equal(sw_io_read(w, 8188, got, 4), 0);
	assert_memory_equal(got, "abcd", 4);
	assert_int_equal(sw_io_write(w, 8189, "abcd", 4), -ERANGE);
	assert_int_equal(sw_io_read(w, 8192, got, 1), -ERANGE);
	assert_int_equal(sw_io_zero(w, 0, 8192), 0);
	assert_int_equal(sw_io_recorder_data(whole)[4096 + 8188], 0);
	assert_int_equal(sw_io_flush(w), 0);
	sw_io_close(w);
	/* The disk behind it is still open. */
	assert_int_equal(sw_io_write(whole, 0, "x", 1), 0);
}

static void test_a_window_past_the_end_is_refused(void **state SW_UNUSED)
{
	_cleanup_io_ struct sw_io *whole = NULL;
	struct sw_io *w = NULL;

	assert_int_equal(sw_io_new_recorder(SIZE, 512, NULL, NULL, SIZE_MAX, 0, &whole), 0);
	assert_int_equal(sw_io_window(whole, SIZE - 512, 1024, &w), -ERANGE);
	assert_int_equal(sw_io_window(whole, UINT64_MAX - 1, 4, &w), -ERANGE);
	assert_int_equal(sw_io_window(whole, 512, UINT64_MAX - 256, &w), -ERANGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_offsets_count_from_the_window_and_end_with_it),
		cmocka_unit_test(test_a_window_past_the_end_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
