/* SPDX-License-Identifier: Apache-2.0 */
/* The two check characters of a Homeworld token, and where a typing error may be. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define SW_HOMEWORLD_LEN 22U	/* characters, the last two of them check characters */
#define SW_HOMEWORLD_GROUP 4U	/* characters between two ticks on the screen */

/* s has SW_HOMEWORLD_LEN characters. */
bool sw_homeworld_check(const char *s);

struct sw_homeworld_doubt {
	size_t at;		/* 0-based */
	bool swapped;		/* with the character behind it */
};

/*
 * Tries the slips that people make: look-alikes, the other case, two neighbours
 * swapped. 0 when exactly one place explains the error, -ENOENT otherwise. What
 * the right character would be is not told: 12 bits of check are no proof.
 */
int sw_homeworld_locate(const char *s, struct sw_homeworld_doubt *ret_doubt);
