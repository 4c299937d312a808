/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A state on FAT, xfs or btrfs, as its first bytes tell: read in user space, never mounted.
 * Formats: Microsoft's FAT specification 1.03 (3.1, 4.1); xfs and btrfs as on-disk structures of
 * the kernel (fs/xfs/libxfs/xfs_format.h, include/uapi/linux/btrfs_tree.h).
 */
#include <string.h>

#include "base/le.h"
#include "rescue/private.h"

#define XFS_BLOCK 4096U		/* what mkfs.xfs takes */
#define XFS_GROUPS 4U		/* and how many allocation groups, each with a superblock */
#define BTRFS_FIRST (64U << 10)
#define BTRFS_SECOND (64U << 20)

static bool has(struct sw_io *io, uint64_t at, const char *magic, size_t len)
{
	char d[8];

	return len <= sizeof(d) && at + len <= io->size && sw_io_read(io, at, d, len) == 0 &&
	       memcmp(d, magic, len) == 0;
}

/* NULL: nothing is wrong, as far as this tells. */
static const char *fat_fault(struct sw_io *io, uint64_t at)
{
	uint8_t b[512], fat[8];
	bool wide;

	if (sw_io_read(io, at, b, sizeof(b)) < 0 || b[510] != 0x55 || b[511] != 0xaa)
		return NULL;
	wide = sw_le16(b + 22) == 0;	/* FAT32 */
	if (sw_io_read(io, at + (uint64_t)sw_le16(b + 11) * sw_le16(b + 14), fat, 8) < 0)
		return NULL;
	if (b[wide ? 0x41 : 0x25] & 1 ||
	    !(wide ? sw_le32(fat + 4) & 0x08000000 : sw_le16(fat + 2) & 0x8000))
		return "it was not unmounted";
	return (wide ? sw_le32(fat + 4) & 0x04000000 : sw_le16(fat + 2) & 0x4000)
		       ? NULL : "errors were met when it was last used";
}

static const char *xfs_fault(struct sw_io *io, uint64_t at, uint64_t size, bool known)
{
	uint64_t blocks = size / XFS_BLOCK;
	uint8_t b[512];

	if (!has(io, at, "XFSB", 4)) {
		if (!known && (has(io, at + blocks / XFS_GROUPS * XFS_BLOCK, "XFSB", 4) ||
			       has(io, at + (blocks / XFS_GROUPS + 1) * XFS_BLOCK, "XFSB", 4)))
			return "its first superblock is gone, another one is there";
		return NULL;
	}
	if (!known)
		return "its first superblock is damaged";
	if (sw_io_read(io, at, b, sizeof(b)) < 0)
		return NULL;
	return b[126] ? "it was being made or repaired"		/* sb_inprogress */
	       : b[219] & 0x10 ? "it says that it needs repair"	/* sb_features_incompat */
			       : NULL;
}

static const char *btrfs_fault(struct sw_io *io, uint64_t at)
{
	return !has(io, at + BTRFS_FIRST + 0x40, "_BHRfS_M", 8) &&
	       has(io, at + BTRFS_SECOND + 0x40, "_BHRfS_M", 8)
		       ? "its first superblock is gone, the second one is there" : NULL;
}

enum sw_state_left sw_state_other_left(struct sw_io *io, const struct sw_part *p)
{
	if (xfs_fault(io, p->start, p->size, false))	/* and the next sector is no superblock */
		return has(io, p->start + 512, "XAGF", 4) ? SW_LEFT_CERTAIN : SW_LEFT_MAYBE;
	return btrfs_fault(io, p->start) ? SW_LEFT_MAYBE : SW_LEFT_NOTHING;
}

const char *sw_state_other_fault(struct sw_io *io, uint64_t at, uint64_t size, const char *type)
{
	return strcmp(type, "vfat") == 0  ? fat_fault(io, at)
	       : strcmp(type, "xfs") == 0 ? xfs_fault(io, at, size, true) : NULL;
}

int sw_examine_state_other(struct sw_examine *x, const struct sw_disk *d, struct sw_io *io,
			   const struct sw_part *p)
{
	const char *type = p->fs_type, *why = NULL;
	struct sw_fsck f = { .number = p->number, .start = p->start, .size = p->size };
	struct sw_fs_space space;
	struct sw_finding *fi;

	if (type && strcmp(type, "vfat") == 0) {
		f.kind = SW_FSCK_FAT;
		why = d->uses && d->uses[0] ? NULL : fat_fault(io, p->start);
	} else if (!type || strcmp(type, "xfs") == 0) {
		f.kind = SW_FSCK_XFS;
		why = xfs_fault(io, p->start, p->size, type);
	}
	if (!why && !type) {
		f.kind = SW_FSCK_BTRFS;
		why = btrfs_fault(io, p->start);
	}
	if (!why)
		return type && sw_fs_space(io, p->start, type, &space) == 0
			       ? sw_examine_state_space(x, d, p, &space) : 0;
	fi = sw_finding_add(x, d->name, "state", type ? SW_FINDING_WARNING : SW_FINDING_ERROR,
			    SW_SURE_CERTAIN);
	if (!fi)
		return -ENOMEM;
	(void)snprintf(fi->what, sizeof(fi->what), "the file system of the state %s",
		       type ? "is damaged" : "has lost its superblock");
	(void)snprintf(fi->evidence, sizeof(fi->evidence), "partition %u of %.40s: %s", p->number,
		       d->name, why);
	(void)snprintf(fi->effect, sizeof(fi->effect), "%s",
		       type ? "it may be mounted read-only, or not at all, and gets worse with use"
			    : "the state cannot be mounted, and what is in it not found");
	return sw_repair_fsck(x, d, &f, fi);
}
