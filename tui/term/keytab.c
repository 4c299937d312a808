/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/term/keytab.h"

#define NCURSES_WIDECHAR 1
#include <curses.h>

#include "base/cleanup.h"
#include "tui/session/keys.h"
#include "tui/term/paste.h"

/* Beyond all codes of terminfo's own keys, below those that ncurses makes up for extended ones. */
#define CODE_PASTE (KEY_MAX - 2)
#define CODE_PASTE_END (KEY_MAX - 1)

static const struct {
	const char *sequence;
	int code;
} sequences[] = {
	{ "\033[A", KEY_UP }, { "\033OA", KEY_UP },
	{ "\033[B", KEY_DOWN }, { "\033OB", KEY_DOWN },
	{ "\033[C", KEY_RIGHT }, { "\033OC", KEY_RIGHT },
	{ "\033[D", KEY_LEFT }, { "\033OD", KEY_LEFT },
	{ "\033[H", KEY_HOME }, { "\033OH", KEY_HOME }, { "\033[1~", KEY_HOME },
	{ "\033[7~", KEY_HOME },
	{ "\033[F", KEY_END }, { "\033OF", KEY_END }, { "\033[4~", KEY_END },
	{ "\033[8~", KEY_END },
	{ "\033[2~", KEY_IC }, { "\033[3~", KEY_DC },
	{ "\033[5~", KEY_PPAGE }, { "\033[6~", KEY_NPAGE },
	{ "\033[Z", KEY_BTAB },
	{ "\033OP", KEY_F(1) }, { "\033[11~", KEY_F(1) }, { "\033[[A", KEY_F(1) },
	{ "\033[20~", KEY_F(9) },
	{ "\033[200~", CODE_PASTE }, { "\033[201~", CODE_PASTE_END },
	/* Esc and a digit, where no function key gets through. */
	{ "\0331", KEY_F(1) }, { "\0332", KEY_F(2) }, { "\0333", KEY_F(3) },
	{ "\0334", KEY_F(4) }, { "\0335", KEY_F(5) }, { "\0336", KEY_F(6) },
	{ "\0339", KEY_F(9) },
};

void sw_keytab_define(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(sequences); i++)
		define_key(sequences[i].sequence, sequences[i].code);
}

static const struct {
	int code;
	uint32_t key;
} codes[] = {
	{ KEY_UP, SW_KEY_UP }, { KEY_DOWN, SW_KEY_DOWN },
	{ KEY_LEFT, SW_KEY_LEFT }, { KEY_RIGHT, SW_KEY_RIGHT },
	{ KEY_HOME, SW_KEY_HOME }, { KEY_FIND, SW_KEY_HOME },
	{ KEY_END, SW_KEY_END }, { KEY_SELECT, SW_KEY_END },
	{ KEY_PPAGE, SW_KEY_PAGE_UP }, { KEY_NPAGE, SW_KEY_PAGE_DOWN },
	{ KEY_IC, SW_KEY_INSERT }, { KEY_DC, SW_KEY_DELETE },
	{ KEY_BACKSPACE, SW_KEY_BACKSPACE }, { KEY_BTAB, SW_KEY_BACK_TAB },
	{ KEY_ENTER, '\r' }, { CODE_PASTE, SW_KEY_PASTE }, { CODE_PASTE_END, SW_KEY_PASTE_END },
};

uint32_t sw_keytab_key(int kind, uint32_t code)
{
	if (kind == OK)
		return code == '\n' ? '\r' : code == 0x7f || code == 0x08 ? SW_KEY_BACKSPACE : code;
	for (size_t i = 0; i < ARRAY_SIZE(codes); i++)
		if ((uint32_t)codes[i].code == code)
			return codes[i].key;
	if (code >= (uint32_t)KEY_F(1) && code <= (uint32_t)KEY_F(12))
		return SW_KEY_F1 + (code - (uint32_t)KEY_F(1));
	return 0;
}
