/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "machine/watch.h"

static void test_only_block_devices_make_it_look_again(void **state SW_UNUSED)
{
	static const char disk[] = "libudev\0\0\0ACTION=add\0SUBSYSTEM=block\0DEVNAME=/dev/sdb";
	static const char mouse[] = "libudev\0\0\0ACTION=add\0SUBSYSTEM=input\0NAME=blocks";
	static const char longer[] = "ACTION=add\0SUBSYSTEM=blockade\0";

	assert_true(sw_watch_is_block(disk, sizeof(disk)));
	assert_false(sw_watch_is_block(mouse, sizeof(mouse)));
	assert_false(sw_watch_is_block(longer, sizeof(longer)));
	assert_false(sw_watch_is_block(disk, 12));
}

static void test_a_stand_in_has_nothing_to_watch(void **state SW_UNUSED)
{
	struct sw_machine m = { .kind = SW_MACHINE_STANDIN };
	struct sw_watch w;

	sw_watch_open(&m, &w);
	assert_true(w.fd[0] < 0 && w.fd[1] < 0);
	assert_false(sw_watch_read(&w));
	sw_watch_close(&w);
}

static void test_reading_a_quiet_real_machine_does_not_block(void **state SW_UNUSED)
{
	struct sw_machine m = { .kind = SW_MACHINE_REAL };
	struct sw_watch w;

	sw_watch_open(&m, &w);
	assert_true(w.fd[1] >= 0);
	(void)sw_watch_read(&w);
	assert_false(sw_watch_read(&w));
	sw_watch_close(&w);
	assert_true(w.fd[0] < 0 && w.fd[1] < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_only_block_devices_make_it_look_again),
		cmocka_unit_test(test_a_stand_in_has_nothing_to_watch),
		cmocka_unit_test(test_reading_a_quiet_real_machine_does_not_block),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
