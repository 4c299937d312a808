/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Other names for partitions of disks that are not installed to, and their old
 * names again on undo. Each partition is looked at first, under the disk's lock:
 * it has the one name, the other, or somebody has changed it and it is left
 * alone. So both ways can be interrupted and repeated.
 */
#include <string.h>

#include "apply/run.h"
#include "disk/disk.h"
#include "disk/gpt-rename.h"

struct look {
	struct sw_table table;
	char **signatures;
};

static void look_clear(struct look *l)
{
	sw_table_clear(&l->table);
	for (char **s = l->signatures; s && *s; s++)
		free(*s);
	free(l->signatures);
}

static bool bears(const struct sw_part *p, const char *label, const struct sw_guid *uuid)
{
	return strcmp(p->label ? p->label : "", label) == 0 && sw_guid_equal(&p->uuid, uuid);
}

static int changed_meanwhile(const struct sw_aside *a, unsigned int number, struct sw_error *err)
{
	sw_fail(err, SW_EXIT_REFUSED, -ESTALE, "partition %u of %s is not what the plan says",
		number, a->disk.name);
	sw_error_why(err, "it bears neither its old name nor the one it was to get");
	sw_error_hint(err, "look at the machine and make a new plan");
	return -ESTALE;
}

/* All changes, and in *ret_open whether there is anything left to do. */
static int changes_of(const struct sw_aside *a, const struct sw_table *t, bool back,
		      struct sw_gpt_name *changes, bool *ret_open, struct sw_error *err)
{
	/* A cut can leave the one copy with the new names and the other one damaged. */
	*ret_open = t->damage != NULL;
	for (size_t i = 0; i < a->n_parts; i++) {
		const struct sw_rename *n = &a->parts[i];
		const struct sw_part *p = sw_table_part(t, n->number);
		const char *from = back ? n->new_label : n->old_label;
		const char *to = back ? n->old_label : n->new_label;
		const struct sw_guid *uuid = back ? &n->old_uuid : &n->new_uuid;

		changes[i] = (struct sw_gpt_name){ .number = n->number, .label = to,
						   .uuid = *uuid };
		if (p && bears(p, to, uuid))
			continue;
		if (!p || !bears(p, from, back ? &n->new_uuid : &n->old_uuid))
			return changed_meanwhile(a, n->number, err);
		*ret_open = true;
	}
	return 0;
}

static int rename_on(struct sw_io *io, const struct sw_aside *a, bool back, struct sw_error *err)
{
	_cleanup_free_ struct sw_gpt_name *changes = calloc(a->n_parts + 1, sizeof(*changes));
	_cleanup_(look_clear) struct look l = {};
	bool open = false;
	int r;

	if (!changes)
		return sw_fail_oom(err);
	r = sw_disk_probe(io, &l.table, &l.signatures, err);
	if (r == 0)
		r = changes_of(a, &l.table, back, changes, &open, err);
	return r < 0 || !open ? r : sw_gpt_rename(io, changes, a->n_parts, err);
}

static int absent(const struct sw_aside *a, struct sw_error *err)
{
	sw_fail(err, SW_EXIT_REFUSED, -ENXIO, "%s, on which partitions get other names, is gone",
		a->disk.name);
	sw_error_why(err, "no disk has the serial %s",
		     a->disk.serial ? a->disk.serial : "and size that it had");
	sw_error_hint(err, "attach it again, or make a new plan without it");
	return -ENXIO;
}

static int rename_disk(struct sw_run *run, const struct sw_facts *f, const struct sw_aside *a,
		       bool back, struct sw_error *err)
{
	const struct sw_disk *d = sw_bound_to(run->p, &a->disk, f);
	const char *why = d ? sw_disk_excluded(d, 0) : NULL;
	struct sw_io *io = NULL;
	int r;

	if (!d)
		return absent(a, err);
	if (why) {
		sw_fail(err, SW_EXIT_REFUSED, -EBUSY, "the names on %s cannot be changed", d->name);
		sw_error_why(err, "%s", why);
		return -EBUSY;
	}
	r = sw_machine_open_disk(run->m, d, true, true, &io, err);
	if (r < 0)
		return r;
	r = rename_on(io, a, back, err);
	/* Unlocked first: udev waits for the lock, and settling waits for udev. */
	sw_io_close(io);
	if (r == 0)
		(void)sw_machine_settle(run->m, d);
	return r;
}

int sw_step_aside(struct sw_run *run, const struct sw_step *s SW_UNUSED, struct sw_error *err)
{
	_cleanup_facts_ struct sw_facts *f = NULL;
	int r = sw_run_look(run, &f, err);

	for (size_t i = 0; i < run->p->n_asides && r == 0; i++) {
		const struct sw_aside *a = &run->p->asides[i];

		r = rename_disk(run, f, a, false, err);
		for (size_t k = 0; k < a->n_parts && r == 0; k++)
			sw_event_log(run->sink, "%s partition %u: %s is now called %s",
				     a->disk.name, a->parts[k].number, a->parts[k].old_label,
				     a->parts[k].new_label);
	}
	return r;
}

/* The disk may be in another machine by now, so what it takes to do it by hand is told. */
static void say_left(const struct sw_run *run, const struct sw_aside *a, const struct sw_error *e)
{
	char uuid[SW_GUID_TEXT];

	sw_event_log(run->sink, "warning: the names on %s stay: %s: %s", a->disk.name, e->what,
		     e->why);
	for (size_t i = 0; i < a->n_parts; i++)
		sw_event_log(run->sink, "warning: there partition %u was called \"%s\", UUID %s",
			     a->parts[i].number, a->parts[i].old_label,
			     sw_guid_format(&a->parts[i].old_uuid, uuid));
}

uint64_t sw_asides_restore(struct sw_run *run, const struct sw_facts *f, uint64_t which)
{
	uint64_t left = 0;

	for (size_t i = 0; i < run->p->n_asides; i++) {
		const struct sw_aside *a = &run->p->asides[i];
		uint64_t bit = sw_undo_names(run->p, i);
		struct sw_error e = {};
		int r;

		if (!(which & bit))
			continue;
		r = rename_disk(run, f, a, true, &e);
		if (r == 0) {
			sw_event_log(run->sink, "restoring the partition names on %s",
				     a->disk.name);
			continue;
		}
		say_left(run, a, &e);
		/* Names that somebody has given since are that one's. */
		if (r != -ESTALE)
			left |= bit;
	}
	return left;
}

int sw_asides_check(const struct sw_plan *p, const struct sw_facts *f, bool resumed,
		    unsigned int started, struct sw_error *err)
{
	/* From that step on, and for an undo, each partition is judged when its turn comes. */
	if (resumed && started >= sw_plan_step_number(p, SW_STEP_ASIDE))
		return 0;
	for (size_t i = 0; i < p->n_asides; i++) {
		const struct sw_disk *d = sw_bound_to(p, &p->asides[i].disk, f);

		if (!d)
			return absent(&p->asides[i], err);
		if (strcmp(d->table.digest, p->asides[i].disk.table_digest) == 0)
			continue;
		sw_fail(err, SW_EXIT_REFUSED, -ESTALE,
			"%s, on which partitions get other names, has changed since the plan",
			d->name);
		sw_error_hint(err, "nothing was written; make a new plan");
		return -ESTALE;
	}
	return 0;
}
