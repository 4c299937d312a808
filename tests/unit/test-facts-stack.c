/* SPDX-License-Identifier: Apache-2.0 */
/* Who uses a disk, through whatever is stacked on it, and what slipway runs from. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/strv.h"
#include "disk/select.h"
#include "tests/lib/tree.h"

/* UPPER stands on LOWER: both directions, as the kernel links them. */
static void put_stack(struct tree *t, const char *lower, const char *upper)
{
	_cleanup_free_ char *up = sw_fmt("%s/holders/%s", lower, strrchr(upper, '/') + 1);
	_cleanup_free_ char *down = sw_fmt("%s/slaves/%s", upper, strrchr(lower, '/') + 1);

	put_link(t, up, upper);
	put_link(t, down, lower);
}

static void put_mounts(struct tree *t, const char *text)
{
	put(t, "proc/self/mountinfo", text);
}

static void test_a_holder_is_followed_to_what_is_mounted(void **state SW_UNUSED)
{
	_cleanup_tree_ struct tree *t = tree_new();
	_cleanup_free_ char *a = put_disk(t, "pci/ata1/host0/block", "sda", "8:0\n");
	_cleanup_free_ char *part = sw_fmt("%s/sda3", a);
	_cleanup_free_ char *luks = put_disk(t, "virtual/block", "dm-0", "253:0\n");
	_cleanup_free_ char *root = put_disk(t, "virtual/block", "dm-1", "253:1\n");
	_cleanup_free_ char *swap = put_disk(t, "virtual/block", "dm-2", "253:2\n");
	_cleanup_free_ char *idle = put_disk(t, "virtual/block", "dm-3", "253:3\n");
	_cleanup_facts_ struct sw_facts *f = NULL;

	put_part(t, a, "sda3", "8:3\n");
	put_stack(t, part, luks);
	put_stack(t, luks, root);
	put_stack(t, luks, swap);
	put_stack(t, luks, idle);
	putf(t, luks, "dm/name", "crypt\n");
	putf(t, root, "dm/name", "vg0-root\n");
	putf(t, swap, "dm/name", "vg0-swap\n");
	putf(t, idle, "dm/name", "vg0-spare\n");
	put_mounts(t, "23 1 253:1 / / rw - ext4 /dev/mapper/vg0-root rw\n"
		      "24 1 253:1 /x /srv rw - ext4 /dev/mapper/vg0-root rw\n");
	put(t, "proc/swaps", "Filename Type Size Used Priority\n/dev/dm-2 partition 1 0 -2\n");
	f = facts_of(t);
	assert_true(has_use(disk(f, "sda"),
			    "sda3 is held by vg0-root (mounted at / (and 1 more)) through crypt"));
	assert_true(has_use(disk(f, "sda"),
			    "sda3 is held by vg0-swap (used as swap) through crypt"));
	assert_true(has_use(disk(f, "sda"), "sda3 is held by vg0-spare through crypt"));
	assert_int_equal(sw_strv_len(disk(f, "sda")->uses), 3);
}

static void test_arrays_multipath_and_bcache_say_what_they_are(void **state SW_UNUSED)
{
	_cleanup_tree_ struct tree *t = tree_new();
	_cleanup_free_ char *a = put_disk(t, "pci/ata1/host0/block", "sda", "8:0\n");
	_cleanup_free_ char *b = put_disk(t, "pci/ata2/host1/block", "sdb", "8:16\n");
	_cleanup_free_ char *c = put_disk(t, "pci/ata3/host2/block", "sdc", "8:32\n");
	_cleanup_free_ char *md = put_disk(t, "virtual/block", "md127", "9:127\n");
	_cleanup_free_ char *mp = put_disk(t, "virtual/block", "dm-0", "253:0\n");
	_cleanup_free_ char *bc = put_disk(t, "virtual/block", "bcache0", "252:0\n");
	_cleanup_facts_ struct sw_facts *f = NULL;

	put_stack(t, a, md);
	put_stack(t, b, mp);
	put_stack(t, c, bc);
	putf(t, md, "md/level", "raid1\n");
	put_part(t, md, "md127p1", "259:1\n");
	putf(t, mp, "dm/name", "mpatha\n");
	putf(t, mp, "dm/uuid", "mpath-3600508b400105e210000900000490000\n");
	put_mounts(t, "23 1 259:1 / /data rw - xfs /dev/md127p1 rw\n"
		      "24 1 252:0 / /cache rw - xfs /dev/bcache0 rw\n");
	f = facts_of(t);
	assert_true(has_use(disk(f, "sda"),
			    "sda is held by md127p1 (mounted at /data) through md127 (raid1)"));
	assert_true(has_use(disk(f, "sdb"), "sdb is held by multipath disk mpatha"));
	assert_true(has_use(disk(f, "sdc"), "sdc is held by bcache0 (mounted at /cache)"));
}

static void test_a_loop_device_on_a_partition_is_a_holder(void **state SW_UNUSED)
{
	_cleanup_tree_ struct tree *t = tree_new();
	_cleanup_free_ char *a = put_disk(t, "pci/ata1/host0/block", "sda", "8:0\n");
	_cleanup_free_ char *loop = put_disk(t, "virtual/block", "loop3", "7:3\n");
	_cleanup_facts_ struct sw_facts *f = NULL;

	put_part(t, a, "sda2", "8:2\n");
	put(t, "dev/sda2", "");
	putf(t, loop, "loop/backing_file", "/dev/sda2\n");
	put_mounts(t, "23 1 7:3 / /inside rw - ext4 /dev/loop3 rw\n");
	f = facts_of(t);
	assert_true(has_use(disk(f, "sda"), "sda2 is held by loop3 (mounted at /inside)"));
}

static void test_every_disk_of_a_btrfs_is_in_use(void **state SW_UNUSED)
{
	_cleanup_tree_ struct tree *t = tree_new();
	_cleanup_free_ char *a = put_disk(t, "pci/ata1/host0/block", "sda", "8:0\n");
	_cleanup_free_ char *b = put_disk(t, "pci/ata2/host1/block", "sdb", "8:16\n");
	_cleanup_free_ char *c = put_disk(t, "pci/ata3/host2/block", "sdc", "8:32\n");
	static const char one[] = "sys/fs/btrfs/11111111-2222-4333-8444-555555555555/devices";
	_cleanup_free_ char *first = sw_fmt("%s/sda", one), *second = sw_fmt("%s/sdb", one);
	_cleanup_facts_ struct sw_facts *f = NULL;

	put_link(t, first, a);
	put_link(t, second, b);
	put_link(t, "sys/fs/btrfs/99999999-2222-4333-8444-555555555555/devices/sdc", c);
	put_mounts(t, "25 23 0:38 / /data rw - btrfs /dev/sda rw\n");
	f = facts_of(t);
	assert_true(has_use(disk(f, "sda"), "sda is mounted at /data"));
	assert_true(has_use(disk(f, "sdb"), "sdb is part of the btrfs mounted at /data"));
	assert_true(has_use(disk(f, "sdc"), "sdc is part of a btrfs that is in use"));
}

static void test_mounts_of_other_namespaces_count(void **state SW_UNUSED)
{
	_cleanup_tree_ struct tree *t = tree_new();
	_cleanup_free_ char *a = put_disk(t, "pci/ata1/host0/block", "sda", "8:0\n");
	_cleanup_free_ char *b = put_disk(t, "pci/ata2/host1/block", "sdb", "8:16\n");
	_cleanup_free_ char *dir = sw_fmt("%s/proc/812/ns", t->top), *ns = NULL;
	_cleanup_facts_ struct sw_facts *f = NULL;

	assert_true(a && b);
	put_mounts(t, "23 1 8:0 / /here rw - ext4 /dev/sda rw\n");
	put(t, "proc/812/mountinfo", "23 1 8:0 / /also rw - ext4 /dev/sda rw\n"
				     "24 1 8:16 / /srv/pod rw - ext4 /dev/sdb rw\n");
	put(t, "proc/812/comm", "containerd\n");
	assert_int_equal(sw_mkdir_all(dir, 0755), 0);
	ns = sw_fmt("%s/mnt", dir);
	assert_int_equal(symlink("mnt:[4026532999]", ns), 0);
	f = facts_of(t);
	assert_true(has_use(disk(f, "sda"), "sda is mounted at /here"));
	assert_int_equal(sw_strv_len(disk(f, "sda")->uses), 1);
	assert_true(has_use(disk(f, "sdb"),
			    "sdb is mounted at /srv/pod for process 812 (containerd)"));
}

/* A live system whose stick was unmounted: overlay, squashfs, loop, a file on a partition. */
static void test_the_stick_below_a_live_system_is_found_through_all_layers(void **state SW_UNUSED)
{
	_cleanup_tree_ struct tree *t = tree_new();
	_cleanup_free_ char *a = put_disk(t, "pci/usb1/1-1/host0/block", "sda", "8:0\n");
	_cleanup_free_ char *b = put_disk(t, "pci/ata2/host1/block", "sdb", "8:16\n");
	_cleanup_free_ char *loop = put_disk(t, "virtual/block", "loop0", "7:0\n");
	_cleanup_free_ char *dm = put_disk(t, "virtual/block", "dm-0", "253:0\n");
	_cleanup_free_ char *part = sw_fmt("%s/sda1", a);
	_cleanup_facts_ struct sw_facts *f = NULL;

	assert_non_null(b);
	put_part(t, a, "sda1", "8:1\n");
	putf(t, part, "size", "100\n");
	put_link(t, "sys/devices/virtual/block/dm-0/slaves/sda1", part);
	putf(t, dm, "dm/name", "ventoy\n");
	putf(t, loop, "ro", "1\n");
	putf(t, loop, "loop/backing_file", "/run/live/medium/live/filesystem.squashfs\n");
	put_mounts(t, "20 1 253:0 / /run/live/medium ro - iso9660 /dev/mapper/ventoy ro\n"
		      "21 1 7:0 / /run/live/rootfs ro - squashfs /dev/loop0 ro\n"
		      "22 1 0:30 / / rw - overlay overlay "
		      "rw,lowerdir=/run/live/rootfs,upperdir=/run/live/cow/up,workdir=/w\n");
	f = facts_of(t);
	assert_true(has_use(disk(f, "sda"), "sda carries the system that slipway runs on"));
	assert_null(disk(f, "sdb")->uses);
	assert_non_null(sw_disk_excluded(disk(f, "sda"), 0));
}

static void test_a_stack_that_bites_its_tail_ends(void **state SW_UNUSED)
{
	_cleanup_tree_ struct tree *t = tree_new();
	_cleanup_free_ char *a = put_disk(t, "pci/ata1/host0/block", "sda", "8:0\n");
	_cleanup_free_ char *x = put_disk(t, "virtual/block", "dm-0", "253:0\n");
	_cleanup_free_ char *y = put_disk(t, "virtual/block", "dm-1", "253:1\n");
	_cleanup_facts_ struct sw_facts *f = NULL;

	put_stack(t, a, x);
	put_stack(t, x, y);
	put_stack(t, y, x);
	put_mounts(t, "22 1 0:30 / / rw - overlay overlay rw,lowerdir=/:/:/:/\n"
		      "23 1 253:1 / /usr rw - ext4 /dev/dm-1 rw\n");
	f = facts_of(t);
	assert_non_null(disk(f, "sda")->uses);
}

static void put_identity(struct tree *t, const char *dir, const char *wwn)
{
	putf(t, dir, "device/wwid", wwn);
	putf(t, dir, "serial", "S1\n");
}

static void test_two_paths_to_one_disk_share_what_is_known_of_one(void **state SW_UNUSED)
{
	_cleanup_tree_ struct tree *t = tree_new();
	_cleanup_free_ char *a = put_disk(t, "pci/host0/port-0:0/end_device-0:0/block", "sda",
					  "8:0\n");
	_cleanup_free_ char *b = put_disk(t, "pci/host1/port-1:0/end_device-1:0/block", "sdb",
					  "8:16\n");
	_cleanup_free_ char *c = put_disk(t, "pci/host1/port-1:1/end_device-1:1/block", "sdc",
					  "8:32\n");
	_cleanup_free_ char *e = put_disk(t, "pci/host1/port-1:2/end_device-1:2/block", "sdd",
					  "8:48\n");
	_cleanup_free_ char *node = sw_fmt("%s/dev/sdd", t->top);
	_cleanup_facts_ struct sw_facts *f = NULL;

	put_identity(t, a, "naa.5000c50000000001\n");
	put_identity(t, b, "naa.5000c50000000001\n");
	put_identity(t, c, "naa.5000c50000000002\n");
	put_identity(t, e, "naa.5000c50000000001\n");
	/* The same name, and something else on it: a liar, not a path. */
	put_bytes(t, "dev/sdd", "not the same", 12);
	assert_int_equal(truncate(node, 8 << 20), 0);
	put_part(t, a, "sda1", "8:1\n");
	put_mounts(t, "23 1 8:1 / /here rw - ext4 /dev/sda1 rw\n");
	f = facts_of(t);
	assert_string_equal(disk(f, "sda")->paths[0], "sdb");
	assert_string_equal(disk(f, "sdb")->paths[0], "sda");
	assert_null(disk(f, "sda")->paths[1]);
	assert_null(disk(f, "sdc")->paths);
	assert_null(disk(f, "sdd")->paths);
	assert_true(has_use(disk(f, "sdb"),
			    "sdb is another path to sda: sda1 is mounted at /here"));
	assert_null(disk(f, "sdc")->uses);
	assert_true(sw_disk_same(disk(f, "sda"), disk(f, "sdb")));
	assert_false(sw_disk_same(disk(f, "sda"), disk(f, "sdc")));
	assert_false(sw_disk_same(disk(f, "sda"), disk(f, "sdd")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_holder_is_followed_to_what_is_mounted),
		cmocka_unit_test(test_arrays_multipath_and_bcache_say_what_they_are),
		cmocka_unit_test(test_a_loop_device_on_a_partition_is_a_holder),
		cmocka_unit_test(test_every_disk_of_a_btrfs_is_in_use),
		cmocka_unit_test(test_mounts_of_other_namespaces_count),
		cmocka_unit_test(
			test_the_stick_below_a_live_system_is_found_through_all_layers),
		cmocka_unit_test(test_a_stack_that_bites_its_tail_ends),
		cmocka_unit_test(test_two_paths_to_one_disk_share_what_is_known_of_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
