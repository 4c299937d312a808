/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The configuration overlay that a server hands to an attested node: a tar,
 * unpacked through libarchive into a staging directory that is there either whole
 * or not at all. It comes from outside, so an archive with one entry that could
 * reach beyond the directory, or that is no plain file, directory or link, is
 * refused as a whole.
 */
#pragma once

#include <stdint.h>

#include "base/error.h"

#define SW_OVERLAY_MAX_BYTES ((uint64_t)256 << 20)	/* of all files, unpacked */
#define SW_OVERLAY_MAX_ENTRIES 20000U
#define SW_OVERLAY_MAX_DEPTH 64U

struct sw_overlay_item {
	char *path;		/* "etc/rancher/rke2/config.yaml" */
	char *link;		/* a symbolic link's target, or NULL */
	uint32_t mode;		/* type and permission bits as in st_mode */
	uint64_t size;		/* bytes; 0 for what is no file */
};

struct sw_overlay {
	struct sw_overlay_item *items;	/* in the archive's order */
	size_t n;
	uint64_t bytes;		/* of all files together */
};

/* Looks at a tar (plain or compressed) in memory without unpacking it. Errors as below. */
int sw_overlay_list(const void *tar, size_t len, struct sw_overlay **ret_overlay,
		    struct sw_error *err);

/*
 * Unpacks into dir, which must not exist and whose parent must; owner and group
 * are those of the process. -EBADMSG (exit 8) for what is no archive or a hostile one, naming
 * the entry; -E2BIG past a limit; -EEXIST; -errno of the file system (exit 6). Then
 * nothing of it is left.
 */
int sw_overlay_unpack(const void *tar, size_t len, const char *dir,
		      struct sw_overlay **ret_overlay, struct sw_error *err);

struct sw_overlay *sw_overlay_free(struct sw_overlay *o);
SW_DEFINE_CLEANUP(struct sw_overlay, sw_overlay_free)
#define _cleanup_overlay_ _cleanup_(sw_overlay_freep)
