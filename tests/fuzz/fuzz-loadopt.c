/* SPDX-License-Identifier: Apache-2.0 */
/* A Boot#### variable as firmware may hold it: parsed, shown, searched and built again. */
#include <string.h>

#include "boot/loadopt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_loadopt_ struct sw_loadopt o = {};
	_cleanup_free_ char *text = NULL, *path = NULL;
	_cleanup_buf_ struct sw_buf b = {};
	struct sw_devpath_hd hd;

	if (sw_loadopt_parse(data, size, &o) < 0)
		return 0;
	if (sw_devpath_text(o.path, o.path_len, &text) < 0 || !text)
		abort();
	(void)sw_devpath_find_file(o.path, o.path_len, &hd, &path);
	if (sw_loadopt_build(o.attrs, o.label, o.path, o.path_len, o.optional, o.optional_len,
			     &b) < 0)
		abort();
	/* The label may have been cleaned; what follows it must be the same bytes. */
	if (b.len < o.path_len + o.optional_len ||
	    memcmp(b.data + b.len - o.path_len - o.optional_len, o.path,
		   o.path_len + o.optional_len) != 0)
		abort();
	return 0;
}
