/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Disks that hide the node or stand in its place: one whose table is gone while the node still
 * lies on it, a second disk with the same UUIDs, and one that has only a slot's name.
 */
#include <inttypes.h>
#include <string.h>

#include "base/file.h"
#include "boot/slot.h"
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
static int neutral(struct sw_part *p, const void *arg)
{
	const struct sw_disk *d = arg;
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

static int add_neutral(struct sw_examine *x, const struct sw_disk *d, struct sw_finding *fi)
{
	int r = sw_rescue_table_change(x, d, fi, neutral, d);

	if (r == 0 && fi->repair)
		(void)snprintf(fi->repair->text, sizeof(fi->repair->text),
			       "give the partitions of %s new UUIDs and names that begin with "
			       "\"old-\"; what is in them stays", d->name);
	return r;
}

static int twin(struct sw_examine *x, const struct sw_disk *d, const struct sw_disk *of)
{
	const struct sw_part *p = shared(d, of);
	struct sw_finding *fi = sw_finding_add(x, d->name, "twin", SW_FINDING_ERROR,
					       SW_SURE_LIKELY);
	char uuid[SW_GUID_TEXT];

	if (!fi)
		return -ENOMEM;
	(void)snprintf(fi->what, sizeof(fi->what), "%.40s is a copy of %.40s", d->name, of->name);
	(void)snprintf(fi->evidence, sizeof(fi->evidence),
		       "both have a partition with the UUID %s (\"%.40s\")",
		       sw_guid_format(&p->uuid, uuid), p->label ? p->label : "");
	(void)snprintf(fi->effect, sizeof(fi->effect),
		       "which of the two starts, and whose state is mounted, is chance; take the "
		       "one out that is not wanted, or repair this one");
	return add_neutral(x, d, fi);
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
		/* Facts are sorted by name: of two equal disks the later one is the copy. */
		if (shared(d, o) && o < d)
			return twin(x, d, o);
		if (slots && !sw_disk_node_data(d) && sw_disk_node_data(o))
			return stale(x, d, o);
	}
	return 0;
}
