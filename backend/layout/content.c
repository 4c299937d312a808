/* SPDX-License-Identifier: Apache-2.0 */
#include "layout/content.h"

#include <ctype.h>
#include <fcntl.h>
#include <ftw.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/proc.h"

#define TIMEOUT_S 3600
#define EXT4_LABEL 16U
#define FAT_LABEL 11U
#define SWAP_LABEL 15U

struct maker {
	const struct sw_placement *p;
	const char *work;
	char *image, *tree;
	char uuid[SW_GUID_TEXT];	/* of the file system */
	char label[EXT4_LABEL + 1];
	uint32_t sector;
	struct sw_error *err;
};

static void maker_clear(struct maker *m)
{
	free(m->image);
	free(m->tree);
}

bool sw_layout_has_content(const struct sw_layout_part *p)
{
	return p->format || p->copy_blocks;
}

static const char *const *tools_of(const struct sw_layout_part *p)
{
	static const char *const ext4[] = { "mkfs.ext4", "cp", NULL };
	static const char *const swap[] = { "mkswap", NULL };
	static const char *const vfat[] = { "mkfs.vfat", "mcopy", "cp", NULL };

	if (!strcmp(p->format, "ext4"))
		return ext4;
	if (!strcmp(p->format, "vfat"))
		return vfat;
	return !strcmp(p->format, "swap") ? swap : NULL;
}

int sw_layout_check_content(const struct sw_layout_part *p, struct sw_error *err)
{
	const char *const *tools = p->format ? tools_of(p) : NULL;

	if (p->format && !tools) {
		sw_fail(err, SW_EXIT_INVALID, -EOPNOTSUPP, "Format=%s is not made by slipway",
			p->format);
		sw_error_where(err, "%s", p->file);
		sw_error_hint(err, "Use ext4, vfat or swap, or make it later without Format=");
		return -EOPNOTSUPP;
	}
	for (; tools && *tools; tools++)
		if (!sw_proc_exists(*tools)) {
			sw_fail(err, SW_EXIT_MISSING, -ENOENT, "%s is not installed", *tools);
			sw_error_where(err, "%s", p->file);
			return -ENOENT;
		}
	return 0;
}

/* ---- the tree ---- */

static int tree_error(struct maker *m, int r, const char *path, const char *why)
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
static int make_dirs(struct maker *m, const char *path)
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
			return tree_error(m, -errno, path, NULL);
		if (lstat(full, &st) < 0 || !S_ISDIR(st.st_mode))
			return tree_error(m, -ENOTDIR, path,
					  "its way leads through a file or a link");
		if (!c)
			return 0;
		*p = c;
	}
}

static int copy_one(struct maker *m, const char *source, const char *target)
{
	_cleanup_free_ char *full = sw_fmt("%s%s", m->tree, target), *parent = strdup(target);
	const char *argv[] = { "cp", "-a", "--remove-destination", "-T", "--", source, full, NULL };
	struct stat st;
	char *slash;
	int r;

	if (!full || !parent)
		return sw_fail_oom(m->err);
	if (lstat(source, &st) < 0)
		return tree_error(m, -errno, source, NULL);
	slash = strrchr(parent, '/');
	*slash = '\0';
	r = *parent ? make_dirs(m, parent) : 0;
	if (r == 0 && lstat(full, &st) == 0 && S_ISLNK(st.st_mode))
		r = tree_error(m, -ELOOP, target, "a link is there already");
	return r < 0 ? r : sw_proc_check(argv, NULL, TIMEOUT_S, m->err);
}

static int make_tree(struct maker *m)
{
	const struct sw_layout_part *p = m->p->part;
	int r = 0;

	m->tree = sw_fmt("%s/tree", m->work);
	if (!m->tree)
		return sw_fail_oom(m->err);
	sw_remove_tree(m->tree);
	if (mkdir(m->tree, 0755) < 0)
		return tree_error(m, -errno, m->tree, NULL);
	for (char **s = p->copy_files; r == 0 && s && *s; s += 2)
		r = copy_one(m, s[0], s[1]);
	for (char **s = p->make_directories; r == 0 && s && *s; s++)
		r = make_dirs(m, *s);
	return r;
}

/* ---- file systems ---- */

/* At most n bytes of the label, whole characters only. */
static void cut_label(struct maker *m, size_t n)
{
	const char *l = m->p->label;
	size_t len = strlen(l);

	if (len > n)
		for (len = n; len > 0 && ((unsigned char)l[len] & 0xc0) == 0x80;)
			len--;
	memcpy(m->label, l, len);
	m->label[len] = '\0';
}

static int make_ext4(struct maker *m, bool fill)
{
	_cleanup_free_ char *ext = sw_fmt("lazy_itable_init=1,lazy_journal_init=0,nodiscard,"
					  "root_owner=0:0,hash_seed=%s", m->uuid);
	/* The journal must be written as zeros: a hole is not copied and old blocks would show. */
	const char *env[] = { "UNIX_IO_NOZEROOUT=1", NULL };
	const char *argv[] = { "mkfs.ext4", "-q", "-F", "-b", "4096", "-L", m->label, "-U", m->uuid,
			       "-E", ext, fill ? "-d" : m->image, fill ? m->tree : NULL, m->image,
			       NULL };

	return ext ? sw_proc_check(argv, env, TIMEOUT_S, m->err) : sw_fail_oom(m->err);
}

/* FAT labels: 11 characters, upper case, ASCII. */
static void fat_label(struct maker *m)
{
	cut_label(m, FAT_LABEL);
	for (char *c = m->label; *c; c++)
		if (!isalnum((unsigned char)*c) && !strchr(" -_", *c))
			*c = '_';
		else
			*c = (char)toupper((unsigned char)*c);
}

/* FAT has only files and directories; mcopy would follow a link out of the tree. */
static int only_plain(const char *path SW_UNUSED, const struct stat *st, int kind SW_UNUSED,
		      struct FTW *at SW_UNUSED)
{
	return S_ISREG(st->st_mode) || S_ISDIR(st->st_mode) ? 0 : 1;
}

static int fill_vfat(struct maker *m)
{
	_cleanup_closedir_ DIR *d = opendir(m->tree);
	const char *env[] = { "MTOOLS_SKIP_CHECK=1", NULL };
	const struct dirent *e;
	int r = d ? 0 : -errno;

	if (r == 0 && nftw(m->tree, only_plain, 16, FTW_PHYS) != 0)
		return tree_error(m, -EOPNOTSUPP, "a link, device or socket",
				  "vfat has only files and directories");
	while (r == 0 && d && (e = readdir(d))) {
		_cleanup_free_ char *from = sw_fmt("%s/%s", m->tree, e->d_name);
		const char *argv[] = { "mcopy", "-s", "-Q", "-m", "-i", m->image, from, "::/",
				       NULL };

		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		r = from ? sw_proc_check(argv, env, TIMEOUT_S, m->err) : sw_fail_oom(m->err);
	}
	return r;
}

/*
 * The FATs and the root directory are zeros but for their first bytes; as holes
 * of the image file they would not be copied, so they are written out.
 * Format: Microsoft's FAT specification 1.03, the BPB.
 */
static int write_out_fats(struct maker *m)
{
	_cleanup_close_ int fd = open(m->image, O_RDWR | O_CLOEXEC);
	uint8_t b[512], *data;
	uint64_t bytes, fat, end;
	int r = 0;

	if (fd < 0 || pread(fd, b, sizeof(b), 0) != (ssize_t)sizeof(b))
		return -EIO;
	bytes = (uint64_t)b[11] | (uint64_t)b[12] << 8;
	fat = (uint64_t)b[22] | (uint64_t)b[23] << 8;
	if (!fat)
		fat = (uint64_t)b[36] | (uint64_t)b[37] << 8 | (uint64_t)b[38] << 16 |
		      (uint64_t)b[39] << 24;
	end = ((uint64_t)b[14] + ((uint64_t)b[15] << 8) + b[16] * fat) * bytes +
	      ((uint64_t)b[17] + ((uint64_t)b[18] << 8)) * 32;
	/* The first cluster too: on FAT32 the root directory is there. */
	end += (uint64_t)b[13] * bytes;
	if (end > m->p->size)
		end = m->p->size;
	data = malloc(65536);
	for (uint64_t off = 0; data && r == 0 && off < end; off += 65536) {
		size_t n = end - off < 65536 ? (size_t)(end - off) : 65536;

		if (pread(fd, data, n, (off_t)off) != (ssize_t)n ||
		    pwrite(fd, data, n, (off_t)off) != (ssize_t)n)
			r = -EIO;
	}
	free(data);
	return data ? r : -ENOMEM;
}

static int make_vfat(struct maker *m, bool fill)
{
	char id[9], sector[12];
	/* FAT32 wants 65525 clusters; in less room it is what mkfs.vfat makes of it. */
	bool fat32 = m->p->size / m->sector >= 66600;
	const char *argv[] = { "mkfs.vfat", "-i", id, "-n", m->label, "-S", sector,
			       fat32 ? "-F" : m->image, fat32 ? "32" : NULL, m->image, NULL };
	int r;

	fat_label(m);
	(void)snprintf(id, sizeof(id), "%.8s", m->uuid);
	(void)snprintf(sector, sizeof(sector), "%u", m->sector);
	r = sw_proc_check(argv, NULL, TIMEOUT_S, m->err);
	if (r == 0 && fill)
		r = fill_vfat(m);
	if (r < 0)
		return r;
	r = write_out_fats(m);
	if (r < 0)
		return sw_fail_errno(m->err, SW_EXIT_FAILED, r, "cannot prepare the vfat image");
	return 0;
}

static int make_swap(struct maker *m)
{
	const char *argv[] = { "mkswap", "-q", "-U", m->uuid, "-L", m->label, m->image, NULL };

	cut_label(m, SWAP_LABEL);
	return sw_proc_check(argv, NULL, TIMEOUT_S, m->err);
}

static int new_image(struct maker *m)
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

/* As repart: the file system's UUID comes from the partition's, so it is the same each time. */
static int fs_uuid(struct maker *m)
{
	static const char token[] = "file-system-uuid";
	struct sw_guid g;

	if (sw_guid_derive(&m->p->uuid, token, sizeof(token) - 1, &g) < 0)
		return sw_fail(m->err, SW_EXIT_INTERNAL, -EIO, "cannot derive the UUIDs");
	(void)sw_guid_format(&g, m->uuid);
	return 0;
}

int sw_layout_make_content(const struct sw_placement *p, uint32_t sector, const char *work,
			   char **ret_image, struct sw_error *err)
{
	_cleanup_(maker_clear) struct maker m = { .p = p, .work = work, .sector = sector,
						  .err = err };
	bool fill = p->part->copy_files || p->part->make_directories;
	int r;

	if (p->part->copy_blocks) {
		*ret_image = strdup(p->part->copy_blocks);
		return *ret_image ? 0 : sw_fail_oom(err);
	}
	r = sw_layout_check_content(p->part, err);
	if (r == 0)
		r = fs_uuid(&m);
	if (r == 0)
		r = new_image(&m);
	if (r == 0 && fill)
		r = make_tree(&m);
	if (r < 0)
		return r;
	cut_label(&m, EXT4_LABEL);
	if (!strcmp(p->part->format, "ext4"))
		r = make_ext4(&m, fill);
	else
		r = !strcmp(p->part->format, "vfat") ? make_vfat(&m, fill) : make_swap(&m);
	if (m.tree)
		sw_remove_tree(m.tree);
	if (r == 0)
		*ret_image = TAKE_PTR(m.image);
	return r;
}
