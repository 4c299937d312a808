/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/session/keys.h"

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
	[SW_REQ_TEXT] = "enter text",
	[SW_REQ_UP] = "up",
	[SW_REQ_DOWN] = "down",
	[SW_REQ_PAGE_UP] = "page up",
	[SW_REQ_PAGE_DOWN] = "page down",
	[SW_REQ_HOME] = "first",
	[SW_REQ_END] = "last",
	[SW_REQ_LEFT] = "left",
	[SW_REQ_RIGHT] = "right",
	[SW_REQ_NEXT] = "next field",
	[SW_REQ_PREVIOUS] = "previous field",
	[SW_REQ_BACKSPACE] = "delete before the cursor",
	[SW_REQ_DELETE] = "delete at the cursor",
	[SW_REQ_KILL] = "empty the field",
	[SW_REQ_ACCEPT] = "go on",
	[SW_REQ_BACK] = "back",
	[SW_REQ_SEARCH] = "search",
	[SW_REQ_SEARCH_NEXT] = "search again",
	[SW_REQ_DETAILS] = "details",
	[SW_REQ_LOG] = "log",
	[SW_REQ_SAVE] = "save",
	[SW_REQ_RETRY] = "retry",
	[SW_REQ_REFRESH] = "look again",
	[SW_REQ_CANCEL] = "cancel",
	[SW_REQ_HELP] = "help",
	[SW_REQ_REDRAW] = "redraw",
	[SW_REQ_PEN] = "take the pen",
	[SW_REQ_QUIT] = "leave",
};

static const struct {
	uint32_t key;
	const char *name;
} key_names[] = {
	{ SW_KEY_UP, "Up" }, { SW_KEY_DOWN, "Down" }, { SW_KEY_LEFT, "Left" },
	{ SW_KEY_RIGHT, "Right" }, { SW_KEY_HOME, "Home" }, { SW_KEY_END, "End" },
	{ SW_KEY_PAGE_UP, "PgUp" }, { SW_KEY_PAGE_DOWN, "PgDn" }, { SW_KEY_DELETE, "Del" },
	{ SW_KEY_BACKSPACE, "Backspace" }, { SW_KEY_BACK_TAB, "Shift-Tab" },
	{ SW_KEY_F1, "F1" }, { SW_KEY_F9, "F9" }, { SW_KEY_ESC, "Esc" }, { '\r', "Enter" },
	{ '\t', "Tab" }, { ' ', "Space" },
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
			snprintf(name, 16, "%s", key_names[i].name);
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
	return req < SW_N_REQUESTS && words[req] ? words[req] : "";
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
