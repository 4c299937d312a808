/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Placing partitions on an empty table, with the arithmetic of systemd-repart
 * 252 so that the same files give the same disk there and here: drop the least
 * important until the minimum sizes fit, then share the space by weight in three
 * passes - those that need more than their share, those that take less, the
 * rest - and give what rounding left over to whoever may still grow.
 */
#include <string.h>

#include "base/size.h"
#include "layout/layout.h"
#include "layout/sizes.h"

#define GRAIN SW_LAYOUT_GRAIN
#define UNSET UINT64_MAX

struct item {
	const struct sw_layout_part *part;
	uint64_t min, max, size, padding;
	bool dropped;
};

struct solver {
	struct item *items;
	size_t n;
	uint64_t start, end;	/* usable bytes, aligned */
	uint64_t span;		/* not yet given out */
	uint64_t weights;	/* of those that have not got theirs */
};

enum pass { PASS_NEED_MORE, PASS_TAKE_LESS, PASS_SHARE };

static uint64_t round_up(uint64_t v)
{
	return v > UINT64_MAX - (GRAIN - 1) ? UINT64_MAX / GRAIN * GRAIN
					    : (v + GRAIN - 1) / GRAIN * GRAIN;
}

static uint64_t add(uint64_t a, uint64_t b)
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
	uint64_t min = p->size_min > GRAIN ? round_up(p->size_min) : GRAIN;

	for (size_t i = 0; p->format && i < ARRAY_SIZE(formats); i++)
		if (!strcmp(p->format, formats[i].name) && min < formats[i].min)
			min = formats[i].min;
	return min;
}

uint64_t sw_layout_part_need(const struct sw_layout_part *p)
{
	return round_up(add(sw_layout_part_min(p), p->padding_min));
}

static uint64_t share_of(const struct solver *s, uint64_t weight)
{
	if (weight == 0)
		return 0;
	return (uint64_t)((unsigned __int128)s->span * weight / s->weights);
}

static void charge(struct solver *s, uint64_t amount, uint64_t weight)
{
	uint64_t a = round_up(amount);

	s->span = s->span > a ? s->span - a : 0;
	s->weights -= weight;
}

/*
 * What one claim gets in this pass, or UNSET. A claim that differs from its
 * share changes all other shares, so the pass starts again after it.
 */
static uint64_t settle(const struct solver *s, enum pass pass, uint64_t weight, uint64_t min,
		       uint64_t max)
{
	uint64_t share = share_of(s, weight);

	if (pass == PASS_NEED_MORE)
		return min > share ? min : UNSET;
	if (pass == PASS_TAKE_LESS)
		return max < share ? max : UNSET;
	/* What rounding left of earlier shares may push a later one past its limit. */
	share = (share < max ? share : max) / GRAIN * GRAIN;
	return share > min ? share : min;
}

static bool run_pass(struct solver *s, enum pass pass)
{
	for (size_t i = 0; i < s->n; i++) {
		struct item *it = &s->items[i];
		const struct sw_layout_part *p = it->part;

		if (it->dropped)
			continue;
		if (it->size == UNSET) {
			it->size = settle(s, pass, p->weight, it->min, it->max);
			if (it->size != UNSET) {
				charge(s, it->size, p->weight);
				if (pass != PASS_SHARE)
					return false;
			}
		}
		if (it->padding == UNSET) {
			it->padding = settle(s, pass, p->padding_weight, p->padding_min,
					     p->padding_max);
			if (it->padding != UNSET) {
				charge(s, it->padding, p->padding_weight);
				if (pass != PASS_SHARE)
					return false;
			}
		}
	}
	return true;
}

static void hand_out_rest(struct solver *s)
{
	for (size_t i = 0; i < s->n && s->span > 0; i++) {
		struct item *it = &s->items[i];
		uint64_t size = (it->size + s->span) / GRAIN * GRAIN;

		if (it->dropped)
			continue;
		if (size > it->max)
			size = it->max;
		if (size <= it->size)
			continue;
		charge(s, size - it->size, 0);
		it->size = size;
	}
}

static void grow(struct solver *s)
{
	s->span = s->end - s->start;
	s->weights = 0;
	for (size_t i = 0; i < s->n; i++)
		if (!s->items[i].dropped)
			s->weights += (uint64_t)s->items[i].part->weight +
				      s->items[i].part->padding_weight;
	for (enum pass pass = PASS_NEED_MORE; pass <= PASS_SHARE;)
		if (run_pass(s, pass))
			pass++;
	hand_out_rest(s);
}

/* Bytes missing for the minimum sizes; 0: they fit. */
static uint64_t missing(const struct solver *s)
{
	uint64_t need = 0, have = s->end - s->start;

	for (size_t i = 0; i < s->n; i++)
		if (!s->items[i].dropped)
			need = add(need, sw_layout_part_need(s->items[i].part));
	return need > have ? need - have : 0;
}

/* Drops all of the highest number above 0; false: nothing left to drop. */
static bool drop_one_priority(struct solver *s)
{
	int highest = 0;

	for (size_t i = 0; i < s->n; i++)
		if (!s->items[i].dropped && s->items[i].part->priority > highest)
			highest = s->items[i].part->priority;
	if (highest == 0)
		return false;
	for (size_t i = 0; i < s->n; i++)
		if (s->items[i].part->priority == highest)
			s->items[i].dropped = true;
	return true;
}

static int fit(const struct sw_layout *l, struct solver *s, uint64_t disk_size,
	       struct sw_error *err)
{
	uint64_t short_by;

	while ((short_by = missing(s)) > 0) {
		char need[16], have[16];

		if (drop_one_priority(s))
			continue;
		sw_fail(err, SW_EXIT_INVALID, -ENOSPC,
			"the layout \"%s\" does not fit: %llu bytes too few", l->name,
			(unsigned long long)short_by);
		sw_error_why(err, "it needs %s and the disk has %s",
			     sw_size_format(l->min_size, need, sizeof(need)),
			     sw_size_format(disk_size, have, sizeof(have)));
		sw_error_hint(err, "Choose a larger disk, or another layout (disk.layout)");
		return -ENOSPC;
	}
	return 0;
}

/* repart's rule: the type's UUID, and a little-endian count for the second and later of a type. */
static int derive_uuid(const struct sw_layout *l, size_t index, const struct sw_guid *seed,
		       struct sw_guid *ret_uuid)
{
	const struct sw_layout_part *p = &l->parts[index];
	uint8_t token[24] = {};
	uint64_t count = 0;

	if (!sw_guid_is_zero(&p->uuid)) {
		*ret_uuid = p->uuid;
		return 0;
	}
	/* Dropped ones count: a partition keeps its UUID whatever the disk's size. */
	for (size_t i = 0; i < index; i++)
		count += sw_guid_equal(&l->parts[i].type, &p->type);
	sw_guid_to_rfc(&p->type, token);
	for (size_t i = 0; i < 8; i++)
		token[16 + i] = (uint8_t)(count >> (8 * i));
	return sw_guid_derive(seed, token, count ? 24 : 16, ret_uuid);
}

static int place(const struct sw_layout *l, const struct solver *s, const struct sw_guid *seed,
		 struct sw_placement *ret, size_t *ret_n)
{
	uint64_t at = s->start;
	size_t n = 0;

	for (size_t i = 0; i < s->n; i++) {
		const struct item *it = &s->items[i];
		int r;

		if (it->dropped)
			continue;
		ret[n] = (struct sw_placement){ .part = it->part, .start = at, .size = it->size };
		r = derive_uuid(l, i, seed, &ret[n].uuid);
		if (r < 0)
			return r;
		n++;
		at += it->size + it->padding;
	}
	*ret_n = n;
	return 0;
}

static struct item new_item(const struct sw_layout_part *p)
{
	struct item it = { .part = p, .size = UNSET, .padding = UNSET };

	/* As in repart, a least size (even the default one) wins over a smaller SizeMaxBytes=. */
	it.min = sw_layout_part_min(p);
	it.max = p->size_max > it.min ? p->size_max : it.min;
	return it;
}

/* libfdisk's first and last usable byte of a new GPT with 128 entries, aligned inwards. */
static int measure(uint64_t disk_size, uint32_t sector, struct solver *s)
{
	uint64_t end, tail;

	if ((sector != 512 && sector != 4096) || disk_size > (uint64_t)INT64_MAX)
		return -EINVAL;
	end = disk_size - disk_size % sector;
	tail = (uint64_t)sector + SW_LAYOUT_GPT_ENTRIES;
	s->start = SW_LAYOUT_FIRST;
	s->end = end > tail ? (end - tail) / GRAIN * GRAIN : 0;
	if (s->end < s->start)
		s->end = s->start;
	return 0;
}

int sw_layout_solve(const struct sw_layout *l, uint64_t disk_size, uint32_t sector,
		    const struct sw_guid *seed, struct sw_placement **ret_placements,
		    size_t *ret_n, struct sw_guid *ret_disk_id, struct sw_error *err)
{
	static const char disk_token[] = "disk-uuid";
	_cleanup_free_ struct item *items = calloc(l->n_parts ? l->n_parts : 1, sizeof(*items));
	_cleanup_free_ struct sw_placement *p = calloc(l->n_parts ? l->n_parts : 1, sizeof(*p));
	struct solver s = { .items = items, .n = l->n_parts };
	struct sw_guid id;
	size_t n = 0;
	int r;

	if (!items || !p)
		return sw_fail_oom(err);
	for (size_t i = 0; i < l->n_parts; i++)
		items[i] = new_item(&l->parts[i]);
	r = measure(disk_size, sector, &s);
	if (r < 0)
		return sw_fail(err, SW_EXIT_REFUSED, r,
			       "a sector size of %u bytes is not supported", sector);
	r = fit(l, &s, disk_size, err);
	if (r < 0)
		return r;
	grow(&s);
	r = place(l, &s, seed, p, &n);
	if (r >= 0)
		r = sw_guid_derive(seed, disk_token, sizeof(disk_token) - 1, &id);
	if (r < 0)
		return sw_fail_errno(err, SW_EXIT_INTERNAL, r, "cannot derive the UUIDs");
	*ret_placements = TAKE_PTR(p);
	*ret_n = n;
	*ret_disk_id = id;
	return 0;
}
