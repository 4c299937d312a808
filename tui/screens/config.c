/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A node's own configuration on a stick: each file with its verdict, and below them what can be
 * done: import, undo, save.
 */
#include <string.h>

#include "base/catalogue.h"
#include "base/file.h"
#include "tui/screens/list-view.h"
#include "tui/screens/screens.h"
#include "tui/screens/tool-view.h"

enum { ROW_IMPORT = 100000, ROW_OPEN, ROW_UNDO, ROW_SAVE, ROW_SECRETS };

#define MAX_ITEM 42u	/* columns */

struct config_view {
	struct sw_list list;	/* first: see list-view.h */
	struct sw_tool tool;
	char question[300];	/* borrowed by the ask screen above */
};

static json_object *item_at(const struct config_view *cv, int i)
{
	json_object *list = sw_json_array(cv->tool.found, "items");

	return list && i >= 0 && i < ROW_IMPORT ? json_object_array_get_idx(list, (size_t)i) : NULL;
}

static const char *verdict(json_object *item)
{
	const char *v = sw_json_str(item, "verdict", "");

	return strcmp(v, "new") == 0 ? _("new") : strcmp(v, "same") == 0 ? _("same")
	       : strcmp(v, "differs") == 0 ? _("differs") : _("REFUSED");
}

static void add_action(struct config_view *cv, int id, const char *text, const char *off)
{
	const char *cols[] = { "", text };

	(void)sw_list_add(&cv->list, id, off, 2, cols);
}

static void fill(struct config_view *cv)
{
	const struct sw_list_row *row = sw_list_selected(&cv->list);
	int was = row ? row->id : ROW_IMPORT;
	json_object *found = cv->tool.found, *o;
	bool closed = false;

	sw_list_clear(&cv->list);
	cv->list.max_col = MAX_ITEM;
	if (!found)
		return;
	for (int i = 0; (o = item_at(cv, i)); i++) {
		const char *cols[] = { verdict(o), sw_json_str(o, "name", ""),
				       sw_json_str(o, "what", "") };

		closed |= strcmp(sw_json_str(o, "name", ""), "secrets.age") == 0;
		(void)sw_list_add(&cv->list, i, NULL, 3, cols);
	}
	if (item_at(cv, 0))
		add_action(cv, ROW_IMPORT, _("Import this"),
			   sw_json_u64(found, "changes", 0) ? NULL : _("nothing would change"));
	if (closed)
		add_action(cv, ROW_OPEN, _("Open secrets.age by its passphrase"), NULL);
	if (sw_json_bool(found, "last", false))
		add_action(cv, ROW_UNDO, _("Take the last import back"), NULL);
	add_action(cv, ROW_SAVE, _("Save this node's configuration"), NULL);
	add_action(cv, ROW_SECRETS, _("Save it with its secrets, encrypted"), NULL);
	sw_list_select(&cv->list, was);
}

static void config_open(struct sw_view *v, struct sw_state *s)
{
	struct config_view *cv = v->data;

	s->tool.passphrase = sw_secret_free(s->tool.passphrase);
	sw_tool_ask(&cv->tool, s, sw_tool_next(s, "config"));
}

static void config_refresh(struct sw_view *v, struct sw_state *s)
{
	struct config_view *cv = v->data;

	if (sw_tool_take(&cv->tool, s))
		fill(cv);
}

static void ask(struct config_view *cv, struct sw_state *s, const char *tool, const char *yes)
{
	sw_state_tool_todo(s, sw_tool_request(tool));
	sw_screen_ask_first(s, cv->question, yes, SW_WANT_TOOL_DO, false);
}

static void ask_import(struct config_view *cv, struct sw_state *s)
{
	json_object *found = cv->tool.found;
	unsigned long n = (unsigned long)sw_json_u64(found, "changes", 0);

	(void)snprintf(cv->question, sizeof(cv->question),
		       _n("Import from %s into the node data of %s?\n\n%lu file is taken; what "
			  "is refused is not. It can be taken back until this machine is "
			  "restarted.",
			  "Import from %s into the node data of %s?\n\n%lu files are taken; what "
			  "is refused is not. It can be taken back until this machine is "
			  "restarted.", n), sw_json_str(found, "from", "?"),
		       sw_json_str(found, "node", "?"), n);
	ask(cv, s, "config-import", _("Import"));
}

static json_object *save_request(bool secrets)
{
	json_object *o = sw_tool_request("config-save");

	sw_json_add_bool(o, "secrets", secrets);
	return o;
}

static void choose(struct config_view *cv, struct sw_state *s)
{
	const struct sw_list_row *row = sw_list_selected(&cv->list);

	if (!row || cv->tool.pending)
		return;
	if (row->off) {
		sw_state_refuse(s, "%s: %s.", row->col[1], row->off);
		return;
	}
	switch (row->id) {
	case ROW_IMPORT:
		ask_import(cv, s);
		break;
	case ROW_OPEN:
		sw_view_push(s, &sw_screen_passphrase);
		break;
	case ROW_UNDO:
		(void)snprintf(cv->question, sizeof(cv->question), "%s",
			       _("Write the node data back as they were before the last import?"));
		ask(cv, s, "config-undo", _("Take it back"));
		break;
	case ROW_SAVE:
		sw_tool_open(s, &sw_screen_place, save_request(false));
		break;
	case ROW_SECRETS:
		sw_tool_open(s, &sw_screen_passphrase, save_request(true));
		break;
	default:
		sw_state_notice(s, "Nothing is done with one file alone: import all, below.");
		break;
	}
}

static bool config_request(struct sw_view *v, struct sw_state *s, enum sw_request req, uint32_t ch)
{
	struct config_view *cv = v->data;

	if (sw_list_request(&cv->list, s, req, ch))
		return true;
	if (req == SW_REQ_ACCEPT)
		choose(cv, s);
	else if (req == SW_REQ_REFRESH)
		sw_tool_ask(&cv->tool, s, NULL);
	else
		return false;
	return true;
}

/* What the selected file would change, or why not. */
static unsigned int draw_item(json_object *o, struct sw_frame *f, unsigned int row,
			      unsigned int rows)
{
	const char *now = sw_json_str(o, "now", ""), *then = sw_json_str(o, "then", "");
	unsigned int used = 0;

	if (*now && used < rows)
		used += sw_frame_paragraph(f, row + used, 0, f->cols - 1, rows - used, now);
	if (*now && *then && used < rows)
		used += sw_frame_paragraph(f, row + used, 0, f->cols - 1, rows - used,
					   _("becomes"));
	if (*then && used < rows)
		used += sw_frame_paragraph(f, row + used, 0, f->cols - 1, rows - used, then);
	if (used < rows)
		used += sw_frame_paragraph(f, row + used, 0, f->cols - 1, rows - used,
					   sw_json_str(o, "why", ""));
	return used;
}

static unsigned int draw_head(const struct config_view *cv, struct sw_frame *f,
			      const struct sw_area *a)
{
	json_object *found = cv->tool.found;
	const char *missing = sw_json_str(found, "missing", NULL);
	_cleanup_free_ char *head = NULL;

	if (missing)
		return sw_frame_paragraph(f, a->row, 0, f->cols - 1, a->rows / 2, missing) + 1;
	head = sw_fmt(_("From %s, for the node %s:"), sw_json_str(found, "from", "?"),
		      sw_json_str(found, "node", "?"));
	sw_frame_put(f, a->row, 0, f->cols, 0, head);
	return 2;
}

/* Where nothing moves with a selection, each file says at once what it is. */
static void draw_all(const struct config_view *cv, struct sw_frame *f, unsigned int row)
{
	json_object *o;

	for (int i = 0; (o = item_at(cv, i)); i++) {
		sw_frame_putf(f, row++, 0, "%s: %s", sw_json_str(o, "name", ""), verdict(o));
		row += draw_item(o, f, row, f->rows > row ? f->rows - row : 0);
	}
}

static void config_draw(struct sw_view *v, const struct sw_state *s SW_UNUSED, struct sw_frame *f,
			const struct sw_area *a)
{
	struct config_view *cv = v->data;
	const struct sw_list_row *row = sw_list_selected(&cv->list);
	struct sw_area list = *a;
	unsigned int end = a->row + a->rows;

	if (sw_tool_draw_state(&cv->tool, f, a))
		return;
	list.row += draw_head(cv, f, a);
	list.rows = end > list.row + 5 ? end - list.row - 5 : 1;
	if (list.rows > cv->list.n)
		list.rows = (unsigned int)cv->list.n;
	list.row += sw_list_draw(&cv->list, f, &list, NULL) + 1;
	if (f->lines)
		draw_all(cv, f, list.row);
	else if (row && item_at(cv, row->id) && list.row < end)
		(void)draw_item(item_at(cv, row->id), f, list.row, end - list.row);
}

static void config_close(struct sw_view *v)
{
	struct config_view *cv = v->data;

	sw_list_clear(&cv->list);
	sw_tool_clear(&cv->tool);
}

static const struct sw_hint hints[] = {
	{ SW_REQ_UP, N_("Down choose") }, { SW_REQ_ACCEPT, NULL }, { SW_REQ_REFRESH, NULL },
	{ SW_REQ_BACK, NULL }, { SW_REQ_NONE, NULL },
};

const struct sw_view_ops sw_screen_config = {
	.title = N_("Configuration on a stick"),
	.help = N_("config/ on the medium, else on the stick labelled SLIPWAY: hostname, "
		   "machine-id, ssh/, network/, fstab, tls/, tokens/, files/ and secrets.age; "
		   "slipway(8) has them all. Each file is judged before anything is written. "
		   "What a node cannot take says why.\n\nAn import writes the node data and "
		   "nothing else. Secrets are sealed to the TPM, and leave this machine "
		   "encrypted by a passphrase or not at all."),
	.size = sizeof(struct config_view),
	.hints = hints,
	.open = config_open,
	.refresh = config_refresh,
	.draw = config_draw,
	.request = config_request,
	.close = config_close,
	.widget = sw_list_view_widget,
	.mode = sw_list_view_mode,
};
