/* SPDX-License-Identifier: Apache-2.0 */
/* What a partition is a part of, and what else is, by the facts. */
#include <string.h>

#include "stack/stack.h"

static const struct {
	const char *fs, *name;
	enum sw_stack_kind kind;
} kinds[] = {
	{ SW_FS_LUKS, "luks", SW_STACK_LUKS },
	{ SW_FS_RAID, "md", SW_STACK_MD },
	{ "LVM2_member", "lvm", SW_STACK_LVM },
};

const char *sw_stack_kind_name(enum sw_stack_kind kind)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (kinds[i].kind == kind)
			return kinds[i].name;
	return "";
}

/* A signature of a whole disk has more words behind it. */
static enum sw_stack_kind kind_of(const char *content)
{
	for (size_t i = 0; content && i < ARRAY_SIZE(kinds); i++) {
		size_t n = strlen(kinds[i].fs);

		if (strncmp(content, kinds[i].fs, n) == 0 && (!content[n] || content[n] == ' '))
			return kinds[i].kind;
	}
	return SW_STACK_NONE;
}

static enum sw_stack_kind kind_of_disk(const struct sw_disk *d)
{
	enum sw_stack_kind kind = SW_STACK_NONE;

	for (char **s = d->signatures; s && *s && !kind; s++)
		kind = kind_of(*s);
	return kind;
}

static int add(struct sw_stack *s, const struct sw_disk *d, const struct sw_part *p)
{
	if (s->n == SW_STACK_MEMBERS_MAX)
		return -E2BIG;
	s->members[s->n++] = (struct sw_stack_member){ .disk = d, .number = p ? p->number : 0,
						       .start = p ? p->start : 0,
						       .size = p ? p->size : d->size };
	return 0;
}

static bool is_first(const struct sw_stack *s, const struct sw_disk *d, unsigned int number)
{
	return s->members[0].disk == d && s->members[0].number == number;
}

/* Another path to a disk that is there already holds no further member. */
static bool is_path(const struct sw_facts *f, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (sw_disk_same(&f->disks[k], &f->disks[i]))
			return true;
	return false;
}

static int add_others(struct sw_stack *s, const struct sw_facts *f, const char *group)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < f->n_disks; i++) {
		const struct sw_disk *d = &f->disks[i];

		if (is_path(f, i))
			continue;
		if (d->table.group && strcmp(d->table.group, group) == 0 && !is_first(s, d, 0))
			r = add(s, d, NULL);
		for (size_t k = 0; r == 0 && k < d->table.n_parts; k++) {
			const struct sw_part *p = &d->table.parts[k];

			if (p->group && strcmp(p->group, group) == 0 && !is_first(s, d, p->number))
				r = add(s, d, p);
		}
	}
	return r;
}

/* "volume group vg0 (UUID)", "array node:0 (UUID)": the words in the middle. */
static void name_of_group(const char *group, char *name, size_t size)
{
	static const char *const before[] = { "volume group ", "array " };
	const char *end = strrchr(group, '(');
	int n;

	for (size_t i = 0; i < ARRAY_SIZE(before); i++)
		if (strncmp(group, before[i], strlen(before[i])) == 0)
			group += strlen(before[i]);
	n = end && end > group ? (int)(end - group) : (int)strlen(group);
	while (n && group[n - 1] == ' ')
		n--;
	(void)snprintf(name, size, "%.*s", n, group);
}

static int nothing(const char *disk, unsigned int number, int r, struct sw_error *err)
{
	sw_fail(err, SW_EXIT_MISSING, r, r == -ENOENT ? "there is no such partition or disk"
				       : r == -E2BIG ? "it has too many members"
						     : "there is nothing to open in it");
	sw_error_where(err, number ? "%s, partition %u" : "%s", disk, number);
	if (r == -ENODATA)
		sw_error_why(err, "it holds neither LUKS nor a member of an md array or of an LVM "
				  "volume group");
	if (r != -E2BIG)
		sw_error_hint(err, "`slipway disks` lists what there is; a partition is given as "
				   "in \"sda 4\" or as sda4");
	return r;
}

int sw_stack_find(const struct sw_facts *f, const char *disk, unsigned int number,
		  struct sw_stack *ret_stack, struct sw_error *err)
{
	const struct sw_disk *d = sw_facts_disk(f, disk);
	const struct sw_part *p = d && number ? sw_table_part(&d->table, number) : NULL;
	struct sw_stack s = {};
	const char *group;
	int r;

	if (!d || (number && !p))
		return nothing(disk, number, -ENOENT, err);
	s.kind = p ? kind_of(p->fs_type) : kind_of_disk(d);
	group = p ? p->group : d->table.group;
	if (!s.kind || (s.kind != SW_STACK_LUKS && !group))
		return nothing(disk, number, -ENODATA, err);
	r = add(&s, d, p);
	if (s.kind == SW_STACK_LUKS)
		(void)snprintf(s.name, sizeof(s.name), number ? "%s-%u" : "%s", disk, number);
	else
		name_of_group(group, s.name, sizeof(s.name));
	if (r == 0 && s.kind != SW_STACK_LUKS)
		r = add_others(&s, f, group);
	if (r < 0)
		return nothing(disk, number, r, err);
	*ret_stack = s;
	return 0;
}
