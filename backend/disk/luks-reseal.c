/* SPDX-License-Identifier: Apache-2.0 */
/* Another seal of the TPM in a LUKS2 header, and the removal of older ones, on a copy of it. */
#include <string.h>

#include "base/json.h"
#include "disk/luks-private.h"

#define CHUNK (1U << 20)

static int load(struct sw_luks_maker *m, const char *file)
{
	int r = sw_cryptsetup_open(m->err);

	return r == 0 ? sw_luks_load(m, file) : r;
}

int sw_luks_read_header(struct sw_io *io, const char *file, struct sw_error *err)
{
	_cleanup_io_ struct sw_io *to = NULL;
	_cleanup_free_ uint8_t *buf = malloc(CHUNK);
	int r = buf ? sw_luks_new_file(file, err) : sw_fail_oom(err);

	if (r == 0)
		r = sw_io_open(file, true, false, 0, &to, err);
	if (r < 0)
		return r;
	for (uint64_t off = 0; r == 0 && off < SW_LUKS_HEADER; off += CHUNK) {
		r = sw_io_read(io, off, buf, CHUNK);
		if (r == 0)
			r = sw_io_write(to, off, buf, CHUNK);
	}
	if (r < 0) {
		sw_fail_errno(err, SW_EXIT_FAILED, r, "cannot copy the LUKS2 header");
		sw_error_where(err, "%s", io->path);
	}
	return r;
}

/* Only the form that slipway and cryptsetup's defaults give it is written piece by piece. */
static int check_form(struct sw_luks_maker *m)
{
	uint64_t metadata = 0, slots;

	if (crypt_get_data_offset(m->cd) == SW_LUKS_HEADER / 512 &&
	    crypt_get_metadata_size(m->cd, &metadata, &slots) == 0 && metadata == SW_LUKS_METADATA)
		return 0;
	sw_fail(m->err, SW_EXIT_REFUSED, -EOPNOTSUPP,
		"this LUKS2 header has sizes that slipway does not make");
	sw_error_hint(m->err, "systemd-cryptenroll --wipe-slot=tpm2 --tpm2-device=auto "
			      "--tpm2-pcrs=7 seals it on the node");
	return -EOPNOTSUPP;
}

int sw_luks_volume_key(struct sw_luks_maker *m, const struct sw_secret *key)
{
	int len = crypt_get_volume_key_size(m->cd), r;
	size_t n = len > 0 ? (size_t)len : 0;

	r = n ? sw_secret_new(n, &m->key, m->err) : -EINVAL;
	if (r < 0)
		return r;
	r = crypt_volume_key_get(m->cd, CRYPT_ANY_SLOT, (char *)m->key->data, &n,
				 (const char *)key->data, key->len);
	if (r == -EPERM) {
		sw_fail(m->err, SW_EXIT_REFUSED, r, "this key does not open it");
		sw_error_hint(m->err, "give the recovery key that was shown or escrowed at the "
				      "install, or the key file");
		return r;
	}
	return r < 0 ? sw_luks_fail(m, r, "the volume key cannot be had") : r;
}

int sw_luks_reseal(const char *file, const struct sw_secret *key, const struct sw_secret *secret,
		   const struct sw_sealed *sealed, struct sw_luks_slots *ret_slots,
		   struct sw_error *err)
{
	static const struct sw_luks_spec spec = {};
	_cleanup_(sw_luks_maker_clear) struct sw_luks_maker m = { .spec = &spec, .err = err };
	_cleanup_secret_ struct sw_secret *text = NULL;
	struct sw_luks_slots s = {};
	int r = load(&m, file);

	if (r == 0)
		r = check_form(&m);
	if (r == 0)
		r = s.key = sw_luks_volume_key(&m, key);
	if (r >= 0)
		r = sw_secret_base64(secret, &text, err);
	if (r >= 0)
		r = s.seal = sw_luks_add_seal(&m, sealed, text);
	if (r >= 0)
		r = sw_luks_load(&m, file);
	if (r >= 0)
		r = sw_luks_try(&m, s.seal, text);
	if (r < 0)
		return r;
	*ret_slots = s;
	return 0;
}

/* ---- older ones ---- */

static bool has_slot(struct sw_luks_maker *m, int token, int slot)
{
	return crypt_token_is_assigned(m->cd, token, slot) == 0;
}

static bool has_policy(struct sw_luks_maker *m, int token, const char *policy)
{
	_cleanup_json_ json_object *o = NULL;
	const char *text = NULL;

	if (crypt_token_json_get(m->cd, token, &text) < 0 ||
	    sw_json_parse(text, strlen(text), "token", &o, NULL) < 0)
		return false;
	return strcmp(sw_json_str(o, "tpm2-policy-hash", ""), policy) == 0;
}

static bool is_older(struct sw_luks_maker *m, int token, int keep)
{
	const char *type = NULL;

	switch (crypt_token_status(m->cd, token, &type)) {
	case CRYPT_TOKEN_INTERNAL:
	case CRYPT_TOKEN_INTERNAL_UNKNOWN:
	case CRYPT_TOKEN_EXTERNAL:
	case CRYPT_TOKEN_EXTERNAL_UNKNOWN:
		return type && strcmp(type, SW_LUKS_TPM2) == 0 && !has_slot(m, token, keep);
	default:
		return false;
	}
}

/* What another token leads to, or the operator's own key, stays. */
static bool is_free(struct sw_luks_maker *m, int slot, const struct sw_luks_slots *keep)
{
	for (int t = 0; t < SW_LUKS_TOKENS; t++)
		if (has_slot(m, t, slot))
			return false;
	return slot != keep->key && slot != keep->seal;
}

static int drop_token(struct sw_luks_maker *m, int token, const struct sw_luks_slots *keep)
{
	uint32_t had = 0;
	int r;

	for (int s = 0; s < SW_LUKS_SLOTS; s++)
		if (has_slot(m, token, s))
			had |= 1U << s;
	r = crypt_token_json_set(m->cd, token, NULL);
	for (int s = 0; s < SW_LUKS_SLOTS && r >= 0; s++)
		if ((had & 1U << s) && is_free(m, s, keep))
			r = crypt_keyslot_destroy(m->cd, s);
	return r < 0 ? sw_luks_fail(m, r, "an older seal cannot be removed") : 0;
}

static int swap_tokens(struct sw_luks_maker *m, int a, int b)
{
	const char *first = NULL, *second = NULL;
	_cleanup_free_ char *one = NULL, *other = NULL;
	int r = -EIO;

	if (crypt_token_json_get(m->cd, a, &first) >= 0 && first)
		one = strdup(first);
	if (crypt_token_json_get(m->cd, b, &second) >= 0 && second)
		other = strdup(second);
	if (one && other)
		r = crypt_token_json_set(m->cd, a, other);
	if (r >= 0)
		r = crypt_token_json_set(m->cd, b, one);
	return r < 0 ? sw_luks_fail(m, r, "the tokens cannot be put in order") : 0;
}

/*
 * The new seal's token before older ones that stay: systemd and cryptsetup take them in
 * order, and stop at one that was sealed by another TPM.
 */
static int put_first(struct sw_luks_maker *m, int slot)
{
	int older = -1;

	for (int t = 0; t < SW_LUKS_TOKENS; t++) {
		if (has_slot(m, t, slot))
			return older < 0 ? 0 : swap_tokens(m, older, t);
		if (older < 0 && is_older(m, t, slot))
			older = t;
	}
	return 0;
}

int sw_luks_drop_seals(const char *file, const struct sw_luks_slots *keep,
		       const struct sw_sealed *alike, unsigned int *ret_removed,
		       unsigned int *ret_kept, struct sw_error *err)
{
	_cleanup_(sw_luks_maker_clear) struct sw_luks_maker m = { .err = err };
	char policy[2 * sizeof(alike->policy) + 1];
	int r = load(&m, file);

	*ret_removed = *ret_kept = 0;
	if (alike)
		(void)sw_luks_policy_text(alike, policy);
	for (int t = 0; t < SW_LUKS_TOKENS && r == 0; t++) {
		if (!is_older(&m, t, keep->seal))
			continue;
		if (alike && !has_policy(&m, t, policy)) {
			++*ret_kept;
			continue;
		}
		r = drop_token(&m, t, keep);
		if (r == 0)
			++*ret_removed;
	}
	return r == 0 && *ret_kept ? put_first(&m, keep->seal) : r;
}
