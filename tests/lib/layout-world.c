/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/layout-world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"

const struct sw_guid layout_type_a = { .b = { 0xa } }, layout_type_b = { .b = { 0xb } };

struct sw_layout_part layout_def(struct sw_guid type, uint64_t min, uint64_t max)
{
	return (struct sw_layout_part){ .file = (char *)"x.conf", .type = type, .weight = 1000,
					.size_min = min, .size_max = max,
					.padding_max = UINT64_MAX, .type_name = "t" };
}

void layout_prepare(struct sw_io *io, struct sw_layout_part *parts, size_t n,
		    enum sw_layout_empty empty, struct sw_layout_result *ret)
{
	struct sw_layout l = { .name = (char *)"test", .parts = parts, .n_parts = n };
	struct sw_layout_request q = { .layout = &l, .target = "disk", .empty = empty,
				       .sector = io->sector, .seed = { .b = { 9 } } };
	struct sw_error e = {};

	if (sw_layout_prepare(&q, io, ret, &e) < 0)
		fail_msg("%s: %s: %s", e.where, e.what, e.why);
}

uint8_t *layout_old_disk(uint64_t made, uint32_t sector, uint64_t part)
{
	struct sw_layout_part d[] = { layout_def(layout_type_a, part, part) };
	_cleanup_io_ struct sw_io *io = NULL;
	uint8_t *disk = calloc(1, LAYOUT_DISK);
	struct sw_layout_result t;

	assert_non_null(disk);
	assert_int_equal(sw_io_new_recorder(made, sector, NULL, NULL, SIZE_MAX, 0, &io), 0);
	layout_prepare(io, d, 1, SW_EMPTY_ALLOW, &t);
	assert_int_equal(sw_layout_carry_out(io, &t, NULL, NULL), 0);
	memcpy(disk, sw_io_recorder_data(io), made);
	sw_layout_result_clear(&t);
	return disk;
}

struct sw_layout_undo layout_undo_at(struct sw_io *io)
{
	return (struct sw_layout_undo){ .io = io, .off = sw_layout_undo_zone(LAYOUT_DISK) };
}

int layout_apply(struct sw_io *io, enum sw_layout_empty empty, struct sw_error *err)
{
	/* as much as the zone takes */
	uint64_t a = empty == SW_EMPTY_FORCE ? MIB / 2 : MIB, need;
	struct sw_layout_part d[] = { layout_def(layout_type_a, a, a),
				      layout_def(layout_type_b, MIB / 2, MIB / 2) };
	struct sw_layout_undo u = layout_undo_at(io);
	_cleanup_json_ json_object *doc = NULL;
	struct sw_layout_result t;
	const char *why;
	int r;

	layout_prepare(io, d, 2, empty, &t);
	assert_int_equal(sw_layout_undo_collect(io, &t, &doc, &need, NULL), 0);
	assert_false(sw_layout_undo_nothing(doc));
	assert_true(sw_layout_undo_zone_free(io, &t, need, &why));
	r = sw_layout_undo_save(&u, io, doc, err);
	if (r == 0)
		r = sw_layout_carry_out(io, &t, NULL, err);
	if (r == 0)
		r = sw_layout_undo_mark(&u, SW_LAYOUT_UNDO_DONE);
	sw_layout_result_clear(&t);
	return r;
}

int layout_undo(struct sw_io *io, struct sw_error *err)
{
	struct sw_layout_undo u = layout_undo_at(io);
	struct sw_layout_undo_head h = {};
	int r = sw_layout_undo_open(&u, &h);

	if (r == 0)
		r = sw_layout_undo_run(&u, io, &h, NULL, err);
	sw_layout_undo_head_clear(&h);
	return r;
}
