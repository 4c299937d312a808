/* SPDX-License-Identifier: Apache-2.0 */
#include "tpm/context.h"

#include <fcntl.h>
#include <string.h>
#include <time.h>

#define TRIES 10U
#define PAUSE_MAX_MS 2000U

void sw_tpm_flush(struct sw_tpm *t, ESYS_TR *h)
{
	if (*h != ESYS_TR_NONE && Esys_FlushContext(t->esys, *h) != TSS2_RC_SUCCESS)
		(void)Esys_TR_Close(t->esys, h);
	*h = ESYS_TR_NONE;
}

/*
 * The attributes of the keys that are made here, which systemd and the attestation's wire fix,
 * leave them under the TPM's protection against guessing. A TPM that loses power after such a key
 * was used counts a wrong try, and after a few of them (3 in swtpm, often 32) opens nothing: a
 * node that restarts by its watchdog gets there. To a TPM that was told that the power may go that
 * is no try; all that is used after this works as before.
 */
static void expect_power_cut(struct sw_tpm *t)
{
	(void)Esys_Shutdown(t->esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, TPM2_SU_CLEAR);
}

void sw_tpm_close(struct sw_tpm *t)
{
	bool used = t->primary != ESYS_TR_NONE;

	if (t->esys) {
		sw_tpm_flush(t, &t->object);
		sw_tpm_flush(t, &t->policy);
		sw_tpm_flush(t, &t->crypt);
		sw_tpm_flush(t, &t->primary);
		if (used)
			expect_power_cut(t);
		Esys_Finalize(&t->esys);
	}
	if (t->tcti)
		Tss2_TctiLdr_Finalize(&t->tcti);
}

/* A device says itself why it cannot be opened; 0 for anything else. */
static int why_not(const char *tcti)
{
	static const char prefix[] = "device:";
	bool device = strncmp(tcti, prefix, strlen(prefix)) == 0;
	const char *path = device ? tcti + strlen(prefix) : NULL;
	_cleanup_close_ int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;

	return path && fd < 0 ? -errno : 0;
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
	if (rc == TSS2_RC_SUCCESS)
		return 0;
	r = why_not(tcti);
	return r < 0 ? sw_tpm_fail_device(t, r) : sw_tpm_fail(t, rc, "the TPM cannot be opened");
}

/* ---- sessions ---- */

TSS2_RC sw_tpm_start_session(struct sw_tpm *t, TPM2_SE type, bool salted, ESYS_TR *ret_session)
{
	static const TPMT_SYM_DEF aes = SW_TPM_AES_128_CFB;
	TPMA_SESSION on = TPMA_SESSION_DECRYPT | TPMA_SESSION_ENCRYPT |
			  TPMA_SESSION_CONTINUESESSION;
	TSS2_RC rc = SW_TPM_TRY(Esys_StartAuthSession(
		t->esys, salted ? t->primary : ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
		ESYS_TR_NONE, ESYS_TR_NONE, NULL, type, &aes, TPM2_ALG_SHA256, ret_session));

	if (rc == TSS2_RC_SUCCESS && type == TPM2_SE_HMAC)
		rc = Esys_TRSess_SetAttributes(t->esys, *ret_session, on, 0xff);
	return rc;
}

bool sw_tpm_busy(TSS2_RC rc, unsigned int *tries)
{
	unsigned int ms = 50U << *tries;
	struct timespec pause;

	if ((rc != TPM2_RC_RETRY && rc != TPM2_RC_TESTING && rc != TPM2_RC_YIELDED &&
	     rc != TPM2_RC_NV_RATE && rc != TPM2_RC_NV_UNAVAILABLE) || *tries >= TRIES)
		return false;
	ms = ms > PAUSE_MAX_MS ? PAUSE_MAX_MS : ms;
	pause = (struct timespec){ .tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000L };
	(void)nanosleep(&pause, NULL);
	(*tries)++;
	return true;
}

TPML_PCR_SELECTION sw_tpm_selection(uint32_t pcrs)
{
	return (TPML_PCR_SELECTION){
		.count = 1,
		.pcrSelections[0] = {
			.hash = TPM2_ALG_SHA256,
			.sizeofSelect = 3,
			.pcrSelect = { pcrs & 0xff, pcrs >> 8 & 0xff, pcrs >> 16 & 0xff },
		},
	};
}
