/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A signed PCR policy, as systemd has it (systemd-measure(1), systemd-creds(1)): not one value of
 * a PCR opens what is sealed, but any that the operator has signed. So what is sealed to PCR 11
 * opens by the next image as well, as long as it brings a signature along. The operator's key
 * stays away from the node; only the public half is needed, and slipway signs nothing.
 *
 * Key: PEM, RSA. Signatures: JSON, {"sha256": [{"pcrs": [11], "pkfp": HEX, "pol": HEX,
 * "sig": BASE64}]}: pkfp is the SHA-256 of the key's RSAPublicKey in DER, pol what PolicyPCR makes
 * of an empty policy, sig RSASSA-PKCS1-v1_5 with SHA-256 over the bytes of pol.
 */
#pragma once

#include "base/json.h"
#include "tpm/pcr-key.h"
#include "tpm/tss2.h"

struct sw_tpm;

/* Whether one of these signatures says that it is by this key, and of its PCRs. Pure. */
bool sw_pcr_key_has_signed(const struct sw_pcr_key *key, json_object *signatures);

/*
 * Makes t->policy one that the key's owner has signed: over the PCRs as they are, by one of the
 * signatures. In a trial session none is needed (NULL). -ENOKEY when none fits, a fault of
 * the TPM in *ret_rc with 0.
 */
int sw_tpm_policy_signed(struct sw_tpm *t, const struct sw_pcr_key *key, json_object *signatures,
			 bool trial, TSS2_RC *ret_rc);
