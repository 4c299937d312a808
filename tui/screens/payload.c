/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/screens/form-view.h"
#include "tui/screens/screens.h"

static void payload_open(struct sw_view *v, struct sw_state *s)
{
	static const char *const keys[] = { "payload", NULL };
	struct sw_form_view *fv = v->data;

	sw_form_open(&fv->form, s, keys);
}

static bool payload_request(struct sw_view *v, struct sw_state *s, enum sw_request req, uint32_t ch)
{
	return sw_form_view_request(v, s, req, ch, &sw_screen_boot);
}

const struct sw_view_ops sw_screen_payload = {
	SW_FORM_VIEW_OPS,
	.title = "Install 3 of 7 - What the node boots",
	.help = "What the node boots from its disk: a kernel and an initrd, or one unified image.",
	.open = payload_open,
	.request = payload_request,
};
