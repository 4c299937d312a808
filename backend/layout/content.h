/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a new partition holds, made as an image file first: file systems by their
 * own mkfs, filled without mounting (mke2fs -d, mtools), so no root is needed
 * and a power cut while it is made touches no disk.
 */
#pragma once

#include "base/event.h"
#include "base/io.h"
#include "layout/layout.h"

/* True when the definition wants something in its partition. */
bool sw_layout_has_content(const struct sw_layout_part *p);

/* Absolute and without "..": a target must not lead out of the tree that is made for it. */
bool sw_layout_is_path(const char *p);
/* Whether slipway makes this kind of file system. */
bool sw_layout_format_known(const char *format);

/*
 * The UUID that a file system gets which is made in a partition of this UUID, as systemd-repart
 * derives it, so that it is the same each time; FAT takes its first eight digits. -EIO.
 */
int sw_layout_fs_uuid(const struct sw_guid *part_uuid, struct sw_guid *ret_uuid);

/*
 * Checks before anything is written that the tools and sources for it are there
 * and that a partition of this size takes it: exit 5 or 3.
 */
int sw_layout_check_content(const struct sw_layout_part *p, uint64_t size, struct sw_error *err);

/*
 * Makes the image of a new partition below the directory `work`. For
 * CopyBlocks= that is the source itself. malloc'd path; whole holes of the image
 * need not be written. sector is the disk's; when: seconds since 1970 for the
 * times that mkfs writes where it can be told, 0: now.
 */
int sw_layout_make_content(const struct sw_placement *p, uint32_t sector, int64_t when,
			   const char *work, char **ret_image, struct sw_error *err);

/*
 * Makes it and writes it where the partition will be; the disk's sector size
 * counts. step is for progress events. exit 7 when the disk fails half-way.
 */
int sw_layout_fill(struct sw_io *io, const struct sw_placement *p, int64_t when, const char *work,
		   unsigned int step, const struct sw_sink *sink, struct sw_error *err);
