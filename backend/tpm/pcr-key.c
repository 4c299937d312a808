/* SPDX-License-Identifier: Apache-2.0 */
#include "tpm/pcr-key.h"

#include <string.h>

#include "base/crypto.h"
#include "base/file.h"
#include "base/hash.h"

#define BITS_MIN 2048
#define BITS_MAX (8 * SW_PCR_KEY_MODULUS)

static int bad_key(struct sw_error *err, const char *why)
{
	sw_fail(err, SW_EXIT_INVALID, -EINVAL, "this key signs no PCRs");
	sw_error_why(err, "%s", why);
	sw_error_hint(err, "the public half of an RSA key in PEM: openssl rsa -in KEY -pubout");
	return -EINVAL;
}

static bool take_numbers(EVP_PKEY *pkey, struct sw_pcr_key *k)
{
	BIGNUM *n = NULL, *e = NULL;
	bool ok = EVP_PKEY_get_bn_param(pkey, "n", &n) == 1 &&
		  EVP_PKEY_get_bn_param(pkey, "e", &e) == 1;

	if (ok) {
		k->modulus_len = (size_t)(EVP_PKEY_get_bits(pkey) + 7) / 8;
		ok = BN_bn2binpad(n, k->modulus, (int)k->modulus_len) > 0 &&
		     BN_get_word(e) <= UINT32_MAX;
		k->exponent = (uint32_t)BN_get_word(e);
	}
	BN_free(n);
	BN_free(e);
	return ok;
}

static bool take_fingerprint(EVP_PKEY *pkey, struct sw_pcr_key *k)
{
	uint8_t *der = NULL;
	int len = i2d_PublicKey(pkey, &der);
	bool ok = len > 0 && sw_sha256(der, (size_t)len, k->fingerprint) == 0;

	CRYPTO_free(der, __FILE__, __LINE__);
	return ok;
}

static const char *take(EVP_PKEY *pkey, struct sw_pcr_key *k)
{
	if (!pkey)
		return "it is no public key in PEM";
	if (EVP_PKEY_get_base_id(pkey) != EVP_PKEY_RSA)
		return "it is no RSA key";
	if (EVP_PKEY_get_bits(pkey) < BITS_MIN || EVP_PKEY_get_bits(pkey) > (int)BITS_MAX)
		return "it has not 2048 to 4096 bits";
	if (!take_numbers(pkey, k) || !take_fingerprint(pkey, k))
		return "its numbers cannot be read";
	return NULL;
}

int sw_pcr_key_parse(const void *pem, size_t len, struct sw_pcr_key *ret_key,
		     struct sw_error *err)
{
	struct sw_pcr_key k = { .pcrs = SW_PCRS_SIGNED_DEFAULT };
	int r = sw_crypto_open(err);
	EVP_PKEY *pkey = NULL;
	const char *why;
	BIO *b;

	if (r < 0)
		return r;
	if (len == 0 || len >= sizeof(k.pem) || memchr(pem, '\0', len))
		return bad_key(err, len < sizeof(k.pem) ? "it is no public key in PEM"
							: "it is too long");
	memcpy(k.pem, pem, len);
	b = BIO_new_mem_buf(k.pem, (int)len);
	if (b)
		pkey = PEM_read_bio_PUBKEY(b, NULL, NULL, NULL);
	why = take(pkey, &k);
	EVP_PKEY_free(pkey);
	(void)BIO_free(b);
	ERR_clear_error();
	if (why)
		return bad_key(err, why);
	*ret_key = k;
	return 0;
}

#define BEGIN "-----BEGIN PUBLIC KEY-----"
#define END "-----END PUBLIC KEY-----"
#define LINE 64U	/* of base64 in PEM: RFC 7468, section 2 */

int sw_pcr_key_from_text(const char *text, struct sw_pcr_key *ret_key, struct sw_error *err)
{
	const char *from = strstr(text, BEGIN), *to = from ? strstr(from, END) : NULL;
	_cleanup_buf_ struct sw_buf pem = { .max = SW_PCR_KEY_MAX };
	size_t n = 0;
	int r = sw_buf_adds(&pem, BEGIN);

	if (!to)
		return bad_key(err, "it is no public key in PEM");
	for (const char *p = from + strlen(BEGIN); r == 0 && p < to; p++)
		if (!strchr(" \t\r\n", *p))
			r = sw_buf_addf(&pem, "%s%c", n++ % LINE ? "" : "\n", *p);
	if (r == 0)
		r = sw_buf_addf(&pem, "\n" END "\n");
	return r < 0 ? bad_key(err, "it is too long")
		     : sw_pcr_key_parse(pem.data, pem.len, ret_key, err);
}

int sw_pcr_key_check(const char *text, struct sw_error *err)
{
	struct sw_error e = {};
	struct sw_pcr_key key;
	int r = sw_pcr_key_from_text(text, &key, &e);

	if (r == 0)
		return 0;
	if (err)
		err->exit = e.exit;
	sw_error_why(err, "%s", e.why);
	sw_error_hint(err, "%s", e.hint);
	return r;
}

int sw_pcr_key_read(const char *path, struct sw_pcr_key *ret_key, struct sw_error *err)
{
	_cleanup_buf_ struct sw_buf text = { .max = SW_PCR_KEY_MAX };
	int r = sw_file_read(path, &text);

	if (r == 0)
		r = sw_pcr_key_parse(text.data, text.len, ret_key, err);
	else if (r == -E2BIG)
		r = bad_key(err, "it is too long");
	else
		sw_fail_errno(err, SW_EXIT_MISSING, r, "the key cannot be read");
	if (r < 0)
		sw_error_where(err, "%s", path);
	return r;
}
