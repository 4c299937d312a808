/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who a machine is, as its TPM proves it: the endorsement key (EK) that its maker certified, an
 * attestation key (AK) beside it, quotes over the PCRs, and opening what a server locked for
 * exactly these two keys.
 *
 * The EK is the low-range one of the TCG EK Credential Profile 2.5 (templates L-1, RSA 2048, and
 * L-2, P-256); the AK is made anew from a fixed template, so that it is the same each time until
 * the TPM is cleared by its maker's means, and a second install does not look like an attack.
 * Nothing stays in the TPM.
 */
#pragma once

#include <stdbool.h>

#include "base/cleanup.h"
#include "base/secret.h"
#include "tpm/eventlog.h"

#define SW_ATTEST_MAX 2048U	/* bytes of a quote, a signature or a public area */
#define SW_PCR_BLOB_MAX 4096U
#define SW_NONCE_MAX 32U	/* bytes that a quote takes in */

/* An endorsement key. All strings are owned. */
struct sw_ek {
	bool ecc;		/* P-256; else RSA 2048 */
	char *pem;		/* SubjectPublicKeyInfo, as openssl(1) writes it */
	char id[65];		/* the node's id: SHA-256 of pem, in hex */
	char spki[65];		/* SHA-256 of the key's DER form, in hex */
	char *cert;		/* the maker's certificate as PEM, NULL: the TPM holds none */
	bool cert_fits;		/* and it is about this key */
	uint32_t cert_index;	/* where it was found */
	char *chain;		/* the certificates above it that the TPM holds, PEM; NULL: none */
};

void sw_ek_clear(struct sw_ek *ek);
#define _cleanup_ek_ _cleanup_(sw_ek_clear)

/* Just the key and its certificates. Exit 5 with the reason and the next step. */
int sw_tpm_ek(const char *tcti, bool ecc, struct sw_ek *ret_ek, struct sw_error *err);

struct sw_quote {
	uint8_t attest[SW_ATTEST_MAX];	/* TPMS_ATTEST */
	size_t attest_len;
	uint8_t signature[SW_ATTEST_MAX];	/* TPMT_SIGNATURE */
	size_t signature_len;
	uint8_t pcrs[SW_PCR_BLOB_MAX];	/* the values, in the "serialized" form of tpm2-tools */
	size_t pcrs_len;
	uint8_t value[SW_PCRS][32];	/* of those PCRs that were asked for; sha256 */
};

struct sw_identity;		/* an open TPM with both keys in it */

int sw_identity_open(const char *tcti, bool ecc_ek, struct sw_identity **ret_identity,
		     struct sw_error *err);
struct sw_identity *sw_identity_free(struct sw_identity *i);
SW_DEFINE_CLEANUP(struct sw_identity, sw_identity_free)
#define _cleanup_identity_ _cleanup_(sw_identity_freep)

const struct sw_ek *sw_identity_ek(const struct sw_identity *i);
/* The AK's public area (TPMT_PUBLIC), borrowed. Its name is 000b and the SHA-256 of this. */
const uint8_t *sw_identity_ak(const struct sw_identity *i, size_t *ret_len);

/*
 * A quote over PCRs of the sha256 bank (bit n: PCR n), with what it must contain checked: the
 * nonce and the digest of just these values. A PCR that moves meanwhile starts it again.
 */
int sw_identity_quote(struct sw_identity *i, const void *nonce, size_t len, uint32_t pcrs,
		      struct sw_quote *ret_quote, struct sw_error *err);

/*
 * The same, with an AK that opens a credential only while these PCRs hold what the quote says: its
 * policy is PolicyPCR over them and PolicyCommandCode(ActivateCredential). It takes the place of
 * the AK until the next quote of either kind; its name is another in another state.
 */
int sw_identity_quote_bound(struct sw_identity *i, const void *nonce, size_t len, uint32_t pcrs,
			    struct sw_quote *ret_quote, struct sw_error *err);

/*
 * Opens a credential: id_object and secret are TPM2B_ID_OBJECT and TPM2B_ENCRYPTED_SECRET, with
 * their sizes in front. What is in it crosses the bus encrypted. Exit 9, -EPERM, when it was made
 * for another TPM or another AK, -EBADMSG when it is no credential; -EAGAIN when the AK is bound to
 * PCRs that hold something else now.
 */
int sw_identity_activate(struct sw_identity *i, const void *id_object, size_t id_len,
			 const void *secret, size_t secret_len, struct sw_secret **ret_secret,
			 struct sw_error *err);
