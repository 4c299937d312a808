/* SPDX-License-Identifier: Apache-2.0 */
#include "base/catalogue.h"
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
	return sw_form_view_request(v, s, req, ch, &sw_screen_admission);
}

/* Only mode network lets the node go without an image of its own. */
static void payload_draw(struct sw_view *v, const struct sw_state *s, struct sw_frame *f,
			 const struct sw_area *a)
{
	struct sw_form_view *fv = v->data;
	unsigned int used = sw_form_draw(&fv->form, s, f, a);

	if (s->answers->boot_mode == SW_MODE_NETWORK && !sw_answers_have_payload(s->answers) &&
	    used + 1 < a->rows)
		sw_frame_paragraph(f, a->row + used + 1, 2, f->cols - 3, a->rows - used - 1,
				   _("In mode network all of this may be left empty. Then the "
				   "slots stay empty until the first promote, and until then "
				   "nothing starts when the network fails."));
}

const struct sw_view_ops sw_screen_payload = {
	.size = sizeof(struct sw_form_view),
	.hints = sw_form_view_hints,
	.refresh = sw_form_view_refresh,
	.draw = payload_draw,
	.close = sw_form_view_close,
	.mode = sw_form_view_mode,
	.field = sw_form_view_field,
	.widget = sw_form_view_widget,
	.title = N_("Install 4 of 7 - What the node boots"),
	.help = N_("What the node boots from its disk: a kernel and an initrd, or one unified "
		"image."),
	.open = payload_open,
	.request = payload_request,
};
