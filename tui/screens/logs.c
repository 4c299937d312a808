/* SPDX-License-Identifier: Apache-2.0 */
/* Which log to read: slipway's own, the kernel's, a node's journal, the last failure. */
#include <string.h>

#include "base/catalogue.h"
#include "tui/screens/list-view.h"
#include "tui/screens/pager-view.h"
#include "tui/screens/screens.h"
#include "tui/screens/tool-view.h"

#define ROW_OWN (-1)
#define MAX_ITEM 52u	/* columns: a reason has a place behind it */

struct logs_view {
	struct sw_list list;	/* first: see list-view.h */
	struct sw_tool tool;
};

static json_object *log_at(const struct logs_view *lv, int i)
{
	json_object *list = sw_json_array(lv->tool.found, "logs");

	return list && i >= 0 ? json_object_array_get_idx(list, (size_t)i) : NULL;
}

static void fill(struct logs_view *lv, const struct sw_state *s)
{
	const struct sw_list_row *row = sw_list_selected(&lv->list);
	int was = row ? row->id : ROW_OWN;
	const char *own[] = { _("slipway's own") };
	json_object *o;

	sw_list_clear(&lv->list);
	lv->list.max_col = MAX_ITEM;
	(void)sw_list_add(&lv->list, ROW_OWN, s->run.log_n ? NULL : _("nothing has been done yet"),
			  1, own);
	for (int i = 0; (o = log_at(lv, i)); i++) {
		const char *cols[] = { _(sw_json_str(o, "text", "")) };

		(void)sw_list_add(&lv->list, i, sw_json_str(o, "off", NULL), 1, cols);
	}
	sw_list_select(&lv->list, was);
}

static void logs_open(struct sw_view *v, struct sw_state *s)
{
	struct logs_view *lv = v->data;

	sw_tool_ask(&lv->tool, s, sw_tool_next(s, "logs"));
	fill(lv, s);
}

static void logs_refresh(struct sw_view *v, struct sw_state *s)
{
	struct logs_view *lv = v->data;

	(void)sw_tool_take(&lv->tool, s);
	fill(lv, s);
}

static void choose(struct logs_view *lv, struct sw_state *s)
{
	const struct sw_list_row *row = sw_list_selected(&lv->list);
	json_object *o;

	if (!row)
		return;
	if (row->off) {
		sw_state_refuse(s, "%s: %s.", row->col[0], row->off);
	} else if (row->id == ROW_OWN) {
		sw_view_push(s, &sw_screen_log);
	} else {
		o = sw_tool_request("log");
		sw_json_add_str(o, "id", sw_json_str(log_at(lv, row->id), "id", ""));
		sw_tool_open(s, &sw_screen_one_log, o);
	}
}

static bool logs_request(struct sw_view *v, struct sw_state *s, enum sw_request req, uint32_t ch)
{
	struct logs_view *lv = v->data;

	if (sw_list_request(&lv->list, s, req, ch))
		return true;
	if (req == SW_REQ_ACCEPT)
		choose(lv, s);
	else if (req == SW_REQ_REFRESH)
		sw_tool_ask(&lv->tool, s, NULL);
	else
		return false;
	return true;
}

static void logs_draw(struct sw_view *v, const struct sw_state *s SW_UNUSED, struct sw_frame *f,
		      const struct sw_area *a)
{
	struct logs_view *lv = v->data;
	struct sw_area rest = *a;
	unsigned int used = sw_list_draw(&lv->list, f, a, NULL) + 1;

	if (used >= a->rows)
		return;
	rest.row += used;
	rest.rows -= used;
	(void)sw_tool_draw_state(&lv->tool, f, &rest);
}

static void logs_close(struct sw_view *v)
{
	struct logs_view *lv = v->data;

	sw_list_clear(&lv->list);
	sw_tool_clear(&lv->tool);
}

static const struct sw_hint hints[] = {
	{ SW_REQ_UP, N_("Down choose") }, { SW_REQ_ACCEPT, N_("read") }, { SW_REQ_REFRESH, NULL },
	{ SW_REQ_BACK, NULL }, { SW_REQ_NONE, NULL },
};

const struct sw_view_ops sw_screen_logs = {
	.title = N_("Logs"),
	.help = N_("The journal of a node is read out of its file system, which is not mounted; "
		   "one that is encrypted and closed is not opened for that."),
	.size = sizeof(struct logs_view),
	.hints = hints,
	.open = logs_open,
	.refresh = logs_refresh,
	.draw = logs_draw,
	.request = logs_request,
	.close = logs_close,
	.widget = sw_list_view_widget,
	.mode = sw_list_view_mode,
};

/* ---- one of them ---- */

static void one_open(struct sw_view *v, struct sw_state *s)
{
	sw_tool_text_open(v, s, "log");
}

static bool one_request(struct sw_view *v, struct sw_state *s, enum sw_request req, uint32_t ch)
{
	return sw_tool_text_request(v, s, req, ch, "slipway-log.txt");
}

const struct sw_view_ops sw_screen_one_log = {
	.title = N_("One log"),
	.help = N_("Of a journal the newest lines. / searches, n goes on to the next place."),
	SW_TOOL_TEXT_OPS,
	.hints = sw_tool_text_hints,
	.open = one_open,
	.request = one_request,
};
