/* SPDX-License-Identifier: Apache-2.0 */
#include "admission/tar.h"

#include <string.h>

void sw_buf_wipe(struct sw_buf *b)
{
	if (b->data)
		explicit_bzero(b->data, b->cap);
	sw_buf_clear(b);
}

static int failed(struct archive *w, struct sw_error *err)
{
	sw_fail(err, SW_EXIT_FAILED, -ENOMEM, "the overlay cannot be made");
	sw_error_why(err, "%s", sw_archive_why(w));
	return -ENOMEM;
}

static struct archive *open_writer(struct sw_buf *out)
{
	struct archive *w = archive_write_new();

	if (w && archive_write_set_format_pax_restricted(w) == ARCHIVE_OK &&
	    archive_write_set_bytes_per_block(w, 512) == ARCHIVE_OK &&
	    sw_archive_into(w, out) == ARCHIVE_OK)
		return w;
	if (w)
		archive_write_free(w);
	return NULL;
}

int sw_tar_make(const struct sw_archive_file *files, size_t n, struct sw_buf *ret_tar,
		struct sw_error *err)
{
	size_t room = 1024;
	struct archive *w;
	int r = 0;

	for (size_t i = 0; i < n; i++)
		room += files[i].len + 4096;
	/* All room at once: growing would leave copies behind. */
	w = sw_buf_reserve(ret_tar, room) == 0 ? open_writer(ret_tar) : NULL;
	if (!w)
		return sw_fail_oom(err);
	for (size_t i = 0; i < n && r == 0; i++)
		r = sw_archive_add(w, &files[i]) ? 0 : -ENOMEM;
	if (r < 0 || archive_write_close(w) != ARCHIVE_OK)
		r = failed(w, err);
	archive_write_free(w);
	return r;
}

static int copy_entry(struct archive *in, struct archive *w, struct archive_entry *e)
{
	const void *block;
	size_t size;
	la_int64_t at, done = 0;
	int r;

	if (archive_write_header(w, e) != ARCHIVE_OK)
		return -EBADMSG;
	while ((r = archive_read_data_block(in, &block, &size, &at)) == ARCHIVE_OK) {
		/* A hole: what is not written here is filled up with zeros at the end only. */
		static const char zeros[512];

		while (done < at) {
			size_t n = at - done < 512 ? (size_t)(at - done) : 512;

			if (archive_write_data(w, zeros, n) != (la_ssize_t)n)
				return -EBADMSG;
			done += (la_int64_t)n;
		}
		if (archive_write_data(w, block, size) != (la_ssize_t)size)
			return -EBADMSG;
		done += (la_int64_t)size;
	}
	return r == ARCHIVE_EOF ? 0 : -EBADMSG;
}

static int copy_all(const struct sw_buf *from, struct archive *w)
{
	struct archive *in = archive_read_new();
	struct archive_entry *e;
	int r = 0, n;

	if (!in)
		return -ENOMEM;
	archive_read_support_filter_all(in);
	archive_read_support_format_tar(in);
	if (archive_read_open_memory(in, from->data, from->len) != ARCHIVE_OK)
		r = -EBADMSG;
	while (r == 0 && (n = archive_read_next_header(in, &e)) != ARCHIVE_EOF)
		r = n == ARCHIVE_OK ? copy_entry(in, w, e) : -EBADMSG;
	archive_read_free(in);
	return r;
}

int sw_tar_join(const struct sw_buf *one, const struct sw_buf *two, struct sw_buf *ret_tar,
		struct sw_error *err)
{
	struct archive *w = sw_buf_reserve(ret_tar, one->len + two->len + 4096) == 0
				    ? open_writer(ret_tar) : NULL;
	int r;

	if (!w)
		return sw_fail_oom(err);
	r = copy_all(one, w);
	if (r == 0)
		r = copy_all(two, w);
	if (r == 0 && archive_write_close(w) != ARCHIVE_OK)
		r = -EBADMSG;
	if (r < 0) {
		sw_fail(err, SW_EXIT_VERIFY, r, "the overlays cannot be put together");
		sw_error_why(err, "%s", archive_error_string(w) ? archive_error_string(w)
								: "one of them cannot be read");
	}
	archive_write_free(w);
	return r;
}
