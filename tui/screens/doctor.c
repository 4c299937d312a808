/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is wrong with this machine: the worst first, each with what it leads to
 * and what helps. A finding opens with all that is known and what its repair writes.
 */
#include <string.h>

#include "base/catalogue.h"
#include "base/file.h"
#include "base/json.h"
#include "base/size.h"
#include "base/text.h"
#include "rescue/report.h"
#include "tui/screens/pager-view.h"
#include "tui/screens/list-view.h"
#include "tui/screens/screens.h"
#include "tui/session/list.h"

#define ROW_UNDO 100000

struct doctor_view {
	struct sw_list list;	/* first: see list-view.h */
	struct sw_state *s;
	char question[400];	/* borrowed by the ask screen above */
};

static json_object *findings(const struct sw_state *s)
{
	return s->doctor ? sw_json_array(s->doctor, "findings") : NULL;
}

static size_t count(const struct sw_state *s)
{
	json_object *list = findings(s);

	return list ? json_object_array_length(list) : 0;
}

static const char *word(json_object *finding)
{
	const char *severity = sw_json_str(finding, "severity", "");

	return strcmp(severity, "error") == 0 ? _("ERROR")
	       : strcmp(severity, "warning") == 0 ? _("warning") : _("info");
}

static void doctor_refresh(struct sw_view *v, struct sw_state *s)
{
	struct doctor_view *dv = v->data;
	const struct sw_list_row *row = sw_list_selected(&dv->list);
	int was = row ? row->id : 0;
	json_object *last = s->doctor ? sw_json_get(s->doctor, "last") : NULL;

	sw_list_clear(&dv->list);
	for (size_t i = 0; i < count(s); i++) {
		json_object *fi = json_object_array_get_idx(findings(s), i);
		const char *cols[] = { word(fi), sw_json_str(fi, "what", "") };

		(void)sw_list_add(&dv->list, (int)i, NULL, 2, cols);
	}
	if (last) {
		const char *cols[] = { "", _("Take the last repair back") };

		(void)sw_list_add(&dv->list, ROW_UNDO, NULL, 2, cols);
	}
	sw_list_select(&dv->list, was);
}

static void doctor_look(struct sw_view *v SW_UNUSED, struct sw_state *s)
{
	if (!s->doctor_writing)
		sw_state_want_image(s, NULL);
}

static void doctor_open(struct sw_view *v, struct sw_state *s)
{
	((struct doctor_view *)v->data)->s = s;
	doctor_look(v, s);
}

/* The key of a state was for this screen. */
static void doctor_close(struct sw_view *v)
{
	sw_state_close_inside(((struct doctor_view *)v->data)->s);
	sw_list_view_close(v);
}

static void ask_undo(struct doctor_view *dv, struct sw_state *s)
{
	json_object *last = sw_json_get(s->doctor, "last");

	(void)snprintf(s->doctor_arg, sizeof(s->doctor_arg), "%s", sw_json_str(last, "file", ""));
	(void)snprintf(dv->question, sizeof(dv->question),
		       _("Take this back: %s?\n\nWhat was wrong is then wrong again."),
		       sw_json_str(last, "text", ""));
	sw_screen_ask_first(s, dv->question, _("Take it back"), SW_WANT_DOCTOR_UNDO, false);
}

static void choose(struct doctor_view *dv, struct sw_state *s)
{
	const struct sw_list_row *row = sw_list_selected(&dv->list);
	json_object *fi;

	if (!row || s->doctor_pending)
		return;
	if (row->id == ROW_UNDO) {
		ask_undo(dv, s);
		return;
	}
	fi = json_object_array_get_idx(findings(s), (size_t)row->id);
	(void)snprintf(s->doctor_arg, sizeof(s->doctor_arg), "%s", sw_json_str(fi, "id", ""));
	sw_view_push(s, sw_json_get(fi, "repair") ? &sw_screen_finding
		     : sw_json_bool(fi, "takes_image", false) ? &sw_screen_lacks_image
		     : sw_json_bool(fi, "takes_key", false) ? &sw_screen_closed_state
							    : &sw_screen_cause);
}

static void save_report(struct sw_state *s)
{
	json_object *node = s->doctor ? sw_json_get(s->doctor, "node") : NULL;
	_cleanup_buf_ struct sw_buf b = { 0 };
	int r = 0;

	if (!s->doctor)
		return;
	if (node)
		r = sw_report_node(node, &b);
	if (r == 0)
		r = sw_buf_adds(&b, node ? "\n" : "");
	if (r == 0)
		r = sw_report_all(findings(s), &b);
	if (r == 0)
		sw_screen_save_text(s, sw_buf_steal(&b), "slipway-report.txt");
}

static bool doctor_request(struct sw_view *v, struct sw_state *s, enum sw_request req, uint32_t ch)
{
	struct doctor_view *dv = v->data;

	if (sw_list_request(&dv->list, s, req, ch))
		return true;
	switch (req) {
	case SW_REQ_ACCEPT:
		choose(dv, s);
		return true;
	case SW_REQ_REFRESH:
		doctor_look(v, s);
		return true;
	case SW_REQ_SAVE:
		save_report(s);
		return true;
	case SW_REQ_RETRY:
		if (!s->doctor_writing)
			sw_state_want_doctor(s, true);
		return true;
	case SW_REQ_CANCEL:
		sw_state_stop_doctor(s);
		return true;
	default:
		return false;
	}
}

static unsigned int draw_node(const struct sw_state *s, struct sw_frame *f, unsigned int row)
{
	json_object *node = sw_json_get(s->doctor, "node"), *lines = sw_json_array(node, "text");
	size_t n = lines ? json_object_array_length(lines) : 0;
	char text[200];

	if (!node)
		return row;
	(void)snprintf(text, sizeof(text), _("Node %s on %s."),
		       sw_json_str(node, "hostname", "without a name"),
		       sw_json_str(node, "disk", "?"));
	sw_frame_put(f, row++, 0, f->cols, 0, text);
	for (size_t i = 0; i < n && i < 4; i++)
		row += sw_frame_paragraph(f, row, 0, f->cols - 1, 2, json_object_get_string(
						  json_object_array_get_idx(lines, i)));
	return row + 1;
}

/* Of the selected finding: what it leads to, and what helps. */
static void draw_about(const struct sw_state *s, const struct sw_list_row *row, struct sw_frame *f,
		       unsigned int at, unsigned int end)
{
	json_object *fi = row && row->id != ROW_UNDO
				  ? json_object_array_get_idx(findings(s), (size_t)row->id)
				  : NULL;
	json_object *repair = fi ? sw_json_get(fi, "repair") : NULL;
	const char *help = repair ? sw_json_str(repair, "text", "")
			   : fi ? sw_json_str(fi, "advice", "")
			   : row ? sw_json_str(sw_json_get(s->doctor, "last"), "text", "") : "";

	if (fi && at < end)
		at += sw_frame_paragraph(f, at, 0, f->cols - 1, end - at,
					 sw_json_str(fi, "effect", ""));
	if (!*help || at + 1 >= end)
		return;
	sw_frame_put(f, at, 0, 8, 0, repair ? _("Repair") : fi ? _("Advice") : _("It was"));
	(void)sw_frame_paragraph(f, at, 8, f->cols - 9, end - at, help);
}

static void draw_pending(const struct sw_state *s, struct sw_frame *f, unsigned int row)
{
	char size[16];

	if (!s->doctor_pending)
		return;
	sw_frame_put(f, row, 0, f->cols, 0,
		     s->doctor_writing && s->doctor_may_stop ? _("repairing; c stops that ...")
		     : s->doctor_writing ? _("repairing ...")
		     : s->doctor_servers ? _("looking, then asking the node's servers; c stops "
					     "that ...")
					 : _("looking ..."));
	row += 2;
	row += sw_frame_paragraph(f, row, 2, f->cols - 3, 3, s->doctor_told);
	if (s->doctor_size)
		sw_frame_putf(f, row, 2, N_("%u%% of %s"),
			      (unsigned int)(s->doctor_done * 100 / s->doctor_size),
			      sw_size_format(s->doctor_size, size, sizeof(size)));
}

/* What was not looked into is not called healthy. */
static const char *healthy(const struct sw_state *s)
{
	const bool servers = sw_json_bool(s->doctor, "servers", false);

	if (sw_state_node_is_closed(s))
		return servers ? _("Nothing is wrong outside the encrypted state, and the node's "
				   "servers answer.")
			       : _("Nothing is wrong outside the encrypted state.");
	return servers ? _("Nothing is wrong, and the node's servers answer.")
		       : _("Nothing is wrong.");
}

static void doctor_draw(struct sw_view *v, const struct sw_state *s, struct sw_frame *f,
			const struct sw_area *a)
{
	struct doctor_view *dv = v->data;
	struct sw_area list = *a;
	unsigned int end = a->row + a->rows, room;

	if (s->doctor_error.what[0]) {
		_cleanup_free_ char *text = sw_error_text(&s->doctor_error);

		list.row += sw_frame_paragraph(f, a->row, 0, f->cols - 1, a->rows / 2,
					       text ? text : _("out of memory")) + 1;
	}
	if (!s->doctor || s->doctor_pending) {
		draw_pending(s, f, list.row);
		return;
	}
	list.row = draw_node(s, f, list.row);
	if (sw_json_bool(s->doctor, "healthy", false) && list.row < end)
		list.row += sw_frame_paragraph(f, list.row, 0, f->cols - 1, 3, healthy(s)) + 1;
	room = end > list.row + 5 ? end - list.row - 5 : 1;
	list.rows = room < dv->list.n ? room : (unsigned int)dv->list.n;
	list.row += sw_list_draw(&dv->list, f, &list, NULL) + 1;
	if (!f->lines)	/* on lines nothing moves with a selection: a finding is opened instead */
		draw_about(s, sw_list_selected(&dv->list), f, list.row, end);
}

static const struct sw_hint doctor_hints[] = {
	{ SW_REQ_UP, N_("Down choose") }, { SW_REQ_ACCEPT, N_("look closer") },
	{ SW_REQ_RETRY, N_("servers") }, { SW_REQ_REFRESH, NULL },
	{ SW_REQ_SAVE, N_("save") }, { SW_REQ_BACK, NULL }, { SW_REQ_CANCEL, N_("stop") },
	{ SW_REQ_NONE, NULL },
};

const struct sw_view_ops sw_screen_doctor = {
	.title = N_("What is wrong with this machine"),
	.help = N_("Partition tables, slots, node data, boot entries, their order and the next "
		"boot are read and compared; nothing is written by that. An error keeps the node "
		"from starting or will soon; a warning is one fault away from it; information is "
		"no fault.\n\nA finding opens with its evidence and with each write of its "
		"repair. Before a repair, what it overwrites is saved, so that it can be taken "
		"back until this machine is restarted. After it everything is looked at again. "
		"Until it begins to write, c stops it.\n\n"
		"An encrypted state is looked into when its key is given: Enter on its finding. "
		"The key is forgotten when this screen is left.\n\n"
		"r asks the node's boot server and the servers of its admission as well, and sends "
		"nothing of this machine; c stops that."),
	.size = sizeof(struct doctor_view),
	.hints = doctor_hints,
	.open = doctor_open,
	.refresh = doctor_refresh,
	.draw = doctor_draw,
	.request = doctor_request,
	.close = doctor_close,
	.mode = sw_list_view_mode,
	.widget = sw_list_view_widget,
};

/* ---- one finding ---- */

struct finding_view {
	struct sw_pager pager;	/* first: a struct sw_pager_view */
	char question[400];
};

static json_object *finding_of(const struct sw_state *s)
{
	for (size_t i = 0; i < count(s); i++) {
		json_object *fi = json_object_array_get_idx(findings(s), i);

		if (strcmp(sw_json_str(fi, "id", ""), s->doctor_arg) == 0)
			return fi;
	}
	return NULL;
}

static void finding_open(struct sw_view *v, struct sw_state *s)
{
	struct finding_view *fv = v->data;
	_cleanup_buf_ struct sw_buf b = { 0 };
	json_object *fi = finding_of(s);

	if (fi && sw_report_finding(fi, &b) == 0)
		(void)sw_report_plan(fi, &b);
	sw_pager_set(&fv->pager, sw_buf_steal(&b));
}

json_object *sw_screen_repair_of(const struct sw_state *s)
{
	json_object *fi = finding_of(s);

	return fi ? sw_json_get(fi, "repair") : NULL;
}

void sw_screen_ask_repair(struct sw_state *s)
{
	struct finding_view *fv = s->top->data;
	json_object *repair = sw_screen_repair_of(s);

	if (!repair)
		return;
	if (sw_json_get(repair, "confirm")) {
		sw_view_push(s, &sw_screen_repair);
		return;
	}
	(void)snprintf(fv->question, sizeof(fv->question), sw_json_bool(repair, "undo", true)
		       ? _("Repair: %s?\n\nWhat is overwritten is saved first; the repair can be "
			   "taken back until this machine is restarted.") : _("Repair: %s?"),
		       sw_json_str(repair, "text", ""));
	sw_screen_ask_first(s, fv->question, _("Repair"), SW_WANT_DOCTOR_REPAIR, false);
}

/* While it is repaired there is more to see than what was wrong: an image takes minutes. */
static void finding_draw(struct sw_view *v, const struct sw_state *s, struct sw_frame *f,
			 const struct sw_area *a)
{
	if (s->doctor_writing)
		draw_pending(s, f, a->row);
	else
		sw_pager_view_draw(v, s, f, a);
}

static void repair_it(struct sw_state *s)
{
	json_object *repair = sw_screen_repair_of(s);

	if (s->doctor_writing)
		return;
	if (finding_of(s) && !repair)
		sw_state_refuse(s, "slipway cannot repair this by itself.");
	else if (repair && sw_json_str(repair, "needs", NULL))
		sw_view_push(s, &sw_screen_given);
	else
		sw_screen_ask_repair(s);
}

static bool finding_request(struct sw_view *v, struct sw_state *s, enum sw_request req,
			    uint32_t ch)
{
	struct finding_view *fv = v->data;

	if (sw_pager_request(&fv->pager, s, req, ch))
		return true;
	if (req == SW_REQ_SAVE)
		save_report(s);
	else if (req == SW_REQ_CANCEL && s->doctor_writing)
		sw_state_stop_doctor(s);
	else if (req == SW_REQ_ACCEPT)
		repair_it(s);
	else
		return false;
	return true;
}

static const struct sw_hint finding_hints[] = {
	{ SW_REQ_ACCEPT, N_("repair") }, { SW_REQ_PAGE_UP, NULL }, { SW_REQ_SAVE, N_("save") },
	{ SW_REQ_BACK, NULL }, { SW_REQ_NONE, NULL },
};

const struct sw_view_ops sw_screen_finding = {
	.title = N_("One finding"),
	.help = N_("\"seen\" is what the finding rests on, \"means\" what it leads to. Each "
		"write of the repair stands below it with its place. Enter asks once more before "
		"anything is written."),
	.size = sizeof(struct finding_view),
	.hints = finding_hints,
	.open = finding_open,
	.draw = finding_draw,
	.request = finding_request,
	.close = sw_pager_view_close,
	.mode = sw_pager_view_mode,
	.widget = sw_pager_view_widget,
};

/* Without a repair no hint promises one. */
static const struct sw_hint cause_hints[] = {
	{ SW_REQ_PAGE_UP, NULL }, { SW_REQ_SAVE, N_("save") }, { SW_REQ_BACK, NULL },
	{ SW_REQ_NONE, NULL },
};

const struct sw_view_ops sw_screen_cause = {
	.title = N_("One finding"),
	.help = N_("\"seen\" is what the finding rests on, \"means\" what it leads to, \"advice\" "
		"what a person can do: slipway cannot put it right from here."),
	.size = sizeof(struct finding_view),
	.hints = cause_hints,
	.open = finding_open,
	.draw = sw_pager_view_draw,
	.request = finding_request,
	.close = sw_pager_view_close,
	.mode = sw_pager_view_mode,
	.widget = sw_pager_view_widget,
};

/* ---- a damaged slot that only an image helps ---- */

static bool lacks_image_request(struct sw_view *v, struct sw_state *s, enum sw_request req,
				uint32_t ch)
{
	if (req != SW_REQ_ACCEPT)
		return finding_request(v, s, req, ch);
	sw_view_push(s, &sw_screen_image);
	return true;
}

static const struct sw_hint lacks_image_hints[] = {
	{ SW_REQ_ACCEPT, N_("an image") }, { SW_REQ_PAGE_UP, NULL }, { SW_REQ_SAVE, N_("save") },
	{ SW_REQ_BACK, NULL }, { SW_REQ_NONE, NULL },
};

const struct sw_view_ops sw_screen_lacks_image = {
	.title = N_("One finding"),
	.help = N_("No other slot is good enough to be copied from. Enter asks for an image: a "
		"file on the medium or the stick, or a URL. What is written is shown first, and "
		"nothing is written before the whole image is here and is the right one."),
	.size = sizeof(struct finding_view),
	.hints = lacks_image_hints,
	.open = finding_open,
	.draw = sw_pager_view_draw,
	.request = lacks_image_request,
	.close = sw_pager_view_close,
	.mode = sw_pager_view_mode,
	.widget = sw_pager_view_widget,
};

/* ---- an encrypted state that was not looked into ---- */

static bool closed_state_request(struct sw_view *v, struct sw_state *s, enum sw_request req,
				 uint32_t ch)
{
	if (req != SW_REQ_ACCEPT)
		return finding_request(v, s, req, ch);
	if (!s->doctor_writing)
		sw_view_push(s, &sw_screen_state_key);
	return true;
}

static const struct sw_hint closed_state_hints[] = {
	{ SW_REQ_ACCEPT, N_("look into it") }, { SW_REQ_PAGE_UP, NULL },
	{ SW_REQ_SAVE, N_("save") }, { SW_REQ_BACK, NULL }, { SW_REQ_NONE, NULL },
};

const struct sw_view_ops sw_screen_closed_state = {
	.title = N_("One finding"),
	.help = N_("That a state is encrypted is no fault. Enter asks for its recovery key, or "
		"lets this machine's TPM open it, and everything is looked at again, with what is "
		"inside. It is only read: nothing is assembled, mounted or written."),
	.size = sizeof(struct finding_view),
	.hints = closed_state_hints,
	.open = finding_open,
	.draw = sw_pager_view_draw,
	.request = closed_state_request,
	.close = sw_pager_view_close,
	.mode = sw_pager_view_mode,
	.widget = sw_pager_view_widget,
};
