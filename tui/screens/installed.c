/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A medium that stays first in the boot order started once more after its install.
 * The node is there; what it was installed for is to run, not to be installed again.
 */
#include "base/catalogue.h"
#include "base/file.h"
#include "tui/screens/screens.h"
#include "tui/session/state.h"

static bool installed_request(struct sw_view *v SW_UNUSED, struct sw_state *s,
			      enum sw_request req SW_UNUSED, uint32_t ch SW_UNUSED)
{
	if (s->starting_node)
		return true;
	s->deadline_ms = 0;
	sw_view_pop(s);
	sw_state_notice(s, "Stopped. Nothing has been written.");
	return true;
}

static void installed_draw(struct sw_view *v SW_UNUSED, const struct sw_state *s,
			   struct sw_frame *f, const struct sw_area *a)
{
	_cleanup_free_ char *soon = NULL;
	unsigned int row = a->row;

	row += sw_frame_paragraph(f, row, 0, f->cols - 1, a->rows - 3, s->countdown_text) + 1;
	if (s->starting_node)
		sw_frame_putf(f, row, 0, "The next boot is set; the machine restarts then.");
	else
		soon = sw_fmt(s->answers->boot_mode == SW_MODE_NETWORK
			      ? _("The node is started from the network in %u s. Any key stops "
				  "that.")
			      : _("The node is started from its disk in %u s. Any key stops that."),
			      sw_frame_seconds(f, s->seconds_left));
	(void)sw_frame_paragraph(f, row, 0, f->cols - 1, 2, soon);
	sw_frame_cursor(f, row, 0);
}

const struct sw_view_ops sw_screen_installed = {
	.title = N_("Installed already"),
	.draw = installed_draw,
	.request = installed_request,
};
