/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which file system lies somewhere, by its UUID and by what it was made with: read in user space.
 * Formats: the kernel's Documentation/filesystems/ext4/super.rst; LUKS1 and LUKS2 specifications
 * (the UUID is at one place in both); Microsoft's FAT specification 1.03 (3.1, 3.3); xfs and btrfs
 * as on-disk structures of the kernel (fs/xfs/libxfs/xfs_format.h,
 * include/uapi/linux/btrfs_tree.h).
 */
#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "base/le.h"
#include "rescue/private.h"

#define SUPER 1024U
#define EXT_MAGIC 0xef53U
#define LUKS_UUID 168U
#define XFS_META_UUID 0x04U		/* sb_features_incompat, its low byte */
#define BTRFS_AT (64ULL << 10)
#define BTRFS_META_UUID (1U << 10)	/* incompat_flags */

static void put_uuid(char text[static SW_GUID_TEXT], const uint8_t *rfc)
{
	struct sw_guid g;

	sw_guid_from_rfc(rfc, &g);
	(void)sw_guid_format(&g, text);
}

/* tune2fs -U leaves the seed of its hashes as it is, and the time. */
static bool ext(const uint8_t *d, struct sw_fs_id *ret)
{
	if (sw_le16(d + 0x38) != EXT_MAGIC)
		return false;
	ret->type = "ext4";
	put_uuid(ret->uuid, d + 0x68);
	put_uuid(ret->first, d + 0xec);
	ret->made = (int64_t)(sw_le32(d + 0x108) | (uint64_t)d[0x276] << 32);
	return true;
}

/* xfs_admin -U and btrfstune -m keep the UUID that the metadata were written with. */
static bool xfs(const uint8_t *d, struct sw_fs_id *ret)
{
	if (memcmp(d, "XFSB", 4) != 0)
		return false;
	ret->type = "xfs";
	put_uuid(ret->uuid, d + 32);
	put_uuid(ret->first, d + (d[219] & XFS_META_UUID ? 248 : 32));
	return true;
}

static bool btrfs(const uint8_t *d, struct sw_fs_id *ret)
{
	if (memcmp(d + 0x40, "_BHRfS_M", 8) != 0)
		return false;
	ret->type = "btrfs";
	put_uuid(ret->uuid, d + 0x20);
	put_uuid(ret->first, d + (sw_le32(d + 0xbc) & BTRFS_META_UUID ? 0x23b : 0x20));
	return true;
}

static bool fat(const uint8_t *d, struct sw_fs_id *ret)
{
	bool wide = memcmp(d + 82, "FAT32", 5) == 0;
	uint32_t id;

	if (d[510] != 0x55 || d[511] != 0xaa || (!wide && memcmp(d + 54, "FAT", 3) != 0))
		return false;
	id = sw_le32(d + (wide ? 0x43 : 0x27));
	ret->type = "vfat";
	(void)snprintf(ret->uuid, sizeof(ret->uuid), "%04" PRIX32 "-%04" PRIX32, id >> 16,
		       id & 0xffff);
	return true;
}

static bool luks(const uint8_t *d, struct sw_fs_id *ret)
{
	if (memcmp(d, "LUKS\xba\xbe", 6) != 0)
		return false;
	ret->type = SW_FS_LUKS;
	for (size_t i = 0; i < sizeof(ret->uuid) - 1; i++) {
		uint8_t c = d[LUKS_UUID + i];

		if (!isxdigit(c) && c != '-')
			break;
		ret->uuid[i] = (char)tolower(c);
	}
	return true;
}

int sw_fs_id(struct sw_io *io, uint64_t at, struct sw_fs_id *ret_id)
{
	uint8_t d[SUPER], second[SUPER];
	int r = sw_io_read(io, at, d, sizeof(d));

	*ret_id = (struct sw_fs_id){};
	if (r < 0)
		return r;
	/* In the order of those that keep their own beginning; ext leaves that to a loader. */
	if (luks(d, ret_id) || xfs(d, ret_id))
		return 0;
	if (sw_io_read(io, at + SW_EXT_AT, second, sizeof(second)) == 0 && ext(second, ret_id))
		return 0;
	if (sw_io_read(io, at + BTRFS_AT, second, sizeof(second)) == 0 && btrfs(second, ret_id))
		return 0;
	return fat(d, ret_id) ? 0 : -ENOENT;
}
