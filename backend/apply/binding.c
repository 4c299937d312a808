/* SPDX-License-Identifier: Apache-2.0 */
/* Is this still the machine, the disk and the state that the plan was made for? */
#include <limits.h>
#include <string.h>

#include "apply/run.h"

static bool same(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "") == 0;
}

static bool is_bound(const struct sw_plan *p, const struct sw_facts *f, const struct sw_disk *d)
{
	if (d->size != p->disk_size || d->sector != p->sector || d->medium)
		return false;
	if (p->disk_serial || p->disk_wwn)
		return same(p->disk_serial, d->serial) && same(p->disk_wwn, d->wwn);
	/* Nothing but its number tells it apart, and that only counts within one boot. */
	return p->disk_seq && d->diskseq == p->disk_seq && same(p->boot_id, f->boot_id);
}

const struct sw_disk *sw_bound_disk(const struct sw_plan *p, const struct sw_facts *f)
{
	const struct sw_disk *found = NULL;

	for (size_t i = 0; i < f->n_disks; i++) {
		if (!is_bound(p, f, &f->disks[i]))
			continue;
		if (found)
			return NULL;
		found = &f->disks[i];
	}
	return found;
}

unsigned int sw_plan_step_number(const struct sw_plan *p, enum sw_step_kind kind)
{
	for (size_t i = 0; i < p->n_steps; i++)
		if (p->steps[i].kind == kind)
			return (unsigned int)i + 1;
	return UINT_MAX;
}

static int refuse(struct sw_error *err, const struct sw_disk *d, const char *what, const char *why)
{
	sw_fail(err, SW_EXIT_REFUSED, -ESTALE, "%s", what);
	sw_error_where(err, "%s", d ? d->node : "");
	sw_error_why(err, "%s", why);
	sw_error_hint(err, "nothing was written; look at the machine and make a new plan");
	return -ESTALE;
}

int sw_binding_check(const struct sw_plan *p, const struct sw_facts *f, const struct sw_disk *d,
		     bool resumed, unsigned int started, struct sw_error *err)
{
	bool table_open = resumed && started >= sw_plan_step_number(p, SW_STEP_TABLE);
	const char *why;

	if (!d)
		return refuse(err, NULL, "the plan's disk is not in this machine",
			      "no disk has its serial, WWN, size and sector size (or two have)");
	why = sw_disk_excluded(d, 0);
	if (why)
		return refuse(err, d, "the disk must not be written to", why);
	if (!table_open && strcmp(d->table.digest, p->table_digest) != 0)
		return refuse(err, d, "the disk has changed since the plan was made",
			      "its partition table is not the one that the plan was made for");
	/* Firmware may add entries of its own between two starts, so a resume plans them anew. */
	if (!resumed && strcmp(f->boot.digest, p->boot_digest) != 0)
		return refuse(err, d, "the boot entries have changed since the plan was made",
			      "BootOrder, BootNext or a boot entry is not as the plan expects");
	return 0;
}
