/* SPDX-License-Identifier: Apache-2.0 */
/* Which file system is on a partition, by what it begins with. */
#include <string.h>

#include "base/io.h"
#include "browse/browse.h"
#include "disk/mdraid.h"

#define HEAD 2048U

struct place {
	const struct sw_disk *disk;
	uint64_t offset, size;	/* bytes */
};

static int no_place(const char *disk, unsigned int number, struct sw_error *err)
{
	sw_fail(err, SW_EXIT_MISSING, -ENOENT, number ? "there is no such partition"
						      : "there is no such disk");
	if (number)
		sw_error_where(err, "%s, partition %u", disk, number);
	else
		sw_error_where(err, "%s", disk);
	return -ENOENT;
}

static int find_place(const struct sw_facts *f, const char *disk, unsigned int number,
		      struct place *p, struct sw_error *err)
{
	const struct sw_part *part;

	p->disk = sw_facts_disk(f, disk);
	if (!p->disk)
		return no_place(disk, 0, err);
	p->size = p->disk->size;
	if (!number)
		return 0;
	part = sw_table_part(&p->disk->table, number);
	if (!part)
		return no_place(disk, number, err);
	p->offset = part->start;
	p->size = part->size;
	return 0;
}

static enum sw_volume_kind kind_of(const uint8_t *h)
{
	if (h[1080] == 0x53 && h[1081] == 0xef)
		return SW_VOLUME_EXT;
	if (h[510] == 0x55 && h[511] == 0xaa &&
	    (memcmp(h + 54, "FAT", 3) == 0 || memcmp(h + 82, "FAT32", 5) == 0))
		return SW_VOLUME_FAT;
	return SW_VOLUME_NONE;
}

static int nothing_to_see(const uint8_t *h, const char *disk, unsigned int number,
			  struct sw_error *err)
{
	bool luks = memcmp(h, "LUKS\xba\xbe", 6) == 0, xfs = memcmp(h, "XFSB", 4) == 0;

	sw_fail(err, SW_EXIT_MISSING, -EMEDIUMTYPE, "slipway cannot look into this");
	sw_error_where(err, "%s, partition %u", disk, number);
	sw_error_why(err, "%s", luks ? "it is encrypted, and nothing has opened it here"
			  : xfs ? "it holds xfs; FAT and ext2, ext3, ext4 can be read"
				: "it holds neither FAT nor ext2, ext3 or ext4");
	if (xfs)
		sw_error_hint(err, "in the rescue shell: mount -o ro,norecovery");
	return -EMEDIUMTYPE;
}

int sw_volume_find(struct sw_machine *m, const struct sw_facts *f, const char *disk,
		   unsigned int number, struct sw_volume *ret_volume, struct sw_error *err)
{
	_cleanup_io_ struct sw_io *io = NULL;
	struct place p = {};
	uint8_t head[HEAD];
	int r = find_place(f, disk, number, &p, err);

	if (r == 0)
		r = sw_machine_open_disk(m, p.disk, false, false, &io, err);
	if (r < 0)
		return r;
	if (number)
		(void)sw_md_enter(io, &p.offset, &p.size);	/* no member: as it is */
	if (p.size < sizeof(head) || (r = sw_io_read(io, p.offset, head, sizeof(head))) < 0)
		return sw_fail_errno(err, SW_EXIT_FAILED, r < 0 ? r : -ENOSPC,
				     "%s cannot be read", disk);
	ret_volume->kind = kind_of(head);
	if (ret_volume->kind == SW_VOLUME_NONE)
		return nothing_to_see(head, disk, number, err);
	ret_volume->offset = p.offset;
	ret_volume->device = strdup(p.disk->node);
	return ret_volume->device ? 0 : sw_fail_oom(err);
}
