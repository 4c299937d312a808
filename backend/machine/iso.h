/* SPDX-License-Identifier: Apache-2.0 */
/* The iso9660 file system of a medium: which it is. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define SW_ISO_LABEL "SLIPWAY_MEDIUM"	/* what installer-iso/build.sh calls it */

/* True when an iso9660 file system with this UUID starts at off of the open device. */
bool sw_iso_matches(int fd, uint64_t off, uint64_t size, const char *uuid);
/* malloc'd UUID of the iso9660 file system there, as libblkid forms it; -ENOENT when none. */
int sw_iso_uuid(int fd, uint64_t off, uint64_t size, char **ret_uuid);
/* Whether it is slipway's own: its volume label says so (ECMA-119, 8.4.7). */
bool sw_iso_is_ours(int fd);
