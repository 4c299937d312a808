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
	return sw_form_view_request(v, s, req, ch, &sw_screen_review);
}

const struct sw_view_ops sw_screen_node = {
	SW_FORM_VIEW_OPS,
	.hints = sw_form_view_hints,
	.title = N_("Install 6 of 7 - The node"),
	.help = N_("Who this node is."),
	.open = node_open,
	.request = node_request,
};
