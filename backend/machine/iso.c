/* SPDX-License-Identifier: Apache-2.0 */
/* Recognising slipway's own medium: by the UUID of its iso9660 file system, never by a name. */
#include <blkid.h>
#include <string.h>
#include <unistd.h>

#include "machine/private.h"

int sw_iso_uuid(int fd, uint64_t off, uint64_t size, char **ret_uuid)
{
	char *names[] = { (char *)"iso9660", NULL };
	blkid_probe pr = blkid_new_probe();
	const char *uuid = NULL;
	int r = -ENOENT;

	if (!pr)
		return -ENOMEM;
	/* Only iso9660: on a hybrid image the partition table would make the answer ambivalent. */
	if (blkid_probe_set_device(pr, fd, (blkid_loff_t)off, (blkid_loff_t)size) == 0 &&
	    blkid_probe_enable_superblocks(pr, 1) == 0 &&
	    blkid_probe_set_superblocks_flags(pr, BLKID_SUBLKS_UUID | BLKID_SUBLKS_TYPE) == 0 &&
	    blkid_probe_filter_superblocks_type(pr, BLKID_FLTR_ONLYIN, names) == 0 &&
	    blkid_do_probe(pr) == 0 &&
	    blkid_probe_lookup_value(pr, "UUID", &uuid, NULL) == 0) {
		*ret_uuid = strdup(uuid);
		r = *ret_uuid ? 0 : -ENOMEM;
	}
	blkid_free_probe(pr);
	return r;
}

bool sw_iso_matches(int fd, uint64_t off, uint64_t size, const char *uuid)
{
	_cleanup_free_ char *found = NULL;

	return sw_iso_uuid(fd, off, size, &found) == 0 && strcasecmp(found, uuid) == 0;
}

bool sw_iso_is_ours(int fd)
{
	/* The primary volume descriptor is sector 16; its volume identifier stands at 40. */
	static const char label[] = SW_ISO_LABEL " ";
	char found[sizeof(label)] = "";

	return pread(fd, found, sizeof(label) - 1, 16 * 2048 + 40) == sizeof(label) - 1 &&
	       memcmp(found, label, sizeof(label) - 1) == 0;
}
