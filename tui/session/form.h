/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A form made from the field table: which fields, is all a screen says. What
 * is typed lives in the state as drafts, so leaving a form either way loses
 * nothing; the answers get it when the whole form is right.
 */
#pragma once

#include "answers/answers.h"
#include "tui/session/line.h"
#include "tui/session/view.h"

#define SW_FORM_FIELDS 16u

struct sw_form {
	size_t field[SW_FORM_FIELDS];	/* indices into sw_fields */
	char *error[SW_FORM_FIELDS];	/* what is wrong with the field's text, or NULL */
	char *hint[SW_FORM_FIELDS];	/* what is allowed instead, or NULL */
	size_t n, focus, top;
	/* Which item of which list of the answers it is about, if any; set before it is opened. */
	enum sw_field_home home;
	size_t item;
	unsigned int width;		/* of the values on the screen */
	struct sw_line line;		/* the focused field's text */
	/* Names to pick from for a text field: up to max, borrowed; returns how many. */
	size_t (*names)(const struct sw_state *s, const struct sw_field *f, const char **names,
			size_t max);
};

/*
 * Takes the fields whose key is one of, or lies below one of, the keys (NULL-terminated); of those
 * that are in an item of a list the ones of fm->home.
 *
 * A text that has lines is one line here: \\n is the end of a line, and \\\\ a backslash.
 */
void sw_form_open(struct sw_form *fm, struct sw_state *s, const char *const *keys);
void sw_form_clear(struct sw_form *fm);
/* Answers have changed under it. */
void sw_form_refresh(struct sw_form *fm, struct sw_state *s);
/* Edits and moves; SW_REQ_ACCEPT is not handled here. */
bool sw_form_request(struct sw_form *fm, struct sw_state *s, enum sw_request req, uint32_t ch);
/* Checks everything and gives it to the answers; otherwise focuses the first bad field. */
bool sw_form_accept(struct sw_form *fm, struct sw_state *s);
/* This value is wrong for another reason than its own rule: focuses it, and says why. */
void sw_form_blame(struct sw_form *fm, struct sw_state *s, const struct sw_field *f,
		   const struct sw_error *why);
/*
 * For plain mode, which asks one field at a time. The focused field as a question:
 * what is wrong with its text if anything is, its label, choices and present text.
 */
int sw_form_question(const struct sw_form *fm, const struct sw_state *s, struct sw_buf *b);
/*
 * Takes a line as the focused field's text; of a choice also its number. False: it is
 * not allowed, which the next question says.
 */
bool sw_form_answer(struct sw_form *fm, struct sw_state *s, const char *text);
/* Moves by one field; false: it was the last (the first) one. */
bool sw_form_step(struct sw_form *fm, struct sw_state *s, int step);
/* Back to the first field. */
void sw_form_first(struct sw_form *fm, struct sw_state *s);
/* The focused field; NULL when the form shows none. */
const struct sw_field *sw_form_field(const struct sw_form *fm);
/* Returns the rows used. */
unsigned int sw_form_draw(struct sw_form *fm, const struct sw_state *s, struct sw_frame *f,
			  const struct sw_area *a);
