/* SPDX-License-Identifier: Apache-2.0 */
/* How the admission went that was asked for on the console: by whom, what it gave, what next. */
#include <string.h>

#include "base/catalogue.h"
#include "base/json.h"
#include "tui/screens/pager-view.h"
#include "tui/screens/screens.h"

static void add_admission(json_object *o, struct sw_buf *b)
{
	json_object *risks = sw_json_array(o, "warnings");
	const char *protocol = sw_json_str(o, "protocol", NULL);

	sw_buf_addf(b, _("Admitted by %s at %s"), sw_json_str(o, "kind", "?"),
		    sw_json_str(o, "url", "?"));
	if (protocol)
		sw_buf_addf(b, _(", %s exchange"), protocol);
	sw_buf_addf(b, _("\n  believed by %s\n"), sw_json_str(o, "believes", "?"));
	for (size_t i = 0; risks && i < json_object_array_length(risks); i++)
		sw_buf_addf(b, _("  Warning: %s\n"),
			    json_object_get_string(json_object_array_get_idx(risks, i)));
}

static void add_result(json_object *found, struct sw_buf *b)
{
	json_object *list = sw_json_array(found, "admissions");
	json_object *entries = sw_json_array(found, "entries");
	const char *failed = sw_json_str(found, "failed", NULL);
	const char *file = sw_json_str(found, "file", "?");

	for (size_t i = 0; list && i < json_object_array_length(list); i++)
		add_admission(json_object_array_get_idx(list, i), b);
	if (failed)
		sw_buf_addf(b, _("\nThe next one failed:\n%s\n"), failed);
	sw_buf_adds(b, _("\nThe node's overlay:\n"));
	for (size_t i = 0; entries && i < json_object_array_length(entries); i++)
		sw_buf_addf(b, "  %s\n",
			    json_object_get_string(json_object_array_get_idx(entries, i)));
	sw_buf_addf(b, _("\nIt is in %s, for root alone, until this system restarts. In the "
			 "shell `slipway node overlay --file FILE DIR` unpacks it, and `slipway "
			 "promote --uki FILE --overlay FILE` keeps it with an image.\n"), file);
}

static void admitted_refresh(struct sw_view *v, struct sw_state *s)
{
	const struct sw_look *l = &s->looks[SW_LOOK_ADMIT];
	struct sw_pager_view *pv = v->data;
	_cleanup_buf_ struct sw_buf b = { 0 };

	if (l->pending) {
		sw_pager_set(&pv->pager, strdup(_("asking to be admitted ...")));
	} else if (l->found) {
		add_result(l->found, &b);
		sw_pager_set(&pv->pager, sw_buf_steal(&b));
	} else {
		sw_pager_set(&pv->pager, sw_error_text(&l->error));
	}
}

static bool admitted_request(struct sw_view *v, struct sw_state *s, enum sw_request req,
			     uint32_t ch)
{
	return sw_pager_view_request(v, s, req, ch, SW_REQ_LEFT);
}

static const struct sw_hint hints[] = {
	{ SW_REQ_BACK, NULL }, { SW_REQ_PAGE_DOWN, NULL }, { SW_REQ_SEARCH, NULL },
	{ SW_REQ_NONE, NULL },
};

const struct sw_view_ops sw_screen_admitted = {
	.title = N_("Admission"),
	.help = N_("What the servers said, and the files that the node got for it. A server that "
		"is busy is asked again for half a minute. `slipway status` tells later how it "
		"went."),
	.size = sizeof(struct sw_pager_view),
	.hints = hints,
	.refresh = admitted_refresh,
	.draw = sw_pager_view_draw,
	.request = admitted_request,
	.close = sw_pager_view_close,
	.widget = sw_pager_view_widget,
	.mode = sw_pager_view_mode,
};
