/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/proc.h"
#include "base/text.h"
#include "browse/browse.h"

#define TOOL_S 60
#define DEPTH_MAX 64U
#define ROOT_INODE 2U

static const char *const mtools_env[] = { "MTOOLS_SKIP_CHECK=1", NULL };

void sw_volume_clear(struct sw_volume *v)
{
	free(v->device);
	*v = (struct sw_volume){};
}

static int tool_failed(int r, const char *program, const struct sw_buf *said, struct sw_error *err)
{
	const char *text = sw_buf_text(said);
	_cleanup_free_ char *line = NULL;

	if (strncmp(text, "debugfs ", 8) == 0)	/* its version stands before what it says */
		text += strcspn(text, "\n");
	text += *text == '\n';
	line = strndup(text, strcspn(text, "\n"));

	if (r == -ENOENT) {
		sw_fail(err, SW_EXIT_MISSING, r, "the program %s is not installed", program);
		sw_error_hint(err, "install the package that provides it and try again");
		return r;
	}
	sw_fail(err, SW_EXIT_MISSING, r < 0 ? r : -EIO, "the file system cannot be read");
	sw_error_why(err, "%s: %s", program, r < 0 ? strerror(-r)
					  : line ? sw_text_clean(line) : "");
	return r < 0 ? r : -EIO;
}

static int not_there(const char *path, struct sw_error *err)
{
	sw_fail(err, SW_EXIT_MISSING, -ENOENT, "there is no such file");
	sw_error_where(err, "%s", path);
	return -ENOENT;
}

/* ---- FAT ---- */

/* mtools takes some characters for patterns and \ for a way down, whatever is on the disk. */
static int fat_path(const char *path, char **ret, struct sw_error *err)
{
	if (strpbrk(path, "*?[]\\")) {
		sw_fail(err, SW_EXIT_MISSING, -EINVAL, "this name cannot be looked up on FAT");
		sw_error_where(err, "%s", path);
		sw_error_hint(err, "names with * ? [ ] or \\ are only listed");
		return -EINVAL;
	}
	*ret = sw_fmt("::%s", path);
	return *ret ? 0 : sw_fail_oom(err);
}

static char *fat_image(const struct sw_volume *v)
{
	return sw_fmt("%s@@%llu", v->device, (unsigned long long)v->offset);
}

static int fat_list(const struct sw_volume *v, const char *path, struct sw_listing *l,
		    struct sw_error *err)
{
	_cleanup_free_ char *image = fat_image(v), *to = NULL;
	const char *argv[] = { "mdir", "-a", "-i", image, NULL, NULL };
	_cleanup_buf_ struct sw_buf out = {};
	int r = image ? fat_path(path, &to, err) : sw_fail_oom(err);

	if (r < 0)
		return r;
	argv[4] = to;
	r = sw_proc_run(argv, mtools_env, TOOL_S, &out);
	if (r == 1 && strstr(sw_buf_text(&out), "not found"))
		return not_there(path, err);
	if (r)
		return tool_failed(r, "mdir", &out, err);
	return sw_mdir_parse(sw_buf_text(&out), l) < 0 ? sw_fail_oom(err) : 0;
}

static int fat_read(const struct sw_volume *v, const char *path, const char *file,
		    struct sw_error *err)
{
	_cleanup_free_ char *image = fat_image(v), *from = NULL;
	const char *argv[] = { "mcopy", "-n", "-i", image, NULL, file, NULL };
	_cleanup_buf_ struct sw_buf out = {};
	int r = image ? fat_path(path, &from, err) : sw_fail_oom(err);

	if (r < 0)
		return r;
	argv[4] = from;
	r = sw_proc_run(argv, mtools_env, TOOL_S, &out);
	return r ? tool_failed(r, "mcopy", &out, err) : 0;
}

/* ---- ext ---- */

/* By numbers of inodes only: no name from the disk gets into debugfs' own language. */
static int debugfs(const struct sw_volume *v, const char *request, struct sw_buf *out,
		   struct sw_error *err)
{
	_cleanup_free_ char *image = sw_fmt("%s?offset=%llu", v->device,
					    (unsigned long long)v->offset);
	const char *argv[] = { "debugfs", "-R", request, image, NULL };
	int r = image ? sw_proc_run(argv, NULL, TOOL_S, out) : -ENOMEM;

	if (r == 0 && strstr(sw_buf_text(out), "Bad magic number"))
		r = EXIT_FAILURE;
	return r ? tool_failed(r, "debugfs", out, err) : 0;
}

static int ext_list_inode(const struct sw_volume *v, uint64_t inode, struct sw_listing *l,
			  struct sw_error *err)
{
	_cleanup_free_ char *request = sw_fmt("ls -p <%llu>", (unsigned long long)inode);
	_cleanup_buf_ struct sw_buf out = {};
	int r = request ? debugfs(v, request, &out, err) : sw_fail_oom(err);

	if (r < 0)
		return r;
	/* Its status tells nothing; but every directory has itself in it. */
	if (!strstr(sw_buf_text(&out), "/./"))
		return tool_failed(EXIT_FAILURE, "debugfs", &out, err);
	return sw_debugfs_parse(sw_buf_text(&out), l) < 0 ? sw_fail_oom(err) : 0;
}

static const struct sw_entry *find(const struct sw_listing *l, const char *name, size_t len)
{
	for (size_t i = 0; i < l->n; i++)
		if (strlen(l->v[i].name) == len && strncmp(l->v[i].name, name, len) == 0)
			return &l->v[i];
	return NULL;
}

static int ext_list(const struct sw_volume *v, const char *path, struct sw_listing *l,
		    struct sw_error *err)
{
	uint64_t inode = ROOT_INODE;
	int r = ext_list_inode(v, inode, l, err);

	for (unsigned int depth = 0; r == 0; depth++) {
		size_t n = strcspn(path += strspn(path, "/"), "/");
		const struct sw_entry *e = n ? find(l, path, n) : NULL;

		if (!n)
			return 0;
		if (!e || e->kind != SW_ENTRY_DIR || depth == DEPTH_MAX)
			return not_there(path, err);
		inode = e->inode;
		path += n;
		sw_listing_clear(l);
		r = ext_list_inode(v, inode, l, err);
	}
	return r;
}

static int ext_read(const struct sw_volume *v, uint64_t inode, const char *file,
		    struct sw_error *err)
{
	_cleanup_free_ char *request = sw_fmt("dump <%llu> %s", (unsigned long long)inode, file);
	_cleanup_buf_ struct sw_buf out = {};

	return request ? debugfs(v, request, &out, err) : sw_fail_oom(err);
}

/* ---- both ---- */

int sw_volume_list(const struct sw_volume *v, const char *path, struct sw_listing *ret_listing,
		   struct sw_error *err)
{
	_cleanup_listing_ struct sw_listing l = {};
	int r = v->kind == SW_VOLUME_FAT ? fat_list(v, path, &l, err) : ext_list(v, path, &l, err);

	if (r < 0)
		return r;
	*ret_listing = l;
	l = (struct sw_listing){};
	return 0;
}

/* Its entry in the directory that holds it. */
static int look_up(const struct sw_volume *v, const char *path, size_t max,
		   uint64_t *ret_inode, uint64_t *ret_size, struct sw_error *err)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	_cleanup_free_ char *dir = strndup(path, slash && slash > path ? (size_t)(slash - path)
								       : 1);
	_cleanup_listing_ struct sw_listing l = {};
	const struct sw_entry *e;
	int r = dir ? sw_volume_list(v, dir, &l, err) : sw_fail_oom(err);

	if (r < 0)
		return r;
	e = find(&l, name, strlen(name));
	if (!e)
		return not_there(path, err);
	*ret_inode = e->inode;
	*ret_size = e->size;
	if (e->kind == SW_ENTRY_FILE && e->size <= max)
		return 0;
	sw_fail(err, SW_EXIT_INVALID, e->kind == SW_ENTRY_FILE ? -E2BIG : -EINVAL,
		e->kind == SW_ENTRY_FILE ? "the file is too large" : "it is no plain file");
	sw_error_where(err, "%s", path);
	if (e->kind == SW_ENTRY_FILE)
		sw_error_why(err, "it has %llu bytes, %zu are the most",
			     (unsigned long long)e->size, max);
	return e->kind == SW_ENTRY_FILE ? -E2BIG : -EINVAL;
}

/* Through a file in a private directory, which is memory on the medium: the tools want one. */
int sw_volume_read(const struct sw_volume *v, const char *path, size_t max, struct sw_buf *out,
		   struct sw_error *err)
{
	_cleanup_free_ char *dir = NULL, *file = NULL;
	uint64_t inode = 0, size = 0;
	int r = look_up(v, path, max, &inode, &size, err);

	if (r < 0)
		return r;
	r = sw_scratch_new("browse", &dir);
	file = r == 0 ? sw_fmt("%s/file", dir) : NULL;
	if (!file)
		return sw_fail_errno(err, SW_EXIT_FAILED, r < 0 ? r : -ENOMEM, "no scratch file");
	r = v->kind == SW_VOLUME_FAT ? fat_read(v, path, file, err) : ext_read(v, inode, file, err);
	if (r == 0) {
		out->max = max;
		r = sw_file_read(file, out);
		if (r < 0)
			sw_fail_errno(err, SW_EXIT_FAILED, r, "the file cannot be read");
		else if (out->len != size)
			r = sw_fail(err, SW_EXIT_VERIFY, -EIO, "the file cannot be read whole");
	}
	(void)sw_remove_tree(dir);
	return r;
}
