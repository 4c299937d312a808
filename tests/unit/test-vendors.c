/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Variable sets modelled on what firmware is known to leave behind: AMI's marker,
 * Insyde's numbers without entries, Lenovo's vendor messages, a NUC's repeats, an
 * ASUS that writes paths in capitals, names in lower case. Whatever it is, a
 * switch touches only what is ours and a second one writes nothing.
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

#define Z8 "0000000000000000"
#define NIC "02010c00d041030a00000000" "010106000001" "030b2500525400123456" Z8 Z8 Z8 "0000" "01"
#define PXE4 NIC "030c1b00" Z8 Z8 "00000000000000" "7fff0400"
#define HTTP4 NIC "030c1b00" Z8 Z8 "00000000000000" "03180400" "7fff0400"
/* VenMsg(bc7838d2-0f82-4d60-8316-c068ee79d25b, one byte), alone and before Uri(). */
#define VENMSG "030a1500" "d23878bc820f604d8316c068ee79d25b" "01"
#define FVFILE "04061400" "21aa2c4614760345836e8ab6f4662331" "7fff0400"
#define FOREIGN_HD "04012a00" "01000000" "0008000000000000" "0000100000000000" \
	"11111111111111111111111111111111" "0202" "04040c00" "5c00580000000000" "7fff0400"

struct entry {
	const char *name, *label, *path, *optional;	/* hex; path NULL: slot A or B by label */
};

static const struct vendor {
	const char *name;
	struct entry entries[8];
	const char *order, *next;	/* hex */
} vendors[] = {
	{ .name = "AMI: marker behind its own entries",
	  .entries = { { "Boot0000", "UEFI: PXE IPv4 Intel", PXE4, "0000424f" },
		       { "Boot0001", "UEFI OS", FOREIGN_HD, "0000424f" } },
	  .order = "00000100" },
	{ .name = "Insyde: numbers without entries in the order",
	  .entries = { { "Boot0001", "EFI PXE 0 for IPv4", PXE4, "5243" },
		       { "Boot0002", "Windows Boot Manager", FOREIGN_HD, "" } },
	  .order = "0220" "0200" "0420" "0100" "0120" },
	{ .name = "Lenovo: vendor messages and files of the firmware volume",
	  .entries = { { "Boot0010", "Setup", FVFILE, "" },
		       { "Boot0011", "PCI LAN", VENMSG "7fff0400", "" },
		       { "Boot0012", "HTTPS BOOT", VENMSG "03180400" "7fff0400", "" },
		       { "Boot0013", "PXE", PXE4, "" } },
	  .order = "1000" "1100" "1200" "1300" },
	{ .name = "Intel NUC: the order names numbers twice",
	  .entries = { { "Boot0000", "Slipway A", NULL, "" }, { "Boot0001", "Slipway A", NULL, "" },
		       { "Boot0002", "PXE", PXE4, "" }, { "Boot0003", "Linux", FOREIGN_HD, "" } },
	  .order = "0000" "0300" "0000" "0200" "0300" "0100" },
	{ .name = "ASUS: paths in capitals, labels changed",
	  .entries = { { "Boot0000", "UEFI: Slipway A Partition 1", NULL, "" },
		       { "Boot0005", "PXE", PXE4, "" } },
	  .order = "0000" "0500" },
	{ .name = "names in lower case beside the valid ones",
	  .entries = { { "Boot000d", "odd", FOREIGN_HD, "" }, { "Boot000D", "PXE", PXE4, "" },
		       { "Boot000D_BbsIndex", "odd", FVFILE, "" } },
	  .order = "0d00" },
	{ .name = "garbage where an entry should be",
	  .entries = { { "Boot0001", NULL, "ffff", "" }, { "Boot0002", "PXE", PXE4, "" } },
	  .order = "0100" "0200" "ffff" },
	{ .name = "HTTP and PXE for one card, and a BMC's single start",
	  .entries = { { "Boot0001", "PXE", PXE4, "" }, { "Boot0002", "HTTP", HTTP4, "" },
		       { "Boot0003", "Virtual CD", FOREIGN_HD, "" } },
	  .order = "0300" "0100" "0200", .next = "0300" },
	{ .name = "nothing but a card: no order at all",
	  .entries = { { "Boot0001", "PXE", PXE4, "" } } },
};

static struct sw_mode_slot slot(char letter, const char *path)
{
	struct sw_mode_slot s = { .letter = letter, .good = true,
				  .sequence = (uint64_t)(letter - 'a' + 1),
				  .entry = { .label = letter == 'a' ? "Slipway A" : "Slipway B",
					     .part_number = (unsigned int)(letter - 'a' + 1),
					     .part_start = 2048, .part_size = 4096,
					     .path = path } };

	memset(s.entry.part_uuid.b, letter, 16);
	return s;
}

static void put_hex(json_object *raw, const char *name, const void *data, size_t len)
{
	_cleanup_free_ char *hex = sw_hex_encode(data, len);

	sw_json_add_str(raw, name, hex);
}

static void put_entry(json_object *raw, const struct entry *e)
{
	_cleanup_free_ uint8_t *path = NULL, *optional = NULL;
	struct sw_mode_slot a = slot('a', "\\EFI\\BOOT\\bootx64.efi");
	struct sw_devpath_hd hd = { .number = 1, .start = 2048, .size = 4096,
				    .guid = a.entry.part_uuid };
	_cleanup_buf_ struct sw_buf b = {};
	size_t n_path, n_optional;

	if (!e->label) {
		sw_json_add_str(raw, e->name, e->path);
		return;
	}
	if (e->path) {
		assert_int_equal(sw_hex_decode(e->path, &path, &n_path), 0);
		assert_int_equal(sw_hex_decode(e->optional, &optional, &n_optional), 0);
		assert_int_equal(sw_loadopt_build(1, e->label, path, n_path, optional, n_optional,
						  &b), 0);
	} else {
		assert_int_equal(sw_loadopt_build_file(e->label, &hd, a.entry.path, &b), 0);
	}
	put_hex(raw, e->name, b.data, b.len);
}

static json_object *load(const struct vendor *v)
{
	json_object *raw = json_object_new_object();

	for (size_t i = 0; i < ARRAY_SIZE(v->entries) && v->entries[i].name; i++)
		put_entry(raw, &v->entries[i]);
	if (v->order)
		sw_json_add_str(raw, "BootOrder", v->order);
	if (v->next)
		sw_json_add_str(raw, "BootNext", v->next);
	return raw;
}

static void apply(json_object *raw, const struct sw_entry_plan *p)
{
	for (size_t i = 0; i < p->n_writes; i++)
		if (p->writes[i].len)
			put_hex(raw, p->writes[i].name, p->writes[i].data, p->writes[i].len);
		else
			json_object_object_del(raw, p->writes[i].name);
}

static bool is_slot(const struct sw_varset_entry *e, const struct sw_mode_slot slots[2])
{
	return sw_entry_match(e->data, e->len, &slots[0].entry) != SW_ENTRY_FOREIGN ||
	       sw_entry_match(e->data, e->len, &slots[1].entry) != SW_ENTRY_FOREIGN;
}

/* What is not ours is there as it was, and in the order one after the other as before. */
static void check_others(json_object *before, json_object *after,
			 const struct sw_mode_slot slots[2], int network, bool order_written)
{
	_cleanup_varset_ struct sw_varset was = { .next = -1 }, now = { .next = -1 };
	int last = -1;

	assert_int_equal(sw_varset_load(before, &was), 0);
	assert_int_equal(sw_varset_load(after, &now), 0);
	for (size_t i = 0; i < was.n_entries; i++) {
		const struct sw_varset_entry *e = &was.entries[i], *n;

		if (is_slot(e, slots))
			continue;
		n = sw_varset_find(&now, e->number);
		assert_non_null(n);
		assert_int_equal(n->len, e->len);
		assert_memory_equal(n->data, e->data, e->len);
	}
	for (size_t i = 0; order_written && i < now.n_order; i++)
		for (size_t k = 0; k < i; k++)
			assert_int_not_equal(now.order[i], now.order[k]);
	for (size_t i = 0; i < was.n_order; i++) {
		const struct sw_varset_entry *e = sw_varset_find(&was, was.order[i]);
		int place = sw_varset_place(&now, was.order[i]);

		if ((e && is_slot(e, slots)) || was.order[i] == network ||
		    sw_varset_place(&was, was.order[i]) != (int)i)
			continue;
		assert_true(place > last);
		last = place;
	}
}

static void check_mode(const struct vendor *v, enum sw_node_mode mode, enum sw_strategy strategy)
{
	const struct sw_mode_slot slots[2] = { slot('a', "\\EFI\\BOOT\\BOOTX64.EFI"),
					       slot('b', "\\EFI\\BOOT\\BOOTX64.EFI") };
	struct sw_mode_wish wish = { .mode = mode, .strategy = strategy, .explicit = true };
	struct sw_mode_evidence ev = { .current = -1 };
	_cleanup_(sw_mode_result_clear) struct sw_mode_result one = { .network = -1 };
	_cleanup_(sw_mode_result_clear) struct sw_mode_result two = { .network = -1 };
	_cleanup_json_ json_object *before = load(v), *raw = load(v);

	if (sw_mode_reconcile(raw, slots, 2, &wish, NULL, &ev, &one, NULL) < 0)
		fail_msg("%s: no plan", v->name);
	apply(raw, &one.plan);
	check_others(before, raw, slots, one.network, mode != SW_NODE_HANDS_OFF);
	wish.explicit = false;
	ev.same_boot = true;
	if (sw_mode_reconcile(raw, slots, 2, &wish, &one.state, &ev, &two, NULL) < 0)
		fail_msg("%s: no second plan", v->name);
	if (two.plan.n_writes || two.n_notes)
		fail_msg("%s: the second time %s %s", v->name,
			 two.plan.n_writes ? two.plan.writes[0].text : "",
			 two.n_notes ? two.notes[0] : "");
}

static void test_every_vendors_set_is_switched_and_only_ours_is_touched(void **state SW_UNUSED)
{
	for (size_t i = 0; i < ARRAY_SIZE(vendors); i++) {
		check_mode(&vendors[i], SW_NODE_LOCAL, SW_STRATEGY_ARMED);
		check_mode(&vendors[i], SW_NODE_NETWORK, SW_STRATEGY_ARMED);
		check_mode(&vendors[i], SW_NODE_NETWORK, SW_STRATEGY_ORDER);
		check_mode(&vendors[i], SW_NODE_HANDS_OFF, SW_STRATEGY_ARMED);
	}
}

/* An entry that differs only in capitals is ours: no second one, which firmware would remove. */
static void test_a_path_in_other_letters_is_the_same_entry(void **state SW_UNUSED)
{
	const struct sw_mode_slot slots[1] = { slot('a', "\\EFI\\BOOT\\BOOTX64.EFI") };
	_cleanup_(sw_mode_result_clear) struct sw_mode_result res = { .network = -1 };
	struct sw_mode_wish wish = { .mode = SW_NODE_LOCAL, .explicit = true };
	struct sw_mode_evidence ev = { .current = -1 };
	_cleanup_varset_ struct sw_varset now = { .next = -1 };
	_cleanup_json_ json_object *raw = load(&vendors[4]);

	assert_int_equal(sw_mode_reconcile(raw, slots, 1, &wish, NULL, &ev, &res, NULL), 0);
	apply(raw, &res.plan);
	assert_int_equal(sw_varset_load(raw, &now), 0);
	assert_int_equal(now.n_entries, 2);
	assert_int_equal(now.order[0], 0);
}

/* A network card that is away: the slots are put right, nothing is armed, and it is said. */
static void test_keep_without_a_network_card_puts_the_slots_right(void **state SW_UNUSED)
{
	const struct sw_mode_slot slots[2] = { slot('a', "\\EFI\\BOOT\\BOOTX64.EFI"),
					       slot('b', "\\EFI\\BOOT\\BOOTX64.EFI") };
	_cleanup_(sw_mode_result_clear) struct sw_mode_result res = { .network = -1 }, no = res;
	struct sw_mode_wish wish = { .mode = SW_NODE_NETWORK };
	struct sw_mode_evidence ev = { .current = -1 };
	_cleanup_json_ json_object *raw = json_object_new_object();
	_cleanup_varset_ struct sw_varset now = { .next = -1 };
	const struct sw_varset_entry *first;

	assert_int_equal(sw_mode_reconcile(raw, slots, 2, &wish, NULL, &ev, &res, NULL), 0);
	apply(raw, &res.plan);
	assert_int_equal(sw_varset_load(raw, &now), 0);
	assert_int_equal(now.next, -1);
	first = sw_varset_find(&now, now.order[0]);
	assert_int_equal(sw_entry_match(first->data, first->len, &slots[1].entry),
			 SW_ENTRY_RIGHT);
	assert_non_null(strstr(res.notes[0], "no boot entry"));
	assert_false(res.state.armed);
	/* A person who asks for it now is told that it cannot be. */
	wish.explicit = true;
	assert_int_equal(sw_mode_reconcile(raw, slots, 2, &wish, NULL, &ev, &no, NULL), -ENOENT);
}

/* The next entry, from *pos on, that leads to the slot; NULL: there is none. */
static const struct sw_varset_entry *next_to(const struct sw_varset *now, size_t *pos,
					     const struct sw_mode_slot *slot)
{
	while (*pos < now->n_entries) {
		const struct sw_varset_entry *e = &now->entries[(*pos)++];

		if (sw_entry_match(e->data, e->len, &slot->entry) != SW_ENTRY_FOREIGN)
			return e;
	}
	return NULL;
}

/* How many entries lead to the slot, and whether one of them is in the order. */
static unsigned int leads_to(json_object *raw, const struct sw_mode_slot *slot, bool *ret_ordered)
{
	_cleanup_varset_ struct sw_varset now = { .next = -1 };
	const struct sw_varset_entry *e;
	unsigned int n = 0;
	size_t pos = 0;

	*ret_ordered = false;
	assert_int_equal(sw_varset_load(raw, &now), 0);
	while ((e = next_to(&now, &pos, slot))) {
		*ret_ordered = *ret_ordered || sw_varset_place(&now, e->number) >= 0;
		n++;
	}
	return n;
}

static void lose(json_object *raw, const struct sw_mode_slot *slot)
{
	_cleanup_varset_ struct sw_varset now = { .next = -1 };
	const struct sw_varset_entry *e;
	char name[16];
	size_t pos = 0;

	assert_int_equal(sw_varset_load(raw, &now), 0);
	while ((e = next_to(&now, &pos, slot))) {
		(void)snprintf(name, sizeof(name), "Boot%04X", e->number);
		json_object_object_del(raw, name);
	}
}

/* Behind so many writes of a switch the firmware deletes the entry of one slot. False: no more. */
static bool check_loss(const struct vendor *v, size_t behind, size_t which)
{
	const struct sw_mode_slot slots[2] = { slot('a', "\\EFI\\BOOT\\BOOTX64.EFI"),
					       slot('b', "\\EFI\\BOOT\\BOOTX64.EFI") };
	struct sw_mode_wish wish = { .mode = SW_NODE_NETWORK, .explicit = true };
	struct sw_mode_evidence ev = { .current = -1 };
	_cleanup_(sw_mode_result_clear) struct sw_mode_result one = { .network = -1 };
	_cleanup_(sw_mode_result_clear) struct sw_mode_result keep = { .network = -1 };
	_cleanup_(sw_mode_result_clear) struct sw_mode_result last = { .network = -1 };
	_cleanup_json_ json_object *raw = load(v);
	struct sw_entry_plan part;
	bool ordered;

	assert_int_equal(sw_mode_reconcile(raw, slots, 2, &wish, NULL, &ev, &one, NULL), 0);
	if (behind > one.plan.n_writes)
		return false;
	part = (struct sw_entry_plan){ one.plan.writes, behind };
	apply(raw, &part);
	lose(raw, &slots[which]);
	part = (struct sw_entry_plan){ one.plan.writes + behind, one.plan.n_writes - behind };
	apply(raw, &part);
	if (leads_to(raw, &slots[!which], &ordered) == 0 || !ordered)
		fail_msg("%s: the other slot does not start", v->name);
	wish.explicit = false;
	assert_int_equal(sw_mode_reconcile(raw, slots, 2, &wish, &one.state, &ev, &keep, NULL), 0);
	apply(raw, &keep.plan);
	for (size_t i = 0; i < 2; i++)
		if (leads_to(raw, &slots[i], &ordered) != 1 || !ordered)
			fail_msg("%s: slot %c has no entry again", v->name, slots[i].letter);
	ev.same_boot = true;
	assert_int_equal(sw_mode_reconcile(raw, slots, 2, &wish, &keep.state, &ev, &last, NULL), 0);
	assert_int_equal(last.plan.n_writes, 0);
	return true;
}

static void test_an_entry_deleted_behind_our_back_costs_no_start_and_comes_back(void **state
										SW_UNUSED)
{
	unsigned int n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(vendors); i++)
		for (size_t which = 0; which < 2; which++)
			for (size_t k = 0; check_loss(&vendors[i], k, which); k++)
				n++;
	print_message("# %u deletions\n", n);
	assert_true(n > 2 * ARRAY_SIZE(vendors));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_vendors_set_is_switched_and_only_ours_is_touched),
		cmocka_unit_test(test_a_path_in_other_letters_is_the_same_entry),
		cmocka_unit_test(test_keep_without_a_network_card_puts_the_slots_right),
		cmocka_unit_test(
			test_an_entry_deleted_behind_our_back_costs_no_start_and_comes_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
