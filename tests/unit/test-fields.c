/* SPDX-License-Identifier: Apache-2.0 */
/* The field table as such, single values, and the words of messages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "answers/answers.h"
#include "base/text.h"
#include "base/file.h"
#include "payload/payload.h"

static void test_every_field_is_fit_for_a_form(void **state SW_UNUSED)
{
	for (size_t i = 0; i < sw_n_fields; i++) {
		const struct sw_field *f = &sw_fields[i];
		struct sw_error e = {};

		assert_in_range(strlen(f->label), 3, 20);
		assert_in_range(strlen(f->help), 20, 200);
		assert_int_equal(f->help[strlen(f->help) - 1], '.');
		assert_true(sw_field_find(f->key) == f);
		/* A whole certificate would fill the page. */
		if (f->type != SW_FIELD_DISKS && f->type != SW_FIELD_CERTIFICATE &&
		    sw_field_check(f, f->example, &e) < 0)
			fail_msg("%s: the example is refused: %s", f->key, e.why);
		if (f->dflt)
			assert_int_equal(sw_field_check(f, f->dflt, NULL), 0);
		assert_true((f->type == SW_FIELD_CHOICE) == (f->choices != NULL));
		for (size_t k = 0; k < i; k++)
			assert_true(f->offset != sw_fields[k].offset ||
				    f->home != sw_fields[k].home);
	}
}

static void test_new_answers_hold_the_defaults(void **state SW_UNUSED)
{
	_cleanup_answers_ struct sw_answers *a = sw_answers_new();

	for (size_t i = 0; i < sw_n_fields; i++) {
		_cleanup_free_ char *text = sw_field_get(&sw_fields[i], a);

		assert_string_equal(text, sw_fields[i].dflt ? sw_fields[i].dflt : "");
	}
}

static void test_bad_input_stores_nothing_and_says_what_is_allowed(void **state SW_UNUSED)
{
	_cleanup_answers_ struct sw_answers *a = sw_answers_new();
	const struct sw_field *wipe = sw_field_find("disk.wipe");
	const struct sw_field *name = sw_field_find("node.hostname");
	struct sw_error e = {};

	assert_int_equal(sw_field_set(name, a, "node-1", NULL), 0);
	assert_int_equal(sw_field_set(name, a, "node 1", NULL), -EINVAL);
	assert_string_equal(a->hostname, "node-1");
	assert_int_equal(sw_field_set(wipe, a, "blnk", &e), -EINVAL);
	assert_int_equal(a->disk.wipe, SW_WIPE_BLANK);
	assert_string_equal(e.what, "disk.wipe cannot be \"blnk\"");
	assert_string_equal(e.why, "it is one of blank, ours, any");
	assert_string_equal(e.hint, "did you mean \"blank\"?");
}

static void test_empty_text_takes_a_value_away(void **state SW_UNUSED)
{
	_cleanup_answers_ struct sw_answers *a = sw_answers_new();

	assert_int_equal(sw_field_set(sw_field_find("node.hostname"), a, "n", NULL), 0);
	assert_int_equal(sw_field_set(sw_field_find("node.hostname"), a, "", NULL), 0);
	assert_null(a->hostname);
	assert_int_equal(sw_field_set(sw_field_find("disk.wipe"), a, "any", NULL), 0);
	assert_int_equal(sw_field_set(sw_field_find("disk.wipe"), a, "", NULL), 0);
	assert_int_equal(a->disk.wipe, SW_WIPE_BLANK);
}

static void test_hex_and_host_names_are_folded(void **state SW_UNUSED)
{
	_cleanup_answers_ struct sw_answers *a = sw_answers_new();

	assert_int_equal(sw_field_set(sw_field_find("node.hostname"), a, "Node-1.Rack", NULL), 0);
	assert_string_equal(a->hostname, "node-1.rack");
	assert_int_equal(sw_field_set(sw_field_find("disk.match.serial"), a, "AbC", NULL), 0);
	assert_string_equal(a->disk.match[0].serial, "AbC");
}

static void test_host_names_follow_rfc_1123(void **state SW_UNUSED)
{
	static const char *const good[] = { "a", "1", "node-07", "a.b.c", "x--y" };
	static const char *const bad[] = { "-a", "a-", ".a", "a.", "a..b", "a_b", "a b", "a-.b",
					   "\xc3\xa9" };
	const struct sw_field *f = sw_field_find("node.hostname");
	char label[66];

	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		assert_int_equal(sw_field_check(f, good[i], NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(sw_field_check(f, bad[i], NULL), -EINVAL);
	memset(label, 'a', sizeof(label));
	label[63] = '\0';
	assert_int_equal(sw_field_check(f, label, NULL), 0);
	label[63] = 'a';
	label[64] = '\0';
	assert_int_equal(sw_field_check(f, label, NULL), -EINVAL);
}

static void test_which_fields_count_follows_the_other_answers(void **state SW_UNUSED)
{
	_cleanup_answers_ struct sw_answers *a = sw_answers_new();
	const struct sw_field *uki = sw_field_find("payload.uki");
	const struct sw_field *hash = sw_field_find("payload.sha256.kernel");
	const struct sw_field *url = sw_field_find("admission.url");

	assert_true(uki->applies(a));
	assert_false(hash->applies(a));
	assert_false(sw_field_applies(url, a, NULL));
	assert_int_equal(sw_field_set(sw_field_find("payload.kernel"), a, "/k", NULL), 0);
	assert_false(uki->applies(a));
	assert_true(hash->applies(a));
	assert_false(hash->required(a));
	assert_int_equal(sw_field_set(sw_field_find("payload.kernel"), a, "https://h/k", NULL), 0);
	assert_true(hash->required(a));
	assert_int_equal(sw_field_set(sw_field_find("admission.kind"), a, "attest", NULL), 0);
	assert_true(sw_field_applies(url, a, NULL) && sw_field_required(url, a, NULL));
	assert_true(sw_field_applies(sw_field_find("admission.ca"), a, NULL));
	assert_true(sw_field_applies(sw_field_find("admission.pin"), a, NULL));
}

static void test_sources_have_a_strict_grammar(void **state SW_UNUSED)
{
	static const char *const good[] = {
		"http://h/f", "https://h.example:8443/a/b?x=1", "http://10.0.0.1/f",
		"http://[::1]/f",
		"http://[2001:db8::7]:80/f", "HTTP://h/f", "/f", "/a/b", "file:///a", "medium:/f",
		"medium:/a..b/f", "http://h",
	};
	static const char *const bad[] = {
		"", "f", "a/b", "/", "//", "/a/", "ftp://h/f", "http://", "http:///f",
		"http://h:/f", "http://h:0/f", "http://h:65536/f", "http://h:8x/f", "http://u@h/f",
		"http://[::1/f",
		"http://[x]/f", "http://h/a b", "http://h/a\"b", "http://h/a'b", "http://h/f#x",
		"http://-h/f", "file://h/f", "file:/f", "medium:f", "medium:/../f",
		"medium:/a/../f",
		"medium:/a/..", "http://h/\xc3\xa9", "http://h/a\nb", "javascript:x",
	};

	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		if (sw_source_check(good[i], NULL) < 0)
			fail_msg("refused: %s", good[i]);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct sw_error e = {};

		if (sw_source_check(bad[i], &e) == 0)
			fail_msg("accepted: %s", bad[i]);
		assert_true(e.what[0] && e.why[0] && e.hint[0]);
	}
}

static void test_remote_is_what_needs_a_hash(void **state SW_UNUSED)
{
	assert_true(sw_source_is_remote("http://h/f"));
	assert_true(sw_source_is_remote("HttpS://h/f"));
	assert_false(sw_source_is_remote("/http://h/f"));
	assert_false(sw_source_is_remote("file:///f"));
	assert_false(sw_source_is_remote("medium:/f"));
}

static void test_edit_distance_counts_slips(void **state SW_UNUSED)
{
	unsigned int d;

	assert_int_equal(sw_edit_distance("serial", "serial"), 0);
	assert_int_equal(sw_edit_distance("seiral", "serial"), 1);
	assert_int_equal(sw_edit_distance("serials", "serial"), 1);
	assert_int_equal(sw_edit_distance("SERIAL", "serial"), 0);
	assert_int_equal(sw_edit_distance("", "abc"), 3);
	assert_true(sw_text_is_near("hostnam", "hostname", &d));
	assert_false(sw_text_is_near("colour", "hostname", &d));
	assert_false(sw_text_is_near("x", "url", &d));
}

static void test_malformed_utf8_is_seen(void **state SW_UNUSED)
{
	static const char *const bad[] = { "\x80", "\xc3", "\xc0\xaf", "\xe0\x80\xaf",
					   "\xed\xa0\x80",
					   "\xf4\x90\x80\x80", "\xff", "a\x1b", "\xc2\x85",
					   "\xe2\x80\xa8", "\xef\xbb\xbf" };

	assert_true(sw_text_is_clean("plain \xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\xa7"));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(sw_text_is_clean(bad[i]));
}

static void test_foreign_text_is_shown_short_and_harmless(void **state SW_UNUSED)
{
	char shown[SW_TEXT_SHOW];

	assert_string_equal(sw_text_show("a\x1b[2Jb", shown), "a?[2Jb");
	(void)sw_text_show("0123456789012345678901234567890123456789x", shown);
	assert_int_equal(strlen(shown), 43);
	assert_string_equal(shown + 40, "...");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_field_is_fit_for_a_form),
		cmocka_unit_test(test_new_answers_hold_the_defaults),
		cmocka_unit_test(test_bad_input_stores_nothing_and_says_what_is_allowed),
		cmocka_unit_test(test_empty_text_takes_a_value_away),
		cmocka_unit_test(test_hex_and_host_names_are_folded),
		cmocka_unit_test(test_host_names_follow_rfc_1123),
		cmocka_unit_test(test_which_fields_count_follows_the_other_answers),
		cmocka_unit_test(test_sources_have_a_strict_grammar),
		cmocka_unit_test(test_remote_is_what_needs_a_hash),
		cmocka_unit_test(test_edit_distance_counts_slips),
		cmocka_unit_test(test_malformed_utf8_is_seen),
		cmocka_unit_test(test_foreign_text_is_shown_short_and_harmless),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
