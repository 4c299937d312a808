/* SPDX-License-Identifier: Apache-2.0 */
/* The note of a failure out of a firmware's variable: what is taken is clean text that is shown. */
#include <string.h>

#include "base/text.h"
#include "boot/lastfail.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_free_ char *copy = malloc(size + 1), *text = NULL;
	struct sw_lastfail f;

	if (!copy)
		return 0;
	memcpy(copy, data, size);
	copy[size] = '\0';
	if (sw_lastfail_parse(copy, size, &f) < 0)
		return 0;
	text = sw_lastfail_text(&f);
	if (!text || !sw_text_is_clean(f.code) || !sw_text_is_clean(f.host) ||
	    !sw_text_is_clean(f.text))
		abort();
	return 0;
}
