/* SPDX-License-Identifier: Apache-2.0 */
/* What is installed on this machine and why this system runs: the text of `slipway status`. */
#include <string.h>

#include "base/catalogue.h"
#include "base/json.h"
#include "tui/screens/pager-view.h"
#include "tui/screens/screens.h"

static void status_refresh(struct sw_view *v, struct sw_state *s)
{
	const struct sw_look *l = &s->looks[SW_LOOK_STATUS];
	struct sw_pager_view *pv = v->data;

	if (l->pending)
		sw_pager_set(&pv->pager, strdup(_("looking ...")));
	else if (l->found)
		sw_pager_set(&pv->pager, sw_json_dup(l->found, "text"));
	else
		sw_pager_set(&pv->pager, sw_error_text(&l->error));
}

static void status_open(struct sw_view *v SW_UNUSED, struct sw_state *s)
{
	sw_state_want_look(s, SW_LOOK_STATUS);
}

static bool status_request(struct sw_view *v, struct sw_state *s, enum sw_request req, uint32_t ch)
{
	const struct sw_look *l = &s->looks[SW_LOOK_STATUS];

	if (req == SW_REQ_REFRESH) {
		sw_state_want_look(s, SW_LOOK_STATUS);
		status_refresh(v, s);
	} else if (req == SW_REQ_DETAILS) {
		sw_view_push(s, &sw_screen_preflight);
	} else if (req == SW_REQ_SAVE && l->found) {
		sw_screen_save_text(s, sw_json_dup(l->found, "text"), "slipway-status.txt");
	} else {
		return sw_pager_view_request(v, s, req, ch, SW_REQ_LEFT);
	}
	return true;
}

static const struct sw_hint hints[] = {
	{ SW_REQ_BACK, NULL }, { SW_REQ_PAGE_DOWN, NULL }, { SW_REQ_REFRESH, NULL },
	{ SW_REQ_DETAILS, N_("admission") }, { SW_REQ_SAVE, N_("save") }, { SW_REQ_SEARCH, NULL },
	{ SW_REQ_NONE, NULL },
};

const struct sw_view_ops sw_screen_status = {
	.title = N_("Status"),
	.help = N_("Installs and wipes that were interrupted, what is installed on which disk, the "
		"boot entries of slipway, and why this system is the one that runs. Nothing is "
		"written. `slipway status` prints the same."),
	.size = sizeof(struct sw_pager_view),
	.hints = hints,
	.open = status_open,
	.refresh = status_refresh,
	.draw = sw_pager_view_draw,
	.request = status_request,
	.close = sw_pager_view_close,
	.widget = sw_pager_view_widget,
	.mode = sw_pager_view_mode,
};
