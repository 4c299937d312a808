/* SPDX-License-Identifier: Apache-2.0 */
/* The YAML reader's tree and its limits; what a person writes wrong is in tests/answers/refuse. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/yaml.h"
#include "base/buf.h"

static void assert_refused(const char *text, size_t len, const char *where, const char *what)
{
	_cleanup_yaml_ struct sw_yaml *y = NULL;
	struct sw_error e = {};

	assert_int_equal(sw_yaml_parse(text, len, "f", &y, &e), -EINVAL);
	assert_null(y);
	assert_int_equal(e.exit, SW_EXIT_INVALID);
	assert_string_equal(e.where, where);
	assert_non_null(strstr(e.what, what));
}

static void test_every_node_knows_its_place(void **state SW_UNUSED)
{
	static const char text[] = "a: 1\nb:\n  c: [x, \"y\"]\n";
	_cleanup_yaml_ struct sw_yaml *y = NULL;
	const struct sw_yaml *c;

	assert_int_equal(sw_yaml_parse(text, strlen(text), "f", &y, NULL), 0);
	assert_int_equal(y->kind, SW_YAML_MAP);
	assert_int_equal(y->n, 2);
	c = sw_yaml_find(sw_yaml_find(y, "b")->value, "c")->value;
	assert_int_equal(c->kind, SW_YAML_LIST);
	assert_int_equal(c->n, 2);
	assert_int_equal(c->items[1].value->line, 3);
	assert_int_equal(c->items[1].value->column, 10);
	assert_string_equal(c->items[1].value->text, "y");
	assert_false(c->items[1].value->plain);
	assert_true(c->items[0].value->plain);
	assert_null(sw_yaml_find(y, "c"));
	assert_null(sw_yaml_find(c, "c"));
}

static void test_columns_count_characters_and_not_bytes(void **state SW_UNUSED)
{
	assert_refused("\xc3\xa9\xc3\xa9: *x\n", 9, "f:1:5", "alias");
}

static void test_scalars_stay_text(void **state SW_UNUSED)
{
	static const char text[] = "[0123, no, 1e5, 2001-01-01, 0x10]";
	static const char *const want[] = { "0123", "no", "1e5", "2001-01-01", "0x10" };
	_cleanup_yaml_ struct sw_yaml *y = NULL;

	assert_int_equal(sw_yaml_parse(text, strlen(text), "f", &y, NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(want); i++)
		assert_string_equal(y->items[i].value->text, want[i]);
}

static void test_null_is_only_what_has_no_quotes(void **state SW_UNUSED)
{
	static const char text[] = "[~, null, \"null\", \"\", x]";
	static const bool want[] = { true, true, false, false, false };
	_cleanup_yaml_ struct sw_yaml *y = NULL;

	assert_int_equal(sw_yaml_parse(text, strlen(text), "f", &y, NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(want); i++)
		assert_int_equal(sw_yaml_is_null(y->items[i].value), want[i]);
}

static void test_depth_ends_at_sixteen(void **state SW_UNUSED)
{
	static const char open[] = "[[[[[[[[[[[[[[[[[", close[] = "]]]]]]]]]]]]]]]]]";
	_cleanup_buf_ struct sw_buf ok = {}, deep = {};
	_cleanup_yaml_ struct sw_yaml *y = NULL;

	assert_int_equal(sw_buf_addf(&ok, "%.16s%.16s", open, close), 0);
	assert_int_equal(sw_buf_addf(&deep, "%.17s%.17s", open, close), 0);
	assert_int_equal(sw_yaml_parse(sw_buf_text(&ok), ok.len, "f", &y, NULL), 0);
	assert_refused(sw_buf_text(&deep), deep.len, "f:1:17", "too many levels");
}

static void test_a_bomb_of_brackets_is_refused_quickly(void **state SW_UNUSED)
{
	_cleanup_buf_ struct sw_buf b = {};

	for (size_t i = 0; i < 100000; i++)
		assert_int_equal(sw_buf_adds(&b, "[{"), 0);
	assert_refused(sw_buf_text(&b), b.len, "f:1:17", "too many levels");
}

static void test_nodes_end_at_ten_thousand(void **state SW_UNUSED)
{
	_cleanup_buf_ struct sw_buf b = {};
	_cleanup_yaml_ struct sw_yaml *y = NULL;

	for (size_t i = 0; i < SW_YAML_MAX_NODES - 1; i++)
		assert_int_equal(sw_buf_adds(&b, "- x\n"), 0);
	assert_int_equal(sw_yaml_parse(sw_buf_text(&b), b.len, "f", &y, NULL), 0);
	assert_int_equal(y->n, SW_YAML_MAX_NODES - 1);
	assert_int_equal(sw_buf_adds(&b, "- x\n"), 0);
	assert_refused(sw_buf_text(&b), b.len, "f:10000:3", "too many values");
}

static void test_more_than_a_mebibyte_is_refused(void **state SW_UNUSED)
{
	_cleanup_buf_ struct sw_buf b = {};

	while (b.len <= SW_YAML_MAX_BYTES)
		assert_int_equal(sw_buf_adds(&b, "# a comment that fills the file\n"), 0);
	assert_refused(sw_buf_text(&b), b.len, "f:1:1", "too large");
}

static void test_other_encodings_are_named(void **state SW_UNUSED)
{
	assert_refused("\xff\xfe" "a\0:\0", 6, "f:1:1", "UTF-16");
	assert_refused("\xfe\xff\0a\0:", 6, "f:1:1", "UTF-16");
	assert_refused("a: \xe9\n", 5, "f:1:4", "not UTF-8");
	assert_refused("a: 1\nb: x\0y\n", 12, "f:2:5", "control character");
}

static void test_a_byte_order_mark_does_not_shift_places(void **state SW_UNUSED)
{
	assert_refused("\xef\xbb\xbf" "a: 1\na: 2\n", 13, "f:2:1", "twice");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_node_knows_its_place),
		cmocka_unit_test(test_columns_count_characters_and_not_bytes),
		cmocka_unit_test(test_scalars_stay_text),
		cmocka_unit_test(test_null_is_only_what_has_no_quotes),
		cmocka_unit_test(test_depth_ends_at_sixteen),
		cmocka_unit_test(test_a_bomb_of_brackets_is_refused_quickly),
		cmocka_unit_test(test_nodes_end_at_ten_thousand),
		cmocka_unit_test(test_more_than_a_mebibyte_is_refused),
		cmocka_unit_test(test_other_encodings_are_named),
		cmocka_unit_test(test_a_byte_order_mark_does_not_shift_places),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
