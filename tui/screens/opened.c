/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is inside an encryption, an array or a volume group: put together, read-only, when this view
 * is opened, and ended when the last of them is left.
 */
#include <string.h>

#include "base/catalogue.h"
#include "base/size.h"
#include "disk/recovery.h"
#include "tui/screens/line-view.h"
#include "tui/screens/list-view.h"
#include "tui/screens/screens.h"
#include "tui/screens/tool-view.h"

#define KEY_MAX 8192U	/* bytes; what is longer comes from a file, with `slipway disks open` */

struct opened_view {
	struct sw_list list;	/* first: see list-view.h */
	struct sw_tool tool;
};

static json_object *entry_at(const struct opened_view *ov, int i)
{
	json_object *list = sw_json_array(ov->tool.found, "opened");

	return list && i >= 0 ? json_object_array_get_idx(list, (size_t)i) : NULL;
}

static void opened_open(struct sw_view *v, struct sw_state *s)
{
	struct opened_view *ov = v->data;

	sw_tool_ask(&ov->tool, s, sw_tool_next(s, "open"));
}

static void opened_refresh(struct sw_view *v, struct sw_state *s)
{
	struct opened_view *ov = v->data;
	json_object *e;

	if (!sw_tool_take(&ov->tool, s))
		return;
	sw_list_clear(&ov->list);
	for (int i = 0; (e = entry_at(ov, i)); i++) {
		char size[16];
		const char *cols[] = {
			sw_json_str(e, "name", ""),
			sw_size_format(sw_json_u64(e, "size", 0), size, sizeof(size)),
			sw_json_str(e, "content", _("empty")), sw_json_str(e, "device", ""),
		};

		(void)sw_list_add(&ov->list, i, NULL, ARRAY_SIZE(cols), cols);
	}
}

static bool is_incomplete(const struct opened_view *ov)
{
	return ov->tool.error.exit == SW_EXIT_REFUSED &&
	       strcmp(sw_json_str(ov->tool.request, "kind", ""), "md") == 0 &&
	       !sw_json_bool(ov->tool.request, "degraded", false);
}

/* Without the members that are away, which the person asks for by Enter on the error. */
static void go_without(struct opened_view *ov, struct sw_state *s)
{
	json_object *o = NULL;

	if (json_object_deep_copy(ov->tool.request, &o, NULL) < 0)
		return;
	sw_json_add_bool(o, "degraded", true);
	sw_tool_ask(&ov->tool, s, o);
}

static void choose(struct opened_view *ov, struct sw_state *s)
{
	const struct sw_list_row *row = sw_list_selected(&ov->list);
	json_object *e = row ? entry_at(ov, row->id) : NULL, *o;

	if (!e)
		return;
	o = sw_tool_request("part");
	sw_json_add_str(o, "disk", sw_json_str(e, "disk", ""));
	sw_json_add_u64(o, "number", 0);
	sw_tool_open(s, &sw_screen_partition, o);
}

/* One that was opened inside of another keeps that one open. */
static void end_look(struct sw_view *v, struct sw_state *s)
{
	for (const struct sw_view *w = v->below; w; w = w->below)
		if (w->ops == &sw_screen_opened)
			return;
	sw_state_tool_todo(s, sw_tool_request("close"));
	sw_state_want_look(s, SW_LOOK_TOOL_DO);
}

static bool opened_request(struct sw_view *v, struct sw_state *s, enum sw_request req, uint32_t ch)
{
	struct opened_view *ov = v->data;

	if (sw_list_request(&ov->list, s, req, ch))
		return true;
	if (req == SW_REQ_ACCEPT && is_incomplete(ov) && !ov->tool.pending)
		go_without(ov, s);
	else if (req == SW_REQ_ACCEPT)
		choose(ov, s);
	else if (req == SW_REQ_BACK)
		end_look(v, s);
	return req == SW_REQ_ACCEPT;
}

static void opened_draw(struct sw_view *v, const struct sw_state *s SW_UNUSED, struct sw_frame *f,
			const struct sw_area *a)
{
	const char *header[SW_LIST_COLS] = { _("name"), _("size"), _("content"), _("device") };
	struct opened_view *ov = v->data;
	unsigned int used = sw_tool_draw_state(&ov->tool, f, a);

	if (!used)
		(void)sw_list_draw(&ov->list, f, a, header);
	else if (is_incomplete(ov) && !ov->tool.pending && used + 2 < a->rows)
		sw_frame_paragraph(f, a->row + used + 1, 0, f->cols - 1, a->rows - used - 1,
				   _("Enter looks into what is here, without them. Nothing is "
				     "written, and nothing is rebuilt."));
}

static void opened_close(struct sw_view *v)
{
	struct opened_view *ov = v->data;

	sw_list_clear(&ov->list);
	sw_tool_clear(&ov->tool);
}

static const struct sw_hint opened_hints[] = {
	{ SW_REQ_UP, N_("Down choose") }, { SW_REQ_ACCEPT, N_("look closer") },
	{ SW_REQ_BACK, N_("and close it") }, { SW_REQ_NONE, NULL },
};

const struct sw_view_ops sw_screen_opened = {
	.title = N_("What is inside"),
	.help = N_("It was put together for reading only: each disk is reached through a loop "
		   "device that cannot be written through, no array is rebuilt, and LVM writes no "
		   "metadata. Going back ends it.\n\nWhat is inside can be opened in turn, and its "
		   "files looked at and copied."),
	.size = sizeof(struct opened_view),
	.hints = opened_hints,
	.open = opened_open,
	.refresh = opened_refresh,
	.draw = opened_draw,
	.request = opened_request,
	.close = opened_close,
	.widget = sw_list_view_widget,
	.mode = sw_list_view_mode,
};

/* ---- its key ---- */

struct unlock_view {
	struct sw_line line;	/* first: see line-view.h */
	json_object *then;	/* the request */
};

static void unlock_open(struct sw_view *v, struct sw_state *s)
{
	struct unlock_view *u = v->data;

	u->then = sw_tool_next(s, "open");
	sw_secret_line_open(&u->line, KEY_MAX, s);
}

/* Nothing typed leaves it to the TPM. */
static void unlock(struct unlock_view *u, struct sw_state *s)
{
	_cleanup_secret_ struct sw_secret *typed = NULL;
	struct sw_error err = { 0 };
	int r = 0;

	s->tool.passphrase = sw_secret_free(s->tool.passphrase);
	if (u->line.text && *u->line.text)
		r = sw_secret_line_take(&u->line, &typed, &err);
	if (typed && r == 0)
		r = sw_recovery_passphrase(typed, &s->tool.passphrase, &err);
	if (r < 0) {
		sw_state_refuse(s, "%s: %s", err.what, err.why);
		return;
	}
	json_object *then = json_object_get(u->then);

	sw_view_pop(s);
	sw_tool_open(s, &sw_screen_opened, then);
}

static bool unlock_request(struct sw_view *v, struct sw_state *s, enum sw_request req, uint32_t ch)
{
	struct unlock_view *u = v->data;

	if (sw_secret_line_request(&u->line, req, ch))
		return true;
	if (req != SW_REQ_ACCEPT)
		return false;
	unlock(u, s);
	return true;
}

static void unlock_draw(struct sw_view *v, const struct sw_state *s, struct sw_frame *f,
			const struct sw_area *a)
{
	struct unlock_view *u = v->data;
	unsigned int row = a->row;

	row += sw_frame_paragraph(f, row, 0, f->cols - 1, 3,
				  _("Its passphrase or recovery key; Enter alone asks this "
				    "machine's TPM:")) + 1;
	sw_line_draw(&u->line, f, row, 0, f->cols - 1);
	sw_secret_line_warn(s, f, a, row + 2);
}

static void unlock_close(struct sw_view *v)
{
	struct unlock_view *u = v->data;

	sw_line_view_close(v);
	json_object_put(u->then);
}

const struct sw_view_ops sw_screen_unlock = {
	.title = N_("Open it to look inside"),
	.help = N_("It is opened for reading only, and closed when you go back. A recovery key may "
		   "be typed in either case, with or without its dashes. What is typed is in no "
		   "log and no file.\n\nA key file is given with "
		   "`slipway disks open DISK PARTITION --key-file FILE`."),
	.for_pen = true,
	.size = sizeof(struct unlock_view),
	.hints = sw_secret_line_hints,
	.open = unlock_open,
	.draw = unlock_draw,
	.request = unlock_request,
	.close = unlock_close,
	.widget = sw_secret_line_widget,
	.mode = sw_line_view_mode,
};
