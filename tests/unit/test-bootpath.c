/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/hex.h"
#include "base/json.h"
#include "boot/edit.h"
#include "boot/loadopt.h"
#include "boot/netentry.h"

/* As OVMF stores them: root bridge, device 1, the card's address. */
#define ROOT "02010c00d041030a00000000"
#define PCI "010106000001"
#define ZERO26 "0000000000000000000000000000000000000000000000000000"
#define MAC "030b2500" "525400123456" ZERO26 "01"
#define MAC2 "030b2500" "5254000000aa" ZERO26 "01"
#define VLAN "03140600" "6400"
#define IPV4 "030c1b00" "0000000000000000000000000000000000000000000000"
#define ZERO56 ZERO26 ZERO26 "00000000"
#define IPV6 "030d3c00" ZERO56
#define NO_URI "03180400"
#define END "7fff0400"
#define EDK2_MARK "4eac0881119f594d850ee21a522c59b2"
#define URL "http://10.0.2.2:8123/net.efi"

static void from_hex(const char *hex, struct sw_buf *b)
{
	_cleanup_free_ uint8_t *d = NULL;
	size_t n;

	assert_int_equal(sw_hex_decode(hex, &d, &n), 0);
	assert_int_equal(sw_buf_add(b, d, n), 0);
}

static void expect_text(const struct sw_buf *b, const char *text)
{
	_cleanup_free_ char *got = NULL;

	assert_int_equal(sw_devpath_check(b->data, b->len), 0);
	assert_int_equal(sw_devpath_text(b->data, b->len, &got), 0);
	assert_string_equal(got, text);
}

static void put(json_object *raw, const char *name, const char *label, const char *path,
		const char *optional)
{
	_cleanup_buf_ struct sw_buf p = {}, o = {}, b = {};
	_cleanup_free_ char *hex = NULL;

	from_hex(path, &p);
	from_hex(optional, &o);
	assert_int_equal(sw_loadopt_build(1, label, p.data, p.len, o.data, o.len, &b), 0);
	hex = sw_hex_encode(b.data, b.len);
	sw_json_add_str(raw, name, hex);
}

/* What OVMF makes for two cards. */
static json_object *ovmf(void)
{
	json_object *raw = json_object_new_object();

	put(raw, "Boot0000", "UiApp", ROOT PCI END, EDK2_MARK);
	put(raw, "Boot0003", "UEFI PXEv6 (MAC:525400123456)", ROOT PCI MAC IPV6 END, EDK2_MARK);
	put(raw, "Boot0004", "UEFI PXEv4 (MAC:525400123456)", ROOT PCI MAC IPV4 END, EDK2_MARK);
	put(raw, "Boot0005", "UEFI HTTPv4 (MAC:525400123456)", ROOT PCI MAC IPV4 NO_URI END,
	    EDK2_MARK);
	put(raw, "Boot0006", "UEFI PXEv6 (MAC:5254000000AA)", ROOT PCI MAC2 IPV6 END, EDK2_MARK);
	sw_json_add_str(raw, "BootOrder", "0000" "0400" "0300" "0500" "0600");
	return raw;
}

static void load(struct sw_varset *s)
{
	_cleanup_json_ json_object *raw = ovmf();

	assert_int_equal(sw_varset_load(raw, s), 0);
}

static void test_a_clone_has_the_bytes_that_ovmf_boots(void **state SW_UNUSED)
{
	_cleanup_buf_ struct sw_buf from = {}, want = {}, got = {};

	from_hex(ROOT PCI MAC END, &from);
	/* 3/18, length 4 + 28, no NUL: measured to boot. */
	from_hex(ROOT PCI MAC IPV4 "03182000", &want);
	assert_int_equal(sw_buf_add(&want, URL, strlen(URL)), 0);
	from_hex(END, &want);
	assert_int_equal(sw_bootpath_clone(from.data, from.len, SW_BOOTPATH_IPV4, URL, &got), 0);
	assert_int_equal(got.len, want.len);
	assert_memory_equal(got.data, want.data, want.len);
	expect_text(&got, "PciRoot(0x0)/Pci(0x1,0x0)/MAC(525400123456,1)/IPv4(0.0.0.0,0x0,DHCP,"
			  "0.0.0.0,0.0.0.0,0.0.0.0)/Uri(" URL ")");
}

static void test_what_follows_the_card_is_not_cloned_but_a_vlan_is(void **state SW_UNUSED)
{
	static const char *const tails[] = { IPV4 END, IPV6 NO_URI END, IPV4 NO_URI END };

	for (size_t i = 0; i < ARRAY_SIZE(tails); i++) {
		_cleanup_buf_ struct sw_buf a = {}, b = {}, ga = {}, gb = {}, v = {}, gv = {};

		from_hex(ROOT PCI MAC END, &a);
		from_hex(ROOT PCI MAC, &b);
		from_hex(tails[i], &b);
		assert_int_equal(sw_bootpath_clone(a.data, a.len, SW_BOOTPATH_IPV6, URL, &ga), 0);
		assert_int_equal(sw_bootpath_clone(b.data, b.len, SW_BOOTPATH_IPV6, URL, &gb), 0);
		assert_int_equal(ga.len, gb.len);
		assert_memory_equal(ga.data, gb.data, ga.len);
		from_hex(ROOT PCI MAC VLAN, &v);
		from_hex(tails[i], &v);
		assert_int_equal(sw_bootpath_clone(v.data, v.len, SW_BOOTPATH_IPV6, URL, &gv), 0);
		expect_text(&gv, "PciRoot(0x0)/Pci(0x1,0x0)/MAC(525400123456,1)/Vlan(100)/"
				 "IPv6(::,0x0,Static,::,0,::)/Uri(" URL ")");
	}
}

static void test_every_truncated_prefix_is_refused_and_never_read_past(void **state SW_UNUSED)
{
	_cleanup_buf_ struct sw_buf from = {};

	from_hex(ROOT PCI MAC VLAN IPV4 NO_URI END, &from);
	for (size_t n = 0; n < from.len; n++) {
		_cleanup_buf_ struct sw_buf got = {};
		uint8_t *exact = malloc(n ? n : 1);	/* so that ASan sees a read past it */

		memcpy(exact, from.data, n);
		assert_int_equal(sw_bootpath_clone(exact, n, SW_BOOTPATH_IPV4, URL, &got), -EINVAL);
		assert_int_equal(got.len, 0);
		free(exact);
	}
}

static void test_a_path_without_a_card_cannot_be_cloned(void **state SW_UNUSED)
{
	_cleanup_buf_ struct sw_buf from = {}, got = {};

	from_hex(ROOT PCI END, &from);
	assert_int_equal(sw_bootpath_clone(from.data, from.len, SW_BOOTPATH_IPV4, URL, &got),
			 -ENOENT);
}

static void test_addresses_that_firmware_cannot_take_are_refused(void **state SW_UNUSED)
{
	static const char *const bad[] = { "", "http://", "http:///x", "ftp://a/x", "https://a b/x",
		"http://user:pw@host/x", "http://h\xc3\xa4/x", "HTTP://a/x", "http://:80/x" };
	static const char *const good[] = { "http://a", "https://boot.example:8443/a/b.efi?x=@1",
		"http://[fd00::1]/uki.efi" };
	char lengthy[1100] = "http://a/";

	memset(lengthy + 9, 'x', sizeof(lengthy) - 10);
	assert_int_equal(sw_bootpath_check_uri(lengthy), -EINVAL);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(sw_bootpath_check_uri(bad[i]), -EINVAL);
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		assert_int_equal(sw_bootpath_check_uri(good[i]), 0);
}

static void test_adoption_takes_the_firmwares_first_entry_of_the_card(void **state SW_UNUSED)
{
	_cleanup_varset_ struct sw_varset s = { .next = -1 };
	struct sw_netwish w = {};

	load(&s);
	assert_int_equal(sw_netentry_find(&s, &w)->number, 4);
	w.via = SW_VIA_HTTP;
	assert_int_equal(sw_netentry_find(&s, &w)->number, 5);
	w = (struct sw_netwish){ .have_mac = true };
	assert_int_equal(sw_mac_parse("52:54:00:00:00:aa", w.mac), 0);
	assert_int_equal(sw_netentry_find(&s, &w)->number, 6);
	w.via = SW_VIA_HTTP;
	assert_null(sw_netentry_find(&s, &w));
}

static void test_an_address_is_cloned_from_the_card_with_its_ip_version(void **state SW_UNUSED)
{
	_cleanup_varset_ struct sw_varset s = { .next = -1 };
	struct sw_netwish w = { .uri = URL };
	_cleanup_buf_ struct sw_buf a = {}, b = {};
	bool cloned = false;

	load(&s);
	assert_int_equal(sw_netentry_path(&s, &w, &a, &cloned), 0);
	assert_true(cloned);
	assert_false(sw_bootpath_is_ipv6(a.data, a.len));
	w.have_mac = true;
	assert_int_equal(sw_mac_parse("5254000000AA", w.mac), 0);
	assert_int_equal(sw_netentry_path(&s, &w, &b, &cloned), 0);
	assert_true(sw_bootpath_is_ipv6(b.data, b.len));
}

static void test_an_unknown_card_is_said_and_no_card_gives_the_short_form(void **state SW_UNUSED)
{
	_cleanup_varset_ struct sw_varset s = { .next = -1 }, none = { .next = -1 };
	struct sw_netwish w = { .uri = URL, .have_mac = true, .mac = { 2, 1 } };
	_cleanup_json_ json_object *empty = json_object_new_object();
	_cleanup_buf_ struct sw_buf b = {};
	bool cloned = true;

	load(&s);
	assert_int_equal(sw_netentry_path(&s, &w, &b, &cloned), -ENOENT);
	assert_int_equal(b.len, 0);
	assert_int_equal(sw_varset_load(empty, &none), 0);
	w.have_mac = false;
	assert_int_equal(sw_netentry_path(&none, &w, &b, &cloned), 0);
	assert_false(cloned);
	expect_text(&b, "Uri(" URL ")");
}

static void test_our_entry_is_rewritten_for_a_new_address_never_doubled(void **state SW_UNUSED)
{
	_cleanup_varset_ struct sw_varset s = { .next = -1 };
	struct sw_netwish w = { .uri = URL };
	uint16_t first, again, other;
	size_t n;

	load(&s);
	n = s.n_entries;
	assert_int_equal(sw_netentry_ensure(&s, &w, &first, NULL), 0);
	assert_int_equal(first, 1);
	assert_int_equal(sw_netentry_ensure(&s, &w, &again, NULL), 0);
	assert_int_equal(again, first);
	w.uri = "https://elsewhere.example/x.efi";
	assert_int_equal(sw_netentry_ensure(&s, &w, &other, NULL), 0);
	assert_int_equal(other, first);
	assert_int_equal(s.n_entries, n + 1);
}

static void test_edk2s_trailing_nul_is_the_same_address(void **state SW_UNUSED)
{
	_cleanup_varset_ struct sw_varset s = { .next = -1 };
	_cleanup_json_ json_object *raw = ovmf();
	struct sw_netwish w = { .uri = "http://a/b" };
	uint16_t number;

	/* As HttpBootAddBootOption() writes it: with the NUL. */
	put(raw, "Boot0009", "mine", ROOT PCI MAC IPV4 "03180f00" "687474703a2f2f612f6200" END, "");
	assert_int_equal(sw_varset_load(raw, &s), 0);
	assert_int_equal(sw_netentry_ensure(&s, &w, &number, NULL), 0);
	assert_int_equal(number, 9);
}

/* ---- edits ---- */

static void make_edit(struct sw_varset *s, struct sw_boot_list *l, struct sw_edit *e)
{
	assert_int_equal(sw_boot_list_make(s, NULL, l), 0);
	*e = (struct sw_edit){ .set = s, .list = l };
}

static void test_entries_of_others_are_not_edited_without_force(void **state SW_UNUSED)
{
	_cleanup_varset_ struct sw_varset s = { .next = -1 };
	_cleanup_(sw_boot_list_clear) struct sw_boot_list l = {};
	struct sw_edit e;

	load(&s);
	make_edit(&s, &l, &e);
	assert_int_equal(sw_edit_delete(&e, 4, NULL), -EPERM);
	assert_int_equal(sw_edit_rename(&e, 0, "x", NULL), -EPERM);
	assert_non_null(sw_varset_find(&s, 4));
	e.force = true;
	e.foreign = false;
	assert_int_equal(sw_edit_delete(&e, 4, NULL), 0);
	assert_true(e.foreign);
	assert_null(sw_varset_find(&s, 4));
	assert_int_equal(sw_varset_place(&s, 4), -1);
}

static void test_a_delete_leaves_order_and_next_before_the_entry_goes(void **state SW_UNUSED)
{
	_cleanup_(sw_entry_plan_clear) struct sw_entry_plan p = {};
	_cleanup_varset_ struct sw_varset s = { .next = -1 };
	_cleanup_(sw_boot_list_clear) struct sw_boot_list l = {};
	_cleanup_json_ json_object *raw = ovmf();
	struct sw_edit e;

	sw_json_add_str(raw, "BootNext", "0400");
	assert_int_equal(sw_varset_load(raw, &s), 0);
	make_edit(&s, &l, &e);
	e.force = true;
	assert_int_equal(sw_edit_delete(&e, 4, NULL), 0);
	assert_int_equal(sw_varset_plan(&s, &p), 0);
	assert_int_equal(p.n_writes, 3);
	assert_string_equal(p.writes[0].name, "BootOrder");
	assert_string_equal(p.writes[1].name, "BootNext");
	assert_int_equal(p.writes[2].kind, SW_ENTRY_DELETE);
}

static void test_next_puts_the_entry_into_the_order(void **state SW_UNUSED)
{
	_cleanup_varset_ struct sw_varset s = { .next = -1 };
	_cleanup_(sw_boot_list_clear) struct sw_boot_list l = {};
	_cleanup_json_ json_object *raw = ovmf();
	struct sw_edit e;

	sw_json_add_str(raw, "BootOrder", "0000" "0220");
	assert_int_equal(sw_varset_load(raw, &s), 0);
	make_edit(&s, &l, &e);
	assert_int_equal(sw_edit_next(&e, 5, NULL), 0);
	assert_int_equal(s.next, 5);
	assert_int_equal(s.n_order, 3);
	assert_int_equal(s.order[1], 0x2002);	/* a phantom keeps its place */
	assert_int_equal(s.order[2], 5);
	assert_int_equal(sw_edit_next(&e, 0x2002, NULL), -ENOENT);
}

static void test_two_entries_never_differ_by_label_alone(void **state SW_UNUSED)
{
	_cleanup_varset_ struct sw_varset s = { .next = -1 };
	_cleanup_(sw_boot_list_clear) struct sw_boot_list l = {};
	_cleanup_buf_ struct sw_buf path = {};
	struct sw_edit e;
	uint16_t number;

	load(&s);
	make_edit(&s, &l, &e);
	from_hex(ROOT PCI MAC IPV4 END, &path);
	assert_int_equal(sw_edit_add(&e, "another", path.data, path.len, false, &number, NULL),
			 -EEXIST);
}

static void test_numbers_are_read_as_people_write_them(void **state SW_UNUSED)
{
	static const char *const bad[] = { "", "Boot", "12345", "x", "-1", "0x1", "1 " };
	uint16_t n;

	assert_int_equal(sw_entry_number_parse("Boot000a", &n), 0);
	assert_int_equal(n, 10);
	assert_int_equal(sw_entry_number_parse("3", &n), 0);
	assert_int_equal(n, 3);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(sw_entry_number_parse(bad[i], &n), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_clone_has_the_bytes_that_ovmf_boots),
		cmocka_unit_test(test_what_follows_the_card_is_not_cloned_but_a_vlan_is),
		cmocka_unit_test(test_every_truncated_prefix_is_refused_and_never_read_past),
		cmocka_unit_test(test_a_path_without_a_card_cannot_be_cloned),
		cmocka_unit_test(test_addresses_that_firmware_cannot_take_are_refused),
		cmocka_unit_test(test_adoption_takes_the_firmwares_first_entry_of_the_card),
		cmocka_unit_test(test_an_address_is_cloned_from_the_card_with_its_ip_version),
		cmocka_unit_test(test_an_unknown_card_is_said_and_no_card_gives_the_short_form),
		cmocka_unit_test(test_our_entry_is_rewritten_for_a_new_address_never_doubled),
		cmocka_unit_test(test_edk2s_trailing_nul_is_the_same_address),
		cmocka_unit_test(test_entries_of_others_are_not_edited_without_force),
		cmocka_unit_test(test_a_delete_leaves_order_and_next_before_the_entry_goes),
		cmocka_unit_test(test_next_puts_the_entry_into_the_order),
		cmocka_unit_test(test_two_entries_never_differ_by_label_alone),
		cmocka_unit_test(test_numbers_are_read_as_people_write_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
