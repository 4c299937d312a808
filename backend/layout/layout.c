/* SPDX-License-Identifier: Apache-2.0 */
/* Finding a layout: a directory of definition files, by name or path. */
#include "layout/layout.h"

#include <dirent.h>
#include <limits.h>
#include <string.h>

#include "base/file.h"
#include "base/strv.h"
#include "layout/part.h"

void sw_layout_part_clear(struct sw_layout_part *p)
{
	free(p->file);
	free(p->label);
	free(p->format);
	free(p->copy_blocks);
	sw_strv_free(p->copy_files);
	sw_strv_free(p->make_directories);
	sw_strv_free(p->disks);
	*p = (struct sw_layout_part){};
}

struct sw_layout *sw_layout_free(struct sw_layout *l)
{
	if (!l)
		return NULL;
	for (size_t i = 0; i < l->n_parts; i++)
		sw_layout_part_clear(&l->parts[i]);
	free(l->parts);
	sw_layout_disks_free(l);
	free(l->name);
	free(l->description);
	free(l);
	return NULL;
}

/* Byte order, whatever the locale. */
static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/* The i-th place where layouts live, "" for one that is unset; NULL past the last. */
static char *layout_dir(size_t i)
{
	char exe[PATH_MAX];
	const char *env = getenv("SLIPWAY_LAYOUTS");
	ssize_t n;
	char *slash;

	if (i == 0)
		return strdup(env ? env : "");
	if (i > 1)
		return i == 2 ? strdup("/usr/share/slipway/layouts") : NULL;
	n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	exe[n > 0 ? n : 0] = '\0';
	slash = strrchr(exe, '/');
	if (!slash)
		return strdup("");
	*slash = '\0';
	return sw_fmt("%s/../../layouts", exe);
}

static int is_layout(const struct dirent *d)
{
	return d->d_name[0] != '.' && d->d_type != DT_REG;
}

/* "known: node, …" for the hint. */
static void list_known(struct sw_buf *b)
{
	char *dir;

	for (size_t i = 0; (dir = layout_dir(i)); i++) {
		struct dirent **list = NULL;
		int n = *dir ? scandir(dir, &list, is_layout, by_name) : 0;

		for (int k = 0; k < n; k++) {
			(void)sw_buf_addf(b, "%s%s", b->len ? ", " : "", list[k]->d_name);
			free(list[k]);
		}
		free(list);
		free(dir);
	}
}

int sw_layout_find(const char *name, struct sw_layout **ret_layout, struct sw_error *err)
{
	_cleanup_buf_ struct sw_buf known = { .max = 400 };
	char *dir;

	if (strchr(name, '/'))
		return sw_layout_read(name, ret_layout, err);
	for (size_t i = 0; *name && name[0] != '.' && (dir = layout_dir(i)); i++) {
		_cleanup_free_ char *path = sw_fmt("%s/%s", dir, name);
		bool found = *dir && path && access(path, F_OK) == 0;

		free(dir);
		if (found)
			return sw_layout_read(path, ret_layout, err);
	}
	list_known(&known);
	sw_fail(err, SW_EXIT_INVALID, -ENOENT, "there is no layout called \"%s\"", name);
	sw_error_hint(err, "Known layouts: %s. A path with a slash names a directory of your own",
		      known.len ? sw_buf_text(&known) : "none");
	return -ENOENT;
}

static int add_name(char ***names, size_t *n, const char *name)
{
	size_t at = 0;
	char **more;

	while (at < *n && strcmp((*names)[at], name) < 0)
		at++;
	if (at < *n && strcmp((*names)[at], name) == 0)
		return 0;
	more = realloc(*names, (*n + 2) * sizeof(*more));
	if (!more)
		return -ENOMEM;
	*names = more;
	memmove(more + at + 1, more + at, (*n - at) * sizeof(*more));
	more[at] = strdup(name);
	more[++*n] = NULL;
	return more[at] ? 0 : -ENOMEM;
}

int sw_layout_names(char ***ret_names)
{
	char **names = calloc(1, sizeof(*names)), *dir;
	size_t count = 0;
	int r = names ? 0 : -ENOMEM;

	for (size_t i = 0; (dir = layout_dir(i)); i++) {
		struct dirent **list = NULL;
		int n = *dir ? scandir(dir, &list, is_layout, by_name) : 0;

		for (int k = 0; k < n; k++) {
			if (r == 0)
				r = add_name(&names, &count, list[k]->d_name);
			free(list[k]);
		}
		free(list);
		free(dir);
	}
	if (r == 0) {
		*ret_names = names;
		return 0;
	}
	for (size_t i = 0; names && i < count; i++)
		free(names[i]);
	free(names);
	return r;
}
