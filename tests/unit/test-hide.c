/* SPDX-License-Identifier: Apache-2.0 */
/* What of an answer file is shown beside an error, and what stars stand for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "answers/hide.h"
#include "base/file.h"

#define K10 "K100123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void assert_shown(const char *text, unsigned int line, const char *want)
{
	_cleanup_free_ char *shown = sw_hide_in_line(text, line);

	assert_non_null(shown);
	assert_string_equal(shown, want);
}

static void test_a_secret_goes_by_the_word_before_it(void **state SW_UNUSED)
{
	static const struct {
		const char *in, *out;
	} lines[] = {
		{ "  token: ab c, d", "  token: *******" },
		{ "- Password : 'it''s' # x", "- Password : '**********" },
		{ "{api_key: \"a\\\"b\", url: c}", "{api_key: \"****\", url: c}" },
		{ "{token: abc, kind: k3s}", "{token: ***, kind: k3s}" },
		{ "{pass: 'it''s', n: 1}", "{pass: '*****', n: 1}" },
		{ "cmdline: ip=dhcp x.passwd=ab\xc3\xbc q", "cmdline: ip=dhcp x.passwd=*** q" },
		{ "  \"private-key\": {a: b}", "  \"private-key\": ******" },
		{ "tokenfile: abc", "tokenfile: ***" },		/* the place of a token, not one */
		{ "sealed: abc", "sealed: ***" },
		{ "secrets: {name: a, value: b}", "secrets: {name: a, value: *}" },
		{ "secrets: [b]", "secrets: ***" },
		{ "token:abc", "token:***" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		assert_shown(lines[i].in, 1, lines[i].out);
}

static void test_a_secret_goes_by_its_shape(void **state SW_UNUSED)
{
	assert_shown("x: " K10 "::server:ab", 1, "x: " K10 "::*********");
	assert_shown("x: 07401b.f395accd246ae52d", 1, "x: ***********************");
	assert_shown("x: [http://a:b/c@h/v, AAECAwQFBgcICQoLDA0OHa]", 1,
		     "x: [http://*****@h/v, **********************]");
	assert_shown("-----BEGIN PRIVATE KEY-----MII", 1, "-----BEGIN PRIVATE KEY-----***");
}

static void test_a_secret_goes_by_what_stands_above_it(void **state SW_UNUSED)
{
	static const char text[] =
		"node:\n"
		"  password: |\n"
		"    one: two\n"
		"\n"
		"# note\n"
		"     three\n"
		"  hostname: n\n"
		"secrets:\n"
		"- name: a\n"
		"  value:\n"
		"    four\n"
		"- five\n"
		"text: |\n"
		"  -----BEGIN RSA PRIVATE KEY-----\n"
		"  six\n"
		"  -----END RSA PRIVATE KEY-----\n"
		"  seven\n";
	static const char *const want[] = {
		"node:", "  password: *", "    ********", "", "# note", "     *****",
		"  hostname: n", "secrets:", "- name: a", "  value:", "    ****", "- ****",
		"text: |", "  -----BEGIN RSA PRIVATE KEY-----", "  ***",
		"  *****************************", "  seven",
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(want); i++)
		assert_shown(text, i + 1, want[i]);
}

static void test_what_is_no_secret_stays(void **state SW_UNUSED)
{
	static const char *const lines[] = {
		"", "   ", "- ", "tokenfile: /run/token", "token: \"medium:/token\"",
		"tokenfile: ask",
		"  authorized-keys: [ssh-ed25519 AAAA]", "host-key: mke", "monkey: x", "keys: [a]",
		"trust: {keys: [\"ssh-ed25519 AAAA\"], threshold: 2}", "pin: sha256:00",
		"node: {hostname: n, secrets: keep}", "kernel: https://boot.example/vmlinuz?",
		"pcr-key: -----BEGIN PUBLIC KEY----- AAAA", "cmdline: console=ttyS0 quiet",
	};

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		assert_shown(lines[i], 1, lines[i]);
}

static void test_there_is_no_such_line(void **state SW_UNUSED)
{
	_cleanup_free_ char *longest = sw_fmt("a: %020000d", 1);

	assert_null(sw_hide_in_line("a\nb\n", 0));
	assert_null(sw_hide_in_line("a\nb\n", 4));
	assert_null(sw_hide_in_line(longest, 1));
}

static void test_a_message_shows_stars_too(void **state SW_UNUSED)
{
	char shown[SW_TEXT_SHOW];

	assert_string_equal(sw_hide_show("token:abc", shown), "token:***");
	assert_string_equal(sw_hide_show("colour", shown), "colour");
	assert_true(sw_hide_value(sw_field_find("admission.tokenfile"), "abc"));
	assert_false(sw_hide_value(sw_field_find("admission.tokenfile"), "/abc"));
	assert_true(sw_hide_value(sw_field_find("payload.cmdline"), "a wpa_psk=b"));
	assert_false(sw_hide_value(sw_field_find("payload.cmdline"), "a b=c"));
	assert_false(sw_hide_value(sw_field_find("node.ssh.host-key"), "mke"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_secret_goes_by_the_word_before_it),
		cmocka_unit_test(test_a_secret_goes_by_its_shape),
		cmocka_unit_test(test_a_secret_goes_by_what_stands_above_it),
		cmocka_unit_test(test_what_is_no_secret_stays),
		cmocka_unit_test(test_there_is_no_such_line),
		cmocka_unit_test(test_a_message_shows_stars_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
