/* SPDX-License-Identifier: Apache-2.0 */
/* The plan, before anything is written. It is made anew each time this screen opens. */
#include "base/catalogue.h"
#include "tui/screens/pager-view.h"
#include "tui/screens/screens.h"

struct review {
	struct sw_pager pager;	/* first: a struct sw_pager_view */
	const struct sw_plan *shown;
	unsigned int width;
	bool pending;		/* the plan is still being made */
};

static void review_open(struct sw_view *v SW_UNUSED, struct sw_state *s)
{
	sw_state_want_plan(s);
}

static bool review_request(struct sw_view *v, struct sw_state *s, enum sw_request req, uint32_t ch)
{
	struct review *rv = v->data;

	if (sw_pager_request(&rv->pager, s, req, ch))
		return true;
	switch (req) {
	case SW_REQ_ACCEPT:
		if (s->plan)
			sw_view_push(s, &sw_screen_confirm);
		else if (s->plan_pending)
			sw_state_refuse(s, "The plan is still being made; Enter again when it is "
					   "there.");
		else
			sw_state_refuse(s, "There is no plan. Esc or ^X goes back to change it.");
		return true;
	case SW_REQ_RETRY:
		sw_state_want_plan(s);
		rv->pending = true;
		return true;
	case SW_REQ_DETAILS:
		sw_view_push(s, &sw_screen_site);
		return true;
	case SW_REQ_SAVE:
		sw_screen_save_answers(s);
		return true;
	default:
		return false;
	}
}

static void draw_failure(const struct sw_state *s, struct sw_frame *f, const struct sw_area *a)
{
	_cleanup_free_ char *text = sw_error_text(&s->plan_error);
	unsigned int row = a->row;

	row += sw_frame_paragraph(f, row, 0, f->cols - 1, 2, _("This cannot be installed:")) + 1;
	sw_frame_tint(f, a->row, 0, f->cols, SW_ATTR_ALERT);
	row += sw_frame_paragraph(f, row, 0, f->cols - 1, a->rows - 6, text) + 1;
	sw_frame_put(f, row, 0, f->cols, 0, _("Nothing has been written."));
}

static void review_draw(struct sw_view *v, const struct sw_state *s, struct sw_frame *f,
			const struct sw_area *a)
{
	struct review *rv = v->data;

	if (s->plan && (rv->shown != s->plan || rv->width != a->cols)) {
		sw_pager_set(&rv->pager, sw_plan_text(s->plan, a->cols - 1));
		rv->shown = s->plan;
		rv->width = a->cols;
	}
	if (s->plan)
		sw_pager_draw(&rv->pager, f, a);
	else if (s->plan_pending)
		sw_frame_put(f, a->row, 0, f->cols, 0, _("Making the plan ..."));
	else
		draw_failure(s, f, a);
}

/* A plan that was replaced may come to lie where the old one lay. */
static void review_refresh(struct sw_view *v, struct sw_state *s)
{
	struct review *rv = v->data;

	rv->shown = NULL;
	rv->pending = s->plan_pending;
}

/* There is nothing to answer before there is a plan, or the reason for none. */
static struct sw_widget review_widget(const struct sw_view *v)
{
	struct review *rv = v->data;

	if (rv->pending)
		return (struct sw_widget){ .kind = SW_WIDGET_PROGRESS };
	return sw_pager_view_widget(v);
}

static const struct sw_hint hints[] = {
	{ SW_REQ_ACCEPT, N_("confirm") }, { SW_REQ_PAGE_DOWN, N_("more") }, { SW_REQ_BACK, NULL },
	{ SW_REQ_SAVE, N_("save answers") }, { SW_REQ_DETAILS, N_("files") },
	{ SW_REQ_NONE, NULL },
};

const struct sw_view_ops sw_screen_review = {
	.title = N_("Install 7 of 7 - Review"),
	.help = N_("Everything that will be done, what is on the disk now and will be lost. "
		"Nothing has been written so far. Enter leads to the confirmation."),
	.size = sizeof(struct review),
	.hints = hints,
	.open = review_open,
	.refresh = review_refresh,
	.draw = review_draw,
	.request = review_request,
	.close = sw_pager_view_close,
	.mode = sw_pager_view_mode,
	.widget = review_widget,
};
