/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Words that come from firmware, disks and files end on terminals, in JSON and
 * in logs. They are made harmless once, where they enter: valid UTF-8 without
 * control characters, escapes or direction overrides.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* In place: trims blanks at both ends and puts '?' for every byte that is not clean. Returns s. */
char *sw_text_clean(char *s);

/* True when sw_text_clean() would leave it as it is, blanks at the ends aside. */
bool sw_text_is_clean(const char *s);

/* Appends a copy to a NULL-terminated list; -ENOMEM. */
int sw_strv_add(char ***list, const char *s);
size_t sw_strv_len(char *const *list);
char **sw_strv_free(char **list);
static inline void sw_strv_freep(char ***list)
{
	sw_strv_free(*list);
}
#define _cleanup_strv_ _cleanup_(sw_strv_freep)
