/* SPDX-License-Identifier: Apache-2.0 */
/* A table of what was looked at: a verdict for each, a sentence, and a way to mend it. */
#pragma once

#include "base/buf.h"
#include "base/error.h"

enum sw_verdict { SW_VERDICT_OK, SW_VERDICT_WARNING, SW_VERDICT_FAILED, SW_VERDICT_NOT_CHECKED };

struct sw_verdict_row {
	enum sw_verdict verdict;
	char what[640];
	char fix[512];		/* "": nothing to do */
};

/* "not checked". Static. */
const char *sw_verdict_name(enum sw_verdict verdict);

void sw_verdict_say(struct sw_verdict_row *row, enum sw_verdict verdict, const char *what, ...)
	SW_PRINTF(3, 4);
void sw_verdict_fix(struct sw_verdict_row *row, const char *how, ...) SW_PRINTF(2, 3);
/* Failed, with the error's words and its hint. */
void sw_verdict_error(struct sw_verdict_row *row, const struct sw_error *e);

/* The row's lines of the table for a person, its name in width columns; adds to out; -ENOMEM. */
int sw_verdict_text(const char *name, int width, const struct sw_verdict_row *row,
		    struct sw_buf *out);
/* {"name", "verdict", "what", "fix"}; new reference. */
json_object *sw_verdict_to_json(const char *name, const struct sw_verdict_row *row);
