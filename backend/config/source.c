/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files of config/, from a directory or a tar. A stick is somebody else's: nothing leads out of
 * it, no device is opened, and nothing larger than a configuration is read.
 */
#include <archive_entry.h>
#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/archive.h"
#include "base/file.h"
#include "base/text.h"
#include "config/private.h"

#define NAME_MAX_SHOWN 100U

void sw_config_source_clear(struct sw_config_source *s)
{
	for (size_t i = 0; i < s->n; i++) {
		free(s->v[i].name);
		sw_secret_free(s->v[i].data);
	}
	free(s->v);
	free(s->from);
	*s = (struct sw_config_source){};
}

int sw_config_add(struct sw_config_source *s, const char *name, struct sw_secret *data,
		  const char *why)
{
	_cleanup_secret_ struct sw_secret *owned = data;
	struct sw_config_file *bigger;

	if (s->n > SW_CONFIG_FILES_MAX)
		return 0;
	bigger = reallocarray(s->v, s->n + 1, sizeof(*bigger));
	if (!bigger)
		return -ENOMEM;
	s->v = bigger;
	bigger += s->n;
	*bigger = (struct sw_config_file){ .name = s->n == SW_CONFIG_FILES_MAX
							   ? strdup("(more files)")
							   : strndup(name, NAME_MAX_SHOWN) };
	if (!bigger->name)
		return -ENOMEM;
	sw_text_clean(bigger->name);
	if (s->n++ == SW_CONFIG_FILES_MAX) {
		(void)snprintf(bigger->why, sizeof(bigger->why),
			       "there are more than %u files", SW_CONFIG_FILES_MAX);
		return 0;
	}
	(void)snprintf(bigger->why, sizeof(bigger->why), "%s", why);
	bigger->data = TAKE_PTR(owned);
	return 0;
}

/* ---- a directory ---- */

static const char *why_not(const struct stat *st)
{
	return S_ISLNK(st->st_mode) ? "a symbolic link is not followed; put the file itself there"
	       : !S_ISREG(st->st_mode) ? "it is no plain file"
	       : st->st_size == 0 ? "it is empty"
	       : st->st_size > SW_CONFIG_FILE_MAX ? "it is larger than 64 KiB" : "";
}

static int read_file(int dirfd, const char *base, const char *name, struct sw_config_source *s)
{
	_cleanup_close_ int fd = -EBADF;
	_cleanup_secret_ struct sw_secret *data = NULL;
	struct sw_error e = {};
	struct stat st;
	const char *why;

	/* Looked at first, so that no device or pipe is ever opened. */
	if (fstatat(dirfd, base, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return sw_config_add(s, name, NULL, strerror(errno));
	why = why_not(&st);
	if (!*why) {
		fd = openat(dirfd, base, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
		if (fd < 0)
			return sw_config_add(s, name, NULL, strerror(errno));
		if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
			return sw_config_add(s, name, NULL, "it has become another");
		if (sw_secret_read_fd(fd, name, SW_CONFIG_FILE_MAX, &data, &e) < 0)
			why = sw_error_reason(&e);
	}
	return sw_config_add(s, name, TAKE_PTR(data), why);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Names of a directory in order, so that a preview is the same twice; NULL at the end. */
static int names_of(int dirfd, char ***ret_names, size_t *ret_n)
{
	int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_closedir_ DIR *d = fd < 0 ? NULL : fdopendir(fd);
	char **names = NULL;
	size_t n = 0;

	if (!d)
		return -errno;
	for (struct dirent *e; (e = readdir(d)) && n <= SW_CONFIG_FILES_MAX;) {
		char **bigger;

		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		bigger = reallocarray(names, n + 1, sizeof(*bigger));
		if (bigger && (bigger[n] = strdup(e->d_name)))
			n++;
		names = bigger ? bigger : names;
		if (!bigger)
			break;
	}
	if (n)
		qsort(names, n, sizeof(*names), by_name);
	*ret_names = names;
	*ret_n = n;
	return 0;
}

static int read_level(int dirfd, const char *above, struct sw_config_source *s)
{
	char **names = NULL;
	size_t n = 0;
	int r = names_of(dirfd, &names, &n);

	for (size_t i = 0; i < n; i++) {
		_cleanup_free_ char *name = sw_fmt("%s%s%s", above, *above ? "/" : "", names[i]);
		_cleanup_close_ int sub = -EBADF;

		if (r == 0 && !*above)
			sub = openat(dirfd, names[i], O_RDONLY | O_DIRECTORY | O_NOFOLLOW |
							      O_CLOEXEC);
		if (r == 0)
			r = !name ? -ENOMEM : sub >= 0 ? read_level(sub, name, s)
						       : read_file(dirfd, names[i], name, s);
		free(names[i]);
	}
	free(names);
	return r;
}

int sw_config_read_dir(int dirfd, struct sw_config_source *s, struct sw_error *err)
{
	int r = read_level(dirfd, "", s);

	return r < 0 ? sw_fail_errno(err, SW_EXIT_FAILED, r, "the configuration cannot be read")
		     : 0;
}

/* ---- a tar ---- */

/* "./config/ssh/x" and "ssh/x" are the same file; NULL: it would lead out. */
static const char *inside(const char *path)
{
	while (strncmp(path, "./", 2) == 0)
		path += 2;
	if (strncmp(path, SW_CONFIG_DIR "/", strlen(SW_CONFIG_DIR "/")) == 0)
		path += strlen(SW_CONFIG_DIR "/");
	if (*path == '/' || strcmp(path, "..") == 0 || strncmp(path, "../", 3) == 0 ||
	    strstr(path, "/../") || sw_ends_with(path, "/.."))
		return NULL;
	return path;
}

static int take_entry(struct archive *a, struct archive_entry *e, struct sw_config_source *s)
{
	const char *path = archive_entry_pathname(e), *name = path ? inside(path) : NULL;
	la_int64_t size = archive_entry_size(e);
	_cleanup_secret_ struct sw_secret *data = NULL;
	struct sw_error ignored = {};
	const char *why = "";

	if (name && (archive_entry_filetype(e) == AE_IFDIR || !*name))
		return 0;
	if (!name)
		return sw_config_add(s, path ? path : "(a name that cannot be read)", NULL,
				     "its name would lead out of the directory");
	if (archive_entry_hardlink(e) || archive_entry_filetype(e) == AE_IFLNK)
		why = "a link is not followed; put the file itself there";
	else if (archive_entry_filetype(e) != AE_IFREG)
		why = "it is no plain file";
	else if (size <= 0)
		why = "it is empty";
	else if (size > SW_CONFIG_FILE_MAX)
		why = "it is larger than 64 KiB";
	if (!*why && sw_secret_new((size_t)size, &data, &ignored) < 0)
		return -ENOMEM;
	if (!*why && archive_read_data(a, data->data, data->len) != (la_ssize_t)size)
		return -EBADMSG;
	return sw_config_add(s, name, TAKE_PTR(data), why);
}

int sw_config_read_tar(const char *path, struct sw_config_source *s, struct sw_error *err)
{
	struct archive *a = archive_read_new();
	struct archive_entry *e;
	int r = 0, n = ARCHIVE_OK;

	if (!a)
		return sw_fail_oom(err);
	archive_read_support_filter_none(a);
	archive_read_support_format_tar(a);
	if (archive_read_open_filename(a, path, 16384) != ARCHIVE_OK)
		r = -EBADMSG;
	while (r == 0 && s->n <= SW_CONFIG_FILES_MAX &&
	       (n = archive_read_next_header(a, &e)) == ARCHIVE_OK)
		r = take_entry(a, e, s);
	if (r == 0 && n != ARCHIVE_OK && n != ARCHIVE_EOF)
		r = -EBADMSG;
	if (r == -EBADMSG) {
		sw_fail(err, SW_EXIT_INVALID, r, "this is no configuration");
		sw_error_where(err, "%s", path);
		sw_error_why(err, "%s", sw_archive_why(a));
		sw_error_hint(err, "name a directory, or a tar that is not compressed");
	} else if (r < 0) {
		sw_fail_oom(err);
	}
	archive_read_free(a);
	return r;
}
