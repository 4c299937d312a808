/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What of a file may be shown beside an error. A person who writes a token or a password into an
 * answer file, mostly below a wrong key, must not find it on a screen, in a log or at a webhook. It
 * goes by the words before a value (password, token, key, ...), by what such a value looks like,
 * and by where it stands: below such a word, in a private key. A word that is a secret and stands
 * where any word may stand cannot be seen.
 */
#pragma once

#include <stdbool.h>

#include "answers/answers.h"
#include "base/text.h"

/*
 * The line (from 1) of this text with stars in place of secrets, one for each character, so that
 * every column stays what it was; malloc'd. NULL: there is no such line, it has more than 16 KiB,
 * or there is no memory.
 */
char *sw_hide_in_line(const char *text, unsigned int line);
/* True when this value, written for this field, or a part of it is to be hidden. */
bool sw_hide_value(const struct sw_field *f, const char *value);
/* As sw_text_show(), with stars in place of secrets. */
const char *sw_hide_show(const char *text, char shown[static SW_TEXT_SHOW]);
