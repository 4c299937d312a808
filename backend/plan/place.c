/* SPDX-License-Identifier: Apache-2.0 */
/* Where the layout's partitions come to lie on the plan's disks, and the tables that result. */
#include <string.h>

#include "base/file.h"
#include "boot/ipxe.h"
#include "boot/slot.h"
#include "disk/mdraid.h"
#include "plan/content.h"
#include "plan/steps.h"

#define TABLE_NUMBERS 128U

/* The disks of one plan must not share a UUID: each further one has a seed of its own. */
static int disk_seed(const struct sw_plan *p, size_t disk, struct sw_guid *ret_seed)
{
	_cleanup_free_ char *token = NULL;

	*ret_seed = p->seed;
	if (disk == 0)
		return 0;
	token = sw_fmt("disk %zu", disk + 1);
	return token ? sw_guid_derive(&p->seed, token, strlen(token), ret_seed) : -ENOMEM;
}

/*
 * A slot's copies have the same label, as has a member of an array: they are
 * told apart by their UUIDs. What is different on each disk gets a name of its own.
 */
char *sw_plan_label(const struct sw_layout *l, size_t disk, const struct sw_layout_part *part)
{
	bool same = part->role == SW_ROLE_SLOT || part->role == SW_ROLE_NODE_DATA ||
		    part->role == SW_ROLE_RESCUE || part->role == SW_ROLE_IPXE || part->raid;
	size_t at = sw_plan_layout_disk(l, disk), copy = disk - at + 1;
	const char *name = l->disks[at].name;

	for (char **d = part->disks; d && *d; d++, copy++)
		if (strlen(name) == strcspn(*d, "+") && !strncmp(*d, name, strlen(name)))
			break;
	return same || copy == 1 ? strdup(part->label) : sw_fmt("%s-%zu", part->label, copy);
}

/* "Slipway A", and "Slipway A (disk 2)" for its copy on another disk. */
static char *entry_name(size_t disk, unsigned int slot)
{
	return disk == 0 ? sw_fmt("Slipway %c", 'A' + (int)slot)
			 : sw_fmt("Slipway %c (disk %zu)", 'A' + (int)slot, disk + 1);
}

static char *extra_name(size_t disk, const char *name)
{
	return disk == 0 ? strdup(name) : sw_fmt("%s (disk %zu)", name, disk + 1);
}

static int add_part(struct sw_plan *p, size_t disk, const struct sw_placement *pl,
		    unsigned int *slots)
{
	struct sw_placed *part = &p->parts[p->n_parts++];

	*part = (struct sw_placed){
		.disk = (unsigned int)disk,
		.number = pl->number,
		.label = strdup(pl->part->label),
		.role = pl->part->role,
		.encrypt = pl->old ? 0 : pl->part->encrypt,
		.raid = pl->part->raid,
		.kept = pl->old != NULL,
		.start = pl->start,
		.size = pl->size,
		.attrs = pl->old ? pl->old->attrs : pl->part->attrs,
		.type = pl->part->type,
		.uuid = pl->uuid,
		.fs_uuid = pl->old && pl->old->fs_uuid ? strdup(pl->old->fs_uuid) : NULL,
	};
	if (sw_content_take(part, pl->part) < 0)
		return -ENOMEM;
	if (part->role == SW_ROLE_SLOT)
		part->entry = entry_name(disk, (*slots)++);
	else if (part->role == SW_ROLE_RESCUE)
		part->entry = extra_name(disk, SW_RESCUE_ENTRY);
	else if (part->role == SW_ROLE_IPXE)
		part->entry = extra_name(disk, SW_NETENTRY_LABEL);
	return part->label && (part->role != SW_ROLE_SLOT || part->entry) ? 0 : -ENOMEM;
}

/* A new partition gets the lowest number that no kept one has. */
static void number_new(struct sw_placement *pl, size_t n)
{
	unsigned int next = 0;

	for (size_t i = 0; i < n; i++) {
		bool taken = true;

		while (!pl[i].old && taken) {
			next++;
			taken = false;
			for (size_t k = 0; k < n; k++)
				taken = taken || (pl[k].old && pl[k].number == next);
		}
		if (!pl[i].old)
			pl[i].number = next;
	}
}

static int add_parts(struct sw_plan *p, size_t disk, struct sw_placement *pl, size_t n,
		     struct sw_error *err)
{
	struct sw_placed *grown = reallocarray(p->parts, p->n_parts + n + 1, sizeof(*grown));
	unsigned int slots = 0;

	if (!grown)
		return sw_fail_oom(err);
	p->parts = grown;
	number_new(pl, n);
	for (size_t i = 0; i < n; i++)
		if (add_part(p, disk, &pl[i], &slots) < 0)
			return sw_fail_oom(err);
	return 0;
}

/* What stays on a disk, as a table of its own; parts is the caller's to free. */
static int kept_table(const struct sw_plan *p, size_t disk, struct sw_table *ret_table)
{
	const struct sw_plan_disk *d = &p->disks[disk];
	struct sw_table t = { .type = SW_TABLE_GPT };

	t.parts = calloc(d->n_old_parts + 1, sizeof(*t.parts));
	if (!t.parts)
		return -ENOMEM;
	for (size_t i = 0; i < d->n_old_parts; i++)
		if (sw_plan_keeps(p, d->old_parts[i].label))
			t.parts[t.n_parts++] = d->old_parts[i];
	*ret_table = t;
	return 0;
}

static int solve_around(struct sw_plan *p, const struct sw_layout *sub, size_t disk,
			const struct sw_guid *seed, const struct sw_table *kept,
			struct sw_placement **ret_pl, size_t *ret_n, struct sw_error *err)
{
	const struct sw_plan_disk *d = &p->disks[disk];
	struct sw_layout_ground g = {
		.start = 1ULL << 20,
		.end = d->journal_off,	/* behind it a kept partition leaves no padding */
		.numbers = TABLE_NUMBERS,
		.table = kept,
		.kept = true,
		.where = d->node,
	};

	if (sw_layout_disk_id(seed, &p->disks[disk].id) < 0)
		return sw_fail_errno(err, SW_EXIT_INTERNAL, -EIO, "cannot derive the UUIDs");
	return sw_layout_solve_on(sub, &g, seed, ret_pl, ret_n, err);
}

static int solve_disk(struct sw_plan *p, const struct sw_layout *sub, size_t disk,
		      struct sw_error *err)
{
	_cleanup_free_ struct sw_placement *pl = NULL;
	struct sw_plan_disk *d = &p->disks[disk];
	struct sw_table kept = {};
	struct sw_guid seed;
	size_t n = 0;
	int r;

	if (kept_table(p, disk, &kept) < 0)
		return sw_fail_oom(err);
	r = disk_seed(p, disk, &seed);
	if (r < 0)
		r = sw_fail_errno(err, SW_EXIT_INTERNAL, r, "cannot derive the UUIDs");
	else if (kept.n_parts > 0)
		r = solve_around(p, sub, disk, &seed, &kept, &pl, &n, err);
	else
		r = sw_layout_solve(sub, d->size, d->sector, &seed, &pl, &n, &d->id, err);
	if (r == 0)
		r = add_parts(p, disk, pl, n, err);
	free(kept.parts);
	return r;
}

static int place_on(struct sw_plan *p, const struct sw_layout *l, size_t disk, struct sw_error *err)
{
	struct sw_layout sub = {};
	int r = sw_layout_on_disk(l, sw_plan_layout_disk(l, disk), &sub);
	size_t named = 0;

	for (; r == 0 && named < sub.n_parts; named++) {
		sub.parts[named].label = sw_plan_label(l, disk, &sub.parts[named]);
		if (!sub.parts[named].label)
			r = -ENOMEM;
	}
	r = r < 0 ? sw_fail_oom(err) : solve_disk(p, &sub, disk, err);
	for (size_t i = 0; i < named; i++)
		free(sub.parts[i].label);
	free(sub.parts);
	return r;
}

static int check_journal_room(const struct sw_plan *p, const struct sw_layout *l,
			      struct sw_error *err)
{
	for (size_t i = 0; i < p->n_parts; i++) {
		const struct sw_placed *part = &p->parts[i];

		if (part->start + part->size <= p->disks[part->disk].journal_off)
			continue;
		sw_fail(err, SW_EXIT_INVALID, -ENOSPC, "the layout leaves no room for the journal");
		sw_error_where(err, "%s", l->name);
		sw_error_why(err, "partition %s ends inside the last 5M of the disk", part->label);
		sw_error_hint(err, "give the last partition PaddingMinBytes=6M and "
				   "PaddingMaxBytes=6M");
		return -ENOSPC;
	}
	return 0;
}

static int check_roles(const struct sw_plan *p, const struct sw_layout *l, struct sw_error *err)
{
	bool slot = sw_plan_find(p, 0, SW_ROLE_SLOT) != NULL;

	if (slot && sw_plan_find(p, 0, SW_ROLE_NODE_DATA))
		return 0;
	sw_fail(err, SW_EXIT_INVALID, -EINVAL, "the layout has no %s", slot ? "node data" : "slot");
	sw_error_where(err, "%s", l->name);
	sw_error_why(err, "a node needs at least one partition with X-Slipway-Role=%s%s",
		     slot ? "node-data" : "slot", l->n_disks > 1 ? " on its system disk" : "");
	return -EINVAL;
}

int sw_plan_table(const struct sw_plan *p, size_t disk, struct sw_table_image *ret_image,
		  struct sw_error *err)
{
	_cleanup_free_ struct sw_new_part *np = calloc(TABLE_NUMBERS, sizeof(*np));
	const struct sw_plan_disk *d = &p->disks[disk];
	size_t n = 0;

	if (!np)
		return sw_fail_oom(err);
	for (size_t i = 0; i < p->n_parts; i++) {
		const struct sw_placed *part = &p->parts[i];

		if (part->disk != disk)
			continue;
		if (part->number == 0 || part->number > TABLE_NUMBERS ||
		    np[part->number - 1].size > 0)
			return sw_fail(err, SW_EXIT_INVALID, -EINVAL,
				       "the plan numbers its partitions wrongly");
		n = part->number > n ? part->number : n;
		np[part->number - 1] = (struct sw_new_part){
			.start = part->start,
			.size = part->size,
			.type = part->type,
			.uuid = part->uuid,
			.attrs = part->attrs,
			.label = part->label ? part->label : "",
		};
	}
	return sw_table_build(d->size, d->sector, &d->id, np, n, ret_image, err);
}

int sw_plan_digest_tables(struct sw_plan *p, struct sw_error *err)
{
	for (size_t k = 0; k < p->n_disks; k++) {
		struct sw_table_image t = {};
		int r = sw_plan_table(p, k, &t, err);

		if (r < 0)
			return r;
		memcpy(p->disks[k].new_table_digest, t.digest, sizeof(t.digest));
		sw_table_image_clear(&t);
	}
	return 0;
}

/* libfdisk leaves a name empty that has a letter of two UTF-16 units. */
static int check_names(const struct sw_plan *p, struct sw_error *err)
{
	for (size_t i = 0; i < p->n_parts; i++) {
		const char *label = p->parts[i].label ? p->parts[i].label : "";

		for (size_t k = 0; label[k]; k++) {
			if ((uint8_t)label[k] < 0xf0)
				continue;
			sw_fail(err, SW_EXIT_INVALID, -EINVAL,
				"the name of partition %u has a letter that no table can be given",
				p->parts[i].number);
			sw_error_why(err, "\"%.80s\": a letter beyond U+FFFF", label);
			sw_error_hint(err, "give it another Label= in the layout");
			return -EINVAL;
		}
	}
	return 0;
}

int sw_plan_place(struct sw_plan *p, const struct sw_layout *l, struct sw_error *err)
{
	int r = 0;

	for (size_t k = 0; k < p->n_disks && r == 0; k++)
		r = place_on(p, l, k, err);
	if (r == 0)
		r = check_journal_room(p, l, err);
	if (r == 0)
		r = check_roles(p, l, err);
	return r == 0 ? check_names(p, err) : r;
}

const struct sw_placed *sw_plan_find(const struct sw_plan *p, size_t disk, enum sw_role role)
{
	for (size_t i = 0; i < p->n_parts; i++)
		if (p->parts[i].disk == disk && p->parts[i].role == role)
			return &p->parts[i];
	return NULL;
}

bool sw_plan_array(const struct sw_plan *p, const struct sw_placed *part, unsigned int *ret_members,
		   unsigned int *ret_number, uint64_t *ret_size)
{
	uint64_t least = UINT64_MAX;
	unsigned int n = 0;

	for (size_t i = 0; part->raid && i < p->n_parts; i++) {
		const struct sw_placed *m = &p->parts[i];

		if (!m->raid || strcmp(m->label ? m->label : "", part->label ? part->label : ""))
			continue;
		if (m == part)
			*ret_number = n;
		n++;
		least = m->size < least ? m->size : least;
	}
	*ret_members = n;
	*ret_size = n ? sw_md_size(least) : 0;
	return *ret_size > 0;
}

/* The slots of one disk, counted. */
static const struct sw_placed *nth_slot(const struct sw_plan *p, size_t disk, size_t n)
{
	for (size_t i = 0; i < p->n_parts; i++)
		if (p->parts[i].disk == disk && p->parts[i].role == SW_ROLE_SLOT && n-- == 0)
			return &p->parts[i];
	return NULL;
}

struct sw_entry_wanted sw_plan_entry(const struct sw_plan *p, const struct sw_placed *part,
				     const char *path)
{
	uint32_t sector = p->disks[part->disk].sector;

	return (struct sw_entry_wanted){
		.label = part->entry,
		.part_number = part->number,
		.part_start = part->start / sector,
		.part_size = part->size / sector,
		.part_uuid = part->uuid,
		.path = path,
	};
}

static bool given_rescue(const struct sw_plan *p)
{
	return p->answers->rescue && *p->answers->rescue;
}

int sw_plan_wanted_entries(const struct sw_plan *p, struct sw_entry_wanted **ret_wanted,
			   size_t *ret_n)
{
	struct sw_entry_wanted *w = calloc(p->n_parts + 1, sizeof(*w));
	size_t n = 0;

	if (!w)
		return -ENOMEM;
	for (size_t slot = 0; slot < p->n_parts; slot++)
		for (size_t k = 0; k < p->n_disks; k++) {
			const struct sw_placed *part = nth_slot(p, k, slot);

			if (!part || !part->entry)
				continue;
			w[n++] = sw_plan_entry(p, part, SW_SLOT_BOOT_PATH);
		}
	/* After all slots: it starts when none of them does. */
	for (size_t k = 0; k < p->n_disks && given_rescue(p); k++) {
		const struct sw_placed *rescue = sw_plan_find(p, k, SW_ROLE_RESCUE);

		if (rescue && rescue->entry)
			w[n++] = sw_plan_entry(p, rescue, SW_SLOT_BOOT_PATH);
	}
	*ret_wanted = w;
	*ret_n = n;
	return 0;
}
