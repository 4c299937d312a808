/* SPDX-License-Identifier: Apache-2.0 */
/* One line of text being edited. Printable ASCII and what sw_text_next() lets through. */
#pragma once

#include "base/secret.h"
#include "tui/session/frame.h"
#include "tui/session/keys.h"

struct sw_line {
	char *text;		/* UTF-8, never NULL after sw_line_set() succeeded */
	size_t pos;		/* of the cursor, in bytes, at the start of a character */
	size_t max;		/* longest text in bytes; 0: 255 */
	struct sw_secret *store;	/* where a secret's text is; NULL: on the heap */
	bool masked;		/* drawn as stars */
};

/* Replaces the text and puts the cursor at its end. -ENOMEM leaves the line as it was. */
int sw_line_set(struct sw_line *l, const char *text);
/* An empty line of at most max bytes for a secret: in locked memory, masked. Exit 5. */
int sw_line_open_secret(struct sw_line *l, size_t max, struct sw_error *err);
void sw_line_clear(struct sw_line *l);
/* False when the request is none of an editor's; *ret_changed tells whether the text changed. */
bool sw_line_request(struct sw_line *l, enum sw_request req, uint32_t ch, bool *ret_changed);
/* Draws "[text   ]" in `width` columns and parks the cursor in it. */
void sw_line_draw(const struct sw_line *l, struct sw_frame *f, unsigned int row, unsigned int col,
		  unsigned int width);
