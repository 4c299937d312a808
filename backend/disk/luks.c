/* SPDX-License-Identifier: Apache-2.0 */
#include "disk/luks.h"

#include <fcntl.h>
#include <string.h>

#include <nettle/base64.h>

#include "base/hash.h"
#include "base/hex.h"
#include "base/json.h"
#include "base/text.h"
#include "disk/luks-private.h"

#define KEY_LEN 64U	/* two AES-256 keys: XTS */
#define CHUNK (1u << 20)
#define BLOCK 4096U

void sw_luks_maker_clear(struct sw_luks_maker *m)
{
	if (m->cd)
		crypt_free(m->cd);
	sw_secret_free(m->key);
}

/* The library would otherwise write its complaints over the console. */
static void keep_log(int level, const char *text, void *userdata)
{
	struct sw_luks_maker *m = userdata;

	if (level != CRYPT_LOG_ERROR)
		return;
	(void)snprintf(m->said, sizeof(m->said), "%s", text);
	(void)sw_text_clean(m->said);
}

int sw_luks_fail(struct sw_luks_maker *m, int r, const char *what)
{
	sw_fail(m->err, SW_EXIT_FAILED, r, "%s", what);
	sw_error_why(m->err, "%s", m->said[0] ? m->said : strerror(-r));
	return r;
}

int sw_luks_uuid(const struct sw_guid *part_uuid, struct sw_guid *ret_uuid)
{
	static const char token[] = "luks-uuid";

	return sw_guid_derive(part_uuid, token, sizeof(token) - 1, ret_uuid);
}

/* ---- the header ---- */

int sw_luks_new_file(const char *file, struct sw_error *err)
{
	_cleanup_close_ int fd = open(file, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	/* Room for one sector of data, or the library says that nothing could be in it. */
	if (fd < 0 || ftruncate(fd, (off_t)(SW_LUKS_HEADER + (1U << 20))) < 0)
		return sw_fail_errno(err, SW_EXIT_FAILED, -errno, "cannot make a scratch file");
	return 0;
}

static int format(struct sw_luks_maker *m, const char *file)
{
	/* Its digest is of a random key: no cost makes that harder to guess. */
	const struct crypt_pbkdf_type quick = {
		.type = CRYPT_KDF_PBKDF2, .hash = "sha256", .iterations = 1000,
		.flags = CRYPT_PBKDF_NO_BENCHMARK,
	};
	struct crypt_params_luks2 params = { .pbkdf = &quick, .sector_size = m->spec->sector };
	char uuid[SW_GUID_TEXT];
	int r = crypt_init(&m->cd, file);

	if (r < 0)
		return sw_luks_fail(m, r, "the encryption cannot be prepared");
	crypt_set_log_callback(m->cd, keep_log, m);
	r = crypt_set_data_offset(m->cd, SW_LUKS_HEADER / 512);
	if (r >= 0)
		r = crypt_format(m->cd, CRYPT_LUKS2, "aes", "xts-plain64",
				 sw_guid_format(&m->spec->uuid, uuid), (const char *)m->key->data,
				 m->key->len, &params);
	return r < 0 ? sw_luks_fail(m, r, "the LUKS2 header cannot be made") : 0;
}

/* The slot's number, or -errno. The TPM's secret is random: systemd, too, makes it cheap. */
static int add_slot(struct sw_luks_maker *m, const void *pass, size_t len, bool cheap)
{
	const struct sw_luks_cost *c = &m->spec->cost;
	const struct crypt_pbkdf_type pbkdf2 = {
		.type = CRYPT_KDF_PBKDF2, .hash = "sha512", .iterations = 1000,
		.flags = CRYPT_PBKDF_NO_BENCHMARK,
	};
	const struct crypt_pbkdf_type argon2id = {
		.type = CRYPT_KDF_ARGON2ID, .hash = "sha256",
		.iterations = c->passes ? c->passes : 4,
		.max_memory_kb = c->memory_kib ? c->memory_kib : 65536,
		.parallel_threads = c->lanes ? c->lanes : 4,
		.flags = CRYPT_PBKDF_NO_BENCHMARK,
	};
	int r = crypt_set_pbkdf_type(m->cd, cheap ? &pbkdf2 : &argon2id);

	if (r >= 0)
		r = crypt_keyslot_add_by_volume_key(m->cd, CRYPT_ANY_SLOT,
						    (const char *)m->key->data, m->key->len, pass,
						    len);
	return r < 0 ? sw_luks_fail(m, r, "a key slot cannot be made") : r;
}

static int add_token(struct sw_luks_maker *m, json_object *o)
{
	_cleanup_json_ json_object *token = o;
	int r = crypt_token_json_set(m->cd, CRYPT_ANY_TOKEN,
				     json_object_to_json_string_ext(token, JSON_C_TO_STRING_PLAIN));

	return r < 0 ? sw_luks_fail(m, r, "the LUKS2 header does not take its token") : 0;
}

static json_object *new_token(const char *type, int slot)
{
	json_object *o = json_object_new_object(), *slots = json_object_new_array();
	char number[16];

	(void)snprintf(number, sizeof(number), "%d", slot);
	json_object_array_add(slots, json_object_new_string(number));
	sw_json_add_str(o, "type", type);
	sw_json_add(o, "keyslots", slots);
	return o;
}

char *sw_luks_policy_text(const struct sw_sealed *s, char *text)
{
	return sw_hex(s->policy, sizeof(s->policy), text);
}

static json_object *pcr_list(uint32_t pcrs)
{
	json_object *list = json_object_new_array();

	for (int i = 0; i < 24; i++)
		if (pcrs & 1U << i)
			json_object_array_add(list, json_object_new_int(i));
	return list;
}

static void add_signer(json_object *o, const struct sw_pcr_key *k)
{
	char pem[SW_PCR_KEY_MAX / 3 * 4 + 8];
	size_t n = strlen(k->pem);

	base64_encode_raw(pem, n, (const uint8_t *)k->pem);
	pem[BASE64_ENCODE_RAW_LENGTH(n)] = '\0';
	sw_json_add(o, "tpm2_pubkey_pcrs", pcr_list(k->pcrs));
	sw_json_add_str(o, "tpm2_pubkey", pem);
}

json_object *sw_luks_tpm2_token(const struct sw_sealed *s, int slot)
{
	json_object *o = new_token(SW_LUKS_TPM2, slot);
	char blob[SW_TPM_BLOB_MAX / 3 * 4 + 8], policy[2 * sizeof(s->policy) + 1];
	json_object *to;

	base64_encode_raw(blob, s->len, s->blob);
	blob[BASE64_ENCODE_RAW_LENGTH(s->len)] = '\0';
	sw_json_add_str(o, "tpm2-blob", blob);
	sw_json_add(o, "tpm2-pcrs", pcr_list(s->pcrs));
	sw_json_add_str(o, "tpm2-pcr-bank", "sha256");
	sw_json_add_str(o, "tpm2-primary-alg", s->rsa ? "rsa" : "ecc");
	sw_json_add_str(o, "tpm2-policy-hash", sw_luks_policy_text(s, policy));
	sw_json_add_bool(o, "tpm2-pin", false);
	if (s->signer.pcrs)
		add_signer(o, &s->signer);
	to = sw_sealed_to_json(&s->to);
	if (to)
		sw_json_add(o, SW_LUKS_SEALED_TO, to);
	return o;
}

int sw_luks_add_seal(struct sw_luks_maker *m, const struct sw_sealed *sealed,
		     const struct sw_secret *text)
{
	int slot = add_slot(m, text->data, text->len, true);
	int r = slot < 0 ? slot : add_token(m, sw_luks_tpm2_token(sealed, slot));

	return r < 0 ? r : slot;
}

static int add_slots(struct sw_luks_maker *m, const struct sw_secret *tpm)
{
	const struct sw_luks_spec *s = m->spec;
	int r = 0;

	if (s->recovery) {
		r = add_slot(m, s->recovery->data, s->recovery->len, false);
		if (r >= 0)
			r = add_token(m, new_token("systemd-recovery", r));
	}
	if (r >= 0 && s->key_file)
		r = add_slot(m, s->key_file->data, s->key_file->len, false);
	if (r >= 0 && tpm)
		r = sw_luks_add_seal(m, s->sealed, tpm);
	return r < 0 ? r : 0;
}

int sw_luks_load(struct sw_luks_maker *m, const char *file)
{
	int r;

	if (m->cd)
		crypt_free(m->cd);
	m->cd = NULL;
	r = crypt_init(&m->cd, file);
	if (r >= 0) {
		crypt_set_log_callback(m->cd, keep_log, m);
		r = crypt_load(m->cd, CRYPT_LUKS2, NULL);
	}
	return r < 0 ? sw_luks_fail(m, r, "the LUKS2 header cannot be read") : 0;
}

int sw_luks_try(struct sw_luks_maker *m, int slot, const struct sw_secret *key)
{
	int r = crypt_activate_by_passphrase(m->cd, NULL, slot, (const char *)key->data, key->len,
					     0);

	return r < 0 ? sw_luks_fail(m, r, "the LUKS2 header does not open with its own key") : 0;
}

/* Opened from the file as another program would, with each key: a slot that fails is no slot. */
static int try_slots(struct sw_luks_maker *m, const char *file, const struct sw_secret *tpm)
{
	const struct sw_secret *keys[] = { m->spec->recovery, m->spec->key_file, tpm };
	int r = sw_luks_load(m, file);

	for (size_t i = 0; i < ARRAY_SIZE(keys) && r == 0; i++)
		if (keys[i])
			r = sw_luks_try(m, CRYPT_ANY_SLOT, keys[i]);
	return r;
}

int sw_luks_make(const struct sw_luks_spec *spec, const char *file, struct sw_secret **ret_key,
		 struct sw_error *err)
{
	_cleanup_(sw_luks_maker_clear) struct sw_luks_maker m = { .spec = spec, .err = err };
	_cleanup_secret_ struct sw_secret *tpm = NULL;
	int r = sw_cryptsetup_open(err);

	if (r == 0)
		r = sw_luks_new_file(file, err);
	if (!spec->recovery && !spec->key_file && !spec->tpm_secret)
		return sw_fail(err, SW_EXIT_INTERNAL, -EINVAL, "an encrypted partition has no key");
	if (r == 0)
		r = sw_secret_random(KEY_LEN, &m.key, err);
	if (r == 0 && spec->tpm_secret)
		r = sw_secret_base64(spec->tpm_secret, &tpm, err);
	if (r == 0)
		r = format(&m, file);
	if (r == 0)
		r = add_slots(&m, tpm);
	if (r == 0)
		r = try_slots(&m, file, tpm);
	if (r == 0 && truncate(file, (off_t)SW_LUKS_HEADER) < 0)
		r = sw_fail_errno(err, SW_EXIT_FAILED, -errno, "cannot make a scratch file");
	if (r == 0)
		*ret_key = TAKE_PTR(m.key);
	return r;
}

/* ---- onto the disk ---- */

static int walk_chunk(struct sw_luks_walk *w, uint64_t off, const uint8_t *was, const uint8_t *now,
		      size_t len)
{
	size_t from = 0, to;
	int r = 0;

	for (; r == 0 && from < len; from = to) {
		bool same = memcmp(was + from, now + from, BLOCK) == 0;

		for (to = from + BLOCK; to < len; to += BLOCK)
			if ((memcmp(was + to, now + to, BLOCK) == 0) != same)
				break;
		if (!same)
			r = w->change(w, off + from, was + from, now + from, to - from);
	}
	return r;
}

static int walk_piece(struct sw_luks_walk *w, uint64_t off, uint64_t end, uint8_t *was,
		      uint8_t *now)
{
	int r = 0;

	for (; r == 0 && off < end; off += CHUNK) {
		size_t n = end - off < CHUNK ? (size_t)(end - off) : CHUNK;

		r = sw_io_read(w->ios[w->at], off, was, n);
		if (r == 0)
			r = sw_io_read(w->file, off, now, n);
		if (r == 0)
			r = walk_chunk(w, off, was, now, n);
	}
	return r == 0 && w->end ? w->end(w) : r;
}

int sw_luks_walk(struct sw_luks_walk *w)
{
	static const struct {
		uint64_t off, end;
		const char *text;
	} pieces[] = {
		{ 2ULL * SW_LUKS_METADATA, SW_LUKS_HEADER, "key slots" },
		{ SW_LUKS_METADATA, 2ULL * SW_LUKS_METADATA, "second LUKS2 header" },
		{ 0, SW_LUKS_METADATA, "first LUKS2 header" },
	};
	_cleanup_free_ uint8_t *was = malloc(CHUNK), *now = malloc(CHUNK);
	int r = was && now ? 0 : -ENOMEM;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(pieces); i++) {
		w->piece = pieces[i].text;
		for (size_t at = 0; r == 0 && at < w->n; at++) {
			w->at = at;
			r = walk_piece(w, pieces[i].off, pieces[i].end, was, now);
		}
	}
	return r;
}

static int write_change(const struct sw_luks_walk *w, uint64_t off,
			const uint8_t *was SW_UNUSED, const uint8_t *now, size_t len)
{
	return sw_io_write(w->ios[w->at], off, now, len);
}

static int flush(const struct sw_luks_walk *w)
{
	return sw_io_flush(w->ios[w->at]);
}

static int compare(struct sw_io *io, struct sw_io *from)
{
	_cleanup_free_ uint8_t *a = malloc(CHUNK), *b = malloc(CHUNK);
	int r = a && b ? sw_io_drop(io) : -ENOMEM;

	for (uint64_t off = 0; r == 0 && off < SW_LUKS_HEADER; off += CHUNK) {
		r = sw_io_read(from, off, a, CHUNK);
		if (r == 0)
			r = sw_io_read(io, off, b, CHUNK);
		if (r == 0 && memcmp(a, b, CHUNK) != 0)
			r = -EBADMSG;
	}
	return r;
}

static int write_failed(const struct sw_io *io, int r, struct sw_error *err)
{
	if (r == -ENOMEM)
		return sw_fail_oom(err);
	if (r == -EBADMSG) {
		sw_fail(err, SW_EXIT_VERIFY, r, "the disk does not give back what was written");
		sw_error_hint(err, "the disk or its cabling is faulty; use another disk");
	} else {
		sw_fail_errno(err, SW_EXIT_DIRTY, r, "cannot write the LUKS2 header");
	}
	sw_error_where(err, "%s", io->path);
	return r;
}

int sw_luks_write_headers(struct sw_io *const *ios, size_t n, const char *file,
			  struct sw_error *err)
{
	struct sw_luks_walk w = { .ios = ios, .n = n, .change = write_change, .end = flush };
	_cleanup_io_ struct sw_io *from = NULL;
	int r = sw_io_open(file, false, false, 0, &from, err);

	if (r < 0)
		return r;
	w.file = from;
	r = sw_luks_walk(&w);
	for (size_t i = 0; r == 0 && i < n; i++)
		r = compare(ios[w.at = i], from);
	return r < 0 ? write_failed(ios[w.at], r, err) : 0;
}

int sw_luks_write_header(struct sw_io *io, const char *file, struct sw_error *err)
{
	return sw_luks_write_headers(&io, 1, file, err);
}
