/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/session/part.h"

#include <stdlib.h>
#include <string.h>

#define MOVE_BYTES 10u		/* to go to a row, and what a change of attributes takes */
#define SCROLL_BYTES 24u	/* to set a region, scroll in it and take it back */

static const struct sw_cell *row_of(const struct sw_frame *f, unsigned int row)
{
	return f->cells + (size_t)row * f->cols;
}

static bool alike(const struct sw_cell *a, const struct sw_cell *b)
{
	return a->ch == b->ch && a->attr == b->attr;
}

/* What it takes to make row a of one frame into row b of another; what is the same is not sent. */
static unsigned int row_bytes(const struct sw_frame *from, unsigned int a,
			      const struct sw_frame *to, unsigned int b)
{
	const struct sw_cell *was = row_of(from, a), *is = row_of(to, b);
	unsigned int first = 0, end = to->cols;

	while (first < end && alike(&was[first], &is[first]))
		first++;
	while (end > first && alike(&was[end - 1], &is[end - 1]))
		end--;
	return end == first ? 0 : MOVE_BYTES + end - first;
}

/* A terminal can move rows: those that only went `by` rows up are not sent. */
static unsigned int frame_bytes(const struct sw_frame *shown, const struct sw_frame *f, int by,
				unsigned int enough)
{
	unsigned int sum = by ? SCROLL_BYTES : 0;

	for (unsigned int row = 0; row < f->rows && sum <= enough; row++) {
		long old = (long)row + by;
		unsigned int stays = row_bytes(shown, row, f, row), moved = stays;

		if (by && stays && old >= 0 && old < (long)f->rows)
			moved = row_bytes(shown, (unsigned int)old, f, row);
		sum += moved < stays ? moved : stays;
	}
	return sum;
}

static bool fits(const struct sw_frame *shown, const struct sw_frame *f, unsigned int bytes)
{
	/* More rows than these are more than the bytes, so a longer way need not be tried. */
	int most = (int)(bytes / MOVE_BYTES);

	for (int by = 0; by <= most; by++)
		if (frame_bytes(shown, f, by, bytes) <= bytes ||
		    frame_bytes(shown, f, -by, bytes) <= bytes)
			return true;
	return false;
}

/* Title and hints stand still: nobody is to see half of one question above half of another. */
static bool same_screen(const struct sw_frame *shown, const struct sw_frame *f)
{
	return shown->rows == f->rows && shown->cols == f->cols &&
	       row_bytes(shown, 0, f, 0) == 0 &&
	       row_bytes(shown, f->rows - 1, f, f->rows - 1) == 0;
}

static unsigned int take_row(struct sw_frame *part, const struct sw_frame *f, unsigned int row,
			     unsigned int left)
{
	unsigned int bytes = row_bytes(part, row, f, row);

	if (bytes > left)
		return left;
	memcpy(part->cells + (size_t)row * f->cols, row_of(f, row), f->cols * sizeof(*f->cells));
	return left - bytes;
}

struct sw_frame *sw_frame_part(const struct sw_frame *shown, const struct sw_frame *f,
			       unsigned int bytes)
{
	struct sw_frame *part;
	unsigned int left;

	if (!same_screen(shown, f) || fits(shown, f, bytes))
		return NULL;
	part = sw_frame_new(f->rows, f->cols);
	if (!part)
		return NULL;
	memcpy(part->cells, shown->cells, (size_t)f->rows * f->cols * sizeof(*f->cells));
	sw_frame_cursor(part, f->cur_row, f->cur_col);
	/* The cursor's own row always; then where the cursor was, so that no mark stands twice. */
	left = take_row(part, f, f->cur_row, UINT32_MAX);
	left = UINT32_MAX - left > bytes ? 0 : bytes - (UINT32_MAX - left);
	left = take_row(part, f, shown->cur_row, left);
	for (unsigned int away = 1; away < f->rows; away++) {
		if (f->cur_row + away < f->rows)
			left = take_row(part, f, f->cur_row + away, left);
		if (away <= f->cur_row)
			left = take_row(part, f, f->cur_row - away, left);
	}
	return part;
}
