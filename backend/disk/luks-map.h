/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An encrypted partition as a block device that the kernel decrypts (dm-crypt). The kernel is told
 * at once to remove it with its last user, so it is gone whatever becomes of this process.
 */
#pragma once

#include "base/secret.h"

#define SW_LUKS_MAP_DIR "/dev/mapper"

/*
 * Makes SW_LUKS_MAP_DIR/NAME of the LUKS2 partition that device is, with the first key slot that
 * the key opens. It lives as long as *ret_fd is open, or a mount or another program has it;
 * with ret_fd NULL until somebody removes it. -EPERM (exit 4): the key opens nothing; -EBUSY (exit
 * 4): there is such a mapping, and it is in use; exit 5 when the kernel has no device mapper.
 */
int sw_luks_map(const char *device, const char *name, const struct sw_secret *key, bool read_only,
		int *ret_fd, struct sw_error *err);
