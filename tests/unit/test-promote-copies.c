/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Power cuts in a promote of a node on two disks, with all block and variable
 * writes of both on one tape. After each prefix, torn at 512 bytes, and random
 * subsets of what was in flight, no slot can be started that does not hold what its
 * manifest says, the boot order leads to a whole one, and so it does with either
 * disk taken away; given again, the promote ends with both disks the same.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "boot/entries-private.h"
#include "boot/promote.h"
#include "tests/lib/install-world.h"
#include "tests/lib/tape.h"

struct judged {
	struct world *w;
	unsigned int again;	/* promotes that were given again */
	unsigned int states, half;	/* half: one disk has the new image and the other not */
};

struct opened {
	struct sw_facts *f;
	json_object *raw;
	struct sw_switch s;
};

static void opened_clear(struct opened *o)
{
	sw_switch_clear(&o->s);
	if (o->raw)
		json_object_put(o->raw);
	sw_facts_free(o->f);
}

static void open_switch(struct world *w, struct opened *o)
{
	struct sw_varstore *vars = NULL;
	struct sw_error err = {};

	assert_int_equal(sw_machine_facts(w->m, &o->f, &err), 0);
	assert_int_equal(sw_machine_vars(w->m, &vars, &err), 0);
	assert_int_equal(sw_entries_snapshot(vars, &o->raw, &err), 0);
	if (sw_switch_open(w->m, o->f, vars, o->raw, NULL, &o->s, &err) < 0)
		fail_msg("%s: %s", err.what, err.why);
	o->s.road = SW_ROAD_NETWORK;
}

/* As `slipway promote` does it: one copy after the other, what holds it already left. */
static void promote(struct world *w, const char *uki)
{
	_cleanup_(opened_clear) struct opened o = {};
	_cleanup_(sw_slot_manifest_clear) struct sw_slot_manifest m = {
		.build_id = strdup("b"), .source = strdup("s"), .reason = strdup("test") };
	struct sw_promote_image image = { .uki = uki, .m = &m, .dir = w->dir };
	struct sw_varstore *vars = NULL;
	uint64_t sequence;

	assert_int_equal(sw_sha256_file(uki, m.sha256), 0);
	open_switch(w, &o);
	assert_int_equal(o.s.n_copies, 1);
	assert_int_equal(sw_machine_vars(w->m, &vars, NULL), 0);
	sequence = sw_promote_sequence(&o.s, &m);
	for (size_t i = 0; i <= o.s.n_copies; i++) {
		_cleanup_(sw_promote_clear) struct sw_promote p = {};
		struct sw_error err = {};
		int best;

		if (i > 0)
			assert_int_equal(sw_switch_turn(&o.s, i - 1, &err), 0);
		o.s.road = SW_ROAD_NETWORK;
		best = sw_node_best_slot(&o.s.node);
		if (best >= 0 && sw_slot_holds(&o.s.node.slots[best], &m))
			continue;
		assert_int_equal(sw_promote_plan(&o.s, sequence, &p, &err), 0);
		if (sw_promote_copy(&o.s, vars, &p, &image, NULL, &err) < 0)
			fail_msg("%s: %s", err.what, err.why);
		assert_int_equal(sw_promote_take(&o.s, &p, &m, &err), 0);
		sequence = p.sequence;
	}
}

/* 1: starts and holds what it says; 0: no file system is there; -1: starts, and is bad. */
static int state_of(const struct world *w, const struct sw_placed *part)
{
	_cleanup_(sw_slot_manifest_clear) struct sw_slot_manifest m = {};
	_cleanup_free_ char *path = world_image(w, part->disk);
	_cleanup_io_ struct sw_io *io = NULL;
	uint8_t sector[512];
	bool ok = false;

	assert_int_equal(sw_io_open(path, false, false, 512, &io, NULL), 0);
	assert_int_equal(sw_io_read(io, part->start, sector, sizeof(sector)), 0);
	if (sector[510] != 0x55 || sector[511] != 0xaa)
		return 0;
	if (sw_slot_read(io, part->start, part->size, &m, &ok, NULL) < 0)
		return -1;
	return ok ? 1 : -1;
}

static const struct sw_placed *part_of(const struct world *w, const struct sw_varset_entry *e)
{
	for (size_t i = 0; e && i < w->plan->n_parts; i++) {
		const struct sw_placed *p = &w->plan->parts[i];
		struct sw_entry_wanted want = { .label = "", .part_uuid = p->uuid,
						.path = SW_SLOT_BOOT_PATH };

		if (p->role == SW_ROLE_SLOT &&
		    sw_entry_match(e->data, e->len, &want) != SW_ENTRY_FOREIGN)
			return p;
	}
	return NULL;
}

/* What the firmware starts by the order; away: a disk that is taken out, -1: none. */
static bool order_starts(struct world *w, int away)
{
	_cleanup_varset_ struct sw_varset set = { .next = -1 };
	_cleanup_json_ json_object *raw = NULL;
	struct sw_varstore *vars = NULL;

	assert_int_equal(sw_machine_vars(w->m, &vars, NULL), 0);
	assert_int_equal(sw_entries_snapshot(vars, &raw, NULL), 0);
	assert_int_equal(sw_varset_load(raw, &set), 0);
	for (size_t i = 0; i < set.n_order; i++) {
		const struct sw_placed *p = part_of(w, sw_varset_find(&set, set.order[i]));
		int state = p && (int)p->disk != away ? state_of(w, p) : 0;

		if (state != 0)
			return state > 0;
	}
	return false;
}

static bool same_on_both(struct world *w)
{
	_cleanup_(opened_clear) struct opened o = {};
	_cleanup_free_ char *differ = NULL;

	open_switch(w, &o);
	differ = sw_switch_differences(&o.s);
	return !differ;
}

static void give_again(struct judged *j, const char *uki)
{
	_cleanup_free_ char *dir = sw_fmt("%s.again", j->w->dir);
	struct world t;

	world_copy(j->w, dir, &t);
	promote(&t, uki);
	assert_true(same_on_both(&t) && order_starts(&t, -1));
	world_free(&t);
	j->again++;
}

static void judge(struct tape_play *p SW_UNUSED, void *userdata)
{
	struct judged *j = userdata;
	_cleanup_free_ char *uki = sw_fmt("%s/uki-new", j->w->dir);

	for (size_t i = 0; i < j->w->plan->n_parts; i++)
		if (j->w->plan->parts[i].role == SW_ROLE_SLOT)
			assert_true(state_of(j->w, &j->w->plan->parts[i]) >= 0);
	assert_true(order_starts(j->w, -1));
	assert_true(order_starts(j->w, 0));
	assert_true(order_starts(j->w, 1));
	if (j->states++ % 25 != 0)
		return;
	j->half += !same_on_both(j->w);
	if (j->states % 100 == 1)
		give_again(j, uki);
}

static void make_uki(const struct world *w, const char *name, char word)
{
	_cleanup_free_ char *path = sw_fmt("%s/%s", w->dir, name);
	uint8_t data[20000];

	memset(data, word, sizeof(data));
	assert_int_equal(sw_file_write(path, data, sizeof(data), 0600), 0);
}

/* filled: both slots of each disk hold an image before. */
static void enumerate(bool filled)
{
	bool full = getenv("SLIPWAY_TEST_LONG") != NULL;
	struct world start, w;
	struct judged j = { .w = &start };
	struct tape t = { .fail_at = SIZE_MAX };
	struct tape_play play = { .tape = &t, .judge = judge, .userdata = &j,
				  .every = full ? 1 : 4, .random = full ? 4000 : 300 };
	_cleanup_free_ char *dir = NULL, *uki = NULL;
	struct sw_error err = {};

	world_make(&start, 2);
	make_uki(&start, "uki-old", 'o');
	make_uki(&start, "uki-new", 'n');
	assert_int_equal(world_install(&start, 0, &err), 0);
	if (filled) {
		uki = sw_fmt("%s/uki-old", start.dir);
		promote(&start, uki);
		free(uki);
	}
	dir = sw_fmt("%s.taped", start.dir);
	world_copy(&start, dir, &w);
	uki = sw_fmt("%s/uki-new", w.dir);
	tape_attach(&t, w.m);
	promote(&w, uki);
	world_free(&w);
	assert_int_equal(t.n_disks, 2);
	play.m = start.m;
	play.seed = tape_seed();
	tape_play(&play);
	print_message("# promote on two disks, %zu operations: %u states (%u prefixes, %u subsets)"
		      ", %u of %u looked at with one disk done; %u given again; 0 failures\n", t.n,
		      play.prefixes + play.subsets, play.prefixes, play.subsets, j.half,
		      (j.states + 24) / 25, j.again);
	assert_true(j.half > 0 && j.again > 2 && same_on_both(&start));
	tape_clear(&t);
	world_free(&start);
}

static void test_no_cut_of_a_promote_into_the_empty_slots_takes_either_disk(void **state SW_UNUSED)
{
	enumerate(false);
}

static void test_no_cut_of_a_promote_over_older_images_takes_either_disk(void **state SW_UNUSED)
{
	enumerate(true);
}

/* The judge must be able to fail. */
static void test_the_judge_sees_a_slot_that_starts_with_another_image(void **state SW_UNUSED)
{
	_cleanup_free_ char *image = NULL;
	_cleanup_io_ struct sw_io *io = NULL;
	const struct sw_placed *slot;
	struct sw_error err = {};
	uint8_t b[2] = {};
	struct world w;
	uint64_t at;

	world_make(&w, 2);
	assert_int_equal(world_install(&w, 0, &err), 0);
	slot = sw_plan_find(w.plan, 1, SW_ROLE_SLOT);
	assert_true(order_starts(&w, 0));
	image = world_image(&w, 1);
	assert_int_equal(sw_io_open(image, true, false, 512, &io, NULL), 0);
	for (at = slot->start + 512; memcmp(b, "MZ", 2) != 0; at += 512)
		assert_int_equal(sw_io_read(io, at, b, sizeof(b)), 0);
	assert_int_equal(sw_io_read(io, at + 100, b, 1), 0);	/* in the file's second sector */
	b[0] ^= 1;
	assert_int_equal(sw_io_write(io, at + 100, b, 1), 0);
	assert_int_equal(state_of(&w, slot), -1);
	assert_false(order_starts(&w, 0));
	assert_true(order_starts(&w, 1));
	world_free(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_cut_of_a_promote_into_the_empty_slots_takes_either_disk),
		cmocka_unit_test(test_no_cut_of_a_promote_over_older_images_takes_either_disk),
		cmocka_unit_test(test_the_judge_sees_a_slot_that_starts_with_another_image),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
