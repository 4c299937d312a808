/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file system of the state, as its superblock tells: read in user space, never mounted.
 * Format: the kernel's Documentation/filesystems/ext4/super.rst (little endian).
 */
#include <inttypes.h>
#include <string.h>

#include "base/le.h"
#include "rescue/private.h"

#define LABEL "state"
#define SUPER_LEN 1024U
#define MAGIC 0xef53U
#define CLEAN 0x1U		/* s_state */
#define ERRORS 0x2U
#define NEEDS_RECOVERY 0x4U	/* s_feature_incompat: a journal is to be replayed */
#define BITS64 0x80U
#define EXT_LOG_BLOCK_MAX 6U	/* blocks of 64 KiB */

static uint64_t count(const uint8_t *d, bool wide, size_t low, size_t high)
{
	return sw_le32(d + low) | (wide ? (uint64_t)sw_le32(d + high) << 32 : 0);
}

int sw_ext_read(struct sw_io *io, uint64_t at, struct sw_ext *ret)
{
	uint8_t d[SUPER_LEN];
	int r = sw_io_read(io, at, d, sizeof(d));
	bool wide;

	if (r < 0)
		return r;
	if (sw_le16(d + 0x38) != MAGIC)
		return -ENOENT;
	wide = sw_le32(d + 0x60) & BITS64;
	*ret = (struct sw_ext){ .state = sw_le16(d + 0x3a), .incompat = sw_le32(d + 0x60),
				.error_count = sw_le32(d + 0x194), .log_block = sw_le32(d + 0x18),
				.blocks = count(d, wide, 0x04, 0x150),
				.free_blocks = count(d, wide, 0x0c, 0x158) };
	return 0;
}

enum sw_ext_condition sw_ext_condition(const struct sw_ext *e)
{
	if (e->state & ERRORS || e->error_count)
		return SW_EXT_ERRORS;
	if (e->incompat & NEEDS_RECOVERY)
		return SW_EXT_JOURNAL;
	return e->state & CLEAN ? SW_EXT_CLEAN : SW_EXT_UNCLEAN;
}

struct backup {
	uint32_t block, size;	/* size: of a block */
};

/* The first backup of the superblock, for blocks of 4, 2 and 1 KiB; NULL: none. */
static const struct backup *find_backup(struct sw_io *io, const struct sw_part *p)
{
	static const struct backup places[] = {
		{ 32768, 4096 }, { 16384, 2048 }, { 8193, 1024 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		uint64_t at = (uint64_t)places[i].block * places[i].size;
		struct sw_ext e;

		if (at + SUPER_LEN <= p->size && sw_ext_read(io, p->start + at, &e) == 0)
			return &places[i];
	}
	return NULL;
}

/*
 * Whether the group descriptors behind the lost superblock are those behind the backup: then this
 * is the file system that was in use. mkfs of another kind wipes the beginning, not the backups.
 */
static bool table_agrees(struct sw_io *io, const struct sw_part *p, const struct backup *b)
{
	static const uint8_t none[12];
	uint64_t first = (b->size == 1024 ? 2 : 1) * (uint64_t)b->size;
	uint64_t behind = ((uint64_t)b->block + 1) * b->size;
	uint8_t here[12], there[12];	/* where the bitmaps and inodes are: that never changes */

	return behind + sizeof(there) <= p->size &&
	       sw_io_read(io, p->start + first, here, sizeof(here)) == 0 &&
	       sw_io_read(io, p->start + behind, there, sizeof(there)) == 0 &&
	       memcmp(here, there, sizeof(here)) == 0 && memcmp(here, none, sizeof(here)) != 0;
}

static struct sw_finding *add(struct sw_examine *x, const struct sw_disk *d, const char *id,
			      enum sw_severity severity, const char *what, const char *effect)
{
	struct sw_finding *fi = sw_finding_add(x, d->name, id, severity, SW_SURE_CERTAIN);

	if (!fi)
		return NULL;
	(void)snprintf(fi->what, sizeof(fi->what), "%s", what);
	(void)snprintf(fi->effect, sizeof(fi->effect), "%s", effect);
	return fi;
}

static struct sw_fsck place_of(const struct sw_part *p, int kind)
{
	struct sw_fsck f = { .number = p->number, .start = p->start, .size = p->size };

	f.kind = kind;
	return f;
}

static int super_lost(struct sw_examine *x, const struct sw_disk *d, const struct sw_part *p,
		      const struct backup *backup)
{
	struct sw_fsck f = place_of(p, SW_FSCK_EXT);
	struct sw_finding *fi = add(x, d, "state", SW_FINDING_ERROR,
				    "the file system of the state has lost its superblock",
				    "the state cannot be mounted, and what is in it not found");

	if (!fi)
		return -ENOMEM;
	(void)snprintf(fi->evidence, sizeof(fi->evidence),
		       "partition %u of %.40s begins without one; block %" PRIu32
		       " still holds its backup", p->number, d->name, backup->block);
	f.backup = backup->block;
	f.block = backup->size;
	return sw_repair_fsck(x, d, &f, fi);
}

/* e2fsck by the backup of an older file system destroys the one that is in use. */
static int either(struct sw_examine *x, const struct sw_disk *d, const struct sw_part *p,
		  const struct backup *backup)
{
	struct sw_finding *fi = add(x, d, "state", SW_FINDING_ERROR,
				    "the file system of the state has lost its superblock, and two "
				    "are left there",
				    "the state cannot be mounted, and what is in it not found");

	if (!fi)
		return -ENOMEM;
	(void)snprintf(fi->evidence, sizeof(fi->evidence),
		       "partition %u of %.40s begins without one; block %" PRIu32
		       " holds the backup of an ext4, and there is one of xfs or btrfs: one of "
		       "them is left from before",
		       p->number, d->name, backup->block);
	(void)snprintf(fi->advice, sizeof(fi->advice),
		       "a repair of the wrong one destroys the right one: find out which it was; "
		       "`e2fsck -n -b %" PRIu32 "`, `xfs_repair -n`, `btrfs check --readonly` only "
		       "look", backup->block);
	return 0;
}

static int damaged(struct sw_examine *x, const struct sw_disk *d, const struct sw_part *p,
		   const struct sw_ext *e)
{
	struct sw_fsck f = place_of(p, SW_FSCK_EXT);
	bool errors = sw_ext_condition(e) == SW_EXT_ERRORS;
	struct sw_finding *fi = add(x, d, "state", SW_FINDING_WARNING,
				    errors ? "the file system of the state has errors"
					   : "the state was not unmounted, and has no journal",
				    "it may be mounted read-only, or not at all, and gets worse "
				    "with use");

	if (!fi)
		return -ENOMEM;
	(void)snprintf(fi->evidence, sizeof(fi->evidence),
		       "partition %u of %.40s: its superblock %s (%" PRIu32 " counted)", p->number,
		       d->name, errors ? "says that errors were met" : "is not marked clean",
		       e->error_count);
	return sw_repair_fsck(x, d, &f, fi);
}

static int full(struct sw_examine *x, const struct sw_disk *d, const struct sw_part *p,
		const struct sw_ext *e)
{
	struct sw_fs_space s = { .size = e->blocks << 10 << e->log_block,
				 .free = e->free_blocks << 10 << e->log_block };

	s.full = e->blocks && sw_fs_is_full(s.free, s.size);
	return sw_examine_state_space(x, d, p, &s);
}

static int examine(struct sw_examine *x, const struct sw_disk *d, struct sw_io *io,
		   const struct sw_part *p)
{
	bool used = d->uses && d->uses[0];	/* a mounted one is not clean, and is no finding */
	struct sw_ext e;
	int r = sw_ext_read(io, p->start + SW_EXT_AT, &e);

	if (r == -ENOENT && !p->fs_type) {
		const struct backup *backup = find_backup(io, p);
		enum sw_state_left left = sw_state_other_left(io, p);

		if (backup && (left == SW_LEFT_NOTHING || table_agrees(io, p, backup)))
			return super_lost(x, d, p, backup);
		if (backup && left == SW_LEFT_MAYBE)
			return either(x, d, p, backup);
	}
	if (r == -ENOENT)
		return sw_examine_state_other(x, d, io, p);
	if (r < 0)
		return 0;	/* what cannot be read, others say */
	if (sw_ext_condition(&e) == SW_EXT_ERRORS ||
	    (!used && sw_ext_condition(&e) == SW_EXT_UNCLEAN))
		return damaged(x, d, p, &e);
	return e.log_block <= EXT_LOG_BLOCK_MAX ? full(x, d, p, &e) : 0;
}

int sw_examine_state(struct sw_examine *x, const struct sw_disk *d)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < d->table.n_parts; i++) {
		const struct sw_part *p = &d->table.parts[i];
		_cleanup_(sw_state_place_clear) struct sw_state_place at = {};
		_cleanup_io_ struct sw_io *io = NULL;
		struct sw_error e = {};

		if (d->medium || !p->label || strcmp(p->label, LABEL) != 0 ||
		    sw_machine_open_disk(x->m, d, false, false, &io, &e) < 0)
			continue;
		r = sw_state_enter(x, d, p, io, &at);
		x->layer = at.layer;
		r = r == -ENOENT ? 0 : r < 0 ? r : examine(x, d, at.io, &at.part);
		x->layer = NULL;
		if (r == 0)
			r = sw_examine_state_anew(x, d, io, p, &at);
	}
	return r;
}
