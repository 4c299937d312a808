/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading the definition files of one or several directories, as systemd reads
 * its own: sorted by name whatever the directory, the first directory's file
 * hiding the later ones', drop-ins in NAME.conf.d/.
 */
#include <dirent.h>
#include <string.h>

#include "base/file.h"
#include "base/io.h"
#include "base/strv.h"
#include "base/text.h"
#include "layout/layout.h"
#include "layout/part.h"
#include "layout/sizes.h"
#include "layout/types.h"

#define PARTS_MAX 128U		/* entries of a GPT */
#define DROPINS_MAX 64U
#define FILE_MAX_BYTES ((size_t)1 << 20)

/* Files by name, each with the path that counts. */
struct files {
	struct found {
		char *name, *path;
	} *v;
	size_t n;
	bool dropins;	/* a NAME.conf.d is among what the directory holds */
};

struct reader {
	struct sw_layout *l;
	const char *const *dirs;
	size_t n;
	const struct sw_layout_machine *m;
	bool dropins;
};

static void files_clear(struct files *f)
{
	for (size_t i = 0; i < f->n; i++) {
		free(f->v[i].name);
		free(f->v[i].path);
	}
	free(f->v);
}

static bool is_conf(const struct dirent *d)
{
	return d->d_name[0] != '.' && sw_ends_with(d->d_name, ".conf");
}

static int add(struct files *f, const char *dir, const char *name)
{
	struct found *more;

	for (size_t i = 0; i < f->n; i++)
		if (!strcmp(f->v[i].name, name))
			return 0;
	more = reallocarray(f->v, f->n + 1, sizeof(*more));
	if (!more)
		return -ENOMEM;
	f->v = more;
	more[f->n] = (struct found){ .name = strdup(name), .path = sw_fmt("%s/%s", dir, name) };
	f->n++;
	return more[f->n - 1].name && more[f->n - 1].path ? 0 : -ENOMEM;
}

/* What a directory adds; one that is not there adds nothing when that is allowed. */
static int add_dir(struct files *f, const char *dir, bool may_miss, struct sw_error *err)
{
	_cleanup_closedir_ DIR *d = opendir(dir);
	const struct dirent *e;
	int r = d ? 0 : -errno;

	if (r == -ENOENT && may_miss)
		return 0;
	while (r >= 0 && (errno = 0, e = readdir(d))) {
		f->dropins = f->dropins || sw_ends_with(e->d_name, ".conf.d");
		if (is_conf(e) && e->d_type != DT_DIR)
			r = add(f, dir, e->d_name);
	}
	if (r >= 0 && errno)
		r = -errno;
	if (r < 0) {
		sw_fail_errno(err, SW_EXIT_INVALID, r, "cannot read the layout");
		sw_error_where(err, "%s", dir);
	}
	return r;
}

/* Byte order, whatever the locale: the order of the partitions must not depend on it. */
static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct found *)a)->name, ((const struct found *)b)->name);
}

static void sort(struct files *f)
{
	if (f->n)
		qsort(f->v, f->n, sizeof(*f->v), by_name);
}

static int read_one(const char *path, struct sw_buf *b, struct sw_error *err)
{
	int r;

	b->max = FILE_MAX_BYTES;
	r = sw_file_read(path, b);
	if (r < 0) {
		sw_fail_errno(err, SW_EXIT_INVALID, r, "cannot read the partition definition");
		sw_error_where(err, "%s", path);
	}
	return r;
}

static int find_dropins(const char *const *dirs, size_t n, const char *name, struct files *f,
			struct sw_error *err)
{
	for (size_t i = 0; i < n; i++) {
		_cleanup_free_ char *dir = sw_fmt("%s/%s.d", dirs[i], name);
		int r = dir ? add_dir(f, dir, true, err) : sw_fail_oom(err);

		if (r < 0)
			return r;
	}
	sort(f);
	if (f->n <= DROPINS_MAX)
		return 0;
	sw_fail(err, SW_EXIT_INVALID, -E2BIG, "there are more than 64 drop-ins");
	sw_error_where(err, "%s/%s.d", dirs[0], name);
	return -E2BIG;
}

static int add_part(struct reader *rd, const struct sw_layout_source *sources, size_t n,
		    const char *file, struct sw_error *err)
{
	struct sw_layout *l = rd->l;
	struct sw_layout_part *p = reallocarray(l->parts, l->n_parts + 1, sizeof(*p));
	_cleanup_free_ char *description = NULL;
	int r;

	if (!p)
		return sw_fail_oom(err);
	l->parts = p;
	r = sw_layout_part_parse_all(sources, n, file, rd->m, &p[l->n_parts], &description, err);
	if (r < 0)
		return r;
	l->n_parts++;
	if (!l->description)
		l->description = TAKE_PTR(description);
	return 0;
}

struct texts {
	struct sw_buf b[DROPINS_MAX + 1];
};

static void texts_clear(struct texts *t)
{
	for (size_t i = 0; i <= DROPINS_MAX; i++)
		sw_buf_clear(&t->b[i]);
}

static int add_file(struct reader *rd, const struct found *file, struct sw_error *err)
{
	_cleanup_(texts_clear) struct texts text = {};
	_cleanup_(files_clear) struct files dropins = {};
	struct sw_layout_source sources[DROPINS_MAX + 1];
	int r = read_one(file->path, &text.b[0], err);

	/* Empty: it hides the file of this name in a later directory. */
	if (r < 0 || text.b[0].len == 0)
		return r;
	sources[0].path = file->path;
	if (rd->dropins)
		r = find_dropins(rd->dirs, rd->n, file->name, &dropins, err);
	for (size_t i = 0; r >= 0 && i < dropins.n; i++) {
		sources[i + 1].path = dropins.v[i].path;
		r = read_one(dropins.v[i].path, &text.b[i + 1], err);
	}
	if (r < 0)
		return r;
	for (size_t i = 0; i <= dropins.n; i++) {
		sources[i].text = sw_buf_text(&text.b[i]);
		sources[i].len = text.b[i].len;
	}
	return add_part(rd, sources, dropins.n + 1, file->name, err);
}

/* ---- the whole ---- */

static bool label_used(const struct sw_layout *l, size_t n, const char *label)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(l->parts[i].label, label))
			return true;
	return false;
}

/*
 * repart names what has no Label= after its type: "esp", then "esp-2" ... All
 * below the number that an earlier one of the type got (in *suffix) are taken.
 */
static int name_part(struct sw_layout *l, size_t n, unsigned int suffix[static PARTS_MAX])
{
	struct sw_layout_part *p = &l->parts[n];
	const char *base = sw_part_type_name(&p->type);
	unsigned int k = 1;

	(void)snprintf(p->type_name, sizeof(p->type_name), "%s", base ? base : "linux");
	if (p->own_label)
		return 0;
	for (size_t i = 0; i < n; i++)
		if (suffix[i] >= k && !strcmp(l->parts[i].type_name, p->type_name))
			k = suffix[i] + 1;
	for (;; k++) {
		free(p->label);
		p->label = k == 1 ? strdup(p->type_name) : sw_fmt("%s-%u", p->type_name, k);
		if (!p->label || !label_used(l, n, p->label))
			break;
	}
	suffix[n] = k;
	return p->label ? 0 : -ENOMEM;
}

/* How much CopyBlocks= will copy decides how large the partition must be. */
static int measure_blocks(struct sw_layout_part *p, struct sw_error *err)
{
	_cleanup_io_ struct sw_io *io = NULL;
	int r = sw_io_open(p->copy_blocks, false, false, 0, &io, NULL);

	if (r == 0 && io->size > 0 && io->size % 512 == 0) {
		p->copy_blocks_size = io->size;
		return 0;
	}
	sw_fail(err, SW_EXIT_INVALID, r < 0 ? r : -EINVAL, "CopyBlocks=%s cannot be copied",
		p->copy_blocks);
	sw_error_where(err, "%s", p->file);
	sw_error_why(err, "%s", r == -ENOTBLK ? "it is neither a file nor a block device"
				: r < 0	      ? strerror(-r)
					      : "its size is not a multiple of 512, or 0");
	return r < 0 ? r : -EINVAL;
}

static int finish(struct sw_layout *l, struct sw_error *err)
{
	unsigned int suffix[PARTS_MAX] = {};

	for (size_t i = 0; i < l->n_parts; i++) {
		if (name_part(l, i, suffix) < 0)
			return sw_fail_oom(err);
		if (l->parts[i].copy_blocks && measure_blocks(&l->parts[i], err) < 0)
			return -EINVAL;
	}
	return sw_layout_collect_disks(l, err);
}

static int read_files(struct reader *rd, struct sw_error *err)
{
	struct sw_layout *l = rd->l;
	_cleanup_(files_clear) struct files f = {};
	int r = 0;

	for (size_t i = 0; r >= 0 && i < rd->n; i++)
		r = add_dir(&f, rd->dirs[i], false, err);
	sort(&f);
	rd->dropins = f.dropins;
	for (size_t i = 0; r >= 0 && i < f.n && l->n_parts <= PARTS_MAX; i++)
		r = add_file(rd, &f.v[i], err);
	if (r >= 0 && (l->n_parts == 0 || l->n_parts > PARTS_MAX)) {
		r = sw_fail(err, SW_EXIT_INVALID, -EINVAL,
			    l->n_parts ? "the layout has more than 128 partitions"
				       : "the layout has no partition definitions");
		sw_error_where(err, "%s", rd->dirs[0]);
		sw_error_hint(err, "A layout is a directory of NAME.conf files, one a partition; "
				   "see repart.d(5)");
	}
	return r;
}

int sw_layout_read_dirs(const char *const *dirs, size_t n, const struct sw_layout_machine *m,
			struct sw_layout **ret_layout, struct sw_error *err)
{
	struct reader rd;
	_cleanup_layout_ struct sw_layout *l = calloc(1, sizeof(*l));
	_cleanup_strv_ char **trimmed = NULL;
	const char *slash;
	int r = l && n > 0 ? 0 : -ENOMEM;

	for (size_t i = 0; r >= 0 && i < n; i++) {
		r = sw_strv_add(&trimmed, dirs[i]);
		for (size_t k = strlen(dirs[i]); r >= 0 && k > 1 && trimmed[i][k - 1] == '/';)
			trimmed[i][--k] = '\0';
	}
	if (r < 0)
		return sw_fail_oom(err);
	slash = strrchr(trimmed[0], '/');
	l->name = strdup(slash && slash[1] ? slash + 1 : trimmed[0]);
	if (!l->name)
		return sw_fail_oom(err);
	rd = (struct reader){ .l = l, .dirs = (const char *const *)trimmed, .n = n, .m = m };
	r = read_files(&rd, err);
	if (r >= 0)
		r = finish(l, err);
	if (r < 0)
		return r;
	*ret_layout = TAKE_PTR(l);
	return 0;
}

int sw_layout_read(const char *dir, struct sw_layout **ret_layout, struct sw_error *err)
{
	return sw_layout_read_dirs(&dir, 1, NULL, ret_layout, err);
}
