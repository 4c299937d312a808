/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which superblocks cannot be in an area that is not blank. libblkid asks the
 * disk about each kind, most of them at places that were read already and hold
 * nothing but zeros: a disk with a table or one file system needs few of the
 * fifty reads.
 */
#pragma once

#include "disk/blank.h"

#define SW_ABSENT_MAX 48U

/*
 * The types (as libblkid 2.38 names them) that it finds nothing of, because all
 * that it would read for them lies in b and is zero; NULL-terminated, static.
 * b: what was read of this area of the device, or NULL: then nothing is known.
 * size: of the area. tests/unit/test-absent compares with libblkid's reads.
 */
size_t sw_absent_types(const struct sw_blank *b, uint64_t off, uint64_t size,
		       char *ret_types[SW_ABSENT_MAX]);

/*
 * For tests: the number-th type and the places, in an area of size bytes, that
 * decide about it. False when there are no more.
 */
bool sw_absent_places(size_t number, uint64_t size, const char **ret_type,
		      struct sw_blank_window ret_places[SW_BLANK_WINDOWS_MAX], size_t *ret_n);
