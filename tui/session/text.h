/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text as a terminal shows it. Disk models, labels and log lines come from
 * outside and may hold anything, so every character passes through here before
 * it gets into a frame: broken UTF-8 and control characters become '?', what
 * has no width of its own (combining marks, direction overrides) is dropped.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/cleanup.h"

/* Makes wcwidth() know more than ASCII; harmless to call more than once. */
void sw_text_init(void);

/*
 * Takes the next character from *p, which must not be at the end. Returns what
 * to show and its width in columns: 1 or 2, or 0 when it is to be left out.
 */
uint32_t sw_text_next(const char **p, unsigned int *ret_width);

/* Columns that the whole text takes. */
unsigned int sw_text_columns(const char *text);

/*
 * Adds a name to b in at most `width` columns. One that is longer gives up its middle,
 * where '~' stands then: models, serial numbers and paths differ at their ends.
 */
void sw_text_elide(const char *text, unsigned int width, struct sw_buf *b);

/* A text with lines as one: \\n stands for the end of a line, \\\\ for a backslash. malloc'd. */
char *sw_text_to_line(const char *text);
/* The way back, malloc'd; NULL when anything else is behind a backslash. */
char *sw_text_from_line(const char *line);

/* Lines of at most a given width. */
struct sw_lines {
	char **line;
	size_t n, cap;
};

/*
 * Breaks a text at newlines and, where a line is too long, at a blank; a
 * continued line is indented like its first. Adds to ret_lines. -ENOMEM.
 */
int sw_text_wrap(const char *text, unsigned int width, struct sw_lines *ret_lines);
int sw_lines_add(struct sw_lines *l, const char *text, size_t len);
void sw_lines_clear(struct sw_lines *l);
#define _cleanup_lines_ _cleanup_(sw_lines_clear)
