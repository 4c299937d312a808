/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Power cuts in a mode switch and in a rollback: node data on the disk, then boot
 * variables, then our own variable. After every prefix of the block writes, 2,000
 * reordered subsets in each flush epoch and every prefix of the variable writes
 * there is whole node data, a slot that starts by the order and by the fallback,
 * and `mode keep` finishes what was begun, after which nothing is left to write.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/hex.h"
#include "base/json.h"
#include "boot/entries-private.h"
#include "boot/loadopt.h"
#include "boot/modes.h"
#include "boot/nodedata.h"
#include "tests/lib/crash.h"

#define DATA (1ull << 20)
#define RANDOM 2000
#define ZERO26 "0000000000000000000000000000000000000000000000000000"
#define NET "02010c00d041030a00000000" "010106000001" "030b2500525400123456" ZERO26 "01" \
	"030c1b00" "0000000000000000000000000000000000000000000000" "7fff0400"

struct world {
	struct sw_mode_slot slots[2];	/* both good; B is newer */
	json_object *raw;	/* the variables before */
	uint8_t *disk;		/* the node data's partition */
};

static void put(json_object *raw, const char *name, const void *data, size_t len)
{
	_cleanup_free_ char *hex = sw_hex_encode(data, len);

	sw_json_add_str(raw, name, hex);
}

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	_cleanup_free_ uint8_t *net = NULL;
	_cleanup_buf_ struct sw_buf b = {};
	size_t len;

	w->raw = json_object_new_object();
	w->disk = calloc(1, DATA);
	assert_int_equal(sw_hex_decode(NET, &net, &len), 0);
	assert_int_equal(sw_loadopt_build(1, "PXE", net, len, NULL, 0, &b), 0);
	put(w->raw, "Boot0001", b.data, b.len);
	for (unsigned int i = 0; i < 2; i++) {
		struct sw_devpath_hd hd = { .number = i + 1, .start = 2048, .size = 4096 };
		_cleanup_buf_ struct sw_buf o = {};

		memset(hd.guid.b, i ? 0xbb : 0xaa, 16);
		w->slots[i] = (struct sw_mode_slot){ .letter = (char)('a' + i), .good = true,
			.sequence = i + 1,
			.entry = { .label = i ? "Slipway B" : "Slipway A", .part_number = i + 1,
				   .part_start = 2048, .part_size = 4096, .part_uuid = hd.guid,
				   .path = "\\EFI\\BOOT\\BOOTX64.EFI" } };
		assert_int_equal(sw_loadopt_build_file(w->slots[i].entry.label, &hd,
						       w->slots[i].entry.path, &o), 0);
		put(w->raw, i ? "Boot0003" : "Boot0002", o.data, o.len);
	}
	put(w->raw, "BootOrder", "\3\0\2\0\1\0", 6);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	json_object_put(w->raw);
	free(w->disk);
	free(w);
	return 0;
}

static json_object *after(json_object *raw, const struct sw_entry_plan *p, size_t n)
{
	json_object *o = NULL;

	assert_int_equal(json_object_deep_copy(raw, &o, NULL), 0);
	for (size_t i = 0; i < n; i++)
		if (p->writes[i].len)
			put(o, p->writes[i].name, p->writes[i].data, p->writes[i].len);
		else
			json_object_object_del(o, p->writes[i].name);
	return o;
}

/* A wish as the node data keeps it. */
static json_object *document(const char *mode, bool held)
{
	json_object *o = json_object_new_object();

	sw_json_add_u64(o, "slipway_node", 1);
	sw_json_add_str(o, "mode", mode);
	if (held)
		sw_json_add_str(o, "rolled_back", "b");
	return o;
}

struct judge {
	struct world *w;
	json_object *raw;	/* variables of this state */
	const struct sw_mode_state *state;	/* our variable in it, NULL: as before, none */
	unsigned int states, old, new, broken;
};

static int plan_for(struct world *w, json_object *raw, json_object *doc, bool explicit,
		    const struct sw_mode_state *old, struct sw_mode_result *res)
{
	static const struct sw_mode_evidence ev = { .current = 3 };
	struct sw_mode_slot slots[2] = { w->slots[0], w->slots[1] };
	struct sw_mode_wish wish = { .explicit = explicit };

	(void)sw_node_mode_parse(sw_json_str(doc, "mode", ""), &wish.mode);
	slots[1].held = sw_json_str(doc, "rolled_back", NULL) != NULL;
	return sw_mode_reconcile(raw, slots, 2, &wish, old, &ev, res, NULL);
}

/* A good slot is first of what the order can start without the network. */
static bool starts(const struct world *w, json_object *raw)
{
	_cleanup_varset_ struct sw_varset v = { .next = -1 };

	if (sw_varset_load(raw, &v) < 0)
		return false;
	for (size_t i = 0; i < v.n_order; i++) {
		const struct sw_varset_entry *e = sw_varset_find(&v, v.order[i]);

		for (size_t k = 0; e && k < 2; k++)
			if (sw_entry_match(e->data, e->len, &w->slots[k].entry) == SW_ENTRY_RIGHT)
				return true;
	}
	return false;
}

/* What the next good boot does; and after it there is nothing left to do. */
static bool keep_finishes(struct judge *j, json_object *doc)
{
	_cleanup_(sw_mode_result_clear) struct sw_mode_result res = { .network = -1 }, again = res;
	_cleanup_json_ json_object *done = NULL;

	if (plan_for(j->w, j->raw, doc, false, j->state, &res) < 0)
		return false;
	for (size_t n = 0; n <= res.plan.n_writes; n++) {
		_cleanup_json_ json_object *o = after(j->raw, &res.plan, n);

		if (!starts(j->w, o))
			return false;
	}
	done = after(j->raw, &res.plan, res.plan.n_writes);
	return plan_for(j->w, done, doc, true, &res.state, &again) == 0 && !again.plan.n_writes;
}

static void judge(struct sw_io *io, unsigned int flushes SW_UNUSED, void *userdata)
{
	_cleanup_json_ json_object *doc = NULL;
	struct judge *j = userdata;
	uint64_t sequence = 0;

	j->states++;
	if (sw_nodedata_read(io, 0, DATA, &doc, &sequence, NULL) < 0 || !starts(j->w, j->raw) ||
	    !keep_finishes(j, doc)) {
		j->broken++;
		return;
	}
	if (sequence == 1)
		j->old++;
	else
		j->new++;
}

/* From one wish to another, cut everywhere. */
static void cut(struct world *w, json_object *from, json_object *to, size_t want_writes)
{
	_cleanup_(sw_mode_result_clear) struct sw_mode_result before = { .network = -1 };
	_cleanup_(sw_mode_result_clear) struct sw_mode_result res = { .network = -1 };
	_cleanup_(sw_io_log_clear) struct sw_io_log log = {};
	_cleanup_io_ struct sw_io *io = NULL;
	_cleanup_json_ json_object *settled = NULL;
	struct judge j = { .w = w };
	struct crash_stats stats;
	struct mem_io m;

	mem_io_init(&m, w->disk, DATA, 512);
	assert_int_equal(sw_nodedata_write(&m.io, 0, DATA, from, true, NULL), 0);
	assert_int_equal(plan_for(w, w->raw, from, true, NULL, &before), 0);
	settled = after(w->raw, &before.plan, before.plan.n_writes);
	assert_int_equal(plan_for(w, settled, to, true, &before.state, &res), 0);
	assert_int_equal(res.plan.n_writes, want_writes);
	assert_int_equal(sw_io_new_recorder(DATA, 512, w->disk, &log, SIZE_MAX, 0, &io), 0);
	assert_int_equal(sw_nodedata_write(io, 0, DATA, to, false, NULL), 0);
	assert_int_equal(log.ops[log.n - 1].kind, SW_IO_FLUSH);

	j.raw = settled;
	j.state = &before.state;
	crash_enumerate(w->disk, DATA, 512, &log, 1, RANDOM, judge, &j, &stats);
	for (size_t n = 0; n <= res.plan.n_writes; n++) {
		_cleanup_json_ json_object *o = after(settled, &res.plan, n);

		j.raw = o;
		j.state = &before.state;
		judge(&m.io, 0, &j);
		j.state = &res.state;	/* the last write is our own variable */
		if (n == res.plan.n_writes)
			judge(&m.io, 0, &j);
	}
	print_message("# %u states, %u epochs: %u with the old wish, %u with the new, %u broken\n",
		      j.states, stats.epochs, j.old, j.new, j.broken);
	assert_int_equal(j.broken, 0);
	assert_true(j.old > 0 && j.new > 0 && j.states >= RANDOM * 2);
}

static void cut_between(void **state, const char *a, bool a_held, const char *b, bool b_held,
			size_t writes)
{
	_cleanup_json_ json_object *from = document(a, a_held), *to = document(b, b_held);

	cut(*state, from, to, writes);
}

static void test_no_cut_of_a_switch_to_the_network_loses_the_node(void **state)
{
	cut_between(state, "local", false, "network", false, 1);
}

static void test_no_cut_of_a_switch_to_local_loses_the_node(void **state)
{
	cut_between(state, "network", false, "local", false, 1);
}

static void test_no_cut_of_a_switch_to_hands_off_loses_the_node(void **state)
{
	cut_between(state, "network", false, "hands-off", false, 0);
}

static void test_no_cut_of_a_rollback_loses_the_node(void **state)
{
	cut_between(state, "local", false, "local", true, 1);
	teardown(state);
	setup(state);
	cut_between(state, "network", false, "network", true, 1);
}

/* The checker must be able to fail. */
static void test_the_judge_sees_lost_node_data_and_a_lost_order(void **state)
{
	struct world *w = *state;
	struct judge j = { .w = w, .raw = w->raw };
	_cleanup_json_ json_object *doc = document("local", false);
	struct mem_io m;

	mem_io_init(&m, w->disk, DATA, 512);
	judge(&m.io, 0, &j);
	assert_int_equal(j.broken, 1);
	assert_int_equal(sw_nodedata_write(&m.io, 0, DATA, doc, true, NULL), 0);
	judge(&m.io, 0, &j);
	assert_int_equal(j.broken, 1);
	put(w->raw, "BootOrder", "\1\0", 2);
	judge(&m.io, 0, &j);
	assert_int_equal(j.broken, 2);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	T(test_no_cut_of_a_switch_to_the_network_loses_the_node),
	T(test_no_cut_of_a_switch_to_local_loses_the_node),
	T(test_no_cut_of_a_switch_to_hands_off_loses_the_node),
	T(test_no_cut_of_a_rollback_loses_the_node),
	T(test_the_judge_sees_lost_node_data_and_a_lost_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
