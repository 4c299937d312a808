/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Disks that hide the node or stand in its place: one whose table is gone while the node still
 * lies on it, a second disk with the same UUIDs, and one that has only a slot's name.
 */
#include <inttypes.h>
#include <string.h>

#include "apply/journal.h"
#include "base/file.h"
#include "boot/slot.h"
#include "disk/select.h"
#include "plan/plan.h"
#include "rescue/private.h"

#define STEP (1U << 20)		/* where partitions begin */
#define FAR (8ULL << 30)	/* slots stand at a disk's beginning */

/* ---- no table at all ---- */

static uint64_t find_slot(struct sw_io *io, uint64_t from)
{
	uint64_t end = io->size < FAR ? io->size : FAR;

	for (uint64_t at = from; at + STEP < end; at += STEP) {
		struct sw_slot_manifest m = {};
		struct sw_error e = {};
		bool whole = false;
		int r = sw_slot_read(io, at, io->size - at, &m, &whole, &e);

		sw_slot_manifest_clear(&m);
		if (r == 0)
			return at;
	}
	return 0;
}

int sw_examine_gone(struct sw_examine *x, const struct sw_disk *d, struct sw_io *io, bool dos)
{
	uint64_t first = find_slot(io, STEP), second = first ? find_slot(io, first + STEP) : 0;
	struct sw_finding *fi;
	int r;

	if (!first)
		return 0;
	fi = sw_finding_add(x, d->name, "table-gone", SW_FINDING_ERROR,
			    dos ? SW_SURE_LIKELY : SW_SURE_CERTAIN);
	if (!fi)
		return -ENOMEM;
	(void)snprintf(fi->what, sizeof(fi->what), "%s, and a node still lies on the disk",
		       dos ? "a DOS table has replaced the partition table"
			   : "the partition table is gone");
	(void)snprintf(fi->evidence, sizeof(fi->evidence),
		       "a slot with its manifest begins at byte %" PRIu64 "%s", first,
		       second ? ", another one behind it" : "");
	(void)snprintf(fi->effect, sizeof(fi->effect),
		       "no partition is found: nothing starts from this disk");
	r = sw_rescue_rebuild(x, d, io, fi);
	if (r < 0 || fi->repair)
		return r;
	(void)snprintf(fi->advice, sizeof(fi->advice),
		       "write nothing to the disk: `testdisk` finds partitions by what they hold; "
		       "an install with the same answers makes the table and the slots anew, and "
		       "the state is lost with it");
	return 0;
}

/* ---- another disk in the node's place ---- */

static const struct sw_part *shared(const struct sw_disk *a, const struct sw_disk *b)
{
	for (size_t i = 0; i < a->table.n_parts; i++)
		for (size_t k = 0; k < b->table.n_parts; k++)
			if (!sw_guid_is_zero(&a->table.parts[i].uuid) &&
			    sw_guid_equal(&a->table.parts[i].uuid, &b->table.parts[k].uuid))
				return &a->table.parts[i];
	return NULL;
}

/* Names that lead nobody here any more, and UUIDs that only this disk has. */
static int neutral_part(struct sw_part *p, const struct sw_disk *d)
{
	char *label = p->label && strncmp(p->label, "old-", 4) != 0
			      ? sw_fmt("old-%.30s", p->label) : strdup(p->label ? p->label : "");
	struct sw_guid seed = p->uuid;

	if (!label)
		return -ENOMEM;
	free(p->label);
	p->label = label;
	return sw_guid_derive(&seed, d->serial ? d->serial : d->name,
			      strlen(d->serial ? d->serial : d->name), &p->uuid);
}

static int neutral(struct sw_part **parts, size_t *n, const void *arg)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < *n; i++)
		r = neutral_part(&(*parts)[i], arg);
	return r;
}

static int add_neutral(struct sw_examine *x, const struct sw_disk *d, struct sw_finding *fi)
{
	int r = sw_rescue_table_change(x, d, fi, neutral, d);

	if (r == 0 && fi->repair)
		(void)snprintf(fi->repair->text, sizeof(fi->repair->text),
			       "give the partitions of %s new UUIDs and names that begin with "
			       "\"old-\"; what is in them stays", d->name);
	return r;
}

/* The serial of the disk that the install wrote, as a journal on d says; false: there is none. */
static bool journal_names(struct sw_examine *x, const struct sw_disk *d, uint64_t size,
			  char serial[static 64])
{
	_cleanup_io_ struct sw_io *io = NULL;
	_cleanup_plan_ struct sw_plan *p = NULL;
	struct sw_journal_head h = {};
	struct sw_error e = {};
	struct sw_journal j;
	uint64_t off = sw_plan_journal_offset(size);
	int r = sw_machine_open_disk(x->m, d, false, false, &io, &e);

	if (r == 0)
		r = off ? sw_journal_open_at(io, off, size, &j, &h) : -ENOENT;
	if (r == 0)
		r = sw_plan_from_json(h.plan, &p, &e);
	if (r == 0 && h.disk < p->n_disks)
		(void)snprintf(serial, 64, "%s",
			       p->disks[h.disk].serial ? p->disks[h.disk].serial : "");
	sw_journal_head_clear(&h);
	return r == 0 && *serial;
}

/*
 * Which of two equal disks the install wrote: the journals on them name its serial, and were
 * copied along with the rest. NULL: there are none, or they name neither.
 */
static const struct sw_disk *original(struct sw_examine *x, const struct sw_disk *a,
				      const struct sw_disk *b)
{
	const struct sw_disk *const v[] = { a, b };
	const struct sw_disk *one = NULL;

	for (size_t i = 0; i < 4; i++) {
		char serial[64] = "";

		if (!journal_names(x, v[i / 2], v[i % 2]->size, serial))
			continue;
		for (size_t k = 0; k < 2; k++) {
			if (!v[k]->serial || strcmp(v[k]->serial, serial) != 0)
				continue;
			if ((one && one != v[k]) ||
			    (v[!k]->serial && strcmp(v[!k]->serial, serial) == 0))
				return NULL;
			one = v[k];
		}
	}
	return one;
}

/* Both are offered, and the person who knows takes one. */
static int undecided(struct sw_examine *x, const struct sw_disk *d, const struct sw_disk *o,
		     struct sw_finding *fi)
{
	int r;

	(void)snprintf(fi->what, sizeof(fi->what),
		       "%.40s and %.40s are copies of each other, and one of them is too many",
		       d->name, o->name);
	r = add_neutral(x, d, fi);
	if (r < 0 || !fi->repair)
		return r;
	fi->repair->loses = "nothing on the disks says which is the node: the one that this is "
			    "done to does not start any more";
	fi->repair->confirm = sw_disk_confirm_text(x->f, d);
	return fi->repair->confirm ? 0 : -ENOMEM;
}

static int twin(struct sw_examine *x, const struct sw_disk *d, const struct sw_disk *o)
{
	const struct sw_disk *one = original(x, d, o);
	const struct sw_part *p = shared(d, o);
	struct sw_finding *fi;
	char uuid[SW_GUID_TEXT];

	if (one == d)
		return 0;
	fi = sw_finding_add(x, d->name, "twin", SW_FINDING_ERROR,
			    one ? SW_SURE_CERTAIN : SW_SURE_LIKELY);
	if (!fi)
		return -ENOMEM;
	(void)snprintf(fi->what, sizeof(fi->what), "%.40s is a copy of %.40s", d->name, o->name);
	(void)snprintf(fi->evidence, sizeof(fi->evidence),
		       "both have a partition with the UUID %s (\"%.40s\"); %s%.40s",
		       sw_guid_format(&p->uuid, uuid), p->label ? p->label : "",
		       one ? "the journal of the install names the serial of "
			   : "no journal of an install names one of them",
		       one ? one->name : "");
	(void)snprintf(fi->effect, sizeof(fi->effect),
		       "which of the two starts, and whose state is mounted, is chance; take the "
		       "one out that is not wanted, or repair this one");
	return one ? add_neutral(x, d, fi) : undecided(x, d, o, fi);
}

static int stale(struct sw_examine *x, const struct sw_disk *d, const struct sw_disk *node)
{
	struct sw_finding *fi = sw_finding_add(x, d->name, "stale-label", SW_FINDING_ERROR,
					       SW_SURE_CERTAIN);

	if (!fi)
		return -ENOMEM;
	(void)snprintf(fi->what, sizeof(fi->what),
		       "%.40s has a partition that is called like a slot and is none", d->name);
	(void)snprintf(fi->evidence, sizeof(fi->evidence),
		       "there are no node data on it; %.40s holds the node", node->name);
	(void)snprintf(fi->effect, sizeof(fi->effect),
		       "two disks seem to hold a node: slots and entries of the real one are not "
		       "looked after");
	return add_neutral(x, d, fi);
}

int sw_examine_clash(struct sw_examine *x, const struct sw_disk *d)
{
	bool slots = sw_disk_slot(d) != NULL;

	for (size_t i = 0; i < x->f->n_disks; i++) {
		const struct sw_disk *o = &x->f->disks[i];

		if (o == d || d->medium || o->medium || sw_disk_same(d, o) || !sw_disk_slot(o))
			continue;
		if (shared(d, o))
			return twin(x, d, o);
		if (slots && !sw_disk_node_data(d) && sw_disk_node_data(o))
			return stale(x, d, o);
	}
	return 0;
}
