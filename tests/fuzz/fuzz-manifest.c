/* SPDX-License-Identifier: Apache-2.0 */
/* A manifest from a disk: what is accepted must survive being written and read again. */
#include <string.h>

#include "boot/slot.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int differ(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "") != 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(sw_slot_manifest_clear) struct sw_slot_manifest a = {}, b = {};
	_cleanup_free_ char *text = NULL, *again = NULL;

	if (sw_slot_manifest_parse((const char *)data, size, &a) < 0)
		return 0;
	text = sw_slot_manifest_text(&a);
	if (!text || sw_slot_manifest_parse(text, strlen(text), &b) < 0)
		abort();
	again = sw_slot_manifest_text(&b);
	if (!again || differ(text, again) || a.sequence != b.sequence || a.time != b.time ||
	    differ(a.sha256, b.sha256))
		abort();
	return 0;
}
