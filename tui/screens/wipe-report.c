/* SPDX-License-Identifier: Apache-2.0 */
/* What is known of a wipe: commanded, or verified by reading, and never more. */
#include "base/catalogue.h"
#include "base/json.h"
#include "tui/screens/pager-view.h"
#include "tui/screens/screens.h"

static void report_open(struct sw_view *v, struct sw_state *s)
{
	struct sw_pager_view *pv = v->data;

	sw_pager_set(&pv->pager, s->wipe.report ? sw_wipe_report_text(s->wipe.report) : NULL);
}

static bool report_request(struct sw_view *v, struct sw_state *s, enum sw_request req, uint32_t ch)
{
	if (req != SW_REQ_SAVE)
		return sw_pager_view_request(v, s, req, ch, SW_REQ_LEFT);
	if (s->wipe.report)
		sw_screen_save_wipe_report(s);
	return true;
}

void sw_screen_save_wipe_report(struct sw_state *s)
{
	sw_screen_save_text(s, sw_wipe_report_text(s->wipe.report), "wipe-report.txt");
}

static const struct sw_hint hints[] = {
	{ SW_REQ_BACK, NULL }, { SW_REQ_SAVE, N_("save") }, { SW_REQ_SEARCH, NULL },
	{ SW_REQ_NONE, NULL },
};

const struct sw_view_ops sw_screen_wipe_report = {
	.title = N_("Report of the wipe"),
	.help = N_("commanded: the disk took the order and reported success. verified by reading: "
		"zeros came back afterwards, from the disk and not from memory. What a disk keeps "
		"where nobody can read it is not known."),
	.size = sizeof(struct sw_pager_view),
	.hints = hints,
	.open = report_open,
	.draw = sw_pager_view_draw,
	.request = report_request,
	.close = sw_pager_view_close,
	.widget = sw_pager_view_widget,
	.mode = sw_pager_view_mode,
};
