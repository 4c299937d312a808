/* SPDX-License-Identifier: Apache-2.0 */
/* The form of sealed secrets, without a TPM: what is closed opens, and nothing else does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tpm/credential.h"

static struct sw_secret *secret_of(const char *text)
{
	struct sw_secret *s = NULL;

	assert_int_equal(sw_secret_new(strlen(text), &s, NULL), 0);
	memcpy(s->data, text, s->len);
	return s;
}

static const struct sw_sealed sealed = { .blob = { 1, 2, 3, 4, 5 }, .len = 5, .policy = { 9, 8 },
					 .pcrs = 1U << 7 | 1U << 11, .rsa = true };

/* Made for this test; nobody has its other half. */
static const char signer_pem[] =
		"-----BEGIN PUBLIC KEY-----\n"
		"MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAvTDhKS7ic0AreFnLIbBv\n"
		"Gv7XZiU6hpJDFxnn8Qm/JIfPIeV8DlD04KGa1VrlWXqhTfejnapWhnqGHiCJFF5J\n"
		"ANNB3RNJGlq9a8tmIM8xFTRUUcx7iAE5xMzmiTVW8JB+YX+749N/uQXDMVu1Pn+r\n"
		"ZU5P3JH9FkwqAGvUv84CoMng4a1Qr7THml9EodJhXapIOD5dZa02HcfJgWGHYaAs\n"
		"7gBsxi6ka8W712DxhaGQTnqLRRDldS63XEMvjSz89rRWGIOcL7APvnrO3kCBtmFG\n"
		"Bao8pB4KXaQUy1EFGx7aPLCYkH+gd7u+UTOgDtpeb+NwWkTkCGJ2Vg8O1w9vMqBC\n"
		"oQIDAQAB\n"
		"-----END PUBLIC KEY-----\n";

static struct sw_sealed with_signer(void)
{
	struct sw_sealed s = sealed;

	assert_int_equal(sw_pcr_key_parse(signer_pem, strlen(signer_pem), &s.signer, NULL), 0);
	assert_int_equal(s.signer.modulus_len, 256);
	assert_int_equal(s.signer.exponent, 65537);
	return s;
}

static void close_it(const struct sw_sealed *s, const char *key, const char *name,
		     const char *text, struct sw_buf *ret)
{
	_cleanup_secret_ struct sw_secret *k = secret_of(key), *t = secret_of(text);

	assert_int_equal(sw_credential_close(s, k, name, 77, t, ret, NULL), 0);
}

/* 0 and the text, or -errno. */
static int open_it(const struct sw_buf *b, const char *key, const char *name, char text[64])
{
	_cleanup_secret_ struct sw_secret *k = secret_of(key), *t = NULL;
	struct sw_credential c;
	struct sw_error err = {};
	int r = sw_credential_parse(b->data, b->len, &c, &err);

	if (r == 0)
		r = sw_credential_open(&c, k, name, 78, &t, &err);
	if (r < 0) {
		assert_true(err.why[0] && err.hint[0]);
		return r;
	}
	memcpy(text, t->data, t->len + 1);
	return 0;
}

static void what_is_closed_opens_with_its_key_and_name(void **state)
{
	_cleanup_buf_ struct sw_buf b = {}, again = {};
	struct sw_credential c;
	char text[64];

	(void)state;
	close_it(&sealed, "key", "name", "hello", &b);
	assert_int_equal(sw_credential_parse(b.data, b.len, &c, NULL), 0);
	assert_false(c.recovery);
	assert_true(c.sealed.rsa);
	assert_int_equal(c.sealed.pcrs, sealed.pcrs);
	assert_int_equal(c.sealed.len, 5);
	assert_memory_equal(c.sealed.blob, sealed.blob, 5);
	assert_memory_equal(c.sealed.policy, sealed.policy, 32);
	assert_int_equal(open_it(&b, "key", "name", text), 0);
	assert_string_equal(text, "hello");
	assert_int_equal(open_it(&b, "kez", "name", text), -EBADMSG);
	assert_int_equal(open_it(&b, "key", "nam", text), -EKEYREJECTED);
	close_it(&sealed, "key", "name", "hello", &again);
	assert_memory_not_equal(b.data, again.data, b.len);	/* another IV */
}

static void the_copy_of_a_recovery_key_is_no_tpm_credential(void **state)
{
	_cleanup_buf_ struct sw_buf b = {};
	struct sw_credential c;
	char text[64];

	(void)state;
	close_it(NULL, "recovery", "name", "hello", &b);
	assert_int_equal(sw_credential_parse(b.data, b.len, &c, NULL), 0);
	assert_true(c.recovery);
	assert_int_equal(c.sealed.len, 0);
	assert_int_equal(open_it(&b, "recovery", "name", text), 0);
	assert_string_equal(text, "hello");
	assert_int_equal(open_it(&b, "recoverz", "name", text), -EBADMSG);
}

static void a_signer_comes_back_with_its_pcrs(void **state)
{
	struct sw_sealed s = with_signer();
	_cleanup_buf_ struct sw_buf b = {};
	struct sw_credential c;
	char text[64];

	(void)state;
	s.signer.pcrs = 1U << 11 | 1U << 12;
	close_it(&s, "key", "name", "hello", &b);
	assert_int_equal(sw_credential_parse(b.data, b.len, &c, NULL), 0);
	assert_false(c.recovery);
	assert_int_equal(c.sealed.signer.pcrs, s.signer.pcrs);
	assert_string_equal(c.sealed.signer.pem, signer_pem);
	/* openssl rsa -pubin -RSAPublicKey_out -outform DER | sha256sum */
	assert_string_equal(c.sealed.signer.fingerprint,
			    "1cfd3b82de6c1ce06185a401a119616af75b9a153f5b55aca1a7a4a5fc689b6a");
	assert_int_equal(open_it(&b, "key", "name", text), 0);
	assert_string_equal(text, "hello");
}

static void refuse_changes(const struct sw_sealed *s)
{
	_cleanup_buf_ struct sw_buf b = {};
	char text[64];

	close_it(s, "key", "name", "hello", &b);
	for (size_t i = 0; i < b.len; i++) {
		b.data[i] ^= 1;
		assert_true(open_it(&b, "key", "name", text) < 0);
		b.data[i] ^= 1;
	}
	while (b.len > 0) {
		b.len--;
		assert_true(open_it(&b, "key", "name", text) < 0);
	}
}

static void every_changed_byte_and_every_cut_is_refused(void **state)
{
	const struct sw_sealed s = with_signer();

	(void)state;
	refuse_changes(&sealed);
	refuse_changes(&s);
}

static void text_of_every_length_comes_back(void **state)
{
	(void)state;
	for (size_t n = 1; n < 70; n++) {
		_cleanup_buf_ struct sw_buf b = {}, back = {}, spaced = {};
		_cleanup_free_ char *text = NULL;

		for (size_t i = 0; i < n; i++)
			assert_int_equal(sw_buf_add(&b, &(uint8_t){ (uint8_t)(i * 37) }, 1), 0);
		text = sw_credential_to_text(&b);
		assert_non_null(text);
		for (size_t i = 0; text[i]; i++)
			assert_int_equal(sw_buf_addf(&spaced, "%c%s", text[i], i % 5 ? "" : "\n"),
					 0);
		assert_int_equal(sw_credential_from_text(sw_buf_text(&spaced), &back, NULL), 0);
		assert_int_equal(back.len, n);
		assert_memory_equal(back.data, b.data, n);
	}
}

static void names(void **state)
{
	(void)state;
	assert_true(sw_credential_is_name("a"));
	assert_true(sw_credential_is_name("ssh_host.ed25519-key"));
	assert_false(sw_credential_is_name(""));
	assert_false(sw_credential_is_name(".."));
	assert_false(sw_credential_is_name("-x"));
	assert_false(sw_credential_is_name("a/b"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_closed_opens_with_its_key_and_name),
		cmocka_unit_test(the_copy_of_a_recovery_key_is_no_tpm_credential),
		cmocka_unit_test(a_signer_comes_back_with_its_pcrs),
		cmocka_unit_test(every_changed_byte_and_every_cut_is_refused),
		cmocka_unit_test(text_of_every_length_comes_back),
		cmocka_unit_test(names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
