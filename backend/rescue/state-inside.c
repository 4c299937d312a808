/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A state in an encrypted partition or on a member of a mirror, read in user space: nothing is
 * assembled, mounted or written for it.
 */
#include <string.h>

#include "boot/secrets.h"
#include "disk/fs-type.h"
#include "disk/luks-open.h"
#include "disk/mdraid.h"
#include "rescue/mirror.h"
#include "rescue/private.h"

#define LOCKED "state-locked"
#define BTRFS_MAGIC_AT ((64U << 10) + 0x40)

void sw_state_place_clear(struct sw_state_place *p)
{
	sw_io_close(p->opened);
	sw_io_close(p->window);
	*p = (struct sw_state_place){};
}

/* What libblkid says of a partition, of the file systems that a state can be. */
static char *type_of(struct sw_io *io, uint64_t at)
{
	static char vfat[] = "vfat", xfs[] = "xfs", btrfs[] = "btrfs";
	uint8_t b[512], magic[8];

	if (sw_io_read(io, at, b, sizeof(b)) < 0)
		return NULL;
	if (memcmp(b, "XFSB", 4) == 0)
		return xfs;
	if (b[510] == 0x55 && b[511] == 0xaa &&
	    (memcmp(b + 54, "FAT", 3) == 0 || memcmp(b + 82, "FAT32", 5) == 0))
		return vfat;
	return sw_io_read(io, at + BTRFS_MAGIC_AT, magic, sizeof(magic)) == 0 &&
	       memcmp(magic, "_BHRfS_M", sizeof(magic)) == 0 ? btrfs : NULL;
}

static void take(struct sw_state_place *ret, struct sw_io *io, const struct sw_part *p,
		 uint64_t start, uint64_t size, const char *layer)
{
	ret->io = io;
	ret->part = *p;
	ret->part.start = start;
	ret->part.size = size;
	ret->part.fs_type = type_of(io, start);
	ret->layer = layer;
}

/* What a member of a mirror holds, as if it were a partition. */
static int enter_mirror(struct sw_io *io, const struct sw_part *p, struct sw_part *ret)
{
	static char luks[] = SW_FS_LUKS;
	char fs[16] = "";
	int r;

	*ret = *p;
	r = sw_md_enter(io, &ret->start, &ret->size);
	if (r < 0)
		return r;
	(void)sw_fs_type(sw_io_fd(io), ret->start, ret->size, fs, sizeof(fs));
	ret->fs_type = strcmp(fs, SW_FS_LUKS) == 0 ? luks : NULL;
	return 0;
}

/* What a mirror encrypts is looked into once, on the first of its members. */
static bool is_first(struct sw_examine *x, const struct sw_disk *d, const struct sw_part *p)
{
	for (const struct sw_disk *o = x->f->disks; o != d; o++)
		for (size_t i = 0; i < o->table.n_parts; i++)
			if (sw_part_holds(&o->table.parts[i], SW_FS_RAID) &&
			    sw_mirror_same(x->m, d, p, o, &o->table.parts[i]))
				return false;
	return true;
}

/* What was given, or what the TPM gives. */
static int get_key(struct sw_examine *x, struct sw_io *part, const char *label,
		   struct sw_secret **ret_key, struct sw_error *err)
{
	if (x->inside->key)
		return sw_secret_copy(x->inside->key, ret_key, err);
	return sw_secrets_part_key(x->m, part, NULL, label, ret_key, err);
}

static int enter_encrypted(struct sw_examine *x, struct sw_io *io, const struct sw_part *p,
			   struct sw_state_place *ret, struct sw_error *err)
{
	_cleanup_secret_ struct sw_secret *key = NULL;
	int r = sw_io_window(io, p->start, p->size, &ret->window);

	if (r < 0)
		return r;
	r = get_key(x, ret->window, p->label, &key, err);
	if (r == 0)
		r = sw_luks_inside(ret->window, key, &ret->opened, err);
	if (r == 0)
		take(ret, ret->opened, p, 0, ret->opened->size, "an encrypted partition");
	return r;
}

bool sw_rescue_takes_key(const struct sw_finding *fi)
{
	const char *slash = strchr(fi->id, '/');

	return slash && strcmp(slash + 1, LOCKED) == 0;
}

/* The state of a healthy node is closed to the medium: that is no fault. */
static int locked(struct sw_examine *x, const struct sw_disk *d, const struct sw_part *p,
		  const struct sw_error *why)
{
	struct sw_finding *fi = sw_finding_add(x, d->name, LOCKED, SW_FINDING_INFO,
					       SW_SURE_CERTAIN);

	if (!fi)
		return -ENOMEM;
	(void)snprintf(fi->what, sizeof(fi->what),
		       "the state is encrypted, and was not looked into");
	(void)snprintf(fi->evidence, sizeof(fi->evidence),
		       "partition %u of %.40s is %sLUKS2%s%.200s", p->number, d->name,
		       sw_part_holds(p, SW_FS_RAID) ? "a member of a mirror that holds " : "",
		       why ? "; " : "", why ? sw_error_reason(why) : "");
	(void)snprintf(fi->effect, sizeof(fi->effect),
		       "whether its file system is damaged or full is not known");
	(void)snprintf(fi->advice, sizeof(fi->advice),
		       "by the TPM or the recovery key it is looked into: on the console Enter on "
		       "this finding, else `slipway doctor --open`");
	return 0;
}

static void note(struct sw_examine *x, int r, const struct sw_error *why)
{
	struct sw_rescue_opened *opened = x->inside ? x->inside->opened : NULL;

	if (!opened)
		return;
	opened->n += r == 0;
	if (r < 0 && opened->why.r == 0)
		opened->why = *why;
}

int sw_state_enter(struct sw_examine *x, const struct sw_disk *d, const struct sw_part *p,
		   struct sw_io *io, struct sw_state_place *ret)
{
	bool used = d->uses && d->uses[0], mirror = sw_part_holds(p, SW_FS_RAID);
	struct sw_part in = *p;
	struct sw_error why = {};
	int r;

	if (mirror && (used || enter_mirror(io, p, &in) < 0))
		return -ENOENT;
	if (!sw_part_holds(&in, SW_FS_LUKS)) {
		take(ret, io, &in, in.start, in.size, mirror ? "a mirror" : NULL);
		if (!mirror)
			ret->part.fs_type = p->fs_type;
		return 0;
	}
	/* opened, and whoever opened it knows more */
	if (used || (mirror && !is_first(x, d, p)))
		return -ENOENT;
	r = x->inside ? enter_encrypted(x, io, &in, ret, &why) : -ENOKEY;
	note(x, r, &why);
	if (r == 0)
		return 0;
	r = locked(x, d, p, x->inside ? &why : NULL);
	return r < 0 ? r : -ENOENT;
}
