/* SPDX-License-Identifier: Apache-2.0 */
#include "admission/ca.h"

#include <string.h>
#include <strings.h>

#include "base/crypto.h"
#include "base/hash.h"
#include "base/hex.h"

#define CERTS_MAX 32U

struct bundle {
	X509 *cert[CERTS_MAX];
	size_t n;
};

static void bundle_clear(struct bundle *b)
{
	while (b->n > 0)
		X509_free(b->cert[--b->n]);
}

static int read_bundle(const char *pem, size_t len, struct bundle *b)
{
	BIO *in;

	b->n = 0;
	if (sw_crypto_open(NULL) < 0)
		return -ENOPKG;
	if (len > INT32_MAX)
		return -EBADMSG;
	in = BIO_new_mem_buf(pem, (int)len);
	if (!in)
		return -ENOMEM;
	while (b->n < CERTS_MAX) {
		X509 *c = PEM_read_bio_X509(in, NULL, NULL, NULL);

		if (!c)
			break;
		b->cert[b->n++] = c;
	}
	BIO_free(in);
	ERR_clear_error();
	return b->n ? 0 : -EBADMSG;
}

static bool is_root(const X509 *c)
{
	return X509_NAME_cmp(X509_get_subject_name(c), X509_get_issuer_name(c)) == 0;
}

static X509 *issuer_of(const struct bundle *b, X509 *c)
{
	for (size_t i = 1; i < b->n; i++)
		if (b->cert[i] != c && X509_check_issued(b->cert[i], c) == X509_V_OK &&
		    X509_verify(c, X509_get0_pubkey(b->cert[i])) == 1)
			return b->cert[i];
	return NULL;
}

/* The root that the first certificate leads to, NULL: none. */
static X509 *root_of(const struct bundle *b)
{
	X509 *c = b->cert[0];

	for (size_t i = 0; i < b->n && c; i++) {
		c = issuer_of(b, c);
		if (c && is_root(c))
			return c;
	}
	return NULL;
}

int sw_ca_hash(const char *pem, size_t len, char ret_hex[static 65])
{
	struct bundle b;
	uint8_t md[EVP_MAX_MD_SIZE];
	unsigned int n = 0;
	X509 *root;
	int r = read_bundle(pem, len, &b);

	if (r < 0)
		return r;
	root = b.n > 1 ? root_of(&b) : NULL;
	if (!root)
		r = sw_sha256(pem, len, ret_hex);
	else if (X509_digest(root, EVP_sha256(), md, &n) == 1 && n == SW_SHA256_LEN)
		sw_hex(md, n, ret_hex);
	else
		r = -ENOMEM;
	ERR_clear_error();
	bundle_clear(&b);
	return r;
}

static int key_hash(const X509 *c, char ret_hex[static 65])
{
	EVP_PKEY *key = X509_get0_pubkey(c);
	unsigned char *der = NULL;
	int n = key ? i2d_PUBKEY(key, &der) : -1, r;

	if (n <= 0)
		return -EBADMSG;
	r = sw_sha256(der, (size_t)n, ret_hex);
	OPENSSL_free(der);
	return r;
}

int sw_ca_has_key(const char *pem, size_t len, const char *pin, char ret_first[static 65])
{
	struct bundle b;
	char hex[65];
	bool found = false;
	int r = read_bundle(pem, len, &b);

	for (size_t i = 0; r == 0 && i < b.n; i++) {
		r = key_hash(b.cert[i], hex);
		if (r == 0 && i == 0)
			memcpy(ret_first, hex, sizeof(hex));
		found = found || !pin || (r == 0 && strcasecmp(hex, pin) == 0);
	}
	ERR_clear_error();
	bundle_clear(&b);
	return r < 0 ? r : found;
}
