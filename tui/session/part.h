/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A frame in parts, for a line that is slower than the keys typed on it: what one looks at comes
 * first, and whoever types is never more than a part behind.
 */
#pragma once

#include "tui/session/frame.h"

/*
 * What a terminal is sent while keys are on their way: two such parts, one on the line and one
 * behind it, are less than half a second at 9600 baud (480 bytes).
 */
#define SW_PART_BYTES 200u

/*
 * The frame to show on the way from `shown` to `f`: it has the cursor of f, the row of it, and as
 * many of the rows around it as can be sent in about `bytes`. NULL: all of f can, or there is no
 * memory, or it is another screen, by its first row or its last.
 */
struct sw_frame *sw_frame_part(const struct sw_frame *shown, const struct sw_frame *f,
			       unsigned int bytes);
