/* SPDX-License-Identifier: Apache-2.0 */
/* A line that a tool needs: where something goes, whom a bundle is encrypted to, a passphrase. */
#include <string.h>

#include "base/age.h"
#include "base/catalogue.h"
#include "tui/screens/line-view.h"
#include "tui/screens/pager-view.h"
#include "tui/screens/screens.h"
#include "tui/screens/tool-view.h"

struct place_view {
	struct sw_line line;	/* first: see line-view.h */
	json_object *request;
	bool recipient;		/* handed back to the view below, as s->tool.next */
};

static void place_open(struct sw_view *v, struct sw_state *s)
{
	struct place_view *pv = v->data;

	pv->request = sw_tool_next(s, "copy");
	pv->recipient = strcmp(sw_json_str(pv->request, "tool", ""), "recipient") == 0;
	pv->line.max = 1000;
	(void)sw_line_set(&pv->line, pv->recipient ? sw_json_str(pv->request, "recipient", "")
						   : "stick");
}

static bool is_place(const char *text)
{
	return strcmp(text, "stick") == 0 || *text == '/' || strncmp(text, "http://", 7) == 0 ||
	       strncmp(text, "https://", 8) == 0;
}

static bool is_recipient(const char *text)
{
	return !*text || strncmp(text, "age1", 4) == 0 || strncmp(text, "ssh-", 4) == 0;
}

static void take(struct place_view *pv, struct sw_state *s)
{
	json_object *request = pv->request;

	if (pv->recipient ? !is_recipient(pv->line.text) : !is_place(pv->line.text)) {
		sw_state_refuse(s, pv->recipient
				? "A recipient is age1... or a whole SSH public key; empty: nobody."
				: "A place is stick, a path from / on, or an http:// or https:// "
				  "URL.");
		return;
	}
	pv->request = NULL;
	sw_json_add_str(request, pv->recipient ? "recipient" : "where", pv->line.text);
	if (pv->recipient) {
		json_object_put(s->tool.next);
		s->tool.next = request;
		sw_view_pop(s);
		return;
	}
	sw_state_tool_todo(s, request);
	sw_state_want_look(s, SW_LOOK_TOOL_DO);
	sw_view_pop(s);
	if (strcmp(sw_json_str(s->tool.todo, "tool", ""), "bundle-write") == 0)
		sw_view_push(s, &sw_screen_writing);
	else
		sw_state_notice(s, "Writing ...");
}

static bool place_request(struct sw_view *v, struct sw_state *s, enum sw_request req, uint32_t ch)
{
	struct place_view *pv = v->data;

	if (sw_line_request(&pv->line, req, ch, NULL))
		return true;
	if (req != SW_REQ_ACCEPT)
		return false;
	take(pv, s);
	return true;
}

static void place_draw(struct sw_view *v, const struct sw_state *s SW_UNUSED, struct sw_frame *f,
		       const struct sw_area *a)
{
	struct place_view *pv = v->data;
	unsigned int left = a->rows > 4 ? a->rows - 4 : 0;

	sw_frame_put(f, a->row, 0, f->cols, 0,
		     pv->recipient ? _("Encrypt to this age or SSH public key; empty: not at all:")
				   : _("Where to:"));
	sw_line_draw(&pv->line, f, a->row + 2, 0, f->cols - 1);
	if (!pv->recipient)
		(void)sw_frame_paragraph(f, a->row + 4, 0, f->cols - 1, left,
					 _("stick is the FAT partition labelled SLIPWAY of a "
					   "removable disk. A path is one of this system: on the "
					   "medium it is memory, and gone after a restart. A "
					   "server gets it by PUT."));
}

static void place_close(struct sw_view *v)
{
	struct place_view *pv = v->data;

	json_object_put(pv->request);
	sw_line_view_close(v);
}

static struct sw_widget place_widget(const struct sw_view *v)
{
	struct place_view *pv = v->data;

	return (struct sw_widget){ .kind = SW_WIDGET_LINE, .line = &pv->line };
}

static const struct sw_hint hints[] = {
	{ SW_REQ_ACCEPT, NULL }, { SW_REQ_BACK, NULL }, { SW_REQ_NONE, NULL },
};

const struct sw_view_ops sw_screen_place = {
	.title = N_("Where to"),
	.size = sizeof(struct place_view),
	.hints = hints,
	.open = place_open,
	.draw = place_draw,
	.request = place_request,
	.close = place_close,
	.widget = place_widget,
	.mode = sw_line_view_mode,
};

/* ---- a passphrase ---- */

struct passphrase_view {
	struct sw_line line;	/* first: see line-view.h */
	json_object *then;	/* what it is for, once it is there; NULL: to look again */
};

static void passphrase_open(struct sw_view *v, struct sw_state *s)
{
	struct passphrase_view *pv = v->data;

	pv->then = s->tool.next;
	s->tool.next = NULL;
	sw_secret_line_open(&pv->line, SW_PASSPHRASE_MAX, s);
}

static void keep(struct passphrase_view *pv, struct sw_state *s)
{
	_cleanup_secret_ struct sw_secret *typed = NULL;
	json_object *then = pv->then;
	struct sw_error err = { 0 };
	int r = pv->line.text && *pv->line.text ? sw_secret_line_take(&pv->line, &typed, &err) : 0;

	if (r == 0 && then)
		r = sw_passphrase_check(typed, &err);
	if (r < 0) {
		sw_state_refuse(s, "%s: %s", err.what, err.why);
		return;
	}
	sw_secret_free(s->tool.passphrase);
	s->tool.passphrase = TAKE_PTR(typed);
	pv->then = NULL;
	s->tool.done += !then;	/* the view below looks again */
	sw_view_pop(s);
	if (then)
		sw_tool_open(s, &sw_screen_place, then);
}

static bool passphrase_request(struct sw_view *v, struct sw_state *s, enum sw_request req,
			       uint32_t ch)
{
	struct passphrase_view *pv = v->data;

	if (sw_secret_line_request(&pv->line, req, ch))
		return true;
	if (req != SW_REQ_ACCEPT)
		return false;
	keep(pv, s);
	return true;
}

static void passphrase_draw(struct sw_view *v, const struct sw_state *s, struct sw_frame *f,
			    const struct sw_area *a)
{
	struct passphrase_view *pv = v->data;

	sw_frame_put(f, a->row, 0, f->cols, 0,
		     pv->then ? _("A passphrase for the secrets, of 12 characters or more:")
			      : _("The passphrase that the secrets were saved with:"));
	sw_line_draw(&pv->line, f, a->row + 2, 0, f->cols - 1);
	if (s->pen_serial && a->rows > 5)
		(void)sw_frame_paragraph(f, a->row + 4, 0, f->cols - 1, a->rows - 4,
					 _("This is a serial line: whoever records it will have "
					   "the passphrase. Another console can take the pen with "
					   "F9 or ^K."));
}

static void passphrase_close(struct sw_view *v)
{
	struct passphrase_view *pv = v->data;

	json_object_put(pv->then);
	sw_line_view_close(v);
}

const struct sw_view_ops sw_screen_passphrase = {
	.title = N_("Passphrase"),
	.help = N_("It encrypts or opens secrets.age, by age. It is in no log and no file, and it "
		   "is shown at this console alone, there as stars."),
	.for_pen = true,
	.size = sizeof(struct passphrase_view),
	.hints = sw_secret_line_hints,
	.open = passphrase_open,
	.draw = passphrase_draw,
	.request = passphrase_request,
	.close = passphrase_close,
	.widget = sw_secret_line_widget,
	.mode = sw_line_view_mode,
};

/* ---- what was written ---- */

static void result_open(struct sw_view *v, struct sw_state *s)
{
	struct sw_pager_view *pv = v->data;

	sw_pager_set(&pv->pager, sw_json_dup(s->looks[SW_LOOK_TOOL_DO].found, "text"));
}

static bool result_request(struct sw_view *v, struct sw_state *s, enum sw_request req, uint32_t ch)
{
	return sw_pager_view_request(v, s, req, ch, SW_REQ_LEFT);
}

static const struct sw_hint result_hints[] = {
	{ SW_REQ_ACCEPT, NULL }, { SW_REQ_PAGE_DOWN, NULL }, { SW_REQ_BACK, NULL },
	{ SW_REQ_NONE, NULL },
};

const struct sw_view_ops sw_screen_tool_result = {
	.title = N_("Written"),
	.help = N_("The code is made of the file's hash: two people who compare it by voice have "
		   "the same file. The block between its two lines is the findings in short; a log "
		   "of this console that has it is enough to read them."),
	.size = sizeof(struct sw_pager_view),
	.hints = result_hints,
	.open = result_open,
	.draw = sw_pager_view_draw,
	.request = result_request,
	.close = sw_pager_view_close,
	.widget = sw_pager_view_widget,
	.mode = sw_pager_view_mode,
};
