/* SPDX-License-Identifier: Apache-2.0 */
/* A recovery key that only the holder of a certificate's private key can read. */
#include <ctype.h>
#include <string.h>

#include "base/crypto.h"
#include "base/text.h"
#include "disk/recovery.h"

#define CERTIFICATE_MAX 16384U

static int bad(struct sw_error *err, const char *why)
{
	sw_error_why(err, "%s", why);
	sw_error_hint(err, "give an X.509 certificate as PEM, from -----BEGIN CERTIFICATE----- to "
			   "-----END CERTIFICATE-----");
	ERR_clear_error();
	return -EINVAL;
}

/* The base64 between the lines of a PEM, or all of it; without white space. malloc'd. */
static char *base64_of(const char *text)
{
	static const char begin[] = "-----BEGIN CERTIFICATE-----", end[] = "-----END";
	const char *from = strstr(text, begin), *to;
	char *out, *p;

	from = from ? from + sizeof(begin) - 1 : text;
	to = strstr(from, end);
	if (!to)
		to = from + strlen(from);
	out = malloc((size_t)(to - from) + 1);
	if (!out)
		return NULL;
	p = out;
	for (; from < to; from++)
		if (!isspace((unsigned char)*from))
			*p++ = *from;
	*p = '\0';
	return out;
}

static int read_certificate(const char *text, X509 **ret_certificate, struct sw_error *err)
{
	_cleanup_free_ char *b64 = strlen(text) < CERTIFICATE_MAX ? base64_of(text) : NULL;
	_cleanup_free_ unsigned char *der = NULL;
	const unsigned char *p;
	int n;

	if (!b64)
		return bad(err, "it is too long for a certificate");
	der = malloc(strlen(b64) + 4);
	if (!der)
		return sw_fail_oom(err);
	n = EVP_DecodeBlock(der, (const unsigned char *)b64, (int)strlen(b64));
	p = der;
	*ret_certificate = n > 0 ? d2i_X509(NULL, &p, n) : NULL;
	return *ret_certificate ? 0 : bad(err, "it is not a certificate");
}

/* Keys that only sign cannot be encrypted to. */
static int check_key(X509 *x, struct sw_error *err)
{
	EVP_PKEY *k = X509_get0_pubkey(x);
	int id = k ? EVP_PKEY_get_base_id(k) : 0;

	if (id == EVP_PKEY_RSA && EVP_PKEY_get_bits(k) >= 2048)
		return 0;
	if (id == EVP_PKEY_EC)
		return 0;
	return bad(err, id == EVP_PKEY_RSA ? "its RSA key is shorter than 2048 bits"
					   : "its key is neither RSA nor an elliptic curve's");
}

int sw_escrow_check(const char *certificate, char **ret_subject, struct sw_error *err)
{
	char name[256] = "";
	X509 *x = NULL;
	int r = sw_crypto_open(err);

	if (r < 0)
		return r;
	r = read_certificate(certificate, &x, err);
	if (r == 0)
		r = check_key(x, err);
	if (r == 0 && ret_subject) {
		X509_NAME_oneline(X509_get_subject_name(x), name, sizeof(name));
		*ret_subject = strdup(sw_text_clean(name));
		r = *ret_subject ? 0 : sw_fail_oom(err);
	}
	X509_free(x);
	return r;
}

static bool add_recipient(CMS_ContentInfo *cms, X509 *x)
{
	CMS_RecipientInfo *ri = CMS_add1_recipient_cert(cms, x, CMS_KEY_PARAM);
	EVP_PKEY_CTX *ctx = ri ? CMS_RecipientInfo_get0_pkey_ctx(ri) : NULL;

	if (!ri || EVP_PKEY_get_base_id(X509_get0_pubkey(x)) != EVP_PKEY_RSA)
		return ri;
	return ctx && EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING) > 0 &&
	       EVP_PKEY_CTX_set_rsa_oaep_md(ctx, EVP_sha256()) > 0;
}

static unsigned char *encrypt(X509 *x, const struct sw_secret *key, int *ret_len)
{
	unsigned int flags = CMS_BINARY | CMS_PARTIAL;
	BIO *in = BIO_new_mem_buf(key->data, (int)key->len);
	CMS_ContentInfo *cms = CMS_encrypt(NULL, NULL, EVP_aes_256_cbc(), flags);
	unsigned char *der = NULL;

	if (in && cms && add_recipient(cms, x) && CMS_final(cms, in, NULL, flags) == 1)
		*ret_len = i2d_CMS_ContentInfo(cms, &der);
	CMS_ContentInfo_free(cms);
	BIO_free(in);
	return der && *ret_len > 0 ? der : NULL;
}

int sw_escrow_seal(const char *certificate, const struct sw_secret *key, char **ret_base64,
		   struct sw_error *err)
{
	X509 *x = NULL;
	unsigned char *der = NULL;
	int n = 0, r = sw_crypto_open(err);

	if (r < 0)
		return r;
	r = read_certificate(certificate, &x, err);
	if (r == 0)
		r = check_key(x, err);
	if (r == 0) {
		der = encrypt(x, key, &n);
		*ret_base64 = der ? malloc((size_t)n / 3 * 4 + 5) : NULL;
	}
	X509_free(x);
	if (r == 0 && *ret_base64)
		EVP_EncodeBlock((unsigned char *)*ret_base64, der, n);
	else if (r == 0)
		r = sw_fail(err, SW_EXIT_INTERNAL, -EIO,
			    "the recovery key cannot be encrypted to the certificate");
	OPENSSL_free(der);
	ERR_clear_error();
	return r;
}
