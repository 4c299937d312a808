/* SPDX-License-Identifier: Apache-2.0 */
#include "admission/reply.h"

#include <string.h>

#include "base/crypto.h"

#define HEAD 8U
#define MAC 32U
#define BLOCK 16U
#define KEY 32U
#define MAC_KEY 16U

int sw_reply_refuse(struct sw_error *err, const char *why)
{
	sw_fail(err, SW_EXIT_ADMISSION, -EBADMSG, "the server's answer cannot be used");
	sw_error_why(err, "%s", why);
	sw_error_hint(err, "is this the attestation server, and did all of its answer arrive? see "
			   "what it logged");
	return -EBADMSG;
}

/* A size of two bytes and as much behind it; NULL when it does not fit. */
static const uint8_t *take(const uint8_t **p, size_t *left, size_t *ret_len)
{
	const uint8_t *from = *p;
	size_t len;

	if (*left < 2)
		return NULL;
	len = 2 + (size_t)(from[0] << 8 | from[1]);
	if (len == 2 || len > *left)
		return NULL;
	*p += len;
	*left -= len;
	*ret_len = len;
	return from;
}

bool sw_credential_begins(const void *data, size_t len)
{
	static const uint8_t head[HEAD] = { 0xba, 0xdc, 0xc0, 0xde, 0, 0, 0, 1 };

	return len >= HEAD && memcmp(data, head, HEAD) == 0;
}

const char *sw_credential_take(const uint8_t **p, size_t *left, const uint8_t **ret_id,
			       size_t *ret_id_len, const uint8_t **ret_seed, size_t *ret_seed_len)
{
	if (!sw_credential_begins(*p, *left))
		return "it does not begin with a credential";
	*p += HEAD;
	*left -= HEAD;
	*ret_id = take(p, left, ret_id_len);
	*ret_seed = *ret_id ? take(p, left, ret_seed_len) : NULL;
	return *ret_seed ? NULL : "its credential is cut short";
}

int sw_reply_parse(const void *data, size_t len, struct sw_reply *ret_reply, struct sw_error *err)
{
	const uint8_t *p = data;
	struct sw_reply r = {};
	const char *why = sw_credential_take(&p, &len, &r.id, &r.id_len, &r.seed, &r.seed_len);

	if (why)
		return sw_reply_refuse(err, why);
	if (len < MAC + BLOCK)
		return sw_reply_refuse(err, "it ends behind the credential");
	r.mac = p;
	r.cipher = p + MAC;
	r.cipher_len = len - MAC;
	if (r.cipher_len % BLOCK)
		return sw_reply_refuse(err, "it is cut short");
	*ret_reply = r;
	return 0;
}

static bool mac_holds(const struct sw_reply *r, const uint8_t *key)
{
	uint8_t mac[EVP_MAX_MD_SIZE];
	unsigned int len = 0;

	return HMAC(EVP_sha256(), key, MAC_KEY, r->cipher, r->cipher_len, mac, &len) &&
	       len == MAC && CRYPTO_memcmp(mac, r->mac, MAC) == 0;
}

static int decrypt(const struct sw_reply *r, const uint8_t *key, uint8_t *out, size_t *ret_len)
{
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	int n = 0;
	bool good = c && EVP_CipherInit_ex(c, EVP_aes_256_cbc(), NULL, key, key + KEY, 0) == 1 &&
		    EVP_CipherUpdate(c, out, &n, r->cipher, (int)r->cipher_len) == 1;
	int last = 0;

	good = good && EVP_CipherFinal_ex(c, out + n, &last) == 1;
	EVP_CIPHER_CTX_free(c);
	ERR_clear_error();
	*ret_len = (size_t)(n + last);
	return good ? 0 : -EBADMSG;
}

int sw_reply_open(const struct sw_reply *reply, const struct sw_secret *key,
		  struct sw_buf *ret_plain, struct sw_error *err)
{
	size_t len = 0;
	int r = sw_crypto_open(err);

	if (r < 0)
		return r;
	if (key->len != SW_REPLY_KEY_LEN)
		return sw_reply_refuse(err, "the keys in its credential have another length");
	if (reply->cipher_len > INT32_MAX)
		return sw_reply_refuse(err, "it is too long");
	if (!mac_holds(reply, key->data + KEY + BLOCK))
		return sw_reply_refuse(err, "it was changed on the way: its HMAC does not hold");
	/* All room at once: growing would leave copies behind. */
	if (sw_buf_reserve(ret_plain, reply->cipher_len + BLOCK) < 0)
		return sw_fail_oom(err);
	if (decrypt(reply, key->data, ret_plain->data + ret_plain->len, &len) < 0)
		return sw_reply_refuse(err, "it does not decrypt");
	ret_plain->len += len;
	ret_plain->data[ret_plain->len] = '\0';
	return 0;
}
