/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a new partition holds, made as an image file first: file systems by their
 * own mkfs, filled without mounting (mke2fs -d, mtools), so no root is needed
 * and a power cut while it is made touches no disk.
 */
#pragma once

#include "layout/layout.h"

/* True when the definition wants something in its partition. */
bool sw_layout_has_content(const struct sw_layout_part *p);

/*
 * Checks before anything is written that the tools for it are there and that
 * slipway makes this kind: exit 5 or 3.
 */
int sw_layout_check_content(const struct sw_layout_part *p, struct sw_error *err);

/*
 * Makes the image of a new partition below the directory `work`. For
 * CopyBlocks= that is the source itself. malloc'd path; whole holes of the image
 * need not be written. sector is the disk's.
 */
int sw_layout_make_content(const struct sw_placement *p, uint32_t sector, const char *work,
			   char **ret_image, struct sw_error *err);
