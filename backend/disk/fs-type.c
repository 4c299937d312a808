/* SPDX-License-Identifier: Apache-2.0 */
#include "disk/fs-type.h"

#include <stdio.h>
#include <string.h>

#include <blkid/blkid.h>

#include "base/cleanup.h"

static void probe_free(blkid_probe *p)
{
	if (*p)
		blkid_free_probe(*p);
}

int sw_fs_type(int fd, uint64_t off, uint64_t size, char *type, size_t room)
{
	_cleanup_(probe_free) blkid_probe pr = blkid_new_probe();
	const char *found = NULL;

	if (!pr)
		return -ENOMEM;
	if (blkid_probe_set_device(pr, fd, (blkid_loff_t)off, (blkid_loff_t)size) < 0)
		return -EIO;
	(void)blkid_probe_enable_superblocks(pr, 1);
	(void)blkid_probe_set_superblocks_flags(pr, BLKID_SUBLKS_TYPE);
	if (blkid_do_safeprobe(pr) != 0 ||
	    blkid_probe_lookup_value(pr, "TYPE", &found, NULL) < 0 || strlen(found) >= room)
		return -ENODATA;
	(void)snprintf(type, room, "%s", found);
	return 0;
}
