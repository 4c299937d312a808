/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/session/frame.h"

#include <stdarg.h>
#include <string.h>

#include "base/buf.h"
#include "base/catalogue.h"
#include "base/text.h"
#include "tui/session/text.h"

/* Of plain mode's: 400 disks, and lines that fit everywhere. */
#define LINES_ROWS 1000u
#define LINES_COLS 80u

static unsigned int clamp(unsigned int v, unsigned int max)
{
	return v < 1 ? 1 : v > max ? max : v;
}

static struct sw_frame *new_frame(unsigned int rows, unsigned int cols)
{
	struct sw_frame *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	f->rows = rows;
	f->cols = cols;
	f->cells = calloc((size_t)f->rows * f->cols, sizeof(*f->cells));
	if (!f->cells)
		return sw_frame_free(f);
	sw_frame_erase(f);
	return f;
}

struct sw_frame *sw_frame_new(unsigned int rows, unsigned int cols)
{
	return new_frame(clamp(rows, SW_FRAME_MAX_ROWS), clamp(cols, SW_FRAME_MAX_COLS));
}

struct sw_frame *sw_frame_new_lines(void)
{
	struct sw_frame *f = new_frame(LINES_ROWS, LINES_COLS);

	if (f)
		f->lines = true;
	return f;
}

unsigned int sw_frame_seconds(const struct sw_frame *f, unsigned int seconds)
{
	return f->lines ? (seconds + 9) / 10 * 10 : seconds;
}

struct sw_frame *sw_frame_free(struct sw_frame *f)
{
	if (f)
		free(f->cells);
	free(f);
	return NULL;
}

void sw_frame_erase(struct sw_frame *f)
{
	for (size_t i = 0; i < (size_t)f->rows * f->cols; i++)
		f->cells[i] = (struct sw_cell){ .ch = ' ' };
	f->cur_row = f->cur_col = 0;
	f->utf8 = false;
}

bool sw_frame_equal(const struct sw_frame *a, const struct sw_frame *b)
{
	if (a->rows != b->rows || a->cols != b->cols || a->cur_row != b->cur_row ||
	    a->cur_col != b->cur_col || a->utf8 != b->utf8)
		return false;
	for (size_t i = 0; i < (size_t)a->rows * a->cols; i++)
		if (a->cells[i].ch != b->cells[i].ch || a->cells[i].attr != b->cells[i].attr)
			return false;
	return true;
}

void sw_frame_cursor(struct sw_frame *f, unsigned int row, unsigned int col)
{
	f->cur_row = row < f->rows ? row : f->rows - 1;
	f->cur_col = col < f->cols ? col : f->cols - 1;
}

/* Overwriting half of a wide character must not leave the other half behind. */
static void set_cell(struct sw_frame *f, unsigned int row, unsigned int col, uint32_t ch,
		     unsigned int attr)
{
	struct sw_cell *line = f->cells + (size_t)row * f->cols;

	if (line[col].ch == 0 && ch && col > 0)
		line[col - 1].ch = ' ';
	if (col + 1 < f->cols && line[col + 1].ch == 0)
		line[col + 1].ch = ' ';
	line[col] = (struct sw_cell){ .ch = ch, .attr = (uint8_t)(attr & SW_ATTR_ALL) };
}

unsigned int sw_frame_put(struct sw_frame *f, unsigned int row, unsigned int col,
			  unsigned int width, unsigned int attr, const char *text)
{
	unsigned int at = 0, w;
	bool cut;

	if (!text || row >= f->rows || col >= f->cols || width == 0)
		return 0;
	if (width > f->cols - col)
		width = f->cols - col;
	/* Only a text known to be too long gives up its last column to the mark. */
	cut = sw_text_columns(text) > width;
	if (cut)
		width--;
	while (*text) {
		uint32_t ch = sw_text_next(&text, &w);

		if (at + w > width)
			break;
		if (w == 0)
			continue;
		set_cell(f, row, col + at, ch, attr);
		if (w == 2)
			set_cell(f, row, col + at + 1, 0, attr);
		at += w;
	}
	if (cut)
		set_cell(f, row, col + at++, '~', attr);
	return at;
}

void sw_frame_tint(struct sw_frame *f, unsigned int row, unsigned int col, unsigned int width,
		   unsigned int attr)
{
	struct sw_cell *line;
	unsigned int end;

	if (row >= f->rows || col >= f->cols)
		return;
	line = f->cells + (size_t)row * f->cols;
	end = width > f->cols - col ? f->cols : col + width;
	while (end > col && line[end - 1].ch == ' ')
		end--;
	for (unsigned int i = col; i < end; i++)
		line[i].attr |= (uint8_t)(attr & SW_ATTR_ALL);
}

unsigned int sw_frame_putf(struct sw_frame *f, unsigned int row, unsigned int col,
			   const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), _(fmt), ap);
	va_end(ap);
	return sw_frame_put(f, row, col, f->cols, 0, text);
}

unsigned int sw_frame_paragraph(struct sw_frame *f, unsigned int row, unsigned int col,
				unsigned int width, unsigned int max_rows, const char *text)
{
	_cleanup_lines_ struct sw_lines l = { 0 };
	unsigned int i;

	if (!text || sw_text_wrap(text, width, &l) < 0)
		return 0;
	for (i = 0; i < l.n && i < max_rows; i++)
		sw_frame_put(f, row + i, col, width, 0, l.line[i]);
	return i;
}

unsigned int sw_frame_upwards(struct sw_frame *f, unsigned int last, unsigned int col,
			      unsigned int width, unsigned int max_rows, const char *text)
{
	_cleanup_lines_ struct sw_lines l = { 0 };
	unsigned int n;

	if (max_rows < 2 || !text || sw_text_columns(text) <= width)
		return sw_frame_put(f, last, col, width, 0, text) > 0;
	if (sw_text_wrap(text, width, &l) < 0)
		return 0;
	n = l.n < max_rows ? (unsigned int)l.n : max_rows;
	for (unsigned int i = 0; i < n; i++)
		sw_frame_put(f, last + 1 + i - n, col, width, 0, l.line[i]);
	if (l.n > n)
		sw_frame_put(f, last, col + width - 1, 1, 0, "~");
	return n;
}

char *sw_frame_text(const struct sw_frame *f)
{
	_cleanup_buf_ struct sw_buf b = { 0 };
	char utf8[4];

	for (unsigned int row = 0; row < f->rows; row++) {
		const struct sw_cell *c = f->cells + (size_t)row * f->cols;
		unsigned int end = f->cols;

		while (end && c[end - 1].ch == ' ')
			end--;
		for (unsigned int i = 0; i < end; i++)
			if (c[i].ch && sw_buf_add(&b, utf8, sw_utf8_encode(c[i].ch, utf8)) < 0)
				return NULL;
		if (sw_buf_adds(&b, "\n") < 0)
			return NULL;
	}
	return sw_buf_steal(&b);
}
