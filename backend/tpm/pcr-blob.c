/* SPDX-License-Identifier: Apache-2.0 */
#include "tpm/pcr-blob.h"

#include <string.h>

#include "base/le.h"

#define SHA256_ALG 0x000bU
#define SELECTIONS 16U		/* entries of TPML_PCR_SELECTION */
#define SELECTION_SIZE 8U
#define PER_LIST 8U		/* entries of TPML_DIGEST */
#define DIGEST_SIZE 66U		/* of TPM2B_DIGEST: its length and room for 64 bytes */
#define LIST_SIZE (4U + PER_LIST * DIGEST_SIZE)
#define HEAD (4U + SELECTIONS * SELECTION_SIZE)

size_t sw_pcr_blob(const uint8_t value[SW_PCRS][32], uint32_t pcrs,
		   uint8_t ret_blob[static SW_PCR_BLOB_MAX])
{
	uint8_t *lists = ret_blob + HEAD + 4;
	uint32_t n = 0;

	memset(ret_blob, 0, SW_PCR_BLOB_MAX);
	sw_put_le32(ret_blob, 1);
	sw_put_le16(ret_blob + 4, SHA256_ALG);
	ret_blob[6] = 3;
	ret_blob[7] = pcrs & 0xff;
	ret_blob[8] = pcrs >> 8 & 0xff;
	ret_blob[9] = pcrs >> 16 & 0xff;
	for (unsigned int p = 0; p < SW_PCRS; p++) {
		uint8_t *list = lists + n / PER_LIST * LIST_SIZE;
		uint8_t *digest = list + 4 + n % PER_LIST * DIGEST_SIZE;

		if (!(pcrs & 1U << p))
			continue;
		sw_put_le32(list, n % PER_LIST + 1);
		sw_put_le16(digest, 32);
		memcpy(digest + 2, value[p], 32);
		n++;
	}
	sw_put_le32(ret_blob + HEAD, (n + PER_LIST - 1) / PER_LIST);
	return HEAD + 4 + (n + PER_LIST - 1) / PER_LIST * LIST_SIZE;
}
