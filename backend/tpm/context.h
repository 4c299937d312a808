/* SPDX-License-Identifier: Apache-2.0 */
/* An open TPM with what was loaded into it, and its errors in words. Private to tpm/. */
#pragma once

#include "tpm/tss2.h"

/* What keys and sessions encrypt with; begins a TPMT_SYM_DEF and a TPMT_SYM_DEF_OBJECT. */
#define SW_TPM_AES_128_CFB \
	{ .algorithm = TPM2_ALG_AES, .keyBits.aes = 128, .mode.aes = TPM2_ALG_CFB }

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
/* The same for a device that cannot be opened, by the errno. */
int sw_tpm_fail_device(struct sw_tpm *t, int r);

/*
 * Starts a session with parameter encryption; salted with t->primary, a decryption key: who
 * listens on the bus sees no secret.
 */
TSS2_RC sw_tpm_start_session(struct sw_tpm *t, TPM2_SE type, bool salted, ESYS_TR *ret_session);

/*
 * True, after a pause that grows from 50 ms to 2 s, when the TPM only asks to be asked again;
 * false at the tenth time. Begin with *tries = 0.
 */
bool sw_tpm_busy(TSS2_RC rc, unsigned int *tries);

/* A command, asked again for as long as sw_tpm_busy() says. */
#define SW_TPM_TRY(command)                                          \
	({                                                           \
		unsigned int tries_ = 0;                             \
		TSS2_RC rc_;                                         \
		do                                                   \
			rc_ = (command);                             \
		while (sw_tpm_busy(rc_, &tries_));                   \
		rc_;                                                 \
	})

/* These PCRs of the sha256 bank; bit n: PCR n. */
TPML_PCR_SELECTION sw_tpm_selection(uint32_t pcrs);
