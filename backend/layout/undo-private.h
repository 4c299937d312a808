/* SPDX-License-Identifier: Apache-2.0 */
/* What the two files of the undo data share. Private to backend/layout. */
#pragma once

#include "layout/undo.h"

#define SW_LAYOUT_UNDO_DATA (1ULL << 20)	/* where the data begins */
#define SW_LAYOUT_UNDO_PIECE (1ULL << 20)	/* bytes of a piece at most */

/* The old bytes of a piece ("len" of them), checked against its hash; malloc'd. */
int sw_layout_undo_piece(const struct sw_layout_undo *u, json_object *o, uint8_t **ret_data);
