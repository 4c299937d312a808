/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys and what they ask for. A viewer reports keys by the codes below; the
 * session turns them into named requests through one table, from which the
 * hint line and the help are made too, so that they cannot disagree.
 *
 * No request depends on a function key or on Esc alone, and none on a key that
 * serial lines and the programs around them take for themselves: ^S ^Q (flow
 * control), ^] ~ ^A ^B ^O ^T (telnet, ssh, screen, tmux, BMCs).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* Characters are their Unicode value (Enter: \r); the rest lies above Unicode. */
enum sw_key {
	SW_KEY_UP = 0x200000,
	SW_KEY_DOWN,
	SW_KEY_LEFT,
	SW_KEY_RIGHT,
	SW_KEY_HOME,
	SW_KEY_END,
	SW_KEY_PAGE_UP,
	SW_KEY_PAGE_DOWN,
	SW_KEY_INSERT,
	SW_KEY_DELETE,
	SW_KEY_BACKSPACE,
	SW_KEY_BACK_TAB,
	SW_KEY_F1,		/* to F12 in order */
	SW_KEY_F9 = SW_KEY_F1 + 8,
	SW_KEY_F12 = SW_KEY_F1 + 11,
	SW_KEY_LAST = SW_KEY_F12,
};

#define SW_KEY_ESC 0x1bu
#define SW_CTRL(c) ((uint32_t)(c) & 0x1f)

enum sw_request {
	SW_REQ_NONE,		/* the key means nothing here */
	SW_REQ_TEXT,		/* a character to be entered */
	SW_REQ_UP,
	SW_REQ_DOWN,
	SW_REQ_PAGE_UP,
	SW_REQ_PAGE_DOWN,
	SW_REQ_HOME,
	SW_REQ_END,
	SW_REQ_LEFT,
	SW_REQ_RIGHT,
	SW_REQ_NEXT,
	SW_REQ_PREVIOUS,
	SW_REQ_BACKSPACE,
	SW_REQ_DELETE,
	SW_REQ_KILL,
	SW_REQ_ACCEPT,
	SW_REQ_BACK,
	SW_REQ_SEARCH,
	SW_REQ_SEARCH_NEXT,
	SW_REQ_DETAILS,
	SW_REQ_LOG,
	SW_REQ_SAVE,
	SW_REQ_RETRY,
	SW_REQ_REFRESH,
	SW_REQ_PAUSE,
	SW_REQ_CANCEL,
	SW_REQ_HELP,
	SW_REQ_REDRAW,
	SW_REQ_PEN,
	SW_REQ_QUIT,
	SW_N_REQUESTS,
};

/* What a view does with letters: they are requests, or they are text. */
enum sw_key_mode { SW_MODE_KEYS = 1, SW_MODE_TEXT = 2 };

enum sw_request sw_key_request(uint32_t key, enum sw_key_mode mode);

/* The key to show in a hint ("Enter"); false when it has none. And the word for what it does. */
bool sw_request_key(enum sw_request req, enum sw_key_mode mode, char ret_name[static 16]);
const char *sw_request_word(enum sw_request req);

/* All keys of a request in this mode ("Up ^P k"), added to b. */
int sw_request_keys(enum sw_request req, enum sw_key_mode mode, struct sw_buf *b);
