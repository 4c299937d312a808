/* SPDX-License-Identifier: Apache-2.0 */
#include "layout/content.h"

#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/proc.h"
#include "base/size.h"
#include "boot/slot.h"
#include "layout/content-maker.h"

#define XFS_LEAST (300ULL << 20)	/* what mkfs.xfs has refused to go below since 5.19 */
#define SMALL_JOURNAL (1ULL << 30)	/* from here on the journal is 32 MiB */

static void maker_clear(struct sw_maker *m)
{
	free(m->image);
	free(m->tree);
}

bool sw_layout_has_content(const struct sw_layout_part *p)
{
	return p->format || p->copy_blocks;
}

struct kind {
	const char *format;
	const char *tools[3];
	int (*make)(struct sw_maker *m);
};

static int make_ext4(struct sw_maker *m);
static int make_swap(struct sw_maker *m);
static int make_btrfs(struct sw_maker *m);
static int make_squashfs(struct sw_maker *m);

static const struct kind kinds[] = {
	{ "ext4", { "mkfs.ext4" }, make_ext4 },
	{ "vfat", { "mkfs.vfat", "mcopy" }, sw_maker_vfat },
	{ "swap", { "mkswap" }, make_swap },
	{ "xfs", { "mkfs.xfs" }, sw_maker_xfs },
	{ "btrfs", { "mkfs.btrfs" }, make_btrfs },
	{ "squashfs", { "mksquashfs" }, make_squashfs },
};

static const struct kind *kind_of(const char *format)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (!strcmp(kinds[i].format, format))
			return &kinds[i];
	return NULL;
}

bool sw_layout_format_known(const char *format)
{
	return kind_of(format) != NULL;
}

static int no_tool(const struct sw_layout_part *p, const char *tool, struct sw_error *err)
{
	sw_fail(err, SW_EXIT_MISSING, -ENOENT, "%s is not installed", tool);
	sw_error_where(err, "%s", p->file);
	return -ENOENT;
}

static int check_size(const struct sw_layout_part *p, uint64_t size, struct sw_error *err)
{
	char text[16];

	if (strcmp(p->format, "xfs") != 0 || size >= XFS_LEAST)
		return 0;
	sw_fail(err, SW_EXIT_INVALID, -ENOSPC, "Format=xfs needs 300M, and its partition gets %s",
		sw_size_format(size, text, sizeof(text)));
	sw_error_where(err, "%s", p->file);
	sw_error_hint(err, "Give SizeMinBytes=300M, or use ext4");
	return -ENOSPC;
}

static int check_sources(const struct sw_layout_part *p, struct sw_error *err)
{
	struct stat st;

	for (char **s = p->copy_files; s && *s; s += 2) {
		int r = lstat(s[0], &st) < 0 ? -errno : 0;

		if (r == 0)
			continue;
		sw_fail_errno(err, SW_EXIT_MISSING, r, "CopyFiles=%s cannot be copied", s[0]);
		sw_error_where(err, "%s", p->file);
		return r;
	}
	return 0;
}

int sw_layout_check_content(const struct sw_layout_part *p, uint64_t size, struct sw_error *err)
{
	const struct kind *k = p->format ? kind_of(p->format) : NULL;
	int r;

	if (!p->format)
		return 0;
	if (!k)
		return sw_fail(err, SW_EXIT_INVALID, -EOPNOTSUPP,
			       "Format=%s is not made by slipway", p->format);
	for (size_t i = 0; i < ARRAY_SIZE(k->tools) && k->tools[i]; i++)
		if (!sw_proc_exists(k->tools[i]))
			return no_tool(p, k->tools[i], err);
	if (p->copy_files && !sw_proc_exists("cp"))
		return no_tool(p, "cp", err);
	r = check_size(p, size, err);
	return r < 0 ? r : check_sources(p, err);
}

/* ---- the tree ---- */

int sw_maker_refuse(struct sw_maker *m, int r, const char *path, const char *why)
{
	sw_fail(m->err, SW_EXIT_FAILED, r, "%s cannot be put into the file system", path);
	sw_error_where(m->err, "%s", m->p->part->file);
	sw_error_why(m->err, "%s", why ? why : strerror(-r));
	return r;
}

/*
 * mkdir -p below the tree. What was copied before may hold links: nothing is
 * ever made through one, or it would be made on this machine.
 */
static int make_dirs(struct sw_maker *m, const char *path)
{
	_cleanup_free_ char *full = sw_fmt("%s%s", m->tree, path);
	size_t top = strlen(m->tree);

	if (!full)
		return sw_fail_oom(m->err);
	for (char *p = full + top + 1;; p++) {
		char c = *p;
		struct stat st;

		if (c != '/' && c != '\0')
			continue;
		*p = '\0';
		if (mkdir(full, 0755) < 0 && errno != EEXIST)
			return sw_maker_refuse(m, -errno, path, NULL);
		if (lstat(full, &st) < 0 || !S_ISDIR(st.st_mode))
			return sw_maker_refuse(m, -ENOTDIR, path,
					  "its way leads through a file or a link");
		if (!c)
			return 0;
		*p = c;
	}
}

static int copy_one(struct sw_maker *m, const char *source, const char *target)
{
	_cleanup_free_ char *full = sw_fmt("%s%s", m->tree, target), *parent = strdup(target);
	const char *argv[] = { "cp", "-a", "--remove-destination", "-T", "--", source, full, NULL };
	struct stat st;
	char *slash;
	int r;

	if (!full || !parent)
		return sw_fail_oom(m->err);
	if (lstat(source, &st) < 0)
		return sw_maker_refuse(m, -errno, source, NULL);
	slash = strrchr(parent, '/');
	*slash = '\0';
	r = *parent ? make_dirs(m, parent) : 0;
	if (r == 0 && lstat(full, &st) == 0 && S_ISLNK(st.st_mode))
		r = sw_maker_refuse(m, -ELOOP, target, "a link is there already");
	return r < 0 ? r : sw_proc_check(argv, NULL, SW_MKFS_TIMEOUT_S, m->err);
}

static int make_tree(struct sw_maker *m)
{
	const struct sw_layout_part *p = m->p->part;
	int r = 0;

	m->tree = sw_fmt("%s/tree", m->work);
	if (!m->tree)
		return sw_fail_oom(m->err);
	sw_remove_tree(m->tree);
	if (mkdir(m->tree, 0755) < 0)
		return sw_maker_refuse(m, -errno, m->tree, NULL);
	for (char **s = p->copy_files; r == 0 && s && *s; s += 2)
		r = copy_one(m, s[0], s[1]);
	for (char **s = p->make_directories; r == 0 && s && *s; s++)
		r = make_dirs(m, *s);
	return r;
}

/* ---- file systems ---- */

/* At most n bytes of the label, whole characters only. */
void sw_maker_cut_label(struct sw_maker *m, size_t n)
{
	const char *l = m->p->label;
	size_t len = strlen(l);

	if (len > n)
		for (len = n; len > 0 && ((unsigned char)l[len] & 0xc0) == 0x80;)
			len--;
	memcpy(m->label, l, len);
	m->label[len] = '\0';
}

int sw_maker_write_out(struct sw_maker *m, uint64_t from, uint64_t len)
{
	_cleanup_close_ int fd = open(m->image, O_RDWR | O_CLOEXEC);
	_cleanup_free_ uint8_t *data = malloc(65536);
	uint64_t end = len > m->p->size ? m->p->size : from + len;

	if (fd < 0 || !data)
		return fd < 0 ? -errno : -ENOMEM;
	if (end > m->p->size)
		end = m->p->size;
	for (uint64_t off = from; off < end; off += 65536) {
		size_t n = end - off < 65536 ? (size_t)(end - off) : 65536;

		if (pread(fd, data, n, (off_t)off) != (ssize_t)n ||
		    pwrite(fd, data, n, (off_t)off) != (ssize_t)n)
			return -EIO;
	}
	return 0;
}

static int make_ext4(struct sw_maker *m)
{
	_cleanup_free_ char *ext = sw_fmt("lazy_itable_init=1,lazy_journal_init=0,nodiscard,"
					  "root_owner=0:0,hash_seed=%s", m->uuid);
	_cleanup_free_ char *fake = sw_fmt("E2FSPROGS_FAKE_TIME=%" PRId64, m->when);
	/* The journal must be written as zeros: a hole is not copied and old blocks would show. */
	const char *env[] = { "UNIX_IO_NOZEROOUT=1", m->when ? fake : NULL, NULL };
	const char *argv[17] = { "mkfs.ext4", "-q", "-F", "-b", "4096", "-L", m->label, "-U",
				 m->uuid, "-E", ext };
	size_t n = 11;

	if (!ext || !fake)
		return sw_fail_oom(m->err);
	sw_maker_cut_label(m, SW_LABEL_EXT4);
	if (m->p->size >= SMALL_JOURNAL) {
		argv[n++] = "-J";
		argv[n++] = "size=32";
	}
	if (m->tree) {
		argv[n++] = "-d";
		argv[n++] = m->tree;
	}
	argv[n] = m->image;
	return sw_proc_check(argv, env, SW_MKFS_TIMEOUT_S, m->err);
}

static int make_swap(struct sw_maker *m)
{
	const char *argv[] = { "mkswap", "-q", "-U", m->uuid, "-L", m->label, m->image, NULL };

	sw_maker_cut_label(m, SW_LABEL_SWAP);
	return sw_proc_check(argv, NULL, SW_MKFS_TIMEOUT_S, m->err);
}

/* All that btrfs reads it has written: a tree of checksummed blocks. */
static int make_btrfs(struct sw_maker *m)
{
	const char *argv[] = { "mkfs.btrfs", "-q", "-f", "-K", "-s", "4096", "-L", m->label, "-U",
			       m->uuid, m->tree ? "--rootdir" : m->image, m->tree, m->image, NULL };

	if (!m->tree)
		argv[11] = NULL;
	sw_maker_cut_label(m, SW_LABEL_BTRFS);
	return sw_proc_check(argv, NULL, SW_MKFS_TIMEOUT_S, m->err);
}

/* Has neither UUID nor label; it is as large as what is in it, and must fit. */
static int make_squashfs(struct sw_maker *m)
{
	_cleanup_free_ char *when = sw_fmt("%" PRId64, m->when);
	const char *argv[] = { "mksquashfs", m->tree, m->image, "-noappend", "-quiet",
			       "-no-progress", m->when ? "-mkfs-time" : NULL, when, NULL };
	char need[16], have[16];
	struct stat st;
	int r = when ? sw_proc_check(argv, NULL, SW_MKFS_TIMEOUT_S, m->err) : sw_fail_oom(m->err);

	if (r < 0)
		return r;
	if (stat(m->image, &st) < 0)
		return sw_fail_errno(m->err, SW_EXIT_FAILED, -errno, "mksquashfs made no image");
	if ((uint64_t)st.st_size > m->p->size) {
		sw_fail(m->err, SW_EXIT_INVALID, -ENOSPC,
			"the squashfs has %s and its partition %s",
			sw_size_format((uint64_t)st.st_size, need, sizeof(need)),
			sw_size_format(m->p->size, have, sizeof(have)));
		sw_error_where(m->err, "%s", m->p->part->file);
		sw_error_hint(m->err, "Give a larger SizeMinBytes=");
		return -ENOSPC;
	}
	if (truncate(m->image, (off_t)m->p->size) < 0)
		return sw_fail_errno(m->err, SW_EXIT_FAILED, -errno, "cannot write the image");
	return 0;
}

static int new_image(struct sw_maker *m)
{
	_cleanup_close_ int fd = -EBADF;

	m->image = sw_fmt("%s/partition.img", m->work);
	if (!m->image)
		return sw_fail_oom(m->err);
	(void)unlink(m->image);
	fd = open(m->image, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0 || ftruncate(fd, (off_t)m->p->size) < 0)
		return sw_fail_errno(m->err, SW_EXIT_FAILED, -errno, "cannot make a scratch file");
	return 0;
}

int sw_layout_fs_uuid(const struct sw_guid *part_uuid, struct sw_guid *ret_uuid)
{
	static const char token[] = "file-system-uuid";

	return sw_guid_derive(part_uuid, token, sizeof(token) - 1, ret_uuid);
}

static int fs_uuid(struct sw_maker *m)
{
	struct sw_guid g;

	if (sw_layout_fs_uuid(&m->p->uuid, &g) < 0)
		return sw_fail(m->err, SW_EXIT_INTERNAL, -EIO, "cannot derive the UUIDs");
	(void)sw_guid_format(&g, m->uuid);
	return 0;
}

int sw_layout_make_content(const struct sw_placement *p, uint32_t sector, int64_t when,
			   const char *work, char **ret_image, struct sw_error *err)
{
	_cleanup_(maker_clear) struct sw_maker m = { .p = p, .work = work, .sector = sector,
						     .when = when, .err = err };
	int r;

	if (p->part->copy_blocks) {
		*ret_image = strdup(p->part->copy_blocks);
		return *ret_image ? 0 : sw_fail_oom(err);
	}
	r = sw_layout_check_content(p->part, p->size, err);
	if (r == 0)
		r = fs_uuid(&m);
	if (r == 0)
		r = new_image(&m);
	if (r == 0 && (p->part->copy_files || p->part->make_directories))
		r = make_tree(&m);
	if (r == 0)
		r = kind_of(p->part->format)->make(&m);
	if (m.tree)
		sw_remove_tree(m.tree);
	if (r == 0)
		*ret_image = TAKE_PTR(m.image);
	return r;
}

/*
 * Holes of the image are not written, and whole blocks of a source may be
 * anything: with CopyBlocks= the area is cleared first, a file system does not
 * read what it did not write.
 */
int sw_layout_fill(struct sw_io *io, const struct sw_placement *p, int64_t when, const char *work,
		   unsigned int step, const struct sw_sink *sink, struct sw_error *err)
{
	_cleanup_free_ char *image = NULL;
	uint64_t size = p->part->copy_blocks ? p->part->copy_blocks_size : p->size;
	int r = sw_layout_make_content(p, io->sector, when, work, &image, err);

	if (r < 0)
		return r;
	if (p->part->copy_blocks)
		r = sw_io_zero(io, p->start, p->size);
	if (r < 0)
		sw_fail_errno(err, SW_EXIT_DIRTY, r, "cannot clear the partition");
	else
		r = sw_image_write(io, p->start, size, image, step, sink, err);
	if (!p->part->copy_blocks)
		(void)unlink(image);
	return r;
}
