/* SPDX-License-Identifier: Apache-2.0 */
#include "admission/strict.h"

#include <string.h>

#include "admission/protocol.h"
#include "base/crypto.h"
#include "base/gcm.h"
#include "base/hash.h"
#include "base/json.h"

#define MAGIC 8U
#define IV SW_GCM_IV
#define TAG SW_GCM_TAG
#define KEY SW_GCM_KEY
#define NAME (2U + SW_SHA256_LEN)	/* of a TPM's object: the algorithm and a digest */
#define LABEL "slipway attest strict 1"

/* ---- the words ---- */

static const struct {
	const char *name, *text;
} protocols[] = {
	[SW_ATTEST_AUTO] = { "auto", "the strict exchange, or the plain one when the server has "
				     "no other" },
	[SW_ATTEST_STRICT] = { "strict", "the strict exchange only" },
	[SW_ATTEST_PLAIN] = { "plain", "the plain exchange" },
};

const char *sw_attest_protocol_name(enum sw_attest_protocol p)
{
	return protocols[p].name;
}

const char *sw_attest_protocol_text(enum sw_attest_protocol p)
{
	return protocols[p].text;
}

int sw_attest_protocol_parse(const char *name, enum sw_attest_protocol *ret_protocol)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(protocols); i++)
		if (strcmp(name, protocols[i].name) == 0) {
			*ret_protocol = (enum sw_attest_protocol)i;
			return 0;
		}
	return -EINVAL;
}

/* ---- the offer ---- */

static int no_offer(struct sw_error *err, const char *why)
{
	sw_fail(err, SW_EXIT_ADMISSION, -EBADMSG, "the server offers no exchange that is known");
	sw_error_why(err, "%s", why);
	sw_error_hint(err, "is this the address of the attestation service? --protocol plain, or "
			   "admission.protocol in the answers, is for one that has only the "
			   "exchange of safeboot-attest");
	return -EBADMSG;
}

int sw_offer_parse(const char *text, size_t len, struct sw_offer *ret_offer, struct sw_error *err)
{
	_cleanup_json_ json_object *o = NULL;
	struct sw_error e = {};
	const char *nonce;

	if (len > SW_OFFER_MAX)
		return no_offer(err, "what it says of itself is too long");
	if (sw_json_parse(text, len, "offer", &o, &e) < 0 ||
	    !json_object_is_type(o, json_type_object))
		return no_offer(err, "what it says of itself is no JSON object");
	if (strcmp(sw_json_str(o, "protocol", ""), "strict") != 0)
		return no_offer(err, "its protocol is another than strict");
	if (sw_json_int(o, "version", 0) != SW_STRICT_VERSION)
		return no_offer(err, "its version of the strict exchange is another than 1");
	nonce = sw_json_str(o, "nonce", "");
	if (!sw_sha256_is_hex(nonce) || !sw_sha256_from_hex(nonce, ret_offer->nonce))
		return no_offer(err, "its nonce is not 64 hexadecimal digits");
	return 0;
}

/* ---- the answer ---- */

int sw_strict_parse(const void *data, size_t len, struct sw_strict_reply *ret_reply,
		    struct sw_error *err)
{
	static const uint8_t magic[MAGIC] = { 'S', 'L', 'A', 'T', 0, 0, 0, SW_STRICT_VERSION };
	const uint8_t *p = data;
	struct sw_strict_reply r = { .head = data };
	const char *why;

	if (sw_credential_begins(data, len))
		return sw_reply_refuse(err, "it is one of the plain exchange, and the strict one "
					    "was asked for");
	if (len < MAGIC || memcmp(p, magic, MAGIC) != 0)
		return sw_reply_refuse(err, "it does not begin like one of the strict exchange");
	p += MAGIC;
	len -= MAGIC;
	why = sw_credential_take(&p, &len, &r.id, &r.id_len, &r.seed, &r.seed_len);
	if (why)
		return sw_reply_refuse(err, why);
	if (len < IV + TAG)
		return sw_reply_refuse(err, "it ends behind the credential");
	r.iv = p;
	r.head_len = (size_t)(p + IV - r.head);
	r.cipher = p + IV;
	r.cipher_len = len - IV - TAG;
	r.tag = r.cipher + r.cipher_len;
	*ret_reply = r;
	return 0;
}

/* HKDF (RFC 5869) with SHA-256. info: what the key is for, and for which attestation key. */
static int derive(const struct sw_secret *secret, const struct sw_offer *offer, const void *ak,
		  size_t ak_len, uint8_t ret_key[static KEY])
{
	static char digest[] = "SHA256";
	uint8_t info[sizeof(LABEL) - 1 + NAME] = LABEL, salt[SW_STRICT_NONCE];
	const OSSL_PARAM params[] = {
		{ "digest", OSSL_PARAM_UTF8_STRING, digest, sizeof(digest) - 1, 0 },
		{ "key", OSSL_PARAM_OCTET_STRING, secret->data, secret->len, 0 },
		{ "salt", OSSL_PARAM_OCTET_STRING, salt, sizeof(salt), 0 },
		{ "info", OSSL_PARAM_OCTET_STRING, info, sizeof(info), 0 },
		{},
	};
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
	EVP_KDF_CTX *c = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
	bool good;

	memcpy(salt, offer->nonce, sizeof(salt));
	memcpy(info + sizeof(LABEL) - 1, "\0\x0b", 2);	/* TPM_ALG_SHA256 */
	sw_sha256_raw(ak, ak_len, info + sizeof(LABEL) - 1 + 2);
	good = c && EVP_KDF_derive(c, ret_key, KEY, params) == 1;
	EVP_KDF_CTX_free(c);
	EVP_KDF_free(kdf);
	return good ? 0 : -EIO;
}

int sw_strict_open(const struct sw_strict_reply *reply, const struct sw_secret *secret,
		   const struct sw_offer *offer, const void *ak, size_t ak_len,
		   struct sw_buf *ret_plain, struct sw_error *err)
{
	uint8_t key[KEY];
	const struct sw_gcm gcm = { .key = key, .iv = reply->iv, .head = reply->head,
				    .head_len = reply->head_len, .len = reply->cipher_len };
	int r = sw_crypto_open(err);

	if (r < 0)
		return r;
	if (secret->len != SW_STRICT_SECRET)
		return sw_reply_refuse(err, "the secret in its credential has another length");
	if (reply->cipher_len > INT32_MAX)
		return sw_reply_refuse(err, "it is too long");
	/* All room at once: growing would leave copies behind. */
	if (sw_buf_reserve(ret_plain, reply->cipher_len + 1) < 0)
		return sw_fail_oom(err);
	r = derive(secret, offer, ak, ak_len, key);
	if (r == 0 && !sw_gcm_open(&gcm, reply->cipher, reply->tag,
				   ret_plain->data + ret_plain->len))
		r = -EBADMSG;
	explicit_bzero(key, sizeof(key));
	if (r < 0)
		return sw_reply_refuse(err, "it was changed on the way, or answers another "
					    "question: its tag does not hold");
	ret_plain->len += reply->cipher_len;
	ret_plain->data[ret_plain->len] = '\0';
	return 0;
}
