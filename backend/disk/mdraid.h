/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Members of a RAID1 array, without the md driver: the superblock of metadata version
 * 1.2, 4 KiB into each member. Format: include/uapi/linux/raid/md_p.h and md(4).
 */
#pragma once

#include "base/guid.h"
#include "base/io.h"

#define SW_MD_DATA_OFFSET (1ULL << 20)	/* bytes from the start of a member to its data */
#define SW_MD_MEMBERS_MAX 64U
#define SW_MD_NAME 33

struct sw_md {
	uint8_t uuid[16];	/* of the array, in the order that mdadm shows */
	uint8_t member_uuid[16];
	char name[SW_MD_NAME];
	unsigned int members, number;	/* of them, and which one this is */
	unsigned int active;	/* members that this one still counts: no failed or removed one */
	uint64_t data_offset;	/* bytes from the start of the member */
	uint64_t size;		/* of the array, bytes */
	uint64_t events;
	int64_t time;		/* when it was made, seconds since the epoch */
	bool in_sync;		/* all members hold the same: nothing to copy at assembly */
};

/* How large an array of members is whose smallest has this size; 0: too small. */
uint64_t sw_md_size(uint64_t member_size);

/*
 * The superblock of member `number` of a new RAID1; UUIDs derive from seed, so that the
 * same install twice gives the same bytes. It says "in sync": whoever does not make every
 * block of the members equal clears in_sync, as an install does. -EINVAL for more members than
 * SW_MD_MEMBERS_MAX or a size that is none of sw_md_size().
 */
int sw_md_new(const struct sw_guid *seed, const char *name, unsigned int members,
	      unsigned int number, uint64_t size, int64_t time, struct sw_md *ret_md);

/* Writes it onto the member and flushes. -ERANGE when the member is too small for it. */
int sw_md_write(struct sw_io *member, const struct sw_md *md);

/*
 * Reads the superblock of a member. -ENODATA when there is none, -EBADMSG when its checksum
 * is wrong, -EINVAL when it is no RAID1 that slipway could have written or its sizes do
 * not fit the member.
 */
int sw_md_read(struct sw_io *member, struct sw_md *ret_md);
/*
 * Where on the disk what a member holds lies, which begins behind its superblock: start and size
 * of the member (bytes) become those of that. The errors of sw_md_read(); then both stay.
 */
int sw_md_enter(struct sw_io *disk, uint64_t *start, uint64_t *size);
