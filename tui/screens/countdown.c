/* SPDX-License-Identifier: Apache-2.0 */
/* Answers were found that nobody named; any key keeps them from being used by themselves. */
#include <string.h>

#include "base/catalogue.h"
#include "tui/screens/screens.h"
#include "tui/session/state.h"

static bool countdown_request(struct sw_view *v SW_UNUSED, struct sw_state *s,
			      enum sw_request req SW_UNUSED, uint32_t ch SW_UNUSED)
{
	s->deadline_ms = 0;
	s->unattended = false;
	sw_view_pop(s);
	sw_state_notice(s, "Stopped. The answers are filled in; nothing has been written.");
	return true;
}

/*
 * What will happen to which disk, as much as there is room for: any key stops and then the review
 * has all of it.
 */
static void draw_plan(const struct sw_state *s, struct sw_frame *f, unsigned int row,
		      unsigned int end)
{
	_cleanup_free_ char *text = s->plan ? sw_plan_text(s->plan, f->cols - 1) :
				    s->plan_error.r ? sw_error_text(&s->plan_error) : NULL;
	char *line, *rest = text;

	if (s->plan_pending)
		sw_frame_put(f, row, 0, f->cols, 0, _("Making the plan ..."));
	else if (s->plan_error.r && text)
		sw_frame_paragraph(f, row, 0, f->cols - 1, end - row, text);
	for (; s->plan && row < end && (line = strsep(&rest, "\n")) && (*line || rest); row++)
		sw_frame_put(f, row, 0, f->cols, 0, row + 1 < end || !rest || !*rest ? line :
			     _("... more of it on the review screen."));
}

static void countdown_draw(struct sw_view *v SW_UNUSED, const struct sw_state *s,
			   struct sw_frame *f, const struct sw_area *a)
{
	unsigned int row = a->row;

	row += sw_frame_paragraph(f, row, 0, f->cols - 1, a->rows - 3, s->countdown_text) + 1;
	sw_frame_putf(f, row, 0, "The install starts in %u s. Any key stops that.",
		      sw_frame_seconds(f, s->seconds_left));
	sw_frame_cursor(f, row, 0);
	if (row + 2 < a->row + a->rows)
		draw_plan(s, f, row + 2, a->row + a->rows);
}

const struct sw_view_ops sw_screen_countdown = {
	.title = N_("Answers found"),
	.draw = countdown_draw,
	.request = countdown_request,
};
