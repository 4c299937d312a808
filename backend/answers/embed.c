/* SPDX-License-Identifier: Apache-2.0 */
#include "answers/embed.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "answers/sources.h"
#include "base/buf.h"
#include "base/file.h"
#include "base/proc.h"
#include "base/strv.h"
#include "machine/iso.h"

#define XORRISO_TIMEOUT 600	/* seconds; a limit for slow disks, it takes one or two */

static int fail_image(const char *iso, enum sw_exit exit, int r, const char *what,
		      const char *why, const char *hint, struct sw_error *err)
{
	(void)sw_fail(err, exit, r, "%s", what);
	sw_error_where(err, "%s", iso);
	sw_error_why(err, "%s", why);
	sw_error_hint(err, "%s", hint);
	return r;
}

/* ret_uuid: malloc'd; as xorriso and blkid write it, with dashes. */
static int open_image(const char *iso, char **ret_uuid, struct stat *ret_st, struct sw_error *err)
{
	_cleanup_close_ int fd = open(iso, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0 || fstat(fd, ret_st) < 0)
		return fail_image(iso, SW_EXIT_MISSING, -errno, "the image cannot be read",
				  strerror(errno), "give the path of slipway.iso", err);
	if (!S_ISREG(ret_st->st_mode))
		return fail_image(iso, SW_EXIT_USAGE, -EINVAL, "this is not an image file",
				  "a stick or disc that was written already is not changed",
				  "embed into slipway.iso and write that, or put slipway.yaml on a "
				  "FAT partition labelled SLIPWAY of another stick", err);
	if (!sw_iso_is_ours(fd) ||
	    sw_iso_uuid(fd, 0, (uint64_t)ret_st->st_size, ret_uuid) < 0)
		return fail_image(iso, SW_EXIT_INVALID, -EINVAL, "this is no image of slipway",
				  "it has no ISO 9660 file system labelled " SW_ISO_LABEL,
				  "give the path of slipway.iso", err);
	return 0;
}

/* xorriso takes every path below /dev for a drive, /dev/shm too, unless told. */
static char *drive(const char *path)
{
	return sw_fmt("stdio:%s", path);
}

static int run_xorriso(char *const *argv, struct sw_error *err)
{
	int r = sw_proc_check((const char *const *)argv, NULL, XORRISO_TIMEOUT, err);

	if (r == -ENOENT)
		sw_error_hint(err, "install xorriso (Debian: apt-get install xorriso)");
	return r;
}

/* Adds all words up to NULL to an argument list. */
static int add_words(char ***argv, const char *const *words)
{
	int r = 0;

	for (size_t i = 0; words[i] && r == 0; i++)
		r = sw_strv_add(argv, words[i]);
	return r;
}

/* ---- reading ---- */

/* One file of the image; 1 when it is there. */
static int extract(const char *iso, const char *name, struct sw_buf *b, struct sw_error *err)
{
	_cleanup_free_ char *dir = NULL, *from = drive(iso), *path = sw_fmt("/%s", name);
	_cleanup_free_ char *to = NULL;
	_cleanup_strv_ char **argv = NULL;
	struct sw_buf said = { .max = 65536 };
	int r = from && path ? sw_scratch_new("slipway-iso", &dir) : -ENOMEM;

	if (r == 0 && !(to = sw_fmt("%s/file", dir)))
		r = -ENOMEM;
	if (r == 0)
		r = add_words(&argv, (const char *const[]){ "xorriso", "-abort_on", "NEVER",
			"-report_about", "SORRY", "-osirrox", "on", "-indev", from, "-extract",
			path, to, NULL });
	if (r == 0)
		r = sw_proc_run((const char *const *)argv, NULL, XORRISO_TIMEOUT, &said);
	sw_buf_clear(&said);
	if (r < 0)
		(void)sw_fail_errno(err, r == -ENOENT ? SW_EXIT_MISSING : SW_EXIT_FAILED, r,
				    "the image cannot be read with xorriso");
	/* It complains about a file that is not there, which is no error here. */
	if (r >= 0)
		r = sw_file_read(to, b) == 0;
	if (dir)
		(void)sw_remove_tree(dir);
	return r;
}

static int split_lines(char *text, char ***ret_lines)
{
	char *line;
	int r = 0;

	while (r == 0 && (line = strsep(&text, "\n")))
		if (*line)
			r = sw_strv_add(ret_lines, line);
	return r;
}

static int read_embedded(const char *iso, struct sw_embedded *e, struct sw_error *err)
{
	_cleanup_buf_ struct sw_buf list = { .max = 65536 }, text = { .max = 1 << 20 };
	_cleanup_free_ char *lines = NULL;
	int r = extract(iso, SW_EMBED_LIST, &list, err);

	if (r > 0)
		r = extract(iso, SW_ANSWERS_FILE, &text, err);
	if (r <= 0)
		return r;
	e->answers = sw_buf_steal(&text);
	lines = sw_buf_steal(&list);
	return e->answers && lines && split_lines(lines, &e->files) == 0 ? 0 : sw_fail_oom(err);
}

int sw_embed_read(const char *iso, struct sw_embedded *ret_embedded, struct sw_error *err)
{
	_cleanup_embedded_ struct sw_embedded e = {};
	_cleanup_free_ char *uuid = NULL;
	struct stat st;
	int r = open_image(iso, &uuid, &st, err);

	if (r == 0)
		r = read_embedded(iso, &e, err);
	if (r < 0)
		return r;
	*ret_embedded = e;
	e = (struct sw_embedded){};
	return 0;
}

void sw_embedded_clear(struct sw_embedded *e)
{
	free(e->answers);
	sw_strv_free(e->files);
	*e = (struct sw_embedded){};
}

/* ---- writing ---- */

/* One new image from an old one. */
struct writing {
	const char *iso, *out;
	char *uuid;
	struct stat st;
	char *part;		/* the new image until it is complete */
	struct sw_embedded old;
};

static void writing_clear(struct writing *w)
{
	if (w->part)
		(void)unlink(w->part);
	free(w->part);
	free(w->uuid);
	sw_embedded_clear(&w->old);
}

static int open_writing(struct writing *w, struct sw_error *err)
{
	int r = open_image(w->iso, &w->uuid, &w->st, err);

	if (r == 0)
		r = read_embedded(w->iso, &w->old, err);
	if (r < 0)
		return r;
	/* Beside the target, so that the rename stays in one file system. */
	w->part = sw_fmt("%s.part-%d", w->out, (int)getpid());
	if (!w->part)
		return sw_fail_oom(err);
	(void)unlink(w->part);
	return 0;
}

/* The image as it is, with the same date; what was embedded before is taken away first. */
static int begin(const struct writing *w, char ***argv)
{
	_cleanup_free_ char *from = drive(w->iso), *to = drive(w->part), *stamp = strdup(w->uuid);
	char *p = stamp;
	int r;

	if (!from || !to || !stamp)
		return -ENOMEM;
	for (const char *q = w->uuid; *q; q++)
		if (*q != '-')
			*p++ = *q;
	*p = '\0';
	r = add_words(argv, (const char *const[]){ "xorriso", "-report_about", "WARNING", "-indev",
		from, "-outdev", to, "-boot_image", "any", "replay", "-boot_image", "any",
		"gpt_disk_guid=volume_date_uuid", "-volume_date", "uuid", stamp, "-joliet", "on",
		NULL });
	for (size_t i = 0; r == 0 && w->old.files && w->old.files[i]; i++) {
		_cleanup_free_ char *path = sw_fmt("/%s", w->old.files[i]);

		r = path ? add_words(argv, (const char *const[]){ "-rm", path, "--", NULL })
			 : -ENOMEM;
	}
	return r;
}

/* Whoever starts from it finds it by its UUID: that must not have changed. */
static int check_result(const struct writing *w, struct sw_error *err)
{
	_cleanup_free_ char *uuid = NULL;
	struct stat st;
	int r = open_image(w->part, &uuid, &st, err);

	if (r == 0 && strcmp(uuid, w->uuid) != 0)
		r = fail_image(w->out, SW_EXIT_VERIFY, -EBADMSG, "the new image has lost its UUID",
			       "xorriso wrote another one", "use the xorriso of Debian 12", err);
	return r;
}

static int put_in_place(const struct writing *w, struct sw_error *err)
{
	_cleanup_close_ int fd = open(w->part, O_RDONLY | O_CLOEXEC);
	int r = fd < 0 || fchmod(fd, w->st.st_mode & 0777) < 0 || fsync(fd) < 0 ? -errno : 0;

	if (r == 0 && rename(w->part, w->out) < 0)
		r = -errno;
	if (r < 0)
		(void)sw_fail_errno(err, SW_EXIT_FAILED, r, "the new image cannot be put in place");
	return r;
}

static int write_image(struct writing *w, char ***argv, struct sw_error *err)
{
	int r = add_words(argv, (const char *const[]){ "-chown_r", "0", "/", "--", "-chgrp_r", "0",
						       "/", "--", "-commit", NULL });

	if (r < 0)
		return sw_fail_oom(err);
	r = run_xorriso(*argv, err);
	if (r < 0) {
		sw_error_where(err, "%s", w->out);
		return r;
	}
	r = check_result(w, err);
	return r < 0 ? r : put_in_place(w, err);
}

/* ---- what goes in ---- */

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static int check_name(const char *path, const char *name, struct sw_error *err)
{
	static const char *const taken[] = { "boot", "packages.txt", SW_EMBED_LIST };
	bool bad = !*name || strchr(name, '\n') || strlen(name) > 64;
	struct stat st;

	for (size_t i = 0; i < ARRAY_SIZE(taken); i++)
		bad = bad || strcmp(name, taken[i]) == 0;
	if (bad)
		return fail_image(path, SW_EXIT_USAGE, -EINVAL, "a file cannot have this name",
				  "it is the medium's own, empty, or longer than 64 characters",
				  "give it another name", err);
	if (stat(path, &st) < 0)
		return fail_image(path, SW_EXIT_MISSING, -errno, "a file to embed is not there",
				  strerror(errno), "check the path", err);
	if (!S_ISREG(st.st_mode))
		return fail_image(path, SW_EXIT_USAGE, -EINVAL, "only files can be embedded",
				  "this is a directory or something else", "name each file", err);
	return 0;
}

/* The list is a file of the image too, and names itself. */
static int map_files(char *const *files, const char *list_path, char ***argv, struct sw_error *err)
{
	_cleanup_buf_ struct sw_buf list = { .max = 65536 };
	int r = sw_buf_adds(&list, SW_EMBED_LIST "\n") < 0 ? sw_fail_oom(err) : 0;

	for (size_t i = 0; files[i] && r == 0; i++) {
		const char *name = i ? base_name(files[i]) : SW_ANSWERS_FILE;
		_cleanup_free_ char *to = sw_fmt("/%s", name), *line = sw_fmt("\n%s\n", name);

		r = check_name(files[i], name, err);
		if (r == 0 && to && line && strstr(sw_buf_text(&list), line))
			return fail_image(files[i], SW_EXIT_USAGE, -EEXIST,
					  "two files of one name",
					  "both would be at the root",
					  "rename one of them", err);
		if (r == 0 && (!to || !line || sw_buf_adds(&list, line + 1) < 0 ||
			       add_words(argv, (const char *const[]){ "-map", files[i], to,
								      NULL }) < 0))
			r = sw_fail_oom(err);
	}
	if (r < 0)
		return r;
	r = sw_file_write(list_path, list.data, list.len, 0644);
	if (r == 0)
		r = add_words(argv, (const char *const[]){ "-map", list_path, "/" SW_EMBED_LIST,
							   NULL });
	return r < 0 ? sw_fail_errno(err, SW_EXIT_FAILED, r, "cannot embed") : 0;
}

static int embed_with(struct writing *w, char *const *files, const char *dir,
		      struct sw_error *err)
{
	_cleanup_free_ char *list_path = sw_fmt("%s/%s", dir, SW_EMBED_LIST);
	_cleanup_strv_ char **argv = NULL;
	int r = list_path && begin(w, &argv) == 0 ? 0 : sw_fail_oom(err);

	if (r == 0)
		r = map_files(files, list_path, &argv, err);
	return r < 0 ? r : write_image(w, &argv, err);
}

int sw_embed(const char *iso, char *const *files, const char *out, struct sw_error *err)
{
	_cleanup_(writing_clear) struct writing w = { .iso = iso, .out = out ? out : iso };
	_cleanup_answers_ struct sw_answers *a = NULL;
	_cleanup_free_ char *dir = NULL;
	int r = sw_answers_read(files[0], &a, err);

	if (r == 0)
		r = open_writing(&w, err);
	if (r == 0 && sw_scratch_new("slipway-iso", &dir) < 0)
		r = sw_fail(err, SW_EXIT_FAILED, -EIO, "no scratch directory");
	if (r == 0)
		r = embed_with(&w, files, dir, err);
	if (dir)
		(void)sw_remove_tree(dir);
	return r;
}

int sw_embed_clear(const char *iso, const char *out, struct sw_error *err)
{
	_cleanup_(writing_clear) struct writing w = { .iso = iso, .out = out ? out : iso };
	_cleanup_strv_ char **argv = NULL;
	int r = open_writing(&w, err);

	if (r < 0)
		return r;
	if (!w.old.files)
		return fail_image(iso, SW_EXIT_MISSING, -ENOENT, "nothing is embedded here",
				  "it has no " SW_EMBED_LIST, "there is nothing to do", err);
	r = begin(&w, &argv) < 0 ? sw_fail_oom(err) : 0;
	return r < 0 ? r : write_image(&w, &argv, err);
}
