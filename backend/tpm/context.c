/* SPDX-License-Identifier: Apache-2.0 */
#include "tpm/context.h"

void sw_tpm_flush(struct sw_tpm *t, ESYS_TR *h)
{
	if (*h != ESYS_TR_NONE && Esys_FlushContext(t->esys, *h) != TSS2_RC_SUCCESS)
		(void)Esys_TR_Close(t->esys, h);
	*h = ESYS_TR_NONE;
}

void sw_tpm_close(struct sw_tpm *t)
{
	if (t->esys) {
		sw_tpm_flush(t, &t->object);
		sw_tpm_flush(t, &t->policy);
		sw_tpm_flush(t, &t->crypt);
		sw_tpm_flush(t, &t->primary);
		Esys_Finalize(&t->esys);
	}
	if (t->tcti)
		Tss2_TctiLdr_Finalize(&t->tcti);
}

/* ---- what went wrong, in words ---- */

struct reason {
	TSS2_RC rc;
	int r;
	const char *why, *hint;
};

static const struct reason *find_reason(TSS2_RC rc)
{
	static const struct reason list[] = {
		{ TPM2_RC_POLICY_FAIL, -EPERM,
		  "its PCRs do not hold what they held when the secret was sealed",
		  "open the volume with its recovery key; `slipway state "
		  "reseal` seals it anew" },
		{ TPM2_RC_INTEGRITY, -EPERM, "the secret was sealed by another TPM, or the TPM was "
					     "cleared since",
		  "open the volume with its recovery key; `slipway state "
		  "reseal` seals it anew" },
		{ TPM2_RC_LOCKOUT, -EIO, "the TPM is locked after too many wrong attempts",
		  "wait until it unlocks itself, or clear it in the firmware setup" },
		{ TPM2_RC_AUTH_FAIL, -EIO, "the TPM has an owner password",
		  "clear the TPM in the firmware setup" },
		{ TPM2_RC_BAD_AUTH, -EIO, "the TPM has an owner password",
		  "clear the TPM in the firmware setup" },
		{ TPM2_RC_HIERARCHY, -EIO, "its storage hierarchy is turned off",
		  "turn it on in the firmware setup" },
		{ TPM2_RC_INITIALIZE, -EIO, "the firmware has not started it",
		  "turn the TPM on in the firmware setup" },
		{ TPM2_RC_FAILURE, -EIO, "it is in failure mode",
		  "turn the machine off and on; if it stays so, the TPM is broken" },
		{ TPM2_RC_OBJECT_MEMORY, -EIO, "its memory is full of other programs' keys",
		  "restart the machine" },
		{ TPM2_RC_SESSION_MEMORY, -EIO, "its memory is full of other programs' sessions",
		  "restart the machine" },
		{ TSS2_TCTI_RC_IO_ERROR, -ENODEV, "it does not answer",
		  "see that the TPM is turned on in the firmware setup" },
	};

	/* Which handle, session or parameter it was about is of no use here. */
	if (!(rc & TSS2_RC_LAYER_MASK) && (rc & TPM2_RC_FMT1))
		rc = TPM2_RC_FMT1 | (rc & 0x3f);
	for (size_t i = 0; i < ARRAY_SIZE(list); i++)
		if (rc == list[i].rc)
			return &list[i];
	return NULL;
}

int sw_tpm_fail(struct sw_tpm *t, TSS2_RC rc, const char *what)
{
	const struct reason *why = find_reason(rc);
	int r = why ? why->r : -EIO;

	sw_fail(t->err, SW_EXIT_MISSING, r, "%s", what);
	sw_error_why(t->err, "%s", why ? why->why : Tss2_RC_Decode(rc));
	sw_error_hint(t->err, "%s", why ? why->hint
					: "restart the machine; if it stays so, clear the TPM in "
					  "the firmware setup");
	return r;
}

int sw_tpm_open(struct sw_tpm *t, const char *tcti)
{
	TSS2_RC rc;
	int r = sw_tss2_open(t->err);

	if (r < 0)
		return r;
	rc = Tss2_TctiLdr_Initialize(tcti, &t->tcti);
	if (rc == TSS2_RC_SUCCESS)
		rc = Esys_Initialize(&t->esys, t->tcti, NULL);
	return rc == TSS2_RC_SUCCESS ? 0 : sw_tpm_fail(t, rc, "the TPM cannot be opened");
}
