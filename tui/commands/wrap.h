/* SPDX-License-Identifier: Apache-2.0 */
/* Text on a terminal: wrapped between words, findings set in below their labels. */
#pragma once

#include <stdio.h>

#include "base/buf.h"

/* Each line of text in lines of at most so many columns; a longer word stays whole. -ENOMEM. */
int sw_wrap(const char *text, size_t width, struct sw_buf *out);
/* Where out is no terminal as it stands, for grep and for logs. */
void sw_print_wrapped(FILE *out, const char *text);
