/* SPDX-License-Identifier: Apache-2.0 */
/* What a disk image holds, as a hash: by pieces of a MiB, of which those of zeros cost nothing. */
#pragma once

#include "base/hash.h"
#include "base/io.h"

#define DIGEST_PIECE ((uint64_t)1 << 20)

/*
 * Adds to h the content and the place of each piece that is not all zeros. leave: NULL, or true for
 * a piece that does not count. The image's size is a multiple of a piece.
 */
void digest_image(const char *path, bool (*leave)(uint64_t off, void *userdata), void *userdata,
		  struct sw_hash *h);
