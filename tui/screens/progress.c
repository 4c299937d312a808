/* SPDX-License-Identifier: Apache-2.0 */
/* The running work. It goes on whatever happens to the consoles. */
#include "base/catalogue.h"
#include "tui/screens/screens.h"
#include "tui/session/state.h"

/* One of the plan's steps of this kind has begun. */
static bool has_begun(const struct sw_state *s, const struct sw_plan *p, enum sw_step_kind kind)
{
	for (size_t i = 0; i < p->n_steps && i < s->run.n_steps; i++)
		if (p->steps[i].kind == kind && s->run.steps[i].state != SW_PROGRESS_WAITING)
			return true;
	return false;
}

/* In what state it would be left: as it is while the question is on the screen. */
static const char *stop_question(const struct sw_state *s)
{
	const struct sw_plan *p = sw_state_doing(s);

	if (s->work == SW_WORK_WIPE)
		return _("Stop? The disk stays as it is then, with a mark that says so; wiping it "
			 "again goes on from there.");
	if (!p)
		return _("Stop at the next safe point? What has been written so far stays on the "
			 "disk, and can be resumed or undone.");
	if (s->work == SW_WORK_INSTALL && !has_begun(s, p, SW_STEP_JOURNAL))
		return _("Stop at the next safe point? Nothing has been written yet: the machine "
			 "stays as it was.");
	if (p->n_disks == 0)
		return _("Stop at the next safe point? No disk is written. What is in the firmware "
			 "by then stays there, and can be resumed or undone.");
	if (!has_begun(s, p, SW_STEP_TABLE))
		return _("Stop at the next safe point? The old partition table stays in force, but "
			 "where new partitions are to be the disk is overwritten so far. That can "
			 "be resumed or undone.");
	return _("Stop at the next safe point? The new partition table is written, or partly; "
		 "boot entries may be missing, so the machine may not start. That can be resumed "
		 "or undone.");
}

static void pause_or_go_on(struct sw_state *s)
{
	s->paused = !s->paused;
	(void)snprintf(s->paused_by, sizeof(s->paused_by), "%s", s->pen_name);
	s->want |= SW_WANT_PAUSE;
	if (!s->paused && s->pen_name[0])
		sw_state_notice(s, "%s let it go on.", s->pen_name);
}

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
		pause_or_go_on(s);
		return true;
	case SW_REQ_CANCEL:
		sw_screen_ask_now(s, stop_question, _("Stop"), SW_WANT_CANCEL);
		return true;
	case SW_REQ_BACK:
	case SW_REQ_QUIT:
		sw_state_notice(s, "This is running. c stops it at the next safe point.");
		return true;
	default:
		return false;
	}
}

static void draw_paused(const struct sw_state *s, struct sw_frame *f, unsigned int row)
{
	char text[128];

	if (s->paused_by[0])
		(void)snprintf(text, sizeof(text),
			       _("Paused by %s at the next safe point. p goes on."), s->paused_by);
	else
		(void)snprintf(text, sizeof(text), "%s",
			       _("Paused at the next safe point. p goes on."));
	sw_frame_put(f, row, 0, f->cols, SW_ATTR_ALERT, text);
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
		draw_paused(s, f, f->lines ? a->row + a->rows - 2 : a->row + a->rows - 1);
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
