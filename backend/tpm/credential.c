/* SPDX-License-Identifier: Apache-2.0 */
#include "tpm/credential.h"

#include <ctype.h>
#include <string.h>
#include <sys/random.h>

#include "base/crypto.h"
#include "base/gcm.h"
#include "base/hash.h"
#include "base/le.h"

#define ID 16U
#define KEY SW_GCM_KEY
#define BLOCK 1U		/* of GCM, a stream */
#define IV SW_GCM_IV
#define TAG SW_GCM_TAG
/* id, sizes of key, block, iv and tag */
#define HEAD (ID + 4U * 4U)
/* PCRs (64 bits), their bank, the kind of key above (16 each), sizes of blob and policy (32) */
#define TPM_HEAD 20U
/* made, good until (64 bits, microseconds since 1970), length of the name (32) */
#define META 20U
#define FOR_EVER UINT64_MAX

#define ALG_RSA 0x0001U
#define ALG_SHA256 0x000bU
#define ALG_ECC 0x0023U

/* PCRs (64 bits), size of the key (32) */
#define SIGNER_HEAD 12U
/* systemd's for "AES-256-GCM by a TPM", for the same "with a public key", and ours. */
static const uint8_t id_tpm[ID] = { 0x0c, 0x7c, 0xc0, 0x7b, 0x11, 0x76, 0x45, 0x91,
				    0x9c, 0x4b, 0x0b, 0xea, 0x08, 0xbc, 0x20, 0xfe };
static const uint8_t id_signed[ID] = { 0xfa, 0xf7, 0xeb, 0x93, 0x41, 0xe3, 0x41, 0x2c,
				       0xa1, 0xa4, 0x36, 0xf9, 0x5a, 0x29, 0x36, 0x2f };
static const uint8_t id_recovery[ID] = { 0x6b, 0x1d, 0x50, 0xe9, 0x4f, 0x0e, 0x4d, 0x8a,
					 0x97, 0x2b, 0xc3, 0x55, 0x0a, 0xd9, 0x71, 0x3e };

static size_t align8(size_t n)
{
	return (n + 7) & ~(size_t)7;
}

static int bad(struct sw_error *err, int r, const char *why)
{
	sw_fail(err, r == -EOPNOTSUPP ? SW_EXIT_MISSING : SW_EXIT_VERIFY, r,
		"the credential cannot be used");
	sw_error_why(err, "%s", why);
	sw_error_hint(err, "seal the secret again from where it came from, or open it by a "
			   "recovery key that was given for it");
	return r;
}

bool sw_credential_is_name(const char *name)
{
	size_t n = strlen(name);

	return n > 0 && n <= SW_CREDENTIAL_NAME_MAX && name[0] != '.' && name[0] != '-' &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
			    "0123456789_-.") == n;
}

/* ---- taking apart ---- */

static int parse_sealed(struct sw_credential *c, const uint8_t *p, size_t left, size_t *ret_len,
			struct sw_error *err)
{
	uint64_t pcrs;
	uint32_t blob, policy;
	uint16_t alg;

	if (left < TPM_HEAD)
		return bad(err, -EBADMSG, "it is cut off");
	pcrs = sw_le64(p);
	alg = sw_le16(p + 10);
	blob = sw_le32(p + 12);
	policy = sw_le32(p + 16);
	if (sw_le16(p + 8) != ALG_SHA256)
		return bad(err, -EOPNOTSUPP, "it is sealed to PCRs of another bank than sha256");
	if (alg != ALG_RSA && alg != ALG_ECC)
		return bad(err, -EOPNOTSUPP, "the kind of key above it is not known");
	if (pcrs >> 24 || blob == 0 || blob > SW_TPM_BLOB_MAX ||
	    policy != sizeof(c->sealed.policy) || align8(TPM_HEAD + blob + policy) > left)
		return bad(err, -EBADMSG, "the TPM's part of it is damaged");
	c->sealed = (struct sw_sealed){ .pcrs = (uint32_t)pcrs, .rsa = alg == ALG_RSA,
					.len = blob };
	memcpy(c->sealed.blob, p + TPM_HEAD, blob);
	memcpy(c->sealed.policy, p + TPM_HEAD + blob, policy);
	*ret_len = align8(TPM_HEAD + blob + policy);
	return 0;
}

/* Whose signatures open it, behind the TPM's part. */
static int parse_signer(struct sw_credential *c, const uint8_t *p, size_t left, size_t *len,
			struct sw_error *err)
{
	size_t at = *len;
	uint64_t pcrs;
	uint32_t n;

	if (left - at < SIGNER_HEAD)
		return bad(err, -EBADMSG, "it is cut off");
	pcrs = sw_le64(p + at);
	n = sw_le32(p + at + 8);
	if (pcrs == 0 || pcrs >> 24 || n == 0 || n >= SW_PCR_KEY_MAX ||
	    align8(SIGNER_HEAD + n) > left - at)
		return bad(err, -EBADMSG, "the signer's part of it is damaged");
	if (sw_pcr_key_parse(p + at + SIGNER_HEAD, n, &c->sealed.signer, err) < 0)
		return bad(err, -EOPNOTSUPP, "its signer has a key that is not known");
	c->sealed.signer.pcrs = (uint32_t)pcrs;
	*len += align8(SIGNER_HEAD + n);
	return 0;
}

int sw_credential_parse(const void *data, size_t len, struct sw_credential *ret_credential,
			struct sw_error *err)
{
	struct sw_credential c = { .start = data };
	size_t at = align8(HEAD + IV), n = 0;
	const uint8_t *p = data;
	bool has_signer;
	int r = 0;

	if (len < at + TAG || len > SW_CREDENTIAL_MAX)
		return bad(err, -EBADMSG, len < at + TAG ? "it is too short" : "it is too long");
	c.recovery = memcmp(p, id_recovery, ID) == 0;
	has_signer = memcmp(p, id_signed, ID) == 0;
	if (!c.recovery && !has_signer && memcmp(p, id_tpm, ID) != 0)
		return bad(err, -EOPNOTSUPP, "it is not sealed to PCRs of a TPM alone");
	if (sw_le32(p + ID) != KEY || sw_le32(p + ID + 4) != BLOCK || sw_le32(p + ID + 8) != IV ||
	    sw_le32(p + ID + 12) != TAG)
		return bad(err, -EBADMSG, "its header is damaged");
	c.iv = p + HEAD;
	if (!c.recovery)
		r = parse_sealed(&c, p + at, len - at, &n, err);
	if (r == 0 && has_signer)
		r = parse_signer(&c, p + at, len - at, &n, err);
	if (r < 0)
		return r;
	at += n;
	if (len - at < META + TAG)
		return bad(err, -EBADMSG, "it is cut off");
	c.start_len = at;
	c.cipher = p + at;
	c.cipher_len = len - at - TAG;
	c.tag = p + len - TAG;
	*ret_credential = c;
	return 0;
}

int sw_credential_from_text(const char *text, struct sw_buf *ret_data, struct sw_error *err)
{
	_cleanup_buf_ struct sw_buf b64 = { .max = 2 * SW_CREDENTIAL_MAX };
	size_t pad = 0;
	int n, r = sw_crypto_open(err);

	for (const char *p = text; *p && r == 0; p++)
		if (!isspace((unsigned char)*p))
			r = sw_buf_add(&b64, p, 1);
	if (r == -ENOMEM || r == -ENOPKG)
		return sw_fail_oom(err);
	while (pad < 2 && pad < b64.len && b64.data[b64.len - 1 - pad] == '=')
		pad++;
	if (r < 0 || b64.len < 4 || b64.len % 4 || sw_buf_reserve(ret_data, b64.len) < 0)
		return bad(err, -EBADMSG, "it is not base64");
	n = EVP_DecodeBlock(ret_data->data + ret_data->len, b64.data, (int)b64.len);
	if (n < (int)pad)
		return bad(err, -EBADMSG, "it is not base64");
	ret_data->len += (size_t)n - pad;
	return 0;
}

char *sw_credential_to_text(const struct sw_buf *data)
{
	char *text = malloc(data->len * 4 / 3 + 5);

	if (text && sw_crypto_open(NULL) == 0)
		(void)EVP_EncodeBlock((unsigned char *)text, data->data, (int)data->len);
	else if (text)
		*text = '\0';
	return text;
}

/* ---- the cipher ---- */

/* As systemd makes it of the TPM's secret; a recovery key gives another one than a disk's. */
static int cipher_key(const struct sw_secret *key, bool recovery, struct sw_secret **ret_key,
		      struct sw_error *err)
{
	static const char use[] = "slipway: a secret's recovery copy";
	int r = sw_secret_new(KEY, ret_key, err);
	unsigned int n = KEY;

	if (r < 0 || !recovery) {
		if (r == 0)
			sw_sha256_raw(key->data, key->len, (*ret_key)->data);
		return r;
	}
	return HMAC(EVP_sha256(), key->data, (int)key->len, (const unsigned char *)use,
		    sizeof(use) - 1, (*ret_key)->data, &n) && n == KEY
		       ? 0
		       : sw_fail_oom(err);
}

/* ---- closing ---- */

static int add_zeros(struct sw_buf *b, size_t to)
{
	static const uint8_t zeros[8];

	return sw_buf_add(b, zeros, to - b->len);
}

static int put_signer(const struct sw_pcr_key *k, struct sw_buf *b)
{
	uint8_t head[SIGNER_HEAD];
	int r;

	if (!k->pcrs)
		return 0;
	sw_put_le64(head, k->pcrs);
	sw_put_le32(head + 8, (uint32_t)strlen(k->pem));
	r = sw_buf_add(b, head, sizeof(head));
	if (r == 0)
		r = sw_buf_add(b, k->pem, strlen(k->pem));
	return r < 0 ? r : add_zeros(b, align8(b->len));
}

static int put_sealed(const struct sw_sealed *s, struct sw_buf *b)
{
	uint8_t head[TPM_HEAD];
	int r;

	sw_put_le64(head, s->pcrs);
	sw_put_le16(head + 8, ALG_SHA256);
	sw_put_le16(head + 10, s->rsa ? ALG_RSA : ALG_ECC);
	sw_put_le32(head + 12, (uint32_t)s->len);
	sw_put_le32(head + 16, sizeof(s->policy));
	r = sw_buf_add(b, head, sizeof(head));
	if (r == 0)
		r = sw_buf_add(b, s->blob, s->len);
	if (r == 0)
		r = sw_buf_add(b, s->policy, sizeof(s->policy));
	if (r == 0)
		r = add_zeros(b, align8(b->len));
	return r < 0 ? r : put_signer(&s->signer, b);
}

static int put_start(const struct sw_sealed *s, const uint8_t iv[static IV], struct sw_buf *b)
{
	const uint8_t *id = !s ? id_recovery : s->signer.pcrs ? id_signed : id_tpm;
	uint8_t head[HEAD];
	int r;

	memcpy(head, id, ID);
	sw_put_le32(head + ID, KEY);
	sw_put_le32(head + ID + 4, BLOCK);
	sw_put_le32(head + ID + 8, IV);
	sw_put_le32(head + ID + 12, TAG);
	r = sw_buf_add(b, head, sizeof(head));
	if (r == 0)
		r = sw_buf_add(b, iv, IV);
	if (r == 0)
		r = add_zeros(b, align8(HEAD + IV));
	return r < 0 || !s ? r : put_sealed(s, b);
}

static int put_content(const char *name, uint64_t now_us, const struct sw_secret *secret,
		       struct sw_secret **ret_plain, struct sw_error *err)
{
	size_t n = strlen(name), at = align8(META + n);
	int r = sw_secret_new(at + secret->len, ret_plain, err);
	uint8_t *p;

	if (r < 0)
		return r;
	p = (*ret_plain)->data;
	sw_put_le64(p, now_us);
	sw_put_le64(p + 8, FOR_EVER);
	sw_put_le32(p + 16, (uint32_t)n);
	memcpy(p + META, name, n);
	memcpy(p + at, secret->data, secret->len);
	return 0;
}

static int check_input(const char *name, const struct sw_secret *secret, struct sw_error *err)
{
	if (!sw_credential_is_name(name)) {
		sw_fail(err, SW_EXIT_USAGE, -EINVAL, "\"%.64s\" is no name for a secret", name);
		sw_error_hint(err, "letters, digits, _, - and ., at most %u, the first no sign",
			      SW_CREDENTIAL_NAME_MAX);
		return -EINVAL;
	}
	if (secret->len == 0 || secret->len > SW_CREDENTIAL_SECRET_MAX)
		return sw_fail(err, SW_EXIT_INVALID, -EFBIG, "a secret has 1 to %u bytes",
			       SW_CREDENTIAL_SECRET_MAX);
	return sw_crypto_open(err);
}

int sw_credential_close(const struct sw_sealed *sealed, const struct sw_secret *key,
			const char *name, uint64_t now_us, const struct sw_secret *secret,
			struct sw_buf *ret_data, struct sw_error *err)
{
	_cleanup_secret_ struct sw_secret *plain = NULL, *k = NULL;
	_cleanup_buf_ struct sw_buf b = {};
	uint8_t iv[IV], *out;
	struct sw_gcm gcm;
	int r = check_input(name, secret, err);

	if (r < 0)
		return r;
	if (getrandom(iv, sizeof(iv), 0) != sizeof(iv))
		return sw_fail(err, SW_EXIT_FAILED, -EIO, "the kernel gives no random bytes");
	r = cipher_key(key, !sealed, &k, err);
	if (r == 0)
		r = put_content(name, now_us, secret, &plain, err);
	if (r < 0)
		return r;
	r = put_start(sealed, iv, &b);
	if (r == 0)
		r = sw_buf_add(ret_data, b.data, b.len);
	if (r == 0)
		r = sw_buf_reserve(ret_data, plain->len + TAG);
	if (r < 0)
		return sw_fail_oom(err);
	gcm = (struct sw_gcm){ k->data, iv, b.data, b.len, plain->len };
	out = ret_data->data + ret_data->len;
	if (!sw_gcm_close(&gcm, plain->data, out, out + plain->len))
		return sw_fail_oom(err);
	ret_data->len += plain->len + TAG;
	return 0;
}

/* ---- opening ---- */

int sw_credential_content(const uint8_t *plain, size_t len, const char *name, uint64_t now_us,
			  size_t *ret_at, struct sw_error *err)
{
	uint64_t until;
	uint32_t n;

	if (len < META)
		return bad(err, -EBADMSG, "what is in it is cut off");
	until = sw_le64(plain + 8);
	n = sw_le32(plain + 16);
	if (n > len - META || align8(META + n) > len)
		return bad(err, -EBADMSG, "what is in it is cut off");
	/* One without a name goes by any. */
	if (n > 0 && (n != strlen(name) || memcmp(plain + META, name, n) != 0))
		return bad(err, -EKEYREJECTED, "it was sealed under another name");
	if (now_us > 0 && until != FOR_EVER && until < now_us)
		return bad(err, -ESTALE, "it was good until a time that has passed");
	*ret_at = align8(META + n);
	return 0;
}

int sw_credential_open(const struct sw_credential *c, const struct sw_secret *key,
		       const char *name, uint64_t now_us, struct sw_secret **ret_secret,
		       struct sw_error *err)
{
	_cleanup_secret_ struct sw_secret *plain = NULL, *k = NULL;
	struct sw_gcm gcm;
	size_t at = 0;
	int r = sw_crypto_open(err);

	if (r == 0)
		r = cipher_key(key, c->recovery, &k, err);
	if (r == 0)
		r = sw_secret_new(c->cipher_len, &plain, err);
	if (r < 0)
		return r;
	gcm = (struct sw_gcm){ k->data, c->iv, c->start, c->start_len, c->cipher_len };
	if (!sw_gcm_open(&gcm, c->cipher, c->tag, plain->data))
		return bad(err, -EBADMSG, c->recovery ? "this recovery key does not open it"
						      : "it was changed since it was sealed");
	r = sw_credential_content(plain->data, plain->len, name, now_us, &at, err);
	if (r < 0)
		return r;
	if (at == plain->len)
		return bad(err, -EBADMSG, "there is nothing in it");
	r = sw_secret_new(plain->len - at, ret_secret, err);
	if (r == 0)
		memcpy((*ret_secret)->data, plain->data + at, plain->len - at);
	return r;
}
