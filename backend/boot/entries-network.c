/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an install into mode network writes: the slots' entries as always, the
 * network's entry, both in BootOrder, and the first BootNext. One list of writes
 * in the safe order, so that a cut leaves slots that start by the order alone.
 */
#include <string.h>

#include "boot/modes.h"

#define MAX_FIRST 16
#define MAX_ORDER 1024

/* The set as it would be after these writes; what it was read from stays. */
static int take_writes(struct sw_varset *s, const struct sw_entry_plan *p, uint16_t *slots,
		       size_t *n_slots)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < p->n_writes; i++) {
		const struct sw_entry_write *w = &p->writes[i];
		uint16_t order[MAX_ORDER];
		size_t n = w->len / 2 < ARRAY_SIZE(order) ? w->len / 2 : ARRAY_SIZE(order);

		switch (w->kind) {
		case SW_ENTRY_SET:
			r = sw_varset_put(s, (uint16_t)sw_entry_number(w->name), w->data, w->len);
			break;
		case SW_ENTRY_DELETE:
			sw_varset_remove(s, (uint16_t)sw_entry_number(w->name));
			break;
		case SW_ENTRY_ORDER:
			for (size_t k = 0; k < n; k++)
				order[k] = sw_le16(w->data + 2 * k);
			r = sw_varset_first(s, order, n);
			break;
		case SW_ENTRY_NEXT:
			break;
		}
	}
	if (*n_slots > s->n_order)
		*n_slots = s->n_order;
	memcpy(slots, s->order, *n_slots * sizeof(*slots));
	return r;
}

/* As the mode switch would have it: what cannot start comes behind the network. */
static int put_first(struct sw_varset *s, const uint16_t *slots, size_t n, size_t n_filled,
		     uint16_t network, enum sw_strategy strategy)
{
	uint16_t first[MAX_FIRST + 1];
	size_t at = 0;

	for (size_t i = 0; i < n; i++) {
		if (i == (strategy == SW_STRATEGY_ORDER ? 0 : n_filled))
			first[at++] = network;
		first[at++] = slots[i];
	}
	if (at == n)
		first[at++] = network;
	return sw_varset_first(s, first, at);
}

int sw_entries_plan_network(json_object *raw, const struct sw_entry_wanted *wanted,
			    size_t n_wanted, size_t n_filled, const struct sw_netwish *net,
			    enum sw_strategy strategy, struct sw_entry_plan *ret_plan,
			    struct sw_error *err)
{
	_cleanup_varset_ struct sw_varset s = { .next = -1 };
	struct sw_entry_plan slots = {};
	uint16_t numbers[MAX_FIRST], network = 0;
	size_t n = n_wanted;
	int r = n_wanted > MAX_FIRST ? -E2BIG : 0;

	if (r == 0)
		r = sw_entries_plan(raw, wanted, n_wanted, -1, &slots, err);
	if (r == 0)
		r = sw_varset_load(raw, &s);
	if (r == 0)
		r = take_writes(&s, &slots, numbers, &n);
	sw_entry_plan_clear(&slots);
	if (r == 0)
		r = sw_netentry_ensure(&s, net, &network, err);
	if (r == 0)
		r = put_first(&s, numbers, n, n_filled, network, strategy);
	if (r == 0 && strategy == SW_STRATEGY_ARMED)
		s.next = network;
	else if (r == 0 && s.next == network)
		s.next = -1;
	if (r == 0)
		r = sw_varset_plan(&s, ret_plan);
	return r < 0 ? sw_fail_errno(err, SW_EXIT_FAILED, r, "cannot plan the boot entries") : 0;
}
