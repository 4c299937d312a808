/* SPDX-License-Identifier: Apache-2.0 */
/* A report as a block for a terminal's log; gzip and base64 by libarchive in both directions. */
#include <string.h>

#include "base/archive.h"
#include "base/json.h"
#include "base/text.h"
#include "bundle/private.h"

#define BEGIN "begin-base64 "
#define END "===="
#define TEXT_MAX ((size_t)1 << 20)	/* bytes of a block's text */

static int fail(struct archive *a, const char *what, struct sw_error *err)
{
	sw_fail(err, SW_EXIT_INVALID, -EBADMSG, "%s", what);
	sw_error_why(err, "%s", sw_archive_why(a));
	return -EBADMSG;
}

static bool as_block(struct archive *a)
{
	return archive_write_add_filter_b64encode(a) == ARCHIVE_OK &&
	       archive_write_set_filter_option(a, "b64encode", "name", "slipway-report.gz") ==
		       ARCHIVE_OK;
}

/* Without a time in gzip's header the same report gives the same bytes, and the same code. */
static bool write_text(struct archive *a, const char *text, bool block, struct sw_buf *out)
{
	const struct sw_archive_file f = { .path = "report", .data = text, .len = strlen(text) };

	return archive_write_add_filter_gzip(a) == ARCHIVE_OK &&
	       archive_write_set_filter_option(a, "gzip", "timestamp", NULL) == ARCHIVE_OK &&
	       archive_write_set_filter_option(a, "gzip", "compression-level", "9") ==
		       ARCHIVE_OK &&
	       (!block || as_block(a)) && archive_write_set_format_raw(a) == ARCHIVE_OK &&
	       archive_write_set_bytes_in_last_block(a, 1) == ARCHIVE_OK &&
	       sw_archive_into(a, out) == ARCHIVE_OK && sw_archive_add(a, &f) &&
	       archive_write_close(a) == ARCHIVE_OK;
}

int sw_report_pack(json_object *report, bool block, struct sw_buf *out, struct sw_error *err)
{
	const char *text = json_object_to_json_string_ext(report, JSON_C_TO_STRING_NOSLASHESCAPE);
	struct archive *a = archive_write_new();
	int r;

	if (!a || !text)
		r = sw_fail_oom(err);
	else
		r = write_text(a, text, block, out) ? 0 : fail(a, "the report cannot be made", err);
	archive_write_free(a);
	return r;
}

int sw_bundle_block(json_object *report, struct sw_buf *out, struct sw_error *err)
{
	return sw_report_pack(report, true, out, err);
}

/* ---- reading one ---- */

/* A line of base64, or the last line of a block: what else a console prints between is left out. */
static bool belongs(const char *line, size_t len)
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=";

	for (size_t i = 0; i < len; i++)
		if (!memchr(letters, line[i], sizeof(letters) - 1))
			return false;
	return len > 0 && len <= 80 && len % 4 == 0;
}

/* The last block of the log, with plain line ends; -ENOENT without a whole one. */
static int cut_out(const char *log, size_t len, struct sw_buf *out)
{
	bool inside = false, whole = false;

	for (size_t at = 0, n; at < len; at += n + 1) {
		const char *line = log + at, *end = memchr(line, '\n', len - at);
		size_t text;
		int r = 0;

		n = end ? (size_t)(end - line) : len - at;
		for (text = n; text > 0 && (line[text - 1] == '\r' || line[text - 1] == ' ');)
			text--;
		if (text > strlen(BEGIN) && memcmp(line, BEGIN, strlen(BEGIN)) == 0) {
			sw_buf_clear(out);
			inside = true;
			whole = false;
			r = sw_buf_adds(out, BEGIN "600 report\n");
		} else if (inside && belongs(line, text)) {
			r = sw_buf_add(out, line, text);
			r = r < 0 ? r : sw_buf_adds(out, "\n");
			whole = text == strlen(END) && memcmp(line, END, text) == 0;
			inside = !whole;
		}
		if (r < 0)
			return r;
	}
	return whole ? 0 : -ENOENT;
}

static int unpack(struct archive *a, const struct sw_buf *packed, struct sw_buf *out,
		  struct sw_error *err)
{
	struct archive_entry *e;
	char piece[4096];
	la_ssize_t n;

	if (archive_read_support_filter_gzip(a) != ARCHIVE_OK ||
	    archive_read_support_filter_uu(a) != ARCHIVE_OK ||
	    archive_read_support_format_raw(a) != ARCHIVE_OK ||
	    archive_read_open_memory(a, packed->data, packed->len) != ARCHIVE_OK ||
	    archive_read_next_header(a, &e) != ARCHIVE_OK)
		return fail(a, "the report in this log is damaged", err);
	while ((n = archive_read_data(a, piece, sizeof(piece))) > 0)
		if (out->len + (size_t)n > TEXT_MAX || sw_buf_add(out, piece, (size_t)n) < 0)
			return sw_fail(err, SW_EXIT_INVALID, -E2BIG,
				       "the report in this log is too long");
	return n == 0 ? 0 : fail(a, "the report in this log is damaged", err);
}

int sw_report_unpack(const struct sw_buf *packed, struct sw_buf *out, struct sw_error *err)
{
	struct archive *a = archive_read_new();
	int r = a ? unpack(a, packed, out, err) : sw_fail_oom(err);

	archive_read_free(a);
	return r;
}

int sw_report_from_block(const char *log, size_t len, struct sw_buf *out, struct sw_error *err)
{
	_cleanup_buf_ struct sw_buf block = {};
	int r = cut_out(log, len, &block);

	if (r == -ENOENT)
		return r;
	return r < 0 ? sw_fail_oom(err) : sw_report_unpack(&block, out, err);
}

int sw_bundle_read(const char *log, size_t len, struct sw_buf *out, struct sw_error *err)
{
	int r = sw_report_from_block(log, len, out, err);

	if (r == -ENOENT)
		r = sw_report_from_parts(log, len, out, err);
	if (r != -ENOENT)
		return r;
	sw_fail(err, SW_EXIT_INVALID, r, "there is no whole report in this log");
	sw_error_hint(err, "it lies between \"" BEGIN "…\" and \"" END "\", or is the text of "
			   "QR codes that begin with SLIPWAY");
	return r;
}
