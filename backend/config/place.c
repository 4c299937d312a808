/* SPDX-License-Identifier: Apache-2.0 */
/* Where a configuration comes from: a path, the medium, or the operator's stick. */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "browse/browse.h"
#include "config/private.h"

/* ---- the stick ---- */

static int read_one(const struct sw_volume *v, const struct sw_entry *e, const char *name,
		    struct sw_config_source *s)
{
	_cleanup_free_ char *path = sw_fmt("/" SW_CONFIG_DIR "/%s", name);
	_cleanup_secret_ struct sw_secret *data = NULL;
	_cleanup_buf_ struct sw_buf b = {};
	struct sw_error why = {};
	int r;

	if (!path)
		return -ENOMEM;
	if (e->size == 0)
		return sw_config_add(s, name, NULL, "it is empty");
	if (e->size > SW_CONFIG_FILE_MAX)
		return sw_config_add(s, name, NULL, "it is larger than 64 KiB");
	r = sw_volume_read(v, path, SW_CONFIG_FILE_MAX, &b, &why);
	if (r == 0 && b.len)
		r = sw_secret_new(b.len, &data, &why);
	if (r == 0 && data)
		memcpy(data->data, b.data, b.len);
	if (b.data)
		explicit_bzero(b.data, b.cap);
	return sw_config_add(s, name, TAKE_PTR(data), r < 0 ? why.what : "");
}

static int read_level(const struct sw_volume *v, const char *above, struct sw_config_source *s,
		      struct sw_error *err)
{
	_cleanup_free_ char *path = sw_fmt("/" SW_CONFIG_DIR "%s%s", *above ? "/" : "", above);
	_cleanup_listing_ struct sw_listing l = {};
	int r = path ? sw_volume_list(v, path, &l, err) : sw_fail_oom(err);

	for (size_t i = 0; i < l.n && r == 0; i++) {
		_cleanup_free_ char *name = sw_fmt("%s%s%s", above, *above ? "/" : "", l.v[i].name);

		if (!name)
			return sw_fail_oom(err);
		if (l.v[i].kind == SW_ENTRY_DIR && !*above)
			r = read_level(v, name, s, err);
		else if (l.v[i].kind == SW_ENTRY_FILE)
			r = read_one(v, &l.v[i], name, s) < 0 ? sw_fail_oom(err) : 0;
		else
			r = sw_config_add(s, name, NULL, "it is no plain file") < 0
				    ? sw_fail_oom(err) : 0;
	}
	return r;
}

static int read_stick(struct sw_machine *m, struct sw_config_source *s, struct sw_error *err)
{
	_cleanup_volume_ struct sw_volume v = {};
	int r = sw_volume_of_stick(m, "configuration", &v, err);

	return r < 0 ? r : read_level(&v, "", s, err);
}

/* ---- any place ---- */

static int no_config(const char *where, int r, struct sw_error *err)
{
	sw_fail(err, SW_EXIT_MISSING, r, "there is no configuration to import");
	sw_error_where(err, "%s", where);
	sw_error_why(err, "%s", strerror(-r));
	sw_error_hint(err, "name a directory, a tar, \"" SW_CONFIG_MEDIUM "\" or \"" SW_CONFIG_STICK
			   "\"; `slipway config save` makes one");
	return r;
}

static int read_path(const char *path, struct sw_config_source *s, struct sw_error *err)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat st;

	if (fd >= 0)
		return sw_config_read_dir(fd, s, err);
	if (stat(path, &st) < 0)
		return no_config(path, -errno, err);
	return S_ISREG(st.st_mode) ? sw_config_read_tar(path, s, err)
				   : no_config(path, -ENOTDIR, err);
}

static int read_medium(struct sw_machine *m, struct sw_config_source *s, struct sw_error *err)
{
	_cleanup_free_ char *path = NULL;
	int r = sw_machine_medium_file(m, SW_CONFIG_DIR, &path, err);

	return r < 0 ? r : read_path(path, s, err);
}

static int read_any(struct sw_machine *m, const char *where, struct sw_config_source *s,
		    struct sw_error *err)
{
	struct sw_error e = {};

	if (where && strcmp(where, SW_CONFIG_STICK) != 0 && strcmp(where, SW_CONFIG_MEDIUM) != 0) {
		s->from = strdup(where);
		return s->from ? read_path(where, s, err) : sw_fail_oom(err);
	}
	if (!where || strcmp(where, SW_CONFIG_MEDIUM) == 0) {
		s->from = strdup("the medium");
		if (read_medium(m, s, where ? err : &e) == 0)
			return s->from ? 0 : sw_fail_oom(err);
		if (where)
			return no_config(SW_CONFIG_MEDIUM ":/" SW_CONFIG_DIR, -ENOENT, err);
		sw_config_source_clear(s);
	}
	s->from = strdup("the stick");
	if (!s->from)
		return sw_fail_oom(err);
	e = (struct sw_error){};
	if (read_stick(m, s, &e) == 0)
		return 0;
	sw_config_source_clear(s);
	if (where && err)
		*err = e;
	return where ? e.r : no_config("medium:/" SW_CONFIG_DIR ", stick:/" SW_CONFIG_DIR, -ENOENT,
				       err);
}

int sw_config_read(struct sw_machine *m, const char *where, struct sw_config_source *ret_source,
		   struct sw_error *err)
{
	_cleanup_config_source_ struct sw_config_source s = {};
	int r = read_any(m, where, &s, err);

	if (r < 0)
		return r;
	*ret_source = s;
	s = (struct sw_config_source){};
	return 0;
}
