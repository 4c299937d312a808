/* SPDX-License-Identifier: Apache-2.0 */
/* vfat without mounting it: mkfs.vfat and mtools. */
#include <ctype.h>
#include <fcntl.h>
#include <ftw.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/proc.h"
#include "layout/content-maker.h"

/*
 * FAT labels: 11 characters, upper case, ASCII; what FAT does not take becomes
 * "_", a character of several bytes one.
 */
static void fat_label(struct sw_maker *m)
{
	size_t n = 0;

	for (const char *c = m->p->label; *c && n < SW_LABEL_FAT; c++) {
		unsigned char b = (unsigned char)*c;

		if ((b & 0xc0) == 0x80)
			continue;
		m->label[n++] = b >= 0x80 || b < 0x20 || strchr("*?.,;:/\\|+=<>[]\"", b)
					? '_' : (char)toupper(b);
	}
	m->label[n] = '\0';
}

/* FAT has only files and directories; mcopy would follow a link out of the tree. */
static int only_plain(const char *path SW_UNUSED, const struct stat *st, int kind SW_UNUSED,
		      struct FTW *at SW_UNUSED)
{
	return S_ISREG(st->st_mode) || S_ISDIR(st->st_mode) ? 0 : 1;
}

static int fill_vfat(struct sw_maker *m)
{
	_cleanup_closedir_ DIR *d = opendir(m->tree);
	const char *env[] = { "MTOOLS_SKIP_CHECK=1", NULL };
	const struct dirent *e;
	int r = d ? 0 : -errno;

	if (r == 0 && nftw(m->tree, only_plain, 16, FTW_PHYS) != 0)
		return sw_maker_refuse(m, -EOPNOTSUPP, "a link, device or socket",
				  "vfat has only files and directories");
	while (r == 0 && d && (e = readdir(d))) {
		_cleanup_free_ char *from = sw_fmt("%s/%s", m->tree, e->d_name);
		const char *argv[] = { "mcopy", "-s", "-Q", "-m", "-i", m->image, from, "::/",
				       NULL };

		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		r = from ? sw_proc_check(argv, env, SW_MKFS_TIMEOUT_S, m->err)
			 : sw_fail_oom(m->err);
	}
	return r;
}

/*
 * The FATs and the root directory are zeros but for their first bytes; as holes
 * of the image file they would not be copied, so they are written out.
 * Format: Microsoft's FAT specification 1.03, the BPB.
 */
static int write_out_fats(struct sw_maker *m)
{
	_cleanup_close_ int fd = open(m->image, O_RDONLY | O_CLOEXEC);
	uint8_t b[512];
	uint64_t bytes, fat, end;

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
	return sw_maker_write_out(m, 0, end + (uint64_t)b[13] * bytes);
}

int sw_maker_vfat(struct sw_maker *m)
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
	r = sw_proc_check(argv, NULL, SW_MKFS_TIMEOUT_S, m->err);
	if (r == 0 && m->tree)
		r = fill_vfat(m);
	if (r < 0)
		return r;
	r = write_out_fats(m);
	if (r < 0)
		return sw_fail_errno(m->err, SW_EXIT_FAILED, r, "cannot prepare the vfat image");
	return 0;
}
