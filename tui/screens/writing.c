/* SPDX-License-Identifier: Apache-2.0 */
/* A bundle on its way: what is gathered, how much has left, and how it ends. */
#include <string.h>

#include "base/catalogue.h"
#include "tui/screens/pager-view.h"
#include "tui/screens/screens.h"
#include "tui/screens/tool-view.h"

static const struct sw_look *writing(const struct sw_state *s)
{
	return &s->looks[SW_LOOK_TOOL_DO];
}

/* Once it has ended; until then plain mode has nothing to read either. */
static void writing_refresh(struct sw_view *v, struct sw_state *s)
{
	struct sw_pager_view *pv = v->data;
	const struct sw_look *l = writing(s);

	if (l->pending)
		return;
	sw_pager_set(&pv->pager, l->error.what[0] ? sw_error_text(&l->error)
						  : strdup(_("It was written.")));
}

static void writing_draw(struct sw_view *v, const struct sw_state *s, struct sw_frame *f,
			 const struct sw_area *a)
{
	if (writing(s)->pending)
		sw_tool_draw_told(writing(s), _("Writing the bundle ..."), f, a);
	else
		sw_pager_view_draw(v, s, f, a);
}

static bool writing_request(struct sw_view *v, struct sw_state *s, enum sw_request req,
			    uint32_t ch)
{
	if (req != SW_REQ_CANCEL)
		return sw_pager_view_request(v, s, req, ch, SW_REQ_LEFT);
	sw_state_stop_writing(s);
	return true;
}

static const struct sw_hint hints[] = {
	{ SW_REQ_CANCEL, N_("stop") }, { SW_REQ_BACK, NULL }, { SW_REQ_NONE, NULL },
};

const struct sw_view_ops sw_screen_writing = {
	.title = N_("Writing the bundle"),
	.help = N_("It is gathered anew, packed, encrypted when that was asked for, and written to "
		   "the place that you named. Going back lets it go on, and its end is shown all "
		   "the same. c stops it at the next place where that leaves nothing half "
		   "written: a server then has no whole file."),
	.size = sizeof(struct sw_pager_view),
	.hints = hints,
	.refresh = writing_refresh,
	.draw = writing_draw,
	.request = writing_request,
	.close = sw_pager_view_close,
	.mode = sw_pager_view_mode,
	.widget = sw_pager_view_widget,
};
