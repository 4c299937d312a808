/* SPDX-License-Identifier: Apache-2.0 */
/* Other names in somebody else's GPT: nothing else changes, and any cut leaves a whole table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "disk/disk.h"
#include "disk/gpt-rename.h"
#include "disk/table.h"
#include "tests/lib/crash.h"

#define MIB ((uint64_t)1 << 20)
#define SIZE (8 * MIB)

static const struct sw_guid uuids[] = { { .b = { 1, 1 } }, { .b = { 1, 2 } } };
static const struct sw_guid fresh = { .b = { 9, 9 } };

static struct sw_io *image(uint32_t sector, const uint8_t *data, struct sw_io_log *log)
{
	struct sw_new_part p[2] = {
		{ MIB, MIB, { .b = { 5 } }, uuids[0], 0, "state" },
		{ 2 * MIB, MIB, { .b = { 5 } }, uuids[1], 1ULL << 59, "Gr\xc3\xb6\xc3\x9f" "e" },
	};
	struct sw_guid id = { .b = { 7 } };
	struct sw_table_image t;
	struct sw_io *io = NULL;

	assert_int_equal(sw_io_new_recorder(SIZE, sector, data, log, SIZE_MAX, 0, &io), 0);
	if (data)
		return io;
	assert_int_equal(sw_table_build(SIZE, sector, &id, p, 2, &t, NULL), 0);
	assert_int_equal(sw_table_commit(io, &t, NULL), 0);
	sw_table_image_clear(&t);
	return io;
}

static const struct sw_gpt_name there[] = { { 1, "state-old-1f2e", { .b = { 9, 9 } } } };
static const struct sw_gpt_name back[] = { { 1, "state", { .b = { 1, 1 } } } };

static void look(struct sw_io *io, struct sw_table *ret)
{
	char **signatures = NULL;

	assert_int_equal(sw_disk_probe(io, ret, &signatures, NULL), 0);
	free(signatures);
}

static void test_only_the_named_partition_changes(void **state SW_UNUSED)
{
	for (uint32_t sector = 512; sector <= 4096; sector *= 8) {
		_cleanup_io_ struct sw_io *io = image(sector, NULL, NULL);
		struct sw_table t;

		assert_int_equal(sw_gpt_rename(io, there, 1, NULL), 0);
		look(io, &t);
		assert_int_equal(t.type, SW_TABLE_GPT);
		assert_null(t.damage);
		assert_string_equal(t.parts[0].label, "state-old-1f2e");
		assert_true(sw_guid_equal(&t.parts[0].uuid, &fresh));
		assert_string_equal(t.parts[1].label, "Gr\xc3\xb6\xc3\x9f" "e");
		assert_true(sw_guid_equal(&t.parts[1].uuid, &uuids[1]));
		assert_int_equal(t.parts[1].attrs, 1ULL << 59);
		sw_table_clear(&t);
	}
}

static void test_back_again_is_bit_by_bit_the_same(void **state SW_UNUSED)
{
	_cleanup_io_ struct sw_io *io = image(512, NULL, NULL);
	_cleanup_free_ uint8_t *before = malloc(SIZE);

	/* What libfdisk would "repair": an odd protective MBR. */
	assert_int_equal(sw_io_write(io, 440, "\x12\x34\x56\x78", 4), 0);
	memcpy(before, sw_io_recorder_data(io), SIZE);
	assert_int_equal(sw_gpt_rename(io, there, 1, NULL), 0);
	assert_memory_not_equal(before, sw_io_recorder_data(io), SIZE);
	assert_int_equal(sw_gpt_rename(io, back, 1, NULL), 0);
	assert_memory_equal(before, sw_io_recorder_data(io), SIZE);
}

struct verdict {
	const uint8_t *done;
	unsigned int olds, news;
};

/* Either all old or all new by name, and finishing gives what an undisturbed run gives. */
static void judge(struct sw_io *io, unsigned int flushes SW_UNUSED, void *userdata)
{
	struct verdict *v = userdata;
	_cleanup_io_ struct sw_io *again = NULL;
	_cleanup_free_ uint8_t *copy = malloc(SIZE);
	struct sw_table t;
	bool is_new;

	look(io, &t);
	assert_int_equal(t.type, SW_TABLE_GPT);
	assert_int_equal(t.n_parts, 2);
	is_new = strcmp(t.parts[0].label, there[0].label) == 0;
	assert_true(is_new || strcmp(t.parts[0].label, "state") == 0);
	assert_int_equal(sw_guid_equal(&t.parts[0].uuid, &fresh), is_new);
	v->news += is_new;
	v->olds += !is_new;
	sw_table_clear(&t);
	assert_int_equal(sw_io_read(io, 0, copy, SIZE), 0);
	again = image(512, copy, NULL);
	assert_int_equal(sw_gpt_rename(again, there, 1, NULL), 0);
	assert_memory_equal(sw_io_recorder_data(again), v->done, SIZE);
}

static void test_every_cut_leaves_the_old_names_or_the_new_and_can_be_finished(void **s SW_UNUSED)
{
	_cleanup_io_ struct sw_io *base = image(512, NULL, NULL), *io = NULL;
	_cleanup_free_ uint8_t *disk = malloc(SIZE), *done = malloc(SIZE);
	struct sw_io_log log = {};
	struct crash_stats stats = {};
	struct verdict v = { .done = done };

	memcpy(disk, sw_io_recorder_data(base), SIZE);
	io = image(512, disk, &log);
	assert_int_equal(sw_gpt_rename(io, there, 1, NULL), 0);
	memcpy(done, sw_io_recorder_data(io), SIZE);
	crash_enumerate(disk, SIZE, 512, &log, 1, 40, judge, &v, &stats);
	print_message("%u states, %u with the old names, %u with the new\n", stats.states, v.olds,
		      v.news);
	assert_true(v.olds > 30 && v.news > 0 && v.olds + v.news == stats.states);
	sw_io_log_clear(&log);
}

static void test_what_cannot_be_done_is_refused_and_nothing_written(void **state SW_UNUSED)
{
	static const struct sw_gpt_name absent = { 9, "x", { .b = { 1 } } };
	static const struct sw_gpt_name zero = { 0, "x", { .b = { 1 } } };
	static const struct sw_gpt_name long_name = {
		1, "123456789-123456789-123456789-1234567", { .b = { 1 } } };
	static const struct sw_gpt_name *const bad[] = { &absent, &zero, &long_name };
	_cleanup_io_ struct sw_io *io = image(512, NULL, NULL);
	_cleanup_free_ uint8_t *before = malloc(SIZE);
	struct sw_error err = {};

	memcpy(before, sw_io_recorder_data(io), SIZE);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(sw_gpt_rename(io, bad[i], 1, NULL), -EINVAL);
	assert_memory_equal(before, sw_io_recorder_data(io), SIZE);
	assert_int_equal(sw_io_zero(io, SIZE - 512, 512), 0);
	assert_int_equal(sw_gpt_rename(io, there, 1, &err), -EINVAL);
	assert_int_equal(err.exit, SW_EXIT_REFUSED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_only_the_named_partition_changes),
		cmocka_unit_test(test_back_again_is_bit_by_bit_the_same),
		cmocka_unit_test(
			test_every_cut_leaves_the_old_names_or_the_new_and_can_be_finished),
		cmocka_unit_test(test_what_cannot_be_done_is_refused_and_nothing_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
