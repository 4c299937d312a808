/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Partitions that a reinstall keeps (disk.preserve): each must be there once, and
 * be what the layout says, before anything is touched. They are neither moved
 * nor written.
 */
#include <string.h>

#include "base/size.h"
#include "base/text.h"
#include "layout/part.h"
#include "layout/sizes.h"
#include "plan/steps.h"

bool sw_plan_keeps(const struct sw_plan *p, const char *label)
{
	for (char **k = p->answers->preserve; label && k && *k; k++)
		if (!strcmp(*k, label))
			return true;
	return false;
}

static int refuse(struct sw_error *err, const char *label, const char *node, const char *why)
{
	sw_fail(err, SW_EXIT_REFUSED, -EPERM, "the partition %s cannot be kept", label);
	sw_error_where(err, "%s", node);
	sw_error_why(err, "%s", why);
	sw_error_hint(err, "nothing was written; look at the disk, or take the name out of "
			   "disk.preserve and lose what is in it");
	return -EPERM;
}

static int check_place(const struct sw_plan_disk *d, const struct sw_part *old,
		       struct sw_error *err)
{
	char why[200];

	if (old->start < SW_LAYOUT_FIRST || old->start + old->size > d->journal_off)
		return refuse(err, old->label, d->node,
			      "it reaches into the first MiB or the last 5M of the disk, where the "
			      "table and slipway's journal must go");
	for (size_t i = 0; i < d->n_old_parts; i++) {
		const struct sw_part *o = &d->old_parts[i];

		if (o == old || o->start >= old->start + old->size ||
		    o->start + o->size <= old->start)
			continue;
		(void)snprintf(why, sizeof(why), "it overlaps partition %u", o->number);
		return refuse(err, old->label, d->node, why);
	}
	return 0;
}

static const char *wanted_fs(const struct sw_layout_part *def)
{
	return def->raid ? "linux_raid_member" : def->encrypt ? "crypto_LUKS" : def->format;
}

static int check_against(const struct sw_plan_disk *d, const struct sw_layout_part *def,
			 const struct sw_part *old, struct sw_error *err)
{
	const char *fs = wanted_fs(def), *file = def->file ? def->file : "the layout";
	uint64_t least = sw_layout_part_min(def);
	char a[SW_GUID_TEXT], b[SW_GUID_TEXT], x[16], y[16], why[256];

	if (!sw_guid_equal(&def->type, &old->type)) {
		(void)snprintf(why, sizeof(why), "its type is %s and %s says %s",
			       sw_guid_format(&old->type, a), file, sw_guid_format(&def->type, b));
		return refuse(err, old->label, d->node, why);
	}
	if (old->size < least) {
		(void)snprintf(why, sizeof(why),
			       "it has %s and %s wants at least %s: %llu bytes more",
			       sw_size_format(old->size, x, sizeof(x)), file,
			       sw_size_format(least, y, sizeof(y)),
			       (unsigned long long)(least - old->size));
		return refuse(err, old->label, d->node, why);
	}
	if (fs && strcmp(old->fs_type ? old->fs_type : "", fs) != 0) {
		(void)snprintf(why, sizeof(why), "it holds %s and %s says %s",
			       old->fs_type ? old->fs_type : "no file system", file, fs);
		return refuse(err, old->label, d->node, why);
	}
	return check_place(d, old, err);
}

/* The one partition of this label on a disk; exit 4 when there are two. */
static int find_one(const struct sw_plan_disk *d, const char *label, const struct sw_part **ret_old,
		    struct sw_error *err)
{
	*ret_old = NULL;
	for (size_t i = 0; i < d->n_old_parts; i++) {
		const struct sw_part *o = &d->old_parts[i];
		char why[120];

		if (!o->label || strcmp(o->label, label) != 0)
			continue;
		if (*ret_old) {
			(void)snprintf(why, sizeof(why), "partitions %u and %u both have that name",
				       (*ret_old)->number, o->number);
			return refuse(err, label, d->node, why);
		}
		*ret_old = o;
	}
	return 0;
}

static int check_table(const struct sw_disk *d, const char *label, struct sw_error *err)
{
	if (d->table.type != SW_TABLE_GPT)
		return refuse(err, label, d->node, "the disk has no GPT that can be relied upon");
	return d->table.damage ? refuse(err, label, d->node, d->table.damage) : 0;
}

static bool apart(uint64_t a, uint64_t a_len, uint64_t b, uint64_t b_len)
{
	return a >= b + b_len || b >= a + a_len;
}

/* The journal step stands for the zones of all disks. */
static bool range_ok(const struct sw_plan *p, const struct sw_step *s)
{
	bool made = s->len == 0 || s->kind == SW_STEP_JOURNAL;

	for (size_t i = 0; i < p->n_parts; i++) {
		const struct sw_placed *part = &p->parts[i];
		const struct sw_plan_disk *d = &p->disks[part->disk];

		if (s->kind == SW_STEP_JOURNAL &&
		    !apart(d->journal_off, d->journal_len, part->start, part->size))
			return false;
		if (part->disk != s->disk || s->len == 0 || s->kind == SW_STEP_JOURNAL)
			continue;
		if (part->kept && !apart(s->off, s->len, part->start, part->size))
			return false;
		made = made || (!part->kept && s->off == part->start && s->len == part->size);
	}
	return made;
}

int sw_plan_check_ranges(const struct sw_plan *p, struct sw_error *err)
{
	for (size_t i = 0; i < p->n_steps; i++) {
		if (range_ok(p, &p->steps[i]))
			continue;
		sw_fail(err, SW_EXIT_REFUSED, -EPERM, "the plan writes where it must not");
		sw_error_why(err, "step %zu (%s) is not about a partition that the plan makes",
			     i + 1, p->steps[i].title ? p->steps[i].title : "");
		return -EPERM;
	}
	return 0;
}

static int refuse_role(struct sw_error *err, const char *label, const char *what)
{
	sw_fail(err, SW_EXIT_INVALID, -EINVAL, "disk.preserve: %s cannot be kept", label);
	sw_error_why(err, "%s", what);
	return -EINVAL;
}

/* One definition on one disk of the plan. */
static int check_def(const struct sw_plan *p, size_t disk, const struct sw_disk *d,
		     const struct sw_layout_part *def, const char *label, bool *ret_known,
		     struct sw_error *err)
{
	const struct sw_part *old = NULL;
	int r;

	*ret_known = true;
	if (def->role != SW_ROLE_NONE && def->role != SW_ROLE_STATE)
		return refuse_role(err, label, "every install writes its slots and node data");
	r = check_table(d, label, err);
	if (r == 0)
		r = find_one(&p->disks[disk], label, &old, err);
	if (r == 0 && !old)
		r = refuse(err, label, d->node, "there is no partition of that name");
	return r < 0 ? r : check_against(&p->disks[disk], def, old, err);
}

static int check_label(const struct sw_plan *p, const struct sw_disk *const *disks,
		       const struct sw_layout *l, const char *label, struct sw_error *err)
{
	bool known = false;
	int r = 0;

	for (size_t k = 0; k < p->n_disks && r == 0; k++) {
		const struct sw_part *old = NULL;
		struct sw_layout sub = {};
		bool here = false;

		if (sw_layout_on_disk(l, sw_plan_layout_disk(l, k), &sub) < 0)
			return sw_fail_oom(err);
		for (size_t i = 0; i < sub.n_parts && r == 0; i++) {
			_cleanup_free_ char *name = sw_plan_label(l, k, &sub.parts[i]);

			if (name && !strcmp(name, label))
				r = check_def(p, k, disks[k], &sub.parts[i], label, &here, err);
		}
		free(sub.parts);
		known = known || here;
		if (r == 0 && !here)
			r = find_one(&p->disks[k], label, &old, err);
		if (r == 0 && old)
			r = refuse(err, label, disks[k]->node,
				   "the layout has no partition of that name on this disk");
	}
	return r < 0 || known ? r
			      : refuse_role(err, label, "the layout has no partition of that name");
}

/* Members that are kept must be of one array, or one of them would go. */
static int check_array(const struct sw_plan *p, const char *label, struct sw_error *err)
{
	const struct sw_part *first = NULL;

	for (size_t k = 0; k < p->n_disks; k++) {
		const struct sw_part *old = NULL;
		int r = find_one(&p->disks[k], label, &old, err);

		if (r < 0)
			return r;
		if (!old || !sw_part_holds(old, SW_FS_RAID))
			continue;
		if (!first)
			first = old;
		if (!old->fs_uuid || !first->fs_uuid || strcmp(old->fs_uuid, first->fs_uuid) != 0)
			return refuse(err, label, p->disks[k].node,
				      "it is a member of another array than the one on the first "
				      "disk");
	}
	return 0;
}

int sw_plan_check_kept(const struct sw_plan *p, const struct sw_disk *const *disks,
		       const struct sw_layout *l, struct sw_error *err)
{
	int r = 0;

	for (char **k = p->answers->preserve; k && *k && r == 0; k++)
		r = check_label(p, disks, l, *k, err);
	for (char **k = p->answers->preserve; k && *k && r == 0; k++)
		r = check_array(p, *k, err);
	return r;
}
