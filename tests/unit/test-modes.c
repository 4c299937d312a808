/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/hex.h"
#include "base/json.h"
#include "boot/loadopt.h"
#include "boot/modes.h"

#define PATH "\\EFI\\BOOT\\BOOTX64.EFI"
#define ZERO26 "0000000000000000000000000000000000000000000000000000"
#define NET "02010c00d041030a00000000" "010106000001" "030b2500525400123456" ZERO26 "01" \
	"030c1b00" "0000000000000000000000000000000000000000000000" "7fff0400"
#define SHELL "0406140083a5047c3e9e1c4fad65e05268d0b4d17fff0400"
#define EDK2_MARK "4eac0881119f594d850ee21a522c59b2"
#define AMI_MARK "0000424f"

static const struct sw_mode_evidence other_boot = { .current = -1 };
static const struct sw_mode_evidence this_boot = { .same_boot = true, .current = -1 };

static void put(json_object *raw, unsigned int number, const void *data, size_t len)
{
	_cleanup_free_ char *hex = sw_hex_encode(data, len);
	char name[16];

	(void)snprintf(name, sizeof(name), "Boot%04X", number);
	sw_json_add_str(raw, name, hex);
}

static void put_option(json_object *raw, unsigned int number, const char *label, const char *path,
		       const char *optional)
{
	_cleanup_free_ uint8_t *p = NULL, *o = NULL;
	_cleanup_buf_ struct sw_buf b = {};
	size_t pn, on;

	assert_int_equal(sw_hex_decode(path, &p, &pn), 0);
	assert_int_equal(sw_hex_decode(optional, &o, &on), 0);
	assert_int_equal(sw_loadopt_build(1, label, p, pn, o, on, &b), 0);
	put(raw, number, b.data, b.len);
}

static struct sw_mode_slot slot(char letter, bool good, uint64_t sequence)
{
	struct sw_mode_slot s = { .letter = letter, .good = good, .sequence = sequence };

	s.entry = (struct sw_entry_wanted){ .label = letter == 'a' ? "Slipway A" : "Slipway B",
		.part_number = letter == 'a' ? 1 : 2,
		.part_start = letter == 'a' ? 0x800 : 0x100800, .part_size = 0x100000,
		.path = PATH };
	memset(s.entry.part_uuid.b, letter, 16);
	return s;
}

static void put_slot(json_object *raw, unsigned int number, char letter, const char *path)
{
	struct sw_mode_slot s = slot(letter, true, 1);
	struct sw_devpath_hd hd = { .number = s.entry.part_number, .start = s.entry.part_start,
				    .size = s.entry.part_size, .guid = s.entry.part_uuid };
	_cleanup_buf_ struct sw_buf b = {};

	assert_int_equal(sw_loadopt_build_file(s.entry.label, &hd, path, &b), 0);
	put(raw, number, b.data, b.len);
}

/* A node as installed: A and B, a firmware's network entry and its shell. */
static json_object *installed(const char *order)
{
	json_object *raw = json_object_new_object();

	put_option(raw, 0, "EFI Internal Shell", SHELL, "");
	put_option(raw, 1, "UEFI PXEv4 (MAC:525400123456)", NET, EDK2_MARK);
	put_slot(raw, 2, 'a', PATH);
	put_slot(raw, 3, 'b', PATH);
	sw_json_add_str(raw, "BootOrder", order);
	return raw;
}

static int reconcile(json_object *raw, const struct sw_mode_slot *slots, size_t n,
		     const struct sw_mode_wish *w, const struct sw_mode_state *old,
		     const struct sw_mode_evidence *ev, struct sw_mode_result *res)
{
	return sw_mode_reconcile(raw, slots, n, w, old, ev, res, NULL);
}

/* What the store would hold after the first n writes. */
static void apply(json_object *raw, const struct sw_entry_plan *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		_cleanup_free_ char *hex = sw_hex_encode(p->writes[i].data, p->writes[i].len);

		if (p->writes[i].len)
			sw_json_add_str(raw, p->writes[i].name, hex);
		else
			json_object_object_del(raw, p->writes[i].name);
	}
}

static void expect(json_object *raw, const char *name, const char *hex)
{
	const char *got = sw_json_str(raw, name, NULL);

	if (hex)
		assert_string_equal(got ? got : "(absent)", hex);
	else
		assert_null(got);
}

/* Reconciles, applies, and proves that a second run in the same boot writes nothing. */
static void settle(json_object *raw, const struct sw_mode_slot *slots, size_t n,
		   struct sw_mode_wish w, const struct sw_mode_state *old,
		   const struct sw_mode_evidence *ev, struct sw_mode_result *res)
{
	struct sw_mode_result again = { .network = -1 };

	assert_int_equal(reconcile(raw, slots, n, &w, old, ev, res), 0);
	apply(raw, &res->plan, res->plan.n_writes);
	w.explicit = false;
	w.mode = res->mode;
	w.once = SW_ONCE_NONE;
	assert_int_equal(reconcile(raw, slots, n, &w, &res->state, &this_boot, &again), 0);
	assert_int_equal(again.plan.n_writes, 0);
	assert_false(again.state_changed);
	sw_mode_result_clear(&again);
}

static void test_armed_puts_the_newest_slot_first_and_the_network_into_bootnext(void **state
										SW_UNUSED)
{
	_cleanup_json_ json_object *raw = installed("0100" "0000" "0220" "0200");
	struct sw_mode_slot s[] = { slot('a', true, 1), slot('b', true, 2) };
	struct sw_mode_wish w = { .mode = SW_NODE_NETWORK, .explicit = true };
	struct sw_mode_result r = {};

	settle(raw, s, 2, w, NULL, &other_boot, &r);
	expect(raw, "BootOrder", "03000200010000000220");
	expect(raw, "BootNext", "0100");
	assert_true(r.state.armed);
	sw_mode_result_clear(&r);
}

static void test_order_puts_the_network_first_and_no_bootnext(void **state SW_UNUSED)
{
	_cleanup_json_ json_object *raw = installed("0200" "0300" "0100" "0000");
	struct sw_mode_slot s[] = { slot('a', true, 2), slot('b', true, 1) };
	struct sw_mode_wish w = { .mode = SW_NODE_NETWORK, .strategy = SW_STRATEGY_ORDER,
				  .explicit = true };
	struct sw_mode_result r = {};

	settle(raw, s, 2, w, NULL, &other_boot, &r);
	expect(raw, "BootOrder", "0100020003000000");
	expect(raw, "BootNext", NULL);
	sw_mode_result_clear(&r);
}

static void test_a_switch_between_local_and_armed_is_one_write_of_bootnext(void **state SW_UNUSED)
{
	_cleanup_json_ json_object *raw = installed("0200" "0300" "0100" "0000");
	struct sw_mode_slot s[] = { slot('a', true, 2), slot('b', true, 1) };
	struct sw_mode_wish w = { .mode = SW_NODE_NETWORK, .explicit = true };
	struct sw_mode_result on = {}, off = {};

	settle(raw, s, 2, w, NULL, &other_boot, &on);
	assert_int_equal(on.plan.n_writes, 1);
	assert_string_equal(on.plan.writes[0].name, "BootNext");
	w.mode = SW_NODE_LOCAL;
	settle(raw, s, 2, w, &on.state, &this_boot, &off);
	assert_int_equal(off.plan.n_writes, 1);
	expect(raw, "BootNext", NULL);
	sw_mode_result_clear(&on);
	sw_mode_result_clear(&off);
}

static void test_a_bad_slot_goes_behind_the_good_one_and_a_held_one_behind_both(void **state
										SW_UNUSED)
{
	struct sw_mode_wish w = { .mode = SW_NODE_LOCAL, .explicit = true };
	_cleanup_json_ json_object *bad = installed("0200" "0300" "0100" "0000");
	_cleanup_json_ json_object *held = installed("0200" "0300" "0100" "0000");
	struct sw_mode_slot s[] = { slot('a', false, 9), slot('b', true, 1) };
	struct sw_mode_result r = {};

	settle(bad, s, 2, w, NULL, &other_boot, &r);
	expect(bad, "BootOrder", "0300020001000000");
	sw_mode_result_clear(&r);
	s[0].good = s[0].held = true;
	settle(held, s, 2, w, NULL, &other_boot, &r);
	expect(held, "BootOrder", "0300020001000000");
	sw_mode_result_clear(&r);
}

static void test_without_a_good_slot_local_is_refused_and_nothing_is_written(void **state SW_UNUSED)
{
	_cleanup_json_ json_object *raw = installed("0200" "0300" "0100" "0000");
	struct sw_mode_slot s[] = { slot('a', false, 1), slot('b', false, 0) };
	struct sw_mode_wish w = { .mode = SW_NODE_LOCAL };
	struct sw_mode_result r = {};

	assert_int_equal(reconcile(raw, s, 2, &w, NULL, &other_boot, &r), -ENOENT);
	w.once = SW_ONCE_SLOT;
	w.once_letter = 'a';
	assert_int_equal(reconcile(raw, s, 2, &w, NULL, &other_boot, &r), -ENOENT);
}

static void test_once_sets_bootnext_alone_and_survives_keep_in_this_boot(void **state SW_UNUSED)
{
	_cleanup_json_ json_object *raw = installed("0200" "0300" "0100" "0000");
	struct sw_mode_slot s[] = { slot('a', true, 2), slot('b', true, 1) };
	struct sw_mode_wish w = { .mode = SW_NODE_NETWORK, .explicit = true };
	struct sw_mode_result r = {}, once = {}, after = {};

	settle(raw, s, 2, w, NULL, &other_boot, &r);
	w.once = SW_ONCE_SLOT;
	w.once_letter = 'b';
	settle(raw, s, 2, w, &r.state, &this_boot, &once);
	expect(raw, "BootNext", "0300");
	expect(raw, "BootOrder", "0200030001000000");
	/* The next boot used it up: keep arms the network again, and nothing counts as lost. */
	json_object_object_del(raw, "BootNext");
	w.once = SW_ONCE_NONE;
	w.explicit = false;
	settle(raw, s, 2, w, &once.state, &other_boot, &after);
	expect(raw, "BootNext", "0100");
	assert_int_equal(after.state.next_misses, 0);
	sw_mode_result_clear(&r);
	sw_mode_result_clear(&once);
	sw_mode_result_clear(&after);
}

static void test_keep_unarmed_leaves_only_the_network_for_later(void **state SW_UNUSED)
{
	_cleanup_json_ json_object *raw = installed("0200" "0300" "0100" "0000");
	struct sw_mode_slot s[] = { slot('a', true, 1), slot('b', true, 2) };
	struct sw_mode_wish w = { .mode = SW_NODE_NETWORK, .explicit = true };
	struct sw_mode_result r = {}, failed = {}, later = {};

	settle(raw, s, 2, w, NULL, &other_boot, &r);
	/* The network failed; the firmware put its order back, too. */
	json_object_object_del(raw, "BootNext");
	sw_json_add_str(raw, "BootOrder", "0000010002000300");
	w.explicit = false;
	w.unarmed = true;
	settle(raw, s, 2, w, &r.state, &other_boot, &failed);
	expect(raw, "BootNext", NULL);
	expect(raw, "BootOrder", "0300020001000000");
	assert_false(failed.state.armed);
	/* Not a BootNext that was lost, neither in this start nor in the next. */
	w.unarmed = false;
	settle(raw, s, 2, w, &failed.state, &this_boot, &later);
	expect(raw, "BootNext", "0100");
	assert_int_equal(later.state.next_misses, 0);
	/* What is armed is taken back. */
	w.unarmed = true;
	sw_mode_result_clear(&failed);
	settle(raw, s, 2, w, &later.state, &this_boot, &failed);
	expect(raw, "BootNext", NULL);
	sw_mode_result_clear(&r);
	sw_mode_result_clear(&failed);
	sw_mode_result_clear(&later);
}

static void test_hands_off_never_writes_order_or_next(void **state SW_UNUSED)
{
	_cleanup_json_ json_object *raw = installed("0100" "0000");
	struct sw_mode_slot s[] = { slot('a', true, 2), slot('b', true, 1) };
	struct sw_mode_wish w = { .mode = SW_NODE_HANDS_OFF, .explicit = true };
	struct sw_mode_result r = {};

	json_object_object_del(raw, "Boot0003");
	settle(raw, s, 2, w, NULL, &other_boot, &r);
	assert_int_equal(r.plan.n_writes, 1);
	assert_int_equal(r.plan.writes[0].kind, SW_ENTRY_SET);
	expect(raw, "BootOrder", "01000000");
	sw_mode_result_clear(&r);
	w.once = SW_ONCE_LOCAL;
	assert_int_equal(reconcile(raw, s, 2, &w, NULL, &other_boot, &r), -EPERM);
}

static void test_two_bootnexts_that_the_firmware_ignored_lead_to_local_with_words(void **state
										  SW_UNUSED)
{
	_cleanup_json_ json_object *raw = installed("0200" "0300" "0100" "0000");
	struct sw_mode_slot s[] = { slot('a', true, 2), slot('b', true, 1) };
	struct sw_mode_wish w = { .mode = SW_NODE_NETWORK, .explicit = true };
	struct sw_mode_result r[3] = {};

	settle(raw, s, 2, w, NULL, &other_boot, &r[0]);
	w.explicit = false;
	settle(raw, s, 2, w, &r[0].state, &other_boot, &r[1]);	/* still set after a restart */
	assert_int_equal(r[1].mode, SW_NODE_NETWORK);
	assert_int_equal(r[1].state.next_misses, 1);
	settle(raw, s, 2, w, &r[1].state, &other_boot, &r[2]);
	assert_int_equal(r[2].mode, SW_NODE_LOCAL);
	assert_true(strstr(r[2].notes[1], "the mode is local now"));
	assert_int_equal(r[2].state.strategy, SW_STRATEGY_ARMED);	/* never order by itself */
	expect(raw, "BootNext", NULL);
	for (size_t i = 0; i < 3; i++)
		sw_mode_result_clear(&r[i]);
}

static void test_a_network_that_failed_is_tried_for_ever_and_success_clears_the_count(void **state
											 SW_UNUSED)
{
	_cleanup_json_ json_object *raw = installed("0200" "0300" "0100" "0000");
	struct sw_mode_slot s[] = { slot('a', true, 2), slot('b', true, 1) };
	struct sw_mode_wish w = { .mode = SW_NODE_NETWORK };
	const struct sw_mode_evidence in_slot = { .current = 2 }, in_net = { .current = 1 };
	struct sw_mode_state st = { .mode = SW_NODE_NETWORK, .armed = true, .next = 1,
				    .next_misses = 1 };

	for (int boot = 0; boot < 5; boot++) {
		struct sw_mode_result r = {};

		json_object_object_del(raw, "BootNext");	/* the firmware used it up */
		settle(raw, s, 2, w, &st, &in_slot, &r);
		assert_int_equal(r.mode, SW_NODE_NETWORK);
		assert_int_equal(r.state.next_misses, 1);
		st = r.state;
		sw_mode_result_clear(&r);
	}
	struct sw_mode_result r = {};

	json_object_object_del(raw, "BootNext");
	settle(raw, s, 2, w, &st, &in_net, &r);
	assert_int_equal(r.state.next_misses, 0);
	sw_mode_result_clear(&r);
}

static void test_an_armed_boot_that_went_well_costs_one_variable(void **state SW_UNUSED)
{
	_cleanup_json_ json_object *raw = installed("0200" "0300" "0100" "0000");
	struct sw_mode_slot s[] = { slot('a', true, 2), slot('b', true, 1) };
	struct sw_mode_wish w = { .mode = SW_NODE_NETWORK, .explicit = true };
	const struct sw_mode_evidence in_net = { .current = 1 };
	struct sw_mode_result r = {}, next = {};

	settle(raw, s, 2, w, NULL, &other_boot, &r);
	json_object_object_del(raw, "BootNext");
	w.explicit = false;
	settle(raw, s, 2, w, &r.state, &in_net, &next);
	assert_int_equal(next.plan.n_writes, 1);
	assert_false(next.state_changed);
	sw_mode_result_clear(&r);
	sw_mode_result_clear(&next);
}

static void test_an_order_that_the_firmware_restores_is_written_twice_and_then_left(void **state
										    SW_UNUSED)
{
	struct sw_mode_slot s[] = { slot('a', true, 2), slot('b', true, 1) };
	struct sw_mode_wish w = { .mode = SW_NODE_LOCAL, .explicit = true };
	static const size_t writes[] = { 1, 1, 0, 0 };
	struct sw_mode_state st = {};

	for (size_t boot = 0; boot < ARRAY_SIZE(writes); boot++) {
		_cleanup_json_ json_object *raw = installed("0100" "0000" "0200" "0300");
		struct sw_mode_result r = {};

		assert_int_equal(reconcile(raw, s, 2, &w, boot ? &st : NULL, &other_boot, &r), 0);
		assert_int_equal(r.plan.n_writes, writes[boot]);
		if (boot >= 2)
			assert_true(strstr(r.notes[0], "owns the boot order"));
		st = r.state;
		w.explicit = false;
		sw_mode_result_clear(&r);
	}
}

static void test_where_the_firmware_owns_the_order_the_network_is_armed_without_it(void **state
										   SW_UNUSED)
{
	_cleanup_json_ json_object *raw = installed("0000" "0200" "0300");
	struct sw_mode_slot s[] = { slot('a', true, 2), slot('b', true, 1) };
	struct sw_mode_wish w = { .mode = SW_NODE_NETWORK };
	struct sw_mode_state st = { .mode = SW_NODE_NETWORK, .armed = true, .next = 1,
				    .order_misses = 2, .order = { 2, 3, 1 }, .n_order = 3 };
	struct sw_mode_result r = {};

	settle(raw, s, 2, w, &st, &other_boot, &r);
	assert_int_equal(r.plan.n_writes, 1);
	assert_int_equal(r.plan.writes[0].kind, SW_ENTRY_NEXT);
	sw_mode_result_clear(&r);
}

static void test_a_bootnext_of_somebody_else_is_not_overwritten_by_keep(void **state SW_UNUSED)
{
	_cleanup_json_ json_object *raw = installed("0200" "0300" "0100" "0000");
	struct sw_mode_slot s[] = { slot('a', true, 2), slot('b', true, 1) };
	struct sw_mode_wish w = { .mode = SW_NODE_NETWORK };
	struct sw_mode_result r = {};

	sw_json_add_str(raw, "BootNext", "0000");	/* a firmware update, say */
	settle(raw, s, 2, w, NULL, &other_boot, &r);
	expect(raw, "BootNext", "0000");
	sw_mode_result_clear(&r);
}

static void test_the_state_survives_its_bytes_and_refuses_others(void **state SW_UNUSED)
{
	struct sw_mode_state s = { .mode = SW_NODE_NETWORK, .strategy = SW_STRATEGY_ORDER,
		.armed = true, .next_misses = 1, .order_misses = 2, .next = 0x1234,
		.order = { 1, 0xffff, 3 }, .n_order = 3 }, got;
	uint8_t d[SW_MODE_STATE_LEN], e[SW_MODE_STATE_LEN];

	_Static_assert(SW_MODE_STATE_LEN <= 64, "flash is small");
	sw_mode_state_encode(&s, d);
	assert_int_equal(sw_mode_state_decode(d, sizeof(d), &got), 0);
	sw_mode_state_encode(&got, e);
	assert_memory_equal(d, e, sizeof(d));
	for (size_t n = 0; n < sizeof(d); n++)
		assert_int_equal(sw_mode_state_decode(d, n, &got), -EINVAL);
	for (size_t i = 0; i < 10; i++) {
		if (i == 6)	/* flags: any bits */
			continue;
		memcpy(e, d, sizeof(e));
		e[i] = 0xee;
		assert_int_equal(sw_mode_state_decode(e, sizeof(e), &got), -EINVAL);
	}
}

/* ---- the property: random stores, with the quirks of the field ---- */

static uint64_t seed;

static unsigned int rnd(unsigned int n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (unsigned int)(seed >> 33) % n;
}

static void put_random_entry(json_object *raw, unsigned int number)
{
	static const char *const paths[] = { PATH, "\\efi\\boot\\bootx64.efi", "\\EFI\\X\\Y.EFI" };
	uint8_t junk[12];

	switch (rnd(9)) {
	case 0:
	case 1:
		put_slot(raw, number, 'a' + (char)rnd(2), paths[rnd(2)]);
		break;
	case 2:
		put_slot(raw, number, 'a', paths[2]);	/* our partition, another file */
		break;
	case 3:
		put_slot(raw, number, 'z', paths[0]);	/* another disk's */
		break;
	case 4:
		put_option(raw, number, "PXE", NET, EDK2_MARK);
		break;
	case 5:
		put_option(raw, number, "Slipway A", SHELL, AMI_MARK);	/* our name, not ours */
		break;
	case 6:
		put_option(raw, number, "UEFI: net", NET, AMI_MARK);
		break;
	case 7:
		for (size_t i = 0; i < sizeof(junk); i++)
			junk[i] = (uint8_t)rnd(256);
		put(raw, number, junk, sizeof(junk));
		break;
	default:
		put_option(raw, number, "RC", SHELL, "");
	}
}

/* Repeats, phantoms (2001, 2002 of Insyde), missing numbers, an odd byte at the end. */
static json_object *random_store(void)
{
	json_object *raw = json_object_new_object();
	unsigned int n = rnd(9);
	char order[128] = "", next[8];
	size_t at = 0;

	for (unsigned int i = 0; i < n; i++)
		put_random_entry(raw, rnd(12));
	for (unsigned int i = rnd(14); i > 0; i--)
		at += (size_t)snprintf(order + at, sizeof(order) - at, "%02x%02x",
				       rnd(12), rnd(8) ? 0 : 0x20);
	if (rnd(20) == 0)
		(void)snprintf(order + at, sizeof(order) - at, "7f");
	if (rnd(10))
		sw_json_add_str(raw, "BootOrder", order);
	(void)snprintf(next, sizeof(next), "%02x00", rnd(14));
	if (rnd(3) == 0)
		sw_json_add_str(raw, "BootNext", next);
	return raw;
}

static bool is_of_slot(const struct sw_varset_entry *e)
{
	_cleanup_loadopt_ struct sw_loadopt o = {};
	_cleanup_free_ char *path = NULL;
	struct sw_devpath_hd hd;

	return sw_loadopt_parse(e->data, e->len, &o) == 0 &&
	       sw_devpath_find_file(o.path, o.path_len, &hd, &path) == 0 &&
	       (hd.guid.b[0] == 'a' || hd.guid.b[0] == 'b') && strcasecmp(path, PATH) == 0;
}

static bool is_network(const struct sw_varset_entry *e)
{
	_cleanup_loadopt_ struct sw_loadopt o = {};

	return sw_loadopt_parse(e->data, e->len, &o) == 0 &&
	       sw_bootpath_is_network(o.path, o.path_len);
}

/* Entries that are not ours have the same bytes; numbers that are not ours the same order. */
static void check_foreign(const struct sw_varset *was, const struct sw_varset *now)
{
	int last = -1;

	for (size_t i = 0; i < was->n_entries; i++) {
		const struct sw_varset_entry *e = &was->entries[i];
		const struct sw_varset_entry *n = sw_varset_find(now, e->number);

		if (is_of_slot(e))
			continue;
		assert_non_null(n);
		assert_int_equal(n->len, e->len);
		assert_memory_equal(n->data, e->data, e->len);
	}
	for (size_t i = 0; i < was->n_order; i++) {
		const struct sw_varset_entry *e = sw_varset_find(was, was->order[i]);
		int place = sw_varset_place(now, was->order[i]);

		if ((e && (is_of_slot(e) || is_network(e))) ||
		    sw_varset_place(was, was->order[i]) != (int)i)
			continue;
		assert_true(place > last);
		last = place;
	}
}

static void check_order(const struct sw_varset *now, const struct sw_mode_slot *s,
			const struct sw_mode_wish *w, const struct sw_mode_result *r)
{
	size_t at = w->strategy == SW_STRATEGY_ORDER && w->mode == SW_NODE_NETWORK;
	uint64_t last = UINT64_MAX;

	for (size_t i = 0; i < now->n_order; i++)
		assert_int_equal(sw_varset_place(now, now->order[i]), (int)i);	/* no repeats */
	if (now->next >= 0 && now->next == r->network)
		assert_true(sw_varset_place(now, (uint16_t)now->next) >= 0);
	for (size_t n = 0; n < (size_t)s[0].good + s[1].good; n++, at++) {
		const struct sw_varset_entry *e = sw_varset_find(now, now->order[at]);
		_cleanup_loadopt_ struct sw_loadopt o = {};
		_cleanup_free_ char *path = NULL;
		struct sw_devpath_hd hd;
		const struct sw_mode_slot *x;

		assert_true(e && is_of_slot(e));
		assert_int_equal(sw_loadopt_parse(e->data, e->len, &o), 0);
		assert_int_equal(sw_devpath_find_file(o.path, o.path_len, &hd, &path), 0);
		x = &s[hd.guid.b[0] - 'a'];
		assert_true(x->good && x->sequence <= last);
		last = x->sequence;
	}
}

/* True when BootOrder leads to an entry of a slot that is good. */
static bool reaches_a_slot(json_object *raw, const struct sw_mode_slot *s)
{
	_cleanup_varset_ struct sw_varset v = { .next = -1 };

	assert_int_equal(sw_varset_load(raw, &v), 0);
	for (size_t i = 0; i < v.n_order; i++) {
		const struct sw_varset_entry *e = sw_varset_find(&v, v.order[i]);
		_cleanup_loadopt_ struct sw_loadopt o = {};
		_cleanup_free_ char *path = NULL;
		struct sw_devpath_hd hd;

		if (!e || !is_of_slot(e))
			continue;
		assert_int_equal(sw_loadopt_parse(e->data, e->len, &o), 0);
		assert_int_equal(sw_devpath_find_file(o.path, o.path_len, &hd, &path), 0);
		if (s[hd.guid.b[0] - 'a'].good)
			return true;
	}
	return false;
}

/* A cut after any write leaves a node that starts, if it did before. */
static void check_cuts(json_object *before, const struct sw_mode_slot *s,
		       const struct sw_mode_result *r)
{
	bool reached = reaches_a_slot(before, s);

	for (size_t n = 0; n <= r->plan.n_writes; n++) {
		_cleanup_json_ json_object *raw = NULL;

		assert_int_equal(json_object_deep_copy(before, &raw, NULL), 0);
		apply(raw, &r->plan, n);
		assert_true(!reached || reaches_a_slot(raw, s));
		reached = reached || reaches_a_slot(raw, s);
	}
	/* Boot0000 is the firmware's own in the field; a new entry never takes it. */
	for (size_t n = 0; n < r->plan.n_writes; n++)
		if (r->plan.writes[n].kind == SW_ENTRY_SET && !r->plan.writes[n].old_len)
			assert_string_not_equal(r->plan.writes[n].name, "Boot0000");
}

static void one_random_store(void)
{
	_cleanup_json_ json_object *raw = random_store(), *before = NULL;
	struct sw_mode_slot s[] = { slot('a', rnd(4), 1 + rnd(5)), slot('b', rnd(3), 6 + rnd(5)) };
	struct sw_mode_wish w = { .mode = rnd(2) ? SW_NODE_NETWORK : SW_NODE_LOCAL,
		.strategy = rnd(3) ? SW_STRATEGY_ARMED : SW_STRATEGY_ORDER, .explicit = true,
		.net.uri = rnd(2) ? "http://boot.example/a.efi" : NULL };
	_cleanup_varset_ struct sw_varset was = { .next = -1 }, now = { .next = -1 };
	struct sw_mode_result r = {};
	int e;

	assert_int_equal(json_object_deep_copy(raw, &before, NULL), 0);
	assert_int_equal(sw_varset_load(before, &was), 0);
	e = reconcile(raw, s, 2, &w, NULL, &other_boot, &r);
	if (e < 0) {	/* only for want of a slot or a network entry */
		assert_int_equal(e, -ENOENT);
		assert_true(w.mode == SW_NODE_LOCAL ? !s[0].good && !s[1].good : !w.net.uri);
		return;
	}
	sw_mode_result_clear(&r);
	settle(raw, s, 2, w, NULL, &other_boot, &r);
	assert_int_equal(sw_varset_load(raw, &now), 0);
	check_foreign(&was, &now);
	check_order(&now, s, &w, &r);
	check_cuts(before, s, &r);
	if (w.mode == SW_NODE_NETWORK && w.strategy == SW_STRATEGY_ARMED)
		assert_int_equal(now.next, r.network);
	assert_int_equal(r.mode, w.mode);
	sw_mode_result_clear(&r);
}

static void test_random_stores_keep_every_rule(void **state SW_UNUSED)
{
	seed = (uint64_t)time(NULL) * 6364136223846793005ull | 1;
	print_message("20000 stores from seed %llu\n", (unsigned long long)seed);
	for (unsigned int i = 0; i < 20000; i++)
		one_random_store();
}

/* ---- a store that fails ---- */

static void plant_all(struct sw_varstore *s, json_object *raw)
{
	json_object_object_foreach(raw, key, value) {
		_cleanup_free_ uint8_t *d = NULL;
		size_t n;

		assert_int_equal(sw_hex_decode(json_object_get_string(value), &d, &n), 0);
		assert_int_equal(sw_varstore_plant(s, &sw_guid_global, key, d, n, SW_VAR_NV_BS_RT),
				 0);
	}
}

/* From an order that has to change, a missing entry and a double one: every kind of write. */
static json_object *untidy(void)
{
	json_object *raw = installed("0100" "0000" "0200");

	json_object_object_del(raw, "Boot0003");
	put_slot(raw, 7, 'a', PATH);
	return raw;
}

static void one_fault(struct sw_varstore *vars, enum sw_var_fault fault, const char *name)
{
	struct sw_mode_slot s[] = { slot('a', true, 1), slot('b', true, 2) };
	struct sw_mode_wish w = { .mode = SW_NODE_NETWORK, .explicit = true };
	_cleanup_json_ json_object *after = NULL, *healed = NULL;
	struct sw_mode_result r = {}, again = {}, last = {};
	_cleanup_json_ json_object *raw = untidy();
	struct sw_error err = {};
	size_t done = 0;
	int e;

	plant_all(vars, raw);
	assert_int_equal(reconcile(raw, s, 2, &w, NULL, &other_boot, &r), 0);
	assert_int_equal(sw_varstore_inject(vars, fault, name), 0);
	e = sw_entry_plan_apply(vars, &r.plan, &done, &err);
	assert_int_equal(sw_varstore_inject(vars, SW_FAULT_NONE, ""), 0);
	if (e == 0)	/* repeated, or a delete, which needs no space */
		assert_true(fault == SW_FAULT_EINVAL_TWICE ||
			    (fault == SW_FAULT_ENOSPC && strcmp(name, "Boot0007") == 0));
	assert_int_equal(done == r.plan.n_writes, e == 0);
	assert_true(e == 0 || (done ? err.exit == SW_EXIT_DIRTY : err.exit != SW_EXIT_DIRTY));
	assert_int_equal(sw_entries_snapshot(vars, &after, NULL), 0);
	assert_true(reaches_a_slot(after, s));
	/* When the firmware takes writes again, one run puts all of it right. */
	assert_int_equal(reconcile(after, s, 2, &w, NULL, &other_boot, &again), 0);
	assert_int_equal(sw_entry_plan_apply(vars, &again.plan, NULL, NULL), 0);
	assert_int_equal(sw_entries_snapshot(vars, &healed, NULL), 0);
	assert_int_equal(reconcile(healed, s, 2, &w, &again.state, &this_boot, &last), 0);
	assert_int_equal(last.plan.n_writes, 0);
	sw_mode_result_clear(&r);
	sw_mode_result_clear(&again);
	sw_mode_result_clear(&last);
}

static void test_a_store_that_fails_leaves_a_node_that_starts_and_is_put_right_later(void **state
										     SW_UNUSED)
{
	static const char *const names[] = { "Boot", "BootOrder", "BootNext", "Boot0003",
					     "Boot0007" };
	static const enum sw_var_fault faults[] = { SW_FAULT_ENOSPC, SW_FAULT_EINVAL_TWICE,
						    SW_FAULT_EIO, SW_FAULT_IGNORE,
						    SW_FAULT_READ_ONLY };

	for (size_t i = 0; i < ARRAY_SIZE(faults) * ARRAY_SIZE(names); i++) {
		_cleanup_free_ char *dir = NULL;
		struct sw_varstore *vars = NULL;

		assert_int_equal(sw_scratch_new("sw-modes", &dir), 0);
		assert_int_equal(sw_varstore_open_files(dir, 0, &vars, NULL), 0);
		one_fault(vars, faults[i / ARRAY_SIZE(names)], names[i % ARRAY_SIZE(names)]);
		sw_varstore_close(vars);
		(void)sw_remove_tree(dir);
	}
}

static void test_an_order_changed_behind_our_back_stops_the_writes(void **state SW_UNUSED)
{
	struct sw_mode_slot s[] = { slot('a', true, 1), slot('b', true, 2) };
	struct sw_mode_wish w = { .mode = SW_NODE_NETWORK, .explicit = true };
	_cleanup_json_ json_object *raw = untidy();
	_cleanup_varstore_ struct sw_varstore *vars = NULL;
	_cleanup_free_ char *dir = NULL;
	struct sw_mode_result r = {};
	struct sw_error err = {};
	static const uint8_t order[] = { 0, 0 };

	assert_int_equal(sw_scratch_new("sw-modes", &dir), 0);
	assert_int_equal(sw_varstore_open_files(dir, 0, &vars, NULL), 0);
	plant_all(vars, raw);
	assert_int_equal(reconcile(raw, s, 2, &w, NULL, &other_boot, &r), 0);
	plant_all(vars, raw);
	assert_int_equal(sw_varstore_plant(vars, &sw_guid_global, "BootOrder", order, 2,
					   SW_VAR_NV_BS_RT), 0);
	assert_int_equal(sw_entry_plan_apply(vars, &r.plan, NULL, &err), -ESTALE);
	sw_mode_result_clear(&r);
	(void)sw_remove_tree(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_armed_puts_the_newest_slot_first_and_the_network_into_bootnext),
		cmocka_unit_test(test_order_puts_the_network_first_and_no_bootnext),
		cmocka_unit_test(test_a_switch_between_local_and_armed_is_one_write_of_bootnext),
		cmocka_unit_test(
			test_a_bad_slot_goes_behind_the_good_one_and_a_held_one_behind_both),
		cmocka_unit_test(test_without_a_good_slot_local_is_refused_and_nothing_is_written),
		cmocka_unit_test(test_once_sets_bootnext_alone_and_survives_keep_in_this_boot),
		cmocka_unit_test(test_keep_unarmed_leaves_only_the_network_for_later),
		cmocka_unit_test(test_hands_off_never_writes_order_or_next),
		cmocka_unit_test(
			test_two_bootnexts_that_the_firmware_ignored_lead_to_local_with_words),
		cmocka_unit_test(
			test_a_network_that_failed_is_tried_for_ever_and_success_clears_the_count),
		cmocka_unit_test(test_an_armed_boot_that_went_well_costs_one_variable),
		cmocka_unit_test(
			test_an_order_that_the_firmware_restores_is_written_twice_and_then_left),
		cmocka_unit_test(
			test_where_the_firmware_owns_the_order_the_network_is_armed_without_it),
		cmocka_unit_test(test_a_bootnext_of_somebody_else_is_not_overwritten_by_keep),
		cmocka_unit_test(test_the_state_survives_its_bytes_and_refuses_others),
		cmocka_unit_test(test_random_stores_keep_every_rule),
		cmocka_unit_test(
			test_a_store_that_fails_leaves_a_node_that_starts_and_is_put_right_later),
		cmocka_unit_test(test_an_order_changed_behind_our_back_stops_the_writes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
