/* SPDX-License-Identifier: Apache-2.0 */
/* The certificate of an answer file: whatever is taken for one can be encrypted to. */
#include <string.h>

#include "base/text.h"
#include "disk/recovery.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_free_ char *text = strndup((const char *)data, size), *subject = NULL;
	struct sw_error err = {};

	if (!text)
		return 0;
	if (sw_escrow_check(text, &subject, &err) < 0) {
		if (!err.why[0] || subject)
			abort();
		return 0;
	}
	if (!sw_text_is_clean(subject))
		abort();
	return 0;
}
