/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/sysdir.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"

#define NAMES_MAX ((size_t)8 << 20)

bool sw_sysdir_is_gone(int r)
{
	return r < 0 && r != -ENOMEM && r != -EMFILE && r != -ENFILE;
}

void sw_sysdir_close(struct sw_sysdir *d)
{
	if (d->fd >= 0)
		close(d->fd);
	d->fd = -EBADF;
	sw_buf_clear(&d->names);
}

static int add_names(struct sw_buf *names, const char *entries, size_t len)
{
	const struct dirent64 *e;
	int r = 0;

	for (size_t at = 0; at < len && r == 0; at += e->d_reclen) {
		e = (const struct dirent64 *)(const void *)(entries + at);
		if (e->d_name[0] != '.')
			r = sw_buf_add(names, e->d_name, strlen(e->d_name) + 1);
	}
	return r;
}

/* Without opendir(), which asks for the kind of the file and for 32 KiB first. */
static int read_names(struct sw_sysdir *d)
{
	_Alignas(struct dirent64) char entries[4096];
	ssize_t n;
	int r = 0;

	while (r == 0 && (n = getdents64(d->fd, entries, sizeof(entries))) != 0)
		r = n < 0 ? -errno : add_names(&d->names, entries, (size_t)n);
	return r;
}

int sw_sysdir_open(int at, const char *path, struct sw_sysdir *ret_dir)
{
	struct sw_sysdir d = { .fd = openat(at, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC),
			       .names = { .max = NAMES_MAX } };
	int r = d.fd < 0 ? -errno : read_names(&d);

	if (r < 0)
		sw_sysdir_close(&d);
	else
		*ret_dir = d;
	return r;
}

const char *sw_sysdir_next(const struct sw_sysdir *d, const char *name)
{
	const char *start = (const char *)d->names.data;
	const char *next = name ? name + strlen(name) + 1 : start;

	return start && next < start + d->names.len ? next : NULL;
}

bool sw_sysdir_has(const struct sw_sysdir *d, const char *name)
{
	for (const char *n = NULL; (n = sw_sysdir_next(d, n));)
		if (strcmp(n, name) == 0)
			return true;
	return false;
}

char *sw_sysdir_line(const struct sw_sysdir *d, const char *path)
{
	_cleanup_free_ char *line = NULL;

	if (sw_file_read_line_at(d->fd, path, &line) < 0 || !*sw_text_clean(line))
		return NULL;
	return TAKE_PTR(line);
}

uint64_t sw_sysdir_u64(const struct sw_sysdir *d, const char *path, uint64_t dflt)
{
	_cleanup_close_ int fd = openat(d->fd, path, O_RDONLY | O_CLOEXEC);
	char text[24], *end;
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	uint64_t v;

	if (n <= 0 || *text < '0' || *text > '9')
		return dflt;
	text[n] = '\0';
	text[strcspn(text, " \t\r\n")] = '\0';
	errno = 0;
	v = strtoull(text, &end, 10);
	return errno || *end ? dflt : v;
}

int sw_sysdir_open_device(int at, const char *path, struct sw_sysdir *ret_dir)
{
	_cleanup_free_ char *dev = NULL;
	int r = sw_sysdir_open(at, path, ret_dir);

	if (r < 0)
		return r;
	dev = sw_sysdir_line(ret_dir, "dev");
	ret_dir->is_device = dev && sscanf(dev, "%u:%u", &ret_dir->number.major,
					   &ret_dir->number.minor) == 2;
	return 0;
}
