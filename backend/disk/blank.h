/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where libblkid looks for superblocks, known beforehand. It reads about fifty
 * small pieces of every area one after the other, which costs more than all the
 * rest of looking at a disk; most areas of most disks hold zeros in all of them.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

struct sw_blank_window {
	uint64_t off, len;	/* bytes from the start of the area */
};

#define SW_BLANK_WINDOWS_MAX 40U

/*
 * What the area is. The signatures of firmware RAIDs count on a whole disk only:
 * the firmware knows no partitions, and of the device of a partition libblkid does
 * not ask for them either (see sw_maybe_never()).
 */
enum sw_blank_kind { SW_BLANK_DISK, SW_BLANK_PART };

/*
 * The pieces of an area of this size (bytes) that decide whether libblkid finds
 * anything: it finds nothing where all of them are zero. Returns how many; 0 for
 * areas too small for this and with another libblkid than 2.38: then it has to be
 * asked.
 *
 * They cover what libblkid 2.38 reads of an area of zeros (tests/unit/test-blank
 * compares), but for one thing: it looks for an external XFS log in all of the
 * first 256 KiB. See sw_blank_may_be_xfs_log().
 */
size_t sw_blank_windows(uint64_t size, enum sw_blank_kind kind,
			struct sw_blank_window ret_windows[SW_BLANK_WINDOWS_MAX]);

/* What lies in all windows of one area, read past the page cache and at once. */
struct sw_blank;

/*
 * direct: the device, open with O_DIRECT, or -1. NULL when the area is too small
 * or it cannot be read in this way; sw_blank_area() then does without.
 */
struct sw_blank *sw_blank_read(int direct, uint64_t off, uint64_t size, enum sw_blank_kind kind);
struct sw_blank *sw_blank_free(struct sw_blank *b);
SW_DEFINE_CLEANUP(struct sw_blank, sw_blank_free)
#define _cleanup_blank_ _cleanup_(sw_blank_freep)

/* len bytes at off of the device, or NULL unless they lie in one window that could be read. */
const uint8_t *sw_blank_bytes(const struct sw_blank *b, uint64_t off, uint64_t len);

/* The same as a copy; false when they cannot be had. */
bool sw_blank_copy(const struct sw_blank *b, uint64_t off, void *data, size_t len);

/*
 * True when libblkid would find no superblock and no partition table in this
 * area of the device. False whenever that is not certain; a piece that cannot be
 * read is not. b: what was read of it, or NULL: then fd is read, and when it is
 * false, the kernel has been told to read into its cache what libblkid will ask for.
 */
bool sw_blank_area(const struct sw_blank *b, int fd, uint64_t off, uint64_t size,
		   enum sw_blank_kind kind);

/*
 * False when no label of ZFS with its description is there; libblkid reads a
 * whole MiB for it. b: what was read of the area, or NULL.
 */
bool sw_blank_may_be_zfs(const struct sw_blank *b, int fd, uint64_t off, uint64_t size);

/*
 * False when no external XFS log can be there, for which libblkid reads 256 KiB.
 * The first 4 bytes of each of its blocks of 512 bytes are a cycle number or the
 * magic of a record, neither of which is 0 (xlog_pack_data() in the kernel), so
 * a log shows in the first block of its device.
 */
bool sw_blank_may_be_xfs_log(const struct sw_blank *b, int fd, uint64_t off);
