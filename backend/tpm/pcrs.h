/* SPDX-License-Identifier: Apache-2.0 */
/* The PCRs of a TPM as they are, in every bank that it keeps. */
#pragma once

#include "tpm/eventlog.h"

#define SW_TPM_BANKS 8U

struct sw_tpm_bank {
	uint16_t alg;		/* TPM_ALG_ID */
	size_t size;		/* bytes of a value */
	bool has[SW_PCRS];
	uint8_t value[SW_PCRS][SW_DIGEST_MAX];
};

struct sw_tpm_pcrs {
	struct sw_tpm_bank bank[SW_TPM_BANKS];
	size_t n_banks;
};

/* Banks that are turned off, or of a hash that we do not know, are left out. Exit 5. */
int sw_tpm_read_pcrs(const char *tcti, struct sw_tpm_pcrs *ret_pcrs, struct sw_error *err);

/* The bank that everything is sealed to; NULL: it keeps none. */
struct sw_tpm_bank *sw_tpm_sha256_bank(struct sw_tpm_pcrs *pcrs);

struct sw_tpm;
/* The same from a TPM that is open already; private to tpm/. */
int sw_tpm_pcrs_of(struct sw_tpm *t, struct sw_tpm_pcrs *ret_pcrs);
