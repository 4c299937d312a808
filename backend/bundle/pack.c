/* SPDX-License-Identifier: Apache-2.0 */
/* A bundle as one file: tar and gzip by libarchive, encryption by age(1). */
#include <string.h>
#include <time.h>

#include "base/age.h"
#include "base/archive.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include "bundle/bundle.h"

/* ---- tar ---- */

static int archive_fail(struct archive *a, struct sw_error *err)
{
	sw_fail(err, SW_EXIT_FAILED, -EIO, "the bundle cannot be packed");
	sw_error_why(err, "%s", sw_archive_why(a));
	return -EIO;
}

static int add_file(struct archive *a, const char *name, const void *data, size_t len,
		    int64_t mtime, struct sw_error *err)
{
	const struct sw_archive_file f = { name, data, len, 0600, mtime };

	return sw_archive_add(a, &f) ? 0 : archive_fail(a, err);
}

static int add_manifest(struct archive *a, const struct sw_bundle *b, struct sw_error *err)
{
	_cleanup_json_ json_object *o = sw_bundle_manifest(b);
	const char *text = json_object_to_json_string_ext(o, JSON_C_TO_STRING_PRETTY |
								  JSON_C_TO_STRING_NOSLASHESCAPE);

	return text ? add_file(a, "slipway-bundle/manifest.json", text, strlen(text), b->time, err)
		    : sw_fail_oom(err);
}

static int add_all(struct archive *a, const struct sw_bundle *b, struct sw_error *err)
{
	int r = add_manifest(a, b, err);

	for (size_t i = 0; r == 0 && i < b->n; i++) {
		const struct sw_bundle_item *item = &b->v[i];
		_cleanup_free_ char *name = sw_fmt("slipway-bundle/%s", item->name);

		r = name ? add_file(a, name, item->data.data, item->data.len, b->time, err)
			 : sw_fail_oom(err);
	}
	return r;
}

static int open_tar(struct archive *a, struct sw_buf *out, struct sw_error *err)
{
	/* Without a name and a time in gzip's header the same bundle is the same file. */
	if (archive_write_add_filter_gzip(a) != ARCHIVE_OK ||
	    archive_write_set_filter_option(a, "gzip", "timestamp", NULL) != ARCHIVE_OK ||
	    archive_write_set_format_pax_restricted(a) != ARCHIVE_OK ||
	    sw_archive_into(a, out) != ARCHIVE_OK)
		return archive_fail(a, err);
	return 0;
}

static int make_tar(const struct sw_bundle *b, struct sw_buf *out, struct sw_error *err)
{
	struct archive *a = archive_write_new();
	int r;

	if (!a)
		return sw_fail_oom(err);
	r = open_tar(a, out, err);
	if (r == 0)
		r = add_all(a, b, err);
	if (r == 0 && archive_write_close(a) != ARCHIVE_OK)
		r = archive_fail(a, err);
	archive_write_free(a);
	return r;
}

int sw_bundle_pack(const struct sw_bundle *b, char *const *recipients, struct sw_buf *out,
		   struct sw_error *err)
{
	_cleanup_buf_ struct sw_buf plain = {};
	int r;

	if (!recipients || !recipients[0])
		return make_tar(b, out, err);
	r = make_tar(b, &plain, err);
	return r < 0 ? r : sw_age_encrypt(plain.data, plain.len, recipients, NULL, "the bundle",
					  out, err);
}

/* ---- its name ---- */

void sw_bundle_code(const struct sw_buf *packed, char ret_code[static SW_BUNDLE_CODE])
{
	static const char letters[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
	uint8_t md[SW_SHA256_LEN];
	uint32_t bits;

	sw_sha256_raw(packed->data, packed->len, md);
	bits = (uint32_t)md[0] << 24 | (uint32_t)md[1] << 16 | (uint32_t)md[2] << 8 | md[3];
	for (unsigned int i = 0, to = 0; i < 6; i++, to++) {
		if (i == 3)
			ret_code[to++] = '-';
		ret_code[to] = letters[bits >> (27 - 5 * i) & 31];
	}
	ret_code[SW_BUNDLE_CODE - 1] = '\0';
}

char *sw_bundle_name(const struct sw_bundle *b, const char *code, bool encrypted)
{
	char when[20] = "";
	struct tm tm;
	time_t t = (time_t)b->time;

	if (gmtime_r(&t, &tm))
		(void)strftime(when, sizeof(when), "%Y%m%dT%H%M%SZ", &tm);
	return sw_fmt("slipway-%s-%s-%.3s%s.tar.gz%s", b->host, when, code, code + 4,
		      encrypted ? ".age" : "");
}
