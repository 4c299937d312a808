/* SPDX-License-Identifier: Apache-2.0 */
/* The log, while the work runs and after it. Stays at the end unless one scrolls up. */
#include "base/catalogue.h"
#include "tui/screens/pager-view.h"
#include "tui/screens/screens.h"

struct log_view {
	struct sw_pager pager;	/* first: a struct sw_pager_view */
	uint64_t seen;
};

static void log_open(struct sw_view *v, struct sw_state *s SW_UNUSED)
{
	struct log_view *lv = v->data;

	lv->pager.follow = true;
	lv->seen = UINT64_MAX;
}

static bool log_request(struct sw_view *v, struct sw_state *s, enum sw_request req, uint32_t ch)
{
	struct log_view *lv = v->data;

	if (sw_pager_request(&lv->pager, s, req, ch))
		return true;
	if (req == SW_REQ_SAVE)
		sw_screen_save_log(s);
	else if (req == SW_REQ_ACCEPT || req == SW_REQ_LOG)
		sw_view_pop(s);
	else
		return false;
	return true;
}

static void log_draw(struct sw_view *v, const struct sw_state *s, struct sw_frame *f,
		     const struct sw_area *a)
{
	struct log_view *lv = v->data;

	if (lv->seen != s->run.log_total) {
		sw_pager_set(&lv->pager, sw_progress_log_text(&s->run));
		lv->seen = s->run.log_total;
	}
	if (s->run.log_n)
		sw_pager_draw(&lv->pager, f, a);
	else
		sw_frame_put(f, a->row, 0, f->cols, 0, _("The log is empty."));
}

static const struct sw_hint hints[] = {
	{ SW_REQ_BACK, NULL }, { SW_REQ_PAGE_UP, NULL }, { SW_REQ_SEARCH, NULL },
	{ SW_REQ_SEARCH_NEXT, N_("again") }, { SW_REQ_SAVE, N_("save") }, { SW_REQ_NONE, NULL },
};

const struct sw_view_ops sw_screen_log = {
	.title = N_("Log"),
	.size = sizeof(struct log_view),
	.hints = hints,
	.open = log_open,
	.draw = log_draw,
	.request = log_request,
	.close = sw_pager_view_close,
	.mode = sw_pager_view_mode,
	.widget = sw_pager_view_widget,
};
