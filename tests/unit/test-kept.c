/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "boot/nodedata.h"
#include "boot/kept.h"
#include "tests/lib/crash.h"

#define MiB (1ull << 20)
#define UKI_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define UKI_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define UKI_C "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"

static const struct sw_kept_zone zone = { .offset = MiB, .size = 4 * MiB, .slot = 1,
					     .n_slots = 2 };

static struct sw_io *disk(struct sw_io_log *log)
{
	struct sw_io *io = NULL;

	assert_int_equal(sw_io_new_recorder(6 * MiB, 512, NULL, log, SIZE_MAX, 0, &io), 0);
	return io;
}

static bool holds(struct sw_io *io, const char *uki, const char *text)
{
	_cleanup_kept_ struct sw_kept o = {};

	return sw_kept_read(io, &zone, uki, &o, NULL) == 0 && o.len == strlen(text) &&
	       memcmp(o.data, text, o.len) == 0 && strcmp(o.uki, uki) == 0;
}

static void write_whole(struct sw_io *io, const char *text, const char *uki, const char *keep)
{
	assert_int_equal(sw_kept_write(io, &zone, text, strlen(text), uki, keep, NULL), 0);
	assert_int_equal(sw_kept_mirror(io, &zone, uki, NULL), 0);
}

static void test_an_overlay_is_for_its_own_image_only(void **state SW_UNUSED)
{
	struct sw_io_log log = {};
	_cleanup_io_ struct sw_io *io = disk(&log);
	struct sw_kept_zone other = zone;
	_cleanup_kept_ struct sw_kept o = {};

	write_whole(io, "for a", UKI_A, NULL);
	assert_true(holds(io, UKI_A, "for a"));
	assert_int_equal(sw_kept_read(io, &zone, UKI_B, &o, NULL), -ENOENT);
	other.slot = 0;
	assert_int_equal(sw_kept_read(io, &other, UKI_A, &o, NULL), -ENOENT);
	sw_io_log_clear(&log);
}

static void test_the_old_image_keeps_its_own_until_the_second_copy(void **state SW_UNUSED)
{
	struct sw_io_log log = {};
	_cleanup_io_ struct sw_io *io = disk(&log);

	write_whole(io, "old", UKI_A, NULL);
	for (unsigned int i = 0; i < 3; i++) {	/* tries that never came to the slot */
		assert_int_equal(sw_kept_write(io, &zone, "new", 3, i ? UKI_B : UKI_C, UKI_A,
						  NULL), 0);
		assert_true(holds(io, UKI_A, "old"));
	}
	assert_true(holds(io, UKI_B, "new"));
	assert_int_equal(sw_kept_mirror(io, &zone, UKI_B, NULL), 0);
	assert_true(holds(io, UKI_B, "new"));
	assert_false(holds(io, UKI_A, "old"));
	sw_io_log_clear(&log);
}

static void test_one_damaged_copy_costs_nothing(void **state SW_UNUSED)
{
	for (unsigned int copy = 0; copy < 2; copy++) {
		struct sw_io_log log = {};
		_cleanup_io_ struct sw_io *io = disk(&log);
		uint64_t at = zone.offset + copy * 2 * MiB + 4096 + SW_NODEDATA_MAX;

		at += (2 * MiB - 4096 - SW_NODEDATA_MAX) / 2 / 4096 * 4096;
		write_whole(io, "content", UKI_A, NULL);
		assert_memory_equal(sw_io_recorder_data(io) + at, "SWOVRLY\n", 8);
		((uint8_t *)sw_io_recorder_data(io))[at + 4096] ^= 1;
		assert_true(holds(io, UKI_A, "content"));
		assert_int_equal(sw_kept_mirror(io, &zone, UKI_A, NULL), 0);
		at += copy ? -2 * MiB : 2 * MiB;
		((uint8_t *)sw_io_recorder_data(io))[at + 4096] ^= 1;
		assert_true(holds(io, UKI_A, "content"));
		sw_io_log_clear(&log);
	}
}

static void test_what_does_not_fit_says_how_much_does(void **state SW_UNUSED)
{
	struct sw_io_log log = {};
	_cleanup_io_ struct sw_io *io = disk(&log);
	size_t max = (size_t)sw_kept_max(&zone);
	_cleanup_free_ char *big = malloc(max + 1);
	struct sw_kept_zone small = zone;
	struct sw_error e = {};

	memset(big, 'x', max + 1);
	assert_int_equal(sw_kept_write(io, &zone, big, max + 1, UKI_A, NULL, &e), -EFBIG);
	assert_non_null(strstr(e.why, "there is room for"));
	assert_int_equal(sw_kept_write(io, &zone, big, max, UKI_A, NULL, NULL), 0);
	assert_int_equal(log.n > 0, true);
	small.size = 2 * MiB;
	assert_int_equal(sw_kept_max(&small), 0);
	assert_int_equal(sw_kept_write(io, &small, "x", 1, UKI_A, NULL, &e), -EFBIG);
	sw_io_log_clear(&log);
}

static void test_the_node_data_and_the_other_slot_are_not_touched(void **state SW_UNUSED)
{
	struct sw_io_log log = {};
	_cleanup_io_ struct sw_io *io = disk(&log);
	struct sw_kept_zone other = zone;
	_cleanup_json_ json_object *data = json_object_new_object(), *back = NULL;
	_cleanup_kept_ struct sw_kept o = {};
	size_t max = (size_t)sw_kept_max(&zone);
	_cleanup_free_ char *big = calloc(1, max);
	uint64_t sequence;

	other.slot = 0;
	json_object_object_add(data, "a", json_object_new_int(1));
	assert_int_equal(sw_nodedata_write(io, zone.offset, zone.size, data, true, NULL), 0);
	assert_int_equal(sw_kept_write(io, &other, big, max, UKI_A, NULL, NULL), 0);
	assert_int_equal(sw_kept_mirror(io, &other, UKI_A, NULL), 0);
	assert_int_equal(sw_kept_write(io, &zone, big, max, UKI_B, NULL, NULL), 0);
	assert_int_equal(sw_kept_mirror(io, &zone, UKI_B, NULL), 0);
	assert_int_equal(sw_kept_read(io, &other, UKI_A, &o, NULL), 0);
	assert_int_equal(sw_nodedata_read(io, zone.offset, zone.size, &back, &sequence, NULL), 0);
	for (size_t i = 0; i < log.n; i++)
		assert_true(log.ops[i].kind != SW_IO_WRITE ||
			    (log.ops[i].off >= zone.offset &&
			     log.ops[i].off + log.ops[i].len <= zone.offset + zone.size));
	sw_io_log_clear(&log);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_overlay_is_for_its_own_image_only),
		cmocka_unit_test(test_the_old_image_keeps_its_own_until_the_second_copy),
		cmocka_unit_test(test_one_damaged_copy_costs_nothing),
		cmocka_unit_test(test_what_does_not_fit_says_how_much_does),
		cmocka_unit_test(test_the_node_data_and_the_other_slot_are_not_touched),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
