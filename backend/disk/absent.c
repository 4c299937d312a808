/* SPDX-License-Identifier: Apache-2.0 */
#include "disk/absent.h"

#include "base/cleanup.h"

#define PLACES_MAX 13U
#define KiB(n) ((n) << 10)

/* Of an area: off bytes after its start, or before its end in whole units. */
struct place {
	uint32_t off;
	uint16_t len;
	uint32_t unit;	/* 0: off is after the start */
};

#define AT(off, len) { off, len, 0 }
#define END(off, len, unit) { off, len, unit }
#define SECTOR(n, len) END((n) * 512, len, 512)

static const struct kind {
	char type[32];
	struct place at[PLACES_MAX];
} kinds[] = {
	{ "linux_raid_member", { END(64 * 1024, 64, KiB(64)), END(8192, 256, KiB(4)),
				 AT(0, 256), AT(4096, 256) } },
	{ "ddf_raid_member", { SECTOR(1, 512), SECTOR(257, 512) } },
	{ "isw_raid_member", { SECTOR(2, 48), END(8192, 48, KiB(4)) } },
	{ "lsi_mega_raid_member", { SECTOR(1, 6) } },
	{ "via_raid_member", { SECTOR(1, 51) } },
	{ "silicon_medley_raid_member", { SECTOR(1, 512) } },
	{ "nvidia_raid_member", { SECTOR(2, 18) } },
	/* Its firmware knows thirteen places. */
	{ "promise_fasttrack_raid_member",
	  { SECTOR(63, 24), SECTOR(255, 24), SECTOR(256, 24), SECTOR(16, 24), SECTOR(399, 24),
	    SECTOR(591, 24), SECTOR(675, 24), SECTOR(735, 24), SECTOR(911, 24), SECTOR(974, 24),
	    SECTOR(991, 24), SECTOR(951, 24), SECTOR(3087, 24) } },
	{ "hpt45x_raid_member", { SECTOR(11, 4) } },
	{ "hpt37x_raid_member", { AT(4096, 1024) } },
	{ "adaptec_raid_member", { SECTOR(1, 512) } },
	{ "jmicron_raid_member", { SECTOR(1, 6) } },
	{ "bcache", { AT(4096, 1024) } },
	{ "drbd", { END(4096, 1392, 1) } },
	{ "LVM2_member", { AT(0, 2048) } },
	/* Of these four more is read than what decides: the magics. */
	{ "crypto_LUKS", { AT(0, 6), AT(KiB(16), 6), AT(KiB(32), 6), AT(KiB(64), 6),
			   AT(KiB(128), 6), AT(KiB(256), 6), AT(KiB(512), 6), AT(KiB(1024), 6),
			   AT(KiB(2048), 6), AT(KiB(4096), 6) } },
	{ "swap", { AT(0xff6, 10), AT(0x1ff6, 10), AT(0x3ff6, 10), AT(0x7ff6, 10),
		    AT(0xfff6, 10) } },
	{ "swsuspend", { AT(0, 8), AT(0xff6, 10), AT(0x1ff6, 10), AT(0x3ff6, 10), AT(0x7ff6, 10),
			 AT(0xfff6, 10) } },
	{ "ufs", { AT(1372, 4), AT(KiB(8) + 1372, 4), AT(KiB(64) + 1372, 4),
		   AT(KiB(256) + 1372, 4) } },
	{ "VMFS_volume_member", { AT(KiB(1024), 1024) } },
	{ "stratis", { AT(0, 1024), AT(4096, 1024) } },
	{ "reiserfs", { AT(KiB(8), 1024), AT(KiB(64), 1024) } },
	{ "reiser4", { AT(KiB(64), 1024) } },
	{ "jfs", { AT(KiB(32), 1024) } },
	{ "udf", { AT(KiB(32), 1024) } },
	{ "iso9660", { AT(KiB(32), 1024) } },
	{ "hpfs", { AT(KiB(8), 1024) } },
	{ "sysv", { AT(512, 512), AT(9728, 512), AT(15872, 512), AT(18944, 512) } },
	{ "xenix", { AT(2048, 1024) } },
	{ "gfs", { AT(KiB(64), 1024) } },
	{ "gfs2", { AT(KiB(64), 1024) } },
	{ "ocfs", { AT(KiB(8), 1024) } },
	{ "ocfs2", { AT(1024, 2048), AT(4096, 1024), AT(KiB(8), 1024) } },
	{ "vxfs", { AT(1024, 1024), AT(KiB(8), 1024) } },
	{ "nss", { AT(4096, 1024) } },
	{ "VMFS", { AT(KiB(2048), 1024) } },
	{ "nilfs2", { AT(1024, 1024), SECTOR(8, 1024) } },
};

_Static_assert(ARRAY_SIZE(kinds) < SW_ABSENT_MAX, "the list has a NULL at its end");

static size_t places_of(const struct kind *k, uint64_t size,
			struct sw_blank_window places[SW_BLANK_WINDOWS_MAX])
{
	size_t n = 0;

	for (const struct place *p = k->at; n < PLACES_MAX && p->len > 0; p++)
		places[n++] = (struct sw_blank_window){
			p->unit ? size / p->unit * p->unit - p->off : p->off, p->len };
	return n;
}

bool sw_absent_places(size_t number, uint64_t size, const char **ret_type,
		      struct sw_blank_window ret_places[SW_BLANK_WINDOWS_MAX], size_t *ret_n)
{
	if (number >= ARRAY_SIZE(kinds))
		return false;
	*ret_type = kinds[number].type;
	*ret_n = places_of(&kinds[number], size, ret_places);
	return true;
}

static bool is_absent(const struct sw_blank *b, uint64_t off, uint64_t size, const struct kind *k)
{
	struct sw_blank_window places[SW_BLANK_WINDOWS_MAX];
	size_t n = places_of(k, size, places);

	for (size_t i = 0; i < n; i++)
		/* Places beyond the end of a small area are not read by anybody. */
		if (places[i].off + places[i].len <= size &&
		    !sw_blank_is_zero(b, off + places[i].off, places[i].len))
			return false;
	return true;
}

size_t sw_absent_types(const struct sw_blank *b, uint64_t off, uint64_t size,
		       char *ret_types[SW_ABSENT_MAX])
{
	size_t n = 0;

	for (size_t i = 0; b && i < ARRAY_SIZE(kinds); i++)
		if (is_absent(b, off, size, &kinds[i]))
			ret_types[n++] = (char *)kinds[i].type;
	ret_types[n] = NULL;
	return n;
}
