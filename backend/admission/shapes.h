/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Passwords, tokens and keys in a line of text, by their shape: for what leaves a machine in a
 * bundle, and for what of a file is shown beside an error. A secret that looks like any word
 * has no shape.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum {
	SW_SHAPE_NAMED = 5,	/* not the shape counts but a word before it: "password=" */
	SW_SHAPES = 11,
};

/* "password in a URL"; i is below SW_SHAPES. Static. */
const char *sw_shape_name(size_t i);
/*
 * The next secret of this shape in the line, at or behind `at`: line[from, to). What stands around
 * it says what it was. 1, 0: none, -ENOMEM.
 */
int sw_shape_next(size_t i, const char *line, size_t at, size_t *ret_from, size_t *ret_to);
