/* SPDX-License-Identifier: Apache-2.0 */
/* A line of files/list of a configuration: what is taken is written again and read as the same. */
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "config/private.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sw_config_listed l = {}, again = {};
	_cleanup_free_ char *text = NULL;
	int r = sw_config_read_listed((const char *)data, size, &l);

	if (r != 1) {
		if (r > 0)
			abort();
		return 0;
	}
	if (!*l.mode || !*l.path || !*l.name)
		abort();
	text = sw_fmt("%s %s %s", l.mode, l.path, l.name);
	if (!text || sw_config_read_listed(text, strlen(text), &again) != 1 ||
	    strcmp(l.mode, again.mode) != 0 || strcmp(l.path, again.path) != 0 ||
	    strcmp(l.name, again.name) != 0)
		abort();
	return 0;
}
