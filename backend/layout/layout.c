/* SPDX-License-Identifier: Apache-2.0 */
/* Finding a layout: a directory of definition files, by name or path. */
#include "layout/layout.h"

#include <dirent.h>
#include <limits.h>
#include <string.h>

#include "base/file.h"
#include "layout/part.h"
#include "layout/sizes.h"
#include "layout/types.h"

#define PARTS_MAX 128U		/* entries of a GPT */
#define FILE_MAX_BYTES ((size_t)1 << 20)

void sw_layout_part_clear(struct sw_layout_part *p)
{
	free(p->file);
	free(p->label);
	free(p->format);
	*p = (struct sw_layout_part){};
}

struct sw_layout *sw_layout_free(struct sw_layout *l)
{
	if (!l)
		return NULL;
	for (size_t i = 0; i < l->n_parts; i++)
		sw_layout_part_clear(&l->parts[i]);
	free(l->parts);
	free(l->name);
	free(l->description);
	free(l);
	return NULL;
}

static int add_file(struct sw_layout *l, const char *path, const char *file, struct sw_error *err)
{
	_cleanup_buf_ struct sw_buf b = { .max = FILE_MAX_BYTES };
	struct sw_layout_part *p = reallocarray(l->parts, l->n_parts + 1, sizeof(*p));
	_cleanup_free_ char *description = NULL;
	int r;

	if (!p)
		return sw_fail_oom(err);
	l->parts = p;
	r = sw_file_read(path, &b);
	if (r < 0) {
		sw_fail_errno(err, SW_EXIT_INVALID, r, "cannot read the partition definition");
		sw_error_where(err, "%s", path);
		return r;
	}
	r = sw_layout_part_parse(sw_buf_text(&b), b.len, path, file, &p[l->n_parts], &description,
				 err);
	if (r < 0)
		return r;
	l->n_parts++;
	if (!l->description)
		l->description = TAKE_PTR(description);
	return 0;
}

static bool label_used(const struct sw_layout *l, size_t n, const char *label)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(l->parts[i].label, label))
			return true;
	return false;
}

/* repart names what has no Label= after its type: "esp", then "esp-2", "esp-3" ... */
static int name_part(struct sw_layout *l, size_t n)
{
	struct sw_layout_part *p = &l->parts[n];
	char uuid[SW_GUID_TEXT];
	const char *base = sw_part_type_name(&p->type);

	(void)snprintf(p->type_name, sizeof(p->type_name), "%s",
		       base ? base : sw_guid_format(&p->type, uuid));
	if (p->own_label)
		return 0;
	p->label = strdup(p->type_name);
	for (unsigned int i = 2; p->label && label_used(l, n, p->label); i++) {
		free(p->label);
		p->label = sw_fmt("%s-%u", p->type_name, i);
	}
	return p->label ? 0 : -ENOMEM;
}

static int finish(struct sw_layout *l, struct sw_error *err)
{
	l->min_size = SW_LAYOUT_OVERHEAD;
	for (size_t i = 0; i < l->n_parts; i++) {
		struct sw_layout_part *p = &l->parts[i];
		uint64_t need = sw_layout_part_need(p);

		if (name_part(l, i) < 0)
			return sw_fail_oom(err);
		if (p->priority <= 0)
			l->min_size = l->min_size > UINT64_MAX - need ? UINT64_MAX
								      : l->min_size + need;
	}
	return 0;
}

static int is_conf(const struct dirent *d)
{
	size_t n = strlen(d->d_name);

	return d->d_name[0] != '.' && n > 5 && !strcmp(d->d_name + n - 5, ".conf");
}

/* Byte order, whatever the locale: the order of the partitions must not depend on it. */
static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int read_files(const char *dir, struct sw_layout *l, struct sw_error *err)
{
	struct dirent **list = NULL;
	int n = scandir(dir, &list, is_conf, by_name), r = 0;

	if (n < 0) {
		r = -errno;
		sw_fail_errno(err, SW_EXIT_INVALID, r, "cannot read the layout");
		sw_error_where(err, "%s", dir);
		return r;
	}
	for (int i = 0; i < n; i++) {
		_cleanup_free_ char *path = sw_fmt("%s/%s", dir, list[i]->d_name);

		if (r >= 0)
			r = path ? add_file(l, path, list[i]->d_name, err) : sw_fail_oom(err);
		free(list[i]);
	}
	free(list);
	if (r >= 0 && (n == 0 || (unsigned int)n > PARTS_MAX)) {
		r = sw_fail(err, SW_EXIT_INVALID, -EINVAL,
			    n ? "the layout has more than 128 partitions"
			      : "the layout has no partition definitions");
		sw_error_where(err, "%s", dir);
		sw_error_hint(err, "A layout is a directory of NAME.conf files, one a partition; "
				   "see repart.d(5)");
	}
	return r;
}

int sw_layout_read(const char *dir, struct sw_layout **ret_layout, struct sw_error *err)
{
	_cleanup_layout_ struct sw_layout *l = calloc(1, sizeof(*l));
	_cleanup_free_ char *trimmed = strdup(dir);
	size_t n = strlen(dir);
	const char *slash;
	int r;

	if (!l || !trimmed)
		return sw_fail_oom(err);
	while (n > 1 && trimmed[n - 1] == '/')
		trimmed[--n] = '\0';
	slash = strrchr(trimmed, '/');
	l->name = strdup(slash && slash[1] ? slash + 1 : trimmed);
	if (!l->name)
		return sw_fail_oom(err);
	r = read_files(trimmed, l, err);
	if (r >= 0)
		r = finish(l, err);
	if (r < 0)
		return r;
	*ret_layout = TAKE_PTR(l);
	return 0;
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
