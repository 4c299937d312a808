/* SPDX-License-Identifier: Apache-2.0 */
#include "tpm/seal.h"

#include <string.h>

#include "base/hash.h"
#include "tpm/context.h"
#include "tpm/signed.h"

#define RETRIES 3

/* ---- keys and sessions ---- */

#define STORAGE_KEY (TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_DECRYPT | TPMA_OBJECT_FIXEDTPM | \
		     TPMA_OBJECT_FIXEDPARENT | TPMA_OBJECT_SENSITIVEDATAORIGIN | \
		     TPMA_OBJECT_USERWITHAUTH)

static const TPM2B_PUBLIC template_ecc = {
	.publicArea = {
		.type = TPM2_ALG_ECC,
		.nameAlg = TPM2_ALG_SHA256,
		.objectAttributes = STORAGE_KEY,
		.parameters.eccDetail = {
			.symmetric = SW_TPM_AES_128_CFB,
			.scheme.scheme = TPM2_ALG_NULL,
			.curveID = TPM2_ECC_NIST_P256,
			.kdf.scheme = TPM2_ALG_NULL,
		},
	},
};
static const TPM2B_PUBLIC template_rsa = {
	.publicArea = {
		.type = TPM2_ALG_RSA,
		.nameAlg = TPM2_ALG_SHA256,
		.objectAttributes = STORAGE_KEY,
		.parameters.rsaDetail = {
			.symmetric = SW_TPM_AES_128_CFB,
			.scheme.scheme = TPM2_ALG_NULL,
			.keyBits = 2048,
		},
	},
};

static TSS2_RC create_primary(struct sw_tpm *t, bool rsa)
{
	static const TPM2B_SENSITIVE_CREATE no_auth;
	static const TPM2B_DATA no_data;
	static const TPML_PCR_SELECTION no_pcrs;

	t->rsa = rsa;
	return SW_TPM_TRY(Esys_CreatePrimary(t->esys, ESYS_TR_RH_OWNER, ESYS_TR_PASSWORD,
					     ESYS_TR_NONE, ESYS_TR_NONE, &no_auth,
					     rsa ? &template_rsa : &template_ecc, &no_data,
					     &no_pcrs, &t->primary, NULL, NULL, NULL, NULL));
}

static int open_storage(struct sw_tpm *t, const char *tcti, int rsa)
{
	int r = sw_tpm_open(t, tcti);
	TSS2_RC rc;

	if (r < 0)
		return r;
	rc = create_primary(t, rsa > 0);
	/* As systemd: RSA where the TPM has no P-256. */
	if (rc != TSS2_RC_SUCCESS && rsa < 0 && !(rc & TSS2_RC_LAYER_MASK))
		rc = create_primary(t, true);
	if (rc != TSS2_RC_SUCCESS)
		return sw_tpm_fail(t, rc, "the TPM makes no storage key");
	rc = sw_tpm_start_session(t, TPM2_SE_HMAC, true, &t->crypt);
	return rc == TSS2_RC_SUCCESS
		       ? 0
		       : sw_tpm_fail(t, rc, "the TPM starts no encrypted session");
}

/*
 * A policy session bound to the PCRs; values: the digest over theirs, an empty one: as they are.
 * First to those that are signed: that step forgets what was before it. -ENOKEY: by none of them.
 */
static int start_policy(struct sw_tpm *t, const struct sw_sealed *s, json_object *signatures,
			const TPM2B_DIGEST *values, bool trial, TSS2_RC *ret_rc)
{
	const TPML_PCR_SELECTION which = sw_tpm_selection(s->pcrs);
	int r = 0;

	*ret_rc = sw_tpm_start_session(t, trial ? TPM2_SE_TRIAL : TPM2_SE_POLICY, true,
				       &t->policy);
	if (*ret_rc == TSS2_RC_SUCCESS && s->signer.pcrs)
		r = sw_tpm_policy_signed(t, &s->signer, signatures, trial, ret_rc);
	if (r == 0 && *ret_rc == TSS2_RC_SUCCESS && s->pcrs)
		*ret_rc = Esys_PolicyPCR(t->esys, t->policy, ESYS_TR_NONE, ESYS_TR_NONE,
					 ESYS_TR_NONE, values, &which);
	return r;
}

/* ---- sealing ---- */

static bool is_extended(const TPM2B_DIGEST *d)
{
	for (UINT16 i = 0; i < d->size; i++)
		if (d->buffer[i] != 0 && d->buffer[i] != 0xff)
			return true;
	return false;
}

/* Whether the log tells the truth about PCR 7, and the node will have another value in it. */
static bool differs_later(const struct sw_sealed *s, const struct sw_pcr7 *pcr7,
			  const TPM2B_DIGEST *now)
{
	return pcr7 && s->pcrs == 1U << 7 && now->size == sizeof(pcr7->now) &&
	       memcmp(now->buffer, pcr7->now, sizeof(pcr7->now)) == 0 &&
	       memcmp(pcr7->node, pcr7->now, sizeof(pcr7->now)) != 0;
}

/* In the order of their numbers; more than eight the TPM does not give at once. */
static void note_values(struct sw_sealed *s, const struct sw_pcr7 *pcr7, const TPML_DIGEST *values)
{
	UINT32 k = 0;

	for (unsigned int i = 0; i < SW_PCRS && k < values->count; i++) {
		const TPM2B_DIGEST *d = &values->digests[k];

		if (!(s->pcrs & 1U << i))
			continue;
		if (d->size == sizeof(s->to.value[i])) {
			memcpy(s->to.value[i], s->later && i == 7 ? pcr7->node : d->buffer,
			       sizeof(s->to.value[i]));
			s->to.pcrs |= 1U << i;
		}
		k++;
	}
}

/* Whether the bank is there at all, and whether the firmware measures into it. */
static int look_at_pcrs(struct sw_tpm *t, struct sw_sealed *s, const struct sw_pcr7 *pcr7)
{
	const TPML_PCR_SELECTION which = sw_tpm_selection(s->pcrs);
	TPML_DIGEST *values = NULL;
	TSS2_RC rc = Esys_PCR_Read(t->esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &which, NULL,
				   NULL, &values);
	UINT32 n = values ? values->count : 0;

	if (rc != TSS2_RC_SUCCESS)
		return sw_tpm_fail(t, rc, "the TPM's PCRs cannot be read");
	for (UINT32 i = 0; i < n; i++)
		s->measured |= is_extended(&values->digests[i]);
	s->later = n == 1 && differs_later(s, pcr7, &values->digests[0]);
	if (values)
		note_values(s, pcr7, values);
	Esys_Free(values);
	if (n > 0)
		return 0;
	sw_fail(t->err, SW_EXIT_MISSING, -ENODEV, "the TPM keeps no sha256 PCRs");
	sw_error_hint(t->err, "turn the SHA-256 bank on in the firmware setup");
	return -ENODEV;
}

/* The digest over the values of the one PCR that the node will have. */
static void hash_later(const struct sw_pcr7 *pcr7, TPM2B_DIGEST *ret_values)
{
	sw_sha256_raw(pcr7->node, sizeof(pcr7->node), ret_values->buffer);
	ret_values->size = SW_SHA256_LEN;
}

static int policy_digest(struct sw_tpm *t, struct sw_sealed *s, const struct sw_pcr7 *pcr7)
{
	TPM2B_DIGEST values = {}, *d = NULL;
	TSS2_RC rc;

	if (s->later)
		hash_later(pcr7, &values);
	(void)start_policy(t, s, NULL, &values, true, &rc);
	if (rc == TSS2_RC_SUCCESS)
		rc = Esys_PolicyGetDigest(t->esys, t->policy, ESYS_TR_NONE, ESYS_TR_NONE,
					  ESYS_TR_NONE, &d);
	if (rc != TSS2_RC_SUCCESS || d->size != sizeof(s->policy)) {
		Esys_Free(d);
		return sw_tpm_fail(t, rc, "the TPM makes no policy of its PCRs");
	}
	memcpy(s->policy, d->buffer, sizeof(s->policy));
	Esys_Free(d);
	return 0;
}

static TSS2_RC marshal(struct sw_sealed *s, const TPM2B_PRIVATE *private,
		       const TPM2B_PUBLIC *public)
{
	size_t off = 0;
	TSS2_RC rc = Tss2_MU_TPM2B_PRIVATE_Marshal(private, s->blob, sizeof(s->blob), &off);

	if (rc == TSS2_RC_SUCCESS)
		rc = Tss2_MU_TPM2B_PUBLIC_Marshal(public, s->blob, sizeof(s->blob), &off);
	s->len = off;
	return rc;
}

static int create_sealed(struct sw_tpm *t, struct sw_sealed *s, const struct sw_secret *secret)
{
	static const TPM2B_DATA no_data;
	static const TPML_PCR_SELECTION no_pcrs;
	TPM2B_SENSITIVE_CREATE in = { .sensitive.data.size = (UINT16)secret->len };
	TPM2B_PUBLIC template = {
		.publicArea = {
			.type = TPM2_ALG_KEYEDHASH,
			.nameAlg = TPM2_ALG_SHA256,
			/* No counting of failures: it has no password that could be guessed. */
			.objectAttributes = TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT |
					    TPMA_OBJECT_NODA,
			.parameters.keyedHashDetail.scheme.scheme = TPM2_ALG_NULL,
			.authPolicy.size = sizeof(s->policy),
		},
	};
	TPM2B_PRIVATE *private = NULL;
	TPM2B_PUBLIC *public = NULL;
	TSS2_RC rc;

	memcpy(in.sensitive.data.buffer, secret->data, secret->len);
	memcpy(template.publicArea.authPolicy.buffer, s->policy, sizeof(s->policy));
	rc = SW_TPM_TRY(Esys_Create(t->esys, t->primary, ESYS_TR_PASSWORD, t->crypt, ESYS_TR_NONE,
				    &in, &template, &no_data, &no_pcrs, &private, &public, NULL,
				    NULL, NULL));
	explicit_bzero(&in, sizeof(in));
	if (rc == TSS2_RC_SUCCESS)
		rc = marshal(s, private, public);
	Esys_Free(private);
	Esys_Free(public);
	return rc == TSS2_RC_SUCCESS ? 0 : sw_tpm_fail(t, rc, "the TPM seals nothing");
}

static int bad_pcrs(struct sw_error *err, const char *why)
{
	sw_fail(err, SW_EXIT_USAGE, -EINVAL, "a secret cannot be sealed to these PCRs");
	sw_error_why(err, "%s", why);
	sw_error_hint(err, "PCR 7 (the Secure Boot policy) is the usual choice");
	return -EINVAL;
}

static int check_pcrs(uint32_t pcrs, struct sw_error *err)
{
	if (pcrs == 0 || pcrs >> 24)
		return bad_pcrs(err, "a TPM has PCRs 0 to 23, and at least one is needed");
	if (pcrs & SW_TPM_PCRS_NEVER)
		return bad_pcrs(err, "1, 4, 5, 9 and 12 change with the boot order and the road "
				     "that a node boots by");
	return 0;
}

int sw_tpm_seal(const char *tcti, uint32_t pcrs, const struct sw_pcr7 *pcr7,
		const struct sw_pcr_key *signer, struct sw_sealed *ret_sealed,
		struct sw_secret **ret_secret, struct sw_error *err)
{
	_cleanup_(sw_tpm_close) struct sw_tpm t = SW_TPM_NONE(err);
	_cleanup_secret_ struct sw_secret *secret = NULL;
	struct sw_sealed s = { .pcrs = pcrs };
	int r = check_pcrs(pcrs, err);

	if (signer)
		s.signer = *signer;
	if (r == 0)
		r = sw_secret_random(SW_TPM_SECRET_LEN, &secret, err);
	if (r == 0)
		r = open_storage(&t, tcti, -1);
	s.rsa = t.rsa;
	if (r == 0)
		r = look_at_pcrs(&t, &s, pcr7);
	if (r == 0)
		r = policy_digest(&t, &s, pcr7);
	if (r == 0)
		r = create_sealed(&t, &s, secret);
	if (r < 0)
		return r;
	*ret_sealed = s;
	*ret_secret = TAKE_PTR(secret);
	return 0;
}

/* ---- unsealing ---- */

static int load(struct sw_tpm *t, const struct sw_sealed *s)
{
	TPM2B_PRIVATE private = {};
	TPM2B_PUBLIC public = {};
	size_t off = 0;
	TSS2_RC rc = Tss2_MU_TPM2B_PRIVATE_Unmarshal(s->blob, s->len, &off, &private);

	if (rc == TSS2_RC_SUCCESS)
		rc = Tss2_MU_TPM2B_PUBLIC_Unmarshal(s->blob, s->len, &off, &public);
	if (rc == TSS2_RC_SUCCESS)
		rc = SW_TPM_TRY(Esys_Load(t->esys, t->primary, ESYS_TR_PASSWORD, t->crypt,
					  ESYS_TR_NONE, &private, &public, &t->object));
	return rc == TSS2_RC_SUCCESS
		       ? 0
		       : sw_tpm_fail(t, rc, "the TPM does not take the sealed secret");
}

static int not_signed(struct sw_tpm *t)
{
	sw_fail(t->err, SW_EXIT_MISSING, -ENOKEY, "the TPM does not give the secret back");
	sw_error_why(t->err, "nobody signed the PCRs that this image gives with the key that the "
			     "secret is sealed to");
	sw_error_hint(t->err, "start an image that brings its signature along, or give the file: "
			      "systemd-measure sign makes it");
	return -ENOKEY;
}

static int try_unseal(struct sw_tpm *t, const struct sw_sealed *s, json_object *signatures,
		      TPM2B_SENSITIVE_DATA **ret_data, TSS2_RC *ret_rc)
{
	static const TPM2B_DIGEST as_they_are;
	int r = start_policy(t, s, signatures, &as_they_are, false, ret_rc);

	if (r == 0 && *ret_rc == TSS2_RC_SUCCESS)
		*ret_rc = SW_TPM_TRY(Esys_Unseal(t->esys, t->object, t->policy, t->crypt,
						 ESYS_TR_NONE, ret_data));
	sw_tpm_flush(t, &t->policy);
	return r;
}

/* A PCR that was extended in between makes the policy void: looked at again. */
static int unseal(struct sw_tpm *t, const struct sw_sealed *s, json_object *signatures,
		  struct sw_secret **ret_secret)
{
	TPM2B_SENSITIVE_DATA *data = NULL;
	TSS2_RC rc = TPM2_RC_PCR_CHANGED;
	int r = 0;

	for (int i = 0; i < RETRIES && rc == TPM2_RC_PCR_CHANGED && r == 0; i++)
		r = try_unseal(t, s, signatures, &data, &rc);
	if (r < 0)
		return not_signed(t);
	if (rc != TSS2_RC_SUCCESS)
		return sw_tpm_fail(t, rc, "the TPM does not give the secret back");
	r = sw_secret_new(data->size, ret_secret, t->err);
	if (r == 0)
		memcpy((*ret_secret)->data, data->buffer, data->size);
	explicit_bzero(data, sizeof(*data));
	Esys_Free(data);
	return r;
}

int sw_tpm_unseal(const char *tcti, const struct sw_sealed *s, json_object *signatures,
		  struct sw_secret **ret_secret, struct sw_error *err)
{
	_cleanup_(sw_tpm_close) struct sw_tpm t = SW_TPM_NONE(err);
	int r = open_storage(&t, tcti, s->rsa);

	if (r == 0)
		r = load(&t, s);
	return r == 0 ? unseal(&t, s, signatures, ret_secret) : r;
}

/* What the key above it does not take was made below another one. */
int sw_tpm_judge_seal(const char *tcti, const struct sw_sealed *s, const struct sw_pcr7 *pcr7,
		 enum sw_seal_fit *ret_fit, struct sw_error *err)
{
	_cleanup_(sw_tpm_close) struct sw_tpm t = SW_TPM_NONE(err);
	struct sw_sealed would = *s;
	int r = open_storage(&t, tcti, s->rsa);

	if (r == 0)
		r = load(&t, s);
	if (r == -EPERM) {
		*ret_fit = SW_SEAL_OTHER_TPM;
		if (err)
			*err = (struct sw_error){};
		return 0;
	}
	would.later = pcr7 && s->pcrs == SW_TPM_PCRS_DEFAULT;
	if (r == 0)
		r = policy_digest(&t, &would, pcr7);
	if (r == 0)
		*ret_fit = memcmp(would.policy, s->policy, sizeof(s->policy)) == 0
				   ? SW_SEAL_FITS : SW_SEAL_OTHER_PCRS;
	return r;
}

int sw_tpm_seal_tried(const char *tcti, uint32_t pcrs, const struct sw_pcr7 *pcr7,
		      const struct sw_seal_signer *by, struct sw_sealed *ret_sealed,
		      struct sw_secret **ret_secret, struct sw_error *err)
{
	_cleanup_secret_ struct sw_secret *secret = NULL, *back = NULL;
	struct sw_error failed = {};
	int r = sw_tpm_seal(tcti, pcrs, pcr7, by ? by->key : NULL, ret_sealed, &secret, err);

	if (r == 0)
		ret_sealed->to.log = by ? by->log : NULL;
	/* What only the node can open cannot be tried here. */
	if (r == 0 && !ret_sealed->later)
		r = sw_tpm_unseal(tcti, ret_sealed, by ? by->signatures : NULL, &back, &failed);
	if (r == -ENOKEY) {
		ret_sealed->later = true;
		r = 0;
	} else if (r < 0 && failed.r && err) {
		*err = failed;
	}
	if (r < 0)
		return r;
	if (back && !sw_secret_same(back, secret)) {
		r = sw_fail(err, SW_EXIT_MISSING, -EIO,
			    "the TPM does not give back what was sealed");
		sw_error_hint(err, "do not rely on this TPM for encryption");
		return r;
	}
	*ret_secret = TAKE_PTR(secret);
	return 0;
}

/* ---- text ---- */

int sw_tpm_parse_pcrs(const char *text, uint32_t *ret_pcrs, struct sw_error *err)
{
	uint32_t pcrs = 0;
	int r;

	for (const char *p = text;; p++) {
		unsigned int n = 0;
		const char *from = p;

		for (; *p >= '0' && *p <= '9' && n < 24; p++)
			n = n * 10 + (unsigned int)(*p - '0');
		if (p == from || n > 23 || (*p && *p != '+' && *p != ','))
			return bad_pcrs(err, "write numbers of PCRs, 0 to 23, like 7 or 7+14");
		pcrs |= 1U << n;
		if (!*p)
			break;
	}
	r = check_pcrs(pcrs, err);
	if (r == 0)
		*ret_pcrs = pcrs;
	return r;
}

/* ---- giving up ---- */

static void forfeit_digest(uint8_t digest[static SW_SHA256_LEN])
{
	static const char what[] = "slipway: a rescue shell was opened";

	sw_sha256_raw(what, strlen(what), digest);
}

void sw_tpm_forfeited(uint8_t value[static SW_SHA256_LEN])
{
	uint8_t digest[SW_SHA256_LEN];

	forfeit_digest(digest);
	sw_pcr_extend(value, digest);
}

int sw_tpm_forfeit(const char *tcti, struct sw_error *err)
{
	TPML_DIGEST_VALUES digests = { .count = 1, .digests[0].hashAlg = TPM2_ALG_SHA256 };
	_cleanup_(sw_tpm_close) struct sw_tpm t = SW_TPM_NONE(err);
	TSS2_RC rc;
	int r = sw_tpm_open(&t, tcti);

	forfeit_digest(digests.digests[0].digest.sha256);
	if (r == 0) {
		rc = Esys_PCR_Extend(t.esys, ESYS_TR_PCR7, ESYS_TR_PASSWORD, ESYS_TR_NONE,
				     ESYS_TR_NONE, &digests);
		if (rc != TSS2_RC_SUCCESS)
			r = sw_tpm_fail(&t, rc, "the TPM's PCR 7 cannot be extended");
	}
	return r;
}
