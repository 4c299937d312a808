/* SPDX-License-Identifier: Apache-2.0 */
/* What a diagnostics bundle leaves out: every shape of a secret, and nothing around it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "bundle/bundle.h"

#define HASH64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define RECOVERY "cbdefghi-jklnrtuv-cbdefghi-jklnrtuv-cbdefghi-jklnrtuv-cbdefghi-jklnrtuv"

static void same_text(const struct sw_redact *r, const char *in, const char *want)
{
	_cleanup_buf_ struct sw_buf out = {};
	struct sw_redacted count = {};

	assert_int_equal(sw_redact_text(r, in, &out, &count), 0);
	assert_string_equal(sw_buf_text(&out), want);
}

static const struct {
	const char *in, *out;
} shapes[] = {
	{ "get https://ann:s3cret@boot.example/x", "get https://[removed]@boot.example/x" },
	{ "GET http://b/cfg?key=abc&mac=1 200", "GET http://b/cfg?[removed] 200" },
	{ "K10" HASH64 "::server:abcdef123 end", "K10" HASH64 "::[removed] end" },
	{ "join 07401b.f395accd246ae52d now", "join [removed] now" },
	{ "authorization: Bearer abc.def", "authorization: [removed]" },
	{ "X-Bootstrap-Token: hunter2", "X-Bootstrap-Token: [removed]" },
	{ "ip=dhcp password=hunter2 quiet", "ip=dhcp password=[removed] quiet" },
	{ "  token: \"abc\"", "  token: \"[removed]\"" },
	{ "PrivateKey = 9f/8+a=", "PrivateKey = [removed]" },
	{ "AGE-SECRET-KEY-1QQPZRY9", "AGE-SECRET-KEY-[removed]" },
	{ "root:$6$salt$0123abcd/.:0:", "root:[removed]:0:" },
	{ "the key is " RECOVERY ".", "the key is [removed]." },
	{ "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln", "[removed]" },
	{ "a\n-----BEGIN RSA PRIVATE KEY-----\nMII\n-----END RSA PRIVATE KEY-----\nb\n",
	  "a\n[removed]\nb\n" },
	{ "-----BEGIN PRIVATE KEY-----\nMII cut off", "[removed]" },
	{ "two: http://a:b@c/ http://d:e@f/", "two: http://[removed]@c/ http://[removed]@f/" },
};

static void test_every_shape_of_a_secret_goes(void **state SW_UNUSED)
{
	const struct sw_redact none = {};

	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		same_text(&none, shapes[i].in, shapes[i].out);
		assert_true(sw_redact_finds(&none, shapes[i].in, strlen(shapes[i].in)));
	}
}

static void test_what_was_redacted_stays_the_same(void **state SW_UNUSED)
{
	const struct sw_redact none = {};

	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++)
		same_text(&none, shapes[i].out, shapes[i].out);
}

static void test_what_is_no_secret_stays(void **state SW_UNUSED)
{
	static const char *const lines[] = {
		"", "\n\n", "linux 6.1.0-13-amd64.x86_64", "https://boot.example/vmlinuz",
		"-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----\n",
		"ember.attest_url=https://attest.example/v1", "nvme0n1: p1 p2 p3", "a@b.example",
		"0123456789abcdefABCDEF",	/* 22 characters, no check */
		"slipway.answers=stick console=ttyS0,115200n8", ("sha256:" HASH64),
	};
	const struct sw_redact none = {};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		same_text(&none, lines[i], lines[i]);
		assert_false(sw_redact_finds(&none, lines[i], strlen(lines[i])));
	}
}

/* As in test-token.c: 15 bytes 0x00 to 0x0e, and the two characters that check them. */
static void test_a_homeworld_token_goes_by_its_check(void **state SW_UNUSED)
{
	const struct sw_redact none = {};

	same_text(&none, "admit AAECAwQFBgcICQoLDA0OHa, now", "admit [removed], now");
	same_text(&none, "admit AAECAwQFBgcICQoLDA0OHb, now", "admit AAECAwQFBgcICQoLDA0OHb, now");
	same_text(&none, "xAAECAwQFBgcICQoLDA0OHa", "xAAECAwQFBgcICQoLDA0OHa");
}

static void test_keys_of_a_document_count(void **state SW_UNUSED)
{
	_cleanup_json_ json_object *o = json_tokener_parse(
		"{\"password\": \"x y\", \"url\": \"https://a:b@c/\", \"n\": 5, \"token\": \"\","
		" \"list\": [\"07401b.f395accd246ae52d\", {\"Secret\": \"q\"}]}");
	const struct sw_redact none = {};
	struct sw_redacted count = {};
	_cleanup_json_ json_object *told = NULL;

	assert_int_equal(sw_redact_json(&none, o, &count), 0);
	assert_string_equal(json_object_to_json_string_ext(o, JSON_C_TO_STRING_NOSLASHESCAPE),
			    "{\"password\":\"[removed]\",\"url\":\"https://[removed]@c/\","
			    "\"n\":5,\"token\":\"\",\"list\":[\"[removed]\","
			    "{\"Secret\":\"[removed]\"}]}");
	told = sw_redacted_to_json(&count);
	assert_int_equal(sw_json_u64(told, "value of a secret", 0), 2);
	assert_int_equal(sw_json_u64(told, "password in a URL", 0), 1);
	assert_int_equal(sw_json_u64(told, "bootstrap token", 0), 1);
}

static void test_utf16_is_looked_into(void **state SW_UNUSED)
{
	static const char text[] = "x password=hunter2";
	uint8_t wide[2 * sizeof(text) + 1] = {};
	const struct sw_redact none = {};

	for (unsigned int odd = 0; odd < 2; odd++) {
		memset(wide, 0, sizeof(wide));
		for (size_t i = 0; i < sizeof(text); i++)
			wide[2 * i + odd] = (uint8_t)text[i];
		assert_true(sw_redact_finds(&none, wide, sizeof(wide)));
	}
	memset(wide, 'x', sizeof(wide));
	assert_false(sw_redact_finds(&none, wide, sizeof(wide)));
}

static void test_names_get_one_word_each(void **state SW_UNUSED)
{
	struct sw_disk disks[] = { { .serial = (char *)"S4EVNX0", .wwn = (char *)"eui.0025385" },
				   { .serial = (char *)"S4EVNX01" }, { .serial = (char *)"7" } };
	char *addresses[] = { (char *)"192.0.2.7/24", NULL };
	struct sw_link link = { .mac = (char *)"52:54:00:12:34:56", .addresses = addresses };
	const struct sw_facts f = { .machine_name = (char *)"node07", .disks = disks, .n_disks = 3,
				    .links = &link, .n_links = 1 };
	_cleanup_redact_ struct sw_redact r = {};

	assert_int_equal(sw_redact_new(&f, &r), 0);
	same_text(&r, "NODE07 has S4EVNX01 and S4EVNX0, eui.0025385 and 7",
		  "host-1 has serial-2 and serial-1, wwn-1 and 7");
	same_text(&r, "MAC(525400123456,1) 52:54:00:12:34:56 at 192.0.2.7",
		  "MAC(mac-2,1) mac-1 at address-1");
}

static void test_a_block_survives_a_console(void **state SW_UNUSED)
{
	_cleanup_json_ json_object *report = json_tokener_parse("{\"machine\": \"node07\"}");
	_cleanup_buf_ struct sw_buf block = {}, log = {}, text = {}, cut = {};
	struct sw_error err = {};

	assert_int_equal(sw_bundle_block(report, &block, NULL), 0);
	assert_int_equal(sw_buf_adds(&log, "node login: \r\nbegin-base64 644 cut\r\nAAAA\r\n"), 0);
	for (const char *p = sw_buf_text(&block); *p; p += *p == '\n') {
		size_t n = strcspn(p, "\n");

		assert_int_equal(sw_buf_add(&log, p, n), 0);
		assert_int_equal(sw_buf_adds(&log, "\r\n[   12.3] usb 1-1: new device\r\n"), 0);
		p += n;
	}
	assert_int_equal(sw_bundle_read((const char *)log.data, log.len, &text, &err), 0);
	assert_string_equal(sw_buf_text(&text), "{\"machine\":\"node07\"}");
	assert_int_equal(sw_bundle_read((const char *)log.data, log.len / 2, &cut, &err),
			 -ENOENT);
	assert_int_equal(err.exit, SW_EXIT_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_shape_of_a_secret_goes),
		cmocka_unit_test(test_what_was_redacted_stays_the_same),
		cmocka_unit_test(test_what_is_no_secret_stays),
		cmocka_unit_test(test_a_homeworld_token_goes_by_its_check),
		cmocka_unit_test(test_keys_of_a_document_count),
		cmocka_unit_test(test_utf16_is_looked_into),
		cmocka_unit_test(test_names_get_one_word_each),
		cmocka_unit_test(test_a_block_survives_a_console),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
