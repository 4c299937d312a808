/* SPDX-License-Identifier: Apache-2.0 */
/* An attestation server's answer: a vector made by openssl(1), and every way to damage it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "admission/attest.h"
#include "admission/reply.h"

/*
 * keys: bytes 0 to 63. printf 'overlay\n' | openssl enc -aes-256-cbc -K 000102..1f -iv 20..2f, and
 * the same through openssl dgst -sha256 -mac hmac -macopt hexkey:30..3f.
 */
static const uint8_t cipher[16] = {
	0x36, 0x85, 0xca, 0xc9, 0x23, 0xd5, 0x2d, 0xba, 0x42, 0x48, 0xad, 0x12,
	0xbc, 0xa4, 0x9c, 0xa4
};
static const uint8_t mac[32] = {
	0xa2, 0x2b, 0xf6, 0xe2, 0x40, 0xcb, 0x36, 0x14, 0xd6, 0xb8, 0xb6, 0x0a,
	0x53, 0xda, 0xdc, 0xee, 0x4d, 0xf8, 0x24, 0x8a, 0x76, 0xfd, 0xd5, 0x33,
	0x14, 0xa0, 0x09, 0xc6, 0xa6, 0xd2, 0x5a, 0xbf
};

static struct sw_buf answer(void)
{
	static const uint8_t head[] = { 0xba, 0xdc, 0xc0, 0xde, 0, 0, 0, 1, 0, 2, 'i', 'd',
					0, 3, 's', 'e', 'c' };
	struct sw_buf b = {};

	assert_int_equal(sw_buf_add(&b, head, sizeof(head)), 0);
	assert_int_equal(sw_buf_add(&b, mac, sizeof(mac)), 0);
	assert_int_equal(sw_buf_add(&b, cipher, sizeof(cipher)), 0);
	return b;
}

static struct sw_secret *keys(size_t len)
{
	struct sw_secret *s = NULL;

	assert_int_equal(sw_secret_new(len, &s, NULL), 0);
	for (size_t i = 0; i < len; i++)
		s->data[i] = (uint8_t)i;
	return s;
}

static void test_what_openssl_encrypted_is_opened(void **state SW_UNUSED)
{
	_cleanup_buf_ struct sw_buf b = answer(), plain = {};
	_cleanup_secret_ struct sw_secret *key = keys(64);
	struct sw_reply r;
	struct sw_error err = {};

	assert_int_equal(sw_reply_parse(b.data, b.len, &r, &err), 0);
	assert_int_equal(r.id_len, 4);
	assert_int_equal(r.seed_len, 5);
	assert_memory_equal(r.id, "\0\2id", 4);
	if (sw_reply_open(&r, key, &plain, &err) < 0)
		fail_msg("%s", err.why);
	assert_string_equal(sw_buf_text(&plain), "overlay\n");
}

static void test_every_cut_is_refused(void **state SW_UNUSED)
{
	_cleanup_buf_ struct sw_buf b = answer();

	for (size_t len = 0; len < b.len; len++) {
		/* A copy of just this length, so that a byte beyond it is a fault. */
		uint8_t *cut = malloc(len ? len : 1);
		struct sw_error err = {};
		struct sw_reply r;

		memcpy(cut, b.data, len);
		assert_int_equal(sw_reply_parse(cut, len, &r, &err), -EBADMSG);
		assert_int_equal(err.exit, SW_EXIT_ADMISSION);
		assert_true(err.why[0] && err.hint[0]);
		free(cut);
	}
}

static void test_every_changed_bit_of_mac_and_ciphertext_is_seen(void **state SW_UNUSED)
{
	_cleanup_buf_ struct sw_buf b = answer(), plain = {};
	_cleanup_secret_ struct sw_secret *key = keys(64);

	for (size_t bit = 0; bit < 8 * (sizeof(mac) + sizeof(cipher)); bit++) {
		size_t at = b.len - sizeof(mac) - sizeof(cipher) + bit / 8;
		struct sw_error err = {};
		struct sw_reply r;

		b.data[at] ^= (uint8_t)(1U << bit % 8);
		assert_int_equal(sw_reply_parse(b.data, b.len, &r, &err), 0);
		assert_int_equal(sw_reply_open(&r, key, &plain, &err), -EBADMSG);
		assert_int_equal(plain.len, 0);
		b.data[at] ^= (uint8_t)(1U << bit % 8);
	}
}

static void test_keys_of_another_length_are_refused(void **state SW_UNUSED)
{
	_cleanup_buf_ struct sw_buf b = answer(), plain = {};
	_cleanup_secret_ struct sw_secret *key = keys(32);
	struct sw_error err = {};
	struct sw_reply r;

	assert_int_equal(sw_reply_parse(b.data, b.len, &r, &err), 0);
	assert_int_equal(sw_reply_open(&r, key, &plain, &err), -EBADMSG);
	assert_non_null(strstr(err.why, "another length"));
}

static void test_each_status_has_a_cause_and_a_next_step(void **state SW_UNUSED)
{
	for (long status = 400; status < 600; status++) {
		struct sw_error err = {};
		int r = sw_attest_explain(status, "", "https://u:p@h/x?token=1", &err);

		assert_int_equal(r, status >= 500 || status == 408 || status == 429 ? -EAGAIN
										    : -EACCES);
		assert_int_equal(err.exit, r == -EAGAIN ? SW_EXIT_NETWORK : SW_EXIT_ADMISSION);
		assert_true(err.what[0] && err.why[0] && err.hint[0]);
		assert_null(strstr(err.where, "u:p"));
		assert_null(strstr(err.where, "token"));
	}
}

static void test_the_servers_own_reason_is_told(void **state SW_UNUSED)
{
	struct sw_error err = {}, other = {};

	(void)sw_attest_explain(403, "<p>BAD_QUOTE</p>", "https://h/", &err);
	assert_non_null(strstr(err.what, "quote"));
	/* What is not a refusal has no reason of that kind. */
	(void)sw_attest_explain(502, "BAD_QUOTE", "https://h/", &other);
	assert_string_equal(other.what, "the server failed");
}

static void test_pem_of_one_line_gets_its_lines_again(void **state SW_UNUSED)
{
	static const char two[] = "-----BEGIN CERTIFICATE-----\n"
				  "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
				  "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n"
				  "BB==\n-----END CERTIFICATE-----\n"
				  "-----BEGIN CERTIFICATE-----\nCC==\n-----END CERTIFICATE-----\n";
	_cleanup_free_ char *line = strdup(two), *again = NULL, *same = sw_pem_lines(two);

	for (char *p = line; *p; p++)
		if (*p == '\n')
			*p = ' ';
	again = sw_pem_lines(line);
	assert_string_equal(again, two);
	assert_string_equal(same, two);
	free(again);
	again = sw_pem_lines("-----");
	assert_string_equal(again, "-----");
}

static void test_a_pin_becomes_what_libcurl_takes(void **state SW_UNUSED)
{
	char option[SW_PIN_OPTION];

	/* Of the empty string: printf '' | openssl dgst -sha256 -binary | openssl base64 */
	assert_true(sw_http_pin_option(
		"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852B855", option));
	assert_string_equal(option, "sha256//47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
	assert_false(sw_http_pin_option("e3", option));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_openssl_encrypted_is_opened),
		cmocka_unit_test(test_every_cut_is_refused),
		cmocka_unit_test(test_every_changed_bit_of_mac_and_ciphertext_is_seen),
		cmocka_unit_test(test_keys_of_another_length_are_refused),
		cmocka_unit_test(test_each_status_has_a_cause_and_a_next_step),
		cmocka_unit_test(test_the_servers_own_reason_is_told),
		cmocka_unit_test(test_pem_of_one_line_gets_its_lines_again),
		cmocka_unit_test(test_a_pin_becomes_what_libcurl_takes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
