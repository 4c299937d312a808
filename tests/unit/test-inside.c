/* SPDX-License-Identifier: Apache-2.0 */
/* A shell inside the state: what is chosen before anything is opened. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "rescue/inside.h"
#include "tui/term/shell.h"

static void test_read_only_replays_no_journal_whatever_the_file_system(void **state SW_UNUSED)
{
	assert_string_equal(sw_inside_options("ext4", false), "noload");
	assert_string_equal(sw_inside_options("ext3", false), "noload");
	assert_string_equal(sw_inside_options("xfs", false), "norecovery");
	assert_string_equal(sw_inside_options("btrfs", false), "rescue=nologreplay");
	/* ext2 has no journal, and takes no such option. */
	assert_string_equal(sw_inside_options("ext2", false), "");
	assert_string_equal(sw_inside_options("vfat", false), "");
	/* For writing it has to be replayed. */
	assert_string_equal(sw_inside_options("ext4", true), "");
	assert_string_equal(sw_inside_options("xfs", true), "");
}

static const struct sw_disk disk = { .name = (char *)"sda" };
static const struct sw_part part = { .number = 4 };

/* The exit code: 0 when it may be opened so. */
static int judged(bool write, bool damaged, bool mirror, enum sw_inside_condition condition,
		  struct sw_error *err)
{
	const struct sw_inside i = { .disk = &disk, .part = &part, .write = write,
				     .damaged = damaged, .mirror = mirror,
				     .condition = condition };
	int r;

	*err = (struct sw_error){ 0 };
	r = sw_inside_judge(&i, err);
	assert_true((r < 0) == (err->exit != SW_EXIT_OK));
	return (int)err->exit;
}

static void test_what_is_damaged_is_written_only_when_that_is_said(void **state SW_UNUSED)
{
	struct sw_error err;

	for (int c = SW_INSIDE_CLEAN; c <= SW_INSIDE_UNKNOWN; c++) {
		int refused = c == SW_INSIDE_DAMAGED ? SW_EXIT_REFUSED : 0;

		assert_int_equal(judged(false, false, false, (enum sw_inside_condition)c, &err), 0);
		assert_int_equal(judged(true, false, false, (enum sw_inside_condition)c, &err),
				 refused);
		assert_int_equal(judged(true, true, false, (enum sw_inside_condition)c, &err), 0);
	}
	(void)judged(true, false, false, SW_INSIDE_DAMAGED, &err);
	assert_non_null(strstr(err.hint, "slipway doctor"));
	assert_non_null(strstr(err.where, "sda, partition 4"));
}

static void test_one_member_of_a_mirror_is_never_written(void **state SW_UNUSED)
{
	struct sw_error err;

	assert_int_equal(judged(false, false, true, SW_INSIDE_CLEAN, &err), 0);
	assert_int_equal(judged(true, false, true, SW_INSIDE_CLEAN, &err), SW_EXIT_REFUSED);
	assert_int_equal(judged(true, true, true, SW_INSIDE_CLEAN, &err), SW_EXIT_REFUSED);
}

/* ---- what a console starts for it ---- */

static void words_are(unsigned int flags, const char *machine, const char *expected)
{
	struct sw_wire_shell what = { .flags = flags }, read;
	_cleanup_buf_ struct sw_buf wire = { 0 }, text = { 0 };
	const char *words[SW_SHELL_WORDS];
	struct sw_message m;

	(void)snprintf(what.machine, sizeof(what.machine), "%s", machine);
	/* As it comes over the socket. */
	assert_int_equal(sw_wire_shell(&wire, &what), 0);
	assert_int_equal(sw_wire_next(wire.data, wire.len, &m), 1);
	assert_int_equal(sw_wire_read_shell(&m, &read), 0);
	sw_shell_words(&read, words);
	for (size_t i = 0; words[i]; i++)
		assert_int_equal(sw_buf_addf(&text, "%s ", words[i]), 0);
	assert_string_equal(sw_buf_text(&text), expected);
}

static void test_the_console_starts_the_command_with_what_was_chosen(void **state SW_UNUSED)
{
	words_are(0, "", "/bin/sh -l ");
	words_are(SW_SHELL_STATE_FLAG, "", "/proc/self/exe shell --state ");
	words_are(SW_SHELL_STATE_FLAG | SW_SHELL_WRITE_FLAG, "/tmp/m",
		  "/proc/self/exe --machine /tmp/m shell --state --write ");
	words_are(SW_SHELL_STATE_FLAG | SW_SHELL_WRITE_FLAG | SW_SHELL_DAMAGED_FLAG, "/tmp/m",
		  "/proc/self/exe --machine /tmp/m shell --state --write --damaged ");
}

static void test_a_message_that_says_nothing_is_the_plain_shell(void **state SW_UNUSED)
{
	static const uint8_t old[] = { 'X', 0, 0, 0, 0 }, torn[] = { 'X', 2, 0, 0, 0, 1, 'a' };
	struct sw_wire_shell what = { .flags = 7 };
	struct sw_message m;

	assert_int_equal(sw_wire_next(old, sizeof(old), &m), 1);
	assert_int_equal(sw_wire_read_shell(&m, &what), 0);
	assert_int_equal(what.flags, 0);
	assert_int_equal(sw_wire_next(torn, sizeof(torn), &m), 1);
	assert_int_equal(sw_wire_read_shell(&m, &what), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read_only_replays_no_journal_whatever_the_file_system),
		cmocka_unit_test(test_what_is_damaged_is_written_only_when_that_is_said),
		cmocka_unit_test(test_one_member_of_a_mirror_is_never_written),
		cmocka_unit_test(test_the_console_starts_the_command_with_what_was_chosen),
		cmocka_unit_test(test_a_message_that_says_nothing_is_the_plain_shell),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
