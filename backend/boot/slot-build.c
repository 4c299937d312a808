/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A slot's image, made by mkfs.vfat and mtools in a file: no vfat driver, no
 * mount, no root. The same arguments give the same bytes: mkfs.vfat is told the
 * volume id and --invariant, mtools takes its clock from SOURCE_DATE_EPOCH.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/proc.h"
#include "base/size.h"
#include "boot/fat32.h"
#include "boot/slot.h"
#include "boot/slot-private.h"

#define TIMEOUT_S 300
#define FAT_EPOCH 315532800	/* 1980-01-01, the earliest date that FAT can hold */
#define CLUSTERS_MIN 65525ull

static int make_empty(const char *out, uint64_t size, struct sw_error *err)
{
	_cleanup_close_ int fd = open(out, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0 || ftruncate(fd, (off_t)size) < 0) {
		int r = -errno;

		sw_fail_errno(err, SW_EXIT_FAILED, r, "cannot create the slot image");
		sw_error_where(err, "%s", out);
		return r;
	}
	return 0;
}

static int make_fs(const char *out, uint32_t sector, uint32_t volume_id, const char *label,
		   struct sw_error *err)
{
	char s[16], id[16];
	/* --invariant sets a volume id of its own, so ours comes after it. */
	const char *argv[] = { "mkfs.vfat", "--invariant", "-F", "32", "-S", s, "-h", "0", "-i", id,
			       "-n", label, out, NULL };

	(void)snprintf(s, sizeof(s), "%u", sector);
	(void)snprintf(id, sizeof(id), "%08x", volume_id);
	return sw_proc_check(argv, NULL, TIMEOUT_S, err);
}

int sw_slot_make_fs(const char *out, uint64_t size, uint32_t sector, uint32_t volume_id,
		    const char *label, struct sw_error *err)
{
	int r = make_empty(out, size, err);

	return r < 0 ? r : make_fs(out, sector, volume_id, label, err);
}

void sw_slot_epoch(char text[static 64], int64_t time)
{
	(void)snprintf(text, 64, "SOURCE_DATE_EPOCH=%" PRId64,
		       time < FAT_EPOCH ? (int64_t)FAT_EPOCH : time);
}

/* Opens the fresh file system with our own reader: it says what fits, and that it is a FAT32. */
static int check_room(const char *out, uint64_t need, uint64_t size, uint32_t sector,
		      struct sw_error *err)
{
	_cleanup_io_ struct sw_io *io = NULL;
	_cleanup_fat_ struct sw_fat fat = {};
	char a[32], b[32];
	uint64_t space;
	int r = sw_io_open(out, false, false, 0, &io, err);

	if (r < 0)
		return r;
	r = sw_fat_open(io, 0, io->size, &fat);
	if (r < 0) {
		sw_fail(err, SW_EXIT_INVALID, -EINVAL, "a slot of %s is too small for FAT32",
			sw_size_format(size, a, sizeof(a)));
		sw_error_why(err, "with sectors of %u bytes it needs more than %s", sector,
			     sw_size_format(CLUSTERS_MIN * sector, b, sizeof(b)));
		return -EINVAL;
	}
	r = sw_fat_free_bytes(&fat, &space);
	if (r < 0)
		return sw_fail_errno(err, SW_EXIT_FAILED, r, "cannot read the new slot image");
	/* Three directories and two files, each rounded up to a cluster. */
	need += 5ull * fat.cluster;
	if (need <= space)
		return 0;
	sw_fail(err, SW_EXIT_INVALID, -ENOSPC, "the kernel image does not fit into the slot");
	sw_error_why(err, "it needs %s more than the %s that are free (%" PRIu64 " bytes too many)",
		     sw_size_format(need - space, a, sizeof(a)),
		     sw_size_format(space, b, sizeof(b)), need - space);
	sw_error_hint(err, "make the slots of the layout larger or the initrd smaller");
	return -ENOSPC;
}

int sw_slot_fill_fs(const char *out, int64_t time, const char *const *folders,
		    const struct sw_slot_file *files, struct sw_error *err)
{
	const char *mmd[4 + SW_SLOT_FOLDERS] = { "mmd", "-i", out };
	char epoch[64];
	const char *env[] = { epoch, "TZ=UTC", "MTOOLS_SKIP_CHECK=1", NULL };
	int r;

	for (size_t i = 0; i < SW_SLOT_FOLDERS && folders[i]; i++)
		mmd[3 + i] = folders[i];
	sw_slot_epoch(epoch, time);
	r = sw_proc_check(mmd, env, TIMEOUT_S, err);
	for (; r == 0 && files->from; files++) {
		const char *mcopy[] = { "mcopy", "-i", out, files->from, files->to, NULL };

		r = sw_proc_check(mcopy, env, TIMEOUT_S, err);
	}
	return r;
}

static int fill(const char *uki, const char *manifest, const char *out, int64_t time,
		struct sw_error *err)
{
	static const char *const folders[] = { "::/EFI", "::/EFI/BOOT", "::/SLIPWAY", NULL };
	const struct sw_slot_file files[] = {
		{ uki, "::/EFI/BOOT/BOOTX64.EFI" }, { manifest, "::/SLIPWAY/MANIFEST" }, {},
	};

	return sw_slot_fill_fs(out, time, folders, files, err);
}

/* Through the same eyes as every later reader: what was built is what was asked for. */
static int check_result(const char *out, struct sw_error *err)
{
	_cleanup_(sw_slot_manifest_clear) struct sw_slot_manifest m = {};
	_cleanup_io_ struct sw_io *io = NULL;
	bool ok = false;
	int r = sw_io_open(out, false, false, 0, &io, err);

	if (r == 0)
		r = sw_slot_read(io, 0, io->size, &m, &ok, err);
	if (r < 0 || ok)
		return r;
	sw_fail(err, SW_EXIT_VERIFY, -EBADMSG, "the kernel image is not the one of the manifest");
	sw_error_where(err, "%s", out);
	return -EBADMSG;
}

static int build(const char *uki, const struct sw_slot_manifest *m, const char *dir, uint64_t size,
		 uint32_t sector, uint32_t volume_id, const char *label, const char *out,
		 struct sw_error *err)
{
	_cleanup_free_ char *text = sw_slot_manifest_text(m);
	_cleanup_free_ char *path = sw_fmt("%s/MANIFEST", dir);
	struct stat st;
	int r;

	if (!text || !path)
		return sw_fail_oom(err);
	if (stat(uki, &st) < 0) {
		r = sw_fail_errno(err, SW_EXIT_MISSING, -errno, "cannot open the kernel image");
		sw_error_where(err, "%s", uki);
		return r;
	}
	r = sw_file_write(path, text, strlen(text), 0644);
	if (r < 0)
		return sw_fail_errno(err, SW_EXIT_FAILED, r, "cannot write the slot's manifest");
	r = sw_slot_make_fs(out, size, sector, volume_id, label, err);
	if (r == 0)
		r = check_room(out, (uint64_t)st.st_size + strlen(text), size, sector, err);
	if (r == 0)
		r = fill(uki, path, out, m->time, err);
	return r < 0 ? r : check_result(out, err);
}

int sw_slot_build(const char *uki, const struct sw_slot_manifest *m, uint64_t size,
		  uint32_t sector, uint32_t volume_id, const char *label, const char *out,
		  struct sw_error *err)
{
	/* Beside the image, so that whoever clears up after a killed install finds it. */
	_cleanup_free_ char *dir = sw_fmt("%s.parts", out);
	int r;

	if (!dir)
		return sw_fail_oom(err);
	if (size % sector || sector < 512 || sector > 4096)
		return sw_fail(err, SW_EXIT_INTERNAL, -EINVAL, "a slot must be whole sectors");
	r = sw_remove_tree(dir);
	if (r == 0 && mkdir(dir, 0700) < 0)
		r = -errno;
	if (r < 0)
		return sw_fail_errno(err, SW_EXIT_FAILED, r, "cannot make a scratch directory");
	r = build(uki, m, dir, size, sector, volume_id, label, out, err);
	if (r < 0)
		(void)unlink(out);
	(void)sw_remove_tree(dir);
	return r;
}
