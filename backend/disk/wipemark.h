/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The mark of a wipe that has begun. It takes the place of the disk's first
 * sector, so that one write both makes the old table unreadable and names what
 * is going on; it stays until everything else is done and read back.
 *
 * Layout (512 bytes, little endian): magic, version, method, disk size, bytes
 * done, time, the number of regions and the regions themselves (offset and
 * length in units of 512 bytes, 40 and 24 bits), SHA-256 as hex text. The last
 * 72 bytes are zero: the mark is never taken for a boot sector.
 */
#pragma once

#include "base/io.h"

enum sw_wipe_method {
	SW_WIPE_METHOD_AUTO,
	SW_WIPE_METHOD_DISCARD,		/* the disk is told that it may forget everything */
	SW_WIPE_METHOD_ZERO,		/* zeros are written over everything */
	SW_WIPE_METHOD_SIGNATURES,	/* only what makes content recognisable */
	SW_WIPE_METHOD_SECURE,		/* the disk's own erase command */
};

struct sw_region {
	uint64_t off, len;	/* bytes, multiples of 512 */
	bool table;		/* part of a partition table: goes after what it leads to */
	char what[48];		/* words for a report */
};

#define SW_WIPE_REGIONS 40U

struct sw_wipe_mark {
	enum sw_wipe_method method;
	uint64_t disk_size;
	uint64_t done;		/* of the content, bytes from the start of the disk */
	int64_t time;		/* when the wipe began */
	/*
	 * What the signatures step erases. None: there were too many, and they are
	 * found again through the GPT copies, which go last.
	 */
	struct sw_region region[SW_WIPE_REGIONS];
	size_t n_regions;
};

/* "auto" "discard" "zero" "signatures" "secure" */
const char *sw_wipe_method_name(enum sw_wipe_method method);
int sw_wipe_method_parse(const char *name, enum sw_wipe_method *ret_method);

/* Writes the first sector and flushes. */
int sw_wipe_mark_write(struct sw_io *io, const struct sw_wipe_mark *mark);
/* -ENOENT when there is none; a damaged one, or one of a disk of another size, is none. */
int sw_wipe_mark_read(struct sw_io *io, struct sw_wipe_mark *ret_mark);
/* 0 to 100 of the content. */
unsigned int sw_wipe_mark_percent(const struct sw_wipe_mark *mark);
