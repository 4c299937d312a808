/* SPDX-License-Identifier: Apache-2.0 */
/* A frame onto the current ncurses screen. ncurses finds out what has to be sent. */
#pragma once

#include "tui/session/frame.h"

/*
 * Uses what colours this terminal has, for words too: text says it all without them. Without this
 * call none, but from the first picture on that needs them, and for that alone.
 */
void sw_paint_colours(void);

/*
 * Erases and draws anew; the caller refreshes. A frame larger than the screen
 * is shown from row *top and column *left on, which move so that the cursor
 * stays in sight. utf8 false: everything beyond ASCII becomes '?'.
 */
void sw_paint_frame(const struct sw_frame *f, bool utf8, unsigned int *top, unsigned int *left);
