/* SPDX-License-Identifier: Apache-2.0 */
/* Whether this machine could attest to the server of the answers: what `admit --preflight` says. */
#include <string.h>

#include "base/catalogue.h"
#include "base/json.h"
#include "tui/screens/pager-view.h"
#include "tui/screens/screens.h"

/* What failed comes first: it is what somebody has to do something about. */
static void add_checks(json_object *list, struct sw_buf *b)
{
	size_t n = list ? json_object_array_length(list) : 0;

	for (unsigned int rest = 0; rest < 2; rest++)
		for (size_t i = 0; i < n; i++) {
			json_object *c = json_object_array_get_idx(list, i);
			const char *verdict = sw_json_str(c, "verdict", "");
			const char *fix = sw_json_str(c, "fix", NULL);

			if ((strcmp(verdict, "failed") == 0) == (rest == 1))
				continue;
			sw_buf_addf(b, "\n%-8s%s\n        %s\n", sw_json_str(c, "name", "?"),
				    verdict, sw_json_str(c, "what", ""));
			if (fix)
				sw_buf_addf(b, "        -> %s\n", fix);
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
		sw_buf_addf(&b, "%s\n%s\n", sw_json_str(l->found, "url", ""),
			    sw_json_bool(l->found, "passed", false)
				    ? _("Nothing stands in the way of an admission.")
				    : _("As it is, this machine would not be admitted."));
		add_checks(sw_json_array(l->found, "checks"), &b);
		sw_pager_set(&pv->pager, sw_buf_steal(&b));
	} else {
		sw_pager_set(&pv->pager, sw_error_text(&l->error));
	}
}

static void preflight_open(struct sw_view *v SW_UNUSED, struct sw_state *s)
{
	sw_state_want_look(s, SW_LOOK_PREFLIGHT);
}

static bool preflight_request(struct sw_view *v, struct sw_state *s, enum sw_request req,
			      uint32_t ch)
{
	if (req != SW_REQ_REFRESH)
		return sw_pager_view_request(v, s, req, ch, SW_REQ_LEFT);
	sw_state_want_look(s, SW_LOOK_PREFLIGHT);
	preflight_refresh(v, s);
	return true;
}

static const struct sw_hint hints[] = {
	{ SW_REQ_BACK, NULL }, { SW_REQ_PAGE_DOWN, NULL }, { SW_REQ_REFRESH, NULL },
	{ SW_REQ_NONE, NULL },
};

const struct sw_view_ops sw_screen_preflight = {
	.title = N_("Check of the admission"),
	.help = N_("Whether the TPM can attest, how far the clock is off, from which address "
		"packets to the server come, its name, the proxy, whether it is believed, and "
		"what it answers. Nothing that tells of this machine is sent. `slipway admit "
		"--preflight` says the same."),
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
