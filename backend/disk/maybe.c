/* SPDX-License-Identifier: Apache-2.0 */
#include "disk/maybe.h"

#include <string.h>

#include "base/cleanup.h"

#define PLACES_MAX 13U
#define KiB(n) ((n) << 10)

/* Of an area: off bytes after its start; or, with a unit, before its end in whole units. */
struct place {
	uint32_t off, unit, plus;
};

#define AT(off) { off, 0, 0 }
#define END(off, unit, plus) { off, unit, plus }
#define SECTOR(n, plus) END((n) * 512, 512, plus)

/* A type has one or more rules, one after the other. */
static const struct rule {
	char type[32];
	bool firmware;		/* of a whole disk only */
	uint8_t len, n_values;
	const char *values;
	struct place at[PLACES_MAX];
} rules[] = {
#define VALUES(len, text) false, len, (sizeof(text) - 1) / (len), text
#define FIRMWARE(len, text) true, len, (sizeof(text) - 1) / (len), text
	/* Version 0 in either byte order, 1.0 at the end, 1.1 and 1.2 at the start. */
	{ "linux_raid_member", VALUES(4, "\xfc\x4e\x2b\xa9" "\xa9\x2b\x4e\xfc"),
	  { AT(0), AT(4096), END(KiB(64), KiB(64), 0), END(8192, KiB(4), 0) } },
	{ "ddf_raid_member", VALUES(4, "\x11\xde\x11\xde" "\xde\x11\xde\x11"),
	  { SECTOR(1, 0), SECTOR(257, 0) } },
	{ "isw_raid_member", FIRMWARE(24, "Intel Raid ISM Cfg Sig. "),
	  { SECTOR(2, 0), END(8192, KiB(4), 0) } },
	{ "lsi_mega_raid_member", FIRMWARE(6, "$XIDE$"), { SECTOR(1, 0) } },
	{ "via_raid_member", FIRMWARE(2, "\x55\xaa"), { SECTOR(1, 0) } },
	{ "silicon_medley_raid_member", FIRMWARE(4, "\0\0\0\x2f"), { SECTOR(1, 0x60) } },
	{ "nvidia_raid_member", FIRMWARE(6, "NVIDIA"), { SECTOR(2, 0) } },
	/* Its firmware knows thirteen places. */
	{ "promise_fasttrack_raid_member", FIRMWARE(24, "Promise Technology, Inc."),
	  { SECTOR(63, 0), SECTOR(255, 0), SECTOR(256, 0), SECTOR(16, 0), SECTOR(399, 0),
	    SECTOR(591, 0), SECTOR(675, 0), SECTOR(735, 0), SECTOR(911, 0), SECTOR(974, 0),
	    SECTOR(991, 0), SECTOR(951, 0), SECTOR(3087, 0) } },
	{ "hpt45x_raid_member", FIRMWARE(4, "\xf3\x16\x78\x5a" "\xfd\x16\x78\x5a"),
	  { SECTOR(11, 0) } },
	{ "hpt37x_raid_member", FIRMWARE(4, "\xf0\x16\x78\x5a" "\xfd\x16\x78\x5a"), { AT(4640) } },
	{ "adaptec_raid_member", FIRMWARE(4, "\x37\xfc\x4d\x1e"), { SECTOR(1, 0) } },
	{ "jmicron_raid_member", FIRMWARE(2, "JM"), { SECTOR(1, 0) } },
	{ "bcache", VALUES(8, "\xc6\x85\x73\xf6\x4e\x1a\x45\xca"), { AT(4096 + 24) } },
	{ "ceph_bluestore", VALUES(22, "bluestore block device"), { AT(0) } },
	{ "drbd", VALUES(4, "\x83\x74\x02\x6b" "\x83\x74\x02\x6c" "\x83\x74\x02\x6d"),
	  { END(4096, 1, 60) } },
	{ "drbdmanage_control_volume", VALUES(10, "$DRBDmgr=q"), { AT(0) } },
	{ "drbdproxy_datalog", VALUES(8, "DRBDdlh*"), { AT(0) } },
	{ "LVM2_member", VALUES(8, "LVM2 001"), { AT(0x18), AT(0x218), AT(0x418), AT(0x618) } },
	{ "LVM1_member", VALUES(2, "HM"), { AT(0) } },
	{ "DM_snapshot_cow", VALUES(4, "SnAp"), { AT(0) } },
	{ "DM_verity_hash", VALUES(8, "verity\0\0"), { AT(0) } },
	{ "DM_integrity", VALUES(8, "integrt\0"), { AT(0) } },
	{ "crypto_LUKS", VALUES(6, "LUKS\xba\xbe"), { AT(0) } },
	{ "crypto_LUKS", VALUES(6, "SKUL\xba\xbe"),
	  { AT(KiB(16)), AT(KiB(32)), AT(KiB(64)), AT(KiB(128)), AT(KiB(256)), AT(KiB(512)),
	    AT(KiB(1024)), AT(KiB(2048)), AT(KiB(4096)) } },
	{ "VMFS_volume_member", VALUES(4, "\x0d\xd0\x01\xc0"), { AT(KiB(1024)) } },
	{ "ubi", VALUES(4, "UBI#"), { AT(0) } },
	{ "vdo", VALUES(8, "dmvdo001"), { AT(0) } },
	{ "stratis", VALUES(16, "!Stra0tis\x86\xff\x02^\x41rh"), { AT(516), AT(4612) } },
	{ "BitLocker", VALUES(11, "\xeb\x52\x90-FVE-FS-" "\xeb\x58\x90-FVE-FS-"
				  "\xeb\x58\x90MSWIN4.1"), { AT(0) } },
	/*
	 * Its magic numbers are the signature of every boot sector; but the sector
	 * size of a FAT, which libblkid checks, is not in a partition table.
	 */
	{ "vfat", VALUES(2, "\0\2" "\0\4" "\0\x08" "\0\x10"), { AT(11) } },
	{ "swsuspend", VALUES(8, "\xed\xc3\x02\xe9\x98\x56\xe5\x0c"), { AT(0) } },
	{ "swsuspend", VALUES(9, "S1SUSPEND" "S2SUSPEND" "ULSUSPEND" "LINHIB000"),
	  { AT(0xff6), AT(0x1ff6), AT(0x3ff6), AT(0x7ff6), AT(0xfff6) } },
	{ "swap", VALUES(10, "SWAP-SPACE" "SWAPSPACE2"),
	  { AT(0xff6), AT(0x1ff6), AT(0x3ff6), AT(0x7ff6), AT(0xfff6) } },
	{ "xfs", VALUES(4, "XFSB"), { AT(0) } },
	{ "exfs", VALUES(4, "EXFS"), { AT(0) } },
	{ "ext4dev", VALUES(2, "\x53\xef"), { AT(0x438) } },
	{ "ext4", VALUES(2, "\x53\xef"), { AT(0x438) } },
	{ "ext3", VALUES(2, "\x53\xef"), { AT(0x438) } },
	{ "ext2", VALUES(2, "\x53\xef"), { AT(0x438) } },
	{ "jbd", VALUES(2, "\x53\xef"), { AT(0x438) } },
	{ "reiserfs", VALUES(8, "ReIsErFs" "ReIsEr2F" "ReIsEr3F"),
	  { AT(KiB(8) + 0x34), AT(KiB(8) + 20), AT(KiB(64) + 0x34) } },
	{ "reiser4", VALUES(7, "ReIsEr4"), { AT(KiB(64)) } },
	{ "jfs", VALUES(4, "JFS1"), { AT(KiB(32)) } },
	{ "udf", VALUES(5, "BEA01" "BOOT2" "CD001" "CDW02" "NSR02" "NSR03" "TEA01"),
	  { AT(KiB(32) + 1) } },
	{ "iso9660", VALUES(5, "CD001" "CDROM"), { AT(KiB(32) + 1), AT(KiB(32) + 9) } },
	{ "hfsplus", VALUES(2, "BD" "H+" "HX"), { AT(1024) } },
	{ "hfs", VALUES(2, "BD"), { AT(1024) } },
	{ "ufs", VALUES(4, "\x54\x19\x01\0" "\x19\x01\x54\x19" "\x12\x56\x19\0" "\x14\x50\x09\0"
			   "\x95\x21\x61\0" "\x94\x19\x23\x05" "\0\x01\x19\x54"
			   "\x19\x54\x01\x19" "\0\x19\x56\x12" "\0\x09\x50\x14"
			   "\0\x61\x21\x95" "\x05\x23\x19\x94"),
	  { AT(1372), AT(KiB(8) + 1372), AT(KiB(64) + 1372), AT(KiB(256) + 1372) } },
	{ "hpfs", VALUES(4, "\x49\xe8\x95\xf9"), { AT(KiB(8)) } },
	{ "sysv", VALUES(4, "\x20\x7e\x18\xfd" "\xfd\x18\x7e\x20"),
	  { AT(512 + 504), AT(9728 + 504), AT(15872 + 504), AT(18944 + 504) } },
	{ "xenix", VALUES(3, "\x2b\x55\x44" "\x44\x55\x2b"), { AT(2048) } },
	{ "ntfs", VALUES(8, "NTFS    "), { AT(3) } },
	{ "ReFS", VALUES(8, "\0\0\0ReFS\0"), { AT(0) } },
	{ "cramfs", VALUES(4, "\x45\x3d\xcd\x28" "\x28\xcd\x3d\x45"), { AT(0) } },
	{ "romfs", VALUES(8, "-rom1fs-"), { AT(0) } },
	{ "minix", VALUES(2, "\x7f\x13" "\x8f\x13" "\x13\x7f" "\x13\x8f" "\x68\x24" "\x78\x24"
			     "\x24\x68" "\x24\x78"), { AT(0x410) } },
	{ "minix", VALUES(2, "\x5a\x4d" "\x4d\x5a"), { AT(0x418) } },
	{ "gfs", VALUES(4, "\x01\x16\x19\x70"), { AT(KiB(64)) } },
	{ "gfs2", VALUES(4, "\x01\x16\x19\x70"), { AT(KiB(64)) } },
	{ "ocfs", VALUES(9, "OracleCFS"), { AT(KiB(8)) } },
	{ "ocfs2", VALUES(6, "OCFSV2"), { AT(1024), AT(2048), AT(4096), AT(KiB(8)) } },
	{ "oracleasm", VALUES(8, "ORCLDISK"), { AT(32) } },
	{ "vxfs", VALUES(4, "\xf5\xfc\x01\xa5" "\xa5\x01\xfc\xf5"), { AT(1024), AT(KiB(8)) } },
	{ "squashfs", VALUES(4, "hsqs"), { AT(0) } },
	{ "squashfs3", VALUES(4, "sqsh" "hsqs"), { AT(0) } },
	{ "nss", VALUES(4, "SPB5"), { AT(4096) } },
	{ "btrfs", VALUES(8, "_BHRfS_M"), { AT(KiB(64) + 0x40) } },
	{ "ubifs", VALUES(4, "\x31\x18\x10\x06"), { AT(0) } },
	{ "bfs", VALUES(4, "\xce\xfa\xad\x1b"), { AT(0) } },
	{ "VMFS", VALUES(4, "\x5e\xf1\xab\x2f"), { AT(KiB(2048)) } },
	{ "befs", VALUES(4, "BFS1" "1SFB"), { AT(0x20), AT(0x220) } },
	{ "nilfs2", VALUES(2, "\x34\x34"), { AT(1024 + 6), SECTOR(8, 6) } },
	{ "exfat", VALUES(8, "EXFAT   "), { AT(3) } },
	{ "f2fs", VALUES(4, "\x10\x20\xf5\xf2"), { AT(1024) } },
	{ "mpool", VALUES(8, "mpoolDev"), { AT(0) } },
	{ "apfs", VALUES(4, "NXSB"), { AT(32) } },
	{ "zonefs", VALUES(4, "SFOZ"), { AT(0) } },
	{ "erofs", VALUES(4, "\xe2\xe1\xf5\xe0"), { AT(1024) } },
};

static bool has_place(const struct rule *r, size_t i)
{
	return i < PLACES_MAX && (i == 0 || r->at[i].off > 0);
}

static uint64_t offset_of(const struct place *p, uint64_t size)
{
	return p->unit ? size / p->unit * p->unit - p->off + p->plus : p->off;
}

bool sw_maybe_place(size_t number, uint64_t size, struct sw_maybe_place *ret_place)
{
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
		for (size_t k = 0; has_place(&rules[i], k); k++)
			if (number-- == 0) {
				*ret_place = (struct sw_maybe_place){
					rules[i].type, offset_of(&rules[i].at[k], size),
					rules[i].values, rules[i].len, rules[i].n_values };
				return true;
			}
	return false;
}

/* True, too, when what is at one of its places is not known. */
static bool applies(const struct sw_blank *b, uint64_t off, uint64_t size, const struct rule *r)
{
	for (size_t i = 0; has_place(r, i); i++) {
		uint64_t at = offset_of(&r->at[i], size);
		const uint8_t *found;

		/* Places beyond the end of a small area are not read by anybody. */
		if (at + r->len > size)
			continue;
		found = sw_blank_bytes(b, off + at, r->len);
		for (size_t k = 0; found && k < r->n_values; k++)
			if (memcmp(found, r->values + k * r->len, r->len) == 0)
				return true;
		if (!found)
			return true;
	}
	return false;
}

static void add(char **types, size_t *n, const char *type)
{
	/* Rules of one type are neighbours. */
	if (*n == 0 || strcmp(types[*n - 1], type) != 0)
		types[(*n)++] = (char *)type;
}

_Static_assert(ARRAY_SIZE(rules) + 2 < SW_MAYBE_MAX, "the list has a NULL at its end");

static bool never(const struct rule *r, enum sw_blank_kind kind)
{
	return r->firmware && kind == SW_BLANK_PART;
}

size_t sw_maybe_never(enum sw_blank_kind kind, char *ret_types[SW_MAYBE_MAX])
{
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
		if (never(&rules[i], kind))
			add(ret_types, &n, rules[i].type);
	ret_types[n] = NULL;
	return n;
}

size_t sw_maybe_types(const struct sw_blank *b, uint64_t off, uint64_t size,
		      enum sw_blank_kind kind, char *ret_types[SW_MAYBE_MAX])
{
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
		if (!never(&rules[i], kind) && applies(b, off, size, &rules[i]))
			add(ret_types, &n, rules[i].type);
	if (sw_blank_may_be_zfs(b, -1, off, size))
		add(ret_types, &n, "zfs_member");
	if (sw_blank_may_be_xfs_log(b, -1, off))
		add(ret_types, &n, "xfs_external_log");
	ret_types[n] = NULL;
	return n;
}
