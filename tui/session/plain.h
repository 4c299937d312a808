/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Plain mode: the screens as questions and answers on lines, for braille displays,
 * scripts and terminals without a cursor. A page is what the top view says and asks,
 * made from the same state, widgets and fields as its screen; a line is an answer.
 *
 * Everywhere "?" helps, "<" goes back and an empty line takes what is proposed. Requests
 * go by their word ("details 2", "look again"), where text is asked for with ':' before it.
 */
#pragma once

#include "tui/session/state.h"

/* What a plain terminal types about itself, in any language. */
#define SW_PLAIN_PEN "pen"
#define SW_PLAIN_REDRAW "redraw"

struct sw_page {
	struct sw_buf title, body, notice;
	struct sw_buf question;	/* empty: nothing is asked */
	bool secret;		/* the answer is not to be shown */
	bool appends;		/* the body grows at its end: what was shown stays true */
};

void sw_page_clear(struct sw_page *p);
#define _cleanup_page_ _cleanup_(sw_page_clear)

/* The top view as a page. -ENOMEM. */
int sw_plain_page(struct sw_state *s, struct sw_page *ret_page);
/* The first line that a terminal gets: how this works. */
extern const char sw_plain_greeting[];
/* What can be typed here and what is asked for. */
void sw_plain_help(const struct sw_state *s, struct sw_buf *b);
/* Takes an answer. False: it was "?", whose answer is sw_plain_help(). */
bool sw_plain_line(struct sw_state *s, const char *line);

/*
 * Adds to text what a terminal that has seen one page needs for the next; then `seen` is
 * the new page. answered: a line came since, so that it is asked again in any case. -ENOMEM.
 */
int sw_plain_news(struct sw_page *seen, struct sw_page *page, bool answered,
		  struct sw_buf *text);
