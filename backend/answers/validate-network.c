/* SPDX-License-Identifier: Apache-2.0 */
/* Links refer to each other by name, and what lies on what must come to an end. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "answers/validate-private.h"
#include "answers/values.h"
#include "base/strv.h"
#include "net/address.h"

#define ETHERNET_MTU 1500UL	/* of a link that says nothing else */

struct link_check {
	struct sw_check *c;
	const struct sw_net_link *l;
	size_t i;
};

static void report(const struct link_check *k, const char *word, const char *what,
		   const char *why, const char *hint)
{
	sw_broken_item(k->c, SW_HOME_LINK, k->i, word, what, why, hint);
}

static const struct sw_net_link *find(const struct sw_answers *a, const char *name)
{
	for (size_t i = 0; i < a->n_links; i++)
		if (a->links[i].name && strcmp(a->links[i].name, name) == 0)
			return &a->links[i];
	return NULL;
}

static bool is_matched(const struct sw_net_link *l)
{
	return l->mac || l->driver || l->device || l->carrier;
}

/* Which of vlan, bond and bridge the link is made as, all that are said. */
static unsigned int kinds(const struct sw_net_link *l)
{
	return (l->vlan_id || l->vlan_link) + (l->bond || l->bond_mode) + (l->bridge ? 1U : 0U);
}

static void check_name(const struct link_check *k)
{
	const struct sw_answers *a = k->c->a;

	if (!k->l->name && kinds(k->l))
		report(k, "name", "is missing", "a VLAN, bond or bridge is made with a name",
		       "give one, like vlan42 or bond0");
	else if (!k->l->name && !is_matched(k->l) && a->n_links > 1)
		report(k, "match", "is missing", "nothing says which of the links it is",
		       "give match.mac, or the name of the card");
	for (size_t i = 0; k->l->name && i < k->i; i++)
		if (a->links[i].name && strcmp(a->links[i].name, k->l->name) == 0)
			report(k, "name", "stands twice", "links are told apart by their names",
			       "give one of both another name");
}

static void check_kind(const struct link_check *k)
{
	const struct sw_net_link *l = k->l;

	if (kinds(l) > 1)
		report(k, "name", "is several things", "a link is a VLAN, a bond or a bridge",
		       "make a link of its own for each");
	else if (kinds(l) && is_matched(l))
		report(k, "match", "does not go with a link that is made",
		       "only cards are matched; a VLAN, bond or bridge is made",
		       "match the cards in links of their own, and name those");
	if (l->vlan_id && !l->vlan_link)
		report(k, "vlan.link", "is missing", "a VLAN lies on another link",
		       "give the name of that link");
	if (l->vlan_link && !l->vlan_id)
		report(k, "vlan.id", "is missing", "a VLAN has a number", "give it, 1 to 4094");
	if (l->bond_mode && !l->bond)
		report(k, "bond.members", "is missing", "a bond has members",
		       "give the names of the links");
}

/* How many bonds and bridges have this link, in all of them. */
static size_t uses(const struct sw_answers *a, const char *name)
{
	size_t n = 0;

	for (size_t i = 0; i < a->n_links; i++)
		n += (sw_strv_has(a->links[i].bond, name) ? 1U : 0U) +
		     (sw_strv_has(a->links[i].bridge, name) ? 1U : 0U);
	return n;
}

static void check_part(const struct link_check *k, const char *word, const char *name)
{
	char what[96];

	(void)snprintf(what, sizeof(what), "names \"%s\"", name);
	if (k->l->name && strcmp(k->l->name, name) == 0)
		report(k, word, what, "that is the link itself", "name another link");
	else if (!find(k->c->a, name))
		report(k, word, what, "no link has that name",
		       "add a link with that name to network.links, or correct it");
	else if (uses(k->c->a, name) > 1)
		report(k, word, what, "that link is a member elsewhere too",
		       "a link belongs to one bond or bridge");
}

static void check_parts(const struct link_check *k)
{
	if (k->l->vlan_link)
		check_part(k, "vlan.link", k->l->vlan_link);
	for (char **m = k->l->bond; m && *m; m++)
		check_part(k, "bond.members", *m);
	for (char **m = k->l->bridge; m && *m; m++)
		check_part(k, "bridge.members", *m);
}

/* The links that this one names, as bits. */
static unsigned int below(const struct sw_answers *a, const struct sw_net_link *l)
{
	unsigned int bits = 0;

	for (size_t i = 0; i < a->n_links; i++) {
		const char *name = a->links[i].name;

		if (name && ((l->vlan_link && strcmp(l->vlan_link, name) == 0) ||
			     sw_strv_has(l->bond, name) || sw_strv_has(l->bridge, name)))
			bits |= 1U << i;
	}
	return bits;
}

static bool leads_to_itself(const struct sw_answers *a, size_t i)
{
	unsigned int bits = below(a, &a->links[i]);

	for (size_t round = 0; round < a->n_links; round++)
		for (size_t k = 0; k < a->n_links; k++)
			bits |= bits >> k & 1 ? below(a, &a->links[k]) : 0;
	return bits >> i & 1;
}

static void check_loop(const struct link_check *k)
{
	if (leads_to_itself(k->c->a, k->i))
		report(k, "name", "lies on itself", "its parts lead back to it",
		       "take one of them out");
}

static unsigned long mtu_of(const struct sw_net_link *l)
{
	return l->mtu ? strtoul(l->mtu, NULL, 10) : ETHERNET_MTU;
}

/*
 * The kernel refuses it to a VLAN, and systemd-networkd goes on without; a bridge takes it, and
 * loses what its member does not carry. A bond gives its members its own.
 */
static void check_mtu(const struct link_check *k, const char *name)
{
	const struct sw_net_link *below = name ? find(k->c->a, name) : NULL;
	char what[96];

	if (!k->l->mtu || !below || mtu_of(k->l) <= mtu_of(below))
		return;
	(void)snprintf(what, sizeof(what), "is more than \"%s\" carries, %lu", name, mtu_of(below));
	report(k, "mtu", what, "what lies on a link carries no more than that link",
	       "give that link this mtu too");
}

static void check_mtus(const struct link_check *k)
{
	check_mtu(k, k->l->vlan_link);
	for (char **m = k->l->bridge; m && *m; m++)
		check_mtu(k, *m);
}

/* A member passes packets on and has no address of its own. */
static void check_member(const struct link_check *k)
{
	const struct sw_net_link *l = k->l;

	if (!l->name || !uses(k->c->a, l->name))
		return;
	if (l->addresses || l->gateways || l->dns || l->search ||
	    (l->dhcp && l->dhcp != SW_DHCP_NO) || l->ra == SW_YES)
		report(k, "name", "is a member and has addresses",
		       "addresses belong to the bond or bridge",
		       "move them there, and leave the member its match and mtu");
}

static bool is_reachable(const struct sw_net_link *l, const struct sw_ip *gateway)
{
	struct sw_ip net;

	for (char **p = l->addresses; p && *p; p++)
		if (sw_ip_parse_subnet(*p, &net) == 0 && sw_ip_in_subnet(gateway, &net))
			return true;
	return sw_ip_is_link_local(gateway);
}

static void check_gateways(const struct link_check *k)
{
	int before = 0;

	for (char **p = k->l->gateways; p && *p; p++) {
		struct sw_ip ip;
		char what[96];

		if (sw_ip_parse(*p, &ip) < 0)
			continue;	/* told as a value */
		(void)snprintf(what, sizeof(what), "%s cannot be reached", *p);
		if (!is_reachable(k->l, &ip))
			report(k, "gateway", what, "it is in no subnet of the link's addresses",
			       "correct it, or the subnet's size behind the address");
		if (ip.family == before)
			report(k, "gateway", "has two of one family",
			       "the default route leads to one router", "take one of them out");
		before = ip.family;
	}
}

void sw_check_network(struct sw_check *c)
{
	/* Half a link is judged when it is whole. */
	if (sw_answers_has_open(c->a, "network.links"))
		return;
	for (size_t i = 0; i < c->a->n_links; i++) {
		const struct link_check k = { c, &c->a->links[i], i };

		check_name(&k);
		check_kind(&k);
		check_parts(&k);
		check_loop(&k);
		check_mtus(&k);
		check_member(&k);
		check_gateways(&k);
	}
	if (c->a->proxy_login && !c->a->proxy)
		sw_broken(c, "network.proxy-login", -EINVAL, "is given, but nothing would use it",
			  "there is no network.proxy", "give network.proxy, or take it out");
	if (c->a->no_proxy && !c->a->proxy)
		sw_broken(c, "network.no-proxy", -EINVAL,
				"is given, but nothing would use it", "there is no network.proxy",
				"give network.proxy, or take it out");
}

int sw_answers_validate_network(const struct sw_answers *a, const char *file, struct sw_error *err)
{
	struct sw_error first;
	struct sw_errors errors = { .v = &first, .max = 1 };
	struct sw_check c = { .a = a, .file = file, .errors = &errors };

	sw_check_network(&c);
	if (errors.r < 0 && err && err->r == 0)
		*err = first;
	return errors.r;
}
