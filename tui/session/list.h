/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A list with columns. '>' marks the selection and the cursor stands on it;
 * rows that cannot be chosen stay in sight with '-' and their reason.
 *
 * A row more at the edge is a line more on a terminal that can scroll. Where keys come
 * faster than that, a page is turned instead: a slow line carries fewer rows than a held
 * key moves, and within a page only the mark moves.
 */
#pragma once

#include "tui/session/view.h"

#define SW_LIST_COLS 6u

struct sw_list {
	struct sw_list_row {
		char *col[SW_LIST_COLS];
		char *off;	/* why it cannot be chosen; NULL: it can */
		int id;
	} *rows;
	size_t n, sel, top;
	unsigned int max_col;	/* what a column but the last takes at most; 0: 28 */
	bool page;	/* a selection that leaves the rows in sight turns a whole page */
	bool searching;
	char find[64];
};

/* Takes the rows away; the text of a search stays, and goes on when it is being typed. */
void sw_list_clear(struct sw_list *l);
/* Adds a row; columns and reason are copied, NULL columns are empty. */
int sw_list_add(struct sw_list *l, int id, const char *off, size_t n_cols,
		const char *const *cols);
/* For a list of one column. */
int sw_list_add_text(struct sw_list *l, int id, const char *text);
/* Selects the row with this id, if it is there. */
void sw_list_select(struct sw_list *l, int id);
/* NULL when the list is empty. */
const struct sw_list_row *sw_list_selected(const struct sw_list *l);

/* Moves and searches; false for anything else. */
bool sw_list_request(struct sw_list *l, struct sw_state *s, enum sw_request req, uint32_t ch);
enum sw_key_mode sw_list_mode(const struct sw_list *l);
/* Draws header (may be NULL) and rows; returns the rows used. */
unsigned int sw_list_draw(struct sw_list *l, struct sw_frame *f, const struct sw_area *a,
			  const char *const *header);
