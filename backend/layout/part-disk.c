/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keys that repart has nothing like: which disks a partition is on, and its
 * size as a share of the disk.
 */
#include <ctype.h>
#include <string.h>

#include "base/file.h"
#include "base/strv.h"
#include "layout/parse.h"
#include "layout/part.h"
#include "layout/sizes.h"

#define NAME_MAX_LEN 32U
#define DISKS_MAX 16U

/* A name of small letters, digits and dashes, at most 32; a + may end it. */
static bool name_ok(const char *s)
{
	size_t n = strlen(s);

	if (n > 1 && s[n - 1] == '+')
		n--;
	if (n == 0 || n > NAME_MAX_LEN || !islower((unsigned char)s[0]))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!islower((unsigned char)s[i]) && !isdigit((unsigned char)s[i]) && s[i] != '-')
			return false;
	return true;
}

static bool named(char *const *list, const char *name)
{
	for (; list && *list; list++)
		if (!strcmp(*list, name))
			return true;
	return false;
}

int sw_parse_disk(struct sw_parse *s, const struct sw_parse_key *k SW_UNUSED,
		  const struct sw_ini_item *it, struct sw_error *err)
{
	_cleanup_free_ char *copy = strdup(it->value);
	_cleanup_strv_ char **list = NULL;
	char *rest = copy;

	if (!copy)
		return sw_fail_oom(err);
	for (const char *w; (w = strsep(&rest, " \t"));) {
		if (!*w)
			continue;
		if (!name_ok(w))
			return sw_parse_bad(s, it, err, "a disk's name is small letters, digits "
							"and dashes",
					    "Write system, or names of your own: system second");
		if (named(list, w))
			return sw_parse_bad(s, it, err, "it names a disk twice",
					    "Name each disk once");
		if (sw_strv_add(&list, w) < 0)
			return sw_fail_oom(err);
	}
	if (!list)
		return sw_parse_bad(s, it, err, "it names no disk",
				    "Write system, or names of your own: system second");
	sw_strv_free(s->p.disks);
	s->p.disks = TAKE_PTR(list);
	s->disk_at = (struct sw_parse_place){ s->path, it->line };
	return 0;
}

int sw_parse_raid(struct sw_parse *s, const struct sw_parse_key *k SW_UNUSED,
		  const struct sw_ini_item *it, struct sw_error *err)
{
	if (strcmp(it->value, "1") != 0 && *it->value && strcmp(it->value, "no") != 0)
		return sw_parse_bad(s, it, err, "only RAID1 is made here", "Write 1, or no");
	s->p.raid = !strcmp(it->value, "1");
	s->disk_at = (struct sw_parse_place){ s->path, it->line };
	return 0;
}

int sw_parse_percent(struct sw_parse *s, const struct sw_parse_key *k SW_UNUSED,
		     const struct sw_ini_item *it, struct sw_error *err)
{
	char *end = NULL;
	unsigned long v = isdigit((unsigned char)*it->value) ? strtoul(it->value, &end, 10) : 0;

	if (end && !strcmp(end, "%"))
		end++;
	if (!end || *end || v < 1 || v > 100 || strlen(it->value) > 4)
		return sw_parse_bad(s, it, err, "it is not a number from 1 to 100",
				    "Write the percentage of the disk's usable space, such as 25");
	s->p.size_percent = (unsigned int)v;
	s->disk_at = (struct sw_parse_place){ s->path, it->line };
	return 0;
}

static int clash(struct sw_parse *s, struct sw_error *err, const char *what, const char *why,
		 const char *hint)
{
	sw_fail(err, SW_EXIT_INVALID, -EINVAL, "%s", what);
	sw_error_where(err, "%s:%u:1", s->disk_at.path, s->disk_at.line);
	sw_error_why(err, "%s", why);
	sw_error_hint(err, "%s", hint);
	return -EINVAL;
}

int sw_parse_check_disks(struct sw_parse *s, struct sw_error *err)
{
	size_t n = sw_strv_len(s->p.disks);

	if (s->p.raid && n < 2)
		return clash(s, err, "X-Slipway-Raid=1 needs two disks",
			     "an array of one disk survives nothing",
			     "Name them: X-Slipway-Disk=system second");
	if (s->p.raid && (s->p.role == SW_ROLE_SLOT || s->p.role == SW_ROLE_NODE_DATA ||
			  s->p.role == SW_ROLE_RESCUE || s->p.role == SW_ROLE_IPXE))
		return clash(s, err, "a slot, node data or rescue must not be on RAID",
			     "firmware reads one disk, and writes to it behind the array's back",
			     "Leave X-Slipway-Raid= out: each disk gets a copy of its own");
	if (n > 1 && !sw_guid_is_zero(&s->p.uuid))
		return clash(s, err, "UUID= cannot be given to copies on several disks",
			     "each copy has a UUID of its own", "Leave UUID= out");
	if (s->p.size_percent && (s->has_min || s->p.size_max != UINT64_MAX))
		return clash(s, err, "X-Slipway-SizePercent= cannot go with a size in bytes",
			     "the percentage is both the least and the greatest size",
			     "Leave SizeMinBytes= and SizeMaxBytes= out");
	if (s->p.size_percent)
		s->p.size_min = SW_LAYOUT_GRAIN;
	return 0;
}

/* ---- the layout's disks ---- */

void sw_layout_disks_free(struct sw_layout *l)
{
	for (size_t i = 0; i < l->n_disks; i++)
		free(l->disks[i].name);
	free(l->disks);
	l->disks = NULL;
	l->n_disks = 0;
}

static struct sw_layout_disk *find_disk(const struct sw_layout *l, const char *name, size_t len)
{
	for (size_t i = 0; i < l->n_disks; i++)
		if (strlen(l->disks[i].name) == len && !strncmp(l->disks[i].name, name, len))
			return &l->disks[i];
	return NULL;
}

static int add_disk(struct sw_layout *l, const char *name)
{
	size_t len = strcspn(name, "+");
	struct sw_layout_disk *d = find_disk(l, name, len);

	if (!d) {
		d = reallocarray(l->disks, l->n_disks + 1, sizeof(*d));
		if (!d)
			return -ENOMEM;
		l->disks = d;
		d = &l->disks[l->n_disks];
		*d = (struct sw_layout_disk){ .name = strndup(name, len) };
		if (!d->name)
			return -ENOMEM;
		l->n_disks++;
	}
	d->many = d->many || name[len] == '+';
	return 0;
}

bool sw_layout_part_is_on(const struct sw_layout_part *p, const char *disk)
{
	if (!p->disks)
		return !strcmp(disk, SW_LAYOUT_SYSTEM);
	for (char **d = p->disks; *d; d++)
		if (strcspn(*d, "+") == strlen(disk) && !strncmp(*d, disk, strlen(disk)))
			return true;
	return false;
}

static int refuse(const struct sw_layout *l, struct sw_error *err, const char *what,
		  const char *hint)
{
	sw_fail(err, SW_EXIT_INVALID, -EINVAL, "%s", what);
	sw_error_where(err, "%s", l->name);
	sw_error_hint(err, "%s", hint);
	return -EINVAL;
}

static int check_disks(struct sw_layout *l, struct sw_error *err)
{
	if (l->n_disks > DISKS_MAX)
		return refuse(l, err, "the layout names more than 16 disks", "Name fewer");
	if (l->disks[0].many)
		return refuse(l, err, "the system disk cannot be several",
			      "Write X-Slipway-Disk=system, without the +");
	for (size_t i = 0; i + 1 < l->n_disks; i++)
		if (l->disks[i].many)
			return refuse(l, err, "only the layout's last disk may be several",
				      "Take the + away, or name that disk last");
	return 0;
}

int sw_layout_collect_disks(struct sw_layout *l, struct sw_error *err)
{
	int r = add_disk(l, SW_LAYOUT_SYSTEM);

	for (size_t i = 0; r == 0 && i < l->n_parts; i++)
		for (char **d = l->parts[i].disks; r == 0 && d && *d; d++)
			r = add_disk(l, *d);
	if (r < 0)
		return sw_fail_oom(err);
	for (size_t k = 0; k < l->n_disks; k++) {
		struct sw_layout_disk *d = &l->disks[k];

		d->min_size = SW_LAYOUT_OVERHEAD;
		for (size_t i = 0; i < l->n_parts; i++) {
			const struct sw_layout_part *p = &l->parts[i];

			if (p->priority <= 0 && sw_layout_part_is_on(p, d->name))
				d->min_size = sw_layout_add(d->min_size, sw_layout_part_need(p));
		}
	}
	l->min_size = l->disks[0].min_size;
	return check_disks(l, err);
}

int sw_layout_on_disk(const struct sw_layout *l, size_t disk, struct sw_layout *ret_sub)
{
	const struct sw_layout_disk *d = &l->disks[disk];
	struct sw_layout sub = { .name = l->name, .min_size = d->min_size,
				 .disks = l->disks, .n_disks = l->n_disks };

	sub.parts = calloc(l->n_parts, sizeof(*sub.parts));
	if (!sub.parts)
		return -ENOMEM;
	for (size_t i = 0; i < l->n_parts; i++)
		if (sw_layout_part_is_on(&l->parts[i], d->name))
			sub.parts[sub.n_parts++] = l->parts[i];
	*ret_sub = sub;
	return 0;
}
