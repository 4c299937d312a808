/* SPDX-License-Identifier: Apache-2.0 */
#include "admission/keypair.h"

#include <string.h>

#include "base/crypto.h"

struct sw_keypair {
	EVP_PKEY *key;
};

struct sw_keypair *sw_keypair_free(struct sw_keypair *k)
{
	if (!k)
		return NULL;
	if (k->key)
		EVP_PKEY_free(k->key);
	free(k);
	return NULL;
}

static int failed(struct sw_error *err, const char *what)
{
	ERR_clear_error();
	sw_fail(err, SW_EXIT_FAILED, -EIO, "%s", what);
	sw_error_why(err, "OpenSSL cannot do it");
	sw_error_hint(err, "nothing was sent; try again");
	return -EIO;
}

int sw_keypair_new(unsigned int bits, struct sw_keypair **ret_pair, struct sw_error *err)
{
	_cleanup_keypair_ struct sw_keypair *k = calloc(1, sizeof(*k));
	int r = sw_crypto_open(err);

	if (r < 0)
		return r;
	if (!k)
		return sw_fail_oom(err);
	k->key = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)bits);
	if (!k->key)
		return failed(err, "the node's key cannot be made");
	*ret_pair = k;
	k = NULL;
	return 0;
}

/* What a memory BIO holds it wipes when it is freed. */
int sw_keypair_pem(const struct sw_keypair *k, struct sw_secret **ret_pem, struct sw_error *err)
{
	BIO *out = BIO_new(BIO_s_mem());
	char *text = NULL;
	long n = 0;
	int r;

	if (out && PEM_write_bio_PrivateKey_traditional(out, k->key, NULL, NULL, 0, NULL,
							NULL) == 1)
		n = BIO_get_mem_data(out, &text);
	r = n > 0 ? sw_secret_new((size_t)n, ret_pem, err)
		  : failed(err, "the node's key cannot be written");
	if (r == 0)
		memcpy((*ret_pem)->data, text, (size_t)n);
	if (out)
		BIO_free(out);
	return r;
}

int sw_keypair_request(const struct sw_keypair *k, char **ret_pem, struct sw_error *err)
{
	X509_REQ *q = X509_REQ_new();
	BIO *out = BIO_new(BIO_s_mem());
	char *text = NULL, *pem = NULL;
	long n = 0;

	if (q && out && X509_REQ_set_version(q, X509_REQ_VERSION_1) == 1 &&
	    X509_REQ_set_pubkey(q, k->key) == 1 && X509_REQ_sign(q, k->key, EVP_sha256()) > 0 &&
	    PEM_write_bio_X509_REQ(out, q) == 1)
		n = BIO_get_mem_data(out, &text);
	if (n > 0)
		pem = strndup(text, (size_t)n);
	if (q)
		X509_REQ_free(q);
	if (out)
		BIO_free(out);
	if (!pem)
		return failed(err, "the certificate request cannot be made");
	*ret_pem = pem;
	return 0;
}

int sw_keypair_fits(const struct sw_keypair *k, const char *cert_pem)
{
	BIO *in = BIO_new_mem_buf(cert_pem, -1);
	X509 *c = in ? PEM_read_bio_X509(in, NULL, NULL, NULL) : NULL;
	int r = c ? EVP_PKEY_eq(X509_get0_pubkey(c), k->key) == 1 : -EBADMSG;

	if (c)
		X509_free(c);
	if (in)
		BIO_free(in);
	ERR_clear_error();
	return r;
}
