/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tui/session/frame.h"
#include "tui/session/text.h"
#include "tui/session/title.h"

static void assert_frame(const struct sw_frame *f, const char *expected)
{
	_cleanup_free_ char *text = sw_frame_text(f);

	assert_string_equal(text, expected);
}

static void test_text_is_clipped_with_a_mark(void **state SW_UNUSED)
{
	_cleanup_frame_ struct sw_frame *f = sw_frame_new(3, 8);

	assert_int_equal(sw_frame_put(f, 0, 0, 8, 0, "12345678"), 8);
	assert_int_equal(sw_frame_put(f, 1, 0, 8, 0, "123456789"), 8);
	assert_int_equal(sw_frame_put(f, 2, 6, 80, 0, "abc"), 2);
	assert_frame(f, "12345678\n1234567~\n      a~\n");
}

static void test_drawing_outside_is_dropped(void **state SW_UNUSED)
{
	_cleanup_frame_ struct sw_frame *f = sw_frame_new(1, 4);

	assert_int_equal(sw_frame_put(f, 1, 0, 4, 0, "x"), 0);
	assert_int_equal(sw_frame_put(f, 0, 4, 4, 0, "x"), 0);
	assert_int_equal(sw_frame_put(f, 0, 0, 0, 0, "x"), 0);
	assert_int_equal(sw_frame_put(f, 0, 0, 4, 0, NULL), 0);
	sw_frame_cursor(f, 100, 100);
	assert_int_equal(f->cur_row, 0);
	assert_int_equal(f->cur_col, 3);
	assert_frame(f, "\n");
}

static void test_sizes_are_clamped(void **state SW_UNUSED)
{
	_cleanup_frame_ struct sw_frame *small = sw_frame_new(0, 0);
	_cleanup_frame_ struct sw_frame *large = sw_frame_new(70000, 70000);

	assert_int_equal(small->rows * small->cols, 1);
	assert_int_equal(large->rows, SW_FRAME_MAX_ROWS);
	assert_int_equal(large->cols, SW_FRAME_MAX_COLS);
}

static void test_hostile_text_cannot_move_or_colour(void **state SW_UNUSED)
{
	static const struct {
		const char *text, *shown;
	} cases[] = {
		{ "a\033[2Jb", "a?[2Jb\n" },		/* an escape sequence */
		{ "a\r\nb\x07", "a??b?\n" },		/* controls */
		{ "a\tb", "a b\n" },
		{ "a\x7f\xc2\x9b" "b", "a??b\n" },	/* delete, C1 */
		{ "e\xcc\x81x", "ex\n" },		/* a combining mark */
		{ "a\xe2\x80\xae" "b", "ab\n" },	/* a direction override */
		{ "a\xffz", "a?z\n" },			/* not UTF-8 */
		{ "a\xc0\xafz", "a??z\n" },		/* overlong */
		{ "a\xed\xa0\x80z", "a???z\n" },	/* a surrogate */
		{ "a\xe6\xbc", "a??\n" },		/* cut off */
		{ "a\xee\x80\x80z", "a?z\n" },		/* private use */
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_frame_ struct sw_frame *f = sw_frame_new(1, 40);

		sw_frame_put(f, 0, 0, 40, 0, cases[i].text);
		assert_frame(f, cases[i].shown);
	}
}

static void test_wide_characters_are_never_halved(void **state SW_UNUSED)
{
	_cleanup_frame_ struct sw_frame *f = sw_frame_new(1, 6);

	/* Two columns each: three fit into five only with one left for the mark. */
	assert_int_equal(sw_frame_put(f, 0, 0, 5, 0, "漢字漢"), 5);
	assert_frame(f, "漢字~\n");
	assert_int_equal(f->cells[1].ch, 0);
	/* Overwriting one half takes the other away. */
	sw_frame_put(f, 0, 1, 1, 0, "x");
	assert_frame(f, " x字~\n");
	sw_frame_put(f, 0, 2, 1, 0, "y");
	assert_frame(f, " xy ~\n");
	/* A wide character that does not fit behind the mark leaves no half. */
	sw_frame_erase(f);
	assert_int_equal(sw_frame_put(f, 0, 0, 2, 0, "漢字"), 1);
	assert_frame(f, "~\n");
}

static void test_text_wraps_at_blanks_and_keeps_its_indent(void **state SW_UNUSED)
{
	_cleanup_lines_ struct sw_lines l = { 0 };

	assert_int_equal(sw_text_wrap("one two three\n  four five six\n\nlonglonglonglong", 10, &l),
			 0);
	assert_int_equal(l.n, 7);
	assert_string_equal(l.line[0], "one two");
	assert_string_equal(l.line[1], "three");
	assert_string_equal(l.line[2], "  four");
	assert_string_equal(l.line[3], "  five six");
	assert_string_equal(l.line[4], "");
	assert_string_equal(l.line[5], "longlonglo");
	assert_string_equal(l.line[6], "nglong");
}

static void test_every_byte_string_can_be_drawn(void **state SW_UNUSED)
{
	_cleanup_frame_ struct sw_frame *f = sw_frame_new(2, 13);
	uint32_t seed = 1;

	for (int round = 0; round < 20000; round++) {
		char text[24];

		for (size_t i = 0; i + 1 < sizeof(text); i++) {
			seed = seed * 1664525 + 1013904223;
			text[i] = (char)(seed >> 24);
		}
		text[sizeof(text) - 1] = '\0';
		sw_frame_put(f, 0, seed % 15, seed % 17, 0, text);
		for (unsigned int c = 0; c < f->cols; c++) {
			uint32_t ch = f->cells[c].ch;

			assert_true(ch == 0 || (ch >= ' ' && ch != 0x7f));
			/* A right half has its left half before it. */
			if (ch == 0)
				assert_true(c > 0 && f->cells[c - 1].ch > 0x7f);
		}
	}
}

static void assert_elided(const char *text, unsigned int width, const char *expected)
{
	_cleanup_buf_ struct sw_buf b = { 0 };

	sw_text_elide(text, width, &b);
	assert_string_equal(sw_buf_text(&b), expected);
	assert_true(sw_text_columns(sw_buf_text(&b)) <= width);
}

static void test_long_names_give_up_their_middle(void **state SW_UNUSED)
{
	sw_text_init();
	assert_elided("SAMSUNG", 7, "SAMSUNG");
	assert_elided("SAMSUNG-4711", 7, "SAM~711");
	assert_elided("SAMSUNG-4711", 2, "S~");
	assert_elided("SAMSUNG-4711", 1, "~");
	assert_elided("SAMSUNG-4711", 0, "");
	/* Wide characters stay whole, and a mark does not change its letter. */
	assert_elided("漢字漢字漢字", 8, "漢字~字");
	assert_elided("漢字漢字漢字", 7, "漢~漢字");
	assert_elided("abcdefx\xcc\x81yz", 5, "ab~yz");
	/* What is no UTF-8 counts and is cut like letters. */
	assert_elided("\xff\xff\xff\xff\xff\xff", 3, "\xff~\xff");
}

static void assert_title(const struct sw_facts *f, unsigned int cols, const char *title,
			 const char *expected)
{
	_cleanup_frame_ struct sw_frame *fr = sw_frame_new(1, cols);

	sw_title_draw(fr, title, f);
	assert_frame(fr, expected);
}

/* What the title line says of a machine, as its facts change one by one. */
static void test_the_title_line_tells_the_facts_that_fit(void **state SW_UNUSED)
{
	char *addresses[] = { (char *)"fe80::1/64", (char *)"192.0.2.7/24", NULL };
	struct sw_link links[] = { { .name = (char *)"lo" }, { .name = (char *)"eth0" } };
	struct sw_bootvar entry = { .number = 3, .label = (char *)"Slipway A" };
	struct sw_facts f = { .machine_name = (char *)"rack3-u07", .links = links, .n_links = 1,
			      .boot = { .current = -1, .entries = &entry, .n_entries = 1 } };

	assert_title(NULL, 60, "Log", "slipway - Log\n");
	assert_title(&f, 60, "Log",
		     "slipway - Log           rack3-u07  UEFI SB off  no net card\n");
	f.n_links = 2;
	f.secure_boot = true;
	assert_title(&f, 60, "Log",
		     "slipway - Log             rack3-u07  UEFI SB on  no carrier\n");
	links[1].carrier = true;
	links[1].addresses = addresses;
	f.boot.current = 3;
	assert_title(&f, 61, "Log",
		     "slipway - Log  rack3-u07  UEFI SB on  net up  from Slipway A\n");
	addresses[1] = NULL;
	f.firmware = SW_FIRMWARE_BIOS;
	entry.owner = (char *)"network";
	assert_title(&f, 60, "Log",
		     "slipway - Log     rack3-u07  BIOS  no address  from network\n");
	/* Where there is too little room the product goes first, then what stands last. */
	assert_title(&f, 52, "Log", "Log       rack3-u07  BIOS  no address  from network\n");
	assert_title(&f, 40, "Log", "Log         rack3-u07  BIOS  no address\n");
	assert_title(&f, 12, "Log", "Log\n");
	assert_title(&f, 2, "Log", "L~\n");
}

static void test_a_text_of_lines_is_a_line_and_comes_back(void **state SW_UNUSED)
{
	static const char *const texts[] = { "", "a", "a\n", "\n\n", "\\", "\\n", "a\\\nb\\\\n",
					     "\xe4\xb8\xad\n" };
	static const char *const wrong[] = { "\\", "a\\", "\\t", "\\\\\\", "a\\ n" };

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		_cleanup_free_ char *line = sw_text_to_line(texts[i]);
		_cleanup_free_ char *back = sw_text_from_line(line);

		assert_null(strchr(line, '\n'));
		assert_string_equal(back, texts[i]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_null(sw_text_from_line(wrong[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_text_of_lines_is_a_line_and_comes_back),
		cmocka_unit_test(test_text_is_clipped_with_a_mark),
		cmocka_unit_test(test_drawing_outside_is_dropped),
		cmocka_unit_test(test_sizes_are_clamped),
		cmocka_unit_test(test_hostile_text_cannot_move_or_colour),
		cmocka_unit_test(test_wide_characters_are_never_halved),
		cmocka_unit_test(test_text_wraps_at_blanks_and_keeps_its_indent),
		cmocka_unit_test(test_long_names_give_up_their_middle),
		cmocka_unit_test(test_the_title_line_tells_the_facts_that_fit),
		cmocka_unit_test(test_every_byte_string_can_be_drawn),
	};

	sw_text_init();
	return cmocka_run_group_tests_name("frame", tests, NULL, NULL);
}
