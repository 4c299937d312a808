/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/session/keys.h"
#include "base/catalogue.h"

#include <string.h>

#define BOTH (SW_MODE_KEYS | SW_MODE_TEXT)

struct binding {
	uint32_t key;
	enum sw_request req;
	unsigned int modes;
};

/* The first binding of a request in a mode is the one that hints show. */
static const struct binding bindings[] = {
	{ SW_KEY_UP, SW_REQ_UP, BOTH },
	{ SW_CTRL('p'), SW_REQ_UP, BOTH },
	{ 'k', SW_REQ_UP, SW_MODE_KEYS },
	{ SW_KEY_DOWN, SW_REQ_DOWN, BOTH },
	{ SW_CTRL('n'), SW_REQ_DOWN, BOTH },
	{ 'j', SW_REQ_DOWN, SW_MODE_KEYS },
	{ SW_KEY_PAGE_UP, SW_REQ_PAGE_UP, BOTH },
	{ '-', SW_REQ_PAGE_UP, SW_MODE_KEYS },
	{ 'b', SW_REQ_PAGE_UP, SW_MODE_KEYS },
	{ SW_KEY_PAGE_DOWN, SW_REQ_PAGE_DOWN, BOTH },
	{ SW_CTRL('f'), SW_REQ_PAGE_DOWN, BOTH },
	{ ' ', SW_REQ_PAGE_DOWN, SW_MODE_KEYS },
	{ SW_KEY_HOME, SW_REQ_HOME, BOTH },
	{ 'g', SW_REQ_HOME, SW_MODE_KEYS },
	{ SW_KEY_END, SW_REQ_END, BOTH },
	{ SW_CTRL('e'), SW_REQ_END, SW_MODE_TEXT },
	{ 'G', SW_REQ_END, SW_MODE_KEYS },
	{ SW_KEY_LEFT, SW_REQ_LEFT, BOTH },
	{ SW_KEY_RIGHT, SW_REQ_RIGHT, BOTH },
	{ '\t', SW_REQ_NEXT, BOTH },
	{ SW_KEY_BACK_TAB, SW_REQ_PREVIOUS, BOTH },
	{ SW_KEY_BACKSPACE, SW_REQ_BACKSPACE, BOTH },
	{ 0x7f, SW_REQ_BACKSPACE, BOTH },
	{ SW_CTRL('h'), SW_REQ_BACKSPACE, BOTH },
	{ SW_KEY_DELETE, SW_REQ_DELETE, BOTH },
	{ SW_CTRL('d'), SW_REQ_DELETE, SW_MODE_TEXT },
	{ SW_CTRL('u'), SW_REQ_KILL, BOTH },
	{ '\r', SW_REQ_ACCEPT, BOTH },
	{ '\n', SW_REQ_ACCEPT, BOTH },
	{ SW_KEY_ESC, SW_REQ_BACK, BOTH },
	{ SW_CTRL('x'), SW_REQ_BACK, BOTH },
	{ SW_CTRL('b'), SW_REQ_BACK, BOTH },	/* one more: tmux takes it */
	{ '/', SW_REQ_SEARCH, SW_MODE_KEYS },
	{ 'n', SW_REQ_SEARCH_NEXT, SW_MODE_KEYS },
	{ 'd', SW_REQ_DETAILS, SW_MODE_KEYS },
	{ 'l', SW_REQ_LOG, SW_MODE_KEYS },
	{ 's', SW_REQ_SAVE, SW_MODE_KEYS },
	{ SW_CTRL('w'), SW_REQ_SAVE, BOTH },
	{ 'r', SW_REQ_RETRY, SW_MODE_KEYS },
	{ 'u', SW_REQ_REFRESH, SW_MODE_KEYS },
	{ 'p', SW_REQ_PAUSE, SW_MODE_KEYS },
	{ 'c', SW_REQ_CANCEL, SW_MODE_KEYS },
	{ SW_CTRL('c'), SW_REQ_CANCEL, BOTH },
	{ '?', SW_REQ_HELP, SW_MODE_KEYS },
	{ SW_CTRL('g'), SW_REQ_HELP, BOTH },
	{ SW_KEY_F1, SW_REQ_HELP, BOTH },
	{ SW_CTRL('l'), SW_REQ_REDRAW, BOTH },
	{ SW_KEY_F9, SW_REQ_PEN, BOTH },
	{ SW_CTRL('k'), SW_REQ_PEN, BOTH },
	{ 'q', SW_REQ_QUIT, SW_MODE_KEYS },
};

static const char *const words[SW_N_REQUESTS] = {
	[SW_REQ_TEXT] = N_("enter text"),
	[SW_REQ_UP] = N_("up"),
	[SW_REQ_DOWN] = N_("down"),
	[SW_REQ_PAGE_UP] = N_("page up"),
	[SW_REQ_PAGE_DOWN] = N_("page down"),
	[SW_REQ_HOME] = N_("first"),
	[SW_REQ_END] = N_("last"),
	[SW_REQ_LEFT] = N_("left"),
	[SW_REQ_RIGHT] = N_("right"),
	[SW_REQ_NEXT] = N_("next field"),
	[SW_REQ_PREVIOUS] = N_("previous field"),
	[SW_REQ_BACKSPACE] = N_("delete before the cursor"),
	[SW_REQ_DELETE] = N_("delete at the cursor"),
	[SW_REQ_KILL] = N_("empty the field"),
	[SW_REQ_ACCEPT] = N_("go on"),
	[SW_REQ_BACK] = N_("back"),
	[SW_REQ_SEARCH] = N_("search"),
	[SW_REQ_SEARCH_NEXT] = N_("search again"),
	[SW_REQ_DETAILS] = N_("details"),
	[SW_REQ_LOG] = N_("log"),
	[SW_REQ_SAVE] = N_("save"),
	[SW_REQ_RETRY] = N_("retry"),
	[SW_REQ_REFRESH] = N_("look again"),
	[SW_REQ_PAUSE] = N_("pause, go on"),
	[SW_REQ_CANCEL] = N_("cancel"),
	[SW_REQ_HELP] = N_("help"),
	[SW_REQ_REDRAW] = N_("redraw"),
	[SW_REQ_PEN] = N_("take the pen"),
	[SW_REQ_QUIT] = N_("leave"),
};

static const struct {
	uint32_t key;
	const char *name;
} key_names[] = {
	{ SW_KEY_UP, N_("Up") }, { SW_KEY_DOWN, N_("Down") }, { SW_KEY_LEFT, N_("Left") },
	{ SW_KEY_RIGHT, N_("Right") }, { SW_KEY_HOME, N_("Home") }, { SW_KEY_END, N_("End") },
	{ SW_KEY_PAGE_UP, N_("PgUp") }, { SW_KEY_PAGE_DOWN, N_("PgDn") },
	{ SW_KEY_DELETE, N_("Del") }, { SW_KEY_BACKSPACE, N_("Backspace") },
	{ SW_KEY_BACK_TAB, N_("Shift-Tab") },
	{ SW_KEY_F1, N_("F1") }, { SW_KEY_F9, N_("F9") }, { SW_KEY_ESC, N_("Esc") },
	{ '\r', N_("Enter") }, { '\t', N_("Tab") }, { ' ', N_("Space") },
};

enum sw_request sw_key_request(uint32_t key, enum sw_key_mode mode)
{
	for (size_t i = 0; i < ARRAY_SIZE(bindings); i++)
		if (bindings[i].key == key && (bindings[i].modes & mode))
			return bindings[i].req;
	if (mode == SW_MODE_TEXT && key >= ' ' && key < SW_KEY_UP)
		return SW_REQ_TEXT;
	return SW_REQ_NONE;
}

/* 0x7f and newline are the same key to a person as Backspace and Enter. */
static bool key_name(uint32_t key, char name[static 16])
{
	for (size_t i = 0; i < ARRAY_SIZE(key_names); i++)
		if (key_names[i].key == key) {
			snprintf(name, 16, "%s", _(key_names[i].name));
			return true;
		}
	if (key == 0x7f || key == '\n')
		return false;
	if (key < ' ')
		snprintf(name, 16, "^%c", (char)(key + '@'));
	else if (key < 0x7f)
		snprintf(name, 16, "%c", (char)key);
	else
		return false;
	return true;
}

bool sw_request_key(enum sw_request req, enum sw_key_mode mode, char ret_name[static 16])
{
	for (size_t i = 0; i < ARRAY_SIZE(bindings); i++)
		if (bindings[i].req == req && (bindings[i].modes & mode) &&
		    key_name(bindings[i].key, ret_name))
			return true;
	return false;
}

const char *sw_request_word(enum sw_request req)
{
	return req < SW_N_REQUESTS && words[req] ? _(words[req]) : "";
}

int sw_request_keys(enum sw_request req, enum sw_key_mode mode, struct sw_buf *b)
{
	char name[16];
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(bindings) && r == 0; i++)
		if (bindings[i].req == req && (bindings[i].modes & mode) &&
		    key_name(bindings[i].key, name))
			r = sw_buf_addf(b, "%s%s", b->len ? " " : "", name);
	return r;
}
