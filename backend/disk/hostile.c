/* SPDX-License-Identifier: Apache-2.0 */
#include "disk/hostile.h"

#include <endian.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/le.h"

/*
 * The two sectors of an OCFS header. Source: the structures that libblkid 2.38
 * reads them into; mount and label are as long as the fields here.
 */
struct ocfs {
	uint8_t version[8];
	uint8_t signature[128];
	uint8_t mount[128];
	uint8_t mount_len[2];
	uint8_t rest[512 - 266];
	uint8_t disk_lock[48];
	uint8_t label[64];
	uint8_t label_len[2];
	uint8_t more[512 - 114];
};

_Static_assert(sizeof(struct ocfs) == 1024, "two sectors");

bool sw_hostile_area(struct sw_io *io, uint64_t off, uint64_t size)
{
	static const char magic[] = "OracleCFS";
	struct ocfs o;

	if (size < SW_HOSTILE_OFF + sizeof(o) ||
	    sw_io_read(io, off + SW_HOSTILE_OFF, &o, sizeof(o)) < 0)
		return false;
	return memcmp(&o, magic, strlen(magic)) == 0 &&
	       (sw_le16(o.mount_len) > sizeof(o.mount) || sw_le16(o.label_len) > sizeof(o.label));
}
