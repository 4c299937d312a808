/* SPDX-License-Identifier: Apache-2.0 */
/* NULL-terminated lists of strings. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Appends a copy; -ENOMEM. */
int sw_strv_add(char ***list, const char *s);
size_t sw_strv_len(char *const *list);
/* Whether the list, which may be NULL, has this item. */
bool sw_strv_has(char *const *list, const char *s);
char **sw_strv_free(char **list);
static inline void sw_strv_freep(char ***list)
{
	sw_strv_free(*list);
}
#define _cleanup_strv_ _cleanup_(sw_strv_freep)
