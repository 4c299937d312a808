/* SPDX-License-Identifier: Apache-2.0 */
/* The running work. It goes on whatever happens to the consoles. */
#include "base/catalogue.h"
#include "tui/screens/screens.h"
#include "tui/session/state.h"

static bool progress_request(struct sw_view *v SW_UNUSED, struct sw_state *s,
			     enum sw_request req, uint32_t ch SW_UNUSED)
{
	switch (req) {
	case SW_REQ_LOG:
		sw_view_push(s, &sw_screen_log);
		return true;
	case SW_REQ_DETAILS:
		sw_view_push(s, &sw_screen_doing);
		return true;
	case SW_REQ_PAUSE:
		s->paused = !s->paused;
		s->want |= SW_WANT_PAUSE;
		return true;
	case SW_REQ_CANCEL:
		sw_screen_ask_first(s, s->work == SW_WORK_WIPE ?
				    _("Stop? The disk stays as it is then, with a mark that says "
				    "so; wiping it again goes on from there.") :
				    _("Stop at the next safe point? What has been written so far "
				    "stays on the disk, and can be resumed or undone."),
				    _("Stop"), SW_WANT_CANCEL, false);
		return true;
	case SW_REQ_BACK:
	case SW_REQ_QUIT:
		sw_state_notice(s, "This is running. c stops it at the next safe point.");
		return true;
	default:
		return false;
	}
}

static void progress_draw(struct sw_view *v SW_UNUSED, const struct sw_state *s,
			  struct sw_frame *f, const struct sw_area *a)
{
	static const char *const what[] = {
		[SW_WORK_INSTALL] = N_("Starting ..."),
		[SW_WORK_RESUME] = N_("Resuming ..."),
		[SW_WORK_UNDO] = N_("Undoing ..."),
		[SW_WORK_WIPE] = N_("Wiping ..."),
	};

	sw_progress_draw(&s->run, f, a);
	if (s->paused)
		sw_frame_put(f, f->lines ? a->row + a->rows - 2 : a->row + a->rows - 1, 0, f->cols,
			     SW_ATTR_ALERT, _("Paused at the next safe point. p goes on."));
	if (!s->run.current && !s->run.log_n)
		sw_frame_put(f, f->lines ? a->row : a->row + a->rows - 1, 0, f->cols, 0,
			     _(what[s->work]));
}

static struct sw_widget progress_widget(const struct sw_view *v SW_UNUSED)
{
	return (struct sw_widget){ .kind = SW_WIDGET_PROGRESS };
}

static const struct sw_hint hints[] = {
	{ SW_REQ_LOG, NULL }, { SW_REQ_DETAILS, N_("plan") }, { SW_REQ_PAUSE, N_("pause") },
	{ SW_REQ_CANCEL, N_("stop") }, { SW_REQ_NONE, NULL },
};

const struct sw_view_ops sw_screen_progress = {
	.title = N_("Working"),
	.help = N_("The steps above, marked '+' when done and '>' while running; the bar counts "
		"the whole; the end of the log below; d shows the plan. The work does not depend "
		"on any console: a lost line or a closed window does not stop it."),
	.hints = hints,
	.draw = progress_draw,
	.request = progress_request,
	.widget = progress_widget,
};
