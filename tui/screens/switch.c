/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From where this machine starts: what is, what could be, and what each choice
 * would write. The same screen in the installer and on a running node.
 */
#include <string.h>

#include "base/catalogue.h"
#include "base/file.h"
#include "base/json.h"
#include "tui/screens/list-view.h"
#include "tui/screens/screens.h"
#include "tui/session/list.h"
#include "tui/session/state.h"

struct sw_switch_view {
	struct sw_list list;	/* first: see list-view.h */
	char question[240];	/* borrowed by the ask screen above */
};

static json_object *choice_at(const struct sw_state *s, int i)
{
	json_object *list = sw_json_array(s->boot_switch, "choices");

	return list && i >= 0 ? json_object_array_get_idx(list, (size_t)i) : NULL;
}

static void switch_refresh(struct sw_view *v, struct sw_state *s)
{
	struct sw_switch_view *sv = v->data;
	const struct sw_list_row *row = sw_list_selected(&sv->list);
	int was = row ? row->id : -1, now = 0;
	json_object *c;

	sw_list_clear(&sv->list);
	for (int i = 0; (c = choice_at(s, i)); i++) {
		bool is = sw_json_bool(c, "now", false);
		const char *off = sw_json_str(c, "off", NULL);
		char text[64];
		const char *cols[] = { text };

		(void)snprintf(text, sizeof(text), is ? _("%s (as it is now)") : "%s",
			       sw_json_str(c, "label", ""));
		now = is ? i : now;
		(void)sw_list_add(&sv->list, i, off, 1, cols);
	}
	sw_list_select(&sv->list, was >= 0 ? was : now);
}

static void switch_open(struct sw_view *v SW_UNUSED, struct sw_state *s)
{
	s->boot_switch_pending = true;
	s->boot_switch_error = (struct sw_error){ 0 };
	s->want |= SW_WANT_SWITCH;
}

static size_t count_writes(json_object *c)
{
	json_object *list = sw_json_array(c, "writes");

	return list ? json_object_array_length(list) : 0;
}

static void choose(struct sw_switch_view *sv, struct sw_state *s)
{
	const struct sw_list_row *row = sw_list_selected(&sv->list);
	json_object *c = choice_at(s, row ? row->id : -1);
	size_t n;

	if (!c || s->boot_switch_pending)
		return;
	if (row->off) {
		sw_state_refuse(s, "%s", row->off);
		return;
	}
	n = count_writes(c);
	if (!n && sw_json_bool(c, "now", false)) {
		sw_state_notice(s, "Nothing to write: it is so already.");
		return;
	}
	(void)snprintf(s->boot_choice, sizeof(s->boot_choice), "%s", sw_json_str(c, "id", ""));
	(void)snprintf(sv->question, sizeof(sv->question),
		       _n("%s: %s.\n\n%zu boot variable is written.",
			  "%s: %s.\n\n%zu boot variables are written.", n),
		       sw_json_str(c, "label", ""), sw_json_str(c, "text", ""), n);
	sw_screen_ask_first(s, sv->question, _("Switch"), SW_WANT_SWITCH_SET, false);
}

static bool switch_request(struct sw_view *v, struct sw_state *s, enum sw_request req, uint32_t ch)
{
	struct sw_switch_view *sv = v->data;

	if (sw_list_request(&sv->list, s, req, ch))
		return true;
	if (req == SW_REQ_ACCEPT) {
		choose(sv, s);
		return true;
	}
	if (req != SW_REQ_REFRESH)
		return false;
	switch_open(v, s);
	return true;
}

static void add_order(json_object *o, struct sw_buf *b)
{
	json_object *list = sw_json_array(o, "order");
	size_t n = list ? json_object_array_length(list) : 0;

	for (size_t i = 0; i < n && i < 6; i++)
		sw_buf_addf(b, "%s%s", i ? ", " : "",
			    json_object_get_string(json_object_array_get_idx(list, i)));
	if (n > 6)
		sw_buf_addf(b, _(" and %zu more"), n - 6);
	if (!n)
		sw_buf_adds(b, _("the firmware's own"));
}

static unsigned int line(struct sw_frame *f, unsigned int row, const char *label, const char *text)
{
	sw_frame_put(f, row, 0, 9, 0, label);
	return row + sw_frame_paragraph(f, row, 9, f->cols - 10, 2, text);
}

static unsigned int draw_head(const struct sw_state *s, struct sw_frame *f, unsigned int row)
{
	json_object *o = s->boot_switch;
	_cleanup_buf_ struct sw_buf running = { 0 }, mode = { 0 }, order = { 0 };
	const char *next = sw_json_str(o, "next", NULL);

	sw_buf_addf(&running, "%s: %s", sw_json_str(o, "running", "?"), sw_json_str(o, "why", ""));
	sw_buf_adds(&mode, sw_json_str(o, "mode", "?"));
	if (strcmp(sw_json_str(o, "mode", ""), "network") == 0)
		sw_buf_addf(&mode, _(", strategy %s"), sw_json_str(o, "strategy", "?"));
	if (!sw_json_bool(o, "have_node", true))
		sw_buf_adds(&mode, _(" (no disk here has slots: kept in the firmware only)"));
	add_order(o, &order);
	row = line(f, row, _("Running"), sw_buf_text(&running));
	row = line(f, row, _("Mode"), sw_buf_text(&mode));
	row = line(f, row, _("Order"), sw_buf_text(&order));
	return line(f, row, _("Next"), next ? next : _("in this order")) + 1;
}

static unsigned int draw_writes(json_object *c, struct sw_frame *f, unsigned int row,
				unsigned int end)
{
	json_object *writes = sw_json_array(c, "writes"), *notes = sw_json_array(c, "notes");
	size_t n = writes ? json_object_array_length(writes) : 0;

	if (row >= end || !c)
		return row;
	row += sw_frame_paragraph(f, row, 0, f->cols - 1, 1, sw_json_str(c, "text", ""));
	/* In its row there may be no room for the whole reason. */
	if (row < end && sw_json_str(c, "off", NULL))
		return row + sw_frame_paragraph(f, row, 0, f->cols - 1, end - row,
						sw_json_str(c, "off", ""));
	if (row >= end)
		return row;
	sw_frame_put(f, row++, 0, f->cols, 0,
		     n ? _("Would be written:") : _("Nothing would be written."));
	for (size_t i = 0; i < n && row < end; i++) {
		json_object *w = json_object_array_get_idx(writes, i);

		sw_frame_put(f, row, 2, 12, 0,
			     json_object_get_string(json_object_array_get_idx(w, 0)));
		row += sw_frame_paragraph(f, row, 14, f->cols - 15, end - row < 2 ? end - row : 2,
					  json_object_get_string(json_object_array_get_idx(w, 1)));
	}
	n = notes ? json_object_array_length(notes) : 0;
	for (size_t i = 0; i < n && row < end; i++)
		row += sw_frame_paragraph(f, row, 2, f->cols - 3, end - row,
					  json_object_get_string(
						  json_object_array_get_idx(notes, i)));
	return row;
}

/* Where nothing moves with a selection, every choice says what it would write. */
static void draw_all_writes(const struct sw_state *s, struct sw_frame *f, unsigned int row)
{
	json_object *c;

	for (int i = 0; (c = choice_at(s, i)); i++) {
		sw_frame_putf(f, row, 0, "%d: %s", i + 1, sw_json_str(c, "label", ""));
		row = draw_writes(c, f, row + 1, f->rows) + 1;
	}
}

static void switch_draw(struct sw_view *v, const struct sw_state *s, struct sw_frame *f,
			const struct sw_area *a)
{
	struct sw_switch_view *sv = v->data;
	const struct sw_list_row *row = sw_list_selected(&sv->list);
	struct sw_area list = *a;
	unsigned int end = a->row + a->rows;

	if (s->boot_switch_error.what[0]) {
		_cleanup_free_ char *text = sw_error_text(&s->boot_switch_error);

		list.row += sw_frame_paragraph(f, a->row, 0, f->cols - 1, a->rows / 2,
					       text ? text : _("out of memory")) + 1;
	}
	if (!s->boot_switch) {
		if (s->boot_switch_pending)
			sw_frame_put(f, list.row, 0, f->cols, 0, _("looking ..."));
		return;
	}
	list.row = draw_head(s, f, list.row);
	list.rows = end > list.row ? end - list.row : 0;
	list.rows = list.rows > sv->list.n ? (unsigned int)sv->list.n : list.rows;
	list.row += sw_list_draw(&sv->list, f, &list, NULL) + 1;
	if (f->lines)
		draw_all_writes(s, f, list.row);
	else
		draw_writes(choice_at(s, row ? row->id : -1), f, list.row, end);
}

static const struct sw_hint hints[] = {
	{ SW_REQ_UP, N_("Down choose") }, { SW_REQ_ACCEPT, N_("switch") }, { SW_REQ_REFRESH, NULL },
	{ SW_REQ_BACK, NULL }, { SW_REQ_NONE, NULL },
};

const struct sw_view_ops sw_screen_switch = {
	.title = N_("From where this machine starts"),
	.help = N_("Network: the machine tries the network's image at each boot and its newest "
		"good slot when that fails; the node arms the network again after each good "
		"boot. Network first does without that, but an image that panics is tried for "
		"ever. Local: only the slots. Once: the next boot alone; the mode stays. Hands "
		"off: boot order and next boot are left to the operator.\n\nBelow the list "
		"stands what the choice would write into the firmware. It is read back; only "
		"what differs is written."),
	.size = sizeof(struct sw_switch_view),
	.hints = hints,
	.open = switch_open,
	.refresh = switch_refresh,
	.draw = switch_draw,
	.request = switch_request,
	.close = sw_list_view_close,
	.widget = sw_list_view_widget,
	.mode = sw_list_view_mode,
};
