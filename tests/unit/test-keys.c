/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tui/screens/screens.h"
#include "tui/session/keys.h"

/* Taken by serial lines or the programs around them; see the head of keys.h. */
static void test_no_request_needs_a_key_that_lines_take(void **state SW_UNUSED)
{
	static const uint32_t taken[] = {
		SW_CTRL('s'), SW_CTRL('q'), 0x1d, '~', SW_CTRL('a'), SW_CTRL('o'), SW_CTRL('t'),
		 SW_CTRL('z'), 0x1c,
	};

	for (size_t i = 0; i < ARRAY_SIZE(taken); i++) {
		assert_int_equal(sw_key_request(taken[i], SW_MODE_KEYS), SW_REQ_NONE);
		if (taken[i] < ' ')
			assert_int_equal(sw_key_request(taken[i], SW_MODE_TEXT), SW_REQ_NONE);
	}
}

/* Function keys and Esc get lost on many lines, arrows on some. */
static void test_every_request_has_a_plain_key(void **state SW_UNUSED)
{
	for (int req = SW_REQ_UP; req < SW_N_REQUESTS; req++) {
		bool plain = req == SW_REQ_LEFT || req == SW_REQ_RIGHT || req == SW_REQ_PREVIOUS ||
			     req == SW_REQ_DELETE;

		for (uint32_t key = 1; key < 0x80; key++)
			if (key != SW_KEY_ESC &&
			    (sw_key_request(key, SW_MODE_KEYS) == (enum sw_request)req ||
			     sw_key_request(key, SW_MODE_TEXT) == (enum sw_request)req))
				plain = true;
		if (!plain)
			fail_msg("no plain key: %s", sw_request_word((enum sw_request)req));
	}
}

static void test_letters_are_text_where_text_is_typed(void **state SW_UNUSED)
{
	for (uint32_t key = ' '; key < 0x7f; key++)
		assert_int_equal(sw_key_request(key, SW_MODE_TEXT), SW_REQ_TEXT);
	assert_int_equal(sw_key_request(0xe9, SW_MODE_TEXT), SW_REQ_TEXT);
	assert_int_equal(sw_key_request('k', SW_MODE_KEYS), SW_REQ_UP);
	assert_int_equal(sw_key_request(0x7f, SW_MODE_TEXT), SW_REQ_BACKSPACE);
	assert_int_equal(sw_key_request(0x08, SW_MODE_TEXT), SW_REQ_BACKSPACE);
	assert_int_equal(sw_key_request('\n', SW_MODE_TEXT), SW_REQ_ACCEPT);
}

static void test_every_request_has_a_word(void **state SW_UNUSED)
{
	for (int req = SW_REQ_TEXT; req < SW_N_REQUESTS; req++)
		assert_true(sw_request_word((enum sw_request)req)[0] != '\0');
}

/* Hints that would not fit are left out, and help and redraw are wanted everywhere. */
static void test_all_hints_fit_into_80_columns(void **state SW_UNUSED)
{
	static const struct sw_view_ops *const screens[] = {
		&sw_screen_start, &sw_screen_countdown, &sw_screen_installed, &sw_screen_journal,
		&sw_screen_disk,
		&sw_screen_details, &sw_screen_layout, &sw_screen_payload, &sw_screen_boot,
		&sw_screen_admission, &sw_screen_node, &sw_screen_review, &sw_screen_confirm,
		&sw_screen_progress, &sw_screen_result, &sw_screen_log, &sw_screen_save,
		&sw_screen_ask, &sw_screen_help, &sw_screen_about,
	};

	for (size_t i = 0; i < ARRAY_SIZE(screens); i++) {
		_cleanup_free_ void *data = calloc(1, screens[i]->size + 1);
		struct sw_view v = { .ops = screens[i], .data = data };
		_cleanup_buf_ struct sw_buf short_line = { 0 }, long_line = { 0 };

		sw_view_hints(&v, 79, &short_line);
		sw_view_hints(&v, 1000, &long_line);
		assert_string_equal(sw_buf_text(&short_line), sw_buf_text(&long_line));
		assert_non_null(strstr(sw_buf_text(&short_line), "help"));
		assert_non_null(strstr(sw_buf_text(&short_line), "^L redraw"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_request_needs_a_key_that_lines_take),
		cmocka_unit_test(test_every_request_has_a_plain_key),
		cmocka_unit_test(test_letters_are_text_where_text_is_typed),
		cmocka_unit_test(test_every_request_has_a_word),
		cmocka_unit_test(test_all_hints_fit_into_80_columns),
	};

	return cmocka_run_group_tests_name("keys", tests, NULL, NULL);
}
