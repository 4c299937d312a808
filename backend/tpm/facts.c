/* SPDX-License-Identifier: Apache-2.0 */
#include "tpm/facts.h"

#include <stdarg.h>
#include <string.h>

#include "base/text.h"
#include "tpm/context.h"
#include "tpm/eventlog.h"

#define CERT_RSA 0x01c00002U	/* TCG EK Credential Profile 2.5, 2.2.1.4 */
#define CERT_ECC 0x01c0000aU

static TSS2_RC ask(struct sw_tpm *t, TPM2_CAP what, UINT32 from, UINT32 n,
		   TPMS_CAPABILITY_DATA **ret_data)
{
	TPMI_YES_NO more;

	return SW_TPM_TRY(Esys_GetCapability(t->esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
					     what, from, n, &more, ret_data));
}

/* Four characters, the first in the highest byte. */
static void four(uint32_t v, char *text)
{
	for (int i = 0; i < 4; i++)
		text[i] = (char)(v >> (24 - 8 * i));
}

static void take_fixed(struct sw_tpm_facts *f, TPM2_PT property, uint32_t v)
{
	if (property >= TPM2_PT_VENDOR_STRING_1 && property <= TPM2_PT_VENDOR_STRING_4)
		four(v, f->model + 4 * (property - TPM2_PT_VENDOR_STRING_1));
	else if (property == TPM2_PT_MANUFACTURER)
		four(v, f->vendor);
	else if (property == TPM2_PT_FIRMWARE_VERSION_1)
		f->firmware |= (uint64_t)v << 32;
	else if (property == TPM2_PT_FIRMWARE_VERSION_2)
		f->firmware |= v;
	else if (property == TPM2_PT_REVISION)
		f->revision = v;
	else if (property == TPM2_PT_YEAR)
		f->year = v;
	else if (property == TPM2_PT_DAY_OF_YEAR)
		f->day = v;
}

static void take_variable(struct sw_tpm_facts *f, TPM2_PT property, uint32_t v)
{
	if (property == TPM2_PT_PERMANENT) {
		f->owner_auth = v & TPMA_PERMANENT_OWNERAUTHSET;
		f->endorsement_auth = v & TPMA_PERMANENT_ENDORSEMENTAUTHSET;
		f->lockout_auth = v & TPMA_PERMANENT_LOCKOUTAUTHSET;
		f->locked = v & TPMA_PERMANENT_INLOCKOUT;
	} else if (property == TPM2_PT_STARTUP_CLEAR) {
		f->platform_on = v & TPMA_STARTUP_CLEAR_PHENABLE;
		f->storage_on = v & TPMA_STARTUP_CLEAR_SHENABLE;
		f->endorsement_on = v & TPMA_STARTUP_CLEAR_EHENABLE;
	} else if (property == TPM2_PT_LOCKOUT_COUNTER) {
		f->failures = v;
	} else if (property == TPM2_PT_MAX_AUTH_FAIL) {
		f->failures_max = v;
	} else if (property == TPM2_PT_LOCKOUT_INTERVAL) {
		f->interval_s = v;
	} else if (property == TPM2_PT_LOCKOUT_RECOVERY) {
		f->recovery_s = v;
	}
}

static int read_properties(struct sw_tpm *t, TPM2_PT group, struct sw_tpm_facts *f)
{
	TPMS_CAPABILITY_DATA *d = NULL;
	TSS2_RC rc = ask(t, TPM2_CAP_TPM_PROPERTIES, group, TPM2_MAX_TPM_PROPERTIES, &d);

	if (rc != TSS2_RC_SUCCESS)
		return sw_tpm_fail(t, rc, "the TPM does not say what it is");
	for (UINT32 i = 0; i < d->data.tpmProperties.count; i++) {
		const TPMS_TAGGED_PROPERTY *p = &d->data.tpmProperties.tpmProperty[i];

		if (group == TPM2_PT_FIXED)
			take_fixed(f, p->property, p->value);
		else
			take_variable(f, p->property, p->value);
	}
	Esys_Free(d);
	return 0;
}

static int read_banks(struct sw_tpm *t, struct sw_tpm_facts *f)
{
	TPMS_CAPABILITY_DATA *d = NULL;
	TSS2_RC rc = ask(t, TPM2_CAP_PCRS, 0, 1, &d);

	if (rc != TSS2_RC_SUCCESS)
		return sw_tpm_fail(t, rc, "the TPM does not say which PCRs it keeps");
	for (UINT32 i = 0; i < d->data.assignedPCR.count; i++) {
		const TPMS_PCR_SELECTION *s = &d->data.assignedPCR.pcrSelections[i];
		bool on = false;

		for (UINT8 k = 0; k < s->sizeofSelect; k++)
			on |= s->pcrSelect[k] != 0;
		if (on && f->n_banks < SW_TPM_FACT_BANKS)
			f->bank[f->n_banks++] = s->hash;
	}
	Esys_Free(d);
	return 0;
}

static int read_certs(struct sw_tpm *t, struct sw_tpm_facts *f)
{
	TPMS_CAPABILITY_DATA *d = NULL;
	TSS2_RC rc = ask(t, TPM2_CAP_HANDLES, CERT_RSA, CERT_ECC - CERT_RSA + 1, &d);

	if (rc != TSS2_RC_SUCCESS)
		return sw_tpm_fail(t, rc, "the TPM does not say what it stores");
	for (UINT32 i = 0; i < d->data.handles.count; i++) {
		f->rsa_cert |= d->data.handles.handle[i] == CERT_RSA;
		f->ecc_cert |= d->data.handles.handle[i] == CERT_ECC;
	}
	Esys_Free(d);
	return 0;
}

int sw_tpm_read_facts(const char *tcti, struct sw_tpm_facts *ret_facts, struct sw_error *err)
{
	_cleanup_(sw_tpm_close) struct sw_tpm t = SW_TPM_NONE(err);
	int r = sw_tpm_open(&t, tcti);

	*ret_facts = (struct sw_tpm_facts){};
	if (r == 0)
		r = read_properties(&t, TPM2_PT_FIXED, ret_facts);
	if (r == 0)
		r = read_properties(&t, TPM2_PT_VAR, ret_facts);
	if (r == 0)
		r = read_banks(&t, ret_facts);
	if (r == 0)
		r = read_certs(&t, ret_facts);
	if (r < 0)
		return r;
	sw_text_clean(ret_facts->vendor);
	sw_text_clean(ret_facts->model);
	sw_tpm_judge(ret_facts);
	return 0;
}

/* ---- what to think of it ---- */

static void find(struct sw_tpm_facts *f, enum sw_tpm_use stops, const char *hint, const char *what,
		 ...) SW_PRINTF(4, 5);

static void find(struct sw_tpm_facts *f, enum sw_tpm_use stops, const char *hint, const char *what,
		 ...)
{
	struct sw_tpm_finding *n = &f->finding[f->n_findings];
	va_list ap;

	if (f->n_findings == SW_TPM_FINDINGS)
		return;
	f->n_findings++;
	n->stops = stops;
	n->hint = hint;
	va_start(ap, what);
	(void)vsnprintf(n->what, sizeof(n->what), what, ap);
	va_end(ap);
	f->attests &= !(stops & SW_TPM_USE_ATTEST);
	f->seals &= !(stops & SW_TPM_USE_SEAL);
}

static void judge_lockout(struct sw_tpm_facts *f)
{
	char text[SW_SPAN_TEXT];

	if (!f->locked)
		return;
	if (f->failures >= f->failures_max)
		f->wait_s = (uint64_t)f->interval_s * (f->failures - f->failures_max + 1);
	find(f, SW_TPM_USE_BOTH,
	     f->lockout_auth ? "wait, or clear the TPM in the firmware setup"
			     : "wait, or run tpm2_dictionarylockout --clear-lockout",
	     "it is locked after %u wrong attempts, and unlocks itself in %s", f->failures,
	     f->wait_s ? sw_span_text(f->wait_s, text) : "a while");
}

void sw_tpm_judge(struct sw_tpm_facts *f)
{
	bool sha256 = false;

	f->attests = f->seals = true;
	f->n_findings = 0;
	for (size_t i = 0; i < f->n_banks; i++)
		sha256 |= f->bank[i] == TPM2_ALG_SHA256;
	if (!sha256)
		find(f, SW_TPM_USE_BOTH, "turn the SHA-256 bank on in the firmware setup",
		     "it keeps no sha256 PCRs");
	if (!f->endorsement_on)
		find(f, SW_TPM_USE_ATTEST,
		     "turn the endorsement hierarchy on in the firmware setup",
		     "its endorsement hierarchy is turned off");
	if (!f->storage_on)
		find(f, SW_TPM_USE_SEAL, "turn the storage hierarchy on in the firmware setup",
		     "its storage hierarchy is turned off");
	if (f->endorsement_auth)
		find(f, SW_TPM_USE_ATTEST, "clear the TPM in the firmware setup",
		     "a previous owner gave the endorsement hierarchy a password");
	if (f->owner_auth)
		find(f, SW_TPM_USE_SEAL, "clear the TPM in the firmware setup",
		     "a previous owner gave the storage hierarchy a password");
	judge_lockout(f);
	if (!f->rsa_cert && !f->ecc_cert)
		find(f, SW_TPM_USE_NONE, NULL,
		     "it stores no certificate of its maker, as some chips do not: a server must "
		     "know its key beforehand");
}
