/* SPDX-License-Identifier: Apache-2.0 */
/* The plan that is carried out: who comes to an unattended install has not seen its review. */
#include "base/catalogue.h"
#include "tui/screens/pager-view.h"
#include "tui/screens/screens.h"

struct doing_view {
	struct sw_pager pager;	/* first: a struct sw_pager_view */
	unsigned int width;
};

static void doing_draw(struct sw_view *v, const struct sw_state *s, struct sw_frame *f,
		       const struct sw_area *a)
{
	struct doing_view *dv = v->data;
	const struct sw_plan *p = sw_state_doing(s);

	if (p && dv->width != a->cols) {
		sw_pager_set(&dv->pager, sw_plan_text(p, a->cols - 1));
		dv->width = a->cols;
	}
	if (p)
		sw_pager_draw(&dv->pager, f, a);
	else
		sw_frame_paragraph(f, a->row, 0, f->cols - 1, a->rows,
				   _("There is no plan of an install here: this was begun by an "
				     "earlier session, or is no install. The log says what is "
				     "done."));
}

static bool doing_request(struct sw_view *v, struct sw_state *s, enum sw_request req, uint32_t ch)
{
	if (req != SW_REQ_LOG)
		return sw_pager_view_request(v, s, req, ch, SW_REQ_DETAILS);
	sw_view_push(s, &sw_screen_log);
	return true;
}

static const struct sw_hint hints[] = {
	{ SW_REQ_BACK, NULL }, { SW_REQ_PAGE_DOWN, NULL }, { SW_REQ_LOG, NULL },
	{ SW_REQ_SEARCH, NULL }, { SW_REQ_NONE, NULL },
};

const struct sw_view_ops sw_screen_doing = {
	.title = N_("What is being done"),
	.help = N_("The plan that is carried out: the disk, what was on it, what it gets, the boot "
		"entries. It was fixed before the first write and does not change any more; p on "
		"the screen before pauses, c stops."),
	.size = sizeof(struct doing_view),
	.hints = hints,
	.draw = doing_draw,
	.request = doing_request,
	.close = sw_pager_view_close,
	.mode = sw_pager_view_mode,
	.widget = sw_pager_view_widget,
};
