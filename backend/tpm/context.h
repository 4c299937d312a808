/* SPDX-License-Identifier: Apache-2.0 */
/* An open TPM with what was loaded into it, and its errors in words. Private to tpm/. */
#pragma once

#include "tpm/tss2.h"

struct sw_tpm {
	TSS2_TCTI_CONTEXT *tcti;
	ESYS_CONTEXT *esys;
	ESYS_TR primary, crypt, policy, object;
	bool rsa;
	struct sw_error *err;
};

#define SW_TPM_NONE(e) { .primary = ESYS_TR_NONE, .crypt = ESYS_TR_NONE, .policy = ESYS_TR_NONE, \
		      .object = ESYS_TR_NONE, .err = (e) }

/* Nothing is left in the TPM afterwards. */
void sw_tpm_close(struct sw_tpm *t);
int sw_tpm_open(struct sw_tpm *t, const char *tcti);
void sw_tpm_flush(struct sw_tpm *t, ESYS_TR *h);
/* Fills t->err, exit 5, with the reason and the next step; the -errno of the reason. */
int sw_tpm_fail(struct sw_tpm *t, TSS2_RC rc, const char *what);
