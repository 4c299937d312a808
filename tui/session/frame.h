/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A frame: what one screen shows, as cells, and where its cursor stands. Views
 * draw into frames and never onto a terminal, so every screen can be tested as
 * text; a viewer puts a frame on its terminal.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

#define SW_ATTR_BOLD 0x01
#define SW_ATTR_REVERSE 0x02
#define SW_ATTR_UNDERLINE 0x04
/* Shown as colour where there is some, and else not at all: text and marks say the same. */
#define SW_ATTR_ACCENT 0x08	/* where one is: the title, what is selected */
#define SW_ATTR_ALERT 0x10	/* wrong, refused, failed, or to be lost */
/* White on black instead of the terminal's own colours, where there are some: for QR codes. */
#define SW_ATTR_PAPER 0x20
#define SW_ATTR_ALL 0x3f

#define SW_FRAME_MAX_ROWS 200u
#define SW_FRAME_MAX_COLS 400u

struct sw_cell {
	uint32_t ch;		/* Unicode; 0: the right half of the wide character before it */
	uint8_t attr;
};

struct sw_frame {
	unsigned int rows, cols;
	unsigned int cur_row, cur_col;
	struct sw_cell *cells;	/* row by row */
	bool lines;	/* for plain mode, which asks itself what widgets would show */
	bool utf8;	/* shown as UTF-8 also where nothing says that the terminal has it */
};

/* A blank frame, its size clamped to 1..MAX; NULL when out of memory. */
struct sw_frame *sw_frame_new(unsigned int rows, unsigned int cols);
/* A blank frame for plain mode, long enough for any list. */
struct sw_frame *sw_frame_new_lines(void);
struct sw_frame *sw_frame_free(struct sw_frame *f);
SW_DEFINE_CLEANUP(struct sw_frame, sw_frame_free)
#define _cleanup_frame_ _cleanup_(sw_frame_freep)

void sw_frame_erase(struct sw_frame *f);
bool sw_frame_equal(const struct sw_frame *a, const struct sw_frame *b);

/* Where the cursor is to stand; kept inside the frame. */
void sw_frame_cursor(struct sw_frame *f, unsigned int row, unsigned int col);

/*
 * Draws text in at most `width` columns from row, col; what lies outside the
 * frame is dropped. Text that does not fit ends in '~'. Returns the columns
 * used. text may be NULL.
 */
unsigned int sw_frame_put(struct sw_frame *f, unsigned int row, unsigned int col,
			  unsigned int width, unsigned int attr, const char *text);
unsigned int sw_frame_putf(struct sw_frame *f, unsigned int row, unsigned int col,
			   const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* Draws text wrapped into at most max_rows rows; returns the rows used. */
unsigned int sw_frame_paragraph(struct sw_frame *f, unsigned int row, unsigned int col,
				unsigned int width, unsigned int max_rows, const char *text);

/*
 * The same, so that the text's end is in row `last`; ~ marks that there was more. Returns the
 * rows used.
 */
unsigned int sw_frame_upwards(struct sw_frame *f, unsigned int last, unsigned int col,
			      unsigned int width, unsigned int max_rows, const char *text);

/* Adds attributes to the text that stands in these cells of a row; blanks at its end stay blank. */
void sw_frame_tint(struct sw_frame *f, unsigned int row, unsigned int col, unsigned int width,
		   unsigned int attr);

/*
 * Seconds that are left, as they are shown: on a terminal without a cursor they are
 * rounded up to tens, since each other number would be a new line.
 */
unsigned int sw_frame_seconds(const struct sw_frame *f, unsigned int seconds);

/* The rows as lines of text without trailing blanks; malloc'd. */
char *sw_frame_text(const struct sw_frame *f);
