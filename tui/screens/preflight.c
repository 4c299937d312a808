/* SPDX-License-Identifier: Apache-2.0 */
/* Whether the servers that it knows would admit this machine: what `admit --preflight` says. */
#include <string.h>

#include "base/catalogue.h"
#include "base/json.h"
#include "tui/screens/pager-view.h"
#include "tui/screens/screens.h"

static void add_admissions(json_object *list, struct sw_buf *b)
{
	size_t n = list ? json_object_array_length(list) : 0;

	for (size_t i = 0; i < n; i++) {
		json_object *o = json_object_array_get_idx(list, i);

		sw_buf_addf(b, "%s%s\n%s\n", i ? "\n" : "", sw_json_str(o, "url", ""),
			    sw_json_bool(o, "passed", false)
				    ? _("Nothing stands in the way of an admission.")
				    : _("As it is, this machine would not be admitted."));
		sw_pager_view_checks(sw_json_array(o, "checks"), 8, b);
	}
}

static void preflight_refresh(struct sw_view *v, struct sw_state *s)
{
	const struct sw_look *l = &s->looks[SW_LOOK_PREFLIGHT];
	struct sw_pager_view *pv = v->data;
	_cleanup_buf_ struct sw_buf b = { 0 };

	if (l->pending) {
		sw_pager_set(&pv->pager, strdup(_("asking TPM, network and server ...")));
	} else if (l->found) {
		add_admissions(sw_json_array(l->found, "admissions"), &b);
		sw_pager_set(&pv->pager, sw_buf_steal(&b));
	} else {
		sw_pager_set(&pv->pager, sw_error_text(&l->error));
	}
}

static void preflight_open(struct sw_view *v SW_UNUSED, struct sw_state *s)
{
	sw_state_want_look(s, SW_LOOK_PREFLIGHT);
}

/* A token that is presented where it cannot work may be lost: first all has to be well. */
static void go_on(struct sw_state *s)
{
	const struct sw_look *l = &s->looks[SW_LOOK_PREFLIGHT];

	if (l->pending || !l->found)
		sw_state_refuse(s, "Nothing was found yet that would admit this machine.");
	else if (!sw_json_bool(l->found, "passed", false))
		sw_state_refuse(s, "First mend what failed, then look again with u. `slipway "
				   "admit` in the shell tries all the same.");
	else
		sw_screen_admit(s);
}

static bool preflight_request(struct sw_view *v, struct sw_state *s, enum sw_request req,
			      uint32_t ch)
{
	if (req == SW_REQ_ACCEPT) {
		go_on(s);
	} else if (req == SW_REQ_REFRESH) {
		sw_state_want_look(s, SW_LOOK_PREFLIGHT);
		preflight_refresh(v, s);
	} else {
		return sw_pager_view_request(v, s, req, ch, SW_REQ_LEFT);
	}
	return true;
}

static const struct sw_hint hints[] = {
	{ SW_REQ_ACCEPT, N_("be admitted") }, { SW_REQ_BACK, NULL },
	{ SW_REQ_PAGE_DOWN, NULL }, { SW_REQ_REFRESH, NULL },
	{ SW_REQ_NONE, NULL },
};

const struct sw_view_ops sw_screen_preflight = {
	.title = N_("Check of the admission"),
	.help = N_("Whether the TPM can attest, how far the clock is off, from which address "
		"packets to the server come, its name, the proxy, whether it is believed, and "
		"what it answers. Nothing that tells of this machine is sent. `slipway admit "
		"--preflight` says the same.\n\n"
		"The servers are those of the answers, else of the node's data. Enter has the "
		"machine admitted now: a token is asked for where one is needed, and what the "
		"servers give is shown."),
	.size = sizeof(struct sw_pager_view),
	.hints = hints,
	.open = preflight_open,
	.refresh = preflight_refresh,
	.draw = sw_pager_view_draw,
	.request = preflight_request,
	.close = sw_pager_view_close,
	.widget = sw_pager_view_widget,
	.mode = sw_pager_view_mode,
};
