/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How full a state on FAT, xfs or btrfs is, as its superblock tells: read in user space, never
 * mounted. Formats: Microsoft's FAT specification 1.03 (3.1 to 3.5, 4, 5); xfs and btrfs as on-disk
 * structures of the kernel (fs/xfs/libxfs/xfs_format.h, include/uapi/linux/btrfs_tree.h).
 */
#include <string.h>

#include "base/le.h"
#include "base/size.h"
#include "rescue/private.h"

#define SUPER 512U
#define CHUNK 65536U
#define BTRFS_AT (64ULL << 10)
#define FAT_COUNTED (256ULL << 20)	/* bytes of a FAT; a longer one is taken at its word */
#define FULL_PERCENT 2U
/* Of a btrfs without room for another chunk: what its chunks still have is not looked up. */
#define BTRFS_PERCENT 10U

static bool below(uint64_t part, uint64_t whole, unsigned int percent)
{
	return (double)part * 100 < (double)whole * percent;
}

/* ---- FAT ---- */

struct fat {
	uint64_t at, len;	/* the first FAT, bytes */
	uint64_t info;		/* of FSInfo, 0: none */
	uint64_t clusters, cluster;	/* how many, and the bytes of one */
	unsigned int width;	/* bytes of an entry: 2 or 4 */
};

static int read_fat(struct sw_io *io, uint64_t at, struct fat *f)
{
	uint8_t b[SUPER];
	uint64_t sector, total, meta, fats;
	int r = sw_io_read(io, at, b, sizeof(b));

	if (r < 0)
		return r;
	sector = sw_le16(b + 11);
	if (b[510] != 0x55 || b[511] != 0xaa || sector < 512 || sector > 4096 ||
	    sector & (sector - 1) || !b[13] || !b[16])
		return -EBADMSG;
	fats = sw_le16(b + 22) ? sw_le16(b + 22) : sw_le32(b + 36);
	total = sw_le16(b + 19) ? sw_le16(b + 19) : sw_le32(b + 32);
	meta = sw_le16(b + 14) + b[16] * fats + (sw_le16(b + 17) * 32ULL + sector - 1) / sector;
	if (meta >= total)
		return -EBADMSG;
	*f = (struct fat){ .at = at + sw_le16(b + 14) * sector, .len = fats * sector,
			   .clusters = (total - meta) / b[13], .cluster = b[13] * sector };
	if (f->clusters < 4085)
		return -EOPNOTSUPP;	/* FAT12: 2 MiB at most of the smallest clusters */
	f->width = f->clusters < 65525 ? 2 : 4;
	if (f->width == 4)
		f->info = at + sw_le16(b + 48) * sector;
	return (f->clusters + 2) * f->width > f->len ? -EBADMSG : 0;
}

/* What FSInfo remembers, which may be old; UINT64_MAX: nothing that could be true. */
static uint64_t fat_remembers(struct sw_io *io, const struct fat *f)
{
	uint8_t b[SUPER];

	if (!f->info || sw_io_read(io, f->info, b, sizeof(b)) < 0 ||
	    sw_le32(b) != 0x41615252 || sw_le32(b + 484) != 0x61417272 ||
	    sw_le32(b + 488) > f->clusters)
		return UINT64_MAX;
	return sw_le32(b + 488);
}

/* The clusters that no file has; the first two entries stand for none. */
static int fat_count(struct sw_io *io, const struct fat *f, uint64_t *ret_free)
{
	_cleanup_free_ uint8_t *d = malloc(CHUNK);
	uint64_t end = (f->clusters + 2) * f->width, n = 0;
	int r = d ? 0 : -ENOMEM;

	for (uint64_t off = 0; r == 0 && off < end; off += CHUNK) {
		size_t len = end - off < CHUNK ? (size_t)(end - off) : CHUNK;

		r = sw_io_read(io, f->at + off, d, len);
		for (size_t i = off ? 0 : 2 * (size_t)f->width; r == 0 && i < len; i += f->width)
			n += f->width == 2 ? sw_le16(d + i) == 0
					   : (sw_le32(d + i) & 0x0fffffff) == 0;
	}
	*ret_free = n;
	return r;
}

static int fat_space(struct sw_io *io, uint64_t at, struct sw_fs_space *ret)
{
	struct fat f;
	int r = read_fat(io, at, &f);
	uint64_t n = r == 0 ? fat_remembers(io, &f) : 0;

	/* FSInfo is believed when nothing follows from it. */
	if (r == 0 && (n == UINT64_MAX || below(n, f.clusters, FULL_PERCENT)) &&
	    f.len <= FAT_COUNTED)
		r = fat_count(io, &f, &n);
	if (r < 0 || n == UINT64_MAX)
		return r < 0 ? r : -ENODATA;
	*ret = (struct sw_fs_space){ .size = f.clusters * f.cluster, .free = n * f.cluster,
				     .full = below(n, f.clusters, FULL_PERCENT) };
	return 0;
}

/* ---- xfs and btrfs ---- */

static int xfs_space(struct sw_io *io, uint64_t at, struct sw_fs_space *ret)
{
	uint8_t b[SUPER];
	uint64_t blocks, block, n;
	int r = sw_io_read(io, at, b, sizeof(b));

	if (r < 0)
		return r;
	block = sw_be64(b) & UINT32_MAX;	/* sb_blocksize, sb_dblocks, sb_fdblocks */
	blocks = sw_be64(b + 8);
	n = sw_be64(b + 144);
	if (memcmp(b, "XFSB", 4) != 0 || block < 512 || block > 65536 || block & (block - 1) ||
	    blocks > UINT64_MAX / block || n > blocks)
		return -EBADMSG;
	*ret = (struct sw_fs_space){ .size = blocks * block, .free = n * block,
				     .full = below(n, blocks, FULL_PERCENT) };
	return 0;
}

static int btrfs_space(struct sw_io *io, uint64_t at, struct sw_fs_space *ret)
{
	uint64_t total, used, dev_total, dev_used;
	uint8_t b[SUPER];
	int r = sw_io_read(io, at + BTRFS_AT, b, sizeof(b));

	if (r < 0)
		return r;
	total = sw_le64(b + 112);
	used = sw_le64(b + 120);
	dev_total = sw_le64(b + 209);	/* dev_item.total_bytes, .bytes_used */
	dev_used = sw_le64(b + 217);
	if (memcmp(b + 64, "_BHRfS_M", 8) != 0 || used > total || dev_used > dev_total)
		return -EBADMSG;
	if (sw_le64(b + 136) != 1)	/* num_devices: the others are not here */
		return -EOPNOTSUPP;
	*ret = (struct sw_fs_space){ .size = total, .free = total - used, .likely = true,
				     .full = below(dev_total - dev_used, dev_total, FULL_PERCENT) &&
					     below(total - used, total, BTRFS_PERCENT) };
	return 0;
}

int sw_fs_space(struct sw_io *io, uint64_t at, const char *type, struct sw_fs_space *ret)
{
	return strcmp(type, "vfat") == 0    ? fat_space(io, at, ret)
	       : strcmp(type, "xfs") == 0   ? xfs_space(io, at, ret)
	       : strcmp(type, "btrfs") == 0 ? btrfs_space(io, at, ret)
					    : -EOPNOTSUPP;
}

bool sw_fs_is_full(uint64_t free_bytes, uint64_t size)
{
	return below(free_bytes, size, FULL_PERCENT);
}

/* ---- the finding ---- */

int sw_examine_state_space(struct sw_examine *x, const struct sw_disk *d, const struct sw_part *p,
			   const struct sw_fs_space *s)
{
	struct sw_finding *fi;
	char left[16], size[16];

	if (!s->full)
		return 0;
	fi = sw_finding_add(x, d->name, "state-full", SW_FINDING_WARNING,
			    s->likely ? SW_SURE_LIKELY : SW_SURE_CERTAIN);
	if (!fi)
		return -ENOMEM;
	(void)snprintf(fi->what, sizeof(fi->what), "the state is full");
	(void)snprintf(fi->effect, sizeof(fi->effect),
		       "what writes there fails: logs, images, admission");
	(void)snprintf(fi->evidence, sizeof(fi->evidence),
		       "partition %u of %.40s: %s of %s are free", p->number, d->name,
		       sw_size_format(s->free, left, sizeof(left)),
		       sw_size_format(s->size, size, sizeof(size)));
	(void)snprintf(fi->advice, sizeof(fi->advice), "delete what nobody needs there");
	return 0;
}
