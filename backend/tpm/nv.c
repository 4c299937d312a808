/* SPDX-License-Identifier: Apache-2.0 */
#include "tpm/nv.h"

#include <string.h>

#define PIECE 512U	/* bytes at a time: every TPM's buffer is larger */
#define NV_MAX 16384U

static int open_index(struct sw_tpm *t, TPM2_HANDLE index, ESYS_TR *ret_nv, UINT16 *ret_size)
{
	TPM2B_NV_PUBLIC *public = NULL;
	TSS2_RC rc = Esys_TR_FromTPMPublic(t->esys, index, ESYS_TR_NONE, ESYS_TR_NONE,
					   ESYS_TR_NONE, ret_nv);

	if (rc != TSS2_RC_SUCCESS)
		return (rc & 0x3f) == (TPM2_RC_HANDLE & 0x3f)
			       ? -ENOENT
			       : sw_tpm_fail(t, rc, "an index of the TPM cannot be opened");
	rc = Esys_NV_ReadPublic(t->esys, *ret_nv, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
				&public, NULL);
	if (rc != TSS2_RC_SUCCESS) {
		(void)Esys_TR_Close(t->esys, ret_nv);
		return sw_tpm_fail(t, rc, "an index of the TPM cannot be looked at");
	}
	*ret_size = public->nvPublic.dataSize;
	Esys_Free(public);
	return 0;
}

static int read_piece(struct sw_tpm *t, ESYS_TR nv, UINT16 at, UINT16 size, struct sw_buf *ret_data)
{
	TPM2B_MAX_NV_BUFFER *data = NULL;
	TSS2_RC rc = SW_TPM_TRY(Esys_NV_Read(t->esys, nv, nv, ESYS_TR_PASSWORD, ESYS_TR_NONE,
					     ESYS_TR_NONE, size, at, &data));
	int r;

	if (rc == TPM2_RC_NV_UNINITIALIZED)
		return -ENOENT;
	if (rc != TSS2_RC_SUCCESS)
		return sw_tpm_fail(t, rc, "an index of the TPM cannot be read");
	r = data->size == size ? sw_buf_add(ret_data, data->buffer, data->size) : -EIO;
	Esys_Free(data);
	return r == 0 ? 0 : sw_fail_errno(t->err, SW_EXIT_MISSING, r, "the TPM gives too little");
}

int sw_tpm_nv_read(struct sw_tpm *t, TPM2_HANDLE index, struct sw_buf *ret_data)
{
	ESYS_TR nv = ESYS_TR_NONE;
	UINT16 size = 0;
	int r = open_index(t, index, &nv, &size);

	if (r < 0)
		return r;
	if (size > NV_MAX)
		r = -E2BIG;
	for (unsigned int at = 0; r == 0 && at < size; at += PIECE) {
		unsigned int left = size - at;

		r = read_piece(t, nv, (UINT16)at, (UINT16)(left < PIECE ? left : PIECE), ret_data);
	}
	(void)Esys_TR_Close(t->esys, &nv);
	return r;
}

/* The whole of the SEQUENCE that data begins with; 0 when that is none, or longer than len. */
static size_t der_size(const uint8_t *data, size_t len)
{
	size_t bytes, size = 0;

	if (len < 2 || data[0] != 0x30)
		return 0;
	if (data[1] < 0x80)
		return data[1] + 2U <= len ? data[1] + 2U : 0;
	bytes = data[1] & 0x7fU;
	if (bytes == 0 || bytes > 3 || len < 2 + bytes)
		return 0;
	for (size_t i = 0; i < bytes; i++)
		size = size << 8 | data[2 + i];
	size += 2 + bytes;
	return size <= len ? size : 0;
}

const uint8_t *sw_der_next(const uint8_t *data, size_t len, size_t *at, size_t *ret_len)
{
	static const uint8_t header[] = { 0x10, 0x01, 0x00 };
	const uint8_t *p = data + *at;
	size_t left = len - *at, size;

	if (left > 5 && memcmp(p, header, sizeof(header)) == 0) {
		p += 5;
		left -= 5;
	}
	size = der_size(p, left);
	if (size == 0)
		return NULL;
	*at = (size_t)(p - data) + size;
	*ret_len = size;
	return p;
}
