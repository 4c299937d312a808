/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A secret that only this TPM gives back, and only while chosen PCRs hold what
 * they hold now. The key above it is made anew from a fixed template each time and
 * the sealed object is kept by the caller, so nothing stays in the TPM. Template,
 * policy and blob are those of systemd 252 (src/shared/tpm2-util.c), so that
 * systemd-cryptsetup opens what is sealed here, and the other way round.
 */
#pragma once

#include <stdint.h>

#include "base/json.h"
#include "base/secret.h"
#include "tpm/eventlog.h"
#include "tpm/pcr-key.h"

/*
 * Sealed to by default: PCR 7, the Secure Boot policy. Never to 1, 4, 5, 9 or 12:
 * they change with the boot order, a failed attempt, or the road a node boots by.
 */
#define SW_TPM_PCRS_DEFAULT (1U << 7)
#define SW_TPM_PCRS_NEVER (1U << 1 | 1U << 4 | 1U << 5 | 1U << 9 | 1U << 12)
/* Said when struct sw_sealed has nothing measured. */
#define SW_TPM_NOT_MEASURED "the firmware measured nothing into the PCRs that the key is sealed " \
	"to: any system that starts on this machine can open it"
/*
 * What a seal to the TPM alone is worth, in all places the same: behind a colon, the first with
 * Secure Boot. The TPM does not ask who starts the machine, only what.
 */
#define SW_TPM_WORTH_SECURE "the disk alone shows nothing to anybody. Whoever takes the whole " \
	"machine, or is its boot server, can start on it only what is signed with the key that " \
	"signed the node's system: Secure Boot is on. When that key or Secure Boot's settings " \
	"change, the TPM no longer opens it"
#define SW_TPM_WORTH_OPEN "the disk alone shows nothing to anybody. Whoever takes the whole " \
	"machine, or is its boot server, can start a system of their own on it, and that can " \
	"read everything: Secure Boot is off"
#define SW_TPM_BLOB_MAX 2048U
#define SW_TPM_SECRET_LEN 32U

/* What the PCRs were when it was sealed, so that later somebody can say what differs. */
struct sw_sealed_to {
	uint32_t pcrs;		/* those that are known; 0: nothing is */
	uint8_t value[SW_PCRS][32];
	const char *log;	/* borrowed: the event log that made them, or NULL */
};

struct sw_sealed {
	uint8_t blob[SW_TPM_BLOB_MAX];	/* TPM2B_PRIVATE, then TPM2B_PUBLIC, marshalled */
	size_t len;
	uint8_t policy[32];	/* sha256 policy digest */
	uint32_t pcrs;		/* bit n: PCR n of the sha256 bank */
	struct sw_pcr_key signer;	/* and its PCRs as this key signs them; pcrs 0: no key */
	bool rsa;		/* the key above it is RSA 2048; else ECC P-256 */
	bool measured;		/* at least one of the PCRs was extended since the start */
	bool later;		/* sealed to PCRs that this system does not have */
	struct sw_sealed_to to;	/* known where it was sealed just now: it is in no blob */
};

/*
 * Who signs PCRs (tpm/signed.h), and what was signed so far, to try it with; NULL: nothing. And
 * the path of the event log, which ret_sealed->to borrows; or NULL.
 */
struct sw_seal_signer {
	const struct sw_pcr_key *key;
	json_object *signatures;
	const char *log;
};

/*
 * Makes SW_TPM_SECRET_LEN random bytes and seals them to the PCRs as they are; to
 * PCR 7 as the node will have it when pcr7 is given (NULL: unknown), pcrs is PCR 7
 * alone and the TPM agrees with what the log says of now; and, with a signer (NULL: none),
 * to any values of his PCRs that he signs. The bytes cross the bus
 * encrypted only. exit 5 with a next step when the TPM cannot, exit 2 (-EINVAL) for
 * PCRs of SW_TPM_PCRS_NEVER or none.
 */
int sw_tpm_seal(const char *tcti, uint32_t pcrs, const struct sw_pcr7 *pcr7,
		const struct sw_pcr_key *signer, struct sw_sealed *ret_sealed,
		struct sw_secret **ret_secret, struct sw_error *err);

/*
 * The same, tried at once unless ret_sealed->later: only the node can try that. It is also set
 * when none of the signer's signatures is about the PCRs as they are. by may be NULL.
 */
int sw_tpm_seal_tried(const char *tcti, uint32_t pcrs, const struct sw_pcr7 *pcr7,
		      const struct sw_seal_signer *by, struct sw_sealed *ret_sealed,
		      struct sw_secret **ret_secret, struct sw_error *err);

/*
 * -EPERM (exit 5) when the PCRs hold something else now, or the TPM is another one (or was
 * cleared); -ENOKEY (exit 5) when it was sealed with a signer and none of the signatures, which may
 * be NULL, is about the PCRs as they are.
 */
int sw_tpm_unseal(const char *tcti, const struct sw_sealed *s, json_object *signatures,
		  struct sw_secret **ret_secret, struct sw_error *err);

/*
 * {"7": {"value": HEX, "events": [HEX]}}: the events are the first 8 bytes of each digest that
 * the log says made the value; without them when it says otherwise. New reference, NULL when
 * nothing is known.
 */
json_object *sw_sealed_to_json(const struct sw_sealed_to *to);

enum sw_seal_fit {
	SW_SEAL_FITS,
	SW_SEAL_OTHER_PCRS,	/* this TPM sealed it, and to other values of its PCRs */
	SW_SEAL_OTHER_TPM,	/* another one did, or this one was cleared since */
};

/*
 * Whether this TPM opens what is sealed, without asking it to: the PCRs as they are, or (pcr7, and
 * sealed to PCR 7 alone) as the node will have PCR 7. Of a signer only the key counts, not whether
 * he has signed. Fails only when the TPM cannot be asked.
 */
int sw_tpm_judge_seal(const char *tcti, const struct sw_sealed *s, const struct sw_pcr7 *pcr7,
		 enum sw_seal_fit *ret_fit, struct sw_error *err);

/* "7", "0+7" (or with commas) to bits; -EINVAL with exit 2 for what must not be sealed to. */
int sw_tpm_parse_pcrs(const char *text, uint32_t *ret_pcrs, struct sw_error *err);

/*
 * Extends PCR 7 (sha256 bank), to which keys are sealed by default: until the machine
 * is restarted the TPM gives none of them back, and what is sealed meanwhile opens
 * never again. For when somebody gets a shell. Errors as of sw_tpm_seal().
 */
int sw_tpm_forfeit(const char *tcti, struct sw_error *err);
/* What it makes of the value that PCR 7 had before. */
void sw_tpm_forfeited(uint8_t value[static 32]);
