/* SPDX-License-Identifier: Apache-2.0 */
/* What a server says of itself when it is asked: a nonce, or an error with a next step. */
#include <string.h>

#include "admission/strict.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	struct sw_offer offer;
	struct sw_error err = {};

	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	if (sw_offer_parse(text, size, &offer, &err) < 0) {
		if (err.exit != SW_EXIT_ADMISSION || !err.why[0] || !err.hint[0])
			abort();
	} else if (!memmem(data, size, "strict", 6)) {
		/* An escape is another way to write it. */
		if (!memchr(data, '\\', size))
			abort();
	}
	free(text);
	return 0;
}
