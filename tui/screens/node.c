/* SPDX-License-Identifier: Apache-2.0 */
#include "base/catalogue.h"
#include "tui/screens/form-view.h"
#include "tui/screens/screens.h"

static void node_open(struct sw_view *v, struct sw_state *s)
{
	static const char *const keys[] = { "node", NULL };
	struct sw_form_view *fv = v->data;

	sw_form_open(&fv->form, s, keys);
}

static bool node_request(struct sw_view *v, struct sw_state *s, enum sw_request req, uint32_t ch)
{
	if (req == SW_REQ_PAGE_DOWN) {
		sw_view_push(s, &sw_screen_site);
		return true;
	}
	return sw_form_view_request(v, s, req, ch, &sw_screen_review);
}

static const struct sw_hint hints[] = {
	{ SW_REQ_ACCEPT, NULL }, { SW_REQ_NEXT, NULL }, { SW_REQ_PAGE_DOWN, N_("files, secrets") },
	{ SW_REQ_BACK, NULL }, { SW_REQ_NONE, NULL },
};

const struct sw_view_ops sw_screen_node = {
	SW_FORM_VIEW_OPS,
	.hints = hints,
	.title = N_("Install 6 of 7 - The node"),
	.help = N_("Who this node is.\n\nA further screen has the files and the secrets that it is "
		   "given."),
	.open = node_open,
	.request = node_request,
};
