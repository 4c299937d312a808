/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An encrypted partition is what cryptsetup and systemd take it for: they are the
 * judges, with a software TPM behind both sides.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <libcryptsetup.h>
#include <nettle/base64.h>
#include <openssl/sha.h>
#include <tss2/tss2_esys.h>
#include <tss2/tss2_tctildr.h>

#include "base/file.h"
#include "base/json.h"
#include "base/proc.h"
#include "disk/luks.h"
#include "disk/recovery.h"
#include "machine/machine.h"
#include "tpm/pcrs.h"

#define SIZE (24ULL << 20)
#define OTHER_UUID "00112233-4455-4677-8899-aabbccddeeff"

struct fixture {
	char *dir, *header, *disk;
	struct sw_machine *m;
	const char *tcti;
};

static const struct sw_luks_cost quick = { .memory_kib = 32, .passes = 4, .lanes = 1 };

static int setup(void **state)
{
	static const struct sw_standin_config c = {};
	struct fixture *f = calloc(1, sizeof(*f));
	struct sw_error err = {};
	char *standin;

	assert_non_null(f);
	assert_int_equal(sw_scratch_new("slipway-test", &f->dir), 0);
	standin = sw_fmt("%s/m", f->dir);
	f->header = sw_fmt("%s/header", f->dir);
	f->disk = sw_fmt("%s/disk", f->dir);
	assert_int_equal(sw_standin_create(standin, &c, &err), 0);
	assert_int_equal(sw_machine_open_standin(standin, &f->m, &err), 0);
	assert_int_equal(sw_machine_tcti(f->m, &f->tcti, &err), 0);
	free(standin);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	sw_machine_free(f->m);
	sw_remove_tree(f->dir);
	free(f->dir);
	free(f->header);
	free(f->disk);
	free(f);
	return 0;
}

static struct sw_io *new_disk(const struct fixture *f)
{
	struct sw_io *io = NULL;
	struct sw_error err = {};
	FILE *file = fopen(f->disk, "we");

	assert_non_null(file);
	assert_int_equal(ftruncate(fileno(file), SIZE), 0);
	fclose(file);
	assert_int_equal(sw_io_open(f->disk, true, false, 512, &io, &err), 0);
	return io;
}

static struct sw_luks_spec new_spec(void)
{
	struct sw_luks_spec s = { .sector = 4096, .cost = quick };

	assert_int_equal(sw_guid_parse(OTHER_UUID, &s.uuid), 0);
	return s;
}

static struct sw_secret *from_text(const char *text)
{
	struct sw_secret *s = NULL;
	struct sw_error err = {};

	assert_int_equal(sw_secret_new(strlen(text), &s, &err), 0);
	memcpy(s->data, text, s->len);
	return s;
}

/* cryptsetup open --test-passphrase with this passphrase in a file. */
static int opens(const struct fixture *f, const void *pass, size_t len)
{
	_cleanup_free_ char *key = sw_fmt("%s/key", f->dir);
	const char *argv[] = { "cryptsetup", "open", "--test-passphrase", "--key-file", key,
			       f->disk, NULL };

	assert_int_equal(sw_file_write(key, pass, len, 0600), 0);
	return sw_proc_run(argv, NULL, 60, NULL);
}

/* Of src/cryptsetup/cryptsetup-tokens/cryptsetup-token-systemd-tpm2.c: what its caller gives. */
struct plugin_params {
	uint32_t search_pcr_mask;
	const char *device, *signature_path;
};

/* The same by the systemd-tpm2 token alone: the code that does it is systemd's plugin. */
static int opens_by_token(const struct fixture *f)
{
	struct plugin_params params = { .search_pcr_mask = UINT32_MAX, .device = f->tcti };
	struct crypt_device *cd = NULL;
	int r = crypt_init(&cd, f->disk);

	if (r >= 0)
		r = crypt_load(cd, CRYPT_LUKS2, NULL);
	if (r >= 0)
		r = crypt_activate_by_token_pin(cd, NULL, "systemd-tpm2", CRYPT_ANY_TOKEN, NULL,
						0, &params, 0);
	crypt_free(cd);
	return r < 0 ? r : 0;
}

static json_object *dump(const struct fixture *f)
{
	const char *argv[] = { "cryptsetup", "luksDump", "--dump-json-metadata", f->disk, NULL };
	_cleanup_buf_ struct sw_buf out = {};
	json_object *o = NULL;
	struct sw_error err = {};

	assert_int_equal(sw_proc_run(argv, NULL, 60, &out), 0);
	assert_int_equal(sw_json_parse((char *)out.data, out.len, "dump", &o, &err), 0);
	return o;
}

static void extend_pcr(const struct fixture *f)
{
	TSS2_TCTI_CONTEXT *tcti = NULL;
	ESYS_CONTEXT *esys = NULL;
	TPML_DIGEST_VALUES v = { .count = 1, .digests[0] = { .hashAlg = TPM2_ALG_SHA256 } };

	assert_int_equal(Tss2_TctiLdr_Initialize(f->tcti, &tcti), 0);
	assert_int_equal(Esys_Initialize(&esys, tcti, NULL), 0);
	assert_int_equal(Esys_PCR_Extend(esys, ESYS_TR_PCR7, ESYS_TR_PASSWORD, ESYS_TR_NONE,
					 ESYS_TR_NONE, &v), 0);
	Esys_Finalize(&esys);
	Tss2_TctiLdr_Finalize(&tcti);
}

static void test_a_recovery_key_and_a_key_file_open_it(void **state)
{
	struct fixture *f = *state;
	_cleanup_secret_ struct sw_secret *key = NULL, *recovery = NULL;
	_cleanup_secret_ struct sw_secret *file = from_text("what is in the file\n");
	_cleanup_io_ struct sw_io *io = new_disk(f);
	struct sw_luks_spec spec = new_spec();
	struct sw_error err = {};
	const char *uuid[] = { "cryptsetup", "luksUUID", f->disk, NULL };
	_cleanup_buf_ struct sw_buf out = {};

	assert_int_equal(sw_recovery_new(&recovery, &err), 0);
	spec.recovery = recovery;
	spec.key_file = file;
	assert_int_equal(sw_luks_make(&spec, f->header, &key, &err), 0);
	assert_int_equal(sw_luks_write_header(io, f->header, &err), 0);
	assert_int_equal(opens(f, recovery->data, recovery->len), 0);
	assert_int_equal(opens(f, file->data, file->len), 0);
	assert_int_equal(opens(f, "what is in the file", 19), 2);
	assert_int_equal(sw_proc_run(uuid, NULL, 60, &out), 0);
	assert_memory_equal(out.data, OTHER_UUID, 36);
}

static void test_systemds_plugin_opens_it_by_the_tpm(void **state)
{
	struct fixture *f = *state;
	_cleanup_secret_ struct sw_secret *key = NULL, *secret = NULL;
	_cleanup_io_ struct sw_io *io = new_disk(f);
	_cleanup_json_ json_object *o = NULL;
	struct sw_luks_spec spec = new_spec();
	struct sw_sealed sealed;
	struct sw_error err = {};
	json_object *token;

	assert_int_equal(sw_tpm_seal(f->tcti, SW_TPM_PCRS_DEFAULT, NULL, NULL,
				     &sealed, &secret, &err),
			 0);
	spec.sealed = &sealed;
	spec.tpm_secret = secret;
	assert_int_equal(sw_luks_make(&spec, f->header, &key, &err), 0);
	assert_int_equal(sw_luks_write_header(io, f->header, &err), 0);
	assert_int_equal(opens_by_token(f), 0);
	o = dump(f);
	token = sw_json_get(sw_json_get(o, "tokens"), "0");
	assert_string_equal(sw_json_str(token, "type", ""), "systemd-tpm2");
	assert_string_equal(sw_json_str(token, "tpm2-primary-alg", ""), "ecc");
	extend_pcr(f);
	assert_int_not_equal(opens_by_token(f), 0);
}

/* Names and types of every member are those that systemd-cryptenroll wrote. */
/* key_file: NULL without a signer. */
static void compare_token(struct fixture *f, const struct sw_pcr_key *signer, const char *key_file)
{
	_cleanup_secret_ struct sw_secret *key = NULL, *secret = NULL;
	_cleanup_secret_ struct sw_secret *pass = from_text("passphrase");
	_cleanup_free_ char *device = sw_fmt("--tpm2-device=%s", f->tcti);
	_cleanup_free_ char *by = key_file ? sw_fmt("--tpm2-public-key=%s", key_file) : NULL;
	const char *argv[] = { "systemd-cryptenroll", device, "--tpm2-pcrs=7", f->disk, by,
			       "--tpm2-public-key-pcrs=11", NULL };
	const char *env[] = { "PASSWORD=passphrase", NULL };
	_cleanup_io_ struct sw_io *io = new_disk(f);
	struct sw_luks_spec spec = new_spec();
	struct sw_sealed sealed;
	struct sw_error err = {};
	_cleanup_json_ json_object *o = NULL, *ours = NULL;
	json_object *theirs;

	assert_int_equal(sw_tpm_seal(f->tcti, SW_TPM_PCRS_DEFAULT, NULL, signer,
				     &sealed, &secret, &err),
			 0);
	ours = sw_luks_tpm2_token(&sealed, 1);
	spec.key_file = pass;
	assert_int_equal(sw_luks_make(&spec, f->header, &key, &err), 0);
	assert_int_equal(sw_luks_write_header(io, f->header, &err), 0);
	assert_int_equal(sw_proc_check(argv, env, 60, &err), 0);
	o = dump(f);
	theirs = sw_json_get(sw_json_get(o, "tokens"), "0");
	assert_non_null(theirs);
	/* The blob differs each time, the policy and all else must not. */
	json_object_object_del(ours, "tpm2-blob");
	json_object_object_del(ours, SW_LUKS_SEALED_TO);
	json_object_object_del(theirs, "tpm2-blob");
	assert_string_equal(json_object_to_json_string_ext(ours, JSON_C_TO_STRING_PLAIN),
			    json_object_to_json_string_ext(theirs, JSON_C_TO_STRING_PLAIN));
}

static void test_the_token_is_like_systemds_own(void **state)
{
	compare_token(*state, NULL, NULL);
}

static void test_the_token_of_a_signer_is_like_systemds_own(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *file = sw_fmt("%s/signer.pub", f->dir);
	_cleanup_free_ char *private = sw_fmt("%s/signer", f->dir);
	const char *make[] = { "openssl", "genrsa", "-out", private, "2048", NULL };
	const char *half[] = { "openssl", "rsa", "-in", private, "-pubout", "-out", file, NULL };
	struct sw_pcr_key key;
	struct sw_error err = {};

	assert_int_equal(sw_proc_check(make, NULL, 60, &err), 0);
	assert_int_equal(sw_proc_check(half, NULL, 60, &err), 0);
	assert_int_equal(sw_pcr_key_read(file, &key, &err), 0);
	compare_token(f, &key, file);
}

static void test_what_is_written_comes_back_and_is_not_in_clear(void **state)
{
	struct fixture *f = *state;
	_cleanup_secret_ struct sw_secret *key = NULL;
	_cleanup_io_ struct sw_io *io = new_disk(f), *window = NULL, *data = NULL;
	uint8_t in[8192], out[8192], raw[8192];
	struct sw_error err = {};

	memset(in, 'x', sizeof(in));
	assert_int_equal(sw_secret_random(64, &key, &err), 0);
	assert_int_equal(sw_io_window(io, SW_LUKS_HEADER, SIZE - SW_LUKS_HEADER, &window), 0);
	assert_int_equal(sw_luks_data(window, key, 4096, &data), 0);
	assert_int_equal(data->size, SIZE - SW_LUKS_HEADER);
	assert_int_equal(sw_io_write(data, 4096, in, sizeof(in)), 0);
	assert_int_equal(sw_io_read(data, 4096, out, sizeof(out)), 0);
	assert_memory_equal(in, out, sizeof(in));
	assert_int_equal(sw_io_read(io, SW_LUKS_HEADER + 4096, raw, sizeof(raw)), 0);
	assert_null(memmem(raw, sizeof(raw), "xxxx", 4));
	assert_memory_not_equal(raw, raw + 4096, 4096);
	assert_int_equal(sw_io_write(data, 512, in, 4096), -EINVAL);
	assert_int_equal(sw_io_read(data, 0, out, 100), -EINVAL);
	assert_int_equal(sw_io_write(data, data->size, in, 4096), -ERANGE);
}

/* Each write fails in turn: the error names the disk, and no slot opens before the last. */
static void test_a_failing_disk_leaves_no_header(void **state)
{
	struct fixture *f = *state;
	_cleanup_secret_ struct sw_secret *key = NULL, *file = from_text("k");
	struct sw_luks_spec spec = new_spec();
	struct sw_error err = {};

	spec.key_file = file;
	assert_int_equal(sw_luks_make(&spec, f->header, &key, &err), 0);
	size_t n = 0;

	for (bool done = false; !done; n++) {
		struct sw_io_log log = {};
		struct sw_error e = {};
		struct sw_io *io = NULL;
		int r;

		assert_int_equal(sw_io_new_recorder(SIZE, 512, NULL, &log, n, EIO, &io), 0);
		r = sw_luks_write_header(io, f->header, &e);
		done = r == 0;
		if (!done) {
			assert_int_equal(r, -EIO);
			assert_int_equal(e.exit, SW_EXIT_DIRTY);
			assert_memory_not_equal(sw_io_recorder_data(io), "LUKS", 4);
		}
		sw_io_close(io);
		sw_io_log_clear(&log);
	}
	assert_true(n > 3);	/* key slots, second header, first header, none */
}

/* A header with a recovery key, and a seal to PCR 7 as it is. */
static void make_sealed(const struct fixture *f, struct sw_io *io, const struct sw_secret *recovery)
{
	_cleanup_secret_ struct sw_secret *key = NULL, *secret = NULL;
	struct sw_luks_spec spec = new_spec();
	struct sw_sealed sealed;
	struct sw_error err = {};

	assert_int_equal(sw_tpm_seal(f->tcti, SW_TPM_PCRS_DEFAULT, NULL, NULL,
				     &sealed, &secret, &err),
			 0);
	spec.sealed = &sealed;
	spec.tpm_secret = secret;
	spec.recovery = recovery;
	assert_int_equal(sw_luks_make(&spec, f->header, &key, &err), 0);
	assert_int_equal(sw_luks_write_header(io, f->header, &err), 0);
}

/* One more seal, in the copy at f->header. */
static int reseal(const struct fixture *f, struct sw_io *io, const struct sw_secret *key,
		  const struct sw_pcr7 *pcr7, struct sw_luks_slots *slots, struct sw_sealed *sealed)
{
	_cleanup_secret_ struct sw_secret *secret = NULL;
	struct sw_error err = {};

	assert_int_equal(sw_luks_read_header(io, f->header, &err), 0);
	assert_int_equal(sw_tpm_seal_tried(f->tcti, SW_TPM_PCRS_DEFAULT, pcr7, NULL,
				     sealed, &secret,
					   &err), 0);
	return sw_luks_reseal(f->header, key, secret, sealed, slots, &err);
}

/* By what the TPM gives back: the plugin leaves too much in a TPM to try token after token. */
static int opens_by_seal(const struct fixture *f, const struct sw_sealed *sealed)
{
	_cleanup_secret_ struct sw_secret *secret = NULL;
	char text[64] = "";
	int r = sw_tpm_unseal(f->tcti, sealed, NULL, &secret, NULL);

	if (r < 0)
		return r;
	base64_encode_raw(text, secret->len, secret->data);
	return opens(f, text, strlen(text));
}

static size_t count_of(const struct fixture *f, const char *what)
{
	_cleanup_json_ json_object *o = dump(f);

	return (size_t)json_object_object_length(sw_json_get(o, what));
}

static void test_sealed_again_after_pcr_7_has_changed(void **state)
{
	struct fixture *f = *state;
	_cleanup_secret_ struct sw_secret *recovery = NULL, *wrong = from_text("wrong");
	_cleanup_io_ struct sw_io *io = new_disk(f);
	struct sw_luks_slots slots;
	struct sw_sealed sealed;
	struct sw_error err = {};
	unsigned int removed, kept;

	assert_int_equal(sw_recovery_new(&recovery, &err), 0);
	make_sealed(f, io, recovery);
	extend_pcr(f);
	assert_int_equal(reseal(f, io, wrong, NULL, &slots, &sealed), -EPERM);
	assert_int_equal(reseal(f, io, recovery, NULL, &slots, &sealed), 0);
	assert_int_equal(sw_luks_write_header(io, f->header, &err), 0);
	assert_int_equal(opens_by_seal(f, &sealed), 0);
	assert_int_equal(count_of(f, "tokens"), 3);
	assert_int_equal(sw_luks_drop_seals(f->header, &slots, NULL, &removed, &kept, &err), 0);
	assert_int_equal(removed, 1);
	assert_int_equal(kept, 0);
	assert_int_equal(sw_luks_write_header(io, f->header, &err), 0);
	assert_int_equal(opens_by_token(f), 0);
	assert_int_equal(opens(f, recovery->data, recovery->len), 0);
	assert_int_equal(count_of(f, "tokens"), 2);
	assert_int_equal(count_of(f, "keyslots"), 2);
}

/* Of the TPM's tokens: an older one of another TPM would stop cryptsetup. */
static bool comes_first(const struct fixture *f, const struct sw_sealed *sealed)
{
	_cleanup_json_ json_object *o = dump(f);
	char policy[2 * sizeof(sealed->policy) + 1];
	json_object *tokens = sw_json_get(o, "tokens");

	(void)sw_luks_policy_text(sealed, policy);
	for (char n[] = "0"; n[0] <= '9'; n[0]++) {
		const char *hash = sw_json_str(sw_json_get(tokens, n), "tpm2-policy-hash", NULL);

		if (hash)
			return strcmp(hash, policy) == 0;
	}
	return false;
}

/* A PCR 7 that only the node has: what is older stays, but not twice the same. */
static void test_sealed_again_for_the_node_keeps_older_seals(void **state)
{
	struct fixture *f = *state;
	_cleanup_secret_ struct sw_secret *recovery = NULL;
	_cleanup_io_ struct sw_io *io = new_disk(f);
	const uint8_t data[64] = {};
	struct sw_pcr7 pcr7 = {};
	struct sw_luks_slots slots;
	struct sw_sealed sealed;
	struct sw_error err = {};
	unsigned int removed, kept;

	SHA256(data, sizeof(data), pcr7.node);	/* zeros, extended by zeros */
	assert_int_equal(sw_recovery_new(&recovery, &err), 0);
	make_sealed(f, io, recovery);
	for (unsigned int again = 0; again < 2; again++) {
		assert_int_equal(reseal(f, io, recovery, &pcr7, &slots, &sealed), 0);
		assert_true(sealed.later);
		assert_int_equal(sw_luks_drop_seals(f->header, &slots, &sealed, &removed, &kept,
						    &err), 0);
		assert_int_equal(removed, again);
		assert_int_equal(kept, 1);
		assert_int_equal(sw_luks_write_header(io, f->header, &err), 0);
		assert_int_equal(count_of(f, "tokens"), 3);
		assert_int_equal(count_of(f, "keyslots"), 3);
		assert_true(comes_first(f, &sealed));
	}
	assert_int_not_equal(opens_by_seal(f, &sealed), 0);
	extend_pcr(f);
	assert_int_equal(opens_by_seal(f, &sealed), 0);
}

/* A shell's opening extends PCR 7; what it will be after a restart can still be sealed to. */
static void test_sealed_for_the_node_after_a_shell_was_opened(void **state)
{
	struct fixture *f = *state;
	_cleanup_secret_ struct sw_secret *secret = NULL;
	_cleanup_free_ struct sw_tpm_pcrs *pcrs = calloc(1, sizeof(*pcrs));
	struct sw_pcr7 pcr7 = { .node = { 1 } };
	struct sw_sealed sealed;
	struct sw_error err = {};

	assert_non_null(pcrs);
	assert_int_equal(sw_tpm_forfeit(f->tcti, &err), 0);
	assert_int_equal(sw_tpm_read_pcrs(f->tcti, pcrs, &err), 0);
	sw_tpm_forfeited(pcr7.now);
	for (size_t i = 0; i < pcrs->n_banks; i++)
		if (pcrs->bank[i].alg == TPM2_ALG_SHA256)
			assert_memory_equal(pcrs->bank[i].value[7], pcr7.now, sizeof(pcr7.now));
	assert_int_equal(sw_tpm_seal_tried(f->tcti, SW_TPM_PCRS_DEFAULT, &pcr7, NULL,
				     &sealed, &secret,
					   &err), 0);
	assert_true(sealed.later);
}

/* Whether libcryptsetup finds a header in what a power cut left, and the key opens it. */
static bool survives(const struct fixture *f, const uint8_t *disk, const struct sw_secret *key)
{
	struct crypt_device *cd = NULL;
	bool ok;

	assert_int_equal(sw_file_write(f->disk, disk, SIZE, 0600), 0);
	ok = crypt_init(&cd, f->disk) == 0 && crypt_load(cd, CRYPT_LUKS2, NULL) == 0 &&
	     crypt_activate_by_passphrase(cd, NULL, CRYPT_ANY_SLOT, (char *)key->data, key->len,
					  0) >= 0;
	crypt_free(cd);
	return ok;
}

/* Every write of it cut short at a few places: what is judged is what was there until then. */
static size_t cut(const struct fixture *f, uint8_t *disk, const struct sw_io_log *log,
		  const struct sw_secret *key)
{
	size_t states = 0;

	for (size_t i = 0; i < log->n; i++) {
		const struct sw_io_op *op = &log->ops[i];
		size_t step = op->len / 8 / 512 * 512 + 512;

		for (size_t n = 0; op->kind == SW_IO_WRITE && n < op->len; n += step, states++) {
			memcpy(disk + op->off, op->data, n);
			assert_true(survives(f, disk, key));
		}
		if (op->kind == SW_IO_WRITE)
			memcpy(disk + op->off, op->data, op->len);
	}
	assert_true(survives(f, disk, key));
	return states + 1;
}

static void test_a_power_cut_while_resealing_leaves_a_header_that_the_key_opens(void **state)
{
	struct fixture *f = *state;
	_cleanup_secret_ struct sw_secret *file = from_text("k"), *key = NULL, *secret = NULL;
	_cleanup_free_ uint8_t *before = malloc(SIZE);
	_cleanup_io_ struct sw_io *io = new_disk(f), *recorder = NULL;
	struct sw_luks_spec spec = new_spec();
	struct sw_luks_slots slots;
	struct sw_io_log log = {};
	struct sw_sealed sealed;
	struct sw_error err = {};
	unsigned int removed, kept;
	size_t states;

	assert_int_equal(sw_tpm_seal(f->tcti, SW_TPM_PCRS_DEFAULT, NULL, NULL,
				     &sealed, &secret, &err),
			 0);
	spec.sealed = &sealed;
	spec.tpm_secret = secret;
	spec.key_file = file;
	assert_int_equal(sw_luks_make(&spec, f->header, &key, &err), 0);
	assert_int_equal(sw_luks_write_header(io, f->header, &err), 0);
	assert_int_equal(sw_io_read(io, 0, before, SIZE), 0);
	assert_int_equal(sw_io_new_recorder(SIZE, 512, before, &log, SIZE_MAX, 0, &recorder), 0);
	assert_int_equal(reseal(f, recorder, file, NULL, &slots, &sealed), 0);
	assert_int_equal(sw_luks_write_header(recorder, f->header, &err), 0);
	assert_int_equal(sw_luks_drop_seals(f->header, &slots, NULL, &removed, &kept, &err), 0);
	assert_int_equal(removed, 1);
	assert_int_equal(sw_luks_write_header(recorder, f->header, &err), 0);
	states = cut(f, before, &log, file);
	print_message("%zu states, none without a key\n", states);
	assert_true(states > 20);
	assert_int_equal(opens_by_token(f), 0);
	sw_io_log_clear(&log);
}

/* What the TPM says of one thing; *ret is freed with Esys_Free(). */
static void ask(const struct fixture *f, TPM2_CAP cap, uint32_t what, TPMS_CAPABILITY_DATA **ret)
{
	TSS2_TCTI_CONTEXT *tcti = NULL;
	ESYS_CONTEXT *esys = NULL;
	TPMI_YES_NO more;

	assert_int_equal(Tss2_TctiLdr_Initialize(f->tcti, &tcti), 0);
	assert_int_equal(Esys_Initialize(&esys, tcti, NULL), 0);
	assert_int_equal(Esys_GetCapability(esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, cap,
					    what, 32, &more, ret), 0);
	Esys_Finalize(&esys);
	Tss2_TctiLdr_Finalize(&tcti);
}

/* Transient objects and loaded sessions: this many handles are in use. */
static unsigned int left_in_tpm(const struct fixture *f)
{
	static const TPM2_HANDLE ranges[] = { TPM2_TRANSIENT_FIRST, TPM2_LOADED_SESSION_FIRST,
					      TPM2_PERSISTENT_FIRST };
	unsigned int n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(ranges); i++) {
		TPMS_CAPABILITY_DATA *d = NULL;

		ask(f, TPM2_CAP_HANDLES, ranges[i], &d);
		n += d->data.handles.count;
		Esys_Free(d);
	}
	return n;
}

/* How many wrong attempts the TPM has counted. */
static unsigned int counted_failures(const struct fixture *f)
{
	TPMS_CAPABILITY_DATA *d = NULL;
	unsigned int n;

	ask(f, TPM2_CAP_TPM_PROPERTIES, TPM2_PT_LOCKOUT_COUNTER, &d);
	assert_int_equal(d->data.tpmProperties.tpmProperty[0].property, TPM2_PT_LOCKOUT_COUNTER);
	n = d->data.tpmProperties.tpmProperty[0].value;
	Esys_Free(d);
	return n;
}

static void test_sealed_to_pcr_7_and_nothing_stays(void **state)
{
	struct fixture *f = *state;
	_cleanup_secret_ struct sw_secret *secret = NULL, *back = NULL, *none = NULL;
	struct sw_sealed sealed, other;
	struct sw_error err = {}, policy = {}, broken = {};
	unsigned int before = left_in_tpm(f);

	assert_int_equal(sw_tpm_seal(f->tcti, SW_TPM_PCRS_DEFAULT, NULL, NULL,
				     &sealed, &secret, &err),
			 0);
	assert_int_equal(sw_tpm_unseal(f->tcti, &sealed, NULL, &back, &err), 0);
	assert_int_equal(back->len, SW_TPM_SECRET_LEN);
	assert_memory_equal(back->data, secret->data, back->len);
	assert_null(memmem(sealed.blob, sealed.len, secret->data, 8));
	other = sealed;
	other.blob[40] ^= 1;
	assert_int_equal(sw_tpm_unseal(f->tcti, &other, NULL, &none, &broken), -EPERM);
	assert_non_null(strstr(broken.why, "another TPM"));
	extend_pcr(f);
	assert_int_equal(sw_tpm_unseal(f->tcti, &sealed, NULL, &none, &policy), -EPERM);
	assert_int_equal(policy.exit, SW_EXIT_MISSING);
	assert_non_null(strstr(policy.hint, "recovery key"));
	other.len = 3;
	assert_true(sw_tpm_unseal(f->tcti, &other, NULL, &none, &broken) < 0);
	assert_null(none);
	assert_int_equal(left_in_tpm(f), before);
}

/* A node that starts fifty times with another PCR 7 has not locked its TPM. */
static void test_failed_attempts_do_not_lock_the_tpm(void **state)
{
	struct fixture *f = *state;
	_cleanup_secret_ struct sw_secret *secret = NULL, *again = NULL, *back = NULL;
	struct sw_sealed sealed, later;
	struct sw_error err = {};

	assert_int_equal(sw_tpm_seal(f->tcti, SW_TPM_PCRS_DEFAULT, NULL, NULL,
				     &sealed, &secret, &err),
			 0);
	extend_pcr(f);
	for (int i = 0; i < 50; i++) {
		struct sw_error policy = {};

		assert_int_equal(sw_tpm_unseal(f->tcti, &sealed, NULL, &back, &policy), -EPERM);
		assert_non_null(strstr(policy.why, "PCRs do not hold"));
	}
	assert_int_equal(counted_failures(f), 0);
	assert_int_equal(sw_tpm_seal(f->tcti, SW_TPM_PCRS_DEFAULT, NULL, NULL,
				     &later, &again, &err), 0);
	assert_int_equal(sw_tpm_unseal(f->tcti, &later, NULL, &back, &err), 0);
}

/* extend_pcr() adds zeros: what PCR 7 holds afterwards is known beforehand. */
static void test_sealed_for_the_node_opens_only_when_pcr_7_is_as_foretold(void **state)
{
	struct fixture *f = *state;
	_cleanup_secret_ struct sw_secret *secret = NULL, *back = NULL, *none = NULL, *lie = NULL;
	struct sw_pcr7 pcr7 = {}, wrong = { .now = { 1 } };
	uint8_t zeros[64] = {};
	struct sw_sealed sealed, now;
	struct sw_error err = {}, early = {};

	assert_non_null(SHA256(zeros, sizeof(zeros), pcr7.node));
	assert_int_equal(sw_tpm_seal(f->tcti, SW_TPM_PCRS_DEFAULT, &pcr7, NULL,
				     &sealed, &secret, &err),
			 0);
	assert_true(sealed.later);
	assert_int_equal(sw_tpm_unseal(f->tcti, &sealed, NULL, &none, &early), -EPERM);
	/* A log that does not tell what the TPM has now is not believed about later either. */
	assert_int_equal(sw_tpm_seal(f->tcti, SW_TPM_PCRS_DEFAULT, &wrong, NULL,
				     &now, &lie, &err), 0);
	assert_false(now.later);
	extend_pcr(f);
	assert_int_equal(sw_tpm_unseal(f->tcti, &sealed, NULL, &back, &err), 0);
	assert_memory_equal(back->data, secret->data, SW_TPM_SECRET_LEN);
}

static void test_pcrs_that_change_are_refused(void **state SW_UNUSED)
{
	static const char *const bad[] = { "", "1", "7+4", "5", "9", "12", "24", "7+", "x", "7,,0",
					   "999999999999999999999" };
	uint32_t pcrs = 0;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct sw_error err = {};

		assert_int_equal(sw_tpm_parse_pcrs(bad[i], &pcrs, &err), -EINVAL);
		assert_int_equal(err.exit, SW_EXIT_USAGE);
	}
	assert_int_equal(sw_tpm_parse_pcrs("7", &pcrs, NULL), 0);
	assert_int_equal(pcrs, SW_TPM_PCRS_DEFAULT);
	assert_int_equal(sw_tpm_parse_pcrs("0+7,14", &pcrs, NULL), 0);
	assert_int_equal(pcrs, 1U | 1U << 7 | 1U << 14);
}

/* A TPM each: systemd's plugin leaves sessions behind in one without a resource manager. */
#define ONE(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ONE(test_a_recovery_key_and_a_key_file_open_it),
		ONE(test_systemds_plugin_opens_it_by_the_tpm),
		ONE(test_the_token_is_like_systemds_own),
		ONE(test_the_token_of_a_signer_is_like_systemds_own),
		ONE(test_what_is_written_comes_back_and_is_not_in_clear),
		ONE(test_a_failing_disk_leaves_no_header),
		ONE(test_sealed_again_after_pcr_7_has_changed),
		ONE(test_sealed_again_for_the_node_keeps_older_seals),
		ONE(test_sealed_for_the_node_after_a_shell_was_opened),
		ONE(test_a_power_cut_while_resealing_leaves_a_header_that_the_key_opens),
		ONE(test_sealed_to_pcr_7_and_nothing_stays),
		ONE(test_failed_attempts_do_not_lock_the_tpm),
		ONE(test_sealed_for_the_node_opens_only_when_pcr_7_is_as_foretold),
		ONE(test_pcrs_that_change_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
