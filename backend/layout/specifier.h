/* SPDX-License-Identifier: Apache-2.0 */
/*
 * %-specifiers of repart.d(5), over facts that the caller hands in: the same
 * text and facts give the same result on any machine. Private to backend/layout
 * but for the struct, which is in layout.h.
 */
#pragma once

#include "layout/layout.h"

/*
 * Expands the text; malloc'd. -EINVAL for a specifier that does not exist,
 * -ENODATA for one that the facts do not have; the character is in *ret_which.
 */
int sw_specifier_expand(const char *text, const struct sw_layout_machine *m, char **ret_text,
			char *ret_which);
