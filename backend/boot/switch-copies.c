/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A node on several disks: what each copy holds, one list of all their slots for
 * the boot order, and taking the copies one after the other, so that at any time
 * the node starts from each disk alone.
 */
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
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
static unsigned int copy_number(const struct sw_node_slot *n)
{
	const char *at = strstr(n->entry, "(disk ");
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
						.copy = copy_number(slot), .held = slot->held,
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
