/* SPDX-License-Identifier: Apache-2.0 */
/* Making an overlay of what a profile gained, and one overlay of several. */
#pragma once

#include "base/archive.h"
#include "base/error.h"

/* Adds a tar with these files, whose mtime is 0, to ret_tar, which has to be wiped. */
int sw_tar_make(const struct sw_archive_file *files, size_t n, struct sw_buf *ret_tar,
		struct sw_error *err);

/*
 * Adds one tar with the entries of both (each plain or compressed, looked at before) to ret_tar.
 * -EBADMSG, exit 8 when one cannot be read. Whether they go together sw_overlay_list() tells.
 */
int sw_tar_join(const struct sw_buf *one, const struct sw_buf *two, struct sw_buf *ret_tar,
		struct sw_error *err);

/* Overwrites and frees. */
void sw_buf_wipe(struct sw_buf *b);
#define _cleanup_wipe_ _cleanup_(sw_buf_wipe)
