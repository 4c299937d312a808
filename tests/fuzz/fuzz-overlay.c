/* SPDX-License-Identifier: Apache-2.0 */
/* An overlay from a server: what is accepted has only tame names. */
#include <string.h>
#include <sys/stat.h>

#include "admission/overlay.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_overlay_ struct sw_overlay *o = NULL;

	if (sw_overlay_list(data, size, &o, NULL) < 0)
		return 0;
	for (size_t i = 0; i < o->n; i++) {
		const struct sw_overlay_item *e = &o->items[i];

		if (e->path[0] == '/' || strcmp(e->path, "..") == 0 ||
		    strncmp(e->path, "../", 3) == 0 || strstr(e->path, "/../") ||
		    (e->link && e->link[0] == '/'))
			abort();
		if (!S_ISREG(e->mode) && !S_ISDIR(e->mode) && !S_ISLNK(e->mode))
			abort();
	}
	return 0;
}
