/* SPDX-License-Identifier: Apache-2.0 */
/* What a TPM's maker stored as certificates: every piece lies within it, and reading ends. */
#include <stdlib.h>

#include "tpm/nv.h"
#include "tpm/public-key.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t at = 0;

	if (sw_crypto_open(NULL) < 0)
		return 0;
	while (at < size) {
		size_t before = at, len = 0;
		const uint8_t *der = sw_der_next(data, size, &at, &len);

		if (!der)
			break;
		if (at <= before || at > size || der < data || der + len != data + at)
			abort();
		free(sw_tpm_cert_pem(der, len));
	}
	return 0;
}
