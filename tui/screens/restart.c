/* SPDX-License-Identifier: Apache-2.0 */
/* A restart, and where it goes: as the firmware has it, into its setup, or once to one entry. */
#include <string.h>

#include "base/catalogue.h"
#include "base/json.h"
#include "tui/screens/list-view.h"
#include "tui/screens/screens.h"
#include "tui/session/state.h"

#define MAX_ITEM 44u		/* columns: the reason has a place behind it */

struct restart {
	struct sw_list list;	/* first: see list-view.h */
	char question[240];	/* borrowed by the ask screen above */
};

static const struct sw_look *look(const struct sw_state *s)
{
	return &s->looks[SW_LOOK_RESTART];
}

/* Why neither the setup nor an entry can be chosen; NULL: they can. */
static const char *all_off(const struct sw_state *s)
{
	return look(s)->pending	     ? _("looking ...")
	       : look(s)->error.what[0] ? look(s)->error.what
	       : look(s)->found	     ? NULL : _("it is not known yet");
}

static void add_entries(struct restart *rs, json_object *list)
{
	for (size_t i = 0; list && i < json_object_array_length(list); i++) {
		json_object *e = json_object_array_get_idx(list, i);
		int number = (int)sw_json_u64(e, "number", 0);
		char text[120];
		const char *cols[] = { text };

		(void)snprintf(text, sizeof(text), _("Once from Boot%04X %s"),
			       (unsigned int)number, sw_json_str(e, "label", ""));
		(void)sw_list_add(&rs->list, number, sw_json_str(e, "off", NULL), 1, cols);
	}
}

static void restart_refresh(struct sw_view *v, struct sw_state *s)
{
	struct restart *rs = v->data;
	const struct sw_list_row *row = sw_list_selected(&rs->list);
	int was = row ? row->id : SW_RESTART_PLAIN;
	const char *off = all_off(s), *cols[] = { _("Into the firmware's setup") };

	sw_list_clear(&rs->list);
	rs->list.max_col = MAX_ITEM;
	sw_list_add_text(&rs->list, SW_RESTART_PLAIN, _("As the firmware has it"));
	if (!off)
		off = sw_json_str(look(s)->found, "setup_off", NULL);
	(void)sw_list_add(&rs->list, SW_RESTART_SETUP, off, 1, cols);
	if (look(s)->found)
		add_entries(rs, sw_json_array(look(s)->found, "entries"));
	sw_list_select(&rs->list, was);
}

static void restart_open(struct sw_view *v SW_UNUSED, struct sw_state *s)
{
	sw_state_want_look(s, SW_LOOK_RESTART);
}

static void choose(struct restart *rs, struct sw_state *s)
{
	const struct sw_list_row *row = sw_list_selected(&rs->list);

	if (!row)
		return;
	if (row->off) {
		sw_state_refuse(s, "%s: %s.", row->col[0], row->off);
		return;
	}
	s->restart_to = row->id;
	if (row->id == SW_RESTART_PLAIN) {
		sw_screen_ask_first(s, _("Restart this machine now?"), _("Restart"), SW_WANT_REBOOT,
				    false);
		return;
	}
	(void)snprintf(rs->question, sizeof(rs->question),
		       _("Restart this machine now? %s: that holds for one start only; the order "
			 "of the boot entries stays."), row->col[0]);
	sw_screen_ask_first(s, rs->question, _("Restart"), SW_WANT_RESTART_TO, false);
}

static bool restart_request(struct sw_view *v, struct sw_state *s, enum sw_request req, uint32_t ch)
{
	struct restart *rs = v->data;

	if (sw_list_request(&rs->list, s, req, ch))
		return true;
	if (req == SW_REQ_ACCEPT)
		choose(rs, s);
	else if (req == SW_REQ_REFRESH)
		restart_open(v, s);
	else
		return false;
	return true;
}

static void restart_draw(struct sw_view *v, const struct sw_state *s SW_UNUSED,
			 struct sw_frame *f, const struct sw_area *a)
{
	struct restart *rs = v->data;

	(void)sw_list_draw(&rs->list, f, a, NULL);
}

static const struct sw_hint hints[] = {
	{ SW_REQ_UP, N_("Down choose") }, { SW_REQ_ACCEPT, N_("restart") },
	{ SW_REQ_REFRESH, NULL }, { SW_REQ_BACK, NULL }, { SW_REQ_NONE, NULL },
};

const struct sw_view_ops sw_screen_restart = {
	.title = N_("Restart"),
	.help = N_("The firmware's setup and a start from one entry are wishes for the next start "
		"alone; the firmware forgets them afterwards. An entry whose number is only in the "
		"order, or whose partition is gone, cannot be chosen. Enter asks once more before "
		"anything is written and the machine restarts."),
	.size = sizeof(struct restart),
	.hints = hints,
	.open = restart_open,
	.refresh = restart_refresh,
	.draw = restart_draw,
	.request = restart_request,
	.close = sw_list_view_close,
	.widget = sw_list_view_widget,
	.mode = sw_list_view_mode,
};
