/* SPDX-License-Identifier: Apache-2.0 */
/* The answers' boot section as the boot code wants it, and as the node keeps it. */
#include <string.h>

#include "base/json.h"
#include "boot/ipxe.h"
#include "boot/modes.h"
#include "plan/plan.h"

static const enum sw_via vias[] = {
	[SW_BOOT_AUTO] = SW_VIA_AUTO, [SW_BOOT_HTTP] = SW_VIA_HTTP, [SW_BOOT_PXE] = SW_VIA_PXE,
	[SW_BOOT_IPXE] = SW_VIA_IPXE,
};
static const char *const via_names[] = {
	[SW_BOOT_AUTO] = "auto", [SW_BOOT_HTTP] = "http", [SW_BOOT_PXE] = "pxe",
	[SW_BOOT_IPXE] = "ipxe",
};

static bool given(const char *s)
{
	return s && *s;
}

enum sw_node_mode sw_plan_node_mode(const struct sw_answers *a)
{
	return a->boot_mode == SW_MODE_NETWORK     ? SW_NODE_NETWORK
	       : a->boot_mode == SW_MODE_HANDS_OFF ? SW_NODE_HANDS_OFF
						   : SW_NODE_LOCAL;
}

static enum sw_strategy strategy_of(const struct sw_answers *a)
{
	return a->boot_strategy == SW_BOOT_ORDER ? SW_STRATEGY_ORDER : SW_STRATEGY_ARMED;
}

int sw_plan_mode_state(const struct sw_plan *p, json_object *raw, struct sw_mode_state *ret_state)
{
	return sw_mode_state_installed(raw, sw_plan_node_mode(p->answers),
				       strategy_of(p->answers), ret_state);
}

/* The wanted entries begin with the slots that are filled: the first one of each disk. */
static size_t count_filled(const struct sw_plan *p)
{
	size_t n = 0;

	for (size_t k = 0; k < p->n_disks && sw_answers_have_payload(p->answers); k++)
		n += sw_plan_find(p, k, SW_ROLE_SLOT) != NULL;
	return n;
}

/* The first disk's is the network's entry; the others' come behind all in w, which has room. */
static bool by_ipxe(const struct sw_plan *p, struct sw_entry_wanted *ret_first,
		    struct sw_entry_wanted *w, size_t *n)
{
	bool any = false;

	for (size_t k = 0; k < p->n_disks && sw_answers_by_ipxe(p->answers); k++) {
		const struct sw_placed *part = sw_plan_find(p, k, SW_ROLE_IPXE);

		if (!part || !part->entry)
			continue;
		if (any)
			w[(*n)++] = sw_plan_entry(p, part, SW_IPXE_PATH);
		else
			*ret_first = sw_plan_entry(p, part, SW_IPXE_PATH);
		any = true;
	}
	return any;
}

int sw_plan_entries(const struct sw_plan *p, json_object *raw, struct sw_entry_plan *ret_entries,
		    struct sw_error *err)
{
	const struct sw_answers *a = p->answers;
	struct sw_netwish net = { .via = vias[a->boot_via], .uri = a->boot_uri };
	_cleanup_free_ struct sw_entry_wanted *w = NULL;
	struct sw_entry_wanted own;
	size_t n = 0;

	*ret_entries = (struct sw_entry_plan){};
	if (a->boot_mode == SW_MODE_HANDS_OFF)
		return 0;
	if (sw_plan_wanted_entries(p, &w, &n) < 0)
		return sw_fail_oom(err);
	if (a->boot_mode == SW_MODE_LOCAL)
		return sw_entries_plan_local(raw, w, n, ret_entries, err);
	if (by_ipxe(p, &own, w, &n))
		net.ipxe = &own;
	net.have_mac = given(a->boot_nic) && sw_mac_parse(a->boot_nic, net.mac) == 0;
	return sw_entries_plan_network(raw, w, n, count_filled(p), &net,
				       strategy_of(a), ret_entries, err);
}

static json_object *network_to_json(const struct sw_answers *a)
{
	json_object *o = json_object_new_object();

	if (a->boot_via != SW_BOOT_AUTO)
		sw_json_add_str(o, "via", via_names[a->boot_via]);
	if (given(a->boot_uri))
		sw_json_add_str(o, "uri", a->boot_uri);
	if (given(a->boot_nic))
		sw_json_add_str(o, "nic", a->boot_nic);
	return o;
}

void sw_plan_mode_to_json(const struct sw_answers *a, json_object *o)
{
	sw_json_add_str(o, "mode", sw_node_mode_name(sw_plan_node_mode(a)));
	if (a->boot_mode != SW_MODE_NETWORK)
		return;
	sw_json_add_str(o, "strategy", sw_strategy_name(strategy_of(a)));
	sw_json_add(o, "network", network_to_json(a));
}
