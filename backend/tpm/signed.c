/* SPDX-License-Identifier: Apache-2.0 */
#include "tpm/signed.h"

#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/hex.h"
#include "tpm/context.h"
#include "tpm/credential.h"

/* ---- the key in the TPM ---- */

/* As systemd loads it: these attributes go into the key's name, and so into the policy. */
static TSS2_RC load_key(struct sw_tpm *t, const struct sw_pcr_key *k, ESYS_TR *ret_key)
{
	TPM2B_PUBLIC public = {
		.publicArea = {
			.type = TPM2_ALG_RSA,
			.nameAlg = TPM2_ALG_SHA256,
			.objectAttributes = TPMA_OBJECT_DECRYPT | TPMA_OBJECT_SIGN_ENCRYPT |
					    TPMA_OBJECT_USERWITHAUTH,
			.parameters.rsaDetail = {
				.symmetric.algorithm = TPM2_ALG_NULL,
				.scheme.scheme = TPM2_ALG_NULL,
				.keyBits = (UINT16)(k->modulus_len * 8),
				.exponent = k->exponent,
			},
			.unique.rsa.size = (UINT16)k->modulus_len,
		},
	};

	memcpy(public.publicArea.unique.rsa.buffer, k->modulus, k->modulus_len);
	return Esys_LoadExternal(t->esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, NULL, &public,
				 ESYS_TR_RH_OWNER, ret_key);
}

/* ---- which signature ---- */

static bool has_pcrs(json_object *entry, uint32_t pcrs)
{
	json_object *list = sw_json_array(entry, "pcrs");
	size_t n = list ? json_object_array_length(list) : 0;
	uint32_t found = 0;

	for (size_t i = 0; i < n; i++) {
		int pcr = json_object_get_int(json_object_array_get_idx(list, i));

		if (pcr < 0 || pcr >= 24)
			return false;
		found |= 1U << pcr;
	}
	return found == pcrs;
}

static const char *find_signature(json_object *signatures, const struct sw_pcr_key *k,
				  const TPM2B_DIGEST *policy)
{
	json_object *list = sw_json_array(signatures, "sha256");
	size_t n = list ? json_object_array_length(list) : 0;
	char pol[SW_SHA256_TEXT];

	if (policy->size != SW_SHA256_LEN)
		return NULL;
	(void)sw_hex(policy->buffer, policy->size, pol);
	for (size_t i = 0; i < n; i++) {
		json_object *o = json_object_array_get_idx(list, i);

		if (json_object_is_type(o, json_type_object) && has_pcrs(o, k->pcrs) &&
		    strcasecmp(sw_json_str(o, "pkfp", ""), k->fingerprint) == 0 &&
		    strcasecmp(sw_json_str(o, "pol", ""), pol) == 0)
			return sw_json_str(o, "sig", NULL);
	}
	return NULL;
}

bool sw_pcr_key_has_signed(const struct sw_pcr_key *k, json_object *signatures)
{
	json_object *list = sw_json_array(signatures, "sha256");
	size_t n = list ? json_object_array_length(list) : 0;

	for (size_t i = 0; i < n; i++) {
		json_object *o = json_object_array_get_idx(list, i);

		if (json_object_is_type(o, json_type_object) && has_pcrs(o, k->pcrs) &&
		    strcasecmp(sw_json_str(o, "pkfp", ""), k->fingerprint) == 0)
			return true;
	}
	return false;
}

/* ---- the policy ---- */

static TSS2_RC verify(struct sw_tpm *t, ESYS_TR key, const TPM2B_DIGEST *policy,
		      const struct sw_buf *sig, TPMT_TK_VERIFIED **ret_ticket)
{
	TPM2B_DIGEST signed_is = { .size = SW_SHA256_LEN };
	TPMT_SIGNATURE signature = {
		.sigAlg = TPM2_ALG_RSASSA,
		.signature.rsassa = { .hash = TPM2_ALG_SHA256, .sig.size = (UINT16)sig->len },
	};

	memcpy(signature.signature.rsassa.sig.buffer, sig->data, sig->len);
	sw_sha256_raw(policy->buffer, policy->size, signed_is.buffer);
	return Esys_VerifySignature(t->esys, key, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
				    &signed_is, &signature, ret_ticket);
}

static TSS2_RC authorize(struct sw_tpm *t, ESYS_TR key, const TPM2B_DIGEST *policy,
			 const TPMT_TK_VERIFIED *ticket)
{
	static const TPM2B_NONCE no_ref;
	TPM2B_NAME *name = NULL;
	TSS2_RC rc = Esys_TR_GetName(t->esys, key, &name);

	if (rc == TSS2_RC_SUCCESS)
		rc = Esys_PolicyAuthorize(t->esys, t->policy, ESYS_TR_NONE, ESYS_TR_NONE,
					  ESYS_TR_NONE, policy, &no_ref, name, ticket);
	Esys_Free(name);
	return rc;
}

/* In a trial session the TPM looks at neither the policy so far nor the ticket. */
static TSS2_RC authorize_trial(struct sw_tpm *t, ESYS_TR key)
{
	static const TPM2B_DIGEST any;
	static const TPMT_TK_VERIFIED ticket = { .tag = TPM2_ST_VERIFIED,
						 .hierarchy = TPM2_RH_OWNER };

	return authorize(t, key, &any, &ticket);
}

static TSS2_RC policy_now(struct sw_tpm *t, uint32_t pcrs, TPM2B_DIGEST **ret_policy)
{
	static const TPM2B_DIGEST as_they_are;
	const TPML_PCR_SELECTION which = sw_tpm_selection(pcrs);
	TSS2_RC rc = Esys_PolicyPCR(t->esys, t->policy, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
				    &as_they_are, &which);

	return rc == TSS2_RC_SUCCESS
		       ? Esys_PolicyGetDigest(t->esys, t->policy, ESYS_TR_NONE, ESYS_TR_NONE,
					      ESYS_TR_NONE, ret_policy)
		       : rc;
}

static int authorize_now(struct sw_tpm *t, ESYS_TR key, const struct sw_pcr_key *k,
			 json_object *signatures, TSS2_RC *ret_rc)
{
	_cleanup_buf_ struct sw_buf sig = {};
	TPMT_TK_VERIFIED *ticket = NULL;
	TPM2B_DIGEST *policy = NULL;
	const char *text = NULL;
	int r = 0;

	*ret_rc = policy_now(t, k->pcrs, &policy);
	if (*ret_rc == TSS2_RC_SUCCESS) {
		text = find_signature(signatures, k, policy);
		r = text ? sw_credential_from_text(text, &sig, NULL) : -ENOKEY;
		if (r < 0 || sig.len > TPM2_MAX_RSA_KEY_BYTES)
			r = -ENOKEY;
	}
	if (*ret_rc == TSS2_RC_SUCCESS && r == 0)
		*ret_rc = verify(t, key, policy, &sig, &ticket);
	if (*ret_rc == TSS2_RC_SUCCESS && r == 0)
		*ret_rc = authorize(t, key, policy, ticket);
	Esys_Free(policy);
	Esys_Free(ticket);
	return r;
}

int sw_tpm_policy_signed(struct sw_tpm *t, const struct sw_pcr_key *key, json_object *signatures,
			 bool trial, TSS2_RC *ret_rc)
{
	ESYS_TR loaded = ESYS_TR_NONE;
	int r = 0;

	*ret_rc = load_key(t, key, &loaded);
	if (*ret_rc == TSS2_RC_SUCCESS && trial)
		*ret_rc = authorize_trial(t, loaded);
	else if (*ret_rc == TSS2_RC_SUCCESS)
		r = authorize_now(t, loaded, key, signatures, ret_rc);
	sw_tpm_flush(t, &loaded);
	return r;
}
