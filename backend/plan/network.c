/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/network.h"

#include <ctype.h>
#include <fnmatch.h>
#include <string.h>
#include <strings.h>

#include "base/file.h"
#include "base/json.h"
#include "base/strv.h"

struct making {
	const struct sw_answers *a;
	const struct sw_facts *f;
	json_object *files;
};

static bool is_made(const struct sw_net_link *l)
{
	return l->vlan_id || l->bond || l->bridge;
}

static bool is_matched(const struct sw_net_link *l)
{
	return l->mac || l->driver || l->device || l->carrier;
}

static bool fits(const char *pattern, const char *value)
{
	return !pattern || (value && fnmatch(pattern, value, 0) == 0);
}

/* Whether this card of the machine is one of the link's. */
static bool card_fits(const struct sw_net_link *l, const struct sw_link *card)
{
	const char *device = !is_matched(l) ? l->name : l->device;

	return (!l->mac || (card->mac && strcasecmp(l->mac, card->mac) == 0)) &&
	       fits(l->driver, card->driver) && fits(device, card->name) &&
	       (!l->carrier || card->carrier == (l->carrier == SW_YES));
}

static size_t count_cards(const struct making *m, const struct sw_net_link *l)
{
	size_t n = 0;

	for (size_t i = 0; i < m->f->n_links; i++)
		n += card_fits(l, &m->f->links[i]);
	return n;
}

static int list_lines(struct sw_buf *b, const char *key, char *const *list)
{
	int r = 0;

	for (; list && *list && r == 0; list++)
		r = sw_buf_addf(b, "%s=%s\n", key, *list);
	return r;
}

static int line(struct sw_buf *b, const char *key, const char *value)
{
	return value ? sw_buf_addf(b, "%s=%s\n", key, value) : 0;
}

/*
 * networkd knows no carrier to match: what was found counts, by the address that a card was made
 * with, which a bond does not change.
 */
static int match_carrier(const struct making *m, const struct sw_net_link *l, struct sw_buf *b)
{
	int r = 0;

	for (size_t i = 0; i < m->f->n_links && r == 0; i++)
		if (card_fits(l, &m->f->links[i]))
			r = line(b, "PermanentMACAddress", m->f->links[i].mac);
	return r;
}

static int add_match(const struct making *m, const struct sw_net_link *l, struct sw_buf *b)
{
	int r = sw_buf_adds(b, "[Match]\n");

	if (r < 0)
		return r;
	if (is_made(l))
		return line(b, "Name", l->name);
	if (l->carrier)
		return match_carrier(m, l, b);
	if (!is_matched(l))
		return l->name ? line(b, "Name", l->name) : sw_buf_adds(b, "Type=ether\nKind=!*\n");
	r = line(b, "PermanentMACAddress", l->mac);
	if (r == 0)
		r = line(b, "Driver", l->driver);
	return r < 0 ? r : line(b, "Name", l->device);
}

/* The bond and bridge that it is in, and the VLANs that lie on it. */
static int add_uses(const struct making *m, const struct sw_net_link *l, struct sw_buf *b,
		    bool *ret_member)
{
	int r = 0;

	for (size_t i = 0; l->name && i < m->a->n_links && r == 0; i++) {
		const struct sw_net_link *o = &m->a->links[i];
		bool bond = sw_strv_has(o->bond, l->name), bridge = sw_strv_has(o->bridge, l->name);

		if (bond || bridge) {
			r = line(b, bond ? "Bond" : "Bridge", o->name);
			*ret_member = true;
		} else if (o->vlan_link && strcmp(o->vlan_link, l->name) == 0) {
			r = line(b, "VLAN", o->name);
		}
	}
	return r;
}

/* Without a word about it, only a link without addresses asks for some. */
static enum sw_dhcp dhcp_of(const struct sw_net_link *l)
{
	return l->dhcp ? l->dhcp : l->addresses ? SW_DHCP_NO : SW_DHCP_YES;
}

static int add_addresses(const struct making *m, const struct sw_net_link *l, struct sw_buf *b)
{
	static const char *const words[] = {
		[SW_DHCP_YES] = "yes", [SW_DHCP_NO] = "no", [SW_DHCP_4] = "ipv4",
		[SW_DHCP_6] = "ipv6",
	};
	int r = line(b, "DHCP", words[dhcp_of(l)]);

	if (r == 0 && l->ra)
		r = line(b, "IPv6AcceptRA", l->ra == SW_YES ? "yes" : "no");
	if (r == 0)
		r = list_lines(b, "Address", l->addresses);
	if (r == 0)
		r = list_lines(b, "DNS", l->dns);
	if (r == 0)
		r = list_lines(b, "Domains", l->search);
	if (r == 0)
		r = list_lines(b, "NTP", m->a->ntp);
	for (char **g = l->gateways; g && *g && r == 0; g++)
		r = sw_buf_addf(b, "\n[Route]\nGateway=%s\n", *g);
	return r;
}

/*
 * The firmware, the medium and the node ask with one identity, so that they are given one lease.
 * Without routers' adverts nothing else says that DHCPv6 is to be asked.
 */
static int add_dhcp(const struct sw_net_link *l, struct sw_buf *b)
{
	if (dhcp_of(l) == SW_DHCP_NO)
		return sw_buf_adds(b, "\n[IPv6AcceptRA]\nUseDomains=yes\n");
	return sw_buf_addf(b, "\n[DHCPv4]\nClientIdentifier=mac\nUseDomains=yes\n"
			   "\n[DHCPv6]\nUseDomains=yes\n%s"
			   "\n[IPv6AcceptRA]\nUseDomains=yes\n",
			l->ra == SW_NO ? "WithoutRA=solicit\n" : "");
}

static int add_network(const struct making *m, const struct sw_net_link *l, struct sw_buf *b)
{
	bool member = false;
	int r = add_match(m, l, b);

	if (r == 0 && l->mtu)
		r = sw_buf_addf(b, "\n[Link]\nMTUBytes=%s\n", l->mtu);
	if (r == 0)
		r = sw_buf_adds(b, "\n[Network]\n");
	if (r == 0)
		r = add_uses(m, l, b, &member);
	if (r < 0)
		return r;
	if (member)
		return sw_buf_adds(b, "DHCP=no\nLinkLocalAddressing=no\nIPv6AcceptRA=no\n");
	r = add_addresses(m, l, b);
	return r < 0 ? r : add_dhcp(l, b);
}

static const char *mode_of(const struct sw_net_link *l)
{
	static const char *const words[] = {
		[SW_BOND_ACTIVE_BACKUP] = "active-backup", [SW_BOND_802_3AD] = "802.3ad",
		[SW_BOND_BALANCE_RR] = "balance-rr", [SW_BOND_BALANCE_XOR] = "balance-xor",
		[SW_BOND_BROADCAST] = "broadcast", [SW_BOND_BALANCE_TLB] = "balance-tlb",
		[SW_BOND_BALANCE_ALB] = "balance-alb",
	};

	return words[l->bond_mode ? l->bond_mode : SW_BOND_ACTIVE_BACKUP];
}

/* The address of the one card that a link of this name is; NULL: not known here. */
static const char *mac_of(const struct making *m, const char *name)
{
	const char *mac = NULL;

	for (size_t i = 0; i < m->a->n_links; i++) {
		const struct sw_net_link *l = &m->a->links[i];

		if (!l->name || strcmp(l->name, name) != 0 || is_made(l))
			continue;
		if (l->mac)
			return l->mac;
		for (size_t k = 0; k < m->f->n_links && count_cards(m, l) == 1; k++)
			if (card_fits(l, &m->f->links[k]))
				mac = m->f->links[k].mac;
	}
	return mac;
}

/*
 * A bond or bridge has the address of its first member. networkd's own choice follows from the
 * system, so the medium and the node would be two machines for a DHCP server. The kernel does not
 * look at members' carriers unless it is told how often.
 */
static int add_netdev(const struct making *m, const struct sw_net_link *l, struct sw_buf *b)
{
	const char *mac = l->vlan_id ? NULL : mac_of(m, l->bond ? l->bond[0] : l->bridge[0]);
	int r;

	if (l->vlan_id)
		return sw_buf_addf(b, "[NetDev]\nName=%s\nKind=vlan\n\n[VLAN]\nId=%s\n", l->name,
				   l->vlan_id);
	r = sw_buf_addf(b, "[NetDev]\nName=%s\nKind=%s\n", l->name, l->bond ? "bond" : "bridge");
	if (r == 0)
		r = line(b, "MACAddress", mac);
	if (r == 0 && l->bond)
		r = sw_buf_addf(b, "\n[Bond]\nMode=%s\nMIIMonitorSec=100ms\n", mode_of(l));
	return r;
}

static int add_file(const struct making *m, size_t i, const char *end,
		    int (*fill)(const struct making *m, const struct sw_net_link *l,
				struct sw_buf *b))
{
	const struct sw_net_link *l = &m->a->links[i];
	_cleanup_free_ char *name = sw_fmt("10-slipway-%02zu%s%s.%s", i + 1, l->name ? "-" : "",
					   l->name ? l->name : "", end);
	_cleanup_buf_ struct sw_buf b = {};
	int r = name ? fill(m, l, &b) : -ENOMEM;

	if (r == 0)
		sw_json_add_str(m->files, name, sw_buf_text(&b));
	return r;
}

static int fail_cards(const struct making *m, size_t i, size_t n, struct sw_error *err)
{
	const struct sw_net_link *l = &m->a->links[i];

	(void)sw_fail(err, n ? SW_EXIT_REFUSED : SW_EXIT_MISSING, n ? -ENOTUNIQ : -ENODEV,
		      n ? "network.links[%zu] gives one address to %zu cards"
			: "no card of this machine fits network.links[%zu]", i + 1, n);
	if (n)
		sw_error_why(err, "an address belongs to one card");
	else
		sw_error_why(err, "it asks for a card %s carrier",
			     l->carrier == SW_YES ? "with a" : "without");
	sw_error_hint(err, "slipway facts lists the cards; give match.mac");
	return n ? -ENOTUNIQ : -ENODEV;
}

/* A card that is missing now may need a driver that only the node has; a guess may not be made. */
static int check_cards(const struct making *m, size_t i, struct sw_error *err)
{
	const struct sw_net_link *l = &m->a->links[i];
	size_t n = is_made(l) ? 0 : count_cards(m, l);

	if (!is_made(l) && ((l->carrier && n == 0) || (l->addresses && n > 1)))
		return fail_cards(m, i, n, err);
	return 0;
}

static int make_files(struct making *m, struct sw_error *err)
{
	int r = 0;

	for (size_t i = 0; i < m->a->n_links && r == 0; i++) {
		r = check_cards(m, i, err);
		if (r == 0 && is_made(&m->a->links[i]))
			r = add_file(m, i, "netdev", add_netdev);
		if (r == 0)
			r = add_file(m, i, "network", add_network);
	}
	return r == -ENOMEM ? sw_fail_oom(err) : r;
}

int sw_plan_network(const struct sw_answers *a, const struct sw_facts *f, json_object **ret,
		    struct sw_error *err)
{
	_cleanup_json_ json_object *o = json_object_new_object();
	struct making m = { .a = a, .f = f, .files = json_object_new_object() };
	int r = 0;

	sw_json_add(o, "files", m.files);
	if (sw_answers_have_links(a))
		r = make_files(&m, err);
	else
		json_object_object_del(o, "files");
	if (r < 0)
		return r;
	if (a->proxy)
		sw_json_add_str(o, "proxy", a->proxy);
	if (a->no_proxy)
		sw_json_add(o, "no_proxy", sw_json_strv(a->no_proxy));
	if (a->ntp)
		sw_json_add(o, "ntp", sw_json_strv(a->ntp));
	*ret = json_object_object_length(o) ? json_object_get(o) : NULL;
	return 0;
}

static bool is_file_name(const char *name)
{
	for (const char *p = name; *p; p++)
		if (!isalnum((unsigned char)*p) && !strchr("-_.", *p))
			return false;
	return *name && *name != '.';
}

bool sw_plan_network_is_sound(json_object *network)
{
	json_object *files = sw_json_get(network, "files");

	if (!json_object_is_type(network, json_type_object))
		return false;
	if (!files)
		return true;
	if (!json_object_is_type(files, json_type_object))
		return false;
	json_object_object_foreach(files, name, text)
		if (!is_file_name(name) || !json_object_is_type(text, json_type_string))
			return false;
	return true;
}

/* ---- in words ---- */

static int add_list(struct sw_buf *b, const char *before, char *const *list)
{
	int r = 0;

	for (size_t i = 0; list && list[i] && r == 0; i++)
		r = sw_buf_addf(b, "%s%s", i ? ", " : before, list[i]);
	return r;
}

static int add_what(struct sw_buf *b, const struct sw_net_link *l)
{
	int r = l->name ? sw_buf_addf(b, "%s: ", l->name) : 0;

	if (r < 0)
		return r;
	if (l->vlan_id)
		return sw_buf_addf(b, "VLAN %s on %s", l->vlan_id, l->vlan_link);
	if (l->bond) {
		r = sw_buf_addf(b, "bond (%s)", mode_of(l));
		return r < 0 ? r : add_list(b, " of ", l->bond);
	}
	if (l->bridge)
		return add_list(b, "bridge of ", l->bridge);
	if (!is_matched(l))
		return sw_buf_adds(b, l->name ? "the card of that name" : "every card");
	r = sw_buf_adds(b, "card");
	if (r == 0 && l->mac)
		r = sw_buf_addf(b, " %s", l->mac);
	if (r == 0 && l->device)
		r = sw_buf_addf(b, " named %s", l->device);
	if (r == 0 && l->driver)
		r = sw_buf_addf(b, " with driver %s", l->driver);
	if (r == 0 && l->carrier)
		r = sw_buf_adds(b, l->carrier == SW_YES ? " with a carrier" : " without carrier");
	return r;
}

static bool is_member(const struct sw_answers *a, const struct sw_net_link *l)
{
	for (size_t i = 0; l->name && i < a->n_links; i++)
		if (sw_strv_has(a->links[i].bond, l->name) ||
		    sw_strv_has(a->links[i].bridge, l->name))
			return true;
	return false;
}

static int add_how(struct sw_buf *b, const struct sw_net_link *l)
{
	static const char *const asks[] = {
		[SW_DHCP_YES] = ", addresses by DHCP", [SW_DHCP_NO] = "",
		[SW_DHCP_4] = ", IPv4 address by DHCP", [SW_DHCP_6] = ", IPv6 addresses by DHCP",
	};
	int r = sw_buf_adds(b, asks[dhcp_of(l)]);

	if (r == 0)
		r = add_list(b, ", ", l->addresses);
	if (r == 0)
		r = add_list(b, ", gateway ", l->gateways);
	if (r == 0)
		r = add_list(b, ", name servers ", l->dns);
	return r;
}

static int add_line(char ***lines, int r, const struct sw_buf *b)
{
	return r < 0 ? r : sw_strv_add(lines, sw_buf_text(b));
}

static int link_words(const struct sw_answers *a, const struct sw_net_link *l, char ***lines)
{
	_cleanup_buf_ struct sw_buf b = {};
	int r = add_what(&b, l);

	if (r == 0 && !is_member(a, l))
		r = add_how(&b, l);
	if (r == 0 && l->mtu)
		r = sw_buf_addf(&b, ", MTU %s", l->mtu);
	return add_line(lines, r, &b);
}

int sw_plan_network_words(const struct sw_answers *a, char ***ret_lines)
{
	_cleanup_strv_ char **lines = NULL;
	_cleanup_buf_ struct sw_buf proxy = {}, ntp = {};
	int r = 0;

	for (size_t i = 0; sw_answers_have_links(a) && i < a->n_links && r == 0; i++)
		r = link_words(a, &a->links[i], &lines);
	if (r == 0 && a->proxy)
		r = add_line(&lines, sw_buf_addf(&proxy, "proxy %s", a->proxy), &proxy);
	if (r == 0 && a->ntp)
		r = add_line(&lines, add_list(&ntp, "time from ", a->ntp), &ntp);
	if (r == 0)
		*ret_lines = TAKE_PTR(lines);
	return r;
}
