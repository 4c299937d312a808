/* SPDX-License-Identifier: Apache-2.0 */
/*
 * XFS without mounting it: mkfs.xfs makes what a prototype file describes. Its
 * words end at white space and it has no word for the sticky bit; what does not
 * go into it is refused. Format: mkfs.xfs(8), -p protofile.
 */
#include <dirent.h>
#include <endian.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/proc.h"
#include "layout/content-maker.h"

#define DEPTH_MAX 64U

static bool has_space(const char *text)
{
	return strpbrk(text, " \t\n\r\v\f") != NULL;
}

/* "d--755": kind, set-user-id, set-group-id, permissions. */
static int add_mode(struct sw_buf *b, char kind, const struct stat *st)
{
	return sw_buf_addf(b, "%c%c%c%03o %u %u", kind, st->st_mode & S_ISUID ? 'u' : '-',
			   st->st_mode & S_ISGID ? 'g' : '-', st->st_mode & 0777, st->st_uid,
			   st->st_gid);
}

static int add_link(struct sw_maker *m, struct sw_buf *b, const char *path, const struct stat *st)
{
	char target[PATH_MAX];
	ssize_t n = readlink(path, target, sizeof(target) - 1);
	int r;

	if (n <= 0)
		return sw_maker_refuse(m, -EIO, path, NULL);
	target[n] = '\0';
	if (has_space(target))
		return sw_maker_refuse(m, -EOPNOTSUPP, path,
				       "it is a link to a name with white space, which "
				       "mkfs.xfs does not take");
	r = add_mode(b, 'l', st);
	return r < 0 ? r : sw_buf_addf(b, " %s\n", target);
}

static bool has_setgid(const char *dir)
{
	struct stat st;

	return stat(dir, &st) == 0 && st.st_mode & S_ISGID;
}

static int add_dir(struct sw_maker *m, struct sw_buf *b, const char *path, unsigned int depth);

static int add_entry(struct sw_maker *m, struct sw_buf *b, const char *dir, const char *name,
		     unsigned int depth)
{
	_cleanup_free_ char *path = sw_fmt("%s/%s", dir, name);
	struct stat st;
	int r;

	if (!path)
		return -ENOMEM;
	if (lstat(path, &st) < 0)
		return sw_maker_refuse(m, -errno, path, NULL);
	if (has_space(path))
		return sw_maker_refuse(m, -EOPNOTSUPP, path,
				       "mkfs.xfs takes no names with white space");
	if (!S_ISLNK(st.st_mode) && st.st_mode & S_ISVTX)
		return sw_maker_refuse(m, -EOPNOTSUPP, path, "mkfs.xfs knows no sticky bit");
	r = sw_buf_addf(b, "%s ", name);
	if (r < 0)
		return r;
	if (S_ISLNK(st.st_mode))
		return add_link(m, b, path, &st);
	if (S_ISREG(st.st_mode)) {
		r = add_mode(b, '-', &st);
		return r < 0 ? r : sw_buf_addf(b, " %s\n", path);
	}
	if (!S_ISDIR(st.st_mode))
		return sw_maker_refuse(m, -EOPNOTSUPP, path, "it is a device, pipe or socket");
	if (!(st.st_mode & S_ISGID) && has_setgid(dir))
		return sw_maker_refuse(m, -EOPNOTSUPP, path,
				       "mkfs.xfs hands the set-group-ID bit of the directory "
				       "above on to it");
	r = add_mode(b, 'd', &st);
	if (r >= 0)
		r = sw_buf_adds(b, "\n");
	return r < 0 ? r : add_dir(m, b, path, depth + 1);
}

static int add_dir(struct sw_maker *m, struct sw_buf *b, const char *path, unsigned int depth)
{
	struct dirent **list = NULL;
	int n, r = 0;

	if (depth > DEPTH_MAX)
		return sw_maker_refuse(m, -ELOOP, path, "its directories are too deep");
	n = scandir(path, &list, NULL, alphasort);
	if (n < 0)
		return sw_maker_refuse(m, -errno, path, NULL);
	for (int i = 0; i < n; i++) {
		if (r >= 0 && strcmp(list[i]->d_name, ".") && strcmp(list[i]->d_name, ".."))
			r = add_entry(m, b, path, list[i]->d_name, depth);
		free(list[i]);
	}
	free(list);
	return r < 0 ? r : sw_buf_adds(b, "$\n");
}

/* The first three lines are a boot file, sizes (both unused) and the top directory. */
static int write_proto(struct sw_maker *m, const char *path)
{
	_cleanup_buf_ struct sw_buf b = {};
	int r = sw_buf_adds(&b, "/\n0 0\nd--755 0 0\n");

	if (r >= 0)
		r = add_dir(m, &b, m->tree, 0);
	if (r == -ENOMEM)
		return sw_fail_oom(m->err);
	if (r < 0)
		return r;
	r = sw_file_write(path, b.data, b.len, 0600);
	return r < 0 ? sw_fail_errno(m->err, SW_EXIT_FAILED, r, "cannot write the prototype file")
		     : 0;
}

/*
 * The log is zeros, and recovery looks through all of it: as a hole of the image
 * file it would not be copied, and what an older XFS left there would be replayed.
 * Format: the superblock of "XFS Algorithms & Data Structures", big endian.
 */
static int write_out_log(struct sw_maker *m)
{
	_cleanup_close_ int fd = open(m->image, O_RDONLY | O_CLOEXEC);
	uint8_t b[512];
	uint64_t start, ag, block;
	uint32_t size, per_ag, len;
	uint8_t shift;

	if (fd < 0 || pread(fd, b, sizeof(b), 0) != (ssize_t)sizeof(b) || memcmp(b, "XFSB", 4))
		return -EIO;
	memcpy(&size, b + 4, 4);
	memcpy(&start, b + 48, 8);
	memcpy(&per_ag, b + 84, 4);
	memcpy(&len, b + 96, 4);
	size = be32toh(size);
	start = be64toh(start);
	shift = b[124];
	if (shift == 0 || shift > 31)
		return -EIO;
	ag = start >> shift;
	block = ag * be32toh(per_ag) + (start & ((1ULL << shift) - 1));
	return sw_maker_write_out(m, block * size, (uint64_t)be32toh(len) * size);
}

int sw_maker_xfs(struct sw_maker *m)
{
	_cleanup_free_ char *proto = sw_fmt("%s/proto", m->work);
	_cleanup_free_ char *uuid = sw_fmt("uuid=%s", m->uuid);
	_cleanup_free_ char *sector = sw_fmt("size=%u", m->sector);
	const char *argv[] = { "mkfs.xfs", "-q", "-f", "-K", "-L", m->label, "-m", uuid, "-s",
			       sector, m->tree ? "-p" : m->image, m->tree ? proto : NULL,
			       m->image, NULL };
	int r;

	if (!proto || !uuid || !sector)
		return sw_fail_oom(m->err);
	sw_maker_cut_label(m, SW_LABEL_XFS);
	r = m->tree ? write_proto(m, proto) : 0;
	if (r >= 0)
		r = sw_proc_check(argv, NULL, SW_MKFS_TIMEOUT_S, m->err);
	if (m->tree)
		(void)unlink(proto);
	if (r < 0)
		return r;
	r = write_out_log(m);
	return r < 0 ? sw_fail_errno(m->err, SW_EXIT_FAILED, r, "cannot prepare the xfs image") : 0;
}
