/* SPDX-License-Identifier: Apache-2.0 */
/* Names of the node on other disks, found in facts: what is said, what is severe, what is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "plan/conflicts.h"

/* Facts with the node's disk sda and what the caller adds. */
static struct sw_facts *facts(const char *disks, const char *boot)
{
	static const char form[] =
		"{\"version\":1,\"firmware\":\"uefi\",%s\"disks\":[{\"name\":\"sda\",\"node\":"
		"\"/dev/sda\",\"wwn\":\"0x5000c50000000001\",\"size\":1000000000,\"sector\":512,"
		"\"table\":{\"type\":\"gpt\",\"parts\":[{\"number\":1,\"start\":1048576,\"size\":"
		"1048576,\"label\":\"state\",\"group\":\"volume group vg0 (AAA)\"}]}}%s]}";
	_cleanup_json_ json_object *o = NULL;
	struct sw_facts *f = NULL;
	struct sw_error err = {};
	char text[4096];

	assert_true(snprintf(text, sizeof(text), form, boot, disks) < (int)sizeof(text));
	assert_int_equal(sw_json_parse(text, strlen(text), "test", &o, &err), 0);
	if (sw_facts_from_json(o, "test", &f, &err) < 0)
		fail_msg("%s: %s", err.what, err.why);
	return f;
}

#define OTHER(name, more) \
	",{\"name\":\"" name "\",\"node\":\"/dev/" name "\",\"size\":2000000000," \
	"\"sector\":512,\"table\":{\"type\":\"gpt\"," more "}}"
#define PART(more) "\"parts\":[{\"number\":3,\"start\":1048576,\"size\":1048576," more "}]"

struct found {
	struct sw_facts *f;
	struct sw_conflict *list;
	size_t n;
};

static void found_clear(struct found *x)
{
	sw_conflicts_free(x->list, x->n);
	sw_facts_free(x->f);
}
#define _cleanup_found_ _cleanup_(found_clear)

static struct found find(const char *disks, const char *boot, enum sw_boot_mode mode)
{
	struct sw_plan_disk pd = { .node = (char *)"/dev/sda", .id = { .b = { 0x42 } } };
	struct sw_placed parts[] = {
		{ .label = (char *)"slipway-a", .role = SW_ROLE_SLOT, .uuid = { .b = { 0xaa } } },
		{ .label = (char *)"state", .format = (char *)"ext4", .role = SW_ROLE_STATE,
		  .uuid = { .b = { 0xbb } } },
	};
	struct sw_answers a = { .boot_mode = mode };
	struct sw_plan p = { .disks = &pd, .n_disks = 1, .parts = parts, .n_parts = 2,
			     .answers = &a };
	struct found x = { .f = facts(disks, boot) };

	assert_int_equal(sw_plan_find_conflicts(&p, x.f, &x.list, &x.n), 0);
	return x;
}

static void one(const struct found *x, enum sw_conflict_kind kind, bool captures, const char *text)
{
	if (x->n != 1)
		fail_msg("%zu conflicts: %s", x->n, x->n ? x->list[0].text : "");
	assert_int_equal(x->list[0].kind, kind);
	assert_int_equal(x->list[0].captures, captures);
	assert_string_equal(x->list[0].text, text);
}

static void test_nothing_is_said_of_the_nodes_own_disk_and_of_other_names(void **s SW_UNUSED)
{
	_cleanup_found_ struct found x =
		find(OTHER("sdb", PART("\"label\":\"music\",\"fs_label\":\"music\"")), "",
		     SW_MODE_LOCAL);

	assert_int_equal(x.n, 0);
}

static void test_a_partition_of_the_same_name_captures(void **s SW_UNUSED)
{
	_cleanup_found_ struct found x =
		find(OTHER("sdb", PART("\"label\":\"state\",\"fs_label\":\"state\"")), "",
		     SW_MODE_LOCAL);
	_cleanup_found_ struct found y = find(OTHER("sdb", PART("\"label\":\"slipway-a\"")), "",
					      SW_MODE_LOCAL);

	one(&x, SW_CONFLICT_LABEL, true, "sdb partition 3 is called state too: the node may mount "
					 "it in the place of its own");
	one(&y, SW_CONFLICT_LABEL, true, "sdb partition 3 is called slipway-a too: it may be "
					 "started, or updated, in the place of the node's slot");
}

static void test_the_same_partition_uuid_counts_more_than_the_name(void **s SW_UNUSED)
{
	_cleanup_found_ struct found x = find(
		OTHER("sdb", PART("\"label\":\"state\","
				  "\"uuid\":\"000000aa-0000-0000-0000-000000000000\"")),
		"", SW_MODE_LOCAL);

	one(&x, SW_CONFLICT_PARTUUID, true,
	    "sdb partition 3 has the partition UUID that slipway-a gets: it may be started, or "
	    "updated, in the place of the node's slot");
}

/* As the layout's maker gives it to mkfs, for a partition whose UUID is the plan's. */
static void test_the_uuid_of_a_file_system_that_is_made_is_known(void **s SW_UNUSED)
{
	static const char form[] = OTHER("sdb", PART("\"fs_uuid\":\"%s\""));
	const struct sw_guid part = { .b = { 0xbb } };
	char disks[sizeof(form) + SW_GUID_TEXT], uuid[SW_GUID_TEXT];
	struct sw_guid g;

	assert_int_equal(sw_guid_derive(&part, "file-system-uuid", 16, &g), 0);
	(void)snprintf(disks, sizeof(disks), form, sw_guid_format(&g, uuid));
	_cleanup_found_ struct found x = find(disks, "", SW_MODE_LOCAL);

	one(&x, SW_CONFLICT_FS_UUID, false, "sdb partition 3 has the file system UUID that state "
	    "gets: what mounts by UUID may take it");
}

static void test_labels_and_ids_that_nothing_boots_from_are_warnings(void **s SW_UNUSED)
{
	_cleanup_found_ struct found x = find(OTHER("sdb", PART("\"fs_label\":\"state\"")), "",
					      SW_MODE_LOCAL);
	_cleanup_found_ struct found y = find(
		OTHER("sdb", "\"id\":\"00000042-0000-0000-0000-000000000000\",\"parts\":[]"), "",
		SW_MODE_LOCAL);

	one(&x, SW_CONFLICT_FS_LABEL, false, "sdb partition 3 has a file system labelled state: "
					     "what mounts by label may take it");
	one(&y, SW_CONFLICT_DISK_ID, false, "sdb has the disk UUID that the new table gets: it is "
					    "a copy of an earlier install");
}

static void test_a_group_that_loses_a_part_is_named(void **s SW_UNUSED)
{
	_cleanup_found_ struct found x =
		find(OTHER("sdb", "\"group\":\"volume group vg0 (AAA)\",\"parts\":[]"), "",
		     SW_MODE_LOCAL);

	one(&x, SW_CONFLICT_GROUP, false,
	    "volume group vg0 (AAA) is on sda and on sdb: it loses the part on sda");
}

static void test_two_groups_of_one_name_are_named_but_unnamed_ones_are_not(void **s SW_UNUSED)
{
	_cleanup_found_ struct found x =
		find(OTHER("sdb", "\"group\":\"volume group vg1 (BBB)\",\"parts\":[]")
		     OTHER("sdc", "\"group\":\"volume group vg1 (CCC)\",\"parts\":[]"), "",
		     SW_MODE_LOCAL);
	_cleanup_found_ struct found y =
		find(OTHER("sdb", "\"group\":\"btrfs (BBB)\",\"parts\":[]")
		     OTHER("sdc", "\"group\":\"btrfs (CCC)\",\"parts\":[]"), "", SW_MODE_LOCAL);

	one(&x, SW_CONFLICT_GROUP_NAME, false, "volume group vg1 is a name on sdb and another on "
		"sdc: which one the node sees is left to chance");
	assert_int_equal(y.n, 0);
}

static void test_another_path_to_the_nodes_disk_is_no_conflict(void **s SW_UNUSED)
{
	_cleanup_found_ struct found x =
		find(",{\"name\":\"sdb\",\"node\":\"/dev/sdb\",\"wwn\":\"0x5000c50000000001\","
		     "\"size\":1000000000,\"sector\":512,\"table\":{\"type\":\"gpt\","
		     PART("\"label\":\"state\"") "}}", "", SW_MODE_LOCAL);

	assert_int_equal(x.n, 0);
}

#define ENTRY \
	"\"boot\":{\"supported\":true,\"order\":[4],%s\"entries\":[{\"number\":4,\"attrs\":1," \
	"\"label\":\"debian\",\"path\":" \
	"\"HD(1,GPT,1111AAAA-0000-0000-0000-000000000000,0x800,0x800)" \
	"/\\\\EFI\\\\debian\\\\shimx64.efi\"}]},"
#define ESP OTHER("sdb", PART("\"uuid\":\"1111aaaa-0000-0000-0000-000000000000\""))

static void test_boot_entries_count_when_they_go_before_the_nodes(void **s SW_UNUSED)
{
	char plain[1024], next[1024];

	(void)snprintf(plain, sizeof(plain), ENTRY, "");
	(void)snprintf(next, sizeof(next), ENTRY, "\"next\":4,");
	_cleanup_found_ struct found x = find(ESP, plain, SW_MODE_LOCAL);
	_cleanup_found_ struct found y = find(ESP, plain, SW_MODE_HANDS_OFF);
	_cleanup_found_ struct found z = find(ESP, next, SW_MODE_LOCAL);

	assert_int_equal(x.n, 0);
	one(&y, SW_CONFLICT_ENTRY, false,
	    "Boot0004 (debian) on sdb stays in the boot order: it may be started and not the node");
	one(&z, SW_CONFLICT_ENTRY, false, "BootNext is Boot0004 (debian) on sdb: the next start "
					  "goes there, not to the node");
}

static void test_the_severe_ones_come_first(void **s SW_UNUSED)
{
	_cleanup_found_ struct found x = find(
		OTHER("sdb", "\"group\":\"volume group vg0 (AAA)\",\"parts\":[]")
		OTHER("sdc", PART("\"label\":\"state\"")), "", SW_MODE_LOCAL);

	assert_int_equal(x.n, 2);
	assert_true(x.list[0].captures);
	assert_string_equal(x.list[0].disk->name, "sdc");
	assert_false(x.list[1].captures);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_is_said_of_the_nodes_own_disk_and_of_other_names),
		cmocka_unit_test(test_a_partition_of_the_same_name_captures),
		cmocka_unit_test(test_the_same_partition_uuid_counts_more_than_the_name),
		cmocka_unit_test(test_the_uuid_of_a_file_system_that_is_made_is_known),
		cmocka_unit_test(test_labels_and_ids_that_nothing_boots_from_are_warnings),
		cmocka_unit_test(test_a_group_that_loses_a_part_is_named),
		cmocka_unit_test(test_two_groups_of_one_name_are_named_but_unnamed_ones_are_not),
		cmocka_unit_test(test_another_path_to_the_nodes_disk_is_no_conflict),
		cmocka_unit_test(test_boot_entries_count_when_they_go_before_the_nodes),
		cmocka_unit_test(test_the_severe_ones_come_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
