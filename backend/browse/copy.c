/* SPDX-License-Identifier: Apache-2.0 */
/* A file that was found, to a stick, a path or a server. */
#include <string.h>

#include "apply/store.h"
#include "base/file.h"
#include "base/text.h"
#include "browse/browse.h"

/* What a FAT stick takes, and no shell minds. */
static char *file_name(const char *path)
{
	const char *base = strrchr(path, '/');
	char *name = strdup(base ? base + 1 : path);

	for (char *p = name ? sw_text_clean(name) : NULL; p && *p; p++)
		if (strchr("\\/:*?\"<>|", *p))
			*p = '_';
	return name;
}

int sw_volume_copy(struct sw_machine *m, const struct sw_volume *v, const char *path,
		   const char *where, struct sw_error *err)
{
	_cleanup_free_ char *name = file_name(path);
	struct sw_store s = { .what = "file", .where = where, .name = name };
	_cleanup_buf_ struct sw_buf b = {};
	int r = name ? sw_store_check(&s, err) : sw_fail_oom(err);

	if (r == 0)
		r = sw_volume_read(v, path, SW_BUF_MAX, &b, err);
	return r < 0 ? r : sw_store_put_bytes(m, &s, b.data, b.len, NULL, err);
}
