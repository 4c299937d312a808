/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is done about names of the node on other disks. An old install on a disk
 * that stays would be mounted or started in the new one's place, so by default
 * the plan is refused; renaming the old partitions is reversible and is put into
 * the plan, and with it into the journal that undo reads.
 */
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "plan/conflicts.h"
#include "plan/steps.h"

#define NAME_UNITS 36U		/* of a GPT name, in UTF-16 */
#define WARNINGS_MAX 12U

void sw_plan_free_asides(struct sw_plan *p)
{
	for (size_t i = 0; i < p->n_asides; i++) {
		struct sw_aside *s = &p->asides[i];

		for (size_t k = 0; k < s->n_parts; k++) {
			free(s->parts[k].old_label);
			free(s->parts[k].new_label);
		}
		free(s->parts);
		sw_plan_free_disk(&s->disk);
	}
	free(p->asides);
}

/* ---- new names ---- */

/* How many bytes of the text fit into so many UTF-16 units. */
static size_t fitting(const char *s, size_t units)
{
	size_t n = 0, len = strlen(s);

	while (n < len) {
		uint32_t c = 0;
		size_t k = sw_utf8_decode(s + n, len - n, &c);
		size_t need = c > 0xffff ? 2 : 1;

		if (k == 0 || need > units)
			break;
		units -= need;
		n += k;
	}
	return n;
}

static bool label_taken(const struct sw_plan *p, const char *label)
{
	for (size_t i = 0; label && *label && i < p->n_parts; i++)
		if (p->parts[i].label && strcmp(p->parts[i].label, label) == 0)
			return true;
	return false;
}

static bool uuid_taken(const struct sw_plan *p, const struct sw_guid *uuid)
{
	for (size_t i = 0; i < p->n_parts; i++)
		if (sw_guid_equal(&p->parts[i].uuid, uuid))
			return true;
	return false;
}

/* "state" becomes "state-old-1f2e"; the digits are the same each time for the same partition. */
static int new_names(const struct sw_plan *p, const struct sw_part *part, struct sw_rename *n)
{
	const char *old = part->label ? part->label : "";
	struct sw_guid derived;
	int r = sw_guid_derive(&part->uuid, "set aside", 9, &derived);

	if (r < 0)
		return r;
	n->number = part->number;
	n->old_uuid = part->uuid;
	n->new_uuid = uuid_taken(p, &part->uuid) ? derived : part->uuid;
	n->old_label = strdup(old);
	n->new_label = label_taken(p, old)
		     ? sw_fmt("%.*s-old-%02x%02x", (int)fitting(old, NAME_UNITS - 9), old,
			      derived.b[0], derived.b[1])
		     : strdup(old);
	return n->old_label && n->new_label ? 0 : -ENOMEM;
}

static char *dup_or_null(const char *s)
{
	return s ? strdup(s) : NULL;
}

/* The entry for this disk, made when it is the first of its partitions. */
static struct sw_aside *aside_of(struct sw_plan *p, const struct sw_disk *d)
{
	struct sw_aside *s;

	for (size_t i = 0; i < p->n_asides; i++)
		if (strcmp(p->asides[i].disk.name, d->name) == 0)
			return &p->asides[i];
	s = reallocarray(p->asides, p->n_asides + 1, sizeof(*s));
	if (!s)
		return NULL;
	p->asides = s;
	s += p->n_asides++;
	*s = (struct sw_aside){ .disk = { .name = strdup(d->name), .node = dup_or_null(d->node),
					  .serial = dup_or_null(d->serial),
					  .wwn = dup_or_null(d->wwn),
					  .model = dup_or_null(d->model), .size = d->size,
					  .seq = d->diskseq, .sector = d->sector } };
	memcpy(s->disk.table_digest, d->table.digest, sizeof(s->disk.table_digest));
	s->disk.old_table_text = strdup("");
	return s->disk.name && s->disk.node && s->disk.old_table_text ? s : NULL;
}

static int set_aside(struct sw_plan *p, const struct sw_conflict *c)
{
	struct sw_aside *s = aside_of(p, c->disk);
	struct sw_rename *n = s ? reallocarray(s->parts, s->n_parts + 1, sizeof(*n)) : NULL;
	int r;

	if (!n)
		return -ENOMEM;
	s->parts = n;
	n += s->n_parts++;
	*n = (struct sw_rename){};
	r = new_names(p, c->part, n);
	if (r < 0)
		return r;
	return sw_plan_warn(p, sw_fmt("%s; its name becomes %s%s", c->text, n->new_label,
				      sw_guid_equal(&n->old_uuid, &n->new_uuid)
					      ? "" : " and its UUID a new one"));
}

/* ---- the decision ---- */

/* Why this disk's table cannot be changed, or NULL. */
static const char *fixed_because(const struct sw_disk *d)
{
	const char *why = sw_disk_excluded(d, 0);

	if (why)
		return why;
	if (d->table.type != SW_TABLE_GPT)
		return "it has no whole GPT";
	return d->table.damage;
}

static int refuse(const struct sw_conflict *list, size_t n, struct sw_error *err)
{
	const struct sw_conflict *first = &list[0];
	const char *fixed = fixed_because(first->disk);
	size_t more = 0;

	while (more + 1 < n && list[more + 1].captures)
		more++;
	sw_fail(err, SW_EXIT_REFUSED, -ENOTUNIQ, "another disk bears names of the new node");
	sw_error_where(err, "%s", first->disk->name);
	sw_error_why(err, "%s%s", first->text,
		     more ? "; and more of the kind on this machine" : "");
	if (fixed)
		sw_error_hint(err, "It cannot be renamed (%.200s): detach that disk, or use "
				   "disk.conflicts: ignore", fixed);
	else
		sw_error_hint(err, "disk.conflicts: rename gives the old partitions other names "
				   "(undo brings them back); ignore installs all the same; or "
				   "detach that disk");
	return -ENOTUNIQ;
}

static int settle_one(struct sw_plan *p, const struct sw_conflict *c, size_t *told)
{
	bool rename = c->captures && p->answers->conflicts == SW_CONFLICTS_RENAME;

	if (rename)
		return set_aside(p, c);
	if (++*told > WARNINGS_MAX)
		return 0;
	return sw_plan_warn(p, strdup(c->text));
}

static int settle(struct sw_plan *p, const struct sw_conflict *list, size_t n,
		  struct sw_error *err)
{
	size_t told = 0;
	int r = 0;

	for (size_t i = 0; i < n && list[i].captures; i++)
		if (p->answers->conflicts != SW_CONFLICTS_IGNORE &&
		    (p->answers->conflicts != SW_CONFLICTS_RENAME || fixed_because(list[i].disk)))
			return refuse(list + i, n - i, err);
	for (size_t i = 0; i < n && r == 0; i++)
		r = settle_one(p, &list[i], &told);
	if (r == 0 && told > WARNINGS_MAX)
		r = sw_plan_warn(p, sw_fmt("and %zu more such things on other disks",
					   told - WARNINGS_MAX));
	return r < 0 ? sw_fail_oom(err) : 0;
}

int sw_plan_settle_conflicts(struct sw_plan *p, const struct sw_facts *f, struct sw_error *err)
{
	struct sw_conflict *list = NULL;
	size_t n = 0;
	int r = sw_plan_find_conflicts(p, f, &list, &n);

	if (r < 0)
		return sw_fail_oom(err);
	r = settle(p, list, n, err);
	sw_conflicts_free(list, n);
	return r;
}
