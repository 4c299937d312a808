/* SPDX-License-Identifier: Apache-2.0 */
#include "base/catalogue.h"
#include "tui/screens/form-view.h"
#include "tui/screens/screens.h"

static void boot_open(struct sw_view *v, struct sw_state *s)
{
	static const char *const keys[] = { "boot", "finish", NULL };
	struct sw_form_view *fv = v->data;

	sw_form_open(&fv->form, s, keys);
}

static bool boot_request(struct sw_view *v, struct sw_state *s, enum sw_request req, uint32_t ch)
{
	bool diskless = sw_answers_diskless(s->answers);

	if (req == SW_REQ_ACCEPT && diskless && s->answers->boot_mode != SW_MODE_NETWORK) {
		sw_state_refuse(s, "Without a disk the node can only start from the network.");
		return true;
	}
	return sw_form_view_request(v, s, req, ch,
				    diskless ? &sw_screen_admission : &sw_screen_payload);
}

const struct sw_view_ops sw_screen_boot = {
	SW_FORM_VIEW_OPS,
	.hints = sw_form_choice_hints,
	.title = N_("Install 3 of 7 - How the node boots"),
	.help = N_("How the firmware finds the node, and what happens when the install is done."),
	.open = boot_open,
	.request = boot_request,
};
