/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The seals that a LUKS2 header holds: tokens "systemd-tpm2" of systemd 252 and later
 * (src/shared/tpm2-util.c, tpm2_make_luks2_json).
 */
#include <string.h>

#include <nettle/base64.h>

#include "base/hash.h"
#include "base/hex.h"
#include "base/le.h"
#include "disk/luks-private.h"

static int get_base64(json_object *o, const char *key, uint8_t *to, size_t max, size_t *ret_len)
{
	const char *text = sw_json_str(o, key, NULL);
	struct base64_decode_ctx ctx;
	size_t n = text ? strlen(text) : 0, len = max;

	if (n == 0 || BASE64_DECODE_LENGTH(n) > max + 3)
		return -EBADMSG;
	base64_decode_init(&ctx);
	{
		_cleanup_free_ uint8_t *out = malloc(BASE64_DECODE_LENGTH(n));

		if (!out)
			return -ENOMEM;
		if (!base64_decode_update(&ctx, &len, out, n, text) ||
		    !base64_decode_final(&ctx) || len == 0 || len > max)
			return -EBADMSG;
		memcpy(to, out, len);
	}
	*ret_len = len;
	return 0;
}

static int get_pcrs(json_object *o, const char *key, uint32_t *ret_pcrs)
{
	json_object *list = sw_json_array(o, key);
	size_t n = list ? json_object_array_length(list) : 0;

	*ret_pcrs = 0;
	for (size_t i = 0; i < n; i++) {
		int pcr = json_object_get_int(json_object_array_get_idx(list, i));

		if (pcr < 0 || pcr >= (int)SW_PCRS)
			return -EBADMSG;
		*ret_pcrs |= 1U << pcr;
	}
	return 0;
}

static int get_policy(json_object *o, struct sw_sealed *s)
{
	_cleanup_free_ uint8_t *policy = NULL;
	size_t n = 0;
	int r = sw_hex_decode(sw_json_str(o, "tpm2-policy-hash", ""), &policy, &n);

	if (r < 0 || n != sizeof(s->policy))
		return r == -ENOMEM ? r : -EBADMSG;
	memcpy(s->policy, policy, n);
	return 0;
}

static int get_signer(json_object *o, struct sw_sealed *s)
{
	uint8_t pem[SW_PCR_KEY_MAX];
	uint32_t pcrs;
	size_t n = 0;
	int r = get_pcrs(o, "tpm2_pubkey_pcrs", &pcrs);

	if (r < 0 || !pcrs)
		return r;
	r = get_base64(o, "tpm2_pubkey", pem, sizeof(pem), &n);
	if (r == 0 && sw_pcr_key_parse(pem, n, &s->signer, NULL) < 0)
		r = -EOPNOTSUPP;
	s->signer.pcrs = pcrs;
	return r;
}

int sw_luks_seal_parse(json_object *token, struct sw_luks_seal *ret_seal)
{
	struct sw_luks_seal s = { .pin = sw_json_bool(token, "tpm2-pin", false) };
	const char *alg = sw_json_str(token, "tpm2-primary-alg", "ecc");
	json_object *to = sw_json_get(token, SW_LUKS_SEALED_TO);
	int r;

	if (strcmp(sw_json_str(token, "tpm2-pcr-bank", "sha256"), "sha256") != 0 ||
	    (strcmp(alg, "ecc") != 0 && strcmp(alg, "rsa") != 0))
		return -EOPNOTSUPP;
	s.sealed.rsa = alg[0] == 'r';
	r = get_base64(token, "tpm2-blob", s.sealed.blob, sizeof(s.sealed.blob), &s.sealed.len);
	if (r == 0)
		r = get_pcrs(token, "tpm2-pcrs", &s.sealed.pcrs);
	if (r == 0)
		r = get_policy(token, &s.sealed);
	if (r == 0)
		r = get_signer(token, &s.sealed);
	if (r < 0)
		return r;
	s.sealed_to = json_object_is_type(to, json_type_object) ? json_object_get(to) : NULL;
	*ret_seal = s;
	return 0;
}

void sw_luks_seal_clear(struct sw_luks_seal *s)
{
	json_object_put(s->sealed_to);
	s->sealed_to = NULL;
}

int sw_luks_seal_open(const char *tcti, const struct sw_luks_seal *seal, json_object *signatures,
		      struct sw_secret **ret_passphrase, struct sw_error *err)
{
	_cleanup_secret_ struct sw_secret *secret = NULL;
	int r = sw_tpm_unseal(tcti, &seal->sealed, signatures, &secret, err);

	return r < 0 ? r : sw_secret_base64(secret, ret_passphrase, err);
}

void sw_luks_seals_free(struct sw_luks_seal *seals, size_t n)
{
	for (size_t i = 0; i < n; i++)
		sw_luks_seal_clear(&seals[i]);
	free(seals);
}

/* ---- the header ---- */

#define BINARY 4096U	/* bytes before the JSON */
#define AT_VERSION 6U
#define AT_SIZE 8U	/* of binary part and JSON */
#define AT_ALG 72U
#define AT_SUM 448U
#define SUM 64U
#define SIZE_MIN 16384U

static bool has_magic(const uint8_t *d)
{
	static const uint8_t first[] = "LUKS\xba\xbe", second[] = "SKUL\xba\xbe";

	return (memcmp(d, first, 6) == 0 || memcmp(d, second, 6) == 0) && d[AT_VERSION] == 0 &&
	       d[AT_VERSION + 1] == 2;
}

static int check_sum(const uint8_t *d, size_t size)
{
	_cleanup_free_ uint8_t *copy = malloc(size);
	uint8_t sum[SW_SHA256_LEN];

	if (!copy)
		return -ENOMEM;
	memcpy(copy, d, size);
	memset(copy + AT_SUM, 0, SUM);
	sw_sha256_raw(copy, size, sum);
	return memcmp(sum, d + AT_SUM, sizeof(sum)) == 0 ? 0 : -EBADMSG;
}

int sw_luks_metadata(const uint8_t *d, size_t len, json_object **ret_metadata)
{
	json_object *o = NULL;
	uint64_t size;
	int r;

	if (len < SIZE_MIN || !has_magic(d) || strncmp((const char *)d + AT_ALG, "sha256", 32) != 0)
		return -EBADMSG;
	size = sw_be64(d + AT_SIZE);
	if (size < SIZE_MIN || size > len || size > SW_LUKS_METADATA_MAX)
		return -EBADMSG;
	r = check_sum(d, (size_t)size);
	if (r == 0 && sw_json_parse((const char *)d + BINARY,
				    strnlen((const char *)d + BINARY, (size_t)size - BINARY),
				    "LUKS2 header", &o, NULL) < 0)
		r = -EBADMSG;
	if (r == 0 && !json_object_is_type(o, json_type_object))
		r = -EBADMSG;
	if (r < 0) {
		json_object_put(o);
		return r;
	}
	*ret_metadata = o;
	return 0;
}

/* The one at this place; the sizes that a second one can have are a few. */
static int metadata_at(struct sw_io *io, uint64_t off, json_object **ret_metadata)
{
	_cleanup_free_ uint8_t *d = NULL;
	uint8_t head[512];
	uint64_t size;
	int r = off + sizeof(head) <= io->size ? sw_io_read(io, off, head, sizeof(head)) : -EBADMSG;

	if (r < 0)
		return r;
	size = sw_be64(head + AT_SIZE);
	if (!has_magic(head) || size < SIZE_MIN || size > SW_LUKS_METADATA_MAX ||
	    size > io->size - off)
		return -EBADMSG;
	d = malloc((size_t)size);
	r = d ? sw_io_read(io, off, d, (size_t)size) : -ENOMEM;
	return r < 0 ? r : sw_luks_metadata(d, (size_t)size, ret_metadata);
}

static int read_metadata(struct sw_io *io, json_object **ret_metadata)
{
	int r = metadata_at(io, 0, ret_metadata);

	for (uint64_t off = SIZE_MIN; r == -EBADMSG && off <= SW_LUKS_METADATA_MAX; off *= 2)
		r = metadata_at(io, off, ret_metadata);
	return r;
}

static bool is_seal(json_object *tokens, int number, struct sw_luks_seal *ret_seal)
{
	json_object *token;
	char key[12];

	(void)snprintf(key, sizeof(key), "%d", number);
	token = sw_json_get(tokens, key);
	return token && json_object_is_type(token, json_type_object) &&
	       strcmp(sw_json_str(token, "type", ""), SW_LUKS_TPM2) == 0 &&
	       sw_luks_seal_parse(token, ret_seal) == 0;
}

int sw_luks_seals(struct sw_io *io, struct sw_luks_seal **ret_seals, size_t *ret_n)
{
	_cleanup_json_ json_object *all = NULL;
	struct sw_luks_seal *seals;
	json_object *tokens;
	size_t n = 0;
	int r = read_metadata(io, &all);

	if (r < 0)
		return r;
	seals = calloc(SW_LUKS_TOKENS, sizeof(*seals));
	if (!seals)
		return -ENOMEM;
	tokens = sw_json_get(all, "tokens");
	for (int t = 0; tokens && t < SW_LUKS_TOKENS; t++)
		n += is_seal(tokens, t, &seals[n]);
	*ret_seals = seals;
	*ret_n = n;
	return 0;
}
