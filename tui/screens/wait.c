/* SPDX-License-Identifier: Apache-2.0 */
/* An unattended install whose disks are not there yet: buses go on looking for a while. */
#include "base/catalogue.h"
#include "tui/screens/screens.h"
#include "tui/session/state.h"

static bool wait_request(struct sw_view *v SW_UNUSED, struct sw_state *s,
			 enum sw_request req SW_UNUSED, uint32_t ch SW_UNUSED)
{
	s->waiting = false;
	s->unattended = false;
	sw_view_pop(s);
	sw_state_notice(s, "Stopped. The answers are filled in; nothing has been written.");
	return true;
}

static void wait_draw(struct sw_view *v SW_UNUSED, const struct sw_state *s, struct sw_frame *f,
		      const struct sw_area *a)
{
	unsigned int row = a->row;

	row += sw_frame_paragraph(f, row, 0, f->cols - 1, 4, s->none_fits
				  ? _("No disk fits the answers yet. Some take long to start; the "
				    "install begins as soon as one is there that does.")
				  : _("The machine is still finding its disks. The install chooses "
				    "among all of them, so it waits until no more come.")) + 1;
	sw_frame_putf(f, row, 0, "At most %u s more. Any key stops that.",
		      sw_frame_seconds(f, s->seconds_left));
	sw_frame_cursor(f, row, 0);
}

const struct sw_view_ops sw_screen_wait = {
	.title = N_("Waiting for the disks"),
	.draw = wait_draw,
	.request = wait_request,
};
