/* SPDX-License-Identifier: Apache-2.0 */
/* A power cut at any write of `layout apply`: the table is the old one or the new one, whole. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "disk/disk.h"
#include "tests/lib/crash.h"
#include "tests/lib/layout-world.h"

#define SIZE LAYOUT_DISK
#define KEEP 0x5a		/* what the existing partition holds */
#define STALE 0xa5		/* what free space holds */

/* A disk with one partition of 1 MiB; the table was made when the disk was `made` bytes. */
static uint8_t *old_disk(uint64_t made, uint32_t sector)
{
	uint8_t *disk = layout_old_disk(made, sector, MIB);

	memset(disk + MIB, KEEP, MIB);
	memset(disk + 2 * MIB, STALE, 4 * MIB);
	return disk;
}

struct want {
	const struct sw_layout_result *t;
	bool fresh;
	unsigned int old, new;
};

static bool is_new(const struct sw_table *found, const struct sw_layout_result *t)
{
	if (found->n_parts != t->n_parts || !sw_guid_equal(&found->id, &t->disk_id))
		return false;
	for (size_t i = 0; i < t->n_parts; i++) {
		const struct sw_part *p = &found->parts[t->parts[i].number - 1];

		if (p->start != t->parts[i].start || p->size != t->parts[i].size ||
		    !sw_guid_equal(&p->uuid, &t->parts[i].uuid))
			return false;
	}
	return true;
}

static bool is_old(const struct sw_table *found, const struct sw_layout_result *t)
{
	return found->n_parts == 1 && sw_guid_equal(&found->id, &t->before.id) &&
	       found->parts[0].size == MIB &&
	       sw_guid_equal(&found->parts[0].uuid, &t->before.parts[0].uuid);
}

/* New partitions carry nothing of what was there; what was kept is untouched. */
static void check_content(struct sw_io *io, const struct want *w, bool new)
{
	uint8_t head[4096], kept[4096];

	memset(kept, KEEP, sizeof(kept));
	assert_int_equal(sw_io_read(io, MIB, head, sizeof(head)), 0);
	if (!w->fresh)
		assert_memory_equal(head, kept, sizeof(head));
	for (size_t i = 0; new && i < w->t->n_parts; i++) {
		static const uint8_t zero[4096];

		if (w->t->parts[i].old)
			continue;
		assert_int_equal(sw_io_read(io, w->t->parts[i].start, head, sizeof(head)), 0);
		assert_memory_equal(head, zero, sizeof(head));
	}
}

static void judge(struct sw_io *io, unsigned int flushes SW_UNUSED, void *userdata)
{
	struct want *w = userdata;
	struct sw_table t;
	char **signatures = NULL;
	bool new;

	assert_int_equal(sw_disk_probe(io, &t, &signatures, NULL), 0);
	assert_int_equal(t.type, SW_TABLE_GPT);
	new = is_new(&t, w->t);
	assert_true(new || is_old(&t, w->t));
	check_content(io, w, new);
	*(new ? &w->new : &w->old) += 1;
	sw_table_clear(&t);
	for (char **s = signatures; s && *s; s++)
		free(*s);
	free(signatures);
}

static void cut_everywhere(const char *what, uint64_t made, uint32_t sector,
			   enum sw_layout_empty empty)
{
	struct sw_layout_part d[] = { layout_def(layout_type_a, MIB, 2 * MIB),
				      layout_def(layout_type_b, MIB, MIB) };
	_cleanup_free_ uint8_t *disk = old_disk(made, sector);
	_cleanup_io_ struct sw_io *io = NULL;
	struct sw_io_log log = {};
	struct sw_layout_result t;
	struct want w = { .t = &t, .fresh = empty == SW_EMPTY_FORCE };
	struct crash_stats stats;

	assert_int_equal(sw_io_new_recorder(SIZE, sector, disk, &log, SIZE_MAX, 0, &io), 0);
	layout_prepare(io, d, 2, empty, &t);
	assert_int_equal(sw_layout_carry_out(io, &t, NULL, NULL), 0);
	crash_enumerate(disk, SIZE, sector, &log, 24, 8, judge, &w, &stats);
	print_message("%s, %u-byte sectors: %u states: %u old, %u new\n", what, sector,
		      stats.states, w.old, w.new);
	assert_true(w.old > 0 && w.new > 0);
	sw_io_log_clear(&log);
	sw_layout_result_clear(&t);
}

static void test_power_cut_while_partitions_are_added_and_grown(void **s SW_UNUSED)
{
	cut_everywhere("added and grown", SIZE, 512, SW_EMPTY_REFUSE);
	cut_everywhere("added and grown", SIZE, 4096, SW_EMPTY_REFUSE);
}

static void test_power_cut_on_a_disk_that_has_grown(void **s SW_UNUSED)
{
	cut_everywhere("on a grown disk", 5 * MIB, 512, SW_EMPTY_REFUSE);
}

static void test_power_cut_while_a_table_is_replaced(void **s SW_UNUSED)
{
	cut_everywhere("table replaced", SIZE, 512, SW_EMPTY_FORCE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_power_cut_while_partitions_are_added_and_grown),
		cmocka_unit_test(test_power_cut_on_a_disk_that_has_grown),
		cmocka_unit_test(test_power_cut_while_a_table_is_replaced),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
