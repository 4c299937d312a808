/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The console's QR codes as terminals show them: the real viewer on a pty, its cells and colours
 * made a picture, and zbarimg says what is in that.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/rig.h"

#include "base/file.h"
#include "base/json.h"
#include "base/proc.h"
#include "bundle/bundle.h"
#include "tui/screens/screens.h"
#include "tui/session/qr-cells.h"
#include "tui/session/text.h"

#define WIDE 6		/* pixels of a cell */
#define HIGH 12
#define ESC_KEY "\030"	/* ^X: Esc without the wait for what may follow it */
#define WANTED 8U	/* parts at most, as the screen has it */

/* ---- a picture ---- */

static uint8_t grey(VTermScreen *screen, VTermColor colour)
{
	vterm_screen_convert_color_to_rgb(screen, &colour);
	return (uint8_t)((colour.rgb.red + colour.rgb.green + colour.rgb.blue) / 3);
}

static bool inked(uint32_t ch, unsigned int y)
{
	return ch == 0x2588 || ch == (y < HIGH / 2 ? 0x2580u : 0x2584u);
}

static void draw_cell(const struct sw_rig *g, unsigned int row, unsigned int col, uint8_t *pixels)
{
	VTermScreen *screen = vterm_obtain_screen(g->vt);
	VTermPos at = { .row = (int)row, .col = (int)col };
	VTermScreenCell cell;
	uint8_t ink, ground;

	assert_true(vterm_screen_get_cell(screen, at, &cell));
	ink = grey(screen, cell.attrs.reverse ? cell.bg : cell.fg);
	ground = grey(screen, cell.attrs.reverse ? cell.fg : cell.bg);
	for (unsigned int y = 0; y < HIGH; y++)
		memset(pixels + ((size_t)row * HIGH + y) * g->cols * WIDE + (size_t)col * WIDE,
		       inked(cell.chars[0], y) ? ink : ground, WIDE);
}

/* What zbarimg reads on this terminal's screen: a line for each code. */
static char *read_screen(const struct sw_rig *g)
{
	size_t n = (size_t)g->rows * HIGH * g->cols * WIDE;
	_cleanup_free_ char *path = sw_fmt("%s/screen.pgm", g->dir);
	const char *argv[] = { "zbarimg", "-q", "--raw", "--nodbus", "-Sdisable",
			       "-Sqrcode.enable", path, NULL };
	_cleanup_free_ uint8_t *pixels = malloc(n);
	_cleanup_buf_ struct sw_buf file = { 0 }, out = { 0 };

	assert_non_null(pixels);
	for (unsigned int row = 0; row < g->rows; row++)
		for (unsigned int col = 0; col < g->cols; col++)
			draw_cell(g, row, col, pixels);
	assert_int_equal(sw_buf_addf(&file, "P5 %u %u 255\n", g->cols * WIDE, g->rows * HIGH), 0);
	assert_int_equal(sw_buf_add(&file, pixels, n), 0);
	assert_int_equal(sw_file_write(path, file.data, file.len, 0600), 0);
	(void)sw_proc_run(argv, NULL, 30, &out);
	return strdup(sw_buf_text(&out));
}

/* ---- the screen ---- */

static json_object *found(void)
{
	struct sw_error err = { 0 };
	json_object *o = NULL;

	assert_int_equal(sw_json_load("tests/screens/tool-report.json", &o, &err), 0);
	return o;
}

static void light_background(struct sw_rig *g)
{
	VTermColor black, white;

	vterm_color_rgb(&black, 0, 0, 0);
	vterm_color_rgb(&white, 255, 255, 255);
	vterm_state_set_default_colors(vterm_obtain_state(g->vt), &black, &white);
}

static void open_codes(struct sw_rig *g)
{
	_cleanup_json_ json_object *o = found();

	if (!sw_proc_exists("zbarimg"))
		skip();
	(void)sw_rig_settle(g);
	(void)sw_rig_type(g, "j");	/* the pen is with whose key came first */
	sw_view_push(g->s, &sw_screen_qr);
	sw_state_got_look(g->s, SW_LOOK_TOOL, o);
	(void)sw_rig_settle(g);
}

/* Each code by its key, and each is what the report gives in this version. */
static void assert_all_are_read(struct sw_rig *g, unsigned int version)
{
	_cleanup_json_ json_object *o = found();
	_cleanup_parts_ struct sw_bundle_parts p = { 0 };
	struct sw_error err = { 0 };

	assert_int_equal(sw_bundle_split(sw_json_get(o, "report"), sw_qr_room(version), WANTED,
					 &p, &err), 0);
	for (size_t i = 0; i < p.n; i++) {
		_cleanup_free_ char *expected = sw_fmt("%s\n", p.line[i]);
		_cleanup_free_ char *read = read_screen(g);

		sw_rig_assert_shows_the_frame(g);
		assert_string_equal(read, expected);
		(void)sw_rig_type(g, "\r");
	}
	(void)sw_rig_type(g, "\033[H");
}

static void test_half_blocks_on_terminals_with_colours(void **state SW_UNUSED)
{
	static const char *const terms[] = { "linux", "xterm", "screen" };

	for (size_t i = 0; i < 2 * ARRAY_SIZE(terms); i++) {
		struct sw_rig g;

		sw_rig_open_utf8(&g, terms[i / 2], 24, 80);
		if (i % 2)
			light_background(&g);
		open_codes(&g);
		assert_all_are_read(&g, 6);
		sw_rig_close(&g);
	}
}

/* Who wants no colours gets them for a code alone, which nobody could read otherwise. */
static void test_a_code_is_dark_on_light_without_colours_in_words(void **state SW_UNUSED)
{
	struct sw_rig g;

	setenv("NO_COLOR", "1", 1);
	sw_rig_open_utf8(&g, "xterm", 43, 132);
	unsetenv("NO_COLOR");
	light_background(&g);
	open_codes(&g);
	assert_all_are_read(&g, 15);
	sw_rig_close(&g);
}

static void test_blanks_where_there_are_no_half_blocks(void **state SW_UNUSED)
{
	struct sw_rig g;

	sw_rig_open(&g, "vt220", 43, 132);
	open_codes(&g);
	assert_all_are_read(&g, 4);
	sw_rig_close(&g);
	sw_rig_open(&g, "vt220", 43, 132);
	light_background(&g);
	open_codes(&g);
	(void)sw_rig_type(&g, "d");
	assert_all_are_read(&g, 4);
	sw_rig_close(&g);
}

static void test_where_none_fits_there_is_the_text_and_half_blocks_by_a_key(void **state SW_UNUSED)
{
	_cleanup_free_ char *none = NULL, *text = NULL, *again = NULL;
	struct sw_rig g;

	sw_rig_open(&g, "vt220", 24, 80);
	open_codes(&g);
	none = read_screen(&g);
	assert_string_equal(none, "");
	text = sw_rig_text(&g, 24, 80);
	assert_non_null(strstr(text, "does not fit"));
	assert_non_null(strstr(text, "begin-base64"));
	(void)sw_rig_type(&g, "r");
	assert_all_are_read(&g, 6);
	(void)sw_rig_type(&g, ESC_KEY);
	sw_rig_assert_shows_the_frame(&g);
	again = read_screen(&g);
	assert_string_equal(again, "");
	sw_rig_close(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_half_blocks_on_terminals_with_colours),
		cmocka_unit_test(test_a_code_is_dark_on_light_without_colours_in_words),
		cmocka_unit_test(test_blanks_where_there_are_no_half_blocks),
		cmocka_unit_test(test_where_none_fits_there_is_the_text_and_half_blocks_by_a_key),
	};

	sw_text_init();		/* as a session does */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
