/* SPDX-License-Identifier: Apache-2.0 */
#include "apply/store.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "answers/sources.h"
#include "base/file.h"
#include "base/proc.h"
#include "net/http.h"
#include "payload/payload.h"

#define MTOOLS_S 120

int sw_store_check(const struct sw_store *s, struct sw_error *err)
{
	if (strcmp(s->where, SW_STORE_STICK) == 0 || s->where[0] == '/')
		return 0;
	if (sw_source_is_remote(s->where))
		return sw_source_check(s->where, err);
	sw_fail(err, SW_EXIT_INVALID, -EINVAL, "\"%s\" is no place for the %s", s->where, s->what);
	sw_error_hint(err, "stick, a path that begins with /, or an http:// or https:// URL");
	return -EINVAL;
}

/* ---- the stick, through mtools: no mount, no kernel driver ---- */

int sw_store_mcopy(const char *const *argv, struct sw_error *err)
{
	static const char *const env[] = { "MTOOLS_SKIP_CHECK=1", NULL };

	return sw_proc_check(argv, env, MTOOLS_S, err);
}

int sw_store_find_stick(struct sw_machine *m, const char *what, char **ret_image,
			struct sw_error *err)
{
	_cleanup_facts_ struct sw_facts *f = NULL;
	struct sw_answers_source s = {};
	int r = sw_machine_facts(m, &f, err);

	if (r == 0)
		r = sw_source_from_stick(f, &s, err);
	if (r == 0 && s.kind != SW_SOURCE_STICK) {
		r = sw_fail(err, SW_EXIT_MISSING, -ENODEV, "there is no stick for the %s", what);
		sw_error_why(err, "no removable disk has a FAT partition labelled SLIPWAY");
	}
	if (r == 0) {
		*ret_image = sw_fmt("%s@@%llu", s.location, (unsigned long long)s.offset);
		r = *ret_image ? 0 : sw_fail_oom(err);
	}
	sw_answers_source_clear(&s);
	return r;
}

int sw_store_flush(const char *image, struct sw_error *err)
{
	_cleanup_free_ char *path = strndup(image, strcspn(image, "@"));
	_cleanup_close_ int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;

	if (fd >= 0 && fsync(fd) == 0)
		return 0;
	return sw_fail_errno(err, SW_EXIT_FAILED, -errno, "the stick cannot be written");
}

static int store_on_stick(struct sw_machine *m, const struct sw_store *s, const char *file,
			  struct sw_error *err)
{
	_cleanup_free_ char *image = NULL, *to = sw_fmt("::/%s", s->name);
	const char *put[] = { "mcopy", "-o", "-i", NULL, file, to, NULL };
	int r = to ? sw_store_find_stick(m, s->what, &image, err) : sw_fail_oom(err);

	if (r < 0)
		return r;
	put[3] = image;
	r = sw_store_mcopy(put, err);
	if (r == 0)
		r = sw_store_flush(image, err);
	sw_error_where(err, "the stick");
	return r;
}

/* ---- a path ---- */

static int store_at_path(const struct sw_store *s, const char *file, struct sw_error *err)
{
	_cleanup_buf_ struct sw_buf b = { .max = s->max };
	_cleanup_free_ char *path = NULL;
	struct stat st;
	bool dir = stat(s->where, &st) == 0 && S_ISDIR(st.st_mode);
	int r = sw_file_read(file, &b);

	path = dir ? sw_fmt("%s/%s", s->where, s->name) : strdup(s->where);
	if (!path)
		return sw_fail_oom(err);
	if (r == 0)
		r = sw_file_write(path, b.data, b.len, 0600);
	if (r < 0) {
		sw_fail_errno(err, SW_EXIT_FAILED, r, "the %s cannot be written", s->what);
		sw_error_where(err, "%s", path);
	}
	return r;
}

/* ---- a server ---- */

static int store_at_url(const struct sw_store *s, const char *file, const struct sw_sink *sink,
			struct sw_error *err)
{
	size_t n = strlen(s->where);
	_cleanup_free_ char *url = sw_fmt("%s%s", s->where, s->where[n - 1] == '/' ? s->name : "");
	_cleanup_buf_ struct sw_buf b = { .max = s->max };
	int r = url ? sw_file_read(file, &b) : -ENOMEM;

	if (r < 0)
		return sw_fail_errno(err, SW_EXIT_FAILED, r, "the %s cannot be read", s->what);
	return sw_http_put(url, b.data, b.len, sink, err);
}

int sw_store_put(struct sw_machine *m, const struct sw_store *s, const char *file,
		 const struct sw_sink *sink, struct sw_error *err)
{
	int r = sw_store_check(s, err);

	if (r < 0)
		return r;
	if (strcmp(s->where, SW_STORE_STICK) == 0)
		return store_on_stick(m, s, file, err);
	if (sw_source_is_remote(s->where))
		return store_at_url(s, file, sink, err);
	return store_at_path(s, file, err);
}

/* Through a file in a private directory: mcopy wants one. */
int sw_store_put_bytes(struct sw_machine *m, const struct sw_store *s, const void *data, size_t len,
		       const struct sw_sink *sink, struct sw_error *err)
{
	_cleanup_(sw_scratch_clear) char *dir = NULL;
	_cleanup_free_ char *file = NULL;
	int r = sw_scratch_new("store", &dir);

	file = r == 0 ? sw_fmt("%s/file", dir) : NULL;
	if (r == 0)
		r = file ? sw_file_write(file, len ? data : "", len, 0600) : -ENOMEM;
	return r < 0 ? sw_fail_errno(err, SW_EXIT_FAILED, r, "no scratch file")
		     : sw_store_put(m, s, file, sink, err);
}
