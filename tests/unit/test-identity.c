/* SPDX-License-Identifier: Apache-2.0 */
/* A TPM's identity: quotes and credentials judged and made by tpm2-tools; nothing stays behind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/proc.h"
#include "machine/machine.h"
#include "tpm/facts.h"
#include "tpm/identity.h"
#include "tpm/pcrs.h"

#define ALL_17 0x1ffffU		/* PCR 0 to 16 */
#define CREDENTIAL_HEAD 8U	/* of tpm2-tools' file: BADCC0DE and a version */

struct world {
	char *dir, *env;
	struct sw_machine *m;
	const char *tcti;
};

static bool have_tools(void)
{
	return sw_proc_exists("swtpm") && sw_proc_exists("tpm2_checkquote");
}

static void open_world(struct world *w)
{
	static const struct sw_standin_disk disk = { "A", "Disk", "nvme", 64ULL << 20, 512 };
	const struct sw_standin_config c = { .disks = &disk, .n_disks = 1 };
	struct sw_error err = {};

	assert_int_equal(sw_scratch_new("slipway-identity", &w->dir), 0);
	assert_int_equal(sw_standin_create(w->dir, &c, &err), 0);
	assert_int_equal(sw_machine_open_standin(w->dir, &w->m, &err), 0);
	assert_int_equal(sw_machine_tcti(w->m, &w->tcti, &err), 0);
	w->env = sw_fmt("TPM2TOOLS_TCTI=%s", w->tcti);
	assert_non_null(w->env);
}

static void close_world(struct world *w)
{
	sw_machine_free(w->m);
	assert_int_equal(sw_remove_tree(w->dir), 0);
	free(w->dir);
	free(w->env);
}
#define _cleanup_world_ _cleanup_(close_world)

/* The exit status of a tool of tpm2-tools; what it says is in out. */
static int tool(const struct world *w, const char *const *argv, struct sw_buf *out)
{
	const char *const env[] = { w->env, NULL };

	return sw_proc_run(argv, env, 60, out);
}

static char *put(const struct world *w, const char *name, const void *data, size_t len)
{
	char *path = sw_fmt("%s/%s", w->dir, name);

	assert_non_null(path);
	assert_int_equal(sw_file_write(path, data, len, 0600), 0);
	return path;
}

/* Handles of all kinds that could have been left behind, as tpm2_getcap lists them. */
static void assert_nothing_left(const struct world *w)
{
	static const char *const kinds[] = { "handles-transient", "handles-loaded-session",
					     "handles-saved-session" };

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		_cleanup_buf_ struct sw_buf out = {};

		assert_int_equal(tool(w, (const char *const[]){ "tpm2_getcap", kinds[i], NULL },
				      &out), 0);
		assert_string_equal(sw_buf_text(&out), "");
	}
}

static struct sw_identity *opened(const struct world *w, bool ecc)
{
	struct sw_identity *i = NULL;
	struct sw_error err = {};

	if (sw_identity_open(w->tcti, ecc, &i, &err) < 0)
		fail_msg("%s: %s", err.what, err.why);
	return i;
}

static void test_a_quote_convinces_tpm2_checkquote(void **state SW_UNUSED)
{
	_cleanup_world_ struct world w = {};
	_cleanup_identity_ struct sw_identity *i = NULL;
	_cleanup_free_ char *ak = NULL, *msg = NULL, *sig = NULL, *pcr = NULL;
	_cleanup_buf_ struct sw_buf out = {};
	struct sw_quote q;
	struct sw_error err = {};
	const uint8_t *area;
	size_t len;

	if (!have_tools())
		skip();
	open_world(&w);
	i = opened(&w, false);
	assert_int_equal(sw_identity_quote(i, "\x65\x01\x02\x03", 4, ALL_17, &q, &err), 0);
	assert_int_equal(q.pcrs_len, 1732);	/* as tpm2_quote writes for 17 PCRs */
	area = sw_identity_ak(i, &len);
	ak = put(&w, "ak", area, len);
	msg = put(&w, "msg", q.attest, q.attest_len);
	sig = put(&w, "sig", q.signature, q.signature_len);
	pcr = put(&w, "pcr", q.pcrs, q.pcrs_len);
	const char *argv[] = { "tpm2_checkquote", "-u", ak, "-m", msg, "-s", sig, "-f", pcr, "-q",
			       "65010203", NULL };
	if (tool(&w, argv, &out) != 0)
		fail_msg("%s", sw_buf_text(&out));
	argv[10] = "65010204";
	assert_int_not_equal(tool(&w, argv, NULL), 0);
	argv[10] = "65010203";
	q.pcrs[150] ^= 1;	/* a digit of PCR 0 */
	free(pcr);
	pcr = put(&w, "pcr", q.pcrs, q.pcrs_len);
	assert_int_not_equal(tool(&w, argv, NULL), 0);
	i = sw_identity_free(i);
	assert_nothing_left(&w);
}

/* The credential that tpm2_makecredential locks for an EK and an AK name: its file's content. */
static void make_credential(const struct world *w, const char *ek_pem, bool ecc, const char *name,
			    size_t secret_len, struct sw_buf *ret_blob)
{
	uint8_t secret[64];
	_cleanup_free_ char *ek = put(w, "ek.pem", ek_pem, strlen(ek_pem));
	_cleanup_free_ char *s = NULL, *blob = sw_fmt("%s/cred", w->dir);
	_cleanup_buf_ struct sw_buf out = {};

	memset(secret, 0x5a, sizeof(secret));
	s = put(w, "secret", secret, secret_len);
	const char *const argv[] = { "tpm2_makecredential", "-Q", "-T", "none", "-u", ek, "-G",
				     ecc ? "ecc" : "rsa", "-s", s, "-n", name, "-o", blob, NULL };
	if (tool(w, argv, &out) != 0)
		fail_msg("%s", sw_buf_text(&out));
	assert_int_equal(sw_file_read(blob, ret_blob), 0);
}

static int activate(struct sw_identity *i, const struct sw_buf *blob, struct sw_secret **ret_secret,
		    struct sw_error *err)
{
	const uint8_t *id = blob->data + CREDENTIAL_HEAD;
	size_t id_len = 2 + (size_t)(id[0] << 8 | id[1]);
	const uint8_t *seed = id + id_len;

	return sw_identity_activate(i, id, id_len, seed,
				    blob->len - CREDENTIAL_HEAD - id_len, ret_secret, err);
}

static void ak_name(const struct sw_identity *i, char name[static 4 + SW_SHA256_TEXT])
{
	size_t len;
	const uint8_t *area = sw_identity_ak(i, &len);

	memcpy(name, "000b", 4);
	sw_sha256(area, len, name + 4);
}

static void try_credential(const struct world *w, bool ecc, size_t secret_len)
{
	_cleanup_identity_ struct sw_identity *i = opened(w, ecc);
	_cleanup_secret_ struct sw_secret *s = NULL;
	_cleanup_buf_ struct sw_buf blob = {};
	char name[4 + SW_SHA256_TEXT];
	struct sw_error err = {};

	ak_name(i, name);
	make_credential(w, sw_identity_ek(i)->pem, ecc, name, secret_len, &blob);
	if (activate(i, &blob, &s, &err) < 0)
		fail_msg("%s: %s", err.what, err.why);
	assert_int_equal(s->len, secret_len);
	assert_int_equal(s->data[0], 0x5a);
	assert_int_equal(s->data[secret_len - 1], 0x5a);
}

static void test_what_tpm2_makecredential_locks_is_opened(void **state SW_UNUSED)
{
	_cleanup_world_ struct world w = {};

	if (!have_tools())
		skip();
	open_world(&w);
	try_credential(&w, false, 64);	/* what safeboot's server sends */
	try_credential(&w, false, 32);
	try_credential(&w, true, 32);
	assert_nothing_left(&w);
}

static void test_a_credential_for_another_key_is_refused_in_words(void **state SW_UNUSED)
{
	_cleanup_world_ struct world w = {};
	_cleanup_identity_ struct sw_identity *i = NULL;
	_cleanup_secret_ struct sw_secret *s = NULL;
	_cleanup_buf_ struct sw_buf blob = {};
	char name[4 + SW_SHA256_TEXT];
	struct sw_error err = {}, err2 = {}, err3 = {};

	if (!have_tools())
		skip();
	open_world(&w);
	i = opened(&w, false);
	ak_name(i, name);
	name[10] = name[10] == '0' ? '1' : '0';
	make_credential(&w, sw_identity_ek(i)->pem, false, name, 32, &blob);
	assert_int_equal(activate(i, &blob, &s, &err), -EPERM);
	assert_int_equal(err.exit, SW_EXIT_ADMISSION);
	assert_non_null(strstr(err.why, "another attestation key"));
	assert_true(err.hint[0]);
	/* A damaged seed, and something that is not even of the right form. */
	blob.data[blob.len - 1] ^= 1;
	assert_int_equal(activate(i, &blob, &s, &err2) < 0, 1);
	assert_int_equal(err2.exit, SW_EXIT_ADMISSION);
	blob.len -= 3;
	assert_int_equal(activate(i, &blob, &s, &err3), -EBADMSG);
	assert_null(s);
	i = sw_identity_free(i);
	assert_nothing_left(&w);
}

static void test_both_keys_are_the_same_each_time(void **state SW_UNUSED)
{
	_cleanup_world_ struct world w = {};
	char first[4 + SW_SHA256_TEXT], second[4 + SW_SHA256_TEXT];
	_cleanup_free_ char *id = NULL;

	if (!have_tools())
		skip();
	open_world(&w);
	for (int n = 0; n < 2; n++) {
		_cleanup_identity_ struct sw_identity *i = opened(&w, false);

		ak_name(i, n ? second : first);
		if (n)
			assert_string_equal(id, sw_identity_ek(i)->id);
		else
			id = strdup(sw_identity_ek(i)->id);
	}
	assert_string_equal(first, second);
}

static void lock_out(const struct world *w)
{
	static const char *const define[] = { "tpm2_nvdefine", "-Q", "-s", "8", "-a",
					      "authread|authwrite", "-p", "right", "0x1500001",
					      NULL };
	static const char *const try[] = { "tpm2_nvread", "-Q", "-P", "wrong", "0x1500001", NULL };

	assert_int_equal(tool(w, define, NULL), 0);
	for (int n = 0; n < 40; n++)
		(void)tool(w, try, NULL);
}

static void test_a_locked_tpm_says_for_how_long(void **state SW_UNUSED)
{
	_cleanup_world_ struct world w = {};
	_cleanup_identity_ struct sw_identity *i = NULL;
	struct sw_tpm_facts f;
	struct sw_error err = {};
	struct sw_quote q;

	if (!have_tools())
		skip();
	open_world(&w);
	lock_out(&w);
	assert_int_equal(sw_tpm_read_facts(w.tcti, &f, &err), 0);
	assert_true(f.locked && !f.attests && !f.seals);
	assert_int_equal(f.wait_s, (uint64_t)f.interval_s * (f.failures - f.failures_max + 1));
	assert_non_null(strstr(f.finding[0].what, "unlocks itself in"));
	i = opened(&w, false);
	assert_true(sw_identity_quote(i, "x", 1, ALL_17, &q, &err) < 0);
	assert_non_null(strstr(err.why, "too many wrong attempts"));
	assert_non_null(strstr(err.hint, "tpm facts"));
}

static void test_an_owned_endorsement_hierarchy_is_named_with_the_way_out(void **state SW_UNUSED)
{
	static const char *const own[] = { "tpm2_changeauth", "-c", "e", "theirs", NULL };
	_cleanup_world_ struct world w = {};
	struct sw_identity *i = NULL;
	struct sw_tpm_facts f;
	struct sw_error err = {};

	if (!have_tools())
		skip();
	open_world(&w);
	assert_int_equal(tool(&w, own, NULL), 0);
	assert_int_equal(sw_tpm_read_facts(w.tcti, &f, &err), 0);
	assert_true(f.endorsement_auth && !f.attests && f.seals);
	assert_true(sw_identity_open(w.tcti, false, &i, &err) < 0);
	assert_int_equal(err.exit, SW_EXIT_MISSING);
	assert_non_null(strstr(err.why, "password"));
	assert_non_null(strstr(err.hint, "firmware setup"));
	assert_nothing_left(&w);
}

static void test_findings_name_what_they_stop(void **state SW_UNUSED)
{
	struct sw_tpm_facts f = { .bank = { 0x000b }, .n_banks = 1, .storage_on = true,
				  .endorsement_on = true, .rsa_cert = true };

	sw_tpm_judge(&f);
	assert_true(f.attests && f.seals);
	assert_int_equal(f.n_findings, 0);
	f.endorsement_on = false;
	sw_tpm_judge(&f);
	assert_true(!f.attests && f.seals);
	f.endorsement_on = true;
	f.bank[0] = 0x0004;	/* sha1 alone */
	sw_tpm_judge(&f);
	assert_true(!f.attests && !f.seals);
	f.bank[0] = 0x000b;
	f.owner_auth = true;
	sw_tpm_judge(&f);
	assert_true(f.attests && !f.seals);
	assert_true(f.finding[0].hint && f.finding[0].hint[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_quote_convinces_tpm2_checkquote),
		cmocka_unit_test(test_what_tpm2_makecredential_locks_is_opened),
		cmocka_unit_test(test_a_credential_for_another_key_is_refused_in_words),
		cmocka_unit_test(test_both_keys_are_the_same_each_time),
		cmocka_unit_test(test_a_locked_tpm_says_for_how_long),
		cmocka_unit_test(test_an_owned_endorsement_hierarchy_is_named_with_the_way_out),
		cmocka_unit_test(test_findings_name_what_they_stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
