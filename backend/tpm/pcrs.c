/* SPDX-License-Identifier: Apache-2.0 */
#include "tpm/pcrs.h"

#include <string.h>

#include "tpm/context.h"

static bool is_selected(const TPMS_PCR_SELECTION *s, unsigned int pcr)
{
	return pcr / 8 < s->sizeofSelect && s->pcrSelect[pcr / 8] & 1U << pcr % 8;
}

static bool is_empty(const TPMS_PCR_SELECTION *s)
{
	for (unsigned int i = 0; i < SW_PCRS; i++)
		if (is_selected(s, i))
			return false;
	return true;
}

/* Takes what one answer holds and strikes it off what is wanted; false: it held nothing. */
static bool take(struct sw_tpm_bank *b, TPMS_PCR_SELECTION *want, const TPML_PCR_SELECTION *got,
		 const TPML_DIGEST *values)
{
	UINT32 n = 0;

	for (unsigned int i = 0; got->count == 1 && i < SW_PCRS && n < values->count; i++) {
		const TPM2B_DIGEST *d = &values->digests[n];

		if (!is_selected(&got->pcrSelections[0], i))
			continue;
		n++;
		if (d->size != b->size)
			return false;
		memcpy(b->value[i], d->buffer, d->size);
		b->has[i] = true;
		want->pcrSelect[i / 8] &= (BYTE)~(1U << i % 8);
	}
	return n > 0;
}

/* A TPM gives eight at a time. */
static int read_bank(struct sw_tpm *t, const TPMS_PCR_SELECTION *s, struct sw_tpm_bank *b)
{
	TPML_PCR_SELECTION want = { .count = 1, .pcrSelections[0] = *s };

	while (!is_empty(&want.pcrSelections[0])) {
		TPML_PCR_SELECTION *got = NULL;
		TPML_DIGEST *values = NULL;
		TSS2_RC rc = Esys_PCR_Read(t->esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
					   &want, NULL, &got, &values);
		bool some = rc == TSS2_RC_SUCCESS && take(b, &want.pcrSelections[0], got, values);

		Esys_Free(got);
		Esys_Free(values);
		if (rc != TSS2_RC_SUCCESS)
			return sw_tpm_fail(t, rc, "the TPM's PCRs cannot be read");
		if (!some)
			break;
	}
	return 0;
}

int sw_tpm_pcrs_of(struct sw_tpm *t, struct sw_tpm_pcrs *ret_pcrs)
{
	TPMS_CAPABILITY_DATA *d = NULL;
	TPMI_YES_NO more;
	TSS2_RC rc;
	int r = 0;

	*ret_pcrs = (struct sw_tpm_pcrs){};
	rc = Esys_GetCapability(t->esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, TPM2_CAP_PCRS, 0,
				1, &more, &d);
	if (rc != TSS2_RC_SUCCESS)
		return sw_tpm_fail(t, rc, "the TPM does not say which PCRs it keeps");
	for (UINT32 i = 0; r == 0 && i < d->data.assignedPCR.count; i++) {
		const TPMS_PCR_SELECTION *s = &d->data.assignedPCR.pcrSelections[i];
		struct sw_tpm_bank *b = &ret_pcrs->bank[ret_pcrs->n_banks];

		if (is_empty(s) || !sw_tpm_alg_size(s->hash) || ret_pcrs->n_banks == SW_TPM_BANKS)
			continue;
		b->alg = s->hash;
		b->size = sw_tpm_alg_size(s->hash);
		ret_pcrs->n_banks++;
		r = read_bank(t, s, b);
	}
	Esys_Free(d);
	return r;
}

int sw_tpm_read_pcrs(const char *tcti, struct sw_tpm_pcrs *ret_pcrs, struct sw_error *err)
{
	_cleanup_(sw_tpm_close) struct sw_tpm t = SW_TPM_NONE(err);
	int r = sw_tpm_open(&t, tcti);

	return r == 0 ? sw_tpm_pcrs_of(&t, ret_pcrs) : r;
}

struct sw_tpm_bank *sw_tpm_sha256_bank(struct sw_tpm_pcrs *pcrs)
{
	for (size_t i = 0; i < pcrs->n_banks; i++)
		if (pcrs->bank[i].alg == TPM2_ALG_SHA256)
			return &pcrs->bank[i];
	return NULL;
}
