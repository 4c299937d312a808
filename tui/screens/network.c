/* SPDX-License-Identifier: Apache-2.0 */
/* The network as this system has it: links, addresses, routes, name servers. Read only. */
#include <string.h>

#include "base/catalogue.h"
#include "base/json.h"
#include "tui/screens/pager-view.h"
#include "tui/screens/screens.h"

static void add_link(const struct sw_link *l, struct sw_buf *b)
{
	bool any = l->addresses && l->addresses[0];

	sw_buf_addf(b, "  %-10s %-11s %s\n", l->name, l->carrier ? _("carrier") : _("no carrier"),
		    any ? l->addresses[0] : _("no address"));
	for (char **a = any ? l->addresses + 1 : NULL; a && *a; a++)
		sw_buf_addf(b, "  %-22s %s\n", "", *a);
	sw_buf_addf(b, "  %-22s %s", "", l->mac ? l->mac : _("no hardware address"));
	if (l->driver)
		sw_buf_addf(b, _(", driver %s"), l->driver);
	sw_buf_adds(b, "\n");
}

static void add_links(const struct sw_facts *f, struct sw_buf *b)
{
	size_t n = 0;

	sw_buf_adds(b, _("Links\n"));
	for (size_t i = 0; f && i < f->n_links; i++)
		if (strcmp(f->links[i].name, "lo") != 0) {
			add_link(&f->links[i], b);
			n++;
		}
	if (!n)
		sw_buf_adds(b, _("  none: no network card has a driver\n"));
}

static void add_routes(json_object *list, struct sw_buf *b)
{
	size_t n = list ? json_object_array_length(list) : 0;

	sw_buf_adds(b, _("\nRoutes\n"));
	for (size_t i = 0; i < n; i++) {
		json_object *r = json_object_array_get_idx(list, i);
		const char *via = sw_json_str(r, "via", NULL), *to = sw_json_str(r, "to", "?");
		const char *link = sw_json_str(r, "link", "?");

		if (via)
			sw_buf_addf(b, _("  %-22s via %s on %s"), to, via, link);
		else
			sw_buf_addf(b, _("  %-22s directly on %s"), to, link);
		if (sw_json_int(r, "metric", 0))
			sw_buf_addf(b, _(", metric %lld"), (long long)sw_json_int(r, "metric", 0));
		sw_buf_adds(b, "\n");
	}
	if (!n)
		sw_buf_adds(b, _("  none: only what is on the same wire can be reached\n"));
}

static void add_names(json_object *list, const char *title, const char *none, struct sw_buf *b)
{
	size_t n = list ? json_object_array_length(list) : 0;

	if (!n && !none)
		return;
	sw_buf_addf(b, "\n%s\n", title);
	for (size_t i = 0; i < n; i++)
		sw_buf_addf(b, "  %s\n",
			    json_object_get_string(json_object_array_get_idx(list, i)));
	if (!n)
		sw_buf_addf(b, "  %s\n", none);
}

static void network_refresh(struct sw_view *v, struct sw_state *s)
{
	const struct sw_look *l = &s->looks[SW_LOOK_NETWORK];
	struct sw_pager_view *pv = v->data;
	_cleanup_free_ char *error = l->error.what[0] ? sw_error_text(&l->error) : NULL;
	_cleanup_buf_ struct sw_buf b = { 0 };

	add_links(s->facts, &b);
	if (error)
		sw_buf_addf(&b, "\n%s\n", error);
	if (l->found) {
		add_routes(sw_json_array(l->found, "routes"), &b);
		add_names(sw_json_array(l->found, "dns"), _("Name servers"),
			  _("none: only addresses can be used, not names"), &b);
		add_names(sw_json_array(l->found, "search"), _("Search domains"), NULL, &b);
	} else if (l->pending) {
		sw_buf_adds(&b, _("\nlooking ...\n"));
	}
	sw_buf_adds(&b, _("\nThe medium asks for addresses by DHCP. Another one is set in the "
			  "rescue shell:\n  ip address add ADDRESS/BITS dev LINK; ip route add "
			  "default via ROUTER\nand then looked at again here, with u, and tested, "
			  "with Enter.\n"));
	sw_pager_set(&pv->pager, sw_buf_steal(&b));
}

static void network_open(struct sw_view *v SW_UNUSED, struct sw_state *s)
{
	sw_state_want_look(s, SW_LOOK_NETWORK);
}

static bool network_request(struct sw_view *v, struct sw_state *s, enum sw_request req,
			    uint32_t ch)
{
	struct sw_pager_view *pv = v->data;

	if (sw_pager_request(&pv->pager, s, req, ch))
		return true;
	if (req == SW_REQ_ACCEPT) {
		sw_view_push(s, &sw_screen_reach);
	} else if (req == SW_REQ_RETRY) {
		sw_view_push(s, &sw_screen_network_test);
	} else if (req == SW_REQ_DETAILS) {
		sw_view_push(s, &sw_screen_preflight);
	} else if (req == SW_REQ_PAUSE) {
		sw_view_push(s, &sw_screen_ping);
	} else if (req == SW_REQ_LOG) {
		sw_view_push(s, &sw_screen_offers);
	} else if (req == SW_REQ_REFRESH) {
		sw_state_want_look(s, SW_LOOK_NETWORK);
		s->want |= SW_WANT_FACTS;
		s->facts_pending = true;
	} else {
		return false;
	}
	return true;
}

static const struct sw_hint hints[] = {
	{ SW_REQ_ACCEPT, N_("URL") }, { SW_REQ_RETRY, N_("test all") },
	{ SW_REQ_PAUSE, N_("ping") }, { SW_REQ_LOG, N_("DHCP offers") },
	{ SW_REQ_DETAILS, N_("admission") }, { SW_REQ_BACK, NULL }, { SW_REQ_PAGE_DOWN, NULL },
	{ SW_REQ_REFRESH, NULL }, { SW_REQ_NONE, NULL },
};

const struct sw_view_ops sw_screen_network = {
	.title = N_("Network"),
	.help = N_("What the kernel has now: cards with their addresses, where packets go, and "
		"who answers for names. Nothing is changed here; the rescue shell can. Links and "
		"addresses follow by themselves; routes and name servers when you look again.\n\n"
		"Enter asks a server of your choice and says what came of it; p pings one, and l "
		"asks each DHCP server on each wire what it would offer. r tests all that an "
		"install needs: links, routers, name and time servers, and those that the answers "
		"name. d looks whether this "
		"machine would be admitted by the servers that the answers or the node's data "
		"name, and sends nothing of the machine; from there it can be admitted."),
	.size = sizeof(struct sw_pager_view),
	.hints = hints,
	.open = network_open,
	.refresh = network_refresh,
	.draw = sw_pager_view_draw,
	.request = network_request,
	.close = sw_pager_view_close,
	.widget = sw_pager_view_widget,
	.mode = sw_pager_view_mode,
};
