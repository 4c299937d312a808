/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/hex.h"
#include "base/json.h"
#include "boot/entries-private.h"
#include "boot/fat32.h"
#include "boot/loadopt.h"
#include "boot/promote.h"
#include "tests/lib/crash.h"

#define SLOT (40ull << 20)
#define START (1ull << 20)
#define SIZE (START + 2 * SLOT)
#define ZERO26 "0000000000000000000000000000000000000000000000000000"
#define NET "02010c00d041030a00000000" "010106000001" "030b2500525400123456" ZERO26 "01" \
	"030c1b00" "0000000000000000000000000000000000000000000000" "7fff0400"

/* One node: a disk in memory, a variable store in files, and a record of both. */
struct fixture {
	char *dir, *image[3], sha[3][65];	/* images: two old ones and the new one */
	uint8_t *disk;
	struct sw_part parts[2];
	struct sw_disk d;
	struct sw_switch s;
	struct sw_varstore *store;
};

/* A store that notes where in the block writes each variable write came. */
struct spy {
	struct sw_varstore base;
	struct sw_varstore *inner;
	const struct sw_io_log *log;
	struct {
		char name[16];
		size_t at;	/* block operations before it */
	} seen[16];
	size_t n;
};

static int spy_get(struct sw_varstore *s, const struct sw_guid *guid, const char *name,
		   uint8_t **ret_data, size_t *ret_len, uint32_t *ret_attrs)
{
	return sw_var_get(((struct spy *)s)->inner, guid, name, ret_data, ret_len, ret_attrs);
}

static void spy_note(struct spy *s, const char *name)
{
	assert_true(s->n < ARRAY_SIZE(s->seen));
	(void)snprintf(s->seen[s->n].name, sizeof(s->seen[0].name), "%s", name);
	s->seen[s->n++].at = s->log->n;
}

static int spy_set(struct sw_varstore *s, const struct sw_guid *guid, const char *name,
		   const void *data, size_t len, uint32_t attrs)
{
	spy_note((struct spy *)s, name);
	return sw_var_set(((struct spy *)s)->inner, guid, name, data, len, attrs);
}

static int spy_del(struct sw_varstore *s, const struct sw_guid *guid, const char *name)
{
	spy_note((struct spy *)s, name);
	return sw_var_del(((struct spy *)s)->inner, guid, name);
}

static const struct sw_varstore_ops spy_ops = { .get = spy_get, .set = spy_set, .del = spy_del };

static void make_image(struct fixture *f, unsigned int i, size_t len)
{
	_cleanup_free_ uint8_t *d = malloc(len);
	_cleanup_free_ char *uki = sw_fmt("%s/uki%u", f->dir, i);
	_cleanup_(sw_slot_manifest_clear) struct sw_slot_manifest m = { .sequence = i + 1,
		.build_id = strdup("b"), .source = strdup("s"), .reason = strdup("r"),
		.time = 1700000000 };
	uint32_t x = i + 1;

	for (size_t k = 0; k < len; k++) {
		x = x * 1664525 + 1013904223;
		d[k] = (uint8_t)(x >> 24);
	}
	f->image[i] = sw_fmt("%s/image%u", f->dir, i);
	assert_int_equal(sw_file_write(uki, d, len, 0600), 0);
	assert_int_equal(sw_sha256_file(uki, m.sha256), 0);
	memcpy(f->sha[i], m.sha256, sizeof(m.sha256));
	assert_int_equal(sw_slot_build(uki, &m, SLOT, 512, 7 + i, "SLIPWAY", f->image[i], NULL), 0);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	_cleanup_free_ char *vars = NULL;

	*state = f;
	assert_int_equal(sw_scratch_new("sw-promote", &f->dir), 0);
	for (unsigned int i = 0; i < 3; i++)
		make_image(f, i, 60000 + 9000 * i);
	f->disk = calloc(1, SIZE);
	for (unsigned int i = 0; i < 2; i++) {
		f->parts[i] = (struct sw_part){ .number = i + 1, .start = START + i * SLOT,
						.size = SLOT };
		f->parts[i].label = strdup(i ? "slipway-b" : "slipway-a");
		memset(f->parts[i].uuid.b, i ? 0xbb : 0xaa, 16);
	}
	f->d = (struct sw_disk){ .name = (char *)"disk", .sector = 512, .size = SIZE };
	f->d.table.parts = f->parts;
	f->d.table.n_parts = 2;
	f->s = (struct sw_switch){ .have_node = true, .road = SW_ROAD_NETWORK,
				   .ev.current = 1 };
	f->s.node.disk = &f->d;
	f->s.node.n_slots = 2;
	for (unsigned int i = 0; i < 2; i++)
		f->s.node.slots[i] = (struct sw_node_slot){ .part = &f->parts[i],
							    .letter = (char)('a' + i) };
	vars = sw_fmt("%s/vars", f->dir);
	assert_int_equal(sw_mkdir_all(vars, 0700), 0);
	assert_int_equal(sw_varstore_open_files(vars, 0, &f->store, NULL), 0);
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	sw_varstore_close(f->store);
	(void)sw_remove_tree(f->dir);
	for (unsigned int i = 0; i < 3; i++)
		free(f->image[i]);
	for (unsigned int i = 0; i < 2; i++) {
		free(f->parts[i].label);
		sw_slot_manifest_clear(&f->s.node.slots[i].m);
	}
	if (f->s.raw)
		json_object_put(f->s.raw);
	free(f->disk);
	free(f->dir);
	free(f);
	return 0;
}

static void plant(struct fixture *f, const char *name, const void *data, size_t len)
{
	assert_int_equal(sw_varstore_plant(f->store, &sw_guid_global, name, data, len,
					   SW_VAR_NV_BS_RT), 0);
}

/* Slot i holds image k, as the switch would have read it. */
static void fill(struct fixture *f, unsigned int i, unsigned int k)
{
	struct sw_node_slot *s = &f->s.node.slots[i];
	FILE *file = fopen(f->image[k], "re");

	assert_non_null(file);
	assert_int_equal(fread(f->disk + f->parts[i].start, 1, SLOT, file), SLOT);
	fclose(file);
	s->filled = s->good = true;
	s->m.sequence = k + 1;
	memcpy(s->m.sha256, f->sha[k], sizeof(s->m.sha256));
}

/* Boot0001 is the network, 2 and 3 are the slots. */
static void set_order(struct fixture *f, const char *hex)
{
	_cleanup_free_ uint8_t *net = NULL, *order = NULL;
	_cleanup_buf_ struct sw_buf n = {};
	size_t net_len, order_len;

	assert_int_equal(sw_hex_decode(NET, &net, &net_len), 0);
	assert_int_equal(sw_loadopt_build(1, "PXE", net, net_len, NULL, 0, &n), 0);
	plant(f, "Boot0001", n.data, n.len);
	for (unsigned int i = 0; i < 2; i++) {
		struct sw_entry_wanted w = sw_node_entry(&f->s.node, i);
		struct sw_devpath_hd hd = { .number = w.part_number, .start = w.part_start,
					    .size = w.part_size, .guid = w.part_uuid };
		_cleanup_buf_ struct sw_buf b = {};

		assert_int_equal(sw_loadopt_build_file(w.label, &hd, w.path, &b), 0);
		plant(f, i ? "Boot0003" : "Boot0002", b.data, b.len);
	}
	assert_int_equal(sw_hex_decode(hex, &order, &order_len), 0);
	plant(f, "BootOrder", order, order_len);
	assert_int_equal(sw_entries_snapshot(f->store, &f->s.raw, NULL), 0);
}

/* ---- what a node does with a state that a cut left ---- */

enum slot_state { UNREADABLE, GOOD, WRONG };

static enum slot_state slot_state(struct sw_io *io, const struct sw_part *p)
{
	_cleanup_(sw_slot_manifest_clear) struct sw_slot_manifest m = {};
	_cleanup_fat_ struct sw_fat fat = {};
	bool ok = false;

	if (sw_fat_open(io, p->start, p->size, &fat) < 0)
		return UNREADABLE;	/* the firmware passes it over */
	return sw_slot_read(io, p->start, p->size, &m, &ok, NULL) == 0 && ok ? GOOD : WRONG;
}

struct judge {
	struct fixture *f;
	json_object *raw;	/* the variables of this state */
	unsigned int states, broken, by_order[2];
};

/* By the order and, with every entry gone, by the fallback path: never into a wrong image. */
static void judge(struct sw_io *io, unsigned int flushes SW_UNUSED, void *userdata)
{
	_cleanup_varset_ struct sw_varset v = { .next = -1 };
	struct judge *j = userdata;
	enum slot_state st[2];
	int started = -1;

	for (size_t i = 0; i < 2; i++)
		st[i] = slot_state(io, &j->f->parts[i]);
	assert_int_equal(sw_varset_load(j->raw, &v), 0);
	for (size_t i = 0; started < 0 && i < v.n_order; i++) {
		const struct sw_varset_entry *e = sw_varset_find(&v, v.order[i]);

		for (size_t k = 0; e && k < 2; k++) {
			struct sw_entry_wanted w = sw_node_entry(&j->f->s.node, k);

			if (sw_entry_match(e->data, e->len, &w) != SW_ENTRY_FOREIGN &&
			    st[k] != UNREADABLE)
				started = (int)k;
		}
	}
	j->states++;
	if (started < 0 || st[0] == WRONG || st[1] == WRONG)
		j->broken++;
	else
		j->by_order[started]++;
}

static json_object *after(json_object *raw, const struct sw_entry_plan *p, size_t n)
{
	json_object *o = NULL;

	assert_int_equal(json_object_deep_copy(raw, &o, NULL), 0);
	for (size_t i = 0; i < n; i++) {
		_cleanup_free_ char *hex = sw_hex_encode(p->writes[i].data, p->writes[i].len);

		if (p->writes[i].len)
			sw_json_add_str(o, p->writes[i].name, hex);
		else
			json_object_object_del(o, p->writes[i].name);
	}
	return o;
}

/* All prefixes of the variable writes while the disk stands still. */
static void judge_variables(struct judge *j, json_object *raw, const struct sw_entry_plan *p,
			    uint8_t *disk)
{
	struct mem_io m;

	mem_io_init(&m, disk, SIZE, 512);
	for (size_t n = 0; n <= p->n_writes; n++) {
		_cleanup_json_ json_object *o = after(raw, p, n);

		j->raw = o;
		judge(&m.io, 0, j);
	}
}

static void run_and_cut(struct fixture *f, size_t want_target, size_t want_before)
{
	_cleanup_(sw_promote_clear) struct sw_promote p = {};
	_cleanup_(sw_io_log_clear) struct sw_io_log log = {};
	_cleanup_json_ json_object *middle = NULL;
	_cleanup_io_ struct sw_io *io = NULL;
	struct spy spy = { .base = { .ops = &spy_ops, .writable = true }, .inner = f->store,
			   .log = &log };
	struct judge j = { .f = f };
	struct crash_stats stats;
	const struct sw_part *part;

	assert_int_equal(sw_promote_plan(&f->s, 0, &p, NULL), 0);
	assert_int_equal(p.target, want_target);
	assert_int_equal(p.before.n_writes, want_before);
	part = &f->parts[p.target];
	assert_int_equal(sw_io_new_recorder(SIZE, 512, f->disk, &log, SIZE_MAX, 0, &io), 0);
	assert_int_equal(sw_promote_write(io, &spy.base, &p, part->start, part->size, f->image[2],
					  f->sha[2], NULL, NULL), 0);
	/* One write of BootOrder at the end, behind a flush; others before all blocks. */
	assert_int_equal(spy.n, want_before + 1);
	assert_string_equal(spy.seen[spy.n - 1].name, "BootOrder");
	assert_int_equal(spy.seen[spy.n - 1].at, log.n);
	assert_int_equal(log.ops[log.n - 1].kind, SW_IO_FLUSH);
	for (size_t i = 0; i < want_before; i++)
		assert_int_equal(spy.seen[i].at, 0);

	judge_variables(&j, f->s.raw, &p.before, f->disk);
	middle = after(f->s.raw, &p.before, p.before.n_writes);
	j.raw = middle;
	crash_enumerate(f->disk, SIZE, 512, &log, 1, 300, judge, &j, &stats);
	judge_variables(&j, middle, &p.after, f->disk);
	print_message("# %u states: %u start A, %u start B, %u broken\n", j.states, j.by_order[0],
		      j.by_order[1], j.broken);
	assert_int_equal(j.broken, 0);
	assert_true(j.states > 1000 && j.by_order[p.target] > 0);
}

static void test_no_cut_of_a_promote_into_the_empty_slot_leaves_a_node_that_does_not_start(
	void **state)
{
	struct fixture *f = *state;

	fill(f, 0, 0);
	set_order(f, "0200" "0100" "0300");
	run_and_cut(f, 1, 0);
}

static void test_no_cut_of_a_promote_over_the_older_slot_leaves_a_node_that_does_not_start(
	void **state)
{
	struct fixture *f = *state;

	fill(f, 0, 0);
	fill(f, 1, 1);
	set_order(f, "0300" "0200" "0100");
	run_and_cut(f, 0, 0);
}

static void test_running_a_while_b_is_first_puts_a_first_before_b_is_written(void **state)
{
	struct fixture *f = *state;

	fill(f, 0, 0);
	fill(f, 1, 1);
	set_order(f, "0300" "0200" "0100");
	f->s.road = SW_ROAD_SLOT;
	f->s.road_slot = 0;
	run_and_cut(f, 1, 1);
}

static void test_the_judge_finds_a_promote_that_writes_the_first_slot_in_place(void **state)
{
	struct fixture *f = *state;
	_cleanup_(sw_promote_clear) struct sw_promote p = { .target = 0, .stays = -1 };
	_cleanup_(sw_io_log_clear) struct sw_io_log log = {};
	_cleanup_io_ struct sw_io *io = NULL;
	struct judge j = { .f = f };
	struct crash_stats stats;

	fill(f, 0, 0);
	set_order(f, "0200" "0100" "0300");
	assert_int_equal(sw_io_new_recorder(SIZE, 512, f->disk, &log, SIZE_MAX, 0, &io), 0);
	assert_int_equal(sw_promote_write(io, f->store, &p, START, SLOT, f->image[2], f->sha[2],
					  NULL, NULL), 0);
	j.raw = f->s.raw;
	crash_enumerate(f->disk, SIZE, 512, &log, 50, 10, judge, &j, &stats);
	assert_true(j.broken > 0);
}

static void expect_refused(struct fixture *f, const char *why)
{
	struct sw_promote p = {};
	struct sw_error err = {};
	_cleanup_free_ char *text = NULL;

	assert_true(sw_promote_plan(&f->s, 0, &p, &err) < 0);
	assert_int_equal(err.exit, SW_EXIT_REFUSED);
	text = sw_error_text(&err);
	if (!strstr(text, why))
		fail_msg("%s", text);
}

static void test_an_unknown_road_or_a_damaged_running_slot_is_refused(void **state)
{
	struct fixture *f = *state;

	fill(f, 0, 0);
	set_order(f, "0200" "0300");
	f->s.road = SW_ROAD_UNKNOWN;
	expect_refused(f, "how this system was started is unknown");
	f->s.road = SW_ROAD_SLOT;
	f->s.road_slot = 1;
	expect_refused(f, "damaged on the disk");
}

static void test_in_hands_off_the_first_slot_is_not_written(void **state)
{
	struct fixture *f = *state;

	fill(f, 0, 0);
	fill(f, 1, 1);
	set_order(f, "0300" "0200");
	f->s.wish.mode = SW_NODE_HANDS_OFF;
	f->s.road = SW_ROAD_SLOT;
	f->s.road_slot = 0;
	expect_refused(f, "the slot to write comes first");
}

static void test_a_damaged_first_slot_is_rewritten_and_the_good_one_stays(void **state)
{
	struct fixture *f = *state;
	_cleanup_(sw_promote_clear) struct sw_promote p = {};

	fill(f, 0, 0);
	fill(f, 1, 1);
	f->s.node.slots[1].good = false;
	set_order(f, "0300" "0200");
	assert_int_equal(sw_promote_plan(&f->s, 0, &p, NULL), 0);
	assert_int_equal(p.target, 1);
	assert_int_equal(p.stays, 0);
	assert_int_equal(p.before.n_writes, 1);	/* A first, before B is touched */
	assert_int_equal(p.sequence, 3);
}

static void test_another_image_than_the_one_asked_for_leaves_the_order_as_it_is(void **state)
{
	struct fixture *f = *state;
	_cleanup_(sw_promote_clear) struct sw_promote p = {};
	_cleanup_(sw_io_log_clear) struct sw_io_log log = {};
	_cleanup_io_ struct sw_io *io = NULL;
	struct spy spy = { .base = { .ops = &spy_ops, .writable = true }, .inner = f->store,
			   .log = &log };
	struct sw_error err = {};

	fill(f, 0, 0);
	set_order(f, "0200" "0100" "0300");
	assert_int_equal(sw_promote_plan(&f->s, 0, &p, NULL), 0);
	assert_int_equal(sw_io_new_recorder(SIZE, 512, f->disk, &log, SIZE_MAX, 0, &io), 0);
	/* The image says another hash than the one that was asked for. */
	assert_int_equal(sw_promote_write(io, &spy.base, &p, START + SLOT, SLOT, f->image[2],
					  f->sha[1], NULL, &err), -EBADMSG);
	assert_int_equal(err.exit, SW_EXIT_VERIFY);
	assert_int_equal(spy.n, 0);
}

static void test_a_refused_boot_order_leaves_the_old_slot_first_and_the_new_one_whole(void **state)
{
	struct fixture *f = *state;
	_cleanup_(sw_promote_clear) struct sw_promote p = {};
	_cleanup_(sw_io_log_clear) struct sw_io_log log = {};
	_cleanup_json_ json_object *raw = NULL;
	_cleanup_io_ struct sw_io *io = NULL;
	struct judge j = { .f = f };
	struct sw_error err = {};

	fill(f, 0, 0);
	set_order(f, "0200" "0100" "0300");
	assert_int_equal(sw_promote_plan(&f->s, 0, &p, NULL), 0);
	assert_int_equal(sw_io_new_recorder(SIZE, 512, f->disk, &log, SIZE_MAX, 0, &io), 0);
	assert_int_equal(sw_varstore_inject(f->store, SW_FAULT_READ_ONLY, "BootOrder"), 0);
	assert_int_equal(sw_promote_write(io, f->store, &p, START + SLOT, SLOT, f->image[2],
					  f->sha[2], NULL, &err), -EROFS);
	assert_int_equal(err.exit, SW_EXIT_DIRTY);
	assert_non_null(strstr(err.hint, "mode keep"));
	assert_int_equal(sw_entries_snapshot(f->store, &raw, NULL), 0);
	j.raw = raw;
	judge(io, 0, &j);
	assert_int_equal(j.broken, 0);
	assert_int_equal(j.by_order[0], 1);
	assert_int_equal(slot_state(io, &f->parts[1]), GOOD);
}

static void test_rollback_needs_another_good_slot_and_goes_there_and_back(void **state)
{
	struct fixture *f = *state;
	size_t from, to;

	fill(f, 0, 0);
	set_order(f, "0200" "0300");
	assert_int_equal(sw_rollback_choose(&f->s.node, &from, &to, NULL), -EPERM);
	fill(f, 1, 1);
	assert_int_equal(sw_rollback_choose(&f->s.node, &from, &to, NULL), 0);
	assert_int_equal(from, 1);
	assert_int_equal(to, 0);
	f->s.node.slots[1].held = true;
	assert_int_equal(sw_rollback_choose(&f->s.node, &from, &to, NULL), 0);
	assert_int_equal(from, 0);
	assert_int_equal(to, 1);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	T(test_no_cut_of_a_promote_into_the_empty_slot_leaves_a_node_that_does_not_start),
	T(test_no_cut_of_a_promote_over_the_older_slot_leaves_a_node_that_does_not_start),
	T(test_running_a_while_b_is_first_puts_a_first_before_b_is_written),
	T(test_the_judge_finds_a_promote_that_writes_the_first_slot_in_place),
	T(test_an_unknown_road_or_a_damaged_running_slot_is_refused),
	T(test_in_hands_off_the_first_slot_is_not_written),
	T(test_a_damaged_first_slot_is_rewritten_and_the_good_one_stays),
	T(test_another_image_than_the_one_asked_for_leaves_the_order_as_it_is),
	T(test_a_refused_boot_order_leaves_the_old_slot_first_and_the_new_one_whole),
	T(test_rollback_needs_another_good_slot_and_goes_there_and_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
