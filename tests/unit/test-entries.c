/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/hex.h"
#include "base/json.h"
#include "boot/entries.h"
#include "boot/loadopt.h"
#include "tests/lib/vars-fixture.h"

#define PATH "\\EFI\\BOOT\\BOOTX64.EFI"
#define EDK2_MARK "4eac0881119f594d850ee21a522c59b2"
/* OVMF's PXE entry: PciRoot/Pci/MAC/IPv4, and its mark. */
#define NET_PATH "02010c00d041030a00000000" "010106000001" "030b2500525400123456" \
	"000000000000000000000000000000000000000000000000000001" "7fff0400"

struct fixture {
	struct vars_fixture vars;
	struct sw_entry_wanted want[2];
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	*state = f;
	f->want[0] = (struct sw_entry_wanted){ .label = "Slipway A", .part_number = 1,
		.part_start = 0x800, .part_size = 0x100000, .path = PATH };
	f->want[1] = (struct sw_entry_wanted){ .label = "Slipway B", .part_number = 2,
		.part_start = 0x100800, .part_size = 0x100000, .path = PATH };
	memset(f->want[0].part_uuid.b, 0xaa, 16);
	memset(f->want[1].part_uuid.b, 0xbb, 16);
	return vars_fixture_open(&f->vars);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	vars_fixture_close(&f->vars);
	free(f);
	return 0;
}

static void put(struct fixture *f, const char *name, const void *data, size_t len)
{
	assert_int_equal(sw_varstore_plant(f->vars.s, &sw_guid_global, name, data, len,
					     SW_VAR_NV_BS_RT), 0);
}

static void put_hex_option(struct fixture *f, const char *name, const char *label,
			   const char *path_hex, const char *optional_hex)
{
	_cleanup_free_ uint8_t *p = NULL, *o = NULL;
	_cleanup_buf_ struct sw_buf b = {};
	size_t pn, on;

	assert_int_equal(sw_hex_decode(path_hex, &p, &pn), 0);
	assert_int_equal(sw_hex_decode(optional_hex, &o, &on), 0);
	assert_int_equal(sw_loadopt_build(1, label, p, pn, o, on, &b), 0);
	put(f, name, b.data, b.len);
}

static void put_file_option(struct fixture *f, const char *name, const char *label, uint8_t guid,
			    const char *path)
{
	struct sw_devpath_hd hd = { .number = guid == 0xaa ? 1 : 2, .size = 0x100000,
				    .start = guid == 0xaa ? 0x800 : 0x100800 };
	_cleanup_buf_ struct sw_buf b = {};

	memset(hd.guid.b, guid, 16);
	assert_int_equal(sw_loadopt_build_file(label, &hd, path, &b), 0);
	put(f, name, b.data, b.len);
}

static void make_plan(struct fixture *f, int boot_next, struct sw_entry_plan *p)
{
	_cleanup_json_ json_object *raw = NULL;

	assert_int_equal(sw_entries_snapshot(f->vars.s, &raw, NULL), 0);
	assert_int_equal(sw_entries_plan(raw, f->want, 2, boot_next, p, NULL), 0);
}

static void apply_all(struct fixture *f, const struct sw_entry_plan *p)
{
	for (size_t i = 0; i < p->n_writes; i++)
		assert_int_equal(sw_entry_write_apply(f->vars.s, &p->writes[i], NULL), 0);
}

static void expect_order(struct fixture *f, const char *hex)
{
	_cleanup_free_ uint8_t *d = NULL;
	_cleanup_free_ char *got = NULL;
	uint32_t attrs;
	size_t n;

	assert_int_equal(sw_var_get(f->vars.s, &sw_guid_global, "BootOrder", &d, &n, &attrs), 0);
	got = sw_hex_encode(d, n);
	assert_string_equal(got, hex);
}

static void digest(struct fixture *f, char hex[65])
{
	_cleanup_json_ json_object *raw = NULL;

	assert_int_equal(sw_entries_snapshot(f->vars.s, &raw, NULL), 0);
	assert_int_equal(sw_entries_digest(raw, hex), 0);
}

static void test_an_empty_store_gets_entries_then_order(void **state)
{
	struct fixture *f = *state;
	struct sw_entry_plan p = {};

	make_plan(f, -1, &p);
	assert_int_equal(p.n_writes, 3);
	assert_string_equal(p.writes[0].name, "Boot0001");
	assert_string_equal(p.writes[1].name, "Boot0002");
	assert_int_equal(p.writes[2].kind, SW_ENTRY_ORDER);
	assert_null(p.writes[0].old);
	apply_all(f, &p);
	expect_order(f, "01000200");
	sw_entry_plan_clear(&p);
}

static void test_when_all_is_as_wanted_nothing_is_written(void **state)
{
	struct fixture *f = *state;
	struct sw_entry_plan p = {}, again = {};

	put(f, "BootOrder", "\7\0\6\0", 4);
	make_plan(f, 1, &p);
	apply_all(f, &p);
	make_plan(f, 1, &again);
	assert_int_equal(again.n_writes, 0);
	sw_entry_plan_clear(&p);
	sw_entry_plan_clear(&again);
}

static void test_foreign_and_phantom_numbers_keep_their_order(void **state)
{
	struct fixture *f = *state;
	struct sw_entry_plan p = {};

	put_hex_option(f, "Boot0000", "UiApp", "04071400" "00112233445566778899aabbccddeeff"
					       "7fff0400", EDK2_MARK);
	put_hex_option(f, "Boot0001", "UEFI PXEv4 (MAC:525400123456)", NET_PATH, EDK2_MARK);
	put_file_option(f, "Boot0003", "Windows", 0xcc, "\\EFI\\MS\\BOOTMGFW.EFI");
	/* 2002 is a phantom; 0002 belongs to a device that is away; 0001 is there twice. */
	put(f, "BootOrder", "\x02\x20\x01\x00\x02\x00\x03\x00\x01\x00\x00\x00", 12);
	make_plan(f, -1, &p);
	assert_string_equal(p.writes[0].name, "Boot0004");
	assert_string_equal(p.writes[1].name, "Boot0005");
	assert_int_equal(p.n_writes, 3);
	apply_all(f, &p);
	expect_order(f, "04000500" "0220" "0100" "0200" "0300" "0000");
	sw_entry_plan_clear(&p);
}

static void test_numbers_that_hold_a_pending_bootnext_are_not_reused(void **state)
{
	struct fixture *f = *state;
	struct sw_entry_plan p = {};

	put(f, "BootNext", "\1\0", 2);
	make_plan(f, -1, &p);
	assert_string_equal(p.writes[0].name, "Boot0002");
	sw_entry_plan_clear(&p);
}

static void test_our_entry_with_other_content_is_rewritten_in_place(void **state)
{
	struct fixture *f = *state;
	struct sw_entry_plan p = {};

	put_file_option(f, "Boot0007", "Old name", 0xaa, PATH);
	put(f, "BootOrder", "\5\0\7\0", 4);
	make_plan(f, -1, &p);
	assert_int_equal(p.n_writes, 3);
	assert_string_equal(p.writes[0].name, "Boot0007");
	assert_non_null(p.writes[0].old);
	apply_all(f, &p);
	expect_order(f, "070001000500");
	sw_entry_plan_clear(&p);
}

static void test_a_path_that_firmware_upper_cased_is_still_right(void **state)
{
	struct fixture *f = *state;
	struct sw_entry_plan p = {};

	put_file_option(f, "Boot0001", "Slipway A", 0xaa, "\\efi\\boot\\bootx64.efi");
	put_file_option(f, "Boot0002", "Slipway B", 0xbb, PATH);
	put(f, "BootOrder", "\1\0\2\0", 4);
	make_plan(f, -1, &p);
	assert_int_equal(p.n_writes, 0);
	sw_entry_plan_clear(&p);
}

static void test_a_second_entry_for_our_partition_is_deleted_last(void **state)
{
	struct fixture *f = *state;
	struct sw_entry_plan p = {};

	put_file_option(f, "Boot0004", "Slipway A", 0xaa, PATH);
	put_file_option(f, "Boot0005", "again", 0xaa, PATH);
	put_file_option(f, "Boot0006", "Slipway B", 0xbb, PATH);
	put(f, "BootOrder", "\5\0\6\0\4\0", 6);
	make_plan(f, -1, &p);
	assert_int_equal(p.n_writes, 2);
	assert_int_equal(p.writes[0].kind, SW_ENTRY_ORDER);
	assert_int_equal(p.writes[1].kind, SW_ENTRY_DELETE);
	assert_string_equal(p.writes[1].name, "Boot0005");
	apply_all(f, &p);
	expect_order(f, "04000600");
	sw_entry_plan_clear(&p);
}

static void test_names_alone_make_nothing_ours(void **state)
{
	struct fixture *f = *state;
	struct sw_entry_plan p = {};

	/* Our label on somebody else's partition, our partition with another file. */
	put_file_option(f, "Boot0001", "Slipway A", 0xcc, PATH);
	put_file_option(f, "Boot0002", "Slipway A", 0xaa, "\\EFI\\OTHER.EFI");
	put(f, "BootOrder", "\1\0\2\0", 4);
	make_plan(f, -1, &p);
	assert_int_equal(p.n_writes, 3);
	assert_string_equal(p.writes[0].name, "Boot0003");
	apply_all(f, &p);
	expect_order(f, "0300040001000200");
	sw_entry_plan_clear(&p);
}

static void test_odd_names_and_unreadable_options_are_left_alone(void **state)
{
	struct fixture *f = *state;
	_cleanup_json_ json_object *raw = NULL;
	struct sw_entry_plan p = {};
	struct sw_bootvars b;

	put(f, "Boot000d", "x", 1);
	put(f, "Boot000d_BbsIndex", "x", 1);
	put(f, "Boot0001", "rubbish", 7);
	put(f, "BootOrder", "\1\0\1", 3);
	assert_int_equal(sw_entries_snapshot(f->vars.s, &raw, NULL), 0);
	assert_int_equal(json_object_object_length(raw), 2);
	assert_int_equal(sw_entries_read(f->vars.s, &b, NULL), 0);
	assert_int_equal(b.n_entries, 1);
	assert_string_equal(b.entries[0].owner, "foreign");
	sw_bootvars_clear(&b);
	make_plan(f, -1, &p);
	assert_int_equal(p.n_writes, 3);
	apply_all(f, &p);
	expect_order(f, "020003000100");
	sw_entry_plan_clear(&p);
}

static void test_boot_next_comes_after_the_order(void **state)
{
	struct fixture *f = *state;
	struct sw_entry_plan p = {};

	make_plan(f, 1, &p);
	assert_int_equal(p.n_writes, 4);
	assert_int_equal(p.writes[2].kind, SW_ENTRY_ORDER);
	assert_int_equal(p.writes[3].kind, SW_ENTRY_NEXT);
	assert_memory_equal(p.writes[3].data, "\2\0", 2);
	sw_entry_plan_clear(&p);
}

static void test_undo_in_reverse_gives_back_the_same_store(void **state)
{
	struct fixture *f = *state;
	struct sw_entry_plan p = {};
	char before[65], between[65], after[65];

	put_file_option(f, "Boot0004", "Slipway A", 0xaa, PATH);
	put_file_option(f, "Boot0005", "again", 0xaa, PATH);
	put_file_option(f, "Boot0006", "Old B", 0xbb, PATH);
	put(f, "BootOrder", "\5\0\6\0\4\0", 6);
	digest(f, before);
	make_plan(f, 0, &p);
	apply_all(f, &p);
	apply_all(f, &p);	/* a resumed run does it again */
	digest(f, between);
	assert_string_not_equal(before, between);
	for (size_t i = p.n_writes; i > 0; i--)
		assert_int_equal(sw_entry_write_undo(f->vars.s, &p.writes[i - 1], NULL), 0);
	digest(f, after);
	assert_string_equal(before, after);
	sw_entry_plan_clear(&p);
}

static void test_what_somebody_else_changed_is_not_overwritten(void **state)
{
	struct fixture *f = *state;
	struct sw_entry_plan p = {};
	struct sw_error err = {};

	put(f, "BootOrder", "\7\0", 2);
	make_plan(f, -1, &p);
	put(f, "BootOrder", "\7\0\x08\0", 4);
	assert_int_equal(sw_entry_write_apply(f->vars.s, &p.writes[2], &err), -ESTALE);
	assert_int_equal(err.exit, SW_EXIT_REFUSED);
	expect_order(f, "07000800");
	sw_entry_plan_clear(&p);
}

static void test_faults_of_the_store_are_named(void **state)
{
	static const struct {
		enum sw_var_fault fault;
		int r;
		const char *hint;
	} cases[] = {
		{ SW_FAULT_ENOSPC, -ENOSPC, "full" },
		{ SW_FAULT_EIO, -EIO, "BOOTX64" },
		{ SW_FAULT_IGNORE, -EBADMSG, "lock" },
		{ SW_FAULT_READ_ONLY, -EROFS, "remount" },
	};
	struct fixture *f = *state;
	struct sw_entry_plan p = {};

	make_plan(f, -1, &p);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct sw_error err = {};

		assert_int_equal(sw_varstore_inject(f->vars.s, cases[i].fault, "Boot"), 0);
		assert_int_equal(sw_entry_write_apply(f->vars.s, &p.writes[0], &err), cases[i].r);
		assert_string_equal(err.where, "Boot0001");
		assert_non_null(strstr(err.hint, cases[i].hint));
	}
	assert_int_equal(sw_varstore_inject(f->vars.s, SW_FAULT_EINVAL_TWICE, "Boot"), 0);
	assert_int_equal(sw_entry_write_apply(f->vars.s, &p.writes[0], NULL), 0);
	sw_entry_plan_clear(&p);
}

static void test_entries_are_decoded_and_classified(void **state)
{
	struct fixture *f = *state;
	struct sw_bootvars b = {};

	put_file_option(f, "Boot0001", "Slipway A", 0xaa, PATH);
	put_hex_option(f, "Boot0002", "UEFI PXEv4", NET_PATH, EDK2_MARK);
	put_hex_option(f, "Boot0003", "UEFI Misc Device", "010106000005" "7fff0400", EDK2_MARK);
	put_hex_option(f, "Boot0004", "UEFI OS", "010106000005" "7fff0400", "01020000424f");
	put_file_option(f, "Boot0005", "debian", 0xcc, "\\EFI\\debian\\shimx64.efi");
	put(f, "BootOrder", "\5\0\1\0", 4);
	put(f, "BootCurrent", "\5\0", 2);
	assert_int_equal(sw_entries_read(f->vars.s, &b, NULL), 0);
	assert_true(b.supported && b.writable);
	assert_int_equal(b.current, 5);
	assert_int_equal(b.next, -1);
	assert_int_equal(b.n_order, 2);
	assert_int_equal(b.order[0], 5);
	assert_int_equal(b.n_entries, 5);
	assert_string_equal(b.entries[0].owner, "ours");
	assert_string_equal(b.entries[1].owner, "network");
	assert_string_equal(b.entries[1].path, "PciRoot(0x0)/Pci(0x1,0x0)/MAC(525400123456,1)");
	assert_string_equal(b.entries[2].owner, "firmware");
	assert_string_equal(b.entries[3].owner, "firmware");
	assert_string_equal(b.entries[4].owner, "foreign");
	assert_string_equal(b.entries[4].label, "debian");
	assert_int_equal(strlen(b.digest), 64);
	sw_bootvars_clear(&b);
}

static void test_the_digest_sees_every_variable(void **state)
{
	struct fixture *f = *state;
	char a[65], b[65], c[65];

	put(f, "BootOrder", "\1\0", 2);
	digest(f, a);
	put(f, "BootNext", "\1\0", 2);
	digest(f, b);
	put_file_option(f, "Boot0001", "x", 0xaa, PATH);
	digest(f, c);
	assert_string_not_equal(a, b);
	assert_string_not_equal(b, c);
}

static void test_writes_survive_json(void **state)
{
	struct fixture *f = *state;
	struct sw_entry_plan p = {};

	put_file_option(f, "Boot0004", "Old", 0xaa, PATH);
	put_file_option(f, "Boot0005", "again", 0xaa, PATH);
	make_plan(f, 0, &p);
	for (size_t i = 0; i < p.n_writes; i++) {
		_cleanup_json_ json_object *o = sw_entry_write_to_json(&p.writes[i]);
		struct sw_entry_write w = {}, *v = &p.writes[i];

		assert_int_equal(sw_entry_write_from_json(o, &w), 0);
		assert_int_equal(w.kind, v->kind);
		assert_string_equal(w.name, v->name);
		assert_string_equal(w.text, v->text);
		assert_int_equal(w.len, v->len);
		assert_int_equal(w.old_len, v->old_len);
		assert_true(v->len == 0 || memcmp(w.data, v->data, v->len) == 0);
		assert_true(v->old_len == 0 || memcmp(w.old, v->old, v->old_len) == 0);
		sw_entry_write_clear(&w);
	}
	sw_entry_plan_clear(&p);
}

static void test_a_saved_write_cannot_name_other_variables(void **state SW_UNUSED)
{
	static const char *const bad[] = {
		"{\"kind\":\"set\",\"name\":\"PK\",\"data\":\"00\"}",
		"{\"kind\":\"set\",\"name\":\"Boot000d\",\"data\":\"00\"}",
		"{\"kind\":\"order\",\"name\":\"Boot0001\",\"data\":\"00\"}",
		"{\"kind\":\"delete\",\"name\":\"BootOrder\"}",
		"{\"kind\":\"set\",\"name\":\"Boot0001\"}",
		"{\"kind\":\"set\",\"name\":\"Boot0001\",\"data\":\"0\"}",
		"{\"kind\":\"boom\",\"name\":\"Boot0001\",\"data\":\"00\"}",
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		_cleanup_json_ json_object *o = NULL;
		struct sw_entry_write w;

		assert_int_equal(sw_json_parse(bad[i], strlen(bad[i]), "t", &o, NULL), 0);
		assert_int_equal(sw_entry_write_from_json(o, &w), -EINVAL);
	}
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_an_empty_store_gets_entries_then_order),
		T(test_when_all_is_as_wanted_nothing_is_written),
		T(test_foreign_and_phantom_numbers_keep_their_order),
		T(test_numbers_that_hold_a_pending_bootnext_are_not_reused),
		T(test_our_entry_with_other_content_is_rewritten_in_place),
		T(test_a_path_that_firmware_upper_cased_is_still_right),
		T(test_a_second_entry_for_our_partition_is_deleted_last),
		T(test_names_alone_make_nothing_ours),
		T(test_odd_names_and_unreadable_options_are_left_alone),
		T(test_boot_next_comes_after_the_order),
		T(test_undo_in_reverse_gives_back_the_same_store),
		T(test_what_somebody_else_changed_is_not_overwritten),
		T(test_faults_of_the_store_are_named),
		T(test_entries_are_decoded_and_classified),
		T(test_the_digest_sees_every_variable),
		T(test_writes_survive_json),
		cmocka_unit_test(test_a_saved_write_cannot_name_other_variables),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
