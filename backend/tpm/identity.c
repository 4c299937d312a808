/* SPDX-License-Identifier: Apache-2.0 */
#include "tpm/identity.h"

#include <string.h>

#include "base/hash.h"
#include "tpm/ek.h"
#include "tpm/pcr-blob.h"
#include "tpm/pcrs.h"

#define RETRIES 5

struct sw_identity {
	struct sw_tpm t;	/* primary: the EK, object: the AK */
	struct sw_ek ek;
	uint8_t ak[SW_ATTEST_MAX];
	size_t ak_len;
	uint32_t bound;		/* the PCRs that the AK's policy is about; 0: it has none */
};

/*
 * P-256 with ECDSA over SHA-256, and with just these attributes, as the clients of safeboot have
 * them: its server takes no others. Made under the endorsement hierarchy itself, so that the same
 * TPM makes the same key.
 */
static const TPM2B_PUBLIC template_ak = {
	.publicArea = {
		.type = TPM2_ALG_ECC,
		.nameAlg = TPM2_ALG_SHA256,
		.objectAttributes = TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_STCLEAR |
				    TPMA_OBJECT_FIXEDPARENT | TPMA_OBJECT_SENSITIVEDATAORIGIN |
				    TPMA_OBJECT_USERWITHAUTH | TPMA_OBJECT_RESTRICTED |
				    TPMA_OBJECT_SIGN_ENCRYPT,
		.parameters.eccDetail = {
			.symmetric.algorithm = TPM2_ALG_NULL,
			.scheme = {
				.scheme = TPM2_ALG_ECDSA,
				.details.ecdsa.hashAlg = TPM2_ALG_SHA256,
			},
			.curveID = TPM2_ECC_NIST_P256,
			.kdf.scheme = TPM2_ALG_NULL,
		},
		.unique.ecc = { .x.size = 32, .y.size = 32 },
	},
};

/* ---- open and close ---- */

static int create_ak(struct sw_identity *i, const TPM2B_PUBLIC *template)
{
	static const TPM2B_SENSITIVE_CREATE no_auth;
	static const TPM2B_DATA no_data;
	static const TPML_PCR_SELECTION no_pcrs;
	TPM2B_PUBLIC *public = NULL;
	size_t off = 0;
	TSS2_RC rc;

	sw_tpm_flush(&i->t, &i->t.object);
	rc = SW_TPM_TRY(Esys_CreatePrimary(i->t.esys, ESYS_TR_RH_ENDORSEMENT, ESYS_TR_PASSWORD,
					   ESYS_TR_NONE, ESYS_TR_NONE, &no_auth, template,
					   &no_data, &no_pcrs, &i->t.object, &public, NULL, NULL,
					   NULL));
	if (rc == TSS2_RC_SUCCESS)
		rc = Tss2_MU_TPMT_PUBLIC_Marshal(&public->publicArea, i->ak, sizeof(i->ak), &off);
	i->ak_len = off;
	Esys_Free(public);
	return rc == TSS2_RC_SUCCESS ? 0
				     : sw_tpm_fail(&i->t, rc, "the TPM makes no attestation key");
}

int sw_identity_open(const char *tcti, bool ecc_ek, struct sw_identity **ret_identity,
		     struct sw_error *err)
{
	_cleanup_identity_ struct sw_identity *i = calloc(1, sizeof(*i));
	int r;

	if (!i)
		return sw_fail_oom(err);
	i->t = (struct sw_tpm)SW_TPM_NONE(err);
	r = sw_tpm_open(&i->t, tcti);
	if (r == 0)
		r = sw_tpm_load_ek(&i->t, ecc_ek, &i->ek);
	if (r == 0)
		r = create_ak(i, &template_ak);
	if (r == 0)
		*ret_identity = TAKE_PTR(i);
	return r;
}

/*
 * The AK's attributes, which the wire fixes, leave it under the TPM's protection against guessing.
 * A TPM that loses power after such a key was used counts a wrong try, and after a few of them (3
 * in swtpm, often 32) signs for nobody: a node that restarts by its watchdog gets there. To a TPM
 * that was told that the power may go that is no try; all that is used after this works as before.
 */
static void expect_power_cut(struct sw_identity *i)
{
	sw_tpm_flush(&i->t, &i->t.object);
	sw_tpm_flush(&i->t, &i->t.primary);
	if (i->t.esys)
		(void)Esys_Shutdown(i->t.esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
				    TPM2_SU_CLEAR);
}

struct sw_identity *sw_identity_free(struct sw_identity *i)
{
	if (!i)
		return NULL;
	expect_power_cut(i);
	sw_tpm_close(&i->t);
	sw_ek_clear(&i->ek);
	free(i);
	return NULL;
}

const struct sw_ek *sw_identity_ek(const struct sw_identity *i)
{
	return &i->ek;
}

const uint8_t *sw_identity_ak(const struct sw_identity *i, size_t *ret_len)
{
	*ret_len = i->ak_len;
	return i->ak;
}

/* ---- a key for one state of the PCRs ---- */

/* The digest of the values one after the other, as quotes and policies have it. */
static void digest_pcrs(const uint8_t value[SW_PCRS][32], uint32_t pcrs,
			uint8_t ret_digest[static SW_SHA256_LEN])
{
	uint8_t all[SW_PCRS * 32];
	size_t n = 0;

	for (unsigned int p = 0; p < SW_PCRS; p++)
		if (pcrs & 1U << p) {
			memcpy(all + n, value[p], 32);
			n += 32;
		}
	sw_sha256_raw(all, n, ret_digest);
}

/*
 * What PolicyPCR and PolicyCommandCode make of an empty policy (TPM 2.0 library, part 3, 23.7 and
 * 23.11): the digest so far, the command's code, its selection and digest, or the other code.
 */
static void bound_policy(const uint8_t value[SW_PCRS][32], uint32_t pcrs, TPM2B_DIGEST *ret_policy)
{
	uint8_t step[SW_SHA256_LEN + 4 + 10 + SW_SHA256_LEN] = { [34] = 0x01, 0x7f };
	uint8_t then[SW_SHA256_LEN + 8] = { [34] = 0x01, 0x6c, 0, 0, 0x01, 0x47 };
	const uint8_t which[10] = { 0, 0, 0, 1, 0, TPM2_ALG_SHA256, 3, pcrs & 0xff,
				    pcrs >> 8 & 0xff, pcrs >> 16 & 0xff };

	memcpy(step + SW_SHA256_LEN + 4, which, sizeof(which));
	digest_pcrs(value, pcrs, step + SW_SHA256_LEN + 4 + sizeof(which));
	sw_sha256_raw(step, sizeof(step), then);
	ret_policy->size = SW_SHA256_LEN;
	sw_sha256_raw(then, sizeof(then), ret_policy->buffer);
}

/* pcrs 0: the key without a policy. */
static int bind_ak(struct sw_identity *i, const uint8_t value[SW_PCRS][32], uint32_t pcrs)
{
	TPM2B_PUBLIC template = template_ak;
	int r;

	if (pcrs) {
		template.publicArea.objectAttributes |= TPMA_OBJECT_ADMINWITHPOLICY;
		bound_policy(value, pcrs, &template.publicArea.authPolicy);
	}
	r = create_ak(i, &template);
	i->bound = r == 0 ? pcrs : 0;
	return r;
}

/* ---- quotes ---- */

/* True when the quote is about the nonce and about these values, as it should. */
static bool is_about(const struct sw_quote *q, const void *nonce, size_t len, uint32_t pcrs)
{
	TPMS_ATTEST a = {};
	uint8_t digest[SW_SHA256_LEN];
	size_t off = 0;

	if (Tss2_MU_TPMS_ATTEST_Unmarshal(q->attest, q->attest_len, &off, &a) != TSS2_RC_SUCCESS ||
	    a.magic != TPM2_GENERATED_VALUE || a.type != TPM2_ST_ATTEST_QUOTE ||
	    a.extraData.size != len || memcmp(a.extraData.buffer, nonce, len) != 0)
		return false;
	digest_pcrs(q->value, pcrs, digest);
	return a.attested.quote.pcrDigest.size == sizeof(digest) &&
	       memcmp(a.attested.quote.pcrDigest.buffer, digest, sizeof(digest)) == 0;
}

static TSS2_RC sign_pcrs(struct sw_identity *i, const TPM2B_DATA *nonce, uint32_t pcrs,
			 struct sw_quote *q)
{
	static const TPMT_SIG_SCHEME its_own = { .scheme = TPM2_ALG_NULL };
	const TPML_PCR_SELECTION which = sw_tpm_selection(pcrs);
	TPM2B_ATTEST *attest = NULL;
	TPMT_SIGNATURE *signature = NULL;
	size_t off = 0;
	TSS2_RC rc = SW_TPM_TRY(Esys_Quote(i->t.esys, i->t.object, ESYS_TR_PASSWORD, ESYS_TR_NONE,
					   ESYS_TR_NONE, nonce, &its_own, &which, &attest,
					   &signature));

	if (rc != TSS2_RC_SUCCESS)
		return rc;
	q->attest_len = attest->size <= sizeof(q->attest) ? attest->size : 0;
	memcpy(q->attest, attest->attestationData, q->attest_len);
	rc = Tss2_MU_TPMT_SIGNATURE_Marshal(signature, q->signature, sizeof(q->signature), &off);
	q->signature_len = off;
	Esys_Free(attest);
	Esys_Free(signature);
	return rc;
}

/* The values that the quote is said to be about; -ENODATA without a sha256 bank that has them. */
static int read_values(struct sw_identity *i, uint32_t pcrs, struct sw_quote *q)
{
	struct sw_tpm_pcrs now = {};
	int r = sw_tpm_pcrs_of(&i->t, &now);
	const struct sw_tpm_bank *bank = r == 0 ? sw_tpm_sha256_bank(&now) : NULL;
	bool good = bank != NULL;

	for (unsigned int p = 0; good && p < SW_PCRS; p++) {
		good = bank->has[p] || !(pcrs & 1U << p);
		memcpy(q->value[p], bank->value[p], 32);
	}
	if (r < 0 || good)
		return r;
	sw_fail(i->t.err, SW_EXIT_MISSING, -ENODATA, "the TPM keeps no sha256 PCRs");
	sw_error_hint(i->t.err, "turn the SHA-256 bank on in the firmware setup");
	return -ENODATA;
}

static int quote(struct sw_identity *i, const void *nonce, size_t len, uint32_t pcrs, bool bound,
		 struct sw_quote *ret_quote, struct sw_error *err)
{
	TPM2B_DATA data = { .size = (UINT16)len };
	int r;

	i->t.err = err;
	if (len > SW_NONCE_MAX || pcrs == 0 || pcrs >> SW_PCRS)
		return sw_fail(err, SW_EXIT_INTERNAL, -EINVAL, "nothing can be quoted like this");
	memcpy(data.buffer, nonce, len);
	for (int n = 0; n < RETRIES; n++) {
		TSS2_RC rc;

		memset(ret_quote, 0, sizeof(*ret_quote));
		r = read_values(i, pcrs, ret_quote);
		if (r == 0 && (bound || i->bound))
			r = bind_ak(i, ret_quote->value, bound ? pcrs : 0);
		if (r < 0)
			return r;
		rc = sign_pcrs(i, &data, pcrs, ret_quote);
		if (rc != TSS2_RC_SUCCESS)
			return sw_tpm_fail(&i->t, rc, "the TPM does not quote its PCRs");
		if (is_about(ret_quote, nonce, len, pcrs)) {
			ret_quote->pcrs_len = sw_pcr_blob(ret_quote->value, pcrs, ret_quote->pcrs);
			return 0;
		}
	}
	return sw_tpm_fail(&i->t, TPM2_RC_PCR_CHANGED, "the TPM's quote is about other PCRs");
}

int sw_identity_quote(struct sw_identity *i, const void *nonce, size_t len, uint32_t pcrs,
		      struct sw_quote *ret_quote, struct sw_error *err)
{
	return quote(i, nonce, len, pcrs, false, ret_quote, err);
}

int sw_identity_quote_bound(struct sw_identity *i, const void *nonce, size_t len, uint32_t pcrs,
			    struct sw_quote *ret_quote, struct sw_error *err)
{
	return quote(i, nonce, len, pcrs, true, ret_quote, err);
}

/* ---- credentials ---- */

/* What a bound AK wants to see before it opens anything. */
static TSS2_RC start_bound(struct sw_identity *i, ESYS_TR *ret_session)
{
	static const TPM2B_DIGEST as_they_are;
	const TPML_PCR_SELECTION which = sw_tpm_selection(i->bound);
	TSS2_RC rc;

	*ret_session = ESYS_TR_PASSWORD;
	if (!i->bound)
		return TSS2_RC_SUCCESS;
	*ret_session = ESYS_TR_NONE;
	rc = sw_tpm_start_session(&i->t, TPM2_SE_POLICY, true, ret_session);
	if (rc == TSS2_RC_SUCCESS)
		rc = Esys_PolicyPCR(i->t.esys, *ret_session, ESYS_TR_NONE, ESYS_TR_NONE,
				    ESYS_TR_NONE, &as_they_are, &which);
	if (rc == TSS2_RC_SUCCESS)
		rc = Esys_PolicyCommandCode(i->t.esys, *ret_session, ESYS_TR_NONE, ESYS_TR_NONE,
					    ESYS_TR_NONE, TPM2_CC_ActivateCredential);
	return rc;
}

static int moved(struct sw_error *err)
{
	sw_fail(err, SW_EXIT_ADMISSION, -EAGAIN,
		"the PCRs changed while the server was asked");
	sw_error_why(err, "the answer opens only in the state that was quoted");
	sw_error_hint(err, "attest when nothing measures any more; or try again");
	return -EAGAIN;
}

static TSS2_RC start_sessions(struct sw_identity *i)
{
	TSS2_RC rc = sw_tpm_start_session(&i->t, TPM2_SE_HMAC, true, &i->t.crypt);

	if (rc == TSS2_RC_SUCCESS)
		rc = sw_tpm_start_session(&i->t, TPM2_SE_POLICY, true, &i->t.policy);
	if (rc == TSS2_RC_SUCCESS)
		rc = Esys_PolicySecret(i->t.esys, ESYS_TR_RH_ENDORSEMENT, i->t.policy,
				       ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, NULL, NULL,
				       NULL, 0, NULL, NULL);
	return rc;
}

static int not_ours(struct sw_error *err, TSS2_RC rc)
{
	bool integrity = (rc & 0xbf) == TPM2_RC_INTEGRITY;

	sw_fail(err, SW_EXIT_ADMISSION, integrity ? -EPERM : -EBADMSG,
		"the TPM does not open the server's answer");
	sw_error_why(err, integrity ? "it was locked for another TPM or another attestation key"
				    : "what the server sent is no credential");
	sw_error_hint(err, integrity ? "see whether something between this machine and the server "
				       "answers in its place, and what the server logged"
				     : "see what the server logged");
	return integrity ? -EPERM : -EBADMSG;
}

/*
 * Some TPMs, libtpms 0.9 among them, say "failure" for a seed that does not decrypt, without being
 * in failure mode: then they would start no session.
 */
static bool is_well(struct sw_identity *i)
{
	TSS2_RC rc = sw_tpm_start_session(&i->t, TPM2_SE_POLICY, false, &i->t.policy);

	sw_tpm_flush(&i->t, &i->t.policy);
	return rc == TSS2_RC_SUCCESS;
}

static bool is_about_content(struct sw_identity *i, TSS2_RC rc)
{
	TSS2_RC e = TPM2_RC_FMT1 | (rc & 0x3f);

	if (rc == TPM2_RC_FAILURE)
		return is_well(i);
	return !(rc & TSS2_RC_LAYER_MASK) && rc & TPM2_RC_FMT1 && rc & TPM2_RC_P &&
	       (e == TPM2_RC_INTEGRITY || e == TPM2_RC_VALUE || e == TPM2_RC_SIZE ||
		e == TPM2_RC_INSUFFICIENT || e == TPM2_RC_ECC_POINT);
}

static void end_sessions(struct sw_identity *i, ESYS_TR *own)
{
	if (*own != ESYS_TR_PASSWORD)
		sw_tpm_flush(&i->t, own);
	sw_tpm_flush(&i->t, &i->t.policy);
	sw_tpm_flush(&i->t, &i->t.crypt);
}

static int not_opened(struct sw_identity *i, TSS2_RC rc, struct sw_error *err)
{
	if (i->bound && (rc == TPM2_RC_PCR_CHANGED ||
			 (rc & (TPM2_RC_FMT1 | 0x3f)) == TPM2_RC_POLICY_FAIL))
		return moved(err);
	if (is_about_content(i, rc))
		return not_ours(err, TPM2_RC_FMT1 | (rc & 0x3f));
	return sw_tpm_fail(&i->t, rc, "the TPM does not open the server's answer");
}

int sw_identity_activate(struct sw_identity *i, const void *id_object, size_t id_len,
			 const void *secret, size_t secret_len, struct sw_secret **ret_secret,
			 struct sw_error *err)
{
	TPM2B_ID_OBJECT id = {};
	TPM2B_ENCRYPTED_SECRET seed = {};
	TPM2B_DIGEST *got = NULL;
	size_t a = 0, b = 0;
	ESYS_TR own = ESYS_TR_NONE;
	TSS2_RC rc;
	int r;

	i->t.err = err;
	if (Tss2_MU_TPM2B_ID_OBJECT_Unmarshal(id_object, id_len, &a, &id) != TSS2_RC_SUCCESS ||
	    Tss2_MU_TPM2B_ENCRYPTED_SECRET_Unmarshal(secret, secret_len, &b, &seed) !=
		    TSS2_RC_SUCCESS || a != id_len || b != secret_len)
		return not_ours(err, TPM2_RC_SIZE);
	rc = start_sessions(i);
	if (rc == TSS2_RC_SUCCESS)
		rc = start_bound(i, &own);
	if (rc != TSS2_RC_SUCCESS) {
		r = sw_tpm_fail(&i->t, rc, "the TPM starts no session for its keys");
		end_sessions(i, &own);
		return r;
	}
	rc = SW_TPM_TRY(Esys_ActivateCredential(i->t.esys, i->t.object, i->t.primary, own,
						i->t.policy, i->t.crypt, &id, &seed, &got));
	end_sessions(i, &own);
	if (rc != TSS2_RC_SUCCESS)
		return not_opened(i, rc, err);
	r = sw_secret_new(got->size, ret_secret, err);
	if (r == 0)
		memcpy((*ret_secret)->data, got->buffer, got->size);
	explicit_bzero(got, sizeof(*got));
	Esys_Free(got);
	return r;
}
