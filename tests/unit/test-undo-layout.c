/* SPDX-License-Identifier: Apache-2.0 */
/* A power cut at any write of `layout apply` or of its undo: undo gives back every byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "plan/plan.h"
#include "tests/lib/crash.h"
#include "tests/lib/layout-world.h"

#define SIZE LAYOUT_DISK
#define HALF (MIB / 2)
#define STALE 0xa5		/* what free space and the zone hold */

/* One partition of half a MiB, everything else stale. */
static uint8_t *old_disk(uint32_t sector)
{
	uint8_t *disk = layout_old_disk(SIZE, sector, HALF);

	for (uint64_t i = MIB; i < SIZE - MIB; i++)
		disk[i] = (uint8_t)(STALE + i / 4096);
	return disk;
}

struct want {
	const uint8_t *before;
	uint8_t *copy;
	unsigned int untouched, undone, new;
};

/* All but the zone itself. */
static void assert_as_before(const struct want *w)
{
	uint64_t zone = sw_layout_undo_zone(SIZE);

	assert_int_equal(memcmp(w->copy, w->before, zone), 0);
	assert_int_equal(memcmp(w->copy + zone + SW_LAYOUT_UNDO_ROOM,
				w->before + zone + SW_LAYOUT_UNDO_ROOM,
				SIZE - zone - SW_LAYOUT_UNDO_ROOM), 0);
}

static void judge(struct sw_io *io, unsigned int flushes SW_UNUSED, void *userdata)
{
	struct want *w = userdata;
	struct sw_layout_undo_head h = {};
	struct sw_layout_undo u;
	struct sw_error e = {};
	struct mem_io m;
	int r;

	memcpy(w->copy, ((struct mem_io *)io)->data, SIZE);
	mem_io_init(&m, w->copy, SIZE, io->sector);
	u = layout_undo_at(&m.io);
	r = sw_layout_undo_open(&u, &h);
	if (r == -ENOENT) {
		w->untouched++;
		assert_as_before(w);
		return;
	}
	assert_int_equal(r, 0);
	w->new += sw_layout_undo_is_new(&m.io, &h);
	if (sw_layout_undo_run(&u, &m.io, &h, NULL, &e) < 0)
		fail_msg("%s: %s", e.what, e.why);
	sw_layout_undo_head_clear(&h);
	w->undone++;
	assert_as_before(w);
	assert_int_equal(sw_layout_undo_open(&u, &h), 0);
	assert_int_equal(h.state, SW_LAYOUT_UNDO_UNDONE);
	sw_layout_undo_head_clear(&h);
}

static void apply(struct sw_io *io, enum sw_layout_empty empty)
{
	assert_int_equal(layout_apply(io, empty, NULL), 0);
}

static void cut_everywhere(const char *what, uint32_t sector, enum sw_layout_empty empty)
{
	_cleanup_free_ uint8_t *before = old_disk(sector), *disk = malloc(SIZE);
	_cleanup_free_ uint8_t *copy = malloc(SIZE);
	_cleanup_io_ struct sw_io *io = NULL;
	struct sw_io_log log = {};
	struct want w = { .before = before, .copy = copy };
	struct crash_stats stats;

	assert_true(disk && copy);
	memcpy(disk, before, SIZE);
	assert_int_equal(sw_io_new_recorder(SIZE, sector, before, &log, SIZE_MAX, 0, &io), 0);
	apply(io, empty);
	crash_enumerate(disk, SIZE, sector, &log, 96, 6, judge, &w, &stats);
	print_message("%s, %u-byte sectors: %u states: %u before anything, %u undone, of these %u "
		      "with the new table\n", what, sector, stats.states, w.untouched, w.undone,
		      w.new);
	assert_true(w.untouched > 0 && w.undone > w.new && w.new > 0);
	sw_io_log_clear(&log);
}

static void test_undo_after_a_power_cut_while_partitions_are_added_and_grown(void **s SW_UNUSED)
{
	cut_everywhere("added and grown", 512, SW_EMPTY_REFUSE);
	cut_everywhere("added and grown", 4096, SW_EMPTY_REFUSE);
}

static void test_undo_after_a_power_cut_while_a_table_is_replaced(void **s SW_UNUSED)
{
	cut_everywhere("table replaced", 512, SW_EMPTY_FORCE);
}

static void test_a_power_cut_in_undo_is_undone_by_undo(void **s SW_UNUSED)
{
	_cleanup_free_ uint8_t *before = old_disk(512), *disk = malloc(SIZE);
	_cleanup_free_ uint8_t *copy = malloc(SIZE);
	_cleanup_io_ struct sw_io *io = NULL, *again = NULL;
	struct sw_layout_undo_head h = {};
	struct sw_layout_undo u;
	struct sw_io_log log = {};
	struct want w = { .before = before, .copy = copy };
	struct crash_stats stats;

	assert_true(disk && copy);
	assert_int_equal(sw_io_new_recorder(SIZE, 512, before, NULL, SIZE_MAX, 0, &io), 0);
	apply(io, SW_EMPTY_FORCE);
	memcpy(disk, sw_io_recorder_data(io), SIZE);
	assert_int_equal(sw_io_new_recorder(SIZE, 512, disk, &log, SIZE_MAX, 0, &again), 0);
	u = layout_undo_at(again);
	assert_int_equal(sw_layout_undo_open(&u, &h), 0);
	assert_int_equal(sw_layout_undo_run(&u, again, &h, NULL, NULL), 0);
	crash_enumerate(disk, SIZE, 512, &log, 96, 6, judge, &w, &stats);
	print_message("undo: %u states, each undone\n", stats.states);
	assert_int_equal(w.undone, stats.states);
	sw_layout_undo_head_clear(&h);
	sw_io_log_clear(&log);
}

static void test_a_table_that_somebody_else_made_since_is_refused(void **s SW_UNUSED)
{
	struct sw_layout_part half = layout_def(layout_type_b, HALF, HALF);
	struct sw_layout_part d[] = { half, half };
	_cleanup_free_ uint8_t *before = old_disk(512);
	_cleanup_io_ struct sw_io *io = NULL;
	struct sw_layout_undo_head h = {};
	struct sw_layout_undo u;
	struct sw_layout_result t;
	struct sw_error e = {};

	assert_int_equal(sw_io_new_recorder(SIZE, 512, before, NULL, SIZE_MAX, 0, &io), 0);
	apply(io, SW_EMPTY_REFUSE);
	layout_prepare(io, d, 2, SW_EMPTY_FORCE, &t);
	assert_int_equal(sw_layout_carry_out(io, &t, NULL, NULL), 0);
	sw_layout_result_clear(&t);
	u = layout_undo_at(io);
	assert_int_equal(sw_layout_undo_open(&u, &h), 0);
	assert_int_equal(sw_layout_undo_run(&u, io, &h, NULL, &e), -ESTALE);
	assert_int_equal(e.exit, SW_EXIT_REFUSED);
	h.state = SW_LAYOUT_UNDO_RUNNING;
	assert_int_equal(sw_layout_undo_run(&u, io, &h, NULL, &e), -ESTALE);
	sw_layout_undo_head_clear(&h);
}

static void test_damaged_undo_data_is_told_from_none(void **s SW_UNUSED)
{
	_cleanup_free_ uint8_t *before = old_disk(512);
	_cleanup_io_ struct sw_io *io = NULL;
	struct sw_layout_undo_head h = {};
	struct sw_layout_undo u;
	uint64_t zone = sw_layout_undo_zone(SIZE);

	assert_int_equal(sw_io_new_recorder(SIZE, 512, before, NULL, SIZE_MAX, 0, &io), 0);
	u = (struct sw_layout_undo){ .io = io, .off = zone };
	assert_int_equal(sw_layout_undo_open(&u, &h), -ENOENT);
	apply(io, SW_EMPTY_REFUSE);
	assert_int_equal(sw_io_write(io, zone + 20, "x", 1), 0);
	assert_int_equal(sw_layout_undo_open(&u, &h), -EBADMSG);
	apply(io, SW_EMPTY_FORCE);
	assert_int_equal(sw_io_write(io, zone + MIB + 7, "x", 1), 0);
	assert_int_equal(sw_layout_undo_open(&u, &h), 0);
	assert_int_equal(sw_layout_undo_run(&u, io, &h, NULL, NULL), -EBADMSG);
	sw_layout_undo_head_clear(&h);
}

static void test_the_zone_is_that_of_an_install(void **s SW_UNUSED)
{
	for (uint64_t size = MIB; size < 64 * MIB; size += 123 * 512)
		assert_int_equal(sw_layout_undo_zone(size), sw_plan_journal_offset(size));
	assert_int_equal(SW_LAYOUT_UNDO_ROOM, SW_JOURNAL_LEN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_undo_after_a_power_cut_while_partitions_are_added_and_grown),
		cmocka_unit_test(test_undo_after_a_power_cut_while_a_table_is_replaced),
		cmocka_unit_test(test_a_power_cut_in_undo_is_undone_by_undo),
		cmocka_unit_test(test_a_table_that_somebody_else_made_since_is_refused),
		cmocka_unit_test(test_damaged_undo_data_is_told_from_none),
		cmocka_unit_test(test_the_zone_is_that_of_an_install),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
