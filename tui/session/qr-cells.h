/* SPDX-License-Identifier: Apache-2.0 */
/*
 * QR codes in a frame's cells: two modules above each other in one cell with half blocks, where
 * the terminal shows them, or one module as two blanks. In colours of their own, dark on light,
 * whatever the terminal's are (SW_ATTR_PAPER).
 */
#pragma once

#include "base/qr.h"
#include "tui/session/frame.h"

struct sw_qr_shape {
	unsigned int version;	/* the largest that fits; 0: none does */
	unsigned int rows, cols;	/* cells, with the quiet zone */
	unsigned int above;	/* modules of quiet zone over it */
	bool half;
};

/* What fits into so many cells. */
struct sw_qr_shape sw_qr_fit(unsigned int rows, unsigned int cols, bool half);
/*
 * Draws it with its quiet zone from row, col. inverted: for a terminal without colours whose
 * characters are dark on light.
 */
void sw_qr_draw(struct sw_frame *f, unsigned int row, unsigned int col, const struct sw_qr *qr,
		const struct sw_qr_shape *shape, bool inverted);
