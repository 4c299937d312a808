/* SPDX-License-Identifier: Apache-2.0 */
#include "base/archive.h"

#include <archive_entry.h>
#include <string.h>
#include <sys/stat.h>

static la_ssize_t on_write(struct archive *w, void *arg, const void *data, size_t len)
{
	int r = sw_buf_add(arg, data, len);

	if (r == 0)
		return (la_ssize_t)len;
	archive_set_error(w, -r, "%s", strerror(-r));
	return -1;
}

int sw_archive_into(struct archive *w, struct sw_buf *b)
{
	return archive_write_open(w, b, NULL, on_write, NULL);
}

bool sw_archive_add(struct archive *w, const struct sw_archive_file *f)
{
	struct archive_entry *e = archive_entry_new();
	bool good;

	if (!e)
		return false;
	archive_entry_set_pathname(e, f->path);
	archive_entry_set_filetype(e, AE_IFREG);
	archive_entry_set_perm(e, f->mode);
	archive_entry_set_size(e, (la_int64_t)f->len);
	archive_entry_set_mtime(e, f->mtime, 0);
	good = archive_write_header(w, e) == ARCHIVE_OK &&
	       archive_write_data(w, f->data ? f->data : "", f->len) == (la_ssize_t)f->len;
	archive_entry_free(e);
	return good;
}

const char *sw_archive_why(struct archive *a)
{
	const char *why = archive_error_string(a);

	return why ? why : "no memory";
}
