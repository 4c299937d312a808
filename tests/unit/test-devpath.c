/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/hex.h"
#include "boot/loadopt.h"
#include "boot/utf16.h"

/* One node (or several) in hex, without the end, and the text that it must give. */
static void expect(const char *hex, const char *text)
{
	_cleanup_free_ char *full = NULL, *got = NULL;
	_cleanup_free_ uint8_t *p = NULL;
	size_t n;

	assert_true(asprintf(&full, "%s7fff0400", hex) > 0);
	assert_int_equal(sw_hex_decode(full, &p, &n), 0);
	assert_int_equal(sw_devpath_check(p, n), 0);
	assert_int_equal(sw_devpath_text(p, n, &got), 0);
	assert_string_equal(got, text);
}

static void test_hardware_and_bus_nodes_read_as_usual(void **state SW_UNUSED)
{
	expect("02010c00d041030a00000000" "010106000201", "PciRoot(0x0)/Pci(0x1,0x2)");
	expect("02010c00d041080a01000000", "PcieRoot(0x1)");
	expect("02010c00d041010501000000", "Acpi(PNP0501,0x1)");
	expect("0302080005000600", "Scsi(0x5,0x6)");
	expect("030506000301", "USB(0x3,0x1)");
	expect("03120a000200ffff0000", "Sata(0x2,0xffff,0x0)");
	expect("0317100001000000" "1122334455667788", "NVMe(0x1,88-77-66-55-44-33-22-11)");
	expect("01041600" "28732ac11ff8d211ba4b00a0c93ec93b" "beef",
	       "VenHw(c12a7328-f81f-11d2-ba4b-00a0c93ec93b,beef)");
}

static void test_network_nodes_read_as_usual(void **state SW_UNUSED)
{
	const char *mac = "030b2500" "525400123456"
			  "0000000000000000000000000000000000000000000000000000" "01";

	expect(mac, "MAC(525400123456,1)");
	expect("030c1b00" "0a00020f" "0a000202" "0000" "0000" "1100" "01" "0a000201" "ffffff00",
	       "IPv4(10.0.2.2,0x11,Static,10.0.2.15,10.0.2.1,255.255.255.0)");
	expect("030d3c00" "20010db8000000000000000000000001" "20010db8000000000000000000000002"
	       "0000" "0000" "0600" "01" "40" "fe800000000000000000000000000001",
	       "IPv6(2001:db8::2,0x6,StatelessAutoConfigure,2001:db8::1,64,fe80::1)");
	expect("031406000500", "Vlan(5)");
	expect("031f1500" "00" "0a000203000000000000000000000000", "Dns(10.0.2.3)");
	expect("03180c00" "687474703a2f2f78", "Uri(http://x)");
	expect("03180400", "Uri()");
}

static void test_control_characters_from_firmware_never_reach_the_screen(void **state SW_UNUSED)
{
	expect("03180700" "1b5b41", "Uri(%1B[A)");
	expect("04040a00" "1b0041000000", "File(\xef\xbf\xbd" "A)");
}

static void test_unknown_or_misshapen_nodes_are_shown_as_bytes(void **state SW_UNUSED)
{
	expect("03ee0600abcd", "Path(3,238,abcd)");
	expect("010105000a", "Path(1,1,0a)");	/* a PCI node one byte short */
	expect("04010400", "Path(4,1)");
}

static void test_instances_are_separated_by_commas(void **state SW_UNUSED)
{
	expect("010106000001" "7f010400" "010106000002", "Pci(0x1,0x0),Pci(0x2,0x0)");
}

static void test_bad_lengths_and_missing_ends_are_refused(void **state SW_UNUSED)
{
	static const char *const bad[] = { "", "7f", "7fff04", "01010300", "0101070000",
					   "010106000001", "7fff0300", "01010000" };

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		_cleanup_free_ uint8_t *p = NULL;
		char *text = NULL;
		size_t n;

		assert_int_equal(sw_hex_decode(bad[i], &p, &n), 0);
		assert_int_equal(sw_devpath_check(p, n), -EINVAL);
		assert_int_equal(sw_devpath_text(p, n, &text), -EINVAL);
		assert_null(text);
	}
}

static struct sw_devpath_hd slot(void)
{
	struct sw_devpath_hd hd = { .number = 1, .start = 0x800, .size = 0x100000 };

	assert_int_equal(sw_guid_parse("12345678-9abc-4def-8123-456789abcdef", &hd.guid), 0);
	return hd;
}

static void test_a_slots_option_has_the_bytes_of_the_specification(void **state SW_UNUSED)
{
	const char *want = "01000000" "5e00" "530041000000"
			   "04012a00" "01000000" "0008000000000000" "0000100000000000"
			   "78563412bc9aef4d8123456789abcdef" "0202"
			   "04043000" "5c004500460049005c0042004f004f0054005c00"
			   "42004f004f0054005800360034002e004500460049000000" "7fff0400";
	struct sw_devpath_hd hd = slot();
	_cleanup_buf_ struct sw_buf b = {};
	_cleanup_free_ char *hex = NULL;

	assert_int_equal(sw_loadopt_build_file("SA", &hd, "\\EFI\\BOOT\\BOOTX64.EFI", &b), 0);
	hex = sw_hex_encode(b.data, b.len);
	assert_string_equal(hex, want);
}

static void test_a_slots_option_parses_back(void **state SW_UNUSED)
{
	struct sw_devpath_hd hd = slot(), got;
	_cleanup_loadopt_ struct sw_loadopt o = {};
	_cleanup_buf_ struct sw_buf b = {};
	_cleanup_free_ char *path = NULL, *text = NULL;

	assert_int_equal(sw_loadopt_build_file("Slipway \xc3\x84", &hd, "\\A.EFI", &b), 0);
	assert_int_equal(sw_loadopt_parse(b.data, b.len, &o), 0);
	assert_int_equal(o.attrs, SW_LOADOPT_ACTIVE);
	assert_string_equal(o.label, "Slipway \xc3\x84");
	assert_int_equal(o.optional_len, 0);
	assert_int_equal(sw_devpath_find_file(o.path, o.path_len, &got, &path), 0);
	assert_int_equal(got.number, hd.number);
	assert_int_equal(got.start, hd.start);
	assert_int_equal(got.size, hd.size);
	assert_true(sw_guid_equal(&got.guid, &hd.guid));
	assert_string_equal(path, "\\A.EFI");
	assert_int_equal(sw_devpath_text(o.path, o.path_len, &text), 0);
	assert_string_equal(text, "HD(1,GPT,12345678-9abc-4def-8123-456789abcdef,0x800,0x100000)/"
				  "File(\\A.EFI)");
}

/* Foreign options pass through byte for byte, unknown nodes and optional data included. */
static void test_options_survive_taking_apart_and_building_again(void **state SW_UNUSED)
{
	static const char hex[] = "09000000" "2200" "410042000000"
				  "02010c00d041030a00000000" "010106000201" "03ee0600abcd"
				  "03180600" "6162" "7fff0400" "4eac0881119f594d850ee21a522c59b2";
	_cleanup_loadopt_ struct sw_loadopt o = {};
	_cleanup_buf_ struct sw_buf path = {}, b = {};
	_cleanup_free_ uint8_t *p = NULL;
	struct sw_devpath_node node;
	size_t n, at = 0;

	assert_int_equal(sw_hex_decode(hex, &p, &n), 0);
	assert_int_equal(sw_loadopt_parse(p, n, &o), 0);
	while (sw_devpath_next(o.path, o.path_len, &at, &node) > 0)
		assert_int_equal(sw_devpath_add(&path, node.type, node.subtype, node.data,
						node.len), 0);
	assert_int_equal(sw_devpath_add_end(&path), 0);
	assert_int_equal(sw_loadopt_build(o.attrs, o.label, path.data, path.len, o.optional,
					  o.optional_len, &b), 0);
	assert_int_equal(b.len, n);
	assert_memory_equal(b.data, p, n);
}

static void test_every_truncation_of_an_option_is_refused(void **state SW_UNUSED)
{
	struct sw_devpath_hd hd = slot();
	_cleanup_buf_ struct sw_buf b = {};

	assert_int_equal(sw_loadopt_build_file("Slipway A", &hd, "\\A.EFI", &b), 0);
	for (size_t n = 0; n < b.len; n++) {
		_cleanup_free_ uint8_t *exact = malloc(n ? n : 1);
		struct sw_loadopt o = {};

		memcpy(exact, b.data, n);
		assert_int_equal(sw_loadopt_parse(exact, n, &o), -EINVAL);
		assert_null(o.label);
	}
}

static void test_utf16_round_trips_and_bad_text_is_refused(void **state SW_UNUSED)
{
	static const char *const good[] = { "", "A", "\xc3\xa4", "\xe2\x82\xac",
					    "\xf0\x9f\x9a\xa2!" };
	static const char *const bad[] = { "\xff", "\xc0\x80", "\xc3", "\xed\xa0\x80",
					   "\xf4\x90\x80\x80", "\x80" };

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		_cleanup_buf_ struct sw_buf b = {};
		_cleanup_free_ char *back = NULL;

		assert_int_equal(sw_utf16_add(&b, good[i]), 0);
		assert_int_equal(sw_utf16_size(b.data, b.len), b.len);
		back = sw_utf16_to_utf8(b.data, b.len);
		assert_string_equal(back, good[i]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		_cleanup_buf_ struct sw_buf b = {};

		assert_int_equal(sw_utf16_add(&b, bad[i]), -EILSEQ);
	}
}

static void test_lone_surrogates_become_the_replacement_character(void **state SW_UNUSED)
{
	static const uint8_t lone[] = { 0x00, 0xd8, 'A', 0, 0x00, 0xdc };
	_cleanup_free_ char *s = sw_utf16_to_utf8(lone, sizeof(lone));

	assert_string_equal(s, "\xef\xbf\xbd" "A" "\xef\xbf\xbd");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hardware_and_bus_nodes_read_as_usual),
		cmocka_unit_test(test_network_nodes_read_as_usual),
		cmocka_unit_test(test_control_characters_from_firmware_never_reach_the_screen),
		cmocka_unit_test(test_unknown_or_misshapen_nodes_are_shown_as_bytes),
		cmocka_unit_test(test_instances_are_separated_by_commas),
		cmocka_unit_test(test_bad_lengths_and_missing_ends_are_refused),
		cmocka_unit_test(test_a_slots_option_has_the_bytes_of_the_specification),
		cmocka_unit_test(test_a_slots_option_parses_back),
		cmocka_unit_test(test_options_survive_taking_apart_and_building_again),
		cmocka_unit_test(test_every_truncation_of_an_option_is_refused),
		cmocka_unit_test(test_utf16_round_trips_and_bad_text_is_refused),
		cmocka_unit_test(test_lone_surrogates_become_the_replacement_character),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
