/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Free areas and their sharing, with the arithmetic of systemd-repart 252 so
 * that the same files give the same disk there and here. An area belongs to the
 * new partitions in it and to the existing one in front of it, which may grow
 * into it. It is shared by weight in three passes - those that need more than
 * their share, those that take less, the rest - and what rounding left over goes
 * to whoever may still grow.
 */
#include "layout/space.h"

#include <string.h>

#include "layout/sizes.h"

#define GRAIN SW_LAYOUT_GRAIN
#define UNSET UINT64_MAX

enum pass { PASS_NEED_MORE, PASS_TAKE_LESS, PASS_SHARE };

/* One area while it is shared out. */
struct share {
	struct sw_space *s;
	const struct sw_area *a;
	uint64_t span;		/* not yet given out */
	uint64_t weights;	/* of those that have not got theirs */
};

static uint64_t less_by(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

static uint64_t old_end(const struct sw_space_item *it)
{
	return it->old->start + it->old->size;
}

/* ---- areas ---- */

static void add_area(struct sw_space *s, struct sw_space_item *after, uint64_t from, uint64_t to)
{
	struct sw_area *a = &s->areas[s->n_areas];

	from = sw_layout_round_up(from);
	to -= to % GRAIN;
	if (to <= from)
		return;
	*a = (struct sw_area){ .after = after, .size = to - from };
	s->n_areas++;
}

/* The start of the next partition behind this one, or the end of the usable space. */
static int next_start(const struct sw_space *s, const struct sw_space_item *it, uint64_t *ret_next)
{
	uint64_t end = old_end(it), next = UNSET;

	for (size_t i = 0; i < s->n; i++) {
		const struct sw_part *q = s->items[i].old;

		if (!q || &s->items[i] == it)
			continue;
		if (q->start < end && it->old->start < q->start + q->size)
			return -EINVAL;
		if (q->start >= end && q->start < next)
			next = q->start;
	}
	*ret_next = next == UNSET ? s->end : next;
	return 0;
}

int sw_space_find_areas(struct sw_space *s)
{
	uint64_t first = UNSET;

	/* Free space is kept in the order of the table; the sort below depends on it. */
	for (unsigned int done = 0;;) {
		struct sw_space_item *it = NULL;
		uint64_t next;

		for (size_t i = 0; i < s->n; i++)
			if (s->items[i].old && s->items[i].number > done &&
			    (!it || s->items[i].number < it->number))
				it = &s->items[i];
		if (!it)
			break;
		done = it->number;
		if (it->old->size == 0 || old_end(it) < it->old->start ||
		    old_end(it) > s->end || next_start(s, it, &next) < 0)
			return -EINVAL;
		if (it->old->start < first)
			first = it->old->start;
		add_area(s, it, old_end(it), next);
	}
	add_area(s, NULL, s->start, first == UNSET ? s->end : first);
	s->start = sw_layout_round_up(s->start);
	return 0;
}

/* ---- which area ---- */

uint64_t sw_space_need(const struct sw_space_item *it)
{
	uint64_t sz = sw_layout_add(it->min, it->padding_min);

	/* What follows an existing one that is not aligned begins at the next aligned place. */
	if (it->old)
		return sw_layout_round_up(sw_layout_add(it->old->start, sz)) - it->old->start;
	return sw_layout_round_up(sz);
}

/* What new partitions can have: the one in front takes its least size and padding first. */
static uint64_t room_in(const struct sw_area *a)
{
	uint64_t left = less_by(a->size, a->taken);

	if (!a->after)
		return left;
	return less_by(sw_layout_round_up(old_end(a->after)) + left,
		       sw_layout_round_up(sw_layout_add(a->after->old->start,
							sw_space_need(a->after))));
}

/* Smallest first; equal ones stay in order. */
static void sort_areas(struct sw_space *s)
{
	for (size_t i = 1; i < s->n_areas; i++)
		for (size_t k = i; k > 0; k--) {
			struct sw_area swap = s->areas[k];

			if (room_in(&swap) >= room_in(&s->areas[k - 1]))
				break;
			s->areas[k] = s->areas[k - 1];
			s->areas[k - 1] = swap;
		}
}

static struct sw_area *find_room(struct sw_space *s, uint64_t need, uint64_t *ret_largest)
{
	*ret_largest = 0;
	for (size_t i = 0; i < s->n_areas; i++) {
		uint64_t room = room_in(&s->areas[i]);

		if (room >= need)
			return &s->areas[i];
		if (room > *ret_largest)
			*ret_largest = room;
	}
	return NULL;
}

/*
 * Can an existing one have its least size and padding? As in repart, one without
 * any free space behind it is not asked: it simply stays.
 */
static bool can_grow(const struct sw_space *s, const struct sw_space_item *it, uint64_t *ret_room)
{
	for (size_t i = 0; i < s->n_areas; i++) {
		const struct sw_area *a = &s->areas[i];

		if (a->after != it)
			continue;
		*ret_room = sw_layout_round_up(old_end(it)) + a->size - it->old->start;
		return *ret_room >= sw_space_need(it);
	}
	return true;
}

bool sw_space_allocate(struct sw_space *s, const struct sw_space_item **ret_item,
		       uint64_t *ret_largest)
{
	for (size_t i = 0; i < s->n_areas; i++)
		s->areas[i].taken = 0;
	sort_areas(s);
	for (size_t i = 0; i < s->n; i++) {
		struct sw_space_item *it = &s->items[i];

		it->in = NULL;
		if (it->dropped || !it->part)
			continue;
		*ret_item = it;
		if (it->old) {
			if (!can_grow(s, it, ret_largest))
				return false;
			continue;
		}
		it->in = find_room(s, sw_space_need(it), ret_largest);
		if (!it->in)
			return false;
		it->in->taken += sw_space_need(it);
	}
	for (size_t i = 0; i < s->n_areas; i++)
		if (s->areas[i].after)
			s->areas[i].after->behind = &s->areas[i];
	return true;
}

/* ---- sharing ---- */

static uint64_t share_of(const struct share *s, uint64_t weight)
{
	if (weight == 0)
		return 0;
	return (uint64_t)((unsigned __int128)s->span * weight / s->weights);
}

static void charge(struct share *s, uint64_t amount, uint64_t weight)
{
	s->span = less_by(s->span, sw_layout_round_up(amount));
	s->weights -= weight;
}

/*
 * What one claim gets in this pass, or UNSET. A claim that differs from its
 * share changes all other shares, so the pass starts again after it.
 */
static uint64_t settle(const struct share *s, enum pass pass, uint64_t weight, uint64_t min,
		       uint64_t max)
{
	uint64_t share = share_of(s, weight);

	if (pass == PASS_NEED_MORE)
		return min > share ? min : UNSET;
	if (pass == PASS_TAKE_LESS)
		return max < share ? max : UNSET;
	/* What rounding left of earlier shares may push a later one past its limit. */
	share -= share % GRAIN;
	if (share > max)
		share = max;
	return share > min ? share : min;
}

static bool takes_part(const struct share *s, const struct sw_space_item *it)
{
	return !it->dropped && (it->in == s->a || it->behind == s->a);
}

static bool run_pass(struct share *s, enum pass pass)
{
	for (size_t i = 0; i < s->s->n; i++) {
		struct sw_space_item *it = &s->s->items[i];

		if (!takes_part(s, it))
			continue;
		if (it->size == UNSET) {
			it->size = settle(s, pass, it->weight, it->min, it->max);
			if (it->size != UNSET) {
				charge(s, it->size, it->weight);
				if (pass != PASS_SHARE)
					return false;
			}
		}
		if (it->padding == UNSET) {
			it->padding = settle(s, pass, it->padding_weight, it->padding_min,
					     it->padding_max);
			if (it->padding != UNSET) {
				charge(s, it->padding, it->padding_weight);
				if (pass != PASS_SHARE)
					return false;
			}
		}
	}
	return true;
}

static void give(struct share *s, struct sw_space_item *it, uint64_t size)
{
	if (size > it->max)
		size = it->max;
	if (size <= it->size)
		return;
	charge(s, size - it->size, 0);
	it->size = size;
}

/* To the new ones in order; what they do not take stays free behind the one in front. */
static void hand_out_rest(struct share *s)
{
	for (size_t i = 0; i < s->s->n && s->span > 0; i++) {
		struct sw_space_item *it = &s->s->items[i];

		if (it->in == s->a && !it->dropped)
			give(s, it, (it->size + s->span) / GRAIN * GRAIN);
	}
	if (s->span > 0 && s->a->after)
		s->a->after->padding += s->span;
}

static void share_area(struct sw_space *sp, struct sw_area *a)
{
	struct share s = { .s = sp, .a = a, .span = a->size };

	if (a->after)
		s.span += sw_layout_round_up(old_end(a->after)) - a->after->old->start;
	for (size_t i = 0; i < sp->n; i++) {
		struct sw_space_item *it = &sp->items[i];

		if (!takes_part(&s, it))
			continue;
		it->size = it->padding = UNSET;
		s.weights += (uint64_t)it->weight + it->padding_weight;
	}
	for (enum pass pass = PASS_NEED_MORE; pass <= PASS_SHARE;)
		if (run_pass(&s, pass))
			pass++;
	hand_out_rest(&s);
}

static void place_in(struct sw_space *s, const struct sw_area *a, unsigned int *number)
{
	uint64_t at = s->start;

	if (a->after)
		at = sw_layout_round_up(a->after->start + a->after->size + a->after->padding);
	for (size_t i = 0; i < s->n; i++) {
		struct sw_space_item *it = &s->items[i];

		if (it->in != a || it->dropped)
			continue;
		it->start = at;
		it->number = ++*number;
		at += it->size + it->padding;
	}
}

void sw_space_share(struct sw_space *s)
{
	unsigned int number = 0;

	for (size_t i = 0; i < s->n; i++) {
		struct sw_space_item *it = &s->items[i];

		if (!it->old)
			continue;
		it->start = it->old->start;
		it->size = it->old->size;
		if (it->number > number)
			number = it->number;
	}
	for (size_t i = 0; i < s->n_areas; i++)
		share_area(s, &s->areas[i]);
	for (size_t i = 0; i < s->n_areas; i++)
		place_in(s, &s->areas[i], &number);
}
