/* SPDX-License-Identifier: Apache-2.0 */
/* The files and the secrets that the answers give to the node: each on a row, to be changed. */
#include <string.h>

#include "base/catalogue.h"
#include "base/file.h"
#include "payload/payload.h"
#include "tui/screens/list-view.h"
#include "tui/screens/screens.h"
#include "tui/session/state.h"

enum { ROW_SECRETS = 100, ROW_ADD_FILE = 1000, ROW_ADD_SECRET, ROW_DONE };

#define MAX_NAME 42u	/* columns */

struct site {
	struct sw_list list;	/* first: see list-view.h */
	int to_remove;		/* 1 + the row that goes when it is asked for again */
};

/* The list that a row is about, and which item of it; SW_HOME_ANSWERS: none. */
static enum sw_field_home item_of(const struct sw_list_row *row, size_t *ret_i)
{
	if (!row || row->id >= ROW_ADD_FILE)
		return SW_HOME_ANSWERS;
	*ret_i = (size_t)(row->id >= ROW_SECRETS ? row->id - ROW_SECRETS : row->id);
	return row->id >= ROW_SECRETS ? SW_HOME_SECRET : SW_HOME_FILE;
}

/* What is wrong with an item, where anything is; malloc'd. */
static char *wrong(const struct sw_state *s, enum sw_field_home home, size_t i)
{
	const struct sw_field *field;
	struct sw_error err = { 0 };

	if (sw_answers_check_item(s->answers, home, i, &field, &err) == 0)
		return sw_state_has_drafts(s, home, i)
			       ? sw_fmt("! %s", _("what was typed is not allowed yet")) : NULL;
	return sw_fmt("! %s", sw_error_reason(&err));
}

static void add_row(struct site *sv, int id, const char *kind, const char *name, const char *from,
		    const char *why)
{
	const char *cols[] = { kind, name ? name : "-", why ? why : from };

	(void)sw_list_add(&sv->list, id, NULL, 3, cols);
}

static void add_file(struct site *sv, const struct sw_state *s, size_t i)
{
	const struct sw_node_file *f = sw_answers_item(s->answers, SW_HOME_FILE, i);
	_cleanup_free_ char *why = wrong(s, SW_HOME_FILE, i);
	_cleanup_free_ char *source = f->source ? sw_source_show(f->source) : NULL;
	const unsigned long n = f->text ? strlen(f->text) : 0;
	_cleanup_free_ char *from = source ? sw_fmt(_("%s from %s"), f->mode ? f->mode : "0644",
						    source)
					   : sw_fmt(_n("%s text of %lu byte",
						       "%s text of %lu bytes", n),
						    f->mode ? f->mode : "0644", n);

	add_row(sv, (int)i, _("file"), f->path, from, why);
}

/* Where it is; what it is, nobody here knows. */
static void add_secret(struct site *sv, const struct sw_state *s, size_t i)
{
	const struct sw_site_secret *c = sw_answers_item(s->answers, SW_HOME_SECRET, i);
	_cleanup_free_ char *why = wrong(s, SW_HOME_SECRET, i), *from = NULL;

	from = c->credential ? sw_fmt(_("credential %s"), c->credential)
	       : c->sealed   ? sw_fmt(_("sealed in %s"), c->sealed)
			     : sw_fmt(_("from %s"), c->file ? c->file : "-");
	add_row(sv, ROW_SECRETS + (int)i, _("secret"), c->name, from, why);
}

static void add_action(struct site *sv, int id, const char *text, const char *off)
{
	const char *cols[] = { "", text, "" };

	(void)sw_list_add(&sv->list, id, off, 3, cols);
}

static const char *why_no_more(const struct sw_state *s, enum sw_field_home home)
{
	if (sw_answers_diskless(s->answers))
		return _("a node without a disk has no place for it");
	return sw_answers_items(s->answers, home) < sw_answers_max_items(home)
		       ? NULL : _("there are at most 16");
}

static void fill(struct site *sv, const struct sw_state *s)
{
	const struct sw_list_row *row = sw_list_selected(&sv->list);
	size_t at = sv->list.sel;
	int was = row ? row->id : 0;

	sw_list_clear(&sv->list);
	sv->list.max_col = MAX_NAME;
	for (size_t i = 0; i < sw_answers_items(s->answers, SW_HOME_FILE); i++)
		add_file(sv, s, i);
	for (size_t i = 0; i < sw_answers_items(s->answers, SW_HOME_SECRET); i++)
		add_secret(sv, s, i);
	add_action(sv, ROW_ADD_FILE, _("Add a file"), why_no_more(s, SW_HOME_FILE));
	add_action(sv, ROW_ADD_SECRET, _("Add a secret"), why_no_more(s, SW_HOME_SECRET));
	add_action(sv, ROW_DONE, _("Done"), NULL);
	/* Where a row was taken away the mark stays where it is. */
	sv->list.sel = at < sv->list.n ? at : 0;
	sw_list_select(&sv->list, was);
}

static void site_refresh(struct sw_view *v, struct sw_state *s)
{
	struct site *sv = v->data;

	sv->to_remove = 0;
	fill(sv, s);
}

static void open_form(struct sw_state *s, enum sw_field_home home, size_t i)
{
	s->item = i;
	sw_view_push(s, home == SW_HOME_FILE ? &sw_screen_site_file : &sw_screen_site_secret);
}

/* A review below shows a plan without what was changed here. */
static void leave(struct sw_state *s)
{
	if (sw_view_is_open(s, &sw_screen_review))
		sw_state_want_plan(s);
	sw_view_pop(s);
}

static void choose(struct site *sv, struct sw_state *s)
{
	const struct sw_list_row *row = sw_list_selected(&sv->list);
	size_t i = 0;
	enum sw_field_home home = item_of(row, &i);

	if (!row)
		return;
	if (row->off)
		sw_state_refuse(s, "%s: %s.", row->col[1], row->off);
	else if (home != SW_HOME_ANSWERS)
		open_form(s, home, i);
	else if (row->id == ROW_ADD_FILE)
		open_form(s, SW_HOME_FILE, sw_answers_items(s->answers, SW_HOME_FILE));
	else if (row->id == ROW_ADD_SECRET)
		open_form(s, SW_HOME_SECRET, sw_answers_items(s->answers, SW_HOME_SECRET));
	else
		leave(s);
}

/* Only when it is asked for twice: a text that was typed has no other copy. */
static void take_away(struct site *sv, struct sw_state *s)
{
	const struct sw_list_row *row = sw_list_selected(&sv->list);
	size_t i = 0;
	enum sw_field_home home = item_of(row, &i);

	if (home == SW_HOME_ANSWERS) {
		sw_state_refuse(s, "This is no file and no secret.");
	} else if (sv->to_remove != row->id + 1) {
		sv->to_remove = row->id + 1;
		sw_state_notice(s, "Ask for it once more, and %s is taken away.", row->col[1]);
	} else {
		sw_state_notice(s, "%s is taken away.", row->col[1]);
		sw_state_drop_item(s, home, i);
		sv->to_remove = 0;
		fill(sv, s);
	}
}

static bool site_request(struct sw_view *v, struct sw_state *s, enum sw_request req, uint32_t ch)
{
	struct site *sv = v->data;

	if (req != SW_REQ_RETRY)
		sv->to_remove = 0;
	if (sw_list_request(&sv->list, s, req, ch))
		return true;
	if (req == SW_REQ_ACCEPT)
		choose(sv, s);
	else if (req == SW_REQ_RETRY)
		take_away(sv, s);
	else if (req == SW_REQ_BACK || req == SW_REQ_CANCEL || req == SW_REQ_QUIT)
		leave(s);
	else
		return false;
	return true;
}

static void site_draw(struct sw_view *v, const struct sw_state *s SW_UNUSED, struct sw_frame *f,
		      const struct sw_area *a)
{
	struct site *sv = v->data;

	(void)sw_list_draw(&sv->list, f, a, NULL);
}

static const struct sw_hint hints[] = {
	{ SW_REQ_UP, N_("Down choose") }, { SW_REQ_ACCEPT, N_("change") },
	{ SW_REQ_RETRY, N_("remove") }, { SW_REQ_BACK, NULL }, { SW_REQ_NONE, NULL },
};

const struct sw_view_ops sw_screen_site = {
	.title = N_("Files and secrets of the node"),
	.help = N_("Files that the node finds in its root at each start, and secrets that the "
		   "install seals to its TPM. Nothing is read or written now: the review names "
		   "each, and the install fetches them before its first write.\n\nOf a secret "
		   "only the place is said here, never the secret itself. The answer file has "
		   "them as node.files and secrets."),
	.size = sizeof(struct site),
	.hints = hints,
	.open = site_refresh,
	.refresh = site_refresh,
	.draw = site_draw,
	.request = site_request,
	.close = sw_list_view_close,
	.widget = sw_list_view_widget,
	.mode = sw_list_view_mode,
};
