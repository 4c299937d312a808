/* SPDX-License-Identifier: Apache-2.0 */
/* What belongs together, what the programs are told, and what slipway may end again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "stack/private.h"
#include "tests/lib/tree.h"

/* ---- members ---- */

static struct sw_part parts[2] = {
	{ .number = 1, .start = 1 << 20, .size = 8 << 20, .fs_type = (char *)"crypto_LUKS" },
	{ .number = 2, .start = 16 << 20, .size = 8 << 20, .fs_type = (char *)"LVM2_member",
	  .group = (char *)"volume group vg0 (abc)" },
};
static char *raid[] = { (char *)"linux_raid_member pair at 0x1000", NULL };
static char *ext[] = { (char *)"ext4 at 0x438", NULL };
static struct sw_disk disks[] = {
	{ .name = (char *)"sda", .size = 64 << 20, .table = { .parts = parts, .n_parts = 2 } },
	{ .name = (char *)"sdb", .size = 32 << 20, .signatures = raid,
	  .table = { .group = (char *)"array pair (d:e)" } },
	{ .name = (char *)"sdc", .size = 32 << 20, .signatures = raid,
	  .table = { .group = (char *)"array pair (d:e)" } },
	{ .name = (char *)"sdd", .size = 32 << 20, .signatures = ext },
	{ .name = (char *)"sde", .size = 32 << 20, .signatures = raid,
	  .table = { .group = (char *)"array pair (another)" } },
};
static const struct sw_facts facts = { .disks = disks, .n_disks = ARRAY_SIZE(disks) };

static void test_members_belong_together_by_their_group(void **state SW_UNUSED)
{
	struct sw_stack s;

	assert_int_equal(sw_stack_find(&facts, "sda", 1, &s, NULL), 0);
	assert_int_equal(s.kind, SW_STACK_LUKS);
	assert_string_equal(s.name, "sda-1");
	assert_int_equal(s.n, 1);
	assert_int_equal(s.members[0].start, 1 << 20);
	assert_int_equal(sw_stack_find(&facts, "sda", 2, &s, NULL), 0);
	assert_int_equal(s.kind, SW_STACK_LVM);
	assert_string_equal(s.name, "vg0");
	assert_int_equal(s.n, 1);
	/* The one that was asked for stands first; an array of the same name is another one. */
	assert_int_equal(sw_stack_find(&facts, "sdc", 0, &s, NULL), 0);
	assert_int_equal(s.kind, SW_STACK_MD);
	assert_string_equal(s.name, "pair");
	assert_int_equal(s.n, 2);
	assert_string_equal(s.members[0].disk->name, "sdc");
	assert_string_equal(s.members[1].disk->name, "sdb");
	assert_int_equal(s.members[1].size, 32 << 20);
}

static void test_what_holds_nothing_to_open_is_said(void **state SW_UNUSED)
{
	struct sw_error err = {};
	struct sw_stack s;

	assert_int_equal(sw_stack_find(&facts, "sdd", 0, &s, &err), -ENODATA);
	assert_int_equal(err.exit, SW_EXIT_MISSING);
	err = (struct sw_error){};
	assert_int_equal(sw_stack_find(&facts, "sda", 7, &s, &err), -ENOENT);
	assert_non_null(strstr(err.where, "sda, partition 7"));
	assert_int_equal(sw_stack_find(&facts, "sdz", 0, &s, NULL), -ENOENT);
}

/* ---- words ---- */

static char *joined(char **argv)
{
	_cleanup_buf_ struct sw_buf b = {};

	for (char **a = argv; *a; a++)
		assert_int_equal(sw_buf_addf(&b, "%s%s", a == argv ? "" : " ", *a), 0);
	sw_strv_free(argv);
	return sw_buf_steal(&b);
}

static void assert_words(char **argv, const char *wanted)
{
	_cleanup_free_ char *text = joined(argv);

	assert_string_equal(text, wanted);
}

static char *loops[] = { (char *)"/dev/loop3", (char *)"/dev/loop4", NULL };

static void test_an_array_is_assembled_read_only(void **state SW_UNUSED)
{
	char **argv = NULL;

	assert_int_equal(sw_stack_md_words("sdb-0", loops, false, &argv), 0);
	assert_words(argv, "mdadm --assemble --readonly --freeze-reshape --config=none "
			   "/dev/md/slipway-sdb-0 /dev/loop3 /dev/loop4");
	argv = NULL;
	assert_int_equal(sw_stack_md_words("sdb-0", loops, true, &argv), 0);
	assert_words(argv, "mdadm --assemble --readonly --freeze-reshape --config=none --run "
			   "/dev/md/slipway-sdb-0 /dev/loop3 /dev/loop4");
}

static void test_lvm_sees_its_members_alone_and_writes_nothing(void **state SW_UNUSED)
{
	_cleanup_free_ char *config = sw_stack_lvm_config("vg0", loops);
	char **argv = NULL;

	assert_string_equal(config,
		"devices{use_devicesfile=0 hints=\"none\" obtain_device_list_from_udev=0 "
		"filter=[\"a|^/dev/loop3$|\",\"a|^/dev/loop4$|\",\"r|.*|\"]} "
		"activation{read_only_volume_list=[\"vg0\"] monitoring=0} "
		"backup{backup=0 archive=0} "
		"global{metadata_read_only=1 use_lvmlockd=0 use_lvmpolld=0}");
	assert_int_equal(sw_stack_lvm_open_words("CONFIG", "vg0", "root", false, &argv), 0);
	assert_words(argv, "lvm lvchange --config CONFIG --activate y --ignoreactivationskip "
			   "--activationmode complete vg0/root");
	argv = NULL;
	assert_int_equal(sw_stack_lvm_open_words("CONFIG", "vg0", "root", true, &argv), 0);
	assert_words(argv, "lvm lvchange --config CONFIG --activate y --ignoreactivationskip "
			   "--activationmode partial vg0/root");
	argv = NULL;
	assert_int_equal(sw_stack_lvm_list_words("CONFIG", "vg0", &argv), 0);
	assert_words(argv, "lvm lvs --config CONFIG --readonly --noheadings --separator "
			   ":slipway: --options lv_name,segtype vg0");
}

static void test_volumes_whose_drivers_write_are_left(void **state SW_UNUSED)
{
	_cleanup_strv_ char **volumes = NULL;
	size_t left = 0;

	assert_int_equal(sw_stack_lvs_parse("  WARNING: PV /dev/loop3 is old\n"
					    "  root:slipway:linear\n  pool:slipway:thin-pool\n"
					    "  a/b:slipway:linear\n  data:slipway:striped  \n",
					    &volumes, &left), 0);
	assert_int_equal(sw_strv_len(volumes), 2);
	assert_string_equal(volumes[0], "root");
	assert_string_equal(volumes[1], "data");
	assert_int_equal(left, 2);
}

/* ---- what is ours ---- */

static void test_a_mark_names_its_place(void **state SW_UNUSED)
{
	const struct sw_stack_member member = { .disk = &disks[0], .number = 2 };
	char mark[64], disk[64];
	unsigned int number = 0;

	sw_stack_mark(&member, mark, sizeof(mark));
	assert_string_equal(mark, "slipway:sda:2");
	assert_true(sw_stack_mark_parse(mark, disk, &number));
	assert_string_equal(disk, "sda");
	assert_int_equal(number, 2);
	assert_false(sw_stack_mark_parse("/root/image", disk, &number));
	assert_false(sw_stack_mark_parse("slipway:sda:", disk, &number));
	assert_false(sw_stack_mark_parse("slipway::1", disk, &number));
}

static void test_what_stands_on_a_loop_is_followed_to_the_top(void **state SW_UNUSED)
{
	_cleanup_tree_ struct tree *t = tree_new();
	_cleanup_strv_ char **names = NULL, **none = NULL;

	put(t, "sys/block/loop3/holders/md127", "");
	put(t, "sys/block/md127/holders/dm-0", "");
	put(t, "sys/block/md127/holders/dm-1", "");
	put(t, "sys/block/loop4/size", "1\n");
	assert_int_equal(sw_stack_holders(t->m, "loop3", &names), 0);
	assert_int_equal(sw_strv_len(names), 3);
	assert_string_equal(names[0], "md127");
	assert_int_equal(sw_stack_holders(t->m, "loop4", &none), 0);
	assert_null(none);
}

static void test_only_a_kernel_of_its_own_can_do_it(void **state SW_UNUSED)
{
	static const struct sw_stack_how how;
	struct sw_machine m = { .kind = SW_MACHINE_STANDIN };
	struct sw_error err = {};
	struct sw_stack s;

	assert_int_equal(sw_stack_find(&facts, "sda", 2, &s, NULL), 0);
	assert_int_equal(sw_stack_open(&m, &s, &how, &err), -EOPNOTSUPP);
	assert_int_equal(err.exit, SW_EXIT_MISSING);
	assert_non_null(strstr(err.why, "stand-in"));
	assert_int_equal(sw_stack_close(&m, NULL, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_members_belong_together_by_their_group),
		cmocka_unit_test(test_what_holds_nothing_to_open_is_said),
		cmocka_unit_test(test_an_array_is_assembled_read_only),
		cmocka_unit_test(test_lvm_sees_its_members_alone_and_writes_nothing),
		cmocka_unit_test(test_volumes_whose_drivers_write_are_left),
		cmocka_unit_test(test_a_mark_names_its_place),
		cmocka_unit_test(test_what_stands_on_a_loop_is_followed_to_the_top),
		cmocka_unit_test(test_only_a_kernel_of_its_own_can_do_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
