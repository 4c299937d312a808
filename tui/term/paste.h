/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pasted text, as terminals mark it (xterm's bracketed paste, ESC [ 200 ~ to ESC [ 201 ~) and
 * as it arrives on lines that do not: all at once. A newline in it presses no button.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tui/session/keys.h"

/* What sw_keytab_key() gives for the marks; no session sees them. */
#define SW_KEY_PASTE (SW_KEY_LAST + 1)
#define SW_KEY_PASTE_END (SW_KEY_LAST + 2)

#define SW_PASTE_HOLD_MS 30	/* a person presses Enter later than this after a character */

struct sw_paste {
	bool marked;		/* between the marks */
	int64_t text_ms;	/* when the last character came */
	int64_t until_ms;	/* an unmarked paste is going on at least until then */
};

/* True when the last key is an Enter of which only what follows tells whether it is pasted. */
bool sw_paste_wants_more(const struct sw_paste *p, const uint32_t *keys, size_t n, int64_t now_ms);
/* Takes what was pasted and is no text out of the keys that came together; how many stay. */
size_t sw_paste_filter(struct sw_paste *p, uint32_t *keys, size_t n, int64_t now_ms);
