/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Small things about words: UTF-8, what may stand in a value, how near two
 * words are, and showing foreign text in a message without letting it
 * misbehave.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Reads one character; its length in bytes (1 to 4), or 0 when it is not well-formed UTF-8. */
size_t sw_utf8_decode(const char *s, size_t len, uint32_t *ret_char);

/* Writes one character; returns its length in bytes. ch is at most 0x10ffff and no surrogate. */
size_t sw_utf8_encode(uint32_t ch, char out[static 4]);

/*
 * True for a character that a one-line value may hold: no control characters,
 * no line separators or direction marks (they make one name look like another),
 * nothing that YAML 1.1 forbids in a stream.
 */
bool sw_char_is_text(uint32_t c);

/* True when the whole string is well-formed and every character passes sw_char_is_text(). */
bool sw_text_is_clean(const char *s);

/*
 * For words that come from firmware, disks and files and end on terminals and
 * in logs: trims blanks at both ends and puts '?' for every byte that is not
 * clean. In place; returns s.
 */
char *sw_text_clean(char *s);

/* The same for text of several lines: trims nothing and keeps newlines. */
char *sw_text_mask(char *s);

/* True when there is something before the end, too. */
bool sw_ends_with(const char *s, const char *end);
/* What follows "KEY=" at the beginning of a line, up to its end: malloc'd, NULL without one. */
char *sw_text_value(const char *text, const char *key);

/* sw_text_is_clean() of each line. */
bool sw_text_lines_are_clean(const char *s);

/* Insertions, deletions, changes and swaps of neighbours between two words, in any case. */
unsigned int sw_edit_distance(const char *a, const char *b);

/* True when a slip of the fingers explains the difference: for "did you mean". */
bool sw_text_is_near(const char *typed, const char *known, unsigned int *ret_distance);

/* The one of the words, which NULL ends, that is nearest to what was typed; NULL: none is near. */
const char *sw_text_nearest(const char *typed, const char *const *words);

#define SW_TEXT_SHOW 44
/* At most 40 characters, printable ASCII only, "..." when cut. For messages. */
const char *sw_text_show(const char *s, char shown[static SW_TEXT_SHOW]);

#define SW_TIME_TEXT 48
/*
 * Seconds since the epoch as a person reads them: "2026-11-27 03:50 UTC", and where
 * the local time is another, "2026-11-27 04:50 +0100 (03:50 UTC)". Empty when it is
 * beyond what a calendar has.
 */
const char *sw_time_text(int64_t seconds, char text[static SW_TIME_TEXT]);

#define SW_SPAN_TEXT 40
/* So many seconds in the unit that fits: "90 s", "7 min", "3 h 20 min", "3650 days". */
const char *sw_span_text(uint64_t seconds, char text[static SW_SPAN_TEXT]);
