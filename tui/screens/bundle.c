/* SPDX-License-Identifier: Apache-2.0 */
/* The bundle for somebody far away: what goes in, what was taken out of it, and where it goes. */
#include <string.h>

#include "base/catalogue.h"
#include "base/size.h"
#include "tui/screens/list-view.h"
#include "tui/screens/screens.h"
#include "tui/screens/tool-view.h"

enum { ROW_WRITE = -4, ROW_RECIPIENT, ROW_NAMES, ROW_QR };

struct bundle_view {
	struct sw_list list;	/* first: see list-view.h */
	struct sw_tool tool;
};

static bool is_anonymous(const struct bundle_view *bv)
{
	return sw_json_bool(bv->tool.request, "anonymous", false);
}

static void add_action(struct bundle_view *bv, int id, const char *text, const char *value)
{
	const char *cols[] = { text, "", value };

	(void)sw_list_add(&bv->list, id, NULL, 3, cols);
}

/* "password in a URL (2 times), private key". */
static void removed_words(json_object *removed, struct sw_buf *b)
{
	const char *comma = "";

	if (!removed)
		return;
	json_object_object_foreach(removed, kind, times) {
		int n = json_object_get_int(times);

		(void)sw_buf_addf(b, "%s%s", comma, _(kind));
		if (n > 1)
			(void)sw_buf_addf(b, _n(" (%d time)", " (%d times)", (unsigned long)n), n);
		comma = ", ";
	}
}

static void add_files(struct bundle_view *bv)
{
	json_object *files = sw_json_array(bv->tool.found, "files");
	json_object *absent = sw_json_array(bv->tool.found, "absent");
	size_t n = files ? json_object_array_length(files) : 0;

	for (size_t i = 0; i < n; i++) {
		json_object *o = json_object_array_get_idx(files, i);
		_cleanup_buf_ struct sw_buf b = { 0 };
		char size[16];
		const char *cols[] = { sw_json_str(o, "name", ""), NULL, NULL };

		removed_words(sw_json_get(o, "removed"), &b);
		cols[1] = sw_size_format(sw_json_u64(o, "bytes", 0), size, sizeof(size));
		cols[2] = sw_buf_text(&b);
		(void)sw_list_add(&bv->list, (int)i, NULL, 3, cols);
	}
	for (size_t i = 0; absent && i < json_object_array_length(absent); i++) {
		json_object *o = json_object_array_get_idx(absent, i);
		const char *cols[] = { sw_json_str(o, "name", ""), "-" };

		(void)sw_list_add(&bv->list, (int)(n + i), sw_json_str(o, "why", ""), 2, cols);
	}
}

static void fill(struct bundle_view *bv)
{
	const struct sw_list_row *row = sw_list_selected(&bv->list);
	const char *recipient = sw_json_str(bv->tool.request, "recipient", "");
	int was = row ? row->id : ROW_WRITE;

	sw_list_clear(&bv->list);
	if (!bv->tool.found)
		return;
	add_action(bv, ROW_WRITE, _("Write it"), _("where to is asked"));
	add_action(bv, ROW_RECIPIENT, _("Encrypt it"), *recipient ? recipient : _("no"));
	add_action(bv, ROW_NAMES, _("Serials, addresses, names"),
		   is_anonymous(bv) ? _("are taken out") : _("stay in it"));
	add_action(bv, ROW_QR, _("Show QR codes"), _("the findings alone, for a telephone"));
	add_files(bv);
	sw_list_select(&bv->list, was);
}

static void bundle_open(struct sw_view *v, struct sw_state *s)
{
	struct bundle_view *bv = v->data;

	sw_tool_ask(&bv->tool, s, sw_tool_next(s, "bundle"));
}

static void bundle_refresh(struct sw_view *v, struct sw_state *s)
{
	struct bundle_view *bv = v->data;

	if (s->top == v && s->tool.next) {	/* whom to encrypt to has come back */
		sw_json_add_str(bv->tool.request, "recipient",
				sw_json_str(s->tool.next, "recipient", ""));
		json_object_put(s->tool.next);
		s->tool.next = NULL;
		fill(bv);
	}
	bv->tool.done = s->tool.done;	/* what was written changes nothing of it */
	if (sw_tool_take(&bv->tool, s))
		fill(bv);
}

static json_object *request_for(const struct bundle_view *bv, const char *tool)
{
	json_object *o = sw_tool_request(tool);

	sw_json_add_bool(o, "anonymous", is_anonymous(bv));
	sw_json_add_str(o, "recipient", sw_json_str(bv->tool.request, "recipient", ""));
	return o;
}

static void choose(struct bundle_view *bv, struct sw_state *s)
{
	const struct sw_list_row *row = sw_list_selected(&bv->list);
	json_object *o;

	if (!row || bv->tool.pending)
		return;
	if (row->off) {
		sw_state_refuse(s, "%s: %s.", row->col[0], row->off);
		return;
	}
	switch (row->id) {
	case ROW_WRITE:
		sw_tool_open(s, &sw_screen_place, request_for(bv, "bundle-write"));
		break;
	case ROW_RECIPIENT:
		sw_tool_open(s, &sw_screen_place, request_for(bv, "recipient"));
		break;
	case ROW_NAMES:
		o = request_for(bv, "bundle");
		sw_json_add_bool(o, "anonymous", !is_anonymous(bv));
		sw_tool_ask(&bv->tool, s, o);
		break;
	case ROW_QR:
		sw_tool_open(s, &sw_screen_qr, request_for(bv, "bundle-report"));
		break;
	default:
		sw_state_notice(s, row->col[2] && row->col[2][0]
				? "Taken out of it: %s" : "Nothing had to be taken out of it.%s",
				row->col[2] ? row->col[2] : "");
		break;
	}
}

static bool bundle_request(struct sw_view *v, struct sw_state *s, enum sw_request req, uint32_t ch)
{
	struct bundle_view *bv = v->data;

	if (sw_list_request(&bv->list, s, req, ch))
		return true;
	if (req == SW_REQ_ACCEPT)
		choose(bv, s);
	else if (req == SW_REQ_REFRESH)
		sw_tool_ask(&bv->tool, s, NULL);
	else if (req == SW_REQ_CANCEL && bv->tool.pending)
		sw_state_stop_tool(s);
	else
		return false;
	return true;
}

static void bundle_draw(struct sw_view *v, const struct sw_state *s, struct sw_frame *f,
			const struct sw_area *a)
{
	const char *header[SW_LIST_COLS] = { _("what goes in"), _("size"),
					     _("what was taken out of it") };
	struct bundle_view *bv = v->data;

	if (bv->tool.pending)
		sw_tool_draw_told(&s->looks[SW_LOOK_TOOL], _("gathering ..."), f, a);
	else if (!sw_tool_draw_state(&bv->tool, f, a))
		(void)sw_list_draw(&bv->list, f, a, header);
}

static void bundle_close(struct sw_view *v)
{
	struct bundle_view *bv = v->data;

	sw_list_clear(&bv->list);
	sw_tool_clear(&bv->tool);
}

static const struct sw_hint hints[] = {
	{ SW_REQ_UP, N_("Down choose") }, { SW_REQ_ACCEPT, NULL }, { SW_REQ_REFRESH, NULL },
	{ SW_REQ_BACK, NULL }, { SW_REQ_NONE, NULL },
};

const struct sw_view_ops sw_screen_bundle = {
	.title = N_("Bundle for somebody far away"),
	.help = N_("Facts, findings, status, partition tables, firmware variables, measurements "
		   "and logs. Passwords, tokens and keys are taken out by their shape: the list "
		   "says of each file what and how often. Nothing on the machine is changed, and "
		   "only the place that you name is written.\n\nAfterwards there is a short code "
		   "for the telephone, and the findings as a block of text that a recorded console "
		   "carries where there is no network. As QR codes a telephone carries them."),
	.size = sizeof(struct bundle_view),
	.hints = hints,
	.open = bundle_open,
	.refresh = bundle_refresh,
	.draw = bundle_draw,
	.request = bundle_request,
	.close = bundle_close,
	.widget = sw_list_view_widget,
	.mode = sw_list_view_mode,
};
