/* SPDX-License-Identifier: Apache-2.0 */
/* The recovery key: its form, what counts as typed back, and its escrow, which openssl opens. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/evp.h>

#include "base/file.h"
#include "base/proc.h"
#include "disk/recovery.h"

static struct sw_secret *new_key(void)
{
	struct sw_secret *k = NULL;
	struct sw_error err = {};

	assert_int_equal(sw_recovery_new(&k, &err), 0);
	return k;
}

static void test_a_key_is_eight_groups_of_modhex(void **state SW_UNUSED)
{
	_cleanup_secret_ struct sw_secret *a = new_key(), *b = new_key();

	assert_int_equal(a->len, SW_RECOVERY_LEN);
	assert_int_equal(strlen((char *)a->data), SW_RECOVERY_LEN);
	assert_int_equal(strspn((char *)a->data, "cbdefghijklnrtuv-"), SW_RECOVERY_LEN);
	for (size_t i = 0; i < a->len; i++)
		assert_int_equal(a->data[i] == '-', i % 9 == 8);
	assert_memory_not_equal(a->data, b->data, a->len);
}

static void test_typed_back(void **state SW_UNUSED)
{
	_cleanup_secret_ struct sw_secret *k = new_key();
	char group[SW_RECOVERY_GROUP + 1], spaced[32];

	for (unsigned int n = 0; n < SW_RECOVERY_GROUPS; n++) {
		sw_recovery_group(k, n, group);
		assert_true(sw_recovery_matches(k, n, group));
		assert_false(sw_recovery_matches(k, (n + 1) % 8, group));
		(void)snprintf(spaced, sizeof(spaced), " %.4s %c%s", group, group[4] - 32,
			       group + 5);
		assert_true(sw_recovery_matches(k, n, spaced));
		group[7] = group[7] == 'c' ? 'b' : 'c';
		assert_false(sw_recovery_matches(k, n, group));
		group[7] = '\0';
		assert_false(sw_recovery_matches(k, n, group));
	}
	assert_true(sw_recovery_matches(k, 3, (char *)k->data));
	assert_false(sw_recovery_matches(k, 3, ""));
	k->data[70] ^= 1;
	sw_recovery_group(k, 7, group);
	assert_true(sw_recovery_matches(k, 7, group));
}

static void test_every_group_but_the_first_is_asked_for(void **state SW_UNUSED)
{
	unsigned int seen = 0, n = 0;

	for (int i = 0; i < 1000; i++) {
		assert_int_equal(sw_recovery_ask_for(&n), 0);
		assert_true(n >= 1 && n < SW_RECOVERY_GROUPS);
		seen |= 1U << n;
	}
	assert_int_equal(seen, 0xfe);
}

/* /proc/self/smaps says of the page: locked, left out of dumps. */
static void test_secrets_are_locked_and_not_dumped(void **state SW_UNUSED)
{
	_cleanup_secret_ struct sw_secret *k = new_key();
	_cleanup_fclose_ FILE *f = fopen("/proc/self/smaps", "re");
	unsigned long at = (unsigned long)(uintptr_t)k->data, from, to;
	bool here = false, seen = false;
	char line[256];

	assert_non_null(f);
	while (!seen && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
			here = from <= at && at < to;
		if (!here || strncmp(line, "VmFlags:", 8))
			continue;
		seen = true;
		assert_non_null(strstr(line, " lo "));
		assert_non_null(strstr(line, " dd "));
	}
	assert_true(seen);
}

static char *make_certificate(const char *dir, const char *algorithm, const char *option)
{
	_cleanup_free_ char *key = sw_fmt("%s/key.pem", dir), *out = sw_fmt("%s/cert.pem", dir);
	const char *argv[] = { "openssl", "req", "-x509", "-newkey", algorithm, "-nodes", "-keyout",
			       key, "-out", out, "-subj", "/CN=escrow test", "-days", "1",
			       option ? "-pkeyopt" : NULL, option, NULL };
	_cleanup_buf_ struct sw_buf b = {};
	struct sw_error err = {};

	assert_int_equal(sw_proc_check(argv, NULL, 60, &err), 0);
	assert_int_equal(sw_file_read(out, &b), 0);
	return strndup((char *)b.data, b.len);
}

static void opens(const char *dir, const char *b64, const struct sw_secret *k)
{
	_cleanup_free_ char *key = sw_fmt("%s/key.pem", dir), *in = sw_fmt("%s/cms", dir);
	_cleanup_free_ unsigned char *der = malloc(strlen(b64));
	const char *argv[] = { "openssl", "cms", "-decrypt", "-inform", "DER", "-in", in, "-inkey",
			       key, NULL };
	_cleanup_buf_ struct sw_buf out = {};
	int n = EVP_DecodeBlock(der, (const unsigned char *)b64, (int)strlen(b64));

	assert_true(n > 0);
	for (const char *end = b64 + strlen(b64); end > b64 && end[-1] == '='; end--)
		n--;
	assert_int_equal(sw_file_write(in, der, (size_t)n, 0600), 0);
	assert_int_equal(sw_proc_run(argv, NULL, 60, &out), 0);
	assert_int_equal(out.len, k->len);
	assert_memory_equal(out.data, k->data, k->len);
}

static void test_escrow_is_opened_by_openssl(void **state SW_UNUSED)
{
	static const char *const kinds[][2] = {
		{ "rsa:2048", NULL }, { "ec", "ec_paramgen_curve:P-256" },
	};
	_cleanup_secret_ struct sw_secret *k = new_key();
	char *dir = NULL;

	assert_int_equal(sw_scratch_new("slipway-test", &dir), 0);
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		_cleanup_free_ char *pem = make_certificate(dir, kinds[i][0], kinds[i][1]);
		_cleanup_free_ char *subject = NULL, *b64 = NULL;
		struct sw_error err = {};

		assert_int_equal(sw_escrow_check(pem, &subject, &err), 0);
		assert_non_null(strstr(subject, "escrow test"));
		/* As a folded line of YAML has it. */
		for (char *c = pem; *c; c++)
			if (*c == '\n')
				*c = ' ';
		assert_int_equal(sw_escrow_seal(pem, k, &b64, &err), 0);
		assert_null(memmem(b64, strlen(b64), k->data, 8));
		opens(dir, b64, k);
	}
	sw_remove_tree(dir);
	free(dir);
}

static void test_what_is_no_certificate_is_refused(void **state SW_UNUSED)
{
	static const char *const bad[] = { "", "hello", "-----BEGIN CERTIFICATE-----",
					   "-----BEGIN CERTIFICATE----- AAAA -----END",
					   "MIIB", "====" };
	_cleanup_secret_ struct sw_secret *k = new_key();
	_cleanup_free_ char *ed = NULL;
	char *dir = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct sw_error err = {};
		char *b64 = NULL;

		assert_int_equal(sw_escrow_seal(bad[i], k, &b64, &err), -EINVAL);
		assert_null(b64);
		assert_true(err.why[0] && err.hint[0]);
	}
	assert_int_equal(sw_scratch_new("slipway-test", &dir), 0);
	ed = make_certificate(dir, "ed25519", NULL);
	struct sw_error err = {};

	assert_int_equal(sw_escrow_check(ed, NULL, &err), -EINVAL);
	assert_non_null(strstr(err.why, "neither RSA nor"));
	sw_remove_tree(dir);
	free(dir);
}

static void test_what_is_typed_becomes_the_passphrase(void **state SW_UNUSED)
{
	static const char key[] = "cbdefghi-jklnrtuv-cbdefghi-jklnrtuv-cbdefghi-jklnrtuv-cbdefghi-"
				  "jklnrtuv";
	static const struct { const char *given, *wanted; } cases[] = {
		{ key, key },
		{ "CBDEFGHI JKLNRTUV CBDEFGHI JKLNRTUV cbdefghijklnrtuv cbdefghi-jklnrtuv\r\n",
		  key },
		/* One letter less, one more, one that is none: another passphrase, as it is. */
		{ "cbdefghi-jklnrtuv-cbdefghi-jklnrtuv-cbdefghi-jklnrtuv-cbdefghi-jklnrtu\n",
		  NULL },
		{ "cbdefghi-jklnrtuv-cbdefghi-jklnrtuv-cbdefghi-jklnrtuv-cbdefghi-jklnrtuvc",
		  NULL },
		{ "abdefghi-jklnrtuv-cbdefghi-jklnrtuv-cbdefghi-jklnrtuv-cbdefghi-jklnrtuv",
		  NULL },
		{ " a key file\n", NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *wanted = cases[i].wanted ? cases[i].wanted : cases[i].given;
		_cleanup_secret_ struct sw_secret *given = NULL, *got = NULL;
		struct sw_error err = {};

		assert_int_equal(sw_secret_new(strlen(cases[i].given), &given, &err), 0);
		memcpy(given->data, cases[i].given, given->len);
		assert_int_equal(sw_recovery_passphrase(given, &got, &err), 0);
		assert_int_equal(got->len, strlen(wanted));
		assert_memory_equal(got->data, wanted, got->len);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_key_is_eight_groups_of_modhex),
		cmocka_unit_test(test_typed_back),
		cmocka_unit_test(test_every_group_but_the_first_is_asked_for),
		cmocka_unit_test(test_secrets_are_locked_and_not_dumped),
		cmocka_unit_test(test_escrow_is_opened_by_openssl),
		cmocka_unit_test(test_what_is_no_certificate_is_refused),
		cmocka_unit_test(test_what_is_typed_becomes_the_passphrase),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
