/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A node on several disks: what each copy holds, one list of all their slots for
 * the boot order, and taking the copies one after the other, so that at any time
 * the node starts from each disk alone.
 */
#include <limits.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "boot/ipxe.h"
#include "boot/promote.h"
#include "boot/switch-private.h"

/* Entries that are lost must not come back with one name for two partitions. */
static void name_apart(struct sw_node *n, const struct sw_node *first, size_t copy)
{
	for (size_t i = 0; i < n->n_slots; i++)
		for (size_t k = 0; k < first->n_slots; k++)
			if (strcmp(n->slots[i].entry, first->slots[k].entry) == 0)
				(void)snprintf(n->slots[i].entry, sizeof(n->slots[i].entry),
					       "Slipway %c (disk %zu)",
					       n->slots[i].letter - 'a' + 'A', copy + 2);
	if (strcmp(n->rescue_entry, first->rescue_entry) == 0)
		(void)snprintf(n->rescue_entry, sizeof(n->rescue_entry),
			       SW_RESCUE_ENTRY " (disk %zu)", copy + 2);
	if (strcmp(n->ipxe_entry, first->ipxe_entry) == 0)
		(void)snprintf(n->ipxe_entry, sizeof(n->ipxe_entry),
			       SW_NETENTRY_LABEL " (disk %zu)", copy + 2);
}

int sw_switch_read_copies(struct sw_switch *s, struct sw_error *err)
{
	int r = 0;

	if (s->node.n_copies == 0)
		return 0;
	s->copies = calloc(s->node.n_copies, sizeof(*s->copies));
	if (!s->copies)
		return sw_fail_oom(err);
	for (size_t i = 0; i < s->node.n_copies && r == 0; i++) {
		r = sw_node_find(s->m, s->f, s->node.copies[i]->name, &s->copies[i], err);
		if (r == 0)
			name_apart(&s->copies[s->n_copies++], &s->node, i);
	}
	return r;
}

/* The disk's number in the install, from the name that its entries have; 0: the first. */
static unsigned int copy_number(const char *entry)
{
	const char *at = strstr(entry, "(disk ");
	unsigned int number = 0;

	return at && sscanf(at, "(disk %u)", &number) == 1 ? number : 0;
}

static size_t add_slots(const struct sw_node *n, struct sw_mode_slot *out, size_t room)
{
	size_t i = 0;

	for (; i < n->n_slots && i < room; i++) {
		const struct sw_node_slot *slot = &n->slots[i];

		out[i] = (struct sw_mode_slot){ .entry = sw_node_entry(n, i),
						.letter = slot->letter, .good = slot->good,
						.copy = copy_number(slot->entry),
						.held = slot->held,
						.sequence = slot->m.sequence };
	}
	return i;
}

size_t sw_switch_slots(const struct sw_switch *s, struct sw_mode_slot out[SW_MODE_SLOTS])
{
	size_t n = add_slots(&s->node, out, SW_MODE_SLOTS);

	for (size_t i = 0; i < s->n_copies; i++)
		n += add_slots(&s->copies[i], out + n, SW_MODE_SLOTS - n);
	return n;
}

static const struct sw_node *nth(const struct sw_switch *s, size_t i)
{
	return i == 0 ? &s->node : &s->copies[i - 1];
}

static void swap(struct sw_entry_wanted *a, struct sw_entry_wanted *b)
{
	struct sw_entry_wanted was = *a;

	*a = *b;
	*b = was;
}

/* A layout may have made the partition although nothing came to be put there. */
static bool is_filled(const struct sw_switch *s, const struct sw_node *n, const struct sw_part *p)
{
	_cleanup_io_ struct sw_io *io = NULL;
	bool blank = false;

	if (!p || sw_machine_open_disk(s->m, n->disk, false, false, &io, NULL) < 0)
		return p;
	return sw_slot_is_blank(io, p->start, &blank) < 0 || !blank;
}

size_t sw_switch_rescues(const struct sw_switch *s, struct sw_entry_wanted out[SW_MODE_DISKS])
{
	size_t n = 0;

	for (size_t i = 0; i <= s->n_copies && n < SW_MODE_DISKS; i++)
		if (is_filled(s, nth(s, i), nth(s, i)->rescue_part))
			out[n++] = sw_node_rescue_entry(nth(s, i));
	return n;
}

int sw_switch_whole_rescue(const struct sw_switch *s, struct sw_entry_wanted *list, size_t n,
			   struct sw_error *err)
{
	int first = 0;

	for (size_t i = 0; i <= s->n_copies; i++) {
		const struct sw_node *c = nth(s, i);
		struct sw_error e = {};
		int r = sw_node_check_rescue(s->m, c, &e);

		for (size_t k = 0; r == 0 && k < n; k++)
			if (sw_guid_equal(&list[k].part_uuid, &c->rescue_part->uuid))
				swap(&list[0], &list[k]);
		if (r == 0)
			return 0;
		if (i > 0)
			continue;
		first = r;
		if (err)
			*err = e;
	}
	return first;
}

/* Whether what lies there is known to be wrong: another disk's is better then. */
static bool is_spoilt(const struct sw_switch *s, const struct sw_node *n)
{
	_cleanup_io_ struct sw_io *io = NULL;
	char why[200];

	return sw_machine_open_disk(s->m, n->disk, false, false, &io, NULL) < 0 ||
	       sw_ipxe_verify(io, n->ipxe_part->start, n->ipxe_part->size, n->data, why) ==
		       -EBADMSG;
}

size_t sw_switch_ipxes(const struct sw_switch *s, bool best_first,
		       struct sw_entry_wanted out[SW_MODE_DISKS])
{
	unsigned int best = UINT_MAX;
	size_t n = 0;

	for (size_t i = 0; i <= s->n_copies && n < SW_MODE_DISKS; i++) {
		const struct sw_node *c = nth(s, i);
		unsigned int rank;

		if (!is_filled(s, c, c->ipxe_part))
			continue;
		out[n++] = sw_node_ipxe_entry(c);
		rank = copy_number(c->ipxe_entry);
		if (best_first && s->n_copies > 0 && is_spoilt(s, c))
			rank += 1000;
		if (rank < best)
			swap(&out[0], &out[n - 1]);
		best = rank < best ? rank : best;
	}
	return n;
}

int sw_switch_turn(struct sw_switch *s, size_t copy, struct sw_error *err)
{
	struct sw_node was = s->node;
	int r;

	s->node = s->copies[copy];
	s->copies[copy] = was;
	r = sw_switch_find_road(s);
	return r < 0 ? sw_fail_errno(err, SW_EXIT_FAILED, r, "cannot decode the boot variables")
		     : 0;
}

int sw_node_difference(const struct sw_node *a, const struct sw_node *c, struct sw_buf *b)
{
	int x = sw_node_best_slot(a), y = sw_node_best_slot(c), r = 0;

	if (x >= 0 && y < 0)
		r = sw_buf_addf(b, "%s has no good slot: the node does not start from it alone\n",
				c->disk->name);
	else if (x >= 0 && strcmp(a->slots[x].m.sha256, c->slots[y].m.sha256) != 0)
		r = sw_buf_addf(b, "%s has another last known good image (%.12s...) than %s "
				"(%.12s...)\n", c->disk->name, c->slots[y].m.sha256,
				a->disk->name, a->slots[x].m.sha256);
	if (r == 0 && a->data && (!c->data || !json_object_equal(a->data, c->data)))
		r = sw_buf_addf(b, "%s has other node data than %s\n", c->disk->name,
				a->disk->name);
	return r;
}

char *sw_switch_differences(const struct sw_switch *s)
{
	_cleanup_buf_ struct sw_buf b = {};

	for (size_t i = 0; i < s->n_copies; i++)
		if (sw_node_difference(&s->node, &s->copies[i], &b) < 0)
			return NULL;
	return b.len ? sw_buf_steal(&b) : NULL;
}
