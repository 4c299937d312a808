/* SPDX-License-Identifier: Apache-2.0 */
#include "tpm/public-key.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/hash.h"

#define RSA_EXPONENT 65537U	/* what a TPM's 0 stands for */

static EVP_PKEY *make(const char *type, OSSL_PARAM *params)
{
	EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	EVP_PKEY *key = NULL;

	if (!c || EVP_PKEY_fromdata_init(c) != 1 ||
	    EVP_PKEY_fromdata(c, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
		key = NULL;
	EVP_PKEY_CTX_free(c);
	return key;
}

/* libcrypto takes numbers in the machine's own order, a TPM gives the high byte first. */
static EVP_PKEY *make_rsa(const TPM2B_PUBLIC_KEY_RSA *n, uint32_t exponent)
{
	uint8_t modulus[TPM2_MAX_RSA_KEY_BYTES];
	uint32_t e = exponent ? exponent : RSA_EXPONENT;
	OSSL_PARAM params[] = {
		{ "n", OSSL_PARAM_UNSIGNED_INTEGER, modulus, n->size, 0 },
		{ "e", OSSL_PARAM_UNSIGNED_INTEGER, &e, sizeof(e), 0 },
		{ NULL, 0, NULL, 0, 0 },
	};

	if (n->size == 0 || n->size > sizeof(modulus))
		return NULL;
	for (size_t i = 0; i < n->size; i++) {
		if (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__)
			modulus[i] = n->buffer[n->size - 1 - i];
		else
			modulus[i] = n->buffer[i];
	}
	return make("RSA", params);
}

static EVP_PKEY *make_ecc(const TPMT_PUBLIC *p)
{
	bool p256 = p->parameters.eccDetail.curveID == TPM2_ECC_NIST_P256;
	const TPMS_ECC_POINT *at = &p->unique.ecc;
	size_t size = p256 ? 32 : 48;
	uint8_t point[1 + 2 * 48] = { 4 };	/* not compressed */
	char group[16];
	OSSL_PARAM params[] = {
		{ "group", OSSL_PARAM_UTF8_STRING, group, 0, 0 },
		{ "pub", OSSL_PARAM_OCTET_STRING, point, 1 + 2 * size, 0 },
		{ NULL, 0, NULL, 0, 0 },
	};

	if ((!p256 && p->parameters.eccDetail.curveID != TPM2_ECC_NIST_P384) ||
	    at->x.size > size || at->y.size > size)
		return NULL;
	(void)snprintf(group, sizeof(group), "%s", p256 ? "P-256" : "P-384");
	params[0].data_size = strlen(group);
	memcpy(point + 1 + size - at->x.size, at->x.buffer, at->x.size);
	memcpy(point + 1 + 2 * size - at->y.size, at->y.buffer, at->y.size);
	return make("EC", params);
}

EVP_PKEY *sw_tpm_public_key(const TPMT_PUBLIC *p)
{
	if (p->type == TPM2_ALG_RSA)
		return make_rsa(&p->unique.rsa, p->parameters.rsaDetail.exponent);
	return p->type == TPM2_ALG_ECC ? make_ecc(p) : NULL;
}

/* The text of a memory BIO; frees it. */
static char *steal(BIO *b)
{
	char *data = NULL, *text = NULL;
	long len = BIO_get_mem_data(b, &data);

	if (len > 0)
		text = strndup(data, (size_t)len);
	(void)BIO_free(b);
	return text;
}

char *sw_tpm_key_pem(EVP_PKEY *key)
{
	BIO *b = BIO_new(BIO_s_mem());

	if (b && PEM_write_bio_PUBKEY(b, key) == 1)
		return steal(b);
	(void)BIO_free(b);
	return NULL;
}

bool sw_tpm_key_spki(EVP_PKEY *key, char ret_hex[static 65])
{
	uint8_t *der = NULL;
	int len = i2d_PUBKEY(key, &der);
	bool done = len > 0 && sw_sha256(der, (size_t)len, ret_hex) == 0;

	CRYPTO_free(der, __FILE__, __LINE__);
	return done;
}

static X509 *read_cert(const uint8_t *der, size_t len)
{
	return d2i_X509(NULL, &der, (long)len);
}

char *sw_tpm_cert_pem(const uint8_t *der, size_t len)
{
	X509 *cert = read_cert(der, len);
	BIO *b = cert ? BIO_new(BIO_s_mem()) : NULL;
	bool written = b && PEM_write_bio_X509(b, cert) == 1;

	X509_free(cert);
	if (written)
		return steal(b);
	(void)BIO_free(b);
	ERR_clear_error();
	return NULL;
}

bool sw_tpm_cert_is_of(const uint8_t *der, size_t len, EVP_PKEY *key)
{
	X509 *cert = read_cert(der, len);
	EVP_PKEY *its = cert ? X509_get0_pubkey(cert) : NULL;
	bool same = its && EVP_PKEY_eq(its, key) == 1;

	X509_free(cert);
	ERR_clear_error();
	return same;
}
