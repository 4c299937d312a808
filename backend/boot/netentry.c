/* SPDX-License-Identifier: Apache-2.0 */
#include "boot/netentry.h"

#include <string.h>

#include "boot/entries-private.h"
#include "boot/loadopt.h"

/* What one entry is, as far as the network is concerned. */
struct kind {
	bool network, active, http, ipv6, has_mac, has_uri, ours, firmware;
	uint8_t mac[6];
};

static struct kind look(const struct sw_varset_entry *e)
{
	_cleanup_loadopt_ struct sw_loadopt o = {};
	_cleanup_free_ char *uri = NULL;
	struct kind k = {};

	if (sw_loadopt_parse(e->data, e->len, &o) < 0)
		return k;
	k.network = sw_bootpath_is_network(o.path, o.path_len);
	k.active = o.attrs & SW_LOADOPT_ACTIVE;
	k.ipv6 = sw_bootpath_is_ipv6(o.path, o.path_len);
	k.has_mac = sw_bootpath_mac(o.path, o.path_len, k.mac) == 0;
	k.http = sw_bootpath_uri(o.path, o.path_len, &uri) == 0;
	k.has_uri = uri && *uri;
	k.firmware = sw_entry_is_firmware_made(&o);
	k.ours = k.has_uri && !o.optional_len && strcmp(o.label, SW_NETENTRY_LABEL) == 0;
	return k;
}

static bool fits(const struct kind *k, const struct sw_netwish *w)
{
	if (!k->network || (!k->has_mac && !k->has_uri))
		return false;
	if (w->have_mac && (!k->has_mac || memcmp(k->mac, w->mac, 6) != 0))
		return false;
	return w->via == SW_VIA_AUTO || k->http == (w->via == SW_VIA_HTTP);
}

/* Smaller is better: active, then the place in BootOrder; what is not in it comes last. */
static unsigned int rank(const struct sw_varset *s, const struct sw_varset_entry *e,
			 const struct kind *k)
{
	int place = sw_varset_place(s, e->number);

	return (k->active ? 0 : 1u << 20) + (place < 0 ? 1u << 18 : (unsigned int)place);
}

/* The entry that leads to iPXE; right content before other content. NULL: none. */
static const struct sw_varset_entry *find_ipxe(const struct sw_varset *s,
					       const struct sw_entry_wanted *w,
					       enum sw_entry_match *ret_match)
{
	const struct sw_varset_entry *best = NULL;

	*ret_match = SW_ENTRY_FOREIGN;
	for (size_t i = 0; w && i < s->n_entries; i++) {
		enum sw_entry_match m = sw_entry_match(s->entries[i].data, s->entries[i].len, w);

		if (m <= *ret_match)
			continue;
		best = &s->entries[i];
		*ret_match = m;
	}
	return best;
}

const struct sw_varset_entry *sw_netentry_find(const struct sw_varset *s,
					       const struct sw_netwish *w)
{
	const struct sw_varset_entry *best = NULL;
	unsigned int best_rank = 0;
	enum sw_entry_match m;

	if (w->via == SW_VIA_IPXE)
		return find_ipxe(s, w->ipxe, &m);

	for (size_t i = 0; i < s->n_entries; i++) {
		const struct sw_varset_entry *e = &s->entries[i];
		struct kind k = look(e);
		unsigned int r = rank(s, e, &k);

		if (!fits(&k, w) || (best && r >= best_rank))
			continue;
		best = e;
		best_rank = r;
	}
	return best;
}

/* Of the NIC, IPv4 before IPv6, the firmware's own before others, then the lowest number. */
static const struct sw_varset_entry *to_clone(const struct sw_varset *s,
					      const struct sw_netwish *w, bool *ret_ipv6)
{
	const struct sw_varset_entry *best = NULL;
	unsigned int best_score = 0;

	for (size_t i = 0; i < s->n_entries; i++) {
		struct kind k = look(&s->entries[i]);
		unsigned int score = 4 + (k.ipv6 ? 0 : 2) + (k.firmware ? 1 : 0);

		if (!k.has_mac || (w->have_mac && memcmp(k.mac, w->mac, 6) != 0) ||
		    score <= best_score)
			continue;
		best = &s->entries[i];
		best_score = score;
		*ret_ipv6 = k.ipv6;
	}
	return best;
}

int sw_netentry_path(const struct sw_varset *s, const struct sw_netwish *w, struct sw_buf *b,
		     bool *ret_cloned)
{
	bool ipv6 = false;
	const struct sw_varset_entry *from = to_clone(s, w, &ipv6);
	enum sw_bootpath_ip ip = ipv6 ? SW_BOOTPATH_IPV6 : SW_BOOTPATH_IPV4;
	_cleanup_loadopt_ struct sw_loadopt o = {};
	int r;

	if (!from) {
		r = w->have_mac ? -ENOENT : sw_bootpath_uri_alone(w->uri, b);
	} else {
		r = sw_loadopt_parse(from->data, from->len, &o);
		if (r == 0)
			r = sw_bootpath_clone(o.path, o.path_len, ip, w->uri, b);
	}
	if (r == 0)
		*ret_cloned = from != NULL;
	return r;
}

/* EDK2 ends the address with a NUL where we do not: compare what is meant. */
static bool same_road(const struct sw_loadopt *o, const uint8_t *path, size_t len)
{
	_cleanup_free_ char *a = NULL, *b = NULL;
	uint8_t ma[6] = {}, mb[6] = {};
	int ra = sw_bootpath_mac(o->path, o->path_len, ma), rb = sw_bootpath_mac(path, len, mb);

	if (o->path_len == len && memcmp(o->path, path, len) == 0)
		return true;
	return ra == rb && memcmp(ma, mb, 6) == 0 &&
	       sw_bootpath_is_ipv6(o->path, o->path_len) == sw_bootpath_is_ipv6(path, len) &&
	       sw_bootpath_uri(o->path, o->path_len, &a) == 0 &&
	       sw_bootpath_uri(path, len, &b) == 0 && strcmp(a, b) == 0;
}

/* The number of an entry that leads there already, or of ours to rewrite; -1: neither. */
static int reusable(const struct sw_varset *s, const uint8_t *path, size_t len, bool *ret_right)
{
	int ours = -1;

	for (size_t i = 0; i < s->n_entries; i++) {
		const struct sw_varset_entry *e = &s->entries[i];
		_cleanup_loadopt_ struct sw_loadopt o = {};

		if (sw_loadopt_parse(e->data, e->len, &o) < 0)
			continue;
		if ((o.attrs & SW_LOADOPT_ACTIVE) && same_road(&o, path, len)) {
			*ret_right = true;
			return e->number;
		}
		if (ours < 0 && look(e).ours)
			ours = e->number;
	}
	*ret_right = false;
	return ours;
}

static int no_entry(const struct sw_netwish *w, struct sw_error *err)
{
	sw_fail(err, SW_EXIT_MISSING, -ENOENT, "there is no network boot entry%s",
		w->have_mac ? " for this network card" : "");
	sw_error_why(err, "the firmware makes them when network boot is enabled for the card");
	sw_error_hint(err, "enable PXE or HTTP boot in the firmware's setup%s",
		      w->uri && *w->uri ? ", or leave the network card out"
					: ", or name an address with --uri");
	return -ENOENT;
}

static int ensure_ipxe(struct sw_varset *s, const struct sw_entry_wanted *w, uint16_t *ret_number,
		       struct sw_error *err)
{
	enum sw_entry_match m;
	const struct sw_varset_entry *e = find_ipxe(s, w, &m);
	_cleanup_buf_ struct sw_buf option = {};
	int n, r = 0;

	if (!w) {
		sw_fail(err, SW_EXIT_MISSING, -ENOENT, "there is no iPXE on the node's disk");
		sw_error_why(err, "an install with boot.network.via: ipxe puts it there");
		sw_error_hint(err, "use --via auto, http or pxe");
		return -ENOENT;
	}
	n = e ? e->number : sw_varset_free_number(s);
	if (n >= 0 && m != SW_ENTRY_RIGHT)
		r = sw_entry_build(w, &option);
	if (n >= 0 && r == 0 && m != SW_ENTRY_RIGHT)
		r = sw_varset_put(s, (uint16_t)n, option.data, option.len);
	if (n < 0 || r < 0)
		return sw_fail_errno(err, SW_EXIT_FAILED, n < 0 ? n : r,
				     "cannot make the entry for iPXE");
	*ret_number = (uint16_t)n;
	return 0;
}

int sw_netentry_ensure(struct sw_varset *s, const struct sw_netwish *w, uint16_t *ret_number,
		       struct sw_error *err)
{
	_cleanup_buf_ struct sw_buf path = {}, option = {};
	bool cloned, right = false;
	int r, n;

	if (w->via == SW_VIA_IPXE)
		return ensure_ipxe(s, w->ipxe, ret_number, err);
	if (!w->uri || !*w->uri) {
		const struct sw_varset_entry *e = sw_netentry_find(s, w);

		if (!e)
			return no_entry(w, err);
		*ret_number = e->number;
		return 0;
	}
	r = sw_netentry_path(s, w, &path, &cloned);
	if (r == -ENOENT)
		return no_entry(w, err);
	if (r < 0)
		return sw_fail_errno(err, SW_EXIT_USAGE, r, "this address cannot be booted from");
	n = reusable(s, path.data, path.len, &right);
	if (n < 0)
		n = sw_varset_free_number(s);
	r = n < 0 ? n : 0;
	if (r == 0 && !right)
		r = sw_loadopt_build(SW_LOADOPT_ACTIVE, SW_NETENTRY_LABEL, path.data, path.len,
				     NULL, 0, &option);
	if (r == 0 && !right)
		r = sw_varset_put(s, (uint16_t)n, option.data, option.len);
	if (r < 0)
		return sw_fail_errno(err, SW_EXIT_FAILED, r, "cannot make the network entry");
	*ret_number = (uint16_t)n;
	return 0;
}
