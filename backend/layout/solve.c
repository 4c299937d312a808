/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From definitions and a disk to partitions: which existing one belongs to which
 * definition, who is dropped when the space does not do, and the UUIDs and
 * labels. The rules are those of systemd-repart 252, so that the same files give
 * the same disk there and here.
 */
#include <string.h>

#include "base/buf.h"
#include "base/size.h"
#include "disk/luks.h"
#include "layout/layout.h"
#include "layout/sizes.h"
#include "layout/space.h"

#define GRAIN SW_LAYOUT_GRAIN
#define NUMBER_MAX 128U		/* of a new table */

/* ---- sizes ---- */

uint64_t sw_layout_round_up(uint64_t v)
{
	return v > UINT64_MAX - (GRAIN - 1) ? UINT64_MAX / GRAIN * GRAIN
					    : (v + GRAIN - 1) / GRAIN * GRAIN;
}

uint64_t sw_layout_add(uint64_t a, uint64_t b)
{
	return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

uint64_t sw_layout_part_min(const struct sw_layout_part *p)
{
	/* What repart takes as the least for each kind; 4 KiB where it knows none. */
	static const struct {
		const char *name;
		uint64_t min;
	} formats[] = {
		{ "ext4", 1ULL << 20 },
		{ "xfs", 14ULL << 20 },
		{ "btrfs", 256ULL << 20 },
	};
	uint64_t min = p->size_min > GRAIN ? sw_layout_round_up(p->size_min) : GRAIN;
	uint64_t content = p->copy_blocks_size ? p->copy_blocks_size : GRAIN;

	for (size_t i = 0; p->format && i < ARRAY_SIZE(formats); i++)
		if (!strcmp(p->format, formats[i].name))
			content = formats[i].min;
	content = sw_layout_round_up(content);
	if (p->encrypt)
		content = sw_layout_add(content, SW_LUKS_HEADER);
	return min > content ? min : content;
}

uint64_t sw_layout_part_need(const struct sw_layout_part *p)
{
	return sw_layout_round_up(sw_layout_add(sw_layout_part_min(p), p->padding_min));
}

/* ---- items ---- */

static void item_from_part(struct sw_space_item *it, const struct sw_layout_part *p,
			   uint64_t usable)
{
	uint64_t share = usable / 100 * p->size_percent + usable % 100 * p->size_percent / 100;

	share -= share % GRAIN;
	it->part = p;
	it->weight = p->weight;
	it->padding_weight = p->padding_weight;
	it->padding_min = p->padding_min;
	it->padding_max = p->padding_max;
	/* As in repart, a least size (even the default one) wins over a smaller SizeMaxBytes=. */
	it->min = sw_layout_part_min(p);
	it->max = p->size_max > it->min ? p->size_max : it->min;
	if (p->size_percent)
		it->min = it->max = share > it->min ? share : it->min;
}

/* An existing one is never made smaller, and what Format= needs no longer counts. */
static void take_existing(struct sw_space_item *it, const struct sw_part *old)
{
	if (!it->part) {
		*it = (struct sw_space_item){ .old = old, .number = old->number, .min = old->size,
					      .max = old->size, .padding_max = UINT64_MAX };
		return;
	}
	it->old = old;
	it->number = old->number;
	it->min = sw_layout_round_up(it->part->size_min);
	if (it->min < old->size)
		it->min = old->size;
	it->max = it->part->size_max > it->min ? it->part->size_max : it->min;
}

/* The definition of this label; its partition neither grows nor shrinks. */
static void match_kept(struct sw_space *s, size_t n_defined, const struct sw_part *old)
{
	for (size_t i = 0; i < n_defined; i++) {
		struct sw_space_item *it = &s->items[i];

		if (it->old || !old->label || strcmp(it->part->label, old->label) != 0)
			continue;
		take_existing(it, old);
		it->min = it->max = old->size;
		it->padding_min = 0;
		return;
	}
	take_existing(&s->items[s->n++], old);
}

/* The first definition of this type that has no partition yet, else a new foreign item. */
static void match(struct sw_space *s, size_t n_defined, const struct sw_part *old)
{
	for (size_t i = 0; i < n_defined; i++)
		if (!s->items[i].old && sw_guid_equal(&s->items[i].part->type, &old->type)) {
			take_existing(&s->items[i], old);
			return;
		}
	take_existing(&s->items[s->n++], old);
}

static int make_items(const struct sw_layout *l, const struct sw_table *t, bool kept,
		      struct sw_space *s)
{
	size_t n_old = t ? t->n_parts : 0, n = l->n_parts + n_old;

	s->items = calloc(n ? n : 1, sizeof(*s->items));
	s->areas = calloc(n_old + 1, sizeof(*s->areas));
	if (!s->items || !s->areas)
		return -ENOMEM;
	s->n = l->n_parts;
	for (size_t i = 0; i < l->n_parts; i++)
		item_from_part(&s->items[i], &l->parts[i], s->end - s->start);
	for (size_t i = 0; i < n_old; i++)
		(kept ? match_kept : match)(s, l->n_parts, &t->parts[i]);
	return 0;
}

static void space_clear(struct sw_space *s)
{
	free(s->items);
	free(s->areas);
}

/* ---- who fits ---- */

/*
 * Drops all of the highest number above 0; false: nothing left to drop. What
 * exists does not go away, it is only left alone from now on.
 */
static bool drop_one_priority(struct sw_space *s)
{
	int highest = 0;

	for (size_t i = 0; i < s->n; i++) {
		const struct sw_space_item *it = &s->items[i];

		if (it->part && !it->dropped && it->part->priority > highest)
			highest = it->part->priority;
	}
	if (highest == 0)
		return false;
	for (size_t i = 0; i < s->n; i++) {
		struct sw_space_item *it = &s->items[i];

		if (!it->part || it->part->priority != highest)
			continue;
		it->dropped = !it->old;
		if (it->old) {
			it->part = NULL;
			take_existing(it, it->old);
		}
	}
	return true;
}

/* "10-slot-a.conf 512M, 40-data.conf 1.6G (80%)": what asks for how much. */
static void list_needs(const struct sw_space *s, struct sw_buf *b)
{
	for (size_t i = 0; i < s->n; i++) {
		const struct sw_space_item *it = &s->items[i];
		char size[16];

		if (it->dropped || !it->part)
			continue;
		(void)sw_buf_addf(b, "%s%s %s", b->len ? ", " : "",
				  it->part->file ? it->part->file : "a partition",
				  sw_size_format(sw_space_need(it), size, sizeof(size)));
		if (it->part->size_percent)
			(void)sw_buf_addf(b, " (%u%%)", it->part->size_percent);
	}
}

static uint64_t need_of_all(const struct sw_space *s)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < s->n; i++)
		if (!s->items[i].dropped)
			sum = sw_layout_add(sum, sw_space_need(&s->items[i]));
	return sum;
}

/* Both sizes in words, or in bytes when the words would be the same. */
static void two_sizes(uint64_t need, uint64_t have, char a[32], char b[32])
{
	(void)sw_size_format(need, a, 32);
	(void)sw_size_format(have, b, 32);
	if (strcmp(a, b) != 0)
		return;
	(void)snprintf(a, 32, "%llu bytes", (unsigned long long)need);
	(void)snprintf(b, 32, "%llu", (unsigned long long)have);
}

static void say_no_room(const struct sw_layout *l, uint64_t need, uint64_t have,
			struct sw_error *err)
{
	sw_fail(err, SW_EXIT_INVALID, -ENOSPC, "the layout \"%s\" does not fit: %llu bytes too few",
		l->name, (unsigned long long)(need > have ? need - have : GRAIN));
}

/* On a disk that gets a new table all definitions share one piece. */
static int disk_too_small(const struct sw_layout *l, const struct sw_space *s,
			  struct sw_error *err)
{
	_cleanup_buf_ struct sw_buf list = { .max = 160 };
	uint64_t need = sw_layout_add(need_of_all(s), s->start + s->tail);
	char a[32], b[32];

	say_no_room(l, need, s->disk_size, err);
	list_needs(s, &list);
	two_sizes(need, s->disk_size, a, b);
	sw_error_why(err, "it needs %s and the disk has %s: %s", a, b, sw_buf_text(&list));
	sw_error_hint(err, "Choose a larger disk, or another layout (disk.layout)");
	return -ENOSPC;
}

static int no_room(const struct sw_layout *l, const struct sw_space_item *it, uint64_t have,
		   const char *where, struct sw_error *err)
{
	uint64_t need = sw_space_need(it);
	char a[32], b[32];

	say_no_room(l, need, have, err);
	two_sizes(need, have, a, b);
	sw_error_where(err, "%s", where);
	sw_error_why(err, "%s needs %s in one piece and %s %s",
		     it->part->file ? it->part->file : "a partition", a,
		     it->old ? "its partition with the free space behind it has"
			     : "the largest free space has", b);
	sw_error_hint(err, "Make room on the disk, or start anew with --empty=force");
	return -ENOSPC;
}

static int fit(const struct sw_layout *l, struct sw_space *s, const char *where,
	       struct sw_error *err)
{
	const struct sw_space_item *it;
	uint64_t largest;

	while (!sw_space_allocate(s, &it, &largest))
		if (!drop_one_priority(s))
			return where ? no_room(l, it, largest, where, err)
				     : disk_too_small(l, s, err);
	return 0;
}

/*
 * repart only asks whether least sizes fit, one by one; where one that is not
 * aligned or has no room behind it was to grow all the same, libfdisk stops it
 * when the table is made. Here it ends before anything is made.
 */
static int check_overlap(const struct sw_space *s, const char *where, struct sw_error *err)
{
	for (size_t i = 0; i < s->n; i++) {
		const struct sw_space_item *it = &s->items[i];
		uint64_t end = it->start + it->size, limit = s->end;

		for (size_t k = 0; k < s->n; k++)
			if (k != i && !s->items[k].dropped && s->items[k].start >= it->start &&
			    s->items[k].start < limit)
				limit = s->items[k].start;
		if (it->dropped || end <= limit)
			continue;
		sw_fail(err, SW_EXIT_INVALID, -ENOSPC,
			"partition %u would be %llu bytes too large for its place", it->number,
			(unsigned long long)(end - limit));
		sw_error_where(err, "%s", where);
		if (it->part && it->part->file)
			sw_error_hint(err, "Give a smaller SizeMinBytes= in %s", it->part->file);
		return -ENOSPC;
	}
	return 0;
}

/* ---- UUIDs and labels ---- */

/* repart's rule: the type's UUID, and a little-endian count for the second and later of a type. */
static int derive_uuid(const struct sw_guid *type, uint64_t count, const struct sw_guid *seed,
		       struct sw_guid *ret_uuid)
{
	uint8_t token[24] = {};

	sw_guid_to_rfc(type, token);
	for (size_t i = 0; i < 8; i++)
		token[16 + i] = (uint8_t)(count >> (8 * i));
	return sw_guid_derive(seed, token, count ? 24 : 16, ret_uuid);
}

/* Does another one have it already, or is to have it? */
static bool uuid_used(const struct sw_space *s, size_t except, const struct sw_guid *uuid)
{
	for (size_t i = 0; i < s->n; i++) {
		const struct sw_space_item *it = &s->items[i];

		if (i != except && ((it->old && sw_guid_equal(&it->old->uuid, uuid)) ||
				    (it->part && sw_guid_equal(&it->part->uuid, uuid))))
			return true;
	}
	return false;
}

/*
 * A partition that exists may have the UUID that is due to a later one (its
 * definition was another's once): then the count goes on. repart takes a random
 * one there, which no plan could name beforehand.
 */
static int pick_uuid(const struct sw_layout *l, const struct sw_space *s, size_t i,
		     const struct sw_guid *seed, struct sw_guid *ret_uuid)
{
	const struct sw_space_item *it = &s->items[i];
	uint64_t count = 0;
	int r;

	if (it->old && (!it->part || !sw_guid_is_zero(&it->old->uuid))) {
		*ret_uuid = it->old->uuid;
		return 0;
	}
	if (it->part->uuid_null || !sw_guid_is_zero(&it->part->uuid)) {
		*ret_uuid = it->part->uuid;
		return 0;
	}
	/* Dropped ones count: a partition keeps its UUID whatever the disk's size. */
	for (size_t k = 0; k < i; k++)
		count += sw_guid_equal(&l->parts[k].type, &it->part->type);
	r = derive_uuid(&it->part->type, count, seed, ret_uuid);
	if (r >= 0 && uuid_used(s, i, ret_uuid))
		for (count = l->n_parts; r >= 0 && uuid_used(s, i, ret_uuid); count++)
			r = derive_uuid(&it->part->type, count, seed, ret_uuid);
	return r;
}

/* Of the items before this one; those of dropped ones count, as their UUIDs do. */
static bool label_taken(const char (*labels)[SW_LABEL_BYTES], size_t n, const char *label)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(labels[i], label))
			return true;
	return false;
}

struct labels {
	char (*text)[SW_LABEL_BYTES];
	unsigned int *suffix;	/* the "-2" of a label made from the type, 1 without; else 0 */
};

/* Smaller ones are taken: an earlier item with the same text has found that out. */
static unsigned int first_suffix(const struct sw_space *s, const struct labels *l, size_t n)
{
	const char *text = s->items[n].part->type_name;

	for (size_t i = n; i-- > 0;)
		if (l->suffix[i] && !strcmp(s->items[i].part->type_name, text))
			return l->suffix[i] + 1;
	return 1;
}

/* A label made from the type may be on the disk already; one that was given is used as it is. */
static void pick_label(const struct sw_space *s, struct labels *l, size_t n)
{
	const struct sw_space_item *it = &s->items[n];
	char *label = l->text[n];
	unsigned int suffix;
	bool named = it->old && it->old->label && it->old->label[0];
	const char *text = it->part ? it->part->type_name : "";

	if (named)
		text = it->old->label;
	else if (it->part && it->part->own_label)
		text = it->part->label;
	(void)snprintf(label, SW_LABEL_BYTES, "%s", text);
	if (named || !it->part || it->part->own_label)
		return;
	for (suffix = first_suffix(s, l, n);; suffix++) {
		if (suffix > 1)
			(void)snprintf(label, SW_LABEL_BYTES, "%s-%u", text, suffix);
		if (!label_taken((const char (*)[SW_LABEL_BYTES])l->text, n, label))
			break;
	}
	l->suffix[n] = suffix;
}

static int refuse_twice(const struct sw_placement *p, size_t n, struct sw_error *err)
{
	for (size_t i = 1; i < n; i++)
		for (size_t k = 0; k < i; k++) {
			char uuid[SW_GUID_TEXT];

			if ((p[i].old && p[k].old) || sw_guid_is_zero(&p[i].uuid) ||
			    !sw_guid_equal(&p[i].uuid, &p[k].uuid))
				continue;
			sw_fail(err, SW_EXIT_INVALID, -EEXIST,
				"partitions %u and %u would have the same UUID", p[k].number,
				p[i].number);
			sw_error_why(err, "it is %s", sw_guid_format(&p[i].uuid, uuid));
			sw_error_hint(err, "Give each its own UUID=, or leave it out");
			return -EEXIST;
		}
	return 0;
}

static int place(const struct sw_layout *l, const struct sw_space *s, const struct sw_guid *seed,
		 struct sw_placement **ret_placements, size_t *ret_n, struct sw_error *err)
{
	_cleanup_free_ struct sw_placement *p = calloc(s->n ? s->n : 1, sizeof(*p));
	_cleanup_free_ char (*labels)[SW_LABEL_BYTES] = calloc(s->n ? s->n : 1, sizeof(*labels));
	_cleanup_free_ unsigned int *suffix = calloc(s->n ? s->n : 1, sizeof(*suffix));
	struct labels all = { .text = labels, .suffix = suffix };
	size_t n = 0;
	int r;

	if (!p || !labels || !suffix)
		return sw_fail_oom(err);
	for (size_t i = 0; i < s->n; i++) {
		const struct sw_space_item *it = &s->items[i];

		pick_label(s, &all, i);
		if (it->dropped)
			continue;
		p[n] = (struct sw_placement){ .part = it->part, .start = it->start,
					      .size = it->size, .old = it->old,
					      .number = it->number };
		if (it->number > s->numbers)
			return sw_fail(err, SW_EXIT_REFUSED, -ENOSPC,
				       "the table has no partition number left");
		memcpy(p[n].label, labels[i], sizeof(p[n].label));
		r = pick_uuid(l, s, i, seed, &p[n++].uuid);
		if (r < 0)
			return sw_fail_errno(err, SW_EXIT_INTERNAL, r, "cannot derive the UUIDs");
	}
	r = refuse_twice(p, n, err);
	if (r < 0)
		return r;
	*ret_placements = TAKE_PTR(p);
	*ret_n = n;
	return 0;
}

/* ---- the whole ---- */

int sw_layout_disk_id(const struct sw_guid *seed, struct sw_guid *ret_disk_id)
{
	static const char token[] = "disk-uuid";

	return sw_guid_derive(seed, token, sizeof(token) - 1, ret_disk_id);
}

/* What a table takes at both ends in repart's reckoning: 1 MiB and 20 KiB. */
uint64_t sw_layout_least_size(const struct sw_layout *l, const struct sw_table *table)
{
	_cleanup_(space_clear) struct sw_space s = {};
	uint64_t sum = SW_LAYOUT_FIRST + SW_LAYOUT_GPT_ENTRIES + GRAIN;

	if (make_items(l, table, false, &s) < 0)
		return UINT64_MAX;
	for (size_t i = 0; i < s.n; i++)
		sum = sw_layout_add(sum, sw_space_need(&s.items[i]));
	return sum;
}

static int solve(const struct sw_layout *l, const struct sw_table *t, bool kept, struct sw_space *s,
		 const struct sw_guid *seed, const char *where,
		 struct sw_placement **ret_placements, size_t *ret_n, struct sw_error *err)
{
	int r;

	if (make_items(l, t, kept, s) < 0)
		return sw_fail_oom(err);
	if (sw_space_find_areas(s) < 0) {
		sw_fail(err, SW_EXIT_REFUSED, -EINVAL, "the partition table cannot be worked with");
		sw_error_where(err, "%s", where);
		sw_error_why(err, "its partitions overlap or lie outside the disk");
		sw_error_hint(err, "Repair it first, or start with a new table (--empty=force)");
		return -EINVAL;
	}
	r = fit(l, s, where, err);
	if (r < 0)
		return r;
	sw_space_share(s);
	r = check_overlap(s, where, err);
	return r < 0 ? r : place(l, s, seed, ret_placements, ret_n, err);
}

/* libfdisk's first and last usable byte of a new GPT with 128 entries. */
static int measure(uint64_t disk_size, uint32_t sector, struct sw_space *s)
{
	uint64_t end;

	if ((sector != 512 && sector != 4096) || disk_size > (uint64_t)INT64_MAX)
		return -EINVAL;
	end = disk_size - disk_size % sector;
	s->disk_size = end;
	s->tail = (uint64_t)sector + SW_LAYOUT_GPT_ENTRIES;
	s->numbers = NUMBER_MAX;
	s->start = SW_LAYOUT_FIRST;
	s->end = end > s->tail + s->start ? end - s->tail : s->start;
	return 0;
}

int sw_layout_solve(const struct sw_layout *l, uint64_t disk_size, uint32_t sector,
		    const struct sw_guid *seed, struct sw_placement **ret_placements,
		    size_t *ret_n, struct sw_guid *ret_disk_id, struct sw_error *err)
{
	_cleanup_(space_clear) struct sw_space s = {};
	struct sw_guid id;
	int r;

	if (measure(disk_size, sector, &s) < 0)
		return sw_fail(err, SW_EXIT_REFUSED, -EINVAL,
			       "a sector size of %u bytes is not supported", sector);
	if (sw_layout_disk_id(seed, &id) < 0)
		return sw_fail_errno(err, SW_EXIT_INTERNAL, -EIO, "cannot derive the UUIDs");
	r = solve(l, NULL, false, &s, seed, NULL, ret_placements, ret_n, err);
	if (r >= 0)
		*ret_disk_id = id;
	return r;
}

int sw_layout_solve_on(const struct sw_layout *l, const struct sw_layout_ground *g,
		       const struct sw_guid *seed, struct sw_placement **ret_placements,
		       size_t *ret_n, struct sw_error *err)
{
	_cleanup_(space_clear) struct sw_space s = { .start = g->start, .end = g->end,
						      .numbers = g->numbers };

	if (s.end < s.start)
		s.end = s.start;
	return solve(l, g->table, g->kept, &s, seed, g->where ? g->where : "the disk",
		     ret_placements, ret_n, err);
}
