/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an install writes: the slots' entries and the boot order; in mode network
 * also the network's entry and the first BootNext, in mode local none that an
 * earlier mode left. One list of writes in the safe order, so that a cut leaves
 * slots that start by the order alone.
 */
#include <string.h>

#include "boot/bootpath.h"
#include "boot/loadopt.h"
#include "boot/modes.h"

#define MAX_FIRST 64
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

/* The set as it is once the slots have their entries, and the slots' numbers. */
static int with_slots(json_object *raw, const struct sw_entry_wanted *wanted, size_t n_wanted,
		      struct sw_varset *s, uint16_t numbers[MAX_FIRST], size_t *ret_n,
		      struct sw_error *err)
{
	struct sw_entry_plan slots = {};
	int r = n_wanted > MAX_FIRST ? -E2BIG : 0;

	*ret_n = n_wanted;
	if (r == 0)
		r = sw_entries_plan(raw, wanted, n_wanted, -1, &slots, err);
	if (r == 0)
		r = sw_varset_load(raw, s);
	if (r == 0)
		r = take_writes(s, &slots, numbers, ret_n);
	sw_entry_plan_clear(&slots);
	return r;
}

int sw_entries_plan_network(json_object *raw, const struct sw_entry_wanted *wanted,
			    size_t n_wanted, size_t n_filled, const struct sw_netwish *net,
			    enum sw_strategy strategy, struct sw_entry_plan *ret_plan,
			    struct sw_error *err)
{
	_cleanup_varset_ struct sw_varset s = { .next = -1 };
	uint16_t numbers[MAX_FIRST], network = 0;
	size_t n;
	int r = with_slots(raw, wanted, n_wanted, &s, numbers, &n, err);

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

/* BootNext to the network, or to a slot: what a mode of ours leaves behind. */
static bool next_is_of_a_mode(const struct sw_varset *s, const uint16_t *slots, size_t n)
{
	const struct sw_varset_entry *e =
		s->next >= 0 ? sw_varset_find(s, (uint16_t)s->next) : NULL;
	_cleanup_loadopt_ struct sw_loadopt o = {};

	for (size_t i = 0; i < n; i++)
		if (s->next == slots[i])
			return true;
	return e && sw_loadopt_parse(e->data, e->len, &o) == 0 &&
	       sw_bootpath_is_network(o.path, o.path_len);
}

int sw_entries_plan_local(json_object *raw, const struct sw_entry_wanted *wanted,
			  size_t n_wanted, struct sw_entry_plan *ret_plan, struct sw_error *err)
{
	_cleanup_varset_ struct sw_varset s = { .next = -1 };
	uint16_t numbers[MAX_FIRST];
	size_t n;
	int r = with_slots(raw, wanted, n_wanted, &s, numbers, &n, err);

	if (r == 0 && !next_is_of_a_mode(&s, numbers, n))
		return sw_entries_plan(raw, wanted, n_wanted, -1, ret_plan, err);
	s.next = -1;
	if (r == 0)
		r = sw_varset_plan(&s, ret_plan);
	return r < 0 ? sw_fail_errno(err, SW_EXIT_FAILED, r, "cannot plan the boot entries") : 0;
}

int sw_mode_state_installed(json_object *raw, enum sw_node_mode mode, enum sw_strategy strategy,
			    struct sw_mode_state *ret_state)
{
	_cleanup_varset_ struct sw_varset s = { .next = -1 };
	struct sw_mode_state st = { .mode = mode, .strategy = strategy };
	int r = sw_varset_load(raw, &s);

	if (r < 0)
		return r;
	st.armed = mode == SW_NODE_NETWORK && strategy == SW_STRATEGY_ARMED && s.next >= 0;
	st.next = st.armed ? (uint16_t)s.next : 0;
	st.n_order = s.n_order < ARRAY_SIZE(st.order) ? s.n_order : ARRAY_SIZE(st.order);
	memcpy(st.order, s.order, st.n_order * sizeof(st.order[0]));
	*ret_state = st;
	return 0;
}
