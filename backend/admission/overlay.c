/* SPDX-License-Identifier: Apache-2.0 */
#include "admission/overlay.h"

#include <archive.h>
#include <archive_entry.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/text.h"

struct reader {
	struct archive *in, *out;	/* out: NULL when nothing is unpacked */
	const char *root;		/* where it goes, without links in it */
	struct sw_overlay *o;
	struct sw_error *err;
};

struct sw_overlay *sw_overlay_free(struct sw_overlay *o)
{
	if (!o)
		return NULL;
	for (size_t i = 0; i < o->n; i++) {
		free(o->items[i].path);
		free(o->items[i].link);
	}
	free(o->items);
	free(o);
	return NULL;
}

static int refuse(struct reader *rd, const char *path, int r, const char *why)
{
	char shown[SW_TEXT_SHOW];

	sw_fail(rd->err, SW_EXIT_VERIFY, r, "the overlay is refused");
	sw_error_where(rd->err, "%s", path ? sw_text_show(path, shown) : "");
	sw_error_why(rd->err, "%s", why);
	sw_error_hint(rd->err, "nothing of it was kept; look at how the server makes it");
	return r;
}

/* ---- what an entry may be ---- */

/* How many directories a path goes down; -EBADMSG when it climbs. */
static int depth_of(const char *path)
{
	int depth = 0;

	while (*path) {
		size_t n = strcspn(path, "/");

		if (n == 2 && path[0] == '.' && path[1] == '.')
			return -EBADMSG;
		if (n > NAME_MAX)
			return -EBADMSG;
		if (n > 0 && !(n == 1 && path[0] == '.'))
			depth++;
		path += n;
		path += strspn(path, "/");
	}
	return depth;
}

/* A link may go up as far as the top of the overlay, not beyond. */
static bool link_stays_inside(const char *path, const char *target)
{
	int depth = depth_of(path) - 1;

	if (*target == '/' || *target == '\0')
		return false;
	while (*target && depth >= 0) {
		size_t n = strcspn(target, "/");

		if (n == 2 && target[0] == '.' && target[1] == '.')
			depth--;
		else if (n > 0 && !(n == 1 && target[0] == '.'))
			depth++;
		target += n;
		target += strspn(target, "/");
	}
	return depth >= 0;
}

/* "./etc/passwd" and "etc//passwd" are one name. In place. */
static void tidy(char *path)
{
	char *to = path;

	for (const char *p = path; *p;) {
		size_t n = strcspn(p, "/");

		if (n > 0 && !(n == 1 && *p == '.')) {
			if (to != path)
				*to++ = '/';
			memmove(to, p, n);
			to += n;
		}
		p += n;
		p += strspn(p, "/");
	}
	*to = '\0';
}

static const char *type_refused(mode_t type, const char *hardlink)
{
	if (hardlink)
		return "it is a hard link; only files, directories and symbolic links are taken";
	if (type == AE_IFREG || type == AE_IFDIR || type == AE_IFLNK)
		return NULL;
	return "it is a device, pipe or socket; only files, directories and symbolic links are "
	       "taken";
}

static int check_entry(struct reader *rd, struct archive_entry *e)
{
	const char *path = archive_entry_pathname(e), *link = archive_entry_symlink(e);
	const char *why = type_refused(archive_entry_filetype(e), archive_entry_hardlink(e));
	int depth;

	if (!path || !*path || !sw_text_is_clean(path))
		return refuse(rd, path, -EBADMSG, "its name is empty or no clean text");
	if (why)
		return refuse(rd, path, -EBADMSG, why);
	if (*path == '/')
		return refuse(rd, path, -EBADMSG, "its name is absolute");
	depth = depth_of(path);
	if (depth < 0)
		return refuse(rd, path, -EBADMSG, "its name leads out of the directory (..)");
	if (depth > (int)SW_OVERLAY_MAX_DEPTH || strlen(path) > PATH_MAX / 2)
		return refuse(rd, path, -E2BIG, "its name is too long or too deep");
	if (archive_entry_filetype(e) == AE_IFLNK && (!link || !link_stays_inside(path, link)))
		return refuse(rd, path, -EBADMSG, "it is a link that leads out of the overlay");
	if (archive_entry_mode(e) & (S_ISUID | S_ISGID))
		return refuse(rd, path, -EBADMSG, "it is set-user-id or set-group-id");
	return 0;
}

/* ---- first pass: everything is looked at, nothing is written ---- */

static int open_tar(struct reader *rd, const void *tar, size_t len)
{
	rd->in = archive_read_new();
	if (!rd->in)
		return sw_fail_oom(rd->err);
	archive_read_support_filter_gzip(rd->in);
	archive_read_support_filter_xz(rd->in);
	archive_read_support_filter_zstd(rd->in);
	archive_read_support_format_tar(rd->in);
	if (archive_read_open_memory(rd->in, tar, len) != ARCHIVE_OK)
		return refuse(rd, NULL, -EBADMSG, "it is no tar archive");
	return 0;
}

/* 1: an entry; 0: the end. A warning is a refusal, too: the archive is not what it should be. */
static int next_entry(struct reader *rd, struct archive_entry **ret_entry)
{
	int r = archive_read_next_header(rd->in, ret_entry);

	if (r == ARCHIVE_EOF)
		return 0;
	if (r == ARCHIVE_OK)
		return 1;
	return refuse(rd, NULL, -EBADMSG, archive_error_string(rd->in));
}

static int add_item(struct reader *rd, struct archive_entry *e)
{
	struct sw_overlay *o = rd->o;
	struct sw_overlay_item *item;
	const char *link = archive_entry_symlink(e);

	if ((o->n & (o->n + 1)) == 0) {
		item = reallocarray(o->items, 2 * o->n + 2, sizeof(*item));
		if (!item)
			return sw_fail_oom(rd->err);
		o->items = item;
	}
	item = &o->items[o->n++];
	*item = (struct sw_overlay_item){
		.path = strdup(archive_entry_pathname(e)),
		.link = link ? strdup(link) : NULL,
		.mode = archive_entry_mode(e),
	};
	if (!item->path || (link && !item->link))
		return sw_fail_oom(rd->err);
	tidy(item->path);
	return 0;
}

/* Unpacks a file's data into nowhere: the header may lie about how much there is. */
static int measure(struct reader *rd, struct sw_overlay_item *item)
{
	const void *block;
	size_t size;
	int64_t at;
	int r;

	while ((r = archive_read_data_block(rd->in, &block, &size, &at)) == ARCHIVE_OK) {
		/* Holes count: what is sparse here is not where it is copied to. */
		item->size = (uint64_t)at + size;
		if (at < 0 || rd->o->bytes + item->size > SW_OVERLAY_MAX_BYTES)
			return refuse(rd, item->path, -E2BIG, "unpacked it has more than 256 MiB");
	}
	if (r != ARCHIVE_EOF)
		return refuse(rd, item->path, -EBADMSG, archive_error_string(rd->in));
	rd->o->bytes += item->size;
	return 0;
}

static int by_path(const void *a, const void *b)
{
	const struct sw_overlay_item *const *x = a, *const *y = b;

	return strcmp((*x)->path, (*y)->path);
}

/* The entry of this name that is no directory, when there is one. */
static const struct sw_overlay_item *find(const struct sw_overlay_item **sorted, size_t n,
					  char *path)
{
	struct sw_overlay_item key = { .path = path };
	const struct sw_overlay_item *k = &key, **found;

	found = bsearch(&k, sorted, n, sizeof(*sorted), by_path);
	return found ? *found : NULL;
}

/* Nothing may lie below a file or a link: it would be written through it. */
static bool lies_below_file(const struct sw_overlay_item **sorted, size_t n,
			    const struct sw_overlay_item *item)
{
	char path[PATH_MAX];
	const struct sw_overlay_item *up;

	(void)snprintf(path, sizeof(path), "%s", item->path);
	for (char *slash = strrchr(path, '/'); slash; slash = strrchr(path, '/')) {
		*slash = '\0';
		up = find(sorted, n, path);
		if (up && !S_ISDIR(up->mode))
			return true;
	}
	return false;
}

static int check_tree(struct reader *rd)
{
	const struct sw_overlay *o = rd->o;
	_cleanup_free_ const struct sw_overlay_item **v = calloc(o->n + 1, sizeof(*v));
	int r = 0;

	if (!v)
		return sw_fail_oom(rd->err);
	for (size_t i = 0; i < o->n; i++)
		v[i] = &o->items[i];
	qsort(v, o->n, sizeof(*v), by_path);
	for (size_t i = 0; i < o->n && r == 0; i++) {
		if (i > 0 && strcmp(v[i - 1]->path, v[i]->path) == 0)
			r = refuse(rd, v[i]->path, -EBADMSG, "it is in the archive twice");
		else if (lies_below_file(v, o->n, v[i]))
			r = refuse(rd, v[i]->path, -EBADMSG,
				   "what it lies in is a file or a link, not a directory");
	}
	return r;
}

static int take_entry(struct reader *rd, struct archive_entry *e)
{
	int r = check_entry(rd, e);

	if (r == 0 && rd->o->n >= SW_OVERLAY_MAX_ENTRIES)
		r = refuse(rd, NULL, -E2BIG, "it has more than 20,000 entries");
	if (r == 0)
		r = add_item(rd, e);
	return r == 0 ? measure(rd, &rd->o->items[rd->o->n - 1]) : r;
}

static int first_pass(struct reader *rd, const void *tar, size_t len)
{
	struct archive_entry *e;
	int r = open_tar(rd, tar, len);

	while (r == 0 && (r = next_entry(rd, &e)) == 1)
		r = take_entry(rd, e);
	archive_read_free(rd->in);
	rd->in = NULL;
	if (r == 0 && rd->o->n == 0)
		r = refuse(rd, NULL, -EBADMSG, "it is empty");
	return r == 0 ? check_tree(rd) : r;
}

int sw_overlay_list(const void *tar, size_t len, struct sw_overlay **ret_overlay,
		    struct sw_error *err)
{
	_cleanup_overlay_ struct sw_overlay *o = calloc(1, sizeof(*o));
	struct reader rd = { .o = o, .err = err };
	int r = o ? first_pass(&rd, tar, len) : sw_fail_oom(err);

	if (r == 0)
		*ret_overlay = TAKE_PTR(o);
	return r;
}

/* ---- second pass ---- */

static int write_failed(struct reader *rd, const char *path)
{
	int r = -archive_errno(rd->out);

	sw_fail(rd->err, SW_EXIT_FAILED, r < 0 ? r : -EIO, "the overlay cannot be unpacked");
	sw_error_where(rd->err, "%s/%s", rd->root, path);
	sw_error_why(rd->err, "%s", archive_error_string(rd->out));
	return r < 0 ? r : -EIO;
}

static int copy_data(struct reader *rd, const char *path)
{
	const void *block;
	size_t size;
	int64_t at;
	int r;

	while ((r = archive_read_data_block(rd->in, &block, &size, &at)) == ARCHIVE_OK)
		if (archive_write_data_block(rd->out, block, size, at) < ARCHIVE_OK)
			return write_failed(rd, path);
	return r == ARCHIVE_EOF ? 0 : refuse(rd, path, -EBADMSG, archive_error_string(rd->in));
}

static int write_entry(struct reader *rd, struct archive_entry *e, const char *path)
{
	_cleanup_free_ char *full = sw_fmt("%s/%s", rd->root, path);
	int r = 0;

	if (!full)
		return sw_fail_oom(rd->err);
	archive_entry_set_pathname(e, full);
	if (archive_write_header(rd->out, e) < ARCHIVE_OK)
		return write_failed(rd, path);
	if (archive_entry_filetype(e) == AE_IFREG)
		r = copy_data(rd, path);
	if (r == 0 && archive_write_finish_entry(rd->out) < ARCHIVE_OK)
		r = write_failed(rd, path);
	return r;
}

static int open_out(struct reader *rd)
{
	/* The names were judged already; this is the second lock on the same door. */
	int flags = ARCHIVE_EXTRACT_PERM | ARCHIVE_EXTRACT_TIME | ARCHIVE_EXTRACT_SECURE_SYMLINKS |
		    ARCHIVE_EXTRACT_SECURE_NODOTDOT | ARCHIVE_EXTRACT_NO_OVERWRITE;

	rd->out = archive_write_disk_new();
	if (!rd->out || archive_write_disk_set_options(rd->out, flags) != ARCHIVE_OK)
		return sw_fail_oom(rd->err);
	return 0;
}

static int second_pass(struct reader *rd, const void *tar, size_t len)
{
	struct archive_entry *e;
	size_t i = 0;
	int r = open_tar(rd, tar, len);

	if (r == 0)
		r = open_out(rd);
	while (r == 0 && (r = next_entry(rd, &e)) == 1) {
		const char *path = i < rd->o->n ? rd->o->items[i].path : NULL;

		i++;
		r = !path ? -EBADMSG : *path ? write_entry(rd, e, path) : 0;
	}
	archive_read_free(rd->in);
	/* Closing sets the times and modes of directories, which had to be open until now. */
	if (r == 0 && archive_write_close(rd->out) < ARCHIVE_OK)
		r = write_failed(rd, "");
	archive_write_free(rd->out);
	return r;
}

/* Its parent without links, so that libarchive's look at every part of the way finds none. */
static int make_root(struct reader *rd, const char *dir, char **ret_root)
{
	_cleanup_free_ char *copy = strdup(dir), *parent = NULL;
	char *slash = copy ? strrchr(copy, '/') : NULL;
	const char *name = slash ? slash + 1 : dir;

	if (!copy)
		return sw_fail_oom(rd->err);
	if (slash)
		*slash = '\0';
	parent = realpath(!slash ? "." : slash == copy ? "/" : copy, NULL);
	*ret_root = parent ? sw_fmt("%s/%s", parent, name) : NULL;
	if (parent && !*ret_root)
		return sw_fail_oom(rd->err);
	if (!parent || mkdir(*ret_root, 0700) < 0) {
		int r = -errno;

		sw_fail_errno(rd->err, SW_EXIT_FAILED, r, "the directory cannot be made");
		sw_error_where(rd->err, "%s", dir);
		return r;
	}
	return 0;
}

int sw_overlay_unpack(const void *tar, size_t len, const char *dir,
		      struct sw_overlay **ret_overlay, struct sw_error *err)
{
	_cleanup_overlay_ struct sw_overlay *o = NULL;
	_cleanup_free_ char *root = NULL;
	struct reader rd = { .err = err };
	int r = sw_overlay_list(tar, len, &o, err);

	if (r < 0)
		return r;
	rd.o = o;
	r = make_root(&rd, dir, &root);
	if (r < 0)
		return r;
	rd.root = root;
	r = second_pass(&rd, tar, len);
	if (r < 0) {
		(void)sw_remove_tree(root);
		return r;
	}
	*ret_overlay = TAKE_PTR(o);
	return 0;
}
