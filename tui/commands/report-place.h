/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdio.h>

/*
 * For "FILE:LINE:COLUMN" of a file that can be read: that line, with a caret below the column.
 * Of a long line only what is around it; nothing for any other place.
 */
void sw_print_place(FILE *out, const char *where);
