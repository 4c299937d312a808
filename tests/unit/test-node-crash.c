/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an installed node does to its own disk and boot variables, cut off at any
 * moment: promotes with an overlay, mode switches, node data, a rollback, and an
 * install over a node that was there. All block and variable writes of one
 * operation are on one tape; it is played prefix by prefix, torn at 512 bytes,
 * and as random subsets of what each flush waits for. In every state the order
 * and, with every entry gone, the fallback path lead to a slot that is complete
 * and has the hash that its manifest names. fsck.vfat and mtools look at samples
 * and must say the same of each slot as our own reader.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include "boot/promote.h"
#include "boot/uki.h"
#include "tests/lib/node-judge.h"

struct judged {
	struct node_judge node;
	unsigned int states, broken, by_order[NODE_SLOTS], by_fallback[NODE_SLOTS];
	unsigned int sample, outside;	/* each nth state is shown to others */
};

static void judge(struct tape_play *p, void *userdata)
{
	struct judged *j = userdata;
	struct node_starts st;

	j->states++;
	if (!node_starts(&j->node, p, &st)) {
		j->broken++;
		return;
	}
	j->by_order[st.order]++;
	j->by_fallback[st.fallback]++;
	if (j->states % j->sample)
		return;
	node_outside(&j->node, &st);
	j->outside++;
}

/* ---- the operations, as the commands do them ---- */

struct running {
	struct world *w;
	struct sw_facts *f;
	struct sw_varstore *vars;
	json_object *raw;
	struct sw_switch s;
	unsigned int number;	/* of the operation, for another image each time */
};

static void fail_with(const struct sw_error *err)
{
	_cleanup_free_ char *t = sw_error_text(err);

	fail_msg("%s", t);
}

static void boot(struct world *w, struct running *r)
{
	struct sw_error err = {};

	*r = (struct running){ .w = w };
	assert_int_equal(sw_machine_facts(w->m, &r->f, &err), 0);
	assert_int_equal(sw_machine_vars(w->m, &r->vars, &err), 0);
	assert_int_equal(sw_entries_snapshot(r->vars, &r->raw, &err), 0);
	if (sw_switch_open(w->m, r->f, r->vars, r->raw, NULL, &r->s, &err) < 0)
		fail_with(&err);
	assert_int_equal(r->s.node.n_slots, NODE_SLOTS);
	assert_non_null(r->s.node.data_part);
}

static void power_off(struct running *r)
{
	sw_switch_clear(&r->s);
	json_object_put(r->raw);
	sw_facts_free(r->f);
}

/* A unified image that no other operation has. */
static char *make_image(struct running *r, const struct sw_part *part, struct sw_slot_manifest *m,
			struct sw_error *err)
{
	_cleanup_free_ char *kernel = sw_fmt("%s/medium/vmlinuz", r->w->dir);
	_cleanup_free_ char *initrd = sw_fmt("%s/medium/initrd", r->w->dir);
	_cleanup_free_ char *line = sw_fmt("panic=10 image=%u", r->number);
	_cleanup_free_ char *uki = sw_fmt("%s/uki-%u", r->w->dir, r->number);
	struct sw_uki_parts parts = { .stub = r->w->m->stub, .kernel = kernel, .initrd = initrd,
				      .cmdline = line };
	char *image = sw_fmt("%s/slot-%u", r->w->dir, r->number);

	if (sw_uki_assemble(&parts, uki, err) < 0 || sw_sha256_file(uki, m->sha256) < 0 ||
	    sw_slot_build(uki, m, part->size, 512, r->number, "SLIPWAY", image, err) < 0)
		fail_with(err);
	return image;
}

static void promote(struct running *r, struct sw_error *err)
{
	char overlay[] = "join token of this image 0000";
	_cleanup_(sw_slot_manifest_clear) struct sw_slot_manifest m = {
		.build_id = strdup("crash"), .source = strdup("test"),
		.reason = strdup("promote") };
	_cleanup_(sw_promote_clear) struct sw_promote p = {};
	_cleanup_free_ char *image = NULL;
	_cleanup_io_ struct sw_io *io = NULL;
	const struct sw_part *part;

	r->s.road = SW_ROAD_NETWORK;
	if (sw_promote_plan(&r->s, 0, &p, err) < 0)
		fail_with(err);
	part = r->s.node.slots[p.target].part;
	m.sequence = p.sequence;
	overlay[sizeof(overlay) - 2] = (char)('0' + r->number);
	p.overlay = overlay;
	p.overlay_len = sizeof(overlay);
	assert_int_equal(sw_sha256(p.overlay, p.overlay_len, m.overlay), 0);
	image = make_image(r, part, &m, err);
	assert_int_equal(sw_machine_open_disk(r->w->m, r->s.node.disk, true, true, &io, err), 0);
	if (sw_promote_write(io, r->vars, &p, part->start, part->size, image, m.sha256, NULL,
			     err) < 0 ||
	    sw_mode_state_write(r->vars, &p.state, err) < 0)
		fail_with(err);
}

static void switch_to(struct running *r, enum sw_node_mode mode, struct sw_error *err)
{
	_cleanup_(sw_mode_result_clear) struct sw_mode_result res = { .network = -1 };
	struct sw_mode_wish w = r->s.wish;
	size_t written = 0;

	w.mode = mode;
	w.explicit = true;
	if (sw_switch_plan(&r->s, &w, &res, err) < 0 ||
	    sw_switch_apply(&r->s, &w, &res, &written, err) < 0)
		fail_with(err);
	assert_true(written > 0);
}

static void to_network(struct running *r, struct sw_error *err)
{
	switch_to(r, SW_NODE_NETWORK, err);
}

static void to_local(struct running *r, struct sw_error *err)
{
	switch_to(r, SW_NODE_LOCAL, err);
}

static void node_data(struct running *r, struct sw_error *err)
{
	sw_json_add_str(r->s.node.data, "hostname", "node-08");
	if (sw_node_write_data(r->w->m, &r->s.node, err) < 0)
		fail_with(err);
}

static void rollback(struct running *r, struct sw_error *err)
{
	_cleanup_(sw_mode_result_clear) struct sw_mode_result res = { .network = -1 };
	struct sw_mode_wish w = r->s.wish;
	size_t from, to, done = 0;

	if (sw_rollback_choose(&r->s.node, &from, &to, err) < 0)
		fail_with(err);
	r->s.node.slots[from].held = true;
	sw_json_add_str(r->s.node.data, "rolled_back", r->s.node.slots[from].m.sha256);
	w.explicit = w.keep_next = true;
	if (sw_switch_plan(&r->s, &w, &res, err) < 0 ||
	    sw_node_write_data(r->w->m, &r->s.node, err) < 0 ||
	    sw_entry_plan_apply(r->vars, &res.plan, &done, err) < 0 ||
	    sw_mode_state_write(r->vars, &res.state, err) < 0)
		fail_with(err);
	assert_true(done > 0);
}

/* ---- cutting them ---- */

struct total {
	unsigned int states, outside, epochs, number;
};

/* Afterwards the world is as the whole operation leaves it. */
static void cut(struct world *w, const char *name, void (*op)(struct running *, struct sw_error *),
		struct total *sum)
{
	bool full = getenv("SLIPWAY_TEST_LONG") != NULL;
	_cleanup_free_ char *dir = sw_fmt("%s.%u", w->dir, ++sum->number);
	struct judged j = { .sample = full ? 100 : 150 };
	struct tape t = { .fail_at = SIZE_MAX };
	struct tape_play play = { .tape = &t, .judge = judge, .userdata = &j,
				  .every = full ? 1 : 40, .per_epoch = full ? 2000 : 40 };
	struct sw_error err = {};
	struct running r;
	struct world copy;

	node_judge_learn(&j.node, w);
	world_copy(w, dir, &copy);
	boot(&copy, &r);
	r.number = sum->number;
	tape_attach(&t, copy.m);
	r.vars = r.s.vars = copy.m->vars;
	op(&r, &err);
	power_off(&r);
	world_free(&copy);
	play.m = w->m;
	play.seed = tape_seed();
	tape_play(&play);
	print_message("# %s, %zu operations, %u epochs: %u states (%u prefixes, %u subsets): by "
		      "the order A %u, B %u; by the fallback A %u, B %u; %u seen by fsck.vfat and "
		      "mtools; %u broken\n", name, t.n, play.epochs, j.states, play.prefixes,
		      play.subsets, j.by_order[0], j.by_order[1], j.by_fallback[0],
		      j.by_fallback[1], j.outside, j.broken);
	assert_int_equal(j.broken, 0);
	assert_true(play.epochs > 0 && play.subsets >= play.epochs * play.per_epoch);
	sum->states += j.states;
	sum->outside += j.outside;
	sum->epochs += play.epochs;
	node_judge_clear(&j.node);
	tape_clear(&t);
	world_reopen(w);
}

static void test_no_cut_of_what_a_node_does_leaves_it_without_a_start(void **state SW_UNUSED)
{
	struct sw_error err = {};
	struct total sum = {};
	struct world w;

	world_make(&w, 1);
	if (world_install(&w, 0, &err) < 0)
		fail_with(&err);
	world_reopen(&w);
	cut(&w, "promote into the empty slot", promote, &sum);
	cut(&w, "promote over the older slot", promote, &sum);
	cut(&w, "mode network", to_network, &sum);
	cut(&w, "node data", node_data, &sum);
	cut(&w, "promote in mode network", promote, &sum);
	cut(&w, "mode local", to_local, &sum);
	cut(&w, "rollback", rollback, &sum);
	print_message("# in all %u epochs, %u states, %u of them seen by fsck.vfat and mtools; "
		      "0 broken\n", sum.epochs, sum.states, sum.outside);
	assert_true(sum.outside > 0);
	world_free(&w);
}

/* A judge that cannot say no proves nothing. */
static void spoil(struct running *r, struct sw_error *err)
{
	const struct sw_part *part = r->s.node.slots[0].part;
	_cleanup_io_ struct sw_io *io = NULL;
	uint8_t zero[512] = {};

	assert_int_equal(sw_machine_open_disk(r->w->m, r->s.node.disk, true, true, &io, err), 0);
	assert_int_equal(sw_io_write(io, part->start, zero, sizeof(zero)), 0);
	assert_int_equal(sw_io_flush(io), 0);
}

static void test_the_judge_sees_the_only_slot_go(void **state SW_UNUSED)
{
	struct tape t = { .fail_at = SIZE_MAX };
	struct judged j = { .sample = 1 };
	struct tape_play play = { .tape = &t, .judge = judge, .userdata = &j, .every = 1,
				  .per_epoch = 20, .seed = 1 };
	_cleanup_free_ char *dir = NULL;
	struct sw_error err = {};
	struct world w, copy;
	struct running r;

	world_make(&w, 1);
	if (world_install(&w, 0, &err) < 0)
		fail_with(&err);
	world_reopen(&w);
	node_judge_learn(&j.node, &w);
	dir = sw_fmt("%s.taped", w.dir);
	world_copy(&w, dir, &copy);
	boot(&copy, &r);
	tape_attach(&t, copy.m);
	spoil(&r, &err);
	power_off(&r);
	world_free(&copy);
	play.m = w.m;
	tape_play(&play);
	assert_true(j.broken > 0 && j.by_order[0] > 0);
	node_judge_clear(&j.node);
	tape_clear(&t);
	world_free(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_cut_of_what_a_node_does_leaves_it_without_a_start),
		cmocka_unit_test(test_the_judge_sees_the_only_slot_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
