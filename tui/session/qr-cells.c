/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/session/qr-cells.h"

#define QUIET 4		/* modules around a code, of ISO/IEC 18004 */
#define QUIET_LEAST 3	/* above it, where one row more would cost a size */

struct sw_qr_shape sw_qr_fit(unsigned int rows, unsigned int cols, bool half)
{
	struct sw_qr_shape s = { .half = half };

	for (unsigned int v = SW_QR_VERSION_MAX; v >= SW_QR_VERSION_MIN; v--) {
		unsigned int high = sw_qr_size(v) + QUIET_LEAST + QUIET;

		/* A code's size is odd, so that the quiet zone fills the last half row. */
		s.rows = half ? high / 2 : high;
		s.cols = (sw_qr_size(v) + 2 * QUIET) * (half ? 1 : 2);
		if (s.rows > rows || s.cols > cols)
			continue;
		s.version = v;
		s.above = s.rows < rows ? QUIET : QUIET_LEAST;
		s.rows += s.rows < rows;
		return s;
	}
	return (struct sw_qr_shape){ .half = half };
}

static const char *half_block(bool upper, bool lower)
{
	if (upper)
		return lower ? "█" : "▀";
	return lower ? "▄" : " ";
}

void sw_qr_draw(struct sw_frame *f, unsigned int row, unsigned int col, const struct sw_qr *qr,
		const struct sw_qr_shape *shape, bool inverted)
{
	for (unsigned int y = 0; y < shape->rows; y++)
		for (unsigned int x = 0; x < shape->cols; x++) {
			int r = (int)(shape->half ? 2 * y : y) - (int)shape->above;
			int c = (int)(shape->half ? x : x / 2) - QUIET;
			bool dark = sw_qr_is_dark(qr, r, c);
			bool light = shape->half || !dark;	/* the cell's ground */

			sw_frame_put(f, row + y, col + x, 1,
				     SW_ATTR_PAPER | (light != inverted ? SW_ATTR_REVERSE : 0),
				     shape->half ? half_block(dark, sw_qr_is_dark(qr, r + 1, c))
						 : " ");
		}
}
