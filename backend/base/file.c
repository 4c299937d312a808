/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>

#define SCRATCH_BASES 3U
#define SCRATCH_OWNER ".slipway-%d."	/* before what mkdtemp() draws */
#define SCRATCH_RANDOM 6U

char *sw_fmt(const char *fmt, ...)
{
	va_list ap;
	char *s = NULL;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&s, fmt, ap);
	va_end(ap);
	return n < 0 ? NULL : s;
}

int sw_fd_read(int fd, struct sw_buf *b)
{
	uint8_t chunk[16384];

	for (;;) {
		ssize_t n = read(fd, chunk, sizeof(chunk));
		int r;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return sw_buf_reserve(b, 0);
		r = sw_buf_add(b, chunk, (size_t)n);
		if (r < 0)
			return r;
	}
}

int sw_file_read(const char *path, struct sw_buf *b)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -errno : sw_fd_read(fd, b);
}

static int take_line(const char *text, char **ret_line)
{
	size_t n = strcspn(text, "\n");
	char *s;

	while (n > 0 && strchr(" \t\r", text[n - 1]))
		n--;
	s = strndup(text, n);
	if (!s)
		return -ENOMEM;
	*ret_line = s;
	return 0;
}

int sw_file_read_line_at(int at, const char *path, char **ret_line)
{
	_cleanup_close_ int fd = openat(at, path, O_RDONLY | O_CLOEXEC);
	_cleanup_buf_ struct sw_buf b = { .max = 65536 };
	char first[4096];
	ssize_t n = fd < 0 ? -1 : read(fd, first, sizeof(first) - 1);
	int r;

	/* Mostly one read is all: facts read thousands of such files. */
	if (n >= 0 && memchr(first, '\n', (size_t)n)) {
		first[n] = '\0';
		return take_line(first, ret_line);
	}
	if (n < 0 && (fd < 0 || errno != EINTR))
		return -errno;
	r = sw_buf_add(&b, first, n < 0 ? 0 : (size_t)n);
	if (r == 0)
		r = sw_fd_read(fd, &b);
	return r < 0 ? r : take_line(sw_buf_text(&b), ret_line);
}

int sw_file_read_line(const char *path, char **ret_line)
{
	return sw_file_read_line_at(AT_FDCWD, path, ret_line);
}

int sw_fd_write_all(int fd, const void *data, size_t len)
{
	const uint8_t *p = data;

	while (len > 0) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

int sw_fd_copy(int from, uint64_t off, uint64_t len, int to)
{
	off_t at = (off_t)off;

	while (len > 0) {
		ssize_t n = sendfile(to, from, &at, len > 1U << 30 ? 1U << 30 : (size_t)len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -ENODATA;
		len -= (uint64_t)n;
	}
	return 0;
}

int sw_file_write(const char *path, const void *data, size_t len, unsigned int mode)
{
	_cleanup_free_ char *tmp = sw_fmt("%s.XXXXXX", path);
	_cleanup_close_ int fd = -EBADF;
	int r;

	if (!tmp)
		return -ENOMEM;
	fd = mkostemp(tmp, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	r = sw_fd_write_all(fd, data, len);
	if (r == 0 && (fchmod(fd, mode) < 0 || fsync(fd) < 0 || rename(tmp, path) < 0))
		r = -errno;
	if (r < 0)
		(void)unlink(tmp);
	return r;
}

int sw_mkdir_all(const char *path, unsigned int mode)
{
	_cleanup_free_ char *p = strdup(path);

	if (!p)
		return -ENOMEM;
	for (char *s = p + 1; *s; s++) {
		if (*s != '/')
			continue;
		*s = '\0';
		if (mkdir(p, mode) < 0 && errno != EEXIST)
			return -errno;
		*s = '/';
	}
	return mkdir(p, mode) < 0 && errno != EEXIST ? -errno : 0;
}

/* Where scratch directories may lie; NULL: no such place. */
static const char *scratch_base(size_t i)
{
	const char *bases[] = { getenv("TMPDIR"), "/tmp", "/run" };

	return bases[i] && *bases[i] ? bases[i] : NULL;
}

/* What names whose a directory is, in a process that may be killed; else nothing. */
static char scratch_owner[32] = ".";

void sw_scratch_sign(void)
{
	(void)snprintf(scratch_owner, sizeof(scratch_owner), SCRATCH_OWNER, getpid());
}

int sw_scratch_new(const char *prefix, char **ret_path)
{
	int first = 0;

	for (size_t i = 0; i < SCRATCH_BASES; i++) {
		_cleanup_free_ char *p = NULL;

		if (!scratch_base(i))
			continue;
		p = sw_fmt("%s/%s%sXXXXXX", scratch_base(i), prefix, scratch_owner);
		if (!p)
			return -ENOMEM;
		if (mkdtemp(p)) {
			*ret_path = TAKE_PTR(p);
			return 0;
		}
		if (!first)
			first = -errno;
	}
	return first;
}

static bool is_scratch_of(int base, const char *name, const char *owner)
{
	size_t n = strlen(name), tail = strlen(owner) + SCRATCH_RANDOM;
	struct stat st;

	return n > tail && strncmp(name + n - tail, owner, strlen(owner)) == 0 &&
	       fstatat(base, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode) &&
	       st.st_uid == geteuid();
}

static void sweep(const char *base, const char *owner)
{
	DIR *d = opendir(base);
	struct dirent *e;

	while (d && (e = readdir(d))) {
		_cleanup_(sw_scratch_clear) char *path = NULL;

		if (is_scratch_of(dirfd(d), e->d_name, owner))
			path = sw_fmt("%s/%s", base, e->d_name);
	}
	if (d)
		(void)closedir(d);
}

void sw_scratch_sweep(pid_t pid)
{
	char owner[32];

	(void)snprintf(owner, sizeof(owner), SCRATCH_OWNER, pid);
	for (size_t i = 0; i < SCRATCH_BASES; i++)
		if (scratch_base(i))
			sweep(scratch_base(i), owner);
}

static int remove_one(const char *path, const struct stat *st SW_UNUSED, int flag SW_UNUSED,
		      struct FTW *f SW_UNUSED)
{
	return remove(path) < 0 && errno != ENOENT ? -1 : 0;
}

int sw_remove_tree(const char *path)
{
	if (nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT) < 0 && errno != ENOENT)
		return -errno;
	return 0;
}

void sw_scratch_clear(char **path)
{
	if (*path)
		(void)sw_remove_tree(*path);
	free(*path);
}
