/* SPDX-License-Identifier: Apache-2.0 */
/* Unified kernel images on the medium and on the operator's stick: what can fill a slot. */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "apply/store.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "browse/browse.h"
#include "payload/payload.h"

#define STICK "stick:"	/* its files are paths behind it */
#define DEPTH 3u	/* folders below the top that are looked into */

static bool named_so(const char *name)
{
	size_t n = strlen(name);

	return n > 4 && strcasecmp(name + n - 4, ".efi") == 0;
}

/* A name that no source can have is not offered: it could not be typed either. */
static void add(json_object *list, const char *source, uint64_t size)
{
	const char *checked = strncmp(source, STICK, strlen(STICK)) == 0 ? source + strlen(STICK)
									 : source;
	json_object *o;

	if (size == 0 || sw_source_check(checked, NULL) < 0 ||
	    json_object_array_length(list) >= SW_IMAGES_MAX)
		return;
	o = json_object_new_object();
	sw_json_add_str(o, "source", source);
	sw_json_add_u64(o, "size", size);
	json_object_array_add(list, o);
}

/* ---- the medium ---- */

static int walk(int above, const char *name, const char *source, unsigned int depth,
		json_object *list)
{
	int fd = openat(above, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	_cleanup_closedir_ DIR *d = fd < 0 ? NULL : fdopendir(fd);
	int r = 0;

	for (struct dirent *e; r == 0 && d && (e = readdir(d));) {
		_cleanup_free_ char *inner = sw_fmt("%s/%s", source, e->d_name);
		struct stat st;

		if (!inner)
			return -ENOMEM;
		if (e->d_name[0] == '.' ||
		    fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		if (S_ISDIR(st.st_mode) && depth > 0)
			r = walk(dirfd(d), e->d_name, inner, depth - 1, list);
		else if (S_ISREG(st.st_mode) && named_so(e->d_name))
			add(list, inner, (uint64_t)st.st_size);
	}
	return r;
}

/* ---- the stick ---- */

int sw_volume_of_stick(struct sw_machine *m, const char *what, struct sw_volume *ret_volume,
		       struct sw_error *err)
{
	_cleanup_free_ char *image = NULL;
	const char *at;
	int r = sw_store_find_stick(m, what, &image, err);

	if (r < 0)
		return r;
	at = strstr(image, "@@");
	*ret_volume = (struct sw_volume){
		.kind = SW_VOLUME_FAT,
		.offset = at ? strtoull(at + 2, NULL, 10) : 0,
		.device = strndup(image, at ? (size_t)(at - image) : strlen(image)),
	};
	return ret_volume->device ? 0 : sw_fail_oom(err);
}

static void walk_stick(const struct sw_volume *v, const char *path, unsigned int depth,
		       json_object *list)
{
	_cleanup_listing_ struct sw_listing l = {};
	struct sw_error ignored = {};

	if (sw_volume_list(v, *path ? path : "/", &l, &ignored) < 0)
		return;
	for (size_t i = 0; i < l.n; i++) {
		_cleanup_free_ char *inner = sw_fmt("%s/%s", path, l.v[i].name);
		_cleanup_free_ char *source = inner ? sw_fmt(STICK "%s", inner) : NULL;

		if (source && l.v[i].kind == SW_ENTRY_DIR && depth > 0)
			walk_stick(v, inner, depth - 1, list);
		else if (source && l.v[i].kind == SW_ENTRY_FILE && named_so(l.v[i].name))
			add(list, source, l.v[i].size);
	}
}

int sw_browse_images(struct sw_machine *m, json_object **ret_list, struct sw_error *err)
{
	_cleanup_json_ json_object *list = json_object_new_array();
	_cleanup_volume_ struct sw_volume stick = {};
	_cleanup_free_ char *top = NULL;
	struct sw_error none = {};

	if (!list)
		return sw_fail_oom(err);
	if (sw_machine_medium_file(m, ".", &top, &none) == 0 &&
	    walk(AT_FDCWD, top, "medium:", DEPTH, list) < 0)
		return sw_fail_oom(err);
	none = (struct sw_error){};
	if (sw_volume_of_stick(m, "image", &stick, &none) == 0)
		walk_stick(&stick, "", 1, list);
	*ret_list = TAKE_PTR(list);
	return 0;
}
