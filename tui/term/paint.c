/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/term/paint.h"

#define NCURSES_WIDECHAR 1
#include <curses.h>

static void follow(unsigned int at, unsigned int size, unsigned int frame, unsigned int *from)
{
	if (frame <= size)
		*from = 0;
	else if (at < *from)
		*from = at;
	else if (at >= *from + size)
		*from = at - size + 1;
	if (frame > size && *from > frame - size)
		*from = frame - size;
}

enum { PAIR_NONE, PAIR_ACCENT, PAIR_ALERT, PAIR_PAPER };

static bool started, colours, paper;

static void start(bool words)
{
	started = true;
	if (!has_colors() || start_color() == ERR || use_default_colors() == ERR)
		return;
	paper = init_pair(PAIR_PAPER, COLOR_WHITE, COLOR_BLACK) == OK;
	/* Words on the terminal's own background, whatever that is. */
	colours = words && init_pair(PAIR_ACCENT, COLOR_CYAN, -1) == OK &&
		  init_pair(PAIR_ALERT, COLOR_RED, -1) == OK;
}

void sw_paint_colours(void)
{
	start(true);
}

/* A terminal that has seen no code yet has seen no colour either, not even its own. */
static bool has_paper(void)
{
	if (!started)
		start(false);
	return paper;
}

static short pair(uint8_t attr)
{
	if (attr & SW_ATTR_PAPER)
		return has_paper() ? PAIR_PAPER : PAIR_NONE;
	return !colours ? PAIR_NONE : attr & SW_ATTR_ALERT ? PAIR_ALERT :
	       attr & SW_ATTR_ACCENT ? PAIR_ACCENT : PAIR_NONE;
}

/* Plain red is dim on black, so it is bold too, where there is red. */
static attr_t attributes(uint8_t attr)
{
	bool bold = attr & SW_ATTR_BOLD || pair(attr) == PAIR_ALERT;

	return (bold ? A_BOLD : 0) | (attr & SW_ATTR_REVERSE ? A_REVERSE : 0) |
	       (attr & SW_ATTR_UNDERLINE ? A_UNDERLINE : 0);
}

/* The character at this cell; blank where half of a wide one would be cut off. */
static wchar_t character(const struct sw_cell *c, unsigned int col, unsigned int end, bool utf8)
{
	if (c->ch < 0x80)
		return (wchar_t)c->ch;
	if (!utf8)
		return L'?';
	if (col + 1 == end && wcwidth((wchar_t)c->ch) > 1)
		return L' ';
	return (wchar_t)c->ch;
}

static void paint_row(const struct sw_frame *f, unsigned int row, unsigned int left,
		      unsigned int screen_row, unsigned int end, bool utf8)
{
	const struct sw_cell *line = f->cells + (size_t)row * f->cols;

	for (unsigned int col = left; col < end; col++) {
		wchar_t text[2] = { character(&line[col], col, end, utf8), 0 };
		attr_t attr = attributes(line[col].attr);
		cchar_t cell;

		if (line[col].ch == 0) {
			/* Drawn with its left half, unless that is a '?' or out of sight. */
			if (utf8 && col > left)
				continue;
			text[0] = utf8 ? L' ' : L'?';
		}
		if (text[0] == L' ' && !attr && pair(line[col].attr) == PAIR_NONE)
			continue;
		if (setcchar(&cell, text, attr, pair(line[col].attr), NULL) == OK)
			(void)mvadd_wch((int)screen_row, (int)(col - left), &cell);
	}
}

void sw_paint_frame(const struct sw_frame *f, bool utf8, unsigned int *top, unsigned int *left)
{
	unsigned int rows = (unsigned int)LINES, cols = (unsigned int)COLS;
	unsigned int last_row, end;

	follow(f->cur_row, rows, f->rows, top);
	follow(f->cur_col, cols, f->cols, left);
	last_row = *top + rows < f->rows ? *top + rows : f->rows;
	end = *left + cols < f->cols ? *left + cols : f->cols;
	erase();
	for (unsigned int row = *top; row < last_row; row++)
		paint_row(f, row, *left, row - *top, end, utf8);
	move((int)(f->cur_row - *top), (int)(f->cur_col - *left));
}
