/* SPDX-License-Identifier: Apache-2.0 */
/* Text with ${words} in it. */
#pragma once

#include "base/buf.h"
#include "base/error.h"

/* Whether every ${word} is one of the NULL-terminated list; says only err->why and the hint. */
int sw_template_check(const char *text, const char *const *words, struct sw_error *err);
/*
 * Appends the text with values in place of words. values: in the order of words, NULL counts as
 * "". Each is escaped as within a JSON string, so that a value can end none.
 */
int sw_template_expand(struct sw_buf *b, const char *text, const char *const *words,
		       const char *const *values);

/*
 * Which of the words stands at p, which begins with "${", and what follows it; -1 for none of
 * them, and ret_behind stays as it is.
 */
int sw_template_word(const char *p, const char *const *words, const char **ret_behind);
