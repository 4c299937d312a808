/* SPDX-License-Identifier: Apache-2.0 */
/* Text as a YAML scalar that every YAML reader takes for that very text. */
#pragma once

#include <stdbool.h>

#include "base/buf.h"

/* True when it needs no quotes; conservative on purpose: a quote too many harms nobody. */
bool sw_quote_is_plain(const char *text);
/* Appends it, in double quotes when it needs them. The text is clean (base/text.h). */
int sw_quote_add(struct sw_buf *b, const char *text);
/* Always in double quotes. */
int sw_quote_add_quoted(struct sw_buf *b, const char *text);
