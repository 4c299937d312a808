/* SPDX-License-Identifier: Apache-2.0 */
/* What the TPM of this machine is, what it can be used for now, and what to do where it cannot. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"

#define SW_TPM_FINDINGS 12U
#define SW_TPM_FACT_BANKS 16U

/* Something to know about the TPM; use: what it stops. Texts are static, except note. */
struct sw_tpm_finding {
	enum sw_tpm_use {
		SW_TPM_USE_NONE,	/* nothing */
		SW_TPM_USE_ATTEST,	/* proving who the machine is */
		SW_TPM_USE_SEAL,	/* keeping a key */
		SW_TPM_USE_BOTH,
	} stops;
	char what[160];
	const char *hint;		/* what to do, or NULL: nothing needs to be done */
};

struct sw_tpm_facts {
	char vendor[5];			/* "IFX" */
	char model[17];			/* the maker's own words, perhaps empty */
	uint64_t firmware;		/* as four numbers of 16 bits, the highest first */
	unsigned int revision;		/* of the specification, times 100: 138 */
	unsigned int year, day;		/* of that specification */
	uint16_t bank[SW_TPM_FACT_BANKS];	/* TPM_ALG_ID of what has PCRs */
	size_t n_banks;
	bool platform_on, storage_on, endorsement_on;	/* hierarchies */
	bool owner_auth, endorsement_auth, lockout_auth;	/* have a password */
	bool locked;			/* after too many wrong attempts */
	uint32_t failures, failures_max;
	uint32_t interval_s;		/* after which one failure is forgotten */
	uint32_t recovery_s;		/* after which a wrong lockout password is */
	uint64_t wait_s;		/* until it unlocks itself; 0 when it is not locked */
	bool rsa_cert, ecc_cert;	/* the maker's certificates are where they should be */
	struct sw_tpm_finding finding[SW_TPM_FINDINGS];
	size_t n_findings;
	bool attests, seals;		/* no finding stops it */
};

/* Exit 5 with the reason and the next step when it cannot be asked. */
int sw_tpm_read_facts(const char *tcti, struct sw_tpm_facts *ret_facts, struct sw_error *err);

/* The findings and what they stop, from everything else. Pure. */
void sw_tpm_judge(struct sw_tpm_facts *f);

json_object *sw_tpm_facts_to_json(const struct sw_tpm_facts *f);
