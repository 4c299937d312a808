/* SPDX-License-Identifier: Apache-2.0 */
#include "base/catalogue.h"
#include "tui/screens/form-view.h"
#include "tui/screens/screens.h"

static void admission_open(struct sw_view *v, struct sw_state *s)
{
	static const char *const keys[] = { "admission", NULL };
	struct sw_form_view *fv = v->data;

	sw_form_open(&fv->form, s, keys);
}

static bool admission_request(struct sw_view *v, struct sw_state *s, enum sw_request req,
			      uint32_t ch)
{
	return sw_form_view_request(v, s, req, ch, &sw_screen_node);
}

const struct sw_view_ops sw_screen_admission = {
	SW_FORM_VIEW_OPS,
	.hints = sw_form_choice_hints,
	.title = N_("Install 5 of 7 - Admission"),
	.help = N_("How the node proves to its cluster that it may join. Nothing is sent now."),
	.open = admission_open,
	.request = admission_request,
};
