/* SPDX-License-Identifier: Apache-2.0 */
/* The strict exchange's two answers: a vector of other programs, and every way to damage it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "admission/protocol.h"
#include "admission/strict.h"

/*
 * Secret: bytes 0 to 31; nonce: 40 to 5f; public area of the AK: "ak"; IV: 20 to 2b. The key is
 *	openssl kdf -keylen 32 -kdfopt digest:SHA256 -kdfopt hexkey:0001..1f
 *		-kdfopt hexsalt:4041..5f -kdfopt hexinfo:INFO HKDF
 * where INFO is "slipway attest strict 1", 000b and SHA-256("ak"),
 * and with it "overlay\n" encrypted by python3-cryptography's AESGCM, with head for the AAD.
 */
static const uint8_t head[] = {
	0x53, 0x4c, 0x41, 0x54, 0x00, 0x00, 0x00, 0x01, 0xba, 0xdc, 0xc0, 0xde,
	0x00, 0x00, 0x00, 0x01, 0x00, 0x02, 0x69, 0x64, 0x00, 0x03, 0x73, 0x65,
	0x63, 0x20, 0x21, 0x22, 0x23, 0x24, 0x25, 0x26, 0x27, 0x28, 0x29, 0x2a,
	0x2b
};
static const uint8_t sealed[] = {
	0xf3, 0x2e, 0x4a, 0x0f, 0x63, 0xca, 0xc3, 0xab, 0xa6, 0xf6, 0x70, 0x9b,
	0x8b, 0x22, 0xd6, 0xe7, 0xed, 0x4c, 0x54, 0xa2, 0x4d, 0x48, 0x82, 0x74
};

static struct sw_buf answer(void)
{
	struct sw_buf b = {};

	assert_int_equal(sw_buf_add(&b, head, sizeof(head)), 0);
	assert_int_equal(sw_buf_add(&b, sealed, sizeof(sealed)), 0);
	return b;
}

static struct sw_secret *secret_of(size_t len)
{
	struct sw_secret *s = NULL;

	assert_int_equal(sw_secret_new(len, &s, NULL), 0);
	for (size_t i = 0; i < len; i++)
		s->data[i] = (uint8_t)i;
	return s;
}

static struct sw_offer asked(void)
{
	struct sw_offer o;

	for (size_t i = 0; i < sizeof(o.nonce); i++)
		o.nonce[i] = (uint8_t)(0x40 + i);
	return o;
}

static int open_it(const struct sw_buf *b, const struct sw_secret *s, const struct sw_offer *o,
		   const char *ak, struct sw_buf *plain, struct sw_error *err)
{
	struct sw_strict_reply r;
	int e = sw_strict_parse(b->data, b->len, &r, err);

	return e < 0 ? e : sw_strict_open(&r, s, o, ak, strlen(ak), plain, err);
}

static void test_what_other_programs_made_is_opened(void **state SW_UNUSED)
{
	_cleanup_buf_ struct sw_buf b = answer(), plain = {};
	_cleanup_secret_ struct sw_secret *s = secret_of(SW_STRICT_SECRET);
	const struct sw_offer o = asked();
	struct sw_error err = {};

	if (open_it(&b, s, &o, "ak", &plain, &err) < 0)
		fail_msg("%s", err.why);
	assert_string_equal(sw_buf_text(&plain), "overlay\n");
}

static void test_each_changed_byte_is_refused(void **state SW_UNUSED)
{
	_cleanup_secret_ struct sw_secret *s = secret_of(SW_STRICT_SECRET);
	const struct sw_offer o = asked();

	for (size_t i = 0; i < sizeof(head) + sizeof(sealed); i++) {
		_cleanup_buf_ struct sw_buf b = answer(), plain = {};
		struct sw_error err = {};

		b.data[i] ^= 0x10;
		assert_int_equal(open_it(&b, s, &o, "ak", &plain, &err), -EBADMSG);
		assert_int_equal(err.exit, SW_EXIT_ADMISSION);
		assert_true(err.why[0] && err.hint[0]);
		assert_int_equal(plain.len, 0);
	}
}

static void test_every_cut_is_refused(void **state SW_UNUSED)
{
	_cleanup_buf_ struct sw_buf b = answer();
	_cleanup_secret_ struct sw_secret *s = secret_of(SW_STRICT_SECRET);
	const struct sw_offer o = asked();

	for (size_t len = 0; len < b.len; len++) {
		/* A copy of just this length, so that a byte beyond it is a fault. */
		_cleanup_buf_ struct sw_buf plain = {};
		uint8_t *cut = malloc(len ? len : 1);
		struct sw_error err = {};
		struct sw_strict_reply r;

		memcpy(cut, b.data, len);
		if (sw_strict_parse(cut, len, &r, &err) == 0)
			assert_int_equal(sw_strict_open(&r, s, &o, "ak", 2, &plain, &err),
					 -EBADMSG);
		assert_int_equal(err.exit, SW_EXIT_ADMISSION);
		assert_int_equal(plain.len, 0);
		free(cut);
	}
}

static void test_it_answers_one_question_of_one_key(void **state SW_UNUSED)
{
	_cleanup_buf_ struct sw_buf b = answer(), plain = {};
	_cleanup_secret_ struct sw_secret *s = secret_of(SW_STRICT_SECRET), *more = secret_of(33);
	struct sw_offer o = asked(), another = asked();
	struct sw_error err = {}, e2 = {}, e3 = {};

	another.nonce[31] ^= 1;
	assert_int_equal(open_it(&b, s, &another, "ak", &plain, &err), -EBADMSG);
	assert_non_null(strstr(err.why, "another question"));
	assert_int_equal(open_it(&b, s, &o, "al", &plain, &e2), -EBADMSG);
	assert_int_equal(open_it(&b, more, &o, "ak", &plain, &e3), -EBADMSG);
	assert_non_null(strstr(e3.why, "another length"));
	assert_int_equal(plain.len, 0);
}

static void test_a_plain_answer_is_told(void **state SW_UNUSED)
{
	static const uint8_t plain[64] = { 0xba, 0xdc, 0xc0, 0xde, 0, 0, 0, 1, 0, 1, 1, 0, 1, 1 };
	struct sw_strict_reply r;
	struct sw_error err = {};

	assert_int_equal(sw_strict_parse(plain, sizeof(plain), &r, &err), -EBADMSG);
	assert_non_null(strstr(err.why, "plain exchange"));
}

#define NONCE "404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f"

static void test_an_offer_is_read(void **state SW_UNUSED)
{
	static const char text[] = "{\"protocol\": \"strict\", \"version\": 1, \"nonce\": \"" NONCE
				   "\", \"more\": [1]}";
	const struct sw_offer wanted = asked();
	struct sw_offer o;
	struct sw_error err = {};

	assert_int_equal(sw_offer_parse(text, strlen(text), &o, &err), 0);
	assert_memory_equal(o.nonce, wanted.nonce, sizeof(o.nonce));
}

static void test_what_is_no_offer_is_refused(void **state SW_UNUSED)
{
	static const char *const texts[] = {
		"", "{}", "[]", "null", "{\"protocol\": \"strict\"}",
		"{\"protocol\": \"strict\", \"version\": 2, \"nonce\": \"" NONCE "\"}",
		"{\"protocol\": \"strict\", \"version\": 1, \"nonce\": \"" NONCE "00\"}",
		"{\"protocol\": \"strict\", \"version\": 1, \"nonce\": [\"" NONCE "\"]}",
		"{\"protocol\": \"plain\", \"version\": 1, \"nonce\": \"" NONCE "\"}",
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct sw_offer o;
		struct sw_error err = {};

		assert_int_equal(sw_offer_parse(texts[i], strlen(texts[i]), &o, &err), -EBADMSG);
		assert_int_equal(err.exit, SW_EXIT_ADMISSION);
		assert_true(err.why[0] && err.hint[0]);
	}
}

static void test_names(void **state SW_UNUSED)
{
	enum sw_attest_protocol p = SW_ATTEST_PLAIN;

	for (int i = SW_ATTEST_AUTO; i <= SW_ATTEST_PLAIN; i++) {
		const char *name = sw_attest_protocol_name((enum sw_attest_protocol)i);

		assert_int_equal(sw_attest_protocol_parse(name, &p), 0);
		assert_int_equal(p, i);
	}
	assert_int_equal(sw_attest_protocol_parse("stric", &p), -EINVAL);
	assert_int_equal(p, SW_ATTEST_PLAIN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_other_programs_made_is_opened),
		cmocka_unit_test(test_each_changed_byte_is_refused),
		cmocka_unit_test(test_every_cut_is_refused),
		cmocka_unit_test(test_it_answers_one_question_of_one_key),
		cmocka_unit_test(test_a_plain_answer_is_told),
		cmocka_unit_test(test_an_offer_is_read),
		cmocka_unit_test(test_what_is_no_offer_is_refused),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
