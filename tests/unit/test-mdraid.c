/* SPDX-License-Identifier: Apache-2.0 */
/* RAID1 members are what mdadm takes them for, and nothing else is read as one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/proc.h"
#include "disk/mdraid.h"

#define SIZE ((16ULL << 20) + 12345 * 512)

static struct sw_guid seed(void)
{
	struct sw_guid g;

	assert_int_equal(sw_guid_parse("d2e9a4c2-7f3b-4e0e-9f1a-0b2c4d6e8f10", &g), 0);
	return g;
}

static struct sw_io *new_member(uint64_t size)
{
	static struct sw_io_log log;
	struct sw_io *io = NULL;

	sw_io_log_clear(&log);
	assert_int_equal(sw_io_new_recorder(size, 512, NULL, &log, SIZE_MAX, 0, &io), 0);
	return io;
}

static struct sw_md new_md(unsigned int members, unsigned int number)
{
	struct sw_guid g = seed();
	struct sw_md md = {};

	assert_int_equal(sw_md_new(&g, "state", members, number, sw_md_size(SIZE), 1700000000,
				   &md), 0);
	return md;
}

static void test_what_is_written_is_read(void **state SW_UNUSED)
{
	struct sw_md a = new_md(2, 0), b = new_md(2, 1), back = {};
	_cleanup_io_ struct sw_io *io = new_member(SIZE);

	assert_int_equal(sw_md_read(io, &back), -ENODATA);
	assert_int_equal(sw_md_write(io, &b), 0);
	assert_int_equal(sw_md_read(io, &back), 0);
	assert_memory_equal(back.uuid, a.uuid, 16);
	assert_memory_not_equal(back.member_uuid, a.member_uuid, 16);
	assert_int_equal(back.number, 1);
	assert_int_equal(back.members, 2);
	assert_int_equal(back.active, 2);
	assert_int_equal(back.size, sw_md_size(SIZE));
	assert_int_equal(back.time, 1700000000);
	assert_true(back.in_sync);
	assert_string_equal(back.name, "state");
}

/* Every bit of the superblock counts: no damage goes unseen. */
static void test_damage_is_seen(void **state SW_UNUSED)
{
	struct sw_md md = new_md(3, 2), back;
	_cleanup_io_ struct sw_io *io = new_member(SIZE);
	uint8_t b[512], c;

	assert_int_equal(sw_md_write(io, &md), 0);
	assert_int_equal(sw_io_read(io, 4096, b, sizeof(b)), 0);
	for (size_t i = 0; i < sizeof(b); i++) {
		c = b[i] ^ 0x10;
		assert_int_equal(sw_io_write(io, 4096 + i, &c, 1), 0);
		assert_true(sw_md_read(io, &back) < 0);
		assert_int_equal(sw_io_write(io, 4096 + i, &b[i], 1), 0);
	}
	assert_int_equal(sw_md_read(io, &back), 0);
}

static void test_sizes_that_do_not_fit(void **state SW_UNUSED)
{
	struct sw_md md = new_md(2, 0), back;
	_cleanup_io_ struct sw_io *small = new_member(8ULL << 20), *io = new_member(SIZE);
	_cleanup_io_ struct sw_io *cut = NULL, *tiny = NULL;
	struct sw_guid g = seed();

	assert_int_equal(sw_md_write(small, &md), -ERANGE);
	assert_int_equal(sw_md_write(io, &md), 0);
	assert_int_equal(sw_io_window(io, 0, 8ULL << 20, &cut), 0);
	assert_int_equal(sw_md_read(cut, &back), -EINVAL);
	assert_int_equal(sw_io_window(io, 0, 4096, &tiny), 0);
	assert_int_equal(sw_md_read(tiny, &back), -ENODATA);
	assert_int_equal(sw_md_size(1ULL << 20), 0);
	assert_int_equal(sw_md_new(&g, "x", 65, 0, 65536, 0, &md), -EINVAL);
	assert_int_equal(sw_md_new(&g, "x", 2, 2, 65536, 0, &md), -EINVAL);
	assert_int_equal(sw_md_new(&g, "x", 2, 0, 65537, 0, &md), -EINVAL);
}

static void test_mdadm_says_the_same(void **state SW_UNUSED)
{
	char *dir = NULL;
	struct sw_error err = {};
	struct sw_md md = new_md(2, 1);
	_cleanup_buf_ struct sw_buf out = {};

	assert_int_equal(sw_scratch_new("slipway-test", &dir), 0);
	_cleanup_free_ char *path = sw_fmt("%s/member", dir);
	const char *argv[] = { "mdadm", "--examine", path, NULL };
	static const char *const lines[] = {
		"Magic : a92b4efc", "Version : 1.2", "Feature Map : 0x0", "Name : state",
		"Raid Level : raid1", "Raid Devices : 2", "Super Offset : 8 sectors",
		"Data Offset : 2048 sectors", "State : clean", "Device Role : Active device 1",
		"Array State : AA", "- correct", "Events : 2",
	};
	FILE *f = fopen(path, "we");
	struct sw_io *io = NULL;

	assert_non_null(f);
	assert_int_equal(ftruncate(fileno(f), SIZE), 0);
	fclose(f);
	assert_int_equal(sw_io_open(path, true, false, 512, &io, &err), 0);
	assert_int_equal(sw_md_write(io, &md), 0);
	sw_io_close(io);
	assert_int_equal(sw_proc_run(argv, NULL, 60, &out), 0);
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		if (!memmem(out.data, out.len, lines[i], strlen(lines[i]))) {
			print_error("%.*s\n", (int)out.len, (const char *)out.data);
			fail_msg("mdadm does not say: %s", lines[i]);
		}
	sw_remove_tree(dir);
	free(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_written_is_read),
		cmocka_unit_test(test_damage_is_seen),
		cmocka_unit_test(test_sizes_that_do_not_fit),
		cmocka_unit_test(test_mdadm_says_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
