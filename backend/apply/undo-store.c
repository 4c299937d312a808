/* SPDX-License-Identifier: Apache-2.0 */
#include "apply/undo-store.h"

#include <string.h>
#include <sys/stat.h>

#include "apply/store.h"
#include "apply/undo-copy.h"
#include "base/file.h"
#include "payload/payload.h"

#define STICK_PATTERN "slipway-undo-*.bin"
#define COPY_MAX (SW_PLAN_MAX_DISKS * SW_JOURNAL_LEN)
#define WHAT "undo copy"

int sw_undo_copy_check(const char *where, struct sw_error *err)
{
	const struct sw_store s = { .what = WHAT, .where = where };

	return sw_store_check(&s, err);
}

int sw_undo_store(struct sw_machine *m, const char *where, const char *file, const char *name,
		  const struct sw_sink *sink, struct sw_error *err)
{
	const struct sw_store s = { .what = WHAT, .where = where, .name = name, .max = COPY_MAX };
	_cleanup_free_ char *shown = sw_source_show(where);
	int r = sw_store_put(m, &s, file, sink, err);

	if (r == 0)
		sw_event_log(sink, "undo data is on %s", shown ? shown : "");
	return r;
}

/* One file into a directory of its own, whatever its name is. */
static int fetch_from_stick(struct sw_machine *m, const char *out, struct sw_error *err)
{
	_cleanup_free_ char *image = NULL, *dir = sw_fmt("%s.d", out), *found = NULL;
	const char *get[] = { "mcopy", "-n", "-i", NULL, "::/" STICK_PATTERN, dir, NULL };
	_cleanup_closedir_ DIR *d = NULL;
	unsigned int n = 0;
	int r = dir ? sw_store_find_stick(m, WHAT, &image, err) : sw_fail_oom(err);

	if (r < 0)
		return r;
	if (mkdir(dir, 0700) < 0)
		return sw_fail_errno(err, SW_EXIT_FAILED, -errno, "no scratch directory");
	get[3] = image;
	r = sw_store_mcopy(get, err);
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
	if (strcmp(from, SW_STORE_STICK) == 0)
		return fetch_from_stick(m, out, err);
	return sw_fetch_run(m, &f, NULL, digest, err);
}
