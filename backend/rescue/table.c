/* SPDX-License-Identifier: Apache-2.0 */
/* Both copies of a GPT and the protective MBR, and writing them anew from the good one. */
#include <inttypes.h>
#include <string.h>

#include "disk/gpt.h"
#include "disk/select.h"
#include "disk/table-edit.h"
#include "rescue/private.h"

struct look {
	const struct sw_disk *d;
	struct sw_io *io;
	struct sw_gpt_scan scan;
	uint64_t last;		/* LBA */
	const struct sw_gpt_copy *primary, *backup;	/* whole ones */
	bool backup_counts;	/* the node is where the backup says, not the primary */
};

static void find_copies(struct look *l)
{
	for (size_t i = 0; i < l->scan.n; i++) {
		const struct sw_gpt_copy *c = &l->scan.copies[i];

		if (c->sector != l->d->sector || !c->entries_ok)
			continue;
		if (c->my_lba == 1)
			l->primary = c;
		else if (!l->backup || c->my_lba == l->last)
			l->backup = c;
	}
}

/* The table as it would be after both copies were written from the good one, with one change. */
static int build(const struct look *l, const struct sw_gpt_copy *from, sw_parts_change change,
		 const void *arg, struct sw_table_image *ret_image)
{
	_cleanup_free_ struct sw_table_change *changes = NULL;
	struct sw_part *parts = NULL;
	size_t n = 0;
	int r = sw_gpt_read_parts(l->io, from, &parts, &n);

	if (r == 0 && change)
		r = change(&parts, &n, arg);
	if (r < 0) {
		sw_gpt_parts_free(parts, n);
		return r;
	}
	changes = calloc(n ? n : 1, sizeof(*changes));
	for (size_t i = 0; changes && i < n; i++)
		changes[i] = (struct sw_table_change){ .number = parts[i].number, .add = true,
			.part = { .start = parts[i].start, .size = parts[i].size,
				  .type = parts[i].type, .uuid = parts[i].uuid,
				  .attrs = parts[i].attrs,
				  .label = parts[i].label ? parts[i].label : "" } };
	r = changes ? sw_table_edit(l->io, &from->id, changes, n, ret_image, NULL) : -ENOMEM;
	sw_gpt_parts_free(parts, n);
	return r;
}

static int add_image(const struct look *l, const struct sw_gpt_copy *from, sw_parts_change change,
		     const void *arg, struct sw_finding *fi)
{
	struct sw_table_image image = {};
	struct sw_repair *rep;
	int r = from->n_entries == SW_GPT_ENTRIES && from->entry_len == SW_GPT_ENTRY_LEN
			? build(l, from, change, arg, &image) : -EOPNOTSUPP;

	if (r == -ENOMEM)
		return r;
	if (r < 0) {
		(void)snprintf(fi->advice, sizeof(fi->advice),
			       "the table is of an unusual form: `sgdisk -e` and `gdisk` can "
			       "write it anew");
		return 0;
	}
	rep = sw_finding_repair(fi, l->d);
	r = rep ? 0 : -ENOMEM;
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(image.piece); i++)
		r = sw_repair_add_bytes(rep, l->io, image.piece[i].off, image.piece[i].data,
					image.piece[i].len, image.piece[i].name);
	sw_table_image_clear(&image);
	return r;
}

static int add_repair(const struct look *l, struct sw_finding *fi)
{
	bool backup = !l->primary || l->backup_counts;
	int r = add_image(l, backup ? l->backup : l->primary, NULL, NULL, fi);

	if (r == 0 && fi->repair)
		(void)snprintf(fi->repair->text, sizeof(fi->repair->text),
			       "write both copies of the partition table of %s from the %s one",
			       l->d->name, backup ? "backup" : "primary");
	return r;
}

/* UEFI 5.2.3: the disk without its first sector, as far as 32 bits tell; many tools write -1. */
static bool is_mbr_long(const struct look *l)
{
	return l->scan.pmbr_len == UINT32_MAX ||
	       l->scan.pmbr_len == (l->last < UINT32_MAX ? l->last : UINT32_MAX);
}

static const char *mbr_text(const struct look *l, char text[static 64])
{
	if (!l->scan.pmbr)
		return "missing";
	if (l->scan.pmbr_odd)
		return "marked active, or not from sector 1 on";
	if (is_mbr_long(l))
		return "there";
	(void)snprintf(text, 64, "for %" PRIu32 " sectors", l->scan.pmbr_len);
	return text;
}

static int found(struct sw_examine *x, const struct look *l, const char *id,
		 enum sw_severity severity, const char *what, const char *effect)
{
	struct sw_finding *fi = sw_finding_add(x, l->d->name, id, severity, SW_SURE_CERTAIN);
	char text[64];
	int r;

	if (!fi)
		return -ENOMEM;
	(void)snprintf(fi->what, sizeof(fi->what), "%s", what);
	(void)snprintf(fi->effect, sizeof(fi->effect), "%s", effect);
	(void)snprintf(fi->evidence, sizeof(fi->evidence),
		       "primary at sector 1: %s; backup: %s at sector %" PRIu64
		       ", the disk's last is %" PRIu64 "; protective MBR: %s",
		       l->primary ? "whole" : "checksum wrong or missing",
		       l->backup ? "whole" : "none that is whole",
		       l->backup ? l->backup->my_lba : l->last, l->last,
		       mbr_text(l, text));
	if (l->primary || l->backup)
		return add_repair(l, fi);
	r = sw_rescue_rebuild(x, l->d, l->io, fi);
	if (r < 0 || fi->repair)
		return r;
	(void)snprintf(fi->advice, sizeof(fi->advice),
		       "write nothing to the disk; `testdisk` can look for the partitions, or "
		       "install again");
	return 0;
}

/* How many slots and node data are where this copy says that a partition is. */
static int holds(const struct look *l, const struct sw_gpt_copy *c, size_t *ret_n)
{
	struct sw_part *parts = NULL;
	size_t n = 0;
	int r = sw_gpt_read_parts(l->io, c, &parts, &n);

	*ret_n = 0;
	for (size_t i = 0; i < n; i++)
		*ret_n += parts[i].start < l->io->size &&
			  parts[i].size <= l->io->size - parts[i].start &&
			  (sw_rescue_is_slot(l->io, parts[i].start, parts[i].size) ||
			   sw_rescue_is_data(l->io, parts[i].start, parts[i].size));
	sw_gpt_parts_free(parts, n);
	return r;
}

/*
 * Two tables. Everybody goes by the primary one; where it is another's and the node is where
 * the backup says, the backup is all that is left of the node's.
 */
static int differ(struct sw_examine *x, struct look *l)
{
	size_t by_primary, by_backup;
	struct sw_finding *fi;
	int r = holds(l, l->primary, &by_primary);

	if (r == 0)
		r = holds(l, l->backup, &by_backup);
	if (r < 0)
		return r == -ENOMEM ? r : 0;
	l->backup_counts = by_backup > by_primary;
	if (!l->backup_counts)
		return found(x, l, "gpt-differ", SW_FINDING_WARNING,
			     "the two copies of the partition table differ",
			     "which partitions there are depends on who looks; the primary counts");
	r = found(x, l, "gpt-differ", SW_FINDING_ERROR,
		  "the primary partition table is another one, and the backup is the node's",
		  "firmware and kernel go by the primary: they do not find what lies on the disk");
	fi = r == 0 ? &x->out->v[x->out->n - 1] : NULL;
	if (!fi || !fi->repair)
		return r;
	fi->repair->loses = "what was put under the other table is not found with this one";
	fi->repair->confirm = sw_disk_confirm_text(x->f, l->d);
	return fi->repair->confirm ? 0 : -ENOMEM;
}

/* A table for a larger disk: what lies past the end is gone, whatever the table says. */
static int shrunk(struct sw_examine *x, const struct look *l)
{
	struct sw_finding *fi = sw_finding_add(x, l->d->name, "gpt-shrunk", SW_FINDING_ERROR,
					       SW_SURE_CERTAIN);
	struct sw_part *parts = NULL;
	uint64_t end = 0;
	size_t n = 0;
	int r = fi ? sw_gpt_read_parts(l->io, l->primary, &parts, &n) : -ENOMEM;

	if (r < 0)
		return r;
	for (size_t i = 0; i < n; i++)
		if (parts[i].start + parts[i].size > end)
			end = parts[i].start + parts[i].size;
	sw_gpt_parts_free(parts, n);
	(void)snprintf(fi->what, sizeof(fi->what), "the disk is smaller than its table says");
	(void)snprintf(fi->evidence, sizeof(fi->evidence),
		       "the table was made for %" PRIu64 " bytes, the disk has %" PRIu64
		       "; the last partition ends at %" PRIu64,
		       (l->primary->other_lba + 1) * l->d->sector, l->io->size, end);
	(void)snprintf(fi->effect, sizeof(fi->effect),
		       "some firmware sees no partition, and there is no backup of the table");
	if (end <= (l->primary->last_lba - (l->primary->other_lba - l->last)) * l->d->sector)
		return add_repair(l, fi);
	(void)snprintf(fi->advice, sizeof(fi->advice),
		       "the last partition is cut off: save what can be read, give the disk its "
		       "size back (a firmware can hide the end of a disk, a virtual one can be "
		       "grown), or install again");
	return 0;
}

static bool alike(const struct sw_gpt_copy *a, const struct sw_gpt_copy *b)
{
	return a->entries_crc == b->entries_crc && sw_guid_equal(&a->id, &b->id);
}

/*
 * Of another length than the disk: EDK2 does not look at it, Linux and libfdisk take it, and with
 * an MBR of other partitions besides (a hybrid one) it is so on purpose.
 */
static int mbr_length(struct sw_examine *x, const struct look *l)
{
	struct sw_finding *fi;
	int r;

	if (!l->scan.pmbr || l->scan.pmbr_odd || l->scan.dos || is_mbr_long(l))
		return 0;
	r = found(x, l, "gpt-mbr-length", SW_FINDING_INFO,
		  "the protective MBR is not as long as the disk",
		  "firmware and Linux do not mind; a tool that knows no GPT is misled about "
		  "what is free");
	fi = r == 0 ? &x->out->v[x->out->n - 1] : NULL;
	if (fi && fi->repair)
		(void)snprintf(fi->repair->text, sizeof(fi->repair->text),
			       "write the protective MBR of %.30s as long as the disk; the table "
			       "stays", l->d->name);
	return r;
}

static int judge(struct sw_examine *x, struct look *l)
{
	const struct sw_gpt_copy *p = l->primary, *b = l->backup;
	int r = 0;

	if (!p && !b)
		return found(x, l, "gpt-lost", SW_FINDING_ERROR,
			     "both copies of the partition table are damaged",
			     "no partition can be found; nothing starts from this disk");
	if (p && p->last_lba > l->last)
		return shrunk(x, l);
	if (!p)
		return found(x, l, "gpt-primary", SW_FINDING_ERROR,
			     "the primary copy of the partition table is damaged",
			     "the disk hangs on its backup; some firmware sees no partition");
	if (b && !alike(p, b))
		return differ(x, l);
	if (!b)
		return found(x, l, "gpt-backup", SW_FINDING_WARNING,
			     "the backup copy of the partition table is damaged",
			     "one more fault at the disk's beginning loses all partitions");
	if (b->my_lba < l->last)
		r = found(x, l, "gpt-grown", SW_FINDING_WARNING,
			  "the backup of the partition table is not at the disk's end",
			  "the disk has grown; after damage to its beginning nobody finds it");
	else	/* of a disk that has grown it is short as well, and goes with that */
		r = mbr_length(x, l);
	return r < 0 ? r : sw_examine_origin(x, l->d, l->io, (b->my_lba + 1) * l->d->sector);
}

/* EDK2 and Linux want an entry that begins at sector 1, and EDK2 one that is not active. */
static int mbr(struct sw_examine *x, const struct look *l)
{
	if (!l->scan.pmbr)
		return found(x, l, "gpt-mbr", SW_FINDING_ERROR,
			     "the protective MBR before the partition table is gone",
			     "Linux and most firmware take the disk for empty");
	if (!l->scan.pmbr_odd)
		return 0;
	return found(x, l, "gpt-mbr", SW_FINDING_ERROR,
		     "the protective MBR is not as firmware wants it",
		     "much firmware does not believe the partition table, and finds nothing to "
		     "start on this disk");
}

static int scan(const struct sw_disk *d, struct sw_io *io, struct look *l)
{
	*l = (struct look){ .d = d, .io = io, .last = io->size / d->sector - 1 };
	return sw_gpt_scan(io, &l->scan);
}

int sw_rescue_table_change(struct sw_examine *x, const struct sw_disk *d, struct sw_finding *fi,
			   sw_parts_change change, const void *arg)
{
	_cleanup_io_ struct sw_io *io = NULL;
	struct look l;
	int r = sw_machine_open_disk(x->m, d, false, false, &io, x->err);

	if (r == 0)
		r = scan(d, io, &l);
	if (r < 0)
		return r;
	find_copies(&l);
	if (l.primary && l.backup && l.backup->my_lba <= l.last && alike(l.primary, l.backup))
		return add_image(&l, l.primary, change, arg, fi);
	(void)snprintf(fi->advice, sizeof(fi->advice), "put the partition table right first");
	return 0;
}

int sw_examine_table(struct sw_examine *x, const struct sw_disk *d)
{
	_cleanup_io_ struct sw_io *io = NULL;
	struct sw_error e = {};
	struct look l;
	int r;

	if (d->medium || d->size < 1 << 20 || d->sector == 0 ||
	    sw_machine_open_disk(x->m, d, false, false, &io, &e) < 0)
		return 0;
	r = scan(d, io, &l);
	/* A DOS table in force means that a GPT is a leftover, whatever its state. */
	if (r >= 0 && (l.scan.n == 0 || (l.scan.dos && !l.scan.pmbr)))
		return sw_examine_gone(x, d, io, l.scan.dos);
	if (r < 0)
		return r == -ENOMEM ? r : 0;
	find_copies(&l);
	r = l.primary || l.backup ? mbr(x, &l) : 0;
	return r < 0 ? r : judge(x, &l);
}
