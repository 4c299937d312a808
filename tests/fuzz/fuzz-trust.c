/* SPDX-License-Identifier: Apache-2.0 */
/* Files of keys and of signatures: what is taken from them is clean and bounded. */
#include <string.h>

#include "base/strv.h"
#include "payload/trust.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_strv_ char **keys = NULL, **signatures = NULL;

	if (sw_trust_parse_keys((const char *)data, size, "keys", &keys, NULL) == 0)
		for (size_t i = 0; keys[i]; i++)
			if (sw_trust_check_key(keys[i], NULL) < 0 || i >= SW_TRUST_KEYS_MAX)
				abort();
	if (sw_trust_split((const char *)data, size, &signatures) == 0)
		for (size_t i = 0; signatures[i]; i++)
			if (strncmp(signatures[i], "-----BEGIN", 10) != 0 ||
			    i >= SW_TRUST_SIGNATURES_MAX)
				abort();
	return 0;
}
