/* SPDX-License-Identifier: Apache-2.0 */
/* What smartctl, or whoever stands in its place, says of a disk. */
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "disk/health.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_free_ char *text = NULL;
	enum sw_health health;

	if (sw_health_parse((const char *)data, size, &health, &text) < 0)
		return 0;
	/* Words exactly when there is something to say, on one short clean line. */
	if ((health > SW_HEALTH_GOOD) != (text != NULL) || health > SW_HEALTH_FAILING)
		abort();
	if (text && (!sw_text_is_clean(text) || strlen(text) > 300))
		abort();
	return 0;
}
