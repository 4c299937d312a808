/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/screens/screens.h"
#include "tui/session/state.h"

static bool about_request(struct sw_view *v SW_UNUSED, struct sw_state *s, enum sw_request req,
			  uint32_t ch SW_UNUSED)
{
	if (req != SW_REQ_ACCEPT)
		return false;
	sw_view_pop(s);
	return true;
}

static void about_draw(struct sw_view *v SW_UNUSED, const struct sw_state *s, struct sw_frame *f,
		       const struct sw_area *a)
{
	_cleanup_buf_ struct sw_buf b = { 0 };

	sw_buf_adds(&b, "slipway " SW_VERSION ", installer and rescue console for bare-metal nodes."
			"\n\nLicence: Apache-2.0. It comes without any warranty.\n");
	if (s->run_dir)
		sw_buf_addf(&b, "\nLogs and work files: %s\n", s->run_dir);
	sw_frame_paragraph(f, a->row, 0, f->cols - 1, a->rows, sw_buf_text(&b));
}

static const struct sw_hint hints[] = { { SW_REQ_BACK, NULL }, { SW_REQ_NONE, NULL } };

const struct sw_view_ops sw_screen_about = {
	.title = "About slipway",
	.hints = hints,
	.draw = about_draw,
	.request = about_request,
};
