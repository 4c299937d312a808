/* SPDX-License-Identifier: Apache-2.0 */
/* Which file system a block device or an image begins with, by libblkid. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/*
 * From byte off on, size bytes. "ext4", "crypto_LUKS" ... -ENODATA: none that is known,
 * or several that contradict each other.
 */
int sw_fs_type(int fd, uint64_t off, uint64_t size, char *type, size_t room);
