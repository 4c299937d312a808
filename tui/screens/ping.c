/* SPDX-License-Identifier: Apache-2.0 */
/* Pings a host, and what DHCP servers offer: both ask the wire, and change nothing. */
#include <string.h>

#include "base/catalogue.h"
#include "net/ping.h"
#include "tui/screens/line-view.h"
#include "tui/screens/pager-view.h"
#include "tui/screens/screens.h"
#include "tui/screens/tool-view.h"

struct ping_view {
	struct sw_line line;	/* first: see line-view.h */
	struct sw_tool tool;
};

/* The router, if there is one: what one asks for first. */
static const char *router(const struct sw_state *s)
{
	json_object *routes = sw_json_array(s->looks[SW_LOOK_NETWORK].found, "routes");

	for (size_t i = 0; routes && i < json_object_array_length(routes); i++) {
		json_object *o = json_object_array_get_idx(routes, i);

		if (strcmp(sw_json_str(o, "to", ""), "default") == 0)
			return sw_json_str(o, "via", "");
	}
	return "";
}

static void ping_open(struct sw_view *v, struct sw_state *s)
{
	struct ping_view *pv = v->data;

	pv->line.max = 253;
	(void)sw_line_set(&pv->line, router(s));
}

static void ask(struct ping_view *pv, struct sw_state *s)
{
	struct sw_error err = { 0 };
	json_object *o;

	if (sw_ping_check(pv->line.text, &err) < 0) {
		sw_state_refuse(s, "Type a name or an address, like 192.0.2.1 or boot.example.");
		return;
	}
	o = sw_tool_request("ping");
	sw_json_add_str(o, "host", pv->line.text);
	sw_tool_ask(&pv->tool, s, o);
}

static bool ping_request(struct sw_view *v, struct sw_state *s, enum sw_request req, uint32_t ch)
{
	struct ping_view *pv = v->data;

	if (sw_line_request(&pv->line, req, ch, NULL))
		return true;
	if (req == SW_REQ_ACCEPT)
		ask(pv, s);
	else if (req == SW_REQ_CANCEL && pv->tool.pending)
		sw_state_stop_tool(s);
	else
		return false;
	return true;
}

static void ping_refresh(struct sw_view *v, struct sw_state *s)
{
	struct ping_view *pv = v->data;

	pv->tool.done = s->tool.done;	/* what is written elsewhere is no reason to ask again */
	(void)sw_tool_take(&pv->tool, s);
}

static void add_answer(const struct ping_view *pv, const struct sw_state *s, struct sw_buf *b)
{
	const struct sw_look *l = &s->looks[SW_LOOK_TOOL];
	_cleanup_free_ char *error = pv->tool.error.what[0] ? sw_error_text(&pv->tool.error) : NULL;

	if (pv->tool.pending)
		sw_buf_addf(b, "%s\n%s", _("asking, once a second ..."), sw_buf_text(&l->told));
	else if (error)
		sw_buf_adds(b, error);
	else if (pv->tool.found)
		sw_buf_addf(b, "%s\n\n%s", sw_json_bool(pv->tool.found, "answered", false)
			    ? _("It answers.")
			    : _("It does not answer. Some hosts never do; another one on the same "
				"wire, or a URL, tells more."),
			    sw_json_str(pv->tool.found, "text", ""));
}

static void ping_draw(struct sw_view *v, const struct sw_state *s, struct sw_frame *f,
		      const struct sw_area *a)
{
	struct ping_view *pv = v->data;
	_cleanup_buf_ struct sw_buf b = { 0 };

	sw_frame_put(f, a->row, 0, f->cols, 0, _("Ping this host, five times:"));
	sw_line_draw(&pv->line, f, a->row + 2, 0, f->cols - 1);
	add_answer(pv, s, &b);
	if (a->rows > 4)
		(void)sw_frame_paragraph(f, a->row + 4, 0, f->cols - 1, a->rows - 4,
					 sw_buf_text(&b));
}

static void ping_close(struct sw_view *v)
{
	struct ping_view *pv = v->data;

	sw_tool_clear(&pv->tool);
	sw_line_view_close(v);
}

static struct sw_widget ping_widget(const struct sw_view *v)
{
	struct ping_view *pv = v->data;

	return (struct sw_widget){ .kind = SW_WIDGET_LINE, .line = &pv->line };
}

static const struct sw_hint hints[] = {
	{ SW_REQ_ACCEPT, N_("ping") }, { SW_REQ_BACK, NULL }, { SW_REQ_CANCEL, N_("stop") },
	{ SW_REQ_NONE, NULL },
};

const struct sw_view_ops sw_screen_ping = {
	.title = N_("Ping"),
	.help = N_("The system's own ping, five times, and what it prints. Going back lets it run "
		   "to its end; nothing depends on it. What a firewall does with a ping says "
		   "little about what it does with a URL."),
	.size = sizeof(struct ping_view),
	.hints = hints,
	.open = ping_open,
	.refresh = ping_refresh,
	.draw = ping_draw,
	.request = ping_request,
	.close = ping_close,
	.widget = ping_widget,
	.mode = sw_line_view_mode,
};

/* ---- what DHCP servers offer ---- */

static void offers_open(struct sw_view *v, struct sw_state *s)
{
	sw_tool_text_open(v, s, "offers");
}

static bool offers_request(struct sw_view *v, struct sw_state *s, enum sw_request req, uint32_t ch)
{
	return sw_tool_text_request(v, s, req, ch, "slipway-dhcp.txt");
}

static const struct sw_hint offers_hints[] = {
	{ SW_REQ_BACK, NULL }, { SW_REQ_PAGE_DOWN, NULL }, { SW_REQ_REFRESH, NULL },
	{ SW_REQ_CANCEL, N_("stop") }, { SW_REQ_SAVE, N_("save") }, { SW_REQ_NONE, NULL },
};

const struct sw_view_ops sw_screen_offers = {
	.title = N_("DHCP offers"),
	.help = N_("On each link with a carrier the DHCP servers are asked what they would give, "
		   "and none of it is taken: addresses, routes and leases stay as they are. Each "
		   "server is heard once; the one that answers a node first is the one that the "
		   "node gets its address from. IPv4 only: routers tell of IPv6 by themselves. "
		   "`slipway network --offers` says the same."),
	SW_TOOL_TEXT_OPS,
	.hints = offers_hints,
	.open = offers_open,
	.request = offers_request,
};
