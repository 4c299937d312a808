/* SPDX-License-Identifier: Apache-2.0 */
/* Token grammars: every prefix while typing, check characters, and that no secret is repeated. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "admission/homeworld-check.h"
#include "admission/token.h"

#define HASH "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static struct sw_token_info inspect(const char *text)
{
	struct sw_token_info i;

	sw_token_inspect(text, strlen(text), &i);
	return i;
}

static void expect(const char *text, enum sw_token_kind kind, enum sw_token_state state)
{
	struct sw_token_info i = inspect(text);

	if (i.kind != kind || i.state != state)
		print_error("%s: %s, %s: %s\n", text, sw_token_kind_name(i.kind),
			    sw_token_state_name(i.state), i.why);
	assert_int_equal(i.kind, kind);
	assert_int_equal(i.state, state);
}

/* Tokens that the keyserver's own code makes of 15 bytes: 00..., 00 01 ... 0e, ff... */
static const char *const homeworld[] = { "AAAAAAAAAAAAAAAAAAAA7f", "AAECAwQFBgcICQoLDA0OHa",
					 "////////////////////r3", "jSN6Ok7H2OtyQNanDipYiY" };

static void test_homeworld_tokens_hold_their_check_and_every_prefix_waits(void **state SW_UNUSED)
{
	for (size_t k = 0; k < ARRAY_SIZE(homeworld); k++) {
		struct sw_token_info i = inspect(homeworld[k]);

		expect(homeworld[k], SW_TOKEN_HOMEWORLD, SW_TOKEN_WHOLE);
		assert_true(i.has_check && i.check_ok && !i.pinned);
		assert_int_equal(i.length, 22);
		for (size_t n = 1; n < 22; n++) {
			sw_token_inspect(homeworld[k], n, &i);
			assert_int_equal(i.kind, SW_TOKEN_HOMEWORLD);
			assert_int_equal(i.state, SW_TOKEN_PARTIAL);
			assert_false(i.check_ok);
		}
	}
}

/* 12 bits of check: a changed character passes in about one of 4,096 cases. */
static void test_nearly_every_wrong_character_is_noticed(void **state SW_UNUSED)
{
	size_t tried = 0, missed = 0;

	for (size_t k = 0; k < ARRAY_SIZE(homeworld); k++)
		for (size_t at = 0; at < 22; at++)
			for (char c = 'A'; c <= 'z'; c++) {
				char t[23];

				memcpy(t, homeworld[k], sizeof(t));
				if (c == t[at] || (c > 'Z' && c < 'a'))
					continue;
				t[at] = c;
				tried++;
				missed += inspect(t).check_ok;
			}
	assert_true(tried > 4000);
	assert_true(missed <= 8);
}

static void test_a_look_alike_or_a_swap_is_pointed_at(void **state SW_UNUSED)
{
	char t[] = "jSN6Ok7H2OtyQNanDipYiY", u[] = "jSN6Ok7H2OtyQNanDipYiY";
	struct sw_token_info i;

	t[9] = '0';	/* the O of the third group */
	i = inspect(t);
	assert_int_equal(i.state, SW_TOKEN_WRONG);
	assert_int_equal(i.doubt, 10);
	assert_non_null(strstr(i.hint, "character 2 of group 3"));
	u[10] = 'y';
	u[11] = 't';
	i = inspect(u);
	assert_int_equal(i.doubt, 11);
	assert_non_null(strstr(i.hint, "wrong way round"));
}

static void test_kubeadm_tokens_show_their_public_part_only(void **state SW_UNUSED)
{
	struct sw_token_info i = inspect(" abcdef.0123456789abcdef\r\n");

	assert_int_equal(i.kind, SW_TOKEN_KUBEADM);
	assert_int_equal(i.state, SW_TOKEN_WHOLE);
	assert_string_equal(i.id, "abcdef");
	assert_false(i.pinned);
	assert_non_null(strstr(i.hint, "sha256:"));
	expect("abcdef.", SW_TOKEN_KUBEADM, SW_TOKEN_PARTIAL);
	expect("abcdef.0123456789abcde", SW_TOKEN_KUBEADM, SW_TOKEN_PARTIAL);
	expect("abcdef.0123456789abcdeF", SW_TOKEN_KUBEADM, SW_TOKEN_WRONG);
	assert_int_equal(inspect("abcdef.0123456789abcdeF").doubt, 23);
	expect("abcdef.0123456789abcdef0", SW_TOKEN_OPAQUE, SW_TOKEN_WHOLE);
}

static void test_k10_tokens_name_the_ca_and_the_user(void **state SW_UNUSED)
{
	struct sw_token_info i = inspect("K10" HASH "::server:very-secret");

	assert_int_equal(i.state, SW_TOKEN_WHOLE);
	assert_true(i.pinned);
	assert_string_equal(i.ca_sha256, HASH);
	assert_string_equal(i.user, "server");
	i = inspect("K10" HASH "::abcdef.0123456789abcdef");
	assert_int_equal(i.state, SW_TOKEN_WHOLE);
	assert_string_equal(i.id, "abcdef");
	expect("K10", SW_TOKEN_K10, SW_TOKEN_PARTIAL);
	expect("K10" HASH, SW_TOKEN_K10, SW_TOKEN_PARTIAL);
	expect("K10" HASH ":", SW_TOKEN_K10, SW_TOKEN_PARTIAL);
	expect("K10" HASH "::", SW_TOKEN_K10, SW_TOKEN_PARTIAL);
	expect("K10" HASH "::server", SW_TOKEN_K10, SW_TOKEN_PARTIAL);
	expect("K10" HASH "::server:", SW_TOKEN_K10, SW_TOKEN_PARTIAL);
	expect("K10" HASH "0", SW_TOKEN_K10, SW_TOKEN_WRONG);
	expect("K10" HASH ":x", SW_TOKEN_K10, SW_TOKEN_WRONG);
	expect("K10" HASH "::" ":pass", SW_TOKEN_K10, SW_TOKEN_WRONG);
	expect("K1012345g", SW_TOKEN_K10, SW_TOKEN_WRONG);
	assert_int_equal(inspect("K1012345g").doubt, 9);
}

static void test_addresses_must_be_https_and_without_a_password(void **state SW_UNUSED)
{
	expect("https://attest.example/v1", SW_TOKEN_URL, SW_TOKEN_WHOLE);
	expect("https://", SW_TOKEN_URL, SW_TOKEN_PARTIAL);
	expect("http://attest.example", SW_TOKEN_URL, SW_TOKEN_WRONG);
	expect("https://me:secret@attest.example", SW_TOKEN_URL, SW_TOKEN_WRONG);
	expect("https://attest.example/a@b", SW_TOKEN_URL, SW_TOKEN_WHOLE);
}

static void test_what_is_no_word_is_refused_with_its_place(void **state SW_UNUSED)
{
	assert_int_equal(inspect("abc def").doubt, 4);
	assert_int_equal(inspect("abcd\xc3\xa9").doubt, 5);
	expect("", SW_TOKEN_NONE, SW_TOKEN_PARTIAL);
	expect(" \n", SW_TOKEN_NONE, SW_TOKEN_PARTIAL);
	expect("manual", SW_TOKEN_MANUAL, SW_TOKEN_WHOLE);
	expect("some-other-token-that-nobody-knows", SW_TOKEN_OPAQUE, SW_TOKEN_WHOLE);
}

static void test_no_part_of_a_secret_is_repeated(void **state SW_UNUSED)
{
	static const char *const tokens[][2] = {
		{ "K10" HASH "::server:very-secret", "very-secret" },
		{ "K10" HASH "::abcdef.zyxwvu9876543X", "zyxwvu" },
		{ "abcdef.zyxwvu9876543210", "zyxwvu" },
		{ "abcdef.zyxwvu987654321!", "zyxwvu" },
		{ "jSN6Ok7H20tyQNanDipYiY", "jSN6" },
		{ "https://me:hunter22@host/", "hunter22" },
		{ "opaque-but-secret!!", "opaque-but" },
	};

	for (size_t k = 0; k < ARRAY_SIZE(tokens); k++) {
		struct sw_token_info i = inspect(tokens[k][0]);
		json_object *o = sw_token_info_to_json(&i);

		assert_null(strstr(json_object_to_json_string(o), tokens[k][1]));
		json_object_put(o);
	}
}

static void test_ca_pins(void **state SW_UNUSED)
{
	char hex[65];
	struct sw_error err = {};

	assert_int_equal(sw_ca_pin_parse("sha256:" HASH, hex, &err), 0);
	assert_string_equal(hex, HASH);
	assert_int_equal(sw_ca_pin_parse(HASH, hex, &err), -EINVAL);
	assert_non_null(strstr(err.why, "sha256:"));
	assert_int_equal(sw_ca_pin_parse("sha256:" HASH "0", hex, &err), -EINVAL);
	assert_int_equal(sw_ca_pin_parse("sha256:12", hex, &err), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_homeworld_tokens_hold_their_check_and_every_prefix_waits),
		cmocka_unit_test(test_nearly_every_wrong_character_is_noticed),
		cmocka_unit_test(test_a_look_alike_or_a_swap_is_pointed_at),
		cmocka_unit_test(test_kubeadm_tokens_show_their_public_part_only),
		cmocka_unit_test(test_k10_tokens_name_the_ca_and_the_user),
		cmocka_unit_test(test_addresses_must_be_https_and_without_a_password),
		cmocka_unit_test(test_what_is_no_word_is_refused_with_its_place),
		cmocka_unit_test(test_no_part_of_a_secret_is_repeated),
		cmocka_unit_test(test_ca_pins),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
