/* SPDX-License-Identifier: Apache-2.0 */
#include "tpm/counter.h"

#include <string.h>

#include "base/le.h"
#include "tpm/nv.h"

#define NOTE_INDEX (SW_COUNTER_INDEX + 1)
/* "SLIPWAY1", where it counts from (64 bits, little-endian), the owner */
#define NOTE_LEN (8U + 8U + SW_SHA256_LEN)
#define ANYBODY_READS (TPMA_NV_OWNERWRITE | TPMA_NV_OWNERREAD | TPMA_NV_AUTHREAD | TPMA_NV_NO_DA)

static const char magic[8] = { 'S', 'L', 'I', 'P', 'W', 'A', 'Y', '1' };

static const TPMS_NV_PUBLIC counter_public = {
	.nvIndex = SW_COUNTER_INDEX,
	.nameAlg = TPM2_ALG_SHA256,
	.attributes = ANYBODY_READS | TPM2_NT_COUNTER << TPMA_NV_TPM2_NT_SHIFT,
	.dataSize = 8,
};
static const TPMS_NV_PUBLIC note_public = {
	.nvIndex = NOTE_INDEX,
	.nameAlg = TPM2_ALG_SHA256,
	.attributes = ANYBODY_READS | TPMA_NV_WRITEDEFINE,
	.dataSize = NOTE_LEN,
};

/* ---- reading ---- */

static int read_counter(struct sw_tpm *t, uint64_t *ret_value)
{
	_cleanup_buf_ struct sw_buf b = {};
	uint64_t v = 0;
	int r = sw_tpm_nv_read(t, SW_COUNTER_INDEX, &b);

	if (r < 0 || b.len != 8)
		return r < 0 ? r : -ENOENT;
	for (size_t i = 0; i < 8; i++)
		v = v << 8 | b.data[i];		/* big-endian, as all of the TPM's numbers */
	*ret_value = v;
	return 0;
}

static int read_note(struct sw_tpm *t, uint64_t *ret_from, uint8_t owner[static SW_SHA256_LEN])
{
	_cleanup_buf_ struct sw_buf b = {};
	int r = sw_tpm_nv_read(t, NOTE_INDEX, &b);

	if (r < 0 || b.len != NOTE_LEN || memcmp(b.data, magic, sizeof(magic)) != 0)
		return r < 0 ? r : -ENOENT;
	*ret_from = sw_le64(b.data + 8);
	memcpy(owner, b.data + 16, SW_SHA256_LEN);
	return 0;
}

static int read_both(struct sw_tpm *t, struct sw_counter *c)
{
	uint64_t value = 0, from = 0;
	int r = read_note(t, &from, c->owner);

	if (r == 0)
		r = read_counter(t, &value);
	c->there = r == 0;
	c->count = value - from;
	return r == -ENOENT || r == -E2BIG ? 0 : r;
}

int sw_counter_read(const char *tcti, struct sw_counter *ret_counter, struct sw_error *err)
{
	_cleanup_(sw_tpm_close) struct sw_tpm t = SW_TPM_NONE(err);
	struct sw_counter c = {};
	int r = sw_tpm_open(&t, tcti);

	if (r == 0)
		r = read_both(&t, &c);
	if (r == 0)
		*ret_counter = c;
	return r;
}

/* ---- writing ---- */

static int find(struct sw_tpm *t, TPM2_HANDLE index, ESYS_TR *ret_nv)
{
	TSS2_RC rc = Esys_TR_FromTPMPublic(t->esys, index, ESYS_TR_NONE, ESYS_TR_NONE,
					   ESYS_TR_NONE, ret_nv);

	if (rc == TSS2_RC_SUCCESS)
		return 0;
	return (rc & 0x3f) == (TPM2_RC_HANDLE & 0x3f)
		       ? -ENOENT
		       : sw_tpm_fail(t, rc, "the TPM's counter cannot be opened");
}

static int increment(struct sw_tpm *t, ESYS_TR nv)
{
	TSS2_RC rc = SW_TPM_TRY(Esys_NV_Increment(t->esys, ESYS_TR_RH_OWNER, nv, ESYS_TR_PASSWORD,
						  ESYS_TR_NONE, ESYS_TR_NONE));

	return rc == TSS2_RC_SUCCESS ? 0 : sw_tpm_fail(t, rc, "the TPM's counter does not count");
}

/* Whether what lies at the place has just the form that we give it, written or not. */
static bool is_ours(struct sw_tpm *t, ESYS_TR nv, const TPMS_NV_PUBLIC *want)
{
	const TPMA_NV changes = TPMA_NV_WRITTEN | TPMA_NV_WRITELOCKED;
	TPM2B_NV_PUBLIC *public = NULL;
	bool ours;

	if (Esys_NV_ReadPublic(t->esys, nv, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &public,
			       NULL) != TSS2_RC_SUCCESS)
		return false;
	ours = public->nvPublic.dataSize == want->dataSize &&
	       (public->nvPublic.attributes & ~changes) == want->attributes;
	Esys_Free(public);
	return ours;
}

static int taken(struct sw_tpm *t, TPM2_HANDLE index)
{
	sw_fail(t->err, SW_EXIT_REFUSED, -EEXIST, "the TPM has something else at index 0x%08x",
		index);
	sw_error_why(t->err, "it was not made by slipway, so it is left alone");
	sw_error_hint(t->err, "tpm2_nvundefine 0x%08x removes it, if nothing needs it", index);
	return -EEXIST;
}

static int make_way(struct sw_tpm *t, const TPMS_NV_PUBLIC *want)
{
	ESYS_TR nv = ESYS_TR_NONE;
	int r = find(t, want->nvIndex, &nv);
	TSS2_RC rc;

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	if (!is_ours(t, nv, want)) {
		(void)Esys_TR_Close(t->esys, &nv);
		return taken(t, want->nvIndex);
	}
	rc = SW_TPM_TRY(Esys_NV_UndefineSpace(t->esys, ESYS_TR_RH_OWNER, nv, ESYS_TR_PASSWORD,
					      ESYS_TR_NONE, ESYS_TR_NONE));
	return rc == TSS2_RC_SUCCESS ? 0 : sw_tpm_fail(t, rc, "the older counter stays");
}

static int define(struct sw_tpm *t, const TPMS_NV_PUBLIC *want, ESYS_TR *ret_nv)
{
	static const TPM2B_AUTH none;
	const TPM2B_NV_PUBLIC public = { .nvPublic = *want };
	int r = make_way(t, want);
	TSS2_RC rc;

	if (r < 0)
		return r;
	rc = SW_TPM_TRY(Esys_NV_DefineSpace(t->esys, ESYS_TR_RH_OWNER, ESYS_TR_PASSWORD,
					    ESYS_TR_NONE, ESYS_TR_NONE, &none, &public, ret_nv));
	return rc == TSS2_RC_SUCCESS ? 0 : sw_tpm_fail(t, rc, "the TPM has no room for a counter");
}

static int write_note(struct sw_tpm *t, ESYS_TR nv, uint64_t from,
		      const uint8_t owner[static SW_SHA256_LEN])
{
	TPM2B_MAX_NV_BUFFER data = { .size = NOTE_LEN };
	TSS2_RC rc;

	memcpy(data.buffer, magic, sizeof(magic));
	sw_put_le64(data.buffer + 8, from);
	memcpy(data.buffer + 16, owner, SW_SHA256_LEN);
	rc = SW_TPM_TRY(Esys_NV_Write(t->esys, ESYS_TR_RH_OWNER, nv, ESYS_TR_PASSWORD,
				      ESYS_TR_NONE, ESYS_TR_NONE, &data, 0));
	if (rc == TSS2_RC_SUCCESS)
		rc = SW_TPM_TRY(Esys_NV_WriteLock(t->esys, ESYS_TR_RH_OWNER, nv,
						  ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE));
	return rc == TSS2_RC_SUCCESS
		       ? 0
		       : sw_tpm_fail(t, rc, "the TPM does not keep what it counts from");
}

/* The note last: one that is cut off before is not there. */
static int begin(struct sw_tpm *t, const uint8_t *owner, uint64_t count)
{
	ESYS_TR note = ESYS_TR_NONE, nv = ESYS_TR_NONE;
	uint64_t value = 0;
	int r = define(t, &note_public, &note);

	if (r == 0)
		r = define(t, &counter_public, &nv);
	if (r == 0)
		r = increment(t, nv);
	if (r == 0)
		r = read_counter(t, &value);
	if (r == 0)
		r = write_note(t, note, value - count, owner);
	if (nv != ESYS_TR_NONE)
		(void)Esys_TR_Close(t->esys, &nv);
	if (note != ESYS_TR_NONE)
		(void)Esys_TR_Close(t->esys, &note);
	return r;
}

int sw_counter_begin(const char *tcti, const uint8_t owner[static SW_SHA256_LEN], uint64_t count,
		     struct sw_error *err)
{
	_cleanup_(sw_tpm_close) struct sw_tpm t = SW_TPM_NONE(err);
	int r = sw_tpm_open(&t, tcti);

	return r < 0 ? r : begin(&t, owner, count);
}

static int raise_by(struct sw_tpm *t, uint64_t steps)
{
	ESYS_TR nv = ESYS_TR_NONE;
	int r = find(t, SW_COUNTER_INDEX, &nv);

	if (r < 0)
		return r;
	for (uint64_t i = 0; r == 0 && i < steps; i++)
		r = increment(t, nv);
	(void)Esys_TR_Close(t->esys, &nv);
	return r;
}

int sw_counter_raise(const char *tcti, uint64_t count, struct sw_error *err)
{
	_cleanup_(sw_tpm_close) struct sw_tpm t = SW_TPM_NONE(err);
	struct sw_counter c = {};
	int r = sw_tpm_open(&t, tcti);

	if (r == 0)
		r = read_both(&t, &c);
	if (r < 0 || !c.there)
		return r < 0 ? r : -ENOENT;
	if (c.count >= count)
		return 0;
	if (count - c.count > SW_COUNTER_STEPS)
		return sw_fail(err, SW_EXIT_REFUSED, -ERANGE, "the TPM's counter is too far "
							      "behind");
	return raise_by(&t, count - c.count);
}
