/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which superblocks can be in an area, by the magic numbers in what was read of
 * it at once. libblkid reads each kind's places one after the other and looks
 * into sysfs first; for most areas there is not one kind left to ask it about.
 */
#pragma once

#include "disk/blank.h"

#define SW_MAYBE_MAX 96U

/*
 * The types (as libblkid 2.38 names them) that it may find in this area: all but
 * those whose magic numbers are at none of the places where it would look, all of
 * which lie in b. Returns how many; *ret_types is NULL-terminated, its strings static.
 * b: what was read of this area of the device. size: of the area.
 * tests/unit/test-maybe compares with what libblkid compares.
 */
size_t sw_maybe_types(const struct sw_blank *b, uint64_t off, uint64_t size,
		      enum sw_blank_kind kind, char *ret_types[SW_MAYBE_MAX]);

/* The types that an area of this kind cannot hold; returns how many, like sw_maybe_types(). */
size_t sw_maybe_never(enum sw_blank_kind kind, char *ret_types[SW_MAYBE_MAX]);

/* For tests: one place in an area of size bytes, and what would be there. */
struct sw_maybe_place {
	const char *type;
	uint64_t off;
	const char *values;	/* n_values of len bytes each */
	size_t len, n_values;
};

/* For tests: the number-th place, or false when there are no more. */
bool sw_maybe_place(size_t number, uint64_t size, struct sw_maybe_place *ret_place);
