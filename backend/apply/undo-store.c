/* SPDX-License-Identifier: Apache-2.0 */
#include "apply/undo-store.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "answers/sources.h"
#include "apply/undo-copy.h"
#include "base/file.h"
#include "base/proc.h"
#include "net/http.h"
#include "payload/payload.h"

#define STICK "stick"
#define STICK_PATTERN "slipway-undo-*.bin"
#define MTOOLS_S 120
#define COPY_MAX (SW_PLAN_MAX_DISKS * SW_JOURNAL_LEN)

int sw_undo_copy_check(const char *where, struct sw_error *err)
{
	if (strcmp(where, STICK) == 0 || where[0] == '/')
		return 0;
	if (sw_source_is_remote(where))
		return sw_source_check(where, err);
	sw_fail(err, SW_EXIT_INVALID, -EINVAL, "\"%s\" is no place for an undo copy", where);
	sw_error_hint(err, "stick, a path that begins with /, or an http:// or https:// URL");
	return -EINVAL;
}

/* ---- the stick, through mtools: no mount, no kernel driver ---- */

static const char *const mtools_env[] = { "MTOOLS_SKIP_CHECK=1", NULL };

static int find_stick(struct sw_machine *m, char **ret_image, struct sw_error *err)
{
	_cleanup_facts_ struct sw_facts *f = NULL;
	struct sw_answers_source s = {};
	int r = sw_machine_facts(m, &f, err);

	if (r == 0)
		r = sw_source_from_stick(f, &s, err);
	if (r == 0 && s.kind != SW_SOURCE_STICK) {
		r = sw_fail(err, SW_EXIT_MISSING, -ENODEV, "there is no stick for the undo copy");
		sw_error_why(err, "no removable disk has a FAT partition labelled SLIPWAY");
	}
	if (r == 0) {
		*ret_image = sw_fmt("%s@@%llu", s.location, (unsigned long long)s.offset);
		r = *ret_image ? 0 : sw_fail_oom(err);
	}
	sw_answers_source_clear(&s);
	return r;
}

static int flush_device(const char *image)
{
	_cleanup_free_ char *path = strndup(image, strcspn(image, "@"));
	_cleanup_close_ int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;

	return fd < 0 || fsync(fd) < 0 ? -errno : 0;
}

static int store_on_stick(struct sw_machine *m, const char *file, const char *name,
			  struct sw_error *err)
{
	_cleanup_free_ char *image = NULL, *to = sw_fmt("::/%s", name);
	const char *put[] = { "mcopy", "-o", "-i", NULL, file, to, NULL };
	int r = to ? find_stick(m, &image, err) : sw_fail_oom(err);

	if (r < 0)
		return r;
	put[3] = image;
	r = sw_proc_check(put, mtools_env, MTOOLS_S, err);
	if (r == 0 && (r = flush_device(image)) < 0)
		sw_fail_errno(err, SW_EXIT_FAILED, r, "the stick cannot be written");
	sw_error_where(err, "the stick");
	return r;
}

/* One file into a directory of its own, whatever its name is. */
static int fetch_from_stick(struct sw_machine *m, const char *out, struct sw_error *err)
{
	_cleanup_free_ char *image = NULL, *dir = sw_fmt("%s.d", out), *found = NULL;
	const char *get[] = { "mcopy", "-n", "-i", NULL, "::/" STICK_PATTERN, dir, NULL };
	_cleanup_closedir_ DIR *d = NULL;
	unsigned int n = 0;
	int r = dir ? find_stick(m, &image, err) : sw_fail_oom(err);

	if (r < 0)
		return r;
	if (mkdir(dir, 0700) < 0)
		return sw_fail_errno(err, SW_EXIT_FAILED, -errno, "no scratch directory");
	get[3] = image;
	r = sw_proc_check(get, mtools_env, MTOOLS_S, err);
	if (r < 0)
		return r;
	d = opendir(dir);
	for (struct dirent *e; d && (e = readdir(d));)
		if (e->d_name[0] != '.' && ++n == 1)
			found = sw_fmt("%s/%s", dir, e->d_name);
	if (n != 1) {
		sw_fail(err, SW_EXIT_REFUSED, -ENOTUNIQ, "%u undo copies are on the stick", n);
		sw_error_hint(err, "mount it, and name the file with --from PATH");
		return -ENOTUNIQ;
	}
	return found && rename(found, out) == 0 ? 0 : sw_fail_oom(err);
}

/* ---- a path ---- */

static int store_at_path(const char *where, const char *file, const char *name,
			 struct sw_error *err)
{
	_cleanup_buf_ struct sw_buf b = { .max = COPY_MAX };
	_cleanup_free_ char *path = NULL;
	struct stat st;
	bool dir = stat(where, &st) == 0 && S_ISDIR(st.st_mode);
	int r = sw_file_read(file, &b);

	path = dir ? sw_fmt("%s/%s", where, name) : strdup(where);
	if (!path)
		return sw_fail_oom(err);
	if (r == 0)
		r = sw_file_write(path, b.data, b.len, 0600);
	if (r < 0) {
		sw_fail_errno(err, SW_EXIT_FAILED, r, "the undo copy cannot be written");
		sw_error_where(err, "%s", path);
	}
	return r;
}

/* ---- a server ---- */

static int store_at_url(const char *where, const char *file, const char *name,
			const struct sw_sink *sink, struct sw_error *err)
{
	size_t n = strlen(where);
	_cleanup_free_ char *url = sw_fmt("%s%s", where, where[n - 1] == '/' ? name : "");
	_cleanup_buf_ struct sw_buf b = { .max = COPY_MAX };
	int r = url ? sw_file_read(file, &b) : -ENOMEM;

	if (r < 0)
		return sw_fail_errno(err, SW_EXIT_FAILED, r, "the undo copy cannot be read");
	return sw_http_put(url, b.data, b.len, sink, err);
}

int sw_undo_store(struct sw_machine *m, const char *where, const char *file, const char *name,
		  const struct sw_sink *sink, struct sw_error *err)
{
	_cleanup_free_ char *shown = sw_source_show(where);
	int r = sw_undo_copy_check(where, err);

	if (r < 0)
		return r;
	if (strcmp(where, STICK) == 0)
		r = store_on_stick(m, file, name, err);
	else if (sw_source_is_remote(where))
		r = store_at_url(where, file, name, sink, err);
	else
		r = store_at_path(where, file, name, err);
	if (r == 0)
		sw_event_log(sink, "undo data is on %s", shown ? shown : "");
	return r;
}

int sw_undo_fetch(struct sw_machine *m, const char *from, const char *out, char **ret_name,
		  struct sw_error *err)
{
	/* The copy checks itself, and is only believed as far as the disks agree with it. */
	struct sw_fetch f = { .source = from, .vouched = true, .out = out, .max = COPY_MAX,
			      .retries = 2 };
	char digest[65];

	*ret_name = sw_source_show(from);
	if (!*ret_name)
		return sw_fail_oom(err);
	if (strcmp(from, STICK) == 0)
		return fetch_from_stick(m, out, err);
	return sw_fetch_run(m, &f, NULL, digest, err);
}
