/* SPDX-License-Identifier: Apache-2.0 */
/* Is this still the machine, and are these the disks and the state, that the plan was made for? */
#include <limits.h>
#include <string.h>

#include "apply/run.h"
#include "base/size.h"

static bool same(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "") == 0;
}

static bool is_bound(const struct sw_plan *p, const struct sw_plan_disk *pd,
		     const struct sw_facts *f, const struct sw_disk *d)
{
	if (d->size != pd->size || d->sector != pd->sector || d->medium)
		return false;
	if (pd->serial || pd->wwn)
		return same(pd->serial, d->serial) && same(pd->wwn, d->wwn);
	/* Nothing but its number tells it apart, and that only counts within one boot. */
	return pd->seq && d->diskseq == pd->seq && same(p->boot_id, f->boot_id);
}

const struct sw_disk *sw_bound_to(const struct sw_plan *p, const struct sw_plan_disk *pd,
				  const struct sw_facts *f)
{
	const struct sw_disk *found = NULL;

	for (size_t i = 0; i < f->n_disks; i++) {
		if (!is_bound(p, pd, f, &f->disks[i]))
			continue;
		if (found)
			return NULL;
		found = &f->disks[i];
	}
	return found;
}

const struct sw_disk *sw_bound_disk(const struct sw_plan *p, size_t disk, const struct sw_facts *f)
{
	return sw_bound_to(p, &p->disks[disk], f);
}

unsigned int sw_plan_step_number(const struct sw_plan *p, enum sw_step_kind kind)
{
	for (size_t i = 0; i < p->n_steps; i++)
		if (p->steps[i].kind == kind)
			return (unsigned int)i + 1;
	return UINT_MAX;
}

unsigned int sw_plan_table_step(const struct sw_plan *p, size_t disk)
{
	for (size_t i = 0; i < p->n_steps; i++)
		if (p->steps[i].kind == SW_STEP_TABLE && p->steps[i].disk == disk)
			return (unsigned int)i + 1;
	return UINT_MAX;
}

static int refuse(struct sw_error *err, const char *where, const char *what, const char *why)
{
	sw_fail(err, SW_EXIT_REFUSED, -ESTALE, "%s", what);
	sw_error_where(err, "%s", where ? where : "");
	sw_error_why(err, "%s", why);
	sw_error_hint(err, "nothing was written; look at the machine and make a new plan");
	return -ESTALE;
}

/* The disk that comes nearest, and which part of its identity is not the plan's; into why. */
static const struct sw_disk *nearest(const struct sw_plan_disk *pd, const struct sw_facts *f,
				     char *why, size_t size)
{
	char a[16], b[16];

	for (size_t i = 0; i < f->n_disks; i++) {
		const struct sw_disk *d = &f->disks[i];
		bool serial = pd->serial && same(pd->serial, d->serial);
		bool wwn = pd->wwn && same(pd->wwn, d->wwn);

		if (!serial && !wwn)
			continue;
		if (!same(pd->serial, d->serial))
			snprintf(why, size, "its serial is %s and the plan says %s",
				 d->serial ? d->serial : "missing",
				 pd->serial ? pd->serial : "none");
		else if (!same(pd->wwn, d->wwn))
			snprintf(why, size, "its WWN is %s and the plan says %s",
				 d->wwn ? d->wwn : "missing", pd->wwn ? pd->wwn : "none");
		else if (d->size != pd->size)
			snprintf(why, size, "its size is %s (%llu) and the plan says %s (%llu)",
				 sw_size_format(d->size, a, sizeof(a)), (unsigned long long)d->size,
				 sw_size_format(pd->size, b, sizeof(b)),
				 (unsigned long long)pd->size);
		else if (d->sector != pd->sector)
			snprintf(why, size, "its sector size is %u and the plan says %u",
				 d->sector, pd->sector);
		else
			snprintf(why, size, d->medium ? "slipway was started from it"
						      : "two disks have its serial, WWN and size");
		return d;
	}
	return NULL;
}

static int refuse_absent(const struct sw_plan *p, size_t disk, const struct sw_facts *f,
			 struct sw_error *err)
{
	const struct sw_plan_disk *pd = &p->disks[disk];
	const struct sw_disk *d;
	char why[240];

	if (!pd->serial && !pd->wwn)
		return refuse(err, pd->node, "the plan's disk cannot be told from others",
			      same(p->boot_id, f->boot_id)
				      ? "it has neither serial nor WWN, and its number (diskseq) "
					"has changed: it was detached since"
				      : "it has neither serial nor WWN, and its number (diskseq) "
					"only counts until the restart that has been since");
	d = nearest(pd, f, why, sizeof(why));
	if (d)
		return refuse(err, d->node, "the disk is not the plan's disk", why);
	(void)snprintf(why, sizeof(why), "no disk has the %s %s", pd->serial ? "serial" : "WWN",
		       pd->serial ? pd->serial : pd->wwn);
	return refuse(err, NULL, "the plan's disk is not in this machine", why);
}

static int refuse_kept(const struct sw_disk *d, const struct sw_placed *part, struct sw_error *err)
{
	char why[200];

	(void)snprintf(why, sizeof(why), "partition %s, which is to be kept, is not as it was",
		       part->label ? part->label : "");
	return refuse(err, d->node, "the disk has changed since the plan was made", why);
}

/* What is kept is looked at again, inside too: the table's digest says nothing of that. */
static int check_kept(const struct sw_plan *p, size_t disk, const struct sw_disk *d,
		      bool table_open, struct sw_error *err)
{
	for (size_t i = 0; i < p->n_parts; i++) {
		const struct sw_placed *part = &p->parts[i];
		const struct sw_part *now = NULL;

		if (!part->kept || part->disk != disk)
			continue;
		for (size_t k = 0; k < d->table.n_parts; k++)
			if (d->table.parts[k].start == part->start)
				now = &d->table.parts[k];
		/* Half a table may show nothing; what it shows must be right. */
		if (!now && table_open)
			continue;
		if (!now || now->size != part->size || !sw_guid_equal(&now->uuid, &part->uuid) ||
		    !sw_guid_equal(&now->type, &part->type) ||
		    (part->fs_uuid && !same(part->fs_uuid, now->fs_uuid)))
			return refuse_kept(d, part, err);
	}
	return 0;
}

/* What was begun on several disks is ended on all of them, or one would be half a node. */
static void hint_whole(struct sw_error *err)
{
	err->hint[0] = '\0';
	sw_error_hint(err, "nothing was written; an install on several disks is resumed on all of "
			   "them or not at all: attach the disk again, or take back what is here "
			   "with `slipway undo --without DISK`");
}

static int check_disk(const struct sw_plan *p, size_t disk, const struct sw_facts *f, bool resumed,
		      unsigned int started, const struct sw_disk **ret_disk, struct sw_error *err)
{
	const struct sw_plan_disk *pd = &p->disks[disk];
	const struct sw_disk *d = sw_bound_disk(p, disk, f);
	bool table_open = resumed && started >= sw_plan_table_step(p, disk);
	const char *why;

	if (!d) {
		(void)refuse_absent(p, disk, f, err);
		if (resumed && p->n_disks > 1 && err)
			hint_whole(err);
		return -ESTALE;
	}
	why = sw_disk_excluded(d, 0);
	if (why)
		return refuse(err, d->node, "the disk must not be written to", why);
	if (!table_open && strcmp(d->table.digest, pd->table_digest) != 0)
		return refuse(err, d->node, "the disk has changed since the plan was made",
			      "its partition table is not the one that the plan was made for");
	*ret_disk = d;
	return check_kept(p, disk, d, table_open, err);
}

int sw_binding_check(const struct sw_run *run, const struct sw_facts *f, unsigned int started,
		     const struct sw_disk **ret_disks, struct sw_error *err)
{
	const struct sw_plan *p = run->p;

	for (size_t k = 0; k < p->n_disks; k++) {
		int r = 0;

		if (run->without >> k & 1)
			continue;
		r = check_disk(p, k, f, run->resumed, started, &ret_disks[k], err);
		if (r < 0)
			return r;
		for (size_t i = 0; i < k; i++)
			if (ret_disks[i] == ret_disks[k])
				return refuse(err, ret_disks[k]->node,
					      "two disks of the plan are the same disk here",
					      "their serials or WWNs do not tell them apart");
	}
	/* Firmware may add entries of its own between two starts, so a resume plans them anew. */
	if (!run->resumed && strcmp(f->boot.digest, p->boot_digest) != 0)
		return refuse(err, NULL, "the boot entries have changed since the plan was made",
			      "BootOrder, BootNext or a boot entry is not as the plan expects");
	return 0;
}
