/* SPDX-License-Identifier: Apache-2.0 */
/* A shell in the node's state: what is there, what opening it will do, and consent. */
#include <string.h>

#include "base/catalogue.h"
#include "tui/screens/list-view.h"
#include "tui/screens/screens.h"
#include "tui/screens/tool-view.h"
#include "tui/session/wire.h"

enum { ROW_READ, ROW_WRITE };

struct inside_view {
	struct sw_list list;	/* first: see list-view.h */
	struct sw_tool tool;
	char question[700];	/* borrowed by the ask screen above */
};

static void add(struct inside_view *iv, int id, const char *text, const char *off)
{
	(void)sw_list_add(&iv->list, id, off, 1, &text);
}

static void fill(struct inside_view *iv, const struct sw_state *s)
{
	const struct sw_list_row *row = sw_list_selected(&iv->list);
	const int was = row ? row->id : ROW_READ;
	const char *none = s->has_shell ? NULL : _("this system has none");

	sw_list_clear(&iv->list);
	if (!iv->tool.found)
		return;
	add(iv, ROW_READ, _("Open a shell, read-only"), none);
	add(iv, ROW_WRITE, _("Open a shell that can write"),
	    none ? none : sw_json_bool(iv->tool.found, "mirror", false)
				  ? _("it is one member of a mirror") : NULL);
	sw_list_select(&iv->list, was);
}

static void inside_open(struct sw_view *v, struct sw_state *s)
{
	struct inside_view *iv = v->data;

	sw_tool_ask(&iv->tool, s, sw_tool_next(s, "inside"));
}

static void inside_refresh(struct sw_view *v, struct sw_state *s)
{
	struct inside_view *iv = v->data;

	if (sw_tool_take(&iv->tool, s))
		fill(iv, s);
}

static void ask(struct inside_view *iv, struct sw_state *s, bool write)
{
	const bool damaged = write && sw_json_bool(iv->tool.found, "damaged", false);

	s->state_shell = SW_SHELL_STATE_FLAG | (write ? SW_SHELL_WRITE_FLAG : 0) |
			 (damaged ? SW_SHELL_DAMAGED_FLAG : 0);
	(void)snprintf(iv->question, sizeof(iv->question), "%s%s%s",
		       damaged ? _("The file system is damaged: what is written now makes it "
				   "worse, and what is lost by that does not come back. Repair it "
				   "first.\n\n") : "",
		       write ? _("Open a shell that can write in the state? Nothing that is "
				 "changed there can be taken back.")
			     : _("Open a shell in the state? It can read everything there, and "
				 "change not one byte of it."),
		       s->facts && s->facts->tpm_present
			       ? _("\n\nThe TPM's keys are given up before it starts: until this "
				   "machine is restarted nothing that is sealed to the TPM opens, "
				   "and no install can encrypt.") : "");
	sw_screen_ask_first(s, iv->question, _("Open a shell"), SW_WANT_STATE_SHELL, false);
}

static bool inside_request(struct sw_view *v, struct sw_state *s, enum sw_request req, uint32_t ch)
{
	struct inside_view *iv = v->data;
	const struct sw_list_row *row;

	if (sw_list_request(&iv->list, s, req, ch))
		return true;
	row = sw_list_selected(&iv->list);
	if (req == SW_REQ_REFRESH)
		sw_tool_ask(&iv->tool, s, NULL);
	else if (req != SW_REQ_ACCEPT || !row || iv->tool.pending)
		return false;
	else if (row->off)
		sw_state_refuse(s, "%s: %s.", row->col[0], row->off);
	else
		ask(iv, s, row->id == ROW_WRITE);
	return true;
}

static void inside_draw(struct sw_view *v, const struct sw_state *s SW_UNUSED, struct sw_frame *f,
			const struct sw_area *a)
{
	struct inside_view *iv = v->data;
	struct sw_area list = *a;
	unsigned int end = a->row + a->rows;

	if (sw_tool_draw_state(&iv->tool, f, a))
		return;
	list.row += sw_frame_paragraph(f, a->row, 0, f->cols - 1, a->rows / 2,
				       sw_json_str(iv->tool.found, "text", "")) + 1;
	list.rows = (unsigned int)iv->list.n;
	list.row += sw_list_draw(&iv->list, f, &list, NULL) + 1;
	if (list.row < end)
		(void)sw_frame_paragraph(f, list.row, 0, f->cols - 1, end - list.row,
			_("It is mounted for this shell alone. Where it holds a system whose "
			  "/bin/sh runs, the shell is that system's, in a chroot; else this "
			  "system's shell starts in it. With the shell, or with its console, it "
			  "is closed again, and what was done is said."));
}

static void inside_close(struct sw_view *v)
{
	struct inside_view *iv = v->data;

	sw_list_clear(&iv->list);
	sw_tool_clear(&iv->tool);
}

static const struct sw_hint hints[] = {
	{ SW_REQ_UP, N_("Down choose") }, { SW_REQ_ACCEPT, NULL }, { SW_REQ_REFRESH, NULL },
	{ SW_REQ_BACK, NULL }, { SW_REQ_NONE, NULL },
};

const struct sw_view_ops sw_screen_inside = {
	.title = N_("Shell in the state"),
	.help = N_("The state is opened first, encrypted ones by the TPM or by the recovery key, "
		   "which is typed on this terminal and not shown. Then the TPM's keys are given "
		   "up, and only then the shell starts.\n\nRead-only means that the kernel cannot "
		   "write there, not even to replay a journal: what was written last before a "
		   "power cut may then be missing. A file system that is damaged is repaired "
		   "before anything is written to it.\n\n`slipway shell --state` does the same."),
	.size = sizeof(struct inside_view),
	.hints = hints,
	.open = inside_open,
	.refresh = inside_refresh,
	.draw = inside_draw,
	.request = inside_request,
	.close = inside_close,
	.widget = sw_list_view_widget,
	.mode = sw_list_view_mode,
};
