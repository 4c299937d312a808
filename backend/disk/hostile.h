/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Superblocks that libblkid must not be shown: version 2.38 believes the lengths
 * in that of an OCFS (version 1) and copies from behind its end, so that one block
 * on some disk would end every program that looks at it.
 */
#pragma once

#include <stdbool.h>

#include "base/io.h"

/* The type that is not to be asked for, as libblkid names it, and where its magic number is. */
#define SW_HOSTILE_TYPE "ocfs"
#define SW_HOSTILE_OFF 8192U

/* Whether this area has one. What cannot be read has none: libblkid cannot read it either. */
bool sw_hostile_area(struct sw_io *io, uint64_t off, uint64_t size);
