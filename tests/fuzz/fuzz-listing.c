/* SPDX-License-Identifier: Apache-2.0 */
/* What mdir and debugfs print of a directory on somebody's disk: names are whole, and bounded. */
#include <string.h>

#include "browse/browse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int (*parse)(const char *text, struct sw_listing *l), const char *text)
{
	_cleanup_listing_ struct sw_listing l = {};

	if (parse(text, &l) < 0)
		return;
	for (size_t i = 0; i < l.n; i++)
		if (!l.v[i].name[0] || strchr(l.v[i].name, '\n') ||
		    (i && l.v[i].kind == SW_ENTRY_DIR && l.v[i - 1].kind != SW_ENTRY_DIR))
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_free_ char *copy = malloc(size + 1);

	if (!copy)
		return 0;
	memcpy(copy, data, size);
	copy[size] = '\0';
	check(sw_mdir_parse, copy);
	check(sw_debugfs_parse, copy);
	return 0;
}
