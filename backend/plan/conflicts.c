/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/conflicts.h"

#include <stdarg.h>
#include <string.h>

#include "base/file.h"
#include "layout/content.h"

struct finder {
	const struct sw_plan *p;
	const struct sw_facts *f;
	const struct sw_disk *mine[SW_PLAN_MAX_DISKS];	/* the plan's; NULL: not in the facts */
	struct sw_conflict *list;
	size_t n;
};

void sw_conflicts_free(struct sw_conflict *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(list[i].text);
	free(list);
}

SW_PRINTF(5, 6)
static int say(struct finder *x, enum sw_conflict_kind kind, const struct sw_disk *d,
	       const struct sw_part *part, const char *fmt, ...)
{
	struct sw_conflict *list = reallocarray(x->list, x->n + 1, sizeof(*list));
	struct sw_conflict c = { .kind = kind, .disk = d, .part = part };
	va_list ap;
	int r;

	if (!list)
		return -ENOMEM;
	x->list = list;
	c.captures = kind == SW_CONFLICT_PARTUUID || kind == SW_CONFLICT_LABEL;
	va_start(ap, fmt);
	r = vasprintf(&c.text, fmt, ap);
	va_end(ap);
	if (r < 0)
		return -ENOMEM;
	list[x->n++] = c;
	return 0;
}

static void find_planned(struct finder *x)
{
	for (size_t k = 0; k < x->p->n_disks; k++)
		for (size_t i = 0; i < x->f->n_disks; i++)
			if (x->f->disks[i].node &&
			    strcmp(x->f->disks[i].node, x->p->disks[k].node) == 0)
				x->mine[k] = &x->f->disks[i];
}

/* Not one of the plan's disks, nor another path to one; of two paths only the first. */
static bool is_other(const struct finder *x, const struct sw_disk *d)
{
	if (d->paths && d->paths[0] && strverscmp(d->paths[0], d->name) < 0)
		return false;
	for (size_t k = 0; k < x->p->n_disks; k++)
		if (x->mine[k] && (x->mine[k] == d || sw_disk_same(x->mine[k], d)))
			return false;
	return true;
}

static bool same(const char *a, const char *b)
{
	return a && b && *a && strcmp(a, b) == 0;
}

/* The new partition in whose place this one would be taken; what decides in *ret_kind. */
static const struct sw_placed *taken_for(const struct sw_plan *p, const struct sw_part *part,
					 enum sw_conflict_kind *ret_kind)
{
	const struct sw_placed *label = NULL;

	for (size_t i = 0; i < p->n_parts; i++) {
		const struct sw_placed *mine = &p->parts[i];

		*ret_kind = SW_CONFLICT_PARTUUID;
		if (!sw_guid_is_zero(&part->uuid) && sw_guid_equal(&part->uuid, &mine->uuid))
			return mine;
		if (same(part->label, mine->label))
			label = mine;
	}
	*ret_kind = SW_CONFLICT_LABEL;
	return label;
}

static const char *effect_of(const struct sw_placed *mine)
{
	switch (mine->role) {
	case SW_ROLE_SLOT:
		return "it may be started, or updated, in the place of the node's slot";
	case SW_ROLE_RESCUE:
	case SW_ROLE_IPXE:
		return "it may be started in the place of the node's";
	case SW_ROLE_NODE_DATA:
		return "the node may take its configuration from there";
	default:
		return "the node may mount it in the place of its own";
	}
}

static int check_names(struct finder *x, const struct sw_disk *d, const struct sw_part *part)
{
	enum sw_conflict_kind kind;
	const struct sw_placed *mine = taken_for(x->p, part, &kind);

	if (!mine)
		return 0;
	if (kind == SW_CONFLICT_PARTUUID)
		return say(x, kind, d, part,
			   "%s partition %u has the partition UUID that %s gets: %s", d->name,
			   part->number, mine->label ? mine->label : "a new one",
			   effect_of(mine));
	return say(x, kind, d, part, "%s partition %u is called %s too: %s", d->name, part->number,
		   mine->label, effect_of(mine));
}

/* The UUID and label that the step which formats a partition gives to its file system. */
static int check_fs(struct finder *x, const struct sw_disk *d, const struct sw_part *part)
{
	for (size_t i = 0; i < x->p->n_parts; i++) {
		const struct sw_placed *mine = &x->p->parts[i];
		char text[SW_GUID_TEXT];
		struct sw_guid g;

		if (!mine->format || mine->role == SW_ROLE_SLOT)
			continue;
		if (part->fs_uuid &&
		    sw_layout_fs_uuid(&sw_plan_leader(x->p, mine)->uuid, &g) == 0 &&
		    strcasecmp(part->fs_uuid, sw_guid_format(&g, text)) == 0)
			return say(x, SW_CONFLICT_FS_UUID, d, part,
				   "%s partition %u has the file system UUID that %s gets: what "
				   "mounts by UUID may take it", d->name, part->number,
				   mine->label ? mine->label : "a new one");
		/* Told with the partition's name already, when both are the same. */
		if (same(part->fs_label, mine->label) && !same(part->label, mine->label))
			return say(x, SW_CONFLICT_FS_LABEL, d, part,
				   "%s partition %u has a file system labelled %s: what mounts by "
				   "label may take it", d->name, part->number, mine->label);
	}
	return 0;
}

static int check_disk(struct finder *x, const struct sw_disk *d)
{
	int r = 0;

	for (size_t k = 0; k < x->p->n_disks && r == 0; k++)
		if (!sw_guid_is_zero(&d->table.id) &&
		    sw_guid_equal(&d->table.id, &x->p->disks[k].id))
			r = say(x, SW_CONFLICT_DISK_ID, d, NULL,
				"%s has the disk UUID that the new table gets: it is a copy of an "
				"earlier install", d->name);
	for (size_t i = 0; i < d->table.n_parts && r == 0; i++) {
		r = check_names(x, d, &d->table.parts[i]);
		if (r == 0)
			r = check_fs(x, d, &d->table.parts[i]);
	}
	return r;
}

/* ---- arrays, volume groups, pools ---- */

/* The groups of a disk, one after the other: index 0 is that of the whole disk. */
static const char *group_at(const struct sw_disk *d, size_t i)
{
	return i == 0 ? d->table.group : d->table.parts[i - 1].group;
}

/* A part of the group on another disk that stays; NULL when there is none. */
static const struct sw_disk *also_on(const struct finder *x, const char *group)
{
	for (size_t i = 0; i < x->f->n_disks; i++) {
		const struct sw_disk *d = &x->f->disks[i];

		for (size_t k = 0; k <= d->table.n_parts; k++)
			if (same(group_at(d, k), group) && is_other(x, d))
				return d;
	}
	return NULL;
}

/* The same group in two partitions of a disk is told once. */
static bool told_before(const struct sw_disk *d, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (same(group_at(d, k), group_at(d, i)))
			return true;
	return false;
}

static int check_losses(struct finder *x)
{
	int r = 0;

	for (size_t k = 0; k < x->p->n_disks; k++) {
		const struct sw_disk *d = x->mine[k], *other;

		for (size_t i = 0; d && i <= d->table.n_parts && r == 0; i++) {
			const char *group = group_at(d, i);

			if (!group || told_before(d, i))
				continue;
			other = also_on(x, group);
			if (other)
				r = say(x, SW_CONFLICT_GROUP, other, NULL,
					"%s is on %s and on %s: it loses the part on %s", group,
					d->name, other->name, d->name);
		}
	}
	return r;
}

/* "volume group vg0 (UUID)": how long the name with its kind is. */
static size_t name_len(const char *group)
{
	const char *end = strrchr(group, '(');

	return end ? (size_t)(end - group) : strlen(group);
}

static bool name_clash(const char *a, const char *b)
{
	size_t n = a && b ? name_len(a) : 0;

	/* Without a name only the kind stands before the UUID, and that is no clash. */
	return n > 0 && n == name_len(b) && strncmp(a, b, n) == 0 && strcmp(a, b) != 0 &&
	       memchr(a, ' ', n) != a + n - 1;
}

static int clashes_of(struct finder *x, const struct sw_disk *d, const char *group, size_t from)
{
	for (size_t i = from; i < x->f->n_disks; i++) {
		const struct sw_disk *e = &x->f->disks[i];

		for (size_t k = 0; k <= e->table.n_parts; k++)
			if (name_clash(group, group_at(e, k)) && is_other(x, e))
				return say(x, SW_CONFLICT_GROUP_NAME, d, NULL,
					   "%.*s is a name on %s and another on %s: which one "
					   "the node sees is left to chance",
					   (int)name_len(group) - 1, group, d->name, e->name);
	}
	return 0;
}

static int check_group_names(struct finder *x)
{
	int r = 0;

	for (size_t i = 0; i < x->f->n_disks; i++) {
		const struct sw_disk *d = &x->f->disks[i];

		if (!is_other(x, d))
			continue;
		for (size_t k = 0; k <= d->table.n_parts && r == 0; k++)
			if (group_at(d, k) && !told_before(d, k))
				r = clashes_of(x, d, group_at(d, k), i);
	}
	return r;
}

/* ---- boot entries ---- */

static const struct sw_bootvar *entry_of(const struct sw_facts *f, int number)
{
	for (size_t i = 0; i < f->boot.n_entries; i++)
		if (f->boot.entries[i].number == number)
			return &f->boot.entries[i];
	return NULL;
}

/* The disk that holds the partition of an entry's HD() node, when it is not one of the plan's. */
static const struct sw_disk *other_disk_of(const struct finder *x, const struct sw_bootvar *e)
{
	for (size_t i = 0; i < x->f->n_disks; i++) {
		const struct sw_disk *d = &x->f->disks[i];

		for (size_t k = 0; k < d->table.n_parts; k++) {
			char text[SW_GUID_TEXT];

			if (!sw_guid_is_zero(&d->table.parts[k].uuid) && e->path &&
			    strcasestr(e->path, sw_guid_format(&d->table.parts[k].uuid, text)) &&
			    is_other(x, d))
				return d;
		}
	}
	return NULL;
}

static int check_next(struct finder *x)
{
	const struct sw_bootvar *e = entry_of(x->f, x->f->boot.next);
	const struct sw_disk *d = x->f->boot.next >= 0 && e ? other_disk_of(x, e) : NULL;

	return d ? say(x, SW_CONFLICT_ENTRY, d, NULL,
		       "BootNext is Boot%04X (%s) on %s: the next start goes there, not to the "
		       "node", e->number, e->label ? e->label : "", d->name) : 0;
}

/* The node's own entries go first, unless the boot order is left alone. */
static int check_order(struct finder *x)
{
	const struct sw_bootvars *b = &x->f->boot;

	if (x->p->answers->boot_mode != SW_MODE_HANDS_OFF)
		return 0;
	for (size_t i = 0; i < b->n_order; i++) {
		const struct sw_bootvar *e = entry_of(x->f, b->order[i]);
		const struct sw_disk *d = e && (e->attrs & 1) ? other_disk_of(x, e) : NULL;

		if (d)
			return say(x, SW_CONFLICT_ENTRY, d, NULL,
				   "Boot%04X (%s) on %s stays in the boot order: it may be started "
				   "and not the node", e->number, e->label ? e->label : "",
				   d->name);
	}
	return 0;
}

static int by_severity(const void *a, const void *b)
{
	const struct sw_conflict *x = a, *y = b;
	int r;

	if (x->captures != y->captures)
		return x->captures ? -1 : 1;
	r = strverscmp(x->disk ? x->disk->name : "", y->disk ? y->disk->name : "");
	if (r == 0 && x->kind != y->kind)
		r = x->kind < y->kind ? -1 : 1;
	if (r == 0 && x->part != y->part)
		r = x->part < y->part ? -1 : 1;
	return r ? r : strcmp(x->text, y->text);
}

int sw_plan_find_conflicts(const struct sw_plan *p, const struct sw_facts *f,
			   struct sw_conflict **ret_list, size_t *ret_n)
{
	struct finder x = { .p = p, .f = f };
	int r = 0;

	find_planned(&x);
	for (size_t i = 0; i < f->n_disks && r == 0; i++)
		if (is_other(&x, &f->disks[i]))
			r = check_disk(&x, &f->disks[i]);
	if (r == 0)
		r = check_losses(&x);
	if (r == 0)
		r = check_group_names(&x);
	if (r == 0)
		r = check_next(&x);
	if (r == 0)
		r = check_order(&x);
	if (r < 0) {
		sw_conflicts_free(x.list, x.n);
		return r;
	}
	if (x.n > 1)
		qsort(x.list, x.n, sizeof(*x.list), by_severity);
	*ret_list = x.list;
	*ret_n = x.n;
	return 0;
}
