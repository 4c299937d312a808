/* SPDX-License-Identifier: Apache-2.0 */
/* Whether the network is enough for an install: what `slipway network --test` says. */
#include <string.h>

#include "base/catalogue.h"
#include "base/json.h"
#include "tui/screens/pager-view.h"
#include "tui/screens/screens.h"

#define NAME_WIDTH 14

static void test_refresh(struct sw_view *v, struct sw_state *s)
{
	const struct sw_look *l = &s->looks[SW_LOOK_NETTEST];
	struct sw_pager_view *pv = v->data;
	_cleanup_buf_ struct sw_buf b = { 0 };

	if (l->pending) {
		sw_pager_set(&pv->pager, strdup(_("asking links, routers and servers ...")));
	} else if (l->found) {
		sw_buf_addf(&b, "%s\n", sw_json_bool(l->found, "passed", false)
				? _("Nothing stands in the way of an install.")
				: _("As it is, the network is not enough for an install."));
		sw_pager_view_checks(sw_json_array(l->found, "checks"), NAME_WIDTH, &b);
		sw_pager_set(&pv->pager, sw_buf_steal(&b));
	} else {
		sw_pager_set(&pv->pager, sw_error_text(&l->error));
	}
}

static void test_open(struct sw_view *v SW_UNUSED, struct sw_state *s)
{
	sw_state_want_look(s, SW_LOOK_NETTEST);
}

static bool test_request(struct sw_view *v, struct sw_state *s, enum sw_request req, uint32_t ch)
{
	if (req != SW_REQ_REFRESH)
		return sw_pager_view_request(v, s, req, ch, SW_REQ_RETRY);
	sw_state_want_look(s, SW_LOOK_NETTEST);
	test_refresh(v, s);
	return true;
}

static const struct sw_hint hints[] = {
	{ SW_REQ_BACK, NULL }, { SW_REQ_PAGE_DOWN, NULL }, { SW_REQ_REFRESH, NULL },
	{ SW_REQ_NONE, NULL },
};

const struct sw_view_ops sw_screen_network_test = {
	.title = N_("Test of the network"),
	.help = N_("Each link, each router (by a ping), the name servers, the clock, the time "
		"servers, and each server that the answers so far name, with what to do where one "
		"fails. Each is asked once, and nothing that is sent tells of this machine. "
		"`slipway network --test` says the same."),
	.size = sizeof(struct sw_pager_view),
	.hints = hints,
	.open = test_open,
	.refresh = test_refresh,
	.draw = sw_pager_view_draw,
	.request = test_request,
	.close = sw_pager_view_close,
	.widget = sw_pager_view_widget,
	.mode = sw_pager_view_mode,
};
